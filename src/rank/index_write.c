/* SPDX-License-Identifier: Apache-2.0
 *
 * index_write.c - builds the unit index of a version, one document at a time: records into a piece a part, which goes to a file as it
 * grows, term counts into postings_write.c; the header is known last and read first. Nothing in it depends on time, host or threads: same
 * inputs, same bytes. */
#include "rank/build.h"

#include "base/alloc.h"
#include "base/utf8.h"

struct builder {
    const struct takc_corpus *corpus;
    const struct takc_selection *selection;
    struct takc_pieces *out; /* the header, then the parts */
    uint32_t n[TAKC_PARTS_N], n_terms;
    uint64_t lengths[TAKC_LEVELS];
    struct takc_postings_builder postings;
    /* of the document at hand */
    uint16_t *n_tokens;
    uint32_t *bag;     /* terms of each unit itself, and of the table header before it */
    uint32_t *heading; /* heading above each unit, or that it is: number + 1 */
    uint32_t *above;   /* terms of the heading above each unit */
    size_t tokens_cap, bag_cap, above_cap, heading_cap;
};

_Static_assert((int)TAKC_INDEX_PIECES == 1 + (int)TAKC_PARTS_N && (int)TAKC_INDEX_PIECES <= (int)TAKC_PIECES_MAX,
               "a piece for the header and each part");

static struct takc_spill *part_of(const struct builder *b, int part)
{
    return &b->out->piece[1 + part];
}

static void builder_clear(struct builder *b)
{
    takc_postings_builder_clear(&b->postings);
    takc_free(b->n_tokens);
    takc_free(b->bag);
    takc_free(b->heading);
    takc_free(b->above);
}

/* Appends numbers of the given widths (bytes) to a part. */
struct field {
    uint64_t v;
    unsigned bytes;
};
static enum takc_status put(struct builder *b, enum takc_index_part part, const struct field *f, size_t n, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < n; i++)
        st = takc_buf_le(&part_of(b, part)->buf, f[i].v, f[i].bytes, err);
    b->n[part] += !st;
    return st;
}
#define PUT(b, part, err, ...)                                                                                                             \
    put(b, part, (const struct field[]){__VA_ARGS__}, sizeof((const struct field[]){__VA_ARGS__}) / sizeof(struct field), err)

static uint64_t at_most(uint64_t v, uint64_t max)
{
    return v < max ? v : max;
}

/* A hash in hexadecimal as bytes; anything else becomes zeros (fabricated corpora have none). */
static enum takc_status put_hex(struct takc_buf *out, const struct takc_hex *hex, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    bool ok = takc_hex_valid(takc_str_n(hex->s, strnlen(hex->s, sizeof(hex->s))));
    for (size_t i = 0; !st && i < TAKC_SHA256_HEX; i += 2) {
        unsigned v = 0;
        for (size_t k = i; ok && k < i + 2; k++)
            v = v * 16 + (unsigned)(hex->s[k] <= '9' ? hex->s[k] - '0' : hex->s[k] - 'a' + 10);
        st = takc_buf_byte(out, (char)v, err);
    }
    return st;
}

static enum takc_status put_doc(struct builder *b, size_t i, const struct takc_units *u, struct takc_err *err)
{
    const struct takc_corpus_doc *d = &b->corpus->docs[i];
    struct takc_spill *strings = part_of(b, TAKC_PART_STRINGS);
    struct takc_str title = d->title;
    title.len = title.len > UINT16_MAX ? UINT16_MAX : title.len;
    while (!takc_utf8_boundary(d->title, title.len))
        title.len--;
    if (d->name.len > UINT16_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "index: a document's name has %zu bytes", d->name.len);
    uint64_t flags = (d->has_date ? TAKC_DOC_DATED : 0) | (b->selection->show_title[i] ? TAKC_DOC_SHOW_TITLE : 0);
    enum takc_status st = PUT(b, TAKC_PART_DOCS, err, {takc_spill_len(strings), 4}, {d->name.len, 2}, {title.len, 2},
                              {d->title_span.start, 4}, {d->title_span.end, 4}, {(uint32_t)d->date, 4}, {flags, 2},
                              {at_most(u->n_title_terms, UINT16_MAX), 2}, {b->selection->first_unit[i], 4}, {b->n[TAKC_PART_ANCHORS], 4});
    if (!st)
        st = put_hex(&part_of(b, TAKC_PART_DOCS)->buf, &d->source_sha, err);
    if (!st)
        st = put_hex(&part_of(b, TAKC_PART_DOCS)->buf, &d->text_sha, err);
    if (!st)
        st = takc_buf_add(&strings->buf, d->name, err);
    return st ? st : takc_buf_add(&strings->buf, title, err);
}

