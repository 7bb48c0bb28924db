/* SPDX-License-Identifier: Apache-2.0
 *
 * cite.c - citations. Locators come from the block that the unit begins in; lines and columns are counted on from the block's start. */
#include "pipeline/cite.h"

void takc_citer_init(struct takc_citer *c, struct takc_snapshot *s, struct takc_arena *a)
{
    *c = (struct takc_citer){.snapshot = s, .arena = a};
    takc_doc_init(&c->doc);
}

void takc_citer_clear(struct takc_citer *c)
{
    takc_doc_clear(&c->doc);
    c->loaded = 0;
}

static enum takc_status load_doc(struct takc_citer *c, uint32_t doc, struct takc_err *err)
{
    const struct takc_docset *set;
    if (c->loaded == doc + 1)
        return TAKC_OK;
    takc_citer_clear(c);
    takc_doc_init(&c->doc);
    enum takc_status st = takc_snapshot_docs(c->snapshot, &set, err);
    if (!st && doc >= set->n_docs)
        st = takc_fail(err, TAKC_CORRUPT, 0, "index and list of documents do not agree");
    if (!st)
        st = takc_docset_load(c->snapshot->home, c->snapshot->task, &set->docs[doc], &c->doc, err);
    if (!st) {
        c->loaded = doc + 1;
        c->first_line = set->docs[doc].first_line;
    }
    return st;
}

static uint32_t count_in(struct takc_str text, uint32_t from, uint32_t to, struct takc_str what)
{
    uint32_t n = 0;
    struct takc_str head = takc_str_slice(text, 0, to);
    for (size_t at = from; (at = takc_str_find(head, what, at)) != SIZE_MAX; at += what.len)
        n++;
    return n;
}

/* Did the reader put these bytes there? Those of a cell stand in the map, where there is one. */
static bool is_inserted(const struct takc_doc *d, uint32_t start, uint32_t end)
{
    uint64_t from, to;
    return !takc_doc_source_range(d, start, end, &from, &to);
}

uint32_t takc_cite_column(const struct takc_doc *d, const struct takc_block *b, uint32_t start, uint32_t end)
{
    struct takc_str all = takc_buf_str(&d->text), bar = takc_str(" | ");
    if (start < b->start || end > b->end || b->end > all.len)
        return 0;
    struct takc_str row = takc_str_trim(takc_str_slice(all, b->start, b->end));
    uint32_t from = (uint32_t)(row.ptr - all.ptr), n = 1;
    if (start <= from && end >= from + row.len)
        return 0;
    if (from < start && takc_str_starts(row, takc_str("| ")) && is_inserted(d, from, from + 1)) { /* the first cell is empty */
        n++;
        from++;
    }
    for (size_t at = from; (at = takc_str_find(takc_str_slice(all, 0, start), bar, at)) != SIZE_MAX; at += bar.len)
        n += is_inserted(d, (uint32_t)at, (uint32_t)(at + bar.len));
    return n;
}

static enum takc_status locate(struct takc_citer *c, const struct takc_index_unit *u, struct takc_cited *out, struct takc_err *err)
{
    if (u->block >= c->doc.n_blocks || u->n_spans == 0)
        return TAKC_OK;
    const struct takc_block *b = &c->doc.blocks[u->block];
    struct takc_str text = takc_buf_str(&c->doc.text);
    uint32_t start = u->spans[0].start, end = u->spans[u->n_spans - 1].end;
    out->page = b->page;
    out->paragraph = b->para;
    out->row = b->row;
    if (b->line && start >= b->start && start <= text.len) /* a JSON string's own lines stand on one line of its file */
        out->line = b->line + (c->first_line ? c->first_line - 1 : 0) + (b->pointer ? 0 : count_in(text, b->start, start, takc_str("\n")));
    if (b->row)
        out->column = takc_cite_column(&c->doc, b, start, end);
    if (!b->pointer || b->pointer - 1 >= c->doc.strings.len)
        return TAKC_OK;
    out->pointer = takc_arena_dup(c->arena, takc_str(c->doc.strings.ptr + b->pointer - 1));
    return out->pointer.ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a citation");
}

