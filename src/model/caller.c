/* SPDX-License-Identifier: Apache-2.0
 *
 * caller.c - a call from the first try to the last: who is asked, how often, what it cost.
 *
 * A call goes down the chain of models; with each it goes through tries. What one try came to decides: enough (done), again (after a wait),
 * at once (a parameter fewer), the next model, or the end. The ledger's callbacks are called under a lock of their own, so that their owner
 * need not have one; nothing else is called while a lock is held. */
#include "base/alloc.h"
#include "base/log.h"
#include "base/thread.h"
#include "model/caller_parts.h"

#include <stdio.h>

enum {
    NOTES_MAX = 64 << 10,
    TOTAL_MS = 600000 /* as takc_model_request's */,
    ADAPTIONS_MAX = 3 /* a provider has two ways to say it; more is going round in circles */
};

struct chained {
    struct takc_model *provider;
    struct takc_str model;
    struct takc_limit *limit;
    struct takc_model_facts facts;
    atomic_uint left_out; /* enum takc_left_out: refused once, not sent again */
};

struct takc_caller {
    struct takc_caller_options o;
    struct takc_arena arena;
    struct chained *models;
    struct {
        struct takc_mutex mu;
        struct takc_jitter jitter;
    } locked;
    struct takc_mutex ledger_mu;
};

/* --- open and close --- */

