/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands in messages become requests; all else stays as it is, and fits the room. */
#include "http/hints.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void commands_become_requests(void **state)
{
    static const char *const rows[][2] = {
        {"there is no task a.b-c: takc init -t a.b-c makes it", "there is no task a.b-c: PUT /tasks/a.b-c makes it"},
        {"task fin has no documents; run: takc ingest -t fin FOLDER", "task fin has no documents: POST /process takes them in"},
        {"task fin has no compressed version; run: takc compress -t fin", "task fin has no compressed version: POST /compress makes one"},
        {"task fin has no version '9'; takc cache list -t fin shows them", "task fin has no version '9': GET /cache/fin shows them"},
        {"version 3 has no rate 7x; takc cache list -t fin shows what there is",
         "version 3 has no rate 7x: GET /cache/fin shows what there is"},
        {"task fin has no current version; run: takc cache -t fin list, and roll back to one of these",
         "task fin has no current version: POST /cache/fin/rollback makes a kept one current"},
    };
    char out[TAKC_TOLD_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        takc_hint_over_http(takc_str(rows[i][0]), out);
        assert_string_equal(out, rows[i][1]);
    }
}

static void all_else_stays(void **state)
{
    static const char *const rows[] = {"", "the question is empty", "there is no task : takc init -t  makes it",
                                       "there is no task x: takc init -t x makes it, or not"};
    char out[TAKC_TOLD_BYTES];
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        takc_hint_over_http(takc_str(rows[i]), out);
        assert_string_equal(out, rows[i]);
    }
}

static void long_texts_are_cut_at_a_character(void **state)
{
    char text[2 * TAKC_TOLD_BYTES + 1] = "", out[TAKC_TOLD_BYTES];
    (void)state;
    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa9", 3);
    takc_hint_over_http(takc_str(text), out);
    assert_int_equal(strlen(out), (TAKC_TOLD_BYTES - 1) / 2 * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(commands_become_requests), cmocka_unit_test(all_else_stays),
                                       cmocka_unit_test(long_texts_are_cut_at_a_character)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
