/* SPDX-License-Identifier: Apache-2.0
 *
 * hits.c - a table of slots that are taken once and never given back, so that a slot is found without a lock; a task that is forgotten
 * leaves its slots with a count of 0. */
#include "http/hits.h"

#include "base/alloc.h"
#include "base/hash.h"

#include <stdatomic.h>

enum { SLOTS = 4096, PROBES = 16 };

struct slot {
    _Atomic uint64_t key, task; /* 0: free; task is set once, behind key */
    _Atomic uint64_t n;
    _Atomic int64_t last_s;
};
struct takc_hits {
    struct slot slots[SLOTS];
};

enum takc_status takc_hits_new(struct takc_hits **out, struct takc_err *err)
{
    struct takc_hits *h = takc_alloc(sizeof(*h));
    if (!h)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for counting");
    memset(h, 0, sizeof(*h));
    *out = h;
    return TAKC_OK;
}

void takc_hits_free(struct takc_hits *h)
{
    takc_free(h);
}

static uint64_t task_key(struct takc_home *home, struct takc_str task)
{
    return takc_hash64(task, takc_hash64(takc_str(takc_home_path(home)), 1)) | 1;
}

static uint64_t rate_key(uint64_t task, takc_rate rate)
{
    return takc_hash64(takc_str_n((const char *)&rate, sizeof(rate)), task) | 1;
}

/* The slot of key; make: takes a free one where there is none. NULL: none. */
static struct slot *find(struct takc_hits *h, uint64_t task, takc_rate rate, bool make)
{
    uint64_t key = rate_key(task, rate);
    for (size_t i = 0; i < PROBES; i++) {
        struct slot *s = &h->slots[(key / 2 + i) % SLOTS]; /* bit 0 is always set */
        uint64_t there = atomic_load(&s->key);
        if (!there && make && atomic_compare_exchange_strong(&s->key, &there, key)) {
            atomic_store(&s->task, task);
            return s;
        }
        if (there == key)
            return s;
        if (!there)
            return NULL;
    }
    return NULL;
}

void takc_hits_add(struct takc_hits *h, struct takc_home *home, struct takc_str task, takc_rate rate, int64_t now_s)
{
    struct slot *s = h ? find(h, task_key(home, task), rate, true) : NULL;
    if (!s)
        return;
    atomic_fetch_add(&s->n, 1);
    atomic_store(&s->last_s, now_s);
}

struct takc_hit_count takc_hits_of(struct takc_hits *h, struct takc_home *home, struct takc_str task, takc_rate rate)
{
    struct slot *s = h ? find(h, task_key(home, task), rate, false) : NULL;
    return s ? (struct takc_hit_count){atomic_load(&s->n), atomic_load(&s->last_s)} : (struct takc_hit_count){0, 0};
}

void takc_hits_forget(struct takc_hits *h, struct takc_home *home, struct takc_str task)
{
    uint64_t key = task_key(home, task);
    for (size_t i = 0; h && i < SLOTS; i++)
        if (atomic_load(&h->slots[i].task) == key) {
            atomic_store(&h->slots[i].n, 0);
            atomic_store(&h->slots[i].last_s, 0);
        }
}
