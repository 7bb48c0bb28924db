/* SPDX-License-Identifier: Apache-2.0
 *
 * http_request.c - a request checked and handed to libcurl. What decides how the message is framed (lengths, encodings, connection) is
 * libcurl's alone: a caller who could set it could make two readers see two different messages. */
#include "base/alloc.h"
#include "net/http_parts.h"
#include "net/url.h"

#include <openssl/crypto.h>

enum {
    TEXT_MAX = 1 << 20,   /* URL and headers; servers take far less */
    TRACE_LINES = 2,      /* of the call */
    EXTRA_LINES = 3,      /* those that keep libcurl from adding its own */
    KEEPALIVE_IDLE_S = 60 /* routers forget connections after some minutes without a packet; a model may think for longer */
};

uint64_t takc_http_now(void)
{
    const struct takc_clock *c = takc_clock_system();
    return c->mono_ns(c);
}

size_t takc_http_max_reply(const struct takc_http_request *r)
{
    return r->max_reply ? r->max_reply : (size_t)64 << 20;
}

static bool is_token(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c <= ' ' || c == 0x7F || strchr("\"(),/:;<=>?@[\\]{}", c))
            return false;
    }
    return s.len > 0;
}

static bool is_ours(struct takc_str name)
{
    static const char *const ours[] = {
        "content-length", "transfer-encoding", "connection", "expect", "accept-encoding", "te", "proxy-connection", "upgrade"};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (takc_str_eq_nocase(name, takc_str(ours[i])))
            return true;
    return false;
}

/* Names are told, values never. */
static enum takc_status check_header(const struct takc_http_header *h, struct takc_err *err)
{
    if (!is_token(h->name))
        return takc_fail(err, TAKC_INVALID, 0, "a header's name is not a token");
    if (is_ours(h->name))
        return takc_fail(err, TAKC_INVALID, 0, "header %.*s: the client sets it", TAKC_STR_ARG(h->name));
    for (size_t i = 0; i < h->value.len; i++) {
        unsigned char c = (unsigned char)h->value.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return takc_fail(err, TAKC_INVALID, (int)i, "header %.*s: a control character at byte %zu", TAKC_STR_ARG(h->name), i);
    }
    return TAKC_OK;
}

static bool has_header(const struct takc_http_request *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (takc_str_eq_nocase(r->headers[i].name, takc_str(name)))
            return true;
    return false;
}

/* Does this method carry a body, be it an empty one? */
static bool has_body(const struct takc_http_request *r)
{
    return r->body.len > 0 || strcmp(r->method, "POST") == 0 || strcmp(r->method, "PUT") == 0 || strcmp(r->method, "PATCH") == 0;
}

/* libcurl's way to write them: "Name: value", "Name;" for an empty value, "Name:" for none at all. */
static enum takc_status add_line(struct takc_buf *b, const struct takc_http_header *h, struct takc_err *err)
{
    struct takc_str value = takc_str_trim(h->value);
    enum takc_status st = takc_buf_add(b, h->name, err);
    if (!st)
        st = takc_buf_add(b, takc_str(value.len ? ": " : ";"), err);
    if (!st)
        st = takc_buf_add(b, value, err);
    return st ? st : takc_buf_byte(b, '\0', err);
}

void takc_http_lines_link(struct curl_slist *nodes, char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        nodes[i] = (struct curl_slist){text, i + 1 < n ? &nodes[i + 1] : NULL};
        text += strlen(text) + 1;
    }
}

/* The trace context of the call. It goes on behind whoever signed the request: a signature does not cover it, so that a proxy which puts
 * itself into the trace breaks none. */
static size_t trace_headers(const struct takc_http_transfer *t, struct takc_http_header out[TRACE_LINES])
{
    size_t n = 0;
    if (!t->call || !t->call->traceparent || has_header(t->r, "traceparent"))
        return 0;
    out[n++] = (struct takc_http_header){takc_str("traceparent"), takc_str(t->call->traceparent)};
    if (t->call->tracestate && !has_header(t->r, "tracestate"))
        out[n++] = (struct takc_http_header){takc_str("tracestate"), takc_str(t->call->tracestate)};
    return n;
}

static size_t bytes_of(const struct takc_http_header *h, size_t n)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++)
        bytes += h[i].name.len + h[i].value.len + 3;
    return bytes;
}

