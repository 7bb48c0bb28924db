/* SPDX-License-Identifier: Apache-2.0
 *
 * http/metrics.h - what the server counts, told as Prometheus text (format 0.0.4, prefix takc_) and as the guide's JSON.
 *
 * Labels are ids of routes, methods, classes of status, modes, names of rates, providers, and tasks that a setting lists: never anything
 * that a client made up, so there are as many series on the last day as on the first. Counters are atomics; nothing is locked.
 * Threads: any; what is told was true within the time of telling. */
#ifndef TAKC_HTTP_METRICS_H
#define TAKC_HTTP_METRICS_H

#include "base/json.h"
#include "http/server.h"
#include "takc/query.h"

struct takc_route;
struct takc_metrics;

enum { TAKC_METRICS_TASKS = 64, TAKC_METRICS_STATES = 8 };

/* tasks: those that are counted by name, "fin,legal"; empty: none. INVALID: no name of a task, or more than TAKC_METRICS_TASKS. Returns
 * owned: takc_metrics_free. */
TAKC_CHECK enum takc_status takc_metrics_new(struct takc_metrics **out, struct takc_str tasks, struct takc_err *err);
/* NULL is harmless. */
void takc_metrics_free(struct takc_metrics *m);

/* A request has ended, ns after its head was there. route NULL: none was found. */
void takc_metrics_request(struct takc_metrics *m, const struct takc_route *route, struct takc_str method, int status, uint64_t ns);
/* A question was answered; or failed, then r has what a model took for it. */
void takc_metrics_question(struct takc_metrics *m, struct takc_str task, const struct takc_query_result *r, bool failed);

/* Counters that other files of the server add to. */
enum takc_metrics_counter {
    TAKC_METRICS_QUOTA_REFUSED = 0, /* requests over a limit of rate, tokens or money */
    TAKC_METRICS_AUTH_REFUSED,      /* credentials that are none, or not good enough */
    TAKC_METRICS_CACHE_HITS,        /* replies of GET /cache/TASK/RATE given from memory */
    TAKC_METRICS_CACHE_MISSES,
    TAKC_METRICS_AUDIT_FAILED, /* rows that could not be written */
    TAKC_METRICS_COUNTERS
};
/* Counts n more; from any thread. */
void takc_metrics_add(struct takc_metrics *m, enum takc_metrics_counter which, uint64_t n);

struct takc_metrics_now { /* what others know at the moment of telling */
    struct takc_server_counts server;
    int64_t started_s, now_s;
    struct {
        const char *state; /* static */
        uint64_t n;
    } jobs[TAKC_METRICS_STATES];
    size_t n_jobs;
    uint64_t spans_sent, spans_dropped, cache_bytes, cache_entries;
};
/* Appends the text. NOMEM. */
TAKC_CHECK enum takc_status takc_metrics_text(const struct takc_metrics *m, const struct takc_metrics_now *now, struct takc_buf *out,
                                              struct takc_err *err);
/* {"query_metrics", "compression_metrics", "system_metrics"}. NULL: no memory. Returns owned. */
json_t *takc_metrics_json(const struct takc_metrics *m, const struct takc_metrics_now *now);

#endif
