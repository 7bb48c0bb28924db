/* SPDX-License-Identifier: Apache-2.0
 *
 * answer_mode.c - the modes: what a reader sees of a version, and which mode is taken when none was asked for.
 *
 * select: lines for the question. artifact: one rate of the version. both: an artifact as a prefix that stays the same from question to
 * question, then lines. whole: everything. Budgets are those of data-model.md section 5. */
#include "pipeline/answer.h"

#include <stdio.h>

static const char *const mode_names[] = {NULL, "auto", "artifact", "select", "both", "whole"};

const char *takc_mode_name(enum takc_mode m)
{
    return (unsigned)m < sizeof(mode_names) / sizeof(mode_names[0]) ? mode_names[m] : NULL;
}

enum takc_status takc_mode_parse(struct takc_str s, enum takc_mode *out, struct takc_err *err)
{
    for (int m = TAKC_MODE_AUTO; m <= TAKC_MODE_WHOLE; m++)
        if (takc_str_is(s, mode_names[m])) {
            *out = (enum takc_mode)m;
            return TAKC_OK;
        }
    return takc_fail(err, TAKC_INVALID, 0, "mode '%.*s' is none of auto, artifact, select, both, whole", TAKC_STR_ARG(s));
}

/* The rate that what is shown came to ("37.2x"); none where nothing is shown. */
static void say_shown_rate(struct takc_answer *q)
{
    q->r->factor = q->r->tokens ? (double)q->r->source_tokens / (double)q->r->tokens : 0;
    if (q->r->tokens)
        (void)snprintf(q->r->rate, sizeof(q->r->rate), "%.1fx", q->r->factor);
}

static enum takc_status mode_select(struct takc_answer *q, struct takc_err *err)
{
    uint64_t budget = q->reader_tokens - q->turn_tokens;
    if (q->o->rate && q->r->source_tokens * 1000 / q->o->rate < budget)
        budget = q->r->source_tokens * 1000 / q->o->rate;
    q->r->limit_tokens = budget;
    enum takc_status st = takc_answer_lines(q, budget, err);
    if (st)
        return st;
    q->r->context = q->choice.context;
    q->r->tokens = q->choice.tokens;
    say_shown_rate(q);
    return TAKC_OK;
}

static enum takc_status mode_artifact(struct takc_answer *q, struct takc_err *err)
{
    uint64_t limit = q->o->reader_tokens_asked ? q->reader_tokens : q->artifact_tokens;
    struct takc_str text;
    enum takc_status st = takc_answer_prefix_choose(q, limit, &text, err);
    if (st)
        return st;
    q->r->limit_tokens = limit;
    q->r->context = text;
    q->r->tokens = q->r->prefix_tokens;
    if (q->task_wide)
        return takc_answer_artifact(q, text, err);
    double coverage = q->r->coverage;
    const struct takc_str *missing = q->r->missing;
    size_t n_missing = q->r->n_missing;
    st = takc_answer_lines(q, q->reader_tokens, err);
    q->r->coverage = coverage; /* of what the reader sees: the artifact, not the lines */
    q->r->missing = missing;
    q->r->n_missing = n_missing;
    return st;
}

/* The prefix, then the chosen lines, as the context. */
static enum takc_status join_context(struct takc_answer *q, struct takc_str prefix, struct takc_err *err)
{
    struct takc_buf text;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_buf_add(&text, prefix, err);
    if (!st && prefix.len)
        st = takc_buf_byte(&text, '\n', err);
    if (!st)
        st = takc_buf_add(&text, q->choice.context, err);
    if (!st)
        st = takc_answer_hold(q, takc_buf_str(&text), &q->r->context, err);
    takc_buf_clear(&text);
    return st;
}

