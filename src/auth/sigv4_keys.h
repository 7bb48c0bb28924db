/* SPDX-License-Identifier: Apache-2.0
 *
 * auth/sigv4_keys.h - the file of access keys that callers may sign with (serve.sigv4_keys):
 *
 *     keys:
 *       - access_key_id: AKIDACME1
 *         secret: ...
 *         tenant: acme            # optional
 *         may: [query, ingest]
 *         tasks: [fin-*]          # optional: every task
 *         expires: 2027-01-31     # optional: refused from that day on (UTC)
 *
 * Nobody but its owner may have any right to it. It is read again when it has changed; a change that cannot be read is logged, and the keys
 * before it stay. Secrets are wiped when they are left, and shown nowhere.
 * Threads: any. */
#ifndef TAKC_AUTH_SIGV4_KEYS_H
#define TAKC_AUTH_SIGV4_KEYS_H

#include "auth/auth.h"
#include "base/buf.h"

struct takc_sigv4_keys;
/* INVALID (file:line:column, or whose rights are too wide), NOT_FOUND, IO, NOMEM. Returns owned. */
TAKC_CHECK enum takc_status takc_sigv4_keys_open(struct takc_sigv4_keys **out, const char *path, struct takc_err *err);
/* Nobody may be looking one up. NULL is harmless. */
void takc_sigv4_keys_close(struct takc_sigv4_keys *k);
/* Looks a key up: appends its secret and fills who, but for the subject, with copies in the arena. *found false: there is none. NOMEM. */
TAKC_CHECK enum takc_status takc_sigv4_keys_find(struct takc_sigv4_keys *k, struct takc_str access_key_id, struct takc_arena *a,
                                                 struct takc_buf *secret, struct takc_identity *who, bool *found, struct takc_err *err);

#endif
