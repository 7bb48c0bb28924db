/* SPDX-License-Identifier: Apache-2.0
 *
 * A webhook that decides: its answers in all forms, how long they are kept, what is no answer, and addresses that must not be asked. Run
 * under TSan too. */
#include "auth/webhook.h"

#include "base/fault.h"
#include "base/thread.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tests/fake/tokens.h"

static struct token_clock clock_ = {{token_mono, token_wall, token_sleep}, 1000, 0};
static struct takc_authorizer *authorizer;
static struct takc_arena arena;
static struct takc_err err;
static struct takc_identity who;
static struct takc_auth_webhook_options options;

static struct {
    const char *says; /* NULL: no answer */
    int n_asked;
    char question[4096];
} hook;

static enum takc_status answer(void *arg, struct takc_call *call, struct takc_str question, struct takc_buf *out, struct takc_err *e)
{
    (void)arg;
    (void)call;
    hook.n_asked++;
    (void)snprintf(hook.question, sizeof(hook.question), "%.*s", TAKC_STR_ARG(question));
    return hook.says ? takc_buf_add(out, takc_str(hook.says), e) : takc_fail(e, TAKC_TIMEOUT, 0, "no answer");
}

static int setup(void **state)
{
    (void)state;
    memset(&hook, 0, sizeof(hook));
    options = (struct takc_auth_webhook_options){.ttl_s = 60, .clock = &clock_.base, .ask = answer};
    takc_arena_init(&arena);
    authorizer = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (authorizer)
        authorizer->kind->free(authorizer);
    takc_arena_clear(&arena);
    return 0;
}

static void start(void)
{
    if (takc_auth_webhook_open(&authorizer, &options, &err))
        fail_msg("%s", err.msg);
}

static enum takc_status ask_at(const char *path, const char *credential)
{
    struct takc_call call;
    struct token_request q = {.name = "authorization", .value = takc_str(credential)};
    q.r = (struct takc_auth_request){
        .method = takc_str("POST"), .path = takc_str(path), .peer = takc_str("192.0.2.7"), .header = token_header, .arg = &q};
    takc_call_init(&call);
    call.request_id = "r-1";
    assert_true(authorizer->kind->bears(authorizer, &q.r));
    return authorizer->kind->check(authorizer, &call, &q.r, &arena, &who, &err);
}

static enum takc_status ask(const char *credential)
{
    return ask_at("/query", credential);
}

static void it_is_asked_and_believed(void **state)
{
    (void)state;
    hook.says = "{\"allow\":true,\"subject\":\"u 1\",\"tenant\":\"acme\",\"may\":[\"query\"],\"tasks\":[\"fin-*\"]}";
    start();
    assert_int_equal(ask("Basic Zm9v"), TAKC_OK);
    assert_string_equal(hook.question, "{\"method\":\"POST\",\"path\":\"/query\",\"source_ip\":\"192.0.2.7\",\"request_id\":\"r-1\","
                                       "\"headers\":{\"authorization\":\"Basic Zm9v\"}}");
    assert_true(takc_str_starts(who.subject, takc_str("webhook:u_1.")));
    assert_true(takc_str_is(who.tenant, "acme"));
    assert_int_equal(who.may, TAKC_MAY_QUERY);
    assert_true(takc_may_task(&who, takc_str("fin-x")));
    assert_false(takc_may_task(&who, takc_str("law")));
    struct token_request q = {.name = "x-other", .value = takc_str("v")};
    q.r = (struct takc_auth_request){.header = token_header, .arg = &q};
    assert_false(authorizer->kind->bears(authorizer, &q.r));
}

static void other_headers_are_asked_about_when_set(void **state)
{
    (void)state;
    hook.says = "{\"allow\":true}";
    options.headers = takc_str("X-Team, X-API-Key");
    start();
    struct token_request q = {.name = "x-team", .value = takc_str("blue")};
    q.r = (struct takc_auth_request){.method = takc_str("GET"), .path = takc_str("/"), .header = token_header, .arg = &q};
    assert_true(authorizer->kind->bears(authorizer, &q.r));
    assert_int_equal(authorizer->kind->check(authorizer, NULL, &q.r, &arena, &who, &err), TAKC_OK);
    assert_non_null(strstr(hook.question, "\"headers\":{\"x-team\":\"blue\"}"));
}

