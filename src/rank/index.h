/* SPDX-License-Identifier: Apache-2.0
 *
 * rank/index.h - the unit index of one version (docs/formats/index.md): postings of unit term counts (title + heading + unit), and per unit
 * its spans, anchor, heading, salience and the mark "in the 8x set"; also documents with title, date and hashes. At most 1x the text.
 * Written once, read through one accessor of 64 KiB blocks: plain homes map it, encrypted homes (later) decrypt into a bounded cache.
 *
 * Opening reads the header only. Threads: an open index may be read by any thread; scratch memory is the query's. */
#ifndef TAKC_RANK_INDEX_H
#define TAKC_RANK_INDEX_H

#include "base/arena.h"
#include "base/spill.h"
#include "compress/extractive.h"

#define TAKC_INDEX_VERSION "1"

enum { TAKC_INDEX_PIECES = 16 }; /* header and parts */

/* Builds from the same corpus and selection that made the artifacts. order (step 4) is stored in it, too: it is data of the version; keys
 * and costs of the selection are not read. out has TAKC_INDEX_PIECES empty pieces; the caller clears it, whatever the status. In memory
 * stay the postings (two bytes each) and the words. */
TAKC_CHECK enum takc_status takc_index_make(const struct takc_corpus *c, const struct takc_selection *s, struct takc_call *call,
                                            struct takc_pieces *out, struct takc_err *err);
/* The same, appended to a buffer. */
TAKC_CHECK enum takc_status takc_index_build(const struct takc_corpus *c, const struct takc_selection *s, struct takc_call *call,
                                             struct takc_buf *out, struct takc_err *err);

struct takc_index; /* opaque */
/* Opens over bytes that live as long as the index (a map). CORRUPT when header, lengths or checksum of the header are wrong, UNSUPPORTED
 * when it is sound and of another version of index, units or compressor; every later access is checked against the lengths, so a damaged
 * body gives CORRUPT and never a wild read. */
TAKC_CHECK enum takc_status takc_index_open(struct takc_index **out, struct takc_str bytes, struct takc_err *err);
/* Frees; NULL is welcome. The bytes are the caller's. */
void takc_index_close(struct takc_index *x);

struct takc_index_doc {
    struct takc_str name, title;
    struct takc_hex source_sha, text_sha;
    struct takc_span title_span;
    bool has_date, show_title;
    int32_t date;
    uint32_t first_unit, n_units;
};
/* How many documents, numbered from 0 by name bytes. */
size_t takc_index_n_docs(const struct takc_index *x);
/* How many units, numbered from 0 through all documents. */
size_t takc_index_n_units(const struct takc_index *x);
/* What holds of document doc (< n_docs); its strings are borrowed from the index. CORRUPT. */
TAKC_CHECK enum takc_status takc_index_doc_at(const struct takc_index *x, uint32_t doc, struct takc_index_doc *out, struct takc_err *err);

/* One unit as the reader side needs it. */
struct takc_index_unit {
    uint32_t doc, block, heading_block; /* blocks of the document's structure: locators; heading_block + 1, 0: none */
    struct takc_span spans[8];
    size_t n_spans; /* more than 8 spans are joined at the end */
    uint8_t kind;
    uint16_t flags;
    uint32_t anchor; /* document-local number + 1; 0 none */
    struct takc_span anchor_heading, anchor_header;
    uint8_t anchor_kind;
    struct takc_span heading; /* empty: none */
    uint32_t raw_mt, n_tokens;
    uint16_t salience;
    uint8_t rung;
    uint32_t twin; /* number + 1 */
};
/* Unit number unit (< n_units). CORRUPT when what it points to is not in the index. */
TAKC_CHECK enum takc_status takc_index_unit_at(const struct takc_index *x, uint32_t unit, struct takc_index_unit *out,
                                               struct takc_err *err);

/* How many units stand in the order of the version (data-model.md section 3). */
size_t takc_index_n_order(const struct takc_index *x);
/* The unit at place i of the order, best first. CORRUPT behind its end, or when what stands there is no unit. */
TAKC_CHECK enum takc_status takc_index_order_at(const struct takc_index *x, size_t i, uint32_t *out_unit, struct takc_err *err);

#endif
