/* SPDX-License-Identifier: Apache-2.0
 *
 * http/hits.h - how often each rate of a task was used since the server started, and when last: hit_count and last_accessed of the guide.
 *
 * A use is a read of its text, or a question that was answered from it. A table of a fixed size without locks: what finds no place in it is
 * not counted. Nothing is stored: a restart counts from 0. Threads: any. */
#ifndef TAKC_HTTP_HITS_H
#define TAKC_HTTP_HITS_H

#include "catalog/home.h"

struct takc_hits;
struct takc_hit_count {
    uint64_t n;
    int64_t last_s; /* since 1970; 0: never */
};
/* NOMEM. Returns owned: takc_hits_free. */
TAKC_CHECK enum takc_status takc_hits_new(struct takc_hits **out, struct takc_err *err);
/* NULL is harmless. */
void takc_hits_free(struct takc_hits *h);

/* One use at now_s. h may be NULL. */
void takc_hits_add(struct takc_hits *h, struct takc_home *home, struct takc_str task, takc_rate rate, int64_t now_s);
/* h may be NULL: never. */
struct takc_hit_count takc_hits_of(struct takc_hits *h, struct takc_home *home, struct takc_str task, takc_rate rate);
/* The task is gone: one of its name begins at 0. h may be NULL. */
void takc_hits_forget(struct takc_hits *h, struct takc_home *home, struct takc_str task);

#endif
