/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls that behave, on a clock that only moves when somebody sleeps, with the fake for a service and a ledger that remembers everything.
 */
#include "base/fault.h"
#include "base/thread.h"
#include "model/caller.h"
#include "model/fake.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static _Atomic uint64_t now_ns;

static uint64_t fake_mono(const struct takc_clock *c)
{
    (void)c;
    return atomic_load(&now_ns);
}

static int64_t fake_wall(const struct takc_clock *c)
{
    return (int64_t)(fake_mono(c) / 1000000000u);
}

static void fake_sleep(const struct takc_clock *c, uint64_t ns)
{
    (void)c;
    atomic_fetch_add(&now_ns, ns);
}

static const struct takc_clock clock_of_test = {fake_mono, fake_wall, fake_sleep};

/* --- a ledger in memory --- */

struct kept_row {
    struct takc_call_row row;
    char outcome[32], model[32], request_id[32], purpose[16];
    bool ended;
};
static struct ledger {
    struct kept_row rows[64];
    size_t n;
    uint64_t cap; /* picodollars; 0: none */
    uint64_t asked;
    enum takc_status begin_fails, end_fails;
    unsigned inside; /* callbacks under way: never two */
} ledger;

static void keep(struct kept_row *k, const struct takc_call_row *row)
{
    k->row = *row;
    (void)snprintf(k->outcome, sizeof(k->outcome), "%.*s", TAKC_STR_ARG(row->outcome));
    (void)snprintf(k->model, sizeof(k->model), "%.*s", TAKC_STR_ARG(row->model));
    (void)snprintf(k->request_id, sizeof(k->request_id), "%.*s", TAKC_STR_ARG(row->request_id));
    (void)snprintf(k->purpose, sizeof(k->purpose), "%.*s", TAKC_STR_ARG(row->purpose));
}

static enum takc_status allow(void *arg, struct takc_str task, uint64_t expected, struct takc_err *err)
{
    struct ledger *l = arg;
    assert_true(takc_str_is(task, "fin"));
    l->asked = expected;
    return l->cap && expected > l->cap ? takc_fail(err, TAKC_COST, 0, "the cap of the test") : TAKC_OK;
}

static enum takc_status begin(void *arg, const struct takc_call_row *row, int64_t *out_id, struct takc_err *err)
{
    struct ledger *l = arg;
    assert_int_equal(l->inside++, 0);
    if (l->begin_fails)
        return takc_fail(err, l->begin_fails, 0, "disk full");
    assert_true(l->n < 64 && takc_str_is(row->outcome, "lost"));
    keep(&l->rows[l->n], row);
    *out_id = (int64_t)l->n++;
    l->inside--;
    return TAKC_OK;
}

static enum takc_status end(void *arg, int64_t id, const struct takc_call_row *row, struct takc_err *err)
{
    struct ledger *l = arg;
    assert_int_equal(l->inside++, 0);
    l->inside--;
    if (l->end_fails)
        return takc_fail(err, l->end_fails, 0, "disk full");
    assert_in_range(id, 0, l->n - 1);
    assert_false(l->rows[id].ended);
    keep(&l->rows[id], row);
    l->rows[id].ended = true;
    return TAKC_OK;
}

/* --- a call --- */

struct world {
    struct takc_facts_table facts;
    struct takc_model *models[3];
    struct takc_caller *caller;
    struct takc_model_reply reply;
    struct takc_caller_sum sum;
    struct takc_call call;
    struct takc_err err;
    char said[4096]; /* deltas, one behind the other */
    size_t n_said, stop_after;
    bool stream;
};

static void world_open(struct world *w, const struct takc_fake_options *fakes, const char *const *names, size_t n,
                       struct takc_limit_options limit)
{
    struct takc_caller_model models[3];
    struct takc_caller_options o = {.models = models, .n_models = n, .facts = &w->facts, .retry = takc_retry_policy_default(), .seed = 1};
    *w = (struct world){0};
    ledger = (struct ledger){0};
    atomic_store(&now_ns, UINT64_C(1000000000000));
    limit.clock = &clock_of_test;
    assert_int_equal(takc_facts_load(&w->facts, NULL, NULL), TAKC_OK);
    for (size_t i = 0; i < n; i++) {
        struct takc_model_options mo = {.model = takc_str(names[i]), .clock = &clock_of_test, .fake = &fakes[i]};
        assert_int_equal(takc_model_open(&w->models[i], takc_str("fake"), &mo, NULL), TAKC_OK);
        models[i] = (struct takc_caller_model){w->models[i], takc_str(names[i]), limit};
    }
    o.ledger = (struct takc_call_ledger){allow, begin, end, &ledger};
    assert_int_equal(takc_caller_open(&w->caller, &o, NULL), TAKC_OK);
    takc_model_reply_init(&w->reply);
    takc_call_init(&w->call);
    w->call.clock = &clock_of_test;
}

