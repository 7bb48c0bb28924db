/* SPDX-License-Identifier: Apache-2.0
 *
 * The transport over real sockets: replies, kept connections, streams, many that wait, clients that are slow, odd or gone, the end. */
#include "http/server.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* --- what the server says --- */

static struct takc_server *server;
static atomic_uint n_cancelled, n_ended, n_whole, n_sleeping;
static atomic_bool wake;

static atomic_uint n_sunk;

static enum takc_status sink(void *arg, struct takc_str piece, struct takc_err *err)
{
    (void)arg;
    if (takc_str_starts(piece, takc_str("full")))
        return takc_fail(err, TAKC_FULL, 0, "no space left for it");
    if (takc_str_starts(piece, takc_str("odd")))
        return takc_fail(err, TAKC_INVALID, 0, "this is odd");
    atomic_fetch_add(&n_sunk, (unsigned)piece.len);
    return TAKC_OK;
}

/* Waits a little, as one who asks somebody does. */
static void admit(void *arg, struct takc_exchange *x)
{
    const struct takc_clock *clock = takc_clock_system();
    (void)arg;
    clock->sleep_ns(clock, 5000000);
    if (!takc_str_is(takc_exchange_asked(x, "x-pass"), "please"))
        x->status = 401;
}

static void begin(void *arg, struct takc_exchange *x)
{
    (void)arg;
    x->body_max = 100000;
    x->quick = takc_str_is(x->path, "/quick");
    x->ahead = takc_str_is(x->path, "/ahead");
    if (takc_str_is(x->path, "/small"))
        x->body_max = 10;
    x->admits = takc_str_starts(x->path, takc_str("/admit"));
    if (takc_str_is(x->path, "/admit/sink")) {
        x->sink = sink;
        x->body_max = 1 << 20;
    }
    if (takc_str_is(x->path, "/none")) {
        x->status = 404;
        (void)!takc_buf_add(&x->reply, takc_str("no such thing"), NULL);
    }
}

static void stream(struct takc_exchange *x)
{
    char piece[64];
    enum takc_status st = takc_exchange_stream(x, 200, "text/event-stream", NULL);
    for (int i = 0; i < 3 && !st; i++) {
        (void)snprintf(piece, sizeof(piece), "data: %d\n\n", i);
        st = takc_exchange_send(x, takc_str(piece), NULL);
    }
}

/* Silent amid its events until it is woken. */
static void stream_slowly(struct takc_exchange *x)
{
    const struct takc_clock *clock = takc_clock_system();
    enum takc_status st = takc_exchange_stream(x, 200, "text/event-stream", NULL);
    if (!st)
        st = takc_exchange_send(x, takc_str("data: first\n\n"), NULL);
    while (!st && !atomic_load(&wake) && !(st = takc_call_check(&x->call, NULL)))
        clock->sleep_ns(clock, 5000000);
    if (!st)
        (void)!takc_exchange_post(x, takc_str("data: last\n\n"), NULL);
}

static void flood(struct takc_exchange *x)
{
    static char piece[10000];
    memset(piece, 'x', sizeof(piece));
    enum takc_status st = takc_exchange_stream(x, 200, "text/plain", NULL);
    for (int i = 0; i < 100000 && !st; i++)
        st = takc_exchange_send(x, takc_str_n(piece, sizeof(piece)), NULL);
    atomic_fetch_add(&n_cancelled, st == TAKC_CANCELLED);
}

static void wait_for_it(struct takc_exchange *x)
{
    const struct takc_clock *clock = takc_clock_system();
    atomic_fetch_add(&n_sleeping, 1);
    enum takc_status st = TAKC_OK;
    while (!atomic_load(&wake) && !(st = takc_call_check(&x->call, NULL)))
        clock->sleep_ns(clock, 5000000);
    atomic_fetch_add(&n_cancelled, st == TAKC_CANCELLED);
    x->status = st == TAKC_TIMEOUT ? 504 : 200;
    (void)!takc_buf_add(&x->reply, takc_str("awake"), NULL);
}

