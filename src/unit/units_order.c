/* SPDX-License-Identifier: Apache-2.0
 *
 * units_order.c - document order where a paragraph went on behind a table or figure: its later sentences were cut before the rows that
 * stand in front of them. Rare, so everything is copied once into fresh arrays. */
#include "base/alloc.h"
#include "unit/units_parts.h"

#include <stdlib.h>

struct place {
    uint32_t start, unit;
};

static int by_place(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->start != y->start)
        return x->start < y->start ? -1 : 1;
    return x->unit < y->unit ? -1 : x->unit > y->unit;
}

struct fresh {
    struct place *places;
    uint32_t *moved; /* old number to new one */
    struct takc_unit *units;
    struct takc_span *spans;
    uint32_t *terms;
    uint64_t *facts;
};

static void copy_units(const struct takc_units *u, struct fresh *f)
{
    uint32_t spans = 0, terms = 0, facts = 0;
    for (uint32_t i = 0; i < u->n_units; i++) {
        struct takc_unit k = u->units[f->places[i].unit];
        f->moved[f->places[i].unit] = i;
        memcpy(f->spans + spans, u->spans + k.span_at, k.n_spans * sizeof(*f->spans));
        if (k.n_terms)
            memcpy(f->terms + terms, u->terms + k.term_at, k.n_terms * sizeof(*f->terms));
        if (k.n_facts)
            memcpy(f->facts + facts, u->facts + k.fact_at, k.n_facts * sizeof(*f->facts));
        k.span_at = spans;
        k.term_at = terms;
        k.fact_at = facts;
        spans += k.n_spans;
        terms += k.n_terms;
        facts += k.n_facts;
        f->units[i] = k;
    }
}

enum takc_status takc_units_reorder(struct takc_units *u, struct takc_err *err)
{
    if (u->n_units < 2)
        return TAKC_OK;
    struct fresh f = {.places = takc_alloc_array(u->n_units, sizeof(*f.places)),
                      .moved = takc_alloc_array(u->n_units, sizeof(*f.moved)),
                      .units = takc_alloc_array(u->units_cap, sizeof(*f.units)),
                      .spans = takc_alloc_array(u->spans_cap, sizeof(*f.spans)),
                      .terms = takc_alloc_array(u->terms_cap, sizeof(*f.terms)),
                      .facts = takc_alloc_array(u->facts_cap, sizeof(*f.facts))};
    enum takc_status st = TAKC_OK;
    if (!f.places || !f.moved || !f.units || !f.spans || !f.terms || !f.facts) {
        takc_free(f.units);
        takc_free(f.spans);
        takc_free(f.terms);
        takc_free(f.facts);
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu units", u->n_units);
        goto out;
    }
    for (uint32_t i = 0; i < u->n_units; i++)
        f.places[i] = (struct place){u->spans[u->units[i].span_at].start, i};
    qsort(f.places, u->n_units, sizeof(*f.places), by_place);
    copy_units(u, &f);
    for (size_t h = 0; h < u->n_headings; h++)
        if (u->headings[h].unit)
            u->headings[h].unit = f.moved[u->headings[h].unit - 1] + 1;
    takc_free(u->units);
    takc_free(u->spans);
    takc_free(u->terms);
    takc_free(u->facts);
    u->units = f.units;
    u->spans = f.spans;
    u->terms = f.terms;
    u->facts = f.facts;
out:
    takc_free(f.places);
    takc_free(f.moved);
    return st;
}
