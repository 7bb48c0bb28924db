/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/snapshot.h - one version of a task, open for reading: manifest entry, documents, index, and texts as they are asked for.
 * Readers see all of one version or none; a version removed meanwhile gives NOT_FOUND on the next thing that is opened;
 * takc_snapshot_has_moved tells whether that is why.
 * Threads: one at a time. */
#ifndef TAKC_PIPELINE_SNAPSHOT_H
#define TAKC_PIPELINE_SNAPSHOT_H

#include "pipeline/docset.h"
#include "rank/index.h"

struct takc_snapshot {
    struct takc_home *home;
    struct takc_arena arena;
    struct takc_str task;
    struct takc_manifest manifest;
    const struct takc_version *version;
    struct takc_docset set;
    bool has_set;
    struct takc_store_view index_bytes;
    struct takc_index *index;
    struct takc_store_view *texts; /* per document, opened on demand */
    bool *text_open;
    size_t n_texts;
};

/* Opens the version of that label (empty: current). NOT_FOUND says whether the task or the version is missing. Close it afterwards,
 * whatever the status. */
TAKC_CHECK enum takc_status takc_snapshot_open(struct takc_snapshot *s, struct takc_home *h, struct takc_str task, struct takc_str label,
                                               struct takc_err *err);
/* Ends all views and frees; harmless behind a failed open and when done twice. */
void takc_snapshot_close(struct takc_snapshot *s);
/* Has the task another manifest by now than the one that was opened? */
bool takc_snapshot_has_moved(struct takc_snapshot *s);
/* The documents of the version, read when first asked for. */
TAKC_CHECK enum takc_status takc_snapshot_docs(struct takc_snapshot *s, const struct takc_docset **out, struct takc_err *err);
/* Text of document i of the index; mapped, lives until close. Signature of takc_text_fn with the snapshot as arg. */
enum takc_status takc_snapshot_text(void *arg, uint32_t doc, struct takc_str *out, struct takc_err *err);

#endif
