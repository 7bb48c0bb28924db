/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_estimate [--lines] FILE - how far the estimate is from real counts. FILE (or standard input) has lines "kind <tab> tokens <tab>
 * line", made by tools/calibrate_estimate.mjs --count. Prints per kind: lines, tokens, bias of the total, mean absolute error per line, and
 * the bias of lines dense in digits (a fifth of the bytes or more) and in capitals; then the speed.
 * --lines prints the milli-tokens of every line first. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "token/tokenizer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

struct group {
    char name[24];
    double real, guess, error, lines;
    double digit_real, digit_guess, name_real, name_guess;
};

static void add(struct group *g, struct takc_str line, double real, double guess)
{
    size_t digits = 0, words = 1, capitals = 0;
    for (size_t i = 0; i < line.len; i++) {
        digits += isdigit((unsigned char)line.ptr[i]) != 0;
        words += line.ptr[i] == ' ';
        capitals += isupper((unsigned char)line.ptr[i]) && (i == 0 || line.ptr[i - 1] == ' ');
    }
    g->lines++;
    g->real += real;
    g->guess += guess;
    g->error += guess > real ? guess - real : real - guess;
    if (digits * 5 >= line.len) {
        g->digit_real += real;
        g->digit_guess += guess;
    } else if (capitals * 2 >= words) {
        g->name_real += real;
        g->name_guess += guess;
    }
}

static struct group *group_of(struct group *g, size_t *n, struct takc_str name)
{
    for (size_t i = 0; i < *n; i++)
        if (takc_str_is(name, g[i].name))
            return &g[i];
    if (*n == 64)
        return &g[63];
    (void)snprintf(g[*n].name, sizeof(g[*n].name), "%.*s", TAKC_STR_ARG(name));
    return &g[(*n)++];
}

static double percent(double guess, double real)
{
    return real > 0 ? 100 * (guess / real - 1) : 0;
}

int main(int argc, char **argv)
{
    const struct takc_tokenizer *t = takc_tokenizer_find(takc_str("estimate"));
    const struct takc_clock *clock = takc_clock_system();
    static struct group groups[64];
    size_t n = 0;
    bool each = argc > 1 && strcmp(argv[1], "--lines") == 0;
    const char *path = argc > 1 + each ? argv[1 + each] : "/dev/stdin";
    struct takc_err err = {0};
    struct takc_buf b;
    takc_buf_init(&b, TAKC_BUF_MAX_DOCUMENT);
    if (takc_file_read(path, &b, &err)) {
        (void)fprintf(stderr, "bench_estimate: %s\n", err.msg);
        return takc_status_exit(err.status);
    }
    struct takc_str rest = takc_buf_str(&b), line, kind, count;
    while (takc_str_split(&rest, '\n', &line)) {
        if (!takc_str_split(&line, '\t', &kind) || !takc_str_split(&line, '\t', &count))
            continue;
        uint64_t mt = takc_tokenizer_line_mt(t, line);
        if (each)
            (void)printf("%llu\n", (unsigned long long)mt);
        add(group_of(groups, &n, kind), line, strtod(count.ptr, NULL), (double)mt / 1000);
    }
    (void)puts("kind,lines,tokens,bias_percent,line_error_percent,digit_lines_bias,name_lines_bias");
    for (size_t i = 0; i < n; i++) {
        const struct group *g = &groups[i];
        (void)printf("%s,%.0f,%.0f,%+.1f,%.1f,%+.1f,%+.1f\n", g->name, g->lines, g->real, percent(g->guess, g->real),
                     100 * g->error / g->real, percent(g->digit_guess, g->digit_real), percent(g->name_guess, g->name_real));
    }
    uint64_t from = clock->mono_ns(clock), mt = takc_tokenizer_count_mt(t, takc_buf_str(&b));
    double ns = (double)(clock->mono_ns(clock) - from);
    (void)printf("# whole file: %.0f tokens, %.0f MB/s\n", (double)mt / 1000, (double)b.len * 1e3 / ns);
    takc_buf_clear(&b);
    return 0;
}
