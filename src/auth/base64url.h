/* SPDX-License-Identifier: Apache-2.0
 *
 * auth/base64url.h - base64url without padding (RFC 4648, 5), as tokens are written. Threads: pure functions. */
#ifndef TAKC_AUTH_BASE64URL_H
#define TAKC_AUTH_BASE64URL_H

#include "base/buf.h"

/* Appends the bytes. INVALID for another character, a length that none has, bits behind the last byte that are not 0: one value has one
 * spelling. */
TAKC_CHECK enum takc_status takc_base64url_decode(struct takc_buf *out, struct takc_str text, struct takc_err *err);

#endif