static enum takc_status put_anchors(struct builder *b, const struct takc_units *u, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < u->n_anchors; i++) {
        const struct takc_anchor *a = &u->anchors[i];
        st = PUT(b, TAKC_PART_ANCHORS, err, {a->heading.start, 4}, {a->heading.end, 4}, {a->header.start, 4}, {a->header.end, 4},
                 {a->kind, 4});
    }
    return st;
}

/* Up to 8 spans of a unit into the table; what is more is joined to the last. */
static enum takc_status put_spans(struct builder *b, const struct takc_units *u, const struct takc_unit *unit, uint32_t n,
                                  struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    const struct takc_span *s = u->spans + unit->span_at;
    for (uint32_t i = 0; !st && i < n; i++)
        st = PUT(b, TAKC_PART_SPANS, err, {s[i].start, 4}, {i + 1 == n ? s[unit->n_spans - 1].end : s[i].end, 4});
    return st;
}

/* Terms of title + heading + unit. */
static uint64_t unit_bag(const struct builder *b, const struct takc_units *u, uint32_t i)
{
    return at_most(u->n_title_terms + (uint64_t)b->above[i] + b->bag[i], UINT16_MAX);
}

/* A heading below which nothing stands before the next one says something itself ("DEFAULT", then "CURL_SSLVERSION_DEFAULT" in a line of
 * its own): it is no bare heading for ranking. */
static uint64_t ranking_flags(const struct takc_units *u, uint32_t i)
{
    const struct takc_unit *unit = &u->units[i];
    bool empty = i + 1 == u->n_units || u->units[i + 1].kind == TAKC_UNIT_HEADING;
    return unit->flags & (empty ? (uint64_t)~TAKC_UNIT_BARE : UINT64_MAX);
}

static enum takc_status put_unit(struct builder *b, size_t doc, const struct takc_units *u, uint32_t i, struct takc_err *err)
{
    const struct takc_unit *unit = &u->units[i];
    uint32_t all = b->selection->first_unit[doc] + i, n = 0;
    struct takc_span one = unit->n_spans ? u->spans[unit->span_at] : (struct takc_span){0, 0};
    uint64_t start = one.start, len = one.end - one.start;
    enum takc_status st = TAKC_OK;
    if (unit->n_spans > 1 || len > UINT16_MAX) {
        n = unit->n_spans < 8 ? unit->n_spans : 8;
        start = b->n[TAKC_PART_SPANS];
        len = 0;
        st = put_spans(b, u, unit, n, err);
    }
    uint64_t kind = (unit->kind & 15) | (uint64_t)(b->selection->rung[all] & 15) << 4;
    if (!st && unit->anchor > 0xFFFFFF)
        st = takc_fail(err, TAKC_FULL, 0, "index: more than 2^24 tables in a document");
    if (!st)
        st = PUT(b, TAKC_PART_UNITS, err, {start, 4}, {len, 2}, {kind, 1}, {unit->block, 4}, {unit->anchor, 3},
                 {at_most(unit->raw_mt, 0xFFFFFF), 3}, {b->selection->salience[all], 2}, {unit->n_tokens, 2},
                 {ranking_flags(u, i) | (uint64_t)n << TAKC_UNIT_FLAG_BITS, 2});
    if (!st)
        st = PUT(b, TAKC_PART_BAGS, err, {unit_bag(b, u, i), 2});
    if (!st && b->selection->twin[all])
        st = PUT(b, TAKC_PART_TWINS, err, {all, 4}, {b->selection->twin[all], 4});
    return st;
}

