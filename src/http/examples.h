/* SPDX-License-Identifier: Apache-2.0
 *
 * http/examples.h - the few-shot examples of a compression, between its request and its job. They are people's words, so they are not put
 * into the catalogue, whose log keeps what was deleted until it is folded in: they stand in a file of the job's staging (http/staging.h),
 * which goes when the job has ended. home: the server's own. Threads: any. */
#ifndef TAKC_HTTP_EXAMPLES_H
#define TAKC_HTTP_EXAMPLES_H

#include "base/json.h"
#include "takc/status.h"

/* Takes few_shot_examples out of a job's request, where it has any, and keeps them for it, synced; the request says that they are there.
 * takc_staging_drop_job removes them. FULL, IO, NOMEM. */
TAKC_CHECK enum takc_status takc_examples_keep(const char *home, const char *job, json_t *request, struct takc_err *err);
/* The list, where the request has one or says that it was kept; *out NULL: it has none. NOT_FOUND: it is gone. Returns owned. */
TAKC_CHECK enum takc_status takc_examples_read(const char *home, struct takc_str job, const json_t *request, json_t **out,
                                               struct takc_err *err);

#endif
