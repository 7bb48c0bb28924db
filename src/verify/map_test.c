/* SPDX-License-Identifier: Apache-2.0
 *
 * Level M per format: honest maps pass, and a run moved by one byte, a lost character, a changed digit or an edited source is found and
 * named. Documents are built by hand, so that no reader's mistake can hide one of verify's. */
#include "base/fault.h"
#include "verify/map.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <zip.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define UTF16(s) takc_str_n(s, sizeof(s) - 1)

struct told {
    int n;
    enum takc_level level;
    char finding[512];
};

static void hear(void *arg, enum takc_level level, const char *subject, const char *finding)
{
    struct told *t = arg;
    assert_string_equal(subject, "doc");
    t->n++;
    t->level = level;
    if (t->n == 1)
        (void)snprintf(t->finding, sizeof(t->finding), "%s", finding);
}

/* A document by hand: text and runs grow piece by piece; the source is what the test says. */
struct made {
    struct takc_doc d;
    char text[512], strings[64];
    struct takc_map_run runs[32];
    struct takc_block blocks[8];
};

static void begin(struct made *m, const char *reader)
{
    memset(m, 0, sizeof(*m));
    (void)snprintf(m->d.reader, sizeof(m->d.reader), "%s", reader);
    m->d.text.ptr = m->text;
    m->d.runs = m->runs;
    m->d.blocks = m->blocks;
    m->d.strings.ptr = m->strings;
    m->d.has_map = true;
}

static void piece(struct made *m, const char *text, int src, size_t src_len)
{
    size_t n = strlen(text), at = m->d.text.len;
    memcpy(m->text + at, text, n);
    m->d.text.len += n;
    if (src >= 0)
        m->runs[m->d.n_runs++] =
            (struct takc_map_run){(uint32_t)at, (uint32_t)(at + n), (uint32_t)src, (uint32_t)((size_t)src + (src_len ? src_len : n)),
                                  src_len ? TAKC_MAP_DECODED : TAKC_MAP_VERBATIM};
}

/* A block over the text from start to its end now; pointer may be NULL. */
static struct takc_block *block(struct made *m, size_t start, uint8_t kind, const char *pointer)
{
    struct takc_block *b = &m->blocks[m->d.n_blocks++];
    *b = (struct takc_block){.start = (uint32_t)start, .end = (uint32_t)m->d.text.len, .kind = kind};
    if (pointer) {
        b->pointer = (uint32_t)m->d.strings.len + 1;
        memcpy(m->strings + m->d.strings.len, pointer, strlen(pointer) + 1);
        m->d.strings.len += strlen(pointer) + 1;
    }
    return b;
}

static struct told run(struct made *m, struct takc_str source, struct takc_proof *proof)
{
    struct told told = {0};
    struct takc_err err = {0};
    *proof = (struct takc_proof){0};
    assert_int_equal(takc_verify_map(NULL, source, &m->d, takc_str("doc"), proof, hear, &told, &err), TAKC_OK);
    assert_true((uint64_t)told.n == proof->failed[TAKC_LEVEL_M]);
    return told;
}

static void passes(struct made *m, struct takc_str source)
{
    struct takc_proof proof;
    struct told told = run(m, source, &proof);
    assert_string_equal(told.finding, "");
    assert_true(proof.checked[TAKC_LEVEL_M] > 0 && proof.underivable[TAKC_LEVEL_M] == 0);
}

static void fails(struct made *m, struct takc_str source, const char *finding)
{
    struct takc_proof proof;
    struct told told = run(m, source, &proof);
    if (told.n != 1 || !strstr(told.finding, finding))
        fail_msg("wanted '%s', got %d findings, the first '%s'", finding, told.n, told.finding);
    assert_int_equal(told.level, TAKC_LEVEL_M);
}

