/* SPDX-License-Identifier: Apache-2.0
 *
 * verify/report.h - counting and telling, shared by the levels. A finding is one sentence for people; text of documents is quoted in it
 * only a few words at a time. Threads: as the report it writes to. */
#ifndef TAKC_VERIFY_REPORT_H
#define TAKC_VERIFY_REPORT_H

#include "verify/verify.h"

struct takc_report {
    struct takc_proof *proof;
    takc_finding_fn *tell; /* may be NULL */
    void *arg;
};

/* One thing was checked and holds. */
void takc_report_pass(struct takc_report *r, enum takc_level level);
/* One thing could not be derived here: neither pass nor fail. */
void takc_report_underivable(struct takc_report *r, enum takc_level level);
/* One thing was checked and does not hold. */
void takc_report_fail(struct takc_report *r, enum takc_level level, const char *subject, const char *fmt, ...) TAKC_PRINTF(4, 5);
/* A quotation of at most 40 bytes of s into out, cut on a character boundary, control characters as blanks. */
const char *takc_report_quote(struct takc_str s, char out[48]);

#endif
