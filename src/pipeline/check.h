/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/check.h - does a task's store hold all that its records and versions name? Presence, sizes and hashes; proofs against sources
 * are verify's. Threads: any; a writer at work may make a passing finding. */
#ifndef TAKC_PIPELINE_CHECK_H
#define TAKC_PIPELINE_CHECK_H

#include "catalog/home.h"

/* One thing that is wrong: its key, and what. */
typedef void takc_check_fn(void *arg, const char *key, const char *finding);
/* Tells every thing that is missing or changed. OK although something was. CORRUPT when records, manifest or a list cannot be read. */
TAKC_CHECK enum takc_status takc_check_task(struct takc_home *h, struct takc_call *call, struct takc_str task, takc_check_fn *tell,
                                            void *arg, uint64_t *out_checked, struct takc_err *err);
/* Is anything of a version itself (artifacts, ledgers, index, selection, list of documents) missing or changed? */
TAKC_CHECK enum takc_status takc_check_version(struct takc_home *h, struct takc_call *call, struct takc_str task,
                                               const struct takc_version *v, bool *out_sound, struct takc_err *err);

#endif
