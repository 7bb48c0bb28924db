/* SPDX-License-Identifier: Apache-2.0
 *
 * sigv4_read.c - a presented signature taken apart (auth/sigv4_claim.h). Each part is there once and in the form in which signers write it:
 * what two programs could read differently is refused. */
#include "auth/sigv4_claim.h"

#include "base/hash.h"
#include "net/url.h"

enum { DATE_LEN = 16, EXPIRES_MAX_S = 7 * 86400, TEXT_MAX = 64 << 10 };

static struct takc_str header(const struct takc_auth_request *r, const char *name, bool *twice)
{
    bool here = false;
    struct takc_str v = r->header(r->arg, name, &here);
    *twice |= here;
    return v;
}

static bool is_presigned(const struct takc_auth_request *r)
{
    struct takc_str rest = r->query, piece;
    while (takc_str_split(&rest, '&', &piece))
        if (takc_str_is(piece, "X-Amz-Algorithm=" TAKC_SIGV4_ALGORITHM))
            return true;
    return false;
}

bool takc_sigv4_bears(const struct takc_auth_request *r)
{
    bool twice = false;
    struct takc_str v = header(r, "authorization", &twice);
    return takc_str_starts(v, takc_str(TAKC_SIGV4_ALGORITHM)) || (!v.len && !twice && is_presigned(r));
}

static enum takc_status odd(struct takc_err *err, const char *what)
{
    return takc_fail(err, TAKC_DENIED, 0, "the signature is not in the form of AWS4-HMAC-SHA256: %s", what);
}

/* --- parts --- */

/* KEY/DAY/REGION/SERVICE/aws4_request */
static enum takc_status read_credential(struct takc_str s, struct takc_sigv4_claim *c, struct takc_err *err)
{
    struct takc_str parts[5] = {{0}};
    size_t n = 0;
    while (n < 5 && takc_str_split(&s, '/', &parts[n]))
        n++;
    if (n < 5 || s.ptr || !parts[0].len || parts[1].len != 8 || !parts[2].len || !parts[3].len || !takc_str_is(parts[4], "aws4_request"))
        return odd(err, "Credential");
    c->access = parts[0];
    c->day = parts[1];
    c->region = parts[2];
    c->service = parts[3];
    return TAKC_OK;
}

static bool digits(struct takc_str s, size_t from, size_t n, unsigned *out)
{
    *out = 0;
    for (size_t i = from; i < from + n; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        *out = *out * 10 + (unsigned)(s.ptr[i] - '0');
    }
    return true;
}

/* "20260102T030405Z", whose day is the credential's. */
static enum takc_status read_date(struct takc_sigv4_claim *c, struct takc_err *err)
{
    unsigned y, mo, d, h, mi, s;
    char day[11];
    int32_t days;
    struct takc_str t = c->date;
    bool good = t.len == DATE_LEN && t.ptr[8] == 'T' && t.ptr[15] == 'Z' && digits(t, 0, 4, &y) && digits(t, 4, 2, &mo) &&
                digits(t, 6, 2, &d) && digits(t, 9, 2, &h) && digits(t, 11, 2, &mi) && digits(t, 13, 2, &s) && h < 24 && mi < 60 && s < 60;
    if (!good || !takc_str_eq(takc_str_slice(t, 0, 8), c->day))
        return odd(err, "x-amz-date");
    (void)memcpy(day, t.ptr, 4);
    day[4] = day[7] = '-';
    (void)memcpy(day + 5, t.ptr + 4, 2);
    (void)memcpy(day + 8, t.ptr + 6, 2);
    day[10] = '\0';
    if (takc_date_parse(day, 10, &days, NULL))
        return odd(err, "x-amz-date");
    c->at_s = (int64_t)days * 86400 + (int64_t)(h * 3600 + mi * 60 + s);
    return TAKC_OK;
}

static bool is_lower_token(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || (s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '-' || s.ptr[i] == '_'))
            return false;
    return s.len > 0;
}

