/* SPDX-License-Identifier: Apache-2.0
 *
 * Compress by a model, and forget of what it wrote, with the n-th allocation, read, write, sync or rename failing: the right status, what
 * is kept verifies, and the same call again ends where a run without failure ends. A reply that was kept is never asked for again. */
#include "base/fault.h"
#include "takc/model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../property/home_fixture.h"

#include "catalog/usage.h"

static char root[64], folder[128], home_path[128], ready_path[128];
enum { ONE_BY_ONE = 6 };

static enum takc_status do_compress(struct takc_home *h, struct takc_err *err)
{
    struct takc_compress_report r;
    const struct takc_model_settings s = {.model = takc_str("fake:inventing"), .parallel = 1};
    const uint32_t rates[] = {8000, 4000};
    const struct takc_compress_options o = {.task = takc_str(FIXTURE_TASK), .model = &s, .rates = rates, .n_rates = 2};
    return takc_compress(h, NULL, &o, &r, err);
}

static enum takc_status do_forget(struct takc_home *h, struct takc_err *err)
{
    struct takc_forget_report r;
    char name[64];
    fixture_name(2, name);
    return takc_forget(h, NULL, takc_str(FIXTURE_TASK), &(struct takc_str){name, strlen(name)}, 1, 0, &r, err);
}

static void shell(const char *what, const char *a, const char *b)
{
    char command[512];
    (void)snprintf(command, sizeof(command), "%s '%s' %s%s%s", what, a, b ? "'" : "", b ? b : "", b ? "'" : "");
    if (system(command)) /* NOLINT(cert-env33-c): a fixed command of the test */
        fail_msg("%s", command);
}

static enum takc_status add_calls(void *arg, const struct takc_usage_sum *sum, struct takc_err *err)
{
    (void)err;
    *(uint64_t *)arg += sum->calls;
    return TAKC_OK;
}

static uint64_t calls(struct takc_home *h)
{
    uint64_t n = 0;
    struct takc_err err = {0};
    fixture_ok(takc_home_usage(h, &(struct takc_usage_filter){.task = takc_str(FIXTURE_TASK)}, add_calls, &n, &err), &err, "usage");
    return n;
}

/* All versions prove what they say, if there are any. */
static void check_kept(struct takc_home *h)
{
    struct takc_arena a;
    struct takc_manifest m;
    struct takc_err err = {0};
    takc_arena_init(&a);
    fixture_ok(takc_home_manifest(h, takc_str(FIXTURE_TASK), &a, &m, &err), &err, "manifest");
    for (size_t i = 0; i < m.n_versions; i++) {
        char label[32];
        (void)snprintf(label, sizeof(label), "%.*s", TAKC_STR_ARG(m.versions[i].label));
        fixture_verify(h, label);
    }
    takc_arena_clear(&a);
}

static char *artifact(struct takc_home *h, const char *label)
{
    char key[128];
    struct takc_buf b;
    struct takc_err err = {0};
    (void)snprintf(key, sizeof(key), "artifacts/" FIXTURE_TASK "/v%s/4x.json", label);
    takc_buf_init(&b, 1 << 22);
    fixture_ok(takc_store_get_bytes(takc_home_store(h), NULL, takc_str(key), &b, &err), &err, key);
    char *text = strndup(b.ptr, b.len);
    takc_buf_clear(&b);
    return text;
}

struct step {
    enum takc_status (*run)(struct takc_home *, struct takc_err *);
    const char *label; /* of the version that it makes */
    char *want;        /* its artifact */
    uint64_t calls;    /* of a run without failure */
};

/* One step on a fresh copy with the nth operation failing, then again; false when the step has fewer. */
static bool run(struct step *s, enum takc_fault_kind kind, uint64_t nth, int errnum, enum takc_status want)
{
    struct takc_err err = {0};
    fixture_remove(home_path);
    shell("cp -a", ready_path, home_path);
    struct takc_home *h = fixture_home(home_path);
    uint64_t before = calls(h);
    takc_fault_arm(kind, nth ? nth : UINT64_MAX, errnum);
    enum takc_status st = s->run(h, &err);
    bool hit = nth && takc_fault_count(kind) >= nth;
    takc_fault_arm(kind, 0, 0);
    if (st && (st != want || !hit || !err.msg[0]))
        fail_msg("%d fails %d: %s: %s", (int)kind, (int)nth, takc_status_name(st), err.msg);
    check_kept(h);
    st = s->run(h, &err);
    if (st && !(st == TAKC_NOT_FOUND && s->run == do_forget)) /* it had gone before the failure */
        fail_msg("after the failure of %d, %d: %s: %s", (int)kind, (int)nth, takc_status_name(st), err.msg);
    char *got = artifact(h, s->label);
    if (!s->want) {
        s->want = strdup(got);
        s->calls = calls(h) - before;
    }
    if (strcmp(got, s->want) != 0)
        fail_msg("%d fails %d: another artifact", (int)kind, (int)nth);
    assert_true(calls(h) - before <= s->calls + 1); /* at most the call whose reply could not be kept */
    free(got);
    takc_home_close(h);
    return hit;
}

static void sweep(struct step *s, enum takc_fault_kind kind, int errnum, enum takc_status want)
{
    unsigned runs = 0;
    (void)run(s, kind, 0, 0, want);
    for (uint64_t n = 1; run(s, kind, n, errnum, want); runs++)
        n = n < ONE_BY_ONE ? n + 1 : n + n / 2;
    assert_true(runs > 2);
}

static void sweep_all(struct step *s)
{
    sweep(s, TAKC_FAULT_WRITE, EIO, TAKC_IO);
    sweep(s, TAKC_FAULT_WRITE, ENOSPC, TAKC_FULL);
    sweep(s, TAKC_FAULT_FSYNC, EIO, TAKC_IO);
    sweep(s, TAKC_FAULT_RENAME, EIO, TAKC_IO);
    sweep(s, TAKC_FAULT_READ, EIO, TAKC_IO);
    sweep(s, TAKC_FAULT_ALLOC, ENOMEM, TAKC_NOMEM);
    free(s->want);
}

/* A home that is ready for the step. */
static void make_ready(bool compressed)
{
    static const int files[] = {1, 2, 4, 6};
    struct takc_err err = {0};
    fixture_remove(ready_path);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        fixture_write(folder, files[i], 1);
    struct takc_home *h = fixture_home(ready_path);
    (void)fixture_ingest(h, folder, false, 1);
    if (compressed)
        fixture_ok(do_compress(h, &err), &err, "compress");
    takc_home_close(h);
}

static void compressing(void **state)
{
    (void)state;
    struct step s = {.run = do_compress, .label = "1"};
    make_ready(false);
    sweep_all(&s);
    assert_true(s.calls > 0);
}

static void forgetting(void **state)
{
    (void)state;
    struct step s = {.run = do_forget, .label = "2"};
    make_ready(true);
    sweep_all(&s);
    assert_int_equal(s.calls, 0);
}

static int setup(void **state)
{
    (void)state;
    if (fixture_root(root, "fault"))
        return -1;
    (void)snprintf(folder, sizeof(folder), "%s/docs", root);
    (void)snprintf(home_path, sizeof(home_path), "%s/home", root);
    (void)snprintf(ready_path, sizeof(ready_path), "%s/ready", root);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
    fixture_remove(root);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(compressing, setup, teardown),
                                       cmocka_unit_test_setup_teardown(forgetting, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