static void handle(void *arg, struct takc_exchange *x)
{
    (void)arg;
    if (takc_str_is(x->path, "/stream")) {
        stream(x);
        return;
    }
    if (takc_str_is(x->path, "/slow")) {
        stream_slowly(x);
        return;
    }
    if (takc_str_is(x->path, "/flood")) {
        flood(x);
        return;
    }
    if (takc_str_is(x->path, "/wait")) {
        wait_for_it(x);
        return;
    }
    x->status = 200;
    x->content_type = "text/plain";
    takc_exchange_header(x, "X-Split", takc_str("a\r\nX-Evil: 1"));
    takc_exchange_header(x, "X-Query", x->query);
    (void)!takc_buf_printf(&x->reply, NULL, "%.*s %.*s: ", TAKC_STR_ARG(x->method), TAKC_STR_ARG(x->path));
    (void)!takc_buf_add(&x->reply, takc_buf_str(&x->body), NULL);
}

static void refuse(void *arg, struct takc_exchange *x, int status, const char *why)
{
    (void)arg;
    x->status = status;
    takc_buf_reset(&x->reply);
    (void)!takc_buf_add(&x->reply, takc_str(why), NULL);
}

static void headers(void *arg, struct takc_exchange *x)
{
    (void)arg;
    takc_exchange_header(x, "X-Request-ID", takc_str(x->request_id));
}

static void ended(void *arg, const struct takc_exchange *x, bool whole)
{
    (void)arg, (void)x;
    atomic_fetch_add(&n_ended, 1);
    atomic_fetch_add(&n_whole, whole);
}

static void open_server(const struct takc_server_options *more)
{
    struct takc_server_options o = more ? *more : (struct takc_server_options){0};
    struct takc_err err = {0};
    o.address = "127.0.0.1";
    o.handlers = (struct takc_server_handlers){
        .begin = begin, .admit = admit, .handle = handle, .refuse = refuse, .headers = headers, .ended = ended};
    atomic_store(&n_cancelled, 0);
    atomic_store(&n_ended, 0);
    atomic_store(&n_whole, 0);
    atomic_store(&n_sleeping, 0);
    atomic_store(&wake, false);
    if (takc_server_open(&server, &o, &err))
        fail_msg("%s", err.msg);
}

static void close_server(void)
{
    takc_server_close(server, 2000);
    server = NULL;
}

/* --- a client --- */

static int dial(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(takc_server_port(server)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static char heard[1 << 20];

/* Reads until what is looked for has come, or the end; true: it came. */
static bool hear(int fd, const char *needle)
{
    size_t n = 0;
    for (;;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, 20000) != 1)
            fail_msg("nothing more came behind '%s'", heard);
        ssize_t got = recv(fd, heard + n, sizeof(heard) - 1 - n, 0);
        if (got > 0)
            n += (size_t)got;
        heard[n] = '\0';
        if (needle && strstr(heard, needle))
            return true;
        if (got <= 0)
            return false;
    }
}

static void expect(const char *request, const char *status, const char *body)
{
    int fd = dial();
    say(fd, request);
    if (!hear(fd, body) || !strstr(heard, status))
        fail_msg("%s\n-> %s\ninstead of %s ... %s", request, heard, status, body);
    (void)close(fd);
}

static void until(atomic_uint *what, unsigned n)
{
    for (int i = 0; atomic_load(what) < n; i++) {
        if (i > 2000)
            fail_msg("%u instead of %u", atomic_load(what), n);
        (void)usleep(10000);
    }
}

#define HEAD " HTTP/1.1\r\nHost: x\r\n"

/* --- tests --- */

