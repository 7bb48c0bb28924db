/* SPDX-License-Identifier: Apache-2.0
 *
 * The OpenAI provider against a strict server (tests/fake/openai.py): what is sent, member by member; what comes back whole and streamed;
 * every error in the shapes of the servers that make it. */
#include "base/fault.h"
#include "model/caller.h"
#include "model/registry.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../../tests/fake/server.h"

#define KEY "sk-test-0123456789"
#define TEXT "Revenue rose to 42 million \xE2\x82\xAC. [1]"

static struct fake_server server;
static struct takc_http *http;

static int64_t wall_s(const struct takc_clock *c)
{
    (void)c;
    return 1000; /* dates of Retry-After are relative to it */
}
static struct takc_clock clock_of_test;

static int start(void **state)
{
    (void)state;
    clock_of_test = *takc_clock_system();
    clock_of_test.wall_s = wall_s;
    const struct takc_http_options o = {.proxy = ""};
    return fake_server_start(&server, "openai.py", 1) && !takc_http_open(&http, &o, NULL) ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    takc_http_close(http);
    fake_server_stop(&server);
    return 0;
}

static struct takc_model *open_at(const char *path, const char *key, const struct takc_http_header *headers, size_t n)
{
    char url[128];
    struct takc_model *m = NULL;
    struct takc_err err = {0};
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", server.ports[0], path);
    struct takc_model_options o = {.http = http,
                                   .base_url = takc_str(url),
                                   .api_key = takc_str(key),
                                   .model = takc_str("good"),
                                   .headers = headers,
                                   .n_headers = n,
                                   .clock = &clock_of_test};
    if (takc_model_open(&m, takc_str("openai"), &o, &err))
        fail_msg("%s", err.msg);
    return m;
}

struct asked {
    struct takc_model_reply reply;
    struct takc_err err;
    enum takc_status st;
    char said[1024];
    size_t n_said;
    unsigned n_deltas;
    struct takc_call *call;
    enum takc_status hear_fails;
};

static enum takc_status hear(void *arg, struct takc_str text, struct takc_err *err)
{
    struct asked *a = arg;
    assert_true(a->n_said + text.len < sizeof(a->said));
    memcpy(a->said + a->n_said, text.ptr, text.len);
    a->n_said += text.len;
    a->n_deltas++;
    return a->hear_fails ? takc_fail(err, a->hear_fails, 0, "nobody listens") : TAKC_OK;
}

static const struct takc_model_block question[] = {{.text = {"one", 3}}, {.text = {"two\n", 4}}, {.text = {"three", 5}}};
static const struct takc_model_message message = {TAKC_ROLE_USER, question, 3};

static void ask_for(struct takc_model *m, struct asked *a, const struct takc_model_request *q, bool stream)
{
    struct takc_model_request r = *q;
    if (!r.n_messages) {
        r.messages = &message;
        r.n_messages = 1;
    }
    takc_model_reply_init(&a->reply);
    a->st = takc_model_complete(m, a->call, &r, stream ? hear : NULL, a, &a->reply, &a->err);
}

static void ask(struct takc_model *m, struct asked *a, const char *name, bool stream)
{
    *a = (struct asked){0};
    ask_for(m, a, &(struct takc_model_request){.model = takc_str(name), .max_tokens = 50}, stream);
}

static bool noted(const struct asked *a, const char *text)
{
    return takc_str_find(takc_buf_str(&a->reply.notes), takc_str(text), 0) != SIZE_MAX;
}

static void good(const struct asked *a, const char *text)
{
    if (a->st || !takc_str_is(takc_buf_str(&a->reply.text), text))
        fail_msg("%s; '%.*s' is not '%s'", a->err.msg, TAKC_STR_ARG(takc_buf_str(&a->reply.text)), text);
}

/* What the server was sent last: its line, headers, body. */
static void sent(struct takc_buf *out)
{
    char url[64];
    struct takc_http_reply h;
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/last", server.ports[0]);
    struct takc_http_request q = {.method = "GET", .url = takc_str(url)};
    takc_buf_init(out, 1 << 20);
    assert_int_equal(takc_http_send(http, NULL, &q, &h, NULL), TAKC_OK);
    assert_int_equal(takc_buf_add(out, takc_buf_str(&h.body), NULL), TAKC_OK);
    takc_http_reply_clear(&h);
}

