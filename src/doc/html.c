/* SPDX-License-Identifier: Apache-2.0
 *
 * html.c - the HTML reader: source bytes to UTF-8, to a tree (html_tree.c), to text, blocks and map (html_page.c).
 *
 * What kind a block gets is told by the innermost element that says so. A table is rows unless it only lays out the page: one column, or,
 * without header cells, holding tables, headings, preformatted text or long prose. The first visible h1 is the title, else <title>. Spans
 * over columns and rows are not counted: a column is the number of bars before it. Pages in another charset are transcoded first; the map
 * then leads through the converter's own, except for the seven-bit charsets, whose bytes mean nothing alone: no map, and a note. */
#include "base/clock.h"
#include "base/utf8.h"
#include "doc/html_page.h"
#include "doc/html_tree.h"
#include "doc/readers.h"

#include <stdio.h>
#include <string.h>

enum { LAYOUT_CELL_BYTES = 600, PRESCAN_BYTES = 4096 };

struct walk {
    const struct takc_html_tree *t;
    struct takc_html_page page;
    struct takc_call *call;
    uint32_t n_tables, n_seen;
};

static void walk_children(struct walk *w, uint32_t i, const struct takc_html_around *a);
static void walk_element(struct walk *w, uint32_t i, struct takc_html_around a);

static struct takc_html_piece piece_of(const struct takc_html_tree *t, uint32_t i)
{
    const struct takc_html_node *n = &t->nodes[i];
    return (struct takc_html_piece){takc_html_text(t, n), n->at, n->src_len, n->map};
}

static bool is_cell(uint8_t tag)
{
    return tag == TAKC_HTML_TD || tag == TAKC_HTML_TH;
}

/* Does a table only lay out the page? One with header cells of its own does not, whatever its cells hold. */
static bool is_layout(const struct takc_html_tree *t, uint32_t i)
{
    const struct takc_html_node *n = &t->nodes[i];
    uint32_t in_row = 0, most = 0, n_cells = 0, n_heads = 0;
    bool holds_more = false;
    for (uint32_t c = i + 1, next; c < n->end; c = next) {
        uint8_t tag = t->nodes[c].tag;
        next = tag == TAKC_HTML_TABLE ? t->nodes[c].end : c + 1;
        holds_more |= tag == TAKC_HTML_TABLE || tag == TAKC_HTML_PRE || (tag >= TAKC_HTML_H1 && tag <= TAKC_HTML_H6);
        if (tag == TAKC_HTML_TR)
            in_row = 0;
        if (is_cell(tag)) {
            in_row++;
            n_cells++;
            n_heads += tag == TAKC_HTML_TH;
        }
        most = in_row > most ? in_row : most;
    }
    return most < 2 || (!n_heads && (holds_more || n->len / n_cells > LAYOUT_CELL_BYTES));
}

/* A row of nothing but header cells. */
static bool all_heads(const struct takc_html_tree *t, uint32_t row)
{
    bool any = false;
    for (uint32_t c = row + 1; c < t->nodes[row].end; c = t->nodes[c].end) {
        if (t->nodes[c].tag == TAKC_HTML_TD && t->nodes[c].len)
            return false;
        any |= t->nodes[c].tag == TAKC_HTML_TH && t->nodes[c].len;
    }
    return any;
}

/* Parts of a table that are no cells. */
static bool is_table_part(uint8_t tag)
{
    return tag == TAKC_HTML_TR || tag == TAKC_HTML_THEAD || tag == TAKC_HTML_TBODY || tag == TAKC_HTML_TFOOT || tag == TAKC_HTML_CAPTION;
}

/* One row: the cells among the nodes from..end, up to the next part of the table. Returns where it stopped. */
static uint32_t walk_row(struct walk *w, uint32_t from, uint32_t end, struct takc_html_around a)
{
    const struct takc_html_tree *t = w->t;
    uint32_t c = from;
    unsigned n_cells = 0;
    takc_html_page_close(&w->page);
    a.cell = true;
    a.kind = TAKC_BLOCK_ROW;
    for (; c < end && !is_table_part(t->nodes[c].tag); c = t->nodes[c].end) {
        bool cell = is_cell(t->nodes[c].tag);
        if ((t->nodes[c].flags & TAKC_HTML_IS_GONE) || t->nodes[c].tag == TAKC_HTML_TEXT)
            continue;
        if (cell && n_cells++)
            takc_html_page_bar(&w->page);
        if (cell)
            walk_children(w, c, &a);
        else
            walk_element(w, c, a);
    }
    takc_html_page_close(&w->page);
    return c;
}

