/* SPDX-License-Identifier: Apache-2.0
 *
 * drop.c - all that a home has of a task, gone: rows and keys. */
#include "catalog/sqlite.h"

#include <stdio.h>

/* Folders with one of each task, and what stands for the task's own names: the profile is left out. */
static const char *const folders[] = {"replies/", "cache/answers/", "cache/v2/", "index/",    "artifacts/",
                                      "text/",    "raw-data/",      "blobs/",    "documents/"};

/* ---- rows ---- */

static enum takc_status drop_from(struct takc_home *h, const char *sql, struct takc_str task, struct takc_err *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(h->db, sql, -1, &s, NULL);
    if (!rc) {
        takc_sql_bind(s, 1, task);
        rc = sqlite3_step(s) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(h->db);
    }
    (void)sqlite3_finalize(s);
    return rc ? takc_sql_fail(h->db, rc, "drop a task", err) : TAKC_OK;
}

static enum takc_status drop_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    static const char *const sql[] = {"DELETE FROM queries WHERE task = ?1", "DELETE FROM documents WHERE task = ?1",
                                      "DELETE FROM versions WHERE task = ?1", "DELETE FROM hits WHERE task = ?1"};
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < sizeof(sql) / sizeof(sql[0]) && !st; i++)
        st = drop_from(h, sql[i], *(const struct takc_str *)arg, err);
    return st;
}

enum takc_status takc_home_drop_rows(struct takc_home *h, struct takc_str task, struct takc_err *err)
{
    return takc_catalog_work(h, drop_work, &task, err);
}

/* ---- keys ---- */

struct dropping {
    struct takc_home *h;
    struct takc_call *call;
    struct takc_arena arena;
    uint64_t n; /* keys that were seen */
    bool removes;
};

static enum takc_status drop_key(struct dropping *d, struct takc_str key, struct takc_err *err)
{
    enum takc_status st = takc_call_check(d->call, err);
    if (st)
        return st;
    if (d->removes)
        st = takc_store_del(d->h->store, d->call, key, err);
    d->n += st == TAKC_OK;
    return st == TAKC_NOT_FOUND ? TAKC_OK : st;
}

static enum takc_status drop_below(struct dropping *d, const char *prefix, struct takc_err *err)
{
    struct takc_key_list list = {0};
    enum takc_status st = prefix ? takc_home_keys(d->h->store, d->call, takc_str(prefix), &d->arena, &list, err)
                                 : takc_fail(err, TAKC_NOMEM, 0, "no memory for a prefix");
    for (size_t i = 0; i < list.n && !st; i++)
        st = drop_key(d, list.keys[i], err);
    return st;
}

/* One key, which may be missing. */
static enum takc_status drop_one(struct dropping *d, struct takc_key key, struct takc_err *err)
{
    struct takc_hex tag;
    enum takc_status st = takc_store_tag(d->h->store, d->call, takc_str(key.s), &tag, err);
    return st == TAKC_NOT_FOUND ? TAKC_OK : st ? st : drop_key(d, takc_str(key.s), err);
}

/* Nobody reads a version any more once the manifest is gone, so it goes first; the profile, which makes it a task, last. */
static enum takc_status drop_all(struct dropping *d, struct takc_str task, struct takc_err *err)
{
    enum takc_status st = drop_one(d, takc_key_manifest(task), err);
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && !st; i++)
        st = drop_below(d, takc_arena_printf(&d->arena, "%s%.*s/", folders[i], TAKC_STR_ARG(task)), err);
    if (!st)
        st = drop_below(d, takc_arena_printf(&d->arena, "%.*s/chunk_", TAKC_STR_ARG(task)), err);
    return st ? st : drop_one(d, takc_key_profile(task), err);
}

static enum takc_status walk(struct takc_home *h, struct takc_call *call, struct takc_str task, bool removes, uint64_t *out,
                             struct takc_err *err)
{
    struct dropping d = {.h = h, .call = call, .removes = removes};
    enum takc_status st = takc_task_name_check(task, err);
    if (st)
        return st;
    takc_arena_init(&d.arena);
    st = drop_all(&d, task, err);
    takc_arena_clear(&d.arena);
    *out += d.n;
    return st;
}

enum takc_status takc_home_drop_keys(struct takc_home *h, struct takc_call *call, struct takc_str task, uint64_t *out_removed,
                                     struct takc_err *err)
{
    return walk(h, call, task, true, out_removed, err);
}

enum takc_status takc_home_count_keys(struct takc_home *h, struct takc_call *call, struct takc_str task, uint64_t *out,
                                      struct takc_err *err)
{
    *out = 0;
    return walk(h, call, task, false, out, err);
}
