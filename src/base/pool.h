/* SPDX-License-Identifier: Apache-2.0
 *
 * base/pool.h - named threads that work off a bounded queue, and a loop spread over threads.
 *
 * A job that was pushed is run once or dropped once, never both and never neither; then it is gone. Jobs may push jobs.
 * Threads: push, cancel and drain from any thread; open and close from one. Jobs are called without any lock held. */
#ifndef TAKC_BASE_POOL_H
#define TAKC_BASE_POOL_H

#include "takc/call.h"

struct takc_pool;
struct takc_job {
    void (*run)(void *arg);
    void (*drop)(void *arg); /* instead of run, when it was cancelled; may be NULL */
    void *arg;
};

/* n_threads 1..1024 named "name-0", ...; a queue of at most queue_max waiting jobs (at least 1). NOMEM, BUSY (no more threads). */
TAKC_CHECK enum takc_status takc_pool_open(struct takc_pool **out, unsigned n_threads, size_t queue_max, const char *name,
                                           struct takc_err *err);
/* Hands a job over, on OK only. When the queue is full: without a call BUSY at once, with one it waits until the call is cancelled
 * (CANCELLED) or out of time (TIMEOUT). */
TAKC_CHECK enum takc_status takc_pool_push(struct takc_pool *p, struct takc_job job, struct takc_call *call, struct takc_err *err);
/* Drops every job that waits. Those that run go on: their own calls stop them. */
void takc_pool_cancel(struct takc_pool *p);
/* Waits until nothing waits and nothing runs. Not from a job. */
void takc_pool_drain(struct takc_pool *p);
/* Runs what waits, ends the threads, frees. NULL is harmless. */
void takc_pool_close(struct takc_pool *p);

/* The work on number i; called from any of the threads, each number once. */
typedef enum takc_status takc_parallel_fn(void *arg, size_t i, struct takc_err *err);
/* Calls fn(arg, i, err) for i = 0 .. n - 1 over n_threads threads, the caller's among them. Numbers are handed out in order. The first
 * failure (that of the lowest number) is the result; after one, numbers above it are not begun, all below it are finished. Between numbers
 * the call is asked. Fewer threads than asked for, where the system has no more, change the time only. NOMEM. */
TAKC_CHECK enum takc_status takc_parallel_for(unsigned n_threads, size_t n, takc_parallel_fn *fn, void *arg, struct takc_call *call,
                                              struct takc_err *err);

#endif
