/* SPDX-License-Identifier: Apache-2.0
 *
 * doctor.c - takc doctor: what is there, what is missing, what is wrong. What is found goes through takc_doctor_say, _add and _wrong, so
 * that people and programs are told the same. */
#include "cli/doctor.h"
#include "base/arena.h"
#include "base/child.h"
#include "base/json.h"
#include "cli/home_open.h"
#include "pipeline/check.h"

#include <stdio.h>

enum { DETAIL_MAX = 4096 };

/* --- telling --- */

/* Takes what is said into the list. */
static enum takc_status keep(struct takc_doctor *d, const char *check, enum takc_health health, const char *detail, struct takc_err *err)
{
    static const char *const names[] = {"unset", "ok", "missing", "note", "wrong"};
    json_t *v = json_pack("{ss ss so}", "check", check, "status", names[health], "detail", takc_json_str(takc_str(detail)));
    return v && json_array_append_new(d->checks, v) == 0 ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON");
}

enum takc_status takc_doctor_say(struct takc_doctor *d, const char *check, bool first, enum takc_health health, struct takc_err *err,
                                 const char *fmt, ...)
{
    char detail[DETAIL_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(detail, sizeof(detail), fmt, ap);
    va_end(ap);
    d->cli->partial = d->cli->partial || health == TAKC_HEALTH_WRONG;
    int width = strncmp(check, "task ", 5) == 0 ? 17 : 12;
    return d->checks ? keep(d, check, health, detail, err) : takc_cli_printf(d->cli, err, "%-*s %s\n", width, first ? check : "", detail);
}

enum takc_status takc_doctor_add(struct takc_doctor *d, const char *check, enum takc_health health, struct takc_err *err, const char *fmt,
                                 ...)
{
    char detail[DETAIL_MAX];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(detail, sizeof(detail), fmt, ap);
    va_end(ap);
    return d->checks ? keep(d, check, health, detail, err) : takc_cli_printf(d->cli, err, "  %s\n", detail);
}

enum takc_status takc_doctor_wrong(struct takc_doctor *d, const char *check, const char *detail, struct takc_err *err)
{
    d->cli->partial = true;
    return d->checks ? keep(d, check, TAKC_HEALTH_WRONG, detail, err) : takc_cli_printf(d->cli, err, "  WRONG %s: %s\n", check, detail);
}

/* --- programs --- */

/* Programs that readers call, looked for as they do. */
static enum takc_status say_parts(struct takc_doctor *d, struct takc_err *err)
{
    static const struct {
        const char *program, *package, *without;
    } parts[] = {{"pdftotext", "poppler-utils", "PDF is not read"},
                 {"bwrap", "bubblewrap", "readers' children are confined by limits and seccomp only"}};
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < 2; i++) {
        char path[1024];
        bool there = takc_child_find(parts[i].program, path, sizeof(path));
        st = there ? takc_doctor_say(d, parts[i].program, true, TAKC_HEALTH_OK, err, "found")
                   : takc_doctor_say(d, parts[i].program, true, TAKC_HEALTH_MISSING, err, "missing: %s (package %s)", parts[i].without,
                                     parts[i].package);
    }
    return st;
}

/* --- the home --- */

/* The catalogue can always be made anew, so damage is told and mended on request. */
static enum takc_status check_catalog(struct takc_doctor *d, struct takc_home *home, struct takc_err *err)
{
    struct takc_err why = {0};
    enum takc_status st = takc_home_check_catalog(home, &why);
    const char *warning = takc_home_warning(home);
    if (st && st != TAKC_CORRUPT)
        return takc_fail(err, st, why.detail, "%s", why.msg);
    return takc_doctor_say(d, "catalogue", true, st || warning[0] ? TAKC_HEALTH_WRONG : TAKC_HEALTH_OK, err, "%s%s",
                           st           ? why.msg
                           : warning[0] ? warning
                                        : "sound",
                           st ? "; takc doctor --rebuild makes it anew" : "");
}

static enum takc_status check_home(struct takc_doctor *d, struct takc_home *home, struct takc_err *err)
{
    bool rebuild = takc_cli_flag(d->cli, "rebuild");
    enum takc_status st = takc_doctor_say(d, "home", true, TAKC_HEALTH_OK, err, "%s", takc_home_path(home));
    if (!st && rebuild)
        st = takc_home_rebuild(home, err);
    if (!st && rebuild)
        st = takc_doctor_say(d, "catalogue", true, TAKC_HEALTH_OK, err, "made anew");
    return st ? st : check_catalog(d, home, err);
}

/* --- tasks --- */

struct findings {
    struct takc_doctor *d;
    size_t n;
    enum takc_status st; /* of what could not be told, and why */
    struct takc_err err;
};

static void on_finding(void *arg, const char *key, const char *finding)
{
    struct findings *f = arg;
    f->n++;
    if (!f->st)
        f->st = takc_doctor_wrong(f->d, key, finding, &f->err);
}

