/* SPDX-License-Identifier: Apache-2.0
 *
 * generative_plan.c - who is asked about what, and for how many tokens. Where windows begin depends on the documents themselves, not on
 * budgets, so that a change somewhere moves no window elsewhere: a document of some size has windows of its own, cut evenly; small ones are
 * packed together, with a fresh start before every document whose name says so. Shares come from the extractive order at the same rate. */
#include "base/alloc.h"
#include "compress/generative_steps.h"

enum { FRESH_ONE_IN = 8, MERGE_UNITS = 3 /* halves of a window */, MERGE_LINES = 4 };

size_t takc_gen_doc_of(const struct takc_selection *s, uint32_t unit)
{
    size_t lo = 0, hi = s->n_docs;
    while (lo + 1 < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->first_unit[mid] <= unit)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

void takc_gen_level_clear(struct takc_gen_level *l)
{
    for (size_t i = 0; i < l->n; i++)
        takc_arena_clear(&l->v[i].arena);
    takc_free(l->v);
    *l = (struct takc_gen_level){0};
}

void takc_gen_run_clear(struct takc_gen_run *r)
{
    takc_free(r->unit_flags);
    takc_free(r->unit_mt);
    takc_free(r->spent_mt);
    takc_costs_free(r->own_costs);
    takc_buf_clear(&r->system);
}

/* ---- what is known of every unit ---- */

struct hiding {
    const struct takc_corpus *c;
    struct takc_selection *s;
};

/* Rows below a heading that instructs a reader would show it as their anchor: they are data only, as the heading is. */
static void flag_rows_below(struct takc_gen_run *r, const struct takc_units *u, uint32_t first, struct takc_span heading)
{
    for (uint32_t i = 0; i < u->n_units; i++) {
        uint32_t a = u->units[i].anchor;
        if (a && u->anchors[a - 1].heading.start == heading.start && heading.start < heading.end)
            r->unit_flags[first + i] |= TAKC_UNIT_INSTRUCTS;
    }
}

static enum takc_status read_flags(void *arg, unsigned worker, size_t doc, const struct takc_corpus_view *v, struct takc_err *err)
{
    struct takc_gen_run *r = arg;
    uint32_t first = r->s->first_unit[doc];
    (void)worker;
    if (first + v->units->n_units != r->s->first_unit[doc + 1])
        return takc_fail(err, TAKC_INVALID, 0, "the documents are not those of the selection");
    for (size_t i = 0; i < v->units->n_units; i++) {
        const struct takc_unit *u = &v->units->units[i];
        r->unit_flags[first + i] = u->flags;
        r->unit_mt[first + i] = takc_unit_eligible(u) && !r->s->twin[first + i] ? u->mt : 0;
    }
    for (size_t i = 0; i < v->units->n_units; i++)
        if (v->units->units[i].flags & TAKC_UNIT_INSTRUCTS && v->units->units[i].n_spans)
            flag_rows_below(r, v->units, first, v->units->spans[v->units->units[i].span_at]);
    return TAKC_OK;
}

static enum takc_status hide_title(void *arg, unsigned worker, size_t doc, const struct takc_corpus_view *v, struct takc_err *err)
{
    const struct hiding *x = arg;
    struct takc_span title = x->c->docs[doc].title_span;
    (void)worker;
    (void)err;
    for (uint32_t i = 0; i < v->units->n_units; i++) {
        const struct takc_unit *u = &v->units->units[i];
        struct takc_span s = u->n_spans ? v->units->spans[u->span_at] : (struct takc_span){0};
        if (u->flags & TAKC_UNIT_INSTRUCTS && s.start < title.end && title.start < s.end)
            x->s->show_title[doc] = 0;
    }
    return TAKC_OK;
}

enum takc_status takc_generative_hide_titles(const struct takc_corpus *c, struct takc_selection *s, unsigned n_threads,
                                             struct takc_call *call, struct takc_err *err)
{
    struct hiding x = {.c = c, .s = s};
    struct takc_each e = {.corpus = c, .call = call, .stage = "titles", .n_threads = n_threads};
    return takc_each_doc(&e, hide_title, &x, err);
}

static enum takc_status survey_costs(struct takc_gen_run *r, struct takc_err *err)
{
    struct takc_asked asked;
    if (r->s->costs) {
        r->costs = r->s->costs;
        return TAKC_OK;
    }
    enum takc_status st = takc_asked_read(&asked, r->o->extractive.description, err);
    if (!st)
        st = takc_costs_make(r->c, r->s, &asked, r->o->extractive.n_threads, r->call, &r->own_costs, err);
    takc_asked_clear(&asked);
    r->costs = r->own_costs;
    return st;
}

enum takc_status takc_gen_survey(struct takc_gen_run *r, struct takc_err *err)
{
    struct takc_each e = {.corpus = r->c, .call = r->call, .stage = "survey", .n_threads = r->o->extractive.n_threads};
    r->unit_flags = takc_alloc_array(r->s->n_units, sizeof(*r->unit_flags));
    r->unit_mt = takc_alloc_array(r->s->n_units, sizeof(*r->unit_mt));
    r->spent_mt = takc_alloc_array(r->s->n_units + 1, sizeof(*r->spent_mt));
    if (!r->unit_flags || !r->unit_mt || !r->spent_mt)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu units", r->s->n_units);
    enum takc_status st = takc_each_doc(&e, read_flags, r, err);
    if (!st)
        st = survey_costs(r, err);
    takc_buf_init(&r->system, TAKC_BUF_MAX_REPLY);
    if (!st)
        st = takc_gen_system(r->o, &r->system, err);
    r->system_tokens = takc_tokenizer_count(r->o->extractive.tokenizer, takc_buf_str(&r->system));
    return st;
}

/* What the extract spends at the rate, summed up unit by unit and scaled, so that all shares are the budget. */
static enum takc_status spend(struct takc_gen_run *r, takc_rate rate, struct takc_err *err)
{
    uint8_t *bits = NULL;
    struct takc_set_size size;
    enum takc_status st = takc_selection_set(r->s, r->c, &r->o->extractive, rate, &bits, &size, err);
    if (st)
        return st;
    r->spent_mt[0] = 0;
    for (uint32_t i = 0; i < r->s->n_units; i++)
        r->spent_mt[i + 1] = r->spent_mt[i] + (takc_bit(bits, i) ? r->costs->units[i].mt : 0);
    uint64_t all = r->spent_mt[r->s->n_units];
    for (uint32_t i = 0; all && i <= r->s->n_units; i++)
        r->spent_mt[i] = (uint64_t)((unsigned __int128)r->spent_mt[i] * size.budget_mt / all);
    takc_free(bits);
    return TAKC_OK;
}

static uint64_t share(const struct takc_gen_run *r, const struct takc_gen_window *w)
{
    return r->spent_mt[w->to] - r->spent_mt[w->from];
}

static bool is_small(const struct takc_gen_run *r, const struct takc_gen_window *w)
{
    return w->share_mt < (uint64_t)r->o->min_share * 1000;
}

static enum takc_status add_window(struct takc_gen_level *l, const struct takc_gen_window *w, struct takc_err *err)
{
    enum takc_status st = takc_grow(&l->v, &l->cap, l->n + 1, sizeof(*l->v), err);
    if (st)
        return st;
    l->v[l->n] = *w;
    takc_arena_init(&l->v[l->n].arena);
    l->n++;
    return TAKC_OK;
}

/* Windows with small shares go together with the next while both are no larger than limit; what stays small is left to extracts. */
static void merge_small(const struct takc_gen_run *r, struct takc_gen_level *l, uint64_t limit_mt)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++) {
        struct takc_gen_window *w = &l->v[i], *last = n ? &l->v[n - 1] : NULL;
        w->share_mt = share(r, w);
        if (last && !w->fresh && (is_small(r, last) || is_small(r, w)) && last->source_mt + w->source_mt <= limit_mt) {
            last->to = w->to;
            last->source_mt += w->source_mt;
            last->base_mt += w->base_mt;
            last->n_children += w->n_children;
            last->share_mt = share(r, last);
        } else {
            l->v[n++] = *w;
        }
    }
    l->n = n;
    for (size_t i = 0; i < n; i++) {
        l->v[i].skip = is_small(r, &l->v[i]) || l->v[i].source_mt == 0;
        l->v[i].known = l->v[i].skip;
        l->v[i].counts.windows = 1;
    }
}

