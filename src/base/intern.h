/* SPDX-License-Identifier: Apache-2.0
 *
 * base/intern.h - strings to dense numbers 0, 1, 2 ... in the order they were first seen. Threads: one at a time; readers may share a
 * finished table. */
#ifndef TAKC_BASE_INTERN_H
#define TAKC_BASE_INTERN_H

#include "takc/str.h"

#define TAKC_INTERN_NONE UINT32_MAX

struct takc_intern {
    char *bytes; /* all strings, one behind the other */
    size_t bytes_len, bytes_cap;
    uint64_t *at; /* n + 1 starts; string i is bytes[at[i] .. at[i + 1]] */
    size_t n, at_cap;
    uint32_t *slots; /* open addressing; number + 1, 0 for empty */
    uint32_t *tags;  /* upper hash bits of each slot */
    size_t n_slots;
};

/* An empty table; the struct's storage is the caller's. */
void takc_intern_init(struct takc_intern *t);
/* Frees; twice is harmless. */
void takc_intern_clear(struct takc_intern *t);
/* Forgets all strings, keeps the memory. */
void takc_intern_reset(struct takc_intern *t);
/* Makes room for n strings of n_bytes bytes in all, so that adding them moves nothing. NOMEM leaves the table as it was. */
TAKC_CHECK enum takc_status takc_intern_reserve(struct takc_intern *t, size_t n, size_t n_bytes, struct takc_err *err);
/* The number of s, added if new. NOMEM leaves the table as it was. */
TAKC_CHECK enum takc_status takc_intern_add(struct takc_intern *t, struct takc_str s, uint32_t *out, struct takc_err *err);
/* The number of s, or TAKC_INTERN_NONE. */
uint32_t takc_intern_find(const struct takc_intern *t, struct takc_str s);
/* String i (< n); lives until the next add, reset or clear. */
struct takc_str takc_intern_get(const struct takc_intern *t, uint32_t i);

#endif
