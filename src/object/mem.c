/* SPDX-License-Identifier: Apache-2.0
 *
 * mem.c - a store in memory: the reference that the contract test holds the others against. A sorted array under one mutex; blobs are
 * counted references, so that nobody's sink or callback runs while the mutex is held. */
#include "base/alloc.h"
#include "object/store.h"

#include <pthread.h>
#include <stdatomic.h>

struct mem_blob {
    atomic_uint refs;
    struct takc_hex tag;
    size_t key_len, len;
    char *key, *bytes; /* both in one block behind the struct */
};

struct mem_store {
    struct takc_store base;
    pthread_mutex_t mu; /* guards what follows */
    struct mem_blob **blobs;
    size_t n, cap;
};

static const struct takc_store_ops mem_ops;

static struct mem_store *mem_of(struct takc_store *s)
{
    if (s->ops != &mem_ops)
        TAKC_BUG("not a mem store");
    return (struct mem_store *)(void *)s;
}

static void lock(struct mem_store *m)
{
    if (pthread_mutex_lock(&m->mu))
        TAKC_BUG("lock");
}

static void unlock(struct mem_store *m)
{
    if (pthread_mutex_unlock(&m->mu))
        TAKC_BUG("unlock");
}

static struct takc_str key_of(const struct mem_blob *b)
{
    return takc_str_n(b->key, b->key_len);
}

static void unref(struct mem_blob *b)
{
    if (b && atomic_fetch_sub(&b->refs, 1) == 1)
        takc_free(b);
}

/* Where key is, or would be. */
static size_t find_locked(const struct mem_store *m, struct takc_str key, bool *found)
{
    size_t lo = 0, hi = m->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (takc_str_cmp(key_of(m->blobs[mid]), key) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = lo < m->n && takc_str_eq(key_of(m->blobs[lo]), key);
    return lo;
}

static enum takc_status not_there(struct takc_err *err)
{
    return takc_fail(err, TAKC_NOT_FOUND, 0, "not there");
}

/* A reference to the blob under key, or NULL. */
static struct mem_blob *hold(struct mem_store *m, struct takc_str key)
{
    struct mem_blob *b = NULL;
    bool found;
    lock(m);
    size_t at = find_locked(m, key, &found);
    if (found) {
        b = m->blobs[at];
        (void)atomic_fetch_add(&b->refs, 1);
    }
    unlock(m);
    return b;
}

static enum takc_status blob_new(struct takc_str key, struct takc_str bytes, struct mem_blob **out, struct takc_err *err)
{
    struct mem_blob *b = bytes.len > SIZE_MAX / 2 ? NULL : takc_alloc(sizeof(*b) + key.len + bytes.len);
    if (!b)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu bytes", bytes.len);
    atomic_init(&b->refs, 1);
    b->key = (char *)(b + 1);
    b->bytes = b->key + key.len;
    memcpy(b->key, key.ptr, key.len);
    if (bytes.len)
        memcpy(b->bytes, bytes.ptr, bytes.len);
    b->key_len = key.len;
    b->len = bytes.len;
    enum takc_status st = takc_sha256(bytes, &b->tag, err);
    if (st) {
        takc_free(b);
        return st;
    }
    *out = b;
    return TAKC_OK;
}

/* As on disk, a key is a blob or a folder of others, not both. */
static enum takc_status check_folders_locked(const struct mem_store *m, struct takc_str key, struct takc_err *err)
{
    bool found;
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] != '/')
            continue;
        (void)find_locked(m, takc_str_n(key.ptr, i), &found);
        if (found)
            return takc_fail(err, TAKC_INVALID, 0, "%.*s is a blob, no folder", (int)i, key.ptr);
    }
    for (size_t at = find_locked(m, key, &found); at < m->n && takc_str_starts(key_of(m->blobs[at]), key); at++) {
        struct takc_str k = key_of(m->blobs[at]);
        if (k.len > key.len && k.ptr[key.len] > '/')
            break;
        if (k.len > key.len && k.ptr[key.len] == '/')
            return takc_fail(err, TAKC_INVALID, 0, "other keys are kept below this one");
    }
    return TAKC_OK;
}

/* Takes b on OK; *old is the caller's to unref. */
static enum takc_status insert_locked(struct mem_store *m, struct mem_blob *b, struct mem_blob **old, struct takc_err *err)
{
    bool found;
    size_t at = find_locked(m, key_of(b), &found);
    if (found) {
        *old = m->blobs[at];
        m->blobs[at] = b;
        return TAKC_OK;
    }
    enum takc_status st = check_folders_locked(m, key_of(b), err);
    if (!st)
        st = takc_grow((void *)&m->blobs, &m->cap, m->n + 1, sizeof(struct mem_blob *), err);
    if (st)
        return st;
    memmove(m->blobs + at + 1, m->blobs + at, (m->n - at) * sizeof(struct mem_blob *));
    m->blobs[at] = b;
    m->n++;
    return TAKC_OK;
}

