/* SPDX-License-Identifier: Apache-2.0
 *
 * task/profile.h - a task: its name and its profile, tasks/{task}.yaml (docs/formats/profile.md).
 *
 * Every error names file, line and column ("tasks/fin.yaml:12:5: rates: ..."), unknown keys are errors with the nearest known name.
 * Threads: a profile is read-only once loaded. */
#ifndef TAKC_TASK_PROFILE_H
#define TAKC_TASK_PROFILE_H

#include "base/buf.h"
#include "unit/units.h"

/* [a-z0-9][a-z0-9._-]{0,62}, none of the reserved words of data-model.md section 2. INVALID says what is wrong. */
TAKC_CHECK enum takc_status takc_task_name_check(struct takc_str name, struct takc_err *err);

enum { TAKC_PROFILE_RATES_MAX = 16, TAKC_PROFILE_EXAMPLES_MAX = 16 };

/* A rate as a number of thousandths: 8x is 8000, 12.5x is 12500. 1000 is "1x" (whole). */
typedef uint32_t takc_rate;
#define TAKC_RATE_ULTRA 64000u
#define TAKC_RATE_HIGH 32000u
#define TAKC_RATE_MEDIUM 16000u
#define TAKC_RATE_LIGHT 8000u
/* From "ultra", "high", "medium", "light", "8x", "12.5x", "8"; at least 1x, at most 100000x, three decimals at most. */
TAKC_CHECK enum takc_status takc_rate_parse(struct takc_str s, takc_rate *out, struct takc_err *err);
/* Canonical name: ultra high medium light, "12.5x", "1x". */
void takc_rate_name(takc_rate r, char out[24]);

/* What must_keep names: enum takc_fact_kind, in its order. */
extern const char *const takc_must_keep_names[TAKC_FACT_KINDS];

struct takc_example {
    struct takc_str input, output;
};

struct takc_profile {
    struct takc_buf store; /* owns the bytes of all views below */
    struct takc_str task;  /* name */
    struct takc_str description;
    struct takc_example examples[TAKC_PROFILE_EXAMPLES_MAX];
    size_t n_examples;
    unsigned must_keep;                      /* bits 1 << enum takc_fact_kind */
    uint32_t chunk_tokens, chunk_overlap;    /* 256, 50 */
    takc_rate rates[TAKC_PROFILE_RATES_MAX]; /* descending; default 64 32 16 8 */
    size_t n_rates;
    bool keep_originals;                  /* default true */
    uint64_t ttl_s;                       /* for caches only; default 86400 */
    uint32_t keep_versions;               /* older unpinned versions beyond this many are pruned; default 3 */
    struct takc_str tokenizer;            /* "estimate" or "bpe:PATH", the path from the root */
    const struct takc_tokenizer *counter; /* the open one, or NULL where nothing is counted; borrows */
    struct takc_str model;                /* of later use: provider:model */
    double temperature;
    uint32_t max_tokens;
};

/* Defaults for this task. */
TAKC_CHECK enum takc_status takc_profile_default(struct takc_profile *p, struct takc_str task, struct takc_err *err);
/* Parses YAML; file is for messages. p is filled on OK only; clear it afterwards. */
TAKC_CHECK enum takc_status takc_profile_parse(struct takc_profile *p, struct takc_str task, struct takc_str yaml, const char *file,
                                               struct takc_err *err);
/* Frees all that the views point to; zeroed storage is fine, twice is harmless. */
void takc_profile_clear(struct takc_profile *p);
/* A commented YAML file with these values, as `takc init` writes it; parses back to the same profile. */
TAKC_CHECK enum takc_status takc_profile_write(const struct takc_profile *p, struct takc_buf *out, struct takc_err *err);

#endif
