/* SPDX-License-Identifier: Apache-2.0
 *
 * score.c - H, the hand score of a unit: how likely somebody with this task will need it, told from the unit, its place and its company.
 *
 *   H = facts + types + substance + rarity + task + position + centrality - boilerplate
 *
 * Most parts are sums over the unit's counts (pass 2). Five are quantiles within the corpus, which is what carries them from one kind of
 * corpus to the next; one of these needs the words that go with the task (pass 3 over the few documents with the units nearest to the
 * description, then pass 4). Weights are those of the recipe but where docs/adr/0008-substance.md says otherwise; sharp scores ruin
 * the selection.
 *
 * Substance is there because cost makes short lines cheap: without it a budget fills with "2.4 Marketing.", lone authors and page numbers,
 * which hold no fact that could answer anything. Rows are short by nature and left alone; so is a line that is of a kind that the task
 * asks for (a version, a default), and half left alone the first line under a heading, which says what the heading names. */
#include "base/alloc.h"
#include "compress/sort.h"
#include "compress/steps.h"
#include "token/words.h"

enum { EXPANSION_WORDS = 60, NEAREST_MIN = 30, NEAREST_SHARE = 200, EXPANSION_SEEN_MIN = 3 };

struct scratch { /* of one worker; per local word unless said */
    uint32_t *stamp;
    int32_t *idf;
    uint32_t *global;
    uint32_t *n_units; /* units of the document that hold it */
    uint8_t *flags;    /* enum local_flags */
    size_t cap;
    uint32_t *set; /* distinct words of the unit at hand */
    size_t set_cap;
    uint32_t *pairs; /* per heading: adjacent task words */
    size_t pairs_cap;
};
enum local_flags { IN_TASK = 1 << 0, IN_TITLE = 1 << 1, IN_ONE_DOC = 1 << 2 };

struct scoring {
    const struct takc_stats *t;
    const struct takc_asked *asked;
    struct takc_selection *s;
    int32_t *h;         /* per unit, the sum so far */
    int32_t *rarity;    /* per unit: mean idf */
    int32_t *unique;    /* words that stand in one document only */
    int32_t *ema;       /* of the task words' idf */
    int32_t *central;   /* cosine with the document's centroid */
    int32_t *near;      /* pass 2: nearness to the description; pass 4: expansion words' weight per word */
    int32_t *expansion; /* per word of the corpus */
    uint32_t *n_near;   /* per word of the corpus: nearest units that hold it */
    uint8_t *nearest;   /* bitmap of units */
    struct scratch scratch[TAKC_EACH_THREADS_MAX];
};

static int32_t clamp(takc_fx v)
{
    return v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : (int32_t)v;
}

static int64_t at_most(int64_t v, int64_t max)
{
    return v < max ? v : max;
}

/* ---- a document's words ---- */

static enum takc_status scratch_fit(struct scratch *w, const struct takc_units *u, struct takc_err *err)
{
    size_t n = u->vocabulary.n + 1, cap = w->cap, caps[5] = {cap, cap, cap, cap, cap};
    enum takc_status st = takc_grow(&w->stamp, &caps[0], n, sizeof(*w->stamp), err);
    if (!st)
        st = takc_grow(&w->idf, &caps[1], n, sizeof(*w->idf), err);
    if (!st)
        st = takc_grow(&w->global, &caps[2], n, sizeof(*w->global), err);
    if (!st)
        st = takc_grow(&w->n_units, &caps[3], n, sizeof(*w->n_units), err);
    if (!st)
        st = takc_grow(&w->flags, &caps[4], n, sizeof(*w->flags), err);
    if (!st)
        w->cap = caps[0];
    if (!st)
        st = takc_grow(&w->set, &w->set_cap, (size_t)UINT16_MAX + 1, sizeof(*w->set), err);
    if (!st)
        st = takc_grow(&w->pairs, &w->pairs_cap, u->n_headings + 1, sizeof(*w->pairs), err);
    return st;
}

static void scratch_free(struct scratch *w)
{
    takc_free(w->stamp);
    takc_free(w->idf);
    takc_free(w->global);
    takc_free(w->n_units);
    takc_free(w->flags);
    takc_free(w->set);
    takc_free(w->pairs);
}

/* Distinct words of unit i into w->set. */
static size_t distinct(struct scratch *w, const struct takc_units *u, uint32_t i)
{
    const struct takc_unit *x = &u->units[i];
    size_t n = 0;
    for (uint32_t k = 0; k < x->n_terms; k++) {
        uint32_t word = u->terms[x->term_at + k];
        if (w->stamp[word] == i + 1)
            continue;
        w->stamp[word] = i + 1;
        w->set[n++] = word;
    }
    return n;
}

