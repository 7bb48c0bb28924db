/* SPDX-License-Identifier: Apache-2.0
 *
 * arena.c - blocks in a list, the newest in front; large requests get a block of their own.
 *
 * Blocks of arenas that set block_bytes are kept for the next such arena, a few of them: to have them from the system anew costs more than
 * what is done in them, and between what lives longer they would leave holes. */
#include "base/arena.h"
#include "base/alloc.h"
#include "base/thread.h"

#include <openssl/crypto.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>

struct takc_arena_block {
    struct takc_arena_block *next;
    size_t used, cap;
    alignas(max_align_t) char bytes[];
};

enum { FIRST_BYTES = 2 << 10, BLOCK_BYTES = 8 << 10 }; /* blocks double from the first on: most arenas hold little */

enum { KEPT_MAX = 8 };
static struct {
    struct takc_mutex mu;
    struct takc_arena_block *first; /* zeroed */
    size_t n;
} kept = {.mu = TAKC_MUTEX_INIT};

static struct takc_arena_block *kept_take(size_t cap)
{
    takc_mutex_lock(&kept.mu);
    struct takc_arena_block *b = kept.first;
    if (b && b->cap == cap) {
        kept.first = b->next;
        kept.n--;
    } else {
        b = NULL;
    }
    takc_mutex_unlock(&kept.mu);
    return b;
}

static bool kept_give(struct takc_arena_block *b)
{
    memset(b->bytes, 0, b->used);
    b->used = 0;
    takc_mutex_lock(&kept.mu);
    bool keeps = kept.n < KEPT_MAX && (!kept.first || kept.first->cap == b->cap);
    if (keeps) {
        b->next = kept.first;
        kept.first = b;
        kept.n++;
    }
    takc_mutex_unlock(&kept.mu);
    return keeps;
}

void takc_arena_init(struct takc_arena *a)
{
    *a = (struct takc_arena){0};
}

void takc_arena_clear(struct takc_arena *a)
{
    for (struct takc_arena_block *b = a->head; b;) {
        struct takc_arena_block *next = b->next;
        if (a->secret)
            OPENSSL_cleanse(b->bytes, b->used);
        if (!a->block_bytes || b->cap != a->block_bytes || !kept_give(b))
            takc_free(b);
        b = next;
    }
    *a = (struct takc_arena){.secret = a->secret, .block_bytes = a->block_bytes};
}

/* A block with room for n bytes, put where allocation continues (in front), or behind the front for a large one-off. */
static struct takc_arena_block *add_block(struct takc_arena *a, size_t n)
{
    size_t room = a->used_bytes >= BLOCK_BYTES / 2 ? BLOCK_BYTES : a->used_bytes * 2 > FIRST_BYTES ? a->used_bytes * 2 : FIRST_BYTES;
    if (a->block_bytes)
        room = a->block_bytes;
    size_t cap = n > room / 4 ? n : room;
    struct takc_arena_block *b = a->block_bytes && cap == a->block_bytes ? kept_take(cap) : NULL;
    if (!b)
        b = n > SIZE_MAX - sizeof(*b) - BLOCK_BYTES ? NULL : takc_alloc(sizeof(*b) + cap);
    if (!b)
        return NULL;
    b->cap = cap;
    if (a->head && cap == n) {
        b->next = a->head->next;
        a->head->next = b;
    } else {
        b->next = a->head;
        a->head = b;
    }
    return b;
}

void *takc_arena_alloc(struct takc_arena *a, size_t n)
{
    size_t align = alignof(max_align_t);
    if (n > SIZE_MAX - align)
        return NULL;
    n = (n + align - 1) & ~(align - 1);
    struct takc_arena_block *b = a->head;
    if (!b || b->cap - b->used < n)
        b = add_block(a, n);
    if (!b)
        return NULL;
    void *p = b->bytes + b->used;
    b->used += n;
    a->used_bytes += n;
    return p;
}

void *takc_arena_array(struct takc_arena *a, size_t count, size_t size)
{
    size_t n;
    return __builtin_mul_overflow(count, size, &n) ? NULL : takc_arena_alloc(a, n);
}

struct takc_str takc_arena_dup(struct takc_arena *a, struct takc_str s)
{
    char *p = s.len < SIZE_MAX ? takc_arena_alloc(a, s.len + 1) : NULL;
    if (!p)
        return (struct takc_str){NULL, 0};
    if (s.len)
        memcpy(p, s.ptr, s.len);
    return takc_str_n(p, s.len);
}

char *takc_arena_printf(struct takc_arena *a, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *p = n < 0 ? NULL : takc_arena_alloc(a, (size_t)n + 1);
    if (p)
        (void)vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return p;
}
