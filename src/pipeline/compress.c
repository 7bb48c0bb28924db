/* SPDX-License-Identifier: Apache-2.0
 *
 * compress.c - the story of compress: documents as they are now, a work key, and a new version if the key is new. */
#include "takc/compress.h"
#include "base/log.h"
#include "pipeline/check.h"
#include "pipeline/generate.h"
#include "pipeline/reduce.h"
#include "pipeline/settle.h"

#include <stdio.h>

/* The ledgers of the version that is current already. */
static enum takc_status old_rows(struct takc_home *h, struct takc_str task, const struct takc_version *v, struct takc_compress_report *out,
                                 struct takc_err *err)
{
    enum takc_status st = TAKC_OK;
    for (size_t i = 0; !st && i < v->n_artifacts && i < TAKC_LEDGER_ROWS; i++) {
        struct takc_buf bytes;
        struct takc_key key = takc_key_artifact(task, v->label, v->artifacts[i].rate, ".ledger.json");
        takc_buf_init(&bytes, TAKC_BUF_MAX_REPLY);
        st = takc_store_get_bytes(takc_home_store(h), NULL, takc_str(key.s), &bytes, err);
        if (!st)
            st = takc_ledger_parse(takc_buf_str(&bytes), &out->rows[out->n_rows++], err);
        takc_buf_clear(&bytes);
    }
    return st;
}

static void say_label(struct takc_compress_report *out, struct takc_str label)
{
    (void)snprintf(out->version, sizeof(out->version), "%.*s", (int)(label.len > 31 ? 31 : label.len), label.ptr ? label.ptr : "");
}

static enum takc_status new_version(struct takc_build *b, struct takc_manifest *m, struct takc_compress_report *out, struct takc_err *err)
{
    char *label = takc_arena_printf(b->arena, "%u", m->next);
    if (!label)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for a label");
    b->label = takc_str(label);
    enum takc_status st = takc_build_make(b, err);
    if (!st)
        st = takc_build_publish(b, m, err);
    if (st)
        return takc_err_prefix(err, st, "version %s", label);
    out->changed = true;
    out->n_resumed = b->n_resumed;
    out->n_units = b->n_units;
    out->n_rows = b->n_rates;
    memcpy(out->rows, b->rows, sizeof(out->rows));
    say_label(out, b->label);
    return TAKC_OK;
}

/* Has a document come in whole again? */
static bool any_whole(const struct takc_docset *set)
{
    bool any = false;
    for (size_t i = 0; i < set->n_docs; i++)
        any |= !takc_docset_is_reduced(&set->docs[i]);
    return any;
}

static enum takc_status compress_locked(struct takc_build *b, struct takc_docset *set, struct takc_compress_report *out,
                                        struct takc_err *err)
{
    struct takc_manifest m;
    enum takc_status st = takc_docset_current(b->home, b->task, b->arena, set, err);
    if (!st && set->n_docs == 0)
        st = takc_fail(err, TAKC_NOT_FOUND, 0, "task %.*s has no documents; run: takc ingest -t %.*s FOLDER", TAKC_STR_ARG(b->task),
                       TAKC_STR_ARG(b->task));
    b->set = set;
    if (!st)
        st = takc_build_work_key(b, err);
    if (!st)
        st = takc_home_manifest(b->home, b->task, b->arena, &m, err);
    if (st)
        return st;
    out->n_documents = set->n_docs;
    for (size_t i = 0; i < set->n_docs; i++) {
        out->source_bytes += set->docs[i].source_bytes;
        out->n_units += set->docs[i].n_units;
    }
    const struct takc_version *current = takc_manifest_find(&m, m.current);
    bool stands = current && takc_str_eq(current->work_key, b->work_key);
    if (stands)
        st = takc_check_version(b->home, b->call, b->task, current, &stands, err); /* what is damaged is made again */
    if (st)
        return st;
    if (stands) {
        say_label(out, current->label);
        if (!b->profile->keep_originals && any_whole(set))
            st = takc_settle(b, &m, true, err);
        if (!st)
            st = old_rows(b->home, b->task, current, out, err);
    } else {
        st = takc_reduce_check(b, set, err);
        if (!st)
            st = new_version(b, &m, out, err);
    }
    if (!st && out->n_rows)
        out->source_tokens = out->rows[0].source_tokens;
    return st;
}

