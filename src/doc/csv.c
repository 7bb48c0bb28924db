/* SPDX-License-Identifier: Apache-2.0
 *
 * csv.c - CSV by libcsv: every row a block of one table, cells joined by " | ".
 *
 * libcsv tells what cells mean, not where they stand. Its callbacks come only at separators, quotes and line ends, so it is fed up to
 * the next of these at a time, and the place of the cell is known when it calls. Its bytes are then matched with the raw ones: doubled
 * quotes and line ends inside a cell are decoded runs, all else is verbatim. The separator is the one of , ; tab | that cuts the
 * first lines most evenly. */
#include "base/alloc.h"
#include "doc/parts.h"

#include <csv.h>

enum { PROBE = 64 << 10, PROBE_LINES = 50, FIELD_BEGUN = 2 /* libcsv names its states only inside */ };

struct sheet {
    struct takc_doc raw; /* decoded source and its map */
    struct takc_str text;
    struct takc_doc *d;
    struct takc_call *call;
    size_t cell_at, fed; /* raw bytes of the cell now read begin at cell_at; fed: bytes given to libcsv */
    size_t row_start;    /* of d's text */
    size_t counted_at;   /* newlines before this raw byte are in line */
    uint32_t line, row_line;
    uint32_t row, n_cells, first_cells;
    bool first_numbers, other_numbers; /* does the first row, does any other, hold a number? */
    enum takc_status status;
    struct takc_err *err;
};

/* How evenly this separator cuts the lines of s: cells of the commonest count less one, times the lines that have it. */
static size_t evenness(struct takc_str s, char separator, bool *out_all)
{
    size_t counts[PROBE_LINES], n = 0, count = 0, best = 0;
    bool quoted = false;
    for (size_t i = 0; i <= s.len && n < PROBE_LINES; i++) {
        char c = i < s.len ? s.ptr[i] : '\n';
        if (c == '"')
            quoted = !quoted;
        else if (c == separator && !quoted)
            count++;
        else if (c == '\n' && !quoted) {
            if (i > 0 && s.ptr[i - 1] != '\n')
                counts[n++] = count;
            count = 0;
        }
    }
    *out_all = false;
    for (size_t i = 0; i < n; i++) {
        size_t same = 0;
        for (size_t k = 0; k < n; k++)
            same += counts[k] == counts[i];
        if (same * counts[i] > best) {
            best = same * counts[i];
            *out_all = same == n && n >= 3 && counts[i] >= 2;
        }
    }
    return best;
}

static char find_separator(struct takc_str text, bool *out_even)
{
    struct takc_str s = takc_str_slice(text, 0, text.len < PROBE ? text.len : PROBE);
    char best = ',';
    size_t most = 0;
    *out_even = false;
    for (const char *c = ",;\t|"; *c; c++) {
        bool all;
        size_t n = evenness(s, *c, &all);
        if (n <= most)
            continue;
        most = n;
        best = *c;
        *out_even = all;
    }
    return best;
}

static int sniff_csv(struct takc_str bytes)
{
    bool even;
    if (takc_sniff_binary(bytes))
        return 0;
    (void)find_separator(bytes, &even);
    return even ? 2 : 1;
}

static bool has_number(struct takc_str cell)
{
    struct takc_str t = takc_str_trim(cell);
    bool digit = false;
    for (size_t i = 0; i < t.len; i++) {
        bool is = t.ptr[i] >= '0' && t.ptr[i] <= '9';
        digit = digit || is;
        if (!is && !strchr("+-.,%$() /:", t.ptr[i]))
            return false;
    }
    return digit;
}

