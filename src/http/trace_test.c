/* SPDX-License-Identifier: Apache-2.0
 *
 * The trace context as others send it, what is sampled, and the spans of requests and jobs as a collector gets them. */
#include "http/trace.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define GOOD "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void contexts_are_read_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good, sampled;
    } rows[] = {
        {GOOD, true, true},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", true, false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0b", true, true},
        {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes", true, true},
        {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true, true},
        {"cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x", false, false},
        {GOOD "-more", false, false},
        {"ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false, false},
        {"00-00000000000000000000000000000000-b7ad6b7169203331-01", false, false},
        {"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false, false},
        {"00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false, false},
        {"00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01", false, false},
        {"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0", false, false},
        {"00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01", false, false},
        {"0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false, false},
        {"", false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char trace[33] = "", parent[17] = "";
        bool sampled = false;
        assert_int_equal(takc_traceparent_parse(takc_str(rows[i].text), trace, parent, &sampled), rows[i].good);
        assert_int_equal(sampled, rows[i].sampled);
        assert_string_equal(trace, rows[i].good ? "0af7651916cd43dd8448eb211c80319c" : "");
        assert_string_equal(parent, rows[i].good ? "b7ad6b7169203331" : "");
    }
}

static struct takc_traces *open_traces(const char *sampler, const char *arg)
{
    struct takc_traces *t = NULL;
    struct takc_err err;
    const struct takc_trace_options o = {.endpoint = takc_str("http://127.0.0.1:9/"),
                                         .attributes = takc_str("deployment.environment.name=a%20b, team=k"),
                                         .sampler = takc_str(sampler),
                                         .sampler_arg = takc_str(arg)};
    if (takc_traces_open(&t, &o, &err))
        fail_msg("%s", err.msg);
    return t;
}

static bool is_sampled(const struct takc_traces *t, const char *traceparent)
{
    static struct takc_exchange x;
    struct takc_header h = {takc_str("traceparent"), takc_str(traceparent)};
    memset(&x, 0, sizeof(x));
    x.headers = &h;
    x.n_headers = 1;
    takc_trace_begin(t, true, &x);
    assert_int_equal(strlen(x.noted.trace_id), 32);
    assert_int_equal(strlen(x.noted.span_id), 16);
    return x.noted.sampled;
}

static void samplers_decide(void **state)
{
    (void)state;
    static const struct {
        const char *name, *arg;
        bool yes, no, none; /* of a parent that is sampled, of one that is not, without one */
    } rows[] = {
        {"", "", true, false, true},
        {"parentbased_always_on", "", true, false, true},
        {"parentbased_always_off", "", true, false, false},
        {"parentbased_traceidratio", "0", true, false, false},
        {"always_on", "", true, true, true},
        {"always_off", "", false, false, false},
        {"traceidratio", "1", true, true, true},
        {"traceidratio", "0", false, false, false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct takc_traces *t = open_traces(rows[i].name, rows[i].arg);
        assert_int_equal(is_sampled(t, GOOD), rows[i].yes);
        assert_int_equal(is_sampled(t, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"), rows[i].no);
        assert_int_equal(is_sampled(t, "nonsense"), rows[i].none);
        takc_traces_close(t);
    }
    struct takc_traces *half = open_traces("traceidratio", "0.5");
    unsigned n = 0;
    for (int i = 0; i < 1000; i++)
        n += is_sampled(half, "");
    assert_in_range(n, 300, 700);
    takc_traces_close(half);
}

static void odd_options_are_named(void **state)
{
    (void)state;
    static const struct {
        struct takc_trace_options o;
        const char *name;
    } rows[] = {
        {{.endpoint = {"collector:4318", 14}}, "trace.endpoint"},
        {{.url = {"ftp://x", 7}}, "trace.url"},
        {{.endpoint = {"http://x", 8}, .sampler = {"sometimes", 9}}, "trace.sampler"},
        {{.endpoint = {"http://x", 8}, .sampler = {"traceidratio", 12}, .sampler_arg = {"2", 1}}, "trace.sampler_arg"},
        {{.endpoint = {"http://x", 8}, .headers = {"key", 3}}, "trace.headers"},
        {{.endpoint = {"http://x", 8}, .attributes = {"=v", 2}}, "trace.attributes"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct takc_traces *t = NULL;
        struct takc_err err;
        assert_int_equal(takc_traces_open(&t, &rows[i].o, &err), TAKC_INVALID);
        assert_null(t);
        assert_int_equal(strncmp(err.msg, rows[i].name, strlen(rows[i].name)), 0);
        assert_int_equal(takc_traces_check(&rows[i].o, &err), TAKC_INVALID);
        assert_int_equal(strncmp(err.msg, rows[i].name, strlen(rows[i].name)), 0);
    }
    struct takc_traces *t = NULL;
    const struct takc_trace_options nothing = {.sampler = takc_str("always_on")};
    assert_int_equal(takc_traces_open(&t, &nothing, NULL), TAKC_OK);
    assert_null(t);
    assert_int_equal(takc_traces_check(&nothing, NULL), TAKC_OK);
    const struct takc_trace_options good = {.endpoint = takc_str("http://x"), .headers = takc_str("key=v")};
    assert_int_equal(takc_traces_check(&good, NULL), TAKC_OK);
}

/* What requests to others would be sent with, for an exchange with these headers. */
static void enter(struct takc_exchange *x, const struct takc_traces *t, bool reads, const struct takc_header *h, size_t n)
{
    memset(x, 0, sizeof(*x));
    takc_call_init(&x->call);
    takc_arena_init(&x->arena);
    x->headers = h;
    x->n_headers = n;
    takc_trace_begin(t, reads, x);
}

static void contexts_are_sent_on(void **state)
{
    (void)state;
    static struct takc_exchange x;
    const struct takc_header h[] = {{takc_str("Traceparent"), takc_str(GOOD)},
                                    {takc_str("tracestate"), takc_str("a=1, b=2")},
                                    {takc_str("TraceState"), takc_str("c=3")}};
    const struct takc_header unsampled[] = {{takc_str("traceparent"), takc_str("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")}};
    char expected[56];
    struct takc_traces *t = open_traces("", "");
    enter(&x, t, true, h, 3); /* admission, then the model, each under its own span */
    (void)snprintf(expected, sizeof(expected), "00-0af7651916cd43dd8448eb211c80319c-%s-01", x.noted.admit_id);
    assert_string_equal(x.call.traceparent, expected);
    assert_string_equal(x.call.tracestate, "a=1, b=2,c=3");
    takc_trace_enter(&x, x.noted.model_id);
    (void)snprintf(expected, sizeof(expected), "00-0af7651916cd43dd8448eb211c80319c-%s-01", x.noted.model_id);
    assert_string_equal(x.call.traceparent, expected);
    takc_arena_clear(&x.arena);
    enter(&x, t, true, unsampled, 1);
    assert_string_equal(x.call.traceparent + 52, "-00");
    enter(&x, t, true, NULL, 0); /* a trace that begins here */
    assert_memory_equal(x.call.traceparent + 3, x.noted.trace_id, 32);
    assert_null(x.call.tracestate);
    enter(&x, t, false, h, 3); /* switched off: neither read nor sent on */
    assert_null(x.call.traceparent);
    assert_string_not_equal(x.noted.trace_id, "0af7651916cd43dd8448eb211c80319c");
    takc_traces_close(t);
    enter(&x, NULL, true, h, 3); /* no spans are made: as it came */
    takc_trace_enter(&x, x.noted.model_id);
    assert_string_equal(x.call.traceparent, GOOD);
    takc_arena_clear(&x.arena);
    enter(&x, NULL, true, NULL, 0);
    assert_null(x.call.traceparent);
}

static void odd_states_are_left_out(void **state)
{
    (void)state;
    static struct takc_exchange x;
    static char many[512], longer[600];
    for (int i = 0; i < 33; i++)
        (void)snprintf(many + strlen(many), 8, "k%d=v,", i);
    memset(longer, 'v', sizeof(longer) - 1);
    longer[1] = '=';
    const char *const rows[] = {"", ",", "novalue", "=v", "a=\x01", "a=\xc3\xa4", many, longer};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct takc_header h[] = {{takc_str("traceparent"), takc_str(GOOD)}, {takc_str("tracestate"), takc_str(rows[i])}};
        enter(&x, NULL, true, h, 2);
        assert_string_equal(x.call.traceparent, GOOD);
        assert_null(x.call.tracestate);
    }
    const struct takc_header twice[] = {{takc_str("traceparent"), takc_str(GOOD)}, {takc_str("traceparent"), takc_str(GOOD)}};
    enter(&x, NULL, true, twice, 2);
    assert_null(x.call.traceparent);
    assert_true(takc_trace_propagates(takc_str("baggage, tracecontext")));
    assert_false(takc_trace_propagates(takc_str("none")));
    assert_false(takc_trace_propagates(takc_str("b3,baggage")));
    assert_true(takc_trace_propagates(takc_str("")));
}

/* Each question has a span below the request's, and its model one below that; of a hundred a few have. */
static void questions_of_a_batch_have_spans_of_their_own(void **state)
{
    (void)state;
    static struct takc_exchange x;
    static struct takc_trace_item items[20];
    struct takc_traces *t = open_traces("always_on", "");
    enter(&x, t, true, NULL, 0);
    for (int i = 0; i < 20; i++) {
        const char *id = i < TAKC_TRACE_ITEMS_MAX ? items[i].model_id : x.noted.span_id;
        takc_trace_item_begin(&x, &items[i]);
        assert_int_equal(strlen(items[i].span_id), i < TAKC_TRACE_ITEMS_MAX ? 16 : 0);
        assert_memory_equal(items[i].call.traceparent + 36, id, 16);
    }
    assert_string_not_equal(items[0].span_id, items[1].span_id);
    assert_int_equal(takc_call_check(&items[19].call, NULL), TAKC_OK);
    atomic_store(&x.call.cancel, true);
    assert_int_equal(takc_call_check(&items[19].call, NULL), TAKC_CANCELLED);
    takc_traces_close(t);
}

/* What a job that this exchange queues is run with, by a server with these spans. */
static void run_job(const struct takc_exchange *x, const struct takc_traces *t, bool sends_on, struct takc_call *call,
                    struct takc_trace_job *j)
{
    json_t *request = json_object();
    memset(j, 0, sizeof(*j));
    takc_call_init(call);
    assert_int_equal(takc_trace_job_keep(x, request, NULL), TAKC_OK);
    takc_trace_job_begin(t, sends_on, request, call, j);
    json_decref(request);
}

static void jobs_go_on_with_the_trace_of_their_request(void **state)
{
    (void)state;
    static struct takc_exchange x;
    static struct takc_trace_job j, again;
    const struct takc_header h[] = {{takc_str("traceparent"), takc_str(GOOD)}, {takc_str("tracestate"), takc_str("a=1")}};
    const struct takc_header unsampled[] = {{takc_str("traceparent"), takc_str("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")}};
    struct takc_call call;
    char expected[56];
    struct takc_traces *t = open_traces("", "");
    enter(&x, t, true, h, 2);
    run_job(&x, t, true, &call, &j);
    (void)snprintf(expected, sizeof(expected), "00-0af7651916cd43dd8448eb211c80319c-%s-01", j.span_id);
    assert_string_equal(call.traceparent, expected);
    assert_string_equal(call.tracestate, "a=1");
    assert_string_equal(j.parent_id, x.noted.span_id);
    assert_true(j.sampled);
    run_job(&x, t, true, &call, &again); /* it was put back: another span, the same parent */
    assert_string_not_equal(again.span_id, j.span_id);
    assert_string_equal(again.parent_id, j.parent_id);
    run_job(&x, t, false, &call, &j); /* a span, but nobody is told */
    assert_int_equal(strlen(j.span_id), 16);
    assert_null(call.traceparent);
    run_job(&x, NULL, true, &call, &j); /* the next server makes no spans */
    (void)snprintf(expected, sizeof(expected), "00-0af7651916cd43dd8448eb211c80319c-%s-01", x.noted.span_id);
    assert_string_equal(call.traceparent, expected);
    takc_arena_clear(&x.arena);
    enter(&x, t, true, unsampled, 1);
    run_job(&x, t, true, &call, &j);
    assert_string_equal(call.traceparent + 52, "-00");
    assert_false(j.sampled);
    enter(&x, NULL, true, h, 2); /* no spans are made: as it came */
    run_job(&x, NULL, true, &call, &j);
    assert_string_equal(call.traceparent, GOOD);
    assert_string_equal(call.tracestate, "a=1");
    takc_arena_clear(&x.arena);
    enter(&x, NULL, true, NULL, 0); /* no trace */
    run_job(&x, t, true, &call, &j);
    assert_null(call.traceparent);
    assert_string_equal(j.span_id, "");
    takc_traces_close(t);
}

static void fill_exchange(struct takc_exchange *x)
{
    memset(x, 0, sizeof(*x));
    x->method = takc_str("POST");
    x->path = takc_str("/v1/que\"ry");
    x->status = 200;
    x->began_ns = 1000;
    x->admit_from_ns = 2000;
    x->admit_ns = 500;
    atomic_init(&x->work_from_ns, 5000);
    atomic_init(&x->work_ns, 90000);
    x->noted = (struct takc_noted){.trace_id = "0af7651916cd43dd8448eb211c80319c",
                                   .span_id = "00f067aa0ba902b7",
                                   .parent_id = "b7ad6b7169203331",
                                   .sampled = true,
                                   .admit_id = "00000000000000a1",
                                   .model_id = "00000000000000b2",
                                   .answer = {.mode = "select",
                                              .outcome = "answered",
                                              .rate = "8x",
                                              .provider = "bedrock",
                                              .model = "m-1",
                                              .input = 10,
                                              .output = 3,
                                              .cache_read = 5,
                                              .tries = 2,
                                              .confidence = 0.5,
                                              .cache_ns = 1000,
                                              .choose_ns = 2000,
                                              .model_ns = 70000}};
    atomic_init(&x->noted.told, true);
}

static const json_t *span_at(const json_t *body, size_t i)
{
    const json_t *resource = json_array_get(json_object_get(body, "resourceSpans"), 0);
    return json_array_get(json_object_get(json_array_get(json_object_get(resource, "scopeSpans"), 0), "spans"), i);
}

/* The text of an attribute, however it is typed. */
static const char *attribute(const json_t *of, const char *key)
{
    const json_t *list = json_object_get(of, "attributes");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *a = json_array_get(list, i), *v = json_object_get(a, "value");
        if (strcmp(json_string_value(json_object_get(a, "key")), key) == 0)
            return json_string_value(json_object_get(v, "stringValue") ? json_object_get(v, "stringValue")
                                                                       : json_object_get(v, "intValue"));
    }
    return NULL;
}

static void check_parents(const json_t *body)
{
    static const char *const names[] = {"POST /query", "admit", "cache", "choose", "chat m-1"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const json_t *s = span_at(body, i);
        assert_string_equal(json_string_value(json_object_get(s, "name")), names[i]);
        assert_string_equal(json_string_value(json_object_get(s, "traceId")), "0af7651916cd43dd8448eb211c80319c");
        assert_string_equal(json_string_value(json_object_get(s, "parentSpanId")), i ? "00f067aa0ba902b7" : "b7ad6b7169203331");
        const char *from = json_string_value(json_object_get(s, "startTimeUnixNano"));
        const char *to = json_string_value(json_object_get(s, "endTimeUnixNano"));
        assert_true(strcmp(from, to) < 0);
    }
    assert_null(span_at(body, 5));
}

/* How often the resource of an empty trace has that attribute; *out: its last value. */
static size_t said_of_service(struct takc_str service, const char *attributes, const char *name, char out[64])
{
    struct takc_trace_options o = {.endpoint = takc_str("http://127.0.0.1:1"),
                                   .service = service,
                                   .attributes = takc_str(attributes),
                                   .sampler = takc_str("always_on")};
    static struct takc_exchange x;
    const struct takc_trace_request r = {.route_path = "/query", .whole = true};
    struct takc_traces *t = NULL;
    struct takc_buf b;
    json_t *body = NULL, *one;
    size_t n = 0, i;
    assert_int_equal(takc_traces_open(&t, &o, NULL), TAKC_OK);
    fill_exchange(&x);
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_trace_body(t, &x, &r, &b, NULL), TAKC_OK);
    assert_int_equal(takc_json_parse(takc_buf_str(&b), &body, NULL), TAKC_OK);
    const json_t *resource = json_object_get(json_array_get(json_object_get(body, "resourceSpans"), 0), "resource");
    json_array_foreach(json_object_get(resource, "attributes"), i, one)
    {
        if (strcmp(json_string_value(json_object_get(one, "key")), name) == 0 && ++n)
            (void)snprintf(out, 64, "%s", json_string_value(json_object_get(json_object_get(one, "value"), "stringValue")));
    }
    json_decref(body);
    takc_buf_clear(&b);
    takc_traces_close(t);
    return n;
}

static void a_service_has_one_name(void **state)
{
    (void)state;
    const struct {
        const char *service, *attributes, *name, *value;
    } rows[] = {{"", "", "service.name", "takc"},
                {"", "service.name=theirs", "service.name", "theirs"},
                {"ours", "service.name=theirs,a=b", "service.name", "ours"},
                {"ours", "service.name=theirs,a=b", "a", "b"},
                {"", "service.version=7", "service.version", "7"}};
    char value[64] = "";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(said_of_service(takc_str(rows[i].service), rows[i].attributes, rows[i].name, value), 1);
        assert_string_equal(value, rows[i].value);
    }
}

static void spans_have_parents_and_names(void **state)
{
    (void)state;
    static struct takc_exchange x;
    struct takc_traces *t = open_traces("always_on", "");
    struct takc_buf b;
    json_t *body = NULL;
    const struct takc_trace_request r = {.route_path = "/query", .whole = true};
    fill_exchange(&x);
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_trace_body(t, &x, &r, &b, NULL), TAKC_OK);
    assert_int_equal(takc_json_parse(takc_buf_str(&b), &body, NULL), TAKC_OK);
    check_parents(body);
    const json_t *resource = json_object_get(json_array_get(json_object_get(body, "resourceSpans"), 0), "resource");
    assert_string_equal(json_string_value(json_object_get(span_at(body, 1), "spanId")), "00000000000000a1");
    assert_string_equal(json_string_value(json_object_get(span_at(body, 4), "spanId")), "00000000000000b2");
    assert_string_equal(attribute(resource, "service.name"), "takc");
    assert_string_equal(attribute(resource, "deployment.environment.name"), "a b");
    assert_string_equal(attribute(span_at(body, 0), "url.path"), "/v1/que\"ry");
    assert_string_equal(attribute(span_at(body, 0), "http.response.status_code"), "200");
    assert_string_equal(attribute(span_at(body, 4), "gen_ai.operation.name"), "chat");
    assert_string_equal(attribute(span_at(body, 4), "gen_ai.provider.name"), "aws.bedrock");
    assert_string_equal(attribute(span_at(body, 4), "gen_ai.usage.input_tokens"), "15");
    assert_string_equal(attribute(span_at(body, 4), "gen_ai.usage.output_tokens"), "3");
    json_decref(body);
    takc_buf_clear(&b);
    takc_traces_close(t);
}

static const struct takc_trace_job_end failed = {
    .id = {"j1", 2}, .kind = {"compress", 8}, .task = {"fin", 3}, .attempts = 2, .outcome = "failed", .failure = "UPSTREAM"};

static void fill_run(struct takc_trace_job *j)
{
    *j = (struct takc_trace_job){.trace_id = "0af7651916cd43dd8448eb211c80319c",
                                 .span_id = "00f067aa0ba902b7",
                                 .parent_id = "b7ad6b7169203331",
                                 .sampled = true,
                                 .began_ns = 1000,
                                 .answer = {.provider = "bedrock", .model = "m-1", .input = 10, .output = 3, .tries = 7}};
}

static void check_run(const json_t *span)
{
    assert_string_equal(json_string_value(json_object_get(span, "name")), "job compress");
    assert_string_equal(json_string_value(json_object_get(span, "parentSpanId")), "b7ad6b7169203331");
    assert_int_equal(json_integer_value(json_object_get(span, "kind")), 5);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(span, "status"), "code")), 2);
    assert_string_equal(attribute(span, "takc.job.id"), "j1");
    assert_string_equal(attribute(span, "takc.job.kind"), "compress");
    assert_string_equal(attribute(span, "takc.task"), "fin");
    assert_string_equal(attribute(span, "takc.job.attempts"), "2");
    assert_string_equal(attribute(span, "takc.outcome"), "failed");
    assert_string_equal(attribute(span, "error.type"), "UPSTREAM");
    assert_string_equal(attribute(span, "gen_ai.provider.name"), "aws.bedrock");
    assert_string_equal(attribute(span, "gen_ai.request.model"), "m-1");
    assert_string_equal(attribute(span, "gen_ai.usage.input_tokens"), "10");
    assert_string_equal(attribute(span, "takc.model_calls"), "7");
}

