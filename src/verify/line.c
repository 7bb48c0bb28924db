/* SPDX-License-Identifier: Apache-2.0
 *
 * line.c - is a shown line an ordered subsequence of its spans, and is all that was left out allowed?
 *
 * The two item lists are walked together. A state is (items of the quote used, items of the line used, what was left out since the last
 * common item). The greedy walk - take when equal, else leave out the longest allowed thing - proves nearly every line; when it gets stuck,
 * all states are tried, because "you know you know" can be cut in more than one way. Marks may be left out only in a run with a left-out
 * word. A proof found by either walk is a proof; a line that is too long for the second walk (TABLE_MAX) fails, which is the safe side. */
#include "verify/line.h"
#include "base/alloc.h"
#include "verify/report.h"
#include "verify/rules.h"

#include <stdio.h>

enum { TABLE_MAX = 16 << 20 };

/* What was left out since the last common item, as bits of a set of states. */
enum run { RUN_NONE = 1, RUN_MARKS = 2, RUN_WORD = 4 };

struct walk {
    const struct takc_items *shown, *quote;
    enum takc_line_kind kind;
    size_t best_i, best_j; /* farthest point reached: for the message */
};

static bool same(const struct takc_item *q, const struct takc_item *s)
{
    if (q->mark == s->mark && takc_str_eq(q->s, s->s))
        return true;
    return takc_item_is(q, "|") && s->mark && takc_item_is(s, ";");
}

/* A slash that an anchor line puts between heading and header. */
static bool is_joint(const struct walk *w, size_t i, size_t j)
{
    return w->kind == TAKC_LINE_ANCHOR && i < w->quote->n && i > 0 && w->quote->v[i].first && !w->shown->v[j].mark &&
           takc_item_is(&w->shown->v[j], "/");
}

static void reached(struct walk *w, size_t i, size_t j)
{
    if (j > w->best_j || (j == w->best_j && i > w->best_i)) {
        w->best_i = i;
        w->best_j = j;
    }
}

static bool greedy(struct walk *w)
{
    size_t i = 0, j = 0;
    enum run run = RUN_NONE;
    while (i < w->quote->n || j < w->shown->n) {
        size_t ways[TAKC_RULE_MAX_WAYS], n, longest = 0;
        bool may_match = run != RUN_MARKS && j < w->shown->n;
        if (run != RUN_MARKS)
            reached(w, i, j);
        if (may_match && i < w->quote->n && same(&w->quote->v[i], &w->shown->v[j])) {
            i++;
            j++;
            run = RUN_NONE;
            continue;
        }
        if (may_match && is_joint(w, i, j)) {
            j++;
            continue;
        }
        if (i >= w->quote->n || w->kind == TAKC_LINE_EQUAL)
            return false;
        n = takc_rule_ways(w->quote, i, ways);
        for (size_t k = 0; k < n; k++)
            longest = ways[k] > longest ? ways[k] : longest;
        if (longest)
            run = RUN_WORD;
        else if (takc_rule_light(&w->quote->v[i]))
            run = run == RUN_WORD ? RUN_WORD : RUN_MARKS;
        else
            return false;
        i += longest ? longest : 1;
    }
    return run != RUN_MARKS;
}

/* Everything that may follow one state set: row i, column j of the table, width m = shown->n + 1. */
static void step(struct walk *w, unsigned char *table, size_t i, size_t j, size_t m)
{
    size_t ways[TAKC_RULE_MAX_WAYS], n;
    unsigned char here = table[i * m + j];
    const struct takc_item *q = &w->quote->v[i];
    if (here & (RUN_NONE | RUN_WORD))
        reached(w, i, j);
    if (j < w->shown->n && (here & (RUN_NONE | RUN_WORD))) {
        if (same(q, &w->shown->v[j]))
            table[(i + 1) * m + j + 1] |= RUN_NONE;
        if (is_joint(w, i, j))
            table[i * m + j + 1] |= here & (RUN_NONE | RUN_WORD);
    }
    n = takc_rule_ways(w->quote, i, ways);
    for (size_t k = 0; k < n; k++)
        table[(i + ways[k]) * m + j] |= RUN_WORD;
    if (takc_rule_light(q))
        table[(i + 1) * m + j] |= (here & RUN_WORD) | (here & (RUN_NONE | RUN_MARKS) ? RUN_MARKS : 0);
}

