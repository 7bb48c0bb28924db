/* SPDX-License-Identifier: Apache-2.0
 *
 * verify/line.h - level X for one line whose items are split already. Threads: pure functions; a struct belongs to one thread. */
#ifndef TAKC_VERIFY_LINE_H
#define TAKC_VERIFY_LINE_H

#include "verify/items.h"

enum { TAKC_WHY_BYTES = 256 };

enum takc_line_kind {
    TAKC_LINE_UNSET = 0,
    TAKC_LINE_BODY,   /* words of the closed lists may be missing */
    TAKC_LINE_ANCHOR, /* the same; a lone slash may stand between two spans */
    TAKC_LINE_EQUAL   /* nothing may be missing */
};

/* Is shown what may be made of quote? *out_ok and, if not, the reason. NOMEM only. */
TAKC_CHECK enum takc_status takc_line_check(const struct takc_items *shown, const struct takc_items *quote, enum takc_line_kind kind,
                                            bool *out_ok, char why[TAKC_WHY_BYTES], struct takc_err *err);
/* What kind of thing item j of shown is, where quote lacks it ("number", "date", "name", "negation", "unit"); NULL where quote has it or it
 * needs no proof. Static. */
const char *takc_line_lacking(const struct takc_items *shown, size_t j, const struct takc_items *quote);
/* For a generated line: has shown no number, date, name, negation or unit that quote lacks, and does it negate if quote does? */
bool takc_line_generated(const struct takc_items *shown, const struct takc_items *quote, char why[TAKC_WHY_BYTES]);
/* Splits what a generated line's spans hold, a line each, into quote. What takc_verify_artifact and takc_verify_generated judge by. */
TAKC_CHECK enum takc_status takc_line_quote(struct takc_items *quote, struct takc_str spans, struct takc_err *err);

#endif
