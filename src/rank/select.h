/* SPDX-License-Identifier: Apache-2.0
 *
 * rank/select.h - choosing lines for a question (extractive.md sections 1 and 5), how sure we are, and what kind of prompt it is.
 *
 * s(u) = .5 z1 + .5 z64 + .5 z128 + .7 z256 + .15 [u in the 8x set]; z: BM25 (k1 1.2, b .5) over title + heading + unit and over windows of
 * about 64, 128, 256 normalised words of whole units of one document, stride half, the better of the first and last window that holds u,
 * each divided by its maximum for the question; idf of units among units, of windows among the windows of their width (idf from units costs
 * .01 to .02). Measured on data/eval, first 80 questions a corpus: .72 .80 .87 .92 .95 at 250 500 1k 2k 4k.
 * Taken by s until the budget is full (a misfit is skipped, 20 in a row end it), shown in document order: the title where under half of its
 * words are in the unit, a heading once before its rows.
 * Threads: any, each with its own arena. */
#ifndef TAKC_RANK_SELECT_H
#define TAKC_RANK_SELECT_H

#include "rank/index.h"
#include "takc/call.h"

struct takc_filter {
    const struct takc_str *globs; /* document names; n_globs 0: all */
    size_t n_globs;
    bool has_after, has_before;
    int32_t after, before; /* days, inclusive; a document without a date passes no date filter */
};

/* Does the document pass? */
bool takc_filter_passes(const struct takc_filter *f, const struct takc_index_doc *d);

/* Gives the text of a document; lives until the arena is cleared. */
typedef enum takc_status takc_text_fn(void *arg, uint32_t doc, struct takc_str *out, struct takc_err *err);

struct takc_select_options {
    uint64_t budget_tokens;                 /* of what the reader sees */
    const struct takc_tokenizer *tokenizer; /* that counts it */
    struct takc_filter filter;
    bool (*admit)(void *arg, uint32_t unit); /* NULL: all; e.g. units of a version that may be shown */
    void *admit_arg;
    takc_text_fn *text;
    void *text_arg;
};

struct takc_line {
    uint32_t unit, doc;
    double score;         /* s(u) */
    double coverage;      /* idf share of the question's terms in unit, title and heading */
    struct takc_str text; /* as shown; lives in the arena */
};

struct takc_choice {
    struct takc_line *lines; /* chosen, best first */
    size_t n_lines;
    struct takc_str context;        /* what the reader sees, in document order */
    uint64_t tokens;                /* of context */
    double confidence;              /* 0..1, see rank/confidence.c; does not depend on the budget */
    double coverage;                /* of the question by title, heading and unit of the best lines together */
    const struct takc_str *missing; /* terms of the question (as asked) that no unit of the task holds, or no chosen line, rarest first */
    size_t n_missing;
};

/* Chooses lines. OK with n_lines 0 when no unit shares a word with the question. All memory is the arena's. */
TAKC_CHECK enum takc_status takc_select(const struct takc_index *x, struct takc_str question, const struct takc_select_options *o,
                                        struct takc_call *call, struct takc_arena *arena, struct takc_choice *out, struct takc_err *err);

/* Context text of a set of units (bitmap by unit number) in document order, with titles and anchors, within no budget: for tests and
 * verify. */
TAKC_CHECK enum takc_status takc_context_of(const struct takc_index *x, const uint32_t *units, size_t n, takc_text_fn *text, void *text_arg,
                                            struct takc_arena *arena, struct takc_str *out, struct takc_err *err);

struct takc_cover {
    double share;                   /* of the question's content terms, weighted by idf */
    const struct takc_str *missing; /* terms that are absent, rarest first */
    size_t n_missing, n_held;       /* n_held: those of them that a longer text could hold, since documents do */
};
/* How much of the question a text covers. Of a task-wide prompt the words that ask, and those for the material, are no terms. Memory is the
 * arena's. CORRUPT, NOMEM. */
TAKC_CHECK enum takc_status takc_cover(const struct takc_index *x, struct takc_str question, struct takc_str text, struct takc_arena *arena,
                                       struct takc_cover *out, struct takc_err *err);

/* What kind of prompt is it? Words only, never substrings. */
enum takc_prompt_kind { TAKC_PROMPT_UNSET = 0, TAKC_PROMPT_SPECIFIC, TAKC_PROMPT_TASK_WIDE };
enum takc_complexity { TAKC_COMPLEXITY_UNSET = 0, TAKC_SIMPLE, TAKC_MODERATE, TAKC_COMPLEX };
/* Is a word (its plain form) one that asks for work on the material ("summarize", "list", "whole")? */
bool takc_word_asks(struct takc_str norm);
/* Is it one for the material as such ("documents", "key points")? */
bool takc_word_names_material(struct takc_str norm);
/* x may be NULL: then only the words decide. */
enum takc_prompt_kind takc_prompt_kind_of(const struct takc_index *x, struct takc_str question);
/* The guide's table: what, when, who ... -> simple; analyze, compare, explain, why ... -> complex; else moderate; on whole words. */
enum takc_complexity takc_complexity_of(struct takc_str question);
/* The guide's two tables together: complexity and source size -> a rate as prior (64, 32, 16 or 8). */
takc_rate takc_rate_prior(enum takc_complexity c, uint64_t source_tokens, bool cost_sensitive);

/* Below this confidence the answer is "not in this knowledge base". On data/eval (mean of 17 corpora; unanswerable: the question asked of
 * the corpus without its documents) it refuses 10 % of the answerable questions and lets 36 % of the unanswerable ones through; at .25 that
 * is 7 and 45 %, at .5 20 and 22 %. See rank/confidence.c. */
#define TAKC_ABSTAIN_BELOW 0.35

#endif
