/* SPDX-License-Identifier: Apache-2.0
 *
 * Words: every rule of words.h with text that would tell a wrong one. bench/check_scorer_tokens.py compares whole corpora. */
#include "base/buf.h"
#include "base/fault.h"
#include "token/words.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { LONG_RUN = 300000 };

/* Words joined by a blank; articles in round brackets. */
static const char *words_of(const char *text)
{
    static char out[4096];
    struct takc_words w;
    struct takc_word word;
    size_t n = 0;
    takc_words_init(&w, takc_str(text));
    out[0] = '\0';
    while (takc_words_next(&w, &word))
        n += (size_t)snprintf(out + n, sizeof(out) - n, word.article ? "%s(%.*s)" : "%s%.*s", n ? " " : "", TAKC_STR_ARG(word.norm));
    takc_words_clear(&w);
    takc_words_clear(&w);
    return out;
}

static void ascii_words(void **state)
{
    (void)state;
    assert_string_equal(words_of("The 10-K and the 10K, a Form"), "(the) 10 k and (the) 10 k (a) form");
    assert_string_equal(words_of("snake_case CamelCase e-mail"), "snake case camelcase e mail");
    assert_string_equal(words_of("Moody's company's cats' it's 's"), "moody company cats it");
    assert_string_equal(words_of("it'sx 'sx 's_x"), "it sx sx s x");
    assert_string_equal(words_of("don't CAN'T n't can't've 'n'"), "dont cant nt cant ve n");
    assert_string_equal(words_of(""), "");
    assert_string_equal(words_of("... -- !"), "");
}

static void numbers_are_canonical(void **state)
{
    (void)state;
    assert_string_equal(words_of("1,234.50 007 $1,234,567.00 1,23 1,2345"), "1234.5 7 1234567 1 23 1234 5");
    assert_string_equal(words_of("1.5.3 .50 .0 0.10 10.0 000 1..5"), "1.5 0.3 0.5 0 0.1 10 0 1 0.5");
    assert_string_equal(words_of("5% 3x 2nd 1990's,000"), "5 3 x 2 nd 1990000");
    assert_string_equal(words_of("12,345,67"), "12345 67");
}

/* Han and Kana come in overlapping pairs; counts are those of runs, and what the pairs add to each other is the run. */
static void pairs_of_scripts_without_blanks(void **state)
{
    (void)state;
    assert_string_equal(words_of("\u6CF5\u7684\u538B\u529B\u3002 \u6CF5"), "\u6CF5\u7684 \u7684\u538B \u538B\u529B \u6CF5");
    assert_string_equal(words_of("12\u30D0\u30FC\u30EB"), "12 \u30D0\u30FC \u30FC\u30EB");
    assert_string_equal(words_of("ab\u6CF5\u7684cd x"), "ab \u6CF5\u7684 cd x");
    assert_string_equal(words_of("\uFF8E\uFF9F\uFF9D\uFF8C\uFF9F"), "\u30DD\u30F3 \u30F3\u30D7"); /* half width */
    assert_int_equal(takc_words_count(takc_str("\u6CF5\u7684\u538B\u529B\u3002 \u6CF5 ab\u6CF5\u7684cd x")), 4);
    assert_true(takc_word_is_stop(takc_str("\u591A\u5C11")) && !takc_word_is_stop(takc_str("\u538B\u529B")));
    struct takc_words w;
    struct takc_word word;
    struct takc_buf run;
    takc_buf_init(&run, 256);
    takc_words_init(&w, takc_str("x\u6CF5\u7684\u538B\u529By"));
    while (takc_words_next(&w, &word)) {
        assert_int_equal(word.more, word.norm.ptr[0] != 'y');
        assert_int_equal(word.pair, word.norm.len == 6);
        assert_int_equal(takc_buf_add(&run, takc_str_slice(word.norm, word.again, word.norm.len), NULL), TAKC_OK);
    }
    assert_string_equal(run.ptr, "x\u6CF5\u7684\u538B\u529By");
    takc_words_clear(&w);
    takc_buf_clear(&run);
}

