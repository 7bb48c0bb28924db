/* SPDX-License-Identifier: Apache-2.0
 *
 * auth/webhook.h - the authorizer `webhook`: a URL or a command of the user's own decides.
 *
 * It is asked with a JSON object, POSTed or on the command's standard input:
 *     {"method": "POST", "path": "/query", "source_ip": "192.0.2.7", "request_id": "...", "headers": {"authorization": "...", ...}}
 * headers are Authorization, X-API-Key and those that are set, as far as the request has them; nothing else of it. It answers, HTTP 200 or
 * exit code 0, with one:
 *     {"allow": true, "subject": "u-1", "tenant": "acme", "may": ["query"], "tasks": ["fin-*"], "ttl_s": 60, "cache_by": "request"}
 * allow is needed, true or false. subject: else made of the credential's hash; tenant: else the default one; may: else nothing; tasks: else
 * all. Replies of Lambda authorizers are understood as well: {"isAuthorized": bool, "context": {...}} and {"principalId", "policyDocument"
 * (all of it Allow, Resource "*"), "context"}, context holding tenant, may and tasks (words or lists). Anything else is no answer.
 * No answer, one that is late, cut, too large, another HTTP status or exit code: UPSTREAM or TIMEOUT, never a yes.
 * An answer is kept for ttl_s seconds, at most serve.webhook_ttl_s (0: not at all), a no for TAKC_WEBHOOK_NO_S at most; under a hash of
 * what was in headers and, where cache_by is "request", method, path and source_ip. The table is bounded. The URL is https to a public
 * address (net/address.h), looked at when the connection is made, whatever its name resolves to; redirects are not followed, proxies not
 * used. allow_private lifts all that, http included. A command gets LANG and PATH as its environment, no arguments but its own,
 * TAKC_WEBHOOK_MS of time and TAKC_WEBHOOK_ANSWER bytes. Threads: as auth.h. Commands run on threads of their own, TAKC_WEBHOOK_COMMANDS at
 * a time; more than TAKC_WEBHOOK_WAITING that wait are BUSY. */
#ifndef TAKC_AUTH_WEBHOOK_H
#define TAKC_AUTH_WEBHOOK_H

#include "auth/grant.h"
#include "base/clock.h"

enum {
    TAKC_WEBHOOK_MS = 5000,
    TAKC_WEBHOOK_ANSWER = 16 << 10,
    TAKC_WEBHOOK_NO_S = 5,
    TAKC_WEBHOOK_KEPT = 4096,
    TAKC_WEBHOOK_COMMANDS = 4,
    TAKC_WEBHOOK_WAITING = 64,
    TAKC_WEBHOOK_HEADERS = 8
};

/* Asks: appends the answer to out, whose max is the limit. UPSTREAM, TIMEOUT, BUSY: there is none. May wait. */
typedef enum takc_status takc_webhook_ask_fn(void *arg, struct takc_call *call, struct takc_str question, struct takc_buf *out,
                                             struct takc_err *err);

struct takc_auth_webhook_options { /* texts are borrowed until open returns; empty: not set */
    struct takc_str url;           /* serve.webhook_url; one of both */
    struct takc_str command;       /* serve.webhook_command: words as a shell has them */
    struct takc_str headers;       /* serve.webhook_headers: names besides the two, blanks or commas between */
    uint32_t ttl_s;                /* serve.webhook_ttl_s */
    bool allow_private;            /* serve.webhook_allow_private */
    uint32_t timeout_ms;           /* 0: TAKC_WEBHOOK_MS */
    const char *ca_file;
    const char *const *resolve; /* as in net/http.h: for tests */
    const struct takc_clock *clock;
    takc_webhook_ask_fn *ask; /* NULL: by url or command. For tests */
    void *ask_arg;
};

/* INVALID names the setting that is missing or odd; UNSUPPORTED (no libcurl), NOT_FOUND (no such program), NOMEM, BUSY. Returns owned: free
 * by its kind. */
TAKC_CHECK enum takc_status takc_auth_webhook_open(struct takc_authorizer **out, const struct takc_auth_webhook_options *o,
                                                   struct takc_err *err);

/* --- the parts, for tests --- */

struct takc_webhook_answer {
    bool allow;
    uint64_t ttl_s;           /* UINT64_MAX: not said */
    bool by_request;          /* is of this method, path and address only */
    struct takc_identity who; /* of an allow; a subject may be missing */
};
/* Reads an answer; copies into the arena. UPSTREAM: none of the three forms; NOMEM. Pure. */
TAKC_CHECK enum takc_status takc_webhook_read(struct takc_str json, struct takc_arena *a, struct takc_webhook_answer *out,
                                              struct takc_err *err);

#endif
