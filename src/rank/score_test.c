/* SPDX-License-Identifier: Apache-2.0
 *
 * Scores and candidates against the definition, worked out the slow way over small random corpora: same units, same order, same scores. */
#include "rank/fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint64_t seed = 7;

static uint32_t below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % n);
}

/* A text of words w0 .. w39, rare ones rarer, with headings and tables. */
static char *random_text(void)
{
    char *text = malloc(40000);
    size_t len = 0;
    uint32_t lines = 1 + below(60);
    assert_non_null(text);
    text[0] = '\0';
    for (uint32_t l = 0; l < lines; l++) {
        uint32_t kind = below(12), n = kind < 2 ? 2 : 1 + below(25);
        len += (size_t)snprintf(text + len, 40000 - len, "%s", kind == 0 ? "# " : kind == 1 ? "= " : "");
        for (uint32_t i = 0; i < n; i++)
            len += (size_t)snprintf(text + len, 40000 - len, "w%c%s", 'a' + (char)(below(26) * below(26) / 26),
                                    i + 1 == n  ? "\n"
                                    : kind == 2 ? " | "
                                                : " ");
    }
    return text;
}

/* Everything that a question is measured by, by unit number. */
struct slow {
    struct fixture *f;
    uint32_t doc[4096], local[4096];
    const char *term[8];
    size_t n_terms;
    double z[TAKC_LEVELS][4096];
};

static uint32_t count_in(const struct takc_units *u, const uint32_t *terms, size_t n, const char *stem)
{
    uint32_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += takc_str_is(takc_intern_get(&u->vocabulary, terms[i]), stem);
    return count;
}

/* Words of the header that counts for the first unit of its table. */
static struct takc_str header_before(const struct slow *s, uint32_t unit)
{
    const struct takc_units *u = &s->f->units[s->doc[unit]];
    uint32_t i = s->local[unit], anchor = u->units[i].anchor;
    for (uint32_t k = 0; k < i; k++)
        anchor = u->units[k].anchor == anchor ? 0 : anchor;
    if (!anchor)
        return (struct takc_str){NULL, 0};
    struct takc_span span = u->anchors[anchor - 1].header;
    return takc_str_slice(s->f->texts[s->doc[unit]], span.start, span.end);
}

/* Count of a term in a unit alone (stem NULL: of all terms). */
static uint32_t own_count(const struct slow *s, uint32_t unit, const char *stem)
{
    const struct takc_units *u = &s->f->units[s->doc[unit]];
    const struct takc_unit *k = &u->units[s->local[unit]];
    uint32_t n = stem ? count_in(u, u->terms + k->term_at, k->n_terms, stem) : k->n_terms;
    struct takc_words words;
    struct takc_word w;
    takc_words_init(&words, header_before(s, unit));
    while (takc_words_next(&words, &w))
        n += !w.article && !takc_word_is_stop(w.norm) && (!stem || takc_str_is(takc_word_stem(w.norm), stem));
    takc_words_clear(&words);
    return n;
}

/* Count of a term in title and heading of a unit. */
static uint32_t above_count(const struct slow *s, uint32_t unit, const char *stem)
{
    const struct takc_units *u = &s->f->units[s->doc[unit]];
    const struct takc_unit *k = &u->units[s->local[unit]];
    uint32_t h = k->kind == TAKC_UNIT_HEADING ? 0 : k->heading;
    uint32_t n = stem ? count_in(u, u->title_terms, u->n_title_terms, stem) : (uint32_t)u->n_title_terms;
    if (h) {
        uint32_t from = u->heading_at[h - 1], len = u->heading_at[h] - from;
        n += stem ? count_in(u, u->heading_terms + from, len, stem) : len;
    }
    return n;
}

struct bag {
    uint32_t first, n;
    double length, score;
};

static uint32_t bag_count(const struct slow *s, const struct bag *b, const char *stem)
{
    uint32_t n = above_count(s, b->first, stem);
    for (uint32_t i = 0; i < b->n; i++)
        n += own_count(s, b->first + i, stem);
    return n;
}

