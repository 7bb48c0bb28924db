/* SPDX-License-Identifier: Apache-2.0
 *
 * cli.c - one run: arguments, settings, log, signals, the verb, what it said, the exit code.
 *
 * The first Ctrl-C (or SIGTERM, SIGHUP) sets the call's cancel flag, and the verb ends between two pieces of work with nothing
 * half-written; the second one leaves at once. A reader of stdout that goes away (SIGPIPE) is a failed write, met where stdout is written.
 * Nothing here touches ICU, SQLite or the home: a start costs what the loader costs. */
#include "cli/cli.h"
#include "base/alloc.h"
#include "base/fault.h"
#include "reply/reply.h"
#include "task/profile.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

enum { OUT_GATHER = 64 << 10, NOTE_BYTES = 8192 }; /* bytes that wait before a write; of a note on a terminal */

static struct takc_call *volatile running; /* what signals stop */

static void on_signal(int number)
{
    (void)number;
    if (!running || atomic_exchange(&running->cancel, true))
        _exit(130);
}

static void catch_signals(struct takc_call *call)
{
    static const int stop[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction a = {.sa_handler = on_signal}; /* no SA_RESTART: a read of stdin ends */
    running = call;
    (void)sigemptyset(&a.sa_mask);
    for (size_t i = 0; i < sizeof(stop) / sizeof(stop[0]); i++)
        (void)sigaction(stop[i], &a, NULL);
    a.sa_handler = SIG_IGN;
    (void)sigaction(SIGPIPE, &a, NULL);
    (void)sigaction(SIGXFSZ, &a, NULL); /* a limit on file sizes is a failed write, too */
}

/* --- stdout --- */

/* One write, however long it waits; a stdout that somebody made non-blocking is waited for too. */
static ssize_t write_some(struct takc_cli *cli, const char *bytes, size_t n)
{
    for (;;) {
        int hit = takc_fault_hit(TAKC_FAULT_WRITE);
        ssize_t w = hit ? -1 : write(STDOUT_FILENO, bytes, n);
        if (hit)
            errno = hit;
        if (w >= 0 || (errno != EINTR && errno != EAGAIN) || atomic_load(&cli->call.cancel))
            return w;
        struct pollfd room = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (errno == EAGAIN)
            (void)poll(&room, 1, 1000);
    }
}

enum takc_status takc_cli_flush(struct takc_cli *cli, struct takc_err *err)
{
    size_t at = 0;
    takc_progress_hide(&cli->progress);
    if (cli->out.len && isatty(STDOUT_FILENO))
        takc_text_calm(cli->out.ptr, cli->out.len);
    while (at < cli->out.len) {
        ssize_t n = write_some(cli, cli->out.ptr + at, cli->out.len - at);
        if (n < 0) {
            cli->reader_gone = errno == EPIPE;
            takc_buf_reset(&cli->out);
            return errno == EINTR || errno == EAGAIN ? takc_fail(err, TAKC_CANCELLED, 0, "stopped on request")
                                                     : takc_fail_errno(err, errno, "write to stdout");
        }
        at += (size_t)n;
    }
    takc_buf_reset(&cli->out);
    return TAKC_OK;
}

static enum takc_status gathered(struct takc_cli *cli, enum takc_status st, struct takc_err *err)
{
    return st || cli->out.len < OUT_GATHER ? st : takc_cli_flush(cli, err);
}

enum takc_status takc_cli_write(struct takc_cli *cli, struct takc_str s, struct takc_err *err)
{
    return gathered(cli, takc_buf_add(&cli->out, s, err), err);
}

enum takc_status takc_cli_printf(struct takc_cli *cli, struct takc_err *err, const char *fmt, ...)
{
    char small[1024];
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof(small), fmt, ap);
    va_end(ap);
    enum takc_status st = n < 0 ? takc_fail(err, TAKC_INVALID, 0, "text cannot be formatted") : TAKC_OK;
    if (!st && (size_t)n < sizeof(small)) {
        st = takc_buf_add(&cli->out, takc_str_n(small, (size_t)n), err);
    } else if (!st && !(st = takc_buf_reserve(&cli->out, (size_t)n, err))) {
        (void)vsnprintf(cli->out.ptr + cli->out.len, (size_t)n + 1, fmt, again);
        cli->out.len += (size_t)n;
    }
    va_end(again);
    return gathered(cli, st, err);
}

enum takc_status takc_cli_json(struct takc_cli *cli, json_t *v, struct takc_err *err)
{
    if (!v)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
    enum takc_status st = takc_json_dump(v, true, &cli->out, err);
    json_decref(v);
    if (!st)
        st = takc_buf_byte(&cli->out, '\n', err);
    return gathered(cli, st, err);
}

/* --- stderr --- */

void takc_cli_note(struct takc_cli *cli, const char *fmt, ...)
{
    if (cli->quiet)
        return;
    va_list ap;
    takc_progress_hide(&cli->progress);
    char shown[NOTE_BYTES]; /* names and what other programs said of a document stand in notes, too */
    va_start(ap, fmt);
    if (!isatty(STDERR_FILENO)) {
        (void)vfprintf(stderr, fmt, ap);
    } else if (vsnprintf(shown, sizeof(shown), fmt, ap) >= 0) {
        takc_text_calm(shown, strlen(shown));
        (void)fputs(shown, stderr);
    }
    va_end(ap);
    (void)fputc('\n', stderr);
}

