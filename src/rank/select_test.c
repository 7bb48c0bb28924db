/* SPDX-License-Identifier: Apache-2.0
 *
 * Choosing lines: what is found, what is shown, budgets, filters, duplicates. */
#include "base/fault.h"
#include "base/utf8.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "rank/fixture.h"

static const struct fixture_doc docs[] = {
    {"a/harbour.txt", "Harbour report 2021",
     "# Traffic\nThe harbour handled 4,120 ships during the year.\nMost of them carried grain.\n= year | ships | tons\n2020 | 3,900 | "
     "12.5\n2021 | 4,120 | 14.0\n# Staff\nThe master of the port is Ada Lindqvist.\nShe joined in 1999.",
     18900},
    {"b/lighthouse.txt", "Lighthouse manual",
     "The lamp turns once every 12 seconds.\nMost of them carried grain.\n\nReplace the bulb in March.\nThe lighthouse keeper keeps the "
     "spare bulb in the cellar.",
     0},
    {"c/zoo.txt", "Zoo", "The zebra eats hay.\nThe lion eats meat and grain is not its food.", 19000},
};
enum { N_DOCS = 3, PAIRS = 100000 };

struct setup {
    struct fixture f;
    struct takc_buf bytes;
    struct takc_index *x;
    struct takc_arena arena;
    struct takc_select_options o;
};

static int start(void **state)
{
    struct setup *s = calloc(1, sizeof(*s));
    fixture_init(&s->f, docs, N_DOCS);
    s->x = fixture_index(&s->f, &s->bytes);
    takc_arena_init(&s->arena);
    s->o = (struct takc_select_options){.budget_tokens = 100, .tokenizer = &fixture_tokenizer, .text = fixture_text, .text_arg = &s->f};
    *state = s;
    return 0;
}

static int stop(void **state)
{
    struct setup *s = *state;
    takc_arena_clear(&s->arena);
    takc_index_close(s->x);
    takc_buf_clear(&s->bytes);
    fixture_clear(&s->f);
    free(s);
    return 0;
}

static struct takc_choice ask(struct setup *s, const char *question)
{
    struct takc_choice c = {0};
    assert_int_equal(takc_select(s->x, takc_str(question), &s->o, NULL, &s->arena, &c, NULL), TAKC_OK);
    return c;
}

static void the_line_with_the_answer_comes_first(void **state)
{
    struct takc_choice c = ask(*state, "Where is the spare bulb kept?");
    assert_true(c.n_lines > 1);
    assert_true(takc_str_is(c.lines[0].text, "The lighthouse keeper keeps the spare bulb in the cellar."));
    assert_true(c.lines[0].score > c.lines[1].score && c.lines[0].coverage > .4);
    c = ask(*state, "How often does the lamp turn?");
    assert_true(takc_str_is(c.lines[0].text, "The lamp turns once every 12 seconds."));
    assert_int_equal(c.lines[0].doc, 1);
}

static void rows_show_their_anchor_and_documents_their_title(void **state)
{
    struct setup *s = *state;
    s->o.budget_tokens = 14;
    struct takc_choice c = ask(s, "2020 ships 3,900 tons 12.5");
    assert_true(takc_str_is(c.context, "Harbour report 2021\n[Traffic / year | ships | tons]\n2020 | 3,900 | 12.5\n2021 | 4,120 | 14.0\n"));
    assert_true(c.tokens == 13 && c.n_lines == 2);
    static const uint32_t units[] = {8, 4, 3};
    struct takc_str context;
    assert_int_equal(takc_context_of(s->x, units, 3, fixture_text, &s->f, &s->arena, &context, NULL), TAKC_OK);
    assert_string_equal(context.ptr, "Harbour report 2021\n[Traffic / year | ships | tons]\n2020 | 3,900 | 12.5\n2021 | 4,120 | 14.0\n"
                                     "Lighthouse manual\nThe lamp turns once every 12 seconds.\n");
}

static void headings_count_for_the_units_below_and_are_not_chosen(void **state)
{
    struct takc_choice c = ask(*state, "staff");
    assert_true(c.n_lines >= 2);
    assert_true(takc_str_is(c.lines[0].text, "She joined in 1999.") ||
                takc_str_is(c.lines[0].text, "The master of the port is Ada Lindqvist."));
    for (size_t i = 0; i < c.n_lines; i++)
        assert_false(takc_str_is(c.lines[i].text, "Staff"));
}

