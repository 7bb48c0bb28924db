/* SPDX-License-Identifier: Apache-2.0
 *
 * dir.c - a store in a folder, for several threads and processes at once, without a daemon.
 *
 * A blob is a file that is written under a temporary name, synced, renamed and followed by a sync of its folder: readers see the old blob
 * or the new one. Blobs are replaced, never changed in place, so an open map stays what it was. Nothing is kept in memory but the root.
 * swap holds a lock file (one of 256 below locks/, chosen by the key's hash: their number stays bounded and none is ever removed), reads
 * the tag, renames. */
#include "object/dir.h"
#include "base/alloc.h"
#include "base/fault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_CHUNK = 256 << 10, SWAP_WAIT_MS = 10000 /* longer than any swap of a manifest takes, short enough to be reported */ };

struct dir_store {
    struct takc_store base;
    char root[]; /* NUL-terminated, without a '/' at the end */
};

static const struct takc_store_ops dir_ops;

const char *takc_store_dir_root(const struct takc_store *s)
{
    return s->ops == &dir_ops ? ((const struct dir_store *)(const void *)s)->root : NULL;
}

static const char *root_of(const struct takc_store *s)
{
    const char *root = takc_store_dir_root(s);
    if (!root)
        TAKC_BUG("not a dir store");
    return root;
}

static enum takc_status not_there(struct takc_err *err)
{
    return takc_fail(err, TAKC_NOT_FOUND, ENOENT, "not there");
}

/* --- writing --- */

/* Ends a write that went well so far (st OK) or not; after a failure neither the temporary nor the folders made for it stay. */
static enum takc_status keep_or_drop(const char *root, struct takc_stage *stage, const char *path, enum takc_status st,
                                     struct takc_err *err)
{
    if (!st)
        st = takc_stage_keep(stage, path, err);
    else
        takc_stage_drop(stage);
    if (st)
        takc_dir_prune(root, path);
    return st;
}

static enum takc_status dir_put(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_source *body,
                                struct takc_err *err)
{
    char path[PATH_MAX];
    struct takc_stage stage = {.fd = -1};
    enum takc_status st = takc_dir_path(root_of(s), key, path, err);
    if (st)
        return st;
    char *piece = takc_alloc(READ_CHUNK);
    st = piece ? takc_stage_open(&stage, path, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory for %d bytes", READ_CHUNK);
    for (size_t got = 1; !st && got;) {
        st = takc_call_check(call, err);
        if (!st)
            st = body->read(body, piece, READ_CHUNK, &got, err);
        if (!st)
            st = takc_stage_write(&stage, takc_str_n(piece, got), err);
    }
    takc_free(piece);
    return keep_or_drop(root_of(s), &stage, path, st, err);
}

/* --- reading --- */

/* Opens the blob; NOT_FOUND for anything that is none. */
static enum takc_status open_blob(const char *path, int *out_fd, struct takc_err *err)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? not_there(err) : takc_fail_errno(err, errno, "open %s", path);
    if (fstat(fd, &info) || !S_ISREG(info.st_mode)) {
        (void)close(fd);
        return not_there(err);
    }
    *out_fd = fd;
    return TAKC_OK;
}

static ssize_t read_at(int fd, char *p, size_t n, uint64_t at)
{
    int e = takc_fault_hit(TAKC_FAULT_READ);
    if (e) {
        errno = e;
        return -1;
    }
    ssize_t got;
    do
        got = pread(fd, p, n, (off_t)at);
    while (got < 0 && errno == EINTR);
    return got;
}

static enum takc_status dir_get_range(struct takc_store *s, struct takc_call *call, struct takc_str key, uint64_t from, uint64_t n,
                                      struct takc_sink *out, struct takc_err *err)
{
    char path[PATH_MAX];
    int fd = -1;
    enum takc_status st = takc_dir_path(root_of(s), key, path, err);
    if (!st)
        st = open_blob(path, &fd, err);
    if (st)
        return st;
    char *piece = takc_alloc(READ_CHUNK);
    if (!piece)
        st = takc_fail(err, TAKC_NOMEM, 0, "no memory for %d bytes", READ_CHUNK);
    while (!st && n && from <= INT64_MAX) {
        ssize_t got = read_at(fd, piece, n < READ_CHUNK ? (size_t)n : READ_CHUNK, from);
        if (got < 0)
            st = takc_fail_errno(err, errno, "read");
        if (got <= 0)
            break;
        from += (uint64_t)got;
        n -= (uint64_t)got;
        st = out->write(out, takc_str_n(piece, (size_t)got), err);
        if (!st)
            st = takc_call_check(call, err);
    }
    takc_free(piece);
    (void)close(fd);
    return st;
}

