/* SPDX-License-Identifier: Apache-2.0
 *
 * models_ledger.c - what a run and a month may spend and have spent: the caller's callbacks.
 *
 * A try is asked for twice: before it waits for its place (allow), so that nobody waits for a call that there is no money for, and before
 * it is sent (begin), where its most is set aside until it ends: calls side by side cannot each spend what is left for one. The run's money
 * is set aside here, the month's by the row in the ledger, which other processes see too. */
#include "base/alloc.h"
#include "base/log.h"
#include "catalog/usage.h"
#include "pipeline/models_parts.h"

#include <stdio.h>

enum { TELL_PERCENT = 80 };

static void add_usage(struct takc_usage *to, const struct takc_usage *u)
{
    to->input += u->input;
    to->output += u->output;
    to->cache_read += u->cache_read;
    to->cache_write += u->cache_write;
    to->counted_here = to->counted_here || u->counted_here;
}

/* --- the caps --- */

static bool fits(uint64_t cap, uint64_t gone, uint64_t expected)
{
    return gone <= cap && expected <= cap - gone;
}

/* COST when the run has not enough left; the lock is held. */
static enum takc_status check_run_locked(struct takc_models *m, uint64_t expected, struct takc_err *err)
{
    char cap[32], spent[32], needs[32];
    uint64_t gone = m->locked.spent.picodollars + m->locked.in_flight;
    if (!m->s.max_cost || fits(m->s.max_cost, gone, expected))
        return TAKC_OK;
    takc_money_text(m->s.max_cost, cap);
    takc_money_text(gone, spent);
    takc_money_text(expected, needs);
    return takc_fail(err, TAKC_COST, 0,
                     "this run's cap is %s: %s is spent or under way, the next call may come to %s; raise --max-cost (cost.max_usd)", cap,
                     spent, needs);
}

static enum takc_status over_month(const struct takc_models *m, uint64_t spent, uint64_t expected, struct takc_err *err)
{
    char cap[32], gone[32], needs[32];
    takc_money_text(m->s.monthly_cap, cap);
    takc_money_text(spent, gone);
    takc_money_text(expected, needs);
    return takc_fail(
        err, TAKC_COST, 0,
        "task %.*s has a cap of %s a month: %s is spent or under way, the next call may come to %s; raise cost.monthly_cap_usd",
        TAKC_STR_ARG(m->task), cap, gone, needs);
}

/* At four fifths of the month's cap, once. */
static void warn_of_month(struct takc_models *m, uint64_t spent)
{
    char cap[32], gone[32];
    uint64_t due = m->s.monthly_cap / 100 * TELL_PERCENT;
    if (!m->s.monthly_cap || spent < due)
        return;
    takc_money_text(m->s.monthly_cap, cap);
    takc_money_text(spent, gone);
    takc_mutex_lock(&m->locked.mu);
    if (!m->locked.told_cap)
        (void)snprintf(m->locked.note, sizeof(m->locked.note),
                       "task %.*s has spent or set aside %s of its %s a month (cost.monthly_cap_usd): at 100 %% calls stop",
                       TAKC_STR_ARG(m->task), gone, cap);
    m->locked.told_cap = true;
    takc_mutex_unlock(&m->locked.mu);
}

void takc_models_tell(struct takc_models *m, bool priced, struct takc_model_reply *reply)
{
    char note[sizeof(m->locked.note)];
    takc_mutex_lock(&m->locked.mu);
    memcpy(note, m->locked.note, sizeof(note));
    m->locked.note[0] = '\0';
    bool unpriced = !priced && (m->s.max_cost || m->s.monthly_cap) && !m->locked.told_price;
    m->locked.told_price = m->locked.told_price || unpriced;
    takc_mutex_unlock(&m->locked.mu);
    if (note[0]) {
        takc_log(WARN, "model", "%s", note);
        takc_model_note(reply, "%s", note);
    }
    if (unpriced)
        takc_model_note(reply, "THE CAP DOES NOT HOLD: " TAKC_MODELS_CAPLESS);
}

/* --- calls under way --- */

static enum takc_status set_aside(struct takc_models *m, uint64_t expected, struct takc_err *err)
{
    takc_mutex_lock(&m->locked.mu);
    enum takc_status st = check_run_locked(m, expected, err);
    if (!st)
        st = takc_grow(&m->locked.flights, &m->locked.flights_cap, m->locked.n_flights + 1, sizeof(*m->locked.flights), err);
    if (!st) {
        m->locked.flights[m->locked.n_flights++] = (struct takc_models_flight){0, expected};
        m->locked.in_flight += expected;
    }
    takc_mutex_unlock(&m->locked.mu);
    return st;
}

/* What was set aside under this id is free again. */
static void give_back_locked(struct takc_models *m, int64_t id)
{
    for (size_t i = m->locked.n_flights; i-- > 0;)
        if (m->locked.flights[i].id == id) {
            m->locked.in_flight -= m->locked.flights[i].picodollars;
            m->locked.flights[i] = m->locked.flights[--m->locked.n_flights];
            return;
        }
}

