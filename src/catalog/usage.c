/* SPDX-License-Identifier: Apache-2.0
 *
 * usage.c - the rows of the cost ledger.
 *
 * A row is put whole twice: when its call begins and when it ends. Both may be done again after a damaged catalogue was replaced, since the
 * id is drawn beforehand. Beginning is the one write of the catalogue that is synced: a call that was paid for must not vanish with the
 * power. Ending is not: what is lost of it leaves the row as it was begun, counted at its most. */
#include "catalog/usage.h"
#include "base/clock.h"
#include "catalog/sqlite.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

enum { N_COLUMNS = 21 };

/* SQLite's integers have a sign. */
static sqlite3_int64 whole(uint64_t n)
{
    return n > INT64_MAX ? INT64_MAX : (sqlite3_int64)n;
}

static void bind_row(sqlite3_stmt *s, int64_t id, const struct takc_usage_row *r)
{
    const struct takc_str texts[] = {r->task, r->version, r->purpose, r->provider, r->model, r->request_id, r->outcome};
    const uint64_t numbers[] = {r->input,          r->output,  r->cache_read,   r->cache_write, r->picodollars, r->ms,
                                r->first_token_ms, r->attempt, r->counted_here, r->priced,      r->fallback,    r->batch};
    int at = 1;
    (void)sqlite3_bind_int64(s, at++, id);
    (void)sqlite3_bind_int64(s, at++, r->at_s);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        takc_sql_bind(s, at++, texts[i]);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        (void)sqlite3_bind_int64(s, at++, whole(numbers[i]));
}

struct put {
    int64_t id;
    const struct takc_usage_row *row;
    uint64_t cap; /* 0: none */
    uint64_t *out_spent;
    bool once; /* a row of that id stays as it is */
};

static enum takc_status put_row(struct takc_home *h, const struct put *p, struct takc_err *err)
{
    sqlite3_stmt *s = NULL;
    enum takc_status st = takc_catalog_prepare(h, TAKC_STMT_PUT_USAGE, &s, err);
    if (st)
        return st;
    bind_row(s, p->id, p->row);
    return takc_catalog_step(h, s, "note a call", err);
}

static enum takc_status spent_in_month(struct takc_home *h, struct takc_str task, int64_t at_s, uint64_t *out, struct takc_err *err)
{
    sqlite3_stmt *s = NULL;
    enum takc_status st = takc_catalog_prepare(h, TAKC_STMT_MONTH, &s, err);
    if (st)
        return st;
    takc_sql_bind(s, 1, task);
    (void)sqlite3_bind_int64(s, 2, at_s);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        *out = (uint64_t)sqlite3_column_int64(s, 0);
    else
        st = takc_sql_fail(h->db, rc, "sum a month", err);
    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
    return st;
}

/* --- begin and end --- */

static enum takc_status is_there(struct takc_home *h, int64_t id, bool *out, struct takc_err *err)
{
    sqlite3_stmt *s = NULL;
    enum takc_status st = takc_catalog_prepare(h, TAKC_STMT_HAS_USAGE, &s, err);
    if (st)
        return st;
    (void)sqlite3_bind_int64(s, 1, id);
    int rc = sqlite3_step(s);
    *out = rc == SQLITE_ROW;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        st = takc_sql_fail(h->db, rc, "look for a call", err);
    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
    return st;
}

static enum takc_status judge_and_put(struct takc_home *h, const struct put *p, struct takc_err *err)
{
    uint64_t spent = 0;
    bool there = false;
    enum takc_status st = p->cap ? spent_in_month(h, p->row->task, p->row->at_s, &spent, err) : TAKC_OK;
    if (!st && p->once)
        st = is_there(h, p->id, &there, err);
    if (st)
        return st;
    if (p->out_spent)
        *p->out_spent = spent;
    if (there)
        return TAKC_OK;
    if (p->cap && (spent > p->cap || p->row->picodollars > p->cap - spent))
        return takc_fail(err, TAKC_COST, 0, "task %.*s has too little left of its month's cap", TAKC_STR_ARG(p->row->task));
    return put_row(h, p, err);
}

static enum takc_status begin_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    enum takc_status st = takc_sql_run(h->db, "PRAGMA synchronous = FULL; BEGIN IMMEDIATE", err);
    if (!st) {
        st = judge_and_put(h, arg, err);
        if (!st)
            st = takc_sql_run(h->db, "COMMIT", err);
        if (st)
            (void)sqlite3_exec(h->db, "ROLLBACK", NULL, NULL, NULL);
    }
    (void)sqlite3_exec(h->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    return st;
}

static enum takc_status draw_id(int64_t *out, struct takc_err *err)
{
    uint64_t n;
    ssize_t got;
    do
        got = getrandom(&n, sizeof(n), 0);
    while (got < 0 && errno == EINTR);
    if (got != sizeof(n))
        return takc_fail_errno(err, errno, "draw a random number");
    *out = (int64_t)(n >> 1) | 1;
    return TAKC_OK;
}

