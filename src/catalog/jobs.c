/* SPDX-License-Identifier: Apache-2.0
 *
 * jobs.c - the queue of jobs in the catalogue's table. Each function is one statement or one transaction, so that servers which share a
 * home cannot take the same job. Statements are prepared each time: jobs are few, and each is worth far more than that. */
#include "catalog/jobs.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "catalog/sqlite.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

static const char *const state_names[] = {"", "queued", "running", "done", "failed", "cancelled"};

const char *takc_job_state_name(enum takc_job_state s)
{
    return state_names[s];
}

enum takc_job_state takc_job_state_of(struct takc_str name)
{
    for (int i = TAKC_JOB_QUEUED; i <= TAKC_JOB_CANCELLED; i++)
        if (takc_str_is(name, state_names[i]))
            return (enum takc_job_state)i;
    return TAKC_JOB_UNSET;
}

enum takc_status takc_job_id(char out[TAKC_JOB_ID_BYTES], struct takc_err *err)
{
    static _Atomic uint64_t last; /* microseconds since 1970; two of the same moment still differ in order */
    struct timespec t;
    uint64_t random, seen = atomic_load(&last), now;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    do {
        now = (uint64_t)t.tv_sec * 1000000u + (uint64_t)t.tv_nsec / 1000u;
        now = now > seen ? now : seen + 1;
    } while (!atomic_compare_exchange_weak(&last, &seen, now));
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return takc_fail_errno(err, errno, "draw a random number");
    (void)snprintf(out, TAKC_JOB_ID_BYTES, "%016" PRIx64 "%016" PRIx64, now, random);
    return TAKC_OK;
}

struct sqlite_queue {
    struct takc_queue base;
    struct takc_home *home;
};

/* ---- statements ---- */

#define COLUMNS "id, tenant, kind, task, subject, request, result, stage, state, progress, attempts, created, started, ended"
#define LISTED "id, tenant, kind, task, subject, '', '', stage, state, progress, attempts, created, started, ended"

struct value { /* a parameter: text, or a number where text has no pointer */
    struct takc_str text;
    int64_t number;
};
struct ask { /* a statement, what it is given, what comes of it */
    const char *sql;
    const struct value *values;
    size_t n_values;
    bool synced;
    struct takc_arena *arena; /* of rows */
    struct takc_job_row *rows;
    size_t rows_max;
    size_t *n_rows; /* rows read, where rows is set; else rows changed */
};

static struct takc_str column(sqlite3_stmt *s, int at, struct takc_arena *a, bool *good)
{
    const char *text = (const char *)sqlite3_column_text(s, at);
    struct takc_str v = takc_arena_dup(a, takc_str_n(text ? text : "", (size_t)sqlite3_column_bytes(s, at)));
    *good = *good && v.ptr;
    return v;
}

static enum takc_status read_row(sqlite3_stmt *s, struct takc_arena *a, struct takc_job_row *out, struct takc_err *err)
{
    bool good = true;
    struct takc_str *texts[] = {&out->id, &out->tenant, &out->kind, &out->task, &out->subject, &out->request, &out->result, &out->stage};
    for (int i = 0; i < 8; i++)
        *texts[i] = column(s, i, a, &good);
    struct takc_str state = column(s, 8, a, &good);
    out->state = takc_job_state_of(state.ptr ? state : takc_str(""));
    out->progress = (unsigned)sqlite3_column_int(s, 9);
    out->attempts = (unsigned)sqlite3_column_int(s, 10);
    out->created_s = sqlite3_column_int64(s, 11);
    out->started_s = sqlite3_column_int64(s, 12);
    out->ended_s = sqlite3_column_int64(s, 13);
    return good ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a job");
}

static enum takc_status step_all(struct takc_home *h, sqlite3_stmt *s, const struct ask *a, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    size_t n = 0;
    int rc;
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && !st)
        if (a->rows && n < a->rows_max)
            st = read_row(s, a->arena, &a->rows[n++], err);
    if (!st && rc != SQLITE_DONE)
        st = takc_sql_fail(h->db, rc, "jobs", err);
    if (!st && a->n_rows)
        *a->n_rows = a->rows ? n : (size_t)sqlite3_changes(h->db);
    return st;
}

