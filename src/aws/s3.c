/* SPDX-License-Identifier: Apache-2.0
 *
 * s3.c - requests to S3 (s3.h): where an object is, sent and tried again, what a refusal means. A page of a listing is read in s3_list.c.
 */
#include "aws/s3.h"
#include "aws/chain.h"
#include "net/retry.h"
#include "net/url.h"

#include <stdio.h>

enum {
    URL_MAX = 16 << 10,
    KEY_MAX = 1024,
    LIST_MAX = 16 << 20, /* a page has a thousand objects at most */
    TRIES = 4,
    TRANSFER_MS = 3600000 /* of some hundred megabytes over a thin line; silence ends it earlier */
};

/* --- names --- */

static bool is_bucket(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!(s.ptr[i] >= 'a' && s.ptr[i] <= 'z') && !(s.ptr[i] >= '0' && s.ptr[i] <= '9') && s.ptr[i] != '-' && s.ptr[i] != '.')
            return false;
    return s.len >= 3 && s.len <= 63 && s.ptr[0] != '.' && s.ptr[0] != '-' && s.ptr[s.len - 1] != '.' && s.ptr[s.len - 1] != '-' &&
           takc_str_find(s, takc_str(".."), 0) == SIZE_MAX;
}

static bool is_key(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7F)
            return false;
    return s.len <= KEY_MAX && !takc_str_starts(s, takc_str("/"));
}

enum takc_status takc_s3_parse(struct takc_str uri, struct takc_s3_name *out, struct takc_err *err)
{
    struct takc_str rest = uri, bucket = {NULL, 0};
    int shown = (int)(uri.len < 100 ? uri.len : 100);
    if (!takc_str_starts(uri, takc_str("s3://")))
        return takc_fail(err, TAKC_INVALID, 0, "'%.*s': s3://BUCKET/FOLDER is expected", shown, uri.ptr ? uri.ptr : "");
    rest = takc_str_slice(uri, strlen("s3://"), uri.len);
    (void)takc_str_split(&rest, '/', &bucket);
    while (rest.len && rest.ptr[rest.len - 1] == '/')
        rest.len--;
    if (!is_bucket(bucket))
        return takc_fail(err, TAKC_INVALID, 0, "'%.*s': its bucket is no name of one", shown, uri.ptr);
    if (!is_key(rest))
        return takc_fail(err, TAKC_INVALID, 0, "'%.*s': what stands behind the bucket is no key", shown, uri.ptr);
    *out = (struct takc_s3_name){bucket, rest.len ? rest : takc_str("")};
    return TAKC_OK;
}

/* --- where --- */

/* "https://s3.eu-west-1.amazonaws.com" is AWS's own in that region. */
static bool is_aws(struct takc_str base, struct takc_str region)
{
    struct takc_str own = takc_str("https://s3.");
    return takc_str_starts(base, own) && takc_str_starts(takc_str_slice(base, own.len, base.len), region);
}

/* The bucket's URL, without '/' at its end. */
static enum takc_status bucket_url(struct takc_aws *a, struct takc_call *call, struct takc_str bucket, struct takc_buf *out,
                                   struct takc_err *err)
{
    struct takc_str region, scheme = takc_str("https://");
    struct takc_buf base;
    takc_buf_init(&base, URL_MAX);
    enum takc_status st = takc_aws_region(a, call, &region, err);
    st = st ? st : takc_aws_endpoint_of(a, call, "S3", "s3", &base, err);
    bool in_host = !st && is_aws(takc_buf_str(&base), region) && takc_str_find_byte(bucket, '.', 0) == SIZE_MAX;
    if (!st && in_host)
        st = takc_buf_printf(out, err, "https://%.*s.%s", TAKC_STR_ARG(bucket), base.ptr + scheme.len);
    else if (!st)
        st = takc_buf_printf(out, err, "%s/%.*s", base.ptr, TAKC_STR_ARG(bucket));
    takc_buf_clear(&base);
    return st;
}

enum takc_status takc_s3_url(struct takc_aws *a, struct takc_call *call, struct takc_s3_name name, struct takc_buf *out,
                             struct takc_err *err)
{
    if (!is_bucket(name.bucket) || !is_key(name.key))
        return takc_fail(err, TAKC_INVALID, 0, "no bucket, or no key of an object");
    enum takc_status st = bucket_url(a, call, name.bucket, out, err);
    st = st ? st : takc_buf_byte(out, '/', err);
    return st ? st : takc_url_escape(out, name.key, true, err);
}

/* --- sending --- */