static enum takc_status copy_spans(struct takc_citer *c, const struct takc_span *from, size_t n, struct takc_cited *out,
                                   struct takc_err *err)
{
    struct takc_cited_span *spans = takc_arena_array(c->arena, n + 1, sizeof(*spans));
    struct takc_buf quote;
    struct takc_str text = takc_buf_str(&c->doc.text);
    if (!spans)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a citation");
    takc_buf_init(&quote, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < n; i++) {
        struct takc_span s = from[i];
        if (s.start > s.end || s.end > text.len) {
            st = takc_fail(err, TAKC_CORRUPT, 0, "a span of the index is outside the text");
            break;
        }
        spans[i] = (struct takc_cited_span){.start = s.start, .end = s.end};
        if (c->doc.has_map)
            spans[i].has_source = takc_doc_source_range(&c->doc, s.start, s.end, &spans[i].source_start, &spans[i].source_end);
        if (i)
            st = takc_buf_byte(&quote, ' ', err);
        if (!st)
            st = takc_buf_add(&quote, takc_str_slice(text, s.start, s.end), err);
    }
    out->quote = st ? (struct takc_str){0} : takc_arena_dup(c->arena, takc_buf_str(&quote));
    takc_buf_clear(&quote);
    out->spans = spans;
    out->n_spans = n;
    return st || out->quote.ptr ? st : takc_fail(err, TAKC_NOMEM, 0, "no memory for a quote");
}

/* Headings above a block, outermost first, joined by " > ". */
static enum takc_status section_of(struct takc_citer *c, uint32_t heading_block, struct takc_str *out, struct takc_err *err)
{
    struct takc_str path = {0}, text = takc_buf_str(&c->doc.text);
    unsigned below = 99;
    for (uint32_t i = heading_block; i > 0; i--) {
        const struct takc_block *b = &c->doc.blocks[i - 1];
        unsigned level = b->level ? b->level : 9;
        if (b->kind != TAKC_BLOCK_HEADING || (b->flags & TAKC_BLOCK_HIDDEN) || level >= below || b->end > text.len)
            continue;
        struct takc_str one = takc_str_trim(takc_str_slice(text, b->start, b->end));
        const char *joined = path.len ? takc_arena_printf(c->arena, "%.*s > %.*s", TAKC_STR_ARG(one), TAKC_STR_ARG(path))
                                      : takc_arena_printf(c->arena, "%.*s", TAKC_STR_ARG(one));
        if (!joined)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a section");
        path = takc_str(joined);
        below = level;
        if (level <= 1 || (b->flags & TAKC_BLOCK_GUESSED))
            break;
    }
    *out = path;
    return TAKC_OK;
}

/* With the spans given; NULL: the unit's own. */
static enum takc_status cite(struct takc_citer *c, uint32_t unit, const struct takc_span *spans, size_t n, struct takc_cited *out,
                             struct takc_err *err)
{
    struct takc_index_unit u;
    struct takc_index_doc d;
    *out = (struct takc_cited){0};
    enum takc_status st = takc_index_unit_at(c->snapshot->index, unit, &u, err);
    if (!st)
        st = takc_index_doc_at(c->snapshot->index, u.doc, &d, err);
    if (!st)
        st = load_doc(c, u.doc, err);
    if (st)
        return st;
    out->document = takc_arena_dup(c->arena, d.name);
    out->sha256 = takc_arena_dup(c->arena, takc_str(d.source_sha.s));
    out->title = takc_arena_dup(c->arena, d.title);
    out->instructs = u.flags & TAKC_UNIT_INSTRUCTS;
    if (!out->document.ptr || !out->sha256.ptr || !out->title.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a citation");
    st = locate(c, &u, out, err);
    if (!st && u.heading_block && u.heading_block <= c->doc.n_blocks)
        st = section_of(c, u.heading_block, &out->section, err);
    return st ? st : copy_spans(c, spans ? spans : u.spans, spans ? n : u.n_spans, out, err);
}

enum takc_status takc_cite(struct takc_citer *c, uint32_t unit, struct takc_cited *out, struct takc_err *err)
{
    return cite(c, unit, NULL, 0, out, err);
}

enum takc_status takc_cite_spans(struct takc_citer *c, uint32_t unit, const struct takc_span *spans, size_t n, struct takc_cited *out,
                                 struct takc_err *err)
{
    return cite(c, unit, spans, n, out, err);
}
