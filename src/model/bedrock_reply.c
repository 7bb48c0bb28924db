/* SPDX-License-Identifier: Apache-2.0
 *
 * bedrock_reply.c - good replies, whole or as frames of events. What the service adds (padding, traces, reasoning) is not looked at; what
 * must be there and is not makes the answer one that is none. */
#include "base/base64.h"
#include "model/bedrock_parts.h"

void takc_bedrock_stop(struct takc_str reason, struct takc_model_reply *out)
{
    static const struct {
        const char *name;
        enum takc_stop stop;
    } names[] = {{"end_turn", TAKC_STOP_END},
                 {"stop", TAKC_STOP_END},
                 {"FINISH", TAKC_STOP_END},
                 {"FINISHED", TAKC_STOP_END},
                 {"max_tokens", TAKC_STOP_LENGTH},
                 {"length", TAKC_STOP_LENGTH},
                 {"LENGTH", TAKC_STOP_LENGTH},
                 {"model_context_window_exceeded", TAKC_STOP_LENGTH},
                 {"stop_sequence", TAKC_STOP_SEQUENCE},
                 {"STOP_CRITERIA_MET", TAKC_STOP_SEQUENCE},
                 {"guardrail_intervened", TAKC_STOP_BLOCKED},
                 {"content_filtered", TAKC_STOP_BLOCKED},
                 {"CONTENT_FILTERED", TAKC_STOP_BLOCKED},
                 {"refusal", TAKC_STOP_BLOCKED}};
    if (!reason.len || out->stop)
        return;
    out->stop = TAKC_STOP_OTHER;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (takc_str_is(reason, names[i].name))
            out->stop = names[i].stop;
    if (out->stop == TAKC_STOP_OTHER || out->stop == TAKC_STOP_BLOCKED)
        takc_model_note(out, "the answer ended by %.*s", (int)(reason.len < 64 ? reason.len : 64), reason.ptr);
}

void takc_bedrock_usage(const json_t *usage, struct takc_model_reply *out)
{
    uint64_t input, output, read = 0, write = 0;
    if (takc_json_get_u64(usage, "inputTokens", &input, NULL) || takc_json_get_u64(usage, "outputTokens", &output, NULL))
        return;
    if (takc_json_get_u64(usage, "cacheReadInputTokens", &read, NULL)) /* InvokeModel of Nova: ...Count */
        (void)!takc_json_get_u64(usage, "cacheReadInputTokenCount", &read, NULL);
    if (takc_json_get_u64(usage, "cacheWriteInputTokens", &write, NULL))
        (void)!takc_json_get_u64(usage, "cacheWriteInputTokenCount", &write, NULL);
    out->usage = (struct takc_usage){.input = input, .output = output, .cache_read = read, .cache_write = write};
}

static enum takc_status parse(struct takc_str text, const char *what, json_t **out, struct takc_model_reply *reply, struct takc_err *err)
{
    struct takc_err why = {0};
    enum takc_status st = takc_json_parse(text, out, &why);
    if (st == TAKC_NOMEM)
        return takc_fail(err, st, 0, "%s", why.msg);
    if (!st && json_is_object(*out))
        return TAKC_OK;
    if (!st)
        json_decref(*out);
    *out = NULL;
    return takc_model_fail(reply, TAKC_FAILURE_GARBLED, err, "%s is no JSON object%s%s", what, st ? ": " : "", st ? why.msg : "");
}

static enum takc_status read_converse(const json_t *root, struct takc_model_reply *out, struct takc_err *err)
{
    const json_t *message = json_object_get(json_object_get(root, "output"), "message"), *list = json_object_get(message, "content");
    if (!json_is_array(list))
        return takc_model_fail(out, TAKC_FAILURE_GARBLED, err, "the answer has no message");
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < json_array_size(list); i++)
        st = takc_buf_add(&out->text, takc_json_get_str(json_array_get(list, i), "text"), err);
    takc_bedrock_stop(takc_json_get_str(root, "stopReason"), out);
    takc_bedrock_usage(json_object_get(root, "usage"), out);
    return st;
}

