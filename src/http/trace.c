/* SPDX-License-Identifier: Apache-2.0
 *
 * trace.c - what is sampled, the queue and the thread that empties it. trace_spans.c makes spans of records, trace_context.c reads and
 * writes what travels in headers, trace_jobs.c what travels with jobs. */
#include "http/trace.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/thread.h"
#include "http/ids.h"
#include "http/trace_parts.h"
#include "net/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    QUEUE = 2048, /* records: a megabyte and a half, a second of two thousand requests */
    BATCH = 128,
    BATCH_MS = 1000,
    SEND_MS = 10000,
    CLOSE_MS = 3000,
    TRIES = 3,
    HEADERS_MAX = 16,
    BODY_MAX = 8 << 20,
    RESOURCE_MAX = 1 << 16
};

struct takc_traces {
    struct takc_http *http;
    struct takc_arena arena;
    struct takc_str url;
    struct takc_http_header headers[HEADERS_MAX + 1];
    size_t n_headers;
    struct takc_buf resource; /* attributes, as JSON */
    bool named, versioned;    /* service.name and service.version are among them */
    bool parent_based, never;
    uint64_t below; /* traces whose last 8 bytes are below are taken; UINT64_MAX: all */
    int64_t wall_minus_mono_ns;
    struct takc_call call;
    pthread_t thread;
    bool runs;
    uint64_t complained_ns;
    atomic_uint_fast64_t n_sent, n_dropped;
    atomic_bool closing, ended;
    struct {
        struct takc_mutex mu;
        struct takc_cond more;
        struct takc_traced *ring; /* of QUEUE */
        size_t first, n;
    } locked;
};

/* ---- sampling, ids ---- */

/* By the ratio: the same answer for a trace wherever it is asked. */
static bool is_taken(const struct takc_traces *t, const char *trace_id)
{
    return !t->never && (t->below == UINT64_MAX || strtoull(trace_id + 16, NULL, 16) < t->below);
}

void takc_trace_begin(const struct takc_traces *t, bool reads, struct takc_exchange *x)
{
    struct takc_noted *n = &x->noted;
    bool continued = reads && takc_trace_context_read(x);
    if (t) {
        if (!continued)
            takc_id_draw(n->trace_id, 16);
        takc_id_draw(n->span_id, 8);
        takc_id_draw(n->admit_id, 8);
        takc_id_draw(n->model_id, 8);
        n->sampled = continued && t->parent_based ? n->sampled : is_taken(t, n->trace_id);
    }
    n->sends_on = reads;
    takc_trace_enter(x, n->admit_id);
}

/* ---- the queue ---- */

static void fill_record(const struct takc_exchange *x, const struct takc_trace_request *r, struct takc_traced *out)
{
    *out = (struct takc_traced){.what = TAKC_TRACED_REQUEST,
                                .began_ns = x->began_ns,
                                .ended_ns = takc_now_ns(),
                                .admit_from_ns = x->admit_from_ns,
                                .admit_ns = x->admit_ns,
                                .work_from_ns = atomic_load_explicit(&x->work_from_ns, memory_order_relaxed),
                                .work_ns = atomic_load_explicit(&x->work_ns, memory_order_relaxed),
                                .route_path = r->route_path,
                                .status = x->status,
                                .whole = r->whole,
                                .tls = x->tls};
    (void)snprintf(out->method, sizeof(out->method), "%.*s", TAKC_STR_ARG(x->method));
    (void)snprintf(out->path, sizeof(out->path), "%.*s", TAKC_STR_ARG(x->path));
    (void)snprintf(out->peer, sizeof(out->peer), "%s", x->peer);
    (void)snprintf(out->request_id, sizeof(out->request_id), "%s", x->request_id);
    memcpy(out->trace_id, x->noted.trace_id, sizeof(out->trace_id));
    memcpy(out->span_id, x->noted.span_id, sizeof(out->span_id));
    memcpy(out->parent_id, x->noted.parent_id, sizeof(out->parent_id));
    memcpy(out->admit_id, x->noted.admit_id, sizeof(out->admit_id));
    memcpy(out->model_id, x->noted.model_id, sizeof(out->model_id));
    out->told = atomic_load_explicit(&x->noted.told, memory_order_acquire);
    if (!out->told)
        return;
    out->answer = x->noted.answer;
    out->n_questions = x->noted.n_questions;
    out->n_failed = x->noted.n_failed;
}

