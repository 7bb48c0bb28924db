/* SPDX-License-Identifier: Apache-2.0
 *
 * lines.c - sets of lines, read off artifacts and renumbered. */
#include "pipeline/lines.h"
#include "base/bit.h"
#include "pipeline/needles.h"

static enum takc_status copy_written(const struct takc_written *w, struct takc_arena *arena, struct takc_written *out, struct takc_err *err)
{
    uint32_t *units = takc_arena_array(arena, w->n_units, sizeof(*units));
    out->text = takc_arena_dup(arena, w->text);
    if (!units || !out->text.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for lines");
    memcpy(units, w->units, w->n_units * sizeof(*units));
    out->units = units;
    out->n_units = w->n_units;
    return TAKC_OK;
}

enum takc_status takc_line_set_of(const struct takc_artifact *a, const struct takc_corpus *c, const struct takc_selection *s,
                                  struct takc_arena *arena, struct takc_line_set *out, struct takc_err *err)
{
    struct takc_artifact_units u;
    enum takc_status st = takc_artifact_read_units(a, c, s, &u, err);
    *out = (struct takc_line_set){.bits = takc_arena_alloc(arena, s->n_units / 8 + 1),
                                  .written = takc_arena_array(arena, u.n_written + 1, sizeof(*out->written))};
    if (!st && (!out->bits || !out->written))
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for lines");
    if (!st)
        memcpy(out->bits, u.bits, s->n_units / 8 + 1);
    for (size_t i = 0; i < u.n_written && !st; i++)
        st = copy_written(&u.written[i], arena, &out->written[out->n_written++], err);
    takc_artifact_units_clear(&u);
    return st;
}

static bool is_found(void *arg, uint32_t needle, size_t at)
{
    (void)needle;
    (void)at;
    *(bool *)arg = true;
    return false;
}

static bool stays(const struct takc_written *w, const uint32_t *number, const struct takc_needles *needles)
{
    bool found = false;
    for (size_t i = 0; i < w->n_units; i++)
        if (!number[w->units[i]])
            return false;
    if (needles)
        takc_needles_search(needles, w->text, is_found, &found);
    return !found;
}

enum takc_status takc_line_set_move(const struct takc_line_set *from, const uint32_t *number, const struct takc_needles *needles,
                                    struct takc_arena *arena, struct takc_line_set *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    out->n_written = 0;
    out->written = takc_arena_array(arena, from->n_written + 1, sizeof(*out->written));
    if (!out->written)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for lines");
    for (size_t i = 0; i < from->n_written && !st; i++) {
        struct takc_written *w = &out->written[out->n_written];
        if (!stays(&from->written[i], number, needles))
            continue;
        st = copy_written(&from->written[i], arena, w, err);
        for (size_t k = 0; k < w->n_units && !st; k++)
            ((uint32_t *)(uintptr_t)w->units)[k] = number[w->units[k]] - 1;
        out->n_written++;
    }
    return st;
}

void takc_line_set_mark(const struct takc_line_set *l, uint8_t *bits)
{
    for (size_t i = 0; i < l->n_written; i++)
        for (size_t k = 0; k < l->written[i].n_units; k++)
            takc_bit_set(bits, l->written[i].units[k]);
}
