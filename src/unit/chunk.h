/* SPDX-License-Identifier: Apache-2.0
 *
 * unit/chunk.h - the guide's chunks: what a model sees at once, made of whole units in document order.
 *
 * A chunk is "[Document: title, Section: heading path]", then one unit a line as it stands in the text (not cleaned), at most max_tokens of
 * the named tokenizer with that first line; it begins with the last units of the chunk before, as many as fit overlap_tokens. Rows and
 * descriptions have their anchor before them, once a chunk. A unit that is larger than a chunk gets one of its own. Deterministic.
 * Threads: any; nothing is kept. */
#ifndef TAKC_UNIT_CHUNK_H
#define TAKC_UNIT_CHUNK_H

#include "unit/units.h"

struct takc_chunk_options {
    uint64_t max_tokens, overlap_tokens;
    const struct takc_tokenizer *tokenizer;
};
/* 256 tokens, overlap 50, estimate. Models read 512/64 and 1024/128. */
struct takc_chunk_options takc_chunk_options_default(void);

struct takc_chunk {
    uint32_t number; /* from 0 */
    struct takc_str text;
    uint32_t first_unit, n_units; /* overlap included */
    uint32_t n_overlap;           /* of them: units that the chunk before has, too */
    uint64_t tokens;
};
typedef enum takc_status takc_chunk_fn(void *arg, const struct takc_chunk *chunk, struct takc_err *err);

/* Calls each for every chunk, in order; stops at its first failure. title may be empty: then the first line has the section only.
 * INVALID when max_tokens is 0 or overlap_tokens is not smaller. text is the document's text. */
TAKC_CHECK enum takc_status takc_chunks(const struct takc_units *u, struct takc_str text, struct takc_str title,
                                        const struct takc_chunk_options *o, takc_chunk_fn *each, void *arg, struct takc_err *err);

#endif
