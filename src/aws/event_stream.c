/* SPDX-License-Identifier: Apache-2.0
 *
 * event_stream.c - frames in and out (event_stream.h). A frame is used only when it is whole and both checksums agree; lengths are checked
 * as soon as the first twelve bytes are there, so that a hostile one reserves nothing. */
#include "aws/event_stream.h"

#include <zlib.h>

enum {
    PRELUDE_BYTES = 12,
    TAIL_BYTES = 4,
    HEADER_BYTES_MAX = 128 << 10,
    FRAME_BYTES_MIN = PRELUDE_BYTES + TAIL_BYTES,
    FRAME_BYTES_MAX = FRAME_BYTES_MIN + HEADER_BYTES_MAX + TAKC_EVENT_BYTES_MAX
};

enum header_type { TYPE_TRUE = 0, TYPE_FALSE, TYPE_BYTE, TYPE_SHORT, TYPE_INT, TYPE_LONG, TYPE_BYTES, TYPE_STRING, TYPE_TIME, TYPE_UUID };

/* Bytes of a value by type; -1: two bytes of length stand in front. */
static const int value_bytes[] = {[TYPE_TRUE] = 0, [TYPE_FALSE] = 0,  [TYPE_BYTE] = 1,    [TYPE_SHORT] = 2, [TYPE_INT] = 4,
                                  [TYPE_LONG] = 8, [TYPE_BYTES] = -1, [TYPE_STRING] = -1, [TYPE_TIME] = 8,  [TYPE_UUID] = 16};

static uint32_t big_endian(const char *p, unsigned n)
{
    uint32_t v = 0;
    for (unsigned i = 0; i < n; i++)
        v = v << 8 | (unsigned char)p[i];
    return v;
}

static uint32_t checksum(const char *p, size_t n)
{
    return (uint32_t)crc32(0, (const unsigned char *)p, (unsigned)n);
}

struct takc_str takc_event_header(const struct takc_event *e, const char *name)
{
    for (size_t i = 0; i < e->n_headers; i++)
        if (e->headers[i].type == TYPE_STRING && takc_str_is(e->headers[i].name, name))
            return e->headers[i].value;
    return takc_str_n("", 0);
}

void takc_event_stream_init(struct takc_event_stream *s, takc_event_fn *each, void *arg)
{
    *s = (struct takc_event_stream){.each = each, .arg = arg};
    takc_buf_init(&s->buf, FRAME_BYTES_MAX);
}

void takc_event_stream_clear(struct takc_event_stream *s)
{
    takc_buf_clear(&s->buf);
}

static enum takc_status bad(const struct takc_event_stream *s, size_t at, const char *what, struct takc_err *err)
{
    uint64_t place = s->at + at;
    return takc_fail(err, TAKC_CORRUPT, place > INT32_MAX ? INT32_MAX : (int)place, "event stream: byte %llu: %s",
                     (unsigned long long)place, what);
}

/* One header at *at of the frame; the headers end at end. */
static enum takc_status read_header(const struct takc_event_stream *s, const char *frame, size_t end, size_t *at,
                                    struct takc_event_header *h, struct takc_err *err)
{
    size_t p = *at, n = (unsigned char)frame[p++];
    if (n == 0 || end - p < n + 1)
        return bad(s, p - 1, "name of a header does not fit", err);
    h->name = takc_str_n(frame + p, n);
    p += n;
    h->type = (unsigned char)frame[p++];
    if (h->type > TYPE_UUID)
        return bad(s, p - 1, "a header of no known type", err);
    int len = value_bytes[h->type];
    if (len < 0) {
        if (end - p < 2)
            return bad(s, p, "value of a header does not fit", err);
        len = (int)big_endian(frame + p, 2);
        p += 2;
    }
    if (end - p < (size_t)len)
        return bad(s, p, "value of a header does not fit", err);
    h->value = takc_str_n(frame + p, (size_t)len);
    *at = p + (size_t)len;
    return TAKC_OK;
}

/* A whole frame of total bytes whose prelude has been checked. */
static enum takc_status read_frame(struct takc_event_stream *s, const char *frame, size_t total, struct takc_err *err)
{
    struct takc_event e = {.n_headers = 0};
    size_t at = PRELUDE_BYTES, end = PRELUDE_BYTES + big_endian(frame + 4, 4);
    if (checksum(frame, total - TAIL_BYTES) != big_endian(frame + total - TAIL_BYTES, 4))
        return bad(s, total - TAIL_BYTES, "checksum of the frame is wrong", err);
    while (at < end) {
        if (e.n_headers == TAKC_EVENT_HEADERS_MAX)
            return bad(s, at, "too many headers", err);
        enum takc_status st = read_header(s, frame, end, &at, &e.headers[e.n_headers], err);
        if (st)
            return st;
        e.n_headers++;
    }
    e.payload = takc_str_n(frame + end, total - TAIL_BYTES - end);
    return s->each(s->arg, &e, err);
}

