/* SPDX-License-Identifier: Apache-2.0
 *
 * URLs and percent-encoding: the parts, and every refusal. */
#include "net/url.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void is(struct takc_str s, const char *text)
{
    if (!takc_str_is(s, text))
        fail_msg("'%.*s' is not '%s'", TAKC_STR_ARG(s), text);
}

static void parts(const char *url, const char *scheme, const char *authority, const char *host, unsigned port, const char *path,
                  const char *query)
{
    struct takc_url u;
    struct takc_err err = {0};
    if (takc_url_parse(&u, takc_str(url), &err))
        fail_msg("%s: %s", url, err.msg);
    is(u.scheme, scheme);
    is(u.authority, authority);
    is(u.host, host);
    assert_int_equal(u.port, port);
    is(u.path, path);
    is(u.query, query);
}

static void urls_come_apart(void **state)
{
    (void)state;
    parts("https://a.example/b/c?d=e&f=%2F", "https", "a.example", "a.example", 443, "/b/c", "d=e&f=%2F");
    parts("http://localhost:8080", "http", "localhost:8080", "localhost", 8080, "", "");
    parts("http://h?q", "http", "h", "h", 80, "", "q");
    parts("http://h/?", "http", "h", "h", 80, "/", "");
    parts("http://[::1]:9/x", "http", "[::1]:9", "[::1]", 9, "/x", "");
    parts("https://[fe80::1]", "https", "[fe80::1]", "[fe80::1]", 443, "", "");
    parts("http://h/a/../b//c/%2e?x=?", "http", "h", "h", 80, "/a/../b//c/%2e", "x=?");
    parts("http://h/u@v:1", "http", "h", "h", 80, "/u@v:1", "");
    parts("http://10.0.0.1:65535/", "http", "10.0.0.1:65535", "10.0.0.1", 65535, "/", "");
}

static void refused(const char *url, size_t len, const char *why)
{
    struct takc_url u = {.port = 7};
    struct takc_err err = {0};
    assert_int_equal(takc_url_parse(&u, takc_str_n(url, len), &err), TAKC_INVALID);
    if (!strstr(err.msg, why))
        fail_msg("%s: '%s' does not say '%s'", url, err.msg, why);
    assert_null(strstr(err.msg, "secret"));
    assert_int_equal(u.port, 7); /* untouched */
}

static void doubtful_urls_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *url, *why;
    } rows[] = {
        {"", "neither"},
        {"ftp://h/", "neither"},
        {"HTTP://h/", "neither"},
        {"//h/", "neither"},
        {"http:/h", "neither"},
        {"http://", "no host"},
        {"http:///secret", "no host"},
        {"http://:80/", "no host"},
        {"http://h:/", "port"},
        {"http://h:0/", "port"},
        {"http://h:65536/", "port"},
        {"http://h:8o/", "port"},
        {"http://secret:x@h/", "user part"},
        {"http://h@/secret", "user part"},
        {"http://h/secret#f", "fragment"},
        {"http://h/a b", "%20"},
        {"http://h/a\r\nX: secret", "%0D"},
        {"http://h/\xC3\xA9", "%C3"},
        {"http://h\\@evil/", "user part"},
        {"http://h\\evil/", "no host"},
        {"http://h%2f/", "no host"},
        {"http://[::1/", "no host"},
        {"http://[]/", "no host"},
        {"http://[::1]x/", "no host"},
        {"http://[g::]/", "no host"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        refused(rows[i].url, strlen(rows[i].url), rows[i].why);
    refused("http://h/\0x", 11, "%00");
    char longest[8 + 254] = "http://";
    memset(longest + 7, 'a', 254);
    refused(longest, 7 + 254, "no host");
}

static void escapes_go_both_ways(void **state)
{
    (void)state;
    struct takc_buf b, back;
    struct takc_err err = {0};
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    takc_buf_init(&b, 1024);
    takc_buf_init(&back, 1024);
    assert_int_equal(takc_url_escape(&b, takc_str("a/b c:1~\xC3\xA9"), false, &err), TAKC_OK);
    is(takc_buf_str(&b), "a%2Fb%20c%3A1~%C3%A9");
    takc_buf_reset(&b);
    assert_int_equal(takc_url_escape(&b, takc_str("/a/b:c"), true, &err), TAKC_OK);
    is(takc_buf_str(&b), "/a/b%3Ac");
    takc_buf_reset(&b);
    assert_int_equal(takc_url_escape(&b, takc_str_n(all, 256), false, &err), TAKC_OK);
    assert_int_equal(b.len, 66 + 190 * 3);
    assert_int_equal(takc_url_unescape(&back, takc_buf_str(&b), &err), TAKC_OK);
    assert_true(takc_str_eq(takc_buf_str(&back), takc_str_n(all, 256)));
    takc_buf_reset(&back);
    assert_int_equal(takc_url_unescape(&back, takc_str("a+b%2f%2F"), &err), TAKC_OK);
    is(takc_buf_str(&back), "a+b//");
    static const char *const bad[] = {"%", "a%2", "%2", "%g0", "%0g", "%%20"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(takc_url_unescape(&back, takc_str(bad[i]), &err), TAKC_INVALID);
    takc_buf_clear(&b);
    takc_buf_clear(&back);
    takc_buf_init(&b, 4);
    assert_int_equal(takc_url_escape(&b, takc_str("  "), false, &err), TAKC_INVALID); /* over the limit of the buffer */
    takc_buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(urls_come_apart), cmocka_unit_test(doubtful_urls_are_refused),
                                       cmocka_unit_test(escapes_go_both_ways)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
