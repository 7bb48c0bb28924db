/* SPDX-License-Identifier: Apache-2.0
 *
 * pool.c - the queue is a ring that is made once, so that pushing never allocates. One mutex guards it; "more" wakes workers, "less" wakes
 * pushers, "idle" wakes who drains. A pusher that waits looks at its call twenty times a second, since a cancel flag wakes nobody. */
#include "base/pool.h"
#include "base/alloc.h"
#include "base/thread.h"

#include <stdio.h>

enum { LOOK_MS = 50, THREADS_MAX = 1024 };

struct takc_pool {
    struct {
        struct takc_mutex mu;
        struct takc_job *ring;
        size_t head, n, max;
        size_t n_running;
        bool closing;
    } locked;
    struct takc_cond more, less, idle;
    pthread_t *threads;
    unsigned n_threads;
    unsigned made; /* of mutex and conditions, for a close after a half open */
};

static struct takc_job take_locked(struct takc_pool *p) TAKC_REQUIRES(p->locked.mu)
{
    struct takc_job job = p->locked.ring[p->locked.head];
    p->locked.head = (p->locked.head + 1) % p->locked.max;
    p->locked.n--;
    return job;
}

static void *work(void *arg)
{
    struct takc_pool *p = arg;
    takc_mutex_lock(&p->locked.mu);
    while (p->locked.n > 0 || !p->locked.closing) {
        if (p->locked.n == 0) {
            takc_cond_wait(&p->more, &p->locked.mu);
            continue;
        }
        struct takc_job job = take_locked(p);
        p->locked.n_running++;
        takc_mutex_unlock(&p->locked.mu);
        takc_cond_signal(&p->less);
        job.run(job.arg);
        takc_mutex_lock(&p->locked.mu);
        p->locked.n_running--;
        if (p->locked.n == 0 && p->locked.n_running == 0)
            takc_cond_broadcast(&p->idle);
    }
    takc_mutex_unlock(&p->locked.mu);
    return NULL;
}

/* Nobody else knows the pool yet. */
TAKC_UNCHECKED static enum takc_status make_queue(struct takc_pool *p, size_t queue_max, struct takc_err *err)
{
    p->locked.max = queue_max ? queue_max : 1;
    p->locked.ring = takc_alloc_array(p->locked.max, sizeof(struct takc_job));
    return p->locked.ring ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a queue of %zu", queue_max);
}

TAKC_UNCHECKED static void free_pool(struct takc_pool *p)
{
    struct takc_cond *conds[] = {&p->more, &p->less, &p->idle};
    for (unsigned i = 1; i < p->made && i <= 3; i++)
        takc_cond_clear(conds[i - 1]);
    if (p->made)
        takc_mutex_clear(&p->locked.mu);
    takc_free(p->locked.ring);
    takc_free(p->threads);
    takc_free(p);
}

static enum takc_status make_locks(struct takc_pool *p, struct takc_err *err)
{
    struct takc_cond *conds[] = {&p->more, &p->less, &p->idle};
    enum takc_status st = takc_mutex_init(&p->locked.mu, err);
    if (st)
        return st;
    p->made = 1;
    for (size_t i = 0; !st && i < 3; i++)
        if (!(st = takc_cond_init(conds[i], err)))
            p->made++;
    return st;
}

enum takc_status takc_pool_open(struct takc_pool **out, unsigned n_threads, size_t queue_max, const char *name, struct takc_err *err)
{
    if (n_threads < 1 || n_threads > THREADS_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "%u threads are not within 1 to %d", n_threads, (int)THREADS_MAX);
    struct takc_pool *p = takc_alloc(sizeof(*p));
    if (!p)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a pool");
    enum takc_status st = make_queue(p, queue_max, err);
    if (!st)
        st = make_locks(p, err);
    if (!st && !(p->threads = takc_alloc_array(n_threads, sizeof(*p->threads))))
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for a pool");
    if (st) {
        free_pool(p);
        return st;
    }
    for (; !st && p->n_threads < n_threads; p->n_threads++) {
        char full[32];
        (void)snprintf(full, sizeof(full), "%.10s-%u", name, p->n_threads);
        if ((st = takc_thread_start(&p->threads[p->n_threads], full, work, p, err)))
            break;
    }
    if (st)
        takc_pool_close(p);
    else
        *out = p;
    return st;
}

enum takc_status takc_pool_push(struct takc_pool *p, struct takc_job job, struct takc_call *call, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    takc_mutex_lock(&p->locked.mu);
    while (!st && p->locked.n == p->locked.max) {
        if (!call)
            st = takc_fail(err, TAKC_BUSY, 0, "the queue of %zu is full", p->locked.max);
        else if (!(st = takc_call_check(call, err)))
            takc_cond_wait_ms(&p->less, &p->locked.mu, LOOK_MS);
    }
    if (!st) {
        p->locked.ring[(p->locked.head + p->locked.n) % p->locked.max] = job;
        p->locked.n++;
    }
    takc_mutex_unlock(&p->locked.mu);
    if (!st)
        takc_cond_signal(&p->more);
    return st;
}

void takc_pool_cancel(struct takc_pool *p)
{
    takc_mutex_lock(&p->locked.mu);
    while (p->locked.n > 0) {
        struct takc_job job = take_locked(p);
        takc_mutex_unlock(&p->locked.mu);
        if (job.drop)
            job.drop(job.arg);
        takc_mutex_lock(&p->locked.mu);
    }
    if (p->locked.n_running == 0)
        takc_cond_broadcast(&p->idle);
    takc_mutex_unlock(&p->locked.mu);
    takc_cond_broadcast(&p->less);
}

void takc_pool_drain(struct takc_pool *p)
{
    takc_mutex_lock(&p->locked.mu);
    while (p->locked.n > 0 || p->locked.n_running > 0)
        takc_cond_wait(&p->idle, &p->locked.mu);
    takc_mutex_unlock(&p->locked.mu);
}

void takc_pool_close(struct takc_pool *p)
{
    if (!p)
        return;
    takc_mutex_lock(&p->locked.mu);
    p->locked.closing = true;
    takc_mutex_unlock(&p->locked.mu);
    takc_cond_broadcast(&p->more);
    for (unsigned i = 0; i < p->n_threads; i++)
        (void)pthread_join(p->threads[i], NULL);
    free_pool(p);
}
