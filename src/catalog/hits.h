/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog/hits.h - how often each rate of a task was used, and when last: the table hits, sums that any number of processes add to. Rows
 * go with the other rows of their task (takc_home_drop_rows). Threads: any. Statuses as takc_catalog_work. */
#ifndef TAKC_CATALOG_HITS_H
#define TAKC_CATALOG_HITS_H

#include "catalog/home.h"

struct takc_hit_count {
    uint64_t n;
    int64_t last_s; /* since 1970; 0: never */
};
struct takc_hit_row {
    char task[64];
    takc_rate rate;
    struct takc_hit_count uses;
};

/* Adds what rows say, all of it or nothing. Of a task that has no version nothing is kept: it is gone, and leaves no number. Where all is
 * well kept is called while the catalogue is still locked, so that nobody sees a use twice or not at all; it asks the catalogue nothing. */
TAKC_CHECK enum takc_status takc_home_hits_add(struct takc_home *h, const struct takc_hit_row *rows, size_t n, void (*kept)(void *arg),
                                               void *arg, struct takc_err *err);
/* Tells what is kept of a rate (zeros: nothing), in the same way. */
TAKC_CHECK enum takc_status takc_home_hits(struct takc_home *h, struct takc_str task, takc_rate rate,
                                           void (*each)(void *arg, struct takc_hit_count c), void *arg, struct takc_err *err);

#endif
