/* SPDX-License-Identifier: Apache-2.0
 *
 * limits.c - peers, CORS, quotas and repeated writes as requests meet them. */
#include "http/limits.h"

#include "base/alloc.h"
#include "http/cors.h"
#include "http/idempotency.h"
#include "http/peer.h"

#include <stdio.h>

#define FLUSH_NS 1000000000u

struct takc_limits {
    struct takc_quota *quota;
    struct takc_cors cors;
    struct takc_proxies proxies;
    struct takc_idempotency idempotency;
    uint64_t flushed_ns; /* of the thread that flushes */
};
struct takc_limited {                 /* of one request, in its arena */
    struct takc_quota_answer counted; /* the lines of all that it was counted in */
    struct takc_claim claim;
};

/* ---- open and close ---- */

static enum takc_status read_lists(struct takc_cors *cors, struct takc_proxies *proxies, const struct takc_settings *s,
                                   struct takc_err *err)
{
    enum takc_status st = takc_cors_parse(s->serve_cors_origins, cors, err);
    if (st)
        return takc_err_prefix(err, st, "serve.cors_origins");
    st = takc_proxies_parse(s->serve_trusted_proxies, proxies, err);
    return st ? takc_err_prefix(err, st, "serve.trusted_proxies") : TAKC_OK;
}

enum takc_status takc_limits_check(const struct takc_settings *s, struct takc_err *err)
{
    struct takc_cors cors;
    struct takc_proxies proxies;
    return read_lists(&cors, &proxies, s, err);
}

enum takc_status takc_limits_open(struct takc_limits **out, const struct takc_settings *s, struct takc_home *home, struct takc_err *err)
{
    const struct takc_quota_options o = {.per_s = s->serve_quota_per_s,
                                         .burst = s->serve_quota_burst,
                                         .per_min = {[TAKC_QUOTA_QUERY] = s->serve_quota_query_per_min,
                                                     [TAKC_QUOTA_PROCESS] = s->serve_quota_process_per_min,
                                                     [TAKC_QUOTA_COMPRESS] = s->serve_quota_compress_per_min},
                                         .tokens_per_day = s->serve_quota_tokens_per_day,
                                         .picodollars_per_day = s->serve_quota_usd_per_day,
                                         .counters = {.home = home}};
    struct takc_limits *l = takc_alloc(sizeof(*l));
    if (!l)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for limits");
    enum takc_status st = read_lists(&l->cors, &l->proxies, s, err);
    if (!st)
        st = takc_quota_open(&l->quota, &o, err);
    if (st) {
        takc_free(l);
        return st;
    }
    takc_idempotency_init(&l->idempotency, home, s->serve_request_ms);
    *out = l;
    return TAKC_OK;
}

void takc_limits_flush(struct takc_limits *l)
{
    const struct takc_clock *clock = takc_clock_system();
    uint64_t now = clock->mono_ns(clock);
    if (!l || now - l->flushed_ns < FLUSH_NS)
        return;
    l->flushed_ns = now;
    takc_quota_flush(l->quota);
}

void takc_limits_close(struct takc_limits *l)
{
    if (!l)
        return;
    takc_quota_close(l->quota);
    takc_free(l);
}

/* ---- the head ---- */

void takc_limits_peer(const struct takc_api *api, struct takc_exchange *x)
{
    if (api->limits)
        takc_peer_resolve(&api->limits->proxies, x->headers, x->n_headers, x->peer);
}

bool takc_limits_preflight(const struct takc_api *api, struct takc_exchange *x, const char *methods)
{
    return api->limits && takc_cors_preflight(&api->limits->cors, x, methods);
}

bool takc_limits_trusts(const struct takc_api *api, struct takc_str origin)
{
    return api->limits && !api->limits->cors.any && takc_cors_allows(&api->limits->cors, origin);
}

