/* SPDX-License-Identifier: Apache-2.0
 *
 * stats.c - pass 1: counts over all documents. Every worker counts into a vocabulary of its own and these are added up; lines are kept as
 * two hashes a unit until the pass is over, then sorted once for templates and once for duplicates. */
#include "base/alloc.h"
#include "base/hash.h"
#include "compress/sort.h"
#include "compress/steps.h"

struct lines { /* of one document */
    size_t n;
    uint64_t *same; /* per unit: equal for duplicates; 0: may not be chosen */
    uint64_t *mask; /* per unit: equal for lines of one template */
};

struct scratch { /* of one worker */
    struct takc_vocabulary words;
    uint32_t *global; /* of the document's words */
    uint32_t *stamp;  /* the last unit, + 1, that held the word */
    size_t global_cap, stamp_cap;
};

struct pass1 {
    struct lines *lines; /* per document */
    struct takc_selection *s;
    uint64_t *sums; /* per document: words, bytes, mt of its source */
    struct scratch scratch[TAKC_EACH_THREADS_MAX];
};

static enum takc_status vocabulary_add(struct takc_vocabulary *v, struct takc_str word, uint32_t *out, struct takc_err *err)
{
    size_t before = v->words.n;
    enum takc_status st = takc_grow(&v->n_units, &v->n_units_cap, before + 1, sizeof(*v->n_units), err);
    if (!st)
        st = takc_grow(&v->n_docs, &v->n_docs_cap, before + 1, sizeof(*v->n_docs), err);
    if (!st)
        st = takc_intern_add(&v->words, word, out, err);
    if (!st && *out == before)
        v->n_units[before] = v->n_docs[before] = 0;
    return st;
}

static void vocabulary_clear(struct takc_vocabulary *v)
{
    takc_intern_clear(&v->words);
    takc_free(v->n_units);
    takc_free(v->n_docs);
    *v = (struct takc_vocabulary){0};
}

static enum takc_status vocabulary_merge(struct takc_vocabulary *to, const struct takc_vocabulary *from, struct takc_err *err)
{
    for (uint32_t i = 0; i < from->words.n; i++) {
        uint32_t at;
        enum takc_status st = vocabulary_add(to, takc_intern_get(&from->words, i), &at, err);
        if (st)
            return st;
        to->n_units[at] += from->n_units[i];
        to->n_docs[at] += from->n_docs[i];
    }
    return TAKC_OK;
}

/* Words of the document in the worker's vocabulary. Words that stand in titles and headings only count in no unit and no document. */
static enum takc_status count_words(struct scratch *w, const struct takc_units *u, struct takc_err *err)
{
    size_t n = u->vocabulary.n;
    enum takc_status st = takc_grow(&w->global, &w->global_cap, n + 1, sizeof(*w->global), err);
    if (!st)
        st = takc_grow(&w->stamp, &w->stamp_cap, n + 1, sizeof(*w->stamp), err);
    if (st)
        return st;
    memset(w->stamp, 0, n * sizeof(*w->stamp));
    for (uint32_t i = 0; i < n && !st; i++)
        st = vocabulary_add(&w->words, takc_intern_get(&u->vocabulary, i), &w->global[i], err);
    for (uint32_t i = 0; i < u->n_units && !st; i++)
        for (uint32_t k = 0; k < u->units[i].n_terms; k++) {
            uint32_t x = u->terms[u->units[i].term_at + k], g = w->global[x];
            w->words.n_docs[g] += w->stamp[x] == 0;
            w->words.n_units[g] += w->stamp[x] != i + 1;
            w->stamp[x] = i + 1;
        }
    return st;
}

/* Rows are the same only within a table: the document and the anchor are part of their key. */
static uint64_t same_key(const struct takc_unit *u, size_t doc)
{
    uint64_t key = u->text_hash;
    if (!takc_unit_eligible(u))
        return 0;
    if (u->kind == TAKC_UNIT_ROW) {
        uint64_t parts[3] = {u->text_hash, doc, u->anchor};
        key = takc_hash64(takc_str_n((const char *)parts, sizeof(parts)), 1);
    }
    return key ? key : 1;
}

