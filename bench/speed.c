/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_speed pass [--budget tokens|words+bytes] PATH...   the whole pass in memory on one thread, told apart by stage
 * bench_speed read READER ROUNDS FILE...                   a reader alone
 * bench_speed query QUESTIONS PATH...                      choosing lines, warm and cold, with questions made from the text itself
 *
 * PATH is a file or folder as `takc ingest` takes it (a folder of corpora of the evaluation's form, too). Prints CSV. Time is CPU time of
 * the process and its children (pdftotext); where time is what a user waits for (query), many are measured and quantiles told. Tokens are
 * bytes of text / 4. bench/speed calls it. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "compress/artifact.h"
#include "compress/steps.h"
#include "doc/readers.h"
#include "documents.h"
#include "rank/select.h"
#include "source/source.h"

#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum stage { READ, UNITS, STATS, SCORES, SEQUENCES, ORDER, COSTS, LADDER, ARTIFACTS, INDEX, N_STAGES };
static const char *const stage_names[N_STAGES] = {"read",  "units", "stats",  "scores",    "sequences",
                                                  "order", "costs", "ladder", "artifacts", "index"};

struct bench {
    struct bench_documents d;
    struct takc_extractive_options o;
    struct takc_selection selection;
    struct takc_buf index;
    uint64_t source_bytes, artifact_bytes;
    double ms[N_STAGES];
    uint64_t peak_kb[N_STAGES], start_kb[N_STAGES]; /* heap in use when a stage began, and the most that it held */
    double last_ms;
};

static void check(enum takc_status st, const struct takc_err *err, const char *what)
{
    if (!st)
        return;
    (void)fprintf(stderr, "bench_speed: %s: %s: %s\n", what, takc_status_text(st), err->msg);
    exit(1);
}

static double of_usage(int who)
{
    struct rusage r;
    (void)getrusage(who, &r);
    return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e3 + (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e3;
}

static double cpu_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6 + of_usage(RUSAGE_CHILDREN);
}

/* A line of /proc/self/status in KB; 0 where there is none. */
static uint64_t status_kb(const char *key)
{
    char line[256];
    uint64_t kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof(line), f))
        if (strncmp(line, key, strlen(key)) == 0)
            kb = strtoull(line + strlen(key), NULL, 10);
    if (f)
        (void)fclose(f);
    return kb;
}

/* Lets VmHWM begin again at what is resident now. */
static void reset_peak(void)
{
    int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!write(fd, "5", 1);
        (void)close(fd);
    }
}

static void begin(struct bench *b, enum stage s)
{
    (void)malloc_trim(0);
    reset_peak();
    b->start_kb[s] = status_kb("VmRSS:");
    b->last_ms = cpu_ms();
}

static void end(struct bench *b, enum stage s)
{
    b->ms[s] += cpu_ms() - b->last_ms;
    b->peak_kb[s] = status_kb("VmHWM:");
}

/* --- documents --- */

static void add_document(struct bench *b, const struct takc_reader_ops *reader, struct takc_str bytes, struct takc_str name,
                         struct takc_str suffix)
{
    struct takc_err err = {0};
    struct takc_doc doc;
    struct bench_document *d = NULL;
    takc_doc_init(&doc);
    check(bench_documents_add(&b->d, name, suffix, &d, &err), &err, "documents");
    double from = cpu_ms();
    struct takc_reader_input in = {.bytes = bytes, .name = takc_buf_str(&d->name)};
    check(takc_reader_read(reader, NULL, &in, &doc, &err), &err, d->name.ptr);
    double between = cpu_ms();
    check(takc_units_build(&d->units, &doc, takc_buf_str(&doc.title), b->o.tokenizer, NULL, &err), &err, d->name.ptr);
    b->ms[READ] += between - from;
    b->ms[UNITS] += cpu_ms() - between;
    bench_documents_take(&b->d, d, &doc);
}

struct part_arg {
    struct bench *b;
    struct takc_str name;
};

