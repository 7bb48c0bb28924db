/* SPDX-License-Identifier: Apache-2.0
 *
 * staging_test.c - names that may be documents', files on their way, what is kept for a job, what a sweep removes and what it leaves. */
#include "http/staging.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];
static struct takc_home *home;
static struct takc_jobs *jobs;

static enum takc_status no_work(void *arg, const struct takc_job_row *job, struct takc_job_run *r, struct takc_buf *result,
                                struct takc_err *err)
{
    (void)arg, (void)job, (void)result;
    while (!takc_call_check(&r->call, NULL)) /* until the server stops */
        (void)usleep(2000);
    return takc_fail(err, TAKC_UNSUPPORTED, 0, "no work is done here");
}

static int setup(void **state)
{
    static const struct takc_home_options create = {.create = true};
    struct takc_queue *q = NULL;
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/takc-staging-XXXXXX");
    if (!mkdtemp(root) || takc_home_open(&home, root, &create, NULL) || takc_queue_sqlite_open(&q, home, NULL))
        return -1;
    const struct takc_jobs_options o = {.queue = q, .n_running = 1, .queued_max = 9, .run = no_work};
    return takc_jobs_open(&jobs, &o, NULL) ? -1 : 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    takc_jobs_close(jobs);
    takc_home_close(home);
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

static bool there(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/.takc-uploads/%s", root, name);
    return access(path, F_OK) == 0;
}

static void make(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/.takc-uploads", root);
    (void)mkdir(path, 0700);
    (void)snprintf(path, sizeof(path), "%s/.takc-uploads/%s", root, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void names_are_relative_paths(void **state)
{
    static const char *const good[] = {"a", "a.txt", "a/b/c.md", "..a/b..", "\xc3\xa4 b.txt", ".hidden", "a\\b"};
    static const char *const bad[] = {"",     "/",    "/a",    "a/",   "a//b",  ".",    "..",
                                      "../a", "a/..", "a/./b", "a\nb", "a\x7f", "\xff", "a\x1b[31m"};
    char part[300], whole[TAKC_UPLOAD_NAME_MAX + 2];
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_int_equal(takc_upload_name_check(takc_str(good[i]), NULL), TAKC_OK);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(takc_upload_name_check(takc_str(bad[i]), NULL), TAKC_INVALID);
    assert_int_equal(takc_upload_name_check(takc_str_n("a\0b", 3), NULL), TAKC_INVALID);
    memset(part, 'x', sizeof(part));
    assert_int_equal(takc_upload_name_check(takc_str_n(part, 255), NULL), TAKC_OK);
    assert_int_equal(takc_upload_name_check(takc_str_n(part, 256), NULL), TAKC_INVALID);
    for (size_t i = 0; i < sizeof(whole); i++)
        whole[i] = i % 100 == 99 ? '/' : 'x';
    whole[TAKC_UPLOAD_NAME_MAX - 1] = whole[TAKC_UPLOAD_NAME_MAX] = 'x';
    assert_int_equal(takc_upload_name_check(takc_str_n(whole, TAKC_UPLOAD_NAME_MAX), NULL), TAKC_OK);
    assert_int_equal(takc_upload_name_check(takc_str_n(whole, TAKC_UPLOAD_NAME_MAX + 1), NULL), TAKC_INVALID);
}

static void put(struct takc_staging *s, unsigned group, const char *name, const char *text)
{
    assert_int_equal(takc_staging_begin(s, group, takc_str(name), NULL), TAKC_OK);
    assert_int_equal(takc_staging_write(s, takc_str(text), NULL), TAKC_OK);
    assert_int_equal(takc_staging_end(s, NULL), TAKC_OK);
}

static void a_job_gets_the_files(void **state)
{
    struct takc_staging s;
    char group[PATH_MAX];
    (void)state;
    assert_int_equal(takc_staging_open(&s, root, NULL), TAKC_OK);
    put(&s, 0, "a/b.txt", "one");
    put(&s, 1, "a/b.txt", "two");
    assert_int_equal(takc_staging_begin(&s, 0, takc_str("a/b.txt"), NULL), TAKC_INVALID);
    assert_int_equal(takc_staging_begin(&s, 0, takc_str("a"), NULL), TAKC_INVALID);
    assert_int_equal(takc_staging_begin(&s, 0, takc_str("a/b.txt/c"), NULL), TAKC_INVALID);
    assert_int_equal(takc_staging_begin(&s, 0, takc_str("../../x"), NULL), TAKC_INVALID);
    assert_int_equal(takc_staging_keep(&s, root, "j1", NULL), TAKC_OK);
    takc_staging_drop(&s); /* not ours any more */
    assert_true(there("job-j1/0/a/b.txt") && there("job-j1/1/a/b.txt"));
    assert_int_equal(takc_staging_group(root, takc_str("j1"), 1, group, NULL), TAKC_OK);
    assert_int_equal(access(group, F_OK), 0);
    takc_staging_drop_job(root, takc_str("j1"));
    takc_staging_drop_job(root, takc_str("j1"));
    assert_false(there("job-j1"));
}

static void a_job_that_fetches_gets_a_folder_anew(void **state)
{
    (void)state;
    char process[48], again[48];
    assert_int_equal(takc_staging_make_group(root, takc_str("j2"), 0, NULL), TAKC_OK);
    assert_true(there("job-j2/0"));
    make("job-j2/0/left");
    assert_int_equal(takc_staging_make_group(root, takc_str("j2"), 0, NULL), TAKC_OK);
    assert_true(there("job-j2/0") && !there("job-j2/0/left"));
    takc_staging_drop_job(root, takc_str("j2"));
    assert_false(there("job-j2"));
    takc_staging_process(process);
    takc_staging_process(again);
    assert_string_equal(process, again);
    assert_int_equal(strtol(process, NULL, 10), getpid());
}

static void what_is_dropped_is_gone(void **state)
{
    struct takc_staging s;
    (void)state;
    assert_int_equal(takc_staging_open(&s, root, NULL), TAKC_OK);
    put(&s, 0, "a/b.txt", "one");
    assert_int_equal(takc_staging_begin(&s, 0, takc_str("open.txt"), NULL), TAKC_OK); /* the client went in the middle of it */
    char path[PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s", s.path);
    takc_staging_drop(&s);
    takc_staging_drop(&s);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_true(there(""));
}

static void a_sweep_leaves_what_lives(void **state)
{
    struct takc_staging s;
    char earlier[64];
    (void)state;
    assert_int_equal(takc_staging_open(&s, root, NULL), TAKC_OK);
    put(&s, 0, "mine.txt", "on its way");
    (void)snprintf(earlier, sizeof(earlier), "up-%ld-1-0", (long)getpid()); /* of a process that had our number */
    make(earlier);
    make("up-2000000000-1-0"); /* of one that has gone */
    make("up-1-1-0");          /* of one that lives */
    make("job-new");           /* its row may be on its way */
    make("other");
    takc_staging_sweep(root, jobs);
    assert_int_equal(access(s.path, F_OK), 0);
    assert_false(there(earlier) || there("up-2000000000-1-0"));
    assert_true(there("up-1-1-0") && there("job-new") && there("other"));
    takc_staging_drop(&s);
}

static void a_later_sweep_takes_what_is_of_jobs_that_are_over(void **state)
{
    const struct takc_job_row row = {.id = takc_str("open"), .kind = takc_str("odd"), .task = takc_str("fin"), .request = takc_str("{}")};
    (void)state;
    assert_int_equal(takc_jobs_add(jobs, &row, NULL), TAKC_OK);
    make("job-open");
    make("job-over");
    make("up-2000000000-1-0"); /* of a server that may run elsewhere */
    takc_staging_sweep_jobs(root, jobs, TAKC_STAGING_GRACE_S);
    assert_true(there("job-open") && there("job-over"));
    takc_staging_sweep_jobs(root, jobs, -1);
    assert_true(there("job-open") && !there("job-over") && there("up-2000000000-1-0"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_relative_paths),
        T(a_job_gets_the_files),
        T(a_job_that_fetches_gets_a_folder_anew),
        T(what_is_dropped_is_gone),
        T(a_sweep_leaves_what_lives),
        T(a_later_sweep_takes_what_is_of_jobs_that_are_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
