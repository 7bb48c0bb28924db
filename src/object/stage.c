/* SPDX-License-Identifier: Apache-2.0
 *
 * stage.c - files that are written under a temporary name first. Every step asks base/fault.h and tells base/file.h's phase hook, so
 * that tests can fail it or kill the process in it. A temporary's name holds the process that made it: ".takc-tmp-PID-N". */
#include "base/fault.h"
#include "object/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { WRITE_CHUNK = 1 << 20, TRIES = 100 }; /* TRIES: how often others may take the folder away under us before we believe it */

/* Puts the folder part of path into out (PATH_MAX bytes). */
static bool folder_of(const char *path, char *out)
{
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path || slash - path >= PATH_MAX)
        return false;
    memcpy(out, path, (size_t)(slash - path));
    out[slash - path] = '\0';
    return true;
}

/* Makes the file s->tmp, and the folder that it is in. CONFLICT when it is there. */
static enum takc_status create(struct takc_stage *s, const char *folder, struct takc_err *err)
{
    for (int i = 0; i < TRIES; i++) {
        s->fd = open(s->tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (s->fd >= 0)
            return TAKC_OK;
        if (errno == EEXIST)
            return takc_fail(err, TAKC_CONFLICT, errno, "create %s", s->tmp);
        if (errno != ENOENT && errno != ENOTDIR)
            return takc_fail_errno(err, errno, "create a file in %s", folder);
        enum takc_status st = takc_dir_make(folder, err);
        if (st && st != TAKC_NOT_FOUND)
            return st;
    }
    return takc_fail(err, TAKC_BUSY, 0, "others keep removing the folder %s", folder);
}

enum takc_status takc_stage_open(struct takc_stage *s, const char *path, struct takc_err *err)
{
    static atomic_uint counter;
    char folder[PATH_MAX];
    s->fd = -1;
    s->tmp[0] = '\0';
    takc_file_phase(TAKC_FILE_STAGE);
    if (!folder_of(path, folder))
        return takc_fail(err, TAKC_INVALID, 0, "path is too long");
    unsigned number = atomic_fetch_add(&counter, 1);
    int n = snprintf(s->tmp, sizeof(s->tmp), "%s/" TAKC_TMP_PREFIX "%ld-s%u", folder, (long)getpid(), number);
    if (n < 0 || n >= PATH_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "path is too long");
    enum takc_status st = create(s, folder, err);
    return st == TAKC_CONFLICT ? takc_fail(err, TAKC_IO, EEXIST, "create a file in %s: its name is taken", folder) : st;
}

enum takc_status takc_stage_open_at(struct takc_stage *s, const char *path, struct takc_err *err)
{
    char folder[PATH_MAX];
    s->fd = -1;
    takc_file_phase(TAKC_FILE_STAGE);
    if (!folder_of(path, folder))
        return takc_fail(err, TAKC_INVALID, 0, "path is too long");
    memcpy(s->tmp, path, strlen(path) + 1);
    enum takc_status st = create(s, folder, err);
    if (st)
        s->tmp[0] = '\0';
    return st;
}

enum takc_status takc_stage_write(struct takc_stage *s, struct takc_str bytes, struct takc_err *err)
{
    for (size_t done = 0; done < bytes.len;) {
        int e = takc_fault_hit(TAKC_FAULT_WRITE);
        size_t n = bytes.len - done < WRITE_CHUNK ? bytes.len - done : WRITE_CHUNK;
        ssize_t put = e ? -1 : write(s->fd, bytes.ptr + done, n);
        if (put < 0 && !e && errno == EINTR)
            continue;
        if (put < 0)
            return takc_fail_errno(err, e ? e : errno, "write");
        done += (size_t)put;
    }
    return TAKC_OK;
}

enum takc_status takc_stage_sync(struct takc_stage *s, struct takc_err *err)
{
    takc_file_phase(TAKC_FILE_SYNC);
    int e = takc_fault_hit(TAKC_FAULT_FSYNC);
    if (e || fsync(s->fd))
        return takc_fail_errno(err, e ? e : errno, "sync");
    return TAKC_OK;
}

enum takc_status takc_stage_end(struct takc_stage *s, struct takc_err *err)
{
    int fd = s->fd;
    s->fd = -1;
    return close(fd) ? takc_fail_errno(err, errno, "close") : TAKC_OK;
}

void takc_stage_drop(struct takc_stage *s)
{
    if (s->fd >= 0)
        (void)close(s->fd);
    if (s->fd >= 0 || s->tmp[0])
        (void)unlink(s->tmp);
    s->fd = -1;
    s->tmp[0] = '\0';
    takc_file_phase(TAKC_FILE_IDLE);
}

enum takc_status takc_stage_name(const char *tmp, const char *path, struct takc_err *err)
{
    takc_file_phase(TAKC_FILE_NAME);
    int e = takc_fault_hit(TAKC_FAULT_RENAME);
    if (!e && rename(tmp, path) == 0)
        return TAKC_OK;
    e = e ? e : errno;
    (void)unlink(tmp);
    if (e == EISDIR)
        return takc_fail(err, TAKC_INVALID, e, "other keys are kept below this one");
    return takc_fail_errno(err, e, "rename");
}

enum takc_status takc_stage_sync_folder(const char *path, struct takc_err *err)
{
    char folder[PATH_MAX];
    takc_file_phase(TAKC_FILE_FOLDER);
    if (!folder_of(path, folder))
        return takc_fail(err, TAKC_INVALID, 0, "path is too long");
    struct takc_err e = {0};
    enum takc_status st = takc_dir_sync(folder, &e);
    takc_file_phase(TAKC_FILE_IDLE);
    if (!st || e.detail == ENOENT || e.detail == ENOTDIR)
        return TAKC_OK;
    if (err)
        *err = e;
    return st;
}

enum takc_status takc_stage_keep(struct takc_stage *s, const char *path, struct takc_err *err)
{
    enum takc_status st = takc_stage_sync(s, err);
    if (!st)
        st = takc_stage_end(s, err);
    if (!st) {
        st = takc_stage_name(s->tmp, path, err);
        s->tmp[0] = '\0';
    }
    if (st) {
        takc_stage_drop(s);
        return st;
    }
    return takc_stage_sync_folder(path, err);
}

enum takc_status takc_stage_sync_all(const char *root, struct takc_err *err)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return takc_fail_errno(err, errno, "open folder %s", root);
    int e = takc_fault_hit(TAKC_FAULT_FSYNC);
    if (!e && syncfs(fd))
        e = errno;
    (void)close(fd);
    return e ? takc_fail_errno(err, e, "sync %s", root) : TAKC_OK;
}