enum takc_status takc_home_usage_begin_within(struct takc_home *h, const struct takc_usage_row *row, uint64_t cap, int64_t *out_id,
                                              uint64_t *out_spent, struct takc_err *err)
{
    struct put p = {.row = row, .cap = cap, .out_spent = out_spent};
    enum takc_status st = draw_id(&p.id, err);
    if (!st)
        st = takc_catalog_work(h, begin_work, &p, err);
    if (!st)
        *out_id = p.id;
    return st;
}

enum takc_status takc_home_usage_begin_as(struct takc_home *h, int64_t id, const struct takc_usage_row *row, uint64_t cap,
                                          uint64_t *out_spent, struct takc_err *err)
{
    const struct put p = {.id = id, .row = row, .cap = cap, .out_spent = out_spent, .once = true};
    return takc_catalog_work(h, begin_work, &p, err);
}

enum takc_status takc_home_usage_begin(struct takc_home *h, const struct takc_usage_row *row, int64_t *out_id, struct takc_err *err)
{
    return takc_home_usage_begin_within(h, row, 0, out_id, NULL, err);
}

static enum takc_status end_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    return put_row(h, arg, err);
}

enum takc_status takc_home_usage_end(struct takc_home *h, int64_t id, const struct takc_usage_row *row, struct takc_err *err)
{
    const struct put p = {.id = id, .row = row};
    return takc_catalog_work(h, end_work, &p, err);
}

/* --- sums --- */

struct month {
    struct takc_str task;
    int64_t at_s;
    uint64_t *out;
};

static enum takc_status month_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct month *m = arg;
    return spent_in_month(h, m->task, m->at_s, m->out, err);
}

enum takc_status takc_home_spent_this_month(struct takc_home *h, struct takc_str task, int64_t now_s, uint64_t *out_picodollars,
                                            struct takc_err *err)
{
    const struct month m = {task, now_s, out_picodollars};
    return takc_catalog_work(h, month_work, &m, err);
}

struct sums { /* gathered first: nobody is called while the home is locked */
    const struct takc_usage_filter *filter;
    struct takc_arena arena;
    struct takc_usage_sum *rows;
    size_t n, cap;
};

static void write_sql(const struct takc_usage_filter *f, char out[1200])
{
    (void)snprintf(
        out, 1200,
        "SELECT %s AS t, %s AS m, %s AS d, %s AS p, count(*), sum(outcome NOT IN ('ok', 'length', 'blocked', 'lost')),"
        " sum(outcome = 'lost'), sum(NOT priced), sum(batch), sum(input), sum(output), sum(cache_read), sum(cache_write), sum(picodollars),"
        " sum(ms) FROM usage WHERE (?1 = '' OR task = ?1) AND (?2 = '' OR ?2 IN (provider || ':' || model, model, provider))"
        " AND (?3 = 0 OR at >= ?3) AND (?4 = 0 OR at < ?4) GROUP BY t, m, d, p ORDER BY d, t, m, p",
        f->by & TAKC_USAGE_BY_TASK ? "task" : "''", f->by & TAKC_USAGE_BY_MODEL ? "provider || ':' || model" : "''",
        f->by & TAKC_USAGE_BY_DAY ? "date(at, 'unixepoch')" : "''", f->by & TAKC_USAGE_BY_PURPOSE ? "purpose" : "''");
}

/* Doubles the list; what it outgrew stays the arena's. */
static bool grow(struct sums *s)
{
    size_t cap = s->cap ? 2 * s->cap : 16;
    struct takc_usage_sum *rows = takc_arena_array(&s->arena, cap, sizeof(*rows));
    if (!rows)
        return false;
    if (s->n)
        memcpy(rows, s->rows, s->n * sizeof(*rows));
    s->rows = rows;
    s->cap = cap;
    return true;
}

static enum takc_status take_sum(struct sums *s, sqlite3_stmt *q, struct takc_err *err)
{
    if (s->n == s->cap && !grow(s))
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for sums");
    struct takc_usage_sum *r = &s->rows[s->n++];
    struct takc_str *texts[] = {&r->task, &r->model, &r->day, &r->purpose};
    uint64_t *numbers[] = {&r->calls,  &r->failed,     &r->lost,        &r->unpriced,    &r->batch, &r->input,
                           &r->output, &r->cache_read, &r->cache_write, &r->picodollars, &r->ms};
    int at = 0;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *text = (const char *)sqlite3_column_text(q, at++);
        *texts[i] = takc_arena_dup(&s->arena, takc_str(text));
        if (!texts[i]->ptr)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for sums");
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        *numbers[i] = (uint64_t)sqlite3_column_int64(q, at++);
    return TAKC_OK;
}

