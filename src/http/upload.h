/* SPDX-License-Identifier: Apache-2.0
 *
 * http/upload.h - a body of form-data on its way to the disk: files become documents in a staging folder, a few fields say what of. The
 * exchange's sink is set when the head is there; pieces are parsed and written as they come, on the connection's thread. Whatever way the
 * exchange ends, nothing stays but what a job has taken.
 *
 *   files under any name           a document each; its name is the file's
 *   task_type, create, async       as in JSON
 *   date, labels (repeated)        of all documents of the body
 *
 * Clients draw a boundary anew each time they send a form: what an Idempotency-Key stands for is the parts, not the bytes between them. */
#ifndef TAKC_HTTP_UPLOAD_H
#define TAKC_HTTP_UPLOAD_H

#include "base/arena.h"
#include "http/multipart.h"
#include "http/staging.h"

enum { TAKC_UPLOAD_FIELD_MAX = 4096 /* bytes of a field that is no file */ };

struct takc_exchange;

struct takc_upload { /* in the exchange's arena */
    struct takc_multipart parser;
    struct takc_staging staging;
    struct takc_arena *arena;
    const char *home;
    int field;                 /* the part at hand: a row of upload.c's fields; -1: a file */
    unsigned seen;             /* bits of the fields that came */
    bool empty_file;           /* a form's file field that nobody filled */
    struct takc_sha256 *again; /* of the parts, in the place of the body's; NULL: no Idempotency-Key */
    uint64_t part_bytes;
    char value[TAKC_UPLOAD_FIELD_MAX];
    size_t value_len;
    struct takc_str task, date, description, labels[TAKC_UPLOAD_LABELS_MAX];
    size_t n_labels;
    bool create, async;
};

/* Where the request bears form-data: sets x->sink. NULL: it does not, or it is refused: x->status tells. home lives as long as the server;
 * max_bytes of the body. */
struct takc_upload *takc_upload_begin(struct takc_exchange *x, const char *home, uint64_t max_bytes);
/* The body is whole. INVALID: it is no whole form, has no task_type or no file. */
TAKC_CHECK enum takc_status takc_upload_finish(struct takc_upload *u, struct takc_err *err);
/* The exchange has ended: removes what no job has taken. NULL is harmless. */
void takc_upload_end(struct takc_upload *u);

#endif
