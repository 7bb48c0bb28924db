/* SPDX-License-Identifier: Apache-2.0
 *
 * Pieces give back what went in, whether it stayed in memory or went to a file, and a failing disk is told. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fault.h"
#include "base/spill.h"

static char folder[] = "/tmp/takc-spill-XXXXXX";

/* Three pieces, the second of them long, the third empty. */
static enum takc_status fill(struct takc_pieces *p, struct takc_buf *want, struct takc_err *err)
{
    enum takc_status st = takc_buf_add(&p->piece[0].buf, takc_str("head "), err);
    for (unsigned i = 0; !st && i < 40000; i++) {
        st = takc_buf_printf(&p->piece[1].buf, err, "line %u\n", i);
        if (!st)
            st = takc_pieces_settle(p, 1, err);
    }
    if (want) {
        assert_int_equal(takc_buf_printf(want, NULL, "head "), TAKC_OK);
        for (unsigned i = 0; i < 40000; i++)
            assert_int_equal(takc_buf_printf(want, NULL, "line %u\n", i), TAKC_OK);
    }
    return st;
}

static enum takc_status read_all(const struct takc_pieces *p, struct takc_buf *out, struct takc_err *err)
{
    struct takc_pieces_source r = takc_pieces_read(p);
    char piece[10007];
    enum takc_status st = TAKC_OK;
    for (size_t got = 1; !st && got;) {
        st = r.source.read(&r.source, piece, sizeof(piece), &got, err);
        if (!st)
            st = takc_buf_add(out, takc_str_n(piece, got), err);
    }
    return st;
}

static void what_went_in_comes_out(void **state)
{
    (void)state;
    const char *const folders[] = {NULL, folder};
    for (int i = 0; i < 2; i++) {
        struct takc_pieces p;
        struct takc_buf want, got, joined;
        takc_buf_init(&want, 1 << 20);
        takc_buf_init(&got, 1 << 20);
        takc_buf_init(&joined, 1 << 20);
        takc_pieces_init(&p, 3, folders[i]);
        assert_int_equal(fill(&p, &want, NULL), TAKC_OK);
        assert_int_equal(takc_spill_len(&p.piece[0]) + takc_spill_len(&p.piece[1]), want.len);
        assert_true(folders[i] ? p.piece[1].in_file > 0 && p.piece[1].buf.len < TAKC_SPILL_BYTES : p.piece[1].fd < 0);
        assert_int_equal(read_all(&p, &got, NULL), TAKC_OK);
        assert_true(takc_str_eq(takc_buf_str(&got), takc_buf_str(&want)));
        assert_int_equal(takc_pieces_join(&p, &joined, NULL), TAKC_OK);
        assert_true(takc_str_eq(takc_buf_str(&joined), takc_buf_str(&want)));
        takc_pieces_clear(&p);
        takc_buf_clear(&want);
        takc_buf_clear(&got);
        takc_buf_clear(&joined);
    }
    assert_int_equal(rmdir(folder), 0); /* no name is left in it */
    assert_non_null(mkdtemp(memcpy(folder, "/tmp/takc-spill-XXXXXX", sizeof(folder))));
}

static void failures_are_told(void **state)
{
    (void)state;
    static const struct {
        enum takc_fault_kind kind;
        int errnum;
        enum takc_status want;
    } cases[] = {{TAKC_FAULT_WRITE, ENOSPC, TAKC_FULL}, {TAKC_FAULT_WRITE, EIO, TAKC_IO}, {TAKC_FAULT_READ, EIO, TAKC_IO}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct takc_pieces p;
        struct takc_buf got;
        struct takc_err err = {0};
        takc_buf_init(&got, 1 << 20);
        takc_pieces_init(&p, 3, folder);
        takc_fault_arm(cases[i].kind, 2, cases[i].errnum);
        enum takc_status st = fill(&p, NULL, &err);
        if (!st)
            st = read_all(&p, &got, &err);
        takc_fault_arm(cases[i].kind, 0, 0);
        assert_int_equal(st, cases[i].want);
        takc_pieces_clear(&p);
        takc_buf_clear(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_went_in_comes_out), cmocka_unit_test(failures_are_told)};
    if (!mkdtemp(folder))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return failed + (rmdir(folder) != 0);
}
