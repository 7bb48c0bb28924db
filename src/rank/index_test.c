/* SPDX-License-Identifier: Apache-2.0
 *
 * The index: what goes in comes out, damage is seen, memory that cannot be had is reported. */
#include "base/fault.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "rank/fixture.h"

static void what_goes_in_comes_out(void **state)
{
    (void)state;
    struct fixture f;
    struct takc_buf bytes;
    fixture_init(&f, fixture_harbour, FIXTURE_HARBOUR);
    struct takc_index *x = fixture_index(&f, &bytes);
    assert_int_equal(takc_index_n_docs(x), FIXTURE_HARBOUR);
    assert_int_equal(takc_index_n_units(x), f.selection.n_units);
    struct takc_index_doc d;
    assert_int_equal(takc_index_doc_at(x, 0, &d, NULL), TAKC_OK);
    assert_true(takc_str_is(d.name, "a.txt") && takc_str_is(d.title, "Harbour report 2021"));
    assert_string_equal(d.source_sha.s, f.docs[0].source_sha.s);
    assert_string_equal(d.text_sha.s, f.docs[0].text_sha.s);
    assert_true(d.has_date && d.date == 18900 && d.first_unit == 0 && d.n_units == 7);
    assert_int_equal(takc_index_doc_at(x, 2, &d, NULL), TAKC_OK);
    assert_true(d.n_units == 0 && d.first_unit == 10);
    assert_int_equal(takc_index_doc_at(x, 3, &d, NULL), TAKC_CORRUPT);
    struct takc_index_unit u;
    assert_int_equal(takc_index_unit_at(x, 4, &u, NULL), TAKC_OK);
    assert_true(u.doc == 0 && u.kind == TAKC_UNIT_ROW && u.anchor == 1 && u.anchor_kind == TAKC_ANCHOR_TABLE && u.block == 5);
    assert_true(takc_str_is(takc_str_slice(f.texts[0], u.spans[0].start, u.spans[0].end), "2021 | 4,120 | 14.0"));
    assert_true(takc_str_is(takc_str_slice(f.texts[0], u.heading.start, u.heading.end), "Traffic"));
    assert_true(takc_str_is(takc_str_slice(f.texts[0], u.anchor_header.start, u.anchor_header.end), "year | ships | tons"));
    assert_true(u.heading_block == 1 && u.n_tokens == 3 && u.raw_mt == 3000 && u.salience == 28);
    assert_int_equal(takc_index_unit_at(x, 8, &u, NULL), TAKC_OK);
    assert_true(u.doc == 1 && u.twin == 3 && u.heading.end == 0);
    assert_int_equal(takc_index_n_order(x), 7);
    uint32_t first;
    assert_int_equal(takc_index_order_at(x, 0, &first, NULL), TAKC_OK);
    assert_int_equal(first, 1);
    takc_index_close(x);
    takc_buf_clear(&bytes);
    fixture_clear(&f);
}

static void terms_are_found_with_their_counts(void **state)
{
    (void)state;
    struct fixture f;
    struct takc_buf bytes;
    struct takc_term_entry e;
    fixture_init(&f, fixture_harbour, FIXTURE_HARBOUR);
    struct takc_index *x = fixture_index(&f, &bytes);
    assert_int_equal(takc_dict_find(x, takc_str("harbour"), &e, NULL), TAKC_OK);
    assert_true(e.df == 7 && e.n_docs == 1 && e.n_sections == 0 && e.n_units == 2);
    assert_int_equal(takc_dict_find(x, takc_str("traffic"), &e, NULL), TAKC_OK);
    assert_true(e.df == 5 && e.n_docs == 0 && e.n_sections == 1 && e.n_units == 1);
    assert_int_equal(takc_dict_find(x, takc_str("grain"), &e, NULL), TAKC_OK);
    assert_true(e.df == 2 && e.n_units == 2 && e.n_docs == 0);
    assert_int_equal(takc_dict_find(x, takc_str("empty"), &e, NULL), TAKC_OK);
    assert_int_equal(e.df, 0);
    assert_int_equal(takc_dict_find(x, takc_str("zebra"), &e, NULL), TAKC_OK);
    assert_int_equal(e.df, 0);
    assert_int_equal(takc_dict_find(x, takc_str(""), &e, NULL), TAKC_OK);
    assert_int_equal(e.df, 0);
    takc_index_close(x);
    takc_buf_clear(&bytes);
    fixture_clear(&f);
}

