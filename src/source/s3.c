/* SPDX-License-Identifier: Apache-2.0
 *
 * s3.c - a place in S3 into a folder (s3.h). The listing is read whole first: so the bounds hold before a byte is fetched, and names are
 * settled in the order of keys, by making their files, empty: an object whose name is the folder of another's keeps it, whoever is fetched
 * sooner. Then several are fetched at a time. An object whose size is not what the listing said has changed meanwhile, or was cut off. */
#include "source/s3.h"
#include "aws/s3.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/pool.h"
#include "base/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PARALLEL = 8,
    PART_MAX = 255, /* bytes of a file's name */
    KEY_MAX = 1024,
    FOLDER_MODE = 0700,
    FILE_MODE = 0600
};
#define MAX_BYTES ((uint64_t)10 << 30)
#define MAX_OBJECTS UINT64_C(100000)

extern char **environ;

struct object {
    struct takc_str name; /* behind the prefix; NUL behind it */
    uint64_t size;
};

struct copy {
    const struct takc_source_s3_options *o;
    struct takc_call *call;
    const char *folder;
    struct takc_http *http;
    struct takc_aws *aws;
    struct takc_str bucket;
    struct takc_str prefix; /* empty, or with '/' at its end */
    struct takc_arena arena;
    struct object *objects;
    size_t n, cap;
    uint64_t n_seen, n_bytes;
    struct {
        struct takc_mutex mu;
        uint64_t n_done, n_bytes, n_kept, n_denied;
    } locked;
};

static uint64_t or_else(uint64_t given, uint64_t otherwise)
{
    return given ? given : otherwise;
}

/* --- names --- */

static bool has_odd_part(struct takc_str path)
{
    struct takc_str part;
    while (path.len && takc_str_split(&path, '/', &part))
        if (!part.len || takc_str_is(part, ".") || takc_str_is(part, ".."))
            return true;
    return false;
}

enum takc_status takc_source_s3_place(struct takc_str uri, char out[TAKC_SOURCE_S3_BYTES], struct takc_err *err)
{
    struct takc_s3_name n;
    enum takc_status st = takc_s3_parse(uri, &n, err);
    if (st)
        return st;
    if (has_odd_part(n.key))
        return takc_fail(err, TAKC_INVALID, 0, "'%.*s': a part of its key is empty, \".\" or \"..\"", (int)(uri.len < 100 ? uri.len : 100),
                         uri.ptr);
    (void)snprintf(out, TAKC_SOURCE_S3_BYTES, "s3://%.*s%s%.*s", TAKC_STR_ARG(n.bucket), n.key.len ? "/" : "", TAKC_STR_ARG(n.key));
    return TAKC_OK;
}

bool takc_source_s3_is_below(struct takc_str place, struct takc_str folder)
{
    return takc_str_starts(place, folder) && (place.len == folder.len || place.ptr[folder.len] == '/');
}

enum takc_status takc_source_s3_fits(struct takc_str rest, const char **out_why)
{
    struct takc_str part, left = rest;
    bool hidden = false, odd = has_odd_part(rest), long_part = false;
    unsigned n_parts = 0;
    while (left.len && takc_str_split(&left, '/', &part)) {
        hidden = hidden || takc_str_starts(part, takc_str("."));
        long_part = long_part || part.len > PART_MAX;
        n_parts++;
    }
    *out_why = !rest.len || takc_str_ends(rest, takc_str("/")) ? "the key ends in '/', as a folder's does, and the object is not empty"
               : rest.len > KEY_MAX                            ? "the key is longer than 1024 bytes"
               : !takc_source_good_name(rest)                  ? "the key is not UTF-8 or holds control characters"
               : odd                                           ? "the key is no relative path: a part of it is empty, \".\" or \"..\""
               : long_part                                     ? "a part of the key is longer than 255 bytes"
               : n_parts > TAKC_SOURCE_MAX_FOLDERS             ? "folders are nested too deep"
               : hidden                                        ? "hidden"
                                                               : NULL;
    return !*out_why ? TAKC_OK : hidden && strcmp(*out_why, "hidden") == 0 ? TAKC_UNSUPPORTED : TAKC_REFUSED;
}

/* --- what there is --- */

/* Tells an object that is not taken. */
static void tell(struct copy *c, struct takc_str name, enum takc_status status, const char *why)
{
    char shown[TAKC_SOURCE_SHOWN_BYTES];
    takc_mutex_lock(&c->locked.mu);
    if (c->o->skipped)
        c->o->skipped(c->o->arg, takc_source_shown(name, shown), status, why);
    takc_mutex_unlock(&c->locked.mu);
}

