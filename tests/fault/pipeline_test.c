/* SPDX-License-Identifier: Apache-2.0
 *
 * Ingest, compress, query, forget and rollback on a tiny corpus, with the n-th allocation, read, write, sync or rename failing: the right
 * status, nothing half-written (no temporary stays, what is kept verifies), and the same call again succeeds and ends where a run without
 * failure ends: the same keys, the same bytes. n goes up by one at first, then in growing steps. */
#include "base/fault.h"
#include "takc/query.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../property/home_fixture.h"

static char root[64], folder[128], home_path[128];
static const int files[] = {1, 2, 4, 6};
enum { N_FILES = sizeof(files) / sizeof(files[0]), ONE_BY_ONE = 10 };
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { STEP = 1, SANITIZED = 1 }; /* a sanitized run takes three times as long: 10, 20, 40, ..., and of what fails alike one kind */
#else
enum { STEP = 3, SANITIZED = 0 };
#endif

/* --- the story, in steps that can be repeated --- */

static enum takc_status do_ingest(struct takc_home *h, struct takc_err *err)
{
    struct takc_ingest_report r;
    const char *paths[] = {folder};
    const struct takc_ingest_options o = {.task = takc_str(FIXTURE_TASK)};
    enum takc_status st = takc_ingest(h, NULL, paths, 1, &o, &r, err);
    return !st && r.n_refused ? takc_fail(err, TAKC_IO, 0, "a document was refused") : st;
}

static enum takc_status do_compress(struct takc_home *h, struct takc_err *err)
{
    struct takc_compress_report r;
    const struct takc_compress_options o = {.task = takc_str(FIXTURE_TASK)};
    return takc_compress(h, NULL, &o, &r, err);
}

static enum takc_status do_query(struct takc_home *h, struct takc_err *err)
{
    struct takc_query_result r = {0};
    const struct takc_query_options o = {
        .task = takc_str(FIXTURE_TASK), .question = takc_str("What limit has the valve in Hall 3?"), .mode = TAKC_MODE_BOTH, .rate = 8000};
    enum takc_status st = takc_query(h, NULL, &o, &r, err);
    takc_query_result_free(&r);
    return st;
}

/* A second version, so that forget has one to redact and one to make again. */
static enum takc_status do_change(struct takc_home *h, struct takc_err *err)
{
    fixture_write(folder, 1, 2);
    enum takc_status st = do_ingest(h, err);
    return st ? st : do_compress(h, err);
}

static enum takc_status do_forget(struct takc_home *h, struct takc_err *err)
{
    struct takc_forget_report r;
    char name[64];
    fixture_name(2, name);
    return takc_forget(h, NULL, takc_str(FIXTURE_TASK), &(struct takc_str){name, strlen(name)}, 1, 0, &r, err);
}

static enum takc_status do_rollback(struct takc_home *h, struct takc_err *err)
{
    char label[32];
    return takc_cache_rollback(h, takc_str(FIXTURE_TASK), takc_str("1.r1"), label, err);
}

static enum takc_status do_verify(struct takc_home *h, struct takc_err *err)
{
    struct takc_verify_report r;
    const struct takc_verify_options o = {.task = takc_str(FIXTURE_TASK)};
    enum takc_status st = takc_verify(h, NULL, &o, &r, err);
    for (int k = 0; !st && k < TAKC_PROOF_LEVELS; k++) /* a read that fails is told as a finding */
        if (r.failed[k])
            return takc_fail(err, TAKC_IO, 0, "level %s failed", takc_level_letter((unsigned)k));
    return st;
}

static const struct {
    const char *name;
    enum takc_status (*run)(struct takc_home *, struct takc_err *);
} steps[] = {{"ingest", do_ingest}, {"compress", do_compress}, {"query", do_query},  {"change", do_change},
             {"forget", do_forget}, {"rollback", do_rollback}, {"verify", do_verify}};
