/* SPDX-License-Identifier: Apache-2.0
 *
 * thread.c - pthreads behind the names of base/thread.h. Conditions wait on the monotonic clock: setting the date wakes nobody. */
#include "base/thread.h"
#include "base/alloc.h"
#include "base/fiber.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum takc_status takc_mutex_init(struct takc_mutex *mu, struct takc_err *err)
{
    int e = pthread_mutex_init(&mu->m, NULL);
    return e ? takc_fail(err, TAKC_NOMEM, e, "no mutex") : TAKC_OK;
}

void takc_mutex_clear(struct takc_mutex *mu)
{
    if (pthread_mutex_destroy(&mu->m))
        TAKC_BUG("a mutex that is in use is cleared");
}

TAKC_UNCHECKED void takc_mutex_lock(struct takc_mutex *mu)
{
    if (pthread_mutex_lock(&mu->m))
        TAKC_BUG("lock");
    takc_fiber_locks(1);
}

TAKC_UNCHECKED void takc_mutex_unlock(struct takc_mutex *mu)
{
    takc_fiber_locks(-1);
    if (pthread_mutex_unlock(&mu->m))
        TAKC_BUG("unlock");
}

enum takc_status takc_cond_init(struct takc_cond *c, struct takc_err *err)
{
    pthread_condattr_t a;
    c->fibers = NULL;
    atomic_init(&c->n_fibers, 0);
    if (pthread_condattr_init(&a))
        return takc_fail(err, TAKC_NOMEM, 0, "no condition");
    int e = pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    if (!e)
        e = pthread_cond_init(&c->c, &a);
    (void)pthread_condattr_destroy(&a);
    return e ? takc_fail(err, TAKC_NOMEM, e, "no condition") : TAKC_OK;
}

void takc_cond_clear(struct takc_cond *c)
{
    (void)pthread_cond_destroy(&c->c);
}

void takc_cond_wait(struct takc_cond *c, struct takc_mutex *mu)
{
    if (takc_fiber_here())
        takc_fiber_wait(c, mu, UINT64_MAX);
    else if (pthread_cond_wait(&c->c, &mu->m))
        TAKC_BUG("wait");
}

void takc_cond_wait_ms(struct takc_cond *c, struct takc_mutex *mu, uint64_t ms)
{
    struct timespec t;
    if (takc_fiber_here()) {
        takc_fiber_wait(c, mu, ms);
        return;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    uint64_t ns = (uint64_t)t.tv_nsec + ms % 1000 * 1000000u;
    t.tv_sec += (time_t)(ms / 1000 + ns / 1000000000u);
    t.tv_nsec = (long)(ns % 1000000000u);
    int e = pthread_cond_timedwait(&c->c, &mu->m, &t);
    if (e && e != ETIMEDOUT)
        TAKC_BUG("wait");
}

void takc_cond_signal(struct takc_cond *c)
{
    if (!takc_fiber_wake(c, false))
        (void)pthread_cond_signal(&c->c);
}

void takc_cond_broadcast(struct takc_cond *c)
{
    (void)takc_fiber_wake(c, true);
    (void)pthread_cond_broadcast(&c->c);
}

enum takc_status takc_thread_start(pthread_t *out, const char *name, void *(*fn)(void *), void *arg, struct takc_err *err)
{
    sigset_t all, before;
    char shown[16];
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int e = pthread_create(out, NULL, fn, arg);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e)
        return takc_fail(err, TAKC_BUSY, e, "no thread for %s", name);
    (void)snprintf(shown, sizeof(shown), "%s", name);
    (void)pthread_setname_np(*out, shown);
    return TAKC_OK;
}
