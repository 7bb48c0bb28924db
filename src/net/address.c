/* SPDX-License-Identifier: Apache-2.0
 *
 * address.c - the registries of special-purpose addresses (IANA, RFC 6890 and after it) as a table. IPv6 is turned round: what is not
 * global unicast (2000::/3) is not public. */
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

static const struct {
    uint32_t net;
    unsigned bits;
} special4[] = {
    {0x00000000, 8},  /* this network */
    {0x0A000000, 8},  /* private */
    {0x64400000, 10}, /* shared by providers */
    {0x7F000000, 8},  /* loopback */
    {0xA9FE0000, 16}, /* link-local; 169.254.169.254: metadata */
    {0xAC100000, 12}, /* private */
    {0xC0000000, 24}, /* protocols */
    {0xC0000200, 24}, /* documentation */
    {0xC0586300, 24}, /* 6to4 relays */
    {0xC0A80000, 16}, /* private */
    {0xC6120000, 15}, /* benchmarks */
    {0xC6336400, 24}, /* documentation */
    {0xCB007100, 24}, /* documentation */
    {0xE0000000, 4},  /* multicast */
    {0xF0000000, 4},  /* reserved, broadcast */
};

static bool public4(uint32_t a)
{
    for (size_t i = 0; i < sizeof(special4) / sizeof(special4[0]); i++)
        if ((a ^ special4[i].net) >> (32 - special4[i].bits) == 0)
            return false;
    return true;
}

static uint32_t number4(const uint8_t *b)
{
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static bool public6(const uint8_t b[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, nat64[12] = {0x00, 0x64, 0xFF, 0x9B};
    if (memcmp(b, mapped, 12) == 0 || memcmp(b, nat64, 12) == 0)
        return public4(number4(b + 12));
    if (b[0] == 0x20 && b[1] == 0x02) /* 6to4 */
        return public4(number4(b + 2));
    if (b[0] >> 5 != 1)
        return false;
    bool protocols = b[0] == 0x20 && b[1] == 0x01 && b[2] < 2;                         /* 2001::/23: Teredo and others */
    bool documentation = b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0D && b[3] == 0xB8; /* 2001:db8::/32 */
    bool documentation20 = b[0] == 0x3F && b[1] == 0xFF && b[2] < 0x10;                /* 3fff::/20 */
    return !protocols && !documentation && !documentation20;
}

bool takc_address_is_public(const struct sockaddr *a)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    if (a->sa_family == AF_INET) {
        memcpy(&in, a, sizeof(in));
        return public4(ntohl(in.sin_addr.s_addr));
    }
    if (a->sa_family != AF_INET6)
        return false;
    memcpy(&in6, a, sizeof(in6));
    return public6(in6.sin6_addr.s6_addr);
}

bool takc_address_host_is_public(struct takc_str host, bool *literal)
{
    char text[TAKC_ADDRESS_TEXT];
    uint8_t bytes[16];
    bool six = host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (six)
        host = takc_str_slice(host, 1, host.len - 1);
    (void)snprintf(text, sizeof(text), "%.*s", TAKC_STR_ARG(host));
    *literal = host.len < sizeof(text) && inet_pton(six ? AF_INET6 : AF_INET, text, bytes) == 1;
    return !*literal || (six ? public6(bytes) : public4(number4(bytes)));
}

void takc_address_text(const struct sockaddr *a, char out[TAKC_ADDRESS_TEXT])
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    const char *made = NULL;
    if (a->sa_family == AF_INET) {
        memcpy(&in, a, sizeof(in));
        made = inet_ntop(AF_INET, &in.sin_addr, out, TAKC_ADDRESS_TEXT);
    } else if (a->sa_family == AF_INET6) {
        memcpy(&in6, a, sizeof(in6));
        bool mapped = IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr);
        made = mapped ? inet_ntop(AF_INET, in6.sin6_addr.s6_addr + 12, out, TAKC_ADDRESS_TEXT)
                      : inet_ntop(AF_INET6, &in6.sin6_addr, out, TAKC_ADDRESS_TEXT);
    }
    if (!made)
        (void)snprintf(out, TAKC_ADDRESS_TEXT, "?");
}