static struct takc_usage_row row_of(const struct takc_call_row *r)
{
    return (struct takc_usage_row){.at_s = r->at_s,
                                   .task = r->task,
                                   .version = r->version,
                                   .purpose = r->purpose,
                                   .provider = r->provider,
                                   .model = r->model,
                                   .request_id = r->request_id,
                                   .outcome = r->outcome,
                                   .input = r->usage.input,
                                   .output = r->usage.output,
                                   .cache_read = r->usage.cache_read,
                                   .cache_write = r->usage.cache_write,
                                   .picodollars = r->picodollars,
                                   .ms = r->ms,
                                   .first_token_ms = r->first_token_ms,
                                   .attempt = r->attempt,
                                   .counted_here = r->usage.counted_here,
                                   .priced = r->priced,
                                   .fallback = r->fallback,
                                   .batch = r->batch};
}

/* --- the callbacks; the caller calls one at a time --- */

static enum takc_status allow(void *arg, struct takc_str task, uint64_t expected, struct takc_err *err)
{
    struct takc_models *m = arg;
    const struct takc_clock *clock = takc_clock_or_system(m->s.clock);
    uint64_t spent = 0;
    takc_mutex_lock(&m->locked.mu);
    enum takc_status st = check_run_locked(m, expected, err);
    takc_mutex_unlock(&m->locked.mu);
    if (st || !m->home || !m->s.monthly_cap)
        return st;
    st = takc_home_spent_this_month(m->home, task, clock->wall_s(clock), &spent, err);
    return st || fits(m->s.monthly_cap, spent, expected) ? st : over_month(m, spent, expected, err);
}

/* *id 0: one is drawn. */
static enum takc_status begin_row(struct takc_models *m, const struct takc_call_row *row, int64_t *id, struct takc_err *err)
{
    struct takc_usage_row u = row_of(row);
    uint64_t spent = 0;
    if (!m->home) {
        *id = *id ? *id : ++m->locked.next_id; /* the caller calls one at a time */
        return TAKC_OK;
    }
    enum takc_status st = *id ? takc_home_usage_begin_as(m->home, *id, &u, m->s.monthly_cap, &spent, err)
                              : takc_home_usage_begin_within(m->home, &u, m->s.monthly_cap, id, &spent, err);
    if (st == TAKC_COST)
        return over_month(m, spent, row->picodollars, err);
    if (!st)
        warn_of_month(m, spent + row->picodollars);
    return st;
}

static enum takc_status begin_under(struct takc_models *m, const struct takc_call_row *row, int64_t *id, struct takc_err *err)
{
    enum takc_status st = set_aside(m, row->picodollars, err);
    if (st)
        return st;
    st = begin_row(m, row, id, err);
    takc_mutex_lock(&m->locked.mu);
    if (st)
        give_back_locked(m, 0);
    else
        m->locked.flights[m->locked.n_flights - 1].id = *id; /* the one that was just set aside */
    takc_mutex_unlock(&m->locked.mu);
    return st;
}

static enum takc_status begin(void *arg, const struct takc_call_row *row, int64_t *out_id, struct takc_err *err)
{
    *out_id = 0;
    return begin_under(arg, row, out_id, err);
}

static enum takc_status end(void *arg, int64_t id, const struct takc_call_row *row, struct takc_err *err)
{
    struct takc_models *m = arg;
    struct takc_models_spent *s = &m->locked.spent;
    struct takc_usage_row u = row_of(row);
    takc_mutex_lock(&m->locked.mu);
    give_back_locked(m, id);
    s->calls++;
    s->picodollars += row->picodollars;
    add_usage(&s->usage, &row->usage);
    s->unpriced = s->unpriced || !row->priced;
    s->fallback = s->fallback || row->fallback;
    takc_mutex_unlock(&m->locked.mu);
    return m->home ? takc_home_usage_end(m->home, id, &u, err) : TAKC_OK;
}

/* Between rounds nobody else calls: set_aside and begin_row find one caller at a time here, too. */
enum takc_status takc_models_begin_as(struct takc_models *m, int64_t id, const struct takc_call_row *row, struct takc_err *err)
{
    return begin_under(m, row, &id, err);
}

enum takc_status takc_models_end_as(struct takc_models *m, int64_t id, const struct takc_call_row *row, struct takc_err *err)
{
    return end(m, id, row, err);
}

struct takc_call_ledger takc_models_ledger(struct takc_models *m)
{
    return (struct takc_call_ledger){.allow = allow, .begin = begin, .end = end, .arg = m};
}

void takc_models_spent(struct takc_models *m, struct takc_models_spent *out)
{
    takc_mutex_lock(&m->locked.mu);
    *out = m->locked.spent;
    out->capless = m->capless;
    takc_mutex_unlock(&m->locked.mu);
}