static enum takc_status run_ask(struct takc_home *h, const struct ask *a, struct takc_err *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(h->db, a->sql, -1, &s, NULL);
    enum takc_status st = rc ? takc_sql_fail(h->db, rc, "jobs", err) : TAKC_OK;
    for (size_t i = 0; i < a->n_values && !st; i++)
        if (a->values[i].text.ptr)
            takc_sql_bind(s, (int)i + 1, a->values[i].text);
        else
            (void)sqlite3_bind_int64(s, (int)i + 1, a->values[i].number);
    if (!st)
        st = step_all(h, s, a, err);
    (void)sqlite3_finalize(s);
    return st;
}

static enum takc_status ask_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct ask *a = arg;
    enum takc_status st = a->synced ? takc_sql_run(h->db, "PRAGMA synchronous = FULL", err) : TAKC_OK;
    if (!st)
        st = run_ask(h, a, err);
    if (a->synced)
        (void)sqlite3_exec(h->db, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
    return st;
}

static enum takc_status ask(struct takc_queue *q, const struct ask *a, struct takc_err *err)
{
    return takc_catalog_work(((struct sqlite_queue *)(void *)q)->home, ask_work, a, err);
}

static struct value text(struct takc_str s)
{
    return (struct value){{s.ptr ? s.ptr : "", s.len}, 0};
}
static struct value number(int64_t n)
{
    return (struct value){{NULL, 0}, n};
}
static struct value now(void)
{
    const struct takc_clock *clock = takc_clock_system();
    return number(clock->wall_s(clock));
}
#define ASK(sql_, values_, ...)                                                                                                            \
    (struct ask)                                                                                                                           \
    {                                                                                                                                      \
        .sql = (sql_), .values = (values_), .n_values = sizeof(values_) / sizeof((values_)[0]), __VA_ARGS__                                \
    }

/* ---- the queue's functions ---- */

/* The count and the row are one statement: nobody comes between. */
static enum takc_status add(struct takc_queue *q, const struct takc_job_row *job, size_t open_max, struct takc_err *err)
{
    size_t n = 0;
    const struct value v[] = {text(job->id),      text(job->tenant),  text(job->kind), text(job->task),
                              text(job->subject), text(job->request), now(),           number((int64_t)open_max)};
    const struct ask a = ASK("INSERT INTO jobs(id, tenant, kind, task, subject, state, request, result, progress, stage, created, started,"
                             " ended, attempts) SELECT ?1, ?2, ?3, ?4, ?5, 'queued', ?6, '', 0, '', ?7, 0, 0, 0"
                             " WHERE (SELECT count(*) FROM jobs WHERE state = 'queued') < ?8 AND (?2 = '' OR"
                             " (SELECT count(*) FROM jobs WHERE state = 'queued' AND tenant = ?2) < (?8 + 1) / 2)",
                             v, .synced = true, .n_rows = &n);
    enum takc_status st = ask(q, &a, err);
    return st || n
               ? st
               : takc_fail(err, TAKC_BUSY, 1,
                           "as many jobs wait already as may: %zu, half of them of one tenant; try again when some have ended", open_max);
}

static enum takc_status take(struct takc_queue *q, struct takc_str kind, struct takc_arena *arena, struct takc_job_row *out,
                             struct takc_err *err)
{
    size_t n = 0;
    const struct value v[] = {text(kind), now()};
    const struct ask a = ASK("UPDATE jobs SET state = 'running', attempts = attempts + 1,"
                             " started = CASE started WHEN 0 THEN ?2 ELSE started END WHERE id ="
                             " (SELECT id FROM jobs AS j WHERE state = 'queued' AND (?1 = '' OR kind = ?1) AND NOT EXISTS"
                             " (SELECT 1 FROM jobs AS r WHERE r.tenant = j.tenant AND r.task = j.task"
                             " AND (r.state = 'running' OR (r.state = 'queued' AND r.id < j.id)))"
                             " ORDER BY created, id LIMIT 1) RETURNING " COLUMNS,
                             v, .synced = true, .arena = arena, .rows = out, .rows_max = 1, .n_rows = &n);
    enum takc_status st = ask(q, &a, err);
    return st || n ? st : takc_fail(err, TAKC_NOT_FOUND, 0, "no job waits");
}

