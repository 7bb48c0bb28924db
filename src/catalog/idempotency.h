/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog/idempotency.h - replies that are given again to whoever sends the same request under the same key: the table idempotency.
 * Threads: any. Statuses as takc_catalog_work. */
#ifndef TAKC_CATALOG_IDEMPOTENCY_H
#define TAKC_CATALOG_IDEMPOTENCY_H

#include "catalog/home.h"

enum { TAKC_IDEMPOTENCY_KEPT_S = 86400, TAKC_IDEMPOTENCY_ROWS = 10000 };

enum takc_idempotency_found {
    TAKC_IDEMPOTENCY_UNSET = 0,
    TAKC_IDEMPOTENCY_NEW,    /* it is the caller's now: it runs the request, then ends or drops it */
    TAKC_IDEMPOTENCY_KEPT,   /* the reply is there */
    TAKC_IDEMPOTENCY_OTHER,  /* the key is of another request */
    TAKC_IDEMPOTENCY_RUNNING /* somebody is at it */
};
struct takc_idempotency_key { /* borrowed */
    struct takc_str subject, key;
};
struct takc_idempotency_begin {
    struct takc_idempotency_key key;
    struct takc_str request; /* hash of what is asked */
    struct takc_str owner;   /* of this process: what another one began and did not end in running_s is taken over */
    int64_t now_s, running_s;
};
/* Looks, and takes the key where it is free, in one transaction; rows older than TAKC_IDEMPOTENCY_KEPT_S go, and the oldest beyond
 * TAKC_IDEMPOTENCY_ROWS. KEPT: status, and the reply appended to out_reply. */
TAKC_CHECK enum takc_status takc_home_idempotency_begin(struct takc_home *h, const struct takc_idempotency_begin *b,
                                                        enum takc_idempotency_found *out, int *out_status, struct takc_buf *out_reply,
                                                        struct takc_err *err);
/* Keeps the reply of a key that is the caller's. */
TAKC_CHECK enum takc_status takc_home_idempotency_end(struct takc_home *h, const struct takc_idempotency_key *k, int status,
                                                      struct takc_str reply, int64_t now_s, struct takc_err *err);
/* Drops kept replies of subjects that begin like that which hold a text. */
TAKC_CHECK enum takc_status takc_home_idempotency_forget(struct takc_home *h, struct takc_str subjects, struct takc_str text,
                                                         struct takc_err *err);
/* Gives it up: the same request runs again. */
TAKC_CHECK enum takc_status takc_home_idempotency_drop(struct takc_home *h, const struct takc_idempotency_key *k, struct takc_err *err);

#endif
