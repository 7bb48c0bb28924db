/* SPDX-License-Identifier: Apache-2.0
 *
 * models_pool.c - a table of open models. An entry is named before its models are there, so that they are opened once and without the lock:
 * opening may ask Secrets Manager. */
#include "pipeline/models_pool.h"

#include "base/alloc.h"
#include "base/gate.h"

enum {
    IDLE_MAX = 64,
    CALLS = 4,         /* at a time, where the settings do not say: as net/limit.h */
    USERS_PER_CALL = 2 /* one waits with all it needs while the other is called */
};

struct takc_models_entry {
    struct takc_models_entry *next;
    struct takc_arena arena; /* of the names */
    struct takc_home *home;
    struct takc_str task, model;
    struct takc_models *models; /* NULL: they are being opened */
    size_t n_users;
    struct takc_gate gate;
    uint64_t used; /* the pool's count when it was given back */
};

struct takc_models_pool {
    struct {
        struct takc_mutex mu;
        struct takc_cond opened;
        struct takc_models_entry *first;
        size_t n_idle;
        uint64_t count;
    } locked;
};

enum takc_status takc_models_pool_open(struct takc_models_pool **out, struct takc_err *err)
{
    struct takc_models_pool *p = takc_alloc(sizeof(*p));
    if (!p)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for models");
    *p = (struct takc_models_pool){0};
    enum takc_status st = takc_mutex_init(&p->locked.mu, err);
    if (!st && (st = takc_cond_init(&p->locked.opened, err)))
        takc_mutex_clear(&p->locked.mu);
    if (st)
        takc_free(p);
    else
        *out = p;
    return st;
}

static void entry_free(struct takc_models_entry *e)
{
    if (!e)
        return;
    takc_models_close(e->models);
    takc_gate_clear(&e->gate);
    takc_arena_clear(&e->arena);
    takc_free(e);
}

void takc_models_pool_close(struct takc_models_pool *p)
{
    if (!p)
        return;
    while (p->locked.first) {
        struct takc_models_entry *e = p->locked.first;
        p->locked.first = e->next;
        entry_free(e);
    }
    takc_cond_clear(&p->locked.opened);
    takc_mutex_clear(&p->locked.mu);
    takc_free(p);
}

static struct takc_models_entry *find_locked(struct takc_models_pool *p, struct takc_home *home, struct takc_str task,
                                             struct takc_str model)
{
    struct takc_models_entry *e = p->locked.first;
    while (e && !(e->home == home && takc_str_eq(e->task, task) && takc_str_eq(e->model, model)))
        e = e->next;
    return e;
}

static void unlink_locked(struct takc_models_pool *p, const struct takc_models_entry *e)
{
    struct takc_models_entry **at = &p->locked.first;
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
}

/* An entry without models, used by who makes it. NULL: no memory. */
static struct takc_models_entry *add_locked(struct takc_models_pool *p, struct takc_home *home, struct takc_str task,
                                            const struct takc_model_settings *s)
{
    struct takc_models_entry *e = takc_alloc(sizeof(*e));
    if (!e)
        return NULL;
    *e = (struct takc_models_entry){.next = p->locked.first, .home = home, .n_users = 1};
    if (takc_gate_init(&e->gate, (size_t)(s->parallel ? s->parallel : CALLS) * USERS_PER_CALL, NULL)) {
        takc_free(e);
        return NULL;
    }
    takc_arena_init(&e->arena);
    e->task = takc_arena_dup(&e->arena, task);
    e->model = takc_arena_dup(&e->arena, s->model);
    if (!e->task.ptr || !e->model.ptr) {
        entry_free(e);
        return NULL;
    }
    p->locked.first = e;
    return e;
}

