/* SPDX-License-Identifier: Apache-2.0
 *
 * The small things of base: views, buffers, arena, UTF-8, dates, logarithms, files, locks, interning. */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/base64.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/fixed.h"
#include "base/hash.h"
#include "base/intern.h"
#include "base/json.h"
#include "base/utf8.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void globs_match(void **state)
{
    (void)state;
    assert_true(takc_str_glob(takc_str("*.txt"), takc_str("a/b.txt")));
    assert_true(takc_str_glob(takc_str("a?[0-9]*"), takc_str("ab7xx")));
    assert_false(takc_str_glob(takc_str("a?[!0-9]*"), takc_str("ab7xx")));
    assert_false(takc_str_glob(takc_str("q*3.txt"), takc_str("q1.txt")));
    assert_true(takc_str_glob(takc_str(""), takc_str("")));
}

static void numbers_are_checked(void **state)
{
    (void)state;
    uint64_t v = 0;
    struct takc_err err;
    assert_int_equal(takc_str_u64(takc_str("18446744073709551615"), UINT64_MAX, &v, &err), TAKC_OK);
    assert_true(v == UINT64_MAX);
    assert_int_equal(takc_str_u64(takc_str("18446744073709551616"), UINT64_MAX, &v, &err), TAKC_INVALID);
    assert_int_equal(takc_str_u64(takc_str("7"), 5, &v, &err), TAKC_INVALID);
    assert_int_equal(takc_str_u64(takc_str("1x"), 5, &v, &err), TAKC_INVALID);
    assert_int_equal(takc_str_u64(takc_str(""), 5, &v, &err), TAKC_INVALID);
}

static void messages_gain_prefixes(void **state)
{
    (void)state;
    struct takc_err err = {0};
    enum takc_status st = takc_fail(&err, TAKC_BUSY, 503, "put %s", "k");
    st = takc_err_prefix(&err, st, "ingest %s", "a.pdf");
    assert_int_equal(st, TAKC_BUSY);
    assert_string_equal(err.msg, "ingest a.pdf: put k");
    assert_int_equal(takc_fail_errno(&err, ENOSPC, "write %s", "f"), TAKC_FULL);
    assert_int_equal(err.detail, ENOSPC);
}

static void buffers_stop_at_their_limit(void **state)
{
    (void)state;
    struct takc_buf b;
    takc_buf_init(&b, 5);
    assert_int_equal(takc_buf_add(&b, takc_str("hello"), NULL), TAKC_OK);
    assert_int_equal(takc_buf_byte(&b, '!', NULL), TAKC_INVALID);
    assert_string_equal(b.ptr, "hello");
    takc_buf_reset(&b);
    assert_int_equal(takc_buf_varint(&b, UINT32_MAX, NULL), TAKC_OK);
    size_t pos = 0;
    uint64_t v;
    assert_true(takc_varint(takc_buf_str(&b), &pos, &v));
    assert_true(v == UINT32_MAX && pos == 5);
    takc_buf_clear(&b);
    takc_buf_clear(&b);
}

static void utf8_is_strict(void **state)
{
    (void)state;
    size_t at = 99;
    assert_true(takc_utf8_valid(takc_str("J\xC3\xA9r\xC3\xB4me \xE2\x82\xAC \xF0\x9F\x99\x82 plain text"), NULL));
    assert_false(takc_utf8_valid(takc_str("ab\xC0\xAF"), &at));
    assert_int_equal(at, 2);
    assert_false(takc_utf8_valid(takc_str("\xED\xA0\x80"), NULL));
    assert_false(takc_utf8_valid(takc_str("\xE2\x82"), NULL));
    struct takc_buf b;
    size_t n;
    takc_buf_init(&b, 100);
    assert_int_equal(takc_utf8_repair(&b,
                                      takc_str("a\xFF"
                                               "b"),
                                      &n, NULL),
                     TAKC_OK);
    assert_string_equal(b.ptr, "a\xEF\xBF\xBD"
                               "b");
    assert_int_equal(n, 1);
    takc_buf_clear(&b);
}

static void dates_round_trip(void **state)
{
    (void)state;
    int32_t d;
    char text[11], t[21];
    assert_int_equal(takc_date_parse("2024-02-29T10:00:00Z", 20, &d, NULL), TAKC_OK);
    takc_date_text(d, text);
    assert_string_equal(text, "2024-02-29");
    assert_int_equal(takc_date_parse("2023-02-29", 10, &d, NULL), TAKC_INVALID);
    assert_int_equal(takc_date_parse("1969-12-31", 10, &d, NULL), TAKC_OK);
    assert_int_equal(d, -1);
    takc_time_text(951827696, t);
    assert_string_equal(t, "2000-02-29T12:34:56Z");
}