/* Names in lower case, each after the one before it; the request has each of them once. */
static enum takc_status read_headers(const struct takc_auth_request *r, struct takc_str list, struct takc_arena *a,
                                     struct takc_sigv4_claim *c, struct takc_err *err)
{
    struct takc_str name, last = {"", 0};
    while (takc_str_split(&list, ';', &name)) {
        bool twice = false;
        if (!is_lower_token(name) || takc_str_cmp(name, last) <= 0 || c->n_headers == TAKC_SIGV4_SIGNED_HEADERS)
            return odd(err, "SignedHeaders");
        struct takc_str z = takc_arena_dup(a, name);
        if (!z.ptr)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a signature");
        c->headers[c->n_headers++] = (struct takc_http_header){name, header(r, z.ptr, &twice)};
        if (twice)
            return odd(err, "a signed header comes more than once");
        last = name;
    }
    return TAKC_OK;
}

static bool is_signed(const struct takc_sigv4_claim *c, const char *name)
{
    for (size_t i = 0; i < c->n_headers; i++)
        if (takc_str_is(c->headers[i].name, name))
            return true;
    return false;
}

/* What a request has of these must be signed. */
static enum takc_status check_signed(const struct takc_auth_request *r, const struct takc_sigv4_claim *c, struct takc_err *err)
{
    static const char *const names[] = {"x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "x-amz-target"};
    bool twice = false, all = is_signed(c, "host") && (c->presigned || is_signed(c, "x-amz-date"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        all = all && (!header(r, names[i], &twice).len || is_signed(c, names[i]));
    return all && !twice ? TAKC_OK
                         : takc_fail(err, TAKC_DENIED, 0, "host, x-amz-date, and the other x-amz- headers have to be signed, each once");
}

/* --- both forms --- */

/* "ALGORITHM Credential=..., SignedHeaders=..., Signature=...", in any order, blanks or not. */
static enum takc_status read_header_form(const struct takc_auth_request *r, struct takc_arena *a, struct takc_sigv4_claim *c,
                                         struct takc_err *err)
{
    static const struct takc_str names[3] = {{"Credential=", 11}, {"SignedHeaders=", 14}, {"Signature=", 10}};
    struct takc_str rest, piece, values[3] = {{0}};
    bool twice = false;
    rest = header(r, "authorization", &twice);
    if (rest.len <= sizeof(TAKC_SIGV4_ALGORITHM) || rest.ptr[sizeof(TAKC_SIGV4_ALGORITHM) - 1] != ' ')
        return odd(err, "Authorization");
    rest = takc_str_slice(rest, sizeof(TAKC_SIGV4_ALGORITHM), rest.len);
    while (takc_str_split(&rest, ',', &piece)) {
        int i = 0;
        piece = takc_str_trim(piece);
        while (i < 3 && !takc_str_starts(piece, names[i]))
            i++;
        if (i == 3 || values[i].ptr)
            return odd(err, "Authorization");
        values[i] = takc_str_slice(piece, names[i].len, piece.len);
    }
    c->date = header(r, "x-amz-date", &twice);
    c->payload = header(r, "x-amz-content-sha256", &twice);
    c->signature = values[2];
    if (twice)
        return odd(err, "a header comes more than once");
    enum takc_status st = read_credential(values[0], c, err);
    return st ? st : read_headers(r, values[1], a, c, err);
}

static enum takc_status unescape(struct takc_str s, struct takc_arena *a, struct takc_str *out, struct takc_err *err)
{
    struct takc_buf b;
    takc_buf_init(&b, TEXT_MAX);
    enum takc_status st = takc_url_unescape(&b, s, NULL);
    if (!st) {
        *out = takc_arena_dup(a, takc_buf_str(&b));
        st = out->ptr ? TAKC_OK : TAKC_NOMEM;
    }
    takc_buf_clear(&b);
    return st == TAKC_NOMEM ? takc_fail(err, st, 0, "no memory for a signature") : st ? odd(err, "the query's escapes") : TAKC_OK;
}

enum { Q_ALGORITHM, Q_CREDENTIAL, Q_DATE, Q_EXPIRES, Q_HEADERS, Q_SIGNATURE, Q_TOKEN, N_QUERY };

/* The values of a presigned query, unescaped; rest gets the query without the signature. */
static enum takc_status split_query(const struct takc_auth_request *r, struct takc_arena *a, struct takc_str values[N_QUERY],
                                    struct takc_buf *rest, struct takc_err *err)
{
    static const char *const names[N_QUERY] = {"X-Amz-Algorithm=",     "X-Amz-Credential=", "X-Amz-Date=",          "X-Amz-Expires=",
                                               "X-Amz-SignedHeaders=", "X-Amz-Signature=",  "X-Amz-Security-Token="};
    struct takc_str query = r->query, piece;
    enum takc_status st = TAKC_OK;
    while (!st && takc_str_split(&query, '&', &piece)) {
        int i = 0;
        while (i < N_QUERY && !takc_str_starts(piece, takc_str(names[i])))
            i++;
        if (i < N_QUERY && values[i].ptr)
            return odd(err, "a parameter comes more than once");
        if (i < N_QUERY)
            st = unescape(takc_str_slice(piece, strlen(names[i]), piece.len), a, &values[i], err);
        if (!st && i != Q_SIGNATURE)
            st = rest->len ? takc_buf_byte(rest, '&', err) : TAKC_OK;
        if (!st && i != Q_SIGNATURE)
            st = takc_buf_add(rest, piece, err);
    }
    return st;
}

static enum takc_status read_query_form(const struct takc_auth_request *r, struct takc_arena *a, struct takc_sigv4_claim *c,
                                        struct takc_buf *rest, struct takc_err *err)
{
    struct takc_str v[N_QUERY] = {{0}};
    uint64_t expires = 0;
    enum takc_status st = split_query(r, a, v, rest, err);
    if (st)
        return st;
    if (takc_str_u64(v[Q_EXPIRES], EXPIRES_MAX_S, &expires, NULL) || !expires)
        return odd(err, "X-Amz-Expires");
    c->expires_s = (uint32_t)expires;
    c->date = v[Q_DATE];
    c->signature = v[Q_SIGNATURE];
    st = read_credential(v[Q_CREDENTIAL], c, err);
    return st ? st : read_headers(r, v[Q_HEADERS], a, c, err);
}

/* What is signed is written as C's strings are: a NUL would hide what stands behind it. */
static bool has_nul(struct takc_str s)
{
    return takc_str_find_byte(s, '\0', 0) != SIZE_MAX;
}

/* The URL whose canonical form was signed. The scheme has no part in that. */
static enum takc_status write_url(const struct takc_auth_request *r, struct takc_str query, struct takc_arena *a,
                                  struct takc_sigv4_claim *c, struct takc_err *err)
{
    struct takc_url u;
    bool twice = false;
    struct takc_str host = header(r, "host", &twice);
    if (has_nul(r->method) || has_nul(host) || has_nul(r->path) || has_nul(query))
        return odd(err, "method, host or path");
    const char *url =
        takc_arena_printf(a, "http://%.*s%.*s%s%.*s", TAKC_STR_ARG(host), TAKC_STR_ARG(r->path), query.len ? "?" : "", TAKC_STR_ARG(query));
    c->method = takc_arena_dup(a, r->method).ptr;
    if (!url || !c->method)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a signature");
    c->url = takc_str(url);
    return takc_url_parse(&u, c->url, NULL) ? odd(err, "host or path") : TAKC_OK;
}

enum takc_status takc_sigv4_claim_read(const struct takc_auth_request *r, struct takc_arena *a, struct takc_sigv4_claim *out,
                                       struct takc_err *err)
{
    bool twice = false;
    struct takc_buf rest;
    *out = (struct takc_sigv4_claim){.presigned = !header(r, "authorization", &twice).len};
    takc_buf_init(&rest, TEXT_MAX);
    enum takc_status st = out->presigned ? read_query_form(r, a, out, &rest, err) : read_header_form(r, a, out, err);
    st = st ? st : check_signed(r, out, err);
    st = st ? st : read_date(out, err);
    if (!st && !takc_hex_valid(out->signature))
        st = odd(err, "Signature");
    st = st ? st : write_url(r, out->presigned ? takc_buf_str(&rest) : r->query, a, out, err);
    takc_buf_clear(&rest);
    return st;
}