/* What a failure is about, for the guide's codes. */
static enum takc_error_about about_of(const struct takc_cli *cli)
{
    static const char *const readers[] = {"query", "chat", "explain", "cache", "verify"};
    const char *verb = cli->verb ? cli->verb->name : "";
    bool named = cli->verb && (cli->verb->needs_task || strcmp(verb, "init") == 0) && cli->settings.task.len;
    if (named && takc_task_name_check(cli->settings.task, NULL))
        return TAKC_ABOUT_TASK_NAME;
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
        if (strcmp(verb, readers[i]) == 0)
            return TAKC_ABOUT_CACHE;
    return strcmp(verb, "compress") == 0 ? TAKC_ABOUT_COMPRESS : TAKC_ABOUT_UNSET;
}

static void tell_failure(struct takc_cli *cli, enum takc_status st, const struct takc_err *err)
{
    takc_progress_hide(&cli->progress);
    (void)fprintf(stderr, "takc: %s\n", err->msg[0] ? err->msg : takc_status_text(st));
    if (!cli->json)
        return;
    const struct takc_clock *clock = takc_clock_system();
    json_t *details = json_pack("{ss}", "status", takc_status_name(st));
    struct takc_error_body body = {takc_error_code(st, about_of(cli)), takc_str(err->msg), cli->request_id, clock->wall_s(clock), details};
    struct takc_err ignored;
    if (!takc_cli_json(cli, takc_error_json(&body), &ignored))
        (void)!takc_cli_flush(cli, &ignored);
    json_decref(details);
}

/* --- the run --- */

static enum takc_status load_settings(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_setting_flag *flags = takc_alloc_array(cli->n_given, sizeof(*flags));
    char(*names)[40] = takc_alloc_array(cli->n_given, sizeof(*names));
    struct takc_settings_inputs in = {.flags = flags, .environment = cli->environment, .config = takc_cli_opt(cli, "config").ptr};
    enum takc_status st = TAKC_OK;
    if (!flags || !names) {
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for settings");
        goto out;
    }
    for (size_t i = 0; i < cli->n_given; i++) {
        const struct takc_option *o = cli->given[i].option;
        if (!o->setting)
            continue;
        (void)snprintf(names[i], sizeof(names[i]), "--%s", o->name);
        flags[in.n_flags++] = (struct takc_setting_flag){o->setting, names[i], cli->given[i].value};
    }
    st = takc_settings_load(&cli->settings, &in, err);
out:
    takc_free(names);
    takc_free(flags);
    return st;
}

static void make_request_id(char out[33])
{
    unsigned char bytes[16] = {0};
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes)) /* then an id that is not unique, which harms nobody */
        memset(bytes, 0, sizeof(bytes));
    for (size_t i = 0; i < sizeof(bytes); i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static void prepare_call(struct takc_cli *cli)
{
    struct takc_term term;
    takc_call_init(&cli->call);
    make_request_id(cli->request_id);
    cli->call.request_id = cli->request_id;
    takc_term_init(&cli->term, STDOUT_FILENO, cli->environment);
    takc_term_init(&term, STDERR_FILENO, cli->environment);
    takc_progress_init(&cli->progress, &term, NULL);
    catch_signals(&cli->call);
}

static enum takc_status start_log(struct takc_cli *cli, struct takc_err *err)
{
    const struct takc_settings *s = &cli->settings;
    cli->log = (struct takc_log_fd){STDERR_FILENO, takc_str_is(s->log_format, "json"), cli->progress.term.terminal ? "\r\033[K" : NULL};
    return takc_log_set(takc_log_to_fd, &cli->log, s->log_level.ptr, NULL, err);
}

static enum takc_status run_verb(struct takc_cli *cli, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    struct takc_str task;
    if (!cli->verb->bare)
        st = load_settings(cli, err);
    if (!st && !cli->verb->bare)
        st = start_log(cli, err);
    if (!st && cli->verb->needs_task)
        st = takc_cli_task(cli, &task, err);
    if (!st && !cli->quiet) {
        cli->call.progress = takc_progress_update;
        cli->call.progress_arg = &cli->progress;
    }
    return st ? st : cli->verb->run(cli, err);
}

static enum takc_status show_help(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_buf text;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_help_text(cli->verb, &text, err);
    if (!st)
        st = takc_cli_write(cli, takc_buf_str(&text), err);
    takc_buf_clear(&text);
    return st;
}

static enum takc_status arm_fault(const struct takc_cli *cli, struct takc_err *err)
{
    for (const char *const *e = cli->environment; e && *e; e++)
        if (strncmp(*e, "TAKC_FAULT=", 11) == 0)
            return takc_fault_parse(*e + 11, err);
    return TAKC_OK;
}

int takc_cli_main(int argc, char **argv, const char *const *environment)
{
    struct takc_cli cli = {.environment = environment};
    struct takc_err err = {0};
    takc_buf_init(&cli.out, TAKC_BUF_MAX_REPLY);
    prepare_call(&cli);
    enum takc_status st = arm_fault(&cli, &err);
    if (!st)
        st = takc_cli_parse(&cli, argc, argv, &err);
    if (!st)
        st = cli.help ? show_help(&cli, &err) : run_verb(&cli, &err);
    struct takc_err late = {0};
    enum takc_status wrote = takc_cli_flush(&cli, &late);
    if (!st && wrote) {
        st = wrote;
        err = late;
    }
    if (st && !cli.reader_gone)
        tell_failure(&cli, st, &err);
    running = NULL;
    (void)!takc_log_set(NULL, NULL, "off", NULL, NULL);
    takc_settings_clear(&cli.settings);
    takc_buf_clear(&cli.out);
    takc_free(cli.given);
    takc_free(cli.args);
    return st ? takc_status_exit(st) : cli.partial ? 1 : 0;
}
