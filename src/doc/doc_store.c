/* SPDX-License-Identifier: Apache-2.0
 *
 * doc_store.c - the stored forms of structure and map, drawn byte by byte in docs/formats/structure.md.
 * Loading trusts nothing: sizes must add up to the length exactly, the checksum must hold, and takc_doc_check must pass. */
#include "base/alloc.h"
#include "base/hash.h"
#include "doc/doc.h"

enum { FORMAT = 1, SUM_AT = 16, SUM_FROM = 24, STRUCTURE_HEAD = 152, BLOCK_BYTES = 40, MAP_HEAD = 32, RUN_BYTES = 20 };
static const char structure_magic[8] = "TAKCSTRU", map_magic[8] = "TAKCMAP";

static unsigned char *put(unsigned char *p, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        p[i] = (unsigned char)(v >> (8 * i));
    return p + n;
}

static void put_sum(struct takc_buf *out, size_t start)
{
    struct takc_str rest = takc_str_n(out->ptr + start + SUM_FROM, out->len - start - SUM_FROM);
    (void)put((unsigned char *)out->ptr + start + SUM_AT, takc_hash64(rest, 0), 8);
}

static void put_structure_head(unsigned char *p, const struct takc_doc *d)
{
    p = put(p, takc_le(structure_magic, 8), 8);
    p = put(p, FORMAT, 4);
    p = put(p, d->n_blocks, 4);
    p = put(p, 0, 8); /* checksum, later */
    p = put(p, d->text.len, 8);
    p = put(p, d->strings.len, 4);
    p = put(p, d->title.len, 4);
    p = put(p, d->notes.len, 4);
    p = put(p, d->title_start, 4);
    p = put(p, d->title_end, 4);
    p = put(p, (uint32_t)d->date, 4);
    p = put(p, d->has_date, 1);
    p = put(p, d->title_from, 1);
    p = put(p, d->has_map, 1);
    p = put(p, 0, 5);
    p = put(p, d->n_replaced, 8);
    p = put(p, d->n_hidden_bytes, 8);
    memcpy(p, d->reader, 24);
    memcpy(p + 24, d->reader_version, 24);
    memcpy(p + 48, d->charset, 24);
}

static unsigned char *put_block(unsigned char *p, const struct takc_block *b)
{
    p = put(p, b->start, 4);
    p = put(p, b->end, 4);
    p = put(p, b->kind, 1);
    p = put(p, b->level, 1);
    p = put(p, b->flags, 2);
    const uint32_t places[] = {b->table, b->row, b->page, b->line, b->para, b->cell, b->pointer};
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
        p = put(p, places[i], 4);
    return p;
}

enum takc_status takc_doc_save_structure(const struct takc_doc *d, struct takc_buf *out, struct takc_err *err)
{
    size_t start = out->len, n = STRUCTURE_HEAD + d->n_blocks * BLOCK_BYTES;
    if (d->n_blocks > UINT32_MAX / BLOCK_BYTES || d->strings.len > UINT32_MAX)
        return takc_fail(err, TAKC_REFUSED, 0, "%zu blocks are too many", d->n_blocks);
    enum takc_status st = takc_buf_reserve(out, n + d->strings.len + d->title.len + d->notes.len, err);
    if (st)
        return st;
    put_structure_head((unsigned char *)out->ptr + start, d);
    unsigned char *p = (unsigned char *)out->ptr + start + STRUCTURE_HEAD;
    for (size_t i = 0; i < d->n_blocks; i++)
        p = put_block(p, &d->blocks[i]);
    out->len = start + n;
    const struct takc_buf *tails[] = {&d->strings, &d->title, &d->notes};
    for (size_t i = 0; i < 3 && !st; i++)
        st = takc_buf_add(out, takc_buf_str(tails[i]), err);
    if (st)
        return st;
    put_sum(out, start);
    return TAKC_OK;
}

enum takc_status takc_doc_save_map(const struct takc_doc *d, struct takc_buf *out, struct takc_err *err)
{
    size_t start = out->len, n = MAP_HEAD + d->n_runs * RUN_BYTES;
    if (d->n_runs > UINT32_MAX)
        return takc_fail(err, TAKC_REFUSED, 0, "%zu map runs are too many", d->n_runs);
    enum takc_status st = takc_buf_reserve(out, n, err);
    if (st)
        return st;
    unsigned char *p = (unsigned char *)out->ptr + start;
    p = put(p, takc_le(map_magic, 8), 8);
    p = put(p, FORMAT, 4);
    p = put(p, d->n_runs, 4);
    p = put(p, 0, 8);
    p = put(p, d->text.len, 8);
    for (size_t i = 0; i < d->n_runs; i++) {
        const struct takc_map_run *r = &d->runs[i];
        p = put(p, r->start, 4);
        p = put(p, r->end, 4);
        p = put(p, r->src_start, 4);
        p = put(p, r->src_end, 4);
        p = put(p, r->kind, 4);
    }
    out->len = start + n;
    out->ptr[out->len] = '\0';
    put_sum(out, start);
    return TAKC_OK;
}

