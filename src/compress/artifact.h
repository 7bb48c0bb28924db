/* SPDX-License-Identifier: Apache-2.0
 *
 * compress/artifact.h - the compressed form of one task at one rate: segments with their spans, in JSON (docs/formats/artifact.md), and the
 * text that a reader sees. Holds no clock, host, path, version number or duration; the ledger is a file beside.
 *
 * Text: documents in name order, units in document order; before the first segment of a document its title line (if shown) or, behind
 * another document, an empty line; an anchor line before the first chosen row of its table. Every line ends in '\n'.
 * Threads: a parsed artifact may be read by any. */
#ifndef TAKC_COMPRESS_ARTIFACT_H
#define TAKC_COMPRESS_ARTIFACT_H

#include "base/arena.h"
#include "base/spill.h"
#include "compress/extractive.h"

enum takc_part_role { TAKC_PART_UNSET = 0, TAKC_PART_TITLE, TAKC_PART_ANCHOR, TAKC_PART_BODY };
enum takc_segment_kind { TAKC_SEGMENT_UNSET = 0, TAKC_SEGMENT_EXTRACT, TAKC_SEGMENT_GENERATED };

struct takc_artifact_span {
    uint32_t doc; /* index into documents */
    uint32_t start, end;
};
struct takc_part {
    uint8_t role;
    struct takc_str text; /* one line without newline */
    const struct takc_artifact_span *spans;
    size_t n_spans; /* 0 for a title that does not stand in the text */
};
struct takc_segment {
    uint8_t kind;
    uint32_t rank; /* place in the order */
    const struct takc_part *parts;
    size_t n_parts; /* [title] [anchor] body */
};
struct takc_artifact_doc {
    struct takc_str name, source_sha, text_sha, title, title_from;
};
struct takc_artifact {
    struct takc_arena arena; /* owns all below */
    struct takc_str task, rate_name, compressor, model, tokenizer, fingerprint, source_fingerprint;
    struct takc_str text_sha; /* of what takc_artifact_text gives; parsing does not compare it, verifying does */
    takc_rate rate;
    uint64_t source_tokens, source_words, source_bytes, budget_tokens, tokens, words, bytes;
    bool shortfall;
    const struct takc_artifact_doc *documents;
    size_t n_documents;
    const struct takc_segment *segments;
    size_t n_segments;
};

struct takc_artifact_meta {
    struct takc_str task;
    struct takc_str fingerprint; /* names versions of readers, units, tokenizer, ICU, algorithm and the profile fields read */
    struct takc_str model;       /* that wrote lines of it; empty: none did */
    takc_rate rate;
};
/* A line that was written from units of one document; it stands at the first of them. */
struct takc_written {
    struct takc_str text;  /* one line without newline */
    const uint32_t *units; /* ascending numbers over all documents */
    size_t n_units;        /* at least 1 */
};
/* What an artifact shows: units as they are, and written lines. */
struct takc_lines {
    const uint8_t *bits;                /* over the units */
    const struct takc_written *written; /* ascending by their first unit */
    size_t n_written;
};
enum { TAKC_ARTIFACT_PIECES = 2 }; /* what stands before the segments, and these */
/* What lines measure; budget_mt and shortfall stay 0. */
TAKC_CHECK enum takc_status takc_lines_measure(const struct takc_corpus *c, const struct takc_selection *s, const struct takc_lines *lines,
                                               const struct takc_extractive_options *o, struct takc_set_size *out, struct takc_err *err);
/* Makes the artifact of a set (bitmap over the units of s) that measures size. Same inputs, same bytes. Statuses of the corpus, of the
 * call, of the pieces, NOMEM. out has TAKC_ARTIFACT_PIECES empty pieces; the caller clears it, whatever the status. */
TAKC_CHECK enum takc_status takc_artifact_make(const struct takc_corpus *c, const struct takc_selection *s, const uint8_t *bits,
                                               const struct takc_set_size *size, const struct takc_extractive_options *o,
                                               const struct takc_artifact_meta *meta, struct takc_call *call, struct takc_pieces *out,
                                               struct takc_err *err);
