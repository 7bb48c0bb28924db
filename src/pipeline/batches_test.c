/* SPDX-License-Identifier: Apache-2.0
 *
 * What batch rounds keep and how they name it: batch.json there and back and damaged, ids of requests, results found by id, who has no
 * batch jobs. Jobs themselves are proved against a service in tests/oracle/batch_test.sh. */
#include "base/alloc.h"
#include "pipeline/batches_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];
static struct takc_home *home;
static struct takc_models *models;
static struct takc_batches *batches;
static struct takc_err err;

static const struct takc_batch_settings good = {.uri = {"s3://bucket/some/folder/", 24}, .role = {"arn:aws:iam::123456789012:role/x", 32}};

static enum takc_status open_as(const char *model, const char *guardrail, const struct takc_batch_settings *o)
{
    const struct takc_model_settings s = {.model = takc_str(model), .region = takc_str("us-east-1"), .guardrail = takc_str(guardrail)};
    takc_batches_close(batches);
    takc_models_close(models);
    batches = NULL;
    models = NULL;
    err = (struct takc_err){0};
    assert_int_equal(takc_models_open(&models, home, takc_str("fin"), &s, NULL, NULL), TAKC_OK);
    return takc_batches_open(&batches, home, takc_str("fin"), models, o, &err);
}

static int setup(void **state)
{
    static const struct takc_home_options create = {.create = true};
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/takc-batches-XXXXXX");
    if (!mkdtemp(root) || takc_home_open(&home, root, &create, NULL))
        return -1;
    return open_as("bedrock:amazon.nova-lite-v1:0", "", &good) ? -1 : 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    takc_batches_close(batches);
    takc_models_close(models);
    takc_home_close(home);
    batches = NULL;
    models = NULL;
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

static void refused(const char *model, const char *guardrail, const struct takc_batch_settings *o, enum takc_status want, const char *why)
{
    enum takc_status st = open_as(model, guardrail, o);
    if (st != want || !strstr(err.msg, why))
        fail_msg("%s: %s '%s', not '%s'", model, takc_status_name(st), err.msg, why);
}

static void who_has_none_is_told(void **state)
{
    (void)state;
    struct takc_batch_settings o = good;
    refused("fake:obedient", "", &good, TAKC_UNSUPPORTED, "provider fake has no batch jobs");
    refused("bedrock:amazon.nova-lite-v1:0", "g", &good, TAKC_UNSUPPORTED, "no guardrail");
    o.role = takc_str("arn:aws:iam::123456789012:user/x");
    refused("bedrock:amazon.nova-lite-v1:0", "", &o, TAKC_INVALID, "ARN of a role");
    o.uri = takc_str("bucket/folder");
    refused("bedrock:amazon.nova-lite-v1:0", "", &o, TAKC_INVALID, "--batch: 'bucket/folder'");
    assert_int_equal(open_as("bedrock:some.model-that-nobody-knows", "", &good), TAKC_OK);
}

/* --- batch.json --- */

static struct takc_batch_entry entry(const char *name, const char *outcome)
{
    return (struct takc_batch_entry){.name = takc_str(name),
                                     .folder = takc_str("s3://bucket/some/folder/fin/takc-1"),
                                     .model = takc_str("amazon.nova-lite-v1:0"),
                                     .role = good.role,
                                     .label = takc_str("3"),
                                     .arn = takc_str("arn:aws:bedrock:us-east-1:1:model-invocation-job/x"),
                                     .outcome = takc_str(outcome),
                                     .n_records = 1000,
                                     .n_results = 7,
                                     .most = UINT64_C(1) << 50,
                                     .row = INT64_MAX};
}

static void add_entry(struct takc_batch_entry e)
{
    assert_int_equal(takc_grow(&batches->jobs, &batches->jobs_cap, batches->n_jobs + 1, sizeof(e), NULL), TAKC_OK);
    batches->jobs[batches->n_jobs++] = e;
}

static void the_file_comes_back(void **state)
{
    (void)state;
    struct takc_compress_report report = {.waits = false};
    struct takc_batch_entry other = entry("takc-2", "");
    other.model = takc_str("another.model");
    assert_int_equal(takc_batch_state_draw(batches, NULL), TAKC_OK);
    add_entry(entry("takc-1", "done"));
    add_entry(other);
    assert_int_equal(takc_batch_state_put(batches, NULL, NULL), TAKC_OK);
    assert_int_equal(open_as("bedrock:amazon.nova-lite-v1:0", "", &good), TAKC_OK);
    assert_int_equal(takc_batch_state_read(batches, NULL, NULL), TAKC_OK);
    assert_int_equal(batches->n_jobs, 2);
    assert_int_equal(batches->salt.len, 32);
    const struct takc_batch_entry *e = &batches->jobs[0], want = entry("takc-1", "done");
    const struct takc_str had[] = {e->name, e->folder, e->model, e->role, e->label, e->arn, e->outcome},
                          wants[] = {want.name, want.folder, want.model, want.role, want.label, want.arn, want.outcome};
    for (size_t i = 0; i < sizeof(had) / sizeof(had[0]); i++)
        assert_true(takc_str_eq(had[i], wants[i]));
    assert_true(e->n_records == 1000 && e->n_results == 7 && e->most == UINT64_C(1) << 50 && e->row == INT64_MAX);
    assert_false(takc_batches_waiting(batches, &report)); /* the other one is not ours */
    batches->jobs[0].outcome = takc_str("");
    assert_true(takc_batches_waiting(batches, &report));
    assert_string_equal(report.job, "arn:aws:bedrock:us-east-1:1:model-invocation-job/x");
}

/* A sweep leaves it; with its last job it goes. */
static void it_stays_until_its_last_job(void **state)
{
    (void)state;
    struct takc_hex tag;
    struct takc_key key = takc_key_batch(takc_str("fin"));
    uint64_t removed = 0;
    assert_int_equal(takc_batch_state_draw(batches, NULL), TAKC_OK);
    add_entry(entry("takc-1", ""));
    assert_int_equal(takc_batch_state_put(batches, NULL, NULL), TAKC_OK);
    assert_int_equal(takc_home_sweep(home, takc_str("fin"), &removed, NULL), TAKC_OK);
    assert_int_equal(takc_store_tag(takc_home_store(home), NULL, takc_str(key.s), &tag, NULL), TAKC_OK);
    batches->n_jobs = 0;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(takc_batch_state_put(batches, NULL, NULL), TAKC_OK);
        assert_int_equal(takc_store_tag(takc_home_store(home), NULL, takc_str(key.s), &tag, NULL), TAKC_NOT_FOUND);
    }
    assert_int_equal(batches->salt.len, 0);
}

