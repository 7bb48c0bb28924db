/* SPDX-License-Identifier: Apache-2.0
 *
 * units.c - cutting and counting one document.
 *
 * Blocks are walked in order. A block and the blocks that continue it become one folded line (logical.h); prose is cut into sentences,
 * other lines stay whole; every piece with a letter or digit in it becomes a unit, counted by features.c and facts.c. State beside that is
 * small: the heading that stands above, the anchor of the table or definition that is open. Scratch memory lives in the builder and is
 * reused, so a unit costs no allocation but the growth of the arrays. */
#include "unit/units.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "token/words.h"
#include "unit/clean.h"
#include "unit/facts.h"
#include "unit/features.h"
#include "unit/logical.h"
#include "unit/sentence.h"
#include "unit/units_parts.h"

#include <unicode/uchar.h>

enum {
    HEADING_WORDS = 3,     /* fewer, and a heading says nothing alone */
    TERM_WORDS = 8,        /* more, and a term's line holds its definition itself */
    GUESSED_LEVEL = 10,    /* headings without a level stand below all that have one, and replace each other */
    BLOCKS_PER_CHECK = 256 /* between two looks at deadline and cancel flag */
};

struct builder {
    struct takc_units *u;
    const struct takc_doc *d;
    struct takc_str text;
    const struct takc_tokenizer *t;
    struct takc_features features;
    struct takc_sentences sentences;
    struct takc_logical line;
    struct takc_buf shown;
    uint32_t *next;         /* per block: number + 1 of the block that continues it */
    uint8_t *joined;        /* per block: continues another */
    uint32_t heading;       /* number + 1 of the heading above; 0: none */
    bool section_opens;     /* the next unit is the first of its section */
    bool crossed;           /* a block went on behind a visible one of another kind: units may be out of order */
    uint32_t table;         /* of the open table */
    uint32_t table_heading; /* heading of the open table, number + 1 */
    bool table_open, table_has_rows;
    struct takc_span header; /* of the open table */
    uint32_t anchor;         /* of the open table: number + 1, 0: not made yet or nothing to show */
    uint32_t term;           /* anchor of the open definition: number + 1 */
};

void takc_units_init(struct takc_units *u)
{
    *u = (struct takc_units){0};
    takc_intern_init(&u->vocabulary);
}

void takc_units_clear(struct takc_units *u)
{
    takc_free(u->units);
    takc_free(u->spans);
    takc_free(u->headings);
    takc_free(u->anchors);
    takc_free(u->terms);
    takc_free(u->facts);
    takc_free(u->title_terms);
    takc_free(u->heading_terms);
    takc_free(u->heading_at);
    takc_intern_clear(&u->vocabulary);
    takc_units_init(u);
}

void takc_units_reset(struct takc_units *u)
{
    u->n_units = u->n_spans = u->n_headings = u->n_anchors = u->n_terms = u->n_facts = u->n_title_terms = u->n_heading_terms = 0;
    u->title_words = u->title_bytes = u->title_mt = 0;
    u->source_words = u->source_bytes = u->source_mt = 0;
    takc_intern_reset(&u->vocabulary);
}

static bool has_word(struct takc_str s)
{
    if (!s.ptr)
        return false;
    for (size_t i = 0; i < s.len;) {
        unsigned char b = (unsigned char)s.ptr[i];
        if (b >= 0x80) {
            if (u_isalnum((UChar32)takc_utf8_next(s, &i, NULL)))
                return true;
            continue;
        }
        if ((b >= '0' && b <= '9') || ((b | 0x20) >= 'a' && (b | 0x20) <= 'z'))
            return true;
        i++;
    }
    return false;
}

/* What the unit measures as shown. */
static enum takc_status measure(struct builder *b, struct takc_str line, struct takc_unit *unit, struct takc_err *err)
{
    takc_buf_reset(&b->shown);
    enum takc_status st = takc_clean(line, (enum takc_unit_kind)unit->kind, 1, &b->shown, err);
    if (st)
        return st;
    struct takc_str shown = takc_buf_str(&b->shown);
    uint64_t words = takc_white_words(shown);
    unit->n_words = (uint16_t)(words > UINT16_MAX ? UINT16_MAX : words);
    unit->n_bytes = (uint32_t)shown.len + 1;
    unit->raw_mt = (uint32_t)takc_tokenizer_line_mt(b->t, line);
    unit->mt = takc_str_eq(shown, line) ? unit->raw_mt : (uint32_t)takc_tokenizer_line_mt(b->t, shown);
    unit->text_hash = takc_hash64(shown, 0);
    return TAKC_OK;
}

