/* SPDX-License-Identifier: Apache-2.0
 *
 * answer_lines.c - lines of the documents as the answer: chosen for the question, the best of them the response, each with its citation.
 *
 * Below a confidence the response is "not in this knowledge base", and the citations are what came nearest. */
#include "pipeline/answer.h"
#include "pipeline/cite.h"

enum {
    DEFAULT_ANSWER_LINES = 3,
    HEADING_SAYS = 6 /* words from which a heading may say something */
};
#define BONUS_LINE 0.55 /* a further line answers, too, when its score reaches this share of the best one's */

static enum takc_status choose_lines(struct takc_answer *q, uint64_t budget, struct takc_err *err)
{
    const struct takc_select_options so = {
        .budget_tokens = budget,
        .tokenizer = q->tokenizer,
        .filter = takc_answer_filter(q),
        .text = takc_snapshot_text,
        .text_arg = &q->snapshot,
    };
    return takc_select(q->snapshot.index, q->question, &so, q->call, &q->scratch, &q->choice, err);
}

/* A heading of a few words names a place and answers nothing. */
static bool answers(struct takc_answer *q, const struct takc_line *line)
{
    struct takc_index_unit u;
    return takc_index_unit_at(q->snapshot.index, line->unit, &u, NULL) || u.kind != TAKC_UNIT_HEADING || u.n_tokens >= HEADING_SAYS;
}

/* Places of the lines that answer: the best ones, as many as asked, as long as they are near the best score. */
static size_t pick_answers(struct takc_answer *q, size_t most, size_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < q->choice.n_lines && n < most; i++)
        if (q->choice.lines[i].score >= BONUS_LINE * q->choice.lines[0].score && answers(q, &q->choice.lines[i]))
            out[n++] = i;
    if (n == 0 && q->choice.n_lines && most)
        out[n++] = 0;
    return n;
}

/* The best lines become the response. */
static enum takc_status respond(struct takc_answer *q, struct takc_err *err)
{
    struct takc_buf text;
    struct takc_citer citer;
    size_t most = q->o->answer_lines ? q->o->answer_lines : DEFAULT_ANSWER_LINES;
    size_t *picked = takc_arena_array(&q->scratch, most + 1, sizeof(*picked));
    struct takc_cited *cited = takc_arena_array(q->arena, most + 1, sizeof(*cited));
    if (!cited || !picked)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for citations");
    size_t n = pick_answers(q, most, picked);
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    takc_citer_init(&citer, &q->snapshot, q->arena);
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < n; i++) {
        const struct takc_line *line = &q->choice.lines[picked[i]];
        st = takc_cite(&citer, line->unit, &cited[i], err);
        cited[i].score = line->score;
        cited[i].coverage = line->coverage;
        if (!st)
            st = takc_answer_keep(q, line->text, &cited[i].line_text, err);
        if (!st && i)
            st = takc_buf_byte(&text, '\n', err);
        if (!st)
            st = takc_buf_add(&text, line->text, err);
    }
    if (!st)
        st = takc_answer_keep(q, takc_buf_str(&text), &q->r->response, err);
    q->r->citations = cited;
    q->r->n_citations = n;
    takc_citer_clear(&citer);
    takc_buf_clear(&text);
    return st;
}

/* Below the threshold: "not in this knowledge base", with what came nearest kept as citations. */
static enum takc_status abstain(struct takc_answer *q, struct takc_err *err)
{
    double below = q->o->abstain_below > 0 ? q->o->abstain_below : TAKC_ABSTAIN_BELOW;
    if (q->r->confidence >= below)
        return TAKC_OK;
    q->r->abstained = true;
    return takc_answer_keep(q, takc_str("not in this knowledge base"), &q->r->response, err);
}

enum takc_status takc_answer_lines(struct takc_answer *q, uint64_t budget, struct takc_err *err)
{
    enum takc_status st = choose_lines(q, budget, err);
    if (!st)
        st = respond(q, err);
    if (st)
        return st;
    q->r->confidence = q->choice.confidence;
    q->r->coverage = q->choice.coverage;
    q->r->missing = q->choice.missing;
    q->r->n_missing = q->choice.n_missing;
    q->r->n_lines = q->choice.n_lines;
    return abstain(q, err);
}
