/* SPDX-License-Identifier: Apache-2.0
 *
 * hits.c - uses that are not kept yet: a table with open addressing under one lock, which nobody holds while he waits for a disk. A slot
 * whose uses are kept may become another's, and is never free again, so that who looks behind it finds.
 *
 * What is kept is taken off the table while the catalogue is locked, and a reader looks at both in the same way: it sees each use once. */
#include "http/hits.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/thread.h"
#include "http/tenants.h"

#include <stdio.h>

/* The catalogue's log grows with each flush and is cut when a process has the home to itself only, so they get rarer: after one second,
 * two, four, at last every five minutes, some 300 a day. */
#define FLUSH_NS 1000000000u
#define FLUSH_MAX_NS (300 * (uint64_t)FLUSH_NS)
enum { SLOTS = 4096, PROBES = 16 };

struct slot {
    char tenant[64];
    struct takc_hit_row row; /* task "": free */
    bool tried;              /* by the flush at hand */
};
struct takc_hits {
    struct takc_home *home;
    struct takc_tenants *tenants;
    uint64_t flushed_ns, wait_ns; /* of the thread that flushes, as is: */
    char complaint[200];          /* what was logged last; empty: all is well */
    struct {
        struct takc_mutex mu;
        struct slot slots[SLOTS];
    } locked;
};

enum takc_status takc_hits_open(struct takc_hits **out, struct takc_home *home, struct takc_tenants *tenants, struct takc_err *err)
{
    struct takc_hits *h = takc_alloc_array(1, sizeof(*h));
    if (!h)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for counting");
    h->home = home;
    h->tenants = tenants;
    h->wait_ns = FLUSH_NS;
    enum takc_status st = takc_mutex_init(&h->locked.mu, err);
    if (st)
        takc_free(h);
    else
        *out = h;
    return st;
}

/* ---- counting ---- */

/* Whose home it is: "" the server's own, else the last part of its path. */
static const char *tenant_of(const struct takc_hits *h, struct takc_home *home)
{
    const char *path = takc_home_path(home), *name = strrchr(path, '/');
    return home == h->home ? "" : name ? name + 1 : path;
}

/* The slot of a rate; make: takes a free one where there is none, or one of a rate whose uses are all kept. NULL: none. */
static struct slot *find_locked(struct takc_hits *h, const char *tenant, struct takc_str task, takc_rate rate, bool make)
{
    uint64_t at = takc_hash64(task, takc_hash64(takc_str(tenant), rate));
    if (strlen(tenant) >= sizeof(h->locked.slots[0].tenant) || !task.len || task.len >= sizeof(h->locked.slots[0].row.task))
        return NULL;
    struct slot *spare = NULL;
    for (size_t i = 0; i < PROBES; i++) {
        struct slot *s = &h->locked.slots[(at + i) % SLOTS];
        if (s->row.task[0] && s->row.rate == rate && takc_str_is(task, s->row.task) && strcmp(s->tenant, tenant) == 0)
            return s;
        spare = !spare && !s->row.uses.n ? s : spare;
        if (!s->row.task[0])
            break;
    }
    if (!make || !spare)
        return NULL;
    *spare = (struct slot){.row = {.rate = rate}};
    (void)snprintf(spare->tenant, sizeof(spare->tenant), "%s", tenant);
    (void)snprintf(spare->row.task, sizeof(spare->row.task), "%.*s", TAKC_STR_ARG(task));
    return spare;
}

void takc_hits_add(struct takc_hits *h, struct takc_home *home, struct takc_str task, takc_rate rate, int64_t now_s)
{
    if (!h)
        return;
    takc_mutex_lock(&h->locked.mu);
    struct slot *s = find_locked(h, tenant_of(h, home), task, rate, true);
    if (s) {
        s->row.uses.n++;
        s->row.uses.last_s = now_s > s->row.uses.last_s ? now_s : s->row.uses.last_s;
    }
    takc_mutex_unlock(&h->locked.mu);
}

struct reading {
    struct takc_hits *h;
    const char *tenant;
    struct takc_str task;
    takc_rate rate;
    struct takc_hit_count sum;
};

/* To what is kept comes what is not yet. */
static void add_pending(void *arg, struct takc_hit_count kept)
{
    struct reading *r = arg;
    r->sum = kept;
    takc_mutex_lock(&r->h->locked.mu);
    const struct slot *s = find_locked(r->h, r->tenant, r->task, r->rate, false);
    if (s) {
        r->sum.n += s->row.uses.n;
        r->sum.last_s = s->row.uses.last_s > r->sum.last_s ? s->row.uses.last_s : r->sum.last_s;
    }
    takc_mutex_unlock(&r->h->locked.mu);
}

