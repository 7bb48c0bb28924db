/* SPDX-License-Identifier: Apache-2.0
 *
 * The dir store with its n-th read, write, sync, rename or allocation failing: the right status, the key holds the old bytes or the new
 * ones, nothing is left lying about, no file descriptor is lost. Then a disk that is really full, where one can be mounted. */
#include "base/fault.h"
#include "catalog/home.h"
#include "object/dir.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char root[64];
static struct takc_store *store;

static int setup(void **state)
{
    (void)state;
    /* the syncs here are many, and what matters is only which of them fails: memory is quicker */
    (void)snprintf(root, sizeof(root), "%s/takc-fault-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    return mkdtemp(root) && takc_store_dir_open(&store, root, NULL) == TAKC_OK ? 0 : -1;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    takc_store_close(store);
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

static int count_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    assert_non_null(d);
    while (readdir(d)) /* NOLINT(concurrency-mt-unsafe) */
        n++;
    (void)closedir(d);
    return n;
}

static enum takc_status count_temporaries(void *arg, const char *rel, uint64_t size, int64_t changed_s, struct takc_err *err)
{
    (void)size;
    (void)changed_s;
    (void)err;
    *(int *)arg += strstr(rel, TAKC_TMP_PREFIX) != NULL;
    return TAKC_OK;
}

static void put(const char *key, const char *text)
{
    assert_int_equal(takc_store_put_bytes(store, NULL, takc_str(key), takc_str(text), NULL), TAKC_OK);
}

/* What key holds must be one of the two; "" stands for "not there". */
static void holds(const char *key, const char *old, const char *new)
{
    struct takc_buf b;
    takc_buf_init(&b, 1 << 20);
    enum takc_status st = takc_store_get_bytes(store, NULL, takc_str(key), &b, NULL);
    assert_true(st == TAKC_OK || st == TAKC_NOT_FOUND);
    const char *now = takc_buf_str(&b).ptr;
    if (strcmp(now, old) != 0 && strcmp(now, new) != 0)
        fail_msg("%s holds '%s'", key, now);
    takc_buf_clear(&b);
}

/* --- the calls, each starting from the same state --- */

static void prepare(void)
{
    put("a/k", "old");
    put("a/gone", "old");
    put("a/s", "old");
    (void)!takc_store_del(store, NULL, takc_str("new/folder/k"), NULL);
    for (int i = 0; i < 12; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "b%d/k", i);
        (void)!takc_store_del(store, NULL, takc_str(key), NULL);
        (void)snprintf(key, sizeof(key), "d/k%d", i);
        (void)!takc_store_del(store, NULL, takc_str(key), NULL);
        (void)snprintf(key, sizeof(key), "d/r%d", i);
        (void)!takc_store_del(store, NULL, takc_str(key), NULL);
    }
}

static enum takc_status do_put(struct takc_err *err)
{
    return takc_store_put_bytes(store, NULL, takc_str("a/k"), takc_str("new"), err);
}
static enum takc_status do_put_deep(struct takc_err *err)
{
    return takc_store_put_bytes(store, NULL, takc_str("new/folder/k"), takc_str("new"), err);
}
static enum takc_status do_get(struct takc_err *err)
{
    struct takc_buf b;
    takc_buf_init(&b, 1 << 20);
    enum takc_status st = takc_store_get_bytes(store, NULL, takc_str("a/k"), &b, err);
    assert_true(st ? b.len == 0 : strcmp(b.ptr, "old") == 0);
    takc_buf_clear(&b);
    return st;
}
static enum takc_status do_view(struct takc_err *err)
{
    struct takc_store_view v;
    enum takc_status st = takc_store_view(store, NULL, takc_str("a/k"), &v, err);
    if (!st)
        takc_store_view_close(&v);
    return st;
}
static enum takc_status do_swap(struct takc_err *err)
{
    struct takc_hex tag;
    assert_int_equal(takc_sha256(takc_str("old"), &tag, NULL), TAKC_OK);
    return takc_store_swap(store, NULL, takc_str("a/s"), takc_str(tag.s), takc_str("new"), err);
}
static enum takc_status do_del(struct takc_err *err)
{
    return takc_store_del(store, NULL, takc_str("a/gone"), err);
}
static enum takc_status ignore(void *arg, struct takc_str key, uint64_t size, struct takc_err *err)
{
    (void)arg;
    (void)key;
    (void)size;
    (void)err;
    return TAKC_OK;
}
static enum takc_status do_list(struct takc_err *err)
{
    return takc_store_list(store, NULL, takc_str(""), ignore, NULL, err);
}

