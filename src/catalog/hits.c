/* SPDX-License-Identifier: Apache-2.0
 *
 * hits.c - rows of the table hits. */
#include "catalog/hits.h"

#include "catalog/sqlite.h"

/* ---- reading ---- */

struct reading {
    struct takc_str task;
    takc_rate rate;
    void (*each)(void *arg, struct takc_hit_count c);
    void *arg;
};

static enum takc_status read_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct reading *r = arg;
    struct takc_hit_count c = {0, 0};
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(h->db, "SELECT n, last FROM hits WHERE task = ?1 AND rate = ?2", -1, &q, NULL);
    if (!rc) {
        takc_sql_bind(q, 1, r->task);
        (void)sqlite3_bind_int64(q, 2, r->rate);
        rc = sqlite3_step(q);
    }
    if (rc == SQLITE_ROW)
        c = (struct takc_hit_count){(uint64_t)sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1)};
    enum takc_status st = rc == SQLITE_ROW || rc == SQLITE_DONE ? TAKC_OK : takc_sql_fail(h->db, rc, "read hits", err);
    (void)sqlite3_finalize(q);
    if (!st)
        r->each(r->arg, c);
    return st;
}

enum takc_status takc_home_hits(struct takc_home *h, struct takc_str task, takc_rate rate, void (*each)(void *arg, struct takc_hit_count c),
                                void *arg, struct takc_err *err)
{
    const struct reading r = {task, rate, each, arg};
    return takc_catalog_work(h, read_work, &r, err);
}

/* ---- adding ---- */

struct adding {
    const struct takc_hit_row *rows;
    size_t n;
    void (*kept)(void *arg);
    void *arg;
};

static enum takc_status add_rows(struct takc_home *h, const struct adding *a, struct takc_err *err)
{
    static const char sql[] = "INSERT INTO hits SELECT ?1, ?2, ?3, ?4 WHERE EXISTS(SELECT 1 FROM versions WHERE task = ?1)"
                              " ON CONFLICT(task, rate) DO UPDATE SET n = n + excluded.n, last = max(last, excluded.last)";
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(h->db, sql, -1, &s, NULL);
    for (size_t i = 0; !rc && i < a->n; i++) {
        takc_sql_bind(s, 1, takc_str(a->rows[i].task));
        (void)sqlite3_bind_int64(s, 2, a->rows[i].rate);
        (void)sqlite3_bind_int64(s, 3, (sqlite3_int64)a->rows[i].uses.n);
        (void)sqlite3_bind_int64(s, 4, a->rows[i].uses.last_s);
        rc = sqlite3_step(s) == SQLITE_DONE ? SQLITE_OK : sqlite3_errcode(h->db);
        (void)sqlite3_reset(s);
    }
    (void)sqlite3_finalize(s);
    return rc ? takc_sql_fail(h->db, rc, "keep hits", err) : TAKC_OK;
}

static enum takc_status add_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct adding *a = arg;
    enum takc_status st = takc_sql_run(h->db, "BEGIN IMMEDIATE", err);
    if (st)
        return st;
    st = add_rows(h, a, err);
    if (!st)
        st = takc_sql_run(h->db, "COMMIT", err);
    if (st)
        (void)sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
    else
        a->kept(a->arg);
    return st;
}

enum takc_status takc_home_hits_add(struct takc_home *h, const struct takc_hit_row *rows, size_t n, void (*kept)(void *arg), void *arg,
                                    struct takc_err *err)
{
    const struct adding a = {rows, n, kept, arg};
    return takc_catalog_work(h, add_work, &a, err);
}
