/* SPDX-License-Identifier: Apache-2.0
 *
 * A ledger entry goes to JSON and back; a member that is missing is damage. */
#include "pipeline/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct takc_ledger_entry entry = {.rate = "high",
                                               .factor_asked = 32,
                                               .factor_words = 31.26,
                                               .factor_bytes = 33.04,
                                               .factor_tokens = 32.01,
                                               .source_tokens = 64000,
                                               .budget_tokens = 2000,
                                               .artifact_tokens = 1999,
                                               .segments = 88,
                                               .facts_source = {120, 4},
                                               .facts_kept = {60, 4}};

static void entries_come_back(void **state)
{
    (void)state;
    struct takc_buf json;
    struct takc_ledger_entry back;
    takc_buf_init(&json, TAKC_BUF_MAX_REPLY);
    assert_int_equal(takc_ledger_write(&entry, &json, NULL), TAKC_OK);
    assert_int_equal(takc_ledger_parse(takc_buf_str(&json), &back, NULL), TAKC_OK);
    assert_string_equal(back.rate, "high");
    assert_true(back.factor_words == 31.26 && back.factor_tokens == 32.01 && back.artifact_tokens == 1999 && back.segments == 88);
    assert_true(back.facts_source[0] == 120 && back.facts_kept[0] == 60 && back.facts_kept[1] == 4 && !back.shortfall);
    takc_buf_clear(&json);
}

static void what_a_model_did_comes_back(void **state)
{
    (void)state;
    struct takc_buf json;
    struct takc_ledger_entry e = entry, back;
    e.generated = (struct takc_ledger_generated){.used = true,
                                                 .model = "fake:obedient",
                                                 .windows = 7,
                                                 .calls = 5,
                                                 .reused = 2,
                                                 .lines_kept = 40,
                                                 .lines_extract = 9,
                                                 .windows_withheld = 1,
                                                 .output_tokens = 1234,
                                                 .picodollars = 123456789,
                                                 .fallback = true};
    takc_buf_init(&json, TAKC_BUF_MAX_REPLY);
    assert_int_equal(takc_ledger_write(&e, &json, NULL), TAKC_OK);
    assert_int_equal(takc_ledger_parse(takc_buf_str(&json), &back, NULL), TAKC_OK);
    assert_memory_equal(&back.generated, &e.generated, sizeof(e.generated));
    json_t *v = takc_ledger_json(&e);
    assert_int_equal(json_object_del(json_object_get(v, "generated"), "calls"), 0);
    takc_buf_reset(&json);
    assert_int_equal(takc_json_dump(v, false, &json, NULL), TAKC_OK);
    assert_int_equal(takc_ledger_parse(takc_buf_str(&json), &back, NULL), TAKC_CORRUPT);
    json_decref(v);
    takc_buf_clear(&json);
    v = takc_ledger_json(&entry); /* extracts alone say nothing of it */
    assert_null(json_object_get(v, "generated"));
    assert_null(json_object_get(v, "cost_usd"));
    json_decref(v);
}

static void missing_members_are_damage(void **state)
{
    (void)state;
    static const char *const members[] = {"rate", "factor_asked", "source_tokens", "artifact_tokens", "segments", "facts", "ms"};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        struct takc_buf json;
        struct takc_ledger_entry back;
        json_t *v = takc_ledger_json(&entry);
        takc_buf_init(&json, TAKC_BUF_MAX_REPLY);
        assert_int_equal(json_object_del(v, members[i]), 0);
        assert_int_equal(takc_json_dump(v, false, &json, NULL), TAKC_OK);
        assert_int_equal(takc_ledger_parse(takc_buf_str(&json), &back, NULL), TAKC_CORRUPT);
        json_decref(v);
        takc_buf_clear(&json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(entries_come_back), cmocka_unit_test(what_a_model_did_comes_back),
                                       cmocka_unit_test(missing_members_are_damage)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
