/* SPDX-License-Identifier: Apache-2.0
 *
 * work.c - opening the server's jobs, and what they do: a job's request is read, its work done by the library as the program's verbs do
 * it, its result written as JSON, good or bad. */
#include "http/work.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/examples.h"
#include "http/from_s3.h"
#include "http/limits.h"
#include "http/observe.h"
#include "http/staging.h"
#include "http/tenants.h"
#include "takc/compress.h"
#include "takc/ingest.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { LOCK_WAIT_MS = 500, LISTED_MAX = 1000 /* documents told one by one */ };

/* ---- places of documents ---- */

static bool is_below(const char *path, struct takc_str folder)
{
    char name[PATH_MAX], real[PATH_MAX];
    if (folder.len == 0 || folder.len >= sizeof(name) || takc_is_s3(folder))
        return false;
    (void)snprintf(name, sizeof(name), "%.*s", TAKC_STR_ARG(folder));
    if (!realpath(name, real))
        return false;
    size_t n = strlen(real);
    return strncmp(path, real, n) == 0 && (path[n] == '/' || path[n] == '\0' || real[n - 1] == '/');
}

/* The same for a place that is not there and one that is not allowed, of any kind. */
static enum takc_status no_such_place(struct takc_err *err)
{
    return takc_fail(err, TAKC_REFUSED, 0, "no such place below a folder that the setting serve.sources names");
}

enum takc_status takc_work_source(const struct takc_work_settings *s, struct takc_str location, char *out, struct takc_err *err)
{
    char asked[PATH_MAX];
    struct takc_str rest = s->sources, folder;
    if (takc_is_s3(location))
        return takc_from_s3_place(s->sources, location, out) ? TAKC_OK : no_such_place(err);
    if (takc_str_starts(location, takc_str("file://")))
        location = takc_str_slice(location, 7, location.len);
    else if (takc_str_find(location, takc_str("://"), 0) != SIZE_MAX)
        return takc_fail(err, TAKC_UNSUPPORTED, 0,
                         "the server reads documents from files and S3, not from %.*s; upload them, or fetch them "
                         "into a folder that serve.sources names",
                         (int)takc_str_find(location, takc_str(":"), 0), location.ptr);
    bool good = location.len > 0 && location.ptr[0] == '/' && location.len < sizeof(asked) && !memchr(location.ptr, 0, location.len);
    if (good) {
        (void)snprintf(asked, sizeof(asked), "%.*s", TAKC_STR_ARG(location));
        good = realpath(asked, out) != NULL;
    }
    while (good && takc_str_split(&rest, ',', &folder))
        if (is_below(out, takc_str_trim(folder)))
            return TAKC_OK;
    return no_such_place(err);
}

enum takc_status takc_work_check_sources(struct takc_str sources, struct takc_err *err)
{
    struct takc_str folder;
    char name[PATH_MAX];
    struct stat info;
    while (takc_str_split(&sources, ',', &folder)) {
        folder = takc_str_trim(folder);
        if (!folder.len)
            continue;
        if (takc_is_s3(folder)) {
            enum takc_status st = takc_from_s3_check(folder, err);
            if (st)
                return st;
            continue;
        }
        if (folder.ptr[0] != '/' || folder.len >= sizeof(name))
            return takc_fail(err, TAKC_INVALID, 0, "serve.sources: '%.*s' is no absolute path", TAKC_STR_ARG(folder));
        (void)snprintf(name, sizeof(name), "%.*s", TAKC_STR_ARG(folder));
        if (stat(name, &info))
            return takc_fail_errno(err, errno, "serve.sources: %s: make or mount the folder, or take it out of the list", name);
        if (!S_ISDIR(info.st_mode))
            return takc_fail(err, TAKC_INVALID, 0, "serve.sources: %s is no folder", name);
    }
    return TAKC_OK;
}

/* ---- compress ---- */

static void read_rates(const json_t *list, struct takc_compress_options *o, uint32_t rates[TAKC_LEDGER_ROWS])
{
    for (size_t i = 0; i < json_array_size(list) && o->n_rates < TAKC_LEDGER_ROWS; i++)
        if (!takc_rate_parse(takc_str(json_string_value(json_array_get(list, i))), &rates[o->n_rates], NULL))
            o->n_rates++;
    o->rates = rates;
}

