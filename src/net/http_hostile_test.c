/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP client and a world that does not mean well: servers that hang at every stage, cut, drip, lie and shout; cancelling, closing,
 * limits, refused requests, memory that runs out. Every wait here is one that the client ends. Run under TSan too. */
#include "base/fault.h"
#include "base/thread.h"

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../../tests/fake/http_client.h"

static struct takc_http *client;

/* --- a gate to wait at --- */

static struct gate {
    struct takc_mutex mu;
    struct takc_cond moved;
    int inside, told;
    bool open;
    enum takc_status last;
    bool last_sent;
} gate = {.mu = TAKC_MUTEX_INIT, .moved = {PTHREAD_COND_INITIALIZER}};

static void gate_wait(const int *value, int want)
{
    takc_mutex_lock(&gate.mu);
    while (*value < want)
        takc_cond_wait(&gate.moved, &gate.mu);
    takc_mutex_unlock(&gate.mu);
}

static void tell_gate(void *arg, enum takc_status status, struct takc_http_reply *reply, const struct takc_err *err)
{
    (void)arg;
    (void)err;
    takc_mutex_lock(&gate.mu);
    gate.told++;
    gate.last = status;
    gate.last_sent = reply->sent;
    takc_cond_broadcast(&gate.moved);
    takc_mutex_unlock(&gate.mu);
}

/* A resolver that does not answer for one name until the gate opens: this one is found before the C library's. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **out)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    memcpy(&real, &symbol, sizeof(real));
    if (!name || strcmp(name, "slow.example") != 0)
        return real(name, service, hints, out);
    takc_mutex_lock(&gate.mu);
    gate.inside++;
    takc_cond_broadcast(&gate.moved);
    while (!gate.open)
        takc_cond_wait(&gate.moved, &gate.mu);
    gate.inside--;
    takc_cond_broadcast(&gate.moved);
    takc_mutex_unlock(&gate.mu);
    return EAI_NONAME;
}

/* --- what servers do --- */

/* The stage that is to run out is short; the others are long, so that a busy machine makes no difference. */
static void limit_one(struct takc_http_request *r, const char *words)
{
    uint64_t ms = strstr(words, " 2 s") ? 2000 : 250;
    r->connect_ms = strstr(words, "no connection") ? ms : 120000;
    r->first_byte_ms = strstr(words, "no answer") ? ms : 120000;
    r->idle_ms = strstr(words, "nothing more") ? ms : 120000;
    r->total_ms = strstr(words, "not done") ? ms : 120000;
}