/* Every term of a larger dictionary is found, and only those. */
static void dictionaries_have_many_blocks(void **state)
{
    (void)state;
    static char text[40000];
    size_t len = 0;
    for (int i = 0; i < 3000; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "q%c%c%cx%s", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676,
                                i % 7 ? " " : "\n");
    struct fixture_doc doc = {"big", "Big", text, 0};
    struct fixture f;
    struct takc_buf bytes;
    fixture_init(&f, &doc, 1);
    struct takc_index *x = fixture_index(&f, &bytes);
    assert_int_equal(x->n_terms, 3001);
    for (int i = 0; i < 3000; i++) {
        char word[8], other[8];
        struct takc_term_entry e;
        (void)snprintf(word, sizeof(word), "q%c%c%cx", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676);
        (void)snprintf(other, sizeof(other), "q%c%c%cy", 'a' + i % 26, 'a' + i / 26 % 26, 'a' + i / 676);
        assert_int_equal(takc_dict_find(x, takc_str(word), &e, NULL), TAKC_OK);
        assert_int_equal(e.df, 1);
        assert_int_equal(takc_dict_find(x, takc_str(other), &e, NULL), TAKC_OK);
        assert_int_equal(e.df, 0);
    }
    takc_index_close(x);
    takc_buf_clear(&bytes);
    fixture_clear(&f);
}

static void windows_are_runs_with_half_stride(void **state)
{
    (void)state;
    static const uint16_t n_tokens[] = {30, 30, 30, 100, 10, 10, 10, 10, 10, 10, 10};
    struct takc_window_cutter c = {.n_tokens = n_tokens, .n_units = 11, .width = 64};
    static const struct takc_window want[] = {{0, 2}, {2, 1}, {3, 1}, {4, 6}, {8, 3}};
    struct takc_window w;
    /* {0,2}; start moves to 2 (60 >= 32 after two units); 2 alone, as 30 + 100 > 64; 3 alone; then six of ten words; 4 + 4 -> 8 */
    for (size_t i = 0; i < 5; i++) {
        assert_true(takc_window_next(&c, &w));
        assert_int_equal(w.first, want[i].first);
        assert_int_equal(w.n, want[i].n);
    }
    assert_false(takc_window_next(&c, &w));
    struct takc_window_cutter none = {.n_tokens = n_tokens, .n_units = 0, .width = 64};
    assert_false(takc_window_next(&none, &w));
}

static void damage_is_seen(void **state)
{
    (void)state;
    struct fixture f;
    struct takc_buf bytes;
    struct takc_err err;
    fixture_init(&f, fixture_harbour, FIXTURE_HARBOUR);
    struct takc_index *x = fixture_index(&f, &bytes), *y = NULL;
    takc_index_close(x);
    struct takc_str whole = takc_buf_str(&bytes);
    for (size_t cut = 0; cut < whole.len; cut += cut < 300 ? 1 : 97)
        assert_int_equal(takc_index_open(&y, takc_str_n(whole.ptr, cut), &err), TAKC_CORRUPT);
    for (size_t i = 0; i < TAKC_HEAD_BYTES; i++) {
        bytes.ptr[i] ^= 4;
        assert_int_equal(takc_index_open(&y, whole, &err), TAKC_CORRUPT);
        bytes.ptr[i] ^= 4;
    }
    bytes.ptr[TAKC_HEAD_PRINT + 6] = '9';
    uint64_t sum = takc_hash64(takc_str_n(bytes.ptr, TAKC_HEAD_SUM), 0);
    for (int i = 0; i < 8; i++)
        bytes.ptr[TAKC_HEAD_SUM + i] = (char)(sum >> (8 * i));
    assert_int_equal(takc_index_open(&y, whole, &err), TAKC_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "index 9"));
    takc_buf_clear(&bytes);
    fixture_clear(&f);
}

