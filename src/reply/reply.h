/* SPDX-License-Identifier: Apache-2.0
 *
 * reply/reply.h - results as JSON: one place for the program, HTTP and MCP. The guide's names come first, ours after them.
 *
 * Whoever has a result hands it over; nothing is kept. Functions that end in _json return owned JSON (json_decref), or NULL when there is
 * no memory. Numbers that were measured are rounded to what they can mean: factors to one decimal, confidence and scores to four. Texts
 * that are not UTF-8 are repaired. Threads: any. */
#ifndef TAKC_REPLY_REPLY_H
#define TAKC_REPLY_REPLY_H

#include "base/json.h"
#include "takc/query.h"

/* A result with what was asked. Borrowed, all of it. */
struct takc_query_reply {
    struct takc_str query, task_type;
    const struct takc_query_result *result;
    bool with_context; /* metadata carries what the reader sees */
};
/* The answer of a question as every face gives it. In citations a locator's members are left out where the document has none; where a
 * span has no map, its place in the source is null. Returns
 * owned; NULL when there is no memory. */
json_t *takc_query_reply_json(const struct takc_query_reply *r);

/* What a failure is about. */
enum takc_error_about {
    TAKC_ABOUT_UNSET = 0,
    TAKC_ABOUT_TASK_NAME, /* the task's name itself */
    TAKC_ABOUT_CACHE,     /* a version, a rate, an answer from them */
    TAKC_ABOUT_COMPRESS   /* making a version */
};
/* The guide's code for a failure, where one fits: what was asked for decides as much as the status. The status' own name otherwise.
 * Static. */
const char *takc_error_code(enum takc_status st, enum takc_error_about about);

/* What a client may read of a failure: its own mistakes in full, ours, our caps of money and other services' in general words that name the
 * log: log err where it is told. Lives as long as err. */
struct takc_str takc_error_told(enum takc_status st, const struct takc_err *err);

/* The guide's error body. */
struct takc_error_body {
    const char *code; /* of takc_error_code */
    struct takc_str message;
    const char *request_id; /* NULL: null */
    int64_t wall_s;
    json_t *details; /* borrowed; NULL: {} */
};
/* Returns owned; NULL when there is no memory. */
json_t *takc_error_json(const struct takc_error_body *e);

#endif
