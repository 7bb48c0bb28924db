/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/answer_judge.h - what is made of a model's text: statements that repeat what was planted leave it, marks become citations, facts
 * are looked for in what is cited, and confidence says what came of it. Threads: as struct takc_answer. */
#ifndef TAKC_PIPELINE_ANSWER_JUDGE_H
#define TAKC_PIPELINE_ANSWER_JUDGE_H

#include "pipeline/answer.h"
#include "pipeline/marks.h"

struct takc_answer_said {
    struct takc_marks marks;
    struct takc_buf shown; /* the text, marks resolved */
    struct takc_buf clean; /* the text as it came, less what was left out */
};
/* One question to a model, and the answer. Prompt and request are the arena's. */
struct takc_answer_asked {
    struct takc_answer_shown lines; /* chosen ones; numbered behind the background's */
    struct takc_prompt prompt;
    struct takc_model_request request;
    struct takc_answer_said said;
    bool instructed; /* a line of the prompt instructs a reader */
    bool streamed;
};

/* How many lines the prompt has, and the i-th from 0: background first. */
static inline size_t takc_asked_lines(const struct takc_answer_asked *a)
{
    return a->prompt.n_background + a->prompt.n_lines;
}
static inline const struct takc_prompt_line *takc_asked_line(const struct takc_answer_asked *a, size_t i)
{
    return i < a->prompt.n_background ? &a->prompt.background[i] : &a->prompt.lines[i - a->prompt.n_background];
}

/* Copies text into said.clean less its statements (sentences, lines) that cite a quoted line or echo one (takc_prompt_echoes); counts them
 * into the result, and notes them. */
TAKC_CHECK enum takc_status takc_answer_quarantine(struct takc_answer *q, struct takc_answer_asked *a, struct takc_str text,
                                                   struct takc_err *err);
/* Makes the result of said.shown and said.marks: response, citations, notes, confidence, or that it abstains or was blocked. */
TAKC_CHECK enum takc_status takc_answer_judge(struct takc_answer *q, struct takc_answer_asked *a, struct takc_err *err);

#endif
