/* SPDX-License-Identifier: Apache-2.0
 *
 * model/bedrock_parts.h - between the files of the Bedrock provider, and for tests and fuzz targets: what is written and what is read,
 * apart from sending. Threads: one at a time. */
#ifndef TAKC_MODEL_BEDROCK_PARTS_H
#define TAKC_MODEL_BEDROCK_PARTS_H

#include "aws/event_stream.h"
#include "base/clock.h"
#include "base/json.h"
#include "model/bedrock.h"

enum takc_bedrock_form { /* what a body looks like; the facts' "body" names it */
                         TAKC_BEDROCK_UNSET = 0,
                         TAKC_BEDROCK_CONVERSE,    /* "converse", and whatever is not known */
                         TAKC_BEDROCK_CLAUDE,      /* "claude": messages */
                         TAKC_BEDROCK_CLAUDE_TEXT, /* "claude" of ids before messages (v1, v2, instant): completion of a prompt */
                         TAKC_BEDROCK_TITAN,       /* "titan" */
                         TAKC_BEDROCK_LLAMA,       /* "llama": a prompt in the template of Llama 3 */
                         TAKC_BEDROCK_NOVA         /* "nova" */
};
enum takc_bedrock_form takc_bedrock_form_of(struct takc_str body, struct takc_str id);

struct takc_bedrock_how {
    enum takc_bedrock_form form;
    uint32_t max_output;                          /* where a form needs a number and the request has none; 0: 4,096 */
    unsigned cache_points;                        /* that may be sent: the last ones of the request are */
    struct takc_str guardrail, guardrail_version; /* of Converse; InvokeModel has them in headers */
    bool stream;
};
/* Appends the body of one request. What cannot be said in this form is left out, and noted in reply (NULL: nowhere). INVALID, NOMEM. */
TAKC_CHECK enum takc_status takc_bedrock_write(const struct takc_model_request *r, const struct takc_bedrock_how *how, struct takc_buf *out,
                                               struct takc_model_reply *reply, struct takc_err *err);
/* The same for one of the older forms; used by takc_bedrock_write. Returns owned, NULL without memory. */
json_t *takc_bedrock_invoke_body(const struct takc_model_request *r, const struct takc_bedrock_how *how, struct takc_model_reply *reply);
/* Appends the body of CountTokens for Converse. */
TAKC_CHECK enum takc_status takc_bedrock_write_count(const struct takc_model_request *r, struct takc_buf *out, struct takc_err *err);
/* Sets a member; takes v, which may be NULL (no memory). False: no memory. */
bool takc_bedrock_set(json_t *o, const char *key, json_t *v);

/* Reads a whole reply of status 2xx into out: text, stop, usage. GARBLED: it is none. */
TAKC_CHECK enum takc_status takc_bedrock_read(struct takc_str body, enum takc_bedrock_form form, struct takc_model_reply *out,
                                              struct takc_err *err);
/* One object of an InvokeModel reply, whole or a chunk of a stream: adds what it tells. */
TAKC_CHECK enum takc_status takc_bedrock_read_invoke(const json_t *root, enum takc_bedrock_form form, struct takc_model_reply *out,
                                                     struct takc_err *err);
/* The reason's stop; the first that is told stays. */
void takc_bedrock_stop(struct takc_str reason, struct takc_model_reply *out);
/* Members of a Converse reply or of the same thing in pieces: usage by these names. */
void takc_bedrock_usage(const json_t *usage, struct takc_model_reply *out);

/* What a reply that is no 2xx means. type: the header x-amzn-ErrorType, may be empty. out->http is set. */
enum takc_status takc_bedrock_refusal(struct takc_str type, struct takc_str body, struct takc_str secret, struct takc_model_reply *out,
                                      struct takc_err *err);

struct takc_bedrock_stream {
    struct takc_event_stream frames;
    enum takc_bedrock_form form;
    struct takc_model_reply *reply;
    takc_model_delta_fn *delta;
    void *arg;
    struct takc_str secret;
    const struct takc_clock *clock;
    uint64_t from_ns;
    enum takc_status delta_status; /* of who takes the deltas */
};
/* Everything is borrowed until clear. */
void takc_bedrock_stream_init(struct takc_bedrock_stream *s, enum takc_bedrock_form form, struct takc_model_reply *reply,
                              takc_model_delta_fn *delta, void *arg, const struct takc_clock *clock);
void takc_bedrock_stream_clear(struct takc_bedrock_stream *s);
/* GARBLED: a checksum, an event that is none; an exception in the stream is the failure that it names; delta's own status. */
TAKC_CHECK enum takc_status takc_bedrock_stream_feed(struct takc_bedrock_stream *s, struct takc_str piece, struct takc_err *err);
/* At the end of the body. CONNECTION when the answer was not over. */
TAKC_CHECK enum takc_status takc_bedrock_stream_end(struct takc_bedrock_stream *s, struct takc_err *err);

/* Texts that one request for vectors may have; 0: the id is of no model that makes vectors of texts. */
size_t takc_bedrock_embed_step(struct takc_str id);
/* Appends the body of InvokeModel for n texts, n at most what embed_step says. */
TAKC_CHECK enum takc_status takc_bedrock_write_embed(struct takc_str id, const struct takc_str *texts, size_t n, size_t n_dims,
                                                     struct takc_buf *out, struct takc_err *err);
/* Reads its reply: n vectors, n * n_dims floats into out. UPSTREAM: it is none; INVALID: other dimensions. */
TAKC_CHECK enum takc_status takc_bedrock_read_embed(struct takc_str body, struct takc_str id, size_t n, float *out, size_t n_dims,
                                                    struct takc_err *err);

/* Reads ApplyGuardrail's reply. UPSTREAM: it is none. */
TAKC_CHECK enum takc_status takc_bedrock_read_guard(struct takc_str body, struct takc_guard_result *out, struct takc_err *err);

#endif
