/* SPDX-License-Identifier: Apache-2.0
 *
 * files.c - walks files and folders. Names of a folder are read whole and sorted by bytes, so the order is the same everywhere; the paths
 * are one growing buffer, and at most one file's bytes are held at a time.
 *
 * A symbolic link is followed only to a file inside the root; links to folders are not entered, so no walk goes in circles. Files are
 * looked at before they are opened; a fifo put in the place of a file between the two would be waited for, as anywhere. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/utf8.h"
#include "source/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct walk {
    const struct takc_source_options *o;
    struct takc_call *call;
    takc_source_each_fn *each;
    takc_source_skipped_fn *skipped;
    void *arg;
    struct takc_buf path; /* of what is looked at now */
    size_t root_len;      /* bytes of path that are the root, with its '/' */
    struct takc_str root; /* absolute */
    struct takc_buf file, plain;
    struct takc_err *err;
};

struct names {
    char *bytes; /* NUL-terminated, one behind the other */
    size_t len, cap;
    size_t *at;
    size_t n, at_cap;
};

struct takc_str takc_source_inner_name(struct takc_str name)
{
    return name.len > 3 && takc_str_eq_nocase(takc_str_slice(name, name.len - 3, name.len), takc_str(".gz"))
               ? takc_str_slice(name, 0, name.len - 3)
               : name;
}

static struct takc_str name_of(const struct walk *w)
{
    return takc_str_slice(takc_buf_str(&w->path), w->root_len, w->path.len);
}

struct takc_str takc_source_shown(struct takc_str name, char out[TAKC_SOURCE_SHOWN_BYTES])
{
    size_t n = 0;
    for (size_t pos = 0; pos < name.len && n + 4 < TAKC_SOURCE_SHOWN_BYTES;) {
        uint32_t c = takc_utf8_next(name, &pos, NULL);
        n += takc_utf8_put(c < ' ' || (c >= 0x7F && c < 0xA0) ? '?' : c, out + n);
    }
    return takc_str_n(out, n);
}

/* Tells a file that is not given; its name is made printable. */
static void tell(const struct walk *w, struct takc_str name, enum takc_status status, const char *reason)
{
    char shown[TAKC_SOURCE_SHOWN_BYTES];
    if (w->skipped)
        w->skipped(w->arg, takc_source_shown(name, shown), status, reason);
}

bool takc_source_good_name(struct takc_str name)
{
    for (size_t pos = 0; pos < name.len;) {
        bool bad;
        uint32_t c = takc_utf8_next(name, &pos, &bad);
        if (bad || c < ' ' || (c >= 0x7F && c < 0xA0))
            return false;
    }
    return name.len > 0;
}

/* A failure of one file is told and the walk goes on; of the machine (memory, cancelling) it is returned. */
static enum takc_status file_failed(struct walk *w, enum takc_status st, const struct takc_err *why)
{
    if (st == TAKC_NOMEM || st == TAKC_CANCELLED || st == TAKC_TIMEOUT)
        return takc_fail(w->err, st, why->detail, "%s", why->msg);
    tell(w, name_of(w), st == TAKC_INVALID ? TAKC_REFUSED : st, why->msg);
    return TAKC_OK;
}

/* Opens a .gz that was read into w->file. */
static enum takc_status open_gz(struct walk *w, struct takc_source_item *item, struct takc_err *why)
{
    enum takc_status st = takc_sha256(takc_buf_str(&w->file), &item->file_sha, why);
    takc_buf_reset(&w->plain);
    if (!st)
        st = takc_source_gunzip(takc_buf_str(&w->file), &w->plain, why);
    item->compressed = true;
    item->bytes = takc_buf_str(&w->plain);
    return st;
}

static enum takc_status give(struct walk *w, struct takc_source_item *item)
{
    struct takc_err why = {0};
    enum takc_status st = TAKC_OK;
    item->name = name_of(w);
    item->root = w->root;
    item->bytes = takc_buf_str(&w->file);
    if (takc_source_inner_name(item->name).len < item->name.len)
        st = open_gz(w, item, &why);
    return st ? file_failed(w, st, &why) : w->each(w->arg, item, w->err);
}

static enum takc_status visit_file(struct walk *w, const struct stat *info)
{
    struct takc_source_item item = {.mtime_s = info->st_mtime};
    struct takc_err why = {0};
    takc_buf_reset(&w->file);
    enum takc_status st = takc_file_read(w->path.ptr, &w->file, &why);
    if (st)
        return file_failed(w, st, &why);
    st = give(w, &item);
    if (w->file.cap > (8u << 20)) { /* do not keep the largest file's memory through the walk */
        takc_buf_clear(&w->file);
        takc_buf_clear(&w->plain);
    }
    return st;
}

