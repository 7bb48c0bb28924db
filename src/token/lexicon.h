/* SPDX-License-Identifier: Apache-2.0
 *
 * token/lexicon.h - small tables of lower-case words with what each of them means as bits, looked up by binary search.
 *
 * Words have at most 15 bytes and stand in ascending order of their bytes (a test asks takc_lexicon_sorted); longer words are in no table.
 * A word is compared as two big-endian 64-bit numbers, so a lookup in 500 words costs about nine compares and touches no strings.
 * Threads: pure functions. */
#ifndef TAKC_TOKEN_LEXICON_H
#define TAKC_TOKEN_LEXICON_H

#include "takc/str.h"

struct takc_lexeme {
    char word[16]; /* NUL-padded */
    uint32_t bits;
};

/* Eight bytes at p as a big-endian number. */
static inline uint64_t takc_lexicon_half(const char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* The bits of word, 0 when it is not in the table. */
static inline uint32_t takc_lexicon_find(const struct takc_lexeme *table, size_t n, struct takc_str word)
{
    char padded[16] = {0};
    if (word.len == 0 || word.len > 15)
        return 0;
    memcpy(padded, word.ptr, word.len);
    uint64_t high = takc_lexicon_half(padded), low = takc_lexicon_half(padded + 8);
    size_t from = 0;
    while (n > 0) {
        size_t half = n / 2;
        const struct takc_lexeme *at = &table[from + half];
        uint64_t h = takc_lexicon_half(at->word), l = takc_lexicon_half(at->word + 8);
        if (h == high && l == low)
            return at->bits;
        bool right = h < high || (h == high && l < low);
        from = right ? from + half + 1 : from;
        n = right ? n - half - 1 : half;
    }
    return 0;
}

/* Do the words stand in ascending order, each once? For tests. */
static inline bool takc_lexicon_sorted(const struct takc_lexeme *table, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (memcmp(table[i - 1].word, table[i].word, 16) >= 0)
            return false;
    return true;
}

#endif
