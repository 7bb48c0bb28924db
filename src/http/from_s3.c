/* SPDX-License-Identifier: Apache-2.0
 *
 * from_s3.c - a job's documents out of S3 (from_s3.h). What was fetched is noted beside it, in fetched.json of the job's folder: by which
 * process, under which root, and what was not taken. */
#include "http/from_s3.h"
#include "base/file.h"
#include "http/api.h"
#include "http/staging.h"
#include "source/s3.h"

#include <stdio.h>

enum { LISTED_MAX = 10000 /* objects told one by one that were not taken */ };

/* ---- places ---- */

bool takc_is_s3(struct takc_str location)
{
    return takc_str_starts(location, takc_str("s3://"));
}

enum takc_status takc_from_s3_check(struct takc_str source, struct takc_err *err)
{
    char place[TAKC_SOURCE_S3_BYTES];
    enum takc_status st = takc_source_s3_place(source, place, err);
    return st ? takc_err_prefix(err, st, "serve.sources") : TAKC_OK;
}

bool takc_from_s3_place(struct takc_str sources, struct takc_str location, char *out)
{
    char folder[TAKC_SOURCE_S3_BYTES];
    struct takc_str one;
    if (takc_source_s3_place(location, out, NULL))
        return false;
    while (takc_str_split(&sources, ',', &one)) {
        one = takc_str_trim(one);
        if (takc_is_s3(one) && !takc_source_s3_place(one, folder, NULL) && takc_source_s3_is_below(takc_str(out), takc_str(folder)))
            return true;
    }
    return false;
}

/* ---- what was not taken ---- */

struct fetched { /* as it stands in fetched.json */
    json_t *objects;
    uint64_t n_skipped, n_refused;
    char root[TAKC_SOURCE_S3_BYTES];
    bool failed;
};

static void on_skipped(void *arg, struct takc_str name, enum takc_status status, const char *reason)
{
    struct fetched *f = arg;
    *(status ? &f->n_refused : &f->n_skipped) += 1;
    if (json_array_size(f->objects) >= LISTED_MAX)
        return;
    json_t *v = json_pack("{so ss so}", "document", takc_json_str(name), "outcome", status ? "refused" : "skipped", "reason",
                          takc_json_str(takc_str(reason)));
    f->failed |= json_array_append_new(f->objects, v) != 0;
}

static enum takc_status note_path(const struct takc_api *api, const struct takc_job_row *job, char out[PATH_MAX], struct takc_err *err)
{
    enum takc_status st = takc_staging_group(takc_home_path(api->home), job->id, 0, out, err);
    size_t n = st ? 0 : strlen(out) - 1; /* the group's number */
    if (!st && n + sizeof("fetched.json") > PATH_MAX)
        return takc_fail(err, TAKC_IO, 0, "the path of the home is too long for uploads");
    if (!st)
        (void)snprintf(out + n, PATH_MAX - n, "fetched.json");
    return st;
}