/* Puts bytes under key; if_tag: only when it is the tag of what is there. */
static enum takc_status store_bytes(struct mem_store *m, struct takc_str key, const struct takc_str *if_tag, struct takc_str bytes,
                                    struct takc_err *err)
{
    struct mem_blob *b = NULL, *old = NULL;
    enum takc_status st = blob_new(key, bytes, &b, err);
    if (!b)
        return st;
    bool found;
    lock(m);
    size_t at = find_locked(m, key, &found);
    if (if_tag && !takc_str_eq(*if_tag, takc_str(found ? m->blobs[at]->tag.s : "")))
        st = takc_fail(err, TAKC_CONFLICT, 0, "changed by somebody else");
    else
        st = insert_locked(m, b, &old, err);
    unlock(m);
    unref(st ? b : old);
    return st;
}

static enum takc_status mem_put(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_source *body,
                                struct takc_err *err)
{
    enum { PIECE = 64 << 10 };
    struct takc_buf b;
    takc_buf_init(&b, TAKC_BUF_MAX_REPLY);
    enum takc_status st = TAKC_OK;
    for (size_t got = 1; !st && got;) {
        st = takc_call_check(call, err);
        if (!st)
            st = takc_buf_reserve(&b, PIECE, err);
        if (!st)
            st = body->read(body, b.ptr + b.len, PIECE, &got, err);
        if (!st)
            b.len += got;
    }
    if (!st)
        st = store_bytes(mem_of(s), key, NULL, takc_buf_str(&b), err);
    takc_buf_clear(&b);
    return st;
}

static enum takc_status mem_get_range(struct takc_store *s, struct takc_call *call, struct takc_str key, uint64_t from, uint64_t n,
                                      struct takc_sink *out, struct takc_err *err)
{
    struct mem_blob *b = hold(mem_of(s), key);
    enum takc_status st = TAKC_OK;
    (void)call;
    if (!b)
        return not_there(err);
    size_t at = from < b->len ? (size_t)from : b->len, left = b->len - at;
    size_t len = n < left ? (size_t)n : left;
    if (len)
        st = out->write(out, takc_str_n(b->bytes + at, len), err);
    unref(b);
    return st;
}

static enum takc_status mem_get(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_sink *out,
                                struct takc_err *err)
{
    return mem_get_range(s, call, key, 0, UINT64_MAX, out, err);
}

static enum takc_status mem_tag(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_hex *out,
                                struct takc_err *err)
{
    struct mem_blob *b = hold(mem_of(s), key);
    (void)call;
    if (!b)
        return not_there(err);
    *out = b->tag;
    unref(b);
    return TAKC_OK;
}

static enum takc_status mem_swap(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_str if_tag,
                                 struct takc_str body, struct takc_err *err)
{
    (void)call;
    return store_bytes(mem_of(s), key, &if_tag, body, err);
}

static enum takc_status mem_del(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_err *err)
{
    struct mem_store *m = mem_of(s);
    struct mem_blob *old = NULL;
    bool found;
    (void)call;
    lock(m);
    size_t at = find_locked(m, key, &found);
    if (found) {
        old = m->blobs[at];
        memmove(m->blobs + at, m->blobs + at + 1, (m->n - at - 1) * sizeof(struct mem_blob *));
        m->n--;
    }
    unlock(m);
    unref(old);
    return found ? TAKC_OK : not_there(err);
}

static enum takc_status mem_list(struct takc_store *s, struct takc_call *call, struct takc_str prefix, takc_store_each_fn *each, void *arg,
                                 struct takc_err *err)
{
    struct mem_store *m = mem_of(s);
    bool found;
    lock(m);
    size_t from = find_locked(m, prefix, &found), n = from;
    while (n < m->n && takc_str_starts(key_of(m->blobs[n]), prefix))
        n++;
    n -= from;
    struct mem_blob **held = takc_alloc_array(n, sizeof(struct mem_blob *));
    for (size_t i = 0; held && i < n; i++) {
        held[i] = m->blobs[from + i];
        (void)atomic_fetch_add(&held[i]->refs, 1);
    }
    unlock(m);
    if (!held)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a list of %zu keys", n);
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < n; i++) {
        if (!st)
            st = takc_call_check(call, err);
        if (!st)
            st = each(arg, key_of(held[i]), held[i]->len, err);
        unref(held[i]);
    }
    takc_free((void *)held);
    return st;
}

static void mem_close(struct takc_store *s)
{
    struct mem_store *m = mem_of(s);
    for (size_t i = 0; i < m->n; i++)
        unref(m->blobs[i]);
    takc_free((void *)m->blobs);
    (void)pthread_mutex_destroy(&m->mu);
    takc_free(m);
}

static const struct takc_store_ops mem_ops = {
    .name = "mem",
    .flags = TAKC_STORE_RANGES,
    .put = mem_put,
    .get = mem_get,
    .get_range = mem_get_range,
    .tag = mem_tag,
    .swap = mem_swap,
    .del = mem_del,
    .list = mem_list,
    .close = mem_close,
};

enum takc_status takc_store_mem_open(struct takc_store **out, struct takc_err *err)
{
    struct mem_store *m = takc_alloc(sizeof(*m));
    if (!m || pthread_mutex_init(&m->mu, NULL)) {
        takc_free(m);
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a store");
    }
    m->base.ops = &mem_ops;
    *out = &m->base;
    return TAKC_OK;
}
