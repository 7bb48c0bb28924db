/* SPDX-License-Identifier: Apache-2.0
 *
 * sigv4_verify.c - a presented signature against the one that our key makes (aws/sigv4.h, the same code that signs), at once or when the
 * body's hash is known. An unknown key takes as long as a wrong signature, and is told in the same words. */
#include "auth/sigv4_verify.h"

#include "auth/grant.h"
#include "auth/sigv4_claim.h"
#include "auth/sigv4_keys.h"
#include "base/alloc.h"
#include "base/hash.h"

#include <openssl/crypto.h>

enum { SKEW_S = 300, SECRET_BYTES = 256 };

struct sigv4 {
    struct takc_authorizer base;
    struct takc_arena arena;
    struct takc_sigv4_keys *keys;
    struct takc_str region, service;
    bool unsigned_writes;
    int64_t skew_s;
    const struct takc_clock *clock;
};

/* --- the signature --- */

static enum takc_status compare(const struct takc_sigv4_claim *c, struct takc_str payload, struct takc_str secret, bool *same,
                                struct takc_err *err)
{
    struct takc_sigv4 s;
    bool open = takc_str_is(payload, TAKC_SIGV4_UNSIGNED);
    const struct takc_aws_keys keys = {c->access, secret, {"", 0}};
    const struct takc_sigv4_request r = {.method = c->method,
                                         .url = c->url,
                                         .headers = c->headers,
                                         .n_headers = c->n_headers,
                                         .body_sha256 = open ? takc_str("") : payload,
                                         .service = c->service,
                                         .region = c->region,
                                         .at_s = c->at_s,
                                         .flags = TAKC_SIGV4_AS_SIGNED | (open ? TAKC_SIGV4_UNSIGNED_PAYLOAD : 0)};
    takc_sigv4_init(&s);
    enum takc_status st = takc_sigv4_sign(&r, &keys, &s, NULL);
    *same = !st && CRYPTO_memcmp(s.signature, c->signature.ptr, TAKC_SHA256_HEX) == 0;
    takc_sigv4_clear(&s);
    return st == TAKC_NOMEM ? takc_fail(err, st, 0, "no memory to check a signature") : TAKC_OK;
}

/* who, but for its subject, when the signature over that payload is right. */
static enum takc_status verify(const struct sigv4 *v, const struct takc_sigv4_claim *c, struct takc_str payload, struct takc_arena *a,
                               struct takc_identity *who, struct takc_err *err)
{
    bool found = false, same = false;
    struct takc_buf secret;
    takc_buf_init_secret(&secret, SECRET_BYTES);
    enum takc_status st = takc_sigv4_keys_find(v->keys, c->access, a, &secret, who, &found, err);
    if (!st && !found)
        st = takc_buf_add(&secret, takc_str("no key of anybody"), err);
    st = st ? st : compare(c, payload, takc_buf_str(&secret), &same, err);
    takc_buf_clear(&secret);
    if (st)
        return st;
    if (!found || !same)
        return takc_fail(err, TAKC_DENIED, 0, "the signature is not that of a key that is known here");
    int64_t now = v->clock->wall_s(v->clock);
    return who->expires_s && now >= who->expires_s ? takc_fail(err, TAKC_DENIED, 0, "the access key has expired") : TAKC_OK;
}

/* --- bodies --- */

/* The body that was declared is the one that came. */
static enum takc_status body_is(const void *arg, struct takc_str sha256, struct takc_err *err)
{
    const struct takc_str *want = arg;
    bool same = sha256.len == want->len && CRYPTO_memcmp(sha256.ptr, want->ptr, want->len) == 0;
    return same ? TAKC_OK : takc_fail(err, TAKC_DENIED, 0, "the body is not the one that was signed");
}

struct unproven { /* a signature that waits for its body */
    const struct sigv4 *v;
    struct takc_sigv4_claim claim;
};

