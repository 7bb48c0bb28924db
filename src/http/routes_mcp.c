/* SPDX-License-Identifier: Apache-2.0
 *
 * routes_mcp.c - the Model Context Protocol, one path. */
#include "http/fields.h"

static const struct takc_schema message = {
    .type = TAKC_TYPE_ANY, .name = "McpMessage", .about = "a message of JSON-RPC 2.0; a list of them in version 2025-03-26"};
static const struct takc_schema reply = {
    .type = TAKC_TYPE_ANY, .name = "McpReply", .about = "the reply of JSON-RPC 2.0; a list of them for a list"};

static const struct takc_route rows[] = {
    {.method = "POST",
     .path = "/mcp",
     .id = "mcp",
     .summary = "The Model Context Protocol: questions, tasks and sources as tools of an agent",
     .about =
         "JSON-RPC messages of the Model Context Protocol, one a request; its tools are takc_query, takc_list_tasks and takc_source. A "
         "tool "
         "that is called with a progressToken tells how far it is as events, where they are accepted. No stream from the server: GET and "
         "DELETE are 405.",
     .example = "{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"tools/call\", \"params\": {\"name\": \"takc_query\", \"arguments\": "
                "{\"task\": \"fin\", "
                "\"query\": \"What was the operating margin in Q3?\"}}}",
     .statuses = "202",
     .may = TAKC_MAY_QUERY,
     .body = &message,
     .reply = &reply,
     .run = takc_on_mcp,
     .events = true,
     .counts = TAKC_QUOTA_QUERY,
     .wording = takc_mcp_refusal},
};
ROUTES(takc_routes_mcp, rows);
