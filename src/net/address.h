/* SPDX-License-Identifier: Apache-2.0
 *
 * net/address.h - which addresses are anybody's, and which belong to the machine, its network or its cloud. Threads: pure functions. */
#ifndef TAKC_NET_ADDRESS_H
#define TAKC_NET_ADDRESS_H

#include "takc/str.h"

#include <sys/socket.h>

enum { TAKC_ADDRESS_TEXT = 48 };

/* Is it a public unicast address? false: loopback, private, link-local (where clouds keep their metadata), shared, multicast, reserved, for
 * documentation; IPv6 that wraps such an IPv4 (::ffff:, 64:ff9b::, 2002:); another family. */
bool takc_address_is_public(const struct sockaddr *a);
/* The same of a host in a URL, where it is an address: "10.0.0.1", "[::1]". *literal false: it is a name, and nothing is known. */
bool takc_address_host_is_public(struct takc_str host, bool *literal);
/* Writes "192.0.2.1", also where IPv6 maps it (a socket of both takes IPv4 so), "2001:db8::1", or "?" for another family. */
void takc_address_text(const struct sockaddr *a, char out[TAKC_ADDRESS_TEXT]);

#endif
