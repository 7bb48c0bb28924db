/* SPDX-License-Identifier: Apache-2.0
 *
 * takc/ingest.h - documents into a task: files and folders are read, cut into units, counted and stored, once per content.
 *
 * A document is accepted when its item is told with TAKC_INGEST_NEW, _CHANGED or _SAME: by then everything is synced to disk.
 * What is refused (hostile, damaged, unknown, over a limit) is told with what and where, and the others go on.
 * Threads: one ingest at a time per task (others are BUSY); the callback runs on the calling thread. */
#ifndef TAKC_INGEST_H
#define TAKC_INGEST_H

#include "takc/call.h"
#include "takc/str.h"

struct takc_home;

enum takc_ingest_outcome {
    TAKC_INGEST_UNSET = 0,
    TAKC_INGEST_NEW,
    TAKC_INGEST_CHANGED,  /* a new revision under a known name */
    TAKC_INGEST_SAME,     /* same bytes, same reader: nothing to do */
    TAKC_INGEST_SKIPPED,  /* hidden, binary, link out of the folder ... */
    TAKC_INGEST_REFUSED,  /* hostile, damaged, over a limit */
    TAKC_INGEST_VANISHED, /* known from this root, no longer there; still in the task */
    TAKC_INGEST_FORGOTTEN /* as VANISHED, under mirror: forgotten */
};

struct takc_ingest_item { /* lives during the callback */
    enum takc_ingest_outcome outcome;
    struct takc_str name, reader, charset;
    uint64_t bytes, units, tokens, n_replaced;
    uint64_t chunks;         /* written for it; 0 where it is not new or changed */
    enum takc_status status; /* REFUSED: why, as a status */
    const char *message;     /* SKIPPED, REFUSED: why; else notes of the reader, one a line, or "" */
};
typedef void takc_ingest_fn(void *arg, const struct takc_ingest_item *item);

struct takc_ingest_options {
    struct takc_str task;
    const char *name; /* overrides the name of a single file; NULL: none */
    const char *root; /* noted as the place that documents came from, in the place of a folder's path; then none vanishes. NULL: the path */
    bool mirror;      /* forget what vanished from this root */
    const char *date; /* given date for all (YYYY-MM-DD); NULL: from the format */
    const char *const *labels;
    size_t n_labels;
    const char *const *include, *const *exclude; /* globs over paths; include: none means all; what is left out has not vanished */
    size_t n_include, n_exclude;
    const char *jsonl_id, *jsonl_title, *jsonl_text, *jsonl_date, *pdf_mode; /* doc/reader.h; NULL: defaults */
    uint64_t max_file_bytes;                                                 /* 0: 256 MiB */
    uint64_t max_text_bytes;                                                 /* 0: 256 MiB */
    uint64_t timeout_ms;                                                     /* of one confined child; 0: 60,000 */
    unsigned n_threads;                                                      /* 0: 1 */
    uint64_t wait_ms;                                                        /* for the task's lock */
    takc_ingest_fn *each;                                                    /* NULL: nobody listens */
    void *each_arg;
};

struct takc_ingest_report {
    uint64_t n_new, n_changed, n_same, n_skipped, n_refused, n_vanished, n_forgotten;
    uint64_t bytes, tokens, n_replaced; /* of new and changed documents */
};

/* Ingests files, folders or "-" (standard input, needs name). OK although documents were refused: the report counts them.
 * NOT_FOUND when the task has no profile (takc init) or a path does not exist; CONFLICT when a name belongs to another root; BUSY;
 * FULL when the disk is: what was accepted before stays. */
TAKC_API TAKC_CHECK enum takc_status takc_ingest(struct takc_home *h, struct takc_call *call, const char *const *paths, size_t n_paths,
                                                 const struct takc_ingest_options *o, struct takc_ingest_report *out, struct takc_err *err);

#endif
