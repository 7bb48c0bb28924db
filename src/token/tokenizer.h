/* SPDX-License-Identifier: Apache-2.0
 *
 * token/tokenizer.h - counting tokens. Kinds: estimate (embedded) and bpe (a user's vocabulary, token/bpe.h).
 *
 * Counts are kept in milli-tokens (mt) so that parts add up without rounding. A tokenizer with TAKC_TOKENIZER_LINES promises that a text's
 * count is the sum over its lines, each counted with its newline (a last line without newline counts as if it had one); then
 *     tokens(text) = ceil(sum of line_mt / 1000).
 * Without that flag count_mt of the whole is the only truth, and line_mt an estimate to steer by.
 * Threads: any; counting changes nothing. No failure: where memory is wanted and cannot be had, more is counted, never less. */
#ifndef TAKC_TOKEN_TOKENIZER_H
#define TAKC_TOKEN_TOKENIZER_H

#include "takc/str.h"

enum takc_tokenizer_flags { TAKC_TOKENIZER_LINES = 1 << 0 };

struct takc_tokenizer;

struct takc_tokenizer_ops {
    unsigned flags;                                                            /* enum takc_tokenizer_flags */
    uint64_t (*line_mt)(const struct takc_tokenizer *, struct takc_str line);  /* one line without its newline; the newline is counted in */
    uint64_t (*count_mt)(const struct takc_tokenizer *, struct takc_str text); /* optional: NULL means the sum over lines */
    void (*close)(struct takc_tokenizer *);                                    /* optional: NULL means it is static */
};

struct takc_tokenizer { /* first member of every implementation */
    const struct takc_tokenizer_ops *ops;
    const char *name;    /* the kind, which metadata names: "estimate", "bpe" */
    const char *version; /* part of every fingerprint; of a loaded one the hash of its file is in it */
};

/* Milli-tokens of one line (no newline in it), its newline included. */
uint64_t takc_tokenizer_line_mt(const struct takc_tokenizer *t, struct takc_str line);
/* Milli-tokens of a whole text; 0 for the empty one. */
uint64_t takc_tokenizer_count_mt(const struct takc_tokenizer *t, struct takc_str text);
/* Tokens of a whole text, rounded up. */
uint64_t takc_tokenizer_count(const struct takc_tokenizer *t, struct takc_str text);
/* The embedded tokenizer of that name, or NULL. "estimate" is the default one. */
const struct takc_tokenizer *takc_tokenizer_find(struct takc_str name);
/* The i-th embedded tokenizer, or NULL behind the last. */
const struct takc_tokenizer *takc_tokenizer_at(size_t i);
/* Opens a tokenizer by what users write: the name of an embedded one, or "bpe:PATH". INVALID for another name, or as takc_bpe_open.
 * Returns owned: takc_tokenizer_close, when nobody counts with it any more. */
TAKC_CHECK enum takc_status takc_tokenizer_open(struct takc_str name, const struct takc_tokenizer **out, struct takc_err *err);
/* Gives back what open gave; NULL and embedded ones are fine. */
void takc_tokenizer_close(const struct takc_tokenizer *t);

#endif
