/* SPDX-License-Identifier: Apache-2.0
 *
 * on_chat.c - takc for clients of OpenAI: POST /v1/chat/completions, GET /v1/models, GET /v1/models/{model}. A model is a task: takc/TASK,
 * takc/TASK@3, takc/TASK:8x.
 *
 * The last message of the user is the question; the turns before it are history. Messages of other roles, parameters that mean nothing here
 * and tools that may be called are let through unread; who asks for what no answer has (JSON, a call of a tool, logprobs, sound, a look at
 * a picture) is told so, since his program would break on the answer. Citations, confidence and money are in the extra member "takc". */
#include "http/limits.h"
#include "http/observe.h"

#include "base/clock.h"

#include <stdio.h>

enum { QUESTION_MAX = 32000 /* characters, as POST /query has it */, TURN_MAX = 2000 /* bytes of a turn before it */ };

struct chat {
    struct takc_question q;
    struct takc_exchange *x;
    struct takc_str model; /* as asked */
    char id[80];
    int64_t created_s;
    bool streams, with_usage;
};

/* ---- failures ---- */

/* "/messages/0/role" as OpenAI has it: "messages[0].role"; of the query string its name. Gives the length. */
static size_t param_of(struct takc_str pointer, char out[200])
{
    struct takc_str rest = takc_str_slice(pointer, pointer.ptr[0] == '/' || pointer.ptr[0] == '?', pointer.len), part;
    size_t n = 0;
    out[0] = '\0';
    while (takc_str_split(&rest, '/', &part)) {
        bool number = part.len && part.ptr[0] >= '0' && part.ptr[0] <= '9';
        int more = snprintf(out + n, 200 - n, number ? "[%.*s]" : n ? ".%.*s" : "%.*s", TAKC_STR_ARG(part));
        n = more > 0 && n + (size_t)more < 200 ? n + (size_t)more : strlen(out);
    }
    return n;
}

/* Clients raise by the HTTP status; people's code looks at code. */
json_t *takc_openai_error(const char *code, struct takc_str message, struct takc_str pointer)
{
    static const struct {
        const char *ours, *type, *theirs;
    } words[] = {{"AUTHENTICATION_FAILED", "invalid_request_error", "invalid_api_key"},
                 {"NOT_FOUND", "invalid_request_error", "model_not_found"},
                 {"CACHE_NOT_FOUND", "invalid_request_error", "model_not_found"},
                 {"INVALID_TASK_TYPE", "invalid_request_error", "model_not_found"},
                 {"MODEL_NOT_FOUND", "invalid_request_error", "model_not_found"},
                 {"TOO_LONG", "invalid_request_error", "context_length_exceeded"},
                 {"LIMITED", "rate_limit_error", "rate_limit_exceeded"},
                 {"RATE_LIMIT_EXCEEDED", "rate_limit_error", "rate_limit_exceeded"},
                 {"COST", "insufficient_quota", "insufficient_quota"},
                 {"BUSY", "server_error", "server_busy"},
                 {"CANCELLED", "server_error", "cancelled"},
                 {"NO_MODEL", "server_error", "upstream_error"},
                 {"UNTRUSTED", "server_error", "upstream_error"},
                 {"INTERNAL_ERROR", "server_error", "internal_error"},
                 {"UPSTREAM", "server_error", "upstream_error"},
                 {"TIMEOUT", "server_error", "timeout"},
                 {"INVALID", "invalid_request_error", "invalid_value"}};
    const char *type = "invalid_request_error", *theirs = code;
    char param[200];
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(code, words[i].ours) == 0) {
            type = words[i].type;
            theirs = words[i].theirs;
        }
    return json_pack("{s{so ss so ss}}", "error", "message", takc_json_str(message), "type", type, "param",
                     pointer.len ? takc_json_str(takc_str_n(param, param_of(pointer, param))) : json_null(), "code", theirs);
}

/* ---- reading ---- */

