/* SPDX-License-Identifier: Apache-2.0
 *
 * auth/sigv4_verify.h - the authorizer `sigv4`: requests signed with AWS Signature Version 4, as botocore, the SDKs, curl --aws-sigv4 and
 * awscurl sign for API Gateway, by access keys of a file of ours (auth/sigv4_keys.h).
 *
 * The signature stands in Authorization, or in the query (presigned: GET and HEAD only). It has to cover host, x-amz-date (in the header
 * form), and x-amz-content-sha256 and x-amz-security-token where the request has them; its scope is our region and service; its time is
 * within the skew of ours. A session token is signed for and not looked at: our keys have none.
 * The body is signed by its hash. Where x-amz-content-sha256 says it, the signature is checked at once, and the body against it when it is
 * whole. botocore does not say it (but for S3): then a request without a body is checked at once, and one with a body of at most
 * TAKC_SIGV4_UNSAID_BYTES when that is whole (body_proves in the identity); a larger one is refused. UNSIGNED-PAYLOAD is taken for GET and
 * HEAD, for others where the option says so; chunk signatures (STREAMING-...) are not.
 * Whoever reads a signed request on its way can send it again within the skew, as with AWS itself: serve it over TLS.
 * Threads: as auth.h. */
#ifndef TAKC_AUTH_SIGV4_VERIFY_H
#define TAKC_AUTH_SIGV4_VERIFY_H

#include "auth/auth.h"
#include "base/clock.h"

enum { TAKC_SIGV4_UNSAID_BYTES = 1 << 20 };

struct takc_auth_sigv4_options { /* texts are borrowed until open returns; empty: not set */
    struct takc_str keys;        /* serve.sigv4_keys: path */
    struct takc_str region;      /* serve.sigv4_region */
    struct takc_str service;     /* serve.sigv4_service; empty: execute-api */
    bool unsigned_writes;        /* UNSIGNED-PAYLOAD for other methods than GET and HEAD, too */
    uint32_t skew_s;             /* 0: 300 */
    const struct takc_clock *clock;
};

/* INVALID names the setting that is missing or odd, or the place in the file of keys; NOT_FOUND, IO, NOMEM. Returns owned: free by its
 * kind. */
TAKC_CHECK enum takc_status takc_auth_sigv4_open(struct takc_authorizer **out, const struct takc_auth_sigv4_options *o,
                                                 struct takc_err *err);

#endif
