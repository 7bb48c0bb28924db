/* SPDX-License-Identifier: Apache-2.0
 *
 * sqlite.c - the catalogue: catalog.sqlite beside the objects, in WAL mode.
 *
 * Rows about documents and versions repeat what the objects say, for whoever wants to ask with SQL; they can be made anew at any time.
 * Questions live only here. Opening a home does not touch it: the first note or rebuild opens it, under locks/.catalog, so that one
 * process at a time makes, judges or replaces it. A damaged file is moved aside (catalog.sqlite.damaged-N), never deleted but by scrub,
 * and made anew; processes that still have the old one open notice by its inode and open the new one.
 * Checkpoints: SQLite 3.40 can lose a WAL that is reset while others write, so automatic ones are off, and ours run only when this
 * process is alone on the home: in scrub, and at close when the WAL has grown large. */
#include "base/file.h"
#include "catalog/home_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CATALOG_SCHEMA = 1, BUSY_MS = 5000, OPEN_WAIT_MS = 10000, WAL_LARGE = 4 << 20, SCRUB_WAIT_MS = 2000, ASIDE_MAX = 1000 };

static const char schema_sql[] = "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
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
                                 "CREATE INDEX queries_by_task ON queries(task, at);"
                                 "INSERT INTO meta VALUES('schema_version', '1');";

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
};
/* NOLINTEND(bugprone-suspicious-missing-comma) */

/* --- errors and statements --- */

/* detail is the negative SQLite code, which tells a damaged catalogue from a damaged record. */
static enum takc_status fail_sql(sqlite3 *db, int rc, const char *what, struct takc_err *err)
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

static enum takc_status run(sqlite3 *db, const char *sql, struct takc_err *err)
{
    int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc ? fail_sql(db, rc, "run a statement", err) : TAKC_OK;
}

/* The one number that a statement gives; *out stays when it gives none. */
static enum takc_status ask(sqlite3 *db, const char *sql, int64_t *out, struct takc_err *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);
    if (!rc)
        rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(s, 0);
    enum takc_status st = rc == SQLITE_ROW || rc == SQLITE_DONE ? TAKC_OK : fail_sql(db, rc, "read", err);
    (void)sqlite3_finalize(s);
    return st;
}

static enum takc_status prepare(struct takc_home *h, enum takc_catalog_stmt which, sqlite3_stmt **out, struct takc_err *err)
{
    if (!h->stmts[which]) {
        int rc = sqlite3_prepare_v3(h->db, stmt_sql[which], -1, SQLITE_PREPARE_PERSISTENT, &h->stmts[which], NULL);
        if (rc)
            return fail_sql(h->db, rc, "prepare", err);
    }
    *out = h->stmts[which];
    return TAKC_OK;
}

static void bind_str(sqlite3_stmt *s, int at, struct takc_str v)
{
    (void)sqlite3_bind_text64(s, at, v.ptr ? v.ptr : "", v.len, SQLITE_STATIC, SQLITE_UTF8);
}

/* Runs a bound statement that gives no rows, and makes it ready for the next time. */
static enum takc_status finish(struct takc_home *h, sqlite3_stmt *s, const char *what, struct takc_err *err)
{
    int rc = sqlite3_step(s);
    enum takc_status st = rc == SQLITE_DONE ? TAKC_OK : fail_sql(h->db, rc, what, err);
    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
    return st;
}

/* --- opening --- */

