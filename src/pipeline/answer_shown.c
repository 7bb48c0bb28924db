/* SPDX-License-Identifier: Apache-2.0
 *
 * answer_shown.c - what the reader sees as numbered lines, each with what it stands on: segments of an artifact, units of everything, or
 * the chosen lines. Every line carries its document's title (the name where there is none), so that none seems to be of another; the prompt
 * shows it once. A row goes on under the anchor of the row before it while their table is the same. */
#include "pipeline/answer.h"
#include "rank/query.h"
#include "unit/features.h"

#include <stdlib.h>

static enum takc_status shown_init(struct takc_answer *q, size_t n, struct takc_answer_shown *out, struct takc_err *err)
{
    *out = (struct takc_answer_shown){.lines = takc_arena_array(q->arena, n + 1, sizeof(*out->lines)),
                                      .stands = takc_arena_array(q->arena, n + 1, sizeof(*out->stands))};
    return out->lines && out->stands ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a prompt");
}

/* --- units --- */

static enum takc_status show_unit(struct takc_show *show, uint32_t unit, struct takc_answer_shown *out, struct takc_err *err)
{
    struct takc_shown u;
    struct takc_shown_doc *doc;
    struct takc_index_doc record;
    enum takc_status st = takc_show_unit(show, unit, &u, err);
    if (!st)
        st = takc_show_doc(show, u.u.doc, &doc, err);
    if (!st)
        st = takc_index_doc_at(show->x, u.u.doc, &record, err);
    if (st)
        return st;
    out->lines[out->n] = (struct takc_prompt_line){
        .title = doc->title.len ? doc->title : record.name, .before = u.before, .text = u.line, .quoted = u.u.flags & TAKC_UNIT_INSTRUCTS};
    out->stands[out->n++] = (struct takc_answer_stands){.unit = unit};
    return TAKC_OK;
}

enum takc_status takc_answer_show_whole(struct takc_answer *q, struct takc_err *err)
{
    struct takc_show show;
    size_t n = takc_index_n_units(q->snapshot.index);
    struct takc_index_unit u;
    enum takc_status st = q->models ? shown_init(q, n, &q->background, err) : TAKC_OK;
    takc_show_init(&show, q->snapshot.index, takc_snapshot_text, &q->snapshot, &q->scratch);
    for (uint32_t i = 0; !st && q->models && i < n; i++) {
        st = takc_index_unit_at(q->snapshot.index, i, &u, err);
        if (!st && q->passing[u.doc])
            st = show_unit(&show, i, &q->background, err);
    }
    return st;
}

static int by_unit(const void *a, const void *b)
{
    const struct takc_line *x = a, *y = b;
    return (x->unit > y->unit) - (x->unit < y->unit);
}

