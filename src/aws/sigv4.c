/* SPDX-License-Identifier: Apache-2.0
 *
 * sigv4.c - canonical request, string to sign, signature (sigv4.h).
 *
 * One struct canon gathers what both forms sign: in the headers (sign) or in the query (presign). Queries are decoded and escaped anew, so
 * that an URL that leaves ':' or ',' as they are signs as the service will see it. Everything that a token or a key passes through is
 * wiped.
 */
#include "aws/sigv4.h"
#include "base/arena.h"
#include "base/hash.h"
#include "net/retry.h"
#include "net/url.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    TEXT_MAX = 1 << 20,        /* a canonical request or URL: far above what any service takes */
    EXPIRES_MAX_S = 7 * 86400, /* AWS's own limit of a presigned URL */
    HMAC_BYTES = 32
};
static const int64_t YEAR_10000_S = 253402300800;

struct pair { /* a header or a query parameter */
    struct takc_str name, value;
    size_t at; /* where it stood: equal names keep their order */
};

struct canon {
    const struct takc_sigv4_request *r;
    const struct takc_aws_keys *k;
    struct takc_url url;
    struct takc_arena arena; /* names and pairs; no secrets */
    struct pair *headers;
    size_t n_headers;
    char date[17], scope[160];
    struct takc_str payload;
    struct takc_buf names; /* "content-type;host;x-amz-date" */
    bool in_query;
};

void takc_sigv4_init(struct takc_sigv4 *s)
{
    *s = (struct takc_sigv4){0};
    takc_buf_init_secret(&s->canonical, TEXT_MAX);
    takc_buf_init_secret(&s->to_sign, TEXT_MAX);
    takc_buf_init_secret(&s->authorization, TEXT_MAX);
}

void takc_sigv4_clear(struct takc_sigv4 *s)
{
    takc_buf_clear(&s->canonical);
    takc_buf_clear(&s->to_sign);
    takc_buf_clear(&s->authorization);
    OPENSSL_cleanse(s->signature, sizeof(s->signature));
}

static bool is_s3(const struct takc_sigv4_request *r)
{
    return takc_str_is(r->service, "s3");
}

