/* SPDX-License-Identifier: Apache-2.0
 *
 * fake.c - the stand-in: how a try goes. What it says is in fake_text.c. */
#include "base/alloc.h"
#include "model/fake_parts.h"

#include <stdio.h>

enum { STEPS_BY_NAME = 64, NAP_MS = 100 };

struct fake {
    struct takc_model model;
    struct takc_fake_options o;
    const struct takc_clock *clock;
    const struct takc_tokenizer *tokenizer;
    struct takc_fake_step by_name[STEPS_BY_NAME];
    char name[256]; /* of the model */
    _Atomic uint64_t n_tries, n_steps_used;
};

static struct fake *fake_of(struct takc_model *m)
{
    if (m->ops != &takc_fake_ops)
        TAKC_BUG("%s is no fake", m->ops->name);
    return (struct fake *)m;
}

uint64_t takc_fake_tries(const struct takc_model *m)
{
    return atomic_load(&((const struct fake *)m)->n_tries);
}

/* --- steps --- */

static bool request_has(const struct takc_model_request *r, const char *parameter)
{
    return (strcmp(parameter, "temperature") == 0 && r->has_temperature) || (strcmp(parameter, "top_p") == 0 && r->has_top_p) ||
           (strcmp(parameter, "stop") == 0 && r->n_stops > 0) || (strcmp(parameter, "system") == 0 && r->n_system > 0);
}

/* A step that refuses a parameter is there for good: a service does not change its mind. */
static struct takc_fake_step step_of(struct fake *f, const struct takc_model_request *r)
{
    for (size_t i = 0; i < f->o.n_steps; i++)
        if (f->o.steps[i].parameter && request_has(r, f->o.steps[i].parameter))
            return f->o.steps[i];
    for (;;) {
        uint64_t i = atomic_fetch_add(&f->n_steps_used, 1);
        if (i >= f->o.n_steps)
            return (struct takc_fake_step){0};
        if (!f->o.steps[i].parameter)
            return f->o.steps[i];
    }
}

static int http_of(enum takc_failure f)
{
    switch (f) {
    case TAKC_FAILURE_THROTTLED:
        return 429;
    case TAKC_FAILURE_OVERLOADED:
        return 503;
    case TAKC_FAILURE_SERVER:
        return 500;
    case TAKC_FAILURE_GARBLED:
        return 200;
    case TAKC_FAILURE_DENIED:
        return 403;
    case TAKC_FAILURE_NO_MODEL:
        return 404;
    case TAKC_FAILURE_TOO_LONG:
    case TAKC_FAILURE_PARAMETER:
    case TAKC_FAILURE_INVALID:
        return 400;
    default:
        return 0;
    }
}

/* --- a try --- */

struct a_try {
    struct fake *f;
    struct takc_call *call;
    const struct takc_model_request *r;
    takc_model_delta_fn *delta;
    void *arg;
    struct takc_model_reply *out;
    struct takc_fake_step step;
    uint64_t from_ns;
};

static uint64_t passed_ms(const struct a_try *t)
{
    return (t->f->clock->mono_ns(t->f->clock) - t->from_ns) / 1000000u;
}

/* Sleeps on the clock; the limits of the request and the call's are kept. */
static enum takc_status wait_for(struct a_try *t, uint64_t ms, struct takc_err *err)
{
    uint64_t first = t->r->first_token_ms ? t->r->first_token_ms : 60000, total = t->r->total_ms ? t->r->total_ms : 600000;
    while (ms) {
        uint64_t nap = ms < NAP_MS ? ms : NAP_MS;
        enum takc_status st = takc_call_check(t->call, err);
        if (st) {
            t->out->failure = st == TAKC_CANCELLED ? TAKC_FAILURE_CANCELLED : TAKC_FAILURE_TIMEOUT;
            return st;
        }
        if (passed_ms(t) >= total || (t->out->text.len == 0 && passed_ms(t) >= first))
            return takc_model_fail(t->out, TAKC_FAILURE_TIMEOUT, err, "no %s within %llu ms", t->out->text.len ? "end" : "first token",
                                   (unsigned long long)(t->out->text.len ? total : first));
        t->f->clock->sleep_ns(t->f->clock, nap * 1000000u);
        ms -= nap;
    }
    return TAKC_OK;
}

