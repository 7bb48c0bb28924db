/* SPDX-License-Identifier: Apache-2.0
 *
 * base/base64.h - base64 back into bytes (RFC 4648): the standard alphabet with its padding, and the one of URLs and tokens without.
 *
 * Strict: one value has one spelling. INVALID for a character of another alphabet (blanks and line ends, too), padding that is missing, too
 * much, or there at all in a token, a length that none has, bits behind the last byte that are not 0; detail is the place where it has one.
 * Bytes are appended to out, which is unchanged after a failure; its limit is met as INVALID. NOMEM. Threads: pure functions. */
#ifndef TAKC_BASE_BASE64_H
#define TAKC_BASE_BASE64_H

#include "base/buf.h"

/* "+/" with "=" to a multiple of four. */
TAKC_CHECK enum takc_status takc_base64_decode(struct takc_buf *out, struct takc_str text, struct takc_err *err);
/* "-_" without padding. */
TAKC_CHECK enum takc_status takc_base64url_decode(struct takc_buf *out, struct takc_str text, struct takc_err *err);

#endif
