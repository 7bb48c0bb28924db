/* SPDX-License-Identifier: Apache-2.0
 *
 * bedrock_error.c - what a refusal means: by the name of the exception (header, "__type", or the event of a stream), else by the status;
 * ValidationException, which stands for many things, by the words of its message. */
#include "model/bedrock_parts.h"

#include <stdio.h>

enum { MESSAGE_MAX = 300 };

static const struct {
    const char *name;
    enum takc_failure failure;
} exceptions[] = {{"Throttling", TAKC_FAILURE_THROTTLED},
                  {"TooManyRequests", TAKC_FAILURE_THROTTLED},
                  {"ServiceQuotaExceeded", TAKC_FAILURE_THROTTLED},
                  {"ServiceUnavailable", TAKC_FAILURE_OVERLOADED},
                  {"ModelNotReady", TAKC_FAILURE_OVERLOADED},
                  {"ModelTimeout", TAKC_FAILURE_TIMEOUT},
                  {"InternalServer", TAKC_FAILURE_SERVER},
                  {"InternalFailure", TAKC_FAILURE_SERVER},
                  {"ModelError", TAKC_FAILURE_SERVER},
                  {"ModelStreamError", TAKC_FAILURE_SERVER},
                  {"AccessDenied", TAKC_FAILURE_DENIED},
                  {"UnrecognizedClient", TAKC_FAILURE_DENIED},
                  {"InvalidSignature", TAKC_FAILURE_DENIED},
                  {"IncompleteSignature", TAKC_FAILURE_DENIED},
                  {"MissingAuthenticationToken", TAKC_FAILURE_DENIED},
                  {"InvalidClientTokenId", TAKC_FAILURE_DENIED},
                  {"ExpiredToken", TAKC_FAILURE_DENIED},
                  {"RequestExpired", TAKC_FAILURE_DENIED},
                  {"OptInRequired", TAKC_FAILURE_DENIED},
                  {"ResourceNotFound", TAKC_FAILURE_NO_MODEL}};

static bool holds(struct takc_str s, const char *needle)
{
    size_t n = strlen(needle);
    for (size_t i = 0; i + n <= s.len; i++)
        if (takc_str_eq_nocase(takc_str_n(s.ptr + i, n), takc_str(needle)))
            return true;
    return false;
}

static bool holds_any(struct takc_str s, const char *const *words)
{
    for (; *words; words++)
        if (holds(s, *words))
            return true;
    return false;
}

/* The parameter that a message refuses, by its name in a takc_model_request. */
static const char *refused(struct takc_str m)
{
    static const struct {
        const char *theirs, *ours;
    } names[] = {{"top_p", "top_p"},
                 {"topP", "top_p"},
                 {"temperature", "temperature"},
                 {"stop_sequences", "stop_sequences"},
                 {"stopSequences", "stop_sequences"},
                 {"stop sequence", "stop_sequences"},
                 {"cachePoint", "cache_point"},
                 {"cache_control", "cache_point"},
                 {"caching", "cache_point"}};
    static const char *const words[] = {"support",    "not permitted", "cannot both",  "deprecated",
                                        "extraneous", "not allowed",   "incompatible", NULL};
    for (size_t i = 0; holds_any(m, words) && i < sizeof(names) / sizeof(names[0]); i++)
        if (holds(m, names[i].theirs))
            return names[i].ours;
    return NULL;
}

static enum takc_failure of_validation(struct takc_str m, struct takc_model_reply *out)
{
    static const char *const too_long[] = {
        "too long", "too many input tokens", "maximum context", "context window", "context length", "max input tokens", NULL};
    static const char *const no_model[] = {
        "model identifier is invalid", "on-demand throughput", "model version", "end of its life", "legacy by the model provider", NULL};
    const char *parameter = refused(m);
    if (holds_any(m, too_long))
        return TAKC_FAILURE_TOO_LONG;
    if (holds_any(m, no_model))
        return TAKC_FAILURE_NO_MODEL;
    if (!parameter)
        return TAKC_FAILURE_INVALID;
    (void)snprintf(out->parameter, sizeof(out->parameter), "%s", parameter);
    return TAKC_FAILURE_PARAMETER;
}

