/* SPDX-License-Identifier: Apache-2.0
 *
 * transfer.c - one request through libmicrohttpd. The library calls for the request's line (uri), then for the head, for each piece of the
 * body and once more when it is whole (access), and at the end (completed). Between "whole" and the reply the connection is suspended,
 * unless the route is quick. A transfer is held by the library and by the fiber that works on it; the last one frees it. */
#include "http/ids.h"
#include "http/server_parts.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "net/address.h"

#include <stdio.h>

#define DISCARD_MAX ((uint64_t)8 << 20) /* of a body that is too large: read and dropped, so that the client sees the reply */

/* ---- connections ---- */

static void unref(struct transfer *t)
{
    if (atomic_fetch_sub(&t->n_refs, 1) > 1)
        return;
    takc_buf_clear(&t->x.body);
    takc_buf_clear(&t->x.reply);
    takc_exchange_drop_kept(&t->x);
    if (t->lends)
        atomic_fetch_sub_explicit(&t->server->n_lent, 1, memory_order_relaxed);
    takc_arena_clear(&t->x.arena);
    takc_cond_clear(&t->locked.moved);
    takc_mutex_clear(&t->locked.mu);
    takc_free(t->locked.bytes);
    takc_free(t);
}

/* Of a request whose head it refuses itself, out of memory for it, the library may not tell that it has ended. */
static void drop_announced(struct connection *c)
{
    if (c->announced)
        unref(c->announced);
    c->announced = NULL;
}

void takc_transfer_notify(void *cls, struct MHD_Connection *mc, void **socket_context, enum MHD_ConnectionNotificationCode what)
{
    struct takc_server *s = cls;
    struct connection *c = *socket_context;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *fd = s->mhd->get_connection_info(mc, MHD_CONNECTION_INFO_CONNECTION_FD);
        c = takc_alloc(sizeof(*c));
        *socket_context = c;
        if (!c)
            return; /* its first request is refused */
        *c = (struct connection){.server = s, .fd = fd ? fd->connect_fd : -1, .tls = s->o.cert_file != NULL};
        takc_connection_phase(c, PHASE_IDLE, s->o.head_ms);
        atomic_fetch_add(&s->n_connections, 1);
        takc_mutex_lock(&s->locked.mu);
        c->next = s->locked.first;
        if (c->next)
            c->next->prev = c;
        s->locked.first = c;
        s->locked.n++;
        takc_mutex_unlock(&s->locked.mu);
    } else if (c) {
        takc_mutex_lock(&s->locked.mu);
        *(c->prev ? &c->prev->next : &s->locked.first) = c->next;
        if (c->next)
            c->next->prev = c->prev;
        if (--s->locked.n == 0)
            takc_cond_broadcast(&s->locked.empty);
        takc_mutex_unlock(&s->locked.mu);
        drop_announced(c);
        takc_free(c);
        *socket_context = NULL;
    }
}

