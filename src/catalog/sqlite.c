/* SPDX-License-Identifier: Apache-2.0
 *
 * sqlite.c - the catalogue's file: catalog.sqlite beside the objects, in WAL mode; opened, judged, replaced.
 *
 * Opening a home does not touch it: the first note or rebuild opens it, under locks/.catalog, so that one process at a time makes, judges
 * or replaces it. A damaged file is moved aside (catalog.sqlite.damaged-N), never deleted but by scrub, and made anew; processes that still
 * have the old one open notice by its inode and open the new one. */
#include "catalog/sqlite.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CATALOG_SCHEMA = 4, BUSY_MS = 5000, OPEN_WAIT_MS = 10000, ASIDE_MAX = 1000 };

/* Columns in the order of usage.c. Times in seconds since 1970, money in picodollars. */
#define USAGE_SQL                                                                                                                          \
    "CREATE TABLE usage(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, task TEXT NOT NULL, version TEXT NOT NULL, purpose TEXT NOT NULL,"    \
    " provider TEXT NOT NULL, model TEXT NOT NULL, request_id TEXT NOT NULL, outcome TEXT NOT NULL, input INTEGER NOT NULL,"               \
    " output INTEGER NOT NULL, cache_read INTEGER NOT NULL, cache_write INTEGER NOT NULL, picodollars INTEGER NOT NULL,"                   \
    " ms INTEGER NOT NULL, first_token_ms INTEGER NOT NULL, attempt INTEGER NOT NULL, counted_here INTEGER NOT NULL,"                      \
    " priced INTEGER NOT NULL, fallback INTEGER NOT NULL, batch INTEGER NOT NULL);"                                                        \
    "CREATE INDEX usage_by_task ON usage(task, at, picodollars);"

/* What `takc serve` keeps. Times in seconds since 1970, money in picodollars; tenant '': the default one. */
#define SERVE_SQL                                                                                                                          \
    "CREATE TABLE api_keys(id TEXT PRIMARY KEY, hash TEXT NOT NULL, name TEXT NOT NULL, tenant TEXT NOT NULL, may INTEGER NOT NULL,"       \
    " tasks TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, revoked INTEGER NOT NULL) WITHOUT ROWID;"                   \
    "CREATE TABLE jobs(id TEXT PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, task TEXT NOT NULL, subject TEXT NOT NULL,"          \
    " state TEXT NOT NULL, request TEXT NOT NULL, result TEXT NOT NULL, progress INTEGER NOT NULL, stage TEXT NOT NULL,"                   \
    " created INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL, attempts INTEGER NOT NULL) WITHOUT ROWID;"               \
    "CREATE INDEX jobs_by_state ON jobs(state, created);"                                                                                  \
    "CREATE TABLE quotas(subject TEXT NOT NULL, kind TEXT NOT NULL, value INTEGER NOT NULL, at INTEGER NOT NULL,"                          \
    " PRIMARY KEY(subject, kind)) WITHOUT ROWID;"                                                                                          \
    "CREATE TABLE audit(id INTEGER PRIMARY KEY, at INTEGER NOT NULL, tenant TEXT NOT NULL, subject TEXT NOT NULL, peer TEXT NOT NULL,"     \
    " request_id TEXT NOT NULL, action TEXT NOT NULL, path TEXT NOT NULL, status INTEGER NOT NULL);"                                       \
    "CREATE INDEX audit_by_time ON audit(at);"                                                                                             \
    "CREATE TABLE idempotency(subject TEXT NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, status INTEGER NOT NULL,"                   \
    " at INTEGER NOT NULL, reply BLOB NOT NULL, PRIMARY KEY(subject, key)) WITHOUT ROWID;"                                                 \
    "CREATE INDEX idempotency_by_time ON idempotency(at);"

/* How often each rate was used, which `takc serve` counts. last: seconds since 1970. */
#define HITS_SQL                                                                                                                           \
    "CREATE TABLE hits(task TEXT NOT NULL, rate INTEGER NOT NULL, n INTEGER NOT NULL, last INTEGER NOT NULL,"                              \
    " PRIMARY KEY(task, rate)) WITHOUT ROWID;"

