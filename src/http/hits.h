/* SPDX-License-Identifier: Apache-2.0
 *
 * http/hits.h - how often each rate of a task was used, and when last: hit_count and last_accessed of the guide.
 *
 * A use is a read of its text, or a question that was answered from it. Uses are counted in memory, in a table of a fixed size, and added
 * now and then - a second after the start, then more and more seldom, at last every five minutes - and at the end to what the task's home
 * keeps (catalog/hits.h), so that several servers on one home sum up, and a kill loses minutes at most. What finds no place in the table is
 * not counted. Threads: any, but flush and close from one; only these wait for a disk, and a count that is read. */
#ifndef TAKC_HTTP_HITS_H
#define TAKC_HTTP_HITS_H

#include "catalog/hits.h"

struct takc_hits;
struct takc_tenants;
/* home is the server's own; tenants (NULL: there are none) open the others. Both outlive h. NOMEM. Returns owned: takc_hits_close. */
TAKC_CHECK enum takc_status takc_hits_open(struct takc_hits **out, struct takc_home *home, struct takc_tenants *tenants,
                                           struct takc_err *err);
/* Makes what was counted last, where it is time (now_ns: the machine's clock): a second after the time before, and each time that something
 * was kept doubles that, to five minutes. Call it about once a second. A failure is logged, once, and tried again. h may be NULL. */
void takc_hits_flush(struct takc_hits *h, uint64_t now_ns);
/* The same, however short ago it was. */
void takc_hits_flush_now(struct takc_hits *h);
/* Flushes, frees; NULL is harmless. */
void takc_hits_close(struct takc_hits *h);

/* One use at now_s. h may be NULL. */
void takc_hits_add(struct takc_hits *h, struct takc_home *home, struct takc_str task, takc_rate rate, int64_t now_s);
/* What is kept and what was counted since; where the first cannot be read, the log says so and it is the second. h may be NULL: never. */
struct takc_hit_count takc_hits_of(struct takc_hits *h, struct takc_home *home, struct takc_str task, takc_rate rate);
/* The task is gone, and what was kept with it: one of its name begins at 0. h may be NULL. */
void takc_hits_forget(struct takc_hits *h, struct takc_home *home, struct takc_str task);

#endif
