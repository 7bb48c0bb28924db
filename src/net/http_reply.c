/* SPDX-License-Identifier: Apache-2.0
 *
 * http_reply.c - replies as they come. libcurl has checked the framing; here heads become headers and bodies go where they should.
 * A head that is too long, a body that is too long and a receiver that has enough end the transfer by refusing bytes. */
#include "base/alloc.h"
#include "net/address.h"
#include "net/http_parts.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD_MAX = 64 << 10,  /* far above what services send (some KiB); libcurl alone would take 300 */
    REFUSAL_MAX = 1 << 20 /* of a reply that was to be streamed, perhaps without end, and is a refusal: kept */
};

void takc_http_reply_init(struct takc_http_reply *r)
{
    *r = (struct takc_http_reply){0};
    takc_buf_init(&r->body, TAKC_BUF_MAX_REPLY);
    takc_buf_init(&r->head, HEAD_MAX);
}

void takc_http_reply_clear(struct takc_http_reply *r)
{
    takc_buf_clear(&r->body);
    takc_buf_clear(&r->head);
    takc_free(r->headers);
    takc_http_reply_init(r);
}

struct takc_str takc_http_reply_header(const struct takc_http_reply *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (takc_str_is(r->headers[i].name, name))
            return r->headers[i].value;
    return takc_str("");
}

static void lower(struct takc_str s, char *bytes)
{
    for (size_t i = 0; i < s.len; i++)
        if (bytes[i] >= 'A' && bytes[i] <= 'Z')
            bytes[i] = (char)(bytes[i] + 32);
}

/* Splits the head in place. A line that begins with a blank belongs to the one before it (obsolete folding): it is joined. */
static enum takc_status parse_head(struct takc_http_reply *r, struct takc_err *err)
{
    struct takc_str rest = takc_buf_str(&r->head), line;
    size_t cap = 0;
    for (size_t i = 0; i + 1 < r->head.len; i++)
        if (r->head.ptr[i] == '\n' && (r->head.ptr[i + 1] == ' ' || r->head.ptr[i + 1] == '\t')) {
            r->head.ptr[i] = ' ';
            if (i > 0 && r->head.ptr[i - 1] == '\r')
                r->head.ptr[i - 1] = ' ';
        }
    while (takc_str_split(&rest, '\n', &line)) {
        size_t colon = takc_str_find_byte(line, ':', 0);
        if (colon == SIZE_MAX || colon == 0)
            continue; /* the end, or what libcurl let pass without a name */
        enum takc_status st = takc_grow(&r->headers, &cap, r->n_headers + 1, sizeof(*r->headers), err);
        if (st)
            return st;
        struct takc_http_header *h = &r->headers[r->n_headers++];
        h->name = takc_str_trim(takc_str_slice(line, 0, colon));
        h->value = takc_str_trim(takc_str_slice(line, colon + 1, line.len));
        lower(h->name, r->head.ptr + (h->name.ptr - r->head.ptr));
    }
    return TAKC_OK;
}

/* "HTTP/1.1 200 OK": libcurl has looked at it; 0 for what is no number. */
static int read_status(struct takc_str line)
{
    uint64_t n = 0;
    size_t blank = takc_str_find_byte(line, ' ', 0);
    if (blank == SIZE_MAX || line.len < blank + 4 || takc_str_u64(takc_str_slice(line, blank + 1, blank + 4), 999, &n, NULL))
        return 0;
    return (int)n;
}

/* libcurl repeats a request by itself when a kept connection breaks before the answer. Once bytes of it went out that is stopped: it may
 * have been read, and billed; the caller shall know. */
static bool would_repeat(struct takc_http_transfer *t)
{
    long sent = 0;
    (void)t->client->curl->easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
    return t->connected_ns && sent > t->sent_before;
}

/* libcurl has looked the name up and is about to connect to just this address: nothing can come in between. */
static enum takc_status check_address(struct takc_http_transfer *t, const struct sockaddr *a)
{
    char text[TAKC_ADDRESS_TEXT];
    if (!t->r->public_only || takc_address_is_public(a))
        return TAKC_OK;
    takc_address_text(a, text);
    return takc_fail(&t->err, TAKC_REFUSED, 0, "%.*s has the address %s, which is not a public one", TAKC_STR_ARG(t->where), text);
}

curl_socket_t takc_http_on_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct takc_http_transfer *t = arg;
    struct takc_http *h = t->client;
    (void)purpose;
    if (t->st)
        return CURL_SOCKET_BAD; /* the next address of a name: it is over already */
    if (would_repeat(t)) {
        t->st = takc_fail(&t->err, TAKC_UPSTREAM, 0, "%.*s: closed the connection before it answered", TAKC_STR_ARG(t->where));
        return CURL_SOCKET_BAD;
    }
    t->st = check_address(t, &a->addr);
    if (t->st)
        return CURL_SOCKET_BAD;
    t->st = takc_grow(&h->sockets, &h->cap_sockets, h->n_sockets + 1, sizeof(*h->sockets), &t->err);
    int fd = t->st ? -1 : socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
    if (fd < 0)
        return CURL_SOCKET_BAD;
    h->sockets[h->n_sockets++] = fd;
    return fd;
}

