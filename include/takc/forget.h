/* SPDX-License-Identifier: Apache-2.0
 *
 * takc/forget.h - documents leave a task and nothing of them stays behind. */
#ifndef TAKC_FORGET_H
#define TAKC_FORGET_H

#include "takc/call.h"
#include "takc/str.h"

struct takc_home;

struct takc_forget_report {
    uint64_t n_revisions;      /* of the documents, removed */
    uint64_t n_versions;       /* of the task, made again or redacted */
    uint64_t n_objects;        /* removed from the store */
    uint64_t n_sentences;      /* of the documents that no other kept document holds: searched for */
    uint64_t n_files, n_bytes; /* searched, decompressed */
    uint64_t n_found;          /* places where one was found; 0 is the proof */
    char where[512];           /* the first such place; "" */
};

/* Forgets documents, all at once: versions are made again once. NOT_FOUND when the task has none of one of the names, and nothing is
 * forgotten then (behind a run that was killed, such a name is taken for one that it forgot); BUSY when another process writes to the task
 * or, for the scrub of the catalogue, uses the home (call again to finish: the versions are without them by then, records and sources are
 * not). CORRUPT when the proof failed: out says where. What another task takes in meanwhile, and uploads that wait, are no
 * copies; where there are such, the proof takes a second longer. */
TAKC_API TAKC_CHECK enum takc_status takc_forget(struct takc_home *h, struct takc_call *call, struct takc_str task,
                                                 const struct takc_str *documents, size_t n_documents, uint64_t wait_ms,
                                                 struct takc_forget_report *out, struct takc_err *err);

/* What takc_forget would do: revisions, versions and sentences of the report; nothing changes. NOT_FOUND as above. */
TAKC_API TAKC_CHECK enum takc_status takc_forget_plan(struct takc_home *h, struct takc_call *call, struct takc_str task,
                                                      const struct takc_str *documents, size_t n_documents, struct takc_forget_report *out,
                                                      struct takc_err *err);

#endif
