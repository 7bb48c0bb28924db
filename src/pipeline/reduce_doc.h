/* SPDX-License-Identifier: Apache-2.0
 *
 * pipeline/reduce_doc.h - one document with fewer units: what is left of text, structure, map and units when only some units may stay
 * (keep_originals: false, docs/adr/0006-keep-originals-false.md). Pure. Threads: any, each with its own structs. */
#ifndef TAKC_PIPELINE_REDUCE_DOC_H
#define TAKC_PIPELINE_REDUCE_DOC_H

#include "unit/units.h"

struct takc_reduced {
    struct takc_doc doc;
    struct takc_units units;
    struct takc_span title_span; /* the title's place now */
};
/* An empty document and no units; the storage of the struct is the caller's. */
void takc_reduced_init(struct takc_reduced *r);
/* Frees both; twice is harmless. */
void takc_reduced_clear(struct takc_reduced *r);

/* Keeps the units whose keep (one byte each, 0 or 1) is set, with their anchors and the headings above them; sets keep of bare headings
 * that stay so. A heading that is a unit of its own (a sentence) stays only if its keep is set. Places in the source are those of the whole
 * document. r is init'ed. */
TAKC_CHECK enum takc_status takc_reduce_doc(const struct takc_doc *d, const struct takc_units *u, struct takc_span title, uint8_t *keep,
                                            struct takc_reduced *r, struct takc_err *err);

#endif