static struct takc_str header_twice(const void *arg, const char *name, bool *twice)
{
    (void)arg;
    *twice = strcmp(name, "x-api-key") == 0;
    return strcmp(name, "authorization") == 0 ? takc_str("k") : takc_str("");
}

static void headers_that_come_twice_are_refused(void **state)
{
    (void)state;
    hook.says = "{\"allow\":true}";
    start();
    const struct takc_auth_request r = {.method = takc_str("GET"), .path = takc_str("/"), .header = header_twice};
    assert_true(authorizer->kind->bears(authorizer, &r));
    assert_int_equal(authorizer->kind->check(authorizer, NULL, &r, &arena, &who, &err), TAKC_DENIED);
    assert_int_equal(hook.n_asked, 0);
}

/* --- forms --- */

static void answers_have_three_forms(void **state)
{
    (void)state;
    static const struct {
        const char *says;
        enum takc_status st;
        unsigned may;
        const char *tenant;
    } rows[] = {
        {"{\"allow\":true}", TAKC_OK, 0, ""},
        {"{\"allow\":false,\"may\":7}", TAKC_DENIED, 0, NULL},
        {"{\"allow\":true,\"may\":\"query admin\",\"tenant\":\"a\",\"tasks\":null,\"ttl_s\":5}", TAKC_OK, TAKC_MAY_QUERY | TAKC_MAY_ADMIN,
         "a"},
        {"{\"isAuthorized\":true,\"context\":{\"may\":[\"ingest\"],\"tenant\":\"b\"}}", TAKC_OK, TAKC_MAY_INGEST, "b"},
        {"{\"isAuthorized\":true}", TAKC_OK, 0, ""},
        {"{\"isAuthorized\":false}", TAKC_DENIED, 0, NULL},
        {"{\"principalId\":\"p\",\"policyDocument\":{\"Statement\":[{\"Effect\":\"Allow\",\"Resource\":\"*\"}]},\"context\":{\"may\":"
         "\"query\"}}",
         TAKC_OK, TAKC_MAY_QUERY, ""},
        {"{\"policyDocument\":{\"Statement\":[{\"Effect\":\"Allow\",\"Resource\":[\"*\"]},{\"Effect\":\"Deny\",\"Resource\":\"x\"}]}}",
         TAKC_DENIED, 0, NULL},
        {"{\"policyDocument\":{\"Statement\":[{\"Effect\":\"Allow\",\"Resource\":\"arn:aws:execute-api:x\"}]}}", TAKC_UPSTREAM, 0, NULL},
        {"{\"policyDocument\":{\"Statement\":[{\"Effect\":\"Allow\",\"Resource\":\"*\",\"Condition\":{}}]}}", TAKC_UPSTREAM, 0, NULL},
        {"{\"policyDocument\":{\"Statement\":{\"Effect\":\"Allow\",\"Resource\":\"*\"}}}", TAKC_OK, 0, ""},
        {"{\"policyDocument\":{\"Statement\":{\"Effect\":\"Deny\",\"Resource\":\"*\"}}}", TAKC_DENIED, 0, NULL},
        {"{\"policyDocument\":{\"Statement\":{\"Effect\":\"Allow\",\"NotAction\":\"x\",\"Resource\":\"*\"}}}", TAKC_UPSTREAM, 0, NULL},
        {"{\"policyDocument\":{\"Statement\":[]}}", TAKC_UPSTREAM, 0, NULL},
        {"{\"policyDocument\":{}}", TAKC_UPSTREAM, 0, NULL},
        {"", TAKC_UPSTREAM, 0, NULL},
        {"true", TAKC_UPSTREAM, 0, NULL},
        {"[{\"allow\":true}]", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":true", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":true}{", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":false,\"allow\":true}", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":\"true\"}", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":1}", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":null}", TAKC_UPSTREAM, 0, NULL},
        {"{}", TAKC_UPSTREAM, 0, NULL},
        {"{\"isAuthorized\":\"yes\"}", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":true,\"may\":[\"root\"]}", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":true,\"may\":{\"query\":true}}", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":true,\"tasks\":[]}", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":true,\"tasks\":[\"a/b\"]}", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":true,\"tasks\":7}", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":true,\"tenant\":\"..\"}", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":true,\"tenant\":\"\"}", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":true,\"tenant\":1}", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":true,\"subject\":\"\"}", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":true,\"ttl_s\":-1}", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":true,\"ttl_s\":\"9\"}", TAKC_UPSTREAM, 0, NULL},
        {"{\"allow\":true,\"cache_by\":\"moon\"}", TAKC_UPSTREAM, 0, NULL}};
    options.ttl_s = 0;
    start();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        hook.says = rows[i].says;
        enum takc_status st = ask("k");
        if (st != rows[i].st)
            fail_msg("%s: %s: %s", rows[i].says, takc_status_name(st), st ? err.msg : "");
        if (!st && (who.may != rows[i].may || !takc_str_is(who.tenant, rows[i].tenant) || !who.subject.len))
            fail_msg("%s: may %u", rows[i].says, who.may);
    }
    hook.says = NULL;
    assert_int_equal(ask("k"), TAKC_TIMEOUT);
    assert_int_equal(hook.n_asked, sizeof(rows) / sizeof(rows[0]) + 1); /* ttl 0: nothing is kept */
}