bool takc_limits_begin(struct takc_exchange *x, struct takc_asked *asked)
{
    const char *why = "no memory for a request";
    if (!asked->api->limits)
        return true;
    asked->limited = takc_arena_alloc(&x->arena, sizeof(*asked->limited));
    if (asked->limited && (!asked->route->writes || takc_idempotency_expect(x, &asked->limited->claim, &why)))
        return true;
    bool ours = strncmp(why, "no memory", 9) == 0;
    takc_api_refuse(x, ours ? 503 : 400, ours ? "BUSY" : "INVALID", takc_str(why), NULL);
    return false;
}

/* ---- quotas ---- */

/* Says no, until when and why. */
static bool refuse(struct takc_exchange *x, const struct takc_quota_answer *a)
{
    char seconds[24];
    (void)snprintf(seconds, sizeof(seconds), "%llu", (unsigned long long)a->retry_s);
    takc_exchange_header(x, "Retry-After", takc_str(seconds));
    takc_api_refuse(x, 429, "RATE_LIMIT_EXCEEDED", takc_str(a->why), json_pack("{sI}", "retry_after_s", (json_int_t)a->retry_s));
    return false;
}

/* Adds lines to those that the reply tells; one of the same name takes its place. */
static void note_lines(struct takc_quota_answer *all, const struct takc_quota_answer *more)
{
    for (size_t i = 0; i < more->n_lines; i++) {
        size_t at = 0;
        while (at < all->n_lines && strcmp(all->lines[at].name, more->lines[i].name) != 0)
            at++;
        if (at == TAKC_QUOTA_LINES)
            return;
        all->lines[at] = more->lines[i];
        all->n_lines += at == all->n_lines;
    }
}

static bool settle(struct takc_exchange *x, const struct takc_asked *asked, enum takc_status st, const struct takc_quota_answer *a,
                   const struct takc_err *err)
{
    if (st) {
        takc_api_fail(x, st == TAKC_NOMEM ? st : TAKC_BUSY, TAKC_ABOUT_UNSET, err);
        return false;
    }
    note_lines(&asked->limited->counted, a);
    return a->admitted || refuse(x, a);
}

bool takc_limits_come(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_quota_answer a;
    struct takc_err err = {0};
    if (!asked->limited || !takc_api_needs(asked->api, asked->route))
        return true;
    enum takc_status st = takc_quota_take(asked->api->limits->quota, NULL, takc_str(x->peer), TAKC_QUOTA_NOTHING, 1, &a, &err);
    return settle(x, asked, st, &a, &err);
}

bool takc_limits_admit(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_quota_answer a;
    struct takc_err err = {0};
    if (!asked->limited || !takc_api_needs(asked->api, asked->route))
        return true;
    enum takc_status st = takc_quota_take(asked->api->limits->quota, &asked->who, takc_str(""), asked->route->counts, 1, &a, &err);
    return settle(x, asked, st, &a, &err);
}

bool takc_limits_more(struct takc_exchange *x, const struct takc_asked *asked, uint64_t n, uint64_t held)
{
    struct takc_quota_answer a;
    struct takc_err err = {0};
    if (!asked->limited || !asked->route->counts)
        return true;
    enum takc_status st = takc_quota_take_more(asked->api->limits->quota, &asked->who, asked->route->counts, n, held, &a, &err);
    return settle(x, asked, st, &a, &err);
}

void takc_limits_spend(const struct takc_api *api, const struct takc_identity *who, uint64_t tokens, uint64_t picodollars)
{
    if (api->limits)
        takc_quota_spend(api->limits->quota, who, tokens, picodollars);
}

void takc_limits_spent(const struct takc_asked *asked, const struct takc_query_result *r)
{
    const struct takc_model_answer *a = &r->answer;
    if (a->asked && !a->cache_hit)
        takc_limits_spend(asked->api, &asked->who, a->input + a->output + a->cache_read + a->cache_write, a->picodollars);
}

/* ---- writes ---- */

