/* SPDX-License-Identifier: Apache-2.0
 *
 * docx_body.c - word/document.xml from left to right, one block a paragraph or table row.
 *
 * A paragraph's properties come before its text, a row's before its cells, so nothing is held but the line being made. Left out: deleted
 * text, fields' instructions, hidden runs, footnotes and comments (a note says so). mc:AlternateContent gives its Choice only, so text
 * boxes come once; a text box inside a paragraph stands between its two halves. Tables of one column are layout: their paragraphs stay
 * paragraphs. A table inside a table is folded into the cell around it. */
#include "doc/docx_body.h"
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { CHECK_EVERY = 4096 };

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

static enum takc_status start_para(struct takc_docx_body *b)
{
    if (b->n_open == TAKC_DOCX_PARAS)
        return takc_fail(b->err, TAKC_REFUSED, 0, "text boxes nested more than %d deep at paragraph %u", TAKC_DOCX_PARAS, b->n_paras);
    b->paras[b->n_open++] = (struct takc_docx_para){.style = {.kind = TAKC_BLOCK_PARA}, .ordinal = b->n_paras};
    if (!takc_docx_row_table(b))
        return TAKC_OK;
    if (!b->row_para)
        b->row_para = b->n_paras;
    takc_docx_add_space(b, ' ');
    return TAKC_OK;
}

static enum takc_status start_table(struct takc_docx_body *b)
{
    bool nested = takc_docx_row_table(b) != NULL;
    if (b->n_tables == TAKC_DOCX_TABLES)
        return takc_fail(b->err, TAKC_REFUSED, 0, "tables nested more than %d deep at paragraph %u", TAKC_DOCX_TABLES, b->n_paras);
    b->tables[b->n_tables++] = (struct takc_docx_table){.nested = nested, .layout = !nested}; /* layout until two columns are seen */
    return TAKC_OK;
}

static void start_row(struct takc_docx_body *b)
{
    struct takc_docx_table *t = &b->tables[b->n_tables - 1];
    if (t->row++ == 0 && !t->nested && t->n_columns != 1) {
        t->layout = false;
        t->number = ++b->n_all_tables;
        t->first_block = t->first_end = b->d->n_blocks;
    }
    t->cell = 0;
    t->row_header = false;
    if (takc_docx_row_table(b) == t)
        b->row_para = 0;
}

static enum takc_status start_cell(struct takc_docx_body *b)
{
    struct takc_docx_table *t = &b->tables[b->n_tables - 1];
    t->cell++;
    if (takc_docx_row_table(b) != t || t->cell == 1) {
        takc_docx_add_space(b, ' ');
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
static void set_property(struct takc_docx_body *b, enum element e, xmlTextReaderPtr x)
{
    struct takc_docx_para *p = takc_docx_open_para(b);
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

/* A break or tab: as it is in a listing, elsewhere what it is folded to. */
static enum takc_status add_blank(struct takc_docx_body *b, char in_code, char folded)
{
    if (takc_docx_in_code(b))
        return takc_buf_byte(&b->line, in_code, b->err);
    takc_docx_add_space(b, folded);
    return TAKC_OK;
}

static enum takc_status start_element(struct takc_docx_body *b, enum element e, xmlTextReaderPtr x)
{
    struct takc_docx_table *t = b->n_tables ? &b->tables[b->n_tables - 1] : NULL;
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
        if (takc_docx_row_table(b))
            takc_docx_add_space(b, ' ');
        return !takc_docx_row_table(b) && b->n_open ? takc_docx_write_para(b) : TAKC_OK;
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
        return add_blank(b, '\n', '\n');
    case TAB:
        return add_blank(b, '\t', ' ');
    case HYPHEN:
        return b->vanish ? TAKC_OK : takc_docx_add_word(b, takc_str("-"));
    case NOTE:
        b->n_notes++;
        return TAKC_OK;
    default:
        set_property(b, e, x);
        return TAKC_OK;
    }
}

static enum takc_status end_element(struct takc_docx_body *b, enum element e)
{
    struct takc_docx_table *t = b->n_tables ? &b->tables[b->n_tables - 1] : NULL;
    enum takc_status st = TAKC_OK;
    if (e == P && b->n_open) {
        if (!takc_docx_row_table(b))
            st = takc_docx_write_para(b);
        b->n_open--;
    } else if (e == TR && t && takc_docx_row_table(b) == t) {
        st = takc_docx_write_row(b, t);
    } else if (e == TBL && t) {
        if (!t->layout && !t->nested)
            takc_docx_guess_header(b, t);
        b->n_tables--;
    } else if (e == R && b->in_r) {
        b->in_r--;
        b->vanish = false;
    } else if (e == T && b->in_t) {
        b->in_t--;
    }
    return st;
}

static enum takc_status take_node(struct takc_docx_body *b, xmlTextReaderPtr x)
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
        return b->in_t && !b->vanish ? takc_docx_add_text(b, takc_str((const char *)xmlTextReaderConstValue(x))) : TAKC_OK;
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

static enum takc_status read_nodes(struct takc_docx_body *b, const char *name, struct takc_str part)
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

enum takc_status takc_docx_body_read(struct takc_doc *d, const struct takc_docx_styles *styles, struct takc_call *call, const char *name,
                                     struct takc_str part, struct takc_err *err)
{
    struct takc_docx_body *b = takc_alloc(sizeof(*b));
    if (!b)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory to read a document");
    *b = (struct takc_docx_body){.d = d, .styles = styles, .call = call, .err = err, .skip = -1};
    takc_buf_init(&b->line, d->text.max);
    enum takc_status st = read_nodes(b, name, part);
    takc_buf_clear(&b->line);
    takc_free(b);
    return st;
}
