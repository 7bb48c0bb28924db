/* SPDX-License-Identifier: Apache-2.0
 *
 * auth/jwt.h - the authorizer `jwt`: access tokens of an OIDC issuer (Cognito, Entra, Okta, Auth0, Keycloak, ...), as JWT in compact form.
 *
 * A token is good when its header is plain (RS256 or ES256 as its key is, no "crit", no key of its own: jwk, jku, x5u, x5c), its signature
 * is that of a key of the issuer (auth/jwks.h), and its claims hold: iss is the issuer to the byte, exp is there and ahead, nbf and iat are
 * behind (all with a skew), aud names us, token_use is what is wanted. With token_use "access" a token without aud may name us by
 * client_id, as Cognito's do. Names given twice in its JSON are refused. What it may: words "query", "ingest", "admin" of the scope claim,
 * bare or behind "takc/" or "AUDIENCE/"; others are not ours and say nothing. A claim that is set to be read (tenant, tasks) must be there:
 * a token without it gets no tenant by default. Threads: as auth.h. */
#ifndef TAKC_AUTH_JWT_H
#define TAKC_AUTH_JWT_H

#include "auth/grant.h"
#include "auth/jwks.h"

enum { TAKC_JWT_MAX_BYTES = 8 << 10, TAKC_JWT_AUDIENCES = 16 };

struct takc_auth_jwt_options { /* texts are borrowed until open returns; empty: not set */
    struct takc_str issuer;    /* serve.jwt_issuer */
    struct takc_str audience;  /* serve.jwt_audience: one or more, blanks or commas between */
    struct takc_str jwks;      /* serve.jwt_jwks: URL; empty: discovery */
    struct takc_str tenant_claim, tasks_claim;
    struct takc_str scope_claim; /* empty: "scope", else "scp" */
    struct takc_str token_use;   /* "access", "id"; empty: any */
    uint32_t skew_s;             /* 0: 60 */
    const char *ca_file, *proxy; /* as in net/http.h */
    const struct takc_clock *clock;
    takc_jwks_fetch_fn *fetch; /* as in auth/jwks.h: for tests */
    void *fetch_arg;
};

/* Opens; asks nobody yet. INVALID names the setting that is missing or odd; UNSUPPORTED (no libcjose, no libcurl), NOMEM. Returns owned:
 * free by its kind. */
TAKC_CHECK enum takc_status takc_auth_jwt_open(struct takc_authorizer **out, const struct takc_auth_jwt_options *o, struct takc_err *err);

/* --- the parts, for tests of every byte --- */

struct takc_jwt { /* a token read, not yet believed */
    struct takc_str text;
    enum takc_token_alg alg;
    struct takc_str kid; /* in head; empty: none */
    json_t *head, *claims;
};
/* Has it the form of one: three parts of base64url's letters? */
bool takc_jwt_looks(struct takc_str text);
/* Reads; text is borrowed as long as t. DENIED with what is wrong, NOMEM; nothing to clear then. */
TAKC_CHECK enum takc_status takc_jwt_read(struct takc_jwt *t, struct takc_str text, struct takc_err *err);
/* A zeroed one and a cleared one are fine. */
void takc_jwt_clear(struct takc_jwt *t);

struct takc_jwt_rules { /* what claims have to say; borrowed */
    struct takc_str issuer, audience[TAKC_JWT_AUDIENCES];
    size_t n_audience;
    const char *tenant_claim, *tasks_claim, *scope_claim, *token_use; /* NULL: not set */
    int64_t skew_s;
};
/* Whose a token is by its claims, at now_s. Pure. DENIED says which claim; NOMEM. */
TAKC_CHECK enum takc_status takc_jwt_identity(const struct takc_jwt_rules *rules, const json_t *claims, int64_t now_s, struct takc_arena *a,
                                              struct takc_identity *out, struct takc_err *err);

#endif
