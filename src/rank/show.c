/* SPDX-License-Identifier: Apache-2.0
 *
 * show.c - what a reader sees of chosen units: the text of their spans with white space folded, uncleaned, in document order; before them,
 * once, the document's title where it is needed, and the anchor ("[heading / header]") or the heading of rows. Documents without a shown
 * title are set apart by an empty line. The same text for the same units, whatever chose them. */
#include "rank/query.h"

static size_t place_of(const struct takc_keys *k, uint64_t key)
{
    size_t i = (size_t)((key * 0x9E3779B97F4A7C15u) >> 32) & (k->cap - 1);
    while (k->keys[i] && k->keys[i] != key + 1)
        i = (i + 1) & (k->cap - 1);
    return i;
}

bool takc_keys_have(const struct takc_keys *k, uint64_t key)
{
    return k->cap && k->keys[place_of(k, key)];
}

enum takc_status takc_keys_at(struct takc_keys *k, uint64_t key, uint32_t **out_value, bool *out_new, struct takc_err *err)
{
    if ((k->n + 1) * 2 > k->cap) {
        struct takc_keys wide = {.arena = k->arena, .cap = k->cap ? k->cap * 2 : 64};
        wide.keys = takc_arena_array(k->arena, wide.cap, sizeof(*wide.keys));
        wide.values = takc_arena_array(k->arena, wide.cap, sizeof(*wide.values));
        if (!wide.keys || !wide.values)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for the keys of a query");
        for (size_t i = 0; i < k->cap; i++) {
            uint32_t *value;
            bool is_new;
            if (k->keys[i] && takc_keys_at(&wide, k->keys[i] - 1, &value, &is_new, NULL) == TAKC_OK)
                *value = k->values[i];
        }
        *k = wide;
    }
    size_t i = place_of(k, key);
    *out_new = k->keys[i] == 0;
    if (*out_new) {
        k->keys[i] = key + 1;
        k->n++;
    }
    *out_value = &k->values[i];
    return TAKC_OK;
}

/* A string that grows in an arena, for lines: as long as the spans it comes from at most. */
struct line {
    char *ptr;
    size_t len;
    bool blank; /* a blank is due before the next byte */
};

static enum takc_status line_init(struct line *l, struct takc_arena *arena, size_t max, struct takc_err *err)
{
    *l = (struct line){.ptr = takc_arena_alloc(arena, max + 1)};
    return l->ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a line of %zu bytes", max);
}

static void line_byte(struct line *l, char c)
{
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
        l->blank = l->len > 0;
        return;
    }
    if (l->blank)
        l->ptr[l->len++] = ' ';
    l->blank = false;
    l->ptr[l->len++] = c;
}

/* Adds a span of text (checked), white space folded, a blank before it. */
static void line_span(struct line *l, struct takc_str text, struct takc_span s)
{
    l->blank = l->len > 0;
    for (uint32_t i = s.start; i < s.end; i++)
        line_byte(l, text.ptr[i]);
}

void takc_show_init(struct takc_show *s, const struct takc_index *x, takc_text_fn *text, void *text_arg, struct takc_arena *arena)
{
    *s = (struct takc_show){.x = x, .text = text, .text_arg = text_arg, .arena = arena, .by_doc = {.arena = arena}};
}

/* Distinct content stems of a title. */
static enum takc_status title_stems(struct takc_show *s, struct takc_shown_doc *d, struct takc_err *err)
{
    struct takc_words words;
    struct takc_word w;
    size_t cap = 0;
    enum takc_status st = TAKC_OK;
    takc_words_init(&words, d->title);
    while (!st && takc_words_next(&words, &w)) {
        struct takc_str stem = takc_word_stem(w.norm);
        bool skip = w.article || takc_word_is_stop(w.norm);
        for (size_t i = 0; !skip && i < d->n_title_stems; i++)
            skip = takc_str_eq(d->title_stems[i], stem);
        if (skip)
            continue;
        st = takc_arena_grow(s->arena, &d->title_stems, &cap, d->n_title_stems + 1, sizeof(*d->title_stems), err);
        if (!st)
            d->title_stems[d->n_title_stems] = takc_arena_dup(s->arena, stem);
        if (!st && !d->title_stems[d->n_title_stems++].ptr)
            st = takc_fail(err, TAKC_NOMEM, 0, "no memory for a title");
    }
    return takc_words_end(&words, st, err);
}

