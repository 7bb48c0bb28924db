/* SPDX-License-Identifier: Apache-2.0
 *
 * openapi.c - the rows of routes_*.c as OpenAPI 3.1: what each takes, and every status that can come of it. */
#include "http/api.h"

#include "base/alloc.h"
#include "schema/fields.h"

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

static const struct takc_member openai_members[] = {
    {"message", true, {.type = TAKC_TYPE_TEXT}},
    {"type", true, {.type = TAKC_TYPE_TEXT}},
    {"param", true, {.type = TAKC_TYPE_TEXT, .nullable = true, .about = "what did not fit"}},
    {"code", true, {.type = TAKC_TYPE_TEXT}},
};
static const struct takc_member openai_failure_members[] = {{"error", true, {.type = TAKC_TYPE_OBJECT, TAKC_MEMBERS(openai_members)}}};
static const struct takc_schema openai_failure = {.type = TAKC_TYPE_OBJECT, .name = "OpenAIFailure", TAKC_MEMBERS(openai_failure_members)};
static const struct takc_schema a_header = {.type = TAKC_TYPE_TEXT};

/* Takes v. */
static bool set(json_t *o, const char *name, json_t *v)
{
    return v && json_object_set_new(o, name, v) == 0;
}

struct description { /* being made; owned */
    json_t *paths, *schemas, *responses;
    bool authorized; /* routes with a scope need a credential */
};

/* ---- statuses ---- */

enum when { LISTED, ALWAYS, ASKED_WHO, WITH_BODY, WITH_NAME, WRITES };
static const struct {
    const char *status, *about;
    enum when when; /* besides where a row lists it */
} failures[] = {
    {"400", "What was asked does not fit: details.pointer says where, details.expected what was expected", ALWAYS},
    {"401", "No credential, or none that is good", ASKED_WHO},
    {"403", "The credential does not reach so far; another site's page, where the server has no authorizer", ALWAYS},
    {"404", "No such task, version, rate, document, job or place of documents", WITH_NAME},
    {"408", "The request came too slowly", ALWAYS},
    {"409", "Something else is under way, or was meanwhile", WRITES},
    {"411", "The body has no length: neither Content-Length nor chunks", WITH_BODY},
    {"413", "The body is too large", ALWAYS},
    {"414", "The target is too long", ALWAYS},
    {"415", "The body is of another type", WITH_BODY},
    {"422", "It was understood, and cannot be done; or its Idempotency-Key is another request's", WRITES},
    {"429", "Too many requests", ASKED_WHO},
    {"431", "The headers are too large", ALWAYS},
    {"500", "The server failed; its log says why, under the request's id", ALWAYS},
    {"501", "A transfer coding that is not known", ALWAYS},
    {"502", "The model's service, or S3, failed", LISTED},
    {"503", "Busy", ALWAYS},
    {"504", "Out of time", ASKED_WHO},
    {"507", "No space left", WRITES},
};

static bool lists(const struct takc_route *r, const char *status)
{
    struct takc_str rest = takc_str(r->statuses), one;
    while (rest.ptr && takc_str_split(&rest, ' ', &one))
        if (takc_str_is(one, status))
            return true;
    return false;
}

static bool can_come(const struct takc_route *r, const char *status, enum when when)
{
    switch (when) {
    case ALWAYS:
        return true;
    case ASKED_WHO:
        return r->may != 0;
    case WITH_BODY:
        return r->body != NULL;
    case WITH_NAME:
        return strchr(r->path, '{') || lists(r, status);
    case WRITES:
        return r->writes || lists(r, status);
    case LISTED:
        break;
    }
    return lists(r, status);
}

/* ---- headers ---- */

static bool add_header(json_t *headers, const char *name, const char *about)
{
    return set(headers, name, json_pack("{ss so}", "description", about, "schema", takc_schema_json(&a_header, NULL)));
}

