/* SPDX-License-Identifier: Apache-2.0
 *
 * openapi.c - the rows of routes.c as OpenAPI 3.1. */
#include "http/api.h"

#include <stdio.h>

static const struct takc_member error_members[] = {
    {"code", true, {.type = TAKC_TYPE_TEXT, .about = "a word for programs: INVALID_TASK_TYPE, CACHE_NOT_FOUND, ..."}},
    {"message", true, {.type = TAKC_TYPE_TEXT, .about = "for people"}},
    {"details", true, {.type = TAKC_TYPE_OBJECT, .open = true, .about = "of a body that does not fit: pointer, expected"}},
};
static const struct takc_member failure_members[] = {
    {"error", true, {.type = TAKC_TYPE_OBJECT, TAKC_MEMBERS(error_members)}},
    {"request_id", true, {.type = TAKC_TYPE_TEXT, .nullable = true}},
    {"timestamp", true, {.type = TAKC_TYPE_TEXT, .format = "date-time"}},
};
static const struct takc_schema failure = {.type = TAKC_TYPE_OBJECT, .name = "Failure", TAKC_MEMBERS(failure_members)};

/* Takes v. */
static bool set(json_t *o, const char *name, json_t *v)
{
    return v && json_object_set_new(o, name, v) == 0;
}

static json_t *content(const char *type, json_t *schema)
{
    return json_pack("{s{s{so}}}", "content", type, "schema", schema);
}

static bool add_reply(json_t *replies, const char *status, const char *about, json_t *body)
{
    return body && set(body, "description", json_string(about)) && set(replies, status, body);
}

static json_t *replies_of(const struct takc_route *r, json_t *components)
{
    static const struct takc_schema any = {.type = TAKC_TYPE_ANY};
    static const struct {
        const char *status, *about;
        bool always;
    } failures[] = {{"400", "what was asked does not fit", true},
                    {"401", "no credential, or one that is not good", false},
                    {"403", "the credential may not do that, or not with that task", true},
                    {"404", "no such task, version or rate", false},
                    {"413", "the body is too large", true},
                    {"415", "the body is of another type", false},
                    {"429", "too many requests", false},
                    {"500", "the server failed", true},
                    {"502", "the model's service failed", false},
                    {"503", "busy", true},
                    {"504", "out of time", false}};
    json_t *replies = json_object();
    bool good = replies && add_reply(replies, "200", r->summary,
                                     content(r->reply_type ? r->reply_type : "application/json",
                                             takc_schema_json(r->reply ? r->reply : &any, components)));
    bool plain = !r->may;
    for (size_t i = 0; good && i < sizeof(failures) / sizeof(failures[0]); i++)
        if (failures[i].always || !plain)
            good = add_reply(replies, failures[i].status, failures[i].about,
                             content("application/json", takc_schema_json(&failure, components)));
    if (good)
        return replies;
    json_decref(replies);
    return NULL;
}

static bool add_params(const struct takc_route *r, json_t *list, json_t *components)
{
    struct takc_str rest = takc_str(r->path), segment;
    bool good = true;
    while (good && takc_str_split(&rest, '/', &segment))
        if (segment.len > 2 && segment.ptr[0] == '{')
            good = json_array_append_new(list, json_pack("{ss% ss sb s{ss si}}", "name", segment.ptr + 1, segment.len - 2, "in", "path",
                                                         "required", 1, "schema", "type", "string", "minLength", 1)) == 0;
    for (size_t i = 0; good && r->query && i < r->query->n_members; i++) {
        const struct takc_member *m = &r->query->members[i];
        good = json_array_append_new(list, json_pack("{ss ss sb so}", "name", m->name, "in", "query", "required", (int)m->required,
                                                     "schema", takc_schema_json(&m->value, components))) == 0;
    }
    return good;
}

/* ---- who may ---- */

/* One of them is enough. */
static json_t *security_of(const struct takc_route *r)
{
    return r->may ? json_pack("[{s[]} {s[]}]", "bearer", "apiKey") : json_array();
}

static json_t *security_schemes(void)
{
    return json_pack("{s{ss ss ss} s{ss ss ss ss}}", "bearer", "type", "http", "scheme", "bearer", "description",
                     "a key of takc key create, or what another authorizer takes", "apiKey", "type", "apiKey", "in", "header", "name",
                     "X-API-Key", "description", "a key of takc key create");
}

static json_t *operation(const struct takc_route *r, json_t *components, bool authorized)
{
    json_t *params = json_array(), *replies = replies_of(r, components);
    json_t *o = params && replies && add_params(r, params, components)
                    ? json_pack("{ss ss sO sO}", "operationId", r->id, "summary", r->summary, "parameters", params, "responses", replies)
                    : NULL;
    json_decref(params);
    json_decref(replies);
    if (o && authorized && !set(o, "security", security_of(r))) {
        json_decref(o);
        return NULL;
    }
    if (!o || !r->body)
        return o;
    json_t *body = content("application/json", takc_schema_json(r->body, components));
    if (body && set(body, "required", json_true()) && set(o, "requestBody", body))
        return o;
    json_decref(o);
    return NULL;
}

static bool add_path(const struct takc_route *r, json_t *paths, json_t *components, bool authorized)
{
    char method[16] = "";
    for (size_t i = 0; r->method[i] && i + 1 < sizeof(method); i++)
        method[i] = (char)(r->method[i] | 0x20);
    json_t *path = json_object_get(paths, r->path);
    if (!path && !set(paths, r->path, path = json_object()))
        return false;
    return set(path, method, operation(r, components, authorized));
}

json_t *takc_openapi(bool authorized)
{
    json_t *paths = json_object(), *components = json_object();
    bool good = paths && components;
    for (size_t i = 0; good && takc_route_at(i); i++)
        good = add_path(takc_route_at(i), paths, components, authorized);
    json_t *v = good ? json_pack("{ss s{ss ss ss s{ss ss}} s[{ss}] sO s{sO}}", "openapi", "3.1.0", "info", "title", "takc", "version",
                                 TAKC_VERSION_TEXT, "description", "Task-Aware Knowledge Compression: compressed once, asked often",
                                 "license", "name", "Apache-2.0", "identifier", "Apache-2.0", "servers", "url", "/", "paths", paths,
                                 "components", "schemas", components)
                     : NULL;
    json_decref(paths);
    json_decref(components);
    if (!v || !authorized || set(json_object_get(v, "components"), "securitySchemes", security_schemes()))
        return v;
    json_decref(v);
    return NULL;
}
