/* SPDX-License-Identifier: Apache-2.0
 *
 * auth/auth.h - who asks, and what they may: the authorizers of `takc serve`.
 *
 * An authorizer reads the credentials of a request and says whose they are: an identity. Several may be set; the first whose kind of
 * credential the request bears decides, and a request that bears none is refused. What an identity may do is asked of it, not of the
 * authorizer (takc_may, takc_may_task).
 *
 *   none      everybody is the machine's own user: on loopback only
 *   key       Authorization: Bearer takc_..., X-API-Key; kept as hashes in the home's catalogue (takc key)
 *   jwt       OIDC tokens: RS256, ES256, keys by discovery (a Cognito user pool is one)
 *   sigv4     AWS Signature Version 4, as IAM callers sign
 *   webhook   a URL or a command decides
 *
 * Threads: check may be called from any number at a time; it may wait (fetch keys, ask a webhook) and is called on a fiber. */
#ifndef TAKC_AUTH_AUTH_H
#define TAKC_AUTH_AUTH_H

#include "base/arena.h"
#include "takc/call.h"

enum { TAKC_MAY_QUERY = 1, TAKC_MAY_INGEST = 2, TAKC_MAY_ADMIN = 4, TAKC_MAY_ALL = 7 };
enum { TAKC_IDENTITY_TASKS = 32 };

struct takc_identity {       /* views live as long as the arena it was made in */
    struct takc_str subject; /* stable and safe to log: "key:k3f9...", "jwt:SUB", "aws:AKIA...": letters, digits, ':' '-' '_' '.' '/' '@' */
    struct takc_str tenant;  /* whose home; empty: the default one. A name as tasks have */
    unsigned may;            /* TAKC_MAY_*; ADMIN does not hold the others */
    struct takc_str tasks[TAKC_IDENTITY_TASKS]; /* patterns with * and ? of tasks that may be named */
    size_t n_tasks;                             /* 0: every task */
    int64_t expires_s;                          /* when what was presented ends, seconds since 1970; 0: never */
    /* Whether a body is the one that was signed, asked through takc_identity_body. NULL: any body is. */
    enum takc_status (*body)(const void *arg, struct takc_str sha256, struct takc_err *err);
    const void *body_arg;
    bool in_query;    /* what was presented stands in the query (X-Amz-...): no route knows these parameters */
    bool body_proves; /* the signature itself can be checked only then: until it is, who it is is claimed, not known */
};

struct takc_auth_request {                     /* a request's head */
    struct takc_str method, path, query, peer; /* path and query as they came, still escaped; path without /v1 taken off */
    bool tls;
    /* The value of a header, in any case; the empty view: none; one that came more than once is none and sets *out_twice. */
    struct takc_str (*header)(const void *arg, const char *name, bool *out_twice);
    const void *arg;
};

struct takc_authorizer;
struct takc_authorizer_kind {
    const char *name;
    /* Does the request bear this kind of credential, be it good or bad? Pure. */
    bool (*bears)(const struct takc_authorizer *a, const struct takc_auth_request *r);
    /* Whose it is. DENIED: not good (401; err's message may be shown to the client and repeats nothing of the credential); UPSTREAM,
     * TIMEOUT, BUSY: whom it asks did not answer (503, never let through). */
    enum takc_status (*check)(struct takc_authorizer *a, struct takc_call *call, const struct takc_auth_request *r,
                              struct takc_arena *arena, struct takc_identity *out, struct takc_err *err);
    void (*free)(struct takc_authorizer *a);
};
struct takc_authorizer { /* first member of each implementation */
    const struct takc_authorizer_kind *kind;
};

/* Where `body` is set, a request's body has to be hashed (64 hex digits, also of an empty one) and shown here before anything is done with
 * it. DENIED: it is not the one that was signed (401); NOMEM. */
TAKC_CHECK enum takc_status takc_identity_body(const struct takc_identity *who, struct takc_str sha256, struct takc_err *err);
/* May it do one of these (TAKC_MAY_*)? */
bool takc_may(const struct takc_identity *who, unsigned what);
/* May it name that task? */
bool takc_may_task(const struct takc_identity *who, struct takc_str task);

/* "query,ingest" as TAKC_MAY_*. INVALID names the word. */
TAKC_CHECK enum takc_status takc_may_parse(struct takc_str list, unsigned *out, struct takc_err *err);
/* The way back: "query,ingest,admin" at most. */
void takc_may_text(unsigned may, char out[24]);

#endif