static void text_is_decoded_by_iconv(void **state)
{
    (void)state;
    struct made m;
    begin(&m, "text");
    piece(&m, "one two", 0, 0);
    piece(&m, "\n", 7, 2);
    piece(&m, "three", 9, 0);
    passes(&m, takc_str("one two\r\nthree\r\n"));
    fails(&m, takc_str("one two\r\nthrae\r\n"),
          "map run 3 (text 8..13, source 9..14) is not verbatim: the text has 'three', the source 'thrae'");
    fails(&m, takc_str("one two\r\nthree\r\nfour"), "source 14..20 has no run");
    begin(&m, "text");
    memcpy(m.d.charset, "windows-1252", 13);
    piece(&m, "Caf", 0, 0);
    piece(&m, "\xC3\xA9", 3, 1);
    piece(&m, " 5", 4, 0);
    piece(&m, "\xE2\x82\xAC\xC2\x81", 6, 2);
    passes(&m, takc_str("Caf\xE9 5\x80\x81"));
    fails(&m, takc_str("Caf\xE8 5\x80\x81"), "map run 2 (text 3..5, source 3..4) stands for something else");
    begin(&m, "text");
    memcpy(m.d.charset, "UTF-16LE", 9);
    piece(&m, "a\xE2\x82\xAC", 2, 4);
    passes(&m, UTF16("\xFF\xFE"
                     "a\0\xAC\x20"));
    fails(&m,
          UTF16("\xFF\xFE"
                "b\0\xAC\x20"),
          "stands for something else");
    begin(&m, "text");
    piece(&m, "x\xEF\xBF\xBDy", 0, 3);
    passes(&m, takc_str("x\xFFy"));
    memcpy(m.d.charset, "x-klingon", 10);
    struct takc_proof proof;
    assert_int_equal(run(&m, takc_str("x\xFFy"), &proof).n, 0);
    assert_true(proof.underivable[TAKC_LEVEL_M] == 1);
}

/* Each planted bug of a text reader, alone. */
static void planted_bugs_of_a_reader_are_found(void **state)
{
    (void)state;
    struct takc_str source = takc_str("profit was 12 million\nin all");
    for (int bug = 0; bug < 6; bug++) {
        static const char *const findings[] = {"map run 2 (text 22..28, source 21..27) is not verbatim",
                                               "map run 2 (text 22..28, source 23..29) lies outside",
                                               "source 10..11 has no run",
                                               "text 0..2 has no run: 'no'",
                                               "map run 1 (text 0..21, source 0..21) is not verbatim",
                                               "source 21..28 has no run"};
        struct made m;
        begin(&m, "text");
        piece(&m, "profit was 12 million", 0, 0);
        piece(&m, "\n", -1, 0);
        piece(&m, "in all", 22, 0);
        struct takc_str s = source;
        switch (bug) {
        case 0: /* the map is off by one, either way */
        case 1:
            m.runs[1].src_start += bug ? 1 : UINT32_MAX;
            m.runs[1].src_end += bug ? 1 : UINT32_MAX;
            break;
        case 2: /* the text lost a character, the map knows of it */
            begin(&m, "text");
            s = takc_str("profit was7 12");
            piece(&m, "profit was", 0, 0);
            piece(&m, " 12", 11, 0);
            break;
        case 3: /* a word is made up */
            begin(&m, "text");
            s = takc_str("profit");
            piece(&m, "no", -1, 0);
            piece(&m, "profit", 0, 0);
            break;
        case 4: /* a digit of the text changed */
            m.text[12] = '3';
            break;
        default: /* the last line is lost */
            m.d.n_runs = 1;
            m.d.text.len = 21;
        }
        fails(&m, s, findings[bug]);
    }
}

static void html_slices_hold_no_markup(void **state)
{
    (void)state;
    struct made m;
    begin(&m, "html");
    piece(&m, "R", 3, 0);
    piece(&m, "&", 4, 5);
    piece(&m, "D cost ", 9, 0);
    piece(&m, "\xE2\x82\xAC", 16, 6);
    piece(&m, "5\xE2\x80\x93", 22, 8);
    struct takc_str src = takc_str("<p>R&amp;D cost &euro;5&#8211;</p>");
    passes(&m, src);
    fails(&m, takc_str("<p>R&amp;D cost &yen;05&#8211;</p>"), "map run 4");
    m.runs[4].src_end += 1;
    fails(&m, src, "map run 5 (text 12..16, source 22..31) holds a '<'");
    m.runs[4].src_end -= 1;
    m.runs[2].src_start--;
    m.runs[2].src_end--;
    fails(&m, src, "map run 3 (text 2..9, source 8..15) is not verbatim");
    begin(&m, "html");
    piece(&m, "&amp;", 0, 0); /* not decoded: a verbatim slice must mean itself */
    fails(&m, takc_str("&amp;"), "stands for something else");
    begin(&m, "html");
    memcpy(m.d.charset, "ISO-8859-1", 11);
    piece(&m, "\xC3\xA9\xC2\xA9", 0, 6); /* charset and an open reference at once */
    passes(&m, takc_str("\xE9&copy"));
}