enum takc_status takc_bedrock_read(struct takc_str body, enum takc_bedrock_form form, struct takc_model_reply *out, struct takc_err *err)
{
    json_t *root = NULL;
    enum takc_status st = parse(body, "the answer", &root, out, err);
    if (st)
        return st;
    st = form == TAKC_BEDROCK_CONVERSE ? read_converse(root, out, err) : takc_bedrock_read_invoke(root, form, out, err);
    json_decref(root);
    if (!st && !out->stop)
        st = takc_model_fail(out, TAKC_FAILURE_GARBLED, err, "the answer does not say why it ended");
    return st;
}

/* --- streams --- */

void takc_bedrock_stream_clear(struct takc_bedrock_stream *s)
{
    takc_event_stream_clear(&s->frames);
}

/* What was added to the text since from goes on to whoever takes it. */
static enum takc_status hand_on(struct takc_bedrock_stream *s, size_t from, struct takc_err *err)
{
    struct takc_model_reply *r = s->reply;
    if (r->text.len == from)
        return TAKC_OK;
    if (from == 0)
        r->first_token_ms = (s->clock->mono_ns(s->clock) - s->from_ns) / 1000000u;
    if (s->delta)
        s->delta_status = s->delta(s->arg, takc_str_slice(takc_buf_str(&r->text), from, r->text.len), err);
    return s->delta_status;
}

static enum takc_status read_converse_event(struct takc_bedrock_stream *s, struct takc_str type, const json_t *o, struct takc_err *err)
{
    if (takc_str_is(type, "contentBlockDelta"))
        return takc_buf_add(&s->reply->text, takc_json_get_str(json_object_get(o, "delta"), "text"), err);
    if (takc_str_is(type, "messageStop"))
        takc_bedrock_stop(takc_json_get_str(o, "stopReason"), s->reply);
    if (takc_str_is(type, "metadata"))
        takc_bedrock_usage(json_object_get(o, "usage"), s->reply);
    return TAKC_OK;
}

/* {"bytes": BASE64 of the model's own JSON}. */
static enum takc_status read_chunk(struct takc_bedrock_stream *s, const json_t *o, struct takc_err *err)
{
    struct takc_str text = takc_json_get_str(o, "bytes");
    struct takc_buf bytes;
    json_t *root = NULL;
    takc_buf_init(&bytes, TAKC_EVENT_BYTES_MAX);
    enum takc_status st = takc_base64_decode(&bytes, text, err);
    if (st == TAKC_INVALID)
        st = takc_model_fail(s->reply, TAKC_FAILURE_GARBLED, err, "a chunk of the stream is no base64");
    st = st ? st : parse(takc_buf_str(&bytes), "a chunk of the stream", &root, s->reply, err);
    st = st ? st : takc_bedrock_read_invoke(root, s->form, s->reply, err);
    json_decref(root);
    takc_buf_clear(&bytes);
    return st;
}

static enum takc_status read_event(struct takc_bedrock_stream *s, struct takc_str type, struct takc_str payload, struct takc_err *err)
{
    json_t *o = NULL;
    size_t from = s->reply->text.len;
    enum takc_status st = parse(payload, "an event of the stream", &o, s->reply, err);
    if (st)
        return st;
    if (s->form == TAKC_BEDROCK_CONVERSE)
        st = read_converse_event(s, type, o, err);
    else if (takc_str_is(type, "chunk"))
        st = read_chunk(s, o, err);
    json_decref(o);
    return st ? st : hand_on(s, from, err);
}

static enum takc_status on_event(void *arg, const struct takc_event *e, struct takc_err *err)
{
    struct takc_bedrock_stream *s = arg;
    struct takc_str kind = takc_event_header(e, ":message-type");
    if (takc_str_is(kind, "event"))
        return read_event(s, takc_event_header(e, ":event-type"), e->payload, err);
    if (takc_str_is(kind, "exception"))
        return takc_err_prefix(err, takc_bedrock_refusal(takc_event_header(e, ":exception-type"), e->payload, s->secret, s->reply, err),
                               "in the stream");
    if (!takc_str_is(kind, "error"))
        return takc_model_fail(s->reply, TAKC_FAILURE_GARBLED, err, "a frame of the stream has no type");
    return takc_err_prefix(
        err, takc_bedrock_refusal(takc_event_header(e, ":error-code"), takc_event_header(e, ":error-message"), s->secret, s->reply, err),
        "in the stream");
}