static enum takc_status meet_words(const struct scoring *c, struct scratch *w, const struct takc_units *u, struct takc_err *err)
{
    const struct takc_stats *t = c->t;
    enum takc_status st = scratch_fit(w, u, err);
    if (st)
        return st;
    for (uint32_t i = 0; i < u->vocabulary.n; i++) {
        uint32_t g = takc_intern_find(&t->words.words, takc_intern_get(&u->vocabulary, i));
        if (g == TAKC_INTERN_NONE)
            return takc_fail(err, TAKC_INVALID, 0, "the documents changed between two passes");
        w->global[i] = g;
        w->idf[i] = t->idf[g];
        w->stamp[i] = w->n_units[i] = 0;
        w->flags[i] = (uint8_t)((t->word_flags[g] & TAKC_WORD_TASK ? IN_TASK : 0) | (t->words.n_docs[g] == 1 ? IN_ONE_DOC : 0));
    }
    for (size_t i = 0; i < u->n_title_terms; i++)
        w->flags[u->title_terms[i]] |= IN_TITLE;
    return TAKC_OK;
}

/* Adjacent pairs of task words. */
static uint32_t task_pairs(const struct scratch *w, const uint32_t *terms, size_t n)
{
    uint32_t pairs = 0;
    for (size_t k = 0; k + 1 < n; k++)
        pairs += w->flags[terms[k]] & w->flags[terms[k + 1]] & IN_TASK;
    return pairs;
}

/* ---- parts of H that are sums over one unit's counts ---- */

static takc_fx facts_part(const struct takc_unit *x, unsigned asks)
{
    takc_fx h = takc_fx_mul(takc_fx_ln((uint64_t)at_most(x->nums, 6) + 1), asks & TAKC_ASK_NUM ? TAKC_FX(.56) : TAKC_FX(.28));
    h += takc_fx_mul(takc_fx_ln((uint64_t)at_most(x->caps, 8) + 1), asks & TAKC_ASK_NAME ? TAKC_FX(.45) : TAKC_FX(.24));
    h += at_most(2 * (x->dates > 0) + x->years, 3) * (asks & TAKC_ASK_DATE ? TAKC_FX(.25) : TAKC_FX(.125));
    h += at_most(x->money, 3) * TAKC_FX(.25);
    h += at_most(x->acronyms, 3) * TAKC_FX(.15);
    h += at_most(x->extremes, 2) * TAKC_FX(.1);
    return h;
}

/* Is the unit of an exact kind that the task asks for? Under a heading "Default" the first line is one. */
static unsigned exact_kind(const struct takc_unit *x, unsigned asks, bool under_default)
{
    unsigned kinds = 0;
    if (x->flags & TAKC_UNIT_VERSION)
        kinds |= TAKC_ASK_VERSION;
    if (x->flags & TAKC_UNIT_DEFAULT || (under_default && x->flags & TAKC_UNIT_FIRST))
        kinds |= TAKC_ASK_DEFAULT;
    return kinds & asks;
}

static takc_fx types_part(const struct takc_unit *x, unsigned asks, unsigned exact)
{
    takc_fx h = 0;
    if (exact & TAKC_ASK_VERSION)
        h += TAKC_FX(1.6);
    if (exact & TAKC_ASK_DEFAULT)
        h += TAKC_FX(1.2);
    if (asks & TAKC_ASK_WHY)
        h += at_most(x->why, 2) * TAKC_FX(.35);
    if (asks & TAKC_ASK_DECISION)
        h += at_most(x->decides, 2) * TAKC_FX(.15);
    if (asks & TAKC_ASK_OBLIGATION)
        h += at_most(x->obliges, 2) * TAKC_FX(.12);
    if (asks & TAKC_ASK_DEFINITION)
        h += at_most(x->defines, 2) * TAKC_FX(.35);
    return h;
}

