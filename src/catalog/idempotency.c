/* SPDX-License-Identifier: Apache-2.0
 *
 * idempotency.c - rows of the table idempotency. A row with status 0 is a request that runs; its reply is then the name of who runs it. */
#include "catalog/idempotency.h"

#include "catalog/sqlite.h"

/* Prepares, and binds subject and key to the first two parameters. */
static enum takc_status prepare(struct takc_home *h, const char *sql, const struct takc_idempotency_key *k, sqlite3_stmt **out,
                                struct takc_err *err)
{
    int rc = sqlite3_prepare_v2(h->db, sql, -1, out, NULL);
    if (rc)
        return takc_sql_fail(h->db, rc, "prepare", err);
    takc_sql_bind(*out, 1, k->subject);
    takc_sql_bind(*out, 2, k->key);
    return TAKC_OK;
}

/* Runs a statement that gives no rows, and frees it. */
static enum takc_status run(struct takc_home *h, sqlite3_stmt *s, struct takc_err *err)
{
    int rc = sqlite3_step(s);
    enum takc_status st = rc == SQLITE_DONE ? TAKC_OK : takc_sql_fail(h->db, rc, "keep a reply", err);
    (void)sqlite3_finalize(s);
    return st;
}

/* ---- begin ---- */

struct beginning {
    const struct takc_idempotency_begin *b;
    enum takc_idempotency_found *out;
    int *out_status;
    struct takc_buf *out_reply;
};

static enum takc_status drop_old(struct takc_home *h, const struct takc_idempotency_begin *b, struct takc_err *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(h->db,
                                "DELETE FROM idempotency WHERE at < ?1 OR at <= (SELECT at FROM idempotency ORDER BY at DESC LIMIT 1"
                                " OFFSET ?2)",
                                -1, &s, NULL);
    if (rc)
        return takc_sql_fail(h->db, rc, "prepare", err);
    (void)sqlite3_bind_int64(s, 1, b->now_s - TAKC_IDEMPOTENCY_KEPT_S);
    (void)sqlite3_bind_int64(s, 2, TAKC_IDEMPOTENCY_ROWS);
    return run(h, s, err);
}

static enum takc_status take(struct takc_home *h, const struct takc_idempotency_begin *b, struct takc_err *err)
{
    sqlite3_stmt *s = NULL;
    enum takc_status st = prepare(
        h, "INSERT OR REPLACE INTO idempotency(subject, key, request, status, at, reply) VALUES(?1, ?2, ?3, 0, ?4, ?5)", &b->key, &s, err);
    if (st)
        return st;
    takc_sql_bind(s, 3, b->request);
    (void)sqlite3_bind_int64(s, 4, b->now_s);
    takc_sql_bind(s, 5, b->owner);
    return run(h, s, err);
}

/* What a row that is there means. */
static enum takc_status judge(const struct beginning *g, sqlite3_stmt *q, struct takc_err *err)
{
    struct takc_str request = takc_str_n((const char *)sqlite3_column_text(q, 0), (size_t)sqlite3_column_bytes(q, 0));
    int status = sqlite3_column_int(q, 1);
    int64_t age_s = g->b->now_s - sqlite3_column_int64(q, 2);
    struct takc_str reply = takc_str_n(sqlite3_column_blob(q, 3), (size_t)sqlite3_column_bytes(q, 3));
    if (!takc_str_eq(request, g->b->request)) {
        *g->out = TAKC_IDEMPOTENCY_OTHER;
    } else if (status) {
        *g->out = TAKC_IDEMPOTENCY_KEPT;
        *g->out_status = status;
        takc_buf_reset(g->out_reply);
        return takc_buf_add(g->out_reply, reply, err);
    } else if (takc_str_eq(reply, g->b->owner) || age_s < g->b->running_s) {
        *g->out = TAKC_IDEMPOTENCY_RUNNING;
    }
    return TAKC_OK;
}