static enum takc_status sums_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    struct sums *s = *(struct sums *const *)arg;
    const struct takc_usage_filter *f = s->filter;
    char sql[1200];
    sqlite3_stmt *q = NULL;
    s->n = 0;
    write_sql(f, sql);
    int rc = sqlite3_prepare_v2(h->db, sql, -1, &q, NULL);
    if (rc)
        return takc_sql_fail(h->db, rc, "prepare", err);
    takc_sql_bind(q, 1, f->task);
    takc_sql_bind(q, 2, f->model);
    (void)sqlite3_bind_int64(q, 3, f->since_s);
    (void)sqlite3_bind_int64(q, 4, f->until_s);
    enum takc_status st = TAKC_OK;
    while (!st && (rc = sqlite3_step(q)) == SQLITE_ROW)
        st = take_sum(s, q, err);
    if (!st && rc != SQLITE_DONE)
        st = takc_sql_fail(h->db, rc, "sum calls", err);
    (void)sqlite3_finalize(q);
    return st;
}

enum takc_status takc_home_usage(struct takc_home *h, const struct takc_usage_filter *f, takc_usage_fn *each, void *arg,
                                 struct takc_err *err)
{
    struct sums s = {.filter = f}, *to = &s;
    takc_arena_init(&s.arena);
    enum takc_status st = takc_catalog_work(h, sums_work, &to, err);
    for (size_t i = 0; !st && i < s.n; i++)
        st = each(arg, &s.rows[i], err);
    takc_arena_clear(&s.arena);
    return st;
}

/* --- pace --- */

struct pace {
    struct takc_str provider, model;
    unsigned most;
    uint64_t *out_n, *out_ms;
};

static enum takc_status pace_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    static const char sql[] = "WITH last AS (SELECT ms FROM usage WHERE provider = ?1 AND model = ?2 AND outcome IN ('ok', 'length')"
                              " AND purpose IN ('compress', 'condense', 'repair') AND NOT batch ORDER BY at DESC, id LIMIT ?3)"
                              " SELECT count(*), coalesce((SELECT ms FROM last ORDER BY ms LIMIT 1"
                              " OFFSET (SELECT (count(*) - 1) / 2 FROM last)), 0) FROM last";
    const struct pace *p = arg;
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(h->db, sql, -1, &q, NULL);
    if (rc)
        return takc_sql_fail(h->db, rc, "prepare", err);
    takc_sql_bind(q, 1, p->provider);
    takc_sql_bind(q, 2, p->model);
    (void)sqlite3_bind_int64(q, 3, p->most);
    enum takc_status st = TAKC_OK;
    if ((rc = sqlite3_step(q)) == SQLITE_ROW) {
        *p->out_n = (uint64_t)sqlite3_column_int64(q, 0);
        *p->out_ms = (uint64_t)sqlite3_column_int64(q, 1);
    } else {
        st = takc_sql_fail(h->db, rc, "look how long calls took", err);
    }
    (void)sqlite3_finalize(q);
    return st;
}

enum takc_status takc_home_usage_pace(struct takc_home *h, struct takc_str provider, struct takc_str model, unsigned most, uint64_t *out_n,
                                      uint64_t *out_ms, struct takc_err *err)
{
    const struct pace p = {provider, model, most, out_n, out_ms};
    return takc_catalog_work(h, pace_work, &p, err);
}

/* --- from a damaged catalogue --- */

/* Puts rows as they come until one cannot be read. */
static uint64_t take_over(sqlite3 *to, sqlite3 *from, const char *select)
{
    sqlite3_stmt *q = NULL, *put = NULL;
    uint64_t n = 0;
    int rc = sqlite3_prepare_v2(from, select, -1, &q, NULL);
    if (!rc)
        rc = sqlite3_prepare_v2(to,
                                "INSERT OR IGNORE INTO usage VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
                                " ?17, ?18, ?19, ?20, ?21)",
                                -1, &put, NULL);
    while (!rc && sqlite3_step(q) == SQLITE_ROW) {
        for (int i = 0; !rc && i < N_COLUMNS; i++)
            rc = sqlite3_bind_value(put, i + 1, sqlite3_column_value(q, i));
        if (!rc && sqlite3_step(put) == SQLITE_DONE)
            n += (uint64_t)sqlite3_changes(to);
        (void)sqlite3_reset(put);
    }
    (void)sqlite3_finalize(put);
    (void)sqlite3_finalize(q);
    return n;
}

uint64_t takc_catalog_take_usage_locked(struct takc_home *h, const char *file)
{
    sqlite3 *from = NULL;
    uint64_t n = 0;
    if (takc_sql_run(h->db, "BEGIN IMMEDIATE", NULL))
        return 0;
    if (!sqlite3_open_v2(file, &from, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL)) {
        (void)sqlite3_db_config(from, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        /* From both ends: a page that cannot be read hides only itself. */
        n = take_over(h->db, from, "SELECT * FROM usage NOT INDEXED ORDER BY id");
        n += take_over(h->db, from, "SELECT * FROM usage NOT INDEXED ORDER BY id DESC");
    }
    (void)sqlite3_close(from);
    return takc_sql_run(h->db, "COMMIT", NULL) ? 0 : n;
}
