/* SPDX-License-Identifier: Apache-2.0
 *
 * child.c - a confined child process (child.h).
 *
 * Everything that allocates happens before fork, since between fork and exec only async-signal-safe calls are allowed in a program with
 * threads: the argument list, the environment and the seccomp filter (built by libseccomp, exported as BPF) are ready by then. The filter
 * has to let one execve through, the child's own: it compares the address of the path argument, which no later program can know. An exec
 * that fails tells its errno through a pipe on descriptor 3 that a successful exec closes. */
#include "base/child.h"
#include "base/alloc.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEFAULT_TIMEOUT_MS = 60000, MAX_ARGS = 64, MAX_PATH_BYTES = 1024, POLL_MS = 50, PIECE_BYTES = 64 << 10 };
#define DEFAULT_MEMORY_BYTES ((uint64_t)1 << 30)

struct launch {
    const char *argv[MAX_ARGS];
    size_t n_argv;
    char program[MAX_PATH_BYTES]; /* what the caller wants to run */
    char path[MAX_PATH_BYTES];    /* what is executed: program or bwrap */
    char env_path[4096];
    const char *env[3];
    struct sock_fprog filter; /* filter.filter NULL: none */
    struct rlimit cpu, memory;
    int in, out[2], err[2], told[2]; /* -1: closed */
    bool own_net, open;
    const char *const *environment;
};

bool takc_child_find(const char *name, char *out, size_t n)
{
    if (strchr(name, '/')) {
        if (name[0] != '/' || strlen(name) >= n || access(name, X_OK) != 0)
            return false;
        memcpy(out, name, strlen(name) + 1);
        return true;
    }
    const char *path = getenv("PATH"); // NOLINT(concurrency-mt-unsafe): nobody changes the environment
    struct takc_str rest = takc_str(path && path[0] ? path : "/usr/bin:/bin"), dir;
    while (takc_str_split(&rest, ':', &dir)) {
        struct stat s;
        if (dir.len == 0 || dir.ptr[0] != '/' || (size_t)snprintf(out, n, "%.*s/%s", TAKC_STR_ARG(dir), name) >= n)
            continue; /* the current folder is no place for programs */
        if (stat(out, &s) == 0 && S_ISREG(s.st_mode) && access(out, X_OK) == 0)
            return true;
    }
    return false;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

/* Adds arguments up to NULL; false when there are too many. */
static bool add_args(struct launch *l, const char *const *args)
{
    for (size_t i = 0; args[i]; i++) {
        if (l->n_argv + 1 >= MAX_ARGS)
            return false;
        l->argv[l->n_argv++] = args[i];
    }
    l->argv[l->n_argv] = NULL;
    return true;
}

static bool system_path(const char *path)
{
    return strncmp(path, "/usr/", 5) == 0 || strncmp(path, "/bin/", 5) == 0;
}

static bool add_bwrap(struct launch *l)
{
    static const char *const args[] = {
        "bwrap",     "--ro-bind", "/usr",      "/usr",    "--symlink",     "usr/lib",           "/lib",          "--symlink",
        "usr/lib64", "/lib64",    "--symlink", "usr/bin", "/bin",          "--ro-bind-try",     "/etc/fonts",    "/etc/fonts",
        "--dev",     "/dev",      "--tmpfs",   "/tmp",    "--unshare-all", "--die-with-parent", "--new-session", "--chdir",
        "/",         NULL};
    const char *bind[] = {"--ro-bind", l->program, l->program, NULL}, *end[] = {"--", NULL};
    return takc_child_find("bwrap", l->path, sizeof(l->path)) && add_args(l, args) && (system_path(l->program) || add_args(l, bind)) &&
           add_args(l, end);
}

/* One rule: this call fails with EPERM. */
static int deny(scmp_filter_ctx ctx, int call)
{
    return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), call, 0);
}