static void read_examples(const json_t *list, struct takc_compress_options *o, struct takc_compress_example *examples)
{
    for (size_t i = 0; i < json_array_size(list) && o->n_examples < TAKC_PROFILE_EXAMPLES_MAX; i++) {
        const json_t *e = json_array_get(list, i);
        examples[o->n_examples++] = (struct takc_compress_example){takc_json_get_str(e, "input"), takc_json_get_str(e, "output")};
    }
    o->examples = examples;
}

static json_t *stats_json(const struct takc_ledger_entry *e)
{
    return json_pack("{sI sI sf sI sI sb sI}", "original_tokens", (json_int_t)e->source_tokens, "compressed_tokens",
                     (json_int_t)e->artifact_tokens, "compression_ratio", round(e->factor_tokens * 10) / 10, "budget_tokens",
                     (json_int_t)e->budget_tokens, "segments", (json_int_t)e->segments, "shortfall", (int)e->shortfall, "ms",
                     (json_int_t)e->ms);
}

static bool put(json_t *o, const char *name, json_t *v)
{
    return json_object_set_new(o, name, v) == 0;
}

static bool say_report(json_t *result, struct takc_str task, const struct takc_compress_report *r, uint64_t ms)
{
    json_t *keys = json_object(), *stats = json_object();
    bool good = keys && stats;
    for (size_t i = 0; i < r->n_rows && good; i++) {
        takc_rate rate = 0;
        good = !takc_rate_parse(takc_str(r->rows[i].rate), &rate, NULL) &&
               put(keys, r->rows[i].rate, json_string(takc_key_foreign_cache(task, rate).s)) &&
               put(stats, r->rows[i].rate, stats_json(&r->rows[i]));
    }
    return put(result, "cache_keys", keys) && put(result, "compression_stats", stats) && good &&
           put(result, "cache_keys_created", json_integer((json_int_t)r->n_rows)) && put(result, "version", json_string(r->version)) &&
           put(result, "changed", json_boolean(r->changed)) && put(result, "documents", json_integer((json_int_t)r->n_documents)) &&
           put(result, "source_tokens", json_integer((json_int_t)r->source_tokens)) &&
           put(result, "resumed", json_integer((json_int_t)r->n_resumed)) &&
           put(result, "cost_usd", r->unpriced ? json_null() : json_real((double)r->picodollars / 1e12)) &&
           put(result, "total_compression_time_ms", json_integer((json_int_t)ms));
}

/* Who writes: the request's model, the task's, the server's; "none" is nobody. */
static struct takc_str choose_model(const json_t *request, const struct takc_profile *p, const struct takc_api *api)
{
    struct takc_str name = takc_json_get_str(request, "model");
    if (!name.len)
        name = p->model.len ? p->model : api->model.model;
    return takc_str_is(name, "none") ? takc_str("") : name;
}

/* Where documents are to be read first. */
static enum takc_status ingest_first(const struct takc_api *api, struct takc_home *home, const struct takc_job_row *job,
                                     const json_t *request, struct takc_call *call, json_t *result, struct takc_err *err)
{
    struct takc_str source = takc_json_get_str(request, "source");
    struct takc_ingest_options o = {.task = takc_json_get_str(request, "task_type"), .wait_ms = LOCK_WAIT_MS};
    if (takc_is_s3(source))
        return takc_from_s3_ingest(api, home, job, source, &o, call, result, err);
    return source.len ? takc_work_ingest(api, home, source.ptr, &o, call, result, err) : TAKC_OK;
}