/* What proxies change on the way, so that signing it would break the signature. */
static bool is_unsigned(struct takc_str name)
{
    static const char *const names[] = {"accept-encoding",
                                        "authorization",
                                        "baggage",
                                        "connection",
                                        "expect",
                                        "keep-alive",
                                        "proxy-authenticate",
                                        "proxy-authorization",
                                        "te",
                                        "traceparent",
                                        "tracestate",
                                        "trailer",
                                        "transfer-encoding",
                                        "upgrade",
                                        "user-agent",
                                        "x-amzn-trace-id"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (takc_str_is(name, names[i]))
            return true;
    return false;
}

static int compare_headers(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int c = takc_str_cmp(x->name, y->name);
    return c ? c : (x->at > y->at) - (x->at < y->at);
}

static int compare_parameters(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    int c = takc_str_cmp(x->name, y->name);
    return c ? c : takc_str_cmp(x->value, y->value);
}

/* A name of a header is an HTTP token; a value has no control character but the tab. */
static enum takc_status check_header(const struct takc_http_header *h, struct takc_err *err)
{
    for (size_t i = 0; i < h->name.len; i++) {
        unsigned char c = (unsigned char)h->name.ptr[i];
        if (c <= ' ' || c >= 0x7F || strchr("\"(),/:;<=>?@[\\]{}", c))
            return takc_fail(err, TAKC_INVALID, 0, "name of a header with byte %u", c);
    }
    for (size_t i = 0; i < h->value.len; i++) {
        unsigned char c = (unsigned char)h->value.ptr[i];
        if ((c < ' ' && c != '\t') || c == 0x7F)
            return takc_fail(err, TAKC_INVALID, 0, "header %.*s with a control character", TAKC_STR_ARG(h->name));
    }
    return h->name.len ? TAKC_OK : takc_fail(err, TAKC_INVALID, 0, "a header without a name");
}

static struct takc_str lower(struct canon *c, struct takc_str s)
{
    char *p = takc_arena_alloc(&c->arena, s.len + 1);
    for (size_t i = 0; p && i < s.len; i++)
        p[i] = (char)(s.ptr[i] >= 'A' && s.ptr[i] <= 'Z' ? s.ptr[i] + ('a' - 'A') : s.ptr[i]);
    return takc_str_n(p, p ? s.len : 0);
}

static void add_header(struct canon *c, struct takc_str name, struct takc_str value)
{
    c->headers[c->n_headers] = (struct pair){name, value, c->n_headers};
    c->n_headers++;
}

static bool as_signed(const struct canon *c)
{
    return (c->r->flags & TAKC_SIGV4_AS_SIGNED) != 0;
}

/* Does signing write this header itself? */
static bool is_ours(const struct canon *c, struct takc_str name)
{
    if (takc_str_is(name, "x-amz-date") || takc_str_is(name, "x-amz-security-token"))
        return true;
    return takc_str_is(name, "x-amz-content-sha256") && (is_s3(c->r) || (c->r->flags & TAKC_SIGV4_UNSIGNED_PAYLOAD));
}

static enum takc_status add_given(struct canon *c, bool *has_host, struct takc_err *err)
{
    for (size_t i = 0; i < c->r->n_headers; i++) {
        enum takc_status st = check_header(&c->r->headers[i], err);
        if (st)
            return st;
        struct takc_str name = lower(c, c->r->headers[i].name);
        if (!name.ptr)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory to sign");
        if (!as_signed(c) && (is_unsigned(name) || is_ours(c, name)))
            continue;
        *has_host |= takc_str_is(name, "host");
        if (takc_str_is(name, "x-amz-content-sha256") && !as_signed(c))
            c->payload = takc_str_trim(c->r->headers[i].value);
        add_header(c, name, c->r->headers[i].value);
    }
    return TAKC_OK;
}

/* Host as an HTTP client sends it: without the scheme's own port. */
static struct takc_str host_of(struct canon *c)
{
    struct takc_str a = c->url.authority, port = takc_str(takc_str_is(c->url.scheme, "https") ? ":443" : ":80");
    if (takc_str_ends(a, port))
        a.len -= port.len;
    return lower(c, a);
}

static enum takc_status gather_headers(struct canon *c, struct takc_err *err)
{
    bool has_host = false;
    c->headers = takc_arena_array(&c->arena, c->r->n_headers + 4, sizeof(*c->headers));
    if (!c->headers)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory to sign");
    enum takc_status st = add_given(c, &has_host, err);
    if (st)
        return st;
    struct takc_str host = host_of(c);
    if (!host.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory to sign");
    if (!has_host && !as_signed(c))
        add_header(c, takc_str("host"), host);
    if (!c->in_query && !as_signed(c)) {
        add_header(c, takc_str("x-amz-date"), takc_str(c->date));
        if (c->k->token.len)
            add_header(c, takc_str("x-amz-security-token"), c->k->token);
        if (is_s3(c->r) || (c->r->flags & TAKC_SIGV4_UNSIGNED_PAYLOAD))
            add_header(c, takc_str("x-amz-content-sha256"), c->payload);
    }
    qsort(c->headers, c->n_headers, sizeof(*c->headers), compare_headers);
    for (size_t i = 0; i < c->n_headers && !st; i++) {
        if (i && takc_str_eq(c->headers[i].name, c->headers[i - 1].name))
            continue;
        st = i ? takc_buf_byte(&c->names, ';', err) : TAKC_OK;
        st = st ? st : takc_buf_add(&c->names, c->headers[i].name, err);
    }
    return st;
}

/* Trimmed, runs of blanks folded to one. */
static enum takc_status write_folded(struct takc_buf *out, struct takc_str v, struct takc_err *err)
{
    bool any = false, gap = false;
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < v.len && !st; i++) {
        if (v.ptr[i] == ' ' || v.ptr[i] == '\t') {
            gap = any;
            continue;
        }
        if (gap)
            st = takc_buf_byte(out, ' ', err);
        st = st ? st : takc_buf_byte(out, v.ptr[i], err);
        any = true;
        gap = false;
    }
    return st;
}

static enum takc_status write_headers(const struct canon *c, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < c->n_headers && !st; i++) {
        bool same = i && takc_str_eq(c->headers[i].name, c->headers[i - 1].name);
        if (i && !same)
            st = takc_buf_byte(out, '\n', err);
        if (!st && !same)
            st = takc_buf_add(out, c->headers[i].name, err);
        st = st ? st : takc_buf_byte(out, same ? ',' : ':', err);
        st = st ? st : write_folded(out, c->headers[i].value, err);
    }
    return st ? st : takc_buf_add(out, takc_str("\n\n"), err);
}