/* What stands above the rows of a table, or the term of a description. It is no unit: its words count as those of the first row. */
static struct takc_str header_of(const struct takc_corpus_view *v, uint32_t anchor)
{
    struct takc_span s = v->units->anchors[anchor - 1].header;
    return takc_str_slice(v->text, s.start, s.end);
}

static enum takc_status put_section(struct builder *b, const struct takc_units *u, uint32_t first, struct takc_range units,
                                    uint32_t heading, struct takc_err *err)
{
    const struct takc_heading *h = heading ? &u->headings[heading - 1] : NULL;
    const uint32_t *terms = h ? u->heading_terms + u->heading_at[heading - 1] : NULL;
    uint32_t n_terms = h ? u->heading_at[heading] - u->heading_at[heading - 1] : 0;
    uint32_t block = h && h->unit ? u->units[h->unit - 1].block + 1 : 0, id = b->n[TAKC_PART_SECTIONS];
    struct takc_span span = h ? h->span : (struct takc_span){0, 0};
    uint64_t len = span.end - span.start <= UINT16_MAX ? span.end - span.start : 0; /* longer ones are counted, not shown */
    enum takc_status st = takc_postings_count(&b->postings, TAKC_LIST_SECTION, id, terms, n_terms, err);
    if (!st)
        st = PUT(b, TAKC_PART_SECTIONS, err, {units.from, 4}, {span.start, 4}, {len, 2}, {at_most(n_terms, UINT16_MAX), 2}, {block, 4});
    struct takc_postings_builder *p = &b->postings;
    if (!st)
        st = takc_grow(&p->section_units, &p->sections_cap, p->n_sections + 1, sizeof(*p->section_units), err);
    for (uint32_t i = units.from - first; i < units.to - first; i++) /* headings hold their words themselves */
        b->above[i] = u->units[i].kind == TAKC_UNIT_HEADING ? 0 : (uint32_t)at_most(n_terms, UINT16_MAX);
    units.from += b->heading[units.from - first] && u->units[units.from - first].kind == TAKC_UNIT_HEADING;
    if (!st)
        p->section_units[p->n_sections++] = units;
    return st;
}

/* Cuts the document into runs of units below one heading; a heading that is a unit begins its own run. */
static enum takc_status put_sections(struct builder *b, const struct takc_units *u, uint32_t first, struct takc_err *err)
{
    uint32_t n = (uint32_t)u->n_units, from = 0;
    enum takc_status st = takc_grow(&b->above, &b->above_cap, n, sizeof(*b->above), err);
    if (!st)
        st = takc_grow(&b->heading, &b->heading_cap, n, sizeof(*b->heading), err);
    for (uint32_t i = 0; !st && i < n; i++)
        b->heading[i] = u->units[i].kind == TAKC_UNIT_HEADING ? 0 : u->units[i].heading;
    for (uint32_t h = 0; !st && h < u->n_headings; h++)
        if (u->headings[h].unit && u->units[u->headings[h].unit - 1].kind == TAKC_UNIT_HEADING)
            b->heading[u->headings[h].unit - 1] = h + 1;
    for (uint32_t i = 0; !st && i < n; i++) {
        if (i + 1 < n && b->heading[i + 1] == b->heading[i])
            continue;
        st = put_section(b, u, first, (struct takc_range){first + from, first + i + 1}, b->heading[i], err);
        from = i + 1;
    }
    return st;
}

