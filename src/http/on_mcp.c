/* SPDX-License-Identifier: Apache-2.0
 *
 * on_mcp.c - the Model Context Protocol over HTTP ("streamable HTTP"): POST /mcp takes a message, its reply is JSON, or events where a
 * client asked how far a tool is. A session is a name and nothing else (http/mcp_running.h), and there is no stream that the server would
 * begin: GET and DELETE are 405, as the protocol has it.
 *
 * A page of another site must not speak for its reader (DNS rebinding): where a browser says whose page it is, that has to be a page of
 * this machine, or one that CORS allows. */
#include "http/limits.h"
#include "http/observe.h"

#include "http/admit.h"
#include "http/ids.h"
#include "http/mcp_running.h"
#include "mcp/tasks.h"

#include <stdio.h>

struct talk { /* one request */
    struct takc_exchange *x;
    const struct takc_asked *asked;
    size_t n_questions;
    struct takc_mcp_message message;
};

static bool is_welcome(const struct takc_api *api, struct takc_str origin)
{
    return !origin.len || takc_limits_trusts(api, origin) || takc_admit_own_origin(origin);
}

/* What could not be read has no id to answer. */
json_t *takc_mcp_refusal(const char *code, struct takc_str message, struct takc_str pointer)
{
    (void)pointer;
    return takc_mcp_error(NULL, strcmp(code, "INVALID") == 0 ? TAKC_MCP_PARSE_ERROR : TAKC_MCP_INVALID_REQUEST, message);
}

static void refuse(struct takc_exchange *x, int status, const char *why)
{
    takc_api_json(x, status, takc_mcp_error(NULL, TAKC_MCP_INVALID_REQUEST, takc_str(why)));
}

/* In the words of POST /query; a model's service is not quoted, and the log has it already. */
static enum takc_status tell(struct talk *t, enum takc_status st, const struct takc_query_result *r, struct takc_err *err)
{
    struct takc_err why = *err;
    struct takc_refusal f = takc_question_refusal(t->x, false, st, r, &why);
    return takc_fail(err, TAKC_REFUSED, 0, "%.*s", TAKC_STR_ARG(f.message));
}

/* The request itself was counted as one question; a list may hold more. */
static enum takc_status answer_question(void *arg, struct takc_call *call, const struct takc_query_options *o,
                                        struct takc_query_result *out, struct takc_err *err)
{
    struct talk *t = arg;
    struct takc_question q = {.o = *o};
    struct takc_observed it = {.item = {.began_ns = 0}};
    bool one_of_many = json_is_array(t->asked->body);
    if (t->n_questions++ && !takc_limits_more(t->x, t->asked, 1, 0))
        return takc_fail(err, TAKC_LIMITED, 0, "the quota of questions is used up");
    enum takc_status st = takc_question_model(t->asked, takc_str(""), &q, err);
    takc_observe_words(t->x, t->asked, &q.o);
    if (one_of_many) {
        takc_observe_item_begin(t->x, &it);
        call = &it.item.call;
    }
    if (!st)
        st = takc_question_answer(t->asked, call, &q, out, err);
    takc_limits_spent(t->asked, out);
    if (one_of_many) {
        takc_observe_item(t->x, t->asked, &q.o, st, out, &it);
        takc_observe_sum(t->x, &it);
    } else {
        takc_observe_question(t->x, t->asked, &q.o, st, out);
    }
    takc_question_clear(&q);
    return st ? tell(t, st, out, err) : TAKC_OK;
}

/* ---- progress, as events ahead of the reply ---- */

/* Only who can read events, asked for one message and wants to know gets them; for all others the reply is JSON. */
static bool may_stream(struct takc_exchange *x, const json_t *message)
{
    return takc_mcp_wants_progress(message) &&
           takc_str_find(takc_exchange_asked(x, "accept"), takc_str("text/event-stream"), 0) != SIZE_MAX;
}

/* Begins the stream with the first of them: a message that is refused before is answered as any other. */
static void notify(void *arg, json_t *message)
{
    struct talk *t = arg;
    bool good = message && !takc_call_check(&t->message.call, NULL);
    if (good && !t->x->streams)
        good = !takc_exchange_stream(t->x, 200, "text/event-stream", NULL);
    if (good)
        (void)!takc_api_event(t->x, NULL, message, NULL);
    else
        json_decref(message);
}

/* ---- the message ---- */

static void say(struct takc_exchange *x, const struct talk *t, json_t *reply)
{
    if (x->streams && reply && !atomic_load(&t->message.cancelled)) {
        (void)!takc_api_event(x, NULL, reply, NULL);
        return;
    }
    if (x->streams || x->status) /* nobody wants it any more; over a quota: the reply is there */
        json_decref(reply);
    else if (reply)
        takc_api_json(x, takc_mcp_is_refusal(reply) ? 400 : 200, reply);
    else
        x->status = 202;
}

/* A client that begins is told by what name it may cancel later on. */
static void begin_session(struct takc_exchange *x, const json_t *message, const json_t *reply)
{
    char id[33];
    if (!takc_str_is(takc_json_get_str(message, "method"), "initialize") || !json_object_get(reply, "result"))
        return;
    takc_id_draw(id, 16);
    takc_exchange_header(x, "Mcp-Session-Id", takc_str(id));
}

static void answer(struct takc_exchange *x, const struct takc_asked *asked, enum takc_mcp_version version)
{
    struct takc_question q = {0};
    struct talk t = {
        .x = x,
        .asked = asked,
        .message = {.session = takc_exchange_asked(x, "mcp-session-id"), .who = &asked->who, .id = json_object_get(asked->body, "id")}};
    takc_question_defaults(asked->api, &q);
    struct takc_mcp_tasks tasks = {.home = asked->home, .who = &asked->who, .defaults = q.o, .answer = answer_question, .arg = &t};
    const struct takc_mcp m = {
        .table = &takc_mcp_tasks_table, .arg = &tasks, .notify = may_stream(x, asked->body) ? notify : NULL, .notify_arg = &t};
    const json_t *cancelled = takc_mcp_cancelled_id(asked->body);
    json_t *reply = NULL;
    if (cancelled && t.message.session.len)
        takc_mcp_running_cancel(asked->api->mcp_running, t.message.session, &asked->who, cancelled);
    takc_call_below(&t.message.call, &x->call);
    takc_mcp_running_enter(asked->api->mcp_running, &t.message);
    enum takc_status st = takc_mcp_answer(&m, &version, &t.message.call, asked->body, &reply);
    takc_mcp_running_leave(asked->api->mcp_running, &t.message);
    if (st && !x->streams)
        takc_api_fail(x, TAKC_NOMEM, TAKC_ABOUT_UNSET, &(struct takc_err){.msg = "no memory for a reply"});
    if (st)
        return;
    begin_session(x, asked->body, reply);
    say(x, &t, reply);
}

void takc_on_mcp(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_str name = takc_exchange_asked(x, "mcp-protocol-version");
    enum takc_mcp_version version = name.len ? takc_mcp_version_of(name) : TAKC_MCP_2025_03_26; /* which is when the header came up */
    if (!is_welcome(asked->api, takc_exchange_asked(x, "origin")))
        refuse(x, 403, "Origin: pages of other machines may not speak here");
    else if (!version)
        refuse(x, 400, "MCP-Protocol-Version: 2025-11-25, 2025-06-18, 2025-03-26 or 2024-11-05 is expected");
    else
        answer(x, asked, version);
}
