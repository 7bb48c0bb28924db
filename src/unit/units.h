/* SPDX-License-Identifier: Apache-2.0
 *
 * unit/units.h - the units of one document: the smallest things kept or dropped whole, with spans, anchors and every count that needs no
 * other document. Made once per document (takc_units_build), stored by content, read by the compressor and the index builder, which
 * never look at characters again but to show them.
 *
 * Numbers of units, headings, anchors and terms are local to the document. Units stand in document order.
 * Threads: building belongs to one thread; a finished struct may be read by any. */
#ifndef TAKC_UNIT_UNITS_H
#define TAKC_UNIT_UNITS_H

#include "base/intern.h"
#include "doc/doc.h"
#include "takc/call.h"
#include "token/tokenizer.h"

#define TAKC_UNITS_VERSION "4" /* raised whenever cutting, cleaning or counting changes for any text */

enum takc_unit_kind {
    TAKC_UNIT_UNSET = 0,
    TAKC_UNIT_SENTENCE,
    TAKC_UNIT_ITEM,
    TAKC_UNIT_ROW,
    TAKC_UNIT_CODE,
    TAKC_UNIT_HEADING /* a heading that says something: TAKC_UNIT_BARE is not set then */
};

enum takc_unit_flags {
    TAKC_UNIT_BARE = 1 << 0,      /* a heading that is no sentence: ranked and shown as heading only, never chosen */
    TAKC_UNIT_FIRST = 1 << 1,     /* first unit of its section (behind a heading) */
    TAKC_UNIT_VERSION = 1 << 2,   /* a version number and one of added, deprecated, since, ... */
    TAKC_UNIT_DEFAULT = 1 << 3,   /* says "default" */
    TAKC_UNIT_CITES = 1 << 4,     /* [n], BIBREF, et al */
    TAKC_UNIT_FILLER = 1 << 5,    /* opens with or holds filler words */
    TAKC_UNIT_QUESTION = 1 << 6,  /* ends in a question mark */
    TAKC_UNIT_PRONOUN = 1 << 7,   /* opens with It, He, She, They, This, These, That, Those */
    TAKC_UNIT_NEGATES = 1 << 8,   /* holds a negation */
    TAKC_UNIT_INSTRUCTS = 1 << 9, /* an instruction to a reader model ("ignore previous ..."): quoted as data only */
    TAKC_UNIT_TURN = 1 << 10,     /* begins a speaker's turn */
    TAKC_UNIT_NOTICE = 1 << 11    /* says whose the text is ("Copyright (c) 2019 ..."), not what it says */
};

/* Kinds of facts, counted as distinct by the ledger and kept first where a profile says must-keep. */
enum takc_fact_kind {
    TAKC_FACT_NUMBER = 0,
    TAKC_FACT_DATE,
    TAKC_FACT_NAME,
    TAKC_FACT_ID,
    TAKC_FACT_NEGATION,
    TAKC_FACT_WORD, /* a word of the task's profile; counted by the compressor, never stored with units */
    TAKC_FACT_KINDS
};

struct takc_span {
    uint32_t start, end; /* bytes of the document's text */
};

struct takc_unit {
    uint32_t span_at; /* first of its n_spans in spans */
    uint32_t term_at; /* first of its n_terms in terms */
    uint32_t fact_at; /* first of its n_facts in facts */
    uint32_t block;   /* its first block in the structure: locator */
    uint32_t heading; /* number + 1 of the heading above it; 0: none */
    uint32_t anchor;  /* number + 1 of its anchor; 0: none */
    uint32_t n_bytes; /* as shown in an artifact (cleaned), newline included */
    uint32_t mt;      /* milli-tokens of that line */
    uint32_t raw_mt;  /* milli-tokens of the line as select shows it (white space folded, not cleaned) */
    uint16_t n_spans, n_terms, n_facts;
    uint16_t n_words;                                            /* white-space words as shown */
    uint16_t n_tokens;                                           /* normalised words less articles (token/words.h), stop words included */
    uint16_t flags;                                              /* enum takc_unit_flags */
    uint8_t kind;                                                /* enum takc_unit_kind */
    uint8_t nums, caps, acronyms, years, dates, money, extremes; /* counts of extractive.md section 3, each cut at 255 */
    uint8_t why, decides, obliges, defines;                      /* cues */
    uint64_t text_hash;                                          /* of the shown line: exact duplicates */
    uint64_t mask_hash;                                          /* of the lower-case raw line with digits masked: templates */
};

