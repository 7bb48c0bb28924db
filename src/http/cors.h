/* SPDX-License-Identifier: Apache-2.0
 *
 * http/cors.h - which pages of other sites may read what the server says (the Fetch standard's CORS protocol).
 *
 * Off without origins: no header is sent, and OPTIONS is no method of any path. Credentials that a browser adds by itself (cookies, client
 * certificates) are never allowed; a page that has a key sends it as a header of its own.
 * Threads: read only once it is there. */
#ifndef TAKC_HTTP_CORS_H
#define TAKC_HTTP_CORS_H

#include "http/exchange.h"

enum { TAKC_CORS_ORIGINS = 64 };

struct takc_cors {
    struct takc_str origins[TAKC_CORS_ORIGINS]; /* "https://app.example.com" */
    size_t n;                                   /* 0, and not any: off */
    bool any;                                   /* every page may */
};

/* Reads a list with commas between: origins as browsers send them, or "*" alone. Borrows list. INVALID names what is no origin. */
TAKC_CHECK enum takc_status takc_cors_parse(struct takc_str list, struct takc_cors *out, struct takc_err *err);
static inline bool takc_cors_is_on(const struct takc_cors *c)
{
    return c->any || c->n > 0;
}
/* Is it one of them, or are all? */
bool takc_cors_allows(const struct takc_cors *c, struct takc_str origin);
/* Adds to any reply what lets the page read it, and Vary where that depends on the page. */
void takc_cors_headers(const struct takc_cors *c, struct takc_exchange *x);
/* Is it the question that browsers ask before the request itself? Then it is answered: 204 with the methods of the path ("GET, PUT"), and
 * the headers that were asked for. Nobody has to say who he is: a browser would not. */
bool takc_cors_preflight(const struct takc_cors *c, struct takc_exchange *x, const char *methods);

#endif
