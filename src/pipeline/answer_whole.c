/* SPDX-License-Identifier: Apache-2.0
 *
 * answer_whole.c - everything as context: the documents' own text, for a corpus smaller than the reader's budget. */
#include "pipeline/answer.h"

enum takc_status takc_answer_whole_text(struct takc_answer *q, struct takc_buf *text, struct takc_err *err)
{
    const struct takc_docset *set;
    enum takc_status st = takc_snapshot_docs(&q->snapshot, &set, err);
    for (size_t i = 0; !st && i < set->n_docs; i++) {
        struct takc_doc d;
        if (!takc_answer_name_passes(q, set->docs[i].name))
            continue;
        takc_doc_init(&d);
        st = takc_docset_load(q->snapshot.home, q->snapshot.task, &set->docs[i], &d, err);
        if (!st && text->len)
            st = takc_buf_byte(text, '\n', err);
        if (!st && takc_str_is(set->docs[i].title_from, "metadata"))
            st = takc_buf_printf(text, err, "%.*s\n", TAKC_STR_ARG(set->docs[i].title));
        for (size_t b = 0; !st && b < d.n_blocks; b++) {
            if (d.blocks[b].flags & TAKC_BLOCK_HIDDEN)
                continue;
            st = takc_buf_add(text, takc_str_slice(takc_buf_str(&d.text), d.blocks[b].start, d.blocks[b].end), err);
            if (!st)
                st = takc_buf_byte(text, '\n', err);
        }
        takc_doc_clear(&d);
    }
    return st;
}

enum takc_status takc_answer_has_whole(struct takc_answer *q, bool *out, struct takc_err *err)
{
    const struct takc_docset *set;
    enum takc_status st = takc_snapshot_docs(&q->snapshot, &set, err);
    *out = true;
    for (size_t i = 0; !st && i < set->n_docs; i++)
        *out &= !takc_docset_is_reduced(&set->docs[i]);
    return st;
}
