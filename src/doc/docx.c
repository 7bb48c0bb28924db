/* SPDX-License-Identifier: Apache-2.0
 *
 * docx.c - the DOCX reader: word/document.xml from left to right, one block a paragraph or table row.
 *
 * A paragraph's properties come before its text, a row's before its cells, so nothing is held but the line being made. White space is
 * folded. Left out: deleted text, fields' instructions, hidden runs, footnotes and comments (a note says so), headers and footers (other
 * parts). mc:AlternateContent gives its Choice only, so text boxes come once; a text box inside a paragraph stands between its two halves.
 * Tables of one column are layout: their paragraphs stay paragraphs. A table inside a table is folded into the cell around it. There is no
 * map: bytes of a packed archive help nobody. Locator: ordinal of the paragraph among all w:p elements of the part, left-out ones too, so
 * that a plain scanner can count them; rows have that of their first paragraph. */
#include "base/alloc.h"
#include "base/clock.h"
#include "doc/docx_parts.h"
#include "doc/readers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECK_EVERY = 4096, MAX_TABLES = 64, MAX_PARAS = 64, MAX_PART_BYTES = 512 << 20 };

/* Elements that matter, by local name; sorted. SKIP: with all that is in it. */
#define ELEMENTS(X)                                                                                                                        \
    X(Fallback, SKIP)                                                                                                                      \
    X(br, BR)                                                                                                                              \
    X(commentReference, NOTE)                                                                                                              \
    X(cr, BR)                                                                                                                              \
    X(del, SKIP)                                                                                                                           \
    X(delInstrText, SKIP)                                                                                                                  \
    X(delText, SKIP)                                                                                                                       \
    X(endnoteReference, NOTE)                                                                                                              \
    X(footnoteReference, NOTE)                                                                                                             \
    X(gridCol, GRIDCOL)                                                                                                                    \
    X(ilvl, ILVL)                                                                                                                          \
    X(instrText, SKIP)                                                                                                                     \
    X(moveFrom, SKIP)                                                                                                                      \
    X(noBreakHyphen, HYPHEN)                                                                                                               \
    X(numId, NUMID)                                                                                                                        \
    X(outlineLvl, OUTLINE)                                                                                                                 \
    X(p, P)                                                                                                                                \
    X(pPrChange, SKIP)                                                                                                                     \
    X(pStyle, PSTYLE)                                                                                                                      \
    X(ptab, TAB)                                                                                                                           \
    X(r, R)                                                                                                                                \
    X(rPrChange, SKIP)                                                                                                                     \
    X(rt, SKIP)                                                                                                                            \
    X(sectPr, SKIP)                                                                                                                        \
    X(t, T)                                                                                                                                \
    X(tab, TAB)                                                                                                                            \
    X(tabs, SKIP)                                                                                                                          \
    X(tbl, TBL)                                                                                                                            \
    X(tblGridChange, SKIP)                                                                                                                 \
    X(tblHeader, TBLHEADER)                                                                                                                \
    X(tblLook, TBLLOOK)                                                                                                                    \
    X(tblPrChange, SKIP)                                                                                                                   \
    X(tc, TC)                                                                                                                              \
    X(tr, TR)                                                                                                                              \
    X(txbxContent, TEXTBOX)                                                                                                                \
    X(vanish, VANISH)

enum element {
    OTHER = 0,
    SKIP,
    BR,
    NOTE,
    GRIDCOL,
    ILVL,
    HYPHEN,
    NUMID,
    OUTLINE,
    P,
    PSTYLE,
    TAB,
    R,
    T,
    TBL,
    TBLHEADER,
    TBLLOOK,
    TC,
    TR,
    TEXTBOX,
    VANISH
};

struct name {
    const char *local;
    enum element element;
};
static const struct name elements[] = {
#define X(local, element) {#local, element},
    ELEMENTS(X)
#undef X
};

/* A table that is open. */
struct table {
    uint32_t number, row, cell; /* the row and cell being read */
    uint32_t n_columns;
    size_t first_block, first_end; /* its first row and what follows; equal: none yet */
    bool looks_headed;             /* its style marks the first row */
    bool has_header, row_header;
    bool nested; /* folded into a cell of another */
    bool layout; /* one column */
};

/* A paragraph that is open; more than one: a text box stands in a paragraph. */
struct para {
    struct takc_docx_style style;
    uint32_t ordinal;
    uint8_t list_level;
    bool numbered, unnumbered;
    bool continues; /* a part of it has been written */
};

