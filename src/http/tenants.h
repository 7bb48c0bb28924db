/* SPDX-License-Identifier: Apache-2.0
 *
 * http/tenants.h - the homes of tenants (docs/adr/0013): opened at their first request, shared by those that come meanwhile, kept open for
 * the next ones, closed when others need the room.
 *
 * A tenant's home is HOME/tenants/NAME. It is made when the tenant first writes; until then reads see the empty home HOME/tenants/.empty,
 * whose name no tenant can have and which nobody writes to. The empty name is the default tenant, whose home is the server's own.
 * Threads: get and put from any, also on fibers, where waiting for one that is being opened holds no thread; open and close from one. */
#ifndef TAKC_HTTP_TENANTS_H
#define TAKC_HTTP_TENANTS_H

#include "catalog/home.h"
#include "takc/call.h"

enum {
    TAKC_TENANTS_MAX = 128, /* homes open at a time: each may hold four files */
    TAKC_TENANTS_IDLE = 32  /* of them, those that nobody uses now */
};

struct takc_tenants;
/* home is the server's own and lives longer. Opens nothing yet. NOMEM. Returns owned: takc_tenants_close. */
TAKC_CHECK enum takc_status takc_tenants_open(struct takc_tenants **out, struct takc_home *home, struct takc_err *err);
/* Nobody holds a home of it any more. NULL is welcome. */
void takc_tenants_close(struct takc_tenants *t);

/* The home of a tenant, for the caller until it is put back. make: it is made where there is none. INVALID: no name of a tenant; BUSY: all
 * that may be open are in use, or somebody is alone on the home; CANCELLED, TIMEOUT: the call's; else as takc_home_open. */
TAKC_CHECK enum takc_status takc_tenants_get(struct takc_tenants *t, struct takc_call *call, struct takc_str tenant, bool make,
                                             struct takc_home **out, struct takc_err *err);
/* Gives it back. NULL and the server's own home are welcome. */
void takc_tenants_put(struct takc_tenants *t, struct takc_home *home);
/* closing is called before a home is closed, by who keeps things of it open; set before the first get. */
void takc_tenants_on_close(struct takc_tenants *t, void (*closing)(void *arg, struct takc_home *home), void *arg);
/* How many are open, the default one not counted; for tests and metrics. */
size_t takc_tenants_count(struct takc_tenants *t);

#endif
