/* SPDX-License-Identifier: Apache-2.0
 *
 * http/from_s3.h - documents of a job out of S3: which places a request may name, and a job's own fetching.
 *
 * A job fetches into its folder of the staging (http/staging.h), whole, then takes the documents in from there, under the names that they
 * would have if the prefix were a folder. What was fetched is used again by the same process, where another holds the task meanwhile; the
 * next process begins anew. The folder goes with the end of the job. Threads: a job's. */
#ifndef TAKC_HTTP_FROM_S3_H
#define TAKC_HTTP_FROM_S3_H

#include "base/json.h"
#include "catalog/home.h"
#include "catalog/jobs.h"
#include "takc/ingest.h"

struct takc_api;

/* Does it begin with "s3://"? */
bool takc_is_s3(struct takc_str location);
/* One of serve.sources: INVALID names the setting and what is wrong. Nobody is asked. */
TAKC_CHECK enum takc_status takc_from_s3_check(struct takc_str source, struct takc_err *err);
/* Is the location one of sources, or below one? out (PATH_MAX bytes) gets it as it is kept then. Whether there is anything is not asked. */
bool takc_from_s3_place(struct takc_str sources, struct takc_str location, char *out);

/* Fetches and takes in. What was not taken stands in result beside what was. A failure to fetch is put into result in words for clients:
 * "error" and "http". Statuses as takc_source_s3_copy and takc_work_ingest. */
TAKC_CHECK enum takc_status takc_from_s3_ingest(const struct takc_api *api, struct takc_home *home, const struct takc_job_row *job,
                                                struct takc_str place, const struct takc_ingest_options *asked, struct takc_call *call,
                                                json_t *result, struct takc_err *err);

#endif
