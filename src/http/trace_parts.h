/* SPDX-License-Identifier: Apache-2.0
 *
 * http/trace_parts.h - a request as the queue of trace.c holds it, and its spans as JSON (trace_spans.c). Private to these two. */
#ifndef TAKC_HTTP_TRACE_PARTS_H
#define TAKC_HTTP_TRACE_PARTS_H

#include "http/exchange.h"

struct takc_traced {
    char trace_id[33], span_id[17], parent_id[17], admit_id[17], model_id[17]; /* an empty one of the last two is drawn */
    bool item;                      /* one of several questions, below its request: no head, peer or status */
    unsigned n_questions, n_failed; /* of a request that asked several: they have spans of their own */
    uint64_t began_ns, ended_ns, admit_from_ns, admit_ns, work_from_ns, work_ns; /* on the machine's clock; _ns of a length: 0 for none */
    int64_t wall_minus_mono_ns;
    const char *route_path; /* static; NULL: none */
    char method[16], path[192], peer[48], request_id[65];
    int status;
    bool whole, tls, told;
    struct takc_noted_answer answer; /* where told */
};

/* How many spans it makes. */
unsigned takc_traced_spans(const struct takc_traced *r);
/* Appends an attribute of text to a list, with a comma where one stands before it. INVALID (no room), NOMEM. */
TAKC_CHECK enum takc_status takc_traced_attribute(struct takc_buf *list, struct takc_str name, struct takc_str value, struct takc_err *err);
/* Appends an ExportTraceServiceRequest; resource: its list of attributes. INVALID (no room), NOMEM. */
TAKC_CHECK enum takc_status takc_traced_json(struct takc_str resource, const struct takc_traced *records, size_t n, struct takc_buf *out,
                                             struct takc_err *err);

#endif
