/* SPDX-License-Identifier: Apache-2.0
 *
 * model/registry.h - providers by name. A new one is one file and one line of registry.c. Threads: any. */
#ifndef TAKC_MODEL_REGISTRY_H
#define TAKC_MODEL_REGISTRY_H

#include "base/clock.h"
#include "model/model.h"
#include "net/http.h"
#include "token/tokenizer.h"

struct takc_aws;
struct takc_facts_table;  /* model/facts.h */
struct takc_fake_options; /* model/fake.h */

struct takc_model_options {   /* http, aws, facts and clock are borrowed and outlive the model; the rest is copied */
    struct takc_http *http;   /* bedrock, openai */
    struct takc_aws *aws;     /* bedrock: credentials, region */
    struct takc_str base_url; /* openai: "https://api.openai.com/v1"; without a path "/v1" is added; a query stays behind the path (Azure).
                                 Empty: OpenAI's own. bedrock: the endpoint, empty: AWS's */
    struct takc_str api_key;  /* openai; empty: none is sent. bedrock: a bearer token; empty: requests are signed */
    struct takc_str model;    /* for requests that name none */
    struct takc_str guardrail, guardrail_version; /* bedrock */
    const struct takc_facts_table *facts;         /* bedrock: which body a model takes; borrowed; NULL: the built-in one */
    const struct takc_http_header *headers;       /* more of them, with every request; Authorization here takes the key's place */
    size_t n_headers;
    const struct takc_tokenizer *tokenizer; /* to count where a service does not; NULL: estimate */
    const struct takc_clock *clock;         /* of dates and waits; NULL: the machine's */
    const struct takc_fake_options *fake;   /* NULL: by the name of the model, see model/fake.h */
};
enum takc_model_needs { TAKC_MODEL_NEEDS_HTTP = 1 << 0, TAKC_MODEL_NEEDS_AWS = 1 << 1 };
struct takc_model_kind {
    const char *name; /* what users write: "openai" */
    const char *about;
    unsigned needs; /* enum takc_model_needs: what of the options must be there */
    enum takc_status (*open)(struct takc_model **out, const struct takc_model_options *o, struct takc_err *err);
};
/* The i-th, or NULL behind the last: for `takc backends`. */
const struct takc_model_kind *takc_model_kind_at(size_t i);
/* The kind of that name, or NULL. */
const struct takc_model_kind *takc_model_kind_find(struct takc_str name);
/* Opens without asking anybody. NOT_FOUND names the kinds there are. INVALID: options that make no sense. Returns owned: takc_model_close.
 */
TAKC_CHECK enum takc_status takc_model_open(struct takc_model **out, struct takc_str name, const struct takc_model_options *o,
                                            struct takc_err *err);

/* The kinds' own, each in its file. */
enum takc_status takc_model_open_openai(struct takc_model **out, const struct takc_model_options *o, struct takc_err *err);
enum takc_status takc_model_open_bedrock(struct takc_model **out, const struct takc_model_options *o, struct takc_err *err);
enum takc_status takc_model_open_fake(struct takc_model **out, const struct takc_model_options *o, struct takc_err *err);

#endif
