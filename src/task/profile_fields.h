/* SPDX-License-Identifier: Apache-2.0
 *
 * task/profile_fields.h - what reading and writing a profile share: limits, model providers. Private to task/. */
#ifndef TAKC_TASK_PROFILE_FIELDS_H
#define TAKC_TASK_PROFILE_FIELDS_H

#include "task/profile.h"

enum {
    PROFILE_TEXT_MAX = 16 << 10, /* bytes of a description, an example's input, its output */
    PROFILE_CHUNK_MIN = 16,
    PROFILE_CHUNK_MAX = 8192,
    PROFILE_VERSIONS_MAX = 1000,
    PROFILE_TOKENS_MAX = 1000000,
    PROFILE_TTL_MAX = 10 * 366 * 86400 /* ten years, in seconds */
};

#endif
