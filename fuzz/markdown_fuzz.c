/* SPDX-License-Identifier: Apache-2.0
 *
 * The markdown reader. */
#include "reader_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return takc_fuzz_reader(&takc_reader_markdown, data, size);
}