static void duplicates_are_shown_once(void **state)
{
    struct takc_choice c = ask(*state, "Which of them carried grain?");
    size_t at = takc_str_find(c.context, takc_str("Most of them carried grain."), 0);
    assert_true(at != SIZE_MAX);
    assert_true(takc_str_find(c.context, takc_str("Most of them carried grain."), at + 1) == SIZE_MAX);
}

static void filters_hold(void **state)
{
    struct setup *s = *state;
    struct takc_str glob = takc_str("b/*");
    s->o.filter = (struct takc_filter){.globs = &glob, .n_globs = 1};
    struct takc_choice c = ask(s, "Who carried grain?");
    assert_true(c.n_lines > 0);
    for (size_t i = 0; i < c.n_lines; i++)
        assert_int_equal(c.lines[i].doc, 1);
    s->o.filter = (struct takc_filter){.has_after = true, .after = 18950};
    c = ask(s, "Who carried grain?");
    assert_true(c.n_lines > 0);
    for (size_t i = 0; i < c.n_lines; i++)
        assert_int_equal(c.lines[i].doc, 2);
    s->o.filter = (struct takc_filter){.has_before = true, .before = 18000};
    assert_int_equal(ask(s, "Who carried grain?").n_lines, 0);
}

static bool only_even(void *arg, uint32_t unit)
{
    (void)arg;
    return unit % 2 == 0;
}

static void units_can_be_kept_out(void **state)
{
    struct setup *s = *state;
    s->o.admit = only_even;
    struct takc_choice c = ask(s, "harbour grain lamp bulb");
    assert_true(c.n_lines > 0);
    for (size_t i = 0; i < c.n_lines; i++)
        assert_int_equal(c.lines[i].unit % 2, 0);
}

static void budgets_hold_for_every_size(void **state)
{
    struct setup *s = *state;
    for (uint64_t budget = 0; budget < 60; budget++) {
        s->o.budget_tokens = budget;
        struct takc_choice c = ask(s, "harbour ships grain lamp bulb lighthouse zebra");
        assert_true(c.tokens <= budget);
        assert_int_equal(c.tokens, takc_words_count(c.context));
        assert_true(budget < 20 || c.n_lines > 0);
    }
}

/* A tokenizer whose counts do not add up: lines look cheap, the whole is dear. */
static uint64_t whole_mt(const struct takc_tokenizer *t, struct takc_str text)
{
    (void)t;
    return takc_words_count(text) * 1500;
}

static void budgets_hold_where_counts_do_not_add_up(void **state)
{
    struct setup *s = *state;
    static const struct takc_tokenizer_ops odd_ops = {.line_mt = fixture_line_mt, .count_mt = whole_mt};
    static const struct takc_tokenizer odd = {&odd_ops, "odd", "1"};
    s->o.tokenizer = &odd;
    s->o.budget_tokens = 30;
    struct takc_choice c = ask(s, "harbour ships grain lamp bulb lighthouse zebra");
    assert_true(c.n_lines > 0 && c.tokens <= 30 && takc_words_count(c.context) * 3 / 2 <= 30);
}

static void unknown_words_find_nothing(void **state)
{
    struct takc_choice c = ask(*state, "quantum chromodynamics?");
    assert_true(c.n_lines == 0 && c.context.len == 0 && c.tokens == 0 && c.confidence == 0 && c.n_missing == 2);
    c = ask(*state, "what is the of");
    assert_true(c.n_lines == 0 && c.n_missing == 0);
    c = ask(*state, "");
    assert_true(c.n_lines == 0);
}

