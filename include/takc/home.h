/* SPDX-License-Identifier: Apache-2.0
 *
 * takc/home.h - a home: the folder that holds tasks, documents, versions. Several processes may use one home at the same time.
 * Threads: an open home may be used from any thread. */
#ifndef TAKC_HOME_H
#define TAKC_HOME_H

#include "takc/call.h"
#include "takc/str.h"

struct takc_home;

/* Opens the home at path; create makes it when it is missing, NOT_FOUND otherwise. A home of a newer takc is UNSUPPORTED by name, an older
 * one is migrated. Returns owned: takc_close. */
TAKC_API TAKC_CHECK enum takc_status takc_open(struct takc_home **out, const char *path, bool create, struct takc_err *err);
/* Closes; NULL is harmless. */
TAKC_API void takc_close(struct takc_home *h);
/* Writes a task's profile (docs/formats/profile.md; empty yaml: the defaults). INVALID with line and column; CONFLICT when the task has one
 * already and replace is false. */
TAKC_API TAKC_CHECK enum takc_status takc_task_write(struct takc_home *h, struct takc_str task, struct takc_str yaml, bool replace,
                                                     struct takc_err *err);

struct takc_task_deleted {
    uint64_t n_documents, n_versions, n_objects; /* removed */
    uint64_t n_sentences;                        /* of its documents that nothing else in the home holds: searched for in every file */
    bool searched;                               /* false: something of it could not be read, so there was nothing to search for */
};
/* Removes a task with everything of it: its documents are forgotten (takc/forget.h, with the search that proves it), then whatever else has
 * its name goes, its profile last; what its models cost stays in the ledger, under its name. NOT_FOUND: there is no such task, and
 * nothing of one; BUSY: somebody writes to it (waited for wait_ms), or uses the home. Cut off at any moment it is still a task, and the
 * next call ends what this one began. CORRUPT: a sentence was found elsewhere; it says where, and the task is still there. */
TAKC_API TAKC_CHECK enum takc_status takc_task_delete(struct takc_home *h, struct takc_call *call, struct takc_str task, uint64_t wait_ms,
                                                      struct takc_task_deleted *out, struct takc_err *err);

#endif
