/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/answer.h - one question on its way: what a query knows so far, and the steps that fill its result, one file a step.
 *
 * query.c opens the version and ends the story; answer_history.c understands a follow-up; answer_filter.c says which documents count;
 * answer_mode.c chooses the mode and runs it with answer_prefix.c (an artifact as context), answer_route.c (the
 * cheapest one), answer_lines.c (lines for the question),
 * answer_artifact.c (an artifact as the response) and answer_whole.c (everything as context). With a model answer_shown.c numbers what the
 * reader sees, and answer_model.c asks, resolves and judges what came.
 * Threads: one at a time; an answer lives inside one call of takc_query. Steps answer NOMEM and what the store and the index answer. */
#ifndef TAKC_PIPELINE_ANSWER_H
#define TAKC_PIPELINE_ANSWER_H

#include "compress/artifact.h"
#include "pipeline/models.h"
#include "pipeline/prompt.h"
#include "pipeline/snapshot.h"
#include "rank/select.h"
#include "takc/query.h"

/* Lines of a prompt, and what each stands on. Texts are of the scratch until the prompt is composed, then of the request. */
struct takc_answer_shown {
    struct takc_prompt_line *lines;
    struct takc_answer_stands {
        uint32_t unit;                          /* of the index: where it begins */
        const struct takc_artifact_span *spans; /* of a generated segment, all in the unit's document; NULL: the unit's own */
        size_t n_spans;
        double score, coverage; /* of chosen lines */
    } * stands;
    size_t n;
};

struct takc_answer {
    struct takc_snapshot snapshot;
    struct takc_arena *arena;  /* the result's: what it points to lives there */
    struct takc_arena scratch; /* what is chosen and composed from; cleared before a model is waited for */
    struct takc_call *call;
    const struct takc_query_options *o;
    const struct takc_tokenizer *tokenizer;
    const struct takc_profile *profile;
    struct takc_profile own_profile; /* where the options have none */
    struct takc_query_result *r;
    struct takc_str question; /* with the history's words where it names nothing itself */
    bool task_wide;           /* the prompt names no fact */
    uint64_t reader_tokens, artifact_tokens;
    takc_rate rate; /* of the artifact that was chosen */
    struct takc_choice choice; /* of the scratch */
    struct takc_buf notes;
    bool *passing; /* per document of the index: passes the filters; of the scratch */
    size_t n_passing;
    struct takc_models *models;          /* NULL: no model answers */
    struct takc_answer_shown background; /* of the prompt: what the mode's artifact, or everything, says */
    struct takc_prompt_turn *turns;      /* of the chat, oldest first, as far as they fit */
    size_t n_turns;
    uint64_t turn_tokens; /* of reader_tokens, which lines have less */
    uint64_t lap_ns;      /* takc_answer_lap */
};

/* Adds a line to what the reply says could not be had as asked. */
TAKC_CHECK enum takc_status takc_answer_note(struct takc_answer *q, struct takc_err *err, const char *text);
/* Adds the time since the last lap to one of the result's (timing); NULL: to none. */
void takc_answer_lap(struct takc_answer *q, uint64_t *spent_ns);
/* Copies a text into the scratch. */
TAKC_CHECK enum takc_status takc_answer_hold(struct takc_answer *q, struct takc_str s, struct takc_str *out, struct takc_err *err);
/* Copies what the result shows of the scratch. Without a wish for the context it is let go where a model is asked about it. */
TAKC_CHECK enum takc_status takc_answer_keep_shown(struct takc_answer *q, struct takc_err *err);
/* Copies a text into the result's arena. */
TAKC_CHECK enum takc_status takc_answer_keep(struct takc_answer *q, struct takc_str s, struct takc_str *out, struct takc_err *err);

/* Sets question: a follow-up takes the words of the questions that it leans on, and a note says so. */
TAKC_CHECK enum takc_status takc_answer_understand(struct takc_answer *q, struct takc_err *err);

