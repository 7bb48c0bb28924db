/* SPDX-License-Identifier: Apache-2.0
 *
 * auth/sigv4_claim.h - a signature as a request presents it: read from Authorization or from the query, not yet believed. Between
 * sigv4_read.c, which reads, and sigv4_verify.c, which checks.
 * Threads: pure functions. */
#ifndef TAKC_AUTH_SIGV4_CLAIM_H
#define TAKC_AUTH_SIGV4_CLAIM_H

#include "auth/auth.h"
#include "aws/sigv4.h"

enum { TAKC_SIGV4_SIGNED_HEADERS = 64 };

struct takc_sigv4_claim {                                       /* lives as long as its arena and the request */
    struct takc_str access, day, region, service;               /* of the credential: KEY/DAY/REGION/SERVICE/aws4_request */
    struct takc_str date, signature;                            /* "20260102T030405Z"; 64 hex digits */
    struct takc_str payload;                                    /* x-amz-content-sha256; empty: not said */
    struct takc_http_header headers[TAKC_SIGV4_SIGNED_HEADERS]; /* that are signed, sorted by name */
    size_t n_headers;
    struct takc_str url; /* as it was signed: a presigned one without its signature */
    const char *method;
    int64_t at_s;
    uint32_t expires_s; /* of a presigned one */
    bool presigned;
};

/* Does it bear a signature of this kind, in Authorization or in the query? */
bool takc_sigv4_bears(const struct takc_auth_request *r);
/* Reads. DENIED: not what a signer writes, or what has to be signed is not; NOMEM. */
TAKC_CHECK enum takc_status takc_sigv4_claim_read(const struct takc_auth_request *r, struct takc_arena *a, struct takc_sigv4_claim *out,
                                                  struct takc_err *err);

#endif
