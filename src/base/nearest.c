/* SPDX-License-Identifier: Apache-2.0
 *
 * nearest.c - edit distance with swaps (optimal string alignment), three rows on the stack. */
#include "base/nearest.h"

#include <stdio.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t takc_edit_distance(struct takc_str a, struct takc_str b)
{
    if (a.len > TAKC_NEAREST_MAX || b.len > TAKC_NEAREST_MAX)
        return UINT32_MAX;
    uint32_t row[3][TAKC_NEAREST_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[0][j] = (uint32_t)j;
    uint32_t *now = row[0];
    for (size_t i = 1; i <= a.len; i++) {
        const uint32_t *up = row[(i - 1) % 3], *up2 = row[(i + 1) % 3];
        now = row[i % 3];
        now[0] = (uint32_t)i;
        for (size_t j = 1; j <= b.len; j++) {
            char x = lower(a.ptr[i - 1]), y = lower(b.ptr[j - 1]);
            now[j] = least(up[j - 1] + (x != y), least(up[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && x == lower(b.ptr[j - 2]) && y == lower(a.ptr[i - 2]))
                now[j] = least(now[j], up2[j - 2] + 1);
        }
    }
    return now[b.len];
}

void takc_nearest_offer(struct takc_nearest *n, struct takc_str asked, const char *name)
{
    size_t len = strlen(name);
    uint32_t d = takc_edit_distance(asked, takc_str_n(name, len)), limit = len < 6 ? 1 : (uint32_t)(len / 3);
    if (d > limit || (n->name && d >= n->distance))
        return;
    n->name = name;
    n->distance = d;
}

void takc_nearest_text(const struct takc_nearest *n, char out[TAKC_NEAREST_MAX + 24])
{
    if (n->name)
        (void)snprintf(out, TAKC_NEAREST_MAX + 24, "; did you mean '%s'?", n->name);
    else
        out[0] = '\0';
}
