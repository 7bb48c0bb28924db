/* SPDX-License-Identifier: Apache-2.0
 *
 * cache.c - what is kept, and the manifest edits behind pin, rollback and delete: each is one compare-and-swap under the task's lock. */
#include "takc/cache.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "compress/artifact.h"
#include "pipeline/settle.h"

#include <stdio.h>

enum { TRIES = 10 }; /* of a reader that finds what it wanted replaced: far more writers than there can be in its time */

struct edit { /* a manifest held for reading or changing */
    struct takc_home *home;
    struct takc_str task;
    struct takc_arena arena;
    struct takc_writer writer; /* where it is for changing */
    struct takc_manifest m;
};

static void close_edit(struct edit *e)
{
    takc_lock_close(&e->writer.lock);
    takc_arena_clear(&e->arena);
}

/* Opens the manifest; locked for writers. NOT_FOUND when the task has no version. */
static enum takc_status open_edit(struct edit *e, struct takc_home *h, struct takc_str task, bool writes, struct takc_err *err)
{
    *e = (struct edit){.home = h, .task = task, .writer = {.lock = {-1}}};
    takc_arena_init(&e->arena);
    enum takc_status st = takc_task_name_check(task, err);
    if (!st && writes)
        st = takc_writer_begin(h, NULL, task, NULL, 2000, &e->writer, err);
    if (!st)
        st = takc_home_manifest(h, task, &e->arena, &e->m, err);
    const struct takc_version *any;
    if (!st && e->m.n_versions == 0)
        st = takc_docset_version(h, &e->m, takc_str(""), &any, err);
    return st;
}

static enum takc_status find(struct edit *e, struct takc_str label, const struct takc_version **out, struct takc_err *err)
{
    return takc_docset_version(e->home, &e->m, label, out, err);
}

static void say(char *out, size_t size, struct takc_str s)
{
    (void)snprintf(out, size, "%.*s", (int)(s.len < size ? s.len : size - 1), s.ptr ? s.ptr : "");
}

static enum takc_status describe(struct edit *e, const struct takc_version *v, struct takc_cache_version *out, struct takc_err *err)
{
    struct takc_docset set;
    *out =
        (struct takc_cache_version){.current = takc_str_eq(v->label, e->m.current), .pinned = v->pinned, .source_tokens = v->source_tokens};
    say(out->label, sizeof(out->label), v->label);
    say(out->redacted_from, sizeof(out->redacted_from), v->redacted_from);
    takc_time_text(v->created_s, out->created);
    enum takc_status st = takc_docset_of_version(e->home, e->task, v, &e->arena, &set, err);
    out->n_documents = st ? 0 : set.n_docs;
    for (size_t i = 0; !st && i < v->n_artifacts && i < TAKC_LEDGER_ROWS; i++) {
        struct takc_cache_artifact *a = &out->artifacts[out->n_artifacts++];
        struct takc_ledger_entry row;
        takc_rate_name(v->artifacts[i].rate, a->rate);
        a->size_bytes = v->artifacts[i].size_bytes;
        st = takc_cache_ledger(e->home, e->task, v->label, takc_str(a->rate), &row, err);
        a->tokens = row.artifact_tokens;
        a->factor = row.factor_tokens;
    }
    return st;
}

/* Nothing is told before all versions are described: a writer may take one away meanwhile, and then (out_moved) all are looked at again. */
static enum takc_status list_once(struct takc_home *h, struct takc_str task, takc_cache_fn *each, void *arg, bool *out_moved,
                                  struct takc_err *err)
{
    struct edit e;
    struct takc_manifest now;
    enum takc_status st = open_edit(&e, h, task, false, err);
    struct takc_cache_version *all = st ? NULL : takc_arena_array(&e.arena, e.m.n_versions + 1, sizeof(*all));
    if (!st && !all)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu versions", e.m.n_versions);
    for (size_t i = 0; !st && i < e.m.n_versions; i++)
        st = describe(&e, &e.m.versions[i], &all[i], err);
    for (size_t i = 0; !st && i < e.m.n_versions; i++)
        each(arg, &all[i]);
    *out_moved = st == TAKC_NOT_FOUND && !takc_home_manifest(h, task, &e.arena, &now, NULL) && strcmp(now.tag.s, e.m.tag.s) != 0;
    close_edit(&e);
    return st;
}

