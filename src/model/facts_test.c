/* SPDX-License-Identifier: Apache-2.0
 *
 * What is known about models: the shipped table holds what it must, a user's file goes over it, ids are found through profiles and ARNs,
 * money is exact. */
#include "base/fault.h"
#include "model/facts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct takc_facts_table table;

static int load(void **state)
{
    (void)state;
    struct takc_err err = {0};
    if (takc_facts_load(&table, NULL, &err))
        (void)fprintf(stderr, "%s\n", err.msg);
    return table.n ? 0 : -1;
}

static int clear(void **state)
{
    (void)state;
    takc_facts_clear(&table);
    takc_facts_clear(&table);
    return 0;
}

static struct takc_model_facts find(const char *provider, const char *id)
{
    return takc_facts_find(&table, takc_str(provider), takc_str(id));
}

static void the_shipped_table_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < table.n; i++) {
        const struct takc_model_facts *f = &table.rows[i];
        if (!f->known || f->window < 4096 || (f->has_price && (!f->price_date.len || !f->price_from.len || !f->price_input)))
            fail_msg("%.*s", TAKC_STR_ARG(f->id));
        if (f->max_output > f->window || f->price_cache_read > f->price_input || (f->cache_points && !f->cache_min))
            fail_msg("%.*s: output or cache", TAKC_STR_ARG(f->id));
        for (size_t k = 0; k < i; k++)
            assert_false(takc_str_eq(f->id, table.rows[k].id) && takc_str_eq(f->provider, table.rows[k].provider));
    }
    static const char *const there[][2] = {{"bedrock", "anthropic.claude-3-haiku-20240307-v1:0"},
                                           {"bedrock", "amazon.nova-lite-v1:0"},
                                           {"bedrock", "amazon.titan-text-express-v1"},
                                           {"bedrock", "meta.llama3-70b-instruct-v1:0"},
                                           {"openai", "gpt-4o-mini"},
                                           {"openai", "gpt-4.1-2025-04-14"}};
    for (size_t i = 0; i < sizeof(there) / sizeof(there[0]); i++)
        assert_true(find(there[i][0], there[i][1]).has_price);
}

static void ids_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *provider, *id, *row;
    } rows[] = {
        {"bedrock", "anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku-20240307-v1:0"},
        {"bedrock", "us.anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-haiku-20240307-v1:0"},
        {"bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic.claude-sonnet-4-5-20250929-v1:0"},
        {"bedrock", "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0", "amazon.nova-pro-v1:0"},
        {"bedrock", "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0", "amazon.nova-lite-v1:0"},
        {"bedrock", "anthropic.claude-9-opus", "anthropic.claude-*"},
        {"bedrock", "apac.meta.llama9-1b", "meta.llama*"},
        {"openai", "gpt-4o-2024-08-06", "gpt-4o*"},
        {"openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini*"},
        {"openai", "anthropic.claude-3-haiku-20240307-v1:0", NULL},
        {"bedrock", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123", NULL},
        {"bedrock", "gpt-4o", NULL},
        {"openai", "smollm2", NULL},
        {"openai", "", NULL},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct takc_model_facts f = find(rows[i].provider, rows[i].id);
        if (f.known != (rows[i].row != NULL) || !takc_str_is(f.id, rows[i].row ? rows[i].row : rows[i].id))
            fail_msg("%s is %.*s", rows[i].id, TAKC_STR_ARG(f.id));
    }
    struct takc_model_facts f = find("openai", "smollm2");
    assert_int_equal(f.window, 8192);
    assert_int_equal(f.accepts, 15);
    assert_true(f.both_samplings && !f.has_price);
}

static void a_users_file_goes_over_it(void **state)
{
    (void)state;
    char path[] = "/tmp/takc-facts-XXXXXX";
    static const char text[] = "models:\n"
                               "  - id: gpt-4o-mini*\n"
                               "    provider: openai\n"
                               "    price: {input: 0.000001, output: 1234.5}\n"
                               "  - id: smollm2\n"
                               "    provider: openai\n"
                               "    window: 2048\n"
                               "    accepts: [system]\n"
                               "    both_samplings: false\n";
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, sizeof(text) - 1) == (ssize_t)sizeof(text) - 1 && close(fd) == 0);
    struct takc_facts_table t;
    assert_int_equal(takc_facts_load(&t, path, NULL), TAKC_OK);
    (void)unlink(path);
    struct takc_model_facts f = takc_facts_find(&t, takc_str("openai"), takc_str("gpt-4o-mini"));
    assert_int_equal(f.price_input, 1);
    assert_int_equal(f.price_output, 1234500000);
    assert_int_equal(f.price_cache_read, 1); /* not said: as input */
    assert_int_equal(f.window, 128000);      /* stays */
    f = takc_facts_find(&t, takc_str("openai"), takc_str("smollm2"));
    assert_true(f.known && !f.has_price && !f.both_samplings);
    assert_int_equal(f.window, 2048);
    assert_int_equal(f.accepts, TAKC_ACCEPTS_SYSTEM);
    takc_facts_clear(&t);
    assert_int_equal(takc_facts_load(&t, path, NULL), TAKC_NOT_FOUND);
    takc_facts_clear(&t);
}

