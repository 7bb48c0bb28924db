/* SPDX-License-Identifier: Apache-2.0
 *
 * metrics.c - tables of counters, and telling them. Series that were never counted are left out, but for those without labels. */
#include "http/metrics.h"

#include "base/alloc.h"
#include "http/api.h"
#include "task/profile.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

enum { ROUTES_MAX = 96, METHODS = 8, CLASSES = 6, MODES = 6, RATES = 6, CACHES = 3, OUTCOMES = 4, PROVIDERS = 4 };

static const char *const methods[METHODS] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "other"};
static const char *const rates[RATES] = {"none", "ultra", "high", "medium", "light", "other"};
static const char *const caches[CACHES] = {"none", "hit", "answer"}; /* as the header x-takc-cache has it */
enum { ANSWERED, ABSTAINED, BLOCKED, FAILED };
static const char *const outcomes[OUTCOMES] = {"answered", "abstained", "blocked", "failed"};
static const char *const providers[PROVIDERS] = {"bedrock", "openai", "fake", "other"};

/* Upper bounds in seconds. Cached reads take tens of microseconds, models take minutes. */
static const double time_bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
static const double share_bounds[] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1};
enum { TIMES = sizeof(time_bounds) / sizeof(time_bounds[0]), SHARES = sizeof(share_bounds) / sizeof(share_bounds[0]) };

typedef atomic_uint_fast64_t counter;

struct takc_metrics {
    counter requests[ROUTES_MAX + 1][METHODS][CLASSES]; /* the last row: no route */
    counter took[ROUTES_MAX + 1][TIMES + 1];
    counter took_ns[ROUTES_MAX + 1];
    counter ended;
    counter questions[MODES][RATES][CACHES][OUTCOMES];
    counter question_ms;
    counter confidence[SHARES + 1];
    counter confidence_sum; /* millionths */
    counter reader_tokens, cost_picodollars;
    counter calls[PROVIDERS], input[PROVIDERS], output[PROVIDERS], cache_read[PROVIDERS], cache_write[PROVIDERS];
    counter more[TAKC_METRICS_COUNTERS];
    char tasks[TAKC_METRICS_TASKS][72];
    counter of_task[TAKC_METRICS_TASKS];
    size_t n_tasks;
};

static void add(counter *c, uint64_t n)
{
    atomic_fetch_add_explicit(c, n, memory_order_relaxed);
}

static uint64_t get(const counter *c)
{
    return atomic_load_explicit(c, memory_order_relaxed);
}

/* ---- counting ---- */

static enum takc_status read_tasks(struct takc_metrics *m, struct takc_str tasks, struct takc_err *err)
{
    struct takc_str name;
    enum takc_status st = TAKC_OK;
    while (tasks.len && !st && takc_str_split(&tasks, ',', &name)) {
        name = takc_str_trim(name);
        st = takc_task_name_check(name, err);
        if (!st && (m->n_tasks == TAKC_METRICS_TASKS || name.len >= sizeof(m->tasks[0])))
            st = takc_fail(err, TAKC_INVALID, 0, "more than %d names", (int)TAKC_METRICS_TASKS);
        if (!st)
            (void)snprintf(m->tasks[m->n_tasks++], sizeof(m->tasks[0]), "%.*s", TAKC_STR_ARG(name));
    }
    return st ? takc_err_prefix(err, st, "serve.metrics_tasks") : TAKC_OK;
}

enum takc_status takc_metrics_new(struct takc_metrics **out, struct takc_str tasks, struct takc_err *err)
{
    struct takc_metrics *m = takc_alloc(sizeof(*m));
    if (!m)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for metrics");
    memset(m, 0, sizeof(*m));
    enum takc_status st = read_tasks(m, tasks, err);
    if (st)
        takc_metrics_free(m);
    else
        *out = m;
    return st;
}

void takc_metrics_free(struct takc_metrics *m)
{
    takc_free(m);
}

/* Where it is in a list; the last place: something else. */
static size_t place(const char *const *list, size_t n, struct takc_str s)
{
    size_t i = 0;
    while (i + 1 < n && !takc_str_is(s, list[i]))
        i++;
    return i;
}

static size_t route_place(const struct takc_route *r)
{
    if (r)
        for (size_t i = 0; i < ROUTES_MAX && takc_route_at(i); i++)
            if (takc_route_at(i) == r)
                return i;
    return ROUTES_MAX;
}

static size_t bucket(const double *bounds, size_t n, double v)
{
    size_t i = 0;
    while (i < n && v > bounds[i])
        i++;
    return i;
}

