/* SPDX-License-Identifier: Apache-2.0
 *
 * routes_jobs.c - documents in, compress, and the jobs that do it. */
#include "http/fields.h"

static const struct takc_member example_members[] = {
    {"input", REQUIRED, TEXT("lines as they stand in a document", 1, 20000)},
    {"output", REQUIRED, TEXT("what is to become of them", 1, 20000)},
};
static const struct takc_schema an_example = {.type = TAKC_TYPE_OBJECT, TAKC_MEMBERS(example_members)};
static const struct takc_schema a_rate = RATE;
static const struct takc_schema a_label = TEXT("a label", 1, 200);
static const struct takc_schema a_step = TEXT("taken and not used: readers and cleaning know their steps", 1, 200);

static const struct takc_member compress_members[] = {
    {"task_type", REQUIRED, TASK},
    {"context_location", OPTIONAL,
     TEXT("a folder or s3://BUCKET/PREFIX that the server may read (serve.sources): its documents are taken in first", 1, 4000)},
    {"compression_rates",
     OPTIONAL,
     {.type = TAKC_TYPE_LIST, .about = "the profile's where they are not given", .min_len = 1, .max_len = 16, .items = &a_rate}},
    {"task_description", OPTIONAL, TEXT("what the knowledge is for; becomes the profile's", 0, 20000)},
    {"few_shot_examples",
     OPTIONAL,
     {.type = TAKC_TYPE_LIST, .about = "good compressions, for a model that writes", .max_len = 16, .items = &an_example}},
    {"model", OPTIONAL, TEXT("who writes, PROVIDER:MODEL; none: extracts alone", 1, 300)},
    {"create", OPTIONAL, BOOL("make the task where there is none")},
    {"wait", OPTIONAL, BOOL("reply when it has ended, as long as a request may take; else at once")},
};
static const struct takc_schema compress_body = {
    .type = TAKC_TYPE_OBJECT, .name = "Compress", .nulls = true, TAKC_MEMBERS(compress_members)};

#define STATUS                                                                                                                             \
    {                                                                                                                                      \
        .type = TAKC_TYPE_TEXT, .about = "how far it is", .one_of = "queued|running|done|failed|cancelled"                                 \
    }
static const struct takc_member job_members[] = {
    {"job_id", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"status", REQUIRED, STATUS},
    {"kind", REQUIRED, {.type = TAKC_TYPE_TEXT, .one_of = "process|compress"}},
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"progress", REQUIRED, WHOLE("per cent", 0, 100)},
    {"stage", REQUIRED, {.type = TAKC_TYPE_TEXT, .about = "what it does now"}},
    {"created_at", REQUIRED, {.type = TAKC_TYPE_TEXT, .format = "date-time"}},
    {"started_at", REQUIRED, {.type = TAKC_TYPE_TEXT, .format = "date-time", .nullable = true}},
    {"completed_at", REQUIRED, {.type = TAKC_TYPE_TEXT, .format = "date-time", .nullable = true}},
    {"results", OPTIONAL, {.type = TAKC_TYPE_OBJECT, .about = "once it has ended", .open = true, .nullable = true}},
    {"error", OPTIONAL, {.type = TAKC_TYPE_OBJECT, .about = "code and message, where it failed", .open = true}},
};
static const struct takc_schema job_reply = {.type = TAKC_TYPE_OBJECT, .name = "Job", .open = true, TAKC_MEMBERS(job_members)};

static const struct takc_member compressed_members[] = {
    {"status", REQUIRED, STATUS},
    {"job_id", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"cache_keys", REQUIRED, {.type = TAKC_TYPE_OBJECT, .about = "rate: key", .open = true}},
    {"compression_stats",
     REQUIRED,
     {.type = TAKC_TYPE_OBJECT, .about = "rate: original_tokens, compressed_tokens, compression_ratio", .open = true}},
};
static const struct takc_schema compressed_reply = {
    .type = TAKC_TYPE_OBJECT, .name = "Compressed", .open = true, TAKC_MEMBERS(compressed_members)};

static const struct takc_member jobs_query_members[] = {
    {"status", OPTIONAL, STATUS},
    {"task_type", OPTIONAL, TASK},
    {"after", OPTIONAL, TEXT("next of the page before", 1, 64)},
    {"limit", OPTIONAL, WHOLE("most jobs of a page", 1, 500)},
};
static const struct takc_schema jobs_query = {.type = TAKC_TYPE_OBJECT, TAKC_MEMBERS(jobs_query_members)};
static const struct takc_member jobs_members[] = {
    {"jobs", REQUIRED, {.type = TAKC_TYPE_LIST, .about = "the newest first", .items = &job_reply}},
    {"next", REQUIRED, {.type = TAKC_TYPE_TEXT, .about = "for ?after=; null: this was the last page", .nullable = true}},
};
static const struct takc_schema jobs_reply = {.type = TAKC_TYPE_OBJECT, .name = "Jobs", TAKC_MEMBERS(jobs_members)};

/* ---- documents in ---- */

