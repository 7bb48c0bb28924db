/* SPDX-License-Identifier: Apache-2.0
 *
 * openai.c - any endpoint that speaks OpenAI's chat completions: OpenAI, Azure, vLLM, llama.cpp, Ollama and others. This file sends; what
 * is written and read is in openai_request.c, openai_reply.c and openai_error.c.
 *
 * Where servers differ in how they want a thing said (max_tokens or max_completion_tokens, stream_options), a refusal is learned from: the
 * try fails with PARAMETER and adapted, the next one says it the other way. The key lives in a buffer that is wiped. */
#include "base/alloc.h"
#include "model/openai_parts.h"
#include "net/retry.h"
#include "net/url.h"

#include <stdio.h>

#define OPENAI_URL "https://api.openai.com/v1"

enum { LINE_MAX = 16 << 10, HEADERS_MAX = 32, BODY_MAX = 256 << 20 };

struct openai {
    struct takc_model model;
    struct takc_http *http;
    const struct takc_clock *clock;
    const struct takc_tokenizer *tokenizer;
    struct takc_arena arena;     /* everything but what is secret */
    struct takc_buf secret;      /* "Bearer KEY", then the headers' values */
    struct takc_str base, query; /* of the URL; base without '/' at its end */
    struct takc_str name, key;
    struct takc_http_header headers[HEADERS_MAX];
    size_t n_headers;
    atomic_bool completion_tokens, no_stream_options, swapped; /* swapped: both names of the limit were tried */
};

static struct openai *openai_of(struct takc_model *m);

/* --- a try --- */

struct a_try {
    struct openai *o;
    struct takc_call *call;
    const struct takc_model_request *r;
    struct takc_model_reply *out;
    struct takc_openai_ways ways;
    struct takc_openai_stream *stream; /* NULL: whole */
};

static enum takc_status make_url(const struct openai *o, const char *path, struct takc_buf *out, struct takc_err *err)
{
    return takc_buf_printf(out, err, "%.*s/%s%s%.*s", TAKC_STR_ARG(o->base), path, o->query.len ? "?" : "", TAKC_STR_ARG(o->query));
}

static enum takc_status on_piece(void *arg, struct takc_str piece, struct takc_err *err)
{
    return takc_openai_stream_feed(arg, piece, err);
}

/* "6m0s", "1.5s", "20ms": milliseconds; 0 for anything else. */
static uint64_t duration_ms(struct takc_str s)
{
    double sum = 0;
    char text[32];
    int used = 0;
    if (s.len == 0 || s.len >= sizeof(text))
        return 0;
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    for (const char *p = text; *p; p += used) {
        double n;
        char unit[3] = "";
        if (sscanf(p, "%9lf%2[hms]%n", &n, unit, &used) != 2 || n < 0)
            return 0;
        if (strcmp(unit, "ms") != 0 && unit[1]) { /* "6m0s" read as far as "m" only when what follows is a digit */
            return 0;
        }
        sum += n * (strcmp(unit, "ms") == 0 ? 1 : unit[0] == 's' ? 1000 : unit[0] == 'm' ? 60000 : 3600000);
    }
    return sum < 1e9 ? (uint64_t)sum : 0;
}

/* What the service asks to wait: its own words first; of a full minute, when it starts anew. */
static uint64_t asked_wait(const struct openai *o, const struct takc_http_reply *h)
{
    int64_t now = o->clock->wall_s(o->clock);
    uint64_t ms = takc_retry_after_ms(takc_http_reply_header(h, "retry-after-ms"), true, now);
    if (!ms)
        ms = takc_retry_after_ms(takc_http_reply_header(h, "retry-after"), false, now);
    if (!ms && h->status == 429) {
        struct takc_str left = takc_http_reply_header(h, "x-ratelimit-remaining-requests");
        ms = duration_ms(takc_http_reply_header(h, takc_str_is(left, "0") ? "x-ratelimit-reset-requests" : "x-ratelimit-reset-tokens"));
    }
    return ms;
}