static void sent_holds(const char *text, bool there)
{
    struct takc_buf b;
    sent(&b);
    if ((takc_str_find(takc_buf_str(&b), takc_str(text), 0) != SIZE_MAX) != there)
        fail_msg("'%s' is %s in\n%s", text, there ? "not" : "", b.ptr);
    takc_buf_clear(&b);
}

/* --- what is sent --- */

static void requests_are_as_the_api_has_them(void **state)
{
    (void)state;
    struct takc_model *m = open_at("", KEY, NULL, 0);
    const struct takc_model_block system[] = {{.text = takc_str("You condense."), .cache_point = true}},
                                  answer[] = {{.text = takc_str("So")}};
    const struct takc_model_message turns[] = {{TAKC_ROLE_USER, question, 3}, {TAKC_ROLE_ASSISTANT, answer, 1}};
    const struct takc_str stops[] = {takc_str("\n\n"), takc_str("END \"x\"")};
    struct takc_model_request r = {.system = system,
                                   .n_system = 1,
                                   .messages = turns,
                                   .n_messages = 2,
                                   .max_tokens = 50,
                                   .has_temperature = true,
                                   .temperature = .1,
                                   .has_top_p = true,
                                   .top_p = .9,
                                   .stops = stops,
                                   .n_stops = 2};
    struct asked a = {0};
    ask_for(m, &a, &r, false);
    good(&a, TEXT);
    sent_holds("POST /v1/chat/completions HTTP/1.1\n", true);
    sent_holds("{\"model\":\"good\",\"messages\":[{\"role\":\"system\",\"content\":\"You condense.\"},"
               "{\"role\":\"user\",\"content\":\"one\\ntwo\\nthree\"},{\"role\":\"assistant\",\"content\":\"So\"}],"
               "\"max_tokens\":50,\"temperature\":0.1,\"top_p\":0.9,\"stop\":[\"\\n\\n\",\"END \\\"x\\\"\"]}",
               true);
    takc_model_reply_clear(&a.reply);
    a = (struct asked){0};
    ask_for(m, &a, &(struct takc_model_request){0}, true); /* nothing is said that was not set */
    good(&a, TEXT);
    sent_holds("{\"model\":\"good\",\"messages\":[{\"role\":\"user\",\"content\":\"one\\ntwo\\nthree\"}],\"stream\":true,"
               "\"stream_options\":{\"include_usage\":true}}",
               true);
    takc_model_reply_clear(&a.reply);
    takc_model_close(m);
}

static void urls_and_headers_are_the_users(void **state)
{
    (void)state;
    static const struct {
        const char *path, *line;
    } rows[] = {
        {"", "POST /v1/chat/completions HTTP"},
        {"/", "POST /v1/chat/completions HTTP"},
        {"/v1", "POST /v1/chat/completions HTTP"},
        {"/v1/", "POST /v1/chat/completions HTTP"},
        {"/v1/chat/completions", "POST /v1/chat/completions HTTP"},
        {"/openai/deployments/d?api-version=2024-10-21", "POST /openai/deployments/d/chat/completions?api-version=2024-10-21 HTTP"}};
    const struct takc_http_header extra[] = {{takc_str("X-Team"), takc_str("finance")}};
    const struct takc_http_header own[] = {{takc_str("X-Own-Key"), takc_str(KEY)}, {takc_str("authorization"), takc_str("Basic abc")}};
    struct asked a;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct takc_model *m = open_at(rows[i].path, KEY, extra, 1);
        ask(m, &a, "good", false);
        good(&a, TEXT);
        sent_holds(rows[i].line, true);
        sent_holds("X-Team: finance\n", true);
        takc_model_reply_clear(&a.reply);
        takc_model_close(m);
    }
    struct takc_model *m = open_at("", KEY, own, 2);
    ask(m, &a, "good", false);
    good(&a, TEXT);
    sent_holds("authorization: Basic abc\n", true);
    sent_holds("Bearer", false);
    takc_model_reply_clear(&a.reply);
    takc_model_close(m);
    m = open_at("", "wrong", NULL, 0);
    ask(m, &a, "good", false);
    assert_int_equal(a.reply.http, 499); /* the server is strict about the key */
    takc_model_reply_clear(&a.reply);
    takc_model_close(m);
}