static enum takc_status say_piece(struct a_try *t, struct takc_str piece, struct takc_err *err)
{
    if (t->out->text.len == 0)
        t->out->first_token_ms = passed_ms(t);
    enum takc_status st = takc_buf_add(&t->out->text, piece, err);
    return st || !t->delta ? st : t->delta(t->arg, piece, err);
}

/* In pieces that may cut a character: as services do. */
static enum takc_status say(struct a_try *t, struct takc_str text, struct takc_err *err)
{
    size_t most = t->f->o.piece_bytes ? t->f->o.piece_bytes : 16;
    enum takc_status st = TAKC_OK;
    for (size_t at = 0; !st && at < text.len; at += most)
        st = say_piece(t, takc_str_slice(text, at, text.len - at < most ? text.len : at + most), err);
    return st;
}

static enum takc_status fail(struct a_try *t, struct takc_str text, struct takc_err *err)
{
    const struct takc_fake_step *s = &t->step;
    t->out->http = s->http ? s->http : http_of(s->failure);
    t->out->after_ms = s->after_ms;
    bool met = s->failure != TAKC_FAILURE_CONNECTION && s->failure != TAKC_FAILURE_UNTRUSTED;
    t->out->sent = met || s->after_bytes > 0;
    (void)snprintf(t->out->parameter, sizeof(t->out->parameter), "%s", s->parameter ? s->parameter : "");
    enum takc_status st = say(t, takc_str_slice(text, 0, s->after_bytes < text.len ? s->after_bytes : text.len), err);
    return st ? st : takc_model_fail(t->out, s->failure, err, "the script says: %s", takc_failure_name(s->failure));
}

static enum takc_status hang(struct a_try *t, struct takc_str text, struct takc_err *err)
{
    t->out->sent = true;
    t->out->http = 200;
    enum takc_status st = say(t, takc_str_slice(text, 0, t->step.after_bytes < text.len ? t->step.after_bytes : text.len), err);
    return st ? st : wait_for(t, UINT64_MAX, err);
}

