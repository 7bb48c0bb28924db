/* SPDX-License-Identifier: Apache-2.0
 *
 * The DOCX reader, over archives written here byte by byte, so that they can lie: sizes, names, entities, depth. */
#include "base/file.h"
#include "doc/rich_test.h"

#include <zlib.h>

struct entry {
    const char *name;
    size_t name_len; /* 0: strlen */
    struct takc_str bytes;
    bool deflated;
    uint32_t claim; /* size in the headers; 0: the true one */
    uint16_t flags;
};

static void le(struct takc_buf *b, uint64_t v, unsigned n)
{
    assert_int_equal(takc_buf_le(b, v, n, NULL), TAKC_OK);
}

static void add(struct takc_buf *b, struct takc_str s)
{
    assert_int_equal(takc_buf_add(b, s, NULL), TAKC_OK);
}

/* The data of an entry as it stands in the archive. */
static struct takc_buf pack(const struct entry *e)
{
    struct takc_buf out;
    takc_buf_init(&out, 1 << 26);
    if (!e->deflated) {
        add(&out, e->bytes);
        return out;
    }
    z_stream z = {.next_in = (Bytef *)(uintptr_t)e->bytes.ptr, .avail_in = (uInt)e->bytes.len};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(takc_buf_reserve(&out, deflateBound(&z, e->bytes.len), NULL), TAKC_OK);
    z.next_out = (Bytef *)out.ptr;
    z.avail_out = (uInt)out.cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out.len = z.total_out;
    (void)deflateEnd(&z);
    return out;
}

/* What both headers of an entry share. */
static void common(struct takc_buf *b, const struct entry *e, size_t packed)
{
    size_t name_len = e->name_len ? e->name_len : strlen(e->name);
    le(b, 20, 2);
    le(b, e->flags, 2);
    le(b, e->deflated ? 8 : 0, 2);
    le(b, 0, 4);
    le(b, crc32(0, (const Bytef *)e->bytes.ptr, (uInt)e->bytes.len), 4);
    le(b, packed, 4);
    le(b, e->claim ? e->claim : e->bytes.len, 4);
    le(b, name_len, 2);
    le(b, 0, 2);
}

static struct takc_buf make_zip(const struct entry *entries, size_t n)
{
    struct takc_buf b, central;
    takc_buf_init(&b, 1 << 26);
    takc_buf_init(&central, 1 << 20);
    for (size_t i = 0; i < n; i++) {
        const struct entry *e = &entries[i];
        struct takc_buf data = pack(e);
        struct takc_str name = takc_str_n(e->name, e->name_len ? e->name_len : strlen(e->name));
        size_t at = b.len;
        add(&b, takc_str("PK\3\4"));
        common(&b, e, data.len);
        add(&b, name);
        add(&b, takc_buf_str(&data));
        add(&central, takc_str("PK\1\2"));
        le(&central, 20, 2);
        common(&central, e, data.len);
        le(&central, 0, 2 + 2 + 2);
        le(&central, 0, 4);
        le(&central, at, 4);
        add(&central, name);
        takc_buf_clear(&data);
    }
    size_t at = b.len;
    add(&b, takc_buf_str(&central));
    add(&b, takc_str_n("PK\5\6\0\0\0\0", 8));
    le(&b, n, 2);
    le(&b, n, 2);
    le(&b, central.len, 4);
    le(&b, at, 4);
    le(&b, 0, 2);
    takc_buf_clear(&central);
    return b;
}

#define W "xmlns:w='http://schemas.openxmlformats.org/wordprocessingml/2006/main'"
#define DOCUMENT(s)                                                                                                                        \
    "<w:document " W " xmlns:mc='http://schemas.openxmlformats.org/markup-compatibility/2006'><w:body>" s "</w:body></w:document>"
#define RUN(s) "<w:r><w:t xml:space='preserve'>" s "</w:t></w:r>"
#define PARA(s) "<w:p>" RUN(s) "</w:p>"
#define CELL(s) "<w:tc>" PARA(s) "</w:tc>"

