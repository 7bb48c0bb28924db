/* SPDX-License-Identifier: Apache-2.0
 *
 * The promises of data-model.md section 3 and 4 on many small random corpora: the sequence is the exact greedy, the merge is the greedy
 * over the corpus, budgets hold and are used up, rates nest, threads and load order do not matter. */
#include "base/fault.h"
#include "compress/artifact.h"
#include "compress/steps.h"
#include "random_corpus.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "token/bpe_fixture.h"

static const takc_rate ladder[] = {128000, 64000, 32000, 16000, 8000};

/* ---- the greedy, as its definition says ---- */

struct naive {
    const struct takc_greedy_in *in;
    bool *said, *paid, *done;
    bool any;
    uint32_t n_taken;
};

static bool holds(const struct takc_units *u, uint32_t i, uint32_t word)
{
    for (uint32_t k = 0; k < u->units[i].n_terms; k++)
        if (u->terms[u->units[i].term_at + k] == word)
            return true;
    return false;
}

/* Does unit i lack half of the distinct words of the title? */
static bool wants_title(const struct takc_units *u, uint32_t i)
{
    size_t n = 0, met = 0;
    for (uint32_t x = 0; x < u->vocabulary.n; x++)
        for (size_t k = 0; k < u->n_title_terms; k++)
            if (u->title_terms[k] == x) {
                n++;
                met += holds(u, i, x);
                break;
            }
    return n > 0 && 2 * met < n;
}

static takc_fx naive_value(const struct naive *g, uint32_t i)
{
    const struct takc_units *u = g->in->units;
    const struct takc_unit *x = &u->units[i];
    uint64_t words = x->n_words, bytes = x->n_bytes, total = 0, said = 0;
    for (uint32_t w = 0; w < u->vocabulary.n; w++)
        if (holds(u, i, w)) {
            total += (uint64_t)g->in->idf[w];
            said += g->said[w] ? (uint64_t)g->in->idf[w] : 0;
        }
    if (!g->any && wants_title(u, i)) {
        words += u->title_words;
        bytes += u->title_bytes;
    }
    if (x->anchor && !g->paid[x->anchor - 1]) {
        words += u->anchors[x->anchor - 1].n_words;
        bytes += u->anchors[x->anchor - 1].n_bytes;
    }
    takc_fx by_words = takc_fx_ln_ratio(words ? words : 1, g->in->corpus_words), by_bytes = takc_fx_ln_ratio(bytes, g->in->corpus_bytes);
    bool more_words = (unsigned __int128)words * g->in->corpus_bytes > (unsigned __int128)bytes * g->in->corpus_words;
    return takc_fx_mul(g->in->h[i], TAKC_FX(.55)) - takc_fx_mul(more_words ? by_words : by_bytes, TAKC_FX(1.15)) - takc_fx_ln(5 * total) +
           takc_fx_ln(5 * total - 4 * said) - takc_fx_mul(takc_fx_ln(g->n_taken + 1), TAKC_FX(.3));
}

static bool naive_best(const struct naive *g, uint32_t *out, takc_fx *out_value)
{
    bool found = false;
    for (uint32_t i = 0; i < g->in->units->n_units; i++) {
        const struct takc_unit *x = &g->in->units->units[i];
        if (g->done[i] || g->in->twin[i] || x->n_terms == 0 || x->flags & TAKC_UNIT_BARE)
            continue;
        takc_fx v = naive_value(g, i);
        if (!found || v > *out_value) {
            *out = i;
            *out_value = v;
        }
        found = true;
    }
    return found;
}

static void naive_take(struct naive *g, uint32_t i)
{
    const struct takc_units *u = g->in->units;
    g->done[i] = g->any = true;
    g->n_taken++;
    for (uint32_t k = 0; k < u->units[i].n_terms; k++)
        g->said[u->terms[u->units[i].term_at + k]] = true;
    if (u->units[i].anchor)
        g->paid[u->units[i].anchor - 1] = true;
}

