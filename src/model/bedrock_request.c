/* SPDX-License-Identifier: Apache-2.0
 *
 * bedrock_request.c - a request as the body of Converse, of InvokeModel for Nova (nearly the same), of CountTokens. Members stand in the
 * same order always, so that a prefix which stays the same keeps a cache warm. Blocks without text are refused by the service: they are
 * left out. */
#include "model/bedrock_parts.h"

enum takc_bedrock_form takc_bedrock_form_of(struct takc_str body, struct takc_str id)
{
    static const char *const old[] = {"claude-v1", "claude-v2", "claude-instant"};
    if (takc_str_is(body, "titan"))
        return TAKC_BEDROCK_TITAN;
    if (takc_str_is(body, "llama"))
        return TAKC_BEDROCK_LLAMA;
    if (takc_str_is(body, "nova"))
        return TAKC_BEDROCK_NOVA;
    if (!takc_str_is(body, "claude"))
        return TAKC_BEDROCK_CONVERSE;
    for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++)
        if (takc_str_find(id, takc_str(old[i]), 0) != SIZE_MAX)
            return TAKC_BEDROCK_CLAUDE_TEXT;
    return TAKC_BEDROCK_CLAUDE;
}

bool takc_bedrock_set(json_t *o, const char *key, json_t *v)
{
    return json_object_set_new(o, key, v) == 0;
}

struct writer {
    const struct takc_bedrock_how *how;
    unsigned skip_points; /* marks that are left out, from the first on */
    bool good;
};

static json_t *text_item(struct takc_str text)
{
    json_t *o = json_object();
    if (o && takc_bedrock_set(o, "text", takc_json_str(text)))
        return o;
    json_decref(o);
    return NULL;
}

static void append(struct writer *w, json_t *list, json_t *item)
{
    w->good = json_array_append_new(list, item) == 0 && w->good;
}

static void add_text(struct writer *w, json_t *list, const struct takc_model_block *b)
{
    json_t *text = text_item(b->text);
    if (text && b->guarded && w->how->guardrail.len && w->how->form == TAKC_BEDROCK_CONVERSE)
        text = json_pack("{s:{s:o}}", "guardContent", "text", text);
    append(w, list, text);
}

static json_t *content(struct writer *w, const struct takc_model_block *blocks, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < n; i++) {
        if (blocks[i].text.len)
            add_text(w, list, &blocks[i]);
        if (!blocks[i].cache_point || json_array_size(list) == 0)
            continue;
        if (w->skip_points)
            w->skip_points--;
        else
            append(w, list, json_pack("{s:{s:s}}", "cachePoint", "type", "default"));
    }
    w->good = w->good && list;
    return list;
}

static unsigned points_in(const struct takc_model_block *blocks, size_t n)
{
    unsigned count = 0;
    bool text = false;
    for (size_t i = 0; i < n; i++) {
        text = text || blocks[i].text.len;
        count += blocks[i].cache_point && text;
    }
    return count;
}

/* How many marks there are beyond what may be sent. The last ones reach furthest, so the first go. */
static unsigned points_over(const struct takc_model_request *r, unsigned may)
{
    unsigned n = points_in(r->system, r->n_system);
    for (size_t i = 0; i < r->n_messages; i++)
        n += points_in(r->messages[i].blocks, r->messages[i].n_blocks);
    return n > may ? n - may : 0;
}

static void add_texts(struct writer *w, json_t *root, const struct takc_model_request *r)
{
    if (r->n_system) {
        json_t *system = content(w, r->system, r->n_system);
        if (json_array_size(system))
            w->good = takc_bedrock_set(root, "system", system) && w->good;
        else
            json_decref(system);
    }
    json_t *list = json_array();
    w->good = takc_bedrock_set(root, "messages", list) && w->good;
    for (size_t i = 0; w->good && i < r->n_messages; i++) {
        json_t *m = json_object();
        bool set = m && takc_bedrock_set(m, "role", json_string(r->messages[i].role == TAKC_ROLE_USER ? "user" : "assistant")) &&
                   takc_bedrock_set(m, "content", content(w, r->messages[i].blocks, r->messages[i].n_blocks));
        w->good = w->good && set;
        append(w, list, m);
    }
}

