/* SPDX-License-Identifier: Apache-2.0
 *
 * Buckets, days and what is said of them, on a clock of the test; over a restart in a real home. */
#include "http/quota.h"

#include "catalog/home.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define MS 1000000u

static uint64_t now_ns;
static int64_t wall_from;

static uint64_t mono(const struct takc_clock *c)
{
    (void)c;
    return now_ns;
}
static int64_t wall(const struct takc_clock *c)
{
    (void)c;
    return wall_from + (int64_t)(now_ns / 1000000000u);
}
static void no_sleep(const struct takc_clock *c, uint64_t ns)
{
    (void)c, (void)ns;
}
static const struct takc_clock clock_of_test = {mono, wall, no_sleep};

static int begin(void **state)
{
    (void)state;
    now_ns = 5000000000u;
    wall_from = 1800000000;
    return 0;
}

static struct takc_identity who_is(const char *tenant, const char *subject)
{
    return (struct takc_identity){.subject = takc_str(subject), .tenant = takc_str(tenant)};
}

static struct takc_quota *open_quota(struct takc_quota_options o)
{
    struct takc_quota *q = NULL;
    struct takc_err err;
    o.counters.clock = &clock_of_test;
    if (takc_quota_open(&q, &o, &err))
        fail_msg("%s", err.msg);
    return q;
}

/* How many of n requests get in. */
static unsigned admitted(struct takc_quota *q, const struct takc_identity *who, const char *peer, enum takc_quota_what what, unsigned n)
{
    struct takc_quota_answer a;
    unsigned good = 0;
    for (unsigned i = 0; i < n; i++) {
        assert_int_equal(takc_quota_take(q, who, takc_str(peer), what, 1, &a, NULL), TAKC_OK);
        good += a.admitted;
    }
    return good;
}

static void a_bucket_empties_and_fills(void **state)
{
    struct takc_quota *q = open_quota((struct takc_quota_options){.per_s = 100, .burst = 200});
    struct takc_identity who = who_is("", "key:a"), other = who_is("", "key:b");
    struct takc_quota_answer a;
    (void)state;
    assert_int_equal(admitted(q, &who, "", TAKC_QUOTA_QUERY, 300), 200);
    assert_int_equal(admitted(q, &other, "", TAKC_QUOTA_QUERY, 1), 1);
    assert_int_equal(takc_quota_take(q, &who, takc_str(""), TAKC_QUOTA_QUERY, 1, &a, NULL), TAKC_OK);
    assert_false(a.admitted);
    assert_int_equal(a.retry_s, 1);
    assert_string_equal(a.why, "too many requests: the limit of this key is 200 in 2 s");
    assert_int_equal(a.n_lines, 1);
    assert_true(a.lines[0].limit == 200 && a.lines[0].left == 0 && a.lines[0].reset_s == 2 && a.lines[0].window_s == 2);
    now_ns += 10 * MS; /* one comes back */
    assert_int_equal(admitted(q, &who, "", TAKC_QUOTA_QUERY, 3), 1);
    now_ns += 500 * MS;
    assert_int_equal(admitted(q, &who, "", TAKC_QUOTA_QUERY, 100), 50);
    now_ns += 3600000 * (uint64_t)MS; /* never more than the burst */
    assert_int_equal(admitted(q, &who, "", TAKC_QUOTA_QUERY, 300), 200);
    takc_quota_close(q);
}

static void an_address_counts_for_itself(void **state)
{
    struct takc_quota *q = open_quota((struct takc_quota_options){.per_s = 1, .burst = 3});
    struct takc_identity who[4] = {who_is("", "a"), who_is("", "b"), who_is("", "c"), who_is("", "d")};
    struct takc_quota_answer a;
    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(admitted(q, &who[i], "192.0.2.7", 0, 1), 1);
    assert_int_equal(takc_quota_take(q, &who[3], takc_str("192.0.2.7"), 0, 1, &a, NULL), TAKC_OK);
    assert_false(a.admitted);
    assert_string_equal(a.why, "too many requests: the limit of this address is 3 in 3 s");
    assert_int_equal(admitted(q, &who[3], "192.0.2.8", 0, 1), 1);
    assert_int_equal(admitted(q, &who[3], "192.0.2.9", 0, 3), 2); /* what the address refused was not taken of the key */
    assert_int_equal(admitted(q, NULL, "2001:db8:1:2::1", 0, 2), 2);
    assert_int_equal(admitted(q, NULL, "2001:db8:1:2:ffff::9", 0, 2), 1); /* the same /64 */
    assert_int_equal(admitted(q, NULL, "2001:db8:1:3::1", 0, 2), 2);
    assert_int_equal(admitted(q, NULL, "::ffff:192.0.2.8", 0, 2), 2); /* IPv4 on a socket of IPv6: each for itself */
    assert_int_equal(admitted(q, NULL, "::ffff:192.0.2.9", 0, 2), 2);
    takc_quota_close(q);
}

