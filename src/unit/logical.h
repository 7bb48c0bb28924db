/* SPDX-License-Identifier: Apache-2.0
 *
 * unit/logical.h - a block's text as one line: pieces joined by a blank, white space folded, and for every byte its place in the
 * document's text. What sentences are cut from and words are counted in. Threads: one at a time. */
#ifndef TAKC_UNIT_LOGICAL_H
#define TAKC_UNIT_LOGICAL_H

#include "takc/str.h"
#include "unit/units.h"

struct takc_logical {
    char *bytes;
    uint32_t *at; /* place of each byte in the text; of a blank: where the white space begins */
    size_t len, bytes_cap, at_cap;
    uint32_t *pieces; /* where in bytes each piece begins, and its tag */
    uint32_t *tags;
    size_t n_pieces, pieces_cap, tags_cap;
};

/* Frees; zeroed storage is fine, twice is harmless. */
void takc_logical_clear(struct takc_logical *l);
/* Empties, keeps the memory. */
void takc_logical_reset(struct takc_logical *l);
/* Appends text[start..end) as a further piece; one without anything but white space adds nothing. */
TAKC_CHECK enum takc_status takc_logical_add(struct takc_logical *l, struct takc_str text, size_t start, size_t end, uint32_t tag,
                                             struct takc_err *err);
/* All of it, or a part. */
static inline struct takc_str takc_logical_str(const struct takc_logical *l, size_t from, size_t to)
{
    return takc_str_n(l->bytes ? l->bytes + from : NULL, to - from);
}
/* Tag of the piece that byte at stands in. */
uint32_t takc_logical_tag(const struct takc_logical *l, size_t at);
/* Appends the spans of bytes from..to (from < to, neither end on a blank) to u: one for each piece they touch. */
TAKC_CHECK enum takc_status takc_logical_spans(const struct takc_logical *l, size_t from, size_t to, struct takc_units *u,
                                               struct takc_err *err);

#endif
