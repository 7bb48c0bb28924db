/* SPDX-License-Identifier: Apache-2.0
 *
 * generative_guard.c - which lines of a reply may stay. A line stays when its numbers exist, none of them is that of a unit which instructs
 * a reader, it repeats nothing that only such units say, and the guard finds all that it says in its units. All that fail are asked for
 * once more in one call; for what fails again the best of its units speaks itself. Choices depend on the window alone. */
#include "base/alloc.h"
#include "compress/generative_steps.h"
#include "token/words.h"
#include "unit/facts.h"

#include <stdio.h>
#include <stdlib.h>

enum { UNITS_MAX = 96, FAILED_MAX = 32 };

enum verdict { VERDICT_UNSET = 0, VERDICT_KEPT, VERDICT_FAILED, VERDICT_QUARANTINED, VERDICT_AGAIN };

struct settle {
    struct takc_gen_source *x;
    struct takc_gen_window *w;
    size_t cap;
    struct takc_gen_failed failed[FAILED_MAX];
    bool mended[FAILED_MAX]; /* a line took its place */
    size_t n_failed;
};

/* ---- lines of the window ---- */

static enum takc_status add_line(struct settle *s, struct takc_str text, const uint32_t *units, uint32_t n, bool extract,
                                 struct takc_err *err)
{
    struct takc_gen_window *w = s->w;
    if (w->n_lines == s->cap) {
        size_t cap = s->cap ? 2 * s->cap : 16;
        struct takc_gen_line *v = takc_arena_array(&w->arena, cap, sizeof(*v));
        if (!v)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for lines");
        if (w->n_lines)
            memcpy(v, w->lines, w->n_lines * sizeof(*v));
        w->lines = v;
        s->cap = cap;
    }
    uint32_t *own = takc_arena_array(&w->arena, n, sizeof(*own));
    struct takc_str copy = takc_arena_dup(&w->arena, text);
    if (!own || !copy.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for lines");
    memcpy(own, units, n * sizeof(*own));
    uint64_t mt = takc_tokenizer_line_mt(s->x->r->o->extractive.tokenizer, text);
    w->lines[w->n_lines++] = (struct takc_gen_line){
        .text = copy, .units = own, .n_units = n, .mt = mt < UINT32_MAX ? (uint32_t)mt : UINT32_MAX, .extract = extract};
    return TAKC_OK;
}

static bool said_before(const struct takc_gen_window *w, struct takc_str text)
{
    for (size_t i = 0; i < w->n_lines; i++)
        if (takc_str_eq_nocase(w->lines[i].text, text))
            return true;
    return false;
}

/* The units of the items that a line names, those of the first one's document, ascending, each once. 0 when there are too many. */
static size_t units_of(const struct takc_gen_source *x, const struct takc_reply_line *l, uint32_t out[UNITS_MAX])
{
    size_t n = 0, kept = 0;
    uint32_t doc = x->items[l->ids[0] - 1].doc;
    for (size_t i = 0; i < l->n_ids; i++) {
        const struct takc_gen_item *it = &x->items[l->ids[i] - 1];
        for (uint32_t k = 0; it->doc == doc && k < it->n_units; k++) {
            if (n == UNITS_MAX)
                return 0;
            out[n++] = it->units[k];
        }
    }
    qsort(out, n, sizeof(*out), takc_gen_by_number);
    for (size_t i = 0; i < n; i++)
        if (!i || out[i] != out[i - 1])
            out[kept++] = out[i];
    return kept;
}

/* ---- verdicts ---- */

static bool names_quoted(const struct takc_gen_source *x, const struct takc_reply_line *l)
{
    for (size_t i = 0; i < l->n_ids; i++)
        if (x->items[l->ids[i] - 1].quoted)
            return true;
    return false;
}

static void note_negation(void *arg, enum takc_fact_kind kind, uint64_t key)
{
    (void)key;
    *(bool *)arg |= kind == TAKC_FACT_NEGATION;
}

static bool negates(struct takc_str text)
{
    bool any = false;
    takc_facts_of_text(text, note_negation, &any);
    return any;
}

/* Does a unit (or a finer line) that the line names negate, and the line does not? The guard cannot know: it looks for what is too much. */
static bool lost_negation(const struct takc_gen_source *x, const struct takc_reply_line *l)
{
    if (negates(l->text))
        return false;
    for (size_t i = 0; i < l->n_ids; i++)
        if (negates(x->items[l->ids[i] - 1].text))
            return true;
    return false;
}

/* Adds the stems that say something. */
static enum takc_status add_stems(struct takc_intern *t, struct takc_str text, struct takc_err *err)
{
    struct takc_words words;
    struct takc_word word;
    uint32_t ignored;
    enum takc_status st = TAKC_OK;
    takc_words_init(&words, text);
    while (!st && takc_words_next(&words, &word))
        if (!word.article && !takc_word_is_stop(word.norm))
            st = takc_intern_add(t, takc_word_stem(word.norm), &ignored, err);
    return takc_words_end(&words, st, err);
}

static enum takc_status add_item(struct takc_intern *t, const struct takc_gen_item *it, struct takc_err *err)
{
    enum takc_status st = add_stems(t, it->text, err);
    return st || !it->mark ? st : add_stems(t, takc_str(it->mark), err);
}

static bool names(const struct takc_reply_line *l, size_t item)
{
    for (size_t i = 0; i < l->n_ids; i++)
        if (l->ids[i] == item + 1)
            return true;
    return false;
}

/* What the items that a line names say, and what those of other documents in the window do. */
static enum takc_status add_sources(const struct settle *s, const struct takc_reply_line *l, struct takc_intern *said,
                                    struct takc_intern *others, struct takc_err *err)
{
    const struct takc_gen_source *x = s->x;
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < x->n_items && !st; i++) {
        bool own = x->items[i].doc == x->items[l->ids[0] - 1].doc;
        if (!own)
            st = add_item(others, &x->items[i], err);
        else if (names(l, i))
            st = add_item(said, &x->items[i], err);
    }
    return st;
}