static void requests_are_answered(void **state)
{
    (void)state;
    open_server(NULL);
    expect("GET /a?b=c" HEAD "\r\n", "200 OK", "GET /a: ");
    assert_non_null(strstr(heard, "X-Query: b=c"));
    assert_null(strstr(heard, "X-Evil"));
    expect("GET /quick" HEAD "X-Request-ID: my-id.7\r\n\r\n", "200 OK", "GET /quick: ");
    assert_non_null(strstr(heard, "X-Request-ID: my-id.7\r\n"));
    expect("GET /quick" HEAD "X-Request-ID: my id\r\n\r\n", "200 OK", "GET /quick: ");
    assert_null(strstr(heard, "my id"));
    expect("POST /a" HEAD "Content-Length: 5\r\n\r\nhello", "200 OK", "POST /a: hello");
    expect("POST /a" HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "200 OK", "POST /a: hello");
    expect("GET /none" HEAD "\r\n", "404 Not Found", "no such thing");
    int fd = dial();
    for (int i = 0; i < 3; i++) {
        say(fd, "GET /kept" HEAD "\r\n");
        assert_true(hear(fd, "GET /kept: "));
    }
    (void)close(fd);
    struct takc_server_counts n;
    takc_server_count(server, &n);
    assert_int_equal(n.requests, 9);
    assert_int_equal(n.connections, 7);
    close_server();
    assert_int_equal(atomic_load(&n_ended), 9);
}

