/* SPDX-License-Identifier: Apache-2.0
 *
 * mcp.c - messages in, messages out. */
#include "mcp/mcp.h"

#include "base/log.h"
#include "reply/reply.h"

#include <stdio.h>

/* ---- versions ---- */

static const char *const version_names[] = {NULL, "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"};

enum takc_mcp_version takc_mcp_version_of(struct takc_str name)
{
    for (size_t i = 1; i < sizeof(version_names) / sizeof(version_names[0]); i++)
        if (takc_str_is(name, version_names[i]))
            return (enum takc_mcp_version)i;
    return TAKC_MCP_UNSET;
}

const char *takc_mcp_version_name(enum takc_mcp_version v)
{
    return version_names[v];
}

/* ---- replies ---- */

struct talk { /* one request under way */
    const struct takc_mcp *m;
    struct takc_call *call;
    enum takc_mcp_version *version;
    const json_t *params;
    json_t *result; /* owned: what a method makes */
    enum takc_mcp_code code;
    char why[400]; /* of a failure; empty: the result counts */
};

json_t *takc_mcp_error(json_t *id, enum takc_mcp_code code, struct takc_str message)
{
    return json_pack("{ss so s{si so}}", "jsonrpc", "2.0", "id", id ? id : json_null(), "error", "code", (int)code, "message",
                     takc_json_str(message));
}

bool takc_mcp_is_refusal(const json_t *reply)
{
    return json_is_null(json_object_get(reply, "id")) && json_object_get(reply, "error");
}

static void fail(struct talk *t, enum takc_mcp_code code, const char *why)
{
    t->code = code;
    (void)snprintf(t->why, sizeof(t->why), "%s", why);
}

/* ---- methods ---- */

static void on_initialize(struct talk *t)
{
    enum takc_mcp_version v = takc_mcp_version_of(takc_json_get_str(t->params, "protocolVersion"));
    if (!takc_json_get_str(t->params, "protocolVersion").len) {
        fail(t, TAKC_MCP_INVALID_PARAMS, "params.protocolVersion: a text like 2025-11-25 is expected");
        return;
    }
    *t->version = v ? v : TAKC_MCP_2025_11_25;
    t->result = json_pack("{ss s{s{} s{}} s{ss ss ss} ss}", "protocolVersion", takc_mcp_version_name(*t->version), "capabilities", "tools",
                          "resources", "serverInfo", "name", "takc", "title", "Task-aware knowledge", "version", TAKC_VERSION_TEXT,
                          "instructions", t->m->table->instructions);
}

static void on_ping(struct talk *t)
{
    t->result = json_object();
}

/* Every list is whole: a cursor is none of ours. */
static bool is_first_page(struct talk *t)
{
    if (!json_object_get(t->params, "cursor") || json_is_null(json_object_get(t->params, "cursor")))
        return true;
    fail(t, TAKC_MCP_INVALID_PARAMS, "params.cursor: lists come whole, there is no such page");
    return false;
}

static json_t *tool_json(const struct takc_mcp_tool *tool)
{
    json_t *none = json_object(); /* nothing has a name here, so nothing is put in */
    json_t *v = none ? json_pack("{ss ss ss so so s{sb sb sb sb}}", "name", tool->name, "title", tool->title, "description", tool->about,
                                 "inputSchema", takc_schema_json(tool->input, none), "outputSchema", takc_schema_json(tool->output, none),
                                 "annotations", "readOnlyHint", 1, "destructiveHint", 0, "idempotentHint", 1, "openWorldHint", 0)
                     : NULL;
    json_decref(none);
    return v;
}

/* Takes list; NULL when it is not good. */
static json_t *named(const char *name, json_t *list, bool good)
{
    json_t *v = good ? json_pack("{sO}", name, list) : NULL;
    json_decref(list);
    return v;
}

static void on_tools_list(struct talk *t)
{
    const struct takc_mcp_table *table = t->m->table;
    if (!is_first_page(t))
        return;
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && i < table->n_tools; i++)
        good = json_array_append_new(list, tool_json(&table->tools[i])) == 0;
    t->result = named("tools", list, good);
}

