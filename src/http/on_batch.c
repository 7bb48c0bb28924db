/* SPDX-License-Identifier: Apache-2.0
 *
 * on_batch.c - POST /query/batch: many questions of one task, a few at a time, each with its own status.
 *
 * The handler's fiber takes questions one after the other, and so do a few more fibers that help it; it is over when all are answered, not
 * when the helpers have ended: one that comes late finds nothing to do, and touches the exchange no more. */
#include "http/limits.h"
#include "http/observe.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fiber.h"
#include "base/thread.h"

#include <math.h>
#include <stdio.h>

enum { HELPERS = 7 };

struct item {
    json_t *asked; /* the batch's fields with the question's own */
    json_t *reply; /* NULL: no memory for it */
    bool good;
    struct takc_refusal refusal; /* of one that failed */
    struct takc_err err;
    struct takc_observed seen;
};
struct batch { /* held by the handler and each helper */
    atomic_uint n_refs;
    atomic_size_t next;
    size_t n;
    struct takc_exchange *x;
    const struct takc_asked *asked;
    struct item *items;
    struct {
        struct takc_mutex mu;
        struct takc_cond all;
        size_t n_done;
    } locked;
};

/* ---- one question ---- */

static json_t *said(struct item *it, const struct takc_query_result *r)
{
    const struct takc_query_reply reply = {
        .query = takc_json_get_str(it->asked, "query"), .task_type = takc_json_get_str(it->asked, "task_type"), .result = r};
    json_t *v = takc_query_reply_json(&reply);
    if (v && json_object_set_new(v, "status", json_string("ok")) == 0)
        return v;
    json_decref(v);
    return NULL;
}

static json_t *refused(const struct item *it)
{
    return json_pack("{so ss s{ss so}}", "query", takc_json_str(takc_json_get_str(it->asked, "query")), "status", "failed", "error", "code",
                     it->refusal.code, "message", takc_json_str(it->refusal.message));
}

static void answer(const struct batch *b, struct item *it)
{
    struct takc_question q = {.o = {.n_documents = 0}};
    struct takc_query_result r = {0};
    struct takc_str model = takc_json_get_str(it->asked, "model");
    takc_observe_item_begin(b->x, &it->seen);
    enum takc_status st = takc_question_of_body(b->asked->api, it->asked, &q, &it->err);
    if (!st)
        st = takc_question_model(b->asked, model, &q, &it->err);
    if (!st)
        st = takc_question_answer(b->asked, &it->seen.item.call, &q, &r, &it->err);
    takc_limits_spent(b->asked, &r);
    takc_observe_item(b->x, b->asked, &q.o, st, &r, &it->seen);
    it->good = !st;
    if (st)
        it->refusal = takc_question_refusal(b->x, model.len > 0, st, &r, &it->err);
    it->reply = st ? refused(it) : said(it, &r);
    takc_query_result_free(&r);
    takc_question_clear(&q);
}

/* ---- all of them ---- */

static void unref(void *arg)
{
    struct batch *b = arg;
    if (atomic_fetch_sub(&b->n_refs, 1) > 1)
        return;
    takc_cond_clear(&b->locked.all);
    takc_mutex_clear(&b->locked.mu);
    takc_free(b);
}

static void work(struct batch *b)
{
    for (size_t i; (i = atomic_fetch_add(&b->next, 1)) < b->n;) {
        answer(b, &b->items[i]);
        takc_fiber_yield(); /* a hundred questions of lines are half a minute of computing */
        takc_mutex_lock(&b->locked.mu);
        if (++b->locked.n_done == b->n)
            takc_cond_signal(&b->locked.all);
        takc_mutex_unlock(&b->locked.mu);
    }
}

static void help(void *arg)
{
    work(arg);
    unref(arg);
}

static void run(struct batch *b)
{
    size_t helpers = b->n - 1 < HELPERS ? b->n - 1 : HELPERS;
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < helpers && !st; i++) {
        atomic_fetch_add(&b->n_refs, 1);
        st = takc_exchange_fork(b->x, (struct takc_job){help, unref, b}, NULL);
        if (st)
            unref(b);
    }
    work(b);
    takc_mutex_lock(&b->locked.mu);
    while (b->locked.n_done < b->n)
        takc_cond_wait(&b->locked.all, &b->locked.mu);
    takc_mutex_unlock(&b->locked.mu);
}

/* ---- reading and replying ---- */

