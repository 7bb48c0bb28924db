/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a rank file: refused, or a tokenizer that counts them: no more tokens than bytes. */
#include "base/alloc.h"
#include "token/bpe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const patterns[] = {"o200k_base", "cl100k_base", "p50k_base", "r50k_base"};
    struct takc_str s = takc_str_n((const char *)data, size);
    const struct takc_tokenizer *t = NULL;
    if (takc_bpe_open_ranks(s, takc_str(patterns[size % 4]), &t, NULL))
        return 0;
    if (takc_tokenizer_count(t, s) > size)
        TAKC_BUG("more tokens than bytes");
    takc_tokenizer_close(t);
    return 0;
}
