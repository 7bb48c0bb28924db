/* SPDX-License-Identifier: Apache-2.0
 *
 * auth.c - what an identity may. */
#include "auth/auth.h"

enum takc_status takc_identity_body(const struct takc_identity *who, struct takc_str sha256, struct takc_err *err)
{
    return who->body ? who->body(who->body_arg, sha256, err) : TAKC_OK;
}

bool takc_may(const struct takc_identity *who, unsigned what)
{
    return (who->may & what) != 0;
}

bool takc_may_task(const struct takc_identity *who, struct takc_str task)
{
    for (size_t i = 0; i < who->n_tasks; i++)
        if (takc_str_glob(who->tasks[i], task))
            return true;
    return who->n_tasks == 0;
}