static json_t *run_body(const struct takc_traces *t, const struct takc_trace_job *j)
{
    struct takc_buf b;
    json_t *body = NULL;
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_trace_job_body(t, j, &failed, &b, NULL), TAKC_OK);
    assert_int_equal(takc_json_parse(takc_buf_str(&b), &body, NULL), TAKC_OK);
    takc_buf_clear(&b);
    return body;
}

/* Its stages lie one behind the other below it; of too many the first have spans. */
static void a_run_has_a_span_and_its_stages(void **state)
{
    (void)state;
    static struct takc_trace_job j;
    char name[16];
    struct takc_traces *t = open_traces("always_on", "");
    fill_run(&j);
    json_t *body = run_body(t, &j);
    check_run(span_at(body, 0));
    assert_null(span_at(body, 1));
    json_decref(body);
    for (int i = 0; i < TAKC_TRACE_STAGES_MAX + 3; i++) {
        (void)snprintf(name, sizeof(name), "stage %d", i);
        takc_trace_job_stage(&j, name);
    }
    body = run_body(t, &j);
    for (size_t i = 1; i <= TAKC_TRACE_STAGES_MAX; i++) {
        const json_t *s = span_at(body, i), *next = span_at(body, i + 1);
        (void)snprintf(name, sizeof(name), "stage %zu", i - 1);
        assert_string_equal(json_string_value(json_object_get(s, "name")), name);
        assert_string_equal(json_string_value(json_object_get(s, "parentSpanId")), "00f067aa0ba902b7");
        if (next)
            assert_string_equal(json_string_value(json_object_get(s, "endTimeUnixNano")),
                                json_string_value(json_object_get(next, "startTimeUnixNano")));
    }
    assert_null(span_at(body, TAKC_TRACE_STAGES_MAX + 1));
    json_decref(body);
    takc_traces_close(t);
}

