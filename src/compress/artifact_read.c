/* SPDX-License-Identifier: Apache-2.0
 *
 * artifact_read.c - reads an artifact back and makes the reader's text of it. The form is JSON with its keys in one fixed order, so reading
 * is expecting: every byte that is not what the writer would have put there (white space between tokens apart) is CORRUPT, with its place.
 * Lists grow in plain arrays and move to the arena when their length is known. */
#include "base/alloc.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "compress/artifact.h"

#include <stdio.h>

struct reader {
    struct takc_str json;
    size_t at;
    struct takc_arena *arena;
    struct takc_err *err;
    enum takc_status st; /* the first failure; everything is skipped after it */
    struct takc_artifact_doc *docs;
    size_t n_docs, docs_cap;
    struct takc_segment *segments; /* parts as a number until the end */
    size_t n_segments, segments_cap;
    struct takc_part *parts;
    size_t *part_spans; /* per part: its first span */
    size_t n_parts, parts_cap, part_spans_cap;
    size_t *segment_parts; /* per segment: its first part */
    size_t segment_parts_cap;
    struct takc_artifact_span *spans;
    size_t n_spans, spans_cap;
};

static void corrupt(struct reader *r, const char *what)
{
    if (!r->st)
        r->st = takc_fail(r->err, TAKC_CORRUPT, (int)(r->at < INT32_MAX ? r->at : INT32_MAX), "artifact: byte %zu: %s", r->at, what);
}

static void blanks(struct reader *r)
{
    while (r->at < r->json.len && strchr(" \t\r\n", r->json.ptr[r->at]) && r->json.ptr[r->at])
        r->at++;
}

/* Does this token come next? Then it is passed. */
static bool next_is(struct reader *r, const char *token)
{
    size_t n = strlen(token);
    if (r->st)
        return false;
    blanks(r);
    if (r->json.len - r->at < n || memcmp(r->json.ptr + r->at, token, n) != 0)
        return false;
    r->at += n;
    return true;
}

static void expect(struct reader *r, const char *token)
{
    char what[64];
    if (next_is(r, token))
        return;
    (void)snprintf(what, sizeof(what), "%s was expected", token);
    corrupt(r, what);
}

/* "key": behind a comma, or behind an opening brace where first. */
static void expect_key(struct reader *r, bool first, const char *key)
{
    char token[40];
    expect(r, first ? "{" : ",");
    (void)snprintf(token, sizeof(token), "\"%s\"", key);
    expect(r, token);
    expect(r, ":");
}

static uint64_t number(struct reader *r, uint64_t max)
{
    uint64_t v = 0;
    blanks(r);
    size_t from = r->at;
    while (!r->st && r->at < r->json.len && r->json.ptr[r->at] >= '0' && r->json.ptr[r->at] <= '9') {
        unsigned digit = (unsigned)(r->json.ptr[r->at] - '0');
        if (v > (max - digit) / 10 || digit > max) {
            corrupt(r, "a number too large");
            return 0;
        }
        v = 10 * v + digit;
        r->at++;
    }
    if (!r->st && (r->at == from || (r->at - from > 1 && r->json.ptr[from] == '0')))
        corrupt(r, "a whole number was expected");
    return v;
}

/* Four hexadecimal digits at r->at. */
static uint32_t hex4(struct reader *r)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        char c = r->at < r->json.len ? r->json.ptr[r->at] : '\0';
        if (c >= '0' && c <= '9')
            v = v << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint32_t)(c - 'a' + 10);
        else if (c >= 'A' && c <= 'F')
            v = v << 4 | (uint32_t)(c - 'A' + 10);
        else {
            corrupt(r, "four hexadecimal digits were expected");
            return 0;
        }
    }
    return v;
}

