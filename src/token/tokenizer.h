/* SPDX-License-Identifier: Apache-2.0
 *
 * token/tokenizer.h - counting tokens. Kinds: estimate (embedded); bpe and llama come later and fill the same table.
 *
 * Counts are kept in milli-tokens (mt) so that parts add up without rounding. A tokenizer with TAKC_TOKENIZER_LINES promises that a text's
 * count is the sum over its lines, each counted with its newline (a last line without newline counts as if it had one); then
 *     tokens(text) = ceil(sum of line_mt / 1000).
 * Without that flag count_mt of the whole is the only truth, and line_mt an estimate to steer by.
 * Threads: any; counting keeps no state. No failure: counting never allocates. */
#ifndef TAKC_TOKEN_TOKENIZER_H
#define TAKC_TOKEN_TOKENIZER_H

#include "takc/str.h"

enum takc_tokenizer_flags { TAKC_TOKENIZER_LINES = 1 << 0 };

struct takc_tokenizer_ops {
    const char *name;    /* what users write and what metadata names: "estimate" */
    const char *version; /* part of every fingerprint */
    unsigned flags;      /* enum takc_tokenizer_flags */
    uint64_t (*line_mt)(const struct takc_tokenizer_ops *,
                        struct takc_str line); /* one line without its newline; the newline is counted in */
    uint64_t (*count_mt)(const struct takc_tokenizer_ops *, struct takc_str text); /* optional: NULL means the sum over lines */
};

/* Milli-tokens of one line (no newline in it), its newline included. */
uint64_t takc_tokenizer_line_mt(const struct takc_tokenizer_ops *t, struct takc_str line);
/* Milli-tokens of a whole text; 0 for the empty one. */
uint64_t takc_tokenizer_count_mt(const struct takc_tokenizer_ops *t, struct takc_str text);
/* Tokens of a whole text, rounded up. */
uint64_t takc_tokenizer_count(const struct takc_tokenizer_ops *t, struct takc_str text);
/* The tokenizer of that name, or NULL. "estimate" is the default one. */
const struct takc_tokenizer_ops *takc_tokenizer_find(struct takc_str name);
/* The i-th known tokenizer, or NULL behind the last. */
const struct takc_tokenizer_ops *takc_tokenizer_at(size_t i);

#endif
