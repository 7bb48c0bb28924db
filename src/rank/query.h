/* SPDX-License-Identifier: Apache-2.0
 *
 * rank/query.h - the steps of a question, shared by the files of this folder: its terms (question.c), their counts (gather.c), scores
 * (score.c), candidates best first (candidates.c), choosing lines and showing them (choose.c, show.c), confidence (confidence.c). All
 * memory is the query's arena. */
#ifndef TAKC_RANK_QUERY_H
#define TAKC_RANK_QUERY_H

#include "rank/format.h"
#include "rank/select.h"

enum { TAKC_QUESTION_TERMS_MAX = 64 }; /* one bit each; of longer questions the rarest are kept */

struct takc_question_term {
    struct takc_str asked; /* as it stands in the question */
    struct takc_str stem;
    struct takc_term_entry entry;
    double idf;
    bool pair;         /* of Han or Kana */
    bool number, name; /* name: begins with a capital, and not the question's first word */
};

struct takc_question {
    struct takc_str text;
    struct takc_question_term *terms; /* distinct content stems, in order */
    size_t n_terms;
    double idf_sum;
};

/* Reads the content terms of a question and looks them up (x NULL: df stays 0). */
TAKC_CHECK enum takc_status takc_question_read(const struct takc_index *x, struct takc_str text, struct takc_arena *arena,
                                               struct takc_question *out, struct takc_err *err);
/* Share of the question's idf whose bits are set; 1 for a question without terms. */
double takc_question_share(const struct takc_question *q, uint64_t mask);
/* The terms whose bits are not set, rarest first, as asked. */
TAKC_CHECK enum takc_status takc_question_missing(const struct takc_question *q, uint64_t mask, struct takc_arena *arena,
                                                  const struct takc_str **out, size_t *out_n, struct takc_err *err);

/* An array that grows in an arena. */
TAKC_CHECK enum takc_status takc_arena_grow(struct takc_arena *a, void *items_ptr, size_t *cap, size_t want, size_t size,
                                            struct takc_err *err);

/* Scores of units and windows for one question, in pages made when first touched: memory follows what the question meets. */
enum { TAKC_SCORE_PAGE = 512, TAKC_SCORE_BLOCK = 32 };

struct takc_score_page {
    float score[TAKC_SCORE_PAGE];
};

/* The counts of the term at hand; see gather.c. */
struct takc_run {
    uint32_t from, to, tf; /* units that share a title or a heading, and the count in it */
};
struct takc_runs {
    struct takc_run *items; /* ascending, none overlaps another */
    size_t n, cap;
};
struct takc_own {
    uint32_t unit, before; /* before: sum of the counts of the units before it */
};
struct takc_hit {
    uint32_t i; /* unit or window */
    uint16_t tf, length;
};
struct takc_gather {
    struct takc_runs titles, sections, runs;
    struct takc_own *own;
    struct takc_hit *hits;
    size_t n_own, own_cap, n_hits, hits_cap;
};

struct takc_scores {
    const struct takc_index *x;
    const struct takc_question *q;
    struct takc_arena *arena;
    const unsigned char *windows[TAKC_LEVELS]; /* records of each level; level 0: units */
    uint32_t n[TAKC_LEVELS];
    double average[TAKC_LEVELS];    /* length of a bag */
    double population[TAKC_LEVELS]; /* units or windows that the filter lets through (windows: in proportion) */
    struct takc_score_page **pages[TAKC_LEVELS];
    uint64_t **masks;           /* per page of units: which terms each holds in title, heading or itself */
    uint32_t n_blocks;          /* of units; the last may be short */
    float *bounds[TAKC_LEVELS]; /* per block: the best score of a level among its units, or among the windows that hold one of them */
    float best[TAKC_LEVELS];    /* maximum of each level */
    const unsigned char *bags;
    struct takc_gather gather;
    const struct takc_range *allowed; /* units that the filter lets through, ascending; NULL: all */
    size_t n_allowed;
};

/* Scores everything that shares a term with q. */
TAKC_CHECK enum takc_status takc_scores_make(struct takc_scores *s, const struct takc_index *x, const struct takc_question *q,
                                             const struct takc_filter *f, struct takc_call *call, struct takc_arena *arena,
                                             struct takc_err *err);

/* First unit and number of units of window w (< n) of a level above 0. */
static inline struct takc_range takc_scores_window(const struct takc_scores *s, int level, uint32_t w)
{
    const unsigned char *p = s->windows[level] + (size_t)w * TAKC_REC_WINDOW;
    uint32_t first = takc_rd32(p);
    return (struct takc_range){first, first + takc_rd16(p + 4)};
}

