/* SPDX-License-Identifier: Apache-2.0
 *
 * random_corpus.h - small corpora made up from a seed, for tests of the compressor. Two kinds: from text, through the unit cutter, so that
 * lines and their costs agree; and of bare units with any counts, costs and anchors, for what never looks at text.
 * For test programs only: a failed assertion ends them, so nothing here reports. */
#ifndef TAKC_TEST_RANDOM_CORPUS_H
#define TAKC_TEST_RANDOM_CORPUS_H

#include "base/alloc.h"
#include "base/hash.h"
#include "doc/doc.h"
#include "unit/corpus.h"

#include <stdio.h>
#include <stdlib.h>

struct random_doc {
    char name[24];
    struct takc_doc doc;
    struct takc_units units;
};

struct random_corpus {
    uint64_t state; /* of the generator */
    struct random_doc *items;
    struct takc_corpus_doc *docs;
    size_t n;
    struct takc_corpus c;
    int n_loaded; /* views that were not given back */
};

static inline uint32_t random_below(struct random_corpus *r, uint32_t n)
{
    r->state ^= r->state << 13;
    r->state ^= r->state >> 7;
    r->state ^= r->state << 17;
    return (uint32_t)((r->state * 0x2545F4914F6CDD1Du) >> 33) % n;
}

static inline enum takc_status random_load(void *arg, size_t i, struct takc_corpus_view *out, struct takc_err *err)
{
    struct random_corpus *r = arg;
    void *probe = takc_alloc(1); /* so that a load can run out of memory as a real one */
    if (!probe)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory to load");
    takc_free(probe);
    __atomic_fetch_add(&r->n_loaded, 1, __ATOMIC_RELAXED);
    *out = (struct takc_corpus_view){.text = takc_buf_str(&r->items[i].doc.text), .units = &r->items[i].units};
    return TAKC_OK;
}

static inline void random_unload(void *arg, struct takc_corpus_view *v)
{
    struct random_corpus *r = arg;
    (void)v;
    __atomic_fetch_sub(&r->n_loaded, 1, __ATOMIC_RELAXED);
}

static inline void random_begin(struct random_corpus *r, uint64_t seed, size_t n_docs)
{
    *r = (struct random_corpus){.state = seed * 0x9E3779B97F4A7C15u + 88172645463325252u, .n = n_docs};
    r->items = calloc(n_docs + 1, sizeof(*r->items));
    r->docs = calloc(n_docs + 1, sizeof(*r->docs));
    for (size_t i = 0; i < n_docs; i++) {
        (void)snprintf(r->items[i].name, sizeof(r->items[i].name), "d/%04zu.txt", i);
        takc_doc_init(&r->items[i].doc);
        takc_units_init(&r->items[i].units);
    }
}

static inline void random_end(struct random_corpus *r)
{
    for (size_t i = 0; i < r->n; i++) {
        struct random_doc *d = &r->items[i];
        r->docs[i].name = takc_str(d->name);
        r->docs[i].title = takc_buf_str(&d->doc.title);
        if (d->doc.title_from == TAKC_TITLE_TEXT)
            r->docs[i].title_span = (struct takc_span){d->doc.title_start, d->doc.title_end};
        if (takc_sha256(takc_buf_str(&d->doc.text), &r->docs[i].text_sha, NULL))
            abort();
        r->docs[i].source_sha = r->docs[i].text_sha;
    }
    r->c = (struct takc_corpus){.docs = r->docs, .n_docs = r->n, .load = random_load, .unload = random_unload, .arg = r};
}

static inline void random_clear(struct random_corpus *r)
{
    for (size_t i = 0; i < r->n; i++) {
        takc_doc_clear(&r->items[i].doc);
        takc_units_clear(&r->items[i].units);
    }
    free(r->items);
    free(r->docs);
}

/* ---- from text ---- */

static inline void random_block(struct takc_doc *d, unsigned kind, unsigned flags, uint32_t table, const char *line)
{
    uint32_t start = (uint32_t)d->text.len;
    if (takc_buf_add(&d->text, takc_str(line), NULL))
        abort();
    struct takc_block b = {.start = start, .end = (uint32_t)d->text.len, .kind = (uint8_t)kind, .flags = (uint16_t)flags, .table = table};
    if (kind == TAKC_BLOCK_HEADING)
        b.level = 2;
    if (takc_doc_block(d, b, NULL) || takc_buf_byte(&d->text, '\n', NULL))
        abort();
}

static inline const char *random_word(struct random_corpus *r)
{
    static const char *const words[] = {
        "revenue",  "profit",  "margin",  "grew",      "fell",   "because",  "the",      "of",      "Paris",  "Smith",
        "contract", "clause",  "1,234",   "2019",      "47%",    "$3",       "May 4",    "not",     "shall",  "version",
        "default",  "is a",    "pump",    "valve",     "steel",  "delivery", "station",  "needle",  "orchid", "granite",
        "magnet",   "harbour", "sextant", "telegraph", "quartz", "lantern",  "beacon",   "cobalt",  "ferry",  "anchor",
        "ledger",   "plateau", "Alice",   "Berlin",    "3.5 kg", "[4]",      "also",     "however", "meadow", "falcon",
        "glacier",  "hinge",   "ivory",   "juniper",   "kettle", "lagoon",   "mandolin", "nectar"};
    uint32_t n = sizeof(words) / sizeof(words[0]), at = random_below(r, n);
    return words[random_below(r, 2) ? at : random_below(r, at + 1)];
}

