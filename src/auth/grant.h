/* SPDX-License-Identifier: Apache-2.0
 *
 * auth/grant.h - what authorizers share: a bearer's credential out of a request, and words of others (claims, answers, a file) made into
 * the parts of an identity. What is odd is refused, never cut to fit: a pattern that is dropped or a list that is empty must not come to
 * mean "everything".
 * Threads: pure functions. */
#ifndef TAKC_AUTH_GRANT_H
#define TAKC_AUTH_GRANT_H

#include "auth/auth.h"
#include "base/json.h"

/* What stands behind "Bearer " in Authorization, or the empty view. Lives as long as the request. */
struct takc_str takc_grant_bearer(const struct takc_auth_request *r);
/* Any bytes as a subject, "kind:BYTES": what a subject may not hold becomes '_', and a subject that was changed or cut (at 128) ends in
 * '.' and 16 digits of the hash of all its bytes, so that two never become one. Lives as long as the arena. NOMEM. */
TAKC_CHECK enum takc_status takc_grant_subject(struct takc_arena *a, const char *kind, struct takc_str bytes, struct takc_str *out,
                                               struct takc_err *err);
/* Could it be the name of a tenant? They are made as names of tasks are. */
bool takc_grant_is_tenant(struct takc_str s);
/* TAKC_MAY_* of "query", "ingest", "admin"; 0: none of them. */
unsigned takc_grant_may(struct takc_str word);
/* Adds a pattern of tasks: 1 to 63 of a-z 0-9 . _ - * ?. DENIED: odd, or one too many; NOMEM. */
TAKC_CHECK enum takc_status takc_grant_task(struct takc_arena *a, struct takc_identity *who, struct takc_str pattern, struct takc_err *err);

/* The i-th word of a string of words (blanks between) or of a list of strings; false behind the last. Another type has no words, and
 * something else than a string in a list is the empty word. */
bool takc_grant_word(const json_t *v, size_t i, struct takc_str *out);

#endif