static void what_cannot_be_opened_says_why(void **state)
{
    (void)state;
    struct takc_model *m = NULL;
    struct takc_err err = {0};
    struct takc_model_options o = {.http = http, .base_url = takc_str("ftp://x"), .api_key = takc_str(KEY)};
    assert_int_equal(takc_model_open(&m, takc_str("openai"), &o, &err), TAKC_INVALID);
    o.base_url = takc_str("http://x");
    o.http = NULL;
    assert_int_equal(takc_model_open(&m, takc_str("openai"), &o, &err), TAKC_INVALID);
    assert_int_equal(takc_model_open(&m, takc_str("opanai"), &o, &err), TAKC_NOT_FOUND);
    assert_non_null(strstr(err.msg, "there are openai, "));
    const struct takc_http_header broken = {takc_str("X-A"), takc_str("a\nb")};
    m = open_at("", KEY, &broken, 1);
    struct asked a;
    ask(m, &a, "good", false);
    assert_int_equal(a.st, TAKC_INVALID);
    assert_int_equal(a.reply.failure, TAKC_FAILURE_INVALID);
    takc_model_reply_clear(&a.reply);
    struct takc_buf text;
    takc_buf_init(&text, 1000);
    assert_int_equal(takc_model_describe(m, NULL, &text, NULL), TAKC_OK);
    assert_non_null(strstr(text.ptr, "model good, with a key\n"));
    assert_null(strstr(text.ptr, KEY));
    takc_buf_clear(&text);
    takc_model_close(m);
}

static void servers_are_learned_from(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        bool stream;
        const char *parameter, *then;
    } rows[] = {{"p-completion", false, "max_tokens", "\"max_completion_tokens\":50"},
                {"p-options", true, "stream_options", "\"stream\":true}"}};
    struct asked a;
    for (size_t i = 0; i < 2; i++) {
        struct takc_model *m = open_at("", KEY, NULL, 0);
        ask(m, &a, rows[i].model, rows[i].stream);
        assert_int_equal(a.st, TAKC_INVALID);
        assert_int_equal(a.reply.failure, TAKC_FAILURE_PARAMETER);
        assert_string_equal(a.reply.parameter, rows[i].parameter);
        assert_true(a.reply.adapted);
        takc_model_reply_clear(&a.reply);
        ask(m, &a, rows[i].model, rows[i].stream);
        good(&a, TEXT);
        sent_holds(rows[i].then, true);
        assert_int_equal(a.reply.usage.counted_here, rows[i].stream);
        takc_model_reply_clear(&a.reply);
        takc_model_close(m);
    }
    struct takc_model *m = open_at("", KEY, NULL, 0);
    for (int i = 0; i < 3; i++) { /* one that takes neither is not asked in circles */
        ask(m, &a, "p-neither", false);
        assert_int_equal(a.reply.failure, TAKC_FAILURE_PARAMETER);
        assert_int_equal(a.reply.adapted, i == 0);
        takc_model_reply_clear(&a.reply);
    }
    takc_model_close(m);
}

/* With the caller in front, the second try comes at once and nothing is left out. */
static void callers_do_not_notice(void **state)
{
    (void)state;
    struct takc_model *m = open_at("", KEY, NULL, 0);
    struct takc_facts_table facts;
    struct takc_caller *c = NULL;
    struct takc_caller_sum sum;
    struct asked a = {0};
    const struct takc_caller_what what = {takc_str("fin"), takc_str("v1"), takc_str("answer")};
    assert_int_equal(takc_facts_load(&facts, NULL, NULL), TAKC_OK);
    const struct takc_caller_model chain = {m, takc_str("p-completion"), {0}};
    const struct takc_caller_options o = {.models = &chain, .n_models = 1, .facts = &facts, .retry = {0}};
    assert_int_equal(takc_caller_open(&c, &o, NULL), TAKC_OK);
    const struct takc_model_request r = {.messages = &message, .n_messages = 1, .max_tokens = 50};
    takc_model_reply_init(&a.reply);
    for (unsigned i = 0; i < 2; i++) {
        a.st = takc_caller_complete(c, NULL, &what, &r, NULL, NULL, &a.reply, &sum, &a.err);
        good(&a, TEXT);
        assert_int_equal(sum.tries, 2 - i);
        assert_false(noted(&a, "left out"));
        sent_holds("\"max_completion_tokens\":50", true);
    }
    takc_model_reply_clear(&a.reply);
    takc_caller_close(c);
    takc_facts_clear(&facts);
    takc_model_close(m);
}

