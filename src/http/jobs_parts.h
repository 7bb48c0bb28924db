/* SPDX-License-Identifier: Apache-2.0
 *
 * http/jobs_parts.h - what the runner (jobs.c) and those who ask it (jobs_ask.c) both know. Private to these. */
#ifndef TAKC_HTTP_JOBS_PARTS_H
#define TAKC_HTTP_JOBS_PARTS_H

#include "base/file.h"
#include "base/thread.h"
#include "http/jobs.h"

#include <limits.h>

enum { TAKC_JOBS_RUNNING_MAX = 64 };

struct takc_job_slot { /* one worker; what follows run, and its stages, are the runner's lock's */
    struct takc_jobs *jobs;
    const char *kind; /* "": any */
    pthread_t thread;
    struct takc_job_run run;
    bool busy;                     /* takes a job, runs it, or notes its end */
    bool active, cancelled, moved; /* active: runs it */
    char id[TAKC_JOB_ID_BYTES], stage[32];
    unsigned progress, band_from, band_to; /* the band of per cent that belongs to the stage */
    uint64_t noted_ns;
};

struct takc_jobs {
    struct takc_jobs_options o;
    struct takc_job_slot slots[TAKC_JOBS_RUNNING_MAX + 1];
    size_t n_slots, n_started;
    pthread_t ticker;
    bool has_ticker;
    struct takc_lock lock;
    char lock_file[PATH_MAX];
    struct {
        struct takc_mutex mu;
        struct takc_cond moved;
        uint64_t changes;
        bool stops, mine; /* mine: this server runs the jobs */
        /* How often the queue failed amid a take or an end, so that it may call something running that nobody runs; how many of these are
         * settled. While they differ nobody takes. */
        unsigned doubts, settled;
        unsigned n_ended;
        char complaint[200];
    } locked;
};

/* Wakes who waits for a change. */
void takc_jobs_changed(struct takc_jobs *j);
/* The run of that job, if this server has it in hand, ends soon, as cancelled. */
void takc_jobs_cancel_slot(struct takc_jobs *j, struct takc_str id);

#endif