struct body {
    struct takc_doc *d;
    const struct takc_docx_styles *styles;
    struct takc_call *call;
    struct takc_err *err;
    struct table tables[MAX_TABLES];
    struct para paras[MAX_PARAS];
    unsigned n_tables, n_open, in_t, in_r;
    int skip;         /* depth of the element that is left out; -1: none */
    uint32_t n_paras; /* ordinals given */
    uint32_t n_all_tables, row_para;
    uint64_t n_nodes, n_notes;
    bool vanish;
    bool spaced;          /* a blank waits for a word */
    char space;           /* ' ' or '\n' */
    struct takc_buf line; /* text of the paragraph or row being read */
};

static int by_local(const void *key, const void *item)
{
    return strcmp(key, ((const struct name *)item)->local);
}

static enum element element_of(xmlTextReaderPtr x)
{
    const char *local = (const char *)xmlTextReaderConstLocalName(x), *ns = (const char *)xmlTextReaderConstNamespaceUri(x);
    if (!local || (ns && strstr(ns, "drawingml/2006/main")))
        return OTHER; /* drawings have p, r and t of their own */
    const struct name *n = bsearch(local, elements, sizeof(elements) / sizeof(elements[0]), sizeof(elements[0]), by_local);
    return n ? n->element : OTHER;
}

/* The table whose row is being read, or NULL in paragraphs of the body. */
static struct table *row_table(struct body *b)
{
    for (unsigned i = 0; i < b->n_tables; i++)
        if (!b->tables[i].layout)
            return &b->tables[i];
    return NULL;
}

static struct para *open_para(struct body *b)
{
    return b->n_open ? &b->paras[b->n_open - 1] : NULL;
}

static bool in_code(struct body *b)
{
    return !row_table(b) && b->n_open && open_para(b)->style.kind == TAKC_BLOCK_CODE;
}

static void add_space(struct body *b, char c)
{
    if (!b->spaced || c == '\n')
        b->space = c;
    b->spaced = true;
}

static enum takc_status add_word(struct body *b, struct takc_str word)
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

