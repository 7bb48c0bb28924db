/* SPDX-License-Identifier: Apache-2.0
 *
 * net/url.h - the parts of a URL, and percent-encoding. Threads: pure functions. */
#ifndef TAKC_NET_URL_H
#define TAKC_NET_URL_H

#include "base/buf.h"

struct takc_url {                              /* views into what was parsed */
    struct takc_str scheme, host, path, query; /* scheme in lower case as written; path begins with '/' or is empty; query without '?' */
    struct takc_str authority;                 /* host, and ":port" where one is written */
    unsigned port;                             /* written, or the scheme's: 80, 443 */
};
/* http and https only; no user part, no blank, no control character, no fragment. INVALID says what is wrong; no secret in the message. */
TAKC_CHECK enum takc_status takc_url_parse(struct takc_url *out, struct takc_str url, struct takc_err *err);
/* Appends s with everything but A-Z a-z 0-9 - . _ ~ (and '/' where keep_slash) as %XX, capitals (RFC 3986). */
TAKC_CHECK enum takc_status takc_url_escape(struct takc_buf *out, struct takc_str s, bool keep_slash, struct takc_err *err);
/* Appends s with %XX decoded. INVALID for a cut or odd escape. */
TAKC_CHECK enum takc_status takc_url_unescape(struct takc_buf *out, struct takc_str s, struct takc_err *err);
/* Undoes percent escapes of s into out (room for s.len + 1); false: a broken escape or a NUL. */
bool takc_percent_decode(struct takc_str s, char *out, size_t *out_len);

#endif