static void read_head(const struct openai *o, const struct takc_http_reply *h, struct takc_model_reply *out)
{
    static const char *const ids[] = {"x-request-id", "apim-request-id", "request-id"};
    struct takc_str id = {NULL, 0};
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]) && id.len == 0; i++)
        id = takc_http_reply_header(h, ids[i]);
    if (id.len)
        (void)snprintf(out->request_id, sizeof(out->request_id), "%.*s", TAKC_STR_ARG(id));
    out->http = h->status;
    out->sent = h->sent;
    if (h->status >= 300)
        out->after_ms = asked_wait(o, h);
}

/* The transfer itself failed, or whoever took its pieces did. */
static enum takc_status failed_transfer(struct a_try *t, enum takc_status st)
{
    if (t->out->failure || (t->stream && t->stream->delta_status))
        return st;
    switch (st) {
    case TAKC_TIMEOUT:
        t->out->failure = TAKC_FAILURE_TIMEOUT;
        return st;
    case TAKC_CANCELLED:
        t->out->failure = TAKC_FAILURE_CANCELLED;
        return st;
    case TAKC_INVALID:
        t->out->failure = TAKC_FAILURE_INVALID;
        return st;
    case TAKC_UPSTREAM:
        t->out->failure = TAKC_FAILURE_CONNECTION;
        return st;
    case TAKC_UNTRUSTED:
        t->out->failure = TAKC_FAILURE_UNTRUSTED;
        return st;
    default: /* NOMEM, BUSY: ours */
        return st;
    }
}

/* A refusal that is about how a thing is said: from now on it is said the other way, once. */
static void adapt(struct a_try *t)
{
    struct openai *o = t->o;
    const char *p = t->out->parameter;
    const char *ours = t->ways.completion_tokens ? "max_completion_tokens" : "max_tokens";
    if (t->out->failure != TAKC_FAILURE_PARAMETER)
        return;
    if (strcmp(p, "stream_options") == 0 && !t->ways.no_stream_options) {
        atomic_store(&o->no_stream_options, true);
        t->out->adapted = true;
    } else if (strcmp(p, ours) == 0 && !atomic_exchange(&o->swapped, true)) {
        atomic_store(&o->completion_tokens, !t->ways.completion_tokens);
        t->out->adapted = true;
    }
}

static enum takc_status read_reply(struct a_try *t, struct takc_http_reply *h, struct takc_err *err)
{
    if (h->status >= 300 && h->status < 400)
        return takc_model_fail(t->out, TAKC_FAILURE_INVALID, err, "HTTP %d: it points elsewhere, which is not followed", h->status);
    if (h->status < 200 || h->status >= 300) {
        enum takc_status st = takc_openai_refusal(takc_buf_str(&h->body), t->o->key, t->out, err);
        adapt(t);
        return st;
    }
    return t->stream ? takc_openai_stream_end(t->stream, err) : takc_openai_read(takc_buf_str(&h->body), t->o->key, t->out, err);
}

static struct takc_http_request http_request(const struct a_try *t, struct takc_str url, struct takc_str body)
{
    uint64_t first = t->r->first_token_ms ? t->r->first_token_ms : 60000, total = t->r->total_ms ? t->r->total_ms : 600000;
    return (struct takc_http_request){.method = "POST",
                                      .url = url,
                                      .headers = t->o->headers,
                                      .n_headers = t->o->n_headers,
                                      .body = body,
                                      .first_byte_ms = t->stream ? first : total, /* whole: the first byte comes with the last */
                                      .idle_ms = t->stream ? first : total,
                                      .total_ms = total,
                                      .max_reply = BODY_MAX,
                                      .piece = t->stream ? on_piece : NULL,
                                      .arg = t->stream};
}

static void count_usage(struct a_try *t)
{
    const struct takc_usage *u = &t->out->usage;
    if (u->input || u->output || u->cache_read || t->out->http >= 300)
        return;
    takc_model_count_here(t->o->tokenizer, t->r, t->out);
    takc_model_note(t->out, "the service told no usage: tokens are counted here, by the tokenizer %s", t->o->tokenizer->name);
}

