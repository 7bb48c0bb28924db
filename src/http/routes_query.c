/* SPDX-License-Identifier: Apache-2.0
 *
 * routes_query.c - what questions take and give. */
#include "http/fields.h"

static const struct takc_schema a_glob = TEXT("a name, or a pattern with * and ?", 1, 1024);
static const struct takc_member filter_members[] = {
    {"documents", OPTIONAL, {.type = TAKC_TYPE_LIST, .about = "only documents whose name matches one", .max_len = 64, .items = &a_glob}},
    {"after", OPTIONAL, DATE("only documents of this day or later")},
    {"before", OPTIONAL, DATE("only documents of this day or earlier")},
};
static const struct takc_member option_members[] = {
    {"max_tokens", OPTIONAL, WHOLE("most tokens of the answer", 1, 200000)},
    {"temperature", OPTIONAL, NUMBER("of the model", 0, 2)},
};
static const struct takc_member query_members[] = {
    {"query", REQUIRED, TEXT("the question, or the task-wide prompt", 1, 32000)},
    {"task_type", REQUIRED, TASK},
    {"compression_rate", OPTIONAL, RATE},
    {"factor", OPTIONAL, NUMBER("the rate as a number: 12.5", 1, 100000)},
    {"version", OPTIONAL, TEXT("a kept version; the current one where it is not given", 1, 31)},
    {"mode", OPTIONAL, {.type = TAKC_TYPE_TEXT, .about = "what the reader sees", .one_of = "auto|artifact|select|both|whole"}},
    {"cost_sensitive", OPTIONAL, BOOL("as cheap as possible")},
    {"reader_tokens", OPTIONAL, WHOLE("most tokens that the reader may see", 1, 10000000)},
    {"artifact_tokens", OPTIONAL, WHOLE("largest artifact taken without a rate", 1, 10000000)},
    {"filters", OPTIONAL, {.type = TAKC_TYPE_OBJECT, .about = "which documents", TAKC_MEMBERS(filter_members)}},
    {"options", OPTIONAL, {.type = TAKC_TYPE_OBJECT, .about = "of the model's answer", TAKC_MEMBERS(option_members)}},
    {"stream", OPTIONAL, BOOL("the answer as it comes, as server-sent events")},
    {"model", OPTIONAL, TEXT("who answers, PROVIDER:MODEL; none: lines of the documents", 1, 300)},
};
static const struct takc_schema query_body = {.type = TAKC_TYPE_OBJECT, .name = "Query", TAKC_MEMBERS(query_members)};

static const struct takc_member reply_members[] = {
    {"query", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"response", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"compression_rate_used", REQUIRED, {.type = TAKC_TYPE_TEXT, .nullable = true}},
    {"confidence", REQUIRED, NUMBER("how sure it is", 0, 1)},
    {"abstained", REQUIRED, BOOL("the documents do not answer it")},
};
static const struct takc_schema query_reply = {.type = TAKC_TYPE_OBJECT, .name = "Answer", .open = true, TAKC_MEMBERS(reply_members)};

static const struct takc_route rows[] = {
    {.method = "POST",
     .path = "/query",
     .id = "query",
     .summary = "Answers a question from a task's documents, with sources",
     .about = "The answer is lines of the documents, word for word, or a model's text that cites them. With stream the answer comes as "
              "server-sent events: data: {\"delta\": ...}, then event: result with the whole reply, then data: [DONE].",
     .example = "{\"task_type\": \"fin\", \"query\": \"What was the operating margin in Q3?\"}",
     .statuses = "402 404 422 502",
     .asks = true,
     .may = TAKC_MAY_QUERY,
     .body = &query_body,
     .reply = &query_reply,
     .run = takc_on_query},
};
ROUTES(takc_routes_query, rows);
