/* SPDX-License-Identifier: Apache-2.0
 *
 * The OpenAI provider against a real server with a real, small model (scripts/small-model.sh). Skipped, and says so, where it was not made.
 */
#include "model/registry.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SCRIPT TAKC_TEST_DATA "/../../scripts/small-model.sh"

enum { START_S = 120 }; /* a shared machine reads 98 MB and loads a hundred Python modules */

static pid_t server;
static unsigned port;
static struct takc_http *http;
static struct takc_model *model;

static unsigned free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || getsockname(fd, (struct sockaddr *)&a, &len))
        return 0;
    (void)close(fd);
    return ntohs(a.sin_port);
}

static bool serve(void)
{
    char number[8];
    port = free_port();
    (void)snprintf(number, sizeof(number), "%u", port);
    server = fork();
    if (server == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (freopen("/dev/null", "w", stdout) && freopen("/dev/null", "w", stderr))
            (void)execlp("sh", "sh", SCRIPT, "serve", number, (char *)NULL);
        _exit(127);
    }
    return server > 0 && port;
}

static bool answers(void)
{
    char url[64];
    struct takc_http_reply h;
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1/models", port);
    struct takc_http_request q = {.method = "GET", .url = takc_str(url)};
    bool good = !takc_http_send(http, NULL, &q, &h, NULL) && h.status == 200;
    takc_http_reply_clear(&h);
    return good;
}

static int start(void **state)
{
    (void)state;
    char url[64];
    const struct takc_http_options o = {.proxy = ""};
    if (!serve() || takc_http_open(&http, &o, NULL))
        return -1;
    for (int i = 0; !answers(); i++) {
        if (i >= 10 * START_S || waitpid(server, NULL, WNOHANG))
            return -1;
        (void)usleep(100000);
    }
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
    struct takc_model_options mo = {.http = http, .base_url = takc_str(url), .model = takc_str("smollm2")};
    return takc_model_open(&model, takc_str("openai"), &mo, NULL) ? -1 : 0;
}

static int stop(void **state)
{
    (void)state;
    takc_model_close(model);
    takc_http_close(http);
    if (server > 0) {
        (void)kill(server, SIGKILL);
        (void)waitpid(server, NULL, 0);
    }
    return 0;
}

static enum takc_status hear(void *arg, struct takc_str text, struct takc_err *err)
{
    return takc_buf_add(arg, text, err);
}

static enum takc_status ask(const char *text, uint32_t max_tokens, struct takc_buf *heard, struct takc_model_reply *reply,
                            struct takc_err *err)
{
    const struct takc_model_block system = {.text = takc_str("You are a helpful assistant.")}, question = {.text = takc_str(text)};
    const struct takc_model_message message = {TAKC_ROLE_USER, &question, 1};
    struct takc_model_request r = {.system = &system,
                                   .n_system = 1,
                                   .messages = &message,
                                   .n_messages = 1,
                                   .max_tokens = max_tokens,
                                   .has_temperature = true,
                                   .temperature = 0};
    return takc_model_complete(model, NULL, &r, heard ? hear : NULL, heard, reply, err);
}

static void it_answers_whole_and_streamed_the_same(void **state)
{
    (void)state;
    struct takc_model_reply whole, streamed;
    struct takc_buf heard;
    struct takc_err err = {0};
    takc_model_reply_init(&whole);
    takc_model_reply_init(&streamed);
    takc_buf_init(&heard, 1 << 20);
    /* The first time the server reads the prompt; it keeps what it made of it, and rounds otherwise where it goes on from that. */
    if (ask("What is the capital of France?", 40, NULL, &whole, &err) || ask("What is the capital of France?", 40, NULL, &whole, &err) ||
        ask("What is the capital of France?", 40, &heard, &streamed, &err))
        fail_msg("%s", err.msg);
    (void)fprintf(stderr, "whole: %s\nnotes of the stream: %s\n", takc_buf_str(&whole.text).ptr,
                  streamed.notes.ptr ? streamed.notes.ptr : "");
    assert_true(whole.text.len > 0 && takc_str_eq(takc_buf_str(&whole.text), takc_buf_str(&streamed.text)));
    assert_true(takc_str_eq(takc_buf_str(&heard), takc_buf_str(&streamed.text)));
    assert_true(whole.usage.input > 10 && whole.usage.output > 0 && whole.usage.output <= 40 && !whole.usage.counted_here);
    assert_true(streamed.usage.input > 0 && streamed.usage.output > 0);
    assert_int_equal(streamed.usage.counted_here, streamed.notes.len > 0);
    takc_model_reply_clear(&whole);
    takc_model_reply_clear(&streamed);
    takc_buf_clear(&heard);
}

static void limits_are_told(void **state)
{
    (void)state;
    struct takc_model_reply reply;
    struct takc_buf text;
    struct takc_err err = {0};
    takc_model_reply_init(&reply);
    takc_buf_init(&text, 1 << 20);
    if (ask("Count from one to one hundred in words.", 6, NULL, &reply, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(reply.stop, TAKC_STOP_LENGTH);
    assert_int_equal(reply.usage.output, 6);
    for (int i = 0; i < 3000; i++) /* some 9,000 tokens; the window has 4,096 */
        assert_int_equal(takc_buf_add(&text, takc_str("one two three "), NULL), TAKC_OK);
    assert_int_equal(ask(text.ptr, 6, NULL, &reply, &err), TAKC_INVALID);
    (void)fprintf(stderr, "too long: %s\n", err.msg);
    assert_int_equal(reply.failure, TAKC_FAILURE_TOO_LONG);
    takc_model_reply_clear(&reply);
    takc_buf_clear(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(it_answers_whole_and_streamed_the_same), cmocka_unit_test(limits_are_told)};
    if (system("sh '" SCRIPT "' check")) {
        (void)fprintf(stderr, "SKIPPED: no real model was asked\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, start, stop);
}
