/* SPDX-License-Identifier: Apache-2.0
 *
 * A writer is killed in one phase of one of its writes after the other, always from the same home; then another one runs, of any
 * kind, and everything that follows from the manifest is there: caches of foreign clients say what the current version says, no version
 * is there that the manifest does not name, and what was to be forgotten is. A task that was to be deleted is a task until it is gone. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "../property/home_fixture.h"

#include "base/json.h"
#include "takc/home.h"

static char root[64], folder[128], home_path[128], saved[128];

/* --- killed in the n-th phase --- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { EVERY = 9 }; /* a sanitized process takes long to start and stop */
#else
enum { EVERY = 3 };
#endif

static int phases_left;

static void die_in_time(enum takc_file_phase phase)
{
    if (phase != TAKC_FILE_IDLE && phases_left-- == 0)
        (void)raise(SIGKILL);
}

/* Runs work in a process that dies in phase n of its writes; false when it had fewer. */
static bool run_killed(void (*work)(struct takc_home *), int n)
{
    int how;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct takc_home *h = NULL;
        if (takc_home_open(&h, home_path, NULL, NULL))
            _exit(90);
        phases_left = n;
        takc_file_phase_hook = die_in_time;
        work(h);
        takc_home_close(h);
        _exit(0);
    }
    while (waitpid(pid, &how, 0) != pid)
        assert_int_equal(errno, EINTR);
    if (!WIFSIGNALED(how))
        assert_int_equal(WEXITSTATUS(how), 0);
    return WIFSIGNALED(how);
}

static void copy(const char *from, const char *to)
{
    char command[512];
    fixture_remove(to);
    (void)snprintf(command, sizeof(command), "cp -r '%s' '%s'", from, to);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a fixed command of the test */
}

/* --- writers --- */

static void give_up(enum takc_status st)
{
    if (st)
        _exit(91);
}

static void roll_back(struct takc_home *h)
{
    char label[32];
    give_up(takc_cache_rollback(h, takc_str(FIXTURE_TASK), takc_str("1"), label, NULL));
}

static void drop_rate(struct takc_home *h)
{
    give_up(takc_cache_delete(h, takc_str(FIXTURE_TASK), takc_str(""), takc_str("high"), NULL));
}

static void compress(struct takc_home *h)
{
    struct takc_compress_report r;
    const struct takc_compress_options o = {.task = takc_str(FIXTURE_TASK)};
    give_up(takc_compress(h, NULL, &o, &r, NULL));
}

static void ingest_as(struct takc_home *h, bool mirror)
{
    const char *paths[] = {folder};
    struct takc_ingest_report r;
    const struct takc_ingest_options o = {.task = takc_str(FIXTURE_TASK), .mirror = mirror};
    give_up(takc_ingest(h, NULL, paths, 1, &o, &r, NULL));
}

static void ingest(struct takc_home *h)
{
    ingest_as(h, false);
}

static void mirror(struct takc_home *h)
{
    ingest_as(h, true);
}

static void pin(struct takc_home *h)
{
    give_up(takc_cache_pin(h, takc_str(FIXTURE_TASK), takc_str(""), true, NULL));
}

/* Of nothing that is there: only what it finds on its way counts. */
static void forget_nothing(struct takc_home *h)
{
    struct takc_forget_report r;
    const struct takc_str name = takc_str("no such document");
    enum takc_status st = takc_forget(h, NULL, takc_str(FIXTURE_TASK), &name, 1, 0, &r, NULL);
    give_up(st == TAKC_NOT_FOUND ? TAKC_OK : st);
}

static void forget_three(struct takc_home *h)
{
    struct takc_forget_report r;
    char names[3][64];
    struct takc_str list[3];
    for (int i = 0; i < 3; i++) {
        fixture_name(i + 2, names[i]);
        list[i] = takc_str(names[i]);
    }
    enum takc_status st = takc_forget(h, NULL, takc_str(FIXTURE_TASK), list, 3, 0, &r, NULL);
    give_up(st == TAKC_NOT_FOUND ? TAKC_OK : st); /* killed behind its last write */
}

/* --- what must hold --- */

static enum takc_status count_key(void *arg, struct takc_str key, uint64_t size, struct takc_err *err)
{
    (void)key;
    (void)size;
    (void)err;
    ++*(unsigned *)arg;
    return TAKC_OK;
}

static unsigned count(struct takc_home *h, const char *prefix)
{
    unsigned n = 0;
    assert_int_equal(takc_store_list(takc_home_store(h), NULL, takc_str(prefix), count_key, &n, NULL), TAKC_OK);
    return n;
}

