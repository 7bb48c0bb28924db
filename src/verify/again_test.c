/* SPDX-License-Identifier: Apache-2.0
 *
 * Level T with a reader that the test plants in the registry's place: what it made before must come out again; a bug in one of the two
 * readings is found and named, a newer version is neither pass nor fail. */
#include "base/fault.h"
#include "doc/reader.h"
#include "verify/verify.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* What the planted reader does wrong. */
enum bug {
    NONE = 0,
    LOSES_A_CHARACTER,
    LOSES_A_BLOCK,
    MOVES_A_BLOCK,
    MOVES_THE_MAP,
    OTHER_TITLE,
    NO_TITLE,
    REFUSES,
    NOT_INSTALLED,
    OTHER_OPTION
};
static enum bug bug;
static const char *mode_asked;
static enum takc_block_kind kind = TAKC_BLOCK_PARA; /* of the block it makes */

static enum takc_status planted_read(struct takc_call *call, const struct takc_reader_input *in, struct takc_doc *d, struct takc_err *err)
{
    struct takc_str s = in->bytes;
    (void)call;
    mode_asked = in->pdf_mode;
    if (bug == REFUSES)
        return takc_fail(err, TAKC_REFUSED, 0, "too deep");
    if (bug == NOT_INSTALLED)
        return takc_fail(err, TAKC_UNSUPPORTED, 0, "no program");
    if (bug == LOSES_A_CHARACTER)
        s.len--;
    enum takc_status st = takc_doc_verbatim(d, s, 0, err);
    if (!st && bug != LOSES_A_BLOCK)
        st = takc_doc_block(d, (struct takc_block){.start = bug == MOVES_A_BLOCK, .end = (uint32_t)s.len, .kind = kind}, err);
    if (!st && bug == MOVES_THE_MAP) {
        d->runs[0].src_start--;
        d->runs[0].kind = TAKC_MAP_DECODED;
    }
    if (!st && bug != NO_TITLE)
        st = takc_doc_set_title(d, takc_str(bug == OTHER_TITLE ? "B" : "A"), TAKC_TITLE_METADATA, err);
    (void)snprintf(d->reader, sizeof(d->reader), "planted");
    (void)snprintf(d->reader_version, sizeof(d->reader_version), bug == OTHER_OPTION ? "3+raw" : "3+layout");
    return st;
}

static const struct takc_reader_ops planted = {.name = "planted", .version = "3", .read = planted_read};

/* In the place of the registry: the library's own is then not linked in. */
const struct takc_reader_ops *takc_reader_find(struct takc_str name)
{
    return takc_str_is(name, "planted") ? &planted : NULL;
}

enum takc_status takc_reader_read(const struct takc_reader_ops *r, struct takc_call *call, const struct takc_reader_input *in,
                                  struct takc_doc *out, struct takc_err *err)
{
    return r->read(call, in, out, err);
}

struct told {
    int n;
    char finding[512];
};

static void hear(void *arg, enum takc_level level, const char *subject, const char *finding)
{
    struct told *t = arg;
    assert_int_equal(level, TAKC_LEVEL_T);
    assert_string_equal(subject, "q3.txt");
    t->n++;
    (void)snprintf(t->finding, sizeof(t->finding), "%s", finding);
}

static const char source[] = "It is not over.";

static void store(struct takc_doc *d)
{
    bug = NONE;
    takc_doc_init(d);
    assert_int_equal(planted_read(NULL, &(struct takc_reader_input){.bytes = takc_str(source)}, d, NULL), TAKC_OK);
}

static struct told read_again(struct takc_doc *d, enum bug b, struct takc_proof *proof)
{
    struct told told = {0};
    struct takc_err err = {0};
    *proof = (struct takc_proof){0};
    bug = b;
    assert_int_equal(takc_verify_text(NULL, takc_str(source), d, takc_str("q3.txt"), proof, hear, &told, &err), TAKC_OK);
    assert_true(proof->failed[TAKC_LEVEL_T] == (uint64_t)told.n);
    return told;
}

static void same_reading_passes(void **state)
{
    (void)state;
    struct takc_doc d;
    struct takc_proof proof;
    store(&d);
    assert_int_equal(read_again(&d, NONE, &proof).n, 0);
    assert_true(proof.checked[TAKC_LEVEL_T] == 2 && proof.underivable[TAKC_LEVEL_T] == 0);
    assert_string_equal(mode_asked, "layout");
    takc_doc_clear(&d);
}

