/* SPDX-License-Identifier: Apache-2.0
 *
 * compress/steps.h - the steps of the extractive compressor, and what they hand on; private to src/compress.
 *
 *   stats.c     pass 1: words of all documents and in how many units and documents they stand; templates; duplicates
 *   task.c      what a task description asks for, and its words
 *   score.c     passes 2 to 4: H of every unit
 *   costs.c     what each line costs
 *   sequence.c  pass 5: the greedy of each document
 *   order.c     the merge
 *   ladder.c    sets within budgets
 *   walk.c      the lines of a set, in a reader's order
 *   written.c   what a line that was written stands on
 *
 * Numbers of words are chance when several threads meet them first, so nothing may depend on their order: sums of integers and orders by
 * the words' bytes do not. */
#ifndef TAKC_COMPRESS_STEPS_H
#define TAKC_COMPRESS_STEPS_H

#include "base/fixed.h"
#include "base/intern.h"
#include "compress/artifact.h"
#include "compress/each.h"

/* ---- task.c ---- */

enum takc_ask { /* what the description asks for: bits */
                TAKC_ASK_NUM = 1 << 0,
                TAKC_ASK_DATE = 1 << 1,
                TAKC_ASK_NAME = 1 << 2,
                TAKC_ASK_VERSION = 1 << 3,
                TAKC_ASK_DEFAULT = 1 << 4,
                TAKC_ASK_WHY = 1 << 5,
                TAKC_ASK_DEFINITION = 1 << 6,
                TAKC_ASK_DECISION = 1 << 7,
                TAKC_ASK_OBLIGATION = 1 << 8,
                TAKC_ASK_RIGHTS = 1 << 9 /* whose it is: copyright, licence */
};

struct takc_asked {
    unsigned asks;            /* enum takc_ask */
    struct takc_intern words; /* stems of the description, no stop words, no articles */
};
/* Reads a description. clear afterwards, whatever the status. */
TAKC_CHECK enum takc_status takc_asked_read(struct takc_asked *a, struct takc_str description, struct takc_err *err);
/* Frees; twice is harmless. */
void takc_asked_clear(struct takc_asked *a);

/* ---- stats.c ---- */

enum takc_word_flags { TAKC_WORD_TASK = 1 << 0 };

struct takc_vocabulary { /* words of the corpus and their counts; of one thread until merged */
    struct takc_intern words;
    uint32_t *n_units; /* units that hold it */
    uint32_t *n_docs;  /* documents that hold it */
    size_t n_units_cap, n_docs_cap;
};

struct takc_stats {
    struct takc_vocabulary words;
    int32_t *idf;        /* per word, takc_fx >= 1 */
    uint8_t *word_flags; /* enum takc_word_flags */
    uint32_t *templates; /* per unit: documents with the same line, digits masked */
};
/* Pass 1. Fills s->n_docs, n_units, first_unit, twin and the sums of the source. */
TAKC_CHECK enum takc_status takc_stats_make(struct takc_stats *t, const struct takc_corpus *c, const struct takc_asked *asked,
                                            unsigned n_threads, struct takc_call *call, struct takc_selection *s, struct takc_err *err);
/* Frees; zeroed storage is fine, twice is harmless. */
void takc_stats_clear(struct takc_stats *t);
/* May this unit be chosen at all? */
static inline bool takc_unit_eligible(const struct takc_unit *u)
{
    return u->n_terms > 0 && !(u->flags & TAKC_UNIT_BARE);
}

/* ---- score.c ---- */

/* Passes 2 to 4: *out_h gets H of every unit as takc_fx (takc_free), s->salience its rank. */
TAKC_CHECK enum takc_status takc_score_make(const struct takc_stats *t, const struct takc_corpus *c, const struct takc_asked *asked,
                                            unsigned n_threads, struct takc_call *call, struct takc_selection *s, int32_t **out_h,
                                            struct takc_err *err);

/* ---- costs.c ---- */

struct takc_line_cost {
    uint32_t words, bytes, mt;
};

/* What the lines of a corpus cost as shown: everything the ladder asks for, without the documents. */
struct takc_costs {
    size_t n_units, n_docs, n_anchors;
    uint32_t *unit_doc;
    struct takc_line_cost *units; /* takes 12 bytes a unit */
    uint32_t *unit_anchor;        /* number over all documents + 1; 0: none */
    uint8_t *unit_kinds;          /* bits 1 << enum takc_fact_kind of the facts that it holds */
    struct takc_line_cost *titles, *anchors;
};
/* NULL is welcome. */
void takc_costs_free(struct takc_costs *k);
/* Reads the costs of a corpus whose documents and units are numbered as in s. */
TAKC_CHECK enum takc_status takc_costs_make(const struct takc_corpus *c, const struct takc_selection *s, const struct takc_asked *asked,
                                            unsigned n_threads, struct takc_call *call, struct takc_costs **out, struct takc_err *err);

