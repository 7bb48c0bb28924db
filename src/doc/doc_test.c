/* SPDX-License-Identifier: Apache-2.0
 *
 * Charsets with their maps, the line rules, Markdown, CSV, JSON, splitting, picking, and the stored form. */
#include "doc/lines.h"
#include "doc/readers.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char kinds[] = " THPIRCDU"; /* by enum takc_block_kind */

/* "H:text\n" a block; "-" behind the kind: hidden, "+": continues, "=": header, ">": describes. White space is folded. */
static void show(const struct takc_doc *d, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < d->n_blocks && n + 64 < size; i++) {
        const struct takc_block *b = &d->blocks[i];
        out[n++] = kinds[b->kind];
        if (b->flags & TAKC_BLOCK_HIDDEN)
            out[n++] = '-';
        if (b->flags & TAKC_BLOCK_CONTINUES)
            out[n++] = '+';
        if (b->flags & TAKC_BLOCK_HEADER)
            out[n++] = '=';
        if (b->flags & TAKC_BLOCK_DESCRIBES)
            out[n++] = '>';
        out[n++] = ':';
        bool blank = false;
        for (uint32_t k = b->start; k < b->end && n + 8 < size; k++) {
            char c = d->text.ptr[k];
            if (c == ' ' || (c >= '\t' && c <= '\r')) {
                blank = true;
                continue;
            }
            if (blank)
                out[n++] = ' ';
            blank = false;
            out[n++] = c;
        }
        out[n++] = '\n';
    }
    out[n] = '\0';
}

static enum takc_status read_as(const struct takc_reader_ops *r, struct takc_str bytes, struct takc_doc *d, struct takc_err *err)
{
    struct takc_reader_input in = {.bytes = bytes, .name = takc_str("test")};
    takc_doc_init(d);
    return takc_reader_read(r, NULL, &in, d, err);
}

static void blocks_are(const struct takc_reader_ops *r, const char *text, const char *want)
{
    struct takc_doc d;
    struct takc_err err = {0};
    char got[8192];
    if (read_as(r, takc_str(text), &d, &err))
        fail_msg("%s", err.msg);
    show(&d, got, sizeof(got));
    assert_string_equal(got, want);
    takc_doc_clear(&d);
}

static void status_is(const struct takc_reader_ops *r, struct takc_str bytes, enum takc_status want, const char *part)
{
    struct takc_doc d;
    struct takc_err err = {0};
    assert_int_equal(read_as(r, bytes, &d, &err), want);
    if (part && !strstr(err.msg, part))
        fail_msg("'%s' is not in '%s'", part, err.msg);
    takc_doc_clear(&d);
}

/* Source bytes of the first place of a word of the text. */
static struct takc_str source_of(const struct takc_doc *d, struct takc_str src, const char *word)
{
    size_t at = takc_str_find(takc_buf_str(&d->text), takc_str(word), 0);
    uint64_t from, to;
    assert_true(at != SIZE_MAX);
    assert_true(takc_doc_source_range(d, (uint32_t)at, (uint32_t)(at + strlen(word)), &from, &to));
    return takc_str_slice(src, from, to);
}