/* ---- windows over units ---- */

struct packer {
    struct takc_gen_run *r;
    struct takc_gen_level *out;
    struct takc_gen_window w; /* that is being filled */
    uint64_t limit_mt;
    bool last_big;
};

static enum takc_status close_window(struct packer *p, uint32_t at, bool fresh, struct takc_err *err)
{
    p->w.to = at;
    enum takc_status st = p->w.source_mt ? add_window(p->out, &p->w, err) : TAKC_OK;
    if (p->w.source_mt)
        p->w = (struct takc_gen_window){.from = at, .fresh = fresh};
    else
        p->w.fresh |= fresh;
    return st;
}

static bool name_starts_fresh(const struct takc_gen_run *r, size_t doc)
{
    return takc_hash64(r->c->docs[doc].name, 1) % FRESH_ONE_IN == 0;
}

static enum takc_status pack_document(struct packer *p, size_t doc, struct takc_err *err)
{
    struct takc_gen_run *r = p->r;
    uint32_t first = r->s->first_unit[doc], end = r->s->first_unit[doc + 1];
    uint64_t all = 0, even;
    enum takc_status st = TAKC_OK;
    for (uint32_t i = first; i < end; i++)
        all += r->unit_mt[i];
    bool big = 2 * all >= p->limit_mt, fresh = big || p->last_big || name_starts_fresh(r, doc);
    if (fresh || p->w.source_mt + all > p->limit_mt)
        st = close_window(p, first, fresh, err);
    p->last_big = big;
    even = all > p->limit_mt ? all / ((all + p->limit_mt - 1) / p->limit_mt) : p->limit_mt;
    for (uint32_t i = first; i < end && !st; i++) {
        uint64_t mt = r->unit_mt[i];
        if (p->w.source_mt && (p->w.source_mt + mt > p->limit_mt || (all > p->limit_mt && p->w.source_mt >= even)))
            st = close_window(p, i, false, err);
        p->w.source_mt += mt;
        p->w.base_mt += mt;
    }
    return st;
}

