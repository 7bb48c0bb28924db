/* SPDX-License-Identifier: Apache-2.0
 *
 * admit.c - from credentials to an identity, its scope and its tenant's home. */
#include "http/admit.h"

#include "auth/registry.h"
#include "base/log.h"
#include "http/limits.h"
#include "http/tenants.h"

#include <arpa/inet.h>
#include <stdio.h>

#define REALM "Bearer realm=\"takc\""

/* ---- without an authorizer ---- */

static bool is_port(struct takc_str rest)
{
    uint64_t port;
    return !rest.len || (rest.ptr[0] == ':' && rest.len <= 6 && !takc_str_u64(takc_str_slice(rest, 1, rest.len), 65535, &port, NULL));
}

bool takc_admit_own_host(struct takc_str host)
{
    struct in_addr v4;
    char name[16] = "";
    if (takc_str_starts(host, takc_str("[::1]")))
        return is_port(takc_str_slice(host, 5, host.len));
    size_t colon = takc_str_find_byte(host, ':', 0), end = colon == SIZE_MAX ? host.len : colon;
    if (end >= sizeof(name) || takc_str_find_byte(host, '\0', 0) != SIZE_MAX || !is_port(takc_str_slice(host, end, host.len)))
        return false;
    memcpy(name, host.ptr, end);
    return takc_str_eq_nocase(takc_str(name), takc_str("localhost")) ||
           (inet_pton(AF_INET, name, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127);
}

bool takc_admit_own_origin(struct takc_str origin)
{
    size_t at = takc_str_find(origin, takc_str("://"), 0);
    return at != SIZE_MAX && takc_admit_own_host(takc_str_slice(origin, at + 3, origin.len));
}

static bool may_change(struct takc_str method)
{
    return !takc_str_is(method, "GET") && !takc_str_is(method, "HEAD") && !takc_str_is(method, "OPTIONS");
}

bool takc_admit_head(const struct takc_api *api, struct takc_exchange *x)
{
    struct takc_str origin = takc_exchange_asked(x, "origin");
    const char *why = NULL;
    if (api->auth)
        return true;
    if (!takc_admit_own_host(takc_exchange_asked(x, "host")))
        why = "this server has no authorizer (serve.auth) and answers to the names of its own machine only: localhost, 127.0.0.1, [::1]";
    else if (origin.len && may_change(x->method) && !takc_admit_own_origin(origin) && !takc_limits_trusts(api, origin))
        why = "this server has no authorizer (serve.auth) and lets no page of a site that serve.cors_origins does not name change anything";
    if (why)
        takc_api_refuse(x, 403, "FORBIDDEN", takc_str(why), NULL);
    return !why;
}

void takc_admit_begin(struct takc_exchange *x, struct takc_asked *asked)
{
    if (!asked->api->auth) {
        asked->who = (struct takc_identity){.subject = takc_str("local"), .may = TAKC_MAY_ALL};
        asked->home = asked->api->home;
    } else if (!takc_api_needs(asked->api, asked->route)) {
        asked->who = (struct takc_identity){.subject = takc_str("anonymous")}; /* may nothing, has no home */
    } else {
        x->admits = true; /* who and home stay empty until then */
    }
}

/* ---- with authorizers ---- */

static struct takc_str header(const void *arg, const char *name, bool *out_twice)
{
    const struct takc_exchange *x = arg;
    struct takc_str found = {NULL, 0};
    size_t n = 0;
    for (size_t i = 0; i < x->n_headers; i++)
        if (takc_str_eq_nocase(x->headers[i].name, takc_str(name)) && n++ == 0)
            found = takc_str_trim(x->headers[i].value);
    *out_twice = n > 1;
    return n > 1 ? (struct takc_str){NULL, 0} : found;
}

static void refuse(struct takc_exchange *x, int status, const char *code, const char *challenge, const char *why)
{
    takc_exchange_header(x, "WWW-Authenticate", takc_str(challenge));
    takc_log_for(&x->call, INFO, "auth", "%s %.*s %.*s: %d: %s", x->peer[0] ? x->peer : "-", TAKC_STR_ARG(x->method), TAKC_STR_ARG(x->path),
                 status, why);
    takc_api_refuse(x, status, code, takc_str(why), NULL);
}

/* It could not be told whose request it is: never a way in. */
static void fail(struct takc_exchange *x, enum takc_status st, const char *what, const struct takc_err *err)
{
    bool ours = st == TAKC_CORRUPT || st == TAKC_IO || st == TAKC_FULL;
    takc_log_for(&x->call, ERROR, "auth", "%s: %s: %s", what, takc_status_name(st), err->msg);
    if (ours) {
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, err);
        return;
    }
    takc_exchange_header(x, "Retry-After", takc_str("1"));
    takc_api_refuse(x, 503, "BUSY", takc_str("it cannot be told now who asks; try again in a moment"), NULL);
}

