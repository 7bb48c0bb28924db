/* SPDX-License-Identifier: Apache-2.0
 *
 * score.c - BM25 (k1 1.2, b .5) of units and of windows, term by term.
 *
 * A term's count in a unit is that in its document's title, its section's heading and itself; in a window that in the title, in the heading
 * of the window's first unit and in all its units. Counts of the term at hand gather in the pages, then everything touched
 * gets the term's share and its count back to zero: the cost follows the postings, not the corpus. The last pass takes each level's maximum
 * and, for every block of 32 units, what its best unit could reach. Floats are added in one fixed order: same index, same scores. */
#include "rank/query.h"

#include <math.h>

static const double K1 = 1.2, B = .5;

static enum takc_status no_memory(struct takc_err *err)
{
    return takc_fail(err, TAKC_NOMEM, 0, "no memory for the scores of a question");
}

static size_t n_pages(uint32_t n)
{
    return ((size_t)n + TAKC_SCORE_PAGE - 1) / TAKC_SCORE_PAGE;
}

enum { DIRTY_ENTRIES = TAKC_SCORE_PAGE / 64 /* for one bit */ };

/* The page of an entry, made and noted as dirty; the caller sets the bits of what it touches. */
static inline enum takc_status page_of(struct takc_scores *s, int level, uint32_t i, struct takc_score_page **out, struct takc_err *err)
{
    struct takc_score_page **page = &s->pages[level][i / TAKC_SCORE_PAGE];
    if (!*page && !(*page = takc_arena_alloc(s->arena, sizeof(**page))))
        return no_memory(err);
    if (!(*page)->dirty) {
        enum takc_status st = takc_arena_grow(s->arena, &s->dirty, &s->dirty_cap, s->n_dirty + 1, sizeof(*s->dirty), err);
        if (st)
            return st;
        s->dirty[s->n_dirty++] = i / TAKC_SCORE_PAGE;
    }
    *out = *page;
    return TAKC_OK;
}

static inline void add_tf(struct takc_scores *s, uint16_t *at, uint32_t tf)
{
    uint32_t sum = *at + (tf < UINT16_MAX ? tf : UINT16_MAX);
    s->n_touched += *at == 0;
    *at = (uint16_t)(sum < UINT16_MAX ? sum : UINT16_MAX);
}

static enum takc_status touch(struct takc_scores *s, int level, uint32_t i, uint32_t tf, struct takc_err *err)
{
    struct takc_score_page *page = NULL;
    enum takc_status st = page_of(s, level, i, &page, err);
    if (!st) {
        add_tf(s, &page->tf[i % TAKC_SCORE_PAGE], tf);
        page->dirty |= (uint64_t)1 << i % TAKC_SCORE_PAGE / DIRTY_ENTRIES;
    }
    return st;
}

/* The first window that begins at or behind a unit, or ends behind it. */
static uint32_t window_from(const struct takc_scores *s, int level, uint32_t from, uint32_t unit, bool by_end)
{
    uint32_t step = 4, lo = from, hi = from;
#define BEHIND(w) (by_end ? takc_scores_window(s, level, w).to > unit : takc_scores_window(s, level, w).from >= unit)
    for (; hi < s->n[level] && hi < from + 4; lo = ++hi) /* mostly one of the next */
        if (BEHIND(hi))
            return hi;
    while (hi < s->n[level] && !BEHIND(hi)) {
        lo = hi + 1;
        hi = s->n[level] - hi > step ? hi + step : s->n[level];
        step *= 2;
    }
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (BEHIND(mid))
            hi = mid;
        else
            lo = mid + 1;
    }
#undef BEHIND
    return lo;
}

