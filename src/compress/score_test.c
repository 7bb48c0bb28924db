/* SPDX-License-Identifier: Apache-2.0
 *
 * What a description asks for, statistics, and H against the same formula written again in floating point. */
#include "../../tests/property/random_corpus.h"
#include "base/fault.h"
#include "compress/sort.h"
#include "compress/steps.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static unsigned asks_of(const char *description, size_t *out_words)
{
    struct takc_asked a;
    assert_int_equal(takc_asked_read(&a, takc_str(description), NULL), TAKC_OK);
    unsigned asks = a.asks;
    if (out_words)
        *out_words = a.words.n;
    takc_asked_clear(&a);
    return asks;
}

static void descriptions_are_read_by_words(void **state)
{
    (void)state;
    size_t n = 0;
    assert_int_equal(asks_of("", &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(asks_of("Exact amounts by quarter.", &n), TAKC_ASK_NUM | TAKC_ASK_DATE);
    assert_int_equal(n, 3);
    assert_int_equal(asks_of("How many came, and why?", NULL), TAKC_ASK_NUM | TAKC_ASK_WHY);
    assert_int_equal(asks_of("How they came; many others", NULL), 0);
    assert_int_equal(asks_of("what it is and what they are", NULL), TAKC_ASK_DEFINITION);
    assert_int_equal(asks_of("sometimes, a broadcast, candidate, unrequired", NULL), 0); /* never inside a word */
    assert_int_equal(asks_of("The default of each version", NULL), TAKC_ASK_DEFAULT | TAKC_ASK_VERSION);
    assert_int_equal(asks_of("clauses, rights; who decided", NULL), TAKC_ASK_OBLIGATION | TAKC_ASK_NAME | TAKC_ASK_DECISION);
    (void)asks_of("margin margins Margin the", &n);
    assert_int_equal(n, 1); /* one stem */
}

/* Words with ligatures are normalised in memory of their own; a description of which one is missing asks for something else. */
static void no_word_of_a_description_is_lost(void **state)
{
    (void)state;
    for (uint64_t n = 1, failed = 1; failed; n++) {
        struct takc_asked a;
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        enum takc_status st = takc_asked_read(&a, takc_str("ﬁnance eﬃciency, oﬃces"), NULL);
        failed = takc_fault_count(TAKC_FAULT_ALLOC) >= n;
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        assert_int_equal(st, failed ? TAKC_NOMEM : TAKC_OK);
        if (!st)
            assert_int_equal(a.words.n, 3);
        takc_asked_clear(&a);
    }
}

static int by_key_and_place(const void *pa, const void *pb)
{
    const struct takc_sort_item *a = pa, *b = pb;
    uint64_t ka = takc_sort_item_key(a), kb = takc_sort_item_key(b);
    return ka != kb ? (ka < kb ? -1 : 1) : (a->at > b->at) - (a->at < b->at);
}

static void sorting_is_by_key_and_place(void **state)
{
    (void)state;
    enum { N = 3000 };
    static struct takc_sort_item items[N], want[N];
    static const uint64_t masks[] = {0, 3, 0xFF, 0xFF00, (uint64_t)0x3FF << 32, UINT64_MAX}; /* few keys, many, all in one byte */
    unsigned random = 7;
    for (size_t m = 0; m < sizeof(masks) / sizeof(masks[0]); m++)
        for (size_t n = 0; n <= N; n = n < 60 ? n + 1 : n * 3) {
            for (size_t i = 0; i < n; i++) {
                uint64_t key = ((uint64_t)rand_r(&random) << 40 ^ (uint64_t)rand_r(&random) << 20 ^ (uint64_t)rand_r(&random)) & masks[m];
                items[i] = want[i] = takc_sort_item_of(key, (i * 7919) % 65537);
            }
            takc_sort_items(items, n);
            if (n)
                qsort(want, n, sizeof(want[0]), by_key_and_place);
            assert_memory_equal(items, want, n * sizeof(items[0]));
        }
    assert_true(takc_sort_key(-5) < takc_sort_key(3));
}

static void quantiles_share_ties(void **state)
{
    (void)state;
    const int32_t values[] = {7, -2, 7, 100};
    int32_t sum[4] = {0};
    struct takc_sort_item items[4];
    takc_sort_values(items, values, 4);
    takc_sort_add_quantiles(items, 4, TAKC_FX_ONE, sum);
    /* ranks: -2 is 0..1, 7 is 1..3, 100 is 3..4 */
    assert_int_equal(sum[1], TAKC_FX(.125));
    assert_int_equal(sum[0], TAKC_FX(.5));
    assert_int_equal(sum[2], TAKC_FX(.5));
    assert_int_equal(sum[3], TAKC_FX(.875));
}

static void quantiles_end_at_the_largest(void **state)
{
    (void)state;
    const int32_t values[] = {1, 2};
    int32_t sum[] = {INT32_MAX - 1, INT32_MIN + 1};
    struct takc_sort_item items[2];
    takc_sort_values(items, values, 2);
    takc_sort_add_quantiles(items, 2, TAKC_FX_ONE, sum);
    assert_int_equal(sum[0], INT32_MAX);
    takc_sort_add_quantiles(items, 2, -4 * TAKC_FX_ONE, sum);
    assert_int_equal(sum[1], INT32_MIN);
}

/* ---- the same formula in floating point ---- */

struct oracle {
    const struct random_corpus *r;
    const struct takc_asked *asked;
    size_t n_units, n_docs;
    double *h, *rarity, *unique, *near, *ema, *central;
};

static bool unit_holds(const struct takc_units *u, const struct takc_unit *x, const char *word)
{
    uint32_t at = takc_intern_find(&u->vocabulary, takc_str(word));
    for (uint32_t k = 0; k < x->n_terms; k++)
        if (u->terms[x->term_at + k] == at)
            return true;
    return false;
}

/* Units and documents that hold a word. */
static void frequency(const struct random_corpus *r, const char *word, double *units, double *docs)
{
    *units = *docs = 0;
    for (size_t d = 0; d < r->n; d++) {
        const struct takc_units *u = &r->items[d].units;
        double before = *units;
        for (size_t i = 0; i < u->n_units; i++)
            *units += unit_holds(u, &u->units[i], word);
        *docs += *units > before;
    }
}

static const char *word_of(const struct takc_units *u, uint32_t x, char *out)
{
    struct takc_str s = takc_intern_get(&u->vocabulary, x);
    (void)snprintf(out, 16, "%.*s", TAKC_STR_ARG(s));
    return out;
}

static double idf_of(const struct oracle *o, const char *word)
{
    double f, docs;
    frequency(o->r, word, &f, &docs);
    return log(1 + ((double)o->n_units - f + .5) / (f + .5));
}

static bool in_task(const struct oracle *o, const char *word)
{
    return takc_intern_find(&o->asked->words, takc_str(word)) != TAKC_INTERN_NONE;
}

static double pairs(const struct oracle *o, const struct takc_units *u, const uint32_t *terms, size_t n)
{
    double p = 0;
    char a[16], b[16];
    for (size_t k = 0; k + 1 < n; k++)
        p += in_task(o, word_of(u, terms[k], a)) && in_task(o, word_of(u, terms[k + 1], b));
    return p;
}

static double least(double a, double b)
{
    return a < b ? a : b;
}

static double counts_part(const struct oracle *o, const struct takc_unit *x)
{
    unsigned t = o->asked->asks;
    double h = .35 * log(1 + least(x->nums, 6)) * (t & TAKC_ASK_NUM ? 1.6 : .8) +
               .30 * log(1 + least(x->caps, 8)) * (t & TAKC_ASK_NAME ? 1.5 : .8) +
               .25 * least((x->dates ? 2 : 0) + x->years, 3) * (t & TAKC_ASK_DATE ? 1 : .5) + .25 * least(x->money, 3) +
               .15 * least(x->acronyms, 3) + .1 * least(x->extremes, 2);
    if (t & TAKC_ASK_VERSION && x->flags & TAKC_UNIT_VERSION)
        h += 1.6;
    if (t & TAKC_ASK_DEFAULT && x->flags & TAKC_UNIT_DEFAULT)
        h += 1.2;
    bool exact = (t & TAKC_ASK_VERSION && x->flags & TAKC_UNIT_VERSION) || (t & TAKC_ASK_DEFAULT && x->flags & TAKC_UNIT_DEFAULT);
    if (x->kind != TAKC_UNIT_ROW) {
        static const double few[] = {6, 6, 3.5, 2, 1, .5};
        h += .3 * (log(least(x->n_terms > 0 ? x->n_terms : 1, 12)) - 1.8);
        h -= x->n_terms > .8 * x->n_tokens ? .8 : 0;
        h -= x->n_terms < 6 && !exact ? few[x->n_terms] * (x->flags & TAKC_UNIT_FIRST ? .5 : 1) : 0;
    }
    h += (t & TAKC_ASK_WHY ? .35 : 0) * least(x->why, 2) + (t & TAKC_ASK_DECISION ? .15 : 0) * least(x->decides, 2);
    h += (t & TAKC_ASK_OBLIGATION ? .12 : 0) * least(x->obliges, 2) + (t & TAKC_ASK_DEFINITION ? .35 : 0) * least(x->defines, 2);
    h -= x->flags & TAKC_UNIT_CITES ? .25 : 0;
    h -= x->flags & TAKC_UNIT_FILLER ? .25 : 0;
    h -= x->flags & TAKC_UNIT_QUESTION ? .4 : 0;
    h -= x->flags & TAKC_UNIT_PRONOUN ? .3 : 0;
    h -= x->n_words < 5 ? .3 : 0;
    h -= x->kind == TAKC_UNIT_HEADING ? (x->n_words < 7 ? 2 : 1) : 0;
    return h + .8 * ((double)x->n_terms / (x->n_tokens ? x->n_tokens : 1) - .5);
}

static double template_docs(const struct random_corpus *r, uint64_t mask)
{
    double n = 0;
    for (size_t d = 0; d < r->n; d++)
        for (size_t i = 0; i < r->items[d].units.n_units; i++)
            if (r->items[d].units.units[i].mask_hash == mask) {
                n++;
                break;
            }
    return n;
}

static double quantile(const double *v, size_t n, size_t i)
{
    double lo = 0, hi = 0;
    for (size_t k = 0; k < n; k++) {
        lo += v[k] < v[i] - 1e-6;
        hi += v[k] <= v[i] + 1e-6;
    }
    return (lo + hi) / 2 / (double)n;
}

static void score_unit(struct oracle *o, size_t d, size_t i, size_t at, double *ema, double *context, size_t *heading)
{
    const struct takc_units *u = &o->r->items[d].units;
    const struct takc_unit *x = &u->units[i];
    double h = counts_part(o, x), sum = 0, task = 0, n = 0, unique = 0, title = 0, n_title = 0, dot = 0, own = 0, all = 0, expansion = 0;
    char word[16];
    for (uint32_t w = 0; w < u->vocabulary.n; w++) {
        double f, docs, local = 0, idf = idf_of(o, word_of(u, w, word));
        bool held = unit_holds(u, x, word), titled = false;
        frequency(o->r, word, &f, &docs);
        for (size_t k = 0; k < u->n_title_terms; k++)
            titled |= u->title_terms[k] == w;
        for (size_t k = 0; k < u->n_units; k++)
            local += unit_holds(u, &u->units[k], word);
        n_title += titled;
        all += idf * local * idf * local;
        if (!held)
            continue;
        n++;
        sum += idf;
        /* all units of so small a corpus are the nearest ones: the odds outside are 1 to 1 */
        expansion += f >= 3 && !in_task(o, word) && 2 * f > (double)o->n_units ? log((f + .5) / ((double)o->n_units - f + .5)) : 0;
        task += in_task(o, word) ? idf : 0;
        unique += docs == 1;
        title += titled;
        dot += idf * idf * local;
        own += idf * idf;
    }
    h += (i == 0 ? .5 : 0) + (x->flags & TAKC_UNIT_FIRST ? .15 : 0) - .15 * log(1 + (double)i) + (n_title > 0 ? .4 * title / n_title : 0);
    double docs = template_docs(o->r, x->mask_hash);
    h -= .5 * log(docs) * (x->kind == TAKC_UNIT_ROW ? .2 : 1) + (o->n_docs > 3 && docs > .3 * (double)o->n_docs ? .5 : 0);
    double b = pairs(o, u, u->terms + x->term_at, x->n_terms), head = 0;
    if (x->heading)
        head = pairs(o, u, u->heading_terms + u->heading_at[x->heading - 1], u->heading_at[x->heading] - u->heading_at[x->heading - 1]);
    if (x->kind == TAKC_UNIT_HEADING)
        head = b;
    *context *= .98;
    for (; *heading < u->n_headings && u->headings[*heading].span.start <= u->spans[x->span_at].start; ++*heading) {
        double p = pairs(o, u, u->heading_terms + u->heading_at[*heading], u->heading_at[*heading + 1] - u->heading_at[*heading]);
        *context = p > *context ? p : *context;
    }
    h += .8 * least(head, 2) + 1.2 * least(*context, 2) * (x->kind == TAKC_UNIT_ROW ? 1.3 : .3) + .3 * least(b, 2);
    *ema = .8 * *ema + .2 * task;
    o->h[at] = h;
    o->rarity[at] = n > 0 ? sum / n : 0;
    o->unique[at] = unique;
    o->ema[at] = *ema;
    o->central[at] = own > 0 && all > 0 ? dot / sqrt(own) / sqrt(all) : 0;
    o->near[at] = expansion / (x->n_tokens > 3 ? x->n_tokens : 3);
}

static void score_all(struct oracle *o)
{
    size_t at = 0;
    for (size_t d = 0; d < o->r->n; d++) {
        double ema = 0, context = 0;
        size_t heading = 0;
        for (size_t i = 0; i < o->r->items[d].units.n_units; i++, at++)
            score_unit(o, d, i, at, &ema, &context, &heading);
    }
    for (size_t i = 0; i < o->n_units; i++)
        o->h[i] += quantile(o->rarity, at, i) + .3 * quantile(o->unique, at, i) + .6 * quantile(o->near, at, i) +
                   .5 * quantile(o->ema, at, i) + .6 * quantile(o->central, at, i);
}

static void scores_are_those_of_the_formula(void **state)
{
    (void)state;
    size_t n_compared = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct random_corpus r;
        struct takc_asked asked;
        struct takc_stats stats;
        struct takc_selection s = {0};
        int32_t *h = NULL;
        random_unit_corpus(&r, seed, 1 + seed % 6, 5, 14, false);
        assert_int_equal(takc_asked_read(&asked,
                                         takc_str(seed % 2 ? "amounts, when, who, version, default, why, called, agreed, required"
                                                           : "nothing of that kind"),
                                         NULL),
                         TAKC_OK);
        for (uint32_t k = 0; k < 7; k++) { /* the words of such a corpus are w0, w1, ... */
            char word[16];
            uint32_t number;
            (void)snprintf(word, sizeof(word), "w%u", k);
            assert_int_equal(takc_intern_add(&asked.words, takc_str(word), &number, NULL), TAKC_OK);
        }
        enum takc_status st = takc_stats_make(&stats, &r.c, &asked, 1, NULL, &s, NULL);
        if (!st) {
            assert_int_equal(takc_score_make(&stats, &r.c, &asked, 1, NULL, &s, &h, NULL), TAKC_OK);
            size_t n = s.n_units;
            double *v = calloc(6 * n, sizeof(*v));
            struct oracle o = {&r, &asked, n, r.n, v, v + n, v + 2 * n, v + 3 * n, v + 4 * n, v + 5 * n};
            assert_true(n <= 30); /* all units are the nearest ones then */
            score_all(&o);
            for (size_t i = 0; i < n; i++, n_compared++)
                if (fabs(o.h[i] - (double)h[i] / (double)TAKC_FX_ONE) > 1e-4)
                    fail_msg("seed %d unit %d: %f instead of %f", (int)seed, (int)i, (double)h[i] / (double)TAKC_FX_ONE, o.h[i]);
            free(v);
        } else {
            assert_int_equal(st, TAKC_INVALID);
        }
        takc_free(h);
        takc_stats_clear(&stats);
        takc_selection_clear(&s);
        takc_asked_clear(&asked);
        random_clear(&r);
    }
    assert_true(n_compared > 300);
}

/* ---- statistics ---- */

static void add_line(struct random_doc *x, const char *line, unsigned kind, unsigned flags, uint32_t table)
{
    random_block(&x->doc, kind, flags, table, line);
}

static void finish(struct random_corpus *r)
{
    for (size_t i = 0; i < r->n; i++)
        assert_int_equal(
            takc_units_build(&r->items[i].units, &r->items[i].doc, takc_str("T"), takc_tokenizer_find(takc_str("estimate")), NULL, NULL),
            TAKC_OK);
    random_end(r);
}

static void duplicates_have_one_representative(void **state)
{
    (void)state;
    struct random_corpus r;
    struct takc_asked asked;
    struct takc_stats stats;
    struct takc_selection s = {0};
    random_begin(&r, 1, 2);
    for (size_t d = 0; d < 2; d++) {
        add_line(&r.items[d], "The pump failed in winter.", TAKC_BLOCK_PARA, 0, 0);
        add_line(&r.items[d], "Steel | 12", TAKC_BLOCK_ROW, 0, 1);
        add_line(&r.items[d], "Steel | 12", TAKC_BLOCK_ROW, 0, 1);
        add_line(&r.items[d], "The pump failed in winter.", TAKC_BLOCK_PARA, 0, 0);
        add_line(&r.items[d], d ? "It cost 31 dollars." : "It cost 29 dollars.", TAKC_BLOCK_PARA, 0, 0);
    }
    finish(&r);
    assert_int_equal(takc_asked_read(&asked, takc_str("pumps"), NULL), TAKC_OK);
    assert_int_equal(takc_stats_make(&stats, &r.c, &asked, 1, NULL, &s, NULL), TAKC_OK);
    static const uint32_t twins[] = {0, 0, 2, 1, 0, 1, 0, 7, 1, 0}, templates[] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
    assert_int_equal(s.n_units, 10);
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(s.twin[i], twins[i]);              /* prose in the whole corpus, rows within their table */
        assert_int_equal(stats.templates[i], templates[i]); /* digits do not tell templates apart */
    }
    uint32_t pump = takc_intern_find(&stats.words.words, takc_str("pump"));
    assert_true(pump != TAKC_INTERN_NONE);
    assert_int_equal(stats.words.n_units[pump], 4);
    assert_int_equal(stats.words.n_docs[pump], 2);
    assert_true(fabs((double)stats.idf[pump] / (double)TAKC_FX_ONE - log(1 + 6.5 / 4.5)) < 1e-5);
    assert_int_equal(stats.word_flags[pump], TAKC_WORD_TASK);
    takc_stats_clear(&stats);
    takc_selection_clear(&s);
    takc_asked_clear(&asked);
    random_clear(&r);
}

static void nothing_to_count_is_invalid(void **state)
{
    (void)state;
    struct random_corpus r;
    struct takc_selection s;
    struct takc_err err;
    struct takc_extractive_options o = takc_extractive_options_default();
    for (size_t n = 0; n < 3; n++) {
        random_begin(&r, 1, n);
        finish(&r);
        assert_int_equal(takc_extractive_select(&r.c, &o, NULL, &s, &err), TAKC_INVALID);
        takc_selection_clear(&s);
        random_clear(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptions_are_read_by_words),     cmocka_unit_test(no_word_of_a_description_is_lost),
        cmocka_unit_test(sorting_is_by_key_and_place),        cmocka_unit_test(quantiles_share_ties),
        cmocka_unit_test(quantiles_end_at_the_largest),       cmocka_unit_test(scores_are_those_of_the_formula),
        cmocka_unit_test(duplicates_have_one_representative), cmocka_unit_test(nothing_to_count_is_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