/* What a refusal means; the code is told in the body, or, of an answer without one, not at all. */
static enum takc_status refuse(const struct takc_http_reply *h, struct takc_err *err)
{
    struct takc_str body = takc_buf_str(&h->body), id = takc_http_reply_header(h, "x-amz-request-id"),
                    region = takc_http_reply_header(h, "x-amz-bucket-region");
    struct takc_err why = {0};
    enum takc_status st = takc_aws_refusal(h, &why);
    bool elsewhere = h->status == 301 || h->status == 307 || takc_str_find(body, takc_str("AuthorizationHeaderMalformed"), 0) != SIZE_MAX;
    if (h->status == 404)
        st = TAKC_NOT_FOUND;
    else if (h->status == 503 || takc_str_find(body, takc_str("<Code>SlowDown"), 0) != SIZE_MAX)
        st = TAKC_LIMITED;
    else if (elsewhere || (st == TAKC_DENIED && h->status != 401 && h->status != 403))
        st = TAKC_INVALID;
    (void)takc_fail(err, st, h->status, "%s%s%.*s%s", why.msg, id.len ? " (request " : "", TAKC_STR_ARG(id), id.len ? ")" : "");
    return elsewhere && region.len ? takc_err_prefix(err, st, "the bucket is in region %.*s (model.region)", TAKC_STR_ARG(region)) : st;
}

/* One try with a sink's own failure kept apart: it is not S3's, and no other try mends it. */
struct streaming {
    const struct takc_s3_sink *sink; /* NULL: the body is kept */
    bool failed;
};

static enum takc_status take_piece(void *arg, struct takc_str piece, struct takc_err *err)
{
    struct streaming *s = arg;
    enum takc_status st = s->sink->piece(s->sink->arg, piece, err);
    s->failed = st != TAKC_OK;
    return st;
}

static enum takc_status try_once(struct takc_aws *a, struct takc_call *call, const struct takc_http_request *q, struct streaming *s,
                                 struct takc_http_reply *h, struct takc_err *err)
{
    enum takc_status st = s->sink ? s->sink->begin(s->sink->arg, err) : TAKC_OK;
    s->failed = st != TAKC_OK;
    st = st ? st : takc_aws_send(a, call, "s3", q, h, err);
    return st || (h->status >= 200 && h->status < 300) ? st : refuse(h, err);
}

/* Sends until it is done, or not worth repeating. h is cleared by the caller, whatever the status. sink: NULL, the body is kept. */
static enum takc_status send(struct takc_aws *a, struct takc_call *call, struct takc_http_request *q, const struct takc_s3_sink *sink,
                             struct takc_http_reply *h, struct takc_err *err)
{
    struct streaming streaming = {.sink = sink};
    struct takc_retry_policy policy = takc_retry_policy_default();
    struct takc_jitter jitter = takc_jitter_seed(a->clock->mono_ns(a->clock) | 1);
    q->total_ms = TRANSFER_MS;
    if (sink) {
        q->piece = take_piece;
        q->arg = &streaming;
        q->max_reply = SIZE_MAX;
    }
    for (unsigned i = 0;; i++) {
        takc_http_reply_init(h);
        enum takc_status st = try_once(a, call, q, &streaming, h, err);
        bool again = !streaming.failed && (st == TAKC_UPSTREAM || st == TAKC_LIMITED || st == TAKC_TIMEOUT);
        if (!again || i + 1 == TRIES)
            return st;
        if (takc_call_sleep(call, takc_retry_wait_ms(&policy, &jitter, i, 0), NULL))
            return takc_call_check(call, NULL) == TAKC_CANCELLED ? takc_call_check(call, err) : st;
        takc_http_reply_clear(h);
    }
}

static enum takc_status send_object(struct takc_aws *a, struct takc_call *call, const char *method, struct takc_s3_name name,
                                    struct takc_str body, size_t max, const struct takc_s3_sink *sink, struct takc_http_reply *h,
                                    struct takc_err *err)
{
    struct takc_buf url;
    takc_buf_init(&url, URL_MAX);
    takc_http_reply_init(h);
    enum takc_status st = name.key.len ? takc_s3_url(a, call, name, &url, err) : takc_fail(err, TAKC_INVALID, 0, "no key of an object");
    struct takc_http_request q = {.method = method, .url = takc_buf_str(&url), .body = body, .max_reply = max};
    st = st ? st : send(a, call, &q, sink, h, err);
    takc_buf_clear(&url);
    return st ? takc_err_prefix(err, st, "s3://%.*s/%.*s", TAKC_STR_ARG(name.bucket), TAKC_STR_ARG(name.key)) : TAKC_OK;
}

