/* SPDX-License-Identifier: Apache-2.0
 *
 * settle.c - the end of every change of a manifest, done by who made it or, if that one was killed, by the next writer. Each step may be
 * repeated at any time. The mark is taken away before work begins and put back behind it: a hash alone would not tell, since going back and
 * forth between two versions gives the same manifest twice. */
#include "pipeline/settle.h"
#include "base/alloc.h"
#include "pipeline/reduce.h"

#include <stdio.h>

/* --- the mark --- */

static struct takc_key key_mark(struct takc_str task)
{
    struct takc_key k;
    (void)snprintf(k.s, sizeof(k.s), "index/%.*s/settled.json", TAKC_STR_ARG(task));
    return k;
}

static void mark_text(const char *tag, char out[128])
{
    (void)snprintf(out, 128, "{\"takc_settled\": 1, \"manifest\": \"%s\"}\n", tag);
}

static enum takc_status put_mark(struct takc_home *h, struct takc_str task, const char *tag, struct takc_err *err)
{
    char text[128];
    mark_text(tag, text);
    return takc_store_put_bytes(takc_home_store(h), NULL, takc_str(key_mark(task).s), takc_str(text), err);
}

/* Is everything done for the manifest with this tag? Where there is neither manifest nor mark, nothing has happened yet. */
static enum takc_status is_settled(struct takc_home *h, struct takc_str task, struct takc_hex tag, bool *out, struct takc_err *err)
{
    struct takc_buf mark;
    char want[128];
    mark_text(tag.s, want);
    takc_buf_init(&mark, 4096);
    enum takc_status st = takc_store_get_bytes(takc_home_store(h), NULL, takc_str(key_mark(task).s), &mark, err);
    *out = st == TAKC_NOT_FOUND ? !tag.s[0] : !st && takc_str_is(takc_buf_str(&mark), want);
    takc_buf_clear(&mark);
    return st == TAKC_NOT_FOUND || st == TAKC_INVALID ? TAKC_OK : st;
}

enum takc_status takc_settle_mark(struct takc_home *h, struct takc_str task, struct takc_hex tag, struct takc_err *err)
{
    return put_mark(h, task, tag.s, err);
}

enum takc_status takc_settle_undo(struct takc_home *h, struct takc_str task, struct takc_err *err)
{
    return put_mark(h, task, "none", err);
}

/* --- caches of foreign clients --- */

/* What cache.json says about an artifact; NULL when there is no memory. */
static json_t *foreign_meta(const struct takc_build *b, const struct takc_version *version, takc_rate rate, const struct takc_artifact *a)
{
    char name[24];
    takc_rate_name(rate, name);
    json_t *meta = json_pack("{ss sI sI sf sf}", "compression_rate", name, "original_tokens", (json_int_t)a->source_tokens,
                             "compressed_tokens", (json_int_t)a->tokens, "compression_ratio",
                             a->tokens ? (double)a->source_tokens / (double)a->tokens : 0.0, "target_ratio", rate / 1000.0);
    if (meta && json_object_set_new(meta, "task_type", takc_json_str(b->task)) == 0 &&
        json_object_set_new(meta, "task_description", takc_json_str(b->profile->description)) == 0 &&
        json_object_set_new(meta, "chunks_processed", json_integer((json_int_t)a->n_documents)) == 0 &&
        json_object_set_new(meta, "model_used", a->model.len ? takc_json_str(a->model) : json_string("extractive")) == 0 &&
        json_object_set_new(meta, "timestamp", json_integer((json_int_t)version->created_s)) == 0 &&
        json_object_set_new(meta, "service", json_string("takc")) == 0 && json_object_set_new(meta, "version", json_string("2.0")) == 0)
        return meta;
    json_decref(meta);
    return NULL;
}

/* The object of cache.json; what it was made from is given back before it is written out, since each is as large as the artifact. */
static enum takc_status foreign_object(struct takc_build *b, const struct takc_version *version, takc_rate rate, json_t **out,
                                       struct takc_err *err)
{
    struct takc_artifact a = {0};
    struct takc_store_view v;
    struct takc_buf text;
    struct takc_key from = takc_key_artifact(b->task, version->label, rate, ".json");
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_store_view(takc_home_store(b->home), b->call, takc_str(from.s), &v, err);
    if (st)
        return st;
    st = takc_artifact_parse(&a, v.bytes, err);
    takc_store_view_close(&v);
    if (!st)
        st = takc_artifact_text(&a, &text, err);
    json_t *meta = st ? NULL : foreign_meta(b, version, rate, &a);
    takc_artifact_clear(&a);
    json_t *root = st ? NULL : json_object();
    if (!st && (!meta || !root || json_object_set_new(root, "compressed_kv", takc_json_str(takc_buf_str(&text))) ||
                json_object_set(root, "metadata", meta))) {
        json_decref(root);
        root = NULL;
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    }
    json_decref(meta);
    takc_buf_clear(&text);
    *out = root;
    return st;
}

/* cache/v2/{task}/{rate}/cache.json: what the guide's own tools read. */
static enum takc_status put_foreign(struct takc_build *b, const struct takc_version *version, const struct takc_stored *made,
                                    struct takc_err *err)
{
    struct takc_buf json;
    struct takc_key to = takc_key_foreign_cache(b->task, made->rate);
    json_t *root = NULL;
    takc_buf_init(&json, TAKC_BUF_MAX_REPLY);
    enum takc_status st = foreign_object(b, version, made->rate, &root, err);
    if (!st)
        st = takc_json_dump(root, true, &json, err);
    json_decref(root);
    if (!st)
        st = takc_store_put_bytes(takc_home_store(b->home), b->call, takc_str(to.s), takc_buf_str(&json), err);
    takc_buf_clear(&json);
    takc_alloc_trim();
    return st;
}

