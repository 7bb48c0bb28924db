/* SPDX-License-Identifier: Apache-2.0
 *
 * bpe_text.c - added tokens and normalisation. */
#include "token/bpe_text.h"
#include "base/alloc.h"

#include <unicode/unorm2.h>
#include <unicode/ustring.h>

const struct takc_bpe_added *takc_bpe_added_at(const struct takc_bpe *b, struct takc_str text, size_t at, bool normalized)
{
    const struct takc_bpe_added *longest = NULL;
    if (!b->added_first[(unsigned char)text.ptr[at]])
        return NULL;
    for (size_t i = 0; i < b->n_added; i++) {
        const struct takc_bpe_added *a = &b->added[i];
        if (a->normalized == normalized && (!longest || a->content.len > longest->content.len) &&
            takc_str_starts(takc_str_slice(text, at, text.len), a->content))
            longest = a;
    }
    return longest;
}

static bool is_ascii(struct takc_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] > 127)
            return false;
    return true;
}

/* NFC through UTF-16; room for three times the units, which no text needs more of. */
static enum takc_status compose(struct takc_str s, struct takc_buf *out, struct takc_err *err)
{
    UErrorCode ec = U_ZERO_ERROR;
    const UNormalizer2 *nfc = unorm2_getNFCInstance(&ec);
    size_t cap = 3 * s.len + 1;
    UChar *wide = s.len < INT32_MAX / 10 ? takc_alloc_array(s.len + 1, sizeof(UChar)) : NULL;
    UChar *done = wide ? takc_alloc_array(cap, sizeof(UChar)) : NULL;
    enum takc_status st = done ? takc_buf_reserve(out, 3 * cap, err) : takc_fail(err, TAKC_NOMEM, 0, "no memory to compose a text");
    int32_t n_wide = 0, n_done = 0, n_bytes = 0;
    if (!st) {
        u_strFromUTF8WithSub(wide, (int32_t)s.len + 1, &n_wide, s.ptr, (int32_t)s.len, 0xFFFD, NULL, &ec);
        n_done = unorm2_normalize(nfc, wide, n_wide, done, (int32_t)cap, &ec);
        u_strToUTF8(out->ptr + out->len, (int32_t)(3 * cap), &n_bytes, done, n_done, &ec);
        if (U_FAILURE(ec))
            st = takc_fail(err, TAKC_NOMEM, 0, "a text cannot be composed: %s", u_errorName(ec));
        else
            out->len += (size_t)n_bytes;
    }
    takc_free(wide);
    takc_free(done);
    return st;
}

static enum takc_status replace(struct takc_str s, struct takc_str from, struct takc_str to, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    size_t at = 0, hit;
    while (!st && (hit = takc_str_find(s, from, at)) != SIZE_MAX) {
        st = takc_buf_add(out, takc_str_slice(s, at, hit), err);
        if (!st)
            st = takc_buf_add(out, to, err);
        at = hit + from.len;
    }
    return st ? st : takc_buf_add(out, takc_str_slice(s, at, s.len), err);
}

static enum takc_status change_one(const struct takc_bpe_change *c, struct takc_str s, struct takc_buf *out, struct takc_err *err)
{
    if (c->kind == TAKC_BPE_NFC)
        return compose(s, out, err);
    if (c->kind == TAKC_BPE_REPLACE)
        return replace(s, c->from, c->to, out, err);
    enum takc_status st = takc_buf_add(out, c->to, err);
    return st ? st : takc_buf_add(out, s, err);
}

static bool leaves_alone(const struct takc_bpe_change *c, struct takc_str s)
{
    return (c->kind == TAKC_BPE_NFC && is_ascii(s)) || (c->kind == TAKC_BPE_BLANK_FIRST && s.ptr[0] == ' ') ||
           (c->kind == TAKC_BPE_REPLACE && takc_str_find(s, c->from, 0) == SIZE_MAX);
}

enum takc_status takc_bpe_change(const struct takc_bpe *b, struct takc_str *text, struct takc_buf *changed, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < b->n_changes && text->len && !st; i++) {
        struct takc_buf next;
        if (leaves_alone(&b->changes[i], *text))
            continue;
        takc_buf_init(&next, changed->max);
        st = change_one(&b->changes[i], *text, &next, err);
        takc_buf_clear(changed);
        *changed = next;
        *text = st ? *text : takc_buf_str(changed);
    }
    return st;
}
