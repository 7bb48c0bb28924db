/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/mcp.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- a table that tells what it was asked ---- */

static const struct takc_member echo_members[] = {{"text", true, {.type = TAKC_TYPE_TEXT, .min_len = 1, .max_len = 10}}};
static const struct takc_schema echo_input = {.type = TAKC_TYPE_OBJECT, TAKC_MEMBERS(echo_members)};

static enum takc_status echo(void *arg, struct takc_call *call, const json_t *arguments, json_t **out, struct takc_err *err)
{
    ++*(int *)arg;
    if (takc_str_is(takc_json_get_str(arguments, "text"), "fail"))
        return takc_fail(err, TAKC_NOT_FOUND, 0, "there is no such text");
    if (takc_str_is(takc_json_get_str(arguments, "text"), "break"))
        return takc_fail(err, TAKC_IO, 0, "/secret/path: broken");
    takc_call_progress(call, "looking", "steps", 0, 0);
    takc_call_progress(call, "looking", "steps", 1, 2); /* is told once */
    takc_call_progress(call, "saying", "steps", 0, 0);
    *out = json_deep_copy(arguments);
    return *out ? TAKC_OK : TAKC_NOMEM;
}

static enum takc_status list(void *arg, struct takc_call *call, json_t **out, struct takc_err *err)
{
    (void)arg;
    (void)call;
    (void)err;
    *out = json_pack("[{ss ss}]", "uri", "x://1", "name", "one");
    return *out ? TAKC_OK : TAKC_NOMEM;
}

static enum takc_status read_one(void *arg, struct takc_call *call, struct takc_str uri, json_t **out, struct takc_err *err)
{
    (void)arg;
    (void)call;
    if (!takc_str_is(uri, "x://1"))
        return takc_fail(err, TAKC_NOT_FOUND, 0, "there is no such resource");
    *out = json_pack("{ss ss ss}", "uri", "x://1", "mimeType", "text/plain", "text", "eins");
    return *out ? TAKC_OK : TAKC_NOMEM;
}

static const struct takc_mcp_tool tools[] = {{"echo", "Echo", "says it again", &echo_input, &echo_input, echo}};
static const struct takc_mcp_template templates[] = {{"x://{n}", "n", "N", "a number", "text/plain"}};
static const struct takc_mcp_table table = {
    .instructions = "ask", .tools = tools, .n_tools = 1, .templates = templates, .n_templates = 1, .list = list, .read = read_one};

/* Is that what the text is answered with? NULL: nothing. */
static void expect_in(enum takc_mcp_version *v, const char *text, const char *want)
{
    int n_calls = 0;
    const struct takc_mcp m = {.table = &table, .arg = &n_calls};
    struct takc_call call;
    json_t *reply = NULL;
    takc_call_init(&call);
    assert_int_equal(takc_mcp_answer_text(&m, v, &call, takc_str(text), &reply), TAKC_OK);
    if (!want) {
        assert_null(reply);
        return;
    }
    char *got = json_dumps(reply, JSON_COMPACT);
    assert_string_equal(got, want);
    free(got);
    json_decref(reply);
}

static void expect(const char *text, const char *want)
{
    enum takc_mcp_version v = TAKC_MCP_2025_11_25;
    expect_in(&v, text, want);
}

#define ASK(id, method, params) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":" params "}"
#define RESULT(id, result) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":" result "}"
#define ERROR(id, code, text) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"" text "\"}}"

static void versions_are_agreed_on(void **state)
{
    (void)state;
    static const char *const asked[][2] = {{"2025-11-25", "2025-11-25"},
                                           {"2025-06-18", "2025-06-18"},
                                           {"2025-03-26", "2025-03-26"},
                                           {"2024-11-05", "2024-11-05"},
                                           {"2099-01-01", "2025-11-25"}};
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        enum takc_mcp_version v = TAKC_MCP_UNSET;
        char text[200], want[600];
        (void)snprintf(text, sizeof(text), ASK("1", "initialize", "{\"protocolVersion\":\"%s\"}"), asked[i][0]);
        (void)snprintf(want, sizeof(want),
                       RESULT("1", "{\"protocolVersion\":\"%s\",\"capabilities\":{\"tools\":{},\"resources\":{}},\"serverInfo\":{\"name\":"
                                   "\"takc\",\"title\":\"Task-aware knowledge\",\"version\":\"" TAKC_VERSION_TEXT
                                   "\"},\"instructions\":\"ask\"}"),
                       asked[i][1]);
        expect_in(&v, text, want);
        assert_string_equal(takc_mcp_version_name(v), asked[i][1]);
    }
    expect(ASK("1", "initialize", "{}"), ERROR("1", "-32602", "params.protocolVersion: a text like 2025-11-25 is expected"));
}

