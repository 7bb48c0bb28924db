/* SPDX-License-Identifier: Apache-2.0
 *
 * jwt.c - the authorizer: options checked, a token's way from a header to an identity. The signature is checked before any claim is told
 * of, but for the issuer: a token of somebody else's costs no look for a key. */
#include "auth/jwt.h"

#include "auth/cjose.h"
#include "base/alloc.h"

enum { SKEW_S = 60 };

struct jwt {
    struct takc_authorizer base;
    struct takc_arena arena; /* of the texts of rules */
    struct takc_jwt_rules rules;
    struct takc_jwks *keys;
    const struct takc_clock *clock;
};

static bool jwt_bears(const struct takc_authorizer *a, const struct takc_auth_request *r)
{
    (void)a;
    return takc_jwt_looks(takc_grant_bearer(r));
}

static enum takc_status check_token(struct jwt *j, struct takc_call *call, const struct takc_jwt *t, struct takc_arena *arena,
                                    struct takc_identity *out, struct takc_err *err)
{
    struct takc_keyset *set;
    if (!takc_str_eq(takc_json_get_str(t->claims, "iss"), j->rules.issuer))
        return takc_fail(err, TAKC_DENIED, 0, "the token is of another issuer");
    enum takc_status st = takc_jwks_get(j->keys, call, t->kid, t->alg, &set, err);
    if (st)
        return st;
    st = takc_keyset_verify(set, t->kid, t->alg, t->text, err);
    takc_keyset_unref(set);
    return st ? st : takc_jwt_identity(&j->rules, t->claims, j->clock->wall_s(j->clock), arena, out, err);
}

static enum takc_status jwt_check(struct takc_authorizer *a, struct takc_call *call, const struct takc_auth_request *r,
                                  struct takc_arena *arena, struct takc_identity *out, struct takc_err *err)
{
    struct takc_jwt t;
    enum takc_status st = takc_jwt_read(&t, takc_grant_bearer(r), err);
    if (st)
        return st;
    st = check_token((struct jwt *)a, call, &t, arena, out, err);
    takc_jwt_clear(&t);
    return st;
}

static void jwt_free(struct takc_authorizer *a)
{
    struct jwt *j = (struct jwt *)a;
    takc_jwks_close(j->keys);
    takc_arena_clear(&j->arena);
    takc_free(j);
}

static const struct takc_authorizer_kind kind = {"jwt", jwt_bears, jwt_check, jwt_free};

/* --- open --- */

static enum takc_status keep(struct jwt *j, struct takc_str s, const char **out, struct takc_err *err)
{
    if (!s.len)
        return TAKC_OK;
    *out = takc_arena_dup(&j->arena, s).ptr;
    return *out ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for an authorizer");
}

static enum takc_status keep_audience(struct jwt *j, struct takc_str list, struct takc_err *err)
{
    const char *text = "";
    enum takc_status st = keep(j, list, &text, err);
    size_t from = 0, n = st ? 0 : list.len;
    for (size_t i = 0; i <= n && !st; i++) {
        if (i < n && text[i] != ' ' && text[i] != ',')
            continue;
        if (i > from && j->rules.n_audience == TAKC_JWT_AUDIENCES)
            st = takc_fail(err, TAKC_INVALID, 0, "serve.jwt_audience: more than %d", TAKC_JWT_AUDIENCES);
        else if (i > from)
            j->rules.audience[j->rules.n_audience++] = takc_str_n(text + from, i - from);
        from = i + 1;
    }
    if (!st && !j->rules.n_audience)
        st = takc_fail(err, TAKC_INVALID, 0,
                       "serve.jwt_audience: not set; whom tokens are for (with serve.jwt_token_use access: the client's id)");
    return st;
}

static enum takc_status keep_rules(struct jwt *j, const struct takc_auth_jwt_options *o, struct takc_err *err)
{
    const char *issuer = NULL;
    bool use_known = !o->token_use.len || takc_str_is(o->token_use, "access") || takc_str_is(o->token_use, "id");
    if (!o->issuer.len)
        return takc_fail(err, TAKC_INVALID, 0, "serve.jwt_issuer: not set; the issuer's URL, as its tokens have it in \"iss\"");
    if (!use_known)
        return takc_fail(err, TAKC_INVALID, 0, "serve.jwt_token_use: %.*s is neither access nor id", TAKC_STR_ARG(o->token_use));
    enum takc_status st = keep(j, o->issuer, &issuer, err);
    st = st ? st : keep(j, o->tenant_claim, &j->rules.tenant_claim, err);
    st = st ? st : keep(j, o->tasks_claim, &j->rules.tasks_claim, err);
    st = st ? st : keep(j, o->scope_claim, &j->rules.scope_claim, err);
    st = st ? st : keep(j, o->token_use, &j->rules.token_use, err);
    j->rules.issuer = takc_str(issuer);
    j->rules.skew_s = o->skew_s ? o->skew_s : SKEW_S;
    return st ? st : keep_audience(j, o->audience, err);
}

static enum takc_status open_keys(struct jwt *j, const struct takc_auth_jwt_options *o, struct takc_err *err)
{
    struct takc_jwks_options k = {.issuer = j->rules.issuer.ptr,
                                  .ca_file = o->ca_file,
                                  .proxy = o->proxy,
                                  .clock = o->clock,
                                  .fetch = o->fetch,
                                  .fetch_arg = o->fetch_arg};
    const struct takc_cjose *cjose;
    enum takc_status st = takc_cjose_load(&cjose, err);
    st = st ? st : keep(j, o->jwks, &k.url, err);
    if (st)
        return st;
    st = takc_jwks_open(&j->keys, &k, err);
    return st == TAKC_INVALID ? takc_err_prefix(err, st, "serve.jwt_issuer, serve.jwt_jwks") : st;
}

enum takc_status takc_auth_jwt_open(struct takc_authorizer **out, const struct takc_auth_jwt_options *o, struct takc_err *err)
{
    struct jwt *j = takc_alloc(sizeof(*j));
    if (!j)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for an authorizer");
    j->base.kind = &kind;
    j->clock = takc_clock_or_system(o->clock);
    takc_arena_init(&j->arena);
    enum takc_status st = keep_rules(j, o, err);
    st = st ? st : open_keys(j, o, err);
    if (st)
        jwt_free(&j->base);
    else
        *out = &j->base;
    return st;
}