enum takc_status takc_work_compress(const struct takc_api *api, struct takc_home *home, const struct takc_job_row *job,
                                    const json_t *request, struct takc_job_run *run, json_t *result, struct takc_err *err)
{
    const struct takc_clock *clock = takc_clock_system();
    uint64_t began_ns = clock->mono_ns(clock);
    uint32_t rates[TAKC_LEDGER_ROWS];
    struct takc_compress_example examples[TAKC_PROFILE_EXAMPLES_MAX];
    struct takc_profile profile = {0};
    struct takc_model_settings model = api->model;
    struct takc_compress_report report = {.changed = false};
    struct takc_noted_answer *asked = &run->trace.answer;
    struct takc_compress_options o = {.task = job->task, .model = &model, .n_threads = api->work.n_threads, .wait_ms = LOCK_WAIT_MS};
    read_rates(json_object_get(request, "compression_rates"), &o, rates);
    json_t *shown = NULL;
    enum takc_status st = takc_examples_read(takc_home_path(api->home), job->id, request, &shown, err);
    read_examples(shown, &o, examples);
    if (!st)
        st = ingest_first(api, home, job, request, &run->call, result, err);
    if (!st)
        st = takc_home_profile(home, job->task, &profile, err);
    model.model = choose_model(request, &profile, api);
    if (!st)
        st = takc_compress(home, &run->call, &o, &report, err);
    takc_observe_compress(asked, model.model, &report);
    takc_limits_spend(api, &(struct takc_identity){.subject = job->subject, .tenant = job->tenant}, st ? 0 : asked->input + asked->output,
                      report.picodollars);
    if (!st && !say_report(result, job->task, &report, (clock->mono_ns(clock) - began_ns) / 1000000u))
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    takc_profile_clear(&profile);
    json_decref(shown);
    return st;
}

/* ---- documents ---- */

struct listing {
    json_t *items;
    uint64_t n, n_chunks;
    bool failed;
};

static const char *const outcomes[] = {"", "accepted", "changed", "unchanged", "skipped", "refused", "vanished", "forgotten"};

/* Why not, for clients: a root is a path of the machine. */
static const char *reason(const struct takc_ingest_item *i)
{
    if (i->outcome == TAKC_INGEST_REFUSED && i->status == TAKC_CONFLICT)
        return "a document of this name is there, from elsewhere, or twice in this request";
    return i->message && i->message[0] ? i->message : NULL;
}

static void on_item(void *arg, const struct takc_ingest_item *i)
{
    struct listing *l = arg;
    const char *why = reason(i);
    bool bad = i->outcome == TAKC_INGEST_REFUSED || i->outcome == TAKC_INGEST_SKIPPED;
    if (i->outcome == TAKC_INGEST_VANISHED)
        return;
    l->n_chunks += i->chunks;
    if (l->n++ >= LISTED_MAX && !bad)
        return;
    json_t *v = json_pack("{so ss}", "document", takc_json_str(i->name), "outcome", outcomes[i->outcome]);
    bool good = v != NULL;
    if (good && why)
        good = put(v, bad ? "reason" : "note", takc_json_str(takc_str(why)));
    if (good && !bad)
        good = put(v, "units", json_integer((json_int_t)i->units)) && put(v, "tokens", json_integer((json_int_t)i->tokens));
    l->failed |= !good || json_array_append_new(l->items, v) != 0;
}

static bool add_number(json_t *o, const char *name, uint64_t n)
{
    return put(o, name, json_integer(json_integer_value(json_object_get(o, name)) + (json_int_t)n));
}

static bool say_ingested(json_t *result, const struct listing *l, const struct takc_ingest_report *r)
{
    json_t *all = json_object_get(result, "documents");
    bool good = !l->failed && (all ? json_array_extend(all, l->items) == 0 : json_object_set(result, "documents", l->items) == 0);
    return good && add_number(result, "accepted", r->n_new + r->n_changed) && add_number(result, "unchanged", r->n_same) &&
           add_number(result, "skipped", r->n_skipped) && add_number(result, "refused", r->n_refused) &&
           add_number(result, "chunk_count", l->n_chunks) && add_number(result, "tokens", r->tokens);
}