bool takc_limits_write(struct takc_exchange *x, const struct takc_asked *asked)
{
    enum takc_idempotency_found found = TAKC_IDEMPOTENCY_NEW;
    struct takc_err err = {0};
    struct takc_claim *c = asked->limited ? &asked->limited->claim : NULL;
    if (!c || !c->key.len)
        return true;
    const char *subject = takc_arena_printf(&x->arena, "%.*s/%.*s", TAKC_STR_ARG(asked->who.tenant), TAKC_STR_ARG(asked->who.subject));
    enum takc_status st = subject ? takc_idempotency_begin(&asked->api->limits->idempotency, x, c, takc_str(subject), &found, &err)
                                  : takc_fail(&err, TAKC_NOMEM, 0, "no memory for a request");
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
    else if (found == TAKC_IDEMPOTENCY_OTHER)
        takc_api_refuse(x, 422, "IDEMPOTENCY_KEY_REUSED", takc_str("this Idempotency-Key was used for another request"), NULL);
    else if (found == TAKC_IDEMPOTENCY_RUNNING)
        takc_api_refuse(x, 409, "CONFLICT", takc_str("the request with this Idempotency-Key is being worked on; ask again in a moment"),
                        NULL);
    return !st && found == TAKC_IDEMPOTENCY_NEW;
}

void takc_limits_written(struct takc_exchange *x, const struct takc_asked *asked)
{
    if (asked->limited)
        takc_idempotency_end(&asked->api->limits->idempotency, x, &asked->limited->claim);
}

void takc_limits_ended(const struct takc_exchange *x)
{
    struct takc_asked *asked = x->about;
    if (asked && asked->limited)
        takc_claim_clear(&asked->limited->claim);
}

enum takc_status takc_limits_forget(const struct takc_asked *asked, struct takc_str task, struct takc_err *err)
{
    char subjects[80], text[100];
    if (!asked->api->limits)
        return TAKC_OK;
    (void)snprintf(subjects, sizeof(subjects), "%.*s/", TAKC_STR_ARG(asked->who.tenant));
    (void)snprintf(text, sizeof(text), "\"task_type\":\"%.*s\"", TAKC_STR_ARG(task)); /* as takc_json_dump writes it */
    return takc_home_idempotency_forget(asked->api->limits->idempotency.home, takc_str(subjects), takc_str(text), err);
}

/* ---- headers ---- */

/* The fields of draft-ietf-httpapi-ratelimit-headers-06, of the limit that is nearest to its end. */
static void say_nearest(struct takc_exchange *x, const struct takc_quota_answer *a)
{
    const struct takc_quota_line *l = &a->lines[0];
    char text[24];
    for (size_t i = 1; i < a->n_lines; i++)
        if ((double)a->lines[i].left * (double)l->limit < (double)l->left * (double)a->lines[i].limit)
            l = &a->lines[i];
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {{"RateLimit-Limit", l->limit}, {"RateLimit-Remaining", l->left}, {"RateLimit-Reset", l->reset_s}};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)fields[i].value);
        takc_exchange_header(x, fields[i].name, takc_str(text));
    }
}

/* Those of draft 10, of all of them. */
static void say_all(struct takc_exchange *x, const struct takc_quota_answer *a)
{
    char policy[256] = "", state[256] = "";
    for (size_t i = 0; i < a->n_lines; i++) {
        const struct takc_quota_line *l = &a->lines[i];
        size_t p = strlen(policy), s = strlen(state);
        (void)snprintf(policy + p, sizeof(policy) - p, "%s\"%s\";q=%llu;w=%llu", i ? ", " : "", l->name, (unsigned long long)l->limit,
                       (unsigned long long)l->window_s);
        (void)snprintf(state + s, sizeof(state) - s, "%s\"%s\";r=%llu;t=%llu", i ? ", " : "", l->name, (unsigned long long)l->left,
                       (unsigned long long)l->reset_s);
    }
    takc_exchange_header(x, "RateLimit-Policy", takc_str(policy));
    takc_exchange_header(x, "RateLimit", takc_str(state));
}

void takc_limits_headers(const struct takc_api *api, struct takc_exchange *x)
{
    const struct takc_asked *asked = x->about;
    if (!api->limits)
        return;
    takc_cors_headers(&api->limits->cors, x);
    if (!asked || !asked->limited || !asked->limited->counted.n_lines)
        return;
    say_nearest(x, &asked->limited->counted);
    say_all(x, &asked->limited->counted);
}
