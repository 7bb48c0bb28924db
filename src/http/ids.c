/* SPDX-License-Identifier: Apache-2.0
 *
 * ids.c - random bytes by the stock, as hex. Where the system gives none, a count and the clock tell ids apart. */
#include "http/ids.h"

#include "base/clock.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/random.h>

enum { STOCK = 512 };

static _Thread_local unsigned char stock[STOCK];
static _Thread_local size_t left;

static void fill(void)
{
    static atomic_uint_fast64_t count;
    const struct takc_clock *clock = takc_clock_system();
    left = STOCK;
    if (getrandom(stock, STOCK, 0) == STOCK)
        return;
    for (size_t i = 0; i + 16 <= STOCK; i += 16) {
        uint64_t parts[2] = {clock->mono_ns(clock), atomic_fetch_add(&count, 1) + 1};
        memcpy(stock + i, parts, sizeof(parts));
    }
}

void takc_id_draw(char *out, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    unsigned any = 0;
    if (left < n)
        fill();
    for (size_t i = 0; i < n; i++) {
        unsigned char b = stock[--left];
        any |= b;
        out[2 * i] = digits[b >> 4];
        out[2 * i + 1] = digits[b & 15];
    }
    if (!any)
        out[2 * n - 1] = '1';
    out[2 * n] = '\0';
}
