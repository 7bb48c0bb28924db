/* SPDX-License-Identifier: Apache-2.0
 *
 * auth.c - what an identity may. */
#include "auth/auth.h"

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