static bool has_rows(const struct takc_html_tree *t, uint32_t i)
{
    for (uint32_t c = i; c < t->nodes[i].end; c++)
        if (t->nodes[c].tag == TAKC_HTML_TR)
            return true;
    return false;
}

/* What stands in a table and is neither row nor cell: captions, and text that has no business there. */
static void walk_loose(struct walk *w, uint32_t c, struct takc_html_around a)
{
    a.kind = TAKC_BLOCK_PARA;
    if (w->t->nodes[c].tag != TAKC_HTML_TEXT)
        walk_element(w, c, a);
    else
        takc_html_page_text(&w->page, &a, piece_of(w->t, c));
}

/* Rows of a table or of a part of it; *rows counts, *data says whether a row that is no header was seen. */
static void walk_rows(struct walk *w, uint32_t i, struct takc_html_around a, uint32_t *rows, bool *data)
{
    const struct takc_html_tree *t = w->t;
    for (uint32_t c = i + 1, next; c < t->nodes[i].end; c = next) {
        uint8_t tag = t->nodes[c].tag;
        struct takc_html_around row = a;
        next = t->nodes[c].end;
        if (t->nodes[c].flags & TAKC_HTML_IS_GONE)
            continue;
        if (tag == TAKC_HTML_TR) {
            row.row = ++*rows;
            row.header = t->nodes[i].tag == TAKC_HTML_THEAD || (!*data && all_heads(t, c));
            row.hidden |= (t->nodes[c].flags & TAKC_HTML_IS_NAV) != 0;
            *data |= !row.header;
            (void)walk_row(w, c + 1, next, row);
        } else if (is_cell(tag)) { /* a row whose element was left out */
            row.row = ++*rows;
            *data = true;
            next = walk_row(w, c, t->nodes[i].end, row);
        } else if (tag != TAKC_HTML_TEXT && has_rows(t, c)) {
            walk_rows(w, c, a, rows, data);
        } else {
            walk_loose(w, c, a);
        }
    }
    takc_html_page_close(&w->page);
}

static void walk_table(struct walk *w, uint32_t i, struct takc_html_around a)
{
    uint32_t rows = 0;
    bool data = false;
    if (a.cell || is_layout(w->t, i)) {
        walk_children(w, i, &a);
        return;
    }
    a.table = ++w->n_tables;
    walk_rows(w, i, a, &rows, &data);
}

/* What a block element says about the blocks in it. */
static struct takc_html_around inside(struct takc_html_around a, uint8_t tag, uint32_t i)
{
    if (tag >= TAKC_HTML_H1 && tag <= TAKC_HTML_H6) {
        a.kind = TAKC_BLOCK_HEADING;
        a.level = (uint8_t)(tag - TAKC_HTML_H1 + 1);
    } else if (tag == TAKC_HTML_LI) {
        a.kind = TAKC_BLOCK_ITEM;
        a.level = a.list_depth ? a.list_depth : 1;
        a.item = i;
    } else if (tag == TAKC_HTML_DT) {
        a.kind = TAKC_BLOCK_TERM;
        a.describes = false;
    } else if (tag == TAKC_HTML_DD) {
        a.kind = TAKC_BLOCK_PARA;
        a.describes = true;
    } else if (tag == TAKC_HTML_DL) {
        a.kind = TAKC_BLOCK_PARA;
        a.describes = false;
        a.dl = i;
    } else if (takc_html_class(tag) & TAKC_HTML_LIST) {
        a.kind = TAKC_BLOCK_PARA;
        a.list_depth += a.list_depth < UINT8_MAX;
    } else if (tag == TAKC_HTML_PRE || tag == TAKC_HTML_XMP || tag == TAKC_HTML_LISTING) {
        a.kind = TAKC_BLOCK_CODE;
        a.pre = true;
    } else if (tag == TAKC_HTML_BLOCKQUOTE || tag == TAKC_HTML_TABLE || is_cell(tag) || tag == TAKC_HTML_CAPTION) {
        a.kind = TAKC_BLOCK_PARA;
    }
    return a;
}

static void walk_element(struct walk *w, uint32_t i, struct takc_html_around a)
{
    const struct takc_html_node *n = &w->t->nodes[i];
    if (n->flags & TAKC_HTML_IS_GONE)
        return;
    if (n->tag == TAKC_HTML_BR) {
        takc_html_page_line(&w->page, &a);
        return;
    }
    if (!(takc_html_class(n->tag) & TAKC_HTML_BLOCK)) {
        walk_children(w, i, &a);
        return;
    }
    takc_html_page_break(&w->page, &a);
    if (!a.cell)
        a = inside(a, n->tag, i);
    a.hidden |= !a.cell && (n->flags & TAKC_HTML_IS_NAV);
    if (n->tag == TAKC_HTML_TABLE)
        walk_table(w, i, a);
    else
        walk_children(w, i, &a);
    takc_html_page_break(&w->page, &a);
}

