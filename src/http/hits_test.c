/* SPDX-License-Identifier: Apache-2.0
 *
 * Uses are counted by home, task and rate, from many threads; what is kept outlives the process, is the sum of all that count, and goes
 * with its task; a full table counts what it has. */
#include "http/hits.h"
#include "http/tenants.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>

enum { MANY = 6000, THREADS = 4, EACH = 10000 };

static struct takc_hits *hits;
static struct takc_home *home;
static struct takc_tenants *tenants;
static char folder[] = "/tmp/takc-hits-XXXXXX";

static int set_up(void **state)
{
    const struct takc_home_options create = {.create = true};
    (void)state;
    if (!mkdtemp(folder) || takc_home_open(&home, folder, &create, NULL) || takc_tenants_open(&tenants, home, NULL))
        return 1;
    return takc_hits_open(&hits, home, tenants, NULL) != TAKC_OK;
}

static int tear_down(void **state)
{
    char command[64];
    (void)state;
    takc_hits_close(hits);
    takc_tenants_close(tenants);
    takc_home_close(home);
    (void)snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command); /* NOLINT(cert-env33-c): a name of our own */
}

static uint64_t n_of(struct takc_home *h, const char *task, takc_rate rate)
{
    return takc_hits_of(hits, h, takc_str(task), rate).n;
}

/* As after a kill, or a stop: what is in memory is gone, kept before or not. */
static void restart(void)
{
    takc_hits_close(hits);
    assert_int_equal(takc_hits_open(&hits, home, tenants, NULL), TAKC_OK);
}

/* Runs a statement on the catalogue, which has been opened; gives its number, if it has one. */
static int64_t sql(struct takc_home *h, const char *text)
{
    char file[PATH_MAX];
    sqlite3 *db;
    sqlite3_stmt *s;
    int64_t n = -1;
    (void)snprintf(file, sizeof(file), "%s/catalog.sqlite", takc_home_path(h));
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &s, NULL), SQLITE_OK);
    if (sqlite3_step(s) == SQLITE_ROW)
        n = sqlite3_column_int64(s, 0);
    assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return n;
}