static void mistakes_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"models: 3", "f:1:9: models: a list is expected"},
        {"- 1", "f:1:1: a mapping with the key models is expected"},
        {"prices: []", "f:1:1: only the key models is expected, once"},
        {"models:\n  - provider: x", "f:2:5: an entry begins with id, then provider; here id is expected"},
        {"models:\n  - id: x\n    window: 1", "f:3:5: an entry begins with id, then provider; here provider is expected"},
        {"models:\n  - id: ''\n    provider: x", "f:2:9: id is empty"},
        {"models:\n  - id: x\n    provider: y\n    windw: 1", "f:4:5: unknown key; did you mean 'window'?"},
        {"models:\n  - id: x\n    provider: y\n    window: 1\n    window: 1", "f:5:5: window is there twice"},
        {"models:\n  - id: x\n    provider: y\n    accepts: [top_k]", "f:4:15: accepts: temperature, top_p, stops or system is expected"},
        {"models:\n  - id: x\n    provider: y\n    price: {input: 1}", "f:4:12: price: input and output are both needed"},
        {"models:\n  - id: x\n    provider: y\n    price: {input: 0.0000001, output: 1}",
         "f:4:20: price: dollars per million tokens are expected, as 0.25, with at most six digits"},
        {"models:\n  - id: x\n    provider: y\n    price: {input: -1, output: 1}",
         "f:4:20: price: dollars per million tokens are expected, as 0.25, with at most six digits"},
        {"models:\n  - id: x\n    provider: y\n    body: poem", "f:4:11: body: converse, claude, titan, llama or nova is expected"},
        {"models:\n  - id: x\n    provider: y\n    batch_percent: 101", "f:4:20: "},
        {"models:\n  - id: x\n    provider: y\n    price_date: soon", "f:4:17: "},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct takc_facts_table t = {0};
        struct takc_err err = {0};
        takc_arena_init(&t.arena);
        assert_int_equal(takc_facts_read(&t, takc_str(rows[i].text), "f", &err), TAKC_INVALID);
        if (!takc_str_starts(takc_str(err.msg), takc_str(rows[i].message)))
            fail_msg("'%s' is not '%s'", err.msg, rows[i].message);
        takc_facts_clear(&t);
    }
}

static void money_is_exact(void **state)
{
    (void)state;
    struct takc_model_facts f = find("fake", "fake-priced");
    struct takc_usage u = {.input = 1000000, .output = 500000, .cache_read = 1000000, .cache_write = 4};
    assert_int_equal(takc_facts_cost(&f, &u, false), UINT64_C(2100005000000)); /* $1 + $1 + $0.1 + 4 * 1.25 millionths */
    assert_int_equal(takc_facts_cost(&f, &u, true), UINT64_C(1050002500000));
    u = (struct takc_usage){.input = UINT64_MAX, .output = UINT64_MAX};
    assert_true(takc_facts_cost(&f, &u, false) == UINT64_MAX);
    f = find("openai", "smollm2");
    assert_int_equal(takc_facts_cost(&f, &u, false), 0);
    static const struct {
        uint64_t picodollars;
        const char *text;
    } rows[] = {{0, "$0.00"},
                {UINT64_C(12345000000), "$0.0123"},
                {UINT64_C(12355000000), "$0.0124"},
                {UINT64_C(1000000000000), "$1.00"},
                {UINT64_C(1234567000000), "$1.23"},
                {UINT64_C(1235000000000), "$1.24"},
                {UINT64_C(999999000000), "$1.000"},
                {UINT64_C(123456000000), "$0.123"},
                {UINT64_C(250000), "$0.00000025"},
                {UINT64_C(5000), "$0.00000001"},
                {UINT64_C(4999), "<$0.00000001"},
                {UINT64_C(1), "<$0.00000001"},
                {UINT64_C(12345670000000000), "$12345.67"},
                {UINT64_MAX, "$18446744.07"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[32];
        takc_money_text(rows[i].picodollars, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void price_date_is(const char *date, int64_t now_s, uint64_t age, const char *want)
{
    char text[96];
    assert_int_equal(takc_price_age_days(takc_str(date), now_s), age);
    takc_price_date_text(takc_str(date), now_s, text);
    assert_string_equal(text, want);
}

static void prices_grow_old(void **state)
{
    (void)state;
    const int64_t day = INT64_C(1795824000); /* 2026-11-28 */
    price_date_is("2026-11-28", day, 0, "2026-11-28: check them");
    price_date_is("2026-11-29", day, 0, "2026-11-29: check them");
    price_date_is("2026-06-01", day, 180, "2026-06-01: check them");
    price_date_is("2026-05-31", day, 181, "2026-05-31, 181 days ago: they may have changed, check them");
    price_date_is("2026-06-01", day + 86399, 180, "2026-06-01: check them");
    price_date_is("2025-11-28", day, 365, "2025-11-28, 365 days ago: they may have changed, check them");
    price_date_is("", day, 0, "an unknown day: check them");
    price_date_is("2026-05-31", 0, 0, "2026-05-31: check them"); /* a clock that was never set */
}

static void memory_may_be_short(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct takc_facts_table t;
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        enum takc_status st = takc_facts_load(&t, NULL, NULL);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        takc_facts_clear(&t);
        if (!st)
            break;
        assert_int_equal(st, TAKC_NOMEM);
        assert_in_range(n, 1, 10000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shipped_table_is_whole),
        cmocka_unit_test(ids_are_found),
        cmocka_unit_test(a_users_file_goes_over_it),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(money_is_exact),
        cmocka_unit_test(memory_may_be_short),
        cmocka_unit_test(prices_grow_old),
    };
    return cmocka_run_group_tests(tests, load, clear);
}