/* ---- sequence.c ---- */

struct takc_sequence { /* of one document */
    uint32_t *units;   /* local numbers, best first */
    takc_fx *keys;     /* non-increasing */
    size_t n;
};
/* What the greedy of one document needs beside its units. */
struct takc_greedy_in {
    const struct takc_units *units;
    const int32_t *idf;   /* per local word */
    const int32_t *h;     /* per local unit */
    const uint32_t *twin; /* per local unit: != 0 is left out */
    uint64_t corpus_words, corpus_bytes;
};
/* The exact greedy without a budget. out's arrays are returned owned (takc_free), also when empty. */
TAKC_CHECK enum takc_status takc_greedy(const struct takc_greedy_in *in, struct takc_sequence *out, bool *out_show_title,
                                        struct takc_err *err);
/* Pass 5: sequences of all documents, per document; free them with takc_sequences_free. Fills s->show_title. */
TAKC_CHECK enum takc_status takc_sequences_make(const struct takc_stats *t, const struct takc_corpus *c, const int32_t *h,
                                                const struct takc_extractive_options *o, struct takc_call *call, struct takc_selection *s,
                                                struct takc_sequence **out, struct takc_err *err);
/* Frees the array of n sequences and what is in them; NULL is welcome. */
void takc_sequences_free(struct takc_sequence *q, size_t n);

/* Idf of the words of one document, by local number. out has room for the document's vocabulary. */
void takc_stats_local(const struct takc_stats *t, const struct takc_units *u, int32_t *out_idf);

/* ---- order.c ---- */

/* Merges the sequences into s->order and s->keys. */
TAKC_CHECK enum takc_status takc_order_make(const struct takc_sequence *q, struct takc_selection *s, struct takc_err *err);

/* ---- ladder.c ---- */

/* Fills s->rung. */
TAKC_CHECK enum takc_status takc_ladder_make(struct takc_selection *s, const struct takc_corpus *c, const struct takc_extractive_options *o,
                                             struct takc_call *call, struct takc_err *err);

/* Appends the text of a set for a tokenizer that counts whole. */
typedef enum takc_status takc_bits_text_fn(void *arg, const uint8_t *bits, struct takc_buf *out, struct takc_err *err);
/* A set from nothing within the budget of a rate, along s->order with the costs in s->costs; for units that the corpus need not have. What
 * takc_selection_set gives. */
TAKC_CHECK enum takc_status takc_ladder_fit(const struct takc_selection *s, const struct takc_extractive_options *o, takc_rate rate,
                                            takc_bits_text_fn *text, void *text_arg, uint8_t **out_bits, struct takc_set_size *out_size,
                                            struct takc_err *err);

/* ---- walk.c ---- */

struct takc_shown { /* one line of a set; borrowed for the time of the call */
    size_t doc;
    uint32_t unit; /* that it belongs to: number over all documents */
    unsigned role; /* enum takc_part_role; 0: the empty line between documents */
    struct takc_str line;
    const struct takc_corpus_view *view;
    const struct takc_unit *of;
    const struct takc_written *written; /* NULL: the unit's own line */
};
typedef enum takc_status takc_shown_fn(void *arg, const struct takc_shown *shown, struct takc_err *err);
/* Tells fn the lines in the order that a reader sees, each without its newline; stops at its first failure. */
TAKC_CHECK enum takc_status takc_lines_walk(const struct takc_corpus *c, const struct takc_selection *s, const struct takc_lines *lines,
                                            int clean_level, struct takc_call *call, takc_shown_fn *fn, void *arg, struct takc_err *err);
/* Appends their text. */
TAKC_CHECK enum takc_status takc_lines_text(const struct takc_corpus *c, const struct takc_selection *s, const struct takc_lines *lines,
                                            int clean_level, struct takc_call *call, struct takc_buf *out, struct takc_err *err);
/* Appends the text of a set of units (bitmap). */
TAKC_CHECK enum takc_status takc_set_text(const struct takc_corpus *c, const struct takc_selection *s, const uint8_t *bits, int clean_level,
                                          struct takc_call *call, struct takc_buf *out, struct takc_err *err);

/* ---- written.c ---- */

/* Appends what a written line stands on: the spans of its units, then those of the anchors of these, each once. first is the number of the
 * document's first unit. INVALID when a unit is not one of it. */
TAKC_CHECK enum takc_status takc_written_spans(const struct takc_units *u, uint32_t first, const uint32_t *units, size_t n_units,
                                               struct takc_span **spans, size_t *n, size_t *cap, struct takc_err *err);

#endif
