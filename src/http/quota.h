/* SPDX-License-Identifier: Apache-2.0
 *
 * http/quota.h - how much each caller may have: requests a second of an address and of a key, questions, ingests and compressions a minute
 * of a key, tokens and money of models a day of a tenant.
 *
 * The first two are buckets: of a second's limit there are burst at once, and per_s come back each second. A minute's limit is a bucket
 * that is full after a minute. A day is one of UTC. What a request will spend is not known when it is let in: it is let in while something
 * is left, and noted when it has ended, so that a day's limit can be passed by what was under way. Where the counters stand is their kind's
 * (http/counters.h). Threads: any. */
#ifndef TAKC_HTTP_QUOTA_H
#define TAKC_HTTP_QUOTA_H

#include "auth/auth.h"
#include "http/counters.h"

enum takc_quota_what { /* what a request is counted as, besides as a request */
                       TAKC_QUOTA_NOTHING = 0,
                       TAKC_QUOTA_QUERY,
                       TAKC_QUOTA_PROCESS,
                       TAKC_QUOTA_COMPRESS,
                       TAKC_QUOTA_WHATS
};

struct takc_quota;
struct takc_quota_options {
    uint64_t per_s, burst;              /* requests of an address, and of a key; per_s 0: as many as they like; burst 0: twice per_s */
    uint64_t per_min[TAKC_QUOTA_WHATS]; /* of a key; 0: as many as they like */
    uint64_t tokens_per_day, picodollars_per_day; /* of a tenant; 0: no limit */
    struct takc_counters_options counters;
};
/* Statuses as takc_counters_memory. Returns owned: takc_quota_close. */
TAKC_CHECK enum takc_status takc_quota_open(struct takc_quota **out, const struct takc_quota_options *o, struct takc_err *err);
/* Makes what was counted last; call it about once a second. A failure is logged. */
void takc_quota_flush(struct takc_quota *q);
/* Flushes, frees; NULL is harmless. */
void takc_quota_close(struct takc_quota *q);

enum { TAKC_QUOTA_LINES = 6 };
struct takc_quota_answer {
    bool admitted;
    uint64_t retry_s;         /* where it is not: after how long it may be */
    char why[160];            /* for the client */
    struct takc_quota_line {  /* the limits that it was counted in */
        const char *name;     /* "address", "key", "query"; of a day "tokens", "microusd" */
        uint64_t limit, left; /* at once; now */
        uint64_t window_s;    /* in which limit comes back */
        uint64_t reset_s;     /* until all of it is there again, rounded up */
    } lines[TAKC_QUOTA_LINES];
    size_t n_lines;
};
/* Counts a request of n questions (or what it is), all limits or none of them. who NULL: only its address, before it is known who asks;
 * peer empty: only who. n more than there ever are is never admitted. The statuses are the counters'; who calls lets nobody in then. */
TAKC_CHECK enum takc_status takc_quota_take(struct takc_quota *q, const struct takc_identity *who, struct takc_str peer,
                                            enum takc_quota_what what, uint64_t n, struct takc_quota_answer *out, struct takc_err *err);
/* The same for what a request turns out to be besides: n more questions of one batch; no request more. Refused, held questions that it was
 * let in for come back: those that it does not ask now either. */
TAKC_CHECK enum takc_status takc_quota_take_more(struct takc_quota *q, const struct takc_identity *who, enum takc_quota_what what,
                                                 uint64_t n, uint64_t held, struct takc_quota_answer *out, struct takc_err *err);
/* Notes what was spent on models, by whom. A failure is logged: the answer stands. */
void takc_quota_spend(struct takc_quota *q, const struct takc_identity *who, uint64_t tokens, uint64_t picodollars);

#endif
