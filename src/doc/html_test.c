/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTML reader: structure, what is no knowledge, the map re-read by code of its own, charsets, hostile pages. */
#include "doc/rich_test.h"

#include <stdlib.h>

#define HTML(s) takc_str("<!DOCTYPE html><html><head><title>T</title></head><body>" s "</body></html>")

static void blocks_are_told_by_elements(void **state)
{
    (void)state;
    rich_expect(&takc_reader_html,
                HTML("<h1>Name</h1>stray <b>bold</b> text<p>One\n  two <i>three</i>&nbsp;four<br>five<h2>Sub\nhead</h2>"
                     "<ul><li><p>item a</p><p>more a</p><ul><li>deep</li></ul></li><li>item b</ul><blockquote>said</blockquote>"
                     "<pre>\nif x:\n    <span>call</span>(y)\n\nend </pre>"),
                "title0|Name\npara0|stray bold text\npara0|One\ntwo three four\nfive\nhead2|Sub head\nitem1|item a\npara0|more a\n"
                "item2|deep\nitem1|item b\npara0|said\ncode0|if x:\ncode0|call(y)\ncode0|end\n");
}

static void definitions_belong_to_terms(void **state)
{
    (void)state;
    rich_expect(&takc_reader_html,
                HTML("<dl><dt>-v<dd>Says <b>more</b>.<p>Twice: all.<dt>-q<dd><ul><li>less</ul></dl><p>after<dl><dd>no term</dl>"),
                "term0|-v\npara0d|Says more.\npara0d|Twice: all.\nterm0|-q\nitem1d|less\npara0|after\npara0|no term\n");
}

static void tables_are_rows(void **state)
{
    (void)state;
    /* header cells make a table of data, whatever its cells hold; a table in a cell is folded into it */
    rich_expect(&takc_reader_html,
                takc_str("<table><tr><th>a<th>b<tr><td><pre>c</pre><td>d<tr><td>e<td><table><tr><td>f<td>g</table></table>"),
                "row0H|a | b\nrow0|c | d\nrow0|e | f g\n");
    rich_expect(&takc_reader_html, takc_str("<table><tr><td>a<td><table><tr><th>b<th>c<tr><td>d<td>e</table></table>"),
                "para0|a\nrow0H|b | c\nrow0|d | e\n");
    rich_expect(&takc_reader_html,
                HTML("<table><caption>Sales</caption><thead><tr><th>Year<th>Sum</thead><tr><td>2022<td><p>7</p><p>m</p><tr><td><td>8"
                     "<tr><td>\n<td></tr></table>"
                     "<table><tr><th>A</th><th>B</th></tr><tr><th>x</th><td>y</td></tr></table>"
                     "<table><tr><td>only<tr><td>layout</table><table><tr><td><table><tr><td>i<td>j</table><td>side</table>"),
                "para0|Sales\nrow0H|Year | Sum\nrow0|2022 | 7 m\nrow0| | 8\nrow0H|A | B\nrow0|x | y\npara0|only\npara0|layout\n"
                "row0|i | j\npara0|side\n");
    struct rich x = rich_read(&takc_reader_html, HTML("<table><tr><td>a<td>b<tr><td>c<td>d</table><table><tr><td>e<td>f</table>"));
    assert_int_equal(x.d.n_blocks, 3);
    assert_int_equal(x.d.blocks[1].table, 1);
    assert_int_equal(x.d.blocks[1].row, 2);
    assert_int_equal(x.d.blocks[2].table, 2);
    assert_int_equal(x.d.blocks[2].row, 1);
    rich_clear(&x);
}

static void scripts_are_dropped_and_navigation_is_hidden(void **state)
{
    (void)state;
    rich_expect(
        &takc_reader_html,
        HTML("<script>var a='<p>x</p>';</script><style>p{}</style><template><p>t</p></template><noscript>n</noscript>"
             "<nav><p>menu</p></nav><div role=navigation>go</div><div class='x sphinxsidebar'>side</div>"
             "<h1>Head<a class=headerlink href='#h'>\xC2\xB6</a></h1><h2>Sub <a href='#s'>#</a></h2>"
             "<p>Text<a class='footnote-reference' href=#f>1</a> goes on.</p><p>See <a href=x>this page</a></p>"
             "<ul><li><a href=a>Alpha</a><li><a href=b>Beta</a></ul><ul><li><a href=a>Alpha</a> is a letter<li>Beta is one, too</ul>"
             "<div><a href=p>Prev</a> | <a href=u>Up</a> | <a href=n>Next</a></div><div class='toc'><p>see</p><a href=x>a long "
             "chapter</a></div>"
             "<div id=cookie-banner><p>We bake.</p></div><div style='display: none'>unseen</div><footer>Made by us</footer>"
             "<button>Copy</button><select><option>1</select>"),
        "para0h|menu\npara0h|go\npara0h|side\ntitle0|Head\nhead2|Sub\npara0|Text goes on.\npara0|See this page\nitem1h|Alpha\nitem1h|Beta\n"
        "item1|Alpha is a letter\nitem1|Beta is one, too\npara0h|Prev | Up | Next\npara0h|see\npara0h|a long chapter\npara0h|We bake.\n"
        "para0h|unseen\npara0h|Made by us\n");
}

