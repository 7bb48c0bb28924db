/* SPDX-License-Identifier: Apache-2.0
 *
 * models_step.c - what to do about a call that failed, behind what failed. */
#include "pipeline/models.h"

#include <stdio.h>

enum { ROOM_IN_FRONT = 64 }; /* for what layers above put in front: "version 2: compress by a model: window 1 of 40: " */

void takc_models_next_step(enum takc_failure f, const char *later, const char *shorter, struct takc_err *err)
{
    const char *step = takc_failure_again(f)                                    ? later
                       : f == TAKC_FAILURE_TOO_LONG                             ? shorter
                       : f == TAKC_FAILURE_DENIED || f == TAKC_FAILURE_NO_MODEL ? "takc doctor says who asks where"
                                                                                : NULL;
    if (!err || !step)
        return;
    size_t n = strlen(err->msg), room = sizeof(err->msg) - sizeof("; ") - strlen(step) - ROOM_IN_FRONT;
    n = n < room ? n : room; /* of a message that is too long the end goes, not the step */
    (void)snprintf(err->msg + n, sizeof(err->msg) - n, "; %s", step);
}
