/* SPDX-License-Identifier: Apache-2.0
 *
 * net/http_parts.h - what the files of the HTTP client share; nothing here is for others.
 *
 * http.c         opening, closing, starting: any thread
 * http_request.c a transfer made out of a request: the thread that starts it
 * http_reply.c   replies, and what libcurl calls as bytes come: the client's thread
 * http_loop.c    the client's thread: who may run, deadlines, ends */
#ifndef TAKC_NET_HTTP_PARTS_H
#define TAKC_NET_HTTP_PARTS_H

#include "base/thread.h"
#include "net/curl.h"
#include "net/http.h"

/* Where a transfer is; each place has its own limit of time. */
enum takc_http_stage {
    TAKC_HTTP_STAGE_UNSET = 0,
    TAKC_HTTP_QUEUED,     /* waits for one of the connections of its host */
    TAKC_HTTP_CONNECTING, /* until TLS stands, too */
    TAKC_HTTP_SENDING,
    TAKC_HTTP_WAITING, /* all was sent, no byte of the body has come */
    TAKC_HTTP_BODY
};

struct takc_http_transfer {
    struct takc_http_transfer *next; /* in the inbox, or in its host's lists */
    struct takc_http *client;
    struct takc_http_host *host;
    struct takc_call *call;            /* borrowed; NULL: none */
    const struct takc_http_request *r; /* borrowed */
    takc_http_done_fn *done;
    void *arg;
    CURL *easy;
    struct takc_buf text;     /* URL and header lines, each with its NUL; wiped when freed */
    struct curl_slist *lines; /* an array; data points into text */
    struct takc_str where;    /* "HOST:PORT" of the URL, in text: for messages, and with https what is connected to */
    bool is_https;
    enum takc_http_stage stage;
    uint64_t started_ns, added_ns, connected_ns, sent_ns, first_ns, moved_ns; /* moved: the last step forward of this stage */
    long sent_before;    /* what libcurl had sent when the request began: a proxy's CONNECT */
    curl_off_t n_up;     /* bytes of the body that were sent when last looked */
    size_t n_body;       /* bytes of the body that have come */
    bool is_stale;       /* the kept connection that it was given is not fit for use */
    bool head_whole;     /* of this head the blank line was seen; another may follow a 1xx */
    bool answered;       /* a final head is parsed */
    enum takc_status st; /* why we end it, when not libcurl */
    struct takc_err err;
    struct takc_http_reply reply;
    char said[CURL_ERROR_SIZE]; /* libcurl's own words */
};

/* One scheme and authority: its requests that run and wait. Belongs to the client's thread. */
struct takc_http_host {
    struct takc_http_host *next;
    struct takc_buf name; /* authority as the first request wrote it */
    bool is_https;
    struct takc_http_transfer *running, *waiting, **waiting_tail;
    unsigned n_running;
};

struct takc_http {
    const struct takc_curl *curl;
    CURLM *multi;
    pthread_t thread;
    char *ca_file, *proxy, *user_agent; /* owned; NULL as in the options */
    struct takc_buf resolve_text;
    struct curl_slist *resolve; /* an array, NULL: none */
    unsigned max_per_host;
    size_t max_waiting;
    struct takc_http_host *hosts; /* this and the next are the client's thread's */
    int *sockets;                 /* that are open */
    size_t n_sockets, cap_sockets;
    uint64_t look_waiting_ns; /* when those that wait for a connection are looked at next */
    struct {
        struct takc_mutex mu;
        struct takc_http_transfer *inbox, **tail; /* started, not yet seen by the client's thread */
        size_t n_open;
        bool closing;
        struct takc_http_counts counts;
    } locked;
};

/* Numbers where the request gives none. */
static inline uint64_t takc_http_or(uint64_t given, uint64_t otherwise)
{
    return given ? given : otherwise;
}
size_t takc_http_max_reply(const struct takc_http_request *r);
uint64_t takc_http_now(void);

/* A transfer that libcurl could run. INVALID, NOMEM. Returns owned. */
TAKC_CHECK enum takc_status takc_http_transfer_new(struct takc_http_transfer **out, struct takc_http *h, struct takc_call *call,
                                                   const struct takc_http_request *r, struct takc_err *err);
/* Wipes what may be secret. */
void takc_http_transfer_free(struct takc_http_transfer *t);
/* Points an array of n + 1 nodes at n texts that stand one behind the other, each with its NUL. */
void takc_http_lines_link(struct curl_slist *nodes, char *text, size_t n);

/* libcurl's callbacks; arg is the transfer. on_socket: before a connection is made; on_connected: between connection and request. */
curl_socket_t takc_http_on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a);
int takc_http_on_close(void *client, curl_socket_t fd);
int takc_http_on_connected(void *arg, char *remote, char *local, int remote_port, int local_port);
size_t takc_http_on_head(char *line, size_t one, size_t n, void *arg);
size_t takc_http_on_body(char *piece, size_t one, size_t n, void *arg);

/* The client's thread. */
void *takc_http_run(void *client);

#endif
