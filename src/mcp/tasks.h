/* SPDX-License-Identifier: Apache-2.0
 *
 * mcp/tasks.h - what takc offers over MCP: questions to tasks, the tasks there are, the text behind a citation. Everything reads, nothing
 * writes. */
#ifndef TAKC_MCP_TASKS_H
#define TAKC_MCP_TASKS_H

#include "auth/auth.h"
#include "catalog/home.h"
#include "mcp/mcp.h"
#include "takc/query.h"

struct takc_mcp_tasks { /* arg of the table's functions; borrowed, all of it */
    struct takc_home *home;
    const struct takc_identity *who;    /* tasks that it may not name are not there */
    struct takc_query_options defaults; /* limits of a question; task and question are not looked at */
    /* Answers a question, by whomever the caller asks. out is the caller's to free, whatever comes of it. */
    enum takc_status (*answer)(void *arg, struct takc_call *call, const struct takc_query_options *o, struct takc_query_result *out,
                               struct takc_err *err);
    void *arg; /* of answer */
};
extern const struct takc_mcp_table takc_mcp_tasks_table;

#endif
