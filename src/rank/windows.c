/* SPDX-License-Identifier: Apache-2.0
 *
 * windows.c - runs of whole units of one document. A window takes units while its words stay within the width (at least one unit); the
 * next begins where half a width has passed, and is left out when it would end where the last one ended. Starts and ends both ascend, so
 * the windows that hold a unit stand side by side. */
#include "rank/format.h"

const uint32_t takc_level_width[TAKC_LEVELS] = {0, 64, 128, 256};

enum { WINDOW_UNITS_MAX = UINT16_MAX }; /* what a record can say; only units without a word reach it */

bool takc_window_next(struct takc_window_cutter *c, struct takc_window *out)
{
    while (!c->done && c->start < c->n_units) {
        uint32_t from = c->start, end = from + 1, next = from + 1;
        uint64_t words = c->n_tokens[from], passed = words;
        while (end < c->n_units && end - from < WINDOW_UNITS_MAX && words + c->n_tokens[end] <= c->width)
            words += c->n_tokens[end++];
        while (next < end && passed * 2 < c->width)
            passed += c->n_tokens[next++];
        c->done = end >= c->n_units;
        c->start = next;
        if (end > c->last_end) {
            c->last_end = end;
            *out = (struct takc_window){from, end - from};
            return true;
        }
    }
    return false;
}