static enum takc_status exchange(struct a_try *t, struct takc_str url, struct takc_str body, struct takc_err *err)
{
    struct takc_http_reply h;
    struct takc_http_request q = http_request(t, url, body);
    enum takc_status st = takc_http_send(t->o->http, t->call, &q, &h, err);
    read_head(t->o, &h, t->out);
    st = st ? failed_transfer(t, st) : read_reply(t, &h, err);
    if (!st)
        count_usage(t);
    takc_http_reply_clear(&h);
    return st;
}

static enum takc_status openai_complete(struct takc_model *m, struct takc_call *call, const struct takc_model_request *r,
                                        takc_model_delta_fn *delta, void *arg, struct takc_model_reply *out, struct takc_err *err)
{
    struct openai *o = openai_of(m);
    struct takc_str name = r->model.len ? r->model : o->name;
    struct takc_openai_stream stream;
    struct a_try t = {o, call, r, out, {atomic_load(&o->completion_tokens), atomic_load(&o->no_stream_options)}, delta ? &stream : NULL};
    struct takc_buf url, body;
    if (name.len == 0)
        return takc_model_fail(out, TAKC_FAILURE_INVALID, err, "no model is named");
    (void)snprintf(out->model, sizeof(out->model), "%.*s", TAKC_STR_ARG(name));
    takc_buf_init(&url, LINE_MAX);
    takc_buf_init(&body, BODY_MAX);
    takc_openai_stream_init(&stream, out, delta, arg, o->key, o->clock);
    enum takc_status st = make_url(o, "chat/completions", &url, err);
    if (!st)
        st = takc_openai_write(r, name, t.ways, delta != NULL, &body, err);
    if (!st)
        st = exchange(&t, takc_buf_str(&url), takc_buf_str(&body), err);
    else if (st == TAKC_INVALID)
        out->failure = TAKC_FAILURE_INVALID;
    takc_openai_stream_clear(&stream);
    takc_buf_clear(&url);
    takc_buf_clear(&body);
    return st;
}

/* --- embeddings --- */

static enum takc_status write_texts(const struct openai *o, const struct takc_str *texts, size_t n, struct takc_buf *out,
                                    struct takc_err *err)
{
    enum takc_status st = takc_buf_add(out, takc_str("{\"model\":"), err);
    if (!st)
        st = takc_json_quote(out, o->name, err);
    for (size_t i = 0; !st && i < n; i++) {
        st = takc_buf_add(out, takc_str(i ? "," : ",\"input\":["), err);
        if (!st)
            st = takc_json_quote(out, texts[i], err);
    }
    return st ? st : takc_buf_add(out, takc_str("],\"encoding_format\":\"float\"}"), err);
}

static enum takc_status read_vector(const json_t *item, size_t n, float *out, size_t n_dims, bool *seen, struct takc_err *err)
{
    const json_t *vector = json_object_get(item, "embedding");
    uint64_t index;
    if (takc_json_get_u64(item, "index", &index, NULL) || index >= n || seen[index])
        return takc_fail(err, TAKC_UPSTREAM, 0, "the answer's vectors are not those that were asked for");
    seen[index] = true;
    return takc_model_read_vector(vector, out + index * n_dims, n_dims, err);
}

static enum takc_status read_vectors(struct takc_str body, size_t n, float *out, size_t n_dims, struct takc_err *err)
{
    json_t *root = NULL;
    bool *seen = takc_alloc_array(n, sizeof(*seen));
    enum takc_status st = seen ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for vectors");
    if (!st && takc_json_parse(body, &root, err))
        st = takc_fail(err, TAKC_UPSTREAM, 0, "the answer is no JSON");
    const json_t *data = json_object_get(root, "data");
    if (!st && json_array_size(data) != n)
        st = takc_fail(err, TAKC_UPSTREAM, 0, "the answer has %zu vectors of %zu", json_array_size(data), n);
    for (size_t i = 0; !st && i < n; i++)
        st = read_vector(json_array_get(data, i), n, out, n_dims, seen, err);
    json_decref(root);
    takc_free(seen);
    return st;
}

