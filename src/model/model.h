/* SPDX-License-Identifier: Apache-2.0
 *
 * model/model.h - a language model behind a provider: bedrock, openai (any compatible endpoint), fake.
 *
 * A provider makes one try: it sends, reads, and says exactly what came of it. Waiting, trying again, limits, the breaker, fallbacks and
 * the ledger of calls are model/caller.h's, so that every provider has them. Nothing is hidden: a parameter that was left out, a count that
 * is ours, a cut answer are in the reply. Threads: any call from any thread. Blocking: yes, until call's deadline; deltas come on another
 * thread, one at a time. */
#ifndef TAKC_MODEL_MODEL_H
#define TAKC_MODEL_MODEL_H

#include "base/arena.h"
#include "base/buf.h"
#include "takc/call.h"

enum takc_model_flags {
    TAKC_MODEL_STREAMS = 1 << 0,
    TAKC_MODEL_COUNTS = 1 << 1, /* has a call that counts tokens exactly */
    TAKC_MODEL_EMBEDS = 1 << 2,
    TAKC_MODEL_CACHE_POINTS = 1 << 3, /* takes marks behind which a prefix is cached; others may cache on their own */
    TAKC_MODEL_BATCHES = 1 << 4       /* has batch jobs over S3 (model/bedrock_batch.h) */
};

enum takc_role { TAKC_ROLE_UNSET = 0, TAKC_ROLE_USER, TAKC_ROLE_ASSISTANT };

struct takc_model_block {
    struct takc_str text;
    bool cache_point; /* what stands up to the end of this block is worth caching */
    bool guarded;     /* for guardrails that look at marked parts only: the question, not the documents */
};
struct takc_model_message {
    enum takc_role role;
    const struct takc_model_block *blocks;
    size_t n_blocks;
};

struct takc_model_request { /* borrowed */
    struct takc_str model;  /* the provider's own id; empty: the one it was opened with */
    const struct takc_model_block *system;
    size_t n_system;
    const struct takc_model_message *messages; /* user and assistant in turns, user first; an assistant's message last is gone on with */
    size_t n_messages;
    uint32_t max_tokens; /* of the reply; 0: the model's most */
    bool has_temperature, has_top_p;
    double temperature, top_p;
    const struct takc_str *stops;
    size_t n_stops;
    uint64_t first_token_ms, total_ms; /* 0: 60,000 and 600,000 */
    bool needs_text;                   /* who asks can do nothing with an empty reply: it is GARBLED */
};

enum takc_stop {
    TAKC_STOP_UNSET = 0,
    TAKC_STOP_END,
    TAKC_STOP_LENGTH, /* cut at max_tokens or at the window: never to be stored as an answer */
    TAKC_STOP_SEQUENCE,
    TAKC_STOP_BLOCKED, /* a guardrail or content filter spoke instead */
    TAKC_STOP_OTHER    /* named in notes */
};
const char *takc_stop_name(enum takc_stop s);

struct takc_usage {
    uint64_t input, output; /* tokens; input without the two below */
    uint64_t cache_read, cache_write;
    bool counted_here; /* the service gave no figures: ours, by the tokenizer in hand */
};

/* Why a try failed, for who decides what to do next. */
enum takc_failure {
    TAKC_FAILURE_NONE = 0,
    TAKC_FAILURE_THROTTLED,  /* 429, ThrottlingException, quota */
    TAKC_FAILURE_OVERLOADED, /* 503, 529, ModelNotReady */
    TAKC_FAILURE_SERVER,     /* other 5xx, an error in mid-stream */
    TAKC_FAILURE_CONNECTION, /* none, or it broke */
    TAKC_FAILURE_TIMEOUT,
    TAKC_FAILURE_GARBLED,   /* an answer that is none: no JSON, a wrong checksum, no choices */
    TAKC_FAILURE_DENIED,    /* 401, 403 */
    TAKC_FAILURE_UNTRUSTED, /* the server's certificate */
    TAKC_FAILURE_NO_MODEL,  /* 404, not in this region, no access */
    TAKC_FAILURE_TOO_LONG,  /* the prompt is larger than the window */
    TAKC_FAILURE_PARAMETER, /* one parameter is refused; its name in parameter */
    TAKC_FAILURE_INVALID,   /* any other 4xx: our mistake */
    TAKC_FAILURE_CANCELLED,
    TAKC_FAILURES
};
const char *takc_failure_name(enum takc_failure f);
/* May the same request succeed on another try? THROTTLED to GARBLED. */
bool takc_failure_again(enum takc_failure f);
/* The status that goes with it, as takc_model_complete has it. */
enum takc_status takc_failure_status(enum takc_failure f);

