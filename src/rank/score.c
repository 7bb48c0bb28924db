/* SPDX-License-Identifier: Apache-2.0
 *
 * score.c - BM25 (k1 1.2, b .5) of units and of windows, term by term.
 *
 * A term's count in a unit is that in its document's title, its section's heading and itself; in a window that in the title, in the heading
 * of the window's first unit and in all its units (gather.c). What holds a term itself gets the term's share at once, less what the title
 * and heading alone would give: that part is bounded for every block of 32 units, and worked out where it can matter (runs.c). The last
 * pass takes each level's maximum: the block that could reach most is looked into, then every other that could reach more than the best
 * found. Floats are added in one fixed order: same index, same scores. */
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

/* Gives every entry that holds the term itself its share, less what its title and heading give anyway; the bounds of its blocks rise. */
static enum takc_status settle(struct takc_scores *s, int level, float weight, struct takc_err *err)
{
    const struct takc_hit *h = s->hits, *end = h + s->n_hits;
    while (h < end) {
        uint32_t number = h->i / TAKC_SCORE_PAGE, from = number * TAKC_SCORE_PAGE;
        struct takc_score_page **page = &s->pages[level][number];
        if (!*page && !(*page = takc_arena_alloc(s->arena, sizeof(**page))))
            return no_memory(err);
        for (; h < end && h->i - from < TAKC_SCORE_PAGE; h++) {
            float gain = takc_scores_share(s, level, (uint32_t)h->own + h->above, h->length);
            if (h->above)
                gain -= takc_scores_share(s, level, h->above, h->length);
            float score = (*page)->score[h->i - from] += weight * gain;
            for (uint32_t b = h->block; b < h->block + h->n_blocks; b++)
                s->bounds[level][b] = score > s->bounds[level][b] ? score : s->bounds[level][b];
        }
    }
    return TAKC_OK;
}

/* The term's idf is that among units, or among the windows of the level. */
static float weight_of(const struct takc_scores *s, int level, double df)
{
    double n = s->population[level];
    return (float)(log(1 + (fmax(n - df, 0) + .5) / (df + .5)) * (K1 + 1));
}

/* Scores a level: what terms themselves give goes to pages, what their runs can give to runs. Levels one after the other, since the pages
 * and windows of one fit a cache that those of all would not. */
static enum takc_status score_level(struct takc_scores *s, int level, float *runs, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t t = 0; !st && t < s->q->n_terms; t++) {
        struct takc_placed *p = &s->placed[t];
        if (!s->q->terms[t].entry.df)
            continue;
        size_t df = takc_runs_reach(s, level, p);
        st = takc_gather_hits(s, level, p, err);
        for (size_t i = 0; !st && i < s->n_hits; i++)
            df += s->hits[i].above == 0;
        p->weight[level] = weight_of(s, level, (double)df);
        if (!st)
            st = settle(s, level, p->weight[level], err);
        takc_runs_bound(s, level, p, runs);
    }
    return st;
}

void takc_scores_block(const struct takc_scores *s, int level, uint32_t block, struct takc_block_scores *out)
{
    uint32_t from = block * TAKC_SCORE_BLOCK, to = from + TAKC_SCORE_BLOCK, first = from, end = to;
    to = to < s->n[TAKC_LEVEL_UNIT] ? to : s->n[TAKC_LEVEL_UNIT];
    end = to;
    if (level != TAKC_LEVEL_UNIT) {
        first = takc_scores_window_behind(s, level, from);
        end = takc_scores_window_from(s, level, to);
    }
    end = end > first ? end : first;
    out->n = end - first < TAKC_BLOCK_BAGS_MAX ? end - first : TAKC_BLOCK_BAGS_MAX;
    for (uint32_t k = 0; k < out->n; k++) {
        out->units[k] = level == TAKC_LEVEL_UNIT ? (struct takc_range){first + k, first + k + 1} : takc_scores_window(s, level, first + k);
        out->score[k] = takc_scores_at(s, level, first + k);
    }
    takc_runs_add(s, level, first, out);
}