static void methods_answer(void **state)
{
    (void)state;
    expect(ASK("\"a\"", "ping", "{}"), RESULT("\"a\"", "{}"));
    expect("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"ping\"}", RESULT("7", "{}"));
    expect(ASK("1", "tools/list", "{}"),
           RESULT("1", "{\"tools\":[{\"name\":\"echo\",\"title\":\"Echo\",\"description\":\"says it again\",\"inputSchema\":"
                       "{\"type\":\"object\",\"required\":[\"text\"],\"properties\":{\"text\":{\"type\":\"string\",\"minLength\":1,"
                       "\"maxLength\":10}},\"additionalProperties\":false},\"outputSchema\":{\"type\":\"object\",\"required\":[\"text\"],"
                       "\"properties\":{\"text\":{\"type\":\"string\",\"minLength\":1,\"maxLength\":10}},\"additionalProperties\":false},"
                       "\"annotations\":{\"readOnlyHint\":true,\"destructiveHint\":false,\"idempotentHint\":true,\"openWorldHint\":"
                       "false}}]}"));
    expect(ASK("1", "tools/list", "{\"cursor\":\"x\"}"), ERROR("1", "-32602", "params.cursor: lists come whole, there is no such page"));
    expect(ASK("1", "resources/list", "{}"), RESULT("1", "{\"resources\":[{\"uri\":\"x://1\",\"name\":\"one\"}]}"));
    expect(ASK("1", "resources/templates/list", "{}"),
           RESULT("1", "{\"resourceTemplates\":[{\"uriTemplate\":\"x://{n}\",\"name\":\"n\",\"title\":\"N\",\"description\":\"a number\","
                       "\"mimeType\":\"text/plain\"}]}"));
    expect(ASK("1", "resources/read", "{\"uri\":\"x://1\"}"),
           RESULT("1", "{\"contents\":[{\"uri\":\"x://1\",\"mimeType\":\"text/plain\",\"text\":\"eins\"}]}"));
    expect(ASK("1", "resources/read", "{\"uri\":\"x://2\"}"), ERROR("1", "-32002", "there is no such resource"));
    expect(ASK("1", "resources/read", "{}"), ERROR("1", "-32602", "params.uri: the URI of a resource is expected"));
    expect(ASK("1", "logging/setLevel", "{}"), ERROR("1", "-32601", "there is no such method"));
}

static void tools_run(void **state)
{
    (void)state;
    expect(ASK("1", "tools/call", "{\"name\":\"echo\",\"arguments\":{\"text\":\"hi\"}}"),
           RESULT("1", "{\"content\":[{\"type\":\"text\",\"text\":\"{\\\"text\\\":\\\"hi\\\"}\"}],\"isError\":false,\"structuredContent\":"
                       "{\"text\":\"hi\"}}"));
    /* what the model can mend is a result */
    expect(ASK("1", "tools/call", "{\"name\":\"echo\",\"arguments\":{\"text\":\"fail\"}}"),
           RESULT("1", "{\"content\":[{\"type\":\"text\",\"text\":\"there is no such text\"}],\"isError\":true}"));
    expect(ASK("1", "tools/call", "{\"name\":\"echo\"}"),
           RESULT("1", "{\"content\":[{\"type\":\"text\",\"text\":\"arguments/text: a text of 1 to 10 characters is expected\"}],"
                       "\"isError\":true}"));
    expect(ASK("1", "tools/call", "{\"name\":\"echo\",\"arguments\":{\"text\":\"hi\",\"x\":1}}"),
           RESULT("1", "{\"content\":[{\"type\":\"text\",\"text\":\"arguments/x: no such member\"}],\"isError\":true}"));
    expect(ASK("1", "tools/call", "{\"name\":\"echo\",\"arguments\":[]}"),
           RESULT("1", "{\"content\":[{\"type\":\"text\",\"text\":\"arguments: an object is expected\"}],\"isError\":true}"));
    /* what broke inside is told in general words */
    expect(ASK("1", "tools/call", "{\"name\":\"echo\",\"arguments\":{\"text\":\"break\"}}"),
           RESULT("1", "{\"content\":[{\"type\":\"text\",\"text\":\"the server could not do this; its log says why, under this "
                       "request_id\"}],\"isError\":true}"));
    expect(ASK("1", "tools/call", "{\"name\":\"rm\"}"), ERROR("1", "-32602", "params.name: there is no such tool"));
    expect(ASK("1", "tools/call", "{}"), ERROR("1", "-32602", "params.name: the name of a tool is expected"));
}

