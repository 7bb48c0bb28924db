/* SPDX-License-Identifier: Apache-2.0
 *
 * api.c - from a request to a route and back: finding it, checking what is asked, replies and failures in the guide's words, the headers
 * that every reply has. */
#include "http/limits.h"
#include "http/observe.h"
#include "http/on_cache.h"

#include "base/clock.h"
#include "base/log.h"
#include "http/admit.h"
#include "http/upload.h"

#include <stdio.h>

enum { BODY_MAX = 1 << 20 };

/* ---- replies ---- */

/* NULL: none was found, or it was not looked for. */
static const struct takc_route *route_of(const struct takc_exchange *x)
{
    const struct takc_asked *asked = x->about;
    return asked ? asked->route : NULL;
}

/* Who is told to come again is told when. */
static void say_when(struct takc_exchange *x, int status)
{
    bool said = status != 503 && status != 429;
    for (size_t i = 0; i < x->n_out; i++)
        said |= takc_str_is(x->out[i].name, "Retry-After");
    if (!said)
        takc_exchange_header(x, "Retry-After", takc_str("1"));
}

/* Where there is no memory for JSON. */
static void say_no_memory(struct takc_exchange *x)
{
    static const char body[] =
        "{\"error\":{\"code\":\"BUSY\",\"message\":\"no memory for the reply\",\"details\":{}},\"request_id\":\"%s\"}";
    x->status = 503;
    takc_buf_reset(&x->reply);
    say_when(x, x->status);
    (void)!takc_buf_printf(&x->reply, NULL, body, x->request_id);
}

void takc_api_json(struct takc_exchange *x, int status, json_t *v)
{
    x->status = status;
    takc_exchange_drop_kept(x);
    takc_buf_reset(&x->reply);
    say_when(x, status);
    if (!v || takc_json_dump(v, false, &x->reply, NULL))
        say_no_memory(x);
    json_decref(v);
    (void)!takc_buf_byte(&x->reply, '\n', NULL);
}

/* "/factor: 32 contradicts ..." says where. NULL: the message does not, or no memory. */
static json_t *place_of(const char *code, struct takc_str message)
{
    size_t end = takc_str_find(message, takc_str(": "), 0), to = message.len;
    if (strcmp(code, "INVALID") != 0 || !takc_str_starts(message, takc_str("/")) || end == SIZE_MAX)
        return NULL;
    for (size_t i = 0; i < 2; i++)
        if (takc_str_ends(message, takc_str(i ? " is expected" : " are expected")) && to > end + 15)
            to -= i ? 12 : 13;
    return json_pack("{so so}", "pointer", takc_json_str(takc_str_slice(message, 0, end)), "expected",
                     takc_json_str(takc_str_slice(message, end + 2, to)));
}

/* Takes details. */
static json_t *error_body(const struct takc_exchange *x, const char *code, struct takc_str message, json_t *details)
{
    if (!details)
        details = place_of(code, message);
    const struct takc_clock *clock = takc_clock_system();
    const struct takc_error_body e = {code, message, x->request_id, clock->wall_s(clock), details};
    const struct takc_route *r = route_of(x);
    takc_wording_fn *wording = r ? r->wording : takc_route_wording(x->path);
    json_t *v = wording ? wording(code, message, takc_json_get_str(details, "pointer")) : takc_error_json(&e);
    json_decref(details);
    return v;
}

struct takc_str takc_api_told(const struct takc_api *api, enum takc_status st, const struct takc_err *err, char room[TAKC_TOLD_BYTES])
{
    struct takc_str text = takc_error_told(st, err), home = takc_str(takc_home_path(api->home));
    takc_hint_over_http(takc_str_find(text, home, 0) == SIZE_MAX ? text : takc_str(takc_status_text(st)), room);
    return takc_str(room);
}

