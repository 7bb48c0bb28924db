/* SPDX-License-Identifier: Apache-2.0
 *
 * sweep.c - removes what nothing stands on any more.
 *
 * First everything that is needed is gathered into one sorted set of marked names; then every key of the task is held against it. Nothing
 * is removed before all records, the manifest and the document lists of the kept versions have been read and found whole: a set with a hole
 * would cost data. What goes, goes in one batch, after records that lost old revisions have been written. */
#include "base/alloc.h"
#include "base/clock.h"
#include "catalog/home_impl.h"
#include "catalog/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A name begins with what it is: 'g' key of a model's reply, 'b' blob, 't' text or text and part, 'c' chunks of a document, 'r' raw key,
 * 'v' version, 'm' one of the manifest, 'a' its artifact ("3/ultra"), 'u' a use of a revision by a kept version. */
struct set {
    struct takc_arena *arena;
    struct takc_str *names;
    size_t n, cap;
};

static enum takc_status add(struct set *s, char kind, struct takc_str a, struct takc_str b, struct takc_err *err)
{
    enum takc_status st = takc_grow((void *)&s->names, &s->cap, s->n + 1, sizeof(*s->names), err);
    if (st)
        return st;
    char *p = takc_arena_printf(s->arena, "%c%.*s%.*s", kind, TAKC_STR_ARG(a), TAKC_STR_ARG(b));
    if (!p)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a name");
    s->names[s->n++] = takc_str(p);
    return TAKC_OK;
}

static int by_bytes(const void *a, const void *b)
{
    return takc_str_cmp(*(const struct takc_str *)a, *(const struct takc_str *)b);
}

static void sort(struct set *s)
{
    if (s->n)
        qsort(s->names, s->n, sizeof(*s->names), by_bytes);
}

static bool has(const struct set *s, char kind, struct takc_str name)
{
    char text[TAKC_KEY_MAX + 1];
    if (s->n == 0 || name.len >= sizeof(text))
        return false;
    text[0] = kind;
    memcpy(text + 1, name.ptr, name.len);
    struct takc_str want = takc_str_n(text, name.len + 1);
    return bsearch(&want, s->names, s->n, sizeof(*s->names), by_bytes) != NULL;
}

struct sweep {
    struct takc_home *h;
    struct takc_str task;
    struct takc_arena arena;
    struct takc_document *docs;
    size_t n_docs;
    struct takc_manifest manifest;
    struct set kept;
    struct takc_store_batch *batch;
    bool in_the_making; /* a run that was killed may want any reply */
    bool expires;       /* the profile was read: answers older than ttl_s go */
    uint64_t ttl_s;
    int64_t now_s;
    uint64_t n_removed;
};

/* --- what is needed --- */

/* Name and content of a revision, hashed: what says whether a kept version uses it. */
static enum takc_status use_of(struct takc_str name, struct takc_str source, struct takc_str text, struct takc_str part,
                               struct takc_hex *out, struct takc_err *err)
{
    struct takc_sha256 h;
    const struct takc_str pieces[] = {source, text, part, name};
    enum takc_status st = takc_sha256_init(&h, err);
    for (size_t i = 0; !st && i < 4; i++)
        st = takc_sha256_add(&h, pieces[i], err);
    if (!st)
        st = takc_sha256_end(&h, out, err);
    takc_sha256_clear(&h);
    return st;
}

/* A revision's blobs and texts. */
static enum takc_status need_content(struct set *s, struct takc_str source, struct takc_str text, struct takc_str part,
                                     struct takc_err *err)
{
    static const struct takc_str none = {NULL, 0};
    enum takc_status st = add(s, 'b', source, none, err);
    if (!st)
        st = add(s, 't', text, none, err);
    return st || !part.len ? st : add(s, 't', text, part, err);
}

