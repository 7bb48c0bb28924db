/* SPDX-License-Identifier: Apache-2.0
 *
 * trace_spans.c - spans of requests as OTLP's JSON: ids in hex, times as texts of nanoseconds. The first failure ends the writing. */
#include "base/json.h"
#include "http/ids.h"
#include "http/trace_parts.h"

#include <inttypes.h>
#include <stdio.h>

enum { KIND_INTERNAL = 1, KIND_SERVER = 2, KIND_CLIENT = 3, STATUS_ERROR = 2 };

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
    close_span(s, failed);
}

/* One of the stages that only have a length. */
static void put_stage(struct spans *s, const struct takc_traced *r, const char *name, uint64_t from_ns, uint64_t took_ns)
{
    char id[17];
    if (!took_ns)
        return;
    takc_id_draw(id, 8);
    const struct span p = {id, r->span_id, name, KIND_INTERNAL, from_ns, took_ns};
    open_span(s, r, &p, false);
    if (strcmp(name, "choose") == 0) {
        text(s, "takc.mode", r->mode);
        text(s, "takc.rate", r->rate);
        text(s, "takc.outcome", r->outcome);
        fraction(s, "takc.confidence", r->confidence);
    }
    close_span(s, false);
}

/* "bedrock" as OpenTelemetry has it. */
static const char *provider_name(const char *provider)
{
    return strcmp(provider, "bedrock") == 0 ? "aws.bedrock" : provider;
}

static void put_model(struct spans *s, const struct takc_traced *r, uint64_t from_ns)
{
    char id[17], name[112];
    takc_id_draw(id, 8);
    (void)snprintf(name, sizeof(name), "chat %s", r->model);
    const struct span p = {id, r->span_id, name, KIND_CLIENT, from_ns, r->model_ns};
    open_span(s, r, &p, false);
    text(s, "gen_ai.operation.name", "chat");
    text(s, "gen_ai.provider.name", provider_name(r->provider));
    text(s, "gen_ai.system", provider_name(r->provider));
    text(s, "gen_ai.request.model", r->model);
    whole(s, "gen_ai.usage.input_tokens", r->input);
    whole(s, "gen_ai.usage.output_tokens", r->output);
    whole(s, "gen_ai.usage.cache_read.input_tokens", r->cache_read);
    whole(s, "takc.tries", r->tries);
    fraction(s, "takc.cost_usd", (double)r->picodollars / 1e12);
    close_span(s, false);
}

static bool has_model(const struct takc_traced *r)
{
    return r->told && r->model[0] && r->tries > 0;
}

unsigned takc_traced_spans(const struct takc_traced *r)
{
    return 1 + (r->admit_ns > 0) + (r->cache_ns > 0) + (r->choose_ns > 0) + has_model(r);
}

static void put_record(struct spans *s, const struct takc_traced *r, bool first)
{
    uint64_t at = r->work_from_ns;
    put_request(s, r, first);
    put_stage(s, r, "admit", r->admit_from_ns, r->admit_ns);
    put_stage(s, r, "cache", at, r->cache_ns);
    put_stage(s, r, "choose", at + r->cache_ns, r->choose_ns);
    if (has_model(r))
        put_model(s, r, at + r->cache_ns + r->choose_ns);
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
