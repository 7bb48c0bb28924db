/* SPDX-License-Identifier: Apache-2.0
 *
 * token/bpe_text.h - what a tokenizer.json does to a text before it is split: added tokens found, the rest normalised.
 * Threads: pure functions. */
#ifndef TAKC_TOKEN_BPE_TEXT_H
#define TAKC_TOKEN_BPE_TEXT_H

#include "token/bpe.h"

/* The longest added token of this round at byte at of text, or NULL. */
const struct takc_bpe_added *takc_bpe_added_at(const struct takc_bpe *b, struct takc_str text, size_t at, bool normalized);
/* Makes *text (not empty) what b's changes make of it: as it was, or a view of *changed, which the caller clears. NOMEM. */
TAKC_CHECK enum takc_status takc_bpe_change(const struct takc_bpe *b, struct takc_str *text, struct takc_buf *changed,
                                            struct takc_err *err);

#endif
