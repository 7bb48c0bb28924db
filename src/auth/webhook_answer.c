/* SPDX-License-Identifier: Apache-2.0
 *
 * webhook_answer.c - an answer in one of its three forms made into an identity (auth/webhook.h). What is there and odd makes it no answer:
 * whoever decides means something by each member, and a guess could give more than was meant. */
#include "auth/webhook.h"

static enum takc_status odd(struct takc_err *err, const char *member)
{
    return takc_fail(err, TAKC_UPSTREAM, 0, "the webhook's answer is not understood: %s", member);
}

static bool is_words(const json_t *v)
{
    return json_is_string(v) || json_is_array(v);
}

static enum takc_status read_may(const json_t *v, struct takc_identity *who, struct takc_err *err)
{
    struct takc_str word;
    if (!v || json_is_null(v))
        return TAKC_OK;
    if (!is_words(v))
        return odd(err, "may");
    for (size_t i = 0; takc_grant_word(v, i, &word); i++) {
        unsigned may = takc_grant_may(word);
        if (!may)
            return odd(err, "may has a word that is none of query, ingest, admin");
        who->may |= may;
    }
    return TAKC_OK;
}

static enum takc_status read_tasks(const json_t *v, struct takc_arena *a, struct takc_identity *who, struct takc_err *err)
{
    struct takc_str word;
    enum takc_status st = TAKC_OK;
    if (!v || json_is_null(v))
        return TAKC_OK;
    for (size_t i = 0; !st && takc_grant_word(v, i, &word); i++)
        st = takc_grant_task(a, who, word, err);
    if (st == TAKC_DENIED || (!st && !who->n_tasks))
        return odd(err, "tasks is no list of patterns (leave it out for all tasks)");
    return st;
}

static enum takc_status read_tenant(const json_t *v, struct takc_arena *a, struct takc_identity *who, struct takc_err *err)
{
    struct takc_str s = json_is_string(v) ? takc_str_n(json_string_value(v), json_string_length(v)) : takc_str("");
    if (!v || json_is_null(v))
        return TAKC_OK;
    if (!takc_grant_is_tenant(s))
        return odd(err, "tenant is no name of a-z 0-9 . _ -");
    who->tenant = takc_arena_dup(a, s);
    return who->tenant.ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for an identity");
}

static enum takc_status read_subject(const json_t *v, struct takc_arena *a, struct takc_identity *who, struct takc_err *err)
{
    if (!v || json_is_null(v))
        return TAKC_OK;
    if (!json_is_string(v) || !json_string_length(v))
        return odd(err, "subject");
    return takc_grant_subject(a, "webhook", takc_str_n(json_string_value(v), json_string_length(v)), &who->subject, err);
}

/* What a yes says of whom; v may be NULL. */
static enum takc_status read_who(const json_t *v, struct takc_arena *a, struct takc_identity *who, struct takc_err *err)
{
    enum takc_status st = read_subject(json_object_get(v, "subject"), a, who, err);
    st = st ? st : read_tenant(json_object_get(v, "tenant"), a, who, err);
    st = st ? st : read_may(json_object_get(v, "may"), who, err);
    return st ? st : read_tasks(json_object_get(v, "tasks"), a, who, err);
}

static enum takc_status read_cache(const json_t *v, struct takc_webhook_answer *out, struct takc_err *err)
{
    const json_t *ttl = json_object_get(v, "ttl_s"), *by = json_object_get(v, "cache_by");
    if (ttl && (!json_is_integer(ttl) || json_integer_value(ttl) < 0))
        return odd(err, "ttl_s");
    if (ttl)
        out->ttl_s = (uint64_t)json_integer_value(ttl);
    bool request = json_is_string(by) && strcmp(json_string_value(by), "request") == 0;
    if (by && !request && !(json_is_string(by) && strcmp(json_string_value(by), "credential") == 0))
        return odd(err, "cache_by is neither credential nor request");
    out->by_request = request;
    return TAKC_OK;
}

