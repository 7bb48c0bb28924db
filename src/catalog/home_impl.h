/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog/home_impl.h - what the files of catalog/ share. Nobody else includes it. */
#ifndef TAKC_CATALOG_HOME_IMPL_H
#define TAKC_CATALOG_HOME_IMPL_H

#include "catalog/home.h"
#include "object/dir.h"

#include <pthread.h>
#include <sqlite3.h>
#include <sys/types.h>

#define TAKC_HOME_FILE "home.json"
#define TAKC_HOME_LOCK "home.lock"
#define TAKC_HOME_CATALOG "catalog.sqlite"

enum takc_catalog_stmt {
    TAKC_STMT_NOTE = 0,
    TAKC_STMT_WIPE_WORDS,
    TAKC_STMT_DROP_DOCUMENT,
    TAKC_STMT_DROP_DOCUMENTS,
    TAKC_STMT_DROP_VERSIONS,
    TAKC_STMT_ADD_DOCUMENT,
    TAKC_STMT_ADD_VERSION,
    TAKC_STMT_PUT_USAGE,
    TAKC_STMT_MONTH,
    TAKC_STMT_HAS_USAGE,
    TAKC_STMT_FIND_API_KEY,
    TAKC_STMTS
};

struct takc_home {
    char *path;
    struct takc_store *store;
    struct takc_lock lock; /* home.lock */
    bool exclusive;
    pthread_mutex_t mu; /* guards what follows: the catalogue is opened at its first use */
    sqlite3 *db;
    ino_t db_inode; /* of the file that db has open */
    sqlite3_stmt *stmts[TAKC_STMTS];
    char warning[TAKC_HOME_WARNING];
    struct takc_home_counter *counters; /* loaded tokenizers: counter.c */
};

/* Closes the tokenizers that takc_home_tokenizer opened. */
void takc_home_counters_close(struct takc_home *h);

/* Before what threads that share h change: the catalogue's connection, the warning. A failure is our bug and stops. */
void takc_home_mutex_lock(struct takc_home *h);
/* After it. */
void takc_home_mutex_unlock(struct takc_home *h);
/* path/name in out (PATH_MAX bytes). INVALID when too long. */
TAKC_CHECK enum takc_status takc_home_file(const char *path, const char *name, char *out, struct takc_err *err);
/* Turns the shared home lock into the exclusive one, waiting up to wait_ms, and back. BUSY leaves it shared. */
TAKC_CHECK enum takc_status takc_home_lock_alone(struct takc_home *h, uint64_t wait_ms, struct takc_err *err);
/* Gives up being alone on the home; it stays open. */
void takc_home_lock_shared(struct takc_home *h);
/* Writes home.json with this schema. */
TAKC_CHECK enum takc_status takc_home_write_schema(const char *path, uint64_t schema, struct takc_err *err);
/* The folder for locks, if it is missing. */
TAKC_CHECK enum takc_status takc_home_make_locks(const char *path, struct takc_err *err);
/* Takes the home at path from an older schema to this one, step by step; the caller is alone on it. */
TAKC_CHECK enum takc_status takc_home_migrate(const char *path, uint64_t from, struct takc_err *err);
/* Is the folder missing, or empty but for what opening a home leaves before home.json? */
TAKC_CHECK enum takc_status takc_home_is_vacant(const char *path, bool *out, struct takc_err *err);

/* The task a key belongs to, as a view into key; empty when it is none of a task's keys. */
struct takc_str takc_key_task(struct takc_str key);
/* The names of all tasks that have any key, ascending: more than takc_home_tasks, which asks for profiles. */
TAKC_CHECK enum takc_status takc_home_tasks_with_keys(struct takc_home *h, struct takc_arena *a, struct takc_str **out, size_t *out_n,
                                                      struct takc_err *err);
/* "3" or "3.r1": the numbers, or false. */
bool takc_label_parse(struct takc_str label, uint64_t *out_n, uint64_t *out_redaction);

/* Opens the catalogue if it is not open; h->mu is held. A damaged one is moved aside and made anew (h->warning says so). */
TAKC_CHECK enum takc_status takc_catalog_open_locked(struct takc_home *h, struct takc_err *err);
/* Closes it; a large WAL is folded in when nobody else uses the home. */
void takc_catalog_close_locked(struct takc_home *h);
/* Copies it, as it is now, to the file to; nothing when there is no catalogue. */
TAKC_CHECK enum takc_status takc_catalog_copy(struct takc_home *h, const char *to, struct takc_err *err);

#endif