static enum takc_status changed_one(size_t n, struct takc_str id, struct takc_err *err)
{
    return n ? TAKC_OK : takc_fail(err, TAKC_NOT_FOUND, 0, "job %.*s is not running", TAKC_STR_ARG(id));
}

static enum takc_status note(struct takc_queue *q, struct takc_str id, unsigned progress, struct takc_str stage, struct takc_err *err)
{
    size_t n = 0;
    const struct value v[] = {text(id), number(progress), text(stage)};
    const struct ask a = ASK("UPDATE jobs SET progress = ?2, stage = ?3 WHERE id = ?1 AND state = 'running'", v, .n_rows = &n);
    enum takc_status st = ask(q, &a, err);
    return st ? st : changed_one(n, id, err);
}

static enum takc_status put_back(struct takc_queue *q, struct takc_str id, struct takc_err *err)
{
    size_t n = 0;
    const struct value v[] = {text(id)};
    const struct ask a = ASK("UPDATE jobs SET state = 'queued', attempts = attempts - 1 WHERE id = ?1 AND state = 'running'", v,
                             .synced = true, .n_rows = &n);
    enum takc_status st = ask(q, &a, err);
    return st ? st : changed_one(n, id, err);
}

static enum takc_status end(struct takc_queue *q, struct takc_str id, enum takc_job_state state, struct takc_str result,
                            struct takc_err *err)
{
    size_t n = 0;
    const struct value v[] = {text(id), text(takc_str(takc_job_state_name(state))), text(result), now()};
    const struct ask a = ASK("UPDATE jobs SET state = ?2, result = ?3, ended = ?4, stage = '', request = '',"
                             " progress = CASE ?2 WHEN 'done' THEN 100 ELSE progress END WHERE id = ?1 AND state = 'running'",
                             v, .synced = true, .n_rows = &n);
    if (state == TAKC_JOB_QUEUED)
        return put_back(q, id, err);
    enum takc_status st = ask(q, &a, err);
    return st ? st : changed_one(n, id, err);
}

static enum takc_status get(struct takc_queue *q, struct takc_str tenant, struct takc_str id, struct takc_arena *arena,
                            struct takc_job_row *out, struct takc_err *err)
{
    size_t n = 0;
    const struct value v[] = {text(tenant), text(id)};
    const struct ask a =
        ASK("SELECT " COLUMNS " FROM jobs WHERE id = ?2 AND tenant = ?1", v, .arena = arena, .rows = out, .rows_max = 1, .n_rows = &n);
    enum takc_status st = ask(q, &a, err);
    return st || n ? st : takc_fail(err, TAKC_NOT_FOUND, 0, "there is no job %.*s", TAKC_STR_ARG(id));
}

static enum takc_status cancel(struct takc_queue *q, struct takc_str tenant, struct takc_str id, struct takc_err *err)
{
    size_t n = 0;
    struct takc_arena arena;
    struct takc_job_row row;
    const struct value v[] = {text(tenant), text(id), now()};
    const struct ask a = ASK("UPDATE jobs SET state = 'cancelled', ended = ?3, stage = '', request = '' WHERE id = ?2 AND tenant = ?1"
                             " AND state IN ('queued', 'running')",
                             v, .synced = true, .n_rows = &n);
    enum takc_status st = ask(q, &a, err);
    if (st || n)
        return st;
    takc_arena_init(&arena);
    st = get(q, tenant, id, &arena, &row, err);
    takc_arena_clear(&arena);
    return st ? st : takc_fail(err, TAKC_CONFLICT, 0, "job %.*s has ended already", TAKC_STR_ARG(id));
}

static enum takc_status list(struct takc_queue *q, const struct takc_job_filter *f, struct takc_arena *arena, struct takc_job_row **out,
                             size_t *out_n, struct takc_err *err)
{
    size_t n = 0;
    struct takc_job_row *rows = takc_arena_array(arena, f->max + 1, sizeof(*rows));
    if (!rows)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu jobs", f->max);
    const struct value v[] = {text(f->tenant), text(f->task), text(f->before_id), text(takc_str(takc_job_state_name(f->state))),
                              number((int64_t)f->max)};
    const struct ask a = ASK("SELECT " LISTED " FROM jobs WHERE tenant = ?1 AND (?2 = '' OR task = ?2) AND (?3 = '' OR id < ?3)"
                             " AND (?4 = '' OR state = ?4) ORDER BY id DESC LIMIT ?5",
                             v, .arena = arena, .rows = rows, .rows_max = f->max, .n_rows = &n);
    enum takc_status st = ask(q, &a, err);
    if (st)
        return st;
    *out = rows;
    *out_n = n;
    return TAKC_OK;
}

