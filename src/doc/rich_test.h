/* SPDX-License-Identifier: Apache-2.0
 *
 * doc/rich_test.h - what the tests of the HTML, PDF and DOCX readers share: reading bytes, and blocks as lines that can be compared. */
#ifndef TAKC_DOC_RICH_TEST_H
#define TAKC_DOC_RICH_TEST_H

#include "base/alloc.h"
#include "base/fault.h"
#include "doc/readers.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

struct rich {
    enum takc_status st;
    struct takc_err err;
    struct takc_doc d;
    struct takc_buf shown; /* "KIND level flags|text" a line; flags: h hidden, H header, d describes, c continues */
};

static inline void rich_show(struct rich *x)
{
    static const char *const names[] = {"?", "title", "head", "para", "item", "row", "code", "term", "turn"};
    for (size_t i = 0; i < x->d.n_blocks; i++) {
        const struct takc_block *b = &x->d.blocks[i];
        assert_int_equal(takc_buf_printf(&x->shown, NULL, "%s%u%s%s%s%s|%.*s\n", names[b->kind], b->level,
                                         b->flags & TAKC_BLOCK_HIDDEN ? "h" : "", b->flags & TAKC_BLOCK_HEADER ? "H" : "",
                                         b->flags & TAKC_BLOCK_DESCRIBES ? "d" : "", b->flags & TAKC_BLOCK_CONTINUES ? "c" : "",
                                         (int)(b->end - b->start), x->d.text.ptr + b->start),
                         TAKC_OK);
    }
}

/* Reads and checks; the caller clears. */
static inline struct rich rich_read(const struct takc_reader_ops *r, struct takc_str bytes)
{
    struct rich x = {0};
    struct takc_reader_input in = {.bytes = bytes, .name = {"test", 4}};
    struct takc_call call;
    takc_call_init(&call);
    takc_doc_init(&x.d);
    takc_buf_init(&x.shown, 1 << 24);
    x.st = takc_reader_read(r, &call, &in, &x.d, &x.err);
    if (!x.st) {
        assert_int_equal(takc_doc_check(&x.d, bytes.len, &x.err), TAKC_OK);
        rich_show(&x);
    }
    return x;
}

static inline void rich_clear(struct rich *x)
{
    takc_doc_clear(&x->d);
    takc_buf_clear(&x->shown);
}

static inline void rich_expect(const struct takc_reader_ops *r, struct takc_str bytes, const char *shown)
{
    struct rich x = rich_read(r, bytes);
    if (x.st)
        print_message("%s\n", x.err.msg);
    assert_int_equal(x.st, TAKC_OK);
    assert_string_equal(x.shown.ptr ? x.shown.ptr : "", shown);
    rich_clear(&x);
}

static inline void rich_fails(const struct takc_reader_ops *r, struct takc_str bytes, enum takc_status st, const char *says)
{
    struct rich x = rich_read(r, bytes);
    if (x.st != st || !strstr(x.err.msg, says))
        print_message("%s: %s\n", takc_status_name(x.st), x.err.msg);
    assert_int_equal(x.st, st);
    assert_non_null(strstr(x.err.msg, says));
    rich_clear(&x);
}

/* Every allocation of ours fails once: NOMEM, no leak (the sanitizer looks), and the n-th time it passes. */
static inline void rich_sweep(const struct takc_reader_ops *r, struct takc_str bytes, unsigned at_least)
{
    for (uint64_t n = 1; n < 10000; n++) {
        struct takc_doc d;
        struct takc_err err = {0};
        struct takc_reader_input in = {.bytes = bytes};
        takc_doc_init(&d);
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        enum takc_status st = r->read(NULL, &in, &d, &err);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        takc_doc_clear(&d);
        if (st == TAKC_OK) {
            assert_true(n > at_least);
            return;
        }
        assert_int_equal(st, TAKC_NOMEM);
    }
    fail_msg("never passed");
}

#endif
