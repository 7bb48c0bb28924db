/* SPDX-License-Identifier: Apache-2.0
 *
 * audit.c - rows of the audit trail. Its statements are made for each use: a request that writes does far more than that. */
#include "catalog/audit.h"

#include "catalog/sqlite.h"

enum { PRUNE_EVERY = 1000, DAY_S = 86400 };

struct writing {
    const struct takc_audit_row *row;
    bool sync;
};

static enum takc_status prepare(struct takc_home *h, const char *sql, sqlite3_stmt **out, struct takc_err *err)
{
    int rc = sqlite3_prepare_v2(h->db, sql, -1, out, NULL);
    return rc ? takc_sql_fail(h->db, rc, "the audit trail", err) : TAKC_OK;
}

/* Steps a statement without rows and ends it. */
static enum takc_status finish(struct takc_home *h, sqlite3_stmt *s, struct takc_err *err)
{
    int rc = sqlite3_step(s);
    enum takc_status st = rc == SQLITE_DONE ? TAKC_OK : takc_sql_fail(h->db, rc, "the audit trail", err);
    (void)sqlite3_finalize(s);
    return st;
}

static enum takc_status insert(struct takc_home *h, const struct takc_audit_row *r, struct takc_err *err)
{
    sqlite3_stmt *s = NULL;
    const struct takc_str texts[] = {r->tenant, r->subject, r->peer, r->request_id, r->action, r->path};
    enum takc_status st = prepare(h,
                                  "INSERT INTO audit(at, tenant, subject, peer, request_id, action, path, status)"
                                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                                  &s, err);
    if (st)
        return st;
    (void)sqlite3_bind_int64(s, 1, r->at_s);
    for (int i = 0; i < 6; i++)
        takc_sql_bind(s, 2 + i, texts[i]);
    (void)sqlite3_bind_int(s, 8, r->status);
    return finish(h, s, err);
}

static enum takc_status write_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct writing *w = arg;
    enum takc_status st = w->sync ? takc_sql_run(h->db, "PRAGMA synchronous = FULL", err) : TAKC_OK;
    if (!st)
        st = insert(h, w->row, err);
    if (w->sync)
        (void)sqlite3_exec(h->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    return st;
}

struct pruning {
    int64_t before_s;
    int64_t rows;
};

static enum takc_status prune_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct pruning *p = arg;
    sqlite3_stmt *s = NULL;
    enum takc_status st = prepare(h, "DELETE FROM audit WHERE at < ?1 OR id <= (SELECT max(id) FROM audit) - ?2", &s, err);
    if (st)
        return st;
    (void)sqlite3_bind_int64(s, 1, p->before_s);
    (void)sqlite3_bind_int64(s, 2, p->rows);
    return finish(h, s, err);
}

enum takc_status takc_home_audit_prune(struct takc_home *h, int64_t now_s, uint64_t days, struct takc_err *err)
{
    const struct pruning p = {days ? now_s - (int64_t)days * DAY_S : INT64_MIN, TAKC_AUDIT_ROWS_MAX};
    return takc_catalog_work(h, prune_work, &p, err);
}

enum takc_status takc_home_audit(struct takc_home *h, const struct takc_audit_row *row, bool sync, uint64_t days, struct takc_err *err)
{
    static atomic_uint count; /* the first row of a process prunes, then one in a thousand */
    const struct writing w = {row, sync};
    enum takc_status st = takc_catalog_work(h, write_work, &w, err);
    if (!st && atomic_fetch_add(&count, 1) % PRUNE_EVERY == 0)
        (void)!takc_home_audit_prune(h, row->at_s, days, NULL); /* the next one tries again */
    return st;
}

/* ---- reading ---- */

struct reading {
    int64_t since_s, until_s;
    takc_audit_fn *each;
    void *arg;
};

static struct takc_str column(sqlite3_stmt *s, int at)
{
    const unsigned char *text = sqlite3_column_text(s, at);
    return takc_str_n((const char *)text, text ? (size_t)sqlite3_column_bytes(s, at) : 0);
}

static enum takc_status read_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct reading *r = arg;
    sqlite3_stmt *s = NULL;
    int rc = SQLITE_DONE;
    enum takc_status st = prepare(h,
                                  "SELECT at, tenant, subject, peer, request_id, action, path, status FROM audit"
                                  " WHERE at >= ?1 AND (?2 = 0 OR at < ?2) ORDER BY id",
                                  &s, err);
    if (st)
        return st;
    (void)sqlite3_bind_int64(s, 1, r->since_s);
    (void)sqlite3_bind_int64(s, 2, r->until_s);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        const struct takc_audit_row row = {.at_s = sqlite3_column_int64(s, 0),
                                           .tenant = column(s, 1),
                                           .subject = column(s, 2),
                                           .peer = column(s, 3),
                                           .request_id = column(s, 4),
                                           .action = column(s, 5),
                                           .path = column(s, 6),
                                           .status = sqlite3_column_int(s, 7)};
        r->each(r->arg, &row);
    }
    if (rc != SQLITE_DONE)
        st = takc_sql_fail(h->db, rc, "the audit trail", err);
    (void)sqlite3_finalize(s);
    return st;
}

enum takc_status takc_home_audit_each(struct takc_home *h, int64_t since_s, int64_t until_s, takc_audit_fn *each, void *arg,
                                      struct takc_err *err)
{
    const struct reading r = {since_s, until_s, each, arg};
    return takc_catalog_work(h, read_work, &r, err);
}
