/* SPDX-License-Identifier: Apache-2.0
 *
 * backup.c - a consistent copy of a home that others go on using.
 *
 * What is consistent is each task at one moment. To keep its writer waiting briefly only, what never changes under its key (blobs, texts,
 * indexes, artifacts) is copied first without any lock; then, under the task's lock, what came since, what may change, and the removal
 * from the copy of what was removed meanwhile: a document forgotten while we copied is not in the copy. The catalogue follows by SQLite's
 * own backup, then the homes of tenants, each a copy of its own; home.json comes last. Restoring is the same copy in the other direction.
 */
#include "catalog/home_impl.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TASK_WAIT_MS = 60000, COMMIT_PUTS = 1000, ROUNDS = 10, OPEN_WAIT_MS = 10000 };
#define COMMIT_BYTES                                                                                                                       \
    ((uint64_t)64 << 20) /* written between two syncs: large enough to stream, small enough not to fill memory with dirty pages */

struct copy {
    struct takc_home *from;
    struct takc_store *to;
    struct takc_store_batch *batch;
    struct takc_call *call;
    uint64_t n_pending, bytes_pending, bytes_done;
};

static bool is_immutable(struct takc_str key)
{
    return takc_str_starts(key, takc_str("blobs/")) || takc_str_starts(key, takc_str("text/")) ||
           takc_str_starts(key, takc_str("index/")) || takc_str_starts(key, takc_str("artifacts/"));
}

static enum takc_status flush(struct copy *c, struct takc_err *err)
{
    c->n_pending = c->bytes_pending = 0;
    return takc_store_batch_commit(c->batch, c->call, err);
}

/* One key; one that vanished since it was listed is left out. */
static enum takc_status copy_key(struct copy *c, struct takc_str key, struct takc_err *err)
{
    struct takc_store_view view;
    enum takc_status st = takc_store_view(c->from->store, c->call, key, &view, err);
    if (st)
        return st == TAKC_NOT_FOUND ? TAKC_OK : st;
    st = takc_store_batch_put(c->batch, c->call, key, view.bytes, is_immutable(key), err);
    c->bytes_done += view.bytes.len;
    c->bytes_pending += view.bytes.len;
    c->n_pending++;
    takc_store_view_close(&view);
    takc_call_progress(c->call, "copy", "bytes", c->bytes_done, 0);
    if (!st && (c->n_pending >= COMMIT_PUTS || c->bytes_pending >= COMMIT_BYTES))
        st = flush(c, err);
    return st;
}

/* Without locks: everything that never changes. */
static enum takc_status copy_immutable(struct copy *c, struct takc_err *err)
{
    static const char *const prefixes[] = {"blobs/", "text/", "index/", "artifacts/"};
    enum takc_status st = TAKC_OK;
    for (size_t p = 0; !st && p < sizeof(prefixes) / sizeof(prefixes[0]); p++) {
        struct takc_arena a;
        struct takc_key_list list = {0};
        takc_arena_init(&a);
        st = takc_home_keys(c->from->store, c->call, takc_str(prefixes[p]), &a, &list, err);
        for (size_t i = 0; !st && i < list.n; i++)
            st = copy_key(c, list.keys[i], err);
        takc_arena_clear(&a);
    }
    return st ? st : flush(c, err);
}

/* What a task's keys begin with; single keys are prefixes too. */
static const struct {
    const char *before, *after; /* the task's name */
} task_prefixes[] = {{"blobs/", "/"},     {"text/", "/"},      {"index/", "/"},        {"artifacts/", "/"},
                     {"replies/", "/"},   {"raw-data/", "/"},  {"", "/chunk_"},        {"cache/v2/", "/"},
                     {"documents/", "/"}, {"tasks/", ".yaml"}, {"manifests/", ".json"}};

static int by_bytes(const void *a, const void *b)
{
    return takc_str_cmp(*(const struct takc_str *)a, *(const struct takc_str *)b);
}