static enum takc_status load_doc(struct takc_show *s, uint32_t doc, struct takc_shown_doc *d, struct takc_err *err)
{
    struct takc_index_doc record;
    enum takc_status st = takc_index_doc_at(s->x, doc, &record, err);
    *d = (struct takc_shown_doc){.doc = doc};
    if (!st)
        st = s->text(s->text_arg, doc, &d->text, err);
    if (st)
        return st;
    struct line title;
    st = line_init(&title, s->arena, record.title.len, err);
    for (size_t i = 0; !st && i < record.title.len; i++)
        line_byte(&title, record.title.ptr[i]);
    if (!st)
        d->title = takc_str_n(title.ptr, title.len);
    return st ? st : title_stems(s, d, err);
}

enum takc_status takc_show_doc(struct takc_show *s, uint32_t doc, struct takc_shown_doc **out, struct takc_err *err)
{
    uint32_t *at;
    bool is_new;
    enum takc_status st = takc_keys_at(&s->by_doc, doc, &at, &is_new, err);
    if (!st && is_new) {
        st = takc_arena_grow(s->arena, &s->docs, &s->docs_cap, s->n_docs + 1, sizeof(*s->docs), err);
        if (!st)
            st = load_doc(s, doc, &s->docs[s->n_docs], err);
        if (!st)
            *at = (uint32_t)s->n_docs++;
    }
    if (!st)
        *out = &s->docs[*at];
    return st;
}

/* Kinds of keys: document, number and kind share 64 bits. */
enum { KEY_ANCHOR = 1, KEY_HEADING = 2 };
static uint64_t key_of(uint64_t kind, uint32_t doc, uint32_t number)
{
    return kind << 62 | (uint64_t)(doc & INT32_MAX) << 31 | (number & INT32_MAX);
}

static size_t span_len(struct takc_span s)
{
    return s.end - s.start;
}

/* All spans of a unit, its anchor and its heading lie in the text: sizes that are allocated come from them. */
static enum takc_status check_spans(const struct takc_index_unit *u, struct takc_str text, struct takc_err *err)
{
    const struct takc_span others[] = {u->anchor_heading, u->anchor_header, u->heading};
    bool ok = true;
    for (size_t i = 0; i < u->n_spans; i++)
        ok &= u->spans[i].start <= u->spans[i].end && u->spans[i].end <= text.len;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        ok &= others[i].start <= others[i].end && others[i].end <= text.len;
    return ok ? TAKC_OK : takc_index_corrupt(err, "a span reaches behind its document's text");
}

/* "[heading / header]", "[header]" or "[heading]". */
static enum takc_status anchor_line(struct takc_show *s, const struct takc_index_unit *u, struct takc_str text, struct takc_str *out,
                                    struct takc_err *err)
{
    size_t a = span_len(u->anchor_heading), b = span_len(u->anchor_header);
    struct line l;
    *out = (struct takc_str){NULL, 0};
    if (!a && !b)
        return TAKC_OK;
    enum takc_status st = line_init(&l, s->arena, a + b + 5, err);
    if (st)
        return st;
    line_byte(&l, '[');
    struct line inner = {.ptr = l.ptr + 1};
    line_span(&inner, text, u->anchor_heading);
    if (a && b) {
        inner.blank = true;
        line_byte(&inner, '/');
    }
    line_span(&inner, text, u->anchor_header);
    inner.blank = false;
    line_byte(&inner, ']');
    *out = takc_str_n(l.ptr, inner.len + 1);
    return TAKC_OK;
}

static enum takc_status own_line(struct takc_show *s, struct takc_str text, struct takc_shown *out, struct takc_err *err)
{
    const struct takc_index_unit *u = &out->u;
    size_t max = 0;
    struct line l;
    for (size_t i = 0; i < u->n_spans; i++)
        max += span_len(u->spans[i]) + 1;
    enum takc_status st = line_init(&l, s->arena, max, err);
    for (size_t i = 0; !st && i < u->n_spans; i++)
        line_span(&l, text, u->spans[i]);
    if (!st)
        out->line = takc_str_n(l.ptr, l.len);
    if (u->kind == TAKC_UNIT_HEADING)
        out->own_key = key_of(KEY_HEADING, u->doc, u->spans[0].start);
    return st;
}

