/* SPDX-License-Identifier: Apache-2.0
 *
 * peer.c - addresses as 16 bytes, IPv4 mapped into IPv6. */
#include "http/peer.h"

#include <arpa/inet.h>
#include <stdio.h>

/* "192.0.2.1", "2001:db8::1"; with a port where brackets or a single colon show it, as some proxies write. */
static bool read_address(struct takc_str s, uint8_t out[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    char text[INET6_ADDRSTRLEN];
    s = takc_str_trim(s);
    size_t colon = takc_str_find_byte(s, ':', 0);
    if (s.len && s.ptr[0] == '[') {
        size_t end = takc_str_find_byte(s, ']', 0);
        s = end == SIZE_MAX ? takc_str("") : takc_str_slice(s, 1, end);
    } else if (colon != SIZE_MAX && takc_str_find_byte(s, ':', colon + 1) == SIZE_MAX) {
        s = takc_str_slice(s, 0, colon);
    }
    if (!s.len || s.len >= sizeof(text))
        return false;
    (void)snprintf(text, sizeof(text), "%.*s", TAKC_STR_ARG(s));
    if (inet_pton(AF_INET6, text, out) == 1)
        return true;
    memcpy(out, mapped, sizeof(mapped));
    return inet_pton(AF_INET, text, out + 12) == 1;
}

static bool is_v4(const uint8_t a[16])
{
    for (size_t i = 0; i < 10; i++)
        if (a[i])
            return false;
    return a[10] == 0xff && a[11] == 0xff;
}

static enum takc_status read_proxy(struct takc_str s, struct takc_proxy *out, struct takc_err *err)
{
    size_t slash = takc_str_find_byte(s, '/', 0);
    uint64_t bits = 128;
    bool good = read_address(takc_str_slice(s, 0, slash == SIZE_MAX ? s.len : slash), out->bytes);
    unsigned before = good && is_v4(out->bytes) && takc_str_find_byte(s, ':', 0) == SIZE_MAX ? 96 : 0;
    if (good && slash != SIZE_MAX) {
        good = !takc_str_u64(takc_str_slice(s, slash + 1, s.len), 128 - before, &bits, NULL);
        bits += before;
    }
    out->bits = (unsigned)bits;
    return good ? TAKC_OK : takc_fail(err, TAKC_INVALID, 0, "'%.*s' is no address, and no network like 10.0.0.0/8", TAKC_STR_ARG(s));
}

enum takc_status takc_proxies_parse(struct takc_str list, struct takc_proxies *out, struct takc_err *err)
{
    struct takc_str one;
    enum takc_status st = TAKC_OK;
    out->n = 0;
    if (!takc_str_trim(list).len)
        return TAKC_OK;
    while (!st && takc_str_split(&list, ',', &one)) {
        if (out->n == TAKC_PROXIES_MAX)
            return takc_fail(err, TAKC_INVALID, 0, "more than %d proxies", TAKC_PROXIES_MAX);
        st = read_proxy(takc_str_trim(one), &out->list[out->n++], err);
    }
    return st;
}

static bool is_trusted(const struct takc_proxies *p, const uint8_t a[16])
{
    for (size_t i = 0; i < p->n; i++) {
        unsigned whole = p->list[i].bits / 8, rest = p->list[i].bits % 8;
        unsigned mask = rest ? (0xff00u >> rest) & 0xff : 0;
        if (memcmp(a, p->list[i].bytes, whole) == 0 && (!rest || ((a[whole] ^ p->list[i].bytes[whole]) & mask) == 0))
            return true;
    }
    return false;
}

static void write_address(const uint8_t a[16], char peer[48])
{
    if (is_v4(a))
        (void)inet_ntop(AF_INET, a + 12, peer, 48);
    else
        (void)inet_ntop(AF_INET6, a, peer, 48);
}

/* Cuts the last entry off a list; false: there is none left. */
static bool last_of(struct takc_str *list, struct takc_str *out)
{
    if (!list->ptr)
        return false;
    size_t from = list->len;
    while (from > 0 && list->ptr[from - 1] != ',')
        from--;
    *out = takc_str_slice(*list, from, list->len);
    *list = from ? takc_str_slice(*list, 0, from - 1) : (struct takc_str){0};
    return true;
}

void takc_peer_resolve(const struct takc_proxies *p, const struct takc_header *headers, size_t n, char peer[48])
{
    uint8_t at[16];
    struct takc_str entry;
    if (!p->n || !read_address(takc_str(peer), at))
        return;
    for (size_t i = n; i > 0 && is_trusted(p, at); i--) {
        struct takc_str list = headers[i - 1].value;
        if (!takc_str_eq_nocase(headers[i - 1].name, takc_str("x-forwarded-for")))
            continue;
        while (is_trusted(p, at) && last_of(&list, &entry)) {
            uint8_t next[16];
            if (!read_address(entry, next))
                return;
            memcpy(at, next, sizeof(at));
            write_address(at, peer);
        }
    }
}
