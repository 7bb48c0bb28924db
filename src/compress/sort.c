/* SPDX-License-Identifier: Apache-2.0
 *
 * sort.c - most significant byte first, each item swapped straight to its bucket; small buckets by insertion. A byte that all items share
 * costs one count and no move. */
#include "compress/sort.h"

#include <string.h>

enum { BYTES = 12, FEW = 24 /* from here on down insertion is quicker than counting 256 buckets */ };

/* Byte number `byte` of (key, at), the most significant first. */
static inline unsigned byte_of(const struct takc_sort_item *x, unsigned byte)
{
    uint32_t word = byte < 4 ? x->high : byte < 8 ? x->low : x->at;
    return word >> (24 - 8 * (byte & 3)) & 255;
}

static inline bool before(const struct takc_sort_item *a, const struct takc_sort_item *b)
{
    uint64_t ka = takc_sort_item_key(a), kb = takc_sort_item_key(b);
    return ka != kb ? ka < kb : a->at < b->at;
}

static void insert_all(struct takc_sort_item *items, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct takc_sort_item x = items[i];
        size_t at = i;
        for (; at > 0 && before(&x, &items[at - 1]); at--)
            items[at] = items[at - 1];
        items[at] = x;
    }
}

/* Swaps every item into the bucket of its byte. end[b] is where bucket b ends; next[b], where it begins, moves to its end. */
static void deal(struct takc_sort_item *items, unsigned byte, size_t next[256], const size_t end[256])
{
    for (unsigned b = 0; b < 256; b++)
        while (next[b] < end[b]) {
            struct takc_sort_item x = items[next[b]];
            for (unsigned to = byte_of(&x, byte); to != b; to = byte_of(&x, byte)) {
                struct takc_sort_item other = items[next[to]];
                items[next[to]++] = x;
                x = other;
            }
            items[next[b]++] = x;
        }
}

/* Recursion is at most BYTES deep. */
static void sort_from(struct takc_sort_item *items, size_t n, unsigned byte)
{
    size_t next[256], end[256];
    for (; n > FEW && byte < BYTES; byte++) {
        memset(end, 0, sizeof(end));
        for (size_t i = 0; i < n; i++)
            end[byte_of(&items[i], byte)]++;
        if (end[byte_of(&items[0], byte)] == n)
            continue;
        for (size_t b = 0, at = 0; b < 256; b++) {
            next[b] = at;
            at += end[b];
            end[b] = at;
        }
        deal(items, byte, next, end);
        for (size_t b = 0, at = 0; b < 256; at = end[b++])
            sort_from(items + at, end[b] - at, byte + 1);
        return;
    }
    insert_all(items, n);
}

void takc_sort_items(struct takc_sort_item *items, size_t n)
{
    sort_from(items, n, 0);
}

void takc_sort_values(struct takc_sort_item *items, const int32_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        items[i] = takc_sort_item_of(takc_sort_key(values[i]), i);
    takc_sort_items(items, n);
}

void takc_sort_add_quantiles(const struct takc_sort_item *items, size_t n, takc_fx weight, int32_t *sum)
{
    for (size_t lo = 0, hi; lo < n; lo = hi) {
        for (hi = lo + 1; hi < n && takc_sort_item_key(&items[hi]) == takc_sort_item_key(&items[lo]);)
            hi++;
        int32_t add = (int32_t)takc_fx_mul(weight, takc_fx_ratio((int64_t)(lo + hi), (int64_t)(2 * n)));
        for (size_t i = lo; i < hi; i++)
            if (__builtin_add_overflow(sum[items[i].at], add, &sum[items[i].at])) /* a "word" of 90,000 letters comes so far */
                sum[items[i].at] = add > 0 ? INT32_MAX : INT32_MIN;
    }
}