/* Opening for writing, by the flags argument number arg. */
static int deny_writing(scmp_filter_ctx ctx, int call, unsigned arg)
{
    static const int flags[] = {O_WRONLY, O_RDWR, O_CREAT, O_TRUNC};
    int r = 0;
    for (size_t i = 0; i < 4 && !r; i++)
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), call, 1,
                             SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, (scmp_datum_t)flags[i], (scmp_datum_t)flags[i]));
    return r;
}

/* What a program that only reads its arguments and writes to its outputs never calls: network, other processes, the file system's names. */
static const int denied[] = {SCMP_SYS(socket),
                             SCMP_SYS(socketpair),
                             SCMP_SYS(connect),
                             SCMP_SYS(bind),
                             SCMP_SYS(listen),
                             SCMP_SYS(ptrace),
                             SCMP_SYS(process_vm_readv),
                             SCMP_SYS(process_vm_writev),
                             SCMP_SYS(fork),
                             SCMP_SYS(vfork),
                             SCMP_SYS(clone),
                             SCMP_SYS(execveat),
                             SCMP_SYS(kill),
                             SCMP_SYS(tkill),
                             SCMP_SYS(mount),
                             SCMP_SYS(umount2),
                             SCMP_SYS(unshare),
                             SCMP_SYS(setns),
                             SCMP_SYS(chroot),
                             SCMP_SYS(pivot_root),
                             SCMP_SYS(bpf),
                             SCMP_SYS(keyctl),
                             SCMP_SYS(add_key),
                             SCMP_SYS(request_key),
                             SCMP_SYS(io_uring_setup),
                             SCMP_SYS(unlink),
                             SCMP_SYS(unlinkat),
                             SCMP_SYS(rename),
                             SCMP_SYS(renameat),
                             SCMP_SYS(renameat2),
                             SCMP_SYS(mkdir),
                             SCMP_SYS(mkdirat),
                             SCMP_SYS(rmdir),
                             SCMP_SYS(creat),
                             SCMP_SYS(truncate),
                             SCMP_SYS(link),
                             SCMP_SYS(linkat),
                             SCMP_SYS(symlink),
                             SCMP_SYS(symlinkat),
                             SCMP_SYS(chmod),
                             SCMP_SYS(fchmodat),
                             SCMP_SYS(chown),
                             SCMP_SYS(fchownat),
                             SCMP_SYS(mknod),
                             SCMP_SYS(mknodat),
                             SCMP_SYS(userfaultfd),
                             SCMP_SYS(perf_event_open),
                             SCMP_SYS(init_module),
                             SCMP_SYS(finit_module),
                             SCMP_SYS(open_by_handle_at)};

static int add_rules(scmp_filter_ctx ctx, const char *path)
{
    int r = 0;
    for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]) && !r; i++)
        r = deny(ctx, denied[i]);
    if (!r)
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0); /* its flags cannot be looked at */
    if (!r)
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0);
    if (!r)
        r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(execve), 1, SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)(uintptr_t)path, 0));
    if (!r)
        r = deny_writing(ctx, SCMP_SYS(open), 1);
    return r ? r : deny_writing(ctx, SCMP_SYS(openat), 2);
}

/* The filter as BPF, for prctl after fork. libseccomp can only write it to a file: an anonymous one. */
static enum takc_status build_filter(struct launch *l, struct takc_err *err)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    int fd = memfd_create("takc-filter", MFD_CLOEXEC);
    struct stat s = {0};
    enum takc_status st = TAKC_OK;
    if (!ctx || fd < 0 || add_rules(ctx, l->path) || seccomp_export_bpf(ctx, fd) || fstat(fd, &s)) {
        st = takc_fail(err, TAKC_UNSUPPORTED, 0, "seccomp filter cannot be built");
        goto out;
    }
    l->filter.len = (unsigned short)((size_t)s.st_size / sizeof(struct sock_filter));
    l->filter.filter = takc_alloc((size_t)s.st_size);
    if (!l->filter.filter)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for the seccomp filter");
    else if (pread(fd, l->filter.filter, (size_t)s.st_size, 0) != s.st_size)
        st = takc_fail_errno(err, errno, "read seccomp filter");
out:
    if (ctx)
        seccomp_release(ctx);
    close_fd(&fd);
    return st;
}

