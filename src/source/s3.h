/* SPDX-License-Identifier: Apache-2.0
 *
 * source/s3.h - documents below an S3 name, copied into a folder, from where they are taken as any folder's are.
 *
 * "s3://BUCKET/PREFIX" is a folder: its documents are the objects whose keys begin with "PREFIX/", called as the keys go on. Where there is
 * none, it is the one object of that key, called by its last part. Keys are bytes, documents' names are paths: what cannot be both is not
 * taken, and told with why, as is everything else that is not taken, but for the empty objects ("docs/") that stand for folders. */
#ifndef TAKC_SOURCE_S3_H
#define TAKC_SOURCE_S3_H

#include "source/source.h"

enum { TAKC_SOURCE_S3_BYTES = 1104 /* of an s3 name with its NUL: the scheme, 63 of a bucket, 1024 of a key */ };

/* Reads an s3 name into out as it is kept: no '/' at its end. INVALID: it is none, or a part of its key is empty, "." or "..": a server in
 * between could read those as steps. */
TAKC_CHECK enum takc_status takc_source_s3_place(struct takc_str uri, char out[TAKC_SOURCE_S3_BYTES], struct takc_err *err);
/* Is a place another one, or below it? Both as takc_source_s3_place gives them. "s3://b/docs-2" is not below "s3://b/docs". Pure. */
bool takc_source_s3_is_below(struct takc_str place, struct takc_str folder);
/* Can the object be a document? rest: its key behind the prefix, which is the document's name then. OK; else why not: *out_why (static),
 * REFUSED, or, for what is skipped by design, UNSUPPORTED. Pure. */
enum takc_status takc_source_s3_fits(struct takc_str rest, const char **out_why);

struct takc_source_s3_options {
    const char *ca_file, *proxy;                     /* net/http.h */
    const char *profile, *region;                    /* aws/credentials.h; endpoints and keys come from the environment as everywhere */
    uint64_t max_file_bytes;                         /* a larger object is told; 0: TAKC_SOURCE_MAX_FILE */
    uint64_t max_bytes, max_objects;                 /* below the place, all together; 0: 10 GiB, 100,000 */
    unsigned n_parallel;                             /* objects under way at a time; 0: 8 */
    bool (*wanted)(void *arg, struct takc_str name); /* NULL: all */
    takc_source_skipped_fn *skipped;                 /* NULL: nobody listens; one at a time, from several threads */
    void *arg;
};

struct takc_source_s3_copied {
    uint64_t n_objects, n_bytes;     /* that stand in the folder now */
    char root[TAKC_SOURCE_S3_BYTES]; /* of their names: the place, or, of one object, what it lies in */
};

/* Copies the documents of a place into folder, which is there and empty. Objects go to the disk as they come. Nothing is synced.
 * NOT_FOUND: no such bucket, or nothing at or below the place; DENIED: nobody has keys, they may not list, or not read a single object;
 * REFUSED: more objects or bytes than allowed; INVALID: region, settings or credential files are wrong; LIMITED, UPSTREAM, TIMEOUT,
 * UNTRUSTED, as aws/s3.h; UNSUPPORTED: no libcurl; CANCELLED; FULL, IO; NOMEM. What is in the folder after a failure is void.
 * Threads: any; it starts some of its own. Progress: stage "fetch", in objects. */
TAKC_CHECK enum takc_status takc_source_s3_copy(struct takc_str uri, const char *folder, const struct takc_source_s3_options *o,
                                                struct takc_call *call, struct takc_source_s3_copied *out, struct takc_err *err);

#endif
