/* SPDX-License-Identifier: Apache-2.0
 *
 * base/stream.h - where bytes come from and go to, a piece at a time. Threads: one at a time. */
#ifndef TAKC_BASE_STREAM_H
#define TAKC_BASE_STREAM_H

#include "base/buf.h"

struct takc_source {
    /* Reads up to n bytes (n > 0) to p; *got 0 at the end. */
    enum takc_status (*read)(struct takc_source *, void *p, size_t n, size_t *got, struct takc_err *);
    struct takc_str rest; /* takc_source_str's state */
};

struct takc_sink {
    enum takc_status (*write)(struct takc_sink *, struct takc_str bytes, struct takc_err *);
    struct takc_buf *buf; /* takc_sink_buf's target */
};

/* A source that gives these bytes, which outlive it. Never fails. */
struct takc_source takc_source_str(struct takc_str bytes);
/* A sink that appends to a buffer, which outlives it; fails as takc_buf_add does. */
struct takc_sink takc_sink_buf(struct takc_buf *buf);

#endif