enum takc_status takc_work_ingest(const struct takc_api *api, struct takc_home *home, const char *path,
                                  const struct takc_ingest_options *asked, struct takc_call *call, json_t *result, struct takc_err *err)
{
    const struct takc_work_settings *s = &api->work;
    struct takc_ingest_options o = *asked;
    struct takc_ingest_report r = {0};
    struct listing l = {.items = json_array()};
    o.max_file_bytes = s->max_file_bytes;
    o.max_text_bytes = s->max_text_bytes;
    o.timeout_ms = s->timeout_ms;
    o.pdf_mode = s->pdf_mode;
    o.n_threads = s->n_threads;
    o.each = on_item;
    o.each_arg = &l;
    enum takc_status st = l.items ? takc_ingest(home, call, &path, 1, &o, &r, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    if (!st && !say_ingested(result, &l, &r))
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    json_decref(l.items);
    return st;
}

static uint64_t number_of(const json_t *o, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(o, name));
}

/* Some documents were sent and none is in the task now: that is no success. */
static enum takc_status judge(const json_t *result, struct takc_err *err)
{
    if (number_of(result, "accepted") + number_of(result, "unchanged"))
        return TAKC_OK;
    const json_t *first = json_array_get(json_object_get(result, "documents"), 0);
    if (!first)
        return takc_fail(err, TAKC_REFUSED, 0, "there is no document in it");
    struct takc_str name = takc_json_get_str(first, "document"), why = takc_json_get_str(first, "reason");
    return takc_fail(err, TAKC_REFUSED, 0, "no document was taken: %.*s: %.*s", TAKC_STR_ARG(name), TAKC_STR_ARG(why));
}

/* One folder of what was uploaded: its documents share date and labels. */
static enum takc_status ingest_group(const struct takc_api *api, struct takc_home *home, const struct takc_job_row *job, size_t i,
                                     const json_t *group, struct takc_call *call, json_t *result, struct takc_err *err)
{
    const char *labels[TAKC_UPLOAD_LABELS_MAX];
    char path[PATH_MAX];
    const json_t *list = json_object_get(group, "labels");
    struct takc_str date = takc_json_get_str(group, "date");
    struct takc_ingest_options o = {
        .task = job->task, .root = TAKC_UPLOAD_ROOT, .date = date.len ? date.ptr : NULL, .labels = labels, .wait_ms = LOCK_WAIT_MS};
    for (size_t k = 0; k < json_array_size(list) && k < TAKC_UPLOAD_LABELS_MAX; k++)
        labels[o.n_labels++] = json_string_value(json_array_get(list, k));
    enum takc_status st = takc_staging_group(takc_home_path(api->home), job->id, (unsigned)i, path, err);
    return st ? st : takc_work_ingest(api, home, path, &o, call, result, err);
}

enum takc_status takc_work_process(const struct takc_api *api, struct takc_home *home, const struct takc_job_row *job,
                                   const json_t *request, struct takc_job_run *run, json_t *result, struct takc_err *err)
{
    const struct takc_clock *clock = takc_clock_system();
    uint64_t began_ns = clock->mono_ns(clock);
    char chunks[96];
    const json_t *groups = json_object_get(request, "groups");
    enum takc_status st = ingest_first(api, home, job, request, &run->call, result, err);
    for (size_t i = 0; i < json_array_size(groups) && !st; i++)
        st = ingest_group(api, home, job, i, json_array_get(groups, i), &run->call, result, err);
    if (!st)
        st = judge(result, err);
    (void)snprintf(chunks, sizeof(chunks), "%.*s/", TAKC_STR_ARG(job->task));
    if (!put(result, "chunks_location", json_string(chunks)) ||
        !put(result, "processing_time_ms", json_integer((json_int_t)((clock->mono_ns(clock) - began_ns) / 1000000u))))
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    return st;
}

/* ---- a job ---- */

/* As it goes to clients; result is emptied of nothing: what was done before it failed stands there, too, and so does a failure that was
 * put into a client's words where it happened. named: the request named the model, so that one that is not there is its own mistake, as for
 * POST /query. */
static void say_failure(const struct takc_api *api, json_t *result, enum takc_status st, enum takc_error_about about, bool named,
                        const struct takc_err *err)
{
    if (json_object_get(result, "error"))
        return;
    if (named && st == TAKC_NO_MODEL) {
        (void)!put(result, "error",
                   json_pack("{ss ss}", "code", "MODEL_NOT_FOUND", "message", "there is no such model, or the server has no access to it"));
        (void)!put(result, "http", json_integer(404));
        return;
    }
    char room[TAKC_TOLD_BYTES];
    int http = st == TAKC_DENIED ? 502 : st == TAKC_CANCELLED ? 409 : takc_status_http(st);
    (void)!put(result, "error",
               json_pack("{ss so}", "code", takc_error_code(st, about), "message", takc_json_str(takc_api_told(api, st, err, room))));
    (void)!put(result, "http", json_integer(http));
}

