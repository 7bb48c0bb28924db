/* SPDX-License-Identifier: Apache-2.0
 *
 * ladder.c - sets within budgets (data-model.md sections 3 and 4). A set starts from the next coarser one, walks the order from its head
 * and takes what fits: line, title if due and shown, anchor if due, the empty line between documents where no title stands. Keys are never
 * computed again. With a tokenizer whose counts add up by lines the sum is the real count; with any other the text is counted whole and the
 * newest lines are given back until it fits. */
#include "base/alloc.h"
#include "compress/steps.h"

enum { MISFITS = 60, ENOUGH_PERCENT = 98, MUST_KEEP_PERCENT = 30, SMALL_TEXT_MT = 4000000 };

static const takc_rate rung_rates[TAKC_RUNGS] = {0, 128000, 64000, 32000, 16000, 8000};

struct measure {
    uint64_t words, bytes, mt;
};

struct set {
    const struct takc_selection *s;
    const struct takc_costs *k;
    const struct takc_corpus *c;
    const struct takc_extractive_options *o;
    struct takc_call *call;
    takc_bits_text_fn *text;
    void *text_arg;
    struct measure blank; /* the empty line between documents */
    struct measure limit, used, kept;
    uint8_t *bits;      /* units in it */
    uint8_t *docs;      /* documents that have a unit in it */
    uint8_t *anchors;   /* anchors paid */
    uint32_t first_doc; /* UINT32_MAX: the set is empty */
    uint64_t n_units;
    uint32_t *added; /* what the fill at hand added, in order */
    size_t n_added;
};

/* ---- measures ---- */

static void add(struct measure *m, struct measure x)
{
    m->words += x.words;
    m->bytes += x.bytes;
    m->mt += x.mt;
}

static void add_line(struct measure *m, const struct takc_line_cost *x)
{
    add(m, (struct measure){x->words, x->bytes, x->mt});
}

static bool within(struct measure a, struct measure b, struct measure limit)
{
    return a.words + b.words <= limit.words && a.bytes + b.bytes <= limit.bytes && a.mt + b.mt <= limit.mt;
}

static uint64_t part(uint64_t v, uint64_t num, uint64_t den)
{
    return v == UINT64_MAX ? v : (uint64_t)((unsigned __int128)v * num / den);
}

static struct measure percent(struct measure m, unsigned p)
{
    return (struct measure){part(m.words, p, 100), part(m.bytes, p, 100), part(m.mt, p, 100)};
}

static struct measure limit_at(const struct set *t, takc_rate rate)
{
    const struct takc_extractive_options *o = t->o;
    if (o->budget == TAKC_BUDGET_WORDS_BYTES)
        return (struct measure){part(o->corpus_words ? o->corpus_words : t->s->source_words, 1000, rate),
                                part(o->corpus_bytes ? o->corpus_bytes : t->s->source_bytes, 1000, rate), UINT64_MAX};
    return (struct measure){UINT64_MAX, UINT64_MAX, part((t->s->source_mt + 999) / 1000, 1000, rate) * 1000};
}

/* Is one of the limits used up to 98 %? */
static bool enough(const struct set *t)
{
    return (t->limit.words != UINT64_MAX && t->used.words * 100 >= t->limit.words * ENOUGH_PERCENT) ||
           (t->limit.bytes != UINT64_MAX && t->used.bytes * 100 >= t->limit.bytes * ENOUGH_PERCENT) ||
           (t->limit.mt != UINT64_MAX && t->used.mt * 100 >= t->limit.mt * ENOUGH_PERCENT);
}

/* ---- a set ---- */

/* What unit i would add: the text of a set has an empty line before each document without a shown title but the first. */
static struct measure price(const struct set *t, uint32_t i)
{
    struct measure m = {0};
    uint32_t doc = t->k->unit_doc[i], anchor = t->k->unit_anchor[i];
    add_line(&m, &t->k->units[i]);
    if (anchor && !takc_bit(t->anchors, anchor - 1))
        add_line(&m, &t->k->anchors[anchor - 1]);
    if (takc_bit(t->docs, doc))
        return m;
    bool shown = t->s->show_title[doc], none = t->first_doc == UINT32_MAX;
    if (shown)
        add_line(&m, &t->k->titles[doc]);
    if ((!shown && !none && doc > t->first_doc) || (!none && doc < t->first_doc && !t->s->show_title[t->first_doc]))
        add(&m, t->blank);
    return m;
}