static void hostile_servers_are_told_by_name(void **state)
{
    (void)state;
    static const struct {
        int server;
        const char *path;
        enum takc_status st;
        const char *words;
        bool sent;
        int status;
        const char *body;
    } rows[] = {
        {FAKE_FULL, "/", TAKC_TIMEOUT, ": no connection within 250 ms", false, 0, ""},
        {FAKE_TLS + 100, "/", TAKC_TIMEOUT, ": no connection within 250 ms", false, 0, ""}, /* TLS with the mute one */
        {FAKE_MUTE, "/", TAKC_TIMEOUT, ": no answer within 250 ms", true, 0, ""},
        {FAKE_HTTP, "/hang", TAKC_TIMEOUT, ": no answer within 250 ms", true, 0, ""},
        {FAKE_HTTP, "/hang-head", TAKC_TIMEOUT, ": no answer within 250 ms", true, 0, ""},
        {FAKE_HTTP, "/hang-first", TAKC_TIMEOUT, ": no answer within 2 s", true, 200, ""},
        {FAKE_HTTP, "/hang-body", TAKC_TIMEOUT, ": sent nothing more for 250 ms", true, 200, "part"},
        {FAKE_HTTP, "/drip-head", TAKC_TIMEOUT, ": no answer within 250 ms", true, 0, ""},
        {FAKE_HTTP, "/drip-100", TAKC_TIMEOUT, ": no answer within 250 ms", true, 0, ""},
        {FAKE_HTTP, "/drip-body", TAKC_TIMEOUT, ": not done within 2 s", true, 200, NULL},
        {FAKE_HTTP, "/die", TAKC_UPSTREAM, ": ", true, 0, ""},
        {FAKE_HTTP, "/cut-head", TAKC_UPSTREAM, "the reply ended inside its headers", true, 0, ""},
        {FAKE_HTTP, "/cut-body", TAKC_UPSTREAM, "90 bytes remaining", true, 200, "ten bytes."},
        {FAKE_HTTP, "/cut-chunk", TAKC_UPSTREAM, ": ", true, 200, "ten bytes."},
        {FAKE_HTTP, "/lie-minus", TAKC_UPSTREAM, ": ", true, 0, ""},
        {FAKE_HTTP, "/lie-words", TAKC_UPSTREAM, ": ", true, 0, ""},
        {FAKE_HTTP, "/lie-chunk", TAKC_UPSTREAM, ": ", true, 200, ""},
        {FAKE_HTTP, "/long-head", TAKC_UPSTREAM, "headers of more than 64 KiB", true, 0, ""},
        {FAKE_HTTP, "/long-line", TAKC_UPSTREAM, ": ", true, 0, ""},
        {FAKE_HTTP, "/endless-head", TAKC_UPSTREAM, "headers of more than 64 KiB", true, 0, ""},
        {FAKE_HTTP, "/garbage", TAKC_UPSTREAM, "HTTP/0.9", true, 0, ""},
        {FAKE_HTTP, "/ssh", TAKC_UPSTREAM, "HTTP/0.9", true, 0, ""},
        {FAKE_HTTP, "/zero", TAKC_UPSTREAM, ": ", true, 0, ""},
        {FAKE_HTTP, "/ok/100001", TAKC_UPSTREAM, "a reply of more than 100000 bytes", true, 200, NULL},
    };
    struct asked a;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        prepare(&a, rows[i].server % 100, rows[i].path);
        if (rows[i].server >= 100)
            (void)snprintf(a.url, sizeof(a.url), "https://localhost:%u/", fake.ports[FAKE_MUTE]);
        a.r.url = takc_str(a.url);
        a.r.method = "POST";
        a.r.body = takc_str("question");
        limit_one(&a.r, rows[i].words);
        a.r.max_reply = 100000;
        ask(client, &a);
        if (a.st != rows[i].st || !strstr(a.err.msg, rows[i].words) || strncmp(a.err.msg, "localhost:", 10) != 0)
            fail_msg("%s: %s '%s'", a.url, takc_status_name(a.st), a.err.msg);
        if (a.reply.sent != rows[i].sent || a.reply.status != rows[i].status)
            fail_msg("%s: sent %d status %d", a.url, a.reply.sent, a.reply.status);
        if (rows[i].body && !takc_str_is(takc_buf_str(&a.reply.body), rows[i].body))
            fail_msg("%s: '%.*s'", a.url, TAKC_STR_ARG(takc_buf_str(&a.reply.body)));
        takc_http_reply_clear(&a.reply);
    }
    get(client, &a, "/ok/3"); /* and after all of it */
    body_is(&a, "xxx");
    takc_http_reply_clear(&a.reply);
}

/* A port that nobody listens at: bound, never listening. */
static void refused_connections_are_told(void **state)
{
    (void)state;
    struct asked a;
    prepare(&a, FAKE_HTTP, "");
    a.r.url = takc_str("http://127.0.0.1:1/x?secret=1");
    ask(client, &a);
    assert_int_equal(a.st, TAKC_UPSTREAM);
    assert_non_null(strstr(a.err.msg, "127.0.0.1:1: "));
    assert_null(strstr(a.err.msg, "secret"));
    assert_false(a.reply.sent);
    takc_http_reply_clear(&a.reply);
}

static void what_was_not_asked_for_is_not_read(void **state)
{
    (void)state;
    struct asked a;
    struct takc_http *h = client_with(NULL);
    get(h, &a, "/lie-more");
    body_is(&a, "four");
    takc_http_reply_clear(&a.reply);
    get(h, &a, "/ok/3");
    body_is(&a, "xxx");
    assert_false(a.reply.reused);
    takc_http_reply_clear(&a.reply);
    for (unsigned i = 0; i < 5; i++) { /* a second reply, sent when the client was done with the first */
        get(h, &a, "/lie-late");
        body_is(&a, "xx");
        takc_http_reply_clear(&a.reply);
        while (counted(client, "stolen") == i)
            ;
        prepare(&a, FAKE_HTTP, "/ok/3");
        a.r.method = "POST";
        ask(h, &a);
        body_is(&a, "xxx");
        assert_false(a.reply.reused);
        takc_http_reply_clear(&a.reply);
    }
    takc_http_close(h);
}

