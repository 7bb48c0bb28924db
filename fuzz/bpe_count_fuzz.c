/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes counted with a small vocabulary, by each split pattern: pieces follow each other to the end, and a token has at least a byte.
 */
#include "base/alloc.h"
#include "token/bpe_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct takc_str s, struct takc_split split)
{
    for (size_t at = 0, next; at < s.len; at = next) {
        next = takc_split_next(&split, s, at);
        if (next <= at || next > s.len)
            TAKC_BUG("family %d: a piece from %zu to %zu of %zu", split.family, at, next, s.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct takc_tokenizer *t;
    struct takc_str s = takc_str_n((const char *)data, size);
    if (!t && !(t = fixture_ranks()))
        return 0;
    for (int family = TAKC_SPLIT_GPT2; family <= TAKC_SPLIT_BLANKS; family++)
        walk(s, (struct takc_split){(enum takc_split_family)family, (uint8_t)(size % 4), size % 2});
    if (takc_bpe_ids(t, s, NULL, 0) > size || takc_tokenizer_line_mt(t, s) > 1000 * (size + 1))
        TAKC_BUG("more tokens than bytes");
    return 0;
}