json_t *takc_api_error(const struct takc_exchange *x, enum takc_status st, enum takc_error_about about, const struct takc_err *err)
{
    const struct takc_asked *asked = x->about;
    char room[TAKC_TOLD_BYTES];
    return error_body(x, takc_error_code(st, about), asked ? takc_api_told(asked->api, st, err, room) : takc_error_told(st, err), NULL);
}

json_t *takc_api_refusal(const struct takc_exchange *x, const char *code, struct takc_str message)
{
    return error_body(x, code, message, NULL);
}

/* A model that will not have us is a service that fails, not a client without rights: those are refused before a handler runs. */
int takc_api_status(enum takc_status st)
{
    return st == TAKC_DENIED ? 502 : st == TAKC_CANCELLED ? 503 : takc_status_http(st);
}

void takc_api_refuse(struct takc_exchange *x, int status, const char *code, struct takc_str message, json_t *details)
{
    if (strcmp(code, "COST") == 0) /* a cap is of a month, or of this process: nobody knows when it is raised */
        takc_exchange_header(x, "Retry-After", takc_str("3600"));
    takc_api_json(x, status, error_body(x, code, message, details));
}

void takc_api_log_failure(const struct takc_exchange *x, enum takc_status st, const struct takc_err *err)
{
    const char *why = err ? err->msg : "";
    if (st == TAKC_CANCELLED) /* its client has gone, or the server ends: nothing is broken */
        takc_log_for(&x->call, INFO, "http", "%.*s: %s: %s", TAKC_STR_ARG(x->path), takc_status_name(st), why);
    else if (st == TAKC_BUSY) /* it may come again */
        takc_log_for(&x->call, WARN, "http", "%.*s: %s: %s", TAKC_STR_ARG(x->path), takc_status_name(st), why);
    else
        takc_log_for(&x->call, ERROR, "http", "%.*s: %s: %s", TAKC_STR_ARG(x->path), takc_status_name(st), why);
}

void takc_api_fail(struct takc_exchange *x, enum takc_status st, enum takc_error_about about, const struct takc_err *err)
{
    int http = takc_api_status(st);
    if (http >= 500)
        takc_api_log_failure(x, st, err);
    takc_api_json(x, http, takc_api_error(x, st, about, err));
}

bool takc_api_may_task(struct takc_exchange *x, const struct takc_asked *asked, struct takc_str task)
{
    struct takc_err err = {0};
    enum takc_status st = takc_task_name_check(task, &err);
    if (st) {
        takc_api_fail(x, st, TAKC_ABOUT_TASK_NAME, &err);
        return false;
    }
    if (takc_may_task(&asked->who, task))
        return true;
    takc_api_refuse(x, 403, "FORBIDDEN", takc_str("this credential may not use that task"), NULL);
    return false;
}

void takc_api_unfit(struct takc_exchange *x, const struct takc_schema_miss *miss)
{
    char text[460];
    (void)snprintf(text, sizeof(text), "%s: %s%s", miss->pointer[0] ? miss->pointer : "the body", miss->expected,
                   strncmp(miss->expected, "no such", 7) == 0 ? "" : " is expected");
    bool name = strcmp(miss->pointer, "/task_type") == 0; /* the guide has a word for it */
    takc_api_json(x, 400,
                  error_body(x, takc_error_code(TAKC_INVALID, name ? TAKC_ABOUT_TASK_NAME : TAKC_ABOUT_UNSET), takc_str(text),
                             json_pack("{ss ss}", "pointer", miss->pointer, "expected", miss->expected)));
}