static void logarithms_are_close(void **state)
{
    (void)state;
    for (uint64_t v = 1; v < (uint64_t)1 << 60; v = v * 5 / 3 + 1) {
        double got = (double)takc_fx_ln(v) / (double)TAKC_FX_ONE;
        assert_true(fabs(got - log((double)v)) < 3e-7);
    }
    assert_true(takc_isqrt((unsigned __int128)1 << 126) == (uint64_t)1 << 63);
    assert_true(takc_isqrt(99) == 9);
}

static void interning_is_dense(void **state)
{
    (void)state;
    struct takc_intern t;
    takc_intern_init(&t);
    char word[16];
    uint32_t id;
    for (uint32_t i = 0; i < 5000; i++) {
        (void)snprintf(word, sizeof(word), "w%u", i);
        assert_int_equal(takc_intern_add(&t, takc_str(word), &id, NULL), TAKC_OK);
        assert_int_equal(id, i);
    }
    assert_int_equal(takc_intern_find(&t, takc_str("w4321")), 4321);
    assert_int_equal(takc_intern_find(&t, takc_str("nope")), TAKC_INTERN_NONE);
    assert_true(takc_str_is(takc_intern_get(&t, 17), "w17"));
    assert_int_equal(takc_intern_reserve(&t, 100000, 600000, NULL), TAKC_OK); /* numbers and strings stay */
    assert_int_equal(takc_intern_find(&t, takc_str("w4321")), 4321);
    size_t slots = t.n_slots;
    assert_int_equal(takc_intern_reserve(&t, 10, 10, NULL), TAKC_OK);
    assert_int_equal(t.n_slots, slots);
    assert_int_equal(takc_intern_reserve(&t, SIZE_MAX / 2, 1, NULL), TAKC_NOMEM);
    assert_int_equal(takc_intern_find(&t, takc_str("w17")), 17);
    takc_intern_reset(&t);
    assert_int_equal(takc_intern_find(&t, takc_str("w1")), TAKC_INTERN_NONE);
    takc_intern_clear(&t);
}

static void files_are_whole_or_old(void **state)
{
    (void)state;
    char dir[] = "/tmp/takc-base-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/a/b/f", dir);
    assert_int_equal(takc_dir_make_for(path, NULL), TAKC_OK);
    assert_int_equal(takc_file_write(path, takc_str("old"), NULL), TAKC_OK);
    static const enum takc_fault_kind kinds[] = {TAKC_FAULT_WRITE, TAKC_FAULT_RENAME};
    for (size_t k = 0; k < 2; k++) {
        takc_fault_arm(kinds[k], 1, ENOSPC);
        assert_int_equal(takc_file_write(path, takc_str("new"), NULL), TAKC_FULL);
        takc_fault_arm(kinds[k], 0, 0);
        struct takc_buf b;
        takc_buf_init(&b, 100);
        assert_int_equal(takc_file_read(path, &b, NULL), TAKC_OK);
        assert_string_equal(b.ptr, "old");
        takc_buf_clear(&b);
    }
    struct takc_lock one, two;
    (void)snprintf(path, sizeof(path), "%s/lock", dir);
    assert_int_equal(takc_lock_open(&one, path, true, 0, NULL), TAKC_OK);
    assert_int_equal(takc_lock_open(&two, path, true, 20, NULL), TAKC_BUSY);
    takc_lock_close(&one);
    assert_int_equal(takc_lock_open(&two, path, false, 0, NULL), TAKC_OK);
    takc_lock_close(&two);
    (void)snprintf(path, sizeof(path), "rm -rf %s", dir);
    assert_int_equal(system(path), 0);
}

/* Each allocation of a text fails once: it is whole, or there is no memory; never a part, never the fault of the text. */
static void json_without_memory(void **state)
{
    struct takc_err err;
    (void)state;
    for (size_t len = 1; len < 140; len++) {
        char text[400], value[150];
        memset(value, 'x', len);
        value[len] = '\0';
        (void)snprintf(text, sizeof(text), "{\"a\":\"%s\",\"\\u00e9%s\":[1.5e10]}", value, value);
        enum takc_status st = TAKC_NOMEM;
        for (uint64_t nth = 1; st == TAKC_NOMEM && nth < 100; nth++) {
            json_t *v = NULL;
            takc_fault_arm(TAKC_FAULT_JSON, nth, ENOMEM);
            st = takc_json_parse(takc_str(text), &v, &err);
            takc_fault_arm(TAKC_FAULT_JSON, 0, 0);
            assert_true(st == TAKC_OK || st == TAKC_NOMEM);
            assert_true(st || takc_str_is(takc_json_get_str(v, "a"), value));
            json_decref(v);
        }
        assert_int_equal(st, TAKC_OK);
    }
}

