/* SPDX-License-Identifier: Apache-2.0
 *
 * Many that wait on few threads: woken by conditions, by time, by threads outside; limits; the end. */
#include "base/clock.h"
#include "base/fiber.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static struct takc_crew *crew_of(unsigned n_threads, size_t running_max, size_t waiting_max)
{
    struct takc_crew *c = NULL;
    const struct takc_crew_options o = {"crew", n_threads, running_max, waiting_max};
    assert_int_equal(takc_crew_open(&c, &o, NULL), TAKC_OK);
    return c;
}

static void push(struct takc_crew *c, void (*run)(void *), void *arg)
{
    assert_int_equal(takc_crew_push(c, (struct takc_job){run, NULL, arg}, NULL), TAKC_OK);
}

static size_t n_threads(void)
{
    size_t n = 0;
    DIR *d = opendir("/proc/self/task");
    assert_non_null(d);
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n - 2;
}

/* --- a gate that opens for all --- */

struct gate {
    struct takc_mutex mu;
    struct takc_cond moved;
    unsigned n_waiting, n_through, n_timed_out;
    bool open;
};

static void gate_init(struct gate *g)
{
    *g = (struct gate){.n_waiting = 0};
    assert_int_equal(takc_mutex_init(&g->mu, NULL), TAKC_OK);
    assert_int_equal(takc_cond_init(&g->moved, NULL), TAKC_OK);
}

static void gate_clear(struct gate *g)
{
    takc_cond_clear(&g->moved);
    takc_mutex_clear(&g->mu);
}

static void go_through(void *arg)
{
    struct gate *g = arg;
    takc_mutex_lock(&g->mu);
    g->n_waiting++;
    takc_cond_broadcast(&g->moved);
    while (!g->open)
        takc_cond_wait(&g->moved, &g->mu);
    g->n_through++;
    takc_cond_broadcast(&g->moved);
    takc_mutex_unlock(&g->mu);
}

/* From a thread of its own: until so many wait, or are through. */
static void until(struct gate *g, const unsigned *what, unsigned n)
{
    takc_mutex_lock(&g->mu);
    while (*what < n)
        takc_cond_wait(&g->moved, &g->mu);
    takc_mutex_unlock(&g->mu);
}

static void a_thousand_wait_on_two_threads(void **state)
{
    (void)state;
#if defined(__SANITIZE_THREAD__)
    enum { N = 100 }; /* it keeps a shadow of each stack */
#else
    enum { N = 1000 };
#endif
    struct gate g;
    gate_init(&g);
    struct takc_crew *c = crew_of(2, N, N);
    size_t before = n_threads();
    for (int i = 0; i < N; i++)
        push(c, go_through, &g);
    until(&g, &g.n_waiting, N);
    struct takc_crew_counts n;
    takc_crew_count(c, &n);
    assert_int_equal(n.running, N);
    assert_int_equal(n.waiting, 0);
    assert_int_equal(n_threads(), before);
    assert_int_equal(g.n_through, 0);
    takc_mutex_lock(&g.mu);
    g.open = true;
    takc_cond_broadcast(&g.moved);
    takc_mutex_unlock(&g.mu);
    until(&g, &g.n_through, N);
    takc_crew_close(c);
    gate_clear(&g);
}

/* --- one at a time, and limits --- */

static void a_signal_wakes_one(void **state)
{
    (void)state;
    struct gate g;
    gate_init(&g);
    struct takc_crew *c = crew_of(1, 3, 2);
    for (unsigned i = 1; i <= 3; i++) {
        push(c, go_through, &g);
        until(&g, &g.n_waiting, i);
    }
    push(c, go_through, &g); /* no room to run */
    push(c, go_through, &g);
    struct takc_err err;
    assert_int_equal(takc_crew_push(c, (struct takc_job){go_through, NULL, &g}, &err), TAKC_BUSY);
    assert_string_equal(err.msg, "2 jobs wait already");
    struct takc_crew_counts n;
    takc_crew_count(c, &n);
    assert_int_equal(n.running, 3);
    assert_int_equal(n.waiting, 2);
    takc_mutex_lock(&g.mu);
    g.open = true;
    takc_cond_signal(&g.moved); /* who goes through wakes the rest */
    takc_mutex_unlock(&g.mu);
    until(&g, &g.n_through, 5);
    takc_crew_close(c);
    gate_clear(&g);
}

/* --- time --- */

struct nap {
    struct gate *g;
    uint64_t ms, until_ns;
    unsigned order;
};

static void sleep_and_tell(void *arg)
{
    struct nap *n = arg;
    const struct takc_clock *clock = takc_clock_system();
    uint64_t from = clock->mono_ns(clock);
    clock->sleep_ns(clock, n->ms * 1000000u);
    assert_true(clock->mono_ns(clock) - from >= n->ms * 1000000u);
    n->until_ns = from + n->ms * 1000000u;
    takc_mutex_lock(&n->g->mu);
    n->order = n->g->n_through++;
    takc_cond_broadcast(&n->g->moved);
    takc_mutex_unlock(&n->g->mu);
}

static void sleepers_wake_in_order_of_time(void **state)
{
    (void)state;
    struct gate g;
    gate_init(&g);
    struct takc_crew *c = crew_of(1, 8, 8);
    struct nap naps[] = {{&g, 90, 0, 9}, {&g, 30, 0, 9}, {&g, 60, 0, 9}, {&g, 1, 0, 9}};
    for (size_t i = 0; i < 4; i++)
        push(c, sleep_and_tell, &naps[i]);
    until(&g, &g.n_through, 4);
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < 4; k++)
            assert_true(naps[i].until_ns + 1000000 >= naps[k].until_ns || naps[i].order < naps[k].order);
    takc_crew_close(c);
    gate_clear(&g);
}

