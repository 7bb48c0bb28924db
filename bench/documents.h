/* SPDX-License-Identifier: Apache-2.0
 *
 * bench/documents.h - documents in memory as the compressor sees them: text, title and units of each, in name order. For the programs of
 * this folder that read sources themselves; bench/eval_corpus.h is for those that take texts as they stand in a corpus file. */
#ifndef TAKC_BENCH_DOCUMENTS_H
#define TAKC_BENCH_DOCUMENTS_H

#include "base/alloc.h"
#include "doc/reader.h"
#include "unit/corpus.h"

#include <stdlib.h>

struct bench_document {
    struct takc_buf name, text, title;
    struct takc_span title_span;
    struct takc_units units;
};

struct bench_documents {
    struct bench_document *items;
    size_t n, cap;
    struct takc_corpus_doc *docs;
    struct takc_corpus corpus; /* over items, once they are sorted */
    uint64_t text_bytes;
};

/* One more document, with its name and nothing else. */
static inline enum takc_status bench_documents_add(struct bench_documents *b, struct takc_str name, struct takc_str suffix,
                                                   struct bench_document **out, struct takc_err *err)
{
    enum takc_status st = takc_grow(&b->items, &b->cap, b->n + 1, sizeof(*b->items), err);
    if (st)
        return st;
    struct bench_document *d = &b->items[b->n++];
    *d = (struct bench_document){0};
    takc_buf_init(&d->name, TAKC_BUF_MAX_NAME);
    takc_units_init(&d->units);
    *out = d;
    st = takc_buf_add(&d->name, name, err);
    return st ? st : takc_buf_add(&d->name, suffix, err);
}

/* Takes text and title of doc, and clears it. */
static inline void bench_documents_take(struct bench_documents *b, struct bench_document *d, struct takc_doc *doc)
{
    if (doc->title_from == TAKC_TITLE_TEXT)
        d->title_span = (struct takc_span){doc->title_start, doc->title_end};
    b->text_bytes += doc->text.len;
    d->text = doc->text;
    d->title = doc->title;
    takc_buf_init(&doc->text, 0);
    takc_buf_init(&doc->title, 0);
    takc_doc_clear(doc);
}

static inline int bench_by_name(const void *a, const void *b)
{
    return takc_str_cmp(takc_buf_str(&((const struct bench_document *)a)->name), takc_buf_str(&((const struct bench_document *)b)->name));
}

static enum takc_status bench_documents_load(void *arg, size_t i, struct takc_corpus_view *out, struct takc_err *err)
{
    struct bench_documents *b = arg;
    (void)err;
    *out = (struct takc_corpus_view){.text = takc_buf_str(&b->items[i].text), .units = &b->items[i].units};
    return TAKC_OK;
}

static void bench_documents_unload(void *arg, struct takc_corpus_view *v)
{
    (void)arg;
    (void)v;
}

/* Sorts them and makes the corpus over them; b stays where it is. */
static inline enum takc_status bench_documents_ready(struct bench_documents *b, struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    b->docs = takc_alloc_array(b->n, sizeof(*b->docs));
    if (!b->docs)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory");
    if (b->n)
        qsort(b->items, b->n, sizeof(*b->items), bench_by_name);
    for (size_t i = 0; !st && i < b->n; i++) {
        const struct bench_document *d = &b->items[i];
        b->docs[i] =
            (struct takc_corpus_doc){.name = takc_buf_str(&d->name), .title = takc_buf_str(&d->title), .title_span = d->title_span};
        st = takc_sha256(takc_buf_str(&d->text), &b->docs[i].text_sha, err);
        b->docs[i].source_sha = b->docs[i].text_sha;
    }
    b->corpus = (struct takc_corpus){b->docs, b->n, bench_documents_load, bench_documents_unload, b};
    return st;
}

static inline void bench_documents_clear(struct bench_documents *b)
{
    for (size_t i = 0; i < b->n; i++) {
        takc_buf_clear(&b->items[i].name);
        takc_buf_clear(&b->items[i].text);
        takc_buf_clear(&b->items[i].title);
        takc_units_clear(&b->items[i].units);
    }
    takc_free(b->items);
    takc_free(b->docs);
    *b = (struct bench_documents){0};
}

#endif
