/* SPDX-License-Identifier: Apache-2.0
 *
 * candidates.c - units by s(u), best first, without scoring all of them.
 *
 * s(u) = .5 z1 + .5 z64 + .5 z128 + .7 z256 + .15 [in the 8x set]; z of a window level: the better of the first and the last window that
 * holds the unit. Two heaps: blocks of 32 units by what they could reach, and units by what they have. A block is opened when its bound is
 * not below the best unit at hand, so the order is the exact one. */
#include "rank/query.h"

static const float level_weight[TAKC_LEVELS] = {.5f, .5f, .5f, .7f};
static const float ARTIFACT_BONUS = .15f;
static const float SLACK = 1e-4f; /* bounds and scores are added in another order: more than rounding can do */

static bool before(struct takc_candidate a, struct takc_candidate b)
{
    return a.score > b.score || (a.score == b.score && a.id < b.id);
}

static void sift_down(struct takc_heap *h, size_t i)
{
    struct takc_candidate moved = h->items[i];
    for (size_t child = 2 * i + 1; child < h->n; child = 2 * i + 1) {
        if (child + 1 < h->n && before(h->items[child + 1], h->items[child]))
            child++;
        if (!before(h->items[child], moved))
            break;
        h->items[i] = h->items[child];
        i = child;
    }
    h->items[i] = moved;
}

static enum takc_status heap_add(struct takc_heap *h, struct takc_candidate c, struct takc_arena *arena, struct takc_err *err)
{
    enum takc_status st = takc_arena_grow(arena, &h->items, &h->cap, h->n + 1, sizeof(*h->items), err);
    if (st)
        return st;
    size_t i = h->n++;
    for (; i && before(c, h->items[(i - 1) / 2]); i = (i - 1) / 2)
        h->items[i] = h->items[(i - 1) / 2];
    h->items[i] = c;
    return TAKC_OK;
}

static struct takc_candidate heap_take(struct takc_heap *h)
{
    struct takc_candidate top = h->items[0], last = h->items[--h->n];
    if (h->n) {
        h->items[0] = last;
        sift_down(h, 0);
    }
    return top;
}

/* What the scores of four levels add up to. */
static float blend(const struct takc_scores *s, const float score[TAKC_LEVELS])
{
    float sum = 0;
    for (int l = 0; l < TAKC_LEVELS; l++)
        if (s->best[l] > 0)
            sum += level_weight[l] * (score[l] / s->best[l]);
    return sum;
}

enum takc_status takc_candidates_init(struct takc_candidates *c, const struct takc_scores *s, const struct takc_select_options *o,
                                      struct takc_err *err)
{
    *c = (struct takc_candidates){.scores = s, .options = o};
    enum takc_status st = TAKC_OK;
    for (uint32_t b = 0; !st && b < s->n_blocks; b++) {
        float best[TAKC_LEVELS];
        for (int l = 0; l < TAKC_LEVELS; l++)
            best[l] = s->bounds[l][b];
        float bound = blend(s, best);
        if (bound <= 0)
            continue;
        st = takc_arena_grow(s->arena, &c->blocks.items, &c->blocks.cap, c->blocks.n + 1, sizeof(*c->blocks.items), err);
        if (!st)
            c->blocks.items[c->blocks.n++] = (struct takc_candidate){bound + ARTIFACT_BONUS + SLACK, b};
    }
    for (size_t i = c->blocks.n / 2; !st && i-- > 0;)
        sift_down(&c->blocks, i);
    return st;
}

/* The better of the first and last window that holds unit; *at moves along the windows as units ascend. */
static float window_score(const struct takc_block_scores *b, size_t *at, uint32_t unit)
{
    size_t w = *at;
    while (w < b->n && b->units[w].to <= unit)
        w++;
    *at = w;
    if (w == b->n || b->units[w].from > unit)
        return 0;
    size_t last = w;
    while (last + 1 < b->n && b->units[last + 1].from <= unit)
        last++;
    return b->score[w] > b->score[last] ? b->score[w] : b->score[last];
}

static bool eligible(const struct takc_candidates *c, const unsigned char *record, uint32_t unit)
{
    if (takc_rd16(record + TAKC_UNIT_AT_FLAGS) & TAKC_UNIT_BARE)
        return false;
    size_t cursor = 0, hi = c->scores->n_allowed;
    if (c->scores->allowed) {
        while (cursor < hi) { /* the last range that begins at or before unit */
            size_t mid = cursor + (hi - cursor) / 2;
            if (c->scores->allowed[mid].to > unit)
                hi = mid;
            else
                cursor = mid + 1;
        }
        if (cursor == c->scores->n_allowed || c->scores->allowed[cursor].from > unit)
            return false;
    }
    return !c->options->admit || c->options->admit(c->options->admit_arg, unit);
}

static enum takc_status open_block(struct takc_candidates *c, uint32_t block, struct takc_err *err)
{
    const struct takc_scores *s = c->scores;
    struct takc_block_scores levels[TAKC_LEVELS];
    size_t at[TAKC_LEVELS] = {0};
    enum takc_status st = TAKC_OK;
    for (int l = 0; l < TAKC_LEVELS; l++)
        takc_scores_block(s, l, block, &levels[l]);
    for (size_t k = 0; !st && k < levels[TAKC_LEVEL_UNIT].n; k++) {
        uint32_t u = levels[TAKC_LEVEL_UNIT].units[k].from;
        const unsigned char *record = s->windows[TAKC_LEVEL_UNIT] + (size_t)u * TAKC_REC_UNIT;
        float score[TAKC_LEVELS] = {levels[TAKC_LEVEL_UNIT].score[k]};
        for (int l = 1; l < TAKC_LEVELS; l++)
            score[l] = window_score(&levels[l], &at[l], u);
        float sum = blend(s, score);
        unsigned rung = record[TAKC_UNIT_AT_KIND] >> 4;
        if (sum > 0 && rung > TAKC_RUNG_NONE && rung <= TAKC_RUNG_8)
            sum += ARTIFACT_BONUS;
        if (sum > 0 && eligible(c, record, u))
            st = heap_add(&c->units, (struct takc_candidate){sum, u}, s->arena, err);
    }
    return st;
}

enum takc_status takc_candidates_next(struct takc_candidates *c, struct takc_candidate *out, bool *out_found, struct takc_err *err)
{
    while (c->blocks.n && (!c->units.n || c->blocks.items[0].score >= c->units.items[0].score)) {
        enum takc_status st = open_block(c, heap_take(&c->blocks).id, err);
        if (st)
            return st;
    }
    *out_found = c->units.n > 0;
    if (*out_found)
        *out = heap_take(&c->units);
    return TAKC_OK;
}
