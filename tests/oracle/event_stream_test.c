/* SPDX-License-Identifier: Apache-2.0
 *
 * Streams of random frames, written by us and read by botocore, seven bytes at a time: the same headers and payloads; damaged ones refused.
 */
#include "aws/event_stream.h"
#include "oracle.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { STREAMS = 200, FRAMES_MAX = 4 };

static uint64_t state = 11;

static uint64_t next(uint64_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (state >> 33) % below;
}

static void hex_to(struct takc_buf *out, struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        assert_int_equal(takc_buf_printf(out, NULL, "%02x", (unsigned char)s.ptr[i]), TAKC_OK);
}

/* A frame into wire, and what botocore has to say about it into want. */
static void random_frame(struct takc_buf *wire, json_t *want)
{
    char names[5][16], values[5][64], payload[600];
    struct takc_event e = {.n_headers = next(6), .payload = takc_str_n(payload, next(sizeof(payload)))};
    struct takc_buf hex;
    json_t *headers = json_object();
    takc_buf_init(&hex, 1 << 16);
    for (size_t i = 0; i < e.n_headers; i++) {
        (void)snprintf(names[i], sizeof(names[i]), ":h%zu-%llu", i, (unsigned long long)next(100));
        int n = snprintf(values[i], sizeof(values[i]), "%.*s\xC3\xBC", (int)next(40), "0123456789abcdefghijklmnopqrstuvwxyz/+= ,.");
        e.headers[i] = (struct takc_event_header){takc_str(names[i]), 7, takc_str_n(values[i], (size_t)n)};
        json_object_set_new(headers, names[i], json_string(values[i]));
    }
    for (size_t i = 0; i < e.payload.len; i++)
        payload[i] = (char)next(256);
    assert_int_equal(takc_event_write(&e, wire, NULL), TAKC_OK);
    hex_to(&hex, e.payload);
    json_array_append_new(want, json_pack("{so ss}", "headers", headers, "payload", hex.ptr ? hex.ptr : ""));
    takc_buf_clear(&hex);
}

static void botocore_reads_our_frames(void **arg)
{
    (void)arg;
    const char *python = oracle_python("aws");
    struct takc_buf lines, answers, wire;
    json_t *want = json_array();
    takc_buf_init(&lines, 64 << 20);
    takc_buf_init(&answers, 64 << 20);
    takc_buf_init(&wire, 1 << 20);
    for (size_t i = 0; i < STREAMS; i++) {
        json_t *events = json_array();
        takc_buf_reset(&wire);
        for (size_t n = 1 + next(FRAMES_MAX); n > 0; n--)
            random_frame(&wire, events);
        json_array_append_new(want, events);
        hex_to(&lines, takc_buf_str(&wire));
        assert_int_equal(takc_buf_byte(&lines, '\n', NULL), TAKC_OK);
    }
    assert_int_equal(oracle_ask(python, "event_stream.py", "", takc_buf_str(&lines), &answers), 0);
    struct takc_str rest = takc_buf_str(&answers), line;
    size_t n = 0;
    for (; takc_str_split(&rest, '\n', &line) && line.len; n++) {
        json_t *got;
        assert_int_equal(takc_json_parse(line, &got, NULL), TAKC_OK);
        assert_true(json_equal(json_object_get(got, "events"), json_array_get(want, n)));
        json_decref(got);
    }
    assert_int_equal(n, STREAMS);
    json_decref(want);
    takc_buf_clear(&lines);
    takc_buf_clear(&answers);
    takc_buf_clear(&wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(botocore_reads_our_frames)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
