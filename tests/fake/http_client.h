/* SPDX-License-Identifier: Apache-2.0
 *
 * tests/fake/http_client.h - asking the servers of hostile.py, for the tests of the HTTP client. Include behind cmocka. */
#ifndef TAKC_TESTS_FAKE_HTTP_CLIENT_H
#define TAKC_TESTS_FAKE_HTTP_CLIENT_H

#include "net/http.h"
#include "server.h"

enum { FAKE_HTTP = 0, FAKE_TLS, FAKE_MUTE, FAKE_FULL, FAKE_PROXY, FAKE_PLAIN, FAKE_PORTS };

static struct fake_server fake;

/* What one request came to. */
struct asked {
    char url[256];
    struct takc_http_request r;
    struct takc_http_reply reply;
    struct takc_err err;
    enum takc_status st;
};

static struct takc_http *client_with(const struct takc_http_options *o)
{
    struct takc_http *h = NULL;
    struct takc_err err = {0};
    if (takc_http_open(&h, o, &err))
        fail_msg("%s", err.msg);
    return h;
}

/* A GET of a path of one of the servers; change r, then ask. */
static void prepare(struct asked *a, int server, const char *path)
{
    *a = (struct asked){0};
    (void)snprintf(a->url, sizeof(a->url), "http%s://localhost:%u%s", server == FAKE_TLS ? "s" : "", fake.ports[server], path);
    a->r = (struct takc_http_request){.method = "GET", .url = takc_str(a->url)};
}

static void ask(struct takc_http *h, struct asked *a)
{
    a->st = takc_http_send(h, NULL, &a->r, &a->reply, &a->err);
}

static void get(struct takc_http *h, struct asked *a, const char *path)
{
    prepare(a, FAKE_HTTP, path);
    ask(h, a);
}

static void body_is(const struct asked *a, const char *text)
{
    if (a->st)
        fail_msg("%s: %s", a->url, a->err.msg);
    if (!takc_str_is(takc_buf_str(&a->reply.body), text))
        fail_msg("%s: '%.*s' is not '%s'", a->url, TAKC_STR_ARG(takc_buf_str(&a->reply.body)), text);
}

/* What the server counted under a name ("connections", "/die"). */
static unsigned counted(struct takc_http *h, const char *name)
{
    struct asked a;
    struct takc_str rest, line;
    unsigned n = 0;
    get(h, &a, "/stats");
    assert_int_equal(a.st, TAKC_OK);
    rest = takc_buf_str(&a.reply.body);
    while (takc_str_split(&rest, '\n', &line))
        if (takc_str_starts(line, takc_str(name)) && line.len > strlen(name) && line.ptr[strlen(name)] == '=')
            n = (unsigned)strtoul(line.ptr + strlen(name) + 1, NULL, 10);
    takc_http_reply_clear(&a.reply);
    return n;
}

static int fake_http_start(void **state)
{
    (void)state;
    /* What the machine of the test says about proxies is not about these servers. */
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        (void)unsetenv(names[i]);
    return fake_server_start(&fake, "hostile.py", FAKE_PORTS) ? 0 : -1;
}

static int fake_http_stop(void **state)
{
    (void)state;
    fake_server_stop(&fake);
    return 0;
}

/* Without these the tests cannot run: 77 tells ctest that they were skipped. */
static bool fake_http_can_run(void)
{
    return system("python3 -c 'import ssl, http.server' >/dev/null 2>&1 && openssl version >/dev/null 2>&1") == 0;
}

#endif
