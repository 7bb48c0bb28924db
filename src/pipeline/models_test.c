/* SPDX-License-Identifier: Apache-2.0
 *
 * A task's models over the stand-in provider: names, what every way to fail leaves in the ledger, caps of a run and of a month. */
#include "catalog/usage.h"
#include "model/fake.h"
#include "pipeline/models.h"

#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* --- a clock that moves when somebody sleeps --- */

static _Atomic uint64_t now_ns;

static uint64_t fake_mono(const struct takc_clock *c)
{
    (void)c;
    return atomic_load(&now_ns);
}

static int64_t fake_wall(const struct takc_clock *c)
{
    return (int64_t)(fake_mono(c) / 1000000000u);
}

static void fake_sleep(const struct takc_clock *c, uint64_t ns)
{
    (void)c;
    atomic_fetch_add(&now_ns, ns);
}

static const struct takc_clock clock_of_test = {fake_mono, fake_wall, fake_sleep};

/* --- a home, prices, a call --- */

static char root[64], facts[96];
static struct takc_home *home;
static struct takc_models *models;
static struct takc_model_reply reply;
static struct takc_caller_sum sum;
static struct takc_err err;

/* A thousand dollars a million tokens: a token is a tenth of a cent. */
static const char prices[] = "models:\n"
                             "  - id: obedient*\n    provider: fake\n    window: 8192\n    max_output: 4096\n"
                             "    accepts: [temperature, top_p, stops, system]\n"
                             "    price: {input: 1000, output: 1000}\n    price_date: 2026-11-01\n    price_from: test\n";

static int setup(void **state)
{
    static const struct takc_home_options create = {.create = true};
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/takc-models-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    (void)snprintf(facts, sizeof(facts), "%s.yaml", root);
    FILE *f = fopen(facts, "w");
    if (!f || fputs(prices, f) < 0 || fclose(f))
        return -1;
    atomic_store(&now_ns, UINT64_C(1795824000) * 1000000000u); /* 2026-11-28 */
    takc_model_reply_init(&reply);
    err = (struct takc_err){0};
    return takc_home_open(&home, root, &create, NULL) ? -1 : 0;
}

static int teardown(void **state)
{
    char command[256];
    (void)state;
    takc_models_close(models);
    models = NULL;
    takc_home_close(home);
    home = NULL;
    takc_model_reply_clear(&reply);
    (void)snprintf(command, sizeof(command), "rm -rf %s %s", root, facts);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

static struct takc_model_settings settings(const char *model)
{
    return (struct takc_model_settings){.model = takc_str(model), .facts = takc_str(facts), .clock = &clock_of_test};
}

static enum takc_status open_with(const struct takc_model_settings *s)
{
    takc_models_close(models);
    models = NULL;
    return takc_models_open(&models, home, takc_str("fin"), s, NULL, &err);
}

static enum takc_status ask(const char *text)
{
    const struct takc_model_block block = {.text = takc_str(text)};
    const struct takc_model_message message = {TAKC_ROLE_USER, &block, 1};
    const struct takc_model_request r = {.messages = &message, .n_messages = 1, .max_tokens = 20};
    struct takc_call call;
    takc_call_init(&call);
    call.clock = &clock_of_test;
    takc_model_reply_reset(&reply);
    return takc_models_complete(models, &call, takc_str("1"), takc_str("answer"), &r, NULL, NULL, &reply, &sum, &err);
}

static int64_t count(const char *where)
{
    char file[128], sql[400];
    sqlite3 *db;
    sqlite3_stmt *s;
    (void)snprintf(file, sizeof(file), "%s/catalog.sqlite", root);
    (void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM usage WHERE %s", where);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    return n;
}

/* A cap that cannot hold is told before a call, and in the first reply of a run only. */
static void a_cap_without_prices_is_told_once(void **state)
{
    (void)state;
    struct takc_models_spent spent;
    struct takc_model_settings s = settings("fake:obedient");
    assert_int_equal(open_with(&s), TAKC_OK);
    takc_models_spent(models, &spent);
    assert_false(spent.capless);          /* no cap */
    s.facts = (struct takc_str){NULL, 0}; /* and no price */
    s.max_cost = 1;
    assert_int_equal(open_with(&s), TAKC_OK);
    takc_models_spent(models, &spent);
    assert_true(spent.capless && spent.calls == 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask("[1] Revenue grew by 7 percent."), TAKC_OK);
        assert_int_equal(reply.notes.len && strstr(reply.notes.ptr, "THE CAP DOES NOT HOLD"), i == 0);
    }
}

/* --- names --- */

static void names_are_taken_apart(void **state)
{
    static const char *const bad[] = {"gpt-4o", "opnai:x", "openai:", ":x", ""};
    struct takc_model_settings s;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = settings(bad[i]);
        assert_int_equal(open_with(&s), TAKC_INVALID);
        if (bad[i][0])
            assert_non_null(strstr(err.msg, "openai:MODEL, bedrock:MODEL, fake:MODEL"));
    }
    s = settings("fake:obedient");
    assert_int_equal(open_with(&s), TAKC_OK);
    assert_string_equal(takc_models_ops(models)->name, "fake");
    assert_true(takc_str_is(takc_models_facts(models)->id, "obedient*") || takc_models_facts(models)->has_price);
}