/* The path without empty and dot segments, escaped once more. */
static enum takc_status write_path(const struct canon *c, struct takc_buf *out, struct takc_err *err)
{
    struct takc_str rest = c->url.path, piece;
    if (is_s3(c->r))
        return takc_buf_add(out, rest.len ? rest : takc_str("/"), err);
    struct takc_buf path;
    enum takc_status st = TAKC_OK;
    takc_buf_init(&path, TEXT_MAX);
    while (!st && takc_str_split(&rest, '/', &piece)) {
        if (takc_str_is(piece, "..")) {
            while (path.len && path.ptr[--path.len] != '/')
                ;
        } else if (piece.len && !takc_str_is(piece, ".")) {
            st = takc_buf_byte(&path, '/', err);
            st = st ? st : takc_buf_add(&path, piece, err);
        }
    }
    if (!st && (!path.len || takc_str_ends(c->url.path, takc_str("/"))))
        st = takc_buf_byte(&path, '/', err);
    st = st ? st : takc_url_escape(out, takc_buf_str(&path), true, err);
    takc_buf_clear(&path);
    return st;
}

/* One side of a parameter: decoded, then escaped, into the work buffer; len says how long it became. */
static enum takc_status write_again(struct takc_buf *work, struct takc_str s, size_t *len, struct takc_err *err)
{
    struct takc_buf plain;
    size_t from = work->len;
    takc_buf_init_secret(&plain, TEXT_MAX); /* a presigned token is among them */
    enum takc_status st = takc_url_unescape(&plain, s, err);
    st = st ? st : takc_url_escape(work, takc_buf_str(&plain), false, err);
    *len = work->len - from;
    takc_buf_clear(&plain);
    return st;
}

static size_t count_parameters(struct takc_str query)
{
    size_t n = 1;
    for (size_t i = 0; i < query.len; i++)
        n += query.ptr[i] == '&';
    return n;
}

/* Fills pairs with the lengths of both sides (in value.len and name.len); their bytes lie one behind the other in work. */
static enum takc_status escape_parameters(struct takc_str query, struct pair *pairs, size_t *n, struct takc_buf *work, struct takc_err *err)
{
    struct takc_str piece;
    enum takc_status st = TAKC_OK;
    while (!st && takc_str_split(&query, '&', &piece)) {
        if (!piece.len)
            continue; /* "a&&b": nothing between */
        size_t eq = takc_str_find_byte(piece, '=', 0), name_end = eq == SIZE_MAX ? piece.len : eq;
        struct pair *p = &pairs[(*n)++];
        st = write_again(work, takc_str_slice(piece, 0, name_end), &p->name.len, err);
        if (!st && eq != SIZE_MAX)
            st = write_again(work, takc_str_slice(piece, eq + 1, piece.len), &p->value.len, err);
    }
    return st;
}

