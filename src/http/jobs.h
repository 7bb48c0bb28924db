/* SPDX-License-Identifier: Apache-2.0
 *
 * http/jobs.h - the server's runner over a queue of jobs (catalog/jobs.h): threads that take and run them, who waits for one, who cancels.
 *
 * Of the servers that share a home one runs its jobs, the one that holds the lock; the others queue, and take over when it ends. Once it
 * has the lock, a server queues again what was cut off, and does so, too, where it could not be noted that a job was taken or has ended (no
 * memory, a full disk). Threads are real ones, not fibers: work computes for long. One of them takes only
 * jobs of the quick kind, so that a document is not kept waiting by hours of compression of other tasks. Threads: any; wait may be called
 * on a fiber and holds no thread. */
#ifndef TAKC_HTTP_JOBS_H
#define TAKC_HTTP_JOBS_H

#include "catalog/jobs.h"
#include "http/trace.h"

struct takc_jobs;
struct takc_job_run { /* one run of a job, from when a thread took it; the thread's */
    struct takc_call call;
    struct takc_trace_job trace; /* the work begins it, and notes which models it asked */
};
struct takc_jobs_options {
    struct takc_queue *queue;   /* taken by open, on success only */
    const char *lock_file;      /* NULL: none, this one runs them */
    unsigned n_running;         /* at a time, of any kind; one more of the quick kind. 1..64 */
    size_t queued_max;          /* more are BUSY */
    unsigned attempts_max;      /* how often a job that is cut off is begun anew; 0: 5 */
    const char *quick_kind;     /* NULL: no such thread */
    struct takc_traces *traces; /* told of runs; outlives the runner; NULL: nobody is */
    /* Does the job's work; again in the same run where it is BUSY. Fills result, JSON, also where it fails: that is what clients are shown.
     */
    enum takc_status (*run)(void *arg, const struct takc_job_row *job, struct takc_job_run *run, struct takc_buf *result,
                            struct takc_err *err);
    /* The job will not run (again): what was kept for it may go. May be called twice; NULL: nobody cares. */
    void (*ended)(void *arg, const struct takc_job_row *job);
    /* This server runs the jobs from now on, cut-off ones are queued again: before the first is taken. NULL: nobody cares. */
    void (*began)(void *arg, struct takc_jobs *j);
    void *arg;
};

/* Starts the threads. NOMEM, BUSY (the system has no more threads). Returns owned: takc_jobs_close. */
TAKC_CHECK enum takc_status takc_jobs_open(struct takc_jobs **out, const struct takc_jobs_options *o, struct takc_err *err);
/* Stops what runs, which is queued again; ends every wait; takes no more. Adding still queues. Does not wait; NULL is harmless. */
void takc_jobs_stop(struct takc_jobs *j);
/* Stops, waits for the threads, frees. Nobody may wait any more. NULL is harmless. */
void takc_jobs_close(struct takc_jobs *j);

/* Queues a job. BUSY: queued_max wait already. */
TAKC_CHECK enum takc_status takc_jobs_add(struct takc_jobs *j, const struct takc_job_row *job, struct takc_err *err);
/* Cancels a tenant's job, queued or running. NOT_FOUND; CONFLICT: it has ended. The work of a running one ends soon after. */
TAKC_CHECK enum takc_status takc_jobs_cancel(struct takc_jobs *j, struct takc_str tenant, struct takc_str id, struct takc_err *err);
/* Reads a tenant's job, with the progress of this moment. NOT_FOUND. */
TAKC_CHECK enum takc_status takc_jobs_get(struct takc_jobs *j, struct takc_str tenant, struct takc_str id, struct takc_arena *a,
                                          struct takc_job_row *out, struct takc_err *err);
/* The newest first. */
TAKC_CHECK enum takc_status takc_jobs_list(struct takc_jobs *j, const struct takc_job_filter *f, struct takc_arena *a,
                                           struct takc_job_row **out, size_t *out_n, struct takc_err *err);
/* Is a job of any tenant queued or running? true also where that cannot be told. */
bool takc_jobs_is_open(struct takc_jobs *j, struct takc_str id);
/* A number that changes whenever any job may have. */
uint64_t takc_jobs_changes(struct takc_jobs *j);
/* Waits until takc_jobs_changes is not seen any more, at most ms; false: the server stops, nobody should wait any longer. */
bool takc_jobs_wait_change(struct takc_jobs *j, uint64_t seen, uint64_t ms);
/* Waits until the job has ended, at most ms, and reads it: out->state tells. Ends early where the server stops. As takc_jobs_get; also what
 * takc_call_check says of call. */
TAKC_CHECK enum takc_status takc_jobs_wait(struct takc_jobs *j, struct takc_str tenant, struct takc_str id, struct takc_call *call,
                                           uint64_t ms, struct takc_arena *a, struct takc_job_row *out, struct takc_err *err);

#endif