static void same_inputs_same_bytes(void **state)
{
    (void)state;
    struct fixture f;
    struct takc_buf one, two;
    fixture_init(&f, fixture_harbour, FIXTURE_HARBOUR);
    takc_index_close(fixture_index(&f, &one));
    takc_index_close(fixture_index(&f, &two));
    assert_true(takc_str_eq(takc_buf_str(&one), takc_buf_str(&two)));
    f.selection.n_docs = 2;
    assert_int_equal(takc_index_build(&f.corpus, &f.selection, NULL, &two, NULL), TAKC_INVALID);
    assert_true(takc_str_eq(takc_buf_str(&one), takc_buf_str(&two)));
    f.selection.n_docs = FIXTURE_HARBOUR;
    takc_buf_clear(&one);
    takc_buf_clear(&two);
    fixture_clear(&f);
}

static void memory_that_cannot_be_had_is_reported(void **state)
{
    (void)state;
    struct fixture f;
    struct takc_buf bytes;
    fixture_init(&f, fixture_harbour, FIXTURE_HARBOUR);
    enum takc_status st = TAKC_NOMEM;
    uint64_t n = 0;
    while (st == TAKC_NOMEM) {
        struct takc_index *x = NULL;
        takc_buf_init(&bytes, SIZE_MAX / 4);
        takc_fault_arm(TAKC_FAULT_ALLOC, ++n, ENOMEM);
        st = takc_index_build(&f.corpus, &f.selection, NULL, &bytes, NULL);
        if (!st)
            st = takc_index_open(&x, takc_buf_str(&bytes), NULL);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        takc_index_close(x);
        takc_buf_clear(&bytes);
    }
    assert_int_equal(st, TAKC_OK);
    assert_true(n > 30);
    fixture_clear(&f);
}

/* Words with ligatures are normalised in memory of their own: an index that lacks some of them is no index. */
static void no_word_is_lost_for_want_of_memory(void **state)
{
    (void)state;
    static const struct fixture_doc wide[] = {{"a.txt", "Offices", "= oﬃces | ﬁgures\n4,120 | 7", 0}};
    struct fixture f;
    struct takc_buf sound, bytes;
    fixture_init(&f, wide, 1);
    struct takc_index *x = fixture_index(&f, &sound);
    enum takc_status st = TAKC_NOMEM;
    for (uint64_t n = 1, failed = 1; failed; n++) {
        takc_buf_init(&bytes, SIZE_MAX / 4);
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        st = takc_index_build(&f.corpus, &f.selection, NULL, &bytes, NULL);
        failed = takc_fault_count(TAKC_FAULT_ALLOC) >= n;
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        if (st)
            assert_int_equal(st, TAKC_NOMEM);
        else
            assert_true(takc_str_eq(takc_buf_str(&bytes), takc_buf_str(&sound)));
        takc_buf_clear(&bytes);
    }
    takc_index_close(x);
    takc_buf_clear(&sound);
    fixture_clear(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_goes_in_comes_out),
        cmocka_unit_test(terms_are_found_with_their_counts),
        cmocka_unit_test(dictionaries_have_many_blocks),
        cmocka_unit_test(windows_are_runs_with_half_stride),
        cmocka_unit_test(damage_is_seen),
        cmocka_unit_test(same_inputs_same_bytes),
        cmocka_unit_test(memory_that_cannot_be_had_is_reported),
        cmocka_unit_test(no_word_is_lost_for_want_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