/* Makes the copy's keys under prefix those of the home; the task's lock is held. */
static enum takc_status mirror_prefix(struct copy *c, const char *prefix, struct takc_err *err)
{
    struct takc_arena a;
    struct takc_key_list ours = {0}, theirs = {0};
    takc_arena_init(&a);
    enum takc_status st = takc_home_keys(c->from->store, c->call, takc_str(prefix), &a, &ours, err);
    if (!st)
        st = takc_home_keys(c->to, c->call, takc_str(prefix), &a, &theirs, err);
    for (size_t i = 0; !st && i < theirs.n; i++)
        if (!ours.n || !bsearch(&theirs.keys[i], ours.keys, ours.n, sizeof(*ours.keys), by_bytes))
            st = takc_store_batch_del(c->batch, c->call, theirs.keys[i], err);
    for (size_t i = 0; !st && i < ours.n; i++) {
        bool have = is_immutable(ours.keys[i]) && theirs.n && bsearch(&ours.keys[i], theirs.keys, theirs.n, sizeof(*theirs.keys), by_bytes);
        if (!have)
            st = copy_key(c, ours.keys[i], err);
    }
    takc_arena_clear(&a);
    return st;
}

static enum takc_status copy_task(struct copy *c, struct takc_str task, struct takc_err *err)
{
    struct takc_lock lock = {-1};
    enum takc_status st = takc_home_lock_task(c->from, task, takc_call_left_ms(c->call, TASK_WAIT_MS), &lock, err);
    for (size_t i = 0; !st && i < sizeof(task_prefixes) / sizeof(task_prefixes[0]); i++) {
        char prefix[128];
        (void)snprintf(prefix, sizeof(prefix), "%s%.*s%s", task_prefixes[i].before, TAKC_STR_ARG(task), task_prefixes[i].after);
        st = mirror_prefix(c, prefix, err);
    }
    takc_lock_close(&lock);
    return st ? st : flush(c, err);
}

static bool is_done(struct takc_str *const done, size_t n, struct takc_str task)
{
    for (size_t i = 0; i < n; i++)
        if (takc_str_eq(done[i], task))
            return true;
    return false;
}

/* All tasks, and those that come up meanwhile. */
static enum takc_status copy_tasks(struct copy *c, struct takc_arena *a, struct takc_err *err)
{
    struct takc_str *done = NULL, *now = NULL;
    size_t n_done = 0, n = 0;
    enum takc_status st = TAKC_OK;
    for (int round = 0; !st && round < ROUNDS; round++) {
        bool any = false;
        st = takc_home_tasks_with_keys(c->from, a, &now, &n, err);
        for (size_t i = 0; !st && i < n; i++) {
            if (is_done(done, n_done, now[i]))
                continue;
            any = true;
            st = copy_task(c, now[i], err);
        }
        done = now; /* all of them by now; those that vanished need nothing */
        n_done = n;
        if (!any)
            break;
    }
    return st;
}

/* Keys that belong to no task: another program's, or a later version's. */
static enum takc_status copy_others(struct copy *c, struct takc_arena *a, struct takc_err *err)
{
    struct takc_key_list list = {0};
    enum takc_status st = takc_home_keys(c->from->store, c->call, takc_str(""), a, &list, err);
    for (size_t i = 0; !st && i < list.n; i++)
        if (takc_key_task(list.keys[i]).len == 0)
            st = copy_key(c, list.keys[i], err);
    return st ? st : flush(c, err);
}

/* --- the target --- */

static enum takc_status check_empty(const char *path, struct takc_err *err)
{
    DIR *d = opendir(path);
    if (!d)
        return errno == ENOENT ? TAKC_OK : takc_fail_errno(err, errno, "open folder %s", path);
    bool empty = true;
    for (const struct dirent *e = readdir(d); e && empty; e = readdir(d)) /* NOLINT(concurrency-mt-unsafe): d is ours */
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || strcmp(e->d_name, "lost+found") == 0;
    (void)closedir(d);
    return empty ? TAKC_OK : takc_fail(err, TAKC_INVALID, 0, "%s is not empty", path);
}

