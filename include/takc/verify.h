/* SPDX-License-Identifier: Apache-2.0
 *
 * takc/verify.h - proves a version of a task: sources, texts, maps, stored things, every line of every artifact.
 * Levels: S source hash, T text derived again, M map, A stored things against the manifest, X segments against their spans. */
#ifndef TAKC_VERIFY_H
#define TAKC_VERIFY_H

#include "takc/call.h"
#include "takc/str.h"

struct takc_home;

enum { TAKC_PROOF_LEVELS = 5 };
struct takc_verify_report {
    char version[32];
    uint64_t checked[TAKC_PROOF_LEVELS], failed[TAKC_PROOF_LEVELS], underivable[TAKC_PROOF_LEVELS];
    uint64_t n_documents, n_artifacts, n_segments;
};
/* "S", "T", "M", "A", "X" by number, NULL behind the last. Static. */
TAKC_API const char *takc_level_letter(unsigned level);
/* A few words for people about what a level proves; NULL behind the last. Static. */
TAKC_API const char *takc_level_text(unsigned level);

typedef void takc_verify_fn(void *arg, unsigned level, const char *subject, const char *finding);

struct takc_verify_options {
    struct takc_str task, version;    /* version empty: current */
    const uint32_t *rates;            /* thousandths: only these artifacts */
    size_t n_rates;                   /* 0: all */
    unsigned levels;                  /* bits 1 << level; 0: all */
    const struct takc_str *documents; /* globs: levels S, T, M and the texts of A only for these; 0: all */
    size_t n_documents;
    const char *source_dir;  /* read sources from this folder instead of the store (keep_originals: false); NULL: the store */
    takc_verify_fn *finding; /* told every failure; NULL: nobody listens */
    void *finding_arg;
};

/* Verifies. OK although something failed: the report says so. NOT_FOUND, IO, NOMEM otherwise. */
TAKC_API TAKC_CHECK enum takc_status takc_verify(struct takc_home *h, struct takc_call *call, const struct takc_verify_options *o,
                                                 struct takc_verify_report *out, struct takc_err *err);

#endif