/* The text of t: the URL, then all lines. Room is made for all first, so that no byte of a secret stays behind in a buffer outgrown. */
static enum takc_status write_text(struct takc_http_transfer *t, struct takc_err *err)
{
    const struct takc_http_request *r = t->r;
    static const char *const off[EXTRA_LINES] = {"Expect:", "Accept:", "Content-Type:"};
    struct takc_http_header trace[TRACE_LINES];
    size_t n = 0, n_trace = trace_headers(t, trace);
    size_t bytes = r->url.len + 1 + 64 + bytes_of(r->headers, r->n_headers) + bytes_of(trace, n_trace);
    t->lines = takc_alloc_array(r->n_headers + TRACE_LINES + EXTRA_LINES, sizeof(*t->lines));
    enum takc_status st = t->lines ? takc_buf_reserve(&t->text, bytes, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for headers");
    if (!st)
        st = takc_buf_add(&t->text, r->url, err);
    if (!st)
        st = takc_buf_byte(&t->text, '\0', err);
    for (size_t i = 0; !st && i < r->n_headers; i++, n++)
        st = add_line(&t->text, &r->headers[i], err);
    for (size_t i = 0; !st && i < n_trace; i++, n++)
        st = check_header(&trace[i], err) ? TAKC_INVALID : add_line(&t->text, &trace[i], err);
    for (size_t i = 0; !st && i < EXTRA_LINES; i++) {
        size_t len = strlen(off[i]);
        char name[16] = "";
        memcpy(name, off[i], len - 1);
        if (has_header(r, name))
            continue;
        st = takc_buf_add(&t->text, takc_str_n(off[i], len + 1), err);
        n++;
    }
    if (!st)
        takc_http_lines_link(t->lines, t->text.ptr + r->url.len + 1, n);
    return st;
}

static enum takc_status check(const struct takc_http_request *r, struct takc_url *u, struct takc_err *err)
{
    enum takc_status st =
        is_token(takc_str(r->method)) ? takc_url_parse(u, r->url, err) : takc_fail(err, TAKC_INVALID, 0, "the method is not a token");
    for (size_t i = 0; !st && i < r->n_headers; i++)
        st = check_header(&r->headers[i], err);
    return st;
}

/* --- options of libcurl: a setting that it refuses is a lack of memory --- */

struct setting {
    const struct takc_curl *curl;
    CURL *easy;
    bool failed;
};

static void set_long(struct setting *s, CURLoption o, long v)
{
    s->failed = s->failed || s->curl->easy_setopt(s->easy, o, v) != CURLE_OK;
}

static void set_ptr(struct setting *s, CURLoption o, const void *v)
{
    s->failed = s->failed || s->curl->easy_setopt(s->easy, o, v) != CURLE_OK;
}

static void set_off(struct setting *s, CURLoption o, curl_off_t v)
{
    s->failed = s->failed || s->curl->easy_setopt(s->easy, o, v) != CURLE_OK;
}

static void set_connection(struct setting *s, const struct takc_http_transfer *t)
{
    const struct takc_http *h = t->client;
    uint64_t connect_ms = takc_http_or(t->r->connect_ms, 10000);
    set_long(s, CURLOPT_NOSIGNAL, 1);
    set_long(s, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    set_long(s, CURLOPT_TCP_KEEPALIVE, 1);
    set_long(s, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    /* libcurl shares it out among the addresses of a name; our own deadline has the last word. */
    set_long(s, CURLOPT_CONNECTTIMEOUT_MS, connect_ms > 1u << 30 ? 1L << 30 : (long)connect_ms);
    set_long(s, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
    set_long(s, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1);
    if (h->ca_file) { /* the system's are not trusted beside it */
        set_ptr(s, CURLOPT_CAINFO, h->ca_file);
        set_ptr(s, CURLOPT_CAPATH, NULL);
        set_ptr(s, CURLOPT_PROXY_CAINFO, h->ca_file);
        set_ptr(s, CURLOPT_PROXY_CAPATH, NULL);
    }
    if (t->r->direct || h->proxy)
        set_ptr(s, CURLOPT_PROXY, t->r->direct ? "" : h->proxy);
    if (h->resolve)
        set_ptr(s, CURLOPT_RESOLVE, h->resolve);
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A name that is looked up when its transfer ends is left to its thread, not waited for; older ones do not know the option. */
    (void)s->curl->easy_setopt(s->easy, CURLOPT_QUICK_EXIT, 1L);
#endif
}

static void set_callbacks(struct setting *s, struct takc_http_transfer *t)
{
    /* Functions have their own types in C; libcurl takes each through the same door. */
    s->failed = s->failed || s->curl->easy_setopt(s->easy, CURLOPT_PREREQFUNCTION, takc_http_on_connected) != CURLE_OK ||
                s->curl->easy_setopt(s->easy, CURLOPT_HEADERFUNCTION, takc_http_on_head) != CURLE_OK ||
                s->curl->easy_setopt(s->easy, CURLOPT_WRITEFUNCTION, takc_http_on_body) != CURLE_OK;
    s->failed = s->failed || s->curl->easy_setopt(s->easy, CURLOPT_OPENSOCKETFUNCTION, takc_http_on_socket) != CURLE_OK ||
                s->curl->easy_setopt(s->easy, CURLOPT_CLOSESOCKETFUNCTION, takc_http_on_close) != CURLE_OK;
    set_ptr(s, CURLOPT_OPENSOCKETDATA, t);
    set_ptr(s, CURLOPT_CLOSESOCKETDATA, t->client);
    set_ptr(s, CURLOPT_PREREQDATA, t);
    set_ptr(s, CURLOPT_HEADERDATA, t);
    set_ptr(s, CURLOPT_WRITEDATA, t);
    set_ptr(s, CURLOPT_PRIVATE, t);
    set_ptr(s, CURLOPT_ERRORBUFFER, t->said);
}

static void set_message(struct setting *s, const struct takc_http_transfer *t)
{
    const struct takc_http_request *r = t->r;
    set_ptr(s, CURLOPT_URL, t->text.ptr);
    set_long(s, CURLOPT_PATH_AS_IS, 1);
    set_ptr(s, CURLOPT_USERAGENT, t->client->user_agent);
    set_ptr(s, CURLOPT_HTTPHEADER, t->lines);
    if (has_body(r)) {
        set_long(s, CURLOPT_POST, 1);
        set_off(s, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
        set_ptr(s, CURLOPT_POSTFIELDS, r->body.len ? r->body.ptr : "");
    } else if (strcmp(r->method, "HEAD") == 0) {
        set_long(s, CURLOPT_NOBODY, 1);
    }
    set_ptr(s, CURLOPT_CUSTOMREQUEST, r->method);
}

static enum takc_status configure(struct takc_http_transfer *t, struct takc_err *err)
{
    const struct takc_curl *curl = t->client->curl;
    t->easy = curl->easy_init();
    if (!t->easy)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a request");
    struct setting s = {curl, t->easy, false};
    set_connection(&s, t);
    set_callbacks(&s, t);
    set_message(&s, t);
    return s.failed ? takc_fail(err, TAKC_NOMEM, 0, "no memory for a request's options") : TAKC_OK;
}

enum takc_status takc_http_transfer_new(struct takc_http_transfer **out, struct takc_http *h, struct takc_call *call,
                                        const struct takc_http_request *r, struct takc_err *err)
{
    struct takc_url u;
    enum takc_status st = check(r, &u, err);
    if (st)
        return st;
    struct takc_http_transfer *t = takc_alloc(sizeof(*t));
    if (!t)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a request");
    t->client = h;
    t->call = call;
    t->r = r;
    t->stage = TAKC_HTTP_QUEUED;
    t->started_ns = t->moved_ns = takc_http_now();
    t->is_https = u.scheme.len == 5;
    takc_buf_init(&t->text, TEXT_MAX);
    takc_http_reply_init(&t->reply);
    t->reply.body.max = takc_http_max_reply(r);
    st = write_text(t, err);
    if (!st)
        st = configure(t, err);
    if (st) {
        takc_http_transfer_free(t);
        return st;
    }
    t->where = takc_str_n(t->text.ptr + (u.authority.ptr - r->url.ptr), u.authority.len);
    *out = t;
    return TAKC_OK;
}

void takc_http_transfer_free(struct takc_http_transfer *t)
{
    if (t->easy)
        t->client->curl->easy_cleanup(t->easy);
    if (t->text.ptr)
        OPENSSL_cleanse(t->text.ptr, t->text.cap);
    takc_buf_clear(&t->text);
    takc_free(t->lines);
    takc_http_reply_clear(&t->reply);
    takc_free(t);
}