/* Has the line a third of its words from what it names? A paraphrase has; a line with the numbers of others has not. And none that only
 * another document of the window has: what a line took from there would stay behind when that document is forgotten. */
static enum takc_status has_support(const struct settle *s, const struct takc_reply_line *l, const char **out_why, struct takc_err *err)
{
    struct takc_intern said, others, line;
    uint32_t met = 0;
    takc_intern_init(&said);
    takc_intern_init(&others);
    takc_intern_init(&line);
    enum takc_status st = add_stems(&line, l->text, err);
    if (!st)
        st = add_sources(s, l, &said, &others, err);
    for (uint32_t i = 0; i < line.n && !st; i++) {
        struct takc_str stem = takc_intern_get(&line, i);
        bool own = takc_intern_find(&said, stem) != TAKC_INTERN_NONE;
        met += own;
        if (!own && takc_intern_find(&others, stem) != TAKC_INTERN_NONE)
            *out_why = "it says what only another document says";
    }
    if (3 * met < line.n)
        *out_why = "it has little in common with the units that it names";
    takc_intern_clear(&said);
    takc_intern_clear(&others);
    takc_intern_clear(&line);
    return st;
}

/* Why a line cannot stay, before the guard is asked: NULL when nothing speaks against it. Its units go to units. */
static enum takc_status find_fault(const struct settle *s, const struct takc_reply_line *l, uint32_t units[UNITS_MAX], size_t *out_n,
                                   const char **out_why, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    *out_why = NULL;
    *out_n = l->n_ids ? units_of(s->x, l, units) : 0;
    if (!l->n_ids)
        *out_why = l->wrong_ids ? "it names units that are not there, or too many" : "it names no unit";
    else if (!*out_n)
        *out_why = "it names too many units";
    else if (lost_negation(s->x, l))
        *out_why = "it leaves out a negation of its units";
    else
        st = has_support(s, l, out_why, err);
    return st;
}

static enum takc_status is_planted(const struct settle *s, const struct takc_reply_line *l, bool *out, struct takc_err *err)
{
    enum takc_status st = takc_gen_echoes(s->x, l->text, out, err);
    *out |= names_quoted(s->x, l);
    return st;
}

