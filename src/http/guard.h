/* SPDX-License-Identifier: Apache-2.0
 *
 * http/guard.h - is this the head of an HTTP request that means one thing? libmicrohttpd lets through what two servers in a row may read in
 * two ways (RFC 9112 sections 6.1-6.3, 11.2); nothing of that gets as far as a route.
 * Pure functions. Threads: any. */
#ifndef TAKC_HTTP_GUARD_H
#define TAKC_HTTP_GUARD_H

#include "net/url.h"

struct takc_header {
    struct takc_str name, value;
};

struct takc_guard_limits {
    size_t target_bytes; /* 0: 8,192 */
    size_t n_headers;    /* 0: 100 */
    size_t header_bytes; /* of all names and values; 0: 16,384 */
    uint64_t body_bytes; /* of any route; 0: no limit here */
};

struct takc_request_head {
    struct takc_str method, target, version; /* "POST", "/query?x=1" as it came, "HTTP/1.1" */
    const struct takc_header *headers;       /* as they came, repeated ones too */
    size_t n_headers;
};
struct takc_framing { /* how the body comes */
    bool chunked, has_length;
    uint64_t length;
};

/* 0: it may pass, out_framing is filled. Otherwise the HTTP status to refuse it with, the reason in why (for the client; it repeats nothing
 * of the request): 400 conflicting, repeated or odd Content-Length, Content-Length with Transfer-Encoding, header names that are no tokens,
 * control characters, Host missing or repeated, a target that is no path, broken percent escapes, "." and ".." segments; 413 body too
 * large; 414; 431; 501 other transfer codings; 505. */
int takc_guard_head(const struct takc_request_head *h, const struct takc_guard_limits *limits, struct takc_framing *out_framing,
                    char why[128]);
/* The path and query of a target that names its host, too ("http://HOST/query", RFC 9112 3.2.2), where that is the Host header's; any other
 * target as it is, for takc_guard_head to refuse. */
struct takc_str takc_guard_origin_form(struct takc_str target, struct takc_str host);
/* The first header of that name, in any case; the empty view when there is none. */
struct takc_str takc_header_find(const struct takc_header *headers, size_t n, const char *name);

#endif
