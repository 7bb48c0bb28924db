/* SPDX-License-Identifier: Apache-2.0
 *
 * mcp/mcp.h - the Model Context Protocol, a server's side: a JSON-RPC message in, the message to send back out. What carries them
 * (POST /mcp, standard input and output) is the caller's; what tools do and resources hold is a table's.
 *
 * Versions 2025-11-25, 2025-06-18, 2025-03-26, 2024-11-05. Methods: initialize, ping, tools/list, tools/call, resources/list,
 * resources/templates/list, resources/read; notifications and replies are taken without a word; anything else is "method not found". Lists
 * of messages are taken where the version has them (2025-03-26). No state but the version: a server may forget who asked.
 * To cancel a message is to cancel its call; knowing which message is meant is the caller's, too (takc_mcp_cancelled_id).
 * A tool that fails is a result with isError, for the model to read; a message that cannot be understood is a JSON-RPC error.
 * Threads: any; a version belongs to one conversation. */
#ifndef TAKC_MCP_MCP_H
#define TAKC_MCP_MCP_H

#include "schema/schema.h"
#include "takc/call.h"

enum takc_mcp_version { TAKC_MCP_UNSET = 0, TAKC_MCP_2024_11_05, TAKC_MCP_2025_03_26, TAKC_MCP_2025_06_18, TAKC_MCP_2025_11_25 };
/* UNSET: a version that is not spoken here. */
enum takc_mcp_version takc_mcp_version_of(struct takc_str name);
/* "2025-11-25"; NULL for UNSET. Static. */
const char *takc_mcp_version_name(enum takc_mcp_version v);

struct takc_mcp_tool {
    const char *name, *title, *about;
    const struct takc_schema *input, *output; /* objects without names: they are written where they stand */
    /* arguments fit input. *out: an object as output has it, owned. A failure's message is for the model: it says what to do next. */
    enum takc_status (*run)(void *arg, struct takc_call *call, const json_t *arguments, json_t **out, struct takc_err *err);
};

struct takc_mcp_template {
    const char *uri, *name, *title, *about, *type; /* "takc://task/{task}", ... */
};

struct takc_mcp_table {
    const char *instructions; /* for the model: what this server is for */
    const struct takc_mcp_tool *tools;
    size_t n_tools;
    const struct takc_mcp_template *templates;
    size_t n_templates;
    /* *out: a list of {uri, name, ...}, owned. */
    enum takc_status (*list)(void *arg, struct takc_call *call, json_t **out, struct takc_err *err);
    /* *out: {uri, mimeType, text}, owned. NOT_FOUND: there is no such resource. */
    enum takc_status (*read)(void *arg, struct takc_call *call, struct takc_str uri, json_t **out, struct takc_err *err);
};

struct takc_mcp {
    const struct takc_mcp_table *table;
    void *arg; /* of its functions */
    /* Sends a message (taken; NULL: no memory for it) ahead of the reply, on the thread that answers: how far a tool is that was called
     * with a progressToken, stage by stage. What cannot be sent is dropped. NULL: none are sent. */
    void (*notify)(void *arg, json_t *message);
    void *notify_arg;
};

enum { TAKC_MCP_BATCH_MAX = 32 };
enum takc_mcp_code { /* of JSON-RPC */
                     TAKC_MCP_PARSE_ERROR = -32700,
                     TAKC_MCP_INVALID_REQUEST = -32600,
                     TAKC_MCP_NO_METHOD = -32601,
                     TAKC_MCP_INVALID_PARAMS = -32602,
                     TAKC_MCP_INTERNAL = -32603,
                     TAKC_MCP_NO_RESOURCE = -32002
};

/* Answers a message. *version: what was agreed on, changed by initialize. *out owned: what to send; NULL: nothing, it was a notification or
 * a reply. NOMEM only. */
TAKC_CHECK enum takc_status takc_mcp_answer(const struct takc_mcp *m, enum takc_mcp_version *version, struct takc_call *call,
                                            const json_t *message, json_t **out);
/* The same for text that may be no JSON. */
TAKC_CHECK enum takc_status takc_mcp_answer_text(const struct takc_mcp *m, enum takc_mcp_version *version, struct takc_call *call,
                                                 struct takc_str text, json_t **out);
/* The id that a "notifications/cancelled" means; NULL: the message is none. Borrowed from it. */
const json_t *takc_mcp_cancelled_id(const json_t *message);
/* Does the message call a tool and ask to be told how far it is? */
bool takc_mcp_wants_progress(const json_t *message);
/* Could this never be answered, so that HTTP says 400? It is an error without id. */
bool takc_mcp_is_refusal(const json_t *reply);
/* A JSON-RPC error; id is taken, NULL: null. NULL: no memory. Returns owned. */
json_t *takc_mcp_error(json_t *id, enum takc_mcp_code code, struct takc_str message);

#endif
