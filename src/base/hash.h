/* SPDX-License-Identifier: Apache-2.0
 *
 * base/hash.h - SHA-256 (OpenSSL) for names that must hold, a fast 64-bit hash for tables and counting.
 * Threads: pure functions; one struct takc_sha256 belongs to one thread. */
#ifndef TAKC_BASE_HASH_H
#define TAKC_BASE_HASH_H

#include "takc/str.h"

#define TAKC_SHA256_HEX 64

/* SHA-256 as lower-case hexadecimal text with a NUL behind it. */
struct takc_hex {
    char s[TAKC_SHA256_HEX + 1];
};

/* SHA-256 of s. NOMEM only. */
TAKC_CHECK enum takc_status takc_sha256(struct takc_str s, struct takc_hex *out, struct takc_err *err);

struct takc_sha256 {
    void *ctx; /* EVP_MD_CTX; NULL before init and after end or clear */
};

/* Begins a hash that is made of pieces. NOMEM leaves nothing to clear. */
TAKC_CHECK enum takc_status takc_sha256_init(struct takc_sha256 *h, struct takc_err *err);
/* Adds a piece; how the bytes are cut into pieces does not matter. NOMEM: the hash can only be cleared. */
TAKC_CHECK enum takc_status takc_sha256_add(struct takc_sha256 *h, struct takc_str s, struct takc_err *err);
/* Gives the hash of all pieces and frees h, whatever the status. NOMEM. */
TAKC_CHECK enum takc_status takc_sha256_end(struct takc_sha256 *h, struct takc_hex *out, struct takc_err *err);
/* Gives up a hash that was begun; harmless behind end and when done twice. */
void takc_sha256_clear(struct takc_sha256 *h);

/* Is s 64 lower-case hexadecimal digits? */
bool takc_hex_valid(struct takc_str s);
/* The value of a hexadecimal digit, large or small; -1: it is none. */
int takc_hex_digit(char c);

/* A 64-bit hash of the bytes (multiply and mix of 8-byte words). The same on every machine; stored in unit tables, so it may not change
 * without a new TAKC_UNITS_VERSION. Not for anything that an enemy must not collide. */
uint64_t takc_hash64(struct takc_str s, uint64_t seed);

#endif
