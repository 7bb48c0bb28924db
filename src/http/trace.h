/* SPDX-License-Identifier: Apache-2.0
 *
 * http/trace.h - traces of requests and jobs: the W3C trace context (traceparent), and spans sent to a collector as OTLP over HTTP, in
 * JSON.
 *
 * A request is one record in a bounded queue; a thread of its own makes spans of it (the request, admission, looking into what is kept,
 * choosing, the model), a batch at a time, and sends them. Nothing waits for it: where the queue is full, or the collector does not take a
 * batch, spans are dropped and counted. A failure is logged once a minute at most. Stages are known by their length only; they are drawn
 * one behind the other from where the handler began. The ids of spans that requests to others are made under (admission: webhooks; the
 * model) are drawn beforehand, so that those are sent with them: traceparent, tracestate.
 * A job goes on with the trace of the request that queued it: the context stands in the job's request, so it outlives the server. Each run
 * of a job is a span below the request's, its stages are spans below that one, with times as they were.
 * Names of attributes are OpenTelemetry's (http.*, url.*, gen_ai.*). Questions, bodies and credentials are in none.
 * Threads: any, but open and close. */
#ifndef TAKC_HTTP_TRACE_H
#define TAKC_HTTP_TRACE_H

#include "base/json.h"
#include "http/exchange.h"

struct takc_traces;

struct takc_trace_options { /* as the variables OTEL_* have them; borrowed */
    struct takc_str endpoint, url, headers, service, attributes, sampler, sampler_arg;
    struct takc_str ca_file; /* empty: the system's */
};

/* Starts the thread. *out is NULL with OK where nothing is to be sent. INVALID, with the setting's name: a URL, list or share that cannot
 * be read, a sampler that there is none of. UNSUPPORTED: no libcurl. Returns owned: takc_traces_close. */
TAKC_CHECK enum takc_status takc_traces_open(struct takc_traces **out, const struct takc_trace_options *o, struct takc_err *err);
/* Would it open with these? INVALID as there. */
TAKC_CHECK enum takc_status takc_traces_check(const struct takc_trace_options *o, struct takc_err *err);
/* Sends what waits, for three seconds at most; frees. NULL is harmless. */
void takc_traces_close(struct takc_traces *t);
/* Spans that a collector took, and spans that were lost, since open. NULL: none. */
void takc_traces_count(struct takc_traces *t, uint64_t *out_sent, uint64_t *out_dropped);

enum {
    TAKC_TRACE_ITEMS_MAX = 16,  /* questions of a request that have spans of their own, of up to a hundred */
    TAKC_TRACE_STAGES_MAX = 24, /* stages of a run that do; six rates by a model have about as many */
    TAKC_TRACESTATE_MAX = 512   /* what everybody has to send on, and no more */
};

/* Reads "00-{32 hex}-{16 hex}-{2 hex}"; false: it is none, and nothing is written. A later version may have more behind that. */
bool takc_traceparent_parse(struct takc_str text, char out_trace[33], char out_parent[17], bool *out_sampled);

/* Is tracecontext among "tracecontext,baggage"? Others are none that takc knows, and do nothing. An empty list is one with it. */
bool takc_trace_propagates(struct takc_str list);

/* Gives the request its ids: goes on with the client's trace (reads: that is looked at, and sent on), or begins one. t NULL: only the
 * client's trace is noted. From here on x->call has the context of admission, for requests to others. */
void takc_trace_begin(const struct takc_traces *t, bool reads, struct takc_exchange *x);
/* Notes the client's trace id, parent, flag and state; false: it sent none that is good, and nothing is noted. */
bool takc_trace_context_read(struct takc_exchange *x);
/* From now on x->call has the context of that span, of the request's own where the id is empty, or where no spans are made the client's as
 * it came. Requests to others are sent with it (net/http.h). */
void takc_trace_enter(struct takc_exchange *x, const char *span_id);

struct takc_trace_item {            /* one of several questions of a request */
    struct takc_call call;          /* to ask it with: below the exchange's, with its own context */
    char span_id[17], model_id[17]; /* empty: one too many, which has no span */
    char traceparent[56];
    uint64_t began_ns;
};
/* It is about to be asked. From any fiber; out stays where it is. */
void takc_trace_item_begin(struct takc_exchange *x, struct takc_trace_item *out);
/* It has ended. t may be NULL. */
void takc_trace_item_ended(struct takc_traces *t, const struct takc_exchange *x, const struct takc_trace_item *item,
                           const struct takc_noted_answer *answer);

struct takc_trace_request { /* what x does not say */
    const char *route_path; /* static; NULL: none */
    bool whole;             /* the client took all of it */
};
/* The request has ended. t may be NULL. */
void takc_trace_ended(struct takc_traces *t, const struct takc_exchange *x, const struct takc_trace_request *r);

/* --- jobs --- */
/* Adds the request's context to the request of a job that it queues, an object: "traceparent", and "tracestate" where the client sent one.
 * Nothing where it has no trace. NOMEM. */
TAKC_CHECK enum takc_status takc_trace_job_keep(const struct takc_exchange *x, json_t *request, struct takc_err *err);

struct takc_trace_job { /* a run of a job; zeroed: of no trace */
    char trace_id[33], span_id[17], parent_id[17];
    bool sampled;
    char traceparent[56], tracestate[TAKC_TRACESTATE_MAX + 1]; /* the call's; the second may be empty */
    uint64_t began_ns;                                         /* when the job was taken */
    struct takc_trace_stage {
        char name[32];
        uint64_t from_ns; /* to where the next begins; the last place is only the end of the one before it */
    } stages[TAKC_TRACE_STAGES_MAX + 1];
    size_t n_stages;
    struct takc_noted_answer answer; /* of the models that wrote, for the work to fill: names, tokens, money, calls in tries */
};
/* Gives the run its span, below the one that keep has noted in request: call has its context, or, where no spans are made, the noted one.
 * sends_on: as reads of takc_trace_begin. Of a request without a trace nothing happens. May be called again for the same run. */
void takc_trace_job_begin(const struct takc_traces *t, bool sends_on, const json_t *request, struct takc_call *call,
                          struct takc_trace_job *j);
/* Another stage begins now. The caller sees to it that nobody else has j. */
void takc_trace_job_stage(struct takc_trace_job *j, const char *stage);

struct takc_trace_job_end {
    struct takc_str id, kind, task;
    unsigned attempts;
    const char *outcome, *failure; /* static: what it is now, "done", "queued", ...; why it failed, NULL: it did not */
};
/* The run has ended. t may be NULL. */
void takc_trace_job_ended(struct takc_traces *t, const struct takc_trace_job *j, const struct takc_trace_job_end *e);

/* --- for tests --- */
/* Appends the request that would be sent for one exchange. */
TAKC_CHECK enum takc_status takc_trace_body(const struct takc_traces *t, const struct takc_exchange *x, const struct takc_trace_request *r,
                                            struct takc_buf *out, struct takc_err *err);
/* The same of one run. */
TAKC_CHECK enum takc_status takc_trace_job_body(const struct takc_traces *t, const struct takc_trace_job *j,
                                                const struct takc_trace_job_end *e, struct takc_buf *out, struct takc_err *err);

#endif
