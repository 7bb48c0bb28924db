/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/needles.h - many byte strings searched for in many files at once: the proof of forget. Threads: one at a time. */
#ifndef TAKC_PIPELINE_NEEDLES_H
#define TAKC_PIPELINE_NEEDLES_H

#include "base/arena.h"

enum { TAKC_NEEDLE_MIN = 16 }; /* bytes: shorter strings are said by chance, and prove nothing */

struct takc_needles {
    struct takc_arena arena;
    struct takc_str *list;
    size_t n, cap;
    uint32_t *slots, *next; /* chains by the first 8 bytes */
    size_t n_slots;
    uint8_t *filter; /* a bit per 16-bit hash of the first 8 bytes */
};

/* No needles; the storage of the struct is the caller's. */
void takc_needles_init(struct takc_needles *s);
/* Frees; twice is harmless. */
void takc_needles_clear(struct takc_needles *s);
/* Adds a copy; ones under TAKC_NEEDLE_MIN bytes are left out. */
TAKC_CHECK enum takc_status takc_needles_add(struct takc_needles *s, struct takc_str needle, struct takc_err *err);
/* Builds the tables; after it nothing may be added. */
TAKC_CHECK enum takc_status takc_needles_ready(struct takc_needles *s, struct takc_err *err);
/* Calls hit for every needle found in hay, until it returns false. */
void takc_needles_search(const struct takc_needles *s, struct takc_str hay, bool (*hit)(void *arg, uint32_t needle, size_t at), void *arg);

#endif