static void settings_that_make_no_sense_say_where(void **state)
{
    (void)state;
    struct takc_model_settings s = settings("fake:obedient");
    s.facts = takc_str("/nonexistent/facts.yaml");
    assert_int_equal(open_with(&s), TAKC_INVALID); /* never NOT_FOUND, which says that a home lacks something */
    assert_non_null(strstr(err.msg, "/nonexistent/facts.yaml"));
    s = settings("openai:x");
    s.headers = takc_str("X-Team: a\nno colon and sk-secret\n");
    assert_int_equal(open_with(&s), TAKC_INVALID);
    assert_non_null(strstr(err.msg, "line 2"));
    assert_null(strstr(err.msg, "sk-secret"));
}

static void every_kind_opens_without_asking(void **state)
{
    (void)state;
    const struct takc_str fallbacks[] = {takc_str("bedrock:anthropic.claude-3-haiku-20240307-v1:0"), takc_str("fake:obedient")};
    struct takc_model_settings s = settings("openai:gpt-4o-mini");
    s.fallbacks = fallbacks;
    s.n_fallbacks = 2;
    s.api_key = takc_str("sk-secret");
    s.base_url = takc_str("http://127.0.0.1:9/v1");
    s.region = takc_str("eu-west-1");
    assert_int_equal(open_with(&s), TAKC_OK);
    assert_string_equal(takc_models_ops(models)->name, "openai");
}

/* The first of the chain, for an endpoint; until the next call. */
static const char *identity_at(const char *name, const char *base_url)
{
    static char text[200];
    struct takc_arena a;
    const struct takc_str *chain;
    size_t n;
    struct takc_model_settings s = settings(name);
    s.base_url = takc_str(base_url);
    takc_arena_init(&a);
    assert_int_equal(open_with(&s), TAKC_OK);
    assert_int_equal(takc_models_chain(models, &a, &chain, &n, NULL), TAKC_OK);
    assert_int_equal(n, 1);
    (void)snprintf(text, sizeof(text), "%.*s", TAKC_STR_ARG(chain[0]));
    takc_arena_clear(&a);
    return text;
}

static void one_name_at_two_endpoints_is_two_models(void **state)
{
    (void)state;
    char one[200];
    assert_string_equal(identity_at("openai:llama", ""), "openai:llama");
    assert_string_equal(identity_at("openai:llama", "https://api.openai.com/v1/"), "openai:llama");
    assert_string_equal(identity_at("fake:obedient", "http://127.0.0.1:9/v1"), "fake:obedient");
    (void)snprintf(one, sizeof(one), "%s", identity_at("openai:llama", "http://127.0.0.1:9/s3cret/v1"));
    assert_int_equal(strlen(one), strlen("openai:llama at 0123456789abcdef"));
    assert_null(strstr(one, "s3cret"));
    assert_string_equal(identity_at("openai:llama", "http://127.0.0.1:9/s3cret/v1/chat/completions?api-version=1"), one);
    assert_string_not_equal(identity_at("openai:llama", "http://127.0.0.1:8/s3cret/v1"), one);
}

