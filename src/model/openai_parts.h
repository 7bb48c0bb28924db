/* SPDX-License-Identifier: Apache-2.0
 *
 * model/openai_parts.h - between the files of the OpenAI provider, and for their fuzz target: what is written and what is read, apart from
 * sending. Threads: one at a time. */
#ifndef TAKC_MODEL_OPENAI_PARTS_H
#define TAKC_MODEL_OPENAI_PARTS_H

#include "base/json.h"
#include "model/registry.h"
#include "net/sse.h"

struct takc_openai_ways {   /* how this server wants it said: where services differ */
    bool completion_tokens; /* max_completion_tokens, not max_tokens */
    bool no_stream_options; /* knows no stream_options: sends no usage while streaming */
};

/* Appends the body of POST chat/completions. model is the request's or the one opened with. */
TAKC_CHECK enum takc_status takc_openai_write(const struct takc_model_request *r, struct takc_str model, struct takc_openai_ways ways,
                                              bool stream, struct takc_buf *out, struct takc_err *err);

/* Reads a whole reply of status 2xx into out: text, stop, usage, model; an "error" in it is one. key is kept out of messages. */
TAKC_CHECK enum takc_status takc_openai_read(struct takc_str body, struct takc_str key, struct takc_model_reply *out, struct takc_err *err);

/* What a reply that is no 2xx means, whoever made it: OpenAI, Azure, vLLM, llama.cpp, FastAPI, a proxy. out->http is set, and after_ms as
 * far as headers tell. OK for a content filter that spoke instead of the model (Azure): then stop is BLOCKED. */
TAKC_CHECK enum takc_status takc_openai_refusal(struct takc_str body, struct takc_str key, struct takc_model_reply *out,
                                                struct takc_err *err);
/* The same for an error object in a reply that began as a good one. */
TAKC_CHECK enum takc_status takc_openai_error_in(const json_t *root, struct takc_str key, struct takc_model_reply *out,
                                                 struct takc_err *err);

struct takc_openai_stream {
    struct takc_sse sse;
    struct takc_model_reply *reply;
    takc_model_delta_fn *delta;
    void *arg;
    struct takc_str key;
    const struct takc_clock *clock;
    uint64_t from_ns;
    struct takc_buf whole; /* of a server that does not stream: its body */
    bool is_whole, begun, done;
    enum takc_status delta_status; /* of who takes the deltas */
};
/* Everything is borrowed until clear. */
void takc_openai_stream_init(struct takc_openai_stream *s, struct takc_model_reply *reply, takc_model_delta_fn *delta, void *arg,
                             struct takc_str key, const struct takc_clock *clock);
void takc_openai_stream_clear(struct takc_openai_stream *s);
TAKC_CHECK enum takc_status takc_openai_stream_feed(struct takc_openai_stream *s, struct takc_str piece, struct takc_err *err);
/* At the end of the body: CONNECTION when the answer was not over. */
TAKC_CHECK enum takc_status takc_openai_stream_end(struct takc_openai_stream *s, struct takc_err *err);

#endif
