/* SPDX-License-Identifier: Apache-2.0
 *
 * markdown.c - Markdown by cmark-gfm (tables, strikethrough). The text holds what a reader of the page sees: no marks, no link targets.
 *
 * cmark gives the line of a block and the words of its inlines, but not where the words stand (its inline columns are wrong on continuation
 * lines). So each literal is looked for in the raw lines from where the last one ended: nearly always it stands there as it is, else
 * it is matched a character at a time over escapes and entities. What is skipped on the way are the marks. The map follows from this.
 * cmark aborts when memory runs out, so input is limited and nesting is judged before and after it runs. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "doc/parts.h"

#include <cmark-gfm-core-extensions.h>
#include <cmark-gfm-extension_api.h>
#include <cmark-gfm.h>
#include <pthread.h>

enum { MAX_INPUT = 64 << 20, WINDOW = 4096, MAX_ENTITY = 40, FRONT_LINES = 200, FREE_CELLS = 1 << 22 };

struct page {
    struct takc_doc raw; /* decoded source and its map */
    struct takc_str text;
    struct takc_doc *d;
    uint32_t *lines; /* starts of lines; line i (from 1) is lines[i - 1] .. */
    size_t n_lines, lines_cap;
    size_t pos, end; /* where in text the next literal is looked for */
    uint32_t n_tables;
    unsigned depth, list_depth;
    bool no_tables;
    struct takc_err *err;
};

static size_t line_start(const struct page *p, int line)
{
    if (line < 1)
        return 0;
    return (size_t)line <= p->n_lines ? p->lines[line - 1] : p->text.len;
}

static enum takc_status find_lines(struct page *p)
{
    for (size_t at = 0; at <= p->text.len;) {
        enum takc_status st = takc_grow(&p->lines, &p->lines_cap, p->n_lines + 1, sizeof(*p->lines), p->err);
        if (st)
            return st;
        p->lines[p->n_lines++] = (uint32_t)at;
        const char *nl = at < p->text.len ? memchr(p->text.ptr + at, '\n', p->text.len - at) : NULL;
        if (!nl)
            break;
        at = (size_t)(nl - p->text.ptr) + 1;
    }
    return TAKC_OK;
}

static enum takc_status too_deep(struct page *p, size_t line)
{
    return takc_fail(p->err, TAKC_REFUSED, 0, "line %zu: nesting deeper than %d", line, TAKC_READER_MAX_DEPTH);
}

/* Marks of quotes and lists that a line opens with: cmark's work grows with their square, so they are counted before. */
static enum takc_status check_marks(struct page *p)
{
    for (size_t i = 0; i < p->n_lines; i++) {
        size_t marks = 0;
        for (size_t at = p->lines[i]; at < p->text.len; at++) {
            char c = p->text.ptr[at];
            bool list = (c == '-' || c == '*' || c == '+' || c == '.' || c == ')') && at + 1 < p->text.len && p->text.ptr[at + 1] == ' ';
            if (!strchr(" \t>-*+.)0123456789", c) || c == '\0')
                break;
            marks += c == '>' || list;
        }
        if (marks > TAKC_READER_MAX_DEPTH)
            return too_deep(p, i + 1);
    }
    return TAKC_OK;
}

/* Columns that line i would give a table if it were the one below its header; 0 when it cannot be. */
static size_t table_columns(const struct page *p, size_t i)
{
    size_t bars = 0;
    for (size_t at = p->lines[i]; at < p->text.len && p->text.ptr[at] != '\n'; at++) {
        if (!strchr("|:- \t", p->text.ptr[at]))
            return 0;
        bars += p->text.ptr[at] == '|';
    }
    return bars;
}

/* cmark fills short rows up to the width of the header: few bytes may ask for billions of cells. Then there are no tables. */
static enum takc_status check_tables(struct page *p)
{
    size_t widest = 0;
    for (size_t i = 0; i < p->n_lines; i++) {
        size_t n = table_columns(p, i);
        widest = n > widest ? n : widest;
    }
    size_t cells = widest * p->n_lines;
    p->no_tables = cells > FREE_CELLS && cells / 4 > p->text.len;
    return p->no_tables ? takc_doc_note(p->d, p->err, "tables of %zu columns are read as text", widest) : TAKC_OK;
}

static enum takc_status copy(struct page *p, size_t from, size_t to)
{
    return takc_doc_copy(p->d, &p->raw, from, to, p->err);
}