/* One model with these steps. */
static void world_of(struct world *w, const struct takc_fake_step *steps, size_t n)
{
    static const char *const name = "fake-priced";
    struct takc_fake_options o = {.steps = steps, .n_steps = n};
    world_open(w, &o, &name, 1, (struct takc_limit_options){0});
}

static void world_close(struct world *w)
{
    for (size_t i = 0; i < 3; i++)
        takc_model_close(w->models[i]);
    takc_caller_close(w->caller);
    takc_facts_clear(&w->facts);
    takc_model_reply_clear(&w->reply);
}

static enum takc_status hear(void *arg, struct takc_str text, struct takc_err *err)
{
    struct world *w = arg;
    if (w->stop_after && w->n_said + text.len > w->stop_after)
        return takc_fail(err, TAKC_IO, 0, "the terminal is gone");
    memcpy(w->said + w->n_said, text.ptr, text.len);
    w->n_said += text.len;
    return TAKC_OK;
}

#define PROMPT "Keep it within 20 tokens:\n[1] Revenue rose to 42 million.\n[2] Costs fell.\n"
static const struct takc_model_block prompt = {.text = {PROMPT, sizeof(PROMPT) - 1}};

static enum takc_status ask_with(struct world *w, const struct takc_model_request *extra)
{
    const struct takc_model_message message = {TAKC_ROLE_USER, &prompt, 1};
    const struct takc_caller_what what = {takc_str("fin"), takc_str("v1"), takc_str("compress")};
    struct takc_model_request r = *extra;
    r.messages = &message;
    r.n_messages = 1;
    r.max_tokens = r.max_tokens ? r.max_tokens : 100;
    return takc_caller_complete(w->caller, &w->call, &what, &r, w->stream ? hear : NULL, w, &w->reply, &w->sum, &w->err);
}

static enum takc_status ask(struct world *w)
{
    return ask_with(w, &(struct takc_model_request){0});
}

static bool noted(const struct world *w, const char *text)
{
    return takc_str_find(takc_buf_str(&w->reply.notes), takc_str(text), 0) != SIZE_MAX;
}

static void text_is(const struct world *w, const char *text)
{
    if (!takc_str_is(takc_buf_str(&w->reply.text), text))
        fail_msg("'%.*s' is not '%s'; %s", TAKC_STR_ARG(takc_buf_str(&w->reply.text)), text, w->err.msg);
}

#define GOOD "Revenue rose to 42 million. [1]\nCosts fell. [2]\n"

/* --- the tests --- */

static void a_good_call_is_one_row(void **state)
{
    (void)state;
    struct world w;
    world_of(&w, NULL, 0);
    assert_int_equal(ask(&w), TAKC_OK);
    text_is(&w, GOOD);
    assert_int_equal(ledger.n, 1);
    const struct takc_call_row *row = &ledger.rows[0].row;
    assert_true(ledger.rows[0].ended && row->priced && !row->fallback && !row->batch);
    assert_string_equal(ledger.rows[0].outcome, "ok");
    assert_string_equal(ledger.rows[0].model, "fake-priced");
    assert_string_equal(ledger.rows[0].request_id, "fake-0");
    assert_string_equal(ledger.rows[0].purpose, "compress");
    assert_int_equal(row->at_s, 1000);
    assert_true(row->usage.input > 10 && row->usage.output > 5);
    assert_int_equal(row->picodollars, row->usage.input * 1000000 + row->usage.output * 2000000);
    assert_int_equal(w.sum.picodollars, row->picodollars);
    assert_int_equal(w.sum.tries, 1);
    assert_true(w.sum.priced && !w.sum.fallback);
    assert_int_equal(ledger.asked, row->usage.input * 1000000 + 100 * 2000000);
    assert_int_equal(w.reply.notes.len, 0);
    assert_string_equal(takc_caller_facts(w.caller)->id.ptr, "fake-priced*");
    world_close(&w);
}