static enum takc_status mode_both(struct takc_answer *q, struct takc_err *err)
{
    struct takc_str prefix;
    uint64_t lines = q->reader_tokens - q->turn_tokens, budget = q->o->rate ? q->r->source_tokens * 1000 / q->o->rate : 0;
    enum takc_status st = q->o->rate ? takc_answer_prefix_within(q, budget / 2, &prefix, err)
                                     : takc_answer_prefix_choose(q, q->artifact_tokens, &prefix, err);
    if (st)
        return st;
    q->r->prefix_tokens = takc_tokenizer_count(q->tokenizer, prefix);
    if (q->o->rate)
        lines = budget > q->r->prefix_tokens + 1 ? budget - q->r->prefix_tokens - 1 : 0;
    st = takc_answer_lines(q, lines, err);
    if (st)
        return st;
    st = join_context(q, prefix, err);
    q->r->limit_tokens = q->o->rate ? budget : q->artifact_tokens + q->reader_tokens;
    q->r->tokens = takc_tokenizer_count(q->tokenizer, q->r->context);
    if (q->o->rate)
        takc_answer_rate_set(q, q->o->rate);
    return st;
}

static enum takc_status mode_whole(struct takc_answer *q, struct takc_err *err)
{
    struct takc_buf text;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_answer_whole_text(q, &text, err);
    if (!st)
        st = takc_answer_show_whole(q, err);
    if (!st)
        st = takc_answer_lines(q, q->reader_tokens, err);
    if (!st)
        st = takc_answer_hold(q, takc_buf_str(&text), &q->r->context, err);
    takc_buf_clear(&text);
    if (st)
        return st;
    (void)snprintf(q->r->rate, sizeof(q->r->rate), "1x");
    q->r->factor = 1;
    q->r->tokens = takc_tokenizer_count(q->tokenizer, q->r->context);
    bool whole = true;
    if (q->o->rate)
        st = takc_answer_note(q, err, "whole documents have no rate; the asked one is not used");
    if (!st && q->o->reader_tokens_asked && q->r->tokens > q->reader_tokens)
        st = takc_answer_note(q, err, "everything is larger than the limit; it is shown whole");
    if (!st)
        st = takc_answer_has_whole(q, &whole, err);
    if (!st && !whole) {
        say_shown_rate(q);
        st = takc_answer_note(q, err, "originals are not kept; this is the 2x set");
    }
    if (st)
        return st;
    q->r->limit_tokens = q->reader_tokens;
    if (q->task_wide) {
        q->r->response = q->r->context;
        q->r->confidence = 1;
        q->r->abstained = false;
    }
    return TAKC_OK;
}

/* An asked mode as it is; else everything where it is small enough, the artifact for a task-wide prompt, lines for a question. */
static enum takc_status mode_choose(struct takc_answer *q, enum takc_mode *out, struct takc_err *err)
{
    bool whole = false;
    *out = q->o->mode;
    if (*out != TAKC_MODE_UNSET && *out != TAKC_MODE_AUTO)
        return TAKC_OK;
    *out = q->task_wide && q->n_passing ? TAKC_MODE_ARTIFACT : TAKC_MODE_SELECT;
    if (!q->n_passing || q->o->rate || q->r->source_tokens > q->reader_tokens)
        return TAKC_OK;
    enum takc_status st = takc_answer_has_whole(q, &whole, err);
    if (!st && whole)
        *out = TAKC_MODE_WHOLE;
    return st;
}

enum takc_status takc_answer_run(struct takc_answer *q, struct takc_err *err)
{
    enum takc_status st = mode_choose(q, &q->r->mode, err);
    if (st)
        return st;
    if (!q->n_passing)
        return mode_select(q, err); /* which finds nothing, whatever the mode, and says so */
    switch (q->r->mode) {
    case TAKC_MODE_ARTIFACT:
        return mode_artifact(q, err);
    case TAKC_MODE_BOTH:
        return mode_both(q, err);
    case TAKC_MODE_WHOLE:
        return mode_whole(q, err);
    default:
        return mode_select(q, err);
    }
}