/* --- what is kept --- */

static void answers_are_kept_for_a_while(void **state)
{
    (void)state;
    hook.says = "{\"allow\":true,\"subject\":\"s\",\"may\":[\"query\"]}";
    start();
    assert_int_equal(ask("a"), TAKC_OK);
    hook.says = "{\"allow\":false}";
    clock_.mono_ms += 59999;
    assert_int_equal(ask_at("/tasks", "a"), TAKC_OK); /* of the credential */
    assert_true(takc_str_is(who.subject, "webhook:s"));
    assert_int_equal(who.may, TAKC_MAY_QUERY);
    assert_int_equal(hook.n_asked, 1);
    assert_int_equal(ask("b"), TAKC_DENIED); /* of another */
    clock_.mono_ms += 1;
    assert_int_equal(ask("a"), TAKC_DENIED);
    assert_int_equal(hook.n_asked, 3);
    hook.says = "{\"allow\":true}";
    assert_int_equal(ask("a"), TAKC_DENIED); /* a no is kept, too, */
    clock_.mono_ms += TAKC_WEBHOOK_NO_S * 1000;
    assert_int_equal(ask("a"), TAKC_OK); /* shortly */
    assert_int_equal(hook.n_asked, 4);
}

static void answers_say_how_long_they_hold(void **state)
{
    (void)state;
    hook.says = "{\"allow\":true,\"ttl_s\":2}";
    start();
    assert_int_equal(ask("a"), TAKC_OK);
    clock_.mono_ms += 1999;
    assert_int_equal(ask("a"), TAKC_OK);
    assert_int_equal(hook.n_asked, 1);
    clock_.mono_ms += 1;
    hook.says = "{\"allow\":true,\"ttl_s\":99999999999}";
    assert_int_equal(ask("a"), TAKC_OK);
    clock_.mono_ms += 60000; /* the setting's most */
    assert_int_equal(ask("a"), TAKC_OK);
    assert_int_equal(hook.n_asked, 3);
    hook.says = "{\"allow\":true,\"ttl_s\":0}";
    assert_int_equal(ask("c"), TAKC_OK);
    assert_int_equal(ask("c"), TAKC_OK);
    assert_int_equal(hook.n_asked, 5);
    hook.says = "{\"allow\":false,\"ttl_s\":600}";
    assert_int_equal(ask("d"), TAKC_DENIED);
    clock_.mono_ms += TAKC_WEBHOOK_NO_S * 1000;
    assert_int_equal(ask("d"), TAKC_DENIED);
    assert_int_equal(hook.n_asked, 7);
}

static void answers_may_hold_for_a_request_only(void **state)
{
    (void)state;
    hook.says = "{\"allow\":true,\"cache_by\":\"request\"}";
    start();
    assert_int_equal(ask_at("/query", "a"), TAKC_OK);
    assert_int_equal(ask_at("/query", "a"), TAKC_OK);
    assert_int_equal(hook.n_asked, 1);
    hook.says = "{\"allow\":false,\"cache_by\":\"request\"}";
    assert_int_equal(ask_at("/tasks", "a"), TAKC_DENIED);
    assert_int_equal(ask_at("/query", "a"), TAKC_OK);
    assert_int_equal(hook.n_asked, 2);
}