static void a_damaged_file_is_told(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{\"takc_batch\": 2, \"salt\": \"x\", \"jobs\": []}",
        "{\"takc_batch\": 1, \"salt\": \"x\", \"jobs\": {}}",
        "{\"takc_batch\": 1, \"salt\": \"x\", \"jobs\": [{}]}",
        "{\"takc_batch\": 1, \"salt\": \"x\", \"jobs\": [{\"name\": \"n\", \"model\": \"m\", \"folder\": \"http://x\", \"records\": 1,"
        " \"results\": 0, \"most_picodollars\": 1, \"row\": 1}]}",
        "{\"takc_batch\": 1, \"salt\": \"x\", \"jobs\": [{\"name\": \"n\", \"model\": \"m\", \"folder\": \"s3://abc/x\", \"records\": -1,"
        " \"results\": 0, \"most_picodollars\": 1, \"row\": 1}]}"};
    struct takc_key key = takc_key_batch(takc_str("fin"));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(takc_store_put_bytes(takc_home_store(home), NULL, takc_str(key.s), takc_str(texts[i]), NULL), TAKC_OK);
        if (takc_batch_state_read(batches, NULL, &err) != TAKC_CORRUPT || !strstr(err.msg, "replies/fin/batch.json is damaged"))
            fail_msg("%s: '%s'", texts[i], err.msg);
    }
}