/* "takc/fin@3:8x" into task, version and rate. NOT_FOUND for what is no name of a model, too. */
static enum takc_status read_model(struct takc_str model, struct takc_query_options *o, struct takc_err *err)
{
    struct takc_str rest = model;
    if (!takc_str_starts(rest, takc_str("takc/")))
        return takc_fail(err, TAKC_NOT_FOUND, 0, "there is no model %.*s; models are takc/TASK, and GET /v1/models lists them",
                         (int)(model.len < 80 ? model.len : 80), model.ptr);
    rest = takc_str_slice(rest, 5, rest.len);
    size_t colon = takc_str_find_byte(rest, ':', 0);
    enum takc_status st = TAKC_OK;
    if (colon != SIZE_MAX) {
        st = takc_rate_parse(takc_str_slice(rest, colon + 1, rest.len), &o->rate, err);
        rest = takc_str_slice(rest, 0, colon);
    }
    size_t at = takc_str_find_byte(rest, '@', 0);
    if (at != SIZE_MAX) {
        o->version = takc_str_slice(rest, at + 1, rest.len);
        rest = takc_str_slice(rest, 0, at);
        if (!o->version.len && !st)
            st = takc_fail(err, TAKC_INVALID, 0, "the version behind @ is missing");
    }
    o->task = rest;
    if (!st)
        st = takc_task_name_check(rest, err);
    if (!st)
        return TAKC_OK;
    struct takc_err why = *err;
    return takc_fail(err, TAKC_NOT_FOUND, 0, "there is no model %.*s: %s; GET /v1/models lists them",
                     (int)(model.len < 80 ? model.len : 80), model.ptr, why.msg);
}

/* Is the version of a model that is named there? */
static enum takc_status find_version(struct takc_home *home, const struct takc_query_options *o, struct takc_err *err)
{
    struct takc_arena a;
    struct takc_manifest m;
    takc_arena_init(&a);
    enum takc_status st = o->version.len ? takc_home_manifest(home, o->task, &a, &m, err) : TAKC_OK;
    if (!st && o->version.len && !takc_manifest_find(&m, o->version))
        st = takc_fail(err, TAKC_NOT_FOUND, 0, "task %.*s has no version '%.*s': GET /cache/%.*s shows them", TAKC_STR_ARG(o->task),
                       TAKC_STR_ARG(o->version), TAKC_STR_ARG(o->task));
    takc_arena_clear(&a);
    return st;
}

/* A message's text: its content, or the texts of its parts with a line break between. In the arena; ptr NULL: no memory. */
static struct takc_str text_of(struct takc_arena *a, const json_t *message)
{
    const json_t *content = json_object_get(message, "content");
    size_t most = 1, n = 0;
    if (json_is_string(content))
        return takc_str_n(json_string_value(content), json_string_length(content));
    for (size_t i = 0; i < json_array_size(content); i++)
        most += takc_json_get_str(json_array_get(content, i), "text").len + 1;
    char *all = takc_arena_alloc(a, most);
    for (size_t i = 0; i < json_array_size(content) && all; i++) {
        struct takc_str part = takc_json_get_str(json_array_get(content, i), "text");
        if (!part.len)
            continue;
        if (n)
            all[n++] = '\n';
        memcpy(all + n, part.ptr, part.len);
        n += part.len;
    }
    return takc_str_n(all, n);
}

