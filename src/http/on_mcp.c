/* SPDX-License-Identifier: Apache-2.0
 *
 * on_mcp.c - the Model Context Protocol over HTTP ("streamable HTTP"): POST /mcp takes a message, its reply is JSON. No sessions, and no
 * stream that the server would begin: GET and DELETE are 405, as the protocol has it.
 *
 * A page of another site must not speak for its reader (DNS rebinding): where a browser says whose page it is, that has to be a page of
 * this machine. */
#include "http/limits.h"
#include "http/observe.h"

#include "mcp/tasks.h"
#include "net/url.h"

/* 127.0.0.1 and its like, not 127.example.com. */
static bool is_loopback(struct takc_str host)
{
    bool number = takc_str_starts(host, takc_str("127."));
    for (size_t i = 0; i < host.len; i++)
        number = number && strchr("0123456789.", host.ptr[i]);
    return number || takc_str_eq_nocase(host, takc_str("localhost")) || takc_str_is(host, "::1") || takc_str_is(host, "[::1]");
}

static bool is_own_page(struct takc_str origin)
{
    struct takc_url u;
    return !takc_url_parse(&u, origin, NULL) && is_loopback(u.host);
}

/* What could not be read has no id to answer. */
json_t *takc_mcp_refusal(const char *code, struct takc_str message, struct takc_str pointer)
{
    (void)pointer;
    return takc_mcp_error(NULL, strcmp(code, "INVALID") == 0 ? TAKC_MCP_PARSE_ERROR : TAKC_MCP_INVALID_REQUEST, message);
}

/* Takes reply; NULL: no memory. */
static void say(struct takc_exchange *x, json_t *reply)
{
    takc_api_json(x, takc_mcp_is_refusal(reply) ? 400 : 200, reply);
}

static void refuse(struct takc_exchange *x, int status, const char *why)
{
    takc_api_json(x, status, takc_mcp_error(NULL, TAKC_MCP_INVALID_REQUEST, takc_str(why)));
}

struct mcp_request {
    struct takc_exchange *x;
    const struct takc_asked *asked;
};

static void note(void *arg, const struct takc_query_options *o, enum takc_status st, const struct takc_query_result *r)
{
    const struct mcp_request *m = arg;
    takc_limits_spent(m->asked, r);
    takc_observe_question(m->x, m->asked, o, st, r);
}

static void answer(struct takc_exchange *x, const struct takc_asked *asked, enum takc_mcp_version version)
{
    struct takc_question q = {0};
    takc_question_defaults(asked->api, &q);
    q.o.snapshots = asked->api->snapshots;
    struct mcp_request request = {x, asked};
    struct takc_mcp_tasks tasks = {.home = asked->home,
                                   .who = &asked->who,
                                   .defaults = q.o,
                                   .model = &asked->api->model,
                                   .models = asked->api->models,
                                   .asked = note,
                                   .asked_arg = &request};
    const struct takc_mcp m = {&takc_mcp_tasks_table, &tasks};
    json_t *reply = NULL;
    if (takc_mcp_answer(&m, &version, &x->call, asked->body, &reply))
        takc_api_fail(x, TAKC_NOMEM, TAKC_ABOUT_UNSET, &(struct takc_err){.msg = "no memory for a reply"});
    else if (reply)
        say(x, reply);
    else
        x->status = 202;
}

void takc_on_mcp(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_str origin = takc_exchange_asked(x, "origin"), name = takc_exchange_asked(x, "mcp-protocol-version");
    enum takc_mcp_version version = name.len ? takc_mcp_version_of(name) : TAKC_MCP_2025_03_26; /* which is when the header came up */
    if (origin.len && !is_own_page(origin))
        refuse(x, 403, "Origin: pages of other machines may not speak here");
    else if (!version)
        refuse(x, 400, "MCP-Protocol-Version: 2025-11-25, 2025-06-18, 2025-03-26 or 2024-11-05 is expected");
    else
        answer(x, asked, version);
}