/* --- every way to fail --- */

/* Not one looks like a good answer, or like a version or a rate that is missing. */
static void no_failure_is_taken_for_another_thing(void **state)
{
    (void)state;
    for (int f = TAKC_FAILURE_NONE + 1; f < TAKC_FAILURES; f++) {
        enum takc_status st = takc_failure_status((enum takc_failure)f);
        assert_true(st != TAKC_OK && st != TAKC_NOT_FOUND);
        assert_true(takc_status_http(st) >= 400 && takc_status_http(st) != 404);
        assert_true(takc_status_exit(st) != 0 && takc_status_exit(st) != takc_status_exit(TAKC_NOT_FOUND));
    }
}

static void fails_with(enum takc_failure f)
{
    char name[64], where[96];
    (void)snprintf(name, sizeof(name), "fake:obedient-%s*9", takc_failure_name(f));
    struct takc_model_settings s = settings(name);
    assert_int_equal(open_with(&s), TAKC_OK);
    (void)snprintf(where, sizeof(where), "outcome = '%s' AND NOT fallback", takc_failure_name(f));
    int64_t before = count(where), n = takc_failure_again(f) ? 4 : 1;
    assert_int_equal(ask("[1] Revenue grew by 7 percent."), takc_failure_status(f));
    assert_int_equal(count(where) - before, n);
    assert_int_equal(sum.tries, n);
    assert_int_equal(count("outcome = 'lost'"), 0);
}

/* What passed on the clock while a throttled call went through its four tries. */
static uint64_t waited_ms(uint64_t retry_base_ms)
{
    struct takc_model_settings s = settings("fake:obedient-throttled*9");
    s.retry_base_ms = retry_base_ms;
    assert_int_equal(open_with(&s), TAKC_OK);
    uint64_t from = atomic_load(&now_ns);
    assert_int_equal(ask("[1] Revenue grew by 7 percent."), TAKC_LIMITED);
    assert_int_equal(sum.tries, 4);
    return (atomic_load(&now_ns) - from) / 1000000u;
}

static void waits_between_tries_follow_the_setting(void **state)
{
    uint64_t usual = 0, long_ones = 0, limit_ms;
    (void)state;
    limit_ms = waited_ms(1); /* at most 1 + 2 + 4 are waits between tries: the rest is the rate that refusals taught */
    for (int i = 0; i < 8; i++) {
        usual += waited_ms(0);
        long_ones += waited_ms(60000);
    }
    assert_true(8 * limit_ms < usual && 4 * usual < long_ones);
}

/* However long the service's own words are, what to do stands behind them. */
static void a_failed_call_says_what_to_do(void **state)
{
    (void)state;
    for (int f = TAKC_FAILURE_THROTTLED; f < TAKC_FAILURES; f++) {
        struct takc_err e = {0};
        const char *step = takc_failure_again((enum takc_failure)f)                 ? "later"
                           : f == TAKC_FAILURE_TOO_LONG                             ? "shorter"
                           : f == TAKC_FAILURE_DENIED || f == TAKC_FAILURE_NO_MODEL ? "takc doctor says who asks where"
                                                                                    : NULL;
        (void)takc_fail(&e, TAKC_INVALID, 0, "%0*d", 500, 7);
        takc_models_next_step((enum takc_failure)f, "later", "shorter", &e);
        assert_true(!step || strcmp(e.msg + strlen(e.msg) - strlen(step), step) == 0);
        assert_int_equal(strchr(e.msg, ';') != NULL, step != NULL);
        (void)takc_err_prefix(&e, TAKC_INVALID, "version 2: compress by a model: window 1 of 40");
        assert_true(!step || strcmp(e.msg + strlen(e.msg) - strlen(step), step) == 0);
    }
}

