/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/models_parts.h - what models.c and models_ledger.c share. Nobody else includes it. */
#ifndef TAKC_PIPELINE_MODELS_PARTS_H
#define TAKC_PIPELINE_MODELS_PARTS_H

#include "base/thread.h"
#include "model/registry.h"
#include "pipeline/models.h"

struct takc_aws;

struct takc_models {
    struct takc_arena arena; /* secret: settings */
    struct takc_home *home;  /* borrowed; NULL: no ledger but the sums here */
    struct takc_str task;
    struct takc_model_settings s; /* texts in the arena */
    struct takc_facts_table facts;
    struct takc_http *http;           /* NULL: no kind needs it */
    struct takc_aws *aws;             /* likewise */
    struct takc_caller_model *models; /* providers are owned */
    size_t n_models;
    struct takc_caller *caller;
    struct {
        struct takc_mutex mu;
        struct takc_models_spent spent;
        uint64_t in_flight; /* picodollars that calls under way may come to */
    } locked;
};

/* The callbacks of m for its caller. */
struct takc_call_ledger takc_models_ledger(struct takc_models *m);

#endif
