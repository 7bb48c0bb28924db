/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a reply of an OpenAI-compatible server. The first byte says how: a refusal with some status, a whole answer, or a stream,
 * cut into pieces or fed at once, which is the same. A key in it never gets into a message. */
#include "base/alloc.h"
#include "model/openai_parts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define KEY "sk-key"

struct heard {
    struct takc_buf text;
    struct takc_model_reply reply;
    enum takc_status st;
};

static enum takc_status hear(void *arg, struct takc_str text, struct takc_err *err)
{
    return takc_buf_add(arg, text, err);
}

static void check(const struct takc_model_reply *r, enum takc_status st, const struct takc_err *err)
{
    if (!st && (r->failure || !r->stop))
        TAKC_BUG("a good reply without end");
    if (st && (st != takc_failure_status(r->failure) || st != err->status))
        TAKC_BUG("%s with %s: %s", takc_status_name(st), takc_failure_name(r->failure), err->msg);
    if (r->failure == TAKC_FAILURE_PARAMETER && !r->parameter[0])
        TAKC_BUG("a parameter without a name");
    if (st && r->failure != TAKC_FAILURE_GARBLED && strstr(err->msg, KEY)) /* what is no JSON is never quoted */
        TAKC_BUG("the key is in: %s", err->msg);
}

static void hear_stream(struct heard *h, struct takc_str s, size_t piece)
{
    struct takc_openai_stream stream;
    struct takc_err err = {0};
    takc_buf_init(&h->text, 1 << 24);
    takc_model_reply_init(&h->reply);
    takc_openai_stream_init(&stream, &h->reply, hear, &h->text, takc_str(KEY), NULL);
    h->st = TAKC_OK;
    for (size_t at = 0; !h->st && at < s.len; at += piece)
        h->st = takc_openai_stream_feed(&stream, takc_str_slice(s, at, s.len - at < piece ? s.len : at + piece), &err);
    if (!h->st)
        h->st = takc_openai_stream_end(&stream, &err);
    check(&h->reply, h->st, &err);
    takc_openai_stream_clear(&stream);
    if (!takc_str_eq(takc_buf_str(&h->text), takc_buf_str(&h->reply.text)) && !h->st)
        TAKC_BUG("what was handed on is not the text");
}

static void heard_clear(struct heard *h)
{
    takc_buf_clear(&h->text);
    takc_model_reply_clear(&h->reply);
}

static void stream_both_ways(struct takc_str s, size_t piece)
{
    struct heard a, b;
    hear_stream(&a, s, s.len + 1);
    hear_stream(&b, s, piece);
    if (a.st != b.st || a.reply.failure != b.reply.failure || a.reply.stop != b.reply.stop ||
        !takc_str_eq(takc_buf_str(&a.text), takc_buf_str(&b.text)) || a.reply.usage.input != b.reply.usage.input)
        TAKC_BUG("cut into pieces it is another answer");
    heard_clear(&a);
    heard_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {400, 401, 404, 408, 422, 429, 500, 503};
    struct takc_model_reply reply;
    struct takc_err err = {0};
    if (size < 1)
        return 0;
    struct takc_str s = takc_str_n((const char *)data + 1, size - 1);
    unsigned how = data[0] % 3u;
    if (how == 2) {
        stream_both_ways(s, 1 + data[0] / 3u);
        return 0;
    }
    takc_model_reply_init(&reply);
    reply.http = how == 0 ? statuses[data[0] / 3u % 8u] : 200;
    enum takc_status st = how == 0 ? takc_openai_refusal(s, takc_str(KEY), &reply, &err) : takc_openai_read(s, takc_str(KEY), &reply, &err);
    check(&reply, st, &err);
    takc_model_reply_clear(&reply);
    return 0;
}
