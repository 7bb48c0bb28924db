/* SPDX-License-Identifier: Apache-2.0
 *
 * routes_tasks.c - tasks, their documents, what was compressed of them. */
#include "http/fields.h"

static const struct takc_member cache_members[] = {
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"available_rates", REQUIRED, {.type = TAKC_TYPE_LIST}},
    {"cache_info", REQUIRED, {.type = TAKC_TYPE_OBJECT, .open = true}},
};
static const struct takc_schema cache_reply = {.type = TAKC_TYPE_OBJECT, .name = "Cache", .open = true, TAKC_MEMBERS(cache_members)};

static const struct takc_member tasks_members[] = {{"tasks", REQUIRED, {.type = TAKC_TYPE_LIST}}};
static const struct takc_schema tasks_reply = {.type = TAKC_TYPE_OBJECT, .name = "Tasks", TAKC_MEMBERS(tasks_members)};
static const struct takc_member task_members[] = {
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"description", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"rates", REQUIRED, {.type = TAKC_TYPE_LIST}},
};
static const struct takc_schema task_reply = {.type = TAKC_TYPE_OBJECT, .name = "Task", .open = true, TAKC_MEMBERS(task_members)};
static const struct takc_member profile_members[] = {
    {"description", OPTIONAL, TEXT("what the knowledge is for: its words weigh when lines are chosen", 0, 16384)},
};
static const struct takc_schema profile_body = {.type = TAKC_TYPE_OBJECT,
                                                .name = "Profile",
                                                .about = "a task's profile: docs/formats/profile.md",
                                                .open = true,
                                                TAKC_MEMBERS(profile_members)};
static const struct takc_member documents_members[] = {
    {"task_type", REQUIRED, {.type = TAKC_TYPE_TEXT}},
    {"documents", REQUIRED, {.type = TAKC_TYPE_LIST}},
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
static const struct takc_schema rollback_body = {.type = TAKC_TYPE_OBJECT, .name = "Rollback", TAKC_MEMBERS(rollback_members)};
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
