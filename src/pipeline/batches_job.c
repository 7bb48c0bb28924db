/* SPDX-License-Identifier: Apache-2.0
 *
 * batches_job.c - a job from its records to its end. The order is what makes a kill harmless:
 *
 *     batch.json names it -> its money is set aside -> records to S3 -> the job is made -> batch.json has its ARN -> ... -> it has ended
 *     -> results booked -> batch.json says so
 *
 * A job without ARN whose records are in S3 is made (again): its token makes it once. One whose records are not there was never sent, and
 * is dropped. */
#include "base/alloc.h"
#include "base/hash.h"
#include "base/log.h"
#include "net/retry.h"
#include "pipeline/batches_parts.h"

#include <stdio.h>

enum {
    RECORDS_MAX = 50000, /* the service's own limits; what is left waits for the next round */
    INPUT_MAX = 190 << 20,
    POLL_MS = 15000,
    POLL_TIMES = 4,
    LOST_MAX = 20 /* looks in a row that nobody answered, before a watch gives up */
};

static struct takc_str output_folder(const struct takc_batch_entry *j, char out[TAKC_KEY_MAX])
{
    (void)snprintf(out, TAKC_KEY_MAX, "%.*s/output/", TAKC_STR_ARG(j->folder));
    return takc_str(out);
}

static struct takc_str input_uri(const struct takc_batch_entry *j, char out[TAKC_KEY_MAX])
{
    (void)snprintf(out, TAKC_KEY_MAX, "%.*s/input.jsonl", TAKC_STR_ARG(j->folder));
    return takc_str(out);
}

/* --- removed --- */

struct removal {
    struct takc_batches *b;
    struct takc_call *call;
    struct takc_str bucket;
};

static enum takc_status remove_object(void *arg, struct takc_str key, uint64_t size_bytes, struct takc_err *err)
{
    const struct removal *r = arg;
    (void)size_bytes;
    return takc_s3_del(r->b->m->aws, r->call, (struct takc_s3_name){r->bucket, key}, err);
}

static void remove_folder(struct takc_batches *b, struct takc_call *call, const struct takc_batch_entry *j)
{
    char key[TAKC_KEY_MAX];
    struct takc_s3_name folder;
    struct takc_err err = {0};
    enum takc_status st = takc_batch_object(j, "", key, &folder, &err);
    struct removal r = {b, call, folder.bucket};
    st = st ? st : takc_s3_list(b->m->aws, call, folder, remove_object, &r, &err);
    if (st)
        takc_log_for(call, WARN, "batch", "what a job read and wrote stays at %.*s, and holds text of documents: %s",
                     TAKC_STR_ARG(j->folder), err.msg);
}

/* Nothing of it was sent, or the service refused it: its money is free again. held: it was set aside. */
static enum takc_status drop(struct takc_batches *b, struct takc_call *call, size_t at, bool held, struct takc_err *err)
{
    const struct takc_batch_entry j = b->jobs[at];
    enum takc_status st =
        !held ? TAKC_OK
              : takc_models_book(b->m,
                                 &(struct takc_models_record){
                                     .id = j.row, .version = j.label, .purpose = takc_str("batch"), .outcome = takc_str("stopped")},
                                 err);
    if (st)
        return st;
    memmove(&b->jobs[at], &b->jobs[at + 1], (b->n_jobs - at - 1) * sizeof(*b->jobs));
    b->n_jobs--;
    return takc_batch_state_put(b, call, err);
}

/* --- made --- */

static enum takc_status hold(struct takc_batches *b, const struct takc_batch_entry *j, struct takc_err *err)
{
    return takc_models_hold(
        b->m,
        &(struct takc_models_record){
            .id = j->row, .version = j->label, .purpose = takc_str("batch"), .outcome = takc_str("lost"), .picodollars = j->most},
        err);
}

