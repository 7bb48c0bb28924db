/* SPDX-License-Identifier: Apache-2.0
 *
 * takc/cache.h - versions and artifacts that are kept: list, show, compare, pin, roll back, delete. */
#ifndef TAKC_CACHE_H
#define TAKC_CACHE_H

#include "takc/compress.h"

struct takc_cache_artifact {
    char rate[24];
    uint64_t size_bytes, tokens;
    double factor;
};
struct takc_cache_version {
    char label[32], created[24], redacted_from[32];
    bool current, pinned;
    uint64_t source_tokens, n_documents;
    struct takc_cache_artifact artifacts[TAKC_LEDGER_ROWS];
    size_t n_artifacts;
};
typedef void takc_cache_fn(void *arg, const struct takc_cache_version *v);

/* Tells every kept version, oldest first. */
TAKC_API TAKC_CHECK enum takc_status takc_cache_list(struct takc_home *h, struct takc_str task, takc_cache_fn *each, void *arg,
                                                     struct takc_err *err);
struct takc_cache_kept {              /* of a task, over all versions: what takes the place of calls */
    uint64_t n_replies, reply_bytes;  /* of models that compressed (docs/formats/replies.md) */
    uint64_t n_answers, answer_bytes; /* to questions (docs/formats/answer.md), those that are too old too: a sweep removes them */
};
/* Counts; a task without any has none. */
TAKC_API TAKC_CHECK enum takc_status takc_cache_count_kept(struct takc_home *h, struct takc_str task, struct takc_cache_kept *out,
                                                           struct takc_err *err);
/* The text a reader sees of one artifact; returns owned, free it with free(). version empty: current; rate empty, here and below: 8x, else
 * the finest that the version (a of two) has. */
TAKC_API TAKC_CHECK enum takc_status takc_cache_text(struct takc_home *h, struct takc_str task, struct takc_str version,
                                                     struct takc_str rate, char **out, size_t *out_len, struct takc_err *err);
/* The ledger entry of one artifact. */
TAKC_API TAKC_CHECK enum takc_status takc_cache_ledger(struct takc_home *h, struct takc_str task, struct takc_str version,
                                                       struct takc_str rate, struct takc_ledger_entry *out, struct takc_err *err);
/* A line that only one of two artifacts has: sign '-' for a, '+' for b. Borrowed for the time of the call. */
typedef void takc_cache_diff_fn(void *arg, char sign, struct takc_str line);
/* Tells each the lines in which versions a and b (labels) differ at one rate: first those of a, then those of b, each in order;
 * nothing when they do not. NOT_FOUND: no such version, or it lacks the rate. */
TAKC_API TAKC_CHECK enum takc_status takc_cache_diff(struct takc_home *h, struct takc_str task, struct takc_str a, struct takc_str b,
                                                     struct takc_str rate, takc_cache_diff_fn *each, void *arg, struct takc_err *err);
/* Keeps a version from being pruned, or lets it go again. */
TAKC_API TAKC_CHECK enum takc_status takc_cache_pin(struct takc_home *h, struct takc_str task, struct takc_str version, bool pin,
                                                    struct takc_err *err);
/* Makes a kept version current; empty: the one before the current one. */
TAKC_API TAKC_CHECK enum takc_status takc_cache_rollback(struct takc_home *h, struct takc_str task, struct takc_str version,
                                                         char out_label[32], struct takc_err *err);
/* Removes one artifact (rate given), or a whole version that is not current. */
TAKC_API TAKC_CHECK enum takc_status takc_cache_delete(struct takc_home *h, struct takc_str task, struct takc_str version,
                                                       struct takc_str rate, struct takc_err *err);

#endif