/* Appends the cell's bytes, each found in the raw cell. */
static enum takc_status put_cell(struct sheet *s, struct takc_str cell)
{
    size_t pos = s->cell_at;
    enum takc_status st = TAKC_OK;
    const char *raw = s->text.ptr;
    while (pos < s->fed && (raw[pos] == ' ' || raw[pos] == '\t'))
        pos++;
    pos += pos < s->fed && raw[pos] == '"';
    for (size_t i = 0; i < cell.len && !st;) {
        size_t n = 0;
        while (i + n < cell.len && pos + n < s->fed && cell.ptr[i + n] == raw[pos + n] && cell.ptr[i + n] != '"' && cell.ptr[i + n] != '\n')
            n++;
        uint64_t from, to;
        if (n) {
            st = takc_doc_copy(s->d, &s->raw, pos, pos + n, s->err);
        } else {
            n = 1;
            size_t width = cell.ptr[i] == '"' && pos + 1 < s->fed && raw[pos] == '"' && raw[pos + 1] == '"' ? 2 : 1;
            struct takc_str byte = cell.ptr[i] == '\n' ? takc_str(" ") : takc_str_slice(cell, i, i + 1);
            bool here = pos < s->fed && raw[pos] == cell.ptr[i] &&
                        takc_doc_source_range(&s->raw, (uint32_t)pos, (uint32_t)(pos + width), &from, &to);
            if (here)
                st = takc_doc_decoded(s->d, byte, (size_t)from, (size_t)to, s->err);
            else if ((unsigned char)byte.ptr[0] < 0x80)
                st = takc_doc_inserted(s->d, byte, s->err);
            else
                return takc_fail(s->err, TAKC_CORRUPT, 0, "row %u: a cell does not match its bytes", s->row + 1);
            pos += width - 1;
        }
        i += n;
        pos += n;
    }
    return st;
}

static void on_cell(void *bytes, size_t len, void *arg)
{
    struct sheet *s = arg;
    struct takc_str cell = takc_str_n(bytes, len);
    if (s->status)
        return;
    if (s->n_cells == 0) {
        s->row_start = s->d->text.len;
        while (s->cell_at < s->fed && (s->text.ptr[s->cell_at] == '\n' || s->text.ptr[s->cell_at] == '\r'))
            s->cell_at++; /* empty lines before the row */
        for (; s->counted_at < s->cell_at; s->counted_at++)
            s->line += s->text.ptr[s->counted_at] == '\n';
        s->row_line = s->line;
    } else {
        s->status = takc_doc_inserted(s->d, takc_str(" | "), s->err);
    }
    if (has_number(cell)) {
        s->first_numbers = s->first_numbers || s->row == 0;
        s->other_numbers = s->other_numbers || s->row > 0;
    }
    if (!s->status && len)
        s->status = put_cell(s, cell);
    s->n_cells++;
    s->cell_at = s->fed;
}

/* A row is a block from its first to its last byte that is no blank or empty cell at the ends. */
static void on_row(int c, void *arg)
{
    struct sheet *s = arg;
    (void)c;
    if (s->status || s->n_cells == 0)
        return;
    struct takc_str all = takc_buf_str(&s->d->text), row = takc_str_trim(takc_str_slice(all, s->row_start, all.len));
    s->row++;
    if (s->row == 1)
        s->first_cells = s->n_cells;
    s->n_cells = 0;
    if (row.len) {
        struct takc_block b = {
            .kind = TAKC_BLOCK_ROW, .table = 1, .row = s->row, .line = s->row_line, .start = (uint32_t)(row.ptr - all.ptr)};
        b.end = b.start + (uint32_t)row.len;
        s->status = takc_doc_block(s->d, b, s->err);
    }
    if (!s->status)
        s->status = takc_doc_inserted(s->d, takc_str("\n"), s->err);
    if (!s->status && s->row % 4096 == 0)
        s->status = takc_call_check(s->call, s->err);
}

