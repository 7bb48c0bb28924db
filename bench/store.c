/* SPDX-License-Identifier: Apache-2.0
 *
 * bench/store [FOLDER] - what the dir store costs, as CSV: single durable puts, batches on both sides of the choice between fsync and
 * syncfs, gets, swaps, listing; and the steps of a process that opens a home. FOLDER (default: a new one below the current folder) should
 * be on the disk that is asked about; what is made there is removed. */
#include "base/clock.h"
#include "catalog/home.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { BLOB = 4096, KEYS = 1000 };

static char body[BLOB];

static double now_ms(void)
{
    const struct takc_clock *c = takc_clock_system();
    return (double)c->mono_ns(c) / 1e6;
}

static void must(enum takc_status st, const struct takc_err *err)
{
    if (!st)
        return;
    (void)fprintf(stderr, "bench store: %s\n", err->msg);
    exit(1); /* NOLINT(concurrency-mt-unsafe): one thread */
}

static void row(const char *what, size_t n, double ms)
{
    (void)printf("%s,%zu,%.2f,%.1f\n", what, n, ms, ms * 1000 / (double)n);
}

/* Keys that no run before has used, as content-addressed blobs are. */
static void key_of(char *out, size_t size, const char *folder, size_t i)
{
    (void)snprintf(out, size, "blobs/%s/%08zx%056d", folder, i, 0);
}

static void bench_puts(struct takc_store *s)
{
    struct takc_err err;
    char key[128];
    double t = now_ms();
    for (size_t i = 0; i < KEYS / 5; i++) {
        key_of(key, sizeof(key), "put", i);
        must(takc_store_put_bytes(s, NULL, takc_str(key), takc_str_n(body, BLOB), &err), &err);
    }
    row("put 4 KiB", KEYS / 5, now_ms() - t);
}

static void bench_batch(struct takc_store *s, size_t n, size_t rounds)
{
    struct takc_err err;
    struct takc_store_batch *b;
    char key[128], folder[32], what[64];
    must(takc_store_batch_open(s, &b, &err), &err);
    double t = now_ms();
    for (size_t r = 0; r < rounds; r++) {
        (void)snprintf(folder, sizeof(folder), "b%zu-%zu", n, r);
        for (size_t i = 0; i < n; i++) {
            key_of(key, sizeof(key), folder, i);
            must(takc_store_batch_put(b, NULL, takc_str(key), takc_str_n(body, BLOB), false, &err), &err);
        }
        must(takc_store_batch_commit(b, NULL, &err), &err);
    }
    (void)snprintf(what, sizeof(what), "batch of %zu x 4 KiB", n);
    row(what, n * rounds, now_ms() - t);
    takc_store_batch_close(b);
}

static void bench_reads(struct takc_store *s)
{
    struct takc_err err;
    struct takc_buf buf;
    struct takc_store_view v;
    char key[128];
    takc_buf_init(&buf, BLOB);
    double t = now_ms();
    for (size_t i = 0; i < KEYS; i++) {
        key_of(key, sizeof(key), "b1000-0", i);
        takc_buf_reset(&buf);
        must(takc_store_get_bytes(s, NULL, takc_str(key), &buf, &err), &err);
    }
    row("get 4 KiB", KEYS, now_ms() - t);
    takc_buf_clear(&buf);
    t = now_ms();
    for (size_t i = 0; i < KEYS; i++) {
        key_of(key, sizeof(key), "b1000-0", i);
        must(takc_store_view(s, NULL, takc_str(key), &v, &err), &err);
        takc_store_view_close(&v);
    }
    row("view 4 KiB", KEYS, now_ms() - t);
}

static enum takc_status count(void *arg, struct takc_str key, uint64_t size, struct takc_err *err)
{
    (void)key;
    (void)size;
    (void)err;
    ++*(size_t *)arg;
    return TAKC_OK;
}

static void bench_rest(struct takc_store *s)
{
    struct takc_err err;
    size_t n = 0;
    double t = now_ms();
    must(takc_store_list(s, NULL, takc_str(""), count, &n, &err), &err);
    row("list, per key", n, now_ms() - t);
    struct takc_hex tag = {""};
    t = now_ms();
    for (int i = 0; i < 50; i++) {
        must(takc_store_swap(s, NULL, takc_str("manifests/fin.json"), takc_str(tag.s), takc_str_n(body, BLOB - (size_t)i), &err), &err);
        must(takc_sha256(takc_str_n(body, BLOB - (size_t)i), &tag, &err), &err);
    }
    row("swap 4 KiB", 50, now_ms() - t);
}

static void bench_large(struct takc_store *s)
{
    enum { MIB = 1 << 20, N = 128 };
    struct takc_err err;
    struct takc_buf buf;
    char *bytes = malloc((size_t)N * MIB);
    if (!bytes)
        return;
    memset(bytes, 'x', (size_t)N * MIB);
    double t = now_ms();
    must(takc_store_put_bytes(s, NULL, takc_str("blobs/large"), takc_str_n(bytes, (size_t)N * MIB), &err), &err);
    row("put, per MiB of 128", N, now_ms() - t);
    free(bytes);
    takc_buf_init(&buf, (size_t)N * MIB);
    t = now_ms();
    must(takc_store_get_bytes(s, NULL, takc_str("blobs/large"), &buf, &err), &err);
    row("get, per MiB of 128", N, now_ms() - t);
    takc_buf_clear(&buf);
}

static void bench_home(const char *path)
{
    struct takc_err err;
    struct takc_home *h;
    struct takc_query_note note = {.task = takc_str("fin"), .version = takc_str("1")};
    double t = now_ms();
    for (int i = 0; i < 100; i++) {
        must(takc_home_open(&h, path, &(struct takc_home_options){.create = true}, &err), &err);
        if (i < 99)
            takc_home_close(h);
    }
    row("open and close a home", 100, now_ms() - t);
    t = now_ms();
    must(takc_home_note_query(h, &note, &err), &err);
    row("first note of a question", 1, now_ms() - t);
    t = now_ms();
    for (int i = 0; i < 1000; i++)
        must(takc_home_note_query(h, &note, &err), &err);
    row("note of a question", 1000, now_ms() - t);
    takc_home_close(h);
}

int main(int argc, char **argv)
{
    char folder[] = "takc-bench-XXXXXX", path[4096], command[4200];
    struct takc_err err;
    struct takc_store *s;
    if (argc > 1 && chdir(argv[1])) {
        perror(argv[1]);
        return 1;
    }
    if (!mkdtemp(folder))
        return 1;
    memset(body, 'b', sizeof(body));
    (void)snprintf(path, sizeof(path), "%s/store", folder);
    must(takc_store_dir_open(&s, path, &err), &err);
    (void)printf("what,n,ms,us_each\n");
    bench_puts(s);
    bench_batch(s, 3, 50);
    bench_batch(s, 4, 50);
    bench_batch(s, 16, 30);
    bench_batch(s, 1000, 3);
    bench_reads(s);
    bench_rest(s);
    bench_large(s);
    takc_store_close(s);
    (void)snprintf(path, sizeof(path), "%s/home", folder);
    bench_home(path);
    (void)snprintf(command, sizeof(command), "rm -rf ./%s", folder);
    return system(command) ? 1 : 0; /* NOLINT(cert-env33-c): a fixed command */
}