static void falls_back_from(enum takc_failure f)
{
    char name[64], where[128];
    const struct takc_str fallback = takc_str("fake:obedient");
    (void)snprintf(name, sizeof(name), "fake:obedient-%s*9", takc_failure_name(f));
    struct takc_model_settings s = settings(name);
    s.fallbacks = &fallback;
    s.n_fallbacks = 1;
    s.retries = UINT_MAX;
    assert_int_equal(open_with(&s), TAKC_OK);
    (void)snprintf(where, sizeof(where), "fallback AND outcome = 'ok' AND model = 'obedient'");
    int64_t before = count(where);
    bool ends = f == TAKC_FAILURE_CANCELLED;
    assert_int_equal(ask("[1] Revenue grew by 7 percent."), ends ? TAKC_CANCELLED : TAKC_OK);
    assert_int_equal(count(where) - before, !ends);
    if (!ends) {
        struct takc_models_spent spent;
        takc_models_spent(models, &spent);
        assert_true(sum.fallback && spent.fallback && spent.calls == 2);
        assert_non_null(strstr(reply.notes.ptr, "fallback to fake obedient"));
    }
}

static void every_failure_has_its_rows(void **state)
{
    (void)state;
    struct takc_model_settings s = settings("fake:obedient");
    assert_int_equal(open_with(&s), TAKC_OK);
    assert_int_equal(ask("[1] Revenue grew by 7 percent."), TAKC_OK);
    assert_int_equal(
        count("outcome IN ('ok', 'length') AND task = 'fin' AND version = '1' AND purpose = 'answer' AND provider = 'fake' AND "
              "request_id = 'fake-0' AND input > 0 AND output > 0 AND picodollars = (input + output) * 1000000000 AND priced"),
        1);
    for (int f = TAKC_FAILURE_NONE + 1; f < TAKC_FAILURES; f++) {
        fails_with((enum takc_failure)f);
        falls_back_from((enum takc_failure)f);
    }
}

