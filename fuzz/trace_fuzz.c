/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of any bytes as a traceparent, a path, a peer's request id and a model's name: the context is read whole or not at all, and what is
 * told of them, as spans and as a line of the log, is JSON of one line. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/log.h"
#include "http/trace.h"
#include "http/trace_parts.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_context(struct takc_str text)
{
    char trace[33] = "", parent[17] = "";
    bool sampled = false;
    bool good = takc_traceparent_parse(text, trace, parent, &sampled);
    if (good != (strlen(trace) == 32) || good != (strlen(parent) == 16) || (!good && sampled))
        TAKC_BUG("half a context");
}

/* What is sent on is a header of one line of at most 512 letters that everybody prints, or nothing. */
static void check_state(struct takc_str text)
{
    static struct takc_exchange x;
    const struct takc_header headers[] = {{takc_str("traceparent"), takc_str("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")},
                                          {takc_str("tracestate"), text},
                                          {takc_str("tracestate"), text}};
    memset(&x, 0, sizeof(x));
    takc_arena_init(&x.arena);
    x.headers = headers;
    x.n_headers = 2 + text.len % 2;
    takc_trace_begin(NULL, true, &x);
    const char *state = x.call.tracestate;
    if (!x.call.traceparent || (state && (strlen(state) > 512 || !strchr(state, '='))))
        TAKC_BUG("a state that nobody takes");
    for (const char *c = state; c && *c; c++)
        if ((*c < ' ' && *c != '\t') || *c > '~')
            TAKC_BUG("a header that is none");
    takc_arena_clear(&x.arena);
}

static void check_json(struct takc_str text, const char *what)
{
    struct takc_err err;
    json_t *v = NULL;
    if (takc_json_parse(text, &v, &err) && err.status == TAKC_INVALID)
        TAKC_BUG("%s: %s: %.*s", what, err.msg, TAKC_STR_ARG(text));
    json_decref(v);
}

static void write_spans(const struct takc_traced *r, size_t n)
{
    struct takc_buf out;
    takc_buf_init(&out, 1 << 20);
    if (!takc_traced_json(takc_str(""), r, n, &out, NULL))
        check_json(takc_buf_str(&out), "spans");
    takc_buf_clear(&out);
}

static void check_spans(const struct takc_str *lines)
{
    struct takc_traced r = {.what = TAKC_TRACED_REQUEST,
                            .trace_id = "0af7651916cd43dd8448eb211c80319c",
                            .span_id = "b7ad6b7169203331",
                            .ended_ns = 9,
                            .admit_ns = 1,
                            .told = true,
                            .answer = {.tries = 1, .mode = "select", .outcome = "answered"}};
    (void)snprintf(r.method, sizeof(r.method), "%.*s", TAKC_STR_ARG(lines[2]));
    (void)snprintf(r.path, sizeof(r.path), "%.*s", TAKC_STR_ARG(lines[1]));
    (void)snprintf(r.answer.model, sizeof(r.answer.model), "%.*s", TAKC_STR_ARG(lines[3]));
    write_spans(&r, 1);
}

/* A run of a job and one stage of it. */
static void check_runs(const struct takc_str *lines)
{
    const struct takc_trace_job_end e = {.id = lines[0], .kind = lines[2], .task = lines[1], .outcome = "done"};
    struct takc_trace_job job = {.trace_id = "0af7651916cd43dd8448eb211c80319c", .span_id = "b7ad6b7169203331", .began_ns = 1};
    struct takc_traced r[2];
    char stage[32];
    (void)snprintf(job.answer.model, sizeof(job.answer.model), "%.*s", TAKC_STR_ARG(lines[3]));
    (void)snprintf(stage, sizeof(stage), "%.*s", TAKC_STR_ARG(lines[2]));
    takc_trace_job_stage(&job, stage);
    size_t n = 0;
    while (n < 2 && takc_traced_job(&job, &e, 9, n, &r[n]))
        n++;
    write_spans(r, n);
}

static void check_line(const struct takc_str *lines)
{
    char out[TAKC_LOG_LINE_MAX];
    const struct takc_log_field fields[] = {{"path", lines[1], false}, {"status", takc_str("200"), true}, {"model", lines[3], false}};
    const struct takc_log_line line = {.level = TAKC_LOG_INFO, .subject = "http", .message = lines[2], .fields = fields, .n_fields = 3};
    size_t n = takc_log_json(&line, out);
    if (n >= sizeof(out) || memchr(out, '\n', n) != out + n - 1)
        TAKC_BUG("no line: %.*s", (int)n, out);
    check_json(takc_str_n(out, n), "a line of the log");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_str rest = takc_str_n((const char *)data, size), lines[4] = {{0}};
    for (int i = 0; i < 4; i++)
        (void)takc_str_split(&rest, '\n', &lines[i]);
    check_context(lines[0]);
    check_state(lines[1]);
    check_spans(lines);
    check_runs(lines);
    check_line(lines);
    return 0;
}