static void give_up_waiting(void *arg)
{
    struct gate *g = arg;
    const struct takc_clock *clock = takc_clock_system();
    uint64_t from = clock->mono_ns(clock);
    takc_mutex_lock(&g->mu);
    while (!g->open && clock->mono_ns(clock) - from < 20000000)
        takc_cond_wait_ms(&g->moved, &g->mu, 20);
    g->n_timed_out += !g->open;
    g->n_through++;
    if (g->n_through == 200)
        takc_cond_broadcast(&g->moved);
    takc_mutex_unlock(&g->mu);
}

static void waits_end_with_their_time(void **state)
{
    (void)state;
    struct gate g;
    gate_init(&g);
    struct takc_crew *c = crew_of(2, 200, 200);
    for (int i = 0; i < 200; i++)
        push(c, give_up_waiting, &g);
    until(&g, &g.n_through, 200);
    assert_int_equal(g.n_timed_out, 200);
    takc_crew_close(c);
    gate_clear(&g);
}

/* --- work inside --- */

struct sum {
    struct takc_mutex mu;
    uint64_t all;
    unsigned n_done;
    struct takc_cond done;
};

static enum takc_status add_number(void *arg, size_t i, struct takc_err *err)
{
    struct sum *s = arg;
    (void)err;
    takc_mutex_lock(&s->mu);
    s->all += i;
    takc_mutex_unlock(&s->mu);
    return TAKC_OK;
}

static void sum_in_parallel(void *arg)
{
    struct sum *s = arg;
    assert_int_equal(takc_parallel_for(3, 100, add_number, s, NULL, NULL), TAKC_OK);
    takc_mutex_lock(&s->mu);
    s->n_done++;
    takc_cond_signal(&s->done);
    takc_mutex_unlock(&s->mu);
}

static void fibers_may_wait_for_threads(void **state)
{
    (void)state;
    struct sum s = {.all = 0};
    assert_int_equal(takc_mutex_init(&s.mu, NULL), TAKC_OK);
    assert_int_equal(takc_cond_init(&s.done, NULL), TAKC_OK);
    struct takc_crew *c = crew_of(2, 20, 20);
    for (int i = 0; i < 20; i++)
        push(c, sum_in_parallel, &s);
    takc_mutex_lock(&s.mu);
    while (s.n_done < 20)
        takc_cond_wait(&s.done, &s.mu);
    assert_int_equal(s.all, 20 * 4950);
    takc_mutex_unlock(&s.mu);
    takc_crew_close(c);
    takc_cond_clear(&s.done);
    takc_mutex_clear(&s.mu);
}

/* --- turns --- */

static atomic_bool was_begun;
static atomic_uint n_turns;

/* Computes, and lets others come first between. */
static void compute(void *arg)
{
    (void)arg;
    for (int i = 0; i < 100000 && !atomic_load(&was_begun); i++) {
        atomic_fetch_add(&n_turns, 1);
        takc_fiber_yield();
    }
}

static void begin_it(void *arg)
{
    (void)arg;
    atomic_store(&was_begun, true);
}

/* On one thread: what computes long keeps nobody from beginning, however many of it there are. */
static void who_yields_lets_others_begin(void **state)
{
    (void)state;
    atomic_store(&was_begun, false);
    atomic_store(&n_turns, 0);
    struct takc_crew *c = crew_of(1, 10, 10);
    for (int i = 0; i < 5; i++)
        push(c, compute, NULL);
    while (atomic_load(&n_turns) < 20)
        ;
    push(c, begin_it, NULL);
    for (int i = 0; i < 20000 && !atomic_load(&was_begun); i++)
        takc_clock_system()->sleep_ns(takc_clock_system(), 100000);
    assert_true(atomic_load(&was_begun));
    assert_true(atomic_load(&n_turns) < 400000);
    takc_crew_close(c);
    takc_fiber_yield(); /* outside: nothing */
}

/* --- the end --- */

static void count_drop(void *arg)
{
    (*(unsigned *)arg)++;
}

static void close_drops_what_waits_and_ends_what_runs(void **state)
{
    (void)state;
    unsigned n_dropped = 0;
    struct gate g;
    gate_init(&g);
    struct takc_crew *c = crew_of(1, 1, 10);
    struct nap nap = {&g, 50, 0, 9};
    push(c, sleep_and_tell, &nap);
    struct takc_crew_counts n;
    do
        takc_crew_count(c, &n);
    while (!n.running);
    for (int i = 0; i < 10; i++)
        assert_int_equal(takc_crew_push(c, (struct takc_job){go_through, count_drop, &n_dropped}, NULL), TAKC_OK);
    takc_crew_close(c);
    assert_int_equal(n_dropped, 10);
    assert_int_equal(g.n_through, 1);
    takc_crew_close(NULL);
    gate_clear(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_wait_on_two_threads),
        cmocka_unit_test(a_signal_wakes_one),
        cmocka_unit_test(sleepers_wake_in_order_of_time),
        cmocka_unit_test(waits_end_with_their_time),
        cmocka_unit_test(fibers_may_wait_for_threads),
        cmocka_unit_test(who_yields_lets_others_begin),
        cmocka_unit_test(close_drops_what_waits_and_ends_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
