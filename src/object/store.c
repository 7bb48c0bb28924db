/* SPDX-License-Identifier: Apache-2.0
 *
 * store.c - what every store has in common: keys are checked, empty slots of the table are answered for, failures name verb and key. */
#include "object/store.h"
#include "base/alloc.h"
#include "base/utf8.h"

enum { KEY_MAX_BYTES = 1024 };

enum takc_status takc_store_key_check(struct takc_str key, struct takc_err *err)
{
    if (key.len == 0 || key.len > KEY_MAX_BYTES)
        return takc_fail(err, TAKC_INVALID, 0, "a key has 1 to %d bytes, not %zu", KEY_MAX_BYTES, key.len);
    if (!takc_utf8_valid(key, NULL) || memchr(key.ptr, '\0', key.len))
        return takc_fail(err, TAKC_INVALID, 0, "a key is UTF-8 without NUL");
    struct takc_str rest = key, part;
    while (takc_str_split(&rest, '/', &part))
        if (part.len == 0 || takc_str_is(part, ".") || takc_str_is(part, ".."))
            return takc_fail(err, TAKC_INVALID, 0, "key %.*s: no part may be empty, \".\" or \"..\"", TAKC_STR_ARG(key));
    return TAKC_OK;
}

/* Key and call, before any work. */
static enum takc_status begin(struct takc_call *call, struct takc_str key, struct takc_err *err)
{
    enum takc_status st = takc_store_key_check(key, err);
    return st ? st : takc_call_check(call, err);
}

static enum takc_status named(struct takc_err *err, enum takc_status st, const char *verb, struct takc_str key)
{
    return st ? takc_err_prefix(err, st, "%s %.*s", verb, TAKC_STR_ARG(key)) : TAKC_OK;
}

enum takc_status takc_store_put(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_source *body,
                                struct takc_err *err)
{
    enum takc_status st = begin(call, key, err);
    if (!st)
        st = s->ops->put(s, call, key, body, err);
    return named(err, st, "put", key);
}

enum takc_status takc_store_put_bytes(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_str bytes,
                                      struct takc_err *err)
{
    struct takc_source body = takc_source_str(bytes);
    return takc_store_put(s, call, key, &body, err);
}

enum takc_status takc_store_get(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_sink *out,
                                struct takc_err *err)
{
    enum takc_status st = begin(call, key, err);
    if (!st)
        st = s->ops->get(s, call, key, out, err);
    return named(err, st, "get", key);
}

enum takc_status takc_store_get_bytes(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_buf *out,
                                      struct takc_err *err)
{
    struct takc_sink sink = takc_sink_buf(out);
    size_t before = out->len;
    enum takc_status st = takc_store_get(s, call, key, &sink, err);
    if (st && out->ptr) {
        out->len = before;
        out->ptr[before] = '\0';
    }
    return st;
}

/* Lets a window of what flows through pass: ranges on a store that has none. */
struct window {
    struct takc_sink sink; /* first: what get writes to */
    struct takc_sink *to;
    uint64_t skip, left;
};

static enum takc_status window_write(struct takc_sink *sink, struct takc_str bytes, struct takc_err *err)
{
    struct window *w = (struct window *)(void *)sink;
    size_t drop = w->skip < bytes.len ? (size_t)w->skip : bytes.len;
    w->skip -= drop;
    bytes = takc_str_slice(bytes, drop, bytes.len);
    if (bytes.len > w->left)
        bytes.len = (size_t)w->left;
    w->left -= bytes.len;
    return bytes.len ? w->to->write(w->to, bytes, err) : TAKC_OK;
}

enum takc_status takc_store_get_range(struct takc_store *s, struct takc_call *call, struct takc_str key, uint64_t from, uint64_t n,
                                      struct takc_sink *out, struct takc_err *err)
{
    enum takc_status st = begin(call, key, err);
    if (!st && s->ops->get_range) {
        st = s->ops->get_range(s, call, key, from, n, out, err);
    } else if (!st) {
        struct window w = {{window_write, NULL}, out, from, n};
        st = s->ops->get(s, call, key, &w.sink, err);
    }
    return named(err, st, "get", key);
}

enum takc_status takc_store_tag(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_hex *out,
                                struct takc_err *err)
{
    enum takc_status st = begin(call, key, err);
    if (!st)
        st = s->ops->tag(s, call, key, out, err);
    return named(err, st, "tag of", key);
}

