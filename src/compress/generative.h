/* SPDX-License-Identifier: Apache-2.0
 *
 * compress/generative.h - compression by a model that obeys its budget.
 *
 * Finest rate first. A document's units are cut into windows (1,024 tokens with 128 of what came before as context; a unit belongs to one
 * window). A window's share of the budget follows what the extractive order would spend there (its task value), so no window pays for
 * another document's length. One call a window: the units numbered, fenced as data; the model returns lines with the numbers that
 * each stands on. Coarser rates condense the lines of the finer one, windows of 512 tokens with 64, neighbours merged when shares get
 * small: 16x from 8x's lines, 32x from 16x's, so all rates tell the same story and cost 1/8, 1/16 ... of the first.
 *
 * A line is kept only if its numbers exist, the guard finds all that it says in their spans (verify's level X for generated lines), it has
 * a third of its words from them, none that only another document of the window has, and does not lose their negation.
 * What fails is asked for once more, all of a window's in one repair call; what fails again is replaced by the best unit's own text.
 * Then the budget: whole lines are dropped, least value per token first, until it holds; what is free is filled with extracts in the
 * extractive order of units that no kept line stands on. So the artifact is 98 to 100 % of its budget with a verbose, a terse, a
 * refusing or a broken model alike; what came from where is in the counts.
 *
 * A cut reply (stop reason) is never stored: its whole lines are kept, the units they do not stand on are asked for again in halves.
 * Units that instruct a reader (TAKC_UNIT_INSTRUCTS) go in as quoted data; a line that stands on one is dropped and nothing of it fills.
 *
 * Work items: what one call gave is kept under a key over everything that it depends on (model, parameters, prompt, units' text; not the
 * share: a kept reply within .7 to 1.5 of the share now wanted is used, since fitting does the rest). So a changed document redoes its own
 * windows, and a killed run repeats no call whose reply was kept. A fallback's reply is kept under the fallback's key: it serves who has
 * that fallback, where the model's own is not there, and nobody takes it for the model's.
 *
 * The compressor sees neither providers, stores nor verify: they come as callbacks. Same replies give the same bytes for any number of
 * threads. Threads: up to n_parallel calls at a time; callbacks are called from several threads. */
#ifndef TAKC_COMPRESS_GENERATIVE_H
#define TAKC_COMPRESS_GENERATIVE_H

#include "compress/artifact.h"
#include "task/profile.h"

#define TAKC_GENERATIVE_VERSION "2" /* raised whenever the same replies would give other bytes, or prompts change */

/* One call of the model. OK with cut true: the reply ended at its limit. blocked: a guardrail spoke instead; the window becomes extracts.
 * Any failure ends the compress: what was kept stays. */
struct takc_generate_ask {
    struct takc_str purpose; /* "compress", "condense", "repair" */
    struct takc_str system, prompt;
    uint32_t max_tokens;
};
struct takc_generate_reply {
    struct takc_buf text;
    bool cut, blocked;
    size_t who; /* 0: the model; i: the i-th of its fallbacks, from 1 */
    bool later; /* it was only noted: of a window with such a call nothing is kept, and level() has to end the pass */
};
typedef enum takc_status takc_generate_fn(void *arg, const struct takc_generate_ask *ask, struct takc_generate_reply *out,
                                          struct takc_err *err);
/* Does line say nothing that the n quotes lack? Quotes are the spans in the order in which the segment lists them; verify reads them with a
 * newline behind each. why is for the repair prompt. */
typedef enum takc_status takc_guard_fn(void *arg, struct takc_str line, const struct takc_str *quotes, size_t n, bool *out_ok,
                                       char why[256], struct takc_err *err);

/* Kept replies: key is 64 hex digits. find gives every kept reply under the key (shares differ); keep adds one durably. */
typedef enum takc_status takc_kept_fn(void *arg, uint32_t share_tokens, struct takc_str reply, struct takc_err *err);
struct takc_kept_replies {
    enum takc_status (*find)(void *arg, struct takc_str key, takc_kept_fn *each, void *each_arg, struct takc_err *err);
    enum takc_status (*keep)(void *arg, struct takc_str key, uint32_t share_tokens, struct takc_str reply, struct takc_err *err);
    void *arg;
};

/* Behind the windows of a rate (index from 0, the finest), before its artifact is made. Anything but OK ends the compress. */
typedef enum takc_status takc_generate_level_fn(void *arg, size_t level, struct takc_err *err);

struct takc_generative_options {
    struct takc_extractive_options extractive; /* description, must-keep, tokenizer */
    const struct takc_example *examples;
    size_t n_examples;
    struct takc_str model;            /* name and parameters as the key has them: whatever changes a reply */
    const struct takc_str *fallbacks; /* likewise, of models that may answer in its place: their replies are kept under their own keys */
    size_t n_fallbacks;
    uint32_t window_tokens, window_overlap, condense_tokens, condense_overlap; /* 1024 128 512 64 */
    uint32_t min_share; /* tokens: a window with less is merged with its neighbour, or left to extracts; 48 */
    unsigned n_parallel;
    takc_generate_fn *generate;
    takc_generate_level_fn *level; /* NULL: none */
    takc_guard_fn *guard;
    void *arg;
    struct takc_kept_replies kept;
};
struct takc_generative_options takc_generative_options_default(void);

struct takc_generative_counts { /* of one rate; the ledger's. kept and extract stand in the artifact; dropped: by the budget, or for want of
                                   a unit */
    uint64_t windows, calls, reused, repairs, splits;
    uint64_t lines_kept, lines_repaired, lines_replaced, lines_dropped, lines_quarantined, lines_extract;
    uint64_t windows_blocked, windows_empty; /* a guardrail; a reply without a line */
    uint64_t prompt_tokens;                  /* by the tokenizer in hand */
};

/* No title is shown that instructs a reader: titles are not the model's, nor may they speak in its place. Before s is used or stored. */
TAKC_CHECK enum takc_status takc_generative_hide_titles(const struct takc_corpus *c, struct takc_selection *s, unsigned n_threads,
                                                        struct takc_call *call, struct takc_err *err);

/* What a compress would do, before anything is spent. */
struct takc_generative_plan {
    uint64_t calls, reused, prompt_tokens, reply_tokens; /* without repairs */
};
TAKC_CHECK enum takc_status takc_generative_plan(const struct takc_corpus *c, const struct takc_selection *s, const takc_rate *rates,
                                                 size_t n_rates, const struct takc_generative_options *o, struct takc_call *call,
                                                 struct takc_generative_plan *out, struct takc_err *err);

/* Makes the artifacts of all rates (descending in rates; done finest first): put is called once per rate with the artifact's JSON, in any
 * order of rates, with what it measures. The guard holds for every generated line of it. */
typedef enum takc_status takc_generative_put_fn(void *arg, takc_rate rate, struct takc_str json, const struct takc_set_size *size,
                                                const struct takc_generative_counts *counts, struct takc_err *err);
TAKC_CHECK enum takc_status takc_generative_make(const struct takc_corpus *c, const struct takc_selection *s, const takc_rate *rates,
                                                 size_t n_rates, const struct takc_generative_options *o,
                                                 const struct takc_artifact_meta *meta, struct takc_call *call, takc_generative_put_fn *put,
                                                 void *put_arg, struct takc_err *err);

#endif
