/* SPDX-License-Identifier: Apache-2.0
 *
 * reduce_doc.c - the places that stay (spans of units, headings, anchors, title) are sorted and joined into ranges; each range becomes a
 * line of the new text. Blocks and map runs are cut to the ranges, so every locator and every source range stays true; spans move with
 * their range. Words, facts and headings that nothing uses any more go. */
#include "pipeline/reduce_doc.h"
#include "base/alloc.h"

#include <stdlib.h>

struct range { /* [start, end) of the old text stands at to in the new one */
    uint32_t start, end, to;
};

struct reduction {
    const struct takc_doc *d;
    const struct takc_units *u;
    const uint8_t *keep;
    struct takc_reduced *r;
    struct range *ranges;
    size_t n, cap;
    uint32_t *heading_of; /* per old heading: its new number + 1, or that of the nearest one above it that stays, or 0 */
    uint32_t *anchor_of;  /* per old anchor: its new number + 1; 0: gone */
    uint32_t *unit_of;    /* per old unit: the same */
    uint8_t *headings;    /* per old heading: stays */
};

void takc_reduced_init(struct takc_reduced *r)
{
    *r = (struct takc_reduced){0};
    takc_doc_init(&r->doc);
    takc_units_init(&r->units);
}

void takc_reduced_clear(struct takc_reduced *r)
{
    takc_doc_clear(&r->doc);
    takc_units_clear(&r->units);
    takc_reduced_init(r);
}

/* --- what stays --- */

/* Headings above the kept units. A bare heading is no sentence and comes along; one that is a unit stands for itself. */
static void keep_headings(struct reduction *x, uint8_t *keep)
{
    for (size_t i = x->u->n_units; i > 0; i--) {
        const struct takc_unit *unit = &x->u->units[i - 1];
        if (!keep[i - 1])
            continue;
        for (uint32_t h = unit->heading; h; h = x->u->headings[h - 1].parent) {
            uint32_t own = x->u->headings[h - 1].unit;
            if (own && (x->u->units[own - 1].flags & TAKC_UNIT_BARE))
                keep[own - 1] = 1;
        }
    }
    for (size_t h = 0; h < x->u->n_headings; h++)
        x->headings[h] = x->u->headings[h].unit && keep[x->u->headings[h].unit - 1];
}

static enum takc_status add_range(struct reduction *x, struct takc_span s, struct takc_err *err)
{
    if (s.start >= s.end)
        return TAKC_OK;
    if (s.end > x->d->text.len)
        return takc_fail(err, TAKC_CORRUPT, 0, "a span of the units is outside of the text");
    enum takc_status st = takc_grow(&x->ranges, &x->cap, x->n + 1, sizeof(*x->ranges), err);
    if (!st)
        x->ranges[x->n++] = (struct range){s.start, s.end, 0};
    return st;
}

static int by_start(const void *a, const void *b)
{
    const struct range *p = a, *q = b;
    return p->start != q->start ? (p->start < q->start ? -1 : 1) : (p->end > q->end) - (p->end < q->end);
}

static enum takc_status gather_ranges(struct reduction *x, struct takc_span title, struct takc_err *err)
{
    enum takc_status st = add_range(x, title, err);
    for (size_t i = 0; !st && i < x->u->n_units; i++) {
        const struct takc_unit *unit = &x->u->units[i];
        if (!x->keep[i])
            continue;
        for (uint32_t k = 0; !st && k < unit->n_spans; k++)
            st = add_range(x, x->u->spans[unit->span_at + k], err);
        if (unit->anchor)
            x->anchor_of[unit->anchor - 1] = 1;
    }
    for (size_t h = 0; !st && h < x->u->n_headings; h++)
        if (x->headings[h])
            st = add_range(x, x->u->headings[h].span, err);
    for (size_t a = 0; !st && a < x->u->n_anchors; a++)
        if (x->anchor_of[a]) {
            st = add_range(x, x->u->anchors[a].heading, err);
            if (!st)
                st = add_range(x, x->u->anchors[a].header, err);
        }
    return st;
}

