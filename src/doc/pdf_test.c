/* SPDX-License-Identifier: Apache-2.0
 *
 * The PDF reader: what becomes of pdftotext's output, and the whole way with small PDFs written here. Without poppler-utils the latter
 * skip, and say so. */
#include "base/child.h"
#include "doc/pdf_text.h"
#include "doc/rich_test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rich structure(const char *text)
{
    struct rich x = {0};
    takc_doc_init(&x.d);
    takc_buf_init(&x.shown, 1 << 20);
    x.st = takc_pdf_text(&x.d, takc_str(text), NULL, &x.err);
    if (!x.st) {
        assert_int_equal(takc_doc_check(&x.d, SIZE_MAX, &x.err), TAKC_OK);
        rich_show(&x);
    }
    return x;
}

/* Five pages with a running header, the chapter beside the page number, and a paragraph over a page break. */
static const char manual[] =
    "Widget Manual, Release 2\n\n\n2.1 Fitting the widget\n\nThe widget is fitted with two screws of eight millimetres, and the second of "
    "them\n"
    "has to be greased before it is\n\n\n2.1. Fitting the widget                                            7\n"
    "\fWidget Manual, Release 2\n\n\nturned in. After that it holds.\n\n\n8                                      Chapter 2. Fitting\n"
    "\fWidget Manual, Release 2\n\n\nThe third page says other things about screws.\n\n\n2.2. Screws                            9\n"
    "\fWidget Manual, Release 2\n\n\nThe fourth page has 12 nuts.\n\n\n10                                       Chapter 2. Fitting\n"
    "\fWidget Manual, Release 2\n\n\nThe end is near here.\n\n\n2.3. Nuts                           11\n\f";

static bool holds_line(const struct rich *x, const char *line)
{
    return x->shown.ptr && strstr(x->shown.ptr, line);
}

static void headers_are_hidden_and_paragraphs_go_on(void **state)
{
    (void)state;
    struct rich x = structure(manual);
    assert_int_equal(x.st, TAKC_OK);
    assert_true(holds_line(&x, "para0h|Widget Manual, Release 2\n"));
    assert_true(holds_line(&x, "head2|2.1 Fitting the widget\n"));
    assert_true(holds_line(&x, "para0h|2.1. Fitting the widget                                            7\n"));
    assert_true(holds_line(&x, "para0h|8                                      Chapter 2. Fitting\n"));
    assert_true(holds_line(&x, "para0c|turned in. After that it holds.\n"));
    assert_true(holds_line(&x, "para0|The fourth page has 12 nuts.\n"));
    assert_false(holds_line(&x, "\npara0|Widget") || holds_line(&x, "\nhead0|Widget"));
    uint32_t page = 0;
    for (size_t i = 0; i < x.d.n_blocks; i++) {
        assert_true(x.d.blocks[i].page >= page && x.d.blocks[i].page >= 1);
        page = x.d.blocks[i].page;
    }
    assert_int_equal(page, 5);
    rich_clear(&x);
}

static void contents_are_hidden(void **state)
{
    (void)state;
    struct rich x = structure("                         CONTENTS\n\n1   Scope                                  3\n\n2   Start              "
                              "                    5\n"
                              "    2.1 First steps . . . . . . . . . . .  5\n    2.2 Then what ........................ 12\n    2.3 Last . "
                              ". . . . . . . .   xii\n\n"
                              "\f                         CHAPTER\n\n                         ONE\n\n\n                SCOPE OF THIS\n\n\n"
                              "The scope of this text is small, but it is stated here in some words.\n\n1.1 What it covers\n\nIt covers 3 "
                              "things. See sections 4 ... 7 for 9\n"
                              "# make all\n\f");
    assert_int_equal(x.st, TAKC_OK);
    assert_true(holds_line(&x, "para0h|CONTENTS\n"));
    assert_true(holds_line(&x, "para0h|1   Scope                                  3\n"));
    assert_true(holds_line(&x, "para0h|2.3 Last . . . . . . . . .   xii\n"));
    assert_true(holds_line(&x, "para0h|CHAPTER\n"));
    assert_true(holds_line(&x, "para0h|ONE\n"));
    assert_true(holds_line(&x, "head1|SCOPE OF THIS\n"));
    assert_true(holds_line(&x, "head2|1.1 What it covers\n"));
    assert_true(holds_line(&x, "|It covers 3 things. See sections 4 ... 7 for 9"));
    assert_false(holds_line(&x, "h|It covers"));
    rich_clear(&x);
}

