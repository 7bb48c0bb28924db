/* SPDX-License-Identifier: Apache-2.0
 *
 * Pool, parallel loop, log. Nothing here sleeps to be right: threads meet at gates. Run under TSan too. */
#include "base/fault.h"
#include "base/log.h"
#include "base/pool.h"
#include "base/thread.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* A gate that holds jobs until it is opened, and counts who waits there. */
struct gate {
    struct takc_mutex mu;
    struct takc_cond changed;
    int waiting;
    bool open;
};

static void gate_init(struct gate *g)
{
    *g = (struct gate){0};
    assert_int_equal(takc_mutex_init(&g->mu, NULL), TAKC_OK);
    assert_int_equal(takc_cond_init(&g->changed, NULL), TAKC_OK);
}

static void gate_clear(struct gate *g)
{
    takc_mutex_clear(&g->mu);
    takc_cond_clear(&g->changed);
}

static void gate_pass(void *arg)
{
    struct gate *g = arg;
    takc_mutex_lock(&g->mu);
    g->waiting++;
    takc_cond_broadcast(&g->changed);
    while (!g->open)
        takc_cond_wait(&g->changed, &g->mu);
    takc_mutex_unlock(&g->mu);
}

static void gate_wait_for(struct gate *g, int n)
{
    takc_mutex_lock(&g->mu);
    while (g->waiting < n)
        takc_cond_wait(&g->changed, &g->mu);
    takc_mutex_unlock(&g->mu);
}

static void gate_open(struct gate *g)
{
    takc_mutex_lock(&g->mu);
    g->open = true;
    takc_cond_broadcast(&g->changed);
    takc_mutex_unlock(&g->mu);
}

static atomic_int counted, dropped;
static void count(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void every_job_runs_once(void **state)
{
    (void)state;
    struct takc_pool *p = NULL;
    struct takc_err err = {0};
    struct takc_call call;
    takc_call_init(&call);
    atomic_store(&counted, 0);
    assert_int_equal(takc_pool_open(&p, 4, 8, "test", &err), TAKC_OK);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(takc_pool_push(p, (struct takc_job){count, NULL, &counted}, &call, &err), TAKC_OK);
    takc_pool_drain(p);
    assert_int_equal(atomic_load(&counted), 5000);
    for (int i = 0; i < 100; i++)
        assert_int_equal(takc_pool_push(p, (struct takc_job){count, NULL, &counted}, &call, &err), TAKC_OK);
    takc_pool_close(p); /* runs what waits */
    assert_int_equal(atomic_load(&counted), 5100);
    takc_pool_close(NULL);
}

static uint64_t late(const struct takc_clock *c)
{
    (void)c;
    return 1000;
}

static void a_full_queue_says_so(void **state)
{
    (void)state;
    struct takc_pool *p = NULL;
    struct takc_err err = {0};
    struct gate gate;
    gate_init(&gate);
    atomic_store(&counted, 0);
    atomic_store(&dropped, 0);
    assert_int_equal(takc_pool_open(&p, 1, 2, "test", &err), TAKC_OK);
    assert_int_equal(takc_pool_push(p, (struct takc_job){gate_pass, NULL, &gate}, NULL, &err), TAKC_OK);
    gate_wait_for(&gate, 1); /* the worker holds it; the queue is empty again */
    assert_int_equal(takc_pool_push(p, (struct takc_job){count, count, &counted}, NULL, &err), TAKC_OK);
    assert_int_equal(takc_pool_push(p, (struct takc_job){count, count, &counted}, NULL, &err), TAKC_OK);
    assert_int_equal(takc_pool_push(p, (struct takc_job){count, count, &counted}, NULL, &err), TAKC_BUSY);
    assert_string_equal(err.msg, "the queue of 2 is full");
    struct takc_clock clock = *takc_clock_system();
    struct takc_call call;
    takc_call_init(&call);
    clock.mono_ns = late;
    call.clock = &clock;
    call.deadline_ns = 500;
    assert_int_equal(takc_pool_push(p, (struct takc_job){count, count, &counted}, &call, &err), TAKC_TIMEOUT);
    call.deadline_ns = 0;
    atomic_store(&call.cancel, true);
    assert_int_equal(takc_pool_push(p, (struct takc_job){count, count, &counted}, &call, &err), TAKC_CANCELLED);
    takc_pool_cancel(p); /* the two that wait are dropped: the same counter tells it */
    assert_int_equal(atomic_load(&counted), 2);
    gate_open(&gate);
    takc_pool_drain(p);
    assert_int_equal(atomic_load(&counted), 2);
    takc_pool_close(p);
    gate_clear(&gate);
    assert_int_equal(takc_pool_open(&p, 0, 2, "test", &err), TAKC_INVALID);
}

static void pools_meet_a_lack_of_memory(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 20; n++) {
        struct takc_pool *p = NULL;
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        enum takc_status st = takc_pool_open(&p, 2, 4, "test", NULL);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        if (!st) {
            takc_pool_close(p);
            assert_true(n > 3);
            return;
        }
        assert_int_equal(st, TAKC_NOMEM);
    }
    fail();
}

