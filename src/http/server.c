/* SPDX-License-Identifier: Apache-2.0
 *
 * server.c - listening, TLS, opening, reloading, closing. The listening socket is ours: so a port in use has its own message, and a new
 * certificate is a second daemon on the same socket while the first one serves what it has. Each daemon is given a descriptor of its own:
 * the library closes what it was given when it cannot start, and the server that stands must not lose its door by that. */
#include "http/server_parts.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    /* Of one connection: a head of 24 KiB, and what the library makes of headers and arguments (600 or so; more end the connection). It
     * clears all of them behind each request, so that every byte more costs each request time and each kept connection memory. */
    POOL_BYTES = 64 * 1024,
    BACKLOG = 1024,
    AHEAD_RUNNING = 4, /* requests that no others keep waiting, at a time */
    AHEAD_WAITING = 64,
    FILES_KEPT = 256 /* descriptors for all that is no connection */
};
/* With epoll the library turns in circles as long as a client is amid its handshake (0.9.75: it takes the socket for readable until a read
 * says otherwise, and a handshake is none), so that two clients who say a byte and wait have two processors. poll costs each wake-up some
 * 0.1 us for each connection. */
#define POLLS_TLS (MHD_USE_TLS | MHD_USE_POLL_INTERNAL_THREAD)
/* What every client since 2015 speaks: keys that are forgotten (no RSA key exchange), ciphers that authenticate (no CBC). */
#define TLS_PRIORITIES "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM"

/* ---- options ---- */

static size_t connections_possible(size_t asked)
{
    struct rlimit l;
    if (getrlimit(RLIMIT_NOFILE, &l))
        return asked;
    if (l.rlim_cur < l.rlim_max) {
        struct rlimit more = {l.rlim_max, l.rlim_max};
        if (!setrlimit(RLIMIT_NOFILE, &more))
            l = more;
    }
    size_t can = l.rlim_cur > 2 * FILES_KEPT ? (size_t)l.rlim_cur - FILES_KEPT : (size_t)l.rlim_cur / 2;
    if (can < asked)
        takc_log(WARN, "http", "at most %zu connections: the process may open %llu files", can, (unsigned long long)l.rlim_cur);
    return can < asked ? can : asked;
}

static uint64_t or_else(uint64_t v, uint64_t fallback)
{
    return v ? v : fallback;
}

static enum takc_status copy_text(struct takc_arena *a, const char **text, struct takc_err *err)
{
    if (!*text)
        return TAKC_OK;
    *text = takc_arena_dup(a, takc_str(*text)).ptr;
    return *text ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a server's options");
}

static enum takc_status copy_options(struct takc_server *s, const struct takc_server_options *from, struct takc_err *err)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    struct takc_server_options *o = &s->o;
    *o = *from;
    o->n_io = o->n_io ? o->n_io : 2;
    o->n_workers = o->n_workers ? o->n_workers : cpus > 0 ? (unsigned)cpus : 1;
    o->running_max = o->running_max ? o->running_max : 1024;
    o->waiting_max = o->waiting_max ? o->waiting_max : 1024;
    o->connections_max = connections_possible(o->connections_max ? o->connections_max : 20000);
    o->head_ms = or_else(o->head_ms, 10000);
    o->body_ms = or_else(o->body_ms, 60000);
    o->request_ms = or_else(o->request_ms, 120000);
    o->write_ms = or_else(o->write_ms, 60000);
    o->idle_ms = or_else(o->idle_ms, 75000);
    o->ping_ms = or_else(o->ping_ms, 15000);
    if (!o->cert_file != !o->key_file)
        return takc_fail(err, TAKC_INVALID, 0, "TLS needs a certificate and a key: %s is not set",
                         o->cert_file ? "serve.tls_key" : "serve.tls_cert");
    enum takc_status st = copy_text(&s->arena, &o->address, err);
    if (!st)
        st = copy_text(&s->arena, &o->cert_file, err);
    return st ? st : copy_text(&s->arena, &o->key_file, err);
}