static inline void random_line(struct random_corpus *r, char *out, size_t cap, uint32_t n_words, const char *between, const char *end)
{
    size_t at = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < n_words && at < cap; i++)
        at += (size_t)snprintf(out + at, cap - at, "%s%s", i ? between : "", random_word(r));
    if (at < cap)
        (void)snprintf(out + at, cap - at, "%s", end);
    if (out[0] >= 'a' && out[0] <= 'z')
        out[0] = (char)(out[0] - 'a' + 'A');
}

static inline void random_table(struct random_corpus *r, struct takc_doc *d, uint32_t number)
{
    char line[400];
    if (random_below(r, 4)) {
        random_line(r, line, sizeof(line), 3, " | ", "");
        random_block(d, TAKC_BLOCK_ROW, TAKC_BLOCK_HEADER, number, line);
    }
    for (uint32_t n = 1 + random_below(r, 6); n > 0; n--) {
        random_line(r, line, sizeof(line), 2 + random_below(r, 3), " | ", "");
        random_block(d, TAKC_BLOCK_ROW, 0, number, line);
    }
}

static inline void random_document(struct random_corpus *r, struct random_doc *x, uint32_t n_blocks)
{
    static const char *const common[] = {"All rights are reserved by the parties.", "Page 3 of the ledger.",
                                         "See the harbour office for delivery."};
    struct takc_doc *d = &x->doc;
    char line[800];
    random_line(r, line, sizeof(line), 1 + random_below(r, 4), " ", "");
    if (random_below(r, 8) == 0)
        (void)snprintf(line, sizeof(line), "of the"); /* a title without content words */
    if (takc_doc_set_title(d, takc_str(line), TAKC_TITLE_TEXT, NULL))
        abort();
    d->title_end = (uint32_t)strlen(line);
    random_block(d, TAKC_BLOCK_TITLE, 0, 0, line);
    for (uint32_t i = 0; i < n_blocks; i++)
        switch (random_below(r, 8)) {
        case 0:
            random_line(r, line, sizeof(line), 1 + random_below(r, 4), " ", "");
            random_block(d, TAKC_BLOCK_HEADING, 0, 0, line);
            break;
        case 1:
            random_table(r, d, i + 1);
            break;
        case 2:
            random_block(d, TAKC_BLOCK_PARA, 0, 0, common[random_below(r, 3)]);
            break;
        default:
            random_line(r, line, sizeof(line), 2 + random_below(r, 30), " ", ".");
            random_block(d, random_below(r, 5) ? TAKC_BLOCK_PARA : TAKC_BLOCK_ITEM, 0, 0, line);
        }
}

/* n_docs documents of up to max_blocks blocks; some are empty. */
static inline void random_text_corpus(struct random_corpus *r, uint64_t seed, size_t n_docs, uint32_t max_blocks,
                                      const struct takc_tokenizer *t)
{
    random_begin(r, seed, n_docs);
    for (size_t i = 0; i < n_docs; i++) {
        if (random_below(r, 9) || n_docs == 1)
            random_document(r, &r->items[i], 1 + random_below(r, max_blocks));
        if (takc_units_build(&r->items[i].units, &r->items[i].doc, takc_buf_str(&r->items[i].doc.title), t, NULL, NULL))
            abort();
    }
    random_end(r);
}

/* ---- bare units ---- */

static inline void random_grow(void *items, size_t *cap, size_t n, size_t size)
{
    if (takc_grow(items, cap, n, size, NULL))
        abort();
}

static inline uint32_t random_term(struct random_corpus *r, struct takc_units *u, uint32_t n_words)
{
    char word[16];
    uint32_t number;
    (void)snprintf(word, sizeof(word), "w%u", random_below(r, n_words));
    if (takc_intern_add(&u->vocabulary, takc_str(word), &number, NULL))
        abort();
    return number;
}

