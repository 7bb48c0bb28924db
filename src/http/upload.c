/* SPDX-License-Identifier: Apache-2.0
 *
 * upload.c - form-data into a staging folder, which is made with the first file. */
#include "http/upload.h"
#include "base/clock.h"
#include "http/api.h"
#include "source/source.h"

#include <stdio.h>

enum { FIELD_NONE = -1, FIELD_TASK, FIELD_CREATE, FIELD_ASYNC, FIELD_DATE, FIELD_LABELS, FIELD_DESCRIPTION };
static const char *const fields[] = {"task_type", "create", "async", "date", "labels", "task_description"};

/* Into the digest, so that no two forms give the same bytes: a name ends with NUL, which it cannot hold, and a part's data with its length.
 */
static enum takc_status note(struct takc_upload *u, struct takc_str s, struct takc_err *err)
{
    return u->again ? takc_sha256_add(u->again, s, err) : TAKC_OK;
}

static enum takc_status note_begin(struct takc_upload *u, const struct takc_multipart_part *part, struct takc_err *err)
{
    u->part_bytes = 0;
    enum takc_status st = note(u, part->name, err);
    if (!st)
        st = note(u, takc_str_n(part->has_filename ? "\0f" : "\0v", 2), err);
    if (!st)
        st = note(u, part->filename, err);
    return st ? st : note(u, takc_str_n("", 1), err);
}

static enum takc_status begin_file(struct takc_upload *u, struct takc_str name, struct takc_err *err)
{
    u->field = FIELD_NONE;
    u->empty_file = name.len == 0;
    if (u->empty_file)
        return TAKC_OK;
    enum takc_status st = u->staging.path[0] ? TAKC_OK : takc_staging_open(&u->staging, u->home, err);
    return st ? st : takc_staging_begin(&u->staging, 0, name, err);
}

/* Of two values somebody on the way may have read the other one. */
static enum takc_status see_once(struct takc_upload *u, struct takc_err *err)
{
    unsigned bit = 1u << u->field;
    if (u->field != FIELD_LABELS && (u->seen & bit))
        return takc_fail(err, TAKC_INVALID, 0, "multipart: the field %s is there twice", fields[u->field]);
    u->seen |= bit;
    return TAKC_OK;
}

static enum takc_status on_begin(void *arg, const struct takc_multipart_part *part, struct takc_err *err)
{
    struct takc_upload *u = arg;
    enum takc_status st = note_begin(u, part, err);
    if (st)
        return st;
    if (part->has_filename)
        return begin_file(u, part->filename, err);
    u->value_len = 0;
    for (u->field = 0; u->field < (int)(sizeof(fields) / sizeof(fields[0])); u->field++)
        if (takc_str_is(part->name, fields[u->field]))
            return see_once(u, err);
    return takc_fail(err, TAKC_INVALID, 0, "multipart: no field is called %.*s; a file has a filename",
                     (int)(part->name.len < 64 ? part->name.len : 64), part->name.ptr);
}

static enum takc_status on_data(void *arg, struct takc_str piece, struct takc_err *err)
{
    struct takc_upload *u = arg;
    enum takc_status st = note(u, piece, err);
    u->part_bytes += piece.len;
    if (st)
        return st;
    if (u->field == FIELD_NONE)
        return u->empty_file ? takc_fail(err, TAKC_INVALID, 0, "multipart: a file has no name")
                             : takc_staging_write(&u->staging, piece, err);
    if (piece.len > sizeof(u->value) - u->value_len)
        return takc_fail(err, TAKC_INVALID, 0, "multipart: the field %s is longer than %d bytes", fields[u->field], TAKC_UPLOAD_FIELD_MAX);
    memcpy(u->value + u->value_len, piece.ptr, piece.len);
    u->value_len += piece.len;
    return TAKC_OK;
}

static enum takc_status read_bool(struct takc_str v, bool *out, const char *name, struct takc_err *err)
{
    *out = takc_str_is(v, "true") || takc_str_is(v, "1");
    return *out || takc_str_is(v, "false") || takc_str_is(v, "0") || !v.len
               ? TAKC_OK
               : takc_fail(err, TAKC_INVALID, 0, "multipart: %s: true or false is expected", name);
}

static enum takc_status read_date(struct takc_str v, struct takc_err *err)
{
    int32_t days;
    return v.len == 10 && !takc_date_parse(v.ptr, v.len, &days, NULL)
               ? TAKC_OK
               : takc_fail(err, TAKC_INVALID, 0, "multipart: date: a date like 2026-01-31 is expected");
}

