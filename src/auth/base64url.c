/* SPDX-License-Identifier: Apache-2.0
 *
 * base64url.c - strict decoding. */
#include "auth/base64url.h"

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

enum takc_status takc_base64url_decode(struct takc_buf *out, struct takc_str text, struct takc_err *err)
{
    uint32_t bits = 0;
    unsigned n_bits = 0;
    if (text.len % 4 == 1)
        return takc_fail(err, TAKC_INVALID, 0, "base64url of a length that none has");
    for (size_t i = 0; i < text.len; i++) {
        int v = value_of(text.ptr[i]);
        if (v < 0)
            return takc_fail(err, TAKC_INVALID, (int)i, "byte %zu is none of base64url", i);
        bits = (bits << 6 | (uint32_t)v) & 0xFFFF;
        n_bits += 6;
        if (n_bits < 8)
            continue;
        n_bits -= 8;
        enum takc_status st = takc_buf_byte(out, (char)(bits >> n_bits & 0xFF), err);
        if (st)
            return st;
    }
    if (bits & ((1u << n_bits) - 1))
        return takc_fail(err, TAKC_INVALID, 0, "base64url with bits behind its last byte");
    return TAKC_OK;
}