static void what_may_pass_is_tried_again(void **state)
{
    (void)state;
    static const enum takc_failure again[] = {TAKC_FAILURE_THROTTLED,  TAKC_FAILURE_OVERLOADED, TAKC_FAILURE_SERVER,
                                              TAKC_FAILURE_CONNECTION, TAKC_FAILURE_TIMEOUT,    TAKC_FAILURE_GARBLED};
    for (size_t i = 0; i < sizeof(again) / sizeof(again[0]); i++) {
        struct world w;
        struct takc_fake_step steps[3] = {{.failure = again[i]}, {.failure = again[i]}, {.failure = again[i]}};
        world_of(&w, steps, 3);
        uint64_t from = atomic_load(&now_ns);
        assert_int_equal(ask(&w), TAKC_OK);
        text_is(&w, GOOD);
        assert_int_equal(takc_fake_tries(w.models[0]), 4);
        /* .5 + 1 + 2 s at most; a refusal for load teaches a rate, too, and that is waited for. */
        uint64_t most_ms = again[i] == TAKC_FAILURE_THROTTLED ? 33500 : 3500;
        assert_in_range((atomic_load(&now_ns) - from) / 1000000, 1, most_ms);
        assert_int_equal(ledger.n, 4);
        assert_string_equal(ledger.rows[0].outcome, takc_failure_name(again[i]));
        assert_int_equal(ledger.rows[3].row.attempt, 3);
        assert_true(noted(&w, takc_failure_name(again[i])) && noted(&w, "try 3"));
        world_close(&w);
    }
}

static void what_may_not_is_not(void **state)
{
    (void)state;
    static const struct {
        enum takc_failure failure;
        enum takc_status status;
    } rows[] = {{TAKC_FAILURE_DENIED, TAKC_DENIED},      {TAKC_FAILURE_NO_MODEL, TAKC_NO_MODEL}, {TAKC_FAILURE_UNTRUSTED, TAKC_UNTRUSTED},
                {TAKC_FAILURE_TOO_LONG, TAKC_INVALID},   {TAKC_FAILURE_INVALID, TAKC_INVALID},   {TAKC_FAILURE_PARAMETER, TAKC_INVALID},
                {TAKC_FAILURE_CANCELLED, TAKC_CANCELLED}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct world w;
        struct takc_fake_step steps[2] = {{.failure = rows[i].failure}, {.failure = rows[i].failure}};
        world_of(&w, steps, 2);
        assert_int_equal(ask(&w), rows[i].status);
        assert_int_equal(takc_fake_tries(w.models[0]), 1);
        assert_int_equal(w.err.status, rows[i].status);
        assert_non_null(strstr(w.err.msg, "fake fake-priced: request fake-0: "));
        assert_int_equal(ledger.n, 1);
        assert_string_equal(ledger.rows[0].outcome, takc_failure_name(rows[i].failure));
        world_close(&w);
    }
}

/* To who can do nothing with it, an empty reply is none: tried again, billed, and its row says so. One that is cut or blocked is that. */
static void an_empty_reply_is_none_to_who_needs_one(void **state)
{
    static const struct takc_fake_step empty = {.text = " \n"}, blocked = {.text = "", .blocked = true};
    const struct takc_model_request needs = {.needs_text = true};
    struct world w;
    (void)state;
    world_of(&w, &empty, 1);
    assert_int_equal(ask_with(&w, &needs), TAKC_OK);
    text_is(&w, GOOD);
    assert_int_equal(ledger.n, 2);
    assert_string_equal(ledger.rows[0].outcome, "garbled");
    assert_string_equal(ledger.rows[1].outcome, "ok");
    assert_true(ledger.rows[0].row.picodollars > 0 && !ledger.rows[0].row.usage.counted_here);
    world_close(&w);
    world_of(&w, &empty, 1);
    assert_int_equal(ask(&w), TAKC_OK);
    text_is(&w, " \n");
    assert_int_equal(ledger.n, 1);
    world_close(&w);
    world_of(&w, &blocked, 1);
    assert_int_equal(ask_with(&w, &needs), TAKC_OK);
    assert_string_equal(ledger.rows[0].outcome, "blocked");
    world_close(&w);
}