/* --- what comes back --- */

static void whole_answers_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *model, *text;
        enum takc_stop stop;
        const char *note;
    } rows[] = {{"good", TEXT, TAKC_STOP_END, NULL},
                {"b-no-usage", TEXT, TAKC_STOP_END, "counted here, by the tokenizer estimate"},
                {"b-odd-usage", TEXT, TAKC_STOP_END, "counted here"},
                {"b-length", TEXT, TAKC_STOP_LENGTH, NULL},
                {"b-filter", "", TAKC_STOP_BLOCKED, NULL},
                {"b-sequence", TEXT, TAKC_STOP_SEQUENCE, NULL},
                {"b-tool", "", TAKC_STOP_OTHER, "tool_calls"},
                {"b-no-reason", TEXT, TAKC_STOP_OTHER, "does not say why"},
                {"b-parts", "one two", TAKC_STOP_END, NULL},
                {"b-refusal", "I can't do that.", TAKC_STOP_END, NULL},
                {"e-azure-filter", "", TAKC_STOP_BLOCKED, "a content filter stopped the request"}};
    struct takc_model *m = open_at("", KEY, NULL, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct asked a;
        ask(m, &a, rows[i].model, false);
        good(&a, rows[i].text);
        if (a.reply.stop != rows[i].stop || (rows[i].note ? !noted(&a, rows[i].note) : a.reply.notes.len > 0))
            fail_msg("%s: %s; %s", rows[i].model, takc_stop_name(a.reply.stop), a.reply.notes.ptr);
        assert_string_equal(a.reply.request_id, "req-77");
        assert_true(a.reply.sent);
        if (i == 0) {
            assert_int_equal(a.reply.usage.input, 20);
            assert_int_equal(a.reply.usage.cache_read, 10);
            assert_int_equal(a.reply.usage.output, 9);
            assert_false(a.reply.usage.counted_here);
            assert_string_equal(a.reply.model, "good-2024");
        }
        takc_model_reply_clear(&a.reply);
    }
    takc_model_close(m);
}

static void streams_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        enum takc_stop stop;
        const char *note;
    } rows[] = {{"s-good", TAKC_STOP_END, NULL},
                {"s-bytes", TAKC_STOP_END, NULL},
                {"s-azure", TAKC_STOP_END, NULL},
                {"s-length", TAKC_STOP_LENGTH, NULL},
                {"s-no-usage", TAKC_STOP_END, "counted here"},
                {"s-no-done", TAKC_STOP_END, "without its last word"},
                {"s-no-reason", TAKC_STOP_OTHER, "does not say why"},
                {"s-whole", TAKC_STOP_END, "does not stream"}};
    struct takc_model *m = open_at("", KEY, NULL, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct asked a;
        ask(m, &a, rows[i].model, true);
        good(&a, TEXT);
        assert_int_equal(a.n_said, strlen(TEXT));
        assert_memory_equal(a.said, TEXT, a.n_said);
        assert_int_equal(a.n_deltas, strcmp(rows[i].model, "s-whole") == 0 ? 1 : 3);
        if (a.reply.stop != rows[i].stop || (rows[i].note ? !noted(&a, rows[i].note) : a.reply.notes.len > 0))
            fail_msg("%s: %s; %s", rows[i].model, takc_stop_name(a.reply.stop), a.reply.notes.ptr);
        if (!a.reply.usage.counted_here)
            assert_true(a.reply.usage.input == 20 && a.reply.usage.output == 9 && a.reply.usage.cache_read == 10);
        else
            assert_true(a.reply.usage.input > 0 && a.reply.usage.output > 5);
        takc_model_reply_clear(&a.reply);
    }
    takc_model_close(m);
}