static void refuse(void *arg, struct takc_exchange *x, int status, const char *why)
{
    static const struct {
        int status;
        const char *code;
    } codes[] = {{401, "AUTHENTICATION_FAILED"},
                 {403, "FORBIDDEN"},
                 {404, "NOT_FOUND"},
                 {405, "METHOD_NOT_ALLOWED"},
                 {408, "TIMEOUT"},
                 {411, "LENGTH_REQUIRED"},
                 {413, "TOO_LARGE"},
                 {414, "TOO_LARGE"},
                 {415, "UNSUPPORTED"},
                 {422, "UNSUPPORTED"},
                 {431, "TOO_LARGE"},
                 {500, "INTERNAL_ERROR"},
                 {501, "UNSUPPORTED"},
                 {503, "BUSY"},
                 {505, "UNSUPPORTED"},
                 {507, "FULL"}};
    const char *code = "INVALID";
    (void)arg;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i].status == status)
            code = codes[i].code;
    takc_api_refuse(x, status, code, takc_str(why), NULL);
}

void takc_api_reject(struct takc_exchange *x, int status, const char *why)
{
    refuse(NULL, x, status, why);
}

/* ---- a request ---- */

unsigned takc_api_needs(const struct takc_api *api, const struct takc_route *r)
{
    return r->run == takc_on_metrics && api->metrics_open ? 0 : r->may;
}

static const char *no_path(struct takc_str path)
{
    return takc_str_find(path, takc_str("/documents/"), 0) == SIZE_MAX
               ? "there is no such path; GET /openapi.json lists them, and none ends with '/'"
               : "there is no such path; a document's name is one segment of it, in which '/' is %2F";
}

static void begin(void *arg, struct takc_exchange *x)
{
    char allow[64];
    bool nomem = false;
    takc_limits_peer(arg, x);
    takc_observe_begin(arg, x);
    if (!takc_admit_head(arg, x))
        return;
    struct takc_asked *asked = takc_arena_alloc(&x->arena, sizeof(*asked));
    const struct takc_route *r = asked ? takc_route_find(x->method, x->path, &x->arena, asked, allow, &nomem) : NULL;
    if (!asked || nomem) {
        refuse(arg, x, 503, "no memory for a request");
        return;
    }
    if (!r && allow[0] && takc_limits_preflight(arg, x, allow))
        return;
    if (!r) {
        takc_exchange_header(x, "Allow", takc_str(allow));
        refuse(arg, x, allow[0] ? 405 : 404,
               allow[0] ? "this path does not take that method; Allow says which it takes" : no_path(x->path));
        return;
    }
    x->about = asked;
    asked->api = arg;
    takc_admit_begin(x, asked);
    if (!takc_limits_begin(x, asked) || !takc_limits_come(x, asked) || (!x->admits && !takc_limits_admit(x, asked)))
        return;
    x->quick = r->quick || (asked->home && takc_on_cache_rate_kept(x, asked));
    x->ahead = r->ahead;
    x->body_max = !r->body ? 65536 : r->body_max ? r->body_max : BODY_MAX;
    if (r->streams_body)
        asked->upload = takc_upload_begin(x, takc_home_path(asked->api->home), asked->api->work.upload_max_bytes);
}

static void admit(void *arg, struct takc_exchange *x)
{
    struct takc_asked *asked = x->about;
    (void)arg;
    /* Nobody's quota is charged before it is known whose request it is. */
    if (takc_admit(x, asked) && (asked->who.body_proves || takc_limits_admit(x, asked)))
        x->quick |= takc_on_cache_rate_kept(x, asked);
}

static bool is_json(struct takc_str type)
{
    struct takc_str rest = type, first = {0};
    return !takc_str_split(&rest, ';', &first) || !first.len || takc_str_eq_nocase(takc_str_trim(first), takc_str("application/json"));
}

/* There is no body where one has to be: it has no length, or none of what is required. */
static void refuse_empty(struct takc_exchange *x, const struct takc_schema_miss *miss)
{
    if (takc_exchange_asked(x, "content-length").len || takc_exchange_asked(x, "transfer-encoding").len)
        takc_api_unfit(x, miss);
    else
        refuse(NULL, x, 411, "a body is expected, with Content-Length or in chunks");
}

