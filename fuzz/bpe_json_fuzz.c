/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a tokenizer.json: refused, or a tokenizer that counts the file itself, twice the same. */
#include "base/alloc.h"
#include "token/bpe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct takc_str s = takc_str_n((const char *)data, size);
    const struct takc_tokenizer *t = NULL;
    if (takc_bpe_open_json(s, &t, NULL))
        return 0;
    if (takc_bpe_ids(t, s, NULL, 0) * 1000 != takc_tokenizer_count_mt(t, s))
        TAKC_BUG("two counts of one text");
    takc_tokenizer_close(t);
    return 0;
}