struct takc_model_reply { /* initialise once; clear */
    struct takc_buf text;
    struct takc_buf notes; /* one a line: what was left out, counted here, came oddly */
    enum takc_stop stop;
    struct takc_usage usage;
    enum takc_failure failure;
    char parameter[64];
    bool adapted;         /* of PARAMETER: the provider says it another way from now on; ask again, nothing is to be left out */
    uint64_t after_ms;    /* what the service asked to wait; 0: nothing */
    int http;             /* 0: no reply */
    char request_id[128]; /* the provider's */
    char model[256];      /* that answered, as the service names it; else as asked */
    uint64_t first_token_ms, ms;
    bool sent; /* may have been worked on, and billed */
};
void takc_model_reply_init(struct takc_model_reply *r);
/* Empties for the next try, keeps memory. */
void takc_model_reply_reset(struct takc_model_reply *r);
void takc_model_reply_clear(struct takc_model_reply *r);
/* Adds a line to the notes; without memory for it, the log has it. */
void takc_model_note(struct takc_model_reply *r, const char *fmt, ...) TAKC_PRINTF(2, 3);
/* For providers: sets the failure and returns its status with the message. */
enum takc_status takc_model_fail(struct takc_model_reply *r, enum takc_failure f, struct takc_err *err, const char *fmt, ...)
    TAKC_PRINTF(4, 5);
/* Where a service gave no figures: usage from the texts of request and reply, with counted_here. Frames of messages are not in it. */
struct takc_tokenizer;
void takc_model_count_here(const struct takc_tokenizer *t, const struct takc_model_request *q, struct takc_model_reply *r);

/* For providers: one vector of an answer. INVALID: other dimensions; UPSTREAM: no array, or something in it that is no number. */
struct json_t; /* jansson's */
TAKC_CHECK enum takc_status takc_model_read_vector(const struct json_t *vector, float *out, size_t n_dims, struct takc_err *err);

typedef enum takc_status takc_model_delta_fn(void *arg, struct takc_str text, struct takc_err *err);

struct takc_model;
struct takc_model_ops {
    const char *name; /* "bedrock", "openai", "fake" */
    unsigned flags;   /* enum takc_model_flags: ask these, not the name */
    enum takc_status (*complete)(struct takc_model *, struct takc_call *, const struct takc_model_request *,
                                 takc_model_delta_fn *delta /* NULL: whole */, void *arg, struct takc_model_reply *, struct takc_err *);
    enum takc_status (*count)(struct takc_model *, struct takc_call *, const struct takc_model_request *, uint64_t *out,
                              struct takc_err *); /* optional */
    enum takc_status (*embed)(struct takc_model *, struct takc_call *, const struct takc_str *texts, size_t n, float *out, size_t n_dims,
                              struct takc_err *); /* optional */
    enum takc_status (*describe)(struct takc_model *, struct takc_call *, struct takc_buf *out,
                                 struct takc_err *); /* lines for `takc doctor` */
    /* What tells it from a model of the same name elsewhere; lives as long as the model, may be secret: to be hashed. Empty: nothing does.
     * optional */
    struct takc_str (*place)(struct takc_model *);
    void (*close)(struct takc_model *);
};
struct takc_model {
    const struct takc_model_ops *ops; /* first member of every implementation */
};

/* One try. OK: the reply is whole, its stop reason told; an empty text is OK unless the request needs one (one that is cut or blocked is
 * told as that, empty or not). Otherwise failure says why and the status goes with it: THROTTLED LIMITED; OVERLOADED, SERVER, CONNECTION,
 * GARBLED UPSTREAM; TIMEOUT; DENIED; UNTRUSTED and NO_MODEL their own; TOO_LONG, PARAMETER, INVALID INVALID; CANCELLED; a delta's own
 * status. What came before a failure stays in text (never to be stored). Never NOT_FOUND: that is for what a home lacks. */
TAKC_CHECK enum takc_status takc_model_complete(struct takc_model *m, struct takc_call *call, const struct takc_model_request *r,
                                                takc_model_delta_fn *delta, void *arg, struct takc_model_reply *out, struct takc_err *err);
/* Tokens of the request as the service counts them. UNSUPPORTED where it has no such call. */
TAKC_CHECK enum takc_status takc_model_count(struct takc_model *m, struct takc_call *call, const struct takc_model_request *r,
                                             uint64_t *out, struct takc_err *err);
/* n vectors of n_dims floats into out, n * n_dims of them. UNSUPPORTED; INVALID: other dimensions. */
TAKC_CHECK enum takc_status takc_model_embed(struct takc_model *m, struct takc_call *call, const struct takc_str *texts, size_t n,
                                             float *out, size_t n_dims, struct takc_err *err);
/* Where it is, as whom, with what: lines for people. */
TAKC_CHECK enum takc_status takc_model_describe(struct takc_model *m, struct takc_call *call, struct takc_buf *out, struct takc_err *err);
/* ops->place's; empty where there is none. */
struct takc_str takc_model_place(struct takc_model *m);
/* NULL is harmless. */
void takc_model_close(struct takc_model *m);

#endif