static const char styles[] =
    "<w:styles " W "><w:style w:type='paragraph' w:styleId='berschrift2'><w:name w:val='heading 2'/></w:style>"
    "<w:style w:type='paragraph' w:styleId='Titel'><w:name w:val='Title'/></w:style>"
    "<w:style w:type='paragraph' w:styleId='Base'><w:name w:val='Mine'/><w:pPr><w:outlineLvl w:val='0'/></w:pPr></w:style>"
    "<w:style w:type='paragraph' w:styleId='Child'><w:name w:val='Mine too'/><w:basedOn w:val='Base'/></w:style>"
    "<w:style w:type='paragraph' w:styleId='LoopA'><w:name w:val='a'/><w:basedOn w:val='LoopB'/></w:style>"
    "<w:style w:type='paragraph' w:styleId='LoopB'><w:name w:val='b'/><w:basedOn w:val='LoopA'/></w:style>"
    "<w:style w:type='paragraph' w:styleId='Verz1'><w:name w:val='toc 1'/></w:style>"
    "<w:style w:type='paragraph' w:styleId='Listing'><w:name w:val='Source Code'/></w:style>"
    "<w:style w:type='paragraph' w:styleId='Dots'><w:name w:val='Dots'/><w:pPr><w:numPr><w:numId "
    "w:val='2'/></w:numPr></w:pPr></w:style></w:styles>";

static struct takc_buf make_docx(const char *document)
{
    struct entry e[] = {{.name = "word/styles.xml", .bytes = takc_str(styles)},
                        {.name = "word/document.xml", .bytes = takc_str(document), .deflated = true}};
    return make_zip(e, 2);
}

static void expect(const char *document, const char *shown)
{
    struct takc_buf b = make_docx(document);
    rich_expect(&takc_reader_docx, takc_buf_str(&b), shown);
    takc_buf_clear(&b);
}

#define STYLED(id, s) "<w:p><w:pPr><w:pStyle w:val='" id "'/></w:pPr>" RUN(s) "</w:p>"
#define LISTED(style, level, list, s)                                                                                                      \
    "<w:p><w:pPr>" style "<w:numPr><w:ilvl w:val='" level "'/><w:numId w:val='" list "'/></w:numPr></w:pPr>" RUN(s) "</w:p>"

static void paragraphs_have_kinds(void **state)
{
    (void)state;
    expect(DOCUMENT(STYLED("Titel", "The Name") STYLED("berschrift2", "Part") STYLED("Child", "Chapter") STYLED("Heading3", "Known id")),
           "title0|The Name\nhead2|Part\nhead1|Chapter\nhead3|Known id\n");
    expect(DOCUMENT(STYLED("LoopA", "no end") STYLED("Verz1", "Part 1") STYLED("Dots", "dot")), "para0|no end\npara0h|Part 1\nitem1|dot\n");
    expect(DOCUMENT(LISTED("", "1", "4", "deep") LISTED("<w:pStyle w:val='Dots'/>", "0", "0", "no dot")), "item2|deep\npara0|no dot\n");
    expect(DOCUMENT(STYLED("Titel", "T") "<w:p><w:pPr><w:outlineLvl w:val='3'/></w:pPr>" RUN("own level") "</w:p>"),
           "title0|T\nhead4|own level\n");
    expect(DOCUMENT("<w:p><w:pPr><w:pStyle w:val='Listing'/></w:pPr><w:r><w:t>if x:</w:t><w:br/><w:tab/><w:t>y = 1</w:t></w:r></w:p>"),
           "code0|if x:\ncode0|y = 1\n");
}

static void runs_are_joined(void **state)
{
    (void)state;
    expect(DOCUMENT("<w:p>" RUN("Re") RUN("ve") RUN("nue  rose \n by &amp; ") RUN("7\xC2\xA0%") "</w:p><w:p/>"),
           "para0|Revenue rose by & 7 %\n");
    expect(DOCUMENT("<w:p><w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t></w:r></w:p>"),
           "para0|a b\nc-d\n");
    expect(DOCUMENT("<w:p><w:del><w:r><w:delText>gone</w:delText></w:r>" RUN("gone") "</w:del><w:ins>" RUN("new") "</w:ins></w:p>"),
           "para0|new\n");
    expect(DOCUMENT("<w:p><w:r><w:instrText>PAGE</w:instrText></w:r>" RUN("5") "<w:moveFrom>" RUN("moved") "</w:moveFrom></w:p>"),
           "para0|5\n");
    expect(DOCUMENT("<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r><w:r><w:rPr><w:vanish w:val='0'/></w:rPr>"
                    "<w:t>seen</w:t></w:r></w:p>"),
           "para0|seen\n");
}

