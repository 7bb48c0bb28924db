/* SPDX-License-Identifier: Apache-2.0
 *
 * compress/each.h - one pass over the documents of a corpus: load, work, unload, a document at a time, on several threads.
 *
 * Which thread meets which document is chance, so a worker may only write to its own scratch and to slots of that document; sums over
 * documents are made afterwards, in document order. Then any number of threads gives the same bytes. */
#ifndef TAKC_COMPRESS_EACH_H
#define TAKC_COMPRESS_EACH_H

#include "base/bit.h"
#include "takc/call.h"
#include "unit/corpus.h"

enum { TAKC_EACH_THREADS_MAX = 64 };

/* Works on document doc as worker (< n_threads). A failure ends the pass. */
typedef enum takc_status takc_each_fn(void *arg, unsigned worker, size_t doc, const struct takc_corpus_view *v, struct takc_err *err);

struct takc_each {
    const struct takc_corpus *corpus;
    struct takc_call *call; /* asked between documents; its progress is told by the calling thread only */
    const char *stage;
    unsigned n_threads;  /* 1..TAKC_EACH_THREADS_MAX */
    const uint8_t *only; /* bitmap of documents; NULL: all */
};

/* Calls fn for every document. Of several failures that of the first document (by number) that failed is told. Blocking: until all threads
 * are done. Fewer threads than asked is no failure. */
TAKC_CHECK enum takc_status takc_each_doc(const struct takc_each *e, takc_each_fn *fn, void *arg, struct takc_err *err);

#endif
