/* SPDX-License-Identifier: Apache-2.0
 *
 * Homes of older schemas are brought to this one: whole, or again from the start after a kill, and what is damaged in them stays what it
 * was. */
#include "../../tests/property/root_fixture.h"
#include "base/fault.h"
#include "catalog/home_impl.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static bool says(const char *name, const char *text)
{
    char file[PATH_MAX];
    struct takc_buf b;
    (void)snprintf(file, sizeof(file), "%s/%s", root, name);
    takc_buf_init(&b, 1 << 20);
    bool same = takc_file_read(file, &b, NULL) == TAKC_OK && takc_str_is(takc_buf_str(&b), text);
    takc_buf_clear(&b);
    return same;
}

static enum takc_status try_open(struct takc_err *err)
{
    struct takc_home *h = NULL;
    enum takc_status st = takc_home_open(&h, root, NULL, err);
    takc_home_close(h);
    return st;
}

/* --- being killed --- */

static enum takc_file_phase kill_at;
static int kill_after; /* that many phases are let pass; only those that are kill_at where that is set */

static void die_there(enum takc_file_phase phase)
{
    if ((kill_at == TAKC_FILE_IDLE ? phase != TAKC_FILE_IDLE : phase == kill_at) && kill_after-- == 0)
        (void)raise(SIGKILL);
}

/* Opens the home in a process that is killed as said above; true when it was. */
static bool open_killed(void)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        takc_file_phase_hook = die_there;
        _exit(try_open(NULL) ? 1 : 0);
    }
    int how;
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFSIGNALED(how) || WEXITSTATUS(how) == 0);
    return WIFSIGNALED(how);
}

/* --- 0 -> 1 --- */

static void an_old_home_is_migrated(void **state)
{
    (void)state;
    write_text("manifests/fin.json", "{}");
    assert_int_equal(try_open(NULL), TAKC_OK); /* even without create: it is a home */
    assert_true(says("home.json", "{\"takc_home\": 2}\n"));
    assert_true(there("locks"));
    assert_true(says("manifests/fin.json", "{}"));
    assert_int_equal(try_open(NULL), TAKC_OK);
}

static void a_killed_migration_goes_on(void **state)
{
    (void)state;
    write_text("documents/fin/x.json", "{}");
    for (kill_at = TAKC_FILE_STAGE; kill_at <= TAKC_FILE_FOLDER; kill_at++) {
        kill_after = 0;
        assert_true(open_killed());
        assert_true(there("home.json") == (kill_at == TAKC_FILE_FOLDER));
        assert_true(there("documents/fin/x.json"));
    }
    assert_int_equal(try_open(NULL), TAKC_OK);
}

static void a_failed_migration_says_which(void **state)
{
    (void)state;
    struct takc_err err = {0};
    write_text("manifests/fin.json", "{}");
    takc_fault_arm(TAKC_FAULT_WRITE, 1, ENOSPC);
    assert_int_equal(try_open(&err), TAKC_FULL);
    takc_fault_arm(TAKC_FAULT_WRITE, 0, 0);
    assert_non_null(strstr(err.msg, "migrate the home from schema 0"));
    assert_false(there("home.json"));
    assert_int_equal(try_open(NULL), TAKC_OK);
}

/* --- 1 -> 2 --- */

/* A home as schema 1 left it: two tasks with two versions each, one of them without its selection; and a damaged manifest. */
static void write_schema_1(void)
{
    static const char *const tasks[] = {"fin", "law"};
    char name[128], text[4096];
    write_text("home.json", "{\"takc_home\": 1}\n");
    write_text("manifests/bad.json", "{\"takc_manifest\": 1}");
    for (int t = 0; t < 2; t++) {
        size_t n = (size_t)snprintf(
            text, sizeof(text), "{\n  \"takc_manifest\": 1,\n  \"task\": \"%s\",\n  \"current\": \"2\",\n  \"next\": 3,\n  \"versions\": [",
            tasks[t]);
        for (int v = 1; v <= 2; v++) {
            n += (size_t)snprintf(text + n, sizeof(text) - n,
                                  "\n    {\"label\": \"%d\", \"redacted_from\": \"\", \"work_key\": \"" SHA_A "\",\n"
                                  "     \"created\": 1700000000, \"pinned\": false, \"source_tokens\": 10,\n"
                                  "     \"documents\": {\"sha256\": \"" SHA_A "\", \"bytes\": 1},\n"
                                  "     \"index\": {\"sha256\": \"" SHA_A "\", \"bytes\": 1},\n     \"artifacts\": [\n"
                                  "      {\"rate\": \"light\", \"sha256\": \"" SHA_A "\", \"bytes\": 1}]}%s",
                                  v, v == 1 ? "," : "");
            (void)snprintf(name, sizeof(name), "artifacts/%s/v%d/light.ledger.json", tasks[t], v);
            write_text(name, v == 1 ? "ledger 1" : "ledger 2");
            (void)snprintf(name, sizeof(name), "index/%s/v%d/selection.bin", tasks[t], v);
            if (t || v == 2)
                write_text(name, v == 1 ? "order 1" : "order 2");
        }
        (void)snprintf(text + n, sizeof(text) - n, "]\n}\n");
        (void)snprintf(name, sizeof(name), "manifests/%s.json", tasks[t]);
        write_text(name, text);
    }
}

