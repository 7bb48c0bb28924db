/* SPDX-License-Identifier: Apache-2.0
 *
 * doc.c - builds and checks what readers make: text, blocks, map runs, title, notes.
 * Readers append from left to right; a failed append leaves what was there. The stored forms are in doc_store.c. */
#include "doc/doc.h"
#include "base/alloc.h"
#include "base/utf8.h"
#include "token/words.h"

#include <stdarg.h>
#include <stdio.h>

enum { MAX_NOTES_BYTES = 64 << 10, MAX_TITLE_BYTES = 64 << 10 };

void takc_doc_init(struct takc_doc *d)
{
    *d = (struct takc_doc){0};
    takc_buf_init(&d->text, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&d->strings, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&d->title, MAX_TITLE_BYTES);
    takc_buf_init(&d->notes, MAX_NOTES_BYTES);
}

void takc_doc_clear(struct takc_doc *d)
{
    takc_buf_clear(&d->text);
    takc_buf_clear(&d->strings);
    takc_buf_clear(&d->title);
    takc_buf_clear(&d->notes);
    takc_free(d->blocks);
    takc_free(d->runs);
    takc_doc_init(d);
}

void takc_doc_drop_runs(struct takc_doc *d)
{
    takc_free(d->runs);
    d->runs = NULL;
    d->n_runs = d->runs_cap = 0;
}

void takc_doc_drop_blocks(struct takc_doc *d)
{
    takc_free(d->blocks);
    d->blocks = NULL;
    d->n_blocks = d->blocks_cap = 0;
}

enum takc_status takc_doc_block(struct takc_doc *d, struct takc_block b, struct takc_err *err)
{
    if (b.start >= b.end)
        TAKC_BUG("block %u..%u", b.start, b.end);
    enum takc_status st = takc_grow(&d->blocks, &d->blocks_cap, d->n_blocks + 1, sizeof(*d->blocks), err);
    if (st)
        return st;
    d->blocks[d->n_blocks++] = b;
    if (b.flags & TAKC_BLOCK_HIDDEN)
        d->n_hidden_bytes += b.end - b.start;
    return TAKC_OK;
}

/* Text that grows over its limit is hostile or not for us: refused, not a mistake of the caller. */
static enum takc_status add_text(struct takc_doc *d, struct takc_str bytes, struct takc_err *err)
{
    if (bytes.len > UINT32_MAX || d->text.len > UINT32_MAX - bytes.len)
        return takc_fail(err, TAKC_REFUSED, 0, "text is over 4 GiB");
    enum takc_status st = takc_buf_add(&d->text, bytes, err);
    return st == TAKC_INVALID ? takc_fail(err, TAKC_REFUSED, 0, "text is over the limit of %zu bytes", d->text.max) : st;
}

static enum takc_status add_run(struct takc_doc *d, struct takc_str bytes, size_t src_at, size_t src_end, uint8_t kind,
                                struct takc_err *err)
{
    if (bytes.len == 0)
        return TAKC_OK;
    if (src_end > UINT32_MAX)
        return takc_fail(err, TAKC_REFUSED, 0, "source is over 4 GiB");
    enum takc_status st = takc_grow(&d->runs, &d->runs_cap, d->n_runs + 1, sizeof(*d->runs), err);
    size_t start = d->text.len;
    if (!st)
        st = add_text(d, bytes, err);
    if (st)
        return st;
    d->has_map = true;
    if (d->n_runs && kind == TAKC_MAP_VERBATIM) {
        struct takc_map_run *last = &d->runs[d->n_runs - 1];
        if (last->kind == kind && last->end == start && last->src_end == src_at) {
            last->end = (uint32_t)d->text.len;
            last->src_end = (uint32_t)src_end;
            return TAKC_OK;
        }
    }
    d->runs[d->n_runs++] = (struct takc_map_run){(uint32_t)start, (uint32_t)d->text.len, (uint32_t)src_at, (uint32_t)src_end, kind};
    return TAKC_OK;
}

enum takc_status takc_doc_verbatim(struct takc_doc *d, struct takc_str bytes, size_t src_at, struct takc_err *err)
{
    return add_run(d, bytes, src_at, src_at + bytes.len, TAKC_MAP_VERBATIM, err);
}

enum takc_status takc_doc_decoded(struct takc_doc *d, struct takc_str bytes, size_t src_at, size_t src_end, struct takc_err *err)
{
    if (src_at >= src_end)
        TAKC_BUG("decoded run from %zu..%zu", src_at, src_end);
    return add_run(d, bytes, src_at, src_end, TAKC_MAP_DECODED, err);
}

enum takc_status takc_doc_inserted(struct takc_doc *d, struct takc_str bytes, struct takc_err *err)
{
    return add_text(d, bytes, err);
}