static void naive_init(struct naive *g, const struct takc_greedy_in *in)
{
    *g = (struct naive){.in = in};
    g->said = calloc(in->units->vocabulary.n + 1, sizeof(bool));
    g->paid = calloc(in->units->n_anchors + 1, sizeof(bool));
    g->done = calloc(in->units->n_units + 1, sizeof(bool));
}

static void naive_free(struct naive *g)
{
    free(g->said);
    free(g->paid);
    free(g->done);
}

/* Scores, idf and twins made up; ties are wanted. */
static void make_in(struct random_corpus *r, const struct takc_units *u, bool coarse, struct takc_greedy_in *in)
{
    int32_t *idf = calloc(u->vocabulary.n + 1, sizeof(*idf)), *h = calloc(u->n_units + 1, sizeof(*h));
    uint32_t *twin = calloc(u->n_units + 1, sizeof(*twin));
    for (size_t i = 0; i < u->vocabulary.n; i++)
        idf[i] = coarse ? (int32_t)TAKC_FX_ONE : 1 + (int32_t)random_below(r, 10u << TAKC_FX_BITS);
    for (size_t i = 0; i < u->n_units; i++) {
        h[i] = coarse ? (int32_t)(random_below(r, 3) * TAKC_FX_ONE) : (int32_t)random_below(r, 8u << TAKC_FX_BITS) - (3 << TAKC_FX_BITS);
        twin[i] = random_below(r, 10) == 0;
    }
    *in = (struct takc_greedy_in){.units = u, .idf = idf, .h = h, .twin = twin, .corpus_words = 5000, .corpus_bytes = 30000};
}

static void free_in(struct takc_greedy_in *in)
{
    free((void *)in->idf);
    free((void *)in->h);
    free((void *)in->twin);
}

static void sequence_is_the_exact_greedy(void **state)
{
    (void)state;
    size_t n_all = 0, n_payments = 0;
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct random_corpus r;
        struct takc_greedy_in in;
        struct takc_sequence q;
        struct naive g;
        bool show = false, coarse = seed % 3 == 0;
        random_unit_corpus(&r, seed, 1, seed % 10 == 0 ? 80 : 20, seed % 2 ? 12 : 60, coarse);
        make_in(&r, &r.items[0].units, coarse, &in);
        assert_int_equal(takc_greedy(&in, &q, &show, NULL), TAKC_OK);
        naive_init(&g, &in);
        uint32_t best = 0;
        takc_fx value = 0, last = INT64_MAX;
        for (size_t k = 0; naive_best(&g, &best, &value); k++, n_all++) {
            assert_true(k < q.n);
            assert_int_equal(q.units[k], best);
            if (k == 0)
                assert_true(show == wants_title(in.units, best));
            n_payments += value > last;
            last = value < last ? value : last;
            assert_true(q.keys[k] == last);
            naive_take(&g, best);
            if (g.n_taken == q.n)
                assert_false(naive_best(&g, &best, &value));
        }
        assert_int_equal(g.n_taken, q.n);
        naive_free(&g);
        free_in(&in);
        takc_free(q.units);
        takc_free(q.keys);
        random_clear(&r);
    }
    assert_true(n_all > 10000 && n_payments > 300); /* the cases that matter were met */
}

enum { MAX_DOCS = 8 };