/* One character of a literal that does not stand in the raw text as it is. */
static enum takc_status put_char(struct page *p, struct takc_str c)
{
    struct takc_str raw = p->text;
    if (p->pos + 1 < p->end && raw.ptr[p->pos] == '\\' && raw.ptr[p->pos + 1] == c.ptr[0])
        p->pos++;
    if (p->pos < p->end && raw.ptr[p->pos] == '&' && !(c.ptr[0] == '&' && p->pos + 5 <= p->end && raw.ptr[p->pos + 1] == ' ')) {
        size_t limit = p->pos + MAX_ENTITY < p->end ? p->pos + MAX_ENTITY : p->end, semicolon = takc_str_find_byte(raw, ';', p->pos);
        bool whole = semicolon < limit;
        for (size_t i = p->pos + 1; i < semicolon && whole; i++)
            whole = (raw.ptr[i] >= '0' && raw.ptr[i] <= '9') || ((raw.ptr[i] | 32) >= 'a' && (raw.ptr[i] | 32) <= 'z') || raw.ptr[i] == '#';
        uint64_t a, b;
        if (whole && takc_doc_source_range(&p->raw, (uint32_t)p->pos, (uint32_t)semicolon + 1, &a, &b)) {
            p->pos = semicolon + 1;
            return takc_doc_decoded(p->d, c, (size_t)a, (size_t)b, p->err);
        }
    }
    size_t limit = p->pos + WINDOW < p->end ? p->pos + WINDOW : p->end;
    const char *at = p->pos < limit ? memmem(raw.ptr + p->pos, limit - p->pos, c.ptr, c.len) : NULL;
    if (!at)
        return takc_doc_inserted(p->d, c, p->err);
    size_t from = (size_t)(at - raw.ptr);
    p->pos = from + c.len;
    return copy(p, from, p->pos);
}

/* Appends a literal, found in the raw text at or after pos. */
static enum takc_status put_literal(struct page *p, struct takc_str lit)
{
    size_t limit = p->end - p->pos < lit.len + WINDOW ? p->end : p->pos + lit.len + WINDOW;
    const char *at = lit.len && p->pos < limit ? memmem(p->text.ptr + p->pos, limit - p->pos, lit.ptr, lit.len) : NULL;
    if (at) {
        size_t from = (size_t)(at - p->text.ptr);
        p->pos = from + lit.len;
        return copy(p, from, p->pos);
    }
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < lit.len && !st;) {
        size_t from = i;
        (void)takc_utf8_next(lit, &i, NULL);
        st = put_char(p, takc_str_slice(lit, from, i));
    }
    return st;
}

/* Behind the words of a link or image: goes over "](target "title")" or "][label]". */
static void skip_target(struct page *p)
{
    const char *s = p->text.ptr;
    size_t i = p->pos;
    while (i < p->end && i < p->pos + 8 && s[i] != ']')
        i++;
    if (i + 1 >= p->end || s[i] != ']' || (s[i + 1] != '(' && s[i + 1] != '['))
        return;
    char open = s[i + 1], close = open == '(' ? ')' : ']';
    unsigned depth = 0;
    bool quoted = false;
    for (i++; i < p->end; i++) {
        if (s[i] == '\\' && i + 1 < p->end)
            i++;
        else if (s[i] == '"' && open == '(')
            quoted = !quoted;
        else if (s[i] == open && !quoted)
            depth++;
        else if (s[i] == close && !quoted && --depth == 0)
            break;
    }
    if (i < p->end)
        p->pos = i + 1;
}

/* Appends the words of the inlines below node. Line breaks go to the next raw line. */
static enum takc_status put_inlines(struct page *p, cmark_node *node, const char *newline)
{
    cmark_iter *it = cmark_iter_new(node);
    enum takc_status st = TAKC_OK;
    cmark_event_type event;
    while (!st && (event = cmark_iter_next(it)) != CMARK_EVENT_DONE) {
        cmark_node *n = cmark_iter_get_node(it);
        cmark_node_type type = cmark_node_get_type(n);
        const char *literal = cmark_node_get_literal(n);
        if (event == CMARK_EVENT_EXIT && (type == CMARK_NODE_LINK || type == CMARK_NODE_IMAGE))
            skip_target(p);
        if (event != CMARK_EVENT_ENTER || n == node)
            continue;
        if (type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE) {
            st = put_literal(p, takc_str(literal));
        } else if (type == CMARK_NODE_SOFTBREAK || type == CMARK_NODE_LINEBREAK) {
            size_t at = takc_str_find_byte(p->text, '\n', p->pos);
            st = at < p->end && newline[0] == '\n' ? copy(p, at, at + 1) : takc_doc_inserted(p->d, takc_str(newline), p->err);
            p->pos = at < p->end ? at + 1 : p->pos;
        } else if (type == CMARK_NODE_HTML_INLINE && literal) {
            size_t at = takc_str_find(takc_str_slice(p->text, 0, p->end), takc_str(literal), p->pos);
            p->pos = at == SIZE_MAX ? p->pos : at + strlen(literal);
        }
    }
    cmark_iter_free(it);
    return st;
}