static void tables_keep_their_rows(void **state)
{
    (void)state;
    struct rich x =
        structure("Results by region, in millions of euros:\n\nRegion        2021    2022    2023\nNorth         10      12      14\n"
                  "South          9       8       7\nWest           3       4       5\n\f");
    assert_int_equal(x.st, TAKC_OK);
    assert_true(holds_line(&x, "row0|North         10      12      14\n"));
    assert_true(holds_line(&x, "row0|West           3       4       5\n"));
    rich_clear(&x);
}

static void scans_are_refused(void **state)
{
    (void)state;
    struct rich x = structure("\f\f\f12\n\f");
    assert_int_equal(x.st, TAKC_REFUSED);
    assert_non_null(strstr(x.err.msg, "no text layer (scanned?): 0 letters on 4 pages"));
    rich_clear(&x);
    x = structure("a\xFF"
                  "bcd\x01"
                  "e\r\n\f");
    assert_int_equal(x.st, TAKC_OK);
    assert_int_equal(x.d.n_replaced, 1);
    assert_string_equal(x.d.text.ptr, "a\xEF\xBF\xBD"
                                      "bcd e \n\f");
    rich_clear(&x);
}

static void info_gives_title_and_date(void **state)
{
    (void)state;
    struct rich x = structure("WIDGET’S MANUAL\n\nBy nobody in particular, who wrote all of this down one day.\n\f");
    assert_int_equal(
        takc_pdf_info(
            &x.d, takc_str("Title:          Widget's Manual\nCreationDate:   2023-03-06T18:06:57Z\nModDate: 2024-01-01T00:00:00Z\n"), NULL),
        TAKC_OK);
    assert_int_equal(x.d.title_from, TAKC_TITLE_TEXT);
    assert_string_equal(x.d.title.ptr, "WIDGET’S MANUAL");
    assert_int_equal(x.d.blocks[0].kind, TAKC_BLOCK_TITLE);
    assert_int_equal(x.d.date, 19422);
    rich_clear(&x);
    x = structure("Some words that are no title, and that end in a stop.\n\f");
    assert_int_equal(takc_pdf_info(&x.d, takc_str("Title:  Annual Report\n"), NULL), TAKC_OK);
    assert_int_equal(x.d.title_from, TAKC_TITLE_METADATA);
    assert_string_equal(x.d.title.ptr, "Annual Report");
    assert_false(x.d.has_date);
    rich_clear(&x);
    /* a paragraph that goes on behind a hidden line is no title */
    x = structure("Widget and the\n\n1.1 First . . . . . . 5\n\nother parts of it\n\f");
    assert_int_equal(takc_pdf_info(&x.d, takc_str("Title:  Widget and the\n"), NULL), TAKC_OK);
    assert_int_equal(takc_doc_check(&x.d, SIZE_MAX, &x.err), TAKC_OK);
    rich_clear(&x);
    static const char *const useless[] = {"untitled", "Microsoft Word - x.doc", "final_v3.docx", "  ", "12", "Title", "Slide 1"};
    for (size_t i = 0; i < sizeof(useless) / sizeof(useless[0]); i++) {
        char info[100];
        (void)snprintf(info, sizeof(info), "Title:  %s\n", useless[i]);
        x = structure("ANNUAL REPORT\n\nSome words that are no title, and that end in a stop.\n\f");
        assert_int_equal(takc_pdf_info(&x.d, takc_str(info), NULL), TAKC_OK);
        assert_string_equal(x.d.title.ptr, "ANNUAL REPORT");
        rich_clear(&x);
    }
}

/* A PDF of one page with this content stream. */
static struct takc_buf make_pdf(const char *content, const char *trailer)
{
    static const char *const objects[] = {"<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>",
                                          "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
                                          NULL, "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"};
    struct takc_buf b;
    size_t at[5];
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_buf_add(&b, takc_str("%PDF-1.4\n"), NULL), TAKC_OK);
    for (int i = 0; i < 5; i++) {
        at[i] = b.len;
        if (objects[i])
            assert_int_equal(takc_buf_printf(&b, NULL, "%d 0 obj %s endobj\n", i + 1, objects[i]), TAKC_OK);
        else
            assert_int_equal(
                takc_buf_printf(&b, NULL, "%d 0 obj <</Length %zu>>stream\n%s\nendstream endobj\n", i + 1, strlen(content), content),
                TAKC_OK);
    }
    size_t xref = b.len;
    assert_int_equal(takc_buf_add(&b, takc_str("xref\n0 6\n0000000000 65535 f \n"), NULL), TAKC_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(takc_buf_printf(&b, NULL, "%010zu 00000 n \n", at[i]), TAKC_OK);
    assert_int_equal(takc_buf_printf(&b, NULL, "trailer <</Size 6/Root 1 0 R%s>>\nstartxref\n%zu\n%%%%EOF\n", trailer, xref), TAKC_OK);
    return b;
}