enum { STEPS = sizeof(steps) / sizeof(steps[0]) };

/* --- what is there --- */

static enum takc_status list_key(void *arg, struct takc_str key, uint64_t size, struct takc_err *err)
{
    (void)size;
    return takc_buf_printf(arg, err, "%.*s\n", TAKC_STR_ARG(key));
}

static enum takc_status count_temporaries(void *arg, struct takc_str key, uint64_t size, struct takc_err *err)
{
    (void)key;
    (void)size;
    (void)err;
    ++*(int *)arg;
    return TAKC_OK;
}

static void check_no_temporaries(void)
{
    char command[256];
    (void)snprintf(command, sizeof(command), "test -z \"$(find '%s' -name '" TAKC_TMP_PREFIX "*')\"", home_path);
    if (system(command)) /* NOLINT(cert-env33-c): a fixed command of the test */
        fail_msg("a temporary file stays");
}

/* All keys, then the bytes of the current version. */
static char *whole_state(struct takc_home *h)
{
    struct takc_buf b;
    struct takc_err err = {0};
    takc_buf_init(&b, 1 << 20);
    fixture_ok(takc_store_list(takc_home_store(h), NULL, takc_str(""), list_key, &b, &err), &err, "list");
    char *version = fixture_state(h, "");
    fixture_ok(takc_buf_printf(&b, &err, "%s", version), &err, "state");
    free(version);
    char *text = strdup(takc_buf_str(&b).ptr);
    takc_buf_clear(&b);
    return text;
}

static void check_kept(struct takc_home *h)
{
    struct takc_arena a;
    struct takc_manifest m;
    struct takc_err err = {0};
    int n = 0;
    takc_arena_init(&a);
    fixture_ok(takc_home_manifest(h, takc_str(FIXTURE_TASK), &a, &m, &err), &err, "manifest");
    for (size_t i = 0; i < m.n_versions; i++) {
        char label[32];
        (void)snprintf(label, sizeof(label), "%.*s", TAKC_STR_ARG(m.versions[i].label));
        fixture_verify(h, label);
    }
    fixture_ok(takc_store_list(takc_home_store(h), NULL, takc_str("documents/"), count_temporaries, &n, &err), &err, "list");
    takc_arena_clear(&a);
}

/* --- one run --- */

static char *clean; /* state after the story without failure */

/* The story with the nth operation of a kind failing in one step; false when the step has fewer. */
static bool run(int at, enum takc_fault_kind kind, uint64_t nth, int errnum, enum takc_status want)
{
    struct takc_err err = {0};
    bool hit = true;
    fixture_remove(home_path);
    fixture_remove(folder);
    for (int i = 0; i < N_FILES; i++)
        fixture_write(folder, files[i], 1);
    struct takc_home *h = fixture_home(home_path);
    for (int i = 0; i < STEPS; i++) {
        if (i == at) {
            takc_fault_arm(kind, nth, errnum);
            enum takc_status st = steps[i].run(h, &err);
            hit = takc_fault_count(kind) >= nth;
            takc_fault_arm(kind, 0, 0);
            if (st && (st != want || !hit || !err.msg[0]))
                fail_msg("%s, %d fails %d: %s: %s", steps[i].name, (int)kind, (int)nth, takc_status_name(st), err.msg);
            check_no_temporaries();
            check_kept(h);
        }
        enum takc_status st = steps[i].run(h, &err);
        if (i == at && st == TAKC_NOT_FOUND && steps[i].run == do_forget) /* it had gone before the failure */
            st = TAKC_OK;
        if (st)
            fail_msg("%s after the failure of %d, %d: %s: %s", steps[i].name, (int)kind, (int)nth, takc_status_name(st), err.msg);
    }
    char *state = whole_state(h);
    if (!clean)
        clean = state;
    else if (strcmp(state, clean) != 0)
        fail_msg("%s, kind %d fails %d: ends with\n%s\nnot\n%s", at < 0 ? "" : steps[at].name, (int)kind, (int)nth, state, clean);
    if (state != clean)
        free(state);
    takc_home_close(h);
    return hit;
}