/* Ends the block that began at start of d's text: trimmed, and a newline behind it. */
static enum takc_status end_block(struct page *p, struct takc_block b, size_t start)
{
    struct takc_str all = takc_buf_str(&p->d->text), t = takc_str_trim(takc_str_slice(all, start, all.len));
    enum takc_status st = TAKC_OK;
    if (t.len) {
        b.start = (uint32_t)(t.ptr - all.ptr);
        b.end = b.start + (uint32_t)t.len;
        st = takc_doc_block(p->d, b, p->err);
    }
    return !st && all.len > start ? takc_doc_inserted(p->d, takc_str("\n"), p->err) : st;
}

/* The raw range of a node's lines. */
static void place(struct page *p, cmark_node *n)
{
    int column = cmark_node_get_start_column(n);
    p->pos = line_start(p, cmark_node_get_start_line(n));
    p->end = line_start(p, cmark_node_get_end_line(n) + 1);
    if (column > 1 && p->pos + (size_t)column - 1 < p->end)
        p->pos += (size_t)column - 1;
    if (p->end < p->pos)
        p->end = p->pos;
}

static enum takc_status put_prose(struct page *p, cmark_node *n)
{
    struct takc_block b = {.kind = TAKC_BLOCK_PARA, .line = (uint32_t)cmark_node_get_start_line(n)};
    cmark_node *parent = cmark_node_parent(n);
    size_t start = p->d->text.len;
    place(p, n);
    if (cmark_node_get_type(n) == CMARK_NODE_HEADING) {
        b.kind = TAKC_BLOCK_HEADING;
        b.level = (uint8_t)cmark_node_get_heading_level(n);
        while (p->pos < p->end && strchr("# \t", p->text.ptr[p->pos]) && p->text.ptr[p->pos])
            p->pos++;
    } else if (parent && cmark_node_get_type(parent) == CMARK_NODE_ITEM && cmark_node_previous(n) == NULL) {
        b.kind = TAKC_BLOCK_ITEM;
        b.level = (uint8_t)p->list_depth;
    }
    enum takc_status st = put_inlines(p, n, "\n");
    return st ? st : end_block(p, b, start);
}

/* A line a block; blank lines are left out. */
static enum takc_status put_code(struct page *p, cmark_node *n)
{
    struct takc_str rest = takc_str(cmark_node_get_literal(n)), line;
    int number = cmark_node_get_start_line(n), fence_length, fence_offset;
    char fence;
    enum takc_status st = TAKC_OK;
    number += cmark_node_get_fenced(n, &fence_length, &fence_offset, &fence) ? 1 : 0;
    for (; !st && takc_str_split(&rest, '\n', &line); number++) {
        size_t start = p->d->text.len;
        if (takc_str_trim(line).len == 0)
            continue;
        p->pos = line_start(p, number);
        p->end = line_start(p, number + 1);
        st = put_literal(p, line);
        if (!st)
            st = end_block(p, (struct takc_block){.kind = TAKC_BLOCK_CODE, .line = (uint32_t)number}, start);
    }
    return st;
}

/* Lines of raw HTML without what stands between angle brackets. */
static enum takc_status put_html(struct page *p, cmark_node *n)
{
    enum takc_status st = TAKC_OK;
    bool tag = false;
    int last = cmark_node_get_end_line(n);
    for (int line = cmark_node_get_start_line(n); line <= last && !st; line++) {
        size_t start = p->d->text.len, end = line_start(p, line + 1);
        for (size_t at = line_start(p, line); at < end && !st;) {
            size_t stop = at;
            while (stop < end && p->text.ptr[stop] != (tag ? '>' : '<'))
                stop++;
            if (!tag)
                st = copy(p, at, stop);
            tag = stop < end ? !tag : tag;
            at = stop + 1;
        }
        if (!st)
            st = end_block(p, (struct takc_block){.kind = TAKC_BLOCK_PARA, .line = (uint32_t)line}, start);
    }
    return st;
}

