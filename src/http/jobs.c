/* SPDX-License-Identifier: Apache-2.0
 *
 * jobs.c - worker threads that take jobs, and a ticker. Work says often how far it is, perhaps with locks held: that only fills its
 * worker's slot; the ticker carries it into the queue, and learns there of jobs that were cancelled by another process. What handlers ask
 * is in jobs_ask.c. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/jobs_parts.h"

#include <stdio.h>

enum {
    ATTEMPTS = 5,   /* a job that brings the server down is not tried for ever */
    TICK_MS = 250,  /* progress is seen four times a second */
    IDLE_MS = 2000, /* between two looks at a queue that others fill, too, and at the lock */
    KEPT = 1000,    /* ended jobs */
    KEPT_S = 7 * 86400,
    BUSY_TRIES = 60,  /* a second apart: another program holds the task */
    PRUNE_EVERY = 16, /* ended jobs */
    END_TRIES = 5,
    IN_HAND_BYTES = (TAKC_JOBS_RUNNING_MAX + 1) * TAKC_JOB_ID_BYTES
};
#define SECOND_NS 1000000000u

static void changed_locked(struct takc_jobs *j)
{
    j->locked.changes++;
    takc_cond_broadcast(&j->locked.moved);
}

void takc_jobs_changed(struct takc_jobs *j)
{
    takc_mutex_lock(&j->locked.mu);
    changed_locked(j);
    takc_mutex_unlock(&j->locked.mu);
}

/* Says once what is tried again every other second. */
static void complain(struct takc_jobs *j, const char *what, const struct takc_err *err)
{
    char text[sizeof(j->locked.complaint)];
    (void)snprintf(text, sizeof(text), "%s: %s", what, err->msg);
    takc_mutex_lock(&j->locked.mu);
    bool again = strcmp(text, j->locked.complaint) == 0;
    memcpy(j->locked.complaint, text, sizeof(text));
    takc_mutex_unlock(&j->locked.mu);
    if (!again)
        takc_log(ERROR, "jobs", "%s", text);
}

static void doubt(struct takc_jobs *j)
{
    takc_mutex_lock(&j->locked.mu);
    j->locked.doubts++;
    takc_mutex_unlock(&j->locked.mu);
}

/* ---- progress ---- */

/* Each stage gets half of what is left, so that progress never goes back and never says 100 too early. */
static void on_progress(void *arg, const char *stage, const char *unit, uint64_t done, uint64_t total)
{
    struct takc_job_slot *s = arg;
    (void)unit;
    takc_mutex_lock(&s->jobs->locked.mu);
    if (strncmp(s->stage, stage, sizeof(s->stage) - 1) != 0) {
        (void)snprintf(s->stage, sizeof(s->stage), "%s", stage);
        takc_trace_job_stage(&s->run.trace, s->stage);
        s->band_from = s->progress;
        s->band_to = s->progress + (99 - s->progress) / 2;
        s->moved = true;
    }
    unsigned now =
        s->band_from + (unsigned)(total ? (double)(done < total ? done : total) / (double)total * (s->band_to - s->band_from) : 0);
    s->moved = s->moved || now > s->progress;
    if (now > s->progress)
        s->progress = now;
    takc_mutex_unlock(&s->jobs->locked.mu);
}

struct noting { /* a slot's state, copied out of the lock */
    char id[TAKC_JOB_ID_BYTES], stage[32];
    unsigned progress;
    bool due;
};

static struct noting look(struct takc_job_slot *s)
{
    struct noting n = {.due = false};
    takc_mutex_lock(&s->jobs->locked.mu);
    if (s->active && (s->moved || takc_now_ns() - s->noted_ns > SECOND_NS)) {
        (void)snprintf(n.id, sizeof(n.id), "%s", s->id);
        (void)snprintf(n.stage, sizeof(n.stage), "%s", s->stage);
        n.progress = s->progress;
        n.due = true;
        s->moved = false;
        s->noted_ns = takc_now_ns();
    }
    takc_mutex_unlock(&s->jobs->locked.mu);
    return n;
}

