/* SPDX-License-Identifier: Apache-2.0
 *
 * on_jobs.c - jobs as clients see them: queued with a reply at once or after a wait, GET /jobs, GET and DELETE /jobs/{job},
 * GET /compress/status/{job}, GET /jobs/{job}/events. A job is its tenant's: another's is not there. */
#include "http/api.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PAGE = 50,
    MARGIN_MS = 500, /* between the end of a wait and the end of the request's time */
    LOOK_MS = 1000
};

/* ---- a job as JSON ---- */

static json_t *result_of(const struct takc_job_row *job)
{
    json_t *v = NULL;
    return job->result.len && !takc_json_parse(job->result, &v, NULL) ? v : json_null();
}

/* The guide's fields and ours; whole: with the result. */
static json_t *job_json(const struct takc_job_row *job, bool whole)
{
    json_t *v =
        json_pack("{so ss so so sI so sI so so so}", "job_id", takc_json_str(job->id), "status", takc_job_state_name(job->state), "kind",
                  takc_json_str(job->kind), "task_type", takc_json_str(job->task), "progress", (json_int_t)job->progress, "stage",
                  takc_json_str(job->stage), "attempts", (json_int_t)job->attempts, "created_at", takc_json_time(job->created_s),
                  "started_at", takc_json_time(job->started_s), "completed_at", takc_json_time(job->ended_s));
    if (!v || !whole)
        return v;
    json_t *result = result_of(job), *error = json_incref(json_object_get(result, "error"));
    if (json_is_object(result)) {
        (void)json_object_del(result, "error");
        (void)json_object_del(result, "http");
    }
    bool good = json_object_set_new(v, "results", result) == 0 && (!error || json_object_set_new(v, "error", error) == 0);
    if (good)
        return v;
    json_decref(v);
    return NULL;
}

/* ---- queueing ---- */

uint64_t takc_work_wait_ms(struct takc_exchange *x, bool always)
{
    struct takc_str rest = takc_exchange_asked(x, "prefer"), one;
    uint64_t s = 0, left = takc_call_left_ms(&x->call, UINT64_C(3600000)), most = left > MARGIN_MS ? left - MARGIN_MS : 0;
    if (always)
        return most;
    while (rest.ptr && takc_str_split(&rest, ',', &one)) {
        one = takc_str_trim(one);
        if (takc_str_starts(one, takc_str("wait=")) && !takc_str_u64(takc_str_slice(one, 5, one.len), 3600, &s, NULL))
            return s * 1000 < most ? s * 1000 : most;
    }
    return 0;
}

static void say_queued(struct takc_exchange *x, const struct takc_job_row *job)
{
    char location[96];
    bool compresses = takc_str_is(job->kind, TAKC_KIND_COMPRESS);
    (void)snprintf(location, sizeof(location), "%s%s/%.*s", takc_str_starts(x->path, takc_str("/v1/")) ? "/v1" : "",
                   compresses ? "/compress/status" : "/jobs", TAKC_STR_ARG(job->id));
    takc_exchange_header(x, "Location", takc_str(location));
    takc_exchange_header(x, "Retry-After", takc_str("1"));
    takc_api_json(x, 202, job_json(job, false));
}

/* The result's members beside the guide's. */
static void say_done(struct takc_exchange *x, const struct takc_job_row *job, json_t *result)
{
    json_t *v = json_pack("{ss so so so}", "status", takc_job_state_name(job->state), "job_id", takc_json_str(job->id), "kind",
                          takc_json_str(job->kind), "task_type", takc_json_str(job->task));
    if (v && json_object_update(v, result)) {
        json_decref(v);
        v = NULL;
    }
    takc_api_json(x, 200, v);
}

