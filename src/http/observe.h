/* SPDX-License-Identifier: Apache-2.0
 *
 * http/observe.h - what is told of a request: metrics, a line of the access log, a trace, and for one that writes a row of the audit trail.
 *
 * Paths stand in all of them, since names of tasks and documents may; query strings, bodies, questions (unless serve.log_questions is on),
 * answers and credentials stand in none. Threads: each exchange on the thread that has it. */
#ifndef TAKC_HTTP_OBSERVE_H
#define TAKC_HTTP_OBSERVE_H

#include "http/api.h"
#include "http/metrics.h"
#include "http/trace.h"

/* A request has a head: gives it the ids of its trace. */
void takc_observe_begin(const struct takc_api *api, struct takc_exchange *x);
/* A question is about to be asked: its words, where they are logged. Before a stream is begun: from then on the arena is the connection's.
 */
void takc_observe_words(struct takc_exchange *x, const struct takc_asked *asked, const struct takc_query_options *o);
/* takc_query ended with st and r. Once a request, before the end of its reply is handed over. */
void takc_observe_question(struct takc_exchange *x, const struct takc_asked *asked, const struct takc_query_options *o, enum takc_status st,
                           const struct takc_query_result *r);

struct takc_compress_report;
struct takc_observed {           /* one of several questions of a request */
    struct takc_trace_item item; /* it is asked with item.call */
    struct takc_noted_answer answer;
};
/* It is about to be asked. From any fiber. */
void takc_observe_item_begin(struct takc_exchange *x, struct takc_observed *it);
/* It ended: it is counted, and has a span where it is one of the first TAKC_TRACE_ITEMS_MAX. From any fiber. */
void takc_observe_item(const struct takc_exchange *x, const struct takc_asked *asked, const struct takc_query_options *o,
                       enum takc_status st, const struct takc_query_result *r, struct takc_observed *it);
/* What a compression asked of models, and what it cost; name: the model that was to write, "openai:gpt-5", empty: none. Of a version that
 * stood already, and of a run that failed, tokens and calls are not known: 0. */
void takc_observe_compress(struct takc_noted_answer *out, struct takc_str name, const struct takc_compress_report *r);
/* Adds it to what log and trace tell of the request: how many, how many failed, sums of times and money. On the handler's fiber, before the
 * end of the reply is handed over. */
void takc_observe_sum(struct takc_exchange *x, const struct takc_observed *it);
/* The handler of a route that writes has filled the reply: the audit row is written and synced before the reply goes out. A row that cannot
 * be written is an error in the log and a count; the reply is what it was, for what it tells has happened. */
void takc_observe_written(const struct takc_api *api, struct takc_exchange *x);
/* The request has ended; whole: the client took all of it. Writes the audit row of one that was refused before its handler. */
void takc_observe_ended(const struct takc_api *api, const struct takc_exchange *x, bool whole);

#endif
