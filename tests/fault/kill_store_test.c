/* SPDX-License-Identifier: Apache-2.0
 *
 * kill -9 at any moment: two children put, swap and commit batches as fast as they can and are killed, half of them at a random time, half
 * of them by themselves at the n-th time they come to a phase of a write (else the short phases would hardly ever be hit). After each pair:
 * every blob is whole (it carries its own checksum), everything that was acknowledged is there or replaced by something later, batches are
 * named in order, the counter that both swap never went back, and the sweep leaves no temporary. How many kills landed where is printed. */
#include "object/dir.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PAIRS = 130, CHILDREN = 2, BATCH = 12, KEYS = 6, PHASES = TAKC_FILE_FOLDER + 1, OPS = 3 };
enum op { OP_PUT = 0, OP_SWAP, OP_BATCH };

static char root[64];

/* What child and parent share. */
static struct shared {
    struct {
        atomic_int phase, op;
    } child[CHILDREN];
} * shared;

/* Sent up a pipe once a call has returned OK. */
struct ack {
    uint32_t op, key, seq;
};

/* --- blobs that prove themselves: "SEQ SHA256 payload" --- */

static size_t make_blob(uint32_t seq, unsigned salt, char *out, size_t size)
{
    static const char letters[] = "the quick brown fox jumps over the lazy dog ";
    char payload[9000];
    size_t n = 1 + (seq * 7919u + salt * 104729u) % (sizeof(payload) - 2);
    for (size_t i = 0; i < n; i++)
        payload[i] = letters[(i + seq + salt) % (sizeof(letters) - 1)];
    struct takc_hex hash;
    if (takc_sha256(takc_str_n(payload, n), &hash, NULL))
        _exit(90);
    return (size_t)snprintf(out, size, "%u %s %.*s", seq, hash.s, (int)n, payload);
}

/* The blob's number; fails the test when it is not whole. */
static uint32_t check_blob(struct takc_store *s, const char *key, bool *there)
{
    struct takc_buf b;
    struct takc_hex hash;
    takc_buf_init(&b, 1 << 20);
    enum takc_status st = takc_store_get_bytes(s, NULL, takc_str(key), &b, NULL);
    *there = st == TAKC_OK;
    assert_true(st == TAKC_OK || st == TAKC_NOT_FOUND);
    struct takc_str rest = takc_buf_str(&b), seq, want;
    uint64_t n = 0;
    if (*there) {
        if (!takc_str_split(&rest, ' ', &seq) || !takc_str_split(&rest, ' ', &want) || takc_str_u64(seq, UINT32_MAX, &n, NULL))
            fail_msg("%s is cut off", key);
        assert_int_equal(takc_sha256(rest, &hash, NULL), TAKC_OK);
        if (!takc_str_is(want, hash.s))
            fail_msg("%s is not whole", key);
    }
    takc_buf_clear(&b);
    return (uint32_t)n;
}

/* --- the children --- */

static int my_number;
static int die_in_phase, die_after; /* die_in_phase -1: somebody else kills us */

static void note_phase(enum takc_file_phase phase)
{
    atomic_store(&shared->child[my_number].phase, (int)phase);
    if ((int)phase == die_in_phase && --die_after <= 0)
        (void)raise(SIGKILL);
}

static void done(int fd, enum op op, uint32_t key, uint32_t seq)
{
    struct ack a = {op, key, seq};
    if (write(fd, &a, sizeof(a)) != sizeof(a))
        _exit(91);
}

static void put_one(struct takc_store *s, int fd, uint32_t seq)
{
    static char blob[10000];
    char key[64];
    uint32_t k = seq % KEYS;
    (void)snprintf(key, sizeof(key), "w%d/k/%u", my_number, k);
    size_t n = make_blob(seq, k, blob, sizeof(blob));
    if (takc_store_put_bytes(s, NULL, takc_str(key), takc_str_n(blob, n), NULL))
        _exit(92);
    done(fd, OP_PUT, k, seq);
}

