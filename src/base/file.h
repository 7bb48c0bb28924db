/* SPDX-License-Identifier: Apache-2.0
 *
 * base/file.h - files: read whole, map, write durably, walk, lock. Every read, write, fsync and rename asks base/fault.h first.
 * Durable means: temporary name in the same folder, write, fsync, rename, fsync of the folder; after a crash the name holds the old bytes
 * or the new ones. Temporary names begin with ".takc-tmp-", so that leftovers of a killed process can be told and removed. Threads: any, on
 * different files. */
#ifndef TAKC_BASE_FILE_H
#define TAKC_BASE_FILE_H

#include "base/buf.h"

#define TAKC_TMP_PREFIX ".takc-tmp-"

/* Appends the whole file to out (whose max is the limit). NOT_FOUND, INVALID when larger than the limit, IO. */
TAKC_CHECK enum takc_status takc_file_read(const char *path, struct takc_buf *out, struct takc_err *err);
/* Puts bytes under path durably. Old or new content on every failure; no leftover but after a kill. FULL when the disk is. */
TAKC_CHECK enum takc_status takc_file_write(const char *path, struct takc_str bytes, struct takc_err *err);
/* Removes a file and syncs its folder. NOT_FOUND when there is none. */
TAKC_CHECK enum takc_status takc_file_remove(const char *path, struct takc_err *err);
/* Makes the folder and those above it, each synced into its parent; an existing one is fine. */
TAKC_CHECK enum takc_status takc_dir_make(const char *path, struct takc_err *err);
/* Makes the folders above path. */
TAKC_CHECK enum takc_status takc_dir_make_for(const char *path, struct takc_err *err);
/* fsync of a folder. */
TAKC_CHECK enum takc_status takc_dir_sync(const char *path, struct takc_err *err);

/* A read-only map of a whole file. */
struct takc_map {
    struct takc_str bytes; /* lives until takc_map_close */
};
/* NOT_FOUND or IO with the path; an empty file is an empty view. Close afterwards. */
TAKC_CHECK enum takc_status takc_map_open(struct takc_map *m, const char *path, struct takc_err *err);
/* Unmaps: m->bytes is gone with it. Zeroed storage and a closed map are fine. */
void takc_map_close(struct takc_map *m);

/* Where a durable write stands. Tests that kill the process set the hook to learn where the kill landed; NULL otherwise. */
enum takc_file_phase { TAKC_FILE_IDLE = 0, TAKC_FILE_STAGE, TAKC_FILE_SYNC, TAKC_FILE_NAME, TAKC_FILE_FOLDER };
extern void (*takc_file_phase_hook)(enum takc_file_phase);
static inline void takc_file_phase(enum takc_file_phase phase)
{
    if (takc_file_phase_hook)
        takc_file_phase_hook(phase);
}

/* An advisory lock on a file that is made when missing; held until close, or until the process ends. */
struct takc_lock {
    int fd; /* -1: not held */
};
/* exclusive or shared; waits up to wait_ms, then BUSY. */
TAKC_CHECK enum takc_status takc_lock_open(struct takc_lock *l, const char *path, bool exclusive, uint64_t wait_ms, struct takc_err *err);
/* Lets go; harmless when it is not held. */
void takc_lock_close(struct takc_lock *l);

#endif