static enum takc_status exhaustive(struct walk *w, bool *out_ok, struct takc_err *err)
{
    size_t m = w->shown->n + 1, rows = w->quote->n + 1;
    *out_ok = false;
    if (rows > TABLE_MAX / m)
        return TAKC_OK;
    unsigned char *table = takc_alloc(rows * m);
    if (!table)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu items", rows);
    table[0] = RUN_NONE;
    for (size_t i = 0; i + 1 < rows; i++)
        for (size_t j = 0; j < m; j++)
            if (table[i * m + j])
                step(w, table, i, j, m);
    if (table[(rows - 1) * m + m - 1] & (RUN_NONE | RUN_WORD))
        reached(w, rows - 1, m - 1);
    *out_ok = (table[(rows - 1) * m + m - 1] & (RUN_NONE | RUN_WORD)) != 0;
    takc_free(table);
    return TAKC_OK;
}

static const char *class_of(const struct takc_item *q)
{
    if (q->mark)
        return "the mark ";
    if (takc_item_is_negation(q))
        return "the negation ";
    if (takc_item_has_digit(q))
        return "the number ";
    return takc_item_is_capital(q) && !q->opens ? "the name " : "";
}

/* Names the item at which the walk got stuck. */
static void explain(const struct walk *w, char why[TAKC_WHY_BYTES])
{
    char a[48], b[48];
    const struct takc_item *q = w->best_i < w->quote->n ? &w->quote->v[w->best_i] : NULL;
    const struct takc_item *s = w->best_j < w->shown->n ? &w->shown->v[w->best_j] : NULL;
    bool later = false;
    for (size_t i = w->best_i; q && s && !later && i < w->quote->n; i++)
        later = same(&w->quote->v[i], s);
    if (!q && !s)
        (void)snprintf(why, TAKC_WHY_BYTES, "marks at the end were left out");
    else if (!q)
        (void)snprintf(why, TAKC_WHY_BYTES, "'%s' is shown and not in the spans", takc_report_quote(s->s, a));
    else if (!s || later)
        (void)snprintf(why, TAKC_WHY_BYTES, "%s'%s' was left out", class_of(q), takc_report_quote(q->s, a));
    else
        (void)snprintf(why, TAKC_WHY_BYTES, "'%s' is shown where the spans have '%s'", takc_report_quote(s->s, a),
                       takc_report_quote(q->s, b));
}

enum takc_status takc_line_check(const struct takc_items *shown, const struct takc_items *quote, enum takc_line_kind kind, bool *out_ok,
                                 char why[TAKC_WHY_BYTES], struct takc_err *err)
{
    struct walk w = {.shown = shown, .quote = quote, .kind = kind};
    bool ok = greedy(&w);
    if (!ok && kind != TAKC_LINE_EQUAL) {
        enum takc_status st = exhaustive(&w, &ok, err);
        if (st)
            return st;
    }
    if (!ok)
        explain(&w, why);
    *out_ok = ok;
    return TAKC_OK;
}

bool takc_verify_line(struct takc_str shown, struct takc_str quote, char why[256])
{
    struct takc_items s, q;
    struct takc_err err = {0};
    bool ok = false;
    takc_items_init(&s);
    takc_items_init(&q);
    enum takc_status st = takc_items_add(&s, shown, &err);
    if (!st)
        st = takc_items_add(&q, quote, &err);
    if (!st)
        st = takc_line_check(&s, &q, TAKC_LINE_BODY, &ok, why, &err);
    if (st)
        (void)snprintf(why, TAKC_WHY_BYTES, "%.200s", err.msg);
    takc_items_clear(&s);
    takc_items_clear(&q);
    return !st && ok;
}
