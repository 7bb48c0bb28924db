/* SPDX-License-Identifier: Apache-2.0
 *
 * Levels S, A and X: what may be left out of a line, what a span may be, and an artifact that is damaged in one place at a time: each
 * damage is found and named, and nothing else. */
#include "base/alloc.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/hash.h"
#include "verify/line.h"
#include "verify/span.h"
#include "verify/verify.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* What was told: the last finding and how many. */
struct told {
    int n;
    enum takc_level level;
    char subject[256], finding[512];
};

static void hear(void *arg, enum takc_level level, const char *subject, const char *finding)
{
    struct told *t = arg;
    t->n++;
    t->level = level;
    (void)snprintf(t->subject, sizeof(t->subject), "%s", subject);
    (void)snprintf(t->finding, sizeof(t->finding), "%s", finding);
}

static void allowed_lines_pass(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"company sold 5 plants in year.", "The company sold 5 plants in the year."},
        {"revenue fell by 3%.", "However, revenue fell by 3%."},
        {"we agreed on budget.", "So, uh, we agreed on the, um, budget."},
        {"is a matter of price.", "Well, you know, is a matter of price."},
        {"I think price is right.", "Yeah. Okay, I think, I mean, the price is right."},
        {"as shown by Smith.", "as shown by Smith [3]."},
        {"as shown and proved.", "as shown [3, 14] and proved [5-7]."},
        {"as shown.", "as shown BIBREF12."},
        {"Rates rose again.", "Rates rose (see Table 3 on page 17) again."},
        {"Revenue; 1,234; 1,100", "Revenue | 1,234 | 1,100"},
        {"Revenue | 1,234", "Revenue | 1,234"},
        {"you know better", "you know you know better"},
        {"In addition we sold it.", "In addition we sold it."},
        {"we agreed.", "Uh, So, we agreed."},
        {"we agreed.", "[1] However, we agreed."},
        {"it rose.", "it rose [1,2,3,4,5,6,7,8,9,10]."},
        {"it rose - he said -, twice", "it rose - he said -[3], twice"},
        {"same", "same"},
        {"two  blanks and\xC2\xA0one", "two blanks\nand one"},
        {"\xE4\xBC\x9A\xE7\xA4\xBE\xE3\x80\x82", "\xE4\xBC\x9A\xE7\xA4\xBE\xE3\x80\x82"},
    };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        char why[256] = "";
        if (!takc_verify_line(takc_str(pairs[i][0]), takc_str(pairs[i][1]), why))
            fail_msg("'%s' from '%s': %s", pairs[i][0], pairs[i][1], why);
    }
}

static void other_lines_fail_by_name(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"We do sell it.", "We do not sell it.", "the negation 'not' was left out"},
        {"It doesn't work", "It doesn't never work", "the negation 'never' was left out"},
        {"It cost 1,235.", "It cost 1,234.", "'1,235' is shown where the spans have '1,234'"},
        {"It cost dollars.", "It cost 5 dollars.", "the number '5' was left out"},
        {"It fell 5%.", "It fell -5%.", "'5%' is shown where the spans have '-5%'"},
        {"It fell 5 points", "It fell (5) points", "the mark '(' was left out"},
        {"we met in Paris.", "we met Anna in Paris.", "the name 'Anna' was left out"},
        {"in Hague", "in The Hague", "the name 'The' was left out"},
        {"Vitamin helps.", "Vitamin A helps.", "the name 'A' was left out"},
        {"item first", "item a) first", "'a' was left out"},
        {"so many came", "so very many came", "'very' was left out"},
        {"many came", "So many came", "'So' was left out"},
        {"we came", "we, however, came", "the mark ',' was left out"},
        {"H2O", "H[2]O", "'H2O' is shown where the spans have 'H'"},
        {"we also, sell", "we sell", "'also' is shown where the spans have 'sell'"},
        {"it works, well enough", "it works, well, enough", "the mark ',' was left out"},
        {"cats sell", "cats sell dogs", "'dogs' was left out"},
        {"cats sell dogs", "cats sell", "'dogs' is shown and not in the spans"},
        {"compamy", "company", "'compamy' is shown where the spans have 'company'"},
        {"Rates rose.", "Rates rose (see not Table 3).", "the mark '(' was left out"},
        {"Rates rose.", "Rates rose (in 2019).", "the mark '(' was left out"},
        {"a [x] b", "a [x] [y] b", "the mark '[' was left out"},
        {"5 wide", "5 mm wide", "'mm' was left out"},
        {"Is it so", "Is it so?", "the mark '?' was left out"},
        {"b a", "a b", "'a' is shown and not in the spans"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char why[256] = "";
        assert_false(takc_verify_line(takc_str(rows[i][0]), takc_str(rows[i][1]), why));
        assert_string_equal(why, rows[i][2]);
    }
}

