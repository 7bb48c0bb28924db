/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/models_parts.h - what models.c and models_ledger.c share. Nobody else includes it. */
#ifndef TAKC_PIPELINE_MODELS_PARTS_H
#define TAKC_PIPELINE_MODELS_PARTS_H

#include "base/thread.h"
#include "model/registry.h"
#include "pipeline/models.h"

struct takc_aws;

struct takc_models_flight { /* a call under way */
    int64_t id;             /* of its row */
    uint64_t picodollars;   /* that it may come to */
};

struct takc_models {
    struct takc_arena arena; /* secret: settings */
    struct takc_home *home;  /* borrowed; NULL: no ledger but the sums here */
    struct takc_str task;
    struct takc_model_settings s; /* texts in the arena */
    struct takc_facts_table facts;
    const struct takc_tokenizer *counter; /* borrowed */
    struct takc_http *http;               /* NULL: no kind needs it */
    struct takc_aws *aws;                 /* likewise */
    struct takc_caller_model *models;     /* providers are owned */
    size_t n_models;
    struct takc_caller *caller;
    bool capless; /* as in struct takc_models_spent */
    struct {
        struct takc_mutex mu;
        struct takc_models_spent spent;
        struct takc_models_flight *flights; /* owned */
        size_t n_flights, flights_cap;
        uint64_t in_flight;        /* picodollars that all of them may come to */
        int64_t next_id;           /* of rows, where there is no home */
        bool told_cap, told_price; /* in a reply */
        char note[240];            /* for the notes of the next reply; empty: none */
    } locked;
};

/* The callbacks of m for its caller. */
struct takc_call_ledger takc_models_ledger(struct takc_models *m);
/* begin and end under an id of the caller's (catalog/usage.h). */
TAKC_CHECK enum takc_status takc_models_begin_as(struct takc_models *m, int64_t id, const struct takc_call_row *row, struct takc_err *err);
TAKC_CHECK enum takc_status takc_models_end_as(struct takc_models *m, int64_t id, const struct takc_call_row *row, struct takc_err *err);
/* Behind a call: what is to be said of caps, once each, goes into the reply's notes and the log. priced as in struct takc_caller_sum. */
void takc_models_tell(struct takc_models *m, bool priced, struct takc_model_reply *reply);

#endif
