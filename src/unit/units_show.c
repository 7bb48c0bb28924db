/* SPDX-License-Identifier: Apache-2.0
 *
 * units_show.c - units, anchors and heading paths as text. Spans are checked against the text: a stored table of units that belongs to
 * another text gives CORRUPT. */
#include "token/words.h"
#include "unit/clean.h"

/* Appends text[span] with white space folded; glue: behind a blank when something stands before at in out. */
static enum takc_status fold(struct takc_str text, struct takc_span span, size_t at, struct takc_buf *out, struct takc_err *err)
{
    if (span.start > span.end || span.end > text.len)
        return takc_fail(err, TAKC_CORRUPT, 0, "span %u..%u is no part of a text of %zu bytes", span.start, span.end, text.len);
    struct takc_str s = takc_str_n(text.ptr, span.end);
    enum takc_status st = takc_buf_reserve(out, span.end - span.start + 1, err);
    if (st)
        return st;
    bool blank = true;
    for (size_t i = span.start; i < span.end;) {
        unsigned n = takc_white_at(s, i);
        if (n) {
            blank = true;
            i += n;
            continue;
        }
        if (blank && out->len > at)
            out->ptr[out->len++] = ' ';
        blank = false;
        out->ptr[out->len++] = s.ptr[i++];
    }
    out->ptr[out->len] = '\0';
    return TAKC_OK;
}

/* Cleans what stands from at on in out. */
static enum takc_status clean_tail(struct takc_buf *out, size_t at, enum takc_unit_kind kind, int level, struct takc_err *err)
{
    size_t n = out->len - at;
    enum takc_status st = level > 0 ? takc_buf_reserve(out, n + 1, err) : TAKC_OK;
    if (st || level <= 0)
        return st;
    st = takc_clean(takc_str_n(out->ptr + at, n), kind, level, out, err); /* room was made: the line does not move */
    if (st)
        return st;
    size_t cleaned = out->len - at - n;
    memmove(out->ptr + at, out->ptr + at + n, cleaned);
    out->len = at + cleaned;
    out->ptr[out->len] = '\0';
    return TAKC_OK;
}

enum takc_status takc_unit_show(const struct takc_units *u, uint32_t i, struct takc_str text, int level, struct takc_buf *out,
                                struct takc_err *err)
{
    if (i >= u->n_units)
        return takc_fail(err, TAKC_CORRUPT, 0, "no unit %u of %zu", i, u->n_units);
    const struct takc_unit *k = &u->units[i];
    size_t at = out->len;
    enum takc_status st = TAKC_OK;
    for (size_t s = 0; !st && s < k->n_spans; s++)
        st = fold(text, u->spans[k->span_at + s], at, out, err);
    return st ? st : clean_tail(out, at, (enum takc_unit_kind)k->kind, level, err);
}

/* One part of an anchor: bars become semicolons, articles go. */
static enum takc_status anchor_part(struct takc_str text, struct takc_span span, struct takc_buf *out, struct takc_err *err)
{
    size_t at = out->len;
    enum takc_status st = fold(text, span, at, out, err);
    return st ? st : clean_tail(out, at, TAKC_UNIT_ROW, 1, err);
}

enum takc_status takc_anchor_show(const struct takc_units *u, uint32_t a, struct takc_str text, struct takc_buf *out, struct takc_err *err)
{
    if (a >= u->n_anchors)
        return takc_fail(err, TAKC_CORRUPT, 0, "no anchor %u of %zu", a, u->n_anchors);
    const struct takc_anchor *k = &u->anchors[a];
    bool heading = k->heading.start < k->heading.end, header = k->header.start < k->header.end;
    if (!heading && !header)
        return TAKC_OK;
    enum takc_status st = takc_buf_byte(out, '[', err);
    if (!st && heading)
        st = anchor_part(text, k->heading, out, err);
    if (!st && heading && header)
        st = takc_buf_add(out, takc_str(" / "), err);
    if (!st && header)
        st = anchor_part(text, k->header, out, err);
    return st ? st : takc_buf_byte(out, ']', err);
}

enum takc_status takc_heading_path(const struct takc_units *u, uint32_t h, struct takc_str text, struct takc_buf *out, struct takc_err *err)
{
    enum { DEPTH = 16 }; /* levels are 1..9 and one for guessed headings */
    uint32_t path[DEPTH];
    size_t n = 0;
    for (; h && n < DEPTH; h = u->headings[h - 1].parent) {
        if (h > u->n_headings)
            return takc_fail(err, TAKC_CORRUPT, 0, "no heading %u of %zu", h, u->n_headings);
        path[n++] = h - 1;
    }
    enum takc_status st = TAKC_OK;
    for (size_t i = n; !st && i-- > 0;) {
        if (i + 1 < n)
            st = takc_buf_add(out, takc_str(" > "), err);
        if (!st)
            st = fold(text, u->headings[path[i]].span, out->len, out, err);
    }
    return st;
}
