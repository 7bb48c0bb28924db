/* SPDX-License-Identifier: Apache-2.0
 *
 * dir_batch.c - many puts of the dir store for the price of a few syncs.
 *
 * A put writes its temporary and closes it; what is derived goes to its own name where nothing is there (a rename costs two thirds of what
 * making a small file does). Commit syncs all temporaries, renames them in the order of the puts, removes what is to go,
 * syncs the folders. A few files are synced one by one; from SYNC_ALL_FROM on one syncfs is cheaper (bench/store.c measures both). A
 * temporary on another file system than the root (a mounted folder) is synced at once, since syncfs would not reach it. */
#include "base/alloc.h"
#include "base/fault.h"
#include "object/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SYNC_ALL_FROM = 4 };

enum entry_kind {
    ENTRY_PUT = 1,
    ENTRY_DERIVED, /* tmp is path */
    ENTRY_KEPT,    /* was there already: its folder may still need a sync */
    ENTRY_DEL
};

struct entry {
    enum entry_kind kind;
    bool synced;
    char *tmp, *path; /* in the arena; tmp NULL once it has its name for good */
};

struct dir_batch {
    struct takc_store_batch base;
    const char *root; /* the store's */
    dev_t device;     /* the root's */
    struct takc_arena arena;
    struct entry *entries;
    size_t n, cap, n_puts;
};

static struct dir_batch *batch_of(struct takc_store_batch *b)
{
    return (struct dir_batch *)(void *)b;
}

enum takc_status takc_dir_batch_open(struct takc_store *s, struct takc_store_batch **out, struct takc_err *err)
{
    struct stat info;
    const char *root = takc_store_dir_root(s);
    if (stat(root, &info))
        return takc_fail_errno(err, errno, "look at %s", root);
    struct dir_batch *b = takc_alloc(sizeof(*b));
    if (!b)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a batch");
    b->base.store = s;
    b->root = root;
    b->device = info.st_dev;
    takc_arena_init(&b->arena);
    *out = &b->base;
    return TAKC_OK;
}

/* Room for one more entry, with its path; it counts only once n is raised. */
static enum takc_status new_entry(struct dir_batch *b, enum entry_kind kind, const char *path, struct entry **out, struct takc_err *err)
{
    enum takc_status st = takc_grow((void *)&b->entries, &b->cap, b->n + 1, sizeof(*b->entries), err);
    if (st)
        return st;
    struct entry *e = &b->entries[b->n];
    *e = (struct entry){.kind = kind, .path = (char *)(uintptr_t)takc_arena_dup(&b->arena, takc_str(path)).ptr};
    *out = e;
    return e->path ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a path");
}

/* Opens the file of e: its own name where it is derived and nothing is there yet, else a temporary. */
static enum takc_status open_entry(struct entry *e, struct takc_stage *stage, struct takc_err *err)
{
    if (e->kind == ENTRY_DERIVED) {
        enum takc_status st = takc_stage_open_at(stage, e->path, err);
        if (st != TAKC_CONFLICT)
            return st;
        e->kind = ENTRY_PUT;
    }
    return takc_stage_open(stage, e->path, err);
}

/* Writes and closes the file of e. */
static enum takc_status stage_entry(struct dir_batch *b, struct entry *e, struct takc_str bytes, struct takc_err *err)
{
    struct takc_stage stage;
    struct stat info;
    enum takc_status st = open_entry(e, &stage, err);
    if (!st)
        st = takc_stage_write(&stage, bytes, err);
    if (!st && (fstat(stage.fd, &info) || info.st_dev != b->device)) {
        st = takc_stage_sync(&stage, err);
        e->synced = true;
    }
    if (!st)
        st = takc_stage_end(&stage, err);
    if (!st) {
        e->tmp = e->kind == ENTRY_DERIVED ? e->path : (char *)(uintptr_t)takc_arena_dup(&b->arena, takc_str(stage.tmp)).ptr;
        st = e->tmp ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a path");
    }
    if (st)
        takc_stage_drop(&stage);
    takc_file_phase(TAKC_FILE_IDLE);
    return st;
}

static enum takc_status add_entry(struct dir_batch *b, enum entry_kind kind, const char *path, struct takc_str bytes, struct takc_err *err)
{
    struct entry *e;
    enum takc_status st = new_entry(b, kind, path, &e, err);
    if (!st && kind != ENTRY_KEPT)
        st = stage_entry(b, e, bytes, err);
    if (st) {
        takc_dir_prune(b->root, path);
        return st;
    }
    b->n++;
    b->n_puts += kind != ENTRY_KEPT;
    return TAKC_OK;
}