static void need_poppler(void)
{
    char path[1024];
    if (!takc_child_find("pdftotext", path, sizeof(path))) {
        print_message("SKIPPED: pdftotext is not installed (package poppler-utils)\n");
        skip();
    }
}

static const char page[] = "BT /F 12 Tf 72 720 Td (Widgets of the North) Tj 0 -30 Td (The widget weighs 12 kg and costs 7 euros.) Tj ET";

static void pdfs_are_read(void **state)
{
    (void)state;
    need_poppler();
    struct takc_buf b = make_pdf(page, "/Info<</Title(Widget Report)/CreationDate(D:20240305120000Z)>>");
    assert_int_equal(takc_reader_pdf.sniff(takc_buf_str(&b)), 3);
    struct rich x = rich_read(&takc_reader_pdf, takc_buf_str(&b));
    assert_int_equal(x.st, TAKC_OK);
    assert_true(holds_line(&x, "|The widget weighs 12 kg and costs 7 euros.\n"));
    assert_string_equal(x.d.title.ptr, "Widget Report");
    assert_true(x.d.has_date);
    assert_int_equal(x.d.date, 19787);
    assert_int_equal(strncmp(x.d.reader_version, "1+layout+", 9), 0);
    assert_true(x.d.reader_version[9] >= '0' && x.d.reader_version[9] <= '9');
    assert_false(x.d.has_map);
    rich_clear(&x);
    struct takc_reader_input in = {.bytes = takc_buf_str(&b), .pdf_mode = "raw"};
    takc_doc_init(&x.d);
    assert_int_equal(takc_reader_pdf.read(NULL, &in, &x.d, NULL), TAKC_OK);
    assert_int_equal(strncmp(x.d.reader_version, "1+raw+", 6), 0);
    takc_doc_clear(&x.d);
    in.pdf_mode = "sideways";
    assert_int_equal(takc_reader_pdf.read(NULL, &in, &x.d, NULL), TAKC_INVALID);
    takc_doc_clear(&x.d);
    takc_buf_clear(&b);
}

static void broken_pdfs_are_told(void **state)
{
    (void)state;
    need_poppler();
    rich_fails(&takc_reader_pdf, takc_str("%PDF-1.4\nnothing behind it"), TAKC_CORRUPT, "pdftotext: ");
    struct takc_buf b = make_pdf("", "");
    rich_fails(&takc_reader_pdf, takc_buf_str(&b), TAKC_REFUSED, "no text layer (scanned?)");
    takc_buf_clear(&b);
    b = make_pdf(page, "/ID[(0123456789012345)(0123456789012345)]/Encrypt<</Filter/Standard/V 1/R 2/P -4"
                       "/O<0000000000000000000000000000000000000000000000000000000000000000>"
                       "/U<0000000000000000000000000000000000000000000000000000000000000000>>>");
    rich_fails(&takc_reader_pdf, takc_buf_str(&b), TAKC_REFUSED, "Incorrect password");
    takc_buf_clear(&b);
    b = make_pdf(page, "");
    for (size_t n = 10; n < b.len; n += b.len / 8) { /* cut anywhere: some answer, no crash */
        struct rich x = rich_read(&takc_reader_pdf, takc_str_n(b.ptr, n));
        assert_true(x.st == TAKC_OK || x.st == TAKC_CORRUPT || x.st == TAKC_REFUSED);
        rich_clear(&x);
    }
    takc_buf_clear(&b);
}

/* A folder with a program called pdftotext that does what script says. */
static void fake_pdftotext(const char *folder, const char *script)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/pdftotext", folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0755);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, script, strlen(script)), (ssize_t)strlen(script));
    assert_int_equal(close(fd), 0);
    assert_int_equal(chmod(folder, 0755), 0);
}