static void queue(struct takc_traces *t, struct takc_traced *record)
{
    record->wall_minus_mono_ns = t->wall_minus_mono_ns;
    takc_mutex_lock(&t->locked.mu);
    bool room = t->locked.n < QUEUE;
    if (room)
        t->locked.ring[(t->locked.first + t->locked.n++) % QUEUE] = *record;
    if (t->locked.n == BATCH)
        takc_cond_signal(&t->locked.more);
    takc_mutex_unlock(&t->locked.mu);
    if (!room)
        atomic_fetch_add(&t->n_dropped, takc_traced_spans(record));
}

void takc_trace_ended(struct takc_traces *t, const struct takc_exchange *x, const struct takc_trace_request *r)
{
    struct takc_traced record;
    if (!t || !x->noted.sampled || !x->noted.span_id[0])
        return;
    fill_record(x, r, &record);
    queue(t, &record);
}

void takc_trace_item_ended(struct takc_traces *t, const struct takc_exchange *x, const struct takc_trace_item *item,
                           const struct takc_noted_answer *answer)
{
    struct takc_traced record = {.what = TAKC_TRACED_ITEM,
                                 .began_ns = item->began_ns,
                                 .ended_ns = takc_now_ns(),
                                 .work_from_ns = item->began_ns,
                                 .told = true,
                                 .answer = *answer};
    if (!t || !x->noted.sampled || !item->span_id[0])
        return;
    memcpy(record.trace_id, x->noted.trace_id, sizeof(record.trace_id));
    memcpy(record.parent_id, x->noted.span_id, sizeof(record.parent_id));
    memcpy(record.span_id, item->span_id, sizeof(record.span_id));
    memcpy(record.model_id, item->model_id, sizeof(record.model_id));
    queue(t, &record);
}

void takc_trace_job_ended(struct takc_traces *t, const struct takc_trace_job *j, const struct takc_trace_job_end *e)
{
    struct takc_traced record;
    uint64_t now = takc_now_ns();
    if (!t || !j->sampled || !j->span_id[0])
        return;
    for (size_t i = 0; takc_traced_job(j, e, now, i, &record); i++)
        queue(t, &record);
}

/* ---- sending ---- */

static enum takc_status post(struct takc_traces *t, struct takc_str body, int *out_http, struct takc_err *err)
{
    struct takc_http_reply reply;
    const struct takc_http_request r = {.method = "POST",
                                        .url = t->url,
                                        .headers = t->headers,
                                        .n_headers = t->n_headers,
                                        .body = body,
                                        .connect_ms = 3000,
                                        .total_ms = SEND_MS,
                                        .max_reply = 1 << 20};
    takc_http_reply_init(&reply);
    enum takc_status st = takc_http_send(t->http, &t->call, &r, &reply, err);
    *out_http = reply.status;
    if (!st && reply.status / 100 != 2)
        st = takc_fail(err, TAKC_UPSTREAM, reply.status, "the collector said %d", reply.status);
    takc_http_reply_clear(&reply);
    return st;
}

static bool is_worth_repeating(int http)
{
    return http == 0 || http == 429 || http == 502 || http == 503 || http == 504;
}

/* Once a minute at most: a collector that is away is no reason to fill a disk. */
static void complain(struct takc_traces *t, const struct takc_err *err)
{
    uint64_t now = takc_now_ns();
    if (t->complained_ns && now - t->complained_ns < UINT64_C(60000000000))
        return;
    t->complained_ns = now;
    takc_log(WARN, "http.trace", "spans were not taken and are lost: %s (trace.endpoint)", err->msg);
}

static enum takc_status post_patiently(struct takc_traces *t, struct takc_str body, struct takc_err *err)
{
    const struct takc_clock *clock = takc_clock_system();
    int http = 0;
    enum takc_status st = post(t, body, &http, err);
    for (int i = 1; i < TRIES && st && is_worth_repeating(http) && !atomic_load(&t->closing); i++) {
        clock->sleep_ns(clock, UINT64_C(250000000) * (unsigned)i);
        st = post(t, body, &http, err);
    }
    return st;
}

