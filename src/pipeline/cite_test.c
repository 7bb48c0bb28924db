/* SPDX-License-Identifier: Apache-2.0 */
#include "doc/reader.h"
#include "pipeline/cite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <zip.h>

#include <cmocka.h>

/* The column of the words in the row of the document that holds them. */
static uint32_t column_of(const struct takc_doc *d, const char *words)
{
    struct takc_str text = takc_buf_str(&d->text);
    size_t at = takc_str_find(text, takc_str(words), 0);
    assert_int_not_equal(at, SIZE_MAX);
    for (size_t i = 0; i < d->n_blocks; i++)
        if (d->blocks[i].start <= at && at < d->blocks[i].end) {
            assert_int_equal(d->blocks[i].kind, TAKC_BLOCK_ROW);
            return takc_cite_column(d, &d->blocks[i], (uint32_t)at, (uint32_t)(at + strlen(words)));
        }
    fail_msg("no block holds '%s'", words);
    return 0;
}

static void read_as(const char *reader, struct takc_str bytes, struct takc_doc *d)
{
    struct takc_reader_input in = {.bytes = bytes, .name = takc_str("x")};
    struct takc_err err = {0};
    takc_doc_init(d);
    if (takc_reader_read(takc_reader_find(takc_str(reader)), NULL, &in, d, &err))
        fail_msg("%s: %s", reader, err.msg);
}

/* Bars that stand in a cell part none; a row is cited without a column when all of it is; empty cells count. */
static void columns_of_csv(void **state)
{
    struct takc_doc d;
    (void)state;
    read_as("csv", takc_str("name,left,right\nalpha,\"beta | gamma\",delta\n,,omega\nmu,,\nfirst,\"two\nlines\",last one\n"), &d);
    assert_int_equal(column_of(&d, "alpha"), 1);
    assert_int_equal(column_of(&d, "beta"), 2);
    assert_int_equal(column_of(&d, "gamma"), 2);
    assert_int_equal(column_of(&d, "delta"), 3);
    assert_int_equal(column_of(&d, "omega"), 3);
    assert_int_equal(column_of(&d, "mu"), 1);
    assert_int_equal(column_of(&d, "two lines"), 2);
    assert_int_equal(column_of(&d, "last one"), 3);
    assert_int_equal(column_of(&d, "alpha | beta | gamma | delta"), 0);
    takc_doc_clear(&d);
}

static void columns_of_markdown_and_html(void **state)
{
    struct takc_doc d;
    (void)state;
    read_as("markdown", takc_str("| a | b |\n|---|---|\n| one \\| two | three |\n|  | four |\n"), &d);
    assert_int_equal(column_of(&d, "two"), 1);
    assert_int_equal(column_of(&d, "three"), 2);
    assert_int_equal(column_of(&d, "four"), 2);
    takc_doc_clear(&d);
    read_as(
        "html",
        takc_str("<table><tr><th>a</th><th>b</th></tr><tr><td>one | two</td><td>three</td></tr><tr><td></td><td>four</td></tr></table>"),
        &d);
    assert_int_equal(column_of(&d, "two"), 1);
    assert_int_equal(column_of(&d, "three"), 2);
    assert_int_equal(column_of(&d, "four"), 2);
    takc_doc_clear(&d);
}

/* An archive with this body, in memory; the caller frees the buffer. */
static void pack(const char *body, struct takc_buf *out)
{
    char xml[4096];
    zip_error_t e;
    zip_stat_t info;
    int n = snprintf(
        xml, sizeof(xml),
        "<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>%s</w:body></w:document>", body);
    zip_source_t *whole = zip_source_buffer_create(NULL, 0, 0, &e);
    zip_t *z = zip_open_from_source(whole, ZIP_CREATE | ZIP_TRUNCATE, &e);
    assert_non_null(z);
    zip_source_keep(whole);
    assert_true(zip_file_add(z, "word/document.xml", zip_source_buffer(z, xml, (zip_uint64_t)n, 0), 0) >= 0);
    assert_int_equal(zip_close(z), 0);
    assert_int_equal(zip_source_stat(whole, &info), 0);
    takc_buf_init(out, 1 << 20);
    assert_int_equal(takc_buf_reserve(out, info.size + 1, NULL), TAKC_OK);
    assert_int_equal(zip_source_open(whole), 0);
    out->len = (size_t)zip_source_read(whole, out->ptr, info.size);
    zip_source_close(whole);
    zip_source_free(whole);
}

#define CELL(text) "<w:tc><w:p><w:r><w:t xml:space=\"preserve\">" text "</w:t></w:r></w:p></w:tc>"

/* Without a map a bar in a cell leans on the word before. A paragraph of a layout table knows its cell. */
static void cells_of_docx(void **state)
{
    struct takc_buf zip;
    struct takc_doc d;
    (void)state;
    pack("<w:p><w:r><w:t>Before.</w:t></w:r></w:p><w:tbl><w:tr>" CELL("name") CELL("value") "</w:tr><w:tr>" CELL("one | two")
             CELL("three") "</w:tr><w:tr>" CELL("")
                 CELL("four") "</w:tr></w:tbl><w:tbl><w:tblGrid><w:gridCol/></w:tblGrid><w:tr>" CELL("Laid out.") "</w:tr></w:tbl>",
         &zip);
    read_as("docx", takc_buf_str(&zip), &d);
    assert_int_equal(column_of(&d, "two"), 1);
    assert_int_equal(column_of(&d, "three"), 2);
    assert_int_equal(column_of(&d, "four"), 2);
    assert_int_equal(d.n_blocks, 5);
    assert_int_equal(d.blocks[2].row, 2);
    assert_int_equal(d.blocks[2].table, 1);
    assert_int_equal(d.blocks[2].para, 4);
    assert_int_equal(d.blocks[4].cell, 1);
    assert_int_equal(d.blocks[4].para, 8);
    takc_doc_clear(&d);
    takc_buf_clear(&zip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(columns_of_csv), cmocka_unit_test(columns_of_markdown_and_html),
                                       cmocka_unit_test(cells_of_docx)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