static void references_have_their_own_table(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool lenient;
        uint32_t code;
        size_t end;
    } rows[] = {{"&amp;", false, '&', 5},      {"&AMP;", false, 0, 0},         {"&thetasym;", false, 0x3D1, 10},
                {"&zwnj;", false, 0x200C, 6},  {"&#x20AC;", false, 0x20AC, 8}, {"&#65", false, 0, 0},
                {"&#65", true, 'A', 4},        {"&#128;", true, 0x20AC, 6},    {"&#128;", false, 0x80, 6},
                {"&copyright", true, 0xA9, 5}, {"&copyright;", false, 0, 0},   {"&", true, 0, 0},
                {"&#;", true, 0, 0},           {"&#xD800;", false, 0xFFFD, 8}, {"&#99999999999;", false, 0xFFFD, 14},
                {"& amp;", true, 0, 0},        {"&AElig;", false, 0xC6, 7},    {"&aelig;", false, 0xE6, 7},
                {"&lt", false, 0, 0},          {"&lt", true, '<', 3}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t end = 0;
        uint32_t code = takc_entity_at(takc_str(rows[i].text), 0, rows[i].lenient, &end);
        if (code != rows[i].code || (code && end != rows[i].end))
            fail_msg("%s: %x, end %zu", rows[i].text, code, end);
    }
}

static void markdown_and_csv_slices(void **state)
{
    (void)state;
    struct made m;
    begin(&m, "markdown");
    piece(&m, "A*b & c", 2, 12);
    passes(&m, takc_str("# A\\*b &amp; c\n"));
    fails(&m, takc_str("# B\\*b &amp; c\n"), "stands for something else");
    begin(&m, "csv");
    piece(&m, "a \"b\" c", 0, 11);
    piece(&m, " | ", -1, 0);
    piece(&m, "5", 12, 0);
    struct takc_str src = takc_str("\"a \"\"b\"\" c\",5\n");
    passes(&m, src);
    m.text[3] = 'x';
    fails(&m, src, "map run 1 (text 0..7, source 0..11) stands for something else");
    begin(&m, "csv");
    piece(&m, "5", 2, 0);
    fails(&m, takc_str("4,5\n"), "source 0..2 has no run: '4,'");
}

static const char json_source[] = "{\"title\":\"Q3\", \"text\":\"Cost was\\n\\u20ac5 \\ud83d\\ude00.\\nEnd\", \"n\":[1.50]}";

static void make_json(struct made *m)
{
    begin(m, "json");
    piece(m, "Q3", 10, 0);
    block(m, 0, TAKC_BLOCK_TITLE, "/title");
    piece(m, "\n", -1, 0);
    piece(m, "Cost was", 23, 0);
    piece(m, "\n", 31, 2);
    piece(m, "\xE2\x82\xAC", 33, 6);
    piece(m, "5 ", 39, 0);
    piece(m, "\xF0\x9F\x98\x80", 41, 12);
    piece(m, ".", 53, 0);
    block(m, 3, TAKC_BLOCK_PARA, "/text");
    piece(m, "\n", 54, 2);
    size_t at = m->d.text.len;
    piece(m, "End", 56, 0);
    block(m, at, TAKC_BLOCK_PARA, "/text");
    piece(m, "\n", -1, 0);
    at = m->d.text.len;
    piece(m, "n.0: ", -1, 0);
    piece(m, "1.50", 67, 0);
    block(m, at, TAKC_BLOCK_ROW, "/n/0");
}