/* Reads the postings of a term into s->gather: what the two below count. CORRUPT, NOMEM. */
TAKC_CHECK enum takc_status takc_gather_read(struct takc_scores *s, const struct takc_term_entry *t, struct takc_err *err);
/* s->gather.hits become its counts in units (title + heading + unit), ascending. */
TAKC_CHECK enum takc_status takc_gather_units(struct takc_scores *s, struct takc_err *err);
/* s->gather.hits become its counts in the windows of a level above 0, ascending; title and heading once a window. */
TAKC_CHECK enum takc_status takc_gather_windows(struct takc_scores *s, int level, struct takc_err *err);

static inline float takc_scores_at(const struct takc_scores *s, int level, uint32_t i)
{
    const struct takc_score_page *p = s->pages[level][i / TAKC_SCORE_PAGE];
    return p ? p->score[i % TAKC_SCORE_PAGE] : 0;
}

static inline uint64_t takc_scores_mask(const struct takc_scores *s, uint32_t unit)
{
    const uint64_t *m = s->masks[unit / TAKC_SCORE_PAGE];
    return m ? m[unit % TAKC_SCORE_PAGE] : 0;
}

/* Candidates by s(u), best first, ties by unit number: blocks are looked into only when their bound reaches the best unit seen. */
struct takc_candidate {
    float score;
    uint32_t id; /* unit, or block */
};
struct takc_heap {
    struct takc_candidate *items;
    size_t n, cap;
};
struct takc_candidates {
    const struct takc_scores *scores;
    const struct takc_select_options *options;
    struct takc_heap blocks, units;
};
/* Gathers what scored, best first. Borrows s and o. NOMEM. */
TAKC_CHECK enum takc_status takc_candidates_init(struct takc_candidates *c, const struct takc_scores *s,
                                                 const struct takc_select_options *o, struct takc_err *err);
/* The next one; *out_found false at the end. */
TAKC_CHECK enum takc_status takc_candidates_next(struct takc_candidates *c, struct takc_candidate *out, bool *out_found,
                                                 struct takc_err *err);

/* A set of numbers with a value each; open addressing in an arena. */
struct takc_keys {
    struct takc_arena *arena;
    uint64_t *keys; /* key + 1; 0: empty */
    uint32_t *values;
    size_t n, cap;
};
/* The place of key's value, made with *out_new true when it was not there. */
TAKC_CHECK enum takc_status takc_keys_at(struct takc_keys *k, uint64_t key, uint32_t **out_value, bool *out_new, struct takc_err *err);
/* Is key there? */
bool takc_keys_have(const struct takc_keys *k, uint64_t key);

/* What a reader sees of one unit, with what must stand before it. */
struct takc_shown {
    uint32_t unit;
    struct takc_index_unit u;
    struct takc_str line, before; /* before: the anchor or heading line; empty: none */
    uint64_t before_key;          /* same key: shown once */
    uint64_t own_key;             /* key of the heading that the unit itself is; 0: none */
};

/* Documents of a query: text, title, and the title's content stems. */
struct takc_shown_doc {
    uint32_t doc;
    struct takc_str text, title;
    struct takc_str *title_stems;
    size_t n_title_stems;
    bool title_shown, counted; /* counted: a line of it was chosen */
};

struct takc_show {
    const struct takc_index *x;
    takc_text_fn *text;
    void *text_arg;
    struct takc_arena *arena;
    struct takc_shown_doc *docs;
    size_t n_docs, docs_cap;
    struct takc_keys by_doc;
};
/* No documents loaded yet. All is borrowed and outlives s. */
void takc_show_init(struct takc_show *s, const struct takc_index *x, takc_text_fn *text, void *text_arg, struct takc_arena *arena);
/* The document, loaded once. The pointer holds until the next call. */
TAKC_CHECK enum takc_status takc_show_doc(struct takc_show *s, uint32_t doc, struct takc_shown_doc **out, struct takc_err *err);
/* Reads a unit and makes its lines. */
TAKC_CHECK enum takc_status takc_show_unit(struct takc_show *s, uint32_t unit, struct takc_shown *out, struct takc_err *err);
/* Does the unit hold under half of the words of its document's title? */
bool takc_show_needs_title(const struct takc_shown_doc *d, struct takc_str line);
/* Appends the context of units that stand in ascending order. */
TAKC_CHECK enum takc_status takc_show_context(struct takc_show *s, const struct takc_shown *const *units, size_t n, struct takc_buf *out,
                                              struct takc_err *err);

/* The best candidates, whether they fitted or not. */
enum { TAKC_BEST_MAX = 6 };
struct takc_best {
    uint64_t masks[TAKC_BEST_MAX];
    uint32_t docs[TAKC_BEST_MAX];
    size_t n;
};
/* How sure we are that there is an answer; best_window: the best BM25 of a window of 256 words. See confidence.c. */
double takc_confidence(const struct takc_question *q, double best_window, const struct takc_best *b);

#endif
