/* SPDX-License-Identifier: Apache-2.0
 *
 * jwt_claims.c - claims against rules, and what they say of who asks (jwt.h). */
#include "auth/jwt.h"

static const double TIME_MAX_S = 253402300800.0; /* the year 10000: what is beyond is no time */

/* A claim of seconds since 1970; whole or not. */
static bool time_of(const json_t *claims, const char *name, double *out)
{
    const json_t *v = json_object_get(claims, name);
    *out = json_number_value(v);
    return json_is_number(v) && *out >= 0 && *out < TIME_MAX_S;
}

static enum takc_status check_times(const struct takc_jwt_rules *r, const json_t *claims, int64_t now_s, struct takc_identity *out,
                                    struct takc_err *err)
{
    double exp, nbf, iat, now = (double)now_s, skew = (double)r->skew_s;
    if (!time_of(claims, "exp", &exp))
        return takc_fail(err, TAKC_DENIED, 0, "the token has no exp that is a time");
    if (exp + skew <= now)
        return takc_fail(err, TAKC_DENIED, 0, "the token has expired");
    if (json_object_get(claims, "nbf") && (!time_of(claims, "nbf", &nbf) || nbf > now + skew))
        return takc_fail(err, TAKC_DENIED, 0, "the token is not good yet (nbf)");
    if (json_object_get(claims, "iat") && (!time_of(claims, "iat", &iat) || iat > now + skew || iat > exp))
        return takc_fail(err, TAKC_DENIED, 0, "the token was issued in the future or behind its end (iat)");
    out->expires_s = (int64_t)exp;
    return TAKC_OK;
}

static bool is_ours(const struct takc_jwt_rules *r, struct takc_str name)
{
    for (size_t i = 0; i < r->n_audience; i++)
        if (takc_str_eq(r->audience[i], name))
            return true;
    return false;
}

static struct takc_str text_of(const json_t *v)
{
    return json_is_string(v) ? takc_str_n(json_string_value(v), json_string_length(v)) : takc_str("");
}

/* aud is a string or a list of strings. */
static enum takc_status check_audience(const struct takc_jwt_rules *r, const json_t *claims, struct takc_err *err)
{
    const json_t *aud = json_object_get(claims, "aud"), *one;
    size_t i;
    bool ours = is_ours(r, text_of(aud));
    json_array_foreach(aud, i, one)
    {
        ours = ours || is_ours(r, text_of(one));
    }
    if (!aud && r->token_use && strcmp(r->token_use, "access") == 0)
        ours = is_ours(r, takc_json_get_str(claims, "client_id"));
    return ours ? TAKC_OK : takc_fail(err, TAKC_DENIED, 0, "the token is for another audience");
}

static enum takc_status check_claims(const struct takc_jwt_rules *r, const json_t *claims, struct takc_err *err)
{
    if (!takc_str_eq(takc_json_get_str(claims, "iss"), r->issuer))
        return takc_fail(err, TAKC_DENIED, 0, "the token is of another issuer");
    if (r->token_use && !takc_str_is(takc_json_get_str(claims, "token_use"), r->token_use))
        return takc_fail(err, TAKC_DENIED, 0, "the token's token_use is not \"%s\"", r->token_use);
    return check_audience(r, claims, err);
}

/* A scope without "takc/" or "AUDIENCE/" in front. */
static struct takc_str bare(const struct takc_jwt_rules *r, struct takc_str scope)
{
    size_t slash = scope.len;
    while (slash > 0 && scope.ptr[slash - 1] != '/')
        slash--;
    if (!slash)
        return scope;
    struct takc_str front = takc_str_slice(scope, 0, slash - 1);
    bool ours = takc_str_is(front, "takc");
    for (size_t i = 0; i < r->n_audience && !ours; i++) {
        struct takc_str a = r->audience[i];
        if (takc_str_ends(a, takc_str("/")))
            a.len--;
        ours = takc_str_eq(front, a);
    }
    return ours ? takc_str_slice(scope, slash, scope.len) : scope;
}

static unsigned read_scopes(const struct takc_jwt_rules *r, const json_t *claims)
{
    const json_t *v = json_object_get(claims, r->scope_claim ? r->scope_claim : "scope");
    struct takc_str word;
    unsigned may = 0;
    if (!v && !r->scope_claim)
        v = json_object_get(claims, "scp");
    for (size_t i = 0; takc_grant_word(v, i, &word); i++)
        may |= takc_grant_may(bare(r, word));
    return may;
}

static enum takc_status read_tasks(const struct takc_jwt_rules *r, const json_t *claims, struct takc_arena *a, struct takc_identity *out,
                                   struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    struct takc_str word;
    if (!r->tasks_claim)
        return TAKC_OK;
    for (size_t i = 0; !st && takc_grant_word(json_object_get(claims, r->tasks_claim), i, &word); i++)
        st = takc_grant_task(a, out, word, err);
    if (!st && !out->n_tasks)
        st = takc_fail(err, TAKC_DENIED, 0, "the token has no claim \"%s\" that names tasks", r->tasks_claim);
    return st;
}

static enum takc_status read_tenant(const struct takc_jwt_rules *r, const json_t *claims, struct takc_arena *a, struct takc_identity *out,
                                    struct takc_err *err)
{
    if (!r->tenant_claim)
        return TAKC_OK;
    struct takc_str tenant = takc_json_get_str(claims, r->tenant_claim);
    if (!takc_grant_is_tenant(tenant))
        return takc_fail(err, TAKC_DENIED, 0, "the token has no claim \"%s\" that names a tenant", r->tenant_claim);
    out->tenant = takc_arena_dup(a, tenant);
    return out->tenant.ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for an identity");
}

/* sub; a token of a client for itself may have client_id alone. */
static enum takc_status read_subject(const json_t *claims, struct takc_arena *a, struct takc_identity *out, struct takc_err *err)
{
    struct takc_str sub = takc_json_get_str(claims, "sub");
    if (!json_object_get(claims, "sub"))
        sub = takc_json_get_str(claims, "client_id");
    if (!sub.len)
        return takc_fail(err, TAKC_DENIED, 0, "the token does not say whose it is (sub)");
    return takc_grant_subject(a, "jwt", sub, &out->subject, err);
}

enum takc_status takc_jwt_identity(const struct takc_jwt_rules *rules, const json_t *claims, int64_t now_s, struct takc_arena *a,
                                   struct takc_identity *out, struct takc_err *err)
{
    struct takc_identity who = {.tenant = takc_str("")};
    enum takc_status st = check_claims(rules, claims, err);
    st = st ? st : check_times(rules, claims, now_s, &who, err);
    st = st ? st : read_subject(claims, a, &who, err);
    st = st ? st : read_tenant(rules, claims, a, &who, err);
    st = st ? st : read_tasks(rules, claims, a, &who, err);
    who.may = read_scopes(rules, claims);
    if (!st)
        *out = who;
    return st;
}