/* One entry of a kept version's documents.json; members that we do not know are the pipeline's. */
static enum takc_status need_listed(struct set *s, const json_t *v, struct takc_err *err)
{
    struct takc_str source = takc_json_get_str(v, "sha256"), text = takc_json_get_str(v, "text_sha256"),
                    name = takc_json_get_str(v, "name"), part = takc_json_get_str(v, "part");
    struct takc_hex use;
    if (!takc_hex_valid(source) || !takc_hex_valid(text) || !name.len)
        return takc_fail(err, TAKC_CORRUPT, 0, "a document without name or hashes");
    enum takc_status st = need_content(s, source, text, part, err);
    if (!st)
        st = use_of(name, source, text, part, &use, err);
    return st ? st : add(s, 'u', takc_str(use.s), (struct takc_str){NULL, 0}, err);
}

static enum takc_status need_list(struct set *s, struct takc_str json, struct takc_err *err)
{
    json_t *v = NULL;
    enum takc_status st = takc_json_parse(json, &v, err);
    const json_t *list = st ? NULL : json_object_get(v, "documents");
    if (!st && !json_is_array(list))
        st = takc_fail(err, TAKC_INVALID, 0, "no list of documents");
    for (size_t i = 0; !st && i < json_array_size(list); i++)
        st = need_listed(s, json_array_get(list, i), err);
    json_decref(v);
    return takc_record_corrupt(st, "document list", err);
}

/* The version, and the rates that it has: a rate that was deleted leaves files in a folder that stays. */
static enum takc_status need_label(struct set *s, const struct takc_version *v, struct takc_err *err)
{
    enum takc_status st = add(s, 'v', v->label, (struct takc_str){NULL, 0}, err);
    if (!st)
        st = add(s, 'm', v->label, (struct takc_str){NULL, 0}, err);
    for (size_t i = 0; !st && i < v->n_artifacts; i++) {
        char rate[32] = "/";
        takc_rate_name(v->artifacts[i].rate, rate + 1);
        st = add(s, 'a', v->label, takc_str(rate), err);
    }
    return st;
}

/* Replies that a model gave for the version. What cannot be read names none: a reply that is gone costs a call, never data. */
static enum takc_status need_replies(struct sweep *w, struct takc_str label, struct takc_err *err)
{
    struct takc_buf json;
    json_t *v = NULL;
    takc_buf_init(&json, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_store_get_bytes(w->h->store, NULL, takc_str(takc_key_generated(w->task, label).s), &json, err);
    if (!st)
        st = takc_json_parse(takc_buf_str(&json), &v, err);
    const json_t *list = st ? NULL : json_object_get(v, "replies");
    for (size_t i = 0; !st && i < json_array_size(list); i++) {
        const char *key = json_string_value(json_array_get(list, i));
        st = key ? add(&w->kept, 'g', takc_str(key), (struct takc_str){NULL, 0}, err) : TAKC_OK;
    }
    json_decref(v);
    takc_buf_clear(&json);
    return st == TAKC_NOT_FOUND || st == TAKC_INVALID || st == TAKC_CORRUPT ? TAKC_OK : st;
}

static enum takc_status need_version(struct sweep *w, const struct takc_version *v, struct takc_err *err)
{
    struct takc_buf json;
    enum takc_status st = need_label(&w->kept, v, err);
    if (!st)
        st = need_replies(w, v->label, err);
    if (st || !v->documents.sha256.len)
        return st;
    takc_buf_init(&json, TAKC_BUF_MAX_REPLY);
    st = takc_store_get_bytes(w->h->store, NULL, takc_str(takc_key_documents(w->task, v->label).s), &json, err);
    if (st == TAKC_NOT_FOUND)
        st = takc_fail(err, TAKC_CORRUPT, 0, "its documents.json is missing");
    if (!st)
        st = need_list(&w->kept, takc_buf_str(&json), err);
    takc_buf_clear(&json);
    return st ? takc_err_prefix(err, st, "version %.*s", TAKC_STR_ARG(v->label)) : TAKC_OK;
}

/* Is somebody's unfinished work under the next label, or at a batch job? */
static enum takc_status look_for_work(struct sweep *w, const char *next, struct takc_err *err)
{
    struct takc_hex tag;
    struct takc_key work = takc_key_work(w->task, takc_str(next)), batch = takc_key_batch(w->task);
    enum takc_status st = takc_store_tag(w->h->store, NULL, takc_str(work.s), &tag, err);
    if (st == TAKC_NOT_FOUND)
        st = takc_store_tag(w->h->store, NULL, takc_str(batch.s), &tag, err);
    w->in_the_making = st == TAKC_OK;
    return st == TAKC_NOT_FOUND ? TAKC_OK : st;
}

static enum takc_status need_versions(struct sweep *w, struct takc_err *err)
{
    char next[16];
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < w->manifest.n_versions; i++)
        st = need_version(w, &w->manifest.versions[i], err);
    (void)snprintf(next, sizeof(next), "%" PRIu32, w->manifest.next);
    if (!st)
        st = look_for_work(w, next, err);
    return st ? st : add(&w->kept, 'v', takc_str(next), (struct takc_str){NULL, 0}, err);
}

