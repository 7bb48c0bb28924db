/* SPDX-License-Identifier: Apache-2.0
 *
 * units_store.c - the stored form of units (docs/formats/units.md). Numbers are LEB128, hashes and facts 8 bytes, a checksum closes it.
 *
 * Loading trusts nothing: every count is held against the bytes that are left before memory is asked for, every number against what it
 * points into, so that bytes with a right checksum made by an enemy give CORRUPT and no wild read. */
#include "base/alloc.h"
#include "base/hash.h"
#include "unit/units.h"

#define MAGIC "TKUN"

enum {
    FORMAT = 1,
    HEAD = 8,      /* magic, format as u32 */
    SUM = 8,       /* checksum at the end */
    MIN_UNIT = 40, /* bytes of the smallest unit: 3 counts, 8 numbers, 13 bytes, 2 hashes */
    MIN_HEADING = 6,
    MIN_ANCHOR = 8
};

static uint64_t checksum(struct takc_str s)
{
    return takc_hash64(s, 0x554E4B54); /* seed: the magic, so that no other stored form passes */
}

/* ---- saving ---- */

struct writer {
    struct takc_buf *out;
    struct takc_err *err;
    enum takc_status st;
};

static void put(struct writer *w, uint64_t v)
{
    if (!w->st)
        w->st = takc_buf_varint(w->out, v, w->err);
}

static void put_le(struct writer *w, uint64_t v, unsigned n)
{
    if (!w->st)
        w->st = takc_buf_le(w->out, v, n, w->err);
}

static void put_str(struct writer *w, struct takc_str s)
{
    put(w, s.len);
    if (!w->st)
        w->st = takc_buf_add(w->out, s, w->err);
}

static void put_span(struct writer *w, struct takc_span s, uint32_t *last)
{
    int64_t step = (int64_t)s.start - *last;
    put(w, step < 0 ? (uint64_t)(-step) << 1 | 1 : (uint64_t)step << 1);
    put(w, s.end - s.start);
    *last = s.end;
}

static void put_terms(struct writer *w, const uint32_t *terms, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put(w, terms[i]);
}

static void put_unit(struct writer *w, const struct takc_unit *k)
{
    const uint32_t numbers[] = {k->n_spans, k->n_terms, k->n_facts, k->block,   k->heading,  k->anchor,
                                k->n_bytes, k->mt,      k->raw_mt,  k->n_words, k->n_tokens, k->flags};
    const uint8_t bytes[] = {k->kind,  k->nums,     k->caps, k->acronyms, k->years,   k->dates,
                             k->money, k->extremes, k->why,  k->decides,  k->obliges, k->defines};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        put(w, numbers[i]);
    if (!w->st)
        w->st = takc_buf_add(w->out, takc_str_n((const char *)bytes, sizeof(bytes)), w->err);
    put_le(w, k->text_hash, 8);
    put_le(w, k->mask_hash, 8);
}

static void put_headings(struct writer *w, const struct takc_units *u)
{
    uint32_t last = 0;
    for (size_t i = 0; i < u->n_headings; i++) {
        const struct takc_heading *h = &u->headings[i];
        put_span(w, h->span, &last);
        put(w, h->parent);
        put(w, h->unit);
        put(w, h->level);
        put(w, u->heading_at[i + 1] - u->heading_at[i]);
    }
    put_terms(w, u->heading_terms, u->n_heading_terms);
}

static void put_anchors(struct writer *w, const struct takc_units *u)
{
    uint32_t last = 0;
    for (size_t i = 0; i < u->n_anchors; i++) {
        const struct takc_anchor *a = &u->anchors[i];
        put(w, a->kind);
        put_span(w, a->heading, &last);
        put_span(w, a->header, &last);
        put(w, a->n_words);
        put(w, a->n_bytes);
        put(w, a->mt);
    }
}

