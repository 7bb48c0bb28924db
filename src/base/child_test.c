/* SPDX-License-Identifier: Apache-2.0
 *
 * The confined child: what goes in and out, what it cannot do, how it ends. Where bubblewrap is missing those cases skip, and say so. */
#include "base/child.h"
#include "base/clock.h"
#include "base/fault.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

struct ran {
    enum takc_status st;
    struct takc_child_result r;
    struct takc_buf out, text;
    struct takc_err err;
};

static void ran_clear(struct ran *x)
{
    takc_buf_clear(&x->out);
    takc_buf_clear(&x->text);
}

static struct ran run(uint8_t confine, const char *input, uint64_t timeout_ms, const char *const *argv)
{
    struct ran x = {0};
    struct takc_child_options o = {.argv = argv, .input = takc_str(input), .timeout_ms = timeout_ms, .confine = confine};
    takc_buf_init(&x.out, 1 << 20);
    takc_buf_init(&x.text, 4096);
    x.st = takc_child_run(&o, NULL, &x.out, &x.text, &x.r, &x.err);
    return x;
}

static struct ran shell(uint8_t confine, const char *script)
{
    return run(confine, "input", 10000, (const char *const[]){"sh", "-c", script, NULL});
}

static void need_bwrap(void)
{
    if (!takc_child_bwrap_works()) {
        print_message("SKIPPED: bubblewrap is not installed or not permitted here\n");
        skip();
    }
}

static void bytes_go_in_and_out(uint8_t confine)
{
    struct ran x = run(confine, "seven\n", 10000, (const char *const[]){"cat", "-", NULL});
    assert_int_equal(x.st, TAKC_OK);
    assert_int_equal(x.r.exit_code, 0);
    assert_int_equal(x.r.signal, 0);
    assert_int_equal(x.r.confine, confine);
    assert_string_equal(x.out.ptr, "seven\n");
    assert_int_equal(x.text.len, 0);
    ran_clear(&x);
    x = shell(confine, "echo out; echo wrong >&2; exit 7");
    assert_int_equal(x.st, TAKC_OK);
    assert_int_equal(x.r.exit_code, 7);
    assert_string_equal(x.out.ptr, "out\n");
    assert_string_equal(x.text.ptr, "wrong\n");
    ran_clear(&x);
}

/* The user's own program sees the environment it is given and may write files; time and output stay limited. */
static void open_runs(void **state)
{
    (void)state;
    bytes_go_in_and_out(TAKC_CHILD_OPEN);
    struct ran x = {0};
    const char *const environment[] = {"PATH=/usr/bin:/bin", "ANSWER=42", NULL};
    struct takc_child_options o = {.argv = (const char *const[]){"sh", "-c", "echo $ANSWER; echo x >/dev/null && echo wrote", NULL},
                                   .confine = TAKC_CHILD_OPEN,
                                   .environment = environment};
    takc_buf_init(&x.out, 20);
    takc_buf_init(&x.text, 4096);
    assert_int_equal(takc_child_run(&o, NULL, &x.out, &x.text, &x.r, &x.err), TAKC_OK);
    assert_string_equal(x.out.ptr, "42\nwrote\n");
    ran_clear(&x);
    o.argv = (const char *const[]){"sh", "-c", "echo 012345678901234567890123456789", NULL};
    assert_int_equal(takc_child_run(&o, NULL, &x.out, &x.text, &x.r, &x.err), TAKC_REFUSED);
    ran_clear(&x);
    x = run(TAKC_CHILD_OPEN, "", 100, (const char *const[]){"sleep", "60", NULL});
    assert_int_equal(x.st, TAKC_TIMEOUT);
    ran_clear(&x);
}

static void bwrap_runs(void **state)
{
    (void)state;
    need_bwrap();
    bytes_go_in_and_out(TAKC_CHILD_BWRAP);
}

