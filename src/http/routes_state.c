/* SPDX-License-Identifier: Apache-2.0
 *
 * routes_state.c - health, readiness, the description. */
#include "http/fields.h"

static const struct takc_member status_members[] = {{"status", REQUIRED, {.type = TAKC_TYPE_TEXT}}};
static const struct takc_schema status_reply = {.type = TAKC_TYPE_OBJECT, .name = "Status", .open = true, TAKC_MEMBERS(status_members)};

static const struct takc_route rows[] = {
    {.method = "GET",
     .path = "/health",
     .id = "health",
     .summary = "The state of the server and of what it needs",
     .reply = &status_reply,
     .run = takc_on_health},
    {.method = "GET",
     .path = "/livez",
     .id = "live",
     .summary = "Is the process alive",
     .quick = true,
     .reply = &status_reply,
     .run = takc_on_live},
    {.method = "GET",
     .path = "/readyz",
     .id = "ready",
     .summary = "Can requests be answered; asks no model",
     .reply = &status_reply,
     .run = takc_on_ready},
    {.method = "GET",
     .path = "/metrics",
     .id = "metrics",
     .summary = "What the server counts: Prometheus text, or JSON for who accepts application/json",
     .may = TAKC_MAY_ADMIN,
     .ahead = true,
     .reply_type = "text/plain",
     .run = takc_on_metrics},
    {.method = "GET", .path = "/openapi.json", .id = "openapi", .summary = "This description", .quick = true, .run = takc_on_openapi},
};
ROUTES(takc_routes_state, rows);