static enum takc_status write_query(struct canon *c, struct takc_str query, struct takc_buf *out, struct takc_err *err)
{
    struct takc_buf work;
    size_t n = 0;
    struct pair *pairs = takc_arena_array(&c->arena, count_parameters(query), sizeof(*pairs));
    if (!pairs)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory to sign");
    takc_buf_init_secret(&work, TEXT_MAX);
    enum takc_status st = escape_parameters(query, pairs, &n, &work, err);
    const char *at = work.ptr ? work.ptr : ""; /* "?=": not a byte was written */
    for (size_t i = 0; i < n && !st; i++) {    /* only now does the buffer stand still */
        pairs[i].name.ptr = at;
        pairs[i].value.ptr = at + pairs[i].name.len;
        at += pairs[i].name.len + pairs[i].value.len;
    }
    if (!st && n)
        qsort(pairs, n, sizeof(*pairs), compare_parameters);
    for (size_t i = 0; i < n && !st; i++) {
        st = i ? takc_buf_byte(out, '&', err) : TAKC_OK;
        st = st ? st : takc_buf_add(out, pairs[i].name, err);
        st = st ? st : takc_buf_byte(out, '=', err);
        st = st ? st : takc_buf_add(out, pairs[i].value, err);
    }
    takc_buf_clear(&work);
    return st;
}

static enum takc_status write_canonical(struct canon *c, struct takc_str query, struct takc_buf *out, struct takc_err *err)
{
    takc_buf_reset(out);
    enum takc_status st = takc_buf_printf(out, err, "%s\n", c->r->method);
    st = st ? st : write_path(c, out, err);
    st = st ? st : takc_buf_byte(out, '\n', err);
    st = st ? st : write_query(c, query, out, err);
    st = st ? st : takc_buf_byte(out, '\n', err);
    st = st ? st : write_headers(c, out, err);
    st = st ? st : takc_buf_add(out, takc_buf_str(&c->names), err);
    st = st ? st : takc_buf_byte(out, '\n', err);
    return st ? st : takc_buf_add(out, c->payload, err);
}

static enum takc_status write_to_sign(const struct canon *c, struct takc_str canonical, struct takc_buf *out, struct takc_err *err)
{
    struct takc_hex hash;
    enum takc_status st = takc_sha256(canonical, &hash, err);
    takc_buf_reset(out);
    return st ? st : takc_buf_printf(out, err, TAKC_SIGV4_ALGORITHM "\n%s\n%s\n%s", c->date, c->scope, hash.s);
}

static bool mac(const unsigned char *key, size_t n, struct takc_str text, unsigned char out[HMAC_BYTES])
{
    unsigned len = HMAC_BYTES;
    return HMAC(EVP_sha256(), key, (int)n, (const unsigned char *)text.ptr, text.len, out, &len) != NULL;
}

/* The key of day, region and service, then the signature as hex. */
static enum takc_status compute(const struct canon *c, struct takc_str to_sign, char hex[65], struct takc_err *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char key[HMAC_BYTES], next[HMAC_BYTES];
    struct takc_buf first;
    const struct takc_str parts[] = {c->r->region, c->r->service, takc_str("aws4_request"), to_sign};
    takc_buf_init_secret(&first, TEXT_MAX);
    enum takc_status st = takc_buf_add(&first, takc_str("AWS4"), err);
    st = st ? st : takc_buf_add(&first, c->k->secret, err);
    bool good = !st && mac((unsigned char *)first.ptr, first.len, takc_str_n(c->date, 8), key);
    for (size_t i = 0; i < 4 && good; i++) {
        good = mac(key, sizeof(key), parts[i], next);
        memcpy(key, next, sizeof(key));
    }
    for (size_t i = 0; i < HMAC_BYTES && good; i++) {
        hex[2 * i] = digits[key[i] >> 4];
        hex[2 * i + 1] = digits[key[i] & 15];
    }
    hex[64] = '\0';
    OPENSSL_cleanse(key, sizeof(key));
    OPENSSL_cleanse(next, sizeof(next));
    takc_buf_clear(&first);
    return good ? TAKC_OK : st ? st : takc_fail(err, TAKC_NOMEM, 0, "no memory to sign");
}