static void a_request_is_admitted_before_its_body(void **state)
{
    (void)state;
    open_server(NULL);
    atomic_store(&n_sunk, 0);
    expect("POST /admit" HEAD "X-Pass: please\r\nContent-Length: 5\r\n\r\nhello", "200 OK", "POST /admit: hello");
    expect("GET /admit" HEAD "X-Pass: please\r\n\r\n", "200 OK", "GET /admit: ");
    expect("POST /admit" HEAD "Content-Length: 90000\r\n\r\n", "401 Unauthorized", "\r\n\r\n"); /* no byte of the body was sent */
    expect("POST /admit" HEAD "Expect: 100-continue\r\nContent-Length: 9\r\n\r\n", "401 Unauthorized", "\r\n\r\n");
    assert_null(strstr(heard, "100 Continue"));
    int fd = dial();
    say(fd, "POST /admit" HEAD "X-Pass: please\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_true(hear(fd, "100 Continue"));
    say(fd, "hello");
    assert_true(hear(fd, "POST /admit: hello"));
    (void)close(fd);
    expect("POST /admit/sink" HEAD "X-Pass: please\r\nContent-Length: 5\r\n\r\nhello", "200 OK", "POST /admit/sink: ");
    assert_int_equal(atomic_load(&n_sunk), 5);
    expect("POST /admit/sink" HEAD "Content-Length: 5\r\n\r\nhello", "401 Unauthorized", "\r\n\r\n");
    expect("POST /admit/sink" HEAD "X-Pass: please\r\nContent-Length: 4\r\n\r\nfull", "507 Insufficient Storage", "no space left");
    expect("POST /admit/sink" HEAD "X-Pass: please\r\nContent-Length: 3\r\n\r\nodd", "400 Bad Request", "this is odd");
    assert_int_equal(atomic_load(&n_sunk), 5);
    close_server();
}

static void what_is_odd_is_refused(void **state)
{
    (void)state;
    open_server(NULL);
    expect("POST /a" HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "400 Bad Request", "more than once");
    expect("POST /a" HEAD "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 Bad Request", "contradict");
    expect("POST /a" HEAD "Transfer-Encoding: gzip\r\n\r\n", "501 Not Implemented", "chunked");
    expect("GET /../a" HEAD "\r\n", "400 Bad Request", "dots");
    expect("POST /small" HEAD "Content-Length: 11\r\n\r\nhello world", "413 ", "too large"); /* sent by then: read, so that the reply is */
    expect("POST /small" HEAD "Expect: 100-continue\r\nContent-Length: 11\r\n\r\n", "413 ", "too large");
    expect("POST /small" HEAD "Content-Length: 99999999\r\n\r\n", "413 ", "too large");
    expect("POST /small" HEAD "Transfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0\r\n\r\n", "413 ", "too large");
    struct takc_server_counts n;
    takc_server_count(server, &n);
    assert_int_equal(n.refused, 8);
    close_server();
}

static void streams_come_in_pieces(void **state)
{
    (void)state;
    open_server(NULL);
    expect("GET /stream" HEAD "\r\n", "text/event-stream", "data: 0\n\n");
    expect("GET /stream" HEAD "Connection: close\r\n\r\n", "200 OK", "data: 2\n\n");
    int fd = dial(); /* who leaves ends the stream's handler */
    say(fd, "GET /flood" HEAD "\r\n");
    assert_true(hear(fd, "xxxx"));
    (void)close(fd);
    until(&n_cancelled, 1);
    close_server();
}

/* Between events, on a chunk of their own, and never more than silence asks for. */
static void a_silent_stream_sends_comments(void **state)
{
    (void)state;
    open_server(&(struct takc_server_options){.ping_ms = 50});
    int fd = dial();
    say(fd, "GET /slow" HEAD "Connection: close\r\n\r\n");
    assert_true(hear(fd, ": ping\n\n\r\n8\r\n: ping\n\n"));
    assert_non_null(strstr(heard, "data: first\n\n\r\n"));
    atomic_store(&wake, true);
    assert_true(hear(fd, "data: last\n\n"));
    assert_false(hear(fd, NULL));
    (void)close(fd);
    close_server();
}

static void many_wait_and_hold_no_thread(void **state)
{
    (void)state;
    enum { N = 300 };
    static int fds[N];
    open_server(&(struct takc_server_options){.n_workers = 2});
    for (int i = 0; i < N; i++) {
        fds[i] = dial();
        say(fds[i], "GET /wait" HEAD "\r\n");
    }
    until(&n_sleeping, N);
    expect("GET /a" HEAD "\r\n", "200 OK", "GET /a: "); /* others are served meanwhile */
    atomic_store(&wake, true);
    for (int i = 0; i < N; i++) {
        assert_true(hear(fds[i], "awake"));
        (void)close(fds[i]);
    }
    close_server();
}

static void a_full_queue_is_said(void **state)
{
    (void)state;
    open_server(&(struct takc_server_options){.running_max = 1, .waiting_max = 1});
    int a = dial(), b = dial();
    say(a, "GET /wait" HEAD "\r\n");
    until(&n_sleeping, 1);
    say(b, "GET /wait" HEAD "\r\n");
    struct takc_server_counts n;
    do
        takc_server_count(server, &n);
    while (n.waiting < 1);
    expect("GET /a" HEAD "\r\n", "503 ", "busy");
    expect("GET /quick" HEAD "\r\n", "200 OK", "GET /quick: ");
    expect("GET /ahead" HEAD "\r\n", "200 OK", "GET /ahead: "); /* on a fiber, but not behind those */
    atomic_store(&wake, true);
    assert_true(hear(a, "awake"));
    assert_true(hear(b, "awake"));
    (void)close(a);
    (void)close(b);
    close_server();
}

static void who_has_gone_is_not_worked_for(void **state)
{
    (void)state;
    open_server(NULL);
    int fd = dial();
    say(fd, "GET /wait" HEAD "\r\n");
    until(&n_sleeping, 1);
    (void)close(fd);
    until(&n_cancelled, 1);
    until(&n_ended, 1);
    struct takc_server_counts n;
    takc_server_count(server, &n);
    assert_int_equal(n.gone, 1);
    close_server();
}

static void deadlines_hold(void **state)
{
    (void)state;
    open_server(&(struct takc_server_options){.head_ms = 200, .body_ms = 200, .request_ms = 200, .write_ms = 300, .idle_ms = 300});
    int silent = dial(), head = dial(), body = dial(), kept = dial(), deaf = dial();
    say(head, "GET /a HTTP/1.1\r\nHo");
    say(body, "POST /a" HEAD "Content-Length: 1000\r\n\r\nx");
    say(kept, "GET /a" HEAD "\r\n");
    say(deaf, "GET /flood" HEAD "\r\n");
    assert_true(hear(kept, "GET /a: "));
    for (int i = 0; i < 3; i++) { /* drips do not help */
        (void)usleep(50000);
        say(head, "s");
        say(body, "x");
    }
    assert_true(hear(silent, "408 Request Timeout"));
    assert_true(hear(head, "408 Request Timeout"));
    assert_true(hear(body, "408 Request Timeout"));
    assert_false(hear(kept, "nothing"));
    int fd = dial();
    say(fd, "GET /wait" HEAD "\r\n");
    assert_true(hear(fd, "504 Gateway Timeout"));
    (void)close(fd);
    until(&n_ended, 4);
    struct takc_server_counts n;
    do
        takc_server_count(server, &n);
    while (n.timed_out < 5 || n.running); /* the deaf one, too */
    (void)close(silent);
    (void)close(head);
    (void)close(body);
    (void)close(kept);
    (void)close(deaf);
    close_server();
}

static void the_end_lets_requests_end(void **state)
{
    (void)state;
    open_server(NULL);
    int idle = dial(), busy = dial();
    say(busy, "GET /wait" HEAD "\r\n");
    until(&n_sleeping, 1);
    atomic_store(&wake, true);
    close_server();
    assert_true(hear(busy, "awake"));
    assert_false(hear(idle, "nothing"));
    (void)close(idle);
    (void)close(busy);

    open_server(NULL);
    busy = dial();
    say(busy, "GET /wait" HEAD "\r\n");
    until(&n_sleeping, 1);
    takc_server_close(server, 0); /* no time left: cancelled */
    assert_int_equal(atomic_load(&n_cancelled), 1);
    (void)close(busy);
}

static void *close_slowly(void *arg)
{
    (void)arg;
    takc_server_close(server, 20000);
    return NULL;
}

/* Who comes while a server drains is refused at once, and does not wait behind a door that nobody opens. */
static void the_end_takes_nobody_in(void **state)
{
    (void)state;
    pthread_t closing;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool refused = false;
    open_server(NULL);
    a.sin_port = htons(takc_server_port(server));
    int busy = dial();
    say(busy, "GET /wait" HEAD "\r\n");
    until(&n_sleeping, 1);
    assert_int_equal(pthread_create(&closing, NULL, close_slowly, NULL), 0);
    for (int i = 0; i < 2000 && !refused; i++) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        refused = connect(fd, (struct sockaddr *)&a, sizeof(a)) && errno == ECONNREFUSED;
        (void)close(fd);
        (void)poll(NULL, 0, refused ? 0 : 5);
    }
    atomic_store(&wake, true);
    assert_true(refused);
    assert_true(hear(busy, "awake"));
    (void)close(busy);
    assert_int_equal(pthread_join(closing, NULL), 0);
}

