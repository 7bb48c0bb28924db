/* SPDX-License-Identifier: Apache-2.0
 *
 * token/bpe.h - exact counts by a user's byte-pair vocabulary: a rank file (.tiktoken) or a tokenizer.json.
 *
 * What is counted is what the original encoder gives for the text without special tokens around it: for rank files every text is ordinary
 * text; for a tokenizer.json its added tokens are found in the text, as the original does. A piece (bpe_split.h) of n symbols is merged in
 * O(n log n). A text is expected to be UTF-8; other bytes are counted as bytes that are no letters. Where no memory can be had, a piece
 * counts as many tokens as it has bytes, which is never too few.
 * Threads: counting any; opening makes a new object. */
#ifndef TAKC_TOKEN_BPE_H
#define TAKC_TOKEN_BPE_H

#include "token/bpe_split.h"
#include "token/bpe_vocab.h"
#include "token/tokenizer.h"

#define TAKC_BPE_VERSION "1" /* of the algorithm: counts of a later one may differ */
#define TAKC_BPE_MAX_FILE ((size_t)256 << 20)

enum { TAKC_BPE_STEPS = 6 };

enum takc_bpe_change_kind { TAKC_BPE_CHANGE_UNSET, TAKC_BPE_NFC, TAKC_BPE_PREPEND, TAKC_BPE_REPLACE, TAKC_BPE_BLANK_FIRST };

struct takc_bpe_change { /* of the text between added tokens, before it is split */
    enum takc_bpe_change_kind kind;
    struct takc_str from, to; /* borrow texts */
};

struct takc_bpe_added {
    struct takc_str content; /* borrows texts */
    uint32_t id;
    bool normalized; /* found behind those that are not */
};

struct takc_bpe {
    struct takc_tokenizer base;
    struct takc_bpe_vocab vocab;
    struct takc_bpe_pairs pairs;
    bool by_pairs;       /* merges are ranked by pair; otherwise by the number of what they make */
    bool chars;          /* symbols are characters; otherwise bytes */
    bool fuse_unknown;   /* neighbours without a symbol are one */
    uint32_t unknown;    /* for characters without a symbol and bytes without a number; TAKC_BPE_NONE: they vanish */
    uint32_t bytes[256]; /* the number of each byte; of chars: where a character has none */
    struct takc_split steps[TAKC_BPE_STEPS];
    struct takc_bpe_change changes[TAKC_BPE_STEPS];
    size_t n_steps, n_changes, n_added;
    struct takc_bpe_added *added;
    bool added_first[256]; /* may an added token begin with this byte? */
    char **texts;          /* owned */
    size_t n_texts, cap_texts;
    char version[64];
};

/* Opens path ("PATH" or "PATH#PATTERN" with a name takc_split_named knows; without one a rank file's pattern is the name that its base name
 * begins with). NOT_FOUND, INVALID with the place in the file, UNSUPPORTED with the member that is not; NOMEM. Close with
 * takc_tokenizer_close. */
TAKC_CHECK enum takc_status takc_bpe_open(struct takc_str path, const struct takc_tokenizer **out, struct takc_err *err);
/* The same from bytes in memory. pattern as above, for rank files. */
TAKC_CHECK enum takc_status takc_bpe_open_ranks(struct takc_str file, struct takc_str pattern, const struct takc_tokenizer **out,
                                                struct takc_err *err);
TAKC_CHECK enum takc_status takc_bpe_open_json(struct takc_str file, const struct takc_tokenizer **out, struct takc_err *err);

/* The numbers of a text's tokens, at most cap of them; returns how many there are. For tests and benchmarks. */
size_t takc_bpe_ids(const struct takc_tokenizer *t, struct takc_str text, uint32_t *ids, size_t cap);

/* ---- for the readers of the two formats (bpe_ranks.c, bpe_json.c) ---- */

/* An empty object. NOMEM. */
TAKC_CHECK enum takc_status takc_bpe_new(struct takc_bpe **out, struct takc_err *err);
/* Keeps a copy of s as long as b. NOMEM. */
TAKC_CHECK enum takc_status takc_bpe_keep(struct takc_bpe *b, struct takc_str s, struct takc_str *out, struct takc_err *err);
/* Marks the tokens that a piece of their bytes always becomes; names the version by the pattern and the hash of the file. */
TAKC_CHECK enum takc_status takc_bpe_finish(struct takc_bpe *b, struct takc_str file, const char *pattern, struct takc_err *err);
/* Frees; NULL is harmless. */
void takc_bpe_free(struct takc_bpe *b);

#endif