/* Sorts, joins what overlaps, and writes the new text: a range a line. */
static enum takc_status write_text(struct reduction *x, struct takc_err *err)
{
    size_t n = 0;
    enum takc_status st = TAKC_OK;
    if (x->n)
        qsort(x->ranges, x->n, sizeof(*x->ranges), by_start);
    for (size_t i = 0; i < x->n; i++) {
        if (n && x->ranges[i].start < x->ranges[n - 1].end) {
            if (x->ranges[i].end > x->ranges[n - 1].end)
                x->ranges[n - 1].end = x->ranges[i].end;
        } else {
            x->ranges[n++] = x->ranges[i];
        }
    }
    x->n = n;
    for (size_t i = 0; !st && i < n; i++) {
        x->ranges[i].to = (uint32_t)x->r->doc.text.len;
        st = takc_buf_add(&x->r->doc.text, takc_str_slice(takc_buf_str(&x->d->text), x->ranges[i].start, x->ranges[i].end), err);
        if (!st)
            st = takc_buf_byte(&x->r->doc.text, '\n', err);
    }
    return st;
}

/* The first range that ends behind at. */
static size_t range_behind(const struct reduction *x, uint32_t at)
{
    size_t lo = 0, hi = x->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (x->ranges[mid].end <= at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct takc_span moved(const struct reduction *x, struct takc_span s)
{
    if (s.start >= s.end)
        return (struct takc_span){0, 0};
    size_t i = range_behind(x, s.start);
    const struct range *r = &x->ranges[i];
    if (i >= x->n || s.start < r->start || s.end > r->end)
        TAKC_BUG("bytes %u..%u were not kept", s.start, s.end);
    return (struct takc_span){s.start - r->start + r->to, s.end - r->start + r->to};
}

/* --- structure and map --- */

static enum takc_status copy_pointer(struct reduction *x, uint32_t pointer, uint32_t *last, struct takc_block *b, struct takc_err *err)
{
    struct takc_buf *to = &x->r->doc.strings;
    const char *text = x->d->strings.ptr + pointer - 1;
    if (*last && strcmp(to->ptr + *last - 1, text) == 0) {
        b->pointer = *last;
        return TAKC_OK;
    }
    b->pointer = *last = (uint32_t)to->len + 1;
    return takc_buf_add(to, takc_str_n(text, strlen(text) + 1), err);
}

static uint32_t lines_between(struct takc_str text, uint32_t from, uint32_t to)
{
    uint32_t n = 0;
    for (uint32_t i = from; i < to; i++)
        n += text.ptr[i] == '\n';
    return n;
}

/* The part of a block that lies in a range, as a block of its own. What it went on with or described may be gone. */
static enum takc_status cut_block(struct reduction *x, const struct takc_block *old, const struct range *r, unsigned *seen, uint32_t *last,
                                  struct takc_err *err)
{
    struct takc_block b = *old;
    uint32_t start = old->start > r->start ? old->start : r->start, end = old->end < r->end ? old->end : r->end;
    enum takc_status st = TAKC_OK;
    b.start = start - r->start + r->to;
    b.end = end - r->start + r->to;
    if (b.line && !b.pointer)
        b.line += lines_between(takc_buf_str(&x->d->text), old->start, start);
    if (!(*seen & 1u << b.kind))
        b.flags &= (uint16_t)~TAKC_BLOCK_CONTINUES;
    if (!(*seen & 1u << TAKC_BLOCK_TERM))
        b.flags &= (uint16_t)~TAKC_BLOCK_DESCRIBES;
    if (b.flags & TAKC_BLOCK_HIDDEN)
        x->r->doc.n_hidden_bytes += b.end - b.start;
    else
        *seen |= 1u << b.kind;
    if (b.pointer)
        st = copy_pointer(x, b.pointer, last, &b, err);
    return st ? st : takc_doc_block(&x->r->doc, b, err);
}

static enum takc_status cut_blocks(struct reduction *x, struct takc_err *err)
{
    unsigned seen = 0;
    uint32_t last = 0;
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < x->d->n_blocks; i++) {
        const struct takc_block *b = &x->d->blocks[i];
        for (size_t k = range_behind(x, b->start); !st && k < x->n && x->ranges[k].start < b->end; k++)
            st = cut_block(x, b, &x->ranges[k], &seen, &last, err);
    }
    return st;
}

/* The part of a run that lies in a range; a decoded one only whole, since no byte of it has a place of its own. */
static enum takc_status cut_run(struct reduction *x, const struct takc_map_run *old, const struct range *r, struct takc_err *err)
{
    struct takc_doc *d = &x->r->doc;
    uint32_t start = old->start > r->start ? old->start : r->start, end = old->end < r->end ? old->end : r->end;
    struct takc_map_run run = *old;
    if (old->kind == TAKC_MAP_DECODED && (start != old->start || end != old->end))
        return TAKC_OK;
    enum takc_status st = takc_grow(&d->runs, &d->runs_cap, d->n_runs + 1, sizeof(*d->runs), err);
    if (st)
        return st;
    if (old->kind == TAKC_MAP_VERBATIM) {
        run.src_start = old->src_start + (start - old->start);
        run.src_end = old->src_start + (end - old->start);
    }
    run.start = start - r->start + r->to;
    run.end = end - r->start + r->to;
    d->runs[d->n_runs++] = run;
    return TAKC_OK;
}

static enum takc_status cut_runs(struct reduction *x, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < x->d->n_runs; i++) {
        const struct takc_map_run *run = &x->d->runs[i];
        for (size_t k = range_behind(x, run->start); !st && k < x->n && x->ranges[k].start < run->end; k++)
            st = cut_run(x, run, &x->ranges[k], err);
    }
    return st;
}