static uint32_t unicode_escape(struct reader *r)
{
    uint32_t c = hex4(r);
    if (c >= 0xD800 && c < 0xDC00) {
        if (r->json.len - r->at < 2 || r->json.ptr[r->at] != '\\' || r->json.ptr[r->at + 1] != 'u') {
            corrupt(r, "half a surrogate pair");
            return 0;
        }
        r->at += 2;
        uint32_t low = hex4(r);
        if (low < 0xDC00 || low > 0xDFFF) {
            corrupt(r, "half a surrogate pair");
            return 0;
        }
        return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    if (c >= 0xDC00 && c <= 0xDFFF)
        corrupt(r, "half a surrogate pair");
    return c;
}

/* The escape behind a backslash, to out. */
static unsigned escape(struct reader *r, char *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    char c = r->at < r->json.len ? r->json.ptr[r->at] : '\0';
    const char *known = c ? strchr(from, c) : NULL;
    r->at++;
    if (c == 'u')
        return takc_utf8_put(unicode_escape(r), out);
    if (!known) {
        r->at--;
        corrupt(r, "an unknown escape");
        return 0;
    }
    *out = to[known - from];
    return 1;
}

/* Bytes up to the closing quote, which bounds what the string can become: an escape is never shorter than its character. */
static size_t string_bound(const struct reader *r)
{
    size_t i = r->at;
    while (i < r->json.len && r->json.ptr[i] != '"')
        i += r->json.ptr[i] == '\\' ? 2 : 1;
    return (i < r->json.len ? i : r->json.len) - r->at;
}

static struct takc_str string(struct reader *r)
{
    struct takc_str none = {NULL, 0};
    expect(r, "\"");
    if (r->st)
        return none;
    size_t from = r->at, n = 0;
    char *out = takc_arena_alloc(r->arena, string_bound(r) + 4);
    if (!out) {
        r->st = takc_fail(r->err, TAKC_NOMEM, 0, "no memory for an artifact");
        return none;
    }
    while (!r->st && r->at < r->json.len && r->json.ptr[r->at] != '"') {
        unsigned char c = (unsigned char)r->json.ptr[r->at++];
        if (c < 0x20)
            corrupt(r, "a control character in a string");
        else if (c == '\\')
            n += escape(r, out + n);
        else
            out[n++] = (char)c;
    }
    if (!r->st && !takc_utf8_valid(takc_str_n(out, n), NULL)) {
        r->at = from;
        corrupt(r, "a string that is not UTF-8");
    }
    expect(r, "\"");
    return takc_str_n(out, n);
}

static struct takc_str hash_string(struct reader *r)
{
    struct takc_str s = string(r);
    if (!r->st && !takc_hex_valid(s))
        corrupt(r, "a SHA-256 was expected before here");
    return s;
}

static void grow(struct reader *r, void *items, size_t *cap, size_t want, size_t size)
{
    if (!r->st)
        r->st = takc_grow(items, cap, want, size, r->err);
}

/* ---- documents, spans, parts, segments ---- */

static void read_document(struct reader *r)
{
    struct takc_artifact_doc d;
    expect_key(r, true, "name");
    d.name = string(r);
    expect_key(r, false, "source_sha256");
    d.source_sha = hash_string(r);
    expect_key(r, false, "text_sha256");
    d.text_sha = hash_string(r);
    expect_key(r, false, "title");
    d.title = string(r);
    expect_key(r, false, "title_from");
    d.title_from = string(r);
    expect(r, "}");
    if (!r->st && !takc_str_is(d.title_from, "text") && !takc_str_is(d.title_from, "name") && !takc_str_is(d.title_from, "metadata"))
        corrupt(r, "title_from is text, name or metadata");
    grow(r, &r->docs, &r->docs_cap, r->n_docs + 1, sizeof(*r->docs));
    if (!r->st)
        r->docs[r->n_docs++] = d;
}

static void read_span(struct reader *r)
{
    struct takc_artifact_span s;
    expect(r, "[");
    s.doc = (uint32_t)number(r, UINT32_MAX);
    expect(r, ",");
    s.start = (uint32_t)number(r, UINT32_MAX);
    expect(r, ",");
    s.end = (uint32_t)number(r, UINT32_MAX);
    expect(r, "]");
    if (!r->st && (s.doc >= r->n_docs || s.start >= s.end))
        corrupt(r, "a span of no document, or an empty one");
    grow(r, &r->spans, &r->spans_cap, r->n_spans + 1, sizeof(*r->spans));
    if (!r->st)
        r->spans[r->n_spans++] = s;
}

static enum takc_part_role read_role(struct reader *r)
{
    if (next_is(r, "\"title\""))
        return TAKC_PART_TITLE;
    if (next_is(r, "\"anchor\""))
        return TAKC_PART_ANCHOR;
    expect(r, "\"body\"");
    return TAKC_PART_BODY;
}

static enum takc_part_role read_part(struct reader *r)
{
    struct takc_part p = {0};
    size_t first = r->n_spans;
    expect_key(r, true, "role");
    p.role = (uint8_t)read_role(r);
    expect_key(r, false, "text");
    p.text = string(r);
    if (!r->st && takc_str_find_byte(p.text, '\n', 0) != SIZE_MAX)
        corrupt(r, "a line break in a line");
    expect_key(r, false, "spans");
    expect(r, "[");
    if (!next_is(r, "]")) {
        do
            read_span(r);
        while (next_is(r, ","));
        expect(r, "]");
    }
    expect(r, "}");
    p.n_spans = r->n_spans - first;
    if (!r->st && p.role != TAKC_PART_TITLE && p.n_spans == 0)
        corrupt(r, "a part that stands on nothing");
    grow(r, &r->parts, &r->parts_cap, r->n_parts + 1, sizeof(*r->parts));
    grow(r, &r->part_spans, &r->part_spans_cap, r->n_parts + 1, sizeof(*r->part_spans));
    if (!r->st) {
        r->part_spans[r->n_parts] = first;
        r->parts[r->n_parts++] = p;
    }
    return (enum takc_part_role)p.role;
}

/* [title] [anchor] body: roles rise and the last is the body. */
static void read_segment(struct reader *r)
{
    struct takc_segment s = {.kind = TAKC_SEGMENT_EXTRACT};
    enum takc_part_role role, last = TAKC_PART_UNSET;
    size_t first = r->n_parts;
    expect_key(r, true, "kind");
    if (next_is(r, "\"generated\""))
        s.kind = TAKC_SEGMENT_GENERATED;
    else
        expect(r, "\"extract\"");
    expect_key(r, false, "rank");
    s.rank = (uint32_t)number(r, UINT32_MAX);
    expect_key(r, false, "parts");
    expect(r, "[");
    do {
        role = read_part(r);
        if (!r->st && role <= last)
            corrupt(r, "parts are title, anchor, body, in this order");
        last = role;
    } while (!r->st && role != TAKC_PART_BODY && next_is(r, ","));
    if (!r->st && role != TAKC_PART_BODY)
        corrupt(r, "a segment without a body");
    expect(r, "]");
    expect(r, "}");
    s.n_parts = r->n_parts - first;
    grow(r, &r->segments, &r->segments_cap, r->n_segments + 1, sizeof(*r->segments));
    grow(r, &r->segment_parts, &r->segment_parts_cap, r->n_segments + 1, sizeof(*r->segment_parts));
    if (!r->st) {
        r->segment_parts[r->n_segments] = first;
        r->segments[r->n_segments++] = s;
    }
}

/* A list whose items read() reads. */
static void read_list(struct reader *r, void (*read)(struct reader *))
{
    expect(r, "[");
    if (next_is(r, "]"))
        return;
    do
        read(r);
    while (next_is(r, ","));
    expect(r, "]");
}

/* ---- the whole ---- */

static void read_head(struct reader *r, struct takc_artifact *a)
{
    char rate[24];
    expect_key(r, true, "format");
    expect(r, "\"takc-artifact-1\"");
    expect_key(r, false, "task");
    a->task = string(r);
    expect_key(r, false, "rate");
    a->rate_name = string(r);
    expect_key(r, false, "rate_milli");
    a->rate = (takc_rate)number(r, UINT32_MAX);
    takc_rate_name(a->rate, rate);
    if (!r->st && (a->rate < 1000 || !takc_str_is(a->rate_name, rate)))
        corrupt(r, "the rate's name is not that of its number");
    expect_key(r, false, "compressor");
    a->compressor = string(r);
    expect(r, ",");
    if (next_is(r, "\"model\"")) { /* of generated ones only */
        expect(r, ":");
        a->model = string(r);
        expect(r, ",");
    }
    expect(r, "\"tokenizer\"");
    expect(r, ":");
    a->tokenizer = string(r);
    expect_key(r, false, "fingerprint");
    a->fingerprint = string(r);
    expect_key(r, false, "source_fingerprint");
    a->source_fingerprint = hash_string(r);
}

static void read_sizes(struct reader *r, struct takc_artifact *a)
{
    const struct {
        const char *key;
        uint64_t *to;
    } sizes[] = {{"source_tokens", &a->source_tokens},
                 {"source_words", &a->source_words},
                 {"source_bytes", &a->source_bytes},
                 {"budget_tokens", &a->budget_tokens},
                 {"tokens", &a->tokens},
                 {"words", &a->words},
                 {"bytes", &a->bytes}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        expect_key(r, false, sizes[i].key);
        *sizes[i].to = number(r, INT64_MAX);
    }
    expect_key(r, false, "shortfall");
    a->shortfall = next_is(r, "true");
    if (!a->shortfall)
        expect(r, "false");
    expect_key(r, false, "text_sha256");
    a->text_sha = hash_string(r);
}

static void *keep(struct reader *r, const void *items, size_t n, size_t size)
{
    void *p = r->st ? NULL : takc_arena_array(r->arena, n, size);
    if (!r->st && !p)
        r->st = takc_fail(r->err, TAKC_NOMEM, 0, "no memory for an artifact");
    if (p && n)
        memcpy(p, items, n * size);
    return p;
}

/* Moves the lists to the arena and turns numbers into pointers. */
static void settle(struct reader *r, struct takc_artifact *a)
{
    struct takc_artifact_span *spans = keep(r, r->spans, r->n_spans, sizeof(*spans));
    struct takc_part *parts = keep(r, r->parts, r->n_parts, sizeof(*parts));
    struct takc_segment *segments = keep(r, r->segments, r->n_segments, sizeof(*segments));
    a->documents = keep(r, r->docs, r->n_docs, sizeof(*r->docs));
    if (r->st)
        return;
    for (size_t i = 0; i < r->n_parts; i++)
        parts[i].spans = spans + r->part_spans[i];
    for (size_t i = 0; i < r->n_segments; i++)
        segments[i].parts = parts + r->segment_parts[i];
    a->n_documents = r->n_docs;
    a->segments = segments;
    a->n_segments = r->n_segments;
}

enum takc_status takc_artifact_parse(struct takc_artifact *a, struct takc_str json, struct takc_err *err)
{
    *a = (struct takc_artifact){0};
    takc_arena_init(&a->arena);
    struct reader r = {.json = json, .arena = &a->arena, .err = err};
    read_head(&r, a);
    read_sizes(&r, a);
    expect_key(&r, false, "documents");
    read_list(&r, read_document);
    expect_key(&r, false, "segments");
    read_list(&r, read_segment);
    expect(&r, "}");
    blanks(&r);
    if (r.at < json.len)
        corrupt(&r, "something stands behind the artifact");
    settle(&r, a);
    takc_free(r.docs);
    takc_free(r.segments);
    takc_free(r.parts);
    takc_free(r.part_spans);
    takc_free(r.segment_parts);
    takc_free(r.spans);
    return r.st;
}

void takc_artifact_clear(struct takc_artifact *a)
{
    takc_arena_clear(&a->arena);
    *a = (struct takc_artifact){0};
}

enum takc_status takc_artifact_text(const struct takc_artifact *a, struct takc_buf *out, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    uint32_t doc = UINT32_MAX;
    for (size_t i = 0; i < a->n_segments && !st; i++) {
        const struct takc_segment *s = &a->segments[i];
        uint32_t of = s->parts[s->n_parts - 1].spans[0].doc;
        if (i > 0 && of != doc && s->parts[0].role != TAKC_PART_TITLE)
            st = takc_buf_byte(out, '\n', err);
        doc = of;
        for (size_t k = 0; k < s->n_parts && !st; k++) {
            st = takc_buf_add(out, s->parts[k].text, err);
            if (!st)
                st = takc_buf_byte(out, '\n', err);
        }
    }
    return st;
}
