/* SPDX-License-Identifier: Apache-2.0
 *
 * logical.c - folding, with the way back. */
#include "unit/logical.h"
#include "base/alloc.h"
#include "token/words.h"

void takc_logical_clear(struct takc_logical *l)
{
    takc_free(l->bytes);
    takc_free(l->at);
    takc_free(l->pieces);
    takc_free(l->tags);
    *l = (struct takc_logical){0};
}

void takc_logical_reset(struct takc_logical *l)
{
    l->len = l->n_pieces = 0;
}

static enum takc_status make_room(struct takc_logical *l, size_t n, struct takc_err *err)
{
    enum takc_status st = takc_grow(&l->bytes, &l->bytes_cap, l->len + n, 1, err);
    if (!st)
        st = takc_grow(&l->at, &l->at_cap, l->len + n, sizeof(*l->at), err);
    if (!st)
        st = takc_grow(&l->pieces, &l->pieces_cap, l->n_pieces + 1, sizeof(*l->pieces), err);
    if (!st)
        st = takc_grow(&l->tags, &l->tags_cap, l->n_pieces + 1, sizeof(*l->tags), err);
    return st;
}

enum takc_status takc_logical_add(struct takc_logical *l, struct takc_str text, size_t start, size_t end, uint32_t tag,
                                  struct takc_err *err)
{
    struct takc_str s = takc_str_n(text.ptr, end);
    size_t i = start;
    for (unsigned n; i < end && (n = takc_white_at(s, i)) != 0;)
        i += n;
    if (i == end)
        return TAKC_OK;
    enum takc_status st = make_room(l, end - i + 1, err);
    if (st)
        return st;
    size_t len = l->len, blank = i;
    bool pending = len > 0;
    l->tags[l->n_pieces] = tag;
    l->pieces[l->n_pieces++] = (uint32_t)(len + pending);
    while (i < end) {
        unsigned n = takc_white_at(s, i);
        if (n) {
            blank = pending ? blank : i;
            pending = true;
            i += n;
            continue;
        }
        if (pending) {
            l->bytes[len] = ' ';
            l->at[len++] = (uint32_t)blank;
            pending = false;
        }
        l->bytes[len] = s.ptr[i];
        l->at[len++] = (uint32_t)i++;
    }
    l->len = len;
    return TAKC_OK;
}

/* Number of the piece that byte at stands in. */
static size_t piece_of(const struct takc_logical *l, size_t at)
{
    size_t low = 0, high = l->n_pieces;
    while (high - low > 1) {
        size_t mid = (low + high) / 2;
        if (l->pieces[mid] > at)
            high = mid;
        else
            low = mid;
    }
    return low;
}

uint32_t takc_logical_tag(const struct takc_logical *l, size_t at)
{
    return l->tags[piece_of(l, at)];
}

enum takc_status takc_logical_spans(const struct takc_logical *l, size_t from, size_t to, struct takc_units *u, struct takc_err *err)
{
    for (size_t k = piece_of(l, from) + 1; from < to; k++) {
        size_t end = k < l->n_pieces && l->pieces[k] < to ? l->pieces[k] : to;
        size_t last = end < to ? end - 1 : end; /* the blank before a piece belongs to neither */
        enum takc_status st = takc_grow(&u->spans, &u->spans_cap, u->n_spans + 1, sizeof(*u->spans), err);
        if (st)
            return st;
        u->spans[u->n_spans++] = (struct takc_span){l->at[from], l->at[last - 1] + 1};
        from = end;
    }
    return TAKC_OK;
}
