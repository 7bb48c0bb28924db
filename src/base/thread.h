/* SPDX-License-Identifier: Apache-2.0
 *
 * base/thread.h - a mutex and a condition that clang's -Wthread-safety can follow in C. Under gcc the annotations vanish.
 *
 * Shared fields sit in struct { struct takc_mutex mu; ... } locked; functions that need it end in _locked and say TAKC_REQUIRES.
 * TAKC_GUARDED_BY is for globals: in C, clang cannot yet name a neighbour in the same struct. */
#ifndef TAKC_BASE_THREAD_H
#define TAKC_BASE_THREAD_H

#include "takc/status.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#if defined(__clang__)
#define TAKC_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define TAKC_THREAD_ATTRIBUTE(x)
#endif
#define TAKC_CAPABILITY(name) TAKC_THREAD_ATTRIBUTE(capability(name))
#define TAKC_GUARDED_BY(mu) TAKC_THREAD_ATTRIBUTE(guarded_by(mu))
#define TAKC_REQUIRES(...) TAKC_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define TAKC_ACQUIRES(...) TAKC_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define TAKC_RELEASES(...) TAKC_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define TAKC_UNCHECKED TAKC_THREAD_ATTRIBUTE(no_thread_safety_analysis)

/* A lock that clang follows as a capability. */
struct TAKC_CAPABILITY("mutex") takc_mutex {
    pthread_mutex_t m;
};
#define TAKC_MUTEX_INIT                                                                                                                    \
    {                                                                                                                                      \
        PTHREAD_MUTEX_INITIALIZER                                                                                                          \
    }

/* NOMEM when the system has none left. */
TAKC_CHECK enum takc_status takc_mutex_init(struct takc_mutex *mu, struct takc_err *err);
/* Of a mutex that nobody holds; one in use is our bug and stops. */
void takc_mutex_clear(struct takc_mutex *mu);
/* Waits until the lock is ours. A failure (a mutex that was not made) is our bug and stops. */
void takc_mutex_lock(struct takc_mutex *mu) TAKC_ACQUIRES(*mu);
/* Lets go; one that is not ours is our bug and stops. */
void takc_mutex_unlock(struct takc_mutex *mu) TAKC_RELEASES(*mu);

struct fiber;
struct takc_cond { /* the last two are base/fiber.c's */
    pthread_cond_t c;
    struct fiber *fibers;
    atomic_uint n_fibers;
};
/* NOMEM when the system has none left. */
TAKC_CHECK enum takc_status takc_cond_init(struct takc_cond *c, struct takc_err *err);
/* Nobody may wait on it any more. */
void takc_cond_clear(struct takc_cond *c);
/* Lets go of mu, waits, and holds mu again; wakes also without reason, so callers look again. */
void takc_cond_wait(struct takc_cond *c, struct takc_mutex *mu) TAKC_REQUIRES(*mu);
/* As takc_cond_wait, at most ms; which of both woke it is not told. */
void takc_cond_wait_ms(struct takc_cond *c, struct takc_mutex *mu, uint64_t ms) TAKC_REQUIRES(*mu);
/* Wakes one that waits, if any does. */
void takc_cond_signal(struct takc_cond *c);
/* Wakes all that wait. */
void takc_cond_broadcast(struct takc_cond *c);

/* Starts a named thread (15 characters are shown) that no signal interrupts: they belong to main. BUSY when the system has no more. */
TAKC_CHECK enum takc_status takc_thread_start(pthread_t *out, const char *name, void *(*fn)(void *), void *arg, struct takc_err *err);

#endif