static void titles_and_dates(void **state)
{
    (void)state;
    struct rich x = rich_read(&takc_reader_html, takc_str("<html><head><title> The \n Name</title><meta name=date content=2021-01-01>"
                                                          "<meta property='article:published_time' content='2024-03-05T10:00:00Z'>"
                                                          "<meta http-equiv=last-modified content=2020-01-01></head><body><p>x"));
    assert_int_equal(x.st, TAKC_OK);
    assert_string_equal(x.d.title.ptr, "The Name");
    assert_int_equal(x.d.title_from, TAKC_TITLE_METADATA);
    assert_true(x.d.has_date);
    assert_int_equal(x.d.date, 19787);
    assert_string_equal(x.d.reader, "html");
    assert_string_equal(x.d.charset, "UTF-8");
    rich_clear(&x);
    x = rich_read(&takc_reader_html, takc_str("<title>Manual</title><nav><h1>Site</h1></nav><p>a<h1>Ma<b>in</b></h1><h1>Two</h1>"));
    assert_string_equal(x.d.title.ptr, "Main");
    assert_int_equal(x.d.title_from, TAKC_TITLE_TEXT);
    assert_memory_equal(x.d.text.ptr + x.d.title_start, "Main", x.d.title_end - x.d.title_start);
    assert_string_equal(x.shown.ptr, "head1h|Site\npara0|a\ntitle0|Main\nhead1|Two\n");
    rich_clear(&x);
    x = rich_read(&takc_reader_html, takc_str("<title>Manual</title><h2>Manual</h2><h2>Next</h2>"));
    assert_int_equal(x.d.title_from, TAKC_TITLE_TEXT);
    assert_string_equal(x.shown.ptr, "title0|Manual\nhead2|Next\n");
    rich_clear(&x);
}

/* What a character reference of these tests stands for. */
static const char *decode(const char *s)
{
    static const struct {
        const char *ref, *text;
    } known[] = {{"&amp;", "&"},  {"&lt;", "<"},          {"&eacute;", "\xC3\xA9"}, {"&#8364;", "\xE2\x82\xAC"},
                 {"&#x41;", "A"}, {"&copy;", "\xC2\xA9"}, {"&quot;", "\""},         {"&mdash;", "\xE2\x80\x94"}};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strncmp(s, known[i].ref, strlen(known[i].ref)) == 0)
            return known[i].text;
    return "";
}

/* Reads every run again; returns how many text bytes have a place. */
static size_t reread_map(const struct takc_doc *d, const char *src)
{
    size_t placed = 0;
    for (size_t i = 0; i < d->n_runs; i++) {
        const struct takc_map_run *r = &d->runs[i];
        struct takc_str text = takc_str_n(d->text.ptr + r->start, r->end - r->start);
        if (r->kind == TAKC_MAP_VERBATIM) {
            assert_memory_equal(text.ptr, src + r->src_start, text.len);
            assert_null(memchr(src + r->src_start, '<', text.len));
        } else {
            assert_true(takc_str_is(text, decode(src + r->src_start)));
        }
        placed += text.len;
    }
    return placed;
}

