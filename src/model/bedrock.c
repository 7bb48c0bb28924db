/* SPDX-License-Identifier: Apache-2.0
 *
 * bedrock.c - Amazon Bedrock: this file sends; what is written and read is in bedrock_request.c, bedrock_invoke.c, bedrock_reply.c,
 * bedrock_embed.c and bedrock_error.c. An ':' or '/' of a model's id is escaped in the path, so that an ARN stays one segment. A model that
 * refuses marks for the cache is asked without them from then on. The bearer token lives in a buffer that is wiped. */
#include "base/alloc.h"
#include "model/bedrock_parts.h"
#include "model/registry.h"
#include "net/retry.h"
#include "net/url.h"

#include <stdio.h>

enum { URL_MAX = 8 << 10, BODY_MAX = 256 << 20, HEADERS_MAX = 8 };

struct bedrock {
    struct takc_model model;
    struct takc_bedrock_options o; /* texts in the arena */
    struct takc_facts_table own_facts;
    struct takc_arena arena;
    struct takc_buf bearer; /* "Bearer TOKEN", or empty */
    const struct takc_clock *clock;
    atomic_bool no_cache_points; /* refused once */
};

static struct bedrock *bedrock_of(struct takc_model *m);

static struct takc_str secret_of(const struct bedrock *b)
{
    struct takc_str s = takc_buf_str(&b->bearer);
    return s.len ? takc_str_slice(s, strlen("Bearer "), s.len) : s;
}

/* --- sending --- */

struct a_try {
    struct bedrock *b;
    struct takc_call *call;
    struct takc_model_reply *out;
    struct takc_bedrock_stream *stream; /* NULL: whole */
    const char *group, *verb;           /* "/model/ID/converse" */
    struct takc_str id;
    bool guard_headers;
    uint64_t first_ms, total_ms;
};

static enum takc_status make_url(const struct a_try *t, struct takc_buf *out, struct takc_err *err)
{
    const struct bedrock *b = t->b;
    enum takc_status st = b->o.endpoint.len ? takc_buf_add(out, b->o.endpoint, err)
                                            : takc_aws_endpoint_of(b->o.aws, t->call, "BEDROCK_RUNTIME", "bedrock-runtime", out, err);
    while (!st && out->len && out->ptr[out->len - 1] == '/')
        out->ptr[--out->len] = '\0';
    st = st ? st : takc_buf_printf(out, err, "/%s/", t->group);
    st = st ? st : takc_url_escape(out, t->id, false, err);
    return st ? st : takc_buf_printf(out, err, "/%s", t->verb);
}

static enum takc_status on_piece(void *arg, struct takc_str piece, struct takc_err *err)
{
    return takc_bedrock_stream_feed(arg, piece, err);
}

static void read_head(const struct a_try *t, const struct takc_http_reply *h)
{
    struct takc_model_reply *out = t->out;
    struct takc_str id = takc_http_reply_header(h, "x-amzn-requestid");
    uint64_t n;
    if (id.len)
        (void)snprintf(out->request_id, sizeof(out->request_id), "%.*s", TAKC_STR_ARG(id));
    out->http = h->status;
    out->sent = h->sent;
    if (h->status >= 300)
        out->after_ms = takc_retry_after_ms(takc_http_reply_header(h, "retry-after"), false, t->b->clock->wall_s(t->b->clock));
    if (!takc_str_u64(takc_http_reply_header(h, "x-amzn-bedrock-input-token-count"), UINT32_MAX, &n, NULL))
        out->usage.input = n;
    if (!takc_str_u64(takc_http_reply_header(h, "x-amzn-bedrock-output-token-count"), UINT32_MAX, &n, NULL))
        out->usage.output = n;
}

/* The transfer itself failed, or whoever took its pieces did, or nobody had keys. */
static enum takc_status failed_transfer(const struct a_try *t, enum takc_status st)
{
    if (t->out->failure || (t->stream && t->stream->delta_status))
        return st;
    if (st == TAKC_TIMEOUT)
        t->out->failure = TAKC_FAILURE_TIMEOUT;
    if (st == TAKC_CANCELLED)
        t->out->failure = TAKC_FAILURE_CANCELLED;
    if (st == TAKC_INVALID || st == TAKC_DENIED || st == TAKC_IO) /* no region, no good keys: it was not asked, so it refused nothing */
        t->out->failure = TAKC_FAILURE_DENIED;
    if (st == TAKC_UPSTREAM)
        t->out->failure = TAKC_FAILURE_CONNECTION;
    if (st == TAKC_UNTRUSTED)
        t->out->failure = TAKC_FAILURE_UNTRUSTED;
    return st;
}

