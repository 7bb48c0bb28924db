/* SPDX-License-Identifier: Apache-2.0
 *
 * Limits on a clock that only moves when somebody sleeps: how long callers wait, what refusals teach, when the breaker opens and closes.
 * The last test is for threads: places are never exceeded. Run under TSan too. */
#include "base/fault.h"
#include "base/thread.h"
#include "net/limit.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static _Atomic uint64_t now_ns;

static uint64_t fake_mono(const struct takc_clock *c)
{
    (void)c;
    return atomic_load(&now_ns);
}

static void fake_sleep(const struct takc_clock *c, uint64_t ns)
{
    (void)c;
    assert_in_range(ns, 1, 100000000u); /* cancel is looked at that often */
    atomic_fetch_add(&now_ns, ns);
}

static struct takc_clock clock_of_test = {fake_mono, NULL, fake_sleep};

static struct takc_limit *open_limit(struct takc_limit_options o)
{
    struct takc_limit *l = NULL;
    o.clock = &clock_of_test;
    atomic_store(&now_ns, 1000000000u);
    assert_int_equal(takc_limit_open(&l, &o, NULL), TAKC_OK);
    return l;
}

/* Enters and leaves n times; milliseconds that took. */
static uint64_t go(struct takc_limit *l, unsigned n, uint64_t tokens, enum takc_limit_result r)
{
    uint64_t from = atomic_load(&now_ns);
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(takc_limit_enter(l, NULL, tokens, NULL), TAKC_OK);
        takc_limit_leave(l, r, tokens, tokens);
    }
    return (atomic_load(&now_ns) - from) / 1000000u;
}

static void pass(uint64_t ms)
{
    atomic_fetch_add(&now_ns, ms * 1000000u);
}

static void requests_are_spread_over_the_minute(void **state)
{
    (void)state;
    struct takc_limit *l = open_limit((struct takc_limit_options){.requests_per_minute = 600});
    assert_int_equal(go(l, 60, 0, TAKC_LIMIT_OK), 0); /* a tenth at once */
    assert_in_range(go(l, 10, 0, TAKC_LIMIT_OK), 1000, 1001);
    pass(3600000);
    assert_int_equal(go(l, 60, 0, TAKC_LIMIT_OK), 0); /* an hour does not save up more */
    assert_in_range(go(l, 600, 0, TAKC_LIMIT_OK), 60000, 60001);
    takc_limit_close(l);
    l = open_limit((struct takc_limit_options){.requests_per_minute = 3});
    assert_int_equal(go(l, 1, 0, TAKC_LIMIT_OK), 0);
    assert_in_range(go(l, 1, 0, TAKC_LIMIT_OK), 20000, 20001);
    takc_limit_close(l);
    l = open_limit((struct takc_limit_options){0});
    assert_int_equal(go(l, 10000, 1000000, TAKC_LIMIT_OK), 0);
    assert_int_equal(takc_limit_rate(l), 0);
    takc_limit_close(l);
    takc_limit_close(NULL);
}

static void tokens_leave_debts_and_come_back(void **state)
{
    (void)state;
    struct takc_limit *l = open_limit((struct takc_limit_options){.tokens_per_minute = 60000});
    assert_int_equal(go(l, 6, 1000, TAKC_LIMIT_OK), 0);
    assert_in_range(go(l, 1, 1000, TAKC_LIMIT_OK), 1000, 1001);
    pass(60000);
    assert_int_equal(go(l, 1, 30000, TAKC_LIMIT_OK), 0); /* more than the bucket: goes on a full one, owes 24,000 */
    assert_in_range(go(l, 1, 1000, TAKC_LIMIT_OK), 25000, 25001);
    pass(60000);
    assert_int_equal(takc_limit_enter(l, NULL, 6000, NULL), TAKC_OK);
    takc_limit_leave(l, TAKC_LIMIT_OK, 6000, 1000); /* 5,000 were not used */
    assert_int_equal(go(l, 5, 1000, TAKC_LIMIT_OK), 0);
    assert_int_equal(takc_limit_enter(l, NULL, 0, NULL), TAKC_OK);
    takc_limit_leave(l, TAKC_LIMIT_OK, 0, 10000); /* nothing was foreseen, 10,000 were used */
    assert_in_range(go(l, 1, 1000, TAKC_LIMIT_OK), 11000, 11001);
    takc_limit_close(l);
}

