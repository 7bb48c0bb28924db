/* SPDX-License-Identifier: Apache-2.0
 *
 * openai_error.c - what a refusal means. Servers agree on little: the error is an object under "error" (OpenAI, Azure, llama.cpp), the root
 * itself (vLLM), a string, or "detail" (FastAPI); codes are names or numbers or missing. So: the status first, then code and type, then
 * the words of the message. */
#include "model/openai_parts.h"

#include <ctype.h>
#include <stdio.h>

enum { MESSAGE_MAX = 300 };

struct refusal { /* views into the JSON */
    struct takc_str message, type, code, param;
    int status; /* a number that stands for one inside the error; 0: none */
};

static struct takc_str first_of(struct takc_str a, struct takc_str b)
{
    return a.len ? a : b;
}

static void read_object(const json_t *o, struct refusal *r)
{
    const json_t *code = json_object_get(o, "code");
    r->message = first_of(takc_json_get_str(o, "message"), r->message);
    r->type = first_of(takc_json_get_str(o, "type"), first_of(takc_json_get_str(o, "error_type"), r->type));
    r->code = first_of(takc_json_get_str(o, "code"), r->code);
    r->param = first_of(takc_json_get_str(o, "param"), r->param);
    if (!json_is_integer(code))
        code = json_object_get(o, "status");
    if (json_is_integer(code) && json_integer_value(code) >= 400 && json_integer_value(code) < 600)
        r->status = (int)json_integer_value(code);
}

/* FastAPI: {"detail": [{"loc": ["body", "temperature"], "msg": "..."}]} or a string. */
static void read_detail(const json_t *d, struct refusal *r)
{
    const json_t *first = json_is_array(d) ? json_array_get(d, 0) : NULL, *loc = json_object_get(first, "loc");
    if (json_is_string(d))
        r->message = takc_str(json_string_value(d));
    if (first)
        r->message = takc_json_get_str(first, "msg");
    if (json_is_string(json_array_get(loc, 1)))
        r->param = takc_str(json_string_value(json_array_get(loc, 1)));
}

static void read_root(const json_t *root, struct refusal *r)
{
    const json_t *error = json_object_get(root, "error"), *detail = json_object_get(root, "detail");
    if (json_is_object(root))
        read_object(root, r);
    if (json_is_string(error))
        r->message = takc_str(json_string_value(error));
    if (json_is_object(error))
        read_object(error, r);
    if (detail)
        read_detail(detail, r);
}

static bool holds(struct takc_str s, const char *needle)
{
    size_t n = strlen(needle);
    for (size_t i = 0; i + n <= s.len; i++)
        if (takc_str_eq_nocase(takc_str_slice(s, i, i + n), takc_str(needle)))
            return true;
    return false;
}

static bool holds_any(struct takc_str s, const char *const *needles, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (holds(s, needles[i]))
            return true;
    return false;
}
#define HOLDS_ANY(s, list) holds_any((s), (list), sizeof(list) / sizeof((list)[0]))

static bool is_too_long(const struct refusal *r)
{
    static const char *const words[] = {"maximum context length", "context length",    "context window",       "context size",
                                        "prompt is too long",     "input is too long", "too many input tokens"};
    return takc_str_is(r->code, "context_length_exceeded") || takc_str_is(r->type, "exceed_context_size_error") ||
           HOLDS_ANY(r->message, words);
}

/* Is name a whole word of s? */
static bool holds_word(struct takc_str s, const char *name)
{
    struct takc_str n = takc_str(name);
    for (size_t at = 0; (at = takc_str_find(s, n, at)) != SIZE_MAX; at++) {
        bool left = at == 0 || (!isalnum((unsigned char)s.ptr[at - 1]) && s.ptr[at - 1] != '_');
        bool right = at + n.len == s.len || (!isalnum((unsigned char)s.ptr[at + n.len]) && s.ptr[at + n.len] != '_');
        if (left && right)
            return true;
    }
    return false;
}

/* The name of one of our parameters, if this is about it and says that it is not wanted. */
static const char *refused_parameter(const struct refusal *r)
{
    static const char *const ours[] = {"temperature", "top_p", "stop", "stream_options", "max_tokens", "max_completion_tokens"};
    static const char *const words[] = {"support",    "not permitted", "unrecognized", "unknown",     "unexpected",
                                        "deprecated", "extra inputs",  "extra fields", "not allowed", "incompatible"};
    bool named = takc_str_is(r->code, "unsupported_parameter") || takc_str_is(r->code, "unsupported_value") ||
                 takc_str_is(r->code, "unknown_parameter") || HOLDS_ANY(r->message, words);
    const char *found = NULL;
    size_t first = SIZE_MAX;
    for (size_t i = 0; named && i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (takc_str_is(r->param, ours[i]))
            return ours[i];
        size_t at = holds_word(r->message, ours[i]) ? takc_str_find(r->message, takc_str(ours[i]), 0) : SIZE_MAX;
        if (r->param.len == 0 && at < first) { /* the first that is named: others are what to use instead */
            first = at;
            found = ours[i];
        }
    }
    return found;
}

