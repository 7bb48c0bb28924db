/* SPDX-License-Identifier: Apache-2.0
 *
 * base64.c - both alphabets differ in two letters and in the padding; the rest is one loop. */
#include "base/base64.h"

static int value_of(char c, char letter_62, char letter_63)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == letter_62 ? 62 : c == letter_63 ? 63 : -1;
}

/* text without padding; last: the letters for 62 and 63; to has room. */
static enum takc_status decode(char *to, struct takc_str text, const char last[2], struct takc_err *err)
{
    uint32_t bits = 0;
    unsigned n_bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        int v = value_of(text.ptr[i], last[0], last[1]);
        if (v < 0)
            return takc_fail(err, TAKC_INVALID, (int)i, "byte %zu is none of base64", i);
        bits = (bits << 6 | (uint32_t)v) & 0xFFFF;
        n_bits += 6;
        if (n_bits < 8)
            continue;
        n_bits -= 8;
        *to++ = (char)(bits >> n_bits & 0xFF);
    }
    if (bits & ((1u << n_bits) - 1))
        return takc_fail(err, TAKC_INVALID, 0, "base64 with bits behind its last byte");
    return TAKC_OK;
}

static enum takc_status append(struct takc_buf *out, struct takc_str text, const char last[2], struct takc_err *err)
{
    size_t n = text.len / 4 * 3 + text.len % 4 * 3 / 4;
    if (text.len % 4 == 1)
        return takc_fail(err, TAKC_INVALID, 0, "base64 of a length that none has");
    enum takc_status st = takc_buf_reserve(out, n, err);
    if (st)
        return st;
    st = decode(out->ptr + out->len, text, last, err);
    out->len += st ? 0 : n;
    out->ptr[out->len] = '\0';
    return st;
}

enum takc_status takc_base64_decode(struct takc_buf *out, struct takc_str text, struct takc_err *err)
{
    size_t pad = takc_str_ends(text, takc_str("==")) ? 2 : takc_str_ends(text, takc_str("=")) ? 1 : 0;
    if (text.len % 4)
        return takc_fail(err, TAKC_INVALID, 0, "base64 without its padding");
    return append(out, takc_str_slice(text, 0, text.len - pad), "+/", err);
}

enum takc_status takc_base64url_decode(struct takc_buf *out, struct takc_str text, struct takc_err *err)
{
    return append(out, text, "-_", err);
}