static enum takc_failure of_status(int http, struct takc_str m, struct takc_model_reply *out)
{
    if (http == 429)
        return TAKC_FAILURE_THROTTLED;
    if (http == 401 || http == 403 || http == 407)
        return TAKC_FAILURE_DENIED;
    if (http == 404)
        return TAKC_FAILURE_NO_MODEL;
    if (http == 408)
        return TAKC_FAILURE_TIMEOUT;
    if (http == 413)
        return TAKC_FAILURE_TOO_LONG;
    if (http == 503)
        return TAKC_FAILURE_OVERLOADED;
    return http >= 400 && http < 500 ? of_validation(m, out) : TAKC_FAILURE_SERVER;
}

static enum takc_failure failure_of(struct takc_str type, struct takc_str m, struct takc_model_reply *out)
{
    char begin = type.len ? (char)(type.ptr[0] & ~0x20) : '\0'; /* events have a small first letter */
    if (begin && holds(type, "Validation"))
        return of_validation(m, out);
    for (size_t i = 0; begin && i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
        if (begin == exceptions[i].name[0] && takc_str_starts(takc_str_slice(type, 1, type.len), takc_str(exceptions[i].name + 1)))
            return exceptions[i].failure == TAKC_FAILURE_DENIED && holds(m, "access to the model") ? TAKC_FAILURE_NO_MODEL
                                                                                                   : exceptions[i].failure;
    return of_status(out->http, m, out);
}

/* One line without control characters and without the secret. A refused signature is told with the whole request, token included: what
 * stands behind "The Canonical String" is cut. */
static void message_text(struct takc_str s, struct takc_str secret, char out[MESSAGE_MAX])
{
    size_t n = 0, end = takc_str_find(s, takc_str("The Canonical String"), 0);
    s.len = end < s.len ? end : s.len;
    for (size_t i = 0; i < s.len && n + 4 < MESSAGE_MAX; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (secret.len && takc_str_starts(takc_str_slice(s, i, s.len), secret)) {
            memcpy(out + n, "***", 3);
            n += 3;
            i += secret.len - 1;
        } else {
            out[n++] = c < ' ' || c == 0x7F ? ' ' : (char)c;
        }
    }
    out[n] = '\0';
}

/* "a#ThrottlingException:http://..." is ThrottlingException. */
static struct takc_str bare(struct takc_str type)
{
    size_t hash = takc_str_find_byte(type, '#', 0), colon;
    if (hash != SIZE_MAX)
        type = takc_str_slice(type, hash + 1, type.len);
    colon = takc_str_find_byte(type, ':', 0);
    return colon == SIZE_MAX ? type : takc_str_slice(type, 0, colon);
}

enum takc_status takc_bedrock_refusal(struct takc_str type, struct takc_str body, struct takc_str secret, struct takc_model_reply *out,
                                      struct takc_err *err)
{
    json_t *root = NULL;
    char text[MESSAGE_MAX], name[MESSAGE_MAX];
    struct takc_str message = body.len < 2048 ? body : takc_str("");
    if (!takc_json_parse(body, &root, NULL)) {
        message = takc_json_get_str(root, "message");
        message = message.len ? message : takc_json_get_str(root, "Message");
        type = type.len ? type : takc_json_get_str(root, "__type");
    }
    type = bare(type);
    enum takc_failure f = failure_of(type, message, out);
    message_text(message, secret, text);
    message_text(type.len < 64 ? type : takc_str(""), secret, name);
    enum takc_status st = takc_model_fail(out, f, err, "%s%s%s", name[0] ? name : "the service refused", text[0] ? ": " : "", text);
    json_decref(root);
    return st;
}