/* n puts and one delete; the puts must be named in order: a prefix of them is there, each whole. */
static enum takc_status batch_of(int n, struct takc_err *err)
{
    struct takc_store_batch *b = NULL;
    enum takc_status st = takc_store_batch_open(store, &b, err);
    for (int i = 0; !st && i < n; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), "b%d/k", i);
        st = takc_store_batch_put(b, NULL, takc_str(key), takc_str("new"), false, err);
    }
    if (!st)
        st = takc_store_batch_del(b, NULL, takc_str("a/gone"), err);
    if (!st)
        st = takc_store_batch_commit(b, NULL, err);
    takc_store_batch_close(b);
    return st;
}
static enum takc_status do_batch_small(struct takc_err *err)
{
    return batch_of(3, err);
}
static enum takc_status do_batch_large(struct takc_err *err)
{
    return batch_of(12, err);
}

/* n of the derived kind, the last one where something is already. */
static enum takc_status derive(int n, struct takc_err *err)
{
    struct takc_store_batch *b = NULL;
    enum takc_status st = takc_store_batch_open(store, &b, err);
    for (int i = 0; !st && i < n; i++) {
        char key[32];
        (void)snprintf(key, sizeof(key), i + 1 < n ? "d/k%d" : "a/k", i);
        st = takc_store_batch_derive(b, NULL, takc_str(key), takc_str("new"), err);
        if (!st && i % 2) { /* what stands on the ones before */
            (void)snprintf(key, sizeof(key), "d/r%d", i);
            st = takc_store_batch_put(b, NULL, takc_str(key), takc_str("new"), false, err);
        }
    }
    if (!st)
        st = takc_store_batch_commit(b, NULL, err);
    takc_store_batch_close(b);
    return st;
}
static enum takc_status do_derive_small(struct takc_err *err)
{
    return derive(3, err);
}
static enum takc_status do_derive_large(struct takc_err *err)
{
    return derive(12, err);
}

/* Each is there whole or not at all, and there if what stands on it is. */
static void derived_are_whole(void)
{
    bool needed = false;
    for (int i = 11; i-- > 0;) {
        char key[32];
        struct takc_hex tag;
        (void)snprintf(key, sizeof(key), "d/r%d", i);
        needed |= takc_store_tag(store, NULL, takc_str(key), &tag, NULL) == TAKC_OK;
        (void)snprintf(key, sizeof(key), "d/k%d", i);
        holds(key, needed ? "new" : "", "new");
    }
}

static void batch_is_a_prefix(void)
{
    bool missing = false;
    for (int i = 0; i < 12; i++) {
        char key[32];
        struct takc_hex tag;
        (void)snprintf(key, sizeof(key), "b%d/k", i);
        enum takc_status st = takc_store_tag(store, NULL, takc_str(key), &tag, NULL);
        assert_false(missing && st == TAKC_OK);
        missing |= st == TAKC_NOT_FOUND;
        holds(key, "", "new");
    }
}

struct op {
    const char *name;
    enum takc_status (*run)(struct takc_err *);
};

static const struct op ops[] = {
    {"put", do_put},
    {"put in a new folder", do_put_deep},
    {"get", do_get},
    {"view", do_view},
    {"swap", do_swap},
    {"del", do_del},
    {"list", do_list},
    {"small batch", do_batch_small},
    {"large batch", do_batch_large},
    {"small batch of derived ones", do_derive_small},
    {"large batch of derived ones", do_derive_large},
};

static enum takc_status expected(enum takc_fault_kind kind, int errnum)
{
    return kind == TAKC_FAULT_ALLOC ? TAKC_NOMEM : errnum == ENOSPC ? TAKC_FULL : TAKC_IO;
}

static void check_state(const char *op, int fds)
{
    int n = 0;
    holds("a/k", "old", "new");
    holds("a/s", "old", "new");
    holds("a/gone", "old", "");
    holds("new/folder/k", "", "new");
    batch_is_a_prefix();
    derived_are_whole();
    assert_int_equal(takc_dir_walk(root, "", true, count_temporaries, &n, NULL), TAKC_OK);
    if (n)
        fail_msg("%s left %d temporaries", op, n);
    struct stat info;
    char folder[128];
    (void)snprintf(folder, sizeof(folder), "%s/new/folder/k", root);
    bool there = stat(folder, &info) == 0;
    (void)snprintf(folder, sizeof(folder), "%s/new", root);
    assert_true(there || stat(folder, &info)); /* no empty folders either */
    if (count_fds() != fds)
        fail_msg("%s lost a file descriptor", op);
}

