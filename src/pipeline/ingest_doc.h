/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/ingest_doc.h - one document on its way in: bytes -> text, structure, map, units -> blobs and a record. Pure but for put.
 * Threads: make runs on any thread, one job a thread; put on the ingesting one. */
#ifndef TAKC_PIPELINE_INGEST_DOC_H
#define TAKC_PIPELINE_INGEST_DOC_H

#include "catalog/home.h"
#include "doc/reader.h"
#include "takc/ingest.h"

struct takc_ingest_job {
    /* in */
    struct takc_str name, root; /* owned by arena */
    struct takc_buf bytes;      /* of the document, decompressed; owned */
    struct takc_str file_sha;   /* of the .gz; empty otherwise */
    const struct takc_reader_ops *reader;
    const struct takc_document *old; /* what is known under this name; NULL: nothing */
    uint32_t first_line;             /* in the file that it is a part of; 0: a file of its own */
    /* out */
    enum takc_ingest_outcome outcome;
    bool put; /* there is something to store: also of a document that is the same, but kept as its 2x set, or moved in its file */
    enum takc_status status;
    struct takc_err why;
    struct takc_hex source_sha, text_sha, units_sha;
    char made_by[64]; /* versions of the unit cutter and the tokenizer */
    char part[20];    /* names the derived parts beside the text: takc_ingest_part */
    struct takc_doc doc;
    struct takc_buf structure, map, units;
    struct takc_buf title;
    const char *title_from;
    uint64_t n_units, source_mt, n_chunks;
    uint64_t n_bytes; /* of the document; set by slim */
    struct takc_arena arena;
};

/* Do include and exclude let this path in? ingest.c */
bool takc_ingest_wants(const struct takc_ingest_options *o, struct takc_str path);

/* An empty job; who makes it fills the "in" part. */
void takc_ingest_job_init(struct takc_ingest_job *j);
/* Frees what the job owns; twice is harmless. */
void takc_ingest_job_clear(struct takc_ingest_job *j);
/* Gives back all that is large; what is told of the document stays. After put. */
void takc_ingest_job_slim(struct takc_ingest_job *j);
/* Reads, cuts and counts. The outcome says what became of it; a failure that is not the document's fault is returned. */
TAKC_CHECK enum takc_status takc_ingest_job_make(struct takc_ingest_job *j, const struct takc_ingest_options *o,
                                                 const struct takc_tokenizer *tokenizer, struct takc_call *call, struct takc_err *err);
/* Puts blobs and parts into the batch, the record last. */
TAKC_CHECK enum takc_status takc_ingest_job_put(struct takc_ingest_job *j, struct takc_home *h, const struct takc_profile *profile,
                                                const struct takc_ingest_options *o, struct takc_store_batch *batch, int64_t now_s,
                                                struct takc_call *call, struct takc_err *err);

#endif
