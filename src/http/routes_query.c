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
static const struct takc_member example_members[] = {
    {"input", REQUIRED, TEXT("a question", 1, 4000)},
    {"output", REQUIRED, TEXT("a good answer to it", 1, 4000)},
};
static const struct takc_schema example = {.type = TAKC_TYPE_OBJECT, .name = "Example", TAKC_MEMBERS(example_members)};

/* What a question may say besides itself and its task. */
#define QUESTION_MEMBERS                                                                                                                   \
    {"compression_rate", OPTIONAL, RATE}, {"factor", OPTIONAL, NUMBER("the rate as a number: 12.5", 1, 100000)},                           \
        {"version", OPTIONAL, TEXT("a kept version; the current one where it is not given", 1, 31)},                                       \
        {"mode", OPTIONAL, {.type = TAKC_TYPE_TEXT, .about = "what the reader sees", .one_of = "auto|artifact|select|both|whole"}},        \
        {"cost_sensitive", OPTIONAL, BOOL("as cheap as possible")},                                                                        \
        {"reader_tokens", OPTIONAL, WHOLE("most tokens that the reader may see", 1, 10000000)},                                            \
        {"artifact_tokens", OPTIONAL, WHOLE("largest artifact taken without a rate", 1, 10000000)},                                        \
        {"filters", OPTIONAL, {.type = TAKC_TYPE_OBJECT, .about = "which documents", .nulls = true, TAKC_MEMBERS(filter_members)}},        \
        {"options", OPTIONAL, {.type = TAKC_TYPE_OBJECT, .about = "of the model's answer", .nulls = true, TAKC_MEMBERS(option_members)}},  \
        {"model", OPTIONAL, TEXT("who answers, PROVIDER:MODEL; none: lines of the documents", 1, 300)},                                    \
    {                                                                                                                                      \
        "few_shot_examples", OPTIONAL,                                                                                                     \
        {                                                                                                                                  \
            .type = TAKC_TYPE_LIST, .about = "what good answers look like; for models only", .max_len = TAKC_EXAMPLES_MAX,                 \
            .items = &example                                                                                                              \
        }                                                                                                                                  \
    }

static const struct takc_member query_members[] = {
    {"query", REQUIRED, TEXT("the question, or the task-wide prompt", 1, 32000)},
    {"task_type", REQUIRED, TASK},
    QUESTION_MEMBERS,
    {"stream", OPTIONAL, BOOL("the answer as it comes, as server-sent events")},
};
static const struct takc_schema query_body = {.type = TAKC_TYPE_OBJECT, .name = "Query", .nulls = true, TAKC_MEMBERS(query_members)};

static const struct takc_member batch_item_members[] = {
    {"query", REQUIRED, TEXT("the question", 1, 32000)},
    QUESTION_MEMBERS,
};
static const struct takc_schema batch_object = {.type = TAKC_TYPE_OBJECT,
                                                .name = "BatchQuery",
                                                .about = "a question with fields of its own, which take the place of the batch's",
                                                .nulls = true,
                                                TAKC_MEMBERS(batch_item_members)};
static const struct takc_schema batch_item = {
    .type = TAKC_TYPE_TEXT, .about = "the question", .min_len = 1, .max_len = 32000, .or_else = &batch_object};
static const struct takc_member batch_members[] = {
    {"queries", REQUIRED, {.type = TAKC_TYPE_LIST, .about = "questions", .min_len = 1, .max_len = 100, .items = &batch_item}},
    {"task_type", REQUIRED, TASK},
    QUESTION_MEMBERS,
};
static const struct takc_schema batch_body = {.type = TAKC_TYPE_OBJECT, .name = "Batch", .nulls = true, TAKC_MEMBERS(batch_members)};

static const struct takc_member item_failure_members[] = {
    {"code", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"message", REQUIRED, {.type = TAKC_TYPE_TEXT}},
};
static const struct takc_member item_reply_members[] = {
    {"query", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"status", REQUIRED, {.type = TAKC_TYPE_TEXT, .one_of = "ok|failed"}},
    {"error", OPTIONAL, {.type = TAKC_TYPE_OBJECT, .about = "of one that failed", TAKC_MEMBERS(item_failure_members)}},
    {"response", OPTIONAL, {.type = TAKC_TYPE_TEXT}},
};
static const struct takc_schema item_reply = {.type = TAKC_TYPE_OBJECT,
                                              .name = "BatchAnswer",
                                              .about = "one that went well has all that POST /query answers",
                                              .open = true,
                                              TAKC_MEMBERS(item_reply_members)};
static const struct takc_member summary_members[] = {
    {"total_queries", REQUIRED, WHOLE(NULL, 1, 100)},
    {"successful", REQUIRED, WHOLE(NULL, 0, 100)},
    {"failed", REQUIRED, WHOLE(NULL, 0, 100)},
    {"total_processing_time_ms", REQUIRED, NUMBER(NULL, 0, 1e12)},
};
static const struct takc_member batch_reply_members[] = {
    {"results", REQUIRED, {.type = TAKC_TYPE_LIST, .about = "in the order of the questions", .items = &item_reply}},
    {"summary", REQUIRED, {.type = TAKC_TYPE_OBJECT, TAKC_MEMBERS(summary_members)}},
};
static const struct takc_schema batch_reply = {.type = TAKC_TYPE_OBJECT, .name = "BatchReply", TAKC_MEMBERS(batch_reply_members)};

