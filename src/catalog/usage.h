/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog/usage.h - the cost ledger: a row for every try of a model call, in the catalogue (it lives only there, and is part of backups).
 *
 * A row is written before the call is sent, as "lost", and replaced when it ends: what a killed run had in flight stays lost and counted at
 * its expected price, since it may have been billed. Money is in picodollars (dollars a million tokens make whole numbers a token).
 * Rows hold no text of documents, questions or answers. Forget, sweep and rebuild leave them; backup and restore carry them. Of a damaged
 * catalogue that is moved aside, every row that can still be read is taken over into the new one; the home's warning says how many.
 * A row's id is drawn at random, so that ids of before and after such a change never meet. A row is on disk before begin returns.
 * Threads: any; processes too. */
#ifndef TAKC_CATALOG_USAGE_H
#define TAKC_CATALOG_USAGE_H

#include "catalog/home.h"

struct takc_usage_row { /* one try; views are the caller's */
    int64_t at_s;
    struct takc_str task, version, purpose, provider, model, request_id, outcome;
    uint64_t input, output, cache_read, cache_write, picodollars, ms, first_token_ms;
    unsigned attempt;
    bool counted_here, priced, fallback, batch;
};
/* Writes a row before its call; *out_id names it. BUSY, IO, FULL: then nothing may be sent. */
TAKC_CHECK enum takc_status takc_home_usage_begin(struct takc_home *h, const struct takc_usage_row *row, int64_t *out_id,
                                                  struct takc_err *err);
/* The same, unless the task has spent so much since the first of the row's month (UTC) that cap (picodollars) would be passed with it: COST
 * then, and no row. Judged and written in one step, so that callers side by side, in other processes too, cannot each take what is left for
 * one. *out_spent, without this row, is set with OK and COST. */
TAKC_CHECK enum takc_status takc_home_usage_begin_within(struct takc_home *h, const struct takc_usage_row *row, uint64_t cap,
                                                         int64_t *out_id, uint64_t *out_spent, struct takc_err *err);
/* The same under an id of the caller's, made from what the row is about, so that it is one row however often it is begun: one that is there
 * already was judged then, and is left as it is. id is not 0. */
TAKC_CHECK enum takc_status takc_home_usage_begin_as(struct takc_home *h, int64_t id, const struct takc_usage_row *row, uint64_t cap,
                                                     uint64_t *out_spent, struct takc_err *err);
/* Replaces it; a row that is no longer there is written anew. */
TAKC_CHECK enum takc_status takc_home_usage_end(struct takc_home *h, int64_t id, const struct takc_usage_row *row, struct takc_err *err);

enum takc_usage_by {
    TAKC_USAGE_BY_TASK = 1 << 0,
    TAKC_USAGE_BY_MODEL = 1 << 1,
    TAKC_USAGE_BY_DAY = 1 << 2,
    TAKC_USAGE_BY_PURPOSE = 1 << 3
};
struct takc_usage_filter {
    struct takc_str task, model; /* empty: all; model "provider:model", or either part */
    int64_t since_s, until_s;    /* until exclusive; 0: open */
    unsigned by;                 /* enum takc_usage_by; 0: one sum */
};
struct takc_usage_sum {
    struct takc_str task, model, day, purpose; /* those asked for, else empty; model "provider:model"; day "2026-11-28" in UTC */
    uint64_t calls, failed, lost, unpriced;    /* calls: tries, all outcomes */
    uint64_t batch;                            /* of these, records of batch jobs */
    uint64_t input, output, cache_read, cache_write, picodollars, ms;
};
typedef enum takc_status takc_usage_fn(void *arg, const struct takc_usage_sum *sum, struct takc_err *err);
/* Sums, ascending by day, task, model, purpose. */
TAKC_CHECK enum takc_status takc_home_usage(struct takc_home *h, const struct takc_usage_filter *f, takc_usage_fn *each, void *arg,
                                            struct takc_err *err);
/* How long a good try of a model took that compressed (purposes compress, condense, repair): the median in milliseconds of the last most
 * tries, of any task, the lower of two middle ones; *out_n: how many there were, 0: none. */
TAKC_CHECK enum takc_status takc_home_usage_pace(struct takc_home *h, struct takc_str provider, struct takc_str model, unsigned most,
                                                 uint64_t *out_n, uint64_t *out_ms, struct takc_err *err);
/* What a task has spent in the month of now_s, UTC. */
TAKC_CHECK enum takc_status takc_home_spent_this_month(struct takc_home *h, struct takc_str task, int64_t now_s, uint64_t *out_picodollars,
                                                       struct takc_err *err);

#endif