/* Does the link lead to something inside the root? */
static bool link_stays(const struct walk *w)
{
    char to[PATH_MAX];
    if (!realpath(w->path.ptr, to))
        return false;
    struct takc_str target = takc_str(to), root = w->root;
    return takc_str_starts(target, root) && (takc_str_is(root, "/") || (target.len > root.len && target.ptr[root.len] == '/'));
}

static int by_bytes(const void *a, const void *b, void *names)
{
    const struct names *l = names;
    return strcmp(l->bytes + *(const size_t *)a, l->bytes + *(const size_t *)b);
}

static enum takc_status add_name(struct names *l, const char *name, struct takc_err *err)
{
    size_t n = strlen(name) + 1;
    enum takc_status st = takc_grow(&l->bytes, &l->cap, l->len + n, 1, err);
    if (!st)
        st = takc_grow(&l->at, &l->at_cap, l->n + 1, sizeof(*l->at), err);
    if (st)
        return st;
    memcpy(l->bytes + l->len, name, n);
    l->at[l->n++] = l->len;
    l->len += n;
    return TAKC_OK;
}

/* Names in the folder at w->path, sorted by bytes. */
static enum takc_status list(struct walk *w, struct names *l, struct takc_err *err)
{
    DIR *dir = opendir(w->path.ptr);
    if (!dir)
        return takc_fail_errno(err, errno, "open folder %s", w->path.ptr);
    enum takc_status st = TAKC_OK;
    for (errno = 0; !st;) {
        const struct dirent *e = readdir(dir);
        if (!e)
            break;
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            st = add_name(l, e->d_name, err);
        errno = 0;
    }
    if (!st && errno)
        st = takc_fail_errno(err, errno, "read folder %s", w->path.ptr);
    (void)closedir(dir);
    if (l->n > 1)
        qsort_r(l->at, l->n, sizeof(*l->at), by_bytes, l);
    return st;
}

static enum takc_status visit_folder(struct walk *w, unsigned depth);

/* What stands at w->path, whose last part is name. */
static enum takc_status visit(struct walk *w, const char *name, unsigned depth)
{
    struct stat info;
    enum takc_status st = takc_call_check(w->call, w->err);
    if (st)
        return st;
    if (!takc_source_good_name(takc_str(name))) {
        tell(w, name_of(w), TAKC_REFUSED, "the name is not UTF-8 or holds control characters");
        return TAKC_OK;
    }
    if (name[0] == '.' && !w->o->hidden) {
        tell(w, name_of(w), TAKC_OK, "hidden");
        return TAKC_OK;
    }
    bool link = lstat(w->path.ptr, &info) == 0 && S_ISLNK(info.st_mode);
    if (stat(w->path.ptr, &info)) {
        struct takc_err why = {0};
        st = takc_fail_errno(&why, errno, link ? "symbolic link leads nowhere" : "cannot be looked at");
        tell(w, name_of(w), link ? TAKC_OK : st, why.msg);
        return TAKC_OK;
    }
    if (link && (S_ISDIR(info.st_mode) || !link_stays(w)))
        tell(w, name_of(w), TAKC_OK, S_ISDIR(info.st_mode) ? "symbolic link to a folder" : "symbolic link out of the folder");
    else if (S_ISDIR(info.st_mode))
        return visit_folder(w, depth + 1);
    else if (S_ISREG(info.st_mode))
        return visit_file(w, &info);
    else
        tell(w, name_of(w), TAKC_OK, "special file (fifo, socket or device)");
    return TAKC_OK;
}

static enum takc_status visit_folder(struct walk *w, unsigned depth)
{
    struct names l = {0};
    struct takc_err why = {0};
    size_t len = w->path.len;
    if (depth > TAKC_SOURCE_MAX_FOLDERS) {
        tell(w, name_of(w), TAKC_REFUSED, "folders are nested too deep");
        return TAKC_OK;
    }
    enum takc_status st = list(w, &l, &why);
    if (st && depth == 0)
        st = takc_fail(w->err, st, why.detail, "%s", why.msg);
    else if (st)
        st = file_failed(w, st, &why);
    for (size_t i = 0; i < l.n && !st; i++) {
        const char *name = l.bytes + l.at[i];
        if (w->path.ptr[len - 1] != '/')
            st = takc_buf_byte(&w->path, '/', w->err);
        if (!st)
            st = takc_buf_add(&w->path, takc_str(name), w->err);
        if (!st)
            st = visit(w, name, depth);
        w->path.len = len;
        w->path.ptr[len] = '\0';
    }
    takc_free(l.bytes);
    takc_free(l.at);
    return st;
}