/* Makes the job of records that are in S3, and writes its ARN down. */
static enum takc_status make(struct takc_batches *b, struct takc_call *call, struct takc_batch_entry *j, struct takc_err *err)
{
    char in[TAKC_KEY_MAX], out[TAKC_KEY_MAX];
    struct takc_batch_status status;
    const struct takc_batch_job job = {.name = j->name,
                                       .role_arn = j->role,
                                       .model = j->model,
                                       .input_uri = input_uri(j, in),
                                       .output_uri = output_folder(j, out),
                                       .token = j->name};
    enum takc_status st = takc_batch_create(b->m->aws, call, &job, &status, err);
    if (st)
        return st;
    j->arn = takc_arena_dup(&b->arena, takc_str(status.arn));
    if (!j->arn.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a batch job");
    takc_log_for(call, INFO, "batch", "job=%s records=%llu made", status.arn, (unsigned long long)j->n_records);
    return takc_batch_state_put(b, call, err);
}

/* May a job be there although the request failed? */
static bool is_open(enum takc_status st)
{
    return st == TAKC_UPSTREAM || st == TAKC_TIMEOUT || st == TAKC_CANCELLED || st == TAKC_LIMITED || st == TAKC_NOMEM || st == TAKC_IO ||
           st == TAKC_FULL;
}

/* Sets its money aside, sends its records (NULL: they are there), makes it. What was refused for good is dropped again; what may have
 * arrived all the same stays, and the next run looks for it. */
static enum takc_status launch(struct takc_batches *b, struct takc_call *call, size_t at, const struct takc_str *records,
                               struct takc_err *err)
{
    char key[TAKC_KEY_MAX];
    struct takc_s3_name input;
    enum takc_status st = hold(b, &b->jobs[at], err);
    bool held = !st;
    st = st ? st : takc_batch_object(&b->jobs[at], "input.jsonl", key, &input, err);
    if (!st && records)
        st = takc_s3_put(b->m->aws, call, input, *records, err);
    bool sent = !st;
    st = st ? st : make(b, call, &b->jobs[at], err);
    if (!st || is_open(st) || (!records && st == TAKC_COST)) /* a killed run may have made it already */
        return st;
    if (sent)
        remove_folder(b, call, &b->jobs[at]);
    (void)!drop(b, call, at, held, NULL); /* where this fails, the next run does it */
    return st;
}

static enum takc_status look_for_input(void *arg, struct takc_str key, uint64_t size_bytes, struct takc_err *err)
{
    (void)size_bytes;
    (void)err;
    *(bool *)arg |= takc_str_ends(key, takc_str("/input.jsonl"));
    return TAKC_OK;
}

/* A run was killed before it knew an ARN. Dropped, *at is the job before. */
static enum takc_status go_on(struct takc_batches *b, struct takc_call *call, size_t *at, bool *out_waits, struct takc_err *err)
{
    char key[TAKC_KEY_MAX];
    struct takc_s3_name input;
    bool there = false;
    enum takc_status st = takc_batch_object(&b->jobs[*at], "input.jsonl", key, &input, err);
    st = st ? st : takc_s3_list(b->m->aws, call, input, look_for_input, &there, err);
    if (st)
        return st;
    *out_waits = *out_waits || there;
    if (there)
        return launch(b, call, *at, NULL, err);
    st = drop(b, call, *at, true, err);
    *at -= !st;
    return st;
}

/* --- sent --- */

/* The records that one job takes. */
static enum takc_status gather(struct takc_batches *b, struct takc_buf *out, uint64_t *out_n, uint64_t *out_most, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    *out_most = *out_n = 0;
    for (size_t i = 0; i < b->locked.n && !st; i++) {
        const struct takc_batch_noted *r = &b->locked.noted[i];
        if (*out_n == RECORDS_MAX || (*out_n && out->len + r->line.len > INPUT_MAX))
            break;
        st = takc_buf_add(out, r->line, err);
        *out_most += r->most;
        ++*out_n;
    }
    return st;
}

/* A name for these records and no others: the number drawn for batch.json and how many jobs it has had are in it, so that records that
 * failed once are not taken for those of the failed job. */
static enum takc_status name_job(struct takc_batches *b, struct takc_str records, struct takc_batch_entry *j, struct takc_err *err)
{
    struct takc_sha256 h;
    struct takc_hex hex;
    char count[32];
    (void)snprintf(count, sizeof(count), "/%zu/", b->n_jobs);
    const struct takc_str pieces[] = {b->salt,        takc_str(count), j->model,       takc_str("\n"), j->role,
                                      takc_str("\n"), b->uri,          takc_str("\n"), records};
    enum takc_status st = takc_sha256_init(&h, err);
    if (st)
        return st;
    for (size_t i = 0; !st && i < sizeof(pieces) / sizeof(pieces[0]); i++)
        st = takc_sha256_add(&h, pieces[i], err);
    st = st ? st : takc_sha256_end(&h, &hex, err);
    takc_sha256_clear(&h);
    if (st)
        return st;
    j->name = takc_str(takc_arena_printf(&b->arena, "takc-%.32s", hex.s));
    j->folder =
        takc_str(takc_arena_printf(&b->arena, "%.*s/%.*s/%.*s", TAKC_STR_ARG(b->uri), TAKC_STR_ARG(b->task), TAKC_STR_ARG(j->name)));
    if (!j->name.ptr || !j->folder.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a batch job");
    return takc_batch_row(j->name, NULL, &j->row, err);
}

static enum takc_status add_job(struct takc_batches *b, struct takc_call *call, struct takc_str records, struct takc_batch_entry *j,
                                struct takc_err *err)
{
    enum takc_status st = b->salt.len ? TAKC_OK : takc_batch_state_draw(b, err);
    st = st ? st : name_job(b, records, j, err);
    st = st ? st : takc_grow(&b->jobs, &b->jobs_cap, b->n_jobs + 1, sizeof(*b->jobs), err);
    if (st)
        return st;
    b->jobs[b->n_jobs++] = *j;
    return takc_batch_state_put(b, call, err);
}

enum takc_status takc_batches_send(struct takc_batches *b, struct takc_call *call, struct takc_str label, struct takc_err *err)
{
    struct takc_batch_entry j = {.model = b->m->models[0].model,
                                 .role = b->role,
                                 .label = takc_arena_dup(&b->arena, label),
                                 .arn = takc_str(""),
                                 .outcome = takc_str("")};
    struct takc_buf records;
    takc_buf_init(&records, TAKC_BUF_MAX_REPLY);
    enum takc_status st = j.label.ptr ? gather(b, &records, &j.n_records, &j.most, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory");
    const struct takc_str text = takc_buf_str(&records);
    st = st ? st : add_job(b, call, text, &j, err);
    st = st ? st : launch(b, call, b->n_jobs - 1, &text, err);
    takc_buf_clear(&records);
    return st ? takc_err_prefix(err, st, "batch job of %llu records%s", (unsigned long long)j.n_records,
                                is_open(st) ? " (the same command goes on with it)" : "")
              : TAKC_OK;
}

/* --- watched --- */

/* As batch.json and messages have it. */
static const char *state_name(enum takc_batch_state s)
{
    switch (s) {
    case TAKC_BATCH_WAITS:
        return "waiting";
    case TAKC_BATCH_RUNS:
        return "running";
    case TAKC_BATCH_DONE:
        return "done";
    case TAKC_BATCH_FAILED:
        return "failed";
    case TAKC_BATCH_STOPPED:
        return "stopped";
    case TAKC_BATCH_EXPIRED:
        return "expired";
    case TAKC_BATCH_UNSET:
        break;
    }
    return "unknown";
}

static bool is_over(const struct takc_batch_status *s)
{
    return s->state != TAKC_BATCH_WAITS && s->state != TAKC_BATCH_RUNS;
}

static void tell(struct takc_call *call, const struct takc_batch_entry *j, const struct takc_batch_status *s)
{
    char unit[160];
    struct takc_str id = j->arn;
    for (size_t slash; (slash = takc_str_find_byte(id, '/', 0)) != SIZE_MAX;)
        id = takc_str_slice(id, slash + 1, id.len);
    (void)snprintf(unit, sizeof(unit), "records of job %.*s, %s", (int)(id.len < 64 ? id.len : 64), id.ptr ? id.ptr : "",
                   state_name(s->state));
    takc_call_progress(call, "batch", unit, s->n_done, s->n_records ? s->n_records : j->n_records);
}

/* A job that the service does not know any more has left what it has left. */
static enum takc_status look(struct takc_batches *b, struct takc_call *call, const struct takc_batch_entry *j,
                             struct takc_batch_status *out, struct takc_err *err)
{
    enum takc_status st = takc_batch_look(b->m->aws, call, j->arn, out, err);
    if (st != TAKC_NO_MODEL) /* what a 404 of the service comes to, whatever was asked for */
        return st;
    *out = (struct takc_batch_status){.state = TAKC_BATCH_EXPIRED, .message = "the service does not know it any more"};
    return TAKC_OK;
}

/* A look that nobody answers says nothing of the job: the next one may. */
static enum takc_status watch_job(struct takc_batches *b, struct takc_call *call, const struct takc_batch_entry *j, struct takc_err *err)
{
    struct takc_batch_status s = {.state = TAKC_BATCH_WAITS};
    uint64_t first = b->poll_ms ? b->poll_ms : POLL_MS, wait = first;
    enum takc_status st = TAKC_OK;
    for (unsigned lost = 0; !st && !is_over(&s);) {
        tell(call, j, &s);
        st = takc_call_sleep(call, wait, err);
        wait = wait * 5 / 4 < POLL_TIMES * first ? wait * 5 / 4 + 1 : POLL_TIMES * first;
        st = st ? st : look(b, call, j, &s, err);
        bool again = (st == TAKC_UPSTREAM || st == TAKC_LIMITED || st == TAKC_TIMEOUT) && !takc_call_check(call, NULL);
        lost = st ? lost + 1 : 0;
        if (st && again && lost < LOST_MAX)
            st = TAKC_OK;
    }
    return st ? takc_err_prefix(err, st, "batch job %.*s goes on, and the same command goes on with it", TAKC_STR_ARG(j->arn)) : TAKC_OK;
}

enum takc_status takc_batches_watch(struct takc_batches *b, struct takc_call *call, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < b->n_jobs; i++)
        if (takc_batch_under_way(b, &b->jobs[i]) && b->jobs[i].arn.len)
            st = watch_job(b, call, &b->jobs[i], err);
    return st;
}

enum takc_status takc_batches_stop(struct takc_batches *b, struct takc_call *call, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < b->n_jobs; i++)
        if (takc_batch_under_way(b, &b->jobs[i]) && b->jobs[i].arn.len)
            st = takc_batch_stop(b->m->aws, call, b->jobs[i].arn, err);
    return st;
}

/* --- ended --- */

/* Reads and books what a job has left, and writes down that it is over. */
static enum takc_status close_job(struct takc_batches *b, struct takc_call *call, struct takc_batch_entry *j,
                                  const struct takc_batch_status *s, struct takc_err *err)
{
    enum takc_status st = takc_batch_results_read(b, call, j, true, err);
    if (st)
        return st;
    j->outcome = takc_str(state_name(s->state));
    st = takc_batch_state_put(b, call, err);
    if (st || s->state == TAKC_BATCH_DONE)
        return st;
    return takc_fail(err, TAKC_UPSTREAM, 0,
                     "batch job %.*s %s%s%s; %llu of its %llu records came back, and are kept; the same command asks "
                     "for the rest by another job, without --batch on demand",
                     TAKC_STR_ARG(j->arn), state_name(s->state), s->message[0] ? ": " : "", s->message, (unsigned long long)j->n_results,
                     (unsigned long long)j->n_records);
}

static enum takc_status settle_job(struct takc_batches *b, struct takc_call *call, size_t *at, bool *out_waits, struct takc_err *err)
{
    struct takc_batch_status s;
    if (!takc_batch_is_ours(b, &b->jobs[*at]))
        return TAKC_OK;
    if (b->jobs[*at].outcome.len)
        return takc_batch_results_read(b, call, &b->jobs[*at], false, err);
    if (!b->jobs[*at].arn.len)
        return go_on(b, call, at, out_waits, err);
    enum takc_status st = look(b, call, &b->jobs[*at], &s, err);
    if (!st && !is_over(&s))
        *out_waits = true;
    else if (!st)
        st = close_job(b, call, &b->jobs[*at], &s, err);
    return st;
}

enum takc_status takc_batches_settle(struct takc_batches *b, struct takc_call *call, bool *out_waits, struct takc_err *err)
{
    size_t n_short = 0;
    *out_waits = false;
    takc_batches_pass(b);
    enum takc_status st = takc_batch_state_read(b, call, err);
    for (size_t i = 0; !st && i < b->n_jobs; i++)
        st = settle_job(b, call, &i, out_waits, err);
    for (size_t i = 0; !st && i < b->n_jobs; i++)
        n_short +=
            takc_batch_is_ours(b, &b->jobs[i]) && takc_str_is(b->jobs[i].outcome, "done") && b->jobs[i].n_results < b->jobs[i].n_records;
    b->all_now = n_short > 1;
    takc_batch_results_sort(b);
    return st;
}

enum takc_status takc_batches_end(struct takc_batches *b, struct takc_call *call, struct takc_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n_jobs; i++) {
        if (takc_batch_is_ours(b, &b->jobs[i]) && b->jobs[i].outcome.len)
            remove_folder(b, call, &b->jobs[i]);
        else
            b->jobs[n++] = b->jobs[i];
    }
    if (n == b->n_jobs)
        return TAKC_OK;
    b->n_jobs = n;
    return takc_batch_state_put(b, call, err);
}

bool takc_batches_waiting(const struct takc_batches *b, struct takc_compress_report *out)
{
    for (size_t i = 0; i < b->n_jobs; i++)
        if (takc_batch_under_way(b, &b->jobs[i])) {
            (void)snprintf(out->job, sizeof(out->job), "%.*s", TAKC_STR_ARG(b->jobs[i].arn));
            out->job_records = b->jobs[i].n_records;
            out->job_most = b->jobs[i].most;
            return true;
        }
    return false;
}