static enum takc_status add_text(struct body *b, struct takc_str s)
{
    enum takc_status st = TAKC_OK;
    if (in_code(b)) {
        for (size_t i = 0; i < s.len && !st; i++)
            st = takc_buf_byte(&b->line, s.ptr[i] == '\r' ? '\n' : s.ptr[i], b->err);
        return st;
    }
    for (size_t i = 0; i < s.len && !st;) {
        size_t n = blank_at(s, i), end = i;
        if (n) {
            add_space(b, ' ');
            i += n;
            continue;
        }
        while (end < s.len && !blank_at(s, end))
            end++;
        if (row_table(b) && end - i == 1 && s.ptr[i] == '|') /* a bar of its own leans on the word before: it parts no cells */
            b->spaced = false;
        st = add_word(b, takc_str_slice(s, i, end));
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

static enum takc_status write_block(struct body *b, struct takc_block block, struct takc_str text)
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
static enum takc_status write_code(struct body *b, struct takc_block block)
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
static enum takc_status write_para(struct body *b)
{
    struct para *p = open_para(b);
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

static enum takc_status write_row(struct body *b, struct table *t)
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
static void guess_header(struct body *b, const struct table *t)
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

static enum takc_status start_para(struct body *b)
{
    if (b->n_open == MAX_PARAS)
        return takc_fail(b->err, TAKC_REFUSED, 0, "text boxes nested more than %d deep at paragraph %u", MAX_PARAS, b->n_paras);
    b->paras[b->n_open++] = (struct para){.style = {.kind = TAKC_BLOCK_PARA}, .ordinal = b->n_paras};
    if (!row_table(b))
        return TAKC_OK;
    if (!b->row_para)
        b->row_para = b->n_paras;
    add_space(b, ' ');
    return TAKC_OK;
}

static enum takc_status start_table(struct body *b)
{
    bool nested = row_table(b) != NULL;
    if (b->n_tables == MAX_TABLES)
        return takc_fail(b->err, TAKC_REFUSED, 0, "tables nested more than %d deep at paragraph %u", MAX_TABLES, b->n_paras);
    b->tables[b->n_tables++] = (struct table){.nested = nested, .layout = !nested}; /* layout until two columns are seen */
    return TAKC_OK;
}

static void start_row(struct body *b)
{
    struct table *t = &b->tables[b->n_tables - 1];
    if (t->row++ == 0 && !t->nested && t->n_columns != 1) {
        t->layout = false;
        t->number = ++b->n_all_tables;
        t->first_block = t->first_end = b->d->n_blocks;
    }
    t->cell = 0;
    t->row_header = false;
    if (row_table(b) == t)
        b->row_para = 0;
}

static enum takc_status start_cell(struct body *b)
{
    struct table *t = &b->tables[b->n_tables - 1];
    t->cell++;
    if (row_table(b) != t || t->cell == 1) {
        add_space(b, ' ');
        return TAKC_OK;
    }
    b->spaced = false;
    return takc_buf_add(&b->line, takc_str(" | "), b->err);
}

/* Is an on-off property on? Its absence means on. */
static bool is_on(xmlTextReaderPtr x)
{
    char v[16];
    return !takc_docx_attribute(x, "val", v, sizeof(v)) || (strcmp(v, "0") != 0 && strcmp(v, "false") != 0 && strcmp(v, "off") != 0);
}

/* Properties of the paragraph that is open. */
static void set_property(struct body *b, enum element e, xmlTextReaderPtr x)
{
    struct para *p = open_para(b);
    char v[256];
    if (!p || !takc_docx_attribute(x, "val", v, sizeof(v)))
        return;
    if (e == PSTYLE)
        p->style = takc_docx_style(b->styles, takc_str(v));
    else if (e == NUMID) {
        p->numbered = strcmp(v, "0") != 0;
        p->unnumbered = !p->numbered;
    } else if (e == ILVL && v[0] >= '0' && v[0] <= '9' && !v[1])
        p->list_level = (uint8_t)(v[0] - '0');
    else if (e == OUTLINE && v[0] >= '0' && v[0] <= '8' && !v[1]) {
        p->style.kind = TAKC_BLOCK_HEADING;
        p->style.level = (uint8_t)(v[0] - '0' + 1);
    }
}

static enum takc_status start_element(struct body *b, enum element e, xmlTextReaderPtr x)
{
    struct table *t = b->n_tables ? &b->tables[b->n_tables - 1] : NULL;
    char v[16];
    switch (e) {
    case P:
        return start_para(b);
    case TBL:
        return start_table(b);
    case TR:
        if (t)
            start_row(b);
        return TAKC_OK;
    case TC:
        return t ? start_cell(b) : TAKC_OK;
    case GRIDCOL:
        if (t)
            t->n_columns++;
        return TAKC_OK;
    case TBLHEADER:
        if (t)
            t->row_header = is_on(x);
        return TAKC_OK;
    case TBLLOOK:
        if (t)
            t->looks_headed = takc_docx_attribute(x, "firstRow", v, sizeof(v)) && strcmp(v, "1") == 0;
        return TAKC_OK;
    case TEXTBOX:
        if (row_table(b))
            add_space(b, ' ');
        return !row_table(b) && b->n_open ? write_para(b) : TAKC_OK;
    case R:
        b->in_r++;
        b->vanish = false;
        return TAKC_OK;
    case VANISH:
        b->vanish = b->in_r && is_on(x);
        return TAKC_OK;
    case T:
        b->in_t++;
        return TAKC_OK;
    case BR:
        return in_code(b) ? takc_buf_byte(&b->line, '\n', b->err) : (add_space(b, '\n'), TAKC_OK);
    case TAB:
        return in_code(b) ? takc_buf_byte(&b->line, '\t', b->err) : (add_space(b, ' '), TAKC_OK);
    case HYPHEN:
        return b->vanish ? TAKC_OK : add_word(b, takc_str("-"));
    case NOTE:
        b->n_notes++;
        return TAKC_OK;
    default:
        set_property(b, e, x);
        return TAKC_OK;
    }
}

static enum takc_status end_element(struct body *b, enum element e)
{
    struct table *t = b->n_tables ? &b->tables[b->n_tables - 1] : NULL;
    enum takc_status st = TAKC_OK;
    if (e == P && b->n_open) {
        if (!row_table(b))
            st = write_para(b);
        b->n_open--;
    } else if (e == TR && t && row_table(b) == t) {
        st = write_row(b, t);
    } else if (e == TBL && t) {
        if (!t->layout && !t->nested)
            guess_header(b, t);
        b->n_tables--;
    } else if (e == R && b->in_r) {
        b->in_r--;
        b->vanish = false;
    } else if (e == T && b->in_t) {
        b->in_t--;
    }
    return st;
}

static enum takc_status take_node(struct body *b, xmlTextReaderPtr x)
{
    int type = xmlTextReaderNodeType(x), depth = xmlTextReaderDepth(x);
    bool text = type == XML_READER_TYPE_TEXT || type == XML_READER_TYPE_CDATA || type == XML_READER_TYPE_SIGNIFICANT_WHITESPACE ||
                type == XML_READER_TYPE_WHITESPACE;
    enum element e = type == XML_READER_TYPE_ELEMENT || type == XML_READER_TYPE_END_ELEMENT ? element_of(x) : OTHER;
    b->n_paras += e == P && type == XML_READER_TYPE_ELEMENT;
    if (b->skip >= 0) {
        if (type == XML_READER_TYPE_END_ELEMENT && depth == b->skip)
            b->skip = -1;
        return TAKC_OK;
    }
    if (text)
        return b->in_t && !b->vanish ? add_text(b, takc_str((const char *)xmlTextReaderConstValue(x))) : TAKC_OK;
    if (type == XML_READER_TYPE_END_ELEMENT)
        return end_element(b, e);
    if (type != XML_READER_TYPE_ELEMENT)
        return TAKC_OK;
    bool empty = xmlTextReaderIsEmptyElement(x) == 1;
    if (e == SKIP) {
        b->skip = empty ? -1 : depth;
        return TAKC_OK;
    }
    enum takc_status st = start_element(b, e, x);
    return st || !empty ? st : end_element(b, e);
}

static enum takc_status read_body(struct body *b, const char *name, struct takc_str part)
{
    struct takc_docx_xml xml;
    bool more = true;
    enum takc_status st = takc_docx_xml_open(&xml, part, name, b->err);
    while (!st && !(st = takc_docx_next(&xml, name, &more, b->err)) && more) {
        if (b->n_nodes++ % CHECK_EVERY == 0)
            st = takc_call_check(b->call, b->err);
        if (!st)
            st = take_node(b, xml.x);
    }
    takc_docx_xml_close(&xml);
    if (st == TAKC_INVALID) /* a line over the limit of its buffer */
        st = takc_fail(b->err, TAKC_REFUSED, 0, "text is over the limit of %zu bytes", b->line.max);
    if (!st && b->n_notes)
        st = takc_doc_note(b->d, b->err, "%llu footnotes, endnotes and comments are left out", (unsigned long long)b->n_notes);
    return st;
}

/* Title and date of docProps/core.xml; a title that stands in the text wins. */
static enum takc_status read_core(struct takc_str part, struct takc_doc *d, struct takc_err *err)
{
    static const char name[] = "docProps/core.xml";
    struct takc_docx_xml xml;
    bool more = true, in_title = false, in_date = false;
    enum takc_status st = takc_docx_xml_open(&xml, part, name, err);
    while (!st && !(st = takc_docx_next(&xml, name, &more, err)) && more) {
        const char *local = (const char *)xmlTextReaderConstLocalName(xml.x), *value = (const char *)xmlTextReaderConstValue(xml.x);
        int type = xmlTextReaderNodeType(xml.x);
        if (type == XML_READER_TYPE_ELEMENT || type == XML_READER_TYPE_END_ELEMENT) {
            in_title = type == XML_READER_TYPE_ELEMENT && local && strcmp(local, "title") == 0;
            in_date = type == XML_READER_TYPE_ELEMENT && local && strcmp(local, "modified") == 0;
        } else if (in_date && value && takc_date_parse(value, strlen(value), &d->date, NULL) == TAKC_OK) {
            d->has_date = true;
        } else if (in_title && value && d->title.len == 0 && strcmp(value, "Word Document") != 0 &&
                   !takc_str_eq_nocase(takc_str(value), takc_str("untitled"))) {
            st = takc_doc_set_title(d, takc_str(value), TAKC_TITLE_METADATA, err);
        }
    }
    takc_docx_xml_close(&xml);
    return st;
}

/* Without any other title the first heading is it. */
static enum takc_status title_from_heading(struct takc_doc *d, struct takc_err *err)
{
    for (size_t i = 0; i < d->n_blocks && d->title.len == 0; i++) {
        struct takc_block *b = &d->blocks[i];
        if (b->kind != TAKC_BLOCK_HEADING || (b->flags & TAKC_BLOCK_HIDDEN))
            continue;
        enum takc_status st = takc_doc_set_title(d, takc_str_slice(takc_buf_str(&d->text), b->start, b->end), TAKC_TITLE_TEXT, err);
        if (st)
            return st;
        b->kind = TAKC_BLOCK_TITLE;
        b->level = 0;
        d->title_start = b->start;
        d->title_end = b->end;
    }
    return TAKC_OK;
}

/* A part that a document can do without: empty when it is missing. */
static enum takc_status optional_part(struct takc_docx_zip *z, const char *name, struct takc_buf *out, struct takc_err *err)
{
    takc_buf_reset(out);
    enum takc_status st = takc_docx_part(z, name, out, err);
    return st == TAKC_NOT_FOUND ? TAKC_OK : st;
}

static enum takc_status read_parts(struct takc_docx_zip *z, struct takc_call *call, struct takc_doc *out, struct takc_err *err)
{
    struct takc_docx_styles styles;
    struct takc_buf part;
    const char *name = takc_docx_main(z);
    if (!name)
        return takc_fail(err, TAKC_CORRUPT, 0, "an archive without word/document.xml");
    struct body *b = takc_alloc(sizeof(*b));
    takc_docx_styles_init(&styles);
    takc_buf_init(&part, MAX_PART_BYTES);
    enum takc_status st =
        b ? optional_part(z, "word/styles.xml", &part, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory to read a document");
    if (!st && part.len)
        st = takc_docx_styles_read(&styles, takc_buf_str(&part), err);
    takc_buf_reset(&part);
    if (!st)
        st = takc_docx_part(z, name, &part, err);
    if (!st) {
        *b = (struct body){.d = out, .styles = &styles, .call = call, .err = err, .skip = -1};
        takc_buf_init(&b->line, out->text.max);
        st = read_body(b, name, takc_buf_str(&part));
        takc_buf_clear(&b->line);
    }
    if (!st)
        st = optional_part(z, "docProps/core.xml", &part, err);
    if (!st && part.len)
        st = read_core(takc_buf_str(&part), out, err);
    if (!st)
        st = title_from_heading(out, err);
    takc_free(b);
    takc_buf_clear(&part);
    takc_docx_styles_clear(&styles);
    return st;
}

static enum takc_status read_docx(struct takc_call *call, const struct takc_reader_input *in, struct takc_doc *out, struct takc_err *err)
{
    uint64_t max_text = in->max_text_bytes ? in->max_text_bytes : TAKC_READER_MAX_TEXT;
    struct takc_docx_zip z = {0};
    (void)snprintf(out->reader, sizeof(out->reader), "%s", takc_reader_docx.name);
    (void)snprintf(out->reader_version, sizeof(out->reader_version), "%s", takc_reader_docx.version);
    (void)snprintf(out->charset, sizeof(out->charset), "UTF-8");
    if (max_text < out->text.max)
        out->text.max = (size_t)max_text;
    xmlInitParser();
    enum takc_status st = takc_docx_open(&z, in->bytes, max_text < MAX_PART_BYTES / 2 ? max_text * 2 : MAX_PART_BYTES, out, err);
    if (!st)
        st = read_parts(&z, call, out, err);
    takc_docx_close(&z);
    return st;
}

static bool holds(struct takc_str s, size_t from, size_t to, const char *what)
{
    return takc_str_find(takc_str_slice(s, from, to), takc_str(what), 0) != SIZE_MAX;
}

static int sniff_docx(struct takc_str s)
{
    enum { LOOK_BYTES = 64 << 10 };
    if (!takc_str_starts(s, takc_str("PK\3\4")))
        return 0;
    /* names stand in the local headers and again in the directory at the end; one of both survives most damage */
    bool found = holds(s, 0, s.len < LOOK_BYTES ? s.len : LOOK_BYTES, "word/") ||
                 holds(s, s.len < LOOK_BYTES ? 0 : s.len - LOOK_BYTES, s.len, "word/");
    return found ? 3 : 0;
}

static const char *const extensions[] = {"docx", "docm", NULL};
const struct takc_reader_ops takc_reader_docx = {
    .name = "docx", .version = "2", .extensions = extensions, .sniff = sniff_docx, .read = read_docx};
