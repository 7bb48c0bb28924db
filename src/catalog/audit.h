/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog/audit.h - who changed what: a row for every request that writes, whatever came of it, in the catalogue of the server's own home.
 *
 * Rows hold no bodies, no query strings, no credentials. They are kept for so many days, and at most TAKC_AUDIT_ROWS_MAX of them: the
 * oldest go first. They live only in the catalogue and are part of backups. Threads: any; processes too. */
#ifndef TAKC_CATALOG_AUDIT_H
#define TAKC_CATALOG_AUDIT_H

#include "catalog/home.h"

enum { TAKC_AUDIT_PATH_MAX = 1024, TAKC_AUDIT_ROWS_MAX = 2000000 }; /* half a gigabyte or so */

struct takc_audit_row { /* views are the caller's */
    int64_t at_s;
    struct takc_str tenant, subject, peer, request_id, action, path;
    int status; /* of HTTP; 0: none was sent */
};
/* Writes a row; sync: it is on disk when this returns. Now and then removes what is older than days (0: nothing is too old). BUSY, IO,
 * FULL, NOMEM: there is no row. */
TAKC_CHECK enum takc_status takc_home_audit(struct takc_home *h, const struct takc_audit_row *row, bool sync, uint64_t days,
                                            struct takc_err *err);
/* Removes what is older, and the oldest of too many. */
TAKC_CHECK enum takc_status takc_home_audit_prune(struct takc_home *h, int64_t now_s, uint64_t days, struct takc_err *err);

typedef void takc_audit_fn(void *arg, const struct takc_audit_row *row);
/* Tells the rows of [since_s, until_s), oldest first; until_s 0: open. Rows are borrowed for the time of the call, which may not
 * use the home. */
TAKC_CHECK enum takc_status takc_home_audit_each(struct takc_home *h, int64_t since_s, int64_t until_s, takc_audit_fn *each, void *arg,
                                                 struct takc_err *err);

#endif
