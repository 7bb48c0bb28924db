/* SPDX-License-Identifier: Apache-2.0
 *
 * on_query.c - POST /query: the guide's fields into a question, its answer whole or as server-sent events. */
#include "http/hits.h"
#include "http/limits.h"
#include "http/model_limit.h"
#include "http/observe.h"

#include "base/alloc.h"
#include "base/clock.h"
#include <stdio.h>

struct answering {
    struct takc_question q;
    struct takc_exchange *x;
    bool streams;
};

static uint64_t whole(const json_t *body, const char *name, uint64_t fallback)
{
    const json_t *v = json_object_get(body, name);
    return json_is_number(v) ? (uint64_t)json_number_value(v) : fallback;
}

static bool day(const json_t *v, const char *name, int32_t *out)
{
    struct takc_str text = takc_json_get_str(v, name);
    return text.len && takc_date_parse(text.ptr, text.len, out, NULL) == TAKC_OK;
}

enum takc_status takc_question_lists(struct takc_question *q, struct takc_err *err)
{
    if (!q->lists)
        q->lists = takc_alloc(sizeof(*q->lists));
    return q->lists ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a question");
}

static void read_examples(const json_t *list, struct takc_question *q)
{
    for (size_t i = 0; i < json_array_size(list) && i < TAKC_EXAMPLES_MAX; i++) {
        const json_t *one = json_array_get(list, i);
        q->lists->examples[q->o.n_examples++] =
            (struct takc_query_example){takc_json_get_str(one, "input"), takc_json_get_str(one, "output")};
    }
    q->o.examples = q->lists->examples;
}

static void read_filters(const json_t *f, struct takc_question *q)
{
    const json_t *globs = json_object_get(f, "documents");
    for (size_t i = 0; i < json_array_size(globs) && i < TAKC_GLOBS_MAX; i++)
        q->lists->globs[q->o.n_documents++] =
            takc_str_n(json_string_value(json_array_get(globs, i)), json_string_length(json_array_get(globs, i)));
    q->o.documents = q->lists->globs;
    q->o.has_after = day(f, "after", &q->o.after);
    q->o.has_before = day(f, "before", &q->o.before);
}

/* Rate and factor name the same thing; both are welcome if they agree. */
static enum takc_status read_rate(const json_t *body, uint32_t *out, struct takc_err *err)
{
    struct takc_str name = takc_json_get_str(body, "compression_rate");
    const json_t *factor = json_object_get(body, "factor");
    enum takc_status st = name.len ? takc_rate_parse(name, out, err) : TAKC_OK;
    if (st || !factor)
        return st;
    uint32_t asked = (uint32_t)(json_number_value(factor) * 1000 + 0.5);
    if (name.len && asked != *out)
        return takc_fail(err, TAKC_INVALID, 0, "/factor: %.15g is expected, since compression_rate is %.*s; one of the two is enough",
                         *out / 1000.0, TAKC_STR_ARG(name));
    *out = asked;
    return TAKC_OK;
}

void takc_question_defaults(const struct takc_api *api, struct takc_question *q)
{
    q->o.reader_tokens = api->reader_tokens;
    q->o.artifact_tokens = api->artifact_tokens;
    q->o.abstain_below = api->abstain_below;
    q->o.answer_cache = api->answer_cache;
    q->o.questions_a_window = (unsigned)api->questions_per_window;
}

enum takc_status takc_question_of_body(const struct takc_api *api, const json_t *body, struct takc_question *q, struct takc_err *err)
{
    const json_t *options = json_object_get(body, "options"), *t = json_object_get(options, "temperature");
    struct takc_query_options *o = &q->o;
    takc_question_defaults(api, q);
    o->task = takc_json_get_str(body, "task_type");
    o->question = takc_json_get_str(body, "query");
    o->version = takc_json_get_str(body, "version");
    o->reader_tokens = whole(body, "reader_tokens", o->reader_tokens);
    o->reader_tokens_asked = json_object_get(body, "reader_tokens") != NULL;
    o->artifact_tokens = whole(body, "artifact_tokens", o->artifact_tokens);
    o->cost_sensitive = json_is_true(json_object_get(body, "cost_sensitive"));
    o->max_tokens = (uint32_t)whole(options, "max_tokens", 0);
    o->has_temperature = t != NULL;
    o->temperature = json_number_value(t);
    const json_t *filters = json_object_get(body, "filters"), *examples = json_object_get(body, "few_shot_examples");
    if (!takc_str_trim(o->question).len)
        return takc_fail(err, TAKC_INVALID, 0, "/query: a text that is not blank is expected");
    enum takc_status st = filters || examples ? takc_question_lists(q, err) : TAKC_OK;
    if (!st && filters)
        read_filters(filters, q);
    if (!st && examples)
        read_examples(examples, q);
    if (!st)
        st = read_rate(body, &o->rate, err);
    if (!st && takc_json_get_str(body, "mode").len)
        st = takc_mode_parse(takc_json_get_str(body, "mode"), &o->mode, err);
    return st;
}

