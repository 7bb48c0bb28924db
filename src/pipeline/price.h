/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/price.h - what a prefix costs a question, the provider's cache counted in, and which rate is cheapest for that.
 *
 * A prefix of T tokens (rules, description, background) that N questions share while the provider keeps it:
 *
 *     too short to be cached, or no cache   T * input
 *     cached                                T * (read + (write - read) / N): written once, read N - 1 times
 *
 * in whole picodollars, rounded down; the cheaper of the two where marks decide what is cached (a prefix that is asked once is not worth
 * writing). With input 1, read .1, write 1.25 the second line is T * (.1 + 1.15 / N): at N = 10 a cached token costs .215 of an uncached
 * one. So with a minimum of 4,096 tokens a 16x prefix of 5,000 (1,075) is cheaper than a 64x prefix of 1,250 (1,250), and knows four times
 * as much; at a minimum of 1,024 the 64x prefix (269) is cheaper again. What stands behind the prefix (lines, question) costs the same
 * whatever the rate, and is left out.
 * Counts are the task's tokenizer's: a prefix within a few percent of the minimum may be cached or not.
 * Threads: pure functions. */
#ifndef TAKC_PIPELINE_PRICE_H
#define TAKC_PIPELINE_PRICE_H

#include "model/facts.h"

enum { TAKC_PRICE_QUESTIONS = 10 }; /* N where nobody says: a handful of people over the minutes that a provider keeps a prefix */

struct takc_price_of { /* zeroed but for tokens: nothing known */
    uint64_t tokens;   /* of the whole prefix */
    uint64_t picodollars;
    bool cached;
};
/* Fills picodollars and cached of p from its tokens. n_questions 0: TAKC_PRICE_QUESTIONS. */
void takc_price_prefix(const struct takc_model_facts *f, uint64_t n_questions, struct takc_price_of *p);

/* Which of n candidates, coarse first, to take, when the coarsest that serves is at (< n): the cheapest from there on, the coarser of two
 * that cost the same. Finer ones hold all that coarser ones hold, so that none serves worse. Fills all candidates. */
size_t takc_price_choose(const struct takc_model_facts *f, uint64_t n_questions, struct takc_price_of *candidates, size_t n, size_t at);
struct takc_price_task {   /* what is known of a task before anything is asked: for routing, and for plans */
    uint64_t rules_tokens; /* of rules and description, in front of every background */
    uint64_t source_tokens;
    uint64_t spread_mille; /* tokens of a background as the prompt has it (numbers, titles) by a thousand of the artifact's; 0: 1,250 */
};
/* Tokens of the prefix at each rate (thousandths) into out[n], with their prices. */
void takc_price_rates(const struct takc_model_facts *f, uint64_t n_questions, const struct takc_price_task *t, const uint32_t *rates,
                      size_t n, struct takc_price_of *out);

#endif
