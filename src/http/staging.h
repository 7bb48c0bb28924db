/* SPDX-License-Identifier: Apache-2.0
 *
 * http/staging.h - where uploads stand between their request and their job: files under their documents' names, in a folder of the
 * server's home that no key of the store can name.
 *
 *   .takc-uploads/up-{process}-{random}-{n}/{group}/{name}   while the body comes
 *   .takc-uploads/job-{id}/{group}/{name}                    synced, a job's; or fetched by the job (http/from_s3.h)
 *
 *   .takc-uploads/job-{id}/0/few_shot_examples.json          of a compression (http/examples.h)
 *
 * Documents of a group share date and labels. A name is checked before it becomes a path, and files are made, never opened.
 * Threads: each staging one at a time. */
#ifndef TAKC_HTTP_STAGING_H
#define TAKC_HTTP_STAGING_H

#include "http/jobs.h"

#include <limits.h>

#define TAKC_UPLOAD_ROOT "upload:" /* of documents that were uploaded; no folder's path looks like that */
enum { TAKC_UPLOAD_LABELS_MAX = 32, TAKC_UPLOAD_NAME_MAX = 900, TAKC_UPLOAD_GROUPS_MAX = 1000 };
enum { TAKC_STAGING_GRACE_S = 60 }; /* a folder that was just made a job's: its row may be on its way */

struct takc_staging { /* path empty: none */
    char path[PATH_MAX];
    int file; /* being written; -1: none */
    unsigned n_files;
};

/* Can this be a document's name? 1 to 900 bytes of UTF-8 without control characters, a relative path of parts of at most 255 bytes, none
 * of them empty, "." or "..". INVALID says what is wrong. Pure. */
TAKC_CHECK enum takc_status takc_upload_name_check(struct takc_str name, struct takc_err *err);

/* Makes the folder, in the home's. FULL, IO. Drop or keep it. */
TAKC_CHECK enum takc_status takc_staging_open(struct takc_staging *s, const char *home, struct takc_err *err);
/* Begins the file of a document. INVALID: no name, or a second of that name. */
TAKC_CHECK enum takc_status takc_staging_begin(struct takc_staging *s, unsigned group, struct takc_str name, struct takc_err *err);
/* Appends to it. FULL, IO. */
TAKC_CHECK enum takc_status takc_staging_write(struct takc_staging *s, struct takc_str piece, struct takc_err *err);
/* The document's file is whole. FULL, IO. */
TAKC_CHECK enum takc_status takc_staging_end(struct takc_staging *s, struct takc_err *err);
/* Syncs everything and makes it a job's; s is empty then. */
TAKC_CHECK enum takc_status takc_staging_keep(struct takc_staging *s, const char *home, const char *job, struct takc_err *err);
/* Removes everything; a zeroed, a kept and a dropped one are fine. */
void takc_staging_drop(struct takc_staging *s);

/* The folder of a job's group, in out (PATH_MAX bytes). */
TAKC_CHECK enum takc_status takc_staging_group(const char *home, struct takc_str job, unsigned group, char *out, struct takc_err *err);
/* Makes a group of a job anew, empty: for documents that its own work fetches. Nothing is synced: what stands in it is no more than
 * takc_staging_process's. */
TAKC_CHECK enum takc_status takc_staging_make_group(const char *home, struct takc_str job, unsigned group, struct takc_err *err);
/* A name of this process that no other one has or had, for notes in such a folder. */
void takc_staging_process(char out[48]);
/* Removes what is a job's; nothing is fine. */
void takc_staging_drop_job(const char *home, struct takc_str job);
/* Removes what nobody will ask for: of processes that have gone, of jobs that are not open. jobs NULL, for who runs none: only what has
 * stood there for a day, and no job's. */
void takc_staging_sweep(const char *home, struct takc_jobs *jobs);
/* Removes only what is of jobs that are not open and was made theirs more than grace_s ago: what a killed server left when the next one
 * began at once and could not tell it from what is on its way. Any server may, now and then. */
void takc_staging_sweep_jobs(const char *home, struct takc_jobs *jobs, int64_t grace_s);

#endif