enum takc_status takc_question_model(const struct takc_asked *asked, struct takc_str model, struct takc_question *q, struct takc_err *err)
{
    enum takc_status st = takc_home_counting_profile(asked->home, q->o.task, &q->profile, err);
    if (!st)
        st = takc_model_limit(asked->api, q->profile.model, model, err);
    q->model = asked->api->model;
    if (model.len)
        q->model.model = model;
    else if (q->profile.model.len)
        q->model.model = q->profile.model;
    if (takc_str_is(q->model.model, "none"))
        q->model.model = takc_str("");
    q->o.model = &q->model;
    return st;
}

/* The artifact that was shown was used. */
static void count_hit(const struct takc_asked *asked, struct takc_str task, const struct takc_query_result *r)
{
    const struct takc_clock *clock = takc_clock_system();
    takc_rate rate;
    if ((r->mode == TAKC_MODE_ARTIFACT || r->mode == TAKC_MODE_BOTH) && !takc_rate_parse(takc_str(r->rate), &rate, NULL))
        takc_hits_add(asked->api->hits, asked->home, task, rate, clock->wall_s(clock));
}

/* A place among those who may ask the model; the wait for it counts as the model's. */
static enum takc_status wait_for_model(const struct takc_asked *asked, struct takc_call *call, struct takc_question *q,
                                       struct takc_models_use *out_use, uint64_t *out_waited_ns, struct takc_err *err)
{
    const struct takc_clock *clock = takc_clock_or_system(call->clock);
    uint64_t from = clock->mono_ns(clock);
    enum takc_status st = takc_models_pool_get(asked->api->models, asked->home, q->o.task, &q->model, q->profile.counter, q->o.answer_cache,
                                               call, out_use, err);
    *out_waited_ns = clock->mono_ns(clock) - from;
    return st;
}

enum takc_status takc_question_answer(const struct takc_asked *asked, struct takc_call *call, struct takc_question *q,
                                      struct takc_query_result *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    struct takc_models_use use = {0};
    uint64_t waited_ns = 0;
    q->o.snapshots = asked->api->snapshots;
    q->o.profile = &q->profile;
    q->o.no_context = true; /* no reply carries it */
    if (q->model.model.len)
        st = wait_for_model(asked, call, q, &use, &waited_ns, err);
    q->o.models = use.models;
    if (!st)
        st = takc_query(asked->home, call, &q->o, out, err);
    if (!st)
        count_hit(asked, q->o.task, out);
    out->timing.model_ns += waited_ns;
    out->timing.total_ns += waited_ns;
    out->ms = (out->timing.total_ns + 500000) / 1000000;
    takc_models_pool_put(asked->api->models, &use);
    q->o.models = NULL;
    return st;
}

static void on_chosen(void *arg, const struct takc_query_result *r)
{
    struct takc_question *q = arg;
    q->chosen.mode = r->mode;
    (void)snprintf(q->chosen.rate, sizeof(q->chosen.rate), "%s", r->rate);
    (void)snprintf(q->chosen.version, sizeof(q->chosen.version), "%.*s", TAKC_STR_ARG(r->version));
}

void takc_question_streams(struct takc_question *q, takc_query_delta_fn *delta, void *arg)
{
    q->o.delta = delta;
    q->o.delta_arg = arg;
    q->o.chosen = on_chosen;
    q->o.chosen_arg = q;
}

void takc_question_chosen_headers(struct takc_exchange *x, const struct takc_question *q)
{
    if (q->chosen.told || !q->chosen.mode)
        return;
    takc_exchange_header(x, "x-takc-rate", takc_str(q->chosen.rate));
    takc_exchange_header(x, "x-takc-mode", takc_str(takc_mode_name(q->chosen.mode)));
    takc_exchange_header(x, "x-takc-version", takc_str(q->chosen.version));
    takc_exchange_header(x, "x-takc-cache", takc_str("hit"));
}

void takc_question_clear(struct takc_question *q)
{
    takc_free(q->lists);
    q->lists = NULL;
    takc_profile_clear(&q->profile);
}

/* ---- streams ---- */

enum takc_status takc_api_event(struct takc_exchange *x, const char *name, json_t *data, struct takc_err *err)
{
    struct takc_buf b;
    takc_buf_init(&b, TAKC_BUF_MAX_REPLY);
    enum takc_status st = data ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for an event");
    if (!st && name)
        st = takc_buf_printf(&b, err, "event: %s\n", name);
    if (!st)
        st = takc_buf_add(&b, takc_str("data: "), err);
    if (!st)
        st = takc_json_dump(data, false, &b, err);
    if (!st)
        st = takc_buf_add(&b, takc_str("\n\n"), err);
    if (!st)
        st = takc_exchange_post(x, takc_buf_str(&b), err);
    json_decref(data);
    takc_buf_clear(&b);
    return st;
}