static inline void random_unit(struct random_corpus *r, struct takc_units *u, uint32_t n_words, bool coarse)
{
    struct takc_unit x = {.term_at = (uint32_t)u->n_terms, .span_at = (uint32_t)u->n_spans, .n_spans = 1};
    x.kind = (uint8_t)(1 + random_below(r, 5));
    x.n_terms = (uint16_t)random_below(r, 9);
    for (uint32_t k = 0; k < x.n_terms; k++) {
        random_grow(&u->terms, &u->terms_cap, u->n_terms + 1, sizeof(*u->terms));
        u->terms[u->n_terms++] = random_term(r, u, n_words);
    }
    random_grow(&u->spans, &u->spans_cap, u->n_spans + 1, sizeof(*u->spans));
    u->spans[u->n_spans] = (struct takc_span){(uint32_t)u->n_spans * 10, (uint32_t)u->n_spans * 10 + 9};
    u->n_spans++;
    x.n_words = (uint16_t)(coarse ? 4 + random_below(r, 2) : random_below(r, 40));
    x.n_bytes = coarse ? 20 : 1 + random_below(r, 250);
    x.mt = x.raw_mt = 1000 + 300 * x.n_bytes;
    x.n_tokens = (uint16_t)(x.n_terms + random_below(r, 9));
    x.anchor = x.kind == TAKC_UNIT_ROW && u->n_anchors ? random_below(r, (uint32_t)u->n_anchors + 1) : 0;
    x.heading = u->n_headings ? random_below(r, (uint32_t)u->n_headings + 1) : 0;
    uint32_t flags = random_below(r, 1 << 11);
    x.flags = (uint16_t)(flags & random_below(r, 1 << 11) & ~(unsigned)TAKC_UNIT_BARE);
    if (x.kind == TAKC_UNIT_HEADING && random_below(r, 2))
        x.flags |= TAKC_UNIT_BARE;
    uint8_t *counts[] = {&x.nums,     &x.caps, &x.acronyms, &x.years,   &x.dates,  &x.money,
                         &x.extremes, &x.why,  &x.decides,  &x.obliges, &x.defines};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        *counts[i] = (uint8_t)(random_below(r, 3) ? 0 : random_below(r, 10));
    x.text_hash = random_below(r, 40) ? (uint64_t)random_below(r, 1u << 30) << 20 : random_below(r, 3);
    x.mask_hash = random_below(r, 5) ? x.text_hash : random_below(r, 4);
    random_grow(&u->units, &u->units_cap, u->n_units + 1, sizeof(*u->units));
    u->units[u->n_units++] = x;
}

static inline void random_heading(struct random_corpus *r, struct takc_units *u, uint32_t n_words)
{
    random_grow(&u->headings, &u->headings_cap, u->n_headings + 1, sizeof(*u->headings));
    u->headings[u->n_headings] = (struct takc_heading){.span = {(uint32_t)u->n_headings * 40, (uint32_t)u->n_headings * 40 + 9}};
    for (uint32_t k = random_below(r, 5); k > 0; k--) {
        random_grow(&u->heading_terms, &u->heading_terms_cap, u->n_heading_terms + 1, sizeof(*u->heading_terms));
        u->heading_terms[u->n_heading_terms++] = random_term(r, u, n_words);
    }
    u->n_headings++;
    random_grow(&u->heading_at, &u->heading_at_cap, u->n_headings + 1, sizeof(*u->heading_at));
    u->heading_at[u->n_headings] = (uint32_t)u->n_heading_terms;
}

/* Units of one document; coarse: few different costs, so that many values are equal. */
static inline void random_units(struct random_corpus *r, struct takc_units *u, uint32_t n_units, uint32_t n_words, bool coarse)
{
    random_grow(&u->heading_at, &u->heading_at_cap, 1, sizeof(*u->heading_at));
    u->heading_at[0] = 0;
    for (uint32_t k = random_below(r, 4); k > 0; k--)
        random_heading(r, u, n_words);
    for (uint32_t k = random_below(r, 4); k > 0; k--) {
        random_grow(&u->anchors, &u->anchors_cap, u->n_anchors + 1, sizeof(*u->anchors));
        u->anchors[u->n_anchors++] = (struct takc_anchor){.kind = TAKC_ANCHOR_TABLE,
                                                          .n_words = random_below(r, 20),
                                                          .n_bytes = 1 + random_below(r, 120),
                                                          .mt = 2000 + random_below(r, 30000)};
    }
    for (uint32_t k = random_below(r, 4); k > 0; k--) {
        random_grow(&u->title_terms, &u->title_terms_cap, u->n_title_terms + 1, sizeof(*u->title_terms));
        u->title_terms[u->n_title_terms++] = random_term(r, u, n_words);
    }
    u->title_words = 1 + random_below(r, 8);
    u->title_bytes = 5 + random_below(r, 60);
    u->title_mt = 300 * u->title_bytes;
    u->source_words = u->title_words;
    u->source_bytes = u->title_bytes;
    u->source_mt = u->title_mt;
    for (uint32_t i = 0; i < n_units; i++) {
        random_unit(r, u, n_words, coarse);
        u->source_words += u->units[i].n_words;
        u->source_bytes += u->units[i].n_bytes;
        u->source_mt += u->units[i].mt;
    }
}

static inline void random_unit_corpus(struct random_corpus *r, uint64_t seed, size_t n_docs, uint32_t max_units, uint32_t n_words,
                                      bool coarse)
{
    random_begin(r, seed, n_docs);
    for (size_t i = 0; i < n_docs; i++)
        random_units(r, &r->items[i].units, random_below(r, max_units + 1), n_words, coarse);
    random_end(r);
}

#endif