static bool identify(struct takc_exchange *x, struct takc_asked *asked)
{
    const struct takc_auth_request r = {
        .method = x->method, .path = x->path, .query = x->query, .peer = takc_str(x->peer), .tls = x->tls, .header = header, .arg = x};
    struct takc_err err = {0};
    bool bore = false;
    enum takc_status st = takc_auth_check(asked->api->auth, &x->call, &r, &x->arena, &asked->who, &bore, &err);
    if (st == TAKC_DENIED)
        refuse(x, 401, "AUTHENTICATION_FAILED", bore ? REALM ", error=\"invalid_token\"" : REALM, err.msg);
    else if (st)
        fail(x, st, "an authorizer", &err);
    return !st;
}

static bool has_scope(struct takc_exchange *x, const struct takc_asked *asked)
{
    char names[24], challenge[96], why[96];
    if (takc_may(&asked->who, takc_api_needs(asked->api, asked->route)))
        return true;
    takc_may_text(asked->route->may, names);
    (void)snprintf(challenge, sizeof(challenge), REALM ", error=\"insufficient_scope\", scope=\"%s\"", names);
    (void)snprintf(why, sizeof(why), "this credential may not do that: it lacks the scope %s", names);
    refuse(x, 403, "FORBIDDEN", challenge, why);
    return false;
}

static bool open_home(struct takc_exchange *x, struct takc_asked *asked)
{
    struct takc_err err = {0};
    enum takc_status st = takc_tenants_get(asked->api->tenants, &x->call, asked->who.tenant, asked->route->writes, &asked->home, &err);
    if (st == TAKC_INVALID)
        refuse(x, 403, "FORBIDDEN", "", "this credential names a tenant that cannot be one");
    else if (st)
        fail(x, st, "a tenant's home", &err);
    return !st;
}

/* Its body has to be the one that was signed: hashed as it comes. */
static bool begin_body(struct takc_exchange *x, struct takc_asked *asked)
{
    struct takc_err err = {0};
    if (!asked->who.body)
        return true;
    enum takc_status st = takc_sha256_init(&asked->body_hash, &err);
    if (st)
        fail(x, st, "the body's hash", &err);
    else
        x->digests[TAKC_DIGEST_SIGNED] = &asked->body_hash;
    return !st;
}

struct takc_str takc_admit_query(struct takc_exchange *x, const struct takc_asked *asked, bool *nomem)
{
    struct takc_str rest = x->query, piece;
    size_t n = 0;
    *nomem = false;
    if (!asked->who.in_query)
        return x->query;
    char *kept = takc_arena_alloc(&x->arena, x->query.len + 1);
    *nomem = !kept;
    while (kept && takc_str_split(&rest, '&', &piece)) {
        if (!piece.len || takc_str_starts(piece, takc_str("X-Amz-")))
            continue;
        if (n)
            kept[n++] = '&';
        memcpy(kept + n, piece.ptr, piece.len);
        n += piece.len;
    }
    return takc_str_n(kept, n);
}

bool takc_admit_body(struct takc_exchange *x, struct takc_asked *asked)
{
    struct takc_err err = {0};
    struct takc_hex hash;
    if (!asked->who.body)
        return true;
    enum takc_status st = takc_sha256_end(&asked->body_hash, &hash, &err);
    st = st ? st : takc_identity_body(&asked->who, takc_str(hash.s), &err);
    if (st == TAKC_DENIED)
        refuse(x, 401, "AUTHENTICATION_FAILED", REALM ", error=\"invalid_token\"", err.msg);
    else if (st)
        fail(x, st, "the body's hash", &err);
    return !st && has_scope(x, asked);
}

bool takc_admit(struct takc_exchange *x, struct takc_asked *asked)
{
    if (!asked->api->auth || !takc_api_needs(asked->api, asked->route)) /* known since its head */
        return true;
    /* What a key may is told to nobody who only knows its name. */
    return identify(x, asked) && (asked->who.body_proves || has_scope(x, asked)) && begin_body(x, asked) && open_home(x, asked);
}

void takc_admit_end(struct takc_asked *asked)
{
    if (asked->api->tenants)
        takc_tenants_put(asked->api->tenants, asked->home);
    takc_sha256_clear(&asked->body_hash);
    asked->home = NULL;
}
