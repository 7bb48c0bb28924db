/* SPDX-License-Identifier: Apache-2.0
 *
 * aws/sigv4.h - AWS Signature Version 4 as pure functions of request, keys and time ("Signature Version 4 signing process", AWS General
 * Reference). Nothing here reads a clock, a file or the environment.
 *
 * Canonical path: every service but s3 signs the path escaped once more than it is sent (a model id with ':' is sent as %3A and signed as
 * %253A) and with dot segments removed; s3 signs it as sent. Queries are sorted by escaped name, then value. Header values are trimmed and
 * inner runs of blanks folded. Signed headers: host, x-amz-*, content-type, content-md5, and whatever else is given but those that
 * proxies change (user-agent, expect, connection, transfer-encoding, x-amzn-trace-id, accept-encoding).
 * Threads: pure functions. */
#ifndef TAKC_AWS_SIGV4_H
#define TAKC_AWS_SIGV4_H

#include "base/buf.h"
#include "net/http.h"

#define TAKC_SIGV4_ALGORITHM "AWS4-HMAC-SHA256"
#define TAKC_SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"
/* Of no bytes. */
#define TAKC_SIGV4_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

struct takc_aws_keys {
    struct takc_str access, secret, token; /* token empty: none */
};

enum takc_sigv4_flags {
    TAKC_SIGV4_UNSIGNED_PAYLOAD = 1 << 0, /* s3 over TLS: the body's hash is not part */
    TAKC_SIGV4_AS_SIGNED = 1 << 1 /* for who checks another's signature: exactly the given headers are signed, none is added or left out */
};

struct takc_sigv4_request { /* borrowed */
    const char *method;
    struct takc_str url; /* as sent */
    const struct takc_http_header *headers;
    size_t n_headers;
    struct takc_str body_sha256; /* 64 hex digits; empty: of the empty body */
    struct takc_str service, region;
    int64_t at_s; /* seconds since 1970 UTC */
    unsigned flags;
};

struct takc_sigv4 { /* what signing gives; clear it */
    struct takc_buf canonical, to_sign, authorization;
    char date[17];      /* x-amz-date: "20260102T030405Z" */
    char signature[65]; /* hex */
};
void takc_sigv4_init(struct takc_sigv4 *s);
void takc_sigv4_clear(struct takc_sigv4 *s); /* wipes */

/* Signs. The request is sent with its headers, x-amz-date, authorization, x-amz-security-token where there is a token, and
 * x-amz-content-sha256 for s3. INVALID: an url that is none, an empty key, region or service, a header with a line break. */
TAKC_CHECK enum takc_status takc_sigv4_sign(const struct takc_sigv4_request *r, const struct takc_aws_keys *k, struct takc_sigv4 *out,
                                            struct takc_err *err);
/* Appends the URL with the signature in its query, good for expires_s (1 .. 604,800) seconds. */
TAKC_CHECK enum takc_status takc_sigv4_presign(const struct takc_sigv4_request *r, const struct takc_aws_keys *k, uint32_t expires_s,
                                               struct takc_buf *out, struct takc_err *err);
/* Seconds to add to our clock so that it is the server's, from a reply's Date header; 0 when it is within max_skew_s or unreadable. */
int64_t takc_sigv4_skew_s(struct takc_str date_header, int64_t now_s, int64_t max_skew_s);

#endif