static enum takc_status open_model(struct takc_caller *c, size_t i, struct takc_err *err)
{
    const struct takc_caller_model *from = &c->o.models[i];
    struct chained *m = &c->models[i];
    m->provider = from->provider;
    m->model = takc_arena_dup(&c->arena, from->model);
    if (!m->model.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a caller");
    m->facts = takc_facts_find(c->o.facts, takc_str(m->provider->ops->name), m->model);
    if (!m->facts.has_price)
        takc_log(WARN, "model", "no price on file for %s %.*s: its calls count as free; set one with model.facts", m->provider->ops->name,
                 TAKC_STR_ARG(m->model));
    return takc_limit_open(&m->limit, &from->limit, err);
}

enum takc_status takc_caller_open(struct takc_caller **out, const struct takc_caller_options *o, struct takc_err *err)
{
    if (o->n_models == 0)
        return takc_fail(err, TAKC_INVALID, 0, "no model is set");
    struct takc_caller *c = takc_alloc(sizeof(*c));
    if (!c)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a caller");
    c->o = *o;
    if (!c->o.tokenizer)
        c->o.tokenizer = takc_tokenizer_find(takc_str("estimate"));
    takc_arena_init(&c->arena);
    c->locked.jitter = takc_jitter_seed(o->seed);
    enum takc_status st = takc_mutex_init(&c->locked.mu, err);
    if (!st && (st = takc_mutex_init(&c->ledger_mu, err)))
        takc_mutex_clear(&c->locked.mu);
    if (st) {
        takc_free(c);
        return st;
    }
    c->models = takc_arena_array(&c->arena, o->n_models, sizeof(*c->models));
    st = c->models ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a caller");
    for (size_t i = 0; !st && i < o->n_models; i++)
        st = open_model(c, i, err);
    if (st)
        takc_caller_close(c);
    else
        *out = c;
    return st;
}

void takc_caller_close(struct takc_caller *c)
{
    if (!c)
        return;
    for (size_t i = 0; c->models && i < c->o.n_models; i++)
        takc_limit_close(c->models[i].limit);
    takc_mutex_clear(&c->ledger_mu);
    takc_mutex_clear(&c->locked.mu);
    takc_arena_clear(&c->arena);
    takc_free(c);
}

const struct takc_model_facts *takc_caller_facts(const struct takc_caller *c)
{
    return &c->models[0].facts;
}

/* --- the ledger --- */

static enum takc_status ledger_allow(struct takc_caller *c, struct takc_str task, uint64_t expected, struct takc_err *err)
{
    const struct takc_call_ledger *l = &c->o.ledger;
    if (!l->allow)
        return TAKC_OK;
    takc_mutex_lock(&c->ledger_mu);
    enum takc_status st = l->allow(l->arg, task, expected, err);
    takc_mutex_unlock(&c->ledger_mu);
    return st;
}

static enum takc_status ledger_begin(struct takc_caller *c, const struct takc_call_row *row, int64_t *out_id, struct takc_err *err)
{
    const struct takc_call_ledger *l = &c->o.ledger;
    *out_id = 0;
    if (!l->begin)
        return TAKC_OK;
    takc_mutex_lock(&c->ledger_mu);
    enum takc_status st = l->begin(l->arg, row, out_id, err);
    takc_mutex_unlock(&c->ledger_mu);
    return st;
}

static enum takc_status ledger_end(struct takc_caller *c, int64_t id, const struct takc_call_row *row, struct takc_err *err)
{
    const struct takc_call_ledger *l = &c->o.ledger;
    if (!l->end)
        return TAKC_OK;
    takc_mutex_lock(&c->ledger_mu);
    enum takc_status st = l->end(l->arg, id, row, err);
    takc_mutex_unlock(&c->ledger_mu);
    return st;
}

/* --- one try --- */

struct calling {
    struct takc_caller *c;
    struct takc_call *call;
    const struct takc_caller_what *what;
    const struct takc_model_request *r;
    takc_model_delta_fn *delta;
    void *arg;
    struct takc_model_reply *reply;
    struct takc_caller_sum sum;
    struct takc_buf notes;
    struct chained *m;
    bool fallback, handed_on;                  /* handed_on: a delta went out */
    unsigned attempt, adaptions, sent_without; /* sent_without: what was left out of the try that was sent last */
    uint64_t waited_ms;                        /* between tries, of all models */
    uint64_t too_long_ms;                      /* what the last try asked to wait and is not waited; 0: nothing */
    enum takc_status delta_status;
};

enum next { NEXT_UNSET = 0, NEXT_DONE, NEXT_AGAIN, NEXT_MODEL, NEXT_END };

static enum takc_status hand_on(void *arg, struct takc_str text, struct takc_err *err)
{
    struct calling *k = arg;
    k->handed_on = k->handed_on || text.len > 0;
    k->delta_status = k->delta(k->arg, text, err);
    return k->delta_status;
}

static struct takc_call_row row_start(const struct calling *k, const struct takc_shaped *s)
{
    const struct takc_clock *clock = takc_clock_or_system(k->call ? k->call->clock : NULL);
    return (struct takc_call_row){.task = k->what->task,
                                  .version = k->what->version,
                                  .purpose = k->what->purpose,
                                  .provider = takc_str(k->m->provider->ops->name),
                                  .model = k->m->model,
                                  .outcome = takc_str("lost"),
                                  .usage = {.input = s->input_tokens, .output = s->output_tokens, .counted_here = true},
                                  .picodollars = takc_shape_cost(s, &k->m->facts),
                                  .attempt = k->attempt,
                                  .fallback = k->fallback,
                                  .priced = k->m->facts.has_price,
                                  .at_s = clock->wall_s ? clock->wall_s(clock) : 0};
}

/* A failed try is billed for what was worked on before it broke: unknown, so it is counted here. One that was refused is not billed. */
static void usage_of_failure(const struct calling *k, const struct takc_model_request *r)
{
    struct takc_model_reply *reply = k->reply;
    bool refused = reply->http >= 300 || !reply->sent;
    if (reply->usage.input || reply->usage.output)
        return;
    if (!refused)
        takc_model_count_here(k->c->o.tokenizer, r, reply);
}

static const char *outcome_of(const struct calling *k, enum takc_status st)
{
    if (st && k->reply->failure == TAKC_FAILURE_NONE)
        return "stopped"; /* by whoever took the deltas, or for lack of memory */
    if (st)
        return takc_failure_name(k->reply->failure);
    return k->reply->stop == TAKC_STOP_LENGTH ? "length" : k->reply->stop == TAKC_STOP_BLOCKED ? "blocked" : "ok";
}

static void sum_add(struct calling *k, const struct takc_call_row *row)
{
    struct takc_usage *u = &k->sum.usage;
    k->sum.tries++;
    k->sum.picodollars += row->picodollars;
    k->sum.priced = k->sum.priced && row->priced;
    u->input += row->usage.input;
    u->output += row->usage.output;
    u->cache_read += row->usage.cache_read;
    u->cache_write += row->usage.cache_write;
    u->counted_here = u->counted_here || row->usage.counted_here;
}

/* Writes how the try ended. A ledger that cannot be written is no reason to throw away a reply that was paid for: the row stays as it was
 * begun, lost and at its expected price, and the reply says so. */
static void finish_row(struct calling *k, int64_t id, struct takc_call_row *row, const struct takc_model_request *r, enum takc_status st)
{
    struct takc_err err = {0};
    struct takc_model_reply *reply = k->reply;
    if (st)
        usage_of_failure(k, r);
    row->usage = reply->usage;
    row->picodollars = takc_facts_cost(&k->m->facts, &reply->usage, false);
    row->request_id = takc_str(reply->request_id);
    row->outcome = takc_str(outcome_of(k, st));
    row->ms = reply->ms;
    row->first_token_ms = reply->first_token_ms;
    sum_add(k, row);
    takc_log_for(
        k->call, INFO, "model", "provider=%.*s model=%.*s purpose=%.*s attempt=%u outcome=%.*s request=%s in=%llu out=%llu ms=%llu",
        TAKC_STR_ARG(row->provider), TAKC_STR_ARG(row->model), TAKC_STR_ARG(row->purpose), row->attempt, TAKC_STR_ARG(row->outcome),
        reply->request_id, (unsigned long long)row->usage.input, (unsigned long long)row->usage.output, (unsigned long long)row->ms);
    if (ledger_end(k->c, id, row, &err)) {
        takc_log_for(k->call, WARN, "model", "ledger: %s; the call stays in it as lost", err.msg);
        takc_model_note(reply, "the ledger could not be written (%s): this call stays in it as lost", err.msg);
    }
}

static enum takc_limit_result limit_result(const struct calling *k, enum takc_status st)
{
    if (!st)
        return TAKC_LIMIT_OK;
    if (k->reply->failure == TAKC_FAILURE_THROTTLED)
        return TAKC_LIMIT_REFUSED;
    /* Out of the caller's own time: says nothing about the service. */
    return takc_failure_again(k->reply->failure) && !takc_call_check(k->call, NULL) ? TAKC_LIMIT_DOWN : TAKC_LIMIT_NEUTRAL;
}

/* Sends, with a row in the ledger around it. */
static enum takc_status send_once(struct calling *k, const struct takc_shaped *s, struct takc_err *err)
{
    struct takc_call_row row = row_start(k, s);
    uint64_t expected = s->input_tokens + s->output_tokens;
    int64_t id;
    enum takc_status st = ledger_begin(k->c, &row, &id, err);
    if (st) {
        takc_limit_leave(k->m->limit, TAKC_LIMIT_NEUTRAL, expected, 0);
        return takc_err_prefix(err, st, "ledger: nothing was sent");
    }
    k->delta_status = TAKC_OK;
    st = takc_model_complete(k->m->provider, k->call, &s->r, k->delta ? hand_on : NULL, k, k->reply, err);
    finish_row(k, id, &row, &s->r, st);
    uint64_t used = k->reply->usage.input + k->reply->usage.output + k->reply->usage.cache_write;
    takc_limit_leave(k->m->limit, limit_result(k, st), expected, used);
    return st;
}

/* Money, then a place; *out_next says where a failure in front of the try leads. */
static enum takc_status try_once(struct calling *k, enum next *out_next, struct takc_err *err)
{
    struct takc_shaped s;
    struct takc_buf notes;
    takc_buf_init(&notes, NOTES_MAX);
    takc_model_reply_reset(k->reply);
    *out_next = NEXT_END;
    k->sent_without = atomic_load(&k->m->left_out);
    enum takc_status st = takc_shape(&s, k->r, &k->m->facts, k->sent_without, k->c->o.tokenizer, &notes, err);
    s.r.model = k->m->model;
    if (!st && takc_str_find(takc_buf_str(&k->notes), takc_buf_str(&notes), 0) == SIZE_MAX)
        st = takc_buf_add(&k->notes, takc_buf_str(&notes), err);
    if (!st)
        st = ledger_allow(k->c, k->what->task, takc_shape_cost(&s, &k->m->facts), err);
    if (!st && (st = takc_limit_enter(k->m->limit, k->call, s.input_tokens + s.output_tokens, err))) {
        *out_next = st == TAKC_UPSTREAM ? NEXT_MODEL : NEXT_END;
        k->reply->failure = st == TAKC_UPSTREAM    ? TAKC_FAILURE_OVERLOADED
                            : st == TAKC_CANCELLED ? TAKC_FAILURE_CANCELLED
                                                   : TAKC_FAILURE_TIMEOUT;
    } else if (!st) {
        st = send_once(k, &s, err);
        *out_next = st ? NEXT_UNSET : NEXT_DONE;
    }
    takc_shape_clear(&s);
    takc_buf_clear(&notes);
    return st;
}

/* --- what came of it --- */

static void note(struct calling *k, const char *text)
{
    if (takc_buf_printf(&k->notes, NULL, "%s\n", text))
        takc_log_for(k->call, WARN, "model", "%s", text);
}

/* A parameter that the try had is left out from now on; false when there is nothing to leave out. */
static bool drop_parameter(struct calling *k)
{
    char text[256];
    struct takc_model_reply *reply = k->reply;
    if (reply->adapted)
        return ++k->adaptions <= ADAPTIONS_MAX;
    unsigned bit = takc_left_out_of(k->r, reply->parameter);
    if (!bit || k->sent_without & bit)
        return false;
    if (atomic_fetch_or(&k->m->left_out, bit) & bit) /* another call was told meanwhile, and has said so */
        return true;
    (void)snprintf(text, sizeof(text), "%s was refused by %.*s and is left out from now on", reply->parameter, TAKC_STR_ARG(k->m->model));
    takc_log_for(k->call, WARN, "model", "%s", text);
    note(k, text);
    return true;
}

static uint64_t draw_wait(struct calling *k)
{
    struct takc_caller *c = k->c;
    takc_mutex_lock(&c->locked.mu);
    uint64_t ms = takc_retry_wait_ms(&c->o.retry, &c->locked.jitter, k->attempt, k->reply->after_ms);
    takc_mutex_unlock(&c->locked.mu);
    return ms;
}

/* How long a call may still wait between its tries: as long as one try may take, whoever asks for more. */
static uint64_t wait_left(const struct calling *k)
{
    uint64_t all = k->r->total_ms ? k->r->total_ms : TOTAL_MS, left = all > k->waited_ms ? all - k->waited_ms : 0;
    return left < k->c->o.retry.max_after_ms ? left : k->c->o.retry.max_after_ms;
}

static void note_too_long(struct calling *k, uint64_t ms)
{
    char text[256];
    k->too_long_ms = ms;
    (void)snprintf(text, sizeof(text), "%.*s asks to wait %.0f s: longer than takc waits (%.0f s)", TAKC_STR_ARG(k->m->model),
                   (double)ms / 1000, (double)wait_left(k) / 1000);
    note(k, text);
}

/* Waits before the next try; false when there is to be none. A wait that the deadline does not allow leaves the failure what it was. */
static bool wait_again(struct calling *k)
{
    char text[256];
    const struct takc_model_reply *reply = k->reply;
    if (!takc_failure_again(reply->failure) || k->attempt >= k->c->o.retry.max_retries)
        return false;
    if (reply->after_ms > wait_left(k)) {
        note_too_long(k, reply->after_ms);
        return false;
    }
    uint64_t ms = draw_wait(k);
    if (ms > wait_left(k)) /* the jitter's part of it */
        ms = wait_left(k);
    (void)snprintf(text, sizeof(text), "try %u of %.*s: %s; waited %.1f s", k->attempt + 1, TAKC_STR_ARG(k->m->model),
                   takc_failure_name(reply->failure), (double)ms / 1000);
    if (takc_call_sleep(k->call, ms, NULL))
        return false;
    note(k, text);
    k->waited_ms += ms;
    k->attempt++;
    return true;
}

/* Behind a failed try that was sent. */
static enum next decide(struct calling *k)
{
    enum takc_failure f = k->reply->failure;
    if (f == TAKC_FAILURE_NONE || f == TAKC_FAILURE_CANCELLED || k->delta_status || takc_call_check(k->call, NULL))
        return NEXT_END;
    if (k->handed_on) {
        note(k, "the stream broke behind its first words: it is not tried again");
        return NEXT_END;
    }
    if (f == TAKC_FAILURE_PARAMETER && drop_parameter(k))
        return NEXT_AGAIN;
    return wait_again(k) ? NEXT_AGAIN : NEXT_MODEL;
}

/* What the failed call's notes say of why its tries ended, for whom gets the message alone. */
static void prefix_why_not_again(const struct calling *k, struct takc_err *err, enum takc_status st)
{
    const struct takc_model_reply *reply = k->reply;
    if (k->handed_on && reply->failure != TAKC_FAILURE_CANCELLED && !k->delta_status)
        (void)takc_err_prefix(err, st, "the stream broke behind its first words");
    else if (k->too_long_ms)
        (void)takc_err_prefix(err, st, "it asks to wait %.0f s, longer than the %.0f s that takc waits", (double)k->too_long_ms / 1000,
                              (double)wait_left(k) / 1000);
}

/* All tries with one model. */
static enum takc_status ask_model(struct calling *k, enum next *out_next, struct takc_err *err)
{
    enum takc_status st;
    k->attempt = 0;
    k->too_long_ms = 0;
    do {
        st = try_once(k, out_next, err);
        if (st && *out_next == NEXT_UNSET)
            *out_next = decide(k);
    } while (*out_next == NEXT_AGAIN);
    if (!st)
        return st;
    prefix_why_not_again(k, err, st);
    if (k->attempt)
        (void)takc_err_prefix(err, st, "after %u tries", k->attempt + 1);
    if (k->reply->request_id[0])
        (void)takc_err_prefix(err, st, "request %s", k->reply->request_id);
    return takc_err_prefix(err, st, "%s %.*s", k->m->provider->ops->name, TAKC_STR_ARG(k->m->model));
}

static void note_fallback(struct calling *k, const struct chained *to, const struct takc_err *err)
{
    char text[768];
    (void)snprintf(text, sizeof(text), "fallback to %s %.*s: %s", to->provider->ops->name, TAKC_STR_ARG(to->model), err->msg);
    takc_log_for(k->call, WARN, "model", "%s", text);
    note(k, text);
}

static enum takc_status ask_chain(struct calling *k, struct takc_err *err)
{
    struct takc_err failed = {0};
    enum takc_status st = TAKC_OK;
    enum next next = NEXT_MODEL;
    for (size_t i = 0; next == NEXT_MODEL && i < k->c->o.n_models; i++) {
        k->m = &k->c->models[i];
        k->fallback = i > 0;
        if (k->fallback)
            note_fallback(k, k->m, &failed);
        st = ask_model(k, &next, &failed);
    }
    if (st)
        return takc_fail(err, st, failed.detail, "%s", failed.msg);
    k->sum.fallback = k->fallback;
    k->sum.answered = (size_t)(k->m - k->c->models);
    return st;
}

/* Notes of the call stand in front of those of its last try. */
static void join_notes(struct calling *k)
{
    struct takc_buf *of_try = &k->reply->notes, all = *of_try;
    if (k->notes.len && !takc_buf_add(&k->notes, takc_buf_str(of_try), NULL)) {
        *of_try = k->notes;
        k->notes = all;
    }
    takc_buf_clear(&k->notes);
}

enum takc_status takc_caller_complete(struct takc_caller *c, struct takc_call *call, const struct takc_caller_what *what,
                                      const struct takc_model_request *r, takc_model_delta_fn *delta, void *arg,
                                      struct takc_model_reply *reply, struct takc_caller_sum *out_sum, struct takc_err *err)
{
    struct calling k = {.c = c, .call = call, .what = what, .r = r, .delta = delta, .arg = arg, .reply = reply, .sum = {.priced = true}};
    takc_buf_init(&k.notes, NOTES_MAX);
    enum takc_status st = ask_chain(&k, err);
    join_notes(&k);
    if (out_sum)
        *out_sum = k.sum;
    return st;
}
