/* SPDX-License-Identifier: Apache-2.0
 *
 * base/arena.h - memory of one request or job, passed by hand and dropped in one call. What must outlive it is copied to its owner.
 * Threads: one at a time. */
#ifndef TAKC_BASE_ARENA_H
#define TAKC_BASE_ARENA_H

#include "takc/str.h"

#define TAKC_ARENA_LARGE ((size_t)512 << 10) /* some blocks of this size are kept by the process */

struct takc_arena {
    struct takc_arena_block *head;
    size_t used_bytes;
    bool secret;        /* holds keys or tokens: blocks are wiped before they are freed. Set it behind init */
    size_t block_bytes; /* of each block; 0: small at first, growing. Set behind init, for what is large and gone soon: TAKC_ARENA_LARGE */
};

/* An empty arena; the storage of the struct is the caller's. */
void takc_arena_init(struct takc_arena *a);
/* Frees everything; twice is harmless. */
void takc_arena_clear(struct takc_arena *a);
/* n zeroed bytes, aligned for any type; NULL when there is no memory. Lives as long as the arena's content. */
void *takc_arena_alloc(struct takc_arena *a, size_t n);
/* count * size zeroed bytes; NULL on overflow too. */
void *takc_arena_array(struct takc_arena *a, size_t count, size_t size);
/* A copy with a NUL behind it; ptr NULL when there is no memory. */
struct takc_str takc_arena_dup(struct takc_arena *a, struct takc_str s);
/* A formatted, NUL-terminated text; NULL when there is no memory. */
char *takc_arena_printf(struct takc_arena *a, const char *fmt, ...) TAKC_PRINTF(2, 3);

#endif