static bool add_headers(json_t *headers, const struct takc_route *r, const char *status)
{
    bool good = add_header(headers, "X-Request-ID", "the client's own, or one made here; the log has it");
    if (good && (strcmp(status, "429") == 0 || strcmp(status, "503") == 0))
        good = add_header(headers, "Retry-After", "seconds");
    if (good && strcmp(status, "401") == 0)
        good = add_header(headers, "WWW-Authenticate", "which credentials are taken");
    if (good && r && lists(r, "304"))
        good = add_header(headers, "ETag", "of version and rate; for If-None-Match");
    if (good && r && r->events)
        good = add_header(headers, "Mcp-Session-Id", "with the reply to initialize: to be sent with every request, for cancelling");
    if (good && r && r->asks)
        good = add_header(headers, "x-takc-rate", "the rate that it came to") &&
               add_header(headers, "x-takc-mode", "what the reader saw") &&
               add_header(headers, "x-takc-version", "the version that was asked") &&
               add_header(headers, "x-takc-cache", "hit, or answer where a kept answer was given again") &&
               add_header(headers, "x-takc-confidence", "0 to 1") && add_header(headers, "x-takc-cost-usd", "of the model") &&
               add_header(headers, "x-takc-overhead-ms", "what takc took beside the model's calls");
    return good;
}

/* ---- replies ---- */

static json_t *content(const char *type, json_t *schema)
{
    return json_pack("{s{s{so}}}", "content", type, "schema", schema);
}

/* Takes body (an object that may have content; NULL: no memory). r NULL: a failure. */
static json_t *reply(const char *about, json_t *body, const struct takc_route *r, const char *status)
{
    json_t *headers = json_object();
    bool good = body && headers && add_headers(headers, r, status) && set(body, "description", json_string(about)) &&
                json_object_set(body, "headers", headers) == 0;
    json_decref(headers);
    if (good)
        return body;
    json_decref(body);
    return NULL;
}

/* What is refused before a route is found has the guide's body; behind that, the words are the route's. */
static json_t *failure_schema(const struct takc_route *r, json_t *schemas)
{
    json_t *guide = takc_schema_json(&failure, schemas);
    if (!r->wording)
        return guide;
    const struct takc_schema *own = r->wording == takc_openai_error ? &openai_failure : r->reply;
    return json_pack("{s[oo]}", "anyOf", takc_schema_json(own, schemas), guide);
}

/* A reference to the failure, which is described once for each wording. */
static json_t *failure_ref(struct description *d, const struct takc_route *r, size_t i)
{
    char name[40], ref[80];
    const char *wording = !r->wording ? "" : r->wording == takc_openai_error ? "OpenAI" : "Mcp";
    (void)snprintf(name, sizeof(name), "%sFailure%s", wording, failures[i].status);
    (void)snprintf(ref, sizeof(ref), "#/components/responses/%s", name);
    if (!json_object_get(d->responses, name) &&
        !set(d->responses, name,
             reply(failures[i].about, content("application/json", failure_schema(r, d->schemas)), NULL, failures[i].status)))
        return NULL;
    return json_pack("{ss}", "$ref", ref);
}

static json_t *success_body(const struct takc_route *r, json_t *schemas)
{
    static const struct takc_schema any = {.type = TAKC_TYPE_ANY};
    json_t *v = content(r->reply_type ? r->reply_type : "application/json", takc_schema_json(r->reply ? r->reply : &any, schemas));
    if (v && (r->asks || r->events) &&
        !set(json_object_get(v, "content"), "text/event-stream", json_object())) { /* 3.1 has no words for events */
        json_decref(v);
        return NULL;
    }
    return v;
}

static bool add_successes(struct description *d, const struct takc_route *r, json_t *replies)
{
    bool good = set(replies, "200", reply(r->summary, success_body(r, d->schemas), r, "200"));
    if (good && lists(r, "201"))
        good = set(replies, "201", reply("It was made", success_body(r, d->schemas), r, "201"));
    if (good && r->accepted)
        good =
            set(replies, "202", reply("Queued as a job", content("application/json", takc_schema_json(r->accepted, d->schemas)), r, "202"));
    else if (good && lists(r, "202"))
        good = set(replies, "202", reply("It was taken; there is nothing to say", json_object(), r, "202"));
    if (good && lists(r, "304"))
        good = set(replies, "304", reply("Unchanged", json_object(), r, "304"));
    return good;
}

static json_t *replies_of(struct description *d, const struct takc_route *r)
{
    json_t *replies = json_object();
    bool good = replies && add_successes(d, r, replies);
    for (size_t i = 0; good && i < sizeof(failures) / sizeof(failures[0]); i++)
        if (can_come(r, failures[i].status, failures[i].when))
            good = set(replies, failures[i].status, failure_ref(d, r, i));
    if (good)
        return replies;
    json_decref(replies);
    return NULL;
}