/* A copy inside the home would be part of the home. */
static enum takc_status check_apart(const char *home, const char *to, struct takc_err *err)
{
    char a[PATH_MAX], b[PATH_MAX];
    if (!realpath(home, a) || !realpath(to, b))
        return takc_fail_errno(err, errno, "look at %s", to);
    size_t n = strlen(a);
    if (strncmp(a, b, n) == 0 && (b[n] == '/' || b[n] == '\0'))
        return takc_fail(err, TAKC_INVALID, 0, "%s is inside the home", to);
    return TAKC_OK;
}

/* Takes away what a failed copy left. */
static void discard(struct copy *c, const char *to)
{
    static const char *const files[] = {TAKC_HOME_FILE, TAKC_HOME_CATALOG, TAKC_HOME_CATALOG "-wal", TAKC_HOME_CATALOG "-shm",
                                        TAKC_HOME_CATALOG "-journal"};
    struct takc_arena a;
    struct takc_key_list list = {0};
    char file[PATH_MAX];
    takc_arena_init(&a);
    takc_store_batch_close(c->batch); /* with what is still pending */
    c->batch = NULL;
    enum takc_status st = takc_store_batch_open(c->to, &c->batch, NULL);
    if (!st)
        st = takc_home_keys(c->to, NULL, (struct takc_str){NULL, 0}, &a, &list, NULL);
    for (size_t i = 0; !st && i < list.n; i++)
        st = takc_store_batch_del(c->batch, NULL, list.keys[i], NULL);
    if (!st)
        (void)!takc_store_batch_commit(c->batch, NULL, NULL); /* what stays is in the way of nobody but a second try */
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (!takc_home_file(to, files[i], file, NULL))
            (void)unlink(file);
    if (!takc_home_file(to, TAKC_DIR_LOCKS, file, NULL))
        (void)rmdir(file);
    takc_arena_clear(&a);
}

static enum takc_status copy_all(struct copy *c, const char *to, struct takc_err *err)
{
    struct takc_arena a;
    char file[PATH_MAX];
    takc_arena_init(&a);
    enum takc_status st = copy_immutable(c, err);
    if (!st)
        st = copy_tasks(c, &a, err);
    if (!st)
        st = copy_others(c, &a, err);
    if (!st)
        st = takc_home_file(to, TAKC_HOME_CATALOG, file, err);
    if (!st)
        st = takc_catalog_copy(c->from, file, err);
    if (!st)
        st = takc_home_file(to, TAKC_DIR_LOCKS, file, err);
    if (!st)
        st = takc_dir_make(file, err);
    if (!st)
        st = takc_stage_sync_all(to, err);
    if (!st)
        st = takc_home_write_schema(to, TAKC_HOME_SCHEMA, err);
    takc_arena_clear(&a);
    return st;
}

/* One home, without those of tenants, into a folder that holds nothing of it. */
static enum takc_status copy_one(struct takc_home *h, struct takc_call *call, const char *to, struct takc_err *err)
{
    struct copy c = {.from = h, .call = call};
    enum takc_status st = takc_store_dir_open(&c.to, to, err);
    if (!st)
        st = takc_store_batch_open(c.to, &c.batch, err);
    if (!st) {
        st = copy_all(&c, to, err);
        if (st)
            discard(&c, to);
    }
    takc_store_batch_close(c.batch);
    takc_store_close(c.to);
    return st;
}

/* --- tenants --- */

typedef enum takc_status tenant_fn(struct takc_call *call, const char *home, const char *copy, struct takc_err *err);

