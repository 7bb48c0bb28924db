/* SPDX-License-Identifier: Apache-2.0
 *
 * http/idempotency.h - Idempotency-Key: a write that is sent twice is done once.
 *
 * The key (1 to 255 visible characters) belongs to who sends it. The same request - method, target and body - under it gets the reply that
 * the first one got, with Idempotency-Replayed: true; another request 422; while the first one runs 409. Replies are kept for a day, those
 * below 500 alone, and not those that say "try again" (408, 409, 429) or are larger than 64 KiB: such a request runs again. What a
 * killed server was at is 409 for as long as a request may take, then runs again. Threads: any; of one exchange one at a time. */
#ifndef TAKC_HTTP_IDEMPOTENCY_H
#define TAKC_HTTP_IDEMPOTENCY_H

#include "base/hash.h"
#include "catalog/idempotency.h"
#include "http/exchange.h"

struct takc_idempotency { /* of a server; init by takc_idempotency_init */
    struct takc_home *home;
    char owner[33];
    int64_t running_s;
};
/* home keeps the replies; borrowed. */
void takc_idempotency_init(struct takc_idempotency *m, struct takc_home *home, uint64_t request_ms);

struct takc_claim {               /* of one request; zeroed before its head is looked at */
    struct takc_str key, subject; /* in the exchange's arena */
    struct takc_sha256 digest;    /* of the body, which the transport adds to */
    bool claimed;
};
/* Before the body: has the request a key? Then its body is hashed as it comes. false: the key is none (400), or no memory; why says so. */
bool takc_idempotency_expect(struct takc_exchange *x, struct takc_claim *c, const char **out_why);

/* Behind the body. subject: who asks. NEW: the handler runs, and takc_idempotency_end behind it; so it does where there is no key. KEPT:
 * the reply is in x. */
TAKC_CHECK enum takc_status takc_idempotency_begin(struct takc_idempotency *m, struct takc_exchange *x, struct takc_claim *c,
                                                   struct takc_str subject, enum takc_idempotency_found *out_found, struct takc_err *err);
/* Behind the handler: keeps the reply or gives the key up. A failure is logged. */
void takc_idempotency_end(struct takc_idempotency *m, struct takc_exchange *x, struct takc_claim *c);
/* Frees what a claim holds; twice is harmless. */
void takc_claim_clear(struct takc_claim *c);

#endif
