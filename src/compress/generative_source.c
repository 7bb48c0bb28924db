/* SPDX-License-Identifier: Apache-2.0
 *
 * generative_source.c - a window's documents in hand. What can be written about is listed once, numbered from 1 as the prompt shows it:
 * units at the finest rate, lines of the finer rate behind. Units that instruct a reader are listed as quoted data; the words that only
 * they have are remembered, so that a line that repeats them is known. */
#include "base/alloc.h"
#include "compress/generative_steps.h"
#include "token/words.h"

struct lister {
    struct takc_gen_source *x;
    struct takc_buf text; /* of all items, by offset until it grows no more */
    size_t cap;
    uint32_t anchor; /* shown last; over the document */
    struct takc_err *err;
};

static enum takc_status load_views(struct takc_gen_source *x, const struct takc_gen_window *w, struct takc_err *err)
{
    const struct takc_selection *s = x->r->s;
    size_t n;
    x->doc = takc_gen_doc_of(s, w->from);
    n = takc_gen_doc_of(s, w->to > w->from ? w->to - 1 : w->from) - x->doc + 1;
    x->views = takc_alloc_array(n, sizeof(*x->views));
    if (!x->views)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu documents", n);
    for (; x->n_views < n; x->n_views++) {
        size_t d = x->doc + x->n_views;
        enum takc_status st = x->r->c->load(x->r->c->arg, d, &x->views[x->n_views], err);
        if (st)
            return takc_err_prefix(err, st, "%.*s", TAKC_STR_ARG(x->r->c->docs[d].name));
        if (s->first_unit[d] + x->views[x->n_views].units->n_units != s->first_unit[d + 1]) {
            x->n_views++; /* it is loaded, and so to be given back */
            return takc_fail(err, TAKC_INVALID, 0, "the documents are not those of the selection");
        }
    }
    return TAKC_OK;
}

static enum takc_status put_item(struct takc_gen_source *x, size_t *cap, const struct takc_gen_item *it, struct takc_err *err)
{
    if (x->n_items == *cap) {
        size_t n = *cap ? 2 * *cap : 64;
        struct takc_gen_item *v = takc_arena_array(&x->arena, n, sizeof(*v));
        if (!v)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a prompt");
        if (x->n_items)
            memcpy(v, x->items, x->n_items * sizeof(*v));
        x->items = v;
        *cap = n;
    }
    x->items[x->n_items++] = *it;
    return TAKC_OK;
}

static enum takc_status dup(struct takc_gen_source *x, struct takc_str s, struct takc_str *out, struct takc_err *err)
{
    *out = takc_arena_dup(&x->arena, s);
    return out->ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a prompt");
}

/* ---- units ---- */

static enum takc_status unit_text(const struct takc_gen_source *x, uint32_t unit, struct takc_buf *out, struct takc_err *err)
{
    size_t d = takc_gen_doc_of(x->r->s, unit);
    const struct takc_corpus_view *v = &x->views[d - x->doc];
    takc_buf_reset(out);
    return takc_unit_show(v->units, unit - x->r->s->first_unit[d], v->text, x->r->o->extractive.clean_level, out, err);
}

/* The heading or anchor line to show before this unit, or NULL. */
static enum takc_status unit_mark(struct lister *l, size_t view, uint32_t local, const char **out)
{
    struct takc_gen_source *x = l->x;
    const struct takc_corpus_view *v = &x->views[view];
    uint32_t a = v->units->units[local].anchor;
    struct takc_str line;
    if (!a || a == l->anchor)
        return TAKC_OK;
    l->anchor = a;
    takc_buf_reset(&l->text);
    enum takc_status st = takc_anchor_show(v->units, a - 1, v->text, &l->text, l->err);
    if (!st && l->text.len) {
        st = dup(x, takc_buf_str(&l->text), &line, l->err);
        *out = line.ptr;
    }
    return st;
}

static enum takc_status list_unit(struct lister *l, size_t view, uint32_t unit)
{
    struct takc_gen_source *x = l->x;
    struct takc_gen_item it = {.n_units = 1, .doc = (uint32_t)view, .mt = x->r->unit_mt[unit]};
    uint32_t *own = takc_arena_array(&x->arena, 1, sizeof(*own));
    if (!own)
        return takc_fail(l->err, TAKC_NOMEM, 0, "no memory for a prompt");
    *own = unit;
    it.units = own;
    it.quoted = x->r->unit_flags[unit] & TAKC_UNIT_INSTRUCTS;
    enum takc_status st = unit_mark(l, view, unit - x->r->s->first_unit[x->doc + view], &it.mark);
    if (!st)
        st = unit_text(x, unit, &l->text, l->err);
    if (!st)
        st = dup(x, takc_buf_str(&l->text), &it.text, l->err);
    return st ? st : put_item(x, &l->cap, &it, l->err);
}