/* What a line is worth less because it has few content words, or nothing but such (a label, a name in a list). */
static takc_fx substance_part(const struct takc_unit *x, unsigned exact)
{
    static const takc_fx few[] = {TAKC_FX(6), TAKC_FX(6), TAKC_FX(3.5), TAKC_FX(2), TAKC_FX(1), TAKC_FX(.5)};
    const uint64_t n_few = sizeof(few) / sizeof(few[0]), plenty = 12;
    if (x->kind == TAKC_UNIT_ROW)
        return 0;
    takc_fx h = takc_fx_mul(takc_fx_ln(x->n_terms < plenty ? x->n_terms : plenty) - TAKC_FX(1.8), TAKC_FX(.3)); /* ln 6 = 1.8 */
    if ((uint64_t)x->n_terms * 10 > (uint64_t)x->n_tokens * 8)
        h -= TAKC_FX(.8);
    if (x->n_terms < n_few && !exact)
        h -= x->flags & TAKC_UNIT_FIRST ? few[x->n_terms] / 2 : few[x->n_terms];
    return h;
}

static takc_fx boilerplate_part(const struct takc_unit *x, unsigned asks, uint32_t n_template_docs, size_t n_docs)
{
    takc_fx h = takc_fx_mul(takc_fx_ln(n_template_docs), x->kind == TAKC_UNIT_ROW ? TAKC_FX(.1) : TAKC_FX(.5));
    if (n_docs > 3 && (uint64_t)n_template_docs * 10 > (uint64_t)n_docs * 3)
        h += TAKC_FX(.5);
    if (x->flags & TAKC_UNIT_NOTICE && !(asks & TAKC_ASK_RIGHTS))
        h += TAKC_FX(8); /* short lines cost next to nothing: it takes this much to outweigh years and names */
    if (x->flags & TAKC_UNIT_CITES)
        h += TAKC_FX(.25);
    if (x->flags & TAKC_UNIT_FILLER)
        h += TAKC_FX(.25);
    if (x->flags & TAKC_UNIT_QUESTION)
        h += TAKC_FX(.4);
    if (x->flags & TAKC_UNIT_PRONOUN)
        h += TAKC_FX(.3);
    if (x->n_words < 5)
        h += TAKC_FX(.3);
    if (x->kind == TAKC_UNIT_HEADING)
        h += x->n_words < 7 ? TAKC_FX(2) : TAKC_FX_ONE;
    return h;
}

static takc_fx position_part(const struct takc_unit *x, uint32_t index, size_t n_title_met, size_t n_title)
{
    takc_fx h = -takc_fx_mul(takc_fx_ln((uint64_t)index + 1), TAKC_FX(.15));
    if (index == 0)
        h += TAKC_FX(.5);
    if (x->flags & TAKC_UNIT_FIRST)
        h += TAKC_FX(.15);
    if (n_title)
        h += takc_fx_mul(takc_fx_ratio((int64_t)n_title_met, (int64_t)n_title), TAKC_FX(.4));
    return h;
}

/* Headings seen so far, walked together with the units: the nearest task-like heading fades by .98 a unit. */
struct headings {
    size_t next;
    takc_fx context;
};

static takc_fx task_part(const struct scratch *w, const struct takc_units *u, uint32_t i, struct headings *g)
{
    const struct takc_unit *x = &u->units[i];
    uint32_t start = x->n_spans ? u->spans[x->span_at].start : 0, head = x->heading ? w->pairs[x->heading - 1] : 0;
    uint32_t pairs = task_pairs(w, u->terms + x->term_at, x->n_terms);
    if (x->kind == TAKC_UNIT_HEADING)
        head = pairs;
    g->context = takc_fx_mul(g->context, TAKC_FX(.98));
    for (; g->next < u->n_headings && u->headings[g->next].span.start <= start; g->next++)
        if (w->pairs[g->next] * TAKC_FX_ONE > g->context)
            g->context = w->pairs[g->next] * TAKC_FX_ONE;
    takc_fx context = at_most(g->context, 2 * TAKC_FX_ONE);
    return at_most(head, 2) * TAKC_FX(.8) + takc_fx_mul(context, x->kind == TAKC_UNIT_ROW ? TAKC_FX(1.56) : TAKC_FX(.36)) +
           at_most(pairs, 2) * TAKC_FX(.3);
}

/* ---- pass 2 ---- */

/* Sums over the distinct words of a unit. */
struct sums {
    size_t n, n_unique, n_title;
    takc_fx idf, task_idf;
    unsigned __int128 square;  /* of idf */
    unsigned __int128 product; /* with the centroid */
};

