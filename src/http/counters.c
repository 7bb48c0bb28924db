/* SPDX-License-Identifier: Apache-2.0
 *
 * counters.c - counters in memory: a table of chained nodes under one lock, whose touched ones are written to the catalogue by flush.
 *
 * Moments are of the machine's own clock, which never goes back; they become wall time only where they are written or read. Buckets that
 * are full again within a second are not written: a restart takes longer than that. */
#include "http/counters.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/thread.h"
#include "catalog/quotas.h"

#include <stdlib.h>
#include <sys/random.h>

enum { ENTRIES_MAX = 65536, ENTRIES_MIN = 16, SAMPLES = 64 };
#define WORTH_KEEPING_NS 1000000000u /* how long a bucket must be short of full to be written */

struct node {
    struct node *next;       /* of the chain */
    struct node *next_dirty; /* of the list, while dirty */
    uint64_t full_ns;        /* a bucket: when it is full */
    int64_t day;             /* a sum: of which day; -1: this is a bucket */
    uint64_t total;          /* a sum */
    bool dirty;
    uint16_t len;
    char key[];
};

struct memory {
    struct takc_counters base; /* first: cast back */
    struct takc_home *home;
    const struct takc_clock *clock;
    uint64_t seed; /* strangers choose keys, and must not choose chains */
    size_t max, mask;
    struct {
        struct takc_mutex mu;
        struct node **chains;
        struct node *dirty;
        size_t n, n_dirty;
    } locked;
};

static struct memory *memory_of(struct takc_counters *c)
{
    return (struct memory *)(void *)c;
}

static struct node **chain_of(const struct memory *m, struct takc_str key)
{
    return &m->locked.chains[takc_hash64(key, m->seed) & m->mask];
}

/* ---- nodes ---- */

/* Does it go, with all buckets that are full at that moment or were before? */
static bool goes(const struct node *n, uint64_t until_ns)
{
    return n->day < 0 && n->full_ns <= until_ns;
}