/* Bytes from..to of the line become a unit, unless there is no letter or digit in them. */
static enum takc_status add_unit(struct builder *b, enum takc_unit_kind kind, size_t from, size_t to, uint32_t anchor, unsigned flags,
                                 struct takc_err *err)
{
    struct takc_units *u = b->u;
    struct takc_str line = takc_logical_str(&b->line, from, to);
    if (!has_word(line))
        return TAKC_OK;
    enum takc_status st = takc_grow(&u->units, &u->units_cap, u->n_units + 1, sizeof(*u->units), err);
    if (st)
        return st;
    struct takc_unit unit = {.span_at = (uint32_t)u->n_spans,
                             .fact_at = (uint32_t)u->n_facts,
                             .block = takc_logical_tag(&b->line, from),
                             .heading = b->heading,
                             .anchor = anchor,
                             .kind = (uint8_t)kind,
                             .flags = (uint16_t)flags};
    if (b->section_opens && kind != TAKC_UNIT_HEADING)
        unit.flags |= TAKC_UNIT_FIRST;
    st = takc_logical_spans(&b->line, from, to, u, err);
    unit.n_spans = (uint16_t)(u->n_spans - unit.span_at);
    if (!st)
        st = takc_features_count(&b->features, line, u, &unit, err);
    if (!st)
        st = takc_facts_add(u, line, &unit.n_facts, err);
    if (!st)
        st = measure(b, line, &unit, err);
    if (st)
        return st;
    b->section_opens = kind == TAKC_UNIT_HEADING;
    u->units[u->n_units++] = unit;
    return TAKC_OK;
}

/* Collects block i and what continues it into the line; *end is the end of the last piece. */
static enum takc_status gather(struct builder *b, uint32_t i, uint32_t *end, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    takc_logical_reset(&b->line);
    for (uint32_t at = i + 1; !st && at; at = b->next[at - 1]) {
        const struct takc_block *k = &b->d->blocks[at - 1];
        st = takc_logical_add(&b->line, b->text, k->start, k->end, at - 1, err);
        *end = k->end;
    }
    return st;
}

/* Bytes of the bullet that opens a list item, with its blank. */
static size_t bullet(const struct takc_logical *l)
{
    static const char *const marks[] = {"-",
                                        "*",
                                        "+",
                                        "\xE2\x80\xA2",
                                        "\xC2\xB7",
                                        "\xE2\x96\xAA",
                                        "\xE2\x97\xA6",
                                        "\xE2\x80\xA3",
                                        "\xE2\x80\x93",
                                        "\xE2\x80\x94",
                                        "\xE2\x97\x8F",
                                        "\xE2\x96\xA0"};
    struct takc_str s = takc_str_n(l->bytes, l->len);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        size_t n = strlen(marks[i]);
        if (s.len > n + 1 && takc_str_starts(s, takc_str(marks[i])) && s.ptr[n] == ' ')
            return n + 1;
    }
    return 0;
}

static enum takc_status add_prose(struct builder *b, const struct takc_block *k, struct takc_err *err)
{
    size_t from = k->kind == TAKC_BLOCK_ITEM ? bullet(&b->line) : 0;
    struct takc_str line = takc_logical_str(&b->line, from, b->line.len);
    enum takc_unit_kind kind = k->kind == TAKC_BLOCK_ITEM ? TAKC_UNIT_ITEM : TAKC_UNIT_SENTENCE;
    uint32_t anchor = k->flags & TAKC_BLOCK_DESCRIBES ? b->term : 0;
    unsigned flags = k->kind == TAKC_BLOCK_TURN ? TAKC_UNIT_TURN : 0;
    enum takc_status st = takc_sentences_cut(&b->sentences, line, err);
    for (size_t i = 0; !st && i < b->sentences.n; i++) {
        struct takc_span s = b->sentences.items[i];
        st = add_unit(b, kind, from + s.start, from + s.end, anchor, i == 0 ? flags : 0, err);
    }
    return st;
}