/* ---- listening ---- */

static enum takc_status listen_on(int fd, const struct addrinfo *a, const struct takc_server_options *o, struct takc_err *err)
{
    int on = 1;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (!bind(fd, a->ai_addr, a->ai_addrlen) && !listen(fd, BACKLOG))
        return TAKC_OK;
    if (errno == EADDRINUSE)
        return takc_fail(err, TAKC_BUSY, errno, "serve.port: %u of %s is in use: stop what listens there, or choose another one", o->port,
                         o->address);
    if (errno == EACCES)
        return takc_fail(err, TAKC_DENIED, errno, "serve.port: %u of %s may not be bound by this user; ports from 1024 on may", o->port,
                         o->address);
    if (errno == EADDRNOTAVAIL)
        return takc_fail(err, TAKC_INVALID, errno, "serve.address: %s is no address of this machine; 0.0.0.0 stands for all that it has",
                         o->address);
    return takc_fail(err, TAKC_INVALID, errno, "serve.address: %s, port %u: %s", o->address, o->port, strerror(errno));
}

static enum takc_status learn_port(struct takc_server *s, struct takc_err *err)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a;
    socklen_t len = sizeof(a);
    memset(&a, 0, sizeof(a));
    if (getsockname(s->listen_fd, &a.any, &len))
        return takc_fail_errno(err, errno, "no port");
    s->port = ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
    return TAKC_OK;
}

static enum takc_status open_socket(struct takc_server *s, struct takc_err *err)
{
    char port[8];
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE, .ai_socktype = SOCK_STREAM};
    struct addrinfo *a = NULL;
    (void)snprintf(port, sizeof(port), "%u", s->o.port);
    if (!s->o.address || getaddrinfo(s->o.address, port, &hints, &a))
        return takc_fail(err, TAKC_INVALID, 0, "serve.address: '%s' is no address like 127.0.0.1 or ::1", s->o.address ? s->o.address : "");
    s->listen_fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    enum takc_status st = s->listen_fd < 0 ? takc_fail_errno(err, errno, "no socket") : listen_on(s->listen_fd, a, &s->o, err);
    freeaddrinfo(a);
    return st ? st : learn_port(s, err);
}

/* ---- the daemon ---- */

static void say(void *cls, const char *fmt, va_list args)
{
    char text[256];
    (void)cls;
    (void)vsnprintf(text, sizeof(text), fmt, args); /* NOLINT(clang-analyzer-valist.Uninitialized): the library's */
    text[strcspn(text, "\n")] = '\0';
    takc_log(DEBUG, "http.mhd", "%s", text);
}

static struct MHD_Daemon *start(struct takc_server *s, int fd)
{
    struct MHD_OptionItem more[5] = {{MHD_OPTION_END, 0, NULL}};
    size_t n = 0;
    unsigned flags = MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | (s->o.cert_file ? POLLS_TLS : MHD_USE_EPOLL_INTERNAL_THREAD);
    if (s->o.cert_file) {
        more[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, s->tls.cert.ptr};
        more[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, s->tls.key.ptr};
        more[n++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES};
    }
    if (s->o.n_io > 1)
        more[n++] = (struct MHD_OptionItem){MHD_OPTION_THREAD_POOL_SIZE, (intptr_t)s->o.n_io, NULL};
    more[n] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
    /* Not strict: the guard is, and a library that refuses a missing Host itself (0.9.75) sends the head of its page twice. */
    return s->mhd->start_daemon(flags, 0, NULL, NULL, takc_transfer_access, s, MHD_OPTION_EXTERNAL_LOGGER, say, NULL,
                                MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)s->o.connections_max,
                                MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, 0u,
                                MHD_OPTION_NOTIFY_CONNECTION, takc_transfer_notify, s, MHD_OPTION_NOTIFY_COMPLETED, takc_transfer_completed,
                                s, MHD_OPTION_URI_LOG_CALLBACK, takc_transfer_uri, s, MHD_OPTION_STRICT_FOR_CLIENT, 0, MHD_OPTION_ARRAY,
                                more, MHD_OPTION_END);
}

