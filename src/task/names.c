/* SPDX-License-Identifier: Apache-2.0
 *
 * names.c - task names. A name becomes part of paths and keys, so what is allowed is a list, and nothing is repaired. */
#include "task/profile.h"

/* First the folders of data-model.md section 2, then what else lives at the top of a home: chunks of a task are stored under its name. */
static const char *const reserved[] = {
    "raw-data",          "text",      "blobs",   "documents", "index",     "cache",     "tasks",          "manifests",
    "tenants",           "artifacts", "replies", "locks",     "home.json", "home.lock", "catalog.sqlite", "catalog.sqlite-wal",
    "catalog.sqlite-shm"};

static bool lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

enum takc_status takc_task_name_check(struct takc_str name, struct takc_err *err)
{
    if (name.len == 0)
        return takc_fail(err, TAKC_INVALID, 0, "a task name is empty");
    if (name.len > 63)
        return takc_fail(err, TAKC_INVALID, 0, "task name '%.20s...' is longer than 63 characters", name.ptr);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (lower_or_digit(c) || (i > 0 && (c == '.' || c == '_' || c == '-')))
            continue;
        if (c == '.' || c == '_' || c == '-')
            return takc_fail(err, TAKC_INVALID, 0, "task name '%.*s' begins with '%c': a letter or digit is expected", TAKC_STR_ARG(name),
                             c);
        return takc_fail(err, TAKC_INVALID, (int)i, "character %zu of the task name is none of a-z 0-9 . _ -", i + 1);
    }
    for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        if (takc_str_is(name, reserved[i]))
            return takc_fail(err, TAKC_INVALID, 0, "task name '%s' is reserved", reserved[i]);
    return TAKC_OK;
}