static void missing_terms_are_named_as_asked(void **state)
{
    struct takc_choice c = ask(*state, "Does the Zebra eat Quinces or hay?");
    assert_true(c.n_missing == 1 && takc_str_is(c.missing[0], "Quinces"));
    struct takc_cover cover;
    struct setup *s = *state;
    assert_int_equal(
        takc_cover(s->x, takc_str("zebras eating hay and grain, quinces"), takc_str("A zebra, and some hay."), &s->arena, &cover, NULL),
        TAKC_OK);
    assert_true(cover.n_missing == 3 && takc_str_is(cover.missing[0], "quinces") && takc_str_is(cover.missing[1], "eating") &&
                takc_str_is(cover.missing[2], "grain") && cover.share > .3 && cover.share < .8);
    assert_int_equal(cover.n_held, 2); /* no rate holds quinces */
}

static void what_asks_is_not_looked_for(void **state)
{
    static const char *const wide[] = {"Summarize these documents", "tl;dr", "Give me the key takeaways", "Sum up the contracts"};
    struct setup *s = *state;
    struct takc_cover cover;
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
        assert_int_equal(takc_cover(s->x, takc_str(wide[i]), takc_str("Hay."), &s->arena, &cover, NULL), TAKC_OK);
        assert_true(cover.n_held == 0 && cover.n_missing == 0);
    }
    struct takc_choice c = ask(*state, "Please give me an overview of the zebra's quinces");
    assert_true(c.n_missing == 1 && takc_str_is(c.missing[0], "quinces"));
    c = ask(*state, "Summarize");
    assert_true(c.n_missing == 1); /* all that there is */
    c = ask(*state, "Which overview has quinces?");
    assert_int_equal(c.n_missing, 2); /* a question about an overview */
}

/* ---- the terms of a question, read the slow way ---- */

enum { SLOW_TERMS = 64 };
struct slow_term {
    char stem[16];
    bool pair, held;
};

static struct takc_str half(const struct slow_term *t, bool second)
{
    return takc_str_slice(takc_str(t->stem), second ? 3 : 0, second ? strlen(t->stem) : 3); /* characters of three bytes */
}

/* Does a pair that no unit has only span the border of a word that another one ends or begins at? */
static bool is_border(const struct slow_term *terms, size_t n, const struct slow_term *t)
{
    bool border = false;
    for (size_t i = 0; t->pair && !t->held && strlen(t->stem) > 3 && i < n; i++)
        border |= terms[i].pair && terms[i].held &&
                  (takc_str_eq(half(&terms[i], true), half(t, false)) || takc_str_eq(half(&terms[i], false), half(t, true)));
    return border;
}

static size_t slow_terms(const struct takc_index *x, struct takc_str text, struct slow_term *out)
{
    struct slow_term all[SLOW_TERMS];
    struct takc_words words;
    struct takc_word w;
    size_t n = 0, kept = 0;
    takc_words_init(&words, text);
    while (takc_words_next(&words, &w)) {
        struct takc_term_entry e;
        struct slow_term t = {.pair = w.pair};
        bool known = false;
        (void)snprintf(t.stem, sizeof(t.stem), "%.*s", TAKC_STR_ARG(takc_word_stem(w.norm)));
        for (size_t i = 0; i < n; i++)
            known |= strcmp(all[i].stem, t.stem) == 0;
        if (known || w.article || takc_word_is_stop(w.norm))
            continue;
        assert_int_equal(takc_dict_find(x, takc_str(t.stem), &e, NULL), TAKC_OK);
        t.held = e.df > 0;
        assert_true(n < SLOW_TERMS);
        all[n++] = t;
    }
    takc_words_clear(&words);
    for (size_t i = 0; i < n; i++)
        if (!is_border(all, n, &all[i]))
            out[kept++] = all[i];
    return kept;
}

