/* SPDX-License-Identifier: Apache-2.0
 *
 * bpe_json.c - tokenizer.json with a model of type BPE. A member whose meaning is not carried out is refused by its path; decoder and
 * post_processor are let pass, because they change nothing about the tokens of a plain text. */
#include "base/alloc.h"
#include "base/json.h"
#include "base/utf8.h"
#include "token/bpe.h"

#include <stdio.h>

static enum takc_status unsupported(struct takc_err *err, const char *member, const char *what)
{
    return takc_fail(err, TAKC_UNSUPPORTED, 0, "%s%s%s is not supported", member, what[0] ? " " : "", what);
}

static bool is_on(const json_t *v)
{
    return v && !json_is_null(v) && !json_is_false(v) && !(json_is_string(v) && json_string_length(v) == 0) &&
           !(json_is_number(v) && json_number_value(v) == 0);
}

/* Refuses members of o that are set but not in the list, and those behind a '!' in it. */
static enum takc_status check_members(json_t *o, const char *where, const char *const *known, struct takc_err *err)
{
    const char *key;
    json_t *v;
    char path[160];
    json_object_foreach(o, key, v)
    {
        bool fine = false;
        for (size_t i = 0; known[i] && !fine; i++)
            fine = strcmp(known[i], key) == 0;
        if (fine || !is_on(v))
            continue;
        (void)snprintf(path, sizeof(path), "%s%s%.100s", where, where[0] ? "." : "", key);
        return unsupported(err, path, "");
    }
    return TAKC_OK;
}

static struct takc_str text_of(const json_t *v)
{
    return json_is_string(v) ? takc_str_n(json_string_value(v), json_string_length(v)) : (struct takc_str){NULL, 0};
}

/* ---- normalizer ---- */

static enum takc_status add_change(struct takc_bpe *b, enum takc_bpe_change_kind kind, struct takc_str from, struct takc_str to,
                                   struct takc_err *err)
{
    if (b->n_changes == TAKC_BPE_STEPS)
        return unsupported(err, "normalizer", "with so many parts");
    struct takc_bpe_change *c = &b->changes[b->n_changes++];
    c->kind = kind;
    enum takc_status st = takc_bpe_keep(b, from, &c->from, err);
    return st ? st : takc_bpe_keep(b, to, &c->to, err);
}

static enum takc_status read_normalizer(struct takc_bpe *b, json_t *v, struct takc_err *err) /* NOLINT(misc-no-recursion): JSON's depth */
{
    struct takc_str type = takc_json_get_str(v, "type"), none = {NULL, 0};
    char name[64];
    if (!v || json_is_null(v))
        return TAKC_OK;
    if (takc_str_is(type, "Sequence")) {
        size_t i;
        json_t *one;
        enum takc_status st = TAKC_OK;
        json_array_foreach(json_object_get(v, "normalizers"), i, one) st = st ? st : read_normalizer(b, one, err);
        return st;
    }
    if (takc_str_is(type, "NFC"))
        return add_change(b, TAKC_BPE_NFC, none, none, err);
    if (takc_str_is(type, "Prepend"))
        return add_change(b, TAKC_BPE_PREPEND, none, takc_json_get_str(v, "prepend"), err);
    struct takc_str from = takc_json_get_str(json_object_get(v, "pattern"), "String");
    if (takc_str_is(type, "Replace") && from.len)
        return add_change(b, TAKC_BPE_REPLACE, from, takc_json_get_str(v, "content"), err);
    (void)snprintf(name, sizeof(name), "%.40s%s", type.len ? type.ptr : "without a type",
                   takc_str_is(type, "Replace") ? " of a pattern that is no String" : "");
    return unsupported(err, "normalizer", name);
}

/* ---- pre_tokenizer ---- */

static enum takc_status add_step(struct takc_bpe *b, struct takc_split split, struct takc_err *err)
{
    if (b->n_steps == TAKC_BPE_STEPS)
        return unsupported(err, "pre_tokenizer", "with so many parts");
    b->steps[b->n_steps++] = split;
    return TAKC_OK;
}