static enum takc_status count_document(void *arg, unsigned worker, size_t doc, const struct takc_corpus_view *v, struct takc_err *err)
{
    struct pass1 *p = arg;
    const struct takc_units *u = v->units;
    struct lines *l = &p->lines[doc];
    l->n = u->n_units;
    l->same = takc_alloc_array(l->n, 2 * sizeof(*l->same));
    if (!l->same)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for the lines of %zu units", l->n);
    l->mask = l->same + l->n;
    for (size_t i = 0; i < l->n; i++) {
        l->same[i] = same_key(&u->units[i], doc);
        l->mask[i] = u->units[i].mask_hash;
    }
    p->sums[3 * doc] = u->source_words;
    p->sums[3 * doc + 1] = u->source_bytes;
    p->sums[3 * doc + 2] = u->source_mt;
    return count_words(&p->scratch[worker], u, err);
}

/* Numbers the units through and adds up the source. */
static enum takc_status number_units(const struct pass1 *p, struct takc_selection *s, struct takc_err *err)
{
    size_t n = 0;
    s->first_unit = takc_alloc_array(s->n_docs + 1, sizeof(*s->first_unit));
    if (!s->first_unit)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu documents", s->n_docs);
    for (size_t d = 0; d < s->n_docs; d++) {
        s->first_unit[d] = (uint32_t)n;
        n += p->lines[d].n;
        s->source_words += p->sums[3 * d];
        s->source_bytes += p->sums[3 * d + 1];
        s->source_mt += p->sums[3 * d + 2];
        if (n >= UINT32_MAX - 1)
            return takc_fail(err, TAKC_INVALID, 0, "more than 2^32 units");
    }
    s->first_unit[s->n_docs] = (uint32_t)n;
    s->n_units = n;
    return n ? TAKC_OK : takc_fail(err, TAKC_INVALID, 0, "the documents hold no unit of text");
}

/* Documents of each template, from items sorted by mask: units of one document stand together, by number. */
static void count_templates(const struct takc_sort_item *items, const struct takc_selection *s, uint32_t *out)
{
    for (size_t lo = 0, hi; lo < s->n_units; lo = hi) {
        uint32_t docs = 0, end = 0;
        size_t d = 0;
        for (hi = lo; hi < s->n_units && takc_sort_item_key(&items[hi]) == takc_sort_item_key(&items[lo]); hi++)
            if (items[hi].at >= end) {
                while (s->first_unit[d + 1] <= items[hi].at)
                    d++;
                end = s->first_unit[d + 1];
                docs++;
            }
        for (size_t i = lo; i < hi; i++)
            out[items[i].at] = docs;
    }
}

static enum takc_status sort_lines(struct takc_stats *t, const struct pass1 *p, struct takc_selection *s, struct takc_err *err)
{
    size_t n = s->n_units, at = 0;
    enum takc_status st = TAKC_OK;
    struct takc_sort_item *items = takc_alloc_array(n, sizeof(*items));
    s->twin = takc_alloc_array(n, sizeof(*s->twin));
    t->templates = takc_alloc_array(n, sizeof(*t->templates));
    if (!items || !s->twin || !t->templates) {
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu units", n);
        goto out;
    }
    for (size_t d = 0; d < s->n_docs; d++)
        for (size_t i = 0; i < p->lines[d].n; i++, at++)
            items[at] = takc_sort_item_of(p->lines[d].mask[i], at);
    takc_sort_items(items, n);
    count_templates(items, s, t->templates);
    at = 0;
    for (size_t d = 0; d < s->n_docs; d++)
        for (size_t i = 0; i < p->lines[d].n; i++, at++)
            items[at] = takc_sort_item_of(p->lines[d].same[i], at);
    takc_sort_items(items, n);
    for (size_t i = 1, first = 0; i < n; i++)
        if (takc_sort_item_key(&items[i]) != takc_sort_item_key(&items[first]))
            first = i;
        else if (takc_sort_item_key(&items[i]))
            s->twin[items[i].at] = items[first].at + 1;
out:
    takc_free(items);
    return st;
}