static void tries_end(void **state)
{
    (void)state;
    struct world w;
    struct takc_fake_step steps[8];
    for (size_t i = 0; i < 8; i++)
        steps[i] = (struct takc_fake_step){.failure = TAKC_FAILURE_THROTTLED};
    world_of(&w, steps, 8);
    assert_int_equal(ask(&w), TAKC_LIMITED);
    assert_int_equal(takc_fake_tries(w.models[0]), 4);
    assert_non_null(strstr(w.err.msg, "after 4 tries"));
    assert_int_equal(w.sum.tries, 4);
    assert_int_equal(w.sum.picodollars, 0); /* refused, not billed */
    world_close(&w);
}

static void what_was_asked_is_waited(void **state)
{
    (void)state;
    struct world w;
    struct takc_fake_step steps[] = {{.failure = TAKC_FAILURE_OVERLOADED, .after_ms = 30000}};
    world_of(&w, steps, 1);
    uint64_t from = atomic_load(&now_ns);
    assert_int_equal(ask(&w), TAKC_OK);
    assert_in_range((atomic_load(&now_ns) - from) / 1000000, 30000, 33001);
    world_close(&w);
    steps[0].after_ms = 120001; /* longer than anybody waits */
    world_of(&w, steps, 1);
    assert_int_equal(ask(&w), TAKC_UPSTREAM);
    assert_int_equal(takc_fake_tries(w.models[0]), 1);
    assert_true(noted(&w, "longer than takc waits"));
    assert_non_null(strstr(w.err.msg, "it asks to wait 120 s, longer than the 120 s that takc waits"));
    world_close(&w);
    steps[0].after_ms = UINT64_C(259200000); /* three days */
    steps[0].failure = TAKC_FAILURE_THROTTLED;
    world_of(&w, steps, 1);
    from = atomic_load(&now_ns);
    assert_int_equal(ask(&w), TAKC_LIMITED);
    assert_int_equal(atomic_load(&now_ns), from); /* told at once */
    assert_non_null(strstr(w.err.msg, "it asks to wait 259200 s"));
    world_close(&w);
    steps[0].failure = TAKC_FAILURE_OVERLOADED;
    steps[0].after_ms = 30000; /* past the deadline: the failure stays what it was, at once */
    world_of(&w, steps, 1);
    w.call.deadline_ns = atomic_load(&now_ns) + UINT64_C(10000000000);
    from = atomic_load(&now_ns);
    assert_int_equal(ask(&w), TAKC_UPSTREAM);
    assert_int_equal(atomic_load(&now_ns), from);
    world_close(&w);
}

/* No call waits longer between its tries than one try may take. */
static void waits_end_with_the_calls_limit(void **state)
{
    (void)state;
    struct world w;
    struct takc_model_request r = {.total_ms = 45000};
    struct takc_fake_step steps[4];
    for (size_t i = 0; i < 4; i++)
        steps[i] = (struct takc_fake_step){.failure = TAKC_FAILURE_OVERLOADED, .after_ms = 30000};
    world_of(&w, steps, 4);
    uint64_t from = atomic_load(&now_ns);
    assert_int_equal(ask_with(&w, &r), TAKC_UPSTREAM);
    assert_int_equal(takc_fake_tries(w.models[0]), 2);
    assert_in_range((atomic_load(&now_ns) - from) / 1000000, 30000, 45000);
    assert_non_null(strstr(w.err.msg, "it asks to wait 30 s, longer than the 1"));
    world_close(&w);
}

static void a_refused_parameter_is_left_out_for_good(void **state)
{
    (void)state;
    struct world w;
    struct takc_fake_step steps[] = {{.failure = TAKC_FAILURE_PARAMETER, .parameter = "top_p"}};
    struct takc_model_request r = {.has_temperature = true, .temperature = .1, .has_top_p = true, .top_p = .9};
    world_of(&w, steps, 1);
    uint64_t from = atomic_load(&now_ns);
    assert_int_equal(ask_with(&w, &r), TAKC_OK);
    assert_int_equal(takc_fake_tries(w.models[0]), 2);
    assert_int_equal(atomic_load(&now_ns), from); /* at once */
    assert_true(noted(&w, "top_p was refused by fake-priced and is left out from now on"));
    assert_int_equal(ledger.rows[1].row.attempt, 0);
    assert_int_equal(ask_with(&w, &r), TAKC_OK);
    assert_int_equal(takc_fake_tries(w.models[0]), 3); /* remembered */
    assert_true(noted(&w, "top_p is left out"));
    world_close(&w);
}

