/* SPDX-License-Identifier: Apache-2.0
 *
 * artifact_units.c - back from an artifact's segments to the units that they were made from: an extract by its place in the order, a
 * generated line by its spans, which takc_written_spans listed from its units and now has to list again. */
#include "base/alloc.h"
#include "compress/artifact.h"
#include "compress/steps.h"

struct back {
    const struct takc_artifact *a;
    const struct takc_corpus *c;
    const struct takc_selection *s;
    struct takc_artifact_units *out;
    struct takc_corpus_view view;
    size_t doc;   /* of the view, + 1; 0: none is loaded */
    size_t n_mem; /* units of the line at hand */
    uint32_t *mem;
    size_t mem_cap;
    struct takc_span *spans;
    size_t n_spans, spans_cap;
};

static enum takc_status load(struct back *b, uint32_t unit, struct takc_err *err)
{
    size_t d = 0, hi = b->s->n_docs;
    while (hi - d > 1) {
        size_t mid = d + (hi - d) / 2;
        if (b->s->first_unit[mid] <= unit)
            d = mid;
        else
            hi = mid;
    }
    if (b->view.units && b->doc == d + 1)
        return TAKC_OK;
    if (b->doc)
        b->c->unload(b->c->arg, &b->view);
    b->doc = 0;
    enum takc_status st = b->c->load(b->c->arg, d, &b->view, err);
    if (!st)
        b->doc = d + 1;
    if (!st && b->s->first_unit[d] + b->view.units->n_units != b->s->first_unit[d + 1])
        st = takc_fail(err, TAKC_CORRUPT, 0, "the documents are not those of the selection");
    return st;
}

/* Does the unit stand at spans[at..]? */
static bool stands_at(const struct back *b, const struct takc_unit *u, const struct takc_part *p, size_t at)
{
    if (!u->n_spans || u->n_spans > p->n_spans - at)
        return false;
    for (uint32_t k = 0; k < u->n_spans; k++) {
        struct takc_span s = b->view.units->spans[u->span_at + k];
        if (s.start != p->spans[at + k].start || s.end != p->spans[at + k].end)
            return false;
    }
    return true;
}

/* Units whose spans the part lists, ascending from the first. */
static enum takc_status match_units(struct back *b, const struct takc_part *p, uint32_t first, struct takc_err *err)
{
    const struct takc_units *u = b->view.units;
    uint32_t base = b->s->first_unit[b->doc - 1];
    size_t at = 0;
    b->n_mem = 0;
    for (uint32_t k = first - base; k < u->n_units && at < p->n_spans; k++) {
        if (!stands_at(b, &u->units[k], p, at))
            continue;
        enum takc_status st = takc_grow(&b->mem, &b->mem_cap, b->n_mem + 1, sizeof(*b->mem), err);
        if (st)
            return st;
        b->mem[b->n_mem++] = base + k;
        at += u->units[k].n_spans;
    }
    return TAKC_OK;
}

static enum takc_status are_the_spans(struct back *b, const struct takc_part *p, bool *out, struct takc_err *err)
{
    b->n_spans = 0;
    enum takc_status st =
        takc_written_spans(b->view.units, b->s->first_unit[b->doc - 1], b->mem, b->n_mem, &b->spans, &b->n_spans, &b->spans_cap, err);
    *out = !st && b->n_mem && b->n_spans == p->n_spans;
    for (size_t i = 0; *out && i < p->n_spans; i++)
        *out = b->spans[i].start == p->spans[i].start && b->spans[i].end == p->spans[i].end;
    return st;
}

static enum takc_status read_written(struct back *b, const struct takc_part *body, uint32_t first, bool *out_ok, struct takc_err *err)
{
    struct takc_artifact_units *out = b->out;
    enum takc_status st = load(b, first, err);
    if (!st)
        st = match_units(b, body, first, err);
    if (!st)
        st = are_the_spans(b, body, out_ok, err);
    if (st || !*out_ok)
        return st;
    uint32_t *units = takc_arena_array(&out->arena, b->n_mem, sizeof(*units));
    if (!units)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for lines");
    memcpy(units, b->mem, b->n_mem * sizeof(*units));
    out->written[out->n_written++] = (struct takc_written){.text = body->text, .units = units, .n_units = b->n_mem};
    return TAKC_OK;
}

static enum takc_status read_segment(struct back *b, size_t i, struct takc_err *err)
{
    const struct takc_segment *g = &b->a->segments[i];
    uint32_t unit = g->rank < b->s->n_order ? b->s->order[g->rank] : UINT32_MAX;
    enum takc_status st = TAKC_OK;
    bool ok = unit < b->s->n_units;
    if (ok && g->kind == TAKC_SEGMENT_GENERATED)
        st = read_written(b, &g->parts[g->n_parts - 1], unit, &ok, err);
    else if (ok)
        takc_bit_set(b->out->bits, unit);
    return st || ok ? st : takc_fail(err, TAKC_CORRUPT, 0, "segment %zu has no place in the order", i + 1);
}

enum takc_status takc_artifact_read_units(const struct takc_artifact *a, const struct takc_corpus *c, const struct takc_selection *s,
                                          struct takc_artifact_units *out, struct takc_err *err)
{
    struct back b = {.a = a, .c = c, .s = s, .out = out};
    enum takc_status st = TAKC_OK;
    *out = (struct takc_artifact_units){0};
    takc_arena_init(&out->arena);
    out->bits = takc_arena_alloc(&out->arena, s->n_units / 8 + 1);
    out->written = takc_arena_array(&out->arena, a->n_segments + 1, sizeof(*out->written));
    if (!out->bits || !out->written)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu segments", a->n_segments);
    for (size_t i = 0; i < a->n_segments && !st; i++)
        st = read_segment(&b, i, err);
    if (b.doc)
        c->unload(c->arg, &b.view);
    takc_free(b.mem);
    takc_free(b.spans);
    return st;
}

void takc_artifact_units_clear(struct takc_artifact_units *u)
{
    takc_arena_clear(&u->arena);
    *u = (struct takc_artifact_units){0};
}
