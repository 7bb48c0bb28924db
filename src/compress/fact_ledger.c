/* SPDX-License-Identifier: Apache-2.0
 *
 * fact_ledger.c - how many distinct facts the units of a set hold, per kind. A fact is a number (hash << 3 | kind), so a set of numbers
 * does; words of the profile are looked up in each document's vocabulary. */
#include "base/alloc.h"
#include "compress/artifact.h"
#include "compress/steps.h"
#include "token/words.h"
#include "unit/facts.h"

struct fact_set { /* open addressing; 0 stands for empty, the fact 0 is kept apart */
    uint64_t *slots;
    size_t n_slots, n;
    bool has_zero;
};

static uint64_t mixed(uint64_t v)
{
    v *= 0x9E3779B97F4A7C15u;
    return v ^ v >> 32;
}

static size_t slot_of(const struct fact_set *f, uint64_t fact)
{
    size_t mask = f->n_slots - 1, at = mixed(fact) & mask;
    while (f->slots[at] && f->slots[at] != fact)
        at = (at + 1) & mask;
    return at;
}

static enum takc_status widen(struct fact_set *f, struct takc_err *err)
{
    struct fact_set wide = {.n_slots = f->n_slots ? 2 * f->n_slots : 256, .n = f->n, .has_zero = f->has_zero};
    wide.slots = takc_alloc_array(wide.n_slots, sizeof(*wide.slots));
    if (!wide.slots)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu facts", wide.n_slots);
    for (size_t i = 0; i < f->n_slots; i++)
        if (f->slots[i])
            wide.slots[slot_of(&wide, f->slots[i])] = f->slots[i];
    takc_free(f->slots);
    *f = wide;
    return TAKC_OK;
}

/* Adds a fact; *out_new says whether it was not in yet. */
static enum takc_status fact_add(struct fact_set *f, uint64_t fact, bool *out_new, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    if (fact == 0) {
        *out_new = !f->has_zero;
        f->has_zero = true;
        return TAKC_OK;
    }
    if ((f->n + 1) * 8 > f->n_slots * 5)
        st = widen(f, err);
    if (st)
        return st;
    size_t at = slot_of(f, fact);
    *out_new = !f->slots[at];
    f->n += *out_new;
    f->slots[at] = fact;
    return TAKC_OK;
}

static bool fact_has(const struct fact_set *f, uint64_t fact)
{
    return fact == 0 ? f->has_zero : f->n_slots && f->slots[slot_of(f, fact)] == fact;
}

struct said { /* facts and words of lines, wherever they stand */
    struct fact_set facts;
    uint8_t *words; /* per word of the profile */
    enum takc_status st;
    struct takc_err *err;
};

struct set { /* one of the sets that are counted */
    const uint8_t *bits;
    struct fact_set facts;
    uint8_t *word_met;       /* per word of the profile */
    const struct said *only; /* NULL: all */
    struct takc_fact_counts counts;
};

struct ledger {
    struct set sets[TAKC_FACT_SETS];
    size_t n_sets;
    struct takc_asked asked;
    uint32_t *word_of; /* per word of the document: the profile's, + 1 */
    size_t word_of_cap;
};

static void count_words(const struct ledger *l, struct set *s, const struct takc_units *u, const struct takc_unit *x)
{
    for (uint32_t k = 0; k < x->n_terms; k++) {
        uint32_t word = l->word_of[u->terms[x->term_at + k]];
        if (!word || s->word_met[word - 1] || (s->only && !s->only->words[word - 1]))
            continue;
        s->word_met[word - 1] = 1;
        s->counts.n[TAKC_FACT_WORD]++;
    }
}

static enum takc_status count_facts(struct set *s, const struct takc_units *u, const struct takc_unit *x, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (uint32_t k = 0; k < x->n_facts && !st; k++) {
        uint64_t fact = u->facts[x->fact_at + k];
        bool is_new = false;
        if ((fact & 7) >= TAKC_FACT_WORD || (s->only && !fact_has(&s->only->facts, fact)))
            continue;
        st = fact_add(&s->facts, fact, &is_new, err);
        s->counts.n[fact & 7] += !st && is_new;
    }
    return st;
}

static enum takc_status count_set(const struct ledger *l, struct set *s, const struct takc_units *u, uint32_t first, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (uint32_t i = 0; i < u->n_units && !st; i++) {
        if (s->bits && !takc_bit(s->bits, first + i))
            continue;
        s->counts.n_instructions += (u->units[i].flags & TAKC_UNIT_INSTRUCTS) != 0;
        count_words(l, s, u, &u->units[i]);
        st = count_facts(s, u, &u->units[i], err);
    }
    return st;
}

