/* SPDX-License-Identifier: Apache-2.0
 *
 * docx_blocks.c - the text of a DOCX body: words gathered into a line, the line written as a block.
 *
 * White space is folded: a blank waits until a word follows, so none stands at an end. Blocks are parted as a reader of plain text expects:
 * a line end within a list, table or listing, an empty line elsewhere. */
#include "doc/docx_body.h"

#include <string.h>

/* The table whose row is being read, or NULL in paragraphs of the body. */
struct takc_docx_table *takc_docx_row_table(struct takc_docx_body *b)
{
    for (unsigned i = 0; i < b->n_tables; i++)
        if (!b->tables[i].layout)
            return &b->tables[i];
    return NULL;
}

struct takc_docx_para *takc_docx_open_para(struct takc_docx_body *b)
{
    return b->n_open ? &b->paras[b->n_open - 1] : NULL;
}

bool takc_docx_in_code(struct takc_docx_body *b)
{
    return !takc_docx_row_table(b) && b->n_open && takc_docx_open_para(b)->style.kind == TAKC_BLOCK_CODE;
}

void takc_docx_add_space(struct takc_docx_body *b, char c)
{
    if (!b->spaced || c == '\n')
        b->space = c;
    b->spaced = true;
}

enum takc_status takc_docx_add_word(struct takc_docx_body *b, struct takc_str word)
{
    enum takc_status st = TAKC_OK;
    if (b->spaced && b->line.len && !takc_str_ends(takc_buf_str(&b->line), takc_str(" | ")))
        st = takc_buf_byte(&b->line, b->space, b->err);
    b->spaced = false;
    return st ? st : takc_buf_add(&b->line, word, b->err);
}

/* Bytes of white space at s[i]: no-break spaces are blanks, too. */
static size_t blank_at(struct takc_str s, size_t i)
{
    unsigned char c = (unsigned char)s.ptr[i];
    if (c <= ' ')
        return 1;
    return c == 0xC2 && i + 1 < s.len && (unsigned char)s.ptr[i + 1] == 0xA0 ? 2 : 0;
}

enum takc_status takc_docx_add_text(struct takc_docx_body *b, struct takc_str s)
{
    enum takc_status st = TAKC_OK;
    if (takc_docx_in_code(b)) {
        for (size_t i = 0; i < s.len && !st; i++)
            st = takc_buf_byte(&b->line, s.ptr[i] == '\r' ? '\n' : s.ptr[i], b->err);
        return st;
    }
    for (size_t i = 0; i < s.len && !st;) {
        size_t n = blank_at(s, i), end = i;
        if (n) {
            takc_docx_add_space(b, ' ');
            i += n;
            continue;
        }
        while (end < s.len && !blank_at(s, end))
            end++;
        if (takc_docx_row_table(b) && end - i == 1 && s.ptr[i] == '|') /* a bar of its own leans on the word before: it parts no cells */
            b->spaced = false;
        st = takc_docx_add_word(b, takc_str_slice(s, i, end));
        i = end;
    }
    return st;
}

/* Between two blocks: a line end within a list, table or listing, an empty line elsewhere. */
static enum takc_status put_separator(struct takc_doc *d, const struct takc_block *next, struct takc_err *err)
{
    if (d->n_blocks == 0)
        return TAKC_OK;
    const struct takc_block *last = &d->blocks[d->n_blocks - 1];
    bool close = last->kind == next->kind && (next->kind == TAKC_BLOCK_ITEM || next->kind == TAKC_BLOCK_CODE ||
                                              (next->kind == TAKC_BLOCK_ROW && last->table == next->table));
    return takc_doc_inserted(d, takc_str_n("\n\n", close ? 1 : 2), err);
}

static enum takc_status write_block(struct takc_docx_body *b, struct takc_block block, struct takc_str text)
{
    struct takc_doc *d = b->d;
    enum takc_status st = put_separator(d, &block, b->err);
    block.start = (uint32_t)d->text.len;
    if (!st)
        st = takc_doc_inserted(d, text, b->err);
    block.end = (uint32_t)d->text.len;
    if (!st && block.kind == TAKC_BLOCK_TITLE) {
        st = takc_doc_set_title(d, text, TAKC_TITLE_TEXT, b->err);
        d->title_start = block.start;
        d->title_end = block.end;
    }
    return st ? st : takc_doc_block(d, block, b->err);
}

/* One block a line of the listing. */
static enum takc_status write_code(struct takc_docx_body *b, struct takc_block block)
{
    struct takc_str rest = takc_buf_str(&b->line), line;
    enum takc_status st = TAKC_OK;
    while (!st && takc_str_split(&rest, '\n', &line)) {
        size_t from = 0, to = line.len;
        while (to > 0 && (unsigned char)line.ptr[to - 1] <= ' ')
            to--;
        while (from < to && (unsigned char)line.ptr[from] <= ' ')
            from++;
        if (from == to)
            continue;
        st = put_separator(b->d, &block, b->err);
        if (!st) /* indentation stands before the block */
            st = takc_doc_inserted(b->d, takc_str_slice(line, 0, from), b->err);
        block.start = (uint32_t)b->d->text.len;
        if (!st)
            st = takc_doc_inserted(b->d, takc_str_slice(line, from, to), b->err);
        block.end = (uint32_t)b->d->text.len;
        if (!st)
            st = takc_doc_block(b->d, block, b->err);
    }
    return st;
}