enum takc_status takc_units_save(const struct takc_units *u, struct takc_buf *out, struct takc_err *err)
{
    struct writer w = {out, err, takc_buf_add(out, takc_str(MAGIC), err)};
    size_t from = out->len - (w.st ? 0 : strlen(MAGIC));
    const uint64_t counts[] = {u->n_units,     u->n_spans,      u->n_headings,    u->n_anchors,       u->n_terms,
                               u->n_facts,     u->vocabulary.n, u->n_title_terms, u->n_heading_terms, u->title_words,
                               u->title_bytes, u->title_mt,     u->source_words,  u->source_bytes,    u->source_mt};
    put_le(&w, FORMAT, 4);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        put(&w, counts[i]);
    for (uint32_t i = 0; i < u->vocabulary.n; i++)
        put_str(&w, takc_intern_get(&u->vocabulary, i));
    put_terms(&w, u->title_terms, u->n_title_terms);
    put_headings(&w, u);
    put_anchors(&w, u);
    for (size_t i = 0; i < u->n_units; i++)
        put_unit(&w, &u->units[i]);
    uint32_t last = 0;
    for (size_t i = 0; i < u->n_spans; i++)
        put_span(&w, u->spans[i], &last);
    put_terms(&w, u->terms, u->n_terms);
    for (size_t i = 0; i < u->n_facts; i++)
        put_le(&w, u->facts[i], 8);
    if (!w.st)
        put_le(&w, checksum(takc_str_slice(takc_buf_str(out), from, out->len)), 8);
    return w.st;
}

/* ---- loading ---- */

struct reader {
    struct takc_str s; /* without the checksum */
    size_t pos;
    struct takc_err *err;
    enum takc_status st;
};

static void broken(struct reader *r, const char *what)
{
    if (!r->st)
        r->st = takc_fail(r->err, TAKC_CORRUPT, (int)r->pos, "units: %s at byte %zu", what, r->pos);
}

/* A number of at most max. */
static uint64_t get(struct reader *r, uint64_t max, const char *what)
{
    uint64_t v = 0;
    if (r->st)
        return 0;
    if (!takc_varint(r->s, &r->pos, &v) || v > max) {
        broken(r, what);
        return 0;
    }
    return v;
}

/* A count of things that take at least size bytes each. */
static size_t get_count(struct reader *r, size_t size, const char *what)
{
    return (size_t)get(r, (r->s.len - r->pos) / size, what);
}

static struct takc_str get_bytes(struct reader *r, size_t n)
{
    if (r->st || r->s.len - r->pos < n) {
        broken(r, "cut off");
        return takc_str_n(NULL, 0);
    }
    r->pos += n;
    return takc_str_slice(r->s, r->pos - n, r->pos);
}

static uint64_t get_le8(struct reader *r)
{
    struct takc_str s = get_bytes(r, 8);
    return s.len ? takc_le(s.ptr, 8) : 0;
}

static struct takc_span get_span(struct reader *r, uint32_t *last, bool may_be_empty)
{
    uint64_t step = get(r, (uint64_t)UINT32_MAX << 1, "span"), len = get(r, UINT32_MAX, "span");
    int64_t start = (int64_t)*last + (step & 1 ? -(int64_t)(step >> 1) : (int64_t)(step >> 1));
    if (start < 0 || start + (int64_t)len > UINT32_MAX || (len == 0 && !may_be_empty)) {
        broken(r, "span");
        return (struct takc_span){0, 0};
    }
    *last = (uint32_t)(start + (int64_t)len);
    return (struct takc_span){(uint32_t)start, *last};
}

/* Room for n items; with NULL err for a reader that has failed already. */
static void room(struct reader *r, void *items, size_t *cap, size_t n, size_t size)
{
    if (!r->st)
        r->st = takc_grow(items, cap, n, size, r->err);
}

static void get_terms(struct reader *r, uint32_t **terms, size_t *cap, size_t *out_n, size_t n, size_t n_vocabulary)
{
    room(r, terms, cap, n ? n : 1, sizeof(**terms));
    for (size_t i = 0; i < n && !r->st; i++) {
        uint64_t v = get(r, UINT32_MAX, "term");
        if (v >= n_vocabulary)
            broken(r, "term");
        (*terms)[i] = (uint32_t)v;
    }
    *out_n = r->st ? 0 : n;
}

static void get_vocabulary(struct reader *r, struct takc_units *u, size_t n)
{
    if (!r->st) /* n is no more than the bytes that are left; words are about 6 long */
        r->st = takc_intern_reserve(&u->vocabulary, n, 6 * n < r->s.len ? 6 * n : r->s.len, r->err);
    for (size_t i = 0; i < n && !r->st; i++) {
        uint32_t id;
        size_t len = get_count(r, 1, "word");
        struct takc_str word = get_bytes(r, len);
        if (!r->st)
            r->st = takc_intern_add(&u->vocabulary, word, &id, r->err);
        if (!r->st && id != i)
            broken(r, "a word that stands twice");
    }
}