/* BM25 of all bags of a level. */
static void score_bags(const struct slow *s, struct bag *bags, size_t n)
{
    double average = 0;
    for (size_t i = 0; i < n; i++) {
        bags[i].length = bag_count(s, &bags[i], NULL);
        bags[i].score = 0;
        average += bags[i].length / (double)n;
    }
    for (size_t t = 0; t < s->n_terms; t++) {
        double df = 0;
        for (size_t i = 0; i < n; i++)
            df += bag_count(s, &bags[i], s->term[t]) > 0;
        for (size_t i = 0; i < n; i++) {
            double tf = bag_count(s, &bags[i], s->term[t]);
            bags[i].score += log(1 + ((double)n - df + .5) / (df + .5)) * 2.2 * tf / (tf + 1.2 * (.5 + .5 * bags[i].length / average));
        }
    }
}

static size_t cut_bags(const struct slow *s, int level, struct bag *bags)
{
    size_t n = 0;
    for (size_t d = 0; d < s->f->n; d++) {
        uint32_t first = s->f->selection.first_unit[d], n_units = (uint32_t)s->f->units[d].n_units;
        uint16_t words[4096];
        for (uint32_t i = 0; i < n_units; i++) {
            words[i] = s->f->units[d].units[i].n_tokens + (uint16_t)takc_words_count(header_before(s, first + i));
            if (level == TAKC_LEVEL_UNIT)
                bags[n++] = (struct bag){first + i, 1, 0, 0};
        }
        struct takc_window_cutter c = {.n_tokens = words, .n_units = n_units, .width = takc_level_width[level]};
        struct takc_window w;
        while (level != TAKC_LEVEL_UNIT && takc_window_next(&c, &w))
            bags[n++] = (struct bag){first + w.first, w.n, 0, 0};
    }
    return n;
}

static void score_level(struct slow *s, int level)
{
    static struct bag bags[4096];
    size_t n = cut_bags(s, level, bags);
    double best = 0;
    score_bags(s, bags, n);
    for (size_t i = 0; i < n; i++)
        best = bags[i].score > best ? bags[i].score : best;
    for (uint32_t u = 0; u < s->f->selection.n_units; u++) {
        const struct bag *first = NULL, *last = NULL;
        for (size_t i = 0; i < n; i++)
            if (bags[i].first <= u && u < bags[i].first + bags[i].n) {
                first = first ? first : &bags[i];
                last = &bags[i];
            }
        s->z[level][u] = best > 0 && first ? fmax(first->score, last->score) / best : 0;
    }
}

static void compare(struct fixture *f, const char *question, const char *const *terms, size_t n_terms)
{
    static struct slow s;
    struct takc_buf bytes;
    struct takc_index *x = fixture_index(f, &bytes);
    struct takc_arena arena;
    struct takc_question q;
    struct takc_scores scores;
    struct takc_candidates candidates;
    struct takc_candidate c;
    struct takc_select_options o = {.tokenizer = &fixture_tokenizer, .text = fixture_text, .text_arg = f};
    size_t expected = 0, got = 0;
    double last = INFINITY;
    bool found = true;
    s = (struct slow){.f = f, .n_terms = n_terms};
    memcpy(s.term, terms, n_terms * sizeof(*terms));
    for (uint32_t d = 0, u = 0; d < f->n; d++)
        for (uint32_t i = 0; i < f->units[d].n_units; i++, u++) {
            s.doc[u] = d;
            s.local[u] = i;
        }
    for (int l = 0; l < TAKC_LEVELS; l++)
        score_level(&s, l);
    takc_arena_init(&arena);
    assert_int_equal(takc_question_read(x, takc_str(question), &arena, &q, NULL), TAKC_OK);
    assert_int_equal(takc_scores_make(&scores, x, &q, NULL, NULL, &arena, NULL), TAKC_OK);
    assert_int_equal(takc_candidates_init(&candidates, &scores, &o, NULL), TAKC_OK);
    for (;; got++) {
        assert_int_equal(takc_candidates_next(&candidates, &c, &found, NULL), TAKC_OK);
        if (!found)
            break;
        double want = .5 * s.z[0][c.id] + .5 * s.z[1][c.id] + .5 * s.z[2][c.id] + .7 * s.z[3][c.id];
        assert_true(fabs(c.score - want) < 1e-4);
        assert_true(c.score <= last);
        last = c.score;
    }
    for (uint32_t u = 0; u < f->selection.n_units; u++) {
        struct takc_index_unit unit;
        assert_int_equal(takc_index_unit_at(x, u, &unit, NULL), TAKC_OK);
        expected += !(unit.flags & TAKC_UNIT_BARE) && s.z[0][u] + s.z[1][u] + s.z[2][u] + s.z[3][u] > 0;
    }
    assert_int_equal(got, expected);
    takc_arena_clear(&arena);
    takc_index_close(x);
    takc_buf_clear(&bytes);
}

