/* SPDX-License-Identifier: Apache-2.0
 *
 * cors.c - origins compared byte by byte; no patterns, since those are what others got wrong. */
#include "http/cors.h"

#include "net/url.h"

enum { ASKED_MAX = 1024 };

static const char exposed[] =
    "X-Request-ID, Retry-After, ETag, RateLimit, RateLimit-Policy, RateLimit-Limit, RateLimit-Remaining, "
    "RateLimit-Reset, Location, WWW-Authenticate, Idempotency-Replayed, x-takc-cache, x-takc-rate, x-takc-mode, x-takc-version, "
    "x-takc-confidence, x-takc-cost-usd, x-takc-overhead-ms, Mcp-Session-Id";
static const char usual[] =
    "Authorization, Content-Type, X-API-Key, X-Request-ID, Idempotency-Key, If-None-Match, traceparent, tracestate, Mcp-Session-Id, "
    "Mcp-Protocol-Version, Last-Event-ID";

/* ---- setting ---- */

/* Scheme, host, perhaps a port: as a browser writes it, so in small letters, without the usual port, and without a slash behind. */
static bool is_origin(struct takc_str s)
{
    struct takc_url u;
    if (takc_url_parse(&u, s, NULL) || u.scheme.len + 3 + u.authority.len != s.len)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z')
            return false;
    return u.authority.len == u.host.len || u.port != (u.scheme.len == 5 ? 443 : 80);
}

enum takc_status takc_cors_parse(struct takc_str list, struct takc_cors *out, struct takc_err *err)
{
    struct takc_str one;
    *out = (struct takc_cors){.n = 0};
    if (!takc_str_trim(list).len)
        return TAKC_OK;
    while (takc_str_split(&list, ',', &one)) {
        one = takc_str_trim(one);
        bool star = takc_str_is(one, "*");
        if (out->any || (star && out->n))
            return takc_fail(err, TAKC_INVALID, 0, "'*' stands alone: it allows every origin");
        if (!star && !is_origin(one))
            return takc_fail(err, TAKC_INVALID, 0, "'%.*s' is no origin: one is written https://app.example.com, in small letters",
                             TAKC_STR_ARG(one));
        if (out->n == TAKC_CORS_ORIGINS)
            return takc_fail(err, TAKC_INVALID, 0, "more than %d origins", TAKC_CORS_ORIGINS);
        out->any = star;
        if (!star)
            out->origins[out->n++] = one;
    }
    return TAKC_OK;
}

/* ---- replies ---- */

bool takc_cors_allows(const struct takc_cors *c, struct takc_str origin)
{
    if (c->any)
        return true;
    for (size_t i = 0; i < c->n; i++)
        if (takc_str_eq(c->origins[i], origin))
            return true;
    return false;
}

void takc_cors_headers(const struct takc_cors *c, struct takc_exchange *x)
{
    struct takc_str origin = takc_exchange_asked(x, "origin");
    if (!takc_cors_is_on(c))
        return;
    if (!c->any)
        takc_exchange_header(x, "Vary", takc_str("Origin"));
    if (!origin.len || !takc_cors_allows(c, origin))
        return;
    takc_exchange_header(x, "Access-Control-Allow-Origin", c->any ? takc_str("*") : origin);
    takc_exchange_header(x, "Access-Control-Expose-Headers", takc_str(exposed));
}

/* A list of header names that may be said again. */
static bool is_list(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && c != '-' && c != '_' && c != ',' && c != ' ')
            return false;
    }
    return s.len > 0 && s.len <= ASKED_MAX;
}

bool takc_cors_preflight(const struct takc_cors *c, struct takc_exchange *x, const char *methods)
{
    struct takc_str origin = takc_exchange_asked(x, "origin"), asked = takc_exchange_asked(x, "access-control-request-headers");
    if (!takc_cors_is_on(c) || !takc_str_is(x->method, "OPTIONS") || !origin.len ||
        !takc_exchange_asked(x, "access-control-request-method").len)
        return false;
    x->status = 204;
    takc_exchange_header(x, "Vary", takc_str("Access-Control-Request-Headers"));
    if (!takc_cors_allows(c, origin))
        return true; /* without the headers that it looks for, the browser goes no further */
    takc_exchange_header(x, "Access-Control-Allow-Methods", takc_str(methods));
    takc_exchange_header(x, "Access-Control-Allow-Headers", is_list(asked) ? asked : takc_str(usual));
    takc_exchange_header(x, "Access-Control-Max-Age", takc_str("7200")); /* longer than any browser keeps it */
    return true;
}
