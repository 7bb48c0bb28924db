/* SPDX-License-Identifier: Apache-2.0
 *
 * intern.c - open addressing with linear probing, at most 5/8 full; a 32-bit tag a slot keeps most misses away from the strings. */
#include "base/intern.h"
#include "base/alloc.h"
#include "base/hash.h"

void takc_intern_init(struct takc_intern *t)
{
    *t = (struct takc_intern){0};
}

void takc_intern_clear(struct takc_intern *t)
{
    takc_free(t->bytes);
    takc_free(t->at);
    takc_free(t->slots);
    takc_free(t->tags);
    takc_intern_init(t);
}

void takc_intern_reset(struct takc_intern *t)
{
    t->n = 0;
    t->bytes_len = 0;
    if (t->n_slots)
        memset(t->slots, 0, t->n_slots * sizeof(*t->slots));
}

struct takc_str takc_intern_get(const struct takc_intern *t, uint32_t i)
{
    return takc_str_n(t->bytes + t->at[i], t->at[i + 1] - t->at[i]);
}

/* The slot where s stands or would stand. */
static size_t probe(const struct takc_intern *t, struct takc_str s, uint64_t h)
{
    size_t mask = t->n_slots - 1, i = h & mask;
    uint32_t tag = (uint32_t)(h >> 32);
    while (t->slots[i] && (t->tags[i] != tag || !takc_str_eq(takc_intern_get(t, t->slots[i] - 1), s)))
        i = (i + 1) & mask;
    return i;
}

/* Spreads the strings over n slots, a power of two. */
static enum takc_status rehash(struct takc_intern *t, size_t n, struct takc_err *err)
{
    uint32_t *slots = takc_alloc_array(n, sizeof(*slots)), *tags = takc_alloc_array(n, sizeof(*tags));
    if (!slots || !tags) {
        takc_free(slots);
        takc_free(tags);
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a table of %zu words", n);
    }
    takc_free(t->slots);
    takc_free(t->tags);
    t->slots = slots;
    t->tags = tags;
    t->n_slots = n;
    for (uint32_t i = 0; i < t->n; i++) {
        uint64_t h = takc_hash64(takc_intern_get(t, i), 0);
        size_t at = h & (n - 1);
        while (slots[at])
            at = (at + 1) & (n - 1);
        slots[at] = i + 1;
        tags[at] = (uint32_t)(h >> 32);
    }
    return TAKC_OK;
}

enum takc_status takc_intern_reserve(struct takc_intern *t, size_t n, size_t n_bytes, struct takc_err *err)
{
    size_t slots = t->n_slots ? t->n_slots : 64;
    if (n > UINT32_MAX || n_bytes > SIZE_MAX / 4)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu words", n);
    while ((t->n + n + 1) * 8 > slots * 5)
        slots *= 2;
    enum takc_status st = slots > t->n_slots ? rehash(t, slots, err) : TAKC_OK;
    if (!st)
        st = takc_grow(&t->at, &t->at_cap, t->n + n + 2, sizeof(*t->at), err);
    return st ? st : takc_grow(&t->bytes, &t->bytes_cap, t->bytes_len + n_bytes + 1, 1, err);
}

enum takc_status takc_intern_add(struct takc_intern *t, struct takc_str s, uint32_t *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    if ((t->n + 1) * 8 > t->n_slots * 5)
        st = rehash(t, t->n_slots ? t->n_slots * 2 : 64, err);
    if (st)
        return st;
    uint64_t h = takc_hash64(s, 0);
    size_t i = probe(t, s, h);
    if (t->slots[i]) {
        *out = t->slots[i] - 1;
        return TAKC_OK;
    }
    if (t->n >= UINT32_MAX - 2)
        return takc_fail(err, TAKC_NOMEM, 0, "more than 2^32 different words");
    st = takc_grow(&t->at, &t->at_cap, t->n + 2, sizeof(*t->at), err);
    if (!st)
        st = takc_grow(&t->bytes, &t->bytes_cap, t->bytes_len + s.len + 1, 1, err);
    if (st)
        return st;
    if (s.len)
        memcpy(t->bytes + t->bytes_len, s.ptr, s.len);
    if (t->n == 0)
        t->at[0] = 0;
    t->bytes_len += s.len;
    t->at[t->n + 1] = t->bytes_len;
    t->slots[i] = (uint32_t)t->n + 1;
    t->tags[i] = (uint32_t)(h >> 32);
    *out = (uint32_t)t->n++;
    return TAKC_OK;
}

uint32_t takc_intern_find(const struct takc_intern *t, struct takc_str s)
{
    if (!t->n)
        return TAKC_INTERN_NONE;
    size_t i = probe(t, s, takc_hash64(s, 0));
    return t->slots[i] ? t->slots[i] - 1 : TAKC_INTERN_NONE;
}
