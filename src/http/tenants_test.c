/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of tenants' homes: opened once, shared, kept, let go; the empty home; many threads at once. */
#include "base/file.h"
#include "http/admit.h"
#include "http/tenants.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];
static struct takc_home *home;
static struct takc_tenants *tenants;

static int setup(void **state)
{
    static const struct takc_home_options create = {.create = true};
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/takc-tenants-XXXXXX");
    return !mkdtemp(root) || takc_home_open(&home, root, &create, NULL) || takc_tenants_open(&tenants, home, NULL) ? -1 : 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    takc_tenants_close(tenants);
    takc_home_close(home);
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

static struct takc_home *get(const char *name, bool make)
{
    struct takc_home *h = NULL;
    struct takc_err err = {0};
    if (takc_tenants_get(tenants, NULL, takc_str(name), make, &h, &err))
        fail_msg("%s: %s", name, err.msg);
    return h;
}

static bool ends_in(const struct takc_home *h, const char *tail)
{
    return takc_str_ends(takc_str(takc_home_path(h)), takc_str(tail));
}

static void test_one(void **state)
{
    (void)state;
    assert_ptr_equal(get("", false), home);
    takc_tenants_put(tenants, home);
    takc_tenants_put(tenants, NULL);
    struct takc_home *none = get("acme", false), *also = get("other", false);
    assert_ptr_equal(none, also);
    assert_true(ends_in(none, "/tenants/.empty"));
    struct takc_home *made = get("acme", true), *again = get("acme", false);
    assert_true(ends_in(made, "/tenants/acme"));
    assert_ptr_equal(made, again);
    assert_int_equal(takc_tenants_count(tenants), 2);
    takc_tenants_put(tenants, none);
    takc_tenants_put(tenants, also);
    takc_tenants_put(tenants, made);
    takc_tenants_put(tenants, again);
    assert_ptr_equal(get("acme", false), made); /* it was kept open */
    takc_tenants_put(tenants, made);
}

static void test_names(void **state)
{
    static const char *const wrong[] = {"..", ".empty", "a/b", "../acme", "Acme", "tenants", "a b", "\xc3\xa9", "-a"};
    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct takc_home *h = NULL;
        assert_int_equal(takc_tenants_get(tenants, NULL, takc_str(wrong[i]), true, &h, NULL), TAKC_INVALID);
        assert_null(h);
    }
}

/* What cannot be opened takes no place, and the next one may try. */
static void test_damaged(void **state)
{
    char path[128];
    struct takc_home *h = NULL;
    struct takc_err err;
    (void)state;
    takc_tenants_put(tenants, get("hurt", true));
    takc_tenants_close(tenants); /* closes it */
    assert_int_equal(takc_tenants_open(&tenants, home, NULL), TAKC_OK);
    (void)snprintf(path, sizeof(path), "%s/tenants/hurt/home.json", root);
    assert_int_equal(takc_file_write(path, takc_str("{"), NULL), TAKC_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(takc_tenants_get(tenants, NULL, takc_str("hurt"), true, &h, &err), TAKC_CORRUPT);
        assert_null(h);
    }
    assert_int_equal(takc_tenants_count(tenants), 0);
    assert_int_equal(takc_file_write(path, takc_str("{\"takc_home\": 2}\n"), NULL), TAKC_OK);
    takc_tenants_put(tenants, get("hurt", false));
}

/* As many as may be open; more are BUSY while all are used, and take the place of the longest unused otherwise. */
static void test_bounds(void **state)
{
    struct takc_home *all[TAKC_TENANTS_MAX], *h = NULL;
    char name[16];
    (void)state;
    for (int i = 0; i < TAKC_TENANTS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "t%d", i);
        all[i] = get(name, true);
    }
    assert_int_equal(takc_tenants_get(tenants, NULL, takc_str("more"), true, &h, NULL), TAKC_BUSY);
    assert_int_equal(takc_tenants_count(tenants), TAKC_TENANTS_MAX);
    takc_tenants_put(tenants, all[0]);
    all[0] = get("more", true);
    assert_int_equal(takc_tenants_count(tenants), TAKC_TENANTS_MAX);
    for (int i = 0; i < TAKC_TENANTS_MAX; i++)
        takc_tenants_put(tenants, all[i]);
    assert_int_equal(takc_tenants_count(tenants), TAKC_TENANTS_IDLE);
    h = get("t0", false); /* it was let go, not lost */
    assert_true(ends_in(h, "/tenants/t0"));
    takc_tenants_put(tenants, h);
}

static const char *const wrong_home = "another one's home";

static void *ask_much(void *arg)
{
    unsigned seed = (unsigned)(uintptr_t)arg;
    for (int i = 0; i < 400; i++) {
        char name[16], tail[32];
        struct takc_home *h = NULL;
        seed = seed * 1103515245u + 12345u;
        (void)snprintf(name, sizeof(name), "m%u", (seed >> 16) % 60); /* more than are kept when idle */
        (void)snprintf(tail, sizeof(tail), "/tenants/%s", name);
        if (takc_tenants_get(tenants, NULL, takc_str(name), true, &h, NULL) || !ends_in(h, tail))
            return (void *)(uintptr_t)wrong_home;
        takc_tenants_put(tenants, h);
    }
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t threads[8];
    (void)state;
    for (uintptr_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_much, (void *)(i + 1)), 0);
    for (int i = 0; i < 8; i++) {
        void *wrong = NULL;
        assert_int_equal(pthread_join(threads[i], &wrong), 0);
        if (wrong)
            fail_msg("%s", (const char *)wrong);
    }
    assert_in_range(takc_tenants_count(tenants), 1, TAKC_TENANTS_IDLE);
}

static void test_own_host(void **state)
{
    static const struct {
        const char *host;
        bool own;
    } rows[] = {{"localhost", true},
                {"LocalHost:80", true},
                {"127.0.0.1", true},
                {"127.0.0.1:8080", true},
                {"127.9.8.7", true},
                {"[::1]", true},
                {"[::1]:8080", true},
                {"", false},
                {":80", false},
                {"localhost:", false},
                {"localhost.", false},
                {"localhost.evil", false},
                {"127.0.0.1.evil", false},
                {"128.0.0.1", false},
                {"127.1", false},
                {"localhost:65536", false},
                {"[::1]x", false},
                {"[::1", false},
                {"::1", false},
                {"user@localhost", false},
                {"localhost:80:80", false},
                {"0x7f.0.0.1", false},
                {"127.0.0.1/", false}};
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (takc_admit_own_host(takc_str(rows[i].host)) != rows[i].own)
            fail_msg("'%s'", rows[i].host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one),    cmocka_unit_test(test_names),   cmocka_unit_test(test_damaged),
                                       cmocka_unit_test(test_bounds), cmocka_unit_test(test_threads), cmocka_unit_test(test_own_host)};
    return cmocka_run_group_tests_name("http.tenants", tests, setup, teardown);
}