/* --- the verbs --- */

enum takc_status takc_s3_put(struct takc_aws *a, struct takc_call *call, struct takc_s3_name name, struct takc_str body,
                             struct takc_err *err)
{
    struct takc_http_reply h;
    enum takc_status st = send_object(a, call, "PUT", name, body, 0, NULL, &h, err);
    takc_http_reply_clear(&h);
    return st;
}

enum takc_status takc_s3_get(struct takc_aws *a, struct takc_call *call, struct takc_s3_name name, size_t max, struct takc_buf *out,
                             struct takc_err *err)
{
    struct takc_http_reply h;
    enum takc_status st = send_object(a, call, "GET", name, takc_str(""), max, NULL, &h, err);
    st = st ? st : takc_buf_add(out, takc_buf_str(&h.body), err);
    takc_http_reply_clear(&h);
    return st;
}

enum takc_status takc_s3_get_to(struct takc_aws *a, struct takc_call *call, struct takc_s3_name name, const struct takc_s3_sink *sink,
                                struct takc_err *err)
{
    struct takc_http_reply h;
    enum takc_status st = send_object(a, call, "GET", name, takc_str(""), 0, sink, &h, err);
    takc_http_reply_clear(&h);
    return st;
}

enum takc_status takc_s3_del(struct takc_aws *a, struct takc_call *call, struct takc_s3_name name, struct takc_err *err)
{
    struct takc_http_reply h;
    enum takc_status st = send_object(a, call, "DELETE", name, takc_str(""), 0, NULL, &h, err);
    bool gone = st == TAKC_NOT_FOUND && takc_str_find(takc_buf_str(&h.body), takc_str("NoSuchBucket"), 0) == SIZE_MAX;
    takc_http_reply_clear(&h);
    return gone ? TAKC_OK : st;
}

/* --- lists --- */

static enum takc_status page_url(struct takc_aws *a, struct takc_call *call, struct takc_s3_name name, struct takc_str token,
                                 struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = takc_s3_url(a, call, (struct takc_s3_name){name.bucket, takc_str("")}, out, err);
    st = st ? st : takc_buf_add(out, takc_str("?list-type=2&encoding-type=url&prefix="), err);
    st = st ? st : takc_url_escape(out, name.key, false, err);
    st = st || !token.len ? st : takc_buf_add(out, takc_str("&continuation-token="), err);
    return st ? st : takc_url_escape(out, token, false, err);
}

/* One page; token is its own, and becomes that of the next. */
static enum takc_status list_page(struct takc_aws *a, struct takc_call *call, struct takc_s3_name name, struct takc_buf *token,
                                  takc_s3_each_fn *each, void *arg, struct takc_err *err)
{
    struct takc_http_reply h;
    struct takc_buf url, next;
    takc_buf_init(&url, URL_MAX);
    takc_buf_init(&next, URL_MAX / 4);
    takc_http_reply_init(&h);
    enum takc_status st = page_url(a, call, name, takc_buf_str(token), &url, err);
    struct takc_http_request q = {.method = "GET", .url = takc_buf_str(&url), .max_reply = LIST_MAX};
    st = st ? st : send(a, call, &q, NULL, &h, err);
    st = st ? st : takc_s3_read_list(takc_buf_str(&h.body), each, arg, &next, err);
    if (!st && next.len && takc_str_eq(takc_buf_str(&next), takc_buf_str(token)))
        st = takc_fail(err, TAKC_UPSTREAM, 0, "the listing comes back to where it was");
    takc_buf_reset(token);
    st = st ? st : takc_buf_add(token, takc_buf_str(&next), err);
    takc_http_reply_clear(&h);
    takc_buf_clear(&next);
    takc_buf_clear(&url);
    return st;
}

enum takc_status takc_s3_list(struct takc_aws *a, struct takc_call *call, struct takc_s3_name name, takc_s3_each_fn *each, void *arg,
                              struct takc_err *err)
{
    struct takc_buf token;
    takc_buf_init(&token, URL_MAX / 4);
    enum takc_status st = TAKC_OK;
    do
        st = st ? st : list_page(a, call, name, &token, each, arg, err);
    while (!st && token.len);
    takc_buf_clear(&token);
    return st ? takc_err_prefix(err, st, "list s3://%.*s/%.*s", TAKC_STR_ARG(name.bucket), TAKC_STR_ARG(name.key)) : TAKC_OK;
}
