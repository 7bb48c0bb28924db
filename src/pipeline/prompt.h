/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/prompt.h - what a model is shown to answer a question.
 *
 *   system    rules, the task's description
 *   user      [background: lines of the artifact, or of everything]  a cache point behind it, where there is one
 *             turns of the chat so far, oldest first; the background stands in front of the first
 *             [examples of answers (guarded)]  [lines chosen for this question]  question (guarded)
 *
 * Everything up to the cache point is the prefix. Its bytes depend on the task's description and the background's lines alone (so: on
 * version, mode, rate and filters), and hold no clock, path, version or question: a provider's cache hits from question to question.
 * Lines are numbered from 1 through background and chosen ones, each "[12] text" on a line of its own; documents stand between marks that
 * no document can hold (unit/fence.h). Lines that instruct a reader are quoted and said to be data, and what
 * heads lines (title, heading) is left out where it instructs.
 * Threads: pure functions. */
#ifndef TAKC_PIPELINE_PROMPT_H
#define TAKC_PIPELINE_PROMPT_H

#include "base/arena.h"
#include "model/model.h"

/* What a model writes, and takc says, where the lines hold no answer. */
#define TAKC_NOT_HERE "not in this knowledge base"

struct takc_prompt_line {
    struct takc_str title;  /* of its document */
    struct takc_str before; /* heading or header of its table; empty: none */
    struct takc_str text;   /* line breaks become blanks */
    bool quoted;            /* instructs a reader */
};
struct takc_prompt_turn {
    struct takc_str question, answer; /* the answer without marks */
};
struct takc_prompt { /* borrowed */
    struct takc_str description;
    const struct takc_prompt_line *background, *lines;
    size_t n_background, n_lines;
    const struct takc_prompt_turn *turns;
    size_t n_turns;
    const struct takc_prompt_turn *examples; /* of the wanted form; answers without marks */
    size_t n_examples;
    struct takc_str question;
    bool once; /* nobody will ask about this prefix again: no cache point, since writing it is dearer than not */
};

/* Appends the system text. */
TAKC_CHECK enum takc_status takc_prompt_system(struct takc_str description, struct takc_buf *out, struct takc_err *err);
/* Appends the background's block; nothing where there is none. */
TAKC_CHECK enum takc_status takc_prompt_background(const struct takc_prompt *p, struct takc_buf *out, struct takc_err *err);
/* Sets system and messages of out, whose memory is the arena's; the rest of out stays. NOMEM, INVALID for too much. */
TAKC_CHECK enum takc_status takc_prompt_request(const struct takc_prompt *p, struct takc_arena *a, struct takc_model_request *out,
                                                struct takc_err *err);
/* Points lines of the prompt, in its order, into the request that shows them, and copies to the arena what it does not show as it is: the
 * texts that the prompt was composed of may go then. NOMEM. */
TAKC_CHECK enum takc_status takc_prompt_settle(struct takc_prompt_line *lines, size_t n, const struct takc_model_request *r,
                                               struct takc_arena *a, struct takc_err *err);
/* Has a text what only quoted lines have, and neither other lines nor question? Then it repeats what was planted. */
TAKC_CHECK enum takc_status takc_prompt_echoes(const struct takc_prompt *p, struct takc_str text, bool *out, struct takc_err *err);

#endif
