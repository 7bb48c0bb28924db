/* SPDX-License-Identifier: Apache-2.0
 *
 * The credential chain against fakes on loopback (tests/fake/aws.py): the table of environments, refreshing with a clock of our own, many
 * callers at once, signed requests, and that no message holds a secret (everything secret here contains "qqsecret"). */
#include "../../tests/fake/aws_table.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/thread.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "../../tests/fake/server.h"

static struct fake_server fake;
static struct takc_http *http;
static char server[64], home[96];
static atomic_int leaks; /* messages and log lines with a secret in them */

static void watch(void *arg, const struct takc_log_line *line)
{
    (void)arg;
    if (takc_str_find(line->message, takc_str("qqsecret"), 0) != SIZE_MAX)
        atomic_fetch_add(&leaks, 1);
}

static void assert_clean(const struct takc_err *err)
{
    if (strstr(err->msg, "qqsecret") || atomic_load(&leaks))
        fail_msg("a secret is in a message: %s", err->msg);
}

static atomic_llong wall;

static int64_t wall_s(const struct takc_clock *c)
{
    (void)c;
    return atomic_load(&wall);
}

static uint64_t mono_ns(const struct takc_clock *c)
{
    (void)c;
    return takc_clock_system()->mono_ns(takc_clock_system());
}

static const struct takc_clock test_clock = {.wall_s = wall_s, .mono_ns = mono_ns};

static struct takc_aws *open_with(const char *const *environment, const char *profile)
{
    struct takc_aws *a = NULL;
    struct takc_err err = {0};
    if (takc_aws_open(&a, &(struct takc_aws_options){.http = http, .environment = environment, .profile = profile, .clock = &test_clock},
                      &err))
        fail_msg("%s", err.msg);
    return a;
}

static void run_case(const struct aws_case *c)
{
    char *variables[AWS_TABLE_VARIABLES + 3];
    struct takc_aws_identity id;
    struct takc_err err = {0};
    aws_case_prepare(c, home, server, variables);
    struct takc_aws *a = open_with((const char *const *)variables, c->profile);
    enum takc_status st = takc_aws_keys(a, NULL, &id, &err);
    if (st != c->status || (st ? !strstr(err.msg, c->want) : !takc_str_is(id.keys.access, c->want)))
        fail_msg("%s: %s '%s' '%.*s', not %s '%s'", c->name, takc_status_name(st), st ? err.msg : "", TAKC_STR_ARG(id.keys.access),
                 takc_status_name(c->status), c->want);
    if (!st && (!takc_str_starts(id.keys.secret, takc_str("qqsecret")) && !takc_str_is(id.keys.secret, "x")))
        fail_msg("%s: another secret", c->name);
    if (!st && (!id.source[0] || strstr(id.source, "qqsecret")))
        fail_msg("%s: source '%s'", c->name, id.source);
    assert_clean(&err);
    takc_aws_identity_clear(&id);
    takc_aws_close(a);
    for (size_t i = 0; variables[i]; i++)
        takc_free(variables[i]);
}

static void environments_give_the_keys_they_should(void **state)
{
    (void)state;
    atomic_store(&wall, time(NULL));
    for (size_t i = 0; i < AWS_CASES; i++)
        run_case(&aws_cases[i]);
    print_message("%d environments\n", AWS_CASES);
}

static void sources_are_named(void **state)
{
    (void)state;
    static const struct aws_case c = {.variables = {STS, "AWS_PROFILE=c"},
                                      .config =
                                          "[profile c]\nrole_arn=arn:aws:iam::1:role/c\nsource_profile=b\n[profile b]\nrole_arn=arn:aws:"
                                          "iam::1:role/b\nsource_profile=base\n",
                                      .credentials = BASE};
    char *variables[AWS_TABLE_VARIABLES + 3];
    struct takc_aws_identity id;
    aws_case_prepare(&c, home, server, variables);
    struct takc_aws *a = open_with((const char *const *)variables, NULL);
    assert_int_equal(takc_aws_keys(a, NULL, &id, NULL), TAKC_OK);
    assert_string_equal(
        id.source, "profile c: role arn:aws:iam::1:role/c from profile b: role arn:aws:iam::1:role/b from profile base (credentials file)");
    assert_true(id.expires_s > time(NULL));
    takc_aws_identity_clear(&id);
    takc_aws_close(a);
    for (size_t i = 0; variables[i]; i++)
        takc_free(variables[i]);
}