/* One that has ended is served: clients say so themselves, and a clock that is wrong must not keep the server down. */
static void warn_of_end(const struct takc_server *s)
{
    const struct takc_clock *clock = takc_clock_system();
    char text[21];
    if (s->tls.ends_s > clock->wall_s(clock))
        return;
    takc_time_text(s->tls.ends_s, text);
    takc_log(WARN, "serve", "serve.tls_cert: %s ended on %s: clients will not have it", s->o.cert_file, text);
}

static enum takc_status start_daemon(struct takc_server *s, struct listener *out, struct takc_err *err)
{
    enum takc_status st = s->o.cert_file ? takc_certificate_read(&s->tls, s->o.cert_file, s->o.key_file, err) : TAKC_OK;
    if (st)
        return st;
    struct listener l = {.fd = fcntl(s->listen_fd, F_DUPFD_CLOEXEC, 0)};
    if (l.fd < 0)
        return takc_fail_errno(err, errno, "no descriptor to listen with");
    l.daemon = start(s, l.fd);
    if (!l.daemon && s->o.cert_file)
        return takc_fail(err, TAKC_INVALID, 0, "serve.tls_cert: %s and serve.tls_key %s cannot be served", s->o.cert_file, s->o.key_file);
    if (!l.daemon)
        return takc_fail(err, TAKC_BUSY, errno, "the server cannot be started: %s", strerror(errno));
    if (s->o.cert_file)
        warn_of_end(s);
    *out = l;
    return TAKC_OK;
}

/* It was told to take no more connections, so the descriptor is ours. */
static void stop(struct takc_server *s, struct listener *l)
{
    s->mhd->stop_daemon(l->daemon);
    (void)close(l->fd);
}

/* ---- opening ---- */

static enum takc_status start_threads(struct takc_server *s, struct takc_err *err)
{
    const struct takc_crew_options co = {"work", s->o.n_workers, s->o.running_max, s->o.waiting_max};
    const struct takc_crew_options ahead = {"ahead", 1, AHEAD_RUNNING, AHEAD_WAITING};
    enum takc_status st = takc_crew_open(&s->crew, &co, err);
    if (!st)
        st = takc_crew_open(&s->crew_ahead, &ahead, err);
    if (!st)
        st = start_daemon(s, &s->now, err);
    if (!st)
        st = takc_thread_start(&s->ticker, "ticker", takc_server_tick, s, err);
    s->ticks = !st;
    return st;
}

enum takc_status takc_server_open(struct takc_server **out, const struct takc_server_options *o, struct takc_err *err)
{
    struct takc_server *s = takc_alloc(sizeof(*s));
    if (!s)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a server");
    memset(s, 0, sizeof(*s));
    s->listen_fd = -1;
    takc_arena_init(&s->arena);
    takc_certificate_init(&s->tls);
    enum takc_status st = takc_mutex_init(&s->locked.mu, err);
    if (!st && (st = takc_cond_init(&s->locked.empty, err)) != TAKC_OK)
        takc_mutex_clear(&s->locked.mu);
    if (st) {
        takc_free(s);
        return st;
    }
    st = copy_options(s, o, err);
    if (!st)
        st = takc_mhd_load(&s->mhd, err);
    if (!st)
        st = open_socket(s, err);
    if (!st)
        st = start_threads(s, err);
    if (st)
        takc_server_close(s, 0);
    else
        *out = s;
    return st;
}

uint16_t takc_server_port(const struct takc_server *s)
{
    return s->port;
}

/* ---- reloading ---- */

