/* SPDX-License-Identifier: Apache-2.0
 *
 * sqlite_upkeep.c - the catalogue's upkeep: folding its WAL in, scrubbing, checking, copying.
 *
 * SQLite 3.40 can lose a WAL that is reset while others write, so automatic checkpoints are off, and ours run only when this process is
 * alone on the home: in scrub, and at close when the WAL has grown large. */
#include "base/clock.h"
#include "base/file.h"
#include "catalog/sqlite.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum {
    WAL_LARGE = 4 << 20,
    SCRUB_WAIT_MS = 2000,
    SCRUB_TRY_MS = 10,   /* of these with the catalogue held: others of this process wait as long at most */
    SCRUB_PAUSE_MS = 10, /* between tries, and as long again or twice as long: two processes that scrub must not keep in step */
    COPY_TRIES = 100,
    COPY_PAUSE_MS = 50
};

/* The catalogue's path, and whether there is a file. */
static enum takc_status find_file(struct takc_home *h, char *file, bool *out_found, struct takc_err *err)
{
    struct stat info;
    enum takc_status st = takc_home_file(h->path, TAKC_HOME_CATALOG, file, err);
    *out_found = !st && stat(file, &info) == 0;
    return st || *out_found || errno == ENOENT ? st : takc_fail_errno(err, errno, "look at %s", file);
}

/* Folds the WAL in; the home lock is exclusive. */
static enum takc_status checkpoint(struct takc_home *h, struct takc_err *err)
{
    int64_t busy = 1;
    enum takc_status st = takc_sql_ask(h->db, "PRAGMA wal_checkpoint(TRUNCATE)", &busy, err);
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
    takc_catalog_drop_locked(h);
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

static enum takc_status scrub_alone(struct takc_home *h, struct takc_err *err)
{
    char file[PATH_MAX];
    bool found = false;
    enum takc_status st = find_file(h, file, &found, err);
    if (!st && found) {
        st = takc_catalog_open_locked(h, err);
        if (!st)
            st = checkpoint(h, err);
        if (!st)
            st = takc_sql_run(h->db, "VACUUM", err);
        if (!st)
            st = checkpoint(h, err);
        takc_catalog_drop_locked(h);
    }
    return st ? st : remove_damaged(h, err);
}

/* One try to be alone on the home, and the scrub; *out_alone false: BUSY, it is not. While it is tried the home's lock may be lost for a
 * moment, so no connection may be open and none opened: that is what h->mu is held for. */
static enum takc_status try_scrub(struct takc_home *h, bool *out_alone, struct takc_err *err)
{
    takc_home_mutex_lock(h);
    bool was = h->exclusive;
    takc_catalog_drop_locked(h);
    enum takc_status st = takc_home_lock_alone(h, SCRUB_TRY_MS, err);
    *out_alone = !st;
    if (!st) {
        st = scrub_alone(h, err);
        if (!was)
            takc_home_lock_shared(h);
    }
    takc_home_mutex_unlock(h);
    return st;
}

enum takc_status takc_home_scrub(struct takc_home *h, struct takc_err *err)
{
    const struct takc_clock *clock = takc_clock_system();
    uint64_t until_ns = clock->mono_ns(clock) + SCRUB_WAIT_MS * UINT64_C(1000000);
    struct takc_err why = {0}; /* of the last try: those before it are nobody's business */
    bool alone;
    enum takc_status st = try_scrub(h, &alone, &why);
    while (!alone && clock->mono_ns(clock) < until_ns) {
        clock->sleep_ns(clock, (SCRUB_PAUSE_MS + clock->mono_ns(clock) / 1000 % (2 * SCRUB_PAUSE_MS)) * UINT64_C(1000000));
        st = try_scrub(h, &alone, &why);
    }
    if (st && err)
        *err = why;
    return st;
}

static enum takc_status copy_pages(sqlite3 *from, sqlite3 *to, struct takc_err *err)
{
    sqlite3_backup *b = sqlite3_backup_init(to, "main", from, "main");
    if (!b)
        return takc_sql_fail(to, sqlite3_errcode(to), "copy", err);
    int rc = SQLITE_BUSY;
    for (int tries = 0; (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) && tries < COPY_TRIES; tries++) {
        rc = sqlite3_backup_step(b, -1);
        if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
            (void)sqlite3_sleep(COPY_PAUSE_MS);
    }
    (void)sqlite3_backup_finish(b);
    return rc == SQLITE_DONE ? TAKC_OK : takc_sql_fail(to, rc, "copy", err);
}

static enum takc_status copy_work(struct takc_home *h, const void *arg, struct takc_err *err)
{
    sqlite3 *to = NULL;
    const char *file = arg;
    takc_sql_make_private(file);
    int rc = sqlite3_open_v2(file, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    enum takc_status st = rc ? takc_sql_fail(to, rc, "open the copy", err) : copy_pages(h->db, to, err);
    (void)sqlite3_close(to);
    return st;
}

enum takc_status takc_catalog_copy(struct takc_home *h, const char *to, struct takc_err *err)
{
    char file[PATH_MAX];
    bool found = false;
    enum takc_status st = find_file(h, file, &found, err);
    if (st || !found)
        return st;
    return takc_catalog_work(h, copy_work, to, err);
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
        st = takc_sql_fail(db, rc, "check", err);
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
