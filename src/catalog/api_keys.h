/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog/api_keys.h - rows of API keys in a home's catalogue. What a key looks like and whose it is: auth/keys.h.
 *
 * They live only in the catalogue: one that was damaged and made anew has none, so that no revoked key comes back. A key that is added or
 * revoked is on the disk when the call returns; every other process sees it at its next look. Threads: any. Statuses: those of the
 * catalogue (NOMEM, FULL, BUSY, CORRUPT, IO) and what each says. */
#ifndef TAKC_CATALOG_API_KEYS_H
#define TAKC_CATALOG_API_KEYS_H

#include "catalog/home.h"

struct takc_api_key {
    struct takc_str id, hash;                /* hash: SHA-256 of the whole key, hexadecimal */
    struct takc_str name, tenant;            /* for people; whose home, empty: the default one */
    struct takc_str tasks;                   /* patterns with ',' between; empty: every task */
    unsigned may;                            /* TAKC_MAY_* */
    int64_t created_s, expires_s, revoked_s; /* since 1970; 0: never */
};

/* Adds a row; everything is borrowed. CONFLICT: there is one of that id. */
TAKC_CHECK enum takc_status takc_home_api_key_add(struct takc_home *h, const struct takc_api_key *k, struct takc_err *err);
/* The row of that id, copied into the arena. NOT_FOUND. */
TAKC_CHECK enum takc_status takc_home_api_key(struct takc_home *h, struct takc_str id, struct takc_arena *a, struct takc_api_key *out,
                                              struct takc_err *err);
/* All rows, oldest first, copied into the arena. */
TAKC_CHECK enum takc_status takc_home_api_keys(struct takc_home *h, struct takc_arena *a, struct takc_api_key **out, size_t *out_n,
                                               struct takc_err *err);
/* Revokes it as of now_s; one that was revoked before keeps its date. NOT_FOUND. */
TAKC_CHECK enum takc_status takc_home_api_key_revoke(struct takc_home *h, struct takc_str id, int64_t now_s, struct takc_err *err);

#endif
