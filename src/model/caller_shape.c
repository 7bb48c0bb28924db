/* SPDX-License-Identifier: Apache-2.0
 *
 * caller_shape.c - a request as one model takes it, and what it may cost. */
#include "model/caller_parts.h"

#include <stdio.h>

static bool has_cache_points(const struct takc_model_request *r)
{
    for (size_t i = 0; i < r->n_system; i++)
        if (r->system[i].cache_point)
            return true;
    for (size_t m = 0; m < r->n_messages; m++)
        for (size_t i = 0; i < r->messages[m].n_blocks; i++)
            if (r->messages[m].blocks[i].cache_point)
                return true;
    return false;
}

unsigned takc_left_out_of(const struct takc_model_request *r, const char *parameter)
{
    static const struct {
        const char *name;
        enum takc_left_out bit;
    } names[] = {{"temperature", TAKC_LEFT_TEMPERATURE},
                 {"top_p", TAKC_LEFT_TOP_P},
                 {"topP", TAKC_LEFT_TOP_P},
                 {"stop", TAKC_LEFT_STOPS},
                 {"stop_sequences", TAKC_LEFT_STOPS},
                 {"stopSequences", TAKC_LEFT_STOPS},
                 {"cachePoint", TAKC_LEFT_CACHE},
                 {"cache_control", TAKC_LEFT_CACHE}};
    unsigned has = (r->has_temperature ? TAKC_LEFT_TEMPERATURE : 0u) | (r->has_top_p ? TAKC_LEFT_TOP_P : 0u) |
                   (r->n_stops ? TAKC_LEFT_STOPS : 0u) | (has_cache_points(r) ? TAKC_LEFT_CACHE : 0u);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i].name, parameter) == 0)
            return has & names[i].bit;
    return 0;
}

/* What the facts say that the model does not take. */
static unsigned not_accepted(const struct takc_model_request *r, const struct takc_model_facts *f)
{
    unsigned left = 0;
    if (!f->known)
        return 0;
    if (!(f->accepts & TAKC_ACCEPTS_TEMPERATURE))
        left |= TAKC_LEFT_TEMPERATURE;
    if (!(f->accepts & TAKC_ACCEPTS_TOP_P) || (!f->both_samplings && r->has_temperature && !(left & TAKC_LEFT_TEMPERATURE)))
        left |= TAKC_LEFT_TOP_P;
    if (!(f->accepts & TAKC_ACCEPTS_STOPS))
        left |= TAKC_LEFT_STOPS;
    return f->cache_points ? left : left | TAKC_LEFT_CACHE;
}

static enum takc_status leave_out(struct takc_model_request *r, unsigned left, struct takc_buf *notes, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    if ((left & TAKC_LEFT_TEMPERATURE) && r->has_temperature)
        st = takc_buf_printf(notes, err, "temperature is left out: the model does not take it\n");
    if (!st && (left & TAKC_LEFT_TOP_P) && r->has_top_p)
        st = takc_buf_printf(notes, err, "top_p is left out: the model does not take it%s\n",
                             r->has_temperature ? ", or not with temperature" : "");
    if (!st && (left & TAKC_LEFT_STOPS) && r->n_stops)
        st = takc_buf_printf(notes, err, "stop sequences are left out: the model does not take them\n");
    r->has_temperature = r->has_temperature && !(left & TAKC_LEFT_TEMPERATURE);
    r->has_top_p = r->has_top_p && !(left & TAKC_LEFT_TOP_P);
    r->n_stops = left & TAKC_LEFT_STOPS ? 0 : r->n_stops;
    return st;
}

static const struct takc_model_block *without_points(struct takc_arena *a, const struct takc_model_block *blocks, size_t n)
{
    struct takc_model_block *copy = takc_arena_array(a, n ? n : 1, sizeof(*copy));
    for (size_t i = 0; copy && i < n; i++) {
        copy[i] = blocks[i];
        copy[i].cache_point = false;
    }
    return copy;
}

/* Marks change neither text nor price where a model caches nothing: no note is due. */
static bool drop_points(struct takc_shaped *s)
{
    struct takc_model_message *messages = takc_arena_array(&s->arena, s->r.n_messages, sizeof(*messages));
    const struct takc_model_block *system = without_points(&s->arena, s->r.system, s->r.n_system);
    bool good = messages && system;
    for (size_t i = 0; good && i < s->r.n_messages; i++) {
        messages[i] = s->r.messages[i];
        messages[i].blocks = without_points(&s->arena, messages[i].blocks, messages[i].n_blocks);
        good = messages[i].blocks != NULL;
    }
    s->r.messages = messages;
    s->r.system = system;
    return good;
}

static enum takc_status cap_output(struct takc_shaped *s, const struct takc_model_facts *f, struct takc_buf *notes, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    if (f->max_output && s->r.max_tokens > f->max_output) {
        st = takc_buf_printf(notes, err, "max_tokens is %u instead of %u: the model's most\n", f->max_output, s->r.max_tokens);
        s->r.max_tokens = f->max_output;
    }
    s->output_tokens = s->r.max_tokens ? s->r.max_tokens : f->max_output ? f->max_output : f->window;
    return st;
}

enum takc_status takc_shape(struct takc_shaped *out, const struct takc_model_request *r, const struct takc_model_facts *f,
                            unsigned left_out, const struct takc_tokenizer *t, struct takc_buf *notes, struct takc_err *err)
{
    struct takc_model_reply counted = {0};
    *out = (struct takc_shaped){.r = *r};
    takc_arena_init(&out->arena);
    left_out |= not_accepted(r, f);
    enum takc_status st = leave_out(&out->r, left_out, notes, err);
    if (!st && (left_out & TAKC_LEFT_CACHE) && has_cache_points(r) && !drop_points(out))
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for a request");
    if (!st)
        st = cap_output(out, f, notes, err);
    takc_model_count_here(t, r, &counted);
    out->input_tokens = counted.usage.input;
    return st;
}

void takc_shape_clear(struct takc_shaped *s)
{
    takc_arena_clear(&s->arena);
}

uint64_t takc_shape_cost(const struct takc_shaped *s, const struct takc_model_facts *f)
{
    struct takc_usage most = {.input = s->input_tokens, .output = s->output_tokens};
    if (f->price_cache_write > f->price_input && has_cache_points(&s->r)) {
        most.cache_write = most.input;
        most.input = 0;
    }
    return takc_facts_cost(f, &most, false);
}
