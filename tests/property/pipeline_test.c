/* SPDX-License-Identifier: Apache-2.0
 *
 * What the pipeline promises whatever the documents are: incremental equals from scratch, byte for byte; threads, order of ingestion and
 * paths change nothing; budgets are kept, the sets nest, nothing changes without a reason, and verify finds nothing wrong. */
#include "compress/artifact.h"
#include "takc/query.h"
#include "token/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "home_fixture.h"

static char root[64];

static const char *in_root(const char *name)
{
    static char paths[8][128];
    static int at;
    char *p = paths[at++ % 8];
    (void)snprintf(p, 128, "%s/%s", root, name);
    return p;
}

/* State of a home made from scratch with these revisions, under the folder name given. Free it. */
static char *from_scratch(const int revisions[FIXTURE_FILES], const char *name, unsigned n_threads)
{
    char folder[128], home[128];
    (void)snprintf(folder, sizeof(folder), "%s/%s-docs", root, name);
    (void)snprintf(home, sizeof(home), "%s/%s-home", root, name);
    for (int i = 0; i < FIXTURE_FILES; i++)
        fixture_write(folder, i, revisions[i]);
    struct takc_home *h = fixture_home(home);
    (void)fixture_ingest(h, folder, false, n_threads);
    (void)fixture_compress(h, n_threads);
    char *state = fixture_state(h, "");
    takc_home_close(h);
    fixture_remove(folder);
    fixture_remove(home);
    return state;
}

static void forget_file(struct takc_home *h, const char *name)
{
    struct takc_err err = {0};
    struct takc_forget_report r;
    char part[96];
    if (!strstr(name, ".jsonl")) {
        fixture_ok(takc_forget(h, NULL, takc_str(FIXTURE_TASK), &(struct takc_str){name, strlen(name)}, 1, 0, &r, &err), &err, "forget");
        return;
    }
    for (int i = 0; i < FIXTURE_LINES; i++) {
        (void)snprintf(part, sizeof(part), "%s#k%d", name, i);
        fixture_ok(takc_forget(h, NULL, takc_str(FIXTURE_TASK), &(struct takc_str){part, strlen(part)}, 1, 0, &r, &err), &err, "forget");
    }
}

/* One random change: some files new, changed or gone, then ingest (mirror or forget by name), then compress. */
static void step(struct takc_home *h, struct fixture_random *r, const char *folder, int revisions[FIXTURE_FILES])
{
    bool mirror = fixture_below(r, 2);
    for (int n = (int)fixture_below(r, 4); n >= 0; n--) {
        int i = (int)fixture_below(r, FIXTURE_FILES), what = (int)fixture_below(r, 3);
        char name[64];
        if (what == 0 && revisions[i] && i != 1) { /* one stays: there is always a document */
            revisions[i] = 0;
            fixture_name(i, name);
            if (!mirror)
                forget_file(h, name);
        } else if (what) {
            revisions[i]++;
        }
        fixture_write(folder, i, revisions[i]);
    }
    (void)fixture_ingest(h, folder, mirror, 1 + fixture_below(r, 3));
    (void)fixture_compress(h, 1 + fixture_below(r, 3));
}

static void incremental_is_from_scratch(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        struct fixture_random r = {seed * 0x9E3779B97F4A7C15u};
        int revisions[FIXTURE_FILES] = {1, 1, 1, 0, 1, 1, 1};
        const char *folder = in_root("docs"), *home = in_root("home");
        for (int i = 0; i < FIXTURE_FILES; i++)
            fixture_write(folder, i, revisions[i]);
        struct takc_home *h = fixture_home(home);
        (void)fixture_ingest(h, folder, false, 1);
        (void)fixture_compress(h, 1);
        for (int i = 0; i < 7; i++) {
            step(h, &r, folder, revisions);
            char *one = fixture_state(h, ""), *other = from_scratch(revisions, "fresh", 1);
            if (strcmp(one, other) != 0)
                fail_msg("seed %d, step %d: incremental\n%s\nfrom scratch\n%s", (int)seed, i, one, other);
            fixture_verify(h, "");
            free(one);
            free(other);
        }
        takc_home_close(h);
        fixture_remove(folder);
        fixture_remove(home);
    }
}