static void each_kind_has_its_minute(void **state)
{
    struct takc_quota *q = open_quota((struct takc_quota_options){.per_min = {0, 100, 10, 5}});
    struct takc_identity who = who_is("acme", "key:a");
    struct takc_quota_answer a;
    (void)state;
    assert_int_equal(admitted(q, &who, "192.0.2.7", TAKC_QUOTA_COMPRESS, 8), 5);
    assert_int_equal(admitted(q, &who, "192.0.2.7", TAKC_QUOTA_PROCESS, 12), 10);
    assert_int_equal(admitted(q, &who, "192.0.2.7", TAKC_QUOTA_NOTHING, 500), 500);
    assert_int_equal(takc_quota_take(q, &who, takc_str(""), TAKC_QUOTA_COMPRESS, 1, &a, NULL), TAKC_OK);
    assert_true(!a.admitted && a.retry_s == 12 && a.lines[0].reset_s == 60);
    assert_string_equal(a.lines[0].name, "compress");
    now_ns += 12000 * (uint64_t)MS;
    assert_int_equal(admitted(q, &who, "192.0.2.7", TAKC_QUOTA_COMPRESS, 2), 1);
    assert_int_equal(admitted(q, &who, "", TAKC_QUOTA_QUERY, 1), 1); /* and 98 more in a batch of 99 */
    assert_int_equal(takc_quota_take_more(q, &who, TAKC_QUOTA_QUERY, 98, 1, &a, NULL), TAKC_OK);
    assert_true(a.admitted && a.lines[0].left == 1);
    assert_int_equal(takc_quota_take_more(q, &who, TAKC_QUOTA_QUERY, 2, 0, &a, NULL), TAKC_OK);
    assert_true(!a.admitted && a.lines[0].left == 1);
    assert_int_equal(takc_quota_take_more(q, &who, TAKC_QUOTA_QUERY, 101, 0, &a, NULL), TAKC_OK);
    assert_false(a.admitted);
    assert_string_equal(a.why, "too many questions at once: at most 100");
    takc_quota_close(q);
}

static void a_batch_that_is_refused_took_nothing(void **state)
{
    struct takc_quota *q = open_quota((struct takc_quota_options){.per_s = 1, .burst = 100, .per_min = {[TAKC_QUOTA_QUERY] = 10}});
    struct takc_identity who = who_is("acme", "key:a");
    struct takc_quota_answer a;
    (void)state;
    for (int i = 0; i < 20; i++) { /* whatever is asked for, and however often */
        assert_int_equal(takc_quota_take(q, &who, takc_str(""), TAKC_QUOTA_QUERY, 1, &a, NULL), TAKC_OK);
        assert_true(a.admitted && a.lines[1].left == 9);
        assert_int_equal(takc_quota_take_more(q, &who, TAKC_QUOTA_QUERY, 10 + (uint64_t)i, 1, &a, NULL), TAKC_OK);
        assert_true(!a.admitted && a.lines[0].left == 10 && a.lines[0].reset_s == 0);
        assert_string_equal(a.why, "too many questions at once: at most 10");
    }
    assert_int_equal(takc_quota_take(q, &who, takc_str(""), TAKC_QUOTA_NOTHING, 1, &a, NULL), TAKC_OK);
    assert_int_equal(a.lines[0].left, 79); /* each was a request */
    assert_int_equal(admitted(q, &who, "", TAKC_QUOTA_QUERY, 5), 5);
    assert_int_equal(takc_quota_take_more(q, &who, TAKC_QUOTA_QUERY, 6, 1, &a, NULL), TAKC_OK);
    assert_true(!a.admitted && a.lines[0].left == 6 && a.retry_s == 6); /* one of the seven comes in six seconds */
    now_ns += 6000 * (uint64_t)MS;
    assert_int_equal(admitted(q, &who, "", TAKC_QUOTA_QUERY, 1), 1);
    assert_int_equal(takc_quota_take_more(q, &who, TAKC_QUOTA_QUERY, 6, 1, &a, NULL), TAKC_OK);
    assert_true(a.admitted && a.lines[0].left == 0);
    assert_int_equal(admitted(q, &who, "", TAKC_QUOTA_QUERY, 1), 0); /* with none left not even the head is let in */
    now_ns += 600000 * (uint64_t)MS;
    assert_int_equal(takc_quota_take_more(q, &who, TAKC_QUOTA_QUERY, 10, 1, &a, NULL), TAKC_OK);
    assert_true(!a.admitted && a.lines[0].left == 10); /* time has brought it already: no more than all */
    takc_quota_close(q);
}