/* Opens the models of a new entry; one that failed is taken out again, and who waits for it tries anew. */
static enum takc_status fill(struct takc_models_pool *p, struct takc_models_entry *e, const struct takc_model_settings *s,
                             const struct takc_tokenizer *counter, struct takc_err *err)
{
    struct takc_models *models = NULL;
    enum takc_status st = takc_models_open(&models, e->home, e->task, s, counter, err);
    takc_mutex_lock(&p->locked.mu);
    if (st)
        unlink_locked(p, e);
    else
        e->models = models;
    takc_cond_broadcast(&p->locked.opened);
    takc_mutex_unlock(&p->locked.mu);
    if (st)
        entry_free(e);
    return st;
}

/* Takes out the idle one that was used longest ago, if there are too many. */
static struct takc_models_entry *spare_locked(struct takc_models_pool *p)
{
    struct takc_models_entry *oldest = NULL;
    if (p->locked.n_idle <= IDLE_MAX)
        return NULL;
    for (struct takc_models_entry *e = p->locked.first; e; e = e->next)
        if (!e->n_users && (!oldest || e->used < oldest->used))
            oldest = e;
    if (!oldest)
        return NULL;
    unlink_locked(p, oldest);
    p->locked.n_idle--;
    return oldest;
}

void takc_models_pool_put(struct takc_models_pool *p, struct takc_models_use *use)
{
    struct takc_models_entry *spare = NULL, *e = use->entry;
    if (!e)
        return;
    if (use->in_line)
        takc_gate_leave(&e->gate);
    *use = (struct takc_models_use){0};
    takc_mutex_lock(&p->locked.mu);
    if (--e->n_users == 0) {
        e->used = ++p->locked.count;
        p->locked.n_idle++;
        spare = spare_locked(p);
    }
    takc_mutex_unlock(&p->locked.mu);
    entry_free(spare); /* without the lock: its threads end first */
}

static enum takc_status find_or_make(struct takc_models_pool *p, struct takc_home *home, struct takc_str task,
                                     const struct takc_model_settings *s, const struct takc_tokenizer *counter,
                                     struct takc_models_entry **out, struct takc_err *err)
{
    struct takc_models_entry *e;
    takc_mutex_lock(&p->locked.mu);
    while ((e = find_locked(p, home, task, s->model)) && !e->models)
        takc_cond_wait(&p->locked.opened, &p->locked.mu);
    bool found = e != NULL;
    if (found && e->n_users++ == 0)
        p->locked.n_idle--;
    if (!found)
        e = add_locked(p, home, task, s);
    takc_mutex_unlock(&p->locked.mu);
    *out = e;
    if (!e)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for models");
    return found ? TAKC_OK : fill(p, e, s, counter, err);
}

enum takc_status takc_models_pool_get(struct takc_models_pool *p, struct takc_home *home, struct takc_str task,
                                      const struct takc_model_settings *s, const struct takc_tokenizer *counter, bool at_once,
                                      struct takc_call *call, struct takc_models_use *out, struct takc_err *err)
{
    struct takc_models_entry *e;
    enum takc_status st = find_or_make(p, home, task, s, counter, &e, err);
    if (st)
        return st;
    *out = (struct takc_models_use){.models = e->models, .entry = e};
    if (!at_once)
        st = takc_gate_enter(&e->gate, call, err);
    out->in_line = !at_once && !st;
    if (st)
        takc_models_pool_put(p, out);
    return st;
}

void takc_models_pool_drop(struct takc_models_pool *p, const struct takc_home *home)
{
    struct takc_models_entry *gone = NULL, *next;
    if (!p)
        return;
    takc_mutex_lock(&p->locked.mu);
    for (struct takc_models_entry *e = p->locked.first; e; e = next) {
        next = e->next;
        if (e->home != home || e->n_users)
            continue;
        unlink_locked(p, e);
        p->locked.n_idle--;
        e->next = gone;
        gone = e;
    }
    takc_mutex_unlock(&p->locked.mu);
    for (; gone; gone = next) {
        next = gone->next;
        entry_free(gone);
    }
}