/* ---- what is asked ---- */

static json_t *path_schema(struct takc_str name)
{
    static const struct takc_schema task = TASK, rate = RATE, any = {.type = TAKC_TYPE_TEXT, .min_len = 1};
    return takc_schema_json(takc_str_is(name, "task") ? &task : takc_str_is(name, "rate") ? &rate : &any, NULL);
}

static bool add_param(json_t *list, const char *in, struct takc_str name, bool required, json_t *schema)
{
    return json_array_append_new(
               list, json_pack("{so ss sb so}", "name", takc_json_str(name), "in", in, "required", (int)required, "schema", schema)) == 0;
}

static bool add_params(const struct takc_route *r, json_t *list, json_t *schemas)
{
    struct takc_str rest = takc_str(r->path), segment;
    bool good = true;
    while (good && takc_str_split(&rest, '/', &segment)) {
        struct takc_str name = segment.len > 2 ? takc_str_slice(segment, 1, segment.len - 1) : segment;
        if (segment.len > 2 && segment.ptr[0] == '{')
            good = add_param(list, "path", name, true, path_schema(name));
    }
    for (size_t i = 0; good && r->query && i < r->query->n_members; i++) {
        const struct takc_member *m = &r->query->members[i];
        good = add_param(list, "query", takc_str(m->name), m->required, takc_schema_json(&m->value, schemas));
    }
    if (good && lists(r, "304"))
        good = add_param(list, "header", takc_str("If-None-Match"), false, takc_schema_json(&a_header, NULL));
    if (good && r->writes)
        good =
            json_array_append_new(list, json_pack("{ss ss sb ss s{ss si si ss}}", "name", "Idempotency-Key", "in", "header", "required", 0,
                                                  "description", "the same request under it is done once, and answered twice", "schema",
                                                  "type", "string", "minLength", 1, "maxLength", 255, "pattern", "^[!-~]+$")) == 0;
    return good;
}

/* An example that is no JSON is our mistake. */
static bool add_example(const struct takc_route *r, json_t *body)
{
    json_t *example = NULL, *media = json_object_get(json_object_get(body, "content"), "application/json");
    if (!r->example)
        return true;
    enum takc_status st = takc_json_parse(takc_str(r->example), &example, NULL);
    if (st == TAKC_INVALID)
        TAKC_BUG("%s: the example is no JSON", r->path);
    return !st && set(media, "example", example);
}

/* Fields and files: http/upload.h. */
static bool add_form(const struct takc_route *r, json_t *body)
{
    static const struct takc_schema task = TASK, date = DATE("of the documents"), text = {.type = TAKC_TYPE_TEXT},
                                    texts = {.type = TAKC_TYPE_LIST, .about = "a field each", .items = &text};
    if (!r->streams_body)
        return true;
    json_t *fields =
        json_pack("{so so so so s{ss ss} s{ss ss} s{ss s{ss} ss}}", "task_type", takc_schema_json(&task, NULL), "task_description",
                  takc_schema_json(&text, NULL), "date", takc_schema_json(&date, NULL), "labels", takc_schema_json(&texts, NULL), "create",
                  "type", "string", "description", "true: make the task", "async", "type", "string", "description", "true: reply at once",
                  "files", "type", "array", "items", "type", "string", "description", "parts with a filename, whatever they are called");
    return set(json_object_get(body, "content"), "multipart/form-data",
               fields ? json_pack("{s{ss so s[s]}}", "schema", "type", "object", "properties", fields, "required", "task_type") : NULL);
}

static bool add_body(const struct takc_route *r, json_t *o, json_t *schemas)
{
    struct takc_schema_miss miss;
    json_t *body = content("application/json", takc_schema_json(r->body, schemas)), *none = json_object();
    bool needed = !takc_schema_check(r->body, none, &miss); /* where {} fits, no body does, too */
    json_decref(none);
    if (body && set(body, "required", json_boolean(needed)) && add_form(r, body) && add_example(r, body))
        return set(o, "requestBody", body);
    json_decref(body);
    return false;
}

/* ---- operations ---- */

