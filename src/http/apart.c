/* SPDX-License-Identifier: Apache-2.0
 *
 * apart.c - a thread for one piece of work. */
#include "http/apart.h"

#include "base/thread.h"

enum { APART_MAX = 16 };

static atomic_uint n_apart;

struct apart {
    void (*run)(void *arg);
    void *arg;
    struct {
        struct takc_mutex mu;
        struct takc_cond moved;
        bool done;
    } locked;
};

static void *work(void *arg)
{
    struct apart *a = arg;
    a->run(a->arg);
    takc_mutex_lock(&a->locked.mu);
    a->locked.done = true;
    takc_cond_signal(&a->locked.moved);
    takc_mutex_unlock(&a->locked.mu);
    return NULL;
}

/* false: there is no thread for it. */
static bool on_thread(struct apart *a)
{
    pthread_t thread;
    if (takc_thread_start(&thread, "apart", work, a, NULL))
        return false;
    takc_mutex_lock(&a->locked.mu);
    while (!a->locked.done)
        takc_cond_wait(&a->locked.moved, &a->locked.mu);
    takc_mutex_unlock(&a->locked.mu);
    (void)pthread_join(thread, NULL);
    return true;
}

void takc_apart(void (*run)(void *arg), void *arg)
{
    struct apart a = {.run = run, .arg = arg};
    bool ran = false;
    if (atomic_fetch_add(&n_apart, 1) < APART_MAX && !takc_mutex_init(&a.locked.mu, NULL)) {
        if (!takc_cond_init(&a.locked.moved, NULL)) {
            ran = on_thread(&a);
            takc_cond_clear(&a.locked.moved);
        }
        takc_mutex_clear(&a.locked.mu);
    }
    atomic_fetch_sub(&n_apart, 1);
    if (!ran)
        run(arg);
}