static enum takc_status write_note(const struct takc_api *api, const struct takc_job_row *job, const struct fetched *f,
                                   struct takc_err *err)
{
    char path[PATH_MAX], process[48];
    struct takc_buf text;
    takc_staging_process(process);
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    json_t *v = f->failed ? NULL
                          : json_pack("{ss ss sO sI sI}", "process", process, "root", f->root, "objects", f->objects, "skipped",
                                      (json_int_t)f->n_skipped, "refused", (json_int_t)f->n_refused);
    enum takc_status st = v ? takc_json_dump(v, false, &text, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    st = st ? st : note_path(api, job, path, err);
    st = st ? st : takc_file_write(path, takc_buf_str(&text), err);
    json_decref(v);
    takc_buf_clear(&text);
    return st;
}

/* Has this process fetched them already? */
static bool read_note(const struct takc_api *api, const struct takc_job_row *job, struct fetched *f)
{
    char path[PATH_MAX], process[48];
    struct takc_buf text;
    json_t *v = NULL;
    takc_staging_process(process);
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    bool good = !note_path(api, job, path, NULL) && !takc_file_read(path, &text, NULL) && !takc_json_parse(takc_buf_str(&text), &v, NULL) &&
                takc_str_is(takc_json_get_str(v, "process"), process) && json_is_array(json_object_get(v, "objects"));
    if (good) {
        f->objects = json_incref(json_object_get(v, "objects"));
        f->n_skipped = (uint64_t)json_integer_value(json_object_get(v, "skipped"));
        f->n_refused = (uint64_t)json_integer_value(json_object_get(v, "refused"));
        (void)snprintf(f->root, sizeof(f->root), "%.*s", TAKC_STR_ARG(takc_json_get_str(v, "root")));
    }
    json_decref(v);
    takc_buf_clear(&text);
    return good;
}

/* ---- fetching ---- */

static const char *text_or_null(struct takc_str s)
{
    return s.len ? s.ptr : NULL;
}

static enum takc_status fetch(const struct takc_api *api, const struct takc_job_row *job, struct takc_str place, struct takc_call *call,
                              struct fetched *f, struct takc_err *err)
{
    char folder[PATH_MAX];
    const char *home = takc_home_path(api->home);
    struct takc_source_s3_copied copied;
    const struct takc_source_s3_options o = {.ca_file = text_or_null(api->model.ca_file),
                                             .proxy = text_or_null(api->model.proxy),
                                             .profile = text_or_null(api->model.aws_profile),
                                             .region = text_or_null(api->model.region),
                                             .max_file_bytes = api->work.max_file_bytes,
                                             .max_bytes = api->work.fetch_max_bytes,
                                             .max_objects = api->work.fetch_max_objects,
                                             .skipped = on_skipped,
                                             .arg = f};
    f->objects = json_array();
    enum takc_status st = f->objects ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    st = st ? st : takc_staging_make_job(home, job->id, err);
    st = st ? st : takc_staging_group(home, job->id, 0, folder, err);
    st = st ? st : takc_source_s3_copy(place, folder, &o, call, &copied, err);
    if (st)
        return st;
    (void)snprintf(f->root, sizeof(f->root), "%s", copied.root);
    return write_note(api, job, f, err);
}

/* What a failure to fetch means for who asked; NULL: what it means anywhere. S3's own words are the log's. */
static const char *meaning(enum takc_status st, int *out_http)
{
    *out_http = takc_status_http(st);
    switch (st) {
    case TAKC_NOT_FOUND:
        return "there is no such bucket, or nothing at or below this place in it";
    case TAKC_DENIED:
        *out_http = 502;
        return "the server's credentials may not read this place; its log says why, under the job's id";
    case TAKC_LIMITED:
        return "S3 throttles the server's requests: send it again later";
    case TAKC_TIMEOUT:
        return "S3 took too long to answer: send it again later";
    case TAKC_UPSTREAM:
        return "S3 could not be reached, or did not answer as it should; the server's log says why, under the job's id";
    case TAKC_INVALID:
    case TAKC_UNTRUSTED:
    case TAKC_UNSUPPORTED:
        *out_http = 502;
        return "what the server has set for S3 (region, endpoint, credentials, certificates) does not do; its log says why, under the "
               "job's id";
    default:
        return NULL;
    }
}

static void say_failure(json_t *result, struct takc_str place, enum takc_status st)
{
    int http;
    const char *words = meaning(st, &http);
    if (!words)
        return;
    json_t *v = json_pack("{ss so}", "code", http == 502 ? "UPSTREAM" : takc_error_code(st, TAKC_ABOUT_UNSET), "message",
                          json_sprintf("%.*s: %s", TAKC_STR_ARG(place), words));
    (void)json_object_set_new(result, "error", v);
    (void)json_object_set_new(result, "http", json_integer(http));
}

/* ---- taking in ---- */

static bool add_number(json_t *o, const char *name, uint64_t n)
{
    return json_object_set_new(o, name, json_integer(json_integer_value(json_object_get(o, name)) + (json_int_t)n)) == 0;
}

static enum takc_status say_fetched(json_t *result, const struct fetched *f, struct takc_err *err)
{
    uint64_t unlisted = f->n_skipped + f->n_refused - json_array_size(f->objects);
    bool good = json_array_extend(json_object_get(result, "documents"), f->objects) == 0 && add_number(result, "skipped", f->n_skipped) &&
                add_number(result, "refused", f->n_refused) && (!unlisted || add_number(result, "unlisted", unlisted));
    return good ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
}

enum takc_status takc_from_s3_ingest(const struct takc_api *api, struct takc_home *home, const struct takc_job_row *job,
                                     struct takc_str place, const struct takc_ingest_options *asked, struct takc_call *call, json_t *result,
                                     struct takc_err *err)
{
    char folder[PATH_MAX];
    struct fetched f = {.objects = NULL};
    struct takc_ingest_options o = *asked;
    enum takc_status st = TAKC_OK;
    if (!read_note(api, job, &f) && (st = fetch(api, job, place, call, &f, err)))
        say_failure(result, place, st);
    o.root = f.root;
    st = st ? st : takc_staging_group(takc_home_path(api->home), job->id, 0, folder, err);
    st = st ? st : takc_work_ingest(api, home, folder, &o, call, result, err);
    st = st ? st : say_fetched(result, &f, err);
    json_decref(f.objects);
    return st;
}
