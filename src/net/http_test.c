/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP client and a world that means well: what is sent, what comes back, connections used again, TLS, proxies, many at once.
 * What goes wrong: http_hostile_test.c. Run under TSan too. */
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../../tests/fake/http_client.h"

static struct takc_http *client;

static void says(const struct asked *a, const char *line, bool there)
{
    if ((takc_str_find(takc_buf_str(&a->reply.body), takc_str(line), 0) != SIZE_MAX) != there)
        fail_msg("'%s' is %s in\n%s", line, there ? "not" : "", a->reply.body.ptr);
}

static void requests_are_sent_as_they_stand(void **state)
{
    (void)state;
    struct asked a;
    const struct takc_http_header headers[] = {{takc_str("X-One"), takc_str("1: a;b")},
                                               {takc_str("X-Empty"), takc_str("")},
                                               {takc_str("content-type"), takc_str("application/json")}};
    prepare(&a, FAKE_HTTP, "/a/../b//c%2f%2E/./%zz?x=1&y=%20?");
    a.r.method = "POST";
    a.r.headers = headers;
    a.r.n_headers = 3;
    a.r.body = takc_str("{\"a\": 1}");
    ask(client, &a);
    assert_int_equal(a.st, TAKC_OK);
    assert_true(
        takc_str_starts(takc_buf_str(&a.reply.body), takc_str("POST /a/../b//c%2f%2E/./%zz?x=1&y=%20? HTTP/1.1\r\nHost: localhost:")));
    assert_true(takc_str_ends(takc_buf_str(&a.reply.body), takc_str("\r\n\r\n{\"a\": 1}")));
    says(&a, "\r\nX-One: 1: a;b\r\n", true);
    says(&a, "\r\nX-Empty:\r\n", true);
    says(&a, "\r\ncontent-type: application/json\r\n", true);
    says(&a, "\r\nContent-Length: 8\r\n", true);
    says(&a, "\r\nUser-Agent: takc/" TAKC_VERSION_TEXT "\r\n", true);
    says(&a, "Expect", false);
    says(&a, "Accept", false);
    assert_int_equal(a.reply.status, 200);
    assert_true(a.reply.sent);
    takc_http_reply_clear(&a.reply);
}

/* Where the caller sends no context of its own, the call's goes along. */
static void calls_hand_their_trace_on(void **state)
{
    (void)state;
    struct asked a;
    struct takc_call call;
    const struct takc_http_header own[] = {{takc_str("TraceParent"), takc_str("mine")}};
    takc_call_init(&call);
    call.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    call.tracestate = "a=1";
    for (int with_own = 0; with_own < 2; with_own++) {
        prepare(&a, FAKE_HTTP, "/echo");
        a.r.headers = own;
        a.r.n_headers = (size_t)with_own;
        a.st = takc_http_send(client, &call, &a.r, &a.reply, &a.err);
        assert_int_equal(a.st, TAKC_OK);
        says(&a, "\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n", !with_own);
        says(&a, "\r\ntracestate: a=1\r\n", !with_own);
        says(&a, "\r\nTraceParent: mine\r\n", with_own);
        takc_http_reply_clear(&a.reply);
    }
    call.tracestate = "a=1\r\nX-Evil: 1";
    prepare(&a, FAKE_HTTP, "/echo");
    assert_int_equal(takc_http_send(client, &call, &a.r, &a.reply, &a.err), TAKC_INVALID);
    takc_http_reply_clear(&a.reply);
}

static void methods_carry_bodies_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *method, *first, *length;
        bool body;
    } rows[] = {{"GET", "GET /echo HTTP/1.1\r\n", "Content-Length", false},
                {"DELETE", "DELETE /echo HTTP/1.1\r\n", "Content-Length", false},
                {"POST", "POST /echo HTTP/1.1\r\n", "Content-Length: 0\r\n", true},
                {"PUT", "PUT /echo HTTP/1.1\r\n", "Content-Length: 0\r\n", true},
                {"PATCH", "PATCH /echo HTTP/1.1\r\n", "Content-Length: 0\r\n", true}};
    struct asked a;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        prepare(&a, FAKE_HTTP, "/echo");
        a.r.method = rows[i].method;
        ask(client, &a);
        assert_int_equal(a.st, TAKC_OK);
        assert_true(takc_str_starts(takc_buf_str(&a.reply.body), takc_str(rows[i].first)));
        says(&a, rows[i].length, rows[i].body);
        says(&a, "Content-Type", false);
        takc_http_reply_clear(&a.reply);
    }
    prepare(&a, FAKE_HTTP, "/head");
    a.r.method = "HEAD";
    ask(client, &a);
    body_is(&a, "");
    assert_string_equal(takc_http_reply_header(&a.reply, "content-length").ptr[0] == '5' ? "5" : "", "5");
    takc_http_reply_clear(&a.reply);
}