static void say_failed(struct takc_exchange *x, const struct takc_job_row *job, json_t *result)
{
    const json_t *error = json_object_get(result, "error");
    struct takc_str code = takc_json_get_str(error, "code"), message = takc_json_get_str(error, "message");
    int http = (int)json_integer_value(json_object_get(result, "http"));
    json_t *details = json_pack("{so}", "job_id", takc_json_str(job->id)), *documents = json_object_get(result, "documents");
    if (details && documents)
        (void)json_object_set(details, "documents", documents);
    takc_api_refuse(x, http >= 400 ? http : 500, code.len ? code.ptr : "INTERNAL_ERROR", message.len ? message : takc_str("the job failed"),
                    details);
}

static void say_ended(struct takc_exchange *x, const struct takc_job_row *job)
{
    json_t *result = result_of(job);
    if (job->state == TAKC_JOB_DONE)
        say_done(x, job, result);
    else if (job->state == TAKC_JOB_FAILED)
        say_failed(x, job, result);
    else
        takc_api_refuse(x, 409, "CANCELLED", takc_str("the job was cancelled"), json_pack("{so}", "job_id", takc_json_str(job->id)));
    json_decref(result);
}

bool takc_work_submit(struct takc_exchange *x, const struct takc_asked *asked, const char *kind, struct takc_str task, const char *id,
                      json_t *request, uint64_t wait_ms)
{
    struct takc_err err = {0};
    struct takc_buf text;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = request ? takc_trace_job_keep(x, request, &err) : takc_fail(&err, TAKC_NOMEM, 0, "no memory for a job");
    if (!st)
        st = takc_json_dump(request, false, &text, &err);
    struct takc_job_row job = {.id = takc_str(id),
                               .tenant = asked->who.tenant,
                               .kind = takc_str(kind),
                               .task = task,
                               .subject = asked->who.subject,
                               .request = takc_buf_str(&text)};
    struct takc_jobs *jobs = asked->api->jobs;
    if (!st)
        st = takc_jobs_add(jobs, &job, &err);
    bool queued = !st;
    if (queued)
        st = takc_jobs_wait(jobs, job.tenant, job.id, &x->call, wait_ms, &x->arena, &job, &err);
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
    else if (takc_job_ended(job.state) && wait_ms)
        say_ended(x, &job);
    else
        say_queued(x, &job);
    takc_buf_clear(&text);
    json_decref(request);
    return queued;
}

/* ---- reading ---- */

/* The job of the path, if it is the asker's; false: the reply says why not. */
static bool find(struct takc_exchange *x, const struct takc_asked *asked, struct takc_job_row *out)
{
    struct takc_err err = {0};
    enum takc_status st = takc_jobs_get(asked->api->jobs, asked->who.tenant, asked->params[0], &x->arena, out, &err);
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
    return !st && takc_api_may_task(x, asked, out->task);
}

void takc_on_job(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_job_row job;
    if (find(x, asked, &job))
        takc_api_json(x, 200, job_json(&job, true));
}

void takc_on_compress_status(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    struct takc_job_row job;
    if (!find(x, asked, &job))
        return;
    if (takc_str_is(job.kind, TAKC_KIND_COMPRESS)) {
        takc_api_json(x, 200, job_json(&job, true));
        return;
    }
    enum takc_status st = takc_fail(&err, TAKC_NOT_FOUND, 0, "job %.*s is none of /compress: GET /jobs/{job}", TAKC_STR_ARG(job.id));
    takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
}

/* A page may be shorter than asked for: jobs of tasks that the asker may not name are left out. */
void takc_on_jobs(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    struct takc_job_row *rows = NULL;
    const json_t *limit = json_object_get(asked->query, "limit");
    size_t n = 0, max = limit ? (size_t)json_integer_value(limit) : PAGE;
    const struct takc_job_filter f = {.tenant = asked->who.tenant,
                                      .task = takc_json_get_str(asked->query, "task_type"),
                                      .state = takc_job_state_of(takc_json_get_str(asked->query, "status")),
                                      .before_id = takc_json_get_str(asked->query, "after"),
                                      .max = max + 1};
    json_t *list = json_array();
    bool good = list != NULL;
    enum takc_status st = takc_jobs_list(asked->api->jobs, &f, &x->arena, &rows, &n, &err);
    for (size_t i = 0; i < n && i < max && good && !st; i++)
        good = !takc_may_task(&asked->who, rows[i].task) || json_array_append_new(list, job_json(&rows[i], false)) == 0;
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
    else
        takc_api_json(x, 200,
                      good ? json_pack("{sO so}", "jobs", list, "next", n > max ? takc_json_str(rows[max - 1].id) : json_null()) : NULL);
    json_decref(list);
}