/* A kept connection breaks while a request is under way: told, not repeated behind the caller's back. */
static void nothing_is_sent_twice(void **state)
{
    (void)state;
    struct asked a;
    struct takc_http *h = client_with(NULL);
    for (int i = 0; i < 3; i++) {
        unsigned before = counted(client, "/die");
        get(h, &a, "/ok/1");
        body_is(&a, "x");
        takc_http_reply_clear(&a.reply);
        prepare(&a, FAKE_HTTP, "/die");
        a.r.method = i == 0 ? "GET" : "POST";
        a.r.body = takc_str(i == 2 ? "question" : "");
        ask(h, &a);
        assert_int_equal(a.st, TAKC_UPSTREAM);
        assert_non_null(strstr(a.err.msg, "closed the connection before it answered"));
        assert_true(a.reply.sent && a.reply.reused);
        takc_http_reply_clear(&a.reply);
        assert_int_equal(counted(client, "/die"), before + 1);
    }
    takc_http_close(h);
}

/* --- what callers do --- */

static enum takc_status stop_at_second(void *arg, struct takc_str piece, struct takc_err *err)
{
    (void)piece;
    return ++*(int *)arg == 2 ? takc_fail(err, TAKC_CORRUPT, 5, "enough") : TAKC_OK;
}

static void a_receiver_ends_the_transfer(void **state)
{
    (void)state;
    struct asked a;
    int n = 0;
    prepare(&a, FAKE_HTTP, "/drip-body");
    a.r.piece = stop_at_second;
    a.r.arg = &n;
    ask(client, &a);
    assert_int_equal(a.st, TAKC_CORRUPT);
    assert_string_equal(a.err.msg, "enough");
    assert_int_equal(a.err.detail, 5);
    assert_int_equal(n, 2);
    takc_http_reply_clear(&a.reply);
    prepare(&a, FAKE_HTTP, "/ok/200000");
    a.r.piece = stop_at_second;
    n = -1000000;
    a.r.arg = &n;
    a.r.max_reply = 100000; /* holds for what is streamed, too */
    ask(client, &a);
    assert_int_equal(a.st, TAKC_UPSTREAM);
    takc_http_reply_clear(&a.reply);
}

/* What is streamed may have any length; what says no to it is kept, so it may not. */
static void a_refusal_of_a_stream_has_an_end(void **state)
{
    (void)state;
    struct asked a;
    int n = -1000000;
    prepare(&a, FAKE_HTTP, "/endless-refusal");
    a.r.piece = stop_at_second;
    a.r.arg = &n;
    a.r.max_reply = SIZE_MAX;
    ask(client, &a);
    assert_int_equal(a.st, TAKC_UPSTREAM);
    assert_int_equal(a.reply.status, 403);
    assert_true(a.reply.body.len <= 1 << 20);
    assert_int_equal(n, -1000000);
    takc_http_reply_clear(&a.reply);
    prepare(&a, FAKE_HTTP, "/ok/200000");
    a.r.max_reply = SIZE_MAX; /* a limit that is none */
    ask(client, &a);
    assert_int_equal(a.st, TAKC_OK);
    assert_int_equal(a.reply.body.len, 200000);
    takc_http_reply_clear(&a.reply);
}

static void cancelling_ends_every_stage(void **state)
{
    (void)state;
    static const struct {
        int server;
        const char *path;
        bool sent;
    } rows[] = {{FAKE_HTTP, "/hang", true}, {FAKE_HTTP, "/hang-body", true}, {FAKE_HTTP, "/drip-body", true}, {FAKE_FULL, "/", false}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct asked a;
        struct takc_call call;
        takc_call_init(&call);
        prepare(&a, rows[i].server, rows[i].path);
        unsigned before = counted(client, rows[i].path);
        int told = gate.told;
        assert_int_equal(takc_http_start(client, &call, &a.r, tell_gate, NULL, NULL), TAKC_OK);
        while (rows[i].server == FAKE_HTTP && counted(client, rows[i].path) == before)
            ; /* until the server has it */
        atomic_store(&call.cancel, true);
        gate_wait(&gate.told, told + 1);
        assert_int_equal(gate.last, TAKC_CANCELLED);
        assert_int_equal(gate.last_sent, rows[i].sent);
        assert_int_equal(takc_http_send(client, &call, &a.r, &a.reply, &a.err), TAKC_CANCELLED); /* at once, unsent */
        assert_false(a.reply.sent);
    }
}

static void the_calls_deadline_cuts(void **state)
{
    (void)state;
    struct asked a;
    struct takc_call call;
    takc_call_init(&call);
    prepare(&a, FAKE_HTTP, "/drip-body");
    call.deadline_ns = takc_clock_system()->mono_ns(takc_clock_system()) + 300000000u;
    a.st = takc_http_send(client, &call, &a.r, &a.reply, &a.err);
    assert_int_equal(a.st, TAKC_TIMEOUT);
    assert_non_null(strstr(a.err.msg, ": out of time"));
    takc_http_reply_clear(&a.reply);
}

