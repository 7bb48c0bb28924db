/* SPDX-License-Identifier: Apache-2.0
 *
 * stream.c - streams over memory. */
#include "base/stream.h"

static enum takc_status read_str(struct takc_source *s, void *p, size_t n, size_t *got, struct takc_err *err)
{
    (void)err;
    *got = n < s->rest.len ? n : s->rest.len;
    if (*got)
        memcpy(p, s->rest.ptr, *got);
    s->rest = takc_str_slice(s->rest, *got, s->rest.len);
    return TAKC_OK;
}

static enum takc_status write_buf(struct takc_sink *s, struct takc_str bytes, struct takc_err *err)
{
    return takc_buf_add(s->buf, bytes, err);
}

struct takc_source takc_source_str(struct takc_str bytes)
{
    return (struct takc_source){read_str, bytes};
}

struct takc_sink takc_sink_buf(struct takc_buf *buf)
{
    return (struct takc_sink){write_buf, buf};
}
