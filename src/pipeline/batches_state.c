/* SPDX-License-Identifier: Apache-2.0
 *
 * batches_state.c - replies/{task}/batch.json: which jobs there are (docs/formats/batch.md). It holds names and numbers, no text of
 * documents or replies. It is put whole, durable before anything of what it says is done. */
#include "base/alloc.h"
#include "base/json.h"
#include "pipeline/batches_parts.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

enum { STATE_MAX = 4 << 20, JOBS_MAX = 1000, SALT_BYTES = 16 };

/* --- reading --- */

static bool take_text(struct takc_batches *b, const json_t *v, const char *key, struct takc_str *out)
{
    *out = takc_arena_dup(&b->arena, takc_json_get_str(v, key));
    return out->ptr != NULL;
}

static enum takc_status read_numbers(const json_t *v, struct takc_batch_entry *j, struct takc_err *err)
{
    uint64_t row = 0;
    enum takc_status st = takc_json_get_u64(v, "records", &j->n_records, err);
    st = st ? st : takc_json_get_u64(v, "results", &j->n_results, err);
    st = st ? st : takc_json_get_u64(v, "most_picodollars", &j->most, err);
    st = st ? st : takc_json_get_u64(v, "row", &row, err);
    j->row = (int64_t)row;
    return st;
}

static enum takc_status read_job(struct takc_batches *b, const json_t *v, struct takc_err *err)
{
    struct takc_batch_entry j = {.row = 0};
    struct takc_s3_name place;
    enum takc_status st = read_numbers(v, &j, err);
    bool good = take_text(b, v, "name", &j.name) && take_text(b, v, "folder", &j.folder) && take_text(b, v, "model", &j.model) &&
                take_text(b, v, "role", &j.role) && take_text(b, v, "version", &j.label) && take_text(b, v, "arn", &j.arn) &&
                take_text(b, v, "outcome", &j.outcome);
    if (!st && !good)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for batch jobs");
    if (!st && (!j.name.len || !j.model.len || takc_s3_parse(j.folder, &place, NULL)))
        st = takc_fail(err, TAKC_INVALID, 0, "a job without name, model or folder");
    st = st ? st : takc_grow(&b->jobs, &b->jobs_cap, b->n_jobs + 1, sizeof(*b->jobs), err);
    if (!st)
        b->jobs[b->n_jobs++] = j;
    return st;
}

static enum takc_status read_state(struct takc_batches *b, struct takc_str json, struct takc_err *err)
{
    json_t *v = NULL;
    uint64_t format = 0;
    enum takc_status st = takc_json_parse(json, &v, err);
    st = st ? st : takc_json_get_u64(v, "takc_batch", &format, err);
    const json_t *jobs = st ? NULL : json_object_get(v, "jobs");
    if (!st && (format != 1 || !json_is_array(jobs) || json_array_size(jobs) > JOBS_MAX || !take_text(b, v, "salt", &b->salt)))
        st = takc_fail(err, TAKC_INVALID, 0, "not of format 1");
    for (size_t i = 0; !st && i < json_array_size(jobs); i++)
        st = read_job(b, json_array_get(jobs, i), err);
    json_decref(v);
    return st;
}

enum takc_status takc_batch_state_read(struct takc_batches *b, struct takc_call *call, struct takc_err *err)
{
    struct takc_key key = takc_key_batch(b->task);
    struct takc_buf json;
    takc_buf_init(&json, STATE_MAX);
    b->n_jobs = 0;
    b->salt = takc_str("");
    enum takc_status st = takc_store_get_bytes(takc_home_store(b->home), call, takc_str(key.s), &json, err);
    bool none = st == TAKC_NOT_FOUND;
    st = st ? st : read_state(b, takc_buf_str(&json), err);
    takc_buf_clear(&json);
    if (none || !st)
        return TAKC_OK;
    if (st == TAKC_INVALID)
        return takc_fail(err, TAKC_CORRUPT, 0, "%s is damaged: its jobs cannot be gone on with; remove it to begin anew", key.s);
    return takc_err_prefix(err, st, "%s", key.s);
}

/* --- writing --- */

static json_t *job_json(const struct takc_batch_entry *j)
{
    return json_pack("{so so so so so so so sI sI sI sI}", "name", takc_json_str(j->name), "folder", takc_json_str(j->folder), "model",
                     takc_json_str(j->model), "role", takc_json_str(j->role), "version", takc_json_str(j->label), "arn",
                     takc_json_str(j->arn), "outcome", takc_json_str(j->outcome), "records", (json_int_t)j->n_records, "results",
                     (json_int_t)j->n_results, "most_picodollars", (json_int_t)j->most, "row", (json_int_t)j->row);
}

static json_t *state_json(const struct takc_batches *b)
{
    json_t *jobs = json_array();
    for (size_t i = 0; jobs && i < b->n_jobs; i++)
        if (json_array_append_new(jobs, job_json(&b->jobs[i]))) {
            json_decref(jobs);
            return NULL;
        }
    return json_pack("{si so so}", "takc_batch", 1, "salt", takc_json_str(b->salt), "jobs", jobs);
}

enum takc_status takc_batch_state_draw(struct takc_batches *b, struct takc_err *err)
{
    unsigned char bytes[SALT_BYTES];
    char text[2 * SALT_BYTES + 1];
    size_t n = 0;
    while (n < sizeof(bytes)) {
        ssize_t got = getrandom(bytes + n, sizeof(bytes) - n, 0);
        if (got < 0 && errno != EINTR)
            return takc_fail_errno(err, errno, "draw a random number");
        n += got > 0 ? (size_t)got : 0;
    }
    for (size_t i = 0; i < sizeof(bytes); i++)
        (void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    b->salt = takc_arena_dup(&b->arena, takc_str(text));
    return b->salt.ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for batch jobs");
}

enum takc_status takc_batch_state_put(struct takc_batches *b, struct takc_call *call, struct takc_err *err)
{
    struct takc_store *store = takc_home_store(b->home);
    struct takc_key key = takc_key_batch(b->task);
    struct takc_buf json;
    takc_buf_init(&json, STATE_MAX);
    if (!b->n_jobs) {
        b->salt = takc_str(""); /* the next jobs are others, whatever they ask */
        enum takc_status st = takc_store_del(store, call, takc_str(key.s), err);
        return st == TAKC_NOT_FOUND ? TAKC_OK : st;
    }
    json_t *v = state_json(b);
    enum takc_status st = v ? takc_json_dump(v, true, &json, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    st = st ? st : takc_store_put_bytes(store, call, takc_str(key.s), takc_buf_str(&json), err);
    json_decref(v);
    takc_buf_clear(&json);
    return st;
}
