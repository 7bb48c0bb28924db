/* SPDX-License-Identifier: Apache-2.0
 *
 * takc/model.h - which language models may be asked, where, within which limits of rate and money.
 *
 * Nothing here is needed: without a model takc compresses and answers by extraction. */
#ifndef TAKC_MODEL_H
#define TAKC_MODEL_H

#include "takc/str.h"

struct takc_clock;

/* All zero: no model. Views live as long as the call that they are given to. */
struct takc_model_settings {
    struct takc_str model;            /* "bedrock:MODEL", "openai:MODEL", "fake:MANNER"; empty: none */
    const struct takc_str *fallbacks; /* the same; asked in turn where the first fails; only what is configured here */
    size_t n_fallbacks;
    struct takc_str base_url, api_key; /* openai: "http://127.0.0.1:8080/v1"; a key, or arn:aws:secretsmanager:... that holds one */
    struct takc_str headers;           /* more of them, "Name: value", one a line */
    struct takc_str region, aws_profile, bedrock_endpoint; /* empty: as the AWS tools find them */
    struct takc_str guardrail;                             /* "ID" (its draft) or "ID:VERSION" */
    struct takc_str facts;                                 /* a file over the shipped table of prices and windows */
    struct takc_str ca_file, proxy;                        /* empty: the system's, the environment's */
    uint64_t requests_per_minute, tokens_per_minute;       /* 0: until a refusal teaches otherwise */
    unsigned parallel, retries;                            /* 0: 4 calls at a time; retries UINT_MAX: none, 0: 3 */
    uint64_t retry_base_ms;                                /* most of the first wait between tries; 0: 500 */
    uint64_t first_token_ms, total_ms;                     /* 0: 60,000 and 600,000 */
    uint64_t max_cost;                                     /* picodollars of this run, a hard stop; 0: none */
    uint64_t monthly_cap;                                  /* picodollars a task and calendar month (UTC); told at 80 %, stops at 100 % */
    const struct takc_clock *clock;                        /* NULL: the machine's */
};

#endif
