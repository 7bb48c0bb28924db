/* SPDX-License-Identifier: Apache-2.0
 *
 * sequence.c - the exact greedy of one document without a budget (data-model.md section 3).
 *
 *   value(u) = s - 1.15 ln c + ln(1 - .8 share) - .3 ln(1 + taken)
 *
 * s = .55 H. share: how much of the unit's idf the document's taken units have said already; c: the unit's part of the corpus in words or
 * bytes, whichever is larger, with the title and its table's anchor while these are due. The last term is the same for all units at a time,
 * so the heap compares without it. A share only grows: the top is looked at again when it is popped and sinks. A payment makes units
 * cheaper: these are put right at once. Which units a newly said word touches is kept in an inverted list, so that a share costs nothing to
 * look up. Ties go to the lower unit number. */
#include "base/alloc.h"
#include "base/arena.h"
#include "compress/steps.h"

struct greedy {
    const struct takc_greedy_in *in;
    uint32_t n;         /* units of the document */
    uint64_t *total;    /* per unit: idf of its distinct words */
    uint64_t *said;     /* per unit: of these what was taken already */
    takc_fx *fixed;     /* per unit: s - 1.15 ln c - ln(5 total) */
    takc_fx *value;     /* per unit in the heap: an upper bound of its value */
    uint32_t *heap;     /* units, the best on top */
    uint32_t *place;    /* per unit: place in the heap + 1, 0: not in it */
    uint32_t *list_at;  /* per word: its first entry in list; n_words + 1 */
    uint32_t *list;     /* units that hold the word */
    uint32_t *stamp;    /* per word: scratch of setting up */
    uint8_t *word_said; /* per word */
    uint8_t *title_met; /* per unit: holds half of the title's words */
    uint32_t *row_at;   /* per anchor: its first entry in rows; n_anchors + 1 */
    uint32_t *rows;     /* units with an anchor, by anchor */
    uint8_t *anchor_paid;
    uint32_t n_heap;
    bool title_open; /* no unit was taken yet */
};

/* ---- heap ---- */

static bool above(const struct greedy *g, uint32_t a, uint32_t b)
{
    return g->value[a] != g->value[b] ? g->value[a] > g->value[b] : a < b;
}

static void heap_put(struct greedy *g, uint32_t at, uint32_t unit)
{
    g->heap[at] = unit;
    g->place[unit] = at + 1;
}

static void sift_up(struct greedy *g, uint32_t at)
{
    uint32_t unit = g->heap[at];
    for (; at > 0 && above(g, unit, g->heap[(at - 1) / 2]); at = (at - 1) / 2)
        heap_put(g, at, g->heap[(at - 1) / 2]);
    heap_put(g, at, unit);
}

static void sift_down(struct greedy *g, uint32_t at)
{
    uint32_t unit = g->heap[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= g->n_heap)
            break;
        if (child + 1 < g->n_heap && above(g, g->heap[child + 1], g->heap[child]))
            child++;
        if (!above(g, g->heap[child], unit))
            break;
        heap_put(g, at, g->heap[child]);
        at = child;
    }
    heap_put(g, at, unit);
}

static void heap_pop(struct greedy *g)
{
    g->place[g->heap[0]] = 0;
    g->n_heap--;
    if (g->n_heap > 0) {
        heap_put(g, 0, g->heap[g->n_heap]);
        sift_down(g, 0);
    }
}

/* ---- values ---- */

/* ln max(words / corpus words, bytes / corpus bytes). */
static takc_fx ln_cost(const struct takc_greedy_in *in, uint64_t words, uint64_t bytes)
{
    uint64_t all_words = in->corpus_words ? in->corpus_words : 1, all_bytes = in->corpus_bytes ? in->corpus_bytes : 1;
    if ((unsigned __int128)words * all_bytes > (unsigned __int128)bytes * all_words)
        return takc_fx_ln_ratio(words, all_words);
    return takc_fx_ln_ratio(bytes ? bytes : 1, all_bytes);
}

static bool anchor_due(const struct greedy *g, uint32_t i)
{
    uint32_t a = g->in->units->units[i].anchor;
    return a && !g->anchor_paid[a - 1];
}