static void json_is_resolved_by_jansson(void **state)
{
    (void)state;
    struct made m;
    make_json(&m);
    passes(&m, takc_str(json_source));
    make_json(&m);
    memcpy(m.strings, "/texts", 6); /* the title's pointer */
    fails(&m, takc_str(json_source), "block 1: what stands at /texts is missing and cannot hold 'Q3'");
    make_json(&m);
    m.blocks[3].pointer = m.blocks[1].pointer;
    fails(&m, takc_str(json_source), "block 4: what stands at /text does not hold '1.50'");
    make_json(&m);
    struct takc_block b = m.blocks[1]; /* blocks of one literal in the wrong order */
    m.blocks[1] = m.blocks[2];
    m.blocks[2] = b;
    struct takc_proof proof;
    assert_true(run(&m, takc_str(json_source), &proof).n >= 1);
    make_json(&m);
    m.runs[3].src_start++;
    fails(&m, takc_str(json_source), "map run 4");
    make_json(&m);
    fails(&m, takc_str("{\"title\":\"Q3\", \"text\":\"Cost was\\n\\u20ac5 \\ud83d\\ude00.\\nEnd\", \"n\":[1.50]"), "its source is no JSON");
    make_json(&m);
    fails(&m, takc_str("{\"title\":\"Q3\", \"text\":\"Cost was\\n\\u20ac6 \\ud83d\\ude00.\\nEnd\", \"n\":[1.50]}"), "");
}

static const char docx_xml[] =
    "<?xml version=\"1.0\"?><w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w"
    ":body><w:p><w:pPr/><w:r><w:t>Cost &amp; </w:t></w:r><w:r><w:tab/><w:t xml:space=\"preserve\">profit</w:t></w:r"
    "></w:p><w:p/><w:tbl><w:tr><w:tc><w:p><w:r><w:t>2020</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>1,234</w:t></"
    "w:r></w:p></w:tc></w:tr></w:tbl><!-- <w:p> --><w:p><w:moveFrom><w:r><w:t>gone</w:t></w:r></w:moveFrom><w:r><w:"
    "t>It is not over</w:t><w:noBreakHyphen/><w:t>.</w:t></w:r></w:p></w:body></w:document>";

static void make_docx(struct made *m)
{
    begin(m, "docx");
    m->d.has_map = false;
    piece(m, "Cost & profit", -1, 0);
    block(m, 0, TAKC_BLOCK_PARA, NULL)->para = 1;
    piece(m, "\n", -1, 0);
    piece(m, "2020 | 1,234", -1, 0);
    block(m, 14, TAKC_BLOCK_ROW, NULL)->para = 3;
    piece(m, "\n", -1, 0);
    piece(m, "It is not over-.", -1, 0);
    block(m, 27, TAKC_BLOCK_PARA, NULL)->para = 5;
}

/* The part as an archive, as files are. */
static struct takc_str zipped(const char *xml, char *out, size_t room)
{
    zip_error_t ze;
    zip_error_init(&ze);
    zip_source_t *to = zip_source_buffer_create(NULL, 0, 0, &ze);
    zip_t *z = zip_open_from_source(to, ZIP_TRUNCATE, &ze);
    assert_non_null(z);
    zip_source_keep(to);
    assert_true(zip_file_add(z, "word/document.xml", zip_source_buffer(z, xml, strlen(xml), 0), 0) >= 0);
    assert_int_equal(zip_close(z), 0);
    assert_int_equal(zip_source_open(to), 0);
    zip_int64_t n = zip_source_read(to, out, room);
    zip_source_close(to);
    zip_source_free(to);
    zip_error_fini(&ze);
    assert_true(n > 0 && (size_t)n < room);
    return takc_str_n(out, (size_t)n);
}

static void docx_paragraphs_are_counted(void **state)
{
    (void)state;
    struct made m;
    char bytes[4096];
    struct takc_str src = zipped(docx_xml, bytes, sizeof(bytes));
    make_docx(&m);
    passes(&m, src);
    m.blocks[2].para = 4;
    fails(&m, src, "block 3 says 'It is not over-.', paragraph 4 has '1,234'");
    m.blocks[2].para = 9;
    fails(&m, src, "block 3 is said to be paragraph 9 of 5");
    make_docx(&m);
    m.text[21] = '2';
    fails(&m, src, "block 2 says '2020 | 2,234', paragraph 3 has '2020'");
    make_docx(&m);
    m.blocks[2].end -= 7;
    fails(&m, src, "paragraph 5 goes on with ' over-.', its blocks do not");
    make_docx(&m);
    fails(&m, takc_str("no zip"), "its source is no ZIP archive");
    char edited[sizeof(docx_xml)];
    memcpy(edited, docx_xml, sizeof(docx_xml));
    strstr(edited, "1,234")[0] = '7';
    make_docx(&m);
    fails(&m, zipped(edited, bytes, sizeof(bytes)), "block 2 says");
}

