/* SPDX-License-Identifier: Apache-2.0
 *
 * order.c - the merge of all documents' sequences: a heap of heads, by (key descending, document, position). Documents are numbered in the
 * order of their names, so the number stands for the name. Without a budget this is the greedy over the whole corpus. */
#include "base/alloc.h"
#include "compress/steps.h"

struct merge {
    const struct takc_sequence *q;
    uint32_t *heap; /* documents */
    uint32_t *at;   /* per document: the next of its sequence */
    size_t n_heap;
};

static bool before(const struct merge *m, uint32_t a, uint32_t b)
{
    takc_fx ka = m->q[a].keys[m->at[a]], kb = m->q[b].keys[m->at[b]];
    return ka != kb ? ka > kb : a < b;
}

static void sink(struct merge *m, size_t at)
{
    uint32_t doc = m->heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= m->n_heap)
            break;
        if (child + 1 < m->n_heap && before(m, m->heap[child + 1], m->heap[child]))
            child++;
        if (!before(m, m->heap[child], doc))
            break;
        m->heap[at] = m->heap[child];
        at = child;
    }
    m->heap[at] = doc;
}

static void merge_all(struct merge *m, struct takc_selection *s)
{
    for (size_t at = m->n_heap / 2; at-- > 0;)
        sink(m, at);
    for (size_t n = 0; m->n_heap > 0; n++) {
        uint32_t doc = m->heap[0], at = m->at[doc]++;
        s->order[n] = s->first_unit[doc] + m->q[doc].units[at];
        s->keys[n] = m->q[doc].keys[at];
        if (m->at[doc] == m->q[doc].n)
            m->heap[0] = m->heap[--m->n_heap];
        if (m->n_heap > 0)
            sink(m, 0);
    }
}

enum takc_status takc_order_make(const struct takc_sequence *q, struct takc_selection *s, struct takc_err *err)
{
    struct merge m = {.q = q};
    enum takc_status st = TAKC_OK;
    for (size_t d = 0; d < s->n_docs; d++)
        s->n_order += q[d].n;
    m.heap = takc_alloc_array(s->n_docs, sizeof(*m.heap));
    m.at = takc_alloc_array(s->n_docs, sizeof(*m.at));
    s->order = takc_alloc_array(s->n_order, sizeof(*s->order));
    s->keys = takc_alloc_array(s->n_order, sizeof(*s->keys));
    if (!m.heap || !m.at || !s->order || !s->keys) {
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for an order of %zu units", s->n_order);
        goto out;
    }
    for (size_t d = 0; d < s->n_docs; d++)
        if (q[d].n)
            m.heap[m.n_heap++] = (uint32_t)d;
    merge_all(&m, s);
out:
    takc_free(m.heap);
    takc_free(m.at);
    return st;
}
