/* SPDX-License-Identifier: Apache-2.0
 *
 * question.c - the content terms of a question: distinct stems without stop words, each with its dictionary entry and idf
 *     idf = ln(1 + (N - df + .5) / (df + .5)), N units; a term that no unit holds has df 0.
 * Also what a text covers of a question. */
#include "base/intern.h"
#include "base/utf8.h"
#include "rank/query.h"

#include <math.h>
#include <stdlib.h>

enum takc_status takc_arena_grow(struct takc_arena *a, void *items_ptr, size_t *cap, size_t want, size_t size, struct takc_err *err)
{
    if (want <= *cap)
        return TAKC_OK;
    size_t n = *cap < 16 ? 16 : *cap * 2;
    n = n < want ? want : n;
    void *old, *items = takc_arena_array(a, n, size);
    if (!items)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu items of a query", n);
    memcpy(&old, items_ptr, sizeof(old));
    if (*cap)
        memcpy(items, old, *cap * size);
    memcpy(items_ptr, &items, sizeof(items));
    *cap = n;
    return TAKC_OK;
}

/* A question while it is read. */
struct reading {
    const struct takc_index *x;
    struct takc_arena *arena;
    struct takc_question *q;
    struct takc_intern stems; /* of q's terms, with their numbers */
    size_t cap;
};

