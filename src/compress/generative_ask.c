/* SPDX-License-Identifier: Apache-2.0
 *
 * generative_ask.c - one window's reply, kept or asked for. A reply that was cut gives its whole lines; the units that none of them names
 * are asked for in halves, twice at most, and what all of these gave together is kept as the reply: with marks as we write them, numbered
 * as in the window. Until then its whole lines are kept under a key of their own, for a run that ends before the halves have come. */
#include "compress/generative_steps.h"

#include "base/alloc.h"

#include <stdio.h>

/* A reply may be several times too long before it is cut: asking again for what a cut lost costs more than the tokens do. */
enum { SPLITS_MAX = 2, SHARE_MIN = 16, LIMIT_TIMES = 6, LIMIT_MORE = 128 };

static enum takc_status call_model(const struct takc_gen_ask *a, struct takc_str prompt, uint32_t share, struct takc_generate_reply *out,
                                   struct takc_err *err)
{
    const struct takc_gen_run *r = a->x->r;
    struct takc_generate_ask ask = {.purpose = takc_str(a->purpose),
                                    .system = takc_buf_str(&r->system),
                                    .prompt = prompt,
                                    .max_tokens = LIMIT_TIMES * share + LIMIT_MORE};
    enum takc_status st = takc_call_check(r->call, err);
    if (!st)
        st = r->o->generate(r->o->arg, &ask, out, err);
    return st;
}

/* Without calls it is only counted. */
static void count_call(const struct takc_gen_ask *a, struct takc_str prompt, uint32_t share)
{
    const struct takc_gen_run *r = a->x->r;
    struct takc_generative_counts *n = &a->w->counts;
    if (r->dry && a->n_failed)
        return;
    n->calls++;
    n->repairs += a->n_failed > 0;
    n->prompt_tokens += r->system_tokens + takc_tokenizer_count(r->o->extractive.tokenizer, prompt);
    a->w->reply_tokens += share;
}

/* ---- cut replies ---- */

static enum takc_status write_lines(const struct takc_reply_lines *l, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; i < l->n && !st; i++) {
        st = takc_buf_add(out, l->v[i].text, err);
        for (size_t k = 0; k < l->v[i].n_ids && !st; k++)
            st = takc_buf_printf(out, err, "%s%u", k ? "," : " [", l->v[i].ids[k]);
        if (!st)
            st = takc_buf_add(out, takc_str(l->v[i].n_ids ? "]\n" : "\n"), err);
    }
    return st;
}

/* The items lo..hi that a line could name and none does: the smallest run that holds them all. */
static void uncovered(const struct takc_gen_source *x, const struct takc_reply_lines *l, size_t lo, size_t hi, bool *named, size_t *out_lo,
                      size_t *out_hi)
{
    for (size_t i = lo; i < hi; i++)
        named[i] = x->items[i].quoted;
    for (size_t i = 0; i < l->n; i++)
        for (size_t k = 0; k < l->v[i].n_ids; k++)
            named[l->v[i].ids[k] - 1] = true;
    while (lo < hi && named[lo])
        lo++;
    while (hi > lo && named[hi - 1])
        hi--;
    *out_lo = lo;
    *out_hi = hi;
}

static uint64_t mt_of(const struct takc_gen_source *x, size_t lo, size_t hi)
{
    uint64_t mt = 0;
    for (size_t i = lo; i < hi; i++)
        mt += x->items[i].mt;
    return mt;
}

static enum takc_status ask_half(const struct takc_gen_ask *a, size_t lo, size_t hi, uint32_t share, unsigned depth, struct takc_buf *out,
                                 size_t *io_who, struct takc_err *err)
{
    struct takc_gen_said said = {0};
    if (lo == hi || share < SHARE_MIN)
        return TAKC_OK;
    a->w->counts.splits++;
    enum takc_status st = takc_gen_reply(a, lo, hi, share, depth + 1, out, &said, err);
    *io_who = said.who > *io_who ? said.who : *io_who;
    return st || !out->len || out->ptr[out->len - 1] == '\n' ? st : takc_buf_byte(out, '\n', err);
}

/* Whole lines of a cut reply, and what the halves of the rest gave. */
static enum takc_status complete(const struct takc_gen_ask *a, size_t lo, size_t hi, uint32_t share, unsigned depth, struct takc_str reply,
                                 struct takc_buf *out, size_t *io_who, struct takc_err *err)
{
    struct takc_gen_source *x = a->x;
    struct takc_reply_lines lines;
    bool *named = takc_arena_array(&x->arena, x->n_items + 1, sizeof(*named));
    if (!named)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a reply");
    enum takc_status st = takc_reply_read(&x->arena, reply, (uint32_t)x->n_items, true, &lines, err);
    if (!st)
        st = write_lines(&lines, out, err);
    if (st || depth >= SPLITS_MAX || a->n_failed)
        return st;
    size_t rest_lo, rest_hi;
    uncovered(x, &lines, lo, hi, named, &rest_lo, &rest_hi);
    uint64_t all = mt_of(x, lo, hi), rest = mt_of(x, rest_lo, rest_hi), half = 0;
    size_t mid = rest_lo;
    while (mid < rest_hi && 2 * half < rest)
        half += x->items[mid++].mt;
    if (!all)
        return TAKC_OK;
    st = ask_half(a, rest_lo, mid, (uint32_t)(share * half / all), depth, out, io_who, err);
    return st ? st : ask_half(a, mid, rest_hi, (uint32_t)(share * (rest - half) / all), depth, out, io_who, err);
}

