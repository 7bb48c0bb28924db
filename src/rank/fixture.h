/* SPDX-License-Identifier: Apache-2.0
 *
 * rank/fixture.h - small corpora for the tests of this folder, from lines of text: "# heading" is a bare heading, "= header" a table's
 * header (anchor of the rows below), a line with " | " a row, anything else a sentence. Units, counts and a selection are made here, by
 * plain rules, so that the tests of ranking stand on nothing but words. */
#ifndef TAKC_RANK_FIXTURE_H
#define TAKC_RANK_FIXTURE_H

#include "base/alloc.h"
#include "rank/query.h"
#include "token/words.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

struct fixture_doc {
    const char *name, *title, *text;
    int32_t date; /* 0: none */
};

/* Every kind of line, a line that two documents share, one document with a date and one without anything in it. */
static const struct fixture_doc fixture_harbour[] = {
    {"a.txt", "Harbour report 2021",
     "# Traffic\nThe harbour handled 4,120 ships in 2021.\nMost of them carried grain.\n= year | ships | tons\n2020 | 3,900 | 12.5\n2021 | "
     "4,120 | "
     "14.0\n# Staff\nThe harbour master is Ada Lindqvist.",
     18900},
    {"b.txt", "Lighthouse manual", "The lamp turns once every 12 seconds.\nMost of them carried grain.\n\nReplace the bulb in March.", 0},
    {"c.txt", "Empty", "", 19000},
};
enum { FIXTURE_HARBOUR = 3 };

struct fixture {
    struct takc_corpus corpus;
    struct takc_selection selection;
    struct takc_corpus_doc *docs;
    struct takc_units *units;
    struct takc_str *texts;
    size_t n;
};

/* A word is a token. */
static uint64_t fixture_line_mt(const struct takc_tokenizer *t, struct takc_str line)
{
    (void)t;
    return takc_words_count(line) * 1000;
}

/* Words as tokens: budgets are easy to count by hand. */
static const struct takc_tokenizer_ops fixture_tokenizer_ops = {.flags = TAKC_TOKENIZER_LINES, .line_mt = fixture_line_mt};
static const struct takc_tokenizer fixture_tokenizer = {&fixture_tokenizer_ops, "words", "1"};

static inline void fixture_ok(enum takc_status st)
{
    if (st)
        abort();
}

/* Content stems of a text, appended to terms. */
static inline uint32_t fixture_terms(struct takc_units *u, struct takc_str text, uint32_t **terms, size_t *n, size_t *cap)
{
    struct takc_words words;
    struct takc_word w;
    uint32_t count = 0;
    takc_words_init(&words, text);
    while (takc_words_next(&words, &w)) {
        if (w.article || takc_word_is_stop(w.norm))
            continue;
        fixture_ok(takc_grow(terms, cap, *n + 1, sizeof(**terms), NULL));
        fixture_ok(takc_intern_add(&u->vocabulary, takc_word_stem(w.norm), &(*terms)[*n], NULL));
        ++*n;
        count++;
    }
    takc_words_clear(&words);
    return count;
}

static inline void fixture_heading(struct takc_units *u, struct takc_span s, struct takc_str line, uint32_t unit)
{
    fixture_ok(takc_grow(&u->headings, &u->headings_cap, u->n_headings + 1, sizeof(*u->headings), NULL));
    fixture_ok(takc_grow(&u->heading_at, &u->heading_at_cap, u->n_headings + 2, sizeof(*u->heading_at), NULL));
    u->headings[u->n_headings] = (struct takc_heading){s, 0, unit + 1, 1};
    u->heading_at[u->n_headings++] = (uint32_t)u->n_heading_terms;
    (void)fixture_terms(u, line, &u->heading_terms, &u->n_heading_terms, &u->heading_terms_cap);
    u->heading_at[u->n_headings] = (uint32_t)u->n_heading_terms;
}