enum takc_status takc_answer_show_lines(struct takc_answer *q, struct takc_answer_shown *out, struct takc_err *err)
{
    struct takc_show show;
    size_t n = q->choice.n_lines;
    struct takc_line *sorted = takc_arena_array(&q->scratch, n + 1, sizeof(*sorted));
    enum takc_status st = sorted ? shown_init(q, n, out, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for a prompt");
    takc_show_init(&show, q->snapshot.index, takc_snapshot_text, &q->snapshot, &q->scratch);
    for (size_t i = 0; !st && i < n; i++)
        sorted[i] = q->choice.lines[i];
    if (!st)
        qsort(sorted, n, sizeof(*sorted), by_unit);
    for (size_t i = 0; !st && i < n; i++) {
        st = show_unit(&show, sorted[i].unit, out, err);
        if (!st) {
            out->stands[i].score = sorted[i].score;
            out->stands[i].coverage = sorted[i].coverage;
        }
    }
    return st;
}

/* --- an artifact --- */

/* The unit that a span begins in: the last of the document's that begins no later. */
static enum takc_status unit_of(struct takc_answer *q, struct takc_str name, uint32_t start, uint32_t *out, struct takc_index_unit *u,
                                struct takc_err *err)
{
    uint32_t doc;
    struct takc_index_doc d;
    if (!takc_answer_doc_find(q, name, &doc))
        return takc_fail(err, TAKC_CORRUPT, 0, "an artifact names %.*s, which the index lacks", TAKC_STR_ARG(name));
    enum takc_status st = takc_index_doc_at(q->snapshot.index, doc, &d, err);
    if (!st && !d.n_units)
        st = takc_fail(err, TAKC_CORRUPT, 0, "an artifact shows %.*s, of which the index has no line", TAKC_STR_ARG(name));
    uint32_t lo = d.first_unit, hi = st ? lo : lo + d.n_units;
    while (!st && hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        st = takc_index_unit_at(q->snapshot.index, mid, u, err);
        if (!st && u->n_spans && u->spans[0].start <= start)
            lo = mid;
        else
            hi = mid;
    }
    *out = lo;
    return st ? st : takc_index_unit_at(q->snapshot.index, lo, u, err);
}

/* A copy of the spans that are of the first one's document. */
static enum takc_status keep_spans(struct takc_answer *q, const struct takc_part *p, struct takc_answer_stands *out, struct takc_err *err)
{
    struct takc_artifact_span *spans = takc_arena_array(q->arena, p->n_spans, sizeof(*spans));
    if (!spans)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a prompt");
    for (size_t i = 0; i < p->n_spans; i++)
        if (p->spans[i].doc == p->spans[0].doc)
            spans[out->n_spans++] = p->spans[i];
    out->spans = spans;
    return TAKC_OK;
}

struct under { /* the anchor that rows stand under */
    uint32_t doc, anchor;
    struct takc_str text;
};

static enum takc_status show_segment(struct takc_answer *q, const struct takc_artifact *a, const struct takc_segment *s,
                                     struct under *under, struct takc_err *err)
{
    struct takc_answer_shown *out = &q->background;
    const struct takc_part *body = &s->parts[s->n_parts - 1];
    struct takc_prompt_line *l = &out->lines[out->n];
    struct takc_answer_stands *on = &out->stands[out->n];
    struct takc_index_unit u;
    if (!body->n_spans)
        return TAKC_OK;
    const struct takc_artifact_doc *doc = &a->documents[body->spans[0].doc];
    enum takc_status st = unit_of(q, doc->name, body->spans[0].start, &on->unit, &u, err);
    if (!st)
        st = takc_features_instructs(body->text, &l->quoted, err);
    if (!st)
        st = takc_answer_hold(q, doc->title.len ? doc->title : doc->name, &l->title, err);
    if (!st)
        st = takc_answer_hold(q, body->text, &l->text, err);
    if (!st && (u.doc != under->doc || u.anchor != under->anchor))
        *under = (struct under){u.doc, u.anchor, {0}};
    for (size_t i = 0; !st && i < s->n_parts; i++)
        if (s->parts[i].role == TAKC_PART_ANCHOR)
            st = takc_answer_hold(q, s->parts[i].text, &under->text, err);
    if (!st && s->kind == TAKC_SEGMENT_GENERATED)
        st = keep_spans(q, body, on, err);
    if (st)
        return st;
    l->before = under->text;
    l->quoted |= (u.flags & TAKC_UNIT_INSTRUCTS) != 0;
    out->n++;
    return TAKC_OK;
}

enum takc_status takc_answer_show_artifact(struct takc_answer *q, const struct takc_artifact *a, struct takc_err *err)
{
    struct under under = {.doc = UINT32_MAX};
    if (!q->models)
        return TAKC_OK;
    enum takc_status st = shown_init(q, a->n_segments, &q->background, err);
    for (size_t i = 0; !st && i < a->n_segments; i++)
        st = show_segment(q, a, &a->segments[i], &under, err);
    return st;
}
