/* SPDX-License-Identifier: Apache-2.0
 *
 * takc/query.h - a question or a task-wide prompt, answered from a task's current version within a reader budget, with sources.
 * Threads: any; a result belongs to one thread. */
#ifndef TAKC_QUERY_H
#define TAKC_QUERY_H

#include "takc/call.h"
#include "takc/model.h"
#include "takc/str.h"

struct takc_home;
struct takc_profile;
struct takc_models;
struct takc_snapshots;

enum takc_mode { TAKC_MODE_UNSET = 0, TAKC_MODE_AUTO, TAKC_MODE_ARTIFACT, TAKC_MODE_SELECT, TAKC_MODE_BOTH, TAKC_MODE_WHOLE };
/* "auto", "artifact", ...; NULL behind the last. */
TAKC_API const char *takc_mode_name(enum takc_mode m);
/* INVALID for anything else. */
TAKC_API TAKC_CHECK enum takc_status takc_mode_parse(struct takc_str s, enum takc_mode *out, struct takc_err *err);

/* The next piece of a model's answer, marks resolved. Comes on another thread, one at a time; a status of its own ends the answer. */
typedef enum takc_status takc_query_delta_fn(void *arg, struct takc_str text, struct takc_err *err);

/* A model is about to be asked: version, mode, rate and tokens of r are known, its answer is not. On the caller's thread or fiber, before
 * any delta; r is borrowed for the call. */
struct takc_query_result;
typedef void takc_query_chosen_fn(void *arg, const struct takc_query_result *r);

/* How an answer should look: a question and a good answer to it. Their facts are no source. */
struct takc_query_example {
    struct takc_str question, answer;
};

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
    /* Answers by a model. */
    const struct takc_model_settings *model;   /* NULL, or without a name: the response is lines of the documents */
    const struct takc_str *history_answers;    /* of history, in its order, with their marks; turns of the prompt; NULL: none */
    const struct takc_query_example *examples; /* few-shot, behind the prefix; without a model they do nothing, and a note says so */
    size_t n_examples;
    const struct takc_profile *profile; /* the task's, with what counts its tokens (takc_home_counting_profile); NULL: read */
    struct takc_models *models;         /* open ones, of a chat or a server, for what model names; NULL: opened for this question */
    struct takc_snapshots *snapshots;   /* versions that stay open between questions, of a server; NULL: opened for this question */
    uint32_t max_tokens;                /* of the answer; 0: the profile's */
    double temperature;                 /* with has_temperature; else the profile's */
    bool has_temperature;
    takc_query_delta_fn *delta; /* NULL: whole. Not called where lines of the prompt instruct a reader: such answers are looked at first */
    void *delta_arg;
    takc_query_chosen_fn *chosen; /* NULL: not told */
    void *chosen_arg;
    bool no_context;             /* where a model is asked the result's context stays empty: less memory while it is waited for */
    bool dry;                    /* the model's prices count, but it is not asked */
    bool answer_cache;           /* an answer of the same question, version, limits, model and parameters may be had again, and is kept */
    uint64_t answer_ttl_s;       /* how old it may be; 0: the profile's ttl_s */
    unsigned questions_a_window; /* how many questions share a provider's cached prefix, for prices; 0: 10 */
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
    double factor, coverage; /* coverage < 0: not looked at, an offer by its price */
    uint64_t tokens;
    bool priced, cached, taken; /* cached: long enough for the provider's cache */
    uint64_t picodollars;       /* of the prefix a question, where priced */
};

/* What a model said, and what it cost. All zero without a model. */
struct takc_model_answer {
    bool asked;               /* a model was called, or its kept answer used */
    const char *failure;      /* of a failed call: "throttled", "no_model", "too_long", ... (model/model.h); static; NULL: none */
    uint64_t after_ms;        /* of a failed call: what the service asked to wait; 0: nothing */
    struct takc_str provider; /* "bedrock" */
    struct takc_str model;    /* that answered, as the service names it */
    struct takc_str request_id, stop;
    uint64_t input, output, cache_read, cache_write; /* tokens over all tries; input without the two */
    bool counted_here;                               /* the service gave no figures */
    uint64_t picodollars;
    unsigned tries;
    bool priced;                /* false: the model has no price on file */
    bool fallback;              /* another model than the first answered */
    bool blocked;               /* a guardrail spoke instead */
    bool cut;                   /* ends at the limit of tokens, not where the model meant to */
    bool cache_hit;             /* a kept answer: nothing was called, nothing paid */
    const uint32_t *unresolved; /* numbers of marks that point to no line ("?" in the response) */
    size_t n_unresolved;
    const struct takc_str *unsupported; /* "number 12": what no cited span holds */
    size_t n_unsupported;
    uint64_t n_facts, n_marks, n_left_out; /* numbers, dates, names; marks; statements left out since they repeat what was planted */
};

/* Where the time of a question went; what is in none of the parts is reading the question, opening the model, judging its answer. */
struct takc_query_timing {
    uint64_t cache_ns;  /* opening the version, looking for a kept answer, keeping one */
    uint64_t choose_ns; /* mode, rate, lines; writing the prompt */
    uint64_t model_ns;  /* calls of the model with their waits: limits, retries, the service itself */
    uint64_t total_ns;
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
    struct takc_str route; /* why this rate, where prices decided; empty otherwise */
    struct takc_model_answer answer;
    uint64_t ms; /* total_ns, rounded */
    struct takc_query_timing timing;
    void *owner;
};

/* Answers. On failure out has nothing but timing and, where a model was called, what that took and how it failed (answer.failure: what err
 * says is the service's then). NOT_FOUND without task, version or rate; INVALID for an empty question.
 *
 * With a model the response is its text, "[1]" for the first of citations, which are the lines it cites by first mention. When it says that
 * the lines do not hold the answer, abstained is set and citations are what came nearest. A failed call is a failure (LIMITED, UPSTREAM,
 * TIMEOUT, DENIED, NOT_FOUND, INVALID, COST, CANCELLED): never OK, never lines instead. Blocked and cut answers are OK and say so.
 * confidence = that of the lines (or of the artifact) * share of the facts that cited spans hold * share of the marks that resolve; half
 * of it where nothing is cited; 0 where it was blocked; at most what takc abstains below where the model abstains. */
TAKC_API TAKC_CHECK enum takc_status takc_query(struct takc_home *h, struct takc_call *call, const struct takc_query_options *o,
                                                struct takc_query_result *out, struct takc_err *err);
/* Frees; twice is harmless. */
TAKC_API void takc_query_result_free(struct takc_query_result *r);

#endif
