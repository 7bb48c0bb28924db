/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/cite.h - a chosen unit becomes a citation: document, hash, spans, source range, locator, section, quote. Threads: one at a time.
 */
#ifndef TAKC_PIPELINE_CITE_H
#define TAKC_PIPELINE_CITE_H

#include "pipeline/snapshot.h"
#include "takc/query.h"

/* Keeps the structure of documents cited in one answer. */
struct takc_citer {
    struct takc_snapshot *snapshot;
    struct takc_arena *arena;
    struct takc_doc doc; /* of the document loaded last */
    uint32_t loaded;     /* its number + 1; 0: none */
    uint32_t first_line; /* of its file where it is a part of one; 0: a file of its own */
};

/* The column of text bytes start..end in the row b, from 1; 0 where they are the whole row. Separators are what the reader put between
 * cells; a bar that stands in a cell is none. */
uint32_t takc_cite_column(const struct takc_doc *d, const struct takc_block *b, uint32_t start, uint32_t end);

/* Begins without a document. The snapshot and the arena of the citations outlive c. */
void takc_citer_init(struct takc_citer *c, struct takc_snapshot *s, struct takc_arena *a);
/* Frees the loaded document; citations stay. Twice is harmless. */
void takc_citer_clear(struct takc_citer *c);
/* Fills out for a unit of the index; all it points to lives in the arena. CORRUPT when index and documents do not agree; statuses of the
 * store; NOMEM. */
TAKC_CHECK enum takc_status takc_cite(struct takc_citer *c, uint32_t unit, struct takc_cited *out, struct takc_err *err);
/* The same for a line that stands on more than one unit: place and section are those of the unit that it begins in, spans and quote those
 * given, of the same document. */
TAKC_CHECK enum takc_status takc_cite_spans(struct takc_citer *c, uint32_t unit, const struct takc_span *spans, size_t n,
                                            struct takc_cited *out, struct takc_err *err);

#endif
