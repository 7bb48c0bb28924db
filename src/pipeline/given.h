/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/given.h - sources of a version's documents from a folder that is given again: verify --source DIR. Threads: one. */
#ifndef TAKC_PIPELINE_GIVEN_H
#define TAKC_PIPELINE_GIVEN_H

#include "pipeline/docset.h"

/* One document with its source; source.ptr NULL: the folder has none. A failure ends the walk. */
typedef enum takc_status takc_given_fn(void *arg, const struct takc_docset_doc *d, struct takc_str source, struct takc_err *err);
/* Walks path as ingest does (folders, .gz, records of JSONL and JSON) and gives each document of the set once: to the file of its name,
 * else to one of its hash; those without a file last. Other files are passed over. */
TAKC_CHECK enum takc_status takc_given_sources(const char *path, const struct takc_docset *set, struct takc_call *call, takc_given_fn *each,
                                               void *arg, struct takc_err *err);

#endif
