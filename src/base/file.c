/* SPDX-License-Identifier: Apache-2.0
 *
 * file.c - POSIX files behind the promises of file.h. */
#include "base/file.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { IO_CHUNK = 1 << 20 };

void (*takc_file_phase_hook)(enum takc_file_phase);

static ssize_t read_some(int fd, void *p, size_t n)
{
    int e = takc_fault_hit(TAKC_FAULT_READ);
    if (e) {
        errno = e;
        return -1;
    }
    ssize_t got;
    do
        got = read(fd, p, n);
    while (got < 0 && errno == EINTR);
    return got;
}

enum takc_status takc_file_read(const char *path, struct takc_buf *out, struct takc_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return takc_fail_errno(err, errno, "open %s", path);
    struct stat info;
    enum takc_status st = TAKC_OK;
    size_t start = out->len, guess = IO_CHUNK;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size >= 0)
        guess = (size_t)info.st_size + 1;
    for (;;) {
        size_t room = out->max - out->len, want = guess < room ? guess : room;
        if (want == 0) { /* at the limit: is there more? */
            char one;
            if (read_some(fd, &one, 1) != 0)
                st = takc_fail(err, TAKC_INVALID, 0, "%s: larger than the limit of %zu bytes", path, out->max);
            break;
        }
        if (takc_buf_reserve(out, want, err)) {
            st = takc_fail(err, TAKC_NOMEM, 0, "%s: no memory for %zu bytes", path, out->len + want);
            break;
        }
        ssize_t got = read_some(fd, out->ptr + out->len, want);
        if (got < 0)
            st = takc_fail_errno(err, errno, "read %s", path);
        if (got <= 0)
            break;
        out->len += (size_t)got;
        guess = IO_CHUNK;
    }
    if (st)
        out->len = start;
    if (out->ptr)
        out->ptr[out->len] = '\0';
    (void)close(fd);
    return st;
}

static int write_all(int fd, struct takc_str bytes)
{
    for (size_t done = 0; done < bytes.len;) {
        int e = takc_fault_hit(TAKC_FAULT_WRITE);
        if (e) {
            errno = e;
            return -1;
        }
        size_t n = bytes.len - done < IO_CHUNK ? bytes.len - done : IO_CHUNK;
        ssize_t put = write(fd, bytes.ptr + done, n);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        done += (size_t)put;
    }
    return 0;
}

static int sync_fd(int fd)
{
    int e = takc_fault_hit(TAKC_FAULT_FSYNC);
    if (e) {
        errno = e;
        return -1;
    }
    return fsync(fd);
}

/* The folder part of path into out (PATH_MAX bytes); "." when there is none. */
static bool folder_of(const char *path, char *out)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (n >= PATH_MAX)
        return false;
    if (!slash)
        memcpy(out, ".", 2);
    else if (n == 0)
        memcpy(out, "/", 2);
    else {
        memcpy(out, path, n);
        out[n] = '\0';
    }
    return true;
}

enum takc_status takc_file_write(const char *path, struct takc_str bytes, struct takc_err *err)
{
    static atomic_uint counter;
    char folder[PATH_MAX], tmp[PATH_MAX + 64];
    if (!folder_of(path, folder))
        return takc_fail(err, TAKC_INVALID, 0, "path is too long");
    int n = snprintf(tmp, sizeof(tmp), "%s/" TAKC_TMP_PREFIX "%ld-%u", folder, (long)getpid(), atomic_fetch_add(&counter, 1));
    if (n < 0 || n >= PATH_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "path is too long");
    takc_file_phase(TAKC_FILE_STAGE);
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return takc_fail_errno(err, errno, "create a file in %s", folder);
    int failed = write_all(fd, bytes) ? errno : 0;
    takc_file_phase(TAKC_FILE_SYNC);
    if (!failed && sync_fd(fd))
        failed = errno;
    if (close(fd) && !failed)
        failed = errno;
    takc_file_phase(TAKC_FILE_NAME);
    if (!failed)
        failed = takc_fault_hit(TAKC_FAULT_RENAME);
    if (!failed && rename(tmp, path))
        failed = errno;
    if (failed) {
        (void)unlink(tmp);
        return takc_fail_errno(err, failed, "write %s", path);
    }
    takc_file_phase(TAKC_FILE_FOLDER);
    enum takc_status st = takc_dir_sync(folder, err);
    takc_file_phase(TAKC_FILE_IDLE);
    return st;
}

