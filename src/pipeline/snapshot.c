/* SPDX-License-Identifier: Apache-2.0
 *
 * snapshot.c - opens what a question needs and no more: the manifest, the index (mapped), texts of the documents that are shown. */
#include "pipeline/snapshot.h"
#include "base/alloc.h"
#include "base/thread.h"

#include <stdio.h>

enum {
    IDLE_MAX = 16,   /* versions kept open that nobody reads */
    TEXTS_MAX = 8192 /* maps of one version; one with more is not kept open: a process may have some 65,000 */
};

struct takc_snapshot_core {
    struct takc_snapshot_core *next; /* of the table */
    struct takc_arena arena;         /* of names and documents */
    struct takc_home *home;
    struct takc_str task, label, index_sha;
    struct takc_store_view index_bytes;
    struct takc_index *index;
    size_t n_texts;
    size_t n_users; /* with the table's lock */
    uint64_t used;
    struct {
        struct takc_mutex mu;
        struct takc_docset set;
        bool has_set;
        struct takc_store_view *texts; /* per document, opened on demand */
        bool *text_open;
        size_t n_open;
    } locked;
};

struct takc_snapshots {
    struct takc_mutex tidying; /* held while manifests are read; taken before the other one */
    struct {
        struct takc_mutex mu;
        struct takc_snapshot_core *first;
        size_t n_idle;
        uint64_t count;
    } locked;
};

/* ---- a core ---- */

static void core_free(struct takc_snapshot_core *c)
{
    if (!c)
        return;
    for (size_t i = 0; c->locked.text_open && c->locked.texts && i < c->n_texts; i++)
        if (c->locked.text_open[i])
            takc_store_view_close(&c->locked.texts[i]);
    takc_free(c->locked.texts);
    takc_free(c->locked.text_open);
    if (c->index)
        takc_index_close(c->index);
    takc_store_view_close(&c->index_bytes);
    takc_mutex_clear(&c->locked.mu);
    takc_arena_clear(&c->arena);
    takc_free(c);
}

static enum takc_status open_index(struct takc_snapshot_core *c, struct takc_err *err)
{
    struct takc_key key = takc_key_index(c->task, c->label);
    enum takc_status st = takc_store_view(takc_home_store(c->home), NULL, takc_str(key.s), &c->index_bytes, err);
    if (st)
        return st;
    st = takc_index_open(&c->index, c->index_bytes.bytes, err);
    if (st)
        return takc_err_prefix(err, st, "%s", key.s);
    c->n_texts = takc_index_n_docs(c->index);
    c->locked.texts = takc_alloc_array(c->n_texts, sizeof(*c->locked.texts));
    c->locked.text_open = takc_alloc_array(c->n_texts, sizeof(*c->locked.text_open));
    return c->locked.texts && c->locked.text_open ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu documents", c->n_texts);
}

