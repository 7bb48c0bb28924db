/* SPDX-License-Identifier: Apache-2.0
 *
 * http/api.h - what the server says: routes over a home, in the guide's words.
 *
 * A route is a row of routes_*.c: method, path, scope, the schemas of its parameters and bodies, its handler. The row checks requests,
 * words the refusals and makes /openapi.json; a handler sees only what fits. Every path is served under /v1 too. Replies: JSON; failures in
 * the guide's error body with the status that fits. What went wrong inside (storage, a service behind) is logged with the request's id and
 * told to the client in general words. Threads: handlers run on fibers, many at a time; the api's own state is read only. */
#ifndef TAKC_HTTP_API_H
#define TAKC_HTTP_API_H

#include "auth/auth.h"
#include "catalog/home.h"
#include "http/hints.h"
#include "http/quota.h"
#include "http/server.h"
#include "http/work.h"
#include "pipeline/models_pool.h"
#include "pipeline/snapshot.h"
#include "reply/reply.h"
#include "schema/schema.h"
#include "takc/model.h"
#include "takc/query.h"
#include "task/profile.h"

struct takc_api;
struct takc_asked;
struct takc_auth;
struct takc_tenants;
struct takc_limits;
struct takc_limited;
struct takc_metrics;
struct takc_metrics_now;
struct takc_traces;
struct takc_reply_cache;
struct takc_mcp_running;
struct takc_hits;

typedef void takc_route_fn(struct takc_exchange *x, const struct takc_asked *asked);
/* The body of a failure in other words than the guide's; pointer: what did not fit, or empty. NULL: no memory. Returns owned. */
typedef json_t *takc_wording_fn(const char *code, struct takc_str message, struct takc_str pointer);

struct takc_route {
    const char *method, *path;              /* "GET", "/cache/{task}/{rate}" */
    const char *id, *summary;               /* of OpenAPI: "getCacheRate" */
    const char *about;                      /* of OpenAPI: more than the summary says; NULL: nothing more */
    const char *example;                    /* of OpenAPI: a body, as JSON; NULL: none */
    const char *statuses;                   /* that can come besides those of every route (openapi.c): "201 304 422"; NULL: none */
    unsigned may;                           /* TAKC_MAY_*: who may; 0: everybody, unasked */
    bool quick;                             /* waits for nothing: answered on the connection's thread */
    bool ahead;                             /* is answered when all else waits, too (exchange.h) */
    const struct takc_schema *query, *body; /* NULL: none */
    const struct takc_schema *reply;        /* of 200; NULL: any JSON */
    const struct takc_schema *accepted;     /* of 202; NULL: never */
    const char *reply_type;                 /* NULL: application/json */
    uint64_t body_max;                      /* bytes; 0: 1 MiB */
    takc_route_fn *run;
    enum takc_quota_what counts; /* besides as a request */
    bool streams_body;           /* form-data goes to disk as it comes (http/upload.h); body is the schema of JSON, which is taken, too */
    takc_wording_fn *wording;    /* of failures; NULL: the guide's */
    bool asks;                   /* a question: 200 may be a stream of events, and has the x-takc- headers */
    bool events;                 /* 200 may be a stream of events, without those headers */
    bool writes;                 /* changes something: audited, takes Idempotency-Key */
};

struct takc_routes { /* rows of one file */
    const struct takc_route *rows;
    size_t n;
};
/* routes_*.c; routes.c lists them. Static. */
extern const struct takc_routes takc_routes_query, takc_routes_chat, takc_routes_tasks, takc_routes_jobs, takc_routes_mcp,
    takc_routes_state;

enum { TAKC_PARAMS_MAX = 4 };
struct takc_asked { /* a request that fits; lives as long as the exchange */
    const struct takc_api *api;
    const struct takc_route *route;
    struct takc_str params[TAKC_PARAMS_MAX]; /* of the path, in its order, unescaped */
    size_t n_params;
    json_t *query, *body;         /* NULL where the route has none */
    struct takc_identity who;     /* who asks */
    struct takc_home *home;       /* of who's tenant: the only one that a handler sees; NULL until it is admitted, and of open routes */
    bool handled;                 /* its handler has begun */
    struct takc_limited *limited; /* http/limits.h: what it was counted in */
    struct takc_sha256 body_hash; /* where who.body is set */
    struct takc_upload *upload;   /* of a body that was streamed; NULL: none */
};

/* The i-th route, NULL behind the last. Static. */
const struct takc_route *takc_route_at(size_t i);
/* Finds the route of a path as it came; params are unescaped into the arena. NULL: none, and out_allow is "GET, POST" where the path has
 * others, empty where there is no such path. NOMEM gives NULL, too, with out_nomem. */