static void walk_children(struct walk *w, uint32_t i, const struct takc_html_around *a)
{
    const struct takc_html_tree *t = w->t;
    if (++w->n_seen % 4096 == 0 && !w->page.st)
        w->page.st = takc_call_check(w->call, w->page.err);
    for (uint32_t c = i + 1; c < t->nodes[i].end && !w->page.st; c = t->nodes[c].end) {
        const struct takc_html_node *n = &t->nodes[c];
        if (n->tag != TAKC_HTML_TEXT) {
            walk_element(w, c, *a);
            continue;
        }
        takc_html_page_text(&w->page, a, piece_of(t, c));
    }
}

static enum takc_status walk_tree(struct walk *w)
{
    const struct takc_html_tree *t = w->t;
    struct takc_html_around a = {.kind = TAKC_BLOCK_PARA};
    for (uint32_t c = 0; c < t->n_nodes && !w->page.st; c = t->nodes[c].end)
        if (t->nodes[c].tag != TAKC_HTML_TEXT)
            walk_element(w, c, a);
    takc_html_page_close(&w->page);
    return w->page.st;
}

/* The charset that a meta element near the beginning names, or an XML declaration; false when there is none. */
static bool declared_charset(struct takc_str s, char out[24])
{
    s = takc_str_slice(s, 0, s.len < PRESCAN_BYTES ? s.len : PRESCAN_BYTES);
    size_t xml = takc_str_starts(s, takc_str("<?xml")) ? takc_str_find(s, takc_str("?>"), 0) : 0;
    for (size_t i = 0; i + 8 < s.len; i++) {
        struct takc_str word = takc_str_slice(s, i, i + 8);
        bool encoding = xml != SIZE_MAX && i < xml && takc_str_is(word, "encoding");
        if (!encoding && !takc_str_eq_nocase(takc_str_slice(word, 0, 7), takc_str("charset")))
            continue;
        size_t at = i + 7 + encoding, n = 0;
        while (at < s.len && (s.ptr[at] == ' ' || s.ptr[at] == '='))
            at++;
        at += at < s.len && (s.ptr[at] == '"' || s.ptr[at] == '\'');
        for (; at < s.len && n < 23 && (unsigned char)s.ptr[at] > ' ' && !strchr("\"'/>;", s.ptr[at]); at++)
            out[n++] = s.ptr[at];
        out[n] = '\0';
        if (n)
            return true;
    }
    return false;
}

/* What browsers read these names as. */
static const char *as_read(const char *name)
{
    static const char *const latin[] = {"iso-8859-1", "iso8859-1", "latin1", "latin-1", "us-ascii", "ascii", "cp1252"};
    for (size_t i = 0; i < sizeof(latin) / sizeof(latin[0]); i++)
        if (takc_str_eq_nocase(takc_str(name), takc_str(latin[i])))
            return "windows-1252";
    return name;
}

/* The page as UTF-8: itself where it is that already, else converted into under->text, with the map where there is one. */
static enum takc_status to_utf8(const struct takc_reader_input *in, struct takc_doc *under, struct takc_doc *out, struct walk *w,
                                struct takc_str *page, struct takc_err *err)
{
    char declared[24];
    struct takc_str s = in->bytes;
    bool bom = takc_str_starts(s, takc_str("\xEF\xBB\xBF"));
    bool named = declared_charset(s, declared);
    bool seven = named && (!strncasecmp(declared, "iso-2022", 8) || !strncasecmp(declared, "hz", 2));
    w->page.mapped = true;
    if (takc_utf8_valid(s, NULL) && !seven && !takc_charset_wide(s)) {
        w->page.base = bom ? 3 : 0;
        *page = takc_str_slice(s, w->page.base, s.len);
        (void)snprintf(out->charset, sizeof(out->charset), "UTF-8");
        return TAKC_OK;
    }
    enum takc_status st = takc_charset_to_utf8(s, &under->text, under, out->charset, &out->n_replaced, err);
    *page = takc_buf_str(&under->text);
    w->page.under = under;
    bool guessed = strncmp(out->charset, "UTF-", 4) != 0 || seven;
    if (st || !named || !guessed || !strncasecmp(declared, "utf", 3) || !strcasecmp(as_read(declared), out->charset))
        return st;
    struct takc_doc other;
    takc_doc_init(&other);
    st = takc_charset_from(s, as_read(declared), &other.text, &other, &other.n_replaced, err);
    if (!st) { /* the page's word counts more than the guess */
        takc_doc_clear(under);
        *under = other;
        *page = takc_buf_str(&under->text);
        (void)snprintf(out->charset, sizeof(out->charset), "%s", as_read(declared));
        out->n_replaced = under->n_replaced;
        w->page.mapped = !seven;
        return seven ? takc_doc_note(out, err, "charset %s: no map to the source", declared) : TAKC_OK;
    }
    takc_doc_clear(&other);
    return st == TAKC_UNSUPPORTED ? TAKC_OK : st;
}