static enum takc_status refuse(const struct a_try *t, const struct takc_http_reply *h, struct takc_err *err)
{
    if (h->status >= 300 && h->status < 400)
        return takc_model_fail(t->out, TAKC_FAILURE_INVALID, err, "HTTP %d: it points elsewhere, which is not followed", h->status);
    enum takc_status st =
        takc_bedrock_refusal(takc_http_reply_header(h, "x-amzn-errortype"), takc_buf_str(&h->body), secret_of(t->b), t->out, err);
    if (t->out->failure == TAKC_FAILURE_PARAMETER && strcmp(t->out->parameter, "cache_point") == 0)
        t->out->adapted = !atomic_exchange(&t->b->no_cache_points, true);
    return takc_err_prefix(err, st, "HTTP %d", h->status);
}

static size_t set_headers(const struct a_try *t, struct takc_http_header h[HEADERS_MAX])
{
    const struct bedrock *b = t->b;
    size_t n = 0;
    h[n++] = (struct takc_http_header){takc_str("Content-Type"), takc_str("application/json")};
    h[n++] = (struct takc_http_header){takc_str("Accept"), takc_str(t->stream ? "application/vnd.amazon.eventstream" : "application/json")};
    if (t->guard_headers && b->o.guardrail.len) {
        h[n++] = (struct takc_http_header){takc_str("X-Amzn-Bedrock-GuardrailIdentifier"), b->o.guardrail};
        h[n++] = (struct takc_http_header){takc_str("X-Amzn-Bedrock-GuardrailVersion"), b->o.guardrail_version};
    }
    if (b->bearer.len)
        h[n++] = (struct takc_http_header){takc_str("Authorization"), takc_buf_str(&b->bearer)};
    return n;
}

/* Sends body and leaves the reply of status 2xx in h, which the caller clears whatever the status. */
static enum takc_status exchange(const struct a_try *t, struct takc_str body, struct takc_http_reply *h, struct takc_err *err)
{
    struct takc_http_header headers[HEADERS_MAX];
    struct takc_buf url;
    uint64_t first = t->first_ms ? t->first_ms : 60000, total = t->total_ms ? t->total_ms : 600000;
    takc_http_reply_init(h);
    takc_buf_init(&url, URL_MAX);
    enum takc_status st = make_url(t, &url, err);
    struct takc_http_request q = {.method = "POST",
                                  .url = takc_buf_str(&url),
                                  .headers = headers,
                                  .n_headers = set_headers(t, headers),
                                  .body = body,
                                  .first_byte_ms = t->stream ? first : total, /* whole: the first byte comes with the last */
                                  .idle_ms = t->stream ? first : total,
                                  .total_ms = total,
                                  .max_reply = BODY_MAX,
                                  .piece = t->stream ? on_piece : NULL,
                                  .arg = t->stream};
    if (!st && t->b->bearer.len)
        st = takc_http_send(t->b->o.http, t->call, &q, h, err);
    else if (!st)
        st = takc_aws_send(t->b->o.aws, t->call, "bedrock", &q, h, err);
    read_head(t, h);
    if (st)
        st = failed_transfer(t, st);
    else if (h->status < 200 || h->status >= 300)
        st = refuse(t, h, err);
    takc_buf_clear(&url);
    return st;
}

/* --- the table --- */

static struct takc_str model_of(const struct bedrock *b, const struct takc_model_request *r)
{
    return r->model.len ? r->model : b->o.model;
}

static struct takc_bedrock_how how_of(struct bedrock *b, struct takc_str id, bool stream)
{
    struct takc_model_facts f = takc_facts_find(b->o.facts, takc_str("bedrock"), id);
    return (struct takc_bedrock_how){.form = takc_bedrock_form_of(f.body, id),
                                     .max_output = f.max_output,
                                     .cache_points = f.cache_min && !atomic_load(&b->no_cache_points) ? f.cache_points : 0,
                                     .guardrail = b->o.guardrail,
                                     .guardrail_version = b->o.guardrail_version,
                                     .stream = stream};
}

