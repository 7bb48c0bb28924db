/* SPDX-License-Identifier: Apache-2.0
 *
 * utf8.c - decoding by the table of well-formed sequences (Unicode 15, table 3-7). */
#include "base/utf8.h"

uint32_t takc_utf8_next(struct takc_str s, size_t *pos, bool *out_bad)
{
    const unsigned char *p = (const unsigned char *)s.ptr + *pos;
    size_t left = s.len - *pos;
    unsigned n = 0;
    uint32_t c = p[0], low = 0x80, high = 0xBF;
    if (out_bad)
        *out_bad = false;
    if (c < 0x80) {
        *pos += 1;
        return c;
    }
    if (c >= 0xC2 && c <= 0xDF) {
        n = 1;
        c &= 0x1F;
    } else if (c >= 0xE0 && c <= 0xEF) {
        n = 2;
        low = c == 0xE0 ? 0xA0 : 0x80;
        high = c == 0xED ? 0x9F : 0xBF;
        c &= 0x0F;
    } else if (c >= 0xF0 && c <= 0xF4) {
        n = 3;
        low = c == 0xF0 ? 0x90 : 0x80;
        high = c == 0xF4 ? 0x8F : 0xBF;
        c &= 0x07;
    }
    bool good = n > 0 && left > n && p[1] >= low && p[1] <= high;
    for (unsigned i = 1; good && i <= n; i++) {
        good = (p[i] & 0xC0) == 0x80;
        c = c << 6 | (p[i] & 0x3F);
    }
    if (!good) {
        if (out_bad)
            *out_bad = true;
        *pos += 1;
        return TAKC_UTF8_BAD;
    }
    *pos += n + 1;
    return c;
}

unsigned takc_utf8_put(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    unsigned n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (unsigned i = n - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3F));
        c >>= 6;
    }
    out[0] = (char)(lead[n] | c);
    return n;
}

bool takc_utf8_valid(struct takc_str s, size_t *out_at)
{
    size_t pos = 0;
    while (pos < s.len) {
        if (s.len - pos >= 8 && !(takc_le(s.ptr + pos, 8) & 0x8080808080808080u)) {
            pos += 8;
            continue;
        }
        bool bad;
        size_t at = pos;
        takc_utf8_next(s, &pos, &bad);
        if (bad) {
            if (out_at)
                *out_at = at;
            return false;
        }
    }
    return true;
}

bool takc_utf8_boundary(struct takc_str s, size_t at)
{
    return at == s.len || (at < s.len && ((unsigned char)s.ptr[at] & 0xC0) != 0x80);
}

enum takc_status takc_utf8_repair(struct takc_buf *out, struct takc_str s, size_t *out_replaced, struct takc_err *err)
{
    size_t from = 0, replaced = 0;
    for (size_t pos = 0; pos < s.len;) {
        size_t at = pos;
        bool bad;
        takc_utf8_next(s, &pos, &bad);
        if (!bad)
            continue;
        enum takc_status st = takc_buf_add(out, takc_str_slice(s, from, at), err);
        if (!st)
            st = takc_buf_add(out, takc_str("\xEF\xBF\xBD"), err);
        if (st)
            return st;
        from = pos;
        replaced++;
    }
    *out_replaced = replaced;
    return takc_buf_add(out, takc_str_slice(s, from, s.len), err);
}
