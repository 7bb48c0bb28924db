/* SPDX-License-Identifier: Apache-2.0
 *
 * compress/sort.h - numbers with the unit they belong to, sorted by counting. Threads: pure functions. */
#ifndef TAKC_COMPRESS_SORT_H
#define TAKC_COMPRESS_SORT_H

#include "base/fixed.h"
#include "takc/status.h"

#include <stdint.h>

struct takc_sort_item {
    uint64_t key;
    uint32_t at;
};

/* Ascending by key, equal keys in the order they came. tmp has room for n. The result stands in items. */
void takc_sort_items(struct takc_sort_item *items, struct takc_sort_item *tmp, size_t n);

/* An order-preserving key of a signed number. */
static inline uint64_t takc_sort_key(int64_t v)
{
    return (uint64_t)v ^ (uint64_t)1 << 63;
}

/* Calls nothing; fills items with values and sorts: then for a run of equal values at lo..hi the quantile is (lo + hi) / 2n. */
void takc_sort_values(struct takc_sort_item *items, struct takc_sort_item *tmp, const int32_t *values, size_t n);
/* weight * quantile of each value among the n, added to sum. items as takc_sort_values left them. */
void takc_sort_add_quantiles(const struct takc_sort_item *items, size_t n, takc_fx weight, int32_t *sum);

#endif
