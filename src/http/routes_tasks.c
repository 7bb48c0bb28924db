/* SPDX-License-Identifier: Apache-2.0
 *
 * routes_tasks.c - tasks, their documents, what was compressed of them. */
#include "http/fields.h"

static const struct takc_schema a_text = {.type = TAKC_TYPE_TEXT};
static const struct takc_schema a_rate = RATE;
#define TEXTS(about_)                                                                                                                      \
    {                                                                                                                                      \
        .type = TAKC_TYPE_LIST, .about = (about_), .items = &a_text                                                                        \
    }
#define COUNT(about_) WHOLE(about_, 0, 1e15)

static const struct takc_member cache_members[] = {
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"version", REQUIRED, {.type = TAKC_TYPE_TEXT, .about = "the current one"}},
    {"versions", REQUIRED, TEXTS("that are kept, the oldest first: for rollback")},
    {"available_rates", REQUIRED, TEXTS("of the current version")},
    {"cache_info",
     REQUIRED,
     {.type = TAKC_TYPE_OBJECT,
      .about = "rate: created_at, size_bytes, hit_count and last_accessed (0 and null: never), compressed_tokens, "
               "factor, original_tokens",
      .open = true}},
};
static const struct takc_schema cache_reply = {.type = TAKC_TYPE_OBJECT, .name = "Cache", TAKC_MEMBERS(cache_members)};
static const struct takc_member cached_members[] = {
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}}, {"compression_rate", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"version", REQUIRED, {.type = TAKC_TYPE_TEXT}},   {"original_tokens", REQUIRED, COUNT(NULL)},
    {"compressed_tokens", REQUIRED, COUNT(NULL)},      {"text", REQUIRED, {.type = TAKC_TYPE_TEXT, .about = "as a reader sees it"}},
};
static const struct takc_schema cached_reply = {.type = TAKC_TYPE_OBJECT, .name = "CachedRate", TAKC_MEMBERS(cached_members)};

static const struct takc_member tasks_members[] = {{"tasks", REQUIRED, TEXTS("their names")}};
static const struct takc_schema tasks_reply = {.type = TAKC_TYPE_OBJECT, .name = "Tasks", TAKC_MEMBERS(tasks_members)};

/* A profile: docs/formats/profile.md. What GET gives PUT takes; the limits are those of task/profile.c, which has the last word. */
static const struct takc_schema rate_or_number = {
    .type = TAKC_TYPE_NUMBER, .about = "a rate as a number", .limited = true, .min = 1, .max = 100000, .or_else = &a_rate};
static const struct takc_member profile_example_members[] = {
    {"input", REQUIRED, TEXT("lines as they stand in a document", 1, 16384)},
    {"output", REQUIRED, TEXT("what is to become of them", 1, 16384)},
};
static const struct takc_schema profile_example = {.type = TAKC_TYPE_OBJECT, TAKC_MEMBERS(profile_example_members)};
static const struct takc_schema a_kind = {.type = TAKC_TYPE_TEXT, .one_of = "numbers|dates|names|ids|negations|words"};
static const struct takc_member chunking_members[] = {
    {"tokens", OPTIONAL, WHOLE("of a chunk", 16, 8192)},
    {"overlap", OPTIONAL, WHOLE("tokens that chunks share, fewer than a chunk has", 0, 8191)},
};
static const struct takc_member profile_model_members[] = {
    {"name", OPTIONAL, TEXT("who compresses and answers, PROVIDER:MODEL; empty: nobody", 0, 300)},
    {"temperature", OPTIONAL, NUMBER(NULL, 0, 2)},
    {"max_tokens", OPTIONAL, WHOLE("most of a reply", 1, 1000000)},
};
#define PROFILE(required_)                                                                                                                 \
    {"task_type", required_, {.type = TAKC_TYPE_TEXT, .about = "the name of the task, as the path has it"}},                               \
        {"description", required_, TEXT("what the knowledge is for: its words weigh when lines are chosen", 0, 16384)},                    \
        {"examples",                                                                                                                       \
         required_,                                                                                                                        \
         {.type = TAKC_TYPE_LIST, .about = "of good compressions, for models", .max_len = 16, .items = &profile_example}},                 \
        {"must_keep", required_, {.type = TAKC_TYPE_LIST, .about = "units that hold these go first", .max_len = 6, .items = &a_kind}},     \
        {"rates",                                                                                                                          \
         required_,                                                                                                                        \
         {.type = TAKC_TYPE_LIST, .about = "artifacts to make", .min_len = 1, .max_len = 16, .items = &rate_or_number}},                   \
        {"chunking", required_, {.type = TAKC_TYPE_OBJECT, .nulls = true, TAKC_MEMBERS(chunking_members)}},                                \
        {"keep_originals", required_, BOOL("false: a 2x set of the text takes their place")},                                              \
        {"ttl_s", required_, WHOLE("life of copies in caches and of kept answers, in seconds", 0, 316224000)},                             \
        {"keep_versions", required_, WHOLE("older versions besides the current and the pinned ones", 0, 1000)},                            \
        {"tokenizer", required_, TEXT("estimate, or bpe:/PATH of a file of the server's machine", 1, 4200)},                               \
    {                                                                                                                                      \
        "model", required_,                                                                                                                \
        {                                                                                                                                  \
            .type = TAKC_TYPE_OBJECT, .nulls = true, TAKC_MEMBERS(profile_model_members)                                                   \
        }                                                                                                                                  \
    }
