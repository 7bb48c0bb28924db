/* SPDX-License-Identifier: Apache-2.0
 *
 * quotas.c - rows of the table quotas. */
#include "catalog/quotas.h"

#include "catalog/sqlite.h"

static const char *const kinds[] = {[TAKC_QUOTA_BUCKET] = "bucket", [TAKC_QUOTA_DAY] = "day"};

static enum takc_quota_kind kind_of(struct takc_str name)
{
    for (size_t i = 1; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (takc_str_is(name, kinds[i]))
            return (enum takc_quota_kind)i;
    return TAKC_QUOTA_KIND_UNSET;
}

/* ---- reading ---- */

struct reading {
    takc_quota_row_fn *each;
    void *arg;
};

static enum takc_status tell(const struct reading *r, sqlite3_stmt *q, struct takc_err *err)
{
    const struct takc_quota_row row = {.subject = takc_str((const char *)sqlite3_column_text(q, 0)),
                                       .kind = kind_of(takc_str((const char *)sqlite3_column_text(q, 1))),
                                       .value = sqlite3_column_int64(q, 2),
                                       .at = sqlite3_column_int64(q, 3)};
    return row.subject.len && row.kind ? r->each(r->arg, &row, err) : TAKC_OK;
}

static enum takc_status read_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(h->db, "SELECT subject, kind, value, at FROM quotas", -1, &q, NULL);
    enum takc_status st = rc ? takc_sql_fail(h->db, rc, "prepare", err) : TAKC_OK;
    while (!st && (rc = sqlite3_step(q)) == SQLITE_ROW)
        st = tell(arg, q, err);
    if (!st && rc != SQLITE_DONE)
        st = takc_sql_fail(h->db, rc, "read quotas", err);
    (void)sqlite3_finalize(q);
    return st;
}

enum takc_status takc_home_quotas(struct takc_home *h, takc_quota_row_fn *each, void *arg, struct takc_err *err)
{
    const struct reading r = {each, arg};
    return takc_catalog_work(h, read_work, &r, err);
}

/* ---- writing ---- */

struct putting {
    const struct takc_quota_row *rows;
    size_t n;
    int64_t now_ms, today;
};

static enum takc_status put_rows(struct takc_home *h, const struct putting *p, struct takc_err *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(h->db, "INSERT OR REPLACE INTO quotas VALUES(?1, ?2, ?3, ?4)", -1, &s, NULL);
    for (size_t i = 0; !rc && i < p->n; i++) {
        takc_sql_bind(s, 1, p->rows[i].subject);
        takc_sql_bind(s, 2, takc_str(kinds[p->rows[i].kind]));
        (void)sqlite3_bind_int64(s, 3, p->rows[i].value);
        (void)sqlite3_bind_int64(s, 4, p->rows[i].at);
        rc = sqlite3_step(s) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(h->db);
        (void)sqlite3_reset(s);
    }
    (void)sqlite3_finalize(s);
    return rc ? takc_sql_fail(h->db, rc, "keep quotas", err) : TAKC_OK;
}

static enum takc_status drop_rows(struct takc_home *h, const struct putting *p, struct takc_err *err)
{
    sqlite3_stmt *s = NULL;
    int rc =
        sqlite3_prepare_v2(h->db, "DELETE FROM quotas WHERE (kind = 'bucket' AND value <= ?1) OR (kind = 'day' AND at < ?2)", -1, &s, NULL);
    if (!rc) {
        (void)sqlite3_bind_int64(s, 1, p->now_ms);
        (void)sqlite3_bind_int64(s, 2, p->today);
        rc = sqlite3_step(s) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(h->db);
    }
    (void)sqlite3_finalize(s);
    return rc ? takc_sql_fail(h->db, rc, "drop quotas", err) : TAKC_OK;
}

static enum takc_status put_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    enum takc_status st = takc_sql_run(h->db, "BEGIN IMMEDIATE", err);
    if (st)
        return st;
    st = put_rows(h, arg, err);
    if (!st)
        st = drop_rows(h, arg, err);
    if (!st)
        st = takc_sql_run(h->db, "COMMIT", err);
    if (st)
        (void)sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

enum takc_status takc_home_quotas_put(struct takc_home *h, const struct takc_quota_row *rows, size_t n, int64_t now_ms, int64_t today,
                                      struct takc_err *err)
{
    const struct putting p = {rows, n, now_ms, today};
    return takc_catalog_work(h, put_work, &p, err);
}
