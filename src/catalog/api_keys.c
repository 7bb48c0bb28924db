/* SPDX-License-Identifier: Apache-2.0
 *
 * api_keys.c - the rows of API keys. Looking one up is done for every request, so it has a prepared statement; the rest is done by people.
 */
#include "catalog/api_keys.h"
#include "catalog/sqlite.h"

#define COLUMNS "id, hash, name, tenant, may, tasks, created, expires, revoked"

/* ---- reading ---- */

static enum takc_status take_text(sqlite3_stmt *q, int at, struct takc_arena *a, struct takc_str *out, struct takc_err *err)
{
    const char *text = (const char *)sqlite3_column_text(q, at);
    *out = takc_arena_dup(a, takc_str_n(text ? text : "", (size_t)sqlite3_column_bytes(q, at)));
    return out->ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a key's row");
}

/* A row of COLUMNS. */
static enum takc_status take_row(sqlite3_stmt *q, struct takc_arena *a, struct takc_api_key *out, struct takc_err *err)
{
    static const int columns[] = {0, 1, 2, 3, 5};
    struct takc_api_key k = {.may = (unsigned)sqlite3_column_int(q, 4),
                             .created_s = sqlite3_column_int64(q, 6),
                             .expires_s = sqlite3_column_int64(q, 7),
                             .revoked_s = sqlite3_column_int64(q, 8)};
    struct takc_str *texts[] = {&k.id, &k.hash, &k.name, &k.tenant, &k.tasks};
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]) && !st; i++)
        st = take_text(q, columns[i], a, texts[i], err);
    if (!st)
        *out = k;
    return st;
}

struct find {
    struct takc_str id;
    struct takc_arena *arena;
    struct takc_api_key *out;
};

static enum takc_status find_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct find *f = arg;
    sqlite3_stmt *q = NULL;
    enum takc_status st = takc_catalog_prepare(h, TAKC_STMT_FIND_API_KEY, &q, err);
    if (st)
        return st;
    takc_sql_bind(q, 1, f->id);
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW)
        st = take_row(q, f->arena, f->out, err);
    else
        st = rc == SQLITE_DONE ? takc_fail(err, TAKC_NOT_FOUND, 0, "there is no key %.*s", TAKC_STR_ARG(f->id))
                               : takc_sql_fail(h->db, rc, "look for a key", err);
    (void)sqlite3_reset(q);
    (void)sqlite3_clear_bindings(q);
    return st;
}

enum takc_status takc_home_api_key(struct takc_home *h, struct takc_str id, struct takc_arena *a, struct takc_api_key *out,
                                   struct takc_err *err)
{
    const struct find f = {id, a, out};
    return takc_catalog_work(h, find_work, &f, err);
}

struct list {
    struct takc_arena *arena;
    struct takc_api_key **out;
    size_t *out_n;
};

static enum takc_status take_rows(struct takc_home *h, sqlite3_stmt *q, const struct list *l, struct takc_err *err)
{
    size_t n = 0, cap = 0;
    struct takc_api_key *rows = NULL;
    enum takc_status st = TAKC_OK;
    int rc = SQLITE_DONE;
    while (!st && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        if (n == cap) {
            struct takc_api_key *more = takc_arena_array(l->arena, cap ? 2 * cap : 32, sizeof(*rows));
            if (!more)
                return takc_fail(err, TAKC_NOMEM, 0, "no memory for a list of keys");
            if (n)
                memcpy(more, rows, n * sizeof(*rows));
            rows = more;
            cap = cap ? 2 * cap : 32;
        }
        st = take_row(q, l->arena, &rows[n++], err);
    }
    if (!st && rc != SQLITE_DONE)
        st = takc_sql_fail(h->db, rc, "list keys", err);
    *l->out = rows;
    *l->out_n = n;
    return st;
}

static enum takc_status list_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(h->db, "SELECT " COLUMNS " FROM api_keys ORDER BY created, id", -1, &q, NULL);
    enum takc_status st = rc ? takc_sql_fail(h->db, rc, "prepare", err) : take_rows(h, q, arg, err);
    (void)sqlite3_finalize(q);
    return st;
}

enum takc_status takc_home_api_keys(struct takc_home *h, struct takc_arena *a, struct takc_api_key **out, size_t *out_n,
                                    struct takc_err *err)
{
    const struct list l = {a, out, out_n};
    return takc_catalog_work(h, list_work, &l, err);
}

/* ---- writing ---- */

/* Runs one bound statement so that it is on the disk when this returns, and finalizes it. */
static enum takc_status run_synced(struct takc_home *h, sqlite3_stmt *s, const char *what, struct takc_err *err)
{
    enum takc_status st = takc_sql_run(h->db, "PRAGMA synchronous = FULL", err);
    int rc = st ? SQLITE_DONE : sqlite3_step(s);
    if (rc == SQLITE_CONSTRAINT)
        st = takc_fail(err, TAKC_CONFLICT, 0, "there is a key of that id already");
    else if (rc != SQLITE_DONE)
        st = takc_sql_fail(h->db, rc, what, err);
    (void)sqlite3_finalize(s);
    (void)sqlite3_exec(h->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    return st;
}

static enum takc_status add_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct takc_api_key *k = arg;
    const struct takc_str texts[] = {k->id, k->hash, k->name, k->tenant, k->tasks};
    const int64_t numbers[] = {k->may, k->created_s, k->expires_s, k->revoked_s};
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(h->db,
                                "INSERT INTO api_keys(id, hash, name, tenant, tasks, may, created, expires, revoked)"
                                " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                                -1, &s, NULL);
    if (rc)
        return takc_sql_fail(h->db, rc, "prepare", err);
    for (int i = 0; i < 5; i++)
        takc_sql_bind(s, i + 1, texts[i]);
    for (int i = 0; i < 4; i++)
        (void)sqlite3_bind_int64(s, i + 6, numbers[i]);
    return run_synced(h, s, "add a key", err);
}

enum takc_status takc_home_api_key_add(struct takc_home *h, const struct takc_api_key *k, struct takc_err *err)
{
    return takc_catalog_work(h, add_work, k, err);
}

struct revoke {
    struct takc_str id;
    int64_t now_s;
};

static enum takc_status revoke_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct revoke *r = arg;
    sqlite3_stmt *s = NULL;
    int rc =
        sqlite3_prepare_v2(h->db, "UPDATE api_keys SET revoked = CASE revoked WHEN 0 THEN ?2 ELSE revoked END WHERE id = ?1", -1, &s, NULL);
    if (rc)
        return takc_sql_fail(h->db, rc, "prepare", err);
    takc_sql_bind(s, 1, r->id);
    (void)sqlite3_bind_int64(s, 2, r->now_s);
    enum takc_status st = run_synced(h, s, "revoke a key", err);
    if (!st && sqlite3_changes(h->db) == 0)
        st = takc_fail(err, TAKC_NOT_FOUND, 0, "there is no key %.*s", TAKC_STR_ARG(r->id));
    return st;
}

enum takc_status takc_home_api_key_revoke(struct takc_home *h, struct takc_str id, int64_t now_s, struct takc_err *err)
{
    const struct revoke r = {id, now_s};
    return takc_catalog_work(h, revoke_work, &r, err);
}
