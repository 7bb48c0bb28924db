/* SPDX-License-Identifier: Apache-2.0
 *
 * survey.c - what every question needs of an index's windows: the least length in each block of units, and the way from a unit to its
 * windows. Made by the first question and kept with the open index, about two bytes a unit; threads that come at the same time each make
 * one, and the first to finish is kept. */
#include "rank/query.h"

#include "base/alloc.h"

static void survey_free(struct takc_survey *v)
{
    for (int l = 0; v && l < TAKC_LEVELS; l++) {
        takc_free(v->shortest[l]);
        takc_free(v->ending[l]);
    }
    takc_free(v);
}

void takc_survey_clear(struct takc_index *x)
{
    survey_free(atomic_load(&x->survey->made));
    takc_free(x->survey);
}

static void units(const struct takc_index *x, struct takc_survey *v)
{
    uint16_t *shortest = v->shortest[TAKC_LEVEL_UNIT];
    const unsigned char *bags = takc_index_records(x, TAKC_PART_BAGS, 0, x->n[TAKC_PART_UNITS], TAKC_REC_BAG);
    for (uint32_t i = 0; bags && i < x->n[TAKC_PART_UNITS]; i++) {
        uint16_t length = takc_rd16(bags + (size_t)i * TAKC_REC_BAG);
        shortest[i / TAKC_SCORE_BLOCK] = length < shortest[i / TAKC_SCORE_BLOCK] ? length : shortest[i / TAKC_SCORE_BLOCK];
    }
}

static void windows(const struct takc_index *x, int level, uint32_t n_steps, struct takc_survey *v)
{
    uint32_t n = x->n[TAKC_PART_WIN64 + level - 1], step = 0;
    const unsigned char *p = takc_index_records(x, TAKC_PART_WIN64 + level - 1, 0, n, TAKC_REC_WINDOW);
    for (uint32_t i = 0; p && i < n; i++, p += TAKC_REC_WINDOW) {
        uint64_t from = takc_rd32(p), to = from + takc_rd16(p + 4);
        uint16_t length = takc_rd16(p + 6);
        for (; step < n_steps && (uint64_t)step * TAKC_SCORE_STEP < to; step++)
            v->ending[level][step] = i;
        for (uint64_t b = from / TAKC_SCORE_BLOCK; b < v->n_blocks && b * TAKC_SCORE_BLOCK < to; b++)
            v->shortest[level][b] = length < v->shortest[level][b] ? length : v->shortest[level][b];
    }
    while (step < n_steps)
        v->ending[level][step++] = n;
}

static struct takc_survey *survey_new(const struct takc_index *x)
{
    struct takc_survey *v = takc_alloc(sizeof(*v));
    uint32_t n = x->n[TAKC_PART_UNITS], n_steps = n / TAKC_SCORE_STEP + 2;
    bool ok = v != NULL;
    if (ok)
        *v = (struct takc_survey){.n_blocks = n / TAKC_SCORE_BLOCK + (n % TAKC_SCORE_BLOCK != 0)};
    for (int l = 0; ok && l < TAKC_LEVELS; l++) {
        v->shortest[l] = takc_alloc_array((size_t)v->n_blocks + 1, sizeof(uint16_t));
        v->ending[l] = l == TAKC_LEVEL_UNIT ? NULL : takc_alloc_array(n_steps, sizeof(uint32_t));
        ok = v->shortest[l] && (l == TAKC_LEVEL_UNIT || v->ending[l]);
        if (ok)
            memset(v->shortest[l], 0xFF, v->n_blocks * sizeof(uint16_t));
        if (ok && l == TAKC_LEVEL_UNIT)
            units(x, v);
        else if (ok)
            windows(x, l, n_steps, v);
    }
    if (ok)
        return v;
    survey_free(v);
    return NULL;
}

enum takc_status takc_survey_of(const struct takc_index *x, const struct takc_survey **out, struct takc_err *err)
{
    struct takc_survey *had = atomic_load(&x->survey->made), *mine;
    if (!had) {
        mine = survey_new(x);
        if (!mine)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for the survey of an index");
        if (atomic_compare_exchange_strong(&x->survey->made, &had, mine))
            had = mine;
        else
            survey_free(mine);
    }
    *out = had;
    return TAKC_OK;
}
