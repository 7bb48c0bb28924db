/* SPDX-License-Identifier: Apache-2.0
 *
 * net/sse.h - server-sent events out of bytes that come in pieces (WHATWG HTML, section 9.2): event and data of each, several data lines
 * joined by '\n', comments left out, CR, LF and CRLF all end a line, a byte order mark at the start is skipped. An event that the end of
 * the stream cuts off is dropped, as the standard has it; takc_sse_end says whether there was one. Threads: one at a time. */
#ifndef TAKC_NET_SSE_H
#define TAKC_NET_SSE_H

#include "base/buf.h"

/* event is "message" where none was given. Views live until the callback returns. Anything but OK stops feeding with that status. */
typedef enum takc_status takc_sse_fn(void *arg, struct takc_str event, struct takc_str data, struct takc_err *err);

struct takc_sse {
    struct takc_buf line, data, event;
    bool started, after_cr, has_data;
    takc_sse_fn *each;
    void *arg;
};
/* max_event: bytes of one event; more is UPSTREAM. */
void takc_sse_init(struct takc_sse *s, size_t max_event, takc_sse_fn *each, void *arg);
void takc_sse_clear(struct takc_sse *s);
TAKC_CHECK enum takc_status takc_sse_feed(struct takc_sse *s, struct takc_str piece, struct takc_err *err);
/* UPSTREAM when the stream ended inside an event. */
TAKC_CHECK enum takc_status takc_sse_end(struct takc_sse *s, struct takc_err *err);

#endif
