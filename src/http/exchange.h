/* SPDX-License-Identifier: Apache-2.0
 *
 * http/exchange.h - one request and its reply, as handlers see them: nothing of libmicrohttpd.
 *
 * A handler runs once the body is whole, on the thread of the connection (routes that never wait) or on a fiber of the server's crew, and
 * fills the reply; or it begins a stream and sends pieces, which are on their way while it goes on.
 * Threads: an exchange is its handler's until that returns; pieces are handed over safely. */
#ifndef TAKC_HTTP_EXCHANGE_H
#define TAKC_HTTP_EXCHANGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/pool.h"
#include "http/guard.h"
#include "takc/call.h"

enum { TAKC_DIGEST_AGAIN = 0 /* is it the same write again? */, TAKC_DIGEST_SIGNED /* is it what was signed? */, TAKC_DIGESTS };
enum { TAKC_REQUEST_ID_BYTES = 65, TAKC_EXCHANGE_HEADERS = 40 };

struct takc_noted_answer {                /* of a question that was answered, or was not */
    const char *mode, *outcome, *failure; /* static texts; the last of a model that failed, else NULL */
    char rate[24], provider[24], model[96];
    uint64_t input, output, cache_read, cache_write; /* tokens */
    uint64_t picodollars;
    unsigned tries;
    double confidence;
    uint64_t cache_ns, choose_ns, model_ns;
};

/* What metrics, log and traces tell of a request beyond its head and its reply; http/observe.h fills and reads it. */
struct takc_noted {
    char trace_id[33], span_id[17], parent_id[17]; /* W3C trace context, lower-case hex; empty: none */
    char admit_id[17], model_id[17];               /* of the spans that requests to others are made under */
    char traceparent[56];                          /* that they are sent with now (http/trace.h) */
    bool sampled, sends_on;                        /* sends_on: requests to others are sent with it */
    bool audited;                                  /* its audit row is written */
    struct takc_str question;                      /* for the access log, where that is switched on; in the arena */
    atomic_bool told;                              /* set behind the rest, which is of a question that was answered */
    struct takc_noted_answer answer;               /* of several: sums, and what all have in common */
    unsigned n_questions, n_failed;                /* of a request that asked several; 0: one, or none */
    atomic_uint n_item_spans;
};

struct takc_exchange {
    /* the request; all of it lives as long as the exchange */
    struct takc_arena arena;                     /* handlers may use it */
    struct takc_call call;                       /* deadline of the whole; cancelled when the client has gone */
    struct takc_str method, target, path, query; /* path and query as they came, still escaped */
    const struct takc_header *headers;
    size_t n_headers;
    struct takc_buf body;
    char peer[48]; /* address without port */
    bool tls;
    char request_id[TAKC_REQUEST_ID_BYTES];     /* the client's own where it is a sensible one, else made here */
    uint64_t began_ns;                          /* on the machine's clock: when the head was there */
    uint64_t admit_from_ns, admit_ns;           /* when admit began, how long it took; 0: it was not called */
    atomic_uint_fast64_t work_from_ns, work_ns; /* the same of handle */
    struct takc_noted noted;
    /* set by begin */
    uint64_t body_max; /* bytes; more is 413 */
    uint64_t body_ms;  /* for the whole body; 0: the server's */
    bool quick;        /* never waits: may run on the connection's thread */
    bool admits;       /* admit is called, on a fiber, before the body is read */
    bool ahead;        /* is not kept waiting by others: what operators look at when all else is full. A few at a time */
    /* Takes the body piece by piece, on the connection's thread, in place of body: it writes a file, and does not wait for anybody. A
     * failure is the reply: INVALID 400, FULL 507, else 500. */
    enum takc_status (*sink)(void *arg, struct takc_str piece, struct takc_err *err);
    void *sink_arg;
    /* Every piece of the body is added to each, be it kept or sunk, on the connection's thread; who sets one begins and clears it. */
    struct takc_sha256 *digests[TAKC_DIGESTS];
    void *about; /* whatever begin and handle share */
    /* the reply; status 0: none yet */
    int status;
    const char *content_type; /* NULL: application/json */
    struct takc_buf reply;
    struct takc_str kept; /* in place of reply: bytes that are somebody's, sent without a copy; kept_release(kept_arg) gives them back */
    void (*kept_release)(void *arg); /* from any thread, once; NULL: kept is not used */
    void *kept_arg;
    int kept_fd; /* with kept_file: a file of just these bytes, which the system can send by itself; borrowed as kept is */
    bool kept_file;
    struct takc_header out[TAKC_EXCHANGE_HEADERS];
    size_t n_out;
    bool streams; /* a stream was begun */
    uint64_t sent_bytes;
};

/* Adds a header to the reply; both are copied. An empty value is left out; so is one with a line break, and
 * one header too many: logged, never split. */
void takc_exchange_header(struct takc_exchange *x, const char *name, struct takc_str value);
/* Text of the header of the request, or the empty view. */
struct takc_str takc_exchange_asked(const struct takc_exchange *x, const char *name);

/* Runs more of the request's work on another fiber; run or drop is called once, on OK only. Whoever forks waits for it: the exchange is not
 * kept alive by it. BUSY: there is none left, the caller does the work itself. */
TAKC_CHECK enum takc_status takc_exchange_fork(struct takc_exchange *x, struct takc_job job, struct takc_err *err);
/* Gives back x->kept, if there is one: the reply is another. */
void takc_exchange_drop_kept(struct takc_exchange *x);

/* Sends status and headers now; pieces follow. Once, from any thread while the handler
 * runs on a fiber. CANCELLED: the client has gone. */
TAKC_CHECK enum takc_status takc_exchange_stream(struct takc_exchange *x, int status, const char *content_type, struct takc_err *err);
/* Hands a piece over; waits while much is on its way already. CANCELLED: the client has gone; TIMEOUT: it takes nothing. */
TAKC_CHECK enum takc_status takc_exchange_send(struct takc_exchange *x, struct takc_str piece, struct takc_err *err);
/* The same from a thread that may not wait; TIMEOUT when a mebibyte is on its way already. */
TAKC_CHECK enum takc_status takc_exchange_post(struct takc_exchange *x, struct takc_str piece, struct takc_err *err);

#endif
