/* SPDX-License-Identifier: Apache-2.0
 *
 * confidence.c - how sure we are that the task's documents answer the question, before any model has read a line.
 *
 *     confidence = 1 / (1 + exp(-(6.0 w + 2.8 names + 1.6 agree + 1.1 cover - 5.0)))
 *     w      BM25 of the best window of 256 words, as a share of what all the question's terms could give
 *     names  idf share of the question's names and numbers that the best three units hold (title and heading counted); for questions
 *            without either, of all terms that the best five hold
 *     agree  share of the five units behind the best that stand in its document
 *     cover  idf share of the question in the best of the first three units
 * Units are the best candidates, whatever the budget let in, so the figure does not move with the budget.
 *
 * Weights are set by hand near a logistic regression on data/eval, each question asked of the whole corpus and of the corpus without its
 * documents. AUROC, mean of 17 corpora:
 * .885 with weights fitted on the other families, .886 with these; w alone .845, cover alone .81,
 * names .79, agree .70. Tried and left out: the margin between best and next (.55), unknown terms (.31), does the line hold what who, when
 * or how much asks for (nothing on top). Not calibrated: median .7 for answerable questions, .25 for the others. */
#include "rank/query.h"

#include <math.h>

/* idf share of the question's names and numbers; of all terms when it has none. */
static double names_share(const struct takc_question *q, uint64_t of_names, uint64_t of_all)
{
    double sum = 0, held = 0;
    for (size_t i = 0; i < q->n_terms; i++) {
        if (!q->terms[i].name && !q->terms[i].number)
            continue;
        sum += q->terms[i].idf;
        held += of_names >> i & 1 ? q->terms[i].idf : 0;
    }
    return sum > 0 ? held / sum : takc_question_share(q, of_all);
}

double takc_confidence(const struct takc_question *q, double best_window, const struct takc_best *b)
{
    uint64_t three = 0, five = 0;
    size_t same = 0;
    double cover = 0;
    if (b->n == 0 || q->idf_sum <= 0)
        return 0;
    for (size_t i = 0; i < b->n; i++) {
        double share = takc_question_share(q, b->masks[i]);
        three |= i < 3 ? b->masks[i] : 0;
        five |= i < 5 ? b->masks[i] : 0;
        cover = i < 3 && share > cover ? share : cover;
        same += i > 0 && b->docs[i] == b->docs[0];
    }
    double agree = b->n > 1 ? (double)same / (double)(b->n - 1) : 0;
    double w = best_window / (q->idf_sum * 2.2); /* k1 + 1: where a term's share of BM25 ends */
    return 1 / (1 + exp(-(6.0 * w + 2.8 * names_share(q, three, five) + 1.6 * agree + 1.1 * cover - 5.0)));
}
