/* SPDX-License-Identifier: Apache-2.0
 *
 * A gate: so many at a time, in order, left by cancelled calls. Nothing here sleeps to be right: a test looks until the line is as long as
 * it should be. Run under TSan too. */
#include "base/clock.h"
#include "base/gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 40 };

struct guest {
    struct takc_gate *gate;
    struct takc_call call;
    pthread_t thread;
    atomic_int *order, *inside, *most;
    int place; /* in the order of those who came in; -1: did not */
};

static void *visit(void *arg)
{
    struct guest *g = arg;
    g->place = -1;
    if (takc_gate_enter(g->gate, &g->call, NULL))
        return NULL;
    g->place = atomic_fetch_add(g->order, 1);
    int now = atomic_fetch_add(g->inside, 1) + 1, most = atomic_load(g->most);
    while (now > most && !atomic_compare_exchange_weak(g->most, &most, now)) {
    }
    atomic_fetch_sub(g->inside, 1);
    takc_gate_leave(g->gate);
    return NULL;
}

/* Guests come one behind the other while the gate is full. */
static void come(struct takc_gate *gate, struct guest *guests, size_t n, atomic_int *counts)
{
    for (size_t i = 0; i < n; i++) {
        guests[i] = (struct guest){.gate = gate, .order = &counts[0], .inside = &counts[1], .most = &counts[2]};
        takc_call_init(&guests[i].call);
        assert_int_equal(takc_thread_start(&guests[i].thread, "guest", visit, &guests[i], NULL), TAKC_OK);
        while (takc_gate_waiting(gate) < i + 1)
            (void)usleep(200);
    }
}

static void go(struct guest *guests, size_t n)
{
    for (size_t i = 0; i < n; i++)
        (void)pthread_join(guests[i].thread, NULL);
}

static void test_order_and_number(void **state)
{
    struct takc_gate gate;
    struct guest guests[MANY];
    atomic_int counts[3] = {0};
    (void)state;
    assert_int_equal(takc_gate_init(&gate, 1, NULL), TAKC_OK);
    assert_int_equal(takc_gate_enter(&gate, NULL, NULL), TAKC_OK);
    come(&gate, guests, MANY, counts);
    takc_gate_leave(&gate);
    go(guests, MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(guests[i].place, i);
    assert_int_equal(atomic_load(&counts[2]), 1);
    takc_gate_clear(&gate);
}

static void test_who_gives_up(void **state)
{
    struct takc_gate gate;
    struct guest guests[3];
    atomic_int counts[3] = {0};
    struct takc_call late;
    struct takc_err err = {0};
    (void)state;
    assert_int_equal(takc_gate_init(&gate, 2, NULL), TAKC_OK);
    assert_int_equal(takc_gate_enter(&gate, NULL, NULL), TAKC_OK);
    assert_int_equal(takc_gate_enter(&gate, NULL, NULL), TAKC_OK);
    come(&gate, guests, 3, counts);
    atomic_store(&guests[0].call.cancel, true); /* the head of the line */
    atomic_store(&guests[2].call.cancel, true);
    (void)pthread_join(guests[0].thread, NULL);
    (void)pthread_join(guests[2].thread, NULL);
    assert_int_equal(guests[0].place, -1);
    assert_int_equal(guests[2].place, -1);
    assert_int_equal(takc_gate_waiting(&gate), 1);
    takc_call_init(&late);
    late.deadline_ns = 1;
    assert_int_equal(takc_gate_enter(&gate, &late, &err), TAKC_TIMEOUT);
    takc_gate_leave(&gate);
    (void)pthread_join(guests[1].thread, NULL);
    assert_int_equal(guests[1].place, 0);
    takc_gate_leave(&gate);
    takc_gate_clear(&gate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order_and_number), cmocka_unit_test(test_who_gives_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