static bool is_of(struct takc_str key, struct takc_str task, const struct takc_version *v)
{
    bool of = false;
    for (size_t k = 0; v && !of && k < v->n_artifacts; k++)
        of = takc_str_is(key, takc_key_foreign_cache(task, v->artifacts[k].rate).s);
    return of;
}

/* Caches for this version, and no others; v NULL: none. One that cannot be made, since its artifact is damaged, goes: none is better than
 * one of another version. */
static enum takc_status put_all_foreign(struct takc_build *b, const struct takc_version *v, struct takc_err *err)
{
    struct takc_key_list there = {0};
    struct takc_store *store = takc_home_store(b->home);
    char *prefix = takc_arena_printf(b->arena, "cache/v2/%.*s/", TAKC_STR_ARG(b->task));
    enum takc_status st = prefix ? takc_home_keys(store, b->call, takc_str(prefix), b->arena, &there, err)
                                 : takc_fail(err, TAKC_NOMEM, 0, "no memory for a prefix");
    for (size_t i = 0; !st && i < there.n; i++) {
        if (is_of(there.keys[i], b->task, v))
            continue;
        st = takc_store_del(store, b->call, there.keys[i], err);
        st = st == TAKC_NOT_FOUND ? TAKC_OK : st;
    }
    for (size_t i = 0; !st && v && i < v->n_artifacts; i++) {
        st = put_foreign(b, v, &v->artifacts[i], err);
        if (st == TAKC_CORRUPT || st == TAKC_NOT_FOUND) {
            st = takc_store_del(store, b->call, takc_str(takc_key_foreign_cache(b->task, v->artifacts[i].rate).s), err);
            st = st == TAKC_NOT_FOUND ? TAKC_OK : st;
        }
    }
    return st;
}

/* --- settling --- */

static enum takc_status has_work(struct takc_build *b, const struct takc_version *v, bool *out, struct takc_err *err)
{
    struct takc_hex tag;
    *out = false;
    enum takc_status st =
        v ? takc_store_tag(takc_home_store(b->home), b->call, takc_str(takc_key_work(b->task, v->label).s), &tag, err) : TAKC_NOT_FOUND;
    *out = st == TAKC_OK;
    return st == TAKC_NOT_FOUND ? TAKC_OK : st;
}

enum takc_status takc_settle_unmarked(struct takc_build *b, const struct takc_manifest *m, bool again, struct takc_err *err)
{
    uint64_t swept;
    bool work = false;
    const struct takc_version *v = takc_manifest_find(m, m->current);
    enum takc_status st = takc_settle_undo(b->home, b->task, err);
    if (!st)
        st = put_all_foreign(b, v, err);
    if (!st)
        st = has_work(b, v, &work, err);
    if (!st && v && !b->profile->keep_originals && (work || again))
        st = takc_reduce_settle(b, v, err);
    if (!st)
        st = takc_home_sweep_locked(b->home, b->task, &swept, err);
    if (!st)
        st = takc_home_catalog_task(b->home, b->task, err);
    if (!st && work)
        st = takc_store_del(takc_home_store(b->home), b->call, takc_str(takc_key_work(b->task, v->label).s), err);
    return st;
}

enum takc_status takc_settle(struct takc_build *b, const struct takc_manifest *m, bool again, struct takc_err *err)
{
    enum takc_status st = takc_settle_unmarked(b, m, again, err);
    return st ? st : takc_settle_mark(b->home, b->task, m->tag, err);
}

/* Looks, and settles where nobody has. */
static enum takc_status make_up(struct takc_build *b, struct takc_writer *w, struct takc_err *err)
{
    struct takc_manifest m;
    enum takc_status st = takc_home_manifest(b->home, b->task, b->arena, &m, err);
    if (st)
        return st;
    st = is_settled(b->home, b->task, m.tag, &w->settled, err);
    if (st || w->settled)
        return st;
    st = takc_settle(b, &m, false, err);
    w->settled = w->made_up = !st;
    return st;
}

enum takc_status takc_writer_begin(struct takc_home *h, struct takc_call *call, struct takc_str task, const struct takc_profile *profile,
                                   uint64_t wait_ms, struct takc_writer *out, struct takc_err *err)
{
    struct takc_profile own = {0};
    struct takc_err why = {0};
    struct takc_arena a;
    *out = (struct takc_writer){.lock = {-1}};
    enum takc_status st = takc_home_lock_task(h, task, wait_ms, &out->lock, err);
    if (st)
        return st;
    takc_arena_init(&a);
    st = profile ? TAKC_OK : takc_home_counting_profile(h, task, &own, &why);
    struct takc_build b = {.home = h, .call = call, .task = task, .profile = profile ? profile : &own, .arena = &a};
    if (!st)
        st = make_up(&b, out, &why);
    takc_profile_clear(&own);
    takc_arena_clear(&a);
    if (!st || st == TAKC_NOT_FOUND || st == TAKC_CORRUPT || st == TAKC_INVALID)
        return TAKC_OK;
    takc_lock_close(&out->lock);
    return takc_fail(err, st, why.detail, "finish what a killed run left: %s", why.msg);
}