void takc_bedrock_stream_init(struct takc_bedrock_stream *s, enum takc_bedrock_form form, struct takc_model_reply *reply,
                              takc_model_delta_fn *delta, void *arg, const struct takc_clock *clock)
{
    *s = (struct takc_bedrock_stream){.form = form, .reply = reply, .delta = delta, .arg = arg, .clock = takc_clock_or_system(clock)};
    s->from_ns = s->clock->mono_ns(s->clock);
    takc_event_stream_init(&s->frames, on_event, s);
}

enum takc_status takc_bedrock_stream_feed(struct takc_bedrock_stream *s, struct takc_str piece, struct takc_err *err)
{
    struct takc_err why = {0};
    enum takc_status st = takc_event_stream_feed(&s->frames, piece, &why);
    if (st && !s->delta_status && !s->reply->failure && st == TAKC_CORRUPT)
        return takc_model_fail(s->reply, TAKC_FAILURE_GARBLED, err, "%s", why.msg);
    return st ? takc_fail(err, st, why.detail, "%s", why.msg) : TAKC_OK;
}

enum takc_status takc_bedrock_stream_end(struct takc_bedrock_stream *s, struct takc_err *err)
{
    if (takc_event_stream_end(&s->frames, NULL))
        return takc_model_fail(s->reply, TAKC_FAILURE_CONNECTION, err, "the stream ended inside a frame");
    if (!s->reply->stop)
        return takc_model_fail(s->reply, TAKC_FAILURE_CONNECTION, err, "the stream ended before the answer did");
    return TAKC_OK;
}

/* --- guardrails --- */

void takc_guard_result_clear(struct takc_guard_result *r)
{
    takc_buf_clear(&r->text);
    takc_buf_clear(&r->found);
}

/* Policies and what they call their findings. */
static const struct {
    const char *policy, *list, *name, *kind;
} policies[] = {{"topicPolicy", "topics", "name", "topic"},
                {"contentPolicy", "filters", "type", "content"},
                {"wordPolicy", "customWords", "match", "word"},
                {"wordPolicy", "managedWordLists", "type", "words"},
                {"sensitiveInformationPolicy", "piiEntities", "type", "pii"},
                {"sensitiveInformationPolicy", "regexes", "name", "regex"},
                {"contextualGroundingPolicy", "filters", "type", "grounding"}};

static enum takc_status read_assessment(const json_t *a, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
        const json_t *list = json_object_get(json_object_get(a, policies[i].policy), policies[i].list);
        for (size_t k = 0; !st && k < json_array_size(list); k++) {
            const json_t *f = json_array_get(list, k);
            struct takc_str name = takc_json_get_str(f, policies[i].name), action = takc_json_get_str(f, "action");
            if (strcmp(policies[i].kind, "word") == 0) /* the word itself is text of the user's: not to be told on */
                name = takc_str("custom");
            st = takc_buf_printf(out, err, "%s %.*s %.*s\n", policies[i].kind, TAKC_STR_ARG(name), TAKC_STR_ARG(action));
        }
    }
    return st;
}

enum takc_status takc_bedrock_read_guard(struct takc_str body, struct takc_guard_result *out, struct takc_err *err)
{
    json_t *root = NULL;
    if (takc_json_parse(body, &root, NULL))
        return takc_fail(err, TAKC_UPSTREAM, 0, "the guardrail's answer is no JSON");
    struct takc_str action = takc_json_get_str(root, "action");
    const json_t *outputs = json_object_get(root, "outputs"), *found = json_object_get(root, "assessments");
    enum takc_status st = TAKC_OK;
    out->blocked = takc_str_is(action, "GUARDRAIL_INTERVENED");
    if (!out->blocked && !takc_str_is(action, "NONE"))
        st = takc_fail(err, TAKC_UPSTREAM, 0, "the guardrail's answer names no action");
    for (size_t i = 0; !st && i < json_array_size(outputs); i++)
        st = takc_buf_add(&out->text, takc_json_get_str(json_array_get(outputs, i), "text"), err);
    for (size_t i = 0; !st && i < json_array_size(found); i++)
        st = read_assessment(json_array_get(found, i), &out->found, err);
    json_decref(root);
    return st;
}