static enum takc_status dir_get(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_sink *out,
                                struct takc_err *err)
{
    return dir_get_range(s, call, key, 0, UINT64_MAX, out, err);
}

static enum takc_status dir_map(struct takc_store *s, struct takc_str key, struct takc_map *out, struct takc_err *err)
{
    char path[PATH_MAX];
    struct stat info;
    enum takc_status st = takc_dir_path(root_of(s), key, path, err);
    if (st)
        return st;
    if (stat(path, &info) ? errno == ENOENT || errno == ENOTDIR : !S_ISREG(info.st_mode))
        return not_there(err);
    return takc_map_open(out, path, err);
}

/* --- compare and swap --- */

struct hash_sink {
    struct takc_sink sink; /* first */
    struct takc_sha256 hash;
};

static enum takc_status hash_write(struct takc_sink *sink, struct takc_str bytes, struct takc_err *err)
{
    return takc_sha256_add(&((struct hash_sink *)(void *)sink)->hash, bytes, err);
}

static enum takc_status dir_tag(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_hex *out,
                                struct takc_err *err)
{
    struct hash_sink h = {.sink = {.write = hash_write}};
    enum takc_status st = takc_sha256_init(&h.hash, err);
    if (!st)
        st = dir_get(s, call, key, &h.sink, err);
    if (!st)
        st = takc_sha256_end(&h.hash, out, err);
    takc_sha256_clear(&h.hash);
    return st;
}

/* The lock of a key against other swaps and deletes. */
static enum takc_status lock_key(const char *root, struct takc_call *call, struct takc_str key, struct takc_lock *out, struct takc_err *err)
{
    char path[PATH_MAX];
    out->fd = -1;
    int n = snprintf(path, sizeof(path), "%s/" TAKC_DIR_LOCKS "/.swap-%02x", root, (unsigned)(takc_hash64(key, 0) & 0xFF));
    if (n < 0 || n >= PATH_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "path is too long");
    enum takc_status st = takc_dir_make_for(path, err);
    return st ? st : takc_lock_open(out, path, true, takc_call_left_ms(call, SWAP_WAIT_MS), err);
}

static enum takc_status swap_locked(struct takc_store *s, struct takc_call *call, struct takc_str key, const char *path,
                                    struct takc_str if_tag, struct takc_str body, struct takc_err *err)
{
    struct takc_hex tag = {""};
    struct takc_stage stage;
    enum takc_status st = dir_tag(s, call, key, &tag, err);
    if (st && st != TAKC_NOT_FOUND)
        return st;
    if (!takc_str_is(if_tag, st ? "" : tag.s))
        return takc_fail(err, TAKC_CONFLICT, 0, "changed by somebody else");
    st = takc_stage_open(&stage, path, err);
    if (!st)
        st = takc_stage_write(&stage, body, err);
    return keep_or_drop(root_of(s), &stage, path, st, err);
}

static enum takc_status dir_swap(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_str if_tag,
                                 struct takc_str body, struct takc_err *err)
{
    char path[PATH_MAX];
    struct takc_lock lock = {-1};
    enum takc_status st = takc_dir_path(root_of(s), key, path, err);
    if (!st)
        st = lock_key(root_of(s), call, key, &lock, err);
    if (!st)
        st = swap_locked(s, call, key, path, if_tag, body, err);
    takc_lock_close(&lock);
    return st;
}

static enum takc_status dir_del(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_err *err)
{
    char path[PATH_MAX];
    struct takc_lock lock = {-1};
    enum takc_status st = takc_dir_path(root_of(s), key, path, err);
    if (!st)
        st = lock_key(root_of(s), call, key, &lock, err);
    if (!st && unlink(path))
        st = errno == ENOENT || errno == ENOTDIR || errno == EISDIR ? not_there(err) : takc_fail_errno(err, errno, "remove");
    if (!st)
        st = takc_stage_sync_folder(path, err);
    if (!st)
        takc_dir_prune(root_of(s), path);
    takc_lock_close(&lock);
    return st;
}

/* --- listing: all keys are gathered and sorted first, since names on disk do not sort as keys do --- */

