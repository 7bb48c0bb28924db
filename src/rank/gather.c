/* SPDX-License-Identifier: Apache-2.0
 *
 * gather.c - counts of one term in units and in windows.
 *
 * The postings are read once for all levels. Titles and headings become runs of units that share a count, units that hold the term
 * themselves become postings with the sum of the counts before them. Both ascend, as windows do, so each level is one walk: the count of a
 * window is a difference of two sums, whatever number of its units holds the term, and windows without the term are leapt over. */
#include "rank/query.h"

static inline uint16_t clamp(uint32_t tf)
{
    return tf < UINT16_MAX ? (uint16_t)tf : UINT16_MAX;
}

/* Is the unit let through? *cursor moves along the ascending ranges. */
static bool allowed(const struct takc_scores *s, uint32_t unit, size_t *cursor)
{
    if (!s->allowed)
        return true;
    while (*cursor < s->n_allowed && s->allowed[*cursor].to <= unit)
        ++*cursor;
    return *cursor < s->n_allowed && s->allowed[*cursor].from <= unit;
}

static enum takc_status add_run(struct takc_scores *s, struct takc_runs *runs, struct takc_range units, uint32_t tf, struct takc_err *err)
{
    if (runs->n && units.from < runs->items[runs->n - 1].to)
        return takc_index_corrupt(err, "units of a document or section are out of order");
    enum takc_status st = takc_arena_grow(s->arena, &runs->items, &runs->cap, runs->n + 1, sizeof(*runs->items), err);
    if (!st)
        runs->items[runs->n++] = (struct takc_run){units.from, units.to, clamp(tf)};
    return st;
}

/* Units of the documents, or below the headings, that hold the term. */
static enum takc_status read_runs(struct takc_scores *s, struct takc_str postings, bool titles, uint32_t n, size_t *pos,
                                  struct takc_runs *runs, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    uint32_t id = UINT32_MAX, tf;
    size_t cursor = 0;
    runs->n = 0;
    for (uint32_t i = 0; !st && i < n; i++) {
        struct takc_section section = {{0, 0}, {0, 0}, {0, 0}, 0, 0};
        if (!takc_posting_next(postings, pos, s->x->n[titles ? TAKC_PART_DOCS : TAKC_PART_SECTIONS], &id, &tf))
            return takc_index_corrupt(err, "postings are damaged");
        st = titles ? takc_index_doc_units(s->x, id, &section.below, err) : takc_index_section_at(s->x, id, &section, err);
        if (!st && section.below.from < section.below.to && allowed(s, section.below.from, &cursor))
            st = add_run(s, runs, section.below, tf, err);
    }
    return st;
}

/* One list of runs of two: where they overlap their counts are added; behind the last stands one that no unit reaches. */
static enum takc_status merge_runs(struct takc_scores *s, struct takc_gather *g, struct takc_err *err)
{
    static const struct takc_run none = {UINT32_MAX, UINT32_MAX, 0};
    enum takc_status st = TAKC_OK;
    uint32_t at = 0;
    g->runs.n = 0;
    for (size_t i = 0, k = 0; !st && (i < g->titles.n || k < g->sections.n);) {
        struct takc_run a = i < g->titles.n ? g->titles.items[i] : none, b = k < g->sections.n ? g->sections.items[k] : none;
        uint32_t first = a.from < b.from ? a.from : b.from, from = first > at ? first : at;
        uint32_t end_a = a.from <= from ? a.to : a.from, end_b = b.from <= from ? b.to : b.from;
        at = end_a < end_b ? end_a : end_b;
        st = add_run(s, &g->runs, (struct takc_range){from, at}, (a.from <= from ? a.tf : 0) + (b.from <= from ? b.tf : 0), err);
        i += a.to <= at;
        k += b.to <= at;
    }
    if (!st)
        st = takc_arena_grow(s->arena, &g->runs.items, &g->runs.cap, g->runs.n + 1, sizeof(*g->runs.items), err);
    if (!st)
        g->runs.items[g->runs.n] = none;
    return st;
}

/* The units that hold the term themselves, and one behind the last that has the sum of all. */
static enum takc_status read_own(struct takc_scores *s, const struct takc_term_entry *t, size_t *pos, struct takc_err *err)
{
    struct takc_gather *g = &s->gather;
    if (t->n_units > t->postings.len) /* a posting is a byte at least */
        return takc_index_corrupt(err, "postings are damaged");
    enum takc_status st = takc_arena_grow(s->arena, &g->own, &g->own_cap, (size_t)t->n_units + 1, sizeof(*g->own), err);
    if (st)
        return st;
    struct takc_own *own = g->own;
    uint32_t id = UINT32_MAX, tf, sum = 0; /* sum may wrap: only differences are used */
    size_t cursor = 0, n = 0;
    for (uint32_t i = 0; i < t->n_units; i++) {
        if (!takc_posting_next(t->postings, pos, s->x->n[TAKC_PART_UNITS], &id, &tf))
            return takc_index_corrupt(err, "postings are damaged");
        if (!allowed(s, id, &cursor))
            continue;
        own[n++] = (struct takc_own){id, sum};
        sum += clamp(tf);
    }
    own[n] = (struct takc_own){UINT32_MAX, sum};
    g->n_own = n;
    return TAKC_OK;
}

