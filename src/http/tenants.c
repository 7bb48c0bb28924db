/* SPDX-License-Identifier: Apache-2.0
 *
 * tenants.c - a table of open homes. Opening and closing touch the disk and are done outside the lock; a place that says "opening" keeps
 * two requests from opening the same home twice. The table is short, so it is searched from end to end. */
#include "http/tenants.h"

#include "base/alloc.h"
#include "base/thread.h"
#include "task/profile.h"

#include <limits.h>
#include <stdio.h>

enum { WAIT_MS = 2000, LOOK_MS = 100 };
#define EMPTY ".empty"

struct place {
    char name[64];          /* "": free */
    struct takc_home *home; /* NULL: being opened */
    size_t n_users;
    uint64_t used; /* when it was last put back, in gets */
};

struct takc_tenants {
    struct takc_home *home;
    void (*closing)(void *arg, struct takc_home *home);
    void *closing_arg;
    struct {
        struct takc_mutex mu;
        struct takc_cond opened; /* a place was opened, or could not be */
        uint64_t now;            /* gets so far */
        struct place places[TAKC_TENANTS_MAX];
    } locked;
};

enum takc_status takc_tenants_open(struct takc_tenants **out, struct takc_home *home, struct takc_err *err)
{
    struct takc_tenants *t = takc_alloc(sizeof(*t));
    if (!t)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for tenants");
    memset(t, 0, sizeof(*t));
    t->home = home;
    enum takc_status st = takc_mutex_init(&t->locked.mu, err);
    if (!st && (st = takc_cond_init(&t->locked.opened, err)) != TAKC_OK)
        takc_mutex_clear(&t->locked.mu);
    if (st)
        takc_free(t);
    else
        *out = t;
    return st;
}

/* NULL is harmless. */
static void close_home(const struct takc_tenants *t, struct takc_home *home)
{
    if (home && t->closing)
        t->closing(t->closing_arg, home);
    takc_home_close(home);
}

void takc_tenants_on_close(struct takc_tenants *t, void (*closing)(void *arg, struct takc_home *home), void *arg)
{
    t->closing = closing;
    t->closing_arg = arg;
}

void takc_tenants_close(struct takc_tenants *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < TAKC_TENANTS_MAX; i++) {
        if (t->locked.places[i].n_users)
            TAKC_BUG("the home of tenant %s is in use", t->locked.places[i].name);
        close_home(t, t->locked.places[i].home);
    }
    takc_cond_clear(&t->locked.opened);
    takc_mutex_clear(&t->locked.mu);
    takc_free(t);
}

/* ---- places ---- */

static struct place *find_locked(struct takc_tenants *t, struct takc_str name)
{
    for (size_t i = 0; i < TAKC_TENANTS_MAX; i++)
        if (t->locked.places[i].name[0] && takc_str_is(name, t->locked.places[i].name))
            return &t->locked.places[i];
    return NULL;
}

/* The home that nobody has used for longest is taken out of its place, for the caller to close; NULL: all are in use, or there are at most
 * spare that are not. */
static struct takc_home *evict_locked(struct takc_tenants *t, size_t spare)
{
    struct place *oldest = NULL;
    size_t n_idle = 0;
    for (size_t i = 0; i < TAKC_TENANTS_MAX; i++) {
        struct place *p = &t->locked.places[i];
        if (!p->home || p->n_users)
            continue;
        n_idle++;
        if (!oldest || p->used < oldest->used)
            oldest = p;
    }
    if (n_idle <= spare)
        return NULL;
    struct takc_home *home = oldest->home;
    *oldest = (struct place){.home = NULL};
    return home;
}

static struct place *free_place_locked(struct takc_tenants *t)
{
    for (size_t i = 0; i < TAKC_TENANTS_MAX; i++)
        if (!t->locked.places[i].name[0])
            return &t->locked.places[i];
    return NULL;
}

/* A place for the caller to open; out_close is what had to make room. */
static struct place *claim_locked(struct takc_tenants *t, struct takc_str name, struct takc_home **out_close)
{
    struct place *p = free_place_locked(t);
    *out_close = NULL;
    if (!p) {
        *out_close = evict_locked(t, 0);
        p = *out_close ? free_place_locked(t) : NULL;
    }
    if (!p)
        return NULL;
    *p = (struct place){.n_users = 1};
    memcpy(p->name, name.ptr, name.len);
    return p;
}

