/* SPDX-License-Identifier: Apache-2.0
 *
 * auth/keyset.h - public keys of an issuer, as a JWKS says them (RFC 7517), and signatures checked with them.
 *
 * A key is bound to one algorithm by what it is: RSA (2048 to 8192 bits) checks RS256 and nothing else, EC over P-256 checks ES256 and
 * nothing else. Others (symmetric ones above all, for encryption, of other curves, with another "alg") are not in the set. Of a key its
 * public members only are read.
 * Threads: a set does not change once it is parsed; any number may check with it. */
#ifndef TAKC_AUTH_KEYSET_H
#define TAKC_AUTH_KEYSET_H

#include "takc/str.h"

enum takc_token_alg { TAKC_ALG_UNSET = 0, TAKC_ALG_RS256, TAKC_ALG_ES256 };
enum { TAKC_KEYSET_MAX_BYTES = 256 << 10, TAKC_KEYSET_KEYS = 64 };

struct takc_keyset;
/* INVALID: no JSON, no "keys", too large. A set without a key that can be used is one. Loads libcjose (UNSUPPORTED); NOMEM. Returns
 * owned: takc_keyset_unref. */
TAKC_CHECK enum takc_status takc_keyset_parse(struct takc_keyset **out, struct takc_str json, struct takc_err *err);
/* One more holder; returns k. From any thread, as unref. */
struct takc_keyset *takc_keyset_ref(struct takc_keyset *k);
/* Frees with the last. NULL is harmless. */
void takc_keyset_unref(struct takc_keyset *k);
/* Keys that can be used. */
size_t takc_keyset_count(const struct takc_keyset *k);
/* Is there a key for a token with that kid? Without a kid (empty) it is the only one of its algorithm, or none. */
bool takc_keyset_has(const struct takc_keyset *k, struct takc_str kid, enum takc_token_alg alg);
/* Checks a compact token's signature with the key of that kid and algorithm. DENIED: no such key, or not its signature; NOMEM. */
TAKC_CHECK enum takc_status takc_keyset_verify(const struct takc_keyset *k, struct takc_str kid, enum takc_token_alg alg,
                                               struct takc_str token, struct takc_err *err);

#endif