struct takc_heading {
    struct takc_span span;
    uint32_t parent; /* number + 1; 0: none */
    uint32_t unit;   /* number + 1 of the unit it is; 0: none */
    uint8_t level;
};

enum takc_anchor_kind { TAKC_ANCHOR_UNSET = 0, TAKC_ANCHOR_TABLE, TAKC_ANCHOR_TERM };

/* What rows of a table, or descriptions of a term, show once before them: "[heading / header row]" or "[term]". */
struct takc_anchor {
    uint8_t kind;                     /* enum takc_anchor_kind */
    struct takc_span heading, header; /* either may be empty (start == end): then it is left out; TERM: header is the term */
    uint32_t n_words, n_bytes, mt;    /* of the line as shown, newline included; n_bytes 0: nothing to show */
};

struct takc_units {
    struct takc_unit *units;
    size_t n_units, units_cap;
    struct takc_span *spans;
    size_t n_spans, spans_cap;
    struct takc_heading *headings;
    size_t n_headings, headings_cap;
    struct takc_anchor *anchors;
    size_t n_anchors, anchors_cap;
    uint32_t *terms; /* content stems (no stop words, no articles) of each unit, in order, repeated as they occur: numbers in vocabulary */
    size_t n_terms, terms_cap;
    uint64_t *facts; /* distinct facts of each unit: hash << 3 | enum takc_fact_kind, ascending within the unit */
    size_t n_facts, facts_cap;
    struct takc_intern vocabulary;
    uint32_t *title_terms; /* content stems of the title, in order */
    size_t n_title_terms, title_terms_cap;
    uint32_t title_words, title_bytes, title_mt; /* of the title as a line, newline included */
    uint32_t *heading_terms;                     /* content stems of heading h: heading_terms[heading_at[h] .. heading_at[h + 1]] */
    size_t n_heading_terms, heading_terms_cap;
    uint32_t *heading_at;
    size_t heading_at_cap;
    uint64_t source_words, source_bytes,
        source_mt; /* the document's text less hidden blocks, titles and anchors included (data-model.md section 4) */
};

/* No units; the storage of the struct is the caller's. */
void takc_units_init(struct takc_units *u);
/* Frees; twice is harmless. */
void takc_units_clear(struct takc_units *u);
/* Empties, keeps the memory. */
void takc_units_reset(struct takc_units *u);

/* Cuts and counts d. u is init'ed or reset; partly filled after a failure. title is the title that will be shown (d's own or the base
 * name). */
TAKC_CHECK enum takc_status takc_units_build(struct takc_units *u, const struct takc_doc *d, struct takc_str title,
                                             const struct takc_tokenizer *t, struct takc_call *call, struct takc_err *err);

/* Appends the stored form (docs/formats/units.md), little-endian, checksummed. */
TAKC_CHECK enum takc_status takc_units_save(const struct takc_units *u, struct takc_buf *out, struct takc_err *err);
/* Reads it back into u, which is init'ed; every number in it is checked against the lengths: CORRUPT. */
TAKC_CHECK enum takc_status takc_units_load(struct takc_units *u, struct takc_str bytes, struct takc_err *err);

/* Appends unit i as an artifact shows it: spans joined by a blank, white space folded, cleaned at this level (0: not at all, " | " stays;
 * 1, 2: unit/clean.h, " | " becomes "; "). No newline. text is the document's text. */
TAKC_CHECK enum takc_status takc_unit_show(const struct takc_units *u, uint32_t i, struct takc_str text, int level, struct takc_buf *out,
                                           struct takc_err *err);
/* Appends anchor a as shown: "[heading / header]"; nothing when both are empty. */
TAKC_CHECK enum takc_status takc_anchor_show(const struct takc_units *u, uint32_t a, struct takc_str text, struct takc_buf *out,
                                             struct takc_err *err);
/* Appends the heading path of heading h (number + 1, 0: nothing), outermost first, joined by " > ". */
TAKC_CHECK enum takc_status takc_heading_path(const struct takc_units *u, uint32_t h, struct takc_str text, struct takc_buf *out,
                                              struct takc_err *err);

#endif