static enum takc_status body_proves(const void *arg, struct takc_str sha256, struct takc_err *err)
{
    const struct unproven *u = arg;
    struct takc_identity again;
    struct takc_arena a;
    takc_arena_init(&a);
    enum takc_status st = verify(u->v, &u->claim, sha256, &a, &again, err);
    takc_arena_clear(&a);
    return st;
}

static bool reads_only(const struct takc_auth_request *r)
{
    return takc_str_is(r->method, "GET") || takc_str_is(r->method, "HEAD");
}

/* Bytes of the body that will come; UINT64_MAX: the head does not say. */
static uint64_t body_bytes(const struct takc_auth_request *r)
{
    bool twice = false, odd = false;
    uint64_t n = 0;
    struct takc_str length = r->header(r->arg, "content-length", &twice), coding = r->header(r->arg, "transfer-encoding", &odd);
    if (twice || odd || coding.len || (length.len && takc_str_u64(length, UINT64_MAX - 1, &n, NULL)))
        return UINT64_MAX;
    return n;
}

/* The key is known, the signature is not yet checked: nothing of it is told but whose key it claims to be. */
static enum takc_status wait_for_body(const struct sigv4 *v, const struct takc_auth_request *r, const struct takc_sigv4_claim *c,
                                      struct takc_arena *a, struct takc_identity *who, struct takc_err *err)
{
    struct takc_buf secret;
    bool found = false;
    if (body_bytes(r) > TAKC_SIGV4_UNSAID_BYTES)
        return takc_fail(err, TAKC_DENIED, 0, "a body of more than %d bytes has to be signed by x-amz-content-sha256",
                         TAKC_SIGV4_UNSAID_BYTES);
    takc_buf_init_secret(&secret, SECRET_BYTES);
    enum takc_status st = takc_sigv4_keys_find(v->keys, c->access, a, &secret, who, &found, err);
    takc_buf_clear(&secret);
    if (st || !found)
        return st ? st : takc_fail(err, TAKC_DENIED, 0, "the signature is not that of a key that is known here");
    struct unproven *u = takc_arena_alloc(a, sizeof(*u));
    if (!u)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a signature");
    *u = (struct unproven){v, *c};
    who->body = body_proves;
    who->body_arg = u;
    who->body_proves = true;
    return TAKC_OK;
}

static enum takc_status expect_body(struct takc_str sha256, struct takc_arena *a, struct takc_identity *who, struct takc_err *err)
{
    struct takc_str *want = takc_arena_alloc(a, sizeof(*want));
    if (!want)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a signature");
    *want = takc_arena_dup(a, sha256);
    who->body = body_is;
    who->body_arg = want;
    return want->ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a signature");
}

/* --- the authorizer --- */

static enum takc_status check_scope(const struct sigv4 *v, const struct takc_sigv4_claim *c, struct takc_err *err)
{
    int64_t now = v->clock->wall_s(v->clock), age = now - c->at_s, late = c->presigned ? (int64_t)c->expires_s : v->skew_s;
    if (!takc_str_eq(c->region, v->region) || !takc_str_eq(c->service, v->service))
        return takc_fail(err, TAKC_DENIED, 0, "the signature is for another region or service; here it is %.*s/%.*s",
                         TAKC_STR_ARG(v->region), TAKC_STR_ARG(v->service));
    if (c->presigned && age > late)
        return takc_fail(err, TAKC_DENIED, 0, "the signed URL was good for %u s, and ended %lld s ago", c->expires_s,
                         (long long)(age - late));
    if (age > late || age < -v->skew_s)
        return takc_fail(err, TAKC_DENIED, 0, "the signature's time is %lld s from the server's", (long long)(age < 0 ? -age : age));
    return TAKC_OK;
}