/* One connection, taken by one that hangs: the others wait, are cancelled and time out in the queue, unsent; one more is BUSY. */
static void the_queue_is_watched_and_bounded(void **state)
{
    (void)state;
    struct asked hanging, waiting, late, other;
    struct takc_call call, never;
    struct takc_err err = {0};
    struct takc_http *h = client_with(&(struct takc_http_options){.max_per_host = 1, .max_waiting = 3});
    takc_call_init(&call);
    takc_call_init(&never);
    prepare(&hanging, FAKE_HTTP, "/hang");
    prepare(&waiting, FAKE_HTTP, "/ok/1");
    prepare(&late, FAKE_HTTP, "/ok/1");
    late.r.total_ms = 250;
    int told = gate.told;
    assert_int_equal(takc_http_start(h, &never, &hanging.r, tell_gate, NULL, &err), TAKC_OK);
    assert_int_equal(takc_http_start(h, &call, &waiting.r, tell_gate, NULL, &err), TAKC_OK);
    ask(h, &late);
    assert_int_equal(late.st, TAKC_TIMEOUT);
    assert_non_null(strstr(late.err.msg, "not done within 250 ms"));
    assert_false(late.reply.sent);
    prepare(&other, FAKE_PLAIN, "/ca.pem"); /* another host has its own line */
    ask(h, &other);
    assert_int_equal(other.reply.status, 200);
    takc_http_reply_clear(&other.reply);
    assert_int_equal(takc_http_start(h, NULL, &late.r, tell_gate, NULL, &err), TAKC_OK);
    assert_int_equal(takc_http_start(h, NULL, &late.r, tell_gate, NULL, &err), TAKC_BUSY);
    assert_string_equal(err.msg, "3 requests run and wait already");
    gate_wait(&gate.told, told + 1); /* the late one */
    assert_int_equal(gate.last, TAKC_TIMEOUT);
    atomic_store(&call.cancel, true);
    gate_wait(&gate.told, told + 2);
    assert_int_equal(gate.last, TAKC_CANCELLED);
    assert_false(gate.last_sent);
    takc_http_close(h);
    assert_int_equal(gate.told, told + 3);
    assert_int_equal(gate.last, TAKC_CANCELLED);
    assert_true(gate.last_sent);
}

static void closing_ends_what_runs(void **state)
{
    (void)state;
    enum { N = 20 };
    static struct asked a[N];
    struct takc_http *h = client_with(&(struct takc_http_options){.max_per_host = 3});
    int told = gate.told;
    for (int i = 0; i < N; i++) {
        prepare(&a[i], i % 2 ? FAKE_HTTP : FAKE_MUTE, "/hang");
        assert_int_equal(takc_http_start(h, NULL, &a[i].r, tell_gate, NULL, NULL), TAKC_OK);
    }
    takc_http_close(h);
    assert_int_equal(gate.told, told + N);
    assert_int_equal(gate.last, TAKC_CANCELLED);
    takc_http_close(NULL);
}

/* A name that is not answered holds up neither the deadline, nor others, nor closing. */
static void a_slow_resolver_holds_nobody_up(void **state)
{
    (void)state;
    struct asked a;
    struct takc_http *h = client_with(NULL);
    prepare(&a, FAKE_HTTP, "");
    a.r.url = takc_str("http://slow.example/");
    a.r.connect_ms = 250;
    ask(h, &a);
    assert_int_equal(a.st, TAKC_TIMEOUT);
    assert_string_equal(a.err.msg, "slow.example: no connection within 250 ms");
    assert_false(a.reply.sent);
    get(h, &a, "/ok/1");
    body_is(&a, "x");
    takc_http_reply_clear(&a.reply);
    takc_http_close(h);
    takc_mutex_lock(&gate.mu);
    assert_int_equal(gate.inside, 1); /* still there */
    gate.open = true;
    takc_cond_broadcast(&gate.moved);
    while (gate.inside)
        takc_cond_wait(&gate.moved, &gate.mu);
    takc_mutex_unlock(&gate.mu);
}