/* Everything of a level that begins within these units: they share a title or a heading. A page at a time. */
static enum takc_status touch_range(struct takc_scores *s, int level, struct takc_range units, uint32_t *cursor, uint32_t tf,
                                    struct takc_err *err)
{
    bool single = level == TAKC_LEVEL_UNIT;
    uint32_t i = single ? units.from : window_from(s, level, *cursor, units.from, false);
    uint32_t to = single ? units.to : window_from(s, level, i, units.to, false);
    enum takc_status st = TAKC_OK;
    while (!st && i < to) {
        struct takc_score_page *page = NULL;
        uint32_t end = i - i % TAKC_SCORE_PAGE + TAKC_SCORE_PAGE;
        st = page_of(s, level, i, &page, err);
        for (end = end < to ? end : to; !st && i < end; i++) {
            add_tf(s, &page->tf[i % TAKC_SCORE_PAGE], tf);
            page->dirty |= (uint64_t)1 << i % TAKC_SCORE_PAGE / DIRTY_ENTRIES;
        }
    }
    *cursor = i;
    return st;
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

static enum takc_status touch_titles(struct takc_scores *s, int level, const struct takc_term_entry *t, size_t *pos, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    uint32_t id = UINT32_MAX, tf, at = 0;
    size_t cursor = 0;
    struct takc_range units;
    for (uint32_t i = 0; !st && i < t->n_docs; i++) {
        if (!takc_posting_next(t->postings, pos, s->x->n[TAKC_PART_DOCS], &id, &tf))
            return takc_index_corrupt(err, "postings are damaged");
        st = takc_index_doc_units(s->x, id, &units, err);
        if (!st && units.from < units.to && allowed(s, units.from, &cursor))
            st = touch_range(s, level, units, &at, tf, err);
    }
    return st;
}

static enum takc_status touch_sections(struct takc_scores *s, int level, const struct takc_term_entry *t, size_t *pos, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    uint32_t id = UINT32_MAX, tf, at = 0;
    size_t cursor = 0;
    struct takc_section section;
    for (uint32_t i = 0; !st && i < t->n_sections; i++) {
        if (!takc_posting_next(t->postings, pos, s->x->n[TAKC_PART_SECTIONS], &id, &tf))
            return takc_index_corrupt(err, "postings are damaged");
        st = takc_index_section_at(s->x, id, &section, err);
        if (!st && section.below.from < section.below.to && allowed(s, section.below.from, &cursor))
            st = touch_range(s, level, section.below, &at, tf, err);
    }
    return st;
}

static enum takc_status touch_units(struct takc_scores *s, int level, const struct takc_term_entry *t, size_t *pos, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    uint32_t id = UINT32_MAX, tf, at = 0;
    size_t cursor = 0;
    for (uint32_t i = 0; !st && i < t->n_units; i++) {
        if (!takc_posting_next(t->postings, pos, s->x->n[TAKC_PART_UNITS], &id, &tf))
            return takc_index_corrupt(err, "postings are damaged");
        if (!allowed(s, id, &cursor))
            continue;
        if (level == TAKC_LEVEL_UNIT) {
            st = touch(s, level, id, tf, err);
            continue;
        }
        at = window_from(s, level, at, id, true);
        for (uint32_t w = at; !st && w < s->n[level] && takc_scores_window(s, level, w).from <= id; w++)
            st = touch(s, level, w, tf, err);
    }
    return st;
}

/* Length of a bag, as it stands in the column of units or in the record of a window. */
static inline uint32_t bag_length(const struct takc_scores *s, int level, uint32_t i)
{
    return level == TAKC_LEVEL_UNIT ? takc_rd16(s->bags + (size_t)i * TAKC_REC_BAG)
                                    : takc_rd16(s->windows[level] + (size_t)i * TAKC_REC_WINDOW + 6);
}

/* What a term gives: weight * tf / (tf + fixed + slope * length). */
struct share {
    float weight, fixed, slope;
    uint64_t bit;
};

static void settle_page(struct takc_scores *s, int level, uint32_t number, const struct share *share, uint64_t *mask)
{
    struct takc_score_page *page = s->pages[level][number];
    for (; page->dirty; page->dirty &= page->dirty - 1) {
        uint32_t from = (uint32_t)__builtin_ctzll(page->dirty) * DIRTY_ENTRIES;
        for (uint32_t k = from; k < from + DIRTY_ENTRIES; k++) {
            float tf = page->tf[k];
            if (tf == 0)
                continue;
            page->tf[k] = 0;
            float length = (float)bag_length(s, level, number * TAKC_SCORE_PAGE + k);
            page->score[k] += share->weight * tf / (tf + share->fixed + share->slope * length);
            if (mask)
                mask[k] |= share->bit;
        }
    }
}

/* Gives every touched entry the term's share. The term's idf is that among units, or among the windows of the level. */
static enum takc_status settle(struct takc_scores *s, int level, size_t term, struct takc_err *err)
{
    const double n = s->population[level], df = s->n_touched;
    const struct share share = {(float)(log(1 + (fmax(n - df, 0) + .5) / (df + .5)) * (K1 + 1)), (float)(K1 * (1 - B)),
                                (float)(K1 * B / s->average[level]), (uint64_t)1 << term};
    for (size_t k = 0; k < s->n_dirty; k++) {
        uint64_t **mask = level == TAKC_LEVEL_UNIT ? &s->masks[s->dirty[k]] : NULL;
        if (mask && !*mask && !(*mask = takc_arena_array(s->arena, TAKC_SCORE_PAGE, sizeof(**mask))))
            return no_memory(err);
        settle_page(s, level, s->dirty[k], &share, mask ? *mask : NULL);
    }
    s->n_dirty = 0;
    s->n_touched = 0;
    return TAKC_OK;
}

static enum takc_status score_term(struct takc_scores *s, int level, size_t term, struct takc_err *err)
{
    const struct takc_term_entry *t = &s->q->terms[term].entry;
    size_t pos = 0;
    enum takc_status st = touch_titles(s, level, t, &pos, err);
    if (!st)
        st = touch_sections(s, level, t, &pos, err);
    if (!st)
        st = touch_units(s, level, t, &pos, err);
    return st ? st : settle(s, level, term, err);
}

/* Raises the bounds of the blocks that hold these units. */
static enum takc_status raise(struct takc_scores *s, int level, struct takc_range units, float score, struct takc_err *err)
{
    uint32_t end = units.to < s->n[TAKC_LEVEL_UNIT] ? units.to : s->n[TAKC_LEVEL_UNIT];
    for (uint32_t block = units.from / TAKC_SCORE_BLOCK; (uint64_t)block * TAKC_SCORE_BLOCK < end; block++) {
        struct takc_bound_page **page = &s->bounds[block / TAKC_PAGE_BLOCKS];
        if (!*page && !(*page = takc_arena_alloc(s->arena, sizeof(**page))))
            return no_memory(err);
        float *best = &(*page)->best[level][block % TAKC_PAGE_BLOCKS];
        *best = score > *best ? score : *best;
    }
    s->best[level] = score > s->best[level] ? score : s->best[level];
    return TAKC_OK;
}

/* The best of each block of units of a page. */
static enum takc_status bound_units(struct takc_scores *s, uint32_t from, const struct takc_score_page *page, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (uint32_t k = 0; !st && k < TAKC_SCORE_PAGE; k += TAKC_SCORE_BLOCK) {
        float best = 0;
        for (uint32_t i = k; i < k + TAKC_SCORE_BLOCK; i++)
            best = page->score[i] > best ? page->score[i] : best;
        if (best > 0)
            st = raise(s, TAKC_LEVEL_UNIT, (struct takc_range){from + k, from + k + 1}, best, err);
    }
    return st;
}

static enum takc_status bound_level(struct takc_scores *s, int level, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t p = 0; !st && p < n_pages(s->n[level]); p++) {
        const struct takc_score_page *page = s->pages[level][p];
        uint32_t from = (uint32_t)p * TAKC_SCORE_PAGE;
        if (page && level == TAKC_LEVEL_UNIT)
            st = bound_units(s, from, page, err);
        for (uint32_t k = 0; page && level != TAKC_LEVEL_UNIT && !st && k < TAKC_SCORE_PAGE; k++)
            if (page->score[k] > 0)
                st = raise(s, level, takc_scores_window(s, level, from + k), page->score[k], err);
    }
    return st;
}