/* ---- getting ---- */

/* One that is open, or a place of the caller's to open it in; waits while another one opens it. */
static enum takc_status find_or_claim(struct takc_tenants *t, struct takc_call *call, struct takc_str name, struct place **out,
                                      struct takc_home **out_home, struct takc_home **out_close, struct takc_err *err)
{
    struct place *p;
    enum takc_status st = TAKC_OK;
    *out_close = *out_home = NULL;
    takc_mutex_lock(&t->locked.mu);
    t->locked.now++;
    while ((p = find_locked(t, name)) && !p->home && !st) {
        takc_cond_wait_ms(&t->locked.opened, &t->locked.mu, LOOK_MS);
        st = takc_call_check(call, err);
    }
    if (!st && p) {
        p->n_users++;
        *out_home = p->home;
    } else if (!st) {
        p = claim_locked(t, name, out_close);
        if (!p)
            st = takc_fail(err, TAKC_BUSY, 0, "%d tenants are at work", TAKC_TENANTS_MAX);
    }
    takc_mutex_unlock(&t->locked.mu);
    *out = p;
    return st;
}

static enum takc_status open_home(const struct takc_tenants *t, struct takc_str name, bool make, struct takc_home **out,
                                  struct takc_err *err)
{
    char path[PATH_MAX];
    const struct takc_home_options o = {.create = make, .wait_ms = WAIT_MS};
    int n = snprintf(path, sizeof(path), "%s/" TAKC_TENANTS_FOLDER "/%.*s", takc_home_path(t->home), TAKC_STR_ARG(name));
    if (n < 0 || n >= PATH_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "the path of tenant %.*s is too long", TAKC_STR_ARG(name));
    return takc_home_open(out, path, &o, err);
}

static enum takc_status get(struct takc_tenants *t, struct takc_call *call, struct takc_str name, bool make, struct takc_home **out,
                            struct takc_err *err)
{
    struct place *p;
    struct takc_home *home, *old;
    enum takc_status st = find_or_claim(t, call, name, &p, &home, &old, err);
    close_home(t, old);
    if (!st && !home) {
        st = open_home(t, name, make, &home, err);
        takc_mutex_lock(&t->locked.mu);
        if (st)
            *p = (struct place){.home = NULL};
        else
            p->home = home;
        takc_cond_broadcast(&t->locked.opened);
        takc_mutex_unlock(&t->locked.mu);
    }
    if (!st)
        *out = home;
    return st;
}

enum takc_status takc_tenants_get(struct takc_tenants *t, struct takc_call *call, struct takc_str tenant, bool make, struct takc_home **out,
                                  struct takc_err *err)
{
    if (!tenant.len) {
        *out = t->home;
        return TAKC_OK;
    }
    enum takc_status st = takc_task_name_check(tenant, err);
    if (st)
        return takc_err_prefix(err, st, "tenant");
    st = get(t, call, tenant, make, out, err);
    if (st == TAKC_NOT_FOUND && !make)
        st = get(t, call, takc_str(EMPTY), true, out, err);
    return st;
}

void takc_tenants_put(struct takc_tenants *t, struct takc_home *home)
{
    struct takc_home *old = NULL;
    if (!home || home == t->home)
        return;
    takc_mutex_lock(&t->locked.mu);
    for (size_t i = 0; i < TAKC_TENANTS_MAX; i++) {
        struct place *p = &t->locked.places[i];
        if (p->home != home)
            continue;
        p->used = t->locked.now;
        if (p->n_users-- == 0)
            TAKC_BUG("the home of tenant %s was put back twice", p->name);
        if (!p->n_users)
            old = evict_locked(t, TAKC_TENANTS_IDLE);
        break;
    }
    takc_mutex_unlock(&t->locked.mu);
    close_home(t, old);
}

size_t takc_tenants_count(struct takc_tenants *t)
{
    size_t n = 0;
    takc_mutex_lock(&t->locked.mu);
    for (size_t i = 0; i < TAKC_TENANTS_MAX; i++)
        n += t->locked.places[i].home != NULL;
    takc_mutex_unlock(&t->locked.mu);
    return n;
}
