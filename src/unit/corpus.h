/* SPDX-License-Identifier: Apache-2.0
 *
 * unit/corpus.h - the documents of a task as the compressor and the index builder see them: a sorted list of names, and text and units of
 * one document at a time. So no step needs the whole corpus in memory, and shards are sub-ranges.
 * Threads: load and unload may be called from several threads for different views. */
#ifndef TAKC_UNIT_CORPUS_H
#define TAKC_UNIT_CORPUS_H

#include "base/hash.h"
#include "unit/units.h"

struct takc_corpus_doc {
    struct takc_str name; /* unique; the list is ascending by bytes */
    struct takc_hex source_sha, text_sha;
    struct takc_str title;       /* as shown */
    struct takc_span title_span; /* in the text; start == end: the title does not stand there */
    bool title_is_name;          /* the base name stood in for a title */
    bool has_date;
    int32_t date; /* days since 1970-01-01 */
};

struct takc_corpus_view {
    struct takc_str text; /* the document's text */
    const struct takc_units *units;
    void *owner; /* the source's */
};

struct takc_corpus {
    const struct takc_corpus_doc *docs;
    size_t n_docs;
    /* Gives text and units of document i, valid until unload of the same view. */
    enum takc_status (*load)(void *arg, size_t i, struct takc_corpus_view *out, struct takc_err *err);
    void (*unload)(void *arg, struct takc_corpus_view *view);
    void *arg;
};

#endif
