/* SPDX-License-Identifier: Apache-2.0
 *
 * bpe_ranks.c - rank files: a line for each token, its bytes in base64, a blank, its rank, which is its number, too. */
#include "base/base64.h"
#include "base/file.h"
#include "token/bpe.h"

#include <stdio.h>

enum { TOKEN_MAX = 3072 }; /* bytes of a token; the longest of known vocabularies has fewer than 300 */

/* bytes: for those of the token. */
static enum takc_status add_line(struct takc_bpe *b, struct takc_str line, size_t number, struct takc_buf *bytes, struct takc_err *err)
{
    size_t blank = takc_str_find_byte(line, ' ', 0);
    uint64_t rank = 0;
    takc_buf_reset(bytes);
    enum takc_status st = blank == SIZE_MAX ? TAKC_INVALID : takc_base64_decode(bytes, takc_str_slice(line, 0, blank), err);
    if (st == TAKC_NOMEM)
        return st;
    if (st || takc_str_u64(takc_str_slice(line, blank + 1, line.len), INT32_MAX, &rank, NULL))
        return takc_fail(err, TAKC_INVALID, 0, "line %zu: not a token in base64, a blank and its rank", number);
    struct takc_err why = {0};
    st = takc_bpe_vocab_add(&b->vocab, takc_buf_str(bytes), (uint32_t)rank, &why);
    if (st)
        return takc_fail(err, st, 0, "line %zu: %s", number, why.msg);
    b->vocab.tokens[b->vocab.n_tokens - 1].whole = true;
    if (bytes->len == 1)
        b->bytes[(unsigned char)bytes->ptr[0]] = (uint32_t)rank;
    return TAKC_OK;
}

static enum takc_status read_ranks(struct takc_bpe *b, struct takc_str file, struct takc_err *err)
{
    struct takc_str line;
    struct takc_buf bytes;
    enum takc_status st = TAKC_OK;
    takc_buf_init(&bytes, TOKEN_MAX);
    for (size_t number = 1; !st && takc_str_split(&file, '\n', &line); number++) {
        line = takc_str_trim(line);
        if (line.len)
            st = add_line(b, line, number, &bytes, err);
    }
    takc_buf_clear(&bytes);
    for (size_t i = 0; i < 256 && !st; i++)
        if (b->bytes[i] == TAKC_BPE_NONE)
            st = takc_fail(err, TAKC_INVALID, 0, "byte 0x%02zX has no rank", i);
    return st;
}

enum takc_status takc_bpe_open_ranks(struct takc_str file, struct takc_str pattern, const struct takc_tokenizer **out, struct takc_err *err)
{
    struct takc_bpe *b = NULL;
    struct takc_split split;
    char name[32];
    if (!takc_split_named(pattern, &split))
        return takc_fail(
            err, TAKC_UNSUPPORTED, 0,
            "the split pattern of '%.*s' is not known: name it behind the path, as in #o200k_base, #cl100k_base, #p50k_base or "
            "#r50k_base",
            TAKC_STR_ARG(pattern));
    enum takc_status st = takc_bpe_new(&b, err);
    if (st)
        return st;
    b->steps[b->n_steps++] = split;
    (void)snprintf(name, sizeof(name), "%.*s", TAKC_STR_ARG(pattern));
    st = read_ranks(b, file, err);
    if (!st)
        st = takc_bpe_finish(b, file, name, err);
    if (st)
        takc_bpe_free(b);
    else
        *out = &b->base;
    return st;
}

/* The pattern that the base name of a path begins with, as far as one is known. */
static struct takc_str pattern_of(struct takc_str path)
{
    struct takc_split split;
    size_t slash = 0;
    for (size_t i = 0; i < path.len; i++)
        slash = path.ptr[i] == '/' ? i + 1 : slash;
    struct takc_str name = takc_str_slice(path, slash, path.len);
    for (size_t n = name.len; n > 0; n--)
        if (takc_split_named(takc_str_slice(name, 0, n), &split))
            return takc_str_slice(name, 0, n);
    return name;
}

static enum takc_status open_bytes(struct takc_str path, struct takc_str pattern, struct takc_str bytes, const struct takc_tokenizer **out,
                                   struct takc_err *err)
{
    struct takc_str start = takc_str_trim(takc_str_slice(bytes, 0, bytes.len < 64 ? bytes.len : 64));
    if (start.len && start.ptr[0] == '{')
        return takc_bpe_open_json(bytes, out, err);
    return takc_bpe_open_ranks(bytes, pattern.len ? pattern : pattern_of(path), out, err);
}

enum takc_status takc_bpe_open(struct takc_str path, const struct takc_tokenizer **out, struct takc_err *err)
{
    char name[4096];
    struct takc_buf bytes;
    struct takc_err why = {0};
    struct takc_str pattern = {NULL, 0};
    size_t mark = takc_str_find_byte(path, '#', 0);
    if (mark != SIZE_MAX) {
        pattern = takc_str_slice(path, mark + 1, path.len);
        path = takc_str_slice(path, 0, mark);
    }
    if (path.len == 0 || path.len >= sizeof(name) || takc_str_find_byte(path, '\0', 0) != SIZE_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "bpe: needs the path of a rank file or a tokenizer.json");
    (void)snprintf(name, sizeof(name), "%.*s", TAKC_STR_ARG(path));
    takc_buf_init(&bytes, TAKC_BPE_MAX_FILE);
    enum takc_status st = takc_file_read(name, &bytes, err);
    if (!st) {
        st = open_bytes(path, pattern, takc_buf_str(&bytes), out, &why);
        if (st)
            (void)takc_fail(err, st, why.detail, "%s: %s", name, why.msg);
    }
    takc_buf_clear(&bytes);
    return st;
}
