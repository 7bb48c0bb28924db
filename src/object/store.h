/* SPDX-License-Identifier: Apache-2.0
 *
 * object/store.h - a place that keeps named blobs: dir and mem now, s3 later.
 *
 * Keys: UTF-8, 1..1024 bytes, parts separated by '/', no empty part, no "." or "..", no NUL, no leading or trailing '/'. INVALID otherwise.
 * A key cannot be the folder of another ("a" beside "a/b"): a put of the second one is INVALID.
 * Blobs: 0 bytes to 5 TiB. Tags: what swap compares; the SHA-256 of the content for dir and mem, an ETag elsewhere; "" means "not there".
 * Threads: any call from any thread, and several processes on one dir store. Blocking: yes, until call's deadline.
 * Status: NOT_FOUND, BUSY, TIMEOUT, CANCELLED, CORRUPT, NOMEM, IO, FULL, CONFLICT (swap only); others mean a bug in the store. */
#ifndef TAKC_OBJECT_STORE_H
#define TAKC_OBJECT_STORE_H

#include "base/file.h"
#include "base/hash.h"
#include "base/stream.h"
#include "takc/call.h"

enum takc_store_flags { TAKC_STORE_DURABLE = 1 << 0, TAKC_STORE_RANGES = 1 << 1, TAKC_STORE_MAPS = 1 << 2 };

struct takc_store;
struct takc_store_batch;
typedef enum takc_status takc_store_each_fn(void *arg, struct takc_str key, uint64_t size_bytes, struct takc_err *err);

struct takc_store_ops {
    const char *name; /* "dir", "mem" */
    unsigned flags;   /* enum takc_store_flags: ask these, not the name */
    enum takc_status (*put)(struct takc_store *, struct takc_call *, struct takc_str key, struct takc_source *body, struct takc_err *);
    enum takc_status (*get)(struct takc_store *, struct takc_call *, struct takc_str key, struct takc_sink *out, struct takc_err *);
    enum takc_status (*get_range)(struct takc_store *, struct takc_call *, struct takc_str key, uint64_t from, uint64_t n,
                                  struct takc_sink *out, struct takc_err *); /* optional */
    enum takc_status (*tag)(struct takc_store *, struct takc_call *, struct takc_str key, struct takc_hex *out,
                            struct takc_err *); /* NOT_FOUND when absent */
    enum takc_status (*swap)(struct takc_store *, struct takc_call *, struct takc_str key, struct takc_str if_tag, struct takc_str body,
                             struct takc_err *); /* put if unchanged; CONFLICT */
    enum takc_status (*del)(struct takc_store *, struct takc_call *, struct takc_str key, struct takc_err *);
    enum takc_status (*list)(struct takc_store *, struct takc_call *, struct takc_str prefix, takc_store_each_fn *, void *,
                             struct takc_err *); /* ascending by bytes */
    enum takc_status (*map)(struct takc_store *, struct takc_str key, struct takc_map *out,
                            struct takc_err *); /* optional: TAKC_STORE_MAPS */
    void (*close)(struct takc_store *);
    /* Staging for takc_store_batch: all or none. */
    enum takc_status (*batch_open)(struct takc_store *, struct takc_store_batch **out, struct takc_err *);
    enum takc_status (*batch_put)(struct takc_store_batch *, struct takc_call *, struct takc_str key, struct takc_str bytes,
                                  bool known_content, struct takc_err *);
    enum takc_status (*batch_derive)(struct takc_store_batch *, struct takc_call *, struct takc_str key, struct takc_str bytes,
                                     struct takc_err *); /* optional also where the others are: batch_put then */
    enum takc_status (*batch_del)(struct takc_store_batch *, struct takc_call *, struct takc_str key, struct takc_err *);
    enum takc_status (*batch_commit)(struct takc_store_batch *, struct takc_call *, struct takc_err *);
    void (*batch_close)(struct takc_store_batch *);
};
struct takc_store {
    const struct takc_store_ops *ops; /* first member of every implementation */
};

/* Keeps body under key, replacing what was there. Borrows key; reads body to its end and leaves it to the caller.
 * After any failure the key holds the old blob or the new one, never a part. BUSY and TIMEOUT may be repeated with a rewound body. */
TAKC_CHECK enum takc_status takc_store_put(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_source *body,
                                           struct takc_err *err);
/* put of bytes in memory. */
TAKC_CHECK enum takc_status takc_store_put_bytes(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_str bytes,
                                                 struct takc_err *err);
/* Writes the whole blob to out. NOT_FOUND before anything was written. */
TAKC_CHECK enum takc_status takc_store_get(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_sink *out,
                                           struct takc_err *err);
