/* SPDX-License-Identifier: Apache-2.0
 *
 * routes.c - every route with what it takes and gives. /openapi.json is made of these rows. */
#include "http/api.h"

#include "base/clock.h"
#include "takc/query.h"
#include "task/profile.h"

#include <stdio.h>

/* ---- what texts must be ---- */

static bool is_task(struct takc_str s)
{
    return takc_task_name_check(s, NULL) == TAKC_OK;
}
static bool is_rate(struct takc_str s)
{
    takc_rate r;
    return takc_rate_parse(s, &r, NULL) == TAKC_OK;
}
static bool is_date(struct takc_str s)
{
    int32_t days;
    return s.len == 10 && takc_date_parse(s.ptr, s.len, &days, NULL) == TAKC_OK;
}

#define TEXT(about_, min_, max_)                                                                                                           \
    {                                                                                                                                      \
        .type = TAKC_TYPE_TEXT, .about = (about_), .min_len = (min_), .max_len = (max_)                                                    \
    }
#define WHOLE(about_, min_, max_)                                                                                                          \
    {                                                                                                                                      \
        .type = TAKC_TYPE_WHOLE, .about = (about_), .limited = true, .min = (min_), .max = (max_)                                          \
    }
#define NUMBER(about_, min_, max_)                                                                                                         \
    {                                                                                                                                      \
        .type = TAKC_TYPE_NUMBER, .about = (about_), .limited = true, .min = (min_), .max = (max_)                                         \
    }
#define BOOL(about_)                                                                                                                       \
    {                                                                                                                                      \
        .type = TAKC_TYPE_BOOL, .about = (about_)                                                                                          \
    }
