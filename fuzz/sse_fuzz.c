/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a stream of events: cut into pieces by the first byte or fed whole, the events are the same. */
#include "base/alloc.h"
#include "net/sse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EVENT_MAX = 256 };

static enum takc_status note(void *arg, struct takc_str event, struct takc_str data, struct takc_err *err)
{
    if (event.len == 0 || event.len > EVENT_MAX || data.len > EVENT_MAX)
        TAKC_BUG("an event of %zu and %zu bytes", event.len, data.len);
    enum takc_status st = takc_buf_le(arg, event.len, 4, err);
    st = st ? st : takc_buf_add(arg, event, err);
    st = st ? st : takc_buf_le(arg, data.len, 4, err);
    return st ? st : takc_buf_add(arg, data, err);
}

/* The events of s in out; how it ended. */
static enum takc_status run(struct takc_str s, size_t piece, struct takc_buf *out, enum takc_status *out_end)
{
    struct takc_sse sse;
    enum takc_status st = TAKC_OK;
    takc_sse_init(&sse, EVENT_MAX, note, out);
    for (size_t at = 0; !st && at < s.len; at += piece)
        st = takc_sse_feed(&sse, takc_str_slice(s, at, s.len - at < piece ? s.len : at + piece), NULL);
    *out_end = takc_sse_end(&sse, NULL);
    takc_sse_clear(&sse);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_buf whole, cut;
    enum takc_status whole_end, cut_end;
    if (size < 1)
        return 0;
    struct takc_str s = takc_str_n((const char *)data + 1, size - 1);
    takc_buf_init(&whole, 16 * size + 64);
    takc_buf_init(&cut, 16 * size + 64);
    enum takc_status a = run(s, size, &whole, &whole_end), b = run(s, 1 + data[0] % 9u, &cut, &cut_end);
    if (a != b || (a && a != TAKC_UPSTREAM) || (!a && whole_end != cut_end) || !takc_str_eq(takc_buf_str(&whole), takc_buf_str(&cut)))
        TAKC_BUG("cut into pieces it is another stream");
    takc_buf_clear(&whole);
    takc_buf_clear(&cut);
    return 0;
}
