/* SPDX-License-Identifier: Apache-2.0
 *
 * selection_store.c - the arrays of a selection, one behind the other, as little-endian numbers of fixed width. */
#include "compress/selection_store.h"
#include "base/alloc.h"
#include "base/hash.h"

static const char magic[8] = "TAKCSEL1";
enum { HEADER = 8 + 6 * 8, SEED = 0x5E1 };

enum takc_status takc_selection_save(const struct takc_selection *s, struct takc_buf *out, struct takc_err *err)
{
    size_t start = out->len;
    size_t need = HEADER + s->n_docs * 5 + 4 + s->n_order * 12 + s->n_units * 7 + 8;
    enum takc_status st = takc_buf_reserve(out, need, err);
    if (st)
        return st;
    const uint64_t head[] = {s->n_docs, s->n_units, s->n_order, s->source_words, s->source_bytes, s->source_mt};
    st = takc_buf_add(out, takc_str_n(magic, 8), err);
    for (size_t i = 0; !st && i < 6; i++)
        st = takc_buf_le(out, head[i], 8, err);
    for (size_t i = 0; !st && i <= s->n_docs; i++)
        st = takc_buf_le(out, s->first_unit[i], 4, err);
    for (size_t i = 0; !st && i < s->n_docs; i++)
        st = takc_buf_le(out, s->show_title[i], 1, err);
    for (size_t i = 0; !st && i < s->n_order; i++) {
        st = takc_buf_le(out, s->order[i], 4, err);
        if (!st)
            st = takc_buf_le(out, (uint64_t)s->keys[i], 8, err);
    }
    for (size_t i = 0; !st && i < s->n_units; i++) {
        st = takc_buf_le(out, s->rung[i], 1, err);
        if (!st)
            st = takc_buf_le(out, s->salience[i], 2, err);
        if (!st)
            st = takc_buf_le(out, s->twin[i], 4, err);
    }
    if (!st)
        st = takc_buf_le(out, takc_hash64(takc_str_n(out->ptr + start, out->len - start), SEED), 8, err);
    return st;
}

static void read_arrays(struct takc_selection *s, const char *p)
{
    for (size_t i = 0; i <= s->n_docs; i++, p += 4)
        s->first_unit[i] = (uint32_t)takc_le(p, 4);
    for (size_t i = 0; i < s->n_docs; i++, p += 1)
        s->show_title[i] = (uint8_t)takc_le(p, 1);
    for (size_t i = 0; i < s->n_order; i++, p += 12) {
        s->order[i] = (uint32_t)takc_le(p, 4);
        s->keys[i] = (int64_t)takc_le(p + 4, 8);
    }
    for (size_t i = 0; i < s->n_units; i++, p += 7) {
        s->rung[i] = (uint8_t)takc_le(p, 1);
        s->salience[i] = (uint16_t)takc_le(p + 1, 2);
        s->twin[i] = (uint32_t)takc_le(p + 3, 4);
    }
}

static bool in_range(const struct takc_selection *s)
{
    bool good = s->first_unit[0] == 0 && s->first_unit[s->n_docs] == s->n_units;
    for (size_t i = 0; good && i < s->n_docs; i++)
        good = s->first_unit[i] <= s->first_unit[i + 1];
    for (size_t i = 0; good && i < s->n_order; i++)
        good = s->order[i] < s->n_units;
    for (size_t i = 0; good && i < s->n_units; i++)
        good = s->rung[i] < TAKC_RUNGS && s->twin[i] <= s->n_units;
    return good;
}

enum takc_status takc_selection_load(struct takc_selection *out, struct takc_str b, struct takc_err *err)
{
    *out = (struct takc_selection){0};
    if (b.len < HEADER + 12 || memcmp(b.ptr, magic, 8) != 0)
        return takc_fail(err, TAKC_CORRUPT, 0, "no selection, or one of another format");
    uint64_t head[6];
    for (size_t i = 0; i < 6; i++)
        head[i] = takc_le(b.ptr + 8 + 8 * i, 8);
    if (head[0] > UINT32_MAX || head[1] > UINT32_MAX || head[2] > head[1] ||
        b.len != HEADER + head[0] * 5 + 4 + head[2] * 12 + head[1] * 7 + 8)
        return takc_fail(err, TAKC_CORRUPT, 0, "selection: sizes do not fit its %zu bytes", b.len);
    if (takc_hash64(takc_str_n(b.ptr, b.len - 8), SEED) != takc_le(b.ptr + b.len - 8, 8))
        return takc_fail(err, TAKC_CORRUPT, 0, "selection: wrong checksum");
    *out = (struct takc_selection){
        .n_docs = head[0], .n_units = head[1], .n_order = head[2], .source_words = head[3], .source_bytes = head[4], .source_mt = head[5]};
    enum takc_status st = takc_selection_alloc(out, out->n_order, err);
    if (st)
        return st;
    read_arrays(out, b.ptr + HEADER);
    return in_range(out) ? TAKC_OK : takc_fail(err, TAKC_CORRUPT, 0, "selection: a number is out of range");
}
