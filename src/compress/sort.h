/* SPDX-License-Identifier: Apache-2.0
 *
 * compress/sort.h - numbers with the unit they belong to, sorted by counting, in place: a corpus has a great many units. Threads: pure
 * functions. */
#ifndef TAKC_COMPRESS_SORT_H
#define TAKC_COMPRESS_SORT_H

#include "base/fixed.h"
#include "takc/status.h"

#include <stdint.h>

struct takc_sort_item { /* 12 bytes: the key is cut in two so that none are lost between items */
    uint32_t high, low, at;
};
static inline struct takc_sort_item takc_sort_item_of(uint64_t key, size_t at)
{
    return (struct takc_sort_item){(uint32_t)(key >> 32), (uint32_t)key, (uint32_t)at};
}
static inline uint64_t takc_sort_item_key(const struct takc_sort_item *x)
{
    return (uint64_t)x->high << 32 | x->low;
}

/* Ascending by key, equal keys by at. */
void takc_sort_items(struct takc_sort_item *items, size_t n);

/* An order-preserving key of a signed number. */
static inline uint64_t takc_sort_key(int64_t v)
{
    return (uint64_t)v ^ (uint64_t)1 << 63;
}

/* Calls nothing; fills items with values and sorts: then for a run of equal values at lo..hi the quantile is (lo + hi) / 2n. */
void takc_sort_values(struct takc_sort_item *items, const int32_t *values, size_t n);
/* weight * quantile of each value among the n, added to sum. items as takc_sort_values left them. */
void takc_sort_add_quantiles(const struct takc_sort_item *items, size_t n, takc_fx weight, int32_t *sum);

#endif