#define TABLE(columns, rows) "<w:tbl><w:tblGrid>" columns "</w:tblGrid>" rows "</w:tbl>"
#define TWO "<w:gridCol/><w:gridCol/>"
#define ROW(a, b) "<w:tr>" a b "</w:tr>"
#define HEADER "<w:trPr><w:tblHeader/></w:trPr>"
#define TC(content) "<w:tc>" content "</w:tc>"

static void tables_are_rows(void **state)
{
    (void)state;
    expect(DOCUMENT(TABLE(TWO, ROW(HEADER CELL("Year"), CELL("Sum 1")) ROW(CELL("2022"), TC(PARA("7") PARA("m"))) ROW(CELL(""), CELL("8"))
                                   ROW(CELL(""), CELL("")))),
           "row0H|Year | Sum 1\nrow0|2022 | 7 m\nrow0| | 8\n");
    expect(DOCUMENT(TABLE(TWO, ROW(CELL("Item"), CELL("2023")) ROW(CELL("a"), CELL("1"))) PARA("behind")),
           "row0H|Item | 2023\nrow0|a | 1\npara0|behind\n");
    expect(DOCUMENT(TABLE(TWO, ROW(CELL("a"), CELL("b")) ROW(CELL("c"), CELL("d")))), "row0|a | b\nrow0|c | d\n");
    expect(DOCUMENT(TABLE("<w:gridCol/>", ROW(CELL("alone"), "") ROW(TC(PARA("x") TABLE(TWO, ROW(CELL("in"), CELL("side")))), ""))),
           "para0|alone\npara0|x\nrow0|in | side\n");
    expect(DOCUMENT(TABLE(TWO, ROW(CELL("o"), TC(TABLE(TWO, ROW(CELL("p"), CELL("q"))) "<w:p/>")))), "row0|o | p q\n");
}

#define BOX "<w:txbxContent>" PARA("in the box") "</w:txbxContent>"
#define EITHER(a, b) "<mc:AlternateContent><mc:Choice>" a "</mc:Choice><mc:Fallback>" b "</mc:Fallback></mc:AlternateContent>"

static void text_boxes_come_once(void **state)
{
    (void)state;
    expect(DOCUMENT("<w:p>" RUN("before ") "<w:r>" EITHER(BOX, BOX) "</w:r>" RUN("after") "</w:p>" PARA("last")),
           "para0|before\npara0|in the box\npara0c|after\npara0|last\n");
}

static void locators_count_paragraphs(void **state)
{
    (void)state;
    struct takc_buf b = make_docx(DOCUMENT(PARA("one") "<w:p/>" PARA("three") TABLE(
        TWO, ROW(CELL("four"), CELL("five"))) "<w:p><w:r><w:footnoteReference/></w:r>" RUN("six") "</w:p>"));
    struct rich x = rich_read(&takc_reader_docx, takc_buf_str(&b));
    static const uint32_t want[] = {1, 3, 4, 6};
    assert_int_equal(x.d.n_blocks, 4);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(x.d.blocks[i].para, want[i]);
    assert_int_equal(x.d.blocks[2].table, 1);
    assert_int_equal(x.d.blocks[2].row, 1);
    assert_false(x.d.has_map);
    assert_non_null(strstr(x.d.notes.ptr, "1 footnotes"));
    rich_clear(&x);
    takc_buf_clear(&b);
}

static void titles_and_dates(void **state)
{
    (void)state;
    static const char core[] = "<cp:coreProperties xmlns:cp='c' xmlns:dc='d' xmlns:dcterms='t'><dc:title>From the core</dc:title>"
                               "<dcterms:modified>2024-03-05T12:00:00Z</dcterms:modified></cp:coreProperties>";
    struct entry e[] = {{.name = "docProps/core.xml", .bytes = takc_str(core)},
                        {.name = "word/document2.xml", .bytes = takc_str(DOCUMENT(STYLED("Heading1", "First") PARA("x")))},
                        {.name = "../evil.txt", .bytes = takc_str("x")},
                        {.name = "/etc/passwd", .bytes = takc_str("x")}};
    struct takc_buf b = make_zip(e, 4);
    struct rich x = rich_read(&takc_reader_docx, takc_buf_str(&b));
    assert_int_equal(x.st, TAKC_OK);
    assert_string_equal(x.d.title.ptr, "From the core");
    assert_int_equal(x.d.title_from, TAKC_TITLE_METADATA);
    assert_int_equal(x.d.date, 19787);
    assert_non_null(strstr(x.d.notes.ptr, "entry \"../evil.txt\" leads out of the archive: not read"));
    assert_non_null(strstr(x.d.notes.ptr, "/etc/passwd"));
    rich_clear(&x);
    takc_buf_clear(&b);
    b = make_docx(DOCUMENT(STYLED("Heading1", "First") PARA("x")));
    x = rich_read(&takc_reader_docx, takc_buf_str(&b));
    assert_string_equal(x.shown.ptr, "title0|First\npara0|x\n");
    assert_int_equal(x.d.title_from, TAKC_TITLE_TEXT);
    rich_clear(&x);
    takc_buf_clear(&b);
}

