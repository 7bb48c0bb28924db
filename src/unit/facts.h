/* SPDX-License-Identifier: Apache-2.0
 *
 * unit/facts.h - the facts of a text, as the ledger counts them: numbers, dates, names, ids, negations (enum takc_fact_kind).
 *
 *  number    a figure in canonical form (1,234.50 and $1234.5 are one)
 *  date      a full date, month and year, month and day, ISO date; a year 1500..2099 that is no amount
 *  name      a run of capitalised words that does not only open a sentence, or an acronym of two capitals or more
 *  id        letters and digits mixed, snake_case, CamelCase, paths, e-mail addresses, URLs
 *  negation  the negating word's clause: its next content word
 * A fact is a 64-bit key: hash << 3 | kind; the same fact has the same key wherever it stands. Threads: pure functions. */
#ifndef TAKC_UNIT_FACTS_H
#define TAKC_UNIT_FACTS_H

#include "unit/units.h"

typedef void takc_fact_fn(void *arg, enum takc_fact_kind kind, uint64_t key);

/* Calls each for every fact of text, in text order, repeated as they occur. Never fails, allocates nothing. */
void takc_facts_of_text(struct takc_str text, takc_fact_fn *each, void *arg);
/* The key of a word of the task's profile (kind TAKC_FACT_WORD). */
uint64_t takc_fact_word(struct takc_str norm);
/* Appends the distinct facts of text to u->facts, ascending; their number is *out_n (at most 65,535: the rest is dropped). */
TAKC_CHECK enum takc_status takc_facts_add(struct takc_units *u, struct takc_str text, uint16_t *out_n, struct takc_err *err);

#endif
