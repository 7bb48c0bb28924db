/* SPDX-License-Identifier: Apache-2.0
 *
 * trace_jobs.c - the trace of a job: what of the request's context stands in the job's request, and the records of a run, of the job and of
 * each of its stages. */
#include "base/clock.h"
#include "http/ids.h"
#include "http/trace_parts.h"

#include <stdio.h>

#define PARENT "traceparent"
#define STATE "tracestate"

static bool put(json_t *o, const char *name, const char *value)
{
    return json_object_set_new(o, name, takc_json_str(takc_str(value))) == 0;
}

enum takc_status takc_trace_job_keep(const struct takc_exchange *x, json_t *request, struct takc_err *err)
{
    const struct takc_noted *n = &x->noted;
    const char *below = n->span_id[0] ? n->span_id : n->parent_id;
    char parent[56];
    if (!n->trace_id[0] || !below[0])
        return TAKC_OK;
    takc_traced_context(n->trace_id, below, n->sampled, parent);
    bool good = put(request, PARENT, parent) && (!x->call.tracestate || put(request, STATE, x->call.tracestate));
    return good ? TAKC_OK : takc_fail(err, TAKC_NOMEM, 0, "no memory for a job");
}

void takc_trace_job_begin(const struct takc_traces *t, bool sends_on, const json_t *request, struct takc_call *call,
                          struct takc_trace_job *j)
{
    if (!takc_traceparent_parse(takc_json_get_str(request, PARENT), j->trace_id, j->parent_id, &j->sampled))
        return;
    if (t && !j->span_id[0])
        takc_id_draw(j->span_id, 8);
    if (!sends_on)
        return;
    takc_traced_context(j->trace_id, t ? j->span_id : j->parent_id, j->sampled, j->traceparent);
    (void)snprintf(j->tracestate, sizeof(j->tracestate), "%.*s", TAKC_STR_ARG(takc_json_get_str(request, STATE)));
    call->traceparent = j->traceparent;
    call->tracestate = j->tracestate[0] ? j->tracestate : NULL;
}

/* One stage too many only ends the last that has a span. */
void takc_trace_job_stage(struct takc_trace_job *j, const char *stage)
{
    if (j->n_stages > TAKC_TRACE_STAGES_MAX)
        return;
    struct takc_trace_stage *s = &j->stages[j->n_stages++];
    (void)snprintf(s->name, sizeof(s->name), "%s", stage);
    s->from_ns = takc_now_ns();
}

/* ---- records ---- */

static void fill_job(const struct takc_trace_job *j, const struct takc_trace_job_end *e, uint64_t ended_ns, struct takc_traced *out)
{
    out->what = TAKC_TRACED_JOB;
    out->began_ns = j->began_ns;
    out->ended_ns = ended_ns;
    out->attempts = e->attempts;
    out->answer = j->answer;
    out->answer.outcome = e->outcome;
    out->answer.failure = e->failure;
    memcpy(out->span_id, j->span_id, sizeof(out->span_id));
    memcpy(out->parent_id, j->parent_id, sizeof(out->parent_id));
    (void)snprintf(out->kind, sizeof(out->kind), "%.*s", TAKC_STR_ARG(e->kind));
    (void)snprintf(out->task, sizeof(out->task), "%.*s", TAKC_STR_ARG(e->task));
    (void)snprintf(out->job_id, sizeof(out->job_id), "%.*s", TAKC_STR_ARG(e->id));
}

static void fill_stage(const struct takc_trace_job *j, size_t i, uint64_t ended_ns, struct takc_traced *out)
{
    out->what = TAKC_TRACED_STAGE;
    out->began_ns = j->stages[i].from_ns;
    out->ended_ns = i + 1 < j->n_stages ? j->stages[i + 1].from_ns : ended_ns;
    takc_id_draw(out->span_id, 8);
    memcpy(out->parent_id, j->span_id, sizeof(out->parent_id));
    memcpy(out->stage, j->stages[i].name, sizeof(out->stage));
}

bool takc_traced_job(const struct takc_trace_job *j, const struct takc_trace_job_end *e, uint64_t ended_ns, size_t i,
                     struct takc_traced *out)
{
    if (i > j->n_stages || i > TAKC_TRACE_STAGES_MAX)
        return false;
    *out = (struct takc_traced){.what = TAKC_TRACED_UNSET};
    memcpy(out->trace_id, j->trace_id, sizeof(out->trace_id));
    if (i)
        fill_stage(j, i - 1, ended_ns, out);
    else
        fill_job(j, e, ended_ns, out);
    return true;
}