static void json_is_strict(void **state)
{
    (void)state;
    json_t *v;
    struct takc_err err;
    assert_int_equal(takc_json_parse(takc_str("{\"a\":1,\"a\":2}"), &v, &err), TAKC_INVALID);
    assert_int_equal(takc_json_parse(takc_str("[1] x"), &v, &err), TAKC_INVALID);
    assert_int_equal(takc_json_parse(takc_str("{\"a\":\"b\",\"n\":3}"), &v, &err), TAKC_OK);
    uint64_t n;
    assert_int_equal(takc_json_get_u64(v, "n", &n, &err), TAKC_OK);
    assert_true(n == 3 && takc_str_is(takc_json_get_str(v, "a"), "b"));
    json_decref(v);
}

/* All of them, or none and out as it was. */
static void floats_are_numbers(void **state)
{
    (void)state;
    static const char *const bad[] = {"[1,2]",    "[1,2,3,4]", "[1,2,null]", "[1,\"2\",3]", "[true,2,3]",  "[1,[2],3]",
                                      "[1,2,{}]", "[]",        "{}",         "\"1 2 3\"",   "[1e300,2,3]", "[1,-1e39,3]"};
    struct takc_err err = {0};
    float out[3] = {7, 7, 7};
    json_t *v;
    assert_int_equal(takc_json_parse(takc_str("[1,-2.5,1e-3]"), &v, &err), TAKC_OK);
    assert_int_equal(takc_json_get_floats(v, out, 3, &err), TAKC_OK);
    assert_true(out[0] == 1 && out[1] == -2.5F && out[2] == 1e-3F);
    json_decref(v);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        out[0] = out[1] = out[2] = 7;
        assert_int_equal(takc_json_parse(takc_str(bad[i]), &v, &err), TAKC_OK);
        assert_int_equal(takc_json_get_floats(v, out, 3, &err), TAKC_INVALID);
        assert_true(out[0] == 7 && out[1] == 7 && out[2] == 7);
        json_decref(v);
    }
    assert_int_equal(takc_json_get_floats(NULL, out, 3, &err), TAKC_INVALID);
    assert_int_equal(takc_json_parse(takc_str("[1,2,null]"), &v, &err), TAKC_OK);
    assert_int_equal(takc_json_get_floats(v, out, 3, &err), TAKC_INVALID);
    assert_non_null(strstr(err.msg, "number 2 is none"));
    json_decref(v);
}

/* Whatever has no room, also in the middle of a key, what is said to be written is whole. */
static void json_is_whole_or_not_there(void **state)
{
    (void)state;
    struct takc_err err;
    struct takc_buf out;
    json_t *v = json_object(), *back;
    assert_non_null(v);
    for (int i = 0; i < 40; i++) {
        char key[64];
        (void)snprintf(key, sizeof(key), "a key of some length \"%d\"", i);
        assert_int_equal(json_object_set_new(v, key, json_integer(i)), 0);
    }
    for (size_t max = 0; max < 1600; max++) {
        takc_buf_init(&out, max);
        enum takc_status st = takc_json_dump(v, false, &out, &err);
        if (!st) {
            assert_int_equal(takc_json_parse(takc_buf_str(&out), &back, &err), TAKC_OK);
            assert_true(json_equal(v, back));
            json_decref(back);
        }
        assert_true(!st || st == TAKC_INVALID);
        takc_buf_clear(&out);
    }
    takc_buf_init(&out, 1600);
    assert_int_equal(takc_json_dump(v, false, &out, &err), TAKC_OK);
    takc_buf_clear(&out);
    json_decref(v);
}

