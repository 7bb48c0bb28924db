/* SPDX-License-Identifier: Apache-2.0
 *
 * generate.c - the compressor's callbacks over a home, and the rates of a version made with them. How a version was made is written down
 * by generate_how.c. */
#include "pipeline/generate.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/thread.h"
#include "pipeline/batches.h"
#include "verify/verify.h"

#include <stdio.h>
#include <stdlib.h>

struct run { /* one compress by a model */
    struct takc_build *b;
    struct takc_generation *g;
    takc_generation_put_fn *put;
    void *put_arg;
    struct takc_models_spent before; /* what was spent up to the rate at hand */
    uint64_t withheld_before;
    takc_progress_fn *progress; /* the call's own */
    void *progress_arg;
    struct {
        struct takc_mutex mu;
        struct takc_str *keys; /* of replies that were used, in the order they came, repeated */
        size_t n, cap;
        struct takc_arena arena;
        uint64_t n_withheld, n_windows_withheld;
    } locked;
};

/* --- what asks --- */

/* What a reply of that one of the chain depends on beside its prompt. */
static enum takc_status text_of(const struct takc_generation *g, size_t who, struct takc_arena *a, struct takc_str *out,
                                struct takc_err *err)
{
    struct takc_str name = g->n_chain ? g->chain[who] : g->model;
    char *text = takc_arena_printf(a, "generative " TAKC_GENERATIVE_VERSION ", model %.*s, temperature %.3f, max_tokens %u%s%.*s",
                                   TAKC_STR_ARG(name), g->temperature, g->max_tokens, g->guardrail.len ? ", guardrail " : "",
                                   TAKC_STR_ARG(g->guardrail));
    *out = takc_str(text);
    return text ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a fingerprint");
}

enum takc_status takc_generation_text(const struct takc_generation *g, struct takc_arena *a, struct takc_str *out, struct takc_err *err)
{
    enum takc_status st = text_of(g, 0, a, out, err);
    for (size_t i = 1; !st && i < g->n_chain; i++) {
        char *longer = takc_arena_printf(a, "%.*s, fallback %.*s", TAKC_STR_ARG(*out), TAKC_STR_ARG(g->chain[i]));
        *out = takc_str(longer);
        st = longer ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a fingerprint");
    }
    return st;
}

enum takc_status takc_generation_add_key(const struct takc_generation *g, struct takc_buf *to, struct takc_err *err)
{
    enum takc_status st = takc_buf_printf(to, err, "\nexamples %zu", g->n_examples);
    for (size_t i = 0; i < g->n_examples && !st; i++) {
        st = takc_buf_printf(to, err, "\n%zu %zu ", g->examples[i].input.len, g->examples[i].output.len);
        if (!st)
            st = takc_buf_add(to, g->examples[i].input, err);
        if (!st)
            st = takc_buf_add(to, g->examples[i].output, err);
    }
    return st;
}

/* Nobody is to be asked: the window becomes extracts. */
static enum takc_status withhold(struct run *r, const struct takc_generate_ask *ask, struct takc_generate_reply *out)
{
    takc_mutex_lock(&r->locked.mu);
    r->locked.n_withheld++;
    r->locked.n_windows_withheld += !takc_str_is(ask->purpose, "repair");
    takc_mutex_unlock(&r->locked.mu);
    out->blocked = true;
    return TAKC_OK;
}

/* Is a prefix of so many bytes worth a mark behind which the provider caches? */
static bool is_worth_caching(const struct takc_models *m, struct takc_str system)
{
    const struct takc_model_facts *f = takc_models_facts(m);
    return f->cache_points && f->cache_min && system.len / 4 >= f->cache_min;
}

struct asking { /* an ask as models take it */
    struct takc_model_block system, prompt;
    struct takc_model_message message;
    struct takc_model_request r;
};

static void fill_request(const struct run *r, const struct takc_generate_ask *ask, struct asking *x)
{
    const struct takc_generation *g = r->g;
    *x = (struct asking){.system = {.text = ask->system, .cache_point = is_worth_caching(g->models, ask->system)},
                         .prompt = {.text = ask->prompt},
                         .message = {.role = TAKC_ROLE_USER, .blocks = &x->prompt, .n_blocks = 1},
                         .r = {.system = &x->system,
                               .n_system = 1,
                               .messages = &x->message,
                               .n_messages = 1,
                               .max_tokens = g->max_tokens && g->max_tokens < ask->max_tokens ? g->max_tokens : ask->max_tokens,
                               .has_temperature = true,
                               .temperature = g->temperature}};
}

