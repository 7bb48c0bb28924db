/* SPDX-License-Identifier: Apache-2.0
 *
 * mcp/tasks.h - what takc offers over MCP: questions to tasks, the tasks there are, the text behind a citation. Everything reads, nothing
 * writes. */
#ifndef TAKC_MCP_TASKS_H
#define TAKC_MCP_TASKS_H

#include "auth/auth.h"
#include "catalog/home.h"
#include "mcp/mcp.h"
#include "pipeline/models_pool.h"
#include "takc/query.h"

struct takc_mcp_tasks { /* arg of the table's functions; borrowed, all of it */
    struct takc_home *home;
    const struct takc_identity *who;         /* tasks that it may not name are not there */
    struct takc_query_options defaults;      /* limits of a question; task and question are not looked at */
    const struct takc_model_settings *model; /* who answers where a task names nobody; its model empty: nobody */
    bool model_wins;                         /* it goes before a task's own */
    struct takc_models_pool *models;         /* that stay open between questions; NULL: opened for each */
    /* Told of each question that was asked, also one that failed; NULL: nobody. */
    void (*asked)(void *arg, const struct takc_query_options *o, enum takc_status st, const struct takc_query_result *r);
    void *asked_arg;
};
extern const struct takc_mcp_table takc_mcp_tasks_table;

#endif
