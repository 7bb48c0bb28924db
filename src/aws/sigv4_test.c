/* SPDX-License-Identifier: Apache-2.0
 *
 * Signing, against the cases of tests/data/sigv4 (made by tests/oracle/sigv4.py from botocore; awscrt agrees), and what is refused. */
#include "../../tests/oracle/sigv4_request.h"
#include "base/fault.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct takc_buf read_part(const char *name, const char *part)
{
    char path[512];
    struct takc_buf b;
    (void)snprintf(path, sizeof(path), "%s/sigv4/%s/%s", TAKC_TEST_DATA, name, part);
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_file_read(path, &b, NULL), TAKC_OK);
    return b;
}

static void assert_part(const char *name, const char *part, struct takc_str got)
{
    struct takc_buf want = read_part(name, part);
    if (!takc_str_eq(takc_buf_str(&want), got))
        fail_msg("%s: %s\n--- botocore\n%s\n--- takc\n%.*s", name, part, want.ptr, TAKC_STR_ARG(got));
    takc_buf_clear(&want);
}

static void replay(const char *name)
{
    struct takc_buf text = read_part(name, "request.json"), result;
    struct takc_sigv4 s;
    struct takc_err err = {0};
    json_t *j;
    assert_int_equal(takc_json_parse(takc_buf_str(&text), &j, NULL), TAKC_OK);
    takc_sigv4_init(&s);
    takc_buf_init(&result, 1 << 20);
    if (sigv4_sign_json(j, &s, &result, &err))
        fail_msg("%s: %s", name, err.msg);
    if (!json_object_get(j, "expires")) {
        assert_part(name, "canonical.txt", takc_buf_str(&s.canonical));
        assert_part(name, "to_sign.txt", takc_buf_str(&s.to_sign));
    }
    assert_part(name, "result.txt", takc_buf_str(&result));
    takc_sigv4_clear(&s);
    takc_buf_clear(&result);
    takc_buf_clear(&text);
    json_decref(j);
}

static void cases_replay(void **state)
{
    (void)state;
    size_t n = 0;
    DIR *d = opendir(TAKC_TEST_DATA "/sigv4");
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        if (e->d_name[0] != '.') {
            replay(e->d_name);
            n++;
        }
    (void)closedir(d);
    print_message("%zu cases\n", n);
    assert_true(n >= 70);
}

static const struct takc_aws_keys keys = {{"AKID", 4}, {"shh", 3}, {"", 0}};

static struct takc_sigv4_request request(const char *url)
{
    return (struct takc_sigv4_request){
        .method = "GET", .url = takc_str(url), .service = takc_str("bedrock"), .region = takc_str("us-east-1"), .at_s = 1440938160};
}

static enum takc_status try(const struct takc_sigv4_request *r, const struct takc_aws_keys *k, struct takc_err *err)
{
    struct takc_sigv4 s;
    takc_sigv4_init(&s);
    enum takc_status st = takc_sigv4_sign(r, k, &s, err);
    takc_sigv4_clear(&s);
    return st;
}

static void wrong_input_is_refused(void **state)
{
    (void)state;
    struct takc_err err;
    static const char *const urls[] = {"", "ftp://a/", "https://", "https://a/ b", "https://u@a/", "https://a/?%zz", "https://a/?a=%4"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct takc_sigv4_request r = request(urls[i]);
        assert_int_equal(try(&r, &keys, &err), TAKC_INVALID);
    }
    struct takc_sigv4_request r = request("https://a/");
    assert_int_equal(try(&r, &keys, &err), TAKC_OK);
    r.region = takc_str("");
    assert_int_equal(try(&r, &keys, &err), TAKC_INVALID);
    r = request("https://a/");
    r.service = takc_str("a b");
    assert_int_equal(try(&r, &keys, &err), TAKC_INVALID);
    r = request("https://a/");
    r.at_s = -1;
    assert_int_equal(try(&r, &keys, &err), TAKC_INVALID);
    r = request("https://a/");
    r.body_sha256 = takc_str("abc");
    assert_int_equal(try(&r, &keys, &err), TAKC_INVALID);
    r = request("https://a/");
    struct takc_aws_keys none = {.access = takc_str("AKID")}, broken = {takc_str("AK\nID"), takc_str("s"), takc_str("")},
                         token = {takc_str("AKID"), takc_str("s"), takc_str("qq\r\nzz")};
    assert_int_equal(try(&r, &none, &err), TAKC_INVALID);
    assert_int_equal(try(&r, &broken, &err), TAKC_INVALID);
    assert_int_equal(try(&r, &token, &err), TAKC_INVALID);
    assert_null(strstr(err.msg, "qq"));
}