/* A page without h1 whose first heading is what <title> says: there stands the title. */
static void find_title(struct takc_doc *d)
{
    size_t i = 0;
    while (i < d->n_blocks && (d->blocks[i].kind != TAKC_BLOCK_HEADING || (d->blocks[i].flags & TAKC_BLOCK_HIDDEN)))
        i++;
    if (i == d->n_blocks)
        return;
    struct takc_block *b = &d->blocks[i];
    if (!takc_str_eq(takc_str_slice(takc_buf_str(&d->text), b->start, b->end), takc_buf_str(&d->title)))
        return;
    b->kind = TAKC_BLOCK_TITLE;
    b->level = 0;
    d->title_from = TAKC_TITLE_TEXT;
    d->title_start = b->start;
    d->title_end = b->end;
}

/* Title and date that the page's head tells. */
static enum takc_status set_metadata(const struct takc_html_tree *t, struct takc_doc *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    int32_t days;
    if (out->title.len == 0 && takc_str_trim(takc_buf_str(&t->title)).len) {
        st = takc_doc_set_title(out, takc_buf_str(&t->title), TAKC_TITLE_METADATA, err);
        if (!st)
            find_title(out);
    }
    if (t->date.len && takc_date_parse(t->date.ptr, t->date.len, &days, NULL) == TAKC_OK) {
        out->has_date = true;
        out->date = days;
    }
    return st;
}

static enum takc_status read_html(struct takc_call *call, const struct takc_reader_input *in, struct takc_doc *out, struct takc_err *err)
{
    struct takc_html_tree t;
    struct takc_doc under;
    struct takc_str page;
    struct walk w = {.t = &t, .call = call, .page = {.d = out, .err = err}};
    uint64_t max_text = in->max_text_bytes ? in->max_text_bytes : TAKC_READER_MAX_TEXT;
    takc_html_tree_init(&t);
    takc_doc_init(&under);
    (void)snprintf(out->reader, sizeof(out->reader), "%s", takc_reader_html.name);
    (void)snprintf(out->reader_version, sizeof(out->reader_version), "%s", takc_reader_html.version);
    if (max_text < out->text.max)
        out->text.max = (size_t)max_text;
    enum takc_status st = in->bytes.len > UINT32_MAX ? takc_fail(err, TAKC_REFUSED, 0, "page is over 4 GiB") : TAKC_OK;
    if (!st)
        st = to_utf8(in, &under, out, &w, &page, err);
    if (!st)
        st = takc_html_tree_parse(&t, page, call, err);
    if (!st)
        st = walk_tree(&w);
    if (!st)
        st = set_metadata(&t, out, err);
    takc_html_tree_clear(&t);
    takc_doc_clear(&under);
    return st;
}

static int sniff_html(struct takc_str s)
{
    static const char *const certain[] = {"<!doctype html", "<html"};
    static const char *const likely[] = {"<head", "<body", "<title", "<h1", "<div", "<p>", "<table", "<meta"};
    if (takc_str_starts(s, takc_str("\xEF\xBB\xBF")))
        s = takc_str_slice(s, 3, s.len);
    s = takc_str_trim(takc_str_slice(s, 0, s.len < 2048 ? s.len : 2048));
    if (s.len == 0 || s.ptr[0] != '<')
        return 0;
    for (size_t i = 0; i < s.len; i++)
        for (size_t k = 0; s.ptr[i] == '<' && k < 2; k++)
            if (s.len - i >= strlen(certain[k]) && takc_str_eq_nocase(takc_str_slice(s, i, i + strlen(certain[k])), takc_str(certain[k])))
                return 3;
    for (size_t k = 0; k < sizeof(likely) / sizeof(likely[0]); k++)
        if (s.len >= strlen(likely[k]) && takc_str_eq_nocase(takc_str_slice(s, 0, strlen(likely[k])), takc_str(likely[k])))
            return 2;
    return 0;
}

static const char *const extensions[] = {"html", "htm", "xhtml", "shtml", NULL};
const struct takc_reader_ops takc_reader_html = {
    .name = "html", .version = "2", .extensions = extensions, .sniff = sniff_html, .read = read_html};
