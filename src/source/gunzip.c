/* SPDX-License-Identifier: Apache-2.0
 *
 * gunzip.c - gzip by zlib, a piece at a time. The size that the file claims for itself is not looked at: it may lie and counts modulo 4
 * GiB. zlib's allocations go through base/alloc.h. */
#include "base/alloc.h"
#include "source/source.h"

#include <zlib.h>

enum { PIECE = 256 << 10 };

static void *get(void *unused, unsigned n, unsigned size)
{
    (void)unused;
    return takc_alloc_array(n, size);
}

static void put(void *unused, void *p)
{
    (void)unused;
    takc_free(p);
}

/* Makes room and inflates into it once. */
static enum takc_status inflate_piece(z_stream *z, struct takc_buf *out, int *result, struct takc_err *err)
{
    size_t room = out->max - out->len < PIECE ? out->max - out->len : PIECE;
    char one; /* at the limit: is there more? */
    enum takc_status st = room ? takc_buf_reserve(out, room, err) : TAKC_OK;
    if (st)
        return st;
    z->next_out = room ? (unsigned char *)out->ptr + out->len : (unsigned char *)&one;
    z->avail_out = room ? (unsigned)room : 1;
    unsigned before = z->avail_out;
    *result = inflate(z, Z_NO_FLUSH);
    size_t got = before - z->avail_out;
    if (!room && got)
        return takc_fail(err, TAKC_REFUSED, 0, "decompressed it is over the limit of %zu bytes", out->max);
    out->len += got;
    if (out->ptr)
        out->ptr[out->len] = '\0';
    return TAKC_OK;
}

static enum takc_status member(z_stream *z, struct takc_str gz, size_t *used, struct takc_buf *out, struct takc_err *err)
{
    int result = Z_OK;
    while (result != Z_STREAM_END) {
        size_t left = gz.len - *used, n = left < UINT32_MAX / 2 ? left : UINT32_MAX / 2;
        z->next_in = (unsigned char *)(uintptr_t)gz.ptr + *used;
        z->avail_in = (unsigned)n;
        enum takc_status st = inflate_piece(z, out, &result, err);
        if (st)
            return st;
        *used += n - z->avail_in;
        if (result == Z_MEM_ERROR)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory to decompress");
        if (result != Z_OK && result != Z_STREAM_END)
            return takc_fail(err, TAKC_CORRUPT, 0, "gzip: %s at byte %zu", z->msg ? z->msg : "cut off", *used);
        if (out->len > TAKC_SOURCE_RATIO_FREE_BYTES && out->len / TAKC_SOURCE_RATIO > *used)
            return takc_fail(err, TAKC_REFUSED, 0, "zip bomb: %zu bytes became more than %zu", *used, out->len);
    }
    return TAKC_OK;
}

enum takc_status takc_source_gunzip(struct takc_str gz, struct takc_buf *out, struct takc_err *err)
{
    z_stream z = {.zalloc = get, .zfree = put};
    int result = inflateInit2(&z, 15 + 16);
    if (result != Z_OK)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory to decompress");
    enum takc_status st = gz.len ? TAKC_OK : takc_fail(err, TAKC_CORRUPT, 0, "gzip: empty file");
    for (size_t used = 0; used < gz.len && !st;) {
        bool magic = gz.len - used >= 2 && gz.ptr[used] == '\x1F' && gz.ptr[used + 1] == '\x8B';
        if (!magic)
            st = takc_fail(err, TAKC_CORRUPT, 0, used ? "gzip: %zu bytes that are not gzip behind byte %zu" : "not a gzip file",
                           gz.len - used, used);
        else
            st = member(&z, gz, &used, out, err);
        if (!st && inflateReset(&z) != Z_OK)
            st = takc_fail(err, TAKC_CORRUPT, 0, "gzip: damaged state");
    }
    (void)inflateEnd(&z);
    return st;
}
