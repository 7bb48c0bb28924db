/* SPDX-License-Identifier: Apache-2.0
 *
 * bedrock_invoke.c - bodies and replies of InvokeModel, which every family of models has its own of. Where a family takes one prompt, its
 * marks of turns must come from us alone: a text that holds one has it broken by a blank, and a note says so. Guardrails look at all of
 * such a request; blocks that are marked for them are sent as they are. */
#include "model/bedrock_parts.h"

#include <stdio.h>

enum { MAX_TOKENS = 4096, PROMPT_MAX = 256 << 20 };

static uint32_t max_tokens(const struct takc_model_request *r, const struct takc_bedrock_how *how)
{
    return r->max_tokens ? r->max_tokens : how->max_output ? how->max_output : MAX_TOKENS;
}

/* Parameters by the names of a family; NULL: the family has none of it. */
struct names {
    const char *max_tokens, *temperature, *top_p, *stops;
};

static bool add_parameters(json_t *o, const struct takc_model_request *r, const struct names *n, uint32_t max,
                           struct takc_model_reply *reply)
{
    bool good = takc_bedrock_set(o, n->max_tokens, json_integer(max));
    if (good && r->has_temperature)
        good = takc_bedrock_set(o, n->temperature, json_real(r->temperature));
    if (good && r->has_top_p)
        good = takc_bedrock_set(o, n->top_p, json_real(r->top_p));
    if (!r->n_stops)
        return good;
    if (!n->stops) {
        if (reply)
            takc_model_note(reply, "stop sequences are left out: the model does not take them");
        return good;
    }
    json_t *stops = json_array();
    good = takc_bedrock_set(o, n->stops, stops) && good;
    for (size_t i = 0; good && i < r->n_stops; i++)
        good = json_array_append_new(stops, takc_json_str(r->stops[i])) == 0;
    return good;
}

/* --- Claude --- */

