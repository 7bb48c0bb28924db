/* SPDX-License-Identifier: Apache-2.0
 *
 * hash.c - SHA-256 by OpenSSL, and the table hash: 8 bytes at a time, multiplied into 128 bits and folded. */
#include "base/hash.h"
#include "base/buf.h"

#include <openssl/evp.h>

static void to_hex(const unsigned char *d, struct takc_hex *out)
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 32; i++) {
        out->s[2 * i] = digits[d[i] >> 4];
        out->s[2 * i + 1] = digits[d[i] & 15];
    }
    out->s[TAKC_SHA256_HEX] = '\0';
}

enum takc_status takc_sha256(struct takc_str s, struct takc_hex *out, struct takc_err *err)
{
    unsigned char d[32];
    if (EVP_Digest(s.ptr ? s.ptr : "", s.len, d, NULL, EVP_sha256(), NULL) != 1)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for SHA-256");
    to_hex(d, out);
    return TAKC_OK;
}

enum takc_status takc_sha256_init(struct takc_sha256 *h, struct takc_err *err)
{
    h->ctx = EVP_MD_CTX_new();
    if (h->ctx && EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) == 1)
        return TAKC_OK;
    takc_sha256_clear(h);
    return takc_fail(err, TAKC_NOMEM, 0, "no memory for SHA-256");
}

enum takc_status takc_sha256_add(struct takc_sha256 *h, struct takc_str s, struct takc_err *err)
{
    if (s.len && EVP_DigestUpdate(h->ctx, s.ptr, s.len) != 1)
        return takc_fail(err, TAKC_NOMEM, 0, "SHA-256 failed");
    return TAKC_OK;
}

enum takc_status takc_sha256_end(struct takc_sha256 *h, struct takc_hex *out, struct takc_err *err)
{
    unsigned char d[32];
    bool good = EVP_DigestFinal_ex(h->ctx, d, NULL) == 1;
    takc_sha256_clear(h);
    if (!good)
        return takc_fail(err, TAKC_NOMEM, 0, "SHA-256 failed");
    to_hex(d, out);
    return TAKC_OK;
}

void takc_sha256_clear(struct takc_sha256 *h)
{
    EVP_MD_CTX_free(h->ctx);
    h->ctx = NULL;
}

bool takc_hex_valid(struct takc_str s)
{
    if (s.len != TAKC_SHA256_HEX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= '0' && s.ptr[i] <= '9') || (s.ptr[i] >= 'a' && s.ptr[i] <= 'f')))
            return false;
    return true;
}

int takc_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    unsigned __int128 m = (unsigned __int128)a * b;
    return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint64_t takc_hash64(struct takc_str s, uint64_t seed)
{
    const uint64_t k1 = 0x9E3779B97F4A7C15u, k2 = 0xD6E8FEB86659FD93u; /* odd, well mixed bits */
    uint64_t h = seed ^ fold(s.len + k1, k2);
    size_t i = 0;
    for (; i + 8 <= s.len; i += 8)
        h = fold(h ^ takc_le(s.ptr + i, 8), k1 ^ h);
    if (i < s.len)
        h = fold(h ^ takc_le(s.ptr + i, (unsigned)(s.len - i)) ^ k2, k1 ^ (h << 1));
    return fold(h ^ k1, k2 ^ (h >> 29));
}
