/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog/jobs.h - work that outlives its request: a queue of jobs, as a table of functions; the embedded one keeps them in the home's
 * catalogue.
 *
 * A job is queued, then running, then done, failed or cancelled. Whoever takes a job runs it; of one tenant's task one job runs at a time,
 * in the order they were queued in. A job that is found running by the only one who runs jobs was cut off: recover queues it again, so work
 * must be such that it can be begun anew. Ended jobs are kept for a while (prune). Changes of state are synced; progress is not. Threads:
 * any; processes too. Statuses of all: NOMEM, BUSY, FULL, CORRUPT, IO. */
#ifndef TAKC_CATALOG_JOBS_H
#define TAKC_CATALOG_JOBS_H

#include "catalog/home.h"

enum takc_job_state { TAKC_JOB_UNSET = 0, TAKC_JOB_QUEUED, TAKC_JOB_RUNNING, TAKC_JOB_DONE, TAKC_JOB_FAILED, TAKC_JOB_CANCELLED };
/* "queued" ...; "" for UNSET. Static. */
const char *takc_job_state_name(enum takc_job_state s);
/* UNSET: no such name. */
enum takc_job_state takc_job_state_of(struct takc_str name);
static inline bool takc_job_ended(enum takc_job_state s)
{
    return s >= TAKC_JOB_DONE;
}

enum { TAKC_JOB_ID_BYTES = 33 };
struct takc_job_row { /* views are the caller's, or the arena's that was given */
    struct takc_str id, tenant, kind, task, subject;
    struct takc_str request, result; /* JSON; result: empty until it has ended */
    struct takc_str stage;           /* a word or two of what it does now */
    enum takc_job_state state;
    unsigned progress, attempts;           /* per cent; how often it was taken and not put back */
    int64_t created_s, started_s, ended_s; /* 0: not yet */
};
/* A new id: 32 hex digits; later ones of this process sort behind earlier ones, nobody can guess them. IO: no randomness. */
TAKC_CHECK enum takc_status takc_job_id(char out[TAKC_JOB_ID_BYTES], struct takc_err *err);

struct takc_job_filter {
    struct takc_str tenant;    /* always: '' is the default one */
    struct takc_str task;      /* empty: any */
    struct takc_str before_id; /* older ones than this; empty: from the newest */
    enum takc_job_state state; /* UNSET: any */
    size_t max;
};

struct takc_queue;
struct takc_queue_ops {
    const char *name; /* "sqlite" */
    /* Queues it: id, tenant, kind, task, subject, request count. BUSY with detail 1: open_max are queued already, or
     * half as many of that tenant. */
    enum takc_status (*add)(struct takc_queue *, const struct takc_job_row *job, size_t open_max, struct takc_err *);
    /* Takes the oldest that may run, of this kind (empty: any). NOT_FOUND: there is none. */
    enum takc_status (*take)(struct takc_queue *, struct takc_str kind, struct takc_arena *, struct takc_job_row *out, struct takc_err *);
    /* Notes progress of a running job. NOT_FOUND: it is not running any more: somebody cancelled it. */
    enum takc_status (*note)(struct takc_queue *, struct takc_str id, unsigned progress, struct takc_str stage, struct takc_err *);
    /* Ends a running job, or (QUEUED) puts it back as if it had not been taken. NOT_FOUND: as note. */
    enum takc_status (*end)(struct takc_queue *, struct takc_str id, enum takc_job_state, struct takc_str result, struct takc_err *);
    /* Cancels a tenant's job. NOT_FOUND; CONFLICT: it has ended. */
    enum takc_status (*cancel)(struct takc_queue *, struct takc_str tenant, struct takc_str id, struct takc_err *);
    /* Reads a tenant's job. NOT_FOUND. */
    enum takc_status (*get)(struct takc_queue *, struct takc_str tenant, struct takc_str id, struct takc_arena *, struct takc_job_row *out,
                            struct takc_err *);
    /* Is it queued or running, whoever's it is? For the server itself. */
    enum takc_status (*is_open)(struct takc_queue *, struct takc_str id, bool *out, struct takc_err *);
    /* The newest first, without request and result, which may be large. */
    enum takc_status (*list)(struct takc_queue *, const struct takc_job_filter *, struct takc_arena *, struct takc_job_row **out,
                             size_t *out_n, struct takc_err *);
    /* Queues again what is running but for the jobs in hand (ids with ',' between; empty: none is), where it was taken less than
     * attempts_max times; the others fail with this result. */
    enum takc_status (*recover)(struct takc_queue *, struct takc_str in_hand, unsigned attempts_max, struct takc_str result,
                                struct takc_err *);
    /* Drops ended jobs that ended before, and those beyond the newest keep. */
    enum takc_status (*prune)(struct takc_queue *, int64_t before_s, size_t keep, struct takc_err *);
    void (*close)(struct takc_queue *);
};
struct takc_queue { /* first member of every implementation */
    const struct takc_queue_ops *ops;
};

/* How many jobs there are in each state, of all tenants; out has a place for each state. */
TAKC_CHECK enum takc_status takc_home_count_jobs(struct takc_home *h, uint64_t out[TAKC_JOB_CANCELLED + 1], struct takc_err *err);

/* The embedded queue, in h's catalogue. Borrows h for as long as it lives. Returns owned: ops->close. */
TAKC_CHECK enum takc_status takc_queue_sqlite_open(struct takc_queue **out, struct takc_home *h, struct takc_err *err);

#endif
