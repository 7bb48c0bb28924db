/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/version.h - making one version's stored things, taking over what a killed run finished, and making it current.
 * Threads: the caller holds the task's lock. */
#ifndef TAKC_PIPELINE_VERSION_H
#define TAKC_PIPELINE_VERSION_H

#include "compress/artifact.h"
#include "pipeline/docset.h"
#include "pipeline/ledger.h"

struct takc_generation; /* pipeline/generate.h */

struct takc_build { /* one version being made */
    struct takc_home *home;
    struct takc_call *call;
    struct takc_str task, label;
    const struct takc_profile *profile;
    const takc_rate *rates;
    size_t n_rates;
    unsigned n_threads;
    struct takc_generation *generation; /* NULL: lines are extracts */
    const struct takc_docset *set;
    struct takc_str work_key;
    struct takc_arena *arena;
    /* out */
    struct takc_version version;
    struct takc_ledger_entry rows[TAKC_LEDGER_ROWS];
    uint64_t n_resumed, n_units;
};

/* What all artifacts of a build depend on beside the documents: versions of units, algorithm, tokenizer, ICU; the model and what it is
 * asked with. In the arena. */
TAKC_CHECK enum takc_status takc_build_fingerprint(const struct takc_build *b, struct takc_str *out, struct takc_err *err);
/* Hash over documents, fingerprint, the profile fields that compress reads, a model's examples, and rates, into b->work_key. In the arena.
 */
TAKC_CHECK enum takc_status takc_build_work_key(struct takc_build *b, struct takc_err *err);
/* Selection, index, artifacts and ledgers under b->label; finished ones of a killed run with the same work key are taken over. */
TAKC_CHECK enum takc_status takc_build_make(struct takc_build *b, struct takc_err *err);
/* The manifest with b->version added and current, settled; prunes what the profile no longer keeps. */
TAKC_CHECK enum takc_status takc_build_publish(struct takc_build *b, struct takc_manifest *m, struct takc_err *err);
/* Stores one thing of the version; out (may be NULL) gets its hash and size. */
TAKC_CHECK enum takc_status takc_build_put(struct takc_build *b, struct takc_key key, struct takc_str bytes, struct takc_stored *out,
                                           struct takc_err *err);
/* Selection, list of documents, index and artifact of a version under label; out gets hash and size. */
TAKC_CHECK enum takc_status takc_build_put_selection(struct takc_build *b, struct takc_str label, const struct takc_selection *s,
                                                     struct takc_stored *out, struct takc_err *err);
/* The documents that the version stands on. */
TAKC_CHECK enum takc_status takc_build_put_documents(struct takc_build *b, struct takc_str label, const struct takc_docset *set,
                                                     struct takc_stored *out, struct takc_err *err);
/* The unit index, made here. It needs the most memory of all, and of s neither keys nor costs. */
TAKC_CHECK enum takc_status takc_build_put_index(struct takc_build *b, struct takc_str label, const struct takc_corpus *c,
                                                 const struct takc_selection *s, struct takc_stored *out, struct takc_err *err);
struct takc_set { /* what an artifact is made from; borrowed */
    const struct takc_corpus *corpus;
    const struct takc_selection *selection;
    const struct takc_extractive_options *options;
    takc_rate rate;
    const uint8_t *bits; /* of n_units */
    const struct takc_set_size *size;
    const struct takc_written *written; /* lines that a model wrote, beside the units of bits */
    size_t n_written;
    const struct takc_artifact *from; /* whose compressor, model and fingerprint it has; NULL: those of the build */
};
/* An artifact, made here. Sets out's rate, too. */
TAKC_CHECK enum takc_status takc_build_put_artifact(struct takc_build *b, struct takc_str label, const struct takc_set *set,
                                                    struct takc_stored *out, struct takc_err *err);
/* Stores a ledger under label; out gets its hash and size. */
TAKC_CHECK enum takc_status takc_build_put_ledger(struct takc_build *b, struct takc_str label, const struct takc_ledger_entry *row,
                                                  takc_rate rate, struct takc_stored *out, struct takc_err *err);
/* Fills the ledger of one rate but for its time and what a model did. */
void takc_build_fill_ledger(const struct takc_selection *s, const struct takc_fact_counts *all, const struct takc_fact_counts *kept,
                            const struct takc_set_size *size, takc_rate rate, struct takc_ledger_entry *row);
/* Artifact and ledger of a killed run under b->label, if both are there; false: they are to be made. */
bool takc_build_take_over(struct takc_build *b, takc_rate rate, struct takc_stored *out, struct takc_ledger_entry *row);
/* Fills and stores the ledger of one rate's set. */
TAKC_CHECK enum takc_status takc_build_ledger(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s,
                                              const uint8_t *bits, const struct takc_set_size *size, takc_rate rate,
                                              struct takc_ledger_entry *row, struct takc_stored *out, struct takc_err *err);
/* The selection of a kept version. Clear it afterwards, whatever the status. */
TAKC_CHECK enum takc_status takc_version_selection(struct takc_home *h, struct takc_str task, struct takc_str label,
                                                   struct takc_selection *out, struct takc_err *err);
/* Removes every stored thing of a version. */
TAKC_CHECK enum takc_status takc_version_remove(struct takc_home *h, struct takc_str task, struct takc_str label, uint64_t *n_removed,
                                                struct takc_err *err);
/* The options that compress and redaction share. */
struct takc_extractive_options takc_build_options(const struct takc_profile *p, unsigned n_threads);

#endif