static void add_line(void *arg, json_t *message)
{
    char *text = json_dumps(message, JSON_COMPACT);
    assert_int_equal(takc_buf_printf(arg, NULL, "%s\n", text), TAKC_OK);
    free(text);
    json_decref(message);
}

/* What is told before the reply to a call of echo with this _meta. */
static void tells(enum takc_mcp_version v, const char *meta, const char *want)
{
    char text[256];
    int n_calls = 0;
    struct takc_buf lines;
    struct takc_call call;
    json_t *reply = NULL;
    const struct takc_mcp m = {.table = &table, .arg = &n_calls, .notify = add_line, .notify_arg = &lines};
    takc_buf_init(&lines, 4096);
    takc_call_init(&call);
    (void)snprintf(text, sizeof(text), ASK("1", "tools/call", "{\"name\":\"echo\",\"arguments\":{\"text\":\"hi\"},\"_meta\":%s}"), meta);
    assert_int_equal(takc_mcp_answer_text(&m, &v, &call, takc_str(text), &reply), TAKC_OK);
    assert_non_null(json_object_get(reply, "result"));
    assert_string_equal(takc_buf_str(&lines).ptr, want);
    json_decref(reply);
    takc_buf_clear(&lines);
}

#define TOLD(about) "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":" about "}\n"

static void tools_tell_how_far_they_are(void **state)
{
    (void)state;
    tells(TAKC_MCP_2025_11_25, "{\"progressToken\":\"t\"}",
          TOLD("{\"progressToken\":\"t\",\"progress\":1,\"message\":\"looking\"}")
              TOLD("{\"progressToken\":\"t\",\"progress\":2,\"message\":\"saying\"}"));
    tells(TAKC_MCP_2024_11_05, "{\"progressToken\":7}",
          TOLD("{\"progressToken\":7,\"progress\":1}") TOLD("{\"progressToken\":7,\"progress\":2}"));
    tells(TAKC_MCP_2025_11_25, "{}", "");
    tells(TAKC_MCP_2025_11_25, "{\"progressToken\":[1]}", "");
    tells(TAKC_MCP_2025_11_25, "3", "");
}

static void nothing_is_said_to_what_asks_nothing(void **state)
{
    (void)state;
    expect("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}", NULL);
    expect("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":1}}", NULL);
    expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", NULL);
    expect("{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"x\"}}", NULL);
}

static void what_is_no_message_is_refused(void **state)
{
    (void)state;
    expect("{", ERROR("null", "-32700", "1:1: string or '}' expected near end of file"));
    expect("5", ERROR("null", "-32600", "a message of JSON-RPC 2.0 is expected"));
    expect("{}", ERROR("null", "-32600", "a message of JSON-RPC 2.0 is expected"));
    expect("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}", ERROR("null", "-32600", "a message of JSON-RPC 2.0 is expected"));
    expect("{\"jsonrpc\":\"2.0\",\"id\":1}", ERROR("null", "-32600", "method: a text is expected"));
    expect("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}", ERROR("null", "-32600", "id: a text or a whole number is expected"));
    expect("{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"ping\"}", ERROR("null", "-32600", "id: a text or a whole number is expected"));
    expect(ASK("1", "ping", "[]"), ERROR("1", "-32602", "params: an object is expected"));
}

static void lists_belong_to_one_version(void **state)
{
    (void)state;
    enum takc_mcp_version v = TAKC_MCP_2025_03_26;
    const char *two = "[" ASK("1", "ping", "{}") ",{\"jsonrpc\":\"2.0\",\"method\":\"x\"}," ASK("2", "x", "{}") "]";
    expect_in(&v, two, "[" RESULT("1", "{}") "," ERROR("2", "-32601", "there is no such method") "]");
    expect_in(&v, "[{\"jsonrpc\":\"2.0\",\"method\":\"x\"}]", NULL);
    expect_in(&v, "[]", ERROR("null", "-32600", "a list of 1 to 32 messages is expected"));
    expect_in(&v, "[" ASK("1", "initialize", "{\"protocolVersion\":\"2025-11-25\"}") "]",
              ERROR("null", "-32600", "initialize stands alone"));
    assert_int_equal(v, TAKC_MCP_2025_03_26);
    expect(two, ERROR("null", "-32600", "a single message is expected: this version of the protocol has no lists of them"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_agreed_on),
        cmocka_unit_test(methods_answer),
        cmocka_unit_test(tools_run),
        cmocka_unit_test(tools_tell_how_far_they_are),
        cmocka_unit_test(nothing_is_said_to_what_asks_nothing),
        cmocka_unit_test(what_is_no_message_is_refused),
        cmocka_unit_test(lists_belong_to_one_version),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