static enum takc_status read_stdin(struct walk *w)
{
    char piece[64 << 10];
    ssize_t got;
    enum takc_status st = TAKC_OK;
    while (!st && (got = read(STDIN_FILENO, piece, sizeof(piece))) != 0) {
        if (got < 0 && errno == EINTR)
            st = takc_call_check(w->call, w->err);
        else if (got < 0)
            st = takc_fail_errno(w->err, errno, "read standard input");
        else
            st = takc_buf_add(&w->file, takc_str_n(piece, (size_t)got), w->err);
    }
    if (st)
        return st == TAKC_INVALID ? takc_fail(w->err, TAKC_REFUSED, 0, "standard input is over the limit of %zu bytes", w->file.max) : st;
    struct takc_source_item item = {0};
    w->root = takc_str("-");
    st = takc_buf_add(&w->path, takc_str(w->o->stdin_name ? w->o->stdin_name : "stdin"), w->err);
    return st ? st : give(w, &item);
}

/* A single file: the root is its folder, the name its last part. Hidden or a link, it was named, so it is taken. */
static enum takc_status walk_one(struct walk *w, const struct stat *info)
{
    size_t slash = w->path.len;
    while (slash > 0 && w->path.ptr[slash - 1] != '/')
        slash--;
    w->root_len = slash;
    w->root.len = slash > 1 ? slash - 1 : 1;
    if (!takc_source_good_name(name_of(w))) {
        tell(w, name_of(w), TAKC_REFUSED, "the name is not UTF-8 or holds control characters");
        return TAKC_OK;
    }
    if (!S_ISREG(info->st_mode)) {
        tell(w, name_of(w), TAKC_OK, "special file (fifo, socket or device)");
        return TAKC_OK;
    }
    return visit_file(w, info);
}

/* The root and the path of what is walked: absolute, links resolved. Of a file it is its folder that is made absolute: a link that was
 * named keeps its name. */
static enum takc_status set_root(struct walk *w, const char *path, bool folder, char absolute[PATH_MAX])
{
    const char *base = strrchr(path, '/');
    struct takc_str parent = base ? takc_str_n(path, base == path ? 1 : (size_t)(base - path)) : takc_str(".");
    enum takc_status st = takc_buf_add(&w->path, folder ? takc_str(path) : parent, w->err);
    if (st)
        return st;
    if (!realpath(w->path.ptr, absolute))
        return takc_fail_errno(w->err, errno, "%s", path);
    w->root = takc_str(absolute);
    takc_buf_reset(&w->path);
    st = takc_buf_add(&w->path, w->root, w->err);
    if (!st && strcmp(absolute, "/") != 0)
        st = takc_buf_byte(&w->path, '/', w->err);
    w->root_len = w->path.len;
    return st || folder ? st : takc_buf_add(&w->path, takc_str(base ? base + 1 : path), w->err);
}

static enum takc_status walk_path(struct walk *w, const char *path)
{
    char absolute[PATH_MAX];
    struct stat info;
    if (stat(path, &info))
        return takc_fail_errno(w->err, errno, "%s", path);
    enum takc_status st = set_root(w, path, S_ISDIR(info.st_mode), absolute);
    if (st)
        return st;
    return S_ISDIR(info.st_mode) ? visit_folder(w, 0) : walk_one(w, &info);
}

enum takc_status takc_source_walk(const char *path, const struct takc_source_options *options, struct takc_call *call,
                                  takc_source_each_fn *each, takc_source_skipped_fn *skipped, void *arg, struct takc_err *err)
{
    static const struct takc_source_options none = {0};
    struct walk w = {.o = options ? options : &none, .call = call, .each = each, .skipped = skipped, .arg = arg, .err = err};
    uint64_t max = w.o->max_file_bytes ? w.o->max_file_bytes : TAKC_SOURCE_MAX_FILE;
    takc_buf_init(&w.path, PATH_MAX * 4);
    takc_buf_init(&w.file, (size_t)max);
    takc_buf_init(&w.plain, (size_t)max);
    enum takc_status st = strcmp(path, "-") == 0 ? read_stdin(&w) : walk_path(&w, path);
    takc_buf_clear(&w.path);
    takc_buf_clear(&w.file);
    takc_buf_clear(&w.plain);
    return st;
}
