/* SPDX-License-Identifier: Apache-2.0
 *
 * Nearest names, and YAML as items with places. */
#include "base/nearest.h"
#include "base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void distances_count_edits(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        uint32_t distance;
    } rows[] = {{"", "", 0},        {"", "abc", 3},           {"abc", "abc", 0}, {"abc", "ABC", 0},       {"abc", "acb", 1},
                {"rate", "rat", 1}, {"kitten", "sitting", 3}, {"ca", "abc", 3},  {"ingest", "ignest", 1}, {"query", "querry", 1}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(takc_edit_distance(takc_str(rows[i].a), takc_str(rows[i].b)), rows[i].distance);
        assert_int_equal(takc_edit_distance(takc_str(rows[i].b), takc_str(rows[i].a)), rows[i].distance);
    }
    char long_name[70];
    memset(long_name, 'a', sizeof(long_name));
    assert_int_equal(takc_edit_distance(takc_str_n(long_name, 64), takc_str_n(long_name, 64)), 0);
    assert_true(takc_edit_distance(takc_str_n(long_name, 65), takc_str("a")) == UINT32_MAX);
}

static void the_nearest_is_near(void **state)
{
    (void)state;
    struct takc_nearest near = {0};
    char text[TAKC_NEAREST_MAX + 24];
    takc_nearest_offer(&near, takc_str("chunkin"), "description");
    takc_nearest_text(&near, text);
    assert_string_equal(text, "");
    takc_nearest_offer(&near, takc_str("chunkin"), "chunks");
    takc_nearest_offer(&near, takc_str("chunkin"), "chunking");
    takc_nearest_offer(&near, takc_str("chunkin"), "chunkins"); /* as near: the first stays */
    takc_nearest_text(&near, text);
    assert_string_equal(text, "; did you mean 'chunking'?");
    near = (struct takc_nearest){0};
    takc_nearest_offer(&near, takc_str("zz"), "off"); /* short names: one edit */
    assert_null(near.name);
}

/* The items of a text as one line: kinds as letters, scalars in <>, places behind. */
static void items_are(const char *yaml, const char *want)
{
    struct takc_yaml y;
    struct takc_yaml_item it;
    struct takc_buf got;
    struct takc_err err = {0};
    takc_buf_init(&got, 4096);
    enum takc_status st = takc_yaml_open(&y, takc_str(yaml), "f", &err);
    while (!st && !(st = takc_yaml_next(&y, &it, &err)) && it.kind != TAKC_YAML_END) {
        static const char letters[] = "?s{}[]";
        char kind = it.kind == TAKC_YAML_SCALAR && !it.plain ? 'q' : letters[it.kind];
        assert_int_equal(takc_buf_printf(&got, NULL, "%c%.*s@%u:%u ", kind, TAKC_STR_ARG(it.text), it.line, it.column), TAKC_OK);
    }
    if (st)
        assert_int_equal(takc_buf_printf(&got, NULL, "%s", err.msg), TAKC_OK);
    assert_string_equal(takc_buf_str(&got).ptr, want);
    takc_yaml_close(&y);
    takc_yaml_close(&y);
    takc_buf_clear(&got);
}

static void items_know_their_places(void **state)
{
    (void)state;
    items_are("", "");
    items_are("a: 1\nb:\n  - 'x y'\n  - {c: }\n", "{@1:1 sa@1:1 s1@1:4 sb@2:1 [@3:3 qx y@3:5 {@4:5 sc@4:6 s@4:9 }@4:9 ]@5:1 }@5:1 ");
    items_are("\xEF\xBB\xBFx", "sx@1:1 ");
    items_are("\xC3\xA4: \xC3\xB6", "{@1:1 s\xC3\xA4@1:1 s\xC3\xB6@1:4 }@2:1 "); /* columns are characters */
    items_are("a: [", "{@1:1 sa@1:1 [@1:4 f:2:1: while parsing a flow node: did not find expected node content");
    items_are("a\n\xC3\xA4 \xFF", "f:2:3: invalid leading UTF-8 octet");
    items_are("a: b: c", "{@1:1 sa@1:1 sb@1:4 f:1:5: mapping values are not allowed in this context");
    items_are("&x a", "f:1:1: anchors are not taken here");
    items_are("[*x]", "[@1:1 f:1:2: aliases are not taken here");
    items_are("!t a", "f:1:1: tags are not taken here");
    items_are("a\n---\nb", "sa@1:1 f:2:1: a second document in one file");
    items_are("[[[[[[[[[[[[[[[[[", "[@1:1 [@1:2 [@1:3 [@1:4 [@1:5 [@1:6 [@1:7 [@1:8 [@1:9 [@1:10 [@1:11 [@1:12 [@1:13 [@1:14 [@1:15 "
                                   "[@1:16 f:1:17: nested more than 16 deep");
}

static void a_file_has_a_limit(void **state)
{
    (void)state;
    struct takc_yaml y;
    struct takc_err err = {0};
    size_t n = TAKC_YAML_MAX_BYTES + 1;
    char *big = calloc(n, 1);
    assert_non_null(big);
    memset(big, ' ', n);
    assert_int_equal(takc_yaml_open(&y, takc_str_n(big, n), "f", &err), TAKC_INVALID);
    assert_string_equal(err.msg, "f:1:1: larger than 1048576 bytes");
    takc_yaml_close(&y);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distances_count_edits),
        cmocka_unit_test(the_nearest_is_near),
        cmocka_unit_test(items_know_their_places),
        cmocka_unit_test(a_file_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
