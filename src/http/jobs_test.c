/* SPDX-License-Identifier: Apache-2.0
 *
 * jobs_test.c - the runner: jobs run and end, progress is seen, cancelling stops, a stop puts back, the next runner goes on, one of two
 * runners works, the quick thread is free, waits hold no thread of a crew. */
#include "base/clock.h"
#include "base/fiber.h"
#include "http/jobs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64], lock_file[128];
static struct takc_home *home;
static struct takc_arena arena;
static atomic_bool gate; /* lets work end that waits for it */
static atomic_int n_runs, n_ended, n_began;

/* Does what the request says: "ok", "bad", or "gate": waits until it is open or the call cancelled. */
static enum takc_status run(void *arg, const struct takc_job_row *job, struct takc_job_run *r, struct takc_buf *result,
                            struct takc_err *err)
{
    const struct takc_clock *clock = takc_clock_system();
    enum takc_status st = TAKC_OK;
    (void)arg;
    atomic_fetch_add(&n_runs, 1);
    for (uint64_t i = 0; takc_str_is(job->request, "gate") && !atomic_load(&gate) && !st; i++) {
        takc_call_progress(&r->call, "gate", "looks", i % 100 < 50 ? 25 : 50, 100);
        clock->sleep_ns(clock, 2000000);
        st = takc_call_check(&r->call, err);
    }
    if (takc_str_is(job->request, "bad"))
        st = takc_fail(err, TAKC_UPSTREAM, 0, "as asked");
    (void)!takc_buf_add(result, takc_str(st ? "{\"error\":1}" : "{\"good\":1}"), NULL);
    return st;
}

static void ended(void *arg, const struct takc_job_row *job)
{
    (void)arg, (void)job;
    atomic_fetch_add(&n_ended, 1);
}

static void began(void *arg, struct takc_jobs *j)
{
    (void)arg, (void)j;
    atomic_fetch_add(&n_began, 1);
}

static struct takc_jobs *open_runner(void)
{
    struct takc_jobs *j = NULL;
    struct takc_queue *q = NULL;
    assert_int_equal(takc_queue_sqlite_open(&q, home, NULL), TAKC_OK);
    const struct takc_jobs_options o = {.queue = q,
                                        .lock_file = lock_file,
                                        .n_running = 1,
                                        .queued_max = 3,
                                        .attempts_max = 2,
                                        .quick_kind = "process",
                                        .run = run,
                                        .ended = ended,
                                        .began = began};
    assert_int_equal(takc_jobs_open(&j, &o, NULL), TAKC_OK);
    return j;
}

