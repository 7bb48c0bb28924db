/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/redact.h - a kept version without one document: same choices less the document's, nothing refilled. Where a chosen line of the
 * document stood for duplicates in others, the first of those takes its place. Threads: pure but for put. */
#ifndef TAKC_PIPELINE_REDACT_H
#define TAKC_PIPELINE_REDACT_H

#include "pipeline/version.h"

/* Makes the stored things of a redacted version under label from version old; b has home, call, task, profile, arena. out is the entry for
 * the manifest (pinned as old was). removed is the name of the document. */
TAKC_CHECK enum takc_status takc_redact_version(struct takc_build *b, const struct takc_version *old, struct takc_str removed,
                                                struct takc_str label, struct takc_version *out, struct takc_err *err);
/* The selection without document gone (its number): units are numbered anew. map[old unit] is the new number + 1, 0 for removed ones; a
 * unit that takes a removed one's place is found through heir[removed unit], an old number + 1. Exported for tests. */
TAKC_CHECK enum takc_status takc_redact_selection(const struct takc_selection *s, uint32_t gone, struct takc_selection *out, uint32_t *heir,
                                                  struct takc_err *err);

#endif