/* Everything that the task names; a line each for what is not there as it was stored. */
static enum takc_status check_things(struct takc_doctor *d, struct takc_home *home, struct takc_str task, const char *check,
                                     struct takc_err *err)
{
    struct findings f = {.d = d};
    uint64_t n = 0;
    enum takc_status st = takc_check_task(home, &d->cli->call, task, on_finding, &f, &n, err);
    if (!st && (st = f.st) && err)
        *err = f.err;
    if (!st && f.n)
        st = takc_doctor_add(d, check, TAKC_HEALTH_NOTE, err,
                             "takc compress -t %.*s makes the current version anew, takc cache -t %.*s delete VERSION drops an older one; "
                             "takc forget, then takc ingest, reads a document anew",
                             TAKC_STR_ARG(task), TAKC_STR_ARG(task));
    return st ? st : takc_doctor_add(d, check, TAKC_HEALTH_OK, err, "%llu stored things looked at", (unsigned long long)n);
}

/* Which model its profile names, if any: takc doctor -t TASK looks at it. */
static enum takc_status say_own_model(struct takc_doctor *d, struct takc_home *home, struct takc_str task, const char *check,
                                      struct takc_err *err)
{
    struct takc_profile p = {0};
    enum takc_status st = takc_home_profile(home, task, &p, err);
    if (!st && p.model.len)
        st = takc_doctor_add(d, check, TAKC_HEALTH_NOTE, err, "model %.*s, by its profile", TAKC_STR_ARG(p.model));
    takc_profile_clear(&p);
    return st;
}

static enum takc_status check_task(struct takc_doctor *d, struct takc_home *home, struct takc_str task, const char *check,
                                   struct takc_err *err)
{
    struct takc_arena a;
    struct takc_document *docs;
    struct takc_manifest m = {0};
    size_t n = 0;
    uint64_t removed = 0;
    bool sweep = takc_cli_flag(d->cli, "sweep");
    takc_arena_init(&a);
    enum takc_status st = takc_home_documents(home, task, &a, &docs, &n, err);
    if (!st)
        st = takc_home_manifest(home, task, &a, &m, err);
    if (!st && sweep)
        st = takc_home_sweep(home, task, &removed, err);
    if (!st)
        st = takc_doctor_say(d, check, true, TAKC_HEALTH_OK, err, "%zu documents, %zu versions, current %.*s", n, m.n_versions,
                             TAKC_STR_ARG(m.current.len ? m.current : takc_str("none")));
    if (!st)
        st = say_own_model(d, home, task, check, err);
    if (!st && sweep)
        st = takc_doctor_add(d, check, TAKC_HEALTH_OK, err, "%llu things removed that nothing stood on", (unsigned long long)removed);
    if (!st)
        st = check_things(d, home, task, check, err);
    takc_arena_clear(&a);
    return st;
}

static enum takc_status check_tasks(struct takc_doctor *d, struct takc_home *home, struct takc_err *err)
{
    struct takc_arena a;
    struct takc_str *tasks;
    size_t n = 0;
    takc_arena_init(&a);
    enum takc_status st = takc_home_tasks(home, &a, &tasks, &n, err);
    for (size_t i = 0; !st && i < n; i++) {
        struct takc_err why = {0};
        char check[80];
        (void)snprintf(check, sizeof(check), "task %.*s", TAKC_STR_ARG(tasks[i]));
        enum takc_status one = check_task(d, home, tasks[i], check, &why);
        if (one == TAKC_NOMEM || one == TAKC_CANCELLED || one == TAKC_TIMEOUT) /* nothing about the task */
            st = takc_fail(err, one, why.detail, "%s", why.msg);
        else if (one)
            st = takc_doctor_wrong(d, check, why.msg, err);
    }
    takc_arena_clear(&a);
    return st;
}

enum takc_status takc_verb_doctor(struct takc_cli *cli, struct takc_err *err)
{
    struct takc_home *home = NULL;
    struct takc_doctor d = {.cli = cli, .checks = cli->json ? json_array() : NULL};
    struct takc_str path = {0};
    enum takc_status st = cli->json && !d.checks ? takc_fail(err, TAKC_NOMEM, 0, "no memory for JSON") : takc_cli_home(cli, &path, err);
    if (!st)
        st = say_parts(&d, err);
    if (!st)
        st = takc_cli_open(cli, &home, err);
    if (!st)
        st = check_home(&d, home, err);
    if (!st)
        st = takc_doctor_model(&d, home, err);
    if (!st)
        st = check_tasks(&d, home, err);
    if (!st && d.checks)
        st = takc_cli_json(cli, json_pack("{sO}", "checks", d.checks), err);
    json_decref(d.checks);
    takc_home_close(home);
    return st;
}
