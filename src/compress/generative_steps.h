/* SPDX-License-Identifier: Apache-2.0
 *
 * compress/generative_steps.h - the steps of compression by a model, and what they hand on; private to src/compress.
 *
 *   generative_plan.c     windows over the units, their shares, and the windows of coarser rates over these
 *   generative_prompt.c   what the model is shown
 *   generative_lines.c    what it answered, as lines with numbers
 *   generative_kept.c     replies that are kept
 *   generative_source.c   the units of a window in hand: their lines, their spans, whose words are quarantined
 *   generative_ask.c      one window's reply: kept, or asked for, in halves where it was cut
 *   generative_guard.c    which lines may stay; repair and replacement
 *   generative_fit.c      lines and extracts within the exact budget, as an artifact
 *   generative.c          the whole, finest rate first
 *
 * A window is a run of units [from, to) over all documents, at every rate, so windows of one rate follow one another. Each belongs to one
 * thread while it is worked on; windows of the finer rate are only read then. */
#ifndef TAKC_COMPRESS_GENERATIVE_STEPS_H
#define TAKC_COMPRESS_GENERATIVE_STEPS_H

#include "compress/generative.h"
#include "compress/steps.h"

/* ---- lines of a reply ---- */

enum { TAKC_REPLY_LINES_MAX = 2000, TAKC_REPLY_LINE_BYTES = 2000, TAKC_REPLY_IDS_MAX = 24 };

struct takc_reply_line {
    struct takc_str text; /* without marks, white space folded, valid UTF-8 */
    const uint32_t *ids;  /* from 1, ascending, each once */
    size_t n_ids;         /* 0: it names none, or one that is not there */
    bool wrong_ids;       /* it names a number that is not there, or too many */
};
struct takc_reply_lines {
    struct takc_reply_line *v; /* in the arena */
    size_t n;
};
/* Reads the lines of a reply to a prompt with n_ids numbered lines. Fences, preambles, headings and lines that came before are left out;
 * cut: so is a last line without its newline. Everything is put into the arena. NOMEM only. */
TAKC_CHECK enum takc_status takc_reply_read(struct takc_arena *a, struct takc_str text, uint32_t n_ids, bool cut,
                                            struct takc_reply_lines *out, struct takc_err *err);

/* Order of numbers (uint32_t), for qsort. */
int takc_gen_by_number(const void *a, const void *b);

/* ---- windows ---- */

struct takc_gen_line {
    struct takc_str text;  /* in the window's arena */
    const uint32_t *units; /* ascending, of one document; at least one */
    uint32_t n_units;
    uint32_t mt;  /* as a line */
    bool extract; /* text is that of units[0] */
};

struct takc_gen_window {
    uint32_t from, to;        /* units */
    uint64_t base_mt;         /* of the units that can be written about */
    uint64_t source_mt;       /* of what the model is shown of them: the units, or lines of the finer rate */
    uint64_t share_mt;        /* of the budget at its rate */
    size_t child, n_children; /* windows of the finer rate; 0 at the finest */
    bool fresh;               /* nothing may be merged into it from before */
    bool skip;                /* its share is too small: left to extracts */
    bool known;               /* lines are there; without calls some are not */
    bool later;               /* a call was only noted: what came of others in the window is no whole reply */
    struct takc_arena arena;
    struct takc_gen_line *lines;
    size_t n_lines;
    struct takc_generative_counts counts;
    uint64_t reply_tokens; /* expected of the calls to come */
    uint64_t n_blocked;    /* replies that a guardrail spoke */
};
struct takc_gen_level { /* the windows of one rate */
    takc_rate rate;
    struct takc_gen_window *v;
    size_t n, cap;
};
void takc_gen_level_clear(struct takc_gen_level *l);

struct takc_gen_run {
    const struct takc_corpus *c;
    const struct takc_selection *s;
    const struct takc_generative_options *o;
    struct takc_call *call;
    bool dry;                       /* counts what would be asked and asks nothing */
    const struct takc_costs *costs; /* the selection's, or own_costs */
    struct takc_costs *own_costs;
    uint16_t *unit_flags;   /* per unit */
    uint32_t *unit_mt;      /* per unit: of its line; 0: cannot be written about (bare headings, duplicates) */
    uint64_t *spent_mt;     /* n_units + 1: what the extract at the rate at hand spends before each unit, scaled to its budget */
    struct takc_buf system; /* of the prompts */
    uint64_t system_tokens;
    atomic_size_t n_done; /* windows of the rate at hand */
    size_t n_all;
    atomic_flag telling; /* progress is told by one thread at a time */
};

static inline bool takc_gen_eligible(const struct takc_gen_run *r, uint32_t unit)
{
    return r->unit_mt[unit] > 0;
}
static inline uint32_t takc_gen_tokens(uint64_t mt)
{
    uint64_t t = (mt + 999) / 1000;
    return t < UINT32_MAX ? (uint32_t)t : UINT32_MAX;
}
/* The document of a unit. */
size_t takc_gen_doc_of(const struct takc_selection *s, uint32_t unit);

/* Reads what the steps need of every unit. */
TAKC_CHECK enum takc_status takc_gen_survey(struct takc_gen_run *r, struct takc_err *err);
void takc_gen_run_clear(struct takc_gen_run *r);
/* The lines of a window that a coarser rate is made from, marked in out (n_lines flags): all, or of a reply that is much too long those
 * that stand on most for their length. Depends on nothing but the window. Their milli-tokens. */
