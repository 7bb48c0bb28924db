/* SPDX-License-Identifier: Apache-2.0
 *
 * http/ids.h - names of requests, traces and spans: random, drawn from a stock that each thread has, so that one call of the system serves
 * a dozen of them. For telling things apart, not for secrets. Threads: any. */
#ifndef TAKC_HTTP_IDS_H
#define TAKC_HTTP_IDS_H

#include <stddef.h>

/* Writes n (1..32) random bytes as 2 * n lower-case hex digits and a NUL; they are not all zero. */
void takc_id_draw(char *out, size_t n);

#endif