static inline void fixture_unit(struct takc_units *u, struct takc_span s, struct takc_str line, uint32_t block, uint8_t kind,
                                uint16_t flags, uint32_t anchor)
{
    fixture_ok(takc_grow(&u->units, &u->units_cap, u->n_units + 1, sizeof(*u->units), NULL));
    fixture_ok(takc_grow(&u->spans, &u->spans_cap, u->n_spans + 1, sizeof(*u->spans), NULL));
    struct takc_unit *unit = &u->units[u->n_units++];
    *unit = (struct takc_unit){.span_at = (uint32_t)u->n_spans, .term_at = (uint32_t)u->n_terms, .block = block, .anchor = anchor};
    u->spans[u->n_spans++] = s;
    unit->n_spans = 1;
    unit->kind = kind;
    unit->flags = flags;
    unit->heading = kind == TAKC_UNIT_HEADING ? 0 : (uint32_t)u->n_headings;
    unit->n_tokens = (uint16_t)takc_words_count(line);
    unit->n_terms = (uint16_t)fixture_terms(u, line, &u->terms, &u->n_terms, &u->terms_cap);
    unit->raw_mt = unit->n_tokens * 1000u;
    unit->text_hash = takc_hash64(line, 0);
}

static inline void fixture_anchor(struct takc_units *u, struct takc_span header)
{
    fixture_ok(takc_grow(&u->anchors, &u->anchors_cap, u->n_anchors + 1, sizeof(*u->anchors), NULL));
    struct takc_span heading = u->n_headings ? u->headings[u->n_headings - 1].span : (struct takc_span){0, 0};
    u->anchors[u->n_anchors++] = (struct takc_anchor){TAKC_ANCHOR_TABLE, heading, header, 1, 1, 1000};
}

static inline void fixture_units(struct takc_units *u, struct takc_str text, struct takc_str title)
{
    struct takc_str rest = text, line;
    uint32_t block = 0, anchor = 0;
    takc_intern_init(&u->vocabulary);
    (void)fixture_terms(u, title, &u->title_terms, &u->n_title_terms, &u->title_terms_cap);
    for (; takc_str_split(&rest, '\n', &line); block++) {
        uint32_t at = (uint32_t)(line.ptr - text.ptr), skip = line.len > 2 && (line.ptr[0] == '#' || line.ptr[0] == '=') ? 2 : 0;
        struct takc_span s = {at + skip, at + (uint32_t)line.len};
        struct takc_str body = takc_str_slice(line, skip, line.len);
        if (line.len == 0)
            continue;
        if (skip && line.ptr[0] == '#') {
            fixture_heading(u, s, body, (uint32_t)u->n_units);
            fixture_unit(u, s, body, block, TAKC_UNIT_HEADING, TAKC_UNIT_BARE, 0);
            anchor = 0;
        } else if (skip) {
            fixture_anchor(u, s);
            anchor = (uint32_t)u->n_anchors;
        } else if (takc_str_find(line, takc_str(" | "), 0) != SIZE_MAX) {
            fixture_unit(u, s, body, block, TAKC_UNIT_ROW, 0, anchor);
        } else {
            fixture_unit(u, s, body, block, TAKC_UNIT_SENTENCE, 0, 0);
        }
    }
}

/* Corpus callbacks: everything is in memory for as long as the fixture. */
static enum takc_status fixture_load(void *arg, size_t i, struct takc_corpus_view *out, struct takc_err *err)
{
    struct fixture *f = arg;
    (void)err;
    *out = (struct takc_corpus_view){f->texts[i], &f->units[i], NULL};
    return TAKC_OK;
}

/* Nothing to give back. */
static void fixture_unload(void *arg, struct takc_corpus_view *view)
{
    (void)arg;
    (void)view;
}

static inline enum takc_status fixture_text(void *arg, uint32_t doc, struct takc_str *out, struct takc_err *err)
{
    (void)err;
    *out = ((struct fixture *)arg)->texts[doc];
    return TAKC_OK;
}