/* Raw data stands under the document's name, or, for documents that are a part of a file ("a.jsonl#7"), under the file's. */
static enum takc_status need_raw(struct set *s, struct takc_str task, struct takc_str name, struct takc_err *err)
{
    enum takc_status st = add(s, 'r', takc_str(takc_key_raw(task, name).s), (struct takc_str){NULL, 0}, err);
    for (size_t at = takc_str_find_byte(name, '#', 0); !st && at != SIZE_MAX; at = takc_str_find_byte(name, '#', at + 1))
        st = add(s, 'r', takc_str(takc_key_raw(task, takc_str_n(name.ptr, at)).s), (struct takc_str){NULL, 0}, err);
    return st;
}

/* Which revisions a record keeps: the last, and those that a kept version uses. Gives how many, moved to the front of keep. */
static enum takc_status kept_revisions(struct sweep *w, const struct takc_document *d, struct takc_revision *keep, size_t *out_n,
                                       struct takc_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n_revisions; i++) {
        const struct takc_revision *r = &d->revisions[i];
        struct takc_hex use;
        enum takc_status st = use_of(d->name, r->source_sha, r->text_sha, r->part, &use, err);
        if (st)
            return st;
        if (i + 1 == d->n_revisions || has(&w->kept, 'u', takc_str(use.s)))
            keep[n++] = *r;
    }
    *out_n = n;
    return TAKC_OK;
}

static enum takc_status rewrite_record(struct sweep *w, const struct takc_document *d, struct takc_err *err)
{
    struct takc_buf b;
    takc_buf_init(&b, TAKC_RECORD_MAX);
    enum takc_status st = takc_document_write(d, &b, err);
    if (!st)
        st = takc_store_batch_put(w->batch, NULL, takc_str(takc_key_document(w->task, d->name).s), takc_buf_str(&b), false, err);
    takc_buf_clear(&b);
    return st;
}