/* The input as an anonymous file that stands at its beginning. */
static enum takc_status make_input(struct launch *l, struct takc_str input, struct takc_err *err)
{
    l->in = memfd_create("takc-input", MFD_CLOEXEC);
    if (l->in < 0)
        return takc_fail_errno(err, errno, "make input of child");
    for (size_t at = 0; at < input.len;) {
        ssize_t n = write(l->in, input.ptr + at, input.len - at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return takc_fail_errno(err, n ? errno : ENOSPC, "write input of child");
        at += (size_t)n;
    }
    return lseek(l->in, 0, SEEK_SET) < 0 ? takc_fail_errno(err, errno, "rewind input of child") : TAKC_OK;
}

static enum takc_status make_pipes(struct launch *l, struct takc_err *err)
{
    if (pipe2(l->out, O_CLOEXEC) || pipe2(l->err, O_CLOEXEC) || pipe2(l->told, O_CLOEXEC))
        return takc_fail_errno(err, errno, "pipe to child");
    return TAKC_OK;
}

static enum takc_status prepare(struct launch *l, const struct takc_child_options *o, uint8_t confine, struct takc_err *err)
{
    uint64_t timeout_ms = o->timeout_ms ? o->timeout_ms : DEFAULT_TIMEOUT_MS,
             memory = o->memory_bytes ? o->memory_bytes : DEFAULT_MEMORY_BYTES;
    const char *path = getenv("PATH"); // NOLINT(concurrency-mt-unsafe)
    (void)snprintf(l->env_path, sizeof(l->env_path), "PATH=%s", path && path[0] ? path : "/usr/bin:/bin");
    l->env[0] = "LANG=C.UTF-8";
    l->env[1] = l->env_path;
    l->environment = confine == TAKC_CHILD_OPEN && o->environment ? o->environment : l->env;
    l->open = confine == TAKC_CHILD_OPEN;
    l->cpu = (struct rlimit){timeout_ms / 1000 + 1, timeout_ms / 1000 + 2};
    l->memory = (struct rlimit){memory, memory};
    if (!takc_child_find(o->argv[0], l->program, sizeof(l->program)))
        return takc_fail(err, TAKC_NOT_FOUND, 0, "%s is not installed", o->argv[0]);
    if (confine == TAKC_CHILD_BWRAP) {
        if (!add_bwrap(l) || !add_args(l, (const char *const[]){l->program, NULL}))
            return takc_fail(err, TAKC_UNSUPPORTED, 0, "bubblewrap does not work here");
    } else {
        memcpy(l->path, l->program, sizeof(l->path));
        l->own_net = !l->open;
        if (!add_args(l, (const char *const[]){o->argv[0], NULL}))
            return takc_fail(err, TAKC_INVALID, 0, "too many arguments");
        enum takc_status st = l->open ? TAKC_OK : build_filter(l, err);
        if (st)
            return st;
    }
    if (!add_args(l, o->argv + 1))
        return takc_fail(err, TAKC_INVALID, 0, "too many arguments");
    enum takc_status st = make_input(l, o->input, err);
    return st ? st : make_pipes(l, err);
}

static void close_others(void)
{
    if (syscall(SYS_close_range, 4u, ~0u, 0) == 0)
        return;
    struct rlimit files;
    int n = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < 65536 ? (int)files.rlim_cur : 65536;
    for (int fd = 4; fd < n; fd++)
        (void)close(fd);
}

static int limit(const struct launch *l)
{
    static const struct rlimit none = {0, 0}, files = {64, 64};
    return setrlimit(RLIMIT_CPU, &l->cpu) || setrlimit(RLIMIT_AS, &l->memory) || setrlimit(RLIMIT_FSIZE, &none) ||
           setrlimit(RLIMIT_CORE, &none) || setrlimit(RLIMIT_NOFILE, &files);
}

/* Descriptor fd becomes number to; those in between have been moved out of the way before. */
static int place(int fd, int to)
{
    return fd == to ? fcntl(fd, F_SETFD, 0) : dup2(fd, to);
}

/* In the child: async-signal-safe calls only. */
static _Noreturn void become(struct launch *l)
{
    sigset_t all;
    /* above 3, so that placing one does not close another */
    int in = fcntl(l->in, F_DUPFD, 10), out = fcntl(l->out[1], F_DUPFD, 10), err = fcntl(l->err[1], F_DUPFD, 10),
        told = fcntl(l->told[1], F_DUPFD, 10);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)sigemptyset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    if (place(in, 0) < 0 || place(out, 1) < 0 || place(err, 2) < 0 || place(told, 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC) < 0)
        _exit(127);
    close_others();
    if (l->own_net && unshare(CLONE_NEWNET) != 0)
        (void)unshare(CLONE_NEWUSER | CLONE_NEWNET); /* where neither is permitted, the filter still stops every socket */
    int failed = !l->open && (limit(l) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    if (!failed && l->filter.filter)
        failed = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &l->filter);
    if (!failed)
        (void)execve(l->path, (char *const *)(uintptr_t)l->argv, (char *const *)(uintptr_t)l->environment);
    int code = errno;
    ssize_t written = write(3, &code, sizeof(code));
    _exit(written == sizeof(code) ? 126 : 127);
}