static void send_batch(struct takc_traces *t, const struct takc_traced *records, size_t n)
{
    struct takc_buf body;
    struct takc_err err = {0};
    uint64_t spans = 0;
    for (size_t i = 0; i < n; i++)
        spans += takc_traced_spans(&records[i]);
    takc_buf_init(&body, BODY_MAX);
    enum takc_status st = takc_traced_json(takc_buf_str(&t->resource), records, n, &body, &err);
    if (!st)
        st = post_patiently(t, takc_buf_str(&body), &err);
    atomic_fetch_add(st ? &t->n_dropped : &t->n_sent, spans);
    if (st)
        complain(t, &err);
    takc_buf_clear(&body);
}

/* Waits for a batch, or for the time for one. false: closing, and nothing is left. */
static bool take_batch(struct takc_traces *t, struct takc_traced *out, size_t *out_n)
{
    takc_mutex_lock(&t->locked.mu);
    if (t->locked.n < BATCH && !atomic_load(&t->closing))
        takc_cond_wait_ms(&t->locked.more, &t->locked.mu, BATCH_MS);
    size_t n = t->locked.n < BATCH ? t->locked.n : BATCH;
    for (size_t i = 0; i < n; i++)
        out[i] = t->locked.ring[(t->locked.first + i) % QUEUE];
    t->locked.first = (t->locked.first + n) % QUEUE;
    t->locked.n -= n;
    bool goes_on = n || !atomic_load(&t->closing);
    takc_mutex_unlock(&t->locked.mu);
    *out_n = n;
    return goes_on;
}

static void *run(void *arg)
{
    struct takc_traces *t = arg;
    size_t n = 0;
    struct takc_traced *batch = t->locked.ring + QUEUE; /* behind the ring: BATCH more */
    while (take_batch(t, batch, &n))
        if (n)
            send_batch(t, batch, n);
    atomic_store(&t->ended, true);
    return NULL;
}

/* ---- options ---- */

typedef bool pair_fn(struct takc_traces *t, struct takc_str name, struct takc_str value);
/* "a=1,b=x%20y": each name and value, unescaped; false: it cannot be read. */
static bool each_pair(struct takc_traces *t, struct takc_str list, pair_fn *each)
{
    struct takc_str one;
    while (list.len && takc_str_split(&list, ',', &one)) {
        size_t len = 0;
        one = takc_str_trim(one);
        size_t eq = takc_str_find_byte(one, '=', 0);
        if (!one.len)
            continue;
        if (eq == SIZE_MAX || eq == 0)
            return false;
        struct takc_str name = takc_str_trim(takc_str_slice(one, 0, eq)), value = takc_str_trim(takc_str_slice(one, eq + 1, one.len));
        char *text = takc_arena_alloc(&t->arena, value.len + 1);
        if (!text || !takc_percent_decode(value, text, &len) || !each(t, takc_arena_dup(&t->arena, name), takc_str_n(text, len)))
            return false;
    }
    return true;
}

static bool add_header(struct takc_traces *t, struct takc_str name, struct takc_str value)
{
    if (t->n_headers == HEADERS_MAX || !name.ptr)
        return false;
    t->headers[t->n_headers++] = (struct takc_http_header){name, value};
    return true;
}

static bool add_attribute(struct takc_traces *t, struct takc_str name, struct takc_str value)
{
    return takc_traced_attribute(&t->resource, name, value, NULL) == TAKC_OK;
}

/* One of the user's own: it goes before what we would say, but the service's name has a setting of its own, which goes before this. */
static bool add_own(struct takc_traces *t, struct takc_str name, struct takc_str value)
{
    if (takc_str_is(name, "service.name") && t->named)
        return true;
    t->named |= takc_str_is(name, "service.name");
    t->versioned |= takc_str_is(name, "service.version");
    return add_attribute(t, name, value);
}

