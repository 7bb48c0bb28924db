/* SPDX-License-Identifier: Apache-2.0
 *
 * unit/sentence.h - cutting one folded line of prose into sentences (extractive.md section 2).
 *
 * Scripts with upper and lower case: cut behind [.!?;] before white space, unless an abbreviation ends there or what follows does not begin
 * like a sentence; sentences of more than 90 words are cut at ; : or , behind their 45th to 60th word. Blocks whose letters mostly have no
 * case (Han, Kana, Thai, Arabic, Devanagari ...) go through ICU's sentence rules.
 * Threads: one cutter belongs to one thread. */
#ifndef TAKC_UNIT_SENTENCE_H
#define TAKC_UNIT_SENTENCE_H

#include "takc/str.h"
#include "unit/units.h"

enum {
    TAKC_SENTENCE_WORDS = 90,      /* a longer one is cut */
    TAKC_SENTENCE_BYTES = 60000,   /* so that every count of a unit fits 16 bits */
    TAKC_SENTENCE_UNSPACED = 1200, /* bytes of a sentence without blanks (about 400 Han characters) before it is cut at a comma */
};

struct takc_sentences {
    struct takc_span *items; /* bytes of the line; no blank at either end */
    size_t n, cap;
    void *breaker; /* UBreakIterator, made when first needed */
};

/* Frees items and breaker; zeroed storage is fine, twice is harmless. */
void takc_sentences_clear(struct takc_sentences *s);
/* Cuts line (white space folded, no blank at either end) into s->items, replacing what was there. */
TAKC_CHECK enum takc_status takc_sentences_cut(struct takc_sentences *s, struct takc_str line, struct takc_err *err);
/* One item for the whole line, or several when it is longer than TAKC_SENTENCE_BYTES: rows, headings, code. */
TAKC_CHECK enum takc_status takc_sentences_whole(struct takc_sentences *s, struct takc_str line, struct takc_err *err);

#endif