const struct takc_route *takc_route_find(struct takc_str method, struct takc_str path, struct takc_arena *a, struct takc_asked *out,
                                         char out_allow[64], bool *out_nomem);
/* How failures are worded at a path as it came, whatever the method: who asks by the wrong one, or is refused before, reads the same words.
 * NULL: as the guide has them, or there is no such path. */
takc_wording_fn *takc_route_wording(struct takc_str path);
/* The whole description, OpenAPI 3.1; authorized: routes with a scope need a credential. NULL: no memory. Returns owned. */
json_t *takc_openapi(bool authorized);

struct takc_api {
    struct takc_auth *auth;           /* NULL: none, on loopback only */
    struct takc_tenants *tenants;     /* NULL: where auth is */
    struct takc_home *home;           /* the server's own: keys, jobs, quotas, audit, and the tasks of the default tenant */
    struct takc_str model_patterns;   /* serve.models: what requests may name besides (http/model_limit.h) */
    struct takc_model_settings model; /* who answers where nothing else is said; name empty: nobody */
    struct takc_models_pool *models;  /* open between questions, as versions are */
    struct takc_snapshots *snapshots;
    uint64_t reader_tokens, artifact_tokens, questions_per_window;
    double abstain_below;
    bool answer_cache;
    int64_t started_s;
    struct takc_limits *limits;           /* http/limits.h; NULL: none */
    _Atomic(struct takc_server *) server; /* for counts; set once it is open: requests may come before */
    /* http/observe.h */
    struct takc_metrics *metrics;
    struct takc_traces *traces; /* NULL: none are sent */
    bool trace_context;         /* the client's is gone on with, and sent on */
    bool access_log, log_questions;
    bool metrics_open; /* /metrics answers everybody */
    uint64_t audit_days;
    struct takc_reply_cache *replies; /* NULL: none are kept */
    struct takc_mcp_running *mcp_running;
    struct takc_hits *hits; /* NULL: none are counted */
    struct takc_work_settings work;
    struct takc_jobs *jobs; /* takc_work_open */
};
/* What a route asks of who comes: its row's may, but for what a setting has opened. 0: everybody, unasked. */
unsigned takc_api_needs(const struct takc_api *api, const struct takc_route *r);
/* The transport's callbacks for an api. */
struct takc_server_handlers takc_api_handlers(struct takc_api *api);

/* --- for handlers --- */
/* May the request name this task? Every handler asks before it uses a name. false: refused, the reply is there (400: no name of a task,
 * 403: another one's). */
bool takc_api_may_task(struct takc_exchange *x, const struct takc_asked *asked, struct takc_str task);
/* Replies with v (taken; NULL: no memory). */
void takc_api_json(struct takc_exchange *x, int status, json_t *v);
/* Replies with a failure in the guide's error body. */
void takc_api_fail(struct takc_exchange *x, enum takc_status st, enum takc_error_about about, const struct takc_err *err);
/* Logs what failed inside, as an error; BUSY as a warning, CANCELLED as info. err: NULL is welcome. */
void takc_api_log_failure(const struct takc_exchange *x, enum takc_status st, const struct takc_err *err);
/* Replies with a refusal: status, a word for programs, a message for people; takes details (NULL: none, or what the message says: of
 * INVALID one that begins with a pointer, "/factor: ...", has that place in the details). 429 and 503 get Retry-After where they have none:
 * an hour with the word COST, else a second. */
void takc_api_refuse(struct takc_exchange *x, int status, const char *code, struct takc_str message, json_t *details);
/* The same where the status says all that a program wants to know. */
void takc_api_reject(struct takc_exchange *x, int status, const char *why);
/* The same for what does not fit: 400, details {"pointer", "expected"}. */
void takc_api_unfit(struct takc_exchange *x, const struct takc_schema_miss *miss);
/* What clients are told of a failure: takc_error_told, but never where the home is, and requests where it names commands. Lives as long as
 * room. */
struct takc_str takc_api_told(const struct takc_api *api, enum takc_status st, const struct takc_err *err, char room[TAKC_TOLD_BYTES]);
/* The error body of a refusal. NULL: no memory. Returns owned. */
json_t *takc_api_refusal(const struct takc_exchange *x, const char *code, struct takc_str message);
/* HTTP status of a failure that is no model's. */
int takc_api_status(enum takc_status st);
/* The error body of a failure, as it would be sent. NULL: no memory. Returns owned. */
json_t *takc_api_error(const struct takc_exchange *x, enum takc_status st, enum takc_error_about about, const struct takc_err *err);