static enum takc_status add_part(void *arg, const struct takc_split_part *part, struct takc_err *err)
{
    struct part_arg *p = arg;
    (void)err;
    add_document(p->b, part->reader, part->bytes, p->name, part->suffix);
    return TAKC_OK;
}

/* The description and the bytes less questions: a corpus of the evaluation's form names its task. */
static void take_description(struct bench *b, struct takc_str bytes)
{
    json_t *v = NULL;
    static char kept[4096];
    if (b->o.description.len ||
        takc_str_find(takc_str_slice(bytes, 0, bytes.len < 4096 ? bytes.len : 4096), takc_str("\"task_description\""), 0) == SIZE_MAX ||
        takc_json_parse(bytes, &v, NULL))
        return;
    struct takc_str s = takc_json_get_str(v, "task_description");
    (void)snprintf(kept, sizeof(kept), "%.*s", TAKC_STR_ARG(s));
    b->o.description = takc_str(kept);
    json_decref(v);
}

static enum takc_status add_file(void *arg, const struct takc_source_item *item, struct takc_err *err)
{
    struct bench *b = arg;
    struct takc_str inner = takc_source_inner_name(item->name);
    const struct takc_reader_ops *reader = takc_reader_pick(inner, item->bytes);
    struct takc_reader_input in = {.bytes = item->bytes, .name = item->name};
    struct part_arg part = {b, item->name};
    if (!reader || takc_str_ends(inner, takc_str(".questions.jsonl")) || takc_str_ends(inner, takc_str(".py")) ||
        takc_str_is(inner, "index.json"))
        return TAKC_OK;
    b->source_bytes += item->bytes.len;
    if (!takc_split_wanted(reader, &in)) {
        add_document(b, reader, item->bytes, item->name, takc_str(""));
        return TAKC_OK;
    }
    take_description(b, item->bytes);
    return takc_split(reader, NULL, &in, add_part, NULL, &part, err);
}

static void load_paths(struct bench *b, char **paths, int n)
{
    struct takc_err err = {0};
    begin(b, READ);
    for (int i = 0; i < n; i++)
        check(takc_source_walk(paths[i], NULL, NULL, add_file, NULL, b, &err), &err, paths[i]);
    b->peak_kb[READ] = b->peak_kb[UNITS] = status_kb("VmHWM:");
    b->start_kb[UNITS] = b->start_kb[READ];
    if (!b->d.n) {
        (void)fputs("bench_speed: no documents\n", stderr);
        exit(1);
    }
    check(bench_documents_ready(&b->d, &err), &err, "documents");
}

/* --- the pass --- */

/* As takc_extractive_select, step by step. */
static void select_timed(struct bench *b)
{
    struct takc_err err = {0};
    struct takc_asked asked;
    struct takc_stats stats;
    struct takc_sequence *sequences = NULL;
    struct takc_selection *s = &b->selection;
    int32_t *h = NULL;
    check(takc_asked_read(&asked, b->o.description, &err), &err, "description");
    begin(b, STATS);
    check(takc_stats_make(&stats, &b->d.corpus, &asked, 1, NULL, s, &err), &err, "stats");
    end(b, STATS);
    begin(b, SCORES);
    check(takc_score_make(&stats, &b->d.corpus, &asked, 1, NULL, s, &h, &err), &err, "scores");
    end(b, SCORES);
    begin(b, SEQUENCES);
    check(takc_sequences_make(&stats, &b->d.corpus, h, &b->o, NULL, s, &sequences, &err), &err, "sequences");
    takc_free(h);
    takc_stats_clear(&stats);
    end(b, SEQUENCES);
    begin(b, ORDER);
    check(takc_order_make(sequences, s, &err), &err, "order");
    takc_sequences_free(sequences, s->n_docs);
    end(b, ORDER);
    begin(b, COSTS);
    check(takc_costs_make(&b->d.corpus, s, &asked, 1, NULL, &s->costs, &err), &err, "costs");
    end(b, COSTS);
    begin(b, LADDER);
    check(takc_ladder_make(s, &b->d.corpus, &b->o, NULL, &err), &err, "ladder");
    end(b, LADDER);
    takc_asked_clear(&asked);
}