static void the_table_is_bounded_and_keeps_the_good(void **state)
{
    (void)state;
    char credential[32];
    int asked;
    hook.says = "{\"allow\":true}";
    start();
    assert_int_equal(ask("good"), TAKC_OK);
    hook.says = "{\"allow\":false}";
    for (int i = 0; i < 2 * TAKC_WEBHOOK_KEPT; i++) {
        (void)snprintf(credential, sizeof(credential), "bad %d", i);
        assert_int_equal(ask(credential), TAKC_DENIED);
    }
    asked = hook.n_asked;
    assert_int_equal(ask("good"), TAKC_OK); /* invented ones did not push it out */
    assert_int_equal(hook.n_asked, asked);
}

/* --- commands --- */

static char script[64];

static void write_script(const char *text)
{
    (void)snprintf(script, sizeof(script), "/tmp/takc-webhook-XXXXXX");
    int fd = mkstemp(script);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    (void)close(fd);
}

/* Runs it as the webhook for one request. */
static enum takc_status run_script(const char *text)
{
    char command[96];
    write_script(text);
    (void)snprintf(command, sizeof(command), "sh '%s' one \"two three\"", script);
    options.ask = NULL;
    options.command = takc_str(command);
    options.timeout_ms = 2000;
    start();
    enum takc_status st = ask("Bearer secret-1");
    authorizer->kind->free(authorizer);
    authorizer = NULL;
    (void)unlink(script);
    return st;
}

static void commands_decide(void **state)
{
    (void)state;
    (void)setenv("TAKC_WEBHOOK_TEST_SECRET", "x", 1);
    assert_int_equal(run_script("read -r q; case $q in *'\"Bearer secret-1\"'*) ;; *) exit 9 ;; esac\n"
                                "[ \"$2\" = 'two three' ] && [ -z \"$TAKC_WEBHOOK_TEST_SECRET\" ] || exit 8\n"
                                "echo '{\"allow\": true, \"subject\": \"cmd\"}'"),
                     TAKC_OK);
    assert_true(takc_str_is(who.subject, "webhook:cmd"));
    assert_int_equal(run_script("echo '{\"allow\": false}'"), TAKC_DENIED);
    assert_int_equal(run_script("echo '{\"allow\": true}'; exit 1"), TAKC_UPSTREAM);
    assert_non_null(strstr(err.msg, "exit code 1"));
    assert_int_equal(run_script("echo '{\"allow\": true}'; kill -9 $$"), TAKC_UPSTREAM);
    assert_int_equal(run_script("yes '{\"allow\": true}'"), TAKC_UPSTREAM); /* too much */
    assert_int_equal(run_script("exit 0"), TAKC_UPSTREAM);
}

static void slow_commands_are_no_answer(void **state)
{
    (void)state;
    char command[] = "sleep 30";
    options.ask = NULL;
    options.command = takc_str(command);
    options.timeout_ms = 50;
    start();
    assert_int_equal(ask("k"), TAKC_TIMEOUT);
}

/* --- over HTTP --- */

static struct {
    int listener;
    unsigned port;
    pthread_t thread;
    atomic_int n_asked;
} server;

