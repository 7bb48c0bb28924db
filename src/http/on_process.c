/* SPDX-License-Identifier: Apache-2.0
 *
 * on_process.c - POST /process: documents into a task. Whatever the way in, they stand on disk, synced, before their job is queued; a
 * small upload is answered when its job has ended, a long one with the job. */
#include "http/api.h"
#include "http/from_s3.h"
#include "http/upload.h"

#include <stdio.h>

/* ---- texts ---- */

struct texts { /* documents of a JSON body on their way to the disk */
    struct takc_staging staging;
    json_t *groups; /* of the job's request: {"date", "labels"} */
    const json_t *list;
};

static json_t *group_of(const json_t *document)
{
    json_t *g = json_object();
    static const char *const names[] = {"date", "labels"};
    for (size_t i = 0; g && i < 2; i++) {
        json_t *v = json_object_get(document, names[i]);
        if (v && json_object_set(g, names[i], v)) {
            json_decref(g);
            return NULL;
        }
    }
    return g;
}

/* The number of the document's group; a new one where there is none like it. */
static enum takc_status find_group(struct texts *t, const json_t *document, unsigned *out, struct takc_err *err)
{
    json_t *g = group_of(document);
    size_t i = 0;
    while (g && i < json_array_size(t->groups) && !json_equal(g, json_array_get(t->groups, i)))
        i++;
    *out = (unsigned)i;
    if (g && i < json_array_size(t->groups)) {
        json_decref(g);
        return TAKC_OK;
    }
    return g && json_array_append_new(t->groups, g) == 0 ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for documents");
}

static enum takc_status stage_text(struct texts *t, size_t i, struct takc_err *err)
{
    const json_t *d = json_array_get(t->list, i);
    struct takc_str name = takc_json_get_str(d, "name");
    unsigned group = 0;
    for (size_t k = 0; k < i; k++)
        if (takc_str_eq(name, takc_json_get_str(json_array_get(t->list, k), "name")))
            return takc_fail(err, TAKC_INVALID, 0, "/documents/%zu/name: two documents have this name", i);
    enum takc_status st = find_group(t, d, &group, err);
    if (!st)
        st = takc_staging_begin(&t->staging, group, name, err);
    if (st)
        return takc_err_prefix(err, st, "/documents/%zu/name", i);
    st = takc_staging_write(&t->staging, takc_json_get_str(d, "text"), err);
    return st ? st : takc_staging_end(&t->staging, err);
}

static enum takc_status stage_texts(const struct takc_asked *asked, struct texts *t, struct takc_err *err)
{
    enum takc_status st = takc_staging_open(&t->staging, takc_home_path(asked->api->home), err);
    t->groups = json_array();
    if (!st && !t->groups)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for documents");
    for (size_t i = 0; i < json_array_size(t->list) && !st; i++)
        st = stage_text(t, i, err);
    return st;
}

/* ---- the job ---- */

static void submit(struct takc_exchange *x, const struct takc_asked *asked, struct takc_str task, const char *id, json_t *request,
                   bool async)
{
    bool queued = takc_work_submit(x, asked, TAKC_KIND_PROCESS, task, id, request, async ? 0 : takc_work_wait_ms(x, true));
    if (!queued)
        takc_staging_drop_job(takc_home_path(asked->api->home), takc_str(id));
}

static void submit_staged(struct takc_exchange *x, const struct takc_asked *asked, struct takc_str task, struct takc_staging *s,
                          json_t *groups, bool async)
{
    struct takc_err err = {0};
    char id[TAKC_JOB_ID_BYTES];
    enum takc_status st = takc_job_id(id, &err);
    if (!st)
        st = takc_staging_keep(s, takc_home_path(asked->api->home), id, &err);
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
    else
        submit(x, asked, task, id, json_pack("{so sO}", "task_type", takc_json_str(task), "groups", groups), async);
}

static void on_texts(struct takc_exchange *x, const struct takc_asked *asked, struct takc_str task, bool async)
{
    struct takc_err err = {0};
    struct texts t = {.list = json_object_get(asked->body, "documents")};
    enum takc_status st = stage_texts(asked, &t, &err);
    if (st)
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
    else
        submit_staged(x, asked, task, &t.staging, t.groups, async);
    takc_staging_drop(&t.staging);
    json_decref(t.groups);
}

