/* SPDX-License-Identifier: Apache-2.0
 *
 * model/facts.h - what is known about a model: window, prices with their date, accepted parameters, cache. The shipped table
 * (models.yaml, built in) comes first; a user's file (setting model.facts) goes over it, key by key where provider and id are the same.
 * Matching: the whole id, else the longest entry that ends in '*' and fits; inference-profile prefixes ("us.", "eu.", "apac.", "global.")
 * and ARNs are looked through. An unknown model works: no price (a warning says so), a window of 8,192, all parameters sent.
 * Prices are a convenience: dated, with their source, and for users to check.
 * Threads: read-only once loaded. */
#ifndef TAKC_MODEL_FACTS_H
#define TAKC_MODEL_FACTS_H

#include "base/arena.h"
#include "model/model.h"

enum takc_model_accepts {
    TAKC_ACCEPTS_TEMPERATURE = 1 << 0,
    TAKC_ACCEPTS_TOP_P = 1 << 1,
    TAKC_ACCEPTS_STOPS = 1 << 2,
    TAKC_ACCEPTS_SYSTEM = 1 << 3
};

struct takc_model_facts {
    struct takc_str id, provider;
    bool known, has_price;
    uint32_t window, max_output; /* tokens; max_output 0: not known */
    unsigned accepts;            /* enum takc_model_accepts */
    bool both_samplings;         /* takes temperature and top_p together */
    uint32_t cache_min;          /* tokens of a prefix that is cached; 0: no cache */
    unsigned cache_points;       /* marks a request may have; 0: caches on its own or not at all */
    /* Picodollars a token = dollars a million tokens * 1,000,000: integers, so that sums are exact. */
    uint64_t price_input, price_output, price_cache_read, price_cache_write;
    uint32_t batch_percent;     /* price of a batch job in hundredths; 0: offers none */
    struct takc_str price_date; /* "2026-11-01" */
    struct takc_str price_from; /* where the price was read */
    struct takc_str body;       /* of bedrock: "converse", or the InvokeModel body: "claude", "titan", "llama", "nova" */
};
struct takc_facts_table {
    struct takc_arena arena;
    struct takc_model_facts *rows; /* owned */
    size_t n, cap;
};
/* The built-in table, and over it the file at path (NULL: none). INVALID: file, line, column. clear afterwards, whatever the status. */
TAKC_CHECK enum takc_status takc_facts_load(struct takc_facts_table *t, const char *path, struct takc_err *err);
void takc_facts_clear(struct takc_facts_table *t);
/* Reads one more file's text over the table: what load does for both. file is for messages. */
TAKC_CHECK enum takc_status takc_facts_read(struct takc_facts_table *t, struct takc_str yaml, const char *file, struct takc_err *err);
/* Never fails: an unknown model has known false. Views live as long as the table and id. */
struct takc_model_facts takc_facts_find(const struct takc_facts_table *t, struct takc_str provider, struct takc_str id);
/* Picodollars of one call. batch: at the price of batch jobs. */
uint64_t takc_facts_cost(const struct takc_model_facts *f, const struct takc_usage *u, bool batch);
/* Days between the day that a price was written down and now_s; 0 for none, or a day to come. */
uint64_t takc_price_age_days(struct takc_str date, int64_t now_s);
enum { TAKC_PRICE_OLD_DAYS = 180 }; /* providers change prices about once a year */
/* What stands behind "prices of": "2026-11-01: check them", "2025-01-31, 302 days ago: they may have changed, check them", "an unknown day:
 * check them". */
void takc_price_date_text(struct takc_str date, int64_t now_s, char out[96]);
/* "$0.0123" with as many digits as needed to show three that count, at least two and at most eight behind the point; "<$0.00000001" for
 * what would be none of these. */
void takc_money_text(uint64_t picodollars, char out[32]);

#endif
