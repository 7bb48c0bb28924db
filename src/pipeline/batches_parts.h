/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/batches_parts.h - what the files of the batch rounds share. Nobody else includes it.
 *
 *   batches.c         passes: what is answered, noted, asked on demand
 *   batches_job.c     a job: made, looked at, watched, ended
 *   batches_read.c    results: read from S3, booked, found by id
 *   batches_state.c   batch.json */
#ifndef TAKC_PIPELINE_BATCHES_PARTS_H
#define TAKC_PIPELINE_BATCHES_PARTS_H

#include "aws/s3.h"
#include "base/thread.h"
#include "model/bedrock_jobs.h"
#include "pipeline/batches.h"
#include "pipeline/models_parts.h"

enum { TAKC_BATCH_ID_MAX = 64 };

struct takc_batch_entry {                /* a job as batch.json has it; texts in the arena of the batches */
    struct takc_str name;                /* "takc-" and 32 hex digits; its token, too */
    struct takc_str folder;              /* s3://BUCKET/.../NAME: input.jsonl and output/ lie in it */
    struct takc_str model, role;         /* as it is asked for */
    struct takc_str label;               /* of the version that it was made for */
    struct takc_str arn;                 /* empty: not known to be made */
    struct takc_str outcome;             /* empty: under way; "done", "failed", "stopped", "expired": read and booked */
    uint64_t n_records, n_results, most; /* most: picodollars set aside */
    int64_t row;                         /* of the ledger, that they are set aside in */
};

struct takc_batch_result { /* a line of a job's results */
    char id[TAKC_BATCH_ID_MAX];
    struct takc_str line; /* in texts */
    size_t order;         /* as read */
    bool failed, served;
};

struct takc_batch_noted { /* a request that waits for a job */
    struct takc_str id, line;
    uint64_t most;
};

struct takc_batches {
    struct takc_home *home;
    struct takc_models *m;
    struct takc_arena arena; /* settings, batch.json */
    struct takc_str task, uri, role;
    uint64_t min_records, poll_ms;
    /* batch.json */
    struct takc_str salt; /* drawn when it was made; empty: there is none yet */
    struct takc_batch_entry *jobs;
    size_t n_jobs, jobs_cap;
    /* results of ended jobs, ascending by id, then as read */
    struct takc_batch_result *results;
    size_t n_results, results_cap;
    struct takc_batch_text { /* what a job has said; texts are owned */
        struct takc_str job; /* its name */
        struct takc_buf bytes;
    } * texts;
    size_t n_texts, texts_cap;
    /* the pass */
    size_t level, now_level; /* now_level: whose requests are asked on demand; SIZE_MAX: none */
    bool all_now;            /* jobs lose records: what is left is asked on demand */
    bool again, wants_job;
    struct takc_batches_sum sums[TAKC_PROFILE_RATES_MAX];
    struct {
        struct takc_mutex mu; /* of sums and served, too */
        struct takc_arena arena;
        struct takc_batch_noted *noted;
        size_t n, cap;
    } locked;
};

static inline bool takc_batch_is_ours(const struct takc_batches *b, const struct takc_batch_entry *j)
{
    return takc_str_eq(j->model, b->m->models[0].model);
}
static inline bool takc_batch_under_way(const struct takc_batches *b, const struct takc_batch_entry *j)
{
    return takc_batch_is_ours(b, j) && !j->outcome.len;
}

/* Reads batch.json; none is an empty one. CORRUPT. */
TAKC_CHECK enum takc_status takc_batch_state_read(struct takc_batches *b, struct takc_call *call, struct takc_err *err);
/* Draws the number that makes the names of jobs its own. */
TAKC_CHECK enum takc_status takc_batch_state_draw(struct takc_batches *b, struct takc_err *err);
/* Puts it; without jobs it is removed. */
TAKC_CHECK enum takc_status takc_batch_state_put(struct takc_batches *b, struct takc_call *call, struct takc_err *err);

/* Reads a job's results from S3 and adds them to those at hand, where they are not there yet; book: with a row of the ledger for each. */
TAKC_CHECK enum takc_status takc_batch_results_read(struct takc_batches *b, struct takc_call *call, struct takc_batch_entry *j, bool book,
                                                    struct takc_err *err);
void takc_batch_results_sort(struct takc_batches *b);
/* The first good result of that id, else NULL; *out_failed: how many jobs failed with it. */
struct takc_batch_result *takc_batch_result_find(struct takc_batches *b, const char *id, size_t *out_failed);
void takc_batch_results_clear(struct takc_batches *b);

/* The id of a request: what it is for in one letter, and a hash of all that its reply depends on. */
TAKC_CHECK enum takc_status takc_batch_id(const struct takc_batches *b, struct takc_str purpose, const struct takc_model_request *r,
                                          char out[TAKC_BATCH_ID_MAX], struct takc_err *err);
/* What a record was for, by its id. */
struct takc_str takc_batch_purpose(const char *id);
/* The ledger's row of a record of a job, and, without a record, of the job itself. */
TAKC_CHECK enum takc_status takc_batch_row(struct takc_str job, const char *id, int64_t *out, struct takc_err *err);
/* s3://BUCKET/KEY of a job's folder and what stands behind it; key has TAKC_KEY_MAX bytes. */
TAKC_CHECK enum takc_status takc_batch_object(const struct takc_batch_entry *j, const char *rest, char *key, struct takc_s3_name *out,
                                              struct takc_err *err);

#endif