/* ---- the reply ---- */

/* bare: the form of the prompt that keys are made of. */
static enum takc_status keep(const struct takc_gen_ask *a, const char *purpose, size_t lo, size_t hi, uint32_t share, size_t who,
                             struct takc_str bare, struct takc_str reply, struct takc_err *err)
{
    struct takc_hex key;
    enum takc_status st = takc_gen_key(a->x, who, purpose, lo, hi, bare, &key, err);
    return st ? st : takc_gen_keep(a->x->r, &key, share, reply, err);
}

/* The model's own first. */
static enum takc_status find_kept(const struct takc_gen_ask *a, const char *purpose, size_t lo, size_t hi, uint32_t share,
                                  struct takc_str bare, struct takc_buf *out, struct takc_gen_said *said, struct takc_err *err)
{
    struct takc_hex key;
    enum takc_status st = TAKC_OK;
    for (size_t who = 0; !st && !said->known && who <= a->x->r->o->n_fallbacks; who++) {
        said->who = who;
        st = takc_gen_key(a->x, who, purpose, lo, hi, bare, &key, err);
        if (!st)
            st = takc_gen_find(a->x->r, &key, share, out, &said->known, err);
    }
    a->w->counts.reused += said->known;
    return st;
}

/* Of a reply that was cut nothing but its whole lines counts. */
static struct takc_str whole_lines(struct takc_str reply)
{
    while (reply.len && reply.ptr[reply.len - 1] != '\n')
        reply.len--;
    return reply;
}

/* The reply of the model, or one that was cut when it was asked before: those are kept under a purpose of their own, until their halves
 * have come. */
static enum takc_status call_or_cut(const struct takc_gen_ask *a, size_t lo, size_t hi, uint32_t share, struct takc_str bare,
                                    struct takc_str prompt, struct takc_generate_reply *out, struct takc_err *err)
{
    char purpose[32];
    struct takc_gen_said said = {0};
    (void)snprintf(purpose, sizeof(purpose), "%s, cut", a->purpose);
    enum takc_status st = find_kept(a, purpose, lo, hi, share, bare, &out->text, &said, err);
    out->cut = said.known;
    out->who = said.known ? said.who : 0;
    if (st || said.known)
        return st;
    count_call(a, prompt, share);
    if (a->x->r->dry)
        return TAKC_OK;
    st = call_model(a, prompt, share, out, err);
    return st || !out->cut || a->n_failed ? st
                                          : keep(a, purpose, lo, hi, share, out->who, bare, whole_lines(takc_buf_str(&out->text)), err);
}

static enum takc_status ask_now(const struct takc_gen_ask *a, size_t lo, size_t hi, uint32_t share, unsigned depth, struct takc_str bare,
                                struct takc_buf *out, size_t *out_who, struct takc_err *err)
{
    struct takc_buf prompt;
    struct takc_generate_reply reply = {0};
    size_t before = out->len;
    uint64_t n_blocked = a->w->n_blocked;
    takc_buf_init(&prompt, TAKC_BUF_MAX_REPLY);
    takc_buf_init(&reply.text, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_gen_prompt(a->x, lo, hi, share, a->failed, a->n_failed, &prompt, err);
    if (!st)
        st = call_or_cut(a, lo, hi, share, bare, takc_buf_str(&prompt), &reply, err);
    *out_who = reply.who;
    a->w->later = a->w->later || reply.later;
    if (!st && reply.later)
        ; /* the pass ends behind this rate */
    else if (!st && reply.blocked)
        a->w->n_blocked++;
    else if (!st && reply.cut)
        st = complete(a, lo, hi, share, depth, takc_buf_str(&reply.text), out, out_who, err);
    else if (!st)
        st = takc_buf_add(out, takc_buf_str(&reply.text), err);
    bool whole = a->w->n_blocked == n_blocked; /* of a half that was blocked, too, nothing is kept: it may be asked for again */
    a->w->counts.windows_blocked += !st && !whole && depth == 0 && !a->n_failed;
    if (!st && whole && !a->w->later && !a->x->r->dry)
        st = keep(a, a->purpose, lo, hi, share, *out_who, bare, takc_str_slice(takc_buf_str(out), before, out->len), err);
    takc_buf_clear(&prompt);
    takc_buf_clear(&reply.text);
    return st;
}

enum takc_status takc_gen_reply(const struct takc_gen_ask *a, size_t lo, size_t hi, uint32_t share, unsigned depth, struct takc_buf *out,
                                struct takc_gen_said *out_said, struct takc_err *err)
{
    struct takc_buf bare;
    struct takc_gen_said said = {0};
    takc_buf_init(&bare, TAKC_BUF_MAX_REPLY);
    enum takc_status st = takc_gen_prompt(a->x, lo, hi, 0, a->failed, a->n_failed, &bare, err);
    if (!st)
        st = find_kept(a, a->purpose, lo, hi, share, takc_buf_str(&bare), out, &said, err);
    if (!st && !said.known) {
        st = ask_now(a, lo, hi, share, depth, takc_buf_str(&bare), out, &said.who, err);
        said.known = !a->x->r->dry;
    }
    *out_said = said;
    takc_buf_clear(&bare);
    return st;
}
