/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/answer_cache.h - a model's answers, kept for exactly the same question.
 *
 * The key is a hash of version, mode, rate, model, the chain behind it, guardrail, endpoint, parameters and every byte of the prompt: of
 * what was asked and of all that was shown. Nothing that is merely alike is ever given. What is kept is the model's own text, so that marks
 * and facts are looked at again each time. Kept are whole answers of the first model, outside of a chat; never failed, blocked, cut or
 * empty ones, nor those of a fallback.
 * Answers live with their version and go with it (sweep, forget, delete). One is written under the task's lock and only while the manifest
 * still has its version, so that none is left behind by a forget that ran meanwhile; a busy lock means that it is not kept.
 * docs/formats/answer.md draws the stored form. Threads: as struct takc_answer. */
#ifndef TAKC_PIPELINE_ANSWER_CACHE_H
#define TAKC_PIPELINE_ANSWER_CACHE_H

#include "pipeline/answer_judge.h"

/* Sets key and *out_usable: false where the answer may not be kept, or was not asked to be. */
TAKC_CHECK enum takc_status takc_answer_cache_key(struct takc_answer *q, const struct takc_answer_asked *a, struct takc_key *key,
                                                  bool *out_usable, struct takc_err *err);
/* The kept text and the model that said it, in the arena, or *out_hit false: none, too old, or damaged (which the log says). */
TAKC_CHECK enum takc_status takc_answer_cache_get(struct takc_answer *q, const struct takc_key *key, bool *out_hit,
                                                  struct takc_str *out_text, struct takc_err *err);
/* Keeps it if it may be kept. Fails never: an answer stands without being kept; notes say that it was not, the log why. */
void takc_answer_cache_put(struct takc_answer *q, const struct takc_key *key, struct takc_str text);

#endif
