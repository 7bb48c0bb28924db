/* SPDX-License-Identifier: Apache-2.0
 *
 * base/clock.h - time as something handed in, so that tests own it. Threads: any. */
#ifndef TAKC_BASE_CLOCK_H
#define TAKC_BASE_CLOCK_H

#include "takc/call.h"

struct takc_clock {
    uint64_t (*mono_ns)(const struct takc_clock *); /* never goes back; for deadlines and durations */
    int64_t (*wall_s)(const struct takc_clock *);   /* seconds since 1970 UTC; for dates that people read */
    void (*sleep_ns)(const struct takc_clock *, uint64_t ns);
};

/* The machine's clock. */
const struct takc_clock *takc_clock_system(void);
/* Its mono_ns, now. */
uint64_t takc_now_ns(void);
/* The given clock, or the machine's for NULL. */
const struct takc_clock *takc_clock_or_system(const struct takc_clock *c);
/* Writes "2026-01-02T03:04:05Z" (20 characters and NUL); SOURCE_DATE_EPOCH is not looked at. */
void takc_time_text(int64_t wall_s, char out[21]);
/* Days since 1970-01-01 of "YYYY-MM-DD" or of the date part of an RFC 3339 time; INVALID for anything else. */
TAKC_CHECK enum takc_status takc_date_parse(const char *text, size_t len, int32_t *out_days, struct takc_err *err);
/* "YYYY-MM-DD" of days since 1970-01-01. */
void takc_date_text(int32_t days, char out[11]);

#endif