static void put_batch(struct takc_store *s, int fd, uint32_t seq)
{
    static char blob[10000];
    struct takc_store_batch *b;
    int n_keys = seq % 2 ? BATCH : 3; /* both ways of syncing */
    if (takc_store_batch_open(s, &b, NULL))
        _exit(93);
    for (int i = 0; i < n_keys; i++) {
        char key[64];
        (void)snprintf(key, sizeof(key), "w%d/%s/%d", my_number, seq % 2 ? "many" : "few", i);
        size_t n = make_blob(seq, (unsigned)i, blob, sizeof(blob));
        if (takc_store_batch_put(b, NULL, takc_str(key), takc_str_n(blob, n), false, NULL))
            _exit(94);
    }
    if (takc_store_batch_commit(b, NULL, NULL))
        _exit(95);
    done(fd, OP_BATCH, seq % 2, seq);
    takc_store_batch_close(b);
}

/* Counts the shared blob up by one; another one may be quicker. */
static void swap_one(struct takc_store *s, int fd)
{
    static char blob[10000];
    struct takc_buf b;
    struct takc_hex tag = {""};
    takc_buf_init(&b, 1 << 20);
    enum takc_status st = takc_store_get_bytes(s, NULL, takc_str("count"), &b, NULL);
    uint32_t seq = 1 + (uint32_t)strtoul(takc_buf_str(&b).ptr, NULL, 10);
    if ((st && st != TAKC_NOT_FOUND) || (!st && takc_sha256(takc_buf_str(&b), &tag, NULL)))
        _exit(96);
    size_t n = make_blob(seq, 99, blob, sizeof(blob));
    st = takc_store_swap(s, NULL, takc_str("count"), takc_str(tag.s), takc_str_n(blob, n), NULL);
    takc_buf_clear(&b);
    if (st && st != TAKC_CONFLICT)
        _exit(97);
    if (!st)
        done(fd, OP_SWAP, 0, seq);
}

static _Noreturn void child(int number, int fd, uint32_t from, int phase, int after)
{
    struct takc_store *s;
    my_number = number;
    die_in_phase = phase;
    die_after = after;
    if (takc_store_dir_open(&s, root, NULL))
        _exit(98);
    takc_file_phase_hook = note_phase;
    for (uint32_t seq = from;; seq++) {
        enum op op = (enum op)(seq % OPS);
        atomic_store(&shared->child[number].op, (int)op);
        if (op == OP_PUT)
            put_one(s, fd, seq);
        else if (op == OP_BATCH)
            put_batch(s, fd, seq);
        else
            swap_one(s, fd);
    }
}

/* --- the audit --- */

static struct {
    uint32_t put[KEYS], batch[2], next; /* highest number acknowledged */
} acked[CHILDREN];
static uint32_t acked_count;
static unsigned landed[OPS][PHASES], n_acks, n_temporaries;

static void read_acks(int number, int fd)
{
    struct ack a;
    while (read(fd, &a, sizeof(a)) == sizeof(a)) {
        n_acks++;
        if (a.op == OP_PUT)
            acked[number].put[a.key] = a.seq;
        else if (a.op == OP_BATCH)
            acked[number].batch[a.key] = a.seq;
        else if (a.seq > acked_count)
            acked_count = a.seq;
    }
}

/* All keys of a batch hold the acknowledged number, or the first few of them a later one. */
static uint32_t audit_batch(struct takc_store *s, int number, const char *name, int n_keys, uint32_t least)
{
    uint32_t first = 0, before = UINT32_MAX;
    for (int i = 0; i < n_keys; i++) {
        char key[64];
        bool there;
        (void)snprintf(key, sizeof(key), "w%d/%s/%d", number, name, i);
        uint32_t seq = check_blob(s, key, &there);
        if (seq < least)
            fail_msg("%s holds %u, %u was acknowledged", key, seq, least);
        if (seq > before)
            fail_msg("%s holds %u, the key before it %u: not in order", key, seq, before);
        before = seq;
        first = i == 0 ? seq : first;
    }
    return first;
}

static enum takc_status count_temporaries(void *arg, const char *rel, uint64_t size, int64_t changed_s, struct takc_err *err)
{
    (void)size;
    (void)changed_s;
    (void)err;
    *(unsigned *)arg += strstr(rel, TAKC_TMP_PREFIX) != NULL;
    return TAKC_OK;
}

