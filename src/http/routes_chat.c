/* SPDX-License-Identifier: Apache-2.0
 *
 * routes_chat.c - what OpenAI's clients send and read. */
#include "http/fields.h"

static const struct takc_schema any_value = {.type = TAKC_TYPE_ANY};
static const struct takc_member message_members[] = {
    {"role", REQUIRED, {.type = TAKC_TYPE_TEXT, .one_of = "system|developer|user|assistant|tool|function"}},
    {"content", OPTIONAL, {.type = TAKC_TYPE_ANY, .about = "a text, or a list of parts of type text"}},
};
static const struct takc_schema a_message = {.type = TAKC_TYPE_OBJECT, .name = "ChatMessage", .open = true, TAKC_MEMBERS(message_members)};
static const struct takc_member stream_options[] = {{"include_usage", OPTIONAL, BOOL("a last chunk with the usage")}};
/* What an answer cannot be is refused where a client demands it; what merely permits it is let through. */
static const struct takc_member format_members[] = {
    {"type", REQUIRED, {.type = TAKC_TYPE_TEXT, .one_of = "text", .expected = "text (answers are prose, never JSON)"}},
};
static const struct takc_schema a_modality = {.type = TAKC_TYPE_TEXT, .one_of = "text", .expected = "text"};
#define TOOL_CHOICE                                                                                                                        \
    {                                                                                                                                      \
        .type = TAKC_TYPE_TEXT, .about = "tools may be there, none is called", .one_of = "auto|none",                                      \
        .expected = "auto or none (no tool is ever called)", .nullable = true                                                              \
    }
static const struct takc_member chat_members[] = {
    {"model", REQUIRED, TEXT("takc/TASK[@VERSION][:RATE]", 1, 300)},
    {"messages", REQUIRED, {.type = TAKC_TYPE_LIST, .min_len = 1, .max_len = 1000, .items = &a_message}},
    {"stream", OPTIONAL, {.type = TAKC_TYPE_BOOL, .nullable = true}},
    {"stream_options", OPTIONAL, {.type = TAKC_TYPE_OBJECT, .open = true, .nullable = true, .nulls = true, TAKC_MEMBERS(stream_options)}},
    {"max_tokens", OPTIONAL, {.type = TAKC_TYPE_WHOLE, .limited = true, .min = 1, .max = 200000, .nullable = true}},
    {"max_completion_tokens", OPTIONAL, {.type = TAKC_TYPE_WHOLE, .limited = true, .min = 1, .max = 200000, .nullable = true}},
    {"temperature", OPTIONAL, {.type = TAKC_TYPE_NUMBER, .limited = true, .min = 0, .max = 2, .nullable = true}},
    {"n", OPTIONAL, {.type = TAKC_TYPE_WHOLE, .limited = true, .min = 1, .max = 1, .nullable = true}},
    {"response_format",
     OPTIONAL,
     {.type = TAKC_TYPE_OBJECT, .about = "answers are prose", .open = true, .nullable = true, TAKC_MEMBERS(format_members)}},
    {"tool_choice", OPTIONAL, TOOL_CHOICE},
    {"function_call", OPTIONAL, TOOL_CHOICE},
    {"modalities", OPTIONAL, {.type = TAKC_TYPE_LIST, .items = &a_modality, .nullable = true}},
    {"logprobs", OPTIONAL, {.type = TAKC_TYPE_BOOL, .one_of = "false", .expected = "false (answers have none)", .nullable = true}},
};
static const struct takc_schema chat_body = {.type = TAKC_TYPE_OBJECT,
                                             .name = "ChatRequest",
                                             .about = "what OpenAI's clients send; other members are let through",
                                             .open = true,
                                             TAKC_MEMBERS(chat_members)};
static const struct takc_member completion_members[] = {
    {"id", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"object", REQUIRED, {.type = TAKC_TYPE_TEXT, .one_of = "chat.completion"}},
    {"created", REQUIRED, WHOLE(NULL, 0, 1e15)},
    {"model", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"choices", REQUIRED, {.type = TAKC_TYPE_LIST, .items = &any_value}},
    {"usage", REQUIRED, {.type = TAKC_TYPE_OBJECT, .open = true}},
};
static const struct takc_schema chat_reply = {
    .type = TAKC_TYPE_OBJECT, .name = "ChatCompletion", .open = true, TAKC_MEMBERS(completion_members)};
static const struct takc_member model_members[] = {
    {"id", REQUIRED, {.type = TAKC_TYPE_TEXT, .about = "takc/TASK"}},
    {"object", REQUIRED, {.type = TAKC_TYPE_TEXT, .one_of = "model"}},
    {"created", REQUIRED, WHOLE("when the server started, seconds since 1970", 0, 1e15)},
    {"owned_by", REQUIRED, {.type = TAKC_TYPE_TEXT}},
};
static const struct takc_schema a_model = {.type = TAKC_TYPE_OBJECT, .name = "Model", TAKC_MEMBERS(model_members)};
static const struct takc_member models_members[] = {
    {"object", REQUIRED, {.type = TAKC_TYPE_TEXT, .one_of = "list"}},
    {"data", REQUIRED, {.type = TAKC_TYPE_LIST, .items = &a_model}},
};
static const struct takc_schema models_reply = {.type = TAKC_TYPE_OBJECT, .name = "Models", TAKC_MEMBERS(models_members)};

static const struct takc_route rows[] = {
    {.method = "POST",
     .path = "/chat/completions",
     .id = "chat",
     .summary = "The same for clients of OpenAI: the model is a task",
     .about = "The last message of the user is the question, turns before it are history. Members that mean nothing here are let through. "
              "What the reply has beyond OpenAI's stands in takc: citations, confidence, cost.",
     .example = "{\"model\": \"takc/fin\", \"messages\": [{\"role\": \"user\", \"content\": \"What was the operating margin in Q3?\"}]}",
     .statuses = "404 422 502",
     .asks = true,
     .may = TAKC_MAY_QUERY,
     .body = &chat_body,
     .reply = &chat_reply,
     .body_max = 8 << 20,
     .run = takc_on_chat,
     .counts = TAKC_QUOTA_QUERY,
     .wording = takc_openai_error},
    {.method = "GET",
     .path = "/models",
     .id = "models",
     .summary = "The tasks, as models of OpenAI's clients",
     .may = TAKC_MAY_QUERY,
     .reply = &models_reply,
     .run = takc_on_models,
     .wording = takc_openai_error},
    {.method = "GET",
     .path = "/models/{model}",
     .id = "model",
     .summary = "A task, as a model",
     .may = TAKC_MAY_QUERY,
     .reply = &a_model,
     .run = takc_on_model,
     .wording = takc_openai_error},
    {.method = "GET",
     .path = "/models/{owner}/{model}",
     .id = "modelUnescaped",
     .summary = "The same where a client does not escape the '/' of the model's name",
     .may = TAKC_MAY_QUERY,
     .reply = &a_model,
     .run = takc_on_model,
     .wording = takc_openai_error},
};
ROUTES(takc_routes_chat, rows);
