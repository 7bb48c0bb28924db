/* SPDX-License-Identifier: Apache-2.0
 *
 * S3: names of objects, pages of listings. Requests are proved against a server in tests/oracle/batch_test.sh. */
#include "aws/s3.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void name_is(const char *uri, const char *bucket, const char *key)
{
    struct takc_s3_name n;
    struct takc_err err = {0};
    if (takc_s3_parse(takc_str(uri), &n, &err))
        fail_msg("%s: %s", uri, err.msg);
    if (!takc_str_is(n.bucket, bucket) || !takc_str_is(n.key, key))
        fail_msg("%s is %.*s, %.*s", uri, TAKC_STR_ARG(n.bucket), TAKC_STR_ARG(n.key));
}

static void uris_come_apart(void **state)
{
    (void)state;
    name_is("s3://bucket", "bucket", "");
    name_is("s3://bucket/", "bucket", "");
    name_is("s3://my.bucket-1/a/b", "my.bucket-1", "a/b");
    name_is("s3://abc/a b/\xC3\xA9//", "abc", "a b/\xC3\xA9");
}

static void refused(struct takc_str uri, const char *why)
{
    struct takc_s3_name n = {takc_str("x"), takc_str("y")};
    struct takc_err err = {0};
    assert_int_equal(takc_s3_parse(uri, &n, &err), TAKC_INVALID);
    if (!strstr(err.msg, why))
        fail_msg("'%s' does not say '%s'", err.msg, why);
    assert_true(takc_str_is(n.bucket, "x") && takc_str_is(n.key, "y")); /* untouched */
}

static void doubtful_uris_are_refused(void **state)
{
    (void)state;
    char longest[1100] = "s3://abc/";
    static const char *const buckets[] = {"s3://",     "s3:///x",   "s3://ab",   "s3://Bucket/x", "s3://a_b_c",
                                          "s3://-abc", "s3://abc.", "s3://a..b", "s3://a b c/x",  "s3://abc?x"};
    refused(takc_str(""), "s3://BUCKET/FOLDER is expected");
    refused(takc_str("https://bucket/x"), "s3://BUCKET/FOLDER is expected");
    refused(takc_str("S3://bucket/x"), "s3://BUCKET/FOLDER is expected");
    for (size_t i = 0; i < sizeof(buckets) / sizeof(buckets[0]); i++)
        refused(takc_str(buckets[i]), "its bucket is no name of one");
    refused(takc_str("s3://abc//x"), "is no key");
    refused(takc_str("s3://abc/x\ny"), "is no key");
    refused(takc_str_n("s3://abc/x\0y", 12), "is no key");
    memset(longest + 9, 'k', sizeof(longest) - 10);
    refused(takc_str(longest), "is no key");
}

static void url_is(const char *const *environment, const char *uri, const char *url)
{
    struct takc_aws *a = NULL;
    struct takc_s3_name n;
    struct takc_buf out;
    struct takc_err err = {0};
    const struct takc_aws_options o = {.environment = environment, .home = "/nonexistent"};
    takc_buf_init(&out, 4096);
    assert_int_equal(takc_s3_parse(takc_str(uri), &n, NULL), TAKC_OK);
    assert_int_equal(takc_aws_open(&a, &o, NULL), TAKC_OK);
    if (takc_s3_url(a, NULL, n, &out, &err))
        fail_msg("%s: %s", uri, err.msg);
    assert_string_equal(out.ptr, url);
    takc_buf_clear(&out);
    takc_aws_close(a);
}

static void objects_have_their_place(void **state)
{
    (void)state;
    static const char *const aws[] = {"AWS_REGION=eu-west-1", NULL}, *const china[] = {"AWS_REGION=cn-north-1", NULL},
                             *const own[] = {"AWS_REGION=eu-west-1", "AWS_ENDPOINT_URL_S3=http://127.0.0.1:9000/",
                                             "AWS_ENDPOINT_URL=http://127.0.0.1:1", NULL},
                             *const all[] = {"AWS_REGION=eu-west-1", "AWS_ENDPOINT_URL=https://s3.example", NULL};
    url_is(aws, "s3://bucket/a/b c+\xC3\xA9", "https://bucket.s3.eu-west-1.amazonaws.com/a/b%20c%2B%C3%A9");
    url_is(aws, "s3://my.bucket/a", "https://s3.eu-west-1.amazonaws.com/my.bucket/a");
    url_is(aws, "s3://bucket", "https://bucket.s3.eu-west-1.amazonaws.com/");
    url_is(china, "s3://bucket/a", "https://bucket.s3.cn-north-1.amazonaws.com.cn/a");
    url_is(own, "s3://bucket/a", "http://127.0.0.1:9000/bucket/a");
    url_is(all, "s3://bucket/a", "https://s3.example/bucket/a");
}