bool takc_filter_passes(const struct takc_filter *f, const struct takc_index_doc *d)
{
    bool named = f->n_globs == 0;
    for (size_t i = 0; !named && i < f->n_globs; i++)
        named = takc_str_glob(f->globs[i], d->name);
    if (!named || ((f->has_after || f->has_before) && !d->has_date))
        return false;
    return !(f->has_after && d->date < f->after) && !(f->has_before && d->date > f->before);
}

/* The units of the documents that a filter lets through. */
static enum takc_status apply_filter(struct takc_scores *s, const struct takc_filter *f, struct takc_err *err)
{
    if (!f || (!f->n_globs && !f->has_after && !f->has_before))
        return TAKC_OK;
    struct takc_range *ranges = takc_arena_array(s->arena, s->x->n[TAKC_PART_DOCS], sizeof(*ranges));
    if (!ranges)
        return no_memory(err);
    enum takc_status st = TAKC_OK;
    for (uint32_t i = 0; !st && i < s->x->n[TAKC_PART_DOCS]; i++) {
        struct takc_index_doc d;
        st = takc_index_doc_at(s->x, i, &d, err);
        if (!st && takc_filter_passes(f, &d))
            ranges[s->n_allowed++] = (struct takc_range){d.first_unit, d.first_unit + d.n_units};
    }
    s->allowed = ranges;
    uint64_t n_units = 0;
    for (size_t i = 0; i < s->n_allowed; i++)
        n_units += ranges[i].to - ranges[i].from;
    for (int l = 0; l < TAKC_LEVELS; l++)
        s->population[l] = s->n[0] ? ceil((double)s->n[l] * (double)n_units / s->n[0]) : 0;
    return st;
}