static void spans_begin_and_end_on_words(void **state)
{
    (void)state;
    struct takc_str t = takc_str("Don't pay 1,234.50 (or 5). Caf\xC3\xA9 \xE4\xBC\x9A\xE7\xA4\xBE ok");
    assert_null(takc_span_fault(t, 0, 26));
    assert_null(takc_span_fault(t, 10, 18));
    assert_null(takc_span_fault(t, 19, 26));
    assert_string_equal(takc_span_fault(t, 1, 26), "begins inside a word");
    assert_string_equal(takc_span_fault(t, 4, 26), "begins inside a word");
    assert_string_equal(takc_span_fault(t, 0, 3), "ends inside a word");
    assert_string_equal(takc_span_fault(t, 10, 11), "ends inside a word");
    assert_string_equal(takc_span_fault(t, 12, 18), "begins inside a word");
    assert_string_equal(takc_span_fault(t, 10, 15), "ends inside a word");
    assert_string_equal(takc_span_fault(t, 0, 6), "begins or ends on white space");
    assert_string_equal(takc_span_fault(t, 5, 9), "begins or ends on white space");
    assert_string_equal(takc_span_fault(t, 27, 31), "begins or ends inside a character");
    assert_string_equal(takc_span_fault(t, 0, t.len + 1), "ends behind the text");
    assert_string_equal(takc_span_fault(t, 5, 5), "is empty");
    assert_null(takc_span_fault(t, 33, 36)); /* one Han character: no blanks, no words to cut */
}

static void generated_lines_know_no_more(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"Sales of Acme rose to 1234 in May 2020.", "In May 2020 sales of Acme rose to 1,234.", NULL},
        {"It doesn't work.", "The pump does not work.", NULL},
        {"Costs rose 5 million.", "Costs rose 5 million.", NULL},
        {"Costs rose 6%.", "Costs rose 5%.", "the number '6%' does not stand in the spans"},
        {"Costs rose 5 billion.", "Costs rose 5 million of 9 billion.", "the number '5' does not stand in the spans"},
        {"Profit is in euros.", "Profit is stated.", "the unit 'euros' does not stand in the spans"},
        {"It is not sold.", "It is sold.", "the negation 'not' does not stand in the spans"},
        {"We told Anna.", "We told her.", "the name 'Anna' does not stand in the spans"},
        {"Berlin is large.", "It is large.", "the name 'Berlin' does not stand in the spans"},
        {"It came on Friday.", "It came.", "the date 'Friday' does not stand in the spans"},
        {"It is sold.", "It is not sold.", "the negation 'not' of the spans was left out"},
        {"It is sold.", "It was never sold before.", "the negation 'never' of the spans was left out"},
        {"No pump is sold.", "It is not sold, no pump is.", NULL},
        {"Valve No. 7 is sold.", "Valve No. 7 is sold.", NULL},
        {"Valve 7 is sold.", "Valve No. 7 is sold.", NULL},
        {"It was kept.", "Was it sold? No. It was kept.", "the negation 'No' of the spans was left out"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct takc_items s, q;
        char why[TAKC_WHY_BYTES] = "";
        takc_items_init(&s);
        takc_items_init(&q);
        assert_int_equal(takc_items_add(&s, takc_str(rows[i][0]), NULL), TAKC_OK);
        assert_int_equal(takc_items_add(&q, takc_str(rows[i][1]), NULL), TAKC_OK);
        bool ok = takc_line_generated(&s, &q, why);
        assert_true(ok == !rows[i][2]);
        if (rows[i][2])
            assert_string_equal(why, rows[i][2]);
        takc_items_clear(&s);
        takc_items_clear(&q);
    }
}