static enum takc_status core_open(struct takc_snapshot_core **out, const struct takc_snapshot *s, struct takc_err *err)
{
    struct takc_snapshot_core *c = takc_alloc(sizeof(*c));
    if (!c)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a version");
    *c = (struct takc_snapshot_core){.home = s->home, .n_users = 1};
    takc_arena_init(&c->arena);
    enum takc_status st = takc_mutex_init(&c->locked.mu, err);
    if (st) {
        takc_free(c);
        return st;
    }
    c->task = takc_arena_dup(&c->arena, s->task);
    c->label = takc_arena_dup(&c->arena, s->version->label);
    c->index_sha = takc_arena_dup(&c->arena, s->version->index.sha256);
    st = c->task.ptr && c->label.ptr && c->index_sha.ptr ? open_index(c, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for a name");
    if (st)
        core_free(c);
    else
        *out = c;
    return st;
}

/* ---- the table ---- */

enum takc_status takc_snapshots_open(struct takc_snapshots **out, struct takc_err *err)
{
    struct takc_snapshots *p = takc_alloc(sizeof(*p));
    if (!p)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for open versions");
    *p = (struct takc_snapshots){0};
    enum takc_status st = takc_mutex_init(&p->locked.mu, err);
    if (!st && (st = takc_mutex_init(&p->tidying, err)))
        takc_mutex_clear(&p->locked.mu);
    if (st)
        takc_free(p);
    else
        *out = p;
    return st;
}

void takc_snapshots_close(struct takc_snapshots *p)
{
    if (!p)
        return;
    while (p->locked.first) {
        struct takc_snapshot_core *c = p->locked.first;
        p->locked.first = c->next;
        core_free(c);
    }
    takc_mutex_clear(&p->tidying);
    takc_mutex_clear(&p->locked.mu);
    takc_free(p);
}

static bool is_of(const struct takc_snapshot_core *c, const struct takc_snapshot *s)
{
    return c->home == s->home && takc_str_eq(c->task, s->task) && takc_str_eq(c->label, s->version->label) &&
           takc_str_eq(c->index_sha, s->version->index.sha256);
}

static struct takc_snapshot_core *take(struct takc_snapshots *p, const struct takc_snapshot *s)
{
    takc_mutex_lock(&p->locked.mu);
    struct takc_snapshot_core *c = p->locked.first;
    while (c && !is_of(c, s))
        c = c->next;
    if (c && c->n_users++ == 0)
        p->locked.n_idle--;
    takc_mutex_unlock(&p->locked.mu);
    return c;
}

/* Two who open the same version at once both put theirs in: one of them is found from then on, the other goes when it is idle longest. */
static void put_in(struct takc_snapshots *p, struct takc_snapshot_core *c)
{
    takc_mutex_lock(&p->locked.mu);
    c->next = p->locked.first;
    p->locked.first = c;
    takc_mutex_unlock(&p->locked.mu);
}

static void take_out_locked(struct takc_snapshots *p, const struct takc_snapshot_core *c)
{
    struct takc_snapshot_core **at = &p->locked.first;
    while (*at && *at != c)
        at = &(*at)->next;
    if (*at) {
        *at = c->next;
        p->locked.n_idle--;
    }
}

/* What need not be kept open once c is idle: c itself, or what was idle longest. */
static struct takc_snapshot_core *spare_locked(struct takc_snapshots *p, struct takc_snapshot_core *c)
{
    struct takc_snapshot_core *oldest = c;
    if (c->locked.n_open <= TEXTS_MAX && p->locked.n_idle <= IDLE_MAX)
        return NULL;
    for (struct takc_snapshot_core *i = p->locked.first; i && c->locked.n_open <= TEXTS_MAX; i = i->next)
        if (!i->n_users && i->used < oldest->used)
            oldest = i;
    take_out_locked(p, oldest);
    return oldest;
}

static void give_back(struct takc_snapshots *p, struct takc_snapshot_core *c)
{
    struct takc_snapshot_core *spare = NULL;
    takc_mutex_lock(&p->locked.mu);
    if (--c->n_users == 0) {
        c->used = ++p->locked.count;
        p->locked.n_idle++;
        spare = spare_locked(p, c);
    }
    takc_mutex_unlock(&p->locked.mu);
    core_free(spare);
}

/* What is idle, as it is looked for in manifests: nobody may wait for that, so it is done on a copy of the names, which the version itself
 * may not outlive. */
struct idle {
    struct takc_home *home;
    char task[64], label[64], index_sha[65]; /* all of them fit: a task's name has 63 bytes at most, a label is two numbers */
    bool kept;
};

static struct idle note(const struct takc_snapshot_core *c)
{
    struct idle i = {.home = c->home};
    (void)snprintf(i.task, sizeof(i.task), "%.*s", TAKC_STR_ARG(c->task));
    (void)snprintf(i.label, sizeof(i.label), "%.*s", TAKC_STR_ARG(c->label));
    (void)snprintf(i.index_sha, sizeof(i.index_sha), "%.*s", TAKC_STR_ARG(c->index_sha));
    return i;
}

static size_t note_all(struct takc_snapshots *p, struct idle out[IDLE_MAX + 1])
{
    size_t n = 0;
    takc_mutex_lock(&p->locked.mu);
    for (const struct takc_snapshot_core *c = p->locked.first; c && n <= IDLE_MAX; c = c->next)
        if (!c->n_users)
            out[n++] = note(c);
    takc_mutex_unlock(&p->locked.mu);
    return n;
}

/* Has the manifest of its task that version yet, with that index? A manifest that cannot be read says no. */
static bool is_kept(const struct idle *i)
{
    struct takc_arena a;
    struct takc_manifest m;
    takc_arena_init(&a);
    const struct takc_version *v =
        takc_home_manifest(i->home, takc_str(i->task), &a, &m, NULL) ? NULL : takc_manifest_find(&m, takc_str(i->label));
    bool kept = v && takc_str_is(v->index.sha256, i->index_sha);
    takc_arena_clear(&a);
    return kept;
}

/* Was it looked for in vain? One that came to be idle meanwhile was not looked for. */
static bool is_gone(const struct takc_snapshot_core *c, const struct idle *idle, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!idle[i].kept && c->home == idle[i].home && takc_str_is(c->task, idle[i].task) && takc_str_is(c->label, idle[i].label) &&
            takc_str_is(c->index_sha, idle[i].index_sha))
            return true;
    return false;
}