uint64_t takc_gen_worth(const struct takc_gen_window *w, takc_rate rate, bool *out);
/* Windows over the units at the finest rate. */
TAKC_CHECK enum takc_status takc_gen_windows(struct takc_gen_run *r, struct takc_gen_level *out, struct takc_err *err);
/* Windows over the windows of a finer rate. */
TAKC_CHECK enum takc_status takc_gen_condense(struct takc_gen_run *r, const struct takc_gen_level *finer, struct takc_gen_level *out,
                                              struct takc_err *err);

/* ---- a window in hand ---- */

struct takc_gen_item { /* one numbered line of the prompt */
    struct takc_str text;
    const uint32_t *units; /* that it stands on */
    uint32_t n_units;
    uint32_t doc; /* place in views */
    uint32_t mt;
    bool quoted;      /* an instruction to a reader: data only */
    const char *mark; /* before it: NULL, or a heading or anchor line that is shown without a number */
};
struct takc_gen_source {
    const struct takc_gen_run *r;
    size_t doc; /* first document */
    struct takc_corpus_view *views;
    size_t n_views;
    struct takc_gen_item *items;
    size_t n_items;
    struct takc_str context;   /* what came before, a line each */
    struct takc_intern echoes; /* words that only instructing units have */
    struct takc_arena arena;
};
/* Loads the documents of a window and lists what can be written about: units at the finest rate (finer NULL), lines of its children else.
 * Clear it whatever the status. */
TAKC_CHECK enum takc_status takc_gen_source_open(struct takc_gen_source *x, const struct takc_gen_run *r, const struct takc_gen_window *w,
                                                 const struct takc_gen_level *finer, struct takc_err *err);
void takc_gen_source_clear(struct takc_gen_source *x);
/* Does the line say a word that only instructing units have? */
TAKC_CHECK enum takc_status takc_gen_echoes(const struct takc_gen_source *x, struct takc_str line, bool *out, struct takc_err *err);
/* Lets the guard judge a line that stands on these units. */
TAKC_CHECK enum takc_status takc_gen_judge(const struct takc_gen_source *x, struct takc_str line, const uint32_t *units, size_t n_units,
                                           bool *out_ok, char why[256], struct takc_err *err);

/* ---- prompts ---- */

/* The part that is the same for all windows. */
TAKC_CHECK enum takc_status takc_gen_system(const struct takc_generative_options *o, struct takc_buf *out, struct takc_err *err);
/* Shows the items lo..hi of x. tokens 0 gives the form that keys are made of. failed, if not NULL: lines that have to be written again. */
struct takc_gen_failed {
    struct takc_str text;
    const uint32_t *ids;
    size_t n_ids;
    const char *why;
};
TAKC_CHECK enum takc_status takc_gen_prompt(const struct takc_gen_source *x, size_t lo, size_t hi, uint32_t tokens,
                                            const struct takc_gen_failed *failed, size_t n_failed, struct takc_buf *out,
                                            struct takc_err *err);

/* ---- kept replies ---- */

/* The key under which who (struct takc_generate_reply) answers. */
TAKC_CHECK enum takc_status takc_gen_key(const struct takc_gen_source *x, size_t who, const char *purpose, size_t lo, size_t hi,
                                         struct takc_str prompt, struct takc_hex *out, struct takc_err *err);
/* The kept reply that is nearest to the share, appended to out; *out_found false: none that will do. */
TAKC_CHECK enum takc_status takc_gen_find(const struct takc_gen_run *r, const struct takc_hex *key, uint32_t share, struct takc_buf *out,
                                          bool *out_found, struct takc_err *err);
TAKC_CHECK enum takc_status takc_gen_keep(const struct takc_gen_run *r, const struct takc_hex *key, uint32_t share, struct takc_str reply,
                                          struct takc_err *err);

/* ---- asking ---- */

/* The whole reply to items lo..hi, numbered as in the window; depth 0 at the top. */
struct takc_gen_ask {
    struct takc_gen_source *x;
    struct takc_gen_window *w;
    const char *purpose;
    const struct takc_gen_failed *failed;
    size_t n_failed;
};
struct takc_gen_said {
    bool known; /* false: it was not asked for (dry) */
    size_t who; /* the last of the chain that has a part in it */
};
TAKC_CHECK enum takc_status takc_gen_reply(const struct takc_gen_ask *a, size_t lo, size_t hi, uint32_t share, unsigned depth,
                                           struct takc_buf *out, struct takc_gen_said *out_said, struct takc_err *err);

/* ---- lines that may stay ---- */

/* Reads the reply, has its lines judged, repaired, replaced; fills w->lines. Dry, w->known stays false when a repair would be asked for. */
TAKC_CHECK enum takc_status takc_gen_settle(struct takc_gen_source *x, struct takc_gen_window *w, struct takc_str reply,
                                            struct takc_err *err);

/* ---- fitting ---- */

/* Lines and extracts at the rate of the level, within its budget, as JSON appended to out. */
TAKC_CHECK enum takc_status takc_gen_fit(const struct takc_gen_run *r, const struct takc_gen_level *l,
                                         const struct takc_artifact_meta *meta, struct takc_buf *out, struct takc_set_size *out_size,
                                         struct takc_generative_counts *counts, struct takc_err *err);

#endif