static void threads_and_paths_change_nothing(void **state)
{
    (void)state;
    const int revisions[FIXTURE_FILES] = {2, 1, 3, 1, 1, 4, 2, 1, 1};
    char *want = from_scratch(revisions, "a", 1);
    for (unsigned t = 2; t <= 4; t++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "another-%u/deeper", t);
        char parent[128];
        (void)snprintf(parent, sizeof(parent), "%s/another-%u", root, t);
        assert_int_equal(mkdir(parent, 0700), 0);
        char *got = from_scratch(revisions, name, t);
        assert_string_equal(got, want);
        free(got);
    }
    free(want);
}

/* Files one by one, last first: the same version as a folder at once. */
static void order_of_ingestion_changes_nothing(void **state)
{
    (void)state;
    const int revisions[FIXTURE_FILES] = {1, 1, 1, 1, 1, 1, 0, 1, 1};
    char *want = from_scratch(revisions, "b", 1), name[64], path[256];
    const char *folder = in_root("single");
    struct takc_home *h = fixture_home(in_root("single-home"));
    struct takc_err err = {0};
    for (int i = FIXTURE_FILES - 1; i >= 0; i--) {
        struct takc_ingest_report report;
        const struct takc_ingest_options o = {.task = takc_str(FIXTURE_TASK), .name = name};
        const char *paths[] = {path};
        if (!revisions[i])
            continue;
        fixture_write(folder, i, revisions[i]);
        fixture_name(i, name);
        (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
        fixture_ok(takc_ingest(h, NULL, paths, 1, &o, &report, &err), &err, name);
        assert_int_equal(report.n_new, 1);
        if (i == 4) { /* a version in between is no matter either */
            (void)fixture_compress(h, 2);
        }
    }
    (void)fixture_compress(h, 1);
    char *got = fixture_state(h, "");
    assert_string_equal(got, want);
    free(got);
    free(want);
    takc_home_close(h);
}

static void only_changes_make_versions(void **state)
{
    (void)state;
    const char *folder = in_root("same"), *home = in_root("same-home");
    for (int i = 0; i < FIXTURE_FILES; i++)
        fixture_write(folder, i, 1);
    struct takc_home *h = fixture_home(home);
    struct takc_ingest_report in = fixture_ingest(h, folder, false, 1);
    assert_int_equal(in.n_new, FIXTURE_FILES - 1 + FIXTURE_LINES);
    struct takc_compress_report first = fixture_compress(h, 1);
    assert_true(first.changed);
    assert_string_equal(first.version, "1");

    in = fixture_ingest(h, folder, true, 2);
    assert_int_equal(in.n_same, FIXTURE_FILES - 1 + FIXTURE_LINES);
    assert_int_equal(in.n_new + in.n_changed + in.n_forgotten + in.n_vanished, 0);
    struct takc_compress_report again = fixture_compress(h, 3);
    assert_false(again.changed);
    assert_string_equal(again.version, "1");
    assert_int_equal(again.n_rows, 4);
    assert_memory_equal(again.rows[3].rate, first.rows[3].rate, sizeof(first.rows[3].rate));
    assert_int_equal(again.rows[3].artifact_tokens, first.rows[3].artifact_tokens);
    assert_int_equal(again.source_tokens, first.source_tokens);

    fixture_profile(h, FIXTURE_YAML "ttl_s: 17\nkeep_versions: 5\nmodel: {temperature: 0.5}\n");
    assert_false(fixture_compress(h, 1).changed);
    fixture_profile(h, "description: \"valves of the Geneva office\"\n");
    struct takc_compress_report other = fixture_compress(h, 1);
    assert_true(other.changed);
    assert_string_equal(other.version, "2");
    fixture_verify(h, "1");
    fixture_verify(h, "2");

    fixture_write(folder, 6, 2); /* one line of the JSONL file: one document */
    in = fixture_ingest(h, folder, false, 1);
    assert_int_equal(in.n_changed, 1);
    fixture_write(folder, 0, 0);
    in = fixture_ingest(h, folder, false, 1);
    assert_int_equal(in.n_vanished, 1);
    takc_home_close(h);
}

/* --- budgets and nesting --- */

static struct takc_artifact load_artifact(struct takc_home *h, const char *label, takc_rate rate)
{
    struct takc_err err = {0};
    struct takc_buf b;
    struct takc_artifact a = {0};
    takc_buf_init(&b, 1 << 24);
    struct takc_key key = takc_key_artifact(takc_str(FIXTURE_TASK), takc_str(label), rate, ".json");
    fixture_ok(takc_store_get_bytes(takc_home_store(h), NULL, takc_str(key.s), &b, &err), &err, key.s);
    fixture_ok(takc_artifact_parse(&a, takc_buf_str(&b), &err), &err, key.s);
    takc_buf_clear(&b);
    return a;
}

/* The same spans, though each artifact numbers the documents that it shows? */
static bool same_spans(const struct takc_artifact *a, const struct takc_part *p, const struct takc_artifact *b, const struct takc_part *q)
{
    for (size_t i = 0; i < p->n_spans && i < q->n_spans; i++)
        if (p->spans[i].start != q->spans[i].start || p->spans[i].end != q->spans[i].end ||
            !takc_str_eq(a->documents[p->spans[i].doc].name, b->documents[q->spans[i].doc].name))
            return false;
    return p->n_spans == q->n_spans;
}

/* Does a hold this part of b: role, text and spans? */
static bool holds_part(const struct takc_artifact *a, const struct takc_artifact *b, const struct takc_part *want)
{
    for (size_t i = 0; i < a->n_segments; i++)
        for (size_t k = 0; k < a->segments[i].n_parts; k++) {
            const struct takc_part *p = &a->segments[i].parts[k];
            if (p->role == want->role && takc_str_eq(p->text, want->text) && same_spans(a, p, b, want))
                return true;
        }
    return false;
}

static void budgets_hold_and_sets_nest(void **state)
{
    (void)state;
    static const takc_rate rates[] = {128000, 64000, 32000, 16000, 8000};
    const struct takc_tokenizer *t = takc_tokenizer_find(takc_str("estimate"));
    struct takc_err err = {0};
    for (int round = 1; round <= 3; round++) {
        char folder[128], home[128];
        (void)snprintf(folder, sizeof(folder), "%s/nest-%d", root, round);
        (void)snprintf(home, sizeof(home), "%s/nest-home-%d", root, round);
        for (int i = 0; i < FIXTURE_FILES; i++)
            fixture_write(folder, i, i == round ? 0 : round * 3 + i);
        struct takc_home *h = fixture_home(home);
        (void)fixture_ingest(h, folder, false, 2);
        struct takc_compress_report r;
        const struct takc_compress_options o = {.task = takc_str(FIXTURE_TASK), .rates = rates, .n_rates = 5, .n_threads = 2};
        fixture_ok(takc_compress(h, NULL, &o, &r, &err), &err, "compress");
        assert_int_equal(r.n_rows, 5);
        struct takc_artifact before = {0};
        for (int k = 0; k < 5; k++) {
            struct takc_artifact a = load_artifact(h, r.version, rates[k]);
            struct takc_buf text;
            takc_buf_init(&text, 1 << 24);
            fixture_ok(takc_artifact_text(&a, &text, &err), &err, "text");
            uint64_t tokens = takc_tokenizer_count(t, takc_buf_str(&text));
            const struct takc_ledger_entry *e = &r.rows[k];
            assert_int_equal(e->budget_tokens, e->source_tokens * 1000 / rates[k]);
            assert_true(tokens <= e->budget_tokens);
            assert_int_equal(tokens, e->artifact_tokens);
            assert_true(e->shortfall || tokens * 100 >= e->budget_tokens * 98);
            for (size_t i = 0; i < before.n_segments; i++)
                for (size_t p = 0; p < before.segments[i].n_parts; p++)
                    if (!holds_part(&a, &before, &before.segments[i].parts[p]))
                        fail_msg("%s lacks \"%.*s\" of the rate before it", e->rate, TAKC_STR_ARG(before.segments[i].parts[p].text));
            assert_true(k == 0 || a.n_documents >= before.n_documents);
            assert_true(k == 0 || a.n_segments >= before.n_segments);
            takc_artifact_clear(&before);
            before = a;
            takc_buf_clear(&text);
        }
        takc_artifact_clear(&before);
        fixture_verify(h, "");
        takc_home_close(h);
    }
}

static int setup(void **state)
{
    (void)state;
    return fixture_root(root, "pipeline");
}

static int teardown(void **state)
{
    (void)state;
    fixture_remove(root);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(incremental_is_from_scratch, setup, teardown),
        cmocka_unit_test_setup_teardown(threads_and_paths_change_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(order_of_ingestion_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(only_changes_make_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(budgets_hold_and_sets_nest, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