static int setup(void **state)
{
    static const struct takc_home_options create = {.create = true};
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/takc-runner-XXXXXX");
    takc_arena_init(&arena);
    atomic_store(&gate, false);
    atomic_store(&n_runs, 0);
    atomic_store(&n_ended, 0);
    atomic_store(&n_began, 0);
    if (!mkdtemp(root) || takc_home_open(&home, root, &create, NULL))
        return -1;
    (void)snprintf(lock_file, sizeof(lock_file), "%s/locks/.jobs", root);
    return 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    takc_home_close(home);
    takc_arena_clear(&arena);
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

static enum takc_status try_add(struct takc_jobs *j, const char *kind, const char *task, const char *request, struct takc_str *out)
{
    char id[TAKC_JOB_ID_BYTES];
    assert_int_equal(takc_job_id(id, NULL), TAKC_OK);
    *out = takc_arena_dup(&arena, takc_str(id));
    const struct takc_job_row row = {
        .id = *out, .kind = takc_str(kind), .task = takc_str(task), .request = takc_str(request), .subject = takc_str("local")};
    return takc_jobs_add(j, &row, NULL);
}

static struct takc_str add(struct takc_jobs *j, const char *kind, const char *task, const char *request)
{
    struct takc_str id;
    assert_int_equal(try_add(j, kind, task, request, &id), TAKC_OK);
    return id;
}

static struct takc_job_row wait_end(struct takc_jobs *j, struct takc_str id)
{
    struct takc_job_row row;
    assert_int_equal(takc_jobs_wait(j, takc_str(""), id, NULL, 20000, &arena, &row, NULL), TAKC_OK);
    return row;
}

static struct takc_job_row now(struct takc_jobs *j, struct takc_str id)
{
    struct takc_job_row row;
    assert_int_equal(takc_jobs_get(j, takc_str(""), id, &arena, &row, NULL), TAKC_OK);
    return row;
}

/* Waits, at most 20 s, until the job looks like that. */
static void wait_for(struct takc_jobs *j, struct takc_str id, enum takc_job_state state, unsigned progress)
{
    for (int i = 0; i < 400; i++) {
        uint64_t seen = takc_jobs_changes(j);
        struct takc_job_row row = now(j, id);
        if (row.state == state && row.progress >= progress)
            return;
        (void)takc_jobs_wait_change(j, seen, 50);
    }
    fail_msg("the job is %s at %u", takc_job_state_name(now(j, id).state), now(j, id).progress);
}

static void jobs_run_and_end(void **state)
{
    (void)state;
    struct takc_jobs *j = open_runner();
    struct takc_job_row good = wait_end(j, add(j, "compress", "fin", "ok")), bad = wait_end(j, add(j, "compress", "fin", "bad"));
    assert_int_equal(good.state, TAKC_JOB_DONE);
    assert_string_equal(good.result.ptr, "{\"good\":1}");
    assert_int_equal(bad.state, TAKC_JOB_FAILED);
    assert_string_equal(bad.result.ptr, "{\"error\":1}");
    takc_jobs_close(j);
    assert_int_equal(atomic_load(&n_ended), 2);
    assert_int_equal(atomic_load(&n_began), 1);
}

static void progress_and_cancelling(void **state)
{
    (void)state;
    struct takc_jobs *j = open_runner();
    struct takc_str a = add(j, "compress", "fin", "gate"), b = add(j, "compress", "law", "ok"), c;
    wait_for(j, a, TAKC_JOB_RUNNING, 20);
    assert_string_equal(now(j, a).stage.ptr, "gate");
    assert_int_equal(now(j, b).state, TAKC_JOB_QUEUED);                                 /* one at a time */
    assert_int_equal(wait_end(j, add(j, "process", "art", "ok")).state, TAKC_JOB_DONE); /* but for the quick kind */
    (void)add(j, "compress", "law", "ok");
    (void)add(j, "compress", "law", "ok");
    assert_int_equal(try_add(j, "compress", "law", "ok", &c), TAKC_BUSY);
    assert_int_equal(takc_jobs_cancel(j, takc_str(""), b, NULL), TAKC_OK); /* while it waits */
    assert_int_equal(now(j, b).state, TAKC_JOB_CANCELLED);
    assert_int_equal(takc_jobs_cancel(j, takc_str("acme"), a, NULL), TAKC_NOT_FOUND);
    assert_int_equal(takc_jobs_cancel(j, takc_str(""), a, NULL), TAKC_OK);
    assert_int_equal(takc_jobs_cancel(j, takc_str(""), a, NULL), TAKC_CONFLICT);
    assert_int_equal(wait_end(j, a).state, TAKC_JOB_CANCELLED);
    assert_int_equal(wait_end(j, add(j, "compress", "fin", "ok")).state, TAKC_JOB_DONE); /* the thread is free again */
    takc_jobs_close(j);
}

static void a_stop_puts_back_and_the_next_goes_on(void **state)
{
    (void)state;
    struct takc_jobs *j = open_runner();
    struct takc_str a = add(j, "compress", "fin", "gate");
    struct takc_job_row row;
    wait_for(j, a, TAKC_JOB_RUNNING, 1);
    takc_jobs_stop(j);
    assert_int_equal(takc_jobs_wait(j, takc_str(""), a, NULL, 60000, &arena, &row, NULL), TAKC_OK); /* returns at once */
    assert_false(takc_job_ended(row.state));
    takc_jobs_close(j);
    assert_int_equal(atomic_load(&n_ended), 0);
    atomic_store(&gate, true);
    j = open_runner();
    row = wait_end(j, a);
    assert_true(row.state == TAKC_JOB_DONE && row.attempts == 1); /* a stop in good order counts for nothing */
    takc_jobs_close(j);
    assert_int_equal(atomic_load(&n_runs), 2);
}

static void one_of_two_runs_the_jobs(void **state)
{
    (void)state;
    struct takc_jobs *j = open_runner();
    wait_end(j, add(j, "compress", "fin", "ok"));
    struct takc_jobs *other = open_runner();
    struct takc_str a = add(other, "compress", "fin", "ok");
    assert_int_equal(wait_end(other, a).state, TAKC_JOB_DONE); /* by the first */
    assert_int_equal(atomic_load(&n_began), 1);
    struct takc_str b = add(other, "compress", "fin", "gate");
    wait_for(other, b, TAKC_JOB_RUNNING, 1);
    assert_int_equal(takc_jobs_cancel(other, takc_str(""), b, NULL), TAKC_OK); /* the first learns of it */
    assert_int_equal(wait_end(j, add(j, "compress", "fin", "ok")).state, TAKC_JOB_DONE);
    takc_jobs_close(j);
    assert_int_equal(wait_end(other, add(other, "compress", "fin", "ok")).state, TAKC_JOB_DONE); /* takes over */
    assert_int_equal(atomic_load(&n_began), 2);
    takc_jobs_close(other);
}

struct waiting {
    struct takc_jobs *jobs;
    struct takc_str id;
    atomic_int n_begun, n_done;
};

static void wait_on_a_fiber(void *arg)
{
    struct waiting *w = arg;
    struct takc_arena a;
    struct takc_job_row row;
    takc_arena_init(&a);
    atomic_fetch_add(&w->n_begun, 1);
    if (!takc_jobs_wait(w->jobs, takc_str(""), w->id, NULL, 20000, &a, &row, NULL) && row.state == TAKC_JOB_DONE)
        atomic_fetch_add(&w->n_done, 1);
    takc_arena_clear(&a);
}

static void waits_hold_no_thread_of_a_crew(void **state)
{
    enum { WAITERS = 20 };
    static const struct takc_crew_options o = {.name = "test", .n_threads = 1, .running_max = WAITERS, .waiting_max = WAITERS};
    (void)state;
    struct takc_jobs *j = open_runner();
    struct takc_crew *crew = NULL;
    struct waiting w = {.jobs = j, .id = add(j, "compress", "fin", "gate")};
    const struct takc_clock *clock = takc_clock_system();
    assert_int_equal(takc_crew_open(&crew, &o, NULL), TAKC_OK);
    for (int i = 0; i < WAITERS; i++)
        assert_int_equal(takc_crew_push(crew, (struct takc_job){wait_on_a_fiber, NULL, &w}, NULL), TAKC_OK);
    for (int i = 0; i < 10000 && atomic_load(&w.n_begun) < WAITERS; i++)
        clock->sleep_ns(clock, 1000000);
    assert_int_equal(atomic_load(&w.n_begun), WAITERS); /* on one thread */
    atomic_store(&gate, true);
    takc_crew_close(crew);
    assert_int_equal(atomic_load(&w.n_done), WAITERS);
    takc_jobs_close(j);
}

enum { ENDS_UNTOLD = 5 };
static struct takc_queue_ops forgetful; /* the first take is not told, the first ends find no room */
static const struct takc_queue_ops *whole;
static atomic_int n_forgotten_takes, n_forgotten_ends;

static enum takc_status take_untold(struct takc_queue *q, struct takc_str kind, struct takc_arena *a, struct takc_job_row *out,
                                    struct takc_err *err)
{
    enum takc_status st = whole->take(q, kind, a, out, err);
    return st || atomic_fetch_add(&n_forgotten_takes, 1) ? st : takc_fail(err, TAKC_NOMEM, 0, "taken, and not told");
}

static enum takc_status end_untold(struct takc_queue *q, struct takc_str id, enum takc_job_state state, struct takc_str result,
                                   struct takc_err *err)
{
    if (atomic_fetch_add(&n_forgotten_ends, 1) < ENDS_UNTOLD)
        return takc_fail(err, TAKC_FULL, 0, "no room for the end");
    return whole->end(q, id, state, result, err);
}

static void what_was_not_noted_is_begun_anew(void **state)
{
    struct takc_jobs *j = NULL;
    struct takc_queue *q = NULL;
    (void)state;
    assert_int_equal(takc_queue_sqlite_open(&q, home, NULL), TAKC_OK);
    whole = q->ops;
    forgetful = *whole;
    forgetful.take = take_untold;
    forgetful.end = end_untold;
    q->ops = &forgetful;
    const struct takc_jobs_options o = {.queue = q, .n_running = 2, .queued_max = 3, .run = run, .ended = ended, .began = began};
    assert_int_equal(takc_jobs_open(&j, &o, NULL), TAKC_OK);
    struct takc_str first = add(j, "compress", "fin", "ok"); /* taken and not told, then not ended, then run */
    struct takc_str second = add(j, "compress", "fin", "ok");
    assert_int_equal(wait_end(j, first).state, TAKC_JOB_DONE);
    assert_int_equal(now(j, first).attempts, 3);
    assert_int_equal(wait_end(j, second).state, TAKC_JOB_DONE);
    assert_int_equal(now(j, second).attempts, 1);
    assert_int_equal(atomic_load(&n_runs), 3);
    struct takc_str long_one = add(j, "compress", "long", "gate"); /* which is in hand meanwhile, and stays so */
    wait_for(j, long_one, TAKC_JOB_RUNNING, 1);
    atomic_store(&n_forgotten_ends, 0);
    struct takc_str third = add(j, "compress", "fin", "ok");
    assert_int_equal(wait_end(j, third).state, TAKC_JOB_DONE);
    assert_int_equal(now(j, third).attempts, 2);
    assert_true(now(j, long_one).state == TAKC_JOB_RUNNING && now(j, long_one).attempts == 1);
    atomic_store(&gate, true);
    assert_int_equal(wait_end(j, long_one).state, TAKC_JOB_DONE);
    assert_int_equal(atomic_load(&n_began), 1); /* others' uploads are looked at once only */
    takc_jobs_close(j);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(jobs_run_and_end),         T(progress_and_cancelling),        T(a_stop_puts_back_and_the_next_goes_on),
        T(one_of_two_runs_the_jobs), T(waits_hold_no_thread_of_a_crew), T(what_was_not_noted_is_begun_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