static const struct takc_member document_members[] = {
    {"name", REQUIRED, TEXT("of the document: a relative path; its ending says how it is read", 1, 900)},
    {"text", REQUIRED, TEXT("what stands in it", 0, 16777216)},
    {"date", OPTIONAL, DATE("of the document")},
    {"labels", OPTIONAL, {.type = TAKC_TYPE_LIST, .max_len = 32, .items = &a_label}},
};
static const struct takc_schema a_document = {.type = TAKC_TYPE_OBJECT, .nulls = true, TAKC_MEMBERS(document_members)};
static const struct takc_member config_members[] = {
    {"chunk_size", OPTIONAL, WHOLE("tokens of a chunk; becomes the profile's", 16, 1000000)},
    {"overlap", OPTIONAL, WHOLE("tokens that chunks share; becomes the profile's", 0, 1000000)},
    {"preprocessing_steps", OPTIONAL, {.type = TAKC_TYPE_LIST, .max_len = 64, .items = &a_step}},
};
static const struct takc_member process_members[] = {
    {"task_type", REQUIRED, TASK},
    {"documents", OPTIONAL, {.type = TAKC_TYPE_LIST, .about = "texts", .min_len = 1, .max_len = 1000, .items = &a_document}},
    {"source_type",
     OPTIONAL,
     {.type = TAKC_TYPE_TEXT, .about = "where source_location is; kinesis is not read", .one_of = "file|s3|kinesis"}},
    {"source_location", OPTIONAL, TEXT("a folder, a file or s3://BUCKET/PREFIX that the server may read (serve.sources)", 1, 4000)},
    {"config", OPTIONAL, {.type = TAKC_TYPE_OBJECT, .nulls = true, TAKC_MEMBERS(config_members)}},
    {"task_description", OPTIONAL, TEXT("what the knowledge is for; becomes the profile's", 0, 20000)},
    {"create", OPTIONAL, BOOL("make the task where there is none")},
    {"async", OPTIONAL, BOOL("reply at once, with a job that is queued")},
};
static const struct takc_schema process_body = {.type = TAKC_TYPE_OBJECT, .name = "Process", .nulls = true, TAKC_MEMBERS(process_members)};
static const struct takc_member outcome_members[] = {
    {"document", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"outcome", REQUIRED, {.type = TAKC_TYPE_TEXT}},
};
static const struct takc_schema an_outcome = {.type = TAKC_TYPE_OBJECT, .open = true, TAKC_MEMBERS(outcome_members)};
static const struct takc_member processed_members[] = {
    {"status", REQUIRED, STATUS},
    {"job_id", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"chunks_location", REQUIRED, {.type = TAKC_TYPE_TEXT, .about = "keys of the chunks begin with it"}},
    {"chunk_count", REQUIRED, WHOLE("chunks of new and changed documents", 0, 1e15)},
    {"processing_time_ms", REQUIRED, WHOLE(NULL, 0, 1e15)},
    {"accepted", REQUIRED, WHOLE("documents that are new or changed", 0, 1e15)},
    {"unchanged", REQUIRED, WHOLE("documents that were there, the same", 0, 1e15)},
    {"skipped", REQUIRED, WHOLE("hidden files, and what is no document", 0, 1e15)},
    {"refused", REQUIRED, WHOLE("damaged, hostile, over a limit, or of another place", 0, 1e15)},
    {"documents",
     REQUIRED,
     {.type = TAKC_TYPE_LIST,
      .about = "what became of each (document, outcome, units, tokens): the first thousand, and all that were not taken",
      .items = &an_outcome}},
};
static const struct takc_schema processed_reply = {
    .type = TAKC_TYPE_OBJECT, .name = "Processed", .open = true, TAKC_MEMBERS(processed_members)};

static const struct takc_route rows[] = {
    {.method = "POST",
     .path = "/process",
     .id = "process",
     .example = "{\"task_type\": \"fin\", \"documents\": [{\"name\": \"q3.txt\", \"text\": \"Revenue of Q3 was 43 million.\"}]}",
     .summary = "Takes documents into a task: form-data with files, texts, or a place that the server may read",
     .may = TAKC_MAY_INGEST,
     .body = &process_body,
     .reply = &processed_reply,
     .accepted = &job_reply,
     .statuses = "404 502",
     .body_max = 16u << 20,
     .run = takc_on_process,
     .counts = TAKC_QUOTA_PROCESS,
     .writes = true,
     .streams_body = true},
    {.method = "POST",
     .path = "/compress",
     .id = "compress",
     .example = "{\"task_type\": \"fin\", \"compression_rates\": [\"ultra\", \"light\"], \"wait\": true}",
     .summary = "Compresses a task into a new version, as a job",
     .may = TAKC_MAY_INGEST,
     .body = &compress_body,
     .reply = &compressed_reply,
     .accepted = &job_reply,
     .statuses = "404 502",
     .run = takc_on_compress,
     .counts = TAKC_QUOTA_COMPRESS,
     .writes = true},
    {.method = "GET",
     .path = "/compress/status/{job}",
     .id = "compressStatus",
     .summary = "How far a compress is, and what came of it",
     .may = TAKC_MAY_INGEST,
     .reply = &job_reply,
     .run = takc_on_compress_status},
    {.method = "GET",
     .path = "/jobs",
     .id = "getJobs",
     .summary = "Jobs, the newest first",
     .may = TAKC_MAY_INGEST,
     .query = &jobs_query,
     .reply = &jobs_reply,
     .run = takc_on_jobs},
    {.method = "GET",
     .path = "/jobs/{job}",
     .id = "getJob",
     .summary = "A job, and what came of it",
     .may = TAKC_MAY_INGEST,
     .reply = &job_reply,
     .run = takc_on_job},
    {.method = "DELETE",
     .path = "/jobs/{job}",
     .id = "cancelJob",
     .summary = "Cancels a job that waits or runs; what it has finished is kept",
     .may = TAKC_MAY_INGEST,
     .reply = &job_reply,
     .run = takc_on_cancel,
     .writes = true},
    {.method = "GET",
     .path = "/jobs/{job}/events",
     .id = "jobEvents",
     .summary = "A job's progress as server-sent events",
     .may = TAKC_MAY_INGEST,
     .reply_type = "text/event-stream",
     .run = takc_on_job_events},
};
ROUTES(takc_routes_jobs, rows);