/* A heading that is no unit to write about stands before the next as it is. */
static enum takc_status list_units(struct lister *l, const struct takc_gen_window *w)
{
    struct takc_gen_source *x = l->x;
    enum takc_status st = TAKC_OK;
    size_t view = SIZE_MAX;
    for (uint32_t i = w->from; i < w->to && !st; i++) {
        size_t v = takc_gen_doc_of(x->r->s, i) - x->doc;
        if (v != view)
            l->anchor = 0;
        view = v;
        if (takc_gen_eligible(x->r, i))
            st = list_unit(l, view, i);
    }
    return st;
}

/* The last units before the window, of the same document, as many as fit; none that instructs. */
static enum takc_status list_context(struct lister *l, const struct takc_gen_window *w)
{
    struct takc_gen_source *x = l->x;
    uint32_t first = x->r->s->first_unit[x->doc], at = w->from;
    uint64_t mt = 0;
    struct takc_buf all;
    enum takc_status st = TAKC_OK;
    while (at > first && mt + x->r->unit_mt[at - 1] <= (uint64_t)x->r->o->window_overlap * 1000)
        mt += x->r->unit_mt[--at];
    takc_buf_init(&all, TAKC_BUF_MAX_REPLY);
    for (; at < w->from && !st; at++) {
        if (!takc_gen_eligible(x->r, at) || x->r->unit_flags[at] & TAKC_UNIT_INSTRUCTS)
            continue;
        st = unit_text(x, at, &l->text, l->err);
        if (!st)
            st = takc_buf_add(&all, takc_buf_str(&l->text), l->err);
        if (!st)
            st = takc_buf_byte(&all, '\n', l->err);
    }
    if (!st)
        st = dup(x, takc_buf_str(&all), &x->context, l->err);
    takc_buf_clear(&all);
    return st;
}

/* ---- lines of the finer rate ---- */

static enum takc_status list_lines_of(struct lister *l, const struct takc_gen_window *child, takc_rate rate, const bool *chosen)
{
    struct takc_gen_source *x = l->x;
    enum takc_status st = TAKC_OK;
    (void)rate;
    for (size_t i = 0; i < child->n_lines && !st; i++) {
        const struct takc_gen_line *k = &child->lines[i];
        struct takc_gen_item it = {.text = k->text, .units = k->units, .n_units = k->n_units, .mt = k->mt};
        it.doc = (uint32_t)(takc_gen_doc_of(x->r->s, k->units[0]) - x->doc);
        if (chosen[i])
            st = put_item(x, &l->cap, &it, l->err);
    }
    return st;
}

static enum takc_status list_lines(struct lister *l, const struct takc_gen_window *w, const struct takc_gen_level *finer)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < w->n_children && !st; i++) {
        const struct takc_gen_window *child = &finer->v[w->child + i];
        bool *chosen = takc_arena_array(&l->x->arena, child->n_lines + 1, sizeof(*chosen));
        if (!chosen)
            return takc_fail(l->err, TAKC_NOMEM, 0, "no memory for %zu lines", child->n_lines);
        (void)takc_gen_worth(child, finer->rate, chosen);
        st = list_lines_of(l, child, finer->rate, chosen);
    }
    return st;
}

/* The last lines before, of the same document. */
static enum takc_status list_lines_before(struct lister *l, const struct takc_gen_window *w, const struct takc_gen_level *finer)
{
    struct takc_gen_source *x = l->x;
    const struct takc_gen_window *child = w->child ? &finer->v[w->child - 1] : NULL;
    uint64_t mt = 0;
    enum takc_status st = TAKC_OK;
    if (!child || !x->n_items)
        return TAKC_OK;
    size_t at = child->n_lines, doc = takc_gen_doc_of(x->r->s, x->items[0].units[0]);
    while (at > 0 && mt + child->lines[at - 1].mt <= (uint64_t)x->r->o->condense_overlap * 1000 &&
           takc_gen_doc_of(x->r->s, child->lines[at - 1].units[0]) == doc)
        mt += child->lines[--at].mt;
    takc_buf_reset(&l->text);
    for (; at < child->n_lines && !st; at++) {
        st = takc_buf_add(&l->text, child->lines[at].text, l->err);
        if (!st)
            st = takc_buf_byte(&l->text, '\n', l->err);
    }
    return st ? st : dup(x, takc_buf_str(&l->text), &x->context, l->err);
}

/* ---- echoes ---- */