/* Bytes of text within max_tokens, by halving: counts are the tokenizer's. */
static size_t fits(const struct fake *f, struct takc_str text, uint32_t max_tokens)
{
    size_t low = 0, high = text.len;
    if (max_tokens == 0 || takc_tokenizer_count(f->tokenizer, text) <= max_tokens)
        return text.len;
    while (low < high) {
        size_t mid = (low + high + 1) / 2;
        if (takc_tokenizer_count(f->tokenizer, takc_str_slice(text, 0, mid)) <= max_tokens)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

static void use(struct a_try *t)
{
    takc_model_count_here(t->f->tokenizer, t->r, t->out);
    t->out->usage.counted_here = t->step.no_usage;
    if (t->step.no_usage)
        takc_model_note(t->out, "the service told no usage: tokens are counted here");
}

static enum takc_status go_well(struct a_try *t, struct takc_str text, struct takc_err *err)
{
    size_t n = t->step.cut_bytes && t->step.cut_bytes < text.len ? t->step.cut_bytes : fits(t->f, text, t->r->max_tokens);
    t->out->sent = true;
    t->out->http = 200;
    enum takc_status st = say(t, takc_str_slice(text, 0, n), err);
    if (st)
        return st;
    t->out->stop = t->step.blocked ? TAKC_STOP_BLOCKED : n < text.len ? TAKC_STOP_LENGTH : TAKC_STOP_END;
    use(t);
    return TAKC_OK;
}

static enum takc_status words(struct a_try *t, uint64_t n, struct takc_buf *out, struct takc_err *err)
{
    if (t->step.blocked)
        return takc_buf_add(out, takc_str("The guardrail has blocked this."), err);
    if (t->step.text)
        return takc_buf_add(out, takc_str(t->step.text), err);
    if (t->f->o.answer)
        return t->f->o.answer(t->f->o.arg, t->r, n, out, err);
    return takc_fake_say(t->f->o.manner, t->f->tokenizer, t->r, out, err);
}

static enum takc_status fake_complete(struct takc_model *m, struct takc_call *call, const struct takc_model_request *r,
                                      takc_model_delta_fn *delta, void *arg, struct takc_model_reply *out, struct takc_err *err)
{
    struct fake *f = fake_of(m);
    uint64_t n = atomic_fetch_add(&f->n_tries, 1);
    struct a_try t = {f, call, r, delta, arg, out, step_of(f, r), f->clock->mono_ns(f->clock)};
    struct takc_buf text;
    (void)snprintf(out->request_id, sizeof(out->request_id), "fake-%llu", (unsigned long long)n);
    if (r->model.len == 0)
        (void)snprintf(out->model, sizeof(out->model), "%s", f->name);
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = words(&t, n, &text, err);
    if (!st)
        st = wait_for(&t, t.step.latency_ms, err);
    if (!st && t.step.hang)
        st = hang(&t, takc_buf_str(&text), err);
    else if (!st && t.step.failure)
        st = fail(&t, takc_buf_str(&text), err);
    else if (!st)
        st = go_well(&t, takc_buf_str(&text), err);
    takc_buf_clear(&text);
    return st;
}

static enum takc_status fake_count(struct takc_model *m, struct takc_call *call, const struct takc_model_request *r, uint64_t *out,
                                   struct takc_err *err)
{
    struct takc_model_reply reply = {0};
    (void)call;
    (void)err;
    takc_model_count_here(fake_of(m)->tokenizer, r, &reply);
    *out = reply.usage.input;
    return TAKC_OK;
}

static enum takc_status fake_describe(struct takc_model *m, struct takc_call *call, struct takc_buf *out, struct takc_err *err)
{
    (void)call;
    return takc_buf_printf(out, err, "fake: nobody is asked; model %s\n", fake_of(m)->name);
}

static void fake_close(struct takc_model *m)
{
    takc_free(fake_of(m));
}

const struct takc_model_ops takc_fake_ops = {.name = "fake",
                                             .flags = TAKC_MODEL_STREAMS | TAKC_MODEL_COUNTS | TAKC_MODEL_CACHE_POINTS,
                                             .complete = fake_complete,
                                             .count = fake_count,
                                             .describe = fake_describe,
                                             .close = fake_close};

/* "MANNER-FAILURE*N": both parts may be missing. */
static void script_by_name(struct fake *f, struct takc_str name)
{
    size_t dash = takc_str_find_byte(name, '-', 0), star = takc_str_find_byte(name, '*', 0);
    uint64_t n = 0;
    f->o.manner = takc_fake_manner_of(takc_str_slice(name, 0, dash == SIZE_MAX ? name.len : dash));
    if (dash == SIZE_MAX || star == SIZE_MAX || star < dash ||
        takc_str_u64(takc_str_slice(name, star + 1, name.len), STEPS_BY_NAME, &n, NULL))
        return;
    for (int i = TAKC_FAILURE_NONE + 1; i < TAKC_FAILURES; i++)
        if (takc_str_is(takc_str_slice(name, dash + 1, star), takc_failure_name((enum takc_failure)i)))
            for (uint64_t k = 0; k < n; k++)
                f->by_name[f->o.n_steps++].failure = (enum takc_failure)i;
    f->o.steps = f->by_name;
}

enum takc_status takc_model_open_fake(struct takc_model **out, const struct takc_model_options *o, struct takc_err *err)
{
    struct fake *f = takc_alloc(sizeof(*f));
    if (!f)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a model");
    f->model.ops = &takc_fake_ops;
    f->clock = takc_clock_or_system(o->clock);
    f->tokenizer = o->tokenizer ? o->tokenizer : takc_tokenizer_find(takc_str("estimate"));
    (void)snprintf(f->name, sizeof(f->name), "%.*s", TAKC_STR_ARG(o->model));
    if (o->fake)
        f->o = *o->fake;
    else
        script_by_name(f, o->model);
    *out = &f->model;
    return TAKC_OK;
}
