/* SPDX-License-Identifier: Apache-2.0
 *
 * models.c - a task's models opened: names taken apart, what their kinds need made once and shared, a caller over them.
 *
 * The HTTP client and the chain of AWS credentials are made only where a kind says that it needs them, so that a run with the stand-in
 * starts no thread and loads no libcurl. The key of openai is never given to another kind: who has one for OpenAI in the environment and
 * asks Bedrock must not send it there. */
#include "aws/credentials.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/log.h"
#include "pipeline/models_parts.h"

#include <limits.h>
#include <stdio.h>

extern char **environ;

enum { SECRET_MAX = 64 << 10, SECRET_WAIT_MS = 30000, HEADERS_MAX = 30 };

struct opening { /* while models are opened */
    struct takc_models *m;
    struct takc_buf key; /* of openai, fetched where settings name a secret */
    struct takc_http_header headers[HEADERS_MAX];
    size_t n_headers;
    struct takc_str guardrail, guardrail_version;
};

/* --- what settings say --- */

static bool keep(struct takc_models *m, struct takc_str *s)
{
    *s = takc_arena_dup(&m->arena, *s);
    return s->ptr != NULL;
}

/* Settings are copied: theirs live only as long as open. */
static enum takc_status keep_settings(struct takc_models *m, struct takc_str task, const struct takc_model_settings *s,
                                      struct takc_err *err)
{
    m->s = *s;
    m->task = task;
    struct takc_str *texts[] = {&m->task,    &m->s.model,       &m->s.base_url,         &m->s.api_key,   &m->s.headers, &m->s.region,
                                &m->s.facts, &m->s.aws_profile, &m->s.bedrock_endpoint, &m->s.guardrail, &m->s.ca_file, &m->s.proxy};
    struct takc_str *fallbacks = takc_arena_array(&m->arena, s->n_fallbacks + 1, sizeof(*fallbacks));
    bool good = fallbacks != NULL;
    for (size_t i = 0; good && i < sizeof(texts) / sizeof(texts[0]); i++)
        good = keep(m, texts[i]);
    for (size_t i = 0; good && i < s->n_fallbacks; i++) {
        fallbacks[i] = s->fallbacks[i];
        good = keep(m, &fallbacks[i]);
    }
    m->s.fallbacks = fallbacks;
    return good ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for models");
}

/* "openai:gpt-x" into its kind and the provider's own id. INVALID names the kinds that there are. */
static enum takc_status take_apart(struct takc_str name, const struct takc_model_kind **out_kind, struct takc_str *out_id,
                                   struct takc_err *err)
{
    size_t colon = takc_str_find_byte(name, ':', 0), n = 0;
    char kinds[200] = "";
    *out_kind = colon == SIZE_MAX ? NULL : takc_model_kind_find(takc_str_slice(name, 0, colon));
    if (*out_kind && colon + 1 < name.len) {
        *out_id = takc_str_slice(name, colon + 1, name.len);
        return TAKC_OK;
    }
    const struct takc_model_kind *k;
    for (size_t i = 0; (k = takc_model_kind_at(i)) && n < sizeof(kinds); i++)
        n += (size_t)snprintf(kinds + n, sizeof(kinds) - n, "%s%s:MODEL", i ? ", " : "", k->name);
    return takc_fail(err, TAKC_INVALID, 0, "model '%.*s': it is written %s", TAKC_STR_ARG(name), kinds);
}

enum takc_status takc_models_name_check(struct takc_str name, struct takc_err *err)
{
    const struct takc_model_kind *kind;
    struct takc_str id;
    return take_apart(name, &kind, &id, err);
}

/* "ID" or "ID:VERSION"; an ARN has colons of its own, and a version is a number or DRAFT. */
static void take_guardrail(struct opening *o, struct takc_str text)
{
    size_t colon = SIZE_MAX;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == ':')
            colon = i;
    o->guardrail = text;
    if (colon == SIZE_MAX || takc_str_find_byte(takc_str_slice(text, colon, text.len), '/', 0) != SIZE_MAX)
        return;
    o->guardrail = takc_str_slice(text, 0, colon);
    o->guardrail_version = takc_str_slice(text, colon + 1, text.len);
}