static enum takc_status openai_embed(struct takc_model *m, struct takc_call *call, const struct takc_str *texts, size_t n, float *out,
                                     size_t n_dims, struct takc_err *err)
{
    struct openai *o = openai_of(m);
    struct takc_model_reply reply;
    struct takc_http_reply h = {0};
    struct takc_buf url, body;
    takc_model_reply_init(&reply);
    takc_buf_init(&url, LINE_MAX);
    takc_buf_init(&body, BODY_MAX);
    enum takc_status st = make_url(o, "embeddings", &url, err);
    if (!st)
        st = write_texts(o, texts, n, &body, err);
    if (!st) {
        struct takc_http_request q = {
            .method = "POST", .url = takc_buf_str(&url), .headers = o->headers, .n_headers = o->n_headers, .body = takc_buf_str(&body)};
        st = takc_http_send(o->http, call, &q, &h, err);
        reply.http = h.status;
        if (!st && h.status != 200 && !(st = takc_openai_refusal(takc_buf_str(&h.body), o->key, &reply, err)))
            st = takc_fail(err, TAKC_REFUSED, h.status, "a content filter stopped the request");
        if (!st)
            st = read_vectors(takc_buf_str(&h.body), n, out, n_dims, err);
    }
    takc_http_reply_clear(&h);
    takc_model_reply_clear(&reply);
    takc_buf_clear(&url);
    takc_buf_clear(&body);
    return st;
}

/* --- open and close --- */

static enum takc_status openai_describe(struct takc_model *m, struct takc_call *call, struct takc_buf *out, struct takc_err *err)
{
    const struct openai *o = openai_of(m);
    (void)call;
    return takc_buf_printf(out, err, "openai: %.*s, model %.*s, %s\n", TAKC_STR_ARG(o->base), o->name.len ? (int)o->name.len : 4,
                           o->name.len ? o->name.ptr : "none", o->key.len ? "with a key" : "without a key");
}

static void openai_close(struct takc_model *m)
{
    struct openai *o = openai_of(m);
    takc_buf_clear(&o->secret);
    takc_arena_clear(&o->arena);
    takc_free(o);
}

/* "llama" of two servers are two models. Without the query: it may name a version of the protocol. */
static struct takc_str openai_place(struct takc_model *m)
{
    const struct openai *o = openai_of(m);
    return takc_str_is(o->base, OPENAI_URL) ? (struct takc_str){NULL, 0} : o->base;
}

static const struct takc_model_ops ops = {.name = "openai",
                                          .flags = TAKC_MODEL_STREAMS | TAKC_MODEL_EMBEDS,
                                          .complete = openai_complete,
                                          .embed = openai_embed,
                                          .describe = openai_describe,
                                          .place = openai_place,
                                          .close = openai_close};

static struct openai *openai_of(struct takc_model *m)
{
    if (m->ops != &ops)
        TAKC_BUG("%s is not openai", m->ops->name);
    return (struct openai *)m;
}

/* Base and query, copied; "/v1" where no path is written, and no '/' at the end. */
static enum takc_status set_url(struct openai *o, struct takc_str url, struct takc_err *err)
{
    struct takc_url u;
    enum takc_status st = takc_url_parse(&u, url, err);
    if (st)
        return takc_err_prefix(err, st, "the model's URL");
    struct takc_str path = u.path;
    if (takc_str_ends(path, takc_str("/chat/completions")))
        path.len -= strlen("/chat/completions");
    while (takc_str_ends(path, takc_str("/")))
        path.len--;
    o->base = takc_str(takc_arena_printf(&o->arena, "%.*s://%.*s%.*s", TAKC_STR_ARG(u.scheme), TAKC_STR_ARG(u.authority),
                                         path.len ? (int)path.len : 3, path.len ? path.ptr : "/v1"));
    o->query = takc_arena_dup(&o->arena, u.query);
    atomic_init(&o->completion_tokens, takc_str_is(u.host, "api.openai.com") || takc_str_ends(u.host, takc_str(".openai.azure.com")));
    return o->base.ptr && o->query.ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a model");
}