static void merge_is_the_greedy_over_the_corpus(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 1000; seed++) {
        struct random_corpus r;
        struct takc_greedy_in in[MAX_DOCS];
        struct naive g[MAX_DOCS];
        bool show, coarse = seed % 3 == 0;
        size_t n_docs = 1 + seed % MAX_DOCS;
        random_unit_corpus(&r, seed, n_docs, 12, 20, coarse);
        struct takc_sequence *q = calloc(n_docs, sizeof(*q));
        struct takc_selection s = {.n_docs = n_docs, .first_unit = calloc(n_docs + 1, sizeof(uint32_t))};
        for (size_t d = 0; d < n_docs; d++) {
            make_in(&r, &r.items[d].units, coarse, &in[d]);
            naive_init(&g[d], &in[d]);
            assert_int_equal(takc_greedy(&in[d], &q[d], &show, NULL), TAKC_OK);
            s.first_unit[d + 1] = s.first_unit[d] + (uint32_t)r.items[d].units.n_units;
        }
        assert_int_equal(takc_order_make(q, &s, NULL), TAKC_OK);
        size_t k = 0;
        for (;; k++) {
            size_t from = n_docs;
            uint32_t best = 0;
            takc_fx value = 0;
            for (size_t d = 0; d < n_docs; d++) {
                uint32_t i = 0;
                takc_fx v = 0;
                if (!naive_best(&g[d], &i, &v) || (from < n_docs && v <= value))
                    continue;
                from = d;
                best = i;
                value = v;
            }
            if (from == n_docs)
                break;
            assert_true(k < s.n_order);
            assert_int_equal(s.order[k], s.first_unit[from] + best);
            assert_true(k == 0 || s.keys[k] <= s.keys[k - 1]);
            naive_take(&g[from], best);
        }
        assert_int_equal(k, s.n_order);
        for (size_t d = 0; d < n_docs; d++) {
            naive_free(&g[d]);
            free_in(&in[d]);
        }
        takc_sequences_free(q, n_docs);
        takc_selection_clear(&s);
        random_clear(&r);
    }
}

/* ---- budgets ---- */

static struct takc_extractive_options options(void)
{
    struct takc_extractive_options o = takc_extractive_options_default();
    o.description = takc_str("Revenue, margins and the reasons: who decided what, when, under which clause and version.");
    return o;
}

static bool subset(const uint8_t *a, const uint8_t *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (takc_bit(a, i) && !takc_bit(b, i))
            return false;
    return true;
}

static void measure_text(const struct random_corpus *r, const struct takc_selection *s, const uint8_t *bits,
                         const struct takc_extractive_options *o, struct takc_buf *text)
{
    takc_buf_reset(text);
    assert_int_equal(takc_set_text(&r->c, s, bits, o->clean_level, NULL, text, NULL), TAKC_OK);
}

/* No unchosen unit may fit where less than 98 % are used: tried with the real text. */
static void nothing_more_fits(const struct random_corpus *r, const struct takc_selection *s, uint8_t *bits,
                              const struct takc_extractive_options *o, uint64_t budget_mt)
{
    struct takc_buf text;
    takc_buf_init(&text, TAKC_BUF_MAX_DOCUMENT);
    for (size_t k = 0; k < s->n_order; k++) {
        uint32_t i = s->order[k];
        if (takc_bit(bits, i))
            continue;
        takc_bit_set(bits, i);
        measure_text(r, s, bits, o, &text);
        assert_true(takc_tokenizer_count_mt(o->tokenizer, takc_buf_str(&text)) > budget_mt);
        takc_bit_clear(bits, i);
    }
    takc_buf_clear(&text);
}