static void the_map_holds(void **state)
{
    (void)state;
    static const char src[] =
        "<p>Tom &amp; Jerry caf&eacute; &#8364; &#x41;1 &copy; 5 &lt; 6 &quot;q&quot;\n and  more<b> bold</b>ly; AT&T, a < b "
        "&unknown; x&amp;y &mdash; end</p><p>na\xC3\xAFve aaa aaa</p><!-- c --><pre>  x &lt;= 1\r\n y</pre><p>&#150;</p>";
    struct rich x = rich_read(&takc_reader_html, takc_str(src));
    assert_int_equal(x.st, TAKC_OK);
    assert_string_equal(x.shown.ptr,
                        "para0|Tom & Jerry caf\xC3\xA9 \xE2\x82\xAC A1 \xC2\xA9 5 < 6 \"q\"\nand more boldly; AT&T, a < b &unknown; x&y "
                        "\xE2\x80\x94 end\npara0|na\xC3\xAFve aaa aaa\ncode0|x <= 1\ncode0|y\npara0|\xE2\x80\x93\n");
    assert_true(x.d.has_map);
    size_t placed = reread_map(&x.d, src);
    assert_true(placed * 100 >= x.d.text.len * 85);
    uint64_t from, to;
    const char *text = x.d.text.ptr, *jerry = strstr(text, "Jerry");
    assert_true(takc_doc_source_range(&x.d, (uint32_t)(jerry - text), (uint32_t)(jerry - text) + 5, &from, &to));
    assert_int_equal(to - from, 5);
    assert_memory_equal(src + from, "Jerry", 5);
    rich_clear(&x);
}

/* Long text without a tag comes in pieces; their joints must hold, too. */
static void long_text_is_one_run(void **state)
{
    (void)state;
    struct takc_buf b;
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_buf_add(&b, takc_str("<p>"), NULL), TAKC_OK);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(takc_buf_printf(&b, NULL, "w\xC3\xB6rd%d ", i), TAKC_OK);
    struct rich x = rich_read(&takc_reader_html, takc_buf_str(&b));
    assert_int_equal(x.d.n_blocks, 1);
    assert_int_equal(x.d.n_runs, 1);
    assert_int_equal(x.d.runs[0].end - x.d.runs[0].start, x.d.text.len);
    assert_int_equal(x.d.text.len, b.len - 4);
    rich_clear(&x);
    takc_buf_clear(&b);
}

static void other_charsets_are_read(void **state)
{
    (void)state;
    /* windows-1252 by declaration: 0x80 is the euro sign, 0xE9 is e with acute */
    rich_expect(&takc_reader_html,
                takc_str("<html><head><meta charset=iso-8859-1></head><body><p>Caf\xE9 10 \x80 caf\xE9 au lait, cr\xE8me br\xFBl\xE9"
                         "e</p>"),
                "para0|Caf\xC3\xA9 10 \xE2\x82\xAC caf\xC3\xA9 au lait, cr\xC3\xA8me br\xC3\xBBl\xC3\xA9"
                "e\n");
    rich_expect(&takc_reader_html,
                takc_str("<meta http-equiv=content-type content='text/html; charset=KOI8-R'><p>\xF0\xD2\xC9\xD7\xC5\xD4, \xCD\xC9\xD2"),
                "para0|\xD0\x9F\xD1\x80\xD0\xB8\xD0\xB2\xD0\xB5\xD1\x82, \xD0\xBC\xD0\xB8\xD1\x80\n");
    /* UTF-16 by its mark, the map through both steps */
    const char src[] = "\xFF\xFE<\0p\0>\0H\0i\0 \0\xE9\0t\0\xE9\0 \0&\0a\0m\0p\0;\0 \0o\0k\0";
    struct rich x = rich_read(&takc_reader_html, takc_str_n(src, sizeof(src) - 1));
    assert_int_equal(x.st, TAKC_OK);
    assert_string_equal(x.shown.ptr, "para0|Hi \xC3\xA9t\xC3\xA9 & ok\n");
    assert_string_equal(x.d.charset, "UTF-16LE");
    uint64_t from, to;
    assert_true(takc_doc_source_range(&x.d, 0, 2, &from, &to));
    assert_int_equal(from, 8);
    assert_int_equal(to, 12);
    rich_clear(&x);
    /* a mark of UTF-8 moves all places by three */
    x = rich_read(&takc_reader_html, takc_str("\xEF\xBB\xBF<p>abc"));
    assert_true(takc_doc_source_range(&x.d, 0, 3, &from, &to));
    assert_int_equal(from, 6);
    rich_clear(&x);
}

static struct takc_buf repeated(const char *what, size_t n, const char *end)
{
    struct takc_buf b;
    takc_buf_init(&b, 1 << 26);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(takc_buf_add(&b, takc_str(what), NULL), TAKC_OK);
    assert_int_equal(takc_buf_add(&b, takc_str(end), NULL), TAKC_OK);
    return b;
}

