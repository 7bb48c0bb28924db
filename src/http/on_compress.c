/* SPDX-License-Identifier: Apache-2.0
 *
 * on_compress.c - POST /compress: a task into a new version, as a job; and what a request may say of the task's profile. */
#include "http/examples.h"
#include "http/model_limit.h"
#include "http/staging.h"

#include "takc/home.h"

#include <limits.h>
#include <stdio.h>

/* ---- profiles ---- */

static bool wanted(const json_t *v, const char *name, uint32_t have, uint32_t *out)
{
    const json_t *n = json_object_get(v, name);
    *out = n ? (uint32_t)json_integer_value(n) : have;
    return *out != have;
}

/* What the request says of the task that its profile does not: true: p says it now. */
static bool change_profile(const json_t *body, struct takc_profile *p)
{
    const json_t *config = json_object_get(body, "config");
    struct takc_str about = takc_json_get_str(body, "task_description");
    bool other = about.len && !takc_str_eq(about, p->description);
    if (about.len)
        p->description = about;
    other |= wanted(config, "chunk_size", p->chunk_tokens, &p->chunk_tokens);
    return wanted(config, "overlap", p->chunk_overlap, &p->chunk_overlap) || other;
}

static enum takc_status write_profile(struct takc_home *home, const struct takc_profile *p, bool replace, struct takc_err *err)
{
    struct takc_buf yaml;
    takc_buf_init(&yaml, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_profile_write(p, &yaml, err);
    if (!st)
        st = takc_task_write(home, p->task, takc_buf_str(&yaml), replace, err);
    takc_buf_clear(&yaml);
    return st;
}

bool takc_api_settle_task(struct takc_exchange *x, const struct takc_asked *asked, struct takc_str task)
{
    struct takc_err err = {0};
    struct takc_profile p = {0};
    bool create = json_is_true(json_object_get(asked->body, "create"));
    enum takc_status st = takc_home_profile(asked->home, task, &p, &err);
    bool missing = st == TAKC_NOT_FOUND, writes = false;
    if (missing && !create)
        st = takc_fail(&err, TAKC_NOT_FOUND, 0, "there is no task %.*s: make it with PUT /tasks/%.*s, or send \"create\": true",
                       TAKC_STR_ARG(task), TAKC_STR_ARG(task));
    else if (missing)
        st = takc_profile_default(&p, task, &err);
    if (!st)
        writes = change_profile(asked->body, &p) || missing;
    if (!st && p.chunk_overlap >= p.chunk_tokens)
        st = takc_fail(&err, TAKC_INVALID, 0, "/config/overlap: fewer tokens than the %u of a chunk are expected", p.chunk_tokens);
    bool may = !writes || takc_may(&asked->who, TAKC_MAY_ADMIN);
    if (!st && writes && may)
        st = write_profile(asked->home, &p, !missing, &err);
    takc_profile_clear(&p);
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
    else if (!may)
        takc_api_reject(x, 403, missing ? "this credential may not make a task" : "this credential may not change the task's profile");
    return !st && may;
}

/* Folders and prefixes that who asks may read: of a tenant those of its name in each. ptr NULL: no memory. */
static struct takc_str sources_of(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_str rest = asked->api->work.sources, folder, all = takc_str("");
    if (!asked->who.tenant.len)
        return rest;
    while (all.ptr && takc_str_split(&rest, ',', &folder)) {
        folder = takc_str_trim(folder);
        bool any = folder.len > 0;
        while (folder.len && folder.ptr[folder.len - 1] == '/')
            folder.len--; /* in S3 "docs//acme" is another place than "docs/acme" */
        if (any)
            all = takc_str(takc_arena_printf(&x->arena, "%.*s%s%.*s/%.*s", TAKC_STR_ARG(all), all.len ? "," : "", TAKC_STR_ARG(folder),
                                             TAKC_STR_ARG(asked->who.tenant)));
    }
    return all;
}

bool takc_api_may_source(struct takc_exchange *x, const struct takc_asked *asked, struct takc_str location, char *out)
{
    struct takc_err err = {0};
    struct takc_work_settings s = asked->api->work;
    s.sources = sources_of(x, asked);
    if (asked->who.tenant.len && !s.sources.ptr) {
        takc_api_reject(x, 503, "no memory for a request");
        return false;
    }
    enum takc_status st = takc_work_source(&s, location, out, &err);
    if (st)
        takc_api_reject(x, st == TAKC_UNSUPPORTED ? 422 : 403, err.msg);
    return !st;
}

/* ---- the request ---- */

void takc_on_compress(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_err err = {0};
    char id[TAKC_JOB_ID_BYTES], place[PATH_MAX];
    struct takc_str task = takc_json_get_str(asked->body, "task_type"), location = takc_json_get_str(asked->body, "context_location");
    if (!takc_api_may_task(x, asked, task) || !takc_api_may_model(x, asked, task, takc_json_get_str(asked->body, "model")) ||
        (location.len && !takc_api_may_source(x, asked, location, place)) || !takc_api_settle_task(x, asked, task))
        return;
    if (takc_job_id(id, &err)) {
        takc_api_fail(x, TAKC_IO, TAKC_ABOUT_COMPRESS, &err);
        return;
    }
    json_t *request = json_copy(asked->body);
    if (request && location.len && json_object_set_new(request, "source", takc_json_str(takc_str(place)))) {
        json_decref(request);
        request = NULL;
    }
    enum takc_status st = takc_examples_keep(takc_home_path(asked->api->home), id, request, &err);
    bool queued = !st && takc_work_submit(x, asked, TAKC_KIND_COMPRESS, task, id, request,
                                          takc_work_wait_ms(x, json_is_true(json_object_get(asked->body, "wait"))));
    if (st) {
        json_decref(request);
        takc_api_fail(x, st, TAKC_ABOUT_COMPRESS, &err);
    }
    if (!queued)
        takc_staging_drop_job(takc_home_path(asked->api->home), takc_str(id));
}
