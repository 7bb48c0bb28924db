/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/price.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* $3 a million in, .30 read, 3.75 written: 1, .1 and 1.25 of the input's price. */
static struct takc_model_facts facts(uint32_t cache_min)
{
    return (struct takc_model_facts){.known = true,
                                     .has_price = true,
                                     .cache_min = cache_min,
                                     .cache_points = cache_min ? 4 : 0,
                                     .price_input = 3000000,
                                     .price_cache_read = 300000,
                                     .price_cache_write = 3750000};
}

/* Worked by hand from .1 + 1.15 / N. */
static void a_prefix_by_hand(void **state)
{
    static const struct {
        uint64_t tokens, n;
        uint32_t cache_min;
        uint64_t picodollars;
        bool cached;
    } rows[] = {
        {1000, 10, 0, 3000000000, false},     /* no cache: 1,000 at full price */
        {4095, 10, 4096, 12285000000, false}, /* a token too short */
        {4096, 10, 4096, 2641920000, true},   /* 4,096 * .215 * 3e6 */
        {5000, 1, 4096, 15000000000, false},  /* asked once: 1.25 to write is dearer than 1 */
        {5000, 2, 4096, 10125000000, true},   /* .1 + .575 = .675 */
        {5000, 100, 4096, 1672500000, true},  /* .1 + .0115 = .1115 */
        {10000, 0, 1024, 6450000000, true},   /* ten questions where nobody says */
        {0, 10, 1024, 0, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct takc_model_facts f = facts(rows[i].cache_min);
        struct takc_price_of p = {.tokens = rows[i].tokens};
        takc_price_prefix(&f, rows[i].n, &p);
        assert_int_equal(p.picodollars, rows[i].picodollars);
        assert_int_equal(p.cached, rows[i].cached);
    }
}

/* A service that caches on its own does so whether it pays or not. */
static void a_cache_without_marks(void **state)
{
    struct takc_model_facts f = facts(1024);
    struct takc_price_of p = {.tokens = 2000};
    (void)state;
    f.cache_points = 0;
    takc_price_prefix(&f, 1, &p);
    assert_true(p.cached);
    assert_int_equal(p.picodollars, 7500000000);
}

/* 80,000 tokens of source: 64x 1,250, 32x 2,500, 16x 5,000, 8x 10,000. */
static void the_cheapest_rate(void **state)
{
    static const struct {
        uint32_t cache_min;
        size_t at, want;
    } rows[] = {
        {4096, 0, 2},                             /* 64x 3.75e9, 32x 7.5e9, 16x 3.225e9, 8x 6.45e9 */
        {4096, 1, 2}, {4096, 3, 3}, {1024, 0, 0}, /* all are cached: the coarsest is the cheapest */
        {2048, 0, 1},                             /* 64x 3.75e9 uncached, 32x 1.6125e9 cached */
        {0, 0, 0},    {8192, 0, 0},               /* 8x 6.45e9 is dearer than 64x uncached */
        {8192, 1, 3},                             /* but cheaper than 32x uncached, 7.5e9 */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct takc_model_facts f = facts(rows[i].cache_min);
        struct takc_price_of c[4] = {{.tokens = 1250}, {.tokens = 2500}, {.tokens = 5000}, {.tokens = 10000}};
        assert_int_equal(takc_price_choose(&f, 10, c, 4, rows[i].at), rows[i].want);
        for (size_t k = 0; k < 4; k++)
            assert_true(c[k].picodollars > 0);
    }
}

/* Of two that cost the same the coarser. */
static void a_tie(void **state)
{
    struct takc_model_facts f = {.has_price = true};
    struct takc_price_of c[2] = {{.tokens = 10}, {.tokens = 20}};
    (void)state;
    assert_int_equal(takc_price_choose(&f, 10, c, 2, 0), 0);
}

/* Before anything is asked: 300 tokens of rules, then source / rate, a quarter more for numbers and titles. */
static void prices_of_rates(void **state)
{
    static const uint32_t rates[] = {64000, 16000, 12500, 1000};
    const struct takc_price_task t = {.rules_tokens = 300, .source_tokens = 80000}, exact = {300, 80000, 1000};
    struct takc_model_facts f = facts(4096);
    struct takc_price_of p[4];
    (void)state;
    takc_price_rates(&f, 10, &t, rates, 4, p);
    assert_int_equal(p[0].tokens, 1862); /* 300 + 1,250 * 1.25 */
    assert_int_equal(p[0].picodollars, UINT64_C(5586000000));
    assert_false(p[0].cached);
    assert_int_equal(p[1].tokens, 6550); /* 300 + 5,000 * 1.25 */
    assert_int_equal(p[1].picodollars, UINT64_C(4224750000));
    assert_true(p[1].cached);
    assert_int_equal(p[2].tokens, 8300);
    assert_int_equal(p[3].tokens, 100300);
    takc_price_rates(&f, 10, &exact, rates, 1, p);
    assert_int_equal(p[0].tokens, 1550);
}

/* No product wraps. */
static void huge_numbers(void **state)
{
    struct takc_model_facts f = {
        .price_input = UINT64_MAX, .price_cache_read = UINT64_MAX, .price_cache_write = UINT64_MAX, .cache_min = 1};
    struct takc_price_of p = {.tokens = UINT64_MAX};
    (void)state;
    takc_price_prefix(&f, UINT64_MAX, &p);
    assert_true(p.picodollars == UINT64_MAX && p.cached);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_prefix_by_hand),  cmocka_unit_test(a_cache_without_marks),
        cmocka_unit_test(the_cheapest_rate), cmocka_unit_test(a_tie),
        cmocka_unit_test(prices_of_rates),   cmocka_unit_test(huge_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
