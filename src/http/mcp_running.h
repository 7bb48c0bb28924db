/* SPDX-License-Identifier: Apache-2.0
 *
 * http/mcp_running.h - which messages of the Model Context Protocol are being answered, so that a client can cancel one by another request.
 *
 * Ids of messages are a client's own small numbers, so they mean something only within its session: a name that cannot be guessed, which it
 * was told when it began and shows with every request. Sessions hold nothing else: one that was never given out here, or by a server that
 * is gone, is as good as any, and has nothing to cancel. Threads: any. */
#ifndef TAKC_HTTP_MCP_RUNNING_H
#define TAKC_HTTP_MCP_RUNNING_H

#include "auth/auth.h"
#include "takc/call.h"

#include <jansson.h>

struct takc_mcp_running;

/* Returns owned. NOMEM. */
TAKC_CHECK enum takc_status takc_mcp_running_open(struct takc_mcp_running **out, struct takc_err *err);
/* NULL is harmless. */
void takc_mcp_running_close(struct takc_mcp_running *r);

struct takc_mcp_message { /* one that is being answered; in the hands of whoever answers */
    struct takc_str session;
    const struct takc_identity *who;
    const json_t *id;
    struct takc_call call; /* to answer it with: below the request's */
    atomic_bool cancelled; /* its client wants no answer */
    struct takc_mcp_message *next, *prev;
};
/* From now on it can be cancelled; without a session or an id never. m stays where it is until takc_mcp_running_leave. */
void takc_mcp_running_enter(struct takc_mcp_running *r, struct takc_mcp_message *m);
/* One that did not enter is fine. */
void takc_mcp_running_leave(struct takc_mcp_running *r, struct takc_mcp_message *m);
/* Cancels what the same caller asked under that id in that session; nothing happens where there is no such message. */
void takc_mcp_running_cancel(struct takc_mcp_running *r, struct takc_str session, const struct takc_identity *who, const json_t *id);

#endif
