/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_make_text --bytes N [--seed S] [--doc-bytes N] --out DIR
 *
 * Distinct text for measuring: documents of about --doc-bytes (64 KiB) in folders of a hundred, every second one Markdown, the others plain
 * text. Words are made of syllables and drawn by Zipf's law (30,000 of them, beside the usual small words), between them names, numbers,
 * dates and sums of money; headings, lists and tables as reports have them. No sentence comes twice but by chance, so that nothing is a
 * duplicate. The same seed gives the same bytes on any machine: integers only. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { N_WORDS = 30000, N_NAMES = 4000, N_DRAWS = 1 << 18 };

struct maker {
    uint64_t seed;
    char words[N_WORDS][16], names[N_NAMES][16];
    uint16_t draws[N_DRAWS]; /* Zipf's law as a table: a word stands in it as often as it should come */
    FILE *f;
    uint64_t written;
    bool markdown;
};

static const char *const small[] = {"the", "of",   "and", "to",    "in",   "a",     "is",   "for",   "that", "on",
                                    "was", "with", "as",  "by",    "at",   "from",  "are",  "which", "be",   "were",
                                    "not", "this", "or",  "after", "than", "under", "have", "its",   "must", "between"};

static uint64_t next(struct maker *m)
{ /* splitmix64 */
    uint64_t z = (m->seed += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static unsigned below(struct maker *m, unsigned n)
{
    return (unsigned)(next(m) % n);
}

static void make_word(struct maker *m, char out[16], bool name)
{
    static const char *const heads[] = {"b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "st", "pr", "tr", "ch"};
    static const char *const vowels[] = {"a", "e", "i", "o", "u", "ea", "io"};
    static const char *const tails[] = {"", "n", "r", "l", "s", "t", "nt", "ng"};
    unsigned n = 1 + below(m, 3) + name;
    size_t at = 0;
    for (unsigned i = 0; i < n && at < 9; i++)
        at += (size_t)snprintf(out + at, 16 - at, "%s%s%s", heads[below(m, 18)], vowels[below(m, 7)], i + 1 == n ? tails[below(m, 8)] : "");
    if (name)
        out[0] = (char)(out[0] - 'a' + 'A');
}

static void make_vocabulary(struct maker *m)
{
    for (size_t i = 0; i < N_WORDS; i++)
        make_word(m, m->words[i], false);
    for (size_t i = 0; i < N_NAMES; i++)
        make_word(m, m->names[i], true);
    uint64_t sum = 0, so_far = 0;
    for (uint64_t r = 1; r <= N_WORDS; r++)
        sum += UINT64_C(1000000000) / (r + 2);
    size_t at = 0;
    for (uint64_t r = 1; r <= N_WORDS; r++) {
        so_far += UINT64_C(1000000000) / (r + 2);
        for (uint64_t end = so_far * N_DRAWS / sum; at < end;)
            m->draws[at++] = (uint16_t)(r - 1);
    }
    for (; at < N_DRAWS; at++)
        m->draws[at] = (uint16_t)(at % N_WORDS);
}

static void put(struct maker *m, const char *s)
{
    m->written += strlen(s);
    (void)fputs(s, m->f);
}

static const char *word(struct maker *m)
{
    return m->words[m->draws[next(m) % N_DRAWS]];
}

static const char *name(struct maker *m)
{
    return m->names[next(m) % N_NAMES];
}

static void put_value(struct maker *m)
{
    static const char *const months[] = {"January", "March", "April", "June", "August", "October"};
    char s[64];
    switch (below(m, 6)) {
    case 0:
        (void)snprintf(s, sizeof(s), "$%u.%u million", 1 + below(m, 900), below(m, 10));
        break;
    case 1:
        (void)snprintf(s, sizeof(s), "%u.%u%%", below(m, 100), below(m, 10));
        break;
    case 2:
        (void)snprintf(s, sizeof(s), "%s %u, %u", months[below(m, 6)], 1 + below(m, 28), 1990 + below(m, 36));
        break;
    case 3:
        (void)snprintf(s, sizeof(s), "%u,%03u", 1 + below(m, 900), below(m, 1000));
        break;
    case 4:
        (void)snprintf(s, sizeof(s), "%s-%u", name(m), 100 + below(m, 9000));
        break;
    default:
        (void)snprintf(s, sizeof(s), "%u", 2 + below(m, 5000));
        break;
    }
    put(m, s);
}

static void put_word(struct maker *m, bool first)
{
    unsigned kind = below(m, 100);
    if (kind < 40 && !first)
        put(m, small[below(m, sizeof(small) / sizeof(small[0]))]);
    else if (kind < 47)
        put(m, name(m));
    else if (kind < 53 && !first)
        put_value(m);
    else if (first) {
        char s[16];
        (void)snprintf(s, sizeof(s), "%s", word(m));
        s[0] = (char)(s[0] - 'a' + 'A');
        put(m, s);
    } else
        put(m, word(m));
}

static void put_sentence(struct maker *m)
{
    unsigned n = 6 + below(m, 9) + below(m, 12);
    for (unsigned i = 0; i < n; i++) {
        put_word(m, i == 0);
        put(m, i + 1 == n ? "." : below(m, 11) == 0 ? ", " : " ");
    }
}

static void put_paragraph(struct maker *m)
{
    unsigned n = 2 + below(m, 6);
    for (unsigned i = 0; i < n; i++) {
        put_sentence(m);
        put(m, i + 1 == n ? "\n\n" : " ");
    }
}

static void put_heading(struct maker *m, unsigned level)
{
    if (m->markdown)
        put(m, level == 1 ? "# " : level == 2 ? "## " : "### ");
    unsigned n = 2 + below(m, 4);
    for (unsigned i = 0; i < n; i++) {
        put_word(m, true);
        put(m, i + 1 == n ? "\n\n" : " ");
    }
}

static void put_list(struct maker *m)
{
    unsigned n = 3 + below(m, 5);
    for (unsigned i = 0; i < n; i++) {
        put(m, "- ");
        put_sentence(m);
        put(m, "\n");
    }
    put(m, "\n");
}

static void put_table(struct maker *m)
{
    const char *edge = m->markdown ? "| " : "", *between = m->markdown ? " | " : "\t", *end = m->markdown ? " |\n" : "\n";
    unsigned n_columns = 3 + below(m, 3), n_rows = 4 + below(m, 12);
    for (unsigned r = 0; r <= n_rows; r++) {
        put(m, edge);
        for (unsigned c = 0; c < n_columns; c++) {
            if (r == 0 || c == 0)
                put_word(m, true);
            else
                put_value(m);
            put(m, c + 1 == n_columns ? end : between);
        }
        for (unsigned c = 0; c < n_columns && r == 0 && m->markdown; c++)
            put(m, c + 1 == n_columns ? "|---|\n" : "|---");
    }
    put(m, "\n");
}

static void put_document(struct maker *m, uint64_t n_bytes)
{
    uint64_t from = m->written;
    put_heading(m, 1);
    while (m->written - from < n_bytes) {
        unsigned kind = below(m, 20);
        if (kind < 3)
            put_heading(m, 2 + below(m, 2));
        else if (kind < 4)
            put_table(m);
        else if (kind < 6)
            put_list(m);
        put_paragraph(m);
    }
}

static void make_folder(const char *path)
{
    if (mkdir(path, 0777) && errno != EEXIST) {
        (void)fprintf(stderr, "bench_make_text: %s: %s\n", path, strerror(errno));
        exit(1);
    }
}

static void make_documents(struct maker *m, const char *out, uint64_t n_bytes, uint64_t doc_bytes)
{
    char path[4096];
    make_folder(out);
    for (unsigned i = 0; m->written < n_bytes; i++) {
        uint64_t left = n_bytes - m->written;
        (void)snprintf(path, sizeof(path), "%s/%03u", out, i / 100);
        if (i % 100 == 0)
            make_folder(path);
        m->markdown = i % 2 == 0;
        (void)snprintf(path, sizeof(path), "%s/%03u/report_%05u.%s", out, i / 100, i, m->markdown ? "md" : "txt");
        m->f = fopen(path, "w");
        if (!m->f) {
            (void)fprintf(stderr, "bench_make_text: %s: %s\n", path, strerror(errno));
            exit(1);
        }
        put_document(m, left < doc_bytes ? left : doc_bytes);
        if (fclose(m->f))
            exit(1);
    }
}

int main(int argc, char **argv)
{
    uint64_t n_bytes = 1000000, doc_bytes = 65536, seed = 1;
    const char *out = NULL;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--bytes") == 0)
            n_bytes = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--doc-bytes") == 0)
            doc_bytes = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--out") == 0)
            out = argv[i + 1];
    }
    struct maker *m = calloc(1, sizeof(*m));
    if (!out || !m || !doc_bytes) {
        (void)fputs("usage: bench_make_text --bytes N [--seed S] [--doc-bytes N] --out DIR\n", stderr);
        free(m);
        return 2;
    }
    m->seed = seed;
    make_vocabulary(m);
    make_documents(m, out, n_bytes, doc_bytes);
    free(m);
    return 0;
}