/* Everything in the order of the text, nothing in a set, equal lines twins of the first. */
static inline void fixture_select(struct fixture *f)
{
    struct takc_selection *s = &f->selection;
    s->n_docs = f->n;
    s->first_unit = calloc(f->n + 1, sizeof(*s->first_unit));
    for (size_t d = 0; d < f->n; d++)
        s->first_unit[d + 1] = s->first_unit[d] + (uint32_t)f->units[d].n_units;
    s->n_units = s->first_unit[f->n];
    s->order = calloc(s->n_units + 1, sizeof(*s->order));
    s->keys = calloc(s->n_units + 1, sizeof(*s->keys));
    s->rung = calloc(s->n_units + 1, 1);
    s->salience = calloc(s->n_units + 1, sizeof(*s->salience));
    s->twin = calloc(s->n_units + 1, sizeof(*s->twin));
    s->show_title = calloc(f->n + 1, 1);
    uint64_t *hashes = calloc(s->n_units + 1, sizeof(*hashes));
    for (size_t d = 0, k = 0; d < f->n; d++)
        for (size_t i = 0; i < f->units[d].n_units; i++, k++) {
            hashes[k] = f->units[d].units[i].text_hash;
            s->salience[k] = (uint16_t)(k * 7);
            if (s->n_units < 5000)
                for (size_t j = 0; j < k && !s->twin[k]; j++)
                    s->twin[k] = hashes[j] == hashes[k] ? (uint32_t)j + 1 : 0;
            if (!(f->units[d].units[i].flags & TAKC_UNIT_BARE) && !s->twin[k])
                s->order[s->n_order++] = (uint32_t)k;
        }
    free(hashes);
}

static inline void fixture_init(struct fixture *f, const struct fixture_doc *docs, size_t n)
{
    *f = (struct fixture){.n = n};
    f->docs = calloc(n + 1, sizeof(*f->docs));
    f->units = calloc(n + 1, sizeof(*f->units));
    f->texts = calloc(n + 1, sizeof(*f->texts));
    for (size_t i = 0; i < n; i++) {
        f->docs[i] = (struct takc_corpus_doc){.name = takc_str(docs[i].name), .title = takc_str(docs[i].title)};
        f->docs[i].has_date = docs[i].date != 0;
        f->docs[i].date = docs[i].date;
        f->texts[i] = takc_str(docs[i].text);
        fixture_ok(takc_sha256(f->docs[i].name, &f->docs[i].source_sha, NULL));
        fixture_ok(takc_sha256(f->texts[i], &f->docs[i].text_sha, NULL));
        fixture_units(&f->units[i], f->texts[i], f->docs[i].title);
    }
    f->corpus = (struct takc_corpus){f->docs, n, fixture_load, fixture_unload, f};
    fixture_select(f);
}

static inline void fixture_clear(struct fixture *f)
{
    for (size_t i = 0; i < f->n; i++) {
        struct takc_units *u = &f->units[i];
        takc_free(u->units);
        takc_free(u->spans);
        takc_free(u->headings);
        takc_free(u->anchors);
        takc_free(u->terms);
        takc_free(u->title_terms);
        takc_free(u->heading_terms);
        takc_free(u->heading_at);
        takc_intern_clear(&u->vocabulary);
    }
    struct takc_selection *s = &f->selection;
    free(s->first_unit);
    free(s->order);
    free(s->keys);
    free(s->rung);
    free(s->salience);
    free(s->twin);
    free(s->show_title);
    free(f->docs);
    free(f->units);
    free(f->texts);
}

/* Builds and opens; close the index, then clear bytes. */
static inline struct takc_index *fixture_index(struct fixture *f, struct takc_buf *bytes)
{
    struct takc_index *x = NULL;
    takc_buf_init(bytes, SIZE_MAX / 4);
    fixture_ok(takc_index_build(&f->corpus, &f->selection, NULL, bytes, NULL));
    fixture_ok(takc_index_open(&x, takc_buf_str(bytes), NULL));
    return x;
}

#endif