enum takc_status takc_gen_windows(struct takc_gen_run *r, struct takc_gen_level *out, struct takc_err *err)
{
    struct packer p = {.r = r, .out = out, .limit_mt = (uint64_t)r->o->window_tokens * 1000};
    enum takc_status st = spend(r, out->rate, err);
    for (size_t d = 0; d < r->s->n_docs && !st; d++)
        st = pack_document(&p, d, err);
    if (!st)
        st = close_window(&p, (uint32_t)r->s->n_units, false, err);
    if (!st)
        merge_small(r, out, p.limit_mt * MERGE_UNITS / 2);
    return st;
}

/* ---- windows over lines ---- */

/* Does a stand on more for its length than b? */
static bool worth_more(const struct takc_gen_line *a, const struct takc_gen_line *b)
{
    return (uint64_t)a->n_units * b->mt > (uint64_t)b->n_units * a->mt;
}

uint64_t takc_gen_worth(const struct takc_gen_window *w, takc_rate rate, bool *out)
{
    uint64_t cap = w->base_mt * 1500 / rate, sum = 0;
    if (cap < 64000)
        cap = 64000;
    for (size_t i = 0; i < w->n_lines; i++)
        out[i] = false;
    for (;;) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < w->n_lines; i++)
            if (!out[i] && sum + w->lines[i].mt <= cap && (best == SIZE_MAX || worth_more(&w->lines[i], &w->lines[best])))
                best = i;
        if (best == SIZE_MAX)
            return sum;
        out[best] = true;
        sum += w->lines[best].mt;
    }
}

/* What of a window goes into a coarser one; what its reply would be if nobody asked yet. */
static enum takc_status worth_of(const struct takc_gen_window *w, takc_rate rate, uint64_t *out, struct takc_err *err)
{
    *out = w->share_mt;
    if (!w->known)
        return TAKC_OK;
    bool *chosen = takc_alloc_array(w->n_lines, sizeof(*chosen));
    if (!chosen)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu lines", w->n_lines);
    *out = takc_gen_worth(w, rate, chosen);
    takc_free(chosen);
    return TAKC_OK;
}

/* Does a coarser window end before this one? */
static bool ends_before(const struct packer *p, const struct takc_gen_window *w, uint64_t mt)
{
    size_t doc = takc_gen_doc_of(p->r->s, w->from);
    if (p->w.source_mt + mt > p->limit_mt)
        return true;
    if (w->from != p->r->s->first_unit[doc])
        return false;
    return 2 * p->w.source_mt >= p->limit_mt || (4 * p->w.source_mt >= p->limit_mt && name_starts_fresh(p->r, doc));
}

enum takc_status takc_gen_condense(struct takc_gen_run *r, const struct takc_gen_level *finer, struct takc_gen_level *out,
                                   struct takc_err *err)
{
    struct packer p = {.r = r, .out = out, .limit_mt = (uint64_t)r->o->condense_tokens * 1000};
    enum takc_status st = spend(r, out->rate, err);
    for (size_t i = 0; i < finer->n && !st; i++) {
        const struct takc_gen_window *w = &finer->v[i];
        uint64_t mt = 0;
        st = worth_of(w, finer->rate, &mt, err);
        if (!st && p.w.n_children && ends_before(&p, w, mt)) {
            p.w.to = w->from;
            st = add_window(out, &p.w, err);
            p.w = (struct takc_gen_window){.from = w->from, .child = i};
        }
        p.w.source_mt += mt;
        p.w.base_mt += w->base_mt;
        p.w.n_children++;
    }
    p.w.to = (uint32_t)r->s->n_units;
    if (!st && p.w.n_children)
        st = add_window(out, &p.w, err);
    if (!st)
        merge_small(r, out, p.limit_mt * MERGE_LINES);
    return st;
}
