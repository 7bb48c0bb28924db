/* SPDX-License-Identifier: Apache-2.0
 *
 * answer_model.c - the response by a model: prompt, call, and what is made of the answer.
 *
 * Where a line of the prompt instructs a reader the answer is looked at before anybody sees it: a statement that cites such a line, or has
 * words that only such lines have, is left out and counted. Otherwise text goes on as it comes, its marks resolved on the way.
 * Nothing shown, nothing asked: then the answer of the lines stands, which is that there is none. */
#include "pipeline/answer_cache.h"

#include <stdio.h>

struct speaking {
    struct takc_answer *q;
    struct takc_answer_said *said;
};

static enum takc_status hear(void *arg, struct takc_str piece, struct takc_err *err)
{
    struct speaking *s = arg;
    struct takc_buf *shown = &s->said->shown;
    size_t from = shown->len;
    enum takc_status st = takc_marks_add(&s->said->marks, piece, shown, err);
    if (st || shown->len == from || !s->q->o->delta)
        return st;
    return s->q->o->delta(s->q->o->delta_arg, takc_str_slice(takc_buf_str(shown), from, shown->len), err);
}

/* --- the chat so far --- */

static enum takc_status without_marks(struct takc_answer *q, struct takc_str text, struct takc_str *out, struct takc_err *err)
{
    struct takc_buf plain;
    takc_buf_init(&plain, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_marks_strip(text, &plain, err);
    if (!st)
        st = takc_answer_keep(q, takc_buf_str(&plain), out, err);
    takc_buf_clear(&plain);
    return st;
}

static enum takc_status turn_of(struct takc_answer *q, size_t i, struct takc_prompt_turn *out, uint64_t *out_tokens, struct takc_err *err)
{
    enum takc_status st = without_marks(q, q->o->history_answers[i], &out->answer, err);
    out->question = q->o->history[i];
    *out_tokens = takc_tokenizer_count(q->tokenizer, out->question) + takc_tokenizer_count(q->tokenizer, out->answer);
    return st;
}

enum takc_status takc_answer_turns(struct takc_answer *q, struct takc_err *err)
{
    size_t n = q->models && q->o->history_answers ? q->o->n_history : 0, from = n;
    struct takc_prompt_turn *turns = takc_arena_array(q->arena, n + 1, sizeof(*turns));
    enum takc_status st = turns ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a chat");
    for (size_t i = n; !st && i > 0; i--) {
        uint64_t tokens;
        st = turn_of(q, i - 1, &turns[i - 1], &tokens, err);
        if (st || q->turn_tokens + tokens > q->reader_tokens / 2)
            break;
        q->turn_tokens += tokens;
        from = i - 1;
    }
    if (st)
        return st;
    q->turns = turns + from;
    q->n_turns = n - from;
    return from ? takc_buf_printf(&q->notes, err, "of the chat so far the first %zu turns are left out: they do not fit\n", from) : TAKC_OK;
}

/* --- prompt and call --- */

static bool shows_lines(const struct takc_answer *q)
{
    return q->r->mode == TAKC_MODE_SELECT || q->r->mode == TAKC_MODE_BOTH || (!q->n_passing);
}

/* Without marks: theirs would point to lines of other documents. */
static enum takc_status examples_of(struct takc_answer *q, struct takc_prompt *p, struct takc_err *err)
{
    size_t n = q->o->n_examples;
    struct takc_prompt_turn *list = takc_arena_array(q->arena, n + 1, sizeof(*list));
    enum takc_status st = list ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for examples");
    for (size_t i = 0; !st && i < n; i++) {
        list[i].question = q->o->examples[i].question;
        st = without_marks(q, q->o->examples[i].answer, &list[i].answer, err);
    }
    p->examples = list;
    p->n_examples = n;
    return st;
}

static enum takc_status compose(struct takc_answer *q, struct takc_answer_asked *a, struct takc_err *err)
{
    enum takc_status st = shows_lines(q) ? takc_answer_show_lines(q, &a->lines, err) : TAKC_OK;
    a->prompt = (struct takc_prompt){.description = q->profile->description,
                                     .background = q->background.lines,
                                     .n_background = q->background.n,
                                     .lines = a->lines.lines,
                                     .n_lines = a->lines.n,
                                     .turns = q->turns,
                                     .n_turns = q->n_turns,
                                     .question = q->o->question,
                                     .once = q->o->questions_a_window == 1};
    if (!st)
        st = examples_of(q, &a->prompt, err);
    for (size_t i = 0; !st && i < takc_asked_lines(a); i++)
        a->instructed |= takc_asked_line(a, i)->quoted;
    a->request = (struct takc_model_request){.max_tokens = q->o->max_tokens ? q->o->max_tokens : q->profile->max_tokens,
                                             .has_temperature = true,
                                             .temperature = q->o->has_temperature ? q->o->temperature : q->profile->temperature,
                                             .first_token_ms = q->o->model->first_token_ms,
                                             .total_ms = q->o->model->total_ms,
                                             .needs_text = true};
    if (!st)
        st = takc_prompt_request(&a->prompt, q->arena, &a->request, err);
    if (!st)
        st = takc_prompt_settle(q->background.lines, q->background.n, &a->request, q->arena, err);
    return st ? st : takc_prompt_settle(a->lines.lines, a->lines.n, &a->request, q->arena, err);
}

static enum takc_status fail_with_step(const struct takc_answer *q, enum takc_status st, enum takc_failure f, struct takc_err *err)
{
    if (!err || st == TAKC_CANCELLED || st == TAKC_NOMEM)
        return st;
    (void)takc_err_prefix(err, st, "answer by %.*s", TAKC_STR_ARG(q->o->model->model));
    takc_models_next_step(f, "ask again later, or without a model for lines of the documents",
                          "smaller reader or artifact tokens make the prompt shorter", err);
    return st;
}

/* Of the model that answered: the kind in front of its name among those that were configured; else the first's. */
static struct takc_str provider_of(const struct takc_answer *q, struct takc_str model, bool fallback)
{
    for (size_t i = 0; fallback && i < q->o->model->n_fallbacks; i++) {
        struct takc_str name = q->o->model->fallbacks[i];
        size_t colon = takc_str_find_byte(name, ':', 0);
        if (colon != SIZE_MAX && takc_str_eq(takc_str_slice(name, colon + 1, name.len), model))
            return takc_str_slice(name, 0, colon);
    }
    return takc_str(takc_models_ops(q->models)->name);
}

/* What all tries took, be the last one good or not. */
static void note_sum(struct takc_model_answer *a, const struct takc_caller_sum *sum)
{
    a->input = sum->usage.input;
    a->output = sum->usage.output;
    a->cache_read = sum->usage.cache_read;
    a->cache_write = sum->usage.cache_write;
    a->counted_here = sum->usage.counted_here;
    a->picodollars = sum->picodollars;
    a->tries = sum->tries;
    a->priced = sum->priced;
    a->fallback = sum->fallback;
}

static enum takc_status note_reply(struct takc_answer *q, const struct takc_model_reply *reply, struct takc_err *err)
{
    struct takc_model_answer *a = &q->r->answer;
    a->blocked = reply->stop == TAKC_STOP_BLOCKED;
    a->cut = reply->stop == TAKC_STOP_LENGTH;
    enum takc_status st = takc_answer_keep(q, takc_str(reply->model), &a->model, err);
    if (!st)
        st = takc_answer_keep(q, provider_of(q, a->model, a->fallback), &a->provider, err);
    if (!st)
        st = takc_answer_keep(q, takc_str(reply->request_id), &a->request_id, err);
    if (!st)
        st = takc_answer_keep(q, takc_str(takc_stop_name(reply->stop)), &a->stop, err);
    if (!st)
        st = takc_buf_add(&q->notes, takc_buf_str(&reply->notes), err);
    return st || !reply->notes.len || takc_str_ends(takc_buf_str(&reply->notes), takc_str("\n")) ? st : takc_buf_byte(&q->notes, '\n', err);
}

static enum takc_status call(struct takc_answer *q, struct takc_answer_asked *a, struct takc_model_reply *reply, struct takc_err *err)
{
    struct speaking s = {q, &a->said};
    struct takc_caller_sum sum = {0};
    a->streamed = q->o->delta && !a->instructed;
    q->r->answer.asked = true;
    takc_call_progress(q->call, "asking the model", "steps", 0, 0);
    if (q->o->chosen)
        q->o->chosen(q->o->chosen_arg, q->r);
    enum takc_status st = takc_models_complete(q->models, q->call, q->r->version, takc_str("answer"), &a->request,
                                               a->streamed ? hear : NULL, &s, reply, &sum, err);
    note_sum(&q->r->answer, &sum);
    if (st && reply->failure) {
        q->r->answer.failure = takc_failure_name(reply->failure);
        q->r->answer.after_ms = reply->after_ms;
    }
    if (!st && reply->stop == TAKC_STOP_LENGTH && !takc_str_trim(takc_buf_str(&reply->text)).len)
        return takc_fail(err, TAKC_UPSTREAM, 0, "%s used up its %u tokens without a word; more of them (--max-tokens) leave it room",
                         reply->model, a->request.max_tokens);
    if (st)
        return fail_with_step(q, st, reply->failure, err);
    return note_reply(q, reply, err);
}

/* The whole text through quarantine and marks, and on to who listens; of a streamed one only the end is left. */
static enum takc_status settle(struct takc_answer *q, struct takc_answer_asked *a, struct takc_str text, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    if (a->instructed && !q->r->answer.blocked) {
        st = takc_answer_quarantine(q, a, text, err);
        text = takc_buf_str(&a->said.clean);
    }
    if (!st && !a->streamed)
        st = takc_marks_add(&a->said.marks, text, &a->said.shown, err);
    size_t from = a->said.shown.len;
    if (q->r->answer.cut) /* in the middle of a mark */
        takc_buf_reset(&a->said.marks.held);
    if (!st)
        st = takc_marks_end(&a->said.marks, &a->said.shown, err);
    if (!st && a->streamed && a->said.shown.len > from)
        st = q->o->delta(q->o->delta_arg, takc_str_slice(takc_buf_str(&a->said.shown), from, a->said.shown.len), err);
    return st ? st : takc_answer_judge(q, a, err);
}

/* It may be long until the model answers, and many questions may wait. */
static void drop_scratch(struct takc_answer *q)
{
    q->choice = (struct takc_choice){0};
    q->passing = NULL;
    takc_arena_clear(&q->scratch);
}

static enum takc_status ask(struct takc_answer *q, struct takc_answer_asked *a, struct takc_err *err)
{
    struct takc_model_reply reply;
    struct takc_key key;
    struct takc_str kept;
    bool keeps = false, hit = false;
    enum takc_status st = takc_answer_cache_key(q, a, &key, &keeps, err);
    if (!st && keeps)
        st = takc_answer_cache_get(q, &key, &hit, &kept, err);
    takc_answer_lap(q, &q->r->timing.cache_ns);
    if (st || hit) {
        q->r->answer.asked = hit;
        return st ? st : settle(q, a, kept, err);
    }
    drop_scratch(q);
    takc_model_reply_init(&reply);
    st = call(q, a, &reply, err);
    takc_answer_lap(q, &q->r->timing.model_ns);
    if (!st)
        st = settle(q, a, takc_buf_str(&reply.text), err);
    takc_answer_lap(q, NULL);
    if (!st && keeps)
        takc_answer_cache_put(q, &key, takc_buf_str(&reply.text));
    takc_answer_lap(q, &q->r->timing.cache_ns);
    takc_model_reply_clear(&reply);
    return st;
}

/* A chosen line that stands in the background, too, is one source with it. Both stand in document order. */
static void pair_lines(const struct takc_answer *q, struct takc_answer_asked *a)
{
    const struct takc_answer_shown *b = &q->background;
    for (size_t i = 0, k = 0; i < a->lines.n; i++) {
        while (k < b->n && b->stands[k].unit < a->lines.stands[i].unit)
            k++;
        if (k < b->n && b->stands[k].unit == a->lines.stands[i].unit && !b->stands[k].spans)
            a->said.marks.same[b->n + i + 1] = (uint32_t)k + 1;
    }
}

enum takc_status takc_answer_model(struct takc_answer *q, struct takc_err *err)
{
    struct takc_answer_asked a = {0};
    enum takc_status st = compose(q, &a, err);
    takc_answer_lap(q, &q->r->timing.choose_ns);
    if (st)
        return st;
    if (!takc_asked_lines(&a))
        return takc_answer_note(q, err, "the model was not asked: there is nothing to show it");
    takc_buf_init(&a.said.shown, TAKC_BUF_MAX_REPLY);
    takc_buf_init(&a.said.clean, TAKC_BUF_MAX_REPLY);
    st = takc_marks_init(&a.said.marks, takc_asked_lines(&a), q->arena, err);
    if (!st) {
        pair_lines(q, &a);
        st = ask(q, &a, err);
    }
    takc_marks_clear(&a.said.marks);
    takc_buf_clear(&a.said.shown);
    takc_buf_clear(&a.said.clean);
    return st;
}
