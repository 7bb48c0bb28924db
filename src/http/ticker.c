/* SPDX-License-Identifier: Apache-2.0
 *
 * ticker.c - looks at every connection a few times a second: is its phase over its limit, is its stream silent, has the client of a request
 * that is being worked on gone? A socket is only shut down here, never closed: that is libmicrohttpd's, which then sees its end. */
#include "http/ids.h"
#include "http/server_parts.h"

#include "base/clock.h"
#include "base/log.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

enum { TICK_MS = 100 };

void takc_connection_phase(struct connection *c, enum phase p, uint64_t limit_ms)
{
    atomic_store(&c->limit_ms, limit_ms);
    atomic_store(&c->since_ns, takc_now_ns());
    atomic_store(&c->phase, (int)p);
}

/* 408 as other replies are; a request whose head came has an id. */
static int say_late(const struct connection *c, char *out, size_t max)
{
    const struct takc_clock *clock = takc_clock_system();
    char time[21], body[320], id[TAKC_REQUEST_ID_BYTES];
    takc_time_text(clock->wall_s(clock), time);
    if (c->transfer && c->transfer->x.request_id[0])
        (void)snprintf(id, sizeof(id), "%s", c->transfer->x.request_id);
    else
        takc_id_draw(id, 16);
    int n = snprintf(body, sizeof(body),
                     "{\"error\":{\"code\":\"TIMEOUT\",\"message\":\"the request came too slowly\",\"details\":{}},\"request_id\":\"%s\","
                     "\"timestamp\":\"%s\"}\n",
                     id, time);
    return snprintf(out, max,
                    "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
                    "X-Request-ID: %s\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n\r\n%s",
                    n, id, body);
}

/* Where nothing was answered yet, the client is told why before the door is shut; over TLS nobody may write but GnuTLS. */
static void cut_locked(struct takc_server *s, struct connection *c, int phase)
{
    char reply[640];
    if (!c->tls && (phase == PHASE_BODY || (phase == PHASE_IDLE && !atomic_load(&c->asked)))) {
        int n = say_late(c, reply, sizeof(reply));
        (void)send(c->fd, reply, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    atomic_fetch_add(&s->n_timed_out, 1);
    atomic_store(&c->phase, PHASE_CUT);
    (void)shutdown(c->fd, SHUT_RDWR);
}

static bool has_gone(const struct connection *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* Does something wait for a client that takes nothing? */
static bool is_stuck(struct transfer *t)
{
    takc_mutex_lock(&t->locked.mu);
    bool stuck = t->locked.n > 0;
    takc_mutex_unlock(&t->locked.mu);
    return stuck;
}

static bool has_events(const struct transfer *t)
{
    return t->x.content_type && strcmp(t->x.content_type, "text/event-stream") == 0;
}

static void look_at_locked(struct takc_server *s, struct connection *c, uint64_t now)
{
    int phase = atomic_load(&c->phase);
    uint64_t limit = atomic_load(&c->limit_ms), since = atomic_load(&c->since_ns);
    if (phase == PHASE_CUT)
        return;
    if ((phase == PHASE_WORKS || phase == PHASE_STREAMS) && c->transfer && has_gone(c)) {
        if (!atomic_exchange(&c->transfer->x.call.cancel, true))
            atomic_fetch_add(&s->n_gone, 1);
        return;
    }
    if (limit && now > since && (now - since) / 1000000u > limit && (phase != PHASE_STREAMS || (c->transfer && is_stuck(c->transfer))))
        cut_locked(s, c, phase);
    else if (phase == PHASE_STREAMS && c->transfer && now > since && (now - since) / 1000000u > s->o.ping_ms && has_events(c->transfer))
        takc_transfer_stream_ping(c->transfer);
}

void *takc_server_tick(void *server)
{
    struct takc_server *s = server;
    const struct takc_clock *clock = takc_clock_system();
    while (!atomic_load(&s->closing)) {
        clock->sleep_ns(clock, TICK_MS * 1000000u);
        takc_mutex_lock(&s->locked.mu);
        uint64_t now = takc_now_ns();
        for (struct connection *c = s->locked.first; c; c = c->next)
            look_at_locked(s, c, now);
        takc_mutex_unlock(&s->locked.mu);
    }
    return NULL;
}
