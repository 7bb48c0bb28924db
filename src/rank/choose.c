/* SPDX-License-Identifier: Apache-2.0
 *
 * choose.c - takes candidates by score until the budget is full, and composes what the reader sees.
 *
 * A unit costs its line, the title of its document when that becomes necessary, and the anchor or heading line when it is the first to need
 * it. A misfit is skipped, 20 in a row end it. Of duplicates one is taken. At the end the whole context is counted, and while it is over
 * the budget (only tokenizers whose counts do not add up can do that) the worst line goes. */
#include "rank/query.h"

#include <stdlib.h>

enum { MISFITS_MAX = 20, COVER_LINES = 5 /* the best lines whose words count as covering the question */ };

enum { KEY_TWIN = 3 };

/* Blocks of scratch are large enough to be maps of their own: they leave no holes between what stays for as long as a model takes. */

struct chooser {
    const struct takc_select_options *o;
    struct takc_arena *arena, *scratch; /* of the result; of what is needed until there is one */
    struct takc_show show;
    struct takc_keys seen; /* anchors and headings paid, units and twins taken */
    struct takc_shown *chosen;
    float *scores;
    size_t n, cap, scores_cap;
    uint64_t used_mt, budget_mt;
    struct takc_best best;
};

static uint64_t cost_of(const struct chooser *c, struct takc_str line)
{
    return takc_tokenizer_line_mt(c->o->tokenizer, line);
}

static enum takc_status mark(struct chooser *c, uint64_t key, struct takc_err *err)
{
    uint32_t *value;
    bool is_new;
    return takc_keys_at(&c->seen, key, &value, &is_new, err);
}

static uint64_t twin_key(const struct takc_shown *u)
{
    return (uint64_t)KEY_TWIN << 62 | (u->u.twin ? u->u.twin - 1 : u->unit);
}

static enum takc_status keep(struct chooser *c, const struct takc_shown *u, float score, struct takc_err *err)
{
    enum takc_status st = takc_arena_grow(c->scratch, &c->chosen, &c->cap, c->n + 1, sizeof(*c->chosen), err);
    if (!st)
        st = takc_arena_grow(c->scratch, &c->scores, &c->scores_cap, c->n + 1, sizeof(*c->scores), err);
    if (!st && u->before.len)
        st = mark(c, u->before_key, err);
    if (!st && u->own_key)
        st = mark(c, u->own_key, err);
    if (!st)
        st = mark(c, twin_key(u), err);
    if (!st) {
        c->chosen[c->n] = *u;
        c->scores[c->n++] = score;
    }
    return st;
}

/* Takes the unit if it fits. */
static enum takc_status try_unit(struct chooser *c, struct takc_candidate candidate, bool *out_fits, struct takc_err *err)
{
    struct takc_shown u;
    struct takc_shown_doc *d;
    enum takc_status st = takc_show_unit(&c->show, candidate.id, &u, err);
    *out_fits = true;
    if (st || u.line.len == 0 || takc_keys_have(&c->seen, twin_key(&u)))
        return st;
    size_t docs_before = c->show.n_docs;
    st = takc_show_doc(&c->show, u.u.doc, &d, err);
    if (st)
        return st;
    uint64_t cost = cost_of(c, u.line);
    *out_fits = c->used_mt + cost <= c->budget_mt;
    if (!*out_fits) /* whatever must stand before it */
        return TAKC_OK;
    bool title = !d->title_shown && takc_show_needs_title(d, u.line);
    cost += title ? cost_of(c, d->title) : 0;
    if (u.before.len && !takc_keys_have(&c->seen, u.before_key))
        cost += cost_of(c, u.before);
    if (docs_before && !d->counted && !title)
        cost += cost_of(c, (struct takc_str){"", 0}); /* the empty line between documents */
    *out_fits = c->used_mt + cost <= c->budget_mt;
    if (!*out_fits)
        return TAKC_OK;
    d->title_shown |= title;
    d->counted = true;
    c->used_mt += cost;
    return keep(c, &u, candidate.score, err);
}

/* Notes the first candidates. */
static void note(struct chooser *c, const struct takc_scores *s, uint32_t unit)
{
    if (c->best.n == TAKC_BEST_MAX)
        return;
    c->best.masks[c->best.n] = takc_scores_mask(s, unit);
    c->best.docs[c->best.n++] = takc_index_doc_of(s->x, unit);
}

static enum takc_status fill(struct chooser *c, struct takc_candidates *from, struct takc_call *call, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    int misfits = 0;
    bool found = true, fits;
    while (!st && ((misfits < MISFITS_MAX && c->used_mt < c->budget_mt) || c->best.n < TAKC_BEST_MAX)) {
        struct takc_candidate candidate = {0, 0};
        st = takc_candidates_next(from, &candidate, &found, err);
        if (st || !found)
            break;
        note(c, from->scores, candidate.id);
        st = try_unit(c, candidate, &fits, err);
        misfits = fits ? 0 : misfits + 1;
        if (!st && c->n % 64 == 0)
            st = takc_call_check(call, err);
    }
    return st;
}

static int by_unit(const void *a, const void *b)
{
    uint32_t x = (*(const struct takc_shown *const *)a)->unit, y = (*(const struct takc_shown *const *)b)->unit;
    return x < y ? -1 : x > y;
}

static enum takc_status render(struct takc_show *show, const struct takc_shown *units, size_t n, struct takc_buf *out, struct takc_err *err)
{
    const struct takc_shown **sorted = takc_arena_array(show->arena, n, sizeof(void *));
    if (!sorted)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu lines", n);
    for (size_t i = 0; i < n; i++)
        sorted[i] = &units[i];
    if (n)
        qsort(sorted, n, sizeof(void *), by_unit);
    takc_buf_reset(out);
    return takc_show_context(show, sorted, n, out, err);
}

