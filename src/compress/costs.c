/* SPDX-License-Identifier: Apache-2.0
 *
 * costs.c - what every line of a corpus costs as shown, in flat arrays of 21 bytes a unit, so that sets at any rate are made without the
 * documents. */
#include "base/alloc.h"
#include "compress/steps.h"

struct gather {
    struct takc_costs *k;
    const struct takc_selection *s;
    const struct takc_asked *asked;
    struct doc_anchors {
        struct takc_line_cost *costs;
        size_t n;
    } * anchors; /* per document */
    struct {
        uint8_t *in_task; /* per local word */
        size_t cap;
    } scratch[TAKC_EACH_THREADS_MAX];
};

void takc_costs_free(struct takc_costs *k)
{
    if (!k)
        return;
    takc_free(k->unit_doc);
    takc_free(k->units);
    takc_free(k->unit_anchor);
    takc_free(k->unit_kinds);
    takc_free(k->titles);
    takc_free(k->anchors);
    takc_free(k);
}

static enum takc_status gather_anchors(struct doc_anchors *a, const struct takc_units *u, struct takc_err *err)
{
    a->costs = takc_alloc_array(u->n_anchors, sizeof(*a->costs));
    if (!a->costs)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu anchors", u->n_anchors);
    a->n = u->n_anchors;
    for (size_t i = 0; i < a->n; i++)
        a->costs[i] = (struct takc_line_cost){u->anchors[i].n_words, u->anchors[i].n_bytes, u->anchors[i].mt};
    return TAKC_OK;
}

/* Kinds of the facts of a unit; a word of the profile counts as one. */
static uint8_t kinds_of(const struct takc_units *u, const struct takc_unit *x, const uint8_t *in_task)
{
    unsigned kinds = 0;
    for (uint32_t k = 0; k < x->n_facts; k++)
        kinds |= 1u << (u->facts[x->fact_at + k] & 7);
    for (uint32_t k = 0; k < x->n_terms; k++)
        if (in_task[u->terms[x->term_at + k]])
            kinds |= 1u << TAKC_FACT_WORD;
    return (uint8_t)kinds;
}

static enum takc_status gather_document(void *arg, unsigned worker, size_t doc, const struct takc_corpus_view *v, struct takc_err *err)
{
    struct gather *g = arg;
    const struct takc_units *u = v->units;
    uint32_t first = g->s->first_unit[doc];
    if (first + u->n_units != g->s->first_unit[doc + 1])
        return takc_fail(err, TAKC_INVALID, 0, "the documents are not those of the selection");
    enum takc_status st = takc_grow(&g->scratch[worker].in_task, &g->scratch[worker].cap, u->vocabulary.n + 1, 1, err);
    if (!st)
        st = gather_anchors(&g->anchors[doc], u, err);
    if (st)
        return st;
    uint8_t *in_task = g->scratch[worker].in_task;
    memset(in_task, 0, u->vocabulary.n);
    for (uint32_t i = 0; i < g->asked->words.n; i++) {
        uint32_t at = takc_intern_find(&u->vocabulary, takc_intern_get(&g->asked->words, i));
        if (at != TAKC_INTERN_NONE)
            in_task[at] = 1;
    }
    g->k->titles[doc] = (struct takc_line_cost){u->title_words, u->title_bytes, u->title_mt};
    for (size_t i = 0; i < u->n_units; i++) {
        const struct takc_unit *x = &u->units[i];
        g->k->unit_doc[first + i] = (uint32_t)doc;
        g->k->units[first + i] = (struct takc_line_cost){x->n_words, x->n_bytes, x->mt};
        g->k->unit_anchor[first + i] = x->anchor;
        g->k->unit_kinds[first + i] = kinds_of(u, x, in_task);
    }
    return TAKC_OK;
}

/* Anchors of all documents behind one another, and units pointing to them. */
static enum takc_status number_anchors(struct gather *g, struct takc_err *err)
{
    struct takc_costs *k = g->k;
    size_t n = 0;
    for (size_t d = 0; d < k->n_docs; d++)
        n += g->anchors[d].n;
    k->n_anchors = n;
    k->anchors = takc_alloc_array(n, sizeof(*k->anchors));
    if (!k->anchors)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu anchors", n);
    n = 0;
    for (size_t d = 0; d < k->n_docs; d++) {
        if (g->anchors[d].n)
            memcpy(k->anchors + n, g->anchors[d].costs, g->anchors[d].n * sizeof(*k->anchors));
        for (uint32_t i = g->s->first_unit[d]; i < g->s->first_unit[d + 1]; i++)
            if (k->unit_anchor[i])
                k->unit_anchor[i] += (uint32_t)n;
        n += g->anchors[d].n;
    }
    return TAKC_OK;
}

static enum takc_status costs_alloc(struct gather *g, struct takc_err *err)
{
    const struct takc_selection *s = g->s;
    struct takc_costs *k = g->k = takc_alloc(sizeof(*k));
    g->anchors = takc_alloc_array(s->n_docs, sizeof(*g->anchors));
    if (!k || !g->anchors)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for costs");
    k->n_units = s->n_units;
    k->n_docs = s->n_docs;
    k->unit_doc = takc_alloc_array(s->n_units, sizeof(*k->unit_doc));
    k->units = takc_alloc_array(s->n_units, sizeof(*k->units));
    k->unit_anchor = takc_alloc_array(s->n_units, sizeof(*k->unit_anchor));
    k->unit_kinds = takc_alloc(s->n_units);
    k->titles = takc_alloc_array(s->n_docs, sizeof(*k->titles));
    if (!k->unit_doc || !k->units || !k->unit_anchor || !k->unit_kinds || !k->titles)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for the costs of %zu units", s->n_units);
    return TAKC_OK;
}

enum takc_status takc_costs_make(const struct takc_corpus *c, const struct takc_selection *s, const struct takc_asked *asked,
                                 unsigned n_threads, struct takc_call *call, struct takc_costs **out, struct takc_err *err)
{
    struct takc_each e = {.corpus = c, .call = call, .stage = "measure", .n_threads = n_threads};
    struct gather *g = takc_alloc(sizeof(*g));
    if (!g)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for costs");
    g->s = s;
    g->asked = asked;
    enum takc_status st = costs_alloc(g, err);
    if (!st)
        st = takc_each_doc(&e, gather_document, g, err);
    if (!st)
        st = number_anchors(g, err);
    if (!st) {
        *out = g->k;
        g->k = NULL;
    }
    takc_costs_free(g->k);
    for (size_t d = 0; g->anchors && d < s->n_docs; d++)
        takc_free(g->anchors[d].costs);
    for (unsigned i = 0; i < TAKC_EACH_THREADS_MAX; i++)
        takc_free(g->scratch[i].in_task);
    takc_free(g->anchors);
    takc_free(g);
    return st;
}