/* The batch's fields, and over them those of the question. A rate of its own takes the place of both of the batch's. NULL: no memory. */
static json_t *merge(const json_t *body, json_t *item)
{
    json_t *o = json_copy((json_t *)(uintptr_t)body);
    bool good = o && json_object_del(o, "queries") == 0;
    if (json_is_string(item)) {
        good = good && json_object_set(o, "query", item) == 0;
    } else if (good) {
        if (json_object_get(item, "compression_rate") || json_object_get(item, "factor")) {
            (void)json_object_del(o, "compression_rate");
            (void)json_object_del(o, "factor");
        }
        good = json_object_update(o, item) == 0;
    }
    if (good)
        return o;
    json_decref(o);
    return NULL;
}

static struct batch *make(struct takc_exchange *x, const struct takc_asked *asked)
{
    const json_t *list = json_object_get(asked->body, "queries");
    struct batch *b = takc_alloc(sizeof(*b));
    if (!b)
        return NULL;
    b->x = x;
    b->asked = asked;
    b->n = json_array_size(list);
    atomic_init(&b->n_refs, 1);
    b->items = takc_arena_array(&x->arena, b->n, sizeof(*b->items));
    if (!b->items || takc_mutex_init(&b->locked.mu, NULL)) {
        takc_free(b);
        return NULL;
    }
    if (takc_cond_init(&b->locked.all, NULL)) {
        takc_mutex_clear(&b->locked.mu);
        takc_free(b);
        return NULL;
    }
    return b;
}

static bool read_items(struct batch *b)
{
    const json_t *list = json_object_get(b->asked->body, "queries");
    bool good = true;
    for (size_t i = 0; i < b->n; i++) {
        b->items[i].asked = merge(b->asked->body, json_array_get(list, i));
        good &= b->items[i].asked != NULL;
    }
    return good;
}

static void drop_items(struct batch *b)
{
    for (size_t i = 0; i < b->n; i++) {
        json_decref(b->items[i].asked);
        json_decref(b->items[i].reply);
    }
}

/* NULL: no memory. */
static json_t *sum_up(const struct batch *b, size_t n_good, double ms)
{
    json_t *results = json_array();
    bool good = results != NULL;
    for (size_t i = 0; i < b->n && good; i++)
        good = b->items[i].reply && json_array_append(results, b->items[i].reply) == 0;
    json_t *v = good ? json_pack("{sO s{sI sI sI sf}}", "results", results, "summary", "total_queries", (json_int_t)b->n, "successful",
                                 (json_int_t)n_good, "failed", (json_int_t)(b->n - n_good), "total_processing_time_ms", ms)
                     : NULL;
    json_decref(results);
    return v;
}

static void say(struct batch *b, double ms)
{
    char text[96];
    size_t n_good = 0;
    for (size_t i = 0; i < b->n; i++) {
        n_good += b->items[i].good;
        takc_observe_sum(b->x, &b->items[i].seen);
    }
    (void)snprintf(text, sizeof(text), "%.6f", (double)b->x->noted.answer.picodollars / 1e12);
    takc_exchange_header(b->x, "x-takc-cost-usd", takc_str(text));
    json_t *v = sum_up(b, n_good, ms);
    if (n_good || !v) {
        takc_api_json(b->x, 200, v);
        return;
    }
    const struct takc_refusal *f = &b->items[0].refusal; /* a failed call is never a 200 */
    (void)snprintf(text, sizeof(text), "none of %zu questions was answered; details has each", b->n);
    takc_question_retry(b->x, f);
    takc_api_refuse(b->x, f->status, f->code, takc_str(text), v);
}

void takc_on_query_batch(struct takc_exchange *x, const struct takc_asked *asked)
{
    const struct takc_clock *clock = takc_clock_system();
    uint64_t from = clock->mono_ns(clock);
    size_t n = json_array_size(json_object_get(asked->body, "queries"));
    /* One was counted at the head: now all of them are, or none. */
    if (!takc_api_may_task(x, asked, takc_json_get_str(asked->body, "task_type")) || !takc_limits_more(x, asked, n - 1, 1))
        return;
    struct batch *b = make(x, asked);
    if (!b) {
        takc_api_json(x, 200, NULL);
        return;
    }
    if (read_items(b)) {
        run(b);
        say(b, round((double)(clock->mono_ns(clock) - from) / 1e3) / 1e3);
    } else {
        takc_api_json(x, 200, NULL);
    }
    drop_items(b);
    unref(b);
}