static enum takc_status open_db(const char *file, sqlite3 **out, struct takc_err *err)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    enum takc_status st = rc ? fail_sql(db, rc, "open", err) : TAKC_OK;
    if (!st) {
        (void)sqlite3_busy_timeout(db, BUSY_MS);
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        st = run(db,
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

/* Makes the tables of a new catalogue; judges an old one by its schema. */
static enum takc_status ready(sqlite3 *db, struct takc_err *err)
{
    int64_t n_tables = 0, schema = -1;
    enum takc_status st = ask(db, "SELECT count(*) FROM sqlite_master", &n_tables, err);
    if (!st && n_tables == 0) {
        st = run(db, "BEGIN IMMEDIATE", err);
        if (!st)
            st = run(db, schema_sql, err);
        return st ? st : run(db, "COMMIT", err);
    }
    if (!st)
        st = ask(db, "SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'schema_version'", &schema, err);
    if (st == TAKC_IO || (!st && schema < 1)) /* another program's tables: not ours to read */
        return takc_fail(err, TAKC_CORRUPT, -SQLITE_NOTADB, "catalogue: these are not takc's tables");
    if (!st && schema > CATALOG_SCHEMA)
        return takc_fail(err, TAKC_REFUSED, 0, "catalogue has schema %" PRId64 ", this takc knows %d: upgrade takc", schema,
                         CATALOG_SCHEMA);
    return st;
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

/* Renames the catalogue and what SQLite keeps beside it to the first free damaged-N. */
static enum takc_status move_aside(struct takc_home *h, const char *file, struct takc_err *err)
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
    (void)snprintf(
        h->warning, sizeof(h->warning),
        "the catalogue was damaged: moved to " TAKC_HOME_CATALOG ".damaged-%d and made anew; its notes of questions are only there", n);
    return TAKC_OK;
}

static enum takc_status fill_locked(struct takc_home *h, struct takc_err *err);

/* Replaces a damaged catalogue; locks/.catalog is held. */
static enum takc_status replace(struct takc_home *h, const char *file, struct takc_err *err)
{
    enum takc_status st = move_aside(h, file, err);
    if (!st)
        st = open_ready(h, file, err);
    if (!st && fill_locked(h, NULL)) { /* a damaged record must not keep questions from being noted */
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

static void close_db(struct takc_home *h)
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
    close_db(h);
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

/* Runs work on the open catalogue; a damaged one is replaced and the work tried once more. */
typedef enum takc_status work_fn(struct takc_home *h, const void *arg, struct takc_err *err);
static enum takc_status with_catalog(struct takc_home *h, work_fn *work, const void *arg, struct takc_err *err)
{
    struct takc_err e = {0};
    takc_home_mutex_lock(h);
    if (h->db && is_replaced(h))
        close_db(h);
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

/* --- rows --- */

static enum takc_status note_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct takc_query_note *n = arg;
    sqlite3_stmt *s = NULL;
    enum takc_status st = prepare(h, TAKC_STMT_NOTE, &s, err);
    if (st)
        return st;
    bind_str(s, 1, n->task);
    bind_str(s, 2, n->version);
    bind_str(s, 3, n->mode);
    bind_str(s, 4, n->rate);
    if (n->keep_words)
        bind_str(s, 5, n->question);
    (void)sqlite3_bind_double(s, 6, n->confidence);
    (void)sqlite3_bind_int64(s, 7, (sqlite3_int64)n->ms);
    (void)sqlite3_bind_int64(s, 8, (sqlite3_int64)n->tokens);
    (void)sqlite3_bind_int(s, 9, n->abstained);
    (void)sqlite3_bind_int64(s, 10, n->at_s);
    return finish(h, s, "note a question", err);
}

enum takc_status takc_home_note_query(struct takc_home *h, const struct takc_query_note *n, struct takc_err *err)
{
    return with_catalog(h, note_work, n, err);
}

struct of_document {
    struct takc_str task, doc;
};

static enum takc_status forget_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    const struct of_document *d = arg;
    sqlite3_stmt *s = NULL;
    enum takc_status st = prepare(h, TAKC_STMT_DROP_DOCUMENT, &s, err);
    if (!st) {
        bind_str(s, 1, d->task);
        bind_str(s, 2, d->doc);
        st = finish(h, s, "forget a document", err);
    }
    if (!st)
        st = prepare(h, TAKC_STMT_WIPE_WORDS, &s, err);
    if (st)
        return st;
    bind_str(s, 1, d->task);
    return finish(h, s, "forget questions", err);
}

enum takc_status takc_home_forget_rows(struct takc_home *h, struct takc_str task, struct takc_str doc, struct takc_err *err)
{
    struct of_document d = {task, doc};
    return with_catalog(h, forget_work, &d, err);
}

static enum takc_status add_document(struct takc_home *h, struct takc_str task, const struct takc_document *d, struct takc_err *err)
{
    const struct takc_revision *r = &d->revisions[d->n_revisions - 1];
    sqlite3_stmt *s = NULL;
    enum takc_status st = prepare(h, TAKC_STMT_ADD_DOCUMENT, &s, err);
    if (st)
        return st;
    bind_str(s, 1, task);
    bind_str(s, 2, d->name);
    bind_str(s, 3, r->source_sha);
    bind_str(s, 4, r->text_sha);
    bind_str(s, 5, r->title);
    if (r->has_date)
        (void)sqlite3_bind_int64(s, 6, r->date);
    (void)sqlite3_bind_int64(s, 7, r->ingested_s);
    (void)sqlite3_bind_int64(s, 8, (sqlite3_int64)r->source_bytes);
    (void)sqlite3_bind_int64(s, 9, (sqlite3_int64)r->text_bytes);
    (void)sqlite3_bind_int64(s, 10, (sqlite3_int64)r->n_units);
    return finish(h, s, "add a document", err);
}

static enum takc_status add_version(struct takc_home *h, const struct takc_manifest *m, const struct takc_version *v, struct takc_err *err)
{
    sqlite3_stmt *s = NULL;
    enum takc_status st = prepare(h, TAKC_STMT_ADD_VERSION, &s, err);
    if (st)
        return st;
    bind_str(s, 1, m->task);
    bind_str(s, 2, v->label);
    (void)sqlite3_bind_int64(s, 3, v->created_s);
    (void)sqlite3_bind_int(s, 4, v->pinned);
    (void)sqlite3_bind_int(s, 5, takc_str_eq(v->label, m->current));
    (void)sqlite3_bind_int64(s, 6, (sqlite3_int64)v->source_tokens);
    return finish(h, s, "add a version", err);
}

/* Drops the rows of a task, or of all when it is empty. */
static enum takc_status drop_rows(struct takc_home *h, struct takc_str task, struct takc_err *err)
{
    static const enum takc_catalog_stmt which[] = {TAKC_STMT_DROP_DOCUMENTS, TAKC_STMT_DROP_VERSIONS};
    for (int i = 0; i < 2; i++) {
        sqlite3_stmt *s = NULL;
        enum takc_status st = prepare(h, which[i], &s, err);
        if (st)
            return st;
        if (task.len)
            bind_str(s, 1, task);
        st = finish(h, s, "drop rows", err);
        if (st)
            return st;
    }
    return TAKC_OK;
}

struct task_rows {
    const struct takc_document *docs;
    size_t n_docs;
    const struct takc_manifest *manifest;
};

static enum takc_status write_task(struct takc_home *h, struct takc_str task, const struct task_rows *t, struct takc_err *err)
{
    enum takc_status st = run(h->db, "BEGIN IMMEDIATE", err);
    if (st)
        return st;
    st = drop_rows(h, task, err);
    for (size_t i = 0; !st && i < t->n_docs; i++)
        st = add_document(h, task, &t->docs[i], err);
    for (size_t i = 0; !st && i < t->manifest->n_versions; i++)
        st = add_version(h, t->manifest, &t->manifest->versions[i], err);
    if (!st)
        st = run(h->db, "COMMIT", err);
    if (st)
        (void)run(h->db, "ROLLBACK", NULL);
    return st;
}

/* The rows of one task, read from its objects and written in one transaction. */
static enum takc_status fill_task(struct takc_home *h, struct takc_str task, struct takc_err *err)
{
    struct takc_arena a;
    struct takc_document *docs = NULL;
    struct takc_manifest manifest;
    size_t n = 0;
    takc_arena_init(&a);
    enum takc_status st = takc_home_documents(h, task, &a, &docs, &n, err);
    if (!st)
        st = takc_home_manifest(h, task, &a, &manifest, err);
    if (!st)
        st = write_task(h, task, &(struct task_rows){docs, n, &manifest}, err);
    takc_arena_clear(&a);
    return st;
}

static enum takc_status fill_locked(struct takc_home *h, struct takc_err *err)
{
    struct takc_arena a;
    struct takc_str *tasks = NULL;
    size_t n = 0;
    takc_arena_init(&a);
    enum takc_status st = takc_home_tasks_with_keys(h, &a, &tasks, &n, err);
    if (!st)
        st = drop_rows(h, (struct takc_str){NULL, 0}, err);
    for (size_t i = 0; !st && i < n; i++)
        st = fill_task(h, tasks[i], err);
    takc_arena_clear(&a);
    return st;
}

static enum takc_status catalog_task_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    return fill_task(h, *(const struct takc_str *)arg, err);
}

enum takc_status takc_home_catalog_task(struct takc_home *h, struct takc_str task, struct takc_err *err)
{
    enum takc_status st = takc_task_name_check(task, err);
    return st ? st : with_catalog(h, catalog_task_work, &task, err);
}

static enum takc_status rebuild_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    (void)arg;
    return fill_locked(h, err);
}

enum takc_status takc_home_rebuild(struct takc_home *h, struct takc_err *err)
{
    return with_catalog(h, rebuild_work, NULL, err);
}

/* --- upkeep --- */

/* Folds the WAL in; the home lock is exclusive. */
static enum takc_status checkpoint(struct takc_home *h, struct takc_err *err)
{
    int64_t busy = 1;
    enum takc_status st = ask(h->db, "PRAGMA wal_checkpoint(TRUNCATE)", &busy, err);
    return !st && busy ? takc_fail(err, TAKC_BUSY, 0, "catalogue: another connection is open") : st;
}

void takc_catalog_close_locked(struct takc_home *h)
{
    char wal[PATH_MAX];
    struct stat info;
    bool was = h->exclusive;
    if (!h->db)
        return;
    if (!takc_home_file(h->path, TAKC_HOME_CATALOG "-wal", wal, NULL) && stat(wal, &info) == 0 && info.st_size > WAL_LARGE &&
        takc_home_lock_alone(h, 0, NULL) == TAKC_OK) {
        (void)checkpoint(h, NULL);
        if (!was)
            takc_home_lock_shared(h);
    }
    close_db(h);
}

static enum takc_status remove_damaged(struct takc_home *h, struct takc_err *err);

static enum takc_status scrub_alone(struct takc_home *h, struct takc_err *err)
{
    char file[PATH_MAX];
    struct stat info;
    enum takc_status st = takc_home_file(h->path, TAKC_HOME_CATALOG, file, err);
    if (!st && stat(file, &info) == 0) {
        st = takc_catalog_open_locked(h, err);
        if (!st)
            st = checkpoint(h, err);
        if (!st)
            st = run(h->db, "VACUUM", err);
        if (!st)
            st = checkpoint(h, err);
        close_db(h);
    }
    return st ? st : remove_damaged(h, err);
}

enum takc_status takc_home_scrub(struct takc_home *h, struct takc_err *err)
{
    takc_home_mutex_lock(h);
    bool was = h->exclusive;
    close_db(h);
    enum takc_status st = takc_home_lock_alone(h, SCRUB_WAIT_MS, err);
    if (!st) {
        st = scrub_alone(h, err);
        if (!was)
            takc_home_lock_shared(h);
    }
    takc_home_mutex_unlock(h);
    return st;
}

static enum takc_status remove_one(void *arg, const char *rel, uint64_t size, int64_t changed_s, struct takc_err *err)
{
    const struct takc_home *h = arg;
    char file[PATH_MAX];
    (void)size;
    (void)changed_s;
    if (strncmp(rel, TAKC_HOME_CATALOG ".damaged-", strlen(TAKC_HOME_CATALOG ".damaged-")) != 0)
        return TAKC_OK;
    enum takc_status st = takc_home_file(h->path, rel, file, err);
    return st ? st : takc_file_remove(file, err);
}

/* Catalogues moved aside hold questions that nobody can take out of them any more. */
static enum takc_status remove_damaged(struct takc_home *h, struct takc_err *err)
{
    return takc_dir_walk(h->path, "", false, remove_one, h, err);
}

/* --- copying --- */

static enum takc_status copy_pages(sqlite3 *from, sqlite3 *to, struct takc_err *err)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    if (!b)
        return fail_sql(to, sqlite3_errcode(to), "copy", err);
    int rc = SQLITE_BUSY;
    for (int tries = 0; (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) && tries < 100; tries++) {
        rc = sqlite3_backup_step(b, -1);
        if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
            (void)sqlite3_sleep(50);
    }
    (void)sqlite3_backup_finish(b);
    return rc == SQLITE_DONE ? TAKC_OK : fail_sql(to, rc, "copy", err);
}