/* Judges a line and, if it may stay, keeps it. */
static enum takc_status judge(struct settle *s, const struct takc_reply_line *l, enum verdict *out, char why[256], struct takc_err *err)
{
    uint32_t units[UNITS_MAX];
    size_t n = 0;
    const char *fault = NULL;
    bool planted = false, ok = false;
    enum takc_status st = is_planted(s, l, &planted, err);
    *out = planted ? VERDICT_QUARANTINED : said_before(s->w, l->text) ? VERDICT_AGAIN : VERDICT_FAILED;
    if (st || *out != VERDICT_FAILED)
        return st;
    st = find_fault(s, l, units, &n, &fault, err);
    (void)snprintf(why, 256, "%s", fault ? fault : "");
    if (!st && !fault)
        st = takc_gen_judge(s->x, l->text, units, n, &ok, why, err);
    if (st || !ok)
        return st;
    *out = VERDICT_KEPT;
    return add_line(s, l->text, units, (uint32_t)n, false, err);
}

static enum takc_status note_failed(struct settle *s, const struct takc_reply_line *l, const char *why, struct takc_err *err)
{
    if (s->n_failed == FAILED_MAX) {
        s->w->counts.lines_dropped++;
        return TAKC_OK;
    }
    struct takc_str copy = takc_arena_dup(&s->x->arena, takc_str(why));
    if (!copy.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a repair");
    s->failed[s->n_failed++] = (struct takc_gen_failed){.text = l->text, .ids = l->ids, .n_ids = l->n_ids, .why = copy.ptr};
    return TAKC_OK;
}

static enum takc_status judge_reply(struct settle *s, struct takc_str reply, struct takc_err *err)
{
    struct takc_reply_lines lines;
    enum takc_status st = takc_reply_read(&s->x->arena, reply, (uint32_t)s->x->n_items, false, &lines, err);
    s->w->counts.windows_empty += !st && lines.n == 0;
    for (size_t i = 0; i < lines.n && !st; i++) {
        enum verdict v;
        char why[256];
        st = judge(s, &lines.v[i], &v, why, err);
        if (!st && v == VERDICT_FAILED)
            st = note_failed(s, &lines.v[i], why, err);
        s->w->counts.lines_quarantined += !st && v == VERDICT_QUARANTINED;
    }
    return st;
}

/* ---- repair and replacement ---- */

static bool share_an_id(const struct takc_gen_failed *f, const struct takc_reply_line *l)
{
    for (size_t i = 0; i < f->n_ids; i++)
        for (size_t k = 0; k < l->n_ids; k++)
            if (f->ids[i] == l->ids[k])
                return true;
    return false;
}

/* Which failed line this one stands for: the first without one that names a unit of it, or that names none. */
static void mend(struct settle *s, const struct takc_reply_line *l)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < s->n_failed; i++)
            if (!s->mended[i] && (pass ? s->failed[i].n_ids == 0 : share_an_id(&s->failed[i], l))) {
                s->mended[i] = true;
                return;
            }
}

static enum takc_status judge_repaired(struct settle *s, struct takc_str reply, struct takc_err *err)
{
    struct takc_reply_lines lines;
    enum takc_status st = takc_reply_read(&s->x->arena, reply, (uint32_t)s->x->n_items, false, &lines, err);
    size_t n = lines.n < 2 * s->n_failed ? lines.n : 2 * s->n_failed;
    for (size_t i = 0; i < n && !st; i++) {
        enum verdict v;
        char why[256];
        st = judge(s, &lines.v[i], &v, why, err);
        if (st || v != VERDICT_KEPT) {
            s->w->counts.lines_quarantined += !st && v == VERDICT_QUARANTINED;
            continue;
        }
        s->w->counts.lines_repaired++;
        mend(s, &lines.v[i]);
    }
    return st;
}

static uint64_t failed_mt(const struct settle *s)
{
    uint64_t mt = 0;
    for (size_t i = 0; i < s->n_failed; i++)
        mt += takc_tokenizer_line_mt(s->x->r->o->extractive.tokenizer, s->failed[i].text);
    return mt;
}