static void artifacts_timed(struct bench *b)
{
    static const takc_rate rates[] = {64000, 32000, 16000, 8000};
    struct takc_err err = {0};
    begin(b, ARTIFACTS);
    for (size_t i = 0; i < 4; i++) {
        uint8_t *bits = NULL;
        struct takc_set_size size;
        struct takc_buf json;
        struct takc_artifact_meta meta = {.task = takc_str("bench"), .fingerprint = takc_str("bench"), .rate = rates[i]};
        takc_buf_init(&json, (size_t)16 << 30);
        check(takc_selection_set(&b->selection, &b->d.corpus, &b->o, rates[i], &bits, &size, &err), &err, "set");
        check(takc_artifact_write(&b->d.corpus, &b->selection, bits, &size, &b->o, &meta, NULL, &json, &err), &err, "artifact");
        b->artifact_bytes += json.len;
        takc_buf_clear(&json);
        takc_free(bits);
    }
    end(b, ARTIFACTS);
}

static void index_timed(struct bench *b)
{
    struct takc_err err = {0};
    takc_buf_init(&b->index, (size_t)64 << 30);
    begin(b, INDEX);
    check(takc_index_build(&b->d.corpus, &b->selection, NULL, &b->index, &err), &err, "index");
    end(b, INDEX);
}

static void print_stage(const struct bench *b, const char *name, double ms, uint64_t grown_kb)
{
    double mb = (double)b->d.text_bytes / 1e6;
    (void)printf("%s,%zu,%zu,%llu,%.1f,%.3f,%.2f,%.1f\n", name, b->d.n, b->selection.n_units, (unsigned long long)b->d.text_bytes, ms,
                 ms > 0 ? mb * 1e3 / ms : 0, ms > 0 ? mb / 4 * 1e3 / ms : 0,
                 b->selection.n_units ? (double)grown_kb * 1024 / (double)b->selection.n_units : 0);
}

static void pass(struct bench *b, char **paths, int n)
{
    double sum = 0;
    load_paths(b, paths, n);
    if (b->o.budget == TAKC_BUDGET_WORDS_BYTES)
        for (size_t i = 0; i < b->d.n; i++) { /* the scorer joins documents by an empty line */
            b->o.corpus_words += b->d.items[i].units.source_words;
            b->o.corpus_bytes += b->d.items[i].units.source_bytes + (i > 0 ? 2 : 0);
        }
    select_timed(b);
    artifacts_timed(b);
    index_timed(b);
    (void)printf("stage,documents,units,text_bytes,cpu_ms,mb_per_s,million_tokens_per_s,grown_bytes_per_unit\n");
    for (int s = 0; s < N_STAGES; s++) {
        print_stage(b, stage_names[s], b->ms[s], b->peak_kb[s] > b->start_kb[s] ? b->peak_kb[s] - b->start_kb[s] : 0);
        sum += b->ms[s];
    }
    print_stage(b, "all", sum, 0);
    (void)fprintf(stderr, "source %llu bytes, artifacts %llu bytes, index %zu bytes (%.2f of the text), peak %llu KB\n",
                  (unsigned long long)b->source_bytes, (unsigned long long)b->artifact_bytes, b->index.len,
                  (double)b->index.len / (double)b->d.text_bytes, (unsigned long long)status_kb("VmHWM:"));
}

/* --- one reader --- */

