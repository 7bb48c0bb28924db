/* SPDX-License-Identifier: Apache-2.0
 *
 * Places in S3: how they are kept, what lies below what, which keys can be documents, and what has no server to ask. Copying is proved
 * against one in tests/api/process_s3_test.sh. */
#include "source/s3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void place_is(const char *uri, const char *place)
{
    char out[TAKC_SOURCE_S3_BYTES];
    struct takc_err err = {0};
    if (takc_source_s3_place(takc_str(uri), out, &err))
        fail_msg("%s: %s", uri, err.msg);
    assert_string_equal(out, place);
}

static void places_are_kept_in_one_way(void **state)
{
    (void)state;
    place_is("s3://bucket", "s3://bucket");
    place_is("s3://bucket/", "s3://bucket");
    place_is("s3://bucket/docs//", "s3://bucket/docs");
    place_is("s3://bucket/a b/\xC3\xA9.d", "s3://bucket/a b/\xC3\xA9.d");
    place_is("s3://bucket/...", "s3://bucket/...");
}

static void places_that_climb_are_none(void **state)
{
    (void)state;
    char out[TAKC_SOURCE_S3_BYTES] = "as it was";
    static const char *const bad[] = {"s3://bucket/..",     "s3://bucket/docs/../x", "s3://bucket/./x", "s3://bucket/a//b", "s3://../x",
                                      "s3://bucket/docs/.", "s3://Bucket",           "s3:/bucket/x",    "/bucket/x",        "",
                                      "s3://bucket//x",     "s3://bucket/a\nb"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct takc_err err = {0};
        if (takc_source_s3_place(takc_str(bad[i]), out, &err) != TAKC_INVALID || !err.msg[0])
            fail_msg("'%s' is a place", bad[i]);
    }
    assert_string_equal(out, "as it was");
}

static void the_longest_place_fits(void **state)
{
    (void)state;
    char uri[1200] = "s3://", out[TAKC_SOURCE_S3_BYTES];
    memset(uri + 5, 'b', 63);
    uri[68] = '/';
    memset(uri + 69, 'k', 1024);
    assert_int_equal(takc_source_s3_place(takc_str(uri), out, NULL), TAKC_OK);
    assert_string_equal(out, uri);
    uri[69 + 1024] = 'k';
    assert_int_equal(takc_source_s3_place(takc_str(uri), out, NULL), TAKC_INVALID);
}

static bool below(const char *place, const char *folder)
{
    return takc_source_s3_is_below(takc_str(place), takc_str(folder));
}

static void what_is_below_begins_at_a_slash(void **state)
{
    (void)state;
    assert_true(below("s3://b/docs", "s3://b/docs"));
    assert_true(below("s3://b/docs/q3/x", "s3://b/docs"));
    assert_true(below("s3://b/docs", "s3://b"));
    assert_false(below("s3://b/docs-secret", "s3://b/docs"));
    assert_false(below("s3://b/doc", "s3://b/docs"));
    assert_false(below("s3://b2/docs", "s3://b"));
    assert_false(below("s3://b", "s3://b/docs"));
}

static void fits(struct takc_str rest, enum takc_status st, const char *word)
{
    const char *why = "?";
    if (takc_source_s3_fits(rest, &why) != st || (word ? !why || !strstr(why, word) : why != NULL))
        fail_msg("%.*s: '%s'", TAKC_STR_ARG(rest), why ? why : "");
}

static void keys_are_paths_or_are_told(void **state)
{
    (void)state;
    char long_part[260], longest[1100], deep[300] = "";
    memset(long_part, 'n', 256);
    for (int i = 0; i < 64; i++)
        memcpy(deep + (size_t)2 * (size_t)i, "d/", 3);
    fits(takc_str("a.txt"), TAKC_OK, NULL);
    fits(takc_str("2026/q3/\xC3\xA4 b+c%20&'.txt"), TAKC_OK, NULL);
    fits(takc_str("a\\..\\b"), TAKC_OK, NULL);
    fits(takc_str("..."), TAKC_UNSUPPORTED, "hidden");
    fits(takc_str(".git/config"), TAKC_UNSUPPORTED, "hidden");
    fits(takc_str("a/.x"), TAKC_UNSUPPORTED, "hidden");
    fits(takc_str("../x"), TAKC_REFUSED, "relative path");
    fits(takc_str("a/../../x"), TAKC_REFUSED, "relative path");
    fits(takc_str("a/.."), TAKC_REFUSED, "relative path");
    fits(takc_str("./a"), TAKC_REFUSED, "relative path");
    fits(takc_str("/etc/passwd"), TAKC_REFUSED, "relative path");
    fits(takc_str("a//b"), TAKC_REFUSED, "relative path");
    fits(takc_str("a/"), TAKC_REFUSED, "ends in '/'");
    fits(takc_str(""), TAKC_REFUSED, "ends in '/'");
    fits(takc_str_n("a\0b", 3), TAKC_REFUSED, "control");
    fits(takc_str("a\tb"), TAKC_REFUSED, "control");
    fits(takc_str("a\x7F"), TAKC_REFUSED, "control");
    fits(takc_str("a\xFF.txt"), TAKC_REFUSED, "UTF-8");
    fits(takc_str_n(long_part, 255), TAKC_OK, NULL);
    fits(takc_str_n(long_part, 256), TAKC_REFUSED, "255");
    for (size_t i = 0; i < sizeof(longest); i++)
        longest[i] = i % 200 == 199 ? '/' : 'n';
    fits(takc_str_n(longest, 1024), TAKC_OK, NULL);
    fits(takc_str_n(longest, 1025), TAKC_REFUSED, "1024");
    fits(takc_str_n(deep, 127), TAKC_OK, NULL);
    memcpy(deep + 128, "x", 2);
    fits(takc_str(deep), TAKC_REFUSED, "nested");
}

static void nobody_there_is_no_success(void **state)
{
    (void)state;
    char folder[] = "/tmp/takc-s3-XXXXXX";
    struct takc_source_s3_copied copied = {.n_objects = 7};
    struct takc_err err = {0};
    struct takc_call call;
    const struct takc_source_s3_options o = {.proxy = "", .region = "us-east-1"};
    takc_call_init(&call);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(takc_source_s3_copy(takc_str("s3://bucket/../x"), folder, &o, &call, &copied, &err), TAKC_INVALID);
    atomic_store(&call.cancel, true);
    assert_int_equal(takc_source_s3_copy(takc_str("s3://bucket/x"), folder, &o, &call, &copied, &err), TAKC_CANCELLED);
    assert_int_equal(copied.n_objects, 7);
    assert_int_equal(rmdir(folder), 0); /* nothing was left in it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_are_kept_in_one_way), cmocka_unit_test(places_that_climb_are_none),
        cmocka_unit_test(the_longest_place_fits),     cmocka_unit_test(what_is_below_begins_at_a_slash),
        cmocka_unit_test(keys_are_paths_or_are_told), cmocka_unit_test(nobody_there_is_no_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