static enum takc_status put_row(struct page *p, cmark_node *row, uint32_t number)
{
    size_t start = p->d->text.len;
    struct takc_block b = {.kind = TAKC_BLOCK_ROW, .table = p->n_tables, .row = number, .line = (uint32_t)cmark_node_get_start_line(row)};
    if (cmark_gfm_extensions_get_table_row_is_header(row))
        b.flags |= TAKC_BLOCK_HEADER;
    place(p, row);
    p->end = line_start(p, (int)b.line + 1);
    while (p->pos < p->end && strchr(" \t", p->text.ptr[p->pos]))
        p->pos++;
    p->pos += p->pos < p->end && p->text.ptr[p->pos] == '|';
    enum takc_status st = TAKC_OK;
    for (cmark_node *cell = cmark_node_first_child(row); cell && !st; cell = cmark_node_next(cell)) {
        if (cell != cmark_node_first_child(row)) {
            while (p->pos < p->end && p->text.ptr[p->pos] != '|')
                p->pos += p->text.ptr[p->pos] == '\\' ? 2 : 1;
            p->pos = p->pos < p->end ? p->pos + 1 : p->end;
            st = takc_doc_inserted(p->d, takc_str(" | "), p->err);
        }
        if (!st)
            st = put_inlines(p, cell, " ");
    }
    return st ? st : end_block(p, b, start);
}

static enum takc_status put_table(struct page *p, cmark_node *table)
{
    enum takc_status st = TAKC_OK;
    uint32_t number = 0;
    p->n_tables++;
    for (cmark_node *row = cmark_node_first_child(table); row && !st; row = cmark_node_next(row))
        st = put_row(p, row, ++number);
    return st;
}

static bool is_table(cmark_node *n)
{
    return strcmp(cmark_node_get_type_string(n), "table") == 0;
}

static enum takc_status put_node(struct page *p, cmark_node *n)
{
    switch (cmark_node_get_type(n)) {
    case CMARK_NODE_PARAGRAPH:
    case CMARK_NODE_HEADING:
        return put_prose(p, n);
    case CMARK_NODE_CODE_BLOCK:
        return put_code(p, n);
    case CMARK_NODE_HTML_BLOCK:
        return put_html(p, n);
    default:
        return is_table(n) ? put_table(p, n) : TAKC_OK;
    }
}

/* All blocks in order; containers only count for the depth. */
static enum takc_status put_blocks(struct page *p, struct takc_call *call, cmark_node *root)
{
    cmark_node *n = cmark_node_first_child(root);
    enum takc_status st = TAKC_OK;
    for (size_t count = 0; n && !st; count++) {
        cmark_node_type type = cmark_node_get_type(n);
        bool container = type == CMARK_NODE_BLOCK_QUOTE || type == CMARK_NODE_LIST || type == CMARK_NODE_ITEM;
        st = container ? TAKC_OK : put_node(p, n);
        if (!st && count % 1024 == 1023)
            st = takc_call_check(call, p->err);
        if (container && cmark_node_first_child(n)) {
            p->list_depth += type == CMARK_NODE_LIST;
            n = cmark_node_first_child(n);
            if (!st && ++p->depth > TAKC_READER_MAX_DEPTH)
                st = too_deep(p, (size_t)cmark_node_get_start_line(n));
            continue;
        }
        while (n && !cmark_node_next(n)) {
            n = cmark_node_parent(n);
            if (n == root)
                return st;
            p->list_depth -= n && cmark_node_get_type(n) == CMARK_NODE_LIST;
            p->depth--;
        }
        n = n ? cmark_node_next(n) : NULL;
    }
    return st;
}

/* One "key: value" of the front matter. */
static enum takc_status front_field(struct page *p, struct takc_str line)
{
    size_t colon = takc_str_find_byte(line, ':', 0);
    if (colon == SIZE_MAX)
        return TAKC_OK;
    struct takc_str key = takc_str_trim(takc_str_slice(line, 0, colon)), value = takc_str_trim(takc_str_slice(line, colon + 1, line.len));
    if (value.len >= 2 && (value.ptr[0] == '"' || value.ptr[0] == '\'') && value.ptr[value.len - 1] == value.ptr[0])
        value = takc_str_slice(value, 1, value.len - 1);
    if (takc_str_eq_nocase(key, takc_str("title")) && value.len)
        return takc_doc_set_title(p->d, value, TAKC_TITLE_METADATA, p->err);
    if (takc_str_eq_nocase(key, takc_str("date")))
        p->d->has_date = takc_date_parse(value.ptr, value.len, &p->d->date, NULL) == TAKC_OK;
    return TAKC_OK;
}

