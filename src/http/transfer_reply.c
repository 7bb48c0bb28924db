/* SPDX-License-Identifier: Apache-2.0
 *
 * transfer_reply.c - a reply as libmicrohttpd takes it: headers, and bytes of the handler's, of somebody else's (lent, not copied), of a
 * file that the system sends, or of a stream. */
#include "http/server_parts.h"

#include "base/alloc.h"
#include "base/log.h"

#include <fcntl.h>
#include <unistd.h>

#define STREAM_CHUNK 16384u

struct takc_str takc_exchange_asked(const struct takc_exchange *x, const char *name)
{
    return takc_header_find(x->headers, x->n_headers, name);
}

void takc_exchange_header(struct takc_exchange *x, const char *name, struct takc_str value)
{
    if (!value.len)
        return;
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < 0x20 || value.ptr[i] == 0x7f) {
            takc_log(WARN, "http", "a reply's header %s was left out: its value holds a control character", name);
            return;
        }
    struct takc_header h = {takc_arena_dup(&x->arena, takc_str(name)), takc_arena_dup(&x->arena, value)};
    if (x->n_out == TAKC_EXCHANGE_HEADERS || !h.name.ptr || !h.value.ptr) {
        takc_log(WARN, "http", "a reply's header %s was left out: no room", name);
        return;
    }
    x->out[x->n_out++] = h;
}

void takc_exchange_drop_kept(struct takc_exchange *x)
{
    if (x->kept_release)
        x->kept_release(x->kept_arg);
    x->kept_release = NULL;
    x->kept_arg = NULL;
    x->kept_file = false;
}

static void free_body(void *cls)
{
    takc_free(cls);
}

/* From a file the system sends without a copy, but not through TLS. NULL: not this way. */
static struct MHD_Response *lend_file(struct transfer *t)
{
    if (!t->x.kept_file || t->x.tls || atomic_load_explicit(&t->server->n_lent, memory_order_relaxed) >= LENT_MAX)
        return NULL;
    int fd = fcntl(t->x.kept_fd, F_DUPFD_CLOEXEC, 0);
    struct MHD_Response *r = fd < 0 ? NULL : t->server->mhd->create_response_from_fd64(t->x.kept.len, fd);
    if (!r && fd >= 0)
        (void)close(fd);
    if (!r)
        return NULL;
    atomic_fetch_add_explicit(&t->server->n_lent, 1, memory_order_relaxed);
    t->lends = true;
    t->x.sent_bytes = t->x.kept.len;
    return r;
}

static struct MHD_Response *lend_kept(struct transfer *t)
{
    struct MHD_Response *file = lend_file(t);
    if (file)
        return file;
    void *bytes = (void *)(uintptr_t)t->x.kept.ptr; /* the library only reads them */
    struct MHD_Response *r =
        t->server->mhd->create_response_from_buffer_with_free_callback_cls(t->x.kept.len, bytes, t->x.kept_release, t->x.kept_arg);
    t->x.sent_bytes = t->x.kept.len;
    if (r)
        t->x.kept_release = NULL, t->x.kept_arg = NULL; /* the library calls it */
    return r;
}

static struct MHD_Response *make_response(struct transfer *t, struct takc_err *err)
{
    char *bytes = NULL;
    size_t len = 0;
    if (t->x.streams)
        return t->server->mhd->create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_CHUNK, takc_transfer_stream_read, t, NULL);
    if (t->x.kept_release)
        return lend_kept(t);
    if (takc_buf_take(&t->x.reply, &bytes, &len, err))
        return NULL;
    t->x.sent_bytes = len;
    struct MHD_Response *r = t->server->mhd->create_response_from_buffer_with_free_callback_cls(len, bytes, free_body, bytes);
    if (!r)
        takc_free(bytes);
    return r;
}

enum MHD_Result takc_transfer_reply(struct transfer *t)
{
    const struct takc_mhd *mhd = t->server->mhd;
    struct takc_exchange *x = &t->x;
    uint64_t n = x->kept_release ? x->kept.len : x->reply.len;
    struct MHD_Response *r = make_response(t, NULL);
    if (!r)
        return MHD_NO;
    t->server->o.handlers.headers(t->server->o.handlers.arg, x);
    const char *type = x->content_type ? x->content_type : "application/json";
    bool empty = !n && !x->streams; /* 202, 304: nothing has no type */
    bool good = empty || mhd->add_response_header(r, "Content-Type", type) == MHD_YES;
    for (size_t i = 0; i < x->n_out && good; i++)
        good = mhd->add_response_header(r, x->out[i].name.ptr, x->out[i].value.ptr) == MHD_YES;
    t->step = STEP_QUEUED;
    takc_connection_phase(t->connection, x->streams ? PHASE_STREAMS : PHASE_WRITES, t->server->o.write_ms + n / 65);
    enum MHD_Result q = good ? mhd->queue_response(t->mhd, (unsigned)x->status, r) : MHD_NO;
    mhd->destroy_response(r);
    return q;
}