static enum takc_status check_claim(const struct sigv4 *v, const struct takc_auth_request *r, const struct takc_sigv4_claim *c,
                                    struct takc_arena *a, struct takc_identity *who, struct takc_err *err)
{
    bool open = takc_str_is(c->payload, TAKC_SIGV4_UNSIGNED);
    if (c->presigned && !reads_only(r))
        return takc_fail(err, TAKC_DENIED, 0, "an URL that is signed is taken for GET and HEAD only");
    if (open && !reads_only(r) && !v->unsigned_writes)
        return takc_fail(err, TAKC_DENIED, 0, "the body has to be signed (x-amz-content-sha256 is " TAKC_SIGV4_UNSIGNED ")");
    if (c->payload.len && !open && !takc_hex_valid(c->payload))
        return takc_fail(err, TAKC_DENIED, 0, "x-amz-content-sha256 is no SHA-256 in lower-case hexadecimal");
    if (!c->payload.len && body_bytes(r))
        return wait_for_body(v, r, c, a, who, err);
    struct takc_str payload = c->payload.len ? c->payload : takc_str(TAKC_SIGV4_EMPTY_SHA256);
    enum takc_status st = verify(v, c, payload, a, who, err);
    return st || open ? st : expect_body(payload, a, who, err);
}

static bool sigv4_bears(const struct takc_authorizer *a, const struct takc_auth_request *r)
{
    (void)a;
    return takc_sigv4_bears(r);
}

static enum takc_status sigv4_check(struct takc_authorizer *a, struct takc_call *call, const struct takc_auth_request *r,
                                    struct takc_arena *arena, struct takc_identity *out, struct takc_err *err)
{
    const struct sigv4 *v = (const struct sigv4 *)a;
    struct takc_sigv4_claim c;
    struct takc_identity who = {.tenant = {"", 0}};
    (void)call;
    enum takc_status st = takc_sigv4_claim_read(r, arena, &c, err);
    st = st ? st : check_scope(v, &c, err);
    st = st ? st : check_claim(v, r, &c, arena, &who, err);
    st = st ? st : takc_grant_subject(arena, "aws", c.access, &who.subject, err);
    who.in_query = c.presigned;
    if (!st)
        *out = who;
    return st;
}

static void sigv4_free(struct takc_authorizer *a)
{
    struct sigv4 *v = (struct sigv4 *)a;
    takc_sigv4_keys_close(v->keys);
    takc_arena_clear(&v->arena);
    takc_free(v);
}

static const struct takc_authorizer_kind kind = {"sigv4", sigv4_bears, sigv4_check, sigv4_free};

static enum takc_status fill(struct sigv4 *v, const struct takc_auth_sigv4_options *o, struct takc_err *err)
{
    if (!o->keys.len)
        return takc_fail(err, TAKC_INVALID, 0, "serve.sigv4_keys: not set; the path of a file of access keys");
    if (!o->region.len)
        return takc_fail(err, TAKC_INVALID, 0, "serve.sigv4_region: not set; the region that callers sign for, like eu-central-1");
    const char *path = takc_arena_dup(&v->arena, o->keys).ptr;
    v->region = takc_arena_dup(&v->arena, o->region);
    v->service = takc_arena_dup(&v->arena, o->service.len ? o->service : takc_str("execute-api"));
    if (!path || !v->region.ptr || !v->service.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an authorizer");
    enum takc_status st = takc_sigv4_keys_open(&v->keys, path, err);
    return st ? takc_err_prefix(err, st, "serve.sigv4_keys") : TAKC_OK;
}

enum takc_status takc_auth_sigv4_open(struct takc_authorizer **out, const struct takc_auth_sigv4_options *o, struct takc_err *err)
{
    struct sigv4 *v = takc_alloc(sizeof(*v));
    if (!v)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an authorizer");
    takc_arena_init(&v->arena);
    v->base.kind = &kind;
    v->unsigned_writes = o->unsigned_writes;
    v->skew_s = o->skew_s ? o->skew_s : SKEW_S;
    v->clock = takc_clock_or_system(o->clock);
    enum takc_status st = fill(v, o, err);
    if (st)
        sigv4_free(&v->base);
    else
        *out = &v->base;
    return st;
}
