/* SPDX-License-Identifier: Apache-2.0
 *
 * walk.c - every file below a folder, while others write and remove there. Folders wait in a list instead of on the stack, so depth costs
 * neither stack nor file descriptors; what vanishes between readdir and stat is left out. */
#include "base/fault.h"
#include "object/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct walk {
    const char *root;
    bool deep;
    takc_dir_each_fn *each;
    void *arg;
    struct takc_buf todo; /* folders still to read, relative, NUL between them */
};

/* One entry: a file goes to the caller, a folder to the list. */
static enum takc_status walk_entry(struct walk *w, int dir_fd, const char *folder, const char *name, struct takc_err *err)
{
    char rel[PATH_MAX];
    struct stat info;
    int n = snprintf(rel, sizeof(rel), "%s%s%s", folder, *folder ? "/" : "", name);
    if (n < 0 || n >= PATH_MAX)
        return TAKC_OK; /* no path of ours is that long */
    if (fstatat(dir_fd, name, &info, AT_SYMLINK_NOFOLLOW))
        return errno == ENOENT ? TAKC_OK : takc_fail_errno(err, errno, "look at %s", rel);
    if (S_ISDIR(info.st_mode))
        return w->deep ? takc_buf_add(&w->todo, takc_str_n(rel, (size_t)n + 1), err) : TAKC_OK;
    if (!S_ISREG(info.st_mode))
        return TAKC_OK;
    return w->each(w->arg, rel, (uint64_t)info.st_size, (int64_t)info.st_mtime, err);
}

static enum takc_status walk_folder(struct walk *w, const char *folder, struct takc_err *err)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s%s%s", w->root, *folder ? "/" : "", folder);
    if (n < 0 || n >= PATH_MAX)
        return TAKC_OK;
    int e = takc_fault_hit(TAKC_FAULT_READ);
    DIR *d = e ? NULL : opendir(path);
    if (!d) {
        e = e ? e : errno;
        return e == ENOENT || e == ENOTDIR ? TAKC_OK : takc_fail_errno(err, e, "open folder %s", path);
    }
    enum takc_status st = TAKC_OK;
    while (!st) {
        errno = 0;
        const struct dirent *entry = readdir(d); /* NOLINT(concurrency-mt-unsafe): d is ours */
        if (!entry) {
            st = errno ? takc_fail_errno(err, errno, "read folder %s", path) : TAKC_OK;
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            st = walk_entry(w, dirfd(d), folder, entry->d_name, err);
    }
    (void)closedir(d);
    return st;
}

enum takc_status takc_dir_walk(const char *root, const char *rel, bool deep, takc_dir_each_fn *each, void *arg, struct takc_err *err)
{
    struct walk w = {.root = root, .deep = deep, .each = each, .arg = arg};
    takc_buf_init(&w.todo, TAKC_BUF_MAX_REPLY);
    char folder[PATH_MAX];
    (void)snprintf(folder, sizeof(folder), "%s", rel);
    enum takc_status st = walk_folder(&w, folder, err);
    while (!st && w.todo.len) { /* the last one first, so that the list stays short */
        size_t from = w.todo.len - 1;
        while (from > 0 && w.todo.ptr[from - 1])
            from--;
        memcpy(folder, w.todo.ptr + from, w.todo.len - from);
        w.todo.len = from;
        st = walk_folder(&w, folder, err);
    }
    takc_buf_clear(&w.todo);
    return st;
}

struct sweep {
    const char *root;
    uint64_t *n_removed;
};

/* Is the temporary's process gone, or the file so old that its number must be somebody else's by now? */
static bool is_stale(const char *name, int64_t changed_s)
{
    enum { DAY_S = 86400 };
    long pid = strtol(name + strlen(TAKC_TMP_PREFIX), NULL, 10);
    if (pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return true;
    return (int64_t)time(NULL) - changed_s > DAY_S;
}

static enum takc_status sweep_one(void *arg, const char *rel, uint64_t size, int64_t changed_s, struct takc_err *err)
{
    struct sweep *s = arg;
    char path[PATH_MAX];
    const char *slash = strrchr(rel, '/'), *name = slash ? slash + 1 : rel;
    (void)size;
    if (strncmp(name, TAKC_TMP_PREFIX, strlen(TAKC_TMP_PREFIX)) != 0 || !is_stale(name, changed_s))
        return TAKC_OK;
    int n = snprintf(path, sizeof(path), "%s/%s", s->root, rel);
    if (n < 0 || n >= PATH_MAX)
        return TAKC_OK;
    if (unlink(path))
        return errno == ENOENT ? TAKC_OK : takc_fail_errno(err, errno, "remove %s", path);
    takc_dir_prune(s->root, path);
    ++*s->n_removed;
    return TAKC_OK;
}

enum takc_status takc_dir_sweep(const char *root, const char *rel, bool deep, uint64_t *n_removed, struct takc_err *err)
{
    struct sweep s = {root, n_removed};
    return takc_dir_walk(root, rel, deep, sweep_one, &s, err);
}

void takc_dir_prune(const char *root, const char *path)
{
    char folder[PATH_MAX];
    size_t n = strlen(root);
    if (snprintf(folder, sizeof(folder), "%s", path) >= PATH_MAX)
        return;
    for (char *slash = strrchr(folder, '/'); slash && (size_t)(slash - folder) > n; slash = strrchr(folder, '/')) {
        *slash = '\0';
        if (rmdir(folder) && errno != ENOENT)
            return;
    }
}
