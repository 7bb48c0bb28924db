/* SPDX-License-Identifier: Apache-2.0
 *
 * openai_reply.c - a good reply, whole or as a stream of chunks. The first choice is read; tools and logprobs are not asked for. What is
 * missing or of another type than it should be is an answer that is none, except usage: then tokens are counted here. */
#include "model/openai_parts.h"

#include <stdio.h>

enum { EVENT_MAX = 8 << 20, WHOLE_MAX = 64 << 20 };

/* "content" as a string, or as a list of parts of which those with text count. */
static enum takc_status add_content(const json_t *content, struct takc_buf *out, struct takc_err *err)
{
    if (json_is_string(content))
        return takc_buf_add(out, takc_str_n(json_string_value(content), json_string_length(content)), err);
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < json_array_size(content); i++)
        st = takc_buf_add(out, takc_json_get_str(json_array_get(content, i), "text"), err);
    return st;
}

static void read_stop(const json_t *choice, struct takc_model_reply *out)
{
    static const struct {
        const char *name;
        enum takc_stop stop;
    } names[] = {{"stop", TAKC_STOP_END},
                 {"eos", TAKC_STOP_END},
                 {"eos_token", TAKC_STOP_END},
                 {"stop_sequence", TAKC_STOP_SEQUENCE},
                 {"length", TAKC_STOP_LENGTH},
                 {"max_tokens", TAKC_STOP_LENGTH},
                 {"content_filter", TAKC_STOP_BLOCKED}};
    struct takc_str reason = takc_json_get_str(choice, "finish_reason");
    if (reason.len == 0)
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (takc_str_is(reason, names[i].name))
            out->stop = names[i].stop;
    if (out->stop == TAKC_STOP_END && json_is_string(json_object_get(choice, "stop_reason"))) /* vLLM: which sequence it was */
        out->stop = TAKC_STOP_SEQUENCE;
    if (out->stop)
        return;
    out->stop = TAKC_STOP_OTHER;
    takc_model_note(out, "the answer ended for a reason of the service's own: %.*s", (int)(reason.len < 64 ? reason.len : 64), reason.ptr);
}

static void read_usage(const json_t *root, struct takc_model_reply *out)
{
    const json_t *usage = json_object_get(root, "usage"), *details = json_object_get(usage, "prompt_tokens_details");
    uint64_t prompt, completion, cached = 0;
    if (takc_json_get_u64(usage, "prompt_tokens", &prompt, NULL) || takc_json_get_u64(usage, "completion_tokens", &completion, NULL))
        return;
    if (takc_json_get_u64(details, "cached_tokens", &cached, NULL) || cached > prompt)
        cached = 0;
    out->usage = (struct takc_usage){.input = prompt - cached, .output = completion, .cache_read = cached};
}

static void read_names(const json_t *root, struct takc_model_reply *out)
{
    struct takc_str model = takc_json_get_str(root, "model"), id = takc_json_get_str(root, "id");
    if (model.len)
        (void)snprintf(out->model, sizeof(out->model), "%.*s", TAKC_STR_ARG(model));
    if (!out->request_id[0] && id.len)
        (void)snprintf(out->request_id, sizeof(out->request_id), "%.*s", TAKC_STR_ARG(id));
}

static enum takc_status read_message(const json_t *root, struct takc_model_reply *out, struct takc_err *err)
{
    const json_t *choice = json_array_get(json_object_get(root, "choices"), 0), *message = json_object_get(choice, "message");
    if (!json_is_object(message))
        return takc_model_fail(out, TAKC_FAILURE_GARBLED, err, "the answer has no choices with a message");
    enum takc_status st = add_content(json_object_get(message, "content"), &out->text, err);
    if (!st && out->text.len == 0)
        st = takc_buf_add(&out->text, takc_json_get_str(message, "refusal"), err);
    read_stop(choice, out);
    if (!st && !out->stop) {
        out->stop = TAKC_STOP_OTHER;
        takc_model_note(out, "the answer does not say why it ended");
    }
    return st;
}

static enum takc_status read_root(const json_t *root, struct takc_str key, struct takc_model_reply *out, struct takc_err *err)
{
    const json_t *error = json_object_get(root, "error");
    if (error && !json_is_null(error))
        return takc_openai_error_in(root, key, out, err);
    read_names(root, out);
    read_usage(root, out);
    return read_message(root, out, err);
}

static enum takc_status parse(struct takc_str text, const char *what, json_t **out, struct takc_model_reply *reply, struct takc_err *err)
{
    struct takc_err why = {0};
    enum takc_status st = takc_json_parse(text, out, &why);
    if (st == TAKC_NOMEM)
        return takc_fail(err, st, 0, "%s", why.msg);
    if (st || !json_is_object(*out)) {
        json_decref(st ? NULL : *out);
        return takc_model_fail(reply, TAKC_FAILURE_GARBLED, err, "%s is no JSON object%s%s", what, st ? ": " : "", st ? why.msg : "");
    }
    return TAKC_OK;
}

enum takc_status takc_openai_read(struct takc_str body, struct takc_str key, struct takc_model_reply *out, struct takc_err *err)
{
    json_t *root = NULL;
    enum takc_status st = parse(body, "the answer", &root, out, err);
    if (st)
        return st;
    st = read_root(root, key, out, err);
    json_decref(root);
    return st;
}

/* --- streams --- */