struct told {
    char text[400];
    size_t n;
    enum takc_status answer;
};

static enum takc_status tell(void *arg, struct takc_str key, uint64_t size_bytes, struct takc_err *err)
{
    struct told *t = arg;
    t->n += (size_t)snprintf(t->text + t->n, sizeof(t->text) - t->n, "%.*s %llu|", TAKC_STR_ARG(key), (unsigned long long)size_bytes);
    return t->answer ? takc_fail(err, t->answer, 0, "no more") : TAKC_OK;
}

static enum takc_status read_page(const char *xml, struct told *t, char next[64], struct takc_err *err)
{
    struct takc_buf token;
    takc_buf_init(&token, 63);
    enum takc_status st = takc_s3_read_list(takc_str(xml), tell, t, &token, err);
    (void)snprintf(next, 64, "%.*s", TAKC_STR_ARG(takc_buf_str(&token)));
    takc_buf_clear(&token);
    return st;
}

#define HEAD                                                                                                                               \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>b</Name>"
#define OBJECT(key, size)                                                                                                                  \
    "<Contents><Key>" key "</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag><Size>" size               \
    "</Size><StorageClass>STANDARD</StorageClass></Contents>"
#define LAST "<IsTruncated>false</IsTruncated></ListBucketResult>"

static void pages_are_read(void **state)
{
    (void)state;
    struct told t = {.n = 0};
    char next[64];
    assert_int_equal(read_page(HEAD OBJECT("a%2Fb%20%26%C3%A9.out", "12") OBJECT("c", "18446744073709551615") LAST, &t, next, NULL),
                     TAKC_OK);
    assert_string_equal(t.text, "a/b &\xC3\xA9.out 12|c 18446744073709551615|");
    assert_string_equal(next, "");
    t.n = 0;
    t.text[0] = '\0';
    assert_int_equal(read_page(HEAD LAST, &t, next, NULL), TAKC_OK);
    assert_string_equal(t.text, "");
    assert_int_equal(read_page(HEAD "<NextContinuationToken>1&amp;/=</NextContinuationToken><IsTruncated>true</IsTruncated>" OBJECT(
                                   "a", "0") "</ListBucketResult>",
                               &t, next, NULL),
                     TAKC_OK);
    assert_string_equal(t.text, "a 0|");
    assert_string_equal(next, "1&/=");
}

static void who_is_told_may_end_it(void **state)
{
    (void)state;
    struct told t = {.answer = TAKC_CANCELLED};
    char next[64];
    assert_int_equal(read_page(HEAD OBJECT("a", "1") OBJECT("b", "2") LAST, &t, next, NULL), TAKC_CANCELLED);
    assert_string_equal(t.text, "a 1|");
}

static void what_is_no_page_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *xml, *why;
    } pages[] = {
        {"", "no listing"},
        {"<html><body>busy</body></html>", "no listing"},
        {"<Error><Code>SlowDown</Code></Error>", "no listing"},
        {HEAD OBJECT("a", "1"), "no listing"}, /* cut */
        {"<!DOCTYPE x [<!ENTITY e \"eeee\">]><ListBucketResult>" LAST, "no listing"},
        {HEAD "</ListBucketResult>", "whether it is whole"},
        {HEAD "<IsTruncated>maybe</IsTruncated></ListBucketResult>", "whether it is whole"},
        {HEAD "<IsTruncated>true</IsTruncated></ListBucketResult>", "does not say where"},
        {HEAD "<Contents><Key>a</Key></Contents>" LAST, "without key or size"},
        {HEAD "<Contents><Size>1</Size></Contents>" LAST, "without key or size"},
        {HEAD OBJECT("a", "-1") LAST, "without key or size"},
        {HEAD OBJECT("a", "18446744073709551616") LAST, "without key or size"},
        {HEAD OBJECT("<b>a</b>", "1") LAST, "without key or size"},
        {HEAD OBJECT("a%2", "1") LAST, "a key that is none"},
    };
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        struct told t = {.n = 0};
        struct takc_err err = {0};
        char next[64];
        enum takc_status st = read_page(pages[i].xml, &t, next, &err);
        if (st != TAKC_UPSTREAM || !strstr(err.msg, pages[i].why))
            fail_msg("%s: %s '%s', not '%s'", pages[i].xml, takc_status_name(st), err.msg, pages[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uris_come_apart), cmocka_unit_test(doubtful_uris_are_refused), cmocka_unit_test(objects_have_their_place),
        cmocka_unit_test(pages_are_read),  cmocka_unit_test(who_is_told_may_end_it),    cmocka_unit_test(what_is_no_page_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