static enum takc_status count_document(struct ledger *l, const struct takc_units *u, uint32_t first, struct takc_err *err)
{
    enum takc_status st = takc_grow(&l->word_of, &l->word_of_cap, u->vocabulary.n + 1, sizeof(*l->word_of), err);
    if (st)
        return st;
    memset(l->word_of, 0, u->vocabulary.n * sizeof(*l->word_of));
    for (uint32_t i = 0; i < l->asked.words.n; i++) {
        uint32_t at = takc_intern_find(&u->vocabulary, takc_intern_get(&l->asked.words, i));
        if (at != TAKC_INTERN_NONE)
            l->word_of[at] = i + 1;
    }
    for (size_t k = 0; k < l->n_sets && !st; k++)
        st = count_set(l, &l->sets[k], u, first, err);
    return st;
}

static enum takc_status count_documents(struct ledger *l, const struct takc_corpus *c, const struct takc_selection *s, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t d = 0; d < c->n_docs && !st; d++) {
        struct takc_corpus_view v = {0};
        st = c->load(c->arg, d, &v, err);
        if (st)
            break;
        if (s->first_unit[d] + v.units->n_units != s->first_unit[d + 1])
            st = takc_fail(err, TAKC_INVALID, 0, "the documents are not those of the selection");
        if (!st)
            st = count_document(l, v.units, s->first_unit[d], err);
        c->unload(c->arg, &v);
    }
    return st;
}

enum takc_status takc_facts_of_sets(const struct takc_corpus *c, const struct takc_selection *s, const uint8_t *const *bits, size_t n_sets,
                                    struct takc_str description, struct takc_fact_counts *out, struct takc_err *err)
{
    struct ledger l = {.n_sets = n_sets};
    if (n_sets > TAKC_FACT_SETS)
        return takc_fail(err, TAKC_INVALID, 0, "facts of %zu sets; at most %d", n_sets, TAKC_FACT_SETS);
    enum takc_status st = takc_asked_read(&l.asked, description, err);
    for (size_t k = 0; k < n_sets && !st; k++) {
        l.sets[k].bits = bits[k];
        l.sets[k].word_met = takc_alloc(l.asked.words.n);
        if (!l.sets[k].word_met)
            st = takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu words", l.asked.words.n);
    }
    if (!st)
        st = count_documents(&l, c, s, err);
    for (size_t k = 0; k < n_sets; k++) {
        if (!st)
            out[k] = l.sets[k].counts;
        takc_free(l.sets[k].facts.slots);
        takc_free(l.sets[k].word_met);
    }
    takc_asked_clear(&l.asked);
    takc_free(l.word_of);
    return st;
}

/* ---- what an artifact says ---- */

static void say_fact(void *arg, enum takc_fact_kind kind, uint64_t key)
{
    struct said *x = arg;
    bool is_new;
    (void)kind;
    if (!x->st)
        x->st = fact_add(&x->facts, key, &is_new, x->err);
}

static enum takc_status say_words(struct said *x, const struct takc_intern *asked, struct takc_str text, struct takc_err *err)
{
    struct takc_words words;
    struct takc_word word;
    takc_words_init(&words, text);
    while (takc_words_next(&words, &word)) {
        uint32_t at = takc_intern_find(asked, takc_word_stem(word.norm));
        if (at != TAKC_INTERN_NONE)
            x->words[at] = 1;
    }
    return takc_words_end(&words, TAKC_OK, err);
}

static enum takc_status say_lines(struct said *x, const struct takc_artifact *a, const struct takc_intern *asked, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < a->n_segments && !st; i++) {
        struct takc_str text = a->segments[i].parts[a->segments[i].n_parts - 1].text; /* the body */
        takc_facts_of_text(text, say_fact, x);
        st = x->st ? x->st : say_words(x, asked, text, err);
    }
    return st;
}

enum takc_status takc_facts_of_artifact(const struct takc_corpus *c, const struct takc_selection *s, const struct takc_artifact *a,
                                        struct takc_str description, struct takc_fact_counts out[2], struct takc_err *err)
{
    struct said x = {.err = err};
    struct ledger l = {.n_sets = 2};
    enum takc_status st = takc_asked_read(&l.asked, description, err);
    uint8_t *met = takc_alloc(2 * l.asked.words.n + 1);
    x.words = takc_alloc(l.asked.words.n + 1);
    if (!st && (!met || !x.words))
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu words", l.asked.words.n);
    l.sets[0].word_met = met;
    l.sets[1].word_met = met ? met + l.asked.words.n : NULL;
    l.sets[1].only = &x;
    if (!st)
        st = say_lines(&x, a, &l.asked.words, err);
    if (!st)
        st = count_documents(&l, c, s, err);
    for (size_t k = 0; k < 2; k++) {
        if (!st)
            out[k] = l.sets[k].counts;
        takc_free(l.sets[k].facts.slots);
    }
    if (!st)
        out[1].n_instructions = 0; /* lines that instruct are none of a model's, nor do they fill */
    takc_free(x.facts.slots);
    takc_free(x.words);
    takc_free(met);
    takc_asked_clear(&l.asked);
    takc_free(l.word_of);
    return st;
}

enum takc_status takc_facts_of_set(const struct takc_corpus *c, const struct takc_selection *s, const uint8_t *bits,
                                   struct takc_str description, struct takc_fact_counts *out, struct takc_err *err)
{
    return takc_facts_of_sets(c, s, &bits, 1, description, out, err);
}
