/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/reduce.h - versions of tasks that may not keep originals (docs/adr/0006-keep-originals-false.md): all choices are made over the
 * whole texts, then a 2x set of them takes their place. Threads: the caller holds the task's lock. */
#ifndef TAKC_PIPELINE_REDUCE_H
#define TAKC_PIPELINE_REDUCE_H

#include "pipeline/version.h"

#define TAKC_KEPT_RATE 2000u /* what stays of the originals; finer artifacts would say more than that */

/* What is kept of a version's documents, and the selection over it. */
struct takc_kept {
    struct takc_docset set; /* the arena's of the build */
    struct takc_docset_corpus corpus;
    struct takc_selection selection;
    uint32_t *unit_of; /* per unit of the whole: new number + 1; 0: gone */
    size_t n_old;
};
/* Frees what is not the arena's; twice is harmless. */
void takc_kept_clear(struct takc_kept *k);

/* As takc_build_make's steps behind the selection s over the whole corpus c: parts of reduced texts, index, documents, artifacts, ledgers.
 */
TAKC_CHECK enum takc_status takc_reduce_make(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s,
                                             const struct takc_extractive_options *o, struct takc_err *err);
/* After the swap: records of the version's documents say what is kept, blobs, raw data and chunks go; a sweep then removes whole texts. */
TAKC_CHECK enum takc_status takc_reduce_settle(struct takc_build *b, const struct takc_version *v, struct takc_err *err);
/* CONFLICT, with what to do, when a version cannot be made since some of the set's documents are kept only in part. */
TAKC_CHECK enum takc_status takc_reduce_check(struct takc_build *b, const struct takc_docset *set, struct takc_err *err);
/* Does a kept version stand on whole texts? */
TAKC_CHECK enum takc_status takc_reduce_is_whole(struct takc_build *b, const struct takc_version *v, bool *out, struct takc_err *err);

#endif