/* Jobs of tenants outlive the authorizer that let them in: one that was taken out since leaves them where they are. */
static enum takc_status open_home(const struct takc_api *api, struct takc_str tenant, struct takc_call *call, struct takc_home **out,
                                  struct takc_err *err)
{
    *out = api->home;
    if (!tenant.len)
        return TAKC_OK;
    return api->tenants ? takc_tenants_get(api->tenants, call, tenant, true, out, err)
                        : takc_fail(err, TAKC_REFUSED, 0, "the job is a tenant's, and the server has no authorizer now (serve.auth)");
}

static void close_home(const struct takc_api *api, struct takc_home *home)
{
    if (api->tenants)
        takc_tenants_put(api->tenants, home);
}

static enum takc_status run(void *arg, const struct takc_job_row *job, struct takc_job_run *r, struct takc_buf *out, struct takc_err *err)
{
    const struct takc_api *api = arg;
    struct takc_home *home = NULL;
    bool compresses = takc_str_is(job->kind, TAKC_KIND_COMPRESS);
    json_t *request = NULL, *result = json_object();
    enum takc_status st = result ? takc_json_parse(job->request, &request, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    takc_trace_job_begin(api->traces, api->trace_context, request, &r->call, &r->trace);
    if (!st)
        st = open_home(api, job->tenant, &r->call, &home, err);
    if (!st && !compresses && !takc_str_is(job->kind, TAKC_KIND_PROCESS))
        st = takc_fail(err, TAKC_UNSUPPORTED, 0, "this takc knows no job of kind %.*s", TAKC_STR_ARG(job->kind));
    if (!st)
        st = (compresses ? takc_work_compress : takc_work_process)(api, home, job, request, r, result, err);
    if (st && result)
        say_failure(api, result, st, compresses ? TAKC_ABOUT_COMPRESS : TAKC_ABOUT_UNSET, takc_json_get_str(request, "model").len > 0, err);
    if (result && takc_json_dump(result, false, out, NULL))
        takc_buf_reset(out);
    json_decref(request);
    json_decref(result);
    close_home(api, home);
    return st;
}

static void ended(void *arg, const struct takc_job_row *job)
{
    const struct takc_api *api = arg;
    takc_staging_drop_job(takc_home_path(api->home), job->id); /* an upload's, or what was fetched */
}

/* Uploads whose job has ended, or was never queued, are in nobody's hands. */
static void began(void *arg, struct takc_jobs *j)
{
    const struct takc_api *api = arg;
    takc_staging_sweep(takc_home_path(api->home), j);
}

void takc_work_sweep(const struct takc_api *api)
{
    takc_staging_sweep_jobs(takc_home_path(api->home), api->jobs, TAKC_STAGING_GRACE_S);
}

enum takc_status takc_work_open(struct takc_api *api, struct takc_err *err)
{
    struct takc_queue *queue = NULL;
    char lock[PATH_MAX];
    (void)snprintf(lock, sizeof(lock), "%s/locks/.jobs", takc_home_path(api->home));
    enum takc_status st = takc_queue_sqlite_open(&queue, api->home, err);
    if (st)
        return st;
    const struct takc_jobs_options o = {.queue = queue,
                                        .lock_file = lock,
                                        .n_running = (unsigned)(api->work.jobs_running ? api->work.jobs_running : 1),
                                        .queued_max = api->work.jobs_max ? api->work.jobs_max : 1000,
                                        .quick_kind = TAKC_KIND_PROCESS,
                                        .traces = api->traces,
                                        .run = run,
                                        .ended = ended,
                                        .began = began,
                                        .arg = api};
    st = takc_jobs_open(&api->jobs, &o, err);
    if (st)
        queue->ops->close(queue);
    return st;
}