static void a_large_body_goes_through(void **state)
{
    (void)state;
    enum { N = 3 << 20 };
    struct asked a;
    char *big = malloc(N);
    assert_non_null(big);
    for (size_t i = 0; i < N; i++)
        big[i] = (char)('a' + i % 23);
    prepare(&a, FAKE_HTTP, "/echo");
    a.r.method = "POST";
    a.r.body = takc_str_n(big, N);
    ask(client, &a);
    assert_int_equal(a.st, TAKC_OK);
    assert_true(takc_str_ends(takc_buf_str(&a.reply.body), takc_str_n(big, N)));
    takc_http_reply_clear(&a.reply);
    free(big);
}

static void any_status_is_an_answer(void **state)
{
    (void)state;
    static const char *const codes[] = {"200", "201", "400", "404", "429", "500", "503", "599"};
    struct asked a;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        char path[32], text[32];
        (void)snprintf(path, sizeof(path), "/status/%s", codes[i]);
        (void)snprintf(text, sizeof(text), "status %s", codes[i]);
        get(client, &a, path);
        body_is(&a, text);
        assert_int_equal(a.reply.status, strtol(codes[i], NULL, 10));
        assert_true(takc_str_is(takc_http_reply_header(&a.reply, "retry-after"), "7"));
        takc_http_reply_clear(&a.reply);
    }
    get(client, &a, "/empty");
    body_is(&a, "");
    assert_int_equal(a.reply.status, 204);
    takc_http_reply_clear(&a.reply);
    get(client, &a, "/moved");
    body_is(&a, "moved"); /* not followed */
    assert_int_equal(a.reply.status, 302);
    takc_http_reply_clear(&a.reply);
}

static void heads_are_read(void **state)
{
    (void)state;
    struct asked a;
    get(client, &a, "/hints");
    body_is(&a, "final");
    assert_int_equal(a.reply.status, 200);
    assert_true(takc_str_is(takc_http_reply_header(&a.reply, "x-final"), "yes"));
    assert_true(takc_str_is(takc_http_reply_header(&a.reply, "link"), "")); /* that was another head */
    takc_http_reply_clear(&a.reply);
    get(client, &a, "/folded");
    body_is(&a, "body");
    assert_int_equal(a.reply.n_headers, 5);
    assert_true(takc_str_starts(takc_http_reply_header(&a.reply, "x-folded"), takc_str("one ")));
    assert_true(takc_str_ends(takc_http_reply_header(&a.reply, "x-folded"), takc_str(" two")));
    assert_true(takc_str_is(a.reply.headers[1].name, "x-empty") && a.reply.headers[1].value.len == 0);
    assert_true(takc_str_is(a.reply.headers[3].name, "x-twice") && takc_str_is(a.reply.headers[3].value, "b"));
    assert_true(takc_str_is(takc_http_reply_header(&a.reply, "x-twice"), "a"));
    takc_http_reply_clear(&a.reply);
    takc_http_reply_clear(&a.reply);
    get(client, &a, "/no-length");
    body_is(&a, "until the end");
    takc_http_reply_clear(&a.reply);
}

static enum takc_status note_piece(void *arg, struct takc_str piece, struct takc_err *err)
{
    return takc_buf_add(arg, piece, err);
}

static void bodies_stream(void **state)
{
    (void)state;
    struct asked a;
    struct takc_buf got;
    takc_buf_init(&got, 1 << 20);
    prepare(&a, FAKE_HTTP, "/many/3");
    a.r.piece = note_piece;
    a.r.arg = &got;
    ask(client, &a);
    body_is(&a, "");
    assert_string_equal(takc_buf_str(&got).ptr, "piece 0\npiece 1\npiece 2\n");
    assert_true(takc_str_is(takc_http_reply_header(&a.reply, "x-after"), "")); /* trailers are passed over */
    takc_http_reply_clear(&a.reply);
    takc_buf_reset(&got);
    prepare(&a, FAKE_HTTP, "/status/400");
    a.r.piece = note_piece;
    a.r.arg = &got;
    ask(client, &a);
    body_is(&a, "status 400"); /* kept, not streamed */
    assert_int_equal(got.len, 0);
    takc_http_reply_clear(&a.reply);
    takc_buf_clear(&got);
}

