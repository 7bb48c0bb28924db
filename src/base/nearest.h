/* SPDX-License-Identifier: Apache-2.0
 *
 * base/nearest.h - "unknown key chunkin: did you mean chunking?": the known name that a mistyped one is closest to.
 * Threads: pure functions. */
#ifndef TAKC_BASE_NEAREST_H
#define TAKC_BASE_NEAREST_H

#include "takc/str.h"

enum { TAKC_NEAREST_MAX = 64 }; /* longer names are not compared */

/* Edits (insert, delete, replace, swap of neighbours; ASCII case counts nothing) that make b of a; UINT32_MAX when one is too long. */
uint32_t takc_edit_distance(struct takc_str a, struct takc_str b);

/* Finds the best of the names offered: init by {0}, offer each, then look at name. */
struct takc_nearest {
    const char *name; /* borrowed from the offers; NULL: nothing was near */
    uint32_t distance;
};
/* Takes name if it is nearer to asked than what was offered before, and near at all: at most a third of its length, at least 1. */
void takc_nearest_offer(struct takc_nearest *n, struct takc_str asked, const char *name);
/* Writes "" or "; did you mean 'NAME'?" */
void takc_nearest_text(const struct takc_nearest *n, char out[TAKC_NEAREST_MAX + 24]);

#endif