static enum takc_status read_split(struct takc_bpe *b, json_t *v, struct takc_err *err)
{
    struct takc_split split;
    struct takc_str behavior = takc_json_get_str(v, "behavior"), regex = takc_json_get_str(json_object_get(v, "pattern"), "Regex");
    bool invert = json_is_true(json_object_get(v, "invert"));
    bool isolated = takc_str_is(behavior, "Isolated") && !invert, removed = takc_str_is(behavior, "Removed") && invert;
    if (!takc_split_of_regex(regex, &split))
        return unsupported(err, "pre_tokenizer Split: this pattern", "");
    if (!isolated && (!removed || split.family == TAKC_SPLIT_DIGITS)) /* removing all but what matches everything is isolating it */
        return unsupported(err, "pre_tokenizer Split: this behavior", "");
    return add_step(b, split, err);
}

static enum takc_status read_byte_level(struct takc_bpe *b, json_t *v, bool alone, struct takc_err *err)
{
    const json_t *use_regex = json_object_get(v, "use_regex");
    b->chars = false;
    if (json_is_true(json_object_get(v, "add_prefix_space"))) {
        struct takc_str none = {NULL, 0};
        enum takc_status st = alone ? add_change(b, TAKC_BPE_BLANK_FIRST, none, takc_str(" "), err)
                                    : unsupported(err, "pre_tokenizer ByteLevel.add_prefix_space", "behind another part");
        if (st)
            return st;
    }
    return json_is_false(use_regex) ? TAKC_OK : add_step(b, (struct takc_split){TAKC_SPLIT_GPT2, 0, false}, err);
}

static enum takc_status read_pre_tokenizer(struct takc_bpe *b, json_t *v,
                                           struct takc_err *err) /* NOLINT(misc-no-recursion): JSON's depth */
{
    struct takc_str type = takc_json_get_str(v, "type");
    enum takc_status st = TAKC_OK;
    if (!v || json_is_null(v))
        return TAKC_OK;
    if (!b->chars) /* what follows would see the letters that stand for bytes */
        return unsupported(err, "pre_tokenizer", "with a part behind ByteLevel");
    if (takc_str_is(type, "Sequence")) {
        size_t i;
        json_t *one;
        json_array_foreach(json_object_get(v, "pretokenizers"), i, one) st = st ? st : read_pre_tokenizer(b, one, err);
        return st;
    }
    if (takc_str_is(type, "Split"))
        return read_split(b, v, err);
    if (takc_str_is(type, "ByteLevel"))
        return read_byte_level(b, v, b->n_steps == 0, err);
    if (takc_str_is(type, "Digits") && json_is_true(json_object_get(v, "individual_digits")))
        return add_step(b, (struct takc_split){TAKC_SPLIT_DIGITS, 1, false}, err);
    return unsupported(err, "pre_tokenizer", type.len ? type.ptr : "without a type");
}

/* ---- model ---- */

/* The byte that a letter of a byte-level vocabulary stands for, -1 for none: printable ones themselves, the others from U+0100 on. */
static int byte_of_letter(uint32_t c)
{
    if ((c >= 0x21 && c <= 0x7E) || (c >= 0xA1 && c <= 0xAC) || (c >= 0xAE && c <= 0xFF))
        return (int)c;
    if (c >= 0x100 && c <= 0x120)
        return (int)(c - 0x100);
    if (c >= 0x121 && c <= 0x142)
        return (int)(c - 0x121 + 0x7F);
    return c == 0x143 ? 0xAD : -1;
}

/* The bytes of a token of the file in out; false when it stands for none. */
static bool bytes_of(const struct takc_bpe *b, struct takc_str key, struct takc_buf *out, enum takc_status *st, struct takc_err *err)
{
    takc_buf_reset(out);
    if (b->chars) {
        *st = takc_buf_add(out, key, err);
        return !*st && key.len;
    }
    for (size_t at = 0; at < key.len && !*st;) {
        int byte = byte_of_letter(takc_utf8_next(key, &at, NULL));
        if (byte < 0)
            return false;
        *st = takc_buf_byte(out, (char)byte, err);
    }
    return !*st && key.len;
}

static enum takc_status read_vocab(struct takc_bpe *b, json_t *vocab, struct takc_buf *bytes, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    const char *key;
    json_t *id;
    json_object_foreach(vocab, key, id)
    {
        if (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) > INT32_MAX)
            return takc_fail(err, TAKC_INVALID, 0, "model.vocab: '%.40s' has no number", key);
        if (bytes_of(b, takc_str(key), bytes, &st, err))
            st = takc_bpe_vocab_add(&b->vocab, takc_buf_str(bytes), (uint32_t)json_integer_value(id), err);
        if (st)
            return st;
        if (!b->chars && bytes->len == 1)
            b->bytes[(unsigned char)bytes->ptr[0]] = (uint32_t)json_integer_value(id);
    }
    return TAKC_OK;
}