static const struct takc_member cache_info_members[] = {
    {"compression_rate", REQUIRED, {.type = TAKC_TYPE_TEXT, .nullable = true}},
    {"original_tokens", REQUIRED, WHOLE(NULL, 0, 1e15)},
    {"compressed_tokens", REQUIRED, WHOLE(NULL, 0, 1e15)},
};
static const struct takc_member metadata_members[] = {
    {"processing_time_ms", REQUIRED, NUMBER(NULL, 0, 1e12)},
    {"cache_hit", REQUIRED, {.type = TAKC_TYPE_BOOL}},
    {"model_used", REQUIRED, {.type = TAKC_TYPE_TEXT, .nullable = true}},
    {"notes", REQUIRED, {.type = TAKC_TYPE_TEXT, .about = "what was asked and could not be had, one a line"}},
};
static const struct takc_member span_members[] = {
    {"start", REQUIRED, WHOLE("first byte of the document's text", 0, 1e15)},
    {"end", REQUIRED, WHOLE("the byte behind the last", 0, 1e15)},
    {"source_start", REQUIRED, {.type = TAKC_TYPE_WHOLE, .about = "the same in the document's own bytes", .nullable = true}},
    {"source_end", REQUIRED, {.type = TAKC_TYPE_WHOLE, .nullable = true}},
};
static const struct takc_schema span = {.type = TAKC_TYPE_OBJECT, TAKC_MEMBERS(span_members)};
static const struct takc_member citation_members[] = {
    {"document", REQUIRED, {.type = TAKC_TYPE_TEXT, .about = "its name: GET /tasks/{task}/documents/{document}/text has the text"}},
    {"sha256", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"spans", REQUIRED, {.type = TAKC_TYPE_LIST, .items = &span}},
    {"quote", REQUIRED, {.type = TAKC_TYPE_TEXT, .about = "what stands there"}},
};
static const struct takc_schema citation = {.type = TAKC_TYPE_OBJECT,
                                            .name = "Citation",
                                            .open = true,
                                            .about = "with page, line, section where there are some",
                                            TAKC_MEMBERS(citation_members)};
static const struct takc_member reply_members[] = {
    {"query", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"response", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"compression_rate_used", REQUIRED, {.type = TAKC_TYPE_TEXT, .about = "what it came to; null: nothing was shown", .nullable = true}},
    {"factor", REQUIRED, {.type = TAKC_TYPE_NUMBER, .about = "the same as a number", .nullable = true}},
    {"mode", REQUIRED, {.type = TAKC_TYPE_TEXT, .about = "what the reader saw", .one_of = "artifact|select|both|whole"}},
    {"cache_hit", REQUIRED, BOOL("the guide's; a version is there, or it is 404")},
    {"cache_info", REQUIRED, {.type = TAKC_TYPE_OBJECT, .open = true, TAKC_MEMBERS(cache_info_members)}},
    {"processing_time_ms", REQUIRED, NUMBER(NULL, 0, 1e12)},
    {"confidence", REQUIRED, NUMBER("how sure it is", 0, 1)},
    {"abstained", REQUIRED, BOOL("the documents do not answer it")},
    {"citations", REQUIRED, {.type = TAKC_TYPE_LIST, .about = "where it stands; [1] of a model's text is the first", .items = &citation}},
    {"version", REQUIRED, {.type = TAKC_TYPE_TEXT, .nullable = true}},
    {"reader_tokens", REQUIRED, WHOLE("that the reader saw", 0, 1e15)},
    {"cost_usd", REQUIRED, NUMBER("of the model", 0, 1e12)},
    {"metadata", REQUIRED, {.type = TAKC_TYPE_OBJECT, .open = true, TAKC_MEMBERS(metadata_members)}},
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
     .statuses = "404 422 502",
     .asks = true,
     .may = TAKC_MAY_QUERY,
     .body = &query_body,
     .reply = &query_reply,
     .run = takc_on_query,
     .counts = TAKC_QUOTA_QUERY},
    {.method = "POST",
     .path = "/query/batch",
     .example = "{\"task_type\": \"fin\", \"queries\": [\"What was revenue in Q3?\", {\"query\": \"And in Q4?\", \"factor\": 8}]}",
     .statuses = "404 422 502",
     .id = "queryBatch",
     .summary = "Answers up to 100 questions, each with a status of its own",
     .may = TAKC_MAY_QUERY,
     .body = &batch_body,
     .reply = &batch_reply,
     .body_max = 8 << 20,
     .run = takc_on_query_batch,
     .counts = TAKC_QUOTA_QUERY},
};
ROUTES(takc_routes_query, rows);