/* Lines "Name: value". Messages name the line's number, never its text: values are secrets. */
static enum takc_status take_headers(struct opening *o, struct takc_str text, struct takc_err *err)
{
    struct takc_str line;
    size_t number = 0;
    while (text.len && takc_str_split(&text, '\n', &line)) {
        size_t colon = takc_str_find_byte(line, ':', 0);
        number++;
        if (takc_str_trim(line).len == 0)
            continue;
        if (colon == SIZE_MAX || takc_str_trim(takc_str_slice(line, 0, colon)).len == 0)
            return takc_fail(err, TAKC_INVALID, 0, "model.headers, line %zu: 'Name: value' is expected", number);
        if (o->n_headers == HEADERS_MAX)
            return takc_fail(err, TAKC_INVALID, 0, "model.headers: more than %d", HEADERS_MAX);
        o->headers[o->n_headers++] = (struct takc_http_header){takc_str_trim(takc_str_slice(line, 0, colon)),
                                                               takc_str_trim(takc_str_slice(line, colon + 1, line.len))};
    }
    return TAKC_OK;
}

/* --- what kinds need --- */

static const char *text_or_null(struct takc_str s)
{
    return s.len ? s.ptr : NULL;
}

static enum takc_status need_http(struct takc_models *m, struct takc_err *err)
{
    const struct takc_http_options o = {
        .ca_file = text_or_null(m->s.ca_file), .proxy = text_or_null(m->s.proxy), .max_per_host = m->s.parallel > 16 ? m->s.parallel : 0};
    return m->http ? TAKC_OK : takc_http_open(&m->http, &o, err);
}

static enum takc_status need_aws(struct takc_models *m, struct takc_err *err)
{
    enum takc_status st = need_http(m, err);
    const struct takc_aws_options o = {.http = m->http,
                                       .environment = (const char *const *)environ,
                                       .profile = text_or_null(m->s.aws_profile),
                                       .region = text_or_null(m->s.region),
                                       .clock = m->s.clock};
    return st || m->aws ? st : takc_aws_open(&m->aws, &o, err);
}

/* The key itself, or what the secret of that ARN holds. */
static enum takc_status fetch_key(struct opening *o, struct takc_err *err)
{
    struct takc_models *m = o->m;
    struct takc_str key = m->s.api_key;
    const struct takc_clock *clock = takc_clock_or_system(m->s.clock);
    struct takc_call call;
    if (o->key.len || !key.len)
        return TAKC_OK;
    if (!takc_str_starts(key, takc_str("arn:")) || takc_str_find(key, takc_str(":secretsmanager:"), 0) == SIZE_MAX)
        return takc_buf_add(&o->key, key, err);
    takc_call_init(&call);
    call.clock = m->s.clock;
    call.deadline_ns = clock->mono_ns(clock) + SECRET_WAIT_MS * (uint64_t)1000000;
    enum takc_status st = need_aws(m, err);
    st = st ? st : takc_aws_secret(m->aws, &call, key, NULL, &o->key, err);
    return st ? takc_err_prefix(err, st, "model.api_key") : TAKC_OK;
}

/* --- opening --- */

static enum takc_status open_one(struct opening *o, struct takc_str name, const struct takc_tokenizer *counter, struct takc_err *err)
{
    struct takc_models *m = o->m;
    const struct takc_model_kind *kind;
    struct takc_caller_model *to = &m->models[m->n_models];
    enum takc_status st = take_apart(name, &kind, &to->model, err);
    if (st)
        return st;
    bool aws = kind->needs & TAKC_MODEL_NEEDS_AWS, keyed = !aws && kind->needs & TAKC_MODEL_NEEDS_HTTP;
    if (kind->needs & TAKC_MODEL_NEEDS_HTTP)
        st = need_http(m, err);
    if (!st && aws)
        st = need_aws(m, err);
    if (!st && keyed)
        st = fetch_key(o, err);
    const struct takc_model_options with = {.http = m->http,
                                            .aws = aws ? m->aws : NULL,
                                            .base_url = aws ? m->s.bedrock_endpoint : m->s.base_url,
                                            .api_key = keyed ? takc_buf_str(&o->key) : takc_str(""),
                                            .model = to->model,
                                            .guardrail = o->guardrail,
                                            .guardrail_version = o->guardrail_version,
                                            .facts = &m->facts,
                                            .headers = o->headers,
                                            .n_headers = keyed ? o->n_headers : 0,
                                            .tokenizer = counter,
                                            .clock = m->s.clock};
    st = st ? st : kind->open(&to->provider, &with, err);
    if (st)
        return takc_err_prefix(err, st, "model %.*s", TAKC_STR_ARG(name));
    to->limit = (struct takc_limit_options){.requests_per_minute = m->s.requests_per_minute,
                                            .tokens_per_minute = m->s.tokens_per_minute,
                                            .max_parallel = m->s.parallel,
                                            .clock = m->s.clock};
    m->n_models++;
    return TAKC_OK;
}