#define TASK                                                                                                                               \
    {                                                                                                                                      \
        .type = TAKC_TYPE_TEXT, .about = "the task", .min_len = 1, .max_len = 64, .fits = is_task,                                         \
        .expected = "the name of a task: letters, digits, '.', '_', '-'", .pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$"                        \
    }
#define RATE                                                                                                                               \
    {                                                                                                                                      \
        .type = TAKC_TYPE_TEXT, .about = "the rate; chosen where it is not given", .min_len = 1, .max_len = 12, .fits = is_rate,           \
        .expected = "ultra, high, medium, light or a rate like 12.5x", .pattern = "^(ultra|high|medium|light|[0-9]+(\\.[0-9]{1,3})?x?)$"   \
    }
#define DATE(about_)                                                                                                                       \
    {                                                                                                                                      \
        .type = TAKC_TYPE_TEXT, .about = (about_), .min_len = 10, .max_len = 10, .fits = is_date, .expected = "a date like 2026-01-31",    \
        .format = "date"                                                                                                                   \
    }
#define OPTIONAL false
#define REQUIRED true

/* ---- POST /query ---- */

static const struct takc_schema a_glob = TEXT("a name, or a pattern with * and ?", 1, 1024);
static const struct takc_member filter_members[] = {
    {"documents", OPTIONAL, {.type = TAKC_TYPE_LIST, .about = "only documents whose name matches one", .max_len = 64, .items = &a_glob}},
    {"after", OPTIONAL, DATE("only documents of this day or later")},
    {"before", OPTIONAL, DATE("only documents of this day or earlier")},
};
static const struct takc_member option_members[] = {
    {"max_tokens", OPTIONAL, WHOLE("most tokens of the answer", 1, 200000)},
    {"temperature", OPTIONAL, NUMBER("of the model", 0, 2)},
};
static const struct takc_member query_members[] = {
    {"query", REQUIRED, TEXT("the question, or the task-wide prompt", 1, 32000)},
    {"task_type", REQUIRED, TASK},
    {"compression_rate", OPTIONAL, RATE},
    {"factor", OPTIONAL, NUMBER("the rate as a number: 12.5", 1, 100000)},
    {"version", OPTIONAL, TEXT("a kept version; the current one where it is not given", 1, 31)},
    {"mode", OPTIONAL, {.type = TAKC_TYPE_TEXT, .about = "what the reader sees", .one_of = "auto|artifact|select|both|whole"}},
    {"cost_sensitive", OPTIONAL, BOOL("as cheap as possible")},
    {"reader_tokens", OPTIONAL, WHOLE("most tokens that the reader may see", 1, 10000000)},
    {"artifact_tokens", OPTIONAL, WHOLE("largest artifact taken without a rate", 1, 10000000)},
    {"filters", OPTIONAL, {.type = TAKC_TYPE_OBJECT, .about = "which documents", TAKC_MEMBERS(filter_members)}},
    {"options", OPTIONAL, {.type = TAKC_TYPE_OBJECT, .about = "of the model's answer", TAKC_MEMBERS(option_members)}},
    {"stream", OPTIONAL, BOOL("the answer as it comes, as server-sent events")},
    {"model", OPTIONAL, TEXT("who answers, PROVIDER:MODEL; none: lines of the documents", 1, 300)},
};
static const struct takc_schema query_body = {.type = TAKC_TYPE_OBJECT, .name = "Query", TAKC_MEMBERS(query_members)};

static const struct takc_member reply_members[] = {
    {"query", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"response", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"compression_rate_used", REQUIRED, {.type = TAKC_TYPE_TEXT, .nullable = true}},
    {"confidence", REQUIRED, NUMBER("how sure it is", 0, 1)},
    {"abstained", REQUIRED, BOOL("the documents do not answer it")},
};
static const struct takc_schema query_reply = {.type = TAKC_TYPE_OBJECT, .name = "Answer", .open = true, TAKC_MEMBERS(reply_members)};

/* ---- POST /chat/completions ---- */

static const struct takc_schema any_value = {.type = TAKC_TYPE_ANY};
static const struct takc_member message_members[] = {
    {"role", REQUIRED, {.type = TAKC_TYPE_TEXT, .one_of = "system|developer|user|assistant|tool|function"}},
    {"content", OPTIONAL, {.type = TAKC_TYPE_ANY, .about = "a text, or a list of parts of type text"}},
};
static const struct takc_schema a_message = {.type = TAKC_TYPE_OBJECT, .name = "ChatMessage", .open = true, TAKC_MEMBERS(message_members)};
static const struct takc_member stream_options[] = {{"include_usage", OPTIONAL, BOOL("a last chunk with the usage")}};
static const struct takc_member chat_members[] = {
    {"model", REQUIRED, TEXT("takc/TASK[@VERSION][:RATE]", 1, 300)},
    {"messages", REQUIRED, {.type = TAKC_TYPE_LIST, .min_len = 1, .max_len = 1000, .items = &a_message}},
    {"stream", OPTIONAL, {.type = TAKC_TYPE_BOOL, .nullable = true}},
    {"stream_options", OPTIONAL, {.type = TAKC_TYPE_OBJECT, .open = true, .nullable = true, TAKC_MEMBERS(stream_options)}},
    {"max_tokens", OPTIONAL, {.type = TAKC_TYPE_WHOLE, .limited = true, .min = 1, .max = 200000, .nullable = true}},
    {"max_completion_tokens", OPTIONAL, {.type = TAKC_TYPE_WHOLE, .limited = true, .min = 1, .max = 200000, .nullable = true}},
    {"temperature", OPTIONAL, {.type = TAKC_TYPE_NUMBER, .limited = true, .min = 0, .max = 2, .nullable = true}},
    {"n", OPTIONAL, {.type = TAKC_TYPE_WHOLE, .limited = true, .min = 1, .max = 1, .nullable = true}},
};
static const struct takc_schema chat_body = {.type = TAKC_TYPE_OBJECT,
                                             .name = "ChatRequest",
                                             .about = "what OpenAI's clients send; other members are let through",
                                             .open = true,
                                             TAKC_MEMBERS(chat_members)};
static const struct takc_member completion_members[] = {
    {"id", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"object", REQUIRED, {.type = TAKC_TYPE_TEXT, .one_of = "chat.completion"}},
    {"created", REQUIRED, WHOLE(NULL, 0, 1e15)},
    {"model", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"choices", REQUIRED, {.type = TAKC_TYPE_LIST, .items = &any_value}},
    {"usage", REQUIRED, {.type = TAKC_TYPE_OBJECT, .open = true}},
};
static const struct takc_schema chat_reply = {
    .type = TAKC_TYPE_OBJECT, .name = "ChatCompletion", .open = true, TAKC_MEMBERS(completion_members)};
static const struct takc_member models_members[] = {
    {"object", REQUIRED, {.type = TAKC_TYPE_TEXT, .one_of = "list"}},
    {"data", REQUIRED, {.type = TAKC_TYPE_LIST}},
};
static const struct takc_schema models_reply = {.type = TAKC_TYPE_OBJECT, .name = "Models", TAKC_MEMBERS(models_members)};

/* ---- others ---- */

static const struct takc_member status_members[] = {{"status", REQUIRED, {.type = TAKC_TYPE_TEXT}}};
static const struct takc_schema status_reply = {.type = TAKC_TYPE_OBJECT, .name = "Status", .open = true, TAKC_MEMBERS(status_members)};

static const struct takc_member cache_members[] = {
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"available_rates", REQUIRED, {.type = TAKC_TYPE_LIST}},
    {"cache_info", REQUIRED, {.type = TAKC_TYPE_OBJECT, .open = true}},
};
static const struct takc_schema cache_reply = {.type = TAKC_TYPE_OBJECT, .name = "Cache", .open = true, TAKC_MEMBERS(cache_members)};

