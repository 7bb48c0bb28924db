/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/batches.h - compression by a model at the price of batch jobs: records to S3, a job, its results from S3, in rounds.
 *
 * A pass of the compressor asks (takc_batches_ask) and gets what a job has answered; what none has is noted, and the pass ends behind the
 * first rate with anything noted, since coarser rates are made from its lines. What was noted becomes one job, which is watched; then the
 * next pass, until nothing is noted: lines that fail the guard are asked for again in the next round, halves of cut replies likewise. Fewer
 * than min_records are asked on demand. A reply of a job goes the way of any other (pipeline/generate.h), so the artifacts are the same
 * bytes.
 *
 * replies/{task}/batch.json (docs/formats/batch.md) names every job before it is made, and its ARN behind that. A run that is killed
 * leaves a job that goes on; the next run finds it there, waits for it and reads it: no record is sent twice. The job's name and token are
 * made from its records and a number drawn once, so that making it twice makes it once. Results stay in S3, and are read again by every run
 * until the version stands; then they are removed.
 *
 * Money: the most that a job may come to is set aside (one row of the ledger, "lost") before its records leave; when it has ended, a row
 * for each record takes its place, under an id made from job and record, so that reading twice books once. Threads: ask from several; the
 * rest by one. Locks: the task's for settle, send and end; none while watching. */
#ifndef TAKC_PIPELINE_BATCHES_H
#define TAKC_PIPELINE_BATCHES_H

#include "compress/generative.h"
#include "pipeline/models.h"
#include "takc/compress.h"

struct takc_batches;

/* Opens; nothing is asked. home and models are borrowed, o is copied. INVALID: no S3 URI, no role; UNSUPPORTED: the provider or the model
 * has no batch jobs, or a guardrail is set, which they do not go through. Returns owned: takc_batches_close. */
TAKC_CHECK enum takc_status takc_batches_open(struct takc_batches **out, struct takc_home *home, struct takc_str task,
                                              struct takc_models *models, const struct takc_batch_settings *o, struct takc_err *err);
/* NULL is harmless. Jobs go on. */
void takc_batches_close(struct takc_batches *b);

/* Reads what is known of the task's jobs and looks at those that are under way: one that was not made yet is made, one that has ended is
 * read and booked. *out_waits: one still runs, so there is no use in a pass. UPSTREAM: a job failed, was stopped or expired, with the
 * service's message; what it had done is kept, and the next call goes on. */
TAKC_CHECK enum takc_status takc_batches_settle(struct takc_batches *b, struct takc_call *call, bool *out_waits, struct takc_err *err);

/* Begins a pass of the compressor. */
void takc_batches_pass(struct takc_batches *b);
/* One request: from a job's results into out, or noted (out->later). *out_now: it is to be asked on demand. */
TAKC_CHECK enum takc_status takc_batches_ask(struct takc_batches *b, struct takc_str purpose, const struct takc_model_request *r,
                                             struct takc_generate_reply *out, bool *out_now, struct takc_err *err);
/* Behind the windows of a rate: BUSY where requests were noted. */
TAKC_CHECK enum takc_status takc_batches_level(struct takc_batches *b, size_t level, struct takc_err *err);
/* Behind a pass that ended so: true when the noted ones are too few for a job, and another pass is to ask them on demand. */
bool takc_batches_again(const struct takc_batches *b);
/* True when they are to become a job. */
bool takc_batches_wants_job(const struct takc_batches *b);
/* Makes the job of what was noted, for a version of that label. COST: the most that it may come to does not fit; nothing was sent. */
TAKC_CHECK enum takc_status takc_batches_send(struct takc_batches *b, struct takc_call *call, struct takc_str label, struct takc_err *err);
/* Waits until no job is under way, with progress. CANCELLED and TIMEOUT leave it going. */
TAKC_CHECK enum takc_status takc_batches_watch(struct takc_batches *b, struct takc_call *call, struct takc_err *err);
/* Has jobs that are under way stopped: they end a while later, with what they have done. */
TAKC_CHECK enum takc_status takc_batches_stop(struct takc_batches *b, struct takc_call *call, struct takc_err *err);
/* Behind a version that stands: what jobs read and wrote goes from S3, and they from batch.json. What S3 refuses is a line in the log. */
TAKC_CHECK enum takc_status takc_batches_end(struct takc_batches *b, struct takc_call *call, struct takc_err *err);

/* The job under way, for people; false: none. */
bool takc_batches_waiting(const struct takc_batches *b, struct takc_compress_report *out);

struct takc_batches_sum {                                                /* of a rate, since open: what was answered by jobs or on demand */
    uint64_t calls, on_demand, input_tokens, output_tokens, picodollars; /* calls: both kinds */
    bool unpriced, fallback;
};
/* Adds a call that was made on demand at the rate in hand. */
void takc_batches_note_call(struct takc_batches *b, const struct takc_caller_sum *sum);
struct takc_batches_sum takc_batches_sum_of(const struct takc_batches *b, size_t level);
/* Replies of all rates, into the report. */
void takc_batches_tell(const struct takc_batches *b, struct takc_compress_report *out);

#endif