static void hashes_are_known(void **state)
{
    (void)state;
    struct takc_hex h;
    assert_int_equal(takc_sha256(takc_str("abc"), &h, NULL), TAKC_OK);
    assert_string_equal(h.s, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_true(takc_hash64(takc_str("abc"), 0) != takc_hash64(takc_str("abd"), 0));
}

static void hex_digits_are_all_there(void **state)
{
    (void)state;
    static const char small[] = "0123456789abcdef", large[] = "0123456789ABCDEF";
    int n = 0;
    for (int c = -128; c < 128; c++)
        n += takc_hex_digit((char)c) >= 0;
    assert_int_equal(n, 22);
    for (int i = 0; i < 16; i++) {
        assert_int_equal(takc_hex_digit(small[i]), i);
        assert_int_equal(takc_hex_digit(large[i]), i);
    }
}

typedef enum takc_status base64_fn(struct takc_buf *out, struct takc_str text, struct takc_err *err);

/* Behind "x:", so that a failure that touches what was there shows. */
static void decodes(base64_fn *decode, const char *text, const char *expected)
{
    struct takc_buf b;
    takc_buf_init(&b, 64);
    assert_int_equal(takc_buf_add(&b, takc_str("x:"), NULL), TAKC_OK);
    assert_int_equal(decode(&b, takc_str(text), NULL), expected ? TAKC_OK : TAKC_INVALID);
    assert_string_equal(b.ptr + 2, expected ? expected : "");
    assert_int_equal(b.len, 2 + (expected ? strlen(expected) : 0));
    takc_buf_clear(&b);
}

static void base64_has_one_spelling(void **state)
{
    (void)state;
    static const char *const plain[][2] = {
        {"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"}, {"Zm9v", "foo"}, {"Zm9vYg==", "foob"}, {"Zm9vYmFy", "foobar"}, {"++//", "\xfb\xef\xff"}};
    static const char *const url[][2] = {{"", ""}, {"Zg", "f"}, {"Zm8", "fo"}, {"Zm9v", "foo"}, {"--__", "\xfb\xef\xff"}};
    static const char *const not_plain[] = {
        "Zg", "Zg=", "Zg===", "====", "=", "Z===", "Zh==", "Zm9=", "Z=g=", "Zg==Zg==", " Zm8=", "Zm8=\n", "--__", "Zm9v\n"};
    static const char *const not_url[] = {"Z", "Zg==", "Zh", "Zm9", "++//", "Zm9v ", "Zm9vZ", "\xc3\xa4"};
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        decodes(takc_base64_decode, plain[i][0], plain[i][1]);
    for (size_t i = 0; i < sizeof(url) / sizeof(url[0]); i++)
        decodes(takc_base64url_decode, url[i][0], url[i][1]);
    for (size_t i = 0; i < sizeof(not_plain) / sizeof(not_plain[0]); i++)
        decodes(takc_base64_decode, not_plain[i], NULL);
    for (size_t i = 0; i < sizeof(not_url) / sizeof(not_url[0]); i++)
        decodes(takc_base64url_decode, not_url[i], NULL);
}

static void base64_keeps_to_the_limit_of_its_buffer(void **state)
{
    (void)state;
    struct takc_buf b;
    takc_buf_init(&b, 4);
    assert_int_equal(takc_base64_decode(&b, takc_str("Zm9vYg=="), NULL), TAKC_OK);
    assert_int_equal(b.len, 4);
    assert_int_equal(takc_base64url_decode(&b, takc_str("Zg"), NULL), TAKC_INVALID);
    assert_string_equal(b.ptr, "foob");
    takc_buf_clear(&b);
    takc_fault_arm(TAKC_FAULT_ALLOC, 1, ENOMEM);
    assert_int_equal(takc_base64_decode(&b, takc_str("Zg=="), NULL), TAKC_NOMEM);
    takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
}

static void times_are_json(void **state)
{
    (void)state;
    json_t *at = takc_json_time(951827696), *never = takc_json_time(0);
    assert_string_equal(json_string_value(at), "2000-02-29T12:34:56Z");
    assert_true(json_is_null(never));
    json_decref(at);
    json_decref(never);
}

/* Large blocks are used again, zeroed, by arenas of that block size alone. */
static void large_blocks_are_kept(void **state)
{
    (void)state;
    struct takc_arena a, small;
    takc_arena_init(&a);
    takc_arena_init(&small);
    a.block_bytes = TAKC_ARENA_LARGE;
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 12; i++) {
            unsigned char *p = takc_arena_alloc(&a, TAKC_ARENA_LARGE / 8);
            assert_non_null(p);
            for (size_t k = 0; k < TAKC_ARENA_LARGE / 8; k++)
                assert_int_equal(p[k], 0);
            memset(p, 0xA5, TAKC_ARENA_LARGE / 8);
        }
        assert_non_null(takc_arena_alloc(&a, TAKC_ARENA_LARGE * 2)); /* a block of its own */
        assert_non_null(takc_arena_alloc(&small, 10));
        takc_arena_clear(&a);
        takc_arena_clear(&small);
        assert_int_equal(a.block_bytes, TAKC_ARENA_LARGE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(large_blocks_are_kept),
        cmocka_unit_test(globs_match),
        cmocka_unit_test(numbers_are_checked),
        cmocka_unit_test(messages_gain_prefixes),
        cmocka_unit_test(buffers_stop_at_their_limit),
        cmocka_unit_test(utf8_is_strict),
        cmocka_unit_test(dates_round_trip),
        cmocka_unit_test(logarithms_are_close),
        cmocka_unit_test(interning_is_dense),
        cmocka_unit_test(files_are_whole_or_old),
        cmocka_unit_test(json_is_strict),
        cmocka_unit_test(json_without_memory),
        cmocka_unit_test(floats_are_numbers),
        cmocka_unit_test(json_is_whole_or_not_there),
        cmocka_unit_test(hashes_are_known),
        cmocka_unit_test(hex_digits_are_all_there),
        cmocka_unit_test(base64_has_one_spelling),
        cmocka_unit_test(base64_keeps_to_the_limit_of_its_buffer),
        cmocka_unit_test(times_are_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