static void on_source(struct takc_exchange *x, const struct takc_asked *asked, struct takc_str task, bool async)
{
    struct takc_err err = {0};
    char id[TAKC_JOB_ID_BYTES], place[PATH_MAX];
    if (!takc_api_may_source(x, asked, takc_json_get_str(asked->body, "source_location"), place))
        return;
    if (takc_job_id(id, &err))
        takc_api_fail(x, TAKC_IO, TAKC_ABOUT_UNSET, &err);
    else
        submit(x, asked, task, id, json_pack("{so so}", "task_type", takc_json_str(task), "source", takc_json_str(takc_str(place))), async);
}

static void unfit(struct takc_exchange *x, const char *pointer, const char *expected)
{
    struct takc_schema_miss miss;
    (void)snprintf(miss.pointer, sizeof(miss.pointer), "%s", pointer);
    (void)snprintf(miss.expected, sizeof(miss.expected), "%s", expected);
    takc_api_unfit(x, &miss);
}

static void on_json(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_str task = takc_json_get_str(asked->body, "task_type"), type = takc_json_get_str(asked->body, "source_type");
    bool texts = json_object_get(asked->body, "documents") != NULL, place = json_object_get(asked->body, "source_location") != NULL;
    bool async = json_is_true(json_object_get(asked->body, "async"));
    if (!takc_api_may_task(x, asked, task))
        return;
    if (texts == place || (place && !type.len))
        unfit(x, place && !texts ? "/source_type" : "", "documents, or source_type with source_location, or form-data with files");
    else if (place && takc_str_is(type, "kinesis"))
        takc_api_reject(x, 422,
                        "the server reads no kinesis: upload the documents, or have them delivered to S3 or a folder, and send that");
    else if (place && takc_str_is(type, "s3") != takc_is_s3(takc_json_get_str(asked->body, "source_location")))
        unfit(x, "/source_location", takc_str_is(type, "s3") ? "s3://BUCKET/PREFIX, as source_type is s3" : "a path, or source_type s3");
    else if (takc_api_settle_task(x, asked, task))
        (texts ? on_texts : on_source)(x, asked, task, async);
}

/* ---- form-data ---- */

/* The fields as a JSON body has them. NULL: no memory. */
static json_t *fields_json(const struct takc_upload *u)
{
    json_t *v = json_pack("{sb so}", "create", (int)u->create, "task_type", takc_json_str(u->task));
    if (!v || !u->description.len || json_object_set_new(v, "task_description", takc_json_str(u->description)) == 0)
        return v;
    json_decref(v);
    return NULL;
}

static json_t *groups_json(const struct takc_upload *u)
{
    json_t *labels = json_array(), *g;
    bool good = labels != NULL;
    for (size_t i = 0; i < u->n_labels && good; i++)
        good = json_array_append_new(labels, takc_json_str(u->labels[i])) == 0;
    g = good ? json_pack("[{sO so*}]", "labels", labels, "date", u->date.len ? takc_json_str(u->date) : NULL) : NULL;
    json_decref(labels);
    return g;
}

static void on_form(struct takc_exchange *x, const struct takc_asked *asked)
{
    struct takc_upload *u = asked->upload;
    struct takc_err err = {0};
    struct takc_asked with_fields = *asked;
    enum takc_status st = takc_upload_finish(u, &err);
    if (st) {
        takc_api_fail(x, st, TAKC_ABOUT_UNSET, &err);
        return;
    }
    if (!takc_api_may_task(x, asked, u->task))
        return;
    json_t *groups = groups_json(u);
    with_fields.body = fields_json(u);
    if (!groups || !with_fields.body)
        takc_api_reject(x, 503, "no memory for a request");
    else if (takc_api_settle_task(x, &with_fields, u->task))
        submit_staged(x, asked, u->task, &u->staging, groups, u->async);
    json_decref(groups);
    json_decref(with_fields.body);
}

void takc_on_process(struct takc_exchange *x, const struct takc_asked *asked)
{
    if (asked->upload)
        on_form(x, asked);
    else
        on_json(x, asked);
}
