/* SPDX-License-Identifier: Apache-2.0
 *
 * base/spill.h - bytes that are made before they can be written: past a limit they wait in a file without a name instead of in memory. A
 * blob whose parts grow side by side (an index), or whose head is known last (an artifact), is a row of spills, read one behind the other.
 *
 * The file is gone with the process, whatever ends it. Threads: one at a time. */
#ifndef TAKC_BASE_SPILL_H
#define TAKC_BASE_SPILL_H

#include "base/stream.h"

#define TAKC_SPILL_BYTES ((size_t)64 << 10) /* kept in memory: few pages, and few calls a megabyte */
enum { TAKC_PIECES_MAX = 16 };

struct takc_spill {
    struct takc_buf buf; /* what is not in the file yet: append here, then settle */
    uint64_t in_file;
    int fd; /* -1: no file yet */
};

/* A blob in pieces. */
struct takc_pieces {
    struct takc_spill piece[TAKC_PIECES_MAX];
    size_t n;
    const char *folder; /* where files are made; NULL: all stays in memory */
};

/* n empty pieces (<= TAKC_PIECES_MAX). Borrows folder. */
void takc_pieces_init(struct takc_pieces *p, size_t n, const char *folder);
/* Frees what is in memory and closes the files, which are gone then; twice is harmless. */
void takc_pieces_clear(struct takc_pieces *p);

static inline uint64_t takc_spill_len(const struct takc_spill *s)
{
    return s->in_file + s->buf.len;
}
/* Moves what piece i holds to its file. */
TAKC_CHECK enum takc_status takc_pieces_spill(struct takc_pieces *p, size_t i, struct takc_err *err);
/* The same, if it is much. IO and FULL; the pieces are good for clearing only then. */
TAKC_CHECK static inline enum takc_status takc_pieces_settle(struct takc_pieces *p, size_t i, struct takc_err *err)
{
    return p->piece[i].buf.len < TAKC_SPILL_BYTES || !p->folder ? TAKC_OK : takc_pieces_spill(p, i, err);
}

/* Reads all pieces, one behind the other. They outlive it and do not grow meanwhile. */
struct takc_pieces_source {
    struct takc_source source; /* first */
    const struct takc_pieces *pieces;
    size_t i;
    uint64_t at;
};
/* A reader before the first byte of the first piece. */
struct takc_pieces_source takc_pieces_read(const struct takc_pieces *p);
/* Appends all pieces to out, each given back when it is copied. out is unchanged after a failure. */
TAKC_CHECK enum takc_status takc_pieces_join(struct takc_pieces *p, struct takc_buf *out, struct takc_err *err);

#endif
