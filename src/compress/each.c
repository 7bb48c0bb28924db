/* SPDX-License-Identifier: Apache-2.0
 *
 * each.c - documents handed out by an atomic counter. The calling thread works too, as worker 0; threads that cannot be started are done
 * without. */
#include "compress/each.h"

#include <pthread.h>

struct pass {
    const struct takc_each *e;
    takc_each_fn *fn;
    void *arg;
    atomic_size_t next, done;
    atomic_bool stop;
};

struct worker {
    struct pass *pass;
    unsigned number;
    size_t failed_doc;
    enum takc_status status;
    struct takc_err err;
};

static enum takc_status one(struct pass *p, unsigned worker, size_t doc, struct takc_err *err)
{
    const struct takc_corpus *c = p->e->corpus;
    struct takc_corpus_view v = {0};
    enum takc_status st = takc_call_check(p->e->call, err);
    if (st)
        return st;
    st = c->load(c->arg, doc, &v, err);
    if (st)
        return takc_err_prefix(err, st, "%.*s", TAKC_STR_ARG(c->docs[doc].name));
    st = p->fn(p->arg, worker, doc, &v, err);
    c->unload(c->arg, &v);
    return st;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct pass *p = w->pass;
    size_t n = p->e->corpus->n_docs;
    while (!atomic_load_explicit(&p->stop, memory_order_relaxed)) {
        size_t i = atomic_fetch_add(&p->next, 1);
        if (i >= n)
            break;
        if (p->e->only && !takc_bit(p->e->only, i))
            continue;
        w->status = one(p, w->number, i, &w->err);
        if (w->status) {
            w->failed_doc = i;
            atomic_store(&p->stop, true);
            break;
        }
        size_t done = atomic_fetch_add(&p->done, 1) + 1;
        if (w->number == 0)
            takc_call_progress(p->e->call, p->e->stage, "documents", done, n);
    }
    return NULL;
}

/* Documents are handed out in order, so the one that failed first by number was begun before a later one stopped the pass. */
static enum takc_status outcome(const struct worker *w, unsigned n, struct takc_err *err)
{
    const struct worker *first = NULL;
    for (unsigned i = 0; i < n; i++)
        if (w[i].status && (!first || w[i].failed_doc < first->failed_doc))
            first = &w[i];
    if (!first)
        return TAKC_OK;
    if (err)
        *err = first->err;
    return first->status;
}

enum takc_status takc_each_doc(const struct takc_each *e, takc_each_fn *fn, void *arg, struct takc_err *err)
{
    struct pass p = {.e = e, .fn = fn, .arg = arg};
    struct worker workers[TAKC_EACH_THREADS_MAX];
    pthread_t threads[TAKC_EACH_THREADS_MAX];
    unsigned n = e->n_threads < 1 ? 1 : e->n_threads, started = 1;
    if (n > TAKC_EACH_THREADS_MAX)
        n = TAKC_EACH_THREADS_MAX;
    if (n > e->corpus->n_docs)
        n = e->corpus->n_docs ? (unsigned)e->corpus->n_docs : 1;
    for (unsigned i = 0; i < n; i++) {
        workers[i] = (struct worker){.pass = &p, .number = i};
        if (i > 0 && pthread_create(&threads[i], NULL, work, &workers[i]))
            break;
        started = i + 1;
    }
    work(&workers[0]);
    for (unsigned i = 1; i < started; i++)
        (void)pthread_join(threads[i], NULL);
    return outcome(workers, started, err);
}
