/* SPDX-License-Identifier: Apache-2.0
 *
 * openai_request.c - a request as the body of chat/completions. Blocks become one string each message: the form that every server takes.
 * Members stand in the same order always, so that a prefix which stays the same keeps a cache warm. */
#include "model/openai_parts.h"

/* A line break stands between blocks, unless one stands there. */
static enum takc_status join(const struct takc_model_block *blocks, size_t n, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < n; i++) {
        if (out->len && out->ptr[out->len - 1] != '\n')
            st = takc_buf_byte(out, '\n', err);
        if (!st)
            st = takc_buf_add(out, blocks[i].text, err);
    }
    return st;
}

static enum takc_status no_memory(struct takc_err *err)
{
    return takc_fail(err, TAKC_NOMEM, 0, "no memory for a request");
}

static enum takc_status add_message(json_t *to, const char *role, const struct takc_model_block *blocks, size_t n, struct takc_err *err)
{
    struct takc_buf text;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = join(blocks, n, &text, err);
    if (!st) {
        json_t *message = json_object();
        bool bad = !message || json_object_set_new(message, "role", json_string(role)) ||
                   json_object_set_new(message, "content", takc_json_str(takc_buf_str(&text)));
        if (bad)
            json_decref(message);
        if (bad || json_array_append_new(to, message))
            st = no_memory(err);
    }
    takc_buf_clear(&text);
    return st;
}

static enum takc_status add_messages(json_t *root, const struct takc_model_request *r, struct takc_err *err)
{
    json_t *list = json_array();
    if (json_object_set_new(root, "messages", list))
        return no_memory(err);
    enum takc_status st = r->n_system ? add_message(list, "system", r->system, r->n_system, err) : TAKC_OK;
    for (size_t i = 0; !st && i < r->n_messages; i++)
        st = add_message(list, r->messages[i].role == TAKC_ROLE_USER ? "user" : "assistant", r->messages[i].blocks, r->messages[i].n_blocks,
                         err);
    return st;
}

static bool add_stops(json_t *root, const struct takc_model_request *r)
{
    json_t *list = json_array();
    bool bad = json_object_set_new(root, "stop", list) != 0;
    for (size_t i = 0; !bad && i < r->n_stops; i++)
        bad = json_array_append_new(list, takc_json_str(r->stops[i])) != 0;
    return !bad;
}

static enum takc_status add_parameters(json_t *root, const struct takc_model_request *r, struct takc_openai_ways ways, bool stream,
                                       struct takc_err *err)
{
    bool good = true;
    if (r->max_tokens)
        good = !json_object_set_new(root, ways.completion_tokens ? "max_completion_tokens" : "max_tokens", json_integer(r->max_tokens));
    if (good && r->has_temperature)
        good = !json_object_set_new(root, "temperature", json_real(r->temperature));
    if (good && r->has_top_p)
        good = !json_object_set_new(root, "top_p", json_real(r->top_p));
    if (good && r->n_stops)
        good = add_stops(root, r);
    if (good && stream)
        good = !json_object_set_new(root, "stream", json_true());
    if (good && stream && !ways.no_stream_options)
        good = !json_object_set_new(root, "stream_options", json_pack("{s:b}", "include_usage", 1));
    return good ? TAKC_OK : no_memory(err);
}

enum takc_status takc_openai_write(const struct takc_model_request *r, struct takc_str model, struct takc_openai_ways ways, bool stream,
                                   struct takc_buf *out, struct takc_err *err)
{
    json_t *root = json_object();
    enum takc_status st = root && !json_object_set_new(root, "model", takc_json_str(model)) ? TAKC_OK : no_memory(err);
    if (!st)
        st = add_messages(root, r, err);
    if (!st)
        st = add_parameters(root, r, ways, stream, err);
    if (!st)
        st = takc_json_dump(root, false, out, err);
    json_decref(root);
    return st;
}