static struct sums sum_words(struct scratch *w, const struct takc_units *u, uint32_t i)
{
    struct sums s = {.n = distinct(w, u, i)};
    for (size_t k = 0; k < s.n; k++) {
        uint32_t x = w->set[k];
        uint64_t v = (uint64_t)w->idf[x];
        s.idf += w->idf[x];
        s.task_idf += w->flags[x] & IN_TASK ? w->idf[x] : 0;
        s.n_unique += (w->flags[x] & IN_ONE_DOC) != 0;
        s.n_title += (w->flags[x] & IN_TITLE) != 0;
        s.square += (unsigned __int128)v * v;
        s.product += (unsigned __int128)(v * v) * w->n_units[x];
    }
    return s;
}

/* The length of the document's centroid: its weights are idf times units that hold the word. Leaves w->n_units and a clean w->stamp. */
static uint64_t centroid(struct scratch *w, const struct takc_units *u)
{
    unsigned __int128 square = 0;
    for (uint32_t i = 0; i < u->n_units; i++) {
        size_t n = distinct(w, u, i);
        for (size_t k = 0; k < n; k++)
            w->n_units[w->set[k]]++;
    }
    for (uint32_t x = 0; x < u->vocabulary.n; x++) {
        uint64_t v = (uint64_t)w->idf[x] * w->n_units[x];
        square += (unsigned __int128)v * v;
        w->stamp[x] = 0;
    }
    return takc_isqrt(square);
}

static takc_fx cosine(const struct sums *s, uint64_t length)
{
    unsigned __int128 below = (unsigned __int128)takc_isqrt(s->square) * length;
    return below ? (takc_fx)((s->product << TAKC_FX_BITS) / below) : 0;
}

/* Sum of the task words' idf by the root of the unit's length, 22 fraction bits. */
static int32_t nearness(const struct sums *s)
{
    return clamp((s->task_idf << 14) / (takc_fx)takc_isqrt((unsigned __int128)(s->n + 3) << 32));
}

static size_t distinct_title(struct scratch *w, const struct takc_units *u)
{
    size_t n = 0;
    for (size_t i = 0; i < u->n_title_terms; i++) {
        n += w->stamp[u->title_terms[i]] == 0;
        w->stamp[u->title_terms[i]] = 1;
    }
    for (size_t i = 0; i < u->n_title_terms; i++)
        w->stamp[u->title_terms[i]] = 0;
    return n;
}

/* Does heading h (number + 1) hold this word? */
static bool heading_says(const struct takc_units *u, uint32_t h, uint32_t word)
{
    for (uint32_t k = h ? u->heading_at[h - 1] : 0; h && k < u->heading_at[h]; k++)
        if (u->heading_terms[k] == word)
            return true;
    return false;
}

static enum takc_status score_document(void *arg, unsigned worker, size_t doc, const struct takc_corpus_view *v, struct takc_err *err)
{
    struct scoring *c = arg;
    struct scratch *w = &c->scratch[worker];
    const struct takc_units *u = v->units;
    struct headings headings = {0};
    takc_fx ema = 0;
    enum takc_status st = meet_words(c, w, u, err);
    if (!st && c->s->first_unit[doc] + u->n_units != c->s->first_unit[doc + 1])
        st = takc_fail(err, TAKC_INVALID, 0, "the documents changed between two passes");
    if (st)
        return st;
    for (size_t g = 0; g < u->n_headings; g++)
        w->pairs[g] = task_pairs(w, u->heading_terms + u->heading_at[g], u->heading_at[g + 1] - u->heading_at[g]);
    size_t n_title = distinct_title(w, u);
    uint64_t length = centroid(w, u);
    uint32_t word_default = takc_intern_find(&u->vocabulary, takc_word_stem(takc_str("default")));
    for (uint32_t i = 0; i < u->n_units; i++) {
        const struct takc_unit *x = &u->units[i];
        struct sums s = sum_words(w, u, i);
        size_t at = c->s->first_unit[doc] + i;
        unsigned exact = exact_kind(x, c->asked->asks, heading_says(u, x->heading, word_default));
        takc_fx h = facts_part(x, c->asked->asks) + types_part(x, c->asked->asks, exact) + substance_part(x, exact) +
                    position_part(x, i, s.n_title, n_title) + task_part(w, u, i, &headings) -
                    boilerplate_part(x, c->asked->asks, c->t->templates[at], c->s->n_docs);
        h += takc_fx_mul(takc_fx_ratio(x->n_terms, x->n_tokens ? x->n_tokens : 1) - TAKC_FX(.5), TAKC_FX(.8));
        ema = takc_fx_mul(ema, TAKC_FX(.8)) + takc_fx_mul(s.task_idf, TAKC_FX(.2));
        c->h[at] = clamp(h);
        c->rarity[at] = s.n ? clamp(s.idf / (takc_fx)s.n) : 0;
        c->unique[at] = (int32_t)s.n_unique;
        c->ema[at] = clamp(ema >> 4);
        c->central[at] = clamp(cosine(&s, length));
        c->near[at] = nearness(&s);
    }
    return TAKC_OK;
}

