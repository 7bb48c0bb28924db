/* SPDX-License-Identifier: Apache-2.0
 *
 * cli/cli.h - the frame of the program: verbs, their options, and what a verb is handed.
 *
 * A verb is a row in verbs.c: its table of options makes the parsing, --help, the manual page and the completion. Results go to stdout
 * (takc_cli_printf and its siblings; written at the end or when much has gathered), everything else to stderr. A verb returns a status; the
 * frame prints its message ("takc: ...") and turns it into the exit code of takc/status.h: 0 done, 1 done but something was refused or a
 * proof failed (cli->partial), 2 and up the status. With --json a failure is also the guide's error body on stdout.
 * Threads: main only, but for the call's cancel flag and progress. */
#ifndef TAKC_CLI_CLI_H
#define TAKC_CLI_CLI_H

#include "base/buf.h"
#include "base/log.h"
#include "cli/term.h"
#include "config/settings.h"
#include "takc/call.h"

#include <jansson.h>

enum takc_option_type {
    TAKC_OPTION_UNSET = 0,
    TAKC_OPTION_FLAG,   /* takes no value */
    TAKC_OPTION_TEXT,   /* any value that is not empty */
    TAKC_OPTION_PATH,   /* completed by files */
    TAKC_OPTION_NUMBER, /* whole, 0 or more */
    TAKC_OPTION_RATE,   /* ultra, 8x, 12.5 */
    TAKC_OPTION_RATES,  /* several, with commas */
    TAKC_OPTION_DATE,   /* 2026-01-31 */
    TAKC_OPTION_CHOICE, /* one of the words of arg: "auto|artifact" */
    TAKC_OPTION_SETTING /* checked by the setting's row */
};

struct takc_option {
    const char *name; /* without dashes */
    char letter;      /* '\0': none */
    enum takc_option_type type;
    const char *arg; /* "FILE"; NULL for flags */
    const char *help;
    const char *setting; /* the setting that it sets; NULL: none */
    bool many;           /* may be given more than once */
};

struct takc_cli;
typedef enum takc_status takc_verb_fn(struct takc_cli *cli, struct takc_err *err);

struct takc_verb {
    const char *name, *summary;
    const char *usage; /* behind the name: "[OPTIONS] PATH..." */
    const char *about; /* a few lines for --help and the manual; may be NULL */
    const char *example, *example_says;
    const struct takc_option *options;
    size_t n_options;
    unsigned min_args, max_args; /* UINT_MAX: any number */
    const char *actions;         /* words that the first argument may be ("show|list"); NULL: any */
    bool needs_task;
    bool bare; /* runs without settings: help must not depend on a broken file */
    takc_verb_fn *run;
};

/* An option that was given. */
struct takc_given {
    const struct takc_option *option;
    struct takc_str value;
};

struct takc_cli {
    const struct takc_verb *verb;
    struct takc_given *given;
    size_t n_given, given_cap;
    struct takc_str *args; /* plain arguments behind the verb */
    size_t n_args, args_cap;
    struct takc_settings settings;
    struct takc_call call; /* Ctrl-C sets its cancel flag; progress is shown unless --quiet */
    struct takc_buf out;   /* not yet written to stdout */
    bool json, quiet, help;
    bool reader_gone; /* whoever read stdout has closed it: no failure to speak of */
    bool partial;     /* done, but something was refused or a proof failed: exit code 1 */
    char request_id[33];
    struct takc_term term; /* of stdout; stderr's is in progress */
    struct takc_progress progress;
    struct takc_log_fd log;
    const char *const *environment;
};

/* --- what verbs ask --- */
/* Was the option given? */
bool takc_cli_flag(const struct takc_cli *cli, const char *name);
/* The value of an option, the first if it was repeated; ptr NULL when it was not given. Lives as long as the arguments. */
struct takc_str takc_cli_opt(const struct takc_cli *cli, const char *name);
/* The i-th value of an option that may be repeated; ptr NULL behind the last. */
struct takc_str takc_cli_opt_at(const struct takc_cli *cli, const char *name, size_t i);
/* All values of an option that may be repeated, into out (room for max). INVALID, naming it, for more than max. */
TAKC_CHECK enum takc_status takc_cli_opts(const struct takc_cli *cli, const char *name, struct takc_str *out, size_t max, size_t *out_n,
                                          struct takc_err *err);
