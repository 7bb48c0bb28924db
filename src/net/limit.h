/* SPDX-License-Identifier: Apache-2.0
 *
 * net/limit.h - staying within what a service allows: two buckets (requests and tokens a minute) that learn from refusals, and a breaker
 * that stops asking a service that is down.
 *
 * The buckets fill evenly over a minute and hold at most a tenth of it (at least one request), so that a burst does not spend the minute.
 * A refusal for load (429) halves the rate of requests, down to a twentieth of what was set (or of what was used, where nothing was set:
 * then never below six, one every ten seconds); every minute without one adds a tenth of it back (additive increase, multiplicative
 * decrease). The breaker opens after open_after failures in a row, lets one call through after open_ms, and closes when that one succeeds.
 * Threads: any. */
#ifndef TAKC_NET_LIMIT_H
#define TAKC_NET_LIMIT_H

#include "base/clock.h"

struct takc_limit;
struct takc_limit_options {
    uint64_t requests_per_minute, tokens_per_minute; /* 0: not limited until a refusal teaches otherwise */
    unsigned max_parallel;                           /* calls at a time; 0: 4 */
    unsigned open_after;                             /* 0: 5 */
    uint64_t open_ms;                                /* 0: 30,000 */
    const struct takc_clock *clock;                  /* NULL: the machine's */
};
/* Returns owned: takc_limit_close. NOMEM. */
TAKC_CHECK enum takc_status takc_limit_open(struct takc_limit **out, const struct takc_limit_options *o, struct takc_err *err);
void takc_limit_close(struct takc_limit *l);
/* Waits for a place among the parallel calls and for room in both buckets for this many tokens (a call larger than its bucket waits for a
 * full one and leaves a debt). TIMEOUT, CANCELLED; UPSTREAM at once while the breaker is open ("... was down n times in a row; trying again
 * in s"). On OK the place is held until takc_limit_leave. */
TAKC_CHECK enum takc_status takc_limit_enter(struct takc_limit *l, struct takc_call *call, uint64_t tokens, struct takc_err *err);
enum takc_limit_result {
    TAKC_LIMIT_UNSET = 0,
    TAKC_LIMIT_OK,
    TAKC_LIMIT_REFUSED /* 429, throttled */,
    TAKC_LIMIT_DOWN /* 5xx, no connection, timeout */,
    TAKC_LIMIT_NEUTRAL /* says nothing about the service: cancelled, our mistake */
};
/* Gives the place back; used corrects what enter took from the bucket of tokens. */
void takc_limit_leave(struct takc_limit *l, enum takc_limit_result r, uint64_t tokens_taken, uint64_t tokens_used);
/* The rate of requests a minute as it stands (0: not limited), and whether the breaker is open. */
uint64_t takc_limit_rate(struct takc_limit *l);
bool takc_limit_is_open(struct takc_limit *l);

#endif