/* --- the loop --- */

struct squares {
    uint64_t out[1000];
    atomic_size_t n_calls;
    size_t bad[2];
    struct takc_call *cancel_at_100;
};

static enum takc_status square(void *arg, size_t i, struct takc_err *err)
{
    struct squares *s = arg;
    atomic_fetch_add(&s->n_calls, 1);
    if (i == s->bad[0] || i == s->bad[1])
        return takc_fail(err, TAKC_CORRUPT, (int)i, "item %zu", i);
    if (s->cancel_at_100 && i == 100)
        atomic_store(&s->cancel_at_100->cancel, true);
    s->out[i] = i * i;
    return TAKC_OK;
}

static void loops_do_every_number(void **state)
{
    (void)state;
    for (unsigned threads = 0; threads <= 8; threads += 2) {
        static struct squares s;
        s = (struct squares){.bad = {SIZE_MAX, SIZE_MAX}};
        assert_int_equal(takc_parallel_for(threads, 1000, square, &s, NULL, NULL), TAKC_OK);
        assert_int_equal(atomic_load(&s.n_calls), 1000);
        for (size_t i = 0; i < 1000; i++)
            assert_true(s.out[i] == i * i);
    }
    assert_int_equal(takc_parallel_for(4, 0, square, NULL, NULL, NULL), TAKC_OK);
}

static void the_lowest_failure_is_the_result(void **state)
{
    (void)state;
    for (int run = 0; run < 50; run++) {
        static struct squares s;
        struct takc_err err = {0};
        s = (struct squares){.bad = {37, 38}};
        assert_int_equal(takc_parallel_for(4, 1000, square, &s, NULL, &err), TAKC_CORRUPT);
        assert_string_equal(err.msg, "item 37");
        assert_int_equal(err.detail, 37);
        for (size_t i = 0; i < 37; i++)
            assert_true(s.out[i] == i * i);
    }
}

static void loops_stop_on_cancel_and_without_memory(void **state)
{
    (void)state;
    static struct squares s;
    struct takc_call call;
    struct takc_err err = {0};
    takc_call_init(&call);
    s = (struct squares){.bad = {SIZE_MAX, SIZE_MAX}, .cancel_at_100 = &call};
    assert_int_equal(takc_parallel_for(4, 1000, square, &s, &call, &err), TAKC_CANCELLED);
    assert_true(atomic_load(&s.n_calls) < 1000);
    takc_fault_arm(TAKC_FAULT_ALLOC, 1, ENOMEM);
    assert_int_equal(takc_parallel_for(4, 1000, square, &s, NULL, &err), TAKC_NOMEM);
    takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
}

/* --- the log --- */

