/* SPDX-License-Identifier: Apache-2.0
 *
 * net/http.h - an HTTP/1.1 client: a pool of kept connections, deadlines of every stage, replies whole or a piece at a time.
 *
 * One thread of its own drives all transfers (libcurl, multi interface), so a waiting request holds no thread of the caller's: start a
 * request and be told, or send it and wait. Connections are kept and used again, per host and per client.
 * TLS is verified always; ca_file adds to nothing, it takes the system's place. Proxies: the option, else https_proxy, http_proxy, no_proxy
 * as other programs read them. Redirects are not followed (a signed request would be sent elsewhere). Nothing is repeated of which a byte
 * may have been read: a kept connection that breaks under a request is an error of that request.
 * libcurl is loaded by the first open (net/curl.h): a program that opens none does not pay for it.
 * Threads: a client may be used from any thread. Callbacks run on the client's thread, must not block, and may call start, not send or
 * close. */
#ifndef TAKC_NET_HTTP_H
#define TAKC_NET_HTTP_H

#include "base/buf.h"
#include "base/clock.h"

struct takc_http;

struct takc_http_options {
    const char *ca_file;        /* PEM; NULL: the system's */
    const char *proxy;          /* NULL: from the environment; "": none */
    unsigned max_per_host;      /* connections; 0: 16. More requests wait for one */
    size_t max_waiting;         /* requests that wait or run; 0: 4096; one more is BUSY */
    const char *user_agent;     /* NULL: "takc/VERSION" */
    const char *const *resolve; /* "HOST:PORT:ADDRESS", NULL behind the last; NULL: none. For tests */
};

/* Starts the client's thread. Everything in o is copied. Returns owned: takc_http_close. NOMEM, BUSY (no more threads), INVALID (a ca_file
 * that cannot be read or holds no certificate, named), UNSUPPORTED (no libcurl, or one older than 7.80). o may be NULL. */
TAKC_CHECK enum takc_status takc_http_open(struct takc_http **out, const struct takc_http_options *o, struct takc_err *err);
/* Ends what still runs (CANCELLED), frees. NULL is harmless. */
void takc_http_close(struct takc_http *h);

struct takc_http_header {
    struct takc_str name, value; /* as sent: no line breaks in either (INVALID) */
};

/* A piece of a 2xx body. Anything but OK ends the transfer with that status. */
typedef enum takc_status takc_http_piece_fn(void *arg, struct takc_str piece, struct takc_err *err);

struct takc_http_request { /* borrowed until the reply */
    const char *method;    /* "GET", "POST", ... */
    struct takc_str url;   /* http:// or https://; the path is sent as it stands: no dot segments removed, nothing escaped again */
    const struct takc_http_header *headers;
    size_t n_headers; /* Host, User-Agent and Content-Length are added, and nothing else; INVALID: what frames the message (Content-Length,
                         Transfer-Encoding, Connection, Expect, Accept-Encoding, TE, Upgrade) */
    struct takc_str body;
    uint64_t connect_ms;    /* to an open connection, TLS included; 0: 10,000 */
    uint64_t first_byte_ms; /* from sent to the first byte of the body, or of the headers when there is none; 0: 60,000 */
    uint64_t idle_ms;       /* between two pieces of the body, in either direction; 0: 60,000 */
    uint64_t total_ms;      /* with the wait for a connection of the pool; 0: 600,000; the call's deadline cuts it, too */
    size_t max_reply;       /* bytes of body kept or streamed; 0: 64 MiB; more is UPSTREAM */
    bool direct;            /* by no proxy, whatever options and environment say: for services of the machine itself */
    bool public_only;       /* no connection to an address that is not public (net/address.h), whatever its name resolves to: REFUSED. Set
                               direct, too (a proxy's address is looked at, not what it connects to), and use a client that makes no other
                               requests: connections that stand are not looked at again */
    takc_http_piece_fn *piece; /* NULL: the body is kept in the reply. Bodies of other than 2xx are always kept, then up to 1 MiB */
    void *arg;
};

struct takc_http_reply {
    int status; /* 0: none came */
    struct takc_buf body;
    struct takc_buf head;             /* owns the bytes of headers */
    struct takc_http_header *headers; /* names in lower case, in the order they came */
    size_t n_headers;
    uint64_t connect_ms, first_byte_ms, total_ms; /* what each stage took; connect_ms 0 on a kept connection */
    bool reused;                                  /* an open connection was used again */
    bool sent;                                    /* the request may have reached the server: false means that repeating is safe */
};
void takc_http_reply_init(struct takc_http_reply *r);
/* Frees; twice is harmless. */
void takc_http_reply_clear(struct takc_http_reply *r);
/* The first header of that name (lower case), or the empty view. Lives as long as r. */
struct takc_str takc_http_reply_header(const struct takc_http_reply *r, const char *name);

/* Sends and waits. OK for any HTTP status: the caller judges it. out is initialised and filled as far as it came, whatever the status;
 * clear it. TIMEOUT names the stage ("no connection to HOST within 10 s"); UPSTREAM: no connection, it broke, TLS failed, no HTTP, too
 * large; REFUSED: public_only and an address that is not, named; UNTRUSTED: a certificate that is unknown, out of date or another host's,
 * with the setting that says whom to trust; CANCELLED within 100 ms of the call's flag; INVALID: url, headers; BUSY; NOMEM. Secrets (url's
 * query, headers) are in no message.
 */
TAKC_CHECK enum takc_status takc_http_send(struct takc_http *h, struct takc_call *call, const struct takc_http_request *r,
                                           struct takc_http_reply *out, struct takc_err *err);

/* Told once per started request, on the client's thread; the reply is the callback's to read and is cleared behind it. */
typedef void takc_http_done_fn(void *arg, enum takc_status status, struct takc_http_reply *reply, const struct takc_err *err);
/* Starts and returns. r, what it points to, and call live until done was called; done is called if and only if this returns OK. */
TAKC_CHECK enum takc_status takc_http_start(struct takc_http *h, struct takc_call *call, const struct takc_http_request *r,
                                            takc_http_done_fn *done, void *arg, struct takc_err *err);

/* What the client did since it was opened; for metrics and for tests of the pool. */
struct takc_http_counts {
    uint64_t requests, connections, reused, failed;
};
void takc_http_count(struct takc_http *h, struct takc_http_counts *out);

#endif
