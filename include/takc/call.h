/* SPDX-License-Identifier: Apache-2.0
 *
 * takc/call.h - what travels with one request or job: its deadline, its cancel flag, its id, who watches its progress.
 *
 * A call is made by whoever starts the work and outlives it. Long work asks takc_call_check between pieces.
 * Threads: cancel may be set from any thread and from a signal handler; the rest is set before work starts and only read then,
 * except progress, which is called by whichever thread works (one at a time). */
#ifndef TAKC_CALL_H
#define TAKC_CALL_H

#include "takc/status.h"

#include <stdatomic.h>
#include <stdint.h>

/* Progress of a stage: done of total (total 0: unknown), in the unit named. Called often; the receiver thins it out. */
typedef void takc_progress_fn(void *arg, const char *stage, const char *unit, uint64_t done, uint64_t total);

struct takc_clock; /* base/clock.h */

struct takc_call {
    uint64_t deadline_ns;           /* on the call's clock; 0: none */
    const struct takc_clock *clock; /* NULL: the machine's */
    atomic_bool cancel;             /* set it to stop the work */
    const char *request_id;         /* borrowed; NULL: none */
    takc_progress_fn *progress;     /* NULL: nobody watches */
    void *progress_arg;
    const char *traceparent, *tracestate; /* W3C trace context that HTTP requests of this work are sent with; borrowed; NULL: none */
    struct takc_call *above;              /* what stops it stops this, too (takc_call_below); NULL: none */
};

/* A call without deadline that nobody watches. */
TAKC_API void takc_call_init(struct takc_call *call);
/* A call for a part of above's work: all that above has, but for a cancel flag of its own. above outlives it; NULL: takc_call_init. */
TAKC_API void takc_call_below(struct takc_call *call, struct takc_call *above);
/* OK, CANCELLED or TIMEOUT, with the message in err. A NULL call is always OK. */
TAKC_API TAKC_CHECK enum takc_status takc_call_check(struct takc_call *call, struct takc_err *err);
/* Milliseconds left, at most max_ms; max_ms when there is no deadline. */
TAKC_API uint64_t takc_call_left_ms(struct takc_call *call, uint64_t max_ms);
/* Tells who watches; nothing happens when nobody does or call is NULL. */
TAKC_API void takc_call_progress(struct takc_call *call, const char *stage, const char *unit, uint64_t done, uint64_t total);

#endif
