/* SPDX-License-Identifier: Apache-2.0
 *
 * bench/eval_corpus.h - a corpus file laid out like the evaluation data (one JSON line: documents with doc_id, title, text; gzip or plain)
 * as the program would see it: texts through the line rules, units, a selection, an index. For the programs of this folder only; whatever
 * goes wrong ends them with a message. */
#ifndef TAKC_BENCH_EVAL_CORPUS_H
#define TAKC_BENCH_EVAL_CORPUS_H

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "compress/extractive.h"
#include "doc/lines.h"
#include "rank/select.h"
#include "token/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

struct eval_corpus {
    struct takc_corpus corpus;
    struct takc_selection selection;
    struct takc_corpus_doc *docs;
    struct takc_str *texts;
    struct takc_units *units;
    size_t n, cap;
    uint64_t text_bytes;
    char *description;
    json_t **kept; /* parsed lines that texts point into */
    size_t n_kept;
};

static inline void eval_check(enum takc_status st, const struct takc_err *err, const char *what)
{
    if (!st)
        return;
    (void)fprintf(stderr, "%s: %s: %s\n", what, takc_status_text(st), err->msg);
    exit(1);
}

/* The whole of a file, unpacked. Returns owned. */
static inline char *eval_slurp(const char *path, size_t *out_len)
{
    gzFile f = gzopen(path, "rb");
    size_t cap = 1 << 20, len = 0;
    char *p = malloc(cap + 1);
    int got = 0;
    while (f && p && (got = gzread(f, p + len, (unsigned)(cap - len))) > 0) {
        len += (size_t)got;
        if (len == cap)
            p = realloc(p, (cap *= 2) + 1);
    }
    if (!f || !p || got < 0) {
        (void)fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    (void)gzclose(f);
    p[len] = '\0';
    *out_len = len;
    return p;
}

/* Words less articles, as the scorer counts tokens. */
static inline uint64_t eval_scorer_mt(const struct takc_tokenizer *t, struct takc_str line)
{
    (void)t;
    return takc_words_count(line) * 1000;
}
static const struct takc_tokenizer_ops eval_scorer_ops = {.flags = TAKC_TOKENIZER_LINES, .line_mt = eval_scorer_mt};
static const struct takc_tokenizer eval_scorer = {&eval_scorer_ops, "scorer", "1"};

static enum takc_status eval_load(void *arg, size_t i, struct takc_corpus_view *out, struct takc_err *err)
{
    struct eval_corpus *c = arg;
    (void)err;
    *out = (struct takc_corpus_view){c->texts[i], &c->units[i], NULL};
    return TAKC_OK;
}

static void eval_unload(void *arg, struct takc_corpus_view *view)
{
    (void)arg;
    (void)view;
}

static inline enum takc_status eval_text(void *arg, uint32_t doc, struct takc_str *out, struct takc_err *err)
{
    (void)err;
    *out = ((struct eval_corpus *)arg)->texts[doc];
    return TAKC_OK;
}

static inline int eval_by_name(const void *a, const void *b)
{
    return takc_str_cmp(takc_json_get_str(*(json_t *const *)a, "doc_id"), takc_json_get_str(*(json_t *const *)b, "doc_id"));
}

static inline void eval_add_doc(struct eval_corpus *c, const json_t *d)
{
    struct takc_err err = {0};
    struct takc_doc doc;
    takc_doc_init(&doc);
    if (c->n == c->cap) {
        c->cap = c->cap ? c->cap * 2 : 64;
        c->docs = realloc(c->docs, c->cap * sizeof(*c->docs));
        c->texts = realloc(c->texts, c->cap * sizeof(*c->texts));
        c->units = realloc(c->units, c->cap * sizeof(*c->units));
        if (!c->docs || !c->texts || !c->units)
            exit(1);
    }
    size_t i = c->n++;
    c->docs[i] = (struct takc_corpus_doc){.name = takc_json_get_str(d, "doc_id"), .title = takc_json_get_str(d, "title")};
    eval_check(takc_doc_verbatim(&doc, takc_json_get_str(d, "text"), 0, &err), &err, "text");
    struct takc_lines_options o = {.first_line = 1};
    eval_check(takc_lines_structure(&doc, &o, NULL, &err), &err, "structure");
    takc_units_init(&c->units[i]);
    eval_check(takc_units_build(&c->units[i], &doc, c->docs[i].title, &eval_scorer, NULL, &err), &err, "units");
    char *copy = malloc(doc.text.len + 1);
    if (!copy)
        exit(1);
    memcpy(copy, doc.text.ptr ? doc.text.ptr : "", doc.text.len);
    c->texts[i] = takc_str_n(copy, doc.text.len);
    c->text_bytes += doc.text.len;
    eval_check(takc_sha256(c->texts[i], &c->docs[i].text_sha, &err), &err, "hash");
    c->docs[i].source_sha = c->docs[i].text_sha;
    takc_doc_clear(&doc);
}

/* Adds the documents of a corpus file. */
static inline void eval_add_corpus(struct eval_corpus *c, const char *path)
{
    size_t len;
    char *text = eval_slurp(path, &len);
    struct takc_err err = {0};
    json_t *v = NULL;
    eval_check(takc_json_parse(takc_str_trim(takc_str_n(text, len)), &v, &err), &err, path);
    free(text);
    json_t *list = json_object_get(v, "documents");
    size_t n = json_array_size(list);
    json_t **sorted = calloc(n + 1, sizeof(json_t *));
    c->kept = realloc(c->kept, (c->n_kept + 1) * sizeof(json_t *));
    if (!sorted || !c->kept)
        exit(1);
    for (size_t i = 0; i < n; i++)
        sorted[i] = json_array_get(list, i);
    qsort(sorted, n, sizeof(json_t *), eval_by_name);
    for (size_t i = 0; i < n; i++)
        eval_add_doc(c, sorted[i]);
    free(sorted);
    struct takc_str description = takc_json_get_str(v, "task_description");
    free(c->description);
    c->description = strndup(description.ptr ? description.ptr : "", description.len);
    c->kept[c->n_kept++] = v;
    c->corpus = (struct takc_corpus){c->docs, c->n, eval_load, eval_unload, c};
}

/* By both real factors, as the measurements of the recipe were made. */
static inline struct takc_extractive_options eval_select_options(const struct eval_corpus *c)
{
    struct takc_extractive_options o = takc_extractive_options_default();
    o.description = takc_str(c->description);
    o.budget = TAKC_BUDGET_WORDS_BYTES;
    o.tokenizer = &eval_scorer;
    return o;
}

/* The compressor's selection. */
static inline void eval_select(struct eval_corpus *c)
{
    struct takc_err err = {0};
    struct takc_extractive_options o = eval_select_options(c);
    eval_check(takc_extractive_select(&c->corpus, &o, NULL, &c->selection, &err), &err, "select");
}

/* A selection that chose nothing. */
static inline void eval_select_none(struct eval_corpus *c)
{
    struct takc_selection *s = &c->selection;
    size_t n = 0;
    s->n_docs = c->n;
    s->first_unit = calloc(c->n + 1, sizeof(*s->first_unit));
    for (size_t i = 0; s->first_unit && i < c->n; i++) {
        n += c->units[i].n_units;
        s->first_unit[i + 1] = (uint32_t)n;
    }
    s->n_units = n;
    s->rung = calloc(n + 1, 1);
    s->salience = calloc(n + 1, sizeof(*s->salience));
    s->twin = calloc(n + 1, sizeof(*s->twin));
    s->show_title = calloc(c->n + 1, 1);
    if (!s->first_unit || !s->rung || !s->salience || !s->twin || !s->show_title)
        exit(1);
}

/* Builds and opens; bytes must outlive the index. */
static inline struct takc_index *eval_index(const struct takc_corpus *corpus, const struct takc_selection *s, struct takc_buf *bytes)
{
    struct takc_index *x = NULL;
    struct takc_err err = {0};
    takc_buf_init(bytes, SIZE_MAX / 4);
    eval_check(takc_index_build(corpus, s, NULL, bytes, &err), &err, "index");
    eval_check(takc_index_open(&x, takc_buf_str(bytes), &err), &err, "open");
    return x;
}

/* The corpus and selection without some documents; arrays of the views are shared. */
struct eval_part {
    struct takc_corpus corpus;
    struct takc_selection selection;
    const struct eval_corpus *whole;
    size_t *from; /* number in the whole of each document */
};

static enum takc_status eval_part_load(void *arg, size_t i, struct takc_corpus_view *out, struct takc_err *err)
{
    struct eval_part *p = arg;
    return eval_load((void *)p->whole, p->from[i], out, err);
}

static inline enum takc_status eval_part_text(void *arg, uint32_t doc, struct takc_str *out, struct takc_err *err)
{
    struct eval_part *p = arg;
    return eval_text((void *)p->whole, (uint32_t)p->from[doc], out, err);
}

/* Leaves out documents that skip(arg, i) names. p must stay where it is. */
static inline void eval_part_init(struct eval_part *p, const struct eval_corpus *c, bool (*skip)(void *, size_t), void *arg)
{
    const struct takc_selection *s = &c->selection;
    struct takc_corpus_doc *docs = calloc(c->n + 1, sizeof(*docs));
    *p = (struct eval_part){.whole = c, .from = calloc(c->n + 1, sizeof(*p->from))};
    struct takc_selection *t = &p->selection;
    t->first_unit = calloc(c->n + 1, sizeof(*t->first_unit));
    t->rung = calloc(s->n_units + 1, 1);
    t->salience = calloc(s->n_units + 1, sizeof(*t->salience));
    t->twin = calloc(s->n_units + 1, sizeof(*t->twin));
    t->show_title = calloc(c->n + 1, 1);
    for (size_t i = 0; i < c->n; i++) {
        if (skip(arg, i))
            continue;
        size_t n = s->first_unit[i + 1] - s->first_unit[i], k = t->n_docs++;
        docs[k] = c->docs[i];
        p->from[k] = i;
        memcpy(t->rung + t->n_units, s->rung + s->first_unit[i], n);
        memcpy(t->salience + t->n_units, s->salience + s->first_unit[i], n * sizeof(*s->salience));
        t->n_units += n;
        t->first_unit[k + 1] = (uint32_t)t->n_units;
    }
    p->corpus = (struct takc_corpus){docs, t->n_docs, eval_part_load, eval_unload, p};
}

static inline void eval_part_clear(struct eval_part *p)
{
    free((void *)p->corpus.docs);
    free(p->from);
    free(p->selection.first_unit);
    free(p->selection.rung);
    free(p->selection.salience);
    free(p->selection.twin);
    free(p->selection.show_title);
}

static inline void eval_clear(struct eval_corpus *c)
{
    for (size_t i = 0; i < c->n; i++) {
        takc_units_clear(&c->units[i]);
        free((void *)c->texts[i].ptr);
    }
    for (size_t i = 0; i < c->n_kept; i++)
        json_decref(c->kept[i]);
    takc_selection_clear(&c->selection);
    free(c->docs);
    free(c->texts);
    free(c->units);
    free(c->kept);
    free(c->description);
}

#endif
