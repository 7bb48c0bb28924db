/* SPDX-License-Identifier: Apache-2.0
 *
 * object/dir.h - what the files of the dir store share: names on disk, staged files, walking. Only object/ and catalog/ include it.
 *
 * A key is a path below the root, so that people and other tools find raw-data/fin/a.txt where they look for it. Three things are
 * escaped, reversibly: '%' itself, names that the store or the home keep for themselves (temporaries, locks, catalogue, tenants), and parts
 * longer than a file name may be, which become nested folders whose names end in "%+". */
#ifndef TAKC_OBJECT_DIR_H
#define TAKC_OBJECT_DIR_H

#include "base/arena.h"
#include "object/store.h"

#include <limits.h>

/* The path of a key, NUL-terminated, in out (PATH_MAX bytes). The key has been checked. INVALID when it is too long. */
TAKC_CHECK enum takc_status takc_dir_path(const char *root, struct takc_str key, char *out, struct takc_err *err);
enum { TAKC_DIR_KEY_MAX = 1024 };
/* The key of a path relative to the root, in out (TAKC_DIR_KEY_MAX bytes); false when the store would not have written that path. */
bool takc_dir_key(const char *rel, char *out, size_t *out_len);

/* A file being written beside the name that it will get. */
struct takc_stage {
    int fd;
    char tmp[PATH_MAX];
};
/* Makes the folders of path and a temporary in the last one; survives others that remove empty folders meanwhile. */
TAKC_CHECK enum takc_status takc_stage_open(struct takc_stage *s, const char *path, struct takc_err *err);
/* As takc_stage_open, but the file is path itself, which s->tmp holds then. CONFLICT when something is there. */
TAKC_CHECK enum takc_status takc_stage_open_at(struct takc_stage *s, const char *path, struct takc_err *err);
/* Appends bytes. FULL or IO; the stage must be dropped then. */
TAKC_CHECK enum takc_status takc_stage_write(struct takc_stage *s, struct takc_str bytes, struct takc_err *err);
/* Brings what was written to the disk. FULL or IO; the stage must be dropped then. */
TAKC_CHECK enum takc_status takc_stage_sync(struct takc_stage *s, struct takc_err *err);
/* Closes the file and keeps the temporary. */
TAKC_CHECK enum takc_status takc_stage_end(struct takc_stage *s, struct takc_err *err);
/* Sync, rename to path, sync of the folder. The stage is gone afterwards, whatever happens. */
TAKC_CHECK enum takc_status takc_stage_keep(struct takc_stage *s, const char *path, struct takc_err *err);
/* Removes it; harmless when it is gone. */
void takc_stage_drop(struct takc_stage *s);
/* Names a closed temporary; it is removed when that fails. */
TAKC_CHECK enum takc_status takc_stage_name(const char *tmp, const char *path, struct takc_err *err);
/* fsync of the folder that holds path; a folder that somebody removed meanwhile is fine. */
TAKC_CHECK enum takc_status takc_stage_sync_folder(const char *path, struct takc_err *err);
/* One sync of the whole file system that holds root. */
TAKC_CHECK enum takc_status takc_stage_sync_all(const char *root, struct takc_err *err);

/* One file: its path relative to the root, its size, when it was changed (seconds since 1970). A failure ends the walk. */
typedef enum takc_status takc_dir_each_fn(void *arg, const char *rel, uint64_t size_bytes, int64_t changed_s, struct takc_err *err);
/* Tells each every file below root/rel ("" for all; missing is fine), in no order; deep: in folders below it, too. Symbolic links are not
 * followed; what vanishes meanwhile is left out. */
TAKC_CHECK enum takc_status takc_dir_walk(const char *root, const char *rel, bool deep, takc_dir_each_fn *each, void *arg,
                                          struct takc_err *err);
/* Removes temporaries below root/rel whose process is gone or that are older than a day; adds to *n_removed. deep: folders inside too. */
TAKC_CHECK enum takc_status takc_dir_sweep(const char *root, const char *rel, bool deep, uint64_t *n_removed, struct takc_err *err);
/* Removes the folder that held path, and those above it, as long as they are empty or missing, and below root. */
void takc_dir_prune(const char *root, const char *path);

/* The folder behind a dir store; NULL for another store. Lives as long as the store. */
const char *takc_store_dir_root(const struct takc_store *s);

#define TAKC_DIR_LOCKS "locks"     /* folder of lock files below the root */
#define TAKC_DIR_TENANTS "tenants" /* folder of other homes below the root: nothing in it is a key of this one's */

/* dir_batch.c: the slots of the dir store's batch, with the promises of takc_store_batch_*. Opening stages nothing yet; the batch looks at
 * the root's file system once. */
TAKC_CHECK enum takc_status takc_dir_batch_open(struct takc_store *s, struct takc_store_batch **out, struct takc_err *err);
/* Writes the temporary now, unless known_content and the size say that it is there. A failure leaves the batch as it was. */
TAKC_CHECK enum takc_status takc_dir_batch_put(struct takc_store_batch *b, struct takc_call *call, struct takc_str key,
                                               struct takc_str bytes, bool known_content, struct takc_err *err);
/* Writes the file under its own name now; a temporary where something is there. A failure leaves the batch as it was. */
TAKC_CHECK enum takc_status takc_dir_batch_derive(struct takc_store_batch *b, struct takc_call *call, struct takc_str key,
                                                  struct takc_str bytes, struct takc_err *err);
/* Notes the path; nothing on the disk changes before commit. */
TAKC_CHECK enum takc_status takc_dir_batch_del(struct takc_store_batch *b, struct takc_call *call, struct takc_str key,
                                               struct takc_err *err);
/* Syncs the temporaries, names them in order, removes, syncs the folders; empties the batch, whatever the status. */
TAKC_CHECK enum takc_status takc_dir_batch_commit(struct takc_store_batch *b, struct takc_call *call, struct takc_err *err);
/* Removes the temporaries that have no name yet, and frees b. */
void takc_dir_batch_close(struct takc_store_batch *b);

#endif
