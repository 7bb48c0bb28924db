/* SPDX-License-Identifier: Apache-2.0
 *
 * models_ledger.c - what a run may spend and has spent: the caller's callbacks.
 *
 * A try is asked for twice: before it waits for its place (allow), so that nobody waits for a call that there is no money for, and before
 * it is sent (begin), where its most is set aside until it ends: calls side by side cannot each spend what is left for one. */
#include "pipeline/models_parts.h"

static void add_usage(struct takc_usage *to, const struct takc_usage *u)
{
    to->input += u->input;
    to->output += u->output;
    to->cache_read += u->cache_read;
    to->cache_write += u->cache_write;
    to->counted_here = to->counted_here || u->counted_here;
}

/* COST when the run has not enough left; the lock is held. */
static enum takc_status check_run_locked(struct takc_models *m, uint64_t expected, struct takc_err *err)
{
    char cap[32], spent[32], needs[32];
    uint64_t gone = m->locked.spent.picodollars + m->locked.in_flight;
    if (!m->s.max_cost || (gone <= m->s.max_cost && expected <= m->s.max_cost - gone))
        return TAKC_OK;
    takc_money_text(m->s.max_cost, cap);
    takc_money_text(gone, spent);
    takc_money_text(expected, needs);
    return takc_fail(err, TAKC_COST, 0,
                     "the cap of this run is %s: %s is spent or under way, the next call may come to %s; raise --max-cost", cap, spent,
                     needs);
}

static enum takc_status allow(void *arg, struct takc_str task, uint64_t expected, struct takc_err *err)
{
    struct takc_models *m = arg;
    (void)task;
    takc_mutex_lock(&m->locked.mu);
    enum takc_status st = check_run_locked(m, expected, err);
    takc_mutex_unlock(&m->locked.mu);
    return st;
}

static enum takc_status begin(void *arg, const struct takc_call_row *row, int64_t *out_id, struct takc_err *err)
{
    struct takc_models *m = arg;
    takc_mutex_lock(&m->locked.mu);
    enum takc_status st = check_run_locked(m, row->picodollars, err);
    if (!st)
        m->locked.in_flight += row->picodollars;
    takc_mutex_unlock(&m->locked.mu);
    *out_id = st ? 0 : (int64_t)row->picodollars;
    return st;
}

static enum takc_status end(void *arg, int64_t id, const struct takc_call_row *row, struct takc_err *err)
{
    struct takc_models *m = arg;
    struct takc_models_spent *s = &m->locked.spent;
    (void)err;
    takc_mutex_lock(&m->locked.mu);
    m->locked.in_flight -= (uint64_t)id;
    s->calls++;
    s->picodollars += row->picodollars;
    add_usage(&s->usage, &row->usage);
    s->unpriced = s->unpriced || !row->priced;
    s->fallback = s->fallback || row->fallback;
    takc_mutex_unlock(&m->locked.mu);
    return TAKC_OK;
}

struct takc_call_ledger takc_models_ledger(struct takc_models *m)
{
    return (struct takc_call_ledger){.allow = allow, .begin = begin, .end = end, .arg = m};
}

void takc_models_spent(struct takc_models *m, struct takc_models_spent *out)
{
    takc_mutex_lock(&m->locked.mu);
    *out = m->locked.spent;
    takc_mutex_unlock(&m->locked.mu);
}
