/* SPDX-License-Identifier: Apache-2.0
 *
 * unit/clean.h - what an artifact's lines leave out (extractive.md section 2). Nothing is changed or added: what stays are the line's words
 * in their order, white space apart, and cell bars as semicolons. Never dropped: negations, numbers, names, and anything in code.
 * The lists are published as text; verify/ has its own copy of the rules and shares no code with this file. Threads: pure functions. */
#ifndef TAKC_UNIT_CLEAN_H
#define TAKC_UNIT_CLEAN_H

#include "base/buf.h"
#include "unit/units.h"

/* Appends line (white space folded) cleaned at level 0..2. A line of which nothing with a letter or digit would be left stays as it is. */
TAKC_CHECK enum takc_status takc_clean(struct takc_str line, enum takc_unit_kind kind, int level, struct takc_buf *out,
                                       struct takc_err *err);
/* The rules, for people: one a line. */
const char *takc_clean_rules(void);

#endif