static enum takc_status add_whole(struct builder *b, enum takc_unit_kind kind, uint32_t anchor, struct takc_err *err)
{
    enum takc_status st = takc_sentences_whole(&b->sentences, takc_logical_str(&b->line, 0, b->line.len), err);
    for (size_t i = 0; !st && i < b->sentences.n; i++)
        st = add_unit(b, kind, b->sentences.items[i].start, b->sentences.items[i].end, anchor, 0, err);
    return st;
}

static unsigned level_of(const struct takc_heading *h)
{
    return h->level ? h->level : GUESSED_LEVEL;
}

static enum takc_status add_heading(struct builder *b, const struct takc_block *k, uint32_t end, struct takc_err *err)
{
    struct takc_units *u = b->u;
    enum takc_status st = takc_grow(&u->headings, &u->headings_cap, u->n_headings + 1, sizeof(*u->headings), err);
    if (!st)
        st = takc_grow(&u->heading_at, &u->heading_at_cap, u->n_headings + 2, sizeof(*u->heading_at), err);
    if (st)
        return st;
    struct takc_heading h = {.span = {k->start, end}, .level = k->level, .parent = b->heading};
    while (h.parent && level_of(&u->headings[h.parent - 1]) >= level_of(&h))
        h.parent = u->headings[h.parent - 1].parent;
    b->heading = h.parent;
    size_t before = u->n_units;
    st = add_whole(b, TAKC_UNIT_HEADING, 0, err);
    if (st)
        return st;
    if (u->n_units > before) {
        struct takc_unit *unit = &u->units[before];
        h.unit = (uint32_t)before + 1;
        if (unit->n_terms == 0 || takc_white_words(takc_logical_str(&b->line, 0, b->line.len)) < HEADING_WORDS)
            unit->flags |= TAKC_UNIT_BARE;
    }
    u->heading_at[u->n_headings] = (uint32_t)u->n_heading_terms;
    st = takc_features_terms(&b->features, takc_logical_str(&b->line, 0, b->line.len), &u->vocabulary, &u->heading_terms,
                             &u->n_heading_terms, &u->heading_terms_cap, err);
    if (st)
        return st;
    u->headings[u->n_headings++] = h;
    u->heading_at[u->n_headings] = (uint32_t)u->n_heading_terms;
    b->heading = (uint32_t)u->n_headings;
    b->section_opens = true;
    return TAKC_OK;
}

/* A new anchor; *out is its number + 1. */
static enum takc_status add_anchor(struct builder *b, enum takc_anchor_kind kind, struct takc_span heading, struct takc_span header,
                                   uint32_t *out, struct takc_err *err)
{
    struct takc_units *u = b->u;
    enum takc_status st = takc_grow(&u->anchors, &u->anchors_cap, u->n_anchors + 1, sizeof(*u->anchors), err);
    if (st)
        return st;
    struct takc_anchor a = {.kind = (uint8_t)kind, .heading = heading, .header = header};
    u->anchors[u->n_anchors++] = a;
    takc_buf_reset(&b->shown);
    st = takc_anchor_show(u, (uint32_t)u->n_anchors - 1, b->text, &b->shown, err);
    if (st)
        return st;
    struct takc_str shown = takc_buf_str(&b->shown);
    struct takc_anchor *at = &u->anchors[u->n_anchors - 1];
    at->n_words = (uint32_t)takc_white_words(shown);
    at->n_bytes = (uint32_t)shown.len + 1;
    at->mt = (uint32_t)takc_tokenizer_line_mt(b->t, shown);
    *out = (uint32_t)u->n_anchors;
    return TAKC_OK;
}

static bool same_bytes(const struct builder *b, struct takc_span x, struct takc_span y)
{
    return takc_str_eq(takc_str_slice(b->text, x.start, x.end), takc_str_slice(b->text, y.start, y.end));
}

/* Opens another table where this row begins one. Rows without a table number share what their heading shows. */
static void open_table(struct builder *b, const struct takc_block *k)
{
    if (b->table_open && b->table == k->table && b->table_heading == b->heading)
        return;
    bool again = b->table_open && b->table_heading == b->heading && b->header.start == b->header.end && !(k->flags & TAKC_BLOCK_HEADER);
    b->table = k->table;
    b->table_heading = b->heading;
    b->table_open = true;
    b->table_has_rows = false;
    b->header = (struct takc_span){0, 0};
    if (!again)
        b->anchor = 0;
}