/* Neither a run that is not sampled nor one without a trace takes room in the queue. */
static void runs_that_nobody_wants_are_not_queued(void **state)
{
    (void)state;
    static struct takc_trace_job j, none;
    struct takc_traces *t = open_traces("always_on", "");
    uint64_t sent = 0, dropped = 0;
    fill_run(&j);
    j.sampled = false;
    for (int i = 0; i < 3000; i++) {
        takc_trace_job_ended(t, &j, &failed);
        takc_trace_job_ended(t, &none, &failed);
        takc_trace_job_ended(NULL, &j, &failed);
    }
    takc_traces_count(t, &sent, &dropped);
    assert_int_equal(dropped, 0);
    j.sampled = true;
    for (int i = 0; i < 3000; i++)
        takc_trace_job_ended(t, &j, &failed);
    takc_traces_count(t, &sent, &dropped);
    assert_true(dropped > 0);
    takc_traces_close(t);
}

/* A collector that is not there: what was queued is counted as lost, and close ends soon. */
static void spans_that_nobody_takes_are_counted(void **state)
{
    (void)state;
    static struct takc_exchange x;
    struct takc_traces *t = open_traces("always_on", "");
    const struct takc_trace_request r = {.route_path = "/query", .whole = true};
    uint64_t sent = 1, dropped = 0;
    fill_exchange(&x);
    for (int i = 0; i < 5000; i++) /* more than the queue holds */
        takc_trace_ended(t, &x, &r);
    takc_traces_count(t, &sent, &dropped);
    assert_int_equal(sent, 0);
    assert_true(dropped >= 5 * (5000 - 2048 - 128));
    takc_traces_close(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_are_read_or_refused),
        cmocka_unit_test(samplers_decide),
        cmocka_unit_test(odd_options_are_named),
        cmocka_unit_test(contexts_are_sent_on),
        cmocka_unit_test(odd_states_are_left_out),
        cmocka_unit_test(questions_of_a_batch_have_spans_of_their_own),
        cmocka_unit_test(jobs_go_on_with_the_trace_of_their_request),
        cmocka_unit_test(a_run_has_a_span_and_its_stages),
        cmocka_unit_test(runs_that_nobody_wants_are_not_queued),
        cmocka_unit_test(a_service_has_one_name),
        cmocka_unit_test(spans_have_parents_and_names),
        cmocka_unit_test(spans_that_nobody_takes_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