static void a_day_is_told(void **state)
{
    const uint64_t dollar = UINT64_C(1000000000000);
    struct takc_quota *q = open_quota((struct takc_quota_options){.per_s = 100, .tokens_per_day = 1000, .picodollars_per_day = 2 * dollar});
    struct takc_identity who = who_is("acme", "key:a");
    struct takc_quota_answer a;
    uint64_t left_s = (uint64_t)(86400 - wall(NULL) % 86400);
    (void)state;
    takc_quota_spend(q, &who, 400, dollar / 2);
    assert_int_equal(takc_quota_take(q, &who, takc_str(""), TAKC_QUOTA_QUERY, 1, &a, NULL), TAKC_OK);
    assert_true(a.admitted && a.n_lines == 3);
    assert_string_equal(a.lines[0].name, "tokens");
    assert_true(a.lines[0].limit == 1000 && a.lines[0].left == 600 && a.lines[0].window_s == 86400 && a.lines[0].reset_s == left_s);
    assert_string_equal(a.lines[1].name, "microusd");
    assert_true(a.lines[1].limit == 2000000 && a.lines[1].left == 1500000);
    assert_string_equal(a.lines[2].name, "key");
    takc_quota_spend(q, &who, 600, 0);
    assert_int_equal(takc_quota_take(q, &who, takc_str(""), TAKC_QUOTA_QUERY, 1, &a, NULL), TAKC_OK);
    assert_true(!a.admitted && a.n_lines == 1 && a.lines[0].left == 0 && a.retry_s == left_s);
    assert_int_equal(takc_quota_take(q, &who, takc_str(""), TAKC_QUOTA_PROCESS, 1, &a, NULL), TAKC_OK);
    assert_true(a.admitted && a.n_lines == 1); /* what asks no model is not told of it */
    takc_quota_close(q);
}

static void a_day_has_its_end(void **state)
{
    struct takc_quota *q = open_quota((struct takc_quota_options){.tokens_per_day = 1000, .picodollars_per_day = 5000});
    struct takc_identity who = who_is("acme", "key:a"), same = who_is("acme", "key:b"), other = who_is("beta", "key:a");
    struct takc_quota_answer a;
    (void)state;
    takc_quota_spend(q, &who, 999, 0);
    assert_int_equal(admitted(q, &same, "", TAKC_QUOTA_QUERY, 1), 1);
    takc_quota_spend(q, &who, 5, 0); /* what is under way may pass it */
    assert_int_equal(admitted(q, &same, "", TAKC_QUOTA_QUERY, 1), 0);
    assert_int_equal(admitted(q, &same, "", TAKC_QUOTA_PROCESS, 1), 1); /* asks no model */
    takc_quota_spend(q, &other, 1, 5000);
    assert_int_equal(takc_quota_take(q, &other, takc_str(""), TAKC_QUOTA_COMPRESS, 1, &a, NULL), TAKC_OK);
    assert_false(a.admitted);
    assert_int_equal(a.retry_s, 86400 - wall(NULL) % 86400);
    assert_non_null(strstr(a.why, "today's money for models is used up"));
    now_ns += (uint64_t)a.retry_s * 1000 * MS;
    assert_int_equal(admitted(q, &same, "", TAKC_QUOTA_QUERY, 1), 1);
    wall_from -= 2 * 86400; /* a clock that is set back gives nothing back */
    takc_quota_spend(q, &who, 1000, 0);
    assert_int_equal(admitted(q, &same, "", TAKC_QUOTA_QUERY, 1), 0);
    takc_quota_close(q);
}

static void strangers_do_not_fill_the_memory(void **state)
{
    struct takc_counters_options co = {.entries_max = 1000, .clock = &clock_of_test};
    struct takc_counters *c = NULL;
    struct takc_bucket_state s;
    bool taken;
    char key[32];
    uint64_t total;
    (void)state;
    assert_int_equal(takc_counters_memory(&c, &co, NULL), TAKC_OK);
    assert_int_equal(c->ops->add(c, takc_str("money acme"), 20000, 77, &total, NULL), TAKC_OK);
    struct takc_bucket b = {.key = takc_str("slow"), .interval_ns = 12000 * (uint64_t)MS, .burst = 5, .cost = 5};
    assert_int_equal(c->ops->take(c, &b, 1, &s, &taken, NULL), TAKC_OK);
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(key, sizeof(key), "address %d", i);
        const struct takc_bucket one = {.key = takc_str(key), .interval_ns = 10 * MS, .burst = 200, .cost = 1};
        assert_int_equal(c->ops->take(c, &one, 1, &s, &taken, NULL), TAKC_OK);
        assert_true(taken && s.left == 199);
        now_ns += i % 4 ? 0 : 1000; /* none of them is full before the next */
    }
    assert_true(takc_counters_memory_size(c) <= 1000);
    assert_int_equal(c->ops->take(c, &b, 1, &s, &taken, NULL), TAKC_OK);
    assert_false(taken); /* the emptiest stay, and what a day has taken */
    assert_int_equal(c->ops->add(c, takc_str("money acme"), 20000, 0, &total, NULL), TAKC_OK);
    assert_int_equal(total, 77);
    c->ops->close(c);
}