/* Adds the words of items of one kind to a table. */
static enum takc_status gather_words(const struct takc_gen_source *x, bool quoted, struct takc_intern *out, struct takc_err *err)
{
    struct takc_words words;
    struct takc_word word;
    enum takc_status st = TAKC_OK;
    takc_words_init(&words, (struct takc_str){NULL, 0});
    for (size_t i = 0; i < x->n_items && !st; i++) {
        uint32_t ignored;
        if (x->items[i].quoted != quoted)
            continue;
        takc_words_restart(&words, x->items[i].text);
        while (!st && takc_words_next(&words, &word))
            if (!word.article && !takc_word_is_stop(word.norm))
                st = takc_intern_add(out, word.norm, &ignored, err);
    }
    return takc_words_end(&words, st, err);
}

static enum takc_status find_echoes(struct takc_gen_source *x, struct takc_err *err)
{
    struct takc_intern said, planted;
    enum takc_status st = TAKC_OK;
    bool any = false;
    for (size_t i = 0; i < x->n_items; i++)
        any |= x->items[i].quoted;
    if (!any)
        return TAKC_OK;
    takc_intern_init(&said);
    takc_intern_init(&planted);
    st = gather_words(x, false, &said, err);
    if (!st)
        st = gather_words(x, true, &planted, err);
    for (uint32_t i = 0; i < planted.n && !st; i++) {
        uint32_t ignored;
        if (takc_intern_find(&said, takc_intern_get(&planted, i)) == TAKC_INTERN_NONE)
            st = takc_intern_add(&x->echoes, takc_intern_get(&planted, i), &ignored, err);
    }
    takc_intern_clear(&said);
    takc_intern_clear(&planted);
    return st;
}

enum takc_status takc_gen_echoes(const struct takc_gen_source *x, struct takc_str line, bool *out, struct takc_err *err)
{
    struct takc_words words;
    struct takc_word word;
    *out = false;
    if (!x->echoes.n)
        return TAKC_OK;
    takc_words_init(&words, line);
    while (!*out && takc_words_next(&words, &word))
        *out = takc_intern_find(&x->echoes, word.norm) != TAKC_INTERN_NONE;
    return takc_words_end(&words, TAKC_OK, err);
}

/* ---- the whole ---- */

enum takc_status takc_gen_source_open(struct takc_gen_source *x, const struct takc_gen_run *r, const struct takc_gen_window *w,
                                      const struct takc_gen_level *finer, struct takc_err *err)
{
    struct lister l = {.x = x, .err = err};
    *x = (struct takc_gen_source){.r = r};
    takc_arena_init(&x->arena);
    takc_intern_init(&x->echoes);
    takc_buf_init(&l.text, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st = load_views(x, w, err);
    if (!st && finer)
        st = list_lines(&l, w, finer);
    else if (!st)
        st = list_units(&l, w);
    if (!st)
        st = finer ? list_lines_before(&l, w, finer) : list_context(&l, w);
    if (!st)
        st = find_echoes(x, err);
    takc_buf_clear(&l.text);
    return st;
}

void takc_gen_source_clear(struct takc_gen_source *x)
{
    for (size_t i = 0; i < x->n_views; i++)
        x->r->c->unload(x->r->c->arg, &x->views[i]);
    takc_free(x->views);
    takc_arena_clear(&x->arena);
    takc_intern_clear(&x->echoes);
    *x = (struct takc_gen_source){0};
}

enum takc_status takc_gen_judge(const struct takc_gen_source *x, struct takc_str line, const uint32_t *units, size_t n_units, bool *out_ok,
                                char why[256], struct takc_err *err)
{
    size_t doc = takc_gen_doc_of(x->r->s, units[0]), n = 0, cap = 0;
    const struct takc_corpus_view *v = &x->views[doc - x->doc];
    struct takc_span *spans = NULL;
    struct takc_str *quotes = NULL;
    enum takc_status st = takc_written_spans(v->units, x->r->s->first_unit[doc], units, n_units, &spans, &n, &cap, err);
    if (!st && !(quotes = takc_alloc_array(n, sizeof(*quotes))))
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu quotes", n);
    for (size_t i = 0; i < n && !st; i++)
        if (spans[i].end > v->text.len)
            st =
                takc_fail(err, TAKC_CORRUPT, 0, "span %u..%u is no part of a text of %zu bytes", spans[i].start, spans[i].end, v->text.len);
        else
            quotes[i] = takc_str_slice(v->text, spans[i].start, spans[i].end);
    if (!st)
        st = x->r->o->guard(x->r->o->arg, line, quotes, n, out_ok, why, err);
    takc_free(spans);
    takc_free(quotes);
    return st;
}
