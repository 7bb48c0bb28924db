/* SPDX-License-Identifier: Apache-2.0
 *
 * load.c - asks an HTTP server at a constant rate, or as fast as it answers, and says how long replies took.
 *
 *   load PORT PATH BODIES CONNECTIONS SECONDS RATE [HEADER...]
 *
 * BODIES: a file with one body a line, posted in turn; "-": GET. RATE: requests a second; 0: each connection asks again when it has its
 * reply. At a rate, a reply's time counts from when its request was due, so a server that falls behind is not let off. Replies that say
 * "processing_time_ms" (takc's time in its library) are also told apart: overhead is the rest.
 * One line of JSON on standard output; times in ms. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REPLY_MAX = 8 << 20, BODIES_MAX = 10000 };

struct client {
    int fd;
    bool busy;
    uint64_t due_ns;
    size_t sent;
    struct takc_str request;
    struct takc_buf reply;
    size_t whole; /* bytes of the reply, once its head is there */
};

struct load {
    uint16_t port;
    struct takc_str *requests;
    size_t n_requests, n_clients, n_sent, n_done, n_failed;
    struct client *clients;
    double *took_ms, *library_ms;
    size_t n_times, max_times;
    uint64_t start_ns, end_ns;
    double per_s;
    int epoll;
};

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now_ns(void)
{
    const struct takc_clock *clock = takc_clock_system();
    return clock->mono_ns(clock);
}

static void dial(struct load *l, struct client *c)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(l->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof(a)) || fcntl(c->fd, F_SETFL, O_NONBLOCK))
        die("connect");
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e))
        die("epoll");
}

