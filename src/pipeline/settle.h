/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/settle.h - what follows the swap of a manifest: the caches of foreign clients say what the current version says, what nothing
 * stands on any more is swept, the catalogue's rows are made anew. index/{task}/settled.json, written last, names the manifest by its
 * hash for which all this is done; so a writer sees, when it gets the task's lock, whether the one before it was killed on the way, and
 * makes up for it. Threads: the caller holds the task's lock, or gets it here. */
#ifndef TAKC_PIPELINE_SETTLE_H
#define TAKC_PIPELINE_SETTLE_H

#include "pipeline/version.h"

/* What a writer holds. */
struct takc_writer {
    struct takc_lock lock; /* of the task; the caller closes it */
    bool made_up;          /* an earlier writer was killed, and its rest is done now */
    bool settled;          /* false only where something damaged is in the way */
};

/* Takes the task's lock (BUSY after wait_ms) and makes up for a killed writer. Things that are damaged or missing stop nobody from
 * writing: they stay for verify to name, and the next writer tries again. profile may be NULL: the task's own is read, and a task without
 * one has nothing to settle. */
TAKC_CHECK enum takc_status takc_writer_begin(struct takc_home *h, struct takc_call *call, struct takc_str task,
                                              const struct takc_profile *profile, uint64_t wait_ms, struct takc_writer *out,
                                              struct takc_err *err);
/* What follows the swap that made m, whose tag is that of the stored manifest. b has home, call, task, profile and arena. again: the
 * current version's documents have come in whole once more, and are reduced again (keep_originals: false). */
TAKC_CHECK enum takc_status takc_settle(struct takc_build *b, const struct takc_manifest *m, bool again, struct takc_err *err);
/* The same, but for the mark: more is to be done, and a kill on the way is to be seen. */
TAKC_CHECK enum takc_status takc_settle_unmarked(struct takc_build *b, const struct takc_manifest *m, bool again, struct takc_err *err);
/* After a swap that changed nothing of what is settled. */
TAKC_CHECK enum takc_status takc_settle_mark(struct takc_home *h, struct takc_str task, struct takc_hex tag, struct takc_err *err);
/* Before changes that are not in the manifest and need a sweep: from here on a killed writer is seen. */
TAKC_CHECK enum takc_status takc_settle_undo(struct takc_home *h, struct takc_str task, struct takc_err *err);

#endif
