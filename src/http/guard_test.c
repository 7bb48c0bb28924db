/* SPDX-License-Identifier: Apache-2.0
 *
 * Heads that mean one thing pass; those that two servers may read in two ways do not. */
#include "http/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static char why[128];
static struct takc_framing framing;

/* Headers as "Name: value" lines, NULL behind the last. */
static int look(const char *method, const char *target, const char *version, const char *const *lines)
{
    struct takc_header h[20];
    size_t n = 0;
    for (; lines[n]; n++) {
        const char *colon = strstr(lines[n], ": ");
        h[n] = (struct takc_header){takc_str_n(lines[n], (size_t)(colon - lines[n])), takc_str(colon + 2)};
    }
    const struct takc_request_head head = {takc_str(method), takc_str(target), takc_str(version), h, n};
    const struct takc_guard_limits limits = {.target_bytes = 200, .n_headers = 10, .header_bytes = 300, .body_bytes = 1000};
    why[0] = '\0';
    framing = (struct takc_framing){0};
    return takc_guard_head(&head, &limits, &framing, why);
}

#define LINES(...)                                                                                                                         \
    (const char *const[])                                                                                                                  \
    {                                                                                                                                      \
        __VA_ARGS__, NULL                                                                                                                  \
    }

static void plain_requests_pass(void **state)
{
    (void)state;
    assert_int_equal(look("GET", "/", "HTTP/1.1", LINES("Host: x")), 0);
    assert_int_equal(look("GET", "/cache/fin%20a/8x?x=1&y=%2F", "HTTP/1.1", LINES("Host: x", "Accept: */*")), 0);
    assert_int_equal(look("POST", "/query", "HTTP/1.1", LINES("Host: x", "content-LENGTH: 12")), 0);
    assert_true(framing.has_length && framing.length == 12 && !framing.chunked);
    assert_int_equal(look("POST", "/query", "HTTP/1.1", LINES("Host: x", "Transfer-Encoding: Chunked")), 0);
    assert_true(framing.chunked && !framing.has_length);
    assert_int_equal(look("GET", "/", "HTTP/1.0", LINES("Accept: text/plain")), 0);
}