static void budgets_hold_and_rates_nest(void **state)
{
    (void)state;
    size_t n_full = 0, n_short = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct random_corpus r;
        struct takc_selection s;
        struct takc_buf text;
        struct takc_extractive_options o = options();
        o.must_keep = seed % 3 == 0 ? 1u << TAKC_FACT_NUMBER | 1u << TAKC_FACT_NEGATION : 0;
        takc_buf_init(&text, TAKC_BUF_MAX_DOCUMENT);
        random_text_corpus(&r, seed, 1 + seed % 12, seed % 5 == 0 ? 200 : 40, o.tokenizer);
        enum takc_status st = takc_extractive_select(&r.c, &o, NULL, &s, NULL);
        assert_true(st == TAKC_OK || (st == TAKC_INVALID && s.n_units == 0));
        uint8_t *last = calloc(s.n_units / 8 + 1, 1);
        for (int i = 0; i < 5 && !st; i++) {
            uint8_t *bits = NULL;
            struct takc_set_size size;
            assert_int_equal(takc_selection_set(&s, &r.c, &o, ladder[i], &bits, &size, NULL), TAKC_OK);
            measure_text(&r, &s, bits, &o, &text);
            uint64_t budget = (s.source_mt + 999) / 1000 * 1000 / ladder[i];
            assert_int_equal(size.budget_mt, budget * 1000);
            assert_true(takc_tokenizer_count(o.tokenizer, takc_buf_str(&text)) <= budget);
            assert_int_equal(size.mt, takc_tokenizer_count_mt(o.tokenizer, takc_buf_str(&text)));
            assert_int_equal(size.bytes, text.len);
            assert_true(subset(last, bits, s.n_units));
            if (size.shortfall)
                nothing_more_fits(&r, &s, bits, &o, size.budget_mt);
            else
                assert_true(size.mt * 100 >= size.budget_mt * 98);
            n_full += !size.shortfall;
            n_short += size.shortfall;
            free(last);
            last = bits;
        }
        free(last);
        takc_buf_clear(&text);
        takc_selection_clear(&s);
        assert_int_equal(r.n_loaded, 0);
        random_clear(&r);
    }
    assert_true(n_full > 50 && n_short > 50);
}

static void other_rates_contain_the_next_coarser(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        static const takc_rate others[] = {1000, 1500, 2000, 5000, 9500, 12500, 40000, 63999, 100000};
        static const takc_rate below[] = {8000, 8000, 8000, 8000, 16000, 16000, 64000, 64000, 128000};
        struct random_corpus r;
        struct takc_selection s;
        struct takc_buf text;
        struct takc_extractive_options o = options();
        takc_buf_init(&text, TAKC_BUF_MAX_DOCUMENT);
        random_text_corpus(&r, seed, 6, 80, o.tokenizer);
        assert_int_equal(takc_extractive_select(&r.c, &o, NULL, &s, NULL), TAKC_OK);
        for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
            uint8_t *bits = NULL, *coarser = NULL;
            struct takc_set_size size, coarser_size;
            assert_int_equal(takc_selection_set(&s, &r.c, &o, others[i], &bits, &size, NULL), TAKC_OK);
            assert_int_equal(takc_selection_set(&s, &r.c, &o, below[i], &coarser, &coarser_size, NULL), TAKC_OK);
            assert_true(subset(coarser, bits, s.n_units));
            measure_text(&r, &s, bits, &o, &text);
            assert_true(takc_tokenizer_count_mt(o.tokenizer, takc_buf_str(&text)) <= size.budget_mt);
            if (size.shortfall)
                nothing_more_fits(&r, &s, bits, &o, size.budget_mt);
            takc_free(bits);
            takc_free(coarser);
        }
        takc_buf_clear(&text);
        takc_selection_clear(&s);
        random_clear(&r);
    }
}

static void words_and_bytes_hold(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct random_corpus r;
        struct takc_selection s;
        struct takc_extractive_options o = options();
        o.budget = TAKC_BUDGET_WORDS_BYTES;
        random_text_corpus(&r, seed, 6, 120, o.tokenizer);
        assert_int_equal(takc_extractive_select(&r.c, &o, NULL, &s, NULL), TAKC_OK);
        for (int i = 1; i < 5; i++) {
            uint8_t *bits = NULL;
            struct takc_set_size size;
            assert_int_equal(takc_selection_set(&s, &r.c, &o, ladder[i], &bits, &size, NULL), TAKC_OK);
            assert_true(size.words * ladder[i] <= s.source_words * 1000);
            assert_true(size.bytes * ladder[i] <= s.source_bytes * 1000);
            takc_free(bits);
        }
        takc_selection_clear(&s);
        random_clear(&r);
    }
}

