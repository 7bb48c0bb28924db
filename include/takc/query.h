/* SPDX-License-Identifier: Apache-2.0
 *
 * takc/query.h - a question or a task-wide prompt, answered from a task's current version within a reader budget, with sources.
 * Threads: any; a result belongs to one thread. */
#ifndef TAKC_QUERY_H
#define TAKC_QUERY_H

#include "takc/call.h"
#include "takc/str.h"

struct takc_home;

enum takc_mode { TAKC_MODE_UNSET = 0, TAKC_MODE_AUTO, TAKC_MODE_ARTIFACT, TAKC_MODE_SELECT, TAKC_MODE_BOTH, TAKC_MODE_WHOLE };
/* "auto", "artifact", ...; NULL behind the last. */
TAKC_API const char *takc_mode_name(enum takc_mode m);
/* INVALID for anything else. */
TAKC_API TAKC_CHECK enum takc_status takc_mode_parse(struct takc_str s, enum takc_mode *out, struct takc_err *err);

struct takc_query_options {
    struct takc_str task, question;
    struct takc_str version;  /* label; empty: the current one */
    enum takc_mode mode;      /* UNSET: AUTO */
    uint32_t rate;            /* thousandths; 0: not asked */
    uint64_t reader_tokens;   /* 0: 2,000 */
    bool reader_tokens_asked; /* takes artifact_tokens' place when set (data-model.md section 5) */
    uint64_t artifact_tokens; /* 0: 16,000 */
    bool cost_sensitive;
    const struct takc_str *documents; /* globs */
    size_t n_documents;
    bool has_after, has_before;
    int32_t after, before;          /* days since 1970-01-01, inclusive */
    const struct takc_str *history; /* earlier questions of a chat, oldest first: their words help a short question that names nothing */
    size_t n_history;
    double abstain_below;  /* 0: the default */
    unsigned answer_lines; /* 0: 3 */
};

struct takc_cited_span {
    uint64_t start, end; /* bytes of the document's text */
    bool has_source;
    uint64_t source_start, source_end; /* bytes of the source */
};
struct takc_cited {
    struct takc_str document, sha256, title, section, quote, pointer;
    struct takc_str line_text; /* the line as the reader sees it */
    const struct takc_cited_span *spans;
    size_t n_spans;
    uint32_t page, line, row, column, paragraph; /* 0: the format has none */
    double score, coverage;
    bool instructs; /* holds an instruction to a reader model: quoted as data */
};
struct takc_tried_rate {
    char rate[24];
    double factor, coverage;
    uint64_t tokens;
};

struct takc_query_result { /* everything lives until takc_query_result_free */
    struct takc_str response, context;
    struct takc_str version, tokenizer;
    enum takc_mode mode;
    const char *prompt_kind; /* "specific", "task-wide" */
    const char *complexity;  /* "simple", "moderate", "complex" */
    char rate[24];           /* what it came to: a name, or "37.2x" */
    double factor;
    double confidence, coverage;
    bool abstained;
    const struct takc_cited *citations; /* of the response's lines; when abstained, what came nearest */
    size_t n_citations;
    const struct takc_str *missing; /* words of the question that nothing shown covers, rarest first */
    size_t n_missing;
    uint64_t source_tokens, tokens, prefix_tokens, limit_tokens;
    struct takc_tried_rate tried[16]; /* as many as a profile can have */
    size_t n_tried;
    uint64_t n_lines;      /* lines shown */
    struct takc_str notes; /* what was asked and could not be had, one a line */
    uint64_t ms;
    void *owner;
};

/* Answers. NOT_FOUND without task, version or rate; INVALID for an empty question. */
TAKC_API TAKC_CHECK enum takc_status takc_query(struct takc_home *h, struct takc_call *call, const struct takc_query_options *o,
                                                struct takc_query_result *out, struct takc_err *err);
/* Frees; twice is harmless. */
TAKC_API void takc_query_result_free(struct takc_query_result *r);

#endif