static const char schema_sql[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE documents(task TEXT NOT NULL, name TEXT NOT NULL, source_sha256 TEXT NOT NULL,"
    " text_sha256 TEXT NOT NULL, title TEXT NOT NULL, date INTEGER, ingested INTEGER NOT NULL,"
    " source_bytes INTEGER NOT NULL, text_bytes INTEGER NOT NULL, units INTEGER NOT NULL,"
    " PRIMARY KEY(task, name)) WITHOUT ROWID;"
    "CREATE TABLE versions(task TEXT NOT NULL, label TEXT NOT NULL, created INTEGER NOT NULL,"
    " pinned INTEGER NOT NULL, is_current INTEGER NOT NULL, source_tokens INTEGER NOT NULL,"
    " PRIMARY KEY(task, label)) WITHOUT ROWID;"
    "CREATE TABLE queries(id INTEGER PRIMARY KEY, task TEXT NOT NULL, version TEXT NOT NULL,"
    " mode TEXT NOT NULL, rate TEXT NOT NULL, question TEXT, confidence REAL NOT NULL, ms INTEGER NOT NULL,"
    " tokens INTEGER NOT NULL, abstained INTEGER NOT NULL, at INTEGER NOT NULL);"
    "CREATE INDEX queries_by_task ON queries(task, at);" USAGE_SQL SERVE_SQL HITS_SQL "INSERT INTO meta VALUES('schema_version', '4');";

/* From each older schema to the next; run in one transaction. */
static const char *const schema_steps[CATALOG_SCHEMA] = {NULL, USAGE_SQL "UPDATE meta SET value = '2' WHERE key = 'schema_version'",
                                                         SERVE_SQL "UPDATE meta SET value = '3' WHERE key = 'schema_version'",
                                                         HITS_SQL "UPDATE meta SET value = '4' WHERE key = 'schema_version'"};

/* NOLINTBEGIN(bugprone-suspicious-missing-comma): statements of several lines */
static const char *const stmt_sql[TAKC_STMTS] = {
    [TAKC_STMT_NOTE] = "INSERT INTO queries(task, version, mode, rate, question, confidence, ms, tokens, abstained, at)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [TAKC_STMT_WIPE_WORDS] = "UPDATE queries SET question = NULL WHERE task = ?1 AND question IS NOT NULL",
    [TAKC_STMT_DROP_DOCUMENT] = "DELETE FROM documents WHERE task = ?1 AND name = ?2",
    [TAKC_STMT_DROP_DOCUMENTS] = "DELETE FROM documents WHERE task = ?1 OR ?1 IS NULL",
    [TAKC_STMT_DROP_VERSIONS] = "DELETE FROM versions WHERE task = ?1 OR ?1 IS NULL",
    [TAKC_STMT_ADD_DOCUMENT] = "INSERT INTO documents VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [TAKC_STMT_ADD_VERSION] = "INSERT INTO versions VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
    [TAKC_STMT_PUT_USAGE] = "INSERT OR REPLACE INTO usage VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,"
                            " ?17, ?18, ?19, ?20, ?21)",
    [TAKC_STMT_MONTH] = "SELECT coalesce(sum(picodollars), 0) FROM usage WHERE task = ?1"
                        " AND at >= CAST(strftime('%s', ?2, 'unixepoch', 'start of month') AS INTEGER)"
                        " AND at < CAST(strftime('%s', ?2, 'unixepoch', 'start of month', '+1 month') AS INTEGER)",
    [TAKC_STMT_HAS_USAGE] = "SELECT 1 FROM usage WHERE id = ?1",
    [TAKC_STMT_FIND_API_KEY] = "SELECT id, hash, name, tenant, may, tasks, created, expires, revoked FROM api_keys WHERE id = ?1",
};
/* NOLINTEND(bugprone-suspicious-missing-comma) */

enum takc_status takc_sql_fail(sqlite3 *db, int rc, const char *what, struct takc_err *err)
{
    static const struct {
        int rc;
        enum takc_status status;
    } rows[] = {{SQLITE_NOMEM, TAKC_NOMEM}, {SQLITE_FULL, TAKC_FULL},       {SQLITE_BUSY, TAKC_BUSY},
                {SQLITE_LOCKED, TAKC_BUSY}, {SQLITE_CORRUPT, TAKC_CORRUPT}, {SQLITE_NOTADB, TAKC_CORRUPT}};
    enum takc_status st = TAKC_IO;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if ((rc & 0xFF) == rows[i].rc)
            st = rows[i].status;
    return takc_fail(err, st, -rc, "catalogue: %s: %s", what, db ? sqlite3_errmsg(db) : sqlite3_errstr(rc));
}

enum takc_status takc_sql_run(sqlite3 *db, const char *sql, struct takc_err *err)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc ? takc_sql_fail(db, rc, "run a statement", err) : TAKC_OK;
}

enum takc_status takc_sql_ask(sqlite3 *db, const char *sql, int64_t *out, struct takc_err *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
    if (!rc)
        rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(s, 0);
    enum takc_status st = rc == SQLITE_ROW || rc == SQLITE_DONE ? TAKC_OK : takc_sql_fail(db, rc, "read", err);
    (void)sqlite3_finalize(s);
    return st;
}

enum takc_status takc_catalog_prepare(struct takc_home *h, enum takc_catalog_stmt which, sqlite3_stmt **out, struct takc_err *err)
{
    if (!h->stmts[which]) {
        int rc = sqlite3_prepare_v3(h->db, stmt_sql[which], -1, SQLITE_PREPARE_PERSISTENT, &h->stmts[which], NULL);
        if (rc)
            return takc_sql_fail(h->db, rc, "prepare", err);
    }
    *out = h->stmts[which];
    return TAKC_OK;
}

void takc_sql_bind(sqlite3_stmt *s, int at, struct takc_str v)
{
    (void)sqlite3_bind_text64(s, at, v.ptr ? v.ptr : "", v.len, SQLITE_STATIC, SQLITE_UTF8);
}

enum takc_status takc_catalog_step(struct takc_home *h, sqlite3_stmt *s, const char *what, struct takc_err *err)
{
    int rc = sqlite3_step(s);
    enum takc_status st = rc == SQLITE_DONE ? TAKC_OK : takc_sql_fail(h->db, rc, what, err);
    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
    return st;
}

void takc_sql_make_private(const char *file)
{
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        (void)close(fd);
}

static enum takc_status open_db(const char *file, sqlite3 **out, struct takc_err *err)
{
    sqlite3 *db = NULL;
    takc_sql_make_private(file);
    int rc = sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    enum takc_status st = rc ? takc_sql_fail(db, rc, "open", err) : TAKC_OK;
    if (!st) {
        (void)sqlite3_busy_timeout(db, BUSY_MS);
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        st =
            takc_sql_run(db,
                         "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 0;"
                         "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF",
                         err);
    }
    if (st)
        (void)sqlite3_close(db);
    else
        *out = db;
    return st;
}

/* Takes the tables of an older takc to this one's; locks/.catalog is held. */
static enum takc_status upgrade(sqlite3 *db, int64_t from, struct takc_err *err)
{
    enum takc_status st = takc_sql_run(db, "BEGIN IMMEDIATE", err);
    if (st)
        return st;
    for (int64_t i = from; !st && i < CATALOG_SCHEMA; i++)
        st = takc_sql_run(db, schema_steps[i], err);
    if (!st)
        st = takc_sql_run(db, "COMMIT", err);
    if (st)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

/* Makes the tables of a new catalogue; judges an old one by its schema. */
static enum takc_status ready(sqlite3 *db, struct takc_err *err)
{
    int64_t n_tables = 0, schema = -1;
    enum takc_status st = takc_sql_ask(db, "SELECT count(*) FROM sqlite_master", &n_tables, err);
    if (!st && n_tables == 0) {
        st = takc_sql_run(db, "BEGIN IMMEDIATE", err);
        if (!st)
            st = takc_sql_run(db, schema_sql, err);
        return st ? st : takc_sql_run(db, "COMMIT", err);
    }
    if (st)
        return st;
    struct takc_err e = {0};
    st = takc_sql_ask(db, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'schema_version'", &schema, &e);
    if (e.detail == -SQLITE_ERROR || (!st && schema < 1)) /* another program's tables: not ours to read */
        return takc_fail(err, TAKC_CORRUPT, -SQLITE_NOTADB, "catalogue: these are not takc's tables");
    if (st && err)
        *err = e;
    if (!st && schema > CATALOG_SCHEMA)
        return takc_fail(err, TAKC_REFUSED, 0, "catalogue has schema %" PRId64 ", this takc knows %d: upgrade takc", schema,
                         CATALOG_SCHEMA);
    return st || schema == CATALOG_SCHEMA ? st : upgrade(db, schema, err);
}

static enum takc_status open_ready(struct takc_home *h, const char *file, struct takc_err *err)
{
    sqlite3 *db = NULL;
    struct stat info;
    enum takc_status st = open_db(file, &db, err);
    if (!st)
        st = ready(db, err);
    if (!st && stat(file, &info))
        st = takc_fail_errno(err, errno, "look at %s", file);
    if (st) {
        (void)sqlite3_close(db);
        return st;
    }
    h->db = db;
    h->db_inode = info.st_ino;
    return TAKC_OK;
}

static enum takc_status lock_catalog(struct takc_home *h, struct takc_lock *out, struct takc_err *err)
{
    char file[PATH_MAX];
    out->fd = -1;
    enum takc_status st = takc_home_file(h->path, TAKC_DIR_LOCKS "/.catalog", file, err);
    if (!st)
        st = takc_dir_make_for(file, err);
    return st ? st : takc_lock_open(out, file, true, OPEN_WAIT_MS, err);
}

/* Renames the catalogue and what SQLite keeps beside it to the first free damaged-N; aside, of PATH_MAX bytes, is where it is then. */
static enum takc_status move_aside(struct takc_home *h, const char *file, char *aside, struct takc_err *err)
{
    static const char *const tails[] = {"-wal", "-shm", ""}; /* the file itself last: until then it is tried again */
    char from[PATH_MAX], to[PATH_MAX];
    struct stat info;
    int n = 0;
    do
        (void)snprintf(to, sizeof(to), "%s.damaged-%d", file, ++n);
    while (stat(to, &info) == 0 && n < ASIDE_MAX);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(from, sizeof(from), "%s%s", file, tails[i]);
        (void)snprintf(to, sizeof(to), "%s.damaged-%d%s", file, n, tails[i]);
        if (rename(from, to) && errno != ENOENT)
            return takc_fail_errno(err, errno, "move %s aside", from);
    }
    (void)snprintf(aside, PATH_MAX, "%s", to);
    (void)snprintf(
        h->warning, sizeof(h->warning),
        "the catalogue was damaged: moved to " TAKC_HOME_CATALOG ".damaged-%d and made anew; its notes of questions are only there", n);
    return TAKC_OK;
}

/* Replaces a damaged catalogue; locks/.catalog is held. */
static enum takc_status replace(struct takc_home *h, const char *file, struct takc_err *err)
{
    char aside[PATH_MAX];
    enum takc_status st = move_aside(h, file, aside, err);
    if (!st)
        st = open_ready(h, file, err);
    uint64_t n_calls = st ? 0 : takc_catalog_take_usage_locked(h, aside);
    if (n_calls) {
        size_t n = strlen(h->warning);
        (void)snprintf(h->warning + n, sizeof(h->warning) - n,
                       "; %" PRIu64 " calls of its cost ledger are taken over, what it lost no cap counts", n_calls);
    }
    if (!st && takc_catalog_fill_locked(h, NULL)) { /* a damaged record must not keep questions from being noted */
        size_t n = strlen(h->warning);
        (void)snprintf(h->warning + n, sizeof(h->warning) - n, "; some rows are missing until takc doctor --rebuild");
    }
    return st;
}

enum takc_status takc_catalog_open_locked(struct takc_home *h, struct takc_err *err)
{
    char file[PATH_MAX];
    struct takc_lock lock;
    if (h->db)
        return TAKC_OK;
    enum takc_status st = takc_home_file(h->path, TAKC_HOME_CATALOG, file, err);
    if (!st)
        st = lock_catalog(h, &lock, err);
    if (st)
        return st;
    st = open_ready(h, file, err);
    if (st == TAKC_CORRUPT)
        st = replace(h, file, err);
    takc_lock_close(&lock);
    return st;
}

void takc_catalog_drop_locked(struct takc_home *h)
{
    for (int i = 0; i < TAKC_STMTS; i++) {
        (void)sqlite3_finalize(h->stmts[i]);
        h->stmts[i] = NULL;
    }
    (void)sqlite3_close(h->db);
    h->db = NULL;
}

/* After a CORRUPT in the middle of work: replaces the file, unless another process has done so already. */
static enum takc_status recover_locked(struct takc_home *h, struct takc_err *err)
{
    char file[PATH_MAX];
    struct takc_lock lock;
    struct stat info;
    enum takc_status st = takc_home_file(h->path, TAKC_HOME_CATALOG, file, err);
    takc_catalog_drop_locked(h);
    if (!st)
        st = lock_catalog(h, &lock, err);
    if (st)
        return st;
    if (stat(file, &info) == 0 && info.st_ino == h->db_inode)
        st = replace(h, file, err);
    takc_lock_close(&lock);
    return st ? st : takc_catalog_open_locked(h, err);
}

/* Is the open catalogue no longer the one at its path? */
static bool is_replaced(const struct takc_home *h)
{
    char file[PATH_MAX];
    struct stat info;
    return !takc_home_file(h->path, TAKC_HOME_CATALOG, file, NULL) && (stat(file, &info) || info.st_ino != h->db_inode);
}

enum takc_status takc_catalog_work(struct takc_home *h, takc_catalog_work_fn *work, const void *arg, struct takc_err *err)
{
    struct takc_err e = {0};
    takc_home_mutex_lock(h);
    if (h->db && is_replaced(h))
        takc_catalog_drop_locked(h);
    enum takc_status st = takc_catalog_open_locked(h, &e);
    if (!st)
        st = work(h, arg, &e);
    if (st == TAKC_CORRUPT && e.detail < 0) {
        st = recover_locked(h, &e);
        if (!st)
            st = work(h, arg, &e);
    }
    takc_home_mutex_unlock(h);
    if (st && err)
        *err = e;
    return st;
}