int takc_http_on_close(void *arg, curl_socket_t fd)
{
    struct takc_http *h = arg;
    for (size_t i = 0; i < h->n_sockets; i++)
        if (h->sockets[i] == fd)
            h->sockets[i--] = h->sockets[--h->n_sockets];
    return close(fd);
}

static int port_of(int fd)
{
    union {
        struct sockaddr_in6 v6; /* the longest, so that all is zeroed */
        struct sockaddr_in v4;
        struct sockaddr any;
    } a = {.v6 = {.sin6_family = 0}};
    socklen_t n = sizeof(a);
    if (getsockname(fd, &a.any, &n))
        return 0;
    return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

/* Is there something to read on a kept connection before anything was asked? Then the server closed it, or sent more than one reply, and
 * what is left of that would be taken for ours. libcurl does not say which socket it means before the request; the port does. */
static bool is_stale(const struct takc_http *h, int local_port)
{
    for (size_t i = 0; i < h->n_sockets; i++) {
        struct pollfd p = {.fd = h->sockets[i], .events = POLLIN};
        if (port_of(p.fd) == local_port && poll(&p, 1, 0) != 0)
            return true;
    }
    return false;
}

int takc_http_on_connected(void *arg, char *remote, char *local, int remote_port, int local_port)
{
    struct takc_http_transfer *t = arg;
    const struct takc_curl *curl = t->client->curl;
    long opened = 0;
    (void)remote;
    (void)local;
    (void)remote_port;
    (void)curl->easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &t->sent_before);
    (void)curl->easy_getinfo(t->easy, CURLINFO_NUM_CONNECTS, &opened);
    t->reply.reused = opened == 0;
    t->is_stale = t->reply.reused && is_stale(t->client, local_port);
    /* Should it be repeated, now or by libcurl: on a connection of its own, so that no other kept one is taken for it. */
    (void)curl->easy_setopt(t->easy, CURLOPT_FRESH_CONNECT, 1L);
    if (t->is_stale)
        return CURL_PREREQFUNC_ABORT; /* http_loop.c starts it again */
    t->stage = TAKC_HTTP_SENDING;
    t->connected_ns = t->moved_ns = takc_http_now();
    return CURL_PREREQFUNC_OK;
}

static enum takc_status take_head_line(struct takc_http_transfer *t, struct takc_str line)
{
    struct takc_http_reply *r = &t->reply;
    if (t->answered)
        return TAKC_OK; /* trailers: what stands in them nobody here asks for */
    if (r->status == 0 || t->head_whole) {
        takc_buf_reset(&r->head);
        t->head_whole = false;
        r->status = read_status(line);
        return r->status ? TAKC_OK : takc_fail(&t->err, TAKC_UPSTREAM, 0, "%.*s: a reply without status", TAKC_STR_ARG(t->where));
    }
    if (takc_str_trim(line).len == 0) {
        t->head_whole = true;
        t->answered = r->status >= 200;
        return t->answered ? parse_head(r, &t->err) : TAKC_OK;
    }
    enum takc_status st = takc_buf_add(&r->head, line, &t->err);
    if (st == TAKC_INVALID)
        return takc_fail(&t->err, TAKC_UPSTREAM, 0, "%.*s: headers of more than %d KiB", TAKC_STR_ARG(t->where), HEAD_MAX >> 10);
    return st;
}

size_t takc_http_on_head(char *line, size_t one, size_t n, void *arg)
{
    struct takc_http_transfer *t = arg;
    t->st = take_head_line(t, takc_str_n(line, one * n));
    return t->st ? 0 : one * n; /* a line is never empty: 0 is a refusal */
}

static enum takc_status take_piece(struct takc_http_transfer *t, struct takc_str piece)
{
    takc_http_piece_fn *to = t->reply.status / 100 == 2 ? t->r->piece : NULL;
    size_t max = takc_http_max_reply(t->r);
    if (t->r->piece && !to && max > REFUSAL_MAX)
        max = REFUSAL_MAX;
    if (piece.len > max - t->n_body)
        return takc_fail(&t->err, TAKC_UPSTREAM, 0, "%.*s: a reply of more than %zu bytes", TAKC_STR_ARG(t->where), max);
    t->n_body += piece.len;
    if (to)
        return to(t->r->arg, piece, &t->err);
    return takc_buf_add(&t->reply.body, piece, &t->err);
}

size_t takc_http_on_body(char *piece, size_t one, size_t n, void *arg)
{
    struct takc_http_transfer *t = arg;
    if (one * n == 0)
        return 0;
    t->stage = TAKC_HTTP_BODY;
    t->moved_ns = takc_http_now();
    t->first_ns = t->first_ns ? t->first_ns : t->moved_ns;
    t->st = take_piece(t, takc_str_n(piece, one * n));
    return t->st ? 0 : one * n;
}
