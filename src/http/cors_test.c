/* SPDX-License-Identifier: Apache-2.0
 *
 * Origins, preflights, and addresses behind proxies: what may be set, and what is believed. */
#include "http/cors.h"
#include "http/peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

/* --- an exchange without a connection --- */

static struct takc_header asked[4];
static struct takc_exchange x;

static void ask(const char *method, const char *origin, const char *wants, const char *headers)
{
    const struct takc_header all[] = {{takc_str("Origin"), takc_str(origin)},
                                      {takc_str("Access-Control-Request-Method"), takc_str(wants)},
                                      {takc_str("access-control-request-headers"), takc_str(headers)}};
    takc_arena_clear(&x.arena);
    x = (struct takc_exchange){.method = takc_str(method), .headers = asked};
    takc_arena_init(&x.arena);
    for (size_t i = 0; i < 3; i++)
        if (all[i].value.ptr)
            asked[x.n_headers++] = all[i];
}

static const char *said(const char *name)
{
    struct takc_str v = takc_header_find(x.out, x.n_out, name);
    return v.ptr ? v.ptr : "";
}

static struct takc_cors cors_of(const char *list)
{
    struct takc_cors c;
    struct takc_err err;
    if (takc_cors_parse(takc_str(list), &c, &err))
        fail_msg("%s: %s", list, err.msg);
    return c;
}

static void what_is_an_origin(void **state)
{
    static const char *const bad[] = {"app.example.com",
                                      "https://",
                                      "https://a.example/",
                                      "https://a.example/x",
                                      "https://a.example?x",
                                      "https://A.example",
                                      "ftp://a.example",
                                      "https://u@a.example",
                                      "https://a.example:443",
                                      "http://a.example:80",
                                      "https://a.example,",
                                      ",",
                                      "*,https://a.example",
                                      "https://a.example,*",
                                      "*,*",
                                      "null",
                                      "https://a b"};
    struct takc_cors c = cors_of(" https://a.example , http://localhost:3000,http://[::1]:8080 ");
    struct takc_err err;
    (void)state;
    assert_true(c.n == 3 && !c.any && takc_cors_is_on(&c));
    assert_true(takc_str_is(c.origins[0], "https://a.example") && takc_str_is(c.origins[2], "http://[::1]:8080"));
    c = cors_of("*");
    assert_true(c.any && takc_cors_is_on(&c));
    c = cors_of("  ");
    assert_false(takc_cors_is_on(&c));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (takc_cors_parse(takc_str(bad[i]), &c, &err) != TAKC_INVALID)
            fail_msg("%s is taken for an origin", bad[i]);
}

static void replies_say_who_may_read(void **state)
{
    static const char *const others[] = {
        "https://a.example.evil.org", "https://evil.org/https://a.example", "null", "http://a.example", "https://a.example:8443",
        "https://A.EXAMPLE"};
    struct takc_cors c = cors_of("https://a.example"), any = cors_of("*"), off = cors_of("");
    (void)state;
    ask("GET", "https://a.example", NULL, NULL);
    takc_cors_headers(&c, &x);
    assert_string_equal(said("Access-Control-Allow-Origin"), "https://a.example");
    assert_string_equal(said("Vary"), "Origin");
    assert_non_null(strstr(said("Access-Control-Expose-Headers"), "x-takc-cost-usd"));
    assert_string_equal(said("Access-Control-Allow-Credentials"), "");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        ask("GET", others[i], NULL, NULL);
        takc_cors_headers(&c, &x);
        assert_true(x.n_out == 1 && strcmp(said("Vary"), "Origin") == 0);
        takc_cors_headers(&any, &x);
        assert_string_equal(said("Access-Control-Allow-Origin"), "*");
    }
    ask("GET", "https://a.example", NULL, NULL);
    takc_cors_headers(&off, &x);
    assert_int_equal(x.n_out, 0);
}

