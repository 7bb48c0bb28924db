/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes as a model's reply: the first byte says how many lines were numbered and whether the reply was cut. Lines come out whole,
 * valid, with numbers that exist, and read the same when they are written as we write them. */
#include "base/utf8.h"
#include "compress/generative_steps.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_line(const struct takc_reply_line *l, uint32_t n_ids)
{
    if (!l->text.len || !takc_utf8_valid(l->text, NULL) || (l->n_ids && l->wrong_ids))
        abort();
    for (size_t i = 0; i < l->text.len; i++)
        if ((unsigned char)l->text.ptr[i] < 0x20)
            abort();
    for (size_t i = 0; i < l->n_ids; i++)
        if (l->ids[i] < 1 || l->ids[i] > n_ids || (i && l->ids[i] <= l->ids[i - 1]))
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct takc_arena a;
    struct takc_reply_lines lines;
    if (n == 0)
        return 0;
    uint32_t n_ids = data[0] >> 1;
    takc_arena_init(&a);
    if (takc_reply_read(&a, takc_str_n((const char *)data + 1, n - 1), n_ids, data[0] & 1, &lines, NULL) == TAKC_OK) {
        for (size_t i = 0; i < lines.n; i++)
            check_line(&lines.v[i], n_ids);
        if (lines.n > TAKC_REPLY_LINES_MAX)
            abort();
    }
    takc_arena_clear(&a);
    return 0;
}
