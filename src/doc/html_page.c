/* SPDX-License-Identifier: Apache-2.0
 *
 * html_page.c - white space, blocks and map of an HTML page (html_page.h).
 *
 * White space is folded to its first byte: a hard wrap of a paragraph stays a newline, so that one run of the map covers many lines; in
 * headings, terms and rows it becomes a blank without a place. No-break spaces are blanks, too: words are cut at white space later. */
#include "doc/html_page.h"

#include <string.h>

static void keep(struct takc_html_page *p, enum takc_status st)
{
    if (!p->st)
        p->st = st;
}

static void put_inserted(struct takc_html_page *p, const char *s, size_t n)
{
    if (!p->st && n)
        keep(p, takc_doc_inserted(p->d, takc_str_n(s, n), p->err));
}

/* Verbatim bytes of the parsed UTF-8, through the map below: each part as that map has it. */
static void put_through(struct takc_html_page *p, struct takc_str s, size_t at)
{
    const struct takc_doc *u = p->under;
    size_t end = at + s.len, pos = at;
    for (size_t i = takc_doc_run_behind(u, at); pos < end && !p->st; i++) {
        const struct takc_map_run *r = i < u->n_runs ? &u->runs[i] : NULL;
        size_t from = !r || r->start > end ? end : r->start;
        if (from > pos) {
            put_inserted(p, s.ptr + (pos - at), from - pos);
            pos = from;
        }
        if (pos == end || !r)
            break;
        size_t to = r->end < end ? r->end : end;
        struct takc_str part = takc_str_slice(s, pos - at, to - at);
        if (r->kind == TAKC_MAP_VERBATIM)
            keep(p, takc_doc_verbatim(p->d, part, r->src_start + (pos - r->start), p->err));
        else if (pos == r->start && to == r->end)
            keep(p, takc_doc_decoded(p->d, part, r->src_start, r->src_end, p->err));
        else
            put_inserted(p, part.ptr, part.len);
        pos = to;
    }
}

static void put_decoded(struct takc_html_page *p, struct takc_str s, size_t at, size_t src_len)
{
    uint64_t from = p->base + at, to = from + src_len;
    if (p->under && !takc_doc_source_range(p->under, (uint32_t)at, (uint32_t)(at + src_len), &from, &to))
        put_inserted(p, s.ptr, s.len);
    else
        keep(p, takc_doc_decoded(p->d, s, from, to, p->err));
}

/* Part of a piece, from..to of its text, with its place. */
static void put(struct takc_html_page *p, const struct takc_html_piece *piece, size_t from, size_t to)
{
    struct takc_str s = takc_str_slice(piece->text, from, to);
    if (p->st)
        return;
    if (!p->mapped || piece->map == TAKC_MAP_UNSET || (piece->map == TAKC_MAP_DECODED && s.len != piece->text.len))
        put_inserted(p, s.ptr, s.len);
    else if (piece->map == TAKC_MAP_DECODED)
        put_decoded(p, s, piece->at, piece->src_len);
    else if (p->under)
        put_through(p, s, piece->at + from);
    else
        keep(p, takc_doc_verbatim(p->d, s, p->base + piece->at + from, p->err));
}

void takc_html_page_close(struct takc_html_page *p)
{
    struct takc_block *b = &p->block;
    p->space = false;
    p->n_indent = 0;
    p->n_bars = 0;
    if (!p->open)
        return;
    p->open = false;
    b->end = (uint32_t)p->solid_end;
    if (p->st || b->end <= b->start)
        return;
    bool visible = !(b->flags & TAKC_BLOCK_HIDDEN);
    if (visible && b->kind == TAKC_BLOCK_HEADING && b->level == 1 && !p->titled) {
        p->titled = true;
        b->kind = TAKC_BLOCK_TITLE;
        b->level = 0;
        keep(p, takc_doc_set_title(p->d, takc_str_slice(takc_buf_str(&p->d->text), b->start, b->end), TAKC_TITLE_TEXT, p->err));
        p->d->title_start = b->start;
        p->d->title_end = b->end;
    }
    if (visible && b->kind == TAKC_BLOCK_TERM)
        p->term_of = p->block_dl;
    if (p->block_item > p->item_done)
        p->item_done = p->block_item;
    if (!p->st)
        keep(p, takc_doc_block(p->d, *b, p->err));
}

/* What stands between two blocks: a line end within a list, table or listing, an empty line elsewhere. */
static void put_separator(struct takc_html_page *p, const struct takc_block *next)
{
    const struct takc_doc *d = p->d;
    if (d->n_blocks == 0)
        return;
    const struct takc_block *last = &d->blocks[d->n_blocks - 1];
    bool close = (last->kind == next->kind && (next->kind == TAKC_BLOCK_ITEM || next->kind == TAKC_BLOCK_CODE ||
                                               (next->kind == TAKC_BLOCK_ROW && last->table == next->table))) ||
                 (last->kind == TAKC_BLOCK_TERM && (next->flags & TAKC_BLOCK_DESCRIBES));
    put_inserted(p, "\n\n", close ? 1 : 2);
}

