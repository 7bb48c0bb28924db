/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_query [--rounds N] [--reader-tokens N] --corpus FILE --questions FILE [--corpus FILE --questions FILE ...]
 *
 * How long choosing lines takes: one index over all the corpora given, every question asked N times (3), the first time not counted. Prints
 * CSV: what, text bytes, index bytes, units, questions, p50, p90, p99 and the slowest in microseconds of CPU. Files as in eval_corpus.h. */
#include "eval_corpus.h"

#include <time.h>

struct times {
    uint64_t *ns;
    size_t n, cap;
};

static void add_time(struct times *t, uint64_t ns)
{
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 1024;
        t->ns = realloc(t->ns, t->cap * sizeof(*t->ns));
        if (!t->ns)
            exit(1);
    }
    t->ns[t->n++] = ns;
}

static int by_ns(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double at_us(const struct times *t, size_t percent)
{
    return t->n ? (double)t->ns[(t->n - 1) * percent / 100] / 1e3 : 0;
}

/* CPU time of this thread: choosing waits for nothing, and other work on the machine is not counted. */
static uint64_t cpu_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void time_question(struct eval_corpus *c, const struct takc_index *x, const char *question, uint64_t budget, unsigned rounds,
                          struct times *times)
{
    struct takc_select_options o = {.budget_tokens = budget, .tokenizer = &eval_scorer, .text = eval_text, .text_arg = c};
    for (unsigned r = 0; r < rounds; r++) {
        struct takc_arena arena;
        struct takc_choice choice;
        struct takc_err err = {0};
        takc_arena_init(&arena);
        uint64_t from = cpu_ns();
        eval_check(takc_select(x, takc_str(question), &o, NULL, &arena, &choice, &err), &err, "select");
        uint64_t ns = cpu_ns() - from;
        takc_arena_clear(&arena);
        if (r)
            add_time(times, ns);
    }
}

static size_t time_file(struct eval_corpus *c, const struct takc_index *x, const char *path, uint64_t budget, unsigned rounds,
                        struct times *times)
{
    size_t len, n = 0;
    char *text = eval_slurp(path, &len);
    struct takc_str rest = takc_str_n(text, len), line;
    struct takc_err err = {0};
    while (takc_str_split(&rest, '\n', &line)) {
        json_t *q = NULL;
        if (takc_str_trim(line).len == 0)
            continue;
        eval_check(takc_json_parse(line, &q, &err), &err, path);
        time_question(c, x, json_string_value(json_object_get(q, "question")), budget, rounds, times);
        json_decref(q);
        n++;
    }
    free(text);
    return n;
}

int main(int argc, char **argv)
{
    struct eval_corpus c = {0};
    unsigned rounds = 3;
    uint64_t budget = 2000;
    size_t n = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--corpus") == 0)
            eval_add_corpus(&c, argv[i + 1]);
        else if (strcmp(argv[i], "--rounds") == 0)
            rounds = (unsigned)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--reader-tokens") == 0)
            budget = strtoul(argv[i + 1], NULL, 10);
    }
    if (!c.n || rounds < 2) {
        (void)fprintf(stderr, "usage: bench_query [--rounds N] [--reader-tokens N] --corpus FILE --questions FILE ...\n");
        return 2;
    }
    struct takc_buf bytes;
    struct times times = {0};
    eval_select_none(&c);
    struct takc_index *x = eval_index(&c.corpus, &c.selection, &bytes);
    for (int i = 1; i + 1 < argc; i += 2)
        if (strcmp(argv[i], "--questions") == 0)
            n += time_file(&c, x, argv[i + 1], budget, rounds, &times);
    if (times.n)
        qsort(times.ns, times.n, sizeof(*times.ns), by_ns);
    (void)printf("what,text_bytes,index_bytes,units,questions,p50_us,p90_us,p99_us,max_us\n");
    (void)printf("select,%llu,%zu,%zu,%zu,%.0f,%.0f,%.0f,%.0f\n", (unsigned long long)c.text_bytes, bytes.len, takc_index_n_units(x), n,
                 at_us(&times, 50), at_us(&times, 90), at_us(&times, 99), at_us(&times, 100));
    free(times.ns);
    takc_index_close(x);
    takc_buf_clear(&bytes);
    eval_clear(&c);
    return 0;
}
