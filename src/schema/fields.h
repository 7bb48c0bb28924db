/* SPDX-License-Identifier: Apache-2.0
 *
 * schema/fields.h - schemas of the fields that many requests have, for tables of members. Threads: pure functions. */
#ifndef TAKC_SCHEMA_FIELDS_H
#define TAKC_SCHEMA_FIELDS_H

#include "schema/schema.h"

/* Is it the name of a task? A rate ("ultra", "12.5x")? A day ("2026-01-31")? */
bool takc_fits_task(struct takc_str s), takc_fits_rate(struct takc_str s), takc_fits_date(struct takc_str s);

#define TEXT(about_, min_, max_)                                                                                                           \
    {                                                                                                                                      \
        .type = TAKC_TYPE_TEXT, .about = (about_), .min_len = (min_), .max_len = (max_)                                                    \
    }
#define WHOLE(about_, min_, max_)                                                                                                          \
    {                                                                                                                                      \
        .type = TAKC_TYPE_WHOLE, .about = (about_), .limited = true, .min = (min_), .max = (max_)                                          \
    }
#define NUMBER(about_, min_, max_)                                                                                                         \
    {                                                                                                                                      \
        .type = TAKC_TYPE_NUMBER, .about = (about_), .limited = true, .min = (min_), .max = (max_)                                         \
    }
#define BOOL(about_)                                                                                                                       \
    {                                                                                                                                      \
        .type = TAKC_TYPE_BOOL, .about = (about_)                                                                                          \
    }
#define TASK                                                                                                                               \
    {                                                                                                                                      \
        .type = TAKC_TYPE_TEXT, .about = "the task", .min_len = 1, .max_len = 63, .fits = takc_fits_task,                                  \
        .expected = "the name of a task: a-z, 0-9, '.', '_', '-'", .pattern = "^[a-z0-9][a-z0-9._-]*$"                                     \
    }
#define RATE                                                                                                                               \
    {                                                                                                                                      \
        .type = TAKC_TYPE_TEXT, .about = "the rate; chosen where it is not given", .min_len = 1, .max_len = 12, .fits = takc_fits_rate,    \
        .expected = "ultra, high, medium, light or a rate like 12.5x",                                                                     \
        .pattern = "^(ultra|high|medium|light|(100000|[1-9][0-9]{0,4}(\\.[0-9]{1,3})?)x?)$"                                                \
    }
#define DATE(about_)                                                                                                                       \
    {                                                                                                                                      \
        .type = TAKC_TYPE_TEXT, .about = (about_), .min_len = 10, .max_len = 10, .fits = takc_fits_date,                                   \
        .expected = "a date like 2026-01-31", .format = "date"                                                                             \
    }
#define OPTIONAL false
#define REQUIRED true

#endif
