/* SPDX-License-Identifier: Apache-2.0
 *
 * fields.c - what texts of many fields must be. */
#include "schema/fields.h"

#include "base/clock.h"
#include "task/profile.h"

bool takc_fits_task(struct takc_str s)
{
    return takc_task_name_check(s, NULL) == TAKC_OK;
}
bool takc_fits_rate(struct takc_str s)
{
    takc_rate r;
    return takc_rate_parse(s, &r, NULL) == TAKC_OK;
}
bool takc_fits_date(struct takc_str s)
{
    int32_t days;
    return s.len == 10 && takc_date_parse(s.ptr, s.len, &days, NULL) == TAKC_OK;
}