/* Asks the fake itself. */
static unsigned told(const char *path)
{
    char url[200];
    struct takc_http_reply r;
    (void)snprintf(url, sizeof(url), "%s/%s", server, path);
    assert_int_equal(takc_http_send(http, NULL, &(struct takc_http_request){.method = "GET", .url = takc_str(url)}, &r, NULL), TAKC_OK);
    unsigned n = (unsigned)strtoul(r.body.ptr ? r.body.ptr : "", NULL, 10);
    takc_http_reply_clear(&r);
    return n;
}

static struct takc_aws *open_container(const char *how)
{
    static char uri[300], no_files[128];
    (void)snprintf(uri, sizeof(uri), "AWS_CONTAINER_CREDENTIALS_FULL_URI=%s/%s", server, how);
    (void)snprintf(no_files, sizeof(no_files), "HOME=%s/none", home);
    return open_with((const char *const[]){uri, no_files, "AWS_REGION=us-east-1", NULL}, NULL);
}

static void assert_keys(struct takc_aws *a, const char *access)
{
    struct takc_aws_identity id;
    struct takc_err err = {0};
    if (takc_aws_keys(a, NULL, &id, &err))
        fail_msg("%s", err.msg);
    if (!takc_str_is(id.keys.access, access))
        fail_msg("%.*s is not %s", TAKC_STR_ARG(id.keys.access), access);
    takc_aws_identity_clear(&id);
}

/* Keys until 2,000,000,000: fetched once, kept until five minutes ahead, fetched again then; expired ones are not given out. */
static void keys_are_fetched_ahead_of_expiry(void **state)
{
    (void)state;
    atomic_store(&wall, 2000000000 - 7200);
    struct takc_aws *a = open_container("container-until-2000000000");
    assert_keys(a, "ASIACONTAINER1");
    assert_keys(a, "ASIACONTAINER1");
    atomic_store(&wall, 2000000000 - 301);
    assert_keys(a, "ASIACONTAINER1");
    assert_int_equal(told("_count/container-until-2000000000"), 1);
    atomic_store(&wall, 2000000000 - 300);
    assert_keys(a, "ASIACONTAINER2");
    assert_keys(a, "ASIACONTAINER2"); /* no better ones are to be had: the next try is half-way to their end */
    atomic_store(&wall, 2000000000 - 151);
    assert_keys(a, "ASIACONTAINER2");
    atomic_store(&wall, 2000000000 - 150);
    assert_keys(a, "ASIACONTAINER3");
    atomic_store(&wall, 2000000000);
    struct takc_aws_identity id;
    struct takc_err err = {0};
    assert_int_equal(takc_aws_keys(a, NULL, &id, &err), TAKC_DENIED);
    assert_non_null(strstr(err.msg, "container: its keys have run out already"));
    takc_aws_identity_clear(&id);
    takc_aws_close(a);
}