static void fail_each(const struct op *op, enum takc_fault_kind kind, int errnum)
{
    for (uint64_t n = 1;; n++) {
        struct takc_err err = {0};
        prepare();
        int fds = count_fds();
        takc_fault_arm(kind, n, errnum);
        enum takc_status st = op->run(&err);
        bool fired = takc_fault_count(kind) >= n;
        takc_fault_arm(kind, 0, 0);
        if (!fired) {
            assert_int_equal(st, TAKC_OK);
            return;
        }
        if (st != expected(kind, errnum))
            fail_msg("%s, kind %d, failure %d: %s (%s)", op->name, (int)kind, (int)n, takc_status_name(st), err.msg);
        assert_int_equal(err.status, st);
        assert_true(err.msg[0]);
        if (errnum == ENOSPC && kind != TAKC_FAULT_ALLOC)
            assert_non_null(strstr(err.msg, "No space left"));
        check_state(op->name, fds);
        assert_true(n < 1000);
    }
}

static void every_step_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
        for (int kind = 0; kind < TAKC_FAULT_KINDS; kind++) {
            fail_each(&ops[i], (enum takc_fault_kind)kind, kind == TAKC_FAULT_ALLOC ? ENOMEM : EIO);
            if (kind != TAKC_FAULT_ALLOC)
                fail_each(&ops[i], (enum takc_fault_kind)kind, ENOSPC);
        }
}

/* --- a home's manifest and its backup --- */

static void a_manifest_is_old_or_new(void **state)
{
    (void)state;
    struct takc_home *h;
    struct takc_home_options o = {.create = true};
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/home", root);
    assert_int_equal(takc_home_open(&h, path, &o, NULL), TAKC_OK);
    for (int kind = 0; kind < TAKC_FAULT_KINDS; kind++)
        for (uint64_t n = 1;; n++) {
            struct takc_arena a;
            struct takc_manifest m, now;
            takc_arena_init(&a);
            assert_int_equal(takc_home_manifest(h, takc_str("fin"), &a, &m, NULL), TAKC_OK);
            m.next++;
            takc_fault_arm((enum takc_fault_kind)kind, n, kind == TAKC_FAULT_ALLOC ? ENOMEM : ENOSPC);
            enum takc_status st = takc_home_manifest_swap(h, &m, NULL, NULL);
            bool fired = takc_fault_count((enum takc_fault_kind)kind) >= n;
            takc_fault_arm((enum takc_fault_kind)kind, 0, 0);
            assert_true(fired ? st == (kind == TAKC_FAULT_ALLOC ? TAKC_NOMEM : TAKC_FULL) : st == TAKC_OK);
            assert_int_equal(takc_home_manifest(h, takc_str("fin"), &a, &now, NULL), TAKC_OK);
            assert_true(now.next == m.next || now.next == m.next - 1);
            takc_arena_clear(&a);
            if (!fired)
                break;
        }
    takc_home_close(h);
}

static void a_failed_backup_leaves_nothing(void **state)
{
    (void)state;
    struct takc_home *h;
    struct takc_home_options o = {.create = true};
    struct stat info;
    char path[128], to[128];
    (void)snprintf(path, sizeof(path), "%s/home", root);
    (void)snprintf(to, sizeof(to), "%s/copy", root);
    assert_int_equal(takc_home_open(&h, path, &o, NULL), TAKC_OK);
    for (int i = 0; i < 12; i++) {
        char key[64];
        (void)snprintf(key, sizeof(key), i % 2 ? "raw-data/fin/%d" : "blobs/fin/%d", i);
        assert_int_equal(takc_store_put_bytes(takc_home_store(h), NULL, takc_str(key), takc_str("text"), NULL), TAKC_OK);
    }
    for (int kind = TAKC_FAULT_ALLOC; kind < TAKC_FAULT_KINDS; kind++)
        for (uint64_t n = 1;; n++) {
            struct takc_err err = {0};
            takc_fault_arm((enum takc_fault_kind)kind, n, kind == TAKC_FAULT_ALLOC ? ENOMEM : ENOSPC);
            enum takc_status st = takc_home_backup(h, NULL, to, &err);
            bool fired = takc_fault_count((enum takc_fault_kind)kind) >= n;
            takc_fault_arm((enum takc_fault_kind)kind, 0, 0);
            if (!fired) {
                char command[160];
                assert_int_equal(st, TAKC_OK);
                (void)snprintf(command, sizeof(command), "rm -rf %s", to);
                assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
                break;
            }
            if (st != (kind == TAKC_FAULT_ALLOC ? TAKC_NOMEM : TAKC_FULL))
                fail_msg("kind %d, failure %d: %s", kind, (int)n, err.msg);
            assert_int_not_equal(stat(to, &info), 0);
            assert_true(n < 2000);
        }
    takc_home_close(h);
}