/* Counts the terms of units, and notes each unit's words. */
static enum takc_status count_units(struct builder *b, const struct takc_corpus_view *v, uint32_t first, struct takc_err *err)
{
    const struct takc_units *u = v->units;
    uint32_t n = (uint32_t)u->n_units, anchor = 0;
    enum takc_status st = takc_grow(&b->n_tokens, &b->tokens_cap, n, sizeof(*b->n_tokens), err);
    if (!st)
        st = takc_grow(&b->bag, &b->bag_cap, n, sizeof(*b->bag), err);
    for (uint32_t i = 0; !st && i < n; i++) {
        const struct takc_unit *unit = &u->units[i];
        b->n_tokens[i] = unit->n_tokens;
        b->bag[i] = unit->n_terms;
        st = takc_postings_count(&b->postings, TAKC_LIST_UNIT, first + i, u->terms + unit->term_at, unit->n_terms, err);
        if (st || !unit->anchor || unit->anchor <= anchor)
            continue;
        anchor = unit->anchor;
        b->n_tokens[i] += takc_words_count(header_of(v, anchor));
        st = takc_postings_text(&b->postings, TAKC_LIST_UNIT, first + i, header_of(v, anchor), &b->bag[i], err);
    }
    return st;
}

static enum takc_status put_windows(struct builder *b, const struct takc_units *u, uint32_t first, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (int l = 1; l < TAKC_LEVELS; l++) {
        struct takc_window_cutter c = {.n_tokens = b->n_tokens, .n_units = (uint32_t)u->n_units, .width = takc_level_width[l]};
        struct takc_window w;
        while (!st && takc_window_next(&c, &w)) {
            uint64_t bag = at_most(u->n_title_terms, UINT16_MAX) + b->above[w.first];
            for (uint32_t i = 0; i < w.n; i++)
                bag += b->bag[w.first + i];
            bag = at_most(bag, UINT16_MAX);
            b->lengths[l] += bag;
            st = PUT(b, TAKC_PART_WIN64 + l - 1, err, {first + w.first, 4}, {w.n, 2}, {bag, 2});
        }
    }
    return st;
}

static enum takc_status count_title(struct builder *b, size_t doc, const struct takc_units *u, uint32_t first, struct takc_err *err)
{
    struct takc_postings_builder *p = &b->postings;
    enum takc_status st = takc_grow(&p->doc_units, &p->docs_cap, p->n_docs + 1, sizeof(*p->doc_units), err);
    if (st)
        return st;
    p->doc_units[p->n_docs++] = (struct takc_range){first, first + (uint32_t)u->n_units};
    return takc_postings_count(p, TAKC_LIST_TITLE, (uint32_t)doc, u->title_terms, u->n_title_terms, err);
}

static enum takc_status add_units(struct builder *b, size_t doc, const struct takc_corpus_view *v, struct takc_err *err)
{
    const struct takc_units *u = v->units;
    uint32_t first = b->selection->first_unit[doc];
    if (b->selection->first_unit[doc + 1] - first != u->n_units)
        return takc_fail(err, TAKC_INVALID, 0, "index: %.*s has %zu units, the selection knows %u", TAKC_STR_ARG(b->corpus->docs[doc].name),
                         u->n_units, b->selection->first_unit[doc + 1] - first);
    enum takc_status st = put_doc(b, doc, u, err);
    if (!st)
        st = put_anchors(b, u, err);
    if (!st)
        st = takc_postings_begin(&b->postings, &u->vocabulary, err);
    if (!st)
        st = count_title(b, doc, u, first, err);
    if (!st)
        st = count_units(b, v, first, err);
    if (!st)
        st = put_sections(b, u, first, err);
    for (uint32_t i = 0; !st && i < u->n_units; i++) {
        b->lengths[TAKC_LEVEL_UNIT] += unit_bag(b, u, i);
        st = put_unit(b, doc, u, i, err);
    }
    return st ? st : put_windows(b, u, first, err);
}

static enum takc_status add_doc(struct builder *b, size_t doc, struct takc_err *err)
{
    struct takc_corpus_view view = {0};
    enum takc_status st = b->corpus->load(b->corpus->arg, doc, &view, err);
    if (st)
        return st;
    st = add_units(b, doc, &view, err);
    b->corpus->unload(b->corpus->arg, &view);
    for (size_t i = 0; !st && i < b->out->n; i++)
        st = takc_pieces_settle(b->out, i, err);
    return st;
}

