/* SPDX-License-Identifier: Apache-2.0
 *
 * trace_spans.c - spans of requests and jobs as OTLP's JSON: ids in hex, times as texts of nanoseconds. The first failure ends the writing.
 */
#include "base/json.h"
#include "http/ids.h"
#include "http/trace_parts.h"

#include <inttypes.h>
#include <stdio.h>

enum { KIND_INTERNAL = 1, KIND_SERVER = 2, KIND_CLIENT = 3, KIND_CONSUMER = 5, STATUS_ERROR = 2 };

struct spans {
    struct takc_buf *out;
    struct takc_err *err;
    enum takc_status st;
    bool first; /* of the list that is being written */
};

static void put(struct spans *s, const char *text)
{
    if (!s->st)
        s->st = takc_buf_add(s->out, takc_str(text), s->err);
}

static void quote(struct spans *s, const char *text)
{
    if (!s->st)
        s->st = takc_json_quote(s->out, takc_str(text), s->err);
}

/* ---- attributes ---- */

static void key(struct spans *s, const char *name)
{
    put(s, s->first ? "{\"key\":" : ",{\"key\":");
    s->first = false;
    quote(s, name);
}

static void text(struct spans *s, const char *name, const char *value)
{
    if (!value || !value[0])
        return;
    key(s, name);
    put(s, ",\"value\":{\"stringValue\":");
    quote(s, value);
    put(s, "}}");
}

static void whole(struct spans *s, const char *name, uint64_t v)
{
    key(s, name);
    if (!s->st)
        s->st = takc_buf_printf(s->out, s->err, ",\"value\":{\"intValue\":\"%" PRIu64 "\"}}", v);
}

static void fraction(struct spans *s, const char *name, double v)
{
    key(s, name);
    if (!s->st)
        s->st = takc_buf_printf(s->out, s->err, ",\"value\":{\"doubleValue\":%.9g}}", v);
}

enum takc_status takc_traced_attribute(struct takc_buf *list, struct takc_str name, struct takc_str value, struct takc_err *err)
{
    enum takc_status st = takc_buf_add(list, takc_str(list->len ? ",{\"key\":" : "{\"key\":"), err);
    if (!st)
        st = takc_json_quote(list, name, err);
    if (!st)
        st = takc_buf_add(list, takc_str(",\"value\":{\"stringValue\":"), err);
    if (!st)
        st = takc_json_quote(list, value, err);
    return st ? st : takc_buf_add(list, takc_str("}}"), err);
}

/* ---- spans ---- */

struct span {
    const char *id, *parent, *name;
    int kind;
    uint64_t from_ns, took_ns;
};

/* Opens a span, up to its attributes. */
static void open_span(struct spans *s, const struct takc_traced *r, const struct span *p, bool first)
{
    int64_t from = (int64_t)p->from_ns + r->wall_minus_mono_ns;
    if (s->st)
        return;
    s->st = takc_buf_printf(s->out, s->err, "%s{\"traceId\":\"%s\",\"spanId\":\"%s\",", first ? "" : ",", r->trace_id, p->id);
    if (!s->st && p->parent[0])
        s->st = takc_buf_printf(s->out, s->err, "\"parentSpanId\":\"%s\",", p->parent);
    put(s, "\"name\":");
    quote(s, p->name);
    if (!s->st)
        s->st = takc_buf_printf(s->out, s->err,
                                ",\"kind\":%d,\"startTimeUnixNano\":\"%" PRId64 "\",\"endTimeUnixNano\":\"%" PRId64 "\",\"attributes\":[",
                                p->kind, from, from + (int64_t)p->took_ns);
    s->first = true;
}

static void close_span(struct spans *s, bool failed)
{
    put(s, failed ? "],\"status\":{\"code\":2}}" : "]}");
}

static void put_cost(struct spans *s, const struct takc_noted_answer *a)
{
    fraction(s, "takc.cost_usd", (double)a->picodollars / 1e12);
}

