/* SPDX-License-Identifier: Apache-2.0
 *
 * base/utf8.h - UTF-8 one character at a time. Threads: pure functions. */
#ifndef TAKC_BASE_UTF8_H
#define TAKC_BASE_UTF8_H

#include "base/buf.h"

#define TAKC_UTF8_BAD 0xFFFDu /* what stands for bytes that are no character */

/* Decodes the character at *pos (< s.len) and moves *pos behind it. Bytes that are not UTF-8 (overlong, surrogate, cut off) give
 * TAKC_UTF8_BAD and move by one byte; *out_bad, if not NULL, says whether that happened. */
uint32_t takc_utf8_next(struct takc_str s, size_t *pos, bool *out_bad);
/* Writes c (a valid scalar value) to out, 1..4 bytes; returns how many. */
unsigned takc_utf8_put(uint32_t c, char out[4]);
/* Is all of s valid UTF-8? *out_at, if not NULL, is the place of the first wrong byte. */
bool takc_utf8_valid(struct takc_str s, size_t *out_at);
/* Is byte offset at (<= s.len) between two characters of valid UTF-8 s? */
bool takc_utf8_boundary(struct takc_str s, size_t at);
/* Appends s with each wrong byte replaced by U+FFFD; *out_replaced counts them. */
TAKC_CHECK enum takc_status takc_utf8_repair(struct takc_buf *out, struct takc_str s, size_t *out_replaced, struct takc_err *err);

#endif
