/* SPDX-License-Identifier: Apache-2.0
 *
 * report.c - counts per level and the sentence for each failure. */
#include "verify/report.h"
#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>

void takc_report_pass(struct takc_report *r, enum takc_level level)
{
    r->proof->checked[level]++;
}

void takc_report_underivable(struct takc_report *r, enum takc_level level)
{
    r->proof->checked[level]++;
    r->proof->underivable[level]++;
}

void takc_report_fail(struct takc_report *r, enum takc_level level, const char *subject, const char *fmt, ...)
{
    char finding[512];
    va_list ap;
    r->proof->checked[level]++;
    r->proof->failed[level]++;
    if (!r->tell)
        return;
    va_start(ap, fmt);
    (void)vsnprintf(finding, sizeof(finding), fmt, ap);
    va_end(ap);
    r->tell(r->arg, level, subject, finding);
}

const char *takc_report_quote(struct takc_str s, char out[48])
{
    enum { LIMIT = 40 };
    size_t n = s.len;
    bool cut = n > LIMIT;
    for (n = cut ? LIMIT : n; cut && n > 0 && !takc_utf8_boundary(s, n);)
        n--;
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7F ? ' ' : s.ptr[i];
    memcpy(out + n, cut ? "..." : "", cut ? 4 : 1);
    return out;
}
