/* SPDX-License-Identifier: Apache-2.0
 *
 * Event-stream frames: against frames of the Smithy codec (tests/data/event_stream, see make.mjs there), in pieces of any size, with every
 * bit flipped. */
#include "aws/event_stream.h"
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct seen {
    struct takc_buf text; /* one line per event */
    size_t n;
};

static void add_hex(struct takc_buf *out, struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        assert_int_equal(takc_buf_printf(out, NULL, "%02x", (unsigned char)s.ptr[i]), TAKC_OK);
}

static enum takc_status show(void *arg, const struct takc_event *e, struct takc_err *err)
{
    struct seen *s = arg;
    (void)err;
    for (size_t i = 0; i < e->n_headers; i++) {
        assert_int_equal(takc_buf_printf(&s->text, NULL, "%.*s %u ", TAKC_STR_ARG(e->headers[i].name), e->headers[i].type), TAKC_OK);
        add_hex(&s->text, e->headers[i].value);
        assert_int_equal(takc_buf_byte(&s->text, '\n', NULL), TAKC_OK);
    }
    assert_int_equal(takc_buf_add(&s->text, takc_str("= "), NULL), TAKC_OK);
    add_hex(&s->text, e->payload);
    assert_int_equal(takc_buf_byte(&s->text, '\n', NULL), TAKC_OK);
    s->n++;
    return TAKC_OK;
}

static enum takc_status feed_to(takc_event_fn *each, void *arg, struct takc_str bytes, size_t step, struct takc_err *err)
{
    struct takc_event_stream s;
    enum takc_status st = TAKC_OK;
    takc_event_stream_init(&s, each, arg);
    for (size_t i = 0; i < bytes.len && !st; i += step)
        st = takc_event_stream_feed(&s, takc_str_slice(bytes, i, i + step < bytes.len ? i + step : bytes.len), err);
    st = st ? st : takc_event_stream_end(&s, err);
    takc_event_stream_clear(&s);
    return st;
}

static enum takc_status feed(struct takc_str bytes, size_t step, struct seen *out, struct takc_err *err)
{
    *out = (struct seen){0};
    takc_buf_init(&out->text, 64 << 20);
    return feed_to(show, out, bytes, step, err);
}

static struct takc_buf data(const char *name)
{
    char path[512];
    struct takc_buf b;
    (void)snprintf(path, sizeof(path), "%s/event_stream/%s", TAKC_TEST_DATA, name);
    takc_buf_init(&b, 1 << 20);
    assert_int_equal(takc_file_read(path, &b, NULL), TAKC_OK);
    return b;
}

/* Frames of another hand are read as they were meant, whatever the pieces. */
static void frames_are_read(void **state)
{
    (void)state;
    struct takc_buf frames = data("frames.bin"), want = data("frames.txt");
    static const size_t steps[] = {1, 2, 7, 12, 100, 1 << 20};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct seen s;
        struct takc_err err = {0};
        if (feed(takc_buf_str(&frames), steps[i], &s, &err))
            fail_msg("step %zu: %s", steps[i], err.msg);
        assert_string_equal(s.text.ptr, want.ptr);
        takc_buf_clear(&s.text);
    }
    takc_buf_clear(&frames);
    takc_buf_clear(&want);
}

static void every_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct takc_buf frames = data("frames.bin");
    struct seen whole, s;
    assert_int_equal(feed(takc_buf_str(&frames), frames.len, &whole, NULL), TAKC_OK);
    for (size_t bit = 0; bit < frames.len * 8; bit++) {
        struct takc_err err = {0};
        frames.ptr[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(feed(takc_buf_str(&frames), frames.len, &s, &err), TAKC_CORRUPT);
        assert_true(s.n < whole.n);
        /* what came before the damage was told, and nothing else */
        assert_true(s.text.len == 0 || takc_str_starts(takc_buf_str(&whole.text), takc_buf_str(&s.text)));
        takc_buf_clear(&s.text);
        frames.ptr[bit / 8] ^= (char)(1 << bit % 8);
    }
    takc_buf_clear(&whole.text);
    takc_buf_clear(&frames);
}

static struct takc_event event(struct takc_str name, unsigned type, struct takc_str value, struct takc_str payload)
{
    struct takc_event e = {.n_headers = 1, .payload = payload};
    e.headers[0] = (struct takc_event_header){name, (uint8_t)type, value};
    return e;
}