/* The same of units and written lines, which become generated segments: they stand on the spans of their units, and of what heads these
 * in a table. compressor is what made them, with its version. */
TAKC_CHECK enum takc_status takc_artifact_make_lines(const struct takc_corpus *c, const struct takc_selection *s,
                                                     const struct takc_lines *lines, struct takc_str compressor,
                                                     const struct takc_set_size *size, const struct takc_extractive_options *o,
                                                     const struct takc_artifact_meta *meta, struct takc_call *call, struct takc_pieces *out,
                                                     struct takc_err *err);
/* The set, appended to a buffer, which a failure leaves as it was. */
TAKC_CHECK enum takc_status takc_artifact_write(const struct takc_corpus *c, const struct takc_selection *s, const uint8_t *bits,
                                                const struct takc_set_size *size, const struct takc_extractive_options *o,
                                                const struct takc_artifact_meta *meta, struct takc_call *call, struct takc_buf *out,
                                                struct takc_err *err);
/* Reads one back, strictly (CORRUPT with the place). Copies what it needs. clear afterwards, whatever the status. */
TAKC_CHECK enum takc_status takc_artifact_parse(struct takc_artifact *a, struct takc_str json, struct takc_err *err);
/* Frees what parsing made; zeroed storage is fine, twice is harmless. */
void takc_artifact_clear(struct takc_artifact *a);
/* Appends the text that a reader sees. */
TAKC_CHECK enum takc_status takc_artifact_text(const struct takc_artifact *a, struct takc_buf *out, struct takc_err *err);

/* What an artifact shows, in numbers of the units that it was made from. */
struct takc_artifact_units {
    struct takc_arena arena; /* owns all below */
    uint8_t *bits;           /* units that stand as they are */
    struct takc_written *written;
    size_t n_written;
};
/* Reads that off an artifact of this very corpus and selection; texts are borrowed from a. CORRUPT with the segment that is not of them.
 * Clear out afterwards, whatever the status. */
TAKC_CHECK enum takc_status takc_artifact_read_units(const struct takc_artifact *a, const struct takc_corpus *c,
                                                     const struct takc_selection *s, struct takc_artifact_units *out, struct takc_err *err);
/* Frees; zeroed storage is fine, twice is harmless. */
void takc_artifact_units_clear(struct takc_artifact_units *u);

/* Facts: distinct ones in the source and in each set, per kind. */
struct takc_fact_counts {
    uint64_t n[TAKC_FACT_KINDS];
    uint64_t n_instructions; /* units that hold an instruction to a reader */
};
enum { TAKC_FACT_SETS = 32 };
/* Counts the facts of several sets in one pass over the documents; bits[i] NULL: all units. description is the task's: its words are facts
 * of the kind WORD. out has room for n_sets (<= TAKC_FACT_SETS). */
TAKC_CHECK enum takc_status takc_facts_of_sets(const struct takc_corpus *c, const struct takc_selection *s, const uint8_t *const *bits,
                                               size_t n_sets, struct takc_str description, struct takc_fact_counts *out,
                                               struct takc_err *err);
/* Facts of the whole source (out[0]), and those of them that an artifact's lines say (out[1]), whoever wrote these. */
TAKC_CHECK enum takc_status takc_facts_of_artifact(const struct takc_corpus *c, const struct takc_selection *s,
                                                   const struct takc_artifact *a, struct takc_str description,
                                                   struct takc_fact_counts out[2], struct takc_err *err);
/* The same of one set. */
TAKC_CHECK enum takc_status takc_facts_of_set(const struct takc_corpus *c, const struct takc_selection *s,
                                              const uint8_t *bits /* NULL: all */, struct takc_str description,
                                              struct takc_fact_counts *out, struct takc_err *err);

#endif
