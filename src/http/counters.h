/* SPDX-License-Identifier: Apache-2.0
 *
 * http/counters.h - what quotas count with: buckets that fill up again, and sums of a day. One table of functions per kind of place.
 *
 *   memory   in this process; kept in a home's catalogue, so that a restart does not fill every bucket
 *
 * A bucket is one number, the moment at which it is full again: taking n moves the moment on by n intervals, and what would move it
 * further than the whole bucket is refused. So a bucket that nobody touched for a while needs no memory at all.
 * Threads: any, at the same time; a take waits for nobody but another take. flush and close from one. */
#ifndef TAKC_HTTP_COUNTERS_H
#define TAKC_HTTP_COUNTERS_H

#include "base/clock.h"
#include "takc/str.h"

struct takc_home;
struct takc_counters;

enum { TAKC_COUNTER_KEY_MAX = 200 };

struct takc_bucket {
    struct takc_str key;  /* whose, and of what limit: 1 to TAKC_COUNTER_KEY_MAX bytes */
    uint64_t interval_ns; /* one comes back in this time; at least 1 */
    uint64_t burst;       /* most that there are; at least 1; burst * interval_ns fits 63 bits */
    uint64_t cost;        /* to take; 0: it is only looked at */
    uint64_t held;        /* taken before for the same thing: refused, it comes back. cost and held together may not be more than burst */
};
struct takc_bucket_state {
    uint64_t left;    /* now */
    uint64_t full_ns; /* until it is full again */
    uint64_t wait_ns; /* until the cost can be had; 0: it can. More than a full bucket: until it is full */
};

struct takc_counters_ops {
    const char *name;
    /* Takes from all of n buckets, or from none of them, which then get back what was held of them, and tells how each stands behind it.
     * The same key twice: each counts alone. NOMEM; of a place behind a network UPSTREAM, TIMEOUT: nothing comes back. */
    enum takc_status (*take)(struct takc_counters *c, const struct takc_bucket *buckets, size_t n, struct takc_bucket_state *out,
                             bool *out_taken, struct takc_err *err);
    /* Adds to the sum of a key's day (since 1970) and tells it; an earlier day than the one that is kept counts to that one. */
    enum takc_status (*add)(struct takc_counters *c, struct takc_str key, int64_t day, uint64_t more, uint64_t *out_total,
                            struct takc_err *err);
    /* Makes what was counted last; called about once a second. */
    enum takc_status (*flush)(struct takc_counters *c, struct takc_err *err);
    void (*close)(struct takc_counters *c); /* flushes */
};
struct takc_counters { /* first member of each implementation */
    const struct takc_counters_ops *ops;
};

struct takc_counters_options {
    struct takc_home *home; /* keeps the state; NULL: it ends with the process. Borrowed, outlives the counters */
    size_t entries_max;     /* 0: 65,536, some 10 MB; at most that many are known, and those go first that are full, or nearly */
    const struct takc_clock *clock;
};
/* Reads the kept state: a bucket has filled by the time that went by on the wall clock, to a second. NOMEM and what the catalogue answers.
 * Returns owned: ops->close. */
TAKC_CHECK enum takc_status takc_counters_memory(struct takc_counters **out, const struct takc_counters_options *o, struct takc_err *err);
/* How many keys it knows; for tests. */
size_t takc_counters_memory_size(struct takc_counters *c);

#endif