/* Those of home (NULL: those among idle that are gone), where nobody reads them. */
static void let_go(struct takc_snapshots *p, const struct takc_home *home, const struct idle *idle, size_t n)
{
    struct takc_snapshot_core *gone = NULL, *next;
    takc_mutex_lock(&p->locked.mu);
    for (struct takc_snapshot_core *c = p->locked.first; c; c = next) {
        next = c->next;
        if (c->n_users || (home ? c->home != home : !is_gone(c, idle, n)))
            continue;
        take_out_locked(p, c);
        c->next = gone;
        gone = c;
    }
    takc_mutex_unlock(&p->locked.mu);
    for (; gone; gone = next) {
        next = gone->next;
        core_free(gone);
    }
}

void takc_snapshots_tidy(struct takc_snapshots *p)
{
    struct idle idle[IDLE_MAX + 1];
    takc_mutex_lock(&p->tidying);
    size_t n = note_all(p, idle);
    for (size_t i = 0; i < n; i++)
        idle[i].kept = is_kept(&idle[i]);
    let_go(p, NULL, idle, n);
    takc_mutex_unlock(&p->tidying);
}

void takc_snapshots_drop(struct takc_snapshots *p, const struct takc_home *home)
{
    if (!p)
        return;
    takc_mutex_lock(&p->tidying); /* whose home is about to be closed may be read just now */
    let_go(p, home, NULL, 0);
    takc_mutex_unlock(&p->tidying);
}

/* ---- a snapshot ---- */

enum takc_status takc_snapshot_open(struct takc_snapshot *s, struct takc_snapshots *p, struct takc_home *h, struct takc_str task,
                                    struct takc_str label, struct takc_err *err)
{
    *s = (struct takc_snapshot){.home = h, .from = p};
    takc_arena_init(&s->arena);
    enum takc_status st = takc_task_name_check(task, err);
    if (st)
        return st;
    s->task = takc_arena_dup(&s->arena, task);
    if (!s->task.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a name");
    st = takc_home_manifest(h, task, &s->arena, &s->manifest, err);
    if (!st)
        st = takc_docset_version(h, &s->manifest, label, &s->version, err);
    if (st)
        return st;
    s->core = p ? take(p, s) : NULL;
    if (!s->core) {
        st = core_open(&s->core, s, err);
        if (!st && p)
            put_in(p, s->core);
    }
    if (!st)
        s->index = s->core->index;
    return st;
}

void takc_snapshot_close(struct takc_snapshot *s)
{
    if (s->core && s->from)
        give_back(s->from, s->core);
    else
        core_free(s->core);
    takc_arena_clear(&s->arena);
    *s = (struct takc_snapshot){0};
}

bool takc_snapshot_has_moved(struct takc_snapshot *s)
{
    struct takc_manifest now;
    return s->task.len && !takc_home_manifest(s->home, s->task, &s->arena, &now, NULL) && strcmp(now.tag.s, s->manifest.tag.s) != 0;
}

enum takc_status takc_snapshot_docs(struct takc_snapshot *s, const struct takc_docset **out, struct takc_err *err)
{
    struct takc_snapshot_core *c = s->core;
    enum takc_status st = TAKC_OK;
    takc_mutex_lock(&c->locked.mu);
    if (!c->locked.has_set)
        st = takc_docset_of_version(s->home, s->task, s->version, &c->arena, &c->locked.set, err);
    c->locked.has_set = c->locked.has_set || !st;
    takc_mutex_unlock(&c->locked.mu);
    if (!st)
        *out = &c->locked.set;
    return st;
}

static enum takc_status open_text_locked(struct takc_snapshot_core *c, uint32_t doc, struct takc_err *err)
{
    struct takc_index_doc d;
    enum takc_status st = takc_index_doc_at(c->index, doc, &d, err);
    if (st)
        return st;
    struct takc_key key = takc_key_text(c->task, takc_str(d.text_sha.s), "");
    st = takc_store_view(takc_home_store(c->home), NULL, takc_str(key.s), &c->locked.texts[doc], err);
    if (st)
        return takc_err_prefix(err, st, "text of %.*s", TAKC_STR_ARG(d.name));
    c->locked.text_open[doc] = true;
    c->locked.n_open++;
    return TAKC_OK;
}

enum takc_status takc_snapshot_text(void *arg, uint32_t doc, struct takc_str *out, struct takc_err *err)
{
    struct takc_snapshot_core *c = ((struct takc_snapshot *)arg)->core;
    if (doc >= c->n_texts)
        return takc_fail(err, TAKC_CORRUPT, 0, "document %u of %zu", doc, c->n_texts);
    takc_mutex_lock(&c->locked.mu);
    enum takc_status st = c->locked.text_open[doc] ? TAKC_OK : open_text_locked(c, doc, err);
    if (!st)
        *out = c->locked.texts[doc].bytes;
    takc_mutex_unlock(&c->locked.mu);
    return st;
}
