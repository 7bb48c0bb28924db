/* SPDX-License-Identifier: Apache-2.0
 *
 * reply_cache.c - a table of chains and a list by use, under one lock that is held for a few loads; files are looked at outside of it. */
#include "http/reply_cache.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/thread.h"
#include "object/dir.h"

#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    CHAINS = 1024,
    TASK_MAX = 80,
    FILE_FROM = 48 * 1024, /* below it a copy costs less than the calls for a file */
    FILES_MAX = 64         /* descriptors are the connections' */
};

static atomic_uint n_files; /* of all caches */

struct entry {
    struct takc_kept kept; /* first: a share is cast back */
    struct entry *next;    /* of its chain */
    struct entry *newer, *older;
    atomic_uint shares; /* one is the table's, while it is in there */
    uint64_t hash;
    struct takc_stamp stamp;
    takc_rate rate;
    size_t weight;
    char etag[80], task[TASK_MAX], *bytes, root[]; /* bytes: of the heap, or those of the file */
};

struct takc_reply_cache {
    size_t max;
    struct {
        struct takc_mutex mu;
        struct entry *chains[CHAINS], *newest, *oldest;
        size_t bytes, n;
    } locked;
};

enum takc_status takc_reply_cache_new(struct takc_reply_cache **out, size_t max_bytes, struct takc_err *err)
{
    struct takc_reply_cache *c = takc_alloc(sizeof(*c));
    if (!c)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a cache of replies");
    memset(c, 0, sizeof(*c));
    c->max = max_bytes;
    enum takc_status st = takc_mutex_init(&c->locked.mu, err);
    if (st)
        takc_free(c);
    else
        *out = c;
    return st;
}

void takc_kept_release(void *kept)
{
    struct entry *e = kept;
    if (!e || atomic_fetch_sub_explicit(&e->shares, 1, memory_order_acq_rel) > 1)
        return;
    if (e->kept.fd < 0) {
        takc_free(e->bytes);
    } else {
        (void)munmap(e->bytes, e->kept.bytes.len);
        (void)close(e->kept.fd);
        atomic_fetch_sub(&n_files, 1);
    }
    takc_free(e);
}

/* ---- files ---- */

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t w = write(fd, p, n);
        if (w <= 0)
            return false;
        p += w;
        n -= (size_t)w;
    }
    return true;
}