static const struct takc_mcp_tool *tool_of(const struct takc_mcp_table *table, struct takc_str name)
{
    for (size_t i = 0; i < table->n_tools; i++)
        if (takc_str_is(name, table->tools[i].name))
            return &table->tools[i];
    return NULL;
}

/* Takes structured; NULL: text says what went wrong. */
static json_t *tool_result(struct takc_str text, json_t *structured)
{
    json_t *v = json_pack("{s[{ss so}] sb}", "content", "type", "text", "text", takc_json_str(text), "isError", structured == NULL);
    if (structured && (!v || json_object_set(v, "structuredContent", structured))) {
        json_decref(v);
        v = NULL;
    }
    json_decref(structured);
    return v;
}

static json_t *tool_failure(struct talk *t, const char *tool, enum takc_status st, const struct takc_err *err)
{
    if (takc_status_http(st) >= 500 || st == TAKC_COST)
        takc_log_for(t->call, ERROR, "mcp", "%s: %s: %s", tool, takc_status_name(st), err->msg);
    return tool_result(takc_error_told(st, err), NULL);
}

/* The object as text too: clients before 2025-06-18 read nothing else. Takes v. */
static json_t *tool_success(json_t *v)
{
    struct takc_buf text;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    json_t *result = NULL;
    if (!takc_json_dump(v, false, &text, NULL))
        result = tool_result(takc_buf_str(&text), json_incref(v));
    takc_buf_clear(&text);
    json_decref(v);
    return result;
}

/* ---- progress ---- */

static const json_t *progress_token(const json_t *params)
{
    const json_t *token = json_object_get(json_object_get(params, "_meta"), "progressToken");
    return json_is_string(token) || json_is_integer(token) ? token : NULL;
}

struct progress { /* of a tool that is being run */
    const struct talk *t;
    const json_t *token;
    const char *stage; /* told last */
    int n;
};

/* A stage is told when it begins. How many there will be depends on what is found, so no total is promised. */
static void on_progress(void *arg, const char *stage, const char *unit, uint64_t done, uint64_t total)
{
    struct progress *p = arg;
    const struct takc_mcp *m = p->t->m;
    (void)unit;
    (void)done;
    (void)total;
    if (p->stage && strcmp(p->stage, stage) == 0)
        return;
    p->stage = stage;
    json_t *about = json_pack("{sO si}", "progressToken", p->token, "progress", ++p->n);
    if (about && *p->t->version > TAKC_MCP_2024_11_05) /* which has no words for it */
        (void)json_object_set_new(about, "message", json_string(stage));
    m->notify(m->notify_arg, json_pack("{ss ss so}", "jsonrpc", "2.0", "method", "notifications/progress", "params", about));
}

/* Members of arguments that are null, as some clients fill what they leave out, are taken out. */
static void run_tool(struct talk *t, const struct takc_mcp_tool *tool, json_t *arguments)
{
    struct takc_schema_miss miss;
    struct takc_err err = {0};
    json_t *v = NULL;
    enum takc_status st = TAKC_OK;
    if (!takc_schema_check(tool->input, arguments, &miss))
        st = takc_fail(&err, TAKC_INVALID, 0, "arguments%s: %s%s", miss.pointer, miss.expected,
                       strncmp(miss.expected, "no such", 7) == 0 ? "" : " is expected");
    if (!st)
        takc_schema_drop_nulls(tool->input, arguments);
    if (!st)
        st = tool->run(t->m->arg, t->call, arguments, &v, &err);
    t->result = st ? tool_failure(t, tool->name, st, &err) : tool_success(v);
}

static void on_tools_call(struct talk *t)
{
    struct takc_str name = takc_json_get_str(t->params, "name");
    const struct takc_mcp_tool *tool = tool_of(t->m->table, name);
    json_t *given = json_object_get(t->params, "arguments");
    if (!tool) {
        fail(t, TAKC_MCP_INVALID_PARAMS, name.len ? "params.name: there is no such tool" : "params.name: the name of a tool is expected");
        return;
    }
    json_t *none = given && !json_is_null(given) ? NULL : json_object();
    struct takc_call watched, *unwatched = t->call;
    struct progress p = {.t = t, .token = progress_token(t->params)};
    if (p.token && t->m->notify) {
        takc_call_below(&watched, unwatched);
        watched.progress = on_progress;
        watched.progress_arg = &p;
        t->call = &watched;
    }
    if (none || given)
        run_tool(t, tool, none ? none : given);
    t->call = unwatched;
    json_decref(none);
}