static void add_header(struct builder *b, struct takc_span row)
{
    if (b->header.start < b->header.end && !b->table_has_rows) {
        b->header.end = row.end; /* a header of several rows */
        return;
    }
    if (b->header.start < b->header.end && same_bytes(b, b->header, row))
        return; /* repeated on the next page */
    b->header = row;
    b->anchor = 0;
    b->table_has_rows = false;
}

static enum takc_status add_row(struct builder *b, const struct takc_block *k, uint32_t end, struct takc_err *err)
{
    open_table(b, k);
    if (k->flags & TAKC_BLOCK_HEADER) {
        add_header(b, (struct takc_span){k->start, end});
        return TAKC_OK;
    }
    struct takc_span heading = {0, 0};
    if (b->heading)
        heading = b->u->headings[b->heading - 1].span;
    bool any = heading.start < heading.end || b->header.start < b->header.end;
    enum takc_status st = TAKC_OK;
    if (!b->anchor && any)
        st = add_anchor(b, TAKC_ANCHOR_TABLE, heading, b->header, &b->anchor, err);
    b->table_has_rows = true;
    return st ? st : add_whole(b, TAKC_UNIT_ROW, b->anchor, err);
}

/* Number of the next visible block behind i, or n_blocks. */
static size_t next_visible(const struct builder *b, size_t i)
{
    do
        i++;
    while (i < b->d->n_blocks && b->d->blocks[i].flags & TAKC_BLOCK_HIDDEN);
    return i;
}

/* A term: the anchor of what describes it; a unit of its own where nothing does, or where its line holds a definition itself. */
static enum takc_status add_term(struct builder *b, uint32_t i, uint32_t end, struct takc_err *err)
{
    const struct takc_block *k = &b->d->blocks[i];
    struct takc_str line = takc_logical_str(&b->line, 0, b->line.len);
    size_t next = next_visible(b, i);
    const struct takc_block *behind = next < b->d->n_blocks ? &b->d->blocks[next] : NULL;
    bool described = behind && (behind->flags & TAKC_BLOCK_DESCRIBES) && behind->kind != TAKC_BLOCK_TERM;
    enum takc_status st = TAKC_OK;
    b->term = 0;
    if (described && has_word(line))
        st = add_anchor(b, TAKC_ANCHOR_TERM, (struct takc_span){0, 0}, (struct takc_span){k->start, end}, &b->term, err);
    if (!st && (!described || takc_white_words(line) > TERM_WORDS))
        st = add_whole(b, TAKC_UNIT_ITEM, 0, err);
    return st;
}

static enum takc_status add_block(struct builder *b, uint32_t i, struct takc_err *err)
{
    const struct takc_block *k = &b->d->blocks[i];
    uint32_t end = k->end;
    if (k->kind == TAKC_BLOCK_TITLE)
        return TAKC_OK;
    enum takc_status st = gather(b, i, &end, err);
    if (st || b->line.len == 0)
        return st;
    if (k->kind != TAKC_BLOCK_ROW)
        b->table_open = b->table_open && k->table == b->table && k->table != 0;
    switch (k->kind) {
    case TAKC_BLOCK_HEADING:
        return add_heading(b, k, end, err);
    case TAKC_BLOCK_ROW:
        return add_row(b, k, end, err);
    case TAKC_BLOCK_CODE:
        return add_whole(b, TAKC_UNIT_CODE, 0, err);
    case TAKC_BLOCK_TERM:
        return add_term(b, i, end, err);
    default:
        return add_prose(b, k, err);
    }
}

/* Links blocks to those that continue them. */
static enum takc_status link_blocks(struct builder *b, struct takc_err *err)
{
    size_t n = b->d->n_blocks, last[TAKC_BLOCK_KINDS] = {0}, visible = 0;
    b->next = takc_alloc_array(n, sizeof(*b->next));
    b->joined = takc_alloc_array(n, 1);
    if (!b->next || !b->joined)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu blocks", n);
    for (size_t i = 0; i < n; i++) {
        const struct takc_block *k = &b->d->blocks[i];
        if (k->flags & TAKC_BLOCK_HIDDEN)
            continue;
        if (k->kind >= TAKC_BLOCK_KINDS || k->start >= k->end || k->end > b->text.len)
            return takc_fail(err, TAKC_CORRUPT, (int)i, "block %zu is no part of the text", i);
        if (k->flags & TAKC_BLOCK_CONTINUES && last[k->kind]) {
            b->next[last[k->kind] - 1] = (uint32_t)i + 1;
            b->joined[i] = 1;
            b->crossed |= last[k->kind] != visible;
        }
        last[k->kind] = visible = i + 1;
    }
    return TAKC_OK;
}

