/* SPDX-License-Identifier: Apache-2.0
 *
 * The queue of jobs: order, one of a task at a time, bounds, tenants, cancelling, cut-off jobs, takers side by side, other processes. */
#include "catalog/jobs.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];
static struct takc_home *home;
static struct takc_queue *queue;
static struct takc_arena arena;

static int setup(void **state)
{
    static const struct takc_home_options create = {.create = true};
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/takc-jobs-XXXXXX");
    takc_arena_init(&arena);
    return !mkdtemp(root) || takc_home_open(&home, root, &create, NULL) || takc_queue_sqlite_open(&queue, home, NULL) ? -1 : 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    queue->ops->close(queue);
    takc_home_close(home);
    takc_arena_clear(&arena);
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

/* Queues one; its id lives as long as the test. */
static struct takc_str add(const char *tenant, const char *kind, const char *task)
{
    char id[TAKC_JOB_ID_BYTES];
    assert_int_equal(takc_job_id(id, NULL), TAKC_OK);
    const struct takc_job_row row = {.id = takc_str(id),
                                     .tenant = takc_str(tenant),
                                     .kind = takc_str(kind),
                                     .task = takc_str(task),
                                     .subject = takc_str("local"),
                                     .request = takc_str("{\"a\":1}")};
    assert_int_equal(queue->ops->add(queue, &row, 100, NULL), TAKC_OK);
    return takc_arena_dup(&arena, takc_str(id));
}

static struct takc_job_row taken(const char *kind)
{
    struct takc_job_row row = {.id = takc_str("none")};
    enum takc_status st = queue->ops->take(queue, takc_str(kind), &arena, &row, NULL);
    assert_true(st == TAKC_OK || st == TAKC_NOT_FOUND);
    return row;
}
#define assert_takes(kind, want) assert_string_equal(taken(kind).id.ptr, (want).ptr)
#define assert_takes_none(kind) assert_string_equal(taken(kind).id.ptr, "none")

static struct takc_job_row got(struct takc_str id)
{
    struct takc_job_row row;
    assert_int_equal(queue->ops->get(queue, takc_str(""), id, &arena, &row, NULL), TAKC_OK);
    return row;
}

static void the_oldest_runs_first_one_of_a_task(void **state)
{
    (void)state;
    struct takc_str a = add("", "compress", "fin"), b = add("", "process", "fin"), c = add("", "process", "law"),
                    d = add("acme", "compress", "fin");
    struct takc_job_row row = taken("");
    assert_string_equal(row.id.ptr, a.ptr);
    assert_true(row.state == TAKC_JOB_RUNNING && row.attempts == 1 && row.created_s > 0 && row.started_s >= row.created_s && !row.ended_s);
    assert_string_equal(row.request.ptr, "{\"a\":1}");
    assert_string_equal(row.kind.ptr, "compress");
    assert_takes("process", c); /* b is of a's task */
    assert_int_equal(queue->ops->end(queue, a, TAKC_JOB_QUEUED, takc_str(""), NULL), TAKC_OK);
    assert_takes_none("process"); /* b does not overtake a */
    assert_takes("compress", a);
    assert_takes("", d); /* another tenant's fin is another task */
    assert_takes_none("");
    assert_int_equal(queue->ops->end(queue, a, TAKC_JOB_DONE, takc_str("{}"), NULL), TAKC_OK);
    assert_takes("", b);
    row = got(a);
    assert_true(row.state == TAKC_JOB_DONE && row.progress == 100 && row.ended_s >= row.started_s);
    assert_string_equal(row.result.ptr, "{}");
    assert_int_equal(row.request.len, 0); /* examples that were sent with it are not kept */
}

static void a_full_queue_is_busy(void **state)
{
    struct takc_err err;
    const struct takc_job_row row = {.id = takc_str("f"), .kind = takc_str("compress"), .task = takc_str("fin")};
    (void)state;
    for (int i = 0; i < 3; i++)
        (void)add("", "compress", "fin");
    assert_int_equal(queue->ops->add(queue, &row, 3, &err), TAKC_BUSY);
    assert_int_equal(err.detail, 1);
    (void)taken(""); /* a running one does not wait */
    assert_int_equal(queue->ops->add(queue, &row, 3, &err), TAKC_OK);
}

static void a_tenant_gets_half_of_the_queue(void **state)
{
    (void)state;
    struct takc_job_row row = {.id = takc_str("t1"), .tenant = takc_str("acme"), .kind = takc_str("compress"), .task = takc_str("fin")};
    assert_int_equal(queue->ops->add(queue, &row, 3, NULL), TAKC_OK);
    row.id = takc_str("t2");
    assert_int_equal(queue->ops->add(queue, &row, 3, NULL), TAKC_OK);
    row.id = takc_str("t3");
    assert_int_equal(queue->ops->add(queue, &row, 3, NULL), TAKC_BUSY);
    row.tenant = takc_str("zenith");
    assert_int_equal(queue->ops->add(queue, &row, 3, NULL), TAKC_OK);
}

static void progress_is_noted_while_it_runs(void **state)
{
    (void)state;
    struct takc_str a = add("", "compress", "fin");
    assert_int_equal(queue->ops->note(queue, a, 10, takc_str("x"), NULL), TAKC_NOT_FOUND);
    assert_takes("", a);
    assert_int_equal(queue->ops->note(queue, a, 42, takc_str("score"), NULL), TAKC_OK);
    assert_int_equal(got(a).progress, 42);
    assert_string_equal(got(a).stage.ptr, "score");
    assert_int_equal(queue->ops->end(queue, a, TAKC_JOB_FAILED, takc_str("{\"error\":1}"), NULL), TAKC_OK);
    assert_true(got(a).state == TAKC_JOB_FAILED && got(a).progress == 42 && !got(a).stage.len);
    assert_int_equal(queue->ops->note(queue, a, 50, takc_str("x"), NULL), TAKC_NOT_FOUND);
    assert_int_equal(queue->ops->end(queue, a, TAKC_JOB_DONE, takc_str(""), NULL), TAKC_NOT_FOUND);
}

static void a_tenant_sees_and_cancels_its_own(void **state)
{
    (void)state;
    struct takc_job_row row;
    struct takc_str a = add("", "compress", "fin"), b = add("", "compress", "fin");
    assert_int_equal(queue->ops->get(queue, takc_str("acme"), a, &arena, &row, NULL), TAKC_NOT_FOUND);
    assert_int_equal(queue->ops->cancel(queue, takc_str("acme"), a, NULL), TAKC_NOT_FOUND);
    assert_takes("", a);
    assert_int_equal(queue->ops->cancel(queue, takc_str(""), a, NULL), TAKC_OK);
    assert_int_equal(queue->ops->cancel(queue, takc_str(""), a, NULL), TAKC_CONFLICT);
    assert_int_equal(queue->ops->end(queue, a, TAKC_JOB_DONE, takc_str("{}"), NULL), TAKC_NOT_FOUND); /* stays cancelled */
    assert_int_equal(got(a).state, TAKC_JOB_CANCELLED);
    assert_int_equal(got(a).request.len, 0);
    assert_int_equal(queue->ops->cancel(queue, takc_str(""), b, NULL), TAKC_OK); /* while it waits */
    assert_takes_none("");
}

static void lists_are_paged_from_the_newest(void **state)
{
    (void)state;
    struct takc_str ids[5];
    struct takc_job_row *rows;
    size_t n;
    for (int i = 0; i < 5; i++)
        ids[i] = add("", "compress", i % 2 ? "law" : "fin");
    (void)add("acme", "compress", "fin");
    struct takc_job_filter f = {.max = 2};
    assert_int_equal(queue->ops->list(queue, &f, &arena, &rows, &n, NULL), TAKC_OK);
    assert_true(n > 0 && !rows[0].request.len && !rows[0].result.len);
    assert_int_equal(n, 2);
    assert_string_equal(rows[0].id.ptr, ids[4].ptr);
    assert_string_equal(rows[1].id.ptr, ids[3].ptr);
    f.before_id = rows[1].id;
    f.task = takc_str("fin");
    assert_int_equal(queue->ops->list(queue, &f, &arena, &rows, &n, NULL), TAKC_OK);
    assert_int_equal(n, 2);
    assert_string_equal(rows[0].id.ptr, ids[2].ptr);
    assert_string_equal(rows[1].id.ptr, ids[0].ptr);
    assert_takes("", ids[0]);
    f = (struct takc_job_filter){.max = 9, .state = TAKC_JOB_RUNNING};
    assert_int_equal(queue->ops->list(queue, &f, &arena, &rows, &n, NULL), TAKC_OK);
    assert_int_equal(n, 1);
    f = (struct takc_job_filter){.max = 9, .tenant = takc_str("acme")};
    assert_int_equal(queue->ops->list(queue, &f, &arena, &rows, &n, NULL), TAKC_OK);
    assert_int_equal(n, 1);
}

static void cut_off_jobs_are_queued_again_so_often(void **state)
{
    (void)state;
    struct takc_str a = add("", "compress", "fin");
    for (unsigned i = 1; i <= 3; i++) {
        assert_takes("", a);
        assert_int_equal(got(a).attempts, i);
        assert_int_equal(queue->ops->recover(queue, takc_str(""), 3, takc_str("{\"error\":1}"), NULL), TAKC_OK);
        assert_int_equal(got(a).state, i < 3 ? TAKC_JOB_QUEUED : TAKC_JOB_FAILED);
    }
    assert_string_equal(got(a).result.ptr, "{\"error\":1}");
    struct takc_str c = add("", "compress", "one"), d = add("", "compress", "two"), e = add("", "compress", "three");
    char in_hand[2 * TAKC_JOB_ID_BYTES];
    assert_takes("", c);
    assert_takes("", d);
    assert_takes("", e);
    (void)snprintf(in_hand, sizeof(in_hand), "%s,%s", c.ptr, e.ptr);
    assert_int_equal(queue->ops->recover(queue, takc_str(in_hand), 3, takc_str("{}"), NULL), TAKC_OK);
    assert_true(got(c).state == TAKC_JOB_RUNNING && got(d).state == TAKC_JOB_QUEUED && got(e).state == TAKC_JOB_RUNNING);
    assert_int_equal(queue->ops->recover(queue, takc_str(""), 1, takc_str("{}"), NULL), TAKC_OK); /* they are out of the way */
    assert_takes("", d);
    assert_int_equal(queue->ops->end(queue, d, TAKC_JOB_DONE, takc_str("{}"), NULL), TAKC_OK);
    struct takc_str b = add("", "compress", "fin"); /* put back in good order, it may be so for ever */
    for (int i = 0; i < 5; i++) {
        assert_takes("", b);
        assert_int_equal(queue->ops->end(queue, b, TAKC_JOB_QUEUED, takc_str(""), NULL), TAKC_OK);
        assert_true(got(b).state == TAKC_JOB_QUEUED && got(b).attempts == 0);
    }
}

static void ended_jobs_go_in_time(void **state)
{
    (void)state;
    struct takc_str ids[4];
    struct takc_job_row *rows;
    struct takc_job_filter f = {.max = 9};
    size_t n;
    for (int i = 0; i < 4; i++) {
        ids[i] = add("", "compress", "fin");
        if (i == 3)
            break;
        assert_takes("", ids[i]);
        assert_int_equal(queue->ops->end(queue, ids[i], TAKC_JOB_DONE, takc_str("{}"), NULL), TAKC_OK);
    }
    assert_int_equal(queue->ops->prune(queue, 0, 2, NULL), TAKC_OK);
    assert_int_equal(queue->ops->list(queue, &f, &arena, &rows, &n, NULL), TAKC_OK);
    assert_int_equal(n, 3);
    assert_string_equal(rows[2].id.ptr, ids[1].ptr);
    assert_int_equal(queue->ops->prune(queue, INT64_MAX, 100, NULL), TAKC_OK);
    assert_int_equal(queue->ops->list(queue, &f, &arena, &rows, &n, NULL), TAKC_OK);
    assert_int_equal(n, 1); /* what waits stays */
}

enum { THREADS = 4, JOBS = 40 };
static atomic_int n_taken;

static void *take_all(void *arg)
{
    struct takc_arena a;
    struct takc_job_row row;
    (void)arg;
    takc_arena_init(&a);
    while (queue->ops->take(queue, takc_str(""), &a, &row, NULL) == TAKC_OK) {
        atomic_fetch_add(&n_taken, 1);
        (void)!queue->ops->end(queue, row.id, TAKC_JOB_DONE, takc_str("{}"), NULL);
    }
    takc_arena_clear(&a);
    return NULL;
}

static void no_job_is_taken_twice(void **state)
{
    pthread_t threads[THREADS];
    char task[16];
    (void)state;
    for (int i = 0; i < JOBS; i++) {
        (void)snprintf(task, sizeof(task), "t%d", i);
        (void)add("", "compress", task);
    }
    atomic_store(&n_taken, 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_all, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(atomic_load(&n_taken), JOBS);
}

static void a_killed_process_leaves_its_job(void **state)
{
    (void)state;
    int status = 0;
    struct takc_str a = add("", "compress", "fin");
    pid_t pid = fork();
    if (pid == 0) {
        struct takc_home *mine = NULL;
        struct takc_queue *q = NULL;
        struct takc_job_row row;
        if (!takc_home_open(&mine, root, NULL, NULL) && !takc_queue_sqlite_open(&q, mine, NULL) &&
            !q->ops->take(q, takc_str(""), &arena, &row, NULL))
            (void)raise(SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(got(a).state, TAKC_JOB_RUNNING);
    assert_int_equal(queue->ops->recover(queue, takc_str(""), 5, takc_str("{}"), NULL), TAKC_OK);
    assert_takes("", a);
}

static void ids_sort_by_time(void **state)
{
    char last[TAKC_JOB_ID_BYTES] = "", id[TAKC_JOB_ID_BYTES];
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(takc_job_id(id, NULL), TAKC_OK);
        assert_int_equal(strlen(id), TAKC_JOB_ID_BYTES - 1);
        assert_true(strcmp(last, id) < 0);
        memcpy(last, id, sizeof(last));
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_oldest_runs_first_one_of_a_task),
        T(a_full_queue_is_busy),
        T(a_tenant_gets_half_of_the_queue),
        T(progress_is_noted_while_it_runs),
        T(a_tenant_sees_and_cancels_its_own),
        T(lists_are_paged_from_the_newest),
        T(cut_off_jobs_are_queued_again_so_often),
        T(ended_jobs_go_in_time),
        T(no_job_is_taken_twice),
        T(a_killed_process_leaves_its_job),
        cmocka_unit_test(ids_sort_by_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
