/* SPDX-License-Identifier: Apache-2.0
 *
 * base/bit.h - bitmaps as arrays of bytes, lowest bit first: n bits take n / 8 + 1 bytes at most. Threads: pure functions; writers of one
 * byte are one at a time. */
#ifndef TAKC_BASE_BIT_H
#define TAKC_BASE_BIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is bit i set? */
static inline bool takc_bit(const uint8_t *bits, size_t i)
{
    return bits[i >> 3] >> (i & 7) & 1;
}
/* Sets bit i. */
static inline void takc_bit_set(uint8_t *bits, size_t i)
{
    bits[i >> 3] |= (uint8_t)(1u << (i & 7));
}
/* Takes bit i away. */
static inline void takc_bit_clear(uint8_t *bits, size_t i)
{
    bits[i >> 3] &= (uint8_t) ~(1u << (i & 7));
}

#endif
