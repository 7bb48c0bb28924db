/* SPDX-License-Identifier: Apache-2.0
 *
 * parallel.c - takc_parallel_for. Numbers are handed out one by one from an atomic counter, in order; so when number k fails, all below k
 * have begun and will end, and the lowest failure does not depend on who was faster. */
#include "base/alloc.h"
#include "base/pool.h"
#include "base/thread.h"

enum { THREADS_MAX = 1024 };

struct loop {
    atomic_size_t next;
    atomic_size_t stop; /* the lowest number that failed; n when none has */
    size_t n;
    takc_parallel_fn *fn;
    void *arg;
    struct takc_call *call;
    struct {
        struct takc_mutex mu;
        struct takc_err err;
        enum takc_status status;
        size_t at;
    } locked;
};

static void note_failure(struct loop *l, size_t i, enum takc_status st, const struct takc_err *err)
{
    takc_mutex_lock(&l->locked.mu);
    if (!l->locked.status || i < l->locked.at) {
        l->locked.status = st;
        l->locked.err = *err;
        l->locked.at = i;
        atomic_store(&l->stop, i);
    }
    takc_mutex_unlock(&l->locked.mu);
}

static void *turn(void *arg)
{
    struct loop *l = arg;
    for (;;) {
        size_t i = atomic_fetch_add(&l->next, 1);
        if (i >= l->n || i > atomic_load(&l->stop))
            return NULL;
        struct takc_err err = {0};
        enum takc_status st = takc_call_check(l->call, &err);
        if (!st)
            st = l->fn(l->arg, i, &err);
        if (st)
            note_failure(l, i, st, &err);
    }
}

static enum takc_status alone(size_t n, takc_parallel_fn *fn, void *arg, struct takc_call *call, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < n; i++)
        if (!(st = takc_call_check(call, err)))
            st = fn(arg, i, err);
    return st;
}

/* All threads have ended. */
TAKC_UNCHECKED static enum takc_status result(const struct loop *l, struct takc_err *err)
{
    if (l->locked.status && err)
        *err = l->locked.err;
    return l->locked.status;
}

enum takc_status takc_parallel_for(unsigned n_threads, size_t n, takc_parallel_fn *fn, void *arg, struct takc_call *call,
                                   struct takc_err *err)
{
    size_t want = n_threads > THREADS_MAX ? THREADS_MAX : n_threads;
    if (want > n)
        want = n;
    if (want <= 1)
        return alone(n, fn, arg, call, err);
    struct loop l = {.n = n, .fn = fn, .arg = arg, .call = call};
    atomic_init(&l.next, 0);
    atomic_init(&l.stop, n);
    enum takc_status st = takc_mutex_init(&l.locked.mu, err);
    if (st)
        return st;
    pthread_t *threads = takc_alloc_array(want - 1, sizeof(*threads));
    if (!threads) {
        takc_mutex_clear(&l.locked.mu);
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for threads");
    }
    size_t started = 0;
    while (started < want - 1 && !takc_thread_start(&threads[started], "takc-loop", turn, &l, NULL))
        started++;
    (void)turn(&l);
    for (size_t i = 0; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    takc_free(threads);
    takc_mutex_clear(&l.locked.mu);
    return result(&l, err);
}