static enum takc_status open_chain(struct takc_models *m, const struct takc_tokenizer *counter, struct takc_err *err)
{
    struct opening o = {.m = m};
    takc_buf_init_secret(&o.key, SECRET_MAX);
    take_guardrail(&o, m->s.guardrail);
    enum takc_status st = take_headers(&o, m->s.headers, err);
    if (!st)
        st = open_one(&o, m->s.model, counter, err);
    for (size_t i = 0; !st && i < m->s.n_fallbacks; i++)
        st = open_one(&o, m->s.fallbacks[i], counter, err);
    takc_buf_clear(&o.key);
    return st;
}

static enum takc_status open_caller(struct takc_models *m, const struct takc_tokenizer *counter, struct takc_err *err)
{
    const struct takc_clock *clock = takc_clock_or_system(m->s.clock);
    struct takc_caller_options o = {.models = m->models,
                                    .n_models = m->n_models,
                                    .facts = &m->facts,
                                    .retry = takc_retry_policy_default(),
                                    .ledger = takc_models_ledger(m),
                                    .tokenizer = counter,
                                    .seed = clock->mono_ns(clock) | 1};
    for (size_t i = 0; i < m->n_models; i++) {
        const struct takc_caller_model *c = &m->models[i];
        m->capless |=
            (m->s.max_cost || m->s.monthly_cap) && !takc_facts_find(&m->facts, takc_str(c->provider->ops->name), c->model).has_price;
    }
    if (m->capless)
        takc_log(WARN, "model", "a cap is set, but %s", TAKC_MODELS_CAPLESS);
    if (m->s.retries)
        o.retry.max_retries = m->s.retries == UINT_MAX ? 0 : m->s.retries;
    if (m->s.retry_base_ms)
        o.retry.base_ms = m->s.retry_base_ms;
    if (o.retry.cap_ms < o.retry.base_ms)
        o.retry.cap_ms = o.retry.base_ms;
    return takc_caller_open(&m->caller, &o, err);
}

static enum takc_status set_up(struct takc_models *m, struct takc_str task, const struct takc_model_settings *s,
                               const struct takc_tokenizer *counter, struct takc_err *err)
{
    enum takc_status st = keep_settings(m, task, s, err);
    if (!st && !s->model.len)
        st = takc_fail(err, TAKC_INVALID, 0, "no model is set");
    if (!st && !(m->models = takc_arena_array(&m->arena, s->n_fallbacks + 1, sizeof(*m->models))))
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for models");
    if (!st)
        st = takc_facts_load(&m->facts, text_or_null(m->s.facts), err);
    if (!st)
        st = open_chain(m, counter, err);
    return st ? st : open_caller(m, counter, err);
}

enum takc_status takc_models_open(struct takc_models **out, struct takc_home *home, struct takc_str task,
                                  const struct takc_model_settings *s, const struct takc_tokenizer *counter, struct takc_err *err)
{
    struct takc_models *m = takc_alloc(sizeof(*m));
    if (!m)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for models");
    enum takc_status st = takc_mutex_init(&m->locked.mu, err);
    if (st) {
        takc_free(m);
        return st;
    }
    takc_arena_init(&m->arena);
    m->arena.secret = true;
    m->home = home;
    m->counter = counter ? counter : takc_tokenizer_find(takc_str("estimate"));
    st = set_up(m, task, s, counter, err);
    if (st == TAKC_NOT_FOUND) /* what a setting names: no version, no rate, nothing that is asked for */
        st = takc_err_change(err, TAKC_INVALID);
    if (st)
        takc_models_close(m);
    else
        *out = m;
    return st;
}