/* The rates as a version has them: from coarse to fine, each once. */
static enum takc_status sort_rates(struct takc_build *b, takc_rate sorted[TAKC_LEDGER_ROWS], struct takc_err *err)
{
    char name[24];
    if (b->n_rates > TAKC_LEDGER_ROWS)
        return takc_fail(err, TAKC_INVALID, 0, "%zu rates; at most %d", b->n_rates, TAKC_LEDGER_ROWS);
    for (size_t i = 0; i < b->n_rates; i++) {
        size_t at = i;
        for (; at > 0 && sorted[at - 1] <= b->rates[i]; at--) {
            if (sorted[at - 1] == b->rates[i]) {
                takc_rate_name(b->rates[i], name);
                return takc_fail(err, TAKC_INVALID, 0, "rate %s is there twice", name);
            }
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = b->rates[i];
    }
    b->rates = sorted;
    return TAKC_OK;
}

/* Of this run, however it ended. */
static void say_spent(struct takc_models *m, struct takc_compress_report *out)
{
    struct takc_models_spent spent;
    takc_models_spent(m, &spent);
    out->picodollars = spent.picodollars;
    out->unpriced = spent.unpriced;
}

/* Few-shot examples of the caller, else the profile's. */
static enum takc_status take_examples(const struct takc_compress_options *o, struct takc_build *b, struct takc_generation *g,
                                      struct takc_err *err)
{
    struct takc_example *own = takc_arena_array(b->arena, o->n_examples + 1, sizeof(*own));
    if (!own)
        return takc_fail(err, TAKC_NOMEM, 0, "no memory for examples");
    for (size_t i = 0; i < o->n_examples; i++)
        own[i] = (struct takc_example){.input = o->examples[i].input, .output = o->examples[i].output};
    g->examples = o->n_examples ? own : b->profile->examples;
    g->n_examples = o->n_examples ? o->n_examples : b->profile->n_examples;
    return TAKC_OK;
}

/* Who writes, if anybody: b->generation points to g then, whose models are the caller's to close. */
static enum takc_status open_generation(const struct takc_compress_options *o, struct takc_build *b, struct takc_generation *g,
                                        struct takc_err *err)
{
    if (!o->model || !o->model->model.len)
        return TAKC_OK;
    *g = (struct takc_generation){.model = o->model->model,
                                  .guardrail = o->model->guardrail,
                                  .temperature = b->profile->temperature,
                                  .max_tokens = b->profile->max_tokens,
                                  .n_parallel = o->model->parallel};
    enum takc_status st = take_examples(o, b, g, err);
    if (!st)
        st = takc_models_open(&g->models, b->home, b->task, o->model, b->profile->counter, err);
    if (!st)
        b->generation = g;
    return st;
}

enum takc_status takc_compress(struct takc_home *h, struct takc_call *call, const struct takc_compress_options *o,
                               struct takc_compress_report *out, struct takc_err *err)
{
    struct takc_profile profile;
    struct takc_docset set = {0};
    struct takc_arena arena;
    struct takc_writer writer = {.lock = {-1}};
    struct takc_generation generation = {.models = NULL};
    *out = (struct takc_compress_report){0};
    enum takc_status st = takc_home_counting_profile(h, o->task, &profile, err);
    if (st)
        return st;
    takc_arena_init(&arena);
    struct takc_build b = {.home = h,
                           .call = call,
                           .task = o->task,
                           .profile = &profile,
                           .rates = o->n_rates ? o->rates : profile.rates,
                           .n_rates = o->n_rates ? o->n_rates : profile.n_rates,
                           .n_threads = o->n_threads,
                           .arena = &arena};
    takc_rate sorted[TAKC_LEDGER_ROWS];
    st = sort_rates(&b, sorted, err);
    if (!st)
        st = open_generation(o, &b, &generation, err);
    if (!st)
        st = takc_writer_begin(h, call, o->task, &profile, o->wait_ms, &writer, err);
    if (!st)
        st = compress_locked(&b, &set, out, err);
    if (!st)
        takc_log_for(call, INFO, "compress", "task=%.*s version=%s changed=%d documents=%llu units=%llu", TAKC_STR_ARG(o->task),
                     out->version, out->changed, (unsigned long long)out->n_documents, (unsigned long long)out->n_units);
    if (b.generation)
        say_spent(generation.models, out);
    takc_models_close(generation.models);
    takc_lock_close(&writer.lock);
    takc_arena_clear(&arena);
    takc_profile_clear(&profile);
    return st;
}
