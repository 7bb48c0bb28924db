/* SPDX-License-Identifier: Apache-2.0
 *
 * gate.c - a line of those who wait, each on a condition of its own: a place that is free wakes one of a thousand. */
#include "base/gate.h"
#include "base/alloc.h"

enum { LOOK_MS = 250 }; /* at the call */

enum takc_status takc_gate_init(struct takc_gate *g, size_t max, struct takc_err *err)
{
    *g = (struct takc_gate){.max = max};
    return takc_mutex_init(&g->locked.mu, err);
}

void takc_gate_clear(struct takc_gate *g)
{
    if (g->locked.n_in || g->locked.line.head)
        TAKC_BUG("a gate goes that somebody uses");
    takc_mutex_clear(&g->locked.mu);
}

static void wake_locked(struct takc_gate *g) TAKC_REQUIRES(g->locked.mu)
{
    if (g->locked.n_in < g->max)
        takc_line_wake(&g->locked.line, false);
}

static enum takc_status wait_locked(struct takc_gate *g, struct takc_waiter *w, struct takc_call *call, struct takc_err *err)
    TAKC_REQUIRES(g->locked.mu)
{
    enum takc_status st = TAKC_OK;
    takc_line_join(&g->locked.line, w);
    while (!st && (g->locked.line.head != w || g->locked.n_in >= g->max)) {
        takc_cond_wait_ms(&w->turn, &g->locked.mu, LOOK_MS);
        st = takc_call_check(call, err);
    }
    takc_line_leave(&g->locked.line, w);
    g->locked.n_in += !st;
    wake_locked(g); /* the next, when there is room for two, or w gave up */
    return st;
}

enum takc_status takc_gate_enter(struct takc_gate *g, struct takc_call *call, struct takc_err *err)
{
    struct takc_waiter w = {0};
    takc_mutex_lock(&g->locked.mu);
    bool free_now = !g->locked.line.head && g->locked.n_in < g->max;
    g->locked.n_in += free_now;
    takc_mutex_unlock(&g->locked.mu);
    if (free_now)
        return TAKC_OK;
    enum takc_status st = takc_cond_init(&w.turn, err);
    if (st)
        return st;
    takc_mutex_lock(&g->locked.mu);
    st = wait_locked(g, &w, call, err);
    takc_mutex_unlock(&g->locked.mu);
    takc_cond_clear(&w.turn);
    return st;
}

size_t takc_gate_waiting(struct takc_gate *g)
{
    takc_mutex_lock(&g->locked.mu);
    size_t n = g->locked.line.n;
    takc_mutex_unlock(&g->locked.mu);
    return n;
}

void takc_gate_leave(struct takc_gate *g)
{
    takc_mutex_lock(&g->locked.mu);
    if (!g->locked.n_in)
        TAKC_BUG("somebody leaves a gate who is not in it");
    g->locked.n_in--;
    wake_locked(g);
    takc_mutex_unlock(&g->locked.mu);
}