static void path_of(const struct copy *c, struct takc_str name, char out[PATH_MAX])
{
    (void)snprintf(out, PATH_MAX, "%s/%.*s", c->folder, TAKC_STR_ARG(name)); /* room for it: copy saw to that */
}

/* Makes the object's file, empty, and the folders above it. CONFLICT: one of these is a file. */
static enum takc_status make_file(const struct copy *c, struct takc_str name, struct takc_err *err)
{
    char path[PATH_MAX];
    path_of(c, name, path);
    for (char *slash = strchr(path + strlen(c->folder) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        int failed = mkdir(path, FOLDER_MODE) && errno != EEXIST ? errno : 0;
        *slash = '/';
        if (failed && failed != ENOTDIR)
            return takc_fail_errno(err, failed, "make a folder for what comes from S3");
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (fd < 0 && (errno == ENOTDIR || errno == EEXIST || errno == EISDIR))
        return takc_fail(err, TAKC_CONFLICT, 0, "another object has this name, or that of its folder");
    if (fd < 0)
        return takc_fail_errno(err, errno, "make a file for what comes from S3");
    (void)close(fd);
    return TAKC_OK;
}

/* Counts an object that was seen, and, where it is to be taken, its bytes. */
static enum takc_status count(struct copy *c, uint64_t bytes, struct takc_err *err)
{
    uint64_t max_objects = or_else(c->o->max_objects, MAX_OBJECTS), max_bytes = or_else(c->o->max_bytes, MAX_BYTES);
    if (bytes > max_bytes - c->n_bytes)
        return takc_fail(err, TAKC_REFUSED, 0, "there are more than %llu bytes below it: name a narrower prefix",
                         (unsigned long long)max_bytes);
    if (c->n_seen == max_objects)
        return takc_fail(err, TAKC_REFUSED, 0, "there are more than %llu objects below it: name a narrower prefix",
                         (unsigned long long)max_objects);
    c->n_seen++;
    c->n_bytes += bytes;
    return TAKC_OK;
}

static enum takc_status keep(struct copy *c, struct takc_str name, uint64_t size, struct takc_err *err)
{
    struct takc_err why = {0};
    enum takc_status st = takc_grow(&c->objects, &c->cap, c->n + 1, sizeof(*c->objects), err);
    st = st ? st : count(c, size, err);
    if (st)
        return st;
    st = make_file(c, name, &why);
    if (st == TAKC_CONFLICT) {
        c->n_bytes -= size;
        tell(c, name, st, why.msg);
        return TAKC_OK;
    }
    if (st)
        return takc_fail(err, st, why.detail, "%s", why.msg);
    c->objects[c->n].size = size;
    c->objects[c->n].name = takc_arena_dup(&c->arena, name);
    return c->objects[c->n++].name.ptr ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for the names of objects");
}

/* Takes an object into the plan, or tells why not. rest: its key behind the prefix. */
static enum takc_status plan(struct copy *c, struct takc_str rest, uint64_t size, struct takc_err *err)
{
    char text[128];
    const char *why = NULL;
    uint64_t max = or_else(c->o->max_file_bytes, TAKC_SOURCE_MAX_FILE);
    enum takc_status st = takc_call_check(c->call, err);
    if (st)
        return st;
    if (size == 0 && (!rest.len || takc_str_ends(rest, takc_str("/"))))
        return count(c, 0, err); /* stands for a folder */
    enum takc_status fits = takc_source_s3_fits(rest, &why);
    if (!fits && c->o->wanted && !c->o->wanted(c->o->arg, rest))
        return count(c, 0, err);
    if (!fits && size > max) {
        (void)snprintf(text, sizeof(text), "it has %llu bytes, and %llu are the limit (ingest.max_file_bytes)", (unsigned long long)size,
                       (unsigned long long)max);
        fits = TAKC_REFUSED;
        why = text;
    }
    if (!fits)
        return keep(c, rest, size, err);
    tell(c, rest.len ? rest : c->prefix, fits == TAKC_UNSUPPORTED ? TAKC_OK : fits, why);
    return count(c, 0, err);
}

static enum takc_status on_listed(void *arg, struct takc_str key, uint64_t size, struct takc_err *err)
{
    struct copy *c = arg;
    if (!takc_str_starts(key, c->prefix))
        return takc_fail(err, TAKC_UPSTREAM, 0, "the listing has a key that was not asked for");
    return plan(c, takc_str_slice(key, c->prefix.len, key.len), size, err);
}

struct single { /* the first object that a listing tells */
    struct takc_str key;
    uint64_t size;
    bool seen, found;
};

static enum takc_status on_first(void *arg, struct takc_str key, uint64_t size, struct takc_err *err)
{
    struct single *s = arg;
    s->seen = true;
    s->found = takc_str_eq(key, s->key);
    s->size = size;
    return takc_fail(err, TAKC_CONFLICT, 0, "enough"); /* a key is the first of all that begin with it */
}

/* Nothing lies below the key: it may be an object's own. */
static enum takc_status plan_single(struct copy *c, struct takc_str key, struct takc_err *err)
{
    struct single s = {.key = key};
    size_t slash = key.len;
    while (slash > 0 && key.ptr[slash - 1] != '/')
        slash--;
    enum takc_status st = takc_s3_list(c->aws, c->call, (struct takc_s3_name){c->bucket, key}, on_first, &s, err);
    if (st && !(st == TAKC_CONFLICT && s.seen))
        return st;
    if (!s.found)
        return takc_fail(err, TAKC_NOT_FOUND, 0, "there is nothing at s3://%.*s/%.*s, nor below it", TAKC_STR_ARG(c->bucket),
                         TAKC_STR_ARG(key));
    c->prefix = takc_str_slice(key, 0, slash);
    return plan(c, takc_str_slice(key, slash, key.len), s.size, err);
}

static enum takc_status list(struct copy *c, struct takc_str key, struct takc_err *err)
{
    enum takc_status st = takc_s3_list(c->aws, c->call, (struct takc_s3_name){c->bucket, c->prefix}, on_listed, c, err);
    if (st || c->n_seen)
        return st;
    return key.len ? plan_single(c, key, err) : takc_fail(err, TAKC_NOT_FOUND, 0, "s3://%.*s is empty", TAKC_STR_ARG(c->bucket));
}

/* --- fetching --- */

struct fetch { /* one object on its way */
    int fd;
    uint64_t size, got;
    bool changed;
};

static enum takc_status fetch_begin(void *arg, struct takc_err *err)
{
    struct fetch *f = arg;
    f->got = 0;
    return ftruncate(f->fd, 0) || lseek(f->fd, 0, SEEK_SET) < 0 ? takc_fail_errno(err, errno, "write what comes from S3") : TAKC_OK;
}

static enum takc_status fetch_changed(struct fetch *f, struct takc_err *err)
{
    f->changed = true;
    return takc_fail(err, TAKC_REFUSED, 0, "it changed while it was fetched: ask again");
}

static enum takc_status fetch_piece(void *arg, struct takc_str piece, struct takc_err *err)
{
    struct fetch *f = arg;
    if (piece.len > f->size - f->got)
        return fetch_changed(f, err);
    f->got += piece.len;
    while (piece.len) {
        ssize_t n = write(f->fd, piece.ptr, piece.len);
        if (n < 0 && errno != EINTR)
            return takc_fail_errno(err, errno, "write what comes from S3");
        if (n > 0)
            piece = takc_str_slice(piece, (size_t)n, piece.len);
    }
    return TAKC_OK;
}

static enum takc_status fetch_into(struct copy *c, const struct object *o, const char *path, struct fetch *f, struct takc_err *err)
{
    char key[KEY_MAX + 1];
    int n = snprintf(key, sizeof(key), "%.*s%.*s", TAKC_STR_ARG(c->prefix), TAKC_STR_ARG(o->name));
    const struct takc_s3_sink sink = {.begin = fetch_begin, .piece = fetch_piece, .arg = f};
    if (n < 0 || n > KEY_MAX)
        return takc_fail(err, TAKC_REFUSED, 0, "its key is longer than %d bytes", KEY_MAX);
    f->fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (f->fd < 0)
        return takc_fail_errno(err, errno, "open a file for what comes from S3");
    enum takc_status st = takc_s3_get_to(c->aws, c->call, (struct takc_s3_name){c->bucket, takc_str_n(key, (size_t)n)}, &sink, err);
    if (!st && f->got != f->size)
        st = fetch_changed(f, err);
    if (close(f->fd) && !st)
        st = takc_fail_errno(err, errno, "write what comes from S3");
    return st;
}

static void note(struct copy *c, uint64_t bytes, bool kept, bool denied)
{
    takc_mutex_lock(&c->locked.mu);
    c->locked.n_done++;
    c->locked.n_kept += kept;
    c->locked.n_bytes += bytes;
    c->locked.n_denied += denied;
    takc_call_progress(c->call, "fetch", "objects", c->locked.n_done, c->n);
    takc_mutex_unlock(&c->locked.mu);
}

/* An object that has gone, has changed or may not be read is told, and the others go on, as with files of a folder. */
static enum takc_status fetch_one(void *arg, size_t i, struct takc_err *err)
{
    struct copy *c = arg;
    const struct object *o = &c->objects[i];
    struct fetch f = {.fd = -1, .size = o->size};
    struct takc_err why = {0};
    char path[PATH_MAX];
    path_of(c, o->name, path);
    enum takc_status st = fetch_into(c, o, path, &f, &why);
    bool its_own = st == TAKC_NOT_FOUND || st == TAKC_DENIED || st == TAKC_REFUSED;
    if (st && !its_own)
        return takc_fail(err, st, why.detail, "%s", why.msg);
    if (st) {
        tell(c, o->name, st,
             st == TAKC_NOT_FOUND ? "it was removed while the others were fetched"
             : st == TAKC_DENIED  ? "the credentials may not read it, or it is archived"
             : f.changed          ? "it changed while it was fetched: ask again"
                                  : "its key is too long");
        (void)unlink(path);
    }
    note(c, st ? 0 : f.got, !st, st == TAKC_DENIED);
    return TAKC_OK;
}

/* --- all of it --- */

static enum takc_status open_client(struct copy *c, struct takc_err *err)
{
    const struct takc_http_options h = {.ca_file = c->o->ca_file, .proxy = c->o->proxy};
    enum takc_status st = takc_http_open(&c->http, &h, err);
    const struct takc_aws_options a = {
        .http = c->http, .environment = (const char *const *)environ, .profile = c->o->profile, .region = c->o->region};
    return st ? st : takc_aws_open(&c->aws, &a, err);
}

static enum takc_status copy_all(struct copy *c, struct takc_str key, struct takc_err *err)
{
    enum takc_status st = open_client(c, err);
    st = st ? st : list(c, key, err);
    if (!st)
        takc_call_progress(c->call, "fetch", "objects", 0, c->n);
    st = st ? st : takc_parallel_for((unsigned)or_else(c->o->n_parallel, PARALLEL), c->n, fetch_one, c, c->call, err);
    if (!st && c->locked.n_denied && !c->locked.n_kept)
        st = takc_fail(err, TAKC_DENIED, 403, "s3://%.*s/%.*s: the credentials may list it, and read none of its objects",
                       TAKC_STR_ARG(c->bucket), TAKC_STR_ARG(c->prefix));
    return st;
}

static void say_copied(const struct copy *c, struct takc_source_s3_copied *out)
{
    struct takc_str key = takc_str_slice(c->prefix, 0, c->prefix.len ? c->prefix.len - 1 : 0);
    out->n_objects = c->locked.n_kept;
    out->n_bytes = c->locked.n_bytes;
    (void)snprintf(out->root, sizeof(out->root), "s3://%.*s%s%.*s", TAKC_STR_ARG(c->bucket), key.len ? "/" : "", TAKC_STR_ARG(key));
}

/* Takes the place apart: the bucket, and the key with a '/' behind it. */
static enum takc_status set_out(struct copy *c, struct takc_str place, struct takc_s3_name *name, struct takc_err *err)
{
    enum takc_status st = takc_s3_parse(place, name, err);
    if (st)
        return st;
    c->bucket = name->bucket;
    c->prefix = name->key.len ? takc_str(takc_arena_printf(&c->arena, "%.*s/", TAKC_STR_ARG(name->key))) : takc_str("");
    if (!c->prefix.ptr)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a prefix");
    return strlen(c->folder) + KEY_MAX + 2 < PATH_MAX ? TAKC_OK : takc_fail(err, TAKC_IO, 0, "the path %s is too long", c->folder);
}

enum takc_status takc_source_s3_copy(struct takc_str uri, const char *folder, const struct takc_source_s3_options *o,
                                     struct takc_call *call, struct takc_source_s3_copied *out, struct takc_err *err)
{
    char place[TAKC_SOURCE_S3_BYTES];
    struct takc_s3_name name;
    struct copy c = {.o = o, .call = call, .folder = folder};
    enum takc_status st = takc_source_s3_place(uri, place, err);
    st = st ? st : takc_mutex_init(&c.locked.mu, err);
    if (st)
        return st;
    takc_arena_init(&c.arena);
    st = set_out(&c, takc_str(place), &name, err);
    st = st ? st : copy_all(&c, name.key, err);
    if (st && takc_call_check(call, NULL) == TAKC_CANCELLED)
        st = takc_call_check(call, err); /* whatever else came of it */
    if (!st)
        say_copied(&c, out);
    takc_aws_close(c.aws);
    takc_http_close(c.http);
    takc_free(c.objects);
    takc_arena_clear(&c.arena);
    takc_mutex_clear(&c.locked.mu);
    return st;
}