/* One request a connection; what is answered is in the path. */
static void serve_one(int fd)
{
    char request[8192] = "";
    size_t n = 0;
    const char *reply = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    while (n < sizeof(request) - 1 && !strstr(request, "}}")) {
        ssize_t got = read(fd, request + n, sizeof(request) - 1 - n);
        if (got <= 0)
            break;
        n += (size_t)got;
        request[n] = '\0';
    }
    if (strncmp(request, "POST /yes", 9) == 0)
        reply = "HTTP/1.1 200 OK\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"allow\":true}";
    else if (strncmp(request, "POST /201", 9) == 0)
        reply = "HTTP/1.1 201 Created\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"allow\":true}";
    else if (strncmp(request, "POST /500", 9) == 0)
        reply = "HTTP/1.1 500 Oh\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"allow\":true}";
    else if (strncmp(request, "POST /moved", 11) == 0)
        reply = "HTTP/1.1 307 Moved\r\nLocation: /yes\r\nContent-Length: 14\r\nConnection: close\r\n\r\n{\"allow\":true}";
    else if (strncmp(request, "POST /cut", 9) == 0)
        reply = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\nConnection: close\r\n\r\n{\"allow\":true}";
    else if (strncmp(request, "POST /big", 9) == 0)
        reply = "HTTP/1.1 200 OK\r\nContent-Length: 99999\r\nConnection: close\r\n\r\n{\"allow\":true}";
    else if (strncmp(request, "POST /slow", 10) == 0)
        reply = "";
    struct pollfd gone = {.fd = fd, .events = POLLIN};
    (void)!write(fd, reply, strlen(reply));
    if (!reply[0])
        (void)poll(&gone, 1, 5000); /* until the client has had enough */
    (void)close(fd);
}

static void *serve(void *arg)
{
    (void)arg;
    for (int fd; (fd = accept(server.listener, NULL, NULL)) >= 0;) {
        server.n_asked++;
        serve_one(fd);
    }
    return NULL;
}

static int start_server(void **state)
{
    (void)state;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    server.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(server.listener, (struct sockaddr *)&a, n) || listen(server.listener, 16) ||
        getsockname(server.listener, (struct sockaddr *)&a, &n))
        return -1;
    server.port = ntohs(a.sin_port);
    return pthread_create(&server.thread, NULL, serve, NULL);
}

static int stop_server(void **state)
{
    (void)state;
    (void)shutdown(server.listener, SHUT_RDWR);
    (void)pthread_join(server.thread, NULL);
    return close(server.listener);
}

static enum takc_status ask_url(const char *host, const char *path)
{
    char url[128];
    (void)snprintf(url, sizeof(url), "%s:%u%s", host, server.port, path);
    options.ask = NULL;
    options.url = takc_str(url);
    options.timeout_ms = 500;
    start();
    enum takc_status st = ask("k");
    authorizer->kind->free(authorizer);
    authorizer = NULL;
    return st;
}

static void only_200_is_an_answer(void **state)
{
    (void)state;
    options.allow_private = true;
    assert_int_equal(ask_url("http://127.0.0.1", "/yes"), TAKC_OK);
    assert_int_equal(ask_url("http://localhost", "/yes"), TAKC_OK);
    assert_int_equal(ask_url("http://127.0.0.1", "/201"), TAKC_UPSTREAM);
    assert_int_equal(ask_url("http://127.0.0.1", "/500"), TAKC_UPSTREAM);
    assert_int_equal(ask_url("http://127.0.0.1", "/nothing"), TAKC_UPSTREAM);
    int before = server.n_asked;
    assert_int_equal(ask_url("http://127.0.0.1", "/moved"), TAKC_UPSTREAM);
    assert_int_equal(server.n_asked, before + 1); /* not followed */
    assert_int_equal(ask_url("http://127.0.0.1", "/cut"), TAKC_UPSTREAM);
    assert_int_equal(ask_url("http://127.0.0.1", "/big"), TAKC_UPSTREAM);
    assert_int_equal(ask_url("http://127.0.0.1", "/slow"), TAKC_TIMEOUT);
    assert_int_equal(ask_url("http://127.0.0.2", "/yes"), TAKC_UPSTREAM);
}

/* Whatever the name is: the address decides, and nobody is connected to. */
static void private_addresses_are_not_asked(void **state)
{
    (void)state;
    static const char *const addresses[] = {"127.0.0.1", "169.254.169.254",   "10.0.0.1",        "192.168.1.1",
                                            "[::1]",     "[::ffff:10.0.0.1]", "[fd00:ec2::254]", "0.0.0.0"};
    int before = server.n_asked;
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        char line[96];
        (void)snprintf(line, sizeof(line), "hook.example:%u:%s", server.port, addresses[i]);
        const char *const resolve[] = {line, NULL};
        options.resolve = resolve;
        if (ask_url("https://hook.example", "/yes") != TAKC_UPSTREAM || !strstr(err.msg, "not a public one"))
            fail_msg("%s: %s", addresses[i], err.msg);
    }
    options.resolve = NULL;
    static const char *const names[] = {"https://localhost", "https://2130706433", "https://127.1", "https://0x7f000001"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (ask_url(names[i], "/yes") != TAKC_UPSTREAM || !strstr(err.msg, "not a public one"))
            fail_msg("%s: %s", names[i], err.msg);
    assert_int_equal(server.n_asked, before);
}