void takc_metrics_request(struct takc_metrics *m, const struct takc_route *route, struct takc_str method, int status, uint64_t ns)
{
    size_t r = route_place(route);
    size_t class = status >= 100 && status < 600 ? (size_t)(status / 100) : 0;
    add(&m->requests[r][place(methods, METHODS, method)][class], 1);
    add(&m->took[r][bucket(time_bounds, TIMES, (double)ns / 1e9)], 1);
    add(&m->took_ns[r], ns);
    add(&m->ended, 1);
}

static size_t rate_place(const struct takc_query_result *r)
{
    return r->rate[0] ? 1 + place(rates + 1, RATES - 1, takc_str(r->rate)) : 0;
}

static void count_model(struct takc_metrics *m, const struct takc_model_answer *a)
{
    if (!a->asked || a->cache_hit)
        return;
    size_t p = place(providers, PROVIDERS, a->provider);
    add(&m->calls[p], a->tries);
    add(&m->input[p], a->input);
    add(&m->output[p], a->output);
    add(&m->cache_read[p], a->cache_read);
    add(&m->cache_write[p], a->cache_write);
    add(&m->cost_picodollars, a->picodollars);
}

void takc_metrics_question(struct takc_metrics *m, struct takc_str task, const struct takc_query_result *r, bool failed)
{
    for (size_t i = 0; i < m->n_tasks; i++)
        if (takc_str_is(task, m->tasks[i]))
            add(&m->of_task[i], 1);
    count_model(m, &r->answer);
    if (failed) {
        add(&m->questions[0][0][0][FAILED], 1);
        return;
    }
    double confidence = r->confidence > 0 ? r->confidence < 1 ? r->confidence : 1 : 0;
    size_t outcome = r->answer.blocked ? BLOCKED : r->abstained ? ABSTAINED : ANSWERED;
    add(&m->questions[(size_t)r->mode < MODES ? (size_t)r->mode : 0][rate_place(r)][r->answer.cache_hit ? 2 : 1][outcome], 1);
    add(&m->question_ms, r->ms);
    add(&m->confidence[bucket(share_bounds, SHARES, confidence)], 1);
    add(&m->confidence_sum, (uint64_t)(confidence * 1e6));
    add(&m->reader_tokens, r->tokens);
}

void takc_metrics_add(struct takc_metrics *m, enum takc_metrics_counter which, uint64_t n)
{
    add(&m->more[which], n);
}

/* ---- the process ---- */