static void seccomp_runs(void **state)
{
    (void)state;
    bytes_go_in_and_out(TAKC_CHILD_SECCOMP);
}

static void environment_is_small(void **state)
{
    (void)state;
    assert_int_equal(setenv("TAKC_SECRET", "x", 1), 0);
    int fd = dup(1); /* a descriptor that must not be inherited */
    struct ran x = shell(TAKC_CHILD_SECCOMP, "[ -z \"$TAKC_SECRET\" ] && [ \"$LANG\" = C.UTF-8 ] && ! [ -e /proc/self/fd/4 ] && echo fine");
    (void)close(fd);
    assert_int_equal(x.st, TAKC_OK);
    assert_string_equal(x.out.ptr ? x.out.ptr : "", "fine\n");
    ran_clear(&x);
}

/* perl is on every Debian; without it the socket test has nothing to ask with. */
static const char *const socket_script[] = {"perl", "-e", "socket(S, 2, 1, 0) ? print('open') : print('no: ', $!+0)", NULL};

static void bwrap_keeps_in(void **state)
{
    (void)state;
    need_bwrap();
    struct ran x = shell(TAKC_CHILD_BWRAP, "for f in /etc/passwd /etc/hostname /root /home /proc/1/environ; do [ -e $f ] && echo $f; done; "
                                           "cat /etc/passwd; echo x > /usr/x; echo x > /tmp/x && cat /tmp/x; true");
    assert_int_equal(x.st, TAKC_OK);
    assert_int_equal(x.out.len, 0);
    ran_clear(&x);
    /* a socket may be made in an empty network namespace, but it leads nowhere: not even to our own loopback */
    x = run(TAKC_CHILD_BWRAP, "", 10000,
            (const char *const[]){
                "perl", "-e",
                "use Socket; socket(S, 2, 1, 0); print connect(S, sockaddr_in(9, inet_aton('192.0.2.1'))) ? 'joined' : $!{ENETUNREACH} "
                "? 'unreachable' : 'other';",
                NULL});
    if (x.st != TAKC_NOT_FOUND) {
        assert_int_equal(x.st, TAKC_OK);
        assert_string_equal(x.out.ptr, "unreachable");
    }
    ran_clear(&x);
}

static void seccomp_keeps_in(void **state)
{
    (void)state;
    struct ran x = run(TAKC_CHILD_SECCOMP, "", 10000, socket_script);
    if (x.st != TAKC_NOT_FOUND) {
        char want[32];
        (void)snprintf(want, sizeof(want), "no: %d", EPERM);
        assert_int_equal(x.st, TAKC_OK);
        assert_string_equal(x.out.ptr, want);
    }
    ran_clear(&x);
    /* no other program, no process, no file for writing */
    x = shell(TAKC_CHILD_SECCOMP, "exec /bin/true");
    assert_int_equal(x.st, TAKC_OK);
    assert_int_equal(x.r.exit_code, 126);
    ran_clear(&x);
    x = shell(TAKC_CHILD_SECCOMP, "(echo forked); echo end");
    assert_int_equal(x.st, TAKC_OK);
    assert_true(x.out.len == 0 || !strstr(x.out.ptr, "forked"));
    ran_clear(&x);
    x = shell(TAKC_CHILD_SECCOMP, "echo x > /tmp/takc-child-test; [ -e /tmp/takc-child-test ] && echo made; true");
    assert_int_equal(x.out.len, 0);
    ran_clear(&x);
}

static void time_is_limited(uint8_t confine)
{
    const struct takc_clock *c = takc_clock_system();
    uint64_t from = c->mono_ns(c);
    struct ran x = run(confine, "", 200, (const char *const[]){"sleep", "30", NULL});
    assert_int_equal(x.st, TAKC_TIMEOUT);
    assert_non_null(strstr(x.err.msg, "200 ms"));
    assert_true(c->mono_ns(c) - from < 5000000000u);
    ran_clear(&x);
    /* pipes closed, still running */
    x = run(confine, "", 200, (const char *const[]){"perl", "-e", "close(STDOUT); close(STDERR); sleep 30", NULL});
    assert_true(x.st == TAKC_TIMEOUT || x.st == TAKC_NOT_FOUND);
    ran_clear(&x);
}

