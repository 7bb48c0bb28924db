/* SPDX-License-Identifier: Apache-2.0
 *
 * verify/span.h - may a span of a text begin and end where it does? Threads: pure functions. */
#ifndef TAKC_VERIFY_SPAN_H
#define TAKC_VERIFY_SPAN_H

#include "takc/str.h"

/* NULL when start..end lies in text, on character boundaries, and begins and ends on a word or its punctuation; else what is wrong. */
const char *takc_span_fault(struct takc_str text, uint64_t start, uint64_t end);

#endif
