/* SPDX-License-Identifier: Apache-2.0
 *
 * The cleaner: what goes, what must stay. */
#include "unit/clean.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char *clean(const char *line, enum takc_unit_kind kind, int level)
{
    static char out[1024];
    struct takc_buf b;
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_clean(takc_str(line), kind, level, &b, NULL), TAKC_OK);
    (void)snprintf(out, sizeof(out), "%s", b.ptr ? b.ptr : "");
    takc_buf_clear(&b);
    return out;
}

static const char *prose(const char *line)
{
    return clean(line, TAKC_UNIT_SENTENCE, 1);
}

static void articles(void **state)
{
    (void)state;
    assert_string_equal(prose("The company sold the plant to a buyer."), "company sold plant to buyer.");
    assert_string_equal(prose("They live in The Hague, an hour from A Coruna."), "They live in The Hague, hour from A Coruna.");
    assert_string_equal(prose("Vitamin A is vital; set a to 5; a is 3; point a"), "Vitamin A is vital; set a to 5; a is 3; point a");
    assert_string_equal(prose("A Class shares; A buyer"), "A Class shares; A buyer");
    assert_string_equal(prose("A buyer came."), "buyer came.");
    assert_string_equal(prose("the \"Plan\" and the (new) one, the $5"), "\"Plan\" and (new) one, $5");
    assert_string_equal(prose("a"), "a");
    assert_string_equal(prose("the | the"), "the; the");
}

static void openers_and_fillers(void **state)
{
    (void)state;
    assert_string_equal(prose("However, sales fell."), "sales fell.");
    assert_string_equal(prose("In addition, we sold it."), "we sold it.");
    assert_string_equal(prose("So many left. So, we stay."), "So many left. So, we stay.");
    assert_string_equal(prose("Yeah, um, I uh think, you know, it works."), "I think, it works.");
    assert_string_equal(prose("Do you know why? You know, it is so."), "Do you know why? You know, it is so.");
    assert_string_equal(prose("You know, it is so."), "it is so.");
    assert_string_equal(prose("Ann: Mm - hmm. Uh - huh."), "Ann: Mm - hmm. Uh - huh.");
    assert_string_equal(prose("It is 5 mm wide, um."), "It is 5 mm wide,");
    assert_string_equal(prose("We went um. Then"), "We went. Then");
    assert_string_equal(clean("Okay. We go.", TAKC_UNIT_SENTENCE, 2), "We go.");
    assert_string_equal(prose("Okay. We go."), "Okay. We go.");
    assert_string_equal(prose("No, we did not. Yes, we did."), "No, we did not. Yes, we did.");
    assert_string_equal(prose("Um."), "Um.");
}

static void citations_and_pointers(void **state)
{
    (void)state;
    assert_string_equal(prose("It works [12]. So [3, 4] and [5-7], too."), "It works. So and, too.");
    assert_string_equal(prose("It works ([12]) at x[i] [sic]."), "It works ([12]) at x[i] [sic].");
    assert_string_equal(prose("Set x[0].y and f[3] in [0, 1] by {[1,2]}."), "Set x[0].y and f[3] in [0, 1] by {[1,2]}.");
    assert_string_equal(prose("In [2019] it ended.[3] [4][5], too"), "In [2019] it ended., too");
    assert_string_equal(prose("As in BIBREF12 , BIBREF3, and BIBREF4."), "As in , and.");
    assert_string_equal(prose("They (BIBREF1) did."), "They (BIBREF1) did.");
    assert_string_equal(prose("Sales rose (see the table below) again."), "Sales rose again.");
    assert_string_equal(prose("Sales rose (see Note 5) and (see not this) and (see Smith)."),
                        "Sales rose (see Note 5) and (see not this) and (see Smith).");
    assert_string_equal(prose("It fell (see Figure)."), "It fell.");
}

static void rows_and_code(void **state)
{
    (void)state;
    assert_string_equal(clean("Net sales | 5 | | 7", TAKC_UNIT_ROW, 1), "Net sales; 5;; 7");
    assert_string_equal(clean("The total of the year | a | x", TAKC_UNIT_ROW, 1), "total of year; a; x");
    assert_string_equal(clean("So, | 5", TAKC_UNIT_ROW, 1), "So,; 5");
    assert_string_equal(clean("cat a | grep the [1]", TAKC_UNIT_CODE, 2), "cat a | grep the [1]");
    assert_string_equal(clean("The x | y", TAKC_UNIT_ROW, 0), "The x | y");
}

/* Words of the shown line are an ordered subsequence of the line's; never longer; cleaning twice changes nothing more than once for these.
 */
static void random_lines_lose_only_words(void **state)
{
    (void)state;
    static const char *const bits[] = {"the",  "a",    "an",     "The",   "um,", "you", "know,", "|",  "[1]",       "[2,",
                                       "3]",   "(see", "below)", "not",   "5",   "mm.", "So,",   "In", "addition,", "BIBREF1,",
                                       "Acme", "x.",   "I",      "mean,", "(",   ")",   "a)",    "uh"};
    unsigned x = 7;
    for (int round = 0; round < 3000; round++) {
        char line[512] = "", shown[1024];
        x = x * 1664525u + 1013904223u;
        for (unsigned i = 0, n = 1 + (x >> 28); i < n; i++) {
            x = x * 1664525u + 1013904223u;
            (void)snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s", i ? " " : "",
                           bits[(x >> 16) % (sizeof(bits) / sizeof(bits[0]))]);
        }
        for (int level = 1; level <= 2; level++) {
            (void)snprintf(shown, sizeof(shown), "%s", clean(line, (enum takc_unit_kind)(1 + round % 3), level));
            assert_true(strlen(shown) <= strlen(line));
            const char *at = line;
            for (const char *p = shown; *p; p++) {
                if (*p == ' ' || *p == ';')
                    continue;
                at = strchr(at, *p);
                if (!at)
                    fail_msg("'%s' is not in '%s'", shown, line);
                at++;
            }
            size_t nots = 0, want = 0;
            for (const char *p = line; (p = strstr(p, "not")) != NULL; p++)
                want++;
            for (const char *p = shown; (p = strstr(p, "not")) != NULL; p++)
                nots++;
            assert_int_equal(nots, want);
        }
    }
    assert_true(strlen(takc_clean_rules()) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(articles),      cmocka_unit_test(openers_and_fillers),          cmocka_unit_test(citations_and_pointers),
        cmocka_unit_test(rows_and_code), cmocka_unit_test(random_lines_lose_only_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