static enum takc_status begin_stream(struct answering *a, struct takc_err *err)
{
    if (a->streams)
        return TAKC_OK;
    a->streams = true;
    takc_question_chosen_headers(a->x, &a->q);
    return takc_exchange_stream(a->x, 200, "text/event-stream", err);
}

static enum takc_status on_delta(void *arg, struct takc_str text, struct takc_err *err)
{
    struct answering *a = arg;
    enum takc_status st = begin_stream(a, err);
    return st || !text.len ? st : takc_api_event(a->x, NULL, json_pack("{so}", "delta", takc_json_str(text)), err);
}

static void end_stream(struct answering *a, json_t *reply)
{
    enum takc_status st = begin_stream(a, NULL);
    if (!st)
        st = takc_api_event(a->x, "result", reply, NULL);
    else
        json_decref(reply);
    if (!st)
        (void)!takc_exchange_post(a->x, takc_str("data: [DONE]\n\n"), NULL);
}

/* ---- the answer ---- */

void takc_question_spent_headers(struct takc_exchange *x, const struct takc_query_result *r)
{
    char number[40];
    (void)snprintf(number, sizeof(number), "%.6f", (double)r->answer.picodollars / 1e12);
    takc_exchange_header(x, "x-takc-cost-usd", takc_str(number));
    (void)snprintf(number, sizeof(number), "%.2f", (double)(r->timing.total_ns - r->timing.model_ns) / 1e6);
    takc_exchange_header(x, "x-takc-overhead-ms", takc_str(number));
}

void takc_question_headers(struct takc_exchange *x, const struct takc_query_result *r)
{
    char number[16];
    takc_exchange_header(x, "x-takc-rate", takc_str(r->rate));
    takc_exchange_header(x, "x-takc-mode", takc_str(takc_mode_name(r->mode)));
    takc_exchange_header(x, "x-takc-version", r->version);
    takc_exchange_header(x, "x-takc-cache", takc_str(r->answer.cache_hit ? "answer" : "hit"));
    (void)snprintf(number, sizeof(number), "%.4f", r->confidence);
    takc_exchange_header(x, "x-takc-confidence", takc_str(number));
    takc_question_spent_headers(x, r);
}

static void fail(struct answering *a, const struct takc_asked *asked, enum takc_status st, const struct takc_query_result *r,
                 struct takc_err *err)
{
    struct takc_refusal f = takc_question_refusal(a->x, takc_json_get_str(asked->body, "model").len > 0, st, r, err);
    if (!a->streams && r->answer.asked)
        takc_question_spent_headers(a->x, r);
    if (!a->streams)
        takc_question_fail(a->x, &f);
    else if (!takc_api_event(a->x, "error", takc_question_error(a->x, &f), NULL))
        (void)!takc_exchange_post(a->x, takc_str("data: [DONE]\n\n"), NULL);
}

static void say_answer(struct answering *a, const struct takc_query_result *r, bool stream)
{
    const struct takc_query_reply reply = {.query = a->q.o.question, .task_type = a->q.o.task, .result = r};
    if (!a->streams)
        takc_question_headers(a->x, r);
    a->q.chosen.told = true;
    if (stream && !a->streams) /* lines of the documents, or a kept answer: all of it at once */
        (void)!on_delta(a, r->response, NULL);
    if (stream)
        end_stream(a, takc_query_reply_json(&reply));
    else
        takc_api_json(a->x, 200, takc_query_reply_json(&reply));
}

void takc_on_query(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct answering a = {.x = x};
    struct takc_query_result r = {0};
    struct takc_err err = {0};
    bool stream = json_is_true(json_object_get(asked->body, "stream"));
    if (!takc_api_may_task(x, asked, takc_json_get_str(asked->body, "task_type")))
        return;
    enum takc_status st = takc_question_of_body(asked->api, asked->body, &a.q, &err);
    if (!st)
        st = takc_question_model(asked, takc_json_get_str(asked->body, "model"), &a.q, &err);
    if (stream) {
        takc_question_streams(&a.q, on_delta, &a);
    }
    takc_observe_words(x, asked, &a.q.o);
    if (!st)
        st = takc_question_answer(asked, &x->call, &a.q, &r, &err);
    takc_limits_spent(asked, &r);
    takc_observe_question(x, asked, &a.q.o, st, &r);
    if (st)
        fail(&a, asked, st, &r, &err);
    else
        say_answer(&a, &r, stream);
    takc_query_result_free(&r);
    takc_question_clear(&a.q);
}