/* Each allocation of opening and checking fails once: told as that, and never a yes of another kind or a no. */
static void no_memory_is_told(void **state)
{
    (void)state;
    uint64_t n = 1, hits = 1;
    hook.says = "{\"allow\":true,\"subject\":\"s\",\"may\":[\"query\"],\"tasks\":[\"a\",\"b\"],\"tenant\":\"t\"}";
    for (; hits; n++) {
        takc_fault_arm(TAKC_FAULT_ALLOC, n, 0);
        enum takc_status st = takc_auth_webhook_open(&authorizer, &options, &err);
        st = st ? st : ask("k");
        hits = takc_fault_count(TAKC_FAULT_ALLOC) >= n;
        takc_fault_arm(TAKC_FAULT_ALLOC, 0, 0);
        if (st && st != TAKC_NOMEM)
            fail_msg("allocation %u: %s: %s", (unsigned)n, takc_status_name(st), err.msg);
        if (!st && (who.may != TAKC_MAY_QUERY || !takc_str_is(who.subject, "webhook:s")))
            fail_msg("allocation %u: may %u", (unsigned)n, who.may);
        if (authorizer)
            authorizer->kind->free(authorizer);
        authorizer = NULL;
        takc_arena_clear(&arena);
    }
    assert_true(n > 8);
}

static void odd_settings_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *url, *command, *headers, *why;
    } rows[] = {{"", "", "", "serve.webhook_url"},
                {"https://a.example/", "true", "", "serve.webhook_command"},
                {"ftp://a.example/", "", "", "serve.webhook_url"},
                {"http://a.example/", "", "", "https"},
                {"https://127.0.0.1/", "", "", "serve.webhook_allow_private"},
                {"https://169.254.169.254/latest", "", "", "serve.webhook_allow_private"},
                {"https://[::1]/", "", "", "serve.webhook_allow_private"},
                {"https://[::ffff:10.0.0.1]/", "", "", "serve.webhook_allow_private"},
                {"https://user@a.example/", "", "", "serve.webhook_url"},
                {"", "sh 'open", "", "serve.webhook_command"},
                {"", "true", "X Y: Z", "serve.webhook_headers"},
                {"", "true", "a b c d e f g h i", "serve.webhook_headers"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct takc_auth_webhook_options o = {
            .url = takc_str(rows[i].url), .command = takc_str(rows[i].command), .headers = takc_str(rows[i].headers)};
        if (takc_auth_webhook_open(&authorizer, &o, &err) != TAKC_INVALID || !strstr(err.msg, rows[i].why))
            fail_msg("%zu: '%s' does not say '%s'", i, err.msg, rows[i].why);
    }
    struct takc_auth_webhook_options o = {.command = takc_str("no-such-program-of-takc")};
    assert_int_equal(takc_auth_webhook_open(&authorizer, &o, &err), TAKC_NOT_FOUND);
    authorizer = NULL;
}

int main(void)
{
#define ROW(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
    const struct CMUnitTest tests[] = {ROW(it_is_asked_and_believed),
                                       ROW(other_headers_are_asked_about_when_set),
                                       ROW(headers_that_come_twice_are_refused),
                                       ROW(answers_have_three_forms),
                                       ROW(answers_are_kept_for_a_while),
                                       ROW(answers_say_how_long_they_hold),
                                       ROW(answers_may_hold_for_a_request_only),
                                       ROW(the_table_is_bounded_and_keeps_the_good),
                                       ROW(commands_decide),
                                       ROW(slow_commands_are_no_answer),
                                       ROW(only_200_is_an_answer),
                                       ROW(private_addresses_are_not_asked),
                                       ROW(no_memory_is_told),
                                       ROW(odd_settings_are_named)};
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