static void facts_decide_what_is_sent(void **state)
{
    (void)state;
    struct world w;
    struct takc_fake_options fake = {0};
    static const char *const name = "picky";
    world_open(&w, &fake, &name, 1, (struct takc_limit_options){0});
    static const char facts[] =
        "models:\n  - id: picky\n    provider: fake\n    max_output: 7\n    accepts: [temperature, top_p]\n    both_samplings: false\n";
    struct takc_str stop = takc_str("\n\n");
    struct takc_model_request r = {.has_temperature = true, .has_top_p = true, .top_p = 1, .stops = &stop, .n_stops = 1};
    assert_int_equal(ask_with(&w, &r), TAKC_OK);
    assert_false(noted(&w, "left out"));
    assert_false(w.sum.priced);
    assert_int_equal(takc_facts_read(&w.facts, takc_str(facts), "f", NULL), TAKC_OK);
    takc_caller_close(w.caller);
    struct takc_caller_model model = {w.models[0], takc_str(name), {.clock = &clock_of_test}};
    struct takc_caller_options o = {.models = &model, .n_models = 1, .facts = &w.facts, .retry = takc_retry_policy_default()};
    assert_int_equal(takc_caller_open(&w.caller, &o, NULL), TAKC_OK);
    assert_int_equal(ask_with(&w, &r), TAKC_OK);
    assert_true(noted(&w, "top_p is left out") && noted(&w, "stop sequences are left out") && noted(&w, "max_tokens is 7 instead of 100"));
    assert_false(noted(&w, "temperature is left out"));
    assert_int_equal(w.reply.stop, TAKC_STOP_LENGTH);
    world_close(&w);
}

static void fallbacks_are_said(void **state)
{
    (void)state;
    struct world w;
    static const char *const names[] = {"fake-priced-a", "fake-priced-b", "fake-priced-c"};
    struct takc_fake_step denied = {.failure = TAKC_FAILURE_DENIED}, down[4];
    for (size_t i = 0; i < 4; i++)
        down[i] = (struct takc_fake_step){.failure = TAKC_FAILURE_SERVER};
    struct takc_fake_options fakes[] = {{.steps = &denied, .n_steps = 1}, {.steps = down, .n_steps = 4}, {0}};
    world_open(&w, fakes, names, 3, (struct takc_limit_options){0});
    assert_int_equal(ask(&w), TAKC_OK);
    text_is(&w, GOOD);
    assert_true(w.sum.fallback);
    assert_string_equal(w.reply.model, "fake-priced-c");
    assert_int_equal(w.sum.tries, 6);
    assert_true(noted(&w, "fallback to fake fake-priced-b: fake fake-priced-a: ") && noted(&w, "fallback to fake fake-priced-c"));
    assert_int_equal(ledger.n, 6);
    assert_false(ledger.rows[0].row.fallback);
    assert_true(ledger.rows[1].row.fallback && ledger.rows[5].row.fallback);
    assert_string_equal(ledger.rows[5].model, "fake-priced-c");
    assert_int_equal(ask(&w), TAKC_OK); /* the first is asked first again */
    assert_string_equal(w.reply.model, "fake-priced-a");
    assert_false(w.sum.fallback);
    world_close(&w);
}

static void without_money_nothing_is_sent(void **state)
{
    (void)state;
    struct world w;
    static const char *const names[] = {"fake-priced-a", "fake-priced-b"};
    struct takc_fake_options fakes[2] = {{0}, {0}};
    world_open(&w, fakes, names, 2, (struct takc_limit_options){0});
    ledger.cap = 1;
    assert_int_equal(ask(&w), TAKC_COST);
    assert_non_null(strstr(w.err.msg, "the cap of the test"));
    assert_int_equal(takc_fake_tries(w.models[0]) + takc_fake_tries(w.models[1]), 0); /* another model is no way around it */
    assert_int_equal(ledger.n, 0);
    ledger.cap = 0;
    ledger.begin_fails = TAKC_FULL;
    assert_int_equal(ask(&w), TAKC_FULL);
    assert_int_equal(takc_fake_tries(w.models[0]) + takc_fake_tries(w.models[1]), 0);
    assert_non_null(strstr(w.err.msg, "nothing was sent"));
    world_close(&w);
}

