/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_scorer_tokens [--tokens] [FILE] - counts the "scorer tokens" of a text (token/words.h less articles), or prints them one a line.
 * bench/check_scorer_tokens.py compares them with the scorer's own on all corpora of a data folder. */
#include "base/alloc.h"
#include "token/words.h"

#include <stdio.h>
#include <stdlib.h>

static char *slurp(FILE *f, size_t *out_len)
{
    size_t cap = 1 << 20, len = 0, got;
    char *p = takc_alloc(cap);
    while (p && (got = fread(p + len, 1, cap - len, f)) > 0) {
        len += got;
        if (len == cap)
            p = takc_realloc(p, cap *= 2);
    }
    *out_len = len;
    return p;
}

static void print_tokens(struct takc_str text)
{
    struct takc_words w;
    struct takc_word word;
    takc_words_init(&w, text);
    while (takc_words_next(&w, &word))
        if (!word.article)
            (void)printf("%.*s%s", (int)(word.norm.len - word.again), word.norm.ptr + word.again, word.more ? "" : "\n");
    takc_words_clear(&w);
}

int main(int argc, char **argv)
{
    bool tokens = argc > 1 && strcmp(argv[1], "--tokens") == 0;
    const char *path = argc > 1 + tokens ? argv[1 + tokens] : NULL;
    FILE *f = path ? fopen(path, "rb") : stdin;
    size_t len = 0;
    char *p = f ? slurp(f, &len) : NULL;
    if (!p) {
        (void)fprintf(stderr, "bench_scorer_tokens: cannot read %s\n", path ? path : "standard input");
        return 1;
    }
    if (tokens)
        print_tokens(takc_str_n(p, len));
    else
        (void)printf("%llu\n", (unsigned long long)takc_words_count(takc_str_n(p, len)));
    takc_free(p);
    if (path)
        (void)fclose(f);
    return 0;
}