static void headers_are_checked(void **state)
{
    (void)state;
    struct takc_err err;
    struct takc_http_header bad[] = {{takc_str("A"), takc_str("b\r\nEvil: c")},
                                     {takc_str("A b"), takc_str("c")},
                                     {takc_str(""), takc_str("c")},
                                     {takc_str("A:"), takc_str("c")},
                                     {takc_str("\xC3\xBC"), takc_str("c")}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct takc_sigv4_request r = request("https://a/");
        r.headers = &bad[i];
        r.n_headers = 1;
        assert_int_equal(try(&r, &keys, &err), TAKC_INVALID);
        assert_null(strstr(err.msg, "Evil"));
    }
}

static void presigned_urls_have_limits(void **state)
{
    (void)state;
    struct takc_sigv4_request r = request("https://a/b");
    struct takc_buf out;
    takc_buf_init(&out, 1 << 16);
    assert_int_equal(takc_sigv4_presign(&r, &keys, 0, &out, NULL), TAKC_INVALID);
    assert_int_equal(takc_sigv4_presign(&r, &keys, 604801, &out, NULL), TAKC_INVALID);
    assert_int_equal(out.len, 0);
    assert_int_equal(takc_sigv4_presign(&r, &keys, 604800, &out, NULL), TAKC_OK);
    takc_buf_clear(&out);
}

static void memory_may_be_out(void **state)
{
    (void)state;
    struct takc_sigv4_request r = request("https://a/b/../c?x=1&y=%20");
    struct takc_err err;
    enum takc_status st = TAKC_NOMEM;
    uint64_t n = 1;
    for (; st == TAKC_NOMEM; n++) {
        struct takc_buf out;
        takc_buf_init(&out, 1 << 16);
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        st = try(&r, &keys, &err);
        enum takc_status presigned = takc_sigv4_presign(&r, &keys, 60, &out, NULL);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        assert_true(presigned == TAKC_OK || presigned == TAKC_NOMEM);
        takc_buf_clear(&out);
    }
    assert_int_equal(st, TAKC_OK);
    assert_true(n > 5);
}

static void skew_is_read_from_dates(void **state)
{
    (void)state;
    int64_t now = 1440938160; /* Sun, 30 Aug 2015 12:36:00 GMT */
    assert_int_equal(takc_sigv4_skew_s(takc_str("Sun, 30 Aug 2015 12:36:00 GMT"), now, 0), 0);
    assert_int_equal(takc_sigv4_skew_s(takc_str("Sun, 30 Aug 2015 13:36:00 GMT"), now, 240), 3600);
    assert_int_equal(takc_sigv4_skew_s(takc_str("Sun, 30 Aug 2015 11:36:00 GMT"), now, 240), -3600);
    assert_int_equal(takc_sigv4_skew_s(takc_str("Sun, 30 Aug 2015 12:40:00 GMT"), now, 240), 0);
    assert_int_equal(takc_sigv4_skew_s(takc_str("Sun, 30 Aug 2015 12:40:01 GMT"), now, 240), 241);
    assert_int_equal(takc_sigv4_skew_s(takc_str("yesterday"), now, 240), 0);
    assert_int_equal(takc_sigv4_skew_s(takc_str(""), now, 240), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cases_replay),        cmocka_unit_test(wrong_input_is_refused),
        cmocka_unit_test(headers_are_checked), cmocka_unit_test(presigned_urls_have_limits),
        cmocka_unit_test(memory_may_be_out),   cmocka_unit_test(skew_is_read_from_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
