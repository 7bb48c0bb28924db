/* SPDX-License-Identifier: Apache-2.0
 *
 * send.c - requests signed and sent (credentials.h): what the clock difference is gets learned from a refusal, keys that a service calls
 * expired are fetched again; each once. A 2xx body that was streamed is never sent twice, since only refusals are repeated. */
#include "aws/chain.h"
#include "base/hash.h"

#include <openssl/crypto.h>
#include <stdio.h>

enum {
    SKEW_MAX_S = 240, /* AWS refuses beyond five minutes; SDKs correct from four on */
    ADDED_MAX = 4,
    HEADERS_MAX = 64,
    BODY_LOOK_BYTES = 4096
};

int64_t takc_aws_skew_s(struct takc_aws *a)
{
    takc_mutex_lock(&a->locked.mu);
    int64_t skew = a->locked.skew_s;
    takc_mutex_unlock(&a->locked.mu);
    return skew;
}

void takc_aws_learn_skew(struct takc_aws *a, struct takc_str date_header)
{
    int64_t skew = takc_sigv4_skew_s(date_header, a->clock->wall_s(a->clock), SKEW_MAX_S);
    takc_mutex_lock(&a->locked.mu);
    a->locked.skew_s = skew;
    takc_mutex_unlock(&a->locked.mu);
}

/* Signs r at this time and sends it. */
static enum takc_status send_once(struct takc_aws *a, struct takc_call *call, const struct takc_aws_keys *k,
                                  const struct takc_sigv4_request *q, const struct takc_http_request *r, struct takc_http_reply *out,
                                  struct takc_err *err)
{
    struct takc_http_header headers[HEADERS_MAX + ADDED_MAX];
    struct takc_sigv4 s;
    size_t n = r->n_headers;
    takc_sigv4_init(&s);
    enum takc_status st = takc_sigv4_sign(q, k, &s, err);
    if (n)
        memcpy(headers, r->headers, n * sizeof(*headers));
    headers[n++] = (struct takc_http_header){takc_str("X-Amz-Date"), takc_str(s.date)};
    headers[n++] = (struct takc_http_header){takc_str("Authorization"), takc_buf_str(&s.authorization)};
    if (k->token.len)
        headers[n++] = (struct takc_http_header){takc_str("X-Amz-Security-Token"), k->token};
    if (takc_str_is(q->service, "s3"))
        headers[n++] = (struct takc_http_header){takc_str("X-Amz-Content-Sha256"), q->body_sha256};
    struct takc_http_request signed_request = *r;
    signed_request.headers = headers;
    signed_request.n_headers = n;
    if (!st)
        st = takc_http_send(a->http, call, &signed_request, out, err);
    takc_sigv4_clear(&s);
    return st;
}

/* Was it refused, and is the server's clock another one than we signed with? */
static bool was_skewed(const struct takc_http_reply *r, int64_t signed_s)
{
    if (r->status < 400 || r->status > 403)
        return false;
    return takc_sigv4_skew_s(takc_http_reply_header(r, "date"), signed_s, SKEW_MAX_S) != 0;
}

enum takc_status takc_aws_send_with(struct takc_aws *a, struct takc_call *call, const struct takc_aws_keys *k, const char *service,
                                    const char *region, const struct takc_http_request *r, struct takc_http_reply *out,
                                    struct takc_err *err)
{
    struct takc_hex hash;
    takc_http_reply_init(out);
    if (r->n_headers > HEADERS_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "more than %d headers", HEADERS_MAX);
    enum takc_status st = takc_sha256(r->body, &hash, err);
    if (st)
        return st;
    struct takc_sigv4_request q = {.method = r->method,
                                   .url = r->url,
                                   .headers = r->headers,
                                   .n_headers = r->n_headers,
                                   .body_sha256 = takc_str(hash.s),
                                   .service = takc_str(service),
                                   .region = takc_str(region),
                                   .at_s = a->clock->wall_s(a->clock) + takc_aws_skew_s(a)};
    st = send_once(a, call, k, &q, r, out, err);
    if (st || !was_skewed(out, q.at_s))
        return st;
    takc_aws_learn_skew(a, takc_http_reply_header(out, "date"));
    takc_aws_reply_drop(out);
    q.at_s = a->clock->wall_s(a->clock) + takc_aws_skew_s(a);
    return send_once(a, call, k, &q, r, out, err);
}

/* Does the service call the keys expired? */
static bool says_expired(const struct takc_http_reply *r)
{
    struct takc_str body = takc_buf_str(&r->body), code = takc_http_reply_header(r, "x-amzn-errortype"), word = takc_str("ExpiredToken");
    if (r->status < 400 || r->status > 403)
        return false;
    if (body.len > BODY_LOOK_BYTES)
        body.len = BODY_LOOK_BYTES;
    return takc_str_find(code, word, 0) != SIZE_MAX || takc_str_find(body, word, 0) != SIZE_MAX;
}

enum takc_status takc_aws_send_in(struct takc_aws *a, struct takc_call *call, const char *service, const char *region,
                                  const struct takc_http_request *r, struct takc_http_reply *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    bool again = false;
    takc_http_reply_init(out);
    for (int i = 0; i < 2 && !st && (i == 0 || again); i++) {
        struct takc_aws_identity id;
        if (again)
            takc_aws_reply_drop(out);
        st = takc_aws_keys(a, call, &id, err);
        st = st ? st : takc_aws_send_with(a, call, &id.keys, service, region, r, out, err);
        again = !st && says_expired(out);
        if (again)
            takc_aws_forget_keys(a, &id.keys);
        takc_aws_identity_clear(&id);
    }
    return st;
}

enum takc_status takc_aws_send(struct takc_aws *a, struct takc_call *call, const char *service, const struct takc_http_request *r,
                               struct takc_http_reply *out, struct takc_err *err)
{
    struct takc_str region;
    takc_http_reply_init(out);
    enum takc_status st = takc_aws_region(a, call, &region, err);
    return st ? st : takc_aws_send_in(a, call, service, region.ptr, r, out, err);
}

const char *takc_aws_bearer(const struct takc_aws *a, const char *service)
{
    char name[64];
    (void)snprintf(name, sizeof(name), "AWS_BEARER_TOKEN_%s", service);
    return takc_aws_env(a, name);
}
