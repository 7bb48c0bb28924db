/* SPDX-License-Identifier: Apache-2.0
 *
 * http/work.h - what the server's jobs do: documents into a task ("process"), a task into a new version ("compress"). A job's request and
 * result are JSON objects; the result holds what the guide's replies hold, or "error" {code, message} and the "http" status for it.
 * Threads: run by the runner's threads (http/jobs.h), begun anew after a cut: ingest and compress repeat nothing that was finished. */
#ifndef TAKC_HTTP_WORK_H
#define TAKC_HTTP_WORK_H

#include "base/json.h"
#include "http/jobs.h"

struct takc_api;
struct takc_exchange;
struct takc_asked;

struct takc_work_settings {
    struct takc_str sources;   /* folders and s3 prefixes that documents may be read below, with commas between */
    uint64_t upload_max_bytes; /* of a body of form-data */
    uint64_t max_file_bytes, max_text_bytes, timeout_ms;
    uint64_t fetch_max_bytes, fetch_max_objects; /* of one place in S3 */
    const char *pdf_mode;                        /* NULL: the reader's own */
    unsigned n_threads;                          /* of one job */
    uint64_t jobs_max, jobs_running;
};

#define TAKC_KIND_PROCESS "process"
#define TAKC_KIND_COMPRESS "compress"

/* Is each of serve.sources a folder, by its whole path, or an s3 prefix? INVALID, or the status of why it cannot be looked at; names the
 * setting. Of S3 nobody is asked, and no credentials are looked for: that is the first job's. */
TAKC_CHECK enum takc_status takc_work_check_sources(struct takc_str sources, struct takc_err *err);
/* Opens api->jobs over the catalogue of api->home; api->work is set. Close it behind the server: takc_jobs_close. */
TAKC_CHECK enum takc_status takc_work_open(struct takc_api *api, struct takc_err *err);
/* Removes uploads of jobs that are over, which a kill left: a start that follows at once may not. For now and then. */
void takc_work_sweep(const struct takc_api *api);

/* Reads a client's place of documents into out (PATH_MAX bytes): "/data/q3" or "file:///data/q3", links resolved; "s3://bucket/q3".
 * REFUSED: not below one of sources, or, of files, not there; UNSUPPORTED: a kind of source that the server does not read. */
TAKC_CHECK enum takc_status takc_work_source(const struct takc_work_settings *s, struct takc_str location, char *out, struct takc_err *err);

/* The kinds' work: as takc_jobs_options.run. */
TAKC_CHECK enum takc_status takc_work_process(const struct takc_api *api, struct takc_home *home, const struct takc_job_row *job,
                                              const json_t *request, struct takc_job_run *run, json_t *result, struct takc_err *err);
/* The same of a compression. */
TAKC_CHECK enum takc_status takc_work_compress(const struct takc_api *api, struct takc_home *home, const struct takc_job_row *job,
                                               const json_t *request, struct takc_job_run *run, json_t *result, struct takc_err *err);
/* Documents of a place into a task; what became of them goes into result. REFUSED: there were some and none was taken. */
struct takc_ingest_options;
TAKC_CHECK enum takc_status takc_work_ingest(const struct takc_api *api, struct takc_home *home, const char *path,
                                             const struct takc_ingest_options *asked, struct takc_call *call, json_t *result,
                                             struct takc_err *err);

/* --- for handlers: on_compress.c, on_jobs.c --- */
/* Is there such a task, and does its profile say what the body says of it (task_description, config)? Makes or changes it where the asker
 * may. false: the reply is there. */
bool takc_api_settle_task(struct takc_exchange *x, const struct takc_asked *asked, struct takc_str task);
/* May documents be read at that place of the server? out (PATH_MAX bytes) is where. false: the reply is there. */
bool takc_api_may_source(struct takc_exchange *x, const struct takc_asked *asked, struct takc_str location, char *out);
/* Queues a job and replies: with its result once it has ended, waiting wait_ms at most, else 202 with its id and Location. request is taken
 * (NULL: no memory). false: it was not queued; the reply says why. */
bool takc_work_submit(struct takc_exchange *x, const struct takc_asked *asked, const char *kind, struct takc_str task, const char *id,
                      json_t *request, uint64_t wait_ms);
/* How long a client wants to wait: the header Prefer: wait=N, or all of the request's time where always. */
uint64_t takc_work_wait_ms(struct takc_exchange *x, bool always);

#endif
