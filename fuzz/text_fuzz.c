/* SPDX-License-Identifier: Apache-2.0
 *
 * The text reader. */
#include "reader_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return takc_fuzz_reader(&takc_reader_text, data, size);
}