/* Puts what a block's best of a level is in place of its bound. */
static void look_into(struct takc_scores *s, int level, uint32_t block)
{
    struct takc_block_scores b;
    float best = 0;
    takc_scores_block(s, level, block, &b);
    for (size_t k = 0; k < b.n; k++)
        best = b.score[k] > best ? b.score[k] : best;
    s->bounds[level][block] = best;
    s->best[level] = best > s->best[level] ? best : s->best[level];
}

/* The bounds of a level, those of runs added, and its maximum. */
static void bound_level(struct takc_scores *s, int level, const float *runs)
{
    float *bounds = s->bounds[level];
    uint32_t top = 0;
    for (uint32_t b = 0; b < s->n_blocks; b++) {
        bounds[b] += runs[b];
        top = bounds[b] > bounds[top] ? b : top;
    }
    if (s->n_blocks)
        look_into(s, level, top);
    for (uint32_t b = 0; b < s->n_blocks; b++)
        if (bounds[b] > s->best[level])
            look_into(s, level, b);
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

static enum takc_status prepare_level(struct takc_scores *s, int level, struct takc_err *err)
{
    const struct takc_index *x = s->x;
    enum takc_index_part part = level == TAKC_LEVEL_UNIT ? TAKC_PART_UNITS : TAKC_PART_WIN64 + level - 1;
    s->n[level] = x->n[part];
    s->windows[level] = takc_index_records(x, part, 0, s->n[level], level == TAKC_LEVEL_UNIT ? TAKC_REC_UNIT : TAKC_REC_WINDOW);
    s->population[level] = s->n[level];
    double average = s->n[level] && x->lengths[level] ? (double)x->lengths[level] / s->n[level] : 1;
    s->slope[level] = (float)(K1 * B / average);
    s->pages[level] = takc_arena_array(s->arena, n_pages(s->n[level]), sizeof(void *));
    s->bounds[level] = takc_arena_array(s->arena, s->n_blocks, sizeof(float));
    if (!s->windows[level])
        return takc_index_corrupt(err, "records are not there");
    return s->pages[level] && s->bounds[level] ? TAKC_OK : no_memory(err);
}

static enum takc_status prepare(struct takc_scores *s, struct takc_err *err)
{
    uint32_t n = s->x->n[TAKC_PART_UNITS];
    enum takc_status st = takc_survey_of(s->x, &s->survey, err);
    if (st)
        return st;
    s->n_blocks = s->survey->n_blocks;
    s->bags = takc_index_records(s->x, TAKC_PART_BAGS, 0, n, TAKC_REC_BAG);
    s->placed = takc_arena_array(s->arena, s->q->n_terms, sizeof(*s->placed));
    if (!s->bags)
        return takc_index_corrupt(err, "records are not there");
    st = s->placed ? TAKC_OK : no_memory(err);
    for (int l = 0; !st && l < TAKC_LEVELS; l++)
        st = prepare_level(s, l, err);
    return st;
}

enum takc_status takc_scores_make(struct takc_scores *s, const struct takc_index *x, const struct takc_question *q,
                                  const struct takc_filter *f, struct takc_call *call, struct takc_arena *arena, struct takc_err *err)
{
    *s = (struct takc_scores){.x = x, .q = q, .arena = arena};
    float *runs[TAKC_LEVELS] = {NULL};
    enum takc_status st = prepare(s, err);
    if (!st)
        st = apply_filter(s, f, err);
    for (int l = 0; !st && l < TAKC_LEVELS; l++)
        if (!(runs[l] = takc_arena_array(arena, s->n_blocks, sizeof(float))))
            st = no_memory(err);
    for (size_t t = 0; !st && t < q->n_terms; t++) {
        st = takc_call_check(call, err);
        if (!st && q->terms[t].entry.df)
            st = takc_gather_read(s, &q->terms[t].entry, &s->placed[t], err);
    }
    for (int l = 0; !st && l < TAKC_LEVELS; l++)
        st = score_level(s, l, runs[l], err);
    for (int l = 0; !st && l < TAKC_LEVELS; l++)
        bound_level(s, l, runs[l]);
    return st;
}
