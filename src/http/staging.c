/* SPDX-License-Identifier: Apache-2.0
 *
 * staging.c - uploads on disk. A process is told from an earlier one of the same number (in a container it is always the same) by what it
 * drew at random. */
#include "http/staging.h"
#include "base/file.h"
#include "base/log.h"
#include "source/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FOLDER ".takc-uploads"
enum {
    PART_MAX = 255, /* bytes of a file's name */
    SYNC_EACH = 64, /* files that are synced one by one; more with the whole file system */
    WALK_FDS = 16,
    OTHERS_S = 86400, /* a server that shares the home may have processes that cannot be seen from here (a container's) */
    FOLDER_MODE = 0700,
    FILE_MODE = 0600
};

enum takc_status takc_upload_name_check(struct takc_str name, struct takc_err *err)
{
    struct takc_str rest = name, part;
    if (!name.len || name.len > TAKC_UPLOAD_NAME_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "a document's name has 1 to %d bytes, not %zu", TAKC_UPLOAD_NAME_MAX, name.len);
    if (!takc_source_good_name(name))
        return takc_fail(err, TAKC_INVALID, 0, "a document's name is UTF-8 without control characters");
    while (takc_str_split(&rest, '/', &part))
        if (!part.len || part.len > PART_MAX || takc_str_is(part, ".") || takc_str_is(part, ".."))
            return takc_fail(err, TAKC_INVALID, 0,
                             "a document's name is a relative path: parts of 1 to %d bytes, none of them \".\" or \"..\"", PART_MAX);
    return TAKC_OK;
}

/* ---- a process ---- */

static unsigned long long token(void)
{
    static _Atomic unsigned long long drawn;
    unsigned long long mine = 0, none = 0;
    if (!atomic_load(&drawn) && getrandom(&mine, sizeof(mine), 0) == (ssize_t)sizeof(mine))
        (void)atomic_compare_exchange_strong(&drawn, &none, mine | 1);
    return atomic_load(&drawn);
}

enum takc_status takc_staging_open(struct takc_staging *s, const char *home, struct takc_err *err)
{
    static atomic_uint count;
    *s = (struct takc_staging){.file = -1};
    int n = snprintf(s->path, sizeof(s->path), "%s/" FOLDER "/up-%ld-%llx-%u", home, (long)getpid(), token(), atomic_fetch_add(&count, 1));
    if (n < 0 || n >= PATH_MAX - TAKC_UPLOAD_NAME_MAX - 16) {
        s->path[0] = '\0';
        return takc_fail(err, TAKC_IO, 0, "the path of the home is too long for uploads");
    }
    char folder[PATH_MAX];
    (void)snprintf(folder, sizeof(folder), "%s/" FOLDER, home);
    if ((mkdir(folder, FOLDER_MODE) && errno != EEXIST) || mkdir(s->path, FOLDER_MODE)) {
        enum takc_status st = takc_fail_errno(err, errno, "make %s", s->path);
        s->path[0] = '\0';
        return st;
    }
    return TAKC_OK;
}

/* ---- files ---- */

/* Makes the folders between path's first len bytes, which are there, and its last part. */
static enum takc_status make_folders(char *path, size_t len, struct takc_err *err)
{
    for (char *slash = strchr(path + len, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int failed = mkdir(path, FOLDER_MODE) && errno != EEXIST ? errno : 0;
        *slash = '/';
        if (failed == ENOTDIR)
            return takc_fail(err, TAKC_INVALID, 0, "a document's name is the folder of another's");
        if (failed)
            return takc_fail_errno(err, failed, "make the folder of %s", path);
    }
    return TAKC_OK;
}

enum takc_status takc_staging_begin(struct takc_staging *s, unsigned group, struct takc_str name, struct takc_err *err)
{
    char path[PATH_MAX];
    enum takc_status st = takc_upload_name_check(name, err);
    if (st)
        return st;
    (void)snprintf(path, sizeof(path), "%s/%u/%.*s", s->path, group, TAKC_STR_ARG(name)); /* room for it: open saw to that */
    st = make_folders(path, strlen(s->path) + 1, err);
    if (st)
        return st;
    s->file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (s->file < 0 && (errno == EEXIST || errno == EISDIR || errno == ENOTDIR))
        return takc_fail(err, TAKC_INVALID, 0, "%.*s: two documents have this name, or one is the folder of another", TAKC_STR_ARG(name));
    if (s->file < 0)
        return takc_fail_errno(err, errno, "make a file for %.*s", TAKC_STR_ARG(name));
    s->n_files++;
    return TAKC_OK;
}

enum takc_status takc_staging_write(struct takc_staging *s, struct takc_str piece, struct takc_err *err)
{
    while (piece.len) {
        ssize_t n = write(s->file, piece.ptr, piece.len);
        if (n < 0 && errno != EINTR)
            return takc_fail_errno(err, errno, "keep an upload");
        if (n > 0)
            piece = takc_str_slice(piece, (size_t)n, piece.len);
    }
    return TAKC_OK;
}

enum takc_status takc_staging_end(struct takc_staging *s, struct takc_err *err)
{
    int fd = s->file;
    s->file = -1;
    return fd >= 0 && close(fd) ? takc_fail_errno(err, errno, "keep an upload") : TAKC_OK;
}

/* ---- keeping ---- */

static int sync_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type, (void)at;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int failed = fsync(fd);
    (void)close(fd);
    return failed;
}

