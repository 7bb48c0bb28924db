/* SPDX-License-Identifier: Apache-2.0
 *
 * batches.c - a pass over the compressor with batch jobs in the place of calls (batches.h): what a job has answered, what is noted for the
 * next one, what is asked on demand. */
#include "pipeline/batches.h"
#include "base/alloc.h"
#include "base/log.h"
#include "pipeline/batches_parts.h"

#include <stdio.h>
#include <stdlib.h>

enum { MIN_RECORDS = 100, RECORD_MAX = 64 << 20 };

/* --- open and close --- */

static enum takc_status check(const struct takc_models *m, const struct takc_batch_settings *o, struct takc_str *out_uri,
                              struct takc_err *err)
{
    struct takc_s3_name place;
    *out_uri = o->uri;
    while (out_uri->len && out_uri->ptr[out_uri->len - 1] == '/')
        out_uri->len--;
    enum takc_status st = takc_models_can_batch(m, err);
    if (st)
        return st;
    if ((st = takc_s3_parse(*out_uri, &place, err)))
        return takc_err_prefix(err, st, "--batch");
    if (!takc_str_starts(o->role, takc_str("arn:aws")) || takc_str_find(o->role, takc_str(":role/"), 0) == SIZE_MAX)
        return takc_fail(err, TAKC_INVALID, 0,
                         "batch jobs need the ARN of a role that Bedrock assumes to read and write %.*s: --batch-role (model.batch_role)",
                         TAKC_STR_ARG(*out_uri));
    return TAKC_OK;
}

enum takc_status takc_batches_open(struct takc_batches **out, struct takc_home *home, struct takc_str task, struct takc_models *models,
                                   const struct takc_batch_settings *o, struct takc_err *err)
{
    struct takc_str uri;
    enum takc_status st = check(models, o, &uri, err);
    struct takc_batches *b = st ? NULL : takc_alloc(sizeof(*b));
    if (!b)
        return st ? st : takc_fail(err, TAKC_NOMEM, 0, "no memory for batch jobs");
    if ((st = takc_mutex_init(&b->locked.mu, err))) {
        takc_free(b);
        return st;
    }
    takc_arena_init(&b->arena);
    takc_arena_init(&b->locked.arena);
    b->home = home;
    b->m = models;
    b->min_records = o->min_records ? o->min_records : MIN_RECORDS;
    b->poll_ms = o->poll_ms;
    b->now_level = SIZE_MAX;
    b->task = takc_arena_dup(&b->arena, task);
    b->uri = takc_arena_dup(&b->arena, uri);
    b->role = takc_arena_dup(&b->arena, o->role);
    if (b->task.ptr && b->uri.ptr && b->role.ptr) {
        *out = b;
        return TAKC_OK;
    }
    takc_batches_close(b);
    return takc_fail(err, TAKC_NOMEM, 0, "no memory for batch jobs");
}

void takc_batches_close(struct takc_batches *b)
{
    if (!b)
        return;
    takc_batch_results_clear(b);
    takc_free(b->texts);
    takc_free(b->results);
    takc_free(b->jobs);
    takc_free(b->locked.noted);
    takc_arena_clear(&b->locked.arena);
    takc_mutex_clear(&b->locked.mu);
    takc_arena_clear(&b->arena);
    takc_free(b);
}

/* --- one request --- */

void takc_batches_pass(struct takc_batches *b)
{
    b->level = 0;
    b->again = b->wants_job = false;
    b->locked.n = 0;
    takc_arena_clear(&b->locked.arena);
    takc_arena_init(&b->locked.arena);
}

static void add_sum(struct takc_batches_sum *s, const struct takc_usage *u, uint64_t picodollars, bool priced)
{
    s->calls++;
    s->input_tokens += u->input + u->cache_read + u->cache_write;
    s->output_tokens += u->output;
    s->picodollars += picodollars;
    s->unpriced = s->unpriced || !priced;
}

/* A window that is made again in another pass gives the same result, which was paid for once. */
static void note_served(struct takc_batches *b, struct takc_batch_result *from, const struct takc_usage *u)
{
    const struct takc_model_facts *f = takc_models_facts(b->m);
    takc_mutex_lock(&b->locked.mu);
    if (!from->served)
        add_sum(&b->sums[b->level], u, takc_facts_cost(f, u, true), f->has_price);
    from->served = true;
    takc_mutex_unlock(&b->locked.mu);
}

void takc_batches_note_call(struct takc_batches *b, const struct takc_caller_sum *sum)
{
    takc_mutex_lock(&b->locked.mu);
    add_sum(&b->sums[b->level], &sum->usage, sum->picodollars, sum->priced);
    b->sums[b->level].on_demand++;
    b->sums[b->level].fallback = b->sums[b->level].fallback || sum->fallback;
    takc_mutex_unlock(&b->locked.mu);
}

