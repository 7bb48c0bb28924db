/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/docset.h - the documents that one version stands on: names, hashes, titles. Stored with the version
 * (artifacts/{task}/v{n}/documents.json, byte-stable), and the corpus that compressor and index builder read.
 * Threads: a loaded docset may be read by any; its corpus may be loaded from several threads. */
#ifndef TAKC_PIPELINE_DOCSET_H
#define TAKC_PIPELINE_DOCSET_H

#include "catalog/home.h"
#include "unit/corpus.h"

struct takc_docset_doc {
    struct takc_str name, source_sha, text_sha, units_sha, file_sha, reader, reader_version, part, title, title_from;
    struct takc_span title_span;
    uint64_t source_bytes, n_units;
    bool has_date, has_map;
    int32_t date;
    uint32_t first_line;                       /* as in struct takc_revision */
    struct takc_str whole_text_sha, whole_key; /* as there: not empty where only the 2x set of the text is kept */
};

struct takc_docset {
    struct takc_docset_doc *docs; /* ascending by name bytes */
    size_t n_docs;
};

/* The current revisions of all documents of a task. All memory is the arena's. */
TAKC_CHECK enum takc_status takc_docset_current(struct takc_home *h, struct takc_str task, struct takc_arena *a, struct takc_docset *out,
                                                struct takc_err *err);
/* Hash over one document's entry: what compress reads of it. The whole_key of a reduced one, so that it does not change by reducing. */
TAKC_CHECK enum takc_status takc_docset_key(const struct takc_docset_doc *d, struct takc_hex *out, struct takc_err *err);
/* Is only the 2x set of the text kept? */
static inline bool takc_docset_is_reduced(const struct takc_docset_doc *d)
{
    return d->whole_text_sha.len > 0;
}
/* Stored form and back. */
TAKC_CHECK enum takc_status takc_docset_write(const struct takc_docset *d, struct takc_buf *out, struct takc_err *err);
/* Memory is the arena's. CORRUPT with the document's number; out is unchanged then. */
TAKC_CHECK enum takc_status takc_docset_parse(struct takc_str json, struct takc_arena *a, struct takc_docset *out, struct takc_err *err);
/* The documents of a kept version. */
TAKC_CHECK enum takc_status takc_docset_of_version(struct takc_home *h, struct takc_str task, const struct takc_version *v,
                                                   struct takc_arena *a, struct takc_docset *out, struct takc_err *err);

/* The version of that label (empty: current) in the manifest of a task. NOT_FOUND says what to do next: which versions there are, or that
 * the task has to be compressed, or its documents ingested first. */
TAKC_CHECK enum takc_status takc_docset_version(struct takc_home *h, const struct takc_manifest *m, struct takc_str label,
                                                const struct takc_version **out, struct takc_err *err);

/* Where a derived part (".structure", ".map", ".units") of a document is kept. */
struct takc_key takc_docset_part_key(struct takc_str task, const struct takc_docset_doc *d, const char *kind);

/* A corpus over a docset: texts are mapped, units loaded when asked for. Home, task and docset outlive it. */
struct takc_docset_corpus {
    struct takc_corpus corpus;
    struct takc_home *home;
    struct takc_str task;
    const struct takc_docset *set;
};
/* out must stay where it is: its corpus points to it. NOMEM. */
TAKC_CHECK enum takc_status takc_docset_corpus(struct takc_home *h, struct takc_str task, const struct takc_docset *d, struct takc_arena *a,
                                               struct takc_docset_corpus *out, struct takc_err *err);

/* A document's text with structure and map, copied from the store. d is init'ed by the caller and cleared by it. */
TAKC_CHECK enum takc_status takc_docset_load(struct takc_home *h, struct takc_str task, const struct takc_docset_doc *doc,
                                             struct takc_doc *out, struct takc_err *err);

#endif
