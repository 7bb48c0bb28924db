/* SPDX-License-Identifier: Apache-2.0
 *
 * models_batch.c - records of batch jobs: written as the first model takes them, read, and their money. A record is shaped as a call on
 * demand is; marks for the cache, which no job has, are left out. */
#include "model/bedrock_batch.h"
#include "model/caller_parts.h"
#include "pipeline/models_parts.h"

enum { NOTES_MAX = 64 << 10 };

enum takc_status takc_models_can_batch(const struct takc_models *m, struct takc_err *err)
{
    const struct takc_model_facts *f = takc_models_facts(m);
    const char *kind = takc_models_ops(m)->name;
    if (!(takc_models_ops(m)->flags & TAKC_MODEL_BATCHES))
        return takc_fail(err, TAKC_UNSUPPORTED, 0,
                         "provider %s has no batch jobs; bedrock has: leave --batch out, or name one of its models", kind);
    if (m->s.guardrail.len)
        return takc_fail(err, TAKC_UNSUPPORTED, 0, "batch jobs go through no guardrail: leave --batch out, or model.guardrail");
    if (f->known && !f->batch_percent)
        return takc_fail(err, TAKC_UNSUPPORTED, 0, "%s:%.*s has no batch jobs (batch_percent in model.facts): leave --batch out", kind,
                         TAKC_STR_ARG(m->models[0].model));
    return TAKC_OK;
}

enum takc_status takc_models_write_record(const struct takc_models *m, struct takc_str id, const struct takc_model_request *r,
                                          struct takc_buf *out, uint64_t *out_most, struct takc_err *err)
{
    const struct takc_model_facts *f = takc_models_facts(m);
    struct takc_shaped s;
    struct takc_buf notes;
    takc_buf_init(&notes, NOTES_MAX);
    enum takc_status st = takc_shape(&s, r, f, TAKC_LEFT_CACHE, m->counter, &notes, err);
    s.r.model = m->models[0].model;
    st = st ? st : takc_batch_write_record(id, &s.r, f, out, err);
    const struct takc_usage most = {.input = s.input_tokens, .output = s.output_tokens};
    *out_most = takc_facts_cost(f, &most, true);
    takc_shape_clear(&s);
    takc_buf_clear(&notes);
    return st;
}

enum takc_status takc_models_read_record(const struct takc_models *m, struct takc_str line, char out_id[64], struct takc_model_reply *out,
                                         struct takc_err *err)
{
    return takc_batch_read_record(line, m->models[0].model, takc_models_facts(m), out_id, out, err);
}

/* --- money --- */

static struct takc_call_row row_of(const struct takc_models *m, const struct takc_models_record *r)
{
    const struct takc_clock *clock = takc_clock_or_system(m->s.clock);
    return (struct takc_call_row){.task = m->task,
                                  .version = r->version,
                                  .purpose = r->purpose,
                                  .provider = takc_str(takc_models_ops(m)->name),
                                  .model = m->models[0].model,
                                  .request_id = r->request_id,
                                  .outcome = r->outcome,
                                  .usage = r->usage,
                                  .picodollars = r->picodollars,
                                  .priced = takc_models_facts(m)->has_price,
                                  .batch = true,
                                  .at_s = clock->wall_s(clock)};
}

enum takc_status takc_models_hold(struct takc_models *m, const struct takc_models_record *r, struct takc_err *err)
{
    struct takc_call_row row = row_of(m, r);
    return takc_models_begin_as(m, r->id, &row, err);
}

enum takc_status takc_models_book(struct takc_models *m, const struct takc_models_record *r, struct takc_err *err)
{
    struct takc_call_row row = row_of(m, r);
    row.picodollars = takc_facts_cost(takc_models_facts(m), &r->usage, true);
    return takc_models_end_as(m, r->id, &row, err);
}