/* Names, dates and counts; notes of the reader are left out, since they may quote. */
static enum takc_status copy_head(struct reduction *x, struct takc_span title, struct takc_err *err)
{
    const struct takc_doc *d = x->d;
    struct takc_doc *to = &x->r->doc;
    to->has_map = d->has_map;
    to->has_date = d->has_date;
    to->date = d->date;
    to->title_from = d->title_from;
    to->n_replaced = d->n_replaced;
    memcpy(to->reader, d->reader, sizeof(to->reader));
    memcpy(to->reader_version, d->reader_version, sizeof(to->reader_version));
    memcpy(to->charset, d->charset, sizeof(to->charset));
    x->r->title_span = moved(x, title);
    if (d->title_from == TAKC_TITLE_TEXT && title.start == d->title_start && title.end == d->title_end) {
        to->title_start = x->r->title_span.start;
        to->title_end = x->r->title_span.end;
    }
    return takc_buf_add(&to->title, takc_buf_str(&d->title), err);
}

/* --- units --- */

/* Words of the old vocabulary under their new numbers, appended. */
static enum takc_status copy_terms(struct reduction *x, const uint32_t *terms, size_t n, uint32_t **to, size_t *to_n, size_t *to_cap,
                                   struct takc_err *err)
{
    enum takc_status st = takc_grow(to, to_cap, *to_n + n + 1, sizeof(**to), err);
    for (size_t i = 0; !st && i < n; i++) {
        uint32_t id;
        st = takc_intern_add(&x->r->units.vocabulary, takc_intern_get(&x->u->vocabulary, terms[i]), &id, err);
        if (!st)
            (*to)[(*to_n)++] = id;
    }
    return st;
}

static void number_units(struct reduction *x)
{
    uint32_t n = 0;
    for (size_t i = 0; i < x->u->n_units; i++)
        x->unit_of[i] = x->keep[i] ? ++n : 0;
}

static enum takc_status copy_headings(struct reduction *x, struct takc_err *err)
{
    const struct takc_units *u = x->u;
    struct takc_units *to = &x->r->units;
    enum takc_status st = takc_grow(&to->headings, &to->headings_cap, u->n_headings + 1, sizeof(*to->headings), err);
    if (!st)
        st = takc_grow(&to->heading_at, &to->heading_at_cap, u->n_headings + 1, sizeof(*to->heading_at), err);
    if (!st)
        to->heading_at[0] = 0;
    for (size_t h = 0; !st && h < u->n_headings; h++) {
        struct takc_heading one = u->headings[h];
        one.parent = one.parent ? x->heading_of[one.parent - 1] : 0;
        x->heading_of[h] = x->headings[h] ? (uint32_t)to->n_headings + 1 : one.parent;
        if (!x->headings[h])
            continue;
        one.span = moved(x, one.span);
        one.unit = x->unit_of[one.unit - 1];
        to->headings[to->n_headings++] = one;
        st = copy_terms(x, u->heading_terms + u->heading_at[h], u->heading_at[h + 1] - u->heading_at[h], &to->heading_terms,
                        &to->n_heading_terms, &to->heading_terms_cap, err);
        to->heading_at[to->n_headings] = (uint32_t)to->n_heading_terms;
    }
    return st;
}

static enum takc_status copy_anchors(struct reduction *x, struct takc_err *err)
{
    struct takc_units *to = &x->r->units;
    enum takc_status st = takc_grow(&to->anchors, &to->anchors_cap, x->u->n_anchors + 1, sizeof(*to->anchors), err);
    for (size_t a = 0; !st && a < x->u->n_anchors; a++) {
        struct takc_anchor one = x->u->anchors[a];
        if (!x->anchor_of[a])
            continue;
        one.heading = moved(x, one.heading);
        one.header = moved(x, one.header);
        to->anchors[to->n_anchors++] = one;
        x->anchor_of[a] = (uint32_t)to->n_anchors;
    }
    return st;
}

