/* SPDX-License-Identifier: Apache-2.0
 *
 * answer_filter.c - which documents count for a question: --documents, --after, --before.
 *
 * The index has the documents by name bytes, so a name is found by halving. Artifacts are made without knowing the filters; a segment
 * belongs to the document of its line's first span, and leaves with it. */
#include "pipeline/answer.h"

struct takc_filter takc_answer_filter(const struct takc_answer *q)
{
    return (struct takc_filter){q->o->documents, q->o->n_documents, q->o->has_after, q->o->has_before, q->o->after, q->o->before};
}

static bool is_filtered(const struct takc_answer *q)
{
    return q->o->n_documents || q->o->has_after || q->o->has_before;
}

enum takc_status takc_answer_filter_apply(struct takc_answer *q, struct takc_err *err)
{
    size_t n = takc_index_n_docs(q->snapshot.index), undated = 0;
    const struct takc_filter f = takc_answer_filter(q);
    struct takc_index_doc d;
    enum takc_status st = TAKC_OK;
    q->passing = takc_arena_array(&q->scratch, n + 1, sizeof(*q->passing));
    if (!q->passing)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a filter");
    for (uint32_t i = 0; !st && i < n; i++) {
        st = takc_index_doc_at(q->snapshot.index, i, &d, err);
        q->passing[i] = !st && takc_filter_passes(&f, &d);
        q->n_passing += q->passing[i];
        undated += !st && !d.has_date;
    }
    if (st || !is_filtered(q))
        return st;
    st = q->n_passing ? takc_buf_printf(&q->notes, err, "%zu of %zu documents pass the filters\n", q->n_passing, n)
                      : takc_buf_printf(&q->notes, err, "none of the %zu documents passes the filters\n", n);
    if (!st && undated && (q->o->has_after || q->o->has_before))
        st = takc_buf_printf(&q->notes, err, "documents without a date, which pass no filter of dates: %zu\n", undated);
    return st;
}

bool takc_answer_doc_find(const struct takc_answer *q, struct takc_str name, uint32_t *out)
{
    size_t lo = 0, hi = takc_index_n_docs(q->snapshot.index);
    struct takc_index_doc d;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (takc_index_doc_at(q->snapshot.index, (uint32_t)mid, &d, NULL))
            return false;
        int c = takc_str_cmp(d.name, name);
        if (c == 0) {
            *out = (uint32_t)mid;
            return true;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

bool takc_answer_name_passes(const struct takc_answer *q, struct takc_str name)
{
    uint32_t doc;
    return takc_answer_doc_find(q, name, &doc) && q->passing[doc];
}

enum takc_status takc_answer_artifact_text(struct takc_answer *q, struct takc_artifact *a, struct takc_buf *out, struct takc_err *err)
{
    struct takc_segment *left = takc_arena_array(&q->scratch, a->n_segments + 1, sizeof(*left));
    size_t n = 0;
    if (!left)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a filter");
    for (size_t i = 0; i < a->n_segments; i++) {
        const struct takc_part *body = &a->segments[i].parts[a->segments[i].n_parts - 1];
        if (!is_filtered(q) || (body->n_spans && takc_answer_name_passes(q, a->documents[body->spans[0].doc].name)))
            left[n++] = a->segments[i];
    }
    a->segments = left;
    a->n_segments = n;
    return takc_artifact_text(a, out, err);
}