/* A path's first segment says which part of the server it is. */
static const struct {
    const char *segment, *tag;
} tags[] = {{"query", "questions"}, {"chat", "OpenAI"},   {"models", "OpenAI"}, {"mcp", "agents"}, {"cache", "tasks"},
            {"tasks", "tasks"},     {"process", "tasks"}, {"compress", "jobs"}, {"jobs", "jobs"}};

static const char *tag_of(const struct takc_route *r)
{
    struct takc_str rest = takc_str_slice(takc_str(r->path), 1, strlen(r->path)), first = {0};
    (void)takc_str_split(&rest, '/', &first);
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
        if (takc_str_is(first, tags[i].segment))
            return tags[i].tag;
    return "server";
}

/* One of them is enough. */
static json_t *security(const struct takc_route *r)
{
    return r->may ? json_pack("[{s[]} {s[]} {s[]}]", "bearer", "apiKey", "sigv4") : json_array();
}

static json_t *operation(struct description *d, const struct takc_route *r)
{
    json_t *params = json_array(), *replies = replies_of(d, r);
    json_t *o = params && replies && add_params(r, params, d->schemas)
                    ? json_pack("{ss s[s] ss ss sO sO}", "operationId", r->id, "tags", tag_of(r), "summary", r->summary, "description",
                                r->about ? r->about : r->summary, "parameters", params, "responses", replies)
                    : NULL;
    json_decref(params);
    json_decref(replies);
    if (!o || ((!d->authorized || set(o, "security", security(r))) && (!r->body || add_body(r, o, d->schemas))))
        return o;
    json_decref(o);
    return NULL;
}

static bool add_path(struct description *d, const struct takc_route *r)
{
    char method[16] = "";
    for (size_t i = 0; r->method[i] && i + 1 < sizeof(method); i++)
        method[i] = (char)(r->method[i] | 0x20);
    json_t *path = json_object_get(d->paths, r->path);
    if (!path && !set(d->paths, r->path, path = json_object()))
        return false;
    return set(path, method, operation(d, r));
}

/* ---- the whole ---- */

static json_t *info(void)
{
    return json_pack(
        "{ss ss ss s{ss ss}}", "title", "takc", "version", TAKC_VERSION_TEXT, "description",
        "Task-Aware Knowledge Compression: the documents of a task are compressed once, and questions are answered from them with "
        "citations. Every path is served under /v1, too.",
        "license", "name", "Apache-2.0", "identifier", "Apache-2.0");
}

static json_t *schemes(const struct description *d)
{
    if (!d->authorized)
        return json_object();
    return json_pack("{s{ss ss ss} s{ss ss ss} s{ss ss ss ss}}", "bearer", "type", "http", "scheme", "bearer", "description",
                     "a key of takc key, or a token of OpenID Connect", "apiKey", "type", "apiKey", "in", "header", "name", "X-API-Key",
                     "sigv4", "type", "apiKey", "in", "header", "name", "Authorization", "description", "AWS Signature Version 4");
}

static json_t *tags_json(void)
{
    return json_pack("[{ss ss} {ss ss} {ss ss} {ss ss} {ss ss} {ss ss}]", "name", "questions", "description", "Ask, and have it answered",
                     "name", "tasks", "description", "What there is to ask: tasks, their documents, what was compressed of them", "name",
                     "jobs", "description", "Work that takes its time", "name", "OpenAI", "description",
                     "For clients of OpenAI: a model is a task", "name", "agents", "description", "For agents: the Model Context Protocol",
                     "name", "server", "description", "State and description of the server");
}

json_t *takc_openapi(bool authorized)
{
    struct description d = {json_object(), json_object(), json_object(), authorized};
    bool good = d.paths && d.schemas && d.responses;
    for (size_t i = 0; good && takc_route_at(i); i++)
        good = add_path(&d, takc_route_at(i));
    json_t *v = good ? json_pack("{ss so s[{ss ss} {ss ss}] so s[] sO s{sO sO so}}", "openapi", "3.1.0", "info", info(), "servers", "url",
                                 "/", "description", "the guide's paths", "url", "/v1", "description",
                                 "the same, for clients that expect it", "tags", tags_json(), "security", "paths", d.paths, "components",
                                 "schemas", d.schemas, "responses", d.responses, "securitySchemes", schemes(&d))
                     : NULL;
    json_decref(d.paths);
    json_decref(d.schemas);
    json_decref(d.responses);
    return v;
}