static void hanging_children_are_killed(void **state)
{
    (void)state;
    time_is_limited(TAKC_CHILD_SECCOMP);
    if (takc_child_bwrap_works())
        time_is_limited(TAKC_CHILD_BWRAP);
}

static void *cancel_soon(void *arg)
{
    struct takc_call *call = arg;
    struct timespec t = {0, 100000000};
    (void)nanosleep(&t, NULL);
    atomic_store(&call->cancel, true);
    return NULL;
}

static void cancel_kills(void **state)
{
    (void)state;
    struct takc_call call;
    struct takc_buf out, text;
    struct takc_child_result r;
    struct takc_err err;
    pthread_t thread;
    takc_call_init(&call);
    takc_buf_init(&out, 1024);
    takc_buf_init(&text, 1024);
    struct takc_child_options o = {.argv = (const char *const[]){"sleep", "30", NULL}};
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &call), 0);
    assert_int_equal(takc_child_run(&o, &call, &out, &text, &r, &err), TAKC_CANCELLED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    takc_call_init(&call);
    const struct takc_clock *c = takc_clock_system();
    call.deadline_ns = c->mono_ns(c) + 100000000;
    assert_int_equal(takc_child_run(&o, &call, &out, &text, &r, &err), TAKC_TIMEOUT);
    takc_buf_clear(&out);
    takc_buf_clear(&text);
}

static void output_and_memory_are_limited(void **state)
{
    (void)state;
    struct ran x = shell(TAKC_CHILD_SECCOMP, "while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy; done");
    assert_int_equal(x.st, TAKC_REFUSED);
    ran_clear(&x);
    struct takc_child_options o = {.argv = (const char *const[]){"perl", "-e", "my $x = 'a' x 300_000_000; print length $x", NULL},
                                   .memory_bytes = 64 << 20,
                                   .confine = TAKC_CHILD_SECCOMP};
    takc_buf_init(&x.out, 1024);
    takc_buf_init(&x.text, 64);
    x.st = takc_child_run(&o, NULL, &x.out, &x.text, &x.r, &x.err);
    assert_true(x.st == TAKC_NOT_FOUND || (x.st == TAKC_OK && x.r.exit_code != 0 && x.out.len == 0));
    ran_clear(&x);
}

static void missing_programs_are_told(void **state)
{
    (void)state;
    struct ran x = run(TAKC_CHILD_UNSET, "", 1000, (const char *const[]){"no-such-program-7", NULL});
    assert_int_equal(x.st, TAKC_NOT_FOUND);
    assert_string_equal(x.err.msg, "no-such-program-7 is not installed");
    ran_clear(&x);
}

static void memory_may_be_out(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 50; n++) {
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        struct ran x = run(TAKC_CHILD_SECCOMP, "abc", 10000, (const char *const[]){"cat", NULL});
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        enum takc_status st = x.st;
        ran_clear(&x);
        if (st == TAKC_OK) {
            assert_true(n > 2);
            return;
        }
        assert_int_equal(st, TAKC_NOMEM);
    }
    fail_msg("never passed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_runs),
        cmocka_unit_test(bwrap_runs),
        cmocka_unit_test(seccomp_runs),
        cmocka_unit_test(environment_is_small),
        cmocka_unit_test(bwrap_keeps_in),
        cmocka_unit_test(seccomp_keeps_in),
        cmocka_unit_test(hanging_children_are_killed),
        cmocka_unit_test(cancel_kills),
        cmocka_unit_test(output_and_memory_are_limited),
        cmocka_unit_test(missing_programs_are_told),
        cmocka_unit_test(memory_may_be_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
