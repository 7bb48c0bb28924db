/* SPDX-License-Identifier: Apache-2.0
 *
 * unit/features.h - the counts of one unit that need no other document: the raw material of the hand score (extractive.md section 3).
 * Threads: one struct takc_features belongs to one thread. */
#ifndef TAKC_UNIT_FEATURES_H
#define TAKC_UNIT_FEATURES_H

#include "token/words.h"
#include "unit/units.h"

struct takc_features {
    struct takc_words words;
    char *mask; /* scratch of mask_hash */
    size_t mask_cap;
};

/* Scratch for one thread after another; the storage of the struct is the caller's. */
void takc_features_init(struct takc_features *f);
/* Frees; twice is harmless. */
void takc_features_clear(struct takc_features *f);
/* Counts line (raw, white space folded) into unit and appends its content stems to u->terms (term_at, n_terms, n_tokens and the counts and
 * flags of this file's table are set; kind is read). */
TAKC_CHECK enum takc_status takc_features_count(struct takc_features *f, struct takc_str line, struct takc_units *u, struct takc_unit *unit,
                                                struct takc_err *err);
/* Appends the content stems of text to *terms: titles and headings. */
TAKC_CHECK enum takc_status takc_features_terms(struct takc_features *f, struct takc_str text, struct takc_intern *vocabulary,
                                                uint32_t **terms, size_t *n, size_t *cap, struct takc_err *err);
/* Does a line (UTF-8) that is no unit, like a title, instruct a reader? The same words and signs as for units. */
TAKC_CHECK enum takc_status takc_features_instructs(struct takc_str line, bool *out, struct takc_err *err);
/* Is the table of cue words in order? For tests. */
bool takc_cues_sorted(void);

#endif