static enum takc_status read_merge(struct takc_bpe *b, const json_t *v, size_t rank, struct takc_buf *bytes, struct takc_err *err)
{
    struct takc_str sides[2] = {text_of(json_array_get(v, 0)), text_of(json_array_get(v, 1))}, line = text_of(v);
    const struct takc_bpe_token *t[3] = {NULL, NULL, NULL};
    struct takc_buf both;
    size_t blank = takc_str_find_byte(line, ' ', 0);
    enum takc_status st = TAKC_OK;
    if (json_is_string(v) && blank != SIZE_MAX) {
        sides[0] = takc_str_slice(line, 0, blank);
        sides[1] = takc_str_slice(line, blank + 1, line.len);
    }
    takc_buf_init(&both, TAKC_BPE_MAX_FILE);
    for (size_t k = 0; k < 2 && !st; k++)
        if (bytes_of(b, sides[k], bytes, &st, err)) {
            t[k] = takc_bpe_vocab_find(&b->vocab, takc_buf_str(bytes));
            st = takc_buf_add(&both, takc_buf_str(bytes), err);
        }
    t[2] = st ? NULL : takc_bpe_vocab_find(&b->vocab, takc_buf_str(&both));
    takc_buf_clear(&both);
    if (st)
        return st;
    if (!t[0] || !t[1] || !t[2])
        return takc_fail(err, TAKC_INVALID, 0, "model.merges[%zu]: not two tokens whose bytes together are one", rank);
    takc_bpe_pairs_add(&b->pairs, (struct takc_bpe_pair){t[0]->id, t[1]->id, (uint32_t)rank, t[2]->id});
    return TAKC_OK;
}

static enum takc_status read_merges(struct takc_bpe *b, json_t *merges, struct takc_buf *bytes, struct takc_err *err)
{
    size_t i;
    json_t *v;
    enum takc_status st = takc_bpe_pairs_init(&b->pairs, json_array_size(merges), err);
    b->by_pairs = true;
    json_array_foreach(merges, i, v) st = st ? st : read_merge(b, v, i, bytes, err);
    return st;
}

/* What becomes of a byte or character that is no token. */
static enum takc_status read_fallback(struct takc_bpe *b, json_t *model, struct takc_err *err)
{
    struct takc_str unknown = takc_json_get_str(model, "unk_token");
    const json_t *vocab = json_object_get(model, "vocab");
    char name[16];
    b->fuse_unknown = json_is_true(json_object_get(model, "fuse_unk"));
    if (b->chars && unknown.len) {
        const json_t *id = json_object_get(vocab, unknown.ptr);
        if (!json_is_integer(id))
            return takc_fail(err, TAKC_INVALID, 0, "model.unk_token '%.40s' is not in the vocabulary", unknown.ptr);
        b->unknown = (uint32_t)json_integer_value(id);
    }
    for (int i = 0; i < 256 && (!b->chars || json_is_true(json_object_get(model, "byte_fallback"))); i++) {
        (void)snprintf(name, sizeof(name), "<0x%02X>", i);
        const json_t *id = json_object_get(vocab, name);
        if (b->chars && json_is_integer(id))
            b->bytes[i] = (uint32_t)json_integer_value(id);
        if (b->bytes[i] == TAKC_BPE_NONE)
            return unsupported(err, "model.vocab",
                               b->chars ? "with byte_fallback and not all of <0x00>..<0xFF>" : "with ByteLevel and not all bytes");
    }
    return TAKC_OK;
}

/* A model over characters whose tokens have no blank mark inside can be fed word by word, with the same tokens. */
static void split_at_blanks(struct takc_bpe *b)
{
    if (!b->chars || b->n_steps == TAKC_BPE_STEPS || !takc_bpe_vocab_find(&b->vocab, takc_str("\xE2\x96\x81")))
        return;
    for (size_t i = 0; i < b->vocab.n_tokens; i++) {
        const struct takc_bpe_token *t = &b->vocab.tokens[i];
        struct takc_str s = takc_str_n(b->vocab.bytes.ptr + t->at, t->len);
        size_t inside = 0;
        while (takc_str_starts(takc_str_slice(s, inside, s.len), takc_str("\xE2\x96\x81")))
            inside += 3;
        if (takc_str_find(s, takc_str("\xE2\x96\x81"), inside) != SIZE_MAX)
            return;
    }
    b->steps[b->n_steps++] = (struct takc_split){TAKC_SPLIT_BLANKS, 0, false};
}

