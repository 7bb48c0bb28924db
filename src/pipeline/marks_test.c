/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/marks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Resolves text in pieces of that size, among n lines. */
static void resolve(const char *text, size_t n, size_t piece, struct takc_marks *m, struct takc_arena *a, struct takc_buf *out)
{
    struct takc_str all = takc_str(text);
    struct takc_err err = {0};
    takc_arena_init(a);
    takc_buf_init(out, TAKC_BUF_MAX_REPLY);
    assert_int_equal(takc_marks_init(m, n, a, &err), TAKC_OK);
    for (size_t i = 0; i < all.len; i += piece)
        assert_int_equal(takc_marks_add(m, takc_str_slice(all, i, i + piece < all.len ? i + piece : all.len), out, &err), TAKC_OK);
    assert_int_equal(takc_marks_end(m, out, &err), TAKC_OK);
}

static void sources_are_numbered_by_first_mention(void **state)
{
    static const struct {
        const char *text, *shown, *plain;
        uint32_t cited[4];
        size_t n_cited, n_nowhere;
        uint64_t n_met, n_missed;
    } rows[] = {
        {"The limit is 9 bar [12]. It fell [3,12].",
         "The limit is 9 bar [1]. It fell [2, 1].",
         "The limit is 9 bar. It fell.",
         {12, 3},
         2,
         0,
         3,
         0},
        {"None.", "None.", "None.", {0}, 0, 0, 0, 0},
        {"Both [2] [99; 2] and [0].", "Both [1] [?, 1] and [?].", "Both and.", {2}, 1, 2, 2, 2},
        {"Twice [99][99]", "Twice [?][?]", "Twice", {0}, 0, 1, 0, 2},
        {"a[i] = [] [x 1] [", "a[i] = [] [x 1] [", "a[i] = [] [x 1] [", {0}, 0, 0, 0, 0},
        {"cut [3", "cut [3", "cut [3", {0}, 0, 0, 0, 0},
        {"[ [4]", "[ [1]", "[", {4}, 1, 0, 1, 0},
        {"[99999999999999999999]", "[?]", "", {0}, 0, 1, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (size_t piece = 1; piece < 50; piece++) {
            struct takc_marks m;
            struct takc_arena a;
            struct takc_buf out;
            resolve(rows[i].text, 20, piece, &m, &a, &out);
            assert_true(takc_str_is(takc_buf_str(&out), rows[i].shown));
            assert_true(takc_str_is(takc_buf_str(&m.plain), rows[i].plain));
            assert_int_equal(m.n_cited, rows[i].n_cited);
            for (size_t k = 0; k < m.n_cited; k++)
                assert_int_equal(m.order[k], rows[i].cited[k]);
            assert_int_equal(m.n_nowhere, rows[i].n_nowhere);
            assert_int_equal(m.n_met, rows[i].n_met);
            assert_int_equal(m.n_missed, rows[i].n_missed);
            takc_marks_clear(&m);
            takc_buf_clear(&out);
            takc_arena_clear(&a);
        }
}

static void a_text_without_its_marks(void **state)
{
    struct takc_buf out;
    (void)state;
    takc_buf_init(&out, TAKC_BUF_MAX_REPLY);
    assert_int_equal(takc_marks_strip(takc_str("It is 9 [1]. Not [] nor [x], but 7 [2, 3][4]"), &out, NULL), TAKC_OK);
    assert_true(takc_str_is(takc_buf_str(&out), "It is 9. Not [] nor [x], but 7"));
    takc_buf_clear(&out);
}

/* A line shown twice is one source. */
static void the_same_line_is_one_source(void **state)
{
    struct takc_marks m;
    struct takc_arena a;
    struct takc_buf out;
    (void)state;
    takc_arena_init(&a);
    takc_buf_init(&out, TAKC_BUF_MAX_REPLY);
    assert_int_equal(takc_marks_init(&m, 9, &a, NULL), TAKC_OK);
    m.same[7] = 2;
    assert_int_equal(takc_marks_add(&m, takc_str("It is 9 [7]. It is red [3][2]."), &out, NULL), TAKC_OK);
    assert_true(takc_str_is(takc_buf_str(&out), "It is 9 [1]. It is red [2][1]."));
    assert_true(m.n_cited == 2 && m.order[0] == 2 && m.order[1] == 3 && m.n_met == 3);
    takc_marks_clear(&m);
    takc_buf_clear(&out);
    takc_arena_clear(&a);
}

/* More numbers that point nowhere than are kept are still counted. */
static void many_marks_to_nowhere(void **state)
{
    struct takc_marks m;
    struct takc_arena a;
    struct takc_buf out, text;
    (void)state;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(takc_buf_printf(&text, NULL, "x [%u]", 1000 + i), TAKC_OK);
    resolve(text.ptr, 3, 7, &m, &a, &out);
    assert_int_equal(m.n_missed, 100);
    assert_int_equal(m.n_nowhere, TAKC_MARKS_NOWHERE);
    takc_marks_clear(&m);
    takc_buf_clear(&out);
    takc_buf_clear(&text);
    takc_arena_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_numbered_by_first_mention),
        cmocka_unit_test(a_text_without_its_marks),
        cmocka_unit_test(the_same_line_is_one_source),
        cmocka_unit_test(many_marks_to_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