static void counts_outlive_the_process(void **state)
{
    char path[] = "/tmp/takc-quota-XXXXXX", command[64];
    struct takc_quota_options o = {.per_min = {0, 100, 5, 5}, .tokens_per_day = 1000};
    struct takc_identity who = who_is("acme", "key:a");
    struct takc_err err;
    (void)state;
    assert_non_null(mkdtemp(path));
    if (takc_home_open(&o.counters.home, path, &(struct takc_home_options){.create = true}, &err))
        fail_msg("%s", err.msg);
    struct takc_quota *q = open_quota(o);
    assert_int_equal(admitted(q, &who, "", TAKC_QUOTA_PROCESS, 5), 5);
    takc_quota_spend(q, &who, 1000, 3);
    takc_quota_flush(q); /* from here on it is killed: another one reads what is there */
    struct takc_quota *next = open_quota(o);
    assert_int_equal(admitted(next, &who, "", TAKC_QUOTA_PROCESS, 1), 0);
    assert_int_equal(admitted(next, &who, "", TAKC_QUOTA_QUERY, 1), 0); /* the day's tokens */
    takc_quota_close(next);
    takc_quota_close(q);
    wall_from += 30; /* a start later, 25 s of them; the machine's own clock begins anew */
    now_ns = 1000;
    q = open_quota(o);
    assert_int_equal(admitted(q, &who, "", TAKC_QUOTA_PROCESS, 5), 2);
    takc_quota_close(q);
    wall_from -= 400000; /* a wall clock that was set back: empty, not closed for days */
    q = open_quota(o);
    assert_int_equal(admitted(q, &who, "", TAKC_QUOTA_PROCESS, 1), 0);
    now_ns += 60000 * (uint64_t)MS;
    assert_int_equal(admitted(q, &who, "", TAKC_QUOTA_PROCESS, 6), 5);
    takc_quota_close(q);
    takc_home_close(o.counters.home);
    (void)snprintf(command, sizeof(command), "rm -rf %s", path);
    assert_int_equal(system(command), 0);
}

struct crowd {
    struct takc_quota *q;
    atomic_uint n_good;
};

static void *push_in(void *arg)
{
    struct crowd *c = arg;
    struct takc_identity who = who_is("", "key:a");
    atomic_fetch_add(&c->n_good, admitted(c->q, &who, "192.0.2.7", TAKC_QUOTA_QUERY, 500));
    for (int i = 0; i < 100; i++) {
        takc_quota_spend(c->q, &who, 3, 5);
        takc_quota_flush(c->q);
    }
    return NULL;
}

/* However many push at once: as many get in as there is room for, and nothing of what they spend is lost. */
static void a_crowd_gets_what_there_is(void **state)
{
    struct crowd c = {.q = open_quota((struct takc_quota_options){.per_s = 100, .burst = 777, .tokens_per_day = 2401})};
    struct takc_identity who = who_is("", "key:b");
    pthread_t t[8];
    (void)state;
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&t[i], NULL, push_in, &c), 0);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_join(t[i], NULL), 0);
    assert_int_equal(atomic_load(&c.n_good), 777);
    assert_int_equal(admitted(c.q, &who, "", TAKC_QUOTA_QUERY, 1), 1); /* 2,400 are spent */
    takc_quota_spend(c.q, &who, 1, 0);
    assert_int_equal(admitted(c.q, &who, "", TAKC_QUOTA_QUERY, 1), 0);
    takc_quota_close(c.q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_bucket_empties_and_fills, begin),
        cmocka_unit_test_setup(an_address_counts_for_itself, begin),
        cmocka_unit_test_setup(each_kind_has_its_minute, begin),
        cmocka_unit_test_setup(a_batch_that_is_refused_took_nothing, begin),
        cmocka_unit_test_setup(a_day_is_told, begin),
        cmocka_unit_test_setup(a_day_has_its_end, begin),
        cmocka_unit_test_setup(strangers_do_not_fill_the_memory, begin),
        cmocka_unit_test_setup(counts_outlive_the_process, begin),
        cmocka_unit_test_setup(a_crowd_gets_what_there_is, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
