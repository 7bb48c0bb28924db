/* SPDX-License-Identifier: Apache-2.0
 *
 * Which addresses are public: the edges of every range. */
#include "net/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cmocka.h>

static bool is_public(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    char again[TAKC_ADDRESS_TEXT];
    bool six = strchr(text, ':') != NULL, literal;
    const struct sockaddr *a = six ? (struct sockaddr *)&in6 : (struct sockaddr *)&in;
    assert_int_equal(inet_pton(six ? AF_INET6 : AF_INET, text, six ? (void *)&in6.sin6_addr : (void *)&in.sin_addr), 1);
    takc_address_text(a, again);
    assert_string_equal(again, strncmp(text, "::ffff:", 7) == 0 ? text + 7 : text); /* IPv4, however it came */
    char host[TAKC_ADDRESS_TEXT + 2];
    (void)snprintf(host, sizeof(host), six ? "[%s]" : "%s", text);
    assert_int_equal(takc_address_host_is_public(takc_str(host), &literal), takc_address_is_public(a));
    assert_true(literal);
    return takc_address_is_public(a);
}

static void special_addresses_are_not_public(void **state)
{
    (void)state;
    static const char *const rows[] = {"0.0.0.0",
                                       "0.255.255.255",
                                       "10.0.0.0",
                                       "10.255.255.255",
                                       "100.64.0.0",
                                       "100.127.255.255",
                                       "127.0.0.1",
                                       "127.255.255.255",
                                       "169.254.169.254",
                                       "172.16.0.0",
                                       "172.31.255.255",
                                       "192.0.0.8",
                                       "192.0.2.1",
                                       "192.88.99.1",
                                       "192.168.0.0",
                                       "192.168.255.255",
                                       "198.18.0.0",
                                       "198.19.255.255",
                                       "198.51.100.7",
                                       "203.0.113.9",
                                       "224.0.0.1",
                                       "239.1.1.1",
                                       "240.0.0.1",
                                       "255.255.255.255",
                                       "::",
                                       "::1",
                                       "::ffff:10.0.0.1",
                                       "::ffff:127.0.0.1",
                                       "::ffff:169.254.169.254",
                                       "::7f00:1",
                                       "64:ff9b::a00:1",
                                       "64:ff9b:1::808:808",
                                       "2002:a00:1::",
                                       "2002:7f00:1::1",
                                       "fe80::1",
                                       "fc00::1",
                                       "fd00:ec2::254",
                                       "fec0::1",
                                       "ff02::1",
                                       "100::1",
                                       "2001::1",
                                       "2001:1ff::",
                                       "2001:db8::1",
                                       "3fff::1",
                                       "4000::1"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *text = strcmp(rows[i], "::7f00:1") == 0 ? "::127.0.0.1" : rows[i]; /* as inet_ntop writes it */
        if (is_public(text))
            fail_msg("%s", rows[i]);
    }
}

static void others_are(void **state)
{
    (void)state;
    static const char *const rows[] = {"1.1.1.1",         "9.255.255.255",  "11.0.0.0",         "100.63.255.255",  "100.128.0.0",
                                       "126.1.1.1",       "128.0.0.1",      "169.253.1.1",      "169.255.0.0",     "172.15.255.255",
                                       "172.32.0.0",      "192.167.1.1",    "192.169.0.0",      "198.17.255.255",  "198.20.0.0",
                                       "223.255.255.255", "::ffff:1.1.1.1", "64:ff9b::808:808", "2002:808:808::1", "2600:1f18::1",
                                       "2001:200::1",     "2a00:1450::1",   "3ffe::1"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (!is_public(rows[i]))
            fail_msg("%s", rows[i]);
}

static void names_are_no_addresses(void **state)
{
    (void)state;
    static const char *const rows[] = {"localhost", "example.com", "127.1", "2130706433", "0x7f.1", "::1", "[::1", "[1.1.1.1]", ""};
    bool literal;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_true(takc_address_host_is_public(takc_str(rows[i]), &literal));
        assert_false(literal);
    }
    const struct sockaddr other = {.sa_family = AF_UNIX};
    char text[TAKC_ADDRESS_TEXT];
    assert_false(takc_address_is_public(&other));
    takc_address_text(&other, text);
    assert_string_equal(text, "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(special_addresses_are_not_public), cmocka_unit_test(others_are),
                                       cmocka_unit_test(names_are_no_addresses)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