static const char bbox[] = "<html><body><doc>\n<page width=\"1\" height=\"2\">\n"
                           "  <word xMin=\"1\" yMin=\"2\" xMax=\"3\" yMax=\"4\">R&amp;D</word>\n  <word xMin=\"1\">cost</word>\n</page>\n"
                           "<page width=\"1\"><word xMin=\"0\">1,</word><word xMin=\"0\">234</word></page></doc></body></html>";

static void pdf_words_stand_on_their_page(void **state)
{
    (void)state;
    struct made m;
    struct takc_proof proof = {0};
    struct told told = {0};
    begin(&m, "pdf");
    piece(&m, "R&D  cost", -1, 0);
    block(&m, 0, TAKC_BLOCK_PARA, NULL)->page = 1;
    piece(&m, "\f", -1, 0);
    piece(&m, "1,234", -1, 0);
    block(&m, 10, TAKC_BLOCK_PARA, NULL)->page = 2;
    struct takc_map_job j = {.doc = &m.d, .subject = "doc", .report = {&proof, hear, &told}};
    struct takc_err err;
    j.err = &err;
    takc_buf_init(&j.out, 1 << 20);
    assert_int_equal(takc_map_pdf_words(&j, takc_str(bbox)), TAKC_OK);
    assert_true(told.n == 0 && proof.checked[TAKC_LEVEL_M] == 2);
    m.blocks[1].page = 1;
    assert_int_equal(takc_map_pdf_words(&j, takc_str(bbox)), TAKC_OK);
    assert_string_equal(told.finding, "block 2: '1,234' does not stand on page 1");
    m.blocks[1].page = 3;
    told.n = 0;
    assert_int_equal(takc_map_pdf_words(&j, takc_str(bbox)), TAKC_OK);
    assert_string_equal(told.finding, "block 2 is said to stand on page 3 of 2");
    takc_buf_clear(&j.out);
}

static void what_has_no_map_is_underivable(void **state)
{
    (void)state;
    struct made m;
    struct takc_proof proof;
    begin(&m, "html");
    m.d.has_map = false;
    assert_int_equal(run(&m, takc_str("x"), &proof).n, 0);
    assert_true(proof.underivable[TAKC_LEVEL_M] == 1);
    begin(&m, "tape");
    assert_int_equal(run(&m, takc_str("x"), &proof).n, 0);
    assert_true(proof.underivable[TAKC_LEVEL_M] == 1);
}

static void sweep_kind(struct made *m, struct takc_str source, enum takc_fault_kind kind)
{
    enum takc_status st = TAKC_NOMEM;
    for (uint64_t n = 1; st == TAKC_NOMEM; n++) {
        struct takc_proof proof = {0};
        struct told told = {0};
        struct takc_err err = {0};
        takc_fault_arm(kind, n, ENOMEM);
        st = takc_verify_map(NULL, source, &m->d, takc_str("doc"), &proof, hear, &told, &err);
        takc_fault_arm(kind, 0, 0);
        assert_true(st == TAKC_OK || st == TAKC_NOMEM);
        assert_int_equal(told.n, 0); /* a right map is not said to be wrong */
    }
}

static void sweep(struct made *m, struct takc_str source)
{
    sweep_kind(m, source, TAKC_FAULT_ALLOC);
    sweep_kind(m, source, TAKC_FAULT_JSON);
}

static void no_memory_is_said(void **state)
{
    (void)state;
    struct made m;
    char bytes[4096];
    make_json(&m);
    sweep(&m, takc_str(json_source));
    make_docx(&m);
    sweep(&m, zipped(docx_xml, bytes, sizeof(bytes)));
    begin(&m, "html");
    piece(&m, "a & b", 0, 9);
    sweep(&m, takc_str("a &amp; b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_decoded_by_iconv),       cmocka_unit_test(planted_bugs_of_a_reader_are_found),
        cmocka_unit_test(html_slices_hold_no_markup),     cmocka_unit_test(references_have_their_own_table),
        cmocka_unit_test(markdown_and_csv_slices),        cmocka_unit_test(json_is_resolved_by_jansson),
        cmocka_unit_test(docx_paragraphs_are_counted),    cmocka_unit_test(pdf_words_stand_on_their_page),
        cmocka_unit_test(what_has_no_map_is_underivable), cmocka_unit_test(no_memory_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
