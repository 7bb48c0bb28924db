/* SPDX-License-Identifier: Apache-2.0
 *
 * buf.c - growing bytes. Doubles up to max, keeps a NUL behind the end. */
#include "base/buf.h"
#include "base/alloc.h"

#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>

void takc_buf_init(struct takc_buf *b, size_t max)
{
    *b = (struct takc_buf){.max = max};
}

void takc_buf_init_secret(struct takc_buf *b, size_t max)
{
    *b = (struct takc_buf){.max = max, .secret = true};
}

void takc_buf_clear(struct takc_buf *b)
{
    if (b->secret && b->ptr)
        OPENSSL_cleanse(b->ptr, b->cap);
    takc_free(b->ptr);
    *b = (struct takc_buf){.max = b->max, .secret = b->secret};
}

void takc_buf_reset(struct takc_buf *b)
{
    if (b->secret && b->ptr)
        OPENSSL_cleanse(b->ptr, b->cap);
    b->len = 0;
    if (b->ptr)
        b->ptr[0] = '\0';
}

struct takc_str takc_buf_str(const struct takc_buf *b)
{
    return takc_str_n(b->ptr ? b->ptr : "", b->len);
}

/* realloc, but for secrets: the old block is wiped before it is let go. */
static char *grow(struct takc_buf *b, size_t cap)
{
    if (!b->secret)
        return takc_realloc(b->ptr, cap);
    char *p = takc_alloc(cap);
    if (p && b->ptr) {
        memcpy(p, b->ptr, b->len);
        OPENSSL_cleanse(b->ptr, b->cap);
        takc_free(b->ptr);
    }
    return p;
}

enum takc_status takc_buf_reserve(struct takc_buf *b, size_t n, struct takc_err *err)
{
    if (n > b->max || b->len > b->max - n)
        return takc_fail(err, TAKC_INVALID, 0, "more than the limit of %zu bytes", b->max);
    size_t want = b->len + n + 1;
    if (want <= b->cap)
        return TAKC_OK;
    size_t cap = b->cap < 64 ? 64 : b->cap;
    while (cap < want)
        cap *= 2;
    if (cap - 1 > b->max)
        cap = b->max + 1;
    char *p = grow(b, cap);
    if (!p)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu bytes", cap);
    b->ptr = p;
    b->cap = cap;
    b->ptr[b->len] = '\0';
    return TAKC_OK;
}

enum takc_status takc_buf_add(struct takc_buf *b, struct takc_str s, struct takc_err *err)
{
    enum takc_status st = takc_buf_reserve(b, s.len, err);
    if (st)
        return st;
    if (s.len)
        memcpy(b->ptr + b->len, s.ptr, s.len);
    b->len += s.len;
    b->ptr[b->len] = '\0';
    return TAKC_OK;
}

enum takc_status takc_buf_byte(struct takc_buf *b, char c, struct takc_err *err)
{
    return takc_buf_add(b, takc_str_n(&c, 1), err);
}

enum takc_status takc_buf_printf(struct takc_buf *b, struct takc_err *err, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    enum takc_status st = n < 0 ? takc_fail(err, TAKC_INVALID, 0, "text cannot be formatted") : takc_buf_reserve(b, (size_t)n, err);
    if (!st) {
        (void)vsnprintf(b->ptr + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return st;
}

enum takc_status takc_buf_le(struct takc_buf *b, uint64_t v, unsigned n, struct takc_err *err)
{
    char bytes[8];
    for (unsigned i = 0; i < n; i++)
        bytes[i] = (char)(v >> (8 * i));
    return takc_buf_add(b, takc_str_n(bytes, n), err);
}

enum takc_status takc_buf_varint(struct takc_buf *b, uint64_t v, struct takc_err *err)
{
    char bytes[10];
    size_t n = 0;
    do {
        bytes[n++] = (char)((v & 0x7F) | (v > 0x7F ? 0x80 : 0));
        v >>= 7;
    } while (v);
    return takc_buf_add(b, takc_str_n(bytes, n), err);
}

enum takc_status takc_buf_take(struct takc_buf *b, char **out, size_t *out_len, struct takc_err *err)
{
    enum takc_status st = takc_buf_reserve(b, 0, err);
    if (st)
        return st;
    *out = b->ptr;
    *out_len = b->len;
    *b = (struct takc_buf){.max = b->max, .secret = b->secret};
    return TAKC_OK;
}

bool takc_varint(struct takc_str s, size_t *pos, uint64_t *out)
{
    uint64_t v = 0;
    if (*pos < s.len && !(s.ptr[*pos] & 0x80)) { /* most are one byte */
        *out = (unsigned char)s.ptr[(*pos)++];
        return true;
    }
    for (unsigned shift = 0; shift < 64 && *pos < s.len; shift += 7) {
        unsigned char c = (unsigned char)s.ptr[(*pos)++];
        if (shift == 63 && c > 1)
            return false;
        v |= (uint64_t)(c & 0x7F) << shift;
        if (!(c & 0x80)) {
            *out = v;
            return true;
        }
    }
    return false;
}
