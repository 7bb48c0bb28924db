/* SPDX-License-Identifier: Apache-2.0
 *
 * takc/home.h - a home: the folder that holds tasks, documents, versions. Several processes may use one home at the same time.
 * Threads: an open home may be used from any thread. */
#ifndef TAKC_HOME_H
#define TAKC_HOME_H

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

#endif