/* A task is one that has a version. */
static void make_task(struct takc_home *h, const char *name)
{
    char text[128];
    (void)n_of(h, name, TAKC_RATE_HIGH);
    (void)snprintf(text, sizeof(text), "INSERT INTO versions VALUES('%s', '1', 1, 0, 1, 100)", name);
    (void)sql(h, text);
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

static void what_was_counted_outlives_the_process(void **state)
{
    (void)state;
    make_task(home, "kept");
    takc_hits_add(hits, home, takc_str("kept"), TAKC_RATE_LIGHT, 7);
    takc_hits_add(hits, home, takc_str("kept"), TAKC_RATE_LIGHT, 9);
    takc_hits_add(hits, home, takc_str("kept"), 12500, 8);
    assert_int_equal(n_of(home, "kept", TAKC_RATE_LIGHT), 2);
    takc_hits_flush_now(hits);
    assert_int_equal(n_of(home, "kept", TAKC_RATE_LIGHT), 2); /* none twice */
    assert_int_equal(sql(home, "SELECT n FROM hits WHERE task = 'kept' AND rate = 8000"), 2);
    restart();
    struct takc_hit_count c = takc_hits_of(hits, home, takc_str("kept"), TAKC_RATE_LIGHT);
    assert_true(c.n == 2 && c.last_s == 9);
    assert_int_equal(n_of(home, "kept", 12500), 1);
    takc_hits_add(hits, home, takc_str("kept"), TAKC_RATE_LIGHT, 5); /* a clock that was set back */
    c = takc_hits_of(hits, home, takc_str("kept"), TAKC_RATE_LIGHT);
    assert_true(c.n == 3 && c.last_s == 9);
    restart();
    c = takc_hits_of(hits, home, takc_str("kept"), TAKC_RATE_LIGHT);
    assert_true(c.n == 3 && c.last_s == 9);
}

static void servers_on_one_home_sum_up(void **state)
{
    struct takc_hits *other = NULL;
    (void)state;
    make_task(home, "shared");
    assert_int_equal(takc_hits_open(&other, home, NULL, NULL), TAKC_OK);
    for (int i = 0; i < 3; i++) {
        takc_hits_add(hits, home, takc_str("shared"), TAKC_RATE_HIGH, 1);
        takc_hits_add(other, home, takc_str("shared"), TAKC_RATE_HIGH, 2);
    }
    assert_int_equal(n_of(home, "shared", TAKC_RATE_HIGH), 3); /* its own are known at once */
    takc_hits_close(other);
    assert_int_equal(n_of(home, "shared", TAKC_RATE_HIGH), 6);
    restart();
    assert_int_equal(n_of(home, "shared", TAKC_RATE_HIGH), 6);
}

static void counts_go_with_their_task(void **state)
{
    (void)state;
    make_task(home, "gone");
    takc_hits_add(hits, home, takc_str("gone"), TAKC_RATE_HIGH, 1);
    restart();
    assert_int_equal(n_of(home, "gone", TAKC_RATE_HIGH), 1);
    takc_hits_add(hits, home, takc_str("gone"), TAKC_RATE_HIGH, 1);
    assert_int_equal(takc_home_drop_rows(home, takc_str("gone"), NULL), TAKC_OK); /* by whomever: no server has to know */
    restart();
    assert_int_equal(sql(home, "SELECT count(*) FROM hits WHERE task = 'gone'"), 0);
    make_task(home, "gone");
    assert_int_equal(n_of(home, "gone", TAKC_RATE_HIGH), 0);
}

static void tenants_have_their_own(void **state)
{
    struct takc_home *acme = NULL;
    (void)state;
    assert_int_equal(takc_tenants_get(tenants, NULL, takc_str("acme"), true, &acme, NULL), TAKC_OK);
    make_task(acme, "fin");
    make_task(home, "fin");
    takc_hits_add(hits, acme, takc_str("fin"), TAKC_RATE_HIGH, 1);
    takc_hits_add(hits, acme, takc_str("fin"), TAKC_RATE_HIGH, 1);
    takc_hits_add(hits, home, takc_str("fin"), TAKC_RATE_HIGH, 1);
    assert_true(n_of(acme, "fin", TAKC_RATE_HIGH) == 2 && n_of(home, "fin", TAKC_RATE_HIGH) == 1);
    restart();
    assert_true(n_of(acme, "fin", TAKC_RATE_HIGH) == 2 && n_of(home, "fin", TAKC_RATE_HIGH) == 1);
    assert_int_equal(sql(acme, "SELECT sum(n) FROM hits"), 2);
    takc_hits_add(hits, acme, takc_str("fin"), TAKC_RATE_HIGH, 1);
    takc_hits_forget(hits, home, takc_str("fin")); /* another's */
    assert_int_equal(n_of(acme, "fin", TAKC_RATE_HIGH), 3);
    takc_tenants_put(tenants, acme);
}

/* While a flush takes from the table a reader sees neither more nor less than there was. */
static void *read_on(void *arg)
{
    uint64_t last = 0;
    while (!atomic_load((atomic_bool *)arg)) {
        uint64_t n = n_of(home, "read", TAKC_RATE_HIGH);
        if (n < last || n > EACH)
            return arg;
        last = n;
    }
    return NULL;
}

static void a_reader_sees_each_use_once(void **state)
{
    pthread_t t;
    atomic_bool over = false;
    void *wrong;
    (void)state;
    make_task(home, "read");
    assert_int_equal(pthread_create(&t, NULL, read_on, &over), 0);
    for (int i = 0; i < EACH; i++) {
        takc_hits_add(hits, home, takc_str("read"), TAKC_RATE_HIGH, 1);
        if (i % 500 == 0)
            takc_hits_flush_now(hits);
    }
    atomic_store(&over, true);
    assert_int_equal(pthread_join(t, &wrong), 0);
    assert_null(wrong);
    assert_int_equal(n_of(home, "read", TAKC_RATE_HIGH), EACH);
}

static void what_cannot_be_kept_is_kept_later(void **state)
{
    (void)state;
    make_task(home, "later");
    takc_hits_add(hits, home, takc_str("later"), TAKC_RATE_HIGH, 1);
    (void)sql(home, "ALTER TABLE hits RENAME TO aside");
    takc_hits_flush_now(hits);
    assert_int_equal(n_of(home, "later", TAKC_RATE_HIGH), 1); /* of what it has */
    (void)sql(home, "ALTER TABLE aside RENAME TO hits");
    takc_hits_flush_now(hits);
    assert_int_equal(sql(home, "SELECT n FROM hits WHERE task = 'later'"), 1);
    assert_int_equal(n_of(home, "later", TAKC_RATE_HIGH), 1);
}

/* With a use each second, how often is it kept within a time that begins there? */
static unsigned kept_within(uint64_t from_s, uint64_t s)
{
    unsigned n = 0;
    int64_t was = sql(home, "SELECT n FROM hits WHERE task = 'seldom'");
    for (uint64_t at = from_s; at < from_s + s; at++) {
        takc_hits_add(hits, home, takc_str("seldom"), TAKC_RATE_HIGH, 1);
        takc_hits_flush(hits, at * 1000000000u);
        int64_t is = sql(home, "SELECT n FROM hits WHERE task = 'seldom'");
        n += is != was;
        was = is;
    }
    return n;
}

static void uses_are_kept_more_and_more_seldom(void **state)
{
    (void)state;
    make_task(home, "seldom");
    takc_hits_flush_now(hits);
    assert_int_equal(kept_within(1, 16), 4);       /* after 1, 2, 4, 8 seconds */
    assert_int_equal(kept_within(2000, 780), 5);   /* at once, after 32, 64, 128, 256 */
    assert_int_equal(kept_within(2780, 3000), 10); /* each five minutes */
    takc_hits_flush_now(hits);
    assert_int_equal(sql(home, "SELECT n FROM hits WHERE task = 'seldom'"), 3796);
}

/* Counts one use of each of many tasks; how many were counted. */
static uint64_t use_many(const char *begin)
{
    char name[16];
    uint64_t n = 0;
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof(name), "%s%d", begin, i);
        takc_hits_add(hits, home, takc_str(name), TAKC_RATE_HIGH, 1);
        n += takc_hits_of(hits, home, takc_str(name), TAKC_RATE_HIGH).n;
    }
    return n;
}

static void a_full_table_is_no_end(void **state)
{
    char name[16];
    (void)state;
    uint64_t n = use_many("t");
    assert_true(n > 2000 && n <= 4096);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(name, sizeof(name), "t%d", i);
        takc_hits_forget(hits, home, takc_str(name));
    }
    n = use_many("u"); /* in the places of those */
    assert_true(n > 2000 && n <= 4096);
    takc_hits_add(NULL, home, takc_str("x"), TAKC_RATE_HIGH, 1);
    assert_int_equal(takc_hits_of(NULL, home, takc_str("x"), TAKC_RATE_HIGH).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_use_is_lost_between_threads),
                                       cmocka_unit_test(a_forgotten_task_begins_anew),
                                       cmocka_unit_test(what_was_counted_outlives_the_process),
                                       cmocka_unit_test(servers_on_one_home_sum_up),
                                       cmocka_unit_test(counts_go_with_their_task),
                                       cmocka_unit_test(tenants_have_their_own),
                                       cmocka_unit_test(a_reader_sees_each_use_once),
                                       cmocka_unit_test(what_cannot_be_kept_is_kept_later),
                                       cmocka_unit_test(uses_are_kept_more_and_more_seldom),
                                       cmocka_unit_test(a_full_table_is_no_end)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