static enum takc_status write_date(int64_t at_s, char out[17], struct takc_err *err)
{
    char text[21];
    if (at_s < 0 || at_s >= YEAR_10000_S)
        return takc_fail(err, TAKC_INVALID, 0, "time %lld cannot be signed", (long long)at_s);
    takc_time_text(at_s, text);
    size_t n = 0;
    for (size_t i = 0; i < 20 && n < 16; i++)
        if (text[i] != '-' && text[i] != ':')
            out[n++] = text[i];
    out[n] = '\0';
    return TAKC_OK;
}

static bool is_plain(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || (unsigned char)s.ptr[i] >= 0x7F)
            return false;
    return s.len > 0;
}

static enum takc_status check_request(const struct takc_sigv4_request *r, const struct takc_aws_keys *k, struct takc_err *err)
{
    if (!is_plain(k->access) || !k->secret.len)
        return takc_fail(err, TAKC_INVALID, 0, "no key to sign with");
    if (k->token.len && !is_plain(k->token))
        return takc_fail(err, TAKC_INVALID, 0, "session token with a character that no header takes");
    if (!is_plain(r->service) || r->service.len > 40)
        return takc_fail(err, TAKC_INVALID, 0, "no service to sign for");
    if (!is_plain(r->region) || r->region.len > 60)
        return takc_fail(err, TAKC_INVALID, 0, "no region to sign for");
    if (r->body_sha256.len && !takc_hex_valid(r->body_sha256))
        return takc_fail(err, TAKC_INVALID, 0, "the body's hash is no SHA-256");
    return TAKC_OK;
}

static enum takc_status canon_init(struct canon *c, const struct takc_sigv4_request *r, const struct takc_aws_keys *k, bool in_query,
                                   struct takc_err *err)
{
    *c = (struct canon){.r = r, .k = k, .in_query = in_query};
    takc_arena_init(&c->arena);
    takc_buf_init(&c->names, TEXT_MAX);
    enum takc_status st = check_request(r, k, err);
    st = st ? st : takc_url_parse(&c->url, r->url, err);
    st = st ? st : write_date(r->at_s, c->date, err);
    if (st)
        return st;
    bool is_open = (r->flags & TAKC_SIGV4_UNSIGNED_PAYLOAD) || (in_query && is_s3(r));
    c->payload = is_open ? takc_str(TAKC_SIGV4_UNSIGNED) : r->body_sha256.len ? r->body_sha256 : takc_str(TAKC_SIGV4_EMPTY_SHA256);
    (void)snprintf(c->scope, sizeof(c->scope), "%.8s/%.*s/%.*s/aws4_request", c->date, TAKC_STR_ARG(r->region), TAKC_STR_ARG(r->service));
    return gather_headers(c, err);
}

static void canon_clear(struct canon *c)
{
    takc_arena_clear(&c->arena);
    takc_buf_clear(&c->names);
}

enum takc_status takc_sigv4_sign(const struct takc_sigv4_request *r, const struct takc_aws_keys *k, struct takc_sigv4 *out,
                                 struct takc_err *err)
{
    struct canon c;
    enum takc_status st = canon_init(&c, r, k, false, err);
    st = st ? st : write_canonical(&c, c.url.query, &out->canonical, err);
    st = st ? st : write_to_sign(&c, takc_buf_str(&out->canonical), &out->to_sign, err);
    st = st ? st : compute(&c, takc_buf_str(&out->to_sign), out->signature, err);
    takc_buf_reset(&out->authorization);
    if (!st)
        st = takc_buf_printf(&out->authorization, err, TAKC_SIGV4_ALGORITHM " Credential=%.*s/%s, SignedHeaders=%s, Signature=%s",
                             TAKC_STR_ARG(k->access), c.scope, c.names.ptr, out->signature);
    memcpy(out->date, c.date, sizeof(out->date));
    canon_clear(&c);
    return st;
}