void takc_jobs_cancel_slot(struct takc_jobs *j, struct takc_str id)
{
    takc_mutex_lock(&j->locked.mu);
    for (size_t i = 0; i < j->n_slots; i++)
        if (j->slots[i].active && takc_str_is(id, j->slots[i].id)) {
            j->slots[i].cancelled = true;
            atomic_store(&j->slots[i].run.call.cancel, true);
        }
    changed_locked(j);
    takc_mutex_unlock(&j->locked.mu);
}

static void note_slot(struct takc_jobs *j, struct takc_job_slot *s)
{
    struct takc_err err;
    struct noting n = look(s);
    if (!n.due)
        return;
    enum takc_status st = j->o.queue->ops->note(j->o.queue, takc_str(n.id), n.progress, takc_str(n.stage), &err);
    if (st == TAKC_NOT_FOUND)
        takc_jobs_cancel_slot(j, takc_str(n.id)); /* one that has just ended is not active any more, or is cancelled in vain */
    else if (st)
        takc_log(WARN, "jobs", "progress of %s was not noted: %s", n.id, err.msg);
    else
        takc_jobs_changed(j);
}

/* ---- a worker ---- */

static bool begin_slot(struct takc_job_slot *s, const struct takc_job_row *job)
{
    struct takc_jobs *j = s->jobs;
    takc_mutex_lock(&j->locked.mu);
    bool stops = j->locked.stops;
    takc_call_init(&s->run.call);
    s->run.call.progress = on_progress;
    s->run.call.progress_arg = s;
    s->run.trace = (struct takc_trace_job){.began_ns = takc_now_ns()};
    (void)snprintf(s->id, sizeof(s->id), "%.*s", TAKC_STR_ARG(job->id));
    s->run.call.request_id = s->id;
    s->stage[0] = '\0';
    s->progress = job->progress < 99 ? job->progress : 0;
    s->band_from = s->band_to = s->progress;
    s->cancelled = s->moved = false;
    s->noted_ns = takc_now_ns();
    s->active = !stops;
    changed_locked(j);
    takc_mutex_unlock(&j->locked.mu);
    return !stops;
}

/* What the job is now. */
static enum takc_job_state end_slot(struct takc_job_slot *s, enum takc_status st)
{
    struct takc_jobs *j = s->jobs;
    takc_mutex_lock(&j->locked.mu);
    s->active = false;
    bool stopped = j->locked.stops && !s->cancelled, cancelled = s->cancelled;
    takc_mutex_unlock(&j->locked.mu);
    if (!st)
        return TAKC_JOB_DONE;
    if (st == TAKC_CANCELLED && stopped)
        return TAKC_JOB_QUEUED;
    return cancelled && st == TAKC_CANCELLED ? TAKC_JOB_CANCELLED : TAKC_JOB_FAILED;
}

static bool is_stopped(struct takc_job_slot *s)
{
    return atomic_load(&s->run.call.cancel);
}

/* Another program may hold the task for a while. */
static enum takc_status run_patiently(struct takc_job_slot *s, const struct takc_job_row *job, struct takc_buf *result,
                                      struct takc_err *err)
{
    const struct takc_clock *clock = takc_clock_system();
    enum takc_status st = TAKC_BUSY;
    for (int i = 0; i < BUSY_TRIES && st == TAKC_BUSY; i++) {
        for (int k = 0; i && k < 10 && !is_stopped(s); k++)
            clock->sleep_ns(clock, SECOND_NS / 10);
        st = takc_call_check(&s->run.call, err);
        takc_buf_reset(result);
        if (!st)
            st = s->jobs->o.run(s->jobs->o.arg, job, &s->run, result, err);
    }
    return st;
}

