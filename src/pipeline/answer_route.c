/* SPDX-License-Identifier: Apache-2.0
 *
 * answer_route.c - which rate is cheapest, with what a provider keeps of a prefix counted in (pipeline/price.h has the arithmetic).
 *
 * Prefixes of finer rates are not made to be weighed: their tokens are source / rate, spread by numbers and titles as much as the one at
 * hand. Their prices are those of a question among so many that share the prefix. */
#include "pipeline/answer.h"
#include "pipeline/price.h"

#include <stdio.h>

enum { RATES_MAX = TAKC_PROFILE_RATES_MAX };

struct weighed { /* artifacts from the coarsest that serves on */
    uint32_t rates[RATES_MAX];
    struct takc_price_of prices[RATES_MAX];
    size_t n;
};

static enum takc_status count_text(struct takc_answer *q,
                                   enum takc_status (*make)(struct takc_answer *, struct takc_buf *, struct takc_err *), uint64_t *out,
                                   struct takc_err *err)
{
    struct takc_buf text;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = make(q, &text, err);
    *out = st ? 0 : takc_tokenizer_count(q->tokenizer, takc_buf_str(&text));
    takc_buf_clear(&text);
    return st;
}

static enum takc_status rules_text(struct takc_answer *q, struct takc_buf *out, struct takc_err *err)
{
    return takc_prompt_system(q->profile->description, out, err);
}

static enum takc_status background_text(struct takc_answer *q, struct takc_buf *out, struct takc_err *err)
{
    const struct takc_prompt p = {.background = q->background.lines, .n_background = q->background.n};
    return takc_prompt_background(&p, out, err);
}

static enum takc_status weigh(struct takc_answer *q, size_t i, uint64_t limit, struct weighed *w, struct takc_err *err)
{
    const struct takc_version *v = q->snapshot.version;
    struct takc_price_task t = {.source_tokens = q->r->source_tokens};
    uint64_t background = 0;
    enum takc_status st = count_text(q, rules_text, &t.rules_tokens, err);
    if (!st)
        st = count_text(q, background_text, &background, err);
    if (st)
        return st;
    t.spread_mille = q->r->prefix_tokens ? background * 1000 / q->r->prefix_tokens : 0;
    while (i + w->n < v->n_artifacts && w->n < RATES_MAX && (w->n == 0 || takc_answer_fits(q, v->artifacts[i + w->n].rate, limit))) {
        w->rates[w->n] = v->artifacts[i + w->n].rate;
        w->n++;
    }
    takc_price_rates(takc_models_facts(q->models), q->o->questions_a_window, &t, w->rates, w->n, w->prices);
    w->prices[0].tokens = t.rules_tokens + background; /* as it is */
    return TAKC_OK;
}

/* What was tried, with its price; a finer rate joins it. */
static void note_price(struct takc_answer *q, const struct weighed *w, size_t k, bool taken)
{
    char name[24];
    size_t i = 0;
    takc_rate_name(w->rates[k], name);
    while (i < q->r->n_tried && !takc_str_is(takc_str(q->r->tried[i].rate), name))
        i++;
    struct takc_tried_rate *t =
        i < q->r->n_tried ? &q->r->tried[i] : takc_answer_tried(q, w->rates[k], q->r->source_tokens * 1000 / w->rates[k], -1);
    if (!t)
        return;
    t->priced = true;
    t->picodollars = w->prices[k].picodollars;
    t->cached = w->prices[k].cached;
    t->taken = taken;
}

static enum takc_status say_why(struct takc_answer *q, const struct weighed *w, size_t to, struct takc_err *err)
{
    char a[24], b[24], x[32], y[32];
    takc_rate_name(w->rates[to], a);
    takc_rate_name(w->rates[0], b);
    takc_money_text(w->prices[to].picodollars, x);
    takc_money_text(w->prices[0].picodollars, y);
    const char *why =
        to ? takc_arena_printf(q->arena, "%s at %s a question, read from the model's cache, is cheaper than %s at %s", a, x, b, y)
           : takc_arena_printf(q->arena, "%s at %s a question%s: no finer rate is cheaper", b, y,
                               w->prices[0].cached ? ", read from the model's cache" : "");
    if (!why)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a route");
    q->r->route = takc_str(why);
    return TAKC_OK;
}

enum takc_status takc_answer_route(struct takc_answer *q, size_t i, uint64_t limit, size_t *out, struct takc_err *err)
{
    struct weighed w = {.n = 0};
    *out = i;
    if (!q->models || !takc_models_facts(q->models)->has_price)
        return TAKC_OK;
    enum takc_status st = weigh(q, i, limit, &w, err);
    if (st)
        return st;
    size_t to = takc_price_choose(takc_models_facts(q->models), q->o->questions_a_window, w.prices, w.n, 0);
    for (size_t k = 0; k < w.n; k++)
        note_price(q, &w, k, k == to);
    *out = i + to;
    return say_why(q, &w, to, err);
}