static enum takc_status prepare(struct takc_scores *s, struct takc_err *err)
{
    const struct takc_index *x = s->x;
    for (int l = 0; l < TAKC_LEVELS; l++) {
        enum takc_index_part part = l == TAKC_LEVEL_UNIT ? TAKC_PART_UNITS : TAKC_PART_WIN64 + l - 1;
        s->n[l] = x->n[part];
        s->windows[l] = takc_index_records(x, part, 0, s->n[l], l == TAKC_LEVEL_UNIT ? TAKC_REC_UNIT : TAKC_REC_WINDOW);
        s->population[l] = s->n[l];
        s->average[l] = s->n[l] && x->lengths[l] ? (double)x->lengths[l] / s->n[l] : 1;
        s->pages[l] = takc_arena_array(s->arena, n_pages(s->n[l]), sizeof(void *));
        if (!s->windows[l])
            return takc_index_corrupt(err, "records are not there");
        if (!s->pages[l])
            return no_memory(err);
    }
    s->bags = takc_index_records(x, TAKC_PART_BAGS, 0, s->n[0], TAKC_REC_BAG);
    s->masks = takc_arena_array(s->arena, n_pages(s->n[0]), sizeof(void *));
    s->bounds = takc_arena_array(s->arena, n_pages(s->n[0]), sizeof(void *));
    if (!s->bags)
        return takc_index_corrupt(err, "records are not there");
    return s->masks && s->bounds ? TAKC_OK : no_memory(err);
}

enum takc_status takc_scores_make(struct takc_scores *s, const struct takc_index *x, const struct takc_question *q,
                                  const struct takc_filter *f, struct takc_call *call, struct takc_arena *arena, struct takc_err *err)
{
    *s = (struct takc_scores){.x = x, .q = q, .arena = arena};
    enum takc_status st = prepare(s, err);
    if (!st)
        st = apply_filter(s, f, err);
    for (size_t t = 0; !st && t < q->n_terms; t++) {
        st = takc_call_check(call, err);
        for (int l = 0; !st && l < TAKC_LEVELS && q->terms[t].entry.df; l++)
            st = score_term(s, l, t, err);
    }
    for (int l = 0; !st && l < TAKC_LEVELS; l++)
        st = bound_level(s, l, err);
    return st;
}