static void planted_bugs_are_named(void **state)
{
    (void)state;
    static const struct {
        enum bug bug;
        const char *finding;
    } rows[] = {{LOSES_A_CHARACTER, "the text differs at byte 14: stored '.', read again ''"},
                {LOSES_A_BLOCK, "1 blocks are stored, 0 read again"},
                {MOVES_A_BLOCK, "block 1 (text 0..15) differs"},
                {MOVES_THE_MAP, "map run 1 (text 0..15) differs"},
                {OTHER_TITLE, "the title differs"},
                {REFUSES, "cannot be read again: too deep"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        struct takc_doc d;
        struct takc_proof proof;
        store(&d);
        struct told told = read_again(&d, rows[i].bug, &proof);
        assert_int_equal(told.n, 1);
        assert_string_equal(told.finding, rows[i].finding);
        takc_doc_clear(&d);
    }
}

static void other_versions_are_underivable(void **state)
{
    (void)state;
    struct takc_doc d;
    struct takc_proof proof;
    static const enum bug quiet[] = {NOT_INSTALLED, OTHER_OPTION};
    for (int i = 0; i < 2; i++) {
        store(&d);
        assert_int_equal(read_again(&d, quiet[i], &proof).n, 0);
        assert_true(proof.checked[TAKC_LEVEL_T] == 1 && proof.underivable[TAKC_LEVEL_T] == 1);
        takc_doc_clear(&d);
    }
    store(&d);
    (void)snprintf(d.reader_version, sizeof(d.reader_version), "33+layout");
    assert_int_equal(read_again(&d, LOSES_A_CHARACTER, &proof).n, 0);
    assert_true(proof.underivable[TAKC_LEVEL_T] == 1);
    (void)snprintf(d.reader, sizeof(d.reader), "tape");
    assert_int_equal(read_again(&d, NONE, &proof).n, 0);
    assert_true(proof.underivable[TAKC_LEVEL_T] == 1);
    takc_doc_clear(&d);
}

static void a_title_that_the_name_stood_in_for_is_no_difference(void **state)
{
    (void)state;
    struct takc_doc d;
    struct takc_proof proof;
    store(&d);
    d.title_from = TAKC_TITLE_NAME;
    assert_int_equal(read_again(&d, NONE, &proof).n, 1); /* the reader has one */
    takc_doc_clear(&d);
}

/* Ingest takes the first heading where the reader gives no title: that one, there, and no other. */
static void a_heading_that_stood_in_is_proved(void **state)
{
    (void)state;
    struct takc_doc d;
    struct takc_proof proof;
    for (int i = 0; i < 4; i++) {
        kind = TAKC_BLOCK_HEADING;
        store(&d);
        assert_int_equal(takc_doc_set_title(&d, takc_str(i == 1 ? "It is over." : source), TAKC_TITLE_TEXT, NULL), TAKC_OK);
        d.title_start = i == 2;
        d.title_end = sizeof(source) - 1;
        d.title_from = i == 3 ? TAKC_TITLE_NAME : TAKC_TITLE_TEXT;
        assert_int_equal(read_again(&d, NO_TITLE, &proof).n, i > 0);
        takc_doc_clear(&d);
        kind = TAKC_BLOCK_PARA;
    }
}

static void no_memory_is_a_status(void **state)
{
    (void)state;
    struct takc_doc d;
    store(&d);
    enum takc_status st = TAKC_NOMEM;
    for (uint64_t n = 1; st == TAKC_NOMEM; n++) {
        struct takc_proof proof = {0};
        struct takc_err err = {0};
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        st = takc_verify_text(NULL, takc_str(source), &d, takc_str("q3.txt"), &proof, NULL, NULL, &err);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        assert_true(st == TAKC_OK || (st == TAKC_NOMEM && err.status == TAKC_NOMEM && proof.checked[TAKC_LEVEL_T] == 0));
    }
    assert_int_equal(st, TAKC_OK);
    takc_doc_clear(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_reading_passes),
        cmocka_unit_test(planted_bugs_are_named),
        cmocka_unit_test(other_versions_are_underivable),
        cmocka_unit_test(a_title_that_the_name_stood_in_for_is_no_difference),
        cmocka_unit_test(a_heading_that_stood_in_is_proved),
        cmocka_unit_test(no_memory_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