static void set_fixed(struct greedy *g, uint32_t i)
{
    const struct takc_units *u = g->in->units;
    const struct takc_unit *x = &u->units[i];
    uint64_t words = x->n_words, bytes = x->n_bytes;
    if (g->title_open && u->n_title_terms && !g->title_met[i]) {
        words += u->title_words;
        bytes += u->title_bytes;
    }
    if (anchor_due(g, i)) {
        words += u->anchors[x->anchor - 1].n_words;
        bytes += u->anchors[x->anchor - 1].n_bytes;
    }
    g->fixed[i] =
        takc_fx_mul(g->in->h[i], TAKC_FX(.55)) - takc_fx_mul(ln_cost(g->in, words, bytes), TAKC_FX(1.15)) - takc_fx_ln(5 * g->total[i]);
}

static takc_fx value_now(const struct greedy *g, uint32_t i)
{
    return g->fixed[i] + takc_fx_ln(5 * g->total[i] - 4 * g->said[i]);
}

/* After a payment unit i, if still in the heap, may be worth more. */
static void revalue(struct greedy *g, uint32_t i)
{
    if (!g->place[i])
        return;
    set_fixed(g, i);
    g->value[i] = value_now(g, i);
    sift_up(g, g->place[i] - 1);
    sift_down(g, g->place[i] - 1);
}

/* ---- setting up ---- */

/* Distinct title words that unit i holds; mark[word] is 1 for words of the title. */
static size_t title_words_met(const struct takc_units *u, uint32_t i, uint8_t *mark)
{
    const uint32_t *terms = u->terms + u->units[i].term_at;
    size_t met = 0;
    for (uint32_t k = 0; k < u->units[i].n_terms; k++)
        if (mark[terms[k]] == 1) {
            mark[terms[k]] = 2;
            met++;
        }
    for (uint32_t k = 0; k < u->units[i].n_terms; k++)
        if (mark[terms[k]] == 2)
            mark[terms[k]] = 1;
    return met;
}

static void meet_titles(struct greedy *g)
{
    const struct takc_units *u = g->in->units;
    size_t n = 0;
    for (size_t k = 0; k < u->n_title_terms; k++) {
        n += g->word_said[u->title_terms[k]] == 0;
        g->word_said[u->title_terms[k]] = 1;
    }
    for (uint32_t i = 0; i < g->n; i++)
        g->title_met[i] = 2 * title_words_met(u, i, g->word_said) >= n;
    for (size_t k = 0; k < u->n_title_terms; k++)
        g->word_said[u->title_terms[k]] = 0;
}

/* Inverted lists of distinct words, and totals. Units that cannot be taken stay out. */
static void list_words(struct greedy *g)
{
    const struct takc_units *u = g->in->units;
    size_t n_words = u->vocabulary.n;
    for (uint32_t i = 0; i < g->n; i++)
        for (uint32_t k = 0; k < u->units[i].n_terms && takc_unit_eligible(&u->units[i]); k++) {
            uint32_t x = u->terms[u->units[i].term_at + k];
            if (g->stamp[x] == i + 1)
                continue;
            g->stamp[x] = i + 1;
            g->list_at[x]++;
            g->total[i] += (uint64_t)g->in->idf[x];
        }
    for (size_t x = 0; x < n_words; x++)
        g->list_at[x + 1] += g->list_at[x];
    for (size_t x = 0; x < n_words; x++)
        g->stamp[x] = 0;
    for (uint32_t i = g->n; i-- > 0;)
        for (uint32_t k = 0; k < u->units[i].n_terms && takc_unit_eligible(&u->units[i]); k++) {
            uint32_t x = u->terms[u->units[i].term_at + k];
            if (g->stamp[x] == i + 1)
                continue;
            g->stamp[x] = i + 1;
            g->list[--g->list_at[x]] = i;
        }
}

static void list_rows(struct greedy *g)
{
    const struct takc_units *u = g->in->units;
    for (uint32_t i = 0; i < g->n; i++)
        if (u->units[i].anchor)
            g->row_at[u->units[i].anchor - 1]++;
    for (size_t a = 0; a < u->n_anchors; a++)
        g->row_at[a + 1] += g->row_at[a];
    for (uint32_t i = g->n; i-- > 0;)
        if (u->units[i].anchor)
            g->rows[--g->row_at[u->units[i].anchor - 1]] = i;
}