static enum takc_status is_open(struct takc_queue *q, struct takc_str id, bool *out, struct takc_err *err)
{
    size_t n = 0;
    struct takc_arena arena;
    struct takc_job_row row;
    const struct value v[] = {text(id)};
    takc_arena_init(&arena);
    const struct ask a = ASK("SELECT " COLUMNS " FROM jobs WHERE id = ?1 AND state IN ('queued', 'running')", v, .arena = &arena,
                             .rows = &row, .rows_max = 1, .n_rows = &n);
    enum takc_status st = ask(q, &a, err);
    takc_arena_clear(&arena);
    if (!st)
        *out = n > 0;
    return st;
}

static enum takc_status recover(struct takc_queue *q, struct takc_str in_hand, unsigned attempts_max, struct takc_str result,
                                struct takc_err *err)
{
    const struct value v[] = {number(attempts_max), text(result), now(), text(in_hand)};
    const struct ask a = ASK("UPDATE jobs SET state = iif(attempts < ?1, 'queued', 'failed'), result = iif(attempts < ?1, '', ?2),"
                             " request = iif(attempts < ?1, request, ''), ended = iif(attempts < ?1, 0, ?3), stage = ''"
                             " WHERE state = 'running' AND instr(?4, id) = 0",
                             v, .synced = true);
    return ask(q, &a, err);
}

static enum takc_status prune(struct takc_queue *q, int64_t before_s, size_t keep, struct takc_err *err)
{
    const struct value v[] = {number(before_s), number((int64_t)keep)};
    const struct ask a = ASK("DELETE FROM jobs WHERE state NOT IN ('queued', 'running') AND (ended < ?1 OR id IN"
                             " (SELECT id FROM jobs WHERE state NOT IN ('queued', 'running') ORDER BY id DESC LIMIT -1 OFFSET ?2))",
                             v, .synced = false);
    return ask(q, &a, err);
}

static void close_queue(struct takc_queue *q)
{
    takc_free(q);
}

enum takc_status takc_queue_sqlite_open(struct takc_queue **out, struct takc_home *h, struct takc_err *err)
{
    static const struct takc_queue_ops ops = {.name = "sqlite",
                                              .add = add,
                                              .take = take,
                                              .note = note,
                                              .end = end,
                                              .cancel = cancel,
                                              .get = get,
                                              .is_open = is_open,
                                              .list = list,
                                              .recover = recover,
                                              .prune = prune,
                                              .close = close_queue};
    struct sqlite_queue *q = takc_alloc(sizeof(*q));
    if (!q)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a queue");
    *q = (struct sqlite_queue){{&ops}, h};
    *out = &q->base;
    return TAKC_OK;
}

/* ---- for metrics ---- */

static enum takc_status count_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    uint64_t *out = *(uint64_t *const *)arg;
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(h->db, "SELECT state, count(*) FROM jobs GROUP BY state", -1, &s, NULL);
    if (rc)
        return takc_sql_fail(h->db, rc, "count jobs", err);
    memset(out, 0, (TAKC_JOB_CANCELLED + 1) * sizeof(*out));
    while ((rc = sqlite3_step(s)) == SQLITE_ROW)
        out[takc_job_state_of(takc_str((const char *)sqlite3_column_text(s, 0)))] += (uint64_t)sqlite3_column_int64(s, 1);
    (void)sqlite3_finalize(s);
    return rc == SQLITE_DONE ? TAKC_OK : takc_sql_fail(h->db, rc, "count jobs", err);
}

enum takc_status takc_home_count_jobs(struct takc_home *h, uint64_t out[TAKC_JOB_CANCELLED + 1], struct takc_err *err)
{
    return takc_catalog_work(h, count_work, &out, err);
}