static void browsers_ask_before(void **state)
{
    struct takc_cors c = cors_of("https://a.example"), off = cors_of("");
    (void)state;
    ask("OPTIONS", "https://a.example", "PUT", "authorization, x-own");
    assert_false(takc_cors_preflight(&off, &x, "GET"));
    assert_true(takc_cors_preflight(&c, &x, "GET, HEAD, PUT"));
    assert_int_equal(x.status, 204);
    assert_string_equal(said("Access-Control-Allow-Methods"), "GET, HEAD, PUT");
    assert_string_equal(said("Access-Control-Allow-Headers"), "authorization, x-own");
    ask("OPTIONS", "https://a.example", "PUT", "x-own\"; evil");
    assert_true(takc_cors_preflight(&c, &x, "GET"));
    assert_non_null(strstr(said("Access-Control-Allow-Headers"), "Authorization, Content-Type"));
    ask("OPTIONS", "https://b.example", "PUT", NULL);
    assert_true(takc_cors_preflight(&c, &x, "GET"));
    assert_string_equal(said("Access-Control-Allow-Methods"), "");
    ask("OPTIONS", "https://a.example", NULL, NULL);
    assert_false(takc_cors_preflight(&c, &x, "GET"));
    ask("GET", "https://a.example", "PUT", NULL);
    assert_false(takc_cors_preflight(&c, &x, "GET"));
    takc_arena_clear(&x.arena);
}

/* --- addresses --- */

static void assert_peer(const char *trusted, const char *peer, const char *first, const char *second, const char *want)
{
    struct takc_proxies p;
    struct takc_err err;
    char at[48];
    const struct takc_header h[] = {{takc_str("X-Forwarded-For"), takc_str(first)},
                                    {takc_str("Accept"), takc_str("1.1.1.1")},
                                    {takc_str("x-forwarded-for"), takc_str(second)}};
    if (takc_proxies_parse(takc_str(trusted), &p, &err))
        fail_msg("%s: %s", trusted, err.msg);
    (void)snprintf(at, sizeof(at), "%s", peer);
    takc_peer_resolve(&p, h, second ? 3 : first ? 1 : 0, at);
    if (strcmp(at, want) != 0)
        fail_msg("behind %s, %s and %s: %s, not %s", peer, first ? first : "-", second ? second : "-", at, want);
}

static void whose_address_it_is(void **state)
{
    static const char *const bad[] = {"10.0.0.0/33", "10.0.0", "::1/129", "x", "10.0.0.0/", "10.0.0.0/-1", "127.0.0.1,"};
    struct takc_proxies p;
    (void)state;
    assert_peer("", "127.0.0.1", "192.0.2.1", NULL, "127.0.0.1");
    assert_peer("127.0.0.1", "127.0.0.1", NULL, NULL, "127.0.0.1");
    assert_peer("127.0.0.1", "127.0.0.1", "192.0.2.1", NULL, "192.0.2.1");
    assert_peer("127.0.0.1", "192.0.2.9", "192.0.2.1", NULL, "192.0.2.9"); /* who is not trusted is the client */
    assert_peer("127.0.0.1", "127.0.0.1", "203.0.113.5, 192.0.2.1", NULL, "192.0.2.1");
    assert_peer("127.0.0.1, 10.0.0.0/8", "127.0.0.1", "203.0.113.5, 192.0.2.1, 10.9.8.7", NULL, "192.0.2.1");
    assert_peer("127.0.0.1, 10.0.0.0/8", "127.0.0.1", "203.0.113.5, 192.0.2.1", "10.9.8.7", "192.0.2.1"); /* two lines are one list */
    assert_peer("127.0.0.1, 10.0.0.0/8", "127.0.0.1", "10.1.1.1,10.2.2.2", NULL, "10.1.1.1");             /* all trusted: the first */
    assert_peer("127.0.0.1", "127.0.0.1", "192.0.2.1, nonsense", NULL, "127.0.0.1");
    assert_peer("127.0.0.1", "127.0.0.1", "192.0.2.1,", NULL, "127.0.0.1");
    assert_peer("127.0.0.1", "127.0.0.1", "192.0.2.1:4711", NULL, "192.0.2.1");
    assert_peer("127.0.0.1", "127.0.0.1", "[2001:db8::1]:4711", NULL, "2001:db8::1");
    assert_peer("127.0.0.1", "::ffff:127.0.0.1", "2001:DB8:0::1", NULL, "2001:db8::1");
    assert_peer("fd00::/9, ::1", "::1", "192.0.2.1, fd7f::1", NULL, "192.0.2.1");
    assert_peer("fd00::/9, ::1", "::1", "192.0.2.1, fd80::1", NULL, "fd80::1");
    assert_peer("0.0.0.0/0", "192.0.2.7", "198.51.100.1", NULL, "198.51.100.1");
    assert_peer("0.0.0.0/0", "2001:db8::7", "198.51.100.1", NULL, "2001:db8::7"); /* all of IPv4 is not all */
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(takc_proxies_parse(takc_str(bad[i]), &p, NULL), TAKC_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_an_origin), cmocka_unit_test(replies_say_who_may_read),
                                       cmocka_unit_test(browsers_ask_before), cmocka_unit_test(whose_address_it_is)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
