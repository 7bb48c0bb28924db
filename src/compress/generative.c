/* SPDX-License-Identifier: Apache-2.0
 *
 * generative.c - the whole, finest rate first: windows, their replies in parallel, lines that may stay, the artifact; then windows over
 * those lines for the next rate. A plan walks the same way without asking: where a reply is not kept, the lines behind it are not known,
 * and coarser windows over them are told by their shares. */
#include "base/alloc.h"
#include "base/pool.h"
#include "compress/generative_steps.h"

#include <stdio.h>

struct takc_generative_options takc_generative_options_default(void)
{
    return (struct takc_generative_options){.extractive = takc_extractive_options_default(),
                                            .window_tokens = 1024,
                                            .window_overlap = 128,
                                            .condense_tokens = 512,
                                            .condense_overlap = 64,
                                            .min_share = 48,
                                            .n_parallel = 4};
}

struct turn { /* the windows of one rate */
    struct takc_gen_run *r;
    struct takc_gen_level *l;
    const struct takc_gen_level *finer;
};

/* ---- one window ---- */

static bool children_known(const struct turn *t, const struct takc_gen_window *w)
{
    for (size_t i = 0; i < w->n_children; i++)
        if (!t->finer->v[w->child + i].known)
            return false;
    return true;
}

/* A plan's guess about a window whose lines nobody knows yet. */
static void expect_call(const struct turn *t, struct takc_gen_window *w)
{
    if (w->source_mt * 10 <= w->share_mt * 11)
        return;
    w->counts.calls++;
    w->counts.prompt_tokens += t->r->system_tokens + takc_gen_tokens(w->source_mt);
    w->reply_tokens += takc_gen_tokens(w->share_mt);
}

/* Lines that are as short as they should be go on as they are. */
static enum takc_status pass_on(const struct turn *t, struct takc_gen_window *w, struct takc_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < w->n_children; i++)
        n += t->finer->v[w->child + i].n_lines;
    w->lines = takc_arena_array(&w->arena, n + 1, sizeof(*w->lines));
    bool *chosen = takc_arena_array(&w->arena, n + 1, sizeof(*chosen));
    if (!w->lines || !chosen)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu lines", n);
    for (size_t i = 0; i < w->n_children; i++) {
        const struct takc_gen_window *child = &t->finer->v[w->child + i];
        (void)takc_gen_worth(child, t->finer->rate, chosen);
        for (size_t k = 0; k < child->n_lines; k++)
            if (chosen[k])
                w->lines[w->n_lines++] = child->lines[k]; /* texts live as long as the finer rate's windows */
    }
    w->known = true;
    return TAKC_OK;
}

