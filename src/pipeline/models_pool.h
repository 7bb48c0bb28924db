/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/models_pool.h - models that stay open between questions, for who answers many: one connection pool, one chain of credentials,
 * one limit of calls at a time and one learned rate per home, task and model, whoever asks.
 *
 * cost.max_usd is then of all that is asked through the pool, per task and model. At most 64 are kept open beside those in use; the one
 * that was used longest ago goes.
 * Threads: any, fibers too; open and close by one. */
#ifndef TAKC_PIPELINE_MODELS_POOL_H
#define TAKC_PIPELINE_MODELS_POOL_H

#include "pipeline/models.h"

struct takc_models_pool;

/* NOMEM. Returns owned. */
TAKC_CHECK enum takc_status takc_models_pool_open(struct takc_models_pool **out, struct takc_err *err);
/* Nobody uses any of its models any more. NULL is harmless. */
void takc_models_pool_close(struct takc_models_pool *p);

/* The models of these settings, opened if they are not: what takc_models_open takes and says; everything but s->model is expected to be the
 * same from call to call. While one opens, others who want the same wait for it. Give them back with takc_models_pool_put. */
TAKC_CHECK enum takc_status takc_models_pool_get(struct takc_models_pool *p, struct takc_home *home, struct takc_str task,
                                                 const struct takc_model_settings *s, const struct takc_tokenizer *counter,
                                                 struct takc_models **out, struct takc_err *err);
/* Closes all models of a home that is about to be closed; nobody uses them. NULL for p is harmless. */
void takc_models_pool_drop(struct takc_models_pool *p, const struct takc_home *home);
/* NULL is harmless. */
void takc_models_pool_put(struct takc_models_pool *p, struct takc_models *m);

#endif