static void framing_of_two_meanings_is_refused(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *first, *second, *version;
    } cases[] = {
        {400, "Content-Length: 5", "Transfer-Encoding: chunked", "HTTP/1.1"},
        {400, "Content-Length: 5", "Content-Length: 5", "HTTP/1.1"},
        {400, "Content-Length: 5", "content-length: 6", "HTTP/1.1"},
        {400, "Content-Length: 5, 5", "A: b", "HTTP/1.1"},
        {400, "Content-Length: +5", "A: b", "HTTP/1.1"},
        {400, "Content-Length: -5", "A: b", "HTTP/1.1"},
        {400, "Content-Length: 0x5", "A: b", "HTTP/1.1"},
        {400, "Content-Length: ", "A: b", "HTTP/1.1"},
        {400, "Content-Length: 99999999999999999999", "A: b", "HTTP/1.1"},
        {413, "Content-Length: 1001", "A: b", "HTTP/1.1"},
        {501, "Transfer-Encoding: gzip, chunked", "A: b", "HTTP/1.1"},
        {501, "Transfer-Encoding: xchunked", "A: b", "HTTP/1.1"},
        {501, "Transfer-Encoding: identity", "A: b", "HTTP/1.1"},
        {400, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", "HTTP/1.1"},
        {400, "Transfer-Encoding: chunked", "A: b", "HTTP/1.0"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int got = look("POST", "/query", cases[i].version, LINES("Host: x", cases[i].first, cases[i].second));
        if (got != cases[i].status || !why[0])
            fail_msg("%s, %s: %d '%s'", cases[i].first, cases[i].second, got, why);
    }
}

static void odd_heads_are_refused(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *method, *target, *version;
    } cases[] = {
        {400, "GET", "", "HTTP/1.1"},          {400, "GET", "http://x/", "HTTP/1.1"}, {400, "GET", "/a b", "HTTP/1.1"},
        {400, "GET", "/a%", "HTTP/1.1"},       {400, "GET", "/a%2", "HTTP/1.1"},      {400, "GET", "/a%zz", "HTTP/1.1"},
        {400, "GET", "/a%00b", "HTTP/1.1"},    {400, "GET", "/../etc", "HTTP/1.1"},   {400, "GET", "/a/%2e%2E/b", "HTTP/1.1"},
        {400, "GET", "/a/./b", "HTTP/1.1"},    {400, "GET", "/a\\b", "HTTP/1.1"},     {400, "GET", "/a#b", "HTTP/1.1"},
        {400, "GET", "/\xc3\xa4", "HTTP/1.1"}, {400, "G(T", "/", "HTTP/1.1"},         {400, "", "/", "HTTP/1.1"},
        {505, "GET", "/", "HTTP/2.0"},         {505, "GET", "/", "HTTP/0.9"},         {400, "GET", "*", "HTTP/1.1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int got = look(cases[i].method, cases[i].target, cases[i].version, LINES("Host: x"));
        if (got != cases[i].status || !why[0])
            fail_msg("%s %s %s: %d '%s'", cases[i].method, cases[i].target, cases[i].version, got, why);
    }
    char longer[300] = "/";
    memset(longer + 1, 'a', 220);
    assert_int_equal(look("GET", longer, "HTTP/1.1", LINES("Host: x")), 414);
}

static void odd_headers_are_refused(void **state)
{
    (void)state;
    char large[400] = "X-Large: ";
    memset(large + 9, 'a', 320);
    assert_int_equal(look("GET", "/", "HTTP/1.1", LINES("A: b")), 400);
    assert_int_equal(look("GET", "/", "HTTP/1.1", LINES("Host: x", "Host: y")), 400);
    assert_int_equal(look("GET", "/", "HTTP/1.1", LINES("Host: x", "Content-Length : 5")), 400);
    assert_int_equal(look("GET", "/", "HTTP/1.1", LINES("Host: x", "X Y: 5")), 400);
    assert_int_equal(look("GET", "/", "HTTP/1.1", LINES("Host: x", ": 5")), 400);
    assert_int_equal(look("GET", "/", "HTTP/1.1", LINES("Host: x", "X: a\x01z")), 400);
    assert_int_equal(look("GET", "/", "HTTP/1.1", LINES("Host: x", "X: a\rz")), 400);
    assert_int_equal(look("GET", "/", "HTTP/1.1", LINES("Host: x", large)), 431);
    assert_int_equal(
        look("GET", "/", "HTTP/1.1", LINES("Host: x", "A: 1", "B: 1", "C: 1", "D: 1", "E: 1", "F: 1", "G: 1", "H: 1", "I: 1", "J: 1")),
        431);
}

static void packed_bodies_are_refused(void **state)
{
    (void)state;
    assert_int_equal(look("POST", "/", "HTTP/1.1", LINES("Host: x", "Content-Encoding: gzip")), 415);
    assert_int_equal(look("POST", "/", "HTTP/1.1", LINES("Host: x", "content-encoding: identity, br")), 415);
    assert_int_equal(look("POST", "/", "HTTP/1.1", LINES("Host: x", "Content-Encoding: identity", "Content-Encoding: gzip")), 415);
    assert_int_equal(look("POST", "/", "HTTP/1.1", LINES("Host: x", "Content-Encoding: Identity")), 0);
}

static void escapes_are_undone(void **state)
{
    (void)state;
    char out[32];
    size_t n = 0;
    assert_true(takc_percent_decode(takc_str("a%20b%2Fc"), out, &n));
    assert_string_equal(out, "a b/c");
    assert_int_equal(n, 5);
    assert_false(takc_percent_decode(takc_str("a%2"), out, &n));
    assert_false(takc_percent_decode(takc_str("a%00"), out, &n));
}

static void a_target_may_name_the_host(void **state)
{
    (void)state;
    static const struct {
        const char *target, *host, *want;
    } cases[] = {
        {"http://x:80/a?b=http://y/", "x:80", "/a?b=http://y/"},
        {"HTTPS://X/", "x", "/"},
        {"http://x", "x", "/"},
        {"http://y/a", "x", "http://y/a"},
        {"/a", "x", "/a"},
        {"http://x@y/a", "x", "http://x@y/a"},
        {"http:///a", "", "http:///a"},
        {"http://x/", "", "http://x/"},
        {"ftp://x/", "x", "ftp://x/"},
        {"http://x?b", "x", "http://x?b"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct takc_str got = takc_guard_origin_form(takc_str(cases[i].target), takc_str(cases[i].host));
        if (!takc_str_is(got, cases[i].want))
            fail_msg("%s of %s: %.*s", cases[i].target, cases[i].host, TAKC_STR_ARG(got));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_requests_pass),        cmocka_unit_test(framing_of_two_meanings_is_refused),
        cmocka_unit_test(odd_heads_are_refused),      cmocka_unit_test(odd_headers_are_refused),
        cmocka_unit_test(escapes_are_undone),         cmocka_unit_test(packed_bodies_are_refused),
        cmocka_unit_test(a_target_may_name_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
