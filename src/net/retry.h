/* SPDX-License-Identifier: Apache-2.0
 *
 * net/retry.h - when to try again: full jitter (a wait is drawn evenly from 0 to min(cap, base * 2^attempt); "Exponential Backoff and
 * Jitter", AWS Architecture Blog, 2015), and what a server asked for instead.
 * Threads: pure functions; a struct takc_jitter belongs to one thread at a time. */
#ifndef TAKC_NET_RETRY_H
#define TAKC_NET_RETRY_H

#include "base/clock.h"
#include "takc/str.h"

struct takc_retry_policy {
    unsigned max_retries;  /* 3: four tries in all */
    uint64_t base_ms;      /* 500 */
    uint64_t cap_ms;       /* 20,000 */
    uint64_t max_after_ms; /* 120,000: a server that asks for longer is not waited for; whoever retries compares, the functions do not */
};
struct takc_retry_policy takc_retry_policy_default(void);

struct takc_jitter {
    uint64_t state; /* not 0 */
};
/* The same seed gives the same waits. */
struct takc_jitter takc_jitter_seed(uint64_t seed);

/* Milliseconds to wait before retry number attempt (0 for the first); asked_ms is what the server asked for (0: nothing): then at least
 * that, with up to a tenth on top. */
uint64_t takc_retry_wait_ms(const struct takc_retry_policy *p, struct takc_jitter *j, unsigned attempt, uint64_t asked_ms);
/* Retry-After as seconds or as an HTTP date, or retry-after-ms (pass is_ms), in milliseconds from now; 0 for anything unreadable. */
uint64_t takc_retry_after_ms(struct takc_str value, bool is_ms, int64_t now_s);
/* Seconds since 1970 of an HTTP date in any of its three forms; now_s places years of two digits. False for anything else. */
bool takc_http_date(struct takc_str s, int64_t now_s, int64_t *out_s);
/* Sleeps on the call's clock, in pieces of at most 100 ms; CANCELLED, TIMEOUT (also at once, when the wait would pass the deadline). */
TAKC_CHECK enum takc_status takc_call_sleep(struct takc_call *call, uint64_t ms, struct takc_err *err);

#endif