/* &name=value, the value escaped. */
static enum takc_status add_parameter(struct takc_buf *out, const char *name, struct takc_str value, struct takc_err *err)
{
    enum takc_status st = takc_buf_printf(out, err, "&%s=", name);
    return st ? st : takc_url_escape(out, value, false, err);
}

/* The query that is signed: what was there, and what says how it is signed. */
static enum takc_status write_signed_query(const struct canon *c, uint32_t expires_s, struct takc_buf *out, struct takc_err *err)
{
    struct takc_buf credential;
    takc_buf_init(&credential, TEXT_MAX);
    enum takc_status st = takc_buf_add(out, c->url.query, err);
    st = st ? st : takc_buf_printf(&credential, err, "%.*s/%s", TAKC_STR_ARG(c->k->access), c->scope);
    st = st ? st : add_parameter(out, "X-Amz-Algorithm", takc_str(TAKC_SIGV4_ALGORITHM), err);
    st = st ? st : add_parameter(out, "X-Amz-Credential", takc_buf_str(&credential), err);
    st = st ? st : add_parameter(out, "X-Amz-Date", takc_str(c->date), err);
    st = st ? st : takc_buf_printf(out, err, "&X-Amz-Expires=%u", expires_s);
    st = st ? st : add_parameter(out, "X-Amz-SignedHeaders", takc_buf_str(&c->names), err);
    if (!st && c->k->token.len)
        st = add_parameter(out, "X-Amz-Security-Token", c->k->token, err);
    takc_buf_clear(&credential);
    return st;
}

enum takc_status takc_sigv4_presign(const struct takc_sigv4_request *r, const struct takc_aws_keys *k, uint32_t expires_s,
                                    struct takc_buf *out, struct takc_err *err)
{
    struct canon c;
    struct takc_sigv4 s;
    struct takc_buf query;
    takc_sigv4_init(&s);
    takc_buf_init_secret(&query, TEXT_MAX);
    enum takc_status st = canon_init(&c, r, k, true, err);
    if (!st && (expires_s < 1 || expires_s > EXPIRES_MAX_S))
        st = takc_fail(err, TAKC_INVALID, 0, "an URL is good for 1 to %d seconds, not %u", EXPIRES_MAX_S, expires_s);
    st = st ? st : write_signed_query(&c, expires_s, &query, err);
    struct takc_str q = takc_buf_str(&query);
    if (!st && !c.url.query.len)
        q = takc_str_slice(q, 1, q.len); /* nothing stood before the first '&' */
    st = st ? st : write_canonical(&c, q, &s.canonical, err);
    st = st ? st : write_to_sign(&c, takc_buf_str(&s.canonical), &s.to_sign, err);
    st = st ? st : compute(&c, takc_buf_str(&s.to_sign), s.signature, err);
    if (!st)
        st = takc_buf_printf(out, err, "%.*s://%.*s%.*s?%.*s&X-Amz-Signature=%s", TAKC_STR_ARG(c.url.scheme), TAKC_STR_ARG(c.url.authority),
                             TAKC_STR_ARG(c.url.path.len ? c.url.path : takc_str("/")), TAKC_STR_ARG(q), s.signature);
    takc_buf_clear(&query);
    takc_sigv4_clear(&s);
    canon_clear(&c);
    return st;
}

int64_t takc_sigv4_skew_s(struct takc_str date_header, int64_t now_s, int64_t max_skew_s)
{
    int64_t there;
    if (!takc_http_date(date_header, now_s, &there))
        return 0;
    int64_t skew = there - now_s;
    return skew <= max_skew_s && skew >= -max_skew_s ? 0 : skew;
}
