/* SPDX-License-Identifier: Apache-2.0
 *
 * Events of a Bedrock stream: every line of the input is the payload of a frame whose type the line's first byte chooses; what was handed
 * on is the text, and the end is told or is a failure. Bytes as frames are event_stream_fuzz's. */
#include "base/alloc.h"
#include "model/bedrock_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum takc_status on_delta(void *arg, struct takc_str text, struct takc_err *err)
{
    return takc_buf_add(arg, text, err);
}

static enum takc_status feed_line(struct takc_bedrock_stream *s, struct takc_str line)
{
    static const char *const kinds[] = {"contentBlockDelta", "messageStop", "metadata", "messageStart", "chunk"};
    struct takc_event e = {.n_headers = 2, .payload = takc_str_slice(line, 1, line.len)};
    unsigned k = (unsigned char)line.ptr[0] % 6;
    struct takc_buf frame;
    takc_buf_init(&frame, 1 << 20);
    e.headers[0] = (struct takc_event_header){takc_str(":message-type"), 7, takc_str(k < 5 ? "event" : "exception")};
    e.headers[1] = (struct takc_event_header){takc_str(k < 5 ? ":event-type" : ":exception-type"), 7,
                                              takc_str(k < 5 ? kinds[k] : "throttlingException")};
    enum takc_status st = takc_event_write(&e, &frame, NULL);
    st = st ? st : takc_bedrock_stream_feed(s, takc_buf_str(&frame), NULL);
    takc_buf_clear(&frame);
    return st;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_model_reply r;
    struct takc_bedrock_stream s;
    struct takc_buf handed;
    if (size < 1)
        return 0;
    struct takc_str rest = takc_str_n((const char *)data + 1, size - 1), line;
    enum takc_status st = TAKC_OK;
    takc_model_reply_init(&r);
    takc_buf_init(&handed, TAKC_BUF_MAX_REPLY);
    takc_bedrock_stream_init(&s, (enum takc_bedrock_form)(TAKC_BEDROCK_CONVERSE + data[0] % TAKC_BEDROCK_NOVA), &r, on_delta, &handed,
                             NULL);
    while (!st && takc_str_split(&rest, '\n', &line))
        st = line.len ? feed_line(&s, line) : TAKC_OK;
    st = st ? st : takc_bedrock_stream_end(&s, NULL);
    if (st ? !r.failure && st != TAKC_NOMEM : r.failure || !r.stop)
        TAKC_BUG("status %d with failure %d and stop %d", st, r.failure, r.stop);
    if (!st && !takc_str_eq(takc_buf_str(&handed), takc_buf_str(&r.text)))
        TAKC_BUG("what was handed on is not the text");
    takc_bedrock_stream_clear(&s);
    takc_buf_clear(&handed);
    takc_model_reply_clear(&r);
    return 0;
}
