/* SPDX-License-Identifier: Apache-2.0
 *
 * generative_fit.c - lines and extracts within the exact budget. The ladder's own walk does it, over units and, numbered behind them,
 * lines: first the lines alone, most value per token first, so that what does not fit is the least valuable; then those that stayed, and
 * behind them the extractive order of units that none of them stands on. Only whole lines are taken or left. */
#include "base/alloc.h"
#include "compress/generative_steps.h"
#include "token/words.h"

#include <stdlib.h>

struct fit {
    const struct takc_gen_run *r;
    const struct takc_gen_level *l;
    const struct takc_gen_line **lines; /* written ones, in the order of windows, which is that of their units */
    size_t n_lines;
    uint32_t *picks; /* lines and replacing units by value, as numbers */
    size_t n_picks;
    struct takc_selection s; /* of units and lines */
    struct takc_costs k;
    uint8_t *covered; /* units that a line of the result stands on */
    struct takc_written *written;
    uint8_t *bits; /* units of the result */
};

/* ---- lines as units behind the units ---- */

static uint64_t value_of(const struct fit *f, const uint32_t *units, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v += 1u + f->r->s->salience[units[i]];
    return v;
}

struct ranked {
    uint64_t value, mt;
    uint32_t number;
};

/* Most value a token first; then by number. */
static int by_value(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    unsigned __int128 p = (unsigned __int128)x->value * y->mt, q = (unsigned __int128)y->value * x->mt;
    if (p != q)
        return p > q ? -1 : 1;
    return (x->number > y->number) - (x->number < y->number);
}

static uint8_t kinds_of(const struct fit *f, const struct takc_gen_line *l)
{
    uint8_t kinds = 0;
    for (uint32_t i = 0; i < l->n_units; i++)
        kinds |= f->r->costs->unit_kinds[l->units[i]];
    return kinds;
}

static size_t count_lines(const struct takc_gen_level *l)
{
    size_t n = 0;
    for (size_t i = 0; i < l->n; i++)
        n += l->v[i].n_lines;
    return n;
}

static enum takc_status fit_alloc(struct fit *f, struct takc_err *err)
{
    const struct takc_gen_run *r = f->r;
    size_t n = count_lines(f->l), all = r->s->n_units + n;
    f->lines = takc_alloc_array(n, sizeof(*f->lines));
    f->picks = takc_alloc_array(n, sizeof(*f->picks));
    f->covered = takc_alloc(r->s->n_units / 8 + 1);
    f->written = takc_alloc_array(n, sizeof(*f->written));
    f->s = *r->s;
    f->k = *r->costs;
    f->s.order = takc_alloc_array(n + r->s->n_order, sizeof(*f->s.order));
    f->k.unit_doc = takc_alloc_array(all, sizeof(*f->k.unit_doc));
    f->k.units = takc_alloc_array(all, sizeof(*f->k.units));
    f->k.unit_anchor = takc_alloc_array(all, sizeof(*f->k.unit_anchor));
    f->k.unit_kinds = takc_alloc(all);
    f->s.costs = &f->k;
    if (!f->lines || !f->picks || !f->covered || !f->written || !f->s.order || !f->k.unit_doc || !f->k.units || !f->k.unit_anchor ||
        !f->k.unit_kinds)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu lines", all);
    memcpy(f->k.unit_doc, r->costs->unit_doc, r->s->n_units * sizeof(*f->k.unit_doc));
    memcpy(f->k.units, r->costs->units, r->s->n_units * sizeof(*f->k.units));
    memcpy(f->k.unit_anchor, r->costs->unit_anchor, r->s->n_units * sizeof(*f->k.unit_anchor));
    memcpy(f->k.unit_kinds, r->costs->unit_kinds, r->s->n_units);
    return TAKC_OK;
}

static void fit_free(struct fit *f)
{
    takc_free(f->lines);
    takc_free(f->picks);
    takc_free(f->covered);
    takc_free(f->written);
    takc_free(f->bits);
    if (f->s.costs != &f->k)
        return; /* it stopped before there was anything of its own */
    takc_free(f->s.order);
    takc_free(f->k.unit_doc);
    takc_free(f->k.units);
    takc_free(f->k.unit_anchor);
    takc_free(f->k.unit_kinds);
}

static uint32_t number_line(struct fit *f, const struct takc_gen_line *l)
{
    uint32_t number = (uint32_t)(f->r->s->n_units + f->n_lines);
    f->lines[f->n_lines++] = l;
    f->k.unit_doc[number] = f->r->costs->unit_doc[l->units[0]];
    f->k.units[number] = (struct takc_line_cost){(uint32_t)takc_white_words(l->text), (uint32_t)l->text.len + 1, l->mt};
    f->k.unit_kinds[number] = kinds_of(f, l);
    return number;
}

static enum takc_status rank_lines(struct fit *f, struct takc_err *err)
{
    size_t n = 0;
    struct ranked *v = takc_alloc_array(count_lines(f->l), sizeof(*v));
    if (!v)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for lines");
    for (size_t i = 0; i < f->l->n; i++)
        for (size_t k = 0; k < f->l->v[i].n_lines; k++) {
            const struct takc_gen_line *l = &f->l->v[i].lines[k];
            uint32_t number = l->extract ? l->units[0] : number_line(f, l);
            v[n++] = (struct ranked){value_of(f, l->units, l->n_units), l->mt ? l->mt : 1, number};
        }
    qsort(v, n, sizeof(*v), by_value);
    for (size_t i = 0; i < n; i++)
        f->picks[f->n_picks++] = v[i].number;
    takc_free(v);
    f->k.n_units = f->s.n_units = f->r->s->n_units + f->n_lines;
    return TAKC_OK;
}

