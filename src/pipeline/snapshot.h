/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/snapshot.h - one version of a task, open for reading: manifest entry, documents, index, and texts as they are asked for.
 * Readers see all of one version or none; a version removed meanwhile gives NOT_FOUND on the next thing that is opened;
 * takc_snapshot_has_moved tells whether that is why.
 * Who answers many questions keeps versions open between them (struct takc_snapshots): what is mapped and parsed is shared then. The
 * manifest is read for each question, so a version that was swapped away is never answered from by mistake.
 * Threads: a snapshot is one's at a time; takc_snapshots is everybody's. */
#ifndef TAKC_PIPELINE_SNAPSHOT_H
#define TAKC_PIPELINE_SNAPSHOT_H

#include "pipeline/docset.h"
#include "rank/index.h"

struct takc_snapshots;
struct takc_snapshot_core; /* what snapshots of one version share */
struct takc_snapshot {
    struct takc_home *home;
    struct takc_arena arena;
    struct takc_str task;
    struct takc_manifest manifest;
    const struct takc_version *version;
    const struct takc_index *index;
    struct takc_snapshot_core *core;
    struct takc_snapshots *from; /* NULL: the core is this one's own */
};

/* NOMEM. Returns owned. */
TAKC_CHECK enum takc_status takc_snapshots_open(struct takc_snapshots **out, struct takc_err *err);
/* Every snapshot out of it is closed. NULL is harmless. */
void takc_snapshots_close(struct takc_snapshots *p);
/* Lets go of versions that no manifest has any more and nobody reads: their files are gone from the home only then. For who keeps versions
 * open: every few seconds, and behind a forget. Nobody who opens or closes a snapshot waits for the reading. */
void takc_snapshots_tidy(struct takc_snapshots *p);
/* Lets go of all versions of a home that is about to be closed; nobody reads them. Waits for a tidy under way. NULL for p is harmless. */
void takc_snapshots_drop(struct takc_snapshots *p, const struct takc_home *home);

/* Opens the version of that label (empty: current), out of p if it is open there (NULL: afresh). NOT_FOUND says whether the task or the
 * version is missing. Close it afterwards, whatever the status. */
TAKC_CHECK enum takc_status takc_snapshot_open(struct takc_snapshot *s, struct takc_snapshots *p, struct takc_home *h, struct takc_str task,
                                               struct takc_str label, struct takc_err *err);
/* Ends all views and frees; harmless behind a failed open and when done twice. */
void takc_snapshot_close(struct takc_snapshot *s);
/* Has the task another manifest by now than the one that was opened? */
bool takc_snapshot_has_moved(struct takc_snapshot *s);
/* The documents of the version, read when first asked for. */
TAKC_CHECK enum takc_status takc_snapshot_docs(struct takc_snapshot *s, const struct takc_docset **out, struct takc_err *err);
/* Text of document i of the index; mapped, lives until close. Signature of takc_text_fn with the snapshot as arg. */
enum takc_status takc_snapshot_text(void *arg, uint32_t doc, struct takc_str *out, struct takc_err *err);

#endif