static const struct takc_member tasks_members[] = {{"tasks", REQUIRED, {.type = TAKC_TYPE_LIST}}};
static const struct takc_schema tasks_reply = {.type = TAKC_TYPE_OBJECT, .name = "Tasks", TAKC_MEMBERS(tasks_members)};
static const struct takc_member task_members[] = {
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"description", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"rates", REQUIRED, {.type = TAKC_TYPE_LIST}},
};
static const struct takc_schema task_reply = {.type = TAKC_TYPE_OBJECT, .name = "Task", .open = true, TAKC_MEMBERS(task_members)};
static const struct takc_member profile_members[] = {
    {"description", OPTIONAL, TEXT("what the knowledge is for: its words weigh when lines are chosen", 0, 20000)},
};
static const struct takc_schema profile_body = {.type = TAKC_TYPE_OBJECT,
                                                .name = "Profile",
                                                .about = "a task's profile: docs/formats/profile.md",
                                                .open = true,
                                                TAKC_MEMBERS(profile_members)};
static const struct takc_member documents_members[] = {
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"documents", REQUIRED, {.type = TAKC_TYPE_LIST}},
};
static const struct takc_schema documents_reply = {.type = TAKC_TYPE_OBJECT, .name = "Documents", TAKC_MEMBERS(documents_members)};
static const struct takc_member forgotten_members[] = {
    {"status", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"document", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"found", REQUIRED, WHOLE("places where a sentence of it still stands: 0 is the proof", 0, 1e15)},
};
static const struct takc_schema forgotten_reply = {
    .type = TAKC_TYPE_OBJECT, .name = "Forgotten", .open = true, TAKC_MEMBERS(forgotten_members)};
static const struct takc_member span_members[] = {
    {"start", OPTIONAL, WHOLE("first byte of the text", 0, 1e12)},
    {"end", OPTIONAL, WHOLE("the byte behind the last", 0, 1e12)},
};
static const struct takc_schema span_query = {.type = TAKC_TYPE_OBJECT, TAKC_MEMBERS(span_members)};
static const struct takc_member text_members[] = {
    {"document", REQUIRED, {.type = TAKC_TYPE_TEXT}}, {"start", REQUIRED, WHOLE(NULL, 0, 1e12)},    {"end", REQUIRED, WHOLE(NULL, 0, 1e12)},
    {"text_bytes", REQUIRED, WHOLE(NULL, 0, 1e12)},   {"text", REQUIRED, {.type = TAKC_TYPE_TEXT}},
};
static const struct takc_schema text_reply = {.type = TAKC_TYPE_OBJECT, .name = "Text", TAKC_MEMBERS(text_members)};