static void expect_hash(const struct takc_str got, uint64_t size, const char *of)
{
    struct takc_hex hex = {""};
    if (of)
        assert_int_equal(takc_sha256(takc_str(of), &hex, NULL), TAKC_OK);
    assert_true(takc_str_is(got, hex.s));
    assert_int_equal(size, of ? strlen(of) : 0);
}

static void check_schema_2(void)
{
    struct takc_home *h = NULL;
    struct takc_arena a;
    struct takc_manifest m;
    takc_arena_init(&a);
    assert_int_equal(takc_home_open(&h, root, NULL, NULL), TAKC_OK);
    assert_true(says("home.json", "{\"takc_home\": 2}\n"));
    assert_true(says("manifests/bad.json", "{\"takc_manifest\": 1}"));
    assert_int_equal(takc_home_manifest(h, takc_str("bad"), &a, &m, NULL), TAKC_CORRUPT);
    for (int t = 0; t < 2; t++) {
        assert_int_equal(takc_home_manifest(h, takc_str(t ? "law" : "fin"), &a, &m, NULL), TAKC_OK);
        assert_true(takc_str_is(m.current, "2") && m.next == 3 && m.n_versions == 2);
        for (int v = 0; v < 2; v++) {
            const struct takc_version *got = &m.versions[v];
            expect_hash(got->selection.sha256, got->selection.size_bytes, v ? "order 2" : t ? "order 1" : NULL);
            expect_hash(got->artifacts[0].ledger_sha256, got->artifacts[0].ledger_bytes, v ? "ledger 2" : "ledger 1");
            assert_true(takc_str_is(got->artifacts[0].sha256, SHA_A) && takc_str_is(got->work_key, SHA_A));
        }
    }
    takc_home_close(h);
    takc_arena_clear(&a);
}

static void manifests_get_their_hashes(void **state)
{
    (void)state;
    write_schema_1();
    check_schema_2();
    write_text("index/law/v1/selection.bin", "edited"); /* what is recorded stays recorded */
    write_text("home.json", "{\"takc_home\": 1}\n");
    check_schema_2();
}

/* Killed in every phase of every write, one after the other: each run begins where the one before was killed. */
static void a_killed_hashing_goes_on(void **state)
{
    (void)state;
    int n = 0;
    kill_at = TAKC_FILE_IDLE;
    write_schema_1();
    do {
        kill_after = n++;
        assert_true(n < 100);
    } while (open_killed());
    assert_true(n > 12); /* three writes of four phases */
    check_schema_2();
}

static void every_allocation_of_hashing_may_fail(void **state)
{
    (void)state;
    enum takc_status st = TAKC_NOMEM;
    for (uint64_t n = 1; st; n++) {
        assert_true(n < 2000);
        write_schema_1();
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        st = try_open(NULL);
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        assert_true(st == TAKC_OK || st == TAKC_NOMEM);
    }
    check_schema_2();
}

#define T(f) cmocka_unit_test_setup_teardown(f, make_root, remove_root)

int main(void)
{
    const struct CMUnitTest tests[] = {T(an_old_home_is_migrated),       T(a_killed_migration_goes_on),
                                       T(a_failed_migration_says_which), T(manifests_get_their_hashes),
                                       T(a_killed_hashing_goes_on),      T(every_allocation_of_hashing_may_fail)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