static void take(struct set *t, uint32_t i)
{
    struct measure m = price(t, i);
    uint32_t doc = t->k->unit_doc[i], anchor = t->k->unit_anchor[i];
    add(&t->used, m);
    if (t->k->unit_kinds[i] & t->o->must_keep)
        add_line(&t->kept, &t->k->units[i]);
    takc_bit_set(t->bits, i);
    takc_bit_set(t->docs, doc);
    if (anchor)
        takc_bit_set(t->anchors, anchor - 1);
    if (doc < t->first_doc)
        t->first_doc = doc;
    t->n_units++;
}

static void set_empty(struct set *t)
{
    memset(t->bits, 0, t->s->n_units / 8 + 1);
    memset(t->docs, 0, t->s->n_docs / 8 + 1);
    memset(t->anchors, 0, t->k->n_anchors / 8 + 1);
    t->used = t->kept = (struct measure){0};
    t->first_doc = UINT32_MAX;
    t->n_units = 0;
}

/* The set of all units up to this rung. */
static void set_from_rung(struct set *t, enum takc_rung rung)
{
    set_empty(t);
    for (uint32_t i = 0; i < t->s->n_units; i++)
        if (t->s->rung[i] != TAKC_RUNG_NONE && t->s->rung[i] <= rung)
            take(t, i);
}

static void set_free(struct set *t)
{
    takc_free(t->bits);
    takc_free(t->docs);
    takc_free(t->anchors);
    takc_free(t->added);
}

static enum takc_status set_init(struct set *t, const struct takc_selection *s, const struct takc_costs *k, const struct takc_corpus *c,
                                 const struct takc_extractive_options *o, struct takc_call *call, struct takc_err *err)
{
    *t = (struct set){.s = s, .k = k, .c = c, .o = o, .call = call, .first_doc = UINT32_MAX};
    t->blank = (struct measure){0, 1, takc_tokenizer_line_mt(o->tokenizer, (struct takc_str){NULL, 0})};
    t->bits = takc_alloc(s->n_units / 8 + 1);
    t->docs = takc_alloc(s->n_docs / 8 + 1);
    t->anchors = takc_alloc(k->n_anchors / 8 + 1);
    t->added = takc_alloc_array(s->n_order, sizeof(*t->added));
    if (t->bits && t->docs && t->anchors && t->added)
        return TAKC_OK;
    set_free(t);
    return takc_fail(err, TAKC_NOMEM, 0, "no memory for a set of %zu units", s->n_units);
}

/* ---- filling ---- */

static bool take_if_fits(struct set *t, uint32_t i)
{
    if (!within(t->used, price(t, i), t->limit))
        return false;
    take(t, i);
    t->added[t->n_added++] = i;
    return true;
}

/* Units with facts that must be kept, along the order, until these have their share of the budget. */
static void fill_must_keep(struct set *t)
{
    struct measure share = percent(t->limit, MUST_KEEP_PERCENT);
    unsigned misfits = 0;
    for (size_t n = 0; n < t->s->n_order && misfits < MISFITS; n++) {
        uint32_t i = t->s->order[n];
        if (takc_bit(t->bits, i) || !(t->k->unit_kinds[i] & t->o->must_keep))
            continue;
        struct measure m = price(t, i), line = {0}, before = t->kept;
        add_line(&line, &t->k->units[i]);
        if (!within(t->kept, m, share) || !take_if_fits(t, i)) {
            misfits++;
            continue;
        }
        misfits = 0;
        t->kept = before; /* what it paid for others counts against the share, too */
        add(&t->kept, m);
    }
}

static void fill_by_order(struct set *t)
{
    unsigned misfits = 0;
    for (size_t n = 0; n < t->s->n_order && misfits < MISFITS; n++) {
        uint32_t i = t->s->order[n];
        if (!takc_bit(t->bits, i))
            misfits = take_if_fits(t, i) ? 0 : misfits + 1;
    }
}

/* All units that were left, until none fits: one taken may pay the title or anchor of another. */
static void fill_rest(struct set *t)
{
    bool any = true;
    while (any && !enough(t)) {
        any = false;
        for (size_t n = 0; n < t->s->n_order; n++)
            if (!takc_bit(t->bits, t->s->order[n]))
                any |= take_if_fits(t, t->s->order[n]);
    }
}