/* idf = ln(1 + (n - f + .5) / (f + .5)) = ln(2n + 2) - ln(2f + 1), never below the smallest step. */
static enum takc_status weigh_words(struct takc_stats *t, size_t n_units, const struct takc_asked *asked, struct takc_err *err)
{
    size_t n = t->words.words.n;
    t->idf = takc_alloc_array(n, sizeof(*t->idf));
    t->word_flags = takc_alloc_array(n, sizeof(*t->word_flags));
    if (!t->idf || !t->word_flags)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu words", n);
    takc_fx all = takc_fx_ln(2 * (uint64_t)n_units + 2);
    for (size_t i = 0; i < n; i++) {
        takc_fx v = all - takc_fx_ln(2 * (uint64_t)t->words.n_units[i] + 1);
        t->idf[i] = v < 1 ? 1 : (int32_t)v;
    }
    for (uint32_t i = 0; i < asked->words.n; i++) {
        uint32_t at = takc_intern_find(&t->words.words, takc_intern_get(&asked->words, i));
        if (at != TAKC_INTERN_NONE)
            t->word_flags[at] |= TAKC_WORD_TASK;
    }
    return TAKC_OK;
}

static enum takc_status run_pass1(struct pass1 *p, const struct takc_each *e, struct takc_vocabulary *out, struct takc_err *err)
{
    enum takc_status st = takc_each_doc(e, count_document, p, err);
    for (unsigned i = 1; i < TAKC_EACH_THREADS_MAX && !st; i++)
        st = vocabulary_merge(&p->scratch[0].words, &p->scratch[i].words, err);
    if (st)
        return st;
    *out = p->scratch[0].words;
    p->scratch[0].words = (struct takc_vocabulary){0};
    return TAKC_OK;
}

static void pass1_free(struct pass1 *p, size_t n_docs)
{
    for (size_t d = 0; p->lines && d < n_docs; d++)
        takc_free(p->lines[d].same);
    for (unsigned i = 0; i < TAKC_EACH_THREADS_MAX; i++) {
        vocabulary_clear(&p->scratch[i].words);
        takc_free(p->scratch[i].global);
        takc_free(p->scratch[i].stamp);
    }
    takc_free(p->lines);
    takc_free(p->sums);
    takc_free(p);
}

enum takc_status takc_stats_make(struct takc_stats *t, const struct takc_corpus *c, const struct takc_asked *asked, unsigned n_threads,
                                 struct takc_call *call, struct takc_selection *s, struct takc_err *err)
{
    struct takc_each e = {.corpus = c, .call = call, .stage = "count", .n_threads = n_threads};
    struct pass1 *p = takc_alloc(sizeof(*p));
    enum takc_status st = TAKC_OK;
    *t = (struct takc_stats){0};
    s->n_docs = c->n_docs;
    if (!p)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory to count words");
    p->lines = takc_alloc_array(c->n_docs, sizeof(*p->lines));
    p->sums = takc_alloc_array(c->n_docs, 3 * sizeof(*p->sums));
    if (!p->lines || !p->sums)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu documents", c->n_docs);
    if (!st)
        st = run_pass1(p, &e, &t->words, err);
    if (!st)
        st = number_units(p, s, err);
    if (!st)
        st = sort_lines(t, p, s, err);
    if (!st)
        st = weigh_words(t, s->n_units, asked, err);
    pass1_free(p, c->n_docs);
    return st;
}

void takc_stats_clear(struct takc_stats *t)
{
    vocabulary_clear(&t->words);
    takc_free(t->idf);
    takc_free(t->word_flags);
    takc_free(t->templates);
    *t = (struct takc_stats){0};
}

void takc_stats_local(const struct takc_stats *t, const struct takc_units *u, int32_t *out_idf)
{
    for (uint32_t i = 0; i < u->vocabulary.n; i++) {
        uint32_t at = takc_intern_find(&t->words.words, takc_intern_get(&u->vocabulary, i));
        out_idf[i] = at == TAKC_INTERN_NONE ? 1 : t->idf[at];
    }
}
