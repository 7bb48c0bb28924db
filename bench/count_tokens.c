/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_count_tokens FILE [TOKENIZER [ids|speed]] - tokens of a file by the named tokenizer (estimate when none is named). ids: for each
 * line of the file the numbers of its tokens instead (bpe only), so that they can be compared with the original's; "\n", "\r" and "\\" in
 * a line stand for themselves. speed: MB/s of counting the file over and over for two seconds. */
#include "base/clock.h"
#include "base/file.h"
#include "token/bpe.h"

#include <stdio.h>
#include <stdlib.h>

/* Undoes the escapes of a line in place. */
static size_t unescape(char *line, size_t n)
{
    size_t out = 0;
    for (size_t i = 0; i < n; i++) {
        bool escape = line[i] == '\\' && i + 1 < n;
        char c = escape ? line[++i] : line[i];
        line[out++] = escape && c == 'n' ? '\n' : escape && c == 'r' ? '\r' : c;
    }
    return out;
}

static void print_ids(const struct takc_tokenizer *t, struct takc_buf *text)
{
    uint32_t *ids = calloc(text->len + 16, sizeof(*ids));
    for (size_t from = 0; ids && from < text->len;) {
        char *line = text->ptr + from, *end = memchr(line, '\n', text->len - from);
        size_t len = end ? (size_t)(end - line) : text->len - from;
        size_t n = takc_bpe_ids(t, takc_str_n(line, unescape(line, len)), ids, text->len + 16);
        for (size_t i = 0; i < n; i++)
            (void)printf(i ? " %u" : "%u", ids[i]);
        (void)putchar('\n');
        from += len + 1;
    }
    free(ids);
}

static void print_speed(const struct takc_tokenizer *t, struct takc_str text)
{
    const struct takc_clock *clock = takc_clock_or_system(NULL);
    uint64_t from = clock->mono_ns(clock), spent = 0, n = 0, tokens = 0;
    for (; spent < 2000000000u; spent = clock->mono_ns(clock) - from, n++)
        tokens = takc_tokenizer_count(t, text);
    (void)printf("%s %s: %llu tokens, %.1f MB/s\n", t->name, t->version, (unsigned long long)tokens,
                 (double)text.len * (double)n * 1e3 / (double)spent);
}

int main(int argc, char **argv)
{
    struct takc_buf text;
    struct takc_err err = {0};
    const struct takc_tokenizer *t = NULL;
    const char *what = argc > 3 ? argv[3] : "";
    takc_buf_init(&text, TAKC_BUF_MAX_DOCUMENT);
    if (argc < 2 || takc_tokenizer_open(takc_str(argc > 2 ? argv[2] : "estimate"), &t, &err) || takc_file_read(argv[1], &text, &err) ||
        (strcmp(what, "ids") == 0 && strcmp(t->name, "bpe") != 0)) {
        (void)fprintf(stderr, "usage: bench_count_tokens FILE [TOKENIZER [ids|speed]]: %s\n", err.msg);
        return 2;
    }
    if (strcmp(what, "ids") == 0)
        print_ids(t, &text);
    else if (strcmp(what, "speed") == 0)
        print_speed(t, takc_buf_str(&text));
    else
        (void)printf("%llu\n", (unsigned long long)takc_tokenizer_count(t, takc_buf_str(&text)));
    takc_tokenizer_close(t);
    takc_buf_clear(&text);
    return 0;
}