static enum takc_status ask_models(struct run *r, const struct takc_generate_ask *ask, const struct takc_model_request *q,
                                   struct takc_generate_reply *out, struct takc_err *err)
{
    struct takc_model_reply reply;
    struct takc_caller_sum sum;
    takc_model_reply_init(&reply);
    enum takc_status st = takc_models_complete(r->g->models, r->b->call, r->b->label, ask->purpose, q, NULL, NULL, &reply, &sum, err);
    if (st)
        takc_models_next_step(reply.failure, "run it again later, replies that came are kept",
                              "take fewer or shorter examples, or a model with a larger window", err);
    else
        st = takc_buf_add(&out->text, takc_buf_str(&reply.text), err);
    out->cut = reply.stop == TAKC_STOP_LENGTH;
    out->blocked = reply.stop == TAKC_STOP_BLOCKED;
    out->who = sum.answered;
    takc_model_reply_clear(&reply);
    if (r->g->batches)
        takc_batches_note_call(r->g->batches, &sum);
    return st;
}

static enum takc_status generate(void *arg, const struct takc_generate_ask *ask, struct takc_generate_reply *out, struct takc_err *err)
{
    struct run *r = arg;
    struct asking x;
    bool now = true;
    if (!r->g->models)
        return withhold(r, ask, out);
    fill_request(r, ask, &x);
    enum takc_status st = r->g->batches ? takc_batches_ask(r->g->batches, ask->purpose, &x.r, out, &now, err) : TAKC_OK;
    return st || !now ? st : ask_models(r, ask, &x.r, out, err);
}

static enum takc_status end_level(void *arg, size_t level, struct takc_err *err)
{
    struct run *r = arg;
    return takc_batches_level(r->g->batches, level, err);
}

/* --- kept replies --- */

static enum takc_status note_key(struct run *r, struct takc_str key, struct takc_err *err)
{
    takc_mutex_lock(&r->locked.mu);
    struct takc_str copy = takc_arena_dup(&r->locked.arena, key);
    enum takc_status st = copy.ptr ? takc_grow(&r->locked.keys, &r->locked.cap, r->locked.n + 1, sizeof(*r->locked.keys), err)
                                   : takc_fail(err, TAKC_NOMEM, 0, "no memory for keys of replies");
    if (!st)
        r->locked.keys[r->locked.n++] = copy;
    takc_mutex_unlock(&r->locked.mu);
    return st;
}

/* "12" of "replies/t/KEY/12.txt"; false for what nobody of us put there. */
static bool share_of(struct takc_str key, uint32_t *out)
{
    size_t from = key.len;
    uint64_t v = 0;
    while (from > 0 && key.ptr[from - 1] != '/')
        from--;
    if (!takc_str_ends(key, takc_str(".txt")) || takc_str_u64(takc_str_slice(key, from, key.len - 4), UINT32_MAX, &v, NULL))
        return false;
    *out = (uint32_t)v;
    return true;
}

static enum takc_status tell_reply(struct run *r, struct takc_str key, takc_kept_fn *each, void *arg, bool *out_any, struct takc_err *err)
{
    struct takc_store_view v;
    uint32_t share;
    if (!share_of(key, &share))
        return TAKC_OK;
    enum takc_status st = takc_store_view(takc_home_store(r->b->home), r->b->call, key, &v, err);
    if (st)
        return st == TAKC_NOT_FOUND ? TAKC_OK : st;
    *out_any = true;
    st = each(arg, share, v.bytes, err);
    takc_store_view_close(&v);
    return st;
}

