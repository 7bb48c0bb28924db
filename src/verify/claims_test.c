/* SPDX-License-Identifier: Apache-2.0 */
#include "verify/claims.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static enum takc_status gather(void *arg, const char *kind, struct takc_str word, struct takc_err *err)
{
    char *all = arg;
    size_t n = strlen(all);
    (void)err;
    (void)snprintf(all + n, 200 - n, "%s %.*s;", kind, TAKC_STR_ARG(word));
    return TAKC_OK;
}

static void numbers_dates_and_names_need_a_span(void **state)
{
    static const struct {
        const char *answer, *quote, *question, *unfounded;
        uint64_t n;
    } rows[] = {
        {"The limit is 9 bar.", "V-17 | Basel | 9 bar", "", "", 1},
        {"The limit is 10 bar in Basel.", "V-17 | Basel | 9 bar", "", "number 10;", 2},
        {"It was inspected on 3 March.", "Inspected on 3 May 2024", "", "date March;", 2},
        {"Siemens built it.", "ACME built it", "", "", 0}, /* a capital that opens a sentence */
        {"It was built by Siemens.", "ACME built it", "", "name Siemens;", 1},
        {"It was built by Siemens.", "ACME built it", "Did Siemens build it?", "", 1},
        {"It grew by 7.", "it grew by 5", "Did it grow by 7?", "number 7;", 1}, /* a question founds no number */
        {"V-19 leaks.", "V-17 leaks", "", "number V-19;", 1},
        {"ACME sold it.", "Siemens sold it", "", "name ACME;", 1}, /* plainly a name, wherever it stands */
        {"1. It is red.\n2. It is 4 m long.\n- 5 are left", "it is red and 4 m long; five are left", "", "number 5;", 2},
        {"No, it does not leak.", "it leaks", "", "", 0}, /* negations are not looked at */
        {"It grew 7%.", "grew by 7 percent", "", "", 1},
        {"It grew 7 percent.", "grew by 7%", "", "", 1},
        {"It grew 7%.", "grew by 7 points", "", "number 7;", 1}, /* with the unit behind it */
        {"", "", "", "", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char unfounded[200] = "";
        struct takc_claims c;
        assert_int_equal(
            takc_claims_check(takc_str(rows[i].answer), takc_str(rows[i].quote), takc_str(rows[i].question), &c, gather, unfounded, NULL),
            TAKC_OK);
        assert_string_equal(unfounded, rows[i].unfounded);
        assert_int_equal(c.n, rows[i].n);
        assert_int_equal(c.n_unfounded, rows[i].unfounded[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_dates_and_names_need_a_span)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