/* ---- pass 3: words that go with the task ---- */

static enum takc_status count_nearest(void *arg, unsigned worker, size_t doc, const struct takc_corpus_view *v, struct takc_err *err)
{
    struct scoring *c = arg;
    struct scratch *w = &c->scratch[worker];
    enum takc_status st = meet_words(c, w, v->units, err);
    for (uint32_t i = 0; i < v->units->n_units && !st; i++) {
        if (!takc_bit(c->nearest, c->s->first_unit[doc] + i))
            continue;
        size_t n = distinct(w, v->units, i);
        for (size_t k = 0; k < n; k++)
            c->n_near[w->global[w->set[k]]]++;
    }
    return st;
}

/* Marks the k units nearest to the description, and their documents. */
static enum takc_status mark_nearest(struct scoring *c, size_t k, uint8_t *docs, struct takc_err *err)
{
    size_t n = c->s->n_units, d = 0;
    struct takc_sort_item *items = takc_alloc_array(n, sizeof(*items));
    enum takc_status st = TAKC_OK;
    if (!items) {
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu units", n);
        goto out;
    }
    for (size_t i = 0; i < n; i++)
        items[i] = takc_sort_item_of(~takc_sort_key(c->near[i]), i);
    takc_sort_items(items, n);
    for (size_t i = 0; i < k; i++)
        takc_bit_set(c->nearest, items[i].at);
    for (size_t i = 0; i < n; i++)
        if (takc_bit(c->nearest, i)) {
            while (c->s->first_unit[d + 1] <= i)
                d++;
            takc_bit_set(docs, d);
        }
out:
    takc_free(items);
    return st;
}

struct candidate {
    takc_fx weight;
    uint32_t word;
};

static bool better(const struct scoring *c, struct candidate a, struct candidate b)
{
    const struct takc_intern *words = &c->t->words.words;
    if (a.weight != b.weight)
        return a.weight > b.weight;
    return takc_str_cmp(takc_intern_get(words, a.word), takc_intern_get(words, b.word)) < 0;
}

/* Log odds of a word in the k nearest units against all others. */
static takc_fx log_odds(const struct scoring *c, uint32_t word, size_t k)
{
    uint64_t in = c->n_near[word], out = c->t->words.n_units[word] - in, rest = c->s->n_units - k;
    return takc_fx_ln_ratio(2 * in + 1, 2 * (k - in) + 1) - takc_fx_ln_ratio(2 * out + 1, 2 * (rest - out) + 1);
}

static void choose_expansion(struct scoring *c, size_t k)
{
    struct candidate best[EXPANSION_WORDS];
    size_t n = 0;
    for (uint32_t i = 0; i < c->t->words.words.n; i++) {
        if (c->n_near[i] < EXPANSION_SEEN_MIN || c->t->word_flags[i] & TAKC_WORD_TASK)
            continue;
        struct candidate x = {log_odds(c, i, k), i};
        if (x.weight <= 0 || (n == EXPANSION_WORDS && !better(c, x, best[n - 1])))
            continue;
        size_t at = n < EXPANSION_WORDS ? n++ : n - 1;
        for (; at > 0 && better(c, x, best[at - 1]); at--)
            best[at] = best[at - 1];
        best[at] = x;
    }
    for (size_t i = 0; i < n; i++)
        c->expansion[best[i].word] = clamp(best[i].weight);
}

static enum takc_status find_expansion(struct scoring *c, struct takc_each e, struct takc_err *err)
{
    size_t k = c->s->n_units / NEAREST_SHARE;
    uint8_t *docs = takc_alloc(c->s->n_docs / 8 + 1);
    enum takc_status st = TAKC_OK;
    k = k < NEAREST_MIN ? NEAREST_MIN : k;
    k = k > c->s->n_units ? c->s->n_units : k;
    c->nearest = takc_alloc(c->s->n_units / 8 + 1);
    c->n_near = takc_alloc_array(c->t->words.words.n, sizeof(*c->n_near));
    c->expansion = takc_alloc_array(c->t->words.words.n, sizeof(*c->expansion));
    if (!docs || !c->nearest || !c->n_near || !c->expansion)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for the words near the task");
    if (!st)
        st = mark_nearest(c, k, docs, err);
    if (!st) {
        e.only = docs;
        e.n_threads = 1; /* a few documents, one counter */
        e.stage = "expand";
        st = takc_each_doc(&e, count_nearest, c, err);
    }
    if (!st)
        choose_expansion(c, k);
    takc_free(docs);
    return st;
}

