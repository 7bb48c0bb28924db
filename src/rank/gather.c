/* SPDX-License-Identifier: Apache-2.0
 *
 * gather.c - where one term stands: postings, and its counts in units and in windows.
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
        runs->items[runs->n++] = (struct takc_run){units.from, units.to, clamp(tf), {0}};
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
static enum takc_status merge_runs(struct takc_scores *s, struct takc_runs *runs, struct takc_err *err)
{
    static const struct takc_run none = {UINT32_MAX, UINT32_MAX, 0, {0}};
    const struct takc_runs *titles = &s->titles, *sections = &s->sections;
    enum takc_status st = TAKC_OK;
    uint32_t at = 0;
    for (size_t i = 0, k = 0; !st && (i < titles->n || k < sections->n);) {
        struct takc_run a = i < titles->n ? titles->items[i] : none, b = k < sections->n ? sections->items[k] : none;
        uint32_t first = a.from < b.from ? a.from : b.from, from = first > at ? first : at;
        uint32_t end_a = a.from <= from ? a.to : a.from, end_b = b.from <= from ? b.to : b.from;
        at = end_a < end_b ? end_a : end_b;
        st = add_run(s, runs, (struct takc_range){from, at}, (a.from <= from ? a.tf : 0) + (b.from <= from ? b.tf : 0), err);
        i += a.to <= at;
        k += b.to <= at;
    }
    if (!st)
        st = takc_arena_grow(s->arena, &runs->items, &runs->cap, runs->n + 1, sizeof(*runs->items), err);
    if (!st)
        runs->items[runs->n] = none;
    return st;
}

/* The units that hold the term themselves, and one behind the last that has the sum of all. */
static enum takc_status read_own(struct takc_scores *s, const struct takc_term_entry *t, size_t *pos, struct takc_placed *out,
                                 struct takc_err *err)
{
    if (t->n_units > t->postings.len) /* a posting is a byte at least */
        return takc_index_corrupt(err, "postings are damaged");
    struct takc_own *own = takc_arena_alloc(s->arena, ((size_t)t->n_units + 1) * sizeof(*own));
    if (!own)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %u postings", t->n_units);
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
    out->own = own;
    out->n_own = n;
    return TAKC_OK;
}

enum takc_status takc_gather_read(struct takc_scores *s, const struct takc_term_entry *t, struct takc_placed *out, struct takc_err *err)
{
    size_t pos = 0;
    enum takc_status st = read_runs(s, t->postings, true, t->n_docs, &pos, &s->titles, err);
    if (!st)
        st = read_runs(s, t->postings, false, t->n_sections, &pos, &s->sections, err);
    if (!st)
        st = merge_runs(s, &out->runs, err);
    return st ? st : read_own(s, t, &pos, out, err);
}

/* The hit of a unit or window i; run: the first that does not end before it. */
static inline struct takc_hit hit_at(const struct takc_scores *s, int level, uint32_t i, struct takc_range units, uint32_t tf,
                                     const struct takc_run *run)
{
    uint32_t block = units.from / TAKC_SCORE_BLOCK, last = (units.to - 1) / TAKC_SCORE_BLOCK;
    bool sound = block <= last && last < s->n_blocks;
    return (struct takc_hit){.i = i,
                             .own = clamp(tf),
                             .above = (uint16_t)(run->from <= units.from ? run->tf : 0),
                             .length = takc_scores_length(s, level, i),
                             .n_blocks = (uint16_t)(sound ? last - block + 1 : 0),
                             .block = block};
}

static enum takc_status gather_units(struct takc_scores *s, const struct takc_placed *p, struct takc_err *err)
{
    const struct takc_run *run = p->runs.items;
    enum takc_status st = takc_arena_grow(s->arena, &s->hits, &s->hits_cap, p->n_own + 1, sizeof(*s->hits), err);
    for (size_t i = 0; !st && i < p->n_own; i++) {
        uint32_t unit = p->own[i].unit;
        while (run->to <= unit)
            run++;
        s->hits[i] = hit_at(s, TAKC_LEVEL_UNIT, unit, (struct takc_range){unit, unit + 1}, p->own[i + 1].before - p->own[i].before, run);
    }
    s->n_hits = st ? 0 : p->n_own;
    return st;
}

static enum takc_status gather_windows(struct takc_scores *s, int level, const struct takc_placed *p, struct takc_err *err)
{
    const struct takc_own *first = p->own, *last = p->own; /* of the window at hand, and behind it */
    const struct takc_run *run = p->runs.items;            /* with one behind the last that begins behind all units */
    enum takc_status st = TAKC_OK;
    const uint32_t n = s->n[level];
    size_t n_hits = 0;
    for (uint32_t w = 0; last->unit != UINT32_MAX || first != last;) {
        if (first == last) { /* none: on to the next window with the term */
            uint32_t next = takc_scores_window_behind(s, level, last->unit);
            w = next > w ? next : w;
        }
        if (w >= n)
            break;
        struct takc_range units = takc_scores_window(s, level, w);
        while (first->unit < units.from)
            first++;
        last = last > first ? last : first;
        while (last->unit < units.to)
            last++;
        uint32_t tf = last->before - first->before;
        if (tf) {
            while (run->to <= units.from && run->to != UINT32_MAX)
                run++;
            if (n_hits == s->hits_cap)
                st = takc_arena_grow(s->arena, &s->hits, &s->hits_cap, n_hits + 1, sizeof(*s->hits), err);
            if (st)
                break;
            s->hits[n_hits++] = hit_at(s, level, w, units, tf, run);
        }
        w++;
    }
    s->n_hits = n_hits;
    return st;
}

enum takc_status takc_gather_hits(struct takc_scores *s, int level, const struct takc_placed *p, struct takc_err *err)
{
    return level == TAKC_LEVEL_UNIT ? gather_units(s, p, err) : gather_windows(s, level, p, err);
}
