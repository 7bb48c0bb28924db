/* SPDX-License-Identifier: Apache-2.0
 *
 * token/bpe_vocab.h - two hash tables of a byte-pair vocabulary: token bytes to number, and pairs of numbers to their merge.
 * Both only grow; looking up needs no lock. Threads: filling one at a time, looking up any. */
#ifndef TAKC_TOKEN_BPE_VOCAB_H
#define TAKC_TOKEN_BPE_VOCAB_H

#include "base/buf.h"

#define TAKC_BPE_NONE UINT32_MAX

struct takc_bpe_token {
    uint32_t at, len; /* in bytes */
    uint32_t id;
    bool whole; /* a piece that is exactly this token becomes it */
};

struct takc_bpe_vocab {
    struct takc_buf bytes;
    struct takc_bpe_token *tokens;
    size_t n_tokens, cap_tokens;
    uint32_t *slots; /* index of a token, TAKC_BPE_NONE: free; a power of two of them, at most half in use */
    size_t n_slots, longest;
};

void takc_bpe_vocab_init(struct takc_bpe_vocab *v);
/* Adds a token of 1 byte or more. INVALID when it is there already; NOMEM. */
TAKC_CHECK enum takc_status takc_bpe_vocab_add(struct takc_bpe_vocab *v, struct takc_str bytes, uint32_t id, struct takc_err *err);
/* The token of these bytes, or NULL. Lives until the next add. */
struct takc_bpe_token *takc_bpe_vocab_find(const struct takc_bpe_vocab *v, struct takc_str bytes);
/* Frees; twice is harmless. */
void takc_bpe_vocab_clear(struct takc_bpe_vocab *v);

struct takc_bpe_pair {
    uint32_t left, right, rank, id; /* lower ranks merge first, into id */
};

struct takc_bpe_pairs {
    struct takc_bpe_pair *slots; /* rank TAKC_BPE_NONE: free */
    size_t n_slots, n;
};

/* Makes room for n pairs in all, before the first is added. NOMEM. */
TAKC_CHECK enum takc_status takc_bpe_pairs_init(struct takc_bpe_pairs *p, size_t n, struct takc_err *err);
/* Adds a pair; of the same one twice the last stays. No more than were made room for. */
void takc_bpe_pairs_add(struct takc_bpe_pairs *p, struct takc_bpe_pair pair);
/* The merge of two tokens, or NULL. */
const struct takc_bpe_pair *takc_bpe_pairs_find(const struct takc_bpe_pairs *p, uint32_t left, uint32_t right);
/* Frees; twice is harmless. */
void takc_bpe_pairs_clear(struct takc_bpe_pairs *p);

#endif