static void get_headings(struct reader *r, struct takc_units *u, size_t n, size_t n_units, size_t n_heading_terms)
{
    uint32_t last = 0;
    uint64_t terms = 0;
    room(r, &u->headings, &u->headings_cap, n ? n : 1, sizeof(*u->headings));
    room(r, &u->heading_at, &u->heading_at_cap, n + 1, sizeof(*u->heading_at));
    if (r->st)
        return;
    u->heading_at[0] = 0;
    for (size_t i = 0; i < n && !r->st; i++) {
        struct takc_heading *h = &u->headings[i];
        h->span = get_span(r, &last, false);
        h->parent = (uint32_t)get(r, i, "parent of a heading");
        h->unit = (uint32_t)get(r, n_units, "unit of a heading");
        h->level = (uint8_t)get(r, 9, "level of a heading");
        terms += get(r, n_heading_terms - terms, "terms of a heading");
        u->heading_at[i + 1] = (uint32_t)terms;
    }
    if (terms != n_heading_terms)
        broken(r, "terms of headings");
    u->n_headings = r->st ? 0 : n;
}

static void get_anchors(struct reader *r, struct takc_units *u, size_t n)
{
    uint32_t last = 0;
    room(r, &u->anchors, &u->anchors_cap, n ? n : 1, sizeof(*u->anchors));
    for (size_t i = 0; i < n && !r->st; i++) {
        struct takc_anchor *a = &u->anchors[i];
        a->kind = (uint8_t)get(r, TAKC_ANCHOR_TERM, "kind of an anchor");
        a->heading = get_span(r, &last, true);
        a->header = get_span(r, &last, true);
        a->n_words = (uint32_t)get(r, UINT32_MAX, "words of an anchor");
        a->n_bytes = (uint32_t)get(r, UINT32_MAX, "bytes of an anchor");
        a->mt = (uint32_t)get(r, UINT32_MAX, "tokens of an anchor");
    }
    u->n_anchors = r->st ? 0 : n;
}

static void get_unit(struct reader *r, struct takc_unit *k, const size_t n[3])
{
    k->n_spans = (uint16_t)get(r, UINT16_MAX, "spans of a unit");
    k->n_terms = (uint16_t)get(r, UINT16_MAX, "terms of a unit");
    k->n_facts = (uint16_t)get(r, UINT16_MAX, "facts of a unit");
    k->block = (uint32_t)get(r, UINT32_MAX, "block of a unit");
    k->heading = (uint32_t)get(r, n[0], "heading of a unit");
    k->anchor = (uint32_t)get(r, n[1], "anchor of a unit");
    k->n_bytes = (uint32_t)get(r, UINT32_MAX, "bytes of a unit");
    k->mt = (uint32_t)get(r, UINT32_MAX, "tokens of a unit");
    k->raw_mt = (uint32_t)get(r, UINT32_MAX, "tokens of a unit");
    k->n_words = (uint16_t)get(r, UINT16_MAX, "words of a unit");
    k->n_tokens = (uint16_t)get(r, UINT16_MAX, "words of a unit");
    k->flags = (uint16_t)get(r, UINT16_MAX, "flags of a unit");
    uint8_t *const bytes[] = {&k->kind,  &k->nums,     &k->caps, &k->acronyms, &k->years,   &k->dates,
                              &k->money, &k->extremes, &k->why,  &k->decides,  &k->obliges, &k->defines};
    struct takc_str s = get_bytes(r, sizeof(bytes) / sizeof(bytes[0]));
    for (size_t i = 0; i < s.len; i++)
        *bytes[i] = (uint8_t)s.ptr[i];
    k->text_hash = get_le8(r);
    k->mask_hash = get_le8(r);
    if (k->kind == TAKC_UNIT_UNSET || k->kind > TAKC_UNIT_HEADING)
        broken(r, "kind of a unit");
    if (k->n_spans == 0)
        broken(r, "a unit without a span");
}

/* Units; their spans, terms and facts stand one behind the other, so their places follow from the counts. */
static void get_units(struct reader *r, struct takc_units *u, size_t n, size_t n_spans, size_t n_terms, size_t n_facts)
{
    const size_t limits[3] = {u->n_headings, u->n_anchors, 0};
    uint64_t spans = 0, terms = 0, facts = 0;
    room(r, &u->units, &u->units_cap, n ? n : 1, sizeof(*u->units));
    for (size_t i = 0; i < n && !r->st; i++) {
        struct takc_unit *k = &u->units[i];
        *k = (struct takc_unit){.span_at = (uint32_t)spans, .term_at = (uint32_t)terms, .fact_at = (uint32_t)facts};
        get_unit(r, k, limits);
        spans += k->n_spans;
        terms += k->n_terms;
        facts += k->n_facts;
        if (spans > n_spans || terms > n_terms || facts > n_facts)
            broken(r, "parts of a unit");
    }
    if (spans != n_spans || terms != n_terms || facts != n_facts)
        broken(r, "parts of units");
    u->n_units = r->st ? 0 : n;
}