/* --- ids and results --- */

static void id_of(const char *purpose, const char *system, const char *prompt, uint32_t max_tokens, char out[TAKC_BATCH_ID_MAX])
{
    const struct takc_model_block s = {.text = takc_str(system)}, p = {.text = takc_str(prompt)};
    const struct takc_model_message m = {TAKC_ROLE_USER, &p, 1};
    const struct takc_model_request r = {.system = &s, .n_system = 1, .messages = &m, .n_messages = 1, .max_tokens = max_tokens};
    assert_int_equal(takc_batch_id(batches, takc_str(purpose), &r, out, NULL), TAKC_OK);
}

static void ids_say_what_was_asked(void **state)
{
    (void)state;
    char ids[6][TAKC_BATCH_ID_MAX], again[TAKC_BATCH_ID_MAX];
    id_of("compress", "s", "p", 100, ids[0]);
    id_of("repair", "s", "p", 100, ids[1]);
    id_of("condense", "s", "p", 100, ids[2]);
    id_of("compress", "sp", "", 100, ids[3]);
    id_of("compress", "s", "p", 101, ids[4]);
    id_of("compress", "s", "p ", 100, ids[5]);
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(ids[i], ids[k]);
    id_of("compress", "s", "p", 100, again);
    assert_string_equal(ids[0], again);
    assert_int_equal(strlen(again), 41);
    assert_true(takc_str_is(takc_batch_purpose(ids[0]), "compress") && takc_str_is(takc_batch_purpose(ids[1]), "repair") &&
                takc_str_is(takc_batch_purpose(ids[2]), "condense"));
}

static void rows_are_the_same_however_often(void **state)
{
    (void)state;
    int64_t a, b, c, d;
    assert_int_equal(takc_batch_row(takc_str("takc-1"), "c1", &a, NULL), TAKC_OK);
    assert_int_equal(takc_batch_row(takc_str("takc-1"), "c1", &b, NULL), TAKC_OK);
    assert_int_equal(takc_batch_row(takc_str("takc-2"), "c1", &c, NULL), TAKC_OK);
    assert_int_equal(takc_batch_row(takc_str("takc-1"), NULL, &d, NULL), TAKC_OK);
    assert_true(a == b && a != c && a != d && c != d && a > 0 && c > 0 && d > 0);
}

static void add_result(const char *id, const char *line, bool failed)
{
    struct takc_batch_result r = {.line = takc_str(line), .order = batches->n_results, .failed = failed};
    (void)snprintf(r.id, sizeof(r.id), "%s", id);
    assert_int_equal(takc_grow(&batches->results, &batches->results_cap, batches->n_results + 1, sizeof(r), NULL), TAKC_OK);
    batches->results[batches->n_results++] = r;
}

static void found(const char *id, const char *line, size_t n_failed)
{
    size_t failed = 99;
    const struct takc_batch_result *r = takc_batch_result_find(batches, id, &failed);
    if ((r != NULL) != (line != NULL) || (r && !takc_str_is(r->line, line)) || failed != n_failed)
        fail_msg("%s: %.*s, %zu failed", id, r ? (int)r->line.len : 4, r ? r->line.ptr : "none", failed);
}

static void results_are_found(void **state)
{
    (void)state;
    takc_batch_results_sort(batches);
    found("a", NULL, 0);
    add_result("m", "m first", true);
    add_result("z", "z", false);
    add_result("m", "m second", false);
    add_result("b", "b first", true);
    add_result("b", "b second", true);
    add_result("m", "m third", false);
    takc_batch_results_sort(batches);
    found("m", "m second", 1);
    found("z", "z", 0);
    found("b", NULL, 2);
    found("a", NULL, 0);
    found("n", NULL, 0);
    found("zz", NULL, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(who_has_none_is_told),   T(the_file_comes_back),    T(it_stays_until_its_last_job),
        T(a_damaged_file_is_told), T(ids_say_what_was_asked), T(rows_are_the_same_however_often),
        T(results_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
