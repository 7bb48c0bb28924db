/* SPDX-License-Identifier: Apache-2.0
 *
 * takc/compress.h - a task's documents into artifacts at its rates, with the index for questions, as one new version.
 * Threads: one compress at a time per task (others are BUSY). */
#ifndef TAKC_COMPRESS_H
#define TAKC_COMPRESS_H

#include "takc/call.h"
#include "takc/str.h"

struct takc_home;
struct takc_model_settings;

enum { TAKC_LEDGER_FACTS = 6, TAKC_LEDGER_ROWS = 16 };

/* How the lines of one rate came about where a model wrote; all zero where none did. */
struct takc_ledger_generated {
    bool used;                                        /* a model was to write */
    char model[96];                                   /* as it was asked for */
    uint64_t windows, calls, reused, repairs, splits; /* calls: those of this run; reused: kept replies that took a call's place */
    uint64_t lines_kept, lines_repaired, lines_replaced, lines_dropped, lines_quarantined, lines_extract;
    uint64_t windows_blocked, windows_empty; /* a guardrail spoke; a reply without a line */
    uint64_t windows_withheld;               /* nobody was to be asked (forget), and no reply was kept: extracts */
    uint64_t input_tokens, output_tokens;
    uint64_t picodollars; /* of this run's calls, repeated tries included */
    bool unpriced;        /* some of them have no price on file: the sum lacks them */
    bool fallback;        /* another model than the first answered at least once */
};

/* What was asked and delivered at one rate. Facts in the order of takc_fact_name. */
struct takc_ledger_entry {
    char rate[24];
    double factor_asked, factor_words, factor_bytes, factor_tokens;
    uint64_t source_tokens, budget_tokens, artifact_tokens, artifact_words, artifact_bytes;
    bool shortfall;
    uint64_t segments, ms, instructions; /* instructions: segments that hold an instruction to a reader; quoted as data */
    uint64_t facts_source[TAKC_LEDGER_FACTS], facts_kept[TAKC_LEDGER_FACTS];
    struct takc_ledger_generated generated;
};
/* "numbers", "dates", "names", "ids", "negations", "task_words"; NULL behind the last. */
TAKC_API const char *takc_fact_name(unsigned i);

/* Batch jobs in the place of calls (bedrock alone): records to S3, results from S3, at the model's price of batch jobs. */
struct takc_batch_settings {
    struct takc_str uri;  /* "s3://BUCKET/FOLDER": a folder for the task and each of its jobs is made in it */
    struct takc_str role; /* ARN of the role that the service assumes to read and write there */
    uint64_t min_records; /* fewer are asked on demand; 0: 100, the service's own */
    uint64_t poll_ms;     /* first wait between two looks at a job, growing to four times that; 0: 15,000 */
    bool no_wait;         /* return when a job is under way; the same call later goes on with it */
    bool stop;            /* have a job that is under way stopped, and return; what it has done is kept */
};

struct takc_compress_example {
    struct takc_str input, output;
};
struct takc_compress_options {
    struct takc_str task;
    const struct takc_model_settings *model;      /* who writes; NULL or an empty name: nobody, lines are extracts */
    const struct takc_compress_example *examples; /* few-shot, of good compressions; n_examples 0: the profile's */
    size_t n_examples;
    const struct takc_batch_settings *batch; /* NULL: calls; of a plan only whether it is NULL */
    const uint32_t *rates;                   /* thousandths (task/profile.h), in any order; n_rates 0: the profile's */
    size_t n_rates;
    unsigned n_threads; /* 0: 1 */
    uint64_t wait_ms;
};

struct takc_compress_report {
    char version[32];
    bool changed;                                                          /* false: everything was up to date, no new version */
    uint64_t n_documents, n_units, source_tokens, source_bytes, n_resumed; /* n_resumed: finished things of a killed run, taken over */
    struct takc_ledger_entry rows[TAKC_LEDGER_ROWS];
    size_t n_rows;
    uint64_t picodollars;                    /* of this run's calls, also where it failed */
    bool unpriced;                           /* some calls have no price on file */
    bool capless;                            /* and there is a cap, which does not see them */
    uint64_t batch_replies, batch_on_demand; /* where batch jobs were to answer: by them; on demand, being too few or failed in jobs */
    /* A batch job is under way (no_wait, stop): there is no new version yet. */
    bool waits;
    char job[256];                  /* its ARN */
    uint64_t job_records, job_most; /* picodollars that it may come to */
};

/* What a compress by a model would do, before anything is spent. */
struct takc_compress_plan {
    uint64_t n_documents, source_tokens;
    uint64_t calls, reused; /* windows to ask about, and those whose reply is kept; repairs come on top, with a model that errs */
    uint64_t prompt_tokens, reply_tokens;
    uint64_t picodollars;   /* of the calls */
    bool priced;            /* false: no price on file */
    bool capless;           /* there is a cap, and a model that may be asked has no price: the cap would not hold */
    uint32_t batch_percent; /* the price is that of batch jobs: so many hundredths of that of calls; 0: it is not */
    char price_date[16];
    uint64_t ms; /* n_parallel calls at a time: each call_ms where calls were measured, else TAKC_PLAN_CALL_MS and the time of its tokens at
                    TAKC_PLAN_TOKENS_S a second */
    uint64_t n_measured, call_ms; /* the median of this model's last n_measured calls that compressed, by the home's ledger; 0: none */
    unsigned n_parallel;
    struct takc_compress_plan_row {
        uint32_t rate;
        uint64_t budget_tokens;
        uint64_t questions; /* after so many the model's price of the source tokens that a reader is spared is that of compressing; 0:
                               never, or not to be said without a price */
    } rows[TAKC_LEDGER_ROWS];
    size_t n_rows;
};
enum { TAKC_PLAN_MEASURED = 50 /* calls at most */, TAKC_PLAN_CALL_MS = 1000, TAKC_PLAN_TOKENS_S = 50 };
/* Plans; o->model names who would write. Statuses as takc_compress, nothing is changed or asked. */
TAKC_API TAKC_CHECK enum takc_status takc_compress_plan(struct takc_home *h, struct takc_call *call, const struct takc_compress_options *o,
                                                        struct takc_compress_plan *out, struct takc_err *err);

/* Compresses. NOT_FOUND without task or documents; BUSY; FULL. A killed or failed run leaves the current version as it was. With a model:
 * what takc_models_open and its calls fail with; COST when max_cost or the month's cap is reached. What a model said stays kept, so the
 * next run asks only for the rest. */
TAKC_API TAKC_CHECK enum takc_status takc_compress(struct takc_home *h, struct takc_call *call, const struct takc_compress_options *o,
                                                   struct takc_compress_report *out, struct takc_err *err);

#endif
