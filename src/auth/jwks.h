/* SPDX-License-Identifier: Apache-2.0
 *
 * auth/jwks.h - the keys of an issuer, fetched when they are needed and kept.
 *
 * Where they are is asked of the issuer (OIDC discovery, ISSUER/.well-known/openid-configuration, whose "issuer" has to be the very same)
 * unless it is said. A set is good for TAKC_JWKS_FRESH_MS; then the next token has it fetched again, so that keys that were taken back go.
 * A kid that is not in it has it fetched, too: keys are changed without notice. But there are never two fetches within TAKC_JWKS_AGAIN_MS,
 * whatever tokens come: invented kids cannot make a flood. While the issuer does not answer, known keys go on being used up to
 * TAKC_JWKS_STALE_MS after they were last fetched. One fetches, others wait for it (on a condition: a fiber gives its thread away), unless
 * the key they need is there. https is demanded, of the keys' place too; http is for an issuer on the machine itself. Redirects are not
 * followed. Threads: any. */
#ifndef TAKC_AUTH_JWKS_H
#define TAKC_AUTH_JWKS_H

#include "auth/keyset.h"
#include "base/buf.h"
#include "base/clock.h"

enum { TAKC_JWKS_FRESH_MS = 15 * 60 * 1000, TAKC_JWKS_AGAIN_MS = 10 * 1000, TAKC_JWKS_STALE_MS = 24 * 60 * 60 * 1000 };

/* Fetches a document of at most out->max bytes; UPSTREAM or TIMEOUT when that fails. May wait. */
typedef enum takc_status takc_jwks_fetch_fn(void *arg, const char *url, struct takc_buf *out, struct takc_err *err);

struct takc_jwks_options {
    const char *issuer;          /* URL without query */
    const char *url;             /* of the keys; NULL: asked of the issuer */
    const char *ca_file, *proxy; /* as in net/http.h */
    const struct takc_clock *clock;
    takc_jwks_fetch_fn *fetch; /* NULL: over HTTP. For tests */
    void *fetch_arg;
};

struct takc_jwks;
/* Nothing is fetched yet. Everything in o is copied but clock and fetch_arg. INVALID: an URL that is none, or http where https belongs.
 * Returns owned: takc_jwks_close. */
TAKC_CHECK enum takc_status takc_jwks_open(struct takc_jwks **out, const struct takc_jwks_options *o, struct takc_err *err);
/* Nobody may be asking it any more. NULL is harmless; sets that were given out stay. */
void takc_jwks_close(struct takc_jwks *j);
/* A set that holds a key for that kid and algorithm; fetches and waits where it must. DENIED: the issuer has no such key; UPSTREAM: it
 * did not answer, or not with keys, and what is kept is too old; CANCELLED, TIMEOUT: of the call; BUSY: too many wait. Returns owned:
 * takc_keyset_unref. */
TAKC_CHECK enum takc_status takc_jwks_get(struct takc_jwks *j, struct takc_call *call, struct takc_str kid, enum takc_token_alg alg,
                                          struct takc_keyset **out, struct takc_err *err);

#endif