static void add_inference(struct writer *w, json_t *root, const struct takc_model_request *r)
{
    json_t *o = json_object(), *stops = json_array();
    bool good = o && stops;
    for (size_t i = 0; good && i < r->n_stops; i++)
        good = json_array_append_new(stops, takc_json_str(r->stops[i])) == 0;
    if (good && r->max_tokens)
        good = takc_bedrock_set(o, "maxTokens", json_integer(r->max_tokens));
    if (good && r->has_temperature)
        good = takc_bedrock_set(o, "temperature", json_real(r->temperature));
    if (good && r->has_top_p)
        good = takc_bedrock_set(o, "topP", json_real(r->top_p));
    if (good && r->n_stops)
        good = json_object_set(o, "stopSequences", stops) == 0;
    if (good && json_object_size(o))
        good = json_object_set(root, "inferenceConfig", o) == 0;
    json_decref(stops);
    json_decref(o);
    w->good = w->good && good;
}

static void add_guardrail(struct writer *w, json_t *root)
{
    json_t *o = json_object();
    struct takc_str version = w->how->guardrail_version;
    bool good = o && takc_bedrock_set(o, "guardrailIdentifier", takc_json_str(w->how->guardrail)) &&
                takc_bedrock_set(o, "guardrailVersion", takc_json_str(version.len ? version : takc_str("DRAFT")));
    if (good && w->how->stream) /* what was shown cannot be taken back: the guardrail reads before the caller does */
        good = takc_bedrock_set(o, "streamProcessingMode", json_string("sync"));
    good = good && json_object_set(root, "guardrailConfig", o) == 0;
    json_decref(o);
    w->good = w->good && good;
}

static json_t *converse_body(const struct takc_model_request *r, const struct takc_bedrock_how *how, struct takc_model_reply *reply)
{
    struct writer w = {.how = how, .skip_points = points_over(r, how->cache_points), .good = true};
    json_t *root = json_object();
    if (w.skip_points && reply)
        takc_model_note(reply, "%u marks for the cache are left out: the model takes %u", w.skip_points, how->cache_points);
    if (how->form == TAKC_BEDROCK_NOVA)
        w.good = takc_bedrock_set(root, "schemaVersion", json_string("messages-v1"));
    add_texts(&w, root, r);
    add_inference(&w, root, r);
    if (how->guardrail.len && how->form == TAKC_BEDROCK_CONVERSE)
        add_guardrail(&w, root);
    if (w.good)
        return root;
    json_decref(root);
    return NULL;
}

static enum takc_status dump(json_t *root, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = root ? takc_json_dump(root, false, out, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for a request");
    json_decref(root);
    return st;
}

enum takc_status takc_bedrock_write(const struct takc_model_request *r, const struct takc_bedrock_how *how, struct takc_buf *out,
                                    struct takc_model_reply *reply, struct takc_err *err)
{
    bool converse = how->form == TAKC_BEDROCK_CONVERSE || how->form == TAKC_BEDROCK_NOVA;
    return dump(converse ? converse_body(r, how, reply) : takc_bedrock_invoke_body(r, how, reply), out, err);
}

enum takc_status takc_bedrock_write_count(const struct takc_model_request *r, struct takc_buf *out, struct takc_err *err)
{
    struct takc_bedrock_how how = {.form = TAKC_BEDROCK_CONVERSE};
    struct writer w = {.how = &how, .skip_points = UINT32_MAX, .good = true};
    json_t *root = json_object();
    add_texts(&w, root, r);
    if (!w.good) {
        json_decref(root);
        root = NULL;
    }
    return dump(root ? json_pack("{s:{s:o}}", "input", "converse", root) : NULL, out, err);
}