static void a_document_of_python_docx(void **state)
{
    (void)state;
    struct takc_buf b;
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_file_read(TAKC_TEST_DATA "/doc/report.docx", &b, NULL), TAKC_OK);
    assert_int_equal(takc_reader_docx.sniff(takc_buf_str(&b)), 3);
    rich_expect(&takc_reader_docx, takc_buf_str(&b),
                "title0|Widgets of 2023\nhead1|Results\npara0|Revenue rose by 12.5 % to 7 million euros.\nhead2|Details by region\n"
                "item1|North grew most.\nitem1|South shrank by 3 %.\nrow0H|Region | 2022 | 2023\nrow0|North | 10 | 14\nrow0|South | 9 | 8\n"
                "row0H|Name | Role\nrow0|Ada | Engineer\nrow0|Bob | Clerk\npara0|First line\nsecond line with a tab\npara0|Kept. Inserted "
                "words.\n");
    for (size_t n = 0; n < b.len; n += 997) { /* cut anywhere: never more than a polite answer */
        struct rich x = rich_read(&takc_reader_docx, takc_str_n(b.ptr, n));
        assert_int_equal(x.st, TAKC_CORRUPT);
        rich_clear(&x);
    }
    takc_buf_clear(&b);
}

static void refused(const struct entry *e, size_t n, enum takc_status st, const char *says)
{
    struct takc_buf b = make_zip(e, n);
    rich_fails(&takc_reader_docx, takc_buf_str(&b), st, says);
    takc_buf_clear(&b);
}

static void hostile_archives_are_refused(void **state)
{
    (void)state;
    struct takc_buf zeros;
    takc_buf_init(&zeros, 1 << 24);
    assert_int_equal(takc_buf_reserve(&zeros, 8 << 20, NULL), TAKC_OK);
    memset(zeros.ptr, ' ', 8 << 20);
    zeros.len = 8 << 20;
    struct entry bomb = {.name = "word/document.xml", .bytes = takc_buf_str(&zeros), .deflated = true};
    refused(&bomb, 1, TAKC_REFUSED, "entry word/document.xml is packed");
    bomb.claim = 1000; /* a small claim over the same data */
    struct takc_buf b = make_zip(&bomb, 1);
    struct rich x = rich_read(&takc_reader_docx, takc_buf_str(&b));
    assert_true(x.st == TAKC_CORRUPT || x.st == TAKC_REFUSED);
    rich_clear(&x);
    takc_buf_clear(&b);
    takc_buf_clear(&zeros);
    struct entry claim = {.name = "word/document.xml", .bytes = takc_str(DOCUMENT(PARA("x"))), .claim = 0xFFFFFFFE};
    refused(&claim, 1, TAKC_REFUSED, "entry word/document.xml claims 4294967294 bytes");
    struct entry nul[] = {{.name = "word/document.xml\0.txt", .name_len = 22, .bytes = takc_str(DOCUMENT(PARA("x")))}};
    refused(nul, 1, TAKC_REFUSED, "a NUL in the name of an entry at byte");
    struct entry locked = {.name = "word/document.xml", .bytes = takc_str(DOCUMENT(PARA("x"))), .flags = 1};
    refused(&locked, 1, TAKC_REFUSED, "entry word/document.xml is encrypted");
    struct entry other = {.name = "xl/workbook.xml", .bytes = takc_str("<x/>")};
    refused(&other, 1, TAKC_CORRUPT, "without word/document.xml");
    rich_fails(&takc_reader_docx, takc_str("PK\3\4 and no more"), TAKC_CORRUPT, "no archive");
    rich_fails(&takc_reader_docx, takc_str("\xD0\xCF\x11\xE0 old"), TAKC_REFUSED, "Word 97");
    rich_fails(&takc_reader_docx, takc_str(""), TAKC_CORRUPT, "no archive");
}

