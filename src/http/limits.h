/* SPDX-License-Identifier: Apache-2.0
 *
 * http/limits.h - what stands around every route: whose address it is, who may read the reply in a browser, how much each may have, writes
 * that are sent twice. api.c calls these in the order of a request; the parts are http/peer.h, cors.h, quota.h and idempotency.h.
 * All are harmless where an api has no limits (a test's). Threads: any; of one exchange one at a time. */
#ifndef TAKC_HTTP_LIMITS_H
#define TAKC_HTTP_LIMITS_H

#include "config/settings.h"
#include "http/api.h"
#include "http/quota.h"

/* What settings say (serve.cors_origins, serve.trusted_proxies, serve.quota_*). home keeps counters and replies; it is the server's own,
 * and outlives them. INVALID names the setting. Returns owned. */
TAKC_CHECK enum takc_status takc_limits_open(struct takc_limits **out, const struct takc_settings *s, struct takc_home *home,
                                             struct takc_err *err);
/* Are serve.cors_origins and serve.trusted_proxies lists of what they should be? INVALID names the setting. */
TAKC_CHECK enum takc_status takc_limits_check(const struct takc_settings *s, struct takc_err *err);
/* Makes counters last; call it now and then, it writes about once a second. */
void takc_limits_flush(struct takc_limits *l);
/* NULL is harmless. */
void takc_limits_close(struct takc_limits *l);

/* --- a request, in this order; x->about is a struct takc_asked once a route was found --- */
/* First of all: x->peer becomes the client's address. */
void takc_limits_peer(const struct takc_api *api, struct takc_exchange *x);
/* Where no route was found: is it a browser's question, which is answered? methods: those of the path. */
bool takc_limits_preflight(const struct takc_api *api, struct takc_exchange *x, const char *methods);
/* Is it an origin that serve.cors_origins names? "*" names nobody. */
bool takc_limits_trusts(const struct takc_api *api, struct takc_str origin);
/* A route was found: its body will be hashed where that is asked for. false: refused, the reply is there. */
bool takc_limits_begin(struct takc_exchange *x, struct takc_asked *asked);
/* Before anybody looks at credentials: counts the address. false: refused (429). Routes that ask nobody who he is are not counted. Waits
 * for nobody, as takc_limits_admit. */
bool takc_limits_come(struct takc_exchange *x, const struct takc_asked *asked);
/* Once it is known who asks: counts him and what he wants. false: refused (429). */
bool takc_limits_admit(struct takc_exchange *x, const struct takc_asked *asked);
/* The body is there and fits: has the same write been sent before? false: the reply is there. */
bool takc_limits_write(struct takc_exchange *x, const struct takc_asked *asked);
/* Behind the handler. */
void takc_limits_written(struct takc_exchange *x, const struct takc_asked *asked);
/* Headers of every reply. */
void takc_limits_headers(const struct takc_api *api, struct takc_exchange *x);
/* The exchange is over: frees what is not the arena's. */
void takc_limits_ended(const struct takc_exchange *x);

/* --- for handlers --- */
/* Counts n more questions of a request that was let in. false: refused (429); held of those that were counted before come back. */
bool takc_limits_more(struct takc_exchange *x, const struct takc_asked *asked, uint64_t n, uint64_t held);
/* Kept replies that name a task of who asks go: they may hold its profile. */
TAKC_CHECK enum takc_status takc_limits_forget(const struct takc_asked *asked, struct takc_str task, struct takc_err *err);
/* Notes what a question took, also one that failed. */
void takc_limits_spent(const struct takc_asked *asked, const struct takc_query_result *r);
/* The same of other work: tokens that models read and wrote, and what that cost. */
void takc_limits_spend(const struct takc_api *api, const struct takc_identity *who, uint64_t tokens, uint64_t picodollars);

#endif