static int sync_system(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int failed = syncfs(fd);
    (void)close(fd);
    return failed;
}

enum takc_status takc_staging_keep(struct takc_staging *s, const char *home, const char *job, struct takc_err *err)
{
    char to[PATH_MAX], folder[PATH_MAX];
    (void)snprintf(to, sizeof(to), "%s/" FOLDER "/job-%s", home, job);
    (void)snprintf(folder, sizeof(folder), "%s/" FOLDER, home);
    enum takc_status st = takc_staging_end(s, err);
    if (!st && (s->n_files > SYNC_EACH ? sync_system(s->path) : nftw(s->path, sync_one, WALK_FDS, FTW_PHYS)))
        st = takc_fail_errno(err, errno, "bring an upload to the disk");
    if (!st && rename(s->path, to))
        st = takc_fail_errno(err, errno, "keep an upload");
    if (!st)
        s->path[0] = '\0';
    return st ? st : takc_dir_sync(folder, err);
}

/* ---- removing ---- */

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *at)
{
    (void)info, (void)type, (void)at;
    return remove(path) && errno != ENOENT ? -1 : 0;
}

static void remove_tree(const char *path)
{
    if (nftw(path, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS) && errno != ENOENT)
        takc_log(WARN, "http", "an upload's folder stays, a job's for about a minute, another until the next start: %s", path);
}

void takc_staging_drop(struct takc_staging *s)
{
    if (!s->path[0])
        return;
    (void)!takc_staging_end(s, NULL);
    remove_tree(s->path);
    s->path[0] = '\0';
}

enum takc_status takc_staging_group(const char *home, struct takc_str job, unsigned group, char *out, struct takc_err *err)
{
    int n = snprintf(out, PATH_MAX, "%s/" FOLDER "/job-%.*s/%u", home, TAKC_STR_ARG(job), group);
    return n > 0 && n < PATH_MAX ? TAKC_OK : takc_fail(err, TAKC_IO, 0, "the path of the home is too long for uploads");
}

enum takc_status takc_staging_make_group(const char *home, struct takc_str job, unsigned group, struct takc_err *err)
{
    char path[PATH_MAX];
    enum takc_status st = takc_staging_group(home, job, group, path, err);
    if (st)
        return st;
    if (access(path, F_OK) == 0)
        remove_tree(path);
    for (char *slash = strchr(path + strlen(home) + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash)
            *slash = '\0';
        if (mkdir(path, FOLDER_MODE) && (errno != EEXIST || !slash))
            return takc_fail_errno(err, errno, "make %s", path);
        if (!slash)
            return TAKC_OK;
        *slash = '/';
    }
}

void takc_staging_process(char out[48])
{
    (void)snprintf(out, 48, "%ld-%llx", (long)getpid(), token());
}

void takc_staging_drop_job(const char *home, struct takc_str job)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%s/" FOLDER "/job-%.*s", home, TAKC_STR_ARG(job));
    if (n > 0 && n < PATH_MAX && access(path, F_OK) == 0)
        remove_tree(path);
}

/* ---- what a killed server left ---- */

struct sweep {
    const char *home;
    struct takc_jobs *jobs;
    int64_t grace_s;
    bool of_jobs_only;
};

static bool is_left(const struct sweep *s, const char *path, const char *name)
{
    char *end = NULL;
    struct stat info;
    if (stat(path, &info))
        return false;
    if (strncmp(name, "job-", 4) == 0)
        return s->jobs && time(NULL) - info.st_ctime > s->grace_s && !takc_jobs_is_open(s->jobs, takc_str(name + 4));
    if (s->of_jobs_only || strncmp(name, "up-", 3) != 0 || (!s->jobs && time(NULL) - info.st_mtime < OTHERS_S))
        return false;
    long pid = strtol(name + 3, &end, 10);
    if (pid == (long)getpid())
        return *end == '-' && strtoull(end + 1, NULL, 16) != token();
    return pid > 0 && kill((pid_t)pid, 0) && errno == ESRCH;
}

static void sweep(const struct sweep *s)
{
    char folder[PATH_MAX], path[PATH_MAX];
    (void)snprintf(folder, sizeof(folder), "%s/" FOLDER, s->home);
    DIR *dir = opendir(folder);
    const struct dirent *e;
    while (dir && (e = readdir(dir)) != NULL) {
        int n = snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        if (n > 0 && n < PATH_MAX && is_left(s, path, e->d_name)) {
            takc_log(INFO, "http", "an upload that was cut off is removed: %s", e->d_name);
            remove_tree(path);
        }
    }
    if (dir)
        (void)closedir(dir);
}

void takc_staging_sweep(const char *home, struct takc_jobs *jobs)
{
    sweep(&(struct sweep){.home = home, .jobs = jobs, .grace_s = TAKC_STAGING_GRACE_S});
}

void takc_staging_sweep_jobs(const char *home, struct takc_jobs *jobs, int64_t grace_s)
{
    sweep(&(struct sweep){.home = home, .jobs = jobs, .grace_s = grace_s, .of_jobs_only = true});
}