static void drop_locked(struct memory *m, uint64_t until_ns)
{
    struct node **at = &m->locked.dirty;
    while (*at) {
        if (goes(*at, until_ns)) {
            *at = (*at)->next_dirty;
            m->locked.n_dirty--;
        } else {
            at = &(*at)->next_dirty;
        }
    }
    for (size_t i = 0; i <= m->mask; i++) {
        at = &m->locked.chains[i];
        while (*at) {
            struct node *n = *at;
            if (!goes(n, until_ns)) {
                at = &n->next;
                continue;
            }
            *at = n->next;
            takc_free(n);
            m->locked.n--;
        }
    }
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* About the middle of the buckets' moments. */
static uint64_t middle_locked(const struct memory *m)
{
    uint64_t seen[SAMPLES];
    size_t n = 0;
    for (size_t i = 0; i <= m->mask && n < SAMPLES; i++)
        for (const struct node *e = m->locked.chains[i]; e && n < SAMPLES; e = e->next)
            if (e->day < 0)
                seen[n++] = e->full_ns;
    qsort(seen, n, sizeof(seen[0]), by_size);
    return n ? seen[n / 2] : 0;
}

/* Makes room for n more: full buckets go; where that is not enough, those that are nearest to it. */
static void make_room_locked(struct memory *m, size_t n, uint64_t now)
{
    if (m->locked.n + n <= m->max)
        return;
    drop_locked(m, now);
    for (int tries = 0; m->locked.n + n > m->max / 4 * 3 && tries < 4; tries++)
        drop_locked(m, middle_locked(m));
}

/* The key's node, made where there is none. NULL: no memory. */
static struct node *find_locked(struct memory *m, struct takc_str key, bool is_sum)
{
    struct node **chain = chain_of(m, key);
    for (struct node *n = *chain; n; n = n->next)
        if ((n->day >= 0) == is_sum && takc_str_eq(takc_str_n(n->key, n->len), key))
            return n;
    struct node *n = takc_alloc(sizeof(*n) + key.len);
    if (!n)
        return NULL;
    n->day = is_sum ? 0 : -1;
    n->len = (uint16_t)key.len;
    memcpy(n->key, key.ptr, key.len);
    n->next = *chain;
    *chain = n;
    m->locked.n++;
    return n;
}

static void touch_locked(struct memory *m, struct node *n)
{
    if (n->dirty || !m->home)
        return;
    n->dirty = true;
    n->next_dirty = m->locked.dirty;
    m->locked.dirty = n;
    m->locked.n_dirty++;
}

/* ---- counting ---- */

/* How a bucket stands whose moment is full_ns. */
static struct takc_bucket_state state_of(const struct takc_bucket *b, uint64_t full_ns, uint64_t now)
{
    uint64_t room = b->burst * b->interval_ns, used = full_ns > now ? full_ns - now : 0, cost = b->cost * b->interval_ns;
    if (b->cost > b->burst)
        cost = room;
    return (struct takc_bucket_state){
        .left = (room - used) / b->interval_ns, .full_ns = used, .wait_ns = used + cost > room ? used + cost - room : 0};
}

static enum takc_status look_locked(struct memory *m, const struct takc_bucket *b, size_t n, uint64_t now, struct takc_bucket_state *out,
                                    bool *out_taken, struct takc_err *err)
{
    *out_taken = true;
    for (size_t i = 0; i < n; i++) {
        struct node *e = find_locked(m, b[i].key, false);
        if (!e)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a counter");
        uint64_t empty = now + b[i].burst * b[i].interval_ns;
        if (e->full_ns > empty) /* by a larger limit, or by a wall clock that jumped */
            e->full_ns = empty;
        out[i] = state_of(&b[i], e->full_ns, now);
        *out_taken &= !out[i].wait_ns && b[i].cost + b[i].held <= b[i].burst;
    }
    return TAKC_OK;
}

static void take_locked(struct memory *m, const struct takc_bucket *b, uint64_t now, struct takc_bucket_state *out)
{
    struct node *e = find_locked(m, b->key, false);
    if (!e || !b->cost)
        return;
    e->full_ns = now + out->full_ns + b->cost * b->interval_ns;
    *out = state_of(b, e->full_ns, now);
    out->wait_ns = 0;
    if (e->full_ns > now + WORTH_KEEPING_NS)
        touch_locked(m, e);
}

/* What was held comes back, as far as time has not brought it. */
static void give_back_locked(struct memory *m, const struct takc_bucket *b, uint64_t now, struct takc_bucket_state *out)
{
    struct node *e = find_locked(m, b->key, false);
    uint64_t back = b->held * b->interval_ns, wait_ns = out->wait_ns;
    if (!e || !back)
        return;
    e->full_ns = now + (out->full_ns > back ? out->full_ns - back : 0);
    *out = state_of(b, e->full_ns, now);
    out->wait_ns = wait_ns; /* until all can be had, what is given back among it */
    touch_locked(m, e);
}

static enum takc_status take(struct takc_counters *c, const struct takc_bucket *b, size_t n, struct takc_bucket_state *out, bool *out_taken,
                             struct takc_err *err)
{
    struct memory *m = memory_of(c);
    uint64_t now = m->clock->mono_ns(m->clock);
    for (size_t i = 0; i < n; i++)
        if (!b[i].key.len || b[i].key.len > TAKC_COUNTER_KEY_MAX || !b[i].interval_ns || !b[i].burst)
            TAKC_BUG("bucket %zu is none", i);
    takc_mutex_lock(&m->locked.mu);
    make_room_locked(m, n, now);
    enum takc_status st = look_locked(m, b, n, now, out, out_taken, err);
    for (size_t i = 0; i < n && !st; i++)
        (*out_taken ? take_locked : give_back_locked)(m, &b[i], now, &out[i]);
    takc_mutex_unlock(&m->locked.mu);
    return st;
}

static enum takc_status add(struct takc_counters *c, struct takc_str key, int64_t day, uint64_t more, uint64_t *out_total,
                            struct takc_err *err)
{
    struct memory *m = memory_of(c);
    takc_mutex_lock(&m->locked.mu);
    make_room_locked(m, 1, m->clock->mono_ns(m->clock));
    struct node *e = find_locked(m, key, true);
    if (e && day > e->day) {
        e->day = day;
        e->total = 0;
    }
    if (e && more) {
        e->total = e->total > INT64_MAX - more ? INT64_MAX : e->total + more;
        touch_locked(m, e);
    }
    if (e)
        *out_total = e->total;
    takc_mutex_unlock(&m->locked.mu);
    return e ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a counter");
}

/* ---- what lasts ---- */

/* Takes the dirty nodes' rows, with copies of their keys; none are dirty behind it. NULL where there is no memory: they stay dirty. */
static struct takc_quota_row *rows_locked(struct memory *m, uint64_t now, int64_t wall_ms, size_t *out_n)
{
    size_t n = m->locked.n_dirty;
    struct takc_quota_row *rows = takc_alloc(n * (sizeof(*rows) + TAKC_COUNTER_KEY_MAX) + 1);
    char *keys = (char *)(rows ? rows + n : NULL);
    *out_n = rows ? n : 0;
    for (size_t i = 0; rows && i < n; i++) {
        struct node *e = m->locked.dirty;
        uint64_t left_ns = e->full_ns > now ? e->full_ns - now : 0;
        memcpy(keys, e->key, e->len);
        rows[i] =
            (struct takc_quota_row){.subject = takc_str_n(keys, e->len), .kind = TAKC_QUOTA_DAY, .value = (int64_t)e->total, .at = e->day};
        if (e->day < 0)
            rows[i] = (struct takc_quota_row){.subject = rows[i].subject,
                                              .kind = TAKC_QUOTA_BUCKET,
                                              .value = wall_ms + (int64_t)(left_ns / 1000000u),
                                              .at = wall_ms / 1000};
        keys += e->len;
        e->dirty = false;
        m->locked.dirty = e->next_dirty;
        m->locked.n_dirty--;
    }
    return rows;
}

/* They could not be written: they are dirty again, as far as they are still there. */
static void put_back(struct memory *m, const struct takc_quota_row *rows, size_t n)
{
    takc_mutex_lock(&m->locked.mu);
    for (size_t i = 0; i < n; i++) {
        bool is_sum = rows[i].kind == TAKC_QUOTA_DAY;
        for (struct node *e = *chain_of(m, rows[i].subject); e; e = e->next)
            if ((e->day >= 0) == is_sum && takc_str_eq(takc_str_n(e->key, e->len), rows[i].subject))
                touch_locked(m, e);
    }
    takc_mutex_unlock(&m->locked.mu);
}

static enum takc_status flush(struct takc_counters *c, struct takc_err *err)
{
    struct memory *m = memory_of(c);
    int64_t wall_s = m->clock->wall_s(m->clock);
    size_t n = 0;
    takc_mutex_lock(&m->locked.mu);
    struct takc_quota_row *rows = m->locked.n_dirty ? rows_locked(m, m->clock->mono_ns(m->clock), wall_s * 1000, &n) : NULL;
    bool nothing = !m->locked.n_dirty && !rows;
    takc_mutex_unlock(&m->locked.mu);
    if (nothing)
        return TAKC_OK;
    if (!rows)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory to keep counters");
    enum takc_status st = takc_home_quotas_put(m->home, rows, n, wall_s * 1000, wall_s / 86400, err);
    if (st)
        put_back(m, rows, n);
    takc_free(rows);
    return st;
}

static enum takc_status restore(void *arg, const struct takc_quota_row *row, struct takc_err *err)
{
    struct memory *m = arg;
    int64_t left_ms = row->value - m->clock->wall_s(m->clock) * 1000;
    bool is_sum = row->kind == TAKC_QUOTA_DAY;
    enum takc_status st = TAKC_OK;
    if (row->subject.len > TAKC_COUNTER_KEY_MAX || (is_sum ? row->value < 0 || row->at < 0 : left_ms <= 0))
        return TAKC_OK;
    takc_mutex_lock(&m->locked.mu);
    struct node *e = m->locked.n < m->max ? find_locked(m, row->subject, is_sum) : NULL;
    if (!e && m->locked.n < m->max)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for a counter");
    if (e && is_sum) {
        e->day = row->at;
        e->total = (uint64_t)row->value;
    } else if (e) { /* longer than any limit: state_of cuts it */
        e->full_ns = m->clock->mono_ns(m->clock) + (uint64_t)(left_ms < INT64_MAX / 2000000 ? left_ms : INT64_MAX / 2000000) * 1000000u;
    }
    takc_mutex_unlock(&m->locked.mu);
    return st;
}

/* ---- open and close ---- */

static void free_all(struct memory *m)
{
    for (size_t i = 0; m->locked.chains && i <= m->mask; i++)
        while (m->locked.chains[i]) {
            struct node *n = m->locked.chains[i];
            m->locked.chains[i] = n->next;
            takc_free(n);
        }
    takc_free(m->locked.chains);
    takc_mutex_clear(&m->locked.mu);
    takc_free(m);
}

static void close_memory(struct takc_counters *c)
{
    (void)!flush(c, NULL);
    free_all(memory_of(c));
}

static const struct takc_counters_ops memory_ops = {"memory", take, add, flush, close_memory};

enum takc_status takc_counters_memory(struct takc_counters **out, const struct takc_counters_options *o, struct takc_err *err)
{
    struct memory *m = takc_alloc(sizeof(*m));
    if (!m)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for counters");
    m->base.ops = &memory_ops;
    m->home = o->home;
    m->clock = takc_clock_or_system(o->clock);
    m->max = o->entries_max > ENTRIES_MIN ? o->entries_max : o->entries_max ? ENTRIES_MIN : ENTRIES_MAX;
    for (m->mask = 1; m->mask < m->max; m->mask *= 2)
        continue;
    m->mask--;
    if (getrandom(&m->seed, sizeof(m->seed), 0) != (ssize_t)sizeof(m->seed))
        m->seed = m->clock->mono_ns(m->clock);
    enum takc_status st = takc_mutex_init(&m->locked.mu, err);
    if (st) {
        takc_free(m);
        return st;
    }
    m->locked.chains = takc_alloc_array(m->mask + 1, sizeof(struct node *));
    st = m->locked.chains ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for counters");
    if (!st && m->home)
        st = takc_home_quotas(m->home, restore, m, err);
    if (st)
        free_all(m);
    else
        *out = &m->base;
    return st;
}

size_t takc_counters_memory_size(struct takc_counters *c)
{
    struct memory *m = memory_of(c);
    takc_mutex_lock(&m->locked.mu);
    size_t n = m->locked.n;
    takc_mutex_unlock(&m->locked.mu);
    return n;
}