static void open_block(struct takc_html_page *p, const struct takc_html_around *a)
{
    struct takc_block b = {.kind = a->kind};
    if (a->hidden)
        b.flags |= TAKC_BLOCK_HIDDEN;
    if (b.kind == TAKC_BLOCK_ITEM && a->item <= p->item_done)
        b.kind = TAKC_BLOCK_PARA; /* its second paragraph */
    if (b.kind == TAKC_BLOCK_ITEM || b.kind == TAKC_BLOCK_HEADING)
        b.level = a->level;
    if (b.kind == TAKC_BLOCK_ROW) {
        b.table = a->table;
        b.row = a->row;
        b.flags |= a->header ? TAKC_BLOCK_HEADER : 0;
    }
    if ((b.kind == TAKC_BLOCK_ITEM || b.kind == TAKC_BLOCK_PARA) && a->describes && a->dl && a->dl == p->term_of && !a->hidden)
        b.flags |= TAKC_BLOCK_DESCRIBES;
    put_separator(p, &b);
    put_inserted(p, p->indent, p->n_indent);
    p->n_indent = 0;
    b.start = (uint32_t)p->d->text.len;
    p->block = b;
    p->block_item = a->kind == TAKC_BLOCK_ITEM ? a->item : 0;
    p->block_dl = a->dl;
    p->open = true;
}

/* Before a word: the block it belongs to, bars of the cells before it, the blank that waits. */
static void begin_word(struct takc_html_page *p, const struct takc_html_around *a)
{
    bool fresh = !p->open;
    if (fresh)
        open_block(p, a);
    if (p->n_bars)
        p->space = false;
    for (; p->n_bars; p->n_bars--)
        put_inserted(p, " | ", 3);
    if (p->space && !fresh) {
        struct takc_html_piece one = {takc_str_n(&p->space_byte, 1), p->space_at, 1, TAKC_MAP_VERBATIM};
        bool wraps = p->block.kind == TAKC_BLOCK_PARA || p->block.kind == TAKC_BLOCK_ITEM;
        if (p->space_byte != ' ' && !wraps)
            put_inserted(p, " ", 1);
        else if (p->space_at == SIZE_MAX)
            put_inserted(p, &p->space_byte, 1);
        else
            put(p, &one, 0, 1);
    }
    p->space = false;
}

/* Bytes of white space at s[i]: 1, 2 for a no-break space, 0 for none. */
static size_t blank_at(struct takc_str s, size_t i)
{
    unsigned char c = (unsigned char)s.ptr[i];
    if (c <= ' ')
        return 1;
    return c == 0xC2 && i + 1 < s.len && (unsigned char)s.ptr[i + 1] == 0xA0 ? 2 : 0;
}

/* End of the words from i on that are separated by single blanks or newlines and may be written as they are. */
static size_t plain_words(struct takc_str s, size_t i, bool wraps)
{
    size_t word_end = i;
    while (i < s.len) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c > ' ' && c != 0xC2) {
            word_end = ++i;
            continue;
        }
        size_t n = blank_at(s, i);
        if (n == 0) {
            word_end = ++i;
            continue;
        }
        if (n == 2 || !(c == ' ' || (c == '\n' && wraps)) || i == 0 || word_end < i)
            break;
        i++;
    }
    return word_end;
}

static void put_folded(struct takc_html_page *p, const struct takc_html_around *a, const struct takc_html_piece *piece)
{
    struct takc_str s = piece->text;
    for (size_t i = 0; i < s.len && !p->st;) {
        size_t n = blank_at(s, i);
        if (n == 0) {
            begin_word(p, a);
            bool wraps = p->block.kind == TAKC_BLOCK_PARA || p->block.kind == TAKC_BLOCK_ITEM;
            size_t end = plain_words(s, i, wraps);
            put(p, piece, i, end);
            p->solid_end = p->d->text.len;
            i = end;
            continue;
        }
        if (!p->space) {
            bool placed = piece->map == TAKC_MAP_VERBATIM && (s.ptr[i] == ' ' || s.ptr[i] == '\n');
            p->space = true;
            p->space_byte = s.ptr[i] == '\n' ? '\n' : ' ';
            p->space_at = placed ? piece->at + i : SIZE_MAX;
        }
        i += n;
    }
}

/* Preformatted text: a block a line; indentation stands before the block. */
static void put_code(struct takc_html_page *p, const struct takc_html_around *a, const struct takc_html_piece *piece)
{
    struct takc_str s = piece->text;
    for (size_t i = 0; i < s.len && !p->st;) {
        char c = s.ptr[i];
        size_t end = i;
        if (c == '\n' || c == '\r') {
            takc_html_page_close(p);
            i++;
        } else if (!p->open && (c == ' ' || c == '\t')) {
            if (p->n_indent < sizeof(p->indent))
                p->indent[p->n_indent++] = c;
            i++;
        } else if (!p->open && (unsigned char)c < ' ') {
            i++;
        } else {
            if (!p->open)
                open_block(p, a);
            while (end < s.len && s.ptr[end] != '\n' && s.ptr[end] != '\r')
                end++;
            put(p, piece, i, end);
            for (i = end; i > 0 && (unsigned char)s.ptr[i - 1] <= ' '; i--)
                ;
            if (i > 0)
                p->solid_end = p->d->text.len - (end - i);
            i = end;
        }
    }
}

void takc_html_page_text(struct takc_html_page *p, const struct takc_html_around *a, struct takc_html_piece piece)
{
    if (a->pre && !a->cell)
        put_code(p, a, &piece);
    else
        put_folded(p, a, &piece);
}

void takc_html_page_line(struct takc_html_page *p, const struct takc_html_around *a)
{
    if (a->pre && !a->cell) {
        takc_html_page_close(p);
        return;
    }
    p->space = true;
    p->space_byte = '\n';
    p->space_at = SIZE_MAX;
}

void takc_html_page_break(struct takc_html_page *p, const struct takc_html_around *a)
{
    if (!a->cell) {
        takc_html_page_close(p);
    } else if (!p->space) {
        p->space = true;
        p->space_byte = ' ';
        p->space_at = SIZE_MAX;
    }
}

void takc_html_page_bar(struct takc_html_page *p)
{
    p->space = false;
    p->n_bars++;
}