struct takc_hit_count takc_hits_of(struct takc_hits *h, struct takc_home *home, struct takc_str task, takc_rate rate)
{
    struct reading r = {.h = h, .task = task, .rate = rate};
    struct takc_err err;
    if (!h)
        return r.sum;
    r.tenant = tenant_of(h, home);
    if (takc_home_hits(home, task, rate, add_pending, &r, &err)) {
        takc_log(WARN, "hits", "what was counted cannot be read: %s", err.msg);
        add_pending(&r, (struct takc_hit_count){0, 0});
    }
    return r.sum;
}

void takc_hits_forget(struct takc_hits *h, struct takc_home *home, struct takc_str task)
{
    if (!h)
        return;
    takc_mutex_lock(&h->locked.mu);
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *s = &h->locked.slots[i];
        if (takc_str_is(task, s->row.task) && strcmp(s->tenant, tenant_of(h, home)) == 0)
            s->row.uses = (struct takc_hit_count){0, 0};
    }
    takc_mutex_unlock(&h->locked.mu);
}

/* ---- keeping ---- */

struct flushing { /* what a home gets */
    struct takc_hits *h;
    char tenant[64];
    struct takc_hit_row *rows; /* room for SLOTS */
    size_t n;
};

/* The rows of the next home that something was counted of; false where there is none. */
static bool gather(struct flushing *f)
{
    f->n = 0;
    takc_mutex_lock(&f->h->locked.mu);
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *s = &f->h->locked.slots[i];
        if (!s->row.uses.n || s->tried)
            continue;
        if (!f->n)
            memcpy(f->tenant, s->tenant, sizeof(f->tenant));
        if (strcmp(f->tenant, s->tenant) != 0)
            continue;
        s->tried = true;
        f->rows[f->n++] = s->row;
    }
    for (size_t i = 0; i < SLOTS && !f->n; i++)
        f->h->locked.slots[i].tried = false;
    takc_mutex_unlock(&f->h->locked.mu);
    return f->n > 0;
}

/* They are the home's now. What was forgotten meanwhile is less. */
static void take_off(void *arg)
{
    const struct flushing *f = arg;
    takc_mutex_lock(&f->h->locked.mu);
    for (size_t i = 0; i < f->n; i++) {
        struct slot *s = find_locked(f->h, f->tenant, takc_str(f->rows[i].task), f->rows[i].rate, false);
        if (s)
            s->row.uses.n -= s->row.uses.n < f->rows[i].uses.n ? s->row.uses.n : f->rows[i].uses.n;
    }
    takc_mutex_unlock(&f->h->locked.mu);
}

static enum takc_status keep(struct flushing *f, struct takc_err *err)
{
    struct takc_hits *h = f->h;
    struct takc_home *home = h->home;
    enum takc_status st = f->tenant[0] && h->tenants ? takc_tenants_get(h->tenants, NULL, takc_str(f->tenant), false, &home, err) : TAKC_OK;
    if (st)
        return st;
    if (strcmp(tenant_of(h, home), f->tenant) == 0)
        st = takc_home_hits_add(home, f->rows, f->n, take_off, f, err);
    else
        take_off(f); /* the tenant has no home any more */
    if (f->tenant[0] && h->tenants)
        takc_tenants_put(h->tenants, home);
    return st;
}

/* A disk that stays full is told of once. */
static void complain(struct takc_hits *h, const struct takc_err *err)
{
    if (strncmp(h->complaint, err->msg, sizeof(h->complaint) - 1) == 0)
        return;
    (void)snprintf(h->complaint, sizeof(h->complaint), "%s", err->msg);
    takc_log(WARN, "hits", "what was counted is not kept yet: %s", err->msg);
}

/* Was there anything to keep? */
static bool flush(struct takc_hits *h)
{
    struct flushing f = {.h = h, .rows = takc_alloc_array(SLOTS, sizeof(*f.rows))};
    struct takc_err err;
    bool any = false, all = true;
    while (f.rows && gather(&f)) {
        any = true;
        if (keep(&f, &err)) {
            complain(h, &err);
            all = false;
        }
    }
    if (all)
        h->complaint[0] = '\0';
    takc_free(f.rows);
    return any;
}

void takc_hits_flush(struct takc_hits *h, uint64_t now_ns)
{
    if (!h || now_ns - h->flushed_ns < h->wait_ns)
        return;
    h->flushed_ns = now_ns;
    if (flush(h))
        h->wait_ns = h->wait_ns * 2 < FLUSH_MAX_NS ? h->wait_ns * 2 : FLUSH_MAX_NS;
}

void takc_hits_flush_now(struct takc_hits *h)
{
    (void)flush(h);
}

void takc_hits_close(struct takc_hits *h)
{
    if (!h)
        return;
    (void)flush(h);
    takc_mutex_clear(&h->locked.mu);
    takc_free(h);
}