static const struct takc_member task_members[] = {PROFILE(REQUIRED)};
static const struct takc_schema task_reply = {.type = TAKC_TYPE_OBJECT, .name = "Task", TAKC_MEMBERS(task_members)};
static const struct takc_member profile_members[] = {PROFILE(OPTIONAL)};
static const struct takc_schema profile_body = {.type = TAKC_TYPE_OBJECT,
                                                .name = "Profile",
                                                .about = "a task's profile, whole: what is left out has its default",
                                                .nulls = true,
                                                TAKC_MEMBERS(profile_members)};

static const struct takc_member document_members[] = {
    {"document", REQUIRED, {.type = TAKC_TYPE_TEXT, .about = "its name"}},
    {"title", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"sha256", REQUIRED, {.type = TAKC_TYPE_TEXT, .about = "of its bytes"}},
    {"source_bytes", REQUIRED, COUNT(NULL)},
    {"text_bytes", REQUIRED, COUNT("of its text, which start and end of citations count in")},
    {"tokens", REQUIRED, COUNT(NULL)},
    {"date", REQUIRED, {.type = TAKC_TYPE_TEXT, .format = "date", .nullable = true}},
    {"ingested_at", REQUIRED, {.type = TAKC_TYPE_TEXT, .format = "date-time"}},
};
static const struct takc_schema a_document = {.type = TAKC_TYPE_OBJECT, .name = "Document", TAKC_MEMBERS(document_members)};
static const struct takc_member documents_members[] = {
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"documents", REQUIRED, {.type = TAKC_TYPE_LIST, .items = &a_document}},
};
static const struct takc_schema documents_reply = {.type = TAKC_TYPE_OBJECT, .name = "Documents", TAKC_MEMBERS(documents_members)};
static const struct takc_member forgotten_members[] = {
    {"status", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"document", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"found", REQUIRED, WHOLE("places where a sentence of it still stands: 0 is the proof", 0, 1e15)},
};
static const struct takc_schema forgotten_reply = {
    .type = TAKC_TYPE_OBJECT, .name = "Forgotten", .open = true, TAKC_MEMBERS(forgotten_members)};
static const struct takc_member span_members[] = {
    {"start", OPTIONAL, WHOLE("first byte of the text", 0, 1e12)},
    {"end", OPTIONAL, WHOLE("the byte behind the last", 0, 1e12)},
};
static const struct takc_schema span_query = {.type = TAKC_TYPE_OBJECT, TAKC_MEMBERS(span_members)};
static const struct takc_member text_members[] = {
    {"document", REQUIRED, {.type = TAKC_TYPE_TEXT}}, {"start", REQUIRED, WHOLE(NULL, 0, 1e12)},    {"end", REQUIRED, WHOLE(NULL, 0, 1e12)},
    {"text_bytes", REQUIRED, WHOLE(NULL, 0, 1e12)},   {"text", REQUIRED, {.type = TAKC_TYPE_TEXT}},
};
static const struct takc_schema text_reply = {.type = TAKC_TYPE_OBJECT, .name = "Text", TAKC_MEMBERS(text_members)};