static void prune(struct takc_jobs *j)
{
    const struct takc_clock *clock = takc_clock_system();
    struct takc_err err;
    takc_mutex_lock(&j->locked.mu);
    bool due = j->locked.n_ended++ % PRUNE_EVERY == 0;
    takc_mutex_unlock(&j->locked.mu);
    if (due && j->o.queue->ops->prune(j->o.queue, clock->wall_s(clock) - KEPT_S, KEPT, &err))
        takc_log(WARN, "jobs", "old jobs were not dropped: %s", err.msg);
}

/* The catalogue may be full or busy for a moment, and the work is done: it is not done again for that. */
static enum takc_status note_end(struct takc_jobs *j, struct takc_str id, enum takc_job_state state, struct takc_str result,
                                 struct takc_err *err)
{
    const struct takc_clock *clock = takc_clock_system();
    enum takc_status st = j->o.queue->ops->end(j->o.queue, id, state, result, err);
    for (int i = 1; i < END_TRIES && st && st != TAKC_NOT_FOUND; i++) {
        clock->sleep_ns(clock, SECOND_NS / 5);
        st = j->o.queue->ops->end(j->o.queue, id, state, result, err);
    }
    return st;
}

/* What became of it, for who watches; why: what its work ended with. */
static void tell_end(const struct takc_job_slot *s, const struct takc_job_row *job, enum takc_job_state state, enum takc_status why)
{
    const struct takc_trace_job_end e = {.id = job->id,
                                         .kind = job->kind,
                                         .task = job->task,
                                         .attempts = job->attempts,
                                         .outcome = takc_job_state_name(state),
                                         .failure = state == TAKC_JOB_FAILED ? takc_status_name(why) : NULL};
    takc_log(INFO, "jobs", "%s id=%.*s kind=%.*s task=%.*s attempts=%u", e.outcome, TAKC_STR_ARG(job->id), TAKC_STR_ARG(job->kind),
             TAKC_STR_ARG(job->task), job->attempts);
    takc_trace_job_ended(s->jobs->o.traces, &s->run.trace, &e);
}

static void settle(struct takc_job_slot *s, const struct takc_job_row *job, enum takc_job_state state, enum takc_status why,
                   struct takc_str result)
{
    struct takc_jobs *j = s->jobs;
    struct takc_err err;
    enum takc_status st = state == TAKC_JOB_CANCELLED ? TAKC_NOT_FOUND : note_end(j, job->id, state, result, &err);
    if (st == TAKC_NOT_FOUND) {
        state = TAKC_JOB_CANCELLED;
    } else if (st) { /* it is begun anew */
        takc_log(ERROR, "jobs", "the end of %.*s (%s) was not noted: %s", TAKC_STR_ARG(job->id), takc_job_state_name(state), err.msg);
        state = TAKC_JOB_QUEUED;
        doubt(j);
    }
    if (j->o.ended && state != TAKC_JOB_QUEUED)
        j->o.ended(j->o.arg, job);
    tell_end(s, job, state, why);
    if (state != TAKC_JOB_QUEUED)
        prune(j);
    takc_jobs_changed(j);
}

static void run_job(struct takc_job_slot *s, const struct takc_job_row *job)
{
    struct takc_buf result;
    struct takc_err err = {0};
    takc_buf_init(&result, TAKC_BUF_MAX_REPLY);
    enum takc_status st =
        begin_slot(s, job) ? run_patiently(s, job, &result, &err) : takc_fail(&err, TAKC_CANCELLED, 0, "the server is stopping");
    enum takc_job_state state = end_slot(s, st);
    if (state == TAKC_JOB_FAILED)
        takc_log(WARN, "jobs", "%.*s of %.*s failed: %s: %s", TAKC_STR_ARG(job->kind), TAKC_STR_ARG(job->task), takc_status_name(st),
                 err.msg);
    settle(s, job, state, st, takc_buf_str(&result));
    takc_buf_clear(&result);
}