static void refusals_halve_and_minutes_heal(void **state)
{
    (void)state;
    struct takc_limit *l = open_limit((struct takc_limit_options){.requests_per_minute = 1000});
    static const uint64_t down[] = {500, 250, 125, 62, 50, 50};
    for (size_t i = 0; i < 6; i++) {
        (void)go(l, 1, 0, TAKC_LIMIT_REFUSED);
        assert_int_equal(takc_limit_rate(l), down[i]);
    }
    pass(59000);
    assert_int_equal(takc_limit_rate(l), 50);
    pass(1000);
    assert_int_equal(takc_limit_rate(l), 150);
    pass(120000);
    assert_int_equal(takc_limit_rate(l), 350);
    pass(3600000);
    assert_int_equal(takc_limit_rate(l), 1000);
    takc_limit_close(l);
}

static void a_refusal_teaches_a_rate_where_none_was_set(void **state)
{
    (void)state;
    struct takc_limit *l = open_limit((struct takc_limit_options){0});
    for (int i = 0; i < 60; i++) { /* two a second */
        (void)go(l, 1, 0, TAKC_LIMIT_OK);
        pass(500);
    }
    (void)go(l, 1, 0, TAKC_LIMIT_REFUSED);
    assert_in_range(takc_limit_rate(l), 60, 61); /* half of 61 in 30 s */
    pass(60000);
    assert_in_range(takc_limit_rate(l), 72, 74);
    pass(4 * 60000);
    assert_int_equal(takc_limit_rate(l), 0); /* what was used is reached: not limited again */
    assert_int_equal(go(l, 1000, 0, TAKC_LIMIT_OK), 0);
    takc_limit_close(l);
}

/* One refusal after the only call of ten minutes: too little to go by, and no reason to be slow for good. */
static void a_lesson_of_few_calls_is_bounded_and_over_soon(void **state)
{
    (void)state;
    struct takc_limit *l = open_limit((struct takc_limit_options){0});
    assert_int_equal(takc_limit_enter(l, NULL, 0, NULL), TAKC_OK);
    pass(600000);
    takc_limit_leave(l, TAKC_LIMIT_REFUSED, 0, 0);
    assert_int_equal(takc_limit_rate(l), 6);
    for (int i = 0; i < 20; i++) { /* whatever is refused, the next call has its turn */
        assert_true(go(l, 1, 0, TAKC_LIMIT_REFUSED) <= 10001);
        assert_int_equal(takc_limit_rate(l), 6);
    }
    pass(600000);
    assert_int_equal(takc_limit_rate(l), 0);
    assert_int_equal(go(l, 100, 0, TAKC_LIMIT_OK), 0);
    takc_limit_close(l);
    l = open_limit((struct takc_limit_options){.requests_per_minute = 1}); /* what was set is neither raised nor lost */
    (void)go(l, 3, 0, TAKC_LIMIT_REFUSED);
    assert_int_equal(takc_limit_rate(l), 1);
    pass(600000);
    assert_int_equal(takc_limit_rate(l), 1);
    takc_limit_close(l);
}

static void a_burst_is_one_lesson(void **state)
{
    (void)state;
    struct takc_limit *l = open_limit((struct takc_limit_options){.requests_per_minute = 1000, .max_parallel = 8});
    for (int i = 0; i < 8; i++)
        assert_int_equal(takc_limit_enter(l, NULL, 0, NULL), TAKC_OK);
    for (int i = 0; i < 8; i++)
        takc_limit_leave(l, TAKC_LIMIT_REFUSED, 0, 0);
    assert_int_equal(takc_limit_rate(l), 500);
    (void)go(l, 1, 0, TAKC_LIMIT_REFUSED);
    assert_int_equal(takc_limit_rate(l), 250);
    takc_limit_close(l);
}

static void refused(struct takc_limit *l, const char *message)
{
    struct takc_err err = {0};
    assert_int_equal(takc_limit_enter(l, NULL, 0, &err), TAKC_UPSTREAM);
    assert_string_equal(err.msg, message);
}