/* {"allow": ...} */
static enum takc_status read_own(const json_t *v, struct takc_arena *a, struct takc_webhook_answer *out, struct takc_err *err)
{
    const json_t *allow = json_object_get(v, "allow");
    if (!json_is_boolean(allow))
        return odd(err, "allow is neither true nor false");
    out->allow = json_is_true(allow);
    enum takc_status st = read_cache(v, out, err);
    return st || !out->allow ? st : read_who(v, a, &out->who, err);
}

/* {"isAuthorized": ..., "context": {...}} */
static enum takc_status read_simple(const json_t *v, struct takc_arena *a, struct takc_webhook_answer *out, struct takc_err *err)
{
    const json_t *is = json_object_get(v, "isAuthorized");
    if (!json_is_boolean(is))
        return odd(err, "isAuthorized is neither true nor false");
    out->allow = json_is_true(is);
    return out->allow ? read_who(json_object_get(v, "context"), a, &out->who, err) : TAKC_OK;
}

static bool member_is(const json_t *v, const char *name, const char *text)
{
    const json_t *m = json_object_get(v, name);
    return json_is_string(m) && strcmp(json_string_value(m), text) == 0;
}

/* "*", or a list of it. Others name routes of an API Gateway, which we have not. */
static bool is_everything(const json_t *resource)
{
    if (json_is_array(resource) && json_array_size(resource) == 1)
        resource = json_array_get(resource, 0);
    return json_is_string(resource) && strcmp(json_string_value(resource), "*") == 0;
}

/* A Deny of whatever is a no; an Allow is one of everything, or not understood. */
static enum takc_status read_statement(const json_t *one, bool *allow, struct takc_err *err)
{
    bool plain =
        is_everything(json_object_get(one, "Resource")) && !json_object_get(one, "Condition") && !json_object_get(one, "NotAction");
    if (member_is(one, "Effect", "Deny"))
        *allow = false;
    else if (!member_is(one, "Effect", "Allow") || !plain)
        return odd(err, "a Statement is neither Deny nor Allow of Resource \"*\" without Condition");
    return TAKC_OK;
}

/* {"principalId": ..., "policyDocument": {"Statement": [{"Effect": "Allow", "Resource": "*"}]}, "context": {...}}: one Deny is a no. */
static enum takc_status read_policy(const json_t *v, struct takc_arena *a, struct takc_webhook_answer *out, struct takc_err *err)
{
    const json_t *said = json_object_get(json_object_get(v, "policyDocument"), "Statement");
    size_t n = json_is_array(said) ? json_array_size(said) : json_is_object(said) ? 1 : 0; /* one may stand alone */
    enum takc_status st = n ? TAKC_OK : odd(err, "policyDocument has no Statement");
    out->allow = true;
    for (size_t i = 0; i < n && !st; i++)
        st = read_statement(json_is_array(said) ? json_array_get(said, i) : said, &out->allow, err);
    if (st || !out->allow)
        return st;
    st = read_subject(json_object_get(v, "principalId"), a, &out->who, err);
    return st ? st : read_who(json_object_get(v, "context"), a, &out->who, err);
}

enum takc_status takc_webhook_read(struct takc_str json, struct takc_arena *a, struct takc_webhook_answer *out, struct takc_err *err)
{
    json_t *v = NULL;
    struct takc_webhook_answer answer = {.ttl_s = UINT64_MAX, .who = {.tenant = {"", 0}}};
    enum takc_status st = takc_json_parse(json, &v, NULL);
    if (st == TAKC_NOMEM)
        return takc_fail(err, st, 0, "no memory for an answer");
    if (st || !json_is_object(v))
        st = odd(err, "it is no JSON object");
    else if (json_object_get(v, "allow"))
        st = read_own(v, a, &answer, err);
    else if (json_object_get(v, "isAuthorized"))
        st = read_simple(v, a, &answer, err);
    else if (json_object_get(v, "policyDocument"))
        st = read_policy(v, a, &answer, err);
    else
        st = odd(err, "it has no allow");
    json_decref(v);
    if (!st)
        *out = answer;
    return st;
}