static enum takc_status find_reply(void *arg, struct takc_str key, takc_kept_fn *each, void *each_arg, struct takc_err *err)
{
    struct run *r = arg;
    struct takc_arena a;
    struct takc_key_list list = {0};
    bool any = false;
    takc_arena_init(&a);
    struct takc_key prefix = takc_key_replies(r->b->task, key);
    enum takc_status st = takc_home_keys(takc_home_store(r->b->home), r->b->call, takc_str(prefix.s), &a, &list, err);
    for (size_t i = 0; i < list.n && !st; i++)
        st = tell_reply(r, list.keys[i], each, each_arg, &any, err);
    if (!st && any)
        st = note_key(r, key, err);
    takc_arena_clear(&a);
    return st;
}

/* Without the call: a reply that came is paid for, and kept though the run was stopped meanwhile. */
static enum takc_status keep_reply(void *arg, struct takc_str key, uint32_t share_tokens, struct takc_str reply, struct takc_err *err)
{
    struct run *r = arg;
    struct takc_key to = takc_key_reply(r->b->task, key, share_tokens);
    enum takc_status st = takc_store_put_bytes(takc_home_store(r->b->home), NULL, takc_str(to.s), reply, err);
    return st ? st : note_key(r, key, err);
}

/* --- a run --- */

/* Where no originals may be kept, replies go with them: they may say more than the artifacts. */
static enum takc_status put_how(struct run *r, struct takc_err *err)
{
    size_t n = r->b->profile->keep_originals ? r->locked.n : 0;
    return takc_generation_put(r->b->home, r->b->task, r->b->label, r->g, r->locked.keys, n, err);
}

static void fill_counts(struct takc_ledger_generated *row, const struct takc_generative_counts *n)
{
    row->windows = n->windows;
    row->calls = n->calls;
    row->reused = n->reused;
    row->repairs = n->repairs;
    row->splits = n->splits;
    row->lines_kept = n->lines_kept;
    row->lines_repaired = n->lines_repaired;
    row->lines_replaced = n->lines_replaced;
    row->lines_dropped = n->lines_dropped;
    row->lines_quarantined = n->lines_quarantined;
    row->lines_extract = n->lines_extract;
    row->windows_blocked = n->windows_blocked;
    row->windows_empty = n->windows_empty;
}

/* What was spent since the rate before. */
static void fill_spent(struct run *r, struct takc_ledger_generated *row)
{
    struct takc_models_spent now = {0};
    if (!r->g->models)
        return;
    takc_models_spent(r->g->models, &now);
    row->input_tokens = now.usage.input + now.usage.cache_read + now.usage.cache_write - r->before.usage.input -
                        r->before.usage.cache_read - r->before.usage.cache_write;
    row->output_tokens = now.usage.output - r->before.usage.output;
    row->picodollars = now.picodollars - r->before.picodollars;
    row->unpriced = now.unpriced;
    row->fallback = now.fallback;
    r->before = now;
}

/* Where jobs answer, a rate is done in several passes, and the last finds most replies kept: what was answered in any of them counts as
 * this run's. */
static void fill_batches(const struct run *r, size_t level, struct takc_ledger_generated *row)
{
    const struct takc_batches_sum s = takc_batches_sum_of(r->g->batches, level);
    uint64_t all = row->calls + row->reused;
    row->calls = s.calls < all ? s.calls : all;
    row->reused = all - row->calls;
    row->input_tokens = s.input_tokens;
    row->output_tokens = s.output_tokens;
    row->picodollars = s.picodollars;
    row->unpriced = s.unpriced;
    row->fallback = s.fallback;
}

/* Calls that nobody was to make are none, and no guardrail spoke. */
static void fill_withheld(struct run *r, struct takc_ledger_generated *row)
{
    takc_mutex_lock(&r->locked.mu);
    uint64_t calls = r->locked.n_withheld - r->g->n_withheld, windows = r->locked.n_windows_withheld - r->withheld_before;
    r->g->n_withheld = r->locked.n_withheld;
    r->withheld_before = r->locked.n_windows_withheld;
    takc_mutex_unlock(&r->locked.mu);
    row->calls -= calls < row->calls ? calls : row->calls;
    row->windows_withheld = windows;
    row->windows_blocked -= windows < row->windows_blocked ? windows : row->windows_blocked;
}