static void text_is(struct takc_str src, const char *charset, const char *want, uint64_t replaced)
{
    struct takc_doc d;
    struct takc_err err = {0};
    if (read_as(&takc_reader_text, src, &d, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(d.charset, charset);
    assert_string_equal(takc_buf_str(&d.text).ptr, want);
    assert_int_equal(d.n_replaced, replaced);
    takc_doc_clear(&d);
}

static void charsets_are_recognised(void **state)
{
    (void)state;
    text_is(takc_str("plain\n"), "UTF-8", "plain\n", 0);
    text_is(takc_str("\xEF\xBB\xBFmark"), "UTF-8", "mark", 0);
    text_is(takc_str("a\r\nb\rc\r"), "UTF-8", "a\nb\nc\n", 0);
    text_is(takc_str_n("\xFF\xFEh\0i\0\r\0\n\0", 10), "UTF-16LE", "hi\n", 0);
    text_is(takc_str_n("\0h\0e\0l\0l\0o", 10), "UTF-16BE", "hello", 0);
    text_is(takc_str_n("\xFE\xFF\xD8\x3D\xDE\x00\xD8\x3D", 8), "UTF-16BE", "\xF0\x9F\x98\x80\xEF\xBF\xBD", 1);
    text_is(takc_str_n("one\0two", 7), "UTF-8", "one\xEF\xBF\xBDtwo", 1);
    text_is(takc_str("na\xC3\xAFve caf\xC3\xA9 d\xC3\xA9j\xC3\xA0 vu \xC3\xA9t\xC3\xA9 \xFF"), "UTF-8",
            "na\xC3\xAFve caf\xC3\xA9 d\xC3\xA9j\xC3\xA0 vu \xC3\xA9t\xC3\xA9 \xEF\xBF\xBD", 1);
    text_is(takc_str("Le caf\xE9 est ferm\xE9 pendant l'\xE9t\xE9, et la for\xEAt est d\xE9j\xE0 verte."), "ISO-8859-1",
            "Le caf\xC3\xA9 est ferm\xC3\xA9 pendant l'\xC3\xA9t\xC3\xA9, et la for\xC3\xAAt est d\xC3\xA9j\xC3\xA0 verte.", 0);
    text_is(takc_str("The price is \x80 50 and \x93quoted\x94 text of the company, that is what it said."), "windows-1252",
            "The price is \xE2\x82\xAC 50 and \xE2\x80\x9Cquoted\xE2\x80\x9D text of the company, that is what it said.", 0);
}

static void maps_lead_back(void **state)
{
    (void)state;
    struct takc_doc d;
    struct takc_err err = {0};
    struct takc_str crlf = takc_str("first line\r\nsecond one\r\n");
    assert_int_equal(read_as(&takc_reader_text, crlf, &d, &err), TAKC_OK);
    assert_true(takc_str_is(source_of(&d, crlf, "second"), "second"));
    assert_true(takc_str_is(source_of(&d, crlf, "line\nsecond"), "line\r\nsecond"));
    takc_doc_clear(&d);
    struct takc_str wide = takc_str_n("\xFF\xFEo\0n\0e\0 \0t\0w\0o\0", 16);
    assert_int_equal(read_as(&takc_reader_text, wide, &d, &err), TAKC_OK);
    assert_true(takc_str_eq(source_of(&d, wide, "two"), takc_str_n("t\0w\0o\0", 6)));
    takc_doc_clear(&d);
    struct takc_str json = takc_str("{\"title\":\"T\\u00e9\",\"text\":\"a \\\"b\\\"\\r\\nc\",\"id\":7}");
    assert_int_equal(read_as(&takc_reader_jsonl, json, &d, &err), TAKC_OK);
    assert_string_equal(d.text.ptr, "T\xC3\xA9\na \"b\"\nc");
    assert_true(takc_str_is(source_of(&d, json, "\"b\"\nc"), "\\\"b\\\"\\r\\nc"));
    assert_string_equal(takc_buf_str(&d.title).ptr, "T\xC3\xA9");
    assert_int_equal(d.title_end, 3);
    assert_string_equal(d.strings.ptr + d.blocks[1].pointer - 1, "/text");
    takc_doc_clear(&d);
    struct takc_str md = takc_str("A **bold** [link](http://x) &amp; more\n");
    assert_int_equal(read_as(&takc_reader_markdown, md, &d, &err), TAKC_OK);
    assert_string_equal(d.text.ptr, "A bold link & more\n");
    assert_true(takc_str_is(source_of(&d, md, "bold link"), "bold** [link"));
    assert_true(takc_str_is(source_of(&d, md, "&"), "&amp;"));
    takc_doc_clear(&d);
    struct takc_str csv = takc_str("a,\"x \"\"y\"\"\nz\"\n1,2\n");
    assert_int_equal(read_as(&takc_reader_csv, csv, &d, &err), TAKC_OK);
    assert_string_equal(d.text.ptr, "a | x \"y\" z\n1 | 2\n");
    assert_true(takc_str_is(source_of(&d, csv, "\"y\" z"), "\"\"y\"\"\nz"));
    assert_int_equal(d.blocks[1].line, 3);
    takc_doc_clear(&d);
}

static void lines_have_kinds(void **state)
{
    (void)state;
    blocks_are(&takc_reader_text,
               "Annual Report\n\nThis is a long line of prose that goes on and on and has no stop at all\nand ends here.\n"
               "Next one.\n- item one\n  goes on\n(a) second\nRevenue  12,345  (1,234)\n# Marked #1\n#include\n-----\nfin.\n",
               "H:Annual Report\nP:This is a long line of prose that goes on and on and has no stop at all and ends here.\n"
               "P:Next one.\nI:item one goes on\nI:(a) second\nR:Revenue 12,345 (1,234)\nH:Marked #1\nH:#include\nP:fin.\n");
    blocks_are(&takc_reader_text, "Title Line\n==========\nsome text\n```c\nint x;\n\n  y();\n```\nmore\n",
               "H:Title Line\nP:some text\nC:int x;\nC:y();\nP:more\n");
    blocks_are(&takc_reader_text, "```\nnever closed\n", "P:never closed\n");
}

static void tables_have_headers(void **state)
{
    (void)state;
    blocks_are(&takc_reader_text, "Years ended December 31, 2018 2017\nRevenue 5 6\nCosts 3 4\n\n\n\n\nOther 7 8\n",
               "R=:Years ended December 31, 2018 2017\nR:Revenue 5 6\nR:Costs 3 4\nR:Other 7 8\n");
    blocks_are(&takc_reader_text, "| Name | Note |\n| --- | --- |\n| a | b |\n", "R=:| Name | Note |\nR:| a | b |\n");
    blocks_are(&takc_reader_text, "Plant | City\nA1 | Rome 7\nB2 | Bonn 8\n", "R=:Plant | City\nR:A1 | Rome 7\nR:B2 | Bonn 8\n");
    blocks_are(&takc_reader_text, "Lower spending on brands in 2018\nRevenue 5 6\n", "R:Lower spending on brands in 2018\nR:Revenue 5 6\n");
    struct takc_doc d;
    assert_int_equal(read_as(&takc_reader_text, takc_str("a 1 2\nb 2 3\n\n\n\n\nc 1 2\n"), &d, NULL), TAKC_OK);
    assert_int_equal(d.blocks[1].table, 1);
    assert_int_equal(d.blocks[1].row, 2);
    assert_int_equal(d.blocks[2].table, 2);
    assert_int_equal(d.blocks[2].row, 1);
    assert_int_equal(d.blocks[2].line, 7);
    takc_doc_clear(&d);
}

/* A page of prose whose last line is cut, with header and footer. */
static void add_page(char *text, size_t size, unsigned page)
{
    size_t n = strlen(text);
    n += (size_t)snprintf(text + n, size - n, "ACME CORP\n\n");
    for (unsigned i = 0; i < 8; i++)
        n += (size_t)snprintf(text + n, size - n, "Sentence %u-%u stands here to fill the page with something to read, as it were.\n", page,
                              i);
    (void)snprintf(text + n, size - n,
                   "and this one of page %u is so long that it is cut by the footer in the\n\nAcme 2023 Form 10-K %u\n\n", page, page);
}

static void footers_are_hidden(void **state)
{
    (void)state;
    char text[8192] = "", got[8192];
    for (unsigned page = 1; page <= 4; page++)
        add_page(text, sizeof(text), page);
    struct takc_doc d;
    assert_int_equal(read_as(&takc_reader_text, takc_str(text), &d, NULL), TAKC_OK);
    show(&d, got, sizeof(got));
    assert_non_null(strstr(got, "-:Acme 2023 Form 10-K 1\n"));
    assert_non_null(strstr(got, "-:Acme 2023 Form 10-K 4\n"));
    assert_non_null(strstr(got, "P-:ACME CORP\n"));
    assert_null(strstr(strstr(got, "H:ACME") + 1, "H:ACME")); /* the first is the title */
    assert_non_null(strstr(got, "P+:Sentence 2-0"));
    assert_int_equal(d.n_hidden_bytes, 4 * strlen("Acme 2023 Form 10-K 1") + 3 * strlen("ACME CORP"));
    takc_doc_clear(&d);
    text[0] = '\0'; /* rows repeat with masked digits as well, but are no footers */
    for (unsigned i = 0; i < 40; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "Balance at the end of year %u %u\nNote %u\n", 2000 + i,
                       17 * i % 9, i);
    assert_int_equal(read_as(&takc_reader_text, takc_str(text), &d, NULL), TAKC_OK);
    assert_int_equal(d.n_hidden_bytes, 0);
    takc_doc_clear(&d);
}

static void wrapped_numbers_stay_in_their_paragraph(void **state)
{
    (void)state;
    blocks_are(
        &takc_reader_text,
        "The licence is granted for a term that shall not be shorter than that of\narticle 11 of the treaty adopted on 20 December 1996, "
        "or\n"
        "of any law that comes after it and says the same for all who are bound\nby it, EVEN WHERE THEY ARE NOT ASKED.\n\n"
        "This second paragraph is here so that there are lines enough to see that\nthe text was wrapped at about seventy columns by the "
        "editor who wrote it\n"
        "THE WORK IS GIVEN AS IT IS\n\nSales   12   13\n",
        "P:The licence is granted for a term that shall not be shorter than that of article 11 of the treaty adopted on 20 December 1996, "
        "or "
        "of any law that comes after it and says the same for all who are bound by it, EVEN WHERE THEY ARE NOT ASKED.\n"
        "P:This second paragraph is here so that there are lines enough to see that the text was wrapped at about seventy columns by the "
        "editor who wrote it THE WORK IS GIVEN AS IT IS\nR:Sales 12 13\n");
}

static void pages_are_counted(void **state)
{
    (void)state;
    struct takc_doc d;
    char got[512];
    takc_doc_init(&d);
    const char *text = "skipped\nThe first page ends in the midst of\n\fa sentence that goes on.\n\n\f\nRevenue 1 2\n";
    assert_int_equal(takc_doc_inserted(&d, takc_str(text), NULL), TAKC_OK);
    struct takc_lines_options o = {.from = 8, .pages = true};
    assert_int_equal(takc_lines_structure(&d, &o, NULL, NULL), TAKC_OK);
    show(&d, got, sizeof(got));
    assert_string_equal(got, "P:The first page ends in the midst of\nP+:a sentence that goes on.\nR:Revenue 1 2\n");
    assert_int_equal(d.blocks[0].page, 1);
    assert_int_equal(d.blocks[1].page, 2);
    assert_int_equal(d.blocks[2].page, 3);
    assert_int_equal(d.blocks[2].line, 0);
    assert_int_equal(takc_doc_check(&d, 0, NULL), TAKC_OK);
    takc_doc_clear(&d);
}

static void terms_are_described(void **state)
{
    (void)state;
    blocks_are(&takc_reader_text,
               "Options follow.\n\n  -v, --verbose\n      Say more.\n\n      Much more.\n\n  -q\n      Say less.\n\nThe end.\n",
               "P:Options follow.\nD:-v, --verbose\nP>:Say more.\nP>:Much more.\nD:-q\nP>:Say less.\nP:The end.\n");
}

static void turns_are_seen(void **state)
{
    (void)state;
    blocks_are(&takc_reader_text, "Date: 8 May 2023\nAnn: Hi Bob, it is 5\nBob: Hi!\nAnn:\nBob: We meet at\nnoon\n",
               "R:Date: 8 May 2023\nU:Ann: Hi Bob, it is 5\nU:Bob: Hi!\nU:Ann:\nU:Bob: We meet at noon\n");
    blocks_are(&takc_reader_text, "Type: String\nRequired: No\nType: String\nRequired: No\nType: String\nRequired: No\n",
               "H:Type: String\nH:Required: No\nH:Type: String\nH:Required: No\nH:Type: String\nH:Required: No\n");
}

static void markdown_loses_its_marks(void **state)
{
    (void)state;
    blocks_are(&takc_reader_markdown,
               "---\ntitle: \"Of things\"\ndate: 2024-03-05\n---\n# One **two** #\n\n> 5*3 and `a*b` are\n> [here](u \"t)\") \\* 4\n\n- "
               "x\n  - y\n\n"
               "| A | B |\n|---|---|\n| 1 | p\\|q |\n| | `c` |\n\n```\ncode\n\n  more\n```\n<div>raw <b>html</b></div>\n\nSetext\n---\n",
               "P-:title: \"Of things\" date: 2024-03-05\nH:One two\nP:5*3 and a*b are here * 4\nI:x\nI:y\nR=:A | B\nR:1 | p|q\nR:| c\n"
               "C:code\nC:more\nP:raw html\nH:Setext\n");
    struct takc_doc d;
    assert_int_equal(read_as(&takc_reader_markdown, takc_str("---\ntitle: X\ndate: 1970-01-03\n---\na\n\n1. b\n"), &d, NULL), TAKC_OK);
    assert_int_equal(d.title_from, TAKC_TITLE_METADATA);
    assert_true(d.has_date && d.date == 2);
    assert_int_equal(d.blocks[2].line, 7);
    takc_doc_clear(&d);
}

static void csv_has_rows(void **state)
{
    (void)state;
    blocks_are(&takc_reader_csv, "Name;Age\r\n\"Doe; J\";33\r\n\r\nRoe;4\r\n", "R=:Name | Age\nR:Doe; J | 33\nR:Roe | 4\n");
    blocks_are(&takc_reader_csv, "1,2\n3,4\n", "R:1 | 2\nR:3 | 4\n");
    blocks_are(&takc_reader_csv, "a\tb\nx\tx\n", "R=:a | b\nR:x | x\n");
    blocks_are(&takc_reader_csv, "\"never closed, 1\n2", "R:never closed, 1 2\n");
}

static void json_becomes_lines(void **state)
{
    (void)state;
    blocks_are(&takc_reader_json, "{\"a\": {\"b/c\": [1, \"x\", null]}, \"t\\n\": true, \"e\": \"\"}",
               "R:a.b/c.0: 1\nR:a.b/c.1: x\nR:a.b/c.2: null\nR:t : true\n");
    struct takc_doc d;
    assert_int_equal(read_as(&takc_reader_json, takc_str("{\"a\":\n {\"b/c~\": [1, \"x\"]}}"), &d, NULL), TAKC_OK);
    assert_string_equal(d.strings.ptr + d.blocks[1].pointer - 1, "/a/b~1c~0/1");
    assert_int_equal(d.blocks[1].line, 2);
    takc_doc_clear(&d);
    blocks_are(&takc_reader_json, "{\"note\": \"First line.\\n- item\"}", "H:note\nP:First line.\nI:item\n");
    status_is(&takc_reader_json, takc_str("{\"a\":1,\"a\":2}"), TAKC_CORRUPT, "duplicate");
    status_is(&takc_reader_json, takc_str("{\"a\":1"), TAKC_CORRUPT, "no JSON");
    status_is(&takc_reader_json, takc_str("[1] x"), TAKC_CORRUPT, "behind");
}

struct parts {
    char names[512], bad[256];
};

static enum takc_status note_part(void *arg, const struct takc_split_part *part, struct takc_err *err)
{
    struct parts *p = arg;
    (void)err;
    size_t n = strlen(p->names);
    (void)snprintf(p->names + n, sizeof(p->names) - n, "%.*s@%u=%zu ", TAKC_STR_ARG(part->suffix), part->line, part->bytes.len);
    return TAKC_OK;
}

static void note_bad(void *arg, uint32_t line, const char *msg)
{
    struct parts *p = arg;
    (void)snprintf(p->bad, sizeof(p->bad), "%u: %s", line, msg);
}

static void split_is(const struct takc_reader_ops *r, const char *text, const char *names, const char *bad)
{
    struct parts p = {.names = ""};
    struct takc_err err = {0};
    struct takc_reader_input in = {.bytes = takc_str(text)};
    assert_true(takc_split_wanted(r, &in));
    if (takc_split(r, NULL, &in, note_part, note_bad, &p, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(p.names, names);
    assert_true(strncmp(p.bad, bad, strlen(bad)) == 0);
}

static void sources_are_split(void **state)
{
    (void)state;
    split_is(&takc_reader_jsonl, "{\"id\":\"a\",\"text\":\"x\"}\n\n{\"id\":\"a\"}\n{broken\n{\"doc_id\":7}\n{\"id\":\"../\\n\"}\n{}\n",
             "#a@1=21 #a~3@3=10 #7@5=12 #..__@6=14 #7~7@7=2 ", "4:");
    split_is(&takc_reader_json, "[{\"id\":1,\"text\":\"x\"},\n {\"text\":\"y\"}]", "#1@1=19 #2@2=12 ", "");
    split_is(&takc_reader_json, "{\"n\":[1],\n\"documents\":[\n{\"doc_id\":\"q\",\"text\":\"x\"}]}", "#q@3=25 ", "");
    split_is(&takc_reader_jsonl, "{\"documents\":[{\"doc_id\":\"q\",\"text\":\"x\"}]}\n", "#q@1=25 ", "");
    struct takc_reader_input one = {.bytes = takc_str("{\"text\":\"x\"}")}, numbers = {.bytes = takc_str("[1,2]")};
    assert_false(takc_split_wanted(&takc_reader_json, &one));
    assert_false(takc_split_wanted(&takc_reader_json, &numbers));
    assert_false(takc_split_wanted(&takc_reader_text, &one));
}

static void picked(const char *name, struct takc_str bytes, const struct takc_reader_ops *want)
{
    const struct takc_reader_ops *r = takc_reader_pick(takc_str(name), bytes);
    if (r != want)
        fail_msg("%s: %s", name, r ? r->name : "none");
}

static void kinds_are_told_by_content(void **state)
{
    (void)state;
    picked("a", takc_str("{\"a\":1}"), &takc_reader_json);
    picked("a.txt", takc_str("{\"a\":1}"), &takc_reader_json);
    picked("a.json", takc_str("{\"a\":1}"), &takc_reader_json);
    picked("a.txt", takc_str("[1] is a reference\n"), &takc_reader_text);
    picked("a.json", takc_str("{\"a\":"), &takc_reader_json);
    picked("a", takc_str("{\"a\":1}\n{\"a\":2}\n"), &takc_reader_jsonl);
    picked("a.jsonl", takc_str("{\"a\":1}\n"), &takc_reader_jsonl);
    picked("a.MD", takc_str("hello\n"), &takc_reader_markdown);
    picked("README", takc_str("# A\n\n[x](y)\n\n## B\n"), &takc_reader_markdown);
    picked("a.csv", takc_str("x\n"), &takc_reader_csv);
    picked("a", takc_str("a,b,c\n1,2,3\n4,5,6\n"), &takc_reader_csv);
    picked("a", takc_str("Some text, with commas.\n"), &takc_reader_text);
    picked("a.txt", takc_str(""), &takc_reader_text);
    picked("a.txt",
           takc_str_n("\x7F"
                      "ELF\2\1\1\0\0",
                      9),
           NULL);
    picked("a.txt", takc_str_n("\x89PNG\r\n\x1A\n\0\0", 10), NULL);
    picked("a.txt", takc_str_n("\0\1\2\3\0\0\0\0\0\1\2\0", 12), NULL);
    picked("a.txt", takc_str_n("h\0i\0 \0t\0h\0e\0r\0e\0", 16), &takc_reader_text);
    assert_ptr_equal(takc_reader_find(takc_str("csv")), &takc_reader_csv);
    assert_null(takc_reader_find(takc_str("nope")));
}

static void hostile_input_is_refused(void **state)
{
    (void)state;
    enum { DEEP = 10000 };
    static char deep[DEEP * 2 + 1];
    memset(deep, '[', DEEP);
    status_is(&takc_reader_json, takc_str_n(deep, DEEP), TAKC_REFUSED, "nesting");
    memset(deep, '>', DEEP);
    status_is(&takc_reader_markdown, takc_str_n(deep, DEEP), TAKC_REFUSED, "line 1: nesting");
    memset(deep, '-', sizeof(deep));
    for (size_t i = 0; i < DEEP; i++)
        deep[2 * i + 1] = ' ';
    status_is(&takc_reader_markdown, takc_str_n(deep, 2 * (size_t)DEEP), TAKC_REFUSED, "line 1: nesting");
    struct takc_buf nested; /* a list that goes one deeper on every line */
    takc_buf_init(&nested, 1 << 20);
    for (unsigned i = 0; i < 400; i++)
        assert_int_equal(takc_buf_printf(&nested, NULL, "%*s- x\n", (int)(2 * i), ""), TAKC_OK);
    status_is(&takc_reader_markdown, takc_buf_str(&nested), TAKC_REFUSED, "nesting");
    takc_buf_reset(&nested); /* 2,000 columns, 2,000 rows of one cell: 4,000,000 cells from 14 KB */
    for (unsigned i = 0; i < 6000; i++)
        assert_int_equal(takc_buf_add(&nested,
                                      i < 2000    ? takc_str("|a")
                                      : i == 2000 ? takc_str("\n")
                                      : i < 4000  ? takc_str("|-")
                                                  : takc_str("\n|x"),
                                      NULL),
                         TAKC_OK);
    struct takc_doc wide;
    assert_int_equal(read_as(&takc_reader_markdown, takc_buf_str(&nested), &wide, NULL), TAKC_OK);
    assert_true(wide.text.len < 4 * nested.len);
    takc_doc_clear(&wide);
    takc_buf_clear(&nested);
    memset(deep, 'a', DEEP);
    struct takc_reader_input in = {.bytes = takc_str_n(deep, DEEP), .max_text_bytes = 100};
    struct takc_doc d;
    takc_doc_init(&d);
    assert_int_equal(takc_reader_read(&takc_reader_text, NULL, &in, &d, NULL), TAKC_REFUSED);
    takc_doc_clear(&d);
}

/* Every change of a stored byte is seen. */
static void stored_forms_hold(void **state)
{
    (void)state;
    struct takc_doc d, again;
    struct takc_buf structure, map, second;
    struct takc_err err = {0};
    takc_doc_init(&again);
    takc_buf_init(&structure, 1 << 20);
    takc_buf_init(&map, 1 << 20);
    assert_int_equal(
        read_as(&takc_reader_jsonl, takc_str("{\"title\":\"A\",\"date\":\"2020-01-02\",\"text\":\"x\\ty 1 2\\u0000\"}"), &d, &err),
        TAKC_OK);
    assert_int_equal(takc_doc_save_structure(&d, &structure, &err), TAKC_OK);
    assert_int_equal(takc_doc_save_map(&d, &map, &err), TAKC_OK);
    assert_int_equal(takc_doc_load(&again, takc_buf_str(&d.text), takc_buf_str(&structure), takc_buf_str(&map), &err), TAKC_OK);
    assert_int_equal(again.n_blocks, d.n_blocks);
    assert_memory_equal(again.blocks, d.blocks, d.n_blocks * sizeof(*d.blocks));
    takc_buf_init(&second, 1 << 20);
    assert_int_equal(takc_doc_save_map(&again, &second, &err), TAKC_OK);
    assert_true(takc_str_eq(takc_buf_str(&second), takc_buf_str(&map)));
    takc_buf_clear(&second);
    assert_int_equal(again.date, 18263);
    assert_int_equal(again.n_replaced, 1);
    assert_string_equal(again.notes.ptr, d.notes.ptr);
    for (size_t i = 0; i < structure.len; i++) {
        structure.ptr[i] ^= 0x10;
        assert_int_equal(takc_doc_load(&again, takc_buf_str(&d.text), takc_buf_str(&structure), takc_buf_str(&map), &err), TAKC_CORRUPT);
        structure.ptr[i] ^= 0x10;
        struct takc_str part = takc_str_n(structure.ptr, i);
        assert_int_equal(takc_doc_load(&again, takc_buf_str(&d.text), part, takc_buf_str(&map), &err), TAKC_CORRUPT);
    }
    for (size_t i = 0; i < map.len; i++) {
        map.ptr[i] ^= 0x10;
        assert_int_equal(takc_doc_load(&again, takc_buf_str(&d.text), takc_buf_str(&structure), takc_buf_str(&map), &err), TAKC_CORRUPT);
        map.ptr[i] ^= 0x10;
    }
    assert_int_equal(takc_doc_load(&again, takc_str("x"), takc_buf_str(&structure), takc_buf_str(&map), &err), TAKC_CORRUPT);
    assert_int_equal(takc_doc_load(&again, takc_buf_str(&d.text), takc_buf_str(&structure), takc_str(""), &err), TAKC_OK);
    takc_doc_clear(&again);
    takc_doc_clear(&d);
    takc_buf_clear(&structure);
    takc_buf_clear(&map);
}

static void checks_see_broken_promises(void **state)
{
    (void)state;
    struct takc_doc d;
    struct takc_err err = {0};
    assert_int_equal(read_as(&takc_reader_text, takc_str("gr\xC3\xBC\xC3\x9F one.\n\ntwo 2 3\n"), &d, NULL), TAKC_OK);
    struct takc_block a = d.blocks[0], b = d.blocks[1];
    d.blocks[0].end = 3; /* inside a character */
    assert_int_equal(takc_doc_check(&d, SIZE_MAX, &err), TAKC_CORRUPT);
    d.blocks[0] = b;
    assert_int_equal(takc_doc_check(&d, SIZE_MAX, &err), TAKC_CORRUPT);
    d.blocks[0] = a;
    d.blocks[1].table = 0;
    assert_int_equal(takc_doc_check(&d, SIZE_MAX, &err), TAKC_CORRUPT);
    d.blocks[1] = b;
    d.blocks[1].flags |= TAKC_BLOCK_HIDDEN;
    assert_int_equal(takc_doc_check(&d, SIZE_MAX, &err), TAKC_CORRUPT);
    d.blocks[1] = b;
    assert_int_equal(takc_doc_check(&d, 5, &err), TAKC_CORRUPT); /* runs behind the source's end */
    d.runs[0].src_start++;
    assert_int_equal(takc_doc_check(&d, SIZE_MAX, &err), TAKC_CORRUPT);
    d.runs[0].src_start--;
    assert_int_equal(takc_doc_check(&d, SIZE_MAX, &err), TAKC_OK);
    takc_doc_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(charsets_are_recognised),
                                       cmocka_unit_test(maps_lead_back),
                                       cmocka_unit_test(lines_have_kinds),
                                       cmocka_unit_test(tables_have_headers),
                                       cmocka_unit_test(footers_are_hidden),
                                       cmocka_unit_test(terms_are_described),
                                       cmocka_unit_test(pages_are_counted),
                                       cmocka_unit_test(wrapped_numbers_stay_in_their_paragraph),
                                       cmocka_unit_test(turns_are_seen),
                                       cmocka_unit_test(markdown_loses_its_marks),
                                       cmocka_unit_test(csv_has_rows),
                                       cmocka_unit_test(json_becomes_lines),
                                       cmocka_unit_test(sources_are_split),
                                       cmocka_unit_test(kinds_are_told_by_content),
                                       cmocka_unit_test(hostile_input_is_refused),
                                       cmocka_unit_test(stored_forms_hold),
                                       cmocka_unit_test(checks_see_broken_promises)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