/* The text in a foreign cache is that of the current version's artifact, and there is a cache for each and no other. */
static void check_foreign(struct takc_home *h, const struct takc_manifest *m)
{
    const struct takc_version *v = takc_manifest_find(m, m->current);
    assert_non_null(v);
    for (size_t i = 0; i < v->n_artifacts; i++) {
        char rate[24], *text;
        size_t len;
        struct takc_buf json;
        json_t *cache = NULL;
        takc_rate_name(v->artifacts[i].rate, rate);
        takc_buf_init(&json, 1 << 20);
        assert_int_equal(
            takc_store_get_bytes(takc_home_store(h), NULL, takc_str(takc_key_foreign_cache(m->task, v->artifacts[i].rate).s), &json, NULL),
            TAKC_OK);
        assert_int_equal(takc_json_parse(takc_buf_str(&json), &cache, NULL), TAKC_OK);
        assert_int_equal(takc_cache_text(h, m->task, takc_str(""), takc_str(rate), &text, &len, NULL), TAKC_OK);
        if (!takc_str_eq(takc_json_get_str(cache, "compressed_kv"), takc_str_n(text, len)))
            fail_msg("the foreign cache of %s is not that of version %.*s", rate, TAKC_STR_ARG(v->label));
        free(text);
        json_decref(cache);
        takc_buf_clear(&json);
    }
    assert_int_equal(count(h, "cache/v2/" FIXTURE_TASK "/"), v->n_artifacts);
}

static void check(struct takc_home *h, struct takc_arena *a, struct takc_manifest *m)
{
    unsigned files = 0, index = 1; /* the mark */
    assert_int_equal(takc_home_manifest(h, takc_str(FIXTURE_TASK), a, m, NULL), TAKC_OK);
    check_foreign(h, m);
    for (size_t i = 0; i < m->n_versions; i++) {
        files += 1 + 2 * (unsigned)m->versions[i].n_artifacts;
        index += 2;
    }
    assert_int_equal(count(h, "index/" FIXTURE_TASK "/"), index);
    assert_int_equal(count(h, "artifacts/" FIXTURE_TASK "/"), files);
    fixture_verify(h, "");
}

/* Kills work in every third phase (or ninth): a write has four, so that all kinds have their turn. After each, next runs whole, and then
 * all must hold, and what more says. Returns how many phases there are, about. */
static int kill_all_over(void (*work)(struct takc_home *), void (*const *next)(struct takc_home *), int n_next,
                         void (*more)(struct takc_home *, const struct takc_manifest *))
{
    int n = 0;
    for (bool killed = true; killed; n += EVERY) {
        struct takc_arena a;
        struct takc_manifest m;
        copy(saved, home_path);
        killed = run_killed(work, n);
        takc_arena_init(&a);
        struct takc_home *h = fixture_home(home_path);
        next[n / EVERY % n_next](h);
        check(h, &a, &m);
        if (more)
            more(h, &m);
        takc_home_close(h);
        takc_arena_clear(&a);
    }
    return n;
}

/* --- the tests --- */

/* A home with two versions of some documents, with the folder they came from. */
static int setup(void **state)
{
    (void)state;
    if (fixture_root(root, "settle"))
        return -1;
    (void)snprintf(folder, sizeof(folder), "%s/docs", root);
    (void)snprintf(home_path, sizeof(home_path), "%s/home", root);
    (void)snprintf(saved, sizeof(saved), "%s/saved", root);
    struct takc_home *h = fixture_home(saved);
    for (int i = 0; i < FIXTURE_FILES; i++)
        fixture_write(folder, i, 1);
    (void)fixture_ingest(h, folder, false, 1);
    (void)fixture_compress(h, 1);
    fixture_write(folder, 0, 2);
    (void)fixture_ingest(h, folder, false, 1);
    (void)fixture_compress(h, 1);
    takc_home_close(h);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_remove(root);
    return 0;
}

static void a_killed_rollback_is_made_up_for(void **state)
{
    (void)state;
    static void (*const next[])(struct takc_home *) = {ingest, pin, forget_nothing, drop_rate, roll_back};
    assert_true(kill_all_over(roll_back, next, 5, NULL) > 20); /* manifest, four caches, catalogue, mark */
}

static void a_killed_compress_is_made_up_for(void **state)
{
    (void)state;
    static void (*const next[])(struct takc_home *) = {compress};
    struct takc_home *h = fixture_home(saved);
    fixture_write(folder, 1, 2);
    (void)fixture_ingest(h, folder, false, 1);
    takc_home_close(h);
    assert_true(kill_all_over(compress, next, 1, NULL) > 40);
}

/* Three documents are gone, with what they stood on, and one version was made again for all of them. */
static void three_are_gone(struct takc_home *h, const struct takc_manifest *m)
{
    struct takc_arena a;
    struct takc_document *docs;
    size_t n;
    takc_arena_init(&a);
    assert_int_equal(takc_home_documents(h, m->task, &a, &docs, &n, NULL), TAKC_OK);
    assert_int_equal(n, FIXTURE_FILES - 1 + FIXTURE_LINES - 3);
    assert_int_equal(count(h, "documents/" FIXTURE_TASK "/"), n);
    assert_int_equal(m->next, 4);
    assert_int_equal(count(h, "blobs/" FIXTURE_TASK "/"), n + 1); /* document 0 has two revisions that versions stand on */
    takc_arena_clear(&a);
}