static const struct takc_member deleted_members[] = {
    {"status", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"message", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"cache_key", REQUIRED, {.type = TAKC_TYPE_TEXT}},
};
static const struct takc_schema deleted_reply = {.type = TAKC_TYPE_OBJECT, .name = "CacheDeleted", TAKC_MEMBERS(deleted_members)};
static const struct takc_member rollback_members[] = {
    {"version", OPTIONAL, TEXT("a kept version; the one before the current one where it is not given", 1, 31)},
};
static const struct takc_schema rollback_body = {
    .type = TAKC_TYPE_OBJECT, .name = "Rollback", .nulls = true, TAKC_MEMBERS(rollback_members)};
static const struct takc_member rolled_members[] = {
    {"status", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"version", REQUIRED, {.type = TAKC_TYPE_TEXT, .about = "the current one now"}},
};
static const struct takc_schema rolled_reply = {.type = TAKC_TYPE_OBJECT, .name = "RolledBack", TAKC_MEMBERS(rolled_members)};
static const struct takc_member task_deleted_members[] = {
    {"status", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"searched", REQUIRED, BOOL("no file of the home holds a sentence of it; false: something damaged was removed without a search")},
};
static const struct takc_schema task_deleted_reply = {
    .type = TAKC_TYPE_OBJECT, .name = "TaskDeleted", .open = true, TAKC_MEMBERS(task_deleted_members)};

static const struct takc_route rows[] = {
    {.method = "GET",
     .path = "/cache/{task}",
     .id = "getCache",
     .summary = "Which rates of a task are there",
     .statuses = "304",
     .may = TAKC_MAY_QUERY,
     .reply = &cache_reply,
     .run = takc_on_cache},
    {.method = "GET",
     .path = "/cache/{task}/{rate}",
     .id = "getCacheRate",
     .summary = "The compressed form of a task at one rate",
     .statuses = "304",
     .may = TAKC_MAY_QUERY,
     .reply = &cached_reply,
     .run = takc_on_cache_rate},
    {.method = "DELETE",
     .path = "/cache/{task}/{rate}",
     .id = "deleteCacheRate",
     .summary = "Deletes the current version's artifact of one rate",
     .may = TAKC_MAY_ADMIN,
     .reply = &deleted_reply,
     .run = takc_on_cache_delete,
     .writes = true},
    {.method = "POST",
     .path = "/cache/{task}/rollback",
     .id = "rollback",
     .summary = "Makes a kept version the current one",
     .may = TAKC_MAY_ADMIN,
     .body = &rollback_body,
     .reply = &rolled_reply,
     .run = takc_on_rollback,
     .writes = true},
    {.method = "GET",
     .path = "/tasks",
     .id = "getTasks",
     .summary = "The tasks that there are",
     .may = TAKC_MAY_QUERY,
     .reply = &tasks_reply,
     .run = takc_on_tasks},
    {.method = "GET",
     .path = "/tasks/{task}",
     .id = "getTask",
     .summary = "A task's profile",
     .may = TAKC_MAY_QUERY,
     .reply = &task_reply,
     .run = takc_on_task},
    {.method = "PUT",
     .path = "/tasks/{task}",
     .id = "putTask",
     .summary = "Makes a task, or gives it another profile",
     .example = "{\"description\": \"quarterly figures\", \"rates\": [\"32x\", \"8x\"]}",
     .statuses = "201",
     .may = TAKC_MAY_ADMIN,
     .body = &profile_body,
     .reply = &task_reply,
     .run = takc_on_put_task,
     .writes = true},
    {.method = "DELETE",
     .path = "/tasks/{task}",
     .id = "deleteTask",
     .summary = "Deletes a task with everything of it, so that no sentence of it stays",
     .may = TAKC_MAY_ADMIN,
     .reply = &task_deleted_reply,
     .run = takc_on_delete_task,
     .writes = true},
    {.method = "GET",
     .path = "/tasks/{task}/documents",
     .id = "getDocuments",
     .summary = "The documents of a task",
     .may = TAKC_MAY_QUERY,
     .reply = &documents_reply,
     .run = takc_on_documents},
    {.method = "DELETE",
     .path = "/tasks/{task}/documents/{document}",
     .id = "forgetDocument",
     .summary = "Forgets a document, so that no sentence of it stays",
     .may = TAKC_MAY_INGEST,
     .reply = &forgotten_reply,
     .run = takc_on_forget,
     .writes = true},
    {.method = "GET",
     .path = "/tasks/{task}/documents/{document}/text",
     .id = "getText",
     .summary = "The text behind a citation",
     .may = TAKC_MAY_QUERY,
     .query = &span_query,
     .reply = &text_reply,
     .run = takc_on_text},
};
ROUTES(takc_routes_tasks, rows);
