/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/models.h - the models that a task asks: opened by name, calls that behave (model/caller.h), every try in the home's ledger
 * (catalog/usage.h), money counted before it is spent.
 * Threads: any; open and close by one. */
#ifndef TAKC_PIPELINE_MODELS_H
#define TAKC_PIPELINE_MODELS_H

#include "catalog/home.h"
#include "model/caller.h"
#include "takc/model.h"

struct takc_models;

/* Opens without asking anybody, but for a key that lies in Secrets Manager. INVALID: a name without a kind, with the kinds that there are;
 * a facts file with its line, or that is not there; a secret that is not there. home, counter (NULL: estimate) are borrowed, settings
 * copied. Returns owned: takc_models_close. */
TAKC_CHECK enum takc_status takc_models_open(struct takc_models **out, struct takc_home *home, struct takc_str task,
                                             const struct takc_model_settings *s, const struct takc_tokenizer *counter,
                                             struct takc_err *err);
/* NULL is harmless. */
void takc_models_close(struct takc_models *m);
/* Is that how a model is written, of a kind that there is? INVALID names the kinds. Nobody is asked whether there is such a model. */
TAKC_CHECK enum takc_status takc_models_name_check(struct takc_str name, struct takc_err *err);

/* As takc_caller_complete, with version (may be empty) and purpose for the ledger. COST: max_cost or the month's cap does not leave enough
 * for this call; what was done stays done. */
TAKC_CHECK enum takc_status takc_models_complete(struct takc_models *m, struct takc_call *call, struct takc_str version,
                                                 struct takc_str purpose, const struct takc_model_request *r, takc_model_delta_fn *delta,
                                                 void *arg, struct takc_model_reply *reply, struct takc_caller_sum *out_sum,
                                                 struct takc_err *err);
/* Appends to a failed call's message what to do: later for what passes, shorter for a prompt larger than the window; takc doctor for what
 * was refused for good. The texts are those of who asked. */
void takc_models_next_step(enum takc_failure f, const char *later, const char *shorter, struct takc_err *err);
/* The first model's provider and facts; the facts live as long as m. */
const struct takc_model_ops *takc_models_ops(const struct takc_models *m);
const struct takc_model_facts *takc_models_facts(const struct takc_models *m);

/* Appends lines for people: of each model where it is, as whom it is asked (source of the credentials, their expiry; never a key), its
 * window and price. Credentials are looked for, nobody is asked for words. Statuses as takc_model_describe's, with the model named. */
TAKC_CHECK enum takc_status takc_models_describe(struct takc_models *m, struct takc_call *call, struct takc_buf *out, struct takc_err *err);

/* The models in the order in which they are asked, each told from all others: "bedrock:amazon.nova-lite-v1:0", and for openai at another
 * endpoint than OpenAI's "openai:llama at 0123456789abcdef", the beginning of the SHA-256 of its base URL: one that holds a secret is not
 * written down. In the arena. */
TAKC_CHECK enum takc_status takc_models_chain(const struct takc_models *m, struct takc_arena *a, const struct takc_str **out, size_t *out_n,
                                              struct takc_err *err);

/* Behind "a cap is set, but". */
#define TAKC_MODELS_CAPLESS "a model that may be asked has no price on file: its calls count for no cap; set one with model.facts"

struct takc_models_spent { /* since open, over all tries */
    uint64_t calls, picodollars;
    struct takc_usage usage;
    bool unpriced, fallback;
    bool
        capless; /* there is a cap, and a model that may be asked has no price: the cap does not see its calls. Told before any call, too */
};
void takc_models_spent(struct takc_models *m, struct takc_models_spent *out);

/* --- records of batch jobs, of the first model (pipeline/batches.h) --- */

/* UNSUPPORTED: why it has no batch jobs. */
TAKC_CHECK enum takc_status takc_models_can_batch(const struct takc_models *m, struct takc_err *err);
/* Appends the record of a request, a line; out_most: what it may come to. Statuses as takc_batch_write_record. */
TAKC_CHECK enum takc_status takc_models_write_record(const struct takc_models *m, struct takc_str id, const struct takc_model_request *r,
                                                     struct takc_buf *out, uint64_t *out_most, struct takc_err *err);
/* Reads a line of results, as takc_batch_read_record. */
TAKC_CHECK enum takc_status takc_models_read_record(const struct takc_models *m, struct takc_str line, char out_id[64],
                                                    struct takc_model_reply *out, struct takc_err *err);
struct takc_models_record { /* a row of the ledger; borrowed */
    int64_t id;             /* made from job and record: the same row however often it is written; not 0 */
    struct takc_str version, purpose, request_id, outcome;
    struct takc_usage usage;
    uint64_t picodollars; /* to hold */
};
/* Sets r->picodollars aside. COST as takc_models_complete; a row of that id that is there already was judged when it was written. */
TAKC_CHECK enum takc_status takc_models_hold(struct takc_models *m, const struct takc_models_record *r, struct takc_err *err);
/* Books what a record came to, by r->usage, and gives back what was set aside under its id. */
TAKC_CHECK enum takc_status takc_models_book(struct takc_models *m, const struct takc_models_record *r, struct takc_err *err);

#endif
