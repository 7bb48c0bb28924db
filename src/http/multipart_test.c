/* SPDX-License-Identifier: Apache-2.0
 *
 * multipart_test.c - bodies cut at every byte give the same parts; what is not form-data is refused by name. */
#include "base/buf.h"
#include "http/multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct takc_buf told;

static enum takc_status on_begin(void *arg, const struct takc_multipart_part *p, struct takc_err *err)
{
    (void)arg;
    return takc_buf_printf(&told, err, "[%.*s|%.*s%s|%.*s]", TAKC_STR_ARG(p->name), TAKC_STR_ARG(p->filename), p->has_filename ? "" : "-",
                           TAKC_STR_ARG(p->type));
}
static enum takc_status on_data(void *arg, struct takc_str piece, struct takc_err *err)
{
    (void)arg;
    assert_true(piece.len > 0);
    return takc_buf_add(&told, piece, err);
}
static enum takc_status on_end(void *arg, struct takc_err *err)
{
    (void)arg;
    return takc_buf_add(&told, takc_str("[/]"), err);
}
static const struct takc_multipart_handlers handlers = {on_begin, on_data, on_end, NULL};

/* The whole body in pieces cut at a and b. */
static enum takc_status feed(const char *boundary, struct takc_str body, size_t a, size_t b, struct takc_err *err)
{
    struct takc_multipart m;
    takc_buf_reset(&told);
    takc_multipart_init(&m, boundary, &handlers);
    enum takc_status st = takc_multipart_feed(&m, takc_str_slice(body, 0, a), err);
    if (!st)
        st = takc_multipart_feed(&m, takc_str_slice(body, a, b), err);
    if (!st)
        st = takc_multipart_feed(&m, takc_str_slice(body, b, body.len), err);
    return st ? st : takc_multipart_finish(&m, err);
}

static void gives(const char *body, const char *want)
{
    struct takc_err err = {0};
    enum takc_status st = feed("X-y", takc_str(body), 0, 0, &err);
    if (st)
        print_error("%s\n", err.msg);
    assert_int_equal(st, TAKC_OK);
    assert_string_equal(told.len ? told.ptr : "", want);
}

static void refuses(const char *body, const char *why)
{
    struct takc_err err = {0};
    assert_int_equal(feed("X-y", takc_str(body), 0, 0, &err), TAKC_INVALID);
    if (!strstr(err.msg, why))
        fail_msg("said: %s", err.msg);
}

#define FIELD(name, text) "--X-y\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n" text "\r\n"
#define END "--X-y--\r\n"

static const char tricky[] = "dropped\r\n" FIELD(
    "task_type", "fin") "--X-y \t\r\nContent-Type: text/plain\r\ncontent-disposition: form-data; filename=\"a.txt\"; name=files\r\n\r\n"
                        "\r\nline\r\n--X-\r\n--X-\r\r\n--X-y" /* no: the next line makes it a boundary */
                        "\r\nContent-Disposition: form-data; name=\"n\"; filename=\"\"\r\n\r\n\r\n\r\n\r\r\n" END
                        "dropped, too\r\n--X-y\r\n";
static const char tricky_told[] = "[task_type|-|]fin[/][files|a.txt|text/plain]\r\nline\r\n--X-\r\n--X-\r[/][n||]\r\n\r\n\r[/]";

static void every_cut_gives_the_same(void **state)
{
    struct takc_str body = takc_str_n(tricky, sizeof(tricky) - 1);
    (void)state;
    gives(tricky, tricky_told);
    for (size_t a = 0; a <= body.len; a++)
        for (size_t b = a; b <= body.len; b++) {
            assert_int_equal(feed("X-y", body, a, b, NULL), TAKC_OK);
            assert_string_equal(told.ptr, tricky_told);
        }
}

static void every_prefix_is_too_short(void **state)
{
    struct takc_str body = takc_str_n(tricky, sizeof(tricky) - 1);
    size_t last = takc_str_find(body, takc_str("--X-y--"), 0) + 7;
    (void)state;
    for (size_t n = 0; n <= body.len; n++)
        assert_int_equal(feed("X-y", takc_str_slice(body, 0, n), n / 2, n, NULL), n < last ? TAKC_INVALID : TAKC_OK);
}