enum takc_status takc_file_remove(const char *path, struct takc_err *err)
{
    char folder[PATH_MAX];
    if (!folder_of(path, folder))
        return takc_fail(err, TAKC_INVALID, 0, "path is too long");
    if (unlink(path))
        return takc_fail_errno(err, errno, "remove %s", path);
    return takc_dir_sync(folder, err);
}

enum takc_status takc_dir_sync(const char *path, struct takc_err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return takc_fail_errno(err, errno, "open folder %s", path);
    int failed = sync_fd(fd) ? errno : 0;
    (void)close(fd);
    return failed ? takc_fail_errno(err, failed, "sync folder %s", path) : TAKC_OK;
}

enum takc_status takc_dir_make(const char *path, struct takc_err *err)
{
    struct stat info;
    char folder[PATH_MAX];
    if (stat(path, &info) == 0)
        return S_ISDIR(info.st_mode) ? TAKC_OK : takc_fail(err, TAKC_INVALID, 0, "%s is not a folder", path);
    if (!folder_of(path, folder))
        return takc_fail(err, TAKC_INVALID, 0, "path is too long");
    if (strcmp(folder, ".") != 0 && strcmp(folder, "/") != 0) {
        enum takc_status st = takc_dir_make(folder, err);
        if (st)
            return st;
    }
    if (mkdir(path, 0700) && errno != EEXIST)
        return takc_fail_errno(err, errno, "make folder %s", path);
    return takc_dir_sync(folder, err);
}

enum takc_status takc_dir_make_for(const char *path, struct takc_err *err)
{
    char folder[PATH_MAX];
    if (!folder_of(path, folder))
        return takc_fail(err, TAKC_INVALID, 0, "path is too long");
    return takc_dir_make(folder, err);
}

enum takc_status takc_map_open(struct takc_map *m, const char *path, struct takc_err *err)
{
    *m = (struct takc_map){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return takc_fail_errno(err, errno, "open %s", path);
    struct stat info;
    int e = takc_fault_hit(TAKC_FAULT_READ);
    if (e || fstat(fd, &info)) {
        e = e ? e : errno;
        (void)close(fd);
        return takc_fail_errno(err, e, "read %s", path);
    }
    enum takc_status st = TAKC_OK;
    if (!S_ISREG(info.st_mode)) {
        st = takc_fail(err, TAKC_INVALID, 0, "%s is not a file", path);
    } else if (info.st_size > 0) {
        void *p = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
            st = takc_fail_errno(err, errno, "map %s", path);
        else
            m->bytes = takc_str_n(p, (size_t)info.st_size);
    }
    (void)close(fd);
    return st;
}

void takc_map_close(struct takc_map *m)
{
    if (m->bytes.len)
        (void)munmap((void *)(uintptr_t)m->bytes.ptr, m->bytes.len);
    *m = (struct takc_map){0};
}

enum takc_status takc_lock_open(struct takc_lock *l, const char *path, bool exclusive, uint64_t wait_ms, struct takc_err *err)
{
    l->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (l->fd < 0 && errno == EROFS) /* who only reads may do so from a read-only medium */
        l->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (l->fd < 0)
        return takc_fail_errno(err, errno, "open lock %s", path);
    for (uint64_t waited = 0;; waited += 10) {
        if (flock(l->fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0)
            return TAKC_OK;
        int e = errno;
        if ((e != EWOULDBLOCK && e != EINTR) || waited >= wait_ms) {
            takc_lock_close(l);
            return e == EWOULDBLOCK ? takc_fail(err, TAKC_BUSY, 0, "%s is held by another process", path)
                                    : takc_fail_errno(err, e, "lock %s", path);
        }
        struct timespec t = {0, 10 * 1000000};
        (void)nanosleep(&t, NULL);
    }
}

void takc_lock_close(struct takc_lock *l)
{
    if (l->fd >= 0)
        (void)close(l->fd);
    l->fd = -1;
}
