/* SPDX-License-Identifier: Apache-2.0
 *
 * Sentences: where lines are cut and where not. */
#include "base/buf.h"
#include "base/fault.h"
#include "unit/sentence.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Sentences joined by " # ". */
static const char *cut(const char *line)
{
    static char out[8192];
    struct takc_sentences s = {0};
    size_t n = 0;
    out[0] = '\0';
    assert_int_equal(takc_sentences_cut(&s, takc_str(line), NULL), TAKC_OK);
    for (size_t i = 0; i < s.n; i++)
        n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%.*s", n ? " # " : "", (int)(s.items[i].end - s.items[i].start),
                              line + s.items[i].start);
    takc_sentences_clear(&s);
    takc_sentences_clear(&s);
    return out;
}

static void stops(void **state)
{
    (void)state;
    assert_string_equal(cut("One. Two! Three? Four; five"), "One. # Two! # Three? # Four; # five");
    assert_string_equal(cut("It cost 3.5 million. 20 more came. (Really) \"So\" they say."),
                        "It cost 3.5 million. # 20 more came. # (Really) \"So\" they say.");
    assert_string_equal(cut("He said \"yes.\" Then left."), "He said \"yes.\" Then left.");
    assert_string_equal(cut("the file a.txt. it is small"), "the file a.txt. it is small");
    assert_string_equal(cut("No stop at all"), "No stop at all");
    assert_string_equal(cut("X"), "X");
    assert_string_equal(cut(""), "");
    assert_string_equal(cut("Done. \xC3\x89t\xC3\xA9 begins. \xE2\x80\x9CQuoted\xE2\x80\x9D"),
                        "Done. # \xC3\x89t\xC3\xA9 begins. # \xE2\x80\x9CQuoted\xE2\x80\x9D");
}

static void abbreviations(void **state)
{
    (void)state;
    assert_string_equal(cut("Mr. Smith of Acme Inc. Ltd. Bought it."), "Mr. Smith of Acme Inc. Ltd. Bought it.");
    assert_string_equal(cut("See Fig. 3 and No. 7, e.g. This one."), "See Fig. 3 and No. 7, e.g. This one.");
    assert_string_equal(cut("The U.S. Government, J. K. Rowling"), "The U.S. Government, J. K. Rowling");
    assert_string_equal(cut("Smith et al. Found it. They left."), "Smith et al. Found it. # They left.");
    assert_string_equal(cut("He ate a fig. Then he left."),
                        "He ate a fig. Then he left."); /* "fig" is taken for figure: the price of the guard */
    assert_string_equal(cut("1. Scope. 2. Terms."), "1. Scope. # 2. # Terms.");
    assert_string_equal(cut("We stop here xfig. Then"), "We stop here xfig. # Then");
}

static void long_sentences(void **state)
{
    (void)state;
    char line[2048] = "";
    for (int i = 1; i <= 200; i++)
        (void)snprintf(line + strlen(line), sizeof(line) - strlen(line), "%sw%d%s", i > 1 ? " " : "", i,
                       i == 50 || i == 55 || i == 30 ? "," : "");
    struct takc_sentences s = {0};
    assert_int_equal(takc_sentences_cut(&s, takc_str(line), NULL), TAKC_OK);
    assert_int_equal(s.n, 3); /* 55 words, then 60 without a comma, then 85 that fit */
    assert_memory_equal(line + s.items[0].end - 4, "w55,", 4);
    assert_memory_equal(line + s.items[1].end - 4, "w115", 4);
    assert_memory_equal(line + s.items[2].end - 4, "w200", 4);
    takc_sentences_clear(&s);
}

static void scripts_without_case(void **state)
{
    (void)state;
    assert_string_equal(cut("\xE6\x88\x91\xE6\x9D\xA5\xE3\x80\x82\xE4\xBD\xA0\xE5\x8E\xBB\xE3\x80\x82"),
                        "\xE6\x88\x91\xE6\x9D\xA5\xE3\x80\x82 # \xE4\xBD\xA0\xE5\x8E\xBB\xE3\x80\x82");
    /* Arabic question mark; Devanagari danda */
    assert_string_equal(cut("\xD9\x85\xD8\xA7 \xD8\xA7\xD8\xB3\xD9\x85\xD9\x83\xD8\x9F \xD8\xA7\xD8\xB3\xD9\x85\xD9\x8A"),
                        "\xD9\x85\xD8\xA7 \xD8\xA7\xD8\xB3\xD9\x85\xD9\x83\xD8\x9F # \xD8\xA7\xD8\xB3\xD9\x85\xD9\x8A");
    assert_string_equal(cut("\xE0\xA4\x95\xE0\xA4\x96\xE0\xA5\xA4 \xE0\xA4\x97"), "\xE0\xA4\x95\xE0\xA4\x96\xE0\xA5\xA4 # \xE0\xA4\x97");
}

static void nothing_is_longer_than_the_limit(void **state)
{
    (void)state;
    struct takc_buf b;
    struct takc_sentences s = {0};
    takc_buf_init(&b, 1 << 20);
    for (int i = 0; i < 50000; i++)
        assert_int_equal(takc_buf_add(&b, takc_str("\xE6\x97\xA5"), NULL), TAKC_OK);
    assert_int_equal(takc_sentences_cut(&s, takc_buf_str(&b), NULL), TAKC_OK);
    size_t end = 0;
    for (size_t i = 0; i < s.n; i++) {
        assert_int_equal(s.items[i].start, end);
        assert_true(s.items[i].end - s.items[i].start <= TAKC_SENTENCE_BYTES);
        end = s.items[i].end;
        assert_int_equal(end % 3, 0);
    }
    assert_int_equal(end, b.len);
    takc_sentences_clear(&s);
    takc_buf_clear(&b);
}

static void no_memory(void **state)
{
    (void)state;
    struct takc_sentences s = {0};
    takc_fault_arm(TAKC_FAULT_ALLOC, 1, ENOMEM);
    assert_int_equal(takc_sentences_cut(&s, takc_str("One. Two."), NULL), TAKC_NOMEM);
    takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
    takc_sentences_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops),
        cmocka_unit_test(abbreviations),
        cmocka_unit_test(long_sentences),
        cmocka_unit_test(scripts_without_case),
        cmocka_unit_test(nothing_is_longer_than_the_limit),
        cmocka_unit_test(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