/* A version as it is stored: "3" for "v3". */
struct takc_str takc_cli_label(struct takc_str given);
/* The number of a NUMBER option; fallback when not given. It was checked when parsed, so there is no failure. */
uint64_t takc_cli_number(const struct takc_cli *cli, const char *name, uint64_t fallback);
/* The rate of a RATE option in thousandths; fallback when not given. */
uint32_t takc_cli_rate(const struct takc_cli *cli, const char *name, uint32_t fallback);
/* Rates of a RATES option into out (room for max); how many, 0 when not given. */
size_t takc_cli_rates(const struct takc_cli *cli, const char *name, uint32_t *out, size_t max);
/* The day of a DATE option; false when not given. */
bool takc_cli_date(const struct takc_cli *cli, const char *name, int32_t *out_days);
/* The task of -t, TAKC_TASK or the settings, checked. INVALID when there is none. */
TAKC_CHECK enum takc_status takc_cli_task(const struct takc_cli *cli, struct takc_str *out, struct takc_err *err);
/* The home's path, never empty. INVALID when none is known. */
TAKC_CHECK enum takc_status takc_cli_home(const struct takc_cli *cli, struct takc_str *out, struct takc_err *err);

/* --- what verbs say: stdout --- */
/* Adds formatted text to what goes to stdout. IO when what had gathered could not be written. */
TAKC_CHECK enum takc_status takc_cli_printf(struct takc_cli *cli, struct takc_err *err, const char *fmt, ...) TAKC_PRINTF(3, 4);
/* Adds bytes as they are. */
TAKC_CHECK enum takc_status takc_cli_write(struct takc_cli *cli, struct takc_str s, struct takc_err *err);
/* One JSON value, indented, and a newline. Takes v (also on failure); NULL is NOMEM. */
TAKC_CHECK enum takc_status takc_cli_json(struct takc_cli *cli, json_t *v, struct takc_err *err);
/* Writes what has gathered to stdout now: for chat and long lists. */
TAKC_CHECK enum takc_status takc_cli_flush(struct takc_cli *cli, struct takc_err *err);
/* --- and stderr --- */
/* A line for people, behind a hidden progress bar; nothing when --quiet. */
void takc_cli_note(struct takc_cli *cli, const char *fmt, ...) TAKC_PRINTF(2, 3);

/* --- the registry (verbs.c) --- */
/* The i-th verb in the order of --help, NULL behind the last. Static, as all of the registry. */
const struct takc_verb *takc_verb_at(size_t i);
/* The verb of exactly that name, or NULL. */
const struct takc_verb *takc_verb_find(struct takc_str name);
/* Options that every verb takes. */
const struct takc_option *takc_global_options(size_t *out_n);

/* --- the frame's own parts --- */
/* options.c: fills verb, given, args, help. INVALID names the nearest option or verb. */
TAKC_CHECK enum takc_status takc_cli_parse(struct takc_cli *cli, int argc, char **argv, struct takc_err *err);
/* cli.c: one run of the program, from arguments to exit code; main() without the process around it. */
int takc_cli_main(int argc, char **argv, const char *const *environment);
/* help.c: appends the text of --help for a verb, or of the program for NULL. */
TAKC_CHECK enum takc_status takc_help_text(const struct takc_verb *v, struct takc_buf *out, struct takc_err *err);
/* help.c: appends the manual page, in man(7). */
TAKC_CHECK enum takc_status takc_help_man(struct takc_buf *out, struct takc_err *err);
/* help.c: appends the completion, a script for bash. */
TAKC_CHECK enum takc_status takc_help_bash(struct takc_buf *out, struct takc_err *err);

#endif
