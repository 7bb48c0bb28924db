/* SPDX-License-Identifier: Apache-2.0
 *
 * lines_footer.c - page numbers, footers and running headers, found by repetition with the digits masked.
 *
 * A page number counts up: lines that are the same but for one number, at the distance of a page or more, each one to three above the one
 * before. Short lines without numbers that mostly stand beside such lines, or at the edges of pages, are running headers. Rows of
 * tables repeat too, but their numbers do not count up and they stand close together. */
#include "base/alloc.h"
#include "base/hash.h"
#include "doc/lines_parts.h"

#include <stdlib.h>

enum {
    FOOTER_CHARS = 100,
    MIN_REPEATS = 3,
    PAGE_BYTES = 300,
    MAX_STEP = 3,
    MAX_PAGE = 1899,
    NEAR_LINES = 2,
    EVERY = 6,
    MASK_BYTES = 512,
    NUMBERS = 4
};

static int by_hash(const void *a, const void *b)
{
    const struct takc_line_pick *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Hash of the line with white space folded and, with mask, every run of digits made one '#'. */
static uint64_t line_hash(const struct takc_lines *l, const struct takc_line *v, bool mask)
{
    char out[MASK_BYTES];
    size_t n = 0, pos = v->start;
    struct takc_str w;
    while (n + 2 < sizeof(out) && takc_line_word(l->text, &pos, v->end, &w)) {
        for (size_t i = 0; i < w.len && n + 2 < sizeof(out); i++)
            if (!mask || !is_digit(w.ptr[i]))
                out[n++] = w.ptr[i];
            else if (n == 0 || out[n - 1] != '#')
                out[n++] = '#';
        out[n++] = ' ';
    }
    return takc_hash64(takc_str_n(out, n), 0);
}

/* Can the line be a page number? Nothing but a number with ornaments, the word "page" in few others, a single word as in "F-12", or a
 * longer line that begins or ends with the number. "Note 12" and "Table 3" cannot. */
static bool may_count(const struct takc_lines *l, const struct takc_line *v)
{
    struct takc_str line = takc_str_slice(l->text, v->start, v->end);
    size_t letters = 0, page = 0;
    for (size_t i = 0; i < line.len; i++) {
        letters += (line.ptr[i] | 32) >= 'a' && (line.ptr[i] | 32) <= 'z';
        page += line.len - i >= 4 && takc_str_eq_nocase(takc_str_slice(line, i, i + 4), takc_str("page"));
    }
    if (letters == 0)
        return line.ptr[0] != '('; /* "(1)" marks a note */
    if (page)
        return v->n_words <= 6;
    if (v->n_words == 1)
        return letters <= 2;
    return v->n_words >= 4 && (is_digit(line.ptr[0]) || is_digit(line.ptr[line.len - 1]));
}

/* The k-th run of digits of the line as a number, some number over MAX_PAGE when it is large, UINT32_MAX when there is none. */
static uint32_t number_at(const struct takc_lines *l, const struct takc_line *v, unsigned k)
{
    for (size_t i = v->start; i < v->end; i++) {
        if (!is_digit(l->text.ptr[i]))
            continue;
        uint32_t value = 0;
        for (; i < v->end && is_digit(l->text.ptr[i]); i++)
            value = value > 100000 ? value : value * 10 + (uint32_t)(l->text.ptr[i] - '0');
        if (k-- == 0)
            return value;
    }
    return UINT32_MAX;
}

/* Are all numbers but the k-th the same? */
static bool rest_same(const struct takc_lines *l, const struct takc_line *x, const struct takc_line *y, unsigned k)
{
    for (unsigned i = 0; i < NUMBERS * 2; i++)
        if (i != k && number_at(l, x, i) != number_at(l, y, i))
            return false;
    return true;
}

/* Does line b, the next of its kind behind a, count on from it, a page later? */
static bool counts_on(const struct takc_lines *l, uint32_t a, uint32_t b, unsigned k)
{
    const struct takc_line *x = &l->v[a], *y = &l->v[b];
    uint32_t from = number_at(l, x, k), to = number_at(l, y, k);
    return from <= MAX_PAGE && to <= MAX_PAGE && to > from && to - from <= MAX_STEP &&
           (y->start - x->start >= PAGE_BYTES || y->page > x->page) && rest_same(l, x, y, k);
}

/* Hides the lines of one group where its k-th number counts up; false when too few do. */
static bool hide_group(struct takc_lines *l, const struct takc_line_pick *g, size_t n, unsigned k)
{
    size_t good = 0;
    for (int hide = 0; hide < 2; hide++) {
        for (size_t i = 0; i < n; i++) {
            bool on = (i > 0 && counts_on(l, g[i - 1].line, g[i].line, k)) || (i + 1 < n && counts_on(l, g[i].line, g[i + 1].line, k));
            good += on && !hide;
            if (on && hide)
                l->v[g[i].line].flags |= TAKC_LINE_HIDDEN;
        }
        if (good < MIN_REPEATS || good * 10 < n * 6)
            return false;
    }
    return true;
}

/* Collects the lines that may be page numbers (counting) or running headers, sorted by what they say. */
static enum takc_status gather(struct takc_lines *l, bool counting, struct takc_err *err)
{
    l->n_picks = 0;
    for (size_t i = 0; i < l->n; i++) {
        const struct takc_line *v = &l->v[i];
        if (v->kind == TAKC_LINE_BLANK || v->kind == TAKC_LINE_RULE || v->kind == TAKC_LINE_CODE || v->kind == TAKC_LINE_TURN)
            continue;
        if (v->n_chars > FOOTER_CHARS || (v->flags & TAKC_LINE_HIDDEN))
            continue;
        if (counting ? !(v->flags & TAKC_LINE_DIGIT) || !may_count(l, v) : v->kind == TAKC_LINE_ROW && v->n_numbers > 1)
            continue;
        enum takc_status st = takc_grow(&l->picks, &l->picks_cap, l->n_picks + 1, sizeof(*l->picks), err);
        if (st)
            return st;
        l->picks[l->n_picks++] = (struct takc_line_pick){line_hash(l, v, counting), (uint32_t)i, 0};
    }
    if (l->n_picks)
        qsort(l->picks, l->n_picks, sizeof(*l->picks), by_hash);
    return TAKC_OK;
}

/* The end of the group of equal hashes that begins at i. */
static size_t group_end(const struct takc_lines *l, size_t i)
{
    size_t end = i + 1;
    while (end < l->n_picks && l->picks[end].hash == l->picks[i].hash)
        end++;
    return end;
}

/* Does a page number, a form feed or the edge of a page stand within a few lines of line i? */
static bool near_break(const struct takc_lines *l, size_t i)
{
    for (int step = -1; step <= 1; step += 2) {
        size_t at = i, seen = 0;
        while (seen < NEAR_LINES) {
            if ((step < 0 && at == 0) || (step > 0 && at + 1 >= l->n))
                break;
            if (step < 0 && (l->v[at].flags & TAKC_LINE_FEED))
                return true;
            at = step < 0 ? at - 1 : at + 1;
            const struct takc_line *v = &l->v[at];
            if (v->kind == TAKC_LINE_BLANK || v->kind == TAKC_LINE_RULE)
                continue;
            if ((v->flags & TAKC_LINE_HIDDEN) || (step > 0 && (v->flags & TAKC_LINE_FEED)))
                return true;
            seen++;
        }
    }
    return false;
}

/* Running headers: the same line beside page numbers or page breaks again and again, on every sixth page at least. */
static void hide_headers(struct takc_lines *l)
{
    size_t n_breaks = 0;
    for (size_t i = 0; i < l->n; i++)
        n_breaks += l->v[i].flags & (TAKC_LINE_HIDDEN | TAKC_LINE_FEED) ? 1 : 0;
    size_t least = n_breaks / EVERY > MIN_REPEATS ? n_breaks / EVERY : MIN_REPEATS;
    for (size_t i = 0, end; i < l->n_picks; i = end) {
        end = group_end(l, i);
        size_t near = 0;
        if (end - i < MIN_REPEATS)
            continue;
        for (size_t k = i; k < end; k++) {
            l->picks[k].unused = near_break(l, l->picks[k].line);
            near += l->picks[k].unused;
        }
        for (size_t k = i; k < end && near >= least && near * 10 >= (end - i) * 6; k++)
            l->picks[k].unused *= 2;
    }
    for (size_t i = 0; i < l->n_picks; i++) /* afterwards, so that hidden lines do not make their neighbours hidden in turn */
        if (l->picks[i].unused == 2)
            l->v[l->picks[i].line].flags |= TAKC_LINE_HIDDEN;
}

enum takc_status takc_lines_footers(struct takc_lines *l, struct takc_err *err)
{
    if (l->n < MIN_REPEATS * 2)
        return TAKC_OK;
    enum takc_status st = gather(l, true, err);
    if (st)
        return st;
    bool any = false;
    for (size_t i = 0, end; i < l->n_picks; i = end) {
        end = group_end(l, i);
        bool hidden = false;
        for (unsigned k = 0; k < NUMBERS && !hidden && end - i >= MIN_REPEATS; k++)
            hidden = hide_group(l, l->picks + i, end - i, k);
        any = any || hidden;
    }
    for (size_t i = 0; i < l->n && !any; i++)
        any = l->v[i].flags & TAKC_LINE_FEED;
    if (!any)
        return TAKC_OK;
    st = gather(l, false, err);
    if (!st)
        hide_headers(l);
    return st;
}