/* Runs the next job; false: there was none. */
static bool run_next(struct takc_job_slot *s)
{
    struct takc_jobs *j = s->jobs;
    struct takc_arena a;
    struct takc_job_row job;
    struct takc_err err;
    takc_arena_init(&a);
    enum takc_status st = j->o.queue->ops->take(j->o.queue, takc_str(s->kind), &a, &job, &err);
    if (!st) {
        run_job(s, &job);
    } else if (st != TAKC_NOT_FOUND) {
        complain(j, "no job could be taken", &err);
        doubt(j);
    }
    takc_arena_clear(&a);
    return !st;
}

static void *work(void *arg)
{
    struct takc_job_slot *s = arg;
    struct takc_jobs *j = s->jobs;
    takc_mutex_lock(&j->locked.mu);
    while (!j->locked.stops) {
        uint64_t seen = j->locked.changes;
        bool any = false;
        s->busy = j->locked.mine && j->locked.doubts == j->locked.settled;
        takc_mutex_unlock(&j->locked.mu);
        if (s->busy)
            any = run_next(s);
        takc_mutex_lock(&j->locked.mu);
        s->busy = false;
        if (!any && seen == j->locked.changes && !j->locked.stops)
            takc_cond_wait_ms(&j->locked.moved, &j->locked.mu, IDLE_MS);
    }
    takc_mutex_unlock(&j->locked.mu);
    return NULL;
}

/* ---- the ticker ---- */

static const char cut_off[] = "{\"error\":{\"code\":\"INTERNAL_ERROR\",\"message\":\"the job was begun several times, and each time cut "
                              "off with the server, or its end could not be noted\"}}";

/* The ids of the jobs that are run, with ',' between; false: somebody takes one, or notes its end, so it has to be waited: that is short.
 */
static bool list_in_hand_locked(struct takc_jobs *j, char out[IN_HAND_BYTES])
{
    size_t n = 0;
    out[0] = '\0';
    for (size_t i = 0; i < j->n_slots; i++) {
        if (j->slots[i].busy && !j->slots[i].active)
            return false;
        if (j->slots[i].active)
            n += (size_t)snprintf(out + n, IN_HAND_BYTES - n, "%s%s", n ? "," : "", j->slots[i].id);
    }
    return true;
}

static enum takc_status queue_again(struct takc_jobs *j, struct takc_str in_hand)
{
    struct takc_err err;
    unsigned max = j->o.attempts_max ? j->o.attempts_max : ATTEMPTS;
    enum takc_status st = j->o.queue->ops->recover(j->o.queue, in_hand, max, takc_str(cut_off), &err);
    if (st)
        complain(j, "jobs that were cut off could not be queued again", &err);
    return st;
}

/* What the queue calls running, and nobody has in hand, is as if it had been cut off. */
static void settle_doubt(struct takc_jobs *j)
{
    char in_hand[IN_HAND_BYTES];
    takc_mutex_lock(&j->locked.mu);
    unsigned seen = j->locked.doubts;
    bool now = list_in_hand_locked(j, in_hand);
    takc_mutex_unlock(&j->locked.mu);
    if (!now || queue_again(j, takc_str(in_hand)))
        return;
    takc_mutex_lock(&j->locked.mu);
    j->locked.settled = seen;
    changed_locked(j);
    takc_mutex_unlock(&j->locked.mu);
}

/* Takes over the home's jobs, if nobody else has them. */
static void take_over(struct takc_jobs *j)
{
    struct takc_err err;
    if (j->lock.fd < 0 && j->o.lock_file) {
        enum takc_status st = takc_dir_make_for(j->o.lock_file, &err);
        if (!st)
            st = takc_lock_open(&j->lock, j->o.lock_file, true, 0, &err);
        if (st && st != TAKC_BUSY)
            complain(j, "no jobs are run", &err);
        if (st)
            return;
    }
    if (queue_again(j, takc_str("")))
        return;
    if (j->o.began)
        j->o.began(j->o.arg, j);
    takc_mutex_lock(&j->locked.mu);
    j->locked.mine = true;
    changed_locked(j);
    takc_mutex_unlock(&j->locked.mu);
}

