/* SPDX-License-Identifier: Apache-2.0
 *
 * base/line.h - those who wait for a turn, in the order in which they came, each on a condition of its own: so that who is next is woken,
 * and not a thousand. Threads: under the lock of whose line it is. */
#ifndef TAKC_BASE_LINE_H
#define TAKC_BASE_LINE_H

#include "base/thread.h"

struct takc_waiter { /* on the stack of who waits; its turn is made and cleared outside of the lock */
    struct takc_waiter *next;
    struct takc_cond turn;
};
struct takc_line { /* zeroed: nobody waits */
    struct takc_waiter *head, *last;
    size_t n;
};

static inline void takc_line_join(struct takc_line *l, struct takc_waiter *w)
{
    w->next = NULL;
    *(l->last ? &l->last->next : &l->head) = w;
    l->last = w;
    l->n++;
}

/* w is in the line, wherever. */
static inline void takc_line_leave(struct takc_line *l, const struct takc_waiter *w)
{
    struct takc_waiter **at = &l->head, *before = NULL;
    while (*at != w) {
        before = *at;
        at = &before->next;
    }
    *at = w->next;
    if (l->last == w)
        l->last = before;
    l->n--;
}

static inline void takc_line_wake(struct takc_line *l, bool all)
{
    for (struct takc_waiter *w = l->head; w; w = all ? w->next : NULL)
        takc_cond_signal(&w->turn);
}

#endif