enum takc_status takc_cache_list(struct takc_home *h, struct takc_str task, takc_cache_fn *each, void *arg, struct takc_err *err)
{
    bool moved = true;
    enum takc_status st = TAKC_NOT_FOUND;
    for (int tries = 0; st == TAKC_NOT_FOUND && moved && tries < TRIES; tries++)
        st = list_once(h, task, each, arg, &moved, err);
    return st;
}

static enum takc_status count_keys(struct takc_home *h, const char *folder, struct takc_str task, uint64_t *out_n, uint64_t *out_bytes,
                                   struct takc_err *err)
{
    struct takc_arena a;
    struct takc_key_list list = {0};
    takc_arena_init(&a);
    char *prefix = takc_arena_printf(&a, "%s/%.*s/", folder, TAKC_STR_ARG(task));
    enum takc_status st = prefix ? takc_home_keys(takc_home_store(h), NULL, takc_str(prefix), &a, &list, err)
                                 : takc_fail(err, TAKC_NOMEM, 0, "no memory for a prefix");
    for (size_t i = 0; i < list.n; i++)
        *out_bytes += list.sizes[i];
    *out_n = list.n;
    takc_arena_clear(&a);
    return st;
}

enum takc_status takc_cache_count_kept(struct takc_home *h, struct takc_str task, struct takc_cache_kept *out, struct takc_err *err)
{
    *out = (struct takc_cache_kept){0};
    enum takc_status st = takc_task_name_check(task, err);
    if (!st)
        st = count_keys(h, "replies", task, &out->n_replies, &out->reply_bytes, err);
    return st ? st : count_keys(h, "cache/answers", task, &out->n_answers, &out->answer_bytes, err);
}

/* Where no rate is named: 8x, or the finest that there is; artifacts stand coarse first. */
static enum takc_status rate_of(const struct takc_version *v, struct takc_str name, takc_rate *out, struct takc_err *err)
{
    if (name.len)
        return takc_rate_parse(name, out, err);
    *out = v->n_artifacts ? v->artifacts[v->n_artifacts - 1].rate : TAKC_RATE_LIGHT;
    for (size_t i = 0; i < v->n_artifacts; i++)
        if (v->artifacts[i].rate == TAKC_RATE_LIGHT)
            *out = TAKC_RATE_LIGHT;
    return TAKC_OK;
}

static enum takc_status read_thing(struct takc_home *h, struct takc_str task, struct takc_str version, struct takc_str rate,
                                   const char *suffix, struct takc_buf *out, struct takc_err *err)
{
    struct edit e;
    const struct takc_version *v = NULL;
    takc_rate r = 0;
    enum takc_status st = open_edit(&e, h, task, false, err);
    if (!st)
        st = find(&e, version, &v, err);
    if (!st)
        st = rate_of(v, rate, &r, err);
    if (!st) {
        char name[24];
        struct takc_key key = takc_key_artifact(task, v->label, r, suffix);
        st = takc_store_get_bytes(takc_home_store(h), NULL, takc_str(key.s), out, err);
        takc_rate_name(r, name);
        if (st == TAKC_NOT_FOUND)
            st = takc_fail(err, TAKC_NOT_FOUND, 0, "version %.*s has no rate %s", TAKC_STR_ARG(v->label), name);
    }
    close_edit(&e);
    return st;
}

enum takc_status takc_cache_ledger(struct takc_home *h, struct takc_str task, struct takc_str version, struct takc_str rate,
                                   struct takc_ledger_entry *out, struct takc_err *err)
{
    struct takc_buf bytes;
    takc_buf_init(&bytes, TAKC_BUF_MAX_REPLY);
    *out = (struct takc_ledger_entry){0};
    enum takc_status st = read_thing(h, task, version, rate, ".ledger.json", &bytes, err);
    if (!st)
        st = takc_ledger_parse(takc_buf_str(&bytes), out, err);
    takc_buf_clear(&bytes);
    return st;
}

