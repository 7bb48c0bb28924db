/* SPDX-License-Identifier: Apache-2.0
 *
 * model/caller.h - calls that behave: retries, limits, breaker, refused parameters, fallbacks, and a row in the ledger for every try that
 * may have been billed.
 *
 * A call goes: cost limits -> limit and breaker of the model -> one try -> what came of it:
 *   worth repeating (takc_failure_again)  wait with full jitter, at least what the service asked; at most max_retries. All waits of a call
 *                                         together are no longer than total_ms, one no longer than max_after_ms: who asks for more is not
 *                                         waited for, and the message says so
 *   PARAMETER                             dropped once, noted in the reply, remembered for this model; tried again at once
 *   otherwise, or retries spent           the next model of the fallback chain, if one is configured, noted in reply and ledger; else fails
 * Streams are repeated only while no delta was handed on.
 * Threads: any. */
#ifndef TAKC_MODEL_CALLER_H
#define TAKC_MODEL_CALLER_H

#include "model/facts.h"
#include "net/limit.h"
#include "net/retry.h"
#include "token/tokenizer.h"

/* What the ledger keeps of one try. Views live until the callback returns. */
struct takc_call_row {
    struct takc_str task, version, purpose;               /* "compress", "merge", "repair", "answer", "count", "guardrail", "check" */
    struct takc_str provider, model, request_id, outcome; /* "ok", "length", "blocked", a failure's name, "lost" */
    struct takc_usage usage;
    uint64_t picodollars, ms, first_token_ms;
    unsigned attempt; /* 0: the first */
    bool fallback, priced, batch;
    int64_t at_s;
};
struct takc_call_ledger { /* the callbacks' owner outlives the caller; called from any thread, one at a time */
    /* Before a try: is there money for it? COST with the cap named. expected: picodollars if all goes as long as it may. NULL: yes. */
    enum takc_status (*allow)(void *arg, struct takc_str task, uint64_t expected, struct takc_err *err);
    /* Before a try is sent, and behind it: the row written first as "lost" is replaced by how it ended, so that a killed run leaves what
     * was in flight as lost. out_id is the row's. */
    enum takc_status (*begin)(void *arg, const struct takc_call_row *row, int64_t *out_id, struct takc_err *err);
    enum takc_status (*end)(void *arg, int64_t id, const struct takc_call_row *row, struct takc_err *err);
    void *arg;
};

struct takc_caller;
struct takc_caller_model {       /* one model of the chain */
    struct takc_model *provider; /* borrowed, outlives the caller */
    struct takc_str model;
    struct takc_limit_options limit;
};
struct takc_caller_options {
    const struct takc_caller_model *models; /* the first is asked; the rest is the fallback chain */
    size_t n_models;
    const struct takc_facts_table *facts; /* borrowed */
    struct takc_retry_policy retry;
    struct takc_call_ledger ledger;
    const struct takc_tokenizer *tokenizer; /* to estimate, and to count where a service does not */
    uint64_t seed;                          /* of the jitter */
};
TAKC_CHECK enum takc_status takc_caller_open(struct takc_caller **out, const struct takc_caller_options *o, struct takc_err *err);
void takc_caller_close(struct takc_caller *c);

struct takc_caller_what { /* who asks and why, for the ledger */
    struct takc_str task, version, purpose;
};
struct takc_caller_sum { /* over all tries of one call */
    unsigned tries;
    uint64_t picodollars;
    bool priced;     /* false: the model has no price on file, the sum lacks it */
    bool fallback;   /* another model than the first answered; reply.model names it */
    size_t answered; /* its place in the chain; 0: the first */
    struct takc_usage usage;
};
/* As takc_model_complete, but behaving. reply is the last try's; its notes say what was dropped, waited for and fallen back to. */
TAKC_CHECK enum takc_status takc_caller_complete(struct takc_caller *c, struct takc_call *call, const struct takc_caller_what *what,
                                                 const struct takc_model_request *r, takc_model_delta_fn *delta, void *arg,
                                                 struct takc_model_reply *reply, struct takc_caller_sum *out_sum, struct takc_err *err);
/* The first model and what is known about it. */
const struct takc_model_facts *takc_caller_facts(const struct takc_caller *c);

#endif
