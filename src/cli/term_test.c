/* SPDX-License-Identifier: Apache-2.0
 *
 * What people see: widths, tables, numbers, progress. The program is no library, so its files are compiled in here. */
#include "cli/progress.c"
#include "cli/table.c"
#include "cli/term.c"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void widths_are_columns(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t width;
    } rows[] = {{"", 0},
                {"abc", 3},
                {"\xC3\xA4", 1},
                {"a\xCC\x88", 1},
                {"\xE6\x97\xA5\xE6\x9C\xAC", 4},
                {"\xF0\x9F\x98\x80", 2},
                {"\x1B[31m", 4},
                {"\xFF", 1},
                {"\xEF\xBC\xA1", 2},
                {"\xE2\x80\x8B", 0},
                {"\xEA\xB0\x80", 2}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(takc_text_width(takc_str(rows[i].text)), rows[i].width);
}

/* What a terminal would obey is gone; tabs, newlines and letters of any script stay. */
static void documents_give_no_commands(void **state)
{
    (void)state;
    char text[] = "a\x1B[31m\tb\a\n\xC2\x9B"
                  "2J \xC3\xA4 \xE6\xB3\xB5\x7F\xC2\xA0";
    takc_text_calm(text, sizeof(text) - 1);
    assert_string_equal(text, "a?[31m\tb?\n??2J \xC3\xA4 \xE6\xB3\xB5?\xC2\xA0");
}

static void tables_align(void **state)
{
    (void)state;
    static const struct takc_column columns[] = {{"rate", TAKC_ALIGN_LEFT}, {"tokens", TAKC_ALIGN_RIGHT}, {"note", TAKC_ALIGN_LEFT}};
    const struct takc_str cells[] = {takc_str("ultra"), takc_str("1,024"), takc_str("\xE6\x97\xA5"),
                                     takc_str("8x"),    takc_str("12"),    takc_str("")};
    struct takc_buf out;
    takc_buf_init(&out, 4096);
    assert_int_equal(takc_table_write(columns, 3, cells, 2, &out, NULL), TAKC_OK);
    assert_string_equal(out.ptr, "rate   tokens  note\n"
                                 "-----  ------  ----\n"
                                 "ultra   1,024  \xE6\x97\xA5\n"
                                 "8x         12\n");
    takc_buf_reset(&out);
    assert_int_equal(takc_table_write(columns, 1, cells, 0, &out, NULL), TAKC_OK);
    assert_string_equal(out.ptr, "rate\n----\n");
    takc_buf_clear(&out);
}

static void numbers_read_well(void **state)
{
    (void)state;
    char out[32];
    assert_string_equal(takc_count_text(0, out), "0");
    assert_string_equal(takc_count_text(999, out), "999");
    assert_string_equal(takc_count_text(1000, out), "1,000");
    assert_string_equal(takc_count_text(UINT64_MAX, out), "18,446,744,073,709,551,615");
    assert_string_equal(takc_bytes_text(1023, out), "1023 B");
    assert_string_equal(takc_bytes_text(1536, out), "1.5 KiB");
    assert_string_equal(takc_bytes_text(300u << 20, out), "300 MiB");
    assert_string_equal(takc_bytes_text(UINT64_MAX, out), "16.0 EiB");
    assert_string_equal(takc_seconds_text(-1, out), "0.0s");
    assert_string_equal(takc_seconds_text(9.94, out), "9.9s");
    assert_string_equal(takc_seconds_text(9.96, out), "10s");
    assert_string_equal(takc_seconds_text(61.5, out), "1m02s");
    assert_string_equal(takc_seconds_text(3600 * 5 + 61, out), "5h01m");
}

static uint64_t now_ns;
static uint64_t test_now(const struct takc_clock *c)
{
    (void)c;
    return now_ns;
}

static size_t read_pipe(int fd, char *out, size_t size)
{
    ssize_t n = read(fd, out, size - 1);
    out[n > 0 ? n : 0] = '\0';
    return n > 0 ? (size_t)n : 0;
}

static void plain_lines_are_rare(void **state)
{
    (void)state;
    int fds[2];
    char got[1024];
    struct takc_clock clock = *takc_clock_system();
    struct takc_progress p;
    assert_int_equal(pipe(fds), 0);
    clock.mono_ns = test_now;
    takc_progress_init(&p, &(struct takc_term){.fd = fds[1], .width = 80}, &clock);
    for (now_ns = 0; now_ns < 5000000000u; now_ns += 10000000u)
        takc_progress_update(&p, "ingest", "bytes", now_ns / 1000, 10000000);
    takc_progress_update(&p, "compress", "units", 0, 100); /* the stage before ends with its last state */
    (void)read_pipe(fds[0], got, sizeof(got));
    assert_string_equal(got, "ingest  20% 1.9 MiB of 9.5 MiB, 977 KiB/s, 8.0s left\n"
                             "ingest  40% 3.8 MiB of 9.5 MiB, 977 KiB/s, 6.0s left\n"
                             "ingest  50% 4.8 MiB of 9.5 MiB, 975 KiB/s, 5.0s left\n");
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void bars_are_drawn_on_terminals(void **state)
{
    (void)state;
    int fds[2];
    char got[1024], text[200];
    struct takc_clock clock = *takc_clock_system();
    struct takc_progress p;
    assert_int_equal(pipe(fds), 0);
    clock.mono_ns = test_now;
    now_ns = 1;
    takc_progress_init(&p, &(struct takc_term){.fd = fds[1], .width = 100, .terminal = true}, &clock);
    takc_progress_update(&p, "compress", "units", 0, 1200);
    now_ns += 150000000u;
    takc_progress_update(&p, "compress", "units", 600, 1200);
    takc_progress_hide(&p);
    takc_progress_hide(&p);
    (void)read_pipe(fds[0], got, sizeof(got));
    assert_string_equal(got, "\rcompress [############............]  50% 600 of 1,200 units\033[K\r\033[K");
    p.done = 1300; /* more than was promised */
    takc_progress_text(&p, now_ns, text);
    assert_string_equal(text, "compress [########################] 100% 1,300 of 1,200 units");
    p.total = 0;
    takc_progress_text(&p, now_ns + 2000000000u, text);
    assert_string_equal(text, "compress 1,300 units, 605 units/s");
    takc_progress_update(&p, "compress", "units, $0.0123 so far", 1301, 0); /* what changes stands behind a comma */
    takc_progress_hide(&p);
    takc_progress_text(&p, now_ns + 2000000000u, text);
    assert_string_equal(text, "compress 1,301 units, $0.0123 so far, 605 units/s");
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void terminals_are_told(void **state)
{
    (void)state;
    struct takc_term t;
    const char *environment[] = {"COLUMNS=132", "TERM=xterm", NULL};
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    takc_term_init(&t, fds[1], environment);
    assert_false(t.terminal || t.colour);
    assert_int_equal(t.width, 132);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_give_no_commands), cmocka_unit_test(widths_are_columns),   cmocka_unit_test(tables_align),
        cmocka_unit_test(numbers_read_well),          cmocka_unit_test(plain_lines_are_rare), cmocka_unit_test(bars_are_drawn_on_terminals),
        cmocka_unit_test(terminals_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