/* Real milli-tokens of the set's text. */
static enum takc_status count_whole(struct set *t, uint64_t *out, struct takc_err *err)
{
    struct takc_buf text;
    takc_buf_init(&text, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st =
        t->text ? t->text(t->text_arg, t->bits, &text, err) : takc_set_text(t->c, t->s, t->bits, t->o->clean_level, t->call, &text, err);
    if (!st)
        *out = takc_tokenizer_count_mt(t->o->tokenizer, takc_buf_str(&text));
    takc_buf_clear(&text);
    return st;
}

static bool counts_whole(const struct set *t)
{
    return t->o->budget != TAKC_BUDGET_WORDS_BYTES && !(t->o->tokenizer->ops->flags & TAKC_TOKENIZER_LINES);
}

/* The base and the first n units that the fill added. */
static void set_prefix(struct set *t, const uint8_t *base, size_t n)
{
    set_empty(t);
    for (uint32_t i = 0; i < t->s->n_units; i++)
        if (takc_bit(base, i))
            take(t, i);
    for (size_t k = 0; k < n; k++)
        take(t, t->added[k]);
}

/* For tokenizers whose counts do not add up: steps back to as many of the added units as fit when counted whole. base, what the fill
 * started from, fits: it is a set of a smaller budget, or empty. */
static enum takc_status fit_whole(struct set *t, const uint8_t *base, struct takc_err *err)
{
    size_t fits = 0, fits_not = t->n_added + 1, n = t->n_added;
    while (fits + 1 < fits_not) {
        uint64_t mt = 0;
        set_prefix(t, base, n);
        enum takc_status st = count_whole(t, &mt, err);
        if (st)
            return st;
        if (mt <= t->limit.mt)
            fits = n;
        else
            fits_not = n;
        n = fits + (fits_not - fits) / 2;
    }
    set_prefix(t, base, fits);
    t->n_added = fits;
    return count_whole(t, &t->used.mt, err);
}

/* Takes unit i if the text with it fits when counted whole. */
static enum takc_status take_if_whole_fits(struct set *t, uint32_t i, const uint8_t *base, struct takc_err *err)
{
    uint64_t mt = 0, before = t->used.mt;
    size_t n = t->n_added;
    take(t, i);
    t->added[t->n_added++] = i;
    enum takc_status st = count_whole(t, &mt, err);
    t->used.mt = mt;
    if (st || mt <= t->limit.mt)
        return st;
    set_prefix(t, base, n);
    t->n_added = n;
    t->used.mt = before;
    return TAKC_OK;
}

/* After fit_whole: lines cost less together than alone, so more may fit. Goes on filling with the whole's own count until nothing is
 * added, then tries units one by one, all of them where the text is small enough to be counted for each. */
static enum takc_status fill_whole(struct set *t, const uint8_t *base, struct takc_err *err)
{
    enum takc_status st = fit_whole(t, base, err);
    for (size_t before = SIZE_MAX; !st && !enough(t) && before != t->n_added;) {
        before = t->n_added;
        fill_by_order(t);
        fill_rest(t);
        if (t->n_added != before)
            st = fit_whole(t, base, err);
    }
    uint64_t tries = t->limit.mt < SMALL_TEXT_MT ? UINT64_MAX : MISFITS;
    for (size_t n = 0; n < t->s->n_order && tries && !st && !enough(t); n++)
        if (!takc_bit(t->bits, t->s->order[n])) {
            st = take_if_whole_fits(t, t->s->order[n], base, err);
            tries--;
        }
    return st;
}

static enum takc_status fill(struct set *t, takc_rate rate, struct takc_err *err)
{
    uint8_t *base = NULL;
    enum takc_status st = TAKC_OK;
    t->limit = limit_at(t, rate);
    t->n_added = 0;
    if (counts_whole(t)) {
        base = takc_alloc(t->s->n_units / 8 + 1);
        if (!base)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for a set of %zu units", t->s->n_units);
        memcpy(base, t->bits, t->s->n_units / 8 + 1);
    }
    if (t->o->must_keep)
        fill_must_keep(t);
    fill_by_order(t);
    fill_rest(t);
    if (base)
        st = fill_whole(t, base, err);
    takc_free(base);
    return st;
}

enum takc_status takc_ladder_make(struct takc_selection *s, const struct takc_corpus *c, const struct takc_extractive_options *o,
                                  struct takc_call *call, struct takc_err *err)
{
    struct set t;
    s->rung = takc_alloc(s->n_units);
    if (!s->rung)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu units", s->n_units);
    enum takc_status st = set_init(&t, s, s->costs, c, o, call, err);
    if (st)
        return st;
    for (int r = TAKC_RUNG_128; r < TAKC_RUNGS && !st; r++) {
        st = fill(&t, rung_rates[r], err);
        for (size_t k = 0; k < t.n_added && !st; k++)
            s->rung[t.added[k]] = (uint8_t)r;
        if (!st)
            st = takc_call_check(call, err);
    }
    set_free(&t);
    return st;
}

/* The finest rung that is not finer than the rate; NONE when the rate is coarser than all. */
static enum takc_rung rung_within(takc_rate rate)
{
    enum takc_rung rung = TAKC_RUNG_NONE;
    for (int r = TAKC_RUNG_128; r < TAKC_RUNGS; r++)
        if (rung_rates[r] >= rate)
            rung = (enum takc_rung)r;
    return rung;
}

static enum takc_status set_at(struct set *t, takc_rate rate, struct takc_err *err)
{
    enum takc_rung rung = rung_within(rate);
    set_from_rung(t, rung);
    if (rung == TAKC_RUNG_NONE || rung_rates[rung] != rate)
        return fill(t, rate, err);
    t->limit = limit_at(t, rate);
    return counts_whole(t) ? count_whole(t, &t->used.mt, err) : TAKC_OK;
}

static void set_hand_over(struct set *t, uint8_t **out_bits, struct takc_set_size *out_size)
{
    *out_size = (struct takc_set_size){.words = t->used.words,
                                       .bytes = t->used.bytes,
                                       .mt = t->used.mt,
                                       .budget_mt = t->limit.mt == UINT64_MAX ? 0 : t->limit.mt,
                                       .n_units = t->n_units,
                                       .shortfall = t->n_units == 0 || !enough(t)};
    *out_bits = t->bits;
    t->bits = NULL;
}

enum takc_status takc_ladder_fit(const struct takc_selection *s, const struct takc_extractive_options *o, takc_rate rate,
                                 takc_bits_text_fn *text, void *text_arg, uint8_t **out_bits, struct takc_set_size *out_size,
                                 struct takc_err *err)
{
    struct set t;
    enum takc_status st = set_init(&t, s, s->costs, NULL, o, NULL, err);
    if (st)
        return st;
    t.text = text;
    t.text_arg = text_arg;
    st = fill(&t, rate, err);
    if (!st)
        set_hand_over(&t, out_bits, out_size);
    set_free(&t);
    return st;
}

/* Costs of a selection that came without, read from the corpus. */
static enum takc_status borrow_costs(const struct takc_selection *s, const struct takc_corpus *c, const struct takc_extractive_options *o,
                                     struct takc_costs **out, struct takc_err *err)
{
    struct takc_asked asked;
    if (s->costs) {
        *out = s->costs;
        return TAKC_OK;
    }
    enum takc_status st = takc_asked_read(&asked, o->description, err);
    if (!st)
        st = takc_costs_make(c, s, &asked, o->n_threads, NULL, out, err);
    takc_asked_clear(&asked);
    return st;
}

enum takc_status takc_selection_set(const struct takc_selection *s, const struct takc_corpus *c, const struct takc_extractive_options *o,
                                    takc_rate rate, uint8_t **out_bits, struct takc_set_size *out_size, struct takc_err *err)
{
    struct takc_costs *k = NULL;
    struct set t;
    if (rate < 1000)
        return takc_fail(err, TAKC_INVALID, 0, "a rate is at least 1x");
    enum takc_status st = borrow_costs(s, c, o, &k, err);
    if (!st)
        st = set_init(&t, s, k, c, o, NULL, err);
    if (st)
        goto out;
    st = set_at(&t, rate, err);
    if (!st)
        set_hand_over(&t, out_bits, out_size);
    set_free(&t);
out:
    if (k != s->costs)
        takc_costs_free(k);
    return st;
}
