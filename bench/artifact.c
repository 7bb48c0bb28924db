/* SPDX-License-Identifier: Apache-2.0
 *
 * bench_artifact [--budget words+bytes|tokens] [--threads N] [--rate R | --out PREFIX] CORPUS.jsonl[.gz]
 *
 * Compresses one corpus of an evaluation folder (one JSON object: task_description, documents[{doc_id, title, text}]), without its
 * questions. --rate prints the artifact's text at that rate; --out writes PREFIX.8.txt, .16.txt, .32.txt, .64.txt. On standard error one
 * line of CSV: corpus, documents, units, text bytes, and CPU milliseconds for reading, for units, for the selection of all
 * rates. */
#include "compress/artifact.h"
#include "base/file.h"
#include "base/json.h"
#include "compress/steps.h"
#include "doc/readers.h"
#include "documents.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

struct bench {
    struct bench_documents d;
    const struct takc_tokenizer *tokenizer;
    double units_ms;
};

/* Milliseconds of CPU, so that other work on the machine is not counted. */
static double ms_since(uint64_t *from)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    uint64_t now = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
    double ms = (double)(now - *from) / 1e6;
    *from = now;
    return ms;
}

static enum takc_status add_part(void *arg, const struct takc_split_part *part, struct takc_err *err)
{
    struct bench *b = arg;
    struct bench_document *d;
    struct takc_doc doc;
    uint64_t from = 0;
    takc_doc_init(&doc);
    enum takc_status st = bench_documents_add(&b->d, part->suffix, takc_str(""), &d, err);
    if (st)
        return st;
    struct takc_reader_input in = {.bytes = part->bytes, .name = takc_buf_str(&d->name)};
    st = takc_reader_read(part->reader, NULL, &in, &doc, err);
    (void)ms_since(&from);
    if (!st)
        st = takc_units_build(&d->units, &doc, takc_buf_str(&doc.title), b->tokenizer, NULL, err);
    b->units_ms += ms_since(&from);
    bench_documents_take(&b->d, d, &doc);
    return st;
}

static enum takc_status read_gz(const char *path, struct takc_buf *out, struct takc_err *err)
{
    gzFile f = gzopen(path, "rb");
    char piece[1 << 16];
    int n = 0;
    enum takc_status st = TAKC_OK;
    if (!f)
        return takc_fail(err, TAKC_NOT_FOUND, 0, "%s cannot be read", path);
    while (!st && (n = gzread(f, piece, sizeof(piece))) > 0)
        st = takc_buf_add(out, takc_str_n(piece, (size_t)n), err);
    (void)gzclose(f);
    return st || n == 0 ? st : takc_fail(err, TAKC_CORRUPT, 0, "%s is damaged", path);
}

struct args {
    const char *file, *out, *json;
    double rate;
    struct takc_extractive_options o;
};

static enum takc_status write_rate(const struct takc_corpus *c, const struct takc_selection *s, const struct args *a, takc_rate rate,
                                   struct takc_err *err)
{
    uint8_t *bits = NULL;
    struct takc_set_size size;
    struct takc_buf text, json;
    char path[4096];
    takc_buf_init(&text, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&json, TAKC_BUF_MAX_DOCUMENT);
    struct takc_artifact_meta meta = {.task = takc_str("bench"), .fingerprint = takc_str("bench"), .rate = rate};
    enum takc_status st = takc_selection_set(s, c, &a->o, rate, &bits, &size, err);
    if (!st)
        st = takc_artifact_write(c, s, bits, &size, &a->o, &meta, NULL, &json, err);
    if (!st)
        st = takc_set_text(c, s, bits, a->o.clean_level, NULL, &text, err);
    if (!st && a->json)
        st = takc_file_write(a->json, takc_buf_str(&json), err);
    if (!st && a->out) {
        (void)snprintf(path, sizeof(path), "%s.%u.txt", a->out, rate / 1000);
        st = takc_file_write(path, takc_buf_str(&text), err);
    } else if (!st) {
        (void)fwrite(text.ptr, 1, text.len, stdout);
    }
    takc_free(bits);
    takc_buf_clear(&text);
    takc_buf_clear(&json);
    return st;
}