static void the_breaker_opens_tries_and_closes(void **state)
{
    (void)state;
    struct takc_limit *l = open_limit((struct takc_limit_options){.open_after = 3, .open_ms = 10000});
    (void)go(l, 2, 0, TAKC_LIMIT_DOWN);
    (void)go(l, 1, 0, TAKC_LIMIT_OK);
    (void)go(l, 1, 0, TAKC_LIMIT_DOWN);
    (void)go(l, 1, 0, TAKC_LIMIT_NEUTRAL); /* does not break the row */
    (void)go(l, 1, 0, TAKC_LIMIT_DOWN);
    assert_false(takc_limit_is_open(l));
    (void)go(l, 1, 0, TAKC_LIMIT_DOWN);
    assert_true(takc_limit_is_open(l));
    refused(l, "the service was down 3 times in a row; trying again in 10 s");
    pass(9500);
    refused(l, "the service was down 3 times in a row; trying again in 1 s");
    pass(500);
    assert_int_equal(takc_limit_enter(l, NULL, 0, NULL), TAKC_OK);
    refused(l, "the service was down 3 times in a row; one call is trying it");
    takc_limit_leave(l, TAKC_LIMIT_DOWN, 0, 0);
    refused(l, "the service was down 4 times in a row; trying again in 10 s");
    pass(10000);
    (void)go(l, 1, 0, TAKC_LIMIT_NEUTRAL); /* says nothing: the next one tries */
    assert_true(takc_limit_is_open(l));
    (void)go(l, 1, 0, TAKC_LIMIT_OK);
    assert_false(takc_limit_is_open(l));
    (void)go(l, 2, 0, TAKC_LIMIT_DOWN);
    assert_false(takc_limit_is_open(l));
    takc_limit_close(l);
}

static void calls_end_the_wait(void **state)
{
    (void)state;
    struct takc_limit *l = open_limit((struct takc_limit_options){.requests_per_minute = 1});
    struct takc_call call;
    takc_call_init(&call);
    call.clock = &clock_of_test;
    (void)go(l, 1, 0, TAKC_LIMIT_OK);
    call.deadline_ns = atomic_load(&now_ns) + 5000000000u;
    assert_int_equal(takc_limit_enter(l, &call, 0, NULL), TAKC_TIMEOUT);
    assert_in_range(atomic_load(&now_ns), call.deadline_ns, call.deadline_ns + 50000000u);
    call.deadline_ns = 0;
    atomic_store(&call.cancel, true);
    assert_int_equal(takc_limit_enter(l, &call, 0, NULL), TAKC_CANCELLED);
    assert_in_range(go(l, 1, 0, TAKC_LIMIT_OK), 54950, 55001); /* who gave up took nothing */
    takc_limit_close(l);
    struct takc_limit_options o = {0};
    takc_fault_arm(TAKC_FAULT_ALLOC, 1, ENOMEM);
    assert_int_equal(takc_limit_open(&l, &o, NULL), TAKC_NOMEM);
    takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
}

enum { THREADS = 8, ROUNDS = 500, PLACES = 3 };
static atomic_int inside, most_inside;

static void *worker(void *arg)
{
    struct takc_limit *l = arg;
    for (int i = 0; i < ROUNDS; i++) {
        if (takc_limit_enter(l, NULL, 10, NULL))
            return arg;
        int n = atomic_fetch_add(&inside, 1) + 1, seen = atomic_load(&most_inside);
        while (n > seen && !atomic_compare_exchange_weak(&most_inside, &seen, n))
            ;
        atomic_fetch_sub(&inside, 1);
        takc_limit_leave(l, i % 50 ? TAKC_LIMIT_OK : TAKC_LIMIT_REFUSED, 10, 9);
    }
    return NULL;
}

static void places_are_never_exceeded(void **state)
{
    (void)state;
    struct takc_limit *l = open_limit((struct takc_limit_options){.requests_per_minute = 6000, .max_parallel = PLACES});
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(takc_thread_start(&t[i], "limit", worker, l, NULL), TAKC_OK);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(t[i], &failed), 0);
        assert_null(failed);
    }
    assert_in_range(atomic_load(&most_inside), 1, PLACES);
    takc_limit_close(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(requests_are_spread_over_the_minute),
                                       cmocka_unit_test(tokens_leave_debts_and_come_back),
                                       cmocka_unit_test(refusals_halve_and_minutes_heal),
                                       cmocka_unit_test(a_refusal_teaches_a_rate_where_none_was_set),
                                       cmocka_unit_test(a_lesson_of_few_calls_is_bounded_and_over_soon),
                                       cmocka_unit_test(a_burst_is_one_lesson),
                                       cmocka_unit_test(the_breaker_opens_tries_and_closes),
                                       cmocka_unit_test(calls_end_the_wait),
                                       cmocka_unit_test(places_are_never_exceeded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