static uint64_t resident_bytes(void)
{
    unsigned long long total = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f)
        return 0;
    int n = fscanf(f, "%llu %llu", &total, &resident); /* NOLINT(cert-err34-c): the kernel's own numbers */
    (void)fclose(f);
    return n == 2 ? (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

static uint64_t open_files(void)
{
    uint64_t n = 0;
    DIR *d = opendir("/proc/self/fd");
    if (!d)
        return 0;
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n > 3 ? n - 3 : 0; /* ".", "..", and the folder itself */
}

static uint64_t in_flight(const struct takc_metrics *m, const struct takc_metrics_now *now)
{
    uint64_t ended = get(&m->ended);
    return now->server.requests > ended ? now->server.requests - ended : 0;
}

/* ---- as text ---- */

struct text {
    struct takc_buf *out;
    struct takc_err *err;
    enum takc_status st;
};

static void family(struct text *t, const char *name, const char *type, const char *help)
{
    if (!t->st)
        t->st = takc_buf_printf(t->out, t->err, "# HELP takc_%s %s\n# TYPE takc_%s %s\n", name, help, name, type);
}

static void whole(struct text *t, const char *name, const char *labels, uint64_t v)
{
    if (!t->st)
        t->st = takc_buf_printf(t->out, t->err, "takc_%s%s %" PRIu64 "\n", name, labels, v);
}

static void fraction(struct text *t, const char *name, const char *labels, double v)
{
    if (!t->st)
        t->st = takc_buf_printf(t->out, t->err, "takc_%s%s %.15g\n", name, labels, v);
}

static void one(struct text *t, const char *name, const char *type, const char *help, uint64_t v)
{
    family(t, name, type, help);
    whole(t, name, "", v);
}

/* label: "route=\"query\"" or "". */
static void histogram(struct text *t, const char *name, const char *label, const double *bounds, size_t n, const counter *counts,
                      double sum)
{
    char labels[160], full[64];
    uint64_t so_far = 0;
    (void)snprintf(full, sizeof(full), "%s_bucket", name);
    for (size_t i = 0; i <= n; i++) {
        char bound[32] = "+Inf";
        so_far += get(&counts[i]);
        if (i < n)
            (void)snprintf(bound, sizeof(bound), "%g", bounds[i]);
        (void)snprintf(labels, sizeof(labels), "{%s%sle=\"%s\"}", label, label[0] ? "," : "", bound);
        whole(t, full, labels, so_far);
    }
    (void)snprintf(labels, sizeof(labels), "%s%s%s", label[0] ? "{" : "", label, label[0] ? "}" : "");
    (void)snprintf(full, sizeof(full), "%s_sum", name);
    fraction(t, full, labels, sum);
    (void)snprintf(full, sizeof(full), "%s_count", name);
    whole(t, full, labels, so_far);
}

static const char *route_id(size_t r)
{
    const struct takc_route *route = r < ROUTES_MAX ? takc_route_at(r) : NULL;
    return route ? route->id : "none";
}

static void tell_requests(struct text *t, const struct takc_metrics *m)
{
    char labels[160];
    family(t, "http_requests_total", "counter", "Requests that have ended, by route, method and class of status.");
    for (size_t r = 0; r <= ROUTES_MAX; r++)
        for (size_t method = 0; method < METHODS; method++)
            for (size_t class = 0; class < CLASSES; class ++) {
                uint64_t n = get(&m->requests[r][method][class]);
                (void)snprintf(labels, sizeof(labels), "{route=\"%s\",method=\"%s\",status=\"%zuxx\"}", route_id(r), methods[method],
                               class);
                if (n)
                    whole(t, "http_requests_total", labels, n);
            }
    family(t, "http_request_duration_seconds", "histogram", "From the head of a request to the end of its reply, by route.");
    for (size_t r = 0; r <= ROUTES_MAX; r++) {
        bool any = false;
        for (size_t i = 0; i <= TIMES; i++)
            any |= get(&m->took[r][i]) > 0;
        (void)snprintf(labels, sizeof(labels), "route=\"%s\"", route_id(r));
        if (any)
            histogram(t, "http_request_duration_seconds", labels, time_bounds, TIMES, m->took[r], (double)get(&m->took_ns[r]) / 1e9);
    }
}

static void tell_server(struct text *t, const struct takc_metrics *m, const struct takc_metrics_now *now)
{
    const struct takc_server_counts *s = &now->server;
    one(t, "http_requests_in_flight", "gauge", "Requests that have begun and not ended.", in_flight(m, now));
    one(t, "http_requests_running", "gauge", "Requests that are worked on or wait for a model.", s->running);
    one(t, "http_requests_waiting", "gauge", "Requests that wait for their turn.", s->waiting);
    one(t, "http_connections", "gauge", "Open connections.", s->open);
    one(t, "http_connections_total", "counter", "Connections since the start.", s->connections);
    one(t, "http_refused_total", "counter", "Requests refused before their handler: odd framing, limits, no room.", s->refused);
    one(t, "http_timeouts_total", "counter", "Connections ended because something on them took too long.", s->timed_out);
    one(t, "http_clients_gone_total", "counter", "Requests whose client left before the reply.", s->gone);
    one(t, "auth_refused_total", "counter", "Requests whose credentials were missing or not good enough.",
        get(&m->more[TAKC_METRICS_AUTH_REFUSED]));
    one(t, "quota_refused_total", "counter", "Requests over a limit of rate, tokens or money.", get(&m->more[TAKC_METRICS_QUOTA_REFUSED]));
    one(t, "reply_cache_hits_total", "counter", "Cached reads answered from memory.", get(&m->more[TAKC_METRICS_CACHE_HITS]));
    one(t, "reply_cache_misses_total", "counter", "Cached reads that had to be made.", get(&m->more[TAKC_METRICS_CACHE_MISSES]));
    one(t, "reply_cache_bytes", "gauge", "Memory of replies that are kept.", now->cache_bytes);
    one(t, "reply_cache_entries", "gauge", "Replies that are kept.", now->cache_entries);
    one(t, "audit_failed_total", "counter", "Rows of the audit trail that could not be written.", get(&m->more[TAKC_METRICS_AUDIT_FAILED]));
    one(t, "trace_spans_sent_total", "counter", "Spans that a collector took.", now->spans_sent);
    one(t, "trace_spans_dropped_total", "counter", "Spans that were lost: no room, or no collector.", now->spans_dropped);
}

static void tell_questions(struct text *t, const struct takc_metrics *m)
{
    char labels[160];
    family(t, "queries_total", "counter", "Questions by mode, rate, what was cached, and what came of them.");
    for (size_t i = 0; i < (size_t)MODES * RATES * CACHES * OUTCOMES; i++) {
        size_t o = i % OUTCOMES, c = i / OUTCOMES % CACHES, r = i / (OUTCOMES * CACHES) % RATES, mode = i / (OUTCOMES * CACHES * RATES);
        uint64_t n = get(&m->questions[mode][r][c][o]);
        (void)snprintf(labels, sizeof(labels), "{mode=\"%s\",rate=\"%s\",cache=\"%s\",outcome=\"%s\"}",
                       mode ? takc_mode_name((enum takc_mode)mode) : "none", rates[r], caches[c], outcomes[o]);
        if (n)
            whole(t, "queries_total", labels, n);
    }
    family(t, "query_confidence", "histogram", "Confidence of answers.");
    histogram(t, "query_confidence", "", share_bounds, SHARES, m->confidence, (double)get(&m->confidence_sum) / 1e6);
    one(t, "query_reader_tokens_total", "counter", "Tokens that readers were shown.", get(&m->reader_tokens));
    if (m->n_tasks)
        family(t, "task_queries_total", "counter", "Questions by task, of those that serve.metrics_tasks names.");
    for (size_t i = 0; i < m->n_tasks; i++) {
        (void)snprintf(labels, sizeof(labels), "{task=\"%s\"}", m->tasks[i]);
        whole(t, "task_queries_total", labels, get(&m->of_task[i]));
    }
}

static void tell_models(struct text *t, const struct takc_metrics *m)
{
    static const char *const kinds[] = {"input", "output", "cache_read", "cache_write"};
    char labels[96];
    family(t, "model_calls_total", "counter", "Calls of models for answers, repeated ones included.");
    for (size_t p = 0; p < PROVIDERS; p++) {
        (void)snprintf(labels, sizeof(labels), "{provider=\"%s\"}", providers[p]);
        if (get(&m->calls[p]))
            whole(t, "model_calls_total", labels, get(&m->calls[p]));
    }
    family(t, "model_tokens_total", "counter", "Tokens that models read and wrote for answers; input without what their cache held.");
    for (size_t i = 0; i < (size_t)PROVIDERS * 4; i++) {
        const counter *const of[] = {&m->input[i / 4], &m->output[i / 4], &m->cache_read[i / 4], &m->cache_write[i / 4]};
        (void)snprintf(labels, sizeof(labels), "{provider=\"%s\",kind=\"%s\"}", providers[i / 4], kinds[i % 4]);
        if (get(of[i % 4]))
            whole(t, "model_tokens_total", labels, get(of[i % 4]));
    }
    family(t, "model_cost_usd_total", "counter", "Dollars that models took for answers, by the prices on file.");
    fraction(t, "model_cost_usd_total", "", (double)get(&m->cost_picodollars) / 1e12);
}

static void tell_process(struct text *t, const struct takc_metrics_now *now)
{
    char labels[96];
    if (now->n_jobs)
        family(t, "jobs", "gauge", "Jobs by state.");
    for (size_t i = 0; i < now->n_jobs; i++) {
        (void)snprintf(labels, sizeof(labels), "{state=\"%s\"}", now->jobs[i].state);
        whole(t, "jobs", labels, now->jobs[i].n);
    }
    family(t, "build_info", "gauge", "Always 1; the version is in the label.");
    (void)snprintf(labels, sizeof(labels), "{version=\"%s\"}", TAKC_VERSION_TEXT);
    whole(t, "build_info", labels, 1);
    one(t, "process_start_time_seconds", "gauge", "When the server was started, in seconds since 1970.", (uint64_t)now->started_s);
    one(t, "process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes());
    one(t, "process_open_fds", "gauge", "Open descriptors.", open_files());
}

enum takc_status takc_metrics_text(const struct takc_metrics *m, const struct takc_metrics_now *now, struct takc_buf *out,
                                   struct takc_err *err)
{
    struct text t = {out, err, TAKC_OK};
    tell_requests(&t, m);
    tell_server(&t, m, now);
    tell_questions(&t, m);
    tell_models(&t, m);
    tell_process(&t, now);
    return t.st;
}

/* ---- as JSON ---- */

struct sums {
    uint64_t by_mode[MODES], by_rate[RATES], by_outcome[OUTCOMES], answer_hits, all;
};

static void sum_questions(const struct takc_metrics *m, struct sums *s)
{
    *s = (struct sums){0};
    for (size_t i = 0; i < (size_t)MODES * RATES * CACHES * OUTCOMES; i++) {
        size_t o = i % OUTCOMES, c = i / OUTCOMES % CACHES, r = i / (OUTCOMES * CACHES) % RATES, mode = i / (OUTCOMES * CACHES * RATES);
        uint64_t n = get(&m->questions[mode][r][c][o]);
        s->by_mode[mode] += n;
        s->by_rate[r] += n;
        s->by_outcome[o] += n;
        s->answer_hits += c == 2 ? n : 0;
        s->all += n;
    }
}

/* {"name": n} of those that were counted. */
static json_t *counts_json(const char *const *names, const uint64_t *n, size_t count)
{
    json_t *o = json_object();
    for (size_t i = 0; i < count && o; i++)
        if (n[i] && json_object_set_new(o, names[i], json_integer((json_int_t)n[i]))) {
            json_decref(o);
            o = NULL;
        }
    return o;
}

static json_t *query_json(const struct takc_metrics *m)
{
    struct sums s;
    const char *mode_names[MODES] = {"none"};
    uint64_t answered, tokens[4] = {0}, calls = 0;
    for (size_t i = 1; i < MODES; i++)
        mode_names[i] = takc_mode_name((enum takc_mode)i);
    sum_questions(m, &s);
    answered = s.all - s.by_outcome[FAILED];
    for (size_t p = 0; p < PROVIDERS; p++) {
        const counter *const of[] = {&m->input[p], &m->output[p], &m->cache_read[p], &m->cache_write[p]};
        calls += get(&m->calls[p]);
        for (size_t i = 0; i < 4; i++)
            tokens[i] += get(of[i]);
    }
    return json_pack("{sI sI sI sI sI sf sf sf sI sI sI sI sI sI sf so so}", "total_queries", (json_int_t)s.all, "successful",
                     (json_int_t)answered, "failed", (json_int_t)s.by_outcome[FAILED], "abstained", (json_int_t)s.by_outcome[ABSTAINED],
                     "cache_hits", (json_int_t)s.answer_hits, "cache_hit_rate", answered ? (double)s.answer_hits / (double)answered : 0.0,
                     "average_processing_time_ms", answered ? (double)get(&m->question_ms) / (double)answered : 0.0, "average_confidence",
                     answered ? (double)get(&m->confidence_sum) / 1e6 / (double)answered : 0.0, "reader_tokens",
                     (json_int_t)get(&m->reader_tokens), "model_calls", (json_int_t)calls, "input_tokens", (json_int_t)tokens[0],
                     "output_tokens", (json_int_t)tokens[1], "cache_read_tokens", (json_int_t)tokens[2], "cache_write_tokens",
                     (json_int_t)tokens[3], "cost_usd", (double)get(&m->cost_picodollars) / 1e12, "queries_by_mode",
                     counts_json(mode_names, s.by_mode, MODES), "queries_by_rate", counts_json(rates, s.by_rate, RATES));
}

static json_t *compression_json(const struct takc_metrics *m, const struct takc_metrics_now *now)
{
    const char *states[TAKC_METRICS_STATES] = {NULL};
    uint64_t n[TAKC_METRICS_STATES] = {0};
    for (size_t i = 0; i < now->n_jobs; i++) {
        states[i] = now->jobs[i].state;
        n[i] = now->jobs[i].n;
    }
    return json_pack("{so sI sI sI}", "jobs", counts_json(states, n, now->n_jobs), "cached_reads",
                     (json_int_t)get(&m->more[TAKC_METRICS_CACHE_HITS]), "uncached_reads",
                     (json_int_t)get(&m->more[TAKC_METRICS_CACHE_MISSES]), "kept_reply_bytes", (json_int_t)now->cache_bytes);
}

static json_t *system_json(const struct takc_metrics *m, const struct takc_metrics_now *now)
{
    return json_pack("{ss sI sI sI sI sI sI sI sI}", "version", TAKC_VERSION_TEXT, "uptime_s", (json_int_t)(now->now_s - now->started_s),
                     "requests", (json_int_t)now->server.requests, "requests_in_flight", (json_int_t)in_flight(m, now), "connections",
                     (json_int_t)now->server.open, "refused", (json_int_t)now->server.refused, "timeouts",
                     (json_int_t)now->server.timed_out, "memory_bytes", (json_int_t)resident_bytes(), "open_fds", (json_int_t)open_files());
}

json_t *takc_metrics_json(const struct takc_metrics *m, const struct takc_metrics_now *now)
{
    return json_pack("{so so so}", "query_metrics", query_json(m), "compression_metrics", compression_json(m, now), "system_metrics",
                     system_json(m, now));
}
