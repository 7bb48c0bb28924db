/* SPDX-License-Identifier: Apache-2.0
 *
 * http/server_parts.h - what the files of the transport share; private to them.
 *
 *   server.c            options, listening, TLS, opening and closing
 *   transfer.c          one request through libmicrohttpd: head, body, handler
 *   transfer_reply.c    its reply
 *   transfer_stream.c   a reply that is made while it goes out
 *   ticker.c            deadlines, clients that have gone */
#ifndef TAKC_HTTP_SERVER_PARTS_H
#define TAKC_HTTP_SERVER_PARTS_H

#include "base/fiber.h"
#include "http/certificate.h"
#include "http/mhd.h"
#include "http/server.h"

enum phase {
    PHASE_IDLE,    /* between requests, or before the first one's head is whole */
    PHASE_BODY,    /* the body comes */
    PHASE_WORKS,   /* a handler has it */
    PHASE_WRITES,  /* the reply goes out */
    PHASE_STREAMS, /* as its handler makes it */
    PHASE_CUT      /* the ticker has shut it down */
};

struct transfer;

struct connection { /* lives from accept to close */
    struct takc_server *server;
    struct connection *next, *prev; /* of the server's list */
    int fd;
    bool tls;
    atomic_int phase;
    atomic_uint_fast64_t since_ns, limit_ms; /* of the phase */
    atomic_bool asked;                       /* had a request */
    struct transfer *transfer;               /* with the list's lock; NULL between requests */
    struct transfer *announced;              /* its line was read, its head not yet; the io thread's */
};

enum {
    STREAM_ROOM = 64 * 1024,     /* bytes that may be on their way between a handler and its client before it waits */
    STREAM_POSTED_MAX = 1 << 20, /* where it may not wait */
    STREAM_FIRST = 4096,
    LENT_MAX = 128 /* descriptors of files that are on their way; more are sent from memory */
};

struct transfer {
    struct takc_exchange x; /* first: an exchange is cast back */
    struct connection *connection;
    struct MHD_Connection *mhd;
    struct takc_server *server;
    atomic_uint n_refs;
    /* the io thread's, but for ADMITTED and HANDLED, set while suspended */
    enum { STEP_HEAD, STEP_ADMITTED, STEP_BODY, STEP_HANDLED, STEP_QUEUED } step;
    struct takc_framing framing;
    uint64_t body_seen;
    bool lends;   /* a file's descriptor, counted in the server's n_lent */
    int too_late; /* status to refuse with once the body has come */
    char why[128];
    struct { /* of a stream */
        struct takc_mutex mu;
        struct takc_cond moved;
        char *bytes; /* a ring of cap */
        size_t first, n, cap;
        bool ended, gone, paused; /* paused: the reader has suspended the connection */
        bool amid;                /* a piece has gone into the ring in part */
    } locked;
};

struct listener { /* a daemon of the library, and its own descriptor of the listening socket, which it closes where it fails to start */
    struct MHD_Daemon *daemon; /* NULL: none */
    int fd;
};

struct takc_server {
    struct takc_server_options o;
    const struct takc_mhd *mhd;
    struct listener now;
    struct takc_crew *crew, *crew_ahead;
    int listen_fd;
    uint16_t port;
    struct takc_arena arena;
    struct takc_certificate tls;
    pthread_t ticker;
    bool ticks;
    atomic_bool closing;
    atomic_uint_fast64_t n_connections, n_requests, n_refused, n_timed_out, n_gone;
    atomic_uint n_lent;
    struct listener old[16]; /* reloaded away; their connections stand */
    size_t n_old;
    struct {
        struct takc_mutex mu;
        struct takc_cond empty; /* told when the last connection goes */
        struct connection *first;
        size_t n;
    } locked;
};

/* --- transfer.c: libmicrohttpd's callbacks, on its threads; cls is the server --- */
/* The request's line has come. Returns the transfer, owned by the library until takc_transfer_completed; NULL: no memory. */
void *takc_transfer_uri(void *cls, const char *uri, struct MHD_Connection *c);
/* Its head, every piece of its body, its end, and again whenever a suspended one goes on. NO: the library closes the connection. */
enum MHD_Result takc_transfer_access(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                                     const char *upload, size_t *upload_size, void **con_cls);
/* It has ended, whichever way: what still works on it is cancelled. */
void takc_transfer_completed(void *cls, struct MHD_Connection *c, void **con_cls, enum MHD_RequestTerminationCode how);
/* A connection begins or ends. */
void takc_transfer_notify(void *cls, struct MHD_Connection *c, void **socket_context, enum MHD_ConnectionNotificationCode what);

/* --- transfer_reply.c --- */
/* Queues the reply that the exchange holds; on the io thread. NO: the library closes the connection. */
enum MHD_Result takc_transfer_reply(struct transfer *t);

/* --- transfer_stream.c --- */
/* libmicrohttpd's reader of a stream; cls is the transfer. Suspends the connection where nothing has been sent yet. */
ssize_t takc_transfer_stream_read(void *cls, uint64_t pos, char *buf, size_t max);
/* The handler has sent all of it. */
void takc_transfer_stream_end(struct transfer *t);
/* A comment where nothing is on its way, so that nobody between takes the stream for dead; from the ticker. */
void takc_transfer_stream_ping(struct transfer *t);
/* The client takes no more: who sends is told. */
void takc_transfer_stream_leave(struct transfer *t);

/* --- ticker.c --- */
/* The ticker's thread, until the server is closing. Returns NULL. */
void *takc_server_tick(void *server);
/* Puts a connection into a phase that may take so long. */
void takc_connection_phase(struct connection *c, enum phase p, uint64_t limit_ms);

#endif
