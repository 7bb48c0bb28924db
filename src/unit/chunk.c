/* SPDX-License-Identifier: Apache-2.0
 *
 * chunk.c - greedy packing. A chunk is tried one unit at a time: the text is made, counted, and taken back when it is over. */
#include "unit/chunk.h"

struct packer {
    const struct takc_units *u;
    struct takc_str text, title;
    const struct takc_chunk_options *o;
    struct takc_buf out;
    uint64_t mt;     /* of out, where the tokenizer adds up lines */
    uint32_t anchor; /* shown last in this chunk; number + 1 */
    struct takc_err *err;
};

struct takc_chunk_options takc_chunk_options_default(void)
{
    return (struct takc_chunk_options){.max_tokens = 256, .overlap_tokens = 50, .tokenizer = takc_tokenizer_find(takc_str("estimate"))};
}

/* Tokens of what is in out, given that it was right up to byte from. */
static uint64_t recount(struct packer *p, size_t from)
{
    struct takc_str s = takc_buf_str(&p->out);
    if (p->o->tokenizer->ops->flags & TAKC_TOKENIZER_LINES)
        p->mt += takc_tokenizer_count_mt(p->o->tokenizer, takc_str_slice(s, from, s.len));
    else
        p->mt = takc_tokenizer_count_mt(p->o->tokenizer, s);
    return (p->mt + 999) / 1000;
}

/* The line that says where the units stand. */
static enum takc_status put_head(struct packer *p, uint32_t first)
{
    const struct takc_unit *k = &p->u->units[first];
    uint32_t heading = k->heading;
    enum takc_status st = takc_buf_byte(&p->out, '[', p->err);
    if (!st && p->title.len)
        st = takc_buf_add(&p->out, takc_str("Document: "), p->err);
    if (!st)
        st = takc_buf_add(&p->out, p->title, p->err);
    if (!st && p->title.len && heading)
        st = takc_buf_add(&p->out, takc_str(", "), p->err);
    if (!st && heading)
        st = takc_buf_add(&p->out, takc_str("Section: "), p->err);
    if (!st)
        st = takc_heading_path(p->u, heading, p->text, &p->out, p->err);
    if (st)
        return st;
    if (p->out.len == 1)
        takc_buf_reset(&p->out); /* nothing to say */
    else
        st = takc_buf_add(&p->out, takc_str("]\n"), p->err);
    return st;
}

static enum takc_status put_unit(struct packer *p, uint32_t i)
{
    const struct takc_unit *k = &p->u->units[i];
    enum takc_status st = TAKC_OK;
    if (k->anchor && k->anchor != p->anchor) {
        size_t before = p->out.len;
        st = takc_anchor_show(p->u, k->anchor - 1, p->text, &p->out, p->err);
        if (!st && p->out.len > before)
            st = takc_buf_byte(&p->out, '\n', p->err);
        p->anchor = k->anchor;
    }
    if (!st)
        st = takc_unit_show(p->u, i, p->text, 0, &p->out, p->err);
    return st ? st : takc_buf_byte(&p->out, '\n', p->err);
}

/* The first unit of the overlap that a chunk of units from..to hands on: the last units that fit, never all of them. */
static enum takc_status overlap_start(struct packer *p, uint32_t from, uint32_t to, uint32_t *out)
{
    uint64_t mt = 0;
    uint32_t at = to;
    while (at > from + 1) {
        takc_buf_reset(&p->out);
        enum takc_status st = takc_unit_show(p->u, at - 1, p->text, 0, &p->out, p->err);
        if (st)
            return st;
        mt += takc_tokenizer_line_mt(p->o->tokenizer, takc_buf_str(&p->out));
        if (mt > p->o->overlap_tokens * 1000)
            break;
        at--;
    }
    *out = at;
    return TAKC_OK;
}

/* Fills out with units from `from` on, at least one; *out_end is behind the last. */
static enum takc_status fill(struct packer *p, uint32_t from, uint32_t *out_end, uint64_t *out_tokens)
{
    takc_buf_reset(&p->out);
    p->mt = 0;
    p->anchor = 0;
    enum takc_status st = put_head(p, from);
    uint32_t i = from;
    *out_tokens = recount(p, 0);
    for (; !st && i < p->u->n_units; i++) {
        size_t before = p->out.len;
        uint64_t mt = p->mt;
        st = put_unit(p, i);
        uint64_t tokens = st ? 0 : recount(p, before);
        if (st || (tokens > p->o->max_tokens && i > from)) {
            p->out.len = before; /* what is behind is overwritten or never looked at */
            p->mt = mt;
            break;
        }
        *out_tokens = tokens;
    }
    *out_end = i;
    return st;
}

/* Chunks from unit 0 on. Where the overlap leaves no room for a further unit the chunk starts without it. */
static enum takc_status pack(struct packer *p, takc_chunk_fn *each, void *arg)
{
    uint32_t from = 0, fresh = 0, end = 0, number = 0;
    uint64_t tokens;
    while (fresh < p->u->n_units) {
        enum takc_status st = fill(p, from, &end, &tokens);
        if (!st && end <= fresh) {
            from = fresh;
            st = fill(p, from, &end, &tokens);
        }
        struct takc_chunk chunk = {number++, takc_buf_str(&p->out), from, end - from, fresh - from, tokens};
        if (!st)
            st = each(arg, &chunk, p->err);
        if (!st)
            st = overlap_start(p, from, end, &from);
        if (st)
            return st;
        fresh = end;
    }
    return TAKC_OK;
}

enum takc_status takc_chunks(const struct takc_units *u, struct takc_str text, struct takc_str title, const struct takc_chunk_options *o,
                             takc_chunk_fn *each, void *arg, struct takc_err *err)
{
    if (o->max_tokens == 0 || o->overlap_tokens >= o->max_tokens || !o->tokenizer)
        return takc_fail(err, TAKC_INVALID, 0, "chunks of %llu tokens cannot overlap by %llu", (unsigned long long)o->max_tokens,
                         (unsigned long long)o->overlap_tokens);
    struct packer p = {.u = u, .text = text, .title = title, .o = o, .err = err};
    takc_buf_init(&p.out, TAKC_BUF_MAX_DOCUMENT);
    enum takc_status st = pack(&p, each, arg);
    takc_buf_clear(&p.out);
    return st;
}
