/* SPDX-License-Identifier: Apache-2.0
 *
 * rate.c - rates as text. In thousandths, so that 12.5x is exact and names are the same everywhere. */
#include "task/profile.h"

#include <stdio.h>

static const struct {
    const char *name;
    takc_rate rate;
} named[] = {{"ultra", TAKC_RATE_ULTRA}, {"high", TAKC_RATE_HIGH}, {"medium", TAKC_RATE_MEDIUM}, {"light", TAKC_RATE_LIGHT}};

enum { RATE_MIN = 1000, RATE_MAX = 100000 * 1000 };

/* Digits, perhaps a point and one to three digits more. */
static bool thousandths(struct takc_str s, uint64_t *out)
{
    size_t point = takc_str_find_byte(s, '.', 0), digits = 0;
    struct takc_str whole = point == SIZE_MAX ? s : takc_str_slice(s, 0, point);
    uint64_t v, part = 0;
    if (takc_str_u64(whole, RATE_MAX, &v, NULL))
        return false;
    if (point != SIZE_MAX) {
        struct takc_str fraction = takc_str_slice(s, point + 1, s.len);
        digits = fraction.len;
        if (digits > 3 || takc_str_u64(fraction, 999, &part, NULL))
            return false;
    }
    for (; digits > 0 && digits < 3; digits++)
        part *= 10;
    *out = v * 1000 + part;
    return true;
}

enum takc_status takc_rate_parse(struct takc_str s, takc_rate *out, struct takc_err *err)
{
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
        if (takc_str_is(s, named[i].name)) {
            *out = named[i].rate;
            return TAKC_OK;
        }
    struct takc_str number = s;
    if (s.len > 1 && (s.ptr[s.len - 1] == 'x' || s.ptr[s.len - 1] == 'X'))
        number.len--;
    uint64_t v;
    if (!thousandths(number, &v))
        return takc_fail(err, TAKC_INVALID, 0, "'%.*s' is no rate: ultra, high, medium, light, 8x or 12.5x (at most three decimals) are",
                         (int)(s.len > 40 ? 40 : s.len), s.ptr ? s.ptr : "");
    if (v < RATE_MIN || v > RATE_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "rate %.*s is not within 1x to 100000x", (int)(s.len > 40 ? 40 : s.len), s.ptr);
    *out = (takc_rate)v;
    return TAKC_OK;
}

void takc_rate_name(takc_rate r, char out[24])
{
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
        if (r == named[i].rate) {
            (void)snprintf(out, 24, "%s", named[i].name);
            return;
        }
    int n = snprintf(out, 24, "%u.%03u", r / 1000, r % 1000);
    while (out[n - 1] == '0')
        n--;
    if (out[n - 1] == '.')
        n--;
    out[n] = 'x';
    out[n + 1] = '\0';
}