/* Moves the bytes from the heap into a file; they stay where they are when that cannot be had. */
static void to_file(struct entry *e)
{
    size_t n = e->kept.bytes.len;
    if (n < FILE_FROM || atomic_load(&n_files) >= FILES_MAX)
        return;
    int fd = memfd_create("takc-reply", MFD_CLOEXEC);
    void *map = fd >= 0 && write_all(fd, e->bytes, n) ? mmap(NULL, n, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
    if (map == MAP_FAILED) {
        if (fd >= 0)
            (void)close(fd);
        return;
    }
    atomic_fetch_add(&n_files, 1);
    takc_free(e->bytes);
    e->bytes = map;
    e->kept.bytes.ptr = map;
    e->kept.fd = fd;
}

/* ---- the list and the chains ---- */

static void unlist_locked(struct takc_reply_cache *c, struct entry *e)
{
    *(e->newer ? &e->newer->older : &c->locked.newest) = e->older;
    *(e->older ? &e->older->newer : &c->locked.oldest) = e->newer;
}

static void list_newest_locked(struct takc_reply_cache *c, struct entry *e)
{
    e->newer = NULL;
    e->older = c->locked.newest;
    *(e->older ? &e->older->newer : &c->locked.oldest) = e;
    c->locked.newest = e;
}

static void drop_locked(struct takc_reply_cache *c, struct entry *e)
{
    struct entry **at = &c->locked.chains[e->hash % CHAINS];
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    unlist_locked(c, e);
    c->locked.bytes -= e->weight;
    c->locked.n--;
    takc_kept_release(e);
}

void takc_reply_cache_free(struct takc_reply_cache *c)
{
    if (!c)
        return;
    takc_mutex_lock(&c->locked.mu);
    while (c->locked.newest)
        drop_locked(c, c->locked.newest);
    takc_mutex_unlock(&c->locked.mu);
    takc_mutex_clear(&c->locked.mu);
    takc_free(c);
}

/* ---- keys and stamps ---- */

static const char *root_of(const struct takc_kept_key *k)
{
    return takc_store_dir_root(takc_home_store(k->home));
}

static uint64_t hash_of(const struct takc_kept_key *k, const char *root)
{
    return takc_hash64(k->task, takc_hash64(takc_str(root), k->rate));
}

static struct entry *find_locked(struct takc_reply_cache *c, const struct takc_kept_key *k, const char *root, uint64_t hash)
{
    struct entry *e = c->locked.chains[hash % CHAINS];
    while (e && !(e->hash == hash && e->rate == k->rate && takc_str_is(k->task, e->task) && strcmp(e->root, root) == 0))
        e = e->next;
    return e;
}

struct takc_stamp takc_stamp_of(const struct takc_kept_key *k)
{
    struct takc_stamp none = {.there = false};
    const char *root = root_of(k);
    char path[PATH_MAX];
    struct stat s;
    if (!root)
        return none;
    int n = snprintf(path, sizeof(path), "%s/manifests/%.*s.json", root, TAKC_STR_ARG(k->task)); /* as takc_key_manifest has it */
    if (n < 0 || (size_t)n >= sizeof(path) || stat(path, &s))
        return none;
    return (struct takc_stamp){true, s.st_dev, s.st_ino, s.st_size, s.st_mtim, s.st_ctim};
}

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_stamp(const struct takc_stamp *a, const struct takc_stamp *b)
{
    return a->there && b->there && a->dev == b->dev && a->ino == b->ino && a->size == b->size && same_time(a->modified, b->modified) &&
           same_time(a->changed, b->changed);
}

/* ---- getting and putting ---- */

const struct takc_kept *takc_reply_cache_get(struct takc_reply_cache *c, const struct takc_kept_key *k)
{
    const char *root = c && c->max ? root_of(k) : NULL;
    if (!root)
        return NULL;
    struct takc_stamp now = takc_stamp_of(k);
    uint64_t hash = hash_of(k, root);
    takc_mutex_lock(&c->locked.mu);
    struct entry *e = find_locked(c, k, root, hash);
    if (e && !same_stamp(&e->stamp, &now)) {
        drop_locked(c, e);
        e = NULL;
    }
    if (e) {
        atomic_fetch_add_explicit(&e->shares, 1, memory_order_relaxed);
        if (e->newer) {
            unlist_locked(c, e);
            list_newest_locked(c, e);
        }
    }
    takc_mutex_unlock(&c->locked.mu);
    return e ? &e->kept : NULL;
}

static struct entry *entry_new(const struct takc_kept_key *k, const char *root, const struct takc_stamp *stamp, const char *etag,
                               struct takc_buf *b)
{
    size_t root_len = strlen(root) + 1, len = 0;
    struct entry *e = takc_alloc(sizeof(*e) + root_len);
    if (!e)
        return NULL;
    memset(e, 0, sizeof(*e));
    if (takc_buf_take(b, &e->bytes, &len, NULL)) {
        takc_free(e);
        return NULL;
    }
    atomic_init(&e->shares, 2);
    e->kept = (struct takc_kept){takc_str_n(e->bytes, len), e->etag, -1};
    to_file(e);
    e->hash = hash_of(k, root);
    e->stamp = *stamp;
    e->rate = k->rate;
    e->weight = sizeof(*e) + root_len + len;
    (void)snprintf(e->etag, sizeof(e->etag), "%s", etag);
    (void)snprintf(e->task, sizeof(e->task), "%.*s", TAKC_STR_ARG(k->task));
    memcpy(e->root, root, root_len);
    return e;
}

const struct takc_kept *takc_reply_cache_put(struct takc_reply_cache *c, const struct takc_kept_key *k, const struct takc_stamp *stamp,
                                             const char *etag, struct takc_buf *b)
{
    const char *root = c && c->max ? root_of(k) : NULL;
    size_t most = sizeof(struct entry) + PATH_MAX + b->len;
    if (!root || !stamp->there || most > c->max || k->task.len >= TASK_MAX)
        return NULL;
    struct entry *e = entry_new(k, root, stamp, etag, b);
    if (!e)
        return NULL;
    takc_mutex_lock(&c->locked.mu);
    struct entry *old = find_locked(c, k, root, e->hash);
    if (old)
        drop_locked(c, old);
    while (c->locked.oldest && c->locked.bytes + e->weight > c->max)
        drop_locked(c, c->locked.oldest);
    e->next = c->locked.chains[e->hash % CHAINS];
    c->locked.chains[e->hash % CHAINS] = e;
    list_newest_locked(c, e);
    c->locked.bytes += e->weight;
    c->locked.n++;
    takc_mutex_unlock(&c->locked.mu);
    return &e->kept;
}

void takc_reply_cache_count(struct takc_reply_cache *c, uint64_t *out_bytes, uint64_t *out_entries)
{
    *out_bytes = *out_entries = 0;
    if (!c)
        return;
    takc_mutex_lock(&c->locked.mu);
    *out_bytes = c->locked.bytes;
    *out_entries = c->locked.n;
    takc_mutex_unlock(&c->locked.mu);
}
