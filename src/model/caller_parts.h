/* SPDX-License-Identifier: Apache-2.0
 *
 * model/caller_parts.h - between the files of the caller: what a request is made into for one model. */
#ifndef TAKC_MODEL_CALLER_PARTS_H
#define TAKC_MODEL_CALLER_PARTS_H

#include "model/caller.h"

enum takc_left_out { /* what a model does not take, by bit: from its facts, or learned from a refusal */
                     TAKC_LEFT_TEMPERATURE = 1 << 0,
                     TAKC_LEFT_TOP_P = 1 << 1,
                     TAKC_LEFT_STOPS = 1 << 2,
                     TAKC_LEFT_CACHE = 1 << 3
};

/* A copy of a request without what is left out; the blocks live in the arena, or are the original's. */
struct takc_shaped {
    struct takc_arena arena;
    struct takc_model_request r;
    uint64_t input_tokens;  /* by the tokenizer in hand */
    uint64_t output_tokens; /* at most */
};

/* Notes (for the reply) say what was left out and capped. NOMEM. clear afterwards, whatever the status. */
TAKC_CHECK enum takc_status takc_shape(struct takc_shaped *out, const struct takc_model_request *r, const struct takc_model_facts *f,
                                       unsigned left_out, const struct takc_tokenizer *t, struct takc_buf *notes, struct takc_err *err);
void takc_shape_clear(struct takc_shaped *s);
/* The bit of a parameter by any name that services have for it; 0: one that cannot be left out, or that r does not have. */
unsigned takc_left_out_of(const struct takc_model_request *r, const char *parameter);
/* Picodollars if all goes as long as it may. */
uint64_t takc_shape_cost(const struct takc_shaped *s, const struct takc_model_facts *f);

#endif