/* --- what goes wrong --- */

static void errors_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        enum takc_failure failure;
        uint64_t after_ms;
        const char *text;
    } rows[] = {
        {"e-openai-429", TAKC_FAILURE_THROTTLED, 2000, "HTTP 429: Rate limit reached for gpt-4o"},
        {"e-openai-429-ms", TAKC_FAILURE_THROTTLED, 1500, "HTTP 429"},
        {"e-openai-429-reset", TAKC_FAILURE_THROTTLED, 60500, "HTTP 429"},
        {"e-openai-429-tokens", TAKC_FAILURE_THROTTLED, 20, "HTTP 429"},
        {"e-openai-quota", TAKC_FAILURE_DENIED, 0, "You exceeded your current quota"},
        {"e-openai-401", TAKC_FAILURE_DENIED, 0, "Incorrect API key provided: ***. You"},
        {"e-openai-404", TAKC_FAILURE_NO_MODEL, 0, "does not exist"},
        {"e-openai-long", TAKC_FAILURE_TOO_LONG, 0, "maximum context length"},
        {"e-openai-value", TAKC_FAILURE_PARAMETER, 0, "temperature"},
        {"e-openai-400", TAKC_FAILURE_INVALID, 0, "string too short"},
        {"e-openai-500", TAKC_FAILURE_SERVER, 0, "HTTP 500: The server had an error"},
        {"e-openai-503", TAKC_FAILURE_OVERLOADED, 10000, "HTTP 503"},
        {"e-vllm-long", TAKC_FAILURE_TOO_LONG, 0, "you requested 5000"},
        {"e-vllm-404", TAKC_FAILURE_NO_MODEL, 0, "does not exist"},
        {"e-fastapi", TAKC_FAILURE_PARAMETER, 0, "Extra inputs are not permitted"},
        {"e-fastapi-text", TAKC_FAILURE_DENIED, 0, "Not authenticated"},
        {"e-llama-loading", TAKC_FAILURE_OVERLOADED, 0, "Loading model"},
        {"e-llama-long", TAKC_FAILURE_TOO_LONG, 0, "context size"},
        {"e-llama-400", TAKC_FAILURE_INVALID, 0, "'messages' is required"},
        {"e-azure-401", TAKC_FAILURE_DENIED, 0, "Unauthorized"},
        {"e-azure-404", TAKC_FAILURE_NO_MODEL, 0, "deployment"},
        {"e-azure-429", TAKC_FAILURE_THROTTLED, 7000, "token rate limit"},
        {"e-ollama", TAKC_FAILURE_NO_MODEL, 0, "model 'x' not found"},
        {"e-proxy", TAKC_FAILURE_SERVER, 0, "HTTP 502: the answer is no JSON"},
        {"e-empty", TAKC_FAILURE_SERVER, 0, "HTTP 500"},
        {"e-teapot", TAKC_FAILURE_INVALID, 0, "HTTP 418: I'm a teapot"},
        {"e-moved", TAKC_FAILURE_INVALID, 0, "not followed"},
        {"e-payment", TAKC_FAILURE_DENIED, 0, "Insufficient balance"},
        {"e-large", TAKC_FAILURE_TOO_LONG, 0, "HTTP 413"},
        {"e-529", TAKC_FAILURE_OVERLOADED, 0, "Overloaded"},
        {"b-garbage", TAKC_FAILURE_GARBLED, 0, "no JSON"},
        {"b-cut", TAKC_FAILURE_GARBLED, 0, "no JSON"},
        {"b-empty", TAKC_FAILURE_GARBLED, 0, "no JSON"},
        {"b-array", TAKC_FAILURE_GARBLED, 0, "no JSON object"},
        {"b-null", TAKC_FAILURE_GARBLED, 0, "no JSON object"},
        {"b-no-choices", TAKC_FAILURE_GARBLED, 0, "no choices"},
        {"b-odd-choices", TAKC_FAILURE_GARBLED, 0, "no choices"},
        {"b-error", TAKC_FAILURE_THROTTLED, 0, "Provider returned error"},
        {"b-error-500", TAKC_FAILURE_SERVER, 0, "boom"},
    };
    struct takc_model *m = open_at("", KEY, NULL, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        for (int stream = 0; stream < (rows[i].model[0] == 'e' ? 2 : 1); stream++) {
            struct asked a;
            ask(m, &a, rows[i].model, stream);
            if (a.st != takc_failure_status(rows[i].failure) || a.reply.failure != rows[i].failure ||
                a.reply.after_ms != rows[i].after_ms || !strstr(a.err.msg, rows[i].text) || strstr(a.err.msg, KEY) || a.n_said)
                fail_msg("%s: %s after %llu: %s", rows[i].model, takc_failure_name(a.reply.failure), (unsigned long long)a.reply.after_ms,
                         a.err.msg);
            assert_string_equal(a.reply.request_id, rows[i].model[0] == 'e' || !a.reply.request_id[3] ? "req-77" : a.reply.request_id);
            takc_model_reply_clear(&a.reply);
        }
    takc_model_close(m);
}