void takc_models_close(struct takc_models *m)
{
    if (!m)
        return;
    takc_caller_close(m->caller);
    for (size_t i = 0; i < m->n_models; i++)
        takc_model_close(m->models[i].provider);
    takc_aws_close(m->aws);
    takc_http_close(m->http);
    takc_facts_clear(&m->facts);
    takc_free(m->locked.flights);
    takc_mutex_clear(&m->locked.mu);
    takc_arena_clear(&m->arena);
    takc_free(m);
}

/* --- asking --- */

enum takc_status takc_models_complete(struct takc_models *m, struct takc_call *call, struct takc_str version, struct takc_str purpose,
                                      const struct takc_model_request *r, takc_model_delta_fn *delta, void *arg,
                                      struct takc_model_reply *reply, struct takc_caller_sum *out_sum, struct takc_err *err)
{
    const struct takc_caller_what what = {m->task, version, purpose};
    struct takc_model_request timed = *r;
    if (!timed.first_token_ms)
        timed.first_token_ms = m->s.first_token_ms;
    if (!timed.total_ms)
        timed.total_ms = m->s.total_ms;
    struct takc_caller_sum sum;
    enum takc_status st = takc_caller_complete(m->caller, call, &what, &timed, delta, arg, reply, &sum, err);
    takc_models_tell(m, sum.priced, reply);
    if (out_sum)
        *out_sum = sum;
    return st;
}

const struct takc_model_ops *takc_models_ops(const struct takc_models *m)
{
    return m->models[0].provider->ops;
}

const struct takc_model_facts *takc_models_facts(const struct takc_models *m)
{
    return takc_caller_facts(m->caller);
}

/* --- who they are --- */

static enum takc_status identity(const struct takc_caller_model *c, struct takc_arena *a, struct takc_str *out, struct takc_err *err)
{
    enum { SHOWN = 16 };
    struct takc_str place = takc_model_place(c->provider);
    struct takc_hex hash = {""};
    enum takc_status st = place.len ? takc_sha256(place, &hash, err) : TAKC_OK;
    if (st)
        return st;
    char *text =
        takc_arena_printf(a, "%s:%.*s%s%.*s", c->provider->ops->name, TAKC_STR_ARG(c->model), place.len ? " at " : "", SHOWN, hash.s);
    *out = takc_str(text);
    return text ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a model's name");
}

enum takc_status takc_models_chain(const struct takc_models *m, struct takc_arena *a, const struct takc_str **out, size_t *out_n,
                                   struct takc_err *err)
{
    struct takc_str *all = takc_arena_array(a, m->n_models, sizeof(*all));
    enum takc_status st = all ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for models");
    for (size_t i = 0; !st && i < m->n_models; i++)
        st = identity(&m->models[i], a, &all[i], err);
    if (st)
        return st;
    *out = all;
    *out_n = m->n_models;
    return TAKC_OK;
}

/* --- for people --- */

static enum takc_status describe_facts(const struct takc_model_facts *f, int64_t now_s, struct takc_buf *out, struct takc_err *err)
{
    char in[32], from[32], of[96];
    enum { MILLION = 1000000 };
    enum takc_status st = takc_buf_printf(out, err, "window %u tokens%s; ", f->window, f->known ? "" : " (not in the table: assumed)");
    if (st || !f->has_price)
        return st ? st : takc_buf_printf(out, err, "no price on file: calls count as free (model.facts sets prices)\n");
    takc_money_text(f->price_input * MILLION, in);
    takc_money_text(f->price_output * MILLION, from);
    takc_price_date_text(f->price_date, now_s, of);
    return takc_buf_printf(out, err, "a million tokens %s in, %s out (prices of %s)\n", in, from, of);
}

enum takc_status takc_models_describe(struct takc_models *m, struct takc_call *call, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    const struct takc_clock *clock = takc_clock_or_system(m->s.clock);
    for (size_t i = 0; !st && i < m->n_models; i++) {
        const struct takc_caller_model *c = &m->models[i];
        const char *name = c->provider->ops->name;
        struct takc_model_facts f = takc_facts_find(&m->facts, takc_str(name), c->model);
        st = takc_buf_printf(out, err, "%s:%.*s%s: ", name, TAKC_STR_ARG(c->model), i ? " (fallback)" : "");
        st = st ? st : describe_facts(&f, clock->wall_s(clock), out, err);
        if (!st && (st = takc_model_describe(c->provider, call, out, err)))
            st = takc_err_prefix(err, st, "%s:%.*s", name, TAKC_STR_ARG(c->model));
    }
    return st;
}
