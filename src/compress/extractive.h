/* SPDX-License-Identifier: Apache-2.0
 *
 * compress/extractive.h - the embedded compressor: from units of all documents to an order, and from the order to nested sets.
 *
 * Steps, each a pure function of its inputs (data-model.md section 3, extractive.md section 3):
 *   1. statistics: document frequencies of stems, templates, duplicates; merged over documents, associative
 *   2. scores: H of every unit, in fixed point
 *   3. a sequence per document: exact greedy without a budget, keys made non-increasing
 *   4. the order: merge of the sequences by (key descending, document, position)
 *   5. the ladder 128, 64, 32, 16, 8 over the order; any other rate starts from the next coarser of these
 * Same inputs give the same bytes for any number of threads and any machine. At most 64 bytes a unit stay resident.
 * Questions never come near it. */
#ifndef TAKC_COMPRESS_EXTRACTIVE_H
#define TAKC_COMPRESS_EXTRACTIVE_H

#include "task/profile.h"
#include "unit/corpus.h"

#define TAKC_EXTRACTIVE_VERSION "2" /* raised whenever the same units would give another order or set */

enum takc_budget_kind {
    TAKC_BUDGET_UNSET = 0,
    TAKC_BUDGET_TOKENS,     /* the product's: tokens of the named tokenizer */
    TAKC_BUDGET_WORDS_BYTES /* bench only: both real factors at least nominal */
};

struct takc_extractive_options {
    struct takc_str description; /* of the task */
    unsigned must_keep;          /* bits 1 << enum takc_fact_kind */
    enum takc_budget_kind budget;
    const struct takc_tokenizer *tokenizer;
    uint64_t corpus_words, corpus_bytes; /* of WORDS_BYTES; 0: sums of the documents' source_* */
    unsigned n_threads;                  /* 0: 1 */
    int clean_level;                     /* 1; 0 and 2 for measuring. The same level that units were counted at */
};
/* No description, nothing that must be kept, tokens of the default tokenizer, one thread, clean level 1. */
struct takc_extractive_options takc_extractive_options_default(void);

/* Ladder rungs, coarse to fine: a unit's rung is the first set that it is in. */
enum takc_rung { TAKC_RUNG_NONE = 0, TAKC_RUNG_128, TAKC_RUNG_64, TAKC_RUNG_32, TAKC_RUNG_16, TAKC_RUNG_8, TAKC_RUNGS };

/* The result of steps 1-5 for one version. Units of all documents are numbered through: first_unit[doc] + local number. */
struct takc_selection {
    size_t n_docs, n_units;
    uint32_t *first_unit; /* n_docs + 1 */
    uint32_t *order;      /* n_order unit numbers, best first; no bare headings, no duplicates */
    int64_t *keys;        /* takc_fx of each entry of order, non-increasing */
    size_t n_order;
    uint8_t *rung;       /* per unit: enum takc_rung */
    uint16_t *salience;  /* per unit: rank of H in the corpus, 0..65535 */
    uint32_t *twin;      /* per unit: number + 1 of the unit it duplicates (the first of its kind); 0: none */
    uint8_t *show_title; /* per document */
    uint64_t source_words, source_bytes, source_mt;
    struct takc_costs
        *costs; /* what each line costs; private. NULL (as when read from an index): gathered from the corpus when asked for */
};
/* Makes room in a selection that is to be filled by hand: its arrays for the n_docs and n_units that it says, and n_order entries of the
 * order. NOMEM; clear it afterwards, whatever the status. */
TAKC_CHECK enum takc_status takc_selection_alloc(struct takc_selection *s, size_t n_order, struct takc_err *err);
/* Frees; zeroed storage is fine, twice is harmless. */
void takc_selection_clear(struct takc_selection *s);

/* Gives back keys, which nobody reads once the selection is stored, and with costs, too, what sets at a rate are made from (it is gathered
 * again when one is asked for). */
void takc_selection_trim(struct takc_selection *s, bool costs);

/* Steps 1-5. out is overwritten; clear it afterwards whatever the status. INVALID when the corpus has no unit. */
TAKC_CHECK enum takc_status takc_extractive_select(const struct takc_corpus *c, const struct takc_extractive_options *o,
                                                   struct takc_call *call, struct takc_selection *out, struct takc_err *err);

struct takc_set_size {                    /* what a set measures */
    uint64_t words, bytes, mt, budget_mt; /* of the exact bytes a reader sees */
    uint64_t n_units;
    bool shortfall; /* under 98 % of the budget and nothing more fits */
};
/* Makes the set at any rate: a bitmap of n_units, returned owned (takc_free), and what it measures. Rates of the ladder come from rung;
 * others start from the next coarser rung. Statuses of the corpus, NOMEM. */
TAKC_CHECK enum takc_status takc_selection_set(const struct takc_selection *s, const struct takc_corpus *c,
                                               const struct takc_extractive_options *o, takc_rate rate, uint8_t **out_bits,
                                               struct takc_set_size *out_size, struct takc_err *err);

/* What a given set (bitmap of n_units) measures; budget_mt and shortfall stay 0. For sets that no rate made, such as redacted ones. */
TAKC_CHECK enum takc_status takc_selection_measure(const struct takc_selection *s, const struct takc_corpus *c,
                                                   const struct takc_extractive_options *o, const uint8_t *bits, struct takc_set_size *out,
                                                   struct takc_err *err);

#endif
