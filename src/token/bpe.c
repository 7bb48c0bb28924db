/* SPDX-License-Identifier: Apache-2.0
 *
 * bpe.c - splitting, merging and counting with a loaded vocabulary.
 *
 * A piece that is a token is one look-up. Any other becomes a linked list of symbols with a heap of possible merges, lowest rank first and
 * leftmost of equals; an entry of the heap that its symbol has left behind is recognised by its rank. Short words that were merged are
 * remembered for the length of a call, on the stack, so that threads share nothing. */
#include "token/bpe.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "token/bpe_text.h"

#include <stdio.h>

enum {
    SMALL_PIECE = 96, /* bytes whose symbols stand on the stack */
    MEMO_SLOTS = 1024,
    MEMO_WORD = 15,
    MEMO_FROM = 4096 /* bytes of text from which remembering pays */
};

struct memo_entry {
    char word[16]; /* its length in the last byte, 0: free */
    uint32_t n;
};

struct sink {
    uint32_t *ids; /* NULL: only counted */
    size_t cap, n;
    struct memo_entry *memo; /* or NULL */
};

struct symbol {
    uint32_t start, end; /* in the piece */
    uint32_t id;
    uint32_t prev, next; /* TAKC_BPE_NONE at the ends */
    uint32_t rank, to;   /* of the merge with the next one; rank TAKC_BPE_NONE: there is none */
};

struct entry {
    uint32_t rank, at;
};

struct merge {
    const struct takc_bpe *b;
    struct takc_str piece;
    struct symbol *symbols;
    struct entry *heap; /* three for each symbol is enough: one at first, two for each merge */
    size_t n, n_heap;
};

static void emit(struct sink *s, uint32_t id)
{
    if (s->ids && s->n < s->cap)
        s->ids[s->n] = id;
    s->n++;
}

static void emit_bytes(struct sink *s, size_t n)
{
    while (n--)
        emit(s, TAKC_BPE_NONE);
}

/* ---- the heap ---- */

static bool before(struct entry a, struct entry b)
{
    return a.rank != b.rank ? a.rank < b.rank : a.at < b.at;
}

static void push(struct merge *m, struct entry e)
{
    size_t i = m->n_heap++;
    for (; i > 0 && before(e, m->heap[(i - 1) / 2]); i = (i - 1) / 2)
        m->heap[i] = m->heap[(i - 1) / 2];
    m->heap[i] = e;
}

static struct entry pop(struct merge *m)
{
    struct entry top = m->heap[0], last = m->heap[--m->n_heap];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < m->n_heap; i = child) {
        if (child + 1 < m->n_heap && before(m->heap[child + 1], m->heap[child]))
            child++;
        if (!before(m->heap[child], last))
            break;
        m->heap[i] = m->heap[child];
    }
    m->heap[i] = last;
    return top;
}

/* ---- merging ---- */

/* Looks up the merge of symbol at with the next one. */
static void offer(struct merge *m, uint32_t at)
{
    struct symbol *s = &m->symbols[at];
    s->rank = TAKC_BPE_NONE;
    if (s->next == TAKC_BPE_NONE)
        return;
    const struct symbol *next = &m->symbols[s->next];
    if (m->b->by_pairs) {
        const struct takc_bpe_pair *p = takc_bpe_pairs_find(&m->b->pairs, s->id, next->id);
        s->rank = p ? p->rank : TAKC_BPE_NONE;
        s->to = p ? p->id : 0;
    } else {
        const struct takc_bpe_token *t = takc_bpe_vocab_find(&m->b->vocab, takc_str_slice(m->piece, s->start, next->end));
        s->rank = s->to = t ? t->id : TAKC_BPE_NONE;
    }
    if (s->rank != TAKC_BPE_NONE)
        push(m, (struct entry){s->rank, at});
}

static void join(struct merge *m, uint32_t at)
{
    struct symbol *s = &m->symbols[at], *gone = &m->symbols[s->next];
    s->id = s->to;
    s->end = gone->end;
    s->next = gone->next;
    gone->rank = TAKC_BPE_NONE;
    if (s->next != TAKC_BPE_NONE)
        m->symbols[s->next].prev = at;
    offer(m, at);
    if (s->prev != TAKC_BPE_NONE)
        offer(m, s->prev);
}

static void add_symbol(struct merge *m, size_t start, size_t end, uint32_t id)
{
    m->symbols[m->n] = (struct symbol){(uint32_t)start, (uint32_t)end, id, (uint32_t)m->n - 1, (uint32_t)m->n + 1, TAKC_BPE_NONE, 0};
    m->n++;
}