static void audit(struct takc_store *s)
{
    bool there;
    for (int number = 0; number < CHILDREN; number++) {
        uint32_t highest = audit_batch(s, number, "many", BATCH, acked[number].batch[1]);
        uint32_t few = audit_batch(s, number, "few", 3, acked[number].batch[0]);
        highest = few > highest ? few : highest;
        for (uint32_t k = 0; k < KEYS; k++) {
            char key[64];
            (void)snprintf(key, sizeof(key), "w%d/k/%u", number, k);
            uint32_t seq = check_blob(s, key, &there);
            if (seq < acked[number].put[k])
                fail_msg("%s holds %u, %u was acknowledged", key, seq, acked[number].put[k]);
            highest = seq > highest ? seq : highest;
        }
        acked[number].next = highest + 1;
    }
    uint32_t count = check_blob(s, "count", &there);
    if (count < acked_count)
        fail_msg("the counter holds %u, %u was acknowledged", count, acked_count);
    unsigned left = 0;
    uint64_t removed = 0;
    assert_int_equal(takc_dir_walk(root, "", true, count_temporaries, &n_temporaries, NULL), TAKC_OK);
    assert_int_equal(takc_dir_sweep(root, "", true, &removed, NULL), TAKC_OK);
    assert_int_equal(takc_dir_walk(root, "", true, count_temporaries, &left, NULL), TAKC_OK);
    assert_int_equal(left, 0);
}

static void run_pair(struct takc_store *s, int round, unsigned *random)
{
    pid_t pids[CHILDREN];
    int fds[CHILDREN][2];
    for (int i = 0; i < CHILDREN; i++) {
        bool by_itself = (round + i) % 2 == 0;
        int phase = by_itself ? 1 + round / 2 % (PHASES - 1) : -1, after = 1 + (int)(rand_r(random) % 40);
        assert_int_equal(pipe(fds[i]), 0);
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0)
            child(i, fds[i][1], acked[i].next, phase, after);
        (void)close(fds[i][1]);
    }
    struct timespec t = {0, (long)(rand_r(random) % 20000) * 1000};
    (void)nanosleep(&t, NULL);
    for (int i = 0; i < CHILDREN; i++) {
        int how;
        if ((round + i) % 2 != 0)
            (void)kill(pids[i], SIGKILL);
        assert_int_equal(waitpid(pids[i], &how, 0), pids[i]);
        if (!WIFSIGNALED(how))
            fail_msg("a child failed by itself: exit %d", WEXITSTATUS(how));
        landed[atomic_load(&shared->child[i].op)][atomic_load(&shared->child[i].phase)]++;
        read_acks(i, fds[i][0]);
        (void)close(fds[i][0]);
    }
    audit(s);
}

static void nothing_is_lost(void **state)
{
    (void)state;
    static const char *const op_names[] = {"put", "swap", "batch"};
    struct takc_store *s;
    unsigned random = 20260101, total = 0, in_phase[PHASES] = {0};
    assert_int_equal(takc_store_dir_open(&s, root, NULL), TAKC_OK);
    for (int i = 0; i < CHILDREN; i++)
        acked[i].next = 1;
    for (int round = 0; round < PAIRS; round++)
        run_pair(s, round, &random);
    print_message("kills        between    stage     sync     name   folder\n");
    for (int op = 0; op < OPS; op++) {
        print_message("%-10s", op_names[op]);
        for (int p = 0; p < PHASES; p++) {
            print_message(" %8u", landed[op][p]);
            in_phase[p] += landed[op][p];
            total += landed[op][p];
        }
        print_message("\n");
    }
    print_message("%u kills, %u acknowledged writes, %u temporaries swept\n", total, n_acks, n_temporaries);
    assert_true(total >= 200);
    for (int p = TAKC_FILE_STAGE; p < PHASES; p++)
        assert_true(in_phase[p] >= 10);
    assert_true(n_temporaries > 0 && n_acks > 100);
    takc_store_close(s);
}

static int setup(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/takc-kill-XXXXXX");
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return mkdtemp(root) && shared != MAP_FAILED ? 0 : -1;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    (void)munmap(shared, sizeof(*shared));
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command); /* NOLINT(cert-env33-c): a fixed command of the test */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(nothing_is_lost, setup, teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
