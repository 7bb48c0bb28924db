/* SPDX-License-Identifier: Apache-2.0
 *
 * Versions that stay open between questions: how long, and that nobody waits while it is looked which are gone. Run under TSan too. */
#include "pipeline/snapshot.h"

#include "base/thread.h"
#include "catalog/home_impl.h"
#include "takc/compress.h"
#include "takc/home.h"
#include "takc/ingest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- a store in front of the home's, at whose door one thread can be kept waiting ---- */

static struct {
    struct takc_store base; /* first */
    struct takc_store *inner;
    struct takc_mutex mu;
    struct takc_cond moved;
    bool closed, waits; /* who is kept out waits at it */
} gate;
static _Thread_local bool kept_out;

static enum takc_status gated_get(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_sink *out,
                                  struct takc_err *err)
{
    (void)s;
    takc_mutex_lock(&gate.mu);
    while (kept_out && gate.closed) {
        gate.waits = true;
        takc_cond_broadcast(&gate.moved);
        takc_cond_wait(&gate.moved, &gate.mu);
    }
    takc_mutex_unlock(&gate.mu);
    return takc_store_get(gate.inner, call, key, out, err);
}

static enum takc_status gated_map(struct takc_store *s, struct takc_str key, struct takc_map *out, struct takc_err *err)
{
    (void)s;
    return gate.inner->ops->map(gate.inner, key, out, err);
}

static struct takc_store_ops gated = {.name = "gated", .get = gated_get, .map = gated_map};

/* ---- a home with a version of one document ---- */

static char root[64];
static struct takc_home *home;
static struct takc_snapshots *pool;

static void fill(void)
{
    char file[96];
    struct takc_err err = {0};
    const char *const paths[] = {file};
    struct takc_ingest_report in;
    struct takc_compress_report report;
    (void)snprintf(file, sizeof(file), "%s-a.txt", root);
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    for (int i = 0; i < 40; i++)
        assert_true(fprintf(f, "Plant %d shipped %d tonnes in June. ", i, 100 + 7 * i) > 0);
    assert_int_equal(fclose(f), 0);
    const struct takc_ingest_options o = {.task = takc_str("fin")};
    const struct takc_compress_options c = {.task = takc_str("fin")};
    if (takc_task_write(home, takc_str("fin"), takc_str(""), false, &err) || takc_ingest(home, NULL, paths, 1, &o, &in, &err) ||
        takc_compress(home, NULL, &c, &report, &err))
        fail_msg("%s", err.msg);
    (void)unlink(file);
}

static int setup(void **state)
{
    static const struct takc_home_options create = {.create = true};
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/takc-snapshot-XXXXXX");
    if (!mkdtemp(root) || takc_home_open(&home, root, &create, NULL) || takc_snapshots_open(&pool, NULL))
        return -1;
    fill();
    gated.flags = home->store->ops->flags & TAKC_STORE_MAPS;
    gate.base.ops = &gated;
    gate.inner = home->store;
    home->store = &gate.base;
    (void)alarm(60); /* who waits for what never comes has failed */
    return takc_mutex_init(&gate.mu, NULL) || takc_cond_init(&gate.moved, NULL) ? -1 : 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    (void)alarm(0);
    takc_snapshots_close(pool);
    home->store = gate.inner;
    takc_home_close(home);
    takc_cond_clear(&gate.moved);
    takc_mutex_clear(&gate.mu);
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

/* Opens the current version; the caller closes it. */
static struct takc_snapshot open_one(void)
{
    struct takc_snapshot s;
    struct takc_err err = {0};
    if (takc_snapshot_open(&s, pool, home, takc_str("fin"), takc_str(""), &err))
        fail_msg("%s", err.msg);
    return s;
}

/* Is an index of the home mapped? */
static bool is_mapped(void)
{
    char line[512];
    bool found = false;
    FILE *f = fopen("/proc/self/maps", "r");
    while (f && fgets(line, sizeof(line), f))
        found |= strstr(line, root) && strstr(line, "/index/");
    if (f)
        (void)fclose(f);
    return found;
}

static void remove_manifest(void)
{
    struct takc_key key = takc_key_manifest(takc_str("fin"));
    assert_int_equal(takc_store_del(gate.inner, NULL, takc_str(key.s), NULL), TAKC_OK);
}

static void versions_stay_open_while_a_manifest_has_them(void **state)
{
    (void)state;
    struct takc_snapshot s = open_one();
    const struct takc_snapshot_core *core = s.core;
    takc_snapshot_close(&s);
    takc_snapshots_tidy(pool);
    s = open_one();
    assert_ptr_equal(s.core, core);
    remove_manifest();
    takc_snapshots_tidy(pool); /* it is read */
    assert_true(is_mapped());
    takc_snapshot_close(&s);
    assert_true(is_mapped());
    takc_snapshots_tidy(pool);
    assert_false(is_mapped());
}

static void versions_of_a_home_that_closes_go(void **state)
{
    (void)state;
    struct takc_snapshot s = open_one();
    takc_snapshot_close(&s);
    takc_snapshots_drop(pool, (const struct takc_home *)(const void *)&gate); /* another home */
    assert_true(is_mapped());
    takc_snapshots_drop(pool, home);
    assert_false(is_mapped());
}

static void *tidy(void *arg)
{
    (void)arg;
    kept_out = true;
    takc_snapshots_tidy(pool);
    return NULL;
}

static void set_gate(bool closed)
{
    takc_mutex_lock(&gate.mu);
    gate.closed = closed;
    takc_cond_broadcast(&gate.moved);
    takc_mutex_unlock(&gate.mu);
}

/* Questions open and close versions while a manifest is read for the tidying, however long that takes. */
static void nobody_waits_for_the_tidying(void **state)
{
    (void)state;
    pthread_t thread;
    struct takc_snapshot s = open_one();
    const struct takc_snapshot_core *core = s.core;
    takc_snapshot_close(&s);
    set_gate(true);
    assert_int_equal(takc_thread_start(&thread, "tidy", tidy, NULL, NULL), TAKC_OK);
    takc_mutex_lock(&gate.mu);
    while (!gate.waits)
        takc_cond_wait(&gate.moved, &gate.mu);
    takc_mutex_unlock(&gate.mu);
    for (int i = 0; i < 3; i++) {
        s = open_one();
        assert_ptr_equal(s.core, core);
        takc_snapshot_close(&s);
    }
    s = open_one(); /* and whoever reads what turns out to be gone goes on reading it */
    remove_manifest();
    set_gate(false);
    (void)pthread_join(thread, NULL);
    assert_true(is_mapped());
    takc_snapshot_close(&s);
    takc_snapshots_tidy(pool);
    assert_false(is_mapped());
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(versions_stay_open_while_a_manifest_has_them), T(versions_of_a_home_that_closes_go),
                                       T(nobody_waits_for_the_tidying)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