static void without_a_row_nothing_is_sent(void **state)
{
    (void)state;
    sqlite3 *db;
    char file[128];
    struct takc_model_settings s = settings("fake:obedient");
    struct takc_models_spent spent;
    s.max_cost = UINT64_C(60000000000); /* sixty tokens: room for two short calls, if a third set nothing aside for good */
    assert_int_equal(open_with(&s), TAKC_OK);
    assert_int_equal(ask("[1] One."), TAKC_OK);
    (void)snprintf(file, sizeof(file), "%s/catalog.sqlite", root);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "CREATE TRIGGER full BEFORE INSERT ON usage BEGIN SELECT RAISE(ABORT, 'no room'); END", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(ask("[1] Two."), TAKC_IO);
    assert_non_null(strstr(err.msg, "nothing was sent"));
    assert_int_equal(reply.http, 0); /* the stand-in always has one */
    takc_models_spent(models, &spent);
    assert_int_equal(spent.calls, 1);
    assert_int_equal(sqlite3_exec(db, "DROP TRIGGER full", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(ask("[1] Three."), TAKC_OK); /* what was set aside is free again */
}

/* --- caps --- */

static uint64_t cost_of_one(void)
{
    struct takc_model_settings s = settings("fake:obedient");
    struct takc_models_spent spent;
    assert_int_equal(open_with(&s), TAKC_OK);
    assert_int_equal(ask("[1] Revenue grew by 7 percent."), TAKC_OK);
    takc_models_spent(models, &spent);
    assert_true(spent.picodollars > 0 && !spent.unpriced);
    return spent.picodollars;
}

static void a_run_stops_at_its_cap(void **state)
{
    (void)state;
    uint64_t one = cost_of_one();
    struct takc_models_spent spent;
    struct takc_model_settings s = settings("fake:obedient");
    s.max_cost = 5 * one;
    assert_int_equal(open_with(&s), TAKC_OK);
    int n = 0;
    enum takc_status st;
    while (!(st = ask("[1] Revenue grew by 7 percent.")) && n < 10)
        n++;
    assert_int_equal(st, TAKC_COST);
    assert_in_range(n, 2, 5); /* a call is expected at its most, so that the last may not fit */
    assert_non_null(strstr(err.msg, "--max-cost"));
    takc_models_spent(models, &spent);
    assert_int_equal(spent.calls, n);
    assert_true(spent.picodollars <= s.max_cost);
}

static void a_month_tells_and_stops(void **state)
{
    (void)state;
    uint64_t one = cost_of_one(), spent = 0;
    struct takc_model_settings s = settings("fake:obedient");
    s.monthly_cap = 20 * one;
    assert_int_equal(open_with(&s), TAKC_OK);
    int told = 0;
    enum takc_status st = TAKC_OK;
    for (int i = 0; i < 100 && !(st = ask("[1] Revenue grew by 7 percent.")); i++)
        told += reply.notes.len && strstr(reply.notes.ptr, "cost.monthly_cap_usd") != NULL;
    assert_int_equal(st, TAKC_COST);
    assert_int_equal(told, 1);
    assert_non_null(strstr(err.msg, "task fin has a cap of"));
    assert_non_null(strstr(err.msg, "cost.monthly_cap_usd"));
    assert_int_equal(takc_home_spent_this_month(home, takc_str("fin"), fake_wall(NULL), &spent, NULL), TAKC_OK);
    assert_true(spent <= s.monthly_cap && spent > s.monthly_cap / 2);
    assert_int_equal(open_with(&s), TAKC_OK); /* another run meets the same month */
    assert_int_equal(ask("[1] Revenue grew by 7 percent."), TAKC_COST);
    atomic_fetch_add(&now_ns, UINT64_C(10) * 86400 * 1000000000u); /* December */
    assert_int_equal(ask("[1] Revenue grew by 7 percent."), TAKC_OK);
}

static void no_price_is_said_where_a_cap_is_set(void **state)
{
    (void)state;
    struct takc_model_settings s = settings("fake:terse");
    s.max_cost = 1;
    assert_int_equal(open_with(&s), TAKC_OK);
    assert_int_equal(ask("[1] One."), TAKC_OK);
    assert_non_null(strstr(reply.notes.ptr, "no price on file"));
    assert_int_equal(count("NOT priced"), 1);
}

/* Many at once: what is set aside keeps them within the cap together. */
static void *ask_often(void *arg)
{
    const struct takc_model_block block = {.text = takc_str("[1] Revenue grew by 7 percent.")};
    const struct takc_model_message message = {TAKC_ROLE_USER, &block, 1};
    const struct takc_model_request r = {.messages = &message, .n_messages = 1, .max_tokens = 20};
    struct takc_model_reply mine;
    int *done = arg;
    takc_model_reply_init(&mine);
    for (int i = 0; i < 10; i++) {
        enum takc_status st = takc_models_complete(models, NULL, takc_str("1"), takc_str("answer"), &r, NULL, NULL, &mine, NULL, NULL);
        *done += st == TAKC_OK;
        takc_model_reply_reset(&mine);
    }
    takc_model_reply_clear(&mine);
    return NULL;
}

static void threads_stay_within_the_cap(void **state)
{
    enum { THREADS = 6 };
    pthread_t threads[THREADS];
    int done[THREADS] = {0}, all = 0;
    struct takc_models_spent spent;
    (void)state;
    uint64_t one = cost_of_one();
    int64_t before = count("outcome IN ('ok', 'length')");
    struct takc_model_settings s = settings("fake:obedient");
    s.max_cost = 20 * one;
    s.parallel = THREADS;
    assert_int_equal(open_with(&s), TAKC_OK);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &done[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        all += done[i];
    }
    takc_models_spent(models, &spent);
    assert_true(spent.picodollars <= s.max_cost && all < 6 * 10 && all > 0);
    assert_int_equal(spent.calls, all);
    assert_int_equal(count("outcome IN ('ok', 'length')") - before, all);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(names_are_taken_apart),
        T(settings_that_make_no_sense_say_where),
        T(every_kind_opens_without_asking),
        T(a_cap_without_prices_is_told_once),
        T(no_failure_is_taken_for_another_thing),
        T(one_name_at_two_endpoints_is_two_models),
        T(every_failure_has_its_rows),
        T(without_a_row_nothing_is_sent),
        T(a_run_stops_at_its_cap),
        T(a_month_tells_and_stops),
        T(no_price_is_said_where_a_cap_is_set),
        T(threads_stay_within_the_cap),
        T(a_failed_call_says_what_to_do),
        T(waits_between_tries_follow_the_setting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
