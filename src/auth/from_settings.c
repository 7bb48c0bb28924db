/* SPDX-License-Identifier: Apache-2.0
 *
 * from_settings.c - authorizers opened by what the settings say: those that need nothing of a home. */
#include "auth/jwt.h"
#include "auth/registry.h"
#include "auth/sigv4_verify.h"
#include "auth/webhook.h"

static const char *path_or_null(struct takc_str s)
{
    return s.len ? s.ptr : NULL;
}

static enum takc_status open_jwt(struct takc_authorizer **out, const struct takc_settings *s, struct takc_home *home, struct takc_err *err)
{
    const struct takc_auth_jwt_options o = {.issuer = s->serve_jwt_issuer,
                                            .audience = s->serve_jwt_audience,
                                            .jwks = s->serve_jwt_jwks,
                                            .tenant_claim = s->serve_jwt_tenant_claim,
                                            .scope_claim = s->serve_jwt_scope_claim,
                                            .tasks_claim = s->serve_jwt_tasks_claim,
                                            .token_use = takc_str_is(s->serve_jwt_token_use, "any") ? takc_str("") : s->serve_jwt_token_use,
                                            .ca_file = path_or_null(s->serve_auth_ca_file)};
    (void)home;
    return takc_auth_jwt_open(out, &o, err);
}

static enum takc_status open_sigv4(struct takc_authorizer **out, const struct takc_settings *s, struct takc_home *home,
                                   struct takc_err *err)
{
    const struct takc_auth_sigv4_options o = {.keys = s->serve_sigv4_keys,
                                              .region = s->serve_sigv4_region,
                                              .service = s->serve_sigv4_service,
                                              .unsigned_writes = s->serve_sigv4_unsigned_body};
    (void)home;
    return takc_auth_sigv4_open(out, &o, err);
}

static enum takc_status open_webhook(struct takc_authorizer **out, const struct takc_settings *s, struct takc_home *home,
                                     struct takc_err *err)
{
    const struct takc_auth_webhook_options o = {.url = s->serve_webhook_url,
                                                .command = s->serve_webhook_command,
                                                .headers = s->serve_webhook_headers,
                                                .ttl_s = (uint32_t)s->serve_webhook_ttl_s,
                                                .allow_private = s->serve_webhook_allow_private,
                                                .ca_file = path_or_null(s->serve_auth_ca_file)};
    (void)home;
    return takc_auth_webhook_open(out, &o, err);
}

const struct takc_auth_factory takc_auth_jwt = {"jwt", open_jwt};
const struct takc_auth_factory takc_auth_sigv4 = {"sigv4", open_sigv4};
const struct takc_auth_factory takc_auth_webhook = {"webhook", open_webhook};
