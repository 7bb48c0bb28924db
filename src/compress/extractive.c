/* SPDX-License-Identifier: Apache-2.0
 *
 * extractive.c - the five steps one after the other. Memory is given back between them, so that at most 64 bytes a unit are held at a time.
 */
#include "base/alloc.h"
#include "compress/steps.h"

struct takc_extractive_options takc_extractive_options_default(void)
{
    return (struct takc_extractive_options){
        .budget = TAKC_BUDGET_TOKENS, .tokenizer = takc_tokenizer_find(takc_str("estimate")), .n_threads = 1, .clean_level = 1};
}

enum takc_status takc_selection_alloc(struct takc_selection *s, size_t n_order, struct takc_err *err)
{
    s->first_unit = takc_alloc_array(s->n_docs + 1, sizeof(*s->first_unit));
    s->show_title = takc_alloc_array(s->n_docs, sizeof(*s->show_title));
    s->order = takc_alloc_array(n_order, sizeof(*s->order));
    s->keys = takc_alloc_array(n_order, sizeof(*s->keys));
    s->rung = takc_alloc_array(s->n_units, sizeof(*s->rung));
    s->salience = takc_alloc_array(s->n_units, sizeof(*s->salience));
    s->twin = takc_alloc_array(s->n_units, sizeof(*s->twin));
    bool good = s->first_unit && s->show_title && s->order && s->keys && s->rung && s->salience && s->twin;
    return good ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a selection of %zu units", s->n_units);
}

void takc_selection_clear(struct takc_selection *s)
{
    takc_free(s->first_unit);
    takc_free(s->order);
    takc_free(s->keys);
    takc_free(s->rung);
    takc_free(s->salience);
    takc_free(s->twin);
    takc_free(s->show_title);
    takc_costs_free(s->costs);
    *s = (struct takc_selection){0};
}

void takc_selection_trim(struct takc_selection *s, bool costs)
{
    takc_free(s->keys);
    s->keys = NULL;
    if (costs) {
        takc_costs_free(s->costs);
        s->costs = NULL;
    }
    takc_alloc_trim();
}

/* Steps 1 to 4: everything that does not know a budget. */
static enum takc_status make_order(const struct takc_corpus *c, const struct takc_extractive_options *o, const struct takc_asked *asked,
                                   struct takc_call *call, struct takc_selection *s, struct takc_err *err)
{
    struct takc_stats stats;
    struct takc_sequence *sequences = NULL;
    int32_t *h = NULL;
    enum takc_status st = takc_stats_make(&stats, c, asked, o->n_threads, call, s, err);
    if (!st)
        st = takc_score_make(&stats, c, asked, o->n_threads, call, s, &h, err);
    takc_free(stats.templates);
    stats.templates = NULL;
    if (!st)
        st = takc_sequences_make(&stats, c, h, o, call, s, &sequences, err);
    takc_free(h);
    takc_stats_clear(&stats);
    takc_alloc_trim();
    if (!st)
        st = takc_order_make(sequences, s, err);
    takc_sequences_free(sequences, s->n_docs);
    return st;
}

enum takc_status takc_extractive_select(const struct takc_corpus *c, const struct takc_extractive_options *o, struct takc_call *call,
                                        struct takc_selection *out, struct takc_err *err)
{
    struct takc_asked asked;
    *out = (struct takc_selection){0};
    if (!o->tokenizer || o->budget == TAKC_BUDGET_UNSET)
        return takc_fail(err, TAKC_INVALID, 0, "a budget needs its kind and a tokenizer");
    enum takc_status st = takc_asked_read(&asked, o->description, err);
    if (!st)
        st = make_order(c, o, &asked, call, out, err);
    if (!st)
        st = takc_costs_make(c, out, &asked, o->n_threads, call, &out->costs, err);
    if (!st)
        st = takc_ladder_make(out, c, o, call, err);
    takc_asked_clear(&asked);
    return st;
}