static void hanging_and_missing_programs_are_told(void **state)
{
    (void)state;
    char folder[] = "/tmp/takc-pdf-test-XXXXXX", path[256];
    const char *old = getenv("PATH");
    char *keep = old ? strdup(old) : NULL;
    struct takc_buf b = make_pdf(page, "");
    struct takc_reader_input in = {.bytes = takc_buf_str(&b), .timeout_ms = 300};
    struct takc_doc d;
    struct takc_err err;
    struct takc_call call;
    assert_non_null(mkdtemp(folder));
    takc_doc_init(&d);
    takc_call_init(&call);
    (void)snprintf(path, sizeof(path), "%s:%s", folder, keep ? keep : "/usr/bin:/bin");
    assert_int_equal(setenv("PATH", path, 1), 0);
    fake_pdftotext(folder, "#!/bin/sh\n[ \"$1\" = -v ] && { echo 'pdftotext version 9.9' >&2; exit 0; }\nwhile :; do :; done\n");
    assert_int_equal(takc_reader_pdf.read(&call, &in, &d, &err), TAKC_REFUSED);
    assert_non_null(strstr(err.msg, "pdftotext took longer than 300 ms"));
    assert_string_equal(d.reader_version, "1+layout+9.9");
    takc_doc_clear(&d);
    /* the caller's own hurry is no fault of the document */
    in.timeout_ms = 20000;
    atomic_store(&call.cancel, true);
    assert_int_equal(takc_reader_pdf.read(&call, &in, &d, &err), TAKC_CANCELLED);
    takc_doc_clear(&d);
    atomic_store(&call.cancel, false);
    fake_pdftotext(folder, "#!/bin/sh\n[ \"$1\" = -v ] && exit 0\nkill -9 $$\nexit 9\n");
    enum takc_status st = takc_reader_pdf.read(&call, &in, &d, &err);
    assert_true(st == TAKC_REFUSED || st == TAKC_CORRUPT); /* the kill itself is forbidden under seccomp */
    takc_doc_clear(&d);
    assert_int_equal(setenv("PATH", "/nonexistent", 1), 0);
    assert_int_equal(takc_reader_pdf.read(&call, &in, &d, &err), TAKC_UNSUPPORTED);
    assert_string_equal(err.msg, "pdftotext is not installed (package poppler-utils)");
    takc_doc_clear(&d);
    assert_int_equal(setenv("PATH", keep ? keep : "/usr/bin:/bin", 1), 0);
    (void)snprintf(path, sizeof(path), "%s/pdftotext", folder);
    (void)unlink(path);
    (void)rmdir(folder);
    free(keep);
    takc_buf_clear(&b);
}

static void content_is_recognised(void **state)
{
    (void)state;
    assert_int_equal(takc_reader_pdf.sniff(takc_str("%PDF-1.7\n")), 3);
    assert_int_equal(takc_reader_pdf.sniff(takc_str("HTTP/1.0 200 OK\r\n\r\n%PDF-1.7\n1 0 obj <<>> endobj")), 3);
    assert_int_equal(takc_reader_pdf.sniff(takc_str("A file begins with\n%PDF-1.7 in PDF")), 0);
    assert_int_equal(takc_reader_pdf.sniff(takc_str("")), 0);
}

static void memory_may_be_out(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 1000; n++) {
        struct takc_doc d;
        takc_doc_init(&d);
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        enum takc_status st = takc_pdf_text(&d, takc_str(manual), NULL, NULL);
        if (!st)
            st = takc_pdf_info(&d, takc_str("Title: Widget Manual\n"), NULL);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        takc_doc_clear(&d);
        if (st == TAKC_OK) {
            assert_true(n > 6);
            return;
        }
        assert_int_equal(st, TAKC_NOMEM);
    }
    fail_msg("never passed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_hidden_and_paragraphs_go_on),
        cmocka_unit_test(contents_are_hidden),
        cmocka_unit_test(tables_keep_their_rows),
        cmocka_unit_test(scans_are_refused),
        cmocka_unit_test(info_gives_title_and_date),
        cmocka_unit_test(pdfs_are_read),
        cmocka_unit_test(broken_pdfs_are_told),
        cmocka_unit_test(hanging_and_missing_programs_are_told),
        cmocka_unit_test(content_is_recognised),
        cmocka_unit_test(memory_may_be_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