static bool add_attributes(struct takc_traces *t, const struct takc_trace_options *o)
{
    t->named = o->service.len > 0;
    return (!t->named || add_attribute(t, takc_str("service.name"), o->service)) && each_pair(t, o->attributes, add_own) &&
           (t->named || add_attribute(t, takc_str("service.name"), takc_str("takc"))) &&
           (t->versioned || add_attribute(t, takc_str("service.version"), takc_str(TAKC_VERSION_TEXT)));
}

static enum takc_status read_sampler(struct takc_traces *t, const struct takc_trace_options *o, struct takc_err *err)
{
    struct takc_str name = o->sampler.len ? o->sampler : takc_str("parentbased_always_on"), prefix = takc_str("parentbased_");
    char text[32], *end = text;
    t->parent_based = takc_str_starts(name, prefix);
    if (t->parent_based)
        name = takc_str_slice(name, prefix.len, name.len);
    t->below = UINT64_MAX;
    t->never = takc_str_is(name, "always_off");
    if (t->never || takc_str_is(name, "always_on"))
        return TAKC_OK;
    if (!takc_str_is(name, "traceidratio"))
        return takc_fail(err, TAKC_INVALID, 0,
                         "trace.sampler: '%.*s' is none of always_on, always_off, traceidratio, nor parentbased_ and one of them",
                         TAKC_STR_ARG(o->sampler));
    if (!o->sampler_arg.len)
        return TAKC_OK;
    (void)snprintf(text, sizeof(text), "%.*s", TAKC_STR_ARG(o->sampler_arg));
    double share = strtod(text, &end);
    if (end == text || *end || !(share >= 0 && share <= 1))
        return takc_fail(err, TAKC_INVALID, 0, "trace.sampler_arg: a share of 0 to 1 is expected, not '%s'", text);
    if (share < 1)
        t->below = (uint64_t)(share * 18446744073709549568.0); /* the largest double below 2^64 */
    return TAKC_OK;
}

static enum takc_status read_url(struct takc_traces *t, const struct takc_trace_options *o, struct takc_err *err)
{
    struct takc_str base = o->endpoint;
    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    char *url = takc_arena_printf(&t->arena, "%.*s%s", TAKC_STR_ARG(o->url.len ? o->url : base), o->url.len ? "" : "/v1/traces");
    if (!url)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for traces");
    t->url = takc_str(url);
    if (takc_str_starts(t->url, takc_str("http://")) || takc_str_starts(t->url, takc_str("https://")))
        return TAKC_OK;
    return takc_fail(err, TAKC_INVALID, 0, "%s: a URL with http:// or https:// is expected", o->url.len ? "trace.url" : "trace.endpoint");
}

static enum takc_status read_options(struct takc_traces *t, const struct takc_trace_options *o, struct takc_err *err)
{
    enum takc_status st = read_url(t, o, err);
    if (!st)
        st = read_sampler(t, o, err);
    if (st)
        return st;
    if (!add_header(t, takc_str("Content-Type"), takc_str("application/json")) || !each_pair(t, o->headers, add_header))
        return takc_fail(err, TAKC_INVALID, 0, "trace.headers: name=value with ',' between is expected, at most %d", (int)HEADERS_MAX - 1);
    if (!add_attributes(t, o))
        return takc_fail(err, TAKC_INVALID, 0, "trace.attributes: name=value with ',' between is expected");
    return TAKC_OK;
}

/* ---- opening, closing ---- */

