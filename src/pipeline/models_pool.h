/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/models_pool.h - models that stay open between questions, for who answers many: one connection pool, one chain of credentials,
 * one limit of calls at a time and one learned rate per home, task and model, whoever asks.
 *
 * cost.max_usd is then of all that is asked through the pool, per task and model. At most 64 are kept open beside those in use; the one
 * that was used longest ago goes.
 *
 * Of those who want the same one, twice as many as may call it at a time have it; the others wait in line before they do any work, so that
 * a thousand questions that wait for a model hold the memory of a few.
 * Threads: any, fibers too; open and close by one. */
#ifndef TAKC_PIPELINE_MODELS_POOL_H
#define TAKC_PIPELINE_MODELS_POOL_H

#include "pipeline/models.h"

struct takc_models_pool;
struct takc_models_entry;
struct takc_models_use { /* one user's; zeroed: none */
    struct takc_models *models;
    struct takc_models_entry *entry;
    bool in_line; /* has a place of its gate */
};

/* NOMEM. Returns owned. */
TAKC_CHECK enum takc_status takc_models_pool_open(struct takc_models_pool **out, struct takc_err *err);
/* Nobody uses any of its models any more. NULL is harmless. */
void takc_models_pool_close(struct takc_models_pool *p);

/* The models of these settings, opened if they are not: what takc_models_open takes and says; everything but s->model is expected to be the
 * same from call to call. While one opens, others who want the same wait for it. Give them back with takc_models_pool_put. Waits in line
 * until call's end (TIMEOUT, CANCELLED), unless at_once: for a question whose answer may be kept, which needs no call. */
TAKC_CHECK enum takc_status takc_models_pool_get(struct takc_models_pool *p, struct takc_home *home, struct takc_str task,
                                                 const struct takc_model_settings *s, const struct takc_tokenizer *counter, bool at_once,
                                                 struct takc_call *call, struct takc_models_use *out, struct takc_err *err);
/* Closes all models of a home that is about to be closed; nobody uses them. NULL for p is harmless. */
void takc_models_pool_drop(struct takc_models_pool *p, const struct takc_home *home);
/* Gives the use back, and zeroes it; a zeroed one is harmless. */
void takc_models_pool_put(struct takc_models_pool *p, struct takc_models_use *use);

#endif