static struct takc_buf deep(const char *open, size_t n, const char *inner, const char *close)
{
    struct takc_buf b;
    takc_buf_init(&b, 1 << 24);
    add(&b, takc_str("<w:document " W "><w:body>"));
    for (size_t i = 0; i < n; i++)
        add(&b, takc_str(open));
    add(&b, takc_str(inner));
    for (size_t i = 0; i < n; i++)
        add(&b, takc_str(close));
    add(&b, takc_str("</w:body></w:document>"));
    return b;
}

static void hostile_xml_is_refused(void **state)
{
    (void)state;
    struct entry e = {.name = "word/document.xml"};
    e.bytes = takc_str("<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'lol'><!ENTITY b '&a;&a;&a;&a;'>]>" DOCUMENT(PARA("&b;")));
    refused(&e, 1, TAKC_REFUSED, "declares a document type at byte 21 (entity expansion?)");
    static const char wide[] =
        "\xFF\xFE<\0!\0D\0O\0C\0T\0Y\0P\0E\0 \0x\0 \0[\0<\0!\0E\0N\0T\0I\0T\0Y\0 \0a\0 \0'\0b\0'\0>\0]\0>\0<\0x\0>\0&\0a\0;\0<\0/\0x\0>\0";
    e.bytes = takc_str_n(wide, sizeof(wide) - 1);
    refused(&e, 1, TAKC_REFUSED, "entities of its own");
    e.bytes = takc_str(DOCUMENT("<w:p>") "<unclosed");
    refused(&e, 1, TAKC_CORRUPT, "word/document.xml is no XML");
    e.bytes = takc_str("");
    refused(&e, 1, TAKC_CORRUPT, "no XML");
    e.deflated = true;
    struct takc_buf b = deep("<w:sdt>", 10000, PARA("x"), "</w:sdt>");
    e.bytes = takc_buf_str(&b);
    refused(&e, 1, TAKC_REFUSED, "elements nested more than 252 deep");
    takc_buf_clear(&b);
    b = deep("<w:tbl><w:tr><w:tc>", 70, PARA("x"), "</w:tc></w:tr></w:tbl>");
    e.bytes = takc_buf_str(&b);
    refused(&e, 1, TAKC_REFUSED, "tables nested more than 64 deep");
    takc_buf_clear(&b);
    b = deep("<w:p><w:txbxContent>", 70, PARA("x"), "</w:txbxContent></w:p>");
    e.bytes = takc_buf_str(&b);
    refused(&e, 1, TAKC_REFUSED, "text boxes nested more than 64 deep");
    takc_buf_clear(&b);
}

static void limits_and_cancel_hold(void **state)
{
    (void)state;
    struct takc_buf b = make_docx(DOCUMENT(PARA("longer than eight") PARA("b")));
    struct takc_reader_input in = {.bytes = takc_buf_str(&b), .max_text_bytes = 2000};
    struct takc_doc d;
    struct takc_err err;
    struct takc_call call;
    takc_doc_init(&d);
    takc_call_init(&call);
    assert_int_equal(takc_reader_docx.read(&call, &in, &d, &err), TAKC_OK);
    takc_doc_clear(&d);
    in.max_text_bytes = 8;
    assert_int_equal(takc_reader_docx.read(&call, &in, &d, &err), TAKC_REFUSED);
    takc_doc_clear(&d);
    in.max_text_bytes = 0;
    atomic_store(&call.cancel, true);
    assert_int_equal(takc_reader_docx.read(&call, &in, &d, &err), TAKC_CANCELLED);
    takc_doc_clear(&d);
    takc_buf_clear(&b);
}

static void memory_may_be_out(void **state)
{
    (void)state;
    struct takc_buf b = make_docx(DOCUMENT(STYLED("Titel", "A") PARA("b") "<w:tbl><w:tr>" CELL("c") CELL("d") "</w:tr></w:tbl>"));
    rich_sweep(&takc_reader_docx, takc_buf_str(&b), 8);
    takc_buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paragraphs_have_kinds),     cmocka_unit_test(runs_are_joined),
        cmocka_unit_test(tables_are_rows),           cmocka_unit_test(text_boxes_come_once),
        cmocka_unit_test(locators_count_paragraphs), cmocka_unit_test(titles_and_dates),
        cmocka_unit_test(a_document_of_python_docx), cmocka_unit_test(hostile_archives_are_refused),
        cmocka_unit_test(hostile_xml_is_refused),    cmocka_unit_test(limits_and_cancel_hold),
        cmocka_unit_test(memory_may_be_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