/* Bodies of JSON, checked; none is as good as {} where nothing is required. false: refused. */
static bool read_body(struct takc_exchange *x, struct takc_asked *asked)
{
    struct takc_schema_miss miss;
    struct takc_err err;
    if (!asked->route->body || asked->upload)
        return true;
    if (!x->body.len && takc_schema_check(asked->route->body, asked->body = json_object(), &miss))
        return true;
    json_decref(asked->body);
    asked->body = NULL;
    if (!is_json(takc_exchange_asked(x, "content-type"))) {
        refuse(NULL, x, 415,
               asked->route->streams_body ? "a body of application/json or multipart/form-data is expected"
                                          : "a body of application/json is expected");
        return false;
    }
    if (!x->body.len) {
        refuse_empty(x, &miss);
        return false;
    }
    enum takc_status st = takc_json_parse(takc_buf_str(&x->body), &asked->body, &err);
    if (st) {
        (void)takc_err_prefix(&err, st, "the body is no JSON");
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
        return false;
    }
    if (takc_schema_check(asked->route->body, asked->body, &miss)) {
        takc_schema_drop_nulls(asked->route->body, asked->body);
        return true;
    }
    takc_api_unfit(x, &miss);
    return false;
}

static bool read_query(struct takc_exchange *x, struct takc_asked *asked)
{
    static const struct takc_schema none = {.type = TAKC_TYPE_OBJECT};
    struct takc_schema_miss miss;
    bool nomem;
    struct takc_str query = takc_admit_query(x, asked, &nomem);
    if (!nomem && takc_schema_query(asked->route->query ? asked->route->query : &none, query, &asked->query, &miss, &nomem))
        return true;
    if (nomem)
        refuse(NULL, x, 503, "no memory for a request");
    else
        takc_api_unfit(x, &miss);
    return false;
}

static void handle(void *arg, struct takc_exchange *x)
{
    struct takc_asked *asked = x->about;
    asked->handled = true;
    bool admitted = takc_admit_body(x, asked) && (!asked->who.body_proves || takc_limits_admit(x, asked));
    bool runs = admitted && read_query(x, asked) && read_body(x, asked) && takc_limits_write(x, asked);
    if (runs) {
        takc_trace_enter(x, x->noted.model_id);
        asked->route->run(x, asked);
    }
    takc_limits_written(x, asked);
    if (runs)
        takc_observe_written(arg, x);
    json_decref(asked->query);
    json_decref(asked->body);
    asked->query = asked->body = NULL;
    takc_admit_end(asked);
}

/* ---- every reply ---- */

static void headers(void *arg, struct takc_exchange *x)
{
    takc_limits_headers(arg, x);
    takc_exchange_header(x, "X-Request-ID", takc_str(x->request_id));
    takc_exchange_header(x, "X-Content-Type-Options", takc_str("nosniff"));
    takc_exchange_header(x, "X-Frame-Options", takc_str("DENY"));
    takc_exchange_header(x, "Referrer-Policy", takc_str("no-referrer"));
    takc_exchange_header(x, "Content-Security-Policy", takc_str("default-src 'none'; frame-ancestors 'none'"));
    if (x->tls)
        takc_exchange_header(x, "Strict-Transport-Security", takc_str("max-age=31536000"));
    for (size_t i = 0; i < x->n_out; i++)
        if (takc_str_is(x->out[i].name, "Cache-Control"))
            return;
    takc_exchange_header(x, "Cache-Control", takc_str("no-store"));
}

static void ended(void *arg, const struct takc_exchange *x, bool whole)
{
    struct takc_asked *asked = x->about;
    takc_observe_ended(arg, x, whole);
    if (asked && !asked->handled) /* its client has gone, or it was refused: no handler will end it */
        takc_admit_end(asked);
    takc_limits_ended(x);
    if (asked)
        takc_upload_end(asked->upload);
}

struct takc_server_handlers takc_api_handlers(struct takc_api *api)
{
    return (struct takc_server_handlers){
        .begin = begin, .admit = admit, .handle = handle, .refuse = refuse, .headers = headers, .ended = ended, .arg = api};
}
