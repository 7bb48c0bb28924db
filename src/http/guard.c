/* SPDX-License-Identifier: Apache-2.0
 *
 * guard.c - the checks, cheapest first. */
#include "http/guard.h"

#include "base/hash.h"

#include <stdio.h>

enum { TARGET_BYTES = 8192, N_HEADERS = 100, HEADER_BYTES = 16384 };

static int refuse(int status, char why[128], const char *text)
{
    (void)snprintf(why, 128, "%s", text);
    return status;
}

/* RFC 9110 section 5.6.2. */
static bool is_token(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!alnum && (c < 0x21 || c > 0x7e || !strchr("!#$%&'*+-.^_`|~", c)))
            return false;
    }
    return s.len > 0;
}

static bool has_control(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return true;
    }
    return false;
}

struct takc_str takc_header_find(const struct takc_header *headers, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (takc_str_eq_nocase(headers[i].name, takc_str(name)))
            return headers[i].value;
    return (struct takc_str){0};
}

static size_t count(const struct takc_request_head *h, const char *name)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n_headers; i++)
        n += takc_str_eq_nocase(h->headers[i].name, takc_str(name));
    return n;
}

/* ---- target ---- */

static bool is_dots(struct takc_str segment)
{
    char text[8];
    size_t n;
    return segment.len < sizeof(text) && takc_percent_decode(segment, text, &n) && (strcmp(text, ".") == 0 || strcmp(text, "..") == 0);
}

static int check_target(struct takc_str t, size_t max, char why[128])
{
    if (t.len > (max ? max : TARGET_BYTES))
        return refuse(414, why, "the request's target is too long");
    if (t.len == 0 || t.ptr[0] != '/')
        return refuse(400, why, "the request's target is no path");
    for (size_t i = 0; i < t.len; i++) {
        unsigned char c = (unsigned char)t.ptr[i];
        if (c <= 0x20 || c >= 0x7f || c == '#' || c == '\\')
            return refuse(400, why, "the request's target holds a character that must be escaped");
        if (c == '%' && (i + 2 >= t.len || takc_hex_digit(t.ptr[i + 1]) < 0 || takc_hex_digit(t.ptr[i + 2]) < 0 ||
                         (t.ptr[i + 1] == '0' && t.ptr[i + 2] == '0')))
            return refuse(400, why, "the request's target holds a broken percent escape");
    }
    size_t query = takc_str_find_byte(t, '?', 0);
    struct takc_str rest = takc_str_slice(t, 1, query == SIZE_MAX ? t.len : query), segment;
    while (takc_str_split(&rest, '/', &segment))
        if (is_dots(segment))
            return refuse(400, why, "the request's path holds a segment of dots");
    return 0;
}

struct takc_str takc_guard_origin_form(struct takc_str target, struct takc_str host)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        struct takc_str scheme = takc_str(schemes[i]);
        if (target.len < scheme.len || !takc_str_eq_nocase(takc_str_slice(target, 0, scheme.len), scheme))
            continue;
        size_t slash = takc_str_find_byte(target, '/', scheme.len), end = slash == SIZE_MAX ? target.len : slash;
        if (!host.len || !takc_str_eq_nocase(takc_str_slice(target, scheme.len, end), host))
            return target;
        return slash == SIZE_MAX ? takc_str("/") : takc_str_slice(target, slash, target.len);
    }
    return target;
}

/* ---- framing ---- */

static int check_length(const struct takc_request_head *h, struct takc_framing *out, char why[128])
{
    size_t n = count(h, "content-length"), n_te = count(h, "transfer-encoding");
    if (n && n_te)
        return refuse(400, why, "Content-Length and Transfer-Encoding contradict each other");
    if (n > 1 || n_te > 1)
        return refuse(400, why, "the length of the body is given more than once");
    if (n_te) {
        if (!takc_str_eq_nocase(takc_header_find(h->headers, h->n_headers, "transfer-encoding"), takc_str("chunked")))
            return refuse(501, why, "the only transfer coding that is known is chunked");
        if (takc_str_is(h->version, "HTTP/1.0"))
            return refuse(400, why, "HTTP/1.0 has no transfer codings");
        out->chunked = true;
    }
    if (n) {
        struct takc_str v = takc_header_find(h->headers, h->n_headers, "content-length");
        for (size_t i = 0; i < v.len; i++) /* no sign, no blank, no comma */
            if (v.ptr[i] < '0' || v.ptr[i] > '9')
                return refuse(400, why, "Content-Length is no number");
        if (v.len == 0 || takc_str_u64(v, UINT64_MAX, &out->length, NULL))
            return refuse(400, why, "Content-Length is no number");
        out->has_length = true;
    }
    return 0;
}

static int check_headers(const struct takc_request_head *h, const struct takc_guard_limits *l, char why[128])
{
    size_t bytes = 0;
    if (h->n_headers > (l->n_headers ? l->n_headers : N_HEADERS))
        return refuse(431, why, "there are too many headers");
    for (size_t i = 0; i < h->n_headers; i++) {
        bytes += h->headers[i].name.len + h->headers[i].value.len;
        if (bytes > (l->header_bytes ? l->header_bytes : HEADER_BYTES))
            return refuse(431, why, "the headers are too large");
        if (!is_token(h->headers[i].name))
            return refuse(400, why, "a header's name holds a character that is not allowed there");
        if (has_control(h->headers[i].value))
            return refuse(400, why, "a header's value holds a control character");
    }
    struct takc_str coding = takc_header_find(h->headers, h->n_headers, "content-encoding");
    if (count(h, "content-encoding") > 1 || (coding.len && !takc_str_eq_nocase(coding, takc_str("identity"))))
        return refuse(415, why, "bodies are taken as they are, without Content-Encoding");
    size_t hosts = count(h, "host");
    if (hosts > 1 || (!hosts && !takc_str_is(h->version, "HTTP/1.0")))
        return refuse(400, why, "the Host header is missing or given more than once");
    return 0;
}

int takc_guard_head(const struct takc_request_head *h, const struct takc_guard_limits *limits, struct takc_framing *out_framing,
                    char why[128])
{
    struct takc_framing framing = {0};
    if (!takc_str_is(h->version, "HTTP/1.1") && !takc_str_is(h->version, "HTTP/1.0"))
        return refuse(505, why, "HTTP/1.1 is spoken here");
    if (!is_token(h->method))
        return refuse(400, why, "the request's method is no token");
    int status = check_target(h->target, limits->target_bytes, why);
    if (!status)
        status = check_headers(h, limits, why);
    if (!status)
        status = check_length(h, &framing, why);
    if (!status && limits->body_bytes && framing.length > limits->body_bytes)
        status = refuse(413, why, "the body is too large");
    if (!status)
        *out_framing = framing;
    return status;
}
