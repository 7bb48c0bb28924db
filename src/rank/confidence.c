/* SPDX-License-Identifier: Apache-2.0
 *
 * confidence.c - how sure we are that the chosen lines answer the question. */
#include "rank/query.h"

#include <math.h>

double takc_confidence(const struct takc_question *q, const struct takc_line *lines, const uint64_t *masks, size_t n)
{
    (void)q;
    (void)masks;
    if (n == 0)
        return 0;
    double best = 0;
    for (size_t i = 0; i < n && i < 3; i++)
        best = lines[i].coverage > best ? lines[i].coverage : best;
    return 1 / (1 + exp(-6 * (best - .6)));
}