/* What a compressor asks of a line is what the artifact is held against later. */
static void a_line_is_judged_before_it_is_stored(void **state)
{
    (void)state;
    const struct takc_str quotes[] = {takc_str("Costs rose 5%."), takc_str("Sales fell.")};
    bool ok = false;
    char why[256];
    assert_int_equal(takc_verify_generated(NULL, takc_str("Costs rose 5% while sales fell."), quotes, 2, &ok, why, NULL), TAKC_OK);
    assert_true(ok);
    assert_int_equal(takc_verify_generated(NULL, takc_str("Sales fell by 5%."), quotes + 1, 1, &ok, why, NULL), TAKC_OK);
    assert_false(ok);
    assert_string_equal(why, "the number '5%' does not stand in the spans");
    static const char *const swapped[][2] = {{"12 bar", "12 psi"},      {"12 knots", "12 mph"},      {"12 acres", "12 hectares"},
                                             {"12 grams", "12 ounces"}, {"12 celsius", "12 kelvin"}, {"12 francs", "12 yen"}};
    for (size_t i = 0; i < sizeof(swapped) / sizeof(swapped[0]); i++) {
        const struct takc_str one = takc_str(swapped[i][0]);
        assert_int_equal(takc_verify_generated(NULL, one, &one, 1, &ok, why, NULL), TAKC_OK);
        assert_true(ok);
        assert_int_equal(takc_verify_generated(NULL, takc_str(swapped[i][1]), &one, 1, &ok, why, NULL), TAKC_OK);
        assert_false(ok);
    }
    takc_fault_arm(TAKC_FAULT_ALLOC, 1, ENOMEM);
    assert_int_equal(takc_verify_generated(NULL, takc_str("x"), quotes, 2, &ok, why, NULL), TAKC_NOMEM);
    takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
}

static void hashes_are_compared(void **state)
{
    (void)state;
    struct takc_hex hex;
    struct takc_proof proof = {0};
    struct told told = {0};
    struct takc_str bytes = takc_str("source bytes"), other = takc_str("source bytez");
    assert_int_equal(takc_sha256(bytes, &hex, NULL), TAKC_OK);
    assert_int_equal(takc_verify_source(bytes, takc_str(hex.s), "q3.txt", &proof, hear, &told, NULL), TAKC_OK);
    assert_int_equal(takc_verify_stored(bytes, takc_str(hex.s), "light.json", &proof, hear, &told, NULL), TAKC_OK);
    assert_int_equal(told.n, 0);
    assert_int_equal(takc_verify_source(other, takc_str(hex.s), "q3.txt", &proof, hear, &told, NULL), TAKC_OK);
    assert_true(told.n == 1 && told.level == TAKC_LEVEL_S);
    assert_string_equal(told.subject, "q3.txt");
    hex.s[7] = hex.s[7] == 'a' ? 'b' : 'a';
    assert_int_equal(takc_verify_stored(bytes, takc_str(hex.s), "light.json", &proof, hear, &told, NULL), TAKC_OK);
    assert_true(told.n == 2 && told.level == TAKC_LEVEL_A);
    assert_string_equal(told.subject, "light.json");
    assert_int_equal(takc_verify_stored(bytes, takc_str("abc"), "light.json", &proof, hear, &told, NULL), TAKC_OK);
    assert_string_equal(told.finding, "its recorded hash is no SHA-256");
    assert_true(proof.checked[TAKC_LEVEL_S] == 2 && proof.failed[TAKC_LEVEL_S] == 1);
    assert_true(proof.checked[TAKC_LEVEL_A] == 3 && proof.failed[TAKC_LEVEL_A] == 2);
}

/* Two documents, four segments: a title that stands in the text, a row with its anchor, a cleaned sentence over a page break, and a line
 * that stands for a duplicate in the other document. */
static const char *const texts[2] = {
    "Annual Report\nThe plant in Leeds did not close in 2021.\nYear | Cost\nCosts\n2020 | 1,234\nAll rights are reserved.",
    "However, the rate rose\n- 3 -\nto 5% in the spring.\nAll rights are reserved.",
};

struct fixture {
    struct takc_artifact a;
    struct takc_artifact_doc docs[2];
    struct takc_artifact_span spans[12];
    struct takc_part parts[8];
    struct takc_segment segments[4];
    char line[4][96]; /* bodies, so that tests can edit them */
    bool gone;
};

