/* SPDX-License-Identifier: Apache-2.0
 *
 * What every reader promises, held against every registered reader and every sample in tests/data/doc, whatever its kind:
 * it passes takc_doc_check or fails with a status that says why; the same bytes give the same result; verbatim runs are equal bytes; what
 * is stored comes back; no input of 0 or 1 bytes and no cut sample breaks it; no failing allocation leaks or is taken for something else.
 */
#include "base/fault.h"
#include "base/file.h"
#include "doc/readers.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MAX_SAMPLES = 64, MAX_CUTS = 250 };

static struct takc_buf samples[MAX_SAMPLES];
static char names[MAX_SAMPLES][256];
static size_t n_samples;

static int load_samples(void **state)
{
    (void)state;
    DIR *d = opendir(TAKC_TEST_DATA "/doc");
    const struct dirent *e;
    while (d && (e = readdir(d)) && n_samples < MAX_SAMPLES) {
        char path[1024];
        if (e->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/doc/%s", TAKC_TEST_DATA, e->d_name);
        (void)snprintf(names[n_samples], sizeof(names[0]), "%s", e->d_name);
        takc_buf_init(&samples[n_samples], 1 << 24);
        if (takc_file_read(path, &samples[n_samples], NULL))
            return -1;
        n_samples++;
    }
    if (d)
        (void)closedir(d);
    return n_samples ? 0 : -1;
}

static int drop_samples(void **state)
{
    (void)state;
    while (n_samples)
        takc_buf_clear(&samples[--n_samples]);
    return 0;
}

static bool starts_a_child(const struct takc_reader_ops *r)
{
    return strcmp(r->name, "pdf") == 0;
}

static enum takc_status read_one(const struct takc_reader_ops *r, struct takc_str bytes, struct takc_doc *d)
{
    struct takc_reader_input in = {.bytes = bytes, .name = takc_str("sample")};
    struct takc_err err = {0};
    takc_doc_init(d);
    enum takc_status st = takc_reader_read(r, NULL, &in, d, &err);
    bool known = st == TAKC_OK || st == TAKC_REFUSED || st == TAKC_CORRUPT || st == TAKC_UNSUPPORTED || st == TAKC_NOMEM;
    if (!known || (st && (!err.msg[0] || err.status != st)) || strstr(err.msg, "broke a promise"))
        fail_msg("%s: %s: %s", r->name, takc_status_name(st), err.msg);
    return st;
}

static void check_runs(const struct takc_doc *d, struct takc_str bytes)
{
    for (size_t i = 0; i < d->n_runs; i++) {
        const struct takc_map_run *r = &d->runs[i];
        if (r->kind == TAKC_MAP_VERBATIM)
            assert_memory_equal(d->text.ptr + r->start, bytes.ptr + r->src_start, r->end - r->start);
    }
}

static void save(const struct takc_doc *d, struct takc_buf *out)
{
    takc_buf_init(out, 1 << 28);
    assert_int_equal(takc_doc_save_structure(d, out, NULL), TAKC_OK);
    assert_int_equal(takc_doc_save_map(d, out, NULL), TAKC_OK);
}

/* Reads twice, compares, stores, loads, compares. */
static void promises(const struct takc_reader_ops *r, struct takc_str bytes)
{
    struct takc_doc a, b;
    enum takc_status st = read_one(r, bytes, &a);
    assert_int_equal(read_one(r, bytes, &b), st);
    if (!st) {
        struct takc_buf x, y, structure, map;
        check_runs(&a, bytes);
        save(&a, &x);
        save(&b, &y);
        assert_true(takc_str_eq(takc_buf_str(&x), takc_buf_str(&y)));
        assert_true(takc_str_eq(takc_buf_str(&a.text), takc_buf_str(&b.text)));
        takc_buf_clear(&y);
        takc_buf_init(&structure, 1 << 28);
        takc_buf_init(&map, 1 << 28);
        assert_int_equal(takc_doc_save_structure(&a, &structure, NULL), TAKC_OK);
        assert_int_equal(takc_doc_save_map(&a, &map, NULL), TAKC_OK);
        assert_int_equal(takc_doc_load(&b, takc_buf_str(&a.text), takc_buf_str(&structure), takc_buf_str(&map), NULL), TAKC_OK);
        save(&b, &y);
        assert_true(takc_str_eq(takc_buf_str(&x), takc_buf_str(&y)));
        takc_buf_clear(&x);
        takc_buf_clear(&y);
        takc_buf_clear(&structure);
        takc_buf_clear(&map);
    }
    takc_doc_clear(&a);
    takc_doc_clear(&b);
}

static void samples_keep_the_promises(void **state)
{
    (void)state;
    for (size_t k = 0; takc_reader_at(k); k++)
        for (size_t i = 0; i < n_samples; i++)
            promises(takc_reader_at(k), takc_buf_str(&samples[i]));
}

static void tiny_inputs_are_fine(void **state)
{
    (void)state;
    for (size_t k = 0; takc_reader_at(k); k++) {
        const struct takc_reader_ops *r = takc_reader_at(k);
        promises(r, takc_str(""));
        for (int c = 0; c < 256; c += starts_a_child(r) ? 51 : 1) {
            char byte = (char)c;
            promises(r, takc_str_n(&byte, 1));
        }
    }
}

static void cut_samples_are_fine(void **state)
{
    (void)state;
    for (size_t k = 0; takc_reader_at(k); k++) {
        const struct takc_reader_ops *r = takc_reader_at(k);
        for (size_t i = 0; i < n_samples; i++) {
            size_t cuts = starts_a_child(r) ? 5 : MAX_CUTS, step = samples[i].len / cuts + 1;
            for (size_t n = 0; n < samples[i].len; n += step) {
                struct takc_doc d;
                (void)read_one(r, takc_str_n(samples[i].ptr, n), &d);
                takc_doc_clear(&d);
            }
        }
    }
}

/* The reader of a sample with the n-th allocation failing, until none does. */
static void sweep(const struct takc_reader_ops *r, struct takc_str bytes)
{
    struct takc_doc d;
    enum takc_status want = read_one(r, bytes, &d);
    takc_doc_clear(&d);
    for (uint64_t n = 1;; n++) {
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        enum takc_status st = read_one(r, bytes, &d);
        bool hit = takc_fault_count(TAKC_FAULT_ALLOC) >= n;
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        takc_doc_clear(&d);
        if (st != want && !(hit && st == TAKC_NOMEM)) /* libcsv asks again for less: that is fine */
            fail_msg("%s: allocation %llu: %s", r->name, (unsigned long long)n, takc_status_name(st));
        if (!hit)
            break;
    }
}

static void failing_allocations_are_told(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_samples; i++) {
        const struct takc_reader_ops *r = takc_reader_pick(takc_str(names[i]), takc_buf_str(&samples[i]));
        if (r && !starts_a_child(r) && samples[i].len < (64 << 10))
            sweep(r, takc_buf_str(&samples[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(samples_keep_the_promises), cmocka_unit_test(tiny_inputs_are_fine),
                                       cmocka_unit_test(cut_samples_are_fine), cmocka_unit_test(failing_allocations_are_told)};
    return cmocka_run_group_tests(tests, load_samples, drop_samples);
}
