/* SPDX-License-Identifier: Apache-2.0
 *
 * Counting: the promise of additivity, exact parts of the estimate, and real o200k counts (gpt-tokenizer 2.x) of a few lines. */
#include "token/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const struct takc_tokenizer *estimate(void)
{
    return takc_tokenizer_find(takc_str("estimate"));
}

static void the_table_is_found(void **state)
{
    (void)state;
    assert_non_null(estimate());
    assert_ptr_equal(takc_tokenizer_at(0), estimate());
    assert_null(takc_tokenizer_at(1));
    assert_null(takc_tokenizer_find(takc_str("bpe")));
    assert_true(estimate()->ops->flags & TAKC_TOKENIZER_LINES);
}

static void lines_add_up(void **state)
{
    (void)state;
    const char *lines[] = {
        "Net sales were $1,234.5 million in 2019.", "", "  if (x == NULL) { return -1; }", "\xE6\x97\xA5\xE6\x9C\xAC", "A", " "};
    char text[512] = "";
    uint64_t sum = 0;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        sum += takc_tokenizer_line_mt(estimate(), takc_str(lines[i]));
        strncat(text, lines[i], sizeof(text) - strlen(text) - 2);
        strcat(text, "\n");
        assert_true(takc_tokenizer_count_mt(estimate(), takc_str(text)) == sum);
    }
    assert_true(takc_tokenizer_count(estimate(), takc_str(text)) == (sum + 999) / 1000);
    text[strlen(text) - 1] = '\0'; /* a last line without newline counts as if it had one */
    assert_true(takc_tokenizer_count_mt(estimate(), takc_str(text)) == sum);
    assert_true(takc_tokenizer_count(estimate(), takc_str("")) == 0);
}

/* Real counts of line and newline. Digits, blanks before digits and common marks are exact but for the margin. */
static void close_to_real_counts(void **state)
{
    (void)state;
    const struct {
        const char *line;
        double real, within;
    } cases[] = {
        {"The quick brown fox jumps over the lazy dog.", 10, .1},
        {"Net sales 2019 2018 2017", 12, .1},
        {"1,234 5,678,901 12", 12, .1},
        {"Total current assets 16,874 17,220", 12, .15},
        {"for (int i = 0; i < n; i++)", 14, .2},
        {"------------------------------", 2, .4},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        double got = (double)takc_tokenizer_line_mt(estimate(), takc_str(cases[i].line)) / 1000;
        if (got < cases[i].real * (1 - cases[i].within) || got > cases[i].real * (1 + cases[i].within))
            fail_msg("'%s': %.2f, really %.0f", cases[i].line, got, cases[i].real);
    }
}

static void any_bytes_are_counted(void **state)
{
    (void)state;
    char line[256];
    for (unsigned seed = 1; seed < 500; seed++) {
        unsigned x = seed * 2654435761u;
        for (size_t i = 0; i < sizeof(line); i++) {
            x = x * 1664525u + 1013904223u;
            line[i] = (char)(x >> 24 == '\n' ? ' ' : x >> 24);
        }
        uint64_t mt = takc_tokenizer_line_mt(estimate(), takc_str_n(line, sizeof(line)));
        assert_true(mt > 1000 && mt < 256 * 4000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_found),
        cmocka_unit_test(lines_add_up),
        cmocka_unit_test(close_to_real_counts),
        cmocka_unit_test(any_bytes_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
