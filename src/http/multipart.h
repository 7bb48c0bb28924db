/* SPDX-License-Identifier: Apache-2.0
 *
 * http/multipart.h - bodies of multipart/form-data (RFC 7578), read piece by piece as they come: nothing of a part but its headers is ever
 * held. Strict: lines end in CR LF, every part has one Content-Disposition: form-data with a name, no folded headers, no encodings of
 * transfer but the identity. What stands before the first boundary and behind the last is dropped.
 * Pure: no memory of its own, no files. Threads: one at a time. */
#ifndef TAKC_HTTP_MULTIPART_H
#define TAKC_HTTP_MULTIPART_H

#include "takc/str.h"

enum {
    TAKC_BOUNDARY_MAX = 70,           /* RFC 2046 */
    TAKC_PART_HEADER_MAX = 8192,      /* bytes of all headers of a part: the longest name of a file is far below */
    TAKC_MULTIPART_PARTS_MAX = 10000, /* parts: each file costs the server more than its bytes */
    TAKC_PADDING_MAX = 64             /* blanks behind a boundary */
};

struct takc_multipart_part {              /* lives during begin; texts are unescaped, and may hold any byte but NUL, CR and LF */
    struct takc_str name, filename, type; /* type: Content-Type as it came; empty: none */
    bool has_filename;                    /* a file, though its name may be empty */
};
struct takc_multipart_handlers { /* called in turn: begin, data any number of times, end; a failure ends the reading */
    enum takc_status (*begin)(void *arg, const struct takc_multipart_part *part, struct takc_err *err);
    enum takc_status (*data)(void *arg, struct takc_str piece, struct takc_err *err); /* never empty */
    enum takc_status (*end)(void *arg, struct takc_err *err);
    void *arg;
};

struct takc_multipart { /* the caller's storage; init it */
    struct takc_multipart_handlers handlers;
    char delimiter[4 + TAKC_BOUNDARY_MAX + 1]; /* "\r\n--" and the boundary */
    size_t delimiter_len, matched;             /* matched: bytes of it seen at the end of what came */
    int state;
    bool in_part;
    unsigned n_parts, n_padding;
    size_t header_len;
    char header[TAKC_PART_HEADER_MAX];
};

/* The boundary of a Content-Type. INVALID: it is multipart/form-data and has none, or one that cannot be; UNSUPPORTED: it is another type.
 */
TAKC_CHECK enum takc_status takc_multipart_boundary(struct takc_str content_type, char out[TAKC_BOUNDARY_MAX + 1], struct takc_err *err);
/* m needs no clearing; both are copied. */
void takc_multipart_init(struct takc_multipart *m, const char *boundary, const struct takc_multipart_handlers *handlers);
/* Reads the next piece. INVALID with what is wrong; otherwise what a handler failed with. After a failure the same comes again. */
TAKC_CHECK enum takc_status takc_multipart_feed(struct takc_multipart *m, struct takc_str piece, struct takc_err *err);
/* The body has ended. INVALID: before its last boundary. */
TAKC_CHECK enum takc_status takc_multipart_finish(struct takc_multipart *m, struct takc_err *err);

#endif