/* Magic, version and checksum of a stored form. */
static enum takc_status check_head(struct takc_str s, const char magic[8], size_t head, const char *what, struct takc_err *err)
{
    if (s.len < head || memcmp(s.ptr, magic, 8) != 0)
        return takc_fail(err, TAKC_CORRUPT, 0, "%s: not of this kind", what);
    if (takc_le(s.ptr + 8, 4) != FORMAT)
        return takc_fail(err, TAKC_CORRUPT, 0, "%s: version %u is not known here", what, (unsigned)takc_le(s.ptr + 8, 4));
    if (takc_le(s.ptr + SUM_AT, 8) != takc_hash64(takc_str_slice(s, SUM_FROM, s.len), 0))
        return takc_fail(err, TAKC_CORRUPT, 0, "%s: checksum differs", what);
    return TAKC_OK;
}

static struct takc_block get_block(const char *p)
{
    struct takc_block b = {.start = (uint32_t)takc_le(p, 4),
                           .end = (uint32_t)takc_le(p + 4, 4),
                           .kind = (uint8_t)p[8],
                           .level = (uint8_t)p[9],
                           .flags = (uint16_t)takc_le(p + 10, 2)};
    uint32_t *places[] = {&b.table, &b.row, &b.page, &b.line, &b.para, &b.cell, &b.pointer};
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
        *places[i] = (uint32_t)takc_le(p + 12 + 4 * i, 4);
    return b;
}

static void get_structure_head(struct takc_doc *d, const char *p)
{
    d->title_start = (uint32_t)takc_le(p + 44, 4);
    d->title_end = (uint32_t)takc_le(p + 48, 4);
    d->date = (int32_t)(uint32_t)takc_le(p + 52, 4);
    d->has_date = p[56] == 1;
    d->title_from = (uint8_t)p[57];
    d->has_map = p[58] == 1;
    d->n_replaced = takc_le(p + 64, 8);
    d->n_hidden_bytes = takc_le(p + 72, 8);
    memcpy(d->reader, p + 80, 24);
    memcpy(d->reader_version, p + 104, 24);
    memcpy(d->charset, p + 128, 24);
}

static enum takc_status load_structure(struct takc_doc *d, size_t text_len, struct takc_str s, struct takc_err *err)
{
    enum takc_status st = check_head(s, structure_magic, STRUCTURE_HEAD, "structure", err);
    if (st)
        return st;
    uint64_t n = takc_le(s.ptr + 12, 4), strings = takc_le(s.ptr + 32, 4), title = takc_le(s.ptr + 36, 4), notes = takc_le(s.ptr + 40, 4);
    if (STRUCTURE_HEAD + n * BLOCK_BYTES + strings + title + notes != s.len || takc_le(s.ptr + 24, 8) != text_len)
        return takc_fail(err, TAKC_CORRUPT, 0, "structure: sizes do not add up");
    get_structure_head(d, s.ptr);
    st = takc_grow(&d->blocks, &d->blocks_cap, (size_t)n, sizeof(*d->blocks), err);
    if (st)
        return st;
    const char *p = s.ptr + STRUCTURE_HEAD;
    for (d->n_blocks = 0; d->n_blocks < n; p += BLOCK_BYTES)
        d->blocks[d->n_blocks++] = get_block(p);
    struct takc_buf *tails[] = {&d->strings, &d->title, &d->notes};
    const uint64_t sizes[] = {strings, title, notes};
    for (size_t i = 0; i < 3 && !st; p += sizes[i++])
        st = takc_buf_add(tails[i], takc_str_n(p, (size_t)sizes[i]), err);
    return st == TAKC_INVALID ? takc_fail(err, TAKC_CORRUPT, 0, "structure: title or notes are too long") : st;
}

static enum takc_status load_map(struct takc_doc *d, size_t text_len, struct takc_str s, struct takc_err *err)
{
    enum takc_status st = check_head(s, map_magic, MAP_HEAD, "map", err);
    if (st)
        return st;
    uint64_t n = takc_le(s.ptr + 12, 4);
    if (MAP_HEAD + n * RUN_BYTES != s.len || takc_le(s.ptr + 24, 8) != text_len)
        return takc_fail(err, TAKC_CORRUPT, 0, "map: sizes do not add up");
    st = takc_grow(&d->runs, &d->runs_cap, (size_t)n, sizeof(*d->runs), err);
    if (st)
        return st;
    for (const char *p = s.ptr + MAP_HEAD; d->n_runs < n; p += RUN_BYTES)
        d->runs[d->n_runs++] = (struct takc_map_run){(uint32_t)takc_le(p, 4), (uint32_t)takc_le(p + 4, 4), (uint32_t)takc_le(p + 8, 4),
                                                     (uint32_t)takc_le(p + 12, 4), takc_le(p + 16, 4) > 255 ? 255 : (uint8_t)p[16]};
    return TAKC_OK;
}

enum takc_status takc_doc_load(struct takc_doc *d, struct takc_str text, struct takc_str structure, struct takc_str map,
                               struct takc_err *err)
{
    takc_doc_clear(d);
    enum takc_status st = takc_buf_add(&d->text, text, err);
    if (st)
        return st == TAKC_INVALID ? takc_fail(err, TAKC_CORRUPT, 0, "text is too long") : st;
    st = load_structure(d, text.len, structure, err);
    if (!st && map.len)
        st = load_map(d, text.len, map, err);
    return st ? st : takc_doc_check(d, SIZE_MAX, err);
}