/* The span of words in a text. */
static struct takc_artifact_span find(uint32_t doc, const char *words)
{
    const char *at = strstr(texts[doc], words);
    assert_non_null(at);
    uint32_t start = (uint32_t)(at - texts[doc]);
    return (struct takc_artifact_span){doc, start, start + (uint32_t)strlen(words)};
}

static struct takc_part part(uint8_t role, const char *text, const struct takc_artifact_span *spans, size_t n)
{
    return (struct takc_part){role, takc_str(text), spans, n};
}

static void build(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->docs[0] = (struct takc_artifact_doc){takc_str("a.txt"), takc_str(""), takc_str(""), takc_str("Annual Report"), takc_str("text")};
    f->docs[1] = (struct takc_artifact_doc){takc_str("b.txt"), takc_str(""), takc_str(""), takc_str("b"), takc_str("name")};
    f->spans[0] = find(0, "Annual Report");
    f->spans[1] = find(0, "The plant in Leeds did not close in 2021.");
    f->spans[2] = find(0, "Costs");
    f->spans[3] = find(0, "Year | Cost");
    f->spans[4] = find(0, "2020 | 1,234");
    f->spans[5] = find(0, "All rights are reserved.");
    f->spans[6] = find(1, "All rights are reserved.");
    f->spans[7] = find(1, "However, the rate rose");
    f->spans[8] = find(1, "to 5% in the spring.");
    memcpy(f->line[0], "plant in Leeds did not close in 2021.", 38);
    memcpy(f->line[1], "2020; 1,234", 12);
    memcpy(f->line[2], "All rights are reserved.", 25);
    memcpy(f->line[3], "rate rose to 5% in spring.", 27);
    f->parts[0] = part(TAKC_PART_TITLE, "Annual Report", &f->spans[0], 1);
    f->parts[1] = part(TAKC_PART_BODY, f->line[0], &f->spans[1], 1);
    f->parts[2] = part(TAKC_PART_ANCHOR, "[Costs / Year; Cost]", &f->spans[2], 2);
    f->parts[3] = part(TAKC_PART_BODY, f->line[1], &f->spans[4], 1);
    f->parts[4] = part(TAKC_PART_BODY, f->line[2], &f->spans[5], 2);
    f->parts[5] = part(TAKC_PART_TITLE, "b", NULL, 0);
    f->parts[6] = part(TAKC_PART_BODY, f->line[3], &f->spans[7], 2);
    f->segments[0] = (struct takc_segment){TAKC_SEGMENT_EXTRACT, 3, &f->parts[0], 2};
    f->segments[1] = (struct takc_segment){TAKC_SEGMENT_EXTRACT, 1, &f->parts[2], 2};
    f->segments[2] = (struct takc_segment){TAKC_SEGMENT_EXTRACT, 2, &f->parts[4], 1};
    f->segments[3] = (struct takc_segment){TAKC_SEGMENT_EXTRACT, 0, &f->parts[5], 2};
    f->a = (struct takc_artifact){.rate = 8000, .documents = f->docs, .n_documents = 2, .segments = f->segments, .n_segments = 4};
    for (size_t i = 0; i < 7; i++)
        f->a.bytes += f->parts[i].text.len + 1;
    f->a.words = 2 + 8 + 4 + 2 + 4 + 1 + 6;
    f->a.tokens = 30;
    f->a.budget_tokens = 30;
}

static enum takc_status text_of(void *arg, uint32_t doc, struct takc_str *out, struct takc_err *err)
{
    const struct fixture *f = arg;
    if (f->gone)
        return takc_fail(err, TAKC_NOT_FOUND, 0, "no text");
    *out = takc_str(texts[doc]);
    return TAKC_OK;
}

static struct told run(struct fixture *f, struct takc_proof *proof)
{
    struct told told = {0};
    struct takc_err err = {0};
    *proof = (struct takc_proof){0};
    assert_int_equal(takc_verify_artifact(NULL, &f->a, text_of, f, proof, hear, &told, &err), TAKC_OK);
    assert_true(proof->failed[TAKC_LEVEL_X] == (uint64_t)told.n);
    return told;
}

/* The damage is found once, at level X, and named. */
static void expect(struct fixture *f, const char *subject, const char *finding)
{
    struct takc_proof proof;
    struct told told = run(f, &proof);
    if (told.n != 1 || !strstr(told.finding, finding))
        fail_msg("wanted '%s', got %d findings, the last '%s: %s'", finding, told.n, told.subject, told.finding);
    assert_string_equal(told.subject, subject);
    assert_int_equal(told.level, TAKC_LEVEL_X);
}