/* A tokenizer whose counts do not add up: the whole costs more than its lines. */
static uint64_t odd_line_mt(const struct takc_tokenizer *t, struct takc_str line)
{
    (void)t;
    return 1000 + 250 * line.len;
}

static uint64_t odd_count_mt(const struct takc_tokenizer *t, struct takc_str text)
{
    (void)t;
    uint64_t n = 0;
    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] == '\n' ? 1400 : text.ptr[i] == 'e' ? 400 : 250;
    return n;
}

static void whole_counts_hold(void **state)
{
    (void)state;
    const struct takc_tokenizer_ops ops = {.line_mt = odd_line_mt, .count_mt = odd_count_mt};
    const struct takc_tokenizer odd = {&ops, "odd", "1"};
    size_t n_units = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct random_corpus r;
        struct takc_selection s;
        struct takc_buf text;
        struct takc_extractive_options o = options();
        o.tokenizer = &odd;
        takc_buf_init(&text, TAKC_BUF_MAX_DOCUMENT);
        random_text_corpus(&r, seed, 5, 150, &odd);
        assert_int_equal(takc_extractive_select(&r.c, &o, NULL, &s, NULL), TAKC_OK);
        for (int i = 0; i < 6; i++) {
            uint8_t *bits = NULL;
            struct takc_set_size size;
            assert_int_equal(takc_selection_set(&s, &r.c, &o, i < 5 ? ladder[i] : 3000, &bits, &size, NULL), TAKC_OK);
            measure_text(&r, &s, bits, &o, &text);
            assert_int_equal(odd_count_mt(&odd, takc_buf_str(&text)), size.mt);
            assert_true(size.mt <= size.budget_mt);
            n_units += size.n_units;
            takc_free(bits);
        }
        takc_buf_clear(&text);
        takc_selection_clear(&s);
        random_clear(&r);
    }
    assert_true(n_units > 500);
}

/* A real byte-pair vocabulary: never over, and at least 98 % of the budget where any unit that was left would not fit with it. */
static void byte_pair_budgets_hold(void **state)
{
    (void)state;
    const struct takc_tokenizer *t = fixture_ranks();
    size_t n_full = 0, n_short = 0;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct random_corpus r;
        struct takc_selection s;
        struct takc_buf text;
        struct takc_extractive_options o = options();
        o.tokenizer = t;
        takc_buf_init(&text, TAKC_BUF_MAX_DOCUMENT);
        random_text_corpus(&r, seed, 5, 150, t);
        assert_int_equal(takc_extractive_select(&r.c, &o, NULL, &s, NULL), TAKC_OK);
        for (int i = 0; i < 6; i++) {
            uint8_t *bits = NULL;
            struct takc_set_size size;
            assert_int_equal(takc_selection_set(&s, &r.c, &o, i < 5 ? ladder[i] : 3000, &bits, &size, NULL), TAKC_OK);
            measure_text(&r, &s, bits, &o, &text);
            assert_int_equal(1000 * takc_bpe_ids(t, takc_buf_str(&text), NULL, 0), size.mt);
            assert_true(size.mt <= size.budget_mt);
            bool full = size.mt * 100 >= size.budget_mt * 98;
            n_full += full;
            n_short += !full;
            for (size_t n = 0; n < s.n_order && !full; n++) {
                uint32_t u = s.order[n];
                if (takc_bit(bits, u))
                    continue;
                bits[u / 8] |= (uint8_t)(1u << u % 8);
                measure_text(&r, &s, bits, &o, &text);
                assert_true(takc_tokenizer_count_mt(t, takc_buf_str(&text)) > size.budget_mt);
                bits[u / 8] &= (uint8_t) ~(1u << u % 8);
            }
            takc_free(bits);
        }
        takc_buf_clear(&text);
        takc_selection_clear(&s);
        random_clear(&r);
    }
    assert_true(n_full > n_short);
    takc_tokenizer_close(t);
}