static void ask(struct load *l, struct client *c, uint64_t due_ns)
{
    c->busy = true;
    c->due_ns = due_ns;
    c->request = l->requests[l->n_sent++ % l->n_requests];
    c->whole = 0;
    takc_buf_reset(&c->reply);
    for (c->sent = 0; c->sent < c->request.len;) {
        ssize_t n = send(c->fd, c->request.ptr + c->sent, c->request.len - c->sent, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            continue; /* requests are small: the buffer empties at once */
        if (n <= 0)
            die("send");
        c->sent += (size_t)n;
    }
}

/* How long is the reply that begins here? 0: its head is not whole yet. */
static size_t length_of(struct takc_str text)
{
    const char *end = memmem(text.ptr, text.len, "\r\n\r\n", 4), *line = end ? strcasestr(text.ptr, "content-length:") : NULL;
    if (!end)
        return 0;
    size_t head = (size_t)(end - text.ptr) + 4;
    return head + (line && line < end ? strtoul(line + 15, NULL, 10) : 0);
}

static void note(struct load *l, struct client *c)
{
    const char *text = takc_buf_str(&c->reply).ptr, *library = strstr(text, "\"processing_time_ms\":");
    l->n_done++;
    if (strncmp(text, "HTTP/1.1 200", 12) != 0)
        l->n_failed++;
    if (l->n_times == l->max_times)
        return;
    l->took_ms[l->n_times] = (double)(now_ns() - c->due_ns) / 1e6;
    l->library_ms[l->n_times++] = library ? strtod(library + 21, NULL) : 0;
    c->busy = false;
}

static void hear(struct load *l, struct client *c)
{
    char piece[65536];
    ssize_t n;
    while ((n = recv(c->fd, piece, sizeof(piece), 0)) > 0)
        if (takc_buf_add(&c->reply, takc_str_n(piece, (size_t)n), NULL))
            die("memory");
    if (n == 0) {
        fprintf(stderr, "load: the server closed a connection\n");
        exit(1);
    }
    if (takc_buf_byte(&c->reply, '\0', NULL)) /* for strstr; taken back */
        die("memory");
    c->reply.len--;
    if (!c->whole)
        c->whole = length_of(takc_buf_str(&c->reply));
    if (c->whole && c->reply.len >= c->whole)
        note(l, c);
}

static void start_due(struct load *l)
{
    uint64_t now = now_ns();
    for (size_t i = 0; i < l->n_clients && now < l->end_ns; i++) {
        uint64_t due = l->per_s > 0 ? l->start_ns + (uint64_t)((double)l->n_sent / l->per_s * 1e9) : now;
        if (due > now)
            return;
        if (!l->clients[i].busy)
            ask(l, &l->clients[i], due);
    }
}

/* Until the next request is due, at most 1 ms: asleep, since a client that looks all the time has a processor of its own. */
static struct timespec until_due(const struct load *l)
{
    uint64_t now = now_ns(), due = l->per_s > 0 ? l->start_ns + (uint64_t)((double)l->n_sent / l->per_s * 1e9) : now + 1000000u;
    return (struct timespec){0, due <= now ? 0 : due - now > 1000000u ? 1000000 : (long)(due - now)};
}

static void run(struct load *l)
{
    struct epoll_event events[256];
    while (now_ns() < l->end_ns || l->n_done < l->n_sent) {
        start_due(l);
        const struct timespec wait = until_due(l);
        int n = epoll_pwait2(l->epoll, events, 256, &wait, NULL);
        for (int i = 0; i < n; i++)
            hear(l, events[i].data.ptr);
        if (now_ns() > l->end_ns + 20000000000u)
            break; /* what has not come by now is counted as missing */
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_times(const char *name, double *v, size_t n)
{
    qsort(v, n, sizeof(*v), ascending);
    if (n)
        printf(", \"%s\": {\"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"max\": %.3f}", name, v[n / 2], v[n * 9 / 10], v[n * 99 / 100],
               v[n - 1]);
}

static void print(struct load *l)
{
    double *over = takc_alloc((l->n_times + 1) * sizeof(*over));
    for (size_t i = 0; over && i < l->n_times; i++)
        over[i] = l->took_ms[i] - l->library_ms[i];
    printf("{\"sent\": %zu, \"failed\": %zu, \"missing\": %zu, \"per_second\": %.0f", l->n_sent, l->n_failed, l->n_sent - l->n_done,
           (double)l->n_done / ((double)(l->end_ns - l->start_ns) / 1e9));
    print_times("ms", l->took_ms, l->n_times);
    print_times("library_ms", l->library_ms, l->n_times);
    if (over)
        print_times("overhead_ms", over, l->n_times);
    printf("}\n");
    takc_free(over);
}

static void make_requests(struct load *l, const char *path, const char *file, char **headers, int n_headers)
{
    struct takc_buf bodies;
    takc_buf_init(&bodies, SIZE_MAX / 2);
    bool get = strcmp(file, "-") == 0;
    if (!get && takc_file_read(file, &bodies, NULL))
        die(file);
    struct takc_str rest = get ? takc_str("-") : takc_buf_str(&bodies), line;
    l->requests = takc_alloc(BODIES_MAX * sizeof(*l->requests));
    while (l->requests && takc_str_split(&rest, '\n', &line) && l->n_requests < BODIES_MAX) {
        struct takc_buf b;
        if (!line.len)
            continue;
        takc_buf_init(&b, SIZE_MAX / 2);
        (void)!takc_buf_printf(&b, NULL, "%s %s HTTP/1.1\r\nHost: localhost\r\n", get ? "GET" : "POST", path);
        for (int i = 0; i < n_headers; i++)
            (void)!takc_buf_printf(&b, NULL, "%s\r\n", headers[i]);
        if (!get)
            (void)!takc_buf_printf(&b, NULL, "Content-Type: application/json\r\nContent-Length: %zu\r\n", line.len);
        (void)!takc_buf_printf(&b, NULL, "\r\n%.*s", get ? 0 : (int)line.len, line.ptr);
        l->requests[l->n_requests++] = takc_buf_str(&b); /* kept until the end */
    }
    if (!l->n_requests)
        die("no requests");
}

int main(int argc, char **argv)
{
    struct load l = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
    if (argc < 7) {
        fprintf(stderr, "usage: load PORT PATH BODIES CONNECTIONS SECONDS RATE [HEADER...]\n");
        return 2;
    }
    l.port = (uint16_t)strtoul(argv[1], NULL, 10);
    make_requests(&l, argv[2], argv[3], argv + 7, argc - 7);
    l.n_clients = strtoul(argv[4], NULL, 10);
    l.max_times = 10000000;
    l.clients = takc_alloc(l.n_clients * sizeof(*l.clients));
    l.took_ms = takc_alloc(l.max_times * sizeof(double));
    l.library_ms = takc_alloc(l.max_times * sizeof(double));
    if (!l.clients || !l.took_ms || !l.library_ms)
        die("memory");
    for (size_t i = 0; i < l.n_clients; i++) {
        l.clients[i] = (struct client){.fd = -1};
        takc_buf_init(&l.clients[i].reply, REPLY_MAX);
        dial(&l, &l.clients[i]);
    }
    l.start_ns = now_ns();
    l.end_ns = l.start_ns + (uint64_t)(strtod(argv[5], NULL) * 1e9);
    l.per_s = strtod(argv[6], NULL);
    run(&l);
    print(&l);
    return l.n_failed || l.n_done < l.n_sent;
}
