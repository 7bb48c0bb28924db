/* SPDX-License-Identifier: Apache-2.0
 *
 * on_metrics.c - GET /metrics: Prometheus text, or the guide's JSON for who accepts that. */
#include "http/observe.h"
#include "http/reply_cache.h"

#include "base/clock.h"
#include "catalog/jobs.h"

/* Without them the rest is told all the same. */
static void count_jobs(const struct takc_api *api, struct takc_metrics_now *now)
{
    uint64_t n[TAKC_JOB_CANCELLED + 1];
    if (takc_home_count_jobs(api->home, n, NULL))
        return;
    for (int i = TAKC_JOB_QUEUED; i <= TAKC_JOB_CANCELLED; i++) {
        now->jobs[now->n_jobs].state = takc_job_state_name((enum takc_job_state)i);
        now->jobs[now->n_jobs++].n = n[i];
    }
}

static void look_around(const struct takc_api *api, struct takc_metrics_now *now)
{
    const struct takc_clock *clock = takc_clock_system();
    *now = (struct takc_metrics_now){.started_s = api->started_s, .now_s = clock->wall_s(clock)};
    struct takc_server *server = atomic_load(&api->server);
    if (server)
        takc_server_count(server, &now->server);
    takc_traces_count(api->traces, &now->spans_sent, &now->spans_dropped);
    takc_reply_cache_count(api->replies, &now->cache_bytes, &now->cache_entries);
    count_jobs(api, now);
}

static bool wants_json(const struct takc_exchange *x)
{
    struct takc_str accept = takc_exchange_asked(x, "accept");
    return accept.len && takc_str_find(accept, takc_str("application/json"), 0) != SIZE_MAX;
}

void takc_on_metrics(struct takc_exchange *x, const struct takc_asked *asked)
{
    const struct takc_api *api = asked->api;
    struct takc_metrics_now now;
    struct takc_err err = {0};
    if (asked->who.tenant.len && !api->metrics_open) {
        takc_api_reject(x, 403, "what the whole server counts is not a tenant's to read");
        return;
    }
    look_around(api, &now);
    takc_exchange_header(x, "Vary", takc_str("Accept"));
    if (wants_json(x)) {
        takc_api_json(x, 200, takc_metrics_json(api->metrics, &now));
        return;
    }
    enum takc_status st = takc_metrics_text(api->metrics, &now, &x->reply, &err);
    if (st) {
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
        return;
    }
    x->status = 200;
    x->content_type = "text/plain; version=0.0.4; charset=utf-8";
}