static const struct takc_route routes[] = {
    {"POST", "/query", "query", "Answers a question from a task's documents, with sources", TAKC_SCOPE_QUERY, false, NULL, &query_body,
     &query_reply, NULL, 0, takc_on_query, false},
    {"GET", "/cache/{task}", "getCache", "Which rates of a task are there", TAKC_SCOPE_QUERY, false, NULL, NULL, &cache_reply, NULL, 0,
     takc_on_cache, false},
    {"GET", "/cache/{task}/{rate}", "getCacheRate", "The compressed form of a task at one rate", TAKC_SCOPE_QUERY, false, NULL, NULL, NULL,
     NULL, 0, takc_on_cache_rate, false},
    {"GET", "/tasks", "getTasks", "The tasks that there are", TAKC_SCOPE_QUERY, false, NULL, NULL, &tasks_reply, NULL, 0, takc_on_tasks,
     false},
    {"GET", "/tasks/{task}", "getTask", "A task's profile", TAKC_SCOPE_QUERY, false, NULL, NULL, &task_reply, NULL, 0, takc_on_task, false},
    {"PUT", "/tasks/{task}", "putTask", "Makes a task, or gives it another profile", TAKC_SCOPE_ADMIN, false, NULL, &profile_body,
     &task_reply, NULL, 0, takc_on_put_task, false},
    {"GET", "/tasks/{task}/documents", "getDocuments", "The documents of a task", TAKC_SCOPE_QUERY, false, NULL, NULL, &documents_reply,
     NULL, 0, takc_on_documents, false},
    {"DELETE", "/tasks/{task}/documents/{document}", "forgetDocument", "Forgets a document, so that no sentence of it stays",
     TAKC_SCOPE_INGEST, false, NULL, NULL, &forgotten_reply, NULL, 0, takc_on_forget, false},
    {"GET", "/tasks/{task}/documents/{document}/text", "getText", "The text behind a citation", TAKC_SCOPE_QUERY, false, &span_query, NULL,
     &text_reply, NULL, 0, takc_on_text, false},
    {"POST", "/chat/completions", "chat", "The same for clients of OpenAI: the model is a task", TAKC_SCOPE_QUERY, false, NULL, &chat_body,
     &chat_reply, NULL, 8 << 20, takc_on_chat, true},
    {"GET", "/models", "models", "The tasks, as models of OpenAI's clients", TAKC_SCOPE_QUERY, false, NULL, NULL, &models_reply, NULL, 0,
     takc_on_models, true},
    {"GET", "/health", "health", "The state of the server and of what it needs", TAKC_SCOPE_NONE, false, NULL, NULL, &status_reply, NULL, 0,
     takc_on_health, false},
    {"GET", "/livez", "live", "Is the process alive", TAKC_SCOPE_NONE, true, NULL, NULL, &status_reply, NULL, 0, takc_on_live, false},
    {"GET", "/readyz", "ready", "Can requests be answered; asks no model", TAKC_SCOPE_NONE, false, NULL, NULL, &status_reply, NULL, 0,
     takc_on_ready, false},
    {"GET", "/openapi.json", "openapi", "This description", TAKC_SCOPE_NONE, true, NULL, NULL, NULL, NULL, 0, takc_on_openapi, false},
};

const struct takc_route *takc_route_at(size_t i)
{
    return i < sizeof(routes) / sizeof(routes[0]) ? &routes[i] : NULL;
}

/* ---- finding ---- */

static bool is_param(struct takc_str segment)
{
    return segment.len > 2 && segment.ptr[0] == '{';
}

/* A segment of the path, unescaped; false: it cannot be, or no memory. */
static bool unescape(struct takc_arena *a, struct takc_str segment, struct takc_str *out, bool *out_nomem)
{
    char *text = takc_arena_alloc(a, segment.len + 1);
    *out_nomem = !text;
    if (!text || !takc_percent_decode(segment, text, &out->len))
        return false;
    out->ptr = text;
    return out->len > 0;
}

static bool path_fits(const struct takc_route *r, struct takc_str path, struct takc_arena *a, struct takc_asked *out, bool *out_nomem)
{
    struct takc_str want = takc_str_slice(takc_str(r->path), 1, strlen(r->path)), got = takc_str_slice(path, 1, path.len), w, g;
    out->n_params = 0;
    for (;;) {
        bool more = takc_str_split(&want, '/', &w);
        if (more != takc_str_split(&got, '/', &g))
            return false;
        if (!more)
            return true;
        if (!is_param(w) && !takc_str_eq(w, g))
            return false;
        if (is_param(w) && !unescape(a, g, &out->params[out->n_params++], out_nomem))
            return false;
    }
}

static void add_allowed(const char *method, char allow[64])
{
    size_t n = strlen(allow);
    if (!strstr(allow, method))
        (void)snprintf(allow + n, 64 - n, "%s%s", n ? ", " : "", method);
}

const struct takc_route *takc_route_find(struct takc_str method, struct takc_str path, struct takc_arena *a, struct takc_asked *out,
                                         char out_allow[64], bool *out_nomem)
{
    struct takc_str plain = path;
    out_allow[0] = '\0';
    *out = (struct takc_asked){.route = NULL};
    *out_nomem = false;
    if (takc_str_starts(path, takc_str("/v1/")))
        plain = takc_str_slice(path, 3, path.len);
    for (const struct takc_route *r = routes; r < routes + sizeof(routes) / sizeof(routes[0]) && !*out_nomem; r++) {
        if (!path_fits(r, plain, a, out, out_nomem))
            continue;
        bool head = takc_str_is(method, "HEAD") && strcmp(r->method, "GET") == 0; /* the transport leaves the body out */
        if (head || takc_str_is(method, r->method)) {
            out->route = r;
            return r;
        }
        add_allowed(r->method, out_allow);
        if (strcmp(r->method, "GET") == 0)
            add_allowed("HEAD", out_allow);
    }
    return NULL;
}