/* A character without a number: its bytes, or what stands for unknown ones. */
static void add_unknown(struct merge *m, size_t start, size_t end)
{
    const struct takc_bpe *b = m->b;
    if (b->bytes[0] != TAKC_BPE_NONE) {
        for (size_t i = start; i < end; i++)
            add_symbol(m, i, i + 1, b->bytes[(unsigned char)m->piece.ptr[i]]);
        return;
    }
    struct symbol *last = m->n ? &m->symbols[m->n - 1] : NULL;
    if (b->fuse_unknown && last && last->id == b->unknown && last->end == start && b->unknown != TAKC_BPE_NONE)
        last->end = (uint32_t)end;
    else if (b->unknown != TAKC_BPE_NONE)
        add_symbol(m, start, end, b->unknown);
}

static void add_symbols(struct merge *m)
{
    for (size_t at = 0, next; at < m->piece.len; at = next) {
        next = at + 1;
        if (!m->b->chars) {
            add_symbol(m, at, next, m->b->bytes[(unsigned char)m->piece.ptr[at]]);
            continue;
        }
        next = at;
        (void)takc_utf8_next(m->piece, &next, NULL);
        const struct takc_bpe_token *t = takc_bpe_vocab_find(&m->b->vocab, takc_str_slice(m->piece, at, next));
        if (t)
            add_symbol(m, at, next, t->id);
        else
            add_unknown(m, at, next);
    }
    if (m->n)
        m->symbols[m->n - 1].next = TAKC_BPE_NONE;
}

static void merge_symbols(struct merge *m, struct sink *out)
{
    add_symbols(m);
    for (uint32_t i = 0; i < m->n; i++)
        offer(m, i);
    while (m->n_heap) {
        struct entry e = pop(m);
        if (m->symbols[e.at].rank == e.rank)
            join(m, e.at);
    }
    for (uint32_t i = m->n ? 0 : TAKC_BPE_NONE; i != TAKC_BPE_NONE; i = m->symbols[i].next)
        emit(out, m->symbols[i].id);
}

static void merge_small(const struct takc_bpe *b, struct takc_str piece, struct sink *out)
{
    struct symbol symbols[SMALL_PIECE];
    struct entry heap[3 * SMALL_PIECE];
    struct merge m = {b, piece, symbols, heap, 0, 0};
    merge_symbols(&m, out);
}

static void merge_piece(const struct takc_bpe *b, struct takc_str piece, struct sink *out)
{
    if (piece.len <= SMALL_PIECE) {
        merge_small(b, piece, out);
        return;
    }
    struct merge m = {b, piece, takc_alloc_array(piece.len, sizeof(*m.symbols)), takc_alloc_array(piece.len, 3 * sizeof(*m.heap)), 0, 0};
    if (m.symbols && m.heap)
        merge_symbols(&m, out);
    else
        emit_bytes(out, piece.len);
    takc_free(m.symbols);
    takc_free(m.heap);
}

/* ---- counting ---- */

/* The place where a word is remembered, filled with it when *out_known is false. */
static struct memo_entry *recall(struct sink *s, struct takc_str word, bool *out_known)
{
    struct memo_entry key = {{0}, 0};
    uint64_t half[2];
    memcpy(key.word, word.ptr, word.len);
    key.word[MEMO_WORD] = (char)word.len;
    memcpy(half, key.word, sizeof(half));
    uint64_t h = (half[0] ^ half[1] * 0xC2B2AE3D27D4EB4Fu) * 0x9E3779B97F4A7C15u;
    struct memo_entry *at = &s->memo[(h >> 32) % MEMO_SLOTS];
    *out_known = memcmp(at->word, key.word, sizeof(key.word)) == 0;
    if (!*out_known)
        *at = key;
    return at;
}

static void count_piece(const struct takc_bpe *b, struct takc_str piece, struct sink *out)
{
    const struct takc_bpe_token *t = takc_bpe_vocab_find(&b->vocab, piece);
    bool known = false;
    if (t && t->whole) {
        emit(out, t->id);
        return;
    }
    if (!out->memo || piece.len > MEMO_WORD) {
        merge_piece(b, piece, out);
        return;
    }
    struct memo_entry *at = recall(out, piece, &known);
    size_t from = out->n;
    if (known)
        out->n += at->n;
    else
        merge_piece(b, piece, out);
    at->n = (uint32_t)(out->n - from);
}

/* The pieces that the splits from step on make of text. */
static void count_split(const struct takc_bpe *b, size_t step, struct takc_str text,
                        struct sink *out) /* NOLINT(misc-no-recursion): at most TAKC_BPE_STEPS deep */
{
    if (step == b->n_steps) {
        count_piece(b, text, out);
        return;
    }
    for (size_t at = 0, next; at < text.len; at = next) {
        next = takc_split_next(&b->steps[step], text, at);
        count_split(b, step + 1, takc_str_slice(text, at, next), out);
    }
}

static void count_plain(const struct takc_bpe *b, struct takc_str text, struct sink *out)
{
    struct takc_buf changed;
    takc_buf_init(&changed, SIZE_MAX / 2);
    if (text.len && takc_bpe_change(b, &text, &changed, NULL))
        emit_bytes(out, text.len);
    else if (text.len)
        count_split(b, 0, text, out);
    takc_buf_clear(&changed);
}