static void hostile_pages_are_refused(void **state)
{
    (void)state;
    struct takc_buf b = repeated("<div>", 10000, "x");
    rich_fails(&takc_reader_html, takc_buf_str(&b), TAKC_REFUSED, "nested more than 256 deep at byte 12");
    takc_buf_clear(&b);
    b = repeated("<b>", 10000, "x");
    rich_fails(&takc_reader_html, takc_buf_str(&b), TAKC_REFUSED, "nested more than 256 deep");
    takc_buf_clear(&b);
    b = repeated("<div>", 200, "deep enough");
    rich_expect(&takc_reader_html, takc_buf_str(&b), "para0|deep enough\n");
    takc_buf_clear(&b);
    b = repeated(" a", 5000, ">x");
    memcpy(b.ptr, "<p", 2);
    rich_fails(&takc_reader_html, takc_buf_str(&b), TAKC_REFUSED, "more than 1000 attributes at byte 0");
    takc_buf_clear(&b);
    struct takc_reader_input in = {.bytes = takc_str("<p>more than eight bytes"), .max_text_bytes = 8};
    struct takc_doc d;
    struct takc_err err;
    takc_doc_init(&d);
    assert_int_equal(takc_reader_html.read(NULL, &in, &d, &err), TAKC_REFUSED);
    takc_doc_clear(&d);
    struct takc_call call;
    takc_call_init(&call);
    atomic_store(&call.cancel, true);
    in.max_text_bytes = 0;
    assert_int_equal(takc_reader_html.read(&call, &in, &d, &err), TAKC_CANCELLED);
    takc_doc_clear(&d);
}

static void odd_pages_are_read(void **state)
{
    (void)state;
    rich_expect(&takc_reader_html, takc_str(""), "");
    rich_expect(&takc_reader_html, takc_str(" \n"), "");
    rich_expect(&takc_reader_html, takc_str("plain text"), "para0|plain text\n");
    rich_expect(&takc_reader_html, takc_str("<p>cut off <a href='x"), "para0|cut off\n");
    rich_expect(&takc_reader_html, takc_str_n("<p>a\0b</p>", 10), "para0|a b\n");
    rich_expect(&takc_reader_html, takc_str("<table><td>a<td>b"), "row0|a | b\n");
    rich_expect(&takc_reader_html, takc_str("<table>loose<form><tr><form><td>a<td>b</form></form><p>c</p></table>"),
                "para0|loose\nrow0|a b c\n");
    rich_expect(&takc_reader_html, takc_str("</p></div>x<li>y</li>"), "para0|x\nitem1|y\n");
    rich_expect(&takc_reader_html, takc_str("<!DOCTYPE x [<!ENTITY a 'bbbb'>]><p>&a;c"), "para0|]>\npara0|&a;c\n");
}

static void content_is_recognised(void **state)
{
    (void)state;
    assert_int_equal(takc_reader_html.sniff(takc_str("\xEF\xBB\xBF\n<!doctype HTML><p>")), 3);
    assert_int_equal(takc_reader_html.sniff(takc_str("<?xml version='1.0'?>\n<html xmlns='x'>")), 3);
    assert_int_equal(takc_reader_html.sniff(takc_str("<div>x</div>")), 2);
    assert_int_equal(takc_reader_html.sniff(takc_str("<note>x</note>")), 0);
    assert_int_equal(takc_reader_html.sniff(takc_str("Text about <html>")), 0);
}

static void memory_may_be_out(void **state)
{
    (void)state;
    rich_sweep(&takc_reader_html, HTML("<h1>A</h1><p>b &amp; c<table><tr><td>d<td>e</table><dl><dt>t<dd>u</dl>"), 8);
    rich_sweep(&takc_reader_html, takc_str("<meta charset=koi8-r><p>\xF0\xD2\xC9"), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_told_by_elements),
        cmocka_unit_test(definitions_belong_to_terms),
        cmocka_unit_test(tables_are_rows),
        cmocka_unit_test(scripts_are_dropped_and_navigation_is_hidden),
        cmocka_unit_test(titles_and_dates),
        cmocka_unit_test(the_map_holds),
        cmocka_unit_test(long_text_is_one_run),
        cmocka_unit_test(other_charsets_are_read),
        cmocka_unit_test(hostile_pages_are_refused),
        cmocka_unit_test(odd_pages_are_read),
        cmocka_unit_test(content_is_recognised),
        cmocka_unit_test(memory_may_be_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