static void other_scripts(void **state)
{
    (void)state;
    assert_string_equal(words_of("\xC3\x89t\xC3\xA9 na\xC3\xAFve"), "\xC3\xA9t\xC3\xA9 na\xC3\xAFve");
    assert_string_equal(words_of("company\xE2\x80\x99s isn\xE2\x80\x99t \xE2\x80\x9Cquoted\xE2\x80\x9D"), "company isnt quoted");
    assert_string_equal(words_of("e\xCC\x81t\xC3\xA9"), "\xC3\xA9t\xC3\xA9");               /* composed by NFKC */
    assert_string_equal(words_of("\xEF\xAC\x81le \xEF\xBC\x91\xEF\xBC\x92"), "file 12");    /* ligature, full width */
    assert_string_equal(words_of("x\xC2\xB2 \xC2\xBD Acme\xE2\x84\xA2"), "x 2 1 2 acmetm"); /* superscript, half, trade mark */
    assert_string_equal(words_of("\xCE\xA3\xCE\x9F\xCE\xA6\xCE\x9F\xCE\xA3"), "\xCF\x83\xCE\xBF\xCF\x86\xCE\xBF\xCF\x82"); /* final sigma */
    assert_string_equal(words_of("\xD0\x9C\xD0\xBE\xD1\x81\xD0\xBA\xD0\xB2\xD0\xB0 2020"),
                        "\xD0\xBC\xD0\xBE\xD1\x81\xD0\xBA\xD0\xB2\xD0\xB0 2020");
    assert_string_equal(words_of("\xE6\x97\xA5\xE6\x9C\xAC\xE3\x80\x82\xE8\xAA\x9E"), "\xE6\x97\xA5\xE6\x9C\xAC \xE8\xAA\x9E");
    assert_string_equal(words_of("a\xC2\xA0"
                                 "b\xFF"
                                 "c"),
                        "(a) b c"); /* no-break space and a wrong byte separate */
}

static void places_are_those_of_the_text(void **state)
{
    (void)state;
    struct takc_words w;
    struct takc_word word;
    struct takc_str text = takc_str("The Company's 1,234.50 \xC3\x89t\xC3\xA9");
    const char *want[] = {"The", "Company", "1,234.50", "\xC3\x89t\xC3\xA9"};
    takc_words_init(&w, text);
    for (size_t i = 0; i < 4; i++) {
        assert_true(takc_words_next(&w, &word));
        assert_true(takc_str_is(takc_str_slice(text, word.start, word.end), want[i]));
        assert_int_equal(word.number, i == 2);
    }
    assert_false(takc_words_next(&w, &word));
    takc_words_clear(&w);
}

static void long_words_are_cut(void **state)
{
    (void)state;
    char text[1001];
    struct takc_words w;
    struct takc_word word;
    size_t total = 0, pieces = 0;
    for (int digits = 0; digits < 2; digits++) {
        memset(text, digits ? '7' : 'x', 1000);
        text[1000] = '\0';
        total = pieces = 0;
        takc_words_init(&w, takc_str(text));
        for (; takc_words_next(&w, &word); pieces++) {
            assert_true(word.norm.len <= TAKC_WORD_MAX);
            total += word.norm.len;
            assert_int_equal(word.more, total < 1000);
        }
        takc_words_clear(&w);
        assert_int_equal(total, 1000);
        assert_int_equal(takc_words_count(takc_str(text)), 1);
    }
}