static void connections_are_used_again(void **state)
{
    (void)state;
    struct takc_http_counts n;
    struct asked a;
    static const int servers[] = {FAKE_HTTP, FAKE_TLS, FAKE_PLAIN};
    char ca[96];
    (void)snprintf(ca, sizeof(ca), "%s/ca.pem", fake.folder);
    struct takc_http *h = client_with(&(struct takc_http_options){.ca_file = ca});
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 10; k++) {
            prepare(&a, servers[i], servers[i] == FAKE_PLAIN ? "/ca.pem" : "/ok/5");
            ask(h, &a);
            if (a.st || a.reply.status != 200)
                fail_msg("%s: %s", a.url, a.err.msg);
            assert_int_equal(a.reply.reused, k > 0);
            assert_true(k == 0 || a.reply.connect_ms == 0);
            takc_http_reply_clear(&a.reply);
        }
    takc_http_count(h, &n);
    assert_int_equal(n.requests, 30);
    assert_int_equal(n.connections, 3);
    assert_int_equal(n.reused, 27);
    assert_int_equal(n.failed, 0);
    takc_http_close(h);
}

/* The server closed a kept connection before the next request: a new one is made, nobody notices. */
static void a_closed_connection_is_not_used(void **state)
{
    (void)state;
    struct asked a;
    struct takc_http *h = client_with(NULL);
    for (int i = 0; i < 5; i++) {
        unsigned closed = counted(client, "closed /goodbye");
        get(h, &a, "/goodbye");
        body_is(&a, "bye");
        assert_false(a.reply.reused);
        takc_http_reply_clear(&a.reply);
        while (counted(client, "closed /goodbye") == closed)
            ;
        prepare(&a, FAKE_HTTP, "/echo");
        a.r.method = "POST";
        ask(h, &a);
        assert_int_equal(a.st, TAKC_OK);
        assert_false(a.reply.reused);
        takc_http_reply_clear(&a.reply);
        takc_http_close(h);
        h = client_with(NULL);
    }
    takc_http_close(h);
}

static void certificates_are_looked_at(void **state)
{
    (void)state;
    static const struct {
        const char *ca, *host;
        enum takc_status st;
        const char *word;
    } rows[] = {{"ca.pem", "localhost", TAKC_OK, ""},
                {"ca.pem", "127.0.0.1", TAKC_UNTRUSTED, "127.0.0.1"}, /* another name than the certificate's */
                {"wrong.pem", "localhost", TAKC_UNTRUSTED, "certificate"},
                {NULL, "localhost", TAKC_UNTRUSTED, "model.ca_file"}};
    struct asked a;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char ca[96];
        (void)snprintf(ca, sizeof(ca), "%s/%s", fake.folder, rows[i].ca ? rows[i].ca : "");
        struct takc_http *h = client_with(&(struct takc_http_options){.ca_file = rows[i].ca ? ca : NULL});
        prepare(&a, FAKE_TLS, "/ok/4");
        (void)snprintf(a.url, sizeof(a.url), "https://%s:%u/ok/4?secret", rows[i].host, fake.ports[FAKE_TLS]);
        a.r.url = takc_str(a.url);
        ask(h, &a);
        if (a.st != rows[i].st || (a.st && !strstr(a.err.msg, rows[i].word)) || strstr(a.err.msg, "secret"))
            fail_msg("%s with %s: %s '%s'", rows[i].host, rows[i].ca, takc_status_name(a.st), a.err.msg);
        assert_int_equal(a.reply.sent, a.st == TAKC_OK);
        takc_http_reply_clear(&a.reply);
        takc_http_close(h);
    }
}