static void honest_artifact_passes(void **state)
{
    (void)state;
    struct fixture f;
    struct takc_proof proof;
    build(&f);
    struct told told = run(&f, &proof);
    assert_string_equal(told.finding, "");
    assert_true(proof.checked[TAKC_LEVEL_X] == 8); /* 7 parts and the counts */
    f.gone = true;
    told = run(&f, &proof);
    assert_true(told.n == 0 && proof.underivable[TAKC_LEVEL_X] == 6); /* all but the counts and the title without a span */
}

/* Every span, each end, one byte either way. */
static void moved_spans_are_seen(void **state)
{
    (void)state;
    static const char *const subjects[] = {"8x segment 1 title",  "8x segment 1 body", "8x segment 2 anchor",
                                           "8x segment 2 anchor", "8x segment 2 body", "8x segment 3 body",
                                           "8x segment 3 body",   "8x segment 4 body", "8x segment 4 body"};
    for (size_t i = 0; i < COUNT(subjects); i++)
        for (int move = 0; move < 6; move++) {
            struct fixture f;
            build(&f);
            struct takc_artifact_span *s = &f.spans[i];
            uint32_t by = move % 2 ? 1 : UINT32_MAX;
            s->start += move / 2 != 1 ? by : 0;
            s->end += move / 2 != 0 ? by : 0;
            expect(&f, subjects[i], "");
        }
}

static void edits_are_seen(void **state)
{
    (void)state;
    struct fixture f;
    build(&f);
    f.line[0][34] = '7';
    expect(&f, "8x segment 1 body", "'2071' is shown where the spans have '2021'");
    build(&f);
    memcpy(f.line[0], "plant in Leeds did close in 2021.", 34);
    f.parts[1].text = takc_str(f.line[0]);
    f.a.bytes -= 4;
    f.a.words -= 1;
    expect(&f, "8x segment 1 body", "the negation 'not' was left out");
    build(&f);
    f.line[2][4] = 'R';
    expect(&f, "8x segment 3 body", "'Rights' is shown where the spans have 'rights'");
    build(&f);
    f.parts[0].text = takc_str("Annual Rep0rt");
    expect(&f, "8x segment 1 title", "is not the document's title: 'Rep0rt'");
    build(&f);
    f.parts[2].text = takc_str("[Costs / Year; Coat]");
    expect(&f, "8x segment 2 anchor", "'Coat' is shown where the spans have 'Cost'");
    build(&f);
    f.parts[0].n_spans = 0;
    expect(&f, "8x segment 1 title", "has no span");
    build(&f);
    f.parts[6].n_spans = 0;
    expect(&f, "8x segment 4", "its kind and parts");
    build(&f);
    f.spans[6].doc = 7;
    expect(&f, "8x segment 3 body", "does not list");
    build(&f);
    f.spans[2].doc = 9;
    expect(&f, "8x segment 2 anchor", "does not list");
    build(&f);
    f.spans[6] = find(1, "However, the rate rose"); /* the duplicate says something else */
    expect(&f, "8x segment 3 body", "");
}

static void counts_and_order_are_checked(void **state)
{
    (void)state;
    struct fixture f;
    build(&f);
    f.a.bytes++;
    expect(&f, "8x artifact", "bytes");
    build(&f);
    f.a.words--;
    expect(&f, "8x artifact", "says 26 words, its lines have 27");
    build(&f);
    f.a.tokens = 31;
    expect(&f, "8x artifact", "more than its budget");
    build(&f);
    f.segments[3].rank = 2;
    expect(&f, "8x artifact", "same place in the order");
    build(&f);
    struct takc_segment s = f.segments[1];
    f.segments[1] = f.segments[2];
    f.segments[2] = s;
    expect(&f, "8x segment 3", "stands behind");
    build(&f);
    f.docs[0].name = takc_str("c.txt");
    expect(&f, "8x artifact", "order of their names");
    build(&f);
    f.parts[3].role = TAKC_PART_ANCHOR;
    expect(&f, "8x segment 2", "its kind and parts");
    build(&f);
    f.segments[3].parts = &f.parts[6]; /* without its title: an empty line */
    f.segments[3].n_parts = 1;
    f.a.bytes -= 1;
    f.a.words -= 1;
    struct takc_proof proof;
    struct told told = run(&f, &proof);
    assert_string_equal(told.finding, "");
}