void takc_on_cancel(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    struct takc_job_row job;
    if (!find(x, asked, &job))
        return;
    enum takc_status st = takc_jobs_cancel(asked->api->jobs, asked->who.tenant, asked->params[0], &err);
    if (!st)
        st = takc_jobs_get(asked->api->jobs, asked->who.tenant, asked->params[0], &x->arena, &job, &err);
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
    else
        takc_api_json(x, 200, job_json(&job, true));
}

/* ---- events ---- */

/* Events have no numbers: whoever comes back, with Last-Event-ID or without, is told the present state first, which is all there is. */
static enum takc_status send_event(struct takc_exchange *x, const char *name, json_t *data, struct takc_err *err)
{
    struct takc_buf b;
    takc_buf_init(&b, TAKC_BUF_MAX_REPLY);
    enum takc_status st = data ? takc_buf_printf(&b, err, "event: %s\ndata: ", name) : takc_fail(err, TAKC_NOMEM, 0, "no memory");
    if (!st)
        st = takc_json_dump(data, false, &b, err);
    if (!st)
        st = takc_buf_add(&b, takc_str("\n\n"), err);
    if (!st)
        st = takc_exchange_send(x, takc_buf_str(&b), err);
    json_decref(data);
    takc_buf_clear(&b);
    return st;
}

struct seen { /* what the client was told last */
    enum takc_job_state state;
    unsigned progress;
    char stage[32];
};

static bool is_news(const struct seen *s, const struct takc_job_row *job)
{
    return s->state != job->state || s->progress != job->progress || !takc_str_is(job->stage, s->stage);
}

/* Tells what is new; *out_ended: it was the last. */
static enum takc_status tell(struct takc_exchange *x, const struct takc_asked *asked, struct seen *s, bool *out_ended, struct takc_err *err)
{
    struct takc_arena a;
    struct takc_job_row job;
    takc_arena_init(&a);
    enum takc_status st = takc_jobs_get(asked->api->jobs, asked->who.tenant, asked->params[0], &a, &job, err);
    *out_ended = !st && takc_job_ended(job.state);
    if (!st && !*out_ended && is_news(s, &job)) {
        st = send_event(x, "progress", job_json(&job, false), err);
        *s = (struct seen){.state = job.state, .progress = job.progress};
        (void)snprintf(s->stage, sizeof(s->stage), "%.*s", TAKC_STR_ARG(job.stage));
    }
    if (!st && *out_ended)
        st = send_event(x, takc_job_state_name(job.state), job_json(&job, true), err);
    if (*out_ended && !st)
        st = takc_exchange_send(x, takc_str("data: [DONE]\n\n"), err);
    takc_arena_clear(&a);
    return st;
}

static void follow(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    struct seen s = {.state = TAKC_JOB_UNSET};
    bool ended = false, goes_on = true;
    enum takc_status st = TAKC_OK;
    while (!st && !ended && goes_on) {
        uint64_t changes = takc_jobs_changes(asked->api->jobs);
        st = tell(x, asked, &s, &ended, &err);
        if (!st && !ended)
            goes_on = takc_jobs_wait_change(asked->api->jobs, changes, LOOK_MS);
        if (!st && !ended)
            st = takc_call_check(&x->call, &err);
    }
}

/* Ends with the job, with the request's time, or with the server; the client may come again. */
void takc_on_job_events(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    struct takc_job_row job;
    if (!find(x, asked, &job))
        return;
    enum takc_status st = takc_exchange_stream(x, 200, "text/event-stream", &err);
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
    else
        follow(x, asked);
}