enum takc_status takc_doc_note(struct takc_doc *d, struct takc_err *err, const char *fmt, ...)
{
    char line[512];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    size_t n = strlen(line), replaced;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)line[i] < ' ' || line[i] == 0x7F)
            line[i] = ' ';
    if (d->notes.len + n * 3 + 1 > d->notes.max)
        return TAKC_OK; /* enough has been said */
    enum takc_status st = takc_buf_reserve(&d->notes, n * 3 + 1, err);
    if (!st)
        st = takc_utf8_repair(&d->notes, takc_str_n(line, n), &replaced, err);
    return st ? st : takc_buf_byte(&d->notes, '\n', err);
}

/* Bytes of what separates words of a title at pos, or 0. */
static unsigned title_blank(struct takc_str s, size_t pos)
{
    size_t at = pos;
    unsigned n = takc_white_at(s, pos);
    if (n)
        return n;
    uint32_t c = takc_utf8_next(s, &at, NULL);
    return c < ' ' || (c >= 0x7F && c < 0xA0) ? (unsigned)(at - pos) : 0;
}

enum takc_status takc_title_fold(struct takc_str title, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    size_t from = out->len;
    bool blank = false;
    for (size_t pos = 0; pos < title.len && !st;) {
        unsigned n = title_blank(title, pos);
        if (n) {
            blank = true;
            pos += n;
            continue;
        }
        uint32_t c = takc_utf8_next(title, &pos, NULL);
        if (out->len - from + 12 > MAX_TITLE_BYTES)
            break;
        char bytes[4];
        if (blank && out->len > from)
            st = takc_buf_byte(out, ' ', err);
        if (!st)
            st = takc_buf_add(out, takc_str_n(bytes, takc_utf8_put(c, bytes)), err);
        blank = false;
    }
    return st;
}

enum takc_status takc_doc_set_title(struct takc_doc *d, struct takc_str title, enum takc_title_from from, struct takc_err *err)
{
    struct takc_buf t;
    takc_buf_init(&t, MAX_TITLE_BYTES);
    enum takc_status st = takc_title_fold(title, &t, err);
    if (st) {
        takc_buf_clear(&t);
        return st;
    }
    takc_buf_clear(&d->title);
    d->title = t;
    d->title_from = (uint8_t)from;
    return TAKC_OK;
}

