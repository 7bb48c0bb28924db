/* SPDX-License-Identifier: Apache-2.0
 *
 * What is checked, how it is worded, what is described: null in the place of what may be left out, lists of objects, one value alone. */
#include "schema/fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const struct takc_member pair_members[] = {{"input", REQUIRED, TEXT(NULL, 1, 9)}, {"output", REQUIRED, TEXT(NULL, 1, 9)}};
static const struct takc_schema pair = {.type = TAKC_TYPE_OBJECT, TAKC_MEMBERS(pair_members)};
static const struct takc_member inner_members[] = {{"rate", OPTIONAL, RATE}, {"name", REQUIRED, TEXT(NULL, 1, 9)}};
static const struct takc_schema inner = {.type = TAKC_TYPE_OBJECT, .nulls = true, TAKC_MEMBERS(inner_members)};
static const struct takc_schema text_or_inner = {.type = TAKC_TYPE_TEXT, .or_else = &inner};
static const struct takc_member members[] = {
    {"task", REQUIRED, TASK},
    {"mode", OPTIONAL, {.type = TAKC_TYPE_TEXT, .one_of = "a|b"}},
    {"n", OPTIONAL, WHOLE(NULL, 1, 1)},
    {"pairs", OPTIONAL, {.type = TAKC_TYPE_LIST, .max_len = 8, .items = &pair}},
    {"list", OPTIONAL, {.type = TAKC_TYPE_LIST, .items = &text_or_inner}},
    {"either", OPTIONAL, {.type = TAKC_TYPE_TEXT, .or_else = &inner}},
    {"in", OPTIONAL, {.type = TAKC_TYPE_OBJECT, .nulls = true, TAKC_MEMBERS(inner_members)}},
    {"never", OPTIONAL, {.type = TAKC_TYPE_BOOL, .one_of = "false", .expected = "false (there is none)"}},
};
static const struct takc_schema lenient = {.type = TAKC_TYPE_OBJECT, .nulls = true, TAKC_MEMBERS(members)};
static const struct takc_schema strict = {.type = TAKC_TYPE_OBJECT, TAKC_MEMBERS(members)};

static json_t *json(const char *text)
{
    json_t *v = json_loads(text, 0, NULL);
    assert_non_null(v);
    return v;
}

static void misses(const struct takc_schema *s, const char *text, const char *pointer, const char *expected)
{
    struct takc_schema_miss miss;
    json_t *v = json(text);
    assert_false(takc_schema_check(s, v, &miss));
    assert_string_equal(miss.pointer, pointer);
    assert_string_equal(miss.expected, expected);
    json_decref(v);
}

static void null_is_as_good_as_absent_where_it_is_said(void **state)
{
    static const char text[] = "{\"task\":\"t\",\"mode\":null,\"n\":null,\"pairs\":null,\"either\":null,"
                               "\"list\":[\"x\",{\"name\":\"y\",\"rate\":null}],\"in\":{\"name\":\"z\",\"rate\":null}}";
    struct takc_schema_miss miss;
    json_t *v = json(text), *want = json("{\"task\":\"t\",\"list\":[\"x\",{\"name\":\"y\"}],\"in\":{\"name\":\"z\"}}");
    (void)state;
    assert_true(takc_schema_check(&lenient, v, &miss));
    takc_schema_drop_nulls(&lenient, v);
    assert_true(json_equal(v, want));
    takc_schema_drop_nulls(&lenient, v); /* again: nothing more */
    assert_true(json_equal(v, want));
    json_decref(v);
    json_decref(want);
    misses(&lenient, "{\"task\":null}", "/task", "the name of a task: a-z, 0-9, '.', '_', '-'");
    misses(&lenient, "{\"task\":\"t\",\"in\":{\"name\":null}}", "/in/name", "a text of 1 to 9 characters");
    misses(&strict, "{\"task\":\"t\",\"mode\":null}", "/mode", "one of a, b");
}

static void what_was_expected_is_said(void **state)
{
    (void)state;
    misses(&strict, "{\"task\":\"t\",\"n\":2}", "/n", "1");
    misses(&strict, "{\"task\":\"t\",\"pairs\":\"x\"}", "/pairs", "a list of at most 8 objects {input, output}");
    misses(&strict, "{\"task\":\"t\",\"list\":5}", "/list", "a list");
    misses(&strict, "{\"task\":\"t\",\"none\":5}", "/none", "no such member");
    misses(&strict, "{\"task\":\"t\",\"never\":true}", "/never", "false (there is none)");
}

static void a_bool_may_have_one_value(void **state)
{
    json_t *v = json("{\"task\":\"t\",\"never\":false}"), *components = json_object(), *schema = takc_schema_json(&strict, components);
    json_t *want = json("{\"type\":\"boolean\",\"enum\":[false]}");
    struct takc_schema_miss miss;
    (void)state;
    assert_true(takc_schema_check(&strict, v, &miss));
    assert_true(json_equal(json_object_get(json_object_get(schema, "properties"), "never"), want));
    json_decref(v);
    json_decref(components);
    json_decref(schema);
    json_decref(want);
}

static void null_is_described(void **state)
{
    json_t *components = json_object(), *v = takc_schema_json(&lenient, components), *p = json_object_get(v, "properties");
    json_t *want = json("{\"type\":[\"string\",\"null\"],\"enum\":[\"a\",\"b\",null]}");
    (void)state;
    assert_true(json_equal(json_object_get(p, "mode"), want));
    assert_string_equal(json_string_value(json_object_get(json_object_get(p, "task"), "type")), "string");
    assert_int_equal(json_array_size(json_object_get(json_object_get(p, "either"), "anyOf")), 2);
    json_decref(want);
    json_decref(v);
    json_decref(components);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(null_is_as_good_as_absent_where_it_is_said),
                                       cmocka_unit_test(what_was_expected_is_said), cmocka_unit_test(a_bool_may_have_one_value),
                                       cmocka_unit_test(null_is_described)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
