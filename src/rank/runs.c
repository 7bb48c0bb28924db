/* SPDX-License-Identifier: Apache-2.0
 *
 * runs.c - what titles and headings give.
 *
 * A term of a title counts in every unit of the document, and "10-K" in a title of most documents counts in nearly every unit there is:
 * most of what a question touches is such runs. They are not added unit by unit. What a run gives depends on nothing but a unit's length,
 * so with the least length of a block of units it is bounded closely, and the exact share is worked out only for blocks that may hold a
 * candidate or a maximum: the same scores, for far fewer units. */
#include "rank/query.h"

size_t takc_runs_reach(const struct takc_scores *s, int level, struct takc_placed *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->runs.n; i++) {
        struct takc_run *r = &p->runs.items[i];
        uint32_t first = level == TAKC_LEVEL_UNIT ? r->from : takc_scores_window_from(s, level, r->from);
        uint32_t w = level == TAKC_LEVEL_UNIT ? r->to : takc_scores_window_from(s, level, r->to);
        w = w > first ? w : first;
        n += w - first;
        uint32_t to = level == TAKC_LEVEL_UNIT || first == w ? r->to : takc_scores_window(s, level, w - 1).to;
        uint32_t behind = to / TAKC_SCORE_BLOCK + (to % TAKC_SCORE_BLOCK != 0);
        r->behind[level] = first == w ? 0 : behind < s->n_blocks ? behind : s->n_blocks;
    }
    return n;
}

void takc_runs_bound(const struct takc_scores *s, int level, const struct takc_placed *p, float *bounds)
{
    uint32_t last = UINT32_MAX; /* the block raised last, and by how much: runs of a term that meet in a block do not add up */
    float raised = 0;
    for (size_t i = 0; i < p->runs.n; i++) {
        const struct takc_run *r = &p->runs.items[i];
        for (uint32_t b = r->from / TAKC_SCORE_BLOCK; b < r->behind[level]; b++) {
            float share = p->weight[level] * takc_scores_share(s, level, r->tf, s->survey->shortest[level][b]);
            float had = b == last ? raised : 0;
            raised = share > had ? share : had;
            bounds[b] += raised - had;
            last = b;
        }
    }
}

/* The first run that ends behind a unit; the one behind the last at the latest. */
static const struct takc_run *run_behind(const struct takc_runs *runs, uint32_t unit)
{
    size_t lo = 0, hi = runs->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (runs->items[mid].to > unit)
            hi = mid;
        else
            lo = mid + 1;
    }
    return &runs->items[lo];
}

void takc_runs_add(const struct takc_scores *s, int level, uint32_t i, struct takc_block_scores *b)
{
    for (size_t t = 0; b->n && t < s->q->n_terms; t++) {
        const struct takc_placed *p = &s->placed[t];
        if (!p->runs.n)
            continue;
        const struct takc_run *r = run_behind(&p->runs, b->units[0].from);
        if (r->from > b->units[b->n - 1].from)
            continue;
        for (size_t k = 0; k < b->n; k++) {
            uint32_t from = b->units[k].from;
            while (r->to <= from && r->to != UINT32_MAX)
                r++;
            if (r->from <= from)
                b->score[k] += p->weight[level] * takc_scores_share(s, level, r->tf, takc_scores_length(s, level, i + (uint32_t)k));
        }
    }
}

/* Does the term stand in the unit itself? */
static bool holds(const struct takc_placed *p, uint32_t unit)
{
    size_t lo = 0, hi = p->n_own;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (p->own[mid].unit >= unit)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo < p->n_own && p->own[lo].unit == unit;
}

uint64_t takc_scores_mask(const struct takc_scores *s, uint32_t unit)
{
    uint64_t mask = 0;
    for (size_t t = 0; t < s->q->n_terms; t++) {
        const struct takc_placed *p = &s->placed[t];
        bool held = p->runs.n && run_behind(&p->runs, unit)->from <= unit;
        mask |= (uint64_t)(held || holds(p, unit)) << t;
    }
    return mask;
}