static void on_resources_list(struct talk *t)
{
    struct takc_err err = {0};
    json_t *list = NULL;
    if (!is_first_page(t))
        return;
    enum takc_status st = t->m->table->list(t->m->arg, t->call, &list, &err);
    if (st) {
        takc_log_for(t->call, ERROR, "mcp", "resources/list: %s: %s", takc_status_name(st), err.msg);
        fail(t, TAKC_MCP_INTERNAL, "the resources cannot be listed");
        return;
    }
    t->result = named("resources", list, true);
}

static void on_templates_list(struct talk *t)
{
    const struct takc_mcp_table *table = t->m->table;
    if (!is_first_page(t))
        return;
    json_t *list = json_array();
    bool good = list != NULL;
    for (size_t i = 0; good && i < table->n_templates; i++) {
        const struct takc_mcp_template *r = &table->templates[i];
        good = json_array_append_new(list, json_pack("{ss ss ss ss ss}", "uriTemplate", r->uri, "name", r->name, "title", r->title,
                                                     "description", r->about, "mimeType", r->type)) == 0;
    }
    t->result = named("resourceTemplates", list, good);
}

static void on_resources_read(struct talk *t)
{
    struct takc_err err = {0};
    struct takc_str uri = takc_json_get_str(t->params, "uri");
    json_t *v = NULL;
    if (!uri.len) {
        fail(t, TAKC_MCP_INVALID_PARAMS, "params.uri: the URI of a resource is expected");
        return;
    }
    enum takc_status st = t->m->table->read(t->m->arg, t->call, uri, &v, &err);
    if (!st) {
        t->result = json_pack("{s[o]}", "contents", v);
        return;
    }
    bool theirs = st == TAKC_NOT_FOUND || st == TAKC_INVALID || st == TAKC_REFUSED;
    if (!theirs)
        takc_log_for(t->call, ERROR, "mcp", "resources/read: %s: %s", takc_status_name(st), err.msg);
    struct takc_str told = takc_error_told(st, &err);
    t->code = theirs ? TAKC_MCP_NO_RESOURCE : TAKC_MCP_INTERNAL;
    (void)snprintf(t->why, sizeof(t->why), "%.*s", TAKC_STR_ARG(told));
}

const json_t *takc_mcp_cancelled_id(const json_t *message)
{
    bool is = takc_str_is(takc_json_get_str(message, "method"), "notifications/cancelled") && !json_object_get(message, "id");
    return is ? json_object_get(json_object_get(message, "params"), "requestId") : NULL;
}

bool takc_mcp_wants_progress(const json_t *message)
{
    return takc_str_is(takc_json_get_str(message, "method"), "tools/call") && progress_token(json_object_get(message, "params"));
}

/* ---- a message ---- */

static const struct {
    const char *name;
    void (*run)(struct talk *t);
} methods[] = {
    {"initialize", on_initialize},         {"ping", on_ping},
    {"tools/list", on_tools_list},         {"tools/call", on_tools_call},
    {"resources/list", on_resources_list}, {"resources/templates/list", on_templates_list},
    {"resources/read", on_resources_read},
};

static void run_method(struct talk *t, struct takc_str name)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (takc_str_is(name, methods[i].name)) {
            methods[i].run(t);
            return;
        }
    fail(t, TAKC_MCP_NO_METHOD, "there is no such method");
}