static void proxies_are_gone_through(void **state)
{
    (void)state;
    struct asked a;
    char proxy[96], ca[96], line[96];
    const struct takc_http_header secret = {takc_str("X-Secret"), takc_str("s")};
    (void)snprintf(ca, sizeof(ca), "%s/ca.pem", fake.folder);
    (void)snprintf(proxy, sizeof(proxy), "http://user:word@127.0.0.1:%u", fake.ports[FAKE_PROXY]);
    struct takc_http *h = client_with(&(struct takc_http_options){.proxy = proxy, .ca_file = ca});
    for (int i = 0; i < 2; i++) {
        prepare(&a, FAKE_TLS, "/ok/4");
        a.r.headers = &secret;
        a.r.n_headers = 1;
        ask(h, &a);
        body_is(&a, "xxxx");
        assert_int_equal(a.reply.reused, i == 1);
        assert_int_equal(takc_http_reply_header(&a.reply, "x-proxy").len, 0);
        takc_http_reply_clear(&a.reply);
    }
    prepare(&a, FAKE_HTTP, "/a/../b?c");
    ask(h, &a);
    body_is(&a, "by proxy");
    takc_http_reply_clear(&a.reply);
    prepare(&a, FAKE_TLS, "");
    a.r.url = takc_str("https://forbidden.example/");
    ask(h, &a);
    assert_int_equal(a.st, TAKC_UPSTREAM);
    assert_non_null(strstr(a.err.msg, "403"));
    assert_null(strstr(a.err.msg, "word"));
    assert_false(a.reply.sent); /* CONNECT was, the request was not */
    assert_int_equal(a.reply.status, 0);
    takc_http_reply_clear(&a.reply);
    takc_http_close(h);
    get(client, &a, "/proxy-log");
    (void)snprintf(line, sizeof(line), "CONNECT localhost:%u HTTP/1.1 authorized\n", fake.ports[FAKE_TLS]);
    assert_true(takc_str_starts(takc_buf_str(&a.reply.body), takc_str(line)));
    says(&a, "leaked", false); /* the request's headers are not the proxy's to see */
    (void)snprintf(line, sizeof(line), "\nGET http://localhost:%u/a/../b?c HTTP/1.1 authorized\n", fake.ports[FAKE_HTTP]);
    says(&a, line, true);
    takc_http_reply_clear(&a.reply);
}

static void the_environment_names_proxies(void **state)
{
    (void)state;
    struct asked a;
    char proxy[64];
    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", fake.ports[FAKE_PROXY]);
    assert_int_equal(setenv("http_proxy", proxy, 1), 0);
    struct takc_http *from_environment = client_with(NULL), *none = client_with(&(struct takc_http_options){.proxy = ""});
    get(from_environment, &a, "/ok/2");
    body_is(&a, "by proxy");
    takc_http_reply_clear(&a.reply);
    get(none, &a, "/ok/2");
    body_is(&a, "xx");
    takc_http_reply_clear(&a.reply);
    assert_int_equal(setenv("no_proxy", "localhost", 1), 0);
    get(from_environment, &a, "/ok/2");
    body_is(&a, "xx");
    takc_http_reply_clear(&a.reply);
    takc_http_close(from_environment);
    takc_http_close(none);
    (void)unsetenv("http_proxy");
    (void)unsetenv("no_proxy");
}

static void names_can_be_given_addresses(void **state)
{
    (void)state;
    struct asked a;
    char entry[96];
    (void)snprintf(entry, sizeof(entry), "api.example:%u:127.0.0.1", fake.ports[FAKE_HTTP]);
    const char *const list[] = {entry, NULL};
    struct takc_http *h = client_with(&(struct takc_http_options){.resolve = list, .user_agent = "other"});
    prepare(&a, FAKE_HTTP, "");
    (void)snprintf(a.url, sizeof(a.url), "http://api.example:%u/echo", fake.ports[FAKE_HTTP]);
    a.r.url = takc_str(a.url);
    ask(h, &a);
    assert_int_equal(a.st, TAKC_OK);
    says(&a, "\r\nUser-Agent: other\r\n", true);
    says(&a, "Host: api.example:", true);
    takc_http_reply_clear(&a.reply);
    takc_http_close(h);
}

/* --- many at once --- */

enum { THREADS = 8, EACH = 25, STARTED = 200 };

static void *send_some(void *h)
{
    for (int i = 0; i < EACH; i++) {
        struct asked a;
        get(h, &a, i % 5 == 4 ? "/die" : i % 5 == 3 ? "/many/3" : "/ok/3");
        bool good = i % 5 == 4 ? a.st == TAKC_UPSTREAM : a.st == TAKC_OK && a.reply.status == 200;
        takc_http_reply_clear(&a.reply);
        if (!good)
            return h;
    }
    return NULL;
}

static struct tally {
    struct takc_mutex mu;
    struct takc_cond moved;
    int told, good;
} tally = {.mu = TAKC_MUTEX_INIT, .moved = {PTHREAD_COND_INITIALIZER}};

