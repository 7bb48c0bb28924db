/* SPDX-License-Identifier: Apache-2.0
 *
 * upkeep.c - takc backup, restore and doctor. */
#include "base/arena.h"
#include "base/child.h"
#include "cli/home_open.h"
#include "cli/model_flags.h"
#include "pipeline/check.h"

enum takc_status takc_verb_backup(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_home *home = NULL;
    enum takc_status st = takc_cli_open(cli, &home, err);
    if (!st)
        st = takc_home_backup(home, &cli->call, cli->args[0].ptr, err);
    takc_progress_hide(&cli->progress);
    if (!st)
        st = takc_cli_printf(cli, err, "%s is copied to %s\n", takc_home_path(home), cli->args[0].ptr);
    takc_home_close(home);
    return st;
}

enum takc_status takc_verb_restore(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_str path;
    enum takc_status st = takc_cli_home(cli, &path, err);
    if (!st)
        st = takc_home_restore(cli->args[0].ptr, path.ptr, &cli->call, err);
    takc_progress_hide(&cli->progress);
    return st ? st : takc_cli_printf(cli, err, "%s is restored from %s\n", path.ptr, cli->args[0].ptr);
}

/* Programs that readers call, looked for as they do. */
static enum takc_status say_parts(struct takc_cli *cli, struct takc_err *err)
{
    static const struct {
        const char *program, *package, *without;
    } parts[] = {{"pdftotext", "poppler-utils", "PDF is not read"},
                 {"bwrap", "bubblewrap", "readers' children are confined by limits and seccomp only"}};
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < 2; i++) {
        char path[1024];
        bool there = takc_child_find(parts[i].program, path, sizeof(path));
        st = takc_cli_printf(cli, err, "%-12s %s%s%s%s%s\n", parts[i].program, there ? "found" : "missing: ", there ? "" : parts[i].without,
                             there ? "" : " (package ", there ? "" : parts[i].package, there ? "" : ")");
    }
    return st;
}

struct findings {
    struct takc_cli *cli;
    size_t n;
    enum takc_status st; /* of what could not be told, and why */
    struct takc_err err;
};

static void on_finding(void *arg, const char *key, const char *finding)
{
    struct findings *f = arg;
    f->cli->partial = true;
    f->n++;
    if (!f->st)
        f->st = takc_cli_printf(f->cli, &f->err, "  WRONG %s: %s\n", key, finding);
}

/* Everything that the task names; a line each for what is not there as it was stored. */
static enum takc_status check_things(struct takc_cli *cli, struct takc_home *home, struct takc_str task, struct takc_err *err)
{
    struct findings f = {.cli = cli};
    uint64_t n = 0;
    enum takc_status st = takc_check_task(home, &cli->call, task, on_finding, &f, &n, err);
    if (!st && (st = f.st) && err)
        *err = f.err;
    if (!st && f.n)
        st =
            takc_cli_printf(cli, err,
                            "  takc compress -t %.*s makes the current version anew, takc cache -t %.*s delete VERSION drops an older one; "
                            "takc forget, then takc ingest, reads a document anew\n",
                            TAKC_STR_ARG(task), TAKC_STR_ARG(task));
    return st ? st : takc_cli_printf(cli, err, "  %llu stored things looked at\n", (unsigned long long)n);
}

/* The catalogue can always be made anew, so damage is told and mended on request. */
static enum takc_status check_catalog(struct takc_cli *cli, struct takc_home *home, struct takc_err *err)
{
    struct takc_err why = {0};
    enum takc_status st = takc_home_check_catalog(home, &why);
    const char *warning = takc_home_warning(home);
    if (st && st != TAKC_CORRUPT)
        return takc_fail(err, st, why.detail, "%s", why.msg);
    if (st || warning[0])
        cli->partial = true;
    return takc_cli_printf(cli, err, "catalogue    %s%s\n",
                           st           ? why.msg
                           : warning[0] ? warning
                                        : "sound",
                           st ? "; takc doctor --rebuild makes it anew" : "");
}

static enum takc_status check_task(struct takc_cli *cli, struct takc_home *home, struct takc_str task, struct takc_err *err)
{
    struct takc_arena a;
    struct takc_document *docs;
    struct takc_manifest m = {0};
    size_t n = 0;
    uint64_t removed = 0;
    takc_arena_init(&a);
    enum takc_status st = takc_home_documents(home, task, &a, &docs, &n, err);
    if (!st)
        st = takc_home_manifest(home, task, &a, &m, err);
    if (!st && takc_cli_flag(cli, "sweep"))
        st = takc_home_sweep(home, task, &removed, err);
    if (!st)
        st = takc_cli_printf(cli, err, "task %-12.*s %zu documents, %zu versions, current %.*s\n", TAKC_STR_ARG(task), n, m.n_versions,
                             TAKC_STR_ARG(m.current.len ? m.current : takc_str("none")));
    if (!st && takc_cli_flag(cli, "sweep"))
        st = takc_cli_printf(cli, err, "  %llu things removed that nothing stood on\n", (unsigned long long)removed);
    if (!st)
        st = check_things(cli, home, task, err);
    takc_arena_clear(&a);
    return st;
}

enum takc_status takc_verb_doctor(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_home *home = NULL;
    struct takc_arena a;
    struct takc_str *tasks, path = {0};
    size_t n = 0;
    takc_arena_init(&a);
    enum takc_status st = takc_cli_home(cli, &path, err);
    if (!st)
        st = say_parts(cli, err);
    if (!st)
        st = takc_cli_open(cli, &home, err);
    if (!st)
        st = takc_cli_printf(cli, err, "home         %s\n", takc_home_path(home));
    if (!st && takc_cli_flag(cli, "rebuild"))
        st = takc_home_rebuild(home, err);
    if (!st && takc_cli_flag(cli, "rebuild"))
        st = takc_cli_printf(cli, err, "catalogue    made anew\n");
    if (!st)
        st = check_catalog(cli, home, err);
    if (!st)
        st = takc_cli_doctor_model(cli, home, err);
    if (!st)
        st = takc_home_tasks(home, &a, &tasks, &n, err);
    for (size_t i = 0; !st && i < n; i++) {
        struct takc_err why = {0};
        enum takc_status one = check_task(cli, home, tasks[i], &why);
        if (one == TAKC_NOMEM || one == TAKC_CANCELLED || one == TAKC_TIMEOUT) { /* nothing about the task */
            st = takc_fail(err, one, why.detail, "%s", why.msg);
        } else if (one) {
            cli->partial = true;
            st = takc_cli_printf(cli, err, "  WRONG task %.*s: %s\n", TAKC_STR_ARG(tasks[i]), why.msg);
        }
    }
    takc_arena_clear(&a);
    takc_home_close(home);
    return st;
}
