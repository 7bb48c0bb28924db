/* SPDX-License-Identifier: Apache-2.0
 *
 * tasks.c - which tasks a home has, and their profiles. A task is what has a profile; upkeep also asks for names that only have keys left.
 */
#include "catalog/home_impl.h"
#include "catalog/record.h"

#include <stdlib.h>

static int by_bytes(const void *a, const void *b)
{
    return takc_str_cmp(*(const struct takc_str *)a, *(const struct takc_str *)b);
}

/* Sorts and drops doubles; returns how many are left. */
static size_t unique(struct takc_str *names, size_t n)
{
    size_t kept = 0;
    qsort(names, n, sizeof(*names), by_bytes);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !takc_str_eq(names[kept - 1], names[i]))
            names[kept++] = names[i];
    return kept;
}

static enum takc_status tasks_below(struct takc_home *h, const char *prefix, struct takc_arena *a, struct takc_str **out, size_t *out_n,
                                    struct takc_err *err)
{
    struct takc_key_list list = {0};
    enum takc_status st = takc_home_keys(h->store, NULL, takc_str(prefix), a, &list, err);
    if (st)
        return st;
    struct takc_str *names = takc_arena_array(a, list.n + 1, sizeof(*names));
    if (!names)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a list of tasks");
    size_t n = 0;
    for (size_t i = 0; i < list.n; i++) {
        struct takc_str task = takc_key_task(list.keys[i]);
        if (task.len && (n == 0 || !takc_str_eq(names[n - 1], task)))
            names[n++] = task;
    }
    *out = names;
    *out_n = unique(names, n);
    return TAKC_OK;
}

enum takc_status takc_home_tasks(struct takc_home *h, struct takc_arena *a, struct takc_str **out, size_t *out_n, struct takc_err *err)
{
    return tasks_below(h, "tasks/", a, out, out_n, err);
}

enum takc_status takc_home_tasks_with_keys(struct takc_home *h, struct takc_arena *a, struct takc_str **out, size_t *out_n,
                                           struct takc_err *err)
{
    return tasks_below(h, "", a, out, out_n, err);
}

enum takc_status takc_home_profile(struct takc_home *h, struct takc_str task, struct takc_profile *out, struct takc_err *err)
{
    struct takc_buf yaml;
    enum takc_status st = takc_task_name_check(task, err);
    if (st)
        return st;
    struct takc_key key = takc_key_profile(task);
    takc_buf_init(&yaml, TAKC_RECORD_MAX);
    st = takc_store_get_bytes(h->store, NULL, takc_str(key.s), &yaml, err);
    if (st == TAKC_NOT_FOUND)
        st = takc_fail(err, st, 0, "there is no task %.*s: takc init -t %.*s makes it", TAKC_STR_ARG(task), TAKC_STR_ARG(task));
    else if (!st)
        st = takc_profile_parse(out, task, takc_buf_str(&yaml), key.s, err);
    takc_buf_clear(&yaml);
    return st;
}
