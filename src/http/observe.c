/* SPDX-License-Identifier: Apache-2.0
 *
 * observe.c - puts together what is told of a request, from the exchange and what its handler noted. */
#include "http/observe.h"

#include "base/clock.h"
#include "base/log.h"
#include "catalog/audit.h"
#include "takc/compress.h"

#include <stdio.h>

enum { PATH_SHOWN = 512, QUESTION_SHOWN = 600, FIELDS = 24 };

static struct takc_str cut(struct takc_str s, size_t max)
{
    return s.len > max ? takc_str_slice(s, 0, max) : s;
}

static const struct takc_asked *asked_of(const struct takc_exchange *x)
{
    return x->about;
}

static const struct takc_route *route_of(const struct takc_exchange *x)
{
    return x->about ? asked_of(x)->route : NULL;
}

void takc_observe_begin(const struct takc_api *api, struct takc_exchange *x)
{
    takc_trace_begin(api->traces, api->trace_context, x);
}

/* ---- questions ---- */

/* A model that failed has no answer to take its name from: "openai:gpt-5" as it was set. */
static void note_asked(struct takc_noted_answer *n, struct takc_str name)
{
    size_t colon = takc_str_find_byte(name, ':', 0);
    if (colon != SIZE_MAX)
        (void)snprintf(n->provider, sizeof(n->provider), "%.*s", (int)colon, name.ptr);
    name = colon == SIZE_MAX ? name : takc_str_slice(name, colon + 1, name.len);
    (void)snprintf(n->model, sizeof(n->model), "%.*s", TAKC_STR_ARG(name));
}

static void note_answer(struct takc_noted_answer *n, const struct takc_query_options *o, const struct takc_query_result *r, bool failed)
{
    const struct takc_model_answer *a = &r->answer;
    *n = (struct takc_noted_answer){.failure = a->failure};
    n->mode = failed ? "none" : takc_mode_name(r->mode);
    n->outcome = failed ? "failed" : a->blocked ? "blocked" : r->abstained ? "abstained" : "answered";
    (void)snprintf(n->rate, sizeof(n->rate), "%s", r->rate);
    (void)snprintf(n->provider, sizeof(n->provider), "%.*s", TAKC_STR_ARG(a->provider));
    (void)snprintf(n->model, sizeof(n->model), "%.*s", TAKC_STR_ARG(a->model));
    n->input = a->input;
    n->output = a->output;
    n->cache_read = a->cache_read;
    n->cache_write = a->cache_write;
    n->picodollars = a->cache_hit ? 0 : a->picodollars;
    n->tries = a->cache_hit ? 0 : a->tries;
    n->confidence = r->confidence;
    n->cache_ns = r->timing.cache_ns;
    n->choose_ns = r->timing.choose_ns;
    n->model_ns = r->timing.model_ns;
    if (failed && n->tries)
        note_asked(n, o->model ? o->model->model : takc_str(""));
}

/* One more of several: times, tokens and money are added up; of words stays what all have in common. */
static void add_answer(struct takc_noted *n, const struct takc_noted_answer *a)
{
    struct takc_noted_answer *sum = &n->answer;
    bool first = n->n_questions++ == 0;
    n->n_failed += strcmp(a->outcome, "failed") == 0;
    sum->mode = first || strcmp(sum->mode, a->mode) == 0 ? a->mode : "mixed";
    sum->outcome = first || strcmp(sum->outcome, a->outcome) == 0 ? a->outcome : "mixed";
    (void)snprintf(sum->rate, sizeof(sum->rate), "%s", first || strcmp(sum->rate, a->rate) == 0 ? a->rate : "mixed");
    sum->input += a->input;
    sum->output += a->output;
    sum->cache_read += a->cache_read;
    sum->cache_write += a->cache_write;
    sum->picodollars += a->picodollars;
    sum->tries += a->tries;
    sum->cache_ns += a->cache_ns;
    sum->choose_ns += a->choose_ns;
    sum->model_ns += a->model_ns;
}

static void count_question(const struct takc_asked *asked, const struct takc_query_options *o, enum takc_status st,
                           const struct takc_query_result *r)
{
    if (asked->api->metrics)
        takc_metrics_question(asked->api->metrics, o->task, r, st != TAKC_OK);
}