struct copy_to {
    const char *file;
};

static enum takc_status copy_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    sqlite3 *to = NULL;
    const char *file = ((const struct copy_to *)arg)->file;
    int rc = sqlite3_open_v2(file, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    enum takc_status st = rc ? fail_sql(to, rc, "open the copy", err) : copy_pages(h->db, to, err);
    (void)sqlite3_close(to);
    return st;
}

enum takc_status takc_catalog_copy(struct takc_home *h, const char *to, struct takc_err *err)
{
    char file[PATH_MAX];
    struct stat info;
    enum takc_status st = takc_home_file(h->path, TAKC_HOME_CATALOG, file, err);
    if (st || stat(file, &info))
        return st;
    return with_catalog(h, copy_work, &(struct copy_to){to}, err);
}

static enum takc_status quick_check(sqlite3 *db, struct takc_err *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &s, NULL);
    if (!rc)
        rc = sqlite3_step(s);
    const char *said = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
    enum takc_status st = TAKC_OK;
    if (!said)
        st = fail_sql(db, rc, "check", err);
    else if (strcmp(said, "ok") != 0)
        st = takc_fail(err, TAKC_CORRUPT, 0, "catalogue: %s", said);
    (void)sqlite3_finalize(s);
    return st;
}

enum takc_status takc_home_check_catalog(struct takc_home *h, struct takc_err *err)
{
    takc_home_mutex_lock(h);
    enum takc_status st = takc_catalog_open_locked(h, err);
    if (!st)
        st = quick_check(h->db, err);
    takc_home_mutex_unlock(h);
    return st;
}
