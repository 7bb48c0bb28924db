/* SPDX-License-Identifier: Apache-2.0
 *
 * catalog/record.h - strict reading of stored JSON: exactly the members named, each of its type; and the few value checks that document
 * records and manifests share. Writing and reading use the same checks, so that whatever was written can be read. */
#ifndef TAKC_CATALOG_RECORD_H
#define TAKC_CATALOG_RECORD_H

#include "base/arena.h"
#include "base/json.h"

#define TAKC_RECORD_MAX ((size_t)64 << 20) /* bytes of one record or manifest: far above any real one, low enough to parse */

/* An object with these members and no others? INVALID names the first that is missing, or says how many are too many. */
TAKC_CHECK enum takc_status takc_record_members(const json_t *v, const char *const *names, size_t n, struct takc_err *err);
/* A string member, copied into the arena. */
TAKC_CHECK enum takc_status takc_record_str(const json_t *v, const char *key, struct takc_arena *a, struct takc_str *out,
                                            struct takc_err *err);
/* A boolean member. INVALID names what is missing or of another type, here and below. */
TAKC_CHECK enum takc_status takc_record_bool(const json_t *v, const char *key, bool *out, struct takc_err *err);
/* A whole number of either sign. */
TAKC_CHECK enum takc_status takc_record_i64(const json_t *v, const char *key, int64_t *out, struct takc_err *err);
/* An array member, borrowed from v. */
TAKC_CHECK enum takc_status takc_record_array(const json_t *v, const char *key, const json_t **out, struct takc_err *err);

/* As takc_record_members, and any of these may be there, too. */
TAKC_CHECK enum takc_status takc_record_members_and(const json_t *v, const char *const *names, size_t n, const char *const *optional,
                                                    size_t n_optional, struct takc_err *err);

/* Text that JSON keeps as it is: valid UTF-8 of at most max bytes without NUL. */
TAKC_CHECK enum takc_status takc_record_text_check(const char *what, struct takc_str s, size_t max, struct takc_err *err);
/* 64 lower-case hex digits, or nothing where that is allowed. */
TAKC_CHECK enum takc_status takc_record_hash_check(const char *what, struct takc_str s, bool may_be_empty, struct takc_err *err);
/* A number that fits JSON's signed one. */
TAKC_CHECK enum takc_status takc_record_count_check(const char *what, uint64_t n, struct takc_err *err);

/* Appends "key": "value", with the comma: something must follow. */
TAKC_CHECK enum takc_status takc_record_put_str(struct takc_buf *out, const char *key, struct takc_str s, struct takc_err *err);

/* A parse's failure as CORRUPT; NOMEM stays what it is. */
enum takc_status takc_record_corrupt(enum takc_status st, const char *what, struct takc_err *err);

#endif