static void byte_by_byte_gives_the_same(void **state)
{
    struct takc_multipart m;
    (void)state;
    takc_buf_reset(&told);
    takc_multipart_init(&m, "X-y", &handlers);
    for (size_t i = 0; i + 1 < sizeof(tricky); i++)
        assert_int_equal(takc_multipart_feed(&m, takc_str_n(tricky + i, 1), NULL), TAKC_OK);
    assert_int_equal(takc_multipart_finish(&m, NULL), TAKC_OK);
    assert_string_equal(told.ptr, tricky_told);
}

#define NAMED(parameters) "--X-y\r\nContent-Disposition: form-data; " parameters "\r\n\r\nx\r\n" END

static void names_are_unescaped(void **state)
{
    (void)state;
    gives(NAMED("name=\"a\\\"b\\\\c\\d\"; filename=\"q;1=.txt\""), "[a\"b\\c\\d|q;1=.txt|]x[/]");
    gives(NAMED("name=a; filename=b c.txt ;"), "[a|b c.txt|]x[/]");
    gives(NAMED("name=a; filename*=UTF-8''%c3%a4%20b.txt; filename=\"plain.txt\""), "[a|\xc3\xa4 b.txt|]x[/]");
    gives(NAMED("name=a; filename=\"plain.txt\"; filename*=utf-8'de'b%2Fc"), "[a|b/c|]x[/]");
    gives(NAMED("name=a; filename=../../etc/passwd"), "[a|../../etc/passwd|]x[/]"); /* who writes files judges names */
    gives(END, "");
    gives("--X-y--", "");
}

static void what_is_no_form_is_refused(void **state)
{
    (void)state;
    refuses("", "before its last boundary");
    refuses(FIELD("a", "b"), "before its last boundary (part 1)");
    refuses("--X-y\n", "neither");
    refuses("--X-yz\r\n", "neither");
    refuses("--X-y-\r\n", "neither");
    refuses("--X-y\r\n\r\nx\r\n" END, "part 1 has no Content-Disposition");
    refuses("--X-y\r\nContent-Type: a\r\n\r\nx\r\n" END, "has no Content-Disposition");
    refuses("--X-y\r\nno header\r\n\r\nx\r\n" END, "that is none");
    refuses("--X-y\r\nA: b\r\n folded\r\n\r\nx\r\n" END, "that is none");
    refuses("--X-y\r\nA: b\nC: d\r\n\r\nx\r\n" END, "that is none");
    refuses(NAMED("filename=a"), "name=");
    refuses(NAMED("name=a; name=b"), "name=");
    refuses(NAMED("name=a; filename=b; filename=c"), "name=");
    refuses(NAMED("name=\"a"), "name=");
    refuses(NAMED("name=\"a\"b"), "name=");
    refuses(NAMED("name"), "name=");
    refuses(NAMED("name=a; filename*=latin1''a"), "name=");
    refuses(NAMED("name=a; filename*=UTF-8''a%0"), "name=");
    refuses(NAMED("name=a; filename*=UTF-8''a%00"), "name=");
    refuses(NAMED("name=a; filename*=UTF-8''a%0d%0aX:y"), "name=");
    refuses("--X-y\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n" END, "form-data");
    refuses("--X-y\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b\r\n\r\nx\r\n" END, "one Content-D");
    refuses("--X-y\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\nx\r\n" END, "Transfer-Encoding");
}

