/* SPDX-License-Identifier: Apache-2.0
 *
 * make_log_table - prints src/base/log_table.inc: round(2^32 * log2(1 + i / 2048)) for i = 0..2048.
 *   cc -O1 tools/make_log_table.c -lm && ./a.out > src/base/log_table.inc
 * Long double has 64 mantissa bits on x86-64 and more elsewhere, far from the rounding that could differ. */
#include <math.h>
#include <stdio.h>

int main(void)
{
    (void)printf("/* Made by tools/make_log_table.c: round(2^32 * log2(1 + i / 2048)), i = 0..2048. */\n");
    for (int i = 0; i <= 2048; i++)
        (void)printf("%lluu,%s", (unsigned long long)llroundl(4294967296.0L * log2l(1.0L + (long double)i / 2048)),
                     i % 8 == 7 ? "\n" : " ");
    (void)printf("\n");
    return 0;
}