static void put_request(struct spans *s, const struct takc_traced *r, bool first)
{
    char name[160], status[16];
    (void)snprintf(name, sizeof(name), "%s%s%s", r->method, r->route_path ? " " : "", r->route_path ? r->route_path : "");
    (void)snprintf(status, sizeof(status), "%d", r->status);
    const struct span p = {r->span_id, r->parent_id, name, KIND_SERVER, r->began_ns, r->ended_ns - r->began_ns};
    bool failed = r->status >= 500 || !r->whole;
    open_span(s, r, &p, first);
    text(s, "http.request.method", r->method);
    text(s, "http.route", r->route_path);
    text(s, "url.path", r->path);
    text(s, "url.scheme", r->tls ? "https" : "http");
    text(s, "client.address", r->peer);
    whole(s, "http.response.status_code", (uint64_t)r->status);
    if (failed)
        text(s, "error.type", r->status >= 500 ? status : "client_gone");
    text(s, "takc.request_id", r->request_id);
    if (r->n_questions) {
        whole(s, "takc.questions", r->n_questions);
        whole(s, "takc.questions_failed", r->n_failed);
        put_cost(s, &r->answer);
    }
    close_span(s, failed);
}

/* One of several questions: what a request's span is to the only one. */
static void put_item(struct spans *s, const struct takc_traced *r, bool first)
{
    const struct span p = {r->span_id, r->parent_id, "question", KIND_INTERNAL, r->began_ns, r->ended_ns - r->began_ns};
    bool failed = strcmp(r->answer.outcome, "failed") == 0;
    open_span(s, r, &p, first);
    text(s, "takc.outcome", r->answer.outcome);
    close_span(s, failed);
}

/* The id that was told to others already, or a new one. */
static void take_id(char out[17], const char *told)
{
    if (told[0])
        memcpy(out, told, 17);
    else
        takc_id_draw(out, 8);
}

/* One of the stages that only have a length. */
static void put_stage(struct spans *s, const struct takc_traced *r, const char *name, uint64_t from_ns, uint64_t took_ns)
{
    char id[17];
    if (!took_ns)
        return;
    take_id(id, strcmp(name, "admit") == 0 ? r->admit_id : "");
    const struct span p = {id, r->span_id, name, KIND_INTERNAL, from_ns, took_ns};
    open_span(s, r, &p, false);
    if (strcmp(name, "choose") == 0) {
        text(s, "takc.mode", r->answer.mode);
        text(s, "takc.rate", r->answer.rate);
        text(s, "takc.outcome", r->answer.outcome);
        fraction(s, "takc.confidence", r->answer.confidence);
    }
    close_span(s, false);
}

/* "bedrock" as OpenTelemetry has it. */
static const char *provider_name(const char *provider)
{
    return strcmp(provider, "bedrock") == 0 ? "aws.bedrock" : provider;
}

static void put_asked(struct spans *s, const struct takc_noted_answer *a)
{
    text(s, "gen_ai.provider.name", provider_name(a->provider));
    text(s, "gen_ai.system", provider_name(a->provider));
    text(s, "gen_ai.request.model", a->model);
}

static void put_used(struct spans *s, const struct takc_noted_answer *a)
{
    whole(s, "gen_ai.usage.input_tokens", a->input + a->cache_read + a->cache_write);
    whole(s, "gen_ai.usage.output_tokens", a->output);
}

static void put_model(struct spans *s, const struct takc_traced *r, uint64_t from_ns)
{
    const struct takc_noted_answer *a = &r->answer;
    char id[17], name[112];
    take_id(id, r->model_id);
    (void)snprintf(name, sizeof(name), "chat %s", a->model);
    const struct span p = {id, r->span_id, name, KIND_CLIENT, from_ns, a->model_ns};
    open_span(s, r, &p, false);
    text(s, "gen_ai.operation.name", "chat");
    put_asked(s, a);
    put_used(s, a);
    whole(s, "gen_ai.usage.cache_read.input_tokens", a->cache_read);
    whole(s, "takc.tries", a->tries);
    put_cost(s, a);
    text(s, "error.type", a->failure);
    close_span(s, a->failure != NULL);
}

