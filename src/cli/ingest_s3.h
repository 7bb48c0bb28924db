/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/ingest_s3.h - takc ingest s3://BUCKET/PREFIX: fetched into a folder of the home, taken in from there, and removed. */
#ifndef TAKC_CLI_INGEST_S3_H
#define TAKC_CLI_INGEST_S3_H

#include "catalog/home.h"
#include "cli/verbs.h"
#include "takc/ingest.h"

/* Is one of the arguments an S3 name? */
bool takc_cli_names_s3(const struct takc_cli *cli);
/* As takc_ingest, of the one S3 name that is the argument: objects that are not taken are told to o->each and counted, too. INVALID: it is
 * not the only argument, or goes with --mirror or --name. Statuses of fetching: takc_source_s3_copy. */
TAKC_CHECK enum takc_status takc_cli_ingest_s3(struct takc_cli *cli, struct takc_home *home, const struct takc_ingest_options *o,
                                               struct takc_ingest_report *out, struct takc_err *err);

#endif