static enum takc_status set_up(struct greedy *g, struct takc_arena *arena, struct takc_err *err)
{
    const struct takc_units *u = g->in->units;
    size_t n = g->n, words = u->vocabulary.n;
    g->total = takc_arena_array(arena, n, sizeof(*g->total));
    g->said = takc_arena_array(arena, n, sizeof(*g->said));
    g->fixed = takc_arena_array(arena, n, sizeof(*g->fixed));
    g->value = takc_arena_array(arena, n, sizeof(*g->value));
    g->heap = takc_arena_array(arena, n, sizeof(*g->heap));
    g->place = takc_arena_array(arena, n, sizeof(*g->place));
    g->rows = takc_arena_array(arena, n, sizeof(*g->rows));
    g->title_met = takc_arena_array(arena, n, 1);
    g->list_at = takc_arena_array(arena, words + 1, sizeof(*g->list_at));
    g->list = takc_arena_array(arena, u->n_terms, sizeof(*g->list));
    g->stamp = takc_arena_array(arena, words, sizeof(*g->stamp));
    g->word_said = takc_arena_array(arena, words, 1);
    g->row_at = takc_arena_array(arena, u->n_anchors + 1, sizeof(*g->row_at));
    g->anchor_paid = takc_arena_array(arena, u->n_anchors, 1);
    if (!g->total || !g->said || !g->fixed || !g->value || !g->heap || !g->place || !g->rows || !g->title_met || !g->list_at || !g->list ||
        !g->stamp || !g->word_said || !g->row_at || !g->anchor_paid)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a document of %zu units", n);
    meet_titles(g);
    list_words(g);
    list_rows(g);
    return TAKC_OK;
}

static void fill_heap(struct greedy *g)
{
    for (uint32_t i = 0; i < g->n; i++) {
        if (!takc_unit_eligible(&g->in->units->units[i]) || g->in->twin[i])
            continue;
        set_fixed(g, i);
        g->value[i] = value_now(g, i);
        heap_put(g, g->n_heap++, i);
    }
    for (uint32_t at = g->n_heap / 2; at-- > 0;)
        sift_down(g, at);
}

/* ---- taking ---- */

static void say_words(struct greedy *g, uint32_t i)
{
    const struct takc_units *u = g->in->units;
    for (uint32_t k = 0; k < u->units[i].n_terms; k++) {
        uint32_t x = u->terms[u->units[i].term_at + k];
        if (g->word_said[x])
            continue;
        g->word_said[x] = 1;
        for (uint32_t j = g->list_at[x]; j < g->list_at[x + 1]; j++)
            g->said[g->list[j]] += (uint64_t)g->in->idf[x];
    }
}

/* Unit i was taken: what it paid is free for the others. */
static void pay(struct greedy *g, uint32_t i)
{
    const struct takc_unit *x = &g->in->units->units[i];
    bool title = g->title_open && g->in->units->n_title_terms, anchor = anchor_due(g, i);
    g->title_open = false;
    if (anchor)
        g->anchor_paid[x->anchor - 1] = 1;
    if (title)
        for (uint32_t j = 0; j < g->n; j++)
            revalue(g, j);
    else if (anchor)
        for (uint32_t j = g->row_at[x->anchor - 1]; j < g->row_at[x->anchor]; j++)
            revalue(g, g->rows[j]);
}

/* The best unit and its value now. */
static uint32_t take_best(struct greedy *g, takc_fx *out_value)
{
    for (;;) {
        uint32_t i = g->heap[0];
        takc_fx now = value_now(g, i);
        if (now == g->value[i]) {
            *out_value = now;
            heap_pop(g);
            return i;
        }
        g->value[i] = now;
        sift_down(g, 0);
    }
}