static void generated_segments_are_checked(void **state)
{
    (void)state;
    struct fixture f;
    struct takc_proof proof;
    build(&f);
    f.segments[3].kind = TAKC_SEGMENT_GENERATED;
    memcpy(f.line[3], "spring: rate is up to 5%..", 27);
    assert_string_equal(run(&f, &proof).finding, "");
    f.line[3][22] = '6';
    expect(&f, "8x segment 4 body", "the number '6%' does not stand in the spans");
}

static void no_memory_is_said(void **state)
{
    (void)state;
    struct fixture f;
    build(&f);
    f.spans[6] = find(1, "However, the rate rose"); /* also the walk over groups and the table */
    enum takc_status st = TAKC_NOMEM;
    int n = 0;
    while (st == TAKC_NOMEM && n < 1000) {
        struct takc_proof proof = {0};
        struct takc_err err = {0};
        takc_fault_arm(TAKC_FAULT_ALLOC, (uint64_t)++n, ENOMEM);
        st = takc_verify_artifact(NULL, &f.a, text_of, &f, &proof, NULL, NULL, &err);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        assert_true(st == TAKC_OK || st == TAKC_NOMEM);
        assert_true(st == TAKC_OK || err.msg[0]);
    }
    assert_int_equal(st, TAKC_OK);
    assert_true(n > 4);
    char why[256];
    takc_fault_arm(TAKC_FAULT_ALLOC, 1, ENOMEM);
    assert_false(takc_verify_line(takc_str("x"), takc_str("x"), why));
    takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
    assert_non_null(strstr(why, "no memory"));
}

static void a_cancelled_call_stops(void **state)
{
    (void)state;
    struct fixture f;
    struct takc_call call;
    struct takc_proof proof = {0};
    build(&f);
    takc_call_init(&call);
    atomic_store(&call.cancel, true);
    assert_int_equal(takc_verify_artifact(&call, &f.a, text_of, &f, &proof, NULL, NULL, NULL), TAKC_CANCELLED);
}

/* docs/verify.md has the list line by line, four blanks in front. */
static void the_page_has_the_rules(void **state)
{
    (void)state;
    struct takc_buf page;
    struct takc_str rest = takc_str(takc_verify_rules()), line;
    static const char data[] = TAKC_TEST_DATA; /* .../tests/data, which need not exist */
    char path[4096];
    (void)snprintf(path, sizeof(path), "%.*s/docs/verify.md", (int)(sizeof(data) - sizeof("/tests/data")), data);
    takc_buf_init(&page, 1 << 20);
    assert_int_equal(takc_file_read(path, &page, NULL), TAKC_OK);
    while (takc_str_split(&rest, '\n', &line)) {
        char shown[512];
        if (!line.len)
            continue;
        (void)snprintf(shown, sizeof(shown), "\n    %.*s\n", TAKC_STR_ARG(line));
        if (takc_str_find(takc_buf_str(&page), takc_str(shown), 0) == SIZE_MAX)
            fail_msg("docs/verify.md lacks '%s'", shown);
    }
    takc_buf_clear(&page);
}

static void rules_are_published(void **state)
{
    (void)state;
    assert_non_null(strstr(takc_verify_rules(), "fillers: uh uhm um"));
    assert_non_null(strstr(takc_verify_rules(), "however moreover"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allowed_lines_pass),
        cmocka_unit_test(other_lines_fail_by_name),
        cmocka_unit_test(spans_begin_and_end_on_words),
        cmocka_unit_test(generated_lines_know_no_more),
        cmocka_unit_test(a_line_is_judged_before_it_is_stored),
        cmocka_unit_test(hashes_are_compared),
        cmocka_unit_test(honest_artifact_passes),
        cmocka_unit_test(moved_spans_are_seen),
        cmocka_unit_test(edits_are_seen),
        cmocka_unit_test(counts_and_order_are_checked),
        cmocka_unit_test(generated_segments_are_checked),
        cmocka_unit_test(no_memory_is_said),
        cmocka_unit_test(a_cancelled_call_stops),
        cmocka_unit_test(rules_are_published),
        cmocka_unit_test(the_page_has_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