static void a_paid_reply_is_kept_without_a_ledger(void **state)
{
    (void)state;
    struct world w;
    world_of(&w, NULL, 0);
    ledger.end_fails = TAKC_IO;
    assert_int_equal(ask(&w), TAKC_OK);
    text_is(&w, GOOD);
    assert_true(noted(&w, "the ledger could not be written (disk full): this call stays in it as lost"));
    assert_string_equal(ledger.rows[0].outcome, "lost");
    assert_int_equal(ledger.rows[0].row.picodollars, ledger.asked); /* at what it may have cost */
    world_close(&w);
}

static void broken_streams_are_not_repeated(void **state)
{
    (void)state;
    struct world w;
    struct takc_fake_step steps[] = {{.failure = TAKC_FAILURE_SERVER, .after_bytes = 20}};
    world_of(&w, steps, 1);
    w.stream = true;
    assert_int_equal(ask(&w), TAKC_UPSTREAM);
    assert_int_equal(w.n_said, 20);
    assert_int_equal(takc_fake_tries(w.models[0]), 1);
    assert_true(noted(&w, "the stream broke"));
    world_close(&w);
    world_of(&w, steps, 1); /* nobody listened: again */
    assert_int_equal(ask(&w), TAKC_OK);
    text_is(&w, GOOD);
    world_close(&w);
    steps[0].after_bytes = 0; /* nothing was said yet: again */
    world_of(&w, steps, 1);
    w.stream = true;
    assert_int_equal(ask(&w), TAKC_OK);
    assert_int_equal(takc_fake_tries(w.models[0]), 2);
    assert_int_equal(w.n_said, strlen(GOOD));
    assert_memory_equal(w.said, GOOD, w.n_said);
    world_close(&w);
}

static void who_listens_may_stop(void **state)
{
    (void)state;
    struct world w;
    world_of(&w, NULL, 0);
    w.stream = true;
    w.stop_after = 20;
    assert_int_equal(ask(&w), TAKC_IO);
    assert_non_null(strstr(w.err.msg, "the terminal is gone"));
    assert_int_equal(takc_fake_tries(w.models[0]), 1);
    assert_string_equal(ledger.rows[0].outcome, "stopped");
    assert_true(ledger.rows[0].row.usage.counted_here && ledger.rows[0].row.picodollars > 0); /* may have been billed */
    world_close(&w);
}

static void what_hangs_is_counted_and_ended(void **state)
{
    (void)state;
    struct world w;
    struct takc_fake_step steps[] = {{.hang = true, .after_bytes = 16}};
    struct takc_model_request r = {.total_ms = 5000};
    world_of(&w, steps, 1);
    w.stream = true;
    uint64_t from = atomic_load(&now_ns);
    assert_int_equal(ask_with(&w, &r), TAKC_TIMEOUT);
    assert_in_range((atomic_load(&now_ns) - from) / 1000000, 5000, 5100);
    assert_string_equal(ledger.rows[0].outcome, "timeout");
    assert_true(ledger.rows[0].row.usage.counted_here && ledger.rows[0].row.usage.input > 10 && ledger.rows[0].row.picodollars > 0);
    world_close(&w);
}

static void the_breaker_opens(void **state)
{
    (void)state;
    struct world w;
    struct takc_fake_step steps[6];
    static const char *const names[] = {"fake-priced-a", "fake-priced-b"};
    for (size_t i = 0; i < 6; i++)
        steps[i] = (struct takc_fake_step){.failure = TAKC_FAILURE_SERVER};
    struct takc_fake_options fakes[] = {{.steps = steps, .n_steps = 6}, {0}};
    world_open(&w, fakes, names, 2, (struct takc_limit_options){.open_after = 3});
    assert_int_equal(ask(&w), TAKC_OK);
    assert_int_equal(takc_fake_tries(w.models[0]), 3); /* then it was open: no fourth */
    assert_true(noted(&w, "was down 3 times in a row"));
    assert_int_equal(ask(&w), TAKC_OK);
    assert_int_equal(takc_fake_tries(w.models[0]), 3);
    assert_string_equal(w.reply.model, "fake-priced-b");
    atomic_fetch_add(&now_ns, UINT64_C(31000000000));
    assert_int_equal(ask(&w), TAKC_OK); /* one is let through, fails, and it is open again */
    assert_int_equal(takc_fake_tries(w.models[0]), 4);
    world_close(&w);
}