static enum takc_status repair(struct settle *s, bool *out_known, struct takc_err *err)
{
    struct takc_gen_ask ask = {.x = s->x, .w = s->w, .purpose = "repair", .failed = s->failed, .n_failed = s->n_failed};
    struct takc_gen_said said = {0};
    struct takc_buf reply;
    uint64_t most = s->w->share_mt, want = failed_mt(s);
    takc_buf_init(&reply, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_gen_reply(&ask, 0, s->x->n_items, takc_gen_tokens(want < most ? want : most) + 16, 0, &reply, &said, err);
    *out_known = said.known;
    if (!st && said.known)
        st = judge_repaired(s, takc_buf_str(&reply), err);
    takc_buf_clear(&reply);
    return st;
}

static bool stood_on(const struct takc_gen_window *w, uint32_t unit)
{
    for (size_t i = 0; i < w->n_lines; i++)
        for (uint32_t k = 0; k < w->lines[i].n_units; k++)
            if (w->lines[i].units[k] == unit)
                return true;
    return false;
}

/* The unit with most facts for its length among those that a failed line names and no line stands on; UINT32_MAX: none. */
static uint32_t best_unit(const struct settle *s, const struct takc_gen_failed *f)
{
    const struct takc_gen_run *r = s->x->r;
    uint32_t best = UINT32_MAX;
    uint64_t best_facts = 0;
    for (size_t i = 0; i < f->n_ids; i++) {
        const struct takc_gen_item *it = &s->x->items[f->ids[i] - 1];
        for (uint32_t k = 0; k < it->n_units; k++) {
            uint32_t u = it->units[k], first = r->s->first_unit[s->x->doc + it->doc];
            uint64_t facts = 1u + s->x->views[it->doc].units->units[u - first].n_facts;
            if (r->unit_flags[u] & TAKC_UNIT_INSTRUCTS || stood_on(s->w, u))
                continue;
            if (best == UINT32_MAX || facts * r->unit_mt[best] > best_facts * r->unit_mt[u]) {
                best = u;
                best_facts = facts;
            }
        }
    }
    return best;
}

static enum takc_status replace(struct settle *s, const struct takc_gen_failed *f, struct takc_err *err)
{
    const struct takc_gen_run *r = s->x->r;
    uint32_t unit = best_unit(s, f);
    struct takc_buf text;
    if (unit == UINT32_MAX) {
        s->w->counts.lines_dropped++;
        return TAKC_OK;
    }
    size_t doc = takc_gen_doc_of(r->s, unit);
    const struct takc_corpus_view *v = &s->x->views[doc - s->x->doc];
    takc_buf_init(&text, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st = takc_unit_show(v->units, unit - r->s->first_unit[doc], v->text, r->o->extractive.clean_level, &text, err);
    if (!st)
        st = add_line(s, takc_buf_str(&text), &unit, 1, true, err);
    takc_buf_clear(&text);
    s->w->counts.lines_replaced++;
    return st;
}

/* Lines in the order of their first units, those of one unit as they came. */
static void sort_lines(struct takc_gen_window *w)
{
    for (size_t i = 1; i < w->n_lines; i++) {
        struct takc_gen_line x = w->lines[i];
        size_t k = i;
        for (; k > 0 && w->lines[k - 1].units[0] > x.units[0]; k--)
            w->lines[k] = w->lines[k - 1];
        w->lines[k] = x;
    }
}

enum takc_status takc_gen_settle(struct takc_gen_source *x, struct takc_gen_window *w, struct takc_str reply, struct takc_err *err)
{
    struct settle *s = takc_alloc(sizeof(*s));
    bool known = true;
    if (!s)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a window");
    *s = (struct settle){.x = x, .w = w};
    enum takc_status st = judge_reply(s, reply, err);
    if (!st && s->n_failed)
        st = repair(s, &known, err);
    for (size_t i = 0; i < s->n_failed && !st && known; i++)
        if (!s->mended[i])
            st = replace(s, &s->failed[i], err);
    if (!st)
        sort_lines(w);
    w->known = known;
    takc_free(s);
    return st;
}