static void sweep(enum takc_fault_kind kind, int errnum, enum takc_status want)
{
    (void)run(-1, kind, 0, 0, want);
    for (int at = 0; at < STEPS; at++) {
        uint64_t n = 1;
        unsigned runs = 0;
        for (; run(at, kind, n, errnum, want); runs++)
            n = n < ONE_BY_ONE ? n + 1 : n + n / STEP;
        print_message("%s: %u runs, fewer than %u operations\n", steps[at].name, runs, (unsigned)n);
    }
}

static void allocations(void **state)
{
    (void)state;
    sweep(TAKC_FAULT_ALLOC, ENOMEM, TAKC_NOMEM);
}

static void reads(void **state)
{
    (void)state;
    sweep(TAKC_FAULT_READ, EIO, TAKC_IO);
}

static void writes(void **state)
{
    (void)state;
    sweep(TAKC_FAULT_WRITE, EIO, TAKC_IO);
}

static void full_disk(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    sweep(TAKC_FAULT_WRITE, ENOSPC, TAKC_FULL);
}

static void syncs(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    sweep(TAKC_FAULT_FSYNC, EIO, TAKC_IO);
}

static void renames(void **state)
{
    (void)state;
    if (SANITIZED)
        skip();
    sweep(TAKC_FAULT_RENAME, EIO, TAKC_IO);
}

/* Runs the story up to forget, with the nth read of forget failing (0: none); the reads that it made. */
static uint64_t forget_reads(uint64_t nth, enum takc_status *out, struct takc_err *err)
{
    fixture_remove(home_path);
    fixture_remove(folder);
    for (int i = 0; i < N_FILES; i++)
        fixture_write(folder, files[i], 1);
    struct takc_home *h = fixture_home(home_path);
    fixture_ok(do_ingest(h, err), err, "ingest");
    fixture_ok(do_compress(h, err), err, "compress");
    takc_fault_arm(TAKC_FAULT_READ, nth ? nth : UINT64_MAX, EIO);
    *out = do_forget(h, err);
    uint64_t n = takc_fault_count(TAKC_FAULT_READ);
    takc_fault_arm(TAKC_FAULT_READ, 0, 0);
    takc_home_close(h);
    return n;
}

/* The last reads of a forget are those of its proof: one that fails is no proof, and is told. */
static void an_unread_file_is_no_proof(void **state)
{
    (void)state;
    struct takc_err err = {0};
    enum takc_status st;
    uint64_t n = forget_reads(0, &st, &err);
    fixture_ok(st, &err, "forget");
    assert_true(n > 3);
    for (uint64_t k = 0; k < 3; k++) {
        assert_int_equal(forget_reads(n - k, &st, &err), n - k);
        assert_int_equal(st, TAKC_IO);
        assert_non_null(strstr(err.msg, "forgotten, but the search that proves it could not be finished"));
    }
}

static int setup(void **state)
{
    (void)state;
    if (fixture_root(root, "fault"))
        return -1;
    (void)snprintf(folder, sizeof(folder), "%s/docs", root);
    (void)snprintf(home_path, sizeof(home_path), "%s/home", root);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
    free(clean);
    clean = NULL;
    fixture_remove(root);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_unread_file_is_no_proof, setup, teardown),
        cmocka_unit_test_setup_teardown(writes, setup, teardown),
        cmocka_unit_test_setup_teardown(full_disk, setup, teardown),
        cmocka_unit_test_setup_teardown(syncs, setup, teardown),
        cmocka_unit_test_setup_teardown(renames, setup, teardown),
        cmocka_unit_test_setup_teardown(reads, setup, teardown),
        cmocka_unit_test_setup_teardown(allocations, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