/* The text around added tokens, in two rounds: those that are found in the text as it is, then the others. */
static void count_round(const struct takc_bpe *b, struct takc_str text, bool normalized,
                        struct sink *out) /* NOLINT(misc-no-recursion): twice */
{
    size_t from = 0, at = 0;
    while (b->n_added && at <= text.len) {
        const struct takc_bpe_added *hit = at < text.len ? takc_bpe_added_at(b, text, at, normalized) : NULL;
        if (!hit && at < text.len) {
            at++;
            continue;
        }
        struct takc_str plain = takc_str_slice(text, from, at);
        if (normalized)
            count_plain(b, plain, out);
        else if (plain.len)
            count_round(b, plain, true, out);
        if (!hit)
            return;
        emit(out, hit->id);
        from = at += hit->content.len;
    }
    count_plain(b, text, out);
}

size_t takc_bpe_ids(const struct takc_tokenizer *t, struct takc_str text, uint32_t *ids, size_t cap)
{
    struct sink out = {ids, cap, 0, NULL};
    count_round((const struct takc_bpe *)t, text, false, &out);
    return out.n;
}

static uint64_t count_mt(const struct takc_tokenizer *t, struct takc_str text)
{
    struct memo_entry memo[MEMO_SLOTS];
    struct sink out = {NULL, 0, 0, NULL};
    if (text.len >= MEMO_FROM) {
        memset(memo, 0, sizeof(memo));
        out.memo = memo;
    }
    count_round((const struct takc_bpe *)t, text, false, &out);
    return 1000 * (uint64_t)out.n;
}

static uint64_t line_mt(const struct takc_tokenizer *t, struct takc_str line)
{
    char copy[4096];
    if (line.len >= sizeof(copy))
        return 1000 + count_mt(t, line);
    if (line.len)
        memcpy(copy, line.ptr, line.len);
    copy[line.len] = '\n';
    return 1000 * (uint64_t)takc_bpe_ids(t, takc_str_n(copy, line.len + 1), NULL, 0);
}

static void close_bpe(struct takc_tokenizer *t)
{
    takc_bpe_free((struct takc_bpe *)t);
}

static const struct takc_tokenizer_ops ops = {.line_mt = line_mt, .count_mt = count_mt, .close = close_bpe};

/* ---- the object ---- */

enum takc_status takc_bpe_new(struct takc_bpe **out, struct takc_err *err)
{
    struct takc_bpe *b = takc_alloc(sizeof(*b));
    if (!b)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a vocabulary");
    b->base = (struct takc_tokenizer){&ops, "bpe", b->version};
    b->unknown = TAKC_BPE_NONE;
    memset(b->bytes, 0xFF, sizeof(b->bytes));
    takc_bpe_vocab_init(&b->vocab);
    *out = b;
    return TAKC_OK;
}

enum takc_status takc_bpe_keep(struct takc_bpe *b, struct takc_str s, struct takc_str *out, struct takc_err *err)
{
    enum takc_status st = takc_grow(&b->texts, &b->cap_texts, b->n_texts + 1, sizeof(*b->texts), err);
    char *copy = st ? NULL : takc_alloc(s.len + 1);
    if (!copy)
        return st ? st : takc_fail(err, TAKC_NOMEM, 0, "no memory for a vocabulary");
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    b->texts[b->n_texts++] = copy;
    *out = takc_str_n(copy, s.len);
    return TAKC_OK;
}

/* A token is whole when merging its bytes gives itself. */
static void mark_whole(struct takc_bpe *b)
{
    for (size_t i = 0; i < b->vocab.n_tokens; i++) {
        struct takc_bpe_token *t = &b->vocab.tokens[i];
        uint32_t id = TAKC_BPE_NONE;
        struct sink out = {&id, 1, 0, NULL};
        if (t->whole || t->len > SMALL_PIECE)
            continue;
        merge_small(b, takc_str_n(b->vocab.bytes.ptr + t->at, t->len), &out);
        t->whole = out.n == 1 && id == t->id;
    }
}

enum takc_status takc_bpe_finish(struct takc_bpe *b, struct takc_str file, const char *pattern, struct takc_err *err)
{
    struct takc_hex hex;
    enum takc_status st = takc_sha256(file, &hex, err);
    if (st)
        return st;
    if (b->by_pairs)
        mark_whole(b);
    (void)snprintf(b->version, sizeof(b->version), TAKC_BPE_VERSION ".%.16s.%.16s", pattern, hex.s);
    return TAKC_OK;
}

void takc_bpe_free(struct takc_bpe *b)
{
    if (!b)
        return;
    takc_bpe_vocab_clear(&b->vocab);
    takc_bpe_pairs_clear(&b->pairs);
    for (size_t i = 0; i < b->n_texts; i++)
        takc_free(b->texts[i]);
    takc_free(b->texts);
    takc_free(b->added);
    takc_free(b);
}