/* ---- pass 4 ---- */

static enum takc_status expand_document(void *arg, unsigned worker, size_t doc, const struct takc_corpus_view *v, struct takc_err *err)
{
    struct scoring *c = arg;
    struct scratch *w = &c->scratch[worker];
    enum takc_status st = meet_words(c, w, v->units, err);
    for (uint32_t i = 0; i < v->units->n_units && !st; i++) {
        size_t n = distinct(w, v->units, i);
        uint16_t n_tokens = v->units->units[i].n_tokens;
        takc_fx sum = 0;
        for (size_t k = 0; k < n; k++)
            sum += c->expansion[w->global[w->set[k]]];
        c->near[c->s->first_unit[doc] + i] = clamp(sum / (n_tokens < 3 ? 3 : n_tokens));
    }
    return st;
}

/* Adds the quantiles, each array given back when it is done with, then ranks H itself. */
static enum takc_status add_quantiles(struct scoring *c, struct takc_err *err)
{
    const struct {
        int32_t **values;
        takc_fx weight;
    } parts[] = {
        {&c->rarity, TAKC_FX_ONE}, {&c->unique, TAKC_FX(.3)}, {&c->near, TAKC_FX(.6)}, {&c->ema, TAKC_FX(.5)}, {&c->central, TAKC_FX(.6)}};
    size_t n = c->s->n_units;
    int32_t *ranks = NULL;
    struct takc_sort_item *items = takc_alloc_array(n, sizeof(*items));
    enum takc_status st = items ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu units", n);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !st; i++) {
        takc_sort_values(items, *parts[i].values, n);
        takc_sort_add_quantiles(items, n, parts[i].weight, c->h);
        takc_free(*parts[i].values);
        *parts[i].values = NULL;
    }
    ranks = st ? NULL : takc_alloc_array(n, sizeof(*ranks));
    c->s->salience = st ? NULL : takc_alloc_array(n, sizeof(*c->s->salience));
    if (!st && (!ranks || !c->s->salience))
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for the ranks of %zu units", n);
    if (!st) {
        takc_sort_values(items, c->h, n);
        takc_sort_add_quantiles(items, n, UINT16_MAX, ranks);
        for (size_t i = 0; i < n; i++)
            c->s->salience[i] = (uint16_t)ranks[i];
    }
    takc_free(items);
    takc_free(ranks);
    return st;
}

static enum takc_status score_alloc(struct scoring *c, struct takc_err *err)
{
    int32_t **parts[] = {&c->h, &c->rarity, &c->unique, &c->ema, &c->central, &c->near};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        *parts[i] = takc_alloc_array(c->s->n_units, sizeof(int32_t));
        if (!*parts[i])
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for the scores of %zu units", c->s->n_units);
    }
    return TAKC_OK;
}

static void score_free(struct scoring *c)
{
    takc_free(c->h);
    takc_free(c->rarity);
    takc_free(c->unique);
    takc_free(c->ema);
    takc_free(c->central);
    takc_free(c->near);
    takc_free(c->expansion);
    takc_free(c->n_near);
    takc_free(c->nearest);
    for (unsigned i = 0; i < TAKC_EACH_THREADS_MAX; i++)
        scratch_free(&c->scratch[i]);
    takc_free(c);
}

enum takc_status takc_score_make(const struct takc_stats *t, const struct takc_corpus *corpus, const struct takc_asked *asked,
                                 unsigned n_threads, struct takc_call *call, struct takc_selection *s, int32_t **out_h,
                                 struct takc_err *err)
{
    struct takc_each e = {.corpus = corpus, .call = call, .stage = "score", .n_threads = n_threads};
    struct scoring *c = takc_alloc(sizeof(*c));
    if (!c)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory to score");
    c->t = t;
    c->asked = asked;
    c->s = s;
    enum takc_status st = score_alloc(c, err);
    if (!st)
        st = takc_each_doc(&e, score_document, c, err);
    if (!st)
        st = find_expansion(c, e, err);
    if (!st)
        st = takc_each_doc(&e, expand_document, c, err);
    if (!st)
        st = add_quantiles(c, err);
    if (!st) {
        *out_h = c->h;
        c->h = NULL;
    }
    score_free(c);
    return st;
}
