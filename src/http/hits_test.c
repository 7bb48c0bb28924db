/* SPDX-License-Identifier: Apache-2.0
 *
 * Uses are counted by home, task and rate, from many threads; a task that is forgotten begins anew; a full table counts what it has. */
#include "http/hits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>

enum { THREADS = 4, EACH = 10000 };

static struct takc_hits *hits;
static struct takc_home *home;
static char folder[] = "/tmp/takc-hits-XXXXXX";

static int set_up(void **state)
{
    const struct takc_home_options create = {.create = true};
    (void)state;
    if (!mkdtemp(folder) || takc_home_open(&home, folder, &create, NULL))
        return 1;
    return takc_hits_new(&hits, NULL) != TAKC_OK;
}

static int tear_down(void **state)
{
    char command[64];
    (void)state;
    takc_hits_free(hits);
    takc_home_close(home);
    (void)snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command); /* NOLINT(cert-env33-c): a name of our own */
}

static void *use(void *arg)
{
    (void)arg;
    for (int i = 0; i < EACH; i++)
        takc_hits_add(hits, home, takc_str("many"), (takc_rate)(1000 * (1 + i % 8)), 5);
    return NULL;
}

static void no_use_is_lost_between_threads(void **state)
{
    pthread_t t[THREADS];
    uint64_t n = 0;
    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, use, NULL), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(t[i], NULL), 0);
    for (takc_rate r = 1; r <= 8; r++)
        n += takc_hits_of(hits, home, takc_str("many"), r * 1000).n;
    assert_int_equal(n, THREADS * EACH);
}

static void a_forgotten_task_begins_anew(void **state)
{
    (void)state;
    assert_int_equal(takc_hits_of(hits, home, takc_str("one"), TAKC_RATE_LIGHT).n, 0);
    takc_hits_add(hits, home, takc_str("one"), TAKC_RATE_LIGHT, 7);
    takc_hits_add(hits, home, takc_str("one"), TAKC_RATE_LIGHT, 9);
    takc_hits_add(hits, home, takc_str("two"), TAKC_RATE_LIGHT, 8);
    struct takc_hit_count c = takc_hits_of(hits, home, takc_str("one"), TAKC_RATE_LIGHT);
    assert_int_equal(c.n, 2);
    assert_int_equal(c.last_s, 9);
    assert_int_equal(takc_hits_of(hits, home, takc_str("one"), TAKC_RATE_ULTRA).n, 0);
    takc_hits_forget(hits, home, takc_str("one"));
    assert_int_equal(takc_hits_of(hits, home, takc_str("one"), TAKC_RATE_LIGHT).n, 0);
    assert_int_equal(takc_hits_of(hits, home, takc_str("two"), TAKC_RATE_LIGHT).n, 1);
    takc_hits_add(hits, home, takc_str("one"), TAKC_RATE_LIGHT, 11);
    assert_int_equal(takc_hits_of(hits, home, takc_str("one"), TAKC_RATE_LIGHT).n, 1);
}

static void a_full_table_is_no_end(void **state)
{
    char name[16];
    uint64_t n = 0;
    (void)state;
    for (int i = 0; i < 10000; i++) {
        (void)snprintf(name, sizeof(name), "t%d", i);
        takc_hits_add(hits, home, takc_str(name), TAKC_RATE_HIGH, 1);
        n += takc_hits_of(hits, home, takc_str(name), TAKC_RATE_HIGH).n;
    }
    assert_true(n > 2000 && n < 5000);
    takc_hits_add(NULL, home, takc_str("x"), TAKC_RATE_HIGH, 1);
    assert_int_equal(takc_hits_of(NULL, home, takc_str("x"), TAKC_RATE_HIGH).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_use_is_lost_between_threads), cmocka_unit_test(a_forgotten_task_begins_anew),
                                       cmocka_unit_test(a_full_table_is_no_end)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