/* A run without white space that is longer than what is normalised at once: no word is lost or cut but at its comma. */
static void long_runs_keep_their_words(void **state)
{
    (void)state;
    struct takc_buf b;
    takc_buf_init(&b, 1 << 20);
    for (int i = 0; i < 2000; i++)
        assert_int_equal(takc_buf_add(&b,
                                      takc_str("\xEF\xBC\xA1"
                                               "bc\xEF\xBC\x9B"),
                                      NULL),
                         TAKC_OK); /* full-width A and semicolon */
    struct takc_words w;
    struct takc_word word;
    size_t n = 0;
    takc_words_init(&w, takc_buf_str(&b));
    for (; takc_words_next(&w, &word); n++)
        assert_true(takc_str_is(word.norm, "abc"));
    assert_int_equal(n, 2000);
    takc_words_clear(&w);
    takc_buf_clear(&b);
}

/* What stands behind the last odd character of a long run is read in place, whatever was cut before it; and no walk begins anew at a cut.
 */
static void long_runs_are_walked_once(void **state)
{
    (void)state;
    static const char odd[] = "\xEF\xBC\xA1;", even[] = "b;";
    struct takc_buf b;
    struct takc_words w;
    struct takc_word word;
    size_t n = 0;
    takc_buf_init(&b, 16 << 20);
    for (int i = 0; i < 2 * LONG_RUN; i++)
        assert_int_equal(takc_buf_add(&b, takc_str(i < LONG_RUN ? odd : even), NULL), TAKC_OK);
    takc_words_init(&w, takc_buf_str(&b));
    for (; takc_words_next(&w, &word); n++) {
        assert_true(takc_str_is(word.norm, n < LONG_RUN ? "a" : "b"));
        assert_true(n < LONG_RUN + 1024 || word.end - word.start == 1);
    }
    assert_int_equal(n, 2 * LONG_RUN);
    takc_words_clear(&w);
    takc_buf_clear(&b);
}

static void stems_and_stop_words(void **state)
{
    (void)state;
    const char *pairs[][2] = {{"walking", "walk"}, {"allegedly", "alleg"}, {"walked", "walk"}, {"companies", "compan"}, {"boxes", "box"},
                              {"cats", "cat"},     {"quickly", "quick"},   {"red", "red"},     {"sing", "sing"},        {"is", "is"},
                              {"2019", "2019"},    {"bed", "bed"},         {"uses", "use"}};
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        assert_true(takc_str_is(takc_word_stem(takc_str(pairs[i][0])), pairs[i][1]));
    const char *stops[] = {"the", "of", "this", "during", "does", "because", "not", "themselves", "having"};
    for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
        assert_true(takc_word_is_stop(takc_str(stops[i])));
    const char *content[] = {"revenue", "2019", "real", "won", "thing", "theory", ""};
    for (size_t i = 0; i < sizeof(content) / sizeof(content[0]); i++)
        assert_false(takc_word_is_stop(takc_str(content[i])));
    assert_true(takc_stop_words_sorted());
}

static void white_words(void **state)
{
    (void)state;
    assert_int_equal(takc_white_words(takc_str("")), 0);
    assert_int_equal(takc_white_words(takc_str("  one\ttwo\nthree\xC2\xA0"
                                               "four\xE3\x80\x80"
                                               "five  ")),
                     5);
    assert_int_equal(takc_white_words(takc_str("caf\xC3\xA9 \xE2\x80\x94 x")), 3);
    assert_int_equal(takc_white_at(takc_str("\xE2\x80\x94"), 0), 0);
}

static void no_memory_skips_the_piece(void **state)
{
    (void)state;
    takc_fault_arm(TAKC_FAULT_ALLOC, 1, ENOMEM);
    assert_string_equal(words_of("plain \xEF\xAC\x81le words"), "plain words");
    takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ascii_words),
        cmocka_unit_test(numbers_are_canonical),
        cmocka_unit_test(other_scripts),
        cmocka_unit_test(pairs_of_scripts_without_blanks),
        cmocka_unit_test(places_are_those_of_the_text),
        cmocka_unit_test(long_words_are_cut),
        cmocka_unit_test(long_runs_keep_their_words),
        cmocka_unit_test(long_runs_are_walked_once),
        cmocka_unit_test(stems_and_stop_words),
        cmocka_unit_test(white_words),
        cmocka_unit_test(no_memory_skips_the_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