enum takc_status takc_store_swap(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_str if_tag,
                                 struct takc_str body, struct takc_err *err)
{
    enum takc_status st = begin(call, key, err);
    if (!st)
        st = s->ops->swap(s, call, key, if_tag, body, err);
    return named(err, st, "swap", key);
}

enum takc_status takc_store_del(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_err *err)
{
    enum takc_status st = begin(call, key, err);
    if (!st)
        st = s->ops->del(s, call, key, err);
    return named(err, st, "delete", key);
}

enum takc_status takc_store_list(struct takc_store *s, struct takc_call *call, struct takc_str prefix, takc_store_each_fn *each, void *arg,
                                 struct takc_err *err)
{
    enum takc_status st = takc_call_check(call, err);
    return st ? st : s->ops->list(s, call, prefix, each, arg, err);
}

enum takc_status takc_store_view(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_store_view *out,
                                 struct takc_err *err)
{
    struct takc_store_view v = {0};
    takc_buf_init(&v.copy, TAKC_BUF_MAX_REPLY);
    enum takc_status st = begin(call, key, err);
    if (!st && s->ops->map) {
        st = s->ops->map(s, key, &v.map, err);
        v.bytes = v.map.bytes;
    } else if (!st) {
        struct takc_sink sink = takc_sink_buf(&v.copy);
        st = s->ops->get(s, call, key, &sink, err);
        v.bytes = takc_buf_str(&v.copy);
    }
    if (st) {
        takc_store_view_close(&v);
        return named(err, st, "read", key);
    }
    *out = v;
    return TAKC_OK;
}

void takc_store_view_close(struct takc_store_view *v)
{
    takc_map_close(&v->map);
    takc_buf_clear(&v->copy);
    v->bytes = (struct takc_str){NULL, 0};
}

void takc_store_close(struct takc_store *s)
{
    if (s)
        s->ops->close(s);
}

/* --- batches; without staging everything happens at once and commit has nothing left to do --- */

enum takc_status takc_store_batch_open(struct takc_store *s, struct takc_store_batch **out, struct takc_err *err)
{
    if (s->ops->batch_open)
        return s->ops->batch_open(s, out, err);
    struct takc_store_batch *b = takc_alloc(sizeof(*b));
    if (!b)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a batch");
    b->store = s;
    *out = b;
    return TAKC_OK;
}

enum takc_status takc_store_batch_put(struct takc_store_batch *b, struct takc_call *call, struct takc_str key, struct takc_str bytes,
                                      bool known_content, struct takc_err *err)
{
    if (!b->store->ops->batch_put)
        return takc_store_put_bytes(b->store, call, key, bytes, err);
    enum takc_status st = begin(call, key, err);
    if (!st)
        st = b->store->ops->batch_put(b, call, key, bytes, known_content, err);
    return named(err, st, "put", key);
}

enum takc_status takc_store_batch_derive(struct takc_store_batch *b, struct takc_call *call, struct takc_str key, struct takc_str bytes,
                                         struct takc_err *err)
{
    if (!b->store->ops->batch_derive)
        return takc_store_batch_put(b, call, key, bytes, false, err);
    enum takc_status st = begin(call, key, err);
    if (!st)
        st = b->store->ops->batch_derive(b, call, key, bytes, err);
    return named(err, st, "put", key);
}

enum takc_status takc_store_batch_del(struct takc_store_batch *b, struct takc_call *call, struct takc_str key, struct takc_err *err)
{
    enum takc_status st = begin(call, key, err);
    if (!st && b->store->ops->batch_del)
        st = b->store->ops->batch_del(b, call, key, err);
    else if (!st)
        st = b->store->ops->del(b->store, call, key, err);
    return st == TAKC_NOT_FOUND ? TAKC_OK : named(err, st, "delete", key);
}

enum takc_status takc_store_batch_commit(struct takc_store_batch *b, struct takc_call *call, struct takc_err *err)
{
    return b->store->ops->batch_commit ? b->store->ops->batch_commit(b, call, err) : TAKC_OK;
}

void takc_store_batch_close(struct takc_store_batch *b)
{
    if (!b)
        return;
    if (b->store->ops->batch_close)
        b->store->ops->batch_close(b);
    else
        takc_free(b);
}
