/* SPDX-License-Identifier: Apache-2.0
 *
 * auth/registry.h - the authorizers that the setting serve.auth names, as one.
 *
 * A new kind is one file and a line in registry.c. Threads: open and close from one; check as auth.h says. */
#ifndef TAKC_AUTH_REGISTRY_H
#define TAKC_AUTH_REGISTRY_H

#include "auth/auth.h"
#include "catalog/home.h"
#include "config/settings.h"

struct takc_auth_factory {
    const char *name; /* as serve.auth has it */
    /* Opens it by the settings; home is the server's own, and lives longer. INVALID names the setting. Returns owned: kind->free. */
    enum takc_status (*open)(struct takc_authorizer **out, const struct takc_settings *s, struct takc_home *home, struct takc_err *err);
};
extern const struct takc_auth_factory takc_auth_key;                                     /* keys.c */
extern const struct takc_auth_factory takc_auth_jwt, takc_auth_sigv4, takc_auth_webhook; /* from_settings.c */

struct takc_auth;
/* Opens what serve.auth names; *out is NULL for "none". INVALID: an unknown word, a repeated one, none beside others. Settings are read
 * here only. Returns owned: takc_auth_close. */
TAKC_CHECK enum takc_status takc_auth_open(struct takc_auth **out, const struct takc_settings *s, struct takc_home *home,
                                           struct takc_err *err);
/* NULL is welcome. */
void takc_auth_close(struct takc_auth *a);

/* Whose request it is: the first authorizer whose kind of credential it bears says so; its views live as long as the arena. DENIED: it
 * bears none (out_bore false), or one that is not good; the message may be shown to the client. UPSTREAM, TIMEOUT, BUSY: whom the
 * authorizer asks did not answer; others: what failed here. out is whole on OK only. */
TAKC_CHECK enum takc_status takc_auth_check(struct takc_auth *a, struct takc_call *call, const struct takc_auth_request *r,
                                            struct takc_arena *arena, struct takc_identity *out, bool *out_bore, struct takc_err *err);

#endif