static enum takc_status add_term(struct reading *r, const struct takc_word *w, struct takc_err *err)
{
    struct takc_question *q = r->q;
    struct takc_str stem = takc_word_stem(w->norm);
    uint32_t number;
    if (w->article || takc_intern_find(&r->stems, stem) != TAKC_INTERN_NONE || takc_word_is_stop(w->norm))
        return TAKC_OK;
    enum takc_status st = takc_intern_add(&r->stems, stem, &number, err);
    if (!st)
        st = takc_arena_grow(r->arena, &q->terms, &r->cap, q->n_terms + 1, sizeof(*q->terms), err);
    if (st)
        return st;
    struct takc_question_term *t = &q->terms[q->n_terms];
    *t = (struct takc_question_term){.asked = takc_str_slice(q->text, w->start, w->end), .stem = takc_arena_dup(r->arena, stem)};
    t->number = w->number;
    t->pair = w->pair;
    t->name = w->start > 0 && t->asked.len && t->asked.ptr[0] >= 'A' && t->asked.ptr[0] <= 'Z';
    if (!t->stem.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for the terms of a question");
    if (r->x)
        st = takc_dict_find(r->x, t->stem, &t->entry, err);
    double n = r->x ? (double)takc_index_n_units(r->x) : 0, df = t->entry.df;
    t->idf = log(1 + (n - df + .5) / (df + .5));
    q->n_terms += !st;
    return st;
}

static int by_idf(const void *a, const void *b)
{
    const struct takc_question_term *s = a, *t = b;
    if (s->idf != t->idf)
        return s->idf > t->idf ? -1 : 1;
    return s->asked.ptr < t->asked.ptr ? -1 : s->asked.ptr > t->asked.ptr;
}

/* Characters at which the pairs known to the index begin, and end. */
struct borders {
    struct takc_keys begins, ends;
};

/* The characters of a pair of Han or Kana; second is 0 where one stands alone. */
static void halves_of(const struct takc_question_term *t, uint64_t *out_first, uint64_t *out_second)
{
    size_t at = 0;
    *out_first = takc_utf8_next(t->stem, &at, NULL);
    *out_second = at < t->stem.len ? takc_utf8_next(t->stem, &at, NULL) : 0;
}

static enum takc_status see_borders(const struct takc_question *q, struct borders *b, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    uint64_t first, second;
    uint32_t *value;
    bool is_new;
    for (size_t i = 0; !st && i < q->n_terms; i++) {
        if (!q->terms[i].pair || !q->terms[i].entry.df)
            continue;
        halves_of(&q->terms[i], &first, &second);
        st = takc_keys_at(&b->begins, first, &value, &is_new, err);
        if (!st && second)
            st = takc_keys_at(&b->ends, second, &value, &is_new, err);
    }
    return st;
}

/* Does the pair, which no unit has, only span the border of a word that a pair known to the index ends or begins at? */
static bool spans_border(const struct borders *b, const struct takc_question_term *t)
{
    uint64_t first, second;
    halves_of(t, &first, &second);
    return second && (takc_keys_have(&b->ends, first) || takc_keys_have(&b->begins, second));
}

/* Such pairs are no words, so that they are not asked for. */
static enum takc_status drop_borders(struct takc_question *q, struct takc_arena *arena, struct takc_err *err)
{
    struct borders b = {{.arena = arena}, {.arena = arena}};
    size_t n = 0;
    enum takc_status st = see_borders(q, &b, err);
    for (size_t i = 0; !st && i < q->n_terms; i++)
        if (!q->terms[i].pair || q->terms[i].entry.df || !spans_border(&b, &q->terms[i]))
            q->terms[n++] = q->terms[i];
    q->n_terms = st ? q->n_terms : n;
    return st;
}

/* "Sum up" asks for a summary. */
static bool sums_up(struct takc_str text, const struct takc_word *w)
{
    return takc_str_is(w->norm, "sum") && takc_str_starts(takc_str_slice(text, w->end, text.len), takc_str(" up "));
}

/* "Give me an overview of X": what asks in front is not looked for. */
static void drop_first(struct takc_question *q, size_t n)
{
    q->n_terms -= n;
    memmove(q->terms, q->terms + n, q->n_terms * sizeof(*q->terms));
}

enum takc_status takc_question_read(const struct takc_index *x, struct takc_str text, struct takc_arena *arena, struct takc_question *out,
                                    struct takc_err *err)
{
    struct takc_words words;
    struct takc_word w;
    struct reading r = {.x = x, .arena = arena, .q = out};
    size_t n_asking = 0;
    bool asking = true;
    enum takc_status st = TAKC_OK;
    *out = (struct takc_question){.text = text};
    takc_intern_init(&r.stems);
    takc_words_init(&words, text);
    for (bool first = true; !st && takc_words_next(&words, &w); first = false) {
        asking = asking && (takc_word_asks(w.norm) || sums_up(text, &w) || (!first && (w.article || takc_word_is_stop(w.norm))));
        st = add_term(&r, &w, err);
        n_asking = asking ? out->n_terms : n_asking;
    }
    st = takc_words_end(&words, st, err);
    takc_intern_clear(&r.stems);
    if (!st && n_asking < out->n_terms)
        drop_first(out, n_asking);
    if (!st && x)
        st = drop_borders(out, arena, err);
    if (!st && out->n_terms > TAKC_QUESTION_TERMS_MAX) {
        qsort(out->terms, out->n_terms, sizeof(*out->terms), by_idf);
        out->n_terms = TAKC_QUESTION_TERMS_MAX;
    }
    for (size_t i = 0; i < out->n_terms; i++)
        out->idf_sum += out->terms[i].idf;
    return st;
}

double takc_question_share(const struct takc_question *q, uint64_t mask)
{
    double sum = 0;
    for (size_t i = 0; i < q->n_terms; i++)
        if (mask >> i & 1)
            sum += q->terms[i].idf;
    return q->idf_sum > 0 ? sum / q->idf_sum : 1;
}

enum takc_status takc_question_missing(const struct takc_question *q, uint64_t mask, struct takc_arena *arena, const struct takc_str **out,
                                       size_t *out_n, struct takc_err *err)
{
    struct takc_question_term *left = takc_arena_array(arena, q->n_terms, sizeof(*left));
    struct takc_str *asked = takc_arena_array(arena, q->n_terms, sizeof(*asked));
    size_t n = 0;
    if (!left || !asked)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for the terms of a question");
    for (size_t i = 0; i < q->n_terms; i++)
        if (!(mask >> i & 1))
            left[n++] = q->terms[i];
    if (n)
        qsort(left, n, sizeof(*left), by_idf);
    for (size_t i = 0; i < n; i++)
        asked[i] = left[i].asked;
    *out = asked;
    *out_n = n;
    return TAKC_OK;
}

/* The first word of s asks, or stands for the material as such. */
static bool is_of_prompt(struct takc_str s)
{
    struct takc_words words;
    struct takc_word w;
    takc_words_init(&words, s);
    bool is = takc_words_next(&words, &w) && (takc_word_asks(w.norm) || takc_word_names_material(w.norm));
    takc_words_clear(&words);
    return is;
}

/* Leaves the terms that name something. */
static void drop_prompt(struct takc_question *q)
{
    size_t n = 0;
    q->idf_sum = 0;
    for (size_t i = 0; i < q->n_terms; i++) {
        if (is_of_prompt(q->terms[i].asked))
            continue;
        q->idf_sum += q->terms[i].idf;
        q->terms[n++] = q->terms[i];
    }
    q->n_terms = n;
}

/* Which terms of the question a text holds. */
/* Adds the terms of the question that a text holds to *mask. */
static enum takc_status terms_in(const struct takc_question *q, struct takc_str text, uint64_t *out_mask, struct takc_err *err)
{
    struct takc_words words;
    struct takc_word w;
    uint64_t mask = 0;
    takc_words_init(&words, text);
    while (takc_words_next(&words, &w)) {
        struct takc_str stem = takc_word_stem(w.norm);
        for (size_t i = 0; i < q->n_terms; i++)
            if (takc_str_eq(q->terms[i].stem, stem))
                mask |= (uint64_t)1 << i;
    }
    *out_mask = mask;
    return takc_words_end(&words, TAKC_OK, err);
}

enum takc_status takc_cover(const struct takc_index *x, struct takc_str question, struct takc_str text, struct takc_arena *arena,
                            struct takc_cover *out, struct takc_err *err)
{
    struct takc_question q;
    struct takc_cover c = {0};
    enum takc_status st = takc_question_read(x, question, arena, &q, err);
    if (st)
        return st;
    if (takc_prompt_kind_of(x, question) == TAKC_PROMPT_TASK_WIDE)
        drop_prompt(&q);
    uint64_t mask = 0;
    if ((st = terms_in(&q, text, &mask, err)))
        return st;
    for (size_t i = 0; i < q.n_terms; i++)
        c.n_held += !(mask >> i & 1) && q.terms[i].entry.df > 0;
    c.share = takc_question_share(&q, mask);
    st = takc_question_missing(&q, mask, arena, &c.missing, &c.n_missing, err);
    if (!st)
        *out = c;
    return st;
}