static void wrong_requests_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *method, *url, *name, *value, *words;
    } rows[] = {
        {"GET", "ftp://h/", "A", "b", "url: "},
        {"GET", "http://u:secret@h/", "A", "b", "url: "},
        {"GET", "http://h/ secret", "A", "b", "url: "},
        {"GE T", "http://h/", "A", "b", "method"},
        {"", "http://h/", "A", "b", "method"},
        {"GET\r\n", "http://h/", "A", "b", "method"},
        {"GET", "http://h/", "", "b", "token"},
        {"GET", "http://h/", "A:", "b", "token"},
        {"GET", "http://h/", "A b", "b", "token"},
        {"GET", "http://h/", "A", "b\r\nsecret: c", "header A: a control character at byte 1"},
        {"GET", "http://h/", "A", "b\nsecret", "control"},
        {"GET", "http://h/", "content-LENGTH", "9", "the client sets it"},
        {"GET", "http://h/", "Transfer-Encoding", "chunked", "the client sets it"},
        {"GET", "http://h/", "Accept-Encoding", "gzip", "the client sets it"},
    };
    struct takc_http_counts before, after;
    takc_http_count(client, &before);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct asked a = {0};
        struct takc_http_header header = {takc_str(rows[i].name), takc_str(rows[i].value)};
        a.r = (struct takc_http_request){.method = rows[i].method, .url = takc_str(rows[i].url), .headers = &header, .n_headers = 1};
        ask(client, &a);
        if (a.st != TAKC_INVALID || !strstr(a.err.msg, rows[i].words) || strstr(a.err.msg, "secret"))
            fail_msg("row %zu: %s '%s'", i, takc_status_name(a.st), a.err.msg);
        assert_int_equal(a.reply.status, 0);
        takc_http_reply_clear(&a.reply);
    }
    takc_http_count(client, &after);
    assert_int_equal(before.requests, after.requests);
}

static void wrong_options_are_refused(void **state)
{
    (void)state;
    static const char *const files[] = {"nothing", "names", ""}; /* not there; no certificate in it; a folder */
    for (size_t i = 0; i < 3; i++) {
        char path[96];
        struct takc_http *h = NULL;
        struct takc_err err = {0};
        (void)snprintf(path, sizeof(path), "%s/%s", fake.folder, files[i]);
        assert_int_equal(takc_http_open(&h, &(struct takc_http_options){.ca_file = path}, &err), TAKC_INVALID);
        assert_non_null(strstr(err.msg, path));
        assert_null(h);
    }
}

/* Every allocation of ours fails once: opening, starting, receiving. */
static void memory_may_run_out(void **state)
{
    (void)state;
    const struct takc_http_header header = {takc_str("A"), takc_str("b")};
    const char *const resolve[] = {"x.example:80:127.0.0.1", NULL};
    bool failed = true;
    int n_failed = 0;
    for (uint64_t n = 1; failed; n++) {
        struct takc_http *h = NULL;
        struct asked a;
        prepare(&a, FAKE_HTTP, "/folded");
        a.r.headers = &header;
        a.r.n_headers = 1;
        takc_fault_arm(TAKC_FAULT_ALLOC, n, ENOMEM);
        a.st = takc_http_open(&h, &(struct takc_http_options){.proxy = "", .resolve = resolve}, &a.err);
        if (!a.st) {
            ask(h, &a);
            takc_http_close(h);
        }
        failed = takc_fault_count(TAKC_FAULT_ALLOC) >= n;
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        if (a.st != (failed ? TAKC_NOMEM : TAKC_OK))
            fail_msg("allocation %d: %s '%s'", (int)n, takc_status_name(a.st), a.err.msg);
        takc_http_reply_clear(&a.reply);
        n_failed += failed;
    }
    assert_in_range(n_failed, 10, 40);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_servers_are_told_by_name),   cmocka_unit_test(refused_connections_are_told),
        cmocka_unit_test(what_was_not_asked_for_is_not_read), cmocka_unit_test(nothing_is_sent_twice),
        cmocka_unit_test(a_receiver_ends_the_transfer),       cmocka_unit_test(a_refusal_of_a_stream_has_an_end),
        cmocka_unit_test(cancelling_ends_every_stage),        cmocka_unit_test(the_calls_deadline_cuts),
        cmocka_unit_test(the_queue_is_watched_and_bounded),   cmocka_unit_test(closing_ends_what_runs),
        cmocka_unit_test(a_slow_resolver_holds_nobody_up),    cmocka_unit_test(wrong_requests_are_refused),
        cmocka_unit_test(wrong_options_are_refused),          cmocka_unit_test(memory_may_run_out)};
    if (!fake_http_can_run()) {
        (void)fprintf(stderr, "SKIPPED: no python3 with ssl, or no openssl; run: sh scripts/install-parts.sh test\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, open_client, close_client);
}