/* --- questions: on_query.c --- */
enum { TAKC_GLOBS_MAX = 64, TAKC_TURNS_MAX = 64, TAKC_EXAMPLES_MAX = 8 };
struct takc_question_lists {
    struct takc_str globs[TAKC_GLOBS_MAX], questions[TAKC_TURNS_MAX], answers[TAKC_TURNS_MAX];
    struct takc_query_example examples[TAKC_EXAMPLES_MAX];
};
struct takc_question { /* what a request asks; init by zeroing, clear it */
    struct takc_query_options o;
    struct takc_question_lists *lists; /* what o points to; NULL: none */
    struct takc_model_settings model;
    struct takc_profile profile;
    struct { /* of a stream: what is known before its model speaks */
        enum takc_mode mode;
        char rate[24], version[32];
        bool told; /* the headers are there already */
    } chosen;
};
/* Makes q's lists, unless it has them. NOMEM. */
TAKC_CHECK enum takc_status takc_question_lists(struct takc_question *q, struct takc_err *err);
/* What the server's settings say of every question. */
void takc_question_defaults(const struct takc_api *api, struct takc_question *q);
/* The fields of a body of POST /query, which fits its schema; q borrows from it. INVALID: two of them contradict each other. */
TAKC_CHECK enum takc_status takc_question_of_body(const struct takc_api *api, const json_t *body, struct takc_question *q,
                                                  struct takc_err *err);
/* Who answers: model, else the task's, else the server's; "none" is nobody. q->o.task is known. */
TAKC_CHECK enum takc_status takc_question_model(const struct takc_asked *asked, struct takc_str model, struct takc_question *q,
                                                struct takc_err *err);
/* The answer goes to delta as it comes; q stays where it is until then. */
void takc_question_streams(struct takc_question *q, takc_query_delta_fn *delta, void *arg);
/* Headers of a stream that begins before there is a result: rate, mode, version, cache. None where those of a result are there. */
void takc_question_chosen_headers(struct takc_exchange *x, const struct takc_question *q);
/* Headers that tell what a model cost, and takc took: of one that failed, too. */
void takc_question_spent_headers(struct takc_exchange *x, const struct takc_query_result *r);
/* Headers that tell of a result. */
void takc_question_headers(struct takc_exchange *x, const struct takc_query_result *r);
/* takc_query, with models that stay open between questions. call: the exchange's, or one below it. */
TAKC_CHECK enum takc_status takc_question_answer(const struct takc_asked *asked, struct takc_call *call, struct takc_question *q,
                                                 struct takc_query_result *out, struct takc_err *err);
/* Frees what q owns; a zeroed one is fine. */
void takc_question_clear(struct takc_question *q);
struct takc_refusal { /* what a failed question comes to, for who asked */
    int status;
    const char *code;
    struct takc_str message; /* lives as long as the err it was made of */
    unsigned retry_s;        /* 0: nothing is said */
};
/* named: the request named the model itself, so that one that is not there is its own mistake. A model's failure is told by what it means,
 * never in its service's words: those go to the log. r as takc_query left it. err has the words for clients afterwards. */
struct takc_refusal takc_question_refusal(const struct takc_exchange *x, bool named, enum takc_status st, const struct takc_query_result *r,
                                          struct takc_err *err);
/* Says when to come again, where that is known. */
void takc_question_retry(struct takc_exchange *x, const struct takc_refusal *f);
/* Replies with it. */
void takc_question_fail(struct takc_exchange *x, const struct takc_refusal *f);
/* The error body alone, for a stream that was begun. NULL: no memory. Returns owned. */
json_t *takc_question_error(const struct takc_exchange *x, const struct takc_refusal *f);
/* Posts one server-sent event to a stream that was begun; takes data. name NULL: none. */
TAKC_CHECK enum takc_status takc_api_event(struct takc_exchange *x, const char *name, json_t *data, struct takc_err *err);

/* --- handlers: on_*.c --- */
takc_route_fn takc_on_query, takc_on_query_batch, takc_on_cache, takc_on_cache_rate, takc_on_cache_delete, takc_on_rollback, takc_on_tasks,
    takc_on_task, takc_on_put_task, takc_on_delete_task, takc_on_documents, takc_on_forget, takc_on_text, takc_on_chat, takc_on_models,
    takc_on_health, takc_on_live, takc_on_ready, takc_on_openapi, takc_on_metrics, takc_on_compress, takc_on_compress_status, takc_on_jobs,
    takc_on_job, takc_on_job_events, takc_on_cancel, takc_on_process, takc_on_model, takc_on_mcp;
takc_wording_fn takc_openai_error, takc_mcp_refusal; /* as OpenAI's clients, as JSON-RPC have it */

#endif
