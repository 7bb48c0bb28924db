/* SPDX-License-Identifier: Apache-2.0
 *
 * auth/keys.h - API keys: what they look like, making, telling, revoking them.
 *
 *     takc_ID_SECRETCHECK
 *
 *   ID      12 of a-z0-9: public; names the key in lists, logs and `takc key revoke`
 *   SECRET  43 of A-Za-z0-9, drawn evenly by getrandom: 256 bits
 *   CHECK   6 of A-Za-z0-9: CRC-32 of all before it, so that a mistyped or cut key is told apart without a look at the catalogue, and
 *           scanners for leaked secrets can be sure of what they found. It proves nothing
 *
 * Kept is the SHA-256 of the whole key, in the catalogue of the server's own home. No salt, no slow hash, no HMAC: these protect what
 * people choose; nobody finds 256 random bits again from their hash. A key is compared by its hash in constant time, with the same work
 * where there is no key of that id. Nothing is remembered between requests: a key that another process revokes, or that expires, ends
 * with the next request.
 *
 * A request bears one in `Authorization: Bearer KEY` or `X-API-Key: KEY`; where both are there they must be the same. Threads: any. */
#ifndef TAKC_AUTH_KEYS_H
#define TAKC_AUTH_KEYS_H

#include "auth/auth.h"
#include "catalog/api_keys.h"

enum { TAKC_API_KEY_ID_LEN = 12, TAKC_API_KEY_SECRET_LEN = 43, TAKC_API_KEY_CHECK_LEN = 6, TAKC_API_KEY_TEXT_LEN = 5 + 12 + 1 + 43 + 6 };

struct takc_api_key_options {     /* borrowed */
    struct takc_str name;         /* for people: 1 to 100 characters without control characters */
    struct takc_str tenant;       /* empty: the default one; else a name as tasks have */
    struct takc_str tasks;        /* patterns with ',' between, of a-z 0-9 . _ - * ?; empty: every task */
    unsigned may;                 /* TAKC_MAY_*, at least one */
    int64_t created_s, expires_s; /* since 1970; expires 0: never */
};
/* Draws a key and keeps its hash in h. out_key is the only copy there will ever be, with a NUL behind it: wipe it. INVALID names what is
 * wrong in o. */
TAKC_CHECK enum takc_status takc_api_key_create(struct takc_home *h, const struct takc_api_key_options *o,
                                                char out_key[TAKC_API_KEY_TEXT_LEN + 1], char out_id[TAKC_API_KEY_ID_LEN + 1],
                                                struct takc_err *err);
/* Is text shaped like a key, with the right check? Pure. */
bool takc_api_key_shaped(struct takc_str text);
/* The id in a shaped key: a view into it. */
struct takc_str takc_api_key_id(struct takc_str key);
/* Whose key it is, as of now_s; views live as long as the arena. DENIED: unknown, revoked, expired, no key at all; the message repeats
 * nothing of it. Others: the catalogue's. */
TAKC_CHECK enum takc_status takc_api_key_check(struct takc_home *h, struct takc_str key, int64_t now_s, struct takc_arena *a,
                                               struct takc_identity *out, struct takc_err *err);

#endif
