/* SPDX-License-Identifier: Apache-2.0
 *
 * profile_write.c - a profile as the commented file that `takc init` leaves behind. Reading it back gives the same profile. */
#include "base/utf8.h"
#include "task/profile_fields.h"

/* Must c be escaped? Controls, line breaks other than '\n', and what YAML does not allow in a file. */
static bool must_escape(uint32_t c)
{
    return (c < 0x20 && c != '\n') || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029 || c == 0xFEFF || c == 0xFFFE || c == 0xFFFF;
}

static enum takc_status put_quoted(struct takc_buf *out, struct takc_str s, struct takc_err *err)
{
    enum takc_status st = takc_buf_byte(out, '"', err);
    for (size_t at = 0, from = 0; !st && at < s.len; from = at) {
        uint32_t c = takc_utf8_next(s, &at, NULL);
        if (c == '\n')
            st = takc_buf_add(out, takc_str("\\n"), err);
        else if (must_escape(c))
            st = takc_buf_printf(out, err, c < 0x100 ? "\\x%02X" : "\\u%04X", c);
        else if (c == '"' || c == '\\')
            st = takc_buf_printf(out, err, "\\%c", (char)c);
        else
            st = takc_buf_add(out, takc_str_slice(s, from, at), err);
    }
    return st ? st : takc_buf_byte(out, '"', err);
}

/* Can s stand as a literal block, which people read more easily? Several plain lines, the last one with text and no newline. */
static bool block_fits(struct takc_str s)
{
    if (takc_str_find_byte(s, '\n', 0) == SIZE_MAX || s.ptr[0] == ' ' || s.ptr[0] == '\n' || s.ptr[s.len - 1] == '\n')
        return false;
    for (size_t at = 0; at < s.len;)
        if (must_escape(takc_utf8_next(s, &at, NULL)))
            return false;
    return true;
}

static enum takc_status put_block(struct takc_buf *out, struct takc_str s, int indent, struct takc_err *err)
{
    struct takc_str line;
    enum takc_status st = takc_buf_add(out, takc_str("|-"), err);
    while (!st && takc_str_split(&s, '\n', &line))
        st = takc_buf_printf(out, err, "\n%*s%.*s", line.len ? indent : 0, "", TAKC_STR_ARG(line));
    return st;
}

/* "key: text", newline. */
static enum takc_status put_text(struct takc_buf *out, const char *key, struct takc_str s, int indent, struct takc_err *err)
{
    size_t at;
    if (!takc_utf8_valid(s, &at) || takc_str_find_byte(s, '\0', 0) != SIZE_MAX)
        return takc_fail(err, TAKC_INVALID, 0, "%.*s is no UTF-8 text", (int)strcspn(key, ":"), key + strspn(key, " -"));
    enum takc_status st = takc_buf_add(out, takc_str(key), err);
    if (!st)
        st = takc_buf_byte(out, ' ', err);
    if (!st)
        st = s.len && block_fits(s) ? put_block(out, s, indent, err) : put_quoted(out, s, err);
    return st ? st : takc_buf_byte(out, '\n', err);
}

static enum takc_status put_head(const struct takc_profile *p, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st =
        takc_buf_printf(out, err,
                        "# The profile of the task %.*s. Every key may be left out; what stands here is what is used.\n\n"
                        "# What the knowledge is for, in a sentence or two: its words are counted in the ledger and steer models.\n",
                        TAKC_STR_ARG(p->task));
    if (!st)
        st = put_text(out, "description:", p->description, 2, err);
    if (st)
        return st;
    st = takc_buf_add(out,
                      takc_str("\n# Up to 16 examples of a good compression, shown to models:\n"
                               "#   - input: \"a passage as it stands in a document\"\n"
                               "#     output: \"what should remain of it\"\n"),
                      err);
    if (!st)
        st = takc_buf_add(out, takc_str(p->n_examples ? "examples:\n" : "examples: []\n"), err);
    for (size_t i = 0; !st && i < p->n_examples; i++)
        if (!(st = put_text(out, "  - input:", p->examples[i].input, 6, err)))
            st = put_text(out, "    output:", p->examples[i].output, 6, err);
    return st;
}

static enum takc_status put_lists(const struct takc_profile *p, struct takc_buf *out, struct takc_err *err)
{
    const char *comma = "";
    enum takc_status st = takc_buf_add(
        out,
        takc_str(
            "\n# Units that hold these are kept first: numbers, dates, names, ids, negations, words (of the description).\nmust_keep: ["),
        err);
    for (unsigned k = 0; !st && k < TAKC_FACT_KINDS; k++)
        if (p->must_keep & 1u << k) {
            st = takc_buf_printf(out, err, "%s%s", comma, takc_must_keep_names[k]);
            comma = ", ";
        }
    if (!st)
        st = takc_buf_printf(
            out, err,
            "]\n\n# Chunks for models, in tokens. The overlap is below the size.\nchunking:\n  tokens: %u\n  overlap: %u\n\n"
            "# How far to compress: ultra (64x), high (32x), medium (16x), light (8x), or numbers such as 12.5x.\nrates: [",
            p->chunk_tokens, p->chunk_overlap);
    comma = "";
    for (size_t i = 0; !st && i < p->n_rates; i++) {
        char name[24];
        takc_rate_name(p->rates[i], name);
        st = takc_buf_printf(out, err, "%s%s", comma, name);
        comma = ", ";
    }
    return st;
}

static enum takc_status put_tokenizer(const struct takc_profile *p, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st =
        takc_buf_add(out, takc_str("]\n\n# What counts tokens: estimate, or bpe:/PATH of a rank file or a tokenizer.json.\n"), err);
    if (st)
        return st;
    if (takc_tokenizer_find(p->tokenizer))
        return takc_buf_printf(out, err, "tokenizer: %.*s\n", TAKC_STR_ARG(p->tokenizer));
    return put_text(out, "tokenizer:", p->tokenizer, 2, err);
}

static enum takc_status put_rest(const struct takc_profile *p, struct takc_buf *out, struct takc_err *err)
{
    unsigned t = (unsigned)(p->temperature * 1000 + 0.5);
    enum takc_status st = put_tokenizer(p, out, err);
    if (!st)
        st = takc_buf_printf(
            out, err,
            "\n# false: no copy of the documents is kept, only what is left at 2x; a changed corpus is then ingested whole again.\n"
            "keep_originals: %s\n\n# Older versions, besides the current and the pinned ones.\nkeep_versions: %u\n\n"
            "# Seconds that answers and copies stay in caches; artifacts themselves do not age.\nttl_s: %llu\n\n"
            "# For compression and answers by a model: provider:model, such as openai:gpt-4o-mini. Empty: none.\nmodel:\n",
            p->keep_originals ? "true" : "false", p->keep_versions, (unsigned long long)p->ttl_s);
    if (!st)
        st = put_text(out, "  name:", p->model, 4, err);
    if (!st)
        st = takc_buf_printf(out, err, "  temperature: %u.%03u", t / 1000, t % 1000);
    while (!st && out->ptr[out->len - 1] == '0' && out->ptr[out->len - 2] != '.')
        out->len--;
    if (!st)
        st = takc_buf_printf(out, err, "\n  max_tokens: %u\n", p->max_tokens);
    return st;
}

enum takc_status takc_profile_write(const struct takc_profile *p, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = put_head(p, out, err);
    if (!st)
        st = put_lists(p, out, err);
    return st ? st : put_rest(p, out, err);
}