static json_t *claude_content(const struct takc_model_block *blocks, size_t n, unsigned *skip_points)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < n; i++) {
        if (!blocks[i].text.len)
            continue;
        json_t *o = json_pack("{s:s}", "type", "text");
        bool good = o && takc_bedrock_set(o, "text", takc_json_str(blocks[i].text));
        if (good && blocks[i].cache_point && *skip_points)
            (*skip_points)--;
        else if (good && blocks[i].cache_point)
            good = takc_bedrock_set(o, "cache_control", json_pack("{s:s}", "type", "ephemeral"));
        if (!good)
            json_decref(o);
        if (!good || json_array_append_new(list, o)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static unsigned points_of(const struct takc_model_request *r)
{
    unsigned n = 0;
    for (size_t i = 0; i < r->n_system; i++)
        n += r->system[i].cache_point && r->system[i].text.len;
    for (size_t m = 0; m < r->n_messages; m++)
        for (size_t i = 0; i < r->messages[m].n_blocks; i++)
            n += r->messages[m].blocks[i].cache_point && r->messages[m].blocks[i].text.len;
    return n;
}

static bool claude_body(json_t *root, const struct takc_model_request *r, const struct takc_bedrock_how *how,
                        struct takc_model_reply *reply)
{
    static const struct names names = {"max_tokens", "temperature", "top_p", "stop_sequences"};
    unsigned n = points_of(r), skip = n > how->cache_points ? n - how->cache_points : 0;
    json_t *list = json_array();
    if (skip && reply)
        takc_model_note(reply, "%u marks for the cache are left out: the model takes %u", skip, how->cache_points);
    bool good = takc_bedrock_set(root, "anthropic_version", json_string("bedrock-2023-05-31"));
    if (good && r->n_system)
        good = takc_bedrock_set(root, "system", claude_content(r->system, r->n_system, &skip));
    good = takc_bedrock_set(root, "messages", list) && good;
    for (size_t i = 0; good && i < r->n_messages; i++)
        good =
            json_array_append_new(list, json_pack("{s:s,s:o}", "role", r->messages[i].role == TAKC_ROLE_USER ? "user" : "assistant",
                                                  "content", claude_content(r->messages[i].blocks, r->messages[i].n_blocks, &skip))) == 0;
    return good && add_parameters(root, r, &names, max_tokens(r, how), reply);
}

/* --- one prompt --- */

struct marks { /* what stands around turns; before NULL: nothing */
    const char *start, *system[2], *user[2], *assistant[2];
    const char *const *own; /* what a text may not hold */
    size_t n_own;
};

static const char *const claude_own[] = {"\n\nHuman:", "\n\nAssistant:"}, *const titan_own[] = {"\nUser:", "\nBot:"},
                         *const llama_own[] = {"<|"};
static const struct marks claude_marks = {"", {"", ""}, {"\n\nHuman: ", ""}, {"\n\nAssistant:", ""}, claude_own, 2},
                          titan_marks = {"", {"", "\n\n"}, {"User: ", "\n"}, {"Bot: ", "\n"}, titan_own, 2},
                          llama_marks = {"<|begin_of_text|>",
                                         {"<|start_header_id|>system<|end_header_id|>\n\n", "<|eot_id|>"},
                                         {"<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"},
                                         {"<|start_header_id|>assistant<|end_header_id|>\n\n", "<|eot_id|>"},
                                         llama_own,
                                         1};

/* Text without marks of turns: a blank goes in front of the last character of one. */
static enum takc_status add_plain(struct takc_buf *out, struct takc_str text, const struct marks *m, size_t *n_broken)
{
    size_t from = 0;
    for (size_t i = 0; i < text.len; i++)
        for (size_t k = 0; k < m->n_own; k++) {
            struct takc_str own = takc_str(m->own[k]);
            if (!takc_str_starts(takc_str_slice(text, i, text.len), own))
                continue;
            size_t cut = i + own.len - 1;
            if (takc_buf_add(out, takc_str_slice(text, from, cut), NULL) || takc_buf_byte(out, ' ', NULL))
                return TAKC_NOMEM;
            from = cut;
            (*n_broken)++;
        }
    return takc_buf_add(out, takc_str_slice(text, from, text.len), NULL);
}

static bool add_turn(struct takc_buf *out, const char *const around[2], const struct takc_model_block *blocks, size_t n, bool is_open,
                     const struct marks *m, size_t *n_broken)
{
    enum takc_status st = takc_buf_add(out, takc_str(around[0]), NULL);
    for (size_t i = 0; !st && i < n; i++) {
        if (i && blocks[i - 1].text.len && blocks[i - 1].text.ptr[blocks[i - 1].text.len - 1] != '\n')
            st = takc_buf_byte(out, '\n', NULL);
        st = st ? st : add_plain(out, blocks[i].text, m, n_broken);
    }
    if (!st && !is_open)
        st = takc_buf_add(out, takc_str(around[1]), NULL);
    return st == TAKC_OK;
}

/* The whole prompt, open for the assistant: its own last message, or the mark that begins one. */
static json_t *prompt_of(const struct takc_model_request *r, const struct marks *m, struct takc_model_reply *reply)
{
    struct takc_buf b;
    size_t n_broken = 0;
    takc_buf_init(&b, PROMPT_MAX);
    bool good = takc_buf_add(&b, takc_str(m->start), NULL) == TAKC_OK, open = false;
    if (good && r->n_system)
        good = add_turn(&b, m->system, r->system, r->n_system, false, m, &n_broken);
    for (size_t i = 0; good && i < r->n_messages; i++) {
        bool user = r->messages[i].role == TAKC_ROLE_USER;
        open = !user && i + 1 == r->n_messages;
        good = add_turn(&b, user ? m->user : m->assistant, r->messages[i].blocks, r->messages[i].n_blocks, open, m, &n_broken);
    }
    if (good && !open)
        good = takc_buf_add(&b, takc_str(m->assistant[0]), NULL) == TAKC_OK;
    if (n_broken && reply)
        takc_model_note(reply, "%zu marks of turns in the texts were broken by a blank", n_broken);
    json_t *s = good ? takc_json_str(takc_buf_str(&b)) : NULL;
    takc_buf_clear(&b);
    return s;
}

static bool titan_body(json_t *root, const struct takc_model_request *r, const struct takc_bedrock_how *how, struct takc_model_reply *reply)
{
    static const struct names names = {"maxTokenCount", "temperature", "topP", "stopSequences"};
    json_t *config = json_object();
    bool good = takc_bedrock_set(root, "inputText", prompt_of(r, &titan_marks, reply));
    good = takc_bedrock_set(root, "textGenerationConfig", config) && good;
    return good && add_parameters(config, r, &names, max_tokens(r, how), reply);
}

json_t *takc_bedrock_invoke_body(const struct takc_model_request *r, const struct takc_bedrock_how *how, struct takc_model_reply *reply)
{
    static const struct names text_names = {"max_tokens_to_sample", "temperature", "top_p", "stop_sequences"},
                              llama_names = {"max_gen_len", "temperature", "top_p", NULL};
    json_t *root = json_object();
    bool good = root != NULL;
    if (how->form == TAKC_BEDROCK_CLAUDE)
        good = good && claude_body(root, r, how, reply);
    else if (how->form == TAKC_BEDROCK_TITAN)
        good = good && titan_body(root, r, how, reply);
    else if (how->form == TAKC_BEDROCK_LLAMA)
        good = good && takc_bedrock_set(root, "prompt", prompt_of(r, &llama_marks, reply)) &&
               add_parameters(root, r, &llama_names, max_tokens(r, how), reply);
    else
        good = good && takc_bedrock_set(root, "prompt", prompt_of(r, &claude_marks, reply)) &&
               add_parameters(root, r, &text_names, max_tokens(r, how), reply);
    if (good)
        return root;
    json_decref(root);
    return NULL;
}

/* --- replies --- */

static void read_number(const json_t *o, const char *key, uint64_t *out)
{
    uint64_t n;
    if (!takc_json_get_u64(o, key, &n, NULL))
        *out = n;
}

static enum takc_status add_text(struct takc_model_reply *out, const json_t *o, const char *key, struct takc_err *err)
{
    return takc_buf_add(&out->text, takc_json_get_str(o, key), err);
}

static void read_claude_usage(const json_t *u, struct takc_usage *out)
{
    read_number(u, "input_tokens", &out->input);
    read_number(u, "output_tokens", &out->output);
    read_number(u, "cache_read_input_tokens", &out->cache_read);
    read_number(u, "cache_creation_input_tokens", &out->cache_write);
}

/* Whole: content, stop_reason, usage. In pieces: message_start with message.usage, content_block_delta, message_delta. */
static enum takc_status read_claude(const json_t *root, struct takc_model_reply *out, struct takc_err *err)
{
    const json_t *list = json_object_get(root, "content"), *delta = json_object_get(root, "delta");
    enum takc_status st = add_text(out, delta, "text", err);
    for (size_t i = 0; !st && i < json_array_size(list); i++)
        st = add_text(out, json_array_get(list, i), "text", err);
    read_claude_usage(json_object_get(json_object_get(root, "message"), "usage"), &out->usage);
    read_claude_usage(json_object_get(root, "usage"), &out->usage);
    takc_bedrock_stop(takc_json_get_str(root, "stop_reason"), out);
    takc_bedrock_stop(takc_json_get_str(delta, "stop_reason"), out);
    return st;
}

static enum takc_status read_titan(const json_t *root, struct takc_model_reply *out, struct takc_err *err)
{
    const json_t *result = json_array_get(json_object_get(root, "results"), 0);
    enum takc_status st = add_text(out, result ? result : root, "outputText", err);
    read_number(root, "inputTextTokenCount", &out->usage.input);
    read_number(root, "totalOutputTextTokenCount", &out->usage.output);
    read_number(result, "tokenCount", &out->usage.output);
    takc_bedrock_stop(takc_json_get_str(result ? result : root, "completionReason"), out);
    return st;
}

static enum takc_status read_llama(const json_t *root, struct takc_model_reply *out, struct takc_err *err)
{
    enum takc_status st = add_text(out, root, "generation", err);
    read_number(root, "prompt_token_count", &out->usage.input);
    read_number(root, "generation_token_count", &out->usage.output);
    takc_bedrock_stop(takc_json_get_str(root, "stop_reason"), out);
    return st;
}

static enum takc_status read_nova(const json_t *root, struct takc_model_reply *out, struct takc_err *err)
{
    const json_t *list = json_object_get(json_object_get(json_object_get(root, "output"), "message"), "content");
    enum takc_status st = add_text(out, json_object_get(json_object_get(root, "contentBlockDelta"), "delta"), "text", err);
    for (size_t i = 0; !st && i < json_array_size(list); i++)
        st = add_text(out, json_array_get(list, i), "text", err);
    takc_bedrock_usage(json_object_get(root, "usage"), out);
    takc_bedrock_usage(json_object_get(json_object_get(root, "metadata"), "usage"), out);
    takc_bedrock_stop(takc_json_get_str(root, "stopReason"), out);
    takc_bedrock_stop(takc_json_get_str(json_object_get(root, "messageStop"), "stopReason"), out);
    return st;
}

static enum takc_status read_claude_text(const json_t *root, struct takc_model_reply *out, struct takc_err *err)
{
    struct takc_str reason = takc_json_get_str(root, "stop_reason"), stop = takc_json_get_str(root, "stop");
    if (takc_str_is(reason, "stop_sequence") && (!stop.len || takc_str_is(stop, "\n\nHuman:"))) /* its own end of a turn */
        reason = takc_str("end_turn");
    takc_bedrock_stop(reason, out);
    return add_text(out, root, "completion", err);
}

enum takc_status takc_bedrock_read_invoke(const json_t *root, enum takc_bedrock_form form, struct takc_model_reply *out,
                                          struct takc_err *err)
{
    const json_t *metrics = json_object_get(root, "amazon-bedrock-invocationMetrics");
    if (takc_str_is(takc_json_get_str(root, "amazon-bedrock-guardrailAction"), "INTERVENED"))
        takc_bedrock_stop(takc_str("guardrail_intervened"), out);
    enum takc_status st;
    switch (form) {
    case TAKC_BEDROCK_CLAUDE:
        st = read_claude(root, out, err);
        break;
    case TAKC_BEDROCK_TITAN:
        st = read_titan(root, out, err);
        break;
    case TAKC_BEDROCK_LLAMA:
        st = read_llama(root, out, err);
        break;
    case TAKC_BEDROCK_NOVA:
        st = read_nova(root, out, err);
        break;
    default:
        st = read_claude_text(root, out, err);
    }
    read_number(metrics, "inputTokenCount", &out->usage.input);
    read_number(metrics, "outputTokenCount", &out->usage.output);
    return st;
}