static void a_killed_mirror_is_finished_by_the_next(void **state)
{
    (void)state;
    static void (*const next[])(struct takc_home *) = {mirror};
    for (int i = 2; i < 5; i++)
        fixture_write(folder, i, 0);
    assert_true(kill_all_over(mirror, next, 1, three_are_gone) > 100);
}

static void a_killed_forget_is_finished_by_the_next(void **state)
{
    (void)state;
    static void (*const next[])(struct takc_home *) = {forget_three};
    assert_true(kill_all_over(forget_three, next, 1, three_are_gone) > 100);
}

static void delete_task(struct takc_home *h)
{
    struct takc_task_deleted out;
    enum takc_status st = takc_task_delete(h, NULL, takc_str(FIXTURE_TASK), 0, &out, NULL);
    give_up(st == TAKC_NOT_FOUND ? TAKC_OK : st); /* killed behind its last write */
}

static bool is_task(struct takc_home *h, const char *name)
{
    struct takc_arena a;
    struct takc_str *names = NULL;
    size_t n = 0;
    bool found = false;
    takc_arena_init(&a);
    assert_int_equal(takc_home_tasks(h, &a, &names, &n, NULL), TAKC_OK);
    for (size_t i = 0; i < n; i++)
        found |= takc_str_is(names[i], name);
    takc_arena_clear(&a);
    return found;
}

static void a_killed_delete_is_finished_by_the_next(void **state)
{
    uint64_t keys;
    int n = 0;
    (void)state;
    struct takc_home *h = fixture_home(saved);
    assert_int_equal(takc_task_write(h, takc_str("other"), takc_str(""), false, NULL), TAKC_OK);
    takc_home_close(h);
    for (bool killed = true; killed; n += 23) { /* every kind of phase has its turn */
        copy(saved, home_path);
        killed = run_killed(delete_task, n);
        h = fixture_home(home_path);
        assert_int_equal(takc_home_count_keys(h, NULL, takc_str(FIXTURE_TASK), &keys, NULL), TAKC_OK);
        assert_int_equal(is_task(h, FIXTURE_TASK), keys > 0); /* what is left of one can be named, and deleted */
        delete_task(h);
        assert_int_equal(takc_home_count_keys(h, NULL, takc_str(FIXTURE_TASK), &keys, NULL), TAKC_OK);
        assert_int_equal(keys, 0);
        assert_true(!is_task(h, FIXTURE_TASK) && is_task(h, "other"));
        takc_home_close(h);
    }
    assert_true(n > 100);
}

/* Every sentence of its documents was looked for, and none was found; a second time there is nothing. */
static void a_deleted_task_is_gone(void **state)
{
    struct takc_task_deleted out;
    struct takc_err err = {0};
    (void)state;
    struct takc_home *h = fixture_home(saved);
    fixture_ok(takc_task_delete(h, NULL, takc_str(FIXTURE_TASK), 0, &out, &err), &err, "delete");
    assert_true(out.searched && out.n_sentences > 100);
    assert_int_equal(out.n_documents, FIXTURE_FILES - 1 + FIXTURE_LINES);
    assert_int_equal(takc_task_delete(h, NULL, takc_str(FIXTURE_TASK), 0, &out, &err), TAKC_NOT_FOUND);
    assert_int_equal(takc_task_write(h, takc_str(FIXTURE_TASK), takc_str(""), false, &err), TAKC_OK); /* and may be made anew */
    takc_home_close(h);
}

/* A record that cannot be read stops no removal; it is said that nothing was searched. */
static void a_damaged_task_can_be_deleted(void **state)
{
    struct takc_task_deleted out;
    struct takc_err err = {0};
    uint64_t keys;
    char name[64];
    (void)state;
    struct takc_home *h = fixture_home(saved);
    fixture_name(1, name);
    assert_int_equal(takc_store_put_bytes(takc_home_store(h), NULL, takc_str(takc_key_document(takc_str(FIXTURE_TASK), takc_str(name)).s),
                                          takc_str("{"), NULL),
                     TAKC_OK);
    fixture_ok(takc_task_delete(h, NULL, takc_str(FIXTURE_TASK), 0, &out, &err), &err, "delete");
    assert_false(out.searched);
    assert_int_equal(takc_home_count_keys(h, NULL, takc_str(FIXTURE_TASK), &keys, NULL), TAKC_OK);
    assert_int_equal(keys, 0);
    takc_home_close(h);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(a_killed_rollback_is_made_up_for),
                                       T(a_killed_compress_is_made_up_for),
                                       T(a_killed_mirror_is_finished_by_the_next),
                                       T(a_killed_forget_is_finished_by_the_next),
                                       T(a_killed_delete_is_finished_by_the_next),
                                       T(a_deleted_task_is_gone),
                                       T(a_damaged_task_can_be_deleted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
