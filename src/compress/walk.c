/* SPDX-License-Identifier: Apache-2.0
 *
 * walk.c - the lines of a set as a reader sees them: documents in name order, units in document order, titles and anchors before the first
 * unit that they belong to. The one place where a set becomes text; artifact and budgets that count whole both come here. */
#include "base/alloc.h"
#include "compress/artifact.h"
#include "compress/steps.h"

struct walk {
    const struct takc_corpus *c;
    const struct takc_selection *s;
    struct takc_lines lines;
    size_t next; /* written line */
    int clean_level;
    takc_shown_fn *fn;
    void *arg;
    struct takc_buf line;
    uint8_t *anchors; /* per anchor of the document: shown */
    size_t anchors_cap;
    bool any; /* a document was shown before */
};

static bool any_in(const struct walk *w, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        if (takc_bit(w->lines.bits, i))
            return true;
    return w->next < w->lines.n_written && w->lines.written[w->next].units[0] < to;
}

static enum takc_status show_anchor(struct walk *w, struct takc_shown *x, struct takc_err *err)
{
    uint32_t a = x->of->anchor;
    if (!a || w->anchors[a - 1] || !x->view->units->anchors[a - 1].n_bytes)
        return TAKC_OK;
    w->anchors[a - 1] = 1;
    takc_buf_reset(&w->line);
    enum takc_status st = takc_anchor_show(x->view->units, a - 1, x->view->text, &w->line, err);
    x->role = TAKC_PART_ANCHOR;
    x->line = takc_buf_str(&w->line);
    return st ? st : w->fn(w->arg, x, err);
}

static enum takc_status show_head(struct walk *w, struct takc_shown *x, struct takc_err *err)
{
    bool title = w->s->show_title[x->doc], blank = !title && w->any;
    w->any = true;
    x->role = title ? TAKC_PART_TITLE : TAKC_PART_UNSET;
    x->line = title ? w->c->docs[x->doc].title : (struct takc_str){NULL, 0};
    return title || blank ? w->fn(w->arg, x, err) : TAKC_OK;
}

/* The title or the empty line, if x is the first of its document. */
static enum takc_status show_head_once(struct walk *w, struct takc_shown *x, bool *head, struct takc_err *err)
{
    enum takc_status st = *head ? TAKC_OK : show_head(w, x, err);
    *head = true;
    return st;
}

static enum takc_status show_written(struct walk *w, struct takc_shown *x, bool *head, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    while (!st && w->next < w->lines.n_written && w->lines.written[w->next].units[0] == x->unit) {
        x->written = &w->lines.written[w->next++];
        st = show_head_once(w, x, head, err); /* the title belongs to the same segment */
        x->role = TAKC_PART_BODY;
        x->line = x->written->text;
        if (!st)
            st = w->fn(w->arg, x, err);
        x->written = NULL;
    }
    return st;
}

static enum takc_status show_unit(struct walk *w, struct takc_shown *x, uint32_t i, bool *head, struct takc_err *err)
{
    enum takc_status st = show_head_once(w, x, head, err);
    if (!st)
        st = show_anchor(w, x, err);
    takc_buf_reset(&w->line);
    if (!st)
        st = takc_unit_show(x->view->units, i, x->view->text, w->clean_level, &w->line, err);
    x->role = TAKC_PART_BODY;
    x->line = takc_buf_str(&w->line);
    return st ? st : w->fn(w->arg, x, err);
}

static enum takc_status walk_document(struct walk *w, size_t doc, const struct takc_corpus_view *v, struct takc_err *err)
{
    const struct takc_units *u = v->units;
    uint32_t first = w->s->first_unit[doc];
    bool head = false;
    if (first + u->n_units != w->s->first_unit[doc + 1])
        return takc_fail(err, TAKC_INVALID, 0, "the documents are not those of the selection");
    enum takc_status st = takc_grow(&w->anchors, &w->anchors_cap, u->n_anchors + 1, 1, err);
    if (!st)
        memset(w->anchors, 0, u->n_anchors);
    for (uint32_t i = 0; i < u->n_units && !st; i++) {
        struct takc_shown x = {.doc = doc, .unit = first + i, .view = v, .of = &u->units[i]};
        st = show_written(w, &x, &head, err);
        if (!st && takc_bit(w->lines.bits, first + i))
            st = show_unit(w, &x, i, &head, err);
    }
    return st;
}

enum takc_status takc_lines_walk(const struct takc_corpus *c, const struct takc_selection *s, const struct takc_lines *lines,
                                 int clean_level, struct takc_call *call, takc_shown_fn *fn, void *arg, struct takc_err *err)
{
    struct walk w = {.c = c, .s = s, .lines = *lines, .clean_level = clean_level, .fn = fn, .arg = arg};
    enum takc_status st = TAKC_OK;
    takc_buf_init(&w.line, TAKC_BUF_MAX_DOCUMENT);
    for (size_t d = 0; d < s->n_docs && !st; d++) {
        struct takc_corpus_view v = {0};
        if (!any_in(&w, s->first_unit[d], s->first_unit[d + 1]))
            continue;
        st = takc_call_check(call, err);
        if (!st)
            st = c->load(c->arg, d, &v, err);
        if (st)
            break;
        st = walk_document(&w, d, &v, err);
        c->unload(c->arg, &v);
    }
    takc_buf_clear(&w.line);
    takc_free(w.anchors);
    return st;
}

static enum takc_status add_line(void *arg, const struct takc_shown *shown, struct takc_err *err)
{
    struct takc_buf *out = arg;
    enum takc_status st = takc_buf_add(out, shown->line, err);
    return st ? st : takc_buf_byte(out, '\n', err);
}

enum takc_status takc_lines_text(const struct takc_corpus *c, const struct takc_selection *s, const struct takc_lines *lines,
                                 int clean_level, struct takc_call *call, struct takc_buf *out, struct takc_err *err)
{
    return takc_lines_walk(c, s, lines, clean_level, call, add_line, out, err);
}

enum takc_status takc_set_text(const struct takc_corpus *c, const struct takc_selection *s, const uint8_t *bits, int clean_level,
                               struct takc_call *call, struct takc_buf *out, struct takc_err *err)
{
    const struct takc_lines lines = {.bits = bits};
    return takc_lines_walk(c, s, &lines, clean_level, call, add_line, out, err);
}
