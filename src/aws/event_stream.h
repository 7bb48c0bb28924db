/* SPDX-License-Identifier: Apache-2.0
 *
 * aws/event_stream.h - frames of application/vnd.amazon.eventstream out of bytes that come in pieces, and back.
 *
 *   u32 total length, u32 length of headers, u32 CRC-32 of these eight bytes, headers, payload, u32 CRC-32 of all before (all big-endian);
 *   header: u8 length of name, name, u8 type, value (bool true 0, bool false 1, byte 2, short 3, int 4, long 5, bytes 6, string 7,
 *   timestamp 8, uuid 9)
 * Both checksums are compared before anything of a frame is used. Threads: one at a time. */
#ifndef TAKC_AWS_EVENT_STREAM_H
#define TAKC_AWS_EVENT_STREAM_H

#include "base/buf.h"

enum { TAKC_EVENT_HEADERS_MAX = 32, TAKC_EVENT_BYTES_MAX = 24 << 20 }; /* the format's own limits: 128 KiB of headers, 24 MiB of payload */

struct takc_event_header {
    struct takc_str name;
    uint8_t type;
    struct takc_str value; /* bytes of the value; strings and byte arrays without their length */
};
struct takc_event { /* views live until the callback returns */
    struct takc_event_header headers[TAKC_EVENT_HEADERS_MAX];
    size_t n_headers;
    struct takc_str payload;
};
/* The string header of that name, or the empty view. */
struct takc_str takc_event_header(const struct takc_event *e, const char *name);

typedef enum takc_status takc_event_fn(void *arg, const struct takc_event *e, struct takc_err *err);
struct takc_event_stream {
    struct takc_buf buf;
    uint64_t at; /* bytes of frames that are done, for messages */
    takc_event_fn *each;
    void *arg;
};
void takc_event_stream_init(struct takc_event_stream *s, takc_event_fn *each, void *arg);
void takc_event_stream_clear(struct takc_event_stream *s);
/* Calls each for every whole frame. CORRUPT with the byte position: a checksum, a length, a header; each's own status. */
TAKC_CHECK enum takc_status takc_event_stream_feed(struct takc_event_stream *s, struct takc_str piece, struct takc_err *err);
/* CORRUPT when the stream ended inside a frame. */
TAKC_CHECK enum takc_status takc_event_stream_end(struct takc_event_stream *s, struct takc_err *err);
/* Appends one frame; what tests and stand-ins send. */
TAKC_CHECK enum takc_status takc_event_write(const struct takc_event *e, struct takc_buf *out, struct takc_err *err);

#endif
