/* SPDX-License-Identifier: Apache-2.0
 *
 * doc/parts.h - what readers share: decoding, the title from the first heading, telling kinds by content. Inside src/doc only. */
#ifndef TAKC_DOC_PARTS_H
#define TAKC_DOC_PARTS_H

#include "doc/readers.h"

/* Source bytes into d's text with map, charset, count and note of what was replaced. */
TAKC_CHECK enum takc_status takc_reader_decode(const struct takc_reader_input *in, struct takc_doc *d, struct takc_err *err);
/* Takes the first visible block as title if it is a heading. */
TAKC_CHECK enum takc_status takc_reader_title(struct takc_doc *d, struct takc_err *err);

/* Appends bytes from..to of from_doc's text to d, each with the place in the source that from_doc's map gives it; a part of a decoded run,
 * whose own bytes are not known, gets none. */
TAKC_CHECK enum takc_status takc_doc_copy(struct takc_doc *d, const struct takc_doc *from_doc, size_t from, size_t to,
                                          struct takc_err *err);

/* Are these bytes text at all? As takc_reader_ops.sniff: 0 no, 1 maybe, 2 likely, 3 certain. */
int takc_sniff_text(struct takc_str bytes);
/* 2 with several lines that bear Markdown's own marks, of more than one kind: lines that begin with "# " alone are the comments of a script
 * or of settings. 1 for any other text, if its name says so. */
int takc_sniff_markdown(struct takc_str bytes);
/* 2: a whole value and nothing behind, or good as far as was looked; 1: begins like one and is broken; 0: several values. */
int takc_sniff_json(struct takc_str bytes);
/* 2: most lines are objects of their own, even a single one; 1: broken ones; 0: something else. */
int takc_sniff_jsonl(struct takc_str bytes);
/* Is this no document at all: zeros that are not UTF-16, or the magic of pictures, programs, archives? */
bool takc_sniff_binary(struct takc_str bytes);

#endif
