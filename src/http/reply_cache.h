/* SPDX-License-Identifier: Apache-2.0
 *
 * http/reply_cache.h - finished replies of cached reads, in memory: the bytes that a client gets, made once.
 *
 * An entry is good as long as the task's manifest is the file it was when the entry was made: a version, a rate, a redaction or a rollback
 * comes and goes with the manifest, which is replaced whole, by whichever process. One stat(2) tells (device, inode, times, size); nothing
 * is given on trust for any time. Entries are named by the home's path, so that two tenants never share one. The least recently used goes
 * first when the memory is full. Large replies are files in memory (memfd), which the system sends without copying them, a few dozen at
 * most. Bytes that are on their way to a client stay until the last of them was sent.
 * Threads: any. */
#ifndef TAKC_HTTP_REPLY_CACHE_H
#define TAKC_HTTP_REPLY_CACHE_H

#include "base/buf.h"
#include "catalog/home.h"

#include <sys/stat.h>

struct takc_reply_cache;
/* max_bytes of replies, and what keeping them takes; 0: keeps nothing. NOMEM. Returns owned: takc_reply_cache_free. */
TAKC_CHECK enum takc_status takc_reply_cache_new(struct takc_reply_cache **out, size_t max_bytes, struct takc_err *err);
/* Replies in use stay until they are released. NULL is harmless. */
void takc_reply_cache_free(struct takc_reply_cache *c);

struct takc_kept_key { /* borrowed */
    struct takc_home *home;
    struct takc_str task;
    takc_rate rate;
};
struct takc_kept { /* a reply; the holder has a share in it */
    struct takc_str bytes;
    const char *etag;
    int fd; /* a file of the same bytes; -1: none */
};
struct takc_stamp { /* of a manifest, as it is now; make it before the manifest is read */
    bool there;
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec modified, changed;
};
/* How the manifest's file is now; there is false where there is none. */
struct takc_stamp takc_stamp_of(const struct takc_kept_key *k);

/* The reply, if there is one that is good; else NULL. c may be NULL. Release it. */
const struct takc_kept *takc_reply_cache_get(struct takc_reply_cache *c, const struct takc_kept_key *k);
/* Keeps a reply made from what the stamp stands for: takes the bytes of b. Gives a share in it, or NULL, b as it was: no memory, too large,
 * no stamp, c NULL. */
const struct takc_kept *takc_reply_cache_put(struct takc_reply_cache *c, const struct takc_kept_key *k, const struct takc_stamp *stamp,
                                             const char *etag, struct takc_buf *b);
/* Gives a share (a struct takc_kept *) back. */
void takc_kept_release(void *kept);

/* Bytes and entries that are kept. c may be NULL. */
void takc_reply_cache_count(struct takc_reply_cache *c, uint64_t *out_bytes, uint64_t *out_entries);

#endif
