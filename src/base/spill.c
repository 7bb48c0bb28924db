/* SPDX-License-Identifier: Apache-2.0
 *
 * spill.c - buffers with an unnamed file behind them. O_TMPFILE where the file system has it, else a temporary that loses its name at once
 * (and would be swept like any other if a kill came in between). */
#include "base/spill.h"
#include "base/fault.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void takc_pieces_init(struct takc_pieces *p, size_t n, const char *folder)
{
    *p = (struct takc_pieces){.n = n, .folder = folder};
    for (size_t i = 0; i < n; i++) {
        takc_buf_init(&p->piece[i].buf, SIZE_MAX / 4);
        p->piece[i].fd = -1;
    }
}

static void spill_clear(struct takc_spill *s)
{
    takc_buf_clear(&s->buf);
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
    s->in_file = 0;
}

void takc_pieces_clear(struct takc_pieces *p)
{
    for (size_t i = 0; i < p->n; i++)
        spill_clear(&p->piece[i]);
}

static enum takc_status open_file(struct takc_spill *s, const char *folder, struct takc_err *err)
{
    char path[PATH_MAX];
    s->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (s->fd >= 0)
        return TAKC_OK;
    int n = snprintf(path, sizeof(path), "%s/" TAKC_TMP_PREFIX "%ld-XXXXXX", folder, (long)getpid());
    if (n < 0 || n >= PATH_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "path is too long");
    s->fd = mkostemp(path, O_CLOEXEC);
    if (s->fd < 0)
        return takc_fail_errno(err, errno, "create a file in %s", folder);
    (void)unlink(path);
    return TAKC_OK;
}

enum takc_status takc_pieces_spill(struct takc_pieces *p, size_t i, struct takc_err *err)
{
    struct takc_spill *s = &p->piece[i];
    enum takc_status st = s->fd < 0 ? open_file(s, p->folder, err) : TAKC_OK;
    for (size_t done = 0; !st && done < s->buf.len;) {
        int e = takc_fault_hit(TAKC_FAULT_WRITE);
        ssize_t put = e ? -1 : pwrite(s->fd, s->buf.ptr + done, s->buf.len - done, (off_t)(s->in_file + done));
        if (put < 0 && !e && errno == EINTR)
            continue;
        if (put < 0)
            st = takc_fail_errno(err, e ? e : errno, "write a file in %s", p->folder);
        else
            done += (size_t)put;
    }
    if (st)
        return st;
    s->in_file += s->buf.len;
    takc_buf_reset(&s->buf);
    return TAKC_OK;
}

/* Up to n bytes (n > 0) of a spill, from the file first. */
static enum takc_status read_spill(const struct takc_spill *s, uint64_t at, void *to, size_t n, size_t *got, struct takc_err *err)
{
    if (at >= s->in_file) {
        struct takc_str rest = takc_str_slice(takc_buf_str(&s->buf), (size_t)(at - s->in_file), s->buf.len);
        *got = n < rest.len ? n : rest.len;
        if (*got)
            memcpy(to, rest.ptr, *got);
        return TAKC_OK;
    }
    if (n > s->in_file - at)
        n = (size_t)(s->in_file - at);
    int e = takc_fault_hit(TAKC_FAULT_READ);
    ssize_t have;
    do
        have = e ? -1 : pread(s->fd, to, n, (off_t)at);
    while (have < 0 && !e && errno == EINTR);
    if (have <= 0)
        return takc_fail_errno(err, have == 0 ? EIO : e ? e : errno, "read back");
    *got = (size_t)have;
    return TAKC_OK;
}

static enum takc_status read_pieces(struct takc_source *source, void *to, size_t n, size_t *got, struct takc_err *err)
{
    struct takc_pieces_source *r = (struct takc_pieces_source *)(void *)source;
    *got = 0;
    while (r->i < r->pieces->n && r->at == takc_spill_len(&r->pieces->piece[r->i])) {
        r->i++;
        r->at = 0;
    }
    if (r->i == r->pieces->n)
        return TAKC_OK;
    enum takc_status st = read_spill(&r->pieces->piece[r->i], r->at, to, n, got, err);
    if (!st)
        r->at += *got;
    return st;
}

struct takc_pieces_source takc_pieces_read(const struct takc_pieces *p)
{
    return (struct takc_pieces_source){.source = {.read = read_pieces}, .pieces = p};
}

enum takc_status takc_pieces_join(struct takc_pieces *p, struct takc_buf *out, struct takc_err *err)
{
    size_t before = out->len;
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < p->n; i++) {
        struct takc_spill *s = &p->piece[i];
        uint64_t len = takc_spill_len(s);
        st = takc_buf_reserve(out, (size_t)len, err);
        for (uint64_t at = 0; !st && at < len;) {
            size_t got;
            st = read_spill(s, at, out->ptr + out->len, (size_t)(len - at), &got, err);
            if (!st) {
                out->len += got;
                at += got;
            }
        }
        spill_clear(s);
    }
    if (st)
        out->len = before;
    if (out->ptr)
        out->ptr[out->len] = '\0';
    return st;
}
