/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/lines.h - what an artifact shows, units as they are and lines that a model wrote, carried to other numbers of the units: where a
 * version is made again without some of them (redact) or over what is kept of them (reduce). Threads: pure functions. */
#ifndef TAKC_PIPELINE_LINES_H
#define TAKC_PIPELINE_LINES_H

#include "compress/artifact.h"

struct takc_needles;

struct takc_line_set {
    uint8_t *bits; /* by unit */
    struct takc_written *written;
    size_t n_written;
};

/* What artifact a shows of corpus and selection, all in the arena. CORRUPT: it is not of them. */
TAKC_CHECK enum takc_status takc_line_set_of(const struct takc_artifact *a, const struct takc_corpus *c, const struct takc_selection *s,
                                             struct takc_arena *arena, struct takc_line_set *out, struct takc_err *err);
/* The written lines under new numbers (number[old] - 1; 0: gone), in the arena; one that stands on a unit that is gone, or says one of the
 * needles (NULL: none), goes. */
TAKC_CHECK enum takc_status takc_line_set_move(const struct takc_line_set *from, const uint32_t *number, const struct takc_needles *needles,
                                               struct takc_arena *arena, struct takc_line_set *out, struct takc_err *err);
/* Marks the units that written lines stand on. */
void takc_line_set_mark(const struct takc_line_set *l, uint8_t *bits);

#endif