static void terms_are_those_of_the_definition(void **state)
{
    static const struct fixture_doc pumps[] = {{"p", "", "\u6CF5\u7684\u538B\u529B\n\u529B\u7684\nleases of pumps", 0}};
    static const char *const pieces[] = {"\u6CF5", "\u7684", "\u538B", "\u529B", " ",    " lease ", " leased ",
                                         " the ",  " pump ", " 10K ",  " his ",  " hi ", " x "};
    struct fixture f;
    struct takc_buf bytes;
    size_t n_borders = 0;
    (void)state;
    fixture_init(&f, pumps, 1);
    struct takc_index *x = fixture_index(&f, &bytes);
    srand(7);
    for (int round = 0; round < 2000; round++) {
        char text[256] = "";
        struct takc_arena arena;
        struct takc_question q;
        struct slow_term want[SLOW_TERMS];
        for (int i = rand() % 24; i >= 0; i--)
            (void)strcat(text, pieces[(size_t)rand() % (sizeof(pieces) / sizeof(pieces[0]))]);
        takc_arena_init(&arena);
        assert_int_equal(takc_question_read(x, takc_str(text), &arena, &q, NULL), TAKC_OK);
        assert_int_equal(q.n_terms, slow_terms(x, takc_str(text), want));
        for (size_t i = 0; i < q.n_terms; i++) {
            assert_true(takc_str_is(q.terms[i].stem, want[i].stem) && (q.terms[i].entry.df > 0) == want[i].held);
            n_borders += want[i].pair && !want[i].held;
        }
        takc_arena_clear(&arena);
    }
    assert_true(n_borders > 0); /* pairs that are not there, and stay */
    takc_index_close(x);
    takc_buf_clear(&bytes);
    fixture_clear(&f);
}

/* What no reader of a question does in steps that grow with its square: half a minute of it, else. */
static void long_questions_are_read_once(void **state)
{
    struct setup *s = *state;
    struct takc_question q;
    struct takc_buf text;
    takc_buf_init(&text, 16 << 20);
    for (uint32_t i = 0; i < PAIRS; i++) {
        char pair[9];
        size_t n = takc_utf8_put(0x4E00 + i % 20000, pair);
        n += takc_utf8_put(0x4E00 + i / 20000, pair + n);
        pair[n++] = ' ';
        assert_int_equal(takc_buf_add(&text, takc_str_n(pair, n), NULL), TAKC_OK);
    }
    assert_int_equal(takc_question_read(s->x, takc_buf_str(&text), &s->arena, &q, NULL), TAKC_OK);
    assert_int_equal(q.n_terms, TAKC_QUESTION_TERMS_MAX);
    takc_buf_clear(&text);
}

static void same_question_same_answer(void **state)
{
    struct takc_choice a = ask(*state, "harbour ships grain lamp"), b = ask(*state, "harbour ships grain lamp");
    assert_int_equal(a.n_lines, b.n_lines);
    assert_true(takc_str_eq(a.context, b.context));
    for (size_t i = 0; i < a.n_lines; i++)
        assert_true(a.lines[i].unit == b.lines[i].unit && a.lines[i].score == b.lines[i].score);
}

static void memory_that_cannot_be_had_is_reported(void **state)
{
    struct setup *s = *state;
    enum takc_status st = TAKC_NOMEM;
    uint64_t n = 0;
    for (; st == TAKC_NOMEM; n++) {
        struct takc_choice c;
        struct takc_arena arena;
        takc_arena_init(&arena);
        takc_fault_arm(TAKC_FAULT_ALLOC, n + 1, ENOMEM);
        st = takc_select(s->x, takc_str("harbour ships grain lamp"), &s->o, NULL, &arena, &c, NULL);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        takc_arena_clear(&arena);
    }
    assert_int_equal(st, TAKC_OK);
    assert_true(n > 4);
}

static void cancelled_calls_stop(void **state)
{
    struct setup *s = *state;
    struct takc_call call;
    struct takc_choice c;
    takc_call_init(&call);
    call.cancel = true;
    assert_int_equal(takc_select(s->x, takc_str("harbour"), &s->o, &call, &s->arena, &c, NULL), TAKC_CANCELLED);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        T(the_line_with_the_answer_comes_first),
        T(rows_show_their_anchor_and_documents_their_title),
        T(headings_count_for_the_units_below_and_are_not_chosen),
        T(duplicates_are_shown_once),
        T(filters_hold),
        T(units_can_be_kept_out),
        T(budgets_hold_for_every_size),
        T(budgets_hold_where_counts_do_not_add_up),
        T(unknown_words_find_nothing),
        T(missing_terms_are_named_as_asked),
        T(what_asks_is_not_looked_for),
        T(terms_are_those_of_the_definition),
        T(long_questions_are_read_once),
        T(same_question_same_answer),
        T(memory_that_cannot_be_had_is_reported),
        T(cancelled_calls_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
