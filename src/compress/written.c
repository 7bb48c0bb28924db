/* SPDX-License-Identifier: Apache-2.0
 *
 * written.c - the spans that a written line stands on. The writer of artifacts and the guard of the compressor come here, so that what was
 * guarded is what is proved. */
#include "base/alloc.h"
#include "compress/steps.h"

static enum takc_status add_span(struct takc_span s, struct takc_span **spans, size_t *n, size_t *cap, struct takc_err *err)
{
    if (s.start >= s.end)
        return TAKC_OK;
    enum takc_status st = takc_grow(spans, cap, *n + 1, sizeof(**spans), err);
    if (!st)
        (*spans)[(*n)++] = s;
    return st;
}

static bool anchor_was_before(const struct takc_units *u, uint32_t first, const uint32_t *units, size_t at)
{
    for (size_t k = 0; k < at; k++)
        if (u->units[units[k] - first].anchor == u->units[units[at] - first].anchor)
            return true;
    return false;
}

enum takc_status takc_written_spans(const struct takc_units *u, uint32_t first, const uint32_t *units, size_t n_units,
                                    struct takc_span **spans, size_t *n, size_t *cap, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < n_units && !st; i++) {
        if (units[i] < first || units[i] - first >= u->n_units)
            return takc_fail(err, TAKC_INVALID, 0, "a line stands on units of several documents");
        const struct takc_unit *x = &u->units[units[i] - first];
        for (uint32_t k = 0; k < x->n_spans && !st; k++)
            st = add_span(u->spans[x->span_at + k], spans, n, cap, err);
    }
    for (size_t i = 0; i < n_units && !st; i++) {
        uint32_t a = u->units[units[i] - first].anchor;
        if (!a || anchor_was_before(u, first, units, i))
            continue;
        st = add_span(u->anchors[a - 1].heading, spans, n, cap, err);
        if (!st)
            st = add_span(u->anchors[a - 1].header, spans, n, cap, err);
    }
    return st;
}