struct takc_batches_sum takc_batches_sum_of(const struct takc_batches *b, size_t level)
{
    return b->sums[level];
}

void takc_batches_tell(const struct takc_batches *b, struct takc_compress_report *out)
{
    for (size_t i = 0; i < TAKC_PROFILE_RATES_MAX; i++) {
        out->batch_replies += b->sums[i].calls - b->sums[i].on_demand;
        out->batch_on_demand += b->sums[i].on_demand;
    }
}

static enum takc_status answer(struct takc_batches *b, struct takc_batch_result *from, struct takc_generate_reply *out,
                               struct takc_err *err)
{
    struct takc_model_reply reply;
    char id[TAKC_BATCH_ID_MAX];
    takc_model_reply_init(&reply);
    enum takc_status st = takc_models_read_record(b->m, from->line, id, &reply, err);
    st = st ? st : takc_buf_add(&out->text, takc_buf_str(&reply.text), err);
    out->cut = reply.stop == TAKC_STOP_LENGTH;
    out->blocked = reply.stop == TAKC_STOP_BLOCKED;
    if (!st)
        note_served(b, from, &reply.usage);
    takc_model_reply_clear(&reply);
    return st;
}

static enum takc_status note_locked(struct takc_batches *b, const char *id, struct takc_str line, uint64_t most, struct takc_err *err)
{
    struct takc_batch_noted r = {takc_arena_dup(&b->locked.arena, takc_str(id)), takc_arena_dup(&b->locked.arena, line), most};
    if (!r.id.ptr || !r.line.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for records of a batch job");
    enum takc_status st = takc_grow(&b->locked.noted, &b->locked.cap, b->locked.n + 1, sizeof(*b->locked.noted), err);
    if (!st)
        b->locked.noted[b->locked.n++] = r;
    return st;
}

static enum takc_status note(struct takc_batches *b, const char *id, const struct takc_model_request *r, struct takc_err *err)
{
    struct takc_buf line;
    uint64_t most = 0;
    takc_buf_init(&line, RECORD_MAX);
    enum takc_status st = takc_models_write_record(b->m, takc_str(id), r, &line, &most, err);
    takc_mutex_lock(&b->locked.mu);
    st = st ? st : note_locked(b, id, takc_buf_str(&line), most, err);
    takc_mutex_unlock(&b->locked.mu);
    takc_buf_clear(&line);
    return st;
}

enum takc_status takc_batches_ask(struct takc_batches *b, struct takc_str purpose, const struct takc_model_request *r,
                                  struct takc_generate_reply *out, bool *out_now, struct takc_err *err)
{
    char id[TAKC_BATCH_ID_MAX];
    size_t failed = 0;
    *out_now = false;
    enum takc_status st = takc_batch_id(b, purpose, r, id, err);
    struct takc_batch_result *known = st ? NULL : takc_batch_result_find(b, id, &failed);
    if (st)
        return st;
    if (known)
        return answer(b, known, out, err);
    *out_now = failed > 1 || b->all_now || b->level == b->now_level; /* what failed in two jobs will in a third */
    out->later = !*out_now;
    return *out_now ? TAKC_OK : note(b, id, r, err);
}

/* --- the pass --- */

static int by_id(const void *a, const void *b)
{
    return takc_str_cmp(((const struct takc_batch_noted *)a)->id, ((const struct takc_batch_noted *)b)->id);
}

/* In an order that does not depend on threads, each once: two windows may ask the same. */
static size_t sort_noted(struct takc_batches *b)
{
    struct takc_batch_noted *v = b->locked.noted;
    size_t n = 0;
    if (b->locked.n)
        qsort(v, b->locked.n, sizeof(*v), by_id);
    for (size_t i = 0; i < b->locked.n; i++)
        if (!n || !takc_str_eq(v[i].id, v[n - 1].id))
            v[n++] = v[i];
    b->locked.n = n;
    return n;
}

enum takc_status takc_batches_level(struct takc_batches *b, size_t level, struct takc_err *err)
{
    size_t n = sort_noted(b); /* the threads that ask are done */
    if (!n) {
        b->level = level + 1;
        return TAKC_OK;
    }
    b->again = n < b->min_records;
    b->wants_job = !b->again;
    if (b->again) {
        b->now_level = level;
        takc_log(INFO, "batch", "%zu records are too few for a job (model.batch_min_records): they are asked on demand", n);
    }
    return takc_fail(err, TAKC_BUSY, 0, "%zu records wait for a batch job", n);
}

bool takc_batches_again(const struct takc_batches *b)
{
    return b->again;
}

bool takc_batches_wants_job(const struct takc_batches *b)
{
    return b->wants_job;
}
