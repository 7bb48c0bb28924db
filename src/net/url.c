/* SPDX-License-Identifier: Apache-2.0
 *
 * url.c - URLs taken apart strictly: what two programs might read differently is refused. Escaping by RFC 3986. */
#include "net/url.h"

#include "base/hash.h"

/* 253: the longest name that DNS has. */
enum { HOST_MAX = 253, PORT_MAX = 65535 };

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Only what a request line may hold. The URL itself may be a secret: places are told, not bytes. */
static enum takc_status check_bytes(struct takc_str url, struct takc_err *err)
{
    for (size_t i = 0; i < url.len; i++) {
        unsigned char c = (unsigned char)url.ptr[i];
        if (c <= ' ' || c >= 0x7F)
            return takc_fail(err, TAKC_INVALID, (int)i, "url: byte %zu must be written as %%%02X", i, c);
        if (c == '#')
            return takc_fail(err, TAKC_INVALID, (int)i, "url: a fragment (#) at byte %zu", i);
    }
    return TAKC_OK;
}

/* "[::1]" or a name of letters, digits, '-', '.', '_'. */
static bool is_host(struct takc_str host)
{
    bool literal = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    struct takc_str s = literal ? takc_str_slice(host, 1, host.len - 1) : host;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (literal ? takc_hex_digit(c) < 0 && c != ':' && c != '.' : !is_alnum(c) && c != '-' && c != '.' && c != '_')
            return false;
    }
    return host.len > 0 && host.len <= HOST_MAX;
}

static enum takc_status split_authority(struct takc_url *u, struct takc_err *err)
{
    struct takc_str a = u->authority;
    if (takc_str_find_byte(a, '@', 0) != SIZE_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "url: a user part (@) is not taken");
    size_t close = a.len && a.ptr[0] == '[' ? takc_str_find_byte(a, ']', 0) : 0;
    size_t colon = close == SIZE_MAX ? SIZE_MAX : takc_str_find_byte(a, ':', close);
    u->host = takc_str_slice(a, 0, colon == SIZE_MAX ? a.len : colon);
    if (!is_host(u->host))
        return takc_fail(err, TAKC_INVALID, 0, "url: no host name where one belongs");
    uint64_t port = u->scheme.len == 5 ? 443 : 80;
    if (colon != SIZE_MAX && (takc_str_u64(takc_str_slice(a, colon + 1, a.len), PORT_MAX, &port, NULL) || port == 0))
        return takc_fail(err, TAKC_INVALID, 0, "url: the port is not a number from 1 to 65535");
    u->port = (unsigned)port;
    return TAKC_OK;
}

enum takc_status takc_url_parse(struct takc_url *out, struct takc_str url, struct takc_err *err)
{
    struct takc_url u = {0};
    size_t at = takc_str_starts(url, takc_str("http://")) ? 7 : takc_str_starts(url, takc_str("https://")) ? 8 : 0;
    if (!at)
        return takc_fail(err, TAKC_INVALID, 0, "url: begins with neither http:// nor https://");
    enum takc_status st = check_bytes(url, err);
    if (st)
        return st;
    u.scheme = takc_str_slice(url, 0, at - 3);
    size_t end = at;
    while (end < url.len && url.ptr[end] != '/' && url.ptr[end] != '?')
        end++;
    u.authority = takc_str_slice(url, at, end);
    st = split_authority(&u, err);
    if (st)
        return st;
    size_t mark = takc_str_find_byte(url, '?', end);
    u.path = takc_str_slice(url, end, mark == SIZE_MAX ? url.len : mark);
    u.query = mark == SIZE_MAX ? takc_str_slice(url, url.len, url.len) : takc_str_slice(url, mark + 1, url.len);
    *out = u;
    return TAKC_OK;
}

enum takc_status takc_url_escape(struct takc_buf *out, struct takc_str s, bool keep_slash, struct takc_err *err)
{
    static const char digits[] = "0123456789ABCDEF";
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < s.len; i++) {
        char c = s.ptr[i], triple[3] = {'%', digits[(unsigned char)c >> 4], digits[c & 15]};
        bool plain = is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~' || (keep_slash && c == '/');
        st = plain ? takc_buf_byte(out, c, err) : takc_buf_add(out, takc_str_n(triple, 3), err);
    }
    return st;
}

/* Reads the byte that stands at *i, escaped or not, and moves behind it; false: a cut or odd escape. */
static bool unescape_one(struct takc_str s, size_t *i, char *out)
{
    *out = s.ptr[*i];
    if (*out != '%') {
        ++*i;
        return true;
    }
    bool whole = s.len - *i > 2;
    int high = whole ? takc_hex_digit(s.ptr[*i + 1]) : -1, low = whole ? takc_hex_digit(s.ptr[*i + 2]) : -1;
    if (high < 0 || low < 0)
        return false;
    *out = (char)(high << 4 | low);
    *i += 3;
    return true;
}

enum takc_status takc_url_unescape(struct takc_buf *out, struct takc_str s, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < s.len;) {
        char c;
        if (!unescape_one(s, &i, &c))
            return takc_fail(err, TAKC_INVALID, (int)i, "%% at byte %zu is not followed by two hexadecimal digits", i);
        st = takc_buf_byte(out, c, err);
    }
    return st;
}

bool takc_percent_decode(struct takc_str s, char *out, size_t *out_len)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; n++)
        if (!unescape_one(s, &i, &out[n]) || !out[n])
            return false;
    out[n] = '\0';
    *out_len = n;
    return true;
}