static enum takc_status look(struct takc_home *h, const struct beginning *g, struct takc_err *err)
{
    sqlite3_stmt *q = NULL;
    enum takc_status st =
        prepare(h, "SELECT request, status, at, reply FROM idempotency WHERE subject = ?1 AND key = ?2", &g->b->key, &q, err);
    if (st)
        return st;
    int rc = sqlite3_step(q);
    *g->out = TAKC_IDEMPOTENCY_NEW;
    if (rc == SQLITE_ROW)
        st = judge(g, q, err);
    else if (rc != SQLITE_DONE)
        st = takc_sql_fail(h->db, rc, "look for a reply", err);
    (void)sqlite3_finalize(q);
    return st;
}

static enum takc_status begin_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct beginning *g = arg;
    enum takc_status st = takc_sql_run(h->db, "BEGIN IMMEDIATE", err);
    if (st)
        return st;
    st = drop_old(h, g->b, err);
    if (!st)
        st = look(h, g, err);
    if (!st && *g->out == TAKC_IDEMPOTENCY_NEW)
        st = take(h, g->b, err);
    if (!st)
        st = takc_sql_run(h->db, "COMMIT", err);
    if (st)
        (void)sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

enum takc_status takc_home_idempotency_begin(struct takc_home *h, const struct takc_idempotency_begin *b, enum takc_idempotency_found *out,
                                             int *out_status, struct takc_buf *out_reply, struct takc_err *err)
{
    const struct beginning g = {b, out, out_status, out_reply};
    return takc_catalog_work(h, begin_work, &g, err);
}

/* ---- end ---- */

struct ending {
    const struct takc_idempotency_key *key;
    int status; /* 0: given up */
    struct takc_str reply;
    int64_t now_s;
};

static enum takc_status end_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct ending *e = arg;
    sqlite3_stmt *s = NULL;
    const char *sql = e->status ? "UPDATE idempotency SET status = ?3, at = ?4, reply = ?5 WHERE subject = ?1 AND key = ?2"
                                : "DELETE FROM idempotency WHERE subject = ?1 AND key = ?2";
    enum takc_status st = prepare(h, sql, e->key, &s, err);
    if (st)
        return st;
    if (e->status) {
        (void)sqlite3_bind_int(s, 3, e->status);
        (void)sqlite3_bind_int64(s, 4, e->now_s);
        (void)sqlite3_bind_blob64(s, 5, e->reply.ptr ? e->reply.ptr : "", e->reply.len, SQLITE_STATIC);
    }
    return run(h, s, err);
}

enum takc_status takc_home_idempotency_end(struct takc_home *h, const struct takc_idempotency_key *k, int status, struct takc_str reply,
                                           int64_t now_s, struct takc_err *err)
{
    const struct ending e = {k, status, reply, now_s};
    return takc_catalog_work(h, end_work, &e, err);
}

enum takc_status takc_home_idempotency_drop(struct takc_home *h, const struct takc_idempotency_key *k, struct takc_err *err)
{
    const struct ending e = {.key = k};
    return takc_catalog_work(h, end_work, &e, err);
}

/* ---- forget ---- */

struct forgetting {
    struct takc_str subjects, text;
};

static enum takc_status forget_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct forgetting *f = arg;
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(
        h->db, "DELETE FROM idempotency WHERE substr(subject, 1, length(?1)) = ?1 AND status > 0 AND instr(reply, CAST(?2 AS BLOB)) > 0",
        -1, &s, NULL);
    if (rc)
        return takc_sql_fail(h->db, rc, "prepare", err);
    takc_sql_bind(s, 1, f->subjects);
    takc_sql_bind(s, 2, f->text);
    return run(h, s, err);
}

enum takc_status takc_home_idempotency_forget(struct takc_home *h, struct takc_str subjects, struct takc_str text, struct takc_err *err)
{
    const struct forgetting f = {subjects, text};
    return takc_catalog_work(h, forget_work, &f, err);
}
