/* SPDX-License-Identifier: Apache-2.0
 *
 * A model's reply as lines: marks in all the forms that models write, what stands around the lines, cut ends, bytes that are no text. */
#include "compress/generative_steps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The lines as "text{1,2}", one behind the other with a bar between; "!" in place of wrong numbers. */
static void read_as(const char *reply, uint32_t n_ids, bool cut, const char *want)
{
    struct takc_arena a;
    struct takc_reply_lines l;
    char got[2000] = "";
    size_t at = 0;
    takc_arena_init(&a);
    assert_int_equal(takc_reply_read(&a, takc_str(reply), n_ids, cut, &l, NULL), TAKC_OK);
    for (size_t i = 0; i < l.n; i++) {
        at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%.*s{", i ? "|" : "", TAKC_STR_ARG(l.v[i].text));
        for (size_t k = 0; k < l.v[i].n_ids; k++)
            at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%u", k ? "," : "", l.v[i].ids[k]);
        at += (size_t)snprintf(got + at, sizeof(got) - at, "%s}", l.v[i].wrong_ids ? "!" : "");
    }
    assert_string_equal(got, want);
    takc_arena_clear(&a);
}

static void marks_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *reply, *want;
    } cases[] = {
        {"Sales rose. [3]", "Sales rose.{3}"},
        {"Sales rose [3,4]", "Sales rose{3,4}"},
        {"Sales rose [4, 3, 4]", "Sales rose{3,4}"},
        {"Sales rose [3-5].", "Sales rose.{3,4,5}"},
        {"Sales rose [5-3]", "Sales rose{3,4,5}"},
        {"Sales rose [3\xE2\x80\x93"
         "5]",
         "Sales rose{3,4,5}"},
        {"Sales rose [3][4]", "Sales rose{3,4}"},
        {"Sales rose [3], costs fell [4].", "Sales rose, costs fell.{3,4}"},
        {"[3] Sales rose", "Sales rose{3}"},
        {"[3]: Sales rose", "Sales rose{3}"},
        {"Sales rose (3, 4)", "Sales rose{3,4}"},
        {"Sales rose (3, 4).", "Sales rose.{3,4}"},
        {"Sales rose (units 3 and 4)", "Sales rose{3,4}"},
        {"Sales rose [U3; #4]", "Sales rose{3,4}"},
        {"Sales rose [Unit 3 to 4]", "Sales rose{3,4}"},
        {"Sales (2 of 3) rose [3]", "Sales (2 of 3) rose{3}"},
        {"Sales rose (by 12) [3]", "Sales rose (by 12){3}"},
        {"Sales rose [citation needed] [3]", "Sales rose [citation needed]{3}"},
        {"Sales rose", "Sales rose{}"},
        {"Sales rose [99]", "Sales rose{!}"},
        {"Sales rose [0]", "Sales rose{!}"},
        {"Sales rose [3,99]", "Sales rose{!}"},
        {"Sales rose [1-9999999]", "Sales rose{!}"},
        {"Sales rose [99999999999999999999]", "Sales rose [99999999999999999999]{}"},
        {"Sales rose [3", "Sales rose [3{}"},
        {"Sales rose []", "Sales rose []{}"},
        {"[3]", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        read_as(cases[i].reply, 20, false, cases[i].want);
}

static void what_stands_around_is_left_out(void **state)
{
    (void)state;
    read_as("Here are the condensed lines:\n\n- A b [1]\n* C d [2]\n3. E f [3]\n\xE2\x80\xA2 G h [4]\n", 9, false,
            "A b{1}|C d{2}|E f{3}|G h{4}");
    read_as("Sure!\n```text\nA b [1]\n```\nLet me know if you need more:\n", 9, false, "A b{1}");
    read_as("I'm sorry, I can't help with that.", 9, false, "");
    read_as("## Summary\n**Bold** text  with\ttabs [1]\n---\n", 9, false, "Bold text with tabs{1}");
    read_as("A b [1]\na B [2]\nA b [3]\n", 9, false, "A b{1}");
    read_as("A b [1]\r\nC d [2]\r\n", 9, false, "A b{1}|C d{2}");
    read_as("", 9, false, "");
    read_as("\n\n \n", 9, false, "");
    /* what looks like chatter but names a unit is a line */
    read_as("Here the river ends. [1]", 9, false, "Here the river ends.{1}");
}

static void cut_ends_are_dropped(void **state)
{
    (void)state;
    read_as("A b [1]\nC d [2]", 9, true, "A b{1}");
    read_as("A b [1]\nC d [2]\n", 9, true, "A b{1}|C d{2}");
    read_as("A b [1", 9, true, "");
    static const char whole[] = "A b [1]\nC d [2]\n";
    for (size_t n = 0; n < sizeof(whole); n++) {
        struct takc_arena a;
        struct takc_reply_lines l;
        takc_arena_init(&a);
        assert_int_equal(takc_reply_read(&a, takc_str_n(whole, n), 9, true, &l, NULL), TAKC_OK);
        assert_int_equal(l.n, n < 8 ? 0 : n < 16 ? 1 : 2);
        takc_arena_clear(&a);
    }
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    read_as("A \xFF\x01 b [1]", 9, false, "A \xEF\xBF\xBD b{1}");
    read_as("A\xC2\xA0\xC2\xA0 b [1]", 9, false, "A b{1}");
    char *line = calloc(1, 5000);
    memset(line, 'x', 4000);
    memcpy(line + 4000, " [1]\ny [2]", 11);
    read_as(line, 9, false, "y{2}"); /* a line of that length is none */
    free(line);
}

static void there_is_an_end(void **state)
{
    (void)state;
    struct takc_arena a;
    struct takc_buf b;
    struct takc_reply_lines l;
    takc_arena_init(&a);
    takc_buf_init(&b, 1 << 20);
    for (int i = 0; i < 3 * TAKC_REPLY_LINES_MAX; i++)
        assert_int_equal(takc_buf_printf(&b, NULL, "line %d [1]\n", i), TAKC_OK);
    assert_int_equal(takc_reply_read(&a, takc_buf_str(&b), 1, false, &l, NULL), TAKC_OK);
    assert_int_equal(l.n, TAKC_REPLY_LINES_MAX);
    takc_buf_clear(&b);
    takc_arena_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_are_read),       cmocka_unit_test(what_stands_around_is_left_out),
        cmocka_unit_test(cut_ends_are_dropped), cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(there_is_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
