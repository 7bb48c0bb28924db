/* SPDX-License-Identifier: Apache-2.0
 *
 * takc/forget.h - a document leaves a task and nothing of it stays behind. */
#ifndef TAKC_FORGET_H
#define TAKC_FORGET_H

#include "takc/call.h"
#include "takc/str.h"

struct takc_home;

struct takc_forget_report {
    uint64_t n_revisions;      /* of the document, removed */
    uint64_t n_versions;       /* of the task, made again or redacted */
    uint64_t n_objects;        /* removed from the store */
    uint64_t n_sentences;      /* of the document that no other kept document holds: searched for */
    uint64_t n_files, n_bytes; /* searched, decompressed */
    uint64_t n_found;          /* places where one was found; 0 is the proof */
    char where[512];           /* the first such place; "" */
};

/* Forgets a document. NOT_FOUND when the task has none of that name; BUSY when another process writes to the task or, for the scrub of the
 * catalogue, uses the home (call again to finish: the versions are without it by then, its record and source are not). CORRUPT when the
 * proof failed: out says where. */
TAKC_API TAKC_CHECK enum takc_status takc_forget(struct takc_home *h, struct takc_call *call, struct takc_str task,
                                                 struct takc_str document, uint64_t wait_ms, struct takc_forget_report *out,
                                                 struct takc_err *err);

/* What takc_forget would do: revisions, versions and sentences of the report; nothing changes. NOT_FOUND as above. */
TAKC_API TAKC_CHECK enum takc_status takc_forget_plan(struct takc_home *h, struct takc_call *call, struct takc_str task,
                                                      struct takc_str document, struct takc_forget_report *out, struct takc_err *err);

#endif
