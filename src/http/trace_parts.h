/* SPDX-License-Identifier: Apache-2.0
 *
 * http/trace_parts.h - a request, or a part of one or of a job, as the queue of trace.c holds it (trace_jobs.c makes those of jobs), and
 * its spans as JSON (trace_spans.c). Private to these. */
#ifndef TAKC_HTTP_TRACE_PARTS_H
#define TAKC_HTTP_TRACE_PARTS_H

#include "http/trace.h"

enum takc_traced_what {
    TAKC_TRACED_UNSET = 0,
    TAKC_TRACED_REQUEST,
    TAKC_TRACED_ITEM, /* one of several questions, below its request */
    TAKC_TRACED_JOB,  /* a run of one */
    TAKC_TRACED_STAGE /* of a run */
};

struct takc_traced {
    enum takc_traced_what what;
    char trace_id[33], span_id[17], parent_id[17], admit_id[17], model_id[17]; /* an empty one of the last two is drawn */
    unsigned n_questions, n_failed; /* of a request that asked several: they have spans of their own */
    uint64_t began_ns, ended_ns, admit_from_ns, admit_ns, work_from_ns, work_ns; /* on the machine's clock; _ns of a length: 0 for none */
    int64_t wall_minus_mono_ns;
    const char *route_path; /* static; NULL: none */
    union {
        struct { /* of a request */
            char method[16], path[192], peer[48], request_id[65];
        };
        struct { /* of a job */
            char kind[16], task[192], job_id[65];
            unsigned attempts;
        };
        char stage[32];
    };
    int status;
    bool whole, tls, told;
    struct takc_noted_answer answer; /* where told, and of a job */
};

/* The i-th record of a run that has ended: itself, then its stages. false: there is no such one. */
bool takc_traced_job(const struct takc_trace_job *j, const struct takc_trace_job_end *e, uint64_t ended_ns, size_t i,
                     struct takc_traced *out);
/* Writes "00-TRACE-SPAN-FLAGS". */
void takc_traced_context(const char *trace_id, const char *span_id, bool sampled, char out[56]);

/* How many spans it makes. */
unsigned takc_traced_spans(const struct takc_traced *r);
/* Appends an attribute of text to a list, with a comma where one stands before it. INVALID (no room), NOMEM. */
TAKC_CHECK enum takc_status takc_traced_attribute(struct takc_buf *list, struct takc_str name, struct takc_str value, struct takc_err *err);
/* Appends an ExportTraceServiceRequest; resource: its list of attributes. INVALID (no room), NOMEM. */
TAKC_CHECK enum takc_status takc_traced_json(struct takc_str resource, const struct takc_traced *records, size_t n, struct takc_buf *out,
                                             struct takc_err *err);

#endif