static bool is_no_model(const struct refusal *r)
{
    return takc_str_is(r->code, "model_not_found") || takc_str_is(r->code, "DeploymentNotFound") ||
           (holds(r->message, "model") && holds(r->message, "does not exist"));
}

static enum takc_failure of_client(const struct refusal *r, int status, struct takc_model_reply *out)
{
    const char *parameter = refused_parameter(r);
    if (is_too_long(r) || status == 413)
        return TAKC_FAILURE_TOO_LONG;
    if (status == 404 || is_no_model(r))
        return TAKC_FAILURE_NO_MODEL;
    if (!parameter)
        return TAKC_FAILURE_INVALID;
    (void)snprintf(out->parameter, sizeof(out->parameter), "%s", parameter);
    return TAKC_FAILURE_PARAMETER;
}

static enum takc_failure failure_of(const struct refusal *r, int status, struct takc_model_reply *out)
{
    /* An empty account is no load that passes: waiting does not fill it. */
    if (takc_str_is(r->code, "insufficient_quota") || takc_str_is(r->type, "insufficient_quota") || status == 402)
        return TAKC_FAILURE_DENIED;
    if (status == 429)
        return TAKC_FAILURE_THROTTLED;
    if (status == 401 || status == 403 || status == 407)
        return TAKC_FAILURE_DENIED;
    if (status == 408)
        return TAKC_FAILURE_TIMEOUT;
    if (status == 503 || status == 529 || status == 409)
        return TAKC_FAILURE_OVERLOADED;
    return status >= 500 ? TAKC_FAILURE_SERVER : of_client(r, status, out);
}

/* In a stream there is no status: the code's number or the names tell. */
static int status_of_names(const struct refusal *r)
{
    static const struct {
        const char *name;
        int status;
    } names[] = {{"rate_limit_exceeded", 429}, {"rate_limit_error", 429},      {"insufficient_quota", 429},
                 {"overloaded_error", 529},    {"invalid_request_error", 400}, {"context_length_exceeded", 400},
                 {"BadRequestError", 400},     {"authentication_error", 401}};
    for (size_t i = 0; !r->status && i < sizeof(names) / sizeof(names[0]); i++)
        if (takc_str_is(r->code, names[i].name) || takc_str_is(r->type, names[i].name))
            return names[i].status;
    return r->status ? r->status : 500;
}

/* One line without control characters, and without the key: some servers tell it back. */
static void message_text(struct takc_str s, struct takc_str key, char out[MESSAGE_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < s.len && n + 4 < MESSAGE_MAX; i++) {
        if (key.len && takc_str_starts(takc_str_slice(s, i, s.len), key)) {
            memcpy(out + n, "***", 3);
            n += 3;
            i += key.len - 1;
            continue;
        }
        unsigned char c = (unsigned char)s.ptr[i];
        out[n++] = c < ' ' || c == 0x7F ? ' ' : (char)c;
    }
    out[n] = '\0';
}

static enum takc_status fail_as(const struct refusal *r, int status, struct takc_str key, struct takc_model_reply *out,
                                struct takc_err *err)
{
    char text[MESSAGE_MAX];
    enum takc_failure f = failure_of(r, status, out);
    message_text(r->message.len ? r->message : first_of(r->code, r->type), key, text);
    if (!out->http) /* in a stream, whose head was good */
        return takc_model_fail(out, f, err, "%s", text[0] ? text : "an error without a word");
    return takc_model_fail(out, f, err, "HTTP %d%s%s", out->http, text[0] ? ": " : "", text);
}

enum takc_status takc_openai_error_in(const json_t *root, struct takc_str key, struct takc_model_reply *out, struct takc_err *err)
{
    struct refusal r = {0};
    read_root(root, &r);
    return fail_as(&r, status_of_names(&r), key, out, err);
}

static bool is_filter(const struct refusal *r)
{
    return takc_str_is(r->code, "content_filter") || takc_str_is(r->code, "ResponsibleAIPolicyViolation");
}

enum takc_status takc_openai_refusal(struct takc_str body, struct takc_str key, struct takc_model_reply *out, struct takc_err *err)
{
    struct refusal r = {0};
    json_t *root = NULL;
    char text[MESSAGE_MAX];
    if (takc_json_parse(body, &root, NULL))
        r.message = body.len <= MESSAGE_MAX && !holds(body, "<html") ? body : takc_str("the answer is no JSON");
    else
        read_root(root, &r);
    enum takc_status st = TAKC_OK;
    if (out->http == 400 && is_filter(&r)) {
        message_text(r.message, key, text);
        out->stop = TAKC_STOP_BLOCKED;
        takc_model_note(out, "a content filter stopped the request: %s", text);
    } else {
        st = fail_as(&r, out->http, key, out, err);
    }
    json_decref(root);
    return st;
}
