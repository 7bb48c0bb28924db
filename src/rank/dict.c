/* SPDX-License-Identifier: Apache-2.0
 *
 * dict.c - looks a stem up in the dictionary: a binary search over every 16th term, then at most 16 front-coded entries. */
#include "rank/format.h"

/* A cursor over the entries of one block. */
struct cursor {
    struct takc_str entries; /* from the block's first entry to the end of the dictionary */
    size_t pos;
    char term[TAKC_WORD_BYTES];
    size_t term_len;
    uint64_t postings_at;
    struct takc_term_entry entry;
};

static bool open_block(const struct takc_index *x, uint32_t block, struct cursor *c)
{
    const unsigned char *p = takc_index_records(x, TAKC_PART_DICT_INDEX, block, 1, TAKC_REC_DICT_INDEX);
    uint64_t size = x->at[TAKC_PART_DICT + 1] - x->at[TAKC_PART_DICT];
    if (!p || takc_rd32(p) > size)
        return false;
    c->pos = 0;
    c->term_len = 0;
    c->postings_at = takc_rd64(p + 4);
    return takc_index_bytes(x, TAKC_PART_DICT, takc_rd32(p), size - takc_rd32(p), &c->entries);
}

/* The term of the next entry; c->pos is then behind it. */
static bool next_term(struct cursor *c)
{
    uint64_t shared, rest;
    if (!takc_varint(c->entries, &c->pos, &shared) || !takc_varint(c->entries, &c->pos, &rest) || shared > c->term_len ||
        rest > sizeof(c->term) - shared || rest > c->entries.len - c->pos)
        return false;
    memcpy(c->term + shared, c->entries.ptr + c->pos, (size_t)rest);
    c->pos += (size_t)rest;
    c->term_len = (size_t)(shared + rest);
    return true;
}

/* The counts behind a term, and the place of its postings. */
static bool next_counts(const struct takc_index *x, struct cursor *c)
{
    uint64_t head, n_docs = 0, n_sections = 0, df, len;
    if (!takc_varint(c->entries, &c->pos, &head) || ((head & 1) && !takc_varint(c->entries, &c->pos, &n_docs)) ||
        ((head & 2) && !takc_varint(c->entries, &c->pos, &n_sections)))
        return false;
    df = head >> 2;
    if ((head & 3) && !takc_varint(c->entries, &c->pos, &df))
        return false;
    if (!takc_varint(c->entries, &c->pos, &len) || n_docs > x->n[TAKC_PART_DOCS] || n_sections > x->n[TAKC_PART_SECTIONS] ||
        (head >> 2) > x->n[TAKC_PART_UNITS] || df > x->n[TAKC_PART_UNITS] || df == 0)
        return false;
    c->entry = (struct takc_term_entry){(uint32_t)df, (uint32_t)n_docs, (uint32_t)n_sections, (uint32_t)(head >> 2), {NULL, 0}};
    if (!takc_index_bytes(x, TAKC_PART_POSTINGS, c->postings_at, len, &c->entry.postings))
        return false;
    c->postings_at += len;
    return true;
}

/* The last block whose first term is not behind stem; 0 when there is none. */
static enum takc_status find_block(const struct takc_index *x, struct takc_str stem, struct cursor *c, uint32_t *out, struct takc_err *err)
{
    uint32_t lo = 0, hi = x->n[TAKC_PART_DICT_INDEX];
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (!open_block(x, mid, c) || !next_term(c))
            return takc_index_corrupt(err, "the dictionary is damaged");
        if (takc_str_cmp(takc_str_n(c->term, c->term_len), stem) <= 0)
            lo = mid;
        else
            hi = mid;
    }
    *out = lo;
    return TAKC_OK;
}

enum takc_status takc_dict_find(const struct takc_index *x, struct takc_str stem, struct takc_term_entry *out, struct takc_err *err)
{
    struct cursor c;
    uint32_t block = 0;
    *out = (struct takc_term_entry){0, 0, 0, 0, {NULL, 0}};
    if (!x->n[TAKC_PART_DICT_INDEX])
        return TAKC_OK;
    enum takc_status st = find_block(x, stem, &c, &block, err);
    if (st)
        return st;
    if (!open_block(x, block, &c))
        return takc_index_corrupt(err, "the dictionary is damaged");
    uint64_t left = x->n_terms - (uint64_t)block * TAKC_DICT_BLOCK_TERMS;
    if (left > x->n_terms)
        left = 0;
    for (uint64_t i = 0; i < left && i < TAKC_DICT_BLOCK_TERMS; i++) {
        if (!next_term(&c) || !next_counts(x, &c))
            return takc_index_corrupt(err, "the dictionary is damaged");
        int order = takc_str_cmp(takc_str_n(c.term, c.term_len), stem);
        if (order == 0)
            *out = c.entry;
        if (order >= 0)
            return TAKC_OK;
    }
    return TAKC_OK;
}