/* A run of a job: whoever queued it does not wait for it, or need not. The models that wrote were asked under this span. */
static void put_job(struct spans *s, const struct takc_traced *r, bool first)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "job %s", r->kind);
    const struct span p = {r->span_id, r->parent_id, name, KIND_CONSUMER, r->began_ns, r->ended_ns - r->began_ns};
    open_span(s, r, &p, first);
    text(s, "takc.job.id", r->job_id);
    text(s, "takc.job.kind", r->kind);
    text(s, "takc.task", r->task);
    whole(s, "takc.job.attempts", r->attempts);
    text(s, "takc.outcome", r->answer.outcome);
    put_asked(s, &r->answer);
    if (r->answer.tries) {
        put_used(s, &r->answer);
        whole(s, "takc.model_calls", r->answer.tries);
    }
    if (r->answer.picodollars) /* also of a run that failed */
        put_cost(s, &r->answer);
    text(s, "error.type", r->answer.failure);
    close_span(s, r->answer.failure != NULL);
}

static void put_job_stage(struct spans *s, const struct takc_traced *r, bool first)
{
    const struct span p = {r->span_id, r->parent_id, r->stage, KIND_INTERNAL, r->began_ns, r->ended_ns - r->began_ns};
    open_span(s, r, &p, first);
    close_span(s, false);
}

/* Of a request that asked several questions the items have the stages. */
static bool has_stages(const struct takc_traced *r)
{
    return r->told && !r->n_questions;
}

static bool has_model(const struct takc_traced *r)
{
    return has_stages(r) && r->answer.model[0] && r->answer.tries > 0;
}

unsigned takc_traced_spans(const struct takc_traced *r)
{
    unsigned stages = has_stages(r) ? (r->answer.cache_ns > 0) + (r->answer.choose_ns > 0) + has_model(r) : 0;
    return 1 + (r->admit_ns > 0) + stages;
}

static void put_record(struct spans *s, const struct takc_traced *r, bool first)
{
    static void (*const heads[])(struct spans *, const struct takc_traced *, bool) = {[TAKC_TRACED_REQUEST] = put_request,
                                                                                      [TAKC_TRACED_ITEM] = put_item,
                                                                                      [TAKC_TRACED_JOB] = put_job,
                                                                                      [TAKC_TRACED_STAGE] = put_job_stage};
    uint64_t at = r->work_from_ns;
    heads[r->what](s, r, first);
    put_stage(s, r, "admit", r->admit_from_ns, r->admit_ns);
    if (!has_stages(r))
        return;
    put_stage(s, r, "cache", at, r->answer.cache_ns);
    put_stage(s, r, "choose", at + r->answer.cache_ns, r->answer.choose_ns);
    if (has_model(r))
        put_model(s, r, at + r->answer.cache_ns + r->answer.choose_ns);
}

enum takc_status takc_traced_json(struct takc_str resource, const struct takc_traced *records, size_t n, struct takc_buf *out,
                                  struct takc_err *err)
{
    struct spans s = {.out = out, .err = err};
    put(&s, "{\"resourceSpans\":[{\"resource\":{\"attributes\":[");
    if (!s.st)
        s.st = takc_buf_add(out, resource, err);
    put(&s, "]},\"scopeSpans\":[{\"scope\":{\"name\":\"takc\",\"version\":\"" TAKC_VERSION_TEXT "\"},\"spans\":[");
    for (size_t i = 0; i < n; i++)
        put_record(&s, &records[i], i == 0);
    put(&s, "]}]}]}");
    return s.st;
}
