/* SPDX-License-Identifier: Apache-2.0
 *
 * Server-sent events: the standard's own examples, and every way to cut a stream gives the same events. */
#include "base/fault.h"
#include "net/sse.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct takc_buf seen; /* "event=data;" of each */

static enum takc_status note(void *arg, struct takc_str event, struct takc_str data, struct takc_err *err)
{
    (void)arg;
    if (takc_str_is(data, "stop"))
        return takc_fail(err, TAKC_CANCELLED, 0, "stopped");
    return takc_buf_printf(&seen, err, "%.*s=%.*s;", TAKC_STR_ARG(event), TAKC_STR_ARG(data));
}

/* Feeds text in pieces of n bytes; the events go to seen. */
static enum takc_status run(struct takc_str text, size_t n, enum takc_status *out_end)
{
    struct takc_sse s;
    enum takc_status st = TAKC_OK;
    takc_buf_clear(&seen);
    takc_buf_init(&seen, 1 << 16);
    takc_sse_init(&s, 100, note, NULL);
    for (size_t at = 0; !st && at < text.len; at += n)
        st = takc_sse_feed(&s, takc_str_slice(text, at, at + n < text.len ? at + n : text.len), NULL);
    *out_end = takc_sse_end(&s, NULL);
    takc_sse_clear(&s);
    takc_sse_clear(&s);
    return st;
}

static void gives(const char *text, const char *events, enum takc_status end)
{
    for (size_t n = 1; n <= strlen(text) + 1; n++) {
        enum takc_status at_end;
        assert_int_equal(run(takc_str(text), n, &at_end), TAKC_OK);
        assert_string_equal(takc_buf_str(&seen).ptr, events);
        assert_int_equal(at_end, end);
    }
}

static void streams_come_apart(void **state)
{
    (void)state;
    gives("data: a\n\n", "message=a;", TAKC_OK);
    gives("data: YHOO\ndata: +2\ndata: 10\n\n", "message=YHOO\n+2\n10;", TAKC_OK);
    gives(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
          "message=first event;message=second event;message= third event;", TAKC_OK);
    gives("data\n\ndata\ndata\n\ndata:", "message=;message=\n;", TAKC_UPSTREAM);
    gives("data:test\n\ndata: test\n\n", "message=test;message=test;", TAKC_OK);
    gives("event: add\ndata: 1\n\ndata: 2\n\n", "add=1;message=2;", TAKC_OK);
    gives("event: lost\n\ndata: 1\n\n", "message=1;", TAKC_OK);    /* no data, no event; its name is forgotten */
    gives("event: a\nevent:\ndata: 1\n\n", "message=1;", TAKC_OK); /* the last one counts */
    gives("data: a\r\ndata: b\r\rdata: c\r\n\r\ndata: d\n\r", "message=a\nb;message=c;message=d;", TAKC_OK);
    gives("\xEF\xBB\xBF"
          "data: a\n\n\xEF\xBB\xBF"
          "data: b\n\n",
          "message=a;", TAKC_OK); /* only the first mark is passed over */
    gives("\xEF\xBB\xBF\n\ndata: a\n\n", "message=a;", TAKC_OK);
    gives("retry: 10\nDATA: x\n data: y\ndatax: z\n\n", "", TAKC_OK);
    gives("data: a:b: c\n\n", "message=a:b: c;", TAKC_OK);
    gives("", "", TAKC_OK);
    gives("\n\n\r\n", "", TAKC_OK);
}

static void a_cut_event_is_dropped_and_told(void **state)
{
    (void)state;
    gives("data: a\n\ndata: b\n", "message=a;", TAKC_UPSTREAM);
    gives("data: a\n\ndata: b", "message=a;", TAKC_UPSTREAM);
    gives("data: a\n\nevent: b\n", "message=a;", TAKC_UPSTREAM);
    gives("data: a\n\n: bye", "message=a;", TAKC_OK);
}

static void an_event_goes_out_with_its_last_cr(void **state)
{
    (void)state;
    struct takc_sse s;
    takc_buf_clear(&seen);
    takc_buf_init(&seen, 100);
    takc_sse_init(&s, 100, note, NULL);
    assert_int_equal(takc_sse_feed(&s, takc_str("data: a\r\n\r"), NULL), TAKC_OK);
    assert_string_equal(seen.ptr, "message=a;");
    assert_int_equal(takc_sse_feed(&s, takc_str("\ndata: b\n\n"), NULL), TAKC_OK);
    assert_string_equal(seen.ptr, "message=a;message=b;");
    takc_sse_clear(&s);
}

static void limits_and_refusals_end_it(void **state)
{
    (void)state;
    char text[300];
    enum takc_status end;
    struct takc_sse s;
    struct takc_err err = {0};
    memset(text, 'x', sizeof(text));
    memcpy(text, "data: ", 6);
    memcpy(text + 106, "\n\n", 2);
    assert_int_equal(run(takc_str_n(text, 108), 7, &end), TAKC_OK); /* 100 bytes, the limit */
    assert_int_equal(seen.len, strlen("message=;") + 100);
    text[106] = 'x';
    assert_int_equal(run(takc_str_n(text, 108), 7, &end), TAKC_UPSTREAM);
    assert_int_equal(run(takc_str_n(text, 300), 7, &end), TAKC_UPSTREAM); /* a line without end */
    takc_sse_init(&s, 8, note, NULL);
    assert_int_equal(takc_sse_feed(&s, takc_str("data: 1234\ndata: 5678\n"), &err), TAKC_UPSTREAM);
    assert_string_equal(err.msg, "an event of more than 8 bytes");
    takc_sse_clear(&s);
    takc_sse_init(&s, 8, note, NULL);
    assert_int_equal(takc_sse_feed(&s, takc_str("data: stop\n\ndata: a\n\n"), &err), TAKC_CANCELLED);
    assert_string_equal(err.msg, "stopped");
    takc_sse_clear(&s);
    takc_sse_init(&s, 8, note, NULL);
    takc_fault_arm(TAKC_FAULT_ALLOC, 1, ENOMEM);
    assert_int_equal(takc_sse_feed(&s, takc_str("data: a\n"), &err), TAKC_NOMEM);
    takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
    takc_sse_clear(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(streams_come_apart), cmocka_unit_test(a_cut_event_is_dropped_and_told),
                                       cmocka_unit_test(an_event_goes_out_with_its_last_cr), cmocka_unit_test(limits_and_refusals_end_it)};
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    takc_buf_clear(&seen);
    return failed;
}