enum takc_status takc_gather_read(struct takc_scores *s, const struct takc_term_entry *t, struct takc_err *err)
{
    struct takc_gather *g = &s->gather;
    size_t pos = 0;
    enum takc_status st = read_runs(s, t->postings, true, t->n_docs, &pos, &g->titles, err);
    if (!st)
        st = read_runs(s, t->postings, false, t->n_sections, &pos, &g->sections, err);
    if (!st)
        st = merge_runs(s, g, err);
    return st ? st : read_own(s, t, &pos, err);
}

static inline struct takc_hit unit_hit(const struct takc_scores *s, uint32_t unit, uint32_t tf)
{
    return (struct takc_hit){unit, clamp(tf), takc_rd16(s->bags + (size_t)unit * TAKC_REC_BAG)};
}

enum takc_status takc_gather_units(struct takc_scores *s, struct takc_err *err)
{
    struct takc_gather *g = &s->gather;
    const struct takc_own *own = g->own, *end = g->own + g->n_own;
    size_t n = g->n_own;
    for (size_t i = 0; i < g->runs.n; i++)
        n += g->runs.items[i].to - g->runs.items[i].from;
    enum takc_status st = takc_arena_grow(s->arena, &g->hits, &g->hits_cap, n + 1, sizeof(*g->hits), err);
    if (st)
        return st;
    struct takc_hit *to = g->hits;
    for (size_t i = 0; i < g->runs.n; i++) {
        const struct takc_run *r = &g->runs.items[i];
        for (; own->unit < r->from; own++)
            *to++ = unit_hit(s, own->unit, own[1].before - own->before);
        for (uint32_t u = r->from; u < r->to; u++) {
            uint32_t tf = r->tf;
            if (own->unit == u) {
                tf += own[1].before - own->before;
                own++;
            }
            *to++ = unit_hit(s, u, tf);
        }
    }
    for (; own < end; own++)
        *to++ = unit_hit(s, own->unit, own[1].before - own->before);
    g->n_hits = (size_t)(to - g->hits);
    return TAKC_OK;
}

/* The first window from w on that ends behind unit, or begins at or behind run; guess is where it may be. Windows ascend in both, so the
 * steps away from the guess double until it lies between two of them. */
static uint32_t leap(const struct takc_scores *s, int level, uint32_t w, uint32_t guess, uint32_t unit, uint32_t run)
{
    uint32_t n = s->n[level], lo = w, hi = guess < n ? guess : n;
#define REACHED(w) (takc_scores_window(s, level, w).to > unit || takc_scores_window(s, level, w).from >= run)
    for (uint32_t step = 1; hi < n && !REACHED(hi); step *= 2) {
        lo = hi + 1;
        hi = n - hi > step ? hi + step : n;
    }
    for (uint32_t step = 1; lo < hi && hi <= guess; step *= 2) { /* the guess was not too low */
        uint32_t mid = hi - lo > step ? hi - step : lo;
        if (!REACHED(mid)) {
            lo = mid + 1;
            break;
        }
        hi = mid;
    }
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (REACHED(mid))
            hi = mid;
        else
            lo = mid + 1;
    }
#undef REACHED
    return lo;
}

/* Where the next window with the term is, w having none: behind it by as much as windows follow units on the whole. */
static uint32_t next_window(const struct takc_scores *s, int level, uint32_t w, uint32_t behind, uint32_t unit, uint32_t run)
{
    uint32_t to = unit < run ? unit : run;
    uint64_t skipped = to > behind ? (uint64_t)(to - behind) * s->n[level] / s->n[TAKC_LEVEL_UNIT] : 0;
    uint64_t guess = w + 1 + skipped;
    return leap(s, level, w + 1, guess < s->n[level] ? (uint32_t)guess : s->n[level], unit, run);
}

enum takc_status takc_gather_windows(struct takc_scores *s, int level, struct takc_err *err)
{
    struct takc_gather *g = &s->gather;
    const struct takc_own *first = g->own, *last = g->own; /* of the window at hand, and behind it */
    const struct takc_run *run = g->runs.items;            /* with one behind the last that begins behind all units */
    enum takc_status st = TAKC_OK;
    g->n_hits = 0;
    for (uint32_t w = 0; !st && w < s->n[level];) {
        struct takc_range units = takc_scores_window(s, level, w);
        while (run->to <= units.from && run->to != UINT32_MAX)
            run++;
        while (first->unit < units.from)
            first++;
        last = last > first ? last : first;
        while (last->unit < units.to)
            last++;
        uint32_t tf = last->before - first->before + (run->from <= units.from ? run->tf : 0);
        if (tf) {
            if (g->n_hits == g->hits_cap)
                st = takc_arena_grow(s->arena, &g->hits, &g->hits_cap, g->n_hits + 1, sizeof(*g->hits), err);
            if (!st)
                g->hits[g->n_hits++] = (struct takc_hit){w, clamp(tf), takc_rd16(s->windows[level] + (size_t)w * TAKC_REC_WINDOW + 6)};
            w++;
        } else if (last->unit == UINT32_MAX && run->from == UINT32_MAX) {
            break;
        } else {
            w = next_window(s, level, w, units.to, last->unit, run->from);
        }
    }
    return st;
}
