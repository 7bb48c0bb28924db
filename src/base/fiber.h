/* SPDX-License-Identifier: Apache-2.0
 *
 * base/fiber.h - work that waits without holding a thread.
 *
 * A crew is a few threads that run many fibers, one at a time each. Where the code of a fiber waits on a condition (base/thread.h) or
 * sleeps on the machine's clock (base/clock.h), its thread goes on with another fiber; code that waits needs to know nothing of it. So a
 * thousand questions may wait for a model on two threads. A fiber stays on the thread that began it: errno, a lock taken over a call, what
 * libraries keep for a thread stay as they were. Not given up for others: reading files, SQLite, computing. No lock but the condition's may
 * be held over a wait: another fiber of the thread would wait for it forever, so it is our bug and stops. Threads: push and counts from any
 * thread; open and close from one, which is no fiber. */
#ifndef TAKC_BASE_FIBER_H
#define TAKC_BASE_FIBER_H

#include "base/pool.h"
#include "base/thread.h"

struct takc_crew;
struct takc_crew_options {
    const char *name;   /* of its threads: "name-0", ... */
    unsigned n_threads; /* 1..256 */
    size_t running_max; /* fibers at a time; at least 1 */
    size_t waiting_max; /* jobs that wait for one */
};
/* Starts the threads. NOMEM, BUSY (the system has no more threads). Returns owned: takc_crew_close. */
TAKC_CHECK enum takc_status takc_crew_open(struct takc_crew **out, const struct takc_crew_options *o, struct takc_err *err);
/* Hands a job over, on OK only; it is run on a fiber, or dropped by close. BUSY: as many wait as may. */
TAKC_CHECK enum takc_status takc_crew_push(struct takc_crew *c, struct takc_job job, struct takc_err *err);
/* Drops what waits, waits for what runs (whose own calls stop it), ends the threads, frees. NULL is harmless. */
void takc_crew_close(struct takc_crew *c);

struct takc_crew_counts {
    size_t running, waiting;
};
/* Fibers that have a job, jobs that wait for one; of this moment. */
void takc_crew_count(struct takc_crew *c, struct takc_crew_counts *out);

/* Lets what else this thread has to do come first: for code that computes long and waits for nothing. Outside of a fiber it does nothing.
 */
void takc_fiber_yield(void);

/* For base/thread.c and base/clock.c. Is this code on a fiber? */
bool takc_fiber_here(void);
/* As takc_cond_wait_ms; forever when ms is UINT64_MAX. */
void takc_fiber_wait(struct takc_cond *c, struct takc_mutex *mu, uint64_t ms);
/* On a fiber: the thread is free for others so long. */
void takc_fiber_sleep(uint64_t ns);
/* Wakes one fiber that waits on c, or all; false: none did. */
bool takc_fiber_wake(struct takc_cond *c, bool all);
/* A lock of this thread was taken (1), or let go (-1). */
void takc_fiber_locks(int more);

#endif