static void *tick(void *arg)
{
    struct takc_jobs *j = arg;
    takc_mutex_lock(&j->locked.mu);
    while (!j->locked.stops) {
        bool mine = j->locked.mine, unsure = j->locked.doubts != j->locked.settled, busy = unsure;
        for (size_t i = 0; i < j->n_slots; i++)
            busy = busy || j->slots[i].active;
        takc_mutex_unlock(&j->locked.mu);
        if (!mine)
            take_over(j);
        else if (unsure)
            settle_doubt(j);
        for (size_t i = 0; i < j->n_slots && busy; i++)
            note_slot(j, &j->slots[i]);
        takc_mutex_lock(&j->locked.mu);
        if (!j->locked.stops)
            takc_cond_wait_ms(&j->locked.moved, &j->locked.mu, busy ? TICK_MS : IDLE_MS);
    }
    takc_mutex_unlock(&j->locked.mu);
    return NULL;
}

/* ---- opening and closing ---- */

static enum takc_status start_threads(struct takc_jobs *j, struct takc_err *err)
{
    char name[16];
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < j->n_slots && !st; i++) {
        bool quick = i == j->o.n_running;
        (void)snprintf(name, sizeof(name), "job-%zu", i);
        j->slots[i].jobs = j;
        j->slots[i].kind = quick ? j->o.quick_kind : "";
        st = takc_thread_start(&j->slots[i].thread, name, work, &j->slots[i], err);
        j->n_started += !st;
    }
    if (!st)
        st = takc_thread_start(&j->ticker, "job-ticker", tick, j, err);
    j->has_ticker = !st;
    return st;
}

static void join(struct takc_jobs *j)
{
    for (size_t i = 0; i < j->n_started; i++)
        (void)pthread_join(j->slots[i].thread, NULL);
    if (j->has_ticker)
        (void)pthread_join(j->ticker, NULL);
    j->n_started = 0;
    j->has_ticker = false;
}

enum takc_status takc_jobs_open(struct takc_jobs **out, const struct takc_jobs_options *o, struct takc_err *err)
{
    if (o->n_running < 1 || o->n_running > TAKC_JOBS_RUNNING_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "1 to %d jobs at a time, not %u", TAKC_JOBS_RUNNING_MAX, o->n_running);
    struct takc_jobs *j = takc_alloc(sizeof(*j));
    if (!j)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for jobs");
    memset(j, 0, sizeof(*j));
    j->o = *o;
    j->lock.fd = -1;
    if (o->lock_file) {
        (void)snprintf(j->lock_file, sizeof(j->lock_file), "%s", o->lock_file);
        j->o.lock_file = j->lock_file;
    }
    j->n_slots = o->n_running + (o->quick_kind ? 1 : 0);
    enum takc_status st = takc_mutex_init(&j->locked.mu, err);
    if (!st && (st = takc_cond_init(&j->locked.moved, err)))
        takc_mutex_clear(&j->locked.mu);
    if (st) {
        takc_free(j);
        return st;
    }
    st = start_threads(j, err);
    if (st) {
        takc_jobs_stop(j);
        join(j);
        j->o.queue = NULL; /* the caller's again */
        takc_jobs_close(j);
        return st;
    }
    *out = j;
    return TAKC_OK;
}

void takc_jobs_stop(struct takc_jobs *j)
{
    if (!j)
        return;
    takc_mutex_lock(&j->locked.mu);
    j->locked.stops = true;
    for (size_t i = 0; i < j->n_slots; i++)
        if (j->slots[i].active)
            atomic_store(&j->slots[i].run.call.cancel, true);
    changed_locked(j);
    takc_mutex_unlock(&j->locked.mu);
}

void takc_jobs_close(struct takc_jobs *j)
{
    if (!j)
        return;
    takc_jobs_stop(j);
    join(j);
    takc_lock_close(&j->lock);
    takc_cond_clear(&j->locked.moved);
    takc_mutex_clear(&j->locked.mu);
    if (j->o.queue)
        j->o.queue->ops->close(j->o.queue);
    takc_free(j);
}