/* NULL: no memory. */
static json_t *answer_request(struct talk *t, struct takc_str method, const json_t *id)
{
    if (t->params && !json_is_object(t->params))
        fail(t, TAKC_MCP_INVALID_PARAMS, "params: an object is expected");
    else
        run_method(t, method);
    json_t *same = json_deep_copy(id);
    if (!same || (!t->why[0] && !t->result)) {
        json_decref(same);
        return NULL;
    }
    return t->why[0] ? takc_mcp_error(same, t->code, takc_str(t->why))
                     : json_pack("{ss so sO}", "jsonrpc", "2.0", "id", same, "result", t->result);
}

static enum takc_status refuse(json_t **out, const char *why)
{
    *out = takc_mcp_error(NULL, TAKC_MCP_INVALID_REQUEST, takc_str(why));
    return *out ? TAKC_OK : TAKC_NOMEM;
}

static enum takc_status answer_one(const struct takc_mcp *m, enum takc_mcp_version *version, struct takc_call *call, const json_t *message,
                                   json_t **out)
{
    struct takc_str method = takc_json_get_str(message, "method");
    const json_t *id = json_object_get(message, "id");
    struct talk t = {.m = m, .call = call, .version = version, .params = json_object_get(message, "params")};
    *out = NULL;
    if (!json_is_object(message) || !takc_str_is(takc_json_get_str(message, "jsonrpc"), "2.0"))
        return refuse(out, "a message of JSON-RPC 2.0 is expected");
    if (!json_object_get(message, "method") && (json_object_get(message, "result") || json_object_get(message, "error")))
        return TAKC_OK; /* we ask nothing, so this answers nothing */
    if (!method.len)
        return refuse(out, "method: a text is expected");
    if (!id)
        return TAKC_OK; /* a notification */
    if (!json_is_string(id) && !json_is_integer(id))
        return refuse(out, "id: a text or a whole number is expected");
    *out = answer_request(&t, method, id);
    json_decref(t.result);
    return *out ? TAKC_OK : TAKC_NOMEM;
}

static bool opens_session(const json_t *messages)
{
    for (size_t i = 0; i < json_array_size(messages); i++)
        if (takc_str_is(takc_json_get_str(json_array_get(messages, i), "method"), "initialize"))
            return true;
    return false;
}

/* Replies in the order of the messages; none where no message asks for one. */
static enum takc_status answer_list(const struct takc_mcp *m, enum takc_mcp_version *version, struct takc_call *call,
                                    const json_t *messages, json_t **out)
{
    size_t n = json_array_size(messages);
    if (*version != TAKC_MCP_2025_03_26)
        return refuse(out, "a single message is expected: this version of the protocol has no lists of them");
    if (n == 0 || n > TAKC_MCP_BATCH_MAX)
        return refuse(out, "a list of 1 to 32 messages is expected");
    if (opens_session(messages))
        return refuse(out, "initialize stands alone");
    json_t *replies = json_array();
    enum takc_status st = replies ? TAKC_OK : TAKC_NOMEM;
    for (size_t i = 0; i < n && !st; i++) {
        json_t *one;
        st = answer_one(m, version, call, json_array_get(messages, i), &one);
        if (!st && one && json_array_append_new(replies, one))
            st = TAKC_NOMEM;
    }
    if (!st && json_array_size(replies))
        *out = json_incref(replies);
    json_decref(replies);
    return st;
}

enum takc_status takc_mcp_answer(const struct takc_mcp *m, enum takc_mcp_version *version, struct takc_call *call, const json_t *message,
                                 json_t **out)
{
    *out = NULL;
    return json_is_array(message) ? answer_list(m, version, call, message, out) : answer_one(m, version, call, message, out);
}

enum takc_status takc_mcp_answer_text(const struct takc_mcp *m, enum takc_mcp_version *version, struct takc_call *call,
                                      struct takc_str text, json_t **out)
{
    struct takc_err err = {0};
    json_t *message = NULL;
    enum takc_status st = takc_json_parse(text, &message, &err);
    if (st == TAKC_INVALID) {
        *out = takc_mcp_error(NULL, TAKC_MCP_PARSE_ERROR, takc_str(err.msg));
        st = *out ? TAKC_OK : TAKC_NOMEM;
    } else if (!st) {
        st = takc_mcp_answer(m, version, call, message, out);
    }
    json_decref(message);
    return st;
}