struct found {
    uint64_t size_bytes;
    size_t at; /* of the key in names; its length stands before it */
};

struct listing {
    struct takc_call *call;
    struct takc_str prefix;
    struct takc_buf names; /* 2 bytes of length and the key, again and again */
    struct found *items;
    size_t n, cap;
};

static enum takc_status list_one(void *arg, const char *rel, uint64_t size_bytes, int64_t changed_s, struct takc_err *err)
{
    struct listing *l = arg;
    char key[TAKC_DIR_KEY_MAX];
    size_t len;
    (void)changed_s;
    if (!takc_dir_key(rel, key, &len) || !takc_str_starts(takc_str_n(key, len), l->prefix))
        return TAKC_OK;
    enum takc_status st = takc_call_check(l->call, err);
    if (!st)
        st = takc_grow((void *)&l->items, &l->cap, l->n + 1, sizeof(*l->items), err);
    size_t at = l->names.len;
    if (!st)
        st = takc_buf_le(&l->names, len, 2, err);
    if (!st)
        st = takc_buf_add(&l->names, takc_str_n(key, len), err);
    if (!st)
        l->items[l->n++] = (struct found){size_bytes, at};
    return st;
}

static struct takc_str found_key(const char *names, const struct found *f)
{
    return takc_str_n(names + f->at + 2, (size_t)takc_le(names + f->at, 2));
}

static int by_key(const void *a, const void *b, void *names)
{
    return takc_str_cmp(found_key(names, a), found_key(names, b));
}

/* The folder that all keys with this prefix are in, relative to the root; false when no key can have the prefix. */
static bool folder_of_prefix(struct takc_str prefix, char *out)
{
    size_t n = prefix.len;
    while (n > 0 && prefix.ptr[n - 1] != '/')
        n--;
    *out = '\0';
    if (n == 0)
        return true;
    struct takc_str folder = takc_str_n(prefix.ptr, n - 1);
    return takc_store_key_check(folder, NULL) == TAKC_OK && takc_dir_path("", folder, out, NULL) == TAKC_OK;
}

static enum takc_status dir_list(struct takc_store *s, struct takc_call *call, struct takc_str prefix, takc_store_each_fn *each, void *arg,
                                 struct takc_err *err)
{
    struct listing l = {.call = call, .prefix = prefix};
    char folder[PATH_MAX];
    if (!folder_of_prefix(prefix, folder))
        return TAKC_OK;
    takc_buf_init(&l.names, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_dir_walk(root_of(s), folder, true, list_one, &l, err);
    if (!st && l.n)
        qsort_r(l.items, l.n, sizeof(*l.items), by_key, l.names.ptr);
    for (size_t i = 0; !st && i < l.n; i++)
        st = each(arg, found_key(l.names.ptr, &l.items[i]), l.items[i].size_bytes, err);
    takc_free(l.items);
    takc_buf_clear(&l.names);
    return st;
}

static void dir_close(struct takc_store *s)
{
    (void)root_of(s);
    takc_free(s);
}

static const struct takc_store_ops dir_ops = {
    .name = "dir",
    .flags = TAKC_STORE_DURABLE | TAKC_STORE_RANGES | TAKC_STORE_MAPS,
    .put = dir_put,
    .get = dir_get,
    .get_range = dir_get_range,
    .tag = dir_tag,
    .swap = dir_swap,
    .del = dir_del,
    .list = dir_list,
    .map = dir_map,
    .close = dir_close,
    .batch_open = takc_dir_batch_open,
    .batch_put = takc_dir_batch_put,
    .batch_derive = takc_dir_batch_derive,
    .batch_del = takc_dir_batch_del,
    .batch_commit = takc_dir_batch_commit,
    .batch_close = takc_dir_batch_close,
};

enum takc_status takc_store_dir_open(struct takc_store **out, const char *path, struct takc_err *err)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    if (n == 0 || n >= PATH_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "a store's folder is a path of 1 to %d bytes", PATH_MAX - 1);
    struct dir_store *d = takc_alloc(sizeof(*d) + n + 1);
    if (!d)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a store");
    d->base.ops = &dir_ops;
    memcpy(d->root, path, n);
    enum takc_status st = takc_dir_make(d->root, err);
    if (st) {
        takc_free(d);
        return st;
    }
    *out = &d->base;
    return TAKC_OK;
}