static void cancelled_is_at_once(void **state)
{
    (void)state;
    struct world w;
    world_of(&w, NULL, 0);
    atomic_store(&w.call.cancel, true);
    assert_int_equal(ask(&w), TAKC_CANCELLED);
    assert_int_equal(takc_fake_tries(w.models[0]), 0);
    assert_int_equal(w.reply.failure, TAKC_FAILURE_CANCELLED);
    world_close(&w);
}

static void cut_and_blocked_are_outcomes(void **state)
{
    (void)state;
    struct world w;
    struct takc_fake_step steps[] = {{.cut_bytes = 10}, {.blocked = true}, {.no_usage = true}};
    world_of(&w, steps, 3);
    assert_int_equal(ask(&w), TAKC_OK);
    assert_int_equal(w.reply.stop, TAKC_STOP_LENGTH);
    assert_int_equal(ask(&w), TAKC_OK);
    assert_int_equal(w.reply.stop, TAKC_STOP_BLOCKED);
    assert_int_equal(ask(&w), TAKC_OK);
    assert_true(w.sum.usage.counted_here && noted(&w, "counted here"));
    assert_string_equal(ledger.rows[0].outcome, "length");
    assert_string_equal(ledger.rows[1].outcome, "blocked");
    world_close(&w);
}

static void *asker(void *arg)
{
    struct world *w = arg;
    const struct takc_model_message message = {TAKC_ROLE_USER, &prompt, 1};
    const struct takc_caller_what what = {takc_str("fin"), takc_str("v1"), takc_str("compress")};
    struct takc_model_request r = {.messages = &message, .n_messages = 1, .max_tokens = 100};
    struct takc_model_reply reply;
    struct takc_caller_sum sum;
    takc_model_reply_init(&reply);
    intptr_t good = 0;
    for (int i = 0; i < 8; i++)
        good += !takc_caller_complete(w->caller, &w->call, &what, &r, NULL, NULL, &reply, &sum, NULL) && sum.tries == 1;
    takc_model_reply_clear(&reply);
    return (void *)good;
}

static void threads_share_a_caller(void **state)
{
    (void)state;
    struct world w;
    pthread_t t[8];
    world_of(&w, NULL, 0);
    for (int i = 0; i < 8; i++)
        assert_int_equal(takc_thread_start(&t[i], "asker", asker, &w, NULL), TAKC_OK);
    for (int i = 0; i < 8; i++) {
        void *good;
        assert_int_equal(pthread_join(t[i], &good), 0);
        assert_int_equal((intptr_t)good, 8);
    }
    assert_int_equal(ledger.n, 64);
    world_close(&w);
}

static void memory_may_be_short(void **state)
{
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct world w;
        world_of(&w, NULL, 0);
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        enum takc_status st = ask(&w);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        ledger.inside = 0;
        world_close(&w);
        if (!st)
            break;
        assert_int_equal(st, TAKC_NOMEM);
        assert_in_range(n, 1, 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_call_is_one_row),
        cmocka_unit_test(what_may_pass_is_tried_again),
        cmocka_unit_test(what_may_not_is_not),
        cmocka_unit_test(tries_end),
        cmocka_unit_test(an_empty_reply_is_none_to_who_needs_one),
        cmocka_unit_test(what_was_asked_is_waited),
        cmocka_unit_test(waits_end_with_the_calls_limit),
        cmocka_unit_test(a_refused_parameter_is_left_out_for_good),
        cmocka_unit_test(facts_decide_what_is_sent),
        cmocka_unit_test(fallbacks_are_said),
        cmocka_unit_test(without_money_nothing_is_sent),
        cmocka_unit_test(a_paid_reply_is_kept_without_a_ledger),
        cmocka_unit_test(broken_streams_are_not_repeated),
        cmocka_unit_test(who_listens_may_stop),
        cmocka_unit_test(what_hangs_is_counted_and_ended),
        cmocka_unit_test(the_breaker_opens),
        cmocka_unit_test(cancelled_is_at_once),
        cmocka_unit_test(cut_and_blocked_are_outcomes),
        cmocka_unit_test(threads_share_a_caller),
        cmocka_unit_test(memory_may_be_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