static enum takc_status artifact_text(struct takc_home *h, struct takc_str task, struct takc_str version, struct takc_str rate,
                                      struct takc_buf *out, struct takc_err *err)
{
    struct takc_buf json;
    struct takc_artifact a = {0};
    takc_buf_init(&json, TAKC_BUF_MAX_REPLY);
    enum takc_status st = read_thing(h, task, version, rate, ".json", &json, err);
    if (!st)
        st = takc_artifact_parse(&a, takc_buf_str(&json), err);
    if (!st)
        st = takc_artifact_text(&a, out, err);
    takc_artifact_clear(&a);
    takc_buf_clear(&json);
    return st;
}

enum takc_status takc_cache_text(struct takc_home *h, struct takc_str task, struct takc_str version, struct takc_str rate, char **out,
                                 size_t *out_len, struct takc_err *err)
{
    struct takc_buf text;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = artifact_text(h, task, version, rate, &text, err);
    if (!st)
        st = takc_buf_take(&text, out, out_len, err);
    takc_buf_clear(&text);
    return st;
}

/* Lines of text that other does not hold. */
static enum takc_status tell_missing(struct takc_str text, struct takc_str other, char sign, takc_cache_diff_fn *each, void *arg,
                                     struct takc_err *err)
{
    struct takc_intern known;
    struct takc_str line;
    uint32_t id;
    enum takc_status st = TAKC_OK;
    takc_intern_init(&known);
    while (!st && takc_str_split(&other, '\n', &line))
        st = takc_intern_add(&known, line, &id, err);
    while (!st && takc_str_split(&text, '\n', &line))
        if (line.len && takc_intern_find(&known, line) == TAKC_INTERN_NONE)
            each(arg, sign, line);
    takc_intern_clear(&known);
    return st;
}

enum takc_status takc_cache_diff(struct takc_home *h, struct takc_str task, struct takc_str a, struct takc_str b, struct takc_str rate,
                                 takc_cache_diff_fn *each, void *arg, struct takc_err *err)
{
    struct takc_buf left, right;
    struct takc_ledger_entry e = {0};
    takc_buf_init(&left, TAKC_BUF_MAX_REPLY);
    takc_buf_init(&right, TAKC_BUF_MAX_REPLY);
    enum takc_status st = rate.len ? TAKC_OK : takc_cache_ledger(h, task, a, rate, &e, err);
    if (!rate.len)
        rate = takc_str(e.rate); /* of both what a has */
    if (!st)
        st = artifact_text(h, task, a, rate, &left, err);
    if (!st)
        st = artifact_text(h, task, b, rate, &right, err);
    if (!st)
        st = tell_missing(takc_buf_str(&left), takc_buf_str(&right), '-', each, arg, err);
    if (!st)
        st = tell_missing(takc_buf_str(&right), takc_buf_str(&left), '+', each, arg, err);
    takc_buf_clear(&left);
    takc_buf_clear(&right);
    return st;
}

/* A changeable copy of the manifest's versions. */
static struct takc_version *copy_versions(struct edit *e, struct takc_err *err)
{
    struct takc_version *v = takc_arena_array(&e->arena, e->m.n_versions + 1, sizeof(*v));
    if (v)
        memcpy(v, e->m.versions, e->m.n_versions * sizeof(*v));
    else
        (void)takc_fail(err, TAKC_NOMEM, 0, "no memory for a manifest");
    return v;
}

enum takc_status takc_cache_pin(struct takc_home *h, struct takc_str task, struct takc_str version, bool pin, struct takc_err *err)
{
    struct edit e;
    const struct takc_version *v = NULL;
    enum takc_status st = open_edit(&e, h, task, true, err);
    if (!st)
        st = find(&e, version, &v, err);
    if (!st) {
        struct takc_version *copy = copy_versions(&e, err);
        st = copy ? TAKC_OK : TAKC_NOMEM;
        if (copy) {
            copy[v - e.m.versions].pinned = pin;
            e.m.versions = copy;
            st = takc_home_manifest_swap(h, &e.m, &e.m.tag, err);
            if (!st && e.writer.settled)
                st = takc_settle_mark(h, task, e.m.tag, err);
        }
    }
    close_edit(&e);
    return st;
}