static void broken_streams_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        enum takc_failure failure;
        const char *said, *text;
    } rows[] = {{"s-cut", TAKC_FAILURE_CONNECTION, "Revenue rose to 42 million \xE2\x82\xAC", "ended before the answer did"},
                {"s-break", TAKC_FAILURE_CONNECTION, "Revenue rose to 42 million \xE2\x82\xAC", ""},
                {"s-garbage", TAKC_FAILURE_GARBLED, "Revenue rose ", "no JSON"},
                {"s-error", TAKC_FAILURE_SERVER, "Revenue rose ", "in the stream: the GPU fell off"},
                {"s-error-event", TAKC_FAILURE_THROTTLED, "", "slow down"},
                {"s-error-first", TAKC_FAILURE_THROTTLED, "", "Rate limit reached"},
                {"s-nothing", TAKC_FAILURE_GARBLED, "", "without an answer"},
                {"s-empty", TAKC_FAILURE_CONNECTION, "", "ended before the answer did"}};
    struct takc_model *m = open_at("", KEY, NULL, 0);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct asked a;
        ask(m, &a, rows[i].model, true);
        if (a.st != takc_failure_status(rows[i].failure) || a.reply.failure != rows[i].failure || !strstr(a.err.msg, rows[i].text))
            fail_msg("%s: %s: %s", rows[i].model, takc_failure_name(a.reply.failure), a.err.msg);
        assert_string_equal(a.said, rows[i].said);
        assert_true(a.reply.sent && takc_str_is(takc_buf_str(&a.reply.text), rows[i].said));
        takc_model_reply_clear(&a.reply);
    }
    takc_model_close(m);
}

static void what_hangs_is_ended(void **state)
{
    (void)state;
    struct takc_model *m = open_at("", KEY, NULL, 0);
    struct asked a = {0};
    ask_for(m, &a, &(struct takc_model_request){.model = takc_str("s-hang"), .first_token_ms = 300}, true);
    assert_int_equal(a.st, TAKC_TIMEOUT);
    assert_int_equal(a.reply.failure, TAKC_FAILURE_TIMEOUT);
    assert_string_equal(a.said, "Revenue rose ");
    takc_model_reply_clear(&a.reply);
    a = (struct asked){0};
    ask_for(m, &a, &(struct takc_model_request){.model = takc_str("s-hang-first"), .total_ms = 300}, true);
    assert_int_equal(a.reply.failure, TAKC_FAILURE_TIMEOUT);
    takc_model_reply_clear(&a.reply);
    struct takc_call call;
    takc_call_init(&call);
    call.deadline_ns = takc_clock_system()->mono_ns(takc_clock_system()) + 300000000u;
    a = (struct asked){.call = &call};
    ask_for(m, &a, &(struct takc_model_request){.model = takc_str("s-hang")}, true);
    assert_int_equal(a.reply.failure, TAKC_FAILURE_TIMEOUT);
    takc_model_reply_clear(&a.reply);
    a = (struct asked){.hear_fails = TAKC_FULL}; /* who listens has enough: no waiting for the rest */
    ask_for(m, &a, &(struct takc_model_request){.model = takc_str("s-hang")}, true);
    assert_int_equal(a.st, TAKC_FULL);
    assert_int_equal(a.reply.failure, TAKC_FAILURE_NONE);
    assert_string_equal(a.err.msg, "nobody listens");
    takc_model_reply_clear(&a.reply);
    takc_model_close(m);
}