/* The paragraph so far becomes a block. */
enum takc_status takc_docx_write_para(struct takc_docx_body *b)
{
    struct takc_docx_para *p = takc_docx_open_para(b);
    struct takc_block block = {.kind = p->style.kind, .level = p->style.level, .para = p->ordinal};
    enum takc_status st = TAKC_OK;
    if (b->n_tables)
        block.cell = b->tables[b->n_tables - 1].cell;
    if (block.kind == TAKC_BLOCK_PARA && (p->numbered || (p->style.list && !p->unnumbered))) {
        block.kind = TAKC_BLOCK_ITEM;
        block.level = (uint8_t)(p->list_level + 1);
    }
    if (block.kind == TAKC_BLOCK_TITLE && b->d->title.len) {
        block.kind = TAKC_BLOCK_HEADING;
        block.level = 1;
    }
    bool prose = block.kind == TAKC_BLOCK_PARA || block.kind == TAKC_BLOCK_ITEM;
    for (size_t i = 0; i < b->line.len && !prose && block.kind != TAKC_BLOCK_CODE; i++)
        if (b->line.ptr[i] == '\n')
            b->line.ptr[i] = ' ';
    block.flags = (uint16_t)((p->style.hidden ? TAKC_BLOCK_HIDDEN : 0) | (p->continues && prose ? TAKC_BLOCK_CONTINUES : 0));
    if (block.kind == TAKC_BLOCK_CODE)
        st = write_code(b, block);
    else if (b->line.len) {
        st = write_block(b, block, takc_buf_str(&b->line));
        p->continues = true;
    }
    takc_buf_reset(&b->line);
    b->spaced = false;
    return st;
}

enum takc_status takc_docx_write_row(struct takc_docx_body *b, struct takc_docx_table *t)
{
    struct takc_str text = takc_buf_str(&b->line);
    struct takc_block block = {.kind = TAKC_BLOCK_ROW, .table = t->number, .row = t->row, .para = b->row_para};
    bool any = false;
    for (size_t i = 0; i < text.len; i++) {
        any |= text.ptr[i] != ' ' && text.ptr[i] != '|';
        if (text.ptr[i] == '\n')
            b->line.ptr[i] = ' ';
    }
    while (any && text.len && text.ptr[text.len - 1] == ' ')
        text.len--;
    if (t->row_header) {
        block.flags = TAKC_BLOCK_HEADER;
        t->has_header = true;
    }
    enum takc_status st = any ? write_block(b, block, text) : TAKC_OK;
    if (any && !st && t->first_block == t->first_end)
        t->first_block = b->d->n_blocks - 1;
    t->first_end = b->d->n_blocks;
    takc_buf_reset(&b->line);
    b->spaced = false;
    return st;
}

/* Numbers of a row: words that begin with a digit. Years do not count where they may head columns. */
static size_t count_numbers(const struct takc_doc *d, const struct takc_block *block, bool years)
{
    size_t n = 0;
    for (uint32_t i = block->start; i < block->end; i++) {
        uint32_t from = i;
        while (i < block->end && (unsigned char)d->text.ptr[i] > ' ')
            i++;
        const char *w = d->text.ptr + from;
        if (i == from || *w < '0' || *w > '9')
            continue;
        bool year = i - from == 4 && (strncmp(w, "19", 2) == 0 || strncmp(w, "20", 2) == 0);
        n += years || !year;
    }
    return n;
}

/* Is the first row, not marked as such, a header? It has no number and no stop, all its cells are filled, and either most rows below have
 * numbers or the table's style sets the first row apart. */
void takc_docx_guess_header(struct takc_docx_body *b, const struct takc_docx_table *t)
{
    size_t n_numeric = 0, n = 0;
    if (t->has_header || t->first_end <= t->first_block + 1)
        return;
    struct takc_block *first = &b->d->blocks[t->first_block];
    struct takc_str s = takc_str_slice(takc_buf_str(&b->d->text), first->start, first->end);
    for (size_t i = t->first_block + 1; i < t->first_end; i++, n++)
        n_numeric += count_numbers(b->d, &b->d->blocks[i], true) > 0;
    bool filled = !takc_str_starts(s, takc_str(" |")) && !takc_str_ends(s, takc_str("|")) &&
                  takc_str_find(s, takc_str("|  |"), 0) == SIZE_MAX && takc_str_find(s, takc_str(" | "), 0) != SIZE_MAX;
    if (first->kind == TAKC_BLOCK_ROW && filled && s.len <= 300 && !takc_str_ends(s, takc_str(".")) &&
        count_numbers(b->d, first, false) == 0 && !(s.ptr[0] >= '0' && s.ptr[0] <= '9') && (n_numeric * 2 >= n || t->looks_headed))
        first->flags |= TAKC_BLOCK_HEADER;
}
