/* SPDX-License-Identifier: Apache-2.0
 *
 * Chunks: sizes, overlap, heads, and that every unit is in one. */
#include "base/fault.h"
#include "unit/chunk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct seen {
    const struct takc_units *u;
    struct takc_chunk_options o;
    uint32_t n, end, last_first;
    size_t overlapping, over;
    char first[512];
    enum takc_status answer;
};

static uint64_t count(const struct seen *s, struct takc_str text)
{
    return takc_tokenizer_count(s->o.tokenizer, text);
}

static enum takc_status look(void *arg, const struct takc_chunk *c, struct takc_err *err)
{
    struct seen *s = arg;
    assert_int_equal(c->number, s->n++);
    assert_true(c->n_units > 0);
    assert_int_equal(c->first_unit + c->n_overlap, s->end); /* fresh units begin where the chunk before ended */
    assert_true(c->n_units > c->n_overlap);
    assert_true(c->number == 0 || c->first_unit > s->last_first);
    assert_int_equal(c->tokens, count(s, c->text));
    if (c->tokens > s->o.max_tokens) {
        assert_int_equal(c->n_units, 1);
        s->over++;
    }
    uint64_t mt = 0;
    for (uint32_t i = 0; i < c->n_overlap; i++)
        mt += s->u->units[c->first_unit + i].raw_mt;
    assert_true(mt <= s->o.overlap_tokens * 1000);
    s->overlapping += c->n_overlap > 0;
    s->last_first = c->first_unit;
    s->end = c->first_unit + c->n_units;
    if (c->number == 0)
        (void)snprintf(s->first, sizeof(s->first), "%.*s", TAKC_STR_ARG(c->text));
    return s->answer ? takc_fail(err, s->answer, 0, "stop") : TAKC_OK;
}

static void block(struct takc_doc *d, unsigned kind, unsigned flags, const char *text)
{
    struct takc_block b = {
        .start = (uint32_t)d->text.len, .kind = (uint8_t)kind, .flags = (uint16_t)flags, .table = kind == TAKC_BLOCK_ROW};
    assert_int_equal(takc_doc_verbatim(d, takc_str(text), d->text.len, NULL), TAKC_OK);
    b.end = (uint32_t)d->text.len;
    assert_int_equal(takc_doc_block(d, b, NULL), TAKC_OK);
    assert_int_equal(takc_doc_verbatim(d, takc_str("\n"), d->text.len, NULL), TAKC_OK);
}

static void make(struct takc_doc *d, struct takc_units *u)
{
    char line[4096];
    takc_doc_init(d);
    takc_units_init(u);
    block(d, TAKC_BLOCK_HEADING, 0, "Results of the Year");
    block(d, TAKC_BLOCK_ROW, TAKC_BLOCK_HEADER, "Item | 2019");
    block(d, TAKC_BLOCK_ROW, 0, "Sales | 5");
    block(d, TAKC_BLOCK_ROW, 0, "Costs | 3");
    for (int i = 0; i < 60; i++) {
        (void)snprintf(line, sizeof(line), "Sentence number %d of the long text says that plants were sold in %d.", i, 1900 + i);
        block(d, TAKC_BLOCK_PARA, 0, line);
    }
    line[0] = '\0';
    for (int i = 0; i < 300; i++)
        (void)snprintf(line + strlen(line), sizeof(line) - strlen(line), "cell %d | ", i);
    block(d, TAKC_BLOCK_ROW, 0, line);
    block(d, TAKC_BLOCK_PARA, 0, "The end.");
    assert_int_equal(takc_units_build(u, d, takc_str("Report"), takc_tokenizer_find(takc_str("estimate")), NULL, NULL), TAKC_OK);
}

static void sizes_and_overlaps_hold(void **state)
{
    (void)state;
    struct takc_doc d;
    struct takc_units u;
    make(&d, &u);
    const uint64_t sizes[][2] = {{256, 50}, {512, 64}, {1024, 128}, {40, 30}, {1, 0}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct seen s = {.u = &u, .o = takc_chunk_options_default()};
        s.o.max_tokens = sizes[i][0];
        s.o.overlap_tokens = sizes[i][1];
        assert_int_equal(takc_chunks(&u, takc_buf_str(&d.text), takc_str("Report"), &s.o, look, &s, NULL), TAKC_OK);
        assert_int_equal(s.end, u.n_units);
        if (i == 0) {
            assert_true(s.overlapping > 3);
            assert_int_equal(s.over, 1); /* the long row */
            const char *want =
                "[Document: Report]\nResults of the Year\n[Results of Year / Item; 2019]\nSales | 5\nCosts | 3\nSentence number 0";
            s.first[strlen(want)] = '\0';
            assert_string_equal(s.first, want);
        }
    }
    takc_units_clear(&u);
    takc_doc_clear(&d);
}

static void mistakes_and_failures(void **state)
{
    (void)state;
    struct takc_doc d;
    struct takc_units u;
    make(&d, &u);
    struct seen s = {.u = &u, .o = takc_chunk_options_default(), .answer = TAKC_FULL};
    assert_int_equal(takc_chunks(&u, takc_buf_str(&d.text), takc_str(""), &s.o, look, &s, NULL), TAKC_FULL);
    assert_int_equal(s.n, 1);
    struct takc_chunk_options bad = s.o;
    bad.overlap_tokens = bad.max_tokens;
    assert_int_equal(takc_chunks(&u, takc_buf_str(&d.text), takc_str(""), &bad, look, &s, NULL), TAKC_INVALID);
    enum takc_status st = TAKC_NOMEM;
    uint64_t n = 1;
    for (; st == TAKC_NOMEM; n++) {
        s = (struct seen){.u = &u, .o = takc_chunk_options_default()};
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        st = takc_chunks(&u, takc_buf_str(&d.text), takc_str("Report"), &s.o, look, &s, NULL);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
    }
    assert_int_equal(st, TAKC_OK);
    assert_true(n > 3);
    assert_int_equal(takc_chunks(&u, takc_str("other text"), takc_str(""), &s.o, look, &s, NULL), TAKC_CORRUPT);
    takc_units_reset(&u);
    s = (struct seen){.u = &u, .o = takc_chunk_options_default()};
    assert_int_equal(takc_chunks(&u, takc_str(""), takc_str(""), &s.o, look, &s, NULL), TAKC_OK);
    assert_int_equal(s.n, 0);
    takc_units_clear(&u);
    takc_doc_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes_and_overlaps_hold), cmocka_unit_test(mistakes_and_failures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
