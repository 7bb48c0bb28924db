/* SPDX-License-Identifier: Apache-2.0
 *
 * home.c - opening a home: its lock, its schema.
 *
 * A home is a folder with home.json in it. Whoever opens one holds home.lock shared; making, migrating and restoring take it exclusively,
 * and home.json, written last, is what makes a folder a home: a process that dies before it leaves a folder that the next one goes on with.
 */
#include "base/alloc.h"
#include "base/json.h"
#include "catalog/home_impl.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAKE_WAIT_MS = 5000 /* making and migrating are short; whoever comes meanwhile waits at least this long */ };

enum takc_status takc_home_file(const char *path, const char *name, char *out, struct takc_err *err)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", path, name);
    return n < 0 || n >= PATH_MAX ? takc_fail(err, TAKC_INVALID, 0, "path is too long") : TAKC_OK;
}

static bool has_folder(const char *path, const char *name)
{
    char file[PATH_MAX];
    struct stat info;
    return !takc_home_file(path, name, file, NULL) && stat(file, &info) == 0 && S_ISDIR(info.st_mode);
}

/* --- the schema --- */

enum takc_status takc_home_write_schema(const char *path, uint64_t schema, struct takc_err *err)
{
    char file[PATH_MAX], text[64];
    enum takc_status st = takc_home_file(path, TAKC_HOME_FILE, file, err);
    (void)snprintf(text, sizeof(text), "{\"takc_home\": %" PRIu64 "}\n", schema);
    return st ? st : takc_file_write(file, takc_str(text), err);
}

static enum takc_status parse_schema(struct takc_str text, const char *file, uint64_t *out, struct takc_err *err)
{
    json_t *v = NULL;
    enum takc_status st = takc_json_parse(text, &v, err);
    if (!st)
        st = takc_json_get_u64(v, "takc_home", out, err);
    if (!st && json_object_size(v) != 1)
        st = takc_fail(err, TAKC_INVALID, 0, "unknown members");
    json_decref(v);
    if (!st || st == TAKC_NOMEM)
        return st;
    (void)takc_err_prefix(err, st, "%s is damaged; restore it from a backup", file);
    if (err)
        err->status = TAKC_CORRUPT;
    return TAKC_CORRUPT;
}

/* The schema of the folder: 0 for the layout before home.json, NOT_FOUND when it is no home. */
static enum takc_status read_schema(const char *path, uint64_t *out, struct takc_err *err)
{
    char file[PATH_MAX];
    struct takc_buf text;
    takc_buf_init(&text, 4096);
    enum takc_status st = takc_home_file(path, TAKC_HOME_FILE, file, err);
    if (!st)
        st = takc_file_read(file, &text, err);
    if (!st)
        st = parse_schema(takc_buf_str(&text), file, out, err);
    takc_buf_clear(&text);
    if (st == TAKC_NOT_FOUND && (has_folder(path, "manifests") || has_folder(path, "documents"))) {
        *out = 0;
        return TAKC_OK;
    }
    if (st == TAKC_NOT_FOUND)
        return takc_fail(err, TAKC_NOT_FOUND, 0, "%s is no takc home: takc init makes one", path);
    if (!st && *out > TAKC_HOME_SCHEMA)
        return takc_fail(err, TAKC_REFUSED, 0, "home %s has schema %" PRIu64 ", this takc knows %d: upgrade takc", path, *out,
                         TAKC_HOME_SCHEMA);
    return st;
}

/* --- making --- */

/* What opening a home may leave before home.json, and what every file system has. */
static bool is_harmless(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strncmp(name, TAKC_TMP_PREFIX, strlen(TAKC_TMP_PREFIX)) == 0 ||
           strcmp(name, TAKC_HOME_LOCK) == 0 || strcmp(name, TAKC_DIR_LOCKS) == 0 || strcmp(name, "lost+found") == 0;
}

