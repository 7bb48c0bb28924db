/* SPDX-License-Identifier: Apache-2.0
 *
 * Waits stay within their bounds and are spread evenly; what Retry-After may say is read, anything else is 0. The clock is the test's. */
#include "net/retry.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void waits_are_even_and_bounded(void **state)
{
    (void)state;
    struct takc_retry_policy p = takc_retry_policy_default();
    struct takc_jitter j = takc_jitter_seed(7), same = takc_jitter_seed(7);
    static const uint64_t most[] = {500, 1000, 2000, 4000, 8000, 16000, 20000, 20000};
    for (unsigned attempt = 0; attempt < 8; attempt++) {
        uint64_t sum = 0, low = UINT64_MAX, high = 0;
        for (int i = 0; i < 4000; i++) {
            uint64_t w = takc_retry_wait_ms(&p, &j, attempt, 0);
            assert_int_equal(w, takc_retry_wait_ms(&p, &same, attempt, 0));
            sum += w;
            low = w < low ? w : low;
            high = w > high ? w : high;
        }
        assert_true(high <= most[attempt] && high > most[attempt] * 98 / 100 && low < most[attempt] / 50);
        assert_in_range(sum / 4000, most[attempt] * 47 / 100, most[attempt] * 53 / 100);
    }
    assert_true(takc_retry_wait_ms(&p, &j, 63, 0) <= 20000 && takc_retry_wait_ms(&p, &j, 4000000000u, 0) <= 20000);
    struct takc_jitter zero = {0};
    assert_true(takc_retry_wait_ms(&p, &zero, 9, 0) != takc_retry_wait_ms(&p, &zero, 9, 0));
}

static void what_was_asked_is_kept(void **state)
{
    (void)state;
    struct takc_retry_policy p = takc_retry_policy_default();
    struct takc_jitter j = takc_jitter_seed(0);
    bool more = false;
    for (int i = 0; i < 1000; i++) {
        uint64_t w = takc_retry_wait_ms(&p, &j, 0, 3000);
        assert_in_range(w, 3000, 3300);
        more = more || w > 3200;
    }
    assert_true(more);
    assert_int_equal(takc_retry_wait_ms(&p, &j, 5, 1), 1);
    assert_true(takc_retry_wait_ms(&p, &j, 5, UINT64_MAX) >= UINT64_MAX - 1);
}

static void retry_after_is_read(void **state)
{
    (void)state;
    const int64_t now = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110 */
    static const struct {
        const char *text;
        bool is_ms;
        uint64_t ms;
    } rows[] = {
        {"120", false, 120000},
        {" 7\t", false, 7000},
        {"0", false, 0},
        {"1.5", false, 1500},
        {"0.0459", false, 45},
        {"250", true, 250},
        {"250.9", true, 250},
        {"86400000", false, 86400000000u},
        {"86400001", false, 0},
        {"99999999999999999999999", false, 0},
        {"Sun, 06 Nov 1994 08:49:47 GMT", false, 10000},
        {"Sunday, 06-Nov-94 08:49:47 GMT", false, 10000},
        {"Sun Nov  6 08:49:47 1994", false, 10000},
        {"Sun, 06 Nov 1994 08:49:37 GMT", false, 0},
        {"Sat, 05 Nov 1994 08:49:37 GMT", false, 0},
        {"Tue, 06 Nov 2040 00:00:00 GMT", false, 86400000000u},
        {"Saturday, 01-Jan-95 00:00:00 GMT", false, 4806623000u},
        {"Sunday, 06-Nov-44 08:49:37 GMT", false, 86400000000u},
        {"Sunday, 06-Nov-45 08:49:37 GMT", false, 0}, /* more than 50 years ahead: 1945 */
        {"Sun, 31 Feb 1995 00:00:00 GMT", false, 0},
        {"Sun, 06 Nux 1995 08:49:47 GMT", false, 0},
        {"Sun, 06 Nov 1994 24:49:47 GMT", false, 0},
        {"Sun, 06 Nov 1994 08:49:47 CET", false, 0},
        {"Sun, 06 Nov 1994 08:49:47 GMT+1", false, 0},
        {"Sun, 06 Nov 1994 08:49:47 GMT", true, 0},
        {"", false, 0},
        {"-5", false, 0},
        {"+5", false, 0},
        {"5s", false, 0},
        {"5.", false, 0},
        {".5", false, 0},
        {"1e3", false, 0},
        {"1.2.3", false, 0},
        {"soon", false, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t ms = takc_retry_after_ms(takc_str(rows[i].text), rows[i].is_ms, now);
        if (ms != rows[i].ms)
            fail_msg("'%s' gives %llu, not %llu", rows[i].text, (unsigned long long)ms, (unsigned long long)rows[i].ms);
    }
    assert_int_equal(takc_retry_after_ms(takc_str_n("5\0", 2), false, now), 0);
}

/* --- sleeping on a clock that only moves when somebody sleeps --- */

static uint64_t now_ns, longest_ns;
static struct takc_call *stop_at_500;

static uint64_t fake_mono(const struct takc_clock *c)
{
    (void)c;
    return now_ns;
}

static void fake_sleep(const struct takc_clock *c, uint64_t ns)
{
    (void)c;
    now_ns += ns;
    longest_ns = ns > longest_ns ? ns : longest_ns;
    if (stop_at_500 && now_ns >= 500000000u)
        atomic_store(&stop_at_500->cancel, true);
}

static void sleep_wakes_for_what_matters(void **state)
{
    (void)state;
    struct takc_clock clock = {fake_mono, takc_clock_system()->wall_s, fake_sleep};
    struct takc_err err = {0};
    struct takc_call call;
    takc_call_init(&call);
    call.clock = &clock;
    now_ns = 0;
    assert_int_equal(takc_call_sleep(&call, 1050, &err), TAKC_OK);
    assert_int_equal(now_ns, 1050000000u);
    assert_int_equal(longest_ns, 100000000u);
    now_ns = 0;
    call.deadline_ns = 1000000000u;
    assert_int_equal(takc_call_sleep(&call, 1001, &err), TAKC_TIMEOUT);
    assert_string_equal(err.msg, "a wait of 1.0 s would pass the deadline");
    assert_int_equal(now_ns, 0); /* said at once */
    call.deadline_ns = 0;
    stop_at_500 = &call;
    assert_int_equal(takc_call_sleep(&call, 60000, &err), TAKC_CANCELLED);
    assert_int_equal(now_ns, 500000000u);
    assert_int_equal(takc_call_sleep(&call, 0, &err), TAKC_CANCELLED);
    stop_at_500 = NULL;
    assert_int_equal(takc_call_sleep(NULL, 0, &err), TAKC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(waits_are_even_and_bounded), cmocka_unit_test(what_was_asked_is_kept),
                                       cmocka_unit_test(retry_after_is_read), cmocka_unit_test(sleep_wakes_for_what_matters)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
