/* SPDX-License-Identifier: Apache-2.0
 *
 * base/buf.h - bytes that grow, up to a limit named for their use; a NUL always stands behind the last one.
 * Threads: one at a time. */
#ifndef TAKC_BASE_BUF_H
#define TAKC_BASE_BUF_H

#include "takc/str.h"

#include <endian.h>

struct takc_buf {
    char *ptr; /* NULL until something was put in */
    size_t len, cap, max;
    bool secret; /* bytes are wiped when they are left: on growth, clear */
};

/* Limits by use; hostile input meets them as a polite error. */
#define TAKC_BUF_MAX_NAME (4u << 10)
#define TAKC_BUF_MAX_DOCUMENT ((size_t)1 << 30)
#define TAKC_BUF_MAX_REPLY ((size_t)1 << 30)

/* An empty buffer that may hold up to max bytes. The storage of the struct is the caller's. */
void takc_buf_init(struct takc_buf *b, size_t max);
/* The same for keys and tokens: what is freed is wiped before. */
void takc_buf_init_secret(struct takc_buf *b, size_t max);
/* Frees the bytes, keeps max and secret; twice is harmless. */
void takc_buf_clear(struct takc_buf *b);
/* Empties without freeing. */
void takc_buf_reset(struct takc_buf *b);
/* A view of what is in; lives until the next call that changes b. */
struct takc_str takc_buf_str(const struct takc_buf *b);
/* Makes room for n more bytes. INVALID when that is over max, NOMEM when there is no memory; b is unchanged then. */
TAKC_CHECK enum takc_status takc_buf_reserve(struct takc_buf *b, size_t n, struct takc_err *err);
/* Appends; statuses as takc_buf_reserve. */
TAKC_CHECK enum takc_status takc_buf_add(struct takc_buf *b, struct takc_str s, struct takc_err *err);
/* Appends one byte. */
TAKC_CHECK enum takc_status takc_buf_byte(struct takc_buf *b, char c, struct takc_err *err);
/* Appends formatted text. */
TAKC_CHECK enum takc_status takc_buf_printf(struct takc_buf *b, struct takc_err *err, const char *fmt, ...) TAKC_PRINTF(3, 4);
/* Appends v as n (1..8) little-endian bytes. */
TAKC_CHECK enum takc_status takc_buf_le(struct takc_buf *b, uint64_t v, unsigned n, struct takc_err *err);
/* Appends v as an unsigned LEB128 number. */
TAKC_CHECK enum takc_status takc_buf_varint(struct takc_buf *b, uint64_t v, struct takc_err *err);
/* Hands the bytes over (never NULL on OK) and empties b. Returns owned, free with takc_free. */
TAKC_CHECK enum takc_status takc_buf_take(struct takc_buf *b, char **out, size_t *out_len, struct takc_err *err);

/* Reads little-endian numbers back; p has the bytes. */
static inline uint64_t takc_le(const void *p, unsigned n)
{
    const unsigned char *b = p;
    uint64_t v = 0;
    if (n == 8) { /* one load: hashes read everything this way */
        memcpy(&v, p, 8);
        return le64toh(v);
    }
    for (unsigned i = 0; i < n; i++)
        v |= (uint64_t)b[i] << (8 * i);
    return v;
}

/* Reads a LEB128 number at *pos of s and moves *pos behind it; false when it is cut off or longer than 64 bits. */
bool takc_varint(struct takc_str s, size_t *pos, uint64_t *out);

#endif