static enum takc_status put_rate(void *arg, takc_rate rate, struct takc_str json, const struct takc_set_size *size,
                                 const struct takc_generative_counts *counts, struct takc_err *err)
{
    struct run *r = arg;
    struct takc_ledger_generated row = {.used = true};
    size_t at = 0;
    while (at + 1 < r->b->n_rates && r->b->rates[at] != rate)
        at++;
    (void)snprintf(row.model, sizeof(row.model), "%.*s", (int)(r->g->model.len < 95 ? r->g->model.len : 95), r->g->model.ptr);
    fill_counts(&row, counts);
    fill_spent(r, &row);
    fill_withheld(r, &row);
    if (r->g->batches)
        fill_batches(r, r->b->n_rates - 1 - at, &row);
    return r->put(r->put_arg, at, json, size, &row, err);
}

/* The call's progress, with the money so far behind the unit. */
static void tell_progress(void *arg, const char *stage, const char *unit, uint64_t done, uint64_t total)
{
    struct run *r = arg;
    struct takc_models_spent spent = {0};
    char text[64], money[32];
    if (r->g->models)
        takc_models_spent(r->g->models, &spent);
    takc_money_text(spent.picodollars, money);
    (void)snprintf(text, sizeof(text), "%s, %s so far", unit, money);
    r->progress(r->progress_arg, stage, r->g->models ? text : unit, done, total);
}

static enum takc_status fill_fallbacks(struct run *r, struct takc_generative_options *out, struct takc_err *err)
{
    const struct takc_generation *g = r->g;
    size_t n = g->n_chain > 1 ? g->n_chain - 1 : 0;
    struct takc_str *all = takc_arena_array(r->b->arena, n + 1, sizeof(*all));
    enum takc_status st = all ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for models");
    for (size_t i = 0; !st && i < n; i++)
        st = text_of(g, i + 1, r->b->arena, &all[i], err);
    out->fallbacks = all;
    out->n_fallbacks = n;
    return st;
}

/* What the compressor is told; keys of models go to the build's arena. */
static enum takc_status fill_options(struct run *r, const struct takc_extractive_options *o, struct takc_generative_options *out,
                                     struct takc_err *err)
{
    *out = takc_generative_options_default();
    out->extractive = *o;
    out->examples = r->g->examples;
    out->n_examples = r->g->n_examples;
    out->n_parallel = r->g->n_parallel ? r->g->n_parallel : out->n_parallel;
    out->generate = generate;
    out->level = r->g->batches ? end_level : NULL;
    out->guard = takc_verify_generated;
    out->arg = r;
    out->kept = (struct takc_kept_replies){.find = find_reply, .keep = keep_reply, .arg = r};
    enum takc_status st = text_of(r->g, 0, r->b->arena, &out->model, err);
    return st ? st : fill_fallbacks(r, out, err);
}

static enum takc_status run_init(struct run *r, struct takc_err *err)
{
    takc_arena_init(&r->locked.arena);
    return takc_mutex_init(&r->locked.mu, err);
}

static void run_clear(struct run *r)
{
    takc_free(r->locked.keys);
    takc_arena_clear(&r->locked.arena);
    takc_mutex_clear(&r->locked.mu);
}

static enum takc_status make_once(struct run *r, const struct takc_corpus *c, const struct takc_selection *s,
                                  const struct takc_extractive_options *o, struct takc_err *err)
{
    struct takc_generative_options go;
    struct takc_artifact_meta meta = {.task = r->b->task, .model = r->g->model};
    enum takc_status st = takc_build_fingerprint(r->b, &meta.fingerprint, err);
    if (!st)
        st = fill_options(r, o, &go, err);
    return st ? st : takc_generative_make(c, s, r->b->rates, r->b->n_rates, &go, &meta, r->b->call, put_rate, r, err);
}

/* With batch jobs: until a pass is through, or has records for a job. */
static enum takc_status make(struct run *r, const struct takc_corpus *c, const struct takc_selection *s,
                             const struct takc_extractive_options *o, struct takc_err *err)
{
    enum takc_status st;
    if (!r->g->batches)
        return make_once(r, c, s, o, err);
    do {
        takc_batches_pass(r->g->batches);
        st = make_once(r, c, s, o, err);
    } while (st && takc_batches_again(r->g->batches));
    return st;
}

