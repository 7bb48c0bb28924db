/* SPDX-License-Identifier: Apache-2.0
 *
 * needles.c - a 64-bit window slides over the hay; a small filter lets most places pass at the cost of one load and one test. */
#include "pipeline/needles.h"
#include "base/alloc.h"
#include "base/bit.h"
#include "base/buf.h"

void takc_needles_init(struct takc_needles *s)
{
    *s = (struct takc_needles){0};
    takc_arena_init(&s->arena);
}

void takc_needles_clear(struct takc_needles *s)
{
    takc_free(s->list);
    takc_free(s->slots);
    takc_free(s->next);
    takc_free(s->filter);
    takc_arena_clear(&s->arena);
    takc_needles_init(s);
}

enum takc_status takc_needles_add(struct takc_needles *s, struct takc_str needle, struct takc_err *err)
{
    if (needle.len < TAKC_NEEDLE_MIN)
        return TAKC_OK;
    enum takc_status st = takc_grow(&s->list, &s->cap, s->n + 1, sizeof(*s->list), err);
    if (st)
        return st;
    s->list[s->n] = takc_arena_dup(&s->arena, needle);
    if (!s->list[s->n].ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a sentence");
    s->n++;
    return TAKC_OK;
}

static uint64_t mix(uint64_t w)
{
    w *= 0x9E3779B97F4A7C15u;
    return w ^ w >> 32;
}

enum takc_status takc_needles_ready(struct takc_needles *s, struct takc_err *err)
{
    s->n_slots = 64;
    while (s->n_slots < s->n * 2)
        s->n_slots *= 2;
    s->slots = takc_alloc_array(s->n_slots, sizeof(*s->slots));
    s->next = takc_alloc_array(s->n, sizeof(*s->next));
    s->filter = takc_alloc(1u << 13);
    if (!s->slots || !s->next || !s->filter)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu sentences", s->n);
    for (uint32_t i = 0; i < s->n; i++) {
        uint64_t h = mix(takc_le(s->list[i].ptr, 8));
        takc_bit_set(s->filter, h & 0xFFFF);
        uint32_t *slot = &s->slots[(h >> 16) & (s->n_slots - 1)];
        s->next[i] = *slot;
        *slot = i + 1;
    }
    return TAKC_OK;
}

void takc_needles_search(const struct takc_needles *s, struct takc_str hay, bool (*hit)(void *arg, uint32_t needle, size_t at), void *arg)
{
    for (size_t at = 0; s->n && at + TAKC_NEEDLE_MIN <= hay.len; at++) {
        uint64_t w;
        memcpy(&w, hay.ptr + at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        w = __builtin_bswap64(w);
#endif
        uint64_t h = mix(w);
        if (!takc_bit(s->filter, h & 0xFFFF))
            continue;
        for (uint32_t i = s->slots[(h >> 16) & (s->n_slots - 1)]; i; i = s->next[i - 1])
            if (hay.len - at >= s->list[i - 1].len && memcmp(hay.ptr + at, s->list[i - 1].ptr, s->list[i - 1].len) == 0 &&
                !hit(arg, i - 1, at))
                return;
    }
}
