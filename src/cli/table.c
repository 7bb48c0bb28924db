/* SPDX-License-Identifier: Apache-2.0
 *
 * table.c - aligned tables for people. Columns are as wide as their widest cell; nothing is cut, since a table is also what people copy. */
#include "base/alloc.h"
#include "cli/term.h"

#include <stdio.h>

static enum takc_status put_cell(struct takc_buf *out, struct takc_str cell, size_t width, enum takc_align align, bool last,
                                 struct takc_err *err)
{
    size_t have = takc_text_width(cell), pad = have < width ? width - have : 0;
    enum takc_status st = TAKC_OK;
    if (align == TAKC_ALIGN_RIGHT)
        st = takc_buf_printf(out, err, "%*s", (int)pad, "");
    if (!st)
        st = takc_buf_add(out, cell, err);
    if (!st && !last)
        st = takc_buf_printf(out, err, "%*s", (int)(align == TAKC_ALIGN_LEFT ? pad : 0) + 2, "");
    return st;
}

static enum takc_status put_row(const struct takc_column *columns, size_t n, const struct takc_str *cells, const size_t *widths,
                                struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    size_t begin = out->len;
    for (size_t c = 0; !st && c < n; c++)
        st = put_cell(out, cells ? cells[c] : takc_str(columns[c].title), widths[c], columns[c].align, c + 1 == n, err);
    while (!st && out->len > begin && out->ptr[out->len - 1] == ' ')
        out->len--;
    return st ? st : takc_buf_byte(out, '\n', err);
}

static enum takc_status put_rule(size_t n, const size_t *widths, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t c = 0; !st && c < n; c++) {
        for (size_t i = 0; !st && i < widths[c]; i++)
            st = takc_buf_byte(out, '-', err);
        if (!st)
            st = takc_buf_add(out, takc_str(c + 1 == n ? "\n" : "  "), err);
    }
    return st;
}

enum takc_status takc_table_write(const struct takc_column *columns, size_t n_columns, const struct takc_str *cells, size_t n_rows,
                                  struct takc_buf *out, struct takc_err *err)
{
    size_t *widths = takc_alloc_array(n_columns, sizeof(*widths));
    if (!widths)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a table");
    for (size_t c = 0; c < n_columns; c++) {
        widths[c] = takc_text_width(takc_str(columns[c].title));
        for (size_t r = 0; r < n_rows; r++) {
            size_t w = takc_text_width(cells[r * n_columns + c]);
            widths[c] = w > widths[c] ? w : widths[c];
        }
    }
    enum takc_status st = put_row(columns, n_columns, NULL, widths, out, err);
    if (!st)
        st = put_rule(n_columns, widths, out, err);
    for (size_t r = 0; !st && r < n_rows; r++)
        st = put_row(columns, n_columns, cells + r * n_columns, widths, out, err);
    takc_free(widths);
    return st;
}