static enum takc_status ask_window(const struct turn *t, struct takc_gen_window *w, struct takc_gen_source *x, struct takc_err *err)
{
    struct takc_gen_ask ask = {.x = x, .w = w, .purpose = t->finer ? "condense" : "compress"};
    struct takc_buf reply;
    struct takc_gen_said said = {0};
    bool any = false;
    for (size_t i = 0; i < x->n_items; i++)
        any |= !x->items[i].quoted;
    w->known = true;
    if (!any)
        return TAKC_OK;
    takc_buf_init(&reply, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_gen_reply(&ask, 0, x->n_items, takc_gen_tokens(w->share_mt), 0, &reply, &said, err);
    w->known = said.known && t->r->o->guard;
    if (!st && w->known && !(w->n_blocked && !reply.len) && !w->later)
        st = takc_gen_settle(x, w, takc_buf_str(&reply), err);
    takc_buf_clear(&reply);
    return st;
}

static void tell(struct takc_gen_run *r, const struct takc_gen_level *l, size_t done)
{
    char rate[24], stage[40];
    if (r->dry || atomic_flag_test_and_set(&r->telling))
        return;
    takc_rate_name(l->rate, rate);
    (void)snprintf(stage, sizeof(stage), "compress %s", rate);
    takc_call_progress(r->call, stage, "windows", done, r->n_all);
    atomic_flag_clear(&r->telling);
}

static enum takc_status fill_window(const struct turn *t, struct takc_gen_window *w, struct takc_err *err)
{
    struct takc_gen_source x = {0};
    if (t->finer && !children_known(t, w)) {
        expect_call(t, w);
        return TAKC_OK;
    }
    if (t->finer && w->source_mt * 10 <= w->share_mt * 11)
        return pass_on(t, w, err);
    enum takc_status st = takc_gen_source_open(&x, t->r, w, t->finer, err);
    if (!st)
        st = ask_window(t, w, &x, err);
    takc_gen_source_clear(&x);
    return st;
}

static enum takc_status work_window(void *arg, size_t i, struct takc_err *err)
{
    const struct turn *t = arg;
    struct takc_gen_window *w = &t->l->v[i];
    enum takc_status st = w->skip ? TAKC_OK : fill_window(t, w, err);
    if (st)
        return takc_err_prefix(err, st, "window %zu of %zu", i + 1, t->l->n);
    tell(t->r, t->l, atomic_fetch_add(&t->r->n_done, 1) + 1);
    return TAKC_OK;
}

/* ---- one rate ---- */

static enum takc_status make_level(struct takc_gen_run *r, struct takc_gen_level *l, const struct takc_gen_level *finer,
                                   struct takc_err *err)
{
    struct turn t = {.r = r, .l = l, .finer = finer};
    enum takc_status st = finer ? takc_gen_condense(r, finer, l, err) : takc_gen_windows(r, l, err);
    atomic_store(&r->n_done, 0);
    r->n_all = l->n;
    if (!st)
        tell(r, l, 0);
    return st ? st : takc_parallel_for(r->o->n_parallel ? r->o->n_parallel : 1, l->n, work_window, &t, r->call, err);
}

static enum takc_status put_level(const struct takc_gen_run *r, const struct takc_gen_level *l, const struct takc_artifact_meta *meta,
                                  takc_generative_put_fn *put, void *put_arg, struct takc_err *err)
{
    struct takc_buf json;
    struct takc_set_size size;
    struct takc_generative_counts counts;
    takc_buf_init(&json, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st = takc_gen_fit(r, l, meta, &json, &size, &counts, err);
    if (!st)
        st = put(put_arg, l->rate, takc_buf_str(&json), &size, &counts, err);
    takc_buf_clear(&json);
    return st;
}

/* ---- all rates ---- */

static enum takc_status check_options(const takc_rate *rates, size_t n_rates, const struct takc_generative_options *o, bool dry,
                                      struct takc_err *err)
{
    if (n_rates == 0 || n_rates > TAKC_PROFILE_RATES_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "1 to %d rates are compressed at a time", TAKC_PROFILE_RATES_MAX);
    for (size_t i = 0; i < n_rates; i++)
        if (rates[i] < 1000 || (i && rates[i] >= rates[i - 1]))
            return takc_fail(err, TAKC_INVALID, 0, "rates are at least 1x, and given coarsest first");
    if (!o->window_tokens || !o->condense_tokens)
        return takc_fail(err, TAKC_INVALID, 0, "a window has at least one token");
    if (!dry && (!o->generate || !o->guard))
        return takc_fail(err, TAKC_INVALID, 0, "a model and a guard are needed");
    return TAKC_OK;
}

static void add_to_plan(struct takc_generative_plan *p, const struct takc_gen_level *l)
{
    for (size_t i = 0; i < l->n; i++) {
        p->calls += l->v[i].counts.calls;
        p->reused += l->v[i].counts.reused;
        p->prompt_tokens += l->v[i].counts.prompt_tokens;
        p->reply_tokens += l->v[i].reply_tokens;
    }
}

/* put NULL: a plan. */
static enum takc_status make_all(struct takc_gen_run *r, const takc_rate *rates, size_t n_rates, const struct takc_artifact_meta *meta,
                                 takc_generative_put_fn *put, void *put_arg, struct takc_generative_plan *plan, struct takc_err *err)
{
    struct takc_gen_level levels[TAKC_PROFILE_RATES_MAX] = {0};
    enum takc_status st = check_options(rates, n_rates, r->o, r->dry, err);
    if (!st)
        st = takc_gen_survey(r, err);
    for (size_t i = 0; i < n_rates && !st; i++) {
        levels[i].rate = rates[n_rates - 1 - i];
        st = make_level(r, &levels[i], i ? &levels[i - 1] : NULL, err);
        if (!st && put && r->o->level)
            st = r->o->level(r->o->arg, i, err);
        if (!st && put)
            st = put_level(r, &levels[i], meta, put, put_arg, err);
        if (!st && plan)
            add_to_plan(plan, &levels[i]);
    }
    for (size_t i = 0; i < TAKC_PROFILE_RATES_MAX; i++)
        takc_gen_level_clear(&levels[i]);
    takc_gen_run_clear(r);
    return st;
}

enum takc_status takc_generative_plan(const struct takc_corpus *c, const struct takc_selection *s, const takc_rate *rates, size_t n_rates,
                                      const struct takc_generative_options *o, struct takc_call *call, struct takc_generative_plan *out,
                                      struct takc_err *err)
{
    struct takc_gen_run r = {.c = c, .s = s, .o = o, .call = call, .dry = true, .telling = ATOMIC_FLAG_INIT};
    struct takc_generative_plan plan = {0};
    enum takc_status st = make_all(&r, rates, n_rates, NULL, NULL, NULL, &plan, err);
    if (!st)
        *out = plan;
    return st;
}

enum takc_status takc_generative_make(const struct takc_corpus *c, const struct takc_selection *s, const takc_rate *rates, size_t n_rates,
                                      const struct takc_generative_options *o, const struct takc_artifact_meta *meta,
                                      struct takc_call *call, takc_generative_put_fn *put, void *put_arg, struct takc_err *err)
{
    struct takc_gen_run r = {.c = c, .s = s, .o = o, .call = call, .telling = ATOMIC_FLAG_INIT};
    enum takc_status st = make_all(&r, rates, n_rates, meta, put, put_arg, NULL, err);
    return st ? takc_err_prefix(err, st, "compress by a model") : TAKC_OK;
}