enum takc_status takc_greedy(const struct takc_greedy_in *in, struct takc_sequence *out, bool *out_show_title, struct takc_err *err)
{
    struct greedy g = {.in = in, .n = (uint32_t)in->units->n_units, .title_open = true};
    struct takc_arena arena;
    takc_arena_init(&arena);
    struct takc_sequence q = {0};
    enum takc_status st = set_up(&g, &arena, err);
    if (st)
        goto out;
    fill_heap(&g);
    q.units = takc_alloc_array(g.n_heap, sizeof(*q.units));
    q.keys = takc_alloc_array(g.n_heap, sizeof(*q.keys));
    if (!q.units || !q.keys) {
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for a sequence of %u units", g.n_heap);
        goto out;
    }
    *out_show_title = false;
    while (g.n_heap > 0) {
        takc_fx value;
        uint32_t i = take_best(&g, &value);
        if (q.n == 0)
            *out_show_title = in->units->n_title_terms > 0 && !g.title_met[i];
        value -= takc_fx_mul(takc_fx_ln(q.n + 1), TAKC_FX(.3));
        q.units[q.n] = i;
        q.keys[q.n] = q.n > 0 && q.keys[q.n - 1] < value ? q.keys[q.n - 1] : value;
        q.n++;
        say_words(&g, i);
        pay(&g, i);
    }
    *out = q;
    q = (struct takc_sequence){0};
out:
    takc_free(q.units);
    takc_free(q.keys);
    takc_arena_clear(&arena);
    return st;
}

/* ---- pass 5 ---- */

struct pass5 {
    const struct takc_stats *t;
    const struct takc_extractive_options *o;
    struct takc_selection *s;
    const int32_t *h;
    struct takc_sequence *sequences;
    struct {
        int32_t *idf;
        size_t cap;
    } scratch[TAKC_EACH_THREADS_MAX];
};

static enum takc_status sequence_document(void *arg, unsigned worker, size_t doc, const struct takc_corpus_view *v, struct takc_err *err)
{
    struct pass5 *p = arg;
    uint32_t first = p->s->first_unit[doc];
    bool show_title = false;
    enum takc_status st = takc_grow(&p->scratch[worker].idf, &p->scratch[worker].cap, v->units->vocabulary.n + 1, sizeof(int32_t), err);
    if (!st && first + v->units->n_units != p->s->first_unit[doc + 1])
        st = takc_fail(err, TAKC_INVALID, 0, "the documents changed between two passes");
    if (st)
        return st;
    takc_stats_local(p->t, v->units, p->scratch[worker].idf);
    struct takc_greedy_in in = {.units = v->units,
                                .idf = p->scratch[worker].idf,
                                .h = p->h + first,
                                .twin = p->s->twin + first,
                                .corpus_words = p->o->corpus_words ? p->o->corpus_words : p->s->source_words,
                                .corpus_bytes = p->o->corpus_bytes ? p->o->corpus_bytes : p->s->source_bytes};
    st = takc_greedy(&in, &p->sequences[doc], &show_title, err);
    p->s->show_title[doc] = show_title;
    return st;
}

void takc_sequences_free(struct takc_sequence *q, size_t n)
{
    for (size_t i = 0; q && i < n; i++) {
        takc_free(q[i].units);
        takc_free(q[i].keys);
    }
    takc_free(q);
}

enum takc_status takc_sequences_make(const struct takc_stats *t, const struct takc_corpus *c, const int32_t *h,
                                     const struct takc_extractive_options *o, struct takc_call *call, struct takc_selection *s,
                                     struct takc_sequence **out, struct takc_err *err)
{
    struct takc_each e = {.corpus = c, .call = call, .stage = "order", .n_threads = o->n_threads};
    enum takc_status st = TAKC_OK;
    struct pass5 *p = takc_alloc(sizeof(*p));
    if (!p)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for sequences");
    *p = (struct pass5){.t = t, .o = o, .s = s, .h = h};
    p->sequences = takc_alloc_array(s->n_docs, sizeof(*p->sequences));
    s->show_title = takc_alloc(s->n_docs);
    if (!p->sequences || !s->show_title)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu documents", s->n_docs);
    if (!st)
        st = takc_each_doc(&e, sequence_document, p, err);
    if (!st) {
        *out = p->sequences;
        p->sequences = NULL;
    }
    takc_sequences_free(p->sequences, s->n_docs);
    for (unsigned i = 0; i < TAKC_EACH_THREADS_MAX; i++)
        takc_free(p->scratch[i].idf);
    takc_free(p);
    return st;
}
