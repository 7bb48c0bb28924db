/* SPDX-License-Identifier: Apache-2.0
 *
 * chunk.c - runs of whole units. A chunk grows while the next unit fits; the next one begins with as many of its last units as the overlap
 * holds, but always goes on by at least one unit. */
#include "unit/chunk.h"

struct chunker {
    const struct takc_units *u;
    struct takc_str text, title;
    const struct takc_chunk_options *o;
    struct takc_buf out, head;
};

/* The line in front of a chunk that begins with unit i. */
static enum takc_status write_head(struct chunker *c, uint32_t i, struct takc_err *err)
{
    takc_buf_reset(&c->head);
    enum takc_status st = takc_buf_printf(&c->head, err, "[Document: %.*s", TAKC_STR_ARG(c->title));
    uint32_t heading = c->u->units[i].heading;
    if (!st && heading)
        st = takc_buf_add(&c->head, takc_str(", Section: "), err);
    if (!st && heading)
        st = takc_heading_path(c->u, heading, c->text, &c->head, err);
    return st ? st : takc_buf_byte(&c->head, ']', err);
}

/* Units from first on that fit behind the line in front; at least one. */
static uint32_t fitting(struct chunker *c, uint32_t first)
{
    uint64_t used = takc_tokenizer_line_mt(c->o->tokenizer, takc_buf_str(&c->head)), limit = (uint64_t)c->o->max_tokens * 1000;
    uint32_t i = first;
    while (i < c->u->n_units && (i == first || used + c->u->units[i].raw_mt <= limit))
        used += c->u->units[i++].raw_mt;
    return i - first;
}

/* How many of the units before end fit the overlap; fewer than n, so that the next chunk goes on. */
static uint32_t overlapping(struct chunker *c, uint32_t end, uint32_t n)
{
    uint64_t used = 0, limit = (uint64_t)c->o->overlap_tokens * 1000;
    uint32_t k = 0;
    while (k + 1 < n && used + c->u->units[end - 1 - k].raw_mt <= limit)
        used += c->u->units[end - 1 - k++].raw_mt;
    return k;
}

static enum takc_status write_chunk(struct chunker *c, uint32_t first, uint32_t n, struct takc_err *err)
{
    takc_buf_reset(&c->out);
    enum takc_status st = takc_buf_add(&c->out, takc_buf_str(&c->head), err);
    for (uint32_t i = 0; !st && i < n; i++) {
        st = takc_buf_byte(&c->out, '\n', err);
        if (!st)
            st = takc_unit_show(c->u, first + i, c->text, 0, &c->out, err);
    }
    return st ? st : takc_buf_byte(&c->out, '\n', err);
}

enum takc_status takc_chunks(const struct takc_units *u, struct takc_str text, struct takc_str title, const struct takc_chunk_options *o,
                             takc_chunk_fn *each, void *arg, struct takc_err *err)
{
    struct chunker c = {u, text, title, o, {0}, {0}};
    if (o->max_tokens == 0 || o->overlap_tokens >= o->max_tokens || !o->tokenizer)
        return takc_fail(err, TAKC_INVALID, 0, "chunks of %u tokens cannot overlap by %u", o->max_tokens, o->overlap_tokens);
    takc_buf_init(&c.out, TAKC_BUF_MAX_DOCUMENT);
    takc_buf_init(&c.head, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st = TAKC_OK;
    uint32_t first = 0, n_overlap = 0, number = 0;
    while (!st && first + n_overlap < u->n_units) {
        st = write_head(&c, first, err);
        uint32_t n = st ? 0 : fitting(&c, first);
        if (n <= n_overlap) { /* nothing new would fit behind the overlap: leave the overlap out */
            first += n_overlap;
            n_overlap = 0;
            continue;
        }
        if (!st)
            st = write_chunk(&c, first, n, err);
        const struct takc_chunk chunk = {number++, first, n, n_overlap, takc_buf_str(&c.out)};
        if (!st)
            st = each(arg, &chunk, err);
        n_overlap = overlapping(&c, first + n, n);
        first += n - n_overlap;
    }
    takc_buf_clear(&c.out);
    takc_buf_clear(&c.head);
    return st;
}