void takc_observe_words(struct takc_exchange *x, const struct takc_asked *asked, const struct takc_query_options *o)
{
    if (asked->api->log_questions)
        x->noted.question = takc_arena_dup(&x->arena, cut(o->question, QUESTION_SHOWN));
}

void takc_observe_question(struct takc_exchange *x, const struct takc_asked *asked, const struct takc_query_options *o, enum takc_status st,
                           const struct takc_query_result *r)
{
    struct takc_noted *n = &x->noted;
    count_question(asked, o, st, r);
    note_answer(&n->answer, o, r, st != TAKC_OK);
    atomic_store_explicit(&n->told, true, memory_order_release);
}

void takc_observe_item_begin(struct takc_exchange *x, struct takc_observed *it)
{
    takc_trace_item_begin(x, &it->item);
}

void takc_observe_item(const struct takc_exchange *x, const struct takc_asked *asked, const struct takc_query_options *o,
                       enum takc_status st, const struct takc_query_result *r, struct takc_observed *it)
{
    count_question(asked, o, st, r);
    note_answer(&it->answer, o, r, st != TAKC_OK);
    takc_trace_item_ended(asked->api->traces, x, &it->item, &it->answer);
}

void takc_observe_sum(struct takc_exchange *x, const struct takc_observed *it)
{
    add_answer(&x->noted, &it->answer);
    atomic_store_explicit(&x->noted.told, true, memory_order_release);
}

/* ---- jobs ---- */

/* A version that stood already tells of an earlier run. */
void takc_observe_compress(struct takc_noted_answer *out, struct takc_str name, const struct takc_compress_report *r)
{
    *out = (struct takc_noted_answer){.picodollars = r->picodollars};
    note_asked(out, name);
    for (size_t i = 0; r->changed && i < r->n_rows; i++) {
        out->input += r->rows[i].generated.input_tokens;
        out->output += r->rows[i].generated.output_tokens;
        out->tries += (unsigned)r->rows[i].generated.calls;
    }
}

/* ---- the audit trail ---- */

static void write_audit(const struct takc_api *api, const struct takc_exchange *x, bool sync)
{
    const struct takc_asked *asked = asked_of(x);
    const struct takc_clock *clock = takc_clock_system();
    struct takc_err err = {0};
    const struct takc_audit_row row = {.at_s = clock->wall_s(clock),
                                       .tenant = asked->who.tenant,
                                       .subject = asked->who.subject,
                                       .peer = takc_str(x->peer),
                                       .request_id = takc_str(x->request_id),
                                       .action = takc_str(asked->route->id),
                                       .path = cut(x->path, TAKC_AUDIT_PATH_MAX),
                                       .status = x->status};
    char status[16];
    (void)snprintf(status, sizeof(status), "%d", x->status);
    const struct takc_log_field f[] = {{"action", row.action, false},      {"path", cut(x->path, PATH_SHOWN), false},
                                       {"status", takc_str(status), true}, {"who", row.subject, false},
                                       {"tenant", row.tenant, false},      {"peer", row.peer, false}};
    takc_log_fields(&x->call, TAKC_LOG_INFO, "audit", "write", f, sizeof(f) / sizeof(f[0]));
    if (!takc_home_audit(api->home, &row, sync, api->audit_days, &err))
        return;
    takc_log_for(&x->call, ERROR, "audit", "no row for %s %.*s, status %d: %s", asked->route->id, TAKC_STR_ARG(row.path), x->status,
                 err.msg);
    if (api->metrics)
        takc_metrics_add(api->metrics, TAKC_METRICS_AUDIT_FAILED, 1);
}

void takc_observe_written(const struct takc_api *api, struct takc_exchange *x)
{
    const struct takc_route *r = route_of(x);
    if (!r || !r->writes || x->noted.audited)
        return;
    x->noted.audited = true;
    write_audit(api, x, true);
}

/* ---- the access log ---- */

struct line {
    struct takc_log_field f[FIELDS];
    char numbers[FIELDS][24];
    size_t n;
};

static void say(struct line *l, const char *name, struct takc_str text)
{
    l->f[l->n++] = (struct takc_log_field){name, text, false};
}

