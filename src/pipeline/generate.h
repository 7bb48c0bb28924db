/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/generate.h - compression by a model (compress/generative.h) bound to a home: the model's calls, verify's guard, replies kept in
 * the store, and how a version was made.
 *
 * Replies stand at replies/{task}/{key}/{tokens}.txt, durable before they count. artifacts/{task}/v{version}/generated.json, put before the
 * version is published, names the keys that the version stands on, and how to ask the same again. A sweep keeps what a kept version names,
 * and everything while a run is in the making (docs/formats/replies.md). A fallback's reply is kept as the fallback's.
 * Threads: one makes; the model is asked from n_parallel. */
#ifndef TAKC_PIPELINE_GENERATE_H
#define TAKC_PIPELINE_GENERATE_H

#include "compress/generative.h"
#include "pipeline/models.h"
#include "pipeline/version.h"

struct takc_batches; /* pipeline/batches.h */

struct takc_generation {              /* who writes the lines of a version, and how; borrowed by its build */
    struct takc_str model, guardrail; /* as they were asked for */
    const struct takc_str *chain;     /* takc_models_chain's: who may answer; none: the model alone */
    size_t n_chain;
    double temperature;
    uint32_t max_tokens; /* of one reply; a share that needs more is cut, and asked for in halves */
    const struct takc_example *examples;
    size_t n_examples;
    unsigned n_parallel;
    struct takc_models *models;   /* who is asked; NULL: nobody, windows without a kept reply become extracts */
    struct takc_batches *batches; /* jobs in the place of the first model's calls; NULL: none */
    uint64_t n_withheld;          /* out: calls that nobody was to make */
};

/* What of it changes a reply, in one line: a part of the artifact's fingerprint. In the arena. */
TAKC_CHECK enum takc_status takc_generation_text(const struct takc_generation *g, struct takc_arena *a, struct takc_str *out,
                                                 struct takc_err *err);
/* Adds it to a work key's inputs, examples too. */
TAKC_CHECK enum takc_status takc_generation_add_key(const struct takc_generation *g, struct takc_buf *to, struct takc_err *err);

/* Tells each rate's artifact as takc_generative_make does; row is filled but for sizes and facts. */
typedef enum takc_status takc_generation_put_fn(void *arg, size_t rate, struct takc_str json, const struct takc_set_size *size,
                                                const struct takc_ledger_generated *row, struct takc_err *err);
/* Asks, keeps, and makes the artifacts of all rates of b over c and s; then stores generated.json under b->label. */
TAKC_CHECK enum takc_status takc_generation_run(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s,
                                                const struct takc_extractive_options *o, takc_generation_put_fn *put, void *arg,
                                                struct takc_err *err);
/* What a run would do; asks nobody. */
TAKC_CHECK enum takc_status takc_generation_plan(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s,
                                                 const struct takc_extractive_options *o, struct takc_generative_plan *out,
                                                 struct takc_err *err);
/* Artifacts and ledgers of all rates; those of a killed run are taken over if all are there. artifacts has b->n_rates. */
TAKC_CHECK enum takc_status takc_generation_rates(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s,
                                                  const struct takc_extractive_options *o, bool ours, struct takc_stored *artifacts,
                                                  struct takc_err *err);

/* generated.json of a version: how it is made, and the n_keys keys of replies (sorted here) that it stands on. */
TAKC_CHECK enum takc_status takc_generation_put(struct takc_home *h, struct takc_str task, struct takc_str label,
                                                const struct takc_generation *g, struct takc_str *keys, size_t n_keys,
                                                struct takc_err *err);
/* Is the generated.json of a kept version what was stored? *out_due false: no model wrote the version, and there is none. *out_why: what is
 * wrong (static), or NULL. A file from before it carried its hash is looked at for its form. NOMEM, CANCELLED. */
TAKC_CHECK enum takc_status takc_generation_check(struct takc_home *h, struct takc_str task, const struct takc_version *v, bool *out_due,
                                                  const char **out_why, struct takc_err *err);
/* How a kept version was made by a model, for making it again without asking. NOT_FOUND: by none; CORRUPT. In the arena. */
TAKC_CHECK enum takc_status takc_generation_of(struct takc_home *h, struct takc_str task, struct takc_str label, struct takc_arena *a,
                                               struct takc_generation *out, struct takc_err *err);
/* The generated.json of a version under another label: with the replies that it names, or without any. OK where there is none. */
TAKC_CHECK enum takc_status takc_generation_copy(struct takc_home *h, struct takc_str task, struct takc_str from, struct takc_str to,
                                                 bool with_replies, struct takc_err *err);

#endif