static enum takc_status run(struct args *a, struct bench *b, struct takc_buf *bytes, struct takc_err *err)
{
    struct takc_selection s = {0};
    json_t *root = NULL;
    uint64_t from = 0;
    double read_ms = 0, select_ms = 0;
    (void)ms_since(&from);
    enum takc_status st = read_gz(a->file, bytes, err);
    if (!st)
        st = takc_json_parse(takc_buf_str(bytes), &root, err);
    if (!st) {
        struct takc_reader_input in = {.bytes = takc_buf_str(bytes), .name = takc_str(a->file)};
        a->o.description = takc_json_get_str(root, "task_description");
        st = takc_split(&takc_reader_jsonl, NULL, &in, add_part, NULL, b, err);
        read_ms = ms_since(&from) - b->units_ms;
    }
    if (!st)
        st = bench_documents_ready(&b->d, err);
    (void)ms_since(&from);
    const struct takc_corpus *c = &b->d.corpus;
    if (!st && a->o.budget == TAKC_BUDGET_WORDS_BYTES)
        for (size_t i = 0; i < b->d.n; i++) { /* the scorer joins documents by an empty line */
            a->o.corpus_words += b->d.items[i].units.source_words;
            a->o.corpus_bytes += b->d.items[i].units.source_bytes + (i > 0 ? 2 : 0);
        }
    if (!st)
        st = takc_extractive_select(c, &a->o, NULL, &s, err);
    select_ms = ms_since(&from);
    static const takc_rate rates[] = {8000, 16000, 32000, 64000};
    if (!st && !a->out)
        st = write_rate(c, &s, a, (takc_rate)(a->rate * 1000 + .5), err);
    for (size_t i = 0; i < 4 && !st && a->out; i++)
        st = write_rate(c, &s, a, rates[i], err);
    if (!st)
        (void)fprintf(stderr, "%s,%zu,%zu,%llu,%.1f,%.1f,%.1f\n", a->file, b->d.n, s.n_units, (unsigned long long)b->d.text_bytes, read_ms,
                      b->units_ms, select_ms);
    takc_selection_clear(&s);
    json_decref(root);
    return st;
}

static bool parse_args(int argc, char **argv, struct args *a)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (argv[i][0] != '-') {
            a->file = argv[i];
            continue;
        }
        if (!value)
            return false;
        if (strcmp(argv[i], "--budget") == 0)
            a->o.budget = strcmp(value, "tokens") == 0 ? TAKC_BUDGET_TOKENS : TAKC_BUDGET_WORDS_BYTES;
        else if (strcmp(argv[i], "--threads") == 0)
            a->o.n_threads = (unsigned)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--rate") == 0)
            a->rate = strtod(value, NULL);
        else if (strcmp(argv[i], "--out") == 0)
            a->out = value;
        else if (strcmp(argv[i], "--json") == 0)
            a->json = value;
        else
            return false;
        i++;
    }
    return a->file != NULL;
}

int main(int argc, char **argv)
{
    struct args a = {.rate = 8, .o = takc_extractive_options_default()};
    struct bench b = {0};
    struct takc_buf bytes;
    struct takc_err err = {0};
    a.o.budget = TAKC_BUDGET_WORDS_BYTES;
    if (!parse_args(argc, argv, &a)) {
        (void)fputs("usage: bench_artifact [--budget words+bytes|tokens] [--threads N] [--rate R | --out PREFIX] [--json FILE] CORPUS\n",
                    stderr);
        return 2;
    }
    takc_buf_init(&bytes, TAKC_BUF_MAX_DOCUMENT);
    b.tokenizer = a.o.tokenizer;
    enum takc_status st = run(&a, &b, &bytes, &err);
    if (st)
        (void)fprintf(stderr, "bench_artifact: %s: %s\n", a.file, err.msg);
    bench_documents_clear(&b.d);
    takc_buf_clear(&bytes);
    return takc_status_exit(st);
}