static enum takc_status put_order(struct builder *b, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < b->selection->n_order; i++) {
        st = PUT(b, TAKC_PART_ORDER, err, {b->selection->order[i], 4});
        if (!st)
            st = takc_pieces_settle(b->out, 1 + TAKC_PART_ORDER, err);
    }
    return st;
}

/* Everything of the header behind magic and version, up to the checksum. */
static enum takc_status put_header(const struct builder *b, struct takc_buf *out, struct takc_err *err)
{
    static const char print[TAKC_INDEX_PRINT_BYTES] =
        "index " TAKC_INDEX_VERSION " units " TAKC_UNITS_VERSION " extractive " TAKC_EXTRACTIVE_VERSION;
    uint64_t at[TAKC_PARTS_N + 1] = {TAKC_HEAD_BYTES};
    for (int p = 0; p < TAKC_PARTS_N; p++)
        at[p + 1] = (at[p] + takc_spill_len(part_of(b, p)) + 7) / 8 * 8;
    enum takc_status st = takc_buf_add(out, takc_str(TAKC_INDEX_MAGIC), err);
    if (!st)
        st = takc_buf_le(out, TAKC_INDEX_FORMAT, 8, err);
    if (!st)
        st = takc_buf_le(out, at[TAKC_PARTS_N], 8, err);
    if (!st)
        st = takc_buf_add(out, takc_str_n(print, sizeof(print)), err);
    for (int p = 0; !st && p < TAKC_PARTS_N; p++)
        st = takc_buf_le(out, b->n[p], 4, err);
    while (!st && out->len < TAKC_HEAD_TERMS)
        st = takc_buf_byte(out, 0, err);
    if (!st)
        st = takc_buf_le(out, b->n_terms, 8, err);
    for (int l = 0; !st && l < TAKC_LEVELS; l++)
        st = takc_buf_le(out, b->lengths[l], 8, err);
    for (int p = 0; !st && p < TAKC_PARTS_N; p++)
        st = takc_buf_le(out, at[p], 8, err);
    return st ? st : takc_buf_le(out, takc_hash64(takc_buf_str(out), 0), 8, err);
}

static enum takc_status pad_parts(struct builder *b, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (int p = 0; p < TAKC_PARTS_N; p++)
        while (!st && takc_spill_len(part_of(b, p)) % 8)
            st = takc_buf_byte(&part_of(b, p)->buf, 0, err);
    return st;
}

enum takc_status takc_index_make(const struct takc_corpus *c, const struct takc_selection *s, struct takc_call *call,
                                 struct takc_pieces *out, struct takc_err *err)
{
    if (s->n_docs != c->n_docs || s->n_units > INT32_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "index: the selection is of another corpus");
    struct builder b = {.corpus = c, .selection = s, .out = out};
    takc_postings_builder_init(&b.postings);
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < c->n_docs; i++) {
        st = takc_call_check(call, err);
        if (!st)
            st = add_doc(&b, i, err);
        if (!st)
            takc_call_progress(call, "index", "documents", i + 1, c->n_docs);
    }
    if (!st)
        st = put_order(&b, err);
    if (!st)
        st = takc_postings_write(&b.postings, out, 1 + TAKC_PART_DICT_INDEX, &b.n_terms, err);
    b.n[TAKC_PART_DICT_INDEX] = (b.n_terms + TAKC_DICT_BLOCK_TERMS - 1) / TAKC_DICT_BLOCK_TERMS;
    if (!st)
        st = put_header(&b, &out->piece[0].buf, err);
    if (!st)
        st = pad_parts(&b, err);
    builder_clear(&b);
    return st;
}

enum takc_status takc_index_build(const struct takc_corpus *c, const struct takc_selection *s, struct takc_call *call, struct takc_buf *out,
                                  struct takc_err *err)
{
    struct takc_pieces pieces;
    takc_pieces_init(&pieces, TAKC_INDEX_PIECES, NULL);
    enum takc_status st = takc_index_make(c, s, call, &pieces, err);
    if (!st)
        st = takc_pieces_join(&pieces, out, err);
    takc_pieces_clear(&pieces);
    return st;
}
