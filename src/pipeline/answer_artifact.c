/* SPDX-License-Identifier: Apache-2.0
 *
 * answer_artifact.c - the artifact as the response to a task-wide prompt.
 *
 * There is no line to be sure of, so confidence is how much of the source's facts the reader sees, from the ledger beside the artifact;
 * the citations are its best units, from the head of the order. */
#include "pipeline/answer.h"
#include "pipeline/cite.h"
#include "pipeline/ledger.h"

enum { ARTIFACT_CITATIONS = 20 };

/* How much of the source's facts the reader sees: the ledger's kept share, averaged over the kinds that the source has. */
static enum takc_status confidence_of_artifact(struct takc_answer *q, struct takc_err *err)
{
    struct takc_buf bytes;
    struct takc_ledger_entry e;
    struct takc_key key = takc_key_artifact(q->snapshot.task, q->snapshot.version->label, q->rate, ".ledger.json");
    takc_buf_init(&bytes, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_store_get_bytes(takc_home_store(q->snapshot.home), q->call, takc_str(key.s), &bytes, err);
    if (!st)
        st = takc_ledger_parse(takc_buf_str(&bytes), &e, err);
    takc_buf_clear(&bytes);
    if (st)
        return st;
    double sum = 0;
    int n = 0;
    for (int k = 0; k < TAKC_LEDGER_FACTS; k++)
        if (e.facts_source[k]) {
            sum += (double)e.facts_kept[k] / (double)e.facts_source[k];
            n++;
        }
    q->r->confidence = n ? sum / n : 0;
    return TAKC_OK;
}

/* Citations of the artifact's best units: the order's head, as far as it is in the set. */
static enum takc_status cite_artifact(struct takc_answer *q, struct takc_err *err)
{
    struct takc_citer citer;
    struct takc_cited *cited = takc_arena_array(q->arena, ARTIFACT_CITATIONS, sizeof(*cited));
    size_t n = takc_index_n_order(q->snapshot.index), have = 0;
    if (!cited)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for citations");
    takc_citer_init(&citer, &q->snapshot, q->arena);
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < n && have < ARTIFACT_CITATIONS; i++) {
        uint32_t unit;
        struct takc_index_unit u;
        st = takc_index_order_at(q->snapshot.index, i, &unit, err);
        if (!st)
            st = takc_index_unit_at(q->snapshot.index, unit, &u, err);
        if (st || u.rung == TAKC_RUNG_NONE || u.rung > TAKC_RUNG_64 || !q->passing[u.doc])
            continue;
        st = takc_cite(&citer, unit, &cited[have], err);
        cited[have].line_text = cited[have].quote;
        have++;
    }
    takc_citer_clear(&citer);
    q->r->citations = cited;
    q->r->n_citations = have;
    return st;
}

enum takc_status takc_answer_artifact(struct takc_answer *q, struct takc_str text, struct takc_err *err)
{
    q->r->response = text;
    enum takc_status st = confidence_of_artifact(q, err);
    return st ? st : cite_artifact(q, err);
}
