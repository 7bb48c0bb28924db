/* SPDX-License-Identifier: Apache-2.0
 *
 * model/bedrock_batch.h - batch inference jobs, at half price: the bytes that go out and come back, as pure functions. Nothing here sends:
 * records lie in S3 (one JSON object a line), jobs are made and watched by the control plane of the service ("bedrock", not
 * "bedrock-runtime"). Threads: any. */
#ifndef TAKC_MODEL_BEDROCK_BATCH_H
#define TAKC_MODEL_BEDROCK_BATCH_H

#include "model/model.h"

struct takc_model_facts;

struct takc_batch_job {       /* borrowed */
    struct takc_str name;     /* of letters, digits, '-': 1 to 63 */
    struct takc_str role_arn; /* that the service assumes to read and write */
    struct takc_str model;
    struct takc_str input_uri, output_uri; /* "s3://BUCKET/KEY.jsonl", "s3://BUCKET/FOLDER/" */
    struct takc_str token;                 /* the same one makes the same job once; empty: none. Letters, digits, '-': up to 256 */
    uint32_t timeout_hours;                /* 24 to 168; 0: the service's own, 24 */
};
/* Appends the body of CreateModelInvocationJob (POST /model-invocation-job). INVALID names what is no name, no ARN, no URI. */
TAKC_CHECK enum takc_status takc_batch_write_job(const struct takc_batch_job *j, struct takc_buf *out, struct takc_err *err);

/* Appends one record, with its line break: {"recordId": id, "modelInput": body}. id: letters and digits, 11 or more (INVALID), else unlike
 * any other of the job. The body is InvokeModel's; of models whose facts say "converse", the form of their family: Claude's or Nova's.
 * UNSUPPORTED: a family without one. */
TAKC_CHECK enum takc_status takc_batch_write_record(struct takc_str id, const struct takc_model_request *r,
                                                    const struct takc_model_facts *f, struct takc_buf *out, struct takc_err *err);

enum takc_batch_state {
    TAKC_BATCH_UNSET = 0,
    TAKC_BATCH_WAITS, /* Submitted, Validating, Scheduled */
    TAKC_BATCH_RUNS,  /* InProgress, Stopping */
    TAKC_BATCH_DONE,  /* Completed, PartiallyCompleted: there are results to read */
    TAKC_BATCH_FAILED,
    TAKC_BATCH_STOPPED, /* by somebody */
    TAKC_BATCH_EXPIRED  /* out of time; results of what was done may be there */
};
struct takc_batch_status {
    enum takc_batch_state state;
    char arn[256];              /* of the job */
    char message[256];          /* the service's, of a failure */
    uint64_t n_records, n_done; /* as far as it tells; 0: it does not */
};
/* Reads the reply of CreateModelInvocationJob (state WAITS) or GetModelInvocationJob. UPSTREAM: it is none. */
TAKC_CHECK enum takc_status takc_batch_read_job(struct takc_str body, struct takc_batch_status *out, struct takc_err *err);

/* One line of a result: id is copied into out_id (NUL-terminated, at most 63 characters), the rest into out, with its failure for a record
 * that failed: then the status is the failure's. UPSTREAM: the line is no record. */
TAKC_CHECK enum takc_status takc_batch_read_record(struct takc_str line, struct takc_str model, const struct takc_model_facts *f,
                                                   char out_id[64], struct takc_model_reply *out, struct takc_err *err);

#endif