/* Reads what a pipe has now. At its end *fd is closed. Over the limit: cut when cut is true, else REFUSED. */
static enum takc_status drain(int *fd, struct takc_buf *to, bool cut, struct takc_err *err)
{
    char piece[PIECE_BYTES];
    ssize_t n = read(*fd, piece, sizeof(piece));
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return TAKC_OK;
    if (n < 0)
        return takc_fail_errno(err, errno, "read from child");
    if (n == 0) {
        close_fd(fd);
        return TAKC_OK;
    }
    size_t room = to->max - to->len;
    if ((size_t)n > room && !cut)
        return takc_fail(err, TAKC_REFUSED, 0, "more than %zu bytes of output", to->max);
    return takc_buf_add(to, takc_str_n(piece, (size_t)n < room ? (size_t)n : room), err);
}

static uint64_t now_ms(void)
{
    const struct takc_clock *c = takc_clock_system();
    return c->mono_ns(c) / 1000000;
}

/* Reads both pipes until they end. */
static enum takc_status listen_to(struct launch *l, uint64_t timeout_ms, struct takc_call *call, struct takc_buf *out,
                                  struct takc_buf *text, struct takc_err *err)
{
    uint64_t until = now_ms() + timeout_ms;
    while (l->out[0] >= 0 || l->err[0] >= 0) {
        struct pollfd p[2] = {{l->out[0], POLLIN, 0}, {l->err[0], POLLIN, 0}};
        int n = poll(p, 2, POLL_MS);
        enum takc_status st = takc_call_check(call, err);
        if (!st && n < 0 && errno != EINTR)
            st = takc_fail_errno(err, errno, "wait for child");
        if (!st && now_ms() >= until)
            st = takc_fail(err, TAKC_TIMEOUT, 0, "took longer than %llu ms", (unsigned long long)timeout_ms);
        if (!st && n > 0 && p[0].revents)
            st = drain(&l->out[0], out, false, err);
        if (!st && n > 0 && p[1].revents)
            st = drain(&l->err[0], text, true, err);
        if (st)
            return st;
    }
    return TAKC_OK;
}

/* Reaps the child; one that has closed its pipes and goes on is killed when its time is up. */
static enum takc_status reap(pid_t pid, uint64_t timeout_ms, struct takc_call *call, struct takc_child_result *r, struct takc_err *err)
{
    uint64_t until = now_ms() + timeout_ms;
    int status;
    pid_t got;
    enum takc_status st = TAKC_OK;
    while ((got = waitpid(pid, &status, WNOHANG)) == 0 && !st) {
        st = takc_call_check(call, err);
        if (!st && now_ms() >= until)
            st = takc_fail(err, TAKC_TIMEOUT, 0, "took longer than %llu ms", (unsigned long long)timeout_ms);
        (void)poll(NULL, 0, 1);
    }
    if (got == 0) {
        (void)kill(-pid, SIGKILL);
        (void)kill(pid, SIGKILL);
        do
            got = waitpid(pid, &status, 0);
        while (got < 0 && errno == EINTR);
    }
    if (st)
        return st;
    if (got < 0)
        return takc_fail_errno(err, errno, "wait for child");
    r->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    r->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return TAKC_OK;
}

