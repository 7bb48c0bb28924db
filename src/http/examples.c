/* SPDX-License-Identifier: Apache-2.0
 *
 * examples.c - a list of examples as the only file of a job's staging. */
#include "http/examples.h"

#include "base/file.h"
#include "http/staging.h"

#include <stdio.h>

#define FIELD "few_shot_examples"
#define KEPT "few_shot_kept"
#define FILE_NAME "few_shot_examples.json"

static enum takc_status keep(const char *home, const char *job, struct takc_str text, struct takc_err *err)
{
    struct takc_staging s;
    enum takc_status st = takc_staging_open(&s, home, err);
    if (st)
        return st;
    st = takc_staging_begin(&s, 0, takc_str(FILE_NAME), err);
    if (!st)
        st = takc_staging_write(&s, text, err);
    if (!st)
        st = takc_staging_keep(&s, home, job, err);
    takc_staging_drop(&s);
    return st;
}

enum takc_status takc_examples_keep(const char *home, const char *job, json_t *request, struct takc_err *err)
{
    struct takc_buf text;
    const json_t *list = json_object_get(request, FIELD);
    if (!json_array_size(list))
        return TAKC_OK;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_json_dump(list, false, &text, err);
    if (!st)
        st = keep(home, job, takc_buf_str(&text), err);
    takc_buf_clear(&text);
    if (!st && (json_object_del(request, FIELD) || json_object_set_new(request, KEPT, json_true())))
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    return st;
}

enum takc_status takc_examples_read(const char *home, struct takc_str job, const json_t *request, json_t **out, struct takc_err *err)
{
    char path[PATH_MAX];
    struct takc_buf text;
    *out = json_incref(json_object_get(request, FIELD));
    if (!json_is_true(json_object_get(request, KEPT)))
        return TAKC_OK;
    enum takc_status st = takc_staging_group(home, job, 0, path, err);
    size_t n = strlen(path);
    if (st)
        return st;
    if (snprintf(path + n, sizeof(path) - n, "/" FILE_NAME) >= (int)(sizeof(path) - n))
        return takc_fail(err, TAKC_IO, 0, "the path of the home is too long for uploads");
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    st = takc_file_read(path, &text, err);
    if (st == TAKC_NOT_FOUND)
        st = takc_fail(err, st, 0, "the job's few-shot examples are gone; send the request again");
    if (!st)
        st = takc_json_parse(takc_buf_str(&text), out, err);
    takc_buf_clear(&text);
    return st;
}