static void get_spans(struct reader *r, struct takc_units *u, size_t n)
{
    uint32_t last = 0;
    room(r, &u->spans, &u->spans_cap, n ? n : 1, sizeof(*u->spans));
    for (size_t i = 0; i < n && !r->st; i++)
        u->spans[i] = get_span(r, &last, false);
    u->n_spans = r->st ? 0 : n;
    for (size_t i = 0; i < u->n_units && !r->st; i++) {
        const struct takc_unit *k = &u->units[i];
        for (size_t s = 1; s < k->n_spans; s++)
            if (u->spans[k->span_at + s].start < u->spans[k->span_at + s - 1].end)
                broken(r, "spans of a unit out of order");
    }
}

static void get_facts(struct reader *r, struct takc_units *u, size_t n)
{
    room(r, &u->facts, &u->facts_cap, n ? n : 1, sizeof(*u->facts));
    for (size_t i = 0; i < n && !r->st; i++) {
        u->facts[i] = get_le8(r);
        if ((u->facts[i] & 7) >= TAKC_FACT_WORD)
            broken(r, "kind of a fact");
    }
    u->n_facts = r->st ? 0 : n;
    for (size_t i = 0; i < u->n_units && !r->st; i++) {
        const struct takc_unit *k = &u->units[i];
        for (size_t f = 1; f < k->n_facts; f++)
            if (u->facts[k->fact_at + f - 1] >= u->facts[k->fact_at + f])
                broken(r, "facts of a unit out of order");
    }
}

static void get_all(struct reader *r, struct takc_units *u)
{
    size_t n_units = get_count(r, MIN_UNIT, "number of units"), n_spans = get_count(r, 2, "number of spans");
    size_t n_headings = get_count(r, MIN_HEADING, "number of headings"), n_anchors = get_count(r, MIN_ANCHOR, "number of anchors");
    size_t n_terms = get_count(r, 1, "number of terms"), n_facts = get_count(r, 8, "number of facts");
    size_t n_words = get_count(r, 1, "number of words"), n_title = get_count(r, 1, "terms of the title");
    size_t n_heading_terms = get_count(r, 1, "terms of headings");
    u->title_words = (uint32_t)get(r, UINT32_MAX, "words of the title");
    u->title_bytes = (uint32_t)get(r, UINT32_MAX, "bytes of the title");
    u->title_mt = (uint32_t)get(r, UINT32_MAX, "tokens of the title");
    u->source_words = get(r, UINT64_MAX, "words of the source");
    u->source_bytes = get(r, UINT64_MAX, "bytes of the source");
    u->source_mt = get(r, UINT64_MAX, "tokens of the source");
    get_vocabulary(r, u, n_words);
    get_terms(r, &u->title_terms, &u->title_terms_cap, &u->n_title_terms, n_title, n_words);
    get_headings(r, u, n_headings, n_units, n_heading_terms);
    get_terms(r, &u->heading_terms, &u->heading_terms_cap, &u->n_heading_terms, n_heading_terms, n_words);
    get_anchors(r, u, n_anchors);
    get_units(r, u, n_units, n_spans, n_terms, n_facts);
    get_spans(r, u, n_spans);
    get_terms(r, &u->terms, &u->terms_cap, &u->n_terms, n_terms, n_words);
    get_facts(r, u, n_facts);
    if (!r->st && r->pos != r->s.len)
        broken(r, "bytes behind the end");
}

enum takc_status takc_units_load(struct takc_units *u, struct takc_str bytes, struct takc_err *err)
{
    takc_units_reset(u);
    if (bytes.len < HEAD + SUM || memcmp(bytes.ptr, MAGIC, 4) != 0 || takc_le(bytes.ptr + 4, 4) != FORMAT)
        return takc_fail(err, TAKC_CORRUPT, 0, "units: no stored units of format %d", FORMAT);
    struct takc_str body = takc_str_slice(bytes, 0, bytes.len - SUM);
    if (checksum(body) != takc_le(bytes.ptr + body.len, SUM))
        return takc_fail(err, TAKC_CORRUPT, 0, "units: wrong checksum");
    struct reader r = {.s = body, .pos = HEAD, .err = err};
    get_all(&r, u);
    if (r.st)
        takc_units_reset(u);
    return r.st;
}