enum takc_status takc_dir_batch_put(struct takc_store_batch *batch, struct takc_call *call, struct takc_str key, struct takc_str bytes,
                                    bool known_content, struct takc_err *err)
{
    struct dir_batch *b = batch_of(batch);
    char path[PATH_MAX];
    struct stat info;
    (void)call;
    enum takc_status st = takc_dir_path(b->root, key, path, err);
    if (st)
        return st;
    bool there = known_content && stat(path, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size == bytes.len;
    return add_entry(b, there ? ENTRY_KEPT : ENTRY_PUT, path, bytes, err);
}

enum takc_status takc_dir_batch_derive(struct takc_store_batch *batch, struct takc_call *call, struct takc_str key, struct takc_str bytes,
                                       struct takc_err *err)
{
    struct dir_batch *b = batch_of(batch);
    char path[PATH_MAX];
    (void)call;
    enum takc_status st = takc_dir_path(b->root, key, path, err);
    return st ? st : add_entry(b, ENTRY_DERIVED, path, bytes, err);
}

enum takc_status takc_dir_batch_del(struct takc_store_batch *batch, struct takc_call *call, struct takc_str key, struct takc_err *err)
{
    struct dir_batch *b = batch_of(batch);
    char path[PATH_MAX];
    struct entry *e;
    (void)call;
    enum takc_status st = takc_dir_path(b->root, key, path, err);
    if (!st)
        st = new_entry(b, ENTRY_DEL, path, &e, err);
    if (!st)
        b->n++;
    return st;
}

static enum takc_status sync_file(const char *path, struct takc_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return takc_fail_errno(err, errno, "open %s", path);
    int e = takc_fault_hit(TAKC_FAULT_FSYNC);
    if (!e && fsync(fd))
        e = errno;
    (void)close(fd);
    return e ? takc_fail_errno(err, e, "sync %s", path) : TAKC_OK;
}

static enum takc_status sync_contents(struct dir_batch *b, struct takc_err *err)
{
    takc_file_phase(TAKC_FILE_SYNC);
    if (b->n_puts >= SYNC_ALL_FROM)
        return takc_stage_sync_all(b->root, err);
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < b->n; i++)
        if (b->entries[i].tmp && !b->entries[i].synced)
            st = sync_file(b->entries[i].tmp, err);
    return st;
}

static enum takc_status name_all(struct dir_batch *b, struct takc_err *err)
{
    for (size_t i = 0; i < b->n; i++) {
        struct entry *e = &b->entries[i];
        enum takc_status st = e->kind == ENTRY_PUT ? takc_stage_name(e->tmp, e->path, err) : TAKC_OK;
        if (st)
            return st;
        e->tmp = NULL; /* what is derived stays from here on: a record that gets its name next may stand on it */
    }
    return TAKC_OK;
}

static enum takc_status remove_all(struct dir_batch *b, struct takc_err *err)
{
    for (size_t i = 0; i < b->n; i++) {
        const struct entry *e = &b->entries[i];
        if (e->kind == ENTRY_DEL && unlink(e->path) && errno != ENOENT && errno != ENOTDIR && errno != EISDIR)
            return takc_fail_errno(err, errno, "remove %s", e->path);
    }
    return TAKC_OK;
}

static size_t folder_len(const struct entry *e)
{
    const char *slash = strrchr(e->path, '/');
    return slash ? (size_t)(slash - e->path) : 0;
}

static int by_folder(const void *pa, const void *pb)
{
    const struct entry *a = pa, *b = pb;
    return takc_str_cmp(takc_str_n(a->path, folder_len(a)), takc_str_n(b->path, folder_len(b)));
}

/* Syncs each folder once; a great many at once. The order of the entries is lost, nobody needs it any more. */
static enum takc_status sync_folders(struct dir_batch *b, struct takc_err *err)
{
    size_t n_folders = 0;
    struct stat info;
    bool one_device = true;
    qsort(b->entries, b->n, sizeof(*b->entries), by_folder);
    for (size_t i = 0; i < b->n; i++) {
        n_folders += i == 0 || by_folder(&b->entries[i - 1], &b->entries[i]) != 0;
        one_device &= !b->entries[i].synced;
    }
    takc_file_phase(TAKC_FILE_FOLDER);
    if (n_folders >= SYNC_ALL_FROM && one_device && stat(b->root, &info) == 0)
        return takc_stage_sync_all(b->root, err);
    for (size_t i = 0; i < b->n; i++) {
        if (i > 0 && by_folder(&b->entries[i - 1], &b->entries[i]) == 0)
            continue;
        enum takc_status st = takc_stage_sync_folder(b->entries[i].path, err);
        if (st)
            return st;
    }
    return TAKC_OK;
}

/* Removes what has no name yet, and the folders that were made for it. */
static void drop_all(struct dir_batch *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (b->entries[i].tmp)
            (void)unlink(b->entries[i].tmp);
    for (size_t i = 0; i < b->n; i++)
        if (b->entries[i].tmp || b->entries[i].kind == ENTRY_DEL)
            takc_dir_prune(b->root, b->entries[i].path);
    b->n = b->n_puts = 0;
    takc_arena_clear(&b->arena);
    takc_file_phase(TAKC_FILE_IDLE);
}

enum takc_status takc_dir_batch_commit(struct takc_store_batch *batch, struct takc_call *call, struct takc_err *err)
{
    struct dir_batch *b = batch_of(batch);
    enum takc_status st = takc_call_check(call, err);
    if (!st && b->n_puts)
        st = sync_contents(b, err);
    if (!st)
        st = name_all(b, err);
    if (!st)
        st = remove_all(b, err);
    if (!st && b->n)
        st = sync_folders(b, err);
    drop_all(b);
    return st ? takc_err_prefix(err, st, "commit") : TAKC_OK;
}

void takc_dir_batch_close(struct takc_store_batch *batch)
{
    struct dir_batch *b = batch_of(batch);
    drop_all(b);
    takc_free(b->entries);
    takc_free(b);
}