/* The line that must stand before the unit: its anchor, or a row's heading. */
static enum takc_status line_before(struct takc_show *s, struct takc_str text, struct takc_shown *out, struct takc_err *err)
{
    const struct takc_index_unit *u = &out->u;
    struct line l;
    enum takc_status st = u->anchor ? anchor_line(s, u, text, &out->before, err) : TAKC_OK;
    if (st)
        return st;
    if (out->before.len) {
        out->before_key = key_of(KEY_ANCHOR, u->doc, u->anchor);
    } else if (u->kind == TAKC_UNIT_ROW && span_len(u->heading)) {
        st = line_init(&l, s->arena, span_len(u->heading), err);
        if (st)
            return st;
        line_span(&l, text, u->heading);
        out->before = takc_str_n(l.ptr, l.len);
        out->before_key = key_of(KEY_HEADING, u->doc, u->heading.start);
    }
    return TAKC_OK;
}

enum takc_status takc_show_unit(struct takc_show *s, uint32_t unit, struct takc_shown *out, struct takc_err *err)
{
    struct takc_shown_doc *d;
    *out = (struct takc_shown){.unit = unit};
    enum takc_status st = takc_index_unit_at(s->x, unit, &out->u, err);
    if (!st)
        st = takc_show_doc(s, out->u.doc, &d, err);
    if (!st)
        st = check_spans(&out->u, d->text, err);
    if (!st)
        st = own_line(s, d->text, out, err);
    return st ? st : line_before(s, d->text, out, err);
}

bool takc_show_needs_title(const struct takc_shown_doc *d, struct takc_str line)
{
    if (d->n_title_stems == 0)
        return false;
    struct takc_words words;
    struct takc_word w;
    uint64_t seen = 0;
    takc_words_init(&words, line);
    while ((size_t)__builtin_popcountll(seen) * 2 < d->n_title_stems && takc_words_next(&words, &w)) {
        struct takc_str stem = takc_word_stem(w.norm);
        for (size_t i = 0; i < d->n_title_stems && i < 64; i++)
            if (takc_str_eq(d->title_stems[i], stem))
                seen |= (uint64_t)1 << i;
    }
    takc_words_clear(&words);
    return (size_t)__builtin_popcountll(seen) * 2 < d->n_title_stems;
}

static enum takc_status add_line(struct takc_buf *out, struct takc_str line, struct takc_err *err)
{
    enum takc_status st = takc_buf_add(out, line, err);
    return st ? st : takc_buf_byte(out, '\n', err);
}

/* The line before a unit, unless it stands there already. */
static enum takc_status add_before(struct takc_keys *seen, const struct takc_shown *u, struct takc_buf *out, struct takc_err *err)
{
    uint32_t *value;
    bool is_new = false;
    enum takc_status st = TAKC_OK;
    if (u->own_key)
        st = takc_keys_at(seen, u->own_key, &value, &is_new, err);
    is_new = false;
    if (!st && u->before.len)
        st = takc_keys_at(seen, u->before_key, &value, &is_new, err);
    return st || !is_new ? st : add_line(out, u->before, err);
}

enum takc_status takc_show_context(struct takc_show *s, const struct takc_shown *const *units, size_t n, struct takc_buf *out,
                                   struct takc_err *err)
{
    struct takc_keys seen = {.arena = s->arena};
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < n; i++) {
        struct takc_shown_doc *d;
        if (i == 0 || units[i]->u.doc != units[i - 1]->u.doc) {
            st = takc_show_doc(s, units[i]->u.doc, &d, err);
            if (!st && d->title_shown)
                st = add_line(out, d->title, err);
            else if (!st && i)
                st = takc_buf_byte(out, '\n', err);
        }
        if (!st)
            st = add_before(&seen, units[i], out, err);
        if (!st)
            st = add_line(out, units[i]->line, err);
    }
    return st;
}