/* What one record needs, into more: w->kept stays sorted, for the uses of revisions are looked up there meanwhile. */
static enum takc_status need_record(struct sweep *w, struct takc_document *d, struct set *more, struct takc_err *err)
{
    struct takc_hex hash;
    struct takc_revision *keep = takc_arena_array(&w->arena, d->n_revisions, sizeof(*keep));
    size_t n = 0;
    enum takc_status st = keep ? kept_revisions(w, d, keep, &n, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for revisions");
    if (!st && n < d->n_revisions) {
        d->revisions = keep;
        d->n_revisions = n;
        st = rewrite_record(w, d, err);
    }
    for (size_t i = 0; !st && i < n; i++) {
        st = need_content(more, keep[i].source_sha, keep[i].text_sha, keep[i].part, err);
        if (!st && keep[i].file_sha.len)
            st = add(more, 'b', keep[i].file_sha, (struct takc_str){NULL, 0}, err);
    }
    if (!st)
        st = takc_sha256(d->name, &hash, err);
    if (!st)
        st = add(more, 'c', takc_str_n(hash.s, 16), (struct takc_str){NULL, 0}, err);
    return st ? st : need_raw(more, w->task, d->name, err);
}

static enum takc_status gather(struct sweep *w, struct takc_err *err)
{
    struct set more = {.arena = &w->arena};
    w->kept.arena = &w->arena;
    enum takc_status st = takc_home_manifest(w->h, w->task, &w->arena, &w->manifest, err);
    if (!st)
        st = takc_home_documents(w->h, w->task, &w->arena, &w->docs, &w->n_docs, err);
    if (!st)
        st = need_versions(w, err);
    sort(&w->kept);
    for (size_t i = 0; !st && i < w->n_docs; i++)
        st = need_record(w, &w->docs[i], &more, err);
    if (!st)
        st = takc_grow((void *)&w->kept.names, &w->kept.cap, w->kept.n + more.n, sizeof(*more.names), err);
    if (!st && more.n)
        memcpy(w->kept.names + w->kept.n, more.names, more.n * sizeof(*more.names));
    if (!st)
        w->kept.n += more.n;
    sort(&w->kept);
    takc_free(more.names);
    return st;
}

/* --- what goes --- */

static bool is_text_needed(const struct set *s, struct takc_str name)
{
    if (has(s, 't', name))
        return true;
    size_t end = name.len; /* "{sha}{part}.units": up to its last dot */
    while (end > 0 && name.ptr[end - 1] != '.')
        end--;
    return end > 1 && has(s, 't', takc_str_n(name.ptr, end - 1));
}

/* v{label}/... of artifacts, index and kept answers. Versions that the manifest lacks are kept whole where they are kept (the next one, in
 * the making); of the others, artifacts and ledgers of a rate that the manifest lacks go. */
static bool is_made_needed(const struct set *s, struct takc_str folder, struct takc_str name)
{
    struct takc_str label, file = name;
    takc_rate rate;
    if (!takc_str_split(&file, '/', &label) || label.len < 2 || label.ptr[0] != 'v')
        return true;
    label = takc_str_slice(label, 1, label.len);
    if (!has(s, 'v', label))
        return false;
    size_t dot = takc_str_find_byte(file, '.', 0);
    while (dot != SIZE_MAX && !takc_str_is(takc_str_slice(file, dot, file.len), ".json") &&
           !takc_str_is(takc_str_slice(file, dot, file.len), ".ledger.json"))
        dot = takc_str_find_byte(file, '.', dot + 1); /* "12.5x.json" */
    if (!takc_str_is(folder, "artifacts") || !has(s, 'm', label) || dot == SIZE_MAX ||
        takc_rate_parse(takc_str_slice(file, 0, dot), &rate, NULL))
        return true;
    return has(s, 'a', takc_str_slice(name, 1, name.len - (file.len - dot)));
}

static bool is_needed(const struct sweep *w, struct takc_str key, struct takc_str folder, struct takc_str name)
{
    if (takc_str_is(folder, "blobs"))
        return has(&w->kept, 'b', name);
    if (takc_str_is(folder, "raw-data"))
        return has(&w->kept, 'r', key);
    if (takc_str_is(folder, "replies")) {
        size_t slash = takc_str_find_byte(name, '/', 0);
        return w->in_the_making || has(&w->kept, 'g', takc_str_slice(name, 0, slash == SIZE_MAX ? name.len : slash));
    }
    if (takc_str_is(folder, "text"))
        return is_text_needed(&w->kept, name);
    if (takc_str_is(folder, "chunks"))
        return name.len < 22 || has(&w->kept, 'c', takc_str_slice(name, 6, 22)); /* chunk_{16 hex}_... */
    return is_made_needed(&w->kept, folder, name);
}

/* What a question would not be given any more: too old, from a time to come, or no answer at all. */
static enum takc_status is_stale_answer(const struct sweep *w, struct takc_str key, bool *out, struct takc_err *err)
{
    struct takc_store_view v;
    json_t *json = NULL;
    uint64_t at = 0, now = w->now_s < 0 ? 0 : (uint64_t)w->now_s;
    *out = false;
    if (!w->expires)
        return TAKC_OK;
    enum takc_status st = takc_store_view(w->h->store, NULL, key, &v, err);
    if (st)
        return st == TAKC_NOT_FOUND ? TAKC_OK : st;
    st = takc_json_parse(v.bytes, &json, err);
    if (!st)
        st = takc_json_get_u64(json, "at_s", &at, err);
    *out = st || now < at || now - at >= w->ttl_s;
    json_decref(json);
    takc_store_view_close(&v);
    return st == TAKC_NOMEM ? st : TAKC_OK;
}

/* A profile that cannot be read ages nothing. */
static void learn_ttl(struct sweep *w)
{
    struct takc_profile p = {0};
    const struct takc_clock *clock = takc_clock_system();
    w->expires = takc_home_profile(w->h, w->task, &p, NULL) == TAKC_OK;
    w->ttl_s = p.ttl_s;
    w->now_s = clock->wall_s(clock);
    takc_profile_clear(&p);
}

static enum takc_status sweep_folder(struct sweep *w, const char *folder, struct takc_err *err)
{
    char prefix[128];
    struct takc_key_list list = {0};
    size_t skip = w->task.len + 1; /* what stands in front of the name */
    if (strcmp(folder, "chunks") == 0) {
        (void)snprintf(prefix, sizeof(prefix), "%.*s/chunk_", TAKC_STR_ARG(w->task));
    } else {
        (void)snprintf(prefix, sizeof(prefix), "%s/%.*s/", folder, TAKC_STR_ARG(w->task));
        skip = strlen(prefix);
    }
    enum takc_status st = takc_home_keys(w->h->store, NULL, takc_str(prefix), &w->arena, &list, err);
    for (size_t i = 0; !st && i < list.n; i++) {
        struct takc_str key = list.keys[i];
        bool stale = false;
        if (strcmp(folder, "cache/answers") == 0)
            st = is_stale_answer(w, key, &stale, err);
        if (st || (!stale && is_needed(w, key, takc_str(folder), takc_str_slice(key, skip, key.len))))
            continue;
        st = takc_store_batch_del(w->batch, NULL, key, err);
        w->n_removed++;
    }
    return st;
}

/* Temporaries of killed processes, wherever this task's writers put them. */
static enum takc_status sweep_temporaries(struct sweep *w, struct takc_err *err)
{
    static const char *const own[] = {"blobs/",     "raw-data/", "documents/", "text/",          "index/",
                                      "artifacts/", "replies/",  "cache/v2/",  "cache/answers/", ""};
    static const char *const shared[] = {"manifests", "tasks", ""};
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < sizeof(own) / sizeof(own[0]); i++) {
        char rel[128];
        (void)snprintf(rel, sizeof(rel), "%s%.*s", own[i], TAKC_STR_ARG(w->task));
        st = takc_dir_sweep(w->h->path, rel, true, &w->n_removed, err);
    }
    for (size_t i = 0; !st && i < sizeof(shared) / sizeof(shared[0]); i++)
        st = takc_dir_sweep(w->h->path, shared[i], false, &w->n_removed, err);
    return st;
}