/* With facts that must be kept: their lines take at most 30 % before the rest is filled, and more of them stand in the set. */
static void must_keep_is_bounded(void **state)
{
    (void)state;
    size_t with = 0, without = 0;
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct random_corpus r;
        struct takc_extractive_options o = options();
        random_text_corpus(&r, seed, 6, 150, o.tokenizer);
        for (int keep = 0; keep < 2; keep++) {
            struct takc_selection s;
            struct takc_set_size size;
            uint8_t *bits = NULL;
            o.must_keep = keep ? 1u << TAKC_FACT_NEGATION : 0;
            assert_int_equal(takc_extractive_select(&r.c, &o, NULL, &s, NULL), TAKC_OK);
            assert_int_equal(takc_selection_set(&s, &r.c, &o, 32000, &bits, &size, NULL), TAKC_OK);
            for (size_t i = 0; i < s.n_units; i++)
                if (takc_bit(bits, i) && s.costs->unit_kinds[i] & 1u << TAKC_FACT_NEGATION)
                    *(keep ? &with : &without) += 1;
            takc_free(bits);
            takc_selection_clear(&s);
        }
        random_clear(&r);
    }
    assert_true(with > without + without / 4);
}

/* ---- bytes ---- */

static void artifact_of(const struct takc_corpus *c, const struct takc_extractive_options *o, takc_rate rate, struct takc_buf *out)
{
    struct takc_selection s;
    struct takc_set_size size;
    uint8_t *bits = NULL;
    struct takc_artifact_meta meta = {.task = takc_str("test"), .fingerprint = takc_str("f"), .rate = rate};
    assert_int_equal(takc_extractive_select(c, o, NULL, &s, NULL), TAKC_OK);
    assert_int_equal(takc_selection_set(&s, c, o, rate, &bits, &size, NULL), TAKC_OK);
    assert_int_equal(takc_artifact_write(c, &s, bits, &size, o, &meta, NULL, out, NULL), TAKC_OK);
    takc_free(bits);
    takc_selection_clear(&s);
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 25; seed++) {
        struct random_corpus r;
        struct takc_buf one, many;
        struct takc_extractive_options o = options();
        takc_buf_init(&one, TAKC_BUF_MAX_DOCUMENT);
        takc_buf_init(&many, TAKC_BUF_MAX_DOCUMENT);
        random_text_corpus(&r, seed, 30, 30, o.tokenizer);
        artifact_of(&r.c, &o, 8000, &one);
        for (o.n_threads = 2; o.n_threads <= 4; o.n_threads++) {
            takc_buf_reset(&many);
            artifact_of(&r.c, &o, 8000, &many);
            assert_true(takc_str_eq(takc_buf_str(&one), takc_buf_str(&many)));
        }
        takc_buf_clear(&one);
        takc_buf_clear(&many);
        random_clear(&r);
    }
}

