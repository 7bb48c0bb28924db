/* SPDX-License-Identifier: Apache-2.0
 *
 * unit/chunk.h - what a model sees at once: whole units in document order up to a number of tokens, with an overlap of whole units and one
 * line in front that says where they stand (the guide's form):
 *     [Document: TITLE, Section: HEADING > PATH]
 * The guide's sizes are 256/50 for storage, 512/64 and 1024/128 for a compressing model. The line in front is counted in; a unit that is
 * larger than a chunk has one of its own. Same inputs, same chunks. Threads: pure. */
#ifndef TAKC_UNIT_CHUNK_H
#define TAKC_UNIT_CHUNK_H

#include "unit/units.h"

struct takc_chunk_options {
    uint32_t max_tokens, overlap_tokens; /* overlap < max */
    const struct takc_tokenizer_ops *tokenizer;
};

struct takc_chunk {
    uint32_t number;      /* from 0 */
    uint32_t first, n;    /* units first .. first + n - 1 */
    uint32_t n_overlap;   /* how many of them the chunk before ended with */
    struct takc_str text; /* lives until the callback returns */
};
typedef enum takc_status takc_chunk_fn(void *arg, const struct takc_chunk *chunk, struct takc_err *err);

/* Tells every chunk of a document, in order; stops at each's first failure. INVALID when overlap is not smaller than max. */
TAKC_CHECK enum takc_status takc_chunks(const struct takc_units *u, struct takc_str text, struct takc_str title,
                                        const struct takc_chunk_options *o, takc_chunk_fn *each, void *arg, struct takc_err *err);

#endif
