/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/redact.h - a kept version without some documents: same choices less theirs, nothing refilled. Where a chosen line of theirs
 * stood for duplicates in others, the first of those takes its place. Threads: pure but for put. */
#ifndef TAKC_PIPELINE_REDACT_H
#define TAKC_PIPELINE_REDACT_H

#include "pipeline/needles.h"
#include "pipeline/version.h"

/* Makes the stored things of a redacted version under label from version old; b has home, call, task, profile, arena. out is the entry for
 * the manifest (pinned as old was). removed are names of documents, ascending; those that old has not do not matter. A line that a
 * model wrote goes with a document that it stands on, and if it says one of the needles (NULL: none). How a model made the version is
 * copied with the replies that it names: the version that takes its place is made from them. */
TAKC_CHECK enum takc_status takc_redact_version(struct takc_build *b, const struct takc_version *old, const struct takc_str *removed,
                                                size_t n_removed, const struct takc_needles *needles, struct takc_str label,
                                                struct takc_version *out, struct takc_err *err);
/* Is name one of these? */
bool takc_redact_names(const struct takc_str *removed, size_t n_removed, struct takc_str name);

#endif