static enum takc_status read_model(struct takc_bpe *b, json_t *model, struct takc_err *err)
{
    static const char *const known[] = {"type", "unk_token", "fuse_unk", "byte_fallback", "ignore_merges", "vocab", "merges", NULL};
    struct takc_str type = takc_json_get_str(model, "type");
    json_t *vocab = json_object_get(model, "vocab"), *merges = json_object_get(model, "merges");
    struct takc_buf bytes;
    if (type.len && !takc_str_is(type, "BPE"))
        return unsupported(err, "model.type", type.ptr);
    enum takc_status st = check_members(model, "model", known, err);
    if (!st && (!json_is_object(vocab) || !json_is_array(merges)))
        st = takc_fail(err, TAKC_INVALID, 0, "model.vocab or model.merges is missing");
    takc_buf_init(&bytes, TAKC_BPE_MAX_FILE);
    if (!st)
        st = read_vocab(b, vocab, &bytes, err);
    if (!st)
        st = read_merges(b, merges, &bytes, err);
    if (!st)
        st = read_fallback(b, model, err);
    takc_buf_clear(&bytes);
    bool direct = json_is_true(json_object_get(model, "ignore_merges"));
    for (size_t i = 0; !st && direct && i < b->vocab.n_tokens; i++)
        b->vocab.tokens[i].whole = true;
    if (!st && !direct)
        split_at_blanks(b);
    return st;
}

/* ---- added tokens ---- */

static enum takc_status read_added_one(struct takc_bpe *b, json_t *v, struct takc_err *err)
{
    static const char *const known[] = {"id", "content", "normalized", "special", NULL};
    const json_t *id = json_object_get(v, "id");
    struct takc_bpe_added *a = &b->added[b->n_added];
    struct takc_str content = takc_json_get_str(v, "content");
    enum takc_status st = check_members(v, "added_tokens[]", known, err);
    if (!st && (!json_is_integer(id) || json_integer_value(id) < 0 || json_integer_value(id) > INT32_MAX || content.len == 0))
        st = takc_fail(err, TAKC_INVALID, 0, "added_tokens[%zu] has no id or no content", b->n_added);
    a->normalized = json_is_true(json_object_get(v, "normalized"));
    if (!st && a->normalized && b->n_changes)
        st = unsupported(err, "added_tokens[].normalized", "beside a normalizer");
    if (!st)
        st = takc_bpe_keep(b, content, &a->content, err);
    if (st)
        return st;
    a->id = (uint32_t)json_integer_value(id);
    b->added_first[(unsigned char)content.ptr[0]] = true;
    b->n_added++;
    return TAKC_OK;
}

static enum takc_status read_added(struct takc_bpe *b, json_t *list, struct takc_err *err)
{
    size_t i, n = json_array_size(list);
    json_t *v;
    enum takc_status st = TAKC_OK;
    if (n == 0)
        return TAKC_OK;
    b->added = takc_alloc_array(n, sizeof(*b->added));
    if (!b->added)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for %zu added tokens", n);
    json_array_foreach(list, i, v) st = st ? st : read_added_one(b, v, err);
    return st;
}

static enum takc_status read_file(struct takc_bpe *b, json_t *root, struct takc_err *err)
{
    static const char *const known[] = {"version",        "added_tokens", "normalizer", "pre_tokenizer",
                                        "post_processor", "decoder",      "model",      NULL};
    b->chars = true;
    enum takc_status st = check_members(root, "", known, err);
    if (!st)
        st = read_normalizer(b, json_object_get(root, "normalizer"), err);
    if (!st)
        st = read_pre_tokenizer(b, json_object_get(root, "pre_tokenizer"), err);
    if (!st)
        st = read_added(b, json_object_get(root, "added_tokens"), err);
    return st ? st : read_model(b, json_object_get(root, "model"), err);
}

enum takc_status takc_bpe_open_json(struct takc_str file, const struct takc_tokenizer **out, struct takc_err *err)
{
    json_t *root = NULL;
    struct takc_bpe *b = NULL;
    enum takc_status st = takc_json_parse(file, &root, err);
    if (st)
        return st;
    st = takc_bpe_new(&b, err);
    if (!st)
        st = read_file(b, root, err);
    if (!st)
        st = takc_bpe_finish(b, file, "json", err);
    json_decref(root);
    if (st)
        takc_bpe_free(b);
    else
        *out = &b->base;
    return st;
}