size_t takc_doc_run_behind(const struct takc_doc *d, size_t at)
{
    size_t low = 0, high = d->n_runs;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (d->runs[mid].end <= at)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* The run that holds text byte at, or NULL. */
static const struct takc_map_run *run_at(const struct takc_doc *d, uint32_t at)
{
    size_t i = takc_doc_run_behind(d, at);
    return i < d->n_runs && d->runs[i].start <= at ? &d->runs[i] : NULL;
}

bool takc_doc_source_range(const struct takc_doc *d, uint32_t start, uint32_t end, uint64_t *out_start, uint64_t *out_end)
{
    if (start >= end)
        return false;
    const struct takc_map_run *a = run_at(d, start), *b = run_at(d, end - 1);
    if (!a || !b)
        return false;
    uint64_t from = a->kind == TAKC_MAP_VERBATIM ? (uint64_t)a->src_start + (start - a->start) : a->src_start;
    uint64_t to = b->kind == TAKC_MAP_VERBATIM ? (uint64_t)b->src_start + (end - b->start) : b->src_end;
    if (from >= to)
        return false; /* parts of the text stand in another order in the source */
    *out_start = from;
    *out_end = to;
    return true;
}

static enum takc_status broken(struct takc_err *err, const char *what, size_t i)
{
    return takc_fail(err, TAKC_CORRUPT, 0, "%s %zu", what, i);
}

enum { ALL_FLAGS = TAKC_BLOCK_CONTINUES | TAKC_BLOCK_HIDDEN | TAKC_BLOCK_HEADER | TAKC_BLOCK_DESCRIBES | TAKC_BLOCK_GUESSED };

/* What one block promises by itself; seen: kinds of visible blocks before it, as bits. */
static enum takc_status check_block(const struct takc_doc *d, size_t i, unsigned seen, struct takc_err *err)
{
    const struct takc_block *b = &d->blocks[i];
    struct takc_str text = takc_buf_str(&d->text);
    bool prose = b->kind == TAKC_BLOCK_PARA || b->kind == TAKC_BLOCK_ITEM, row = b->kind == TAKC_BLOCK_ROW;
    if (b->kind == TAKC_BLOCK_UNSET || b->kind >= TAKC_BLOCK_KINDS || (b->flags & ~ALL_FLAGS))
        return broken(err, "unknown kind or flag of block", i);
    if (b->start >= b->end || b->end > text.len || (i > 0 && b->start < b[-1].end))
        return broken(err, "place of block", i);
    if (!takc_utf8_boundary(text, b->start) || !takc_utf8_boundary(text, b->end))
        return broken(err, "a cut character at block", i);
    if ((b->kind == TAKC_BLOCK_HEADING && b->level > 9) || (row && (!b->table || !b->row)) || (!row && (b->table || b->row)))
        return broken(err, "level, table or row of block", i);
    if (((b->flags & TAKC_BLOCK_HEADER) && !row) || ((b->flags & TAKC_BLOCK_DESCRIBES) && !(prose && (seen & 1u << TAKC_BLOCK_TERM))))
        return broken(err, "header or description mark of block", i);
    if ((b->flags & TAKC_BLOCK_CONTINUES) && !(b->flags & TAKC_BLOCK_HIDDEN) && !(seen & 1u << b->kind))
        return broken(err, "nothing to continue at block", i);
    if (b->pointer > d->strings.len)
        return broken(err, "pointer of block", i);
    return TAKC_OK;
}

static enum takc_status check_blocks(const struct takc_doc *d, struct takc_err *err)
{
    unsigned seen = 0;
    uint64_t hidden = 0;
    for (size_t i = 0; i < d->n_blocks; i++) {
        enum takc_status st = check_block(d, i, seen, err);
        if (st)
            return st;
        if (d->blocks[i].flags & TAKC_BLOCK_HIDDEN)
            hidden += d->blocks[i].end - d->blocks[i].start;
        else
            seen |= 1u << d->blocks[i].kind;
    }
    return hidden == d->n_hidden_bytes ? TAKC_OK : takc_fail(err, TAKC_CORRUPT, 0, "count of hidden bytes");
}

static enum takc_status check_runs(const struct takc_doc *d, size_t src_len, struct takc_err *err)
{
    struct takc_str text = takc_buf_str(&d->text);
    if (d->n_runs && !d->has_map)
        return takc_fail(err, TAKC_CORRUPT, 0, "runs without a map");
    for (size_t i = 0; i < d->n_runs; i++) {
        const struct takc_map_run *r = &d->runs[i];
        if (r->kind != TAKC_MAP_VERBATIM && r->kind != TAKC_MAP_DECODED)
            return broken(err, "unknown kind of run", i);
        if (r->start >= r->end || r->end > text.len || (i > 0 && r->start < r[-1].end))
            return broken(err, "place of run", i);
        if (r->src_start >= r->src_end || r->src_end > src_len)
            return broken(err, "source of run", i);
        if (r->kind == TAKC_MAP_VERBATIM && r->end - r->start != r->src_end - r->src_start)
            return broken(err, "length of verbatim run", i);
    }
    return TAKC_OK;
}

static enum takc_status check_title(const struct takc_doc *d, struct takc_err *err)
{
    struct takc_str text = takc_buf_str(&d->text), title = takc_buf_str(&d->title);
    if (d->title_from > TAKC_TITLE_NAME || !takc_utf8_valid(title, NULL))
        return takc_fail(err, TAKC_CORRUPT, 0, "title");
    for (size_t i = 0; i < title.len; i++)
        if ((unsigned char)title.ptr[i] < ' ')
            return takc_fail(err, TAKC_CORRUPT, 0, "control character in the title");
    if (d->title_start > d->title_end || d->title_end > text.len || !takc_utf8_boundary(text, d->title_start) ||
        !takc_utf8_boundary(text, d->title_end) || (d->title_end && d->title_from != TAKC_TITLE_TEXT))
        return takc_fail(err, TAKC_CORRUPT, 0, "place of the title");
    return TAKC_OK;
}

enum takc_status takc_doc_check(const struct takc_doc *d, size_t src_len, struct takc_err *err)
{
    size_t at;
    if (d->text.len > UINT32_MAX)
        return takc_fail(err, TAKC_CORRUPT, 0, "text is over 4 GiB");
    if (!takc_utf8_valid(takc_buf_str(&d->text), &at))
        return broken(err, "text is no UTF-8 at byte", at);
    if (memchr(takc_buf_str(&d->text).ptr, '\r', d->text.len) || memchr(takc_buf_str(&d->text).ptr, '\0', d->text.len))
        return takc_fail(err, TAKC_CORRUPT, 0, "CR or NUL in the text");
    if (d->strings.len && (d->strings.ptr[d->strings.len - 1] != '\0' || !takc_utf8_valid(takc_buf_str(&d->strings), NULL)))
        return takc_fail(err, TAKC_CORRUPT, 0, "strings");
    if (!takc_utf8_valid(takc_buf_str(&d->notes), NULL))
        return takc_fail(err, TAKC_CORRUPT, 0, "notes");
    if (!memchr(d->reader, 0, sizeof(d->reader)) || !memchr(d->reader_version, 0, sizeof(d->reader_version)) ||
        !memchr(d->charset, 0, sizeof(d->charset)))
        return takc_fail(err, TAKC_CORRUPT, 0, "reader or charset");
    enum takc_status st = check_title(d, err);
    if (!st)
        st = check_blocks(d, err);
    return st ? st : check_runs(d, src_len, err);
}