/* --- a disk that is full --- */

/* Mounts a file system of 256 KiB at path; in a name space of its own if need be. False when this machine does not let us. */
static bool mount_small(const char *path)
{
    if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
        return false;
    (void)mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    return mount("tmpfs", path, "tmpfs", 0, "size=256k") == 0;
}

enum { FULL_OK = 0, FULL_SKIP = 77, FULL_WRONG = 1 };
#define MUST(c)                                                                                                                            \
    do {                                                                                                                                   \
        if (!(c)) {                                                                                                                        \
            (void)fprintf(stderr, "full disk: line %d: %s\n", __LINE__, #c);                                                               \
            return FULL_WRONG;                                                                                                             \
        }                                                                                                                                  \
    } while (0)

/* In a child: fills the disk through put, swap and a batch; each says FULL, loses nothing, and works again when there is room. */
static int fill_disk(void)
{
    static char big[400 << 10];
    struct takc_store *s;
    struct takc_store_batch *b;
    struct takc_err err = {0};
    struct takc_buf text;
    int n = 0;
    memset(big, 'x', sizeof(big));
    if (!mount_small(root))
        return FULL_SKIP;
    MUST(takc_store_dir_open(&s, root, NULL) == TAKC_OK);
    MUST(takc_store_put_bytes(s, NULL, takc_str("a/k"), takc_str("old"), NULL) == TAKC_OK);
    MUST(takc_store_swap(s, NULL, takc_str("m"), takc_str(""), takc_str("old"), NULL) == TAKC_OK);
    MUST(takc_store_put_bytes(s, NULL, takc_str("a/k"), takc_str_n(big, sizeof(big)), &err) == TAKC_FULL);
    MUST(strstr(err.msg, "put a/k") && strstr(err.msg, "No space left"));
    struct takc_hex tag;
    MUST(takc_store_tag(s, NULL, takc_str("m"), &tag, NULL) == TAKC_OK);
    MUST(takc_store_swap(s, NULL, takc_str("m"), takc_str(tag.s), takc_str_n(big, sizeof(big)), &err) == TAKC_FULL);
    MUST(takc_store_batch_open(s, &b, NULL) == TAKC_OK);
    MUST(takc_store_batch_put(b, NULL, takc_str("b/1"), takc_str_n(big, 100 << 10), false, NULL) == TAKC_OK);
    MUST(takc_store_batch_put(b, NULL, takc_str("b/2"), takc_str_n(big, 200 << 10), false, &err) == TAKC_FULL);
    takc_store_batch_close(b);
    MUST(takc_dir_walk(root, "", true, count_temporaries, &n, NULL) == TAKC_OK && n == 0);
    takc_buf_init(&text, 100);
    MUST(takc_store_get_bytes(s, NULL, takc_str("a/k"), &text, NULL) == TAKC_OK && strcmp(text.ptr, "old") == 0);
    MUST(takc_store_get_bytes(s, NULL, takc_str("m"), &text, NULL) == TAKC_OK && strcmp(text.ptr, "oldold") == 0);
    MUST(takc_store_put_bytes(s, NULL, takc_str("a/k"), takc_str_n(big, 100 << 10), NULL) == TAKC_OK);
    takc_buf_clear(&text);
    takc_store_close(s);
    return FULL_OK;
}

static void a_full_disk_loses_nothing(void **state)
{
    (void)state;
    int how;
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        _exit(fill_disk());
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFEXITED(how));
    if (WEXITSTATUS(how) == FULL_SKIP) {
        print_message("SKIPPED: this machine lets nobody mount a small file system, so no disk was really full\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(how), FULL_OK);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(every_step_may_fail),
        T(a_manifest_is_old_or_new),
        T(a_failed_backup_leaves_nothing),
        T(a_full_disk_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
