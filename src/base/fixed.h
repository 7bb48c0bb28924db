/* SPDX-License-Identifier: Apache-2.0
 *
 * base/fixed.h - fixed-point numbers, so that scores are the same bits on every machine and for any number of threads.
 * A takc_fx has TAKC_FX_BITS fraction bits. Logarithms come from a table of 2^11 steps with linear interpolation, all in integers:
 * |error| < 2^-22 (the table is made by tools/make_log_table.c). Threads: pure functions. */
#ifndef TAKC_BASE_FIXED_H
#define TAKC_BASE_FIXED_H

#include <stdint.h>

#define TAKC_FX_BITS 24
#define TAKC_FX_ONE ((int64_t)1 << TAKC_FX_BITS)

typedef int64_t takc_fx;

/* A constant such as TAKC_FX(0.35); folded by the compiler, exact rounding of a decimal with few digits is the same everywhere. */
#define TAKC_FX(x) ((takc_fx)((x) * (double)TAKC_FX_ONE + ((x) < 0 ? -0.5 : 0.5)))

/* Natural logarithm of v (>= 1; 0 counts as 1). */
takc_fx takc_fx_ln(uint64_t v);
/* Natural logarithm of num / den, both >= 1. */
takc_fx takc_fx_ln_ratio(uint64_t num, uint64_t den);
/* a * b, rounded towards minus infinity. */
static inline takc_fx takc_fx_mul(takc_fx a, takc_fx b)
{
    return (takc_fx)(((__int128)a * b) >> TAKC_FX_BITS);
}
/* num / den as fixed point; den > 0. */
static inline takc_fx takc_fx_ratio(int64_t num, int64_t den)
{
    return (takc_fx)(((__int128)num << TAKC_FX_BITS) / den);
}
/* Integer square root, rounded down. */
uint64_t takc_isqrt(unsigned __int128 v);

#endif
