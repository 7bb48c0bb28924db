/* SPDX-License-Identifier: Apache-2.0
 *
 * bpe_vocab.c - open addressing, linear probing. */
#include "token/bpe_vocab.h"
#include "base/alloc.h"
#include "base/hash.h"

enum { FIRST_SLOTS = 1024, MAX_TOKENS = 1 << 24 };

void takc_bpe_vocab_init(struct takc_bpe_vocab *v)
{
    *v = (struct takc_bpe_vocab){0};
    takc_buf_init(&v->bytes, (size_t)1 << 30);
}

static struct takc_str text_of(const struct takc_bpe_vocab *v, const struct takc_bpe_token *t)
{
    return takc_str_n(v->bytes.ptr + t->at, t->len);
}

/* The slot that these bytes have or would take. */
static size_t slot_of(const struct takc_bpe_vocab *v, struct takc_str bytes)
{
    size_t i = (size_t)takc_hash64(bytes, 0) & (v->n_slots - 1);
    while (v->slots[i] != TAKC_BPE_NONE && !takc_str_eq(text_of(v, &v->tokens[v->slots[i]]), bytes))
        i = (i + 1) & (v->n_slots - 1);
    return i;
}

static enum takc_status widen(struct takc_bpe_vocab *v, struct takc_err *err)
{
    size_t n = v->n_slots ? v->n_slots * 2 : FIRST_SLOTS;
    uint32_t *slots = takc_alloc_array(n, sizeof(*slots));
    if (!slots)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a vocabulary of %zu tokens", n / 2);
    memset(slots, 0xFF, n * sizeof(*slots));
    takc_free(v->slots);
    v->slots = slots;
    v->n_slots = n;
    for (size_t i = 0; i < v->n_tokens; i++)
        v->slots[slot_of(v, text_of(v, &v->tokens[i]))] = (uint32_t)i;
    return TAKC_OK;
}

enum takc_status takc_bpe_vocab_add(struct takc_bpe_vocab *v, struct takc_str bytes, uint32_t id, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    if (bytes.len == 0 || v->n_tokens >= MAX_TOKENS)
        return takc_fail(err, TAKC_INVALID, 0, bytes.len ? "more than %d tokens" : "a token has no bytes", MAX_TOKENS);
    if ((v->n_tokens + 1) * 2 > v->n_slots)
        st = widen(v, err);
    if (st)
        return st;
    size_t slot = slot_of(v, bytes);
    if (v->slots[slot] != TAKC_BPE_NONE)
        return takc_fail(err, TAKC_INVALID, 0, "a token stands twice");
    size_t at = v->bytes.len;
    st = takc_grow(&v->tokens, &v->cap_tokens, v->n_tokens + 1, sizeof(*v->tokens), err);
    if (!st)
        st = takc_buf_add(&v->bytes, bytes, err);
    if (st)
        return st;
    v->tokens[v->n_tokens] = (struct takc_bpe_token){(uint32_t)at, (uint32_t)bytes.len, id, false};
    v->slots[slot] = (uint32_t)v->n_tokens++;
    v->longest = bytes.len > v->longest ? bytes.len : v->longest;
    return TAKC_OK;
}

struct takc_bpe_token *takc_bpe_vocab_find(const struct takc_bpe_vocab *v, struct takc_str bytes)
{
    if (bytes.len == 0 || bytes.len > v->longest)
        return NULL;
    uint32_t i = v->slots[slot_of(v, bytes)];
    return i == TAKC_BPE_NONE ? NULL : &v->tokens[i];
}

void takc_bpe_vocab_clear(struct takc_bpe_vocab *v)
{
    takc_buf_clear(&v->bytes);
    takc_free(v->tokens);
    takc_free(v->slots);
    takc_bpe_vocab_init(v);
}

enum takc_status takc_bpe_pairs_init(struct takc_bpe_pairs *p, size_t n, struct takc_err *err)
{
    size_t slots = FIRST_SLOTS;
    while (slots < n * 2)
        slots *= 2;
    *p = (struct takc_bpe_pairs){takc_alloc_array(slots, sizeof(*p->slots)), slots, 0};
    if (!p->slots)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu merges", n);
    for (size_t i = 0; i < slots; i++)
        p->slots[i].rank = TAKC_BPE_NONE;
    return TAKC_OK;
}

static size_t pair_slot(const struct takc_bpe_pairs *p, uint32_t left, uint32_t right)
{
    uint64_t h = ((uint64_t)left << 32 | right) * 0x9E3779B97F4A7C15u;
    size_t i = (size_t)(h ^ h >> 32) & (p->n_slots - 1);
    while (p->slots[i].rank != TAKC_BPE_NONE && (p->slots[i].left != left || p->slots[i].right != right))
        i = (i + 1) & (p->n_slots - 1);
    return i;
}

void takc_bpe_pairs_add(struct takc_bpe_pairs *p, struct takc_bpe_pair pair)
{
    struct takc_bpe_pair *at = &p->slots[pair_slot(p, pair.left, pair.right)];
    if (at->rank == TAKC_BPE_NONE && ++p->n * 2 > p->n_slots)
        TAKC_BUG("more merges than room was made for");
    *at = pair;
}

const struct takc_bpe_pair *takc_bpe_pairs_find(const struct takc_bpe_pairs *p, uint32_t left, uint32_t right)
{
    const struct takc_bpe_pair *at = &p->slots[pair_slot(p, left, right)];
    return at->rank == TAKC_BPE_NONE ? NULL : at;
}

void takc_bpe_pairs_clear(struct takc_bpe_pairs *p)
{
    takc_free(p->slots);
    *p = (struct takc_bpe_pairs){0};
}