struct seen {
    atomic_int n;
    char last[TAKC_LOG_LINE_MAX];
    bool json, keep;
};

static void see(void *arg, const struct takc_log_line *line)
{
    struct seen *s = arg;
    atomic_fetch_add(&s->n, 1);
    if (s->keep)
        (void)(s->json ? takc_log_json(line, s->last) : takc_log_text(line, s->last));
}

static int64_t fixed_wall(const struct takc_clock *c)
{
    (void)c;
    return 1767323045;
}

static void levels_go_by_subject(void **state)
{
    (void)state;
    static struct seen s;
    struct takc_err err;
    s = (struct seen){.keep = true};
    takc_log(ERROR, "base", "nobody listens");
    assert_int_equal(takc_log_set(see, &s, "warn,cache=debug,cache.redis=error,net=off", NULL, &err), TAKC_OK);
    static const struct {
        enum takc_log_level level;
        const char *subject;
        bool on;
    } rows[] = {{TAKC_LOG_WARN, "base", true},         {TAKC_LOG_INFO, "base", false},     {TAKC_LOG_DEBUG, "cache", true},
                {TAKC_LOG_DEBUG, "cache.disk", true},  {TAKC_LOG_DEBUG, "caches", false},  {TAKC_LOG_WARN, "cache.redis", false},
                {TAKC_LOG_ERROR, "cache.redis", true}, {TAKC_LOG_ERROR, "net.http", false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int before = atomic_load(&s.n);
        takc_log_write(NULL, rows[i].level, rows[i].subject, "x");
        assert_int_equal(atomic_load(&s.n) - before, rows[i].on);
        assert_int_equal(takc_log_on(rows[i].level, rows[i].subject), rows[i].on);
    }
    static const char *const bad[] = {"", "loud", "info,", "=info", "a=", "cache=loud"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(takc_log_set(see, &s, bad[i], NULL, &err), TAKC_INVALID);
    assert_true(takc_log_on(TAKC_LOG_DEBUG, "cache")); /* a failed set changes nothing */
    assert_int_equal(takc_log_set(NULL, NULL, "debug", NULL, &err), TAKC_OK);
    assert_false(takc_log_on(TAKC_LOG_ERROR, "base"));
}

static void lines_have_two_forms(void **state)
{
    (void)state;
    static struct seen s;
    struct takc_clock clock = *takc_clock_system();
    struct takc_call call;
    takc_call_init(&call);
    call.request_id = "r-1";
    clock.wall_s = fixed_wall;
    s = (struct seen){.keep = true};
    assert_int_equal(takc_log_set(see, &s, "info", &clock, NULL), TAKC_OK);
    takc_log_for(&call, INFO, "cache.redis", "hit key=%s\nsecond \"line\"\x01", "a\\b");
    assert_string_equal(s.last, "2026-01-02T03:04:05Z info  cache.redis: hit key=a\\b\\nsecond \"line\"\\u0001 request=r-1\n");
    s.json = true;
    takc_log_for(&call, INFO, "cache.redis", "hit key=%s\nsecond \"line\"\x01\xFF", "a\\b");
    assert_string_equal(s.last, "{\"time\":\"2026-01-02T03:04:05Z\",\"level\":\"info\",\"subject\":\"cache.redis\",\"message\":"
                                "\"hit key=a\\\\b\\nsecond \\\"line\\\"\\u0001\xEF\xBF\xBD\",\"request_id\":\"r-1\"}\n");
    char long_text[4000];
    memset(long_text, '\x02', sizeof(long_text) - 1);
    long_text[sizeof(long_text) - 1] = '\0';
    takc_log(WARN, "base", "%s", long_text);
    size_t n = strlen(s.last);
    assert_true(n < TAKC_LOG_LINE_MAX && strcmp(s.last + n - 3, "\"}\n") == 0);
    assert_int_equal(takc_log_set(NULL, NULL, "off", NULL, NULL), TAKC_OK);
}

static void lines_have_fields(void **state)
{
    (void)state;
    static struct seen s;
    static char long_text[3000];
    struct takc_clock clock = *takc_clock_system();
    clock.wall_s = fixed_wall;
    memset(long_text, 'x', sizeof(long_text) - 1);
    const struct takc_log_field f[] = {{"path", takc_str("/a\"b\n"), false},
                                       {"none", takc_str(""), false},
                                       {"long", takc_str(long_text), false},
                                       {"status", takc_str("200"), true}};
    s = (struct seen){.keep = true};
    assert_int_equal(takc_log_set(see, &s, "info", &clock, NULL), TAKC_OK);
    takc_log_fields(NULL, TAKC_LOG_INFO, "http", "request", f, 4);
    assert_string_equal(s.last, "2026-01-02T03:04:05Z info  http: request path=/a\"b\\n status=200\n");
    s.json = true;
    takc_log_fields(NULL, TAKC_LOG_INFO, "http", "request", f, 4);
    assert_string_equal(s.last, "{\"time\":\"2026-01-02T03:04:05Z\",\"level\":\"info\",\"subject\":\"http\",\"message\":\"request\","
                                "\"path\":\"/a\\\"b\\n\",\"status\":200}\n");
    int before = atomic_load(&s.n);
    takc_log_fields(NULL, TAKC_LOG_DEBUG, "http", "request", f, 4);
    assert_int_equal(atomic_load(&s.n), before);
    assert_int_equal(takc_log_set(NULL, NULL, "off", NULL, NULL), TAKC_OK);
}

static void log_to_a_file_descriptor(void **state)
{
    (void)state;
    int fds[2];
    char got[256] = {0};
    struct takc_clock clock = *takc_clock_system();
    clock.wall_s = fixed_wall;
    assert_int_equal(pipe(fds), 0);
    struct takc_log_fd to = {.fd = fds[1], .before = "\r\033[K"};
    assert_int_equal(takc_log_set(takc_log_to_fd, &to, "debug", &clock, NULL), TAKC_OK);
    takc_log(DEBUG, "a", "b");
    assert_int_equal(takc_log_set(NULL, NULL, "off", NULL, NULL), TAKC_OK);
    assert_true(read(fds[0], got, sizeof(got) - 1) > 0);
    assert_string_equal(got, "\r\033[K2026-01-02T03:04:05Z debug a: b\n");
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static enum takc_status log_much(void *arg, size_t i, struct takc_err *err)
{
    (void)arg, (void)err;
    takc_log(INFO, "test", "line %zu", i);
    if (i % 100 == 0)
        return takc_log_set(see, arg, i % 200 ? "info" : "info,test=info", NULL, err);
    return TAKC_OK;
}

static void many_threads_may_log(void **state)
{
    (void)state;
    static struct seen s;
    s = (struct seen){0};
    assert_int_equal(takc_log_set(see, &s, "info", NULL, NULL), TAKC_OK);
    assert_int_equal(takc_parallel_for(4, 2000, log_much, &s, NULL, NULL), TAKC_OK);
    assert_int_equal(atomic_load(&s.n), 2000);
    assert_int_equal(takc_log_set(NULL, NULL, "off", NULL, NULL), TAKC_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_runs_once),
        cmocka_unit_test(a_full_queue_says_so),
        cmocka_unit_test(pools_meet_a_lack_of_memory),
        cmocka_unit_test(loops_do_every_number),
        cmocka_unit_test(the_lowest_failure_is_the_result),
        cmocka_unit_test(loops_stop_on_cancel_and_without_memory),
        cmocka_unit_test(levels_go_by_subject),
        cmocka_unit_test(lines_have_two_forms),
        cmocka_unit_test(lines_have_fields),
        cmocka_unit_test(log_to_a_file_descriptor),
        cmocka_unit_test(many_threads_may_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
