/* SPDX-License-Identifier: Apache-2.0
 *
 * token/bpe_fixture.h - a small vocabulary for tests: the 256 bytes, then a few tokens of letters, then common English pieces. */
#ifndef TAKC_TOKEN_BPE_FIXTURE_H
#define TAKC_TOKEN_BPE_FIXTURE_H

#include "base/buf.h"
#include "token/bpe.h"

static const char *const fixture_tokens[] = {"ab",   "bc",   "abc", "cd",  "aa", "aaaa", "dab", "abcd", "ba",  "bab",  "th",
                                             "the",  " the", "in",  "er",  " t", "on",   "re",  "en",   "an",  " a",   "ing",
                                             " s",   "es",   " o",  " of", "or", "at",   "and", " and", ".\n", "\n\n", "  ",
                                             "    ", " p",   " c",  "ed",  "al", "it",   "is",  " w",   " 2",  "20",   "201"};

/* Writes the rank file. */
static inline enum takc_status fixture_rank_file(struct takc_buf *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum takc_status st = TAKC_OK;
    for (unsigned rank = 0; !st && rank < 256 + sizeof(fixture_tokens) / sizeof(fixture_tokens[0]); rank++) {
        char byte = (char)rank;
        struct takc_str s = rank < 256 ? takc_str_n(&byte, 1) : takc_str(fixture_tokens[rank - 256]);
        for (size_t i = 0; i < s.len && !st; i += 3) {
            uint32_t v = 0;
            char four[4];
            for (size_t k = 0; k < 3; k++)
                v = v << 8 | (i + k < s.len ? (unsigned char)s.ptr[i + k] : 0);
            for (size_t k = 0; k < 4; k++)
                four[k] = i + k > s.len ? '=' : digits[v >> (18 - 6 * k) & 63];
            st = takc_buf_add(out, takc_str_n(four, 4), NULL);
        }
        if (!st)
            st = takc_buf_printf(out, NULL, " %u\n", rank);
    }
    return st;
}

/* The open tokenizer, NULL when there is no memory. Close it. */
static inline const struct takc_tokenizer *fixture_ranks(void)
{
    struct takc_buf file;
    const struct takc_tokenizer *t = NULL;
    takc_buf_init(&file, 1 << 20);
    if (fixture_rank_file(&file) || takc_bpe_open_ranks(takc_buf_str(&file), takc_str("o200k_base"), &t, NULL))
        t = NULL;
    takc_buf_clear(&file);
    return t;
}

#endif
