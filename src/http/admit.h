/* SPDX-License-Identifier: Apache-2.0
 *
 * http/admit.h - who asks, and may they: between a request's head and its body.
 *
 * Without an authorizer everybody who reaches the server is the machine's own user; it listens on loopback only then, and pages of other
 * sites in that user's browser are kept out: a Host that is not the machine's own (DNS rebinding) and, where something may be changed, an
 * Origin that is not (forms of other sites) are refused. With authorizers a request of a route that has a scope needs a credential: 401
 * with WWW-Authenticate where it bears none or a bad one, 403 where its scope is too small, 503 with Retry-After where whom the authorizer
 * asks does not answer. Then the tenant's home is opened. Threads: begin on the connection's, the rest on a fiber. */
#ifndef TAKC_HTTP_ADMIT_H
#define TAKC_HTTP_ADMIT_H

#include "http/api.h"

/* At the head, before a route is looked for: may a request with these headers be listened to at all? false: refused, the reply is there. */
bool takc_admit_head(const struct takc_api *api, struct takc_exchange *x);
/* The route is found (asked->route, asked->api): without an authorizer it is the local user; else of an open route anonymous, who may
 * nothing and has no home, and of every other to be asked for on a fiber (x->admits). */
void takc_admit_begin(struct takc_exchange *x, struct takc_asked *asked);
/* Fills asked->who and asked->home where begin did not. false: refused, the reply is there. */
bool takc_admit(struct takc_exchange *x, struct takc_asked *asked);
/* The query without what admitted the request; *nomem: no memory for it. */
struct takc_str takc_admit_query(struct takc_exchange *x, const struct takc_asked *asked, bool *nomem);
/* On a fiber, with the body: is it the one that was signed, where it was? false: refused, the reply is there. */
bool takc_admit_body(struct takc_exchange *x, struct takc_asked *asked);
/* The request needs its home no more. Twice is harmless. */
void takc_admit_end(struct takc_asked *asked);

/* "localhost", 127.x.y.z or [::1], perhaps with a port? Pure. */
bool takc_admit_own_host(struct takc_str host);
/* Is it the Origin of a page of this machine? Pure. */
bool takc_admit_own_origin(struct takc_str origin);

#endif
