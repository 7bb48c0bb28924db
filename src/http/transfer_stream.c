/* SPDX-License-Identifier: Apache-2.0
 *
 * transfer_stream.c - a reply that goes out while its handler makes it: a ring of bytes between the handler's fiber, which waits where the
 * ring is full, and the library's reader, which suspends its connection where it is empty. */
#include "http/server_parts.h"

#include "base/alloc.h"
#include "base/clock.h"

enum takc_status takc_exchange_stream(struct takc_exchange *x, int status, const char *content_type, struct takc_err *err)
{
    struct transfer *t = (struct transfer *)(void *)x;
    enum takc_status st = takc_call_check(&x->call, err);
    if (st)
        return st;
    x->status = status;
    x->content_type = content_type;
    x->streams = true;
    t->step = STEP_HANDLED;
    t->server->mhd->resume_connection(t->mhd);
    return TAKC_OK;
}

/* Takes the oldest n bytes out of the ring, which has as many. */
static void take_locked(struct transfer *t, char *to, size_t n)
{
    for (size_t done = 0; done < n;) {
        size_t run = t->locked.cap - t->locked.first;
        run = run < n - done ? run : n - done;
        memcpy(to + done, t->locked.bytes + t->locked.first, run);
        t->locked.first += run;
        if (t->locked.first == t->locked.cap)
            t->locked.first = 0;
        t->locked.n -= run;
        done += run;
    }
}

/* Makes the ring large enough for n more bytes. */
static enum takc_status grow_locked(struct transfer *t, size_t n, struct takc_err *err)
{
    size_t cap = t->locked.cap ? t->locked.cap : STREAM_FIRST, kept = t->locked.n;
    while (cap < t->locked.n + n)
        cap *= 2;
    if (cap == t->locked.cap)
        return TAKC_OK;
    char *bytes = takc_alloc(cap);
    if (!bytes)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a stream");
    take_locked(t, bytes, kept);
    takc_free(t->locked.bytes);
    t->locked.bytes = bytes;
    t->locked.cap = cap;
    t->locked.first = 0;
    t->locked.n = kept;
    return TAKC_OK;
}

static enum takc_status put_locked(struct transfer *t, struct takc_str piece, struct takc_err *err)
{
    if (t->locked.gone)
        return takc_fail(err, TAKC_CANCELLED, 0, "the client has gone");
    if (!t->locked.n && t->connection) /* a client that had nothing to take was not slow */
        atomic_store(&t->connection->since_ns, takc_now_ns());
    enum takc_status st = grow_locked(t, piece.len, err);
    for (size_t done = 0; done < piece.len && !st;) {
        size_t at = t->locked.first + t->locked.n;
        if (at >= t->locked.cap)
            at -= t->locked.cap;
        size_t run = t->locked.cap - at;
        run = run < piece.len - done ? run : piece.len - done;
        memcpy(t->locked.bytes + at, piece.ptr + done, run);
        t->locked.n += run;
        done += run;
    }
    return st;
}

static void go_on_locked(struct transfer *t)
{
    if (t->locked.paused && !t->locked.gone) {
        t->locked.paused = false;
        t->server->mhd->resume_connection(t->mhd);
    }
}

enum takc_status takc_exchange_send(struct takc_exchange *x, struct takc_str piece, struct takc_err *err)
{
    struct transfer *t = (struct transfer *)(void *)x;
    enum takc_status st = TAKC_OK;
    for (size_t done = 0; done < piece.len && !st;) {
        takc_mutex_lock(&t->locked.mu);
        while (t->locked.n >= STREAM_ROOM && !t->locked.gone && !st) {
            takc_cond_wait_ms(&t->locked.moved, &t->locked.mu, 1000);
            st = takc_call_check(&x->call, err);
        }
        size_t room = STREAM_ROOM > t->locked.n ? STREAM_ROOM - t->locked.n : 0, n = room < piece.len - done ? room : piece.len - done;
        if (!st)
            st = put_locked(t, takc_str_slice(piece, done, done + n), err);
        done += n;
        t->locked.amid = done < piece.len;
        if (!st)
            go_on_locked(t);
        takc_mutex_unlock(&t->locked.mu);
    }
    return st;
}

enum takc_status takc_exchange_post(struct takc_exchange *x, struct takc_str piece, struct takc_err *err)
{
    struct transfer *t = (struct transfer *)(void *)x;
    takc_mutex_lock(&t->locked.mu);
    enum takc_status st = t->locked.n + piece.len > STREAM_POSTED_MAX
                              ? takc_fail(err, TAKC_TIMEOUT, 0, "the client takes nothing of %zu bytes", t->locked.n)
                              : put_locked(t, piece, err);
    if (!st)
        go_on_locked(t);
    takc_mutex_unlock(&t->locked.mu);
    return st;
}

void takc_transfer_stream_ping(struct transfer *t)
{
    takc_mutex_lock(&t->locked.mu);
    if (!t->locked.n && !t->locked.ended && !t->locked.amid && !put_locked(t, takc_str(": ping\n\n"), NULL))
        go_on_locked(t);
    takc_mutex_unlock(&t->locked.mu);
}

ssize_t takc_transfer_stream_read(void *cls, uint64_t pos, char *buf, size_t max)
{
    struct transfer *t = cls;
    (void)pos;
    takc_mutex_lock(&t->locked.mu);
    size_t n = max < t->locked.n ? max : t->locked.n;
    take_locked(t, buf, n);
    bool ended = !n && t->locked.ended;
    if (n)
        takc_cond_signal(&t->locked.moved);
    else if (!ended) {
        t->locked.paused = true;
        t->server->mhd->suspend_connection(t->mhd);
    }
    takc_mutex_unlock(&t->locked.mu);
    t->x.sent_bytes += n;
    if (n)
        takc_connection_phase(t->connection, PHASE_STREAMS, t->server->o.write_ms);
    return ended ? MHD_CONTENT_READER_END_OF_STREAM : (ssize_t)n;
}

void takc_transfer_stream_end(struct transfer *t)
{
    takc_mutex_lock(&t->locked.mu);
    t->locked.ended = true;
    go_on_locked(t);
    takc_mutex_unlock(&t->locked.mu);
}

void takc_transfer_stream_leave(struct transfer *t)
{
    takc_mutex_lock(&t->locked.mu);
    t->locked.gone = true;
    takc_cond_broadcast(&t->locked.moved);
    takc_mutex_unlock(&t->locked.mu);
}