static void read_alone(const char *reader_name, unsigned rounds, char **paths, int n)
{
    const struct takc_reader_ops *reader = takc_reader_find(takc_str(reader_name));
    struct takc_err err = {0};
    uint64_t bytes = 0, text = 0;
    double ms = 0;
    for (int i = 0; i < n && reader; i++) {
        struct takc_buf source;
        takc_buf_init(&source, TAKC_BUF_MAX_DOCUMENT);
        check(takc_file_read(paths[i], &source, &err), &err, paths[i]);
        for (unsigned r = 0; r < rounds; r++) {
            struct bench b = {.o = takc_extractive_options_default()};
            struct takc_reader_input in = {.bytes = takc_buf_str(&source), .name = takc_str(paths[i])};
            struct part_arg part = {&b, takc_str("x")};
            double from = cpu_ms();
            if (takc_split_wanted(reader, &in))
                check(takc_split(reader, NULL, &in, add_part, NULL, &part, &err), &err, paths[i]);
            else
                add_document(&b, reader, in.bytes, in.name, takc_str(""));
            ms += cpu_ms() - from - b.ms[UNITS];
            bytes += source.len;
            text += b.d.text_bytes;
            bench_documents_clear(&b.d);
        }
        takc_buf_clear(&source);
    }
    (void)printf("%s,%llu,%llu,%.1f,%.2f,%.2f\n", reader_name, (unsigned long long)bytes, (unsigned long long)text, ms,
                 ms > 0 ? (double)bytes / 1e3 / ms : 0, ms > 0 ? (double)text / 1e3 / ms : 0);
}

/* --- questions --- */

static int by_double(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* "What is said of A B C D?": some longer words of a unit that a fixed sequence of numbers picks. */
static void make_question(struct bench *b, uint64_t i, struct takc_buf *out)
{
    struct takc_err err = {0};
    struct takc_buf line;
    uint64_t x = (i + 1) * UINT64_C(0x9E3779B97F4A7C15);
    takc_buf_init(&line, TAKC_BUF_MAX_DOCUMENT);
    struct bench_document *d = &b->d.items[(x >> 20) % b->d.n];
    takc_buf_reset(out);
    check(takc_buf_add(out, takc_str("What is said of"), &err), &err, "question");
    if (d->units.n_units)
        check(takc_unit_show(&d->units, (uint32_t)((x >> 40) % d->units.n_units), takc_buf_str(&d->text), 0, &line, &err), &err,
              "question");
    struct takc_str rest = takc_buf_str(&line), word;
    for (unsigned n = 0; n < 2 + i % 5 && takc_str_split(&rest, ' ', &word);)
        if (word.len > 4) {
            check(takc_buf_byte(out, ' ', &err), &err, "question");
            check(takc_buf_add(out, word, &err), &err, "question");
            n++;
        }
    takc_buf_clear(&line);
}

static enum takc_status text_of(void *arg, uint32_t doc, struct takc_str *out, struct takc_err *err)
{
    (void)err;
    *out = takc_buf_str(&((struct bench *)arg)->d.items[doc].text);
    return TAKC_OK;
}

/* In microseconds of CPU: one thread that waits for nothing, so that other work on the machine is not counted. */
static double ask(struct bench *b, const struct takc_index *x, const struct takc_buf *question)
{
    struct takc_select_options o = {.budget_tokens = 2000, .tokenizer = b->o.tokenizer, .text = text_of, .text_arg = b};
    struct takc_arena arena;
    struct takc_choice choice;
    struct takc_err err = {0};
    takc_arena_init(&arena);
    double from = cpu_ms();
    check(takc_select(x, takc_buf_str(question), &o, NULL, &arena, &choice, &err), &err, "select");
    double us = (cpu_ms() - from) * 1e3;
    takc_arena_clear(&arena);
    return us;
}

static void print_times(struct bench *b, const char *what, double *us, size_t n)
{
    qsort(us, n, sizeof(*us), by_double);
    (void)printf("%s,%llu,%zu,%zu,%zu,%.0f,%.0f,%.0f,%.0f\n", what, (unsigned long long)b->d.text_bytes, b->index.len, b->selection.n_units,
                 n, us[n / 2], us[n * 9 / 10], us[n * 99 / 100], us[n - 1]);
}

/* Opening an index whose file the page cache has let go, and the first question of it. */
static double ask_cold(struct bench *b, const char *path, const struct takc_buf *question)
{
    const struct takc_clock *clock = takc_clock_system();
    struct takc_index *x = NULL;
    struct takc_err err = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    uint64_t from = clock->mono_ns(clock);
    void *p = mmap(NULL, b->index.len, PROT_READ, MAP_SHARED, fd, 0);
    if (fd < 0 || p == MAP_FAILED)
        exit(1);
    check(takc_index_open(&x, takc_str_n(p, b->index.len), &err), &err, "open");
    (void)ask(b, x, question);
    double us = (double)(clock->mono_ns(clock) - from) / 1e3;
    takc_index_close(x);
    (void)munmap(p, b->index.len);
    (void)close(fd);
    return us;
}

enum { N_COLD = 20 };

static void ask_all_cold(struct bench *b, struct takc_buf *question)
{
    char path[] = "/tmp/takc_bench_index_XXXXXX";
    double us[N_COLD];
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, b->index.ptr, b->index.len) != (ssize_t)b->index.len || fsync(fd) || close(fd))
        exit(1);
    for (uint64_t i = 0; i < N_COLD; i++) {
        make_question(b, 1000000 + i, question);
        us[i] = ask_cold(b, path, question);
    }
    (void)unlink(path);
    print_times(b, "cold (waited): open and first question", us, N_COLD);
}