static const char *verb_of(enum takc_bedrock_form form, bool stream)
{
    if (form == TAKC_BEDROCK_CONVERSE)
        return stream ? "converse-stream" : "converse";
    return stream ? "invoke-with-response-stream" : "invoke";
}

static enum takc_status bedrock_complete(struct takc_model *m, struct takc_call *call, const struct takc_model_request *r,
                                         takc_model_delta_fn *delta, void *arg, struct takc_model_reply *out, struct takc_err *err)
{
    struct bedrock *b = bedrock_of(m);
    struct takc_str id = model_of(b, r);
    struct takc_bedrock_how how = how_of(b, id, delta != NULL);
    struct takc_bedrock_stream stream;
    struct takc_http_reply h;
    struct takc_buf body;
    struct a_try t = {.b = b,
                      .call = call,
                      .out = out,
                      .stream = delta ? &stream : NULL,
                      .group = "model",
                      .id = id,
                      .verb = verb_of(how.form, delta != NULL),
                      .guard_headers = how.form != TAKC_BEDROCK_CONVERSE,
                      .first_ms = r->first_token_ms,
                      .total_ms = r->total_ms};
    if (!id.len)
        return takc_model_fail(out, TAKC_FAILURE_INVALID, err, "no model is named");
    (void)snprintf(out->model, sizeof(out->model), "%.*s", TAKC_STR_ARG(id));
    takc_bedrock_stream_init(&stream, how.form, out, delta, arg, b->clock);
    stream.secret = secret_of(b);
    takc_buf_init(&body, BODY_MAX);
    takc_http_reply_init(&h);
    enum takc_status st = takc_bedrock_write(r, &how, &body, out, err);
    st = st ? failed_transfer(&t, st) : exchange(&t, takc_buf_str(&body), &h, err);
    if (!st)
        st = delta ? takc_bedrock_stream_end(&stream, err) : takc_bedrock_read(takc_buf_str(&h.body), how.form, out, err);
    if (!st && !out->usage.input && !out->usage.output && !out->usage.cache_read) {
        takc_model_count_here(takc_tokenizer_find(takc_str("estimate")), r, out);
        takc_model_note(out, "the service told no usage: tokens are estimated here");
    }
    takc_http_reply_clear(&h);
    takc_buf_clear(&body);
    takc_bedrock_stream_clear(&stream);
    return st;
}

static enum takc_status bedrock_count(struct takc_model *m, struct takc_call *call, const struct takc_model_request *r, uint64_t *out,
                                      struct takc_err *err)
{
    struct bedrock *b = bedrock_of(m);
    struct takc_model_reply reply;
    struct takc_http_reply h;
    struct takc_buf body;
    json_t *root = NULL;
    takc_model_reply_init(&reply);
    takc_http_reply_init(&h);
    takc_buf_init(&body, BODY_MAX);
    struct a_try t = {.b = b, .call = call, .out = &reply, .group = "model", .id = model_of(b, r), .verb = "count-tokens"};
    enum takc_status st = takc_bedrock_write_count(r, &body, err);
    st = st ? st : exchange(&t, takc_buf_str(&body), &h, err);
    if (!st && (takc_json_parse(takc_buf_str(&h.body), &root, NULL) || takc_json_get_u64(root, "inputTokens", out, NULL)))
        st = takc_fail(err, TAKC_UPSTREAM, h.status, "the answer is no count of tokens");
    json_decref(root);
    takc_http_reply_clear(&h);
    takc_buf_clear(&body);
    takc_model_reply_clear(&reply);
    return st;
}

static enum takc_status embed_some(struct bedrock *b, struct takc_call *call, const struct takc_str *texts, size_t n, float *out,
                                   size_t n_dims, struct takc_err *err)
{
    struct takc_model_reply reply;
    struct takc_http_reply h;
    struct takc_buf body;
    takc_model_reply_init(&reply);
    takc_http_reply_init(&h);
    takc_buf_init(&body, BODY_MAX);
    struct a_try t = {.b = b, .call = call, .out = &reply, .group = "model", .id = b->o.model, .verb = "invoke"};
    enum takc_status st = takc_bedrock_write_embed(b->o.model, texts, n, n_dims, &body, err);
    st = st ? st : exchange(&t, takc_buf_str(&body), &h, err);
    st = st ? st : takc_bedrock_read_embed(takc_buf_str(&h.body), b->o.model, n, out, n_dims, err);
    takc_http_reply_clear(&h);
    takc_buf_clear(&body);
    takc_model_reply_clear(&reply);
    return st;
}