static enum takc_status run(struct sweep *w, struct takc_err *err)
{
    static const char *const folders[] = {"blobs", "raw-data", "text", "chunks", "index", "artifacts", "replies", "cache/answers"};
    enum takc_status st = takc_store_batch_open(w->h->store, &w->batch, err);
    learn_ttl(w);
    if (!st)
        st = gather(w, err);
    for (size_t i = 0; !st && i < sizeof(folders) / sizeof(folders[0]); i++)
        st = sweep_folder(w, folders[i], err);
    if (!st)
        st = takc_store_batch_commit(w->batch, NULL, err);
    return st ? st : sweep_temporaries(w, err);
}

enum takc_status takc_home_sweep_locked(struct takc_home *h, struct takc_str task, uint64_t *out_removed, struct takc_err *err)
{
    struct sweep w = {.h = h, .task = task};
    enum takc_status st = takc_task_name_check(task, err);
    if (st)
        return st;
    takc_arena_init(&w.arena);
    st = run(&w, err);
    takc_store_batch_close(w.batch);
    takc_free(w.kept.names);
    takc_arena_clear(&w.arena);
    if (st)
        return takc_err_prefix(err, st, "sweep task %.*s", TAKC_STR_ARG(task));
    *out_removed = w.n_removed;
    return TAKC_OK;
}

enum takc_status takc_home_sweep(struct takc_home *h, struct takc_str task, uint64_t *out_removed, struct takc_err *err)
{
    struct takc_lock lock = {-1};
    enum takc_status st = takc_home_lock_task(h, task, 0, &lock, err);
    if (!st)
        st = takc_home_sweep_locked(h, task, out_removed, err);
    takc_lock_close(&lock);
    return st;
}