static void query(struct bench *b, size_t n, char **paths, int n_paths)
{
    struct takc_err err = {0};
    struct takc_buf question;
    double *us = takc_alloc_array(n, sizeof(*us));
    struct takc_index *x = NULL;
    takc_buf_init(&question, TAKC_BUF_MAX_DOCUMENT);
    load_paths(b, paths, n_paths);
    select_timed(b);
    index_timed(b);
    check(takc_index_open(&x, takc_buf_str(&b->index), &err), &err, "open");
    for (int warm = 0; warm < 2; warm++)
        for (size_t i = 0; i < n; i++) {
            make_question(b, i, &question);
            us[i] = ask(b, x, &question);
        }
    (void)printf("what,text_bytes,index_bytes,units,questions,p50_us,p90_us,p99_us,max_us\n");
    print_times(b, "warm (CPU)", us, n);
    ask_all_cold(b, &question);
    takc_index_close(x);
    takc_buf_clear(&question);
    takc_free(us);
}

static void clear(struct bench *b)
{
    takc_selection_clear(&b->selection);
    takc_buf_clear(&b->index);
    bench_documents_clear(&b->d);
}

int main(int argc, char **argv)
{
    struct bench b = {.o = takc_extractive_options_default()};
    const char *verb = argc > 2 ? argv[1] : "";
    if (strcmp(verb, "pass") == 0 && argc > 4 && strcmp(argv[2], "--budget") == 0) {
        b.o.budget = strcmp(argv[3], "tokens") == 0 ? TAKC_BUDGET_TOKENS : TAKC_BUDGET_WORDS_BYTES;
        pass(&b, argv + 4, argc - 4);
    } else if (strcmp(verb, "pass") == 0) {
        pass(&b, argv + 2, argc - 2);
    } else if (strcmp(verb, "read") == 0 && argc > 4) {
        read_alone(argv[2], (unsigned)strtoul(argv[3], NULL, 10), argv + 4, argc - 4);
    } else if (strcmp(verb, "query") == 0 && argc > 3) {
        query(&b, strtoul(argv[2], NULL, 10), argv + 3, argc - 3);
    } else {
        (void)fputs(
            "usage: bench_speed pass [--budget tokens|words+bytes] PATH... | read READER ROUNDS FILE... | query QUESTIONS PATH...\n",
            stderr);
        return 2;
    }
    clear(&b);
    return 0;
}