static void put_away(struct launch *l)
{
    takc_free(l->filter.filter);
    close_fd(&l->in);
    for (int i = 0; i < 2; i++) {
        close_fd(&l->out[i]);
        close_fd(&l->err[i]);
        close_fd(&l->told[i]);
    }
    takc_free(l);
}

/* Forks, listens, reaps. */
static enum takc_status run(struct launch *l, uint64_t timeout_ms, struct takc_call *call, struct takc_buf *out, struct takc_buf *text,
                            struct takc_child_result *r, struct takc_err *err)
{
    int code = 0;
    pid_t pid = fork();
    if (pid < 0)
        return takc_fail_errno(err, errno, "fork");
    if (pid == 0)
        become(l);
    (void)setpgid(pid, pid);
    close_fd(&l->out[1]);
    close_fd(&l->err[1]);
    close_fd(&l->told[1]);
    ssize_t n;
    do
        n = read(l->told[0], &code, sizeof(code));
    while (n < 0 && errno == EINTR);
    enum takc_status st = n > 0 ? takc_fail_errno(err, code, "start %s", l->path) : listen_to(l, timeout_ms, call, out, text, err);
    if (st) {
        (void)kill(-pid, SIGKILL);
        (void)kill(pid, SIGKILL);
        (void)reap(pid, 0, NULL, r, NULL);
        return st;
    }
    return reap(pid, timeout_ms, call, r, err);
}

static enum takc_status run_as(const struct takc_child_options *o, uint8_t confine, struct takc_call *call, struct takc_buf *out,
                               struct takc_buf *text, struct takc_child_result *r, struct takc_err *err)
{
    struct launch *l = takc_alloc(sizeof(*l));
    if (!l)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory to start a child");
    l->in = l->out[0] = l->out[1] = l->err[0] = l->err[1] = l->told[0] = l->told[1] = -1;
    enum takc_status st = prepare(l, o, confine, err);
    if (!st)
        st = run(l, o->timeout_ms ? o->timeout_ms : DEFAULT_TIMEOUT_MS, call, out, text, r, err);
    r->confine = confine;
    put_away(l);
    return st;
}

static bool bwrap_works;

static void try_bwrap(void)
{
    struct takc_child_options o = {.argv = (const char *const[]){"true", NULL}, .timeout_ms = 5000};
    struct takc_child_result r = {0};
    struct takc_buf out, text;
    takc_buf_init(&out, 1024);
    takc_buf_init(&text, 1024);
    bwrap_works = run_as(&o, TAKC_CHILD_BWRAP, NULL, &out, &text, &r, NULL) == TAKC_OK && r.exit_code == 0;
    takc_buf_clear(&out);
    takc_buf_clear(&text);
}

bool takc_child_bwrap_works(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, try_bwrap);
    return bwrap_works;
}

enum takc_status takc_child_run(const struct takc_child_options *options, struct takc_call *call, struct takc_buf *out,
                                struct takc_buf *err_text, struct takc_child_result *result, struct takc_err *err)
{
    uint8_t confine = options->confine;
    *result = (struct takc_child_result){.exit_code = -1};
    if (confine == TAKC_CHILD_OPEN)
        return run_as(options, confine, call, out, err_text, result, err);
    if (confine != TAKC_CHILD_SECCOMP && takc_child_bwrap_works())
        confine = TAKC_CHILD_BWRAP;
    else if (confine == TAKC_CHILD_BWRAP)
        return takc_fail(err, TAKC_UNSUPPORTED, 0, "bubblewrap does not work here");
    else
        confine = TAKC_CHILD_SECCOMP;
    return run_as(options, confine, call, out, err_text, result, err);
}
