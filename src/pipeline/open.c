/* SPDX-License-Identifier: Apache-2.0
 *
 * open.c - the public way into a home. */
#include "catalog/home.h"
#include "takc/home.h"

enum takc_status takc_open(struct takc_home **out, const char *path, bool create, struct takc_err *err)
{
    const struct takc_home_options o = {.create = create, .wait_ms = 10000}; /* others are alone on it for a moment only */
    return takc_home_open(out, path, &o, err);
}

void takc_close(struct takc_home *h)
{
    takc_home_close(h);
}

enum takc_status takc_task_write(struct takc_home *h, struct takc_str task, struct takc_str yaml, bool replace, struct takc_err *err)
{
    struct takc_profile p = {0};
    struct takc_buf text;
    takc_buf_init(&text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_task_name_check(task, err);
    if (!st)
        st = takc_profile_parse(&p, task, yaml, "profile", err);
    if (!st && yaml.len)
        st = takc_buf_add(&text, yaml, err);
    else if (!st)
        st = takc_profile_write(&p, &text, err);
    struct takc_key key = takc_key_profile(task);
    if (!st && replace)
        st = takc_store_put_bytes(takc_home_store(h), NULL, takc_str(key.s), takc_buf_str(&text), err);
    else if (!st)
        st = takc_store_swap(takc_home_store(h), NULL, takc_str(key.s), takc_str(""), takc_buf_str(&text), err);
    if (st == TAKC_CONFLICT)
        st = takc_fail(err, TAKC_CONFLICT, 0, "task %.*s has a profile already", TAKC_STR_ARG(task));
    takc_profile_clear(&p);
    takc_buf_clear(&text);
    return st;
}