enum takc_status takc_home_is_vacant(const char *path, bool *out, struct takc_err *err)
{
    DIR *d = opendir(path);
    if (!d && errno == ENOENT) {
        *out = true;
        return TAKC_OK;
    }
    if (!d)
        return takc_fail_errno(err, errno, "open folder %s", path);
    bool vacant = true;
    for (const struct dirent *e = readdir(d); e && vacant; e = readdir(d)) /* NOLINT(concurrency-mt-unsafe): d is ours */
        vacant = is_harmless(e->d_name);
    (void)closedir(d);
    *out = vacant;
    return TAKC_OK;
}

static enum takc_status not_ours(const char *path, struct takc_err *err)
{
    return takc_fail(err, TAKC_INVALID, 0, "%s is neither empty nor a takc home: name another folder (the setting home, --home)", path);
}

/* Makes or migrates, alone on the home; somebody else may have done it while we waited. */
static enum takc_status prepare(const char *path, bool create, struct takc_err *err)
{
    uint64_t schema = 0;
    bool vacant = false;
    enum takc_status st = read_schema(path, &schema, err);
    if (!st)
        return takc_home_migrate(path, schema, err);
    if (st != TAKC_NOT_FOUND || !create)
        return st;
    st = takc_home_is_vacant(path, &vacant, err);
    if (!st && !vacant)
        st = not_ours(path, err);
    if (!st)
        st = takc_home_make_locks(path, err);
    return st ? st : takc_home_write_schema(path, TAKC_HOME_SCHEMA, err);
}

/* --- locks --- */

static enum takc_status lock_home(const char *path, bool exclusive, uint64_t wait_ms, struct takc_lock *out, struct takc_err *err)
{
    char file[PATH_MAX];
    out->fd = -1;
    enum takc_status st = takc_home_file(path, TAKC_HOME_LOCK, file, err);
    if (!st)
        st = takc_lock_open(out, file, exclusive, wait_ms, err);
    return st == TAKC_BUSY ? takc_fail(err, st, 0, "home %s is in use by another process", path) : st;
}

enum takc_status takc_home_lock_alone(struct takc_home *h, uint64_t wait_ms, struct takc_err *err)
{
    if (h->exclusive)
        return TAKC_OK;
    for (uint64_t waited = 0;; waited += 10) {
        if (flock(h->lock.fd, LOCK_EX | LOCK_NB) == 0) {
            h->exclusive = true;
            return TAKC_OK;
        }
        if (waited >= wait_ms)
            break;
        struct timespec t = {0, 10 * 1000000};
        (void)nanosleep(&t, NULL);
    }
    takc_home_lock_shared(h); /* a failed upgrade may have lost the shared lock */
    return takc_fail(err, TAKC_BUSY, 0, "home %s is in use by another process", h->path);
}

void takc_home_lock_shared(struct takc_home *h)
{
    while (flock(h->lock.fd, LOCK_SH) && errno == EINTR)
        ;
    h->exclusive = false;
}

enum takc_status takc_home_lock_task(struct takc_home *h, struct takc_str task, uint64_t wait_ms, struct takc_lock *out,
                                     struct takc_err *err)
{
    char name[128], file[PATH_MAX];
    enum takc_status st = takc_task_name_check(task, err);
    if (st)
        return st;
    struct takc_lock lock = {-1};
    (void)snprintf(name, sizeof(name), TAKC_DIR_LOCKS "/%.*s", TAKC_STR_ARG(task));
    st = takc_home_file(h->path, name, file, err);
    if (!st)
        st = takc_dir_make_for(file, err); /* a home that was copied by hand may lack it */
    if (!st)
        st = takc_lock_open(&lock, file, true, wait_ms, err);
    if (st == TAKC_BUSY)
        return takc_fail(err, st, 0, "task %.*s is being changed by another process", TAKC_STR_ARG(task));
    if (!st)
        *out = lock;
    return st;
}

/* --- open and close --- */

/* How long to wait for the home's lock: who may make a home shares the wait of those who make it at the same time. */
static uint64_t lock_wait(const struct takc_home_options *o)
{
    return o->create && o->wait_ms < MAKE_WAIT_MS ? MAKE_WAIT_MS : o->wait_ms;
}

