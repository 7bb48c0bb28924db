/* SPDX-License-Identifier: Apache-2.0
 *
 * The audit trail: rows written and read, old ones removed, rows of several threads. */
#include "catalog/audit.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { DAY_S = 86400, NOW_S = 1795000000 };

static char root[64];
static struct takc_home *home;

static int setup(void **state)
{
    static const struct takc_home_options create = {.create = true};
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/takc-audit-XXXXXX");
    return !mkdtemp(root) || takc_home_open(&home, root, &create, NULL) ? -1 : 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    takc_home_close(home);
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

static struct takc_audit_row row(int64_t at_s, const char *path, int status)
{
    return (struct takc_audit_row){.at_s = at_s,
                                   .tenant = takc_str("acme"),
                                   .subject = takc_str("key:k1"),
                                   .peer = takc_str("::1"),
                                   .request_id = takc_str("r-9"),
                                   .action = takc_str("putTask"),
                                   .path = takc_str(path),
                                   .status = status};
}

struct got {
    size_t n;
    struct takc_audit_row last;
    char path[64], subject[16];
};

static void on_row(void *arg, const struct takc_audit_row *r)
{
    struct got *g = arg;
    g->n++;
    g->last = *r;
    (void)snprintf(g->path, sizeof(g->path), "%.*s", TAKC_STR_ARG(r->path));
    (void)snprintf(g->subject, sizeof(g->subject), "%.*s", TAKC_STR_ARG(r->subject));
}

static struct got rows_of(int64_t since_s, int64_t until_s)
{
    struct got g = {.n = 0};
    assert_int_equal(takc_home_audit_each(home, since_s, until_s, on_row, &g, NULL), TAKC_OK);
    return g;
}

static void rows_are_written_and_read(void **state)
{
    (void)state;
    struct takc_audit_row r = row(NOW_S, "/tasks/a'b", 201);
    assert_int_equal(takc_home_audit(home, &r, true, 90, NULL), TAKC_OK);
    r = row(NOW_S + 5, "/tasks/c", 403);
    assert_int_equal(takc_home_audit(home, &r, false, 90, NULL), TAKC_OK);
    struct got g = rows_of(NOW_S, NOW_S + 5);
    assert_int_equal(g.n, 1);
    assert_string_equal(g.path, "/tasks/a'b");
    assert_string_equal(g.subject, "key:k1");
    assert_int_equal(g.last.status, 201);
    assert_int_equal(g.last.at_s, NOW_S);
    assert_int_equal(rows_of(0, 0).n, 2);
}

static void old_rows_go(void **state)
{
    (void)state;
    struct takc_audit_row r = row(NOW_S - 10 * DAY_S, "/old", 200);
    assert_int_equal(takc_home_audit(home, &r, false, 0, NULL), TAKC_OK);
    assert_int_equal(takc_home_audit_prune(home, NOW_S, 0, NULL), TAKC_OK); /* 0: for ever */
    assert_int_equal(rows_of(0, NOW_S).n, 1);
    assert_int_equal(takc_home_audit_prune(home, NOW_S, 11, NULL), TAKC_OK);
    assert_int_equal(rows_of(0, NOW_S).n, 1);
    assert_int_equal(takc_home_audit_prune(home, NOW_S, 9, NULL), TAKC_OK);
    assert_int_equal(rows_of(0, NOW_S).n, 0);
    assert_int_equal(rows_of(0, 0).n, 2); /* those of the test before */
}

static void *write_rows(void *arg)
{
    struct takc_audit_row r = row(NOW_S + 100, "/thread", 200);
    (void)arg;
    for (int i = 0; i < 50; i++)
        assert_int_equal(takc_home_audit(home, &r, false, 90, NULL), TAKC_OK);
    return NULL;
}

static void threads_lose_no_row(void **state)
{
    (void)state;
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_rows, NULL), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(rows_of(NOW_S + 100, 0).n, 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_written_and_read),
        cmocka_unit_test(old_rows_go),
        cmocka_unit_test(threads_lose_no_row),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
