/* SPDX-License-Identifier: Apache-2.0
 *
 * sort.c - least significant byte first; a byte that all keys share costs one count and no move. */
#include "compress/sort.h"

#include <string.h>

/* One stable pass by the byte at shift; false when all keys have the same byte there and nothing was moved. */
static bool pass(const struct takc_sort_item *from, struct takc_sort_item *to, size_t n, unsigned shift)
{
    size_t start[256] = {0}, at = 0;
    for (size_t i = 0; i < n; i++)
        start[from[i].key >> shift & 255]++;
    if (n && start[from[0].key >> shift & 255] == n)
        return false;
    for (unsigned b = 0; b < 256; b++) {
        size_t count = start[b];
        start[b] = at;
        at += count;
    }
    for (size_t i = 0; i < n; i++)
        to[start[from[i].key >> shift & 255]++] = from[i];
    return true;
}

void takc_sort_items(struct takc_sort_item *items, struct takc_sort_item *tmp, size_t n)
{
    struct takc_sort_item *from = items, *to = tmp;
    for (unsigned shift = 0; shift < 64; shift += 8)
        if (pass(from, to, n, shift)) {
            struct takc_sort_item *swap = from;
            from = to;
            to = swap;
        }
    if (from != items && n)
        memcpy(items, from, n * sizeof(*items));
}

void takc_sort_values(struct takc_sort_item *items, struct takc_sort_item *tmp, const int32_t *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        items[i] = (struct takc_sort_item){takc_sort_key(values[i]), (uint32_t)i};
    takc_sort_items(items, tmp, n);
}

void takc_sort_add_quantiles(const struct takc_sort_item *items, size_t n, takc_fx weight, int32_t *sum)
{
    for (size_t lo = 0, hi; lo < n; lo = hi) {
        for (hi = lo + 1; hi < n && items[hi].key == items[lo].key;)
            hi++;
        int32_t add = (int32_t)takc_fx_mul(weight, takc_fx_ratio((int64_t)(lo + hi), (int64_t)(2 * n)));
        for (size_t i = lo; i < hi; i++)
            sum[items[i].at] += add;
    }
}
