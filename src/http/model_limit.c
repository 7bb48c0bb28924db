/* SPDX-License-Identifier: Apache-2.0
 *
 * model_limit.c - a model's name against the lists it may stand in. */
#include "http/model_limit.h"

static bool is_own(const struct takc_model_settings *s, struct takc_str model)
{
    bool own = takc_str_eq(model, s->model);
    for (size_t i = 0; i < s->n_fallbacks && !own; i++)
        own = takc_str_eq(model, s->fallbacks[i]);
    return own;
}

static bool is_listed(struct takc_str list, struct takc_str model)
{
    struct takc_str pattern;
    while (takc_str_split(&list, ',', &pattern)) {
        pattern = takc_str_trim(pattern);
        if (pattern.len && takc_str_glob(pattern, model))
            return true;
    }
    return false;
}

enum takc_status takc_model_limit(const struct takc_api *api, struct takc_str task_model, struct takc_str model, struct takc_err *err)
{
    if (!model.len || takc_str_is(model, "none") || takc_str_eq(model, task_model) || is_own(&api->model, model) ||
        is_listed(api->model_patterns, model))
        return TAKC_OK;
    return takc_fail(
        err, TAKC_REFUSED, TAKC_MODEL_FORBIDDEN,
        "model: %.*s may not be named here: the task's own model may, the server's, none, and those of the setting serve.models",
        TAKC_STR_ARG(model));
}

static bool forbid(struct takc_exchange *x, const char *why)
{
    takc_api_refuse(x, 403, "FORBIDDEN", takc_str(why), NULL);
    return false;
}

bool takc_api_may_model(struct takc_exchange *x, const struct takc_asked *asked, struct takc_str task, struct takc_str model)
{
    struct takc_err err = {0};
    struct takc_profile p = {0};
    if (!takc_model_limit(asked->api, takc_str(""), model, &err))
        return true;
    enum takc_status st = takc_home_profile(asked->home, task, &p, NULL);
    bool may = !st && !takc_model_limit(asked->api, p.model, model, &err);
    takc_profile_clear(&p);
    return may || forbid(x, err.msg);
}

bool takc_api_may_profile(struct takc_exchange *x, const struct takc_asked *asked, struct takc_str task, struct takc_str yaml)
{
    struct takc_err err = {0};
    struct takc_profile was = {0}, p = {0};
    if (!asked->api->auth || takc_profile_parse(&p, task, yaml, "profile", NULL))
        return true;
    bool known = takc_home_profile(asked->home, task, &was, NULL) == TAKC_OK;
    bool reads = takc_str_starts(p.tokenizer, takc_str("bpe:")) && !(known && takc_str_eq(p.tokenizer, was.tokenizer));
    bool spends = asked->who.tenant.len && takc_model_limit(asked->api, known ? was.model : takc_str(""), p.model, &err);
    takc_profile_clear(&p);
    takc_profile_clear(&was);
    if (reads)
        return forbid(x, "tokenizer: a file of the server's machine is named on that machine, with takc init");
    return !spends || forbid(x, err.msg);
}
