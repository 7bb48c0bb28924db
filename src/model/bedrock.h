/* SPDX-License-Identifier: Apache-2.0
 *
 * model/bedrock.h - Amazon Bedrock as a provider of models: Converse and ConverseStream, InvokeModel for ids whose facts name a body of
 * their own and for vectors, CountTokens, ApplyGuardrail.
 *
 * Requests are signed (src/aws), or carry a bearer token where there is one: the option, else AWS_BEARER_TOKEN_BEDROCK. A model is an id,
 * an inference profile or an ARN. Threads: any. */
#ifndef TAKC_MODEL_BEDROCK_H
#define TAKC_MODEL_BEDROCK_H

#include "aws/credentials.h"
#include "model/facts.h"
#include "net/http.h"

struct takc_bedrock_options { /* pointers are borrowed and outlive the model; texts are copied */
    struct takc_http *http;
    struct takc_aws *aws;                 /* NULL: only with endpoint and bearer */
    struct takc_str endpoint;             /* "https://HOST"; empty: AWS's own, or the user's AWS_ENDPOINT_URL_BEDROCK_RUNTIME */
    struct takc_str bearer;               /* empty: AWS_BEARER_TOKEN_BEDROCK, else requests are signed */
    struct takc_str model;                /* for requests that name none */
    struct takc_str guardrail;            /* id or ARN that every request goes through; empty: none */
    struct takc_str guardrail_version;    /* empty: "DRAFT" */
    const struct takc_facts_table *facts; /* NULL: the built-in one */
    const struct takc_clock *clock;       /* NULL: the machine's */
};
/* Opens without asking anybody. INVALID: nothing to send with. Returns owned: takc_model_close. */
TAKC_CHECK enum takc_status takc_bedrock_open(struct takc_model **out, const struct takc_bedrock_options *o, struct takc_err *err);

struct takc_guard_result { /* initialise with zeros; clear */
    bool blocked;          /* it intervened: text is what to show instead */
    struct takc_buf text;
    struct takc_buf found; /* what it found, one a line: "topic Advice BLOCKED", "pii EMAIL ANONYMIZED" */
};
void takc_guard_result_clear(struct takc_guard_result *r);
/* Asks the guardrail of m (which must be a Bedrock model with one: INVALID) about text, as what a user says or as what a model answered.
 * Statuses as takc_model_complete's. */
TAKC_CHECK enum takc_status takc_bedrock_guard(struct takc_model *m, struct takc_call *call, struct takc_str text, bool is_answer,
                                               struct takc_guard_result *out, struct takc_err *err);

#endif
