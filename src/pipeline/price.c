/* SPDX-License-Identifier: Apache-2.0
 *
 * price.c - the arithmetic of prices. 128 bits between, and sums of products of two, so that none wraps. */
#include "pipeline/price.h"

enum { SPREAD_MILLE = 1250 }; /* "[123] " before lines of some twenty tokens, and titles */
typedef unsigned __int128 wide;

static uint64_t narrow(wide v)
{
    return v > UINT64_MAX ? UINT64_MAX : (uint64_t)v;
}

static uint64_t cached_price(const struct takc_model_facts *f, uint64_t n, uint64_t tokens)
{
    uint64_t read = f->price_cache_read, write = f->price_cache_write;
    wide all = (wide)tokens * read;
    return narrow(write >= read ? all + (wide)tokens * (write - read) / n : all - (wide)tokens * (read - write) / n);
}

void takc_price_prefix(const struct takc_model_facts *f, uint64_t n_questions, struct takc_price_of *p)
{
    uint64_t n = n_questions ? n_questions : TAKC_PRICE_QUESTIONS;
    p->picodollars = narrow((wide)p->tokens * f->price_input);
    p->cached = false;
    if (!f->cache_min || p->tokens < f->cache_min)
        return;
    uint64_t cached = cached_price(f, n, p->tokens);
    if (f->cache_points && cached >= p->picodollars)
        return;
    p->picodollars = cached;
    p->cached = true;
}

size_t takc_price_choose(const struct takc_model_facts *f, uint64_t n_questions, struct takc_price_of *candidates, size_t n, size_t at)
{
    size_t best = at;
    for (size_t i = 0; i < n; i++) {
        takc_price_prefix(f, n_questions, &candidates[i]);
        if (i > at && candidates[i].picodollars < candidates[best].picodollars)
            best = i;
    }
    return best;
}

void takc_price_rates(const struct takc_model_facts *f, uint64_t n_questions, const struct takc_price_task *t, const uint32_t *rates,
                      size_t n, struct takc_price_of *out)
{
    uint64_t spread = t->spread_mille ? t->spread_mille : SPREAD_MILLE;
    for (size_t i = 0; i < n; i++) {
        uint64_t artifact = rates[i] ? narrow((wide)t->source_tokens * 1000 / rates[i]) : t->source_tokens;
        out[i] = (struct takc_price_of){.tokens = narrow(t->rules_tokens + (wide)artifact * spread / 1000)};
        takc_price_prefix(f, n_questions, &out[i]);
    }
}
