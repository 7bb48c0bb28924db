/* SPDX-License-Identifier: Apache-2.0
 *
 * The cost ledger: rows begun and ended, by threads and processes, killed in between; sums; and what else happens to a home: older
 * catalogues, damage, backup, forget, sweep, rebuild, a full disk. */
#include "catalog/home_impl.h"
#include "catalog/usage.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOVEMBER_S = 1793491200, DAY_S = 86400 }; /* 2026-11-01 */

static char root[64], copy[80];
static struct takc_home *home;

static int setup(void **state)
{
    static const struct takc_home_options create = {.create = true};
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/takc-usage-XXXXXX");
    if (!mkdtemp(root))
        return -1;
    (void)snprintf(copy, sizeof(copy), "%s-copy", root);
    return takc_home_open(&home, root, &create, NULL) ? -1 : 0;
}

static int teardown(void **state)
{
    char command[256];
    (void)state;
    takc_home_close(home);
    home = NULL;
    (void)snprintf(command, sizeof(command), "rm -rf %s %s", root, copy);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

static struct takc_usage_row row(const char *task, const char *model, int64_t at_s, const char *outcome, uint64_t picodollars)
{
    return (struct takc_usage_row){.at_s = at_s,
                                   .task = takc_str(task),
                                   .version = takc_str("1"),
                                   .purpose = takc_str("answer"),
                                   .provider = takc_str("fake"),
                                   .model = takc_str(model),
                                   .request_id = takc_str("r-1"),
                                   .outcome = takc_str(outcome),
                                   .input = 100,
                                   .output = 10,
                                   .cache_read = 5,
                                   .cache_write = 2,
                                   .picodollars = picodollars,
                                   .ms = 7,
                                   .priced = picodollars != 0};
}

/* A call from begin to end. */
static void call(struct takc_home *h, const char *task, const char *model, int64_t at_s, const char *outcome, uint64_t picodollars)
{
    int64_t id;
    struct takc_usage_row r = row(task, model, at_s, "lost", 2 * picodollars);
    assert_int_equal(takc_home_usage_begin(h, &r, &id, NULL), TAKC_OK);
    r.outcome = takc_str(outcome);
    r.picodollars = picodollars;
    assert_int_equal(takc_home_usage_end(h, id, &r, NULL), TAKC_OK);
}

struct told {
    char lines[2000];
    struct takc_usage_sum last;
    size_t n;
};

static enum takc_status tell(void *arg, const struct takc_usage_sum *s, struct takc_err *err)
{
    struct told *t = arg;
    size_t n = strlen(t->lines);
    (void)err;
    (void)snprintf(t->lines + n, sizeof(t->lines) - n, "%.*s|%.*s|%.*s|%.*s %d %d %d\n", TAKC_STR_ARG(s->day), TAKC_STR_ARG(s->task),
                   TAKC_STR_ARG(s->model), TAKC_STR_ARG(s->purpose), (int)s->calls, (int)s->failed, (int)s->picodollars);
    t->last = *s;
    t->n++;
    return TAKC_OK;
}

static struct told sums(struct takc_home *h, struct takc_usage_filter f)
{
    struct told t = {0};
    struct takc_err err = {0};
    enum takc_status st = takc_home_usage(h, &f, tell, &t, &err);
    if (st)
        print_error("%s\n", err.msg);
    assert_int_equal(st, TAKC_OK);
    return t;
}

static uint64_t n_calls(struct takc_home *h)
{
    struct told t = sums(h, (struct takc_usage_filter){0});
    return t.n ? t.last.calls : 0;
}

static void sql(const char *text)
{
    char file[128];
    sqlite3 *db;
    (void)snprintf(file, sizeof(file), "%s/catalog.sqlite", root);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int64_t number(const char *text)
{
    char file[128];
    sqlite3 *db;
    sqlite3_stmt *s;
    (void)snprintf(file, sizeof(file), "%s/catalog.sqlite", root);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &s, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    return n;
}

static void reopen(void)
{
    takc_home_close(home);
    home = NULL;
    assert_int_equal(takc_home_open(&home, root, NULL, NULL), TAKC_OK);
}

/* --- sums --- */

static void sums_are_by_what_was_asked(void **state)
{
    (void)state;
    call(home, "fin", "a", NOVEMBER_S, "ok", 100);
    call(home, "fin", "b", NOVEMBER_S + DAY_S, "length", 50);
    call(home, "fin", "a", NOVEMBER_S + DAY_S, "throttled", 0);
    call(home, "law", "a", NOVEMBER_S + DAY_S, "ok", 7);
    struct told t = sums(home, (struct takc_usage_filter){0});
    assert_string_equal(t.lines, "||| 4 1 157\n");
    assert_int_equal(t.last.unpriced, 1);
    assert_int_equal(t.last.lost, 0);
    assert_true(t.last.input == 400 && t.last.output == 40 && t.last.cache_read == 20 && t.last.cache_write == 8 && t.last.ms == 28);
    t = sums(home, (struct takc_usage_filter){.by = TAKC_USAGE_BY_TASK | TAKC_USAGE_BY_DAY});
    assert_string_equal(t.lines, "2026-11-01|fin|| 1 0 100\n2026-11-02|fin|| 2 1 50\n2026-11-02|law|| 1 0 7\n");
    t = sums(home, (struct takc_usage_filter){.by = TAKC_USAGE_BY_MODEL | TAKC_USAGE_BY_PURPOSE, .task = takc_str("fin")});
    assert_string_equal(t.lines, "||fake:a|answer 2 1 100\n||fake:b|answer 1 0 50\n");
    static const char *const names[] = {"b", "fake:b"};
    for (int i = 0; i < 2; i++) {
        t = sums(home, (struct takc_usage_filter){.model = takc_str(names[i])});
        assert_string_equal(t.lines, "||| 1 0 50\n");
    }
    t = sums(home, (struct takc_usage_filter){.since_s = NOVEMBER_S + 1, .until_s = NOVEMBER_S + DAY_S + 1, .task = takc_str("fin")});
    assert_string_equal(t.lines, "||| 2 1 50\n");
    t = sums(home, (struct takc_usage_filter){.until_s = NOVEMBER_S}); /* exclusive */
    assert_int_equal(t.n ? t.last.calls : 0, 0);
}

static void a_month_is_the_calendars(void **state)
{
    (void)state;
    uint64_t spent = 0;
    call(home, "fin", "a", NOVEMBER_S - 1, "ok", 1000);
    call(home, "fin", "a", NOVEMBER_S, "ok", 100);
    call(home, "law", "a", NOVEMBER_S, "ok", 10);
    call(home, "fin", "a", NOVEMBER_S + 30 * DAY_S - 1, "ok", 1);
    call(home, "fin", "a", NOVEMBER_S + 30 * DAY_S, "ok", 5000);
    assert_int_equal(takc_home_spent_this_month(home, takc_str("fin"), NOVEMBER_S + 5 * DAY_S, &spent, NULL), TAKC_OK);
    assert_int_equal(spent, 101);
}

static uint64_t pace_of(const char *model, unsigned most, uint64_t *out_n)
{
    uint64_t ms = 0;
    assert_int_equal(takc_home_usage_pace(home, takc_str("fake"), takc_str(model), most, out_n, &ms, NULL), TAKC_OK);
    return ms;
}

/* The median of the last good calls that compressed: no answer, no failure, no other model. */
static void the_pace_is_that_of_the_last_calls(void **state)
{
    (void)state;
    static const uint64_t took[] = {9000, 100, 400, 300, 200};
    uint64_t n = 7;
    assert_int_equal(pace_of("a", 50, &n), 0);
    assert_int_equal(n, 0);
    for (size_t i = 0; i < 5; i++) {
        struct takc_usage_row r = row("fin", "a", NOVEMBER_S + (int64_t)i, i % 2 ? "ok" : "length", 1);
        int64_t id;
        r.purpose = takc_str(i % 2 ? "compress" : "condense");
        r.ms = took[i];
        assert_int_equal(takc_home_usage_begin(home, &r, &id, NULL), TAKC_OK);
    }
    call(home, "fin", "a", NOVEMBER_S + 9, "ok", 1); /* an answer of 7 ms */
    struct takc_usage_row bad = row("fin", "a", NOVEMBER_S + 9, "timeout", 1);
    int64_t id;
    bad.purpose = takc_str("compress");
    assert_int_equal(takc_home_usage_begin(home, &bad, &id, NULL), TAKC_OK);
    assert_int_equal(pace_of("a", 50, &n), 300);
    assert_int_equal(n, 5);
    assert_int_equal(pace_of("a", 4, &n), 200); /* the first is too long ago; the lower middle one */
    assert_int_equal(n, 4);
    assert_int_equal(pace_of("b", 50, &n), 0);
    assert_int_equal(n, 0);
}

static void a_cap_is_judged_with_the_row(void **state)
{
    (void)state;
    int64_t id = 0;
    uint64_t spent = 0;
    struct takc_err err = {0};
    struct takc_usage_row r = row("fin", "a", NOVEMBER_S, "lost", 60);
    assert_int_equal(takc_home_usage_begin_within(home, &r, 100, &id, &spent, NULL), TAKC_OK);
    assert_int_equal(spent, 0);
    assert_int_equal(takc_home_usage_begin_within(home, &r, 100, &id, &spent, &err), TAKC_COST);
    assert_int_equal(spent, 60);
    assert_int_equal(n_calls(home), 1); /* no row of what was not sent */
    r.picodollars = 40;
    assert_int_equal(takc_home_usage_begin_within(home, &r, 100, &id, &spent, NULL), TAKC_OK);
}

static void a_row_of_the_callers_id_is_begun_once(void **state)
{
    (void)state;
    uint64_t spent = 0;
    struct takc_usage_row r = row("fin", "a", NOVEMBER_S, "lost", 60);
    assert_int_equal(takc_home_usage_begin_as(home, 7, &r, 100, &spent, NULL), TAKC_OK);
    r.picodollars = 90; /* too much beside itself, but it is there already */
    assert_int_equal(takc_home_usage_begin_as(home, 7, &r, 100, &spent, NULL), TAKC_OK);
    assert_int_equal(spent, 60);
    assert_int_equal(takc_home_usage_begin_as(home, 8, &r, 100, &spent, NULL), TAKC_COST);
    assert_int_equal(n_calls(home), 1);
    r.picodollars = 5;
    for (int i = 0; i < 2; i++) /* ended twice, it is one row */
        assert_int_equal(takc_home_usage_end(home, 7, &r, NULL), TAKC_OK);
    assert_int_equal(takc_home_usage_begin_as(home, 8, &r, 10, &spent, NULL), TAKC_OK);
    assert_int_equal(spent, 5);
    assert_int_equal(n_calls(home), 2);
}

/* --- many writers, and killed ones --- */

enum { THREADS = 4, EACH = 25 };

static void *many(void *arg)
{
    for (int i = 0; i < EACH; i++)
        call(arg, "fin", "a", NOVEMBER_S, "ok", 1);
    return NULL;
}

static void threads_and_processes_note_together(void **state)
{
    pthread_t threads[THREADS];
    (void)state;
    pid_t pid = fork();
    if (pid == 0) { /* a home of its own: SQLite's connections do not cross fork */
        struct takc_home *mine = NULL;
        if (takc_home_open(&mine, root, NULL, NULL))
            _exit(1);
        (void)many(mine);
        takc_home_close(mine);
        _exit(0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, many, home), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    struct told t = sums(home, (struct takc_usage_filter){0});
    assert_int_equal(t.last.calls, (THREADS + 1) * EACH);
    assert_int_equal(t.last.lost, 0);
    assert_int_equal(t.last.picodollars, (THREADS + 1) * EACH);
}

/* Processes side by side take what is left of a cap, and not more. */
static void processes_share_a_cap(void **state)
{
    enum { PROCESSES = 3, CAP = 20 };
    pid_t pids[PROCESSES];
    uint64_t spent = 0;
    (void)state;
    for (int p = 0; p < PROCESSES; p++)
        if ((pids[p] = fork()) == 0) {
            struct takc_home *mine = NULL;
            struct takc_usage_row r = row("fin", "a", NOVEMBER_S, "lost", 1);
            enum takc_status st = takc_home_open(&mine, root, NULL, NULL);
            int64_t id;
            uint64_t now;
            for (int i = 0; !st && i < 2 * CAP; i++)
                st = takc_home_usage_begin_within(mine, &r, CAP, &id, &now, NULL);
            _exit(st == TAKC_COST ? 0 : 1);
        }
    for (int p = 0; p < PROCESSES; p++) {
        int status = 1;
        assert_int_equal(waitpid(pids[p], &status, 0), pids[p]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(takc_home_spent_this_month(home, takc_str("fin"), NOVEMBER_S, &spent, NULL), TAKC_OK);
    assert_int_equal(spent, CAP);
}

static void a_killed_call_stays_lost_and_counted(void **state)
{
    (void)state;
    pid_t pid = fork();
    if (pid == 0) {
        struct takc_home *mine = NULL;
        struct takc_usage_row r = row("fin", "a", NOVEMBER_S, "lost", 42);
        int64_t id;
        if (!takc_home_open(&mine, root, NULL, NULL) && !takc_home_usage_begin(mine, &r, &id, NULL))
            (void)raise(SIGKILL);
        _exit(1);
    }
    int status = 0;
    uint64_t spent = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    struct told t = sums(home, (struct takc_usage_filter){0});
    assert_true(t.last.calls == 1 && t.last.lost == 1 && t.last.failed == 0);
    assert_int_equal(takc_home_spent_this_month(home, takc_str("fin"), NOVEMBER_S, &spent, NULL), TAKC_OK);
    assert_int_equal(spent, 42);
}

static void a_full_disk_is_told_and_leaves_no_row(void **state)
{
    (void)state;
    struct rlimit was, none = {0, 0};
    struct takc_usage_row r = row("fin", "a", NOVEMBER_S, "lost", 42);
    int64_t id = -1;
    call(home, "fin", "a", NOVEMBER_S, "ok", 1);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    none.rlim_max = was.rlim_max;
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    enum takc_status st = takc_home_usage_begin(home, &r, &id, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    (void)signal(SIGXFSZ, before);
    assert_true(st == TAKC_IO || st == TAKC_FULL);
    assert_int_equal(id, -1);
    assert_int_equal(n_calls(home), 1);
    call(home, "fin", "a", NOVEMBER_S, "ok", 1);
    assert_int_equal(n_calls(home), 2);
}

/* --- what happens to homes --- */

static void an_older_catalogue_gets_the_table(void **state)
{
    (void)state;
    call(home, "fin", "a", NOVEMBER_S, "ok", 1);
    takc_home_close(home);
    home = NULL;
    sql("INSERT INTO queries(task, version, mode, rate, confidence, ms, tokens, abstained, at) VALUES('fin', '1', 'm', 'r', 1, 1, 1, 0, 1);"
        "DROP TABLE usage; DROP TABLE api_keys; DROP TABLE jobs; DROP TABLE quotas; DROP TABLE audit; DROP TABLE idempotency; DROP TABLE "
        "hits;"
        "UPDATE meta SET value = '1' WHERE key = 'schema_version'");
    assert_int_equal(takc_home_open(&home, root, NULL, NULL), TAKC_OK);
    call(home, "fin", "a", NOVEMBER_S, "ok", 1);
    assert_int_equal(n_calls(home), 1);
    assert_string_equal(takc_home_warning(home), "");
    assert_int_equal(number("SELECT count(*) FROM queries"), 1);
    assert_int_equal(number("SELECT value FROM meta WHERE key = 'schema_version'"), 4);
    reopen();
    assert_int_equal(n_calls(home), 1); /* not again */
}

/* Writes over a page of the catalogue's file, as a broken disk would. */
static void spoil(long at, size_t n)
{
    char file[128], junk[4096];
    (void)snprintf(file, sizeof(file), "%s/catalog.sqlite", root);
    FILE *f = fopen(file, "r+");
    assert_non_null(f);
    memset(junk, 0xFF, sizeof(junk));
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_equal(fwrite(junk, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static int64_t root_page(const char *table)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "SELECT rootpage FROM sqlite_master WHERE name = '%s'", table);
    return number(text);
}

/* Damage beside the ledger takes nothing of it; the new catalogue goes on with the month. */
static void rows_are_taken_out_of_a_damaged_catalogue(void **state)
{
    (void)state;
    uint64_t spent = 0;
    for (int i = 0; i < 200; i++)
        call(home, "fin", "a", NOVEMBER_S, "ok", 1);
    int64_t id;
    struct takc_usage_row r = row("fin", "a", NOVEMBER_S, "lost", 42);
    assert_int_equal(takc_home_usage_begin(home, &r, &id, NULL), TAKC_OK);
    assert_int_equal(takc_home_scrub(home, NULL), TAKC_OK); /* so that the pages are in the file itself */
    spoil((root_page("usage_by_task") - 1) * 4096, 4096);
    r.outcome = takc_str("ok");
    r.picodollars = 2;
    assert_int_equal(takc_home_usage_end(home, id, &r, NULL), TAKC_OK); /* meets the damage, and is in the new one */
    assert_non_null(strstr(takc_home_warning(home), "damaged-1"));
    assert_non_null(strstr(takc_home_warning(home), "201 calls of its cost ledger are taken over"));
    assert_int_equal(n_calls(home), 201);
    assert_int_equal(takc_home_spent_this_month(home, takc_str("fin"), NOVEMBER_S, &spent, NULL), TAKC_OK);
    assert_int_equal(spent, 202);
    assert_int_equal(takc_home_scrub(home, NULL), TAKC_OK); /* drops the damaged one */
    assert_int_equal(n_calls(home), 201);
}

/* Damage within the ledger hides what stood on its page, and no more. */
static void what_can_be_read_is_taken(void **state)
{
    (void)state;
    for (int i = 0; i < 400; i++)
        call(home, "fin", "a", NOVEMBER_S, "ok", 1);
    takc_home_close(home);
    home = NULL;
    assert_int_equal(takc_home_open(&home, root, NULL, NULL), TAKC_OK);
    assert_int_equal(takc_home_scrub(home, NULL), TAKC_OK);
    int64_t usage = root_page("usage"), index = root_page("usage_by_task");
    spoil((index - 1) * 4096, 4096);
    spoil((usage + (index > usage ? 4 : 3) - 1) * 4096, 4096); /* a leaf among its leaves */
    call(home, "fin", "a", NOVEMBER_S, "ok", 1);
    uint64_t n = n_calls(home);
    assert_true(n > 250 && n <= 401);
}

static void backup_and_restore_carry_it(void **state)
{
    (void)state;
    char again[100], command[256];
    struct takc_home *other = NULL;
    (void)snprintf(again, sizeof(again), "%s/again", copy);
    call(home, "fin", "a", NOVEMBER_S, "ok", 5);
    char backup[100];
    (void)snprintf(backup, sizeof(backup), "%s/backup", copy);
    (void)snprintf(command, sizeof(command), "mkdir -p %s", copy);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    assert_int_equal(takc_home_backup(home, NULL, backup, NULL), TAKC_OK);
    assert_int_equal(takc_home_restore(backup, again, NULL, NULL), TAKC_OK);
    assert_int_equal(takc_home_open(&other, again, NULL, NULL), TAKC_OK);
    struct told t = sums(other, (struct takc_usage_filter){.by = TAKC_USAGE_BY_TASK});
    assert_string_equal(t.lines, "|fin|| 1 0 5\n");
    takc_home_close(other);
}

static void forget_sweep_and_rebuild_leave_it(void **state)
{
    (void)state;
    uint64_t removed;
    call(home, "fin", "a", NOVEMBER_S, "ok", 5);
    assert_int_equal(takc_home_forget_rows(home, takc_str("fin"), takc_str("a.txt"), NULL), TAKC_OK);
    assert_int_equal(takc_home_scrub(home, NULL), TAKC_OK);
    assert_int_equal(takc_home_sweep(home, takc_str("fin"), &removed, NULL), TAKC_OK);
    assert_int_equal(takc_home_rebuild(home, NULL), TAKC_OK);
    reopen();
    assert_int_equal(n_calls(home), 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(sums_are_by_what_was_asked),
        T(a_month_is_the_calendars),
        T(the_pace_is_that_of_the_last_calls),
        T(a_cap_is_judged_with_the_row),
        T(a_row_of_the_callers_id_is_begun_once),
        T(threads_and_processes_note_together),
        T(processes_share_a_cap),
        T(a_killed_call_stays_lost_and_counted),
        T(a_full_disk_is_told_and_leaves_no_row),
        T(an_older_catalogue_gets_the_table),
        T(rows_are_taken_out_of_a_damaged_catalogue),
        T(what_can_be_read_is_taken),
        T(backup_and_restore_carry_it),
        T(forget_sweep_and_rebuild_leave_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