static enum takc_status hand_on(struct takc_openai_stream *s, struct takc_str text, struct takc_err *err)
{
    if (!s->delta || text.len == 0)
        return TAKC_OK;
    s->delta_status = s->delta(s->arg, text, err);
    return s->delta_status;
}

static enum takc_status read_delta(struct takc_openai_stream *s, const json_t *choice, struct takc_err *err)
{
    const json_t *delta = json_object_get(choice, "delta");
    size_t from = s->reply->text.len;
    enum takc_status st = add_content(json_object_get(delta, "content"), &s->reply->text, err);
    if (!st)
        st = add_content(json_object_get(delta, "refusal"), &s->reply->text, err);
    if (!st && from == 0 && s->reply->text.len)
        s->reply->first_token_ms = (s->clock->mono_ns(s->clock) - s->from_ns) / 1000000u;
    if (!st)
        st = hand_on(s, takc_str_slice(takc_buf_str(&s->reply->text), from, s->reply->text.len), err);
    if (!st)
        read_stop(choice, s->reply);
    return st;
}

static enum takc_status read_chunk(struct takc_openai_stream *s, const json_t *root, struct takc_err *err)
{
    const json_t *error = json_object_get(root, "error"), *choice = json_array_get(json_object_get(root, "choices"), 0);
    if (error && !json_is_null(error))
        return takc_err_prefix(err, takc_openai_error_in(root, s->key, s->reply, err), "in the stream");
    read_names(root, s->reply);
    read_usage(root, s->reply);
    return choice && !s->reply->stop ? read_delta(s, choice, err) : TAKC_OK;
}

static enum takc_status on_event(void *arg, struct takc_str event, struct takc_str data, struct takc_err *err)
{
    struct takc_openai_stream *s = arg;
    json_t *root = NULL;
    if (s->done || data.len == 0)
        return TAKC_OK;
    if (takc_str_is(takc_str_trim(data), "[DONE]")) {
        s->done = true;
        return TAKC_OK;
    }
    enum takc_status st = parse(data, "an event of the stream", &root, s->reply, err);
    if (st)
        return st;
    if (takc_str_is(event, "error") && !json_object_get(root, "error"))
        st = takc_err_prefix(err, takc_openai_error_in(root, s->key, s->reply, err), "in the stream");
    else
        st = read_chunk(s, root, err);
    json_decref(root);
    return st;
}

void takc_openai_stream_init(struct takc_openai_stream *s, struct takc_model_reply *reply, takc_model_delta_fn *delta, void *arg,
                             struct takc_str key, const struct takc_clock *clock)
{
    *s = (struct takc_openai_stream){.reply = reply, .delta = delta, .arg = arg, .key = key, .clock = takc_clock_or_system(clock)};
    s->from_ns = s->clock->mono_ns(s->clock);
    takc_sse_init(&s->sse, EVENT_MAX, on_event, s);
    takc_buf_init(&s->whole, WHOLE_MAX);
}

void takc_openai_stream_clear(struct takc_openai_stream *s)
{
    takc_sse_clear(&s->sse);
    takc_buf_clear(&s->whole);
}

/* A garbled frame of the stream itself has no failure yet. */
static enum takc_status name_failure(struct takc_openai_stream *s, enum takc_status st)
{
    if (st == TAKC_UPSTREAM && !s->delta_status && !s->reply->failure)
        s->reply->failure = TAKC_FAILURE_GARBLED;
    return st;
}

enum takc_status takc_openai_stream_feed(struct takc_openai_stream *s, struct takc_str piece, struct takc_err *err)
{
    for (size_t i = 0; !s->begun && i < piece.len; i++) { /* a stream never begins with a brace */
        if (strchr(" \t\r\n", piece.ptr[i]) && piece.ptr[i])
            continue;
        s->begun = true;
        s->is_whole = piece.ptr[i] == '{';
    }
    if (!s->is_whole)
        return name_failure(s, takc_sse_feed(&s->sse, piece, err));
    enum takc_status st = takc_buf_add(&s->whole, piece, err);
    return st == TAKC_INVALID ? takc_model_fail(s->reply, TAKC_FAILURE_GARBLED, err, "an answer of more than %d bytes", (int)WHOLE_MAX)
                              : st;
}

static enum takc_status end_whole(struct takc_openai_stream *s, struct takc_err *err)
{
    enum takc_status st = takc_openai_read(takc_buf_str(&s->whole), s->key, s->reply, err);
    if (!st)
        takc_model_note(s->reply, "the service does not stream: the answer came at once");
    return st ? st : hand_on(s, takc_buf_str(&s->reply->text), err);
}

enum takc_status takc_openai_stream_end(struct takc_openai_stream *s, struct takc_err *err)
{
    if (s->is_whole)
        return end_whole(s, err);
    if (s->done && !s->reply->stop && s->reply->text.len) {
        s->reply->stop = TAKC_STOP_OTHER;
        takc_model_note(s->reply, "the answer does not say why it ended");
    }
    if (s->done && !s->reply->stop)
        return takc_model_fail(s->reply, TAKC_FAILURE_GARBLED, err, "the stream is over without an answer");
    if (!s->reply->stop)
        return takc_model_fail(s->reply, TAKC_FAILURE_CONNECTION, err, "the stream ended before the answer did");
    if (!s->done)
        takc_model_note(s->reply, "the stream ended without its last word");
    return TAKC_OK;
}
