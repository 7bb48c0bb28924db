/* SPDX-License-Identifier: Apache-2.0
 *
 * source/source.h - where documents come from: a file, a folder, standard input. S3 is copied into a folder first (source/s3.h).
 *
 * A folder is walked in the order of name bytes. Hidden files and folders, symbolic links that leave the root, special files (fifos,
 * sockets, devices) and what cannot be read are not given but told, with the reason; the walk goes on. `.gz` files are given decompressed,
 * under their own name; a kind is judged by takc_source_inner_name. What is text and what is binary is the registry's word
 * (takc_reader_pick), not this module's.
 * Threads: any; one walk belongs to one thread. */
#ifndef TAKC_SOURCE_SOURCE_H
#define TAKC_SOURCE_SOURCE_H

#include "base/buf.h"
#include "base/hash.h"
#include "takc/call.h"

#define TAKC_SOURCE_MAX_FILE ((uint64_t)1 << 30)
enum {
    TAKC_SOURCE_MAX_FOLDERS = 64,          /* nesting of folders */
    TAKC_SOURCE_SHOWN_BYTES = 1024,        /* of a name for people */
    TAKC_SOURCE_RATIO = 1000,              /* a .gz that grows more than this ... */
    TAKC_SOURCE_RATIO_FREE_BYTES = 1 << 20 /* ... beyond this size is a bomb */
};

struct takc_source_options {
    uint64_t max_file_bytes; /* of a file, compressed or not; 0: TAKC_SOURCE_MAX_FILE */
    bool hidden;             /* take names that begin with a dot, too */
    const char *stdin_name;  /* the document's name for "-"; NULL: "stdin" */
};

struct takc_source_item {
    struct takc_str name;     /* relative to the root, '/' between parts; a single file: its base name; UTF-8 without control characters */
    struct takc_str root;     /* absolute path of the folder walked, or of the folder of the single file; "-" for standard input */
    struct takc_str bytes;    /* decompressed */
    int64_t mtime_s;          /* seconds since 1970; 0 for standard input */
    bool compressed;          /* it was a .gz */
    struct takc_hex file_sha; /* of the bytes on disk where compressed; else empty */
};

/* One document; what item points to lives until it returns. A failure ends the walk. */
typedef enum takc_status takc_source_each_fn(void *arg, const struct takc_source_item *item, struct takc_err *err);
/* A file that is not given: SKIPPED (hidden, link, special: by design) has status OK, else the status says what was wrong. */
typedef void takc_source_skipped_fn(void *arg, struct takc_str name, enum takc_status status, const char *reason);

/* Walks path: a file, a folder, or "-". NOT_FOUND and IO when the root itself cannot be read, each's failure, CANCELLED, TIMEOUT, NOMEM.
 * skipped may be NULL; a single file that is refused is told to it and is no failure of the walk. */
TAKC_CHECK enum takc_status takc_source_walk(const char *path, const struct takc_source_options *options, struct takc_call *call,
                                             takc_source_each_fn *each, takc_source_skipped_fn *skipped, void *arg, struct takc_err *err);

/* The name by which the kind is judged: "a.txt" for "a.txt.gz". */
struct takc_str takc_source_inner_name(struct takc_str name);
/* Can this be a document's name, or a part of one? UTF-8 without control characters, and not empty. */
bool takc_source_good_name(struct takc_str name);
/* A name that may be none, for people: what cannot be printed is '?', what is too long is cut. A view into out. */
struct takc_str takc_source_shown(struct takc_str name, char out[TAKC_SOURCE_SHOWN_BYTES]);
/* Appends what a gzip file holds, all its members. REFUSED for bombs and what is over out's limit, CORRUPT for damage and for bytes behind
 * the last member. */
TAKC_CHECK enum takc_status takc_source_gunzip(struct takc_str gz, struct takc_buf *out, struct takc_err *err);

#endif