/* Every tenant's home below from/tenants, with where its copy is below to/tenants; ends with the first failure. */
static enum takc_status each_tenant(const char *from, const char *to, tenant_fn *each, struct takc_call *call, struct takc_err *err)
{
    char folder[PATH_MAX], home[PATH_MAX], copy[PATH_MAX];
    enum takc_status st = takc_home_file(from, TAKC_DIR_TENANTS, folder, err);
    DIR *d = st ? NULL : opendir(folder);
    if (!st && !d)
        return errno == ENOENT ? TAKC_OK : takc_fail_errno(err, errno, "open folder %s", folder);
    for (const struct dirent *e = d ? readdir(d) : NULL; e && !st; e = readdir(d)) { /* NOLINT(concurrency-mt-unsafe): d is ours */
        int n = snprintf(copy, sizeof(copy), "%s/" TAKC_DIR_TENANTS "/%s", to, e->d_name);
        if (takc_task_name_check(takc_str(e->d_name), NULL)) /* no tenant's: the empty home that stands for homes to come */
            continue;
        st = n < 0 || n >= PATH_MAX ? takc_fail(err, TAKC_INVALID, 0, "path is too long") : takc_home_file(folder, e->d_name, home, err);
        if (!st)
            st = each(call, home, copy, err);
    }
    if (d)
        (void)closedir(d);
    return st;
}

static enum takc_status copy_tenant(struct takc_call *call, const char *home, const char *copy, struct takc_err *err)
{
    const struct takc_home_options o = {.wait_ms = OPEN_WAIT_MS};
    struct takc_home *h = NULL;
    enum takc_status st = takc_home_open(&h, home, &o, err);
    if (st == TAKC_NOT_FOUND) /* whoever was to make it did not live to */
        return TAKC_OK;
    if (!st)
        st = copy_one(h, call, copy, err);
    takc_home_close(h);
    if (st)
        (void)rmdir(copy);
    return st ? takc_err_prefix(err, st, "tenant %s", strrchr(home, '/') + 1) : TAKC_OK;
}

static enum takc_status discard_tenant(struct takc_call *call, const char *home, const char *copy, struct takc_err *err)
{
    struct copy c = {.call = call};
    struct stat info;
    (void)home;
    if (stat(copy, &info) == 0 && !takc_store_dir_open(&c.to, copy, err))
        discard(&c, copy);
    takc_store_batch_close(c.batch);
    takc_store_close(c.to);
    (void)rmdir(copy);
    return TAKC_OK; /* on to the next: what stays is in the way of nobody but a second try */
}

/* --- all of it --- */

static void discard_tenants(const char *from, const char *to)
{
    char folder[PATH_MAX];
    (void)!each_tenant(from, to, discard_tenant, NULL, NULL);
    if (!takc_home_file(to, TAKC_DIR_TENANTS, folder, NULL))
        (void)rmdir(folder);
}

static enum takc_status copy_home(struct takc_home *h, struct takc_call *call, const char *to, struct takc_err *err)
{
    enum takc_status st = check_empty(to, err);
    if (!st)
        st = takc_dir_make(to, err);
    if (!st)
        st = check_apart(h->path, to, err);
    if (!st) {
        st = each_tenant(h->path, to, copy_tenant, call, err);
        if (!st)
            st = copy_one(h, call, to, err);
        if (st)
            discard_tenants(h->path, to);
    }
    if (st)
        (void)rmdir(to); /* only if it is empty */
    return st;
}

enum takc_status takc_home_backup(struct takc_home *h, struct takc_call *call, const char *to, struct takc_err *err)
{
    enum takc_status st = copy_home(h, call, to, err);
    return st ? takc_err_prefix(err, st, "backup to %s", to) : TAKC_OK;
}

enum takc_status takc_home_restore(const char *from, const char *to, struct takc_call *call, struct takc_err *err)
{
    struct takc_home *h = NULL;
    enum takc_status st = takc_home_open(&h, from, NULL, err);
    if (!st)
        st = copy_home(h, call, to, err);
    takc_home_close(h);
    return st ? takc_err_prefix(err, st, "restore %s", from) : TAKC_OK;
}
