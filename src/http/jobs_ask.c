/* SPDX-License-Identifier: Apache-2.0
 *
 * jobs_ask.c - jobs as handlers ask for them. Whoever waits looks at the queue again when something changed, and now and then, since
 * another server may run the jobs. */
#include "base/clock.h"
#include "http/jobs_parts.h"

enum takc_status takc_jobs_add(struct takc_jobs *j, const struct takc_job_row *job, struct takc_err *err)
{
    enum takc_status st = j->o.queue->ops->add(j->o.queue, job, j->o.queued_max, err);
    if (!st)
        takc_jobs_changed(j);
    return st;
}

enum takc_status takc_jobs_cancel(struct takc_jobs *j, struct takc_str tenant, struct takc_str id, struct takc_err *err)
{
    struct takc_arena a;
    struct takc_job_row job;
    takc_arena_init(&a);
    enum takc_status st = j->o.queue->ops->get(j->o.queue, tenant, id, &a, &job, err);
    if (!st)
        st = j->o.queue->ops->cancel(j->o.queue, tenant, id, err);
    if (!st && job.state == TAKC_JOB_QUEUED && j->o.ended)
        j->o.ended(j->o.arg, &job); /* a running one's worker says so itself */
    if (!st)
        takc_jobs_cancel_slot(j, id);
    takc_arena_clear(&a);
    return st;
}

enum takc_status takc_jobs_get(struct takc_jobs *j, struct takc_str tenant, struct takc_str id, struct takc_arena *a,
                               struct takc_job_row *out, struct takc_err *err)
{
    return j->o.queue->ops->get(j->o.queue, tenant, id, a, out, err);
}

enum takc_status takc_jobs_list(struct takc_jobs *j, const struct takc_job_filter *f, struct takc_arena *a, struct takc_job_row **out,
                                size_t *out_n, struct takc_err *err)
{
    return j->o.queue->ops->list(j->o.queue, f, a, out, out_n, err);
}

bool takc_jobs_is_open(struct takc_jobs *j, struct takc_str id)
{
    bool open = true;
    return j->o.queue->ops->is_open(j->o.queue, id, &open, NULL) || open;
}

uint64_t takc_jobs_changes(struct takc_jobs *j)
{
    takc_mutex_lock(&j->locked.mu);
    uint64_t n = j->locked.changes;
    takc_mutex_unlock(&j->locked.mu);
    return n;
}

bool takc_jobs_wait_change(struct takc_jobs *j, uint64_t seen, uint64_t ms)
{
    takc_mutex_lock(&j->locked.mu);
    if (j->locked.changes == seen && !j->locked.stops)
        takc_cond_wait_ms(&j->locked.moved, &j->locked.mu, ms);
    bool goes_on = !j->locked.stops;
    takc_mutex_unlock(&j->locked.mu);
    return goes_on;
}

/* The state alone; the row's texts may be large and are read once, at the end. */
static enum takc_status state_of(struct takc_jobs *j, struct takc_str tenant, struct takc_str id, enum takc_job_state *out,
                                 struct takc_err *err)
{
    struct takc_arena a;
    struct takc_job_row row = {.state = TAKC_JOB_UNSET};
    takc_arena_init(&a);
    enum takc_status st = takc_jobs_get(j, tenant, id, &a, &row, err);
    *out = row.state;
    takc_arena_clear(&a);
    return st;
}

enum takc_status takc_jobs_wait(struct takc_jobs *j, struct takc_str tenant, struct takc_str id, struct takc_call *call, uint64_t ms,
                                struct takc_arena *a, struct takc_job_row *out, struct takc_err *err)
{
    enum { LOOK_MS = 1000 };
    uint64_t until = takc_now_ns() + ms * 1000000u;
    enum takc_job_state state = TAKC_JOB_UNSET;
    bool goes_on = true;
    for (;;) {
        uint64_t seen = takc_jobs_changes(j), now = takc_now_ns();
        enum takc_status st = takc_call_check(call, err);
        if (!st)
            st = state_of(j, tenant, id, &state, err);
        if (st)
            return st;
        if (takc_job_ended(state) || !goes_on || now >= until)
            return takc_jobs_get(j, tenant, id, a, out, err);
        uint64_t left = (until - now) / 1000000u + 1;
        goes_on = takc_jobs_wait_change(j, seen, left < LOOK_MS ? left : LOOK_MS);
    }
}
