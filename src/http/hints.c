/* SPDX-License-Identifier: Apache-2.0
 *
 * hints.c - a table of the commands that messages of the library end with. */
#include "http/hints.h"

#include <stdio.h>
#include <string.h>

/* T stands for the name of the task, on both sides. */
static const struct {
    const char *command, *request;
} rows[] = {
    {": takc init -t T makes it", ": PUT /tasks/T makes it"},
    {"; run: takc ingest -t T FOLDER", ": POST /process takes them in"},
    {"; run: takc compress -t T", ": POST /compress makes one"},
    {"; run: takc cache -t T list, and roll back to one of these", ": POST /cache/T/rollback makes a kept one current"},
    {"; takc cache list -t T shows them", ": GET /cache/T shows them"},
    {"; takc cache list -t T shows what there is", ": GET /cache/T shows what there is"},
    {"; say to which: takc cache -t T rollback VERSION", ": say in \"version\" which is to be"},
};

static bool is_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

/* Does text end with the command? *out_at: where it begins there. */
static bool ends_with(struct takc_str text, const char *command, size_t *out_at, struct takc_str *out_task)
{
    const char *t = strchr(command, 'T');
    struct takc_str before = takc_str_n(command, (size_t)(t - command)), behind = takc_str(t + 1);
    size_t at = takc_str_find(text, before, 0);
    if (at == SIZE_MAX)
        return false;
    size_t from = at + before.len, to = from;
    while (to < text.len && is_name(text.ptr[to]))
        to++;
    *out_at = at;
    *out_task = takc_str_slice(text, from, to);
    return to > from && takc_str_eq(takc_str_slice(text, to, text.len), behind);
}

/* The beginning of text that has room, whole characters. */
static void put(struct takc_str text, char out[TAKC_TOLD_BYTES])
{
    size_t n = text.len < TAKC_TOLD_BYTES ? text.len : TAKC_TOLD_BYTES - 1;
    while (n < text.len && n && ((unsigned char)text.ptr[n] & 0xc0) == 0x80)
        n--;
    if (n)
        memcpy(out, text.ptr, n);
    out[n] = '\0';
}

static void put_request(struct takc_str before, const char *request, struct takc_str task, char out[TAKC_TOLD_BYTES])
{
    const char *t = strstr(request, "/T");
    int n = (int)before.len;
    if (t)
        (void)snprintf(out, TAKC_TOLD_BYTES, "%.*s%.*s/%.*s%s", n, before.ptr, (int)(t - request), request, TAKC_STR_ARG(task), t + 2);
    else
        (void)snprintf(out, TAKC_TOLD_BYTES, "%.*s%s", n, before.ptr, request);
}

void takc_hint_over_http(struct takc_str text, char out[TAKC_TOLD_BYTES])
{
    size_t at;
    struct takc_str task;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (ends_with(text, rows[i].command, &at, &task)) {
            put_request(takc_str_slice(text, 0, at), rows[i].request, task, out);
            return;
        }
    put(text, out);
}
