/* SPDX-License-Identifier: Apache-2.0
 *
 * question_fail.c - what is said of a question that failed.
 *
 * A failed call of a model is never a 200, and never the client's fault unless it named the model or asked for too much. What the service
 * said stays in the log: it may hold account numbers, hosts, pieces of prompts. */
#include "http/model_limit.h"

#include "base/log.h"

#include <stdio.h>

enum { AFTER_MAX_MS = 86400000 /* of what a model's service asks to wait */ };

static const struct told {
    const char *failure; /* takc_failure_name */
    bool named;          /* only where the request named the model */
    int status;
    const char *code, *message;
} rows[] = {
    {"no_model", true, 404, "MODEL_NOT_FOUND", "there is no such model, or the server has no access to it"},
    {"invalid", true, 400, "INVALID",
     "the model's service refuses the request as it is: model, max_tokens and temperature are its to judge"},
    {"parameter", true, 400, "INVALID", "the model's service refuses a parameter: max_tokens and temperature are its to judge"},
    {"too_long", false, 400, "TOO_LONG", "the prompt is too long for the model; smaller reader_tokens or artifact_tokens make it shorter"},
    {"throttled", false, 429, "LIMITED", "the model's service takes no more requests for now"},
    {"overloaded", false, 503, "BUSY", "the model's service is overloaded; try again in a moment"},
    {"timeout", false, 504, "TIMEOUT", "the model did not answer in time"},
    {"cancelled", false, 503, "CANCELLED", "the request was given up"},
};

static bool is_row(const struct told *row, bool named, const char *failure)
{
    return strcmp(row->failure, failure) == 0 && (named || !row->named);
}

static struct takc_refusal refusal_of(bool named, enum takc_status st, const char *failure, const struct takc_err *err)
{
    for (size_t i = 0; failure && i < sizeof(rows) / sizeof(rows[0]); i++)
        if (is_row(&rows[i], named, failure))
            return (struct takc_refusal){.status = rows[i].status, .code = rows[i].code, .message = takc_str(rows[i].message)};
    if (failure)
        return (struct takc_refusal){.status = 502, .code = "UPSTREAM", .message = takc_error_told(TAKC_UPSTREAM, err)};
    if (st == TAKC_REFUSED && err->detail == TAKC_MODEL_FORBIDDEN)
        return (struct takc_refusal){.status = 403, .code = "FORBIDDEN", .message = takc_error_told(st, err)};
    return (struct takc_refusal){.status = takc_api_status(st), .code = takc_error_code(st, TAKC_ABOUT_CACHE)};
}

struct takc_refusal takc_question_refusal(const struct takc_exchange *x, bool named, enum takc_status st, const struct takc_query_result *r,
                                          struct takc_err *err)
{
    const struct takc_asked *asked = x->about;
    char room[TAKC_TOLD_BYTES];
    struct takc_refusal f = refusal_of(named, st, r->answer.failure, err);
    if (f.status >= 500 || r->answer.failure || st == TAKC_COST)
        takc_api_log_failure(x, st, err);
    if ((f.status == 429 || f.status == 503) && r->answer.failure && r->answer.after_ms)
        f.retry_s = (unsigned)((r->answer.after_ms < AFTER_MAX_MS ? r->answer.after_ms : AFTER_MAX_MS) + 999) / 1000;
    if (f.message.ptr)
        return f;
    struct takc_str told = takc_api_told(asked->api, st, err, room);
    (void)snprintf(err->msg, sizeof(err->msg), "%.*s", TAKC_STR_ARG(told));
    f.message = takc_str(err->msg);
    return f;
}

void takc_question_retry(struct takc_exchange *x, const struct takc_refusal *f)
{
    char seconds[16];
    (void)snprintf(seconds, sizeof(seconds), "%u", f->retry_s);
    if (f->retry_s)
        takc_exchange_header(x, "Retry-After", takc_str(seconds));
}

void takc_question_fail(struct takc_exchange *x, const struct takc_refusal *f)
{
    takc_question_retry(x, f);
    takc_api_refuse(x, f->status, f->code, f->message, NULL);
}

json_t *takc_question_error(const struct takc_exchange *x, const struct takc_refusal *f)
{
    return takc_api_refusal(x, f->code, f->message);
}