static struct connection *connection_of(const struct takc_server *s, struct MHD_Connection *mc)
{
    const union MHD_ConnectionInfo *i = s->mhd->get_connection_info(mc, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return i ? i->socket_context : NULL;
}

static void attach(struct connection *c, struct transfer *t)
{
    takc_mutex_lock(&c->server->locked.mu);
    c->transfer = t;
    takc_mutex_unlock(&c->server->locked.mu);
}

/* ---- a transfer's life ---- */

static struct transfer *transfer_new(struct takc_server *s, struct MHD_Connection *mc)
{
    struct transfer *t = takc_alloc(sizeof(*t));
    if (!t)
        return NULL;
    memset(t, 0, sizeof(*t));
    t->server = s;
    t->mhd = mc;
    atomic_init(&t->n_refs, 1);
    takc_call_init(&t->x.call);
    takc_arena_init(&t->x.arena);
    takc_buf_init(&t->x.body, SIZE_MAX / 2);
    takc_buf_init(&t->x.reply, SIZE_MAX / 2);
    if (takc_mutex_init(&t->locked.mu, NULL)) {
        takc_free(t);
        return NULL;
    }
    if (takc_cond_init(&t->locked.moved, NULL)) {
        takc_mutex_clear(&t->locked.mu);
        takc_free(t);
        return NULL;
    }
    return t;
}

void *takc_transfer_uri(void *cls, const char *uri, struct MHD_Connection *mc)
{
    struct takc_server *s = cls;
    struct transfer *t = transfer_new(s, mc);
    if (t)
        t->x.target = takc_arena_dup(&t->x.arena, takc_str(uri));
    if (t && !t->x.target.ptr) {
        unref(t);
        t = NULL;
    }
    struct connection *c = connection_of(s, mc);
    if (c) {
        drop_announced(c);
        c->announced = t;
    }
    return t;
}

/* ---- the head ---- */

struct gathering {
    struct transfer *t;
    struct takc_header *v;
    size_t n, max;
};

static enum MHD_Result gather(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value, size_t value_len)
{
    struct gathering *g = cls;
    (void)kind;
    if (g->n < g->max)
        g->v[g->n] = (struct takc_header){takc_arena_dup(&g->t->x.arena, takc_str_n(name, name_len)),
                                          takc_arena_dup(&g->t->x.arena, takc_str_n(value ? value : "", value_len))};
    g->n++;
    return MHD_YES;
}

static bool read_headers(struct transfer *t)
{
    struct gathering g = {.t = t};
    (void)t->server->mhd->get_connection_values_n(t->mhd, MHD_HEADER_KIND, gather, &g);
    g.max = g.n < 1000 ? g.n : 1000;
    g.v = takc_arena_array(&t->x.arena, g.max + 1, sizeof(*g.v));
    if (!g.v)
        return false;
    g.n = 0;
    (void)t->server->mhd->get_connection_values_n(t->mhd, MHD_HEADER_KIND, gather, &g);
    t->x.headers = g.v;
    t->x.n_headers = g.max;
    return true;
}

static void read_peer(struct transfer *t)
{
    const union MHD_ConnectionInfo *i = t->server->mhd->get_connection_info(t->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *a = i ? i->client_addr : NULL;
    if (a)
        takc_address_text(a, t->x.peer);
}

/* The client's own id where it is one that may stand in logs and headers. */
static void choose_request_id(struct takc_exchange *x)
{
    struct takc_str asked = takc_exchange_asked(x, "x-request-id");
    bool good = asked.len > 0 && asked.len < sizeof(x->request_id);
    for (size_t i = 0; i < asked.len && good; i++) {
        unsigned char c = (unsigned char)asked.ptr[i];
        good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.' || c == ':';
    }
    if (good) {
        (void)snprintf(x->request_id, sizeof(x->request_id), "%.*s", TAKC_STR_ARG(asked));
        return;
    }
    takc_id_draw(x->request_id, 16);
}

static void split_target(struct takc_exchange *x)
{
    x->target = takc_guard_origin_form(x->target, takc_header_find(x->headers, x->n_headers, "host"));
    size_t at = takc_str_find_byte(x->target, '?', 0);
    x->path = at == SIZE_MAX ? x->target : takc_str_slice(x->target, 0, at);
    if (at != SIZE_MAX)
        x->query = takc_str_slice(x->target, at + 1, x->target.len);
}

static void refuse(struct transfer *t, int status, const char *why)
{
    atomic_fetch_add(&t->server->n_refused, 1);
    t->x.status = 0;
    t->server->o.handlers.refuse(t->server->o.handlers.arg, &t->x, status, why);
    if (!t->x.status)
        t->x.status = status;
}

/* ---- the handler ---- */

enum takc_status takc_exchange_fork(struct takc_exchange *x, struct takc_job job, struct takc_err *err)
{
    const struct transfer *t = (const struct transfer *)(const void *)x;
    return takc_crew_push(t->server->crew, job, err);
}

/* On a fiber, before the body. */
static void admit(void *arg)
{
    struct transfer *t = arg;
    t->x.admit_from_ns = takc_now_ns();
    t->server->o.handlers.admit(t->server->o.handlers.arg, &t->x);
    t->x.admit_ns = takc_now_ns() - t->x.admit_from_ns;
    t->step = STEP_ADMITTED;
    t->server->mhd->resume_connection(t->mhd);
    unref(t);
}

static void handle(struct transfer *t)
{
    uint64_t from = takc_now_ns();
    atomic_store_explicit(&t->x.work_from_ns, from, memory_order_relaxed);
    t->server->o.handlers.handle(t->server->o.handlers.arg, &t->x);
    atomic_store_explicit(&t->x.work_ns, takc_now_ns() - from, memory_order_relaxed);
}

/* On a fiber. */
static void work(void *arg)
{
    struct transfer *t = arg;
    handle(t);
    if (t->x.streams) {
        takc_transfer_stream_end(t);
    } else {
        t->step = STEP_HANDLED;
        t->server->mhd->resume_connection(t->mhd);
    }
    unref(t);
}

/* Refused in the place of work or admit, while suspended. */
static void turn_away(struct transfer *t, const char *why)
{
    refuse(t, 503, why);
    t->step = STEP_HANDLED;
    t->server->mhd->resume_connection(t->mhd);
    unref(t);
}

static void drop(void *arg)
{
    turn_away(arg, "the server is stopping");
}

/* Gives the request to a fiber. */
static void to_crew(struct transfer *t, void (*run)(void *arg))
{
    struct takc_server *s = t->server;
    takc_connection_phase(t->connection, PHASE_WORKS, 0);
    atomic_fetch_add(&t->n_refs, 1);
    s->mhd->suspend_connection(t->mhd); /* before the fiber may resume it */
    if (takc_crew_push(t->x.ahead ? s->crew_ahead : s->crew, (struct takc_job){run, drop, t}, NULL))
        turn_away(t, "the server is busy; try again in a moment");
}

static enum MHD_Result hand_over(struct transfer *t)
{
    struct takc_server *s = t->server;
    t->x.call.deadline_ns = takc_now_ns() + s->o.request_ms * 1000000u;
    if (t->x.quick) {
        takc_connection_phase(t->connection, PHASE_WORKS, 0);
        handle(t);
        return takc_transfer_reply(t);
    }
    to_crew(t, work);
    return MHD_YES;
}

/* ---- libmicrohttpd's calls ---- */

/* Who waits for 100 is told at once, and so is who would send for long; another one has sent much of it already, and sees the reply only if
 * that is read. */
static void refuse_large(struct transfer *t)
{
    static const char why[] = "the body is too large for this route";
    if (t->framing.length > t->x.body_max + DISCARD_MAX || takc_exchange_asked(&t->x, "expect").len) {
        refuse(t, 413, why);
        return;
    }
    t->too_late = 413;
    (void)snprintf(t->why, sizeof(t->why), "%s", why);
}

static bool start_exchange(struct transfer *t, const char *method, const char *version)
{
    struct takc_server *s = t->server;
    t->connection = connection_of(s, t->mhd);
    if (t->connection)
        t->connection->announced = NULL;
    if (!t->connection || !read_headers(t))
        return false;
    struct takc_exchange *x = &t->x;
    x->began_ns = takc_now_ns();
    x->method = takc_arena_dup(&x->arena, takc_str(method));
    x->tls = t->connection->tls;
    x->body_max = s->o.guard.body_bytes;
    read_peer(t);
    choose_request_id(x);
    split_target(x);
    x->call.request_id = x->request_id;
    x->call.deadline_ns = x->began_ns + s->o.request_ms * 1000000u;
    atomic_store(&t->connection->asked, true);
    attach(t->connection, t);
    atomic_fetch_add(&s->n_requests, 1);
    const struct takc_request_head head = {x->method, x->target, takc_str(version), x->headers, x->n_headers};
    int status = takc_guard_head(&head, &s->o.guard, &t->framing, t->why);
    if (status)
        refuse(t, status, t->why);
    else
        s->o.handlers.begin(s->o.handlers.arg, x);
    if (!x->status && t->framing.has_length && x->body_max && t->framing.length > x->body_max)
        refuse_large(t);
    return true;
}

static void keep_piece(struct transfer *t, struct takc_str piece)
{
    struct takc_err err = {0};
    bool nomem = false;
    for (size_t i = 0; i < TAKC_DIGESTS; i++)
        nomem = nomem || (t->x.digests[i] && takc_sha256_add(t->x.digests[i], piece, NULL));
    if (!t->x.sink && !nomem)
        nomem = takc_buf_add(&t->x.body, piece, NULL) != TAKC_OK;
    if (nomem) {
        t->too_late = 503;
        (void)snprintf(t->why, sizeof(t->why), "no memory for the body");
    }
    if (nomem || !t->x.sink)
        return;
    enum takc_status st = t->x.sink(t->x.sink_arg, piece, &err);
    if (!st)
        return;
    t->too_late = st == TAKC_INVALID ? 400 : st == TAKC_FULL ? 507 : 500;
    if (t->too_late >= 500)
        takc_log_for(&t->x.call, ERROR, "http", "%.*s: the body: %s", TAKC_STR_ARG(t->x.path), err.msg);
    (void)snprintf(t->why, sizeof(t->why), "%s",
                   t->too_late == 500   ? "the body could not be kept"
                   : t->too_late == 507 ? "no space left for the body"
                                        : err.msg);
}

static enum MHD_Result take_piece(struct transfer *t, const char *upload, size_t *size)
{
    t->body_seen += *size;
    if (t->x.body_max && t->body_seen > t->x.body_max && !t->too_late) {
        t->too_late = 413;
        (void)snprintf(t->why, sizeof(t->why), "the body is too large for this route");
    }
    if (t->body_seen > t->x.body_max + DISCARD_MAX)
        return MHD_NO;
    if (!t->too_late)
        keep_piece(t, takc_str_n(upload, *size));
    if (t->too_late)
        takc_buf_clear(&t->x.body);
    *size = 0;
    return MHD_YES;
}

/* The head is good and may pass: the body comes. */
static enum MHD_Result expect_body(struct transfer *t)
{
    if (t->x.status)
        return takc_transfer_reply(t);
    t->step = STEP_BODY;
    takc_connection_phase(t->connection, PHASE_BODY, t->x.body_ms ? t->x.body_ms : t->server->o.body_ms);
    return MHD_YES;
}

static enum MHD_Result take_head(struct transfer *t, const char *method, const char *version)
{
    if (!start_exchange(t, method, version))
        return MHD_NO;
    if (t->x.status || !t->x.admits)
        return expect_body(t);
    to_crew(t, admit);
    return MHD_YES;
}

enum MHD_Result takc_transfer_access(void *cls, struct MHD_Connection *mc, const char *url, const char *method, const char *version,
                                     const char *upload, size_t *upload_size, void **con_cls)
{
    struct transfer *t = *con_cls;
    (void)cls, (void)mc, (void)url;
    if (!t)
        return MHD_NO; /* no memory for it */
    switch (t->step) {
    case STEP_HEAD:
        return take_head(t, method, version);
    case STEP_ADMITTED:
        return expect_body(t);
    case STEP_BODY:
        if (*upload_size)
            return take_piece(t, upload, upload_size);
        if (t->too_late) {
            refuse(t, t->too_late, t->why);
            return takc_transfer_reply(t);
        }
        return hand_over(t);
    case STEP_HANDLED:
        return takc_transfer_reply(t);
    case STEP_QUEUED:
        break;
    }
    return MHD_YES;
}

void takc_transfer_completed(void *cls, struct MHD_Connection *mc, void **con_cls, enum MHD_RequestTerminationCode how)
{
    struct takc_server *s = cls;
    struct transfer *t = *con_cls;
    if (!t)
        return;
    struct connection *c = connection_of(s, mc);
    if (c && c->announced == t)
        c->announced = NULL;
    bool whole = how == MHD_REQUEST_TERMINATED_COMPLETED_OK;
    *con_cls = NULL;
    atomic_store(&t->x.call.cancel, true);
    takc_transfer_stream_leave(t);
    if (t->connection) {
        attach(t->connection, NULL);
        takc_connection_phase(t->connection, PHASE_IDLE, s->o.idle_ms);
        s->o.handlers.ended(s->o.handlers.arg, &t->x, whole);
    }
    unref(t);
}