static void count_reply(void *arg, enum takc_status status, struct takc_http_reply *reply, const struct takc_err *err)
{
    (void)arg;
    (void)err;
    takc_mutex_lock(&tally.mu);
    tally.told++;
    tally.good += status == TAKC_OK && takc_str_is(takc_buf_str(&reply->body), "xxx");
    takc_cond_broadcast(&tally.moved);
    takc_mutex_unlock(&tally.mu);
}

static void many_run_at_once(void **state)
{
    (void)state;
    struct takc_http *h = client_with(&(struct takc_http_options){.max_per_host = 7});
    struct takc_http_counts n;
    static struct asked started[STARTED];
    pthread_t t[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(takc_thread_start(&t[i], "sender", send_some, h, NULL), TAKC_OK);
    for (int i = 0; i < STARTED; i++) {
        prepare(&started[i], FAKE_HTTP, "/ok/3");
        assert_int_equal(takc_http_start(h, NULL, &started[i].r, count_reply, NULL, NULL), TAKC_OK);
    }
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(t[i], &failed), 0);
        assert_null(failed);
    }
    takc_mutex_lock(&tally.mu);
    while (tally.told < STARTED)
        takc_cond_wait(&tally.moved, &tally.mu);
    takc_mutex_unlock(&tally.mu);
    assert_int_equal(tally.good, STARTED);
    takc_http_count(h, &n);
    assert_int_equal(n.requests, STARTED + THREADS * EACH);
    assert_int_equal(n.failed, THREADS * EACH / 5);
    assert_int_equal(n.connections + n.reused, n.requests);
    assert_in_range(n.connections, 1, 7 + n.failed); /* a new one only where one was broken */
    takc_http_close(h);
}

/* Each reply starts the next request, on the client's thread, although only one may be under way. */
struct chain {
    struct takc_http *h;
    struct asked a;
    int left;
};

static void next_of_chain(void *arg, enum takc_status status, struct takc_http_reply *reply, const struct takc_err *err)
{
    struct chain *c = arg;
    bool good = status == TAKC_OK && takc_str_is(takc_buf_str(&reply->body), "xxx");
    if (good && c->left > 0) {
        c->left--;
        if (takc_http_start(c->h, NULL, &c->a.r, next_of_chain, c, NULL) == TAKC_OK)
            return;
    }
    count_reply(NULL, status, reply, err);
}

static void replies_may_start_requests(void **state)
{
    (void)state;
    struct chain c = {.h = client_with(&(struct takc_http_options){.max_waiting = 1}), .left = 10};
    prepare(&c.a, FAKE_HTTP, "/ok/3");
    tally.told = tally.good = 0;
    assert_int_equal(takc_http_start(c.h, NULL, &c.a.r, next_of_chain, &c, NULL), TAKC_OK);
    takc_mutex_lock(&tally.mu);
    while (tally.told < 1)
        takc_cond_wait(&tally.moved, &tally.mu);
    takc_mutex_unlock(&tally.mu);
    takc_http_close(c.h);
    assert_int_equal(c.left, 0);
    assert_int_equal(tally.good, 1);
}

static int open_client(void **state)
{
    int st = fake_http_start(state);
    if (!st)
        client = client_with(NULL);
    return st;
}

static int close_client(void **state)
{
    takc_http_close(client);
    return fake_http_stop(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(requests_are_sent_as_they_stand),
                                       cmocka_unit_test(calls_hand_their_trace_on),
                                       cmocka_unit_test(methods_carry_bodies_or_not),
                                       cmocka_unit_test(a_large_body_goes_through),
                                       cmocka_unit_test(any_status_is_an_answer),
                                       cmocka_unit_test(heads_are_read),
                                       cmocka_unit_test(bodies_stream),
                                       cmocka_unit_test(connections_are_used_again),
                                       cmocka_unit_test(a_closed_connection_is_not_used),
                                       cmocka_unit_test(certificates_are_looked_at),
                                       cmocka_unit_test(proxies_are_gone_through),
                                       cmocka_unit_test(the_environment_names_proxies),
                                       cmocka_unit_test(names_can_be_given_addresses),
                                       cmocka_unit_test(many_run_at_once),
                                       cmocka_unit_test(replies_may_start_requests)};
    if (!fake_http_can_run()) {
        (void)fprintf(stderr, "SKIPPED: no python3 with ssl, or no openssl; run: sh scripts/install-parts.sh test\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, open_client, close_client);
}