/* Composes the context, dropping the worst lines while it is over the budget. */
static enum takc_status compose(struct chooser *c, struct takc_choice *out, struct takc_err *err)
{
    struct takc_buf text;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = TAKC_OK;
    for (bool over = true; !st && over;) {
        st = render(&c->show, c->chosen, c->n, &text, err);
        out->tokens = st ? 0 : takc_tokenizer_count(c->o->tokenizer, takc_buf_str(&text));
        over = out->tokens > c->o->budget_tokens && c->n > 0;
        c->n -= over;
    }
    if (!st)
        out->context = takc_arena_dup(c->arena, takc_buf_str(&text));
    if (!st && !out->context.ptr)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for the context");
    takc_buf_clear(&text);
    return st;
}

static enum takc_status copy_missing(struct chooser *c, const struct takc_question *q, uint64_t held, struct takc_choice *out,
                                     struct takc_err *err)
{
    const struct takc_str *missing;
    size_t n;
    enum takc_status st = takc_question_missing(q, held, c->scratch, &missing, &n, err);
    struct takc_str *copies = st ? NULL : takc_arena_array(c->arena, n + 1, sizeof(*copies));
    bool good = copies != NULL;
    for (size_t i = 0; good && i < n; i++)
        good = (copies[i] = takc_arena_dup(c->arena, missing[i])).ptr != NULL;
    if (!st && !good)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for missing words");
    out->missing = copies;
    out->n_missing = st ? 0 : n;
    return st;
}

/* Lines, coverage, missing terms and confidence of what was chosen. */
static enum takc_status report(struct chooser *c, const struct takc_scores *s, struct takc_choice *out, struct takc_err *err)
{
    uint64_t best = 0, all = 0;
    out->lines = takc_arena_array(c->arena, c->n, sizeof(*out->lines));
    if (!out->lines)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu lines", c->n);
    out->n_lines = c->n;
    for (size_t i = 0; i < c->n; i++) {
        const struct takc_shown *u = &c->chosen[i];
        uint64_t mask = takc_scores_mask(s, u->unit);
        out->lines[i] =
            (struct takc_line){u->unit, u->u.doc, c->scores[i], takc_question_share(s->q, mask), takc_arena_dup(c->arena, u->line)};
        if (!out->lines[i].text.ptr)
            return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu lines", c->n);
        all |= mask;
        best |= i < COVER_LINES ? mask : 0;
    }
    out->coverage = c->n ? takc_question_share(s->q, best) : 0;
    out->confidence = takc_confidence(s->q, s->best[TAKC_LEVELS - 1], &c->best);
    return copy_missing(c, s->q, all, out, err);
}

enum takc_status takc_select(const struct takc_index *x, struct takc_str question, const struct takc_select_options *o,
                             struct takc_call *call, struct takc_arena *arena, struct takc_choice *out, struct takc_err *err)
{
    struct takc_question q;
    struct takc_scores s;
    struct takc_candidates candidates;
    struct takc_choice choice = {0};
    struct takc_arena scratch; /* some bytes for each unit of the version: not kept while an answer waits for its model */
    struct chooser c = {.o = o, .arena = arena, .scratch = &scratch, .seen = {.arena = &scratch}};
    takc_arena_init(&scratch);
    scratch.block_bytes = TAKC_ARENA_LARGE;
    c.budget_mt = o->budget_tokens > UINT64_MAX / 1000 ? UINT64_MAX : o->budget_tokens * 1000;
    takc_show_init(&c.show, x, o->text, o->text_arg, &scratch);
    enum takc_status st = takc_question_read(x, question, &scratch, &q, err);
    if (!st)
        st = takc_scores_make(&s, x, &q, &o->filter, call, &scratch, err);
    if (!st)
        st = takc_candidates_init(&candidates, &s, o, err);
    if (!st)
        st = fill(&c, &candidates, call, err);
    if (!st)
        st = compose(&c, &choice, err);
    if (!st)
        st = report(&c, &s, &choice, err);
    if (!st)
        *out = choice;
    takc_arena_clear(&scratch);
    return st;
}

enum takc_status takc_context_of(const struct takc_index *x, const uint32_t *units, size_t n, takc_text_fn *text, void *text_arg,
                                 struct takc_arena *arena, struct takc_str *out, struct takc_err *err)
{
    struct takc_show show;
    struct takc_buf context;
    struct takc_shown *shown = takc_arena_array(arena, n, sizeof(*shown));
    enum takc_status st = shown ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu lines", n);
    takc_show_init(&show, x, text, text_arg, arena);
    for (size_t i = 0; !st && i < n; i++) {
        struct takc_shown_doc *d;
        st = takc_show_unit(&show, units[i], &shown[i], err);
        if (!st)
            st = takc_show_doc(&show, shown[i].u.doc, &d, err);
        if (!st && takc_show_needs_title(d, shown[i].line))
            d->title_shown = true;
    }
    if (st)
        return st;
    takc_buf_init(&context, TAKC_BUF_MAX_REPLY);
    st = render(&show, shown, n, &context, err);
    struct takc_str copy = st ? (struct takc_str){NULL, 0} : takc_arena_dup(arena, takc_buf_str(&context));
    takc_buf_clear(&context);
    if (!st && !copy.ptr)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for the context");
    if (!st)
        *out = copy;
    return st;
}