static void what_cannot_be_opened_is_named(void **state)
{
    (void)state;
    struct takc_server *other = NULL;
    struct takc_err err = {0};
    open_server(NULL);
    struct takc_server_options o = {.address = "127.0.0.1", .port = takc_server_port(server)};
    assert_int_equal(takc_server_open(&other, &o, &err), TAKC_BUSY);
    assert_non_null(strstr(err.msg, "is in use"));
    o = (struct takc_server_options){.address = "nowhere"};
    assert_int_equal(takc_server_open(&other, &o, &err), TAKC_INVALID);
    assert_non_null(strstr(err.msg, "'nowhere' is no address"));
    o = (struct takc_server_options){.address = "127.0.0.1", .cert_file = "/none.pem"};
    assert_int_equal(takc_server_open(&other, &o, &err), TAKC_INVALID);
    assert_non_null(strstr(err.msg, "serve.tls_key is not set"));
    o.key_file = "/none.pem";
    assert_int_equal(takc_server_open(&other, &o, &err), TAKC_NOT_FOUND);
    assert_non_null(strstr(err.msg, "/none.pem"));
    o.cert_file = o.key_file = TAKC_TEST_DATA "/../CMakeLists.txt";
    assert_int_equal(takc_server_open(&other, &o, &err), TAKC_INVALID);
    assert_non_null(strstr(err.msg, "is no PEM"));
    close_server();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered),          cmocka_unit_test(a_request_is_admitted_before_its_body),
        cmocka_unit_test(what_is_odd_is_refused),         cmocka_unit_test(streams_come_in_pieces),
        cmocka_unit_test(many_wait_and_hold_no_thread),   cmocka_unit_test(a_full_queue_is_said),
        cmocka_unit_test(who_has_gone_is_not_worked_for), cmocka_unit_test(deadlines_hold),
        cmocka_unit_test(the_end_lets_requests_end),      cmocka_unit_test(the_end_takes_nobody_in),
        cmocka_unit_test(a_silent_stream_sends_comments), cmocka_unit_test(what_cannot_be_opened_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