/* Swaps the changed manifest in, and what follows. */
static enum takc_status swap(struct edit *e, struct takc_err *err)
{
    struct takc_profile profile;
    enum takc_status st = takc_home_profile(e->home, e->task, &profile, err);
    if (st)
        return st;
    struct takc_build b = {.home = e->home, .task = e->task, .profile = &profile, .arena = &e->arena};
    st = takc_home_manifest_swap(e->home, &e->m, &e->m.tag, err);
    if (!st)
        st = takc_settle(&b, &e->m, false, err);
    takc_profile_clear(&profile);
    return st;
}

enum takc_status takc_cache_rollback(struct takc_home *h, struct takc_str task, struct takc_str version, char out_label[32],
                                     struct takc_err *err)
{
    struct edit e;
    const struct takc_version *v = NULL;
    enum takc_status st = open_edit(&e, h, task, true, err);
    if (!st && version.len) {
        st = find(&e, version, &v, err);
    } else if (!st) {
        for (size_t i = 1; i < e.m.n_versions; i++)
            if (takc_str_eq(e.m.versions[i].label, e.m.current))
                v = &e.m.versions[i - 1];
        if (!v)
            st = e.m.current.len
                     ? takc_fail(err, TAKC_NOT_FOUND, 0, "there is no version before %.*s", TAKC_STR_ARG(e.m.current))
                     : takc_fail(err, TAKC_NOT_FOUND, 0, "no version is current; say to which: takc cache -t %.*s rollback VERSION",
                                 TAKC_STR_ARG(task));
    }
    if (!st) {
        e.m.current = v->label;
        st = swap(&e, err);
    }
    if (!st)
        say(out_label, 32, v->label);
    close_edit(&e);
    return st;
}

static enum takc_status delete_version(struct edit *e, const struct takc_version *v, struct takc_err *err)
{
    if (takc_str_eq(v->label, e->m.current))
        return takc_fail(err, TAKC_CONFLICT, 0, "version %.*s is current; roll back first", TAKC_STR_ARG(v->label));
    struct takc_version *copy = copy_versions(e, err);
    if (!copy)
        return TAKC_NOMEM;
    size_t at = (size_t)(v - e->m.versions);
    memmove(copy + at, copy + at + 1, (e->m.n_versions - at - 1) * sizeof(*copy));
    e->m.versions = copy;
    e->m.n_versions--;
    return swap(e, err); /* the sweep takes what no manifest names */
}

static enum takc_status delete_rate(struct edit *e, const struct takc_version *v, takc_rate rate, struct takc_err *err)
{
    struct takc_version *copy = copy_versions(e, err);
    struct takc_stored *left = takc_arena_array(&e->arena, v->n_artifacts + 1, sizeof(*left));
    if (!copy || !left)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a manifest");
    size_t n = 0;
    for (size_t i = 0; i < v->n_artifacts; i++)
        if (v->artifacts[i].rate != rate)
            left[n++] = v->artifacts[i];
    if (n == v->n_artifacts)
        return takc_fail(err, TAKC_NOT_FOUND, 0, "version %.*s has no such rate", TAKC_STR_ARG(v->label));
    struct takc_version *mine = &copy[v - e->m.versions];
    mine->artifacts = left;
    mine->n_artifacts = n;
    e->m.versions = copy;
    return swap(e, err); /* so here */
}

enum takc_status takc_cache_delete(struct takc_home *h, struct takc_str task, struct takc_str version, struct takc_str rate,
                                   struct takc_err *err)
{
    struct edit e;
    const struct takc_version *v = NULL;
    takc_rate r = 0;
    enum takc_status st = open_edit(&e, h, task, true, err);
    if (!st)
        st = find(&e, version, &v, err);
    if (!st && rate.len)
        st = takc_rate_parse(rate, &r, err);
    if (!st)
        st = r ? delete_rate(&e, v, r, err) : delete_version(&e, v, err);
    close_edit(&e);
    return st;
}