/* The length of the frame at p, whose prelude is there. */
static enum takc_status read_prelude(const struct takc_event_stream *s, const char *p, size_t *total, struct takc_err *err)
{
    uint32_t all = big_endian(p, 4), headers = big_endian(p + 4, 4);
    if (checksum(p, 8) != big_endian(p + 8, 4))
        return bad(s, 8, "checksum of the lengths is wrong", err);
    if (headers > HEADER_BYTES_MAX || all < FRAME_BYTES_MIN || headers > all - FRAME_BYTES_MIN)
        return bad(s, 0, "lengths that cannot be", err);
    if (all - FRAME_BYTES_MIN - headers > TAKC_EVENT_BYTES_MAX)
        return bad(s, 0, "payload over 24 MiB", err);
    *total = all;
    return TAKC_OK;
}

/* Every whole frame of bytes; *used says how far they went. */
static enum takc_status read_frames(struct takc_event_stream *s, struct takc_str bytes, size_t *used, struct takc_err *err)
{
    *used = 0;
    while (bytes.len - *used >= PRELUDE_BYTES) {
        size_t total;
        enum takc_status st = read_prelude(s, bytes.ptr + *used, &total, err);
        if (!st && bytes.len - *used < total)
            return TAKC_OK;
        st = st ? st : read_frame(s, bytes.ptr + *used, total, err);
        if (st)
            return st;
        *used += total;
        s->at += total;
    }
    return TAKC_OK;
}

/* Adds what the frame in the buffer lacks, no more: with its prelude known, to its end. */
static enum takc_status fill(struct takc_event_stream *s, struct takc_str *piece, struct takc_err *err)
{
    size_t want = PRELUDE_BYTES;
    if (s->buf.len >= PRELUDE_BYTES) {
        enum takc_status st = read_prelude(s, s->buf.ptr, &want, err);
        if (st)
            return st;
    }
    size_t n = want - s->buf.len < piece->len ? want - s->buf.len : piece->len;
    enum takc_status st = takc_buf_add(&s->buf, takc_str_n(piece->ptr, n), err);
    *piece = st ? *piece : takc_str_slice(*piece, n, piece->len);
    return st;
}

enum takc_status takc_event_stream_feed(struct takc_event_stream *s, struct takc_str piece, struct takc_err *err)
{
    size_t used = 0;
    enum takc_status st = TAKC_OK;
    while (piece.len && !st) {
        if (s->buf.len == 0) { /* whole frames are read where they lie */
            st = read_frames(s, piece, &used, err);
            piece = takc_str_slice(piece, used, piece.len);
            if (st || !piece.len)
                break;
        }
        st = fill(s, &piece, err);
        st = st ? st : read_frames(s, takc_buf_str(&s->buf), &used, err);
        if (!st && used)
            takc_buf_reset(&s->buf); /* fill never takes more than one frame */
    }
    return st;
}

enum takc_status takc_event_stream_end(struct takc_event_stream *s, struct takc_err *err)
{
    return s->buf.len ? bad(s, s->buf.len, "the stream ended inside a frame", err) : TAKC_OK;
}

static enum takc_status write_number(struct takc_buf *out, uint32_t v, unsigned n, struct takc_err *err)
{
    char bytes[4];
    for (unsigned i = 0; i < n; i++)
        bytes[i] = (char)(v >> (8 * (n - 1 - i)));
    return takc_buf_add(out, takc_str_n(bytes, n), err);
}

static enum takc_status write_header(const struct takc_event_header *h, struct takc_buf *out, struct takc_err *err)
{
    if (h->name.len == 0 || h->name.len > 255 || h->type > TYPE_UUID)
        return takc_fail(err, TAKC_INVALID, 0, "event header without a name, or of no known type");
    int len = value_bytes[h->type];
    if (len < 0 ? h->value.len > 32767 : h->value.len != (size_t)len)
        return takc_fail(err, TAKC_INVALID, 0, "event header %.*s with %zu bytes of value", TAKC_STR_ARG(h->name), h->value.len);
    enum takc_status st = write_number(out, (uint32_t)h->name.len, 1, err);
    st = st ? st : takc_buf_add(out, h->name, err);
    st = st ? st : write_number(out, h->type, 1, err);
    if (!st && len < 0)
        st = write_number(out, (uint32_t)h->value.len, 2, err);
    return st ? st : takc_buf_add(out, h->value, err);
}

enum takc_status takc_event_write(const struct takc_event *e, struct takc_buf *out, struct takc_err *err)
{
    struct takc_buf headers;
    size_t from = out->len;
    enum takc_status st = TAKC_OK;
    takc_buf_init(&headers, HEADER_BYTES_MAX);
    if (e->payload.len > TAKC_EVENT_BYTES_MAX || e->n_headers > TAKC_EVENT_HEADERS_MAX)
        st = takc_fail(err, TAKC_INVALID, 0, "event of %zu headers and %zu bytes is too large", e->n_headers, e->payload.len);
    for (size_t i = 0; i < e->n_headers && !st; i++)
        st = write_header(&e->headers[i], &headers, err);
    st = st ? st : write_number(out, (uint32_t)(FRAME_BYTES_MIN + headers.len + e->payload.len), 4, err);
    st = st ? st : write_number(out, (uint32_t)headers.len, 4, err);
    st = st ? st : write_number(out, checksum(out->ptr + from, 8), 4, err);
    st = st ? st : takc_buf_add(out, takc_buf_str(&headers), err);
    st = st ? st : takc_buf_add(out, e->payload, err);
    st = st ? st : write_number(out, checksum(out->ptr + from, out->len - from), 4, err);
    takc_buf_clear(&headers);
    return st;
}
