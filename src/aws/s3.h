/* SPDX-License-Identifier: Apache-2.0
 *
 * aws/s3.h - objects in S3: put, get, list, delete, one at a time; whole, or a piece at a time.
 *
 * An object is named by bucket and key. The endpoint is AWS's, or the user's AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL; the bucket stands in
 * the host's name at AWS's own ("virtual-hosted"), and in the path elsewhere or where it has dots, which no certificate covers. Requests
 * are signed with the hash of the body. What is worth repeating (5xx, SlowDown, a lost connection) is tried again: each of these gives the
 * same when it is done twice. Status: NOT_FOUND no such object or bucket; DENIED; INVALID the bucket is in another region (named), or
 * another mistake; LIMITED; UPSTREAM; TIMEOUT; CANCELLED. Messages name the object, and S3's code, message and request id. Threads: any.
 * Blocking: yes, until call's deadline. */
#ifndef TAKC_AWS_S3_H
#define TAKC_AWS_S3_H

#include "aws/credentials.h"

struct takc_s3_name { /* views */
    struct takc_str bucket, key;
};
/* Takes "s3://BUCKET/KEY" apart; the key, which may be empty, has no '/' at its end any more. INVALID: no such URI, no name that a bucket
 * can have (3 to 63 of a-z, 0-9, '.', '-'), a key with control characters or of more than 1,024 bytes. */
TAKC_CHECK enum takc_status takc_s3_parse(struct takc_str uri, struct takc_s3_name *out, struct takc_err *err);

/* Appends the URL that the object is asked at, or, with an empty key, its bucket. INVALID: no bucket, no key. */
TAKC_CHECK enum takc_status takc_s3_url(struct takc_aws *a, struct takc_call *call, struct takc_s3_name name, struct takc_buf *out,
                                        struct takc_err *err);

/* Puts body (up to 5 GB), replacing what was there: the object is whole or as it was. */
TAKC_CHECK enum takc_status takc_s3_put(struct takc_aws *a, struct takc_call *call, struct takc_s3_name name, struct takc_str body,
                                        struct takc_err *err);
/* Appends the object to out; one of more than max bytes is UPSTREAM. */
TAKC_CHECK enum takc_status takc_s3_get(struct takc_aws *a, struct takc_call *call, struct takc_s3_name name, size_t max,
                                        struct takc_buf *out, struct takc_err *err);
struct takc_s3_sink { /* takes a body a piece at a time */
    /* Before each try, the first and those that follow a broken one: what came so far is void. Told on the caller's thread. */
    enum takc_status (*begin)(void *arg, struct takc_err *err);
    takc_http_piece_fn *piece; /* on the HTTP client's thread, which waits for it: do not block for long */
    void *arg;
};
/* Hands the object to a sink, however large: never whole in memory. A failure of the sink's ends it with that status, which is not tried
 * again; after any failure what the sink has is void. */
TAKC_CHECK enum takc_status takc_s3_get_to(struct takc_aws *a, struct takc_call *call, struct takc_s3_name name,
                                           const struct takc_s3_sink *sink, struct takc_err *err);
/* Removes it; one that is not there is fine. */
TAKC_CHECK enum takc_status takc_s3_del(struct takc_aws *a, struct takc_call *call, struct takc_s3_name name, struct takc_err *err);

/* Told of each object; anything but OK ends the listing with that status. */
typedef enum takc_status takc_s3_each_fn(void *arg, struct takc_str key, uint64_t size_bytes, struct takc_err *err);
/* Tells every object whose key begins with name.key, ascending by bytes. */
TAKC_CHECK enum takc_status takc_s3_list(struct takc_aws *a, struct takc_call *call, struct takc_s3_name name, takc_s3_each_fn *each,
                                         void *arg, struct takc_err *err);

/* One page of a listing (ListBucketResult with encoding-type url): tells its objects; next gets the token of the page behind it, or stays
 * empty at the last. A pure function. UPSTREAM: it is no such page. */
TAKC_CHECK enum takc_status takc_s3_read_list(struct takc_str xml, takc_s3_each_fn *each, void *arg, struct takc_buf *next,
                                              struct takc_err *err);

#endif