/* Reads back to the same text, sizes and order; spans stand in their documents. */
static void artifacts_read_back(void **state)
{
    (void)state;
    size_t n_shared = 0;
    for (uint64_t seed = 1; seed <= 40; seed++) {
        struct random_corpus r;
        struct takc_buf json, text;
        struct takc_artifact a;
        struct takc_hex sha;
        struct takc_err err;
        struct takc_extractive_options o = options();
        takc_buf_init(&json, TAKC_BUF_MAX_DOCUMENT);
        takc_buf_init(&text, TAKC_BUF_MAX_DOCUMENT);
        random_text_corpus(&r, seed, 12, 60, o.tokenizer);
        artifact_of(&r.c, &o, seed % 2 ? 2500 : 8000, &json);
        assert_int_equal(takc_artifact_parse(&a, takc_buf_str(&json), &err), TAKC_OK);
        assert_int_equal(takc_artifact_text(&a, &text, NULL), TAKC_OK);
        assert_int_equal(takc_sha256(takc_buf_str(&text), &sha, NULL), TAKC_OK);
        assert_true(takc_str_is(a.text_sha, sha.s));
        assert_int_equal(a.bytes, text.len);
        assert_int_equal(a.tokens, takc_tokenizer_count(o.tokenizer, takc_buf_str(&text)));
        assert_true(a.tokens <= a.budget_tokens);
        assert_true(takc_str_is(a.rate_name, seed % 2 ? "2.5x" : "light"));
        for (size_t i = 0; i < a.n_segments; i++)
            for (size_t k = 0; k < a.segments[i].n_parts; k++)
                for (size_t j = 0; j < a.segments[i].parts[k].n_spans; j++) {
                    const struct takc_artifact_span *p = &a.segments[i].parts[k].spans[j];
                    size_t d = 0;
                    while (!takc_str_eq(r.docs[d].name, a.documents[p->doc].name))
                        d++;
                    assert_true(p->end <= r.items[d].doc.text.len);
                    n_shared += p->doc != a.segments[i].parts[a.segments[i].n_parts - 1].spans[0].doc;
                }
        takc_artifact_clear(&a);
        takc_buf_clear(&json);
        takc_buf_clear(&text);
        random_clear(&r);
    }
    assert_true(n_shared > 20); /* segments that stand for duplicates in other documents */
}

/* ---- memory ---- */

static enum takc_status everything(struct random_corpus *r, const struct takc_extractive_options *o, struct takc_err *err)
{
    struct takc_selection s;
    struct takc_set_size size;
    struct takc_buf json, text;
    struct takc_artifact a = {0};
    struct takc_fact_counts facts;
    uint8_t *bits = NULL;
    struct takc_artifact_meta meta = {.task = takc_str("test"), .fingerprint = takc_str("f"), .rate = 5000};
    takc_buf_init(&json, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&text, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st = takc_extractive_select(&r->c, o, NULL, &s, err);
    if (!st)
        st = takc_selection_set(&s, &r->c, o, meta.rate, &bits, &size, err);
    if (!st)
        st = takc_artifact_write(&r->c, &s, bits, &size, o, &meta, NULL, &json, err);
    if (!st)
        st = takc_artifact_parse(&a, takc_buf_str(&json), err);
    if (!st)
        st = takc_artifact_text(&a, &text, err);
    if (!st)
        st = takc_facts_of_set(&r->c, &s, bits, o->description, &facts, err);
    takc_artifact_clear(&a);
    takc_buf_clear(&json);
    takc_buf_clear(&text);
    takc_free(bits);
    takc_selection_clear(&s);
    return st;
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    struct random_corpus r;
    struct takc_extractive_options o = options();
    random_text_corpus(&r, 7, 4, 12, o.tokenizer);
    assert_int_equal(everything(&r, &o, NULL), TAKC_OK);
    for (o.n_threads = 1; o.n_threads <= 2; o.n_threads++)
        for (uint64_t n = 1;; n++) {
            struct takc_err err = {0};
            takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
            enum takc_status st = everything(&r, &o, &err);
            bool reached = takc_fault_count(TAKC_FAULT_ALLOC) >= n;
            takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
            assert_int_equal(r.n_loaded, 0);
            if (!reached)
                break;
            if (st != TAKC_NOMEM)
                fail_msg("allocation %d failed, status %s: %s", (int)n, takc_status_name(st), err.msg);
        }
    random_clear(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence_is_the_exact_greedy), cmocka_unit_test(merge_is_the_greedy_over_the_corpus),
        cmocka_unit_test(budgets_hold_and_rates_nest),  cmocka_unit_test(other_rates_contain_the_next_coarser),
        cmocka_unit_test(words_and_bytes_hold),         cmocka_unit_test(whole_counts_hold),
        cmocka_unit_test(byte_pair_budgets_hold),       cmocka_unit_test(must_keep_is_bounded),
        cmocka_unit_test(threads_do_not_matter),        cmocka_unit_test(artifacts_read_back),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
