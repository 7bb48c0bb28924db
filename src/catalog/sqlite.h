/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog/sqlite.h - the catalogue's connection, shared by sqlite.c (opening and replacing it), sqlite_rows.c and usage.c (what stands in
 * it) and sqlite_upkeep.c (folding, checking, copying it). Nobody else includes it. Threads: functions that take a home are called with
 * h->mu held, but for takc_catalog_work, which takes it. Statuses of all: NOMEM, FULL, BUSY (another process holds it), CORRUPT (no
 * catalogue, or a damaged one), IO. */
#ifndef TAKC_CATALOG_SQLITE_H
#define TAKC_CATALOG_SQLITE_H

#include "catalog/home_impl.h"

/* Makes the error of an SQLite code, with what was tried. err->detail is the negative code, which tells a damaged catalogue from a damaged
 * record. */
enum takc_status takc_sql_fail(sqlite3 *db, int rc, const char *what, struct takc_err *err);
/* Makes a file that SQLite is about to make, its owner's alone as all of a home is: hashes of keys, kept replies and the audit trail stand
 * in it. SQLite would go by the umask; what it keeps beside the file gets the same rights. One that is there is not touched: a descriptor
 * of it that is closed takes the process's locks with it. */
void takc_sql_make_private(const char *file);
/* Runs statements that give no rows. */
TAKC_CHECK enum takc_status takc_sql_run(sqlite3 *db, const char *sql, struct takc_err *err);
/* Reads the one number that a statement gives; *out stays when it gives none. */
TAKC_CHECK enum takc_status takc_sql_ask(sqlite3 *db, const char *sql, int64_t *out, struct takc_err *err);
/* Binds a text to a parameter, from 1. Borrows it until the statement is stepped. */
void takc_sql_bind(sqlite3_stmt *s, int at, struct takc_str v);

/* The home's prepared statement, made at its first use; it stays the home's. */
TAKC_CHECK enum takc_status takc_catalog_prepare(struct takc_home *h, enum takc_catalog_stmt which, sqlite3_stmt **out,
                                                 struct takc_err *err);
/* Runs a bound statement that gives no rows, and makes it ready for the next time. */
TAKC_CHECK enum takc_status takc_catalog_step(struct takc_home *h, sqlite3_stmt *s, const char *what, struct takc_err *err);

/* Something to do on h->db, which is open. It may be done twice. */
typedef enum takc_status takc_catalog_work_fn(struct takc_home *h, const void *arg, struct takc_err *err);
/* Runs work on the catalogue, which is opened for it; a damaged one is replaced and the work done once more. */
TAKC_CHECK enum takc_status takc_catalog_work(struct takc_home *h, takc_catalog_work_fn *work, const void *arg, struct takc_err *err);

/* Makes all rows about documents and versions anew, from the objects. CORRUPT also for a damaged record. */
TAKC_CHECK enum takc_status takc_catalog_fill_locked(struct takc_home *h, struct takc_err *err);
/* Takes over what can be read of the cost ledger in the damaged catalogue file; how many rows. What cannot be read is no failure. */
uint64_t takc_catalog_take_usage_locked(struct takc_home *h, const char *file);
/* Closes the connection as it is; nothing is folded in. */
void takc_catalog_drop_locked(struct takc_home *h);

#endif
