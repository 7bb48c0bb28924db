/* SPDX-License-Identifier: Apache-2.0
 *
 * verify/claims.h - level X's number guard for prose that a model wrote as an answer: which numbers, dates and names of it does no cited
 * span hold? Softer than for a generated segment in two ways, since an answer may speak of itself and of the question: negations and units
 * of measure alone are not looked at (a unit behind a number is), and a capital at the beginning of a sentence makes no name unless the
 * word has another capital or a digit. "7%" and "7 percent" are the same. The ordinal in front of a list item ("2. ") and the bullet are no
 * part of it. Threads: pure functions. */
#ifndef TAKC_VERIFY_CLAIMS_H
#define TAKC_VERIFY_CLAIMS_H

#include "takc/str.h"

struct takc_claims {
    uint64_t n;           /* numbers, dates and names in the answer */
    uint64_t n_unfounded; /* those that neither the spans have nor, of names, the question */
};
/* kind: "number", "date", "name". word lives until each returns. */
typedef enum takc_status takc_unfounded_fn(void *arg, const char *kind, struct takc_str word, struct takc_err *err);

/* Counts, and tells each unfounded one as it stands (each may not be NULL). quote: all that the cited spans say, with what heads them.
 * NOMEM, and what each answers. */
TAKC_CHECK enum takc_status takc_claims_check(struct takc_str answer, struct takc_str quote, struct takc_str question,
                                              struct takc_claims *out, takc_unfounded_fn *each, void *arg, struct takc_err *err);

#endif