static bool names_key(const struct takc_model_options *from)
{
    for (size_t i = 0; i < from->n_headers; i++)
        if (takc_str_eq_nocase(from->headers[i].name, takc_str("authorization")) ||
            takc_str_eq_nocase(from->headers[i].name, takc_str("api-key")))
            return true;
    return false;
}

/* Bytes into the buffer of secrets, which has room for all: views into it stay. */
static enum takc_status keep_secret(struct openai *o, const char *before, struct takc_str s, struct takc_str *out, struct takc_err *err)
{
    size_t at = o->secret.len;
    enum takc_status st = takc_buf_add(&o->secret, takc_str(before), err);
    if (!st)
        st = takc_buf_add(&o->secret, s, err);
    if (!st)
        *out = takc_str_n(o->secret.ptr + at, o->secret.len - at);
    return st;
}

/* Azure's keys go into a header of their own. */
static enum takc_status set_key(struct openai *o, const struct takc_model_options *from, struct takc_err *err)
{
    bool azure = takc_str_find(o->base, takc_str(".openai.azure.com"), 0) != SIZE_MAX;
    struct takc_http_header *h = &o->headers[o->n_headers];
    if (from->api_key.len == 0 || names_key(from))
        return TAKC_OK;
    enum takc_status st = keep_secret(o, azure ? "" : "Bearer ", from->api_key, &h->value, err);
    h->name = takc_str(azure ? "api-key" : "Authorization");
    if (st)
        return st;
    o->key = takc_str_slice(h->value, h->value.len - from->api_key.len, h->value.len);
    o->n_headers++;
    return TAKC_OK;
}

static enum takc_status set_headers(struct openai *o, const struct takc_model_options *from, struct takc_err *err)
{
    size_t bytes = from->api_key.len + 16;
    if (from->n_headers + 2 > HEADERS_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "more than %d headers", (int)HEADERS_MAX - 2);
    for (size_t i = 0; i < from->n_headers; i++)
        bytes += from->headers[i].value.len;
    enum takc_status st = takc_buf_reserve(&o->secret, bytes, err);
    o->headers[o->n_headers++] = (struct takc_http_header){takc_str("Content-Type"), takc_str("application/json")};
    if (!st)
        st = set_key(o, from, err);
    for (size_t i = 0; !st && i < from->n_headers; i++) {
        struct takc_http_header *h = &o->headers[o->n_headers++];
        h->name = takc_arena_dup(&o->arena, from->headers[i].name);
        st = h->name.ptr ? keep_secret(o, "", from->headers[i].value, &h->value, err)
                         : takc_fail(err, TAKC_NOMEM, 0, "no memory for a model");
    }
    return st;
}

enum takc_status takc_model_open_openai(struct takc_model **out, const struct takc_model_options *from, struct takc_err *err)
{
    if (!from->http)
        return takc_fail(err, TAKC_INVALID, 0, "openai: no HTTP client is given");
    struct openai *o = takc_alloc(sizeof(*o));
    if (!o)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a model");
    o->model.ops = &ops;
    o->http = from->http;
    o->clock = takc_clock_or_system(from->clock);
    o->tokenizer = from->tokenizer ? from->tokenizer : takc_tokenizer_find(takc_str("estimate"));
    takc_arena_init(&o->arena);
    takc_buf_init_secret(&o->secret, LINE_MAX);
    enum takc_status st = set_url(o, from->base_url.len ? from->base_url : takc_str(OPENAI_URL), err);
    if (!st)
        st = set_headers(o, from, err);
    o->name = takc_arena_dup(&o->arena, from->model);
    if (!st && !o->name.ptr)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for a model");
    if (st)
        openai_close(&o->model);
    else
        *out = &o->model;
    return st;
}