enum takc_status takc_generation_plan(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s,
                                      const struct takc_extractive_options *o, struct takc_generative_plan *out, struct takc_err *err)
{
    struct run r = {.b = b, .g = b->generation};
    struct takc_generative_options go;
    enum takc_status st = run_init(&r, err);
    if (st)
        return st;
    st = fill_options(&r, o, &go, err);
    if (!st)
        st = takc_generative_plan(c, s, b->rates, b->n_rates, &go, b->call, out, err);
    run_clear(&r);
    return st;
}

enum takc_status takc_generation_run(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s,
                                     const struct takc_extractive_options *o, takc_generation_put_fn *put, void *arg, struct takc_err *err)
{
    struct run r = {.b = b, .g = b->generation, .put = put, .put_arg = arg};
    struct takc_call *call = b->call;
    enum takc_status st = run_init(&r, err);
    if (st)
        return st;
    r.g->n_withheld = 0;
    if (r.g->models)
        takc_models_spent(r.g->models, &r.before);
    if (call && call->progress) { /* nobody reads the call's progress between here and its threads */
        r.progress = call->progress;
        r.progress_arg = call->progress_arg;
        call->progress = tell_progress;
        call->progress_arg = &r;
    }
    st = make(&r, c, s, o, err);
    if (call && r.progress) {
        call->progress = r.progress;
        call->progress_arg = r.progress_arg;
    }
    if (!st)
        st = put_how(&r, err);
    run_clear(&r);
    return st;
}

/* --- rates of a version --- */

struct rates {
    struct takc_build *b;
    const struct takc_corpus *c;
    const struct takc_selection *s;
    struct takc_stored *artifacts;
    uint64_t from_ns;
};

static enum takc_status put_made(void *arg, size_t at, struct takc_str json, const struct takc_set_size *size,
                                 const struct takc_ledger_generated *row, struct takc_err *err)
{
    struct rates *x = arg;
    struct takc_build *b = x->b;
    struct takc_artifact a = {0};
    struct takc_fact_counts facts[2];
    const struct takc_clock *clock = takc_clock_or_system(b->call ? b->call->clock : NULL);
    x->artifacts[at].rate = b->rates[at];
    enum takc_status st = takc_artifact_parse(&a, json, err);
    if (!st)
        st = takc_facts_of_artifact(x->c, x->s, &a, b->profile->description, facts, err);
    takc_artifact_clear(&a);
    if (!st)
        st = takc_build_put(b, takc_key_artifact(b->task, b->label, b->rates[at], ".json"), json, &x->artifacts[at], err);
    if (st)
        return st;
    takc_build_fill_ledger(x->s, &facts[0], &facts[1], size, b->rates[at], &b->rows[at]);
    b->rows[at].generated = *row;
    uint64_t now = clock->mono_ns(clock);
    b->rows[at].ms = (now - x->from_ns) / 1000000;
    x->from_ns = now;
    return takc_build_put_ledger(b, b->label, &b->rows[at], b->rates[at], &x->artifacts[at], err);
}

enum takc_status takc_generation_rates(struct takc_build *b, const struct takc_corpus *c, const struct takc_selection *s,
                                       const struct takc_extractive_options *o, bool ours, struct takc_stored *artifacts,
                                       struct takc_err *err)
{
    const struct takc_clock *clock = takc_clock_or_system(b->call ? b->call->clock : NULL);
    struct rates x = {.b = b, .c = c, .s = s, .artifacts = artifacts, .from_ns = clock->mono_ns(clock)};
    struct takc_hex tag;
    struct takc_key how = takc_key_generated(b->task, b->label);
    size_t n = 0;
    bool whole = ours && takc_store_tag(takc_home_store(b->home), b->call, takc_str(how.s), &tag, NULL) == TAKC_OK;
    for (size_t i = 0; whole && i < b->n_rates; i++) {
        artifacts[i].rate = b->rates[i];
        n += takc_build_take_over(b, b->rates[i], &artifacts[i], &b->rows[i]);
    }
    if (n == b->n_rates)
        return TAKC_OK;
    b->n_resumed -= n; /* all or none: a coarser rate is made from the lines of a finer one */
    return takc_generation_run(b, c, s, o, put_made, &x, err);
}
