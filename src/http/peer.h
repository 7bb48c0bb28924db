/* SPDX-License-Identifier: Apache-2.0
 *
 * http/peer.h - whose address a request is from, where proxies stand in front.
 *
 * X-Forwarded-For may hold anything that a client likes; each proxy adds at its end whom it got the request from. So it is read from its
 * end, and only as far as who wrote is trusted: the first address that is no trusted proxy's is the client.
 * Pure functions. Threads: any. */
#ifndef TAKC_HTTP_PEER_H
#define TAKC_HTTP_PEER_H

#include "http/guard.h"

enum { TAKC_PROXIES_MAX = 32 };

struct takc_proxies {
    struct takc_proxy {
        uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
        unsigned bits;     /* of 128 that count */
    } list[TAKC_PROXIES_MAX];
    size_t n;
};

/* Reads "127.0.0.1, 10.0.0.0/8, fd00::/8". INVALID names what is none. */
TAKC_CHECK enum takc_status takc_proxies_parse(struct takc_str list, struct takc_proxies *out, struct takc_err *err);
/* Puts the client's address in the place of the connection's where that is a trusted proxy's. An entry that is no address ends the way: the
 * last proxy stands for what is behind it. */
void takc_peer_resolve(const struct takc_proxies *p, const struct takc_header *headers, size_t n, char peer[48]);

#endif
