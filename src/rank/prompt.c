/* SPDX-License-Identifier: Apache-2.0
 *
 * prompt.c - what kind of prompt it is, how complex, and which rate that suggests. */
#include "rank/query.h"

enum takc_prompt_kind takc_prompt_kind_of(const struct takc_index *x, struct takc_str question)
{
    (void)x;
    (void)question;
    return TAKC_PROMPT_SPECIFIC;
}

enum takc_complexity takc_complexity_of(struct takc_str question)
{
    (void)question;
    return TAKC_MODERATE;
}

takc_rate takc_rate_prior(enum takc_complexity c, uint64_t source_tokens, bool cost_sensitive)
{
    (void)c;
    (void)source_tokens;
    return cost_sensitive ? TAKC_RATE_ULTRA : TAKC_RATE_HIGH;
}
