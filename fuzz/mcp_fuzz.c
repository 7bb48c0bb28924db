/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a message of the Model Context Protocol, the first of them choosing the version: an answer is an error or a result, never
 * both, and bears the id of what was asked. */
#include "base/alloc.h"
#include "mcp/mcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct takc_member members[] = {{"text", true, {.type = TAKC_TYPE_TEXT, .min_len = 1, .max_len = 10}}};
static const struct takc_schema input = {.type = TAKC_TYPE_OBJECT, TAKC_MEMBERS(members)};

static enum takc_status echo(void *arg, struct takc_call *call, const json_t *arguments, json_t **out, struct takc_err *err)
{
    (void)arg;
    struct takc_str text = takc_json_get_str(arguments, "text");
    if (!text.len)
        TAKC_BUG("a tool got what does not fit");
    if (text.ptr[0] == 'f')
        return takc_fail(err, TAKC_INVALID, 0, "%.*s", TAKC_STR_ARG(text));
    takc_call_progress(call, "echo", "steps", 0, 0);
    *out = json_deep_copy(arguments);
    return TAKC_OK;
}

static enum takc_status list(void *arg, struct takc_call *call, json_t **out, struct takc_err *err)
{
    (void)arg;
    (void)call;
    (void)err;
    *out = json_array();
    return TAKC_OK;
}

static enum takc_status read_one(void *arg, struct takc_call *call, struct takc_str uri, json_t **out, struct takc_err *err)
{
    (void)arg;
    (void)call;
    if (uri.ptr[0] != 'x')
        return takc_fail(err, TAKC_NOT_FOUND, 0, "no");
    *out = json_pack("{so ss}", "uri", takc_json_str(uri), "text", "");
    return TAKC_OK;
}

static void check_one(const json_t *reply, const json_t *message)
{
    const json_t *id = json_object_get(reply, "id"), *asked = json_object_get(message, "id");
    bool result = json_object_get(reply, "result"), error = json_object_get(reply, "error");
    if (result == error || !takc_str_is(takc_json_get_str(reply, "jsonrpc"), "2.0"))
        TAKC_BUG("a reply of two minds");
    if (result && !json_equal(id, asked))
        TAKC_BUG("a result for nobody");
    if (!json_is_null(id) && !json_equal(id, asked))
        TAKC_BUG("an error for somebody else");
}

static void drop(void *arg, json_t *message)
{
    (void)arg;
    json_decref(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct takc_mcp_tool tools[] = {{"echo", "Echo", "", &input, &input, echo}};
    static const struct takc_mcp_table table = {.instructions = "", .tools = tools, .n_tools = 1, .list = list, .read = read_one};
    const struct takc_mcp m = {.table = &table, .notify = drop};
    struct takc_call call;
    json_t *message = NULL, *reply = NULL;
    if (!size)
        return 0;
    enum takc_mcp_version version = (enum takc_mcp_version)(1 + data[0] % 4);
    struct takc_str text = takc_str_n((const char *)data + 1, size - 1);
    takc_call_init(&call);
    if (takc_mcp_answer_text(&m, &version, &call, text, &reply))
        return 0;
    if (!takc_json_parse(text, &message, NULL) && json_is_object(message) && reply)
        check_one(reply, message);
    for (size_t i = 0; i < json_array_size(reply); i++)
        if (!takc_str_is(takc_json_get_str(json_array_get(reply, i), "jsonrpc"), "2.0"))
            TAKC_BUG("a list holds what is no reply");
    json_decref(message);
    json_decref(reply);
    return 0;
}
