/* SPDX-License-Identifier: Apache-2.0
 *
 * measure.c - what a given set measures, counted over the very text that a reader sees. */
#include "compress/steps.h"
#include "token/words.h"

enum takc_status takc_selection_measure(const struct takc_selection *s, const struct takc_corpus *c,
                                        const struct takc_extractive_options *o, const uint8_t *bits, struct takc_set_size *out,
                                        struct takc_err *err)
{
    const struct takc_lines lines = {.bits = bits};
    return takc_lines_measure(c, s, &lines, o, out, err);
}

enum takc_status takc_lines_measure(const struct takc_corpus *c, const struct takc_selection *s, const struct takc_lines *lines,
                                    const struct takc_extractive_options *o, struct takc_set_size *out, struct takc_err *err)
{
    struct takc_buf text;
    takc_buf_init(&text, (size_t)16 << 30);
    *out = (struct takc_set_size){.n_units = lines->n_written};
    enum takc_status st = takc_lines_text(c, s, lines, o->clean_level, NULL, &text, err);
    if (!st) {
        out->words = takc_white_words(takc_buf_str(&text));
        out->bytes = text.len;
        out->mt = takc_tokenizer_count_mt(o->tokenizer, takc_buf_str(&text));
    }
    for (size_t u = 0; u < s->n_units; u++)
        out->n_units += takc_bit(lines->bits, (uint32_t)u);
    takc_buf_clear(&text);
    return st;
}