static size_t count_characters(struct takc_str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

/* The beginning of a long turn, whole characters. */
static struct takc_str begin_of(struct takc_str s)
{
    size_t n = s.len < TURN_MAX ? s.len : TURN_MAX;
    while (n < s.len && n && ((unsigned char)s.ptr[n] & 0xc0) == 0x80)
        n--;
    return takc_str_slice(s, 0, n);
}

static bool is_of(const json_t *messages, size_t at, const char *role)
{
    return takc_str_is(takc_json_get_str(json_array_get(messages, at), "role"), role);
}

static enum takc_status check_parts(const json_t *messages, size_t at, struct takc_err *err)
{
    const json_t *parts = json_object_get(json_array_get(messages, at), "content");
    for (size_t i = 0; i < json_array_size(parts); i++)
        if (!json_is_string(json_object_get(json_array_get(parts, i), "text")))
            return takc_fail(err, TAKC_INVALID, 0, "/messages/%zu/content/%zu: a part of type text is expected", at, i);
    return TAKC_OK;
}

/* The question is all of the last message of the user, at that place; what the user sent before it that no assistant has answered may
 * belong to it. A picture that nobody looks at would be answered in silence. */
static enum takc_status check_question(const json_t *messages, size_t at, struct takc_str text, struct takc_err *err)
{
    size_t first = at;
    enum takc_status st = TAKC_OK;
    while (first && !is_of(messages, first - 1, "assistant"))
        first--;
    for (size_t i = first; i <= at && !st; i++)
        if (is_of(messages, i, "user"))
            st = check_parts(messages, i, err);
    if (st)
        return st;
    if (!takc_str_trim(text).len)
        return takc_fail(err, TAKC_INVALID, 0, "/messages/%zu/content: a text that is not blank is expected", at);
    if (count_characters(text) > QUESTION_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "/messages/%zu/content: a question of at most %d characters is expected", at, QUESTION_MAX);
    return TAKC_OK;
}

/* Turns before the last question: pairs of what was asked and answered, the latest ones. */
static enum takc_status read_messages(struct chat *c, const json_t *messages, struct takc_err *err)
{
    struct takc_question_lists *q;
    size_t n = 0, last = 0;
    if (takc_question_lists(&c->q, err))
        return TAKC_NOMEM;
    q = c->q.lists;
    for (size_t i = 0; i < json_array_size(messages); i++) {
        const json_t *m = json_array_get(messages, i);
        struct takc_str role = takc_json_get_str(m, "role"), text = text_of(&c->x->arena, m);
        if (!text.ptr)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for messages");
        if (takc_str_is(role, "user")) {
            if (n == TAKC_TURNS_MAX) {
                memmove(q->questions, q->questions + 1, (n - 1) * sizeof(q->questions[0]));
                memmove(q->answers, q->answers + 1, (n - 1) * sizeof(q->answers[0]));
                n--;
            }
            q->answers[n] = takc_str("");
            q->questions[n++] = text;
            last = i;
        } else if (takc_str_is(role, "assistant") && n) {
            q->answers[n - 1] = begin_of(text);
        }
    }
    if (!n)
        return takc_fail(err, TAKC_INVALID, 0, "/messages: a message of the user with a text is expected");
    enum takc_status st = check_question(messages, last, q->questions[n - 1], err);
    if (st)
        return st;
    for (size_t i = 0; i + 1 < n; i++)
        q->questions[i] = begin_of(q->questions[i]);
    c->q.o.question = q->questions[n - 1];
    c->q.o.history = q->questions;
    c->q.o.history_answers = q->answers;
    c->q.o.n_history = n - 1;
    return TAKC_OK;
}

static uint32_t limit_of(const json_t *body)
{
    const json_t *a = json_object_get(body, "max_completion_tokens"), *b = json_object_get(body, "max_tokens");
    return (uint32_t)json_number_value(json_is_number(a) ? a : b);
}

static enum takc_status read_chat(const struct takc_asked *asked, struct chat *c, struct takc_err *err)
{
    const json_t *body = asked->body;
    const json_t *t = json_object_get(body, "temperature");
    const struct takc_clock *clock = takc_clock_system();
    c->created_s = clock->wall_s(clock);
    (void)snprintf(c->id, sizeof(c->id), "chatcmpl-%s", c->x->request_id);
    c->with_usage = json_is_true(json_object_get(json_object_get(body, "stream_options"), "include_usage"));
    takc_question_defaults(asked->api, &c->q);
    c->q.o.max_tokens = limit_of(body);
    c->q.o.has_temperature = json_is_number(t);
    c->q.o.temperature = json_number_value(t);
    enum takc_status st = read_messages(c, json_object_get(body, "messages"), err);
    return st ? st : takc_question_model(asked, takc_str(""), &c->q, err);
}

/* ---- replying ---- */

/* Without a model the answer's tokens are those of the lines shown. */
static json_t *usage_json(const struct takc_query_result *r)
{
    uint64_t in = r->answer.asked ? r->answer.input + r->answer.cache_read + r->answer.cache_write : r->tokens;
    return json_pack("{sI sI sI s{sI} s{si}}", "prompt_tokens", (json_int_t)in, "completion_tokens", (json_int_t)r->answer.output,
                     "total_tokens", (json_int_t)in + (json_int_t)r->answer.output, "prompt_tokens_details", "cached_tokens",
                     (json_int_t)r->answer.cache_read, "completion_tokens_details", "reasoning_tokens", 0);
}

static const char *finish_of(const struct takc_query_result *r)
{
    return r->answer.blocked ? "content_filter" : r->answer.cut ? "length" : "stop";
}

/* What OpenAI has no word for: the reply as POST /query gives it. */
static json_t *extra_json(const struct chat *c, const struct takc_query_result *r)
{
    const struct takc_query_reply reply = {.query = c->q.o.question, .task_type = c->q.o.task, .result = r};
    json_t *v = takc_query_reply_json(&reply);
    if (v && (json_object_del(v, "query") || json_object_del(v, "response"))) {
        json_decref(v);
        return NULL;
    }
    return v;
}

static void say_whole(struct chat *c, const struct takc_query_result *r)
{
    takc_question_headers(c->x, r);
    takc_api_json(c->x, 200,
                  json_pack("{ss ss sI so s[{si s{ss so sn} sn ss}] so so}", "id", c->id, "object", "chat.completion", "created",
                            (json_int_t)c->created_s, "model", takc_json_str(c->model), "choices", "index", 0, "message", "role",
                            "assistant", "content", takc_json_str(r->response), "refusal", "logprobs", "finish_reason", finish_of(r),
                            "usage", usage_json(r), "takc", extra_json(c, r)));
}

/* Takes delta; finish NULL: there is more to come. Where the last chunk has the usage, all others have it as null. */
static json_t *chunk(const struct chat *c, json_t *delta, const char *finish)
{
    json_t *v = json_pack("{ss ss sI so s[{si so sn so}]}", "id", c->id, "object", "chat.completion.chunk", "created",
                          (json_int_t)c->created_s, "model", takc_json_str(c->model), "choices", "index", 0, "delta", delta, "logprobs",
                          "finish_reason", finish ? json_string(finish) : json_null());
    if (v && c->with_usage && json_object_set_new(v, "usage", json_null())) {
        json_decref(v);
        return NULL;
    }
    return v;
}

static enum takc_status begin_stream(struct chat *c, struct takc_err *err)
{
    if (c->streams)
        return TAKC_OK;
    c->streams = true;
    takc_question_chosen_headers(c->x, &c->q);
    enum takc_status st = takc_exchange_stream(c->x, 200, "text/event-stream", err);
    return st ? st : takc_api_event(c->x, NULL, chunk(c, json_pack("{ss ss}", "role", "assistant", "content", ""), NULL), err);
}

static enum takc_status on_delta(void *arg, struct takc_str text, struct takc_err *err)
{
    struct chat *c = arg;
    enum takc_status st = begin_stream(c, err);
    return st || !text.len ? st : takc_api_event(c->x, NULL, chunk(c, json_pack("{so}", "content", takc_json_str(text)), NULL), err);
}

static void end_stream(struct chat *c, const struct takc_query_result *r)
{
    bool spoke = c->streams;
    if (!spoke)
        c->q.chosen.told = true; /* by the headers of the whole result */
    enum takc_status st = begin_stream(c, NULL);
    if (!st && !spoke)
        st = on_delta(c, r->response, NULL);
    json_t *last = chunk(c, json_object(), finish_of(r));
    if (last && json_object_set_new(last, "takc", extra_json(c, r))) {
        json_decref(last);
        last = NULL;
    }
    if (!st)
        st = takc_api_event(c->x, NULL, last, NULL);
    else
        json_decref(last);
    if (!st && c->with_usage)
        st = takc_api_event(c->x, NULL,
                            json_pack("{ss ss sI so s[] so}", "id", c->id, "object", "chat.completion.chunk", "created",
                                      (json_int_t)c->created_s, "model", takc_json_str(c->model), "choices", "usage", usage_json(r)),
                            NULL);
    if (!st)
        (void)!takc_exchange_post(c->x, takc_str("data: [DONE]\n\n"), NULL);
}

static void fail(struct chat *c, enum takc_status st, const struct takc_query_result *r, struct takc_err *err)
{
    struct takc_refusal f = takc_question_refusal(c->x, false, st, r, err);
    if (!c->streams && r->answer.asked)
        takc_question_spent_headers(c->x, r);
    if (!c->streams)
        takc_question_fail(c->x, &f);
    else
        (void)!takc_api_event(c->x, NULL, takc_question_error(c->x, &f), NULL);
}

void takc_on_chat(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct chat c = {.x = x};
    struct takc_query_result r = {0};
    struct takc_err err = {0};
    bool stream = json_is_true(json_object_get(asked->body, "stream"));
    c.model = takc_json_get_str(asked->body, "model");
    enum takc_status st = read_model(c.model, &c.q.o, &err);
    if (!st && !takc_api_may_task(x, asked, c.q.o.task))
        return;
    if (!st)
        st = read_chat(asked, &c, &err);
    if (stream) {
        takc_question_streams(&c.q, on_delta, &c);
    }
    takc_observe_words(x, asked, &c.q.o);
    if (!st)
        st = takc_question_answer(asked, &x->call, &c.q, &r, &err);
    takc_limits_spent(asked, &r);
    takc_observe_question(x, asked, &c.q.o, st, &r);
    if (st)
        fail(&c, st, &r, &err);
    else if (stream)
        end_stream(&c, &r);
    else
        say_whole(&c, &r);
    takc_query_result_free(&r);
    takc_question_clear(&c.q);
}

static json_t *model_json(const struct takc_asked *asked, struct takc_str id)
{
    return json_pack("{so ss sI ss}", "id", takc_json_str(id), "object", "model", "created", (json_int_t)asked->api->started_s, "owned_by",
                     "takc");
}

/* The '/' of an id comes escaped, or as it is: then the path has a segment more. */
static struct takc_str id_of(struct takc_exchange *x, const struct takc_asked *asked)
{
    if (asked->n_params == 1)
        return asked->params[0];
    return takc_str(takc_arena_printf(&x->arena, "%.*s/%.*s", TAKC_STR_ARG(asked->params[0]), TAKC_STR_ARG(asked->params[1])));
}

void takc_on_model(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    struct takc_profile p = {0};
    struct takc_query_options o = {0};
    struct takc_str id = id_of(x, asked);
    enum takc_status st = id.ptr ? read_model(id, &o, &err) : takc_fail(&err, TAKC_NOMEM, 0, "no memory for a name");
    if (!st && !takc_api_may_task(x, asked, o.task))
        return;
    if (!st)
        st = takc_home_profile(asked->home, o.task, &p, &err);
    if (!st)
        st = find_version(asked->home, &o, &err);
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
    else
        takc_api_json(x, 200, model_json(asked, id));
    takc_profile_clear(&p);
}

void takc_on_models(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    struct takc_str *names = NULL;
    size_t n = 0;
    json_t *list = json_array();
    bool good = list != NULL;
    enum takc_status st = takc_home_tasks(asked->home, &x->arena, &names, &n, &err);
    for (size_t i = 0; i < n && good && !st; i++) {
        if (!takc_may_task(&asked->who, names[i]))
            continue;
        const char *id = takc_arena_printf(&x->arena, "takc/%.*s", TAKC_STR_ARG(names[i]));
        good = id && json_array_append_new(list, model_json(asked, takc_str(id))) == 0;
    }
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
    else
        takc_api_json(x, 200, good ? json_pack("{ss sO}", "object", "list", "data", list) : NULL);
    json_decref(list);
}