static void scores_are_those_of_the_definition(void **state)
{
    (void)state;
    static const char *const terms[] = {"wa", "wf", "wq", "wx"};
    for (int round = 0; round < 12; round++) {
        struct fixture_doc docs[5];
        static const char *const names[] = {"a", "b", "c", "d", "e"}, *const titles[] = {"wa wb", "", "wx wq wx", "we", "wf"};
        uint32_t n = 1 + below(5);
        for (uint32_t i = 0; i < n; i++)
            docs[i] = (struct fixture_doc){names[i], titles[i], random_text(), 0};
        struct fixture f;
        fixture_init(&f, docs, n);
        compare(&f, "wa wf wq wx?", terms, 4);
        compare(&f, "the wq", terms + 2, 1);
        fixture_clear(&f);
        for (uint32_t i = 0; i < n; i++)
            free((void *)docs[i].text);
    }
}

/* Budgets, filters and determinism over random corpora and questions. */
static void promises_hold_over_random_corpora(void **state)
{
    (void)state;
    for (int round = 0; round < 40; round++) {
        struct fixture_doc docs[4];
        static const char *const names[] = {"a/1", "a/2", "b/1", "b/2"};
        for (uint32_t i = 0; i < 4; i++)
            docs[i] = (struct fixture_doc){names[i], "wa title", random_text(), 0};
        struct fixture f;
        struct takc_buf bytes;
        fixture_init(&f, docs, 4);
        struct takc_index *x = fixture_index(&f, &bytes);
        struct takc_arena arena;
        struct takc_choice one, two;
        struct takc_str glob = takc_str("b/*");
        struct takc_select_options o = {.budget_tokens = below(200), .tokenizer = &fixture_tokenizer, .text = fixture_text, .text_arg = &f};
        o.filter = (struct takc_filter){.globs = &glob, .n_globs = below(2)};
        takc_arena_init(&arena);
        assert_int_equal(takc_select(x, takc_str("wd wa wt?"), &o, NULL, &arena, &one, NULL), TAKC_OK);
        assert_int_equal(takc_select(x, takc_str("wd wa wt?"), &o, NULL, &arena, &two, NULL), TAKC_OK);
        assert_true(takc_str_eq(one.context, two.context) && one.confidence == two.confidence);
        assert_true(takc_words_count(one.context) <= o.budget_tokens && one.tokens == takc_words_count(one.context));
        assert_true(one.confidence >= 0 && one.confidence <= 1 && one.coverage >= 0 && one.coverage <= 1);
        for (size_t i = 0; i < one.n_lines; i++) {
            assert_true(one.lines[i].unit < f.selection.n_units && (!o.filter.n_globs || one.lines[i].doc >= 2));
            assert_true(i == 0 || one.lines[i].score <= one.lines[i - 1].score);
        }
        takc_arena_clear(&arena);
        takc_index_close(x);
        takc_buf_clear(&bytes);
        fixture_clear(&f);
        for (uint32_t i = 0; i < 4; i++)
            free((void *)docs[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scores_are_those_of_the_definition),
                                       cmocka_unit_test(promises_hold_over_random_corpora)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
