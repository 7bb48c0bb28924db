/* SPDX-License-Identifier: Apache-2.0
 *
 * http/hints.h - the next step in a failure's message, for who has no command line: where the library says "takc compress -t fin" a client
 * reads "POST /compress". Pure. Threads: any. */
#ifndef TAKC_HTTP_HINTS_H
#define TAKC_HTTP_HINTS_H

#include "takc/str.h"

enum { TAKC_TOLD_BYTES = 320 }; /* a struct takc_err's message, and what it grows by */

/* text with its commands as requests; cut to the room, at whole characters. A text without a command is copied as it is. */
void takc_hint_over_http(struct takc_str text, char out[TAKC_TOLD_BYTES]);

#endif
