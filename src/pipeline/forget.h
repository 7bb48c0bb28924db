/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/forget.h - documents leave, with everything that stood on them.
 *
 * The current version is made again without the documents, once for all of them; every other kept version is replaced by a redacted one
 * (v{n}.r{k}: segments, titles, anchors and index entries of the documents removed, nothing refilled), pinned or not; old paths and derived
 * copies are deleted, the catalogue's rows and free pages scrubbed, then every byte kept is searched for sentences that no other kept
 * document holds. Threads: one at a time per task. */
#ifndef TAKC_PIPELINE_FORGET_H
#define TAKC_PIPELINE_FORGET_H

#include "catalog/home.h"
#include "takc/forget.h"

/* As takc_forget, by a caller that holds the task's lock; made_up as the writer's; out may be NULL. */
TAKC_CHECK enum takc_status takc_forget_locked(struct takc_home *h, struct takc_call *call, struct takc_str task,
                                               const struct takc_str *documents, size_t n_documents, bool made_up,
                                               struct takc_forget_report *out, struct takc_err *err);

#endif
