/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts: what counts as one, and that the same fact has the same key in other dress. */
#include "base/fault.h"
#include "unit/facts.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct counts {
    unsigned n[TAKC_FACT_KINDS];
    uint64_t last[TAKC_FACT_KINDS];
};

static void note(void *arg, enum takc_fact_kind kind, uint64_t key)
{
    struct counts *c = arg;
    c->n[kind]++;
    c->last[kind] = key;
    assert_int_equal(key & 7, kind);
}

static struct counts facts(const char *text)
{
    struct counts c = {0};
    takc_facts_of_text(takc_str(text), note, &c);
    return c;
}

/* Number, date, name, id, negation counts as one text. */
static const char *tally(const char *text)
{
    static char out[64];
    struct counts c = facts(text);
    (void)snprintf(out, sizeof(out), "%u %u %u %u %u", c.n[TAKC_FACT_NUMBER], c.n[TAKC_FACT_DATE], c.n[TAKC_FACT_NAME], c.n[TAKC_FACT_ID],
                   c.n[TAKC_FACT_NEGATION]);
    return out;
}

static bool same(const char *a, const char *b, enum takc_fact_kind kind)
{
    struct counts x = facts(a), y = facts(b);
    return x.n[kind] == 1 && y.n[kind] == 1 && x.last[kind] == y.last[kind];
}

static void numbers(void **state)
{
    (void)state;
    assert_string_equal(tally("it cost $1,234.50 and 7% of 12 kg"), "3 0 0 0 0");
    assert_string_equal(tally("between 5-10 and (3.5)"), "3 0 0 0 0");
    assert_true(same("$1,234.50", "1234.5", TAKC_FACT_NUMBER));
    assert_true(same("007", "7.0", TAKC_FACT_NUMBER));
    assert_true(same("0", "0.00", TAKC_FACT_NUMBER));
    assert_true(same("5kg", "5", TAKC_FACT_NUMBER));
    assert_false(same("12", "13", TAKC_FACT_NUMBER));
    assert_false(same("1.2", "12", TAKC_FACT_NUMBER));
}

static void dates(void **state)
{
    (void)state;
    assert_string_equal(tally("on March 5, 2019 it began"), "0 1 0 0 0");
    assert_true(same("on March 5, 2019", "on 5 March 2019", TAKC_FACT_DATE) || facts("on 5 March 2019").n[TAKC_FACT_DATE] == 1);
    assert_true(same("on March 5, 2019", "on 2019-03-05", TAKC_FACT_DATE));
    assert_true(same("on Mar. 5th, 2019", "on 03/05/2019", TAKC_FACT_DATE));
    assert_true(same("in June 2020", "of Jun 2020", TAKC_FACT_DATE));
    assert_false(same("in June 2020", "in July 2020", TAKC_FACT_DATE));
    assert_string_equal(tally("the year 2019 and $2019 and 2019%"), "2 1 0 0 0");
    assert_string_equal(tally("we may 5 times march"), "1 0 0 0 0");
    assert_string_equal(tally("on 13/45/2019 and 2019-99-99"), "4 2 0 0 0"); /* no dates: numbers and years of their own */
}

static void names(void **state)
{
    (void)state;
    assert_string_equal(tally("we met John Smith and Acme Corp today"), "0 0 2 0 0");
    assert_true(same("we saw Acme Corp.", "for Acme Corp's sake", TAKC_FACT_NAME));
    assert_string_equal(tally("Sales rose. Costs fell."), "0 0 0 0 0");
    assert_string_equal(tally("Best Buy reported. The Company sold it to NASA."), "0 0 3 0 0");
    assert_string_equal(tally("the U.S. and GDP"), "0 0 2 0 0");
    assert_string_equal(tally("Paris, London; Rome"), "0 0 2 0 0"); /* the first word opens the line */
    assert_string_equal(tally("in \xC3\x89vian today"), "0 0 1 0 0");
}

static void ids(void **state)
{
    (void)state;
    assert_string_equal(tally("see CVE-2020-1234 and 10-K at a@b.org"), "0 0 0 3 0");
    assert_string_equal(tally("call max_size in /etc/hosts or https://x.org/a1"), "0 0 0 3 0");
    assert_true(same("the 10-K", "the 10-k.", TAKC_FACT_ID));
}

static void negations(void **state)
{
    (void)state;
    assert_string_equal(tally("we do not agree and never will pay"), "0 0 0 0 2");
    assert_true(same("they don't agree", "it does not agree", TAKC_FACT_NEGATION));
    assert_true(same("they don\xE2\x80\x99t walk", "not walking", TAKC_FACT_NEGATION));
    assert_string_equal(tally("certainly not"), "0 0 0 0 1");
    assert_string_equal(tally("a knot, a note"), "0 0 0 0 0");
}

static void a_unit_has_each_fact_once(void **state)
{
    (void)state;
    struct takc_units u;
    uint16_t n = 0;
    takc_units_init(&u);
    assert_int_equal(takc_facts_add(&u, takc_str("7 and 7.0 and 8 in 2019 and 2019"), &n, NULL), TAKC_OK);
    assert_int_equal(n, 3);
    assert_int_equal(u.n_facts, 3);
    assert_true(u.facts[0] < u.facts[1] && u.facts[1] < u.facts[2]);
    assert_int_equal(takc_facts_add(&u, takc_str("plain words"), &n, NULL), TAKC_OK);
    assert_int_equal(n, 0);
    takc_units_clear(&u);
    takc_fault_arm(TAKC_FAULT_ALLOC, 1, ENOMEM);
    assert_int_equal(takc_facts_add(&u, takc_str("7 and 8"), &n, NULL), TAKC_NOMEM);
    takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
    takc_units_clear(&u);
    assert_int_equal(takc_fact_word(takc_str("margin")) & 7, TAKC_FACT_WORD);
}

static void any_bytes_are_harmless(void **state)
{
    (void)state;
    char text[512];
    unsigned x = 11;
    for (int round = 0; round < 2000; round++) {
        static const char some[] = "07.,-/$%'\"()aZ \t\xC3\xA9\xE2\x80\x99 :@_";
        for (size_t i = 0; i < sizeof(text); i++) {
            x = x * 1664525u + 1013904223u;
            text[i] = some[(x >> 16) % (sizeof(some) - 1)];
        }
        struct counts c = {0};
        takc_facts_of_text(takc_str_n(text, sizeof(text)), note, &c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(dates),
        cmocka_unit_test(names),
        cmocka_unit_test(ids),
        cmocka_unit_test(negations),
        cmocka_unit_test(a_unit_has_each_fact_once),
        cmocka_unit_test(any_bytes_are_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
