/* SPDX-License-Identifier: Apache-2.0
 *
 * tokenizer.c - the thin calls over the table, and the list of tokenizers. A new one is one file and one line here. */
#include "token/tokenizer.h"
#include "token/bpe.h"

extern const struct takc_tokenizer takc_tokenizer_estimate; /* estimate.c */

static const struct takc_tokenizer *const tokenizers[] = {&takc_tokenizer_estimate};

uint64_t takc_tokenizer_line_mt(const struct takc_tokenizer *t, struct takc_str line)
{
    return t->ops->line_mt(t, line);
}

uint64_t takc_tokenizer_count_mt(const struct takc_tokenizer *t, struct takc_str text)
{
    if (text.len == 0)
        return 0;
    if (t->ops->count_mt)
        return t->ops->count_mt(t, text);
    uint64_t mt = 0;
    for (size_t from = 0; from < text.len;) {
        const char *end = memchr(text.ptr + from, '\n', text.len - from);
        size_t to = end ? (size_t)(end - text.ptr) : text.len;
        mt += t->ops->line_mt(t, takc_str_slice(text, from, to));
        from = to + 1;
    }
    return mt;
}

uint64_t takc_tokenizer_count(const struct takc_tokenizer *t, struct takc_str text)
{
    return (takc_tokenizer_count_mt(t, text) + 999) / 1000;
}

const struct takc_tokenizer *takc_tokenizer_find(struct takc_str name)
{
    for (size_t i = 0; i < sizeof(tokenizers) / sizeof(tokenizers[0]); i++)
        if (takc_str_is(name, tokenizers[i]->name))
            return tokenizers[i];
    return NULL;
}

const struct takc_tokenizer *takc_tokenizer_at(size_t i)
{
    return i < sizeof(tokenizers) / sizeof(tokenizers[0]) ? tokenizers[i] : NULL;
}

enum takc_status takc_tokenizer_open(struct takc_str name, const struct takc_tokenizer **out, struct takc_err *err)
{
    const struct takc_str bpe = takc_str("bpe:");
    const struct takc_tokenizer *t = takc_tokenizer_find(name);
    if (takc_str_starts(name, bpe))
        return takc_bpe_open(takc_str_slice(name, bpe.len, name.len), out, err);
    if (!t)
        return takc_fail(err, TAKC_INVALID, 0, "tokenizer '%.*s' is not known", TAKC_STR_ARG(name));
    *out = t;
    return TAKC_OK;
}

void takc_tokenizer_close(const struct takc_tokenizer *t)
{
    if (t && t->ops->close)
        t->ops->close((struct takc_tokenizer *)t);
}