/* A folder of something else is left as it is, without so much as a lock; unless somebody has just made a home of it. */
static enum takc_status check_vacant(const char *path, struct takc_err *err)
{
    bool vacant = false;
    uint64_t schema;
    enum takc_status st = takc_home_is_vacant(path, &vacant, err);
    if (st || vacant)
        return st;
    st = read_schema(path, &schema, err);
    return st == TAKC_NOT_FOUND ? not_ours(path, err) : st;
}

/* Looks whether the folder is ready for use; else makes it so under the exclusive lock. */
static enum takc_status ready(const char *path, const struct takc_home_options *o, struct takc_err *err)
{
    uint64_t schema = 0;
    struct takc_lock lock;
    enum takc_status st = read_schema(path, &schema, err);
    if ((!st && schema == TAKC_HOME_SCHEMA) || (st && (st != TAKC_NOT_FOUND || !o->create)))
        return st;
    if (st)
        st = check_vacant(path, err);
    if (!st)
        st = takc_dir_make(path, err);
    if (!st)
        st = lock_home(path, true, o->wait_ms > MAKE_WAIT_MS ? o->wait_ms : MAKE_WAIT_MS, &lock, err);
    if (st)
        return st;
    st = prepare(path, o->create, err);
    takc_lock_close(&lock);
    return st;
}

static enum takc_status open_parts(struct takc_home *h, const char *path, const struct takc_home_options *o, struct takc_err *err)
{
    uint64_t schema;
    enum takc_status st = lock_home(path, o->exclusive, lock_wait(o), &h->lock, err);
    if (!st)
        st = takc_store_dir_open(&h->store, path, err);
    if (st)
        return st;
    h->exclusive = o->exclusive;
    h->path = takc_alloc(strlen(path) + 1);
    if (!h->path)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a home");
    memcpy(h->path, takc_store_dir_root(h->store), strlen(takc_store_dir_root(h->store)));
    return read_schema(path, &schema, err); /* once more, now that nobody can change it */
}

enum takc_status takc_home_open(struct takc_home **out, const char *path, const struct takc_home_options *o, struct takc_err *err)
{
    static const struct takc_home_options defaults = {0};
    o = o ? o : &defaults;
    enum takc_status st = ready(path, o, err);
    if (st)
        return st;
    struct takc_home *h = takc_alloc(sizeof(*h));
    if (!h || pthread_mutex_init(&h->mu, NULL)) {
        takc_free(h);
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a home");
    }
    h->lock.fd = -1;
    st = open_parts(h, path, o, err);
    if (st)
        takc_home_close(h);
    else
        *out = h;
    return st;
}

void takc_home_close(struct takc_home *h)
{
    if (!h)
        return;
    takc_home_mutex_lock(h);
    takc_catalog_close_locked(h);
    takc_home_mutex_unlock(h);
    takc_home_counters_close(h);
    (void)pthread_mutex_destroy(&h->mu);
    takc_store_close(h->store);
    takc_lock_close(&h->lock);
    takc_free(h->path);
    takc_free(h);
}

const char *takc_home_path(const struct takc_home *h)
{
    return h->path;
}

enum takc_status takc_home_check(const struct takc_home *h, struct takc_err *err)
{
    uint64_t schema = 0;
    return read_schema(h->path, &schema, err);
}

struct takc_store *takc_home_store(struct takc_home *h)
{
    return h->store;
}

const char *takc_home_warning(struct takc_home *h)
{
    return h->warning;
}

void takc_home_mutex_lock(struct takc_home *h)
{
    if (pthread_mutex_lock(&h->mu))
        TAKC_BUG("lock");
}

void takc_home_mutex_unlock(struct takc_home *h)
{
    if (pthread_mutex_unlock(&h->mu))
        TAKC_BUG("unlock");
}

void takc_home_warning_copy(struct takc_home *h, char out[TAKC_HOME_WARNING])
{
    takc_home_mutex_lock(h);
    memcpy(out, h->warning, TAKC_HOME_WARNING);
    takc_home_mutex_unlock(h);
}