/* The filters as the choosing of lines takes them; borrows the options. */
struct takc_filter takc_answer_filter(const struct takc_answer *q);
/* Sets passing and n_passing, and notes how many documents pass. Nothing below works before. */
TAKC_CHECK enum takc_status takc_answer_filter_apply(struct takc_answer *q, struct takc_err *err);
/* The number of the document of that name in the index; false for a name that it lacks. */
bool takc_answer_doc_find(const struct takc_answer *q, struct takc_str name, uint32_t *out);
/* Does the document of that name pass? False for a name that the index lacks. */
bool takc_answer_name_passes(const struct takc_answer *q, struct takc_str name);
/* Appends the artifact's text, of the documents that pass. Takes the other segments out of a. */
TAKC_CHECK enum takc_status takc_answer_artifact_text(struct takc_answer *q, struct takc_artifact *a, struct takc_buf *out,
                                                      struct takc_err *err);

/* Chooses the artifact that is the context or its prefix, and sets rate, factor, coverage, missing words, prefix_tokens and what was
 * tried: the asked rate, else the cheapest that covers the question's words, no finer than fits limit (tokens). NOT_FOUND: the version
 * lacks the asked rate. */
TAKC_CHECK enum takc_status takc_answer_prefix_choose(struct takc_answer *q, uint64_t limit, struct takc_str *out_text,
                                                      struct takc_err *err);
/* The finest of 128 64 32 16 8 that fits limit (tokens), as text, and its rate into the result; empty, with a note, where none does. */
TAKC_CHECK enum takc_status takc_answer_prefix_within(struct takc_answer *q, uint64_t limit, struct takc_str *out, struct takc_err *err);
/* With a priced model and no asked rate: which artifact of the version to take, when i is the coarsest that serves and was chosen (rate and
 * prefix_tokens of the result are its own). One that is cheaper by the provider's cache, and fits limit, takes its place in *out, and the
 * result's route says why. Prices go to what was tried, and the finer rates that were weighed join it. */
TAKC_CHECK enum takc_status takc_answer_route(struct takc_answer *q, size_t i, uint64_t limit, size_t *out, struct takc_err *err);
/* Adds a rate to what was tried; coverage < 0: not looked at. NULL where there is no more room. */
struct takc_tried_rate *takc_answer_tried(struct takc_answer *q, takc_rate rate, uint64_t tokens, double coverage);
/* May an artifact of that rate have at most limit tokens? */
bool takc_answer_fits(const struct takc_answer *q, takc_rate rate, uint64_t limit);
/* Names a rate in the result, with its factor. */
void takc_answer_rate_set(struct takc_answer *q, takc_rate rate);

/* Chooses lines within budget (tokens) into choice; the best become response and citations, or the answer abstains. Sets confidence,
 * coverage, missing words and n_lines. */
TAKC_CHECK enum takc_status takc_answer_lines(struct takc_answer *q, uint64_t budget, struct takc_err *err);

/* The chosen artifact, whose text this is, as the response: confidence from the facts that it keeps, citations of its best units. */
TAKC_CHECK enum takc_status takc_answer_artifact(struct takc_answer *q, struct takc_str text, struct takc_err *err);

/* Appends every passing document's text less what is hidden, titles first. */
TAKC_CHECK enum takc_status takc_answer_whole_text(struct takc_answer *q, struct takc_buf *text, struct takc_err *err);
/* Are there whole texts? Where originals are not kept, the 2x set is all there is. */
TAKC_CHECK enum takc_status takc_answer_has_whole(struct takc_answer *q, bool *out, struct takc_err *err);

/* Numbers an artifact's segments as background, those that are left in a (answer_artifact_text). Nothing without a model. */
TAKC_CHECK enum takc_status takc_answer_show_artifact(struct takc_answer *q, const struct takc_artifact *a, struct takc_err *err);
/* The same of every unit of the documents that pass. */
TAKC_CHECK enum takc_status takc_answer_show_whole(struct takc_answer *q, struct takc_err *err);
/* Numbers the chosen lines, in document order. */
TAKC_CHECK enum takc_status takc_answer_show_lines(struct takc_answer *q, struct takc_answer_shown *out, struct takc_err *err);

/* Takes the turns of the chat, newest first, as long as they fill at most half of reader_tokens. */
TAKC_CHECK enum takc_status takc_answer_turns(struct takc_answer *q, struct takc_err *err);
/* Asks the model about what the mode shows, and puts its answer in the place of the response: takc/query.h says how. */
TAKC_CHECK enum takc_status takc_answer_model(struct takc_answer *q, struct takc_err *err);

/* Chooses the mode (an asked one is never overruled) and runs it: fills everything of the result that it says. */
TAKC_CHECK enum takc_status takc_answer_run(struct takc_answer *q, struct takc_err *err);

#endif
