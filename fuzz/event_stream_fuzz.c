/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as an event stream, whole and in pieces of the size that the first byte says: the same events, or the same refusal. */
#include "aws/event_stream.h"
#include "base/alloc.h"
#include "base/hash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum takc_status digest(void *arg, const struct takc_event *e, struct takc_err *err)
{
    uint64_t *h = arg;
    (void)err;
    for (size_t i = 0; i < e->n_headers; i++)
        *h = takc_hash64(e->headers[i].value, takc_hash64(e->headers[i].name, *h + e->headers[i].type));
    *h = takc_hash64(e->payload, *h + 1);
    return TAKC_OK;
}

static enum takc_status feed(struct takc_str bytes, size_t step, uint64_t *h)
{
    struct takc_event_stream s;
    enum takc_status st = TAKC_OK;
    *h = 0;
    takc_event_stream_init(&s, digest, h);
    for (size_t i = 0; i < bytes.len && !st; i += step)
        st = takc_event_stream_feed(&s, takc_str_slice(bytes, i, i + step < bytes.len ? i + step : bytes.len), NULL);
    st = st ? st : takc_event_stream_end(&s, NULL);
    takc_event_stream_clear(&s);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct takc_str bytes = takc_str_n((const char *)data + 1, size - 1);
    uint64_t whole, pieces;
    enum takc_status a = feed(bytes, bytes.len ? bytes.len : 1, &whole), b = feed(bytes, data[0] ? data[0] : 1, &pieces);
    if (a != b || whole != pieces)
        TAKC_BUG("pieces of %u bytes: %s, whole: %s", data[0], takc_status_name(b), takc_status_name(a));
    return 0;
}
