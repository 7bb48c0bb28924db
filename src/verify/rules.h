/* SPDX-License-Identifier: Apache-2.0
 *
 * verify/rules.h - what a shown line may leave out: the published closed lists and patterns, as code. The text for people
 * (takc_verify_rules) is printed from the same tables. Threads: pure functions. */
#ifndef TAKC_VERIFY_RULES_H
#define TAKC_VERIFY_RULES_H

#include "verify/items.h"

enum { TAKC_RULE_MAX_WAYS = 6 };

/* The ways to leave out something that begins with the word or mark at i of quote: how many items each takes, into out; returns how many
 * ways. Marks that may go only beside a left-out word are takc_rule_light's. */
size_t takc_rule_ways(const struct takc_items *quote, size_t i, size_t out[TAKC_RULE_MAX_WAYS]);
/* A mark that may go together with a word that is left out next to it. */
bool takc_rule_light(const struct takc_item *it);

#endif