static void limits_hold(void **state)
{
    struct takc_multipart m;
    struct takc_err err = {0};
    char blanks[TAKC_PADDING_MAX + 2];
    enum takc_status st = TAKC_OK;
    (void)state;
    takc_multipart_init(&m, "X-y", &handlers);
    assert_int_equal(takc_multipart_feed(&m, takc_str("--X-y\r\nA: "), NULL), TAKC_OK);
    size_t n = 3;
    while (!st && n <= TAKC_PART_HEADER_MAX) {
        st = takc_multipart_feed(&m, takc_str("a"), &err);
        n += !st;
    }
    assert_int_equal(st, TAKC_INVALID);
    assert_int_equal(n, TAKC_PART_HEADER_MAX);
    assert_int_equal(takc_multipart_feed(&m, takc_str("a"), &err), TAKC_INVALID); /* and stays so */
    takc_multipart_init(&m, "X-y", &handlers);
    for (n = 0, st = TAKC_OK; !st && n <= TAKC_MULTIPART_PARTS_MAX; n += !st) {
        takc_buf_reset(&told);
        st = takc_multipart_feed(&m, takc_str(FIELD("a", "")), &err);
    }
    assert_int_equal(n, TAKC_MULTIPART_PARTS_MAX);
    assert_non_null(strstr(err.msg, "more than 10000 parts"));
    memset(blanks, ' ', sizeof(blanks));
    takc_multipart_init(&m, "X-y", &handlers);
    assert_int_equal(takc_multipart_feed(&m, takc_str("--X-y"), NULL), TAKC_OK);
    assert_int_equal(takc_multipart_feed(&m, takc_str_n(blanks, sizeof(blanks)), NULL), TAKC_INVALID);
}

static enum takc_status refuse_data(void *arg, struct takc_str piece, struct takc_err *err)
{
    (void)arg, (void)piece;
    return takc_fail(err, TAKC_FULL, 0, "no room");
}

static void a_handlers_failure_is_handed_on(void **state)
{
    struct takc_multipart m;
    struct takc_err err = {0};
    const struct takc_multipart_handlers failing = {on_begin, refuse_data, on_end, NULL};
    (void)state;
    takc_buf_reset(&told);
    takc_multipart_init(&m, "X-y", &failing);
    assert_int_equal(takc_multipart_feed(&m, takc_str(FIELD("a", "b") END), &err), TAKC_FULL);
    assert_string_equal(err.msg, "no room");
    assert_string_equal(told.ptr, "[a|-|]"); /* no end of a part that failed */
}

static void boundaries_are_read(void **state)
{
    static const struct {
        const char *type, *boundary; /* NULL: refused */
        enum takc_status status;
    } cases[] = {
        {"multipart/form-data; boundary=abc", "abc", TAKC_OK},
        {"Multipart/Form-Data ; charset=utf-8; Boundary=\"a b:c\"", "a b:c", TAKC_OK},
        {"multipart/form-data;boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW", "----WebKitFormBoundary7MA4YWxkTrZu0gW", TAKC_OK},
        {"application/json", NULL, TAKC_UNSUPPORTED},
        {"", NULL, TAKC_UNSUPPORTED},
        {"multipart/form-data", NULL, TAKC_INVALID},
        {"multipart/form-data; boundary=", NULL, TAKC_INVALID},
        {"multipart/form-data; boundary=\"\"", NULL, TAKC_INVALID},
        {"multipart/form-data; boundary=\"a", NULL, TAKC_INVALID},
        {"multipart/form-data; boundary=\"a \"", NULL, TAKC_INVALID},
        {"multipart/form-data; boundary=a\xc3\xa4", NULL, TAKC_INVALID},
        {"multipart/form-data; boundary=a; boundary=b", NULL, TAKC_INVALID},
        {"multipart/form-data; boundary=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL, TAKC_INVALID}};
    char out[TAKC_BOUNDARY_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        enum takc_status st = takc_multipart_boundary(takc_str(cases[i].type), out, NULL);
        if (st != cases[i].status)
            fail_msg("%s: %s", cases[i].type, takc_status_name(st));
        if (!st)
            assert_string_equal(out, cases[i].boundary);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cut_gives_the_same),        cmocka_unit_test(every_prefix_is_too_short),
        cmocka_unit_test(byte_by_byte_gives_the_same),     cmocka_unit_test(names_are_unescaped),
        cmocka_unit_test(what_is_no_form_is_refused),      cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_handlers_failure_is_handed_on), cmocka_unit_test(boundaries_are_read),
    };
    takc_buf_init(&told, 1 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    takc_buf_clear(&told);
    return failed;
}
