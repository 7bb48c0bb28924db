/* SPDX-License-Identifier: Apache-2.0
 *
 * reply/reply.h - results as JSON: one place for the program, HTTP and MCP. Names are the guide's, then ours, in the order.
 *
 * Structs here are plain: whoever has a result fills them with views and hands them over; nothing is kept. Every function returns owned
 * JSON (json_decref), or NULL when there is no memory. Numbers that were measured are rounded to what they can mean: factors to one
 * decimal, confidence and scores to four. Texts that are not UTF-8 are repaired. Threads: any. */
#ifndef TAKC_REPLY_REPLY_H
#define TAKC_REPLY_REPLY_H

#include "base/json.h"

/* Bytes of the text; of the source where a map leads back there. */
struct takc_reply_span {
    uint32_t start, end;
    bool has_source;
    uint64_t source_start, source_end;
};

/* Where a line stands. A locator's members are left out where has_ is false or the text is empty. */
struct takc_citation {
    struct takc_str document, sha256;
    const struct takc_reply_span *spans;
    size_t n_spans;
    bool has_page, has_line, has_row, has_column, has_paragraph;
    uint32_t page, line, row, column, paragraph;
    struct takc_str pointer, section;
    struct takc_str quote;
    bool instructs; /* holds an instruction to a reader: quoted as data */
};

struct takc_rate_tried {
    struct takc_str rate; /* "ultra" */
    double factor, coverage;
    uint64_t tokens;
    struct takc_str why; /* "rare terms not covered" */
};

/* A member of metadata: text, or JSON that is taken as it is (borrowed). */
struct takc_reply_extra {
    const char *name;
    struct takc_str text;
    json_t *json; /* NULL: text */
};

struct takc_query_reply {
    struct takc_str query, response, task_type;
    struct takc_str compression_rate_used; /* "ultra", "37.2x" */
    double factor;                         /* 37.2; 0: null */
    struct takc_str mode;
    bool cache_hit;
    uint64_t original_tokens, compressed_tokens;
    double processing_time_ms, confidence;
    bool abstained;
    const struct takc_citation *citations;
    size_t n_citations;
    struct takc_str version;
    uint64_t reader_tokens, reader_tokens_limit; /* limit 0: null */
    double cost_usd;
    const struct takc_rate_tried *rates_tried;
    size_t n_rates_tried;
    struct takc_str cache_tier, model_used; /* empty: null */
    const struct takc_reply_extra *metadata;
    size_t n_metadata;
};
/* The answer of a question as every face gives it, and one citation of it. Return owned; NULL when there is no memory. */
json_t *takc_query_reply_json(const struct takc_query_reply *r);
json_t *takc_citation_json(const struct takc_citation *c);

/* The guide's code for a failure, where one fits: what was asked for decides as much as the status. The status' own name otherwise. */
enum takc_error_about {
    TAKC_ABOUT_UNSET = 0,
    TAKC_ABOUT_TASK_NAME, /* the task's name itself */
    TAKC_ABOUT_CACHE,     /* a version, a rate, an answer from them */
    TAKC_ABOUT_COMPRESS   /* making a version */
};
const char *takc_error_code(enum takc_status st, enum takc_error_about about);

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

/* x rounded to this many decimals as the nearest double, so that it prints short: 37.2, 0.8125. Not a number and infinite give 0. */
double takc_rounded(double x, unsigned decimals);

#endif