static enum takc_status bedrock_embed(struct takc_model *m, struct takc_call *call, const struct takc_str *texts, size_t n, float *out,
                                      size_t n_dims, struct takc_err *err)
{
    struct bedrock *b = bedrock_of(m);
    size_t step = takc_bedrock_embed_step(b->o.model);
    enum takc_status st =
        step ? TAKC_OK
             : takc_fail(err, TAKC_UNSUPPORTED, 0, "%.*s makes no vectors of texts; amazon.titan-embed-* and cohere.embed-* do",
                         TAKC_STR_ARG(b->o.model));
    for (size_t i = 0; !st && i < n; i += step)
        st = embed_some(b, call, texts + i, n - i < step ? n - i : step, out + i * n_dims, n_dims, err);
    return st;
}

static enum takc_status write_guard(struct takc_str text, bool is_answer, struct takc_buf *out, struct takc_err *err)
{
    json_t *root = json_object(), *item = json_object();
    bool good = root && item && takc_bedrock_set(item, "text", takc_json_str(text)) &&
                takc_bedrock_set(root, "source", json_string(is_answer ? "OUTPUT" : "INPUT")) &&
                takc_bedrock_set(root, "content", json_pack("[{s:O}]", "text", item));
    enum takc_status st = good ? takc_json_dump(root, false, out, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for a request");
    json_decref(root);
    json_decref(item);
    return st;
}

enum takc_status takc_bedrock_guard(struct takc_model *m, struct takc_call *call, struct takc_str text, bool is_answer,
                                    struct takc_guard_result *out, struct takc_err *err)
{
    struct bedrock *b = bedrock_of(m);
    struct takc_model_reply reply;
    struct takc_http_reply h;
    struct takc_buf body;
    char verb[96];
    if (!b->o.guardrail.len)
        return takc_fail(err, TAKC_INVALID, 0, "no guardrail is set");
    takc_model_reply_init(&reply);
    takc_http_reply_init(&h);
    takc_buf_init(&body, BODY_MAX);
    takc_buf_init(&out->text, TAKC_BUF_MAX_REPLY);
    takc_buf_init(&out->found, TAKC_BUF_MAX_REPLY);
    (void)snprintf(verb, sizeof(verb), "version/%.*s/apply", (int)(b->o.guardrail_version.len < 64 ? b->o.guardrail_version.len : 64),
                   b->o.guardrail_version.ptr);
    struct a_try t = {.b = b, .call = call, .out = &reply, .group = "guardrail", .id = b->o.guardrail, .verb = verb};
    enum takc_status st = write_guard(text, is_answer, &body, err);
    st = st ? st : exchange(&t, takc_buf_str(&body), &h, err);
    st = st ? st : takc_bedrock_read_guard(takc_buf_str(&h.body), out, err);
    takc_http_reply_clear(&h);
    takc_buf_clear(&body);
    takc_model_reply_clear(&reply);
    return st;
}

static enum takc_status bedrock_describe(struct takc_model *m, struct takc_call *call, struct takc_buf *out, struct takc_err *err)
{
    struct bedrock *b = bedrock_of(m);
    struct takc_aws_identity id;
    struct takc_buf url;
    takc_buf_init(&url, URL_MAX);
    struct a_try t = {.b = b, .call = call, .group = "model", .id = b->o.model, .verb = "converse"};
    enum takc_status st = make_url(&t, &url, err);
    st = st ? st : takc_buf_printf(out, err, "bedrock: %s\n", url.ptr);
    if (!st && b->bearer.len)
        st = takc_buf_printf(out, err, "bedrock: with a bearer token\n");
    else if (!st) {
        struct takc_str region = {"", 0};
        char until[21] = "";
        st = takc_aws_keys(b->o.aws, call, &id, err);
        if (!st)
            st = takc_aws_region(b->o.aws, call, &region, err);
        if (!st && id.expires_s)
            takc_time_text(id.expires_s, until);
        if (!st)
            st = takc_buf_printf(out, err, "bedrock: signed with keys of %s, region %.*s%s%s\n", id.source, TAKC_STR_ARG(region),
                                 until[0] ? ", good until " : ", which do not expire", until);
        takc_aws_identity_clear(&id);
    }
    if (!st && b->o.guardrail.len)
        st = takc_buf_printf(out, err, "bedrock: guardrail %.*s, version %.*s\n", TAKC_STR_ARG(b->o.guardrail),
                             TAKC_STR_ARG(b->o.guardrail_version));
    takc_buf_clear(&url);
    return st;
}

/* --- open and close --- */

static void bedrock_close(struct takc_model *m)
{
    struct bedrock *b = bedrock_of(m);
    takc_facts_clear(&b->own_facts);
    takc_buf_clear(&b->bearer);
    takc_arena_clear(&b->arena);
    takc_free(b);
}

static const struct takc_model_ops ops = {.name = "bedrock",
                                          .flags = TAKC_MODEL_STREAMS | TAKC_MODEL_COUNTS | TAKC_MODEL_CACHE_POINTS | TAKC_MODEL_EMBEDS |
                                                   TAKC_MODEL_BATCHES,
                                          .complete = bedrock_complete,
                                          .count = bedrock_count,
                                          .embed = bedrock_embed,
                                          .describe = bedrock_describe,
                                          .close = bedrock_close};

static struct bedrock *bedrock_of(struct takc_model *m)
{
    if (m->ops != &ops)
        TAKC_BUG("%s is not bedrock", m->ops->name);
    return (struct bedrock *)m;
}

static bool copy(struct bedrock *b, struct takc_str *s)
{
    *s = takc_arena_dup(&b->arena, *s);
    return s->ptr != NULL;
}

static enum takc_status set_up(struct bedrock *b, struct takc_err *err)
{
    const char *from_environment = b->o.aws && !b->o.bearer.len ? takc_aws_bearer(b->o.aws, "BEDROCK") : NULL;
    struct takc_str bearer = from_environment ? takc_str(from_environment) : b->o.bearer;
    b->o.bearer = takc_str("");
    if (!b->o.guardrail_version.len)
        b->o.guardrail_version = takc_str("DRAFT");
    if (!copy(b, &b->o.endpoint) || !copy(b, &b->o.model) || !copy(b, &b->o.guardrail) || !copy(b, &b->o.guardrail_version))
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a model");
    enum takc_status st = bearer.len ? takc_buf_printf(&b->bearer, err, "Bearer %.*s", TAKC_STR_ARG(bearer)) : TAKC_OK;
    if (!st && !b->o.facts) {
        st = takc_facts_load(&b->own_facts, NULL, err);
        b->o.facts = &b->own_facts;
    }
    return st;
}

enum takc_status takc_bedrock_open(struct takc_model **out, const struct takc_bedrock_options *o, struct takc_err *err)
{
    if (!o->http || (!o->aws && !(o->endpoint.len && o->bearer.len)))
        return takc_fail(err, TAKC_INVALID, 0, "bedrock: neither AWS credentials nor an endpoint and a bearer token are given");
    struct bedrock *b = takc_alloc(sizeof(*b));
    if (!b)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a model");
    b->model.ops = &ops;
    b->o = *o;
    b->clock = takc_clock_or_system(o->clock);
    takc_arena_init(&b->arena);
    takc_buf_init_secret(&b->bearer, URL_MAX);
    atomic_init(&b->no_cache_points, false);
    enum takc_status st = set_up(b, err);
    if (st)
        bedrock_close(&b->model);
    else
        *out = &b->model;
    return st;
}

enum takc_status takc_model_open_bedrock(struct takc_model **out, const struct takc_model_options *o, struct takc_err *err)
{
    return takc_bedrock_open(out,
                             &(struct takc_bedrock_options){.http = o->http,
                                                            .aws = o->aws,
                                                            .endpoint = o->base_url,
                                                            .bearer = o->api_key,
                                                            .model = o->model,
                                                            .guardrail = o->guardrail,
                                                            .guardrail_version = o->guardrail_version,
                                                            .facts = o->facts,
                                                            .clock = o->clock},
                             err);
}