static void forget_old(struct takc_server *s, bool all)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_old; i++) {
        const union MHD_DaemonInfo *d = s->mhd->get_daemon_info(s->old[i].daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
        if (all || !d || d->num_connections == 0)
            stop(s, &s->old[i]);
        else
            s->old[n++] = s->old[i];
    }
    s->n_old = n;
}

enum takc_status takc_server_reload(struct takc_server *s, struct takc_err *err)
{
    struct listener fresh;
    forget_old(s, false);
    if (!s->o.cert_file)
        return TAKC_OK;
    if (s->n_old == sizeof(s->old) / sizeof(s->old[0]))
        return takc_fail(err, TAKC_BUSY, 0, "connections of %zu earlier certificates stand yet", s->n_old);
    enum takc_status st = start_daemon(s, &fresh, err);
    if (st)
        return st;
    (void)s->mhd->quiesce_daemon(s->now.daemon);
    s->old[s->n_old++] = s->now;
    s->now = fresh;
    return TAKC_OK;
}

/* ---- closing ---- */

/* Ends what nobody is in the middle of; cancel: the rest, too. How many connections there are. */
static size_t let_go(struct takc_server *s, bool cancel)
{
    takc_mutex_lock(&s->locked.mu);
    for (struct connection *c = s->locked.first; c; c = c->next) {
        if (atomic_load(&c->phase) == PHASE_IDLE || cancel)
            (void)shutdown(c->fd, SHUT_RDWR);
        if (cancel && c->transfer)
            atomic_store(&c->transfer->x.call.cancel, true);
    }
    if (s->locked.n)
        takc_cond_wait_ms(&s->locked.empty, &s->locked.mu, 20);
    size_t n = s->locked.n;
    takc_mutex_unlock(&s->locked.mu);
    return n;
}

static void drain(struct takc_server *s, uint64_t ms)
{
    const struct takc_clock *clock = takc_clock_system();
    uint64_t until = clock->mono_ns(clock) + ms * 1000000u;
    (void)s->mhd->quiesce_daemon(s->now.daemon);
    (void)shutdown(s->listen_fd, SHUT_RD); /* who comes now is refused by the system, at once, and may go elsewhere */
    while (clock->mono_ns(clock) < until)
        if (!let_go(s, false))
            return;
    size_t left = let_go(s, true);
    if (left)
        takc_log(WARN, "http", "%zu connections were ended before their requests were", left);
}

void takc_server_close(struct takc_server *s, uint64_t drain_ms)
{
    if (!s)
        return;
    if (s->now.daemon)
        drain(s, drain_ms);
    takc_crew_close(s->crew);
    takc_crew_close(s->crew_ahead); /* no connection is suspended any more */
    atomic_store(&s->closing, true);
    if (s->ticks)
        (void)pthread_join(s->ticker, NULL);
    if (s->now.daemon) {
        stop(s, &s->now);
        forget_old(s, true);
    }
    if (s->listen_fd >= 0)
        (void)close(s->listen_fd);
    takc_certificate_clear(&s->tls);
    takc_arena_clear(&s->arena);
    takc_cond_clear(&s->locked.empty);
    takc_mutex_clear(&s->locked.mu);
    takc_free(s);
}

void takc_server_count(struct takc_server *s, struct takc_server_counts *out)
{
    struct takc_crew_counts n;
    takc_crew_count(s->crew, &n);
    *out = (struct takc_server_counts){.connections = atomic_load(&s->n_connections),
                                       .requests = atomic_load(&s->n_requests),
                                       .refused = atomic_load(&s->n_refused),
                                       .timed_out = atomic_load(&s->n_timed_out),
                                       .gone = atomic_load(&s->n_gone),
                                       .running = n.running,
                                       .waiting = n.waiting};
    takc_mutex_lock(&s->locked.mu);
    out->open = s->locked.n;
    takc_mutex_unlock(&s->locked.mu);
}
