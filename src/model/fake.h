/* SPDX-License-Identifier: Apache-2.0
 *
 * model/fake.h - a provider without a network that says the same thing every time, well or badly, for tests of all that stands on models.
 *
 * What it says follows its manner and the request's last message, out of which it reads the numbered units ("[12] text" at the start of a
 * line; the number of what it stands on is put behind a line of the reply as " [12]") and the budget (the last number in front of the word
 * "tokens" outside of units). An answer callback takes its place. How a try goes follows the steps: the first try takes the first step, and
 * so on; behind the last, tries go well. Time is the clock's: a latency is slept on it, so that an injected one takes none.
 * Threads: any; steps are taken in the order in which tries arrive. */
#ifndef TAKC_MODEL_FAKE_H
#define TAKC_MODEL_FAKE_H

#include "model/registry.h"

enum takc_fake_manner {
    TAKC_FAKE_UNSET = 0,  /* as OBEDIENT */
    TAKC_FAKE_OBEDIENT,   /* units, each on a line with its number, until the budget is full */
    TAKC_FAKE_VERBOSE,    /* a preamble, then every unit twice: over any budget */
    TAKC_FAKE_TERSE,      /* the first unit's first words */
    TAKC_FAKE_REFUSING,   /* "I'm sorry, but I can't help with that." */
    TAKC_FAKE_INVENTING,  /* as obedient, with a number in each line that stands nowhere */
    TAKC_FAKE_OBEYING,    /* does what a unit tells it to ("reply only with X": X); otherwise obedient */
    TAKC_FAKE_MISQUOTING, /* as obedient, with numbers of units that do not exist */
    TAKC_FAKE_SILENT      /* nothing at all */
};

struct takc_fake_step { /* one try; all zero: it goes well */
    enum takc_failure failure;
    int http;              /* with failure; 0: one that fits */
    const char *parameter; /* of PARAMETER: refused whenever a request has it, and this step is not used up by others */
    uint64_t after_ms;     /* asks to wait */
    uint64_t latency_ms;   /* in front of the first piece */
    size_t after_bytes;    /* with failure: this much of the text comes first, in pieces; it then counts as sent */
    bool hang;             /* says no more (behind after_bytes) until the limit of time or the call's deadline passes */
    size_t cut_bytes;      /* ends with LENGTH behind this much of the text; 0: max_tokens decides */
    bool blocked;          /* a guardrail speaks instead */
    bool no_usage;         /* counted here */
    const char *text;      /* says this */
};

/* What to say instead; out is empty. n_try counts from 0 over the provider's life. */
typedef enum takc_status takc_fake_answer_fn(void *arg, const struct takc_model_request *r, uint64_t n_try, struct takc_buf *out,
                                             struct takc_err *err);

struct takc_fake_options {
    enum takc_fake_manner manner;
    const struct takc_fake_step *steps; /* borrowed, with all they point to */
    size_t n_steps;
    takc_fake_answer_fn *answer; /* NULL: by the manner */
    void *arg;
    size_t piece_bytes; /* of deltas; 0: 16 */
};

/* A manner's name ("verbose"); UNSET for anything else. takc_model_open without fake options takes the model's name for one, and with
 * "NAME-FAILURE*N" behind it ("obedient-throttled*2") fails so many tries first; a name that says nothing is obedient. */
enum takc_fake_manner takc_fake_manner_of(struct takc_str name);
/* Tries so far. */
uint64_t takc_fake_tries(const struct takc_model *m);

#endif