static int64_t wall_minus_mono(void)
{
    struct timespec wall;
    (void)clock_gettime(CLOCK_REALTIME, &wall);
    return (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec - (int64_t)takc_now_ns();
}

static enum takc_status start(struct takc_traces *t, const struct takc_trace_options *o, struct takc_err *err)
{
    const struct takc_http_options http = {.ca_file = o->ca_file.len ? o->ca_file.ptr : NULL, .max_per_host = 1};
    enum takc_status st = takc_http_open(&t->http, &http, err);
    if (!st)
        st = takc_thread_start(&t->thread, "traces", run, t, err);
    t->runs = !st;
    return st;
}

static enum takc_status make_locks(struct takc_traces *t, struct takc_err *err)
{
    enum takc_status st = takc_mutex_init(&t->locked.mu, err);
    if (!st && (st = takc_cond_init(&t->locked.more, err)) != TAKC_OK)
        takc_mutex_clear(&t->locked.mu);
    return st;
}

static void unmake(struct takc_traces *t)
{
    if (!t)
        return;
    takc_buf_clear(&t->resource);
    takc_arena_clear(&t->arena);
    takc_free(t);
}

/* What the options say, and nothing that runs yet. *out NULL with OK: nothing is to be sent. */
static enum takc_status make(struct takc_traces **out, const struct takc_trace_options *o, struct takc_err *err)
{
    *out = NULL;
    if (!o->endpoint.len && !o->url.len)
        return TAKC_OK;
    struct takc_traces *t = takc_alloc(sizeof(*t));
    if (!t)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for traces");
    memset(t, 0, sizeof(*t));
    takc_arena_init(&t->arena);
    t->arena.secret = true; /* headers may hold a key */
    takc_buf_init(&t->resource, RESOURCE_MAX);
    takc_call_init(&t->call);
    t->wall_minus_mono_ns = wall_minus_mono();
    enum takc_status st = read_options(t, o, err);
    if (st)
        unmake(t);
    else
        *out = t;
    return st;
}

enum takc_status takc_traces_check(const struct takc_trace_options *o, struct takc_err *err)
{
    struct takc_traces *t;
    enum takc_status st = make(&t, o, err);
    unmake(t);
    return st;
}

enum takc_status takc_traces_open(struct takc_traces **out, const struct takc_trace_options *o, struct takc_err *err)
{
    struct takc_traces *t;
    enum takc_status st = make(&t, o, err);
    *out = NULL;
    if (!t)
        return st;
    st = make_locks(t, err);
    if (st) {
        unmake(t);
        return st;
    }
    t->locked.ring = takc_arena_array(&t->arena, QUEUE + BATCH, sizeof(*t->locked.ring));
    st = t->locked.ring ? start(t, o, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for traces");
    if (st)
        takc_traces_close(t);
    else
        *out = t;
    return st;
}

void takc_traces_close(struct takc_traces *t)
{
    const struct takc_clock *clock = takc_clock_system();
    if (!t)
        return;
    if (t->runs) {
        takc_mutex_lock(&t->locked.mu);
        atomic_store(&t->closing, true);
        takc_cond_signal(&t->locked.more);
        takc_mutex_unlock(&t->locked.mu);
        uint64_t until = takc_now_ns() + CLOSE_MS * UINT64_C(1000000);
        while (!atomic_load(&t->ended) && takc_now_ns() < until)
            clock->sleep_ns(clock, 2000000);
        atomic_store(&t->call.cancel, true); /* nothing is sent any more: what is left is lost */
        (void)pthread_join(t->thread, NULL);
    }
    takc_http_close(t->http);
    takc_cond_clear(&t->locked.more);
    takc_mutex_clear(&t->locked.mu);
    unmake(t);
}

void takc_traces_count(struct takc_traces *t, uint64_t *out_sent, uint64_t *out_dropped)
{
    *out_sent = t ? atomic_load(&t->n_sent) : 0;
    *out_dropped = t ? atomic_load(&t->n_dropped) : 0;
}

enum takc_status takc_trace_body(const struct takc_traces *t, const struct takc_exchange *x, const struct takc_trace_request *r,
                                 struct takc_buf *out, struct takc_err *err)
{
    struct takc_traced record;
    fill_record(x, r, &record);
    record.wall_minus_mono_ns = t->wall_minus_mono_ns;
    return takc_traced_json(takc_buf_str(&t->resource), &record, 1, out, err);
}

enum takc_status takc_trace_job_body(const struct takc_traces *t, const struct takc_trace_job *j, const struct takc_trace_job_end *e,
                                     struct takc_buf *out, struct takc_err *err)
{
    struct takc_traced records[TAKC_TRACE_STAGES_MAX + 2]; /* and the one that there is not */
    size_t n = 0;
    for (uint64_t now = takc_now_ns(); takc_traced_job(j, e, now, n, &records[n]); n++)
        records[n].wall_minus_mono_ns = t->wall_minus_mono_ns;
    return takc_traced_json(takc_buf_str(&t->resource), records, n, out, err);
}