static void nobody_there_is_a_connection(void **state)
{
    (void)state;
    struct takc_model *m = NULL;
    struct takc_model_options o = {.http = http, .base_url = takc_str("http://127.0.0.1:1"), .model = takc_str("x")};
    struct asked a;
    assert_int_equal(takc_model_open(&m, takc_str("openai"), &o, NULL), TAKC_OK);
    ask(m, &a, "x", false);
    assert_int_equal(a.st, TAKC_UPSTREAM);
    assert_int_equal(a.reply.failure, TAKC_FAILURE_CONNECTION);
    assert_false(a.reply.sent);
    takc_model_reply_clear(&a.reply);
    takc_model_close(m);
}

static void texts_become_vectors(void **state)
{
    (void)state;
    struct takc_model *m = open_at("", KEY, NULL, 0);
    const struct takc_str texts[] = {takc_str("a"), takc_str("four"), takc_str("\"six\"\n")};
    float v[9] = {0};
    struct takc_err err = {0};
    assert_int_equal(takc_model_embed(m, NULL, texts, 3, v, 3, &err), TAKC_OK);
    for (size_t i = 0; i < 3; i++) /* in our order, whatever the server's */
        assert_true(v[3 * i] == (float)texts[i].len && v[3 * i + 1] == (float)i && v[3 * i + 2] == .5f);
    assert_int_equal(takc_model_embed(m, NULL, texts, 3, v, 2, &err), TAKC_INVALID);
    assert_non_null(strstr(err.msg, "3 dimensions, not 2"));
    static const char *const odd[] = {"null", "words", "number", "huge"}; /* never zeros in the place of what is no number */
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        const struct takc_str one = takc_str(odd[i]);
        assert_int_equal(takc_model_embed(m, NULL, &one, 1, v, 3, &err), TAKC_UPSTREAM);
        assert_non_null(strstr(err.msg, "a vector of the answer: "));
    }
    assert_int_equal(takc_model_count(m, NULL, &(struct takc_model_request){0}, &(uint64_t){0}, &err), TAKC_UNSUPPORTED);
    takc_model_close(m);
}

static void requests_that_make_no_sense_are_not_sent(void **state)
{
    (void)state;
    struct takc_model *m = open_at("", KEY, NULL, 0);
    const struct takc_model_message wrong[] = {{TAKC_ROLE_USER, question, 1}, {TAKC_ROLE_USER, question, 1}};
    const struct takc_model_request rows[] = {{.messages = wrong, .n_messages = 2},
                                              {.messages = wrong, .n_messages = 1, .has_temperature = true, .temperature = 3},
                                              {.messages = wrong, .n_messages = 1, .has_top_p = true, .top_p = -1}};
    for (size_t i = 0; i < 3; i++) {
        struct takc_model_reply reply;
        takc_model_reply_init(&reply);
        assert_int_equal(takc_model_complete(m, NULL, &rows[i], NULL, NULL, &reply, NULL), TAKC_INVALID);
        assert_int_equal(reply.failure, TAKC_FAILURE_INVALID);
        assert_false(reply.sent);
        takc_model_reply_clear(&reply);
    }
    takc_model_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_as_the_api_has_them),
        cmocka_unit_test(urls_and_headers_are_the_users),
        cmocka_unit_test(what_cannot_be_opened_says_why),
        cmocka_unit_test(servers_are_learned_from),
        cmocka_unit_test(callers_do_not_notice),
        cmocka_unit_test(whole_answers_are_read),
        cmocka_unit_test(streams_are_read),
        cmocka_unit_test(errors_are_told_apart),
        cmocka_unit_test(broken_streams_are_told_apart),
        cmocka_unit_test(what_hangs_is_ended),
        cmocka_unit_test(nobody_there_is_a_connection),
        cmocka_unit_test(texts_become_vectors),
        cmocka_unit_test(requests_that_make_no_sense_are_not_sent),
    };
    if (system("python3 -c 'import http.server' >/dev/null 2>&1")) {
        (void)fprintf(stderr, "SKIPPED: the server of this test needs python3\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, start, stop);
}