static void a_cut_stream_is_told(void **state)
{
    (void)state;
    struct takc_buf b;
    struct takc_event e = event(takc_str(":event-type"), 7, takc_str("x"), takc_str("{}"));
    takc_buf_init(&b, 1 << 16);
    assert_int_equal(takc_event_write(&e, &b, NULL), TAKC_OK);
    for (size_t n = 1; n < b.len; n++) {
        struct seen s;
        struct takc_err err = {0};
        assert_int_equal(feed(takc_str_n(b.ptr, n), 5, &s, &err), TAKC_CORRUPT);
        assert_int_equal(s.n, 0);
        assert_non_null(strstr(err.msg, "ended inside a frame"));
        takc_buf_clear(&s.text);
    }
    takc_buf_clear(&b);
}

static void headers_of_every_type_come_back(void **state)
{
    (void)state;
    static const uint8_t sizes[] = {0, 0, 1, 2, 4, 8, 5, 5, 8, 16};
    struct takc_buf b;
    struct takc_event e = {.n_headers = 10, .payload = takc_str("p")};
    takc_buf_init(&b, 1 << 16);
    for (unsigned i = 0; i < 10; i++)
        e.headers[i] = (struct takc_event_header){takc_str_n("abcdefghij" + i, 1), (uint8_t)i, takc_str_n("0123456789abcdef", sizes[i])};
    assert_int_equal(takc_event_write(&e, &b, NULL), TAKC_OK);
    struct seen s, want = {0};
    assert_int_equal(feed(takc_buf_str(&b), 3, &s, NULL), TAKC_OK);
    takc_buf_init(&want.text, 1 << 16);
    assert_int_equal(show(&want, &e, NULL), TAKC_OK);
    assert_string_equal(s.text.ptr, want.text.ptr);
    assert_int_equal(takc_event_header(&e, "h").len, 5);
    assert_int_equal(takc_event_header(&e, "g").len, 0); /* no string */
    takc_buf_clear(&s.text);
    takc_buf_clear(&want.text);
    takc_buf_clear(&b);
}

static void what_cannot_be_written_is_refused(void **state)
{
    (void)state;
    struct takc_buf b;
    takc_buf_init(&b, 1 << 20);
    struct takc_event wrong[] = {event(takc_str(""), 7, takc_str("x"), takc_str("")), event(takc_str("a"), 10, takc_str(""), takc_str("")),
                                 event(takc_str("a"), 4, takc_str("123"), takc_str("")),
                                 event(takc_str("a"), 7, takc_str_n("", 40000), takc_str(""))};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(takc_event_write(&wrong[i], &b, NULL), TAKC_INVALID);
    takc_buf_clear(&b);
}

/* Lengths that lie, with a checksum that is right. */
static void lying_lengths_are_refused(void **state)
{
    (void)state;
    static const unsigned char preludes[][12] = {
        {0, 0, 0, 15, 0, 0, 0, 0, 0xe7, 0x72, 0x48, 0xb8},            /* shorter than a frame can be */
        {0, 0, 0, 16, 0, 0, 0, 1, 0x72, 0xc5, 0x78, 0x7d},            /* headers longer than the frame */
        {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, /* four gigabytes */
    };
    for (size_t i = 0; i < 3; i++) {
        struct seen s;
        struct takc_err err = {0};
        assert_int_equal(feed(takc_str_n((const char *)preludes[i], 12), 12, &s, &err), TAKC_CORRUPT);
        assert_int_equal(s.n, 0);
        assert_non_null(strstr(err.msg, i == 2 ? "24 MiB" : "lengths that cannot be"));
        takc_buf_clear(&s.text);
    }
}

static enum takc_status stop(void *arg, const struct takc_event *e, struct takc_err *err)
{
    (void)e;
    ++*(int *)arg;
    return takc_fail(err, TAKC_CANCELLED, 0, "enough");
}

static void the_receiver_may_stop(void **state)
{
    (void)state;
    struct takc_buf frames = data("frames.bin");
    int n = 0;
    assert_int_equal(feed_to(stop, &n, takc_buf_str(&frames), 7, NULL), TAKC_CANCELLED);
    assert_int_equal(n, 1);
    takc_buf_clear(&frames);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_read),
        cmocka_unit_test(every_flipped_bit_is_refused),
        cmocka_unit_test(a_cut_stream_is_told),
        cmocka_unit_test(headers_of_every_type_come_back),
        cmocka_unit_test(what_cannot_be_written_is_refused),
        cmocka_unit_test(lying_lengths_are_refused),
        cmocka_unit_test(the_receiver_may_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