/* ---- what is shown ---- */

/* Written lines that bits has. */
static struct takc_lines shown(struct fit *f, const uint8_t *bits)
{
    struct takc_lines l = {.bits = bits, .written = f->written};
    for (size_t i = 0; i < f->n_lines; i++)
        if (takc_bit(bits, f->r->s->n_units + i))
            f->written[l.n_written++] =
                (struct takc_written){.text = f->lines[i]->text, .units = f->lines[i]->units, .n_units = f->lines[i]->n_units};
    return l;
}

static enum takc_status text_of(void *arg, const uint8_t *bits, struct takc_buf *out, struct takc_err *err)
{
    struct fit *f = arg;
    const struct takc_lines l = shown(f, bits);
    return takc_lines_text(f->r->c, f->r->s, &l, f->r->o->extractive.clean_level, f->r->call, out, err);
}

/* ---- the two walks ---- */

static enum takc_status walk(struct fit *f, takc_rate rate, uint8_t **out_bits, struct takc_set_size *out, struct takc_err *err)
{
    return takc_ladder_fit(&f->s, &f->r->o->extractive, rate, text_of, f, out_bits, out, err);
}

static void cover(struct fit *f, const uint8_t *bits)
{
    for (size_t i = 0; i < f->n_lines; i++)
        if (takc_bit(bits, f->r->s->n_units + i))
            for (uint32_t k = 0; k < f->lines[i]->n_units; k++)
                takc_bit_set(f->covered, f->lines[i]->units[k]);
}

/* The lines that stayed, then units that none of them stands on. */
static void order_rest(struct fit *f, const uint8_t *bits)
{
    size_t n = 0;
    for (size_t i = 0; i < f->n_picks; i++)
        if (takc_bit(bits, f->picks[i]) && (f->picks[i] >= f->r->s->n_units || !takc_bit(f->covered, f->picks[i])))
            f->s.order[n++] = f->picks[i];
    for (size_t i = 0; i < f->r->s->n_order; i++) {
        uint32_t u = f->r->s->order[i];
        if (!(f->r->unit_flags[u] & TAKC_UNIT_INSTRUCTS) && !takc_bit(f->covered, u) && !takc_bit(bits, u))
            f->s.order[n++] = u;
    }
    f->s.n_order = n;
}

static enum takc_status choose(struct fit *f, takc_rate rate, struct takc_set_size *out, struct takc_err *err)
{
    uint8_t *first = NULL;
    memcpy(f->s.order, f->picks, f->n_picks * sizeof(*f->picks));
    f->s.n_order = f->n_picks;
    enum takc_status st = walk(f, rate, &first, out, err);
    if (st)
        return st;
    cover(f, first);
    order_rest(f, first);
    takc_free(first);
    return walk(f, rate, &f->bits, out, err);
}

/* ---- the artifact ---- */

static void add_counts(struct takc_generative_counts *to, const struct takc_generative_counts *x)
{
    to->windows += x->windows;
    to->calls += x->calls;
    to->reused += x->reused;
    to->repairs += x->repairs;
    to->splits += x->splits;
    to->lines_repaired += x->lines_repaired;
    to->lines_replaced += x->lines_replaced;
    to->lines_dropped += x->lines_dropped;
    to->lines_quarantined += x->lines_quarantined;
    to->windows_blocked += x->windows_blocked;
    to->windows_empty += x->windows_empty;
    to->prompt_tokens += x->prompt_tokens;
}

static void count(struct fit *f, struct takc_generative_counts *out)
{
    *out = (struct takc_generative_counts){0};
    for (size_t i = 0; i < f->l->n; i++)
        add_counts(out, &f->l->v[i].counts);
    for (size_t i = 0; i < f->n_lines; i++)
        out->lines_kept += takc_bit(f->bits, f->r->s->n_units + i);
    out->lines_dropped += f->n_lines - out->lines_kept;
    for (size_t i = 0; i < f->r->s->n_units; i++)
        out->lines_extract += takc_bit(f->bits, i);
}

static enum takc_status write(struct fit *f, const struct takc_artifact_meta *meta, const struct takc_set_size *size, struct takc_buf *out,
                              struct takc_err *err)
{
    const struct takc_gen_run *r = f->r;
    const struct takc_lines l = shown(f, f->bits);
    struct takc_artifact_meta own = *meta;
    struct takc_pieces pieces;
    own.rate = f->l->rate;
    takc_pieces_init(&pieces, TAKC_ARTIFACT_PIECES, NULL);
    enum takc_status st = takc_artifact_make_lines(r->c, r->s, &l, takc_str("generative/" TAKC_GENERATIVE_VERSION), size, &r->o->extractive,
                                                   &own, r->call, &pieces, err);
    if (!st)
        st = takc_pieces_join(&pieces, out, err);
    takc_pieces_clear(&pieces);
    return st;
}

enum takc_status takc_gen_fit(const struct takc_gen_run *r, const struct takc_gen_level *l, const struct takc_artifact_meta *meta,
                              struct takc_buf *out, struct takc_set_size *out_size, struct takc_generative_counts *counts,
                              struct takc_err *err)
{
    struct fit f = {.r = r, .l = l};
    enum takc_status st = fit_alloc(&f, err);
    if (!st)
        st = rank_lines(&f, err);
    if (!st)
        st = choose(&f, l->rate, out_size, err);
    if (!st) {
        count(&f, counts);
        st = write(&f, meta, out_size, out, err);
    }
    fit_free(&f);
    return st;
}
