/* SPDX-License-Identifier: Apache-2.0
 *
 * fixed.c - logarithms from a table: log2 of the mantissa by interpolation between 2048 steps, then times ln 2. */
#include "base/fixed.h"

static const uint64_t log2_table[2049] = {
#include "base/log_table.inc"
};

/* log2(v) with 32 fraction bits. */
static uint64_t log2_q32(uint64_t v)
{
    unsigned top = 63 - (unsigned)__builtin_clzll(v);
    uint64_t m = v << (63 - top) << 1; /* mantissa below the leading one, 64 bits */
    uint64_t i = m >> 53, rest = (m >> 21) & 0xFFFFFFFFu;
    uint64_t a = log2_table[i], b = log2_table[i + 1];
    return ((uint64_t)top << 32) + a + (((b - a) * rest) >> 32);
}

takc_fx takc_fx_ln(uint64_t v)
{
    const uint64_t ln2_q32 = 2977044472u; /* round(2^32 ln 2) */
    if (v <= 1)
        return 0;
    return (takc_fx)(((unsigned __int128)log2_q32(v) * ln2_q32) >> (64 - TAKC_FX_BITS));
}

takc_fx takc_fx_ln_ratio(uint64_t num, uint64_t den)
{
    return takc_fx_ln(num) - takc_fx_ln(den);
}

uint64_t takc_isqrt(unsigned __int128 v)
{
    uint64_t r = 0;
    for (int bit = 63; bit >= 0; bit--) {
        uint64_t t = r | (uint64_t)1 << bit;
        if ((unsigned __int128)t * t <= v)
            r = t;
    }
    return r;
}
