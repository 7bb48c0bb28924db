/* SPDX-License-Identifier: Apache-2.0
 *
 * http/server.h - the transport of `takc serve`: connections, framing, deadlines, backpressure. What requests mean is the callbacks'.
 *
 * libmicrohttpd parses on a few threads, each with an epoll (with TLS a poll); requests that may wait run on fibers (base/fiber.h), their
 * connections are suspended meanwhile, so a waiting request holds no thread and no poll. A ticker looks ten times a second for deadlines
 * (head, body, whole request, a reply that is taken too slowly), for streams of events that are silent, which get a comment, and for
 * clients that have gone, which the library does not see of a suspended connection; such a request's call is cancelled.
 * Refused before a route is looked for: everything that http/guard.h names. The library itself refuses what is no HTTP at all, with a page
 * of its own (400, 413, 431).
 * Threads: open, reload and close from one; stop from anywhere, a signal's handler included. */
#ifndef TAKC_HTTP_SERVER_H
#define TAKC_HTTP_SERVER_H

#include "http/exchange.h"

struct takc_server;

struct takc_server_handlers {
    /* The head is there and passed the guard. Sets the limits of x; or its reply, then no body is read. On the connection's thread. */
    void (*begin)(void *arg, struct takc_exchange *x);
    /* Where begin set x->admits: may this go on? Fills the reply if not; then no body is read. On a fiber, before the body. */
    void (*admit)(void *arg, struct takc_exchange *x);
    /* The request is whole: fills the reply. */
    void (*handle)(void *arg, struct takc_exchange *x);
    /* What the transport refuses: fills the reply with an error body. begin was not called, or handle will not be. */
    void (*refuse)(void *arg, struct takc_exchange *x, int status, const char *why);
    /* Status and headers are about to be sent: adds headers that every reply has. */
    void (*headers)(void *arg, struct takc_exchange *x);
    /* The exchange has ended; whole: the client took all of it. x is read for the last time. */
    void (*ended)(void *arg, const struct takc_exchange *x, bool whole);
    void *arg;
};

struct takc_server_options {
    const char *address;              /* "127.0.0.1", "::1", "0.0.0.0" */
    uint16_t port;                    /* 0: any free one */
    const char *cert_file, *key_file; /* PEM; both or none */
    unsigned n_io, n_workers;         /* threads; 0: 2 and one per processor */
    size_t running_max, waiting_max;  /* requests on fibers at a time, and in the queue; 0: 1,024 each. More is 503 */
    size_t connections_max;           /* 0: 20,000, cut to what the process may open */
    struct takc_guard_limits guard;
    uint64_t head_ms, body_ms, request_ms, write_ms, idle_ms; /* 0: 10 s, 60 s, 120 s, 60 s, 75 s */
    uint64_t ping_ms; /* silence of a stream of events, then it sends a comment; 0: 15 s, below what proxies wait (nginx: 60 s) */
    struct takc_server_handlers handlers;
};

/* Listens. Everything in o is copied but handlers.arg. INVALID: address, half a TLS, an unreadable or wrong certificate, named; BUSY: the
 * port is taken; DENIED: it may not be bound; UNSUPPORTED: no libmicrohttpd. Returns owned: takc_server_close. */
TAKC_CHECK enum takc_status takc_server_open(struct takc_server **out, const struct takc_server_options *o, struct takc_err *err);
/* Where it listens: that of the options, or the one that the system chose for 0. */
uint16_t takc_server_port(const struct takc_server *s);
/* Reads the certificate again; connections that stand keep theirs. On failure the old one stays. */
TAKC_CHECK enum takc_status takc_server_reload(struct takc_server *s, struct takc_err *err);
/* Takes no new connection, lets requests end within ms, cancels what is left, frees. NULL is harmless. */
void takc_server_close(struct takc_server *s, uint64_t drain_ms);

struct takc_server_counts {
    uint64_t connections, requests, refused, timed_out, gone; /* since open */
    size_t open, running, waiting;                            /* now */
};
/* From any thread; each is of this moment. */
void takc_server_count(struct takc_server *s, struct takc_server_counts *out);

#endif