/* The new block that holds a place of the new text; blocks stand in order. */
static uint32_t block_at(const struct takc_doc *d, uint32_t at)
{
    size_t lo = 0, hi = d->n_blocks;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (d->blocks[mid].end <= at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return (uint32_t)(lo < d->n_blocks ? lo : d->n_blocks ? d->n_blocks - 1 : 0);
}

static enum takc_status copy_unit(struct reduction *x, const struct takc_unit *old, struct takc_err *err)
{
    const struct takc_units *u = x->u;
    struct takc_units *to = &x->r->units;
    struct takc_unit one = *old;
    enum takc_status st = takc_grow(&to->spans, &to->spans_cap, to->n_spans + old->n_spans, sizeof(*to->spans), err);
    if (!st)
        st = takc_grow(&to->facts, &to->facts_cap, to->n_facts + old->n_facts + 1, sizeof(*to->facts), err);
    if (st)
        return st;
    one.span_at = (uint32_t)to->n_spans;
    one.fact_at = (uint32_t)to->n_facts;
    one.term_at = (uint32_t)to->n_terms;
    one.heading = old->heading ? x->heading_of[old->heading - 1] : 0;
    one.anchor = old->anchor ? x->anchor_of[old->anchor - 1] : 0;
    for (uint32_t k = 0; k < old->n_spans; k++)
        to->spans[to->n_spans++] = moved(x, u->spans[old->span_at + k]);
    for (uint32_t k = 0; k < old->n_facts; k++)
        to->facts[to->n_facts++] = u->facts[old->fact_at + k];
    one.block = block_at(&x->r->doc, to->spans[one.span_at].start);
    to->units[to->n_units++] = one;
    return copy_terms(x, u->terms + old->term_at, old->n_terms, &to->terms, &to->n_terms, &to->terms_cap, err);
}

static enum takc_status copy_units(struct reduction *x, struct takc_err *err)
{
    const struct takc_units *u = x->u;
    struct takc_units *to = &x->r->units;
    to->title_words = u->title_words;
    to->title_bytes = u->title_bytes;
    to->title_mt = u->title_mt;
    to->source_words = u->source_words;
    to->source_bytes = u->source_bytes;
    to->source_mt = u->source_mt;
    enum takc_status st = takc_grow(&to->units, &to->units_cap, u->n_units + 1, sizeof(*to->units), err);
    if (!st)
        st = copy_terms(x, u->title_terms, u->n_title_terms, &to->title_terms, &to->n_title_terms, &to->title_terms_cap, err);
    if (!st)
        st = copy_headings(x, err);
    if (!st)
        st = copy_anchors(x, err);
    for (size_t i = 0; !st && i < u->n_units; i++)
        if (x->keep[i])
            st = copy_unit(x, &u->units[i], err);
    return st;
}

enum takc_status takc_reduce_doc(const struct takc_doc *d, const struct takc_units *u, struct takc_span title, uint8_t *keep,
                                 struct takc_reduced *r, struct takc_err *err)
{
    struct reduction x = {.d = d, .u = u, .keep = keep, .r = r};
    enum takc_status st = TAKC_OK;
    x.heading_of = takc_alloc_array(u->n_headings + 1, sizeof(*x.heading_of));
    x.anchor_of = takc_alloc_array(u->n_anchors + 1, sizeof(*x.anchor_of));
    x.unit_of = takc_alloc_array(u->n_units + 1, sizeof(*x.unit_of));
    x.headings = takc_alloc(u->n_headings + 1);
    if (!x.heading_of || !x.anchor_of || !x.unit_of || !x.headings)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu units", u->n_units);
    if (!st) {
        keep_headings(&x, keep);
        number_units(&x);
        st = gather_ranges(&x, title, err);
    }
    if (!st)
        st = write_text(&x, err);
    if (!st)
        st = cut_blocks(&x, err);
    if (!st)
        st = cut_runs(&x, err);
    if (!st)
        st = copy_head(&x, title, err);
    if (!st)
        st = copy_units(&x, err);
    if (!st)
        st = takc_doc_check(&r->doc, SIZE_MAX, err);
    takc_free(x.ranges);
    takc_free(x.heading_of);
    takc_free(x.anchor_of);
    takc_free(x.unit_of);
    takc_free(x.headings);
    return st;
}