/* YAML between two lines "---" at the top: title and date are taken, the rest is hidden. Returns the lines it has in *n. */
static enum takc_status front_matter(struct page *p, size_t *n)
{
    *n = 0;
    if (!takc_str_starts(p->text, takc_str("---\n")))
        return TAKC_OK;
    size_t last = 1;
    struct takc_str line = {NULL, 0};
    for (; last < p->n_lines && last < FRONT_LINES; last++) {
        line = takc_str_trim(takc_str_slice(p->text, p->lines[last], line_start(p, (int)last + 2)));
        if (takc_str_is(line, "---") || takc_str_is(line, "..."))
            break;
        if (line.len && takc_str_find_byte(line, ':', 0) == SIZE_MAX && line.ptr[0] != '-' && line.ptr[0] != '#' && line.ptr[0] != '"')
            return TAKC_OK; /* prose between two rules */
    }
    if (last >= p->n_lines || last >= FRONT_LINES)
        return TAKC_OK;
    enum takc_status st = TAKC_OK;
    for (size_t i = 1; i < last && !st; i++)
        st = front_field(p, takc_str_slice(p->text, p->lines[i], line_start(p, (int)i + 2)));
    size_t start = p->d->text.len;
    if (!st)
        st = copy(p, p->lines[1], p->lines[last]);
    if (!st)
        st = end_block(p, (struct takc_block){.kind = TAKC_BLOCK_PARA, .flags = TAKC_BLOCK_HIDDEN, .line = 2}, start);
    *n = last + 1;
    return st;
}

static void register_extensions(void)
{
    cmark_gfm_core_extensions_ensure_registered();
}

static cmark_parser *new_parser(bool tables)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, register_extensions);
    cmark_parser *parser = cmark_parser_new(CMARK_OPT_DEFAULT);
    static const char *const names[] = {"strikethrough", "table"};
    for (size_t i = 0; parser && i < (tables ? 2 : 1); i++) {
        cmark_syntax_extension *e = cmark_find_syntax_extension(names[i]);
        if (e)
            (void)cmark_parser_attach_syntax_extension(parser, e);
    }
    return parser;
}

static enum takc_status parse(struct page *p, struct takc_call *call, size_t front)
{
    cmark_parser *parser = new_parser(!p->no_tables);
    if (!parser)
        return takc_fail(p->err, TAKC_NOMEM, 0, "no memory for cmark");
    size_t from = line_start(p, (int)front + 1); /* the front matter as empty lines, so that line numbers hold */
    for (size_t i = 0; i < front; i++)
        cmark_parser_feed(parser, "\n", 1);
    cmark_parser_feed(parser, p->text.ptr + from, p->text.len - from);
    cmark_node *root = cmark_parser_finish(parser);
    enum takc_status st = root ? put_blocks(p, call, root) : takc_fail(p->err, TAKC_NOMEM, 0, "no memory for cmark");
    if (root)
        cmark_node_free(root);
    cmark_parser_free(parser);
    return st;
}

static enum takc_status read_markdown(struct takc_call *call, const struct takc_reader_input *in, struct takc_doc *d, struct takc_err *err)
{
    if (in->bytes.len > MAX_INPUT)
        return takc_fail(err, TAKC_REFUSED, 0, "%zu bytes of Markdown are over the limit of %d", in->bytes.len, MAX_INPUT);
    struct page p = {.d = d, .err = err};
    size_t front = 0;
    takc_doc_init(&p.raw);
    p.raw.text.max = d->text.max;
    enum takc_status st = takc_reader_decode(in, &p.raw, err);
    if (st)
        goto out;
    p.text = takc_buf_str(&p.raw.text);
    d->has_map = true;
    d->n_replaced = p.raw.n_replaced;
    memcpy(d->charset, p.raw.charset, sizeof(d->charset));
    st = takc_buf_add(&d->notes, takc_buf_str(&p.raw.notes), err);
    if (!st)
        st = find_lines(&p);
    if (!st)
        st = check_marks(&p);
    if (!st)
        st = check_tables(&p);
    if (!st)
        st = front_matter(&p, &front);
    if (!st)
        st = parse(&p, call, front);
    if (!st && d->title_from == TAKC_TITLE_UNSET)
        st = takc_reader_title(d, err);
out:
    takc_free(p.lines);
    takc_doc_clear(&p.raw);
    return st;
}

static const char *const extensions[] = {"md", "markdown", "mdown", "mkd", "qmd", "rmd", NULL};

const struct takc_reader_ops takc_reader_markdown = {
    .name = "markdown", .version = "2", .extensions = extensions, .sniff = takc_sniff_markdown, .read = read_markdown};