/* Appends the whole blob to buf. */
TAKC_CHECK enum takc_status takc_store_get_bytes(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_buf *out,
                                                 struct takc_err *err);
/* Bytes from .. from + n, cut at the end; works on every store (whole get where there are no ranges). */
TAKC_CHECK enum takc_status takc_store_get_range(struct takc_store *s, struct takc_call *call, struct takc_str key, uint64_t from,
                                                 uint64_t n, struct takc_sink *out, struct takc_err *err);
/* The tag of what is there now. NOT_FOUND when nothing is. */
TAKC_CHECK enum takc_status takc_store_tag(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_hex *out,
                                           struct takc_err *err);
/* Compare-and-swap: puts body only if the key's tag is if_tag ("" for: not there). CONFLICT otherwise, nothing changed.
 * A key that is swapped is changed by swap and del only: a put in between would not be seen. */
TAKC_CHECK enum takc_status takc_store_swap(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_str if_tag,
                                            struct takc_str body, struct takc_err *err);
/* Removes; NOT_FOUND when there is nothing. */
TAKC_CHECK enum takc_status takc_store_del(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_err *err);
/* Every key that begins with prefix ("" for all), ascending by bytes; temporary files are not listed. Stops at each's first failure. */
TAKC_CHECK enum takc_status takc_store_list(struct takc_store *s, struct takc_call *call, struct takc_str prefix, takc_store_each_fn *each,
                                            void *arg, struct takc_err *err);
struct takc_store_view {   /* a blob, open for reading */
    struct takc_str bytes; /* live until it is closed */
    struct takc_map map;
    struct takc_buf copy;
};
/* Opens the blob: a map where the store has them, else a copy. On OK close it; out is unchanged otherwise. NOT_FOUND. */
TAKC_CHECK enum takc_status takc_store_view(struct takc_store *s, struct takc_call *call, struct takc_str key, struct takc_store_view *out,
                                            struct takc_err *err);
/* Unmaps or frees; zeroed storage is fine, twice is harmless. */
void takc_store_view_close(struct takc_store_view *v);
/* NULL is welcome. Views and batches of it are closed before. */
void takc_store_close(struct takc_store *s);

/* Many puts made durable together: bytes are staged, and commit syncs them all, then names them in the order of the puts, then removes,
 * then syncs the folders. A crash in between leaves a prefix of them named, each whole. Stores without staging put at once. Content that is
 * under its key already (same size, content-addressed keys only: pass known_content) is not written again. */
struct takc_store_batch {
    struct takc_store *store; /* first member of every implementation */
};
/* Begins a batch, empty; returned owned, close it before the store. NOMEM, IO. */
TAKC_CHECK enum takc_status takc_store_batch_open(struct takc_store *s, struct takc_store_batch **out, struct takc_err *err);
/* Copies nothing it can write out at once; key and bytes are the caller's again on return. */
TAKC_CHECK enum takc_status takc_store_batch_put(struct takc_store_batch *b, struct takc_call *call, struct takc_str key,
                                                 struct takc_str bytes, bool known_content, struct takc_err *err);
/* As put, for what a run that was killed makes again (chunks of a new document): where nothing is under the key, the store may write there
 * at once, without a temporary and its renaming. So others may see a part of it before the commit, and a kill may leave a part under the
 * key; a commit that fails before its turn, and closing, remove it. Durable after the commit, like the rest. */
TAKC_CHECK enum takc_status takc_store_batch_derive(struct takc_store_batch *b, struct takc_call *call, struct takc_str key,
                                                    struct takc_str bytes, struct takc_err *err);
/* Removes key when the batch is committed, after everything put has its name; a missing key is fine. At once where there is no staging. */
TAKC_CHECK enum takc_status takc_store_batch_del(struct takc_store_batch *b, struct takc_call *call, struct takc_str key,
                                                 struct takc_err *err);
/* Everything put since open or the last commit becomes durable. The batch is empty afterwards and may be used again; after a failure
 * what was not named yet is dropped. */
TAKC_CHECK enum takc_status takc_store_batch_commit(struct takc_store_batch *b, struct takc_call *call, struct takc_err *err);
/* Drops what was not committed, and frees b. NULL is welcome. */
void takc_store_batch_close(struct takc_store_batch *b);

/* Is this a key? */
TAKC_CHECK enum takc_status takc_store_key_check(struct takc_str key, struct takc_err *err);

/* A folder; made when missing. Names that the file system cannot take (longer than 255 bytes a part) are escaped: docs/formats/home.md. */
TAKC_CHECK enum takc_status takc_store_dir_open(struct takc_store **out, const char *path, struct takc_err *err);
/* Memory; for tests and as a reference. */
TAKC_CHECK enum takc_status takc_store_mem_open(struct takc_store **out, struct takc_err *err);

#endif
