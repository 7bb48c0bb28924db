/* SPDX-License-Identifier: Apache-2.0
 *
 * token/bpe_split.h - text into the pieces inside which byte pairs are merged: the split patterns of known vocabularies, matched by hand.
 *
 * Each family is one pure function that does what the family's regular expression does (bpe_split.c quotes them); character classes are
 * ICU's, white space is Unicode's. A byte that is no UTF-8 counts as a mark. Every byte of a text is in exactly one piece.
 * Threads: pure functions. */
#ifndef TAKC_TOKEN_BPE_SPLIT_H
#define TAKC_TOKEN_BPE_SPLIT_H

#include "takc/str.h"

enum takc_split_family {
    TAKC_SPLIT_UNSET,
    TAKC_SPLIT_GPT2,   /* r50k_base, p50k_base, GPT-2 */
    TAKC_SPLIT_CL100K, /* cl100k_base, Llama 3, Qwen */
    TAKC_SPLIT_O200K,  /* o200k_base */
    TAKC_SPLIT_DIGITS, /* each digit, and what stands between digits */
    TAKC_SPLIT_BLANKS  /* in front of U+2581 that follows another character: exact where no token has one inside */
};

struct takc_split {
    enum takc_split_family family;
    uint8_t n_digits; /* of a number in one piece; 0: all */
    bool tail;        /* white space that ends the text is one piece even with newlines in it */
};

/* The end (> pos) of the piece that begins at pos (< text.len). */
size_t takc_split_next(const struct takc_split *split, struct takc_str text, size_t pos);
/* A split by the name of its vocabulary ("o200k_base"); false when it is not known. */
bool takc_split_named(struct takc_str name, struct takc_split *out);
/* A split by its regular expression as tokenizer.json writes it; false when it is not one of the known ones. */
bool takc_split_of_regex(struct takc_str regex, struct takc_split *out);

#endif