/* Are all cells of the first row there and different? */
static bool distinct_cells(struct takc_str row)
{
    struct takc_str bar = takc_str(" | ");
    for (size_t at = 0; at <= row.len;) {
        size_t end = takc_str_find(row, bar, at);
        end = end == SIZE_MAX ? row.len : end;
        struct takc_str cell = takc_str_slice(row, at, end);
        if (takc_str_trim(cell).len == 0)
            return false;
        for (size_t from = end + bar.len; from < row.len && end < row.len;) {
            size_t to = takc_str_find(row, bar, from);
            to = to == SIZE_MAX ? row.len : to;
            if (takc_str_eq(cell, takc_str_slice(row, from, to)))
                return false;
            from = to + bar.len;
        }
        at = end + bar.len;
    }
    return true;
}

/* The first row heads the others when it holds no number and they do, or when its cells are names, all different. */
static void mark_header(struct sheet *s)
{
    struct takc_block *b = s->d->blocks;
    if (s->row < 2 || s->d->n_blocks < 2 || b[0].row != 1 || s->first_numbers || s->first_cells > 1024)
        return;
    if (s->other_numbers || (s->first_cells > 1 && distinct_cells(takc_str_slice(takc_buf_str(&s->d->text), b[0].start, b[0].end))))
        b[0].flags |= TAKC_BLOCK_HEADER;
}

static enum takc_status feed(struct sheet *s, struct csv_parser *parser, char separator)
{
    const char stops[] = {separator, '"', '\n', '\0'};
    while (s->fed < s->text.len && !s->status) {
        size_t from = s->fed, n = strcspn(s->text.ptr + from, stops) + 1;
        n = n < s->text.len - from ? n : s->text.len - from;
        s->fed += n;
        /* the cell ends before the stop */
        if (csv_parse(parser, s->text.ptr + from, n, on_cell, on_row, s) != n && !s->status)
            s->status = takc_fail(s->err, csv_error(parser) == CSV_ENOMEM ? TAKC_NOMEM : TAKC_CORRUPT, 0, "row %u: %s", s->row + 1,
                                  csv_strerror(csv_error(parser)));
    }
    bool open = parser->quoted && parser->pstate == FIELD_BEGUN;
    if (!s->status && csv_fini(parser, on_cell, on_row, s) && !s->status)
        s->status = takc_fail(s->err, csv_error(parser) == CSV_ENOMEM ? TAKC_NOMEM : TAKC_CORRUPT, 0, "row %u: %s", s->row + 1,
                              csv_strerror(csv_error(parser)));
    if (!s->status && open)
        s->status =
            takc_doc_note(s->d, s->err, "the last cell of row %u, line %u, has a quote without an end (cut off?)", s->row, s->row_line);
    return s->status;
}

static enum takc_status read_csv(struct takc_call *call, const struct takc_reader_input *in, struct takc_doc *d, struct takc_err *err)
{
    struct sheet s = {.d = d, .call = call, .line = 1, .err = err};
    struct csv_parser parser;
    takc_doc_init(&s.raw);
    s.raw.text.max = d->text.max;
    if (csv_init(&parser, 0))
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for CSV");
    csv_set_realloc_func(&parser, takc_realloc);
    csv_set_free_func(&parser, takc_free);
    enum takc_status st = takc_reader_decode(in, &s.raw, err);
    if (st)
        goto out;
    bool even;
    s.text = takc_buf_str(&s.raw.text);
    char separator = find_separator(s.text, &even);
    csv_set_delim(&parser, (unsigned char)separator);
    d->has_map = true;
    d->n_replaced = s.raw.n_replaced;
    memcpy(d->charset, s.raw.charset, sizeof(d->charset));
    st = takc_buf_add(&d->notes, takc_buf_str(&s.raw.notes), err);
    if (!st)
        st = feed(&s, &parser, separator);
    if (!st)
        mark_header(&s);
out:
    csv_free(&parser);
    takc_doc_clear(&s.raw);
    return st;
}

static const char *const extensions[] = {"csv", "tsv", "tab", "psv", NULL};

const struct takc_reader_ops takc_reader_csv = {
    .name = "csv", .version = "2", .extensions = extensions, .sniff = sniff_csv, .read = read_csv};
