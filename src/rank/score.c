/* SPDX-License-Identifier: Apache-2.0
 *
 * score.c - BM25 (k1 1.2, b .5) of units and of windows, term by term.
 *
 * A term's count in a unit is that in its document's title, its section's heading and itself; in a window that in the title, in the heading
 * of the window's first unit and in all its units (gather.c). What holds a term gets the term's share: the cost follows the postings, not
 * the corpus. The last pass takes each level's maximum and, for every block of 32 units, what its best unit could reach. Floats are added
 * in one fixed order: same index, same scores. */
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

/* What a term gives: weight * tf / (tf + fixed + slope * length). */
struct share {
    float weight, fixed, slope;
    uint64_t bit;
};

static enum takc_status pages_of(struct takc_scores *s, int level, uint32_t number, float **out_score, uint64_t **out_mask,
                                 struct takc_err *err)
{
    struct takc_score_page **page = &s->pages[level][number];
    uint64_t **mask = level == TAKC_LEVEL_UNIT ? &s->masks[number] : NULL;
    if (!*page && !(*page = takc_arena_alloc(s->arena, sizeof(**page))))
        return no_memory(err);
    if (mask && !*mask && !(*mask = takc_arena_array(s->arena, TAKC_SCORE_PAGE, sizeof(**mask))))
        return no_memory(err);
    *out_score = (*page)->score;
    *out_mask = mask ? *mask : NULL;
    return TAKC_OK;
}

/* Gives every entry that holds the term its share. The term's idf is that among units, or among the windows of the level. */
static enum takc_status settle(struct takc_scores *s, int level, size_t term, struct takc_err *err)
{
    const struct takc_hit *h = s->gather.hits, *end = h + s->gather.n_hits;
    const double n = s->population[level], df = (double)s->gather.n_hits;
    const struct share share = {(float)(log(1 + (fmax(n - df, 0) + .5) / (df + .5)) * (K1 + 1)), (float)(K1 * (1 - B)),
                                (float)(K1 * B / s->average[level]), (uint64_t)1 << term};
    while (h < end) {
        uint32_t number = h->i / TAKC_SCORE_PAGE, from = number * TAKC_SCORE_PAGE;
        float *score = NULL;
        uint64_t *mask = NULL;
        enum takc_status st = pages_of(s, level, number, &score, &mask, err);
        if (st)
            return st;
        for (; h < end && h->i - from < TAKC_SCORE_PAGE; h++) {
            float tf = h->tf, length = h->length;
            score[h->i - from] += share.weight * tf / (tf + share.fixed + share.slope * length);
            if (mask)
                mask[h->i - from] |= share.bit;
        }
    }
    return TAKC_OK;
}

static enum takc_status score_term(struct takc_scores *s, size_t term, struct takc_err *err)
{
    enum takc_status st = takc_gather_read(s, &s->q->terms[term].entry, err);
    for (int l = 0; !st && l < TAKC_LEVELS; l++) {
        st = l == TAKC_LEVEL_UNIT ? takc_gather_units(s, err) : takc_gather_windows(s, l, err);
        if (!st)
            st = settle(s, l, term, err);
    }
    return st;
}

/* The best of each block of units of a page. */
static void bound_units(struct takc_scores *s, uint32_t from, const struct takc_score_page *page)
{
    for (uint32_t k = 0; k < TAKC_SCORE_PAGE && from + k < s->n[TAKC_LEVEL_UNIT]; k += TAKC_SCORE_BLOCK) {
        float best[4] = {0, 0, 0, 0}; /* four, so that none waits for another */
        for (uint32_t i = k; i < k + TAKC_SCORE_BLOCK; i += 4)
            for (uint32_t j = 0; j < 4; j++)
                best[j] = page->score[i + j] > best[j] ? page->score[i + j] : best[j];
        float a = best[0] > best[1] ? best[0] : best[1], b = best[2] > best[3] ? best[2] : best[3];
        s->bounds[TAKC_LEVEL_UNIT][(from + k) / TAKC_SCORE_BLOCK] = a > b ? a : b;
    }
}

/* Raises the bounds of the blocks that hold units of the windows of a page. The block at hand is kept aside: windows side by side share it.
 */
static void bound_windows(struct takc_scores *s, int level, uint32_t from, const struct takc_score_page *page)
{
    float *bounds = s->bounds[level], best = 0;
    uint32_t at = 0;
    for (uint32_t k = 0; k < TAKC_SCORE_PAGE; k++) {
        float score = page->score[k];
        if (score <= 0)
            continue;
        struct takc_range units = takc_scores_window(s, level, from + k);
        uint32_t b = units.from / TAKC_SCORE_BLOCK, last = (units.to - 1) / TAKC_SCORE_BLOCK;
        if (units.from >= units.to || last >= s->n_blocks)
            continue; /* damaged */
        if (b != at) {
            bounds[at] = best > bounds[at] ? best : bounds[at];
            at = b;
            best = 0;
        }
        best = score > best ? score : best;
        while (b++ < last)
            bounds[b] = score > bounds[b] ? score : bounds[b];
    }
    if (at < s->n_blocks)
        bounds[at] = best > bounds[at] ? best : bounds[at];
}

static void bound_level(struct takc_scores *s, int level)
{
    for (size_t p = 0; p < n_pages(s->n[level]); p++) {
        const struct takc_score_page *page = s->pages[level][p];
        if (page && level == TAKC_LEVEL_UNIT)
            bound_units(s, (uint32_t)p * TAKC_SCORE_PAGE, page);
        else if (page)
            bound_windows(s, level, (uint32_t)p * TAKC_SCORE_PAGE, page);
    }
    for (uint32_t b = 0; b < s->n_blocks; b++)
        s->best[level] = s->bounds[level][b] > s->best[level] ? s->bounds[level][b] : s->best[level];
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
    s->n_blocks = x->n[TAKC_PART_UNITS] / TAKC_SCORE_BLOCK + (x->n[TAKC_PART_UNITS] % TAKC_SCORE_BLOCK != 0);
    for (int l = 0; l < TAKC_LEVELS; l++) {
        enum takc_index_part part = l == TAKC_LEVEL_UNIT ? TAKC_PART_UNITS : TAKC_PART_WIN64 + l - 1;
        s->n[l] = x->n[part];
        s->windows[l] = takc_index_records(x, part, 0, s->n[l], l == TAKC_LEVEL_UNIT ? TAKC_REC_UNIT : TAKC_REC_WINDOW);
        s->population[l] = s->n[l];
        s->average[l] = s->n[l] && x->lengths[l] ? (double)x->lengths[l] / s->n[l] : 1;
        s->pages[l] = takc_arena_array(s->arena, n_pages(s->n[l]), sizeof(void *));
        s->bounds[l] = takc_arena_array(s->arena, s->n_blocks, sizeof(float));
        if (!s->windows[l])
            return takc_index_corrupt(err, "records are not there");
        if (!s->pages[l] || !s->bounds[l])
            return no_memory(err);
    }
    s->bags = takc_index_records(x, TAKC_PART_BAGS, 0, s->n[0], TAKC_REC_BAG);
    s->masks = takc_arena_array(s->arena, n_pages(s->n[0]), sizeof(void *));
    if (!s->bags)
        return takc_index_corrupt(err, "records are not there");
    return s->masks ? TAKC_OK : no_memory(err);
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
        if (!st && q->terms[t].entry.df)
            st = score_term(s, t, err);
    }
    for (int l = 0; !st && l < TAKC_LEVELS; l++)
        bound_level(s, l);
    return st;
}
