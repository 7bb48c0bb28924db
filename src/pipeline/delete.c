/* SPDX-License-Identifier: Apache-2.0
 *
 * delete.c - the story of a task that goes. Its rows first, its documents by forget, which scrubs the catalogue and searches every file for
 * their sentences; then all that is left under its name. The profile is the last key: until it goes it is a task, and whoever deletes it
 * again ends what was begun. */
#include "base/log.h"
#include "pipeline/forget.h"
#include "pipeline/settle.h"
#include "takc/home.h"

struct deleting {
    struct takc_home *home;
    struct takc_call *call;
    struct takc_str task;
    struct takc_arena arena;
    struct takc_writer writer;
    struct takc_task_deleted *out;
};

static enum takc_status is_there(const struct deleting *d, struct takc_err *err)
{
    uint64_t n;
    enum takc_status st = takc_home_count_keys(d->home, d->call, d->task, &n, err);
    return st || n ? st : takc_fail(err, TAKC_NOT_FOUND, 0, "there is no task %.*s", TAKC_STR_ARG(d->task));
}

static enum takc_status forget_all(struct deleting *d, struct takc_err *err)
{
    struct takc_document *docs = NULL;
    struct takc_forget_report report = {0};
    size_t n = 0;
    enum takc_status st = takc_home_documents(d->home, d->task, &d->arena, &docs, &n, err);
    struct takc_str *names = st ? NULL : takc_arena_array(&d->arena, n + 1, sizeof(*names));
    if (!st && !names)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu names", n);
    for (size_t i = 0; i < n && !st; i++)
        names[i] = docs[i].name;
    if (!st && n)
        st = takc_forget_locked(d->home, d->call, d->task, names, n, d->writer.made_up, &report, err);
    else if (!st)
        st = takc_home_scrub(d->home, err);
    d->out->n_documents = n;
    d->out->n_versions = report.n_versions;
    d->out->n_objects = report.n_objects;
    d->out->n_sentences = report.n_sentences;
    d->out->searched = !st;
    /* What is damaged cannot be read for a search, but it can be removed. */
    bool damaged = !report.n_found && (st == TAKC_CORRUPT || st == TAKC_INVALID || st == TAKC_NOT_FOUND);
    if (damaged)
        takc_log_for(d->call, WARN, "delete", "task=%.*s: removed without a search: %s", TAKC_STR_ARG(d->task), err ? err->msg : "");
    return damaged ? TAKC_OK : st;
}

static enum takc_status delete_locked(struct deleting *d, struct takc_err *err)
{
    enum takc_status st = is_there(d, err);
    if (!st)
        st = takc_home_drop_rows(d->home, d->task, err);
    if (!st)
        st = forget_all(d, err);
    if (!st)
        st = takc_home_drop_rows(d->home, d->task, err); /* forget makes some anew */
    if (!st)
        st = takc_home_drop_keys(d->home, d->call, d->task, &d->out->n_objects, err);
    if (!st)
        takc_log_for(d->call, INFO, "delete", "task=%.*s documents=%llu objects=%llu", TAKC_STR_ARG(d->task),
                     (unsigned long long)d->out->n_documents, (unsigned long long)d->out->n_objects);
    return st;
}

enum takc_status takc_task_delete(struct takc_home *h, struct takc_call *call, struct takc_str task, uint64_t wait_ms,
                                  struct takc_task_deleted *out, struct takc_err *err)
{
    struct deleting d = {.home = h, .call = call, .task = task, .writer = {.lock = {-1}}, .out = out};
    *out = (struct takc_task_deleted){0};
    enum takc_status st = takc_task_name_check(task, err);
    if (!st)
        st = takc_writer_begin(h, call, task, NULL, wait_ms, &d.writer, err);
    if (st)
        return st;
    takc_arena_init(&d.arena);
    st = delete_locked(&d, err);
    takc_lock_close(&d.writer.lock);
    takc_arena_clear(&d.arena);
    return st;
}