static enum takc_status keep_field(struct takc_upload *u, struct takc_str v, struct takc_err *err)
{
    switch (u->field) {
    case FIELD_TASK:
        u->task = v;
        return TAKC_OK;
    case FIELD_CREATE:
        return read_bool(v, &u->create, "create", err);
    case FIELD_ASYNC:
        return read_bool(v, &u->async, "async", err);
    case FIELD_DATE:
        u->date = v;
        return read_date(v, err);
    case FIELD_DESCRIPTION:
        u->description = v;
        return TAKC_OK;
    default:
        if (u->n_labels == TAKC_UPLOAD_LABELS_MAX || !v.len || v.len > 200)
            return takc_fail(err, TAKC_INVALID, 0, "multipart: at most %d labels of 1 to 200 bytes", TAKC_UPLOAD_LABELS_MAX);
        u->labels[u->n_labels++] = v;
        return TAKC_OK;
    }
}

static enum takc_status on_end(void *arg, struct takc_err *err)
{
    struct takc_upload *u = arg;
    enum takc_status st = note(u, takc_str_n((const char *)&u->part_bytes, sizeof(u->part_bytes)), err);
    if (st)
        return st;
    if (u->field == FIELD_NONE)
        return takc_staging_end(&u->staging, err);
    struct takc_str v = takc_str_n(u->value, u->value_len);
    if (v.len && u->field != FIELD_DESCRIPTION && !takc_source_good_name(v))
        return takc_fail(err, TAKC_INVALID, 0, "multipart: %s: UTF-8 without control characters is expected", fields[u->field]);
    v = takc_arena_dup(u->arena, v);
    return v.ptr ? keep_field(u, v, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for a field");
}

static enum takc_status sink(void *arg, struct takc_str piece, struct takc_err *err)
{
    struct takc_upload *u = arg;
    enum takc_status st = takc_multipart_feed(&u->parser, piece, err);
    if (st)
        takc_staging_drop(&u->staging);
    return st;
}

struct takc_upload *takc_upload_begin(struct takc_exchange *x, const char *home, uint64_t max_bytes)
{
    char boundary[TAKC_BOUNDARY_MAX + 1];
    uint64_t told = 0;
    struct takc_err err = {0};
    enum takc_status st = takc_multipart_boundary(takc_exchange_asked(x, "content-type"), boundary, &err);
    if (st == TAKC_UNSUPPORTED) {
        if (!takc_str_u64(takc_exchange_asked(x, "content-length"), UINT64_MAX, &told, NULL) && told > x->body_max)
            takc_api_reject(x, 413, "JSON ends at 16 MiB here: send documents as files of multipart/form-data");
        return NULL;
    }
    struct takc_upload *u = st ? NULL : takc_arena_alloc(&x->arena, sizeof(*u));
    if (!u) {
        takc_api_reject(x, st ? 400 : 503, st ? err.msg : "no memory for a request");
        return NULL;
    }
    const struct takc_multipart_handlers handlers = {on_begin, on_data, on_end, u};
    takc_multipart_init(&u->parser, boundary, &handlers);
    u->staging.file = -1;
    u->arena = &x->arena;
    u->home = home;
    u->again = x->digests[TAKC_DIGEST_AGAIN];
    x->digests[TAKC_DIGEST_AGAIN] = NULL;
    x->sink = sink;
    x->sink_arg = u;
    x->body_max = max_bytes;
    (void)!takc_str_u64(takc_exchange_asked(x, "content-length"), max_bytes, &max_bytes, NULL); /* chunked: all of it may come */
    x->body_ms = 60000 + max_bytes / 100; /* whoever sends 100 KB a second may send it all */
    return u;
}

enum takc_status takc_upload_finish(struct takc_upload *u, struct takc_err *err)
{
    enum takc_status st = takc_multipart_finish(&u->parser, err);
    if (!st && !u->task.len)
        st = takc_fail(err, TAKC_INVALID, 0, "multipart: the field task_type is missing");
    if (!st && !u->staging.n_files)
        st = takc_fail(err, TAKC_INVALID, 0, "multipart: there is no file in it");
    return st;
}

void takc_upload_end(struct takc_upload *u)
{
    if (u)
        takc_staging_drop(&u->staging);
}