/* A source that fails ahead of time costs nothing while the keys in hand are good. The container's token file goes away meanwhile. */
static void a_failed_refresh_leaves_good_keys(void **state)
{
    (void)state;
    char uri[200], token[160], path[160];
    struct takc_aws_identity id;
    struct takc_err err = {0};
    atomic_store(&wall, 2100000000 - 7200);
    (void)snprintf(path, sizeof(path), "%s/fading", home);
    aws_write_file(home, "fading", "qqsecret-fading", "");
    (void)snprintf(uri, sizeof(uri), "AWS_CONTAINER_CREDENTIALS_FULL_URI=%s/container-until-2100000000", server);
    (void)snprintf(token, sizeof(token), "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=%s", path);
    struct takc_aws *a =
        open_with((const char *const[]){uri, token, "AWS_CONFIG_FILE=/nowhere", "AWS_SHARED_CREDENTIALS_FILE=/nowhere", NULL}, NULL);
    assert_keys(a, "ASIACONTAINER1");
    assert_int_equal(unlink(path), 0);
    atomic_store(&wall, 2100000000 - 200);
    assert_keys(a, "ASIACONTAINER1");
    atomic_store(&wall, 2100000000 - 1);
    assert_keys(a, "ASIACONTAINER1");
    atomic_store(&wall, 2100000000);
    assert_int_equal(takc_aws_keys(a, NULL, &id, &err), TAKC_NOT_FOUND);
    assert_non_null(strstr(err.msg, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"));
    assert_clean(&err);
    takc_aws_identity_clear(&id);
    takc_aws_close(a);
}

/* What a machine tells about itself and its keys goes by no proxy. */
static void agents_are_asked_directly(void **state)
{
    (void)state;
    struct takc_http *usual = http;
    assert_int_equal(takc_http_open(&http, &(struct takc_http_options){.proxy = "http://127.0.0.1:1"}, NULL), TAKC_OK);
    atomic_store(&wall, time(NULL));
    struct takc_aws *a = open_container("container-open");
    assert_keys(a, "ASIACONTAINER");
    takc_aws_close(a);
    takc_http_close(http);
    http = usual;
}

static void memory_may_be_out(void **state)
{
    (void)state;
    static const struct aws_case c = {.variables = {NO_IMDS}, .credentials = DEFAULT BASE, .config = "[profile x]\nk = v\n"};
    char *variables[AWS_TABLE_VARIABLES + 3];
    enum takc_status st = TAKC_NOMEM;
    uint64_t n = 1;
    aws_case_prepare(&c, home, server, variables);
    for (; st == TAKC_NOMEM; n++) {
        struct takc_aws_options o = {.http = http, .environment = (const char *const *)variables, .clock = &test_clock};
        struct takc_aws *a = NULL;
        struct takc_aws_identity id = {0};
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        st = takc_aws_open(&a, &o, NULL);
        st = st ? st : takc_aws_keys(a, NULL, &id, NULL);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        takc_aws_identity_clear(&id);
        takc_aws_close(a);
    }
    assert_int_equal(st, TAKC_OK);
    assert_true(n > 8);
    for (size_t i = 0; variables[i]; i++)
        takc_free(variables[i]);
}

struct crowd {
    struct takc_aws *a;
    atomic_int started, good, failed;
};

static void *want_keys(void *arg)
{
    struct crowd *c = arg;
    struct takc_aws_identity id;
    struct takc_err err = {0};
    atomic_fetch_add(&c->started, 1);
    enum takc_status st = takc_aws_keys(c->a, NULL, &id, &err);
    if (!st && takc_str_is(id.keys.access, "ASIACONTAINER"))
        atomic_fetch_add(&c->good, 1);
    else if (st == TAKC_UPSTREAM && strstr(err.msg, "container: HTTP 500"))
        atomic_fetch_add(&c->failed, 1);
    takc_aws_identity_clear(&id);
    return NULL;
}

enum { CROWD = 12 };

static void crowd_run(struct crowd *c, bool at_gate)
{
    pthread_t threads[CROWD];
    for (int i = 0; i < CROWD; i++)
        assert_int_equal(takc_thread_start(&threads[i], "want", want_keys, c, NULL), TAKC_OK);
    while (at_gate && (atomic_load(&c->started) < CROWD || told("_count/container-gate") == 0))
        ;
    if (at_gate)
        (void)told("_open");
    for (int i = 0; i < CROWD; i++)
        (void)pthread_join(threads[i], NULL);
}

static void one_caller_at_a_time_fetches(void **state)
{
    (void)state;
    atomic_store(&wall, time(NULL));
    struct crowd c = {.a = open_container("container-gate")};
    crowd_run(&c, true);
    assert_int_equal(c.good, CROWD);
    assert_int_equal(told("_count/container-gate"), 1);
    takc_aws_close(c.a);
}

static void a_broken_source_fails_all(void **state)
{
    (void)state;
    struct crowd c = {.a = open_container("container-500")};
    crowd_run(&c, false);
    assert_int_equal(c.failed, CROWD);
    takc_aws_close(c.a);
}

static void a_caller_may_give_up(void **state)
{
    (void)state;
    struct takc_call call;
    struct takc_aws_identity id;
    struct takc_err err = {0};
    static const struct aws_case c = {.variables = {NO_IMDS}, .config = "[default]\ncredential_process = sleep 60\n"};
    char *variables[AWS_TABLE_VARIABLES + 3];
    aws_case_prepare(&c, home, server, variables);
    struct takc_aws *a = open_with((const char *const *)variables, NULL);
    takc_call_init(&call);
    atomic_store(&call.cancel, true);
    assert_int_equal(takc_aws_keys(a, &call, &id, &err), TAKC_CANCELLED);
    takc_aws_identity_clear(&id);
    takc_call_init(&call);
    call.deadline_ns = mono_ns(NULL) + 50000000;
    assert_int_equal(takc_aws_keys(a, &call, &id, &err), TAKC_TIMEOUT);
    assert_non_null(strstr(err.msg, "credential_process"));
    takc_aws_identity_clear(&id);
    takc_aws_close(a);
    for (size_t i = 0; variables[i]; i++)
        takc_free(variables[i]);
}

static enum takc_status send_to(struct takc_aws *a, const char *how, struct takc_http_reply *r, struct takc_err *err)
{
    char url[200];
    (void)snprintf(url, sizeof(url), "%s/svc-%s/model/a%%3Ab/converse", server, how);
    struct takc_http_request q = {.method = "POST", .url = takc_str(url), .body = takc_str("{}")};
    return takc_aws_send(a, NULL, "bedrock", &q, r, err);
}

static void requests_are_signed_and_sent(void **state)
{
    (void)state;
    struct takc_http_reply r;
    atomic_store(&wall, time(NULL));
    struct takc_aws *a = open_with((const char *const[]){ENV_KEYS, "AWS_REGION=eu-west-3", NULL}, NULL);
    assert_int_equal(send_to(a, "echo", &r, NULL), TAKC_OK);
    assert_int_equal(r.status, 200);
    assert_non_null(strstr(r.body.ptr, "\"caller\": \"AKIDENV\""));
    assert_non_null(strstr(r.body.ptr, "/eu-west-3/bedrock/aws4_request"));
    takc_http_reply_clear(&r);
    takc_aws_close(a);
}

/* Refused once, learned, right at once from then on. */
static void the_servers_clock_is_learned(void **state)
{
    (void)state;
    struct takc_http_reply r;
    atomic_store(&wall, time(NULL));
    struct takc_aws *a = open_with((const char *const[]){ENV_KEYS, "AWS_REGION=us-east-1", NULL}, NULL);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(send_to(a, "skew", &r, NULL), TAKC_OK);
        assert_int_equal(r.status, 200);
        assert_int_equal(told("_count/svc-skew"), 2 + i);
        takc_http_reply_clear(&r);
    }
    assert_true(takc_aws_skew_s(a) > 3500 && takc_aws_skew_s(a) < 3700);
    assert_int_equal(send_to(a, "early", &r, NULL), TAKC_OK); /* another server, an hour behind */
    assert_int_equal(r.status, 200);
    assert_true(takc_aws_skew_s(a) < -3500);
    takc_http_reply_clear(&r);
    takc_aws_close(a);
}

static void expired_keys_are_fetched_anew_once(void **state)
{
    (void)state;
    struct takc_http_reply r;
    atomic_store(&wall, time(NULL));
    struct takc_aws *a = open_container("container-until-4000000000");
    assert_int_equal(send_to(a, "expired", &r, NULL), TAKC_OK);
    assert_int_equal(r.status, 200);
    if (!strstr(r.body.ptr, "ASIACONTAINER2"))
        fail_msg("%s", r.body.ptr);
    takc_http_reply_clear(&r);
    assert_int_equal(send_to(a, "stays", &r, NULL), TAKC_OK);
    assert_int_equal(r.status, 403);
    assert_int_equal(told("_count/svc-stays"), 2);
    takc_http_reply_clear(&r);
    takc_aws_close(a);
}

/* Two callers sign with the same keys and are refused; the second's refusal comes when new ones are in hand, and leaves these alone. */
static void a_late_refusal_leaves_new_keys(void **state)
{
    (void)state;
    struct takc_aws_identity old;
    atomic_store(&wall, time(NULL));
    struct takc_aws *a = open_container("container-until-4100000000");
    assert_int_equal(takc_aws_keys(a, NULL, &old, NULL), TAKC_OK);
    takc_aws_forget_keys(a, &old.keys);
    assert_keys(a, "ASIACONTAINER2");
    takc_aws_forget_keys(a, &old.keys);
    assert_keys(a, "ASIACONTAINER2");
    assert_int_equal(told("_count/container-until-4100000000"), 2);
    takc_aws_identity_clear(&old);
    takc_aws_close(a);
}

static void assert_region(const char *const *environment, const char *config, const char *want)
{
    struct takc_str region;
    struct takc_err err = {0};
    aws_write_file(home, ".aws/config", config, server);
    struct takc_aws *a = open_with(environment, NULL);
    enum takc_status st = takc_aws_region(a, NULL, &region, &err);
    if (want ? st || !takc_str_is(region, want) : st != TAKC_INVALID)
        fail_msg("%s: %s %.*s", want ? want : "none", st ? err.msg : "", st ? 0 : (int)region.len, st ? "" : region.ptr);
    takc_aws_close(a);
}

static void the_region_is_found(void **state)
{
    (void)state;
    char home_is[128], imds[128];
    (void)snprintf(home_is, sizeof(home_is), "HOME=%s", home);
    (void)snprintf(imds, sizeof(imds), "AWS_EC2_METADATA_SERVICE_ENDPOINT=%s/imds-ok", server);
    const char *config = "[default]\nregion = ap-south-1\n[profile w]\nregion = sa-east-1\n";
    assert_region((const char *const[]){home_is, "AWS_REGION=us-west-1", "AWS_DEFAULT_REGION=us-west-2", NULL}, config, "us-west-1");
    assert_region((const char *const[]){home_is, "AWS_DEFAULT_REGION=us-west-2", NULL}, config, "us-west-2");
    assert_region((const char *const[]){home_is, imds, NULL}, config, "ap-south-1");
    assert_region((const char *const[]){home_is, "AWS_PROFILE=w", NULL}, config, "sa-east-1");
    assert_region((const char *const[]){home_is, imds, NULL}, NULL, "eu-north-1");
    assert_region((const char *const[]){home_is, NO_IMDS, NULL}, NULL, NULL);
    assert_region((const char *const[]){home_is, "AWS_REGION=evil.com/", NULL}, NULL, NULL);
}

static void endpoints_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *variable, *region, *want;
    } rows[] = {{"A=b", "AWS_REGION=us-east-1", "https://bedrock-runtime.us-east-1.amazonaws.com"},
                {"A=b", "AWS_REGION=cn-north-1", "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"},
                {"AWS_ENDPOINT_URL=http://all/", "AWS_REGION=us-east-1", "http://all"},
                {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME=http://one", "AWS_REGION=us-east-1", "http://one"},
                {"AWS_ENDPOINT_URL_STS=http://other", "AWS_REGION=us-east-1", "https://bedrock-runtime.us-east-1.amazonaws.com"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct takc_buf url;
        takc_buf_init(&url, 1000);
        struct takc_aws *a = open_with((const char *const[]){rows[i].variable, rows[i].region, NULL}, NULL);
        assert_int_equal(takc_aws_endpoint_of(a, NULL, "BEDROCK_RUNTIME", "bedrock-runtime", &url, NULL), TAKC_OK);
        assert_string_equal(url.ptr, rows[i].want);
        takc_buf_clear(&url);
        takc_aws_close(a);
    }
}

static int start(void **state)
{
    (void)state;
    if (!fake_server_start(&fake, "aws.py", 1) || takc_http_open(&http, &(struct takc_http_options){.proxy = ""}, NULL))
        return -1;
    (void)snprintf(server, sizeof(server), "http://127.0.0.1:%u", fake.ports[0]);
    (void)snprintf(home, sizeof(home), "%s/home", fake.folder);
    aws_write_home(home);
    return takc_log_set(watch, NULL, "debug", NULL, NULL) ? -1 : 0;
}

static int stop(void **state)
{
    (void)state;
    takc_http_close(http);
    fake_server_stop(&fake);
    return takc_log_set(NULL, NULL, NULL, NULL, NULL) ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(environments_give_the_keys_they_should),
        cmocka_unit_test(sources_are_named),
        cmocka_unit_test(keys_are_fetched_ahead_of_expiry),
        cmocka_unit_test(a_failed_refresh_leaves_good_keys),
        cmocka_unit_test(one_caller_at_a_time_fetches),
        cmocka_unit_test(a_broken_source_fails_all),
        cmocka_unit_test(a_caller_may_give_up),
        cmocka_unit_test(requests_are_signed_and_sent),
        cmocka_unit_test(the_servers_clock_is_learned),
        cmocka_unit_test(expired_keys_are_fetched_anew_once),
        cmocka_unit_test(a_late_refusal_leaves_new_keys),
        cmocka_unit_test(agents_are_asked_directly),
        cmocka_unit_test(memory_may_be_out),
        cmocka_unit_test(the_region_is_found),
        cmocka_unit_test(endpoints_are_found),
    };
    if (system("python3 -c 'import http.server' >/dev/null 2>&1") != 0) {
        print_message("SKIPPED: the fake services need python3\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, start, stop);
}