static void say_whole(struct line *l, const char *name, uint64_t v)
{
    (void)snprintf(l->numbers[l->n], sizeof(l->numbers[0]), "%llu", (unsigned long long)v);
    l->f[l->n] = (struct takc_log_field){name, takc_str(l->numbers[l->n]), true};
    l->n++;
}

static void say_ms(struct line *l, const char *name, uint64_t ns)
{
    (void)snprintf(l->numbers[l->n], sizeof(l->numbers[0]), "%.3f", (double)ns / 1e6);
    l->f[l->n] = (struct takc_log_field){name, takc_str(l->numbers[l->n]), true};
    l->n++;
}

static void say_usd(struct line *l, const char *name, uint64_t picodollars)
{
    (void)snprintf(l->numbers[l->n], sizeof(l->numbers[0]), "%.6f", (double)picodollars / 1e12);
    l->f[l->n] = (struct takc_log_field){name, takc_str(l->numbers[l->n]), true};
    l->n++;
}

static void say_answer(struct line *l, const struct takc_noted *n)
{
    const struct takc_noted_answer *a = &n->answer;
    if (!atomic_load_explicit(&n->told, memory_order_acquire))
        return;
    if (n->n_questions) {
        say_whole(l, "questions", n->n_questions);
        say_whole(l, "failed", n->n_failed);
    }
    say(l, "mode", takc_str(a->mode));
    say(l, "rate", takc_str(a->rate));
    say(l, "outcome", takc_str(a->outcome));
    say_ms(l, "cache_ms", a->cache_ns);
    say_ms(l, "choose_ms", a->choose_ns);
    say_ms(l, "model_ms", a->model_ns);
    say_usd(l, "cost_usd", a->picodollars);
    say(l, "question", n->question);
}

static void log_access(const struct takc_exchange *x, uint64_t took_ns, bool whole)
{
    struct line l = {.n = 0};
    const struct takc_asked *asked = asked_of(x);
    const struct takc_route *route = route_of(x);
    say(&l, "trace_id", takc_str(x->noted.trace_id));
    say(&l, "peer", takc_str(x->peer));
    say(&l, "method", cut(x->method, 16));
    say(&l, "route", takc_str(route ? route->id : "none"));
    say(&l, "path", cut(x->path, PATH_SHOWN));
    say_whole(&l, "status", (uint64_t)x->status);
    say_whole(&l, "bytes", x->sent_bytes);
    say_ms(&l, "ms", took_ns);
    say_ms(&l, "auth_ms", x->admit_ns);
    say_answer(&l, &x->noted);
    if (asked) {
        say(&l, "who", asked->who.subject);
        say(&l, "tenant", asked->who.tenant);
    }
    if (!whole)
        say(&l, "gone", takc_str("yes"));
    takc_log_fields(&x->call, TAKC_LOG_INFO, "http.access", "request", l.f, l.n);
}

/* ---- the end ---- */

/* A 429 of a question that was worked on is the model's service, not a quota. */
static void count(struct takc_metrics *m, const struct takc_exchange *x, uint64_t took_ns)
{
    bool asked = atomic_load_explicit(&x->noted.told, memory_order_acquire);
    takc_metrics_request(m, route_of(x), x->method, x->status, took_ns);
    if (x->status == 401 || x->status == 403)
        takc_metrics_add(m, TAKC_METRICS_AUTH_REFUSED, 1);
    if (x->status == 429 && !asked)
        takc_metrics_add(m, TAKC_METRICS_QUOTA_REFUSED, 1);
}

void takc_observe_ended(const struct takc_api *api, const struct takc_exchange *x, bool whole)
{
    const struct takc_clock *clock = takc_clock_system();
    const struct takc_route *route = route_of(x);
    uint64_t took_ns = clock->mono_ns(clock) - x->began_ns;
    const struct takc_trace_request r = {.route_path = route ? route->path : NULL, .whole = whole};
    bool nobodys = x->status == 429 && !asked_of(x)->who.subject.len; /* a flood must not push out what others did */
    if (route && route->writes && !x->noted.audited && !nobodys)
        write_audit(api, x, false);
    if (api->metrics)
        count(api->metrics, x, took_ns);
    takc_trace_ended(api->traces, x, &r);
    if (api->access_log && takc_log_on(TAKC_LOG_INFO, "http.access"))
        log_access(x, took_ns, whole);
}