/* Counts of the text without its hidden blocks. */
static enum takc_status count_source(struct builder *b, struct takc_err *err)
{
    struct takc_buf visible;
    struct takc_str text = b->text;
    size_t from = 0;
    bool any = false;
    enum takc_status st = TAKC_OK;
    takc_buf_init(&visible, text.len);
    for (size_t i = 0; !st && i < b->d->n_blocks; i++) {
        const struct takc_block *k = &b->d->blocks[i];
        if (!(k->flags & TAKC_BLOCK_HIDDEN) || k->start < from || k->end > text.len)
            continue;
        any = true;
        st = takc_buf_add(&visible, takc_str_slice(text, from, k->start), err);
        bool line = (k->start == 0 || text.ptr[k->start - 1] == '\n') && k->end < text.len && text.ptr[k->end] == '\n';
        from = k->end + line; /* a line that is hidden whole takes its newline along */
    }
    if (!st && any)
        st = takc_buf_add(&visible, takc_str_slice(text, from, text.len), err);
    if (!st) {
        struct takc_str s = any ? takc_buf_str(&visible) : text;
        b->u->source_words = takc_white_words(s);
        b->u->source_bytes = s.len;
        b->u->source_mt = takc_tokenizer_count_mt(b->t, s);
    }
    takc_buf_clear(&visible);
    return st;
}

static enum takc_status count_title(struct builder *b, struct takc_str title, struct takc_err *err)
{
    struct takc_units *u = b->u;
    takc_logical_reset(&b->line);
    enum takc_status st = takc_logical_add(&b->line, title, 0, title.len, 0, err);
    if (st)
        return st;
    struct takc_str line = takc_logical_str(&b->line, 0, b->line.len);
    u->title_words = (uint32_t)takc_white_words(line);
    u->title_bytes = (uint32_t)line.len + 1;
    u->title_mt = (uint32_t)takc_tokenizer_line_mt(b->t, line);
    return takc_features_terms(&b->features, line, &u->vocabulary, &u->title_terms, &u->n_title_terms, &u->title_terms_cap, err);
}

static enum takc_status add_blocks(struct builder *b, struct takc_call *call, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < b->d->n_blocks; i++) {
        if (i % BLOCKS_PER_CHECK == 0)
            st = takc_call_check(call, err);
        if (!st && !(b->d->blocks[i].flags & TAKC_BLOCK_HIDDEN) && !b->joined[i])
            st = add_block(b, (uint32_t)i, err);
    }
    return st;
}

enum takc_status takc_units_build(struct takc_units *u, const struct takc_doc *d, struct takc_str title, const struct takc_tokenizer *t,
                                  struct takc_call *call, struct takc_err *err)
{
    struct builder b = {.u = u, .d = d, .text = takc_buf_str(&d->text), .t = t};
    enum takc_status st;
    takc_features_init(&b.features);
    takc_buf_init(&b.shown, TAKC_BUF_MAX_DOCUMENT);
    if (b.text.len >= UINT32_MAX)
        st = takc_fail(err, TAKC_INVALID, 0, "a text of %zu bytes is too long", b.text.len);
    else
        st = takc_grow(&u->heading_at, &u->heading_at_cap, 1, sizeof(*u->heading_at), err);
    if (!st) {
        u->heading_at[0] = 0;
        st = link_blocks(&b, err);
    }
    if (!st)
        st = count_title(&b, title, err);
    if (!st)
        st = count_source(&b, err);
    b.section_opens = true;
    if (!st)
        st = add_blocks(&b, call, err);
    if (!st && b.crossed)
        st = takc_units_reorder(u, err);
    takc_free(b.next);
    takc_free(b.joined);
    takc_buf_clear(&b.shown);
    takc_logical_clear(&b.line);
    takc_sentences_clear(&b.sentences);
    takc_features_clear(&b.features);
    return st;
}
