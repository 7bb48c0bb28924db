/* SPDX-License-Identifier: Apache-2.0
 *
 * registry.c - the kinds of authorizers, and those that are set as one. */
#include "auth/registry.h"

#include "base/alloc.h"
#include "base/nearest.h"

#include <stdio.h>

static const struct takc_auth_factory *const factories[] = {&takc_auth_key, &takc_auth_jwt, &takc_auth_sigv4, &takc_auth_webhook};
enum { N_FACTORIES = sizeof(factories) / sizeof(factories[0]) };

struct takc_auth {
    struct takc_authorizer *all[N_FACTORIES]; /* in the order of the setting; NULL behind the last */
    bool set[N_FACTORIES];                    /* by the order of factories */
    size_t n;
};

/* ---- opening ---- */

static enum takc_status unknown(struct takc_str word, struct takc_err *err)
{
    struct takc_nearest near = {0};
    char hint[TAKC_NEAREST_MAX + 24], names[200] = "none";
    for (size_t i = 0; i < N_FACTORIES; i++) {
        size_t n = strlen(names);
        (void)snprintf(names + n, sizeof(names) - n, ", %s", factories[i]->name);
        takc_nearest_offer(&near, word, factories[i]->name);
    }
    takc_nearest_offer(&near, word, "none");
    takc_nearest_text(&near, hint);
    return takc_fail(err, TAKC_INVALID, 0, "serve.auth: '%.*s' is none of %s%s", (int)(word.len > 60 ? 60 : word.len),
                     word.ptr ? word.ptr : "", names, hint);
}

static enum takc_status open_one(struct takc_auth *a, struct takc_str word, const struct takc_settings *s, struct takc_home *home,
                                 struct takc_err *err)
{
    for (size_t i = 0; i < N_FACTORIES; i++) {
        if (!takc_str_is(word, factories[i]->name))
            continue;
        if (a->set[i])
            return takc_fail(err, TAKC_INVALID, 0, "serve.auth: %s is there twice", factories[i]->name);
        enum takc_status st = factories[i]->open(&a->all[a->n], s, home, err);
        if (st)
            return takc_err_prefix(err, st, "authorizer %s", factories[i]->name);
        a->set[i] = true;
        a->n++;
        return TAKC_OK;
    }
    if (takc_str_is(word, "none"))
        return takc_fail(err, TAKC_INVALID, 0, "serve.auth: none lets everybody in, so nothing may stand beside it");
    return unknown(word, err);
}

enum takc_status takc_auth_open(struct takc_auth **out, const struct takc_settings *s, struct takc_home *home, struct takc_err *err)
{
    struct takc_str rest = s->serve_auth, word;
    *out = NULL;
    if (takc_str_is(takc_str_trim(rest), "none"))
        return TAKC_OK;
    struct takc_auth *a = takc_alloc(sizeof(*a));
    if (!a)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for authorizers");
    *a = (struct takc_auth){.n = 0};
    enum takc_status st = rest.len ? TAKC_OK : unknown(rest, err);
    while (!st && takc_str_split(&rest, ',', &word))
        st = open_one(a, takc_str_trim(word), s, home, err);
    if (st)
        takc_auth_close(a);
    else
        *out = a;
    return st;
}

void takc_auth_close(struct takc_auth *a)
{
    for (size_t i = 0; a && i < a->n; i++)
        a->all[i]->kind->free(a->all[i]);
    takc_free(a);
}

/* ---- asking ---- */

enum takc_status takc_auth_check(struct takc_auth *a, struct takc_call *call, const struct takc_auth_request *r, struct takc_arena *arena,
                                 struct takc_identity *out, bool *out_bore, struct takc_err *err)
{
    bool twice = false;
    (void)r->header(r->arg, "authorization", &twice);
    *out_bore = twice;
    if (twice)
        return takc_fail(err, TAKC_DENIED, 0, "the header Authorization is there twice");
    for (size_t i = 0; i < a->n; i++) {
        if (!a->all[i]->kind->bears(a->all[i], r))
            continue;
        struct takc_identity who = {.may = 0};
        *out_bore = true;
        enum takc_status st = a->all[i]->kind->check(a->all[i], call, r, arena, &who, err);
        if (!st)
            *out = who;
        return st;
    }
    return takc_fail(err, TAKC_DENIED, 0, "this needs a credential in a header: Authorization, or X-API-Key for keys");
}
